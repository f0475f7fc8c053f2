//! What is to be deleted: a pure function of the time, the policies, the segments and the room that is wanted.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use crate::base::id::{SegmentId, VolumeId};
use crate::base::time::Wall;
use crate::catalog::Rule;

/// How long a stream is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Policy {
    /// Seconds at most; `None`: it was never configured, nothing expires.
    pub keep_s: Option<u32>,
}

impl Policy {
    /// A segment expires when its end is older than that: what is exactly as old is kept.
    pub fn expires(&self, now: Wall, end: Wall) -> bool {
        self.keep_s
            .is_some_and(|secs| now.us().saturating_sub(end.us()) > i64::from(secs) * 1_000_000)
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

/// End, segment, bytes: in this order the oldest comes first.
type ByAge = (Wall, SegmentId, u64);

/// Decides. `pressure` says of a volume how many bytes it lacks: what expires there counts, then the oldest go early,
/// across streams. Neither the order of `segments` nor anything else but the arguments matters.
pub fn plan(
    now: Wall,
    policies: &[Policy],
    segments: &[Segment],
    pressure: &BTreeMap<VolumeId, u64>,
) -> Plan {
    let mut doomed: Vec<(Wall, Doomed)> = Vec::new();
    let mut wanted = pressure.clone();
    let mut younger: BTreeMap<VolumeId, Vec<Reverse<ByAge>>> = BTreeMap::new();
    for segment in segments {
        let missing = wanted.get_mut(&segment.volume);
        if policies
            .get(segment.stream)
            .is_some_and(|policy| policy.expires(now, segment.end))
        {
            let (segment_id, rule) = (segment.id, Rule::Expired);
            doomed.push((
                segment.end,
                Doomed {
                    segment: segment_id,
                    rule,
                },
            ));
            if let Some(missing) = missing {
                *missing = missing.saturating_sub(segment.bytes);
            }
        } else if missing.is_some() {
            younger.entry(segment.volume).or_default().push(Reverse((
                segment.end,
                segment.id,
                segment.bytes,
            )));
        }
    }
    for (volume, oldest_first) in younger {
        let mut missing = wanted.get(&volume).copied().unwrap_or_default();
        let mut oldest_first = BinaryHeap::from(oldest_first);
        while missing > 0
            && let Some(Reverse((end, segment, bytes))) = oldest_first.pop()
        {
            let rule = Rule::Early;
            doomed.push((end, Doomed { segment, rule }));
            missing = missing.saturating_sub(bytes);
        }
    }
    doomed.sort_unstable_by_key(|(end, doomed)| (*end, doomed.segment));
    doomed.into_iter().map(|(_, doomed)| doomed).collect()
}
