//! What the catalog says of itself: its age, the last time that was believed, the latch on deletion.

use rusqlite::Connection;

use crate::base::error::Result;
use crate::base::time::Wall;
use crate::catalog::column::Columns;
use crate::catalog::reader::Reader;

/// What the catalog says of itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Meta {
    /// When it was made; a new one has another time.
    pub created: Wall,
    /// The last time of day that was believed.
    pub mark: Option<Wall>,
    /// Why nothing is deleted until somebody has looked.
    pub latch: Option<String>,
    /// How many segments were ever written into it.
    pub segments_ever: u64,
}

pub(super) fn mark(db: &Connection, at: Wall) -> Result<()> {
    db.prepare_cached("update meta set mark_us = ?")?
        .execute([at])?;
    Ok(())
}

/// The first reason stands.
pub(super) fn latch(db: &Connection, reason: &str) -> Result<()> {
    db.prepare_cached("update meta set latch = ? where latch is null")?
        .execute([reason])?;
    Ok(())
}

pub(super) fn unlatch(db: &Connection) -> Result<()> {
    db.prepare_cached("update meta set latch = null")?
        .execute([])?;
    Ok(())
}

impl Reader {
    /// What the catalog says of itself.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn meta(&self) -> Result<Meta> {
        let mut statement = self.db.prepare_cached(
            "select created_us, mark_us, latch,
                 coalesce((select seq from sqlite_sequence where name = 'segment'), 0) from meta",
        )?;
        Ok(statement.query_row([], |row| {
            let mut columns = Columns::of(row);
            Ok(Meta {
                created: columns.get()?,
                mark: columns.get()?,
                latch: columns.get()?,
                segments_ever: columns.count()?,
            })
        })?)
    }

    /// End of the newest footage of all streams, kept or deleted: it is a mark of time too.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn newest_footage(&self) -> Result<Option<Wall>> {
        let mut statement = self.db.prepare_cached(
            "select max(e) from (
                 select (select end_us from recorded where stream = stream.id order by start_us desc limit 1) as e
                 from stream)",
        )?;
        Ok(statement.query_row([], |row| row.get(0))?)
    }
}
