//! Persons as rights go: name, undertaking, validity. Their keys are rows of `person`, which come with their enrolment.

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::base::error::{Error, Kind, Result};
use crate::base::id::PersonId;
use crate::base::time::Wall;
use crate::catalog::closed::closed_texts;
use crate::catalog::column::Columns;
use crate::catalog::reader::Reader;

closed_texts! {
    /// The language of what a person reads.
    Language, "language" {
        /// Finnish.
        Fi = "fi",
        /// Swedish.
        Sv = "sv",
        /// English.
        En = "en",
    }
}

/// A confidentiality undertaking as a person signed it.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Undertaking {
    /// Version of its text: `2026-1`.
    pub version: String,
    /// When it was signed.
    pub signed: Wall,
    /// First instant at which it has lapsed; `None`: no end is set.
    pub until: Option<Wall>,
}

/// From when until when a person may sign in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Validity {
    /// First instant.
    pub from: Wall,
    /// First instant after; `None`: no end is set.
    pub until: Option<Wall>,
}

impl Validity {
    /// True when `now` lies within.
    pub fn holds(&self, now: Wall) -> bool {
        self.from <= now && self.until.is_none_or(|until| now < until)
    }
}

/// A person.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct AccountRow {
    /// Who.
    pub person: PersonId,
    /// Personal user name for signing in: `manager1`.
    pub name: String,
    /// Name as people read it.
    pub display: String,
    /// Of what the person reads.
    pub language: Language,
    /// The undertaking that was signed last; `None`: none, or it was withdrawn.
    pub undertaking: Option<Undertaking>,
    /// When the person may sign in.
    pub valid: Validity,
    /// When the person was added.
    pub added: Wall,
    /// When every right was taken for good.
    pub removed: Option<Wall>,
    /// When somebody last confirmed the rights.
    pub reviewed: Option<Wall>,
    /// Last sign-in.
    pub signed_in: Option<Wall>,
}

const SELECT: &str =
    "select person, name, display, language, undertaking, undertaking_us, undertaking_until_us,
     valid_from_us, valid_until_us, added_us, removed_us, reviewed_us, signed_in_us from account";

fn read(row: &Row<'_>) -> rusqlite::Result<AccountRow> {
    let mut columns = Columns::of(row);
    Ok(AccountRow {
        person: columns.get()?,
        name: columns.get()?,
        display: columns.get()?,
        language: columns.get()?,
        undertaking: {
            let version: Option<String> = columns.get()?;
            let signed: Option<Wall> = columns.get()?;
            let until = columns.get()?;
            version.zip(signed).map(|(version, signed)| Undertaking {
                version,
                signed,
                until,
            })
        },
        valid: Validity {
            from: columns.get()?,
            until: columns.get()?,
        },
        added: columns.get()?,
        removed: columns.get()?,
        reviewed: columns.get()?,
        signed_in: columns.get()?,
    })
}

pub(super) fn insert(db: &Connection, row: &AccountRow) -> Result<()> {
    let undertaking = row.undertaking.as_ref();
    db.prepare_cached(
        "insert into account (person, name, display, language, undertaking, undertaking_us, undertaking_until_us,
             valid_from_us, valid_until_us, added_us, removed_us, reviewed_us, signed_in_us)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        row.person,
        row.name,
        row.display,
        row.language,
        undertaking.map(|u| &u.version),
        undertaking.map(|u| u.signed),
        undertaking.and_then(|u| u.until),
        row.valid.from,
        row.valid.until,
        row.added,
        row.removed,
        row.reviewed,
        row.signed_in,
    ])?;
    Ok(())
}

/// What must have changed exactly one row.
pub(super) fn one(changed: usize, what: &str) -> Result<()> {
    match changed {
        1 => Ok(()),
        _ => Err(Error::new(
            Kind::NotFound,
            format!("there is no such {what}"),
        )),
    }
}

pub(super) fn set_undertaking(
    db: &Connection,
    person: PersonId,
    undertaking: Option<&Undertaking>,
) -> Result<()> {
    let changed = db
        .prepare_cached(
            "update account set undertaking = ?2, undertaking_us = ?3, undertaking_until_us = ?4 where person = ?1",
        )?
        .execute(params![
            person,
            undertaking.map(|u| &u.version),
            undertaking.map(|u| u.signed),
            undertaking.and_then(|u| u.until),
        ])?;
    one(changed, "person")
}

pub(super) fn set_validity(db: &Connection, person: PersonId, valid: Validity) -> Result<()> {
    let changed = db
        .prepare_cached(
            "update account set valid_from_us = ?2, valid_until_us = ?3 where person = ?1",
        )?
        .execute(params![person, valid.from, valid.until])?;
    one(changed, "person")
}

pub(super) fn set_language(db: &Connection, person: PersonId, language: Language) -> Result<()> {
    let changed = db
        .prepare_cached("update account set language = ?2 where person = ?1")?
        .execute(params![person, language])?;
    one(changed, "person")
}

/// Notes a time in one of the columns that hold one.
pub(super) fn note(db: &Connection, person: PersonId, column: Noted, at: Wall) -> Result<()> {
    let sql = match column {
        Noted::Removed => "update account set removed_us = ?2 where person = ?1",
        Noted::Reviewed => "update account set reviewed_us = ?2 where person = ?1",
        Noted::SignedIn => "update account set signed_in_us = ?2 where person = ?1",
    };
    one(
        db.prepare_cached(sql)?.execute(params![person, at])?,
        "person",
    )
}

/// What happened to a person at a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Noted {
    /// Every right was taken for good.
    Removed,
    /// Somebody confirmed the rights.
    Reviewed,
    /// The person signed in.
    SignedIn,
}

impl Reader {
    /// All persons by name, removed ones too.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn accounts(&self) -> Result<Vec<AccountRow>> {
        let mut statement = self.db.prepare_cached(&format!("{SELECT} order by name"))?;
        Ok(statement
            .query_map([], read)?
            .collect::<rusqlite::Result<_>>()?)
    }

    /// The person with this personal user name.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn account(&self, name: &str) -> Result<Option<AccountRow>> {
        let mut statement = self
            .db
            .prepare_cached(&format!("{SELECT} where name = ?"))?;
        Ok(statement.query_row([name], read).optional()?)
    }

    /// The person with this id.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn account_of(&self, person: PersonId) -> Result<Option<AccountRow>> {
        let mut statement = self
            .db
            .prepare_cached(&format!("{SELECT} where person = ?"))?;
        Ok(statement.query_row([person], read).optional()?)
    }
}
