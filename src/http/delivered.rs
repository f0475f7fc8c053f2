//! What was really delivered of recorded or live pictures: intervals, merged, for the ledger.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::base::id::StreamId;
use crate::base::time::Span;

/// Pieces that are apart by no more than this, in microseconds, count as one: times of two segments meet to within the slew of the
/// clock.
const SEAM_US_MAX: i64 = 100_000;
/// Most intervals of all streams before they are to be written down.
const INTERVALS_MAX: usize = 1000;

/// Intervals of each stream, disjoint and in order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Delivered(BTreeMap<StreamId, Vec<Span>>);

impl Delivered {
    /// Adds what went out.
    pub fn add(&mut self, stream: &StreamId, span: Span) {
        if !self.0.contains_key(stream) {
            self.0.insert(stream.clone(), Vec::new());
        }
        let Some(spans) = self.0.get_mut(stream) else {
            return;
        };
        let wide = Span {
            start: span.start.plus_us(-SEAM_US_MAX),
            end: span.end.plus_us(SEAM_US_MAX),
        };
        let first = spans.partition_point(|s| s.end < wide.start);
        let after = spans.partition_point(|s| s.start <= wide.end);
        let merged = spans[first..after].iter().fold(span, |sum, s| Span {
            start: sum.start.min(s.start),
            end: sum.end.max(s.end),
        });
        spans.splice(first..after, [merged]);
    }

    /// True when nothing went out.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// True when there are so many intervals that they should be written down, and counted anew.
    pub fn is_full(&self) -> bool {
        self.0.values().map(Vec::len).sum::<usize>() >= INTERVALS_MAX
    }

    /// For an event's facts.
    pub fn facts(&self) -> Value {
        let of_stream = |(stream, spans): (&StreamId, &Vec<Span>)| json!({ "camera": stream.camera, "stream": stream.kind, "intervals": spans });
        self.0.iter().map(of_stream).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::Wall;
    use proptest::prelude::*;

    fn stream() -> StreamId {
        "kassa-1/main".parse().expect("a stream")
    }

    proptest! {
        #[test]
        fn any_order_gives_the_same_disjoint_intervals(
            parts in proptest::collection::vec((0i64..400, 1i64..30), 1..40), turn in 0usize..40,
        ) {
            // In steps of 70 ms: neighbours by one step merge, by two do not.
            let step = |n: i64| Wall(n * 70_000);
            let spans: Vec<_> = parts.iter().map(|(at, len)| Span { start: step(*at), end: step(at + len) }).collect();
            let mut rotated = spans.clone();
            rotated.rotate_left(turn % spans.len());
            let sum = |spans: &[Span]| {
                let mut sum = Delivered::default();
                spans.iter().for_each(|span| sum.add(&stream(), *span));
                sum
            };
            let found = sum(&spans);
            prop_assert_eq!(&found, &sum(&rotated));
            let list = &found.0[&stream()];
            prop_assert!(list.windows(2).all(|w| w[0].end.plus_us(SEAM_US_MAX) < w[1].start));
            prop_assert!(spans.iter().all(|s| list.iter().any(|l| l.start <= s.start && s.end <= l.end)));
        }
    }
}
