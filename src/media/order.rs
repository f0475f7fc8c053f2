//! Decode times and durations for access units that come with presentation times only.
//!
//! Units arrive in decoding order. The decode time of the i-th is the i-th smallest presentation time, so a
//! stream without B-frames has both equal, and one with B-frames has composition offsets of either
//! sign (`trun` version 1). To know the i-th smallest one must look ahead as far as the stream reorders.
//! That depth is learnt from the first units of a run, which are held, and grows when a
//! unit comes later than any before.
//!
//! What does not belong here: wall time. Whether the camera's clock can be believed against the
//! host's is asked where both are known.

use std::collections::VecDeque;

use crate::base::time::Ticks;
use crate::media::access_unit::AccessUnit;

/// Units held at most to learn the depth of reordering.
pub const LEARN_UNITS: usize = 32;
/// Media time after which learning ends too, when there are [`LEARN_UNITS_MIN`]: a slow stream is not held
/// for half a minute.
pub const LEARN_TICKS: Ticks = Ticks::from_secs(2);
/// See [`LEARN_TICKS`].
pub const LEARN_UNITS_MIN: usize = 4;
/// Bytes held at most, unless a single unit has more.
pub const HELD_BYTES_MAX: usize = 8 << 20;
/// The deepest reordering that either codec has (`max_num_reorder_frames`, ISO/IEC 14496-10, E.2.1;
/// `sps_max_num_reorder_pics`, ISO/IEC 23008-2, 7.4.3.2).
pub const DEPTH_MAX: usize = 16;
/// A presentation time further than this behind the latest is a clock that went back, not reordering.
pub const REORDER_TICKS_MAX: Ticks = Ticks::from_secs(5);
/// A presentation time further than this before the latest is a clock that jumped.
pub const FORWARD_TICKS_MAX: Ticks = Ticks::from_secs(30);
/// Duration of a run's only unit: 1/15 s.
pub const DURATION_DEFAULT: Ticks = Ticks(6000);

/// Times beyond this (over 300 years) are impossible, and sums of those within cannot overflow.
const TICKS_BOUND: i64 = 1 << 50;

/// An access unit with its place in time.
#[derive(Debug)]
pub struct Ordered {
    /// The unit; its `pts` is the camera's own unless it had to be repaired.
    pub unit: AccessUnit,
    /// Decode time; each is larger than the one before it.
    pub dts: Ticks,
    /// Time to the next unit's `dts`.
    pub duration: Ticks,
}

/// Puts the units of one run in time.
#[derive(Debug)]
pub struct Sequencer {
    /// In decoding order.
    held: VecDeque<AccessUnit>,
    held_bytes: usize,
    /// Decode time of the first held unit, once another one was emitted with a duration up to it.
    front_dts: Option<i64>,
    /// Presentation times that are no unit's decode time yet, in ascending order: as many as there are
    /// held units without a decode time.
    pending: Vec<i64>,
    /// The latest presentation times in decoding order, so that depth is measured and doubles are seen.
    recent: VecDeque<i64>,
    highest: Option<i64>,
    depth: usize,
    is_learning: bool,
    last_duration: Ticks,
    late: u32,
    discontinuities: u32,
    repaired_in_a_row: u32,
}

impl Default for Sequencer {
    fn default() -> Self {
        Self {
            held: VecDeque::new(),
            held_bytes: 0,
            front_dts: None,
            pending: Vec::new(),
            recent: VecDeque::new(),
            highest: None,
            depth: 0,
            is_learning: true,
            last_duration: DURATION_DEFAULT,
            late: 0,
            discontinuities: 0,
            repaired_in_a_row: 0,
        }
    }
}

impl Sequencer {
    /// For a run that begins.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next unit in decoding order and returns those that are now known in time, in the same
    /// order. Once the depth is learnt, a stream without B-frames is exactly one unit behind.
    pub fn push(&mut self, mut unit: AccessUnit) -> Vec<Ordered> {
        let pts = self.admit(unit.pts.0, unit.is_key);
        unit.pts = Ticks(pts);
        let deeper = self.recent.iter().filter(|p| **p > pts).count();
        self.depth = self.depth.max(deeper.min(DEPTH_MAX));
        if self.front_dts.is_some_and(|dts| pts <= dts) {
            self.late = self.late.saturating_add(1);
        }
        if self.recent.len() == LEARN_UNITS {
            self.recent.pop_front();
        }
        self.recent.push_back(pts);
        self.highest = self.highest.max(Some(pts));
        let at = self.pending.partition_point(|p| *p < pts);
        self.pending.insert(at, pts);
        self.held_bytes += unit.data.len();
        self.held.push_back(unit);
        self.is_learning &= !self.has_learnt();
        let mut out = Vec::new();
        while self.may_emit() {
            out.extend(self.emit());
        }
        out
    }

    /// Emits all that is held, at the end of the run; the last unit gets the duration of the one before
    /// it, or [`DURATION_DEFAULT`]. Afterwards another run may begin; the counters go on.
    pub fn flush(&mut self) -> Vec<Ordered> {
        let mut out = Vec::with_capacity(self.held.len());
        while !self.held.is_empty() {
            out.extend(self.emit());
        }
        *self = Self {
            late: self.late,
            discontinuities: self.discontinuities,
            ..Self::default()
        };
        out
    }

    /// Bytes of the units that are held.
    pub fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    /// Units that came after a decode time above their presentation time was given away: they are shown at
    /// the right time, but a player may stumble.
    pub fn late(&self) -> u32 {
        self.late
    }

    /// Presentation times that stood still, went back or jumped, and were repaired.
    pub fn discontinuities(&self) -> u32 {
        self.discontinuities
    }

    /// How many of the latest units had to be repaired one after the other: above a few, the camera's
    /// clock has stepped for good, and the caller should begin a new run.
    pub fn repaired_in_a_row(&self) -> u32 {
        self.repaired_in_a_row
    }

    /// The presentation time under which a unit is taken: its own, if it can be.
    fn admit(&mut self, pts: i64, is_key: bool) -> i64 {
        let plausible = (-TICKS_BOUND..=TICKS_BOUND).contains(&pts)
            && match self.highest {
                None => true,
                Some(highest) if pts > highest => pts - highest <= FORWARD_TICKS_MAX.0,
                // No picture before a random access point in decoding order follows it in time.
                Some(highest) => {
                    !is_key
                        && highest - pts <= REORDER_TICKS_MAX.0
                        && self.recent.iter().filter(|p| **p > pts).count() <= DEPTH_MAX
                }
            };
        let mut admitted = match self.highest {
            _ if plausible => pts,
            None => 0,
            // Half a step, so that the next unit with a good time still lies behind it.
            Some(highest) => highest + (self.last_duration.0 / 2).max(1),
        };
        while self.recent.contains(&admitted) {
            admitted += 1;
        }
        if admitted == pts {
            self.repaired_in_a_row = 0;
        } else {
            self.discontinuities = self.discontinuities.saturating_add(1);
            self.repaired_in_a_row = self.repaired_in_a_row.saturating_add(1);
        }
        admitted
    }

    fn has_learnt(&self) -> bool {
        let span = match (self.pending.first(), self.pending.last()) {
            (Some(first), Some(last)) => Ticks(last - first),
            _ => Ticks(0),
        };
        self.held.len() >= LEARN_UNITS
            || self.held_bytes >= HELD_BYTES_MAX
            || (self.held.len() >= LEARN_UNITS_MIN && span >= LEARN_TICKS)
    }

    /// With n units seen and a depth of d, the n - d smallest times are final; a unit needs its own and
    /// the next one.
    fn may_emit(&self) -> bool {
        let enough = self.held.len() > self.depth + 1;
        let too_much = self.held_bytes > HELD_BYTES_MAX && self.held.len() > 1;
        !self.is_learning && (enough || too_much)
    }

    fn emit(&mut self) -> Option<Ordered> {
        let unit = self.held.pop_front()?;
        self.held_bytes -= unit.data.len();
        let dts = self.front_dts.take().or_else(|| self.next_pending())?;
        if let Some(next) = self.next_pending() {
            let next = next.max(dts + 1);
            self.front_dts = Some(next);
            self.last_duration = Ticks(next - dts);
        }
        Some(Ordered {
            unit,
            dts: Ticks(dts),
            duration: self.last_duration,
        })
    }

    fn next_pending(&mut self) -> Option<i64> {
        (!self.pending.is_empty()).then(|| self.pending.remove(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::{Mono, Wall};
    use proptest::prelude::*;

    fn unit(pts: i64, is_key: bool, bytes: usize) -> AccessUnit {
        AccessUnit {
            pts: Ticks(pts),
            received_mono: Mono(0),
            received_wall: Wall(0),
            is_key,
            loss: 0,
            data: vec![0; bytes],
        }
    }

    /// Pushes units of these presentation times, the first of them a key frame.
    fn run(sequencer: &mut Sequencer, times: &[i64]) -> Vec<Ordered> {
        let mut out = Vec::new();
        for (i, pts) in times.iter().enumerate() {
            out.extend(sequencer.push(unit(*pts, i == 0, 10)));
        }
        out.extend(sequencer.flush());
        out
    }

    fn dts(ordered: &[Ordered]) -> Vec<i64> {
        ordered.iter().map(|o| o.dts.0).collect()
    }

    fn pts(ordered: &[Ordered]) -> Vec<i64> {
        ordered.iter().map(|o| o.unit.pts.0).collect()
    }

    fn check_durations(ordered: &[Ordered]) {
        for pair in ordered.windows(2) {
            assert!(pair[0].duration.0 > 0);
            assert_eq!(pair[0].dts + pair[0].duration, pair[1].dts);
        }
    }

    #[test]
    fn without_b_frames_one_unit_is_held() {
        let mut sequencer = Sequencer::new();
        let mut out = Vec::new();
        for i in 0..100 {
            let new = sequencer.push(unit(i * 3000, i % 50 == 0, 7));
            assert!(i < 32 || new.len() == 1, "{i}");
            out.extend(new);
            if i >= 32 {
                assert_eq!(sequencer.held_bytes(), 7);
            }
        }
        out.extend(sequencer.flush());
        assert_eq!(dts(&out), (0..100).map(|i| i * 3000).collect::<Vec<_>>());
        assert_eq!(dts(&out), pts(&out));
        check_durations(&out);
        assert_eq!(out[99].duration, Ticks(3000));
        assert_eq!(
            (sequencer.held_bytes(), sequencer.discontinuities()),
            (0, 0)
        );
    }

    #[test]
    fn b_frames_get_sorted_decode_times() {
        let mut sequencer = Sequencer::new();
        let times = [0, 3, 1, 2, 6, 4, 5, 9, 7, 8].map(|i| i * 3000);
        let out = run(&mut sequencer, &times);
        assert_eq!(pts(&out), times);
        assert_eq!(dts(&out), (0..10).map(|i| i * 3000).collect::<Vec<_>>());
        assert_eq!((sequencer.late(), sequencer.discontinuities()), (0, 0));
    }

    #[test]
    fn a_slow_stream_is_not_held_for_long() {
        let mut sequencer = Sequencer::new();
        let out: usize = (0..6)
            .map(|i| sequencer.push(unit(i * 90_000, i == 0, 1)).len())
            .sum();
        assert_eq!(out, 5);
    }

    #[test]
    fn a_late_surprise_keeps_its_time_and_deepens() {
        let mut sequencer = Sequencer::new();
        let mut times: Vec<_> = (0..40).map(|i| i * 3000).collect();
        times.extend([42, 41, 40, 43, 46, 45, 44, 47].map(|i| i * 3000));
        let out = run(&mut sequencer, &times);
        assert_eq!(pts(&out), times);
        check_durations(&out);
        assert_eq!(sequencer.discontinuities(), 0);
        assert!(sequencer.late() > 0);
        // Two units deep from then on: the last group is as it should be.
        assert_eq!(&dts(&out)[44..], [44, 45, 46, 47].map(|i| i * 3000));
    }

    #[test]
    fn odd_times_are_repaired_and_good_ones_kept() {
        let mut sequencer = Sequencer::new();
        let mut times: Vec<_> = (0..60).map(|i| i * 3000).collect();
        (times[40], times[45], times[50]) = (times[39], -900_000, i64::MAX);
        let out = run(&mut sequencer, &times);
        check_durations(&out);
        assert_eq!(sequencer.discontinuities(), 3);
        for (i, ordered) in (0..).zip(&out) {
            let repaired = [40, 45, 50].contains(&i);
            assert_eq!(ordered.unit.pts.0 == i * 3000, !repaired, "{i}");
            assert!((ordered.unit.pts.0 - i * 3000).abs() < 3000, "{i}");
        }
    }

    #[test]
    fn a_clock_that_went_back_for_good_is_told() {
        let mut sequencer = Sequencer::new();
        let times: Vec<_> = (0..80)
            .map(|i| (i + 1000 * i64::from(i < 40)) * 3000)
            .collect();
        for (i, pts) in times.iter().enumerate() {
            sequencer.push(unit(*pts, i % 40 == 0, 1));
        }
        assert_eq!(sequencer.repaired_in_a_row(), 40);
    }

    #[test]
    fn bytes_held_are_bounded() {
        let mut sequencer = Sequencer::new();
        for i in 0..50 {
            sequencer.push(unit(i * 3000, i == 0, 3 << 20));
            assert!(sequencer.held_bytes() <= HELD_BYTES_MAX + (3 << 20));
        }
    }

    /// Groups of pictures as encoders make them: a reference first, then the pictures before it in
    /// whatever order the encoder likes; times jitter a little.
    fn gops() -> impl Strategy<Value = Vec<i64>> {
        let group = |depth: usize| {
            Just((1..=depth).collect::<Vec<_>>())
                .prop_shuffle()
                .prop_flat_map(move |order| {
                    (
                        Just(order),
                        proptest::collection::vec(1i64..9000, depth + 1),
                    )
                })
        };
        (0usize..6).prop_flat_map(move |depth| {
            let groups = proptest::collection::vec(group(depth), 1..40);
            groups.prop_map(move |groups| {
                let (mut times, mut start) = (vec![0], 0);
                for (order, steps) in groups {
                    let slots: Vec<_> = steps
                        .iter()
                        .scan(start, |t, step| {
                            *t += step;
                            Some(*t)
                        })
                        .collect();
                    start = slots[depth];
                    times.push(start);
                    times.extend(order.iter().map(|i| slots[i - 1]));
                }
                times
            })
        })
    }

    proptest! {
        #[test]
        fn good_streams_are_sorted_and_kept(times in gops()) {
            let mut sequencer = Sequencer::new();
            let out = run(&mut sequencer, &times);
            check_durations(&out);
            prop_assert_eq!(sequencer.discontinuities(), 0);
            prop_assert_eq!(pts(&out), times.clone());
            let mut sorted = times;
            sorted.sort_unstable();
            if sequencer.late() == 0 {
                prop_assert_eq!(dts(&out), sorted);
            } else {
                // A depth that was not seen while learning: only then may a decode time be off.
                let longest = sorted.windows(2).map(|w| w[1] - w[0]).max().unwrap_or(0);
                for (got, want) in dts(&out).iter().zip(&sorted) {
                    prop_assert!((got - want).abs() <= longest * 8);
                }
            }
        }

        #[test]
        fn any_times_come_out_strictly_increasing(
            times in proptest::collection::vec((any::<i64>(), -99_999i64..999_999, any::<bool>(), any::<bool>()), 0..120),
        ) {
            let mut sequencer = Sequencer::new();
            let mut out = Vec::new();
            for (wild, tame, is_wild, is_key) in &times {
                out.extend(sequencer.push(unit(if *is_wild { *wild } else { *tame }, *is_key, 3)));
                prop_assert_eq!(sequencer.held_bytes(), 3 * sequencer.held.len());
            }
            out.extend(sequencer.flush());
            prop_assert_eq!(out.len(), times.len());
            check_durations(&out);
        }
    }
}
