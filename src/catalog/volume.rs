//! Footage volumes that were ever there.

use rusqlite::{Connection, OptionalExtension, params};

use crate::base::error::{Error, Kind, Result};
use crate::base::id::VolumeId;
use crate::catalog::column::Columns;
use crate::catalog::reader::Reader;

/// A volume.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct VolumeRow {
    /// Which.
    pub volume: VolumeId,
    /// Its name in the configuration.
    pub name: String,
    /// Where it was mounted when it was last seen.
    pub path: String,
}

pub(super) fn seen(db: &Connection, volume: VolumeId, name: &str, path: &str) -> Result<()> {
    db.prepare_cached(
        "insert into volume (uuid, name, path) values (?1, ?2, ?3)
         on conflict (uuid) do update set name = ?2, path = ?3 where name <> ?2 or path <> ?3",
    )?
    .execute(params![volume, name, path])?;
    Ok(())
}

/// The volume's number.
pub(super) fn find(db: &Connection, volume: VolumeId) -> Result<i64> {
    db.prepare_cached("select id from volume where uuid = ?")?
        .query_row([volume], |row| row.get(0))
        .optional()?
        .ok_or_else(|| Error::new(Kind::NotFound, format!("volume {volume} is unknown")))
}

impl Reader {
    /// All volumes.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn volumes(&self) -> Result<Vec<VolumeRow>> {
        let mut statement = self
            .db
            .prepare_cached("select uuid, name, path from volume order by id")?;
        let rows = statement.query_map([], |row| {
            let mut columns = Columns::of(row);
            Ok(VolumeRow {
                volume: columns.get()?,
                name: columns.get()?,
                path: columns.get()?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}
