//! Holds: intervals of cameras whose footage is kept past its time.
//!
//! What does not belong here: who may place, see or release one.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::base::error::{Context, Error, Kind, Result};
use crate::base::id::{CameraId, HoldId};
use crate::base::time::{Span, Wall};
use crate::catalog::closed::closed_texts;
use crate::catalog::column::Columns;
use crate::catalog::reader::Reader;

/// A hold that ends by itself is told of so long before, in microseconds: 14 days.
const WARNS_US: i64 = 14 * 86_400_000_000;
/// What a hold held is forgotten so long after it, in microseconds: a year. The ledger keeps its entries.
const KEPT_US: i64 = 365 * 86_400_000_000;

closed_texts! {
    /// What a hold is for.
    HoldKind, "kind of hold" {
        /// Something that is being looked into.
        Case = "case",
        /// An authority has ordered that footage is not destroyed. Secret; it gives nobody a right to the content.
        PreservationOrder = "preservation-order",
        /// A data subject has asked that it is kept and not used (GDPR 18).
        Restriction = "restriction",
        /// A data subject has asked for a copy.
        AccessRequest = "access-request",
    }
}

impl HoldKind {
    /// True when only those who handle it may know what it is, and of what.
    pub const fn is_secret(self) -> bool {
        matches!(self, Self::PreservationOrder)
    }
}

/// A hold.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct HoldRow {
    /// Its number.
    pub hold: HoldId,
    /// What for.
    pub kind: HoldKind,
    /// What is held: every segment that shares an instant with it, recorded already or not.
    pub span: Span,
    /// Of which cameras, both streams.
    pub cameras: BTreeSet<CameraId>,
    /// The case, order or request, as it is called elsewhere.
    pub matter: String,
    /// Why, in words.
    pub reason: String,
    /// Since when.
    pub placed: Wall,
    /// By whom: a person's id.
    pub placed_by: String,
    /// Somebody looks at it again by then.
    pub review: Wall,
    /// When a controller last stood behind it, and who that was.
    pub reviewed: Option<(Wall, String)>,
    /// It ends by itself then; `None`: when it is released.
    pub until: Option<Wall>,
    /// Its end; `None`: it is in force.
    pub ended: Option<HoldEnd>,
}

/// The end of a hold.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct HoldEnd {
    /// When it was released, or ended by itself.
    pub at: Wall,
    /// Who released it: a person's id, or `box`.
    pub by: String,
    /// Up to then what it held is kept all the same.
    pub gone: Wall,
}

impl HoldRow {
    /// True when it keeps footage at `now`: until it ends, and for the time after that.
    pub fn keeps(&self, now: Wall) -> bool {
        self.ended.as_ref().is_none_or(|ended| now <= ended.gone)
    }

    /// True when somebody should look at it: its review is due, or it ends by itself within [`WARNS_US`].
    pub fn is_due(&self, now: Wall) -> bool {
        let ends = self.until.map(|until| until.plus_us(-WARNS_US));
        self.ended.is_none() && (self.review <= now || ends.is_some_and(|at| at <= now))
    }

    /// True when it is of a segment from `start` to `end`.
    pub fn holds(&self, camera: &CameraId, start: Wall, end: Wall) -> bool {
        let end = end.max(start.plus_us(1));
        self.cameras.contains(camera) && start < self.span.end && end > self.span.start
    }
}

/// Something about a hold.
#[derive(Clone, Debug)]
pub enum HoldChange {
    /// It is placed, or found on a volume. `Exists` when the number is taken.
    Placed(Box<HoldRow>),
    /// A controller stands behind it. `NotFound` when it is unknown or has ended.
    Reviewed {
        /// Which.
        hold: HoldId,
        /// When.
        at: Wall,
        /// Who.
        by: String,
        /// By when it is looked at again.
        review: Wall,
    },
    /// It holds more, or for longer. `NotFound` when it is unknown or has ended.
    Extended {
        /// Which.
        hold: HoldId,
        /// First instant that is not held any more; never earlier than before.
        end: Wall,
        /// It ends by itself then.
        until: Option<Wall>,
        /// By when it is looked at again.
        review: Wall,
    },
    /// It ends. `NotFound` when it is unknown or has ended.
    Ended {
        /// Which.
        hold: HoldId,
        /// How.
        end: HoldEnd,
    },
    /// Those that have held nothing for a year are forgotten.
    Forgotten {
        /// Now.
        at: Wall,
    },
}

/// Writes one change inside the caller's transaction.
pub(super) fn apply(db: &Connection, change: &HoldChange) -> Result<()> {
    match change {
        HoldChange::Placed(row) => {
            insert(db, row).context(|| format!("placing hold {}", row.hold))
        }
        HoldChange::Reviewed {
            hold,
            at,
            by,
            review,
        } => one(
            db.prepare_cached(
                "update hold set reviewed_us = ?2, reviewed_by = ?3, review_us = ?4 where id = ?1 and ended_us is null",
            )?
            .execute(params![hold, at, by, review])?,
            *hold,
        ),
        HoldChange::Extended {
            hold,
            end,
            until,
            review,
        } => one(
            db.prepare_cached(
                "update hold set end_us = max(end_us, ?2), until_us = ?3, review_us = ?4
                 where id = ?1 and ended_us is null",
            )?
            .execute(params![hold, end, until, review])?,
            *hold,
        ),
        HoldChange::Ended { hold, end } => one(
            db.prepare_cached(
                "update hold set ended_us = ?2, ended_by = ?3, gone_us = ?4 where id = ?1 and ended_us is null",
            )?
            .execute(params![hold, end.at, end.by, end.gone])?,
            *hold,
        ),
        HoldChange::Forgotten { at } => {
            let before = at.plus_us(-KEPT_US);
            for sql in [
                "delete from hold_camera where hold in (select id from hold where gone_us < ?)",
                "delete from hold where gone_us < ?",
            ] {
                db.prepare_cached(sql)?.execute([before])?;
            }
            Ok(())
        }
    }
}

fn one(rows: usize, hold: HoldId) -> Result<()> {
    if rows == 1 {
        return Ok(());
    }
    let text = format!("hold {hold} is unknown, or has ended");
    Err(Error::new(Kind::NotFound, text))
}

fn insert(db: &Connection, row: &HoldRow) -> Result<()> {
    let (reviewed, reviewed_by) = row.reviewed.as_ref().map(|(at, by)| (at, by)).unzip();
    let ended = row.ended.as_ref();
    db.prepare_cached(
        "insert into hold (id, kind, start_us, end_us, matter, reason, placed_us, placed_by, review_us, reviewed_us,
             reviewed_by, until_us, ended_us, ended_by, gone_us)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        row.hold,
        row.kind,
        row.span.start,
        row.span.end,
        row.matter,
        row.reason,
        row.placed,
        row.placed_by,
        row.review,
        reviewed,
        reviewed_by,
        row.until,
        ended.map(|end| end.at),
        ended.map(|end| &end.by),
        ended.map(|end| end.gone),
    ])?;
    let mut statement =
        db.prepare_cached("insert into hold_camera (hold, camera) values (?, ?)")?;
    for camera in &row.cameras {
        statement.execute(params![row.hold, camera])?;
    }
    Ok(())
}

/// SQL: a row of `hold` keeps a row of `segment` at the time `now`, a parameter. A segment of no length is an instant long.
pub(super) fn keeping(now: &str) -> String {
    format!(
        "(hold.gone_us is null or hold.gone_us >= {now})
         and segment.start_us < hold.end_us and max(segment.end_us, segment.start_us + 1) > hold.start_us"
    )
}

/// True when a hold keeps the segment at `now`. Asked in the transaction that would mark it as garbage: a hold that was placed
/// since the plan was made counts.
pub(super) fn keeps(
    db: &Connection,
    segment: crate::base::id::SegmentId,
    now: Wall,
) -> Result<bool> {
    let found = db
        .prepare_cached(&format!(
            "select exists (
                 select 1 from segment join stream on stream.id = segment.stream join camera on camera.id = stream.camera
                     join hold_camera on hold_camera.camera = camera.name join hold on hold.id = hold_camera.hold
                 where segment.uuid = ?1 and {})",
            keeping("?2")
        ))?
        .query_row(params![segment, now], |row| row.get(0))?;
    Ok(found)
}

const COLUMNS: &str = "id, kind, start_us, end_us, matter, reason, placed_us, placed_by, review_us, reviewed_us, reviewed_by,
     until_us, ended_us, ended_by, gone_us";

fn read(row: &Row<'_>) -> rusqlite::Result<HoldRow> {
    let mut columns = Columns::of(row);
    let mut held = HoldRow {
        hold: columns.get()?,
        kind: columns.get()?,
        span: Span {
            start: columns.get()?,
            end: columns.get()?,
        },
        cameras: BTreeSet::new(),
        matter: columns.get()?,
        reason: columns.get()?,
        placed: columns.get()?,
        placed_by: columns.get()?,
        review: columns.get()?,
        reviewed: None,
        until: None,
        ended: None,
    };
    let (at, by): (Option<Wall>, Option<String>) = (columns.get()?, columns.get()?);
    held.reviewed = at.zip(by);
    held.until = columns.get()?;
    let (at, by, gone): (Option<Wall>, Option<String>, Option<Wall>) =
        (columns.get()?, columns.get()?, columns.get()?);
    held.ended = at
        .zip(by)
        .zip(gone)
        .map(|((at, by), gone)| HoldEnd { at, by, gone });
    Ok(held)
}

impl Reader {
    /// All holds that are known, those that have ended too, in the order in which they were placed.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn holds(&self) -> Result<Vec<HoldRow>> {
        let mut statement = self.db.prepare_cached(&format!(
            "select {COLUMNS} from hold order by placed_us, id"
        ))?;
        let rows = statement.query_map([], read)?;
        let mut holds: Vec<HoldRow> = rows.collect::<rusqlite::Result<_>>()?;
        for hold in &mut holds {
            hold.cameras = self.held_cameras(hold.hold)?;
        }
        Ok(holds)
    }

    /// Those that keep footage at `now`.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn holds_that_keep(&self, now: Wall) -> Result<Vec<HoldRow>> {
        let mut holds = self.holds()?;
        holds.retain(|hold| hold.keeps(now));
        Ok(holds)
    }

    /// One hold.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn hold(&self, hold: HoldId) -> Result<Option<HoldRow>> {
        let found = self
            .db
            .prepare_cached(&format!("select {COLUMNS} from hold where id = ?"))?
            .query_row([hold], read)
            .optional()?;
        let Some(mut row) = found else {
            return Ok(None);
        };
        row.cameras = self.held_cameras(hold)?;
        Ok(Some(row))
    }

    fn held_cameras(&self, hold: HoldId) -> Result<BTreeSet<CameraId>> {
        let mut statement = self
            .db
            .prepare_cached("select camera from hold_camera where hold = ?")?;
        let rows = statement.query_map([hold], |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}
