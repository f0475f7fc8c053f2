//! One byte of activity a second, without decoding: how many bytes the camera needed for what changed,
//! against what this stream usually needs.
//!
//! Scale: 64 is the stream's own slow median; each doubling adds 32, each halving takes 32 away, within 0
//! to 255. So 0 is a quarter of the median or less (or nothing at all), 96 twice, 128 four times, 255 over
//! 62 times. Key frames do not count, since they cost the same whether something moves or not.
//!
//! The same calls give the same bytes on every machine: there is no floating point in it.

use std::collections::VecDeque;

/// Seconds over which the median is taken: about ten minutes of recording.
pub const MEDIAN_SECONDS: usize = 600;
/// The level of a second that is as the median.
pub const LEVEL_MEDIAN: u8 = 64;

/// Levels a doubling: 2 to the power of this.
const DOUBLING_BITS: u32 = 5;

/// A completed second and its level.
pub type Level = (i64, u8);

/// Measures one stream. It goes on over runs and segments, or the median would begin anew with each.
#[derive(Clone, Debug, Default)]
pub struct Activity {
    current: Option<(i64, u64)>,
    /// Bytes of the last seconds, oldest first.
    recent: VecDeque<u64>,
    scratch: Vec<u64>,
}

impl Activity {
    /// For a stream of which nothing is known yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an access unit of `bytes` bytes that was taken in `second` (since 1970). When it begins another
    /// second, the one before is complete and returned. A second that the clock repeats is returned
    /// twice; seconds without any access unit are not returned.
    pub fn add(&mut self, second: i64, bytes: usize, is_key: bool) -> Option<Level> {
        let bytes = if is_key { 0 } else { bytes as u64 };
        match &mut self.current {
            Some((current, sum)) if *current == second => {
                *sum = sum.saturating_add(bytes);
                None
            }
            _ => {
                let done = self.finish();
                self.current = Some((second, bytes));
                done
            }
        }
    }

    /// Completes the second that is under way: at the end of a run.
    pub fn finish(&mut self) -> Option<Level> {
        let (second, bytes) = self.current.take()?;
        if self.recent.len() == MEDIAN_SECONDS {
            self.recent.pop_front();
        }
        self.recent.push_back(bytes);
        self.scratch.clear();
        self.scratch.extend(&self.recent);
        let middle = self.scratch.len() / 2;
        let (_, median, _) = self.scratch.select_nth_unstable(middle);
        Some((second, level(bytes, *median)))
    }
}

fn level(bytes: u64, median: u64) -> u8 {
    match (bytes, median) {
        // A stream of key frames only: there is nothing to measure.
        (0, 0) => LEVEL_MEDIAN,
        (_, 0) => u8::MAX,
        (0, _) => 0,
        _ => {
            let level = i64::from(LEVEL_MEDIAN) + log2(bytes) - log2(median);
            u8::try_from(level.clamp(0, 255)).unwrap_or(u8::MAX)
        }
    }
}

/// The logarithm of `x` (at least 1) to base 2, times 32, rounded down.
fn log2(x: u64) -> i64 {
    let whole = x.ilog2();
    // The mantissa in [1, 2), times 2³¹; squaring it gives one binary digit of the logarithm after the other.
    let mut mantissa = (x << (63 - whole)) >> 32;
    let mut log = i64::from(whole);
    for _ in 0..DOUBLING_BITS {
        mantissa = (mantissa * mantissa) >> 31;
        let digit = mantissa >> 32;
        mantissa >>= digit;
        log = log * 2 + i64::from(digit == 1);
    }
    log
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Levels after ten minutes of 1000 bytes a second.
    fn after_quiet(bytes: usize) -> u8 {
        let mut activity = Activity::new();
        for second in 0..600 {
            activity.add(second, 400, false);
            activity.add(second, 50_000, true);
            activity.add(second, 600, false);
        }
        activity.add(600, bytes, false);
        let (second, level) = activity.finish().expect("a second under way");
        assert_eq!(second, 600);
        level
    }

    #[test]
    fn the_scale_is_as_documented() {
        for (bytes, level) in [
            (0, 0),
            (250, 0),
            (500, 32),
            (1000, 64),
            (2000, 96),
            (4000, 128),
            (32_000, 224),
            (63_000, 255),
            (usize::MAX, 255),
        ] {
            assert_eq!(after_quiet(bytes), level, "{bytes}");
        }
    }

    #[test]
    fn a_second_is_complete_when_the_next_begins() {
        let mut activity = Activity::new();
        assert_eq!(activity.add(7, 10, false), None);
        assert_eq!(activity.add(7, 10, false), None);
        assert_eq!(activity.add(9, 10, false), Some((7, 64)));
        // The clock stepped back.
        assert!(matches!(activity.add(8, 10, true), Some((9, _))));
        assert!(matches!(activity.finish(), Some((8, 0))));
        assert_eq!(activity.finish(), None);
    }

    #[test]
    fn key_frames_alone_are_no_activity() {
        let mut activity = Activity::new();
        for second in 0..9 {
            assert!(
                activity
                    .add(second, 99, true)
                    .is_none_or(|(_, level)| level == 64)
            );
        }
    }

    #[test]
    fn memory_is_bounded_and_the_median_forgets() {
        let mut activity = Activity::new();
        for second in 0..5000 {
            activity.add(second, if second < 3000 { 100 } else { 800 }, false);
        }
        assert_eq!(activity.recent.len(), MEDIAN_SECONDS);
        assert_eq!(activity.finish(), Some((4999, 64)));
    }

    proptest! {
        #[test]
        fn more_bytes_are_never_less_activity(a: u64, b: u64, median: u64) {
            prop_assert!(level(a.min(b), median) <= level(a.max(b), median));
        }

        #[test]
        fn the_logarithm_is_right(x in 1u64..1 << 50) {
            #[expect(clippy::cast_precision_loss, reason = "compared with a tolerance of one step")]
            let want = (x as f64).log2() * 32.0;
            #[expect(clippy::cast_precision_loss, reason = "small")]
            let got = log2(x) as f64;
            prop_assert!((want - got).abs() < 1.01, "{want} {got}");
        }
    }
}
