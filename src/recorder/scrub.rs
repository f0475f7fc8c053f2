//! The scrub: every closed segment of a volume is read through, at a bounded rate, and what lies on disk is compared with
//! the BLAKE3 that was written with it, its row and its key slot. Bit rot is told before anyone needs the clip.
//!
//! Nothing is changed. Threads, times of day and what is shown are the daemon's.

use std::cell::Cell;
use std::path::Path;
use std::time::Duration;

use log::error;

use crate::base::Clock;
use crate::base::error::{Error, Kind, Result};
use crate::base::time::Mono;
use crate::catalog::{Catalog, Event, Reader, SegmentRow};
use crate::media::read::ReadAt;
use crate::recorder::check::{self, Report};
use crate::store::file::SegmentFile;
use crate::store::scrub::{DAMAGED_MAX, Damage, VolumeMark};
use crate::store::volume::Volume;

/// Segments between two marks: so many are read again after a restart.
const PAGE: u32 = 32;

/// How fast it may read, and whether it may go on.
pub struct Pace<'a> {
    clock: &'a dyn Clock,
    bytes_a_second: u64,
    /// Waits; false when it is to stop.
    wait: &'a dyn Fn(Duration) -> bool,
    next: Cell<Mono>,
    stopped: Cell<bool>,
}

impl<'a> Pace<'a> {
    /// `wait` waits for so long, also for no time at all, and says whether to go on. 0 bytes a second: no bound.
    pub fn new(
        clock: &'a dyn Clock,
        bytes_a_second: u64,
        wait: &'a dyn Fn(Duration) -> bool,
    ) -> Self {
        Self {
            clock,
            bytes_a_second,
            wait,
            next: Cell::new(clock.mono()),
            stopped: Cell::new(false),
        }
    }

    /// So many bytes are about to be read.
    ///
    /// # Errors
    /// [`Kind::Unavailable`] when it is to stop.
    pub fn take(&self, bytes: u64) -> Result<()> {
        let now = self.clock.mono();
        let early = self.next.get().since(now);
        if self.stopped.get() || !(self.wait)(early) {
            self.stopped.set(true);
            return Err(Error::new(Kind::Unavailable, "stopped"));
        }
        let us = bytes
            .saturating_mul(1_000_000)
            .checked_div(self.bytes_a_second);
        let from = self.next.get().max(now);
        self.next
            .set(from + Duration::from_micros(us.unwrap_or_default()));
        Ok(())
    }

    /// It was told to stop.
    pub fn is_stopped(&self) -> bool {
        self.stopped.get()
    }
}

/// A file that is read at that pace.
struct Paced<'a> {
    file: &'a SegmentFile,
    pace: &'a Pace<'a>,
}

impl ReadAt for Paced<'_> {
    fn len(&self) -> u64 {
        self.file.bytes()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<()> {
        self.pace.take(buf.len() as u64)?;
        self.file.read_at(offset, buf)
    }
}

/// What a scrub works on.
pub struct Scrub<'a> {
    /// The catalog, for events.
    pub catalog: &'a Catalog,
    /// Reads it.
    pub reader: &'a Reader,
    /// The volume.
    pub volume: &'a Volume,
    /// The clocks.
    pub clock: &'a dyn Clock,
    /// How fast.
    pub pace: &'a Pace<'a>,
}

impl Scrub<'_> {
    /// Goes on with the pass that is under way, or begins one; `save` is told how far it has come. Returns when the pass
    /// is at its end, with true, or when it is to stop, with false.
    ///
    /// # Errors
    /// When the catalog cannot be read or written, or the volume is not there any more.
    pub fn run(&self, mark: &mut VolumeMark, save: &mut dyn FnMut(&VolumeMark)) -> Result<bool> {
        if !mark.is_under_way() {
            mark.begun = Some(self.clock.wall());
            (mark.after, mark.segments, mark.bytes) = (None, 0, 0);
        }
        mark.name.clone_from(&self.volume.name);
        save(mark);
        loop {
            let page = self.reader.all_segments(self.volume.id, mark.after, PAGE)?;
            for row in &page.rows {
                self.segment(row, mark)?;
                if self.pace.is_stopped() {
                    return Ok(false);
                }
            }
            mark.after = page.next;
            if page.next.is_none() {
                break;
            }
            save(mark);
        }
        // What was not seen again is deleted.
        let begun = mark.begun;
        mark.damaged.retain(|_, damage| Some(damage.seen) >= begun);
        mark.finished = Some(self.clock.wall().max(begun.unwrap_or_default()));
        save(mark);
        let facts = serde_json::json!({
            "segments": mark.segments,
            "bytes": mark.bytes,
            "damaged": mark.damaged.len(),
            "begun": mark.begun,
        });
        let event = Event::of_box(self.clock.wall(), "scrub", &self.volume.name, facts);
        self.catalog.commit(Vec::new(), event)?;
        Ok(true)
    }

    fn segment(&self, row: &SegmentRow, mark: &mut VolumeMark) -> Result<()> {
        let path = self
            .volume
            .segment_path(&row.stream, row.start, row.segment);
        let mut report = Report::default();
        if let Err(e) = self.read(row, &path, &mut report) {
            if self.pace.is_stopped() {
                return Ok(());
            }
            report.findings.push(format!("{}: {e}", path.display()));
        }
        mark.segments += 1;
        mark.bytes += report.bytes;
        if report.findings.is_empty() {
            mark.damaged.remove(&row.segment);
            return Ok(());
        }
        // A volume that is gone is another matter, and so is what was deleted meanwhile.
        self.volume.still_there()?;
        if check::is_going(self.reader, row)? {
            return Ok(());
        }
        self.finding(row, report.findings.join("; "), mark)
    }

    fn read(&self, row: &SegmentRow, path: &Path, report: &mut Report) -> Result<()> {
        let file = SegmentFile::open(path)?;
        file.forget_cached();
        let paced = Paced {
            file: &file,
            pace: self.pace,
        };
        let checked = check::check_segment(self.volume, row, path, &paced, true, report);
        file.forget_cached();
        checked
    }

    fn finding(&self, row: &SegmentRow, text: String, mark: &mut VolumeMark) -> Result<()> {
        error!("scrub: {text}");
        let is_known = mark.damaged.contains_key(&row.segment);
        if !is_known && mark.damaged.len() < DAMAGED_MAX {
            let facts = serde_json::json!({
                "segment": row.segment,
                "stream": row.stream.to_string(),
                "from": row.start,
                "to": row.end,
                "finding": text,
            });
            let event = Event {
                result: "failed".to_owned(),
                ..Event::of_box(self.clock.wall(), "scrub-finding", &self.volume.name, facts)
            };
            self.catalog.commit(Vec::new(), event)?;
        }
        if is_known || mark.damaged.len() < DAMAGED_MAX {
            let seen = self.clock.wall();
            mark.damaged.insert(row.segment, Damage { text, seen });
        }
        Ok(())
    }
}
