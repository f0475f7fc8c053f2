//! What the ledger says was deleted: after a catalog was lost, nothing else tells time that was deleted from time that was lost.
//!
//! A sweep's entry has of each stream the earliest and the latest instant of what went. What a hold kept at that time lies between
//! them and was not deleted, so it is taken out: what is missing of it stays a finding.

use std::collections::BTreeMap;

use log::warn;

use crate::base::error::Result;
use crate::base::id::StreamId;
use crate::base::time::{Span, Wall};
use crate::catalog::{DeletedSpan, HoldRow, Reader, Rule, SEAM_US_MAX};

/// Deleted time of each stream, by rule and start; spans of one rule neither overlap nor touch.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Deletions {
    of: BTreeMap<StreamId, Vec<DeletedSpan>>,
}

impl Deletions {
    /// What the entries of sweeps in the ledger of `reader` say, given the holds there were. An entry that cannot be understood is
    /// passed over.
    ///
    /// # Errors
    /// What the catalog says.
    pub fn of(reader: &Reader, holds: &[HoldRow]) -> Result<Self> {
        let mut found: BTreeMap<(StreamId, Rule), Vec<Span>> = BTreeMap::new();
        reader.each_sweep(|at, facts| {
            let Some(lines) = lines(facts) else {
                warn!(
                    "the entry of the sweep at {at} cannot be understood; it explains no deletion"
                );
                return;
            };
            for (stream, rule, span) in lines {
                let kept = holds.iter().filter(|hold| {
                    hold.placed <= at && hold.keeps(at) && hold.cameras.contains(&stream.camera)
                });
                let mut parts = vec![span];
                for hold in kept {
                    parts = parts
                        .iter()
                        .flat_map(|part| part.without(hold.span))
                        .collect();
                }
                let of_rule = found.entry((stream, rule)).or_default();
                for part in parts {
                    unite(of_rule, part);
                }
            }
        })?;
        let mut of: BTreeMap<StreamId, Vec<DeletedSpan>> = BTreeMap::new();
        for ((stream, rule), spans) in found {
            let spans = spans.into_iter().map(|span| DeletedSpan { span, rule });
            of.entry(stream).or_default().extend(spans);
        }
        for spans in of.values_mut() {
            spans.sort_by_key(|deleted| (deleted.span.start, deleted.rule));
        }
        Ok(Self { of })
    }

    /// Those of a stream.
    pub fn of_stream(&self, stream: &StreamId) -> &[DeletedSpan] {
        self.of.get(stream).map_or(&[], Vec::as_slice)
    }
}

/// The lines of a sweep's entry, `[stream, from, to, segments, bytes]` by rule.
fn lines(facts: &serde_json::Value) -> Option<Vec<(StreamId, Rule, Span)>> {
    let mut found = Vec::new();
    for (rule, lines) in facts.get("deleted")?.as_object()? {
        let rule: Rule = rule.parse().ok()?;
        for line in lines.as_array()? {
            let stream = line.get(0)?.as_str()?.parse().ok()?;
            let start = Wall(line.get(1)?.as_i64()?);
            let end = Wall(line.get(2)?.as_i64()?);
            found.push((stream, rule, Span { start, end }));
        }
    }
    Some(found)
}

/// Adds a span to sorted ones that neither overlap nor touch; mostly it goes on from the last.
fn unite(spans: &mut Vec<Span>, mut span: Span) {
    let from = spans.partition_point(|known| known.end.plus_us(SEAM_US_MAX) < span.start);
    let to = spans.partition_point(|known| known.start <= span.end.plus_us(SEAM_US_MAX));
    for known in &spans[from..to] {
        span.start = span.start.min(known.start);
        span.end = span.end.max(known.end);
    }
    spans.splice(from..to, [span]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(start: i64, end: i64) -> Span {
        let us = |seconds: i64| Wall::from_secs(seconds);
        Span {
            start: us(start),
            end: us(end),
        }
    }

    #[test]
    fn spans_unite_whatever_their_order_and_stay_apart_otherwise() {
        let mut spans = Vec::new();
        for (start, end) in [(60, 120), (0, 60), (300, 360), (240, 260), (200, 310)] {
            unite(&mut spans, span(start, end));
        }
        assert_eq!(spans, [span(0, 120), span(200, 360)]);
    }

    #[test]
    fn what_is_held_is_taken_out_of_what_was_deleted() {
        let left = |span: Span, other| span.without(other).collect::<Vec<_>>();
        assert_eq!(left(span(0, 9), span(3, 5)), [span(0, 3), span(5, 9)]);
        assert_eq!(left(span(0, 9), span(0, 9)), []);
        assert_eq!(left(span(0, 9), span(9, 12)), [span(0, 9)]);
        assert_eq!(left(span(0, 9), span(7, 12)), [span(0, 7)]);
    }

    #[test]
    fn an_entry_is_understood_whole_or_not_at_all() {
        let facts = serde_json::json!({"deleted": {"expired": [["kassa-1/main", 0, 9, 1, 5]]}});
        let line = ("kassa-1/main".parse().expect("id"), Rule::Expired);
        let us = Span {
            start: Wall(0),
            end: Wall(9),
        };
        assert_eq!(lines(&facts), Some(vec![(line.0, line.1, us)]));
        for bad in [
            serde_json::json!({}),
            serde_json::json!({"deleted": {"whim": []}}),
            serde_json::json!({"deleted": {"early": [["kassa-1/main", 0]]}}),
        ] {
            assert_eq!(lines(&bad), None, "{bad}");
        }
    }
}
