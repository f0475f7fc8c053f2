//! How much is recorded of late, and when something was last done: what a forecast needs.

use rusqlite::{OptionalExtension, params};

use crate::base::error::Result;
use crate::base::id::{StreamId, VolumeId};
use crate::base::time::{Span, Wall};
use crate::catalog::column::Columns;
use crate::catalog::reader::Reader;
use crate::catalog::stream;

/// What a stream's segments that begin in a span come to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Rate {
    /// Bytes of their files.
    pub bytes: u64,
    /// Microseconds that they cover.
    pub recorded_us: u64,
}

impl Reader {
    /// What a stream's segments that begin in `span` come to.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn rate(&self, stream: &StreamId, span: Span) -> Result<Rate> {
        let Some(id) = stream::find(&self.db, stream)? else {
            return Ok(Rate::default());
        };
        let mut statement = self.db.prepare_cached(
            "select coalesce(sum(bytes), 0), coalesce(sum(end_us - start_us), 0) from segment
             where stream = ? and start_us >= ? and start_us < ?",
        )?;
        Ok(
            statement.query_row(params![id, span.start, span.end], |row| {
                let mut columns = Columns::of(row);
                Ok(Rate {
                    bytes: columns.count()?,
                    recorded_us: columns.count()?,
                })
            })?,
        )
    }

    /// What a stream's segments on a volume come to that begin in `span`.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn written(&self, stream: &StreamId, volume: VolumeId, span: Span) -> Result<Rate> {
        let Some(id) = stream::find(&self.db, stream)? else {
            return Ok(Rate::default());
        };
        let mut statement = self.db.prepare_cached(
            "select coalesce(sum(bytes), 0), coalesce(sum(end_us - start_us), 0) from segment
             where stream = ? and start_us >= ? and start_us < ? and volume = (select id from volume where uuid = ?)",
        )?;
        let row = params![id, span.start, span.end, volume];
        Ok(statement.query_row(row, |row| {
            let mut columns = Columns::of(row);
            Ok(Rate {
                bytes: columns.count()?,
                recorded_us: columns.count()?,
            })
        })?)
    }

    /// When `action` was last done.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn last_event(&self, action: &str) -> Result<Option<Wall>> {
        let mut statement = self
            .db
            .prepare_cached("select at_us from event where action = ? order by seq desc limit 1")?;
        Ok(statement.query_row([action], |row| row.get(0)).optional()?)
    }
}
