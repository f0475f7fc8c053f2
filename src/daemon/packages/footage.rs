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
use crate::footage::{self, Segment};
use crate::recorder::board::Growing;
use crate::recorder::cut::{self, CUT_MAX};

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
        let looked_at = footage::Footage {
            reader,
            board: Some(&self.board),
            believed,
            hold: Some(hold),
        };
        let (mut rows, mut growing) = (Vec::new(), None);
        for segment in looked_at.segments(stream, span)? {
            match segment {
                Segment::Closed(row) => rows.push(*row),
                Segment::Growing(part) => growing = Some(part),
            }
        }
        if rows.len() > SEGMENTS_MAX {
            let text = format!("more than {SEGMENTS_MAX} segments of {stream}; ask for less");
            return Err(Error::new(Kind::Full, text));
        }
        Ok(Footage {
            rows,
            growing,
            coverage: reader.coverage(stream, span, now)?,
        })
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
        let Some(growing) = footage::growing(&self.board, stream, span) else {
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
