//! Vault generations and their wrapped private halves.

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::base::error::Result;
use crate::base::id::{GenerationId, PersonId};
use crate::base::time::Wall;
use crate::catalog::column::Columns;
use crate::catalog::reader::Reader;

/// A vault generation.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct GenerationRow {
    /// Which.
    pub generation: GenerationId,
    /// Its public half, as age writes it.
    pub recipient: String,
    /// Since when.
    pub created: Wall,
    /// New segment keys are wrapped to it; true of one.
    pub current: bool,
}

/// A generation's private half, wrapped.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct WrapRow {
    /// Whose private half.
    pub generation: GenerationId,
    /// To whom; `None` = the recovery identity.
    pub person: Option<PersonId>,
    /// The age ciphertext.
    #[serde(with = "crate::catalog::json::bytes")]
    pub bytes: Vec<u8>,
}

pub(super) fn insert(
    db: &Connection,
    generation: GenerationId,
    recipient: &str,
    created: Wall,
) -> Result<()> {
    db.execute("update generation set current = 0 where current = 1", [])?;
    db.execute(
        "insert into generation (uuid, recipient, created_us, current) values (?, ?, ?, 1)",
        params![generation, recipient, created],
    )?;
    Ok(())
}

pub(super) fn insert_wrap(
    db: &Connection,
    generation: GenerationId,
    person: Option<PersonId>,
    bytes: &[u8],
) -> Result<()> {
    db.execute(
        "insert into wrap (generation, person, bytes) values (?, ?, ?)",
        params![generation, person, bytes],
    )?;
    if let Some(person) = person {
        db.execute(
            "insert or ignore into held (generation, person) values (?, ?)",
            params![generation, person],
        )?;
    }
    Ok(())
}

pub(super) fn drop_wraps_of(db: &Connection, person: PersonId) -> Result<()> {
    db.execute("delete from wrap where person = ?", [person])?;
    Ok(())
}

/// Nobody opens it any more. Its public half stays, so that a footage report can name it.
pub(super) fn destroy(db: &Connection, generation: GenerationId) -> Result<()> {
    db.execute(
        "delete from wrap where generation = ?1
             and not exists (select 1 from generation where uuid = ?1 and current = 1)
             and not exists (select 1 from segment where generation = ?1)
             and not exists (select 1 from disclosure_file where generation = ?1 and wiped_us is null)
             and not exists (select 1 from disclosure_scan where generation = ?1)",
        [generation],
    )?;
    db.execute(
        "delete from held where generation = ?1 and not exists (select 1 from wrap where generation = ?1)",
        [generation],
    )?;
    Ok(())
}

const SELECT: &str = "select uuid, recipient, created_us, current from generation";

fn read(row: &Row<'_>) -> rusqlite::Result<GenerationRow> {
    let mut columns = Columns::of(row);
    Ok(GenerationRow {
        generation: columns.get()?,
        recipient: columns.get()?,
        created: columns.get()?,
        current: columns.get()?,
    })
}

impl Reader {
    /// All generations, oldest first.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn generations(&self) -> Result<Vec<GenerationRow>> {
        let mut statement = self
            .db
            .prepare_cached(&format!("{SELECT} order by created_us, uuid"))?;
        Ok(statement
            .query_map([], read)?
            .collect::<rusqlite::Result<_>>()?)
    }

    /// The generation to which new segment keys are wrapped.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn current_generation(&self) -> Result<Option<GenerationRow>> {
        let mut statement = self
            .db
            .prepare_cached(&format!("{SELECT} where current = 1"))?;
        Ok(statement.query_row([], read).optional()?)
    }

    /// A person's wrap of one generation.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn wrap(&self, generation: GenerationId, person: PersonId) -> Result<Option<WrapRow>> {
        let mut wraps = self.wraps_where(
            "generation = ?1 and person = ?2",
            params![generation, person],
        )?;
        Ok(wraps.pop())
    }

    /// All wraps of a person: what signing in opens.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn wraps(&self, person: PersonId) -> Result<Vec<WrapRow>> {
        self.wraps_where("person = ?1", params![person])
    }

    /// The wrap of a generation to the recovery identity.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn wrap_for_recovery(&self, generation: GenerationId) -> Result<Option<WrapRow>> {
        let mut wraps =
            self.wraps_where("generation = ?1 and person is null", params![generation])?;
        Ok(wraps.pop())
    }

    /// Persons to whom a generation was ever wrapped, whether the wrap is still there or not.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn holders(&self, generation: GenerationId) -> Result<Vec<PersonId>> {
        let mut statement = self
            .db
            .prepare_cached("select person from held where generation = ? order by person")?;
        Ok(statement
            .query_map([generation], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?)
    }

    /// True when a generation that is not destroyed was ever wrapped to the person.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn ever_held(&self, person: PersonId) -> Result<bool> {
        let mut statement = self
            .db
            .prepare_cached("select 1 from held where person = ? limit 1")?;
        Ok(statement.exists([person])?)
    }

    /// Generations made before `before` that are not current, still open for somebody, and under which nothing is left.
    /// It reads the whole index of segments: once a day.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn empty_generations(&self, before: Wall) -> Result<Vec<GenerationId>> {
        let mut statement = self.db.prepare_cached(
            "select uuid from generation where current = 0
                 and exists (select 1 from wrap where wrap.generation = generation.uuid)
                 and exists (select 1 from generation as later
                     where later.created_us > generation.created_us and later.created_us < ?)
                 and uuid not in (select generation from segment)
                 and uuid not in (select generation from disclosure_file where wiped_us is null)
                 and uuid not in (select generation from disclosure_scan) order by created_us",
        )?;
        Ok(statement
            .query_map([before], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?)
    }

    fn wraps_where(
        &self,
        condition: &str,
        parameters: &[&dyn rusqlite::ToSql],
    ) -> Result<Vec<WrapRow>> {
        let mut statement = self.db.prepare_cached(&format!(
            "select generation, person, bytes from wrap where {condition} order by id"
        ))?;
        let rows = statement.query_map(parameters, |row| {
            let mut columns = Columns::of(row);
            Ok(WrapRow {
                generation: columns.get()?,
                person: columns.get()?,
                bytes: columns.get()?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}
