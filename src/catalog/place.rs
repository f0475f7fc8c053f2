//! Which files of a volume the catalog promises, day by day: what a walk over the volume is compared with.

use rusqlite::params;

use crate::base::error::Result;
use crate::base::id::{SegmentId, StreamId, VolumeId};
use crate::base::time::{Span, Wall};
use crate::catalog::column::Columns;
use crate::catalog::reader::Reader;
use crate::catalog::stream;

/// A file that the catalog knows. Its name follows from these.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PlaceRow {
    /// The segment.
    pub segment: SegmentId,
    /// Wall time of its first access unit.
    pub start: Wall,
    /// It is being deleted: its file may be gone.
    pub is_garbage: bool,
}

impl Reader {
    /// Segments of a stream on a volume that begin in `span`, also those that are being deleted, by start.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn places(&self, volume: VolumeId, stream: &StreamId, span: Span) -> Result<Vec<PlaceRow>> {
        let Some(id) = stream::find(&self.db, stream)? else {
            return Ok(Vec::new());
        };
        let mut statement = self.db.prepare_cached(
            "select uuid, start_us, garbage is not null from segment
             where stream = ? and start_us >= ? and start_us < ?
                 and volume = (select id from volume where uuid = ?)
             order by start_us, id",
        )?;
        let rows = statement.query_map(params![id, span.start, span.end, volume], |row| {
            let mut columns = Columns::of(row);
            Ok(PlaceRow {
                segment: columns.get()?,
                start: columns.get()?,
                is_garbage: columns.get()?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Beginnings of the UTC days in which a stream has segments on a volume, in order.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn days(&self, volume: VolumeId, stream: &StreamId) -> Result<Vec<Wall>> {
        let Some(id) = stream::find(&self.db, stream)? else {
            return Ok(Vec::new());
        };
        let mut statement = self.db.prepare_cached(
            "select distinct start_us / 86400000000 - (start_us % 86400000000 < 0) from segment
             where stream = ? and volume = (select id from volume where uuid = ?) order by 1",
        )?;
        let rows = statement.query_map(params![id, volume], |row| row.get::<_, i64>(0))?;
        let days = rows.map(|day| Ok(Wall::from_secs(day? * 86_400)));
        days.collect()
    }

    /// Start of the newest segment of a stream on a volume.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn newest_start(&self, volume: VolumeId, stream: &StreamId) -> Result<Option<Wall>> {
        let Some(id) = stream::find(&self.db, stream)? else {
            return Ok(None);
        };
        let mut statement = self.db.prepare_cached(
            "select max(start_us) from (select start_us from segment
             where stream = ? and volume = (select id from volume where uuid = ?)
             order by start_us desc limit 1)",
        )?;
        Ok(statement.query_row(params![id, volume], |row| row.get(0))?)
    }
}
