//! What is promised of a stream's footage, why, and where that stands; and shorter times that wait for two persons.

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::base::error::{Context, Error, Kind, Result};
use crate::base::id::{CameraId, StreamId, StreamKind};
use crate::base::time::Wall;
use crate::catalog::closed::closed_texts;
use crate::catalog::column::{Columns, int};
use crate::catalog::reader::Reader;
use crate::catalog::stream;

closed_texts! {
    /// Where a setting stands.
    Origin, "place of a setting" {
        /// Nowhere: it is the one that holds without a configuration.
        Default = "default",
        /// In `[retention]`.
        Site = "site",
        /// At the camera.
        Camera = "camera",
        /// At the camera, for this stream.
        Stream = "stream",
    }
}

/// A stream's policy, but for how long it is kept: that is in force by itself.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct PolicyRow {
    /// Whose.
    pub stream: StreamId,
    /// Seconds promised at least; 0: nothing is.
    pub guarantee_s: u32,
    /// Where the time that it is kept stands.
    pub keep_from: Origin,
    /// Where the promise stands.
    pub guarantee_from: Origin,
    /// What it is recorded for, as the configuration writes it.
    pub purposes: Vec<String>,
    /// Why it is kept for more than 72 hours.
    pub justification: Option<String>,
    /// Why it is kept for more than 365 days.
    pub special_reason: Option<String>,
    /// Where the sentence for it stands.
    pub documented_in: Option<String>,
}

/// Shorter times of a camera that are not in force yet.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct ShorteningRow {
    /// Its number.
    pub number: u64,
    /// Whose streams.
    pub camera: CameraId,
    /// Seconds for the full picture; `None`: it is not shortened.
    pub main_keep_s: Option<u32>,
    /// Seconds for the small picture; `None`: it is not shortened.
    pub sub_keep_s: Option<u32>,
    /// Since when the configuration asks for it.
    pub asked: Wall,
    /// When the first person confirmed, and who that was.
    pub first: Option<(Wall, String)>,
    /// When the second did, and who that was.
    pub second: Option<(Wall, String)>,
    /// When it comes into force; `None`: not before both.
    pub runs: Option<Wall>,
}

impl ShorteningRow {
    /// Seconds for a stream of the camera; `None`: it is not shortened.
    pub fn keep_s(&self, kind: StreamKind) -> Option<u32> {
        match kind {
            StreamKind::Main => self.main_keep_s,
            StreamKind::Sub => self.sub_keep_s,
        }
    }
}

/// Something about how long footage is kept.
#[derive(Clone, Debug)]
pub enum RetentionChange {
    /// A stream's policy from now on. Nothing happens for an unknown stream.
    PolicySet {
        /// It.
        policy: Box<PolicyRow>,
        /// When.
        at: Wall,
    },
    /// The configuration asks for shorter times; what was asked for that camera before is forgotten, and who confirmed it.
    ShorteningAsked {
        /// Whose streams.
        camera: CameraId,
        /// Seconds for the full picture, if it is shortened.
        main_keep_s: Option<u32>,
        /// Seconds for the small picture, if it is shortened.
        sub_keep_s: Option<u32>,
        /// When.
        at: Wall,
    },
    /// A person confirms one. `NotFound` when it is another by now, `Exists` when that person, or two, did already.
    ShorteningConfirmed {
        /// Its number.
        number: u64,
        /// When.
        at: Wall,
        /// Who.
        by: String,
        /// When it comes into force, if this person is the second.
        runs: Wall,
    },
    /// It is in force, or is not asked for any more.
    ShorteningOver {
        /// Whose streams.
        camera: CameraId,
    },
}

/// Writes one change inside the caller's transaction.
pub(super) fn apply(db: &Connection, change: &RetentionChange) -> Result<()> {
    match change {
        RetentionChange::PolicySet { policy, at } => {
            set(db, policy, *at).context(|| format!("noting the policy of {}", policy.stream))
        }
        RetentionChange::ShorteningAsked {
            camera,
            main_keep_s,
            sub_keep_s,
            at,
        } => {
            over(db, camera)?;
            db.prepare_cached(
                "insert into shortening (camera, main_keep_s, sub_keep_s, asked_us) values (?, ?, ?, ?)",
            )?
            .execute(params![camera, main_keep_s, sub_keep_s, at])?;
            Ok(())
        }
        RetentionChange::ShorteningConfirmed {
            number,
            at,
            by,
            runs,
        } => confirm(db, *number, *at, by, *runs)
            .context(|| "confirming that footage is kept for a shorter time"),
        RetentionChange::ShorteningOver { camera } => over(db, camera),
    }
}

fn over(db: &Connection, camera: &CameraId) -> Result<()> {
    db.prepare_cached("delete from shortening where camera = ?")?
        .execute([camera])?;
    Ok(())
}

fn confirm(db: &Connection, number: u64, at: Wall, by: &str, runs: Wall) -> Result<()> {
    let found: Option<(Option<String>, bool)> = db
        .prepare_cached("select first_by, second_by is not null from shortening where id = ?")?
        .query_row([int(number)], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (sql, values) = match found {
        None => {
            let text = "there is no such shortening any more; look anew: sinetti retention";
            return Err(Error::new(Kind::NotFound, text));
        }
        Some((_, true)) => {
            return Err(Error::new(Kind::Exists, "two persons confirmed it already"));
        }
        Some((Some(first), false)) if first == by => {
            let text = "that person confirmed it already; the second is another one";
            return Err(Error::new(Kind::Exists, text));
        }
        Some((Some(_), false)) => (
            "update shortening set second_us = ?2, second_by = ?3, runs_us = ?4 where id = ?1",
            Some(runs),
        ),
        Some((None, _)) => (
            "update shortening set first_us = ?2, first_by = ?3, runs_us = ?4 where id = ?1",
            None,
        ),
    };
    db.prepare_cached(sql)?
        .execute(params![int(number), at, by, values])?;
    Ok(())
}

fn set(db: &Connection, policy: &PolicyRow, at: Wall) -> Result<()> {
    let Some(id) = stream::find(db, &policy.stream)? else {
        return Ok(());
    };
    db.prepare_cached(
        "insert into policy (stream, guarantee_s, keep_from, guarantee_from, purposes, justification, special_reason,
             documented_in, since_us)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         on conflict (stream) do update set guarantee_s = ?2, keep_from = ?3, guarantee_from = ?4, purposes = ?5,
             justification = ?6, special_reason = ?7, documented_in = ?8, since_us = ?9",
    )?
    .execute(params![
        id,
        policy.guarantee_s,
        policy.keep_from,
        policy.guarantee_from,
        policy.purposes.join(" "),
        policy.justification,
        policy.special_reason,
        policy.documented_in,
        at,
    ])?;
    Ok(())
}

/// What ended before `before` was expired once: it stays so, however long the stream is kept from now on.
pub(super) fn raise_floor(db: &Connection, stream: i64, before: Wall, at: Wall) -> Result<()> {
    db.prepare_cached(
        "insert into policy (stream, guarantee_s, keep_from, guarantee_from, purposes, since_us, expired_us)
         values (?1, 0, 'default', 'default', '', ?3, ?2)
         on conflict (stream) do update set expired_us = max(coalesce(expired_us, ?2), ?2)",
    )?
    .execute(params![stream, before, at])?;
    Ok(())
}

fn read_policy(row: &Row<'_>) -> rusqlite::Result<PolicyRow> {
    let mut columns = Columns::of(row);
    Ok(PolicyRow {
        stream: StreamId {
            camera: columns.get()?,
            kind: columns.get()?,
        },
        guarantee_s: columns.get()?,
        keep_from: columns.get()?,
        guarantee_from: columns.get()?,
        purposes: columns
            .get::<String>()?
            .split_whitespace()
            .map(str::to_owned)
            .collect(),
        justification: columns.get()?,
        special_reason: columns.get()?,
        documented_in: columns.get()?,
    })
}

fn read_shortening(row: &Row<'_>) -> rusqlite::Result<ShorteningRow> {
    let mut columns = Columns::of(row);
    let mut found = ShorteningRow {
        number: columns.count()?,
        camera: columns.get()?,
        main_keep_s: columns.get()?,
        sub_keep_s: columns.get()?,
        asked: columns.get()?,
        first: None,
        second: None,
        runs: None,
    };
    let mut who = || -> rusqlite::Result<_> {
        let (at, by): (Option<Wall>, Option<String>) = (columns.get()?, columns.get()?);
        Ok(at.zip(by))
    };
    (found.first, found.second) = (who()?, who()?);
    found.runs = columns.get()?;
    Ok(found)
}

impl Reader {
    /// The policies of all streams that have one, by stream.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn policies(&self) -> Result<Vec<PolicyRow>> {
        let mut statement = self.db.prepare_cached(
            "select camera.name, stream.kind, guarantee_s, keep_from, guarantee_from, purposes, justification,
                 special_reason, documented_in
             from policy join stream on stream.id = policy.stream join camera on camera.id = stream.camera
             order by camera.name, stream.kind",
        )?;
        let rows = statement.query_map([], read_policy)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Shorter times that are not in force yet, by camera.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn shortenings(&self) -> Result<Vec<ShorteningRow>> {
        let mut statement = self.db.prepare_cached(
            "select id, camera, main_keep_s, sub_keep_s, asked_us, first_us, first_by, second_us, second_by, runs_us
             from shortening order by camera",
        )?;
        let rows = statement.query_map([], read_shortening)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}
