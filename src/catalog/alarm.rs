//! Alarms: what somebody has to look at. At most one of a kind is up for an object. Each change writes its own entry of the
//! ledger, in the same transaction.
//!
//! What raises and clears them is decided in `alarm`; here is what they are and where they are kept.

use std::fmt;
use std::str::FromStr;

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::json;

use crate::base::error::{Context, Error, Kind, Result};
use crate::base::time::Wall;
use crate::catalog::column::{Columns, int};
use crate::catalog::event::{self, Event};
use crate::catalog::reader::Reader;

/// What is over is remembered for so long, in microseconds: a year. The ledger keeps its entries.
const KEPT_US: i64 = 365 * 86_400_000_000;
/// So many that are over are kept at most; the oldest go first.
const OVER_MAX: u64 = 10_000;
/// Longest object, in characters.
const OBJECT_CHARS_MAX: usize = 200;
/// Longest detail, in characters.
const DETAIL_CHARS_MAX: usize = 1000;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $text:literal: $effect:literal, $remedy:literal;)*) => {
        /// What is wrong. The text forms never change: they are in catalogs, ledgers and what alarm targets get.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum AlarmKind {
            $($(#[$doc])* $name,)*
        }

        impl AlarmKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its stable text.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// What it means while it lasts.
            pub const fn effect(self) -> &'static str {
                match self { $(Self::$name => $effect,)* }
            }

            /// What to do.
            pub const fn remedy(self) -> &'static str {
                match self { $(Self::$name => $remedy,)* }
            }
        }
    };
}

kinds! {
    /// A stream is not recorded because of its camera or the network.
    CameraLost = "camera-lost": "nothing is recorded of this stream",
        "look at the camera's power, cable, address and password: sinetti camera probe";
    /// A stream is not recorded for a reason of the box's own, or only with many holes.
    Gap = "gap": "nothing, or not all, is recorded of this stream", "sinetti ls says why: see Gaps in docs/operating.md";
    /// A volume cannot be opened.
    VolumeMissing = "volume-missing": "its cameras are not recorded, and what lies there can be neither shown nor deleted",
        "mount it, or look at why it is another's: sinetti doctor";
    /// A volume has no room, and no footage that would make room by going.
    VolumeFull = "volume-full": "its cameras are not recorded", "look at what else lies there, or get a larger disk";
    /// The disk refuses to write, or to read.
    VolumeFailing = "volume-failing": "its cameras are not recorded, or not surely",
        "look at the disk, and replace it: dmesg, smartctl -a";
    /// What should be durable is not, and the disk does not take more.
    VolumeBehind = "volume-behind": "pictures are about to be lost: the disk does not take them fast enough",
        "look at what else uses the disk: dmesg, smartctl -a; fewer cameras a disk";
    /// What is written becomes durable too late.
    SyncLag = "sync-lag": "a power cut would lose more than it should", "look at the disk: dmesg, smartctl -a";
    /// Something is kept longer than it may be, or would be: deletion is in trouble.
    SweepLate = "sweep-late": "footage is kept for longer than it may be; it cannot be shown",
        "sinetti retention says what stands in the way";
    /// A volume loses its oldest footage before its time.
    EarlyDeletion = "early-deletion": "footage is lost before the time for which it should be kept",
        "get a larger disk, or keep footage for a shorter time";
    /// Footage went before the time for which it is promised.
    GuaranteeLost = "guarantee-lost": "footage that was promised to be there is not",
        "get a larger disk, or promise less: [retention] in sinetti.toml";
    /// A hold waits for somebody to look at it again, or ends soon.
    HoldReview = "hold-review": "footage may be held without need, or be let go while it is needed",
        "review, extend or release it: sinetti hold list";
    /// An answer that a law gives a time for is due within days, or late.
    AnswerDue = "answer-due": "a data subject's request would be answered late", "decide it, and hand the copy over: sinetti disclosure list";
    /// Copies that the house promised to destroy are there within a day of that date, or after it.
    CopiesDue = "copies-due": "the house's own copies of a disclosure would be kept for longer than was said",
        "destroy them, those outside of the box too, and note it: sinetti disclosure destroy";
    /// Nothing keeps the host's clock.
    ClockUnsynchronised = "clock-unsynchronised": "times of footage are only as good as the box's own clock",
        "look at the time service: timedatectl, chronyc sources";
    /// The time of day cannot be right, or may not be.
    ClockInDoubt = "clock-in-doubt": "footage is not deleted until it is believed again",
        "set the clock, or say that it is right: sinetti clock confirm";
    /// The host's clock was set.
    ClockStepped = "clock-stepped": "footage around this time is marked as uncertain in time",
        "find out who or what set the clock: journalctl";
    /// Footage does not read as it was written.
    ScrubDamage = "scrub-damage": "these segments cannot be handed out whole",
        "sinetti scrub names them; look at the disk: smartctl -a";
    /// Footage that the catalog promises is not there.
    ScrubMissing = "scrub-missing": "these segments are lost", "sinetti check names them; find out who removed them";
    /// Somebody else changed something where only Sinetti writes, or files lie there that are not its own.
    Stranger = "stranger": "footage may have been removed or tampered with",
        "find out who has access to this machine; sinetti check --deep; then acknowledge it";
    /// The certificate of pages and API ends soon.
    Certificate = "certificate": "browsers will refuse the pages", "renew it: see docs/operating.md";
    /// Nobody may play back, or nobody will soon.
    VaultHolder = "vault-holder": "what is recorded opens with the recovery shares alone",
        "extend or add a person who may play back: sinetti user list";
    /// Nobody took a checkpoint away for long.
    NoAnchor = "no-anchor": "a rewritten ledger would not be noticed", "sinetti ledger anchor";
    /// The ledger cannot be signed.
    LedgerTrouble = "ledger-trouble": "nothing is handed out", "sinetti ledger verify";
    /// The copy of the ledger on a volume cannot be kept.
    LedgerMirror = "ledger-mirror": "a lost state folder would take the ledger with it, or the volume has another ledger",
        "sinetti status says what is wrong with it";
    /// The last backup is too old, or there never was one.
    BackupOverdue = "backup-overdue": "a lost state folder would take persons, rights and reasons with it",
        "sinetti backup DIR, and a timer that does it";
    /// Something lies on the box for longer than it may.
    OverAge = "over-age": "something is kept for longer than it may be",
        "sinetti ledger show --action over-age names it; remove what Sinetti may not remove by itself";
    /// What could not be read had no room any more, or not all of it.
    Quarantine = "quarantine": "files that could not be read were deleted before anybody looked at them",
        "look at the disk: dmesg, smartctl -a; max_gib under [quarantine] gives it more room";
    /// Alarms do not reach their target.
    Delivery = "delivery": "nobody is told of alarms who does not look", "look at the target and at [alarm]: sinetti alarms test";
}

impl AlarmKind {
    /// Nothing is lost yet: it is told, and `sinetti status` ends as if all were well.
    pub const fn is_warning(self) -> bool {
        matches!(
            self,
            Self::ClockUnsynchronised
                | Self::Certificate
                | Self::VaultHolder
                | Self::HoldReview
                | Self::AnswerDue
                | Self::CopiesDue
                | Self::BackupOverdue
        )
    }

    /// It was an act of somebody and not a state: it stays up until a person has looked.
    pub const fn waits_for_person(self) -> bool {
        matches!(self, Self::Stranger)
    }
}

impl fmt::Display for AlarmKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for AlarmKind {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        Self::ALL
            .iter()
            .find(|kind| kind.as_str() == text)
            .copied()
            .ok_or_else(|| Error::invalid(format!("\"{text}\" is no kind of alarm")))
    }
}

impl serde::Serialize for AlarmKind {
    fn serialize<S: serde::Serializer>(&self, ser: S) -> Result<S::Ok, S::Error> {
        ser.serialize_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for AlarmKind {
    fn deserialize<D: serde::Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
        String::deserialize(de)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl ToSql for AlarmKind {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_str().into())
    }
}

impl FromSql for AlarmKind {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_str()?.parse().map_err(FromSqlError::other)
    }
}

/// An alarm.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct AlarmRow {
    /// Its number.
    pub id: u64,
    /// What is wrong.
    pub kind: AlarmKind,
    /// With what: `kassa-1/main`, a volume, `clock`.
    pub object: String,
    /// What more is known, for people.
    pub detail: String,
    /// Since when.
    pub raised: Wall,
    /// When a person said that they had seen it.
    pub acknowledged: Option<Wall>,
    /// Who that was.
    pub acknowledged_by: Option<String>,
    /// When it was over; `None` while it is up.
    pub cleared: Option<Wall>,
}

impl AlarmRow {
    /// Somebody has to look, and nobody has.
    pub fn is_pressing(&self) -> bool {
        self.cleared.is_none() && self.acknowledged.is_none() && !self.kind.is_warning()
    }
}

/// One change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AlarmChange {
    /// Something is wrong. When that is up already, only its detail is renewed, without an entry.
    Raised {
        /// What.
        kind: AlarmKind,
        /// With what; cut at 200 characters.
        object: String,
        /// What more is known; cut at 1000 characters.
        detail: String,
        /// Since when.
        at: Wall,
    },
    /// A person has seen it. `NotFound` when there is no such alarm, `Exists` when somebody has already.
    Acknowledged {
        /// Its number.
        id: u64,
        /// Who.
        by: String,
        /// When.
        at: Wall,
    },
    /// It is over. Nothing happens when it is already.
    Cleared {
        /// Its number.
        id: u64,
        /// When.
        at: Wall,
    },
}

/// Writes one change, with its entry, inside the caller's transaction.
pub(super) fn apply(db: &Connection, change: &AlarmChange) -> Result<()> {
    match change {
        AlarmChange::Raised {
            kind,
            object,
            detail,
            at,
        } => raise(db, *kind, object, detail, *at)
            .context(|| format!("raising the alarm {kind} of {object}")),
        AlarmChange::Acknowledged { id, by, at } => {
            acknowledge(db, *id, by, *at).context(|| format!("acknowledging alarm {id}"))
        }
        AlarmChange::Cleared { id, at } => {
            clear(db, *id, *at).context(|| format!("clearing alarm {id}"))
        }
    }
}

fn raise(db: &Connection, kind: AlarmKind, object: &str, detail: &str, at: Wall) -> Result<()> {
    let object = bounded(object, OBJECT_CHARS_MAX);
    let detail = bounded(detail, DETAIL_CHARS_MAX);
    let renewed = db
        .prepare_cached(
            "update alarm set detail = ?3 where kind = ?1 and object = ?2 and cleared_us is null",
        )?
        .execute(params![kind, object, detail])?;
    if renewed > 0 {
        return Ok(());
    }
    db.prepare_cached("insert into alarm (kind, object, detail, raised_us) values (?, ?, ?, ?)")?
        .execute(params![kind, object, detail, at])?;
    let id = u64::try_from(db.last_insert_rowid()).unwrap_or_default();
    let facts = json!({ "alarm": id, "kind": kind });
    tell(
        db,
        "alarm-raised",
        &object,
        at,
        facts,
        &json!({ "text": detail }),
    )
}

fn acknowledge(db: &Connection, id: u64, by: &str, at: Wall) -> Result<()> {
    let row = find(db, id)?.ok_or_else(|| {
        let text = format!("there is no alarm {id}; sinetti alarms lists them");
        Error::new(Kind::NotFound, text)
    })?;
    if row.acknowledged.is_some() {
        return Err(Error::new(
            Kind::Exists,
            format!("alarm {id} is acknowledged already"),
        ));
    }
    let by = bounded(by, OBJECT_CHARS_MAX);
    db.prepare_cached("update alarm set acknowledged_us = ?, acknowledged_by = ? where id = ?")?
        .execute(params![at, by, int(id)])?;
    let facts = json!({ "alarm": id, "kind": row.kind });
    tell(
        db,
        "alarm-acknowledged",
        &row.object,
        at,
        facts,
        &json!({ "by": by }),
    )
}

fn clear(db: &Connection, id: u64, at: Wall) -> Result<()> {
    let Some(row) = find(db, id)?.filter(|row| row.cleared.is_none()) else {
        return Ok(());
    };
    db.prepare_cached("update alarm set cleared_us = ? where id = ?")?
        .execute(params![at, int(id)])?;
    db.prepare_cached(
        "delete from alarm where cleared_us < ?1 or cleared_us is not null and id <= (
             select id from alarm where cleared_us is not null order by id desc limit 1 offset ?2)",
    )?
    .execute(params![at.plus_us(-KEPT_US), int(OVER_MAX)])?;
    let facts = json!({ "alarm": id, "kind": row.kind });
    let detail = json!({ "text": row.detail });
    tell(db, "alarm-cleared", &row.object, at, facts, &detail)
}

/// Whatever flaps is counted after the third time in a minute.
fn tell(
    db: &Connection,
    action: &str,
    object: &str,
    at: Wall,
    facts: serde_json::Value,
    detail: &serde_json::Value,
) -> Result<()> {
    let event = Event {
        detail: Some(detail.clone()),
        frequent: true,
        ..Event::of_box(at, action, object, facts)
    };
    event::insert(db, &event).map(drop)
}

/// At most so many characters, at least one.
fn bounded(text: &str, chars_max: usize) -> String {
    let bounded: String = text.chars().take(chars_max).collect();
    if bounded.is_empty() {
        "-".to_owned()
    } else {
        bounded
    }
}

const COLUMNS: &str =
    "id, kind, object, detail, raised_us, acknowledged_us, acknowledged_by, cleared_us";

fn read(row: &Row<'_>) -> rusqlite::Result<AlarmRow> {
    let mut columns = Columns::of(row);
    Ok(AlarmRow {
        id: columns.count()?,
        kind: columns.get()?,
        object: columns.get()?,
        detail: columns.get()?,
        raised: columns.get()?,
        acknowledged: columns.get()?,
        acknowledged_by: columns.get()?,
        cleared: columns.get()?,
    })
}

fn find(db: &Connection, id: u64) -> Result<Option<AlarmRow>> {
    let mut statement = db.prepare_cached(&format!("select {COLUMNS} from alarm where id = ?"))?;
    Ok(statement.query_row([int(id)], read).optional()?)
}

impl Reader {
    /// Alarms that are up, the oldest first.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn alarms_up(&self) -> Result<Vec<AlarmRow>> {
        let mut statement = self.db.prepare_cached(&format!(
            "select {COLUMNS} from alarm where cleared_us is null order by id"
        ))?;
        Ok(statement
            .query_map([], read)?
            .collect::<rusqlite::Result<_>>()?)
    }

    /// The last `count_max` alarms, up or over, the newest first.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn alarms(&self, count_max: u32) -> Result<Vec<AlarmRow>> {
        let mut statement = self.db.prepare_cached(&format!(
            "select {COLUMNS} from alarm order by id desc limit ?"
        ))?;
        Ok(statement
            .query_map([count_max], read)?
            .collect::<rusqlite::Result<_>>()?)
    }

    /// One alarm.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn alarm(&self, id: u64) -> Result<Option<AlarmRow>> {
        find(&self.db, id)
    }
}
