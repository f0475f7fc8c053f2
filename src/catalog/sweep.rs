//! Sweeps: which segments are being deleted, and what the sweep under way has deleted so far. At most one is under way.

use std::fmt;
use std::str::FromStr;

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::base::edge::Edge;
use crate::base::error::{Context, Error, Kind, Result};
use crate::base::hash::Digest;
use crate::base::id::{SegmentId, StreamId, VolumeId};
use crate::base::time::{Span, Wall};
use crate::catalog::column::{Columns, int};
use crate::catalog::reader::Reader;
use crate::catalog::{activity, deleted, hold, segment, stream};

/// Why footage is deleted. The text forms never change: they are in catalogs and events.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// Its end is older than its stream is kept.
    Expired,
    /// The volume had no room left; it was the oldest.
    Early,
}

impl Rule {
    /// Its stable text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Early => "early",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Rule {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        [Self::Expired, Self::Early]
            .into_iter()
            .find(|rule| rule.as_str() == text)
            .ok_or_else(|| Error::invalid(format!("\"{text}\" is no rule of deletion")))
    }
}

impl ToSql for Rule {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_str().into())
    }
}

impl FromSql for Rule {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_str()?.parse().map_err(FromSqlError::other)
    }
}

/// A segment as far as its age matters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AgedRow {
    /// Which.
    pub segment: SegmentId,
    /// Where it lies.
    pub volume: VolumeId,
    /// Wall time of its end.
    pub end: Wall,
    /// Size of its file.
    pub bytes: u64,
}

/// A segment that is being deleted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GarbageRow {
    /// Place in the order of rows, to go on from.
    pub number: u64,
    /// Which.
    pub segment: SegmentId,
    /// Of which stream.
    pub stream: StreamId,
    /// Where it lies.
    pub volume: VolumeId,
    /// Wall time of its start, from which its path follows.
    pub start: Wall,
    /// Day of its key file.
    pub key_day: String,
    /// Its slot there.
    pub key_index: u32,
    /// Why.
    pub rule: Rule,
}

/// A sweep.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct SweepRow {
    /// Its number.
    pub sweep: u64,
    /// When it began.
    pub started: Wall,
    /// When it ended; `None`: it is under way.
    pub ended: Option<Wall>,
    /// Segments that it deleted.
    pub segments: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Segments that could not be deleted at its end.
    pub failures: u64,
}

/// What the sweep under way has deleted of one stream by one rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SweptRow {
    /// Of which stream.
    pub stream: StreamId,
    /// Why.
    pub rule: Rule,
    /// From the earliest instant to the latest; there may be holes.
    pub span: Span,
    /// How many.
    pub segments: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Merkle root over their content roots in the order in which they were deleted.
    pub root: Digest,
}

/// Marks a segment as being deleted; the first rule stands. A sweep begins with the first. What a hold keeps is left as it is,
/// whatever the plan said: the hold may be younger than the plan.
pub(super) fn condemn(db: &Connection, id: SegmentId, rule: Rule, at: Wall) -> Result<()> {
    if hold::keeps(db, id, at)? {
        return Ok(());
    }
    begin(db, at)?;
    let known = db
        .prepare_cached("update segment set garbage = coalesce(garbage, ?2) where uuid = ?1")?
        .execute(params![id, rule])?;
    if known == 0 {
        return Err(Error::new(Kind::NotFound, "the segment is unknown"));
    }
    Ok(())
}

fn begin(db: &Connection, at: Wall) -> Result<()> {
    db.prepare_cached(
        "insert into sweep (started_us) select ? where not exists (select 1 from sweep where ended_us is null)",
    )?
    .execute([at])?;
    Ok(())
}

/// Drops the row of a segment whose key and file are gone, and counts it into the sweep.
pub(super) fn drop_row(db: &Connection, id: SegmentId, at: Wall) -> Result<()> {
    begin(db, at)?;
    let removed = segment::take(db, id)?;
    let rule = removed
        .garbage
        .ok_or_else(|| Error::new(Kind::Internal, "the segment was not marked as garbage"))?;
    deleted::add(db, removed.stream, rule, removed.span)?;
    activity::erase(db, removed.stream, removed.span)?;
    db.prepare_cached(
        "update sweep set segments = segments + 1, bytes = bytes + ? where ended_us is null",
    )?
    .execute([removed.bytes])?;
    let tree: Option<Vec<u8>> = db
        .prepare_cached("select tree from swept where stream = ? and rule = ?")?
        .query_row(params![removed.stream, rule], |row| row.get(0))
        .optional()?;
    let mut edge = tree.map_or(Ok(Edge::default()), |bytes| Edge::from_bytes(&bytes))?;
    edge.push(removed.content_root);
    db.prepare_cached(
        "insert into swept (stream, rule, start_us, end_us, segments, bytes, tree) values (?1, ?2, ?3, ?4, 1, ?5, ?6)
         on conflict (stream, rule) do update set start_us = min(start_us, ?3), end_us = max(end_us, ?4),
             segments = segments + 1, bytes = bytes + ?5, tree = ?6",
    )?
    .execute(params![
        removed.stream,
        rule,
        removed.span.start,
        removed.span.end,
        removed.bytes,
        edge.to_bytes()
    ])?;
    Ok(())
}

/// The sweep under way has ended. Of ended ones only this is kept: events tell of all.
pub(super) fn end(db: &Connection, at: Wall, failures: u64) -> Result<()> {
    db.prepare_cached("delete from sweep where ended_us is not null")?
        .execute([])?;
    db.prepare_cached("update sweep set ended_us = ?, failures = ? where ended_us is null")?
        .execute(params![at, int(failures)])?;
    db.prepare_cached("delete from swept")?.execute([])?;
    Ok(())
}

fn read_aged(row: &Row<'_>) -> rusqlite::Result<AgedRow> {
    let mut columns = Columns::of(row);
    Ok(AgedRow {
        segment: columns.get()?,
        volume: columns.get()?,
        end: columns.get()?,
        bytes: columns.count()?,
    })
}

const GARBAGE: &str = "select segment.id, segment.uuid, camera.name, stream.kind, volume.uuid, segment.start_us,
     segment.key_day, segment.key_index, segment.garbage
     from segment cross join stream on stream.id = segment.stream cross join camera on camera.id = stream.camera
     cross join volume on volume.id = segment.volume";

fn read_garbage(row: &Row<'_>) -> rusqlite::Result<GarbageRow> {
    let mut columns = Columns::of(row);
    Ok(GarbageRow {
        number: columns.count()?,
        segment: columns.get()?,
        stream: StreamId {
            camera: columns.get()?,
            kind: columns.get()?,
        },
        volume: columns.get()?,
        start: columns.get()?,
        key_day: columns.get()?,
        key_index: columns.get()?,
        rule: columns.get()?,
    })
}

impl Reader {
    /// Segments of a stream that ended before `before`, oldest start first, without what is being deleted.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn ended_before(
        &self,
        stream: &StreamId,
        before: Wall,
        count_max: u32,
    ) -> Result<Vec<AgedRow>> {
        let Some(id) = stream::find(&self.db, stream)? else {
            return Ok(Vec::new());
        };
        let mut statement = self.db.prepare_cached(
            "select segment.uuid, volume.uuid, segment.end_us, segment.bytes
             from segment cross join volume on volume.id = segment.volume
             where segment.stream = ?1 and segment.start_us < ?2 and segment.end_us < ?2 and segment.garbage is null
             order by segment.start_us limit ?3",
        )?;
        let rows = statement.query_map(params![id, before, count_max], read_aged)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The segments of a volume that ended first, without what is being deleted: as many as have `bytes` together, but
    /// at most `count_max`.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn oldest_of(
        &self,
        volume: VolumeId,
        bytes: u64,
        count_max: u32,
    ) -> Result<Vec<(StreamId, AgedRow)>> {
        let mut statement = self.db.prepare_cached(
            "select segment.uuid, ?1, segment.end_us, segment.bytes, camera.name, stream.kind
             from segment cross join stream on stream.id = segment.stream cross join camera on camera.id = stream.camera
             where segment.volume = (select id from volume where uuid = ?1) and segment.garbage is null
             order by segment.end_us, segment.uuid limit ?2",
        )?;
        let mut rows = statement.query(params![volume, count_max])?;
        let (mut found, mut sum) = (Vec::new(), 0_u64);
        while sum < bytes
            && let Some(row) = rows.next()?
        {
            let aged = read_aged(row)?;
            let of = StreamId {
                camera: row.get(4)?,
                kind: row.get(5)?,
            };
            sum = sum.saturating_add(aged.bytes);
            found.push((of, aged));
        }
        Ok(found)
    }

    /// How many segments of a stream ended before `before`, and their bytes.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn count_ended_before(&self, stream: &StreamId, before: Wall) -> Result<(u64, u64)> {
        let Some(id) = stream::find(&self.db, stream)? else {
            return Ok((0, 0));
        };
        let mut statement = self.db.prepare_cached(
            "select count(*), coalesce(sum(bytes), 0) from segment
             where stream = ?1 and start_us < ?2 and end_us < ?2",
        )?;
        Ok(statement.query_row(params![id, before], |row| {
            let mut columns = Columns::of(row);
            Ok((columns.count()?, columns.count()?))
        })?)
    }

    /// Start of the oldest footage of a stream that is not expired, given that what ended before `before` is: a
    /// segment that reaches beyond it is kept as a whole.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn readable_from(&self, stream: &StreamId, before: Wall) -> Result<Wall> {
        let Some(id) = stream::find(&self.db, stream)? else {
            return Ok(before);
        };
        let mut statement = self.db.prepare_cached(
            "select min(start_us) from segment
             where stream = ?1 and start_us < ?2 and end_us >= ?2
                 and start_us >= ?2 - (select longest_us from stream where id = ?1)",
        )?;
        let start: Option<Wall> = statement.query_row(params![id, before], |row| row.get(0))?;
        Ok(start.unwrap_or(before))
    }

    /// Segments that are being deleted, in the order of their rows: those behind `after`, at most `count_max`.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn garbage(&self, after: u64, count_max: u32) -> Result<Vec<GarbageRow>> {
        let mut statement = self.db.prepare_cached(&format!(
            "{GARBAGE} where segment.garbage is not null and segment.id > ?1 order by segment.id limit ?2"
        ))?;
        let rows = statement.query_map(params![int(after), count_max], read_garbage)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Those of `segments` that are being deleted.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn garbage_of(&self, segments: &[SegmentId]) -> Result<Vec<GarbageRow>> {
        let mut statement = self.db.prepare_cached(&format!(
            "{GARBAGE} where segment.uuid = ? and segment.garbage is not null"
        ))?;
        let mut found = Vec::with_capacity(segments.len());
        for segment in segments {
            found.extend(statement.query_row([segment], read_garbage).optional()?);
        }
        Ok(found)
    }

    /// The sweep under way, or else the last one.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn last_sweep(&self) -> Result<Option<SweepRow>> {
        let mut statement = self.db.prepare_cached(
            "select id, started_us, ended_us, segments, bytes, failures from sweep order by id desc limit 1",
        )?;
        let found = statement.query_row([], |row| {
            let mut columns = Columns::of(row);
            Ok(SweepRow {
                sweep: columns.count()?,
                started: columns.get()?,
                ended: columns.get()?,
                segments: columns.count()?,
                bytes: columns.count()?,
                failures: columns.count()?,
            })
        });
        Ok(found.optional()?)
    }

    /// What the sweep under way has deleted so far, by stream and rule.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn swept(&self) -> Result<Vec<SweptRow>> {
        let mut statement = self.db.prepare_cached(
            "select camera.name, stream.kind, swept.rule, swept.start_us, swept.end_us, swept.segments, swept.bytes,
                 swept.tree
             from swept join stream on stream.id = swept.stream join camera on camera.id = stream.camera
             order by camera.name, stream.kind, swept.rule",
        )?;
        let mut rows = statement.query([])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let mut columns = Columns::of(row);
            found.push(SweptRow {
                stream: StreamId {
                    camera: columns.get()?,
                    kind: columns.get()?,
                },
                rule: columns.get()?,
                span: Span {
                    start: columns.get()?,
                    end: columns.get()?,
                },
                segments: columns.count()?,
                bytes: columns.count()?,
                root: Edge::from_bytes(&columns.get::<Vec<u8>>()?)
                    .context(|| "reading what the sweep has deleted")?
                    .root(),
            });
        }
        Ok(found)
    }
}
