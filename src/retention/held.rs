//! What holds keep of a stream, as spans that neither overlap nor touch.

use crate::base::id::StreamId;
use crate::base::time::{Span, Wall};
use crate::catalog::HoldRow;

/// The first and the last instant there are.
const ALWAYS: Span = Span {
    start: Wall(i64::MIN),
    end: Wall(i64::MAX),
};

/// What holds keep of one stream.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Held {
    spans: Vec<Span>,
}

impl Held {
    /// By the holds that keep at `now`.
    pub fn of(stream: &StreamId, holds: &[HoldRow], now: Wall) -> Self {
        let of_stream = holds
            .iter()
            .filter(|hold| hold.keeps(now) && hold.cameras.contains(&stream.camera));
        of_stream.map(|hold| hold.span).collect()
    }

    /// True when it keeps a segment: they share an instant. A segment of no length is one instant long.
    pub fn keeps(&self, start: Wall, end: Wall) -> bool {
        let end = end.max(start.plus_us(1));
        let before = self.spans.partition_point(|span| span.start < end);
        self.spans[..before]
            .last()
            .is_some_and(|span| span.end > start)
    }

    /// What is between: a segment is not kept exactly when it lies within one of these.
    pub fn free(&self) -> Vec<Span> {
        let mut from = ALWAYS.start;
        let mut free = Vec::with_capacity(self.spans.len() + 1);
        for span in &self.spans {
            free.push(Span {
                start: from,
                end: span.start,
            });
            from = span.end;
        }
        free.push(Span {
            start: from,
            end: ALWAYS.end,
        });
        free.retain(|span| span.start < span.end);
        free
    }
}

impl FromIterator<Span> for Held {
    fn from_iter<T: IntoIterator<Item = Span>>(spans: T) -> Self {
        let mut sorted: Vec<_> = spans.into_iter().filter(|s| s.start < s.end).collect();
        sorted.sort_by_key(|span| (span.start, span.end));
        let mut merged: Vec<Span> = Vec::with_capacity(sorted.len());
        for span in sorted {
            match merged.last_mut() {
                Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
                _ => merged.push(span),
            }
        }
        Self { spans: merged }
    }
}
