//! What comes out is the picture that was asked for.

use crate::footage::{Stream, TICKS, path, pixels, program};
use sinetti::base::error::{Error, Kind, Result};
use sinetti::base::time::{Ticks, Wall};
use sinetti::decode::transcode::{Sink, transcode};
use sinetti::media::access_unit::{Codec, SampleEntry};
use sinetti::media::clip::{ClipBuilder, ClipSample};
use sinetti::media::nal::nal_units;
use sinetti::media::segment::Sample;
use std::process::Command;

/// H.264 and H.265, with pictures that are reordered and without.
const STREAMS: [&str; 3] = ["till.264", "till-bframes.264", "till-h265.265"];

fn apart(a: &[u8], b: &[u8]) -> (u8, f64) {
    assert_eq!(a.len(), b.len());
    let most = a.iter().zip(b).map(|(a, b)| a.abs_diff(*b)).max();
    let sum: u64 = a
        .iter()
        .zip(b)
        .map(|(a, b)| u64::from(a.abs_diff(*b)))
        .sum();
    (most.expect("pixels"), sum as f64 / a.len() as f64)
}

#[test]
fn a_still_is_the_picture_that_ffmpeg_decodes_there_and_no_other() {
    for name in STREAMS {
        let stream = Stream::of(name);
        let theirs = stream.by_ffmpeg(0, 95);
        for n in [0, 1, 2, 3, 29, 30, 31, 61, 94] {
            let still = stream
                .still(&program(), stream.up_to(n), n)
                .expect("a still");
            assert!(!still.is_damaged, "{name} {n}");
            let (ours, texts) = pixels(&still.png);
            let index = usize::try_from(n).expect("a number");
            // The same picture: FFmpeg rounds in another way on the way from luma and chroma to colours.
            let (most, mean) = apart(&ours, &theirs[index]);
            assert!(most <= 4 && mean < 0.6, "{name} {n}: {most} {mean}");
            for other in [index.wrapping_sub(1), index + 1] {
                let Some(other) = theirs.get(other) else {
                    continue;
                };
                assert!(apart(&ours, other).1 > mean, "{name} {n}");
            }
            assert_eq!(texts, [("Title".to_owned(), "Kassa 1".to_owned())]);
        }
    }
}

#[test]
fn a_picture_that_is_not_there_is_not_another_one() {
    let stream = Stream::of("till.264");
    let samples = stream.up_to(10);
    let e = stream
        .still(&program(), samples, 11)
        .expect_err("no picture");
    assert_eq!(e.kind(), Kind::Corrupt);
    assert!(
        e.to_string()
            .starts_with("the picture could not be decoded:"),
        "{e}"
    );
}

#[test]
fn what_could_not_be_decoded_is_said() {
    let stream = Stream::of("till.264");
    let mut samples = stream.up_to(20);
    assert!(samples.len() > 10, "a group with pictures to spoil");
    let whole = samples[5].data.clone();
    // The rest of the picture is gone: with a NAL unit that says so, and with one that does not.
    samples[5].data.truncate(whole.len() / 2);
    let still = |samples: &[Sample]| {
        stream
            .still(&program(), samples.to_vec(), 20)
            .expect("a still, filled in")
    };
    assert!(still(&samples).is_damaged);
    let last = nal_units(&whole).last().flatten().expect("a slice");
    let before = whole.len() - last.len() - 4;
    let half = &last[..last.len() / 2];
    let length = u32::try_from(half.len()).expect("short").to_be_bytes();
    samples[5].data = [&whole[..before], &length, half].concat();
    assert!(still(&samples).is_damaged);
    samples[5].data = whole;
    assert!(!still(&samples).is_damaged);
}

/// Takes down what comes.
#[derive(Default)]
struct Kept {
    entry: Option<SampleEntry>,
    samples: Vec<Sample>,
    most: usize,
}

impl Sink for Kept {
    fn entry(&mut self, entry: &SampleEntry) -> Result<()> {
        self.entry = Some(entry.clone());
        Ok(())
    }

    fn sample(&mut self, sample: Sample) -> Result<()> {
        self.samples.push(sample);
        match self.samples.len() {
            n if n == self.most => Err(Error::new(Kind::Busy, "enough")),
            _ => Ok(()),
        }
    }
}

#[test]
fn a_viewing_copy_has_every_picture_at_its_time() {
    let stream = Stream::of("till-h265.265");
    // Up to the fifth key frame: the pictures that are shown before it and need it come after it.
    let fifth = stream.samples.iter().position(|s| s.pts.0 == 120 * TICKS);
    let samples: Vec<Sample> = stream.samples[..fifth.expect("a key frame")].to_vec();
    let all = samples.len();
    let mut shown: Vec<i64> = samples.iter().map(|s| s.pts.0).collect();
    shown.sort_unstable();
    let mut kept = Kept::default();
    let done = transcode(
        &program(),
        &stream.entry,
        samples.into_iter().map(Ok),
        &mut kept,
    )
    .expect("a copy");
    assert_eq!(
        (done.pictures_in, done.pictures_out, done.damaged),
        (all as u64, all as u64, 0)
    );
    let found: Vec<i64> = kept.samples.iter().map(|s| s.pts.0).collect();
    assert_eq!(found, shown);
    assert!(kept.samples.iter().all(|s| s.dts == s.pts));
    assert!(kept.samples.iter().all(|s| s.duration == Ticks(TICKS)));
    let entry = kept.entry.expect("an entry");
    assert_eq!(
        (entry.codec, entry.width, entry.height),
        (Codec::H264, 320, 180)
    );
    let psnr = psnr(&stream, &entry, &kept.samples);
    assert!(psnr > 35.0, "{psnr} dB");
}

/// As a file it plays: FFmpeg decodes it without a word. How near each of its pictures is to that of the source at
/// least, in decibels.
fn psnr(stream: &Stream, entry: &SampleEntry, samples: &[Sample]) -> f64 {
    let mut builder = ClipBuilder::new();
    for sample in samples {
        builder
            .add(&ClipSample {
                bytes: u32::try_from(sample.data.len()).expect("small"),
                dts: sample.dts,
                pts: sample.pts,
                duration: sample.duration,
                is_key: sample.is_key,
            })
            .expect("it follows");
    }
    let mut file = builder.head(entry, Wall::default()).expect("a head");
    samples.iter().for_each(|s| file.extend_from_slice(&s.data));
    let dir = tempfile::tempdir().expect("a folder");
    let clip = dir.path().join("copy.mp4");
    std::fs::write(&clip, file).expect("writes");
    // As many pictures of the source as the copy has, each at its place.
    let both = format!(
        "[0:v]settb=1/15,setpts=N[a];[1:v]trim=end_frame={},settb=1/15,setpts=N[b];[a][b]psnr",
        samples.len()
    );
    let ran = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "info", "-i"])
        .arg(&clip)
        .arg("-i")
        .arg(path(stream.name))
        .args(["-lavfi", &both, "-f", "null", "-"])
        .output()
        .expect("ffmpeg runs");
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success() && !said.contains("rror"), "{said}");
    // Of the worst picture.
    let psnr = said
        .split("min:")
        .nth(1)
        .and_then(|rest| rest.split(' ').next());
    psnr.expect("a PSNR").parse().expect("a number")
}

#[test]
fn a_viewing_copy_can_be_ended_in_the_middle() {
    let stream = Stream::of("till-h265.265");
    let mut kept = Kept {
        most: 10,
        ..Kept::default()
    };
    let given = std::cell::Cell::new(0);
    let samples = stream.samples.iter().cloned().map(|sample| {
        given.set(given.get() + 1);
        Ok(sample)
    });
    let e = transcode(&program(), &stream.entry, samples, &mut kept).expect_err("ended");
    assert_eq!((e.kind(), kept.samples.len()), (Kind::Busy, 10));
    assert!(
        given.get() < stream.samples.len(),
        "the rest was not asked for"
    );
    // And by what it is made of.
    let broken = (0..).map(|n| {
        stream
            .samples
            .get(n)
            .cloned()
            .filter(|_| n < 5)
            .ok_or_else(|| Error::corrupt("bit rot"))
    });
    let e = transcode(&program(), &stream.entry, broken, &mut Kept::default()).expect_err("ended");
    assert_eq!(
        (e.kind(), e.to_string().as_str()),
        (Kind::Corrupt, "bit rot")
    );
}
