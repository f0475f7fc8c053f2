//! Keys of persons who have enrolled, as the vault records them.

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::base::error::{Error, Kind, Result};
use crate::base::id::PersonId;
use crate::catalog::column::Columns;
use crate::catalog::reader::Reader;

/// A person.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct PersonRow {
    /// Who.
    pub person: PersonId,
    /// Name for signing in.
    pub name: String,
    /// The vault's record as JSON text.
    pub row: String,
}

fn read(row: &Row<'_>) -> rusqlite::Result<PersonRow> {
    let mut columns = Columns::of(row);
    Ok(PersonRow {
        person: columns.get()?,
        name: columns.get()?,
        row: columns.get()?,
    })
}

/// The person's keys: the first ones, or others in their place.
pub(super) fn put(db: &Connection, person: PersonId, name: &str, row: &str) -> Result<()> {
    db.prepare_cached(
        "insert into person (uuid, name, row) values (?, ?, ?)
         on conflict (uuid) do update set row = excluded.row",
    )?
    .execute(params![person, name, row])?;
    Ok(())
}

fn others() -> Error {
    let text = "the person's keys are others by now, or gone; look at them again";
    Error::new(Kind::Denied, text)
}

/// That the person's record is still `row`.
pub(super) fn check_same(db: &Connection, person: PersonId, row: &str) -> Result<()> {
    let mut statement = db.prepare_cached("select 1 from person where uuid = ? and row = ?")?;
    if statement.exists(params![person, row])? {
        Ok(())
    } else {
        Err(others())
    }
}

/// Another record in place of `before`, and of no other.
pub(super) fn reseal(db: &Connection, person: PersonId, before: &str, row: &str) -> Result<()> {
    let changed = db
        .prepare_cached("update person set row = ?3 where uuid = ?1 and row = ?2")?
        .execute(params![person, before, row])?;
    if changed == 1 { Ok(()) } else { Err(others()) }
}

/// The person has no keys any more; the wraps must have gone before.
pub(super) fn drop(db: &Connection, person: PersonId) -> Result<()> {
    db.execute("delete from person where uuid = ?", [person])?;
    Ok(())
}

impl Reader {
    /// The person with this id.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn person_of(&self, person: PersonId) -> Result<Option<PersonRow>> {
        let mut statement = self
            .db
            .prepare_cached("select uuid, name, row from person where uuid = ?")?;
        Ok(statement.query_row([person], read).optional()?)
    }

    /// All persons by name.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn persons(&self) -> Result<Vec<PersonRow>> {
        let mut statement = self
            .db
            .prepare_cached("select uuid, name, row from person order by name")?;
        Ok(statement
            .query_map([], read)?
            .collect::<rusqlite::Result<_>>()?)
    }

    /// The person who signs in as `name`.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn person(&self, name: &str) -> Result<Option<PersonRow>> {
        let mut statement = self
            .db
            .prepare_cached("select uuid, name, row from person where name = ?")?;
        Ok(statement.query_row([name], read).optional()?)
    }
}
