//! Gaps: why nothing was recorded. At most one of a stream is open.

use std::fmt;
use std::str::FromStr;

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::base::error::{Error, Result};
use crate::base::id::StreamId;
use crate::base::time::{Span, Wall};
use crate::catalog::column::Columns;
use crate::catalog::reader::Reader;
use crate::catalog::stream;

macro_rules! causes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// Why nothing was recorded. The text forms never change: they are in catalogs, ledgers and evidence.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum GapCause {
            $($(#[$doc])* $name,)*
        }

        impl GapCause {
            /// Every cause.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its stable text.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

causes! {
    /// The recorder has not recorded this stream yet.
    NotStarted = "not-started",
    /// The recorder was stopped in an orderly way.
    Stopped = "stopped",
    /// The recorder or the box ended without a chance to say so.
    Killed = "killed",
    /// The camera is switched off in the configuration.
    Disabled = "disabled",
    /// The camera is no longer in the configuration.
    Removed = "removed",
    /// No connection to the camera.
    ConnectFailed = "connect-failed",
    /// The camera answered with a status that refuses: 401, 403, 404.
    Refused = "refused",
    /// The camera ended the session.
    CameraClosed = "camera-closed",
    /// The camera sent nothing for too long.
    Stalled = "stalled",
    /// The camera broke the protocol.
    Protocol = "protocol",
    /// No key frame came, so nothing can be decoded.
    NoKeyFrame = "no-key-frame",
    /// The disk was too slow; frames were dropped.
    StorageSlow = "storage-slow",
    /// No room, and nothing that may be deleted.
    DiskFull = "disk-full",
    /// The disk refused to write.
    WriteError = "write-error",
    /// The host's clock was set.
    ClockStep = "clock-step",
    /// The time of day was not to be trusted.
    TimeUncertain = "time-uncertain",
    /// The volume for this stream was not there, or was another's.
    VolumeMissing = "volume-missing",
    /// A file was set aside since it cannot be read.
    Unreadable = "unreadable",
    /// A fault of our own.
    Internal = "internal",
    /// The catalog that knew the cause was lost, and rebuilt from the volumes.
    Unknown = "unknown",
}

impl fmt::Display for GapCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for GapCause {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        Self::ALL
            .iter()
            .find(|cause| cause.as_str() == text)
            .copied()
            .ok_or_else(|| Error::invalid(format!("\"{text}\" is no cause of a gap")))
    }
}

impl serde::Serialize for GapCause {
    fn serialize<S: serde::Serializer>(&self, ser: S) -> Result<S::Ok, S::Error> {
        ser.serialize_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for GapCause {
    fn deserialize<D: serde::Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
        String::deserialize(de)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl ToSql for GapCause {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_str().into())
    }
}

impl FromSql for GapCause {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_str()?.parse().map_err(FromSqlError::other)
    }
}

/// A gap.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct GapRow {
    /// Of which stream.
    pub stream: StreamId,
    /// First instant without recording.
    pub start: Wall,
    /// First instant after; later than `start`; `None` while it lasts.
    pub end: Option<Wall>,
    /// Why.
    pub cause: GapCause,
    /// What more is known, for people.
    pub detail: Option<String>,
}

pub(super) fn open(
    db: &Connection,
    stream: &StreamId,
    start: Wall,
    cause: GapCause,
    detail: Option<&str>,
) -> Result<()> {
    let stream = stream::ensure(db, stream, start)?;
    db.prepare_cached(
        "insert into gap (stream, start_us, cause, detail) values (?1, ?2, ?3, ?4)
         on conflict (stream) where end_us is null do update set detail = coalesce(?4, detail)",
    )?
    .execute(params![stream, start, cause, detail])?;
    Ok(())
}

pub(super) fn close(db: &Connection, stream: &StreamId, end: Wall) -> Result<()> {
    let Some(stream) = stream::find(db, stream)? else {
        return Ok(());
    };
    db.prepare_cached("delete from gap where stream = ?1 and end_us is null and start_us >= ?2")?
        .execute(params![stream, end])?;
    db.prepare_cached("update gap set end_us = ?2 where stream = ?1 and end_us is null")?
        .execute(params![stream, end])?;
    Ok(())
}

pub(super) fn record(
    db: &Connection,
    stream: &StreamId,
    span: Span,
    cause: GapCause,
    detail: Option<&str>,
) -> Result<()> {
    if span.us() <= 0 {
        return Ok(());
    }
    let stream = stream::ensure(db, stream, span.start)?;
    db.prepare_cached(
        "insert into gap (stream, start_us, end_us, cause, detail) values (?, ?, ?, ?, ?)",
    )?
    .execute(params![stream, span.start, span.end, cause, detail])?;
    Ok(())
}

fn read(stream: &StreamId, row: &Row<'_>) -> rusqlite::Result<GapRow> {
    let mut columns = Columns::of(row);
    Ok(GapRow {
        stream: stream.clone(),
        start: columns.get()?,
        end: columns.get()?,
        cause: columns.get()?,
        detail: columns.get()?,
    })
}

impl Reader {
    /// The open gap of a stream.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn open_gap(&self, stream: &StreamId) -> Result<Option<GapRow>> {
        let Some(id) = stream::find(&self.db, stream)? else {
            return Ok(None);
        };
        let mut statement = self.db.prepare_cached(
            "select start_us, end_us, cause, detail from gap where stream = ? and end_us is null",
        )?;
        Ok(statement
            .query_row([id], |row| read(stream, row))
            .optional()?)
    }

    /// Gaps of a stream that share an instant with `span`, by start; an open one reaches `now`.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn gaps(&self, stream: &StreamId, span: Span, now: Wall) -> Result<Vec<GapRow>> {
        let Some(id) = stream::find(&self.db, stream)? else {
            return Ok(Vec::new());
        };
        let mut statement = self.db.prepare_cached(
            "select start_us, end_us, cause, detail from gap where stream = ?1 and end_us > ?2 and start_us < ?3",
        )?;
        let rows =
            statement.query_map(params![id, span.start, span.end], |row| read(stream, row))?;
        let mut gaps: Vec<GapRow> = rows.collect::<rusqlite::Result<_>>()?;
        let reaches = |gap: &GapRow| {
            Span {
                start: gap.start,
                end: now,
            }
            .overlaps(&span)
        };
        gaps.extend(self.open_gap(stream)?.filter(reaches));
        gaps.sort_by_key(|gap| gap.start);
        Ok(gaps)
    }

    /// Up to when a stream is accounted for: the end of its last segment, deleted or not, or of its last closed gap.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn last_end(&self, stream: &StreamId) -> Result<Option<Wall>> {
        let Some(id) = stream::find(&self.db, stream)? else {
            return Ok(None);
        };
        let mut statement = self.db.prepare_cached(
            "select max(e) from (
                 select e from (select end_us as e from recorded where stream = ?1 order by start_us desc limit 1)
                 union all select max(end_us) from deleted where stream = ?1
                 union all select max(end_us) from gap where stream = ?1)",
        )?;
        Ok(statement.query_row([id], |row| row.get(0))?)
    }
}
