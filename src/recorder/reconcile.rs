//! The daily reconciliation of a volume with the catalog, both ways, while the recorder runs: rows without files are told,
//! files without rows adopted by recovery's own code, strangers told and left alone.
//!
//! What a writer or its keeper is still busy with is left to them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use log::{info, warn};

use crate::base::Clock;
use crate::base::error::Result;
use crate::base::id::BoxId;
use crate::base::time::Wall;
use crate::catalog::{Catalog, Event, GapCause, Reader};
use crate::recorder::recovery::{self, Adopter};
use crate::recorder::walk::{self, Day, Difference};
use crate::store::volume::Volume;

/// A part that was written to within this time is not looked at: it may have been made this moment.
const PART_AGE: Duration = Duration::from_secs(60);
/// A closed segment without a row may have its row under way for so long, while the catalog is not written.
const CLOSED_AGE: Duration = Duration::from_secs(3600);
/// The longest segment, in microseconds.
const SEGMENT_US: i64 = 300 * 1_000_000;
/// So many of each kind are named in the log; the rest are counted.
const LISTED_MAX: usize = 20;

/// What a reconciliation found and did.
#[derive(Clone, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Report {
    /// Days of streams that were compared.
    pub days: u64,
    /// Rows whose file is not there.
    pub missing: Vec<PathBuf>,
    /// Rows without a file whose time is over: a restored catalog promises what was deleted since. The next sweep drops them.
    pub missing_expired: u64,
    /// What lies in the folders of streams and is not ours.
    pub strangers: Vec<PathBuf>,
    /// What was adopted, or set aside.
    pub recovered: recovery::Report,
    /// Files without a row that are left to whoever is busy with them.
    pub left: u64,
    /// It was told to stop before the end.
    pub stopped: bool,
}

/// What it works on.
pub struct Reconcile<'a> {
    /// The catalog.
    pub catalog: &'a Catalog,
    /// Reads it.
    pub reader: &'a Reader,
    /// The volume.
    pub volume: &'a Volume,
    /// This box.
    pub box_id: BoxId,
    /// The clocks.
    pub clock: &'a dyn Clock,
}

impl Reconcile<'_> {
    /// Compares every day; `go_on` is asked between two of them, and may wait.
    ///
    /// # Errors
    /// When the volume cannot be read, or the catalog not be read or written.
    pub fn run(&self, go_on: &mut dyn FnMut() -> bool) -> Result<Report> {
        let found = walk::all_days(self.reader, self.volume)?;
        let mut report = Report {
            strangers: found.strangers,
            ..Report::default()
        };
        let mut adopter = Adopter::new(self.volume, self.box_id, self.catalog)?;
        for day in found.days {
            if !go_on() {
                report.stopped = true;
                break;
            }
            let difference = day.compare(self.reader, self.volume)?;
            self.day(&day, difference, &mut adopter, &mut report)?;
            report.days += 1;
        }
        report.recovered = adopter.report;
        if report.recovered != recovery::Report::default() {
            let (cause, detail) = (GapCause::Unreadable, recovery::LOST);
            recovery::account_for_losses(self.reader, self.catalog, cause, detail)?;
        }
        report.recovered.missing = recovery::tell_missing(&report.missing);
        self.tell(&report)?;
        Ok(report)
    }

    fn day(
        &self,
        day: &Day,
        difference: Difference,
        adopter: &mut Adopter<'_>,
        report: &mut Report,
    ) -> Result<()> {
        report.strangers.extend(difference.strangers);
        // One that was deleted, or came back, meanwhile is not missing.
        if !difference.missing.is_empty() {
            self.volume.still_there()?;
            let again = day.compare(self.reader, self.volume)?.missing;
            let expired = self.expired_before(day)?;
            for path in difference.missing {
                let is_over = started(&path).is_some_and(|start| {
                    expired.is_some_and(|before| start.plus_us(SEGMENT_US) < before)
                });
                if is_over {
                    report.missing_expired += 1;
                } else if again.contains(&path) {
                    report.missing.push(path);
                }
            }
        }
        let newest = self.reader.newest_start(self.volume.id, &day.stream)?;
        let mut wanted = Vec::new();
        for path in difference.unknown {
            // Rows of a stream are written in order: one that has a younger sister is not under way any more.
            let is_past =
                started(&path).is_some_and(|start| newest.is_some_and(|newest| start < newest));
            let is_named = started(&path).is_some();
            if (is_past || !is_named) && self.is_older(&path, CLOSED_AGE) {
                wanted.push(path);
            } else {
                report.left += 1;
            }
        }
        for path in difference.parts {
            if self.is_older(&path, PART_AGE) {
                wanted.push(path);
            } else {
                report.left += 1;
            }
        }
        wanted.sort();
        wanted.iter().try_for_each(|path| adopter.adopt(path))
    }

    /// What of the day's stream ended before this is expired.
    fn expired_before(&self, day: &Day) -> Result<Option<Wall>> {
        let rows = self.reader.streams()?;
        let row = rows.into_iter().find(|row| row.stream == day.stream);
        Ok(row.and_then(|row| row.expired_before(self.clock.wall())))
    }

    /// False also when it is gone.
    fn is_older(&self, path: &Path, age: Duration) -> bool {
        let changed = std::fs::metadata(path).and_then(|data| data.modified());
        let age_us = i64::try_from(age.as_micros()).unwrap_or(i64::MAX);
        changed.is_ok_and(|at| self.clock.wall().us_since(Wall::from(at)).abs() > age_us)
    }

    fn tell(&self, report: &Report) -> Result<()> {
        let name = &self.volume.name;
        for path in report.strangers.iter().take(LISTED_MAX) {
            warn!("{} is not Sinetti's; it is left alone", path.display());
        }
        if report.strangers.len() > LISTED_MAX {
            warn!("and {} more", report.strangers.len() - LISTED_MAX);
        }
        let recovered = &report.recovered;
        let facts = serde_json::json!({
            "days": report.days,
            "missing": report.missing.len(),
            "missing_expired": report.missing_expired,
            "strangers": report.strangers.len(),
            "adopted": recovered.adopted,
            "rows_added": recovered.rows_added,
            "quarantined": recovered.quarantined,
            "skipped": recovered.skipped,
            "left": report.left,
            "stopped": report.stopped,
        });
        info!(
            "volume \"{name}\" and the catalog were compared: {} missing, {} adopted, {} set aside, {} strangers",
            report.missing.len(),
            recovered.adopted + recovered.rows_added,
            recovered.quarantined.len(),
            report.strangers.len()
        );
        let failed = !report.missing.is_empty() || !recovered.quarantined.is_empty();
        let event = Event {
            result: if failed { "failed" } else { "ok" }.to_owned(),
            ..Event::of_box(self.clock.wall(), "reconciled", name, facts)
        };
        self.catalog.commit(Vec::new(), event)
    }
}

/// When a segment began, by the name of its file: `20261123T154500.123Z-ID.mp4`.
fn started(path: &Path) -> Option<Wall> {
    let name = path.file_name()?.to_str()?;
    let (date, rest) = name.split_at_checked(8)?;
    let (year, rest_of_date) = date.split_at_checked(4)?;
    let (month, day) = rest_of_date.split_at_checked(2)?;
    let time = rest.strip_prefix('T')?.split_once('Z')?.0;
    let (hour, rest) = time.split_at_checked(2)?;
    let (minute, second) = rest.split_at_checked(2)?;
    Wall::parse_rfc3339(&format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z"))
}
