//! The parts of recording, deleting and asking that cost: sealing, writing, reading back, the plan, coverage. Run with
//! `cargo bench --bench recorder`; figures are of this machine alone.
#![allow(clippy::disallowed_methods, reason = "a bench writes files of its own")]
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use std::hint::black_box;
use std::io::IoSlice;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use sinetti::base::clock::HostSync;
use sinetti::base::disk::DiskFile;
use sinetti::base::hash::Digest;
use sinetti::base::id::{BoxId, GenerationId, RunId, SegmentId, StreamId, StreamKind, VolumeId};
use sinetti::base::secret::SegmentKey;
use sinetti::base::time::{Span, Ticks, Wall};
use sinetti::catalog::{Catalog, Change, SampleEntryRow, SegmentRow};
use sinetti::media::access_unit::SampleEntry;
use sinetti::media::header::{KeySlot, SegmentHeader};
use sinetti::media::read;
use sinetti::media::segment::{Sample, SegmentBuilder};
use sinetti::retention::held::Held;
use sinetti::retention::plan::{Policy, Segment, plan};

const START: Wall = Wall::from_secs(1_795_000_000);

/// A whole `avc1` box of a 1080p stream.
fn entry() -> SampleEntry {
    let record: &[u8] = b"\x01\x64\x00\x28\xff\xe1\x00\x04\x67\x64\x00\x28\x01\x00\x02\x68\xee";
    let mut out = vec![0, 0, 0, 0];
    out.extend_from_slice(b"avc1");
    out.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 1]);
    out.extend_from_slice(&[0; 16]);
    out.extend_from_slice(&[0x07, 0x80, 0x04, 0x38, 0, 0x48, 0, 0, 0, 0x48, 0, 0]);
    out.extend_from_slice(&[0, 0, 0, 0, 0, 1]);
    out.extend_from_slice(&[0; 32]);
    out.extend_from_slice(&[0, 0x18, 0xff, 0xff]);
    let bytes = u32::try_from(record.len() + 8).expect("small");
    out.extend_from_slice(&bytes.to_be_bytes());
    out.extend_from_slice(b"avcC");
    out.extend_from_slice(record);
    let bytes = u32::try_from(out.len()).expect("small");
    out[..4].copy_from_slice(&bytes.to_be_bytes());
    SampleEntry::parse(&out).expect("a good entry")
}

fn builder() -> SegmentBuilder {
    let header = SegmentHeader {
        box_id: BoxId::from_bytes([1; 16]),
        camera: "kassa-1".parse().expect("id"),
        stream: StreamKind::Main,
        run: RunId::from_bytes([2; 16]),
        segment: SegmentId::from_bytes([3; 16]),
        start: START,
        run_media_start: Ticks(0),
        generation: GenerationId::from_bytes([4; 16]),
        key_slot: KeySlot {
            day: START.day(),
            index: 0,
        },
        previous_root: Digest::ZERO,
    };
    SegmentBuilder::new(header, &entry(), &SegmentKey::from_bytes([7; 16])).expect("builder")
}

/// Two seconds of 4 Mbit/s at 15 pictures a second: a key frame of 200 kB, the others of 27 kB.
fn gop() -> Vec<Sample> {
    let sample = |n: i64| Sample {
        data: vec![u8::try_from(n).expect("small"); if n == 0 { 200_000 } else { 27_000 }],
        dts: Ticks(n * 6000),
        pts: Ticks(n * 6000),
        duration: Ticks(6000),
        is_key: n == 0,
    };
    (0..30).map(sample).collect()
}

fn gop_bytes() -> u64 {
    gop().iter().map(|s| s.data.len() as u64).sum()
}

fn sealing(c: &mut Criterion) {
    let mut group = c.benchmark_group("fragment");
    group.throughput(Throughput::Bytes(gop_bytes()));
    group.bench_function("hash and seal", |b| {
        let fresh = || (builder(), gop());
        b.iter_batched(
            fresh,
            |(mut builder, gop)| builder.fragment(gop),
            BatchSize::LargeInput,
        );
    });
    let dir = tempfile::tempdir().expect("folder");
    let mut file = DiskFile::create_new(&dir.path().join("segment"), 0o600).expect("file");
    group.bench_function("hash, seal and write", |b| {
        let fresh = || (builder(), gop());
        b.iter_batched(
            fresh,
            |(mut builder, gop)| {
                let sealed = builder.fragment(gop).expect("sealed");
                let mut slices: Vec<_> = sealed.parts().map(IoSlice::new).collect();
                file.truncate(0).expect("cut");
                file.append(&mut slices)
            },
            BatchSize::LargeInput,
        );
    });
    let mut builder = builder();
    let mut whole = builder.initial_bytes();
    let sealed = builder.fragment(gop()).expect("sealed");
    whole.extend(sealed.parts().flatten());
    let initial = read::read_initial(&whole).expect("initial");
    let key = SegmentKey::from_bytes([7; 16]);
    group.bench_function("read, unseal and compare", |b| {
        b.iter(|| {
            let raw = read::read_fragment(&whole, &initial, 0, &sealed.index).expect("read");
            black_box(raw.open(&key).expect("opened"))
        });
    });
    group.bench_function("BLAKE3 of what lies there", |b| {
        b.iter(|| black_box(read::scan(&whole, &initial, true).expect("scanned")));
    });
    group.finish();
}

/// 31 days of 16 cameras, a segment a minute.
fn month(catalog: &Catalog) -> Vec<StreamId> {
    let volume = VolumeId::from_bytes([5; 16]);
    let entry = entry();
    let mut changes = vec![
        Change::VolumeSeen {
            volume,
            name: "disk-1".to_owned(),
            path: "/srv/sinetti".to_owned(),
        },
        Change::SampleEntrySeen(Box::new(SampleEntryRow::from(&entry))),
    ];
    let streams: Vec<StreamId> = (0..16)
        .map(|n| format!("kamera-{n}/main").parse().expect("id"))
        .collect();
    for (stream, run) in streams.iter().map(|s| (s, RunId::random())) {
        for minute in 0..31 * 24 * 60 {
            let start = START.plus_us(minute * 60_000_000);
            changes.push(Change::SegmentClosed(Box::new(SegmentRow {
                segment: SegmentId::random(),
                stream: stream.clone(),
                run,
                volume,
                start,
                // Once an hour a camera is away for two seconds.
                end: start.plus_us(if minute % 60 == 59 {
                    58_000_000
                } else {
                    60_000_000
                }),
                media_duration: Ticks::from_secs(60),
                bytes: 30_000_000,
                samples: 900,
                fragments: 30,
                key_day: start.day(),
                key_index: 0,
                generation: GenerationId::from_bytes([4; 16]),
                content_root: Digest::ZERO,
                previous_root: Digest::ZERO,
                recovered: false,
                time_uncertain: false,
                packets_lost: 0,
                corrupt_units: 0,
                discontinuities: 0,
                host: HostSync::default(),
                camera_offset_ms: None,
                sample_entry: entry.hash(),
            })));
            if changes.len() >= 5_000 {
                catalog
                    .commit(std::mem::take(&mut changes), None)
                    .expect("rows");
            }
        }
    }
    catalog.commit(changes, None).expect("rows");
    streams
}

fn asking(c: &mut Criterion) {
    let dir = tempfile::tempdir().expect("folder");
    let catalog = Catalog::open(&dir.path().join("catalog.db"), BoxId::random()).expect("catalog");
    let streams = month(&catalog);
    let reader = catalog.reader().expect("reader");
    let end = START.plus_us(31 * 86_400_000_000);
    let span = Span { start: START, end };
    c.bench_function("coverage of 31 days of 16 cameras", |b| {
        b.iter(|| {
            for stream in &streams {
                black_box(reader.coverage(stream, span, end).expect("coverage"));
            }
        });
    });
    c.bench_function("hours of 31 days of 16 cameras", |b| {
        b.iter(|| black_box(reader.hours(&streams, span).expect("hours")));
    });
}

/// A million segments: 32 streams, three weeks of each, on two volumes. A minute of it expires, then a day of one volume's
/// room is wanted.
fn planning(c: &mut Criterion) {
    const STREAMS: usize = 32;
    const KEEP_S: u32 = 21 * 86_400;
    let each = 1_000_000 / STREAMS;
    let volumes = [5, 6].map(|n| VolumeId::from_bytes([n; 16]));
    let now = START.plus_us(i64::try_from(each).expect("few") * 60_000_000);
    let segment = |n: usize| {
        let minute = i64::try_from(n / STREAMS).expect("few");
        Segment {
            id: SegmentId::random(),
            stream: n % STREAMS,
            volume: volumes[n % STREAMS % 2],
            start: START.plus_us(minute * 60_000_000),
            end: START.plus_us((minute + 1) * 60_000_000),
            bytes: 30_000_000,
        }
    };
    let segments: Vec<_> = (0..each * STREAMS).map(segment).collect();
    let policies = vec![
        Policy {
            keep_s: Some(KEEP_S),
            ..Policy::default()
        };
        STREAMS
    ];
    let held = vec![Held::default(); STREAMS];
    let mut group = c.benchmark_group("plan over a million segments");
    let pressure = [(volumes[0], 1440 * 16 * 30_000_000)];
    for (name, wanted) in [("expired", &pressure[..0]), ("and for room", &pressure)] {
        let wanted = wanted.iter().copied().collect();
        group.bench_function(name, |b| {
            b.iter(|| black_box(plan(now, &policies, &held, &segments, &wanted)));
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = sealing, planning, asking
}
criterion_main!(benches);
