//! A connection that reads. Its questions are in the files of what they are about.

use std::path::Path;

use rusqlite::{Connection, Transaction};

use crate::base::error::{Context, Error, Result};
use crate::base::id::BoxId;
use crate::catalog::connection;

/// Reads what is committed; each question is answered from one state. To be used by one thread at a time: others open
/// their own.
pub struct Reader {
    pub(in crate::catalog) db: Connection,
}

/// One state of the catalog.
#[must_use = "it is given up when it is dropped"]
pub struct Snapshot<'a> {
    /// Rolled back when it is dropped; it only reads.
    _one: Transaction<'a>,
}

impl Reader {
    /// Opens the catalog in the file `path` for reading, beside its writer or without one.
    ///
    /// # Errors
    /// [`crate::base::Kind::Foreign`] for a catalog of another box or of a newer version of Sinetti; else what SQLite
    /// or the operating system says.
    pub fn open(path: &Path, box_id: BoxId) -> Result<Self> {
        let db = connection::open_reader(path, box_id)
            .context(|| format!("opening the catalog {} for reading", path.display()))?;
        Ok(Self { db })
    }

    /// As long as what this gives lives, every question is answered from one state. The write-ahead log grows meanwhile,
    /// and what was erased stays in it: not for long.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn snapshot(&self) -> Result<Snapshot<'_>> {
        let one = self.db.unchecked_transaction()?;
        // The state is chosen by the first question.
        one.query_row("select 1 from meta", [], |_| Ok(()))?;
        Ok(Snapshot { _one: one })
    }

    /// Writes a copy of the catalog, as it is at this moment and without what was erased, into the empty or missing file
    /// `path`. Writers go on meanwhile. It is not synced.
    ///
    /// # Errors
    /// What SQLite says; then `path` holds nothing of use.
    pub fn copy_to(&self, path: &Path) -> Result<()> {
        let text = path
            .to_str()
            .ok_or_else(|| Error::invalid(format!("{} is not UTF-8", path.display())))?;
        self.db.execute("vacuum into ?", [text])?;
        Ok(())
    }

    /// What is wrong with the catalog: damage that SQLite finds, rows that point nowhere, running totals that do not
    /// add up. Empty when it is sound. Reads all of it.
    ///
    /// # Errors
    /// What SQLite says when it cannot even look.
    pub fn integrity_check(&self) -> Result<Vec<String>> {
        let _snapshot = self.snapshot()?;
        let mut findings = Vec::new();
        for question in QUESTIONS {
            let mut statement = self.db.prepare(question)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                findings.push(row.get(0)?);
            }
        }
        Ok(findings)
    }
}

/// Each answers with one text for each finding.
const QUESTIONS: [&str; 5] = [
    "select integrity_check from pragma_integrity_check where integrity_check <> 'ok'",
    "select 'row ' || coalesce(rowid, '?') || ' of ' || \"table\" || ' points at no ' || parent from pragma_foreign_key_check",
    "select 'totals of stream ' || stream.id || ' say ' || stream.segments || ' segments, ' || stream.bytes
         || ' bytes; its rows say ' || count(segment.id) || ', ' || coalesce(sum(segment.bytes), 0)
     from stream left join segment on segment.stream = stream.id group by stream.id
     having stream.segments <> count(segment.id) or stream.bytes <> coalesce(sum(segment.bytes), 0)",
    "select 'hours of stream ' || stream || ' say ' || sum(us) || ' µs more than its segments'
     from (select stream, recorded_us as us from coverage_hour
           union all select stream, start_us - end_us from segment)
     group by stream having sum(us) <> 0",
    "select 'segment ' || segment.id || ' is not in the recordings of stream ' || segment.stream
     from segment where segment.end_us > segment.start_us and not exists (
         select 1 from recorded where recorded.stream = segment.stream
             and recorded.start_us <= segment.start_us and recorded.end_us >= segment.end_us)",
];
