//! Random numbers for session identifiers and faults.
//!
//! What belongs here: a small seeded generator, so that a fault can be repeated exactly. Nothing
//! here is secret.

use std::hash::{BuildHasher, RandomState};

/// SplitMix64 (Steele, Lea, Flood 2014).
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// A generator that gives the same numbers for the same seed.
    pub(crate) fn seeded(seed: u64) -> Random {
        Random(seed)
    }

    /// A generator that differs every time; the standard library's hash keys are the source.
    pub(crate) fn unseeded() -> Random {
        Random(RandomState::new().hash_one(0))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn next32(&mut self) -> u32 {
        (self.next() >> 32) as u32
    }

    pub(crate) fn next16(&mut self) -> u16 {
        (self.next() >> 48) as u16
    }

    /// Whether an event of the given probability happens.
    pub(crate) fn happens(&mut self, probability: f64) -> bool {
        f64::from(self.next32()) < probability * 4_294_967_296.0
    }

    pub(crate) fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| (self.next() & 0xff) as u8).collect()
    }
}
