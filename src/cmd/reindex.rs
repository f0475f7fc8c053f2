//! `sinetti reindex`: a new catalog from the volumes. The old one is set aside and never deleted.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use log::{info, warn};

use crate::access::{EnrolmentToken, Role, keys};
use crate::base::clock::SystemClock;
use crate::base::disk;
use crate::base::error::{Error, Kind, Result};
use crate::base::time::Wall;
use crate::catalog::{self, Catalog, Event, LedgerChange, Reader};
use crate::cmd::{init, say, say_json, user};
use crate::config;
use crate::daemon::control::Client;
use crate::daemon::ledger;
use crate::evidence::tree_rebuild;
use crate::recorder::deletions::Deletions;
use crate::recorder::reindex::{self, Reindex, Report};
use crate::retention::mirror::{self, Kept};
use crate::store::scrub::Mark;
use crate::store::state::State;
use crate::store::volume::Volume;
use crate::vault::generation;

/// What the catalog is called while it is made.
const NEW: &str = "catalog.db.new";
/// What an old one's name begins with.
const BEFORE: &str = "catalog.db.before-";
/// What belongs to a catalog besides its file.
const BESIDES: [&str; 3] = ["", "-wal", "-shm"];
const LISTED_MAX: usize = 20;

/// Arguments of `reindex`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// When no old catalog can be read: the personal user name of a new first controller, who enrols and opens what is
    /// recorded from then on. Without it only the recovery shares do.
    #[arg(long)]
    person: Option<String>,
    /// Write that person's one-time enrolment token into this new file instead of showing it.
    #[arg(long, value_name = "FILE", requires = "person")]
    token_file: Option<PathBuf>,
    /// Version of the confidentiality undertaking that the person signed.
    #[arg(long, value_name = "VERSION", requires = "person")]
    undertaking: Option<String>,
    /// For scripts.
    #[arg(long)]
    json: bool,
}

/// What became of persons and keys.
#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
enum People {
    /// Taken from the old catalog.
    Kept {
        /// How many persons.
        persons: usize,
        /// From which file.
        from: PathBuf,
    },
    /// There is a new first person.
    New {
        /// Why nobody could be kept.
        why: String,
    },
    /// Nobody: only the recovery shares open footage.
    Nobody {
        /// Why.
        why: String,
    },
}

#[derive(Debug, serde::Serialize)]
struct Done {
    people: People,
    ledger: Ledger,
    set_aside: Option<PathBuf>,
    volumes_missing: Vec<String>,
    holds: Holds,
    #[serde(flatten)]
    report: Report,
}

/// What became of holds and policies.
#[derive(Debug, serde::Serialize)]
struct Holds {
    /// Holds that are in the catalog again; `None`: no volume says anything of them.
    kept: Option<usize>,
    /// When it was so.
    as_of: Option<Wall>,
    /// What is wrong with what volumes say.
    troubles: Vec<String>,
}

/// Holds and policies as the volumes have them, signed, are put into the catalog.
fn keep_holds(catalog: &Catalog, (found, troubles): (Option<Kept>, Vec<String>)) -> Result<Holds> {
    if let Some(kept) = &found {
        kept.restore(catalog)?;
    }
    Ok(Holds {
        kept: found.as_ref().map(|kept| kept.holds.len()),
        as_of: found.as_ref().map(|kept| kept.at),
        troubles,
    })
}

/// Where the ledger comes from.
#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "kebab-case", tag = "from")]
enum Ledger {
    /// An old catalog: it goes on as if nothing had happened.
    Catalog {
        /// Which.
        path: PathBuf,
        /// Entries.
        entries: u64,
    },
    /// The mirror on a volume, without details: it begins anew after it.
    Mirror {
        /// Where.
        path: PathBuf,
        /// Entries.
        entries: u64,
    },
    /// Nothing of it is left: it begins anew.
    Lost,
}

impl Ledger {
    /// What was taken from elsewhere than a catalog may lack its last minute: an epoch of its own begins.
    fn go_on(&self, catalog: &Catalog, now: Wall) -> Result<()> {
        let (number, entries) = match self {
            Self::Catalog { .. } => return Ok(()),
            Self::Mirror { entries, .. } => (None, *entries),
            // No other has this number: nothing is known of those that were.
            Self::Lost => (u32::try_from(now.us() / 1_000_000).ok(), 0),
        };
        let change = LedgerChange::EpochBegun {
            at: now,
            number,
            cause: serde_json::json!({ "reindex": true, "entries": entries }),
            statement: "the catalog was rebuilt from the volumes".to_owned(),
        };
        catalog.commit(change, None)
    }
}

/// Takes the ledger into the new catalog: from the old one, else from the volume whose mirror has most.
fn keep_ledger(state: &State, volumes: &[Volume], new: &Path, now: Wall) -> Result<Ledger> {
    for path in old_catalogs(&state.dir) {
        match catalog::take_ledger(new, state.box_id, &path) {
            Ok(entries) => return Ok(Ledger::Catalog { path, entries }),
            Err(e) => warn!("the ledger cannot be kept: {e}"),
        }
    }
    let key = state.key()?;
    let mut mirrors: Vec<_> = volumes
        .iter()
        .filter_map(|volume| ledger::mirror_of(volume, key))
        .collect();
    mirrors.sort_by_key(|(checkpoint, _)| std::cmp::Reverse((checkpoint.epoch, checkpoint.size)));
    for (_, path) in mirrors {
        match tree_rebuild::take(new, state.box_id, &path, key, now) {
            Ok(entries) => return Ok(Ledger::Mirror { path, entries }),
            Err(e) => warn!("{e}"),
        }
    }
    Ok(Ledger::Lost)
}

/// Runs it.
pub(super) fn run(dir: &Path, args: &Args) -> Result<ExitCode> {
    let state = State::open(dir)?;
    if Client::connect(&state).is_ok() {
        let text = "the recorder runs; stop it first: systemctl stop sinetti";
        return Err(Error::new(Kind::Busy, text));
    }
    let _lock = state.lock()?;
    let now = SystemClock::shared().wall();
    let (volumes, volumes_missing) = volumes(&state)?;
    let new_path = dir.join(NEW);
    for end in BESIDES {
        remove(&dir.join(format!("{NEW}{end}")))?;
    }
    let ledger = keep_ledger(&state, &volumes, &new_path, now)?;
    let catalog = Catalog::open_signing(&new_path, state.box_id, state.signer())?;
    ledger.go_on(&catalog, now)?;
    let (people, token) = people(&state, &catalog, args, now)?;
    let kept = mirror::latest(&volumes, state.box_id, state.key()?);
    let holds = kept.0.as_ref().map_or(&[][..], |kept| &kept.holds);
    let report = Reindex {
        catalog: &catalog,
        deletions: &Deletions::of(&catalog.reader()?, holds)?,
        volumes: &volumes,
        box_id: state.box_id,
        clock: &*SystemClock::shared(),
        tell: &|segments| info!("{segments} segments"),
    }
    .run()?;
    let holds = keep_holds(&catalog, kept)?;
    catalog.close()?;
    let set_aside = put_in_place(dir, now)?;
    // The rows have other numbers now.
    Mark::forget(dir)?;
    let done = Done {
        people,
        ledger,
        set_aside,
        volumes_missing,
        holds,
        report,
    };
    if args.json {
        say_json(&done)?;
    } else {
        say(&text(&done)?)?;
    }
    if let (Some(token), Some(name)) = (&token, &args.person) {
        let zone = config::load(&state.config_path())?.config.site.zone;
        match &args.token_file {
            // Nothing else is in the answer of a script.
            Some(path) if args.json => user::keep(token, path)?,
            file => user::hand_out(token, name, file.as_deref(), now, zone)?,
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn remove(path: &Path) -> Result<()> {
    match disk::remove_file(path) {
        Err(e) if e.kind() == Kind::NotFound => Ok(()),
        other => other,
    }
}

/// The volumes of the configuration that are there, and the others with the reason.
fn volumes(state: &State) -> Result<(Vec<Volume>, Vec<String>)> {
    let loaded = config::load(&state.config_path())?;
    let (mut there, mut missing) = (Vec::new(), Vec::new());
    for config in &loaded.config.volumes {
        match Volume::open(&config.path, state.box_id, &config.name) {
            Ok(volume) => there.push(volume),
            Err(e) => {
                warn!("{e}; its footage is taken into the catalog when it is there at a start");
                missing.push(e.to_string());
            }
        }
    }
    if there.is_empty() {
        let text = "no volume is there; mount them. Nothing was changed";
        return Err(Error::new(Kind::NotFound, text));
    }
    Ok((there, missing))
}

/// Where persons may be found: the catalog, or else those that were set aside, the latest first.
pub(super) fn old_catalogs(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let is_old = |name: &String| {
        name.starts_with(BEFORE) && !name.ends_with("-wal") && !name.ends_with("-shm")
    };
    let mut names: Vec<_> = names.filter(is_old).collect();
    names.sort();
    names.push("catalog.db".to_owned());
    names.reverse();
    let paths = names.into_iter().map(|name| dir.join(name));
    paths.filter(|path| path.exists()).collect()
}

/// The first old catalog of which persons and generations could be taken, with their number; or why there is none.
fn keep(state: &State, catalog: &Catalog) -> Result<Result<(usize, PathBuf), String>> {
    let mut why = "there is no old catalog".to_owned();
    for path in old_catalogs(&state.dir) {
        let read = Reader::open(&path, state.box_id).and_then(|old| {
            old.current_generation()?
                .ok_or_else(|| Error::corrupt("it has no vault generation"))?;
            reindex::keep_people(&old, catalog)
        });
        match read {
            Ok(persons) => return Ok(Ok((persons, path))),
            Err(e) => {
                warn!("persons cannot be kept: {e}");
                why = e.to_string();
            }
        }
    }
    Ok(Err(why))
}

/// Persons and generations from an old catalog; where nobody is kept, a generation that only the recovery identity opens, and
/// a person who enrols if one is wanted.
fn people(
    state: &State,
    catalog: &Catalog,
    args: &Args,
    now: Wall,
) -> Result<(People, Option<EnrolmentToken>)> {
    let kept = keep(state, catalog)?;
    if let Ok((persons @ 1.., from)) = kept {
        if args.person.is_some() {
            let text = format!(
                "the persons in {} can be read and are kept; leave out --person. Nothing was changed",
                from.display()
            );
            return Err(Error::invalid(text));
        }
        return Ok((People::Kept { persons, from }, None));
    }
    let has_generation = kept.is_ok();
    let why = kept
        .err()
        .unwrap_or_else(|| "the old catalog knows nobody".to_owned());
    if !has_generation {
        let made = generation::create_for_recovery(&state.recovery, now)?;
        let facts =
            serde_json::json!({ "generation": made.generation.id, "holders": [], "why": "first" });
        let event = Event::of_box(now, "generation-added", "vault", facts);
        catalog.commit(keys::changes(made), event)?;
    }
    let Some(name) = &args.person else {
        return Ok((People::Nobody { why }, None));
    };
    let undertaking = args.undertaking.as_deref();
    let token = init::invite(catalog, name, Role::Controller, undertaking, now)?;
    Ok((People::New { why }, Some(token)))
}

/// The old catalog gets another name, then the new one gets its. Where the old one lies now.
fn put_in_place(dir: &Path, now: Wall) -> Result<Option<PathBuf>> {
    let name = format!("{BEFORE}{}", now.basic());
    let mut set_aside = None;
    for end in BESIDES {
        let from = dir.join(format!("catalog.db{end}"));
        if from.exists() {
            disk::rename(&from, &dir.join(format!("{name}{end}")))?;
            set_aside = Some(dir.join(&name));
        }
    }
    disk::sync_dir(dir)?;
    disk::rename(&dir.join(NEW), &dir.join("catalog.db"))?;
    disk::sync_dir(dir)?;
    Ok(set_aside)
}

fn text(done: &Done) -> Result<String> {
    let mut out = String::new();
    let report = &done.report;
    writeln!(
        out,
        "the catalog was rebuilt: {} streams, {} segments, {} bytes, {} gaps whose cause is not known any more",
        report.streams, report.segments, report.bytes, report.gaps
    )?;
    let recovered = &report.recovered;
    if recovered.adopted + recovered.rows_added > 0 || !recovered.quarantined.is_empty() {
        writeln!(
            out,
            "left by a crash: {} completed, {} put into quarantine",
            recovered.adopted + recovered.rows_added,
            recovered.quarantined.len()
        )?;
    }
    out.push_str(&of_ledger(&done.ledger)?);
    out.push_str(&of_holds(&done.holds)?);
    for skipped in &recovered.skipped {
        writeln!(out, "left as it is: {skipped}")?;
    }
    if report.holes > 0 {
        writeln!(
            out,
            "segments that follow one which is not there, and of which no sweep tells: {}",
            report.holes
        )?;
        for hole in &report.holes_listed {
            writeln!(out, "  {hole}")?;
        }
    }
    for (list, what) in [
        (&report.twice, "there twice, left alone"),
        (&report.strangers, "not Sinetti's, left alone"),
    ] {
        for path in list.iter().take(LISTED_MAX) {
            writeln!(out, "{what}: {}", path.display())?;
        }
    }
    for missing in &done.volumes_missing {
        writeln!(out, "not there: {missing}")?;
    }
    out.push_str(&who(&done.people)?);
    if let Some(path) = &done.set_aside {
        writeln!(
            out,
            "the old catalog is {}; it knows the causes of the gaps",
            path.display()
        )?;
    }
    writeln!(
        out,
        "NOTHING WILL BE DELETED until somebody has looked at it and says: sinetti retention confirm"
    )?;
    Ok(out)
}

/// Where the ledger comes from.
fn of_ledger(ledger: &Ledger) -> Result<String> {
    let mut out = String::new();
    match ledger {
        Ledger::Catalog { path, entries } => writeln!(
            out,
            "the ledger goes on: {entries} entries from {}",
            path.display()
        )?,
        Ledger::Mirror { path, entries } => writeln!(
            out,
            "the ledger begins a new epoch after {entries} entries from {}; their details are gone",
            path.display()
        )?,
        Ledger::Lost => writeln!(
            out,
            "THE LEDGER IS LOST: it begins anew, and its first entry says so"
        )?,
    }
    Ok(out)
}

/// What became of holds.
fn of_holds(holds: &Holds) -> Result<String> {
    let mut out = String::new();
    match (holds.kept, holds.as_of) {
        (Some(kept), Some(at)) => writeln!(
            out,
            "holds and policies are as they were at {at}: {kept} holds, with those that have ended"
        )?,
        _ => writeln!(
            out,
            "NO VOLUME KNOWS OF HOLDS: before deletion is confirmed, place anew what is to be held"
        )?,
    }
    for trouble in &holds.troubles {
        writeln!(out, "not read: {trouble}")?;
    }
    Ok(out)
}

/// Who can open footage now.
fn who(people: &People) -> Result<String> {
    let mut out = String::new();
    match people {
        People::Kept { persons, from } => {
            writeln!(
                out,
                "{persons} persons with their keys, and the events, were kept from {}",
                from.display()
            )?;
        }
        People::New { why } => writeln!(
            out,
            "persons could not be kept ({why}). The new controller enrols (sinetti enrol) and opens what is recorded from\n\
             then on; what was recorded before is opened by two of the three recovery shares: sinetti open"
        )?,
        People::Nobody { why } => writeln!(
            out,
            "persons could not be kept ({why}). Nobody can open footage but with two of the three recovery shares\n\
             (sinetti open), until a backup of the catalog is put back or a first person is made: sinetti reindex --person NAME"
        )?,
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::disk::faults::{Faults, Outcome};

    fn lies(dir: &Path, text: &str) -> Vec<String> {
        let entries = std::fs::read_dir(dir).expect("folder").flatten();
        let with = entries.filter(|e| std::fs::read(e.path()).is_ok_and(|b| b == text.as_bytes()));
        with.map(|e| e.file_name().display().to_string()).collect()
    }

    /// Puts a new catalog in place with a fault at step `at`; false when there is no such step.
    fn with_fault(at: usize, outcome: Outcome) -> bool {
        let folder = tempfile::tempdir().expect("folder");
        let (dir, now) = (folder.path(), Wall::from_secs(1_795_000_000));
        let write = |name: &str, text: &str| {
            disk::create(&dir.join(name), text.as_bytes(), 0o600).expect("file");
        };
        write("catalog.db", "old");
        write("catalog.db-wal", "old wal");
        write(NEW, "new");
        let why = format!("step {at}, {outcome:?}");
        let faults = Faults::below(dir, at, 1, outcome);
        let result = put_in_place(dir, now);
        let is_step = faults.seen().len() > at;
        drop(faults);
        assert_eq!(result.is_ok(), !is_step, "{why}");
        let old = lies(dir, "old");
        assert_eq!(old.len(), 1, "{why}: the old one is kept: {old:?}");
        assert_eq!(lies(dir, "old wal").len(), 1, "{why}");
        let in_place = std::fs::read(dir.join("catalog.db")).ok();
        // Whoever opens it gets the old one with all that belongs to it, the new one, or none: never a mixture.
        let wal_is_there = dir.join("catalog.db-wal").exists();
        match in_place.as_deref() {
            Some(b"old") => assert!(wal_is_there, "{why}"),
            Some(b"new") => assert!(!wal_is_there, "{why}"),
            other => assert_eq!(other, None, "{why}"),
        }
        // Reindex again: it makes a new one anew.
        remove(&dir.join(NEW)).expect("removed");
        write(NEW, "newer");
        put_in_place(dir, now.plus_us(1_000_000)).expect("in place");
        assert_eq!(lies(dir, "newer"), ["catalog.db"], "{why}");
        assert!(!dir.join("catalog.db-wal").exists(), "{why}");
        assert_eq!(lies(dir, "old").len(), 1, "{why}");
        assert_eq!(lies(dir, "old wal").len(), 1, "{why}");
        is_step
    }

    #[test]
    fn whatever_fails_the_old_catalog_is_kept_and_the_next_attempt_puts_a_new_one_in_place() {
        let outcomes = [Outcome::Undone, Outcome::Done];
        let steps = (0..20).take_while(|at| {
            let mut had_one = outcomes.iter().map(|outcome| with_fault(*at, *outcome));
            had_one.all(|had_one| had_one)
        });
        assert_eq!(steps.count(), 5);
    }
}
