//! What is still there although its time is over and no hold keeps it.

use rusqlite::params;

use crate::base::error::Result;
use crate::base::id::StreamId;
use crate::base::time::Wall;
use crate::catalog::column::Columns;
use crate::catalog::hold;
use crate::catalog::reader::Reader;
use crate::catalog::stream::{self, StreamRow};

/// What expired so long ago, in microseconds, should be gone: a sweep begins every minute.
const LATE_US: i64 = 120_000_000;

impl Reader {
    /// How many segments of a stream should be gone at `now`, by its time and since no hold keeps them; `None` when nothing of
    /// it expires. Those that are being deleted count.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn overdue(&self, row: &StreamRow, now: Wall) -> Result<Option<u64>> {
        let before = row.expired_before(now.plus_us(-LATE_US));
        before
            .map(|before| self.count_overdue(&row.stream, before, now))
            .transpose()
    }

    fn count_overdue(&self, stream: &StreamId, before: Wall, now: Wall) -> Result<u64> {
        let Some(id) = stream::find(&self.db, stream)? else {
            return Ok(0);
        };
        let mut statement = self.db.prepare_cached(&format!(
            "select count(*) from segment
             where segment.stream = ?1 and start_us < ?2 and end_us < ?2 and not exists (
                 select 1 from hold_camera join hold on hold.id = hold_camera.hold
                 where hold_camera.camera = ?3 and {})",
            hold::keeping("?4")
        ))?;
        let camera = stream.camera.as_str();
        let counted = statement.query_row(params![id, before, camera, now], |row| {
            Columns::of(row).count()
        });
        Ok(counted?)
    }
}
