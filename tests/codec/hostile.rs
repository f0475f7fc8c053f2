//! What cameras may send: anything. The program may fail at it; it may not take more than its bounds, and the next still is right.

use crate::footage::{Stream, TICKS, entry, pixels, program};
use sinetti::base::error::Kind;
use sinetti::base::time::Ticks;
use sinetti::decode::Bounds;
use sinetti::decode::transcode::{Sink, transcode};
use sinetti::media::access_unit::SampleEntry;
use sinetti::media::segment::Sample;
use std::time::{Duration, Instant};

/// Small numbers that come one after another by the seed alone (xorshift64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).expect("64 bits") % n.max(1)
    }
}

/// Takes whatever comes.
struct Nothing;

impl Sink for Nothing {
    fn entry(&mut self, _: &SampleEntry) -> sinetti::base::error::Result<()> {
        Ok(())
    }

    fn sample(&mut self, _: Sample) -> sinetti::base::error::Result<()> {
        Ok(())
    }
}

/// Changes access units in one of the ways that have broken decoders before.
fn mutate(samples: &mut Vec<Sample>, numbers: &mut Numbers) {
    for _ in 0..=numbers.below(6) {
        let which = numbers.below(samples.len());
        let data = &mut samples[which].data;
        let at = numbers.below(data.len());
        match numbers.below(8) {
            0 => data[at] ^= 1 << numbers.below(8),
            1 => data[at] = 0xff,
            2 => data.truncate(at),
            3 => {
                let part: Vec<u8> = data[at..].to_vec();
                data.extend_from_slice(&part);
            }
            // The slice header: where types, sizes and references are.
            4 => {
                let at = 4 + numbers.below(12.min(data.len().saturating_sub(4)));
                if let Some(byte) = data.get_mut(at) {
                    *byte = u8::try_from(numbers.below(256)).expect("a byte");
                }
            }
            5 => {
                for byte in data.iter_mut().skip(at).take(40) {
                    *byte = u8::try_from(numbers.below(256)).expect("a byte");
                }
            }
            6 => {
                let other = samples[numbers.below(samples.len())].data.clone();
                samples[which].data = other;
            }
            _ => {
                samples.remove(which);
                if samples.is_empty() {
                    return;
                }
            }
        }
        samples.retain(|s| !s.data.is_empty());
        if samples.is_empty() {
            return;
        }
    }
}

/// One mutant through the program, as a still or as a viewing copy.
fn feed(stream: &Stream, seed: u64) {
    let mut numbers = Numbers(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let n = 5 + numbers.below(40) as i64;
    let mut samples = stream.up_to(n);
    mutate(&mut samples, &mut numbers);
    let mut stream = Stream {
        name: stream.name,
        entry: stream.entry.clone(),
        samples: Vec::new(),
    };
    // Now and then the parameter sets too: behind the head of the decoder's record.
    if numbers.below(3) == 0 {
        let mut bytes = stream.entry.entry.clone();
        let at = 110 + numbers.below(bytes.len() - 110);
        bytes[at] ^= 1 << numbers.below(8);
        if let Ok(entry) = SampleEntry::parse(&bytes) {
            stream.entry = entry;
        }
    }
    let began = Instant::now();
    let kind = if numbers.below(4) == 0 {
        let done = transcode(
            &program(),
            &stream.entry,
            samples.into_iter().map(Ok),
            &mut Nothing,
        );
        done.err().map(|e| e.kind())
    } else {
        match stream.still(&program(), samples, n) {
            Ok(still) => {
                pixels(&still.png);
                None
            }
            Err(e) => Some(e.kind()),
        }
    };
    let known = [
        None,
        Some(Kind::Corrupt),
        Some(Kind::Full),
        Some(Kind::Unavailable),
    ];
    assert!(known.contains(&kind), "seed {seed}: {kind:?}");
    assert!(
        began.elapsed() < Bounds::STILL.time,
        "seed {seed}: {:?}",
        began.elapsed()
    );
}

/// `scripts/soak codec` says for how long, and where to begin.
#[test]
fn garbage_ends_in_a_picture_or_in_words_and_the_next_still_is_right() {
    let number = |name: &str| {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse::<u64>().ok())
    };
    let seconds = number("SINETTI_SOAK_SECONDS");
    let first = number("SINETTI_SOAK_SEED").unwrap_or(1);
    let streams = ["till.264", "till-bframes.264", "till-h265.265"].map(Stream::of);
    let whole = streams[0]
        .still(&program(), streams[0].up_to(20), 20)
        .expect("a still");
    let began = Instant::now();
    let mut fed = 0;
    for seed in first.. {
        let enough = match seconds {
            Some(seconds) => began.elapsed() >= Duration::from_secs(seconds),
            None => seed >= first + 30,
        };
        if enough {
            break;
        }
        feed(&streams[usize::try_from(seed % 3).expect("small")], seed);
        fed += 1;
    }
    eprintln!("{fed} mutants in {:?}", began.elapsed());
    let again = streams[0]
        .still(&program(), streams[0].up_to(20), 20)
        .expect("a still");
    assert_eq!(whole, again);
}

/// Bits of a parameter set (ISO/IEC 14496-10, 7.2).
#[derive(Default)]
struct Bits(Vec<bool>);

impl Bits {
    fn put(&mut self, value: u64, bits: u32) {
        (0..bits)
            .rev()
            .for_each(|bit| self.0.push(value >> bit & 1 == 1));
    }

    /// `ue(v)` (9.1).
    fn exp(&mut self, value: u64) {
        let bits = 64 - (value + 1).leading_zeros();
        self.put(0, bits - 1);
        self.put(value + 1, bits);
    }

    fn bytes(mut self) -> Vec<u8> {
        self.0.push(true);
        let byte = |bits: &[bool]| {
            (0..8).fold(0_u8, |byte, i| {
                byte << 1 | u8::from(bits.get(i) == Some(&true))
            })
        };
        self.0.chunks(8).map(byte).collect()
    }
}

/// An entry whose parameter set names pictures of so many macroblocks, and that claims to be of 320 x 180.
fn huge(wide: u64, high: u64, references: u64) -> SampleEntry {
    let mut sps = Bits::default();
    sps.put(0x67, 8);
    // Baseline, level 6.2.
    sps.put(66, 8);
    sps.put(0, 8);
    sps.put(62, 8);
    sps.exp(0);
    // Frame numbers of 4 bits, no picture order counts.
    sps.exp(0);
    sps.exp(2);
    sps.exp(references);
    sps.put(0, 1);
    sps.exp(wide - 1);
    sps.exp(high - 1);
    // Frames only, no cropping, no VUI.
    sps.put(0b1100, 4);
    let (sps, pps) = (sps.bytes(), [0x68, 0xce, 0x38, 0x80]);
    let length = |bytes: &[u8]| u16::try_from(bytes.len()).expect("short").to_be_bytes();
    let record = [
        &[1, sps[1], sps[2], sps[3], 0xff, 0xe1][..],
        &length(&sps),
        &sps,
        &[1],
        &length(&pps),
        &pps,
    ]
    .concat();
    entry(*b"avc1", *b"avcC", &record, (320, 180))
}

#[test]
fn pictures_of_impossible_size_are_refused_and_take_no_memory_of_ours() {
    let real = Stream::of("till.264");
    for (wide, high, references) in [
        (1024, 1024, 1),
        (1025, 16, 1),
        (4096, 4096, 16),
        (512, 272, 16),
    ] {
        let stream = Stream {
            name: real.name,
            entry: huge(wide, high, references),
            samples: Vec::new(),
        };
        let began = Instant::now();
        let program = program().within(Bounds {
            silence: Duration::from_secs(4),
            ..Bounds::STILL
        });
        match stream.still(&program, real.up_to(20), 20) {
            // What is within the bounds may be decoded, as far as the slices make sense.
            Ok(still) => assert!(
                wide <= 512 && (still.width, still.height) == (8192, 4352),
                "{still:?}"
            ),
            Err(e) => assert!(
                matches!(e.kind(), Kind::Corrupt | Kind::Full | Kind::Unavailable),
                "{e}"
            ),
        }
        assert!(began.elapsed() < Bounds::STILL.time);
    }
    let too_large = |bytes: usize| {
        let mut sample = real.up_to(0).remove(0);
        sample.data = vec![0; bytes];
        sample.pts = Ticks(TICKS);
        sample
    };
    // More than a still may need.
    let program = program().within(Bounds {
        bytes_in: 32 << 20,
        ..Bounds::STILL
    });
    let many = (0..3).map(|_| too_large(15 << 20)).collect();
    let e = real.still(&program, many, 1).expect_err("too much");
    assert_eq!(e.kind(), Kind::Full, "{e}");
}
