//! The written request that a disclosure answers, as somebody scanned it: sealed, in the row itself, so that it comes and goes with
//! its record, in one transaction with its entry in the ledger.
//!
//! What does not belong here: sealing and opening it (`vault::parcel`), who may (`disclosure`), what may be in it (`http`).

use rusqlite::{Connection, OptionalExtension, params};

use crate::base::error::{Context, Error, Kind, Result};
use crate::base::hash::Digest;
use crate::base::id::{DisclosureId, GenerationId};
use crate::base::time::Wall;
use crate::catalog::closed::closed_texts;
use crate::catalog::column::{Columns, int};
use crate::catalog::reader::Reader;

closed_texts! {
    /// What a scan is.
    ScanKind, "kind of scan" {
        /// A document (ISO 32000).
        Pdf = "pdf",
        /// A picture (ISO/IEC 10918).
        Jpeg = "jpeg",
        /// A picture (ISO/IEC 15948).
        Png = "png",
    }
}

/// A scan, without what is in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScanRow {
    /// Of which disclosure.
    pub disclosure: DisclosureId,
    /// When it was put there.
    pub at: Wall,
    /// Who did: a person's id.
    pub by: String,
    /// What its first bytes say it is.
    pub kind: ScanKind,
    /// Bytes, as it was given.
    pub bytes: u64,
    /// SHA-256 of it as it was given.
    pub sha256: Digest,
    /// The vault generation that opens it.
    pub generation: GenerationId,
    /// Its key, wrapped to that generation.
    pub key: Vec<u8>,
}

/// A scan that is put beside a disclosure.
#[derive(Clone, Debug)]
pub struct NewScan {
    /// What is known of it.
    pub row: ScanRow,
    /// It, encrypted.
    pub sealed: Vec<u8>,
}

/// Puts it there, in the place of the one that is. `Exists` when somebody has decided already.
pub(super) fn put(db: &Connection, new: &NewScan) -> Result<()> {
    let row = &new.row;
    check_open(db, row.disclosure)?;
    db.prepare_cached("delete from disclosure_scan where disclosure = ?")?
        .execute([row.disclosure])?;
    db.prepare_cached(
        "insert into disclosure_scan (disclosure, at_us, person, kind, bytes, sha256, generation, key, sealed)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        row.disclosure,
        row.at,
        row.by,
        row.kind,
        int(row.bytes),
        row.sha256,
        row.generation,
        row.key,
        new.sealed,
    ])
    .context(|| "keeping the scan of a request")?;
    changed(db, row.disclosure, row.at)
}

/// Removes it, with its key. `NotFound` when there is none, `Exists` when somebody has decided already.
pub(super) fn remove(db: &Connection, disclosure: DisclosureId, at: Wall) -> Result<()> {
    check_open(db, disclosure)?;
    let rows = db
        .prepare_cached("delete from disclosure_scan where disclosure = ?")?
        .execute([disclosure])?;
    if rows == 0 {
        let text = "there is no scan of its request";
        return Err(Error::new(Kind::NotFound, text));
    }
    changed(db, disclosure, at)
}

fn changed(db: &Connection, disclosure: DisclosureId, at: Wall) -> Result<()> {
    db.prepare_cached("update disclosure set changed_us = ?2 where id = ?1")?
        .execute(params![disclosure, at])?;
    Ok(())
}

/// What was approved is what lay there: from the first decision on it stays as it is.
fn check_open(db: &Connection, disclosure: DisclosureId) -> Result<()> {
    let is_open: bool = db
        .prepare_cached(
            "select exists (select 1 from disclosure where id = ?1 and state in ('draft', 'requested')
                 and not exists (select 1 from disclosure_step where disclosure = ?1 and step = 'approved'))",
        )?
        .query_row([disclosure], |row| row.get(0))?;
    if is_open {
        return Ok(());
    }
    let text = "the scan of a request is changed before anybody has decided, and not after";
    Err(Error::new(Kind::Exists, text))
}

impl Reader {
    /// What is known of the scan of a disclosure's request.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn disclosure_scan(&self, disclosure: DisclosureId) -> Result<Option<ScanRow>> {
        let mut statement = self.db.prepare_cached(
            "select disclosure, at_us, person, kind, bytes, sha256, generation, key
             from disclosure_scan where disclosure = ?",
        )?;
        let found = statement.query_row([disclosure], |row| {
            let mut columns = Columns::of(row);
            Ok(ScanRow {
                disclosure: columns.get()?,
                at: columns.get()?,
                by: columns.get()?,
                kind: columns.get()?,
                bytes: columns.count()?,
                sha256: columns.get()?,
                generation: columns.get()?,
                key: columns.bytes()?.unwrap_or_default(),
            })
        });
        Ok(found.optional()?)
    }

    /// The scan itself, encrypted.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn disclosure_scan_sealed(&self, disclosure: DisclosureId) -> Result<Option<Vec<u8>>> {
        let mut statement = self
            .db
            .prepare_cached("select sealed from disclosure_scan where disclosure = ?")?;
        Ok(statement
            .query_row([disclosure], |row| row.get(0))
            .optional()?)
    }
}
