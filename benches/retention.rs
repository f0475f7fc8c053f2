//! A plan over a million segments with holds: `cargo bench --bench retention`. It must stay below a second.
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use std::collections::BTreeMap;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use sinetti::base::id::{SegmentId, VolumeId};
use sinetti::base::time::{Span, Wall};
use sinetti::retention::held::Held;
use sinetti::retention::plan::{Policy, Segment, plan};

const SEGMENTS: usize = 1_000_000;
const STREAMS: usize = 32;
const HOLDS: i64 = 200;
const MINUTE: i64 = 60_000_000;
const NOW: Wall = Wall::from_secs(1_795_446_000);

fn retention(c: &mut Criterion) {
    let each = i64::try_from(SEGMENTS / STREAMS).unwrap_or(0);
    let volume = VolumeId::random();
    let mut segments = Vec::with_capacity(SEGMENTS);
    for stream in 0..STREAMS {
        for n in 0..each {
            let start = NOW.plus_us((n - each) * MINUTE);
            segments.push(Segment {
                id: SegmentId::random(),
                stream,
                volume,
                start,
                end: start.plus_us(MINUTE),
                bytes: 30_000_000,
            });
        }
    }
    // A third is expired, and of each stream two hundred intervals are held.
    let policy = Policy {
        keep_s: u32::try_from(each * 40).ok(),
        guarantee_s: 86_400,
        floor: None,
    };
    let held: Held = (0..HOLDS)
        .map(|n| {
            let start = NOW.plus_us(-(n + 1) * each * MINUTE / HOLDS);
            let end = start.plus_us(5 * MINUTE);
            Span { start, end }
        })
        .collect();
    let (policies, held) = (vec![policy; STREAMS], vec![held; STREAMS]);
    let pressure = BTreeMap::from([(volume, 12_000_000_000_000_u64)]);
    let mut group = c.benchmark_group("plan");
    group.sample_size(10);
    group.bench_function("a million segments, 6400 held intervals", |b| {
        b.iter(|| black_box(plan(NOW, &policies, &held, &segments, &pressure)).len());
    });
    group.finish();
}

criterion_group!(benches, retention);
criterion_main!(benches);
