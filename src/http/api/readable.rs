//! Which segments of a stream may be read now, and their groups of pictures.

use std::sync::Arc;

use crate::base::error::{Error, Kind, Result};
use crate::base::id::{HoldId, SegmentId, StreamId};
use crate::base::time::{Span, Wall};
use crate::catalog::{Reader, SegmentRow};
use crate::evidence::find::{Part, Places};
use crate::evidence::select::Source;
use crate::evidence::view::{self, Groups};
use crate::http::app::App;
use crate::http::playback::Playback;
use crate::recorder::board::Growing;
use crate::retention::reading::Reading;

/// A segment that may be read now.
#[derive(Clone, Debug)]
pub(crate) enum Segment {
    /// It is closed.
    Closed(Box<SegmentRow>),
    /// It is being written.
    Growing(Growing),
}

impl Segment {
    pub(crate) fn start(&self) -> Wall {
        match self {
            Self::Closed(row) => row.start,
            Self::Growing(growing) => growing.start,
        }
    }

    pub(crate) fn span(&self) -> Span {
        let (start, end) = match self {
            Self::Closed(row) => (row.start, row.end),
            Self::Growing(growing) => (growing.start, growing.end),
        };
        Span { start, end }
    }

    pub(crate) fn source(&self, places: &mut Places<'_>) -> Result<Source> {
        match self {
            Self::Closed(row) => places.closed(row),
            Self::Growing(growing) => places.growing(Part {
                path: &growing.path,
                durable_bytes: growing.durable_bytes,
            }),
        }
    }

    pub(crate) fn id(&self) -> SegmentId {
        match self {
            Self::Closed(row) => row.segment,
            Self::Growing(growing) => growing.segment,
        }
    }
}

/// The segments of a stream that may be read now: what is expired is not among them, whether it is deleted yet or not; for
/// the case of a hold those that it keeps.
pub(crate) struct Readable {
    pub(crate) segments: Vec<Segment>,
}

impl Readable {
    pub(crate) fn of(
        app: &App,
        reader: &Reader,
        (stream, hold): (&StreamId, Option<HoldId>),
        span: Span,
    ) -> Result<Self> {
        let believed = app.parts.host.believed(reader)?;
        let reading = Reading::of(reader, stream, believed, hold)?;
        // First what grows: if it is closed meanwhile, it is found among the rows as well.
        let growing = app.parts.board.lines().remove(stream);
        let growing = growing.and_then(|line| line.growing).filter(|growing| {
            let has = Span {
                start: growing.start,
                end: growing.end,
            };
            growing.durable_bytes > 0
                && has.overlaps(&span)
                && reading.allows(growing.start, growing.end)
        });
        let rows = reader.segments(stream, span)?.into_iter();
        let mut segments: Vec<_> = rows
            .filter(|row| reading.allows(row.start, row.end))
            .map(|row| Segment::Closed(Box::new(row)))
            .collect();
        if let Some(growing) = growing
            && segments.iter().all(|s| s.id() != growing.segment)
        {
            segments.push(Segment::Growing(growing));
        }
        Ok(Self { segments })
    }
}

/// The groups of a segment that the playback takes.
pub(crate) fn segment_groups(
    app: &App,
    playback: &Playback,
    reader: &Reader,
    stream: &StreamId,
    segment: &Segment,
) -> Result<Arc<Groups>> {
    if let Some(groups) = playback.groups(stream, segment.id()) {
        return Ok(groups);
    }
    let volumes = reader.volumes()?;
    let mut places = Places::new(app.parts.box_id, &volumes);
    let span = playback.opening.span;
    match segment {
        Segment::Closed(row) => {
            let found = match view::groups(segment.source(&mut places)?, span) {
                Err(e) if matches!(e.kind(), Kind::NotFound | Kind::Corrupt) => {
                    return lost(reader, row, &e);
                }
                other => Arc::new(other?),
            };
            playback.remember(stream, row.segment, &found);
            Ok(found)
        }
        Segment::Growing(_) => view::groups(segment.source(&mut places)?, span)
            .map(Arc::new)
            .map_err(|e| match e.kind() {
                // It was closed, and so renamed, meanwhile; its row comes in a moment.
                Kind::NotFound => Error::new(Kind::Busy, "a segment is being closed"),
                _ => e,
            }),
    }
}

/// Nothing of a segment can be read: it is damaged, unless it was deleted a moment ago, on time.
fn lost(reader: &Reader, row: &SegmentRow, e: &Error) -> Result<Arc<Groups>> {
    let span = Span {
        start: row.start,
        end: row.end,
    };
    let now = reader.segments(&row.stream, span)?;
    let is_there = now.iter().any(|now| now.segment == row.segment);
    Ok(Arc::new(Groups {
        groups: Vec::new(),
        damage: is_there.then(|| e.to_string()),
    }))
}
