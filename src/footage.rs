//! Layer 4: what of a stream may be read now: closed segments by their rows, and the one that is being written.
//!
//! What shows, hands out or asks for footage finds it here, so that all of them see the same. What does not belong here: who may
//! ask (`access`), and what is in a segment (`evidence`).

use crate::base::error::Result;
use crate::base::id::{HoldId, SegmentId, StreamId};
use crate::base::time::{Span, Wall};
use crate::catalog::{Reader, SegmentRow};
use crate::evidence::find::{Part, Places};
use crate::evidence::select::Source;
use crate::recorder::board::{Board, Growing};
use crate::retention::reading::Reading;

/// A segment that may be read now.
#[derive(Clone, Debug)]
pub enum Segment {
    /// It is closed.
    Closed(Box<SegmentRow>),
    /// It is being written.
    Growing(Growing),
}

impl Segment {
    /// Which.
    pub fn id(&self) -> SegmentId {
        match self {
            Self::Closed(row) => row.segment,
            Self::Growing(growing) => growing.segment,
        }
    }

    /// Wall time from its first picture to the end of its last.
    pub fn span(&self) -> Span {
        let (start, end) = match self {
            Self::Closed(row) => (row.start, row.end),
            Self::Growing(growing) => (growing.start, growing.end),
        };
        Span { start, end }
    }

    /// Bytes of it that a power cut leaves.
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Closed(row) => row.bytes,
            Self::Growing(growing) => growing.durable_bytes,
        }
    }

    /// Its bytes.
    ///
    /// # Errors
    /// What [`Places`] says.
    pub fn source(&self, places: &mut Places<'_>) -> Result<Source> {
        match self {
            Self::Closed(row) => places.closed(row),
            Self::Growing(growing) => places.growing(Part {
                path: &growing.path,
                durable_bytes: growing.durable_bytes,
            }),
        }
    }
}

/// Where footage is looked for, and as of when.
#[derive(Clone, Copy)]
pub struct Footage<'a> {
    /// The catalog.
    pub reader: &'a Reader,
    /// What is being written; `None`: no recorder runs.
    pub board: Option<&'a Board>,
    /// The time of day that is believed: by it footage is expired.
    pub believed: Wall,
    /// The hold for whose case it is read.
    pub hold: Option<HoldId>,
}

impl Footage<'_> {
    /// The segments of `stream` that share an instant with `span` and may be read now, by time. What is expired is not among them,
    /// whether it is deleted yet or not, but for the case of the hold what it keeps; what is restricted, or kept by a
    /// preservation order alone, is there for no case.
    ///
    /// # Errors
    /// What [`Reading`] and the catalog say.
    pub fn readable(&self, stream: &StreamId, span: Span) -> Result<Vec<Segment>> {
        let mut segments = self.segments(stream, span)?;
        segments.retain(|segment| segment.bytes() > 0);
        Ok(segments)
    }

    /// The same with one of which no picture is on the disk yet.
    ///
    /// # Errors
    /// As for [`Footage::readable`].
    pub fn segments(&self, stream: &StreamId, span: Span) -> Result<Vec<Segment>> {
        let reading = Reading::of(self.reader, stream, self.believed, self.hold)?;
        // First what grows: if it is closed meanwhile, it is found among the rows as well.
        let growing = self.board.and_then(|board| growing(board, stream, span));
        let rows = self.reader.segments(stream, span)?.into_iter();
        let mut segments: Vec<_> = rows
            .filter(|row| reading.allows(row.start, row.end))
            .map(|row| Segment::Closed(Box::new(row)))
            .collect();
        if let Some(growing) = growing
            && reading.allows(growing.start, growing.end)
            && segments.iter().all(|s| s.id() != growing.segment)
        {
            segments.push(Segment::Growing(growing));
        }
        Ok(segments)
    }
}

/// What is being written of `span`, whoever may read it.
pub fn growing(board: &Board, stream: &StreamId, span: Span) -> Option<Growing> {
    let growing = board.lines().remove(stream)?.growing?;
    let has = Span {
        start: growing.start,
        end: growing.end,
    };
    has.overlaps(&span).then_some(growing)
}
