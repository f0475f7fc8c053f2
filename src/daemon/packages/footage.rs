//! What of a package's footage is there: rows of the catalog, and what is being written.

use std::time::Duration;

use crate::base::error::{Error, Kind, Result};
use crate::base::id::{HoldId, StreamId};
use crate::base::time::Span;
use crate::catalog::{Coverage, Reader, SegmentRow, VolumeRow};
use crate::daemon::packages::Options;
use crate::daemon::sweeper;
use crate::evidence::find::{Part, Places};
use crate::evidence::select::Source;
use crate::recorder::board::Growing;
use crate::recorder::cut::{self, CUT_MAX};
use crate::retention::reading::Reading;

/// How often is looked whether a segment is closed.
const LOOK: Duration = Duration::from_millis(100);
/// Most segments of one stream in a package.
const SEGMENTS_MAX: usize = 50_000;

/// What is there of a stream.
pub(super) struct Footage {
    pub(super) rows: Vec<SegmentRow>,
    pub(super) growing: Option<Growing>,
    pub(super) coverage: Coverage,
}

impl Options {
    /// What may be read of `stream` for the case of `hold` now.
    ///
    /// # Errors
    /// `Full` for too many segments; what the catalog says.
    pub(super) fn footage(
        &self,
        reader: &Reader,
        stream: &StreamId,
        (span, hold): (Span, HoldId),
    ) -> Result<Footage> {
        let now = self.clock.wall();
        let believed = match self.deletion.get().paused {
            Some(_) => sweeper::mark(reader)?.unwrap_or(now),
            None => now,
        };
        let reading = Reading::of(reader, stream, believed, Some(hold))?;
        let growing = self.growing(stream, span);
        let mut rows = reader.segments(stream, span)?;
        rows.retain(|row| reading.allows(row.start, row.end));
        if rows.len() > SEGMENTS_MAX {
            let text = format!("more than {SEGMENTS_MAX} segments of {stream}; ask for less");
            return Err(Error::new(Kind::Full, text));
        }
        let is_new = |growing: &Growing| {
            reading.allows(growing.start, growing.end)
                && rows.iter().all(|row| row.segment != growing.segment)
        };
        Ok(Footage {
            growing: growing.filter(is_new),
            coverage: reader.coverage(stream, span, now)?,
            rows,
        })
    }

    /// What is being written of `span`.
    fn growing(&self, stream: &StreamId, span: Span) -> Option<Growing> {
        let growing = self.board.lines().remove(stream)?.growing?;
        let has = Span {
            start: growing.start,
            end: growing.end,
        };
        has.overlaps(&span).then_some(growing)
    }

    /// Has what is being written of `span` closed, at the next key frame.
    ///
    /// # Errors
    /// `Unavailable` when none comes in time; what `go_on` says.
    pub(super) fn close(
        &self,
        reader: &Reader,
        stream: &StreamId,
        span: Span,
        go_on: &dyn Fn() -> Result<()>,
    ) -> Result<()> {
        let Some(growing) = self.growing(stream, span) else {
            return Ok(());
        };
        self.board.cuts.ask(stream);
        let since = self.clock.mono();
        // It is closed when it has its row, which is later than when nothing of it is on the board any more.
        while reader.segment_by_uuid(growing.segment)?.is_none() {
            if self.clock.mono().since(since) > CUT_MAX {
                return Err(cut::late(stream));
            }
            go_on()?;
            self.lines.pause(LOOK);
        }
        Ok(())
    }
}

/// The sources of a stream's footage, in order of time.
///
/// # Errors
/// What [`Places`] says.
pub(super) fn sources(
    options: &Options,
    volumes: &[VolumeRow],
    footage: &Footage,
) -> Result<Vec<Source>> {
    let growing = footage.growing.as_ref().map(|growing| Part {
        path: &growing.path,
        durable_bytes: growing.durable_bytes,
    });
    Places::new(options.box_id, volumes).all(&footage.rows, growing)
}
