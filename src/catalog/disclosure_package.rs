//! Packages of disclosures: the jobs that make them, and the parts that lie sealed in the state folder until they are wiped.
//!
//! What does not belong here: making them (`evidence`), whether it may be done (`disclosure`).

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::base::error::{Context, Error, Kind, Result};
use crate::base::hash::Digest;
use crate::base::id::{DisclosureId, GenerationId, JobId};
use crate::base::time::Wall;
use crate::catalog::closed::closed_texts;
use crate::catalog::column::{Columns, int};
use crate::catalog::reader::Reader;

closed_texts! {
    /// How far the making of a package is.
    JobState, "state of a job" {
        /// It waits for its turn.
        Queued = "queued",
        /// It is being made.
        Running = "running",
        /// It is whole.
        Done = "done",
        /// It was given up, and says why.
        Failed = "failed",
        /// A person stopped it.
        Cancelled = "cancelled",
    }
}

/// The making of a package.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct JobRow {
    /// Its number.
    pub job: JobId,
    /// For which disclosure.
    pub disclosure: DisclosureId,
    /// How far it is.
    pub state: JobState,
    /// What it does, or did last.
    pub phase: String,
    /// So many bytes are made.
    pub bytes_done: u64,
    /// Of about so many.
    pub bytes_total: u64,
    /// Why it failed.
    pub cause: Option<String>,
    /// Who began it: a person's id.
    pub by: String,
    /// When.
    pub begun: Wall,
    /// When it was over.
    pub ended: Option<Wall>,
}

/// A part of a package.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileRow {
    /// The job that made it.
    pub job: JobId,
    /// Its number, from 1.
    pub part: u32,
    /// For which disclosure.
    pub disclosure: DisclosureId,
    /// As it is handed out.
    pub name: String,
    /// As it is handed out.
    pub bytes: u64,
    /// SHA-256 of it as it is handed out.
    pub sha256: Digest,
    /// Its file, below the folder of packages.
    pub place: String,
    /// The vault generation that opens it.
    pub generation: GenerationId,
    /// Its key, wrapped to that generation; `None`: it is wiped.
    pub key: Option<Vec<u8>>,
    /// When it was wiped.
    pub wiped: Option<Wall>,
}

/// Something about a package.
#[derive(Clone, Debug)]
pub enum PackageChange {
    /// A job is to be done. `Exists` when another is under way for the disclosure.
    Queued {
        /// For which disclosure.
        disclosure: DisclosureId,
        /// About how many bytes it makes.
        bytes_total: u64,
        /// Who began it.
        by: String,
        /// When.
        at: Wall,
    },
    /// The job of a disclosure that is under way has come so far. `NotFound` when there is none.
    Progressed {
        /// Of which disclosure.
        disclosure: DisclosureId,
        /// What it does.
        phase: String,
        /// So many bytes are made.
        bytes_done: u64,
        /// Of about so many.
        bytes_total: u64,
    },
    /// A part is whole and durable; the disclosure has a job under way. `NotFound` when there is none.
    PartMade(Box<FileRow>),
    /// The job of a disclosure that is under way is over. `NotFound` when there is none.
    Ended {
        /// Of which disclosure.
        disclosure: DisclosureId,
        /// How: done, failed or cancelled.
        state: JobState,
        /// Why it failed.
        cause: Option<String>,
        /// When.
        at: Wall,
    },
    /// A part is gone: its file, then its key. `NotFound` when it is unknown, or was wiped.
    Wiped {
        /// Whose.
        job: JobId,
        /// Which part.
        part: u32,
        /// When.
        at: Wall,
    },
}

/// Writes one change inside the caller's transaction.
pub(super) fn apply(db: &Connection, change: &PackageChange) -> Result<()> {
    match change {
        PackageChange::Queued {
            disclosure,
            bytes_total,
            by,
            at,
        } => {
            db.prepare_cached(
                "insert into disclosure_job (disclosure, state, phase, bytes_done, bytes_total, person, begun_us)
                 values (?, 'queued', 'queued', 0, ?, ?, ?)",
            )?
            .execute(params![disclosure, int(*bytes_total), by, at])
            .context(|| format!("beginning a package for disclosure {disclosure}"))?;
            Ok(())
        }
        PackageChange::Progressed {
            disclosure,
            phase,
            bytes_done,
            bytes_total,
        } => one(
            db.prepare_cached(
                "update disclosure_job set state = 'running', phase = ?2, bytes_done = ?3, bytes_total = ?4
                 where disclosure = ?1 and ended_us is null",
            )?
            .execute(params![
                disclosure,
                phase,
                int(*bytes_done),
                int(*bytes_total)
            ])?,
        ),
        PackageChange::PartMade(file) => insert(db, file)
            .context(|| format!("noting part {} of disclosure {}", file.part, file.disclosure)),
        PackageChange::Ended {
            disclosure,
            state,
            cause,
            at,
        } => one(
            db.prepare_cached(
                "update disclosure_job set state = ?2, cause = ?3, ended_us = ?4
                 where disclosure = ?1 and ended_us is null",
            )?
            .execute(params![disclosure, state, cause, at])?,
        ),
        PackageChange::Wiped { job, part, at } => one(
            db.prepare_cached(
                "update disclosure_file set key = null, wiped_us = ?3 where job = ?1 and part = ?2 and wiped_us is null",
            )?
            .execute(params![job, part, at])?,
        ),
    }
}

fn one(rows: usize) -> Result<()> {
    if rows == 1 {
        return Ok(());
    }
    let text = "there is no such job under way, or no such part of a package";
    Err(Error::new(Kind::NotFound, text))
}

fn insert(db: &Connection, file: &FileRow) -> Result<()> {
    let is_open: bool = db
        .prepare_cached(
            "select exists (select 1 from disclosure_job where id = ? and disclosure = ? and ended_us is null)",
        )?
        .query_row(params![file.job, file.disclosure], |row| row.get(0))?;
    one(usize::from(is_open))?;
    db.prepare_cached(
        "insert into disclosure_file (job, part, disclosure, name, bytes, sha256, place, generation, key)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        file.job,
        file.part,
        file.disclosure,
        file.name,
        int(file.bytes),
        file.sha256,
        file.place,
        file.generation,
        file.key,
    ])?;
    Ok(())
}

const JOB: &str = "select id, disclosure, state, phase, bytes_done, bytes_total, cause, person, begun_us, ended_us from disclosure_job";
const FILE: &str = "select job, part, disclosure, name, bytes, sha256, place, generation, key, wiped_us from disclosure_file";

fn read_job(row: &Row<'_>) -> rusqlite::Result<JobRow> {
    let mut columns = Columns::of(row);
    Ok(JobRow {
        job: columns.get()?,
        disclosure: columns.get()?,
        state: columns.get()?,
        phase: columns.get()?,
        bytes_done: columns.count()?,
        bytes_total: columns.count()?,
        cause: columns.get()?,
        by: columns.get()?,
        begun: columns.get()?,
        ended: columns.get()?,
    })
}

fn read_file(row: &Row<'_>) -> rusqlite::Result<FileRow> {
    let mut columns = Columns::of(row);
    Ok(FileRow {
        job: columns.get()?,
        part: columns.get()?,
        disclosure: columns.get()?,
        name: columns.get()?,
        bytes: columns.count()?,
        sha256: columns.get()?,
        place: columns.get()?,
        generation: columns.get()?,
        key: columns.bytes()?,
        wiped: columns.get()?,
    })
}

impl Reader {
    /// The job for a disclosure that was begun last.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn last_job(&self, disclosure: DisclosureId) -> Result<Option<JobRow>> {
        let sql = format!("{JOB} where disclosure = ? order by id desc limit 1");
        let mut statement = self.db.prepare_cached(&sql)?;
        Ok(statement.query_row([disclosure], read_job).optional()?)
    }

    /// The job for a disclosure that was done last: whose package it has, if that is not wiped.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn last_made(&self, disclosure: DisclosureId) -> Result<Option<JobRow>> {
        let sql = format!("{JOB} where disclosure = ? and state = 'done' order by id desc limit 1");
        let mut statement = self.db.prepare_cached(&sql)?;
        Ok(statement.query_row([disclosure], read_job).optional()?)
    }

    /// Jobs that are not over, in the order in which they were begun.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn open_jobs(&self) -> Result<Vec<JobRow>> {
        let sql = format!("{JOB} where ended_us is null order by id");
        let mut statement = self.db.prepare_cached(&sql)?;
        let rows = statement.query_map([], read_job)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The parts that were made for a disclosure, also those that are wiped: job by job, in order.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn package_files(&self, disclosure: DisclosureId) -> Result<Vec<FileRow>> {
        let sql = format!("{FILE} where disclosure = ? order by job, part");
        let mut statement = self.db.prepare_cached(&sql)?;
        let rows = statement.query_map([disclosure], read_file)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Every part that is there, of whatever disclosure.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn package_files_there(&self) -> Result<Vec<FileRow>> {
        let sql = format!("{FILE} where wiped_us is null order by job, part");
        let mut statement = self.db.prepare_cached(&sql)?;
        let rows = statement.query_map([], read_file)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}
