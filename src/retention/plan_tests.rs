//! The plan over generated histories.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use crate::base::id::{SegmentId, VolumeId};
use crate::base::time::Wall;
use crate::catalog::Rule;
use crate::retention::plan::{Plan, Policy, Segment, plan};

const SECOND: i64 = 1_000_000;
const NOW: Wall = Wall::from_secs(1_795_446_000);

fn volume(n: u8) -> VolumeId {
    VolumeId::from_bytes([n; 16])
}

/// Streams of segments one after the other, with gaps, steps of the clock in both directions, on several volumes.
fn history() -> impl Strategy<Value = (Vec<Policy>, Vec<Segment>)> {
    let segment = (
        1_i64..120,
        -7200_i64..7200,
        prop::bool::weighted(0.1),
        0_u8..3,
        1_u64..50_000_000,
    );
    let stream = (
        prop::option::weighted(0.9, 3600_u32..86_400),
        0_i64..200_000,
        prop::collection::vec(segment, 0..60),
    );
    prop::collection::vec(stream, 1..5).prop_map(|streams| {
        let (mut policies, mut segments) = (Vec::new(), Vec::new());
        for (number, (keep_s, age_s, pieces)) in streams.into_iter().enumerate() {
            policies.push(Policy { keep_s });
            let mut at = NOW.plus_us(-age_s * SECOND);
            for (secs, step_s, steps, on, bytes) in pieces {
                if steps {
                    at = at.plus_us(step_s * SECOND);
                }
                at = at.plus_us(secs * SECOND);
                segments.push(Segment {
                    id: SegmentId::random(),
                    stream: number,
                    volume: volume(on),
                    end: at,
                    bytes,
                });
            }
        }
        (policies, segments)
    })
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
    fn what_goes_is_expired_or_the_oldest_of_a_full_volume(
        (policies, segments) in history(),
        pressure in wanted(),
    ) {
        let plan = plan(NOW, &policies, &segments, &pressure);
        let rules: BTreeMap<_, _> = plan.iter().map(|d| (d.segment, d.rule)).collect();
        prop_assert_eq!(rules.len(), plan.len(), "nothing goes twice");
        for segment in &segments {
            let age_us = NOW.us_since(segment.end);
            let is_old = policies[segment.stream].keep_s.is_some_and(|s| age_us > i64::from(s) * SECOND);
            let rule = rules.get(&segment.id).copied();
            prop_assert_eq!(rule == Some(Rule::Expired), is_old, "expired, neither more nor less");
        }
        for (on, missing) in &pressure {
            let kept = segments.iter().filter(|s| s.volume == *on && !rules.contains_key(&s.id));
            let oldest_kept = kept.clone().map(|s| s.end).min();
            let early: Vec<_> = segments
                .iter()
                .filter(|s| s.volume == *on && rules.get(&s.id) == Some(&Rule::Early))
                .collect();
            prop_assert!(early.iter().all(|s| oldest_kept.is_none_or(|kept| s.end <= kept)), "oldest first");
            let got = freed(&plan, &segments, *on);
            prop_assert!(got >= *missing || oldest_kept.is_none(), "there is room, or nothing left");
            let last = early.iter().max_by_key(|s| (s.end, s.id)).map_or(0, |s| s.bytes);
            prop_assert!(early.is_empty() || got - last < *missing, "and no more than that goes");
        }
        let early_elsewhere = segments.iter().any(|s| {
            rules.get(&s.id) == Some(&Rule::Early) && !pressure.contains_key(&s.volume)
        });
        prop_assert!(!early_elsewhere);
    }

    #[test]
    fn order_does_not_matter_and_a_second_plan_is_empty(
        (policies, mut segments) in history(),
        pressure in wanted(),
        turn in any::<prop::sample::Index>(),
    ) {
        let first = plan(NOW, &policies, &segments, &pressure);
        if !segments.is_empty() {
            let by = turn.index(segments.len());
            segments.rotate_left(by);
        }
        segments.reverse();
        prop_assert_eq!(&plan(NOW, &policies, &segments, &pressure), &first);
        let left = pressure.iter().map(|(on, missing)| (*on, missing.saturating_sub(freed(&first, &segments, *on))));
        let pressure: BTreeMap<_, _> = left.collect();
        let doomed: BTreeSet<_> = first.iter().map(|doomed| doomed.segment).collect();
        segments.retain(|s| !doomed.contains(&s.id));
        prop_assert_eq!(plan(NOW, &policies, &segments, &pressure), Plan::new());
    }
}

#[test]
fn what_is_exactly_as_old_as_kept_stays() {
    let policy = Policy { keep_s: Some(3600) };
    let end = |us: i64| NOW.plus_us(-3600 * SECOND - us);
    assert!(!policy.expires(NOW, end(0)));
    assert!(!policy.expires(NOW, end(-1)));
    assert!(policy.expires(NOW, end(1)));
    assert!(
        !policy.expires(NOW, Wall(i64::MAX)),
        "stamped with the future"
    );
    assert!(policy.expires(NOW, Wall(i64::MIN)));
    assert!(
        !Policy { keep_s: None }.expires(NOW, Wall(i64::MIN)),
        "never configured"
    );
}
