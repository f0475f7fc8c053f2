//! What is kept besides footage: details of the ledger, class by class, and what lies on volumes for longer than it may. Looked at
//! daily, and only by a time of day that is believed.

use log::{error, info};
use serde_json::json;

use crate::base::Clock;
use crate::base::error::Result;
use crate::base::time::Wall;
use crate::catalog::{Catalog, DETAILS_EXPIRED, Event, LedgerChange, Reader};
use crate::config::{Config, RecordsConfig};
use crate::daemon::sweeper;
use crate::daemon::volumes::Shared;
use crate::ledger::detail::Class;
use crate::retention::overage::{self, LISTED_MAX, Limits};
use crate::store::scrub::VolumeMark;
use crate::store::volume::Volume;

/// Details are erased this often.
const EVERY_US: i64 = 86_400_000_000;

/// A class of details, for people.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct ClassStatus {
    /// Which.
    pub class: String,
    /// How long it is kept, as the configuration writes it.
    pub age: String,
    /// What was written before this goes at the next run.
    pub before: Wall,
    /// How many entries have details.
    pub entries: u64,
    /// When the oldest of them was written.
    pub oldest: Option<Wall>,
}

/// Every class of details, with its age and what is there of it.
///
/// # Errors
/// What the catalog says.
pub fn classes(reader: &Reader, records: &RecordsConfig, now: Wall) -> Result<Vec<ClassStatus>> {
    let there = reader.detail_classes()?;
    let status = |(class, age): (&'static str, crate::config::Age)| {
        let row = there.iter().find(|row| row.class.as_str() == class);
        ClassStatus {
            class: class.to_owned(),
            age: age.to_string(),
            before: age.before(now),
            entries: row.map_or(0, |row| row.entries),
            oldest: row.map(|row| row.oldest),
        }
    };
    Ok(records.ages().map(status).collect())
}

/// Erases the details that are older than their class is kept, once a day. True when it did.
///
/// # Errors
/// What the catalog says.
pub fn expire(
    catalog: &Catalog,
    reader: &Reader,
    records: &RecordsConfig,
    clock: &dyn Clock,
) -> Result<bool> {
    let now = clock.wall();
    let last = reader.last_of(&[DETAILS_EXPIRED])?.map(|row| row.entry.at);
    if last.is_some_and(|last| now.us_since(last).abs() < EVERY_US) {
        return Ok(false);
    }
    // In doubt nothing is erased: by a clock that is a year ahead, everything would be.
    let verdict = sweeper::judge(reader, now, clock.host_sync(), &[])?;
    if !verdict.is_believed() || catalog.trouble().is_some() {
        return Ok(false);
    }
    let of_class = |(class, age): (&'static str, crate::config::Age)| {
        Ok((class.parse::<Class>()?, age.before(now), age.to_string()))
    };
    let classes = records.ages().map(of_class).collect::<Result<_>>()?;
    catalog.commit(LedgerChange::DetailsExpired { at: now, classes }, None)?;
    Ok(true)
}

/// Looks through a volume for what is older than it may be and is no row; deletes what the rules allow, tells the rest. Nothing is
/// deleted while the time of day or the catalog is in doubt. Notes in `mark` what somebody has to look at.
///
/// # Errors
/// When the volume cannot be read, or the catalog not be read or written.
pub fn over_age(
    shared: &Shared,
    config: &Config,
    reader: &Reader,
    volume: &Volume,
    mark: &mut VolumeMark,
) -> Result<()> {
    let now = shared.clock.wall();
    let verdict = sweeper::judge(reader, now, shared.clock.host_sync(), &[])?;
    if !verdict.is_believed() {
        return Ok(());
    }
    let holds = reader.holds_that_keep(now)?;
    let limits = Limits {
        now,
        quarantine_secs: config.quarantine.keep_secs,
        quarantine_bytes: config.quarantine.max_bytes,
        held: &|camera, span| {
            // Where nothing says of which camera it is, any hold may be of it.
            holds.iter().any(|hold| match camera {
                Some(camera) => hold.holds(camera, span.start, span.end),
                None => span.start < hold.span.end && hold.span.start < span.end,
            })
        },
    };
    let found = overage::look(reader, volume, &limits)?;
    let may = reader.meta()?.latch.is_none() && shared.catalog.trouble().is_none();
    let failed = if may {
        overage::delete(&shared.catalog, volume, &found.doomed, now)?
    } else {
        let latched = found.doomed.iter();
        let latched =
            latched.map(|one| (one.path.clone(), "nothing may be deleted now".to_owned()));
        latched.collect()
    };
    let told: Vec<String> = found
        .told
        .iter()
        .map(|(path, why)| format!("{}: {why}", path.display()))
        .chain(
            failed
                .iter()
                .map(|(path, why)| format!("{}: {why}", path.display())),
        )
        .collect();
    let deleted = found.doomed.len() - failed.len();
    if deleted > 0 {
        info!(
            "volume \"{}\": {deleted} files in quarantine, left-over keys or copies of packages were deleted",
            volume.name
        );
    }
    for text in told
        .iter()
        .take(LISTED_MAX)
        .filter(|text| !mark.over_age.contains(text))
    {
        error!("it is kept for longer than it may be: {text}");
    }
    let room = found
        .doomed
        .iter()
        .filter(|one| one.cause == overage::Cause::QuarantineRoom);
    mark.quarantine_lost = if may { room.count() as u64 } else { 0 };
    mark.over_age_count = told.len() as u64;
    mark.over_age = told.into_iter().take(LISTED_MAX).collect();
    note(shared, reader, volume, (found.files, deleted), mark, now)
}

/// The entry of a look.
fn note(
    shared: &Shared,
    reader: &Reader,
    volume: &Volume,
    (files, deleted): (u64, usize),
    mark: &VolumeMark,
    now: Wall,
) -> Result<()> {
    let all_well = mark.over_age_count == 0;
    let facts = json!({
        "files": files,
        "deleted": deleted,
        "told": mark.over_age_count,
        "overdue": overdue(reader, now)?,
    });
    let event = Event {
        result: if all_well { "ok" } else { "failed" }.to_owned(),
        detail: (!all_well).then(|| json!({ "files": mark.over_age })),
        ..Event::of_box(now, "over-age", &volume.name, facts)
    };
    shared.catalog.commit(Vec::new(), event)
}

/// Rows that are older than they may be, by more than a sweep takes.
fn overdue(reader: &Reader, now: Wall) -> Result<u64> {
    let mut sum = 0;
    for row in reader.streams()? {
        sum += reader.overdue(&row, now)?.unwrap_or_default();
    }
    Ok(sum)
}
