//! The plan over generated histories.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use crate::base::id::{SegmentId, VolumeId};
use crate::base::time::{Span, Wall};
use crate::catalog::Rule;
use crate::retention::held::Held;
use crate::retention::plan::{Plan, Policy, Segment, plan};

const SECOND: i64 = 1_000_000;
const NOW: Wall = Wall::from_secs(1_795_446_000);

fn volume(n: u8) -> VolumeId {
    VolumeId::from_bytes([n; 16])
}

/// What is planned over: policies, what is held of each stream, segments.
#[derive(Clone, Debug)]
struct History {
    policies: Vec<Policy>,
    held: Vec<Held>,
    segments: Vec<Segment>,
}

fn policy() -> impl Strategy<Value = Policy> {
    let floor = prop::option::weighted(0.3, 0_i64..200_000);
    let keep_s = prop::option::weighted(0.9, 3600_u32..86_400);
    (keep_s, 0_u32..86_400, floor).prop_map(|(keep_s, guarantee_s, floor)| Policy {
        keep_s,
        guarantee_s: guarantee_s.min(keep_s.unwrap_or(0)),
        floor: floor.map(|age_s| NOW.plus_us(-age_s * SECOND)),
    })
}

/// Holds of a stream, of the past and the future; some overlap, some touch, some have no length.
fn held() -> impl Strategy<Value = Held> {
    let span = (-10_000_i64..200_000, 0_i64..20_000).prop_map(|(age_s, secs)| {
        let start = NOW.plus_us(-age_s * SECOND);
        let end = start.plus_us(secs * SECOND);
        Span { start, end }
    });
    prop::collection::vec(span, 0..6).prop_map(|spans| spans.into_iter().collect())
}

/// Streams of segments one after the other, with gaps, steps of the clock in both directions, on several volumes, some of no
/// length.
fn history() -> impl Strategy<Value = History> {
    let segment = (
        0_i64..120,
        -7200_i64..7200,
        prop::bool::weighted(0.1),
        0_u8..3,
        1_u64..50_000_000,
    );
    let pieces = prop::collection::vec(segment, 0..60);
    let stream = (policy(), held(), 0_i64..200_000, pieces);
    prop::collection::vec(stream, 1..5).prop_map(|streams| {
        let mut history = History {
            policies: Vec::new(),
            held: Vec::new(),
            segments: Vec::new(),
        };
        for (number, (policy, held, age_s, pieces)) in streams.into_iter().enumerate() {
            history.policies.push(policy);
            history.held.push(held);
            let mut at = NOW.plus_us(-age_s * SECOND);
            for (secs, step_s, steps, on, bytes) in pieces {
                if steps {
                    at = at.plus_us(step_s * SECOND);
                }
                let start = at;
                at = at.plus_us(secs * SECOND);
                history.segments.push(Segment {
                    id: SegmentId::random(),
                    stream: number,
                    volume: volume(on),
                    start,
                    end: at,
                    bytes,
                });
            }
        }
        history
    })
}

impl History {
    fn plan(&self, pressure: &BTreeMap<VolumeId, u64>) -> Plan {
        plan(NOW, &self.policies, &self.held, &self.segments, pressure)
    }

    fn is_held(&self, segment: &Segment) -> bool {
        self.held[segment.stream].keeps(segment.start, segment.end)
    }

    /// The promise of a segment ends then.
    fn promised(&self, segment: &Segment) -> Wall {
        self.policies[segment.stream].promised_until(segment.end)
    }
}

fn wanted() -> impl Strategy<Value = BTreeMap<VolumeId, u64>> {
    prop::collection::btree_map((0_u8..4).prop_map(volume), 0_u64..1_000_000_000, 0..4)
}

fn freed(plan: &Plan, segments: &[Segment], on: VolumeId) -> u64 {
    let doomed: BTreeSet<_> = plan.iter().map(|doomed| doomed.segment).collect();
    let gone = segments
        .iter()
        .filter(|s| s.volume == on && doomed.contains(&s.id));
    gone.map(|s| s.bytes).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_goes_is_expired_or_furthest_above_its_promise_and_never_held(
        history in history(),
        pressure in wanted(),
    ) {
        let segments = &history.segments;
        let plan = history.plan(&pressure);
        let rules: BTreeMap<_, _> = plan.iter().map(|d| (d.segment, d.rule)).collect();
        prop_assert_eq!(rules.len(), plan.len(), "nothing goes twice");
        for segment in segments {
            let policy = &history.policies[segment.stream];
            let age_us = NOW.us_since(segment.end);
            let is_old = policy.keep_s.is_some_and(|s| age_us > i64::from(s) * SECOND)
                || policy.floor.is_some_and(|floor| segment.end < floor);
            let rule = rules.get(&segment.id).copied();
            let goes = is_old && !history.is_held(segment);
            prop_assert_eq!(rule == Some(Rule::Expired), goes, "expired, neither more nor less");
            prop_assert!(!history.is_held(segment) || rule.is_none(), "what is held stays");
        }
        for (on, missing) in &pressure {
            let kept = segments
                .iter()
                .filter(|s| s.volume == *on && !rules.contains_key(&s.id) && !history.is_held(s));
            let next = kept.map(|s| history.promised(s)).min();
            let early: Vec<_> = segments
                .iter()
                .filter(|s| s.volume == *on && rules.get(&s.id) == Some(&Rule::Early))
                .collect();
            let in_order = early.iter().all(|s| next.is_none_or(|next| history.promised(s) <= next));
            prop_assert!(in_order, "the furthest above its promise first");
            let got = freed(&plan, segments, *on);
            prop_assert!(got >= *missing || next.is_none(), "there is room, or only held footage left");
            let last = early
                .iter()
                .max_by_key(|s| (history.promised(s), s.end, s.id))
                .map_or(0, |s| s.bytes);
            prop_assert!(early.is_empty() || got - last < *missing, "and no more than that goes");
        }
        let early_elsewhere = segments.iter().any(|s| {
            rules.get(&s.id) == Some(&Rule::Early) && !pressure.contains_key(&s.volume)
        });
        prop_assert!(!early_elsewhere);
    }

    #[test]
    fn order_does_not_matter_and_a_second_plan_is_empty(
        mut history in history(),
        pressure in wanted(),
        turn in any::<prop::sample::Index>(),
    ) {
        let first = history.plan(&pressure);
        if !history.segments.is_empty() {
            let by = turn.index(history.segments.len());
            history.segments.rotate_left(by);
        }
        history.segments.reverse();
        prop_assert_eq!(&history.plan(&pressure), &first);
        let left = pressure
            .iter()
            .map(|(on, missing)| (*on, missing.saturating_sub(freed(&first, &history.segments, *on))));
        let pressure: BTreeMap<_, _> = left.collect();
        let doomed: BTreeSet<_> = first.iter().map(|doomed| doomed.segment).collect();
        history.segments.retain(|s| !doomed.contains(&s.id));
        prop_assert_eq!(history.plan(&pressure), Plan::new());
    }

    #[test]
    fn what_is_between_holds_is_what_they_do_not_keep(
        spans in prop::collection::vec((0_i64..60, 0_i64..12), 0..8),
        (start, length) in (0_i64..70, 0_i64..5),
    ) {
        let spans: Vec<_> = spans
            .into_iter()
            .map(|(start, length)| Span { start: Wall(start), end: Wall(start + length) })
            .collect();
        let held: Held = spans.iter().copied().collect();
        let (start, end) = (Wall(start), Wall(start + length));
        let last = end.max(start.plus_us(1));
        let one_by_one = spans.iter().any(|s| s.start < s.end && start < s.end && last > s.start);
        prop_assert_eq!(held.keeps(start, end), one_by_one);
        let free = held.free();
        let within = free.iter().filter(|s| s.start <= start && last <= s.end).count();
        prop_assert_eq!(within, usize::from(!one_by_one), "in exactly one of them");
    }
}

#[test]
fn what_is_exactly_as_old_as_kept_stays() {
    let policy = Policy {
        keep_s: Some(3600),
        ..Policy::default()
    };
    let end = |us: i64| NOW.plus_us(-3600 * SECOND - us);
    assert!(!policy.expires(NOW, end(0)));
    assert!(!policy.expires(NOW, end(-1)));
    assert!(policy.expires(NOW, end(1)));
    assert!(
        !policy.expires(NOW, Wall(i64::MAX)),
        "stamped with the future"
    );
    assert!(policy.expires(NOW, Wall(i64::MIN)));
    let never = Policy::default();
    assert!(!never.expires(NOW, Wall(i64::MIN)), "never configured");
}

#[test]
fn whoever_is_further_above_its_promise_goes_first_whatever_its_age() {
    let segment = |n: u8, stream: usize, age_s: i64| Segment {
        id: SegmentId::from_bytes([n; 16]),
        stream,
        volume: volume(0),
        start: NOW.plus_us(-(age_s + 60) * SECOND),
        end: NOW.plus_us(-age_s * SECOND),
        bytes: 10,
    };
    let promised = |guarantee_s: u32| Policy {
        keep_s: Some(86_400),
        guarantee_s,
        floor: None,
    };
    // The first is promised for ten hours, the second for one.
    let policies = [promised(36_000), promised(3600)];
    let segments = [
        segment(1, 0, 40_000),
        segment(2, 1, 20_000),
        segment(3, 1, 5000),
        segment(4, 0, 30_000),
    ];
    let held = [Held::default(), Held::default()];
    let gone = |bytes: u64| -> Vec<u8> {
        let pressure = BTreeMap::from([(volume(0), bytes)]);
        let plan = plan(NOW, &policies, &held, &segments, &pressure);
        let mut ids: Vec<_> = plan.iter().map(|d| d.segment.bytes()[0]).collect();
        ids.sort_unstable();
        ids
    };
    // Above its promise by 16 400 s, 4000 s, 1400 s, and 6000 s within it.
    assert_eq!(gone(10), [2]);
    assert_eq!(gone(20), [1, 2]);
    assert_eq!(gone(30), [1, 2, 3]);
    assert_eq!(gone(40), [1, 2, 3, 4], "recording comes before the promise");
}
