//! The house's own copies of packages go: after their receipt is confirmed, when the disclosure is taken back, when a newer package
//! takes their place, and at the latest after 14 days. The file first, then its key: what the key alone opened is gone with it.

use std::collections::BTreeSet;

use log::{error, warn};
use serde_json::json;

use crate::base::disk;
use crate::base::error::{Kind, Result};
use crate::base::time::Wall;
use crate::catalog::{DisclosureRow, DisclosureState, Event, FileRow, JobRow, PackageChange};
use crate::daemon::packages::Options;
use crate::store::volume::PACKAGES_DIR;

/// No copy is kept for longer, in microseconds: 14 days.
const KEPT_US_MAX: i64 = 14 * 86_400_000_000;

/// Why a copy goes now; none: it stays. `made` is the disclosure's last job that was done: one that failed takes the place of nothing.
fn why(
    file: &FileRow,
    row: Option<&DisclosureRow>,
    made: Option<&JobRow>,
    now: Wall,
) -> Option<&'static str> {
    let Some(row) = row else {
        return Some("unknown");
    };
    let over = |at: Wall| now.us_since(at) >= KEPT_US_MAX;
    let newer = made.is_some_and(|job| job.job != file.job);
    let made = made.and_then(|job| job.ended);
    match row.state {
        DisclosureState::Received | DisclosureState::Destroyed => Some("received"),
        DisclosureState::Withdrawn | DisclosureState::Refused => Some("withdrawn"),
        _ if newer => Some("replaced"),
        _ if made.is_some_and(over) => Some("time"),
        _ if row.copies_until.is_some_and(|until| now >= until) => Some("time"),
        _ => None,
    }
}

/// Wipes what is due.
///
/// # Errors
/// What the catalog says. A copy that cannot be removed is tried again at the next look.
pub(super) fn due(options: &Options) -> Result<()> {
    let (reader, now) = (options.catalog.reader()?, options.clock.wall());
    for file in reader.package_files_there()? {
        let row = reader.disclosure(file.disclosure)?;
        let made = reader.last_made(file.disclosure)?;
        if let Some(why) = why(&file, row.as_ref(), made.as_ref(), now)
            && let Err(e) = wipe(options, &file, why)
        {
            warn!(
                "wiping part {} of the package of disclosure {}: {e}",
                file.part, file.disclosure
            );
        }
    }
    Ok(())
}

fn wipe(options: &Options, file: &FileRow, why: &str) -> Result<()> {
    let path = options.place(file)?;
    match disk::remove_file(&path) {
        Err(e) if e.kind() != Kind::NotFound => return Err(e),
        _ => {}
    }
    let at = options.clock.wall();
    let facts = json!({ "part": file.part, "sha256": file.sha256.to_string(), "why": why });
    let event = Event::of_box(
        at,
        "package-wiped",
        format!("disclosure {}", file.disclosure),
        facts,
    );
    let change = PackageChange::Wiped {
        job: file.job,
        part: file.part,
        at,
    };
    options.catalog.commit(change, event)
}

/// Removes what lies where packages do and has no row: something came between a name and its row. Nothing opens it. To be called
/// when no job is under way.
pub(super) fn strays(options: &Options) {
    let found = || -> Result<()> {
        let rows = options.catalog.reader()?.package_files_there()?;
        let known: BTreeSet<_> = rows.iter().map(|file| file.place.as_str()).collect();
        for volume in options.volumes()? {
            let dir = volume.root.join(PACKAGES_DIR);
            let Ok(entries) = std::fs::read_dir(&dir) else {
                continue;
            };
            for entry in entries {
                let entry = entry?;
                let place = format!("{}/{}", volume.id, entry.file_name().to_string_lossy());
                if entry.file_type()?.is_file() && !known.contains(place.as_str()) {
                    warn!(
                        "{} is part of no package; it is removed",
                        entry.path().display()
                    );
                    disk::remove_file(&entry.path())?;
                }
            }
        }
        Ok(())
    };
    if let Err(e) = found() {
        error!("looking for left-over parts of packages: {e}");
    }
}

#[cfg(test)]
#[path = "wipe_tests.rs"]
mod tests;
