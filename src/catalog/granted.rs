//! Roles that persons hold, or held: who may what, since when, by whom.

use rusqlite::{Connection, params};

use crate::base::error::Result;
use crate::base::id::{CameraId, PersonId};
use crate::base::time::Wall;
use crate::catalog::account::one;
use crate::catalog::closed::closed_texts;
use crate::catalog::column::{Columns, int};
use crate::catalog::reader::Reader;

closed_texts! {
    /// What a person is to the box. What each may do: the matrix in `access::role`.
    Role, "role" {
        /// Watches live pictures of their own cameras.
        Staff = "staff",
        /// Plays back their own cameras, asks for disclosures and holds.
        Manager = "manager",
        /// Answers for the footage: approves, releases, decides, confirms rights.
        Controller = "controller",
        /// Reads the ledger and all registers; sees no picture.
        Auditor = "auditor",
        /// Administers persons, cameras and the box; sees no picture.
        Admin = "admin",
        /// Mends cameras until the job ends; sees live pictures of those.
        Maintenance = "maintenance",
    }
}

impl Role {
    /// True for roles whose holders get the vault generations: those who may play back.
    pub const fn opens_vault(self) -> bool {
        matches!(self, Self::Manager | Self::Controller)
    }
}

/// The cameras that a role reaches.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cameras {
    /// Every camera, later ones too.
    All,
    /// These.
    Only(Vec<CameraId>),
}

impl Cameras {
    /// True when `camera` is among them.
    pub fn has(&self, camera: &CameraId) -> bool {
        match self {
            Self::All => true,
            Self::Only(list) => list.contains(camera),
        }
    }
}

/// A role that a person holds or held.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct GrantRow {
    /// Its number; 0 before it is written.
    pub number: u64,
    /// To whom.
    pub person: PersonId,
    /// What the person is by it.
    pub role: Role,
    /// Which cameras it reaches.
    pub cameras: Cameras,
    /// A manager who may approve disclosures.
    pub approves: bool,
    /// From when on.
    pub since: Wall,
    /// Who granted it: a person's id, or `console`.
    pub by: String,
    /// First instant after; `None`: no end is set.
    pub until: Option<Wall>,
    /// Since when a controller stands behind it, and who that was; `None`: what it says about the vault and approval rests.
    pub confirmed: Option<(Wall, String)>,
    /// When it was taken.
    pub ended: Option<Wall>,
}

impl GrantRow {
    /// True when it is neither taken nor over, and has begun.
    pub fn is_in_force(&self, now: Wall) -> bool {
        self.ended.is_none() && self.since <= now && self.until.is_none_or(|until| now < until)
    }
}

pub(super) fn insert(db: &Connection, row: &GrantRow) -> Result<()> {
    db.prepare_cached(
        "insert into granted (person, role, all_cameras, approves, since_us, by, until_us, confirmed_us, confirmed_by, ended_us)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        row.person,
        row.role,
        row.cameras == Cameras::All,
        row.approves,
        row.since,
        row.by,
        row.until,
        row.confirmed.as_ref().map(|(at, _)| at),
        row.confirmed.as_ref().map(|(_, by)| by),
        row.ended,
    ])?;
    let number = db.last_insert_rowid();
    if let Cameras::Only(cameras) = &row.cameras {
        let mut statement = db.prepare_cached(
            "insert or ignore into granted_camera (granted, camera) values (?, ?)",
        )?;
        for camera in cameras {
            statement.execute(params![number, camera])?;
        }
    }
    Ok(())
}

/// A controller stands behind what the person holds.
pub(super) fn confirm(db: &Connection, person: PersonId, at: Wall, by: &str) -> Result<()> {
    db.prepare_cached(
        "update granted set confirmed_us = ?2, confirmed_by = ?3
         where person = ?1 and ended_us is null and confirmed_us is null",
    )?
    .execute(params![person, at, by])?;
    Ok(())
}

/// Until a controller confirms again, what the person holds says nothing about the vault and approval.
pub(super) fn rest(db: &Connection, person: PersonId) -> Result<()> {
    db.prepare_cached(
        "update granted set confirmed_us = null, confirmed_by = null where person = ?1 and ended_us is null",
    )?
    .execute(params![person])?;
    Ok(())
}

pub(super) fn end(db: &Connection, number: u64, at: Wall) -> Result<()> {
    let changed = db
        .prepare_cached("update granted set ended_us = ?2 where id = ?1 and ended_us is null")?
        .execute(params![int(number), at])?;
    one(changed, "role in force")
}

impl Reader {
    /// Every role that anybody holds or held, in the order in which they were granted.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn grants(&self) -> Result<Vec<GrantRow>> {
        let mut of_camera = self.db.prepare_cached(
            "select camera from granted_camera where granted = ? order by camera",
        )?;
        let mut statement = self.db.prepare_cached(
            "select id, person, role, all_cameras, approves, since_us, by, until_us, confirmed_us, confirmed_by, ended_us
             from granted order by id",
        )?;
        let mut rows = statement.query([])?;
        let mut grants = Vec::new();
        while let Some(row) = rows.next()? {
            let mut columns = Columns::of(row);
            let number = columns.count()?;
            let (person, role) = (columns.get()?, columns.get()?);
            let all: bool = columns.get()?;
            let cameras = if all {
                Cameras::All
            } else {
                let list = of_camera.query_map([int(number)], |row| row.get(0))?;
                Cameras::Only(list.collect::<rusqlite::Result<_>>()?)
            };
            grants.push(GrantRow {
                number,
                person,
                role,
                cameras,
                approves: columns.get()?,
                since: columns.get()?,
                by: columns.get()?,
                until: columns.get()?,
                confirmed: {
                    let at: Option<Wall> = columns.get()?;
                    at.zip(columns.get()?)
                },
                ended: columns.get()?,
            });
        }
        Ok(grants)
    }
}
