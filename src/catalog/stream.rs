//! Cameras and their streams, with running totals.

use rusqlite::{Connection, OptionalExtension, params};

use crate::base::error::{Context, Result};
use crate::base::hash::Digest;
use crate::base::id::StreamId;
use crate::base::time::Wall;
use crate::catalog::column::{Columns, int};
use crate::catalog::policy;
use crate::catalog::reader::Reader;
use crate::catalog::segment::SegmentRow;

/// A stream that was ever configured.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct StreamRow {
    /// Which.
    pub stream: StreamId,
    /// The earliest that is known of its camera.
    pub first_seen: Wall,
    /// Seconds that it is kept; `None` when it was never configured.
    pub keep_s: Option<u32>,
    /// Seconds for which it is promised to be there; 0: nothing is promised.
    #[serde(default)]
    pub guarantee_s: u32,
    /// What ended before this was expired once, and stays so although the stream is kept for longer by now.
    #[serde(default)]
    pub floor: Option<Wall>,
}

impl StreamRow {
    /// What ended before this is expired.
    pub fn expired_before(&self, now: Wall) -> Option<Wall> {
        let before = self
            .keep_s
            .map(|secs| now.plus_us(-i64::from(secs) * 1_000_000));
        before.max(self.floor)
    }
}

/// What is kept of a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Totals {
    /// Closed segments.
    pub segments: u64,
    /// Bytes of their files.
    pub bytes: u64,
    /// Start of the oldest.
    pub oldest: Option<Wall>,
    /// End of the newest.
    pub newest: Option<Wall>,
}

/// The stream's number; it is made, with its camera, when it is missing.
pub(super) fn ensure(db: &Connection, stream: &StreamId, at: Wall) -> Result<i64> {
    db.prepare_cached(
        "insert into camera (name, first_seen_us) values (?1, ?2)
         on conflict (name) do update set first_seen_us = ?2 where first_seen_us > ?2",
    )?
    .execute(params![stream.camera, at])?;
    db.prepare_cached(
        "insert into stream (camera, kind) select id, ?2 from camera where name = ?1
         on conflict (camera, kind) do nothing",
    )?
    .execute(params![stream.camera, stream.kind])?;
    find(db, stream)?
        .ok_or(rusqlite::Error::QueryReturnedNoRows)
        .context(|| "finding it again")
}

/// The stream's number, if it is known.
pub(super) fn find(db: &Connection, stream: &StreamId) -> Result<Option<i64>> {
    db.prepare_cached(
        "select stream.id from stream join camera on camera.id = stream.camera
         where camera.name = ? and stream.kind = ?",
    )?
    .query_row(params![stream.camera, stream.kind], |row| row.get(0))
    .optional()
    .context(|| format!("looking for stream {stream}"))
}

/// Counts a new segment in. The next one is chained to it, unless it is an older one whose row comes late: it lies
/// before the last one and does not follow it.
pub(super) fn add(db: &Connection, stream: i64, segment: i64, row: &SegmentRow) -> Result<()> {
    db.prepare_cached(
        "update stream set segments = segments + 1, bytes = bytes + ?3, longest_us = max(longest_us, ?4),
             (last_segment, last_root) = (select iif(is_late, stream.last_segment, ?2), iif(is_late, stream.last_root, ?7)
                 from (select exists (select 1 from segment as last where last.id = stream.last_segment
                     and last.start_us > ?5 and last.content_root <> ?6) as is_late))
         where id = ?1",
    )?
    .execute(params![
        stream,
        segment,
        int(row.bytes),
        row.span().us(),
        row.start,
        row.previous_root,
        row.content_root
    ])?;
    Ok(())
}

/// Counts a removed segment out. The next one is chained to what is last now.
pub(super) fn subtract(db: &Connection, stream: i64, segment: i64, bytes: i64) -> Result<()> {
    db.prepare_cached(
        "update stream set segments = segments - 1, bytes = bytes - ?3,
             last_segment = iif(last_segment = ?2, (select max(id) from segment where stream = ?1), last_segment)
         where id = ?1",
    )?
    .execute(params![stream, segment, bytes])?;
    Ok(())
}

/// Chains the next segment to the last one there is: the one behind it was lost.
pub(super) fn chain_anew(db: &Connection, stream: i64) -> Result<()> {
    db.prepare_cached(
        "update stream set last_root = (select content_root from segment where id = stream.last_segment) where id = ?",
    )?
    .execute([stream])?;
    Ok(())
}

/// Notes how long the stream is kept from `at` on, if it is known.
pub(super) fn keep(db: &Connection, stream: &StreamId, keep_s: u32, at: Wall) -> Result<()> {
    if let Some(id) = find(db, stream)? {
        let before: Option<u32> = db
            .prepare_cached("select keep_s from stream where id = ?")?
            .query_row([id], |row| row.get(0))?;
        if let Some(before) = before.filter(|before| keep_s > *before) {
            let expired = at.plus_us(-i64::from(before) * 1_000_000);
            policy::raise_floor(db, id, expired, at)?;
        }
        db.prepare_cached("update stream set keep_s = ?2 where id = ?1")?
            .execute(params![id, keep_s])?;
    }
    Ok(())
}

impl Reader {
    /// All streams by name.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn streams(&self) -> Result<Vec<StreamRow>> {
        let mut statement = self.db.prepare_cached(
            "select camera.name, stream.kind, camera.first_seen_us, stream.keep_s, coalesce(policy.guarantee_s, 0),
                 policy.expired_us
             from stream join camera on camera.id = stream.camera left join policy on policy.stream = stream.id
             order by camera.name, stream.kind",
        )?;
        let rows = statement.query_map([], |row| {
            let mut columns = Columns::of(row);
            Ok(StreamRow {
                stream: StreamId {
                    camera: columns.get()?,
                    kind: columns.get()?,
                },
                first_seen: columns.get()?,
                keep_s: columns.get()?,
                guarantee_s: columns.get()?,
                floor: columns.get()?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// What is kept of a stream; all zero for an unknown one. Cheap whatever the number of segments.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn totals(&self, stream: &StreamId) -> Result<Totals> {
        let Some(id) = find(&self.db, stream)? else {
            return Ok(Totals::default());
        };
        let mut statement = self.db.prepare_cached(
            "select segments, bytes,
                 (select start_us from segment where stream = ?1 order by start_us limit 1),
                 (select end_us from recorded where stream = ?1 order by start_us desc limit 1)
             from stream where id = ?1",
        )?;
        Ok(statement.query_row([id], |row| {
            let mut columns = Columns::of(row);
            Ok(Totals {
                segments: columns.count()?,
                bytes: columns.count()?,
                oldest: columns.get()?,
                newest: columns.get()?,
            })
        })?)
    }

    /// The content root to which the stream's next segment is chained, also when the last one was deleted.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn last_root(&self, stream: &StreamId) -> Result<Option<Digest>> {
        let Some(id) = find(&self.db, stream)? else {
            return Ok(None);
        };
        let mut statement = self
            .db
            .prepare_cached("select last_root from stream where id = ?")?;
        Ok(statement.query_row([id], |row| row.get(0))?)
    }

    /// Start of the oldest segment of a stream.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn oldest(&self, stream: &StreamId) -> Result<Option<Wall>> {
        Ok(self.totals(stream)?.oldest)
    }
}
