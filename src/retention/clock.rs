//! Whether the time of day can be believed enough to delete by it: a pure decision.

use crate::base::clock::HostSync;
use crate::base::time::Wall;

/// A clock without source that is further ahead of the last mark is not believed.
const AHEAD_US_MAX: i64 = 24 * 3_600_000_000;
/// A camera's clock agrees with the host's when they are apart by no more than this.
const AGREES_MS_MAX: u64 = 5 * 60 * 1000;

/// How far the time of day is believed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// A source keeps it.
    Synchronised,
    /// Nothing keeps it, but it goes on from the last mark, or cameras agree with it: a warning.
    Unsynchronised,
    /// Nothing keeps it, and it is before the last mark.
    Behind {
        /// The last mark.
        mark: Wall,
    },
    /// Nothing keeps it, and it is more than a day after the last mark.
    Ahead {
        /// The last mark.
        mark: Wall,
    },
}

impl Verdict {
    /// True when footage may be deleted by this time.
    pub fn is_believed(self) -> bool {
        matches!(self, Self::Synchronised | Self::Unsynchronised)
    }

    /// Why nothing is deleted, and what to do; `None` when it is believed.
    pub fn doubt(self) -> Option<String> {
        let (how, mark) = match self {
            Self::Synchronised | Self::Unsynchronised => return None,
            Self::Behind { mark } => ("behind", mark),
            Self::Ahead { mark } => ("more than a day ahead of", mark),
        };
        Some(format!(
            "the clock is not synchronised and {how} the last time that was believed, {mark}; give it a time source, \
             or if it is right: sinetti clock confirm"
        ))
    }

    /// The time by which footage counts as expired: now, or the last that was believed.
    pub fn reference(self, now: Wall) -> Wall {
        match self {
            Self::Synchronised | Self::Unsynchronised => now,
            Self::Behind { mark } | Self::Ahead { mark } => mark,
        }
    }
}

/// Judges the time of day `now`. `mark` is the last that was believed; `camera_offsets_ms` are the cameras' clocks
/// minus the host's, of those that tell theirs.
pub fn judge(now: Wall, host: HostSync, mark: Option<Wall>, camera_offsets_ms: &[i64]) -> Verdict {
    if host.synchronised {
        return Verdict::Synchronised;
    }
    let Some(mark) = mark else {
        return Verdict::Unsynchronised;
    };
    let since_us = now.us().saturating_sub(mark.us());
    let agree = camera_offsets_ms
        .iter()
        .filter(|ms| ms.unsigned_abs() <= AGREES_MS_MAX)
        .count();
    if (0..=AHEAD_US_MAX).contains(&since_us) || agree * 2 > camera_offsets_ms.len() {
        Verdict::Unsynchronised
    } else if since_us < 0 {
        Verdict::Behind { mark }
    } else {
        Verdict::Ahead { mark }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARK: Wall = Wall::from_secs(1_795_446_000);
    const HOUR: i64 = 3_600_000_000;

    fn at(us: i64, cameras: &[i64]) -> Verdict {
        judge(MARK.plus_us(us), HostSync::default(), Some(MARK), cameras)
    }

    #[test]
    fn a_clock_without_source_is_believed_only_near_its_mark() {
        for us in [0, 1, 60_000_000, 24 * HOUR] {
            assert_eq!(at(us, &[]), Verdict::Unsynchronised, "{us}");
        }
        assert_eq!(at(-1, &[]), Verdict::Behind { mark: MARK });
        assert_eq!(at(24 * HOUR + 1, &[]), Verdict::Ahead { mark: MARK });
        let year = at(365 * 24 * HOUR, &[]);
        assert_eq!(year, Verdict::Ahead { mark: MARK });
        assert!(!year.is_believed());
        assert!(
            year.doubt()
                .is_some_and(|text| text.contains("sinetti clock confirm"))
        );
        assert_eq!(year.reference(MARK.plus_us(365 * 24 * HOUR)), MARK);
        assert_eq!(at(60, &[]).reference(MARK.plus_us(60)), MARK.plus_us(60));
    }

    #[test]
    fn a_source_or_most_cameras_or_no_mark_make_it_believed() {
        let year = MARK.plus_us(365 * 24 * HOUR);
        let kept = HostSync {
            synchronised: true,
            error_us: 1000,
        };
        assert_eq!(judge(year, kept, Some(MARK), &[]), Verdict::Synchronised);
        assert_eq!(
            judge(year, HostSync::default(), None, &[]),
            Verdict::Unsynchronised
        );
        let (good, bad) = (300_000, -300_001);
        assert!(at(-HOUR, &[good]).is_believed());
        assert!(at(48 * HOUR, &[good, -good, bad]).is_believed());
        assert!(
            !at(48 * HOUR, &[good, bad]).is_believed(),
            "half is no majority"
        );
        assert!(!at(48 * HOUR, &[bad, bad, good]).is_believed());
        assert!(!at(48 * HOUR, &[i64::MIN]).is_believed());
    }
}
