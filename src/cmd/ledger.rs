//! `sinetti ledger`: the log that nobody can rewrite unseen: read it, check it, prove from it, take an anchor away.

mod anchor;
mod show;
mod verify;

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::base::clock::SystemClock;
use crate::base::error::{Error, Kind, Result};
use crate::base::id::SegmentId;
use crate::base::zone::Zone;
use crate::catalog::{DETAILS_EXPIRED, Reader};
use crate::cmd::{reindex, say, say_json, who};
use crate::config;
use crate::daemon::answer::Ask;
use crate::daemon::control::Client;
use crate::daemon::records;
use crate::evidence::proof::{EntryProof, SegmentProof};
use crate::evidence::{tree_details, tree_files};
use crate::store::state::State;

/// What to do with the ledger.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Show entries, the newest first.
    Show(show::Args),
    /// Check every entry, every hash and every signature. Exit status 0 only when all is whole and all anchors fit.
    Verify(verify::Args),
    /// Write the log as static files that other tools can check (C2SP tlog-tiles).
    Export(ExportArgs),
    /// Take the current checkpoint away, or give one back: the box must prove that it goes on from it.
    Anchor(anchor::Args),
    /// Print the proof that an entry, or a segment, is in the log, as JSON.
    Prove(ProveArgs),
    /// Bind all footage that is closed by an entry now, instead of at the hour.
    Seal,
    /// Begin the log anew after a restore, or when it was damaged. What came before stays as it is.
    BeginEpoch(EpochArgs),
    /// How long details are kept, class by class, and what is there of them. They are erased daily.
    Classes(ClassesArgs),
    /// Erase details (names, addresses, reasons) of old entries. The log stays whole and provable.
    Erase(EraseArgs),
}

/// Arguments of `ledger export`.
#[derive(Debug, clap::Args)]
pub(super) struct ExportArgs {
    /// A new or empty folder, or an earlier export of the same log, which is brought up to date.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Also write the details that may be erased: names, addresses, reasons. Handle them as personal data.
    #[arg(long)]
    with_details: bool,
}

/// Arguments of `ledger prove`.
#[derive(Debug, clap::Args)]
pub(super) struct ProveArgs {
    /// The entry's number.
    #[arg(required_unless_present = "segment")]
    seq: Option<u64>,
    /// A segment's id instead.
    #[arg(long, conflicts_with = "seq")]
    segment: Option<SegmentId>,
}

/// Arguments of `ledger begin-epoch`.
#[derive(Debug, clap::Args)]
pub(super) struct EpochArgs {
    /// Why, in words for whoever reads the log later.
    #[arg(long)]
    statement: String,
}

/// Arguments of `ledger classes`.
#[derive(Debug, clap::Args)]
pub(super) struct ClassesArgs {
    /// For scripts.
    #[arg(long)]
    json: bool,
}

/// Arguments of `ledger erase`.
#[derive(Debug, clap::Args)]
pub(super) struct EraseArgs {
    /// Which details; the classes are those of: sinetti ledger classes.
    #[arg(long)]
    class: String,
    /// Those of entries before this time.
    #[arg(long, value_name = "TIME")]
    before: String,
}

/// Runs it.
pub(super) fn run(dir: &Path, command: Command) -> Result<ExitCode> {
    // On any machine: there need not be a box.
    if let Command::Verify(args) = &command
        && args.needs_no_box()
    {
        return verify::run_elsewhere(args);
    }
    let state = State::open(dir)?;
    match command {
        Command::Show(args) => show::run(&state, &args),
        Command::Verify(args) => verify::run(&state, &args),
        Command::Export(args) => export(&state, &args),
        Command::Anchor(args) => anchor::run(&state, &args),
        Command::Prove(args) => prove(&state, &args),
        Command::Seal => {
            Client::open(&state)?.ask(&Ask::Seal)?;
            say("footage is sealed: every closed segment is bound by an entry\n")?;
            Ok(ExitCode::SUCCESS)
        }
        Command::BeginEpoch(args) => {
            let (by, statement) = (who(), args.statement);
            Client::open(&state)?.ask(&Ask::BeginEpoch { by, statement })?;
            say("the ledger has begun anew; its first entry says why\n")?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Classes(args) => classes(&state, &args),
        Command::Erase(args) => erase(&state, &args),
    }
}

/// The catalog for reading, brought up to date when nothing runs.
fn reader(state: &State) -> Result<Reader> {
    let path = state.existing_catalog()?;
    match Reader::open(&path, state.box_id) {
        Err(e) if e.kind() == Kind::Invalid => {
            // An older version: whoever may write brings it up to date.
            drop(Client::open(state)?);
            Reader::open(&path, state.box_id)
        }
        other => other,
    }
}

fn zone(state: &State) -> Zone {
    config::load(&state.config_path()).map_or(Zone::UTC, |l| l.config.site.zone)
}

fn export(state: &State, args: &ExportArgs) -> Result<ExitCode> {
    let reader = reader(state)?;
    let key = state.key()?;
    let entries = std::fs::read_dir(&args.folder).map_or(0, Iterator::count);
    if entries > 0 && tree_files::read_note(&args.folder)?.is_none() {
        return Err(Error::invalid(format!(
            "{} is not empty and holds no exported ledger; give a new or empty folder",
            args.folder.display()
        )));
    }
    let Some(epoch) = tree_files::write(&args.folder, &reader, state.box_id, key)? else {
        return Err(Error::new(
            Kind::NotFound,
            "nothing is signed yet; start the recorder, or wait a second",
        ));
    };
    // Those that lie there already are not left as they were: some may have been erased since.
    if args.with_details || tree_details::are_in(&args.folder) {
        let mut epochs = reader.epochs()?;
        epochs.retain(|older| older.number < epoch.number);
        epochs.push(epoch.clone());
        tree_details::write(&args.folder, &reader, &epochs)?;
    }
    say(&format!(
        "{} entries in {}\n\
         signed by {}\n\
         check it anywhere with: sinetti ledger verify {} --fingerprint \"{}\"\n",
        epoch.size,
        args.folder.display(),
        key.fingerprint(),
        args.folder.display(),
        key.fingerprint()
    ))?;
    Ok(ExitCode::SUCCESS)
}

fn prove(state: &State, args: &ProveArgs) -> Result<ExitCode> {
    let reader = reader(state)?;
    if let Some(seq) = args.seq {
        say_json(&EntryProof::make(&reader, seq)?)?;
    }
    if let Some(id) = args.segment {
        let row = reader.segment_by_uuid(id)?.ok_or_else(|| {
            Error::new(Kind::NotFound, format!("the catalog has no segment {id}"))
        })?;
        say_json(&SegmentProof::make(&reader, state.box_id, &row)?)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn classes(state: &State, args: &ClassesArgs) -> Result<ExitCode> {
    let config = config::load(&state.config_path())?.config;
    let (zone, now) = (config.site.zone, SystemClock::shared().wall());
    let reader = reader(state)?;
    let classes = records::classes(&reader, &config.records, now)?;
    let last = reader.last_of(&[DETAILS_EXPIRED])?.map(|row| row.entry.at);
    if args.json {
        say_json(&serde_json::json!({ "classes": classes, "last_run": last }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut out = String::new();
    for class in &classes {
        let there = class.oldest.map_or("none there".to_owned(), |oldest| {
            format!(
                "{} there, the oldest of {}",
                class.entries,
                zone.display(oldest)
            )
        });
        writeln!(out, "{:<14} kept {:<10} {there}", class.class, class.age)?;
    }
    match last {
        Some(at) => writeln!(out, "last erased {}", zone.display(at))?,
        None => writeln!(out, "never erased yet: the recorder does it daily")?,
    }
    say(&out)?;
    Ok(ExitCode::SUCCESS)
}

fn erase(state: &State, args: &EraseArgs) -> Result<ExitCode> {
    let now = SystemClock::shared().wall();
    let before = zone(state).parse(&args.before, now)?;
    if before > now {
        return Err(Error::invalid(
            "--before lies in the future; details are erased of what has happened",
        ));
    }
    Client::open(state)?.ask(&Ask::EraseDetails {
        class: args.class.clone(),
        before,
        by: who(),
    })?;
    say("erased; the last entry says how many, and the log is as whole as before\n")?;
    for path in reindex::old_catalogs(&state.dir) {
        if path != state.catalog_path() {
            let path = path.display();
            say(&format!(
                "they are still in {path}, which a reindex set aside: remove it when nobody needs it\n"
            ))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
