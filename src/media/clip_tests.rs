//! Clips and sealed segments of real video, looked at by FFmpeg.

use proptest::prelude::*;

use super::*;
use crate::base::time::Mono;
use crate::media::access_unit::AccessUnit;
use crate::media::boxes::{BoxRef, boxes};
use crate::media::header::{ClockState, Losses};
use crate::media::order::{Ordered, Sequencer};
use crate::media::segment::{Sample, SegmentBuilder};
use crate::media::testing::{entry, ffmpeg, header, key, real_video, samples};

const H264: [&str; 2] = ["-c:v", "libx264"];
const H264_B: [&str; 8] = [
    "-c:v",
    "libx264",
    "-bf",
    "3",
    "-g",
    "20",
    "-b_strategy",
    "0",
];
const H264_PLAIN: [&str; 6] = ["-c:v", "libx264", "-tune", "zerolatency", "-g", "10"];
const H265: [&str; 6] = [
    "-c:v",
    "libx265",
    "-x265-params",
    "log-level=none:keyint=20:bframes=3",
    "-tag:v",
    "hvc1",
];

fn builder(samples: &[Sample]) -> Result<ClipBuilder> {
    let mut clip = ClipBuilder::new();
    for s in samples {
        clip.add(&ClipSample {
            bytes: u32::try_from(s.data.len()).expect("small"),
            dts: s.dts,
            pts: s.pts,
            duration: s.duration,
            is_key: s.is_key,
        })?;
    }
    Ok(clip)
}

fn clip(entry: &SampleEntry, samples: &[Sample]) -> Vec<u8> {
    let builder = builder(samples).expect("good samples");
    let mut bytes = builder.head(entry, header().start).expect("samples");
    bytes.extend(samples.iter().flat_map(|s| &s.data));
    bytes
}

/// The same samples as the sequencer gives them.
fn sequenced(samples: Vec<Sample>) -> Vec<Sample> {
    let mut sequencer = Sequencer::new();
    let mut out = Vec::new();
    for s in samples {
        out.extend(sequencer.push(AccessUnit {
            pts: s.pts,
            received_mono: Mono(0),
            received_wall: Wall(0),
            is_key: s.is_key,
            loss: 0,
            data: s.data,
        }));
    }
    out.extend(sequencer.flush());
    let sample = |o: Ordered| Sample {
        data: o.unit.data,
        dts: o.dts,
        pts: o.unit.pts,
        duration: o.duration,
        is_key: o.unit.is_key,
    };
    out.into_iter().map(sample).collect()
}

/// The last column of FFmpeg's table of frames: their hashes, in order of presentation.
fn picture_hashes(file: &[u8]) -> Vec<String> {
    let table = ffmpeg("ffmpeg", &["-i", "pipe:0", "-f", "framemd5", "-"], file);
    let rows = table.lines().filter(|l| !l.starts_with('#'));
    rows.filter_map(|l| l.rsplit(',').next().map(str::to_owned))
        .collect()
}

#[test]
fn ffmpeg_decodes_every_picture_of_a_clip_at_its_time() {
    for encoder in [&H264[..], &H264_B, &H264_PLAIN, &H265] {
        let (entry, samples, original) = real_video(encoder);
        assert_eq!(samples.len(), 50);
        let samples = sequenced(samples);
        let bytes = clip(&entry, &samples);
        assert_eq!(
            picture_hashes(&bytes),
            picture_hashes(&original),
            "{encoder:?}"
        );
        let args = ["-show_entries", "frame=pts", "-of", "csv=p=0", "pipe:0"];
        let shown = ffmpeg("ffprobe", &args, &bytes);
        let shown: Vec<i64> = shown
            .lines()
            .filter_map(|l| l.trim_end_matches(',').parse().ok())
            .collect();
        assert_eq!(
            shown,
            (0..50).map(|i| i * 3600).collect::<Vec<_>>(),
            "{encoder:?}"
        );
        let args = [
            "-show_entries",
            "stream=duration_ts:format_tags=creation_time",
            "-of",
            "csv=p=0",
            "pipe:0",
        ];
        assert_eq!(
            ffmpeg("ffprobe", &args, &bytes),
            "180000\n2026-11-23T15:45:00.000000Z\n"
        );
    }
}

#[test]
fn ffprobe_sees_the_packets_of_a_sealed_segment() {
    let (entry, samples, _) = real_video(&H264_B);
    // From presentation times alone, as they come from a camera: offsets of either sign.
    let samples = sequenced(samples);
    assert!(samples.iter().any(|s| s.pts < s.dts));
    let mut header = header();
    header.run_media_start = samples[0].dts;
    let mut builder = SegmentBuilder::new(header, &entry, &key()).expect("good");
    let mut bytes = builder.initial_bytes();
    let mut want = Vec::new();
    // Where offsets are negative, FFmpeg shows everything later by the largest of them.
    let later = samples.iter().map(|s| s.dts - s.pts).max();
    let later = later.expect("samples");
    for s in &samples {
        let (dts, pts) = (builder.header().tfdt(s.dts), builder.header().tfdt(s.pts));
        let (dts, pts) = (dts.0, (pts + later).0);
        want.push(format!("{pts},{dts},{}", s.data.len()));
    }
    let mut rest = samples;
    while !rest.is_empty() {
        let next = rest.iter().skip(1).position(|s| s.is_key);
        let tail = rest.split_off(next.map_or(rest.len(), |n| n + 1));
        let fragment = builder.fragment(rest).expect("good");
        bytes.extend(fragment.parts().flatten());
        builder.written(&fragment);
        rest = tail;
    }
    assert!(builder.fragments().len() > 2);
    let end = builder.header().start.plus_us(2_000_000);
    let (trailer, _) = builder.trailer(end, Losses::default(), ClockState::default(), false);
    bytes.extend(trailer);
    // It cannot decode what is sealed, and says so at length.
    let args = [
        "-v",
        "quiet",
        "-show_entries",
        "packet=pts,dts,size",
        "-of",
        "csv=p=0",
        "pipe:0",
    ];
    let seen = ffmpeg("ffprobe", &args, &bytes);
    let seen = seen.lines().map(|l| l.trim_end_matches(','));
    let seen: Vec<_> = seen.filter(|l| !l.is_empty()).collect();
    assert_eq!(seen, want);
}

#[test]
fn what_does_not_follow_is_refused() {
    let kind = |s: &[Sample]| builder(s).map(|_| ()).map_err(|e| e.kind());
    let good = samples(0, &[5, 5, 5]);
    assert_eq!(kind(&good), Ok(()));
    assert_eq!(kind(&good[1..]), Err(Kind::Invalid));
    let mut gap = good.clone();
    gap[2].dts = Ticks(6001);
    assert_eq!(kind(&gap), Err(Kind::Invalid));
    let empty = ClipBuilder::new();
    assert!(
        empty
            .head(
                &entry(crate::media::access_unit::Codec::H264),
                header().start
            )
            .is_err()
    );
    assert_eq!(empty.shown(), Ticks(0));
}

#[test]
fn times_before_the_run_began_are_as_good_as_others() {
    let mut group = samples(-9_000_000_000, &[5, 5, 5]);
    group[1].pts = group[1].pts - Ticks(2000);
    assert_eq!(builder(&group).expect("good").shown(), Ticks(9000));
}

proptest! {
    /// Every chunk offset leads to the samples that `stsc` and `stsz` say.
    #[test]
    fn offsets_lead_to_the_samples(sizes in proptest::collection::vec(0usize..20, 1..150)) {
        let samples = samples(5, &sizes);
        let bytes = clip(&entry(crate::media::access_unit::Codec::H265), &samples);
        let top: Vec<_> = boxes(&bytes).collect::<Result<_>>().expect("boxes");
        let kinds: Vec<_> = top.iter().map(|b| &b.head.kind).collect();
        prop_assert_eq!(kinds, [b"ftyp", b"moov", b"mdat"]);
        let stbl = [b"trak", b"mdia", b"minf", b"stbl"]
            .iter()
            .try_fold(top[1], |parent: BoxRef<'_>, kind| parent.child(0, kind))
            .expect("stbl");
        let (_, mut co64) = stbl.child(0, b"co64").and_then(|b| b.full(0)).expect("co64");
        prop_assert_eq!(co64.u32().expect("count") as usize, sizes.len().div_ceil(CHUNK_SAMPLES));
        for chunk in samples.chunks(CHUNK_SAMPLES) {
            let at = usize::try_from(co64.u64().expect("offset")).expect("small");
            let want: Vec<u8> = chunk.iter().flat_map(|s| s.data.clone()).collect();
            prop_assert_eq!(&bytes[at..at + want.len()], &want);
        }
        co64.end().expect("nothing left");
    }
}
