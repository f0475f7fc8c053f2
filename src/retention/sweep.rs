//! Does what a plan says, in batches, each in an order that a kill at any point leaves whole:
//!
//! 1. the rows are marked as garbage: the intent, and the end of their being listed;
//! 2. their key slots are zeroed in place and synced: from here on nothing opens them;
//! 3. their files are removed;
//! 4. the folders are synced, and removed when they are empty and their day is past;
//! 5. the rows are dropped, and counted into what the sweep has deleted.
//!
//! At the end one event tells of the whole sweep. The next sweep begins with what is marked already, whatever left it
//! so: finishing after a crash is the same code. What cannot be deleted stays marked and stops nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use log::warn;
use serde_json::json;

use crate::base::Clock;
use crate::base::disk;
use crate::base::error::{Error, Kind, Result};
use crate::base::hash::Digest;
use crate::base::id::{BoxId, StreamId, VolumeId};
use crate::base::time::Wall;
use crate::catalog::{Catalog, Change, Event, GarbageRow, Reader, SweepRow, SweptRow};
use crate::media::merkle;
use crate::retention::plan::Doomed;
use crate::store::slots::{SlotFile, Zeroed};
use crate::store::volume::Volume;

/// Segments of one batch: one transaction marks them, one drops them.
pub const BATCH: u32 = 256;
/// Segments that are marked before they are worked off. A plan goes by time, across all streams; out of so many the batches
/// can be formed of one stream and day each, and each slot file and folder of a batch is a sync.
const WINDOW: u32 = 16 * BATCH;
/// Folders and slot files of a day are left alone until it is over for so long, in microseconds: a late picture of that
/// day may still be on its way.
const PAST_US: i64 = 30 * 60 * 1_000_000;

/// What deletes: one at a time.
pub struct Sweeper<'a> {
    /// The catalog.
    pub catalog: &'a Catalog,
    /// Reads it.
    pub reader: &'a Reader,
    /// This box.
    pub box_id: BoxId,
    /// The clocks.
    pub clock: &'a dyn Clock,
    /// The time of day that was believed when the plan was made: holds are asked for at that time.
    pub now: Wall,
}

/// What came of a sweep.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Outcome {
    /// Segments that are gone.
    pub segments: u64,
    /// What could not be deleted, with the reason.
    pub failures: Vec<String>,
}

impl Sweeper<'_> {
    /// Finishes what is marked already, then does `plan`, then writes the event. `go_on` is asked between batches: it
    /// may wait a moment, so that writers come first; false ends the sweep early.
    ///
    /// # Errors
    /// When the catalog cannot be read or written: then nothing more is deleted.
    pub fn run(&self, plan: &[Doomed], go_on: &mut dyn FnMut() -> bool) -> Result<Outcome> {
        let mut outcome = Outcome::default();
        let (mut after, mut goes_on) = (0, true);
        while goes_on {
            let rows = self.reader.garbage(after, WINDOW)?;
            let Some(last) = rows.last() else { break };
            after = last.number;
            goes_on = self.work_off_all(rows, &mut outcome, go_on)?;
        }
        for window in plan.chunks(WINDOW as usize) {
            if !goes_on {
                break;
            }
            for doomed in window.chunks(BATCH as usize) {
                self.condemn(doomed)?;
            }
            let ids: Vec<_> = window.iter().map(|d| d.segment).collect();
            goes_on = self.work_off_all(self.reader.garbage_of(&ids)?, &mut outcome, go_on)?;
        }
        self.end(outcome.failures.len() as u64)?;
        Ok(outcome)
    }

    /// Step 1: marks the rows.
    ///
    /// # Errors
    /// What the catalog says; then none is marked.
    pub fn condemn(&self, doomed: &[Doomed]) -> Result<()> {
        let at = self.now;
        let changes: Vec<_> = doomed
            .iter()
            .map(|d| Change::SegmentCondemned {
                segment: d.segment,
                rule: d.rule,
                at,
            })
            .collect();
        self.catalog.commit(changes, None)
    }

    /// Steps 2 to 5 for any rows that are marked, batch by batch; whether `go_on` lets it go on.
    fn work_off_all(
        &self,
        mut rows: Vec<GarbageRow>,
        outcome: &mut Outcome,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<bool> {
        rows.sort_by(|a, b| place(a).cmp(&place(b)));
        let mut rows = rows.into_iter();
        loop {
            let batch: Vec<_> = rows.by_ref().take(BATCH as usize).collect();
            if batch.is_empty() {
                return Ok(true);
            }
            self.work_off(batch, outcome)?;
            if !go_on() {
                return Ok(false);
            }
        }
    }

    /// Steps 2 to 5 for the rows of a batch.
    fn work_off(&self, rows: Vec<GarbageRow>, outcome: &mut Outcome) -> Result<()> {
        let mut batch = self.batch(rows)?;
        batch.destroy_keys();
        batch.remove_files();
        batch.settle_folders(self.clock.wall());
        outcome.segments += self.drop_rows(&batch)?;
        outcome.failures.append(&mut batch.failures());
        Ok(())
    }

    /// Marked rows with their volumes.
    ///
    /// # Errors
    /// What the catalog says.
    pub fn batch(&self, rows: Vec<GarbageRow>) -> Result<Batch> {
        let mut volumes = BTreeMap::new();
        let wanted: BTreeSet<_> = rows.iter().map(|row| row.volume).collect();
        for row in self.reader.volumes()? {
            if wanted.contains(&row.volume)
                && let Ok(volume) = Volume::open(Path::new(&row.path), self.box_id, &row.name)
                && volume.id == row.volume
            {
                volumes.insert(row.volume, volume);
            }
        }
        let items = rows.into_iter().map(|row| {
            let gone = !volumes.contains_key(&row.volume);
            Item {
                failed: gone.then(|| "its volume is not there".to_owned()),
                row,
            }
        });
        Ok(Batch {
            items: items.collect(),
            volumes,
        })
    }

    /// Step 5: drops the rows of what is gone; how many.
    ///
    /// # Errors
    /// What the catalog says; then none is dropped, and the next sweep finds nothing left to remove.
    pub fn drop_rows(&self, batch: &Batch) -> Result<u64> {
        let at = self.clock.wall();
        let gone = batch.items.iter().filter(|item| item.failed.is_none());
        let changes: Vec<_> = gone
            .map(|item| Change::SegmentDeleted {
                segment: item.row.segment,
                at,
            })
            .collect();
        let count = changes.len() as u64;
        if count > 0 {
            self.catalog.commit(changes, None)?;
        }
        Ok(count)
    }

    /// The end: one event for the whole sweep, if one is under way.
    ///
    /// # Errors
    /// What the catalog says.
    pub fn end(&self, failures: u64) -> Result<()> {
        let Some(sweep) = self.reader.last_sweep()?.filter(|s| s.ended.is_none()) else {
            return Ok(());
        };
        let at = self.clock.wall();
        let facts = facts(&sweep, &self.reader.swept()?, failures);
        let result = if failures == 0 { "ok" } else { "failed" };
        let event = Event {
            result: result.to_owned(),
            ..Event::of_box(at, "sweep", "retention", facts)
        };
        self.catalog
            .commit(Change::SweepEnded { at, failures }, event)
    }
}

/// What the event says for good, in few bytes, since there is one every minute or two for ever: by rule, of each stream
/// `[stream, from, to, segments, bytes]`, times in microseconds since 1970; and one Merkle root over the roots of these
/// lines in this order, each of which is over the content roots of what was deleted.
fn facts(sweep: &SweepRow, swept: &[SweptRow], failures: u64) -> serde_json::Value {
    let mut deleted: BTreeMap<&str, Vec<serde_json::Value>> = BTreeMap::new();
    let mut roots: BTreeMap<&str, Vec<Digest>> = BTreeMap::new();
    for row in swept {
        let (stream, span) = (row.stream.to_string(), row.span);
        let (from, to) = (span.start.us(), span.end.us());
        let rule = row.rule.as_str();
        let line = json!([stream, from, to, row.segments, row.bytes]);
        deleted.entry(rule).or_default().push(line);
        roots.entry(rule).or_default().push(row.root);
    }
    let roots: Vec<Digest> = roots.into_values().flatten().collect();
    json!({
        "sweep": sweep.sweep,
        "segments": sweep.segments,
        "bytes": sweep.bytes,
        "failures": failures,
        "deleted": deleted,
        "root": merkle::root(&roots).to_string(),
    })
}

/// Rows whose slots lie in one file are neighbours in this order, and of these the ones whose files lie in one folder.
fn place(row: &GarbageRow) -> (VolumeId, &StreamId, &str, Wall) {
    (row.volume, &row.stream, &row.key_day, row.start)
}

struct Item {
    row: GarbageRow,
    /// Why it is not deleted now. Later steps leave it out.
    failed: Option<String>,
}

/// Segments that go together.
pub struct Batch {
    items: Vec<Item>,
    volumes: BTreeMap<VolumeId, Volume>,
}

/// Notes a failure with those of `items` that `concerns`.
fn fail(items: &mut [Item], error: &Error, concerns: impl Fn(&GarbageRow) -> bool) {
    for item in items {
        if item.failed.is_none() && concerns(&item.row) {
            item.failed = Some(error.to_string());
        }
    }
}

impl Batch {
    /// Step 2: zeroes the key slots, one sync for each file of them.
    pub fn destroy_keys(&mut self) {
        let files: BTreeSet<_> = self
            .items
            .iter()
            .filter(|item| item.failed.is_none())
            .map(|item| {
                let row = &item.row;
                (row.volume, row.stream.clone(), row.key_day.clone())
            })
            .collect();
        for (volume_id, stream, day) in files {
            let Some(volume) = self.volumes.get(&volume_id) else {
                continue;
            };
            let in_file = |row: &GarbageRow| {
                row.volume == volume_id && row.stream == stream && row.key_day == day
            };
            if let Err(e) = zero_all(volume, &stream, &day, &mut self.items, in_file) {
                fail(&mut self.items, &e, in_file);
            }
        }
    }

    /// Step 3: removes the files. One that is gone already is fine.
    pub fn remove_files(&mut self) {
        for item in self.items.iter_mut().filter(|item| item.failed.is_none()) {
            let Some(volume) = self.volumes.get(&item.row.volume) else {
                continue;
            };
            let row = &item.row;
            let path = volume.segment_path(&row.stream, row.start, row.segment);
            match disk::remove_file(&path) {
                Ok(()) => {}
                Err(e) if e.kind() == Kind::NotFound => {}
                Err(e) => item.failed = Some(e.to_string()),
            }
        }
    }

    /// Step 4: syncs the folders, then removes what is empty in them and whose day is past at `now`.
    pub fn settle_folders(&mut self, now: Wall) {
        let past = now.plus_us(-PAST_US).day();
        let Self { items, volumes } = self;
        let folders: BTreeSet<_> = items
            .iter()
            .filter(|item| item.failed.is_none())
            .map(|item| {
                (
                    item.row.volume,
                    item.row.stream.clone(),
                    item.row.start.midnight(),
                )
            })
            .collect();
        for (volume_id, stream, day) in folders {
            let Some(volume) = volumes.get(&volume_id) else {
                continue;
            };
            let dir = volume.segment_dir(&stream, day);
            match disk::sync_dir(&dir) {
                Ok(()) => {}
                Err(e) if e.kind() == Kind::NotFound => continue,
                Err(e) => fail(items, &e, |row| {
                    row.volume == volume_id && row.stream == stream && row.start.midnight() == day
                }),
            }
            if day.day() < past
                && let Err(e) = remove_past_folders(&dir, &day.day(), &past)
            {
                warn!("{e}");
            }
        }
        let files: BTreeSet<_> = items
            .iter()
            .filter(|item| item.failed.is_none() && item.row.key_day < past)
            .map(|item| {
                let row = &item.row;
                (row.volume, row.stream.clone(), row.key_day.clone())
            })
            .collect();
        for (volume, stream, day) in files {
            if let Some(volume) = volumes.get(&volume)
                && let Err(e) = remove_slot_file(volume, &stream, &day)
            {
                warn!("{e}");
            }
        }
    }

    /// What was not deleted, with the reason.
    pub fn failures(&self) -> Vec<String> {
        let failed = |item: &Item| {
            let reason = item.failed.as_ref()?;
            Some(format!(
                "segment {} of {} ({}): {reason}",
                item.row.segment, item.row.stream, item.row.start
            ))
        };
        self.items.iter().filter_map(failed).collect()
    }
}

/// Zeroes the slots of those items that lie in the file of `day`, and syncs it.
fn zero_all(
    volume: &Volume,
    stream: &StreamId,
    day: &str,
    items: &mut [Item],
    in_file: impl Fn(&GarbageRow) -> bool,
) -> Result<()> {
    let Some(mut file) = SlotFile::open(volume, stream, day)? else {
        // With the file every key in it is gone.
        return Ok(());
    };
    for item in items {
        if item.failed.is_some() || !in_file(&item.row) {
            continue;
        }
        match file.zero(item.row.key_index, item.row.segment) {
            Ok(Zeroed::Yes) => {}
            Ok(Zeroed::NotOurs) => warn!(
                "key slot {} of {stream} on {day} is not that of segment {}: it was left alone",
                item.row.key_index, item.row.segment
            ),
            Err(e) => item.failed = Some(e.to_string()),
        }
    }
    file.sync()
}

/// Removes the folder of a past day when it is empty, and then what is empty beside and above it.
fn remove_past_folders(dir: &Path, day: &str, past: &str) -> Result<()> {
    let (Some(month), true) = (dir.parent(), disk::remove_empty_dir(dir)?) else {
        return Ok(());
    };
    // Days that were emptied before they were past.
    for entry in std::fs::read_dir(month)?.flatten() {
        let name = entry.file_name();
        let beside = name.to_str().filter(|n| n.len() == 2);
        let is_past = beside.is_some_and(|name| format!("{}{name}", &day[..6]).as_str() < past);
        if is_past && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            disk::remove_empty_dir(&entry.path())?;
        }
    }
    disk::sync_dir(month)?;
    let mut dir = month;
    for digits in [6, 4] {
        let Some(above) = dir.parent() else { break };
        if day[..digits] >= past[..digits] || !disk::remove_empty_dir(dir)? {
            break;
        }
        disk::sync_dir(above)?;
        dir = above;
    }
    Ok(())
}

/// Removes the slot file of a past day when every slot in it is zero, and older ones beside it that are so too.
fn remove_slot_file(volume: &Volume, stream: &StreamId, day: &str) -> Result<()> {
    let removed = match SlotFile::open(volume, stream, day)? {
        Some(file) => file.remove_if_empty()?,
        None => false,
    };
    let path = volume.slots_path(stream, day);
    let (Some(dir), true) = (path.parent().map(PathBuf::from), removed) else {
        return Ok(());
    };
    for entry in std::fs::read_dir(&dir)?.flatten() {
        let name = entry.file_name();
        let other = name.to_str().and_then(|name| name.strip_suffix(".keys"));
        if let Some(other) = other.filter(|other| other.len() == 8 && *other < day)
            && let Some(file) = SlotFile::open(volume, stream, other)?
        {
            file.remove_if_empty()?;
        }
    }
    disk::sync_dir(&dir)
}
