//! Material for this layer's unit tests.

use crate::base::hash::Digest;
use crate::base::id::{BoxId, GenerationId, RunId, SegmentId, StreamKind};
use crate::base::secret::SegmentKey;
use crate::base::time::{Ticks, Wall};
use crate::media::access_unit::{Codec, SampleEntry, VISUAL_ENTRY_BYTES};
use crate::media::boxes::{put_box, put_u32s};
use crate::media::header::{FragmentIndex, KeySlot, SegmentHeader};
use crate::media::segment::{Sample, SegmentBuilder};

pub(crate) fn entry(codec: Codec) -> SampleEntry {
    let (kind, record_kind, record): (_, _, &[u8]) = match codec {
        Codec::H264 => (
            b"avc1",
            b"avcC",
            b"\x01\x64\x00\x28\xff\xe1\x00\x04\x67\x64\x00\x28\x01\x00\x02\x68\xee",
        ),
        Codec::H265 => (
            b"hvc1",
            b"hvcC",
            b"\x01\x01\x60\0\0\0\x90\0\0\0\0\0\x5d\xf0\0\xfc\xfd\xf8\xf8\0\0\x0f\0",
        ),
    };
    let mut out = Vec::new();
    put_box(&mut out, kind, |out| {
        let start = out.len();
        put_u32s(
            out,
            &[0, 1, 0, 0, 0, 0, 1920 << 16 | 1080, 0x48_0000, 0x48_0000],
        );
        out.resize(start + VISUAL_ENTRY_BYTES, 0);
        put_box(out, record_kind, |out| out.extend_from_slice(record));
        put_box(out, b"pasp", |out| put_u32s(out, &[1, 1]));
    });
    SampleEntry::parse(&out).expect("a good entry")
}

pub(crate) fn key() -> SegmentKey {
    SegmentKey::from_bytes(*b"0123456789abcdef")
}

pub(crate) fn header() -> SegmentHeader {
    let start = Wall::parse_rfc3339("2026-11-23T15:45:00.123Z").expect("a time");
    SegmentHeader {
        box_id: BoxId::from_bytes([1; 16]),
        camera: "kassa-1".parse().expect("an id"),
        stream: StreamKind::Main,
        run: RunId::from_bytes([2; 16]),
        segment: SegmentId::from_bytes([3; 16]),
        start,
        run_media_start: Ticks(1_000_000),
        generation: GenerationId::from_bytes([4; 16]),
        key_slot: KeySlot {
            day: start.day(),
            index: 17,
        },
        previous_root: Digest([5; 32]),
    }
}

/// Samples of these sizes, 3000 ticks each, from `dts` on; the first is a key frame.
pub(crate) fn samples(dts: i64, sizes: &[usize]) -> Vec<Sample> {
    let sample = |(i, size): (usize, &usize)| {
        let dts = dts + 3000 * i64::try_from(i).expect("small");
        Sample {
            data: (0..*size)
                .map(|n| u8::try_from((n * 7 + i) % 251).expect("small"))
                .collect(),
            dts: Ticks(dts),
            pts: Ticks(dts),
            duration: Ticks(3000),
            is_key: i == 0,
        }
    };
    sizes.iter().enumerate().map(sample).collect()
}

/// A file with one fragment a group of sizes, without its trailer; and what was confirmed.
pub(crate) fn file(groups: &[&[usize]]) -> (Vec<u8>, SegmentBuilder) {
    let mut builder =
        SegmentBuilder::new(header(), &entry(Codec::H264), &key()).expect("a good header");
    let mut bytes = builder.initial_bytes();
    let mut dts = 1_000_000;
    for sizes in groups {
        let fragment = builder.fragment(samples(dts, sizes)).expect("good samples");
        bytes.extend(fragment.parts().flatten());
        builder.written(&fragment);
        dts += 3000 * i64::try_from(sizes.len()).expect("small");
    }
    (bytes, builder)
}

pub(crate) fn index(n: u8) -> FragmentIndex {
    FragmentIndex {
        offset: u64::from(n) * 1000,
        bytes: 1000,
        tfdt: Ticks(i64::from(n) * 9000),
        duration: Ticks(9000),
        samples: 3,
        starts_with_key: true,
        leaf: Digest([n; 32]),
    }
}
