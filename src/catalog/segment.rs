//! Segments: one row for each file that is whole and durable.

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::base::clock::HostSync;
use crate::base::error::{Error, Kind, Result};
use crate::base::hash::Digest;
use crate::base::id::{GenerationId, RunId, SegmentId, StreamId, VolumeId};
use crate::base::time::{Span, Ticks, Wall};
use crate::catalog::column::{Columns, int};
use crate::catalog::reader::Reader;
use crate::catalog::sweep::Rule;
use crate::catalog::{coverage, run, sample_entry, stream, volume};

/// A segment. Its path is not kept: it follows from volume, stream, start and id.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct SegmentRow {
    /// Which; also the key id of its encryption.
    pub segment: SegmentId,
    /// What was recorded.
    pub stream: StreamId,
    /// In which session.
    pub run: RunId,
    /// Where the file is.
    pub volume: VolumeId,
    /// Wall time of its first access unit.
    pub start: Wall,
    /// Wall time of the end of its last one; not before `start`.
    pub end: Wall,
    /// Duration by the camera's clock.
    pub media_duration: Ticks,
    /// Size of the file.
    pub bytes: u64,
    /// Access units.
    pub samples: u32,
    /// Movie fragments; each has a leaf.
    pub fragments: u32,
    /// Day of its key file: `20261123`.
    pub key_day: String,
    /// Its slot in that file.
    pub key_index: u32,
    /// The vault generation that wraps its key.
    pub generation: GenerationId,
    /// Merkle root over its leaves.
    #[serde(with = "crate::catalog::json::digest")]
    pub content_root: Digest,
    /// That of the stream's segment before; [`Digest::ZERO`] for the first.
    #[serde(with = "crate::catalog::json::digest")]
    pub previous_root: Digest,
    /// It was adopted after a crash.
    pub recovered: bool,
    /// Its time of day is not to be trusted.
    pub time_uncertain: bool,
    /// RTP packets that never came.
    pub packets_lost: u32,
    /// Access units left out as broken.
    pub corrupt_units: u32,
    /// Jumps of the camera's time.
    pub discontinuities: u32,
    /// How well the host's clock was kept.
    pub host: HostSync,
    /// The camera's clock minus the host's, in milliseconds; `None` when the camera tells none.
    pub camera_offset_ms: Option<i64>,
    /// Hash of the sample entry by which it is decoded.
    #[serde(with = "crate::catalog::json::digest")]
    pub sample_entry: Digest,
}

impl SegmentRow {
    /// From its start to its end.
    pub fn span(&self) -> Span {
        Span {
            start: self.start,
            end: self.end,
        }
    }
}

/// Some of a volume's segments, in the order in which their rows were written.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct SegmentPage {
    /// The segments.
    pub rows: Vec<SegmentRow>,
    /// Where to go on; `None` at the end.
    pub next: Option<u64>,
}

const COLUMNS: &str = "segment.uuid, camera.name, stream.kind, run.uuid, volume.uuid, segment.start_us, segment.end_us,
     segment.media_ticks, segment.bytes, segment.samples, segment.fragments, segment.key_day, segment.key_index,
     segment.generation, segment.content_root, segment.previous_root, segment.recovered, segment.time_uncertain,
     segment.packets_lost, segment.corrupt_units, segment.discontinuities, segment.host_synchronised,
     segment.host_error_us, segment.camera_offset_ms, sample_entry.hash, segment.id";

// `cross join` is how SQLite is told to start from the segment.
const FROM: &str = "from segment cross join stream on stream.id = segment.stream cross join camera on camera.id = stream.camera
     cross join run on run.id = segment.run cross join volume on volume.id = segment.volume
     cross join sample_entry on sample_entry.id = segment.sample_entry";

fn read(row: &Row<'_>) -> rusqlite::Result<SegmentRow> {
    let mut columns = Columns::of(row);
    Ok(SegmentRow {
        segment: columns.get()?,
        stream: StreamId {
            camera: columns.get()?,
            kind: columns.get()?,
        },
        run: columns.get()?,
        volume: columns.get()?,
        start: columns.get()?,
        end: columns.get()?,
        media_duration: columns.get()?,
        bytes: columns.count()?,
        samples: columns.get()?,
        fragments: columns.get()?,
        key_day: columns.get()?,
        key_index: columns.get()?,
        generation: columns.get()?,
        content_root: columns.get()?,
        previous_root: columns.get()?,
        recovered: columns.get()?,
        time_uncertain: columns.get()?,
        packets_lost: columns.get()?,
        corrupt_units: columns.get()?,
        discontinuities: columns.get()?,
        host: HostSync {
            synchronised: columns.get()?,
            error_us: columns.get()?,
        },
        camera_offset_ms: columns.get()?,
        sample_entry: columns.get()?,
    })
}

pub(super) fn insert(db: &Connection, row: &SegmentRow) -> Result<()> {
    let stream = stream::ensure(db, &row.stream, row.start)?;
    let run = run::ensure(db, row.run, stream, row.start)?;
    let volume = volume::find(db, row.volume)?;
    let sample_entry = sample_entry::find(db, row.sample_entry)?;
    db.prepare_cached(
        "insert into segment (uuid, stream, run, volume, start_us, end_us, media_ticks, bytes, samples, fragments,
             key_day, key_index, generation, content_root, previous_root, recovered, time_uncertain, packets_lost,
             corrupt_units, discontinuities, host_synchronised, host_error_us, camera_offset_ms, sample_entry)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        row.segment,
        stream,
        run,
        volume,
        row.start,
        row.end,
        row.media_duration,
        int(row.bytes),
        row.samples,
        row.fragments,
        row.key_day,
        row.key_index,
        row.generation,
        row.content_root,
        row.previous_root,
        row.recovered,
        row.time_uncertain,
        row.packets_lost,
        row.corrupt_units,
        row.discontinuities,
        row.host.synchronised,
        row.host.error_us,
        row.camera_offset_ms,
        sample_entry,
    ])?;
    let id = db.last_insert_rowid();
    stream::add(db, stream, id, row)?;
    coverage::add(db, stream, row.span())
}

/// What a row said that is gone.
pub(super) struct Removed {
    pub(super) stream: i64,
    pub(super) span: Span,
    pub(super) bytes: i64,
    pub(super) content_root: Digest,
    pub(super) garbage: Option<Rule>,
}

/// A segment was lost: the next one is chained to what is left.
pub(super) fn remove(db: &Connection, segment: SegmentId) -> Result<()> {
    let removed = take(db, segment)?;
    stream::chain_anew(db, removed.stream)
}

/// Takes a row out of everything that counts it.
pub(super) fn take(db: &Connection, segment: SegmentId) -> Result<Removed> {
    let (id, removed) = db
        .prepare_cached(
            "delete from segment where uuid = ?
             returning id, stream, start_us, end_us, bytes, content_root, garbage",
        )?
        .query_row([segment], |row| {
            let mut columns = Columns::of(row);
            let id = columns.get()?;
            let removed = Removed {
                stream: columns.get()?,
                span: Span {
                    start: columns.get()?,
                    end: columns.get()?,
                },
                bytes: columns.get()?,
                content_root: columns.get()?,
                garbage: columns.get()?,
            };
            Ok((id, removed))
        })
        .optional()?
        .ok_or_else(|| Error::new(Kind::NotFound, "the segment is unknown"))?;
    stream::subtract(db, removed.stream, id, removed.bytes)?;
    coverage::subtract(db, removed.stream, removed.span)?;
    Ok(removed)
}

/// Spans of the stream's segments that share an instant with `span`.
pub(super) fn spans(db: &Connection, stream: i64, span: Span) -> Result<Vec<Span>> {
    let mut statement = db.prepare_cached(
        "select start_us, end_us from segment
         where stream = ?1 and start_us < ?3 and end_us > ?2
             and start_us > ?2 - (select longest_us from stream where id = ?1)",
    )?;
    let rows = statement.query_map(params![stream, span.start, span.end], |row| {
        Ok(Span {
            start: row.get(0)?,
            end: row.get(1)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Segments whose rows were written after the internal number `id`, in that order, each with its number.
pub(super) fn after(db: &Connection, id: i64, count_max: usize) -> Result<Vec<(i64, SegmentRow)>> {
    let mut statement = db.prepare_cached(&format!(
        "select {COLUMNS} {FROM} where segment.id > ? order by segment.id limit ?"
    ))?;
    let rows = statement.query_map(params![id, int(count_max as u64)], |row| {
        Ok((row.get("id")?, read(row)?))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

impl Reader {
    /// Segments of a stream that share an instant with `span`, by start; without what is being deleted.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn segments(&self, stream: &StreamId, span: Span) -> Result<Vec<SegmentRow>> {
        let Some(id) = stream::find(&self.db, stream)? else {
            return Ok(Vec::new());
        };
        // A segment reaches into the span only if it starts less than the longest segment before it.
        let mut statement = self.db.prepare_cached(&format!(
            "select {COLUMNS} {FROM}
             where segment.stream = ?1 and segment.start_us < ?3 and segment.end_us > ?2 and segment.garbage is null
                 and segment.start_us > ?2 - (select longest_us from stream where id = ?1)
             order by segment.start_us, segment.id"
        ))?;
        let rows = statement.query_map(params![id, span.start, span.end], read)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The segment of a stream to which the next is chained: the last one that is known.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn last_segment(&self, stream: &StreamId) -> Result<Option<SegmentRow>> {
        let Some(id) = stream::find(&self.db, stream)? else {
            return Ok(None);
        };
        let mut statement = self.db.prepare_cached(&format!(
            "select {COLUMNS} {FROM} where segment.id = (select last_segment from stream where id = ?)"
        ))?;
        Ok(statement.query_row([id], read).optional()?)
    }

    /// One segment.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn segment_by_uuid(&self, segment: SegmentId) -> Result<Option<SegmentRow>> {
        let mut statement = self
            .db
            .prepare_cached(&format!("select {COLUMNS} {FROM} where segment.uuid = ?"))?;
        Ok(statement.query_row([segment], read).optional()?)
    }

    /// The segments of a volume, also what is being deleted, page by page: `after` is `None` first, then the page's
    /// `next`.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn all_segments(
        &self,
        volume: VolumeId,
        after: Option<u64>,
        count_max: u32,
    ) -> Result<SegmentPage> {
        let mut statement = self.db.prepare_cached(&format!(
            "select {COLUMNS} {FROM}
             where segment.id > ?1 and segment.volume = (select id from volume where uuid = ?2)
             order by segment.id limit ?3"
        ))?;
        let mut rows = statement.query(params![int(after.unwrap_or(0)), volume, count_max])?;
        let mut page = SegmentPage {
            rows: Vec::new(),
            next: None,
        };
        let mut last = None;
        while let Some(row) = rows.next()? {
            page.rows.push(read(row)?);
            last = Some(row.get::<_, i64>("id")?);
        }
        if page.rows.len() as u64 == u64::from(count_max) {
            page.next = last.and_then(|id| u64::try_from(id).ok());
        }
        Ok(page)
    }
}
