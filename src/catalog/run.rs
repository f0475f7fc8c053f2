//! Runs: unbroken sessions with a camera's stream.

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::base::error::{Error, Kind, Result};
use crate::base::id::{RunId, StreamId};
use crate::base::time::Wall;
use crate::catalog::column::Columns;
use crate::catalog::reader::Reader;
use crate::catalog::stream;

/// A run.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct RunRow {
    /// Which.
    pub run: RunId,
    /// Of which stream.
    pub stream: StreamId,
    /// Its first instant.
    pub started: Wall,
    /// Its end; `None` while it lasts, or when the process was killed.
    pub ended: Option<Wall>,
    /// Why it ended.
    pub end_cause: Option<String>,
}

const SELECT: &str =
    "select run.uuid, camera.name, stream.kind, run.started_us, run.ended_us, run.end_cause
     from run join stream on stream.id = run.stream join camera on camera.id = stream.camera";

fn read(row: &Row<'_>) -> rusqlite::Result<RunRow> {
    let mut columns = Columns::of(row);
    Ok(RunRow {
        run: columns.get()?,
        stream: StreamId {
            camera: columns.get()?,
            kind: columns.get()?,
        },
        started: columns.get()?,
        ended: columns.get()?,
        end_cause: columns.get()?,
    })
}

pub(super) fn start(db: &Connection, run: RunId, stream: &StreamId, at: Wall) -> Result<()> {
    let stream = stream::ensure(db, stream, at)?;
    // A session goes on in spite of trouble with the disk: its run is begun again.
    db.prepare_cached(
        "insert into run (uuid, stream, started_us) values (?, ?, ?)
         on conflict (uuid) do update set ended_us = null, end_cause = null",
    )?
    .execute(params![run, stream, at])?;
    Ok(())
}

pub(super) fn end(db: &Connection, run: RunId, at: Wall, cause: &str) -> Result<()> {
    db.prepare_cached(
        "update run set ended_us = ?2, end_cause = ?3 where uuid = ?1 and ended_us is null",
    )?
    .execute(params![run, at, cause])?;
    find(db, run)?
        .map(drop)
        .ok_or_else(|| Error::new(Kind::NotFound, "the run is unknown"))
}

/// The run's number; it is made when it is missing, as beginning with its first known segment.
pub(super) fn ensure(db: &Connection, run: RunId, stream: i64, at: Wall) -> Result<i64> {
    if let Some(id) = find(db, run)? {
        return Ok(id);
    }
    db.prepare_cached("insert into run (uuid, stream, started_us) values (?, ?, ?)")?
        .execute(params![run, stream, at])?;
    Ok(db.last_insert_rowid())
}

fn find(db: &Connection, run: RunId) -> Result<Option<i64>> {
    Ok(db
        .prepare_cached("select id from run where uuid = ?")?
        .query_row([run], |row| row.get(0))
        .optional()?)
}

impl Reader {
    /// One run.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn run(&self, run: RunId) -> Result<Option<RunRow>> {
        let mut statement = self
            .db
            .prepare_cached(&format!("{SELECT} where run.uuid = ?"))?;
        Ok(statement.query_row([run], read).optional()?)
    }

    /// Runs without an end: at start, those of a process that was killed.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn open_runs(&self) -> Result<Vec<RunRow>> {
        let mut statement = self.db.prepare_cached(&format!(
            "{SELECT} where run.ended_us is null order by run.id"
        ))?;
        Ok(statement
            .query_map([], read)?
            .collect::<rusqlite::Result<_>>()?)
    }
}
