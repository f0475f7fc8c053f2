//! The groups of pictures of segments that may be read now.

use std::sync::Arc;

use crate::base::error::{Error, Kind, Result};
use crate::base::id::StreamId;
use crate::base::time::Span;
use crate::catalog::{Reader, SegmentRow};
use crate::evidence::find::Places;
use crate::evidence::view::{self, Groups};
use crate::footage::Segment;
use crate::http::app::App;
use crate::http::playback::Playback;

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
