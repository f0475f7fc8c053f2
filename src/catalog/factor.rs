//! Second factors, recovery codes and one-time enrolments. Secrets lie here wrapped or hashed only.

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::base::error::{Error, Kind, Result};
use crate::base::hash::Digest;
use crate::base::id::PersonId;
use crate::base::time::Wall;
use crate::catalog::closed::closed_texts;
use crate::catalog::column::{Columns, int};
use crate::catalog::reader::Reader;

closed_texts! {
    /// What a one-time enrolment is for.
    EnrolmentKind, "kind of enrolment" {
        /// Password, key pair and second factor, all new.
        New = "new",
        /// The second factor alone; the password stays.
        Factor = "factor",
    }
}

/// A second factor.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct FactorRow {
    /// Whose.
    pub person: PersonId,
    /// Age ciphertext of its secret, to the person's own key.
    #[serde(with = "crate::catalog::json::bytes")]
    pub secret: Vec<u8>,
    /// Since when.
    pub created: Wall,
    /// Newest time step used.
    pub last_step: u64,
    /// Hashes of the recovery codes that are left.
    #[serde(default)]
    pub codes: Vec<Digest>,
}

/// A one-time enrolment.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct EnrolmentRow {
    /// SHA-256 of its token.
    pub hash: Digest,
    /// Who may use it.
    pub person: PersonId,
    /// For what.
    pub kind: EnrolmentKind,
    /// When it was made.
    pub created: Wall,
    /// First instant at which it is not taken any more.
    pub expires: Wall,
}

/// Sets the factor anew; codes of the one before go.
pub(super) fn set(
    db: &Connection,
    person: PersonId,
    secret: &[u8],
    created: Wall,
    codes: &[Digest],
) -> Result<()> {
    drop(db, person)?;
    db.prepare_cached(
        "insert into factor (person, secret, created_us, last_step) values (?, ?, ?, 0)",
    )?
    .execute(params![person, secret, created])?;
    let mut statement =
        db.prepare_cached("insert into recovery_code (person, hash) values (?, ?)")?;
    for code in codes {
        statement.execute(params![person, code])?;
    }
    Ok(())
}

/// That the person has a second factor.
pub(super) fn check_set(db: &Connection, person: PersonId) -> Result<()> {
    let mut statement = db.prepare_cached("select 1 from factor where person = ?")?;
    if statement.exists([person])? {
        return Ok(());
    }
    let text = "the person has no second factor; they enrol first";
    Err(Error::new(Kind::Denied, text))
}

pub(super) fn drop(db: &Connection, person: PersonId) -> Result<()> {
    db.prepare_cached("delete from recovery_code where person = ?")?
        .execute([person])?;
    db.prepare_cached("delete from factor where person = ?")?
        .execute([person])?;
    Ok(())
}

fn used() -> Error {
    Error::new(
        Kind::Denied,
        "this code was used already; wait for the next one",
    )
}

/// A code of this step was shown. It, and every older one, is used up.
pub(super) fn use_step(db: &Connection, person: PersonId, step: u64) -> Result<()> {
    let changed = db
        .prepare_cached("update factor set last_step = ?2 where person = ?1 and last_step < ?2")?
        .execute(params![person, int(step)])?;
    if changed == 1 { Ok(()) } else { Err(used()) }
}

/// A recovery code was shown. It is used up.
pub(super) fn use_code(db: &Connection, person: PersonId, hash: &Digest, at: Wall) -> Result<()> {
    let changed = db
        .prepare_cached(
            "update recovery_code set used_us = ?3 where person = ?1 and hash = ?2 and used_us is null",
        )?
        .execute(params![person, hash, at])?;
    if changed == 1 { Ok(()) } else { Err(used()) }
}

/// A new enrolment takes the place of those that the person has open.
pub(super) fn offer(db: &Connection, row: &EnrolmentRow) -> Result<()> {
    withdraw(db, row.person, row.created)?;
    db.prepare_cached(
        "insert into enrolment (hash, person, kind, created_us, expires_us) values (?, ?, ?, ?, ?)",
    )?
    .execute(params![
        row.hash,
        row.person,
        row.kind,
        row.created,
        row.expires
    ])?;
    Ok(())
}

pub(super) fn withdraw(db: &Connection, person: PersonId, at: Wall) -> Result<()> {
    db.prepare_cached("update enrolment set used_us = ?2 where person = ?1 and used_us is null")?
        .execute(params![person, at])?;
    Ok(())
}

/// An enrolment was used.
pub(super) fn enrolled(db: &Connection, hash: &Digest, at: Wall) -> Result<()> {
    let changed = db
        .prepare_cached(
            "update enrolment set used_us = ?2 where hash = ?1 and used_us is null and expires_us > ?2",
        )?
        .execute(params![hash, at])?;
    if changed == 1 {
        return Ok(());
    }
    let text = "this enrolment was used, replaced or has expired; ask for a new one";
    Err(Error::new(Kind::Denied, text))
}

fn read_enrolment(row: &Row<'_>) -> rusqlite::Result<EnrolmentRow> {
    let mut columns = Columns::of(row);
    Ok(EnrolmentRow {
        hash: columns.get()?,
        person: columns.get()?,
        kind: columns.get()?,
        created: columns.get()?,
        expires: columns.get()?,
    })
}

impl Reader {
    /// A person's second factor, with the recovery codes that are left.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn factor(&self, person: PersonId) -> Result<Option<FactorRow>> {
        let mut statement = self.db.prepare_cached(
            "select person, secret, created_us, last_step from factor where person = ?",
        )?;
        let found = statement
            .query_row([person], |row| {
                let mut columns = Columns::of(row);
                Ok(FactorRow {
                    person: columns.get()?,
                    secret: columns.get()?,
                    created: columns.get()?,
                    last_step: columns.count()?,
                    codes: Vec::new(),
                })
            })
            .optional()?;
        let Some(mut factor) = found else {
            return Ok(None);
        };
        let mut codes = self.db.prepare_cached(
            "select hash from recovery_code where person = ? and used_us is null order by hash",
        )?;
        factor.codes = codes
            .query_map([person], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        Ok(Some(factor))
    }

    /// The enrolment whose token has this hash, when it is still open at `now`.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn enrolment(&self, hash: &Digest, now: Wall) -> Result<Option<EnrolmentRow>> {
        let mut statement = self.db.prepare_cached(
            "select hash, person, kind, created_us, expires_us from enrolment
             where hash = ? and used_us is null and expires_us > ?",
        )?;
        Ok(statement
            .query_row(params![hash, now], read_enrolment)
            .optional()?)
    }

    /// The enrolment that a person has open at `now`.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn open_enrolment(&self, person: PersonId, now: Wall) -> Result<Option<EnrolmentRow>> {
        let mut statement = self.db.prepare_cached(
            "select hash, person, kind, created_us, expires_us from enrolment
             where person = ? and used_us is null and expires_us > ? order by created_us desc limit 1",
        )?;
        Ok(statement
            .query_row(params![person, now], read_enrolment)
            .optional()?)
    }
}
