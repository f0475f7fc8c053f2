//! Material for this layer's unit tests.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::base::error::Result;
use crate::base::hash::Digest;
use crate::base::id::{BoxId, GenerationId, RunId, SegmentId, StreamKind};
use crate::base::secret::SegmentKey;
use crate::base::time::{Ticks, Wall};
use crate::media::access_unit::{Codec, SampleEntry, VISUAL_ENTRY_BYTES};
use crate::media::boxes::{boxes, put_box, put_u32s};
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

/// Two seconds of a moving test picture that FFmpeg encoded with `encoder`: its sample entry and its
/// samples, cut out of the MP4 that FFmpeg made; and that file.
pub(crate) fn real_video(encoder: &[&str]) -> (SampleEntry, Vec<Sample>, Vec<u8>) {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("real.mp4");
    let made = Command::new("ffmpeg")
        .args([
            "-v",
            "error",
            "-f",
            "lavfi",
            "-i",
            "testsrc2=s=320x240:r=25:d=2",
            "-threads",
            "1",
        ])
        .args(encoder)
        .args([
            "-pix_fmt",
            "yuv420p",
            "-video_track_timescale",
            "90000",
            "-movflags",
            "faststart",
        ])
        .arg(&path)
        .status()
        .expect("ffmpeg is installed");
    assert!(made.success());
    let file = std::fs::read(&path).expect("readable");
    let (entry, samples) = demux(&file).expect("an MP4 of FFmpeg");
    (entry, samples, file)
}

/// Reads a progressive MP4 with one track whose samples lie in a row.
fn demux(file: &[u8]) -> Result<(SampleEntry, Vec<Sample>)> {
    let mut top = boxes(file).filter_map(Result::ok);
    let moov = top.find(|b| &b.head.kind == b"moov").expect("moov");
    let stbl = [b"trak", b"mdia", b"minf", b"stbl"]
        .iter()
        .try_fold(moov, |parent, kind| parent.child(0, kind))?;
    let stsd = stbl.child(0, b"stsd")?;
    let entry = stsd.children(8)?.next().expect("an entry")?;
    let numbers = |kind: &[u8; 4]| -> Result<Vec<i64>> {
        let table = stbl.child(0, kind)?;
        let words = table.body.chunks_exact(4).skip(1);
        Ok(words
            .map(|w| i64::from(i32::from_be_bytes(w.try_into().expect("four"))))
            .collect())
    };
    let runs = |table: &[i64]| -> Vec<i64> {
        let pairs = table[1..].chunks_exact(2);
        pairs
            .flat_map(|p| std::iter::repeat_n(p[1], usize::try_from(p[0]).expect("a count")))
            .collect()
    };
    let sizes = numbers(b"stsz")?[2..].to_vec();
    let durations = runs(&numbers(b"stts")?);
    let offsets = numbers(b"ctts").map_or_else(|_| vec![0; sizes.len()], |t| runs(&t));
    let keys = numbers(b"stss")?[1..].to_vec();
    let mut at = usize::try_from(numbers(b"stco")?[1]).expect("an offset");
    let (mut dts, mut samples) = (0, Vec::new());
    for (i, size) in sizes.iter().enumerate() {
        let end = at + usize::try_from(*size).expect("a size");
        samples.push(Sample {
            data: file[at..end].to_vec(),
            dts: Ticks(dts),
            pts: Ticks(dts + offsets[i]),
            duration: Ticks(durations[i]),
            is_key: keys.contains(&(i64::try_from(i).expect("small") + 1)),
        });
        (at, dts) = (end, dts + durations[i]);
    }
    Ok((SampleEntry::parse(entry.whole)?, samples))
}

/// What a program of FFmpeg's says on standard output when it is fed `input`; it must not complain.
pub(crate) fn ffmpeg(program: &str, args: &[&str], input: &[u8]) -> String {
    let mut child = Command::new(program)
        .args(["-v", "error"])
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("ffmpeg is installed");
    let mut stdin = child.stdin.take().expect("piped");
    let input = input.to_vec();
    let feed = std::thread::spawn(move || stdin.write_all(&input).ok());
    let output = child.wait_with_output().expect("it ran");
    feed.join().expect("fed");
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && complaints.is_empty(),
        "{complaints}"
    );
    String::from_utf8(output.stdout).expect("text")
}
