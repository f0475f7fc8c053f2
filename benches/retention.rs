//! A plan over a million segments with holds: `cargo bench --bench retention`. It must stay below a second.
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]
#![allow(clippy::print_stdout, reason = "it tells what it measured over")]

use std::collections::BTreeMap;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use sinetti::base::id::{HoldId, SegmentId, StreamId, VolumeId};
use sinetti::base::time::{Span, Wall};
use sinetti::catalog::{HoldEnd, HoldKind, HoldRow};
use sinetti::retention::held::Held;
use sinetti::retention::plan::{Policy, Segment, plan};

const SEGMENTS: usize = 1_000_000;
const STREAMS: usize = 32;
/// As many as may be in force.
const HOLDS: i64 = 1000;
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
    // A third is expired. Each hold is of four cameras and overlaps its neighbours, half of them many others as well.
    let policy = Policy {
        keep_s: u32::try_from(each * 40).ok(),
        guarantee_s: 86_400,
        floor: None,
    };
    let names: Vec<StreamId> = (0..STREAMS)
        .map(|n| {
            let kind = if n % 2 == 0 { "main" } else { "sub" };
            format!("kassa-{}/{kind}", n / 2).parse().expect("a stream")
        })
        .collect();
    let holds: Vec<HoldRow> = (0..HOLDS).map(|n| hold(n, each, &names)).collect();
    let policies = vec![policy; STREAMS];
    let pressure = BTreeMap::from([(volume, 12_000_000_000_000_u64)]);
    let mut group = c.benchmark_group("plan");
    group.sample_size(10);
    group.bench_function("a million segments, 1000 holds that overlap", |b| {
        b.iter(|| {
            let of = |stream| Held::of(stream, &holds, NOW);
            let held: Vec<Held> = names.iter().map(of).collect();
            black_box(plan(NOW, &policies, &held, &segments, &pressure)).len()
        });
    });
    let held: Vec<Held> = names.iter().map(|s| Held::of(s, &holds, NOW)).collect();
    let kept = |segment: &&Segment| held[segment.stream].keeps(segment.start, segment.end);
    let count = segments.iter().filter(kept).count();
    assert!(count > 0, "no segment is held: that measures nothing");
    println!(
        "{count} of {} segments are held, {} are to go",
        segments.len(),
        plan(NOW, &policies, &held, &segments, &pressure).len()
    );
    group.finish();
}

/// The n-th hold: from 5 minutes long to two days, spread over everything there is.
fn hold(n: i64, each: i64, names: &[StreamId]) -> HoldRow {
    let start = NOW.plus_us(-(n + 1) * each * MINUTE / HOLDS);
    let minutes = if n % 2 == 0 {
        5 + each / HOLDS
    } else {
        2 * 24 * 60
    };
    let first = usize::try_from(n).expect("not negative");
    let cameras = (0..4).map(|k| names[(first * 2 + k * 8) % names.len()].camera.clone());
    HoldRow {
        hold: HoldId(100_000 + u32::try_from(n).expect("few")),
        kind: HoldKind::Case,
        span: Span {
            start,
            end: start.plus_us(minutes * MINUTE),
        },
        cameras: cameras.collect(),
        matter: "5560/R/1/26".to_owned(),
        reason: "measured".to_owned(),
        placed: NOW,
        placed_by: "controller1".to_owned(),
        review: NOW.plus_us(90 * 24 * 60 * MINUTE),
        reviewed: None,
        until: None,
        // Of each third one the time after its release runs.
        ended: (n % 3 == 0).then(|| HoldEnd {
            at: NOW.plus_us(-MINUTE),
            by: "controller1".to_owned(),
            gone: NOW.plus_us(14 * 24 * 60 * MINUTE),
        }),
    }
}

criterion_group!(benches, retention);
criterion_main!(benches);
