//! Footage seals: one entry of the ledger binds all segments that were closed since the last.

use rusqlite::{Connection, params};
use serde_json::json;

use crate::base::error::Result;
use crate::base::hash::Digest;
use crate::base::id::BoxId;
use crate::base::merkle;
use crate::base::time::{Span, Wall};
use crate::catalog::column::{Columns, int};
use crate::catalog::event::{self, Event};
use crate::catalog::reader::Reader;
use crate::catalog::segment::{self, SegmentRow};
use crate::ledger::seal::{SEGMENTS_MAX, SegmentRecord};

/// A seal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SealRow {
    /// The entry that states its root.
    pub seq: u64,
    /// From the earliest start of its segments to the latest end.
    pub span: Span,
    /// The leaves of its segments, in order.
    pub leaves: Vec<Digest>,
}

impl SegmentRow {
    /// What a seal binds of it.
    pub fn record(&self, box_id: BoxId) -> SegmentRecord {
        SegmentRecord {
            box_id,
            stream: self.stream.clone(),
            run: self.run,
            segment: self.segment,
            start: self.start,
            end: self.end,
            samples: self.samples.into(),
            fragments: self.fragments.into(),
            packets_lost: self.packets_lost.into(),
            corrupt_units: self.corrupt_units.into(),
            discontinuities: self.discontinuities.into(),
            host_synchronised: self.host.synchronised,
            host_error_us: self.host.error_us,
            camera_offset_ms: self.camera_offset_ms,
            time_uncertain: self.time_uncertain,
            recovered: self.recovered,
            content_root: self.content_root,
            previous_root: self.previous_root,
        }
    }
}

/// Seals what is not sealed yet, at most [`SEGMENTS_MAX`] segments; nothing happens when there are none.
pub(super) fn seal(db: &Connection, at: Wall, cause: &str) -> Result<()> {
    let box_id = db.query_row("select box from meta", [], |row| row.get(0))?;
    let upto: i64 = db.query_row("select coalesce(max(upto), 0) from seal", [], |row| {
        row.get(0)
    })?;
    let found = segment::after(db, upto, SEGMENTS_MAX)?;
    let Some((last, _)) = found.last() else {
        return Ok(());
    };
    let leaves = found
        .iter()
        .map(|(_, row)| row.record(box_id).leaf())
        .collect::<Result<Vec<_>>>()?;
    let starts = found.iter().map(|(_, row)| row.start);
    let ends = found.iter().map(|(_, row)| row.end);
    let (start, end) = (
        starts.min().unwrap_or_default(),
        ends.max().unwrap_or_default(),
    );
    let facts = json!({
        "root": merkle::root(&leaves).to_string(),
        "segments": leaves.len(),
        "start": start,
        "end": end,
        "cause": cause,
    });
    let seq = event::write(db, &Event::of_box(at, "footage-seal", "footage", facts))?;
    let bytes: Vec<u8> = leaves.iter().flat_map(|leaf| leaf.0).collect();
    db.execute(
        "insert into seal (seq, upto, start_us, end_us, segments, leaves) values (?, ?, ?, ?, ?, ?)",
        params![int(seq), last, start, end, int(leaves.len() as u64), bytes],
    )?;
    Ok(())
}

/// Forgets the leaves of seals of which no segment can be left: all of theirs ended before `oldest`.
pub(super) fn prune(db: &Connection, oldest: Wall) -> Result<()> {
    db.execute(
        "update seal set leaves = null where leaves is not null and end_us < ?",
        params![oldest],
    )?;
    Ok(())
}

impl Reader {
    /// How many segments no seal is over yet.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn unsealed(&self) -> Result<u64> {
        let mut statement = self.db.prepare_cached(
            "select count(*) from segment where id > (select coalesce(max(upto), 0) from seal)",
        )?;
        Ok(statement.query_row([], |row| Columns::of(row).count())?)
    }

    /// The latest seal over a segment, and its place under it; none when it is not sealed yet.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn seal_of(&self, record: &SegmentRecord) -> Result<Option<(SealRow, usize)>> {
        let leaf = record.leaf()?;
        let mut found = None;
        let span = Span {
            start: record.start,
            end: record.end,
        };
        self.each_seal_of(Some(span), &mut |seal| {
            if found.is_none()
                && let Some(place) = seal.leaves.iter().position(|other| *other == leaf)
            {
                found = Some((seal, place));
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// Gives each seal whose leaves are still known, the latest first.
    ///
    /// # Errors
    /// What SQLite says, and what `each` does.
    pub fn each_seal(&self, each: &mut dyn FnMut(SealRow) -> Result<()>) -> Result<()> {
        self.each_seal_of(None, each)
    }

    fn each_seal_of(
        &self,
        of: Option<Span>,
        each: &mut dyn FnMut(SealRow) -> Result<()>,
    ) -> Result<()> {
        let mut statement = self.db.prepare_cached(
            "select seq, start_us, end_us, leaves from seal
             where leaves is not null and (?1 is null or (end_us >= ?1 and start_us <= ?2)) order by seq desc",
        )?;
        let mut rows = statement.query(params![of.map(|s| s.end), of.map(|s| s.start)])?;
        while let Some(row) = rows.next()? {
            let mut columns = Columns::of(row);
            let (seq, start, end) = (columns.count()?, columns.get()?, columns.get()?);
            let bytes: Vec<u8> = columns.get()?;
            let hashes = bytes.as_chunks::<32>().0.iter();
            each(SealRow {
                seq,
                span: Span { start, end },
                leaves: hashes.map(|hash| Digest(*hash)).collect(),
            })?;
        }
        Ok(())
    }

    /// Start of the oldest segment of all; none when there is none.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn oldest_start(&self) -> Result<Option<Wall>> {
        let mut statement = self
            .db
            .prepare_cached("select min(start_us) from segment")?;
        Ok(statement.query_row([], |row| row.get(0))?)
    }
}
