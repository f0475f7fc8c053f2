//! What is still there although its time is over and no hold keeps it.

use rusqlite::params;

use crate::base::error::Result;
use crate::base::id::StreamId;
use crate::base::time::Wall;
use crate::catalog::column::Columns;
use crate::catalog::reader::Reader;
use crate::catalog::stream;

impl Reader {
    /// How many segments of a stream ended before `before` and are kept by no hold at `now`; those that are being deleted count.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn count_overdue(&self, stream: &StreamId, before: Wall, now: Wall) -> Result<u64> {
        let Some(id) = stream::find(&self.db, stream)? else {
            return Ok(0);
        };
        let mut statement = self.db.prepare_cached(
            "select count(*) from segment
             where segment.stream = ?1 and start_us < ?2 and end_us < ?2 and not exists (
                 select 1 from hold_camera join hold on hold.id = hold_camera.hold
                 where hold_camera.camera = ?3 and (hold.gone_us is null or hold.gone_us >= ?4)
                     and segment.start_us < hold.end_us and max(segment.end_us, segment.start_us + 1) > hold.start_us)",
        )?;
        let camera = stream.camera.as_str();
        let counted = statement.query_row(params![id, before, camera, now], |row| {
            Columns::of(row).count()
        });
        Ok(counted?)
    }
}
