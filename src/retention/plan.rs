//! What is to be deleted: a pure function of the time, the policies, the segments, what is held and the room that is wanted.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use crate::base::id::{SegmentId, VolumeId};
use crate::base::time::Wall;
use crate::catalog::{Rule, StreamRow};
use crate::retention::held::Held;

/// How long a stream is kept and promised.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Policy {
    /// Seconds at most; `None`: it was never configured, nothing expires.
    pub keep_s: Option<u32>,
    /// Seconds for which it is promised; 0: nothing is.
    pub guarantee_s: u32,
    /// What ended before this was expired once, when it was kept for a shorter time.
    pub floor: Option<Wall>,
}

impl Policy {
    /// That of a stream.
    pub fn of(row: &StreamRow) -> Self {
        Self {
            keep_s: row.keep_s,
            guarantee_s: row.guarantee_s,
            floor: row.floor,
        }
    }

    /// A segment expires when its end is older than that: what is exactly as old is kept.
    pub fn expires(&self, now: Wall, end: Wall) -> bool {
        let is_old = self
            .keep_s
            .is_some_and(|secs| now.us().saturating_sub(end.us()) > i64::from(secs) * 1_000_000);
        is_old || self.floor.is_some_and(|floor| end < floor)
    }

    /// When a segment is not promised any more: of two, the one whose promise ends first is further above it.
    pub fn promised_until(&self, end: Wall) -> Wall {
        end.plus_us(i64::from(self.guarantee_s) * 1_000_000)
    }
}

/// A segment, as far as the plan needs to know it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Segment {
    /// Which.
    pub id: SegmentId,
    /// Place of its stream among the policies.
    pub stream: usize,
    /// Where it lies.
    pub volume: VolumeId,
    /// Wall time of its start.
    pub start: Wall,
    /// Wall time of its end.
    pub end: Wall,
    /// Size of its file.
    pub bytes: u64,
}

/// One segment to be deleted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Doomed {
    /// Which.
    pub segment: SegmentId,
    /// Why.
    pub rule: Rule,
}

/// What is to be deleted, oldest end first.
pub type Plan = Vec<Doomed>;

/// End of the promise, end, segment, bytes: in this order the one that is furthest above its promise comes first.
type ByPromise = (Wall, Wall, SegmentId, u64);

/// Decides. `policies` and `held` are of the streams by their place. `pressure` says of a volume how many bytes it lacks: what
/// expires there counts, then goes early what is furthest above its promise, across streams; what is held never goes. Neither
/// the order of `segments` nor anything else but the arguments matters.
pub fn plan(
    now: Wall,
    policies: &[Policy],
    held: &[Held],
    segments: &[Segment],
    pressure: &BTreeMap<VolumeId, u64>,
) -> Plan {
    let mut doomed: Vec<(Wall, Doomed)> = Vec::new();
    let mut wanted = pressure.clone();
    let mut younger: BTreeMap<VolumeId, Vec<Reverse<ByPromise>>> = BTreeMap::new();
    for segment in segments {
        let is_held = held
            .get(segment.stream)
            .is_some_and(|held| held.keeps(segment.start, segment.end));
        let Some(policy) = policies.get(segment.stream).filter(|_| !is_held) else {
            continue;
        };
        let missing = wanted.get_mut(&segment.volume);
        let (id, end) = (segment.id, segment.end);
        if policy.expires(now, end) {
            let rule = Rule::Expired;
            doomed.push((end, Doomed { segment: id, rule }));
            if let Some(missing) = missing {
                *missing = missing.saturating_sub(segment.bytes);
            }
        } else if missing.is_some() {
            let by_promise = (policy.promised_until(end), end, id, segment.bytes);
            let of_volume = younger.entry(segment.volume).or_default();
            of_volume.push(Reverse(by_promise));
        }
    }
    for (volume, first_goes) in younger {
        let mut missing = wanted.get(&volume).copied().unwrap_or_default();
        let mut first_goes = BinaryHeap::from(first_goes);
        while missing > 0
            && let Some(Reverse((_, end, segment, bytes))) = first_goes.pop()
        {
            let rule = Rule::Early;
            doomed.push((end, Doomed { segment, rule }));
            missing = missing.saturating_sub(bytes);
        }
    }
    doomed.sort_unstable_by_key(|(end, doomed)| (*end, doomed.segment));
    doomed.into_iter().map(|(_, doomed)| doomed).collect()
}
