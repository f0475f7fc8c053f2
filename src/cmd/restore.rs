//! `sinetti restore`: a state folder out of a backup, on this machine or a new one.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::json;

use crate::backup;
use crate::base::clock::SystemClock;
use crate::base::disk::{self, SECRET_DIR_MODE, SECRET_MODE};
use crate::base::error::{Context, Error, Kind, Result};
use crate::base::time::Wall;
use crate::base::zone::Zone;
use crate::catalog::{
    Catalog, Change, DisclosureChange, Event, PeopleChange, RESTORED, Reader, SERIALS_SKIPPED,
    Serial,
};
use crate::cmd::{same_digits, say, say_json, secret, who};
use crate::config;
use crate::daemon::ledger::{self, Since};
use crate::retention::latch;
use crate::store::state::{self, State};
use crate::store::volume::Volume;
use crate::vault::shares;

/// So many serial numbers of disclosures are left out after the last one that is known: requests of the minute by which a mirror may be
/// behind.
const SKIPPED: u32 = 20;
/// So many when a volume, or its mirror, is not there to tell.
const SKIPPED_BLINDLY: u32 = 1000;

/// Arguments of `restore`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder of one backup: sinetti-backup-TIME.
    #[arg(value_name = "FOLDER")]
    backup: PathBuf,
    /// A file (mode 0600) with a recovery share; given once for each of two shares.
    #[arg(long, value_name = "FILE", required = true)]
    recovery: Vec<PathBuf>,
    /// Why, and who decided it, in words for whoever reads the log later: the controller's statement.
    #[arg(long)]
    statement: String,
    /// The fingerprint of the box from paper. Without it you are asked to compare it yourself.
    #[arg(long)]
    fingerprint: Option<String>,
    /// For scripts.
    #[arg(long)]
    json: bool,
}

/// Runs it. `dir` becomes the state folder; a restore that does not come to its end leaves none.
pub(super) fn run(dir: &Path, args: &Args) -> Result<ExitCode> {
    state::check_empty(dir)?;
    if args.statement.trim().is_empty() {
        return Err(Error::invalid("--statement: say why, and who decided it"));
    }
    let manifest = backup::open(&args.backup)?;
    if let Some(paper) = &args.fingerprint
        && !same_digits(paper, &manifest.key.fingerprint())
    {
        let text = format!(
            "the backup is signed by {}, which is not what stands on the paper: it is of another box, or was made up",
            manifest.key.fingerprint()
        );
        return Err(Error::new(Kind::Denied, text));
    }
    let texts = args
        .recovery
        .iter()
        .map(|path| secret::text(path))
        .collect::<Result<Vec<_>>>()?;
    let texts: Vec<&str> = texts.iter().map(|text| text.as_str()).collect();
    let identity = shares::combine(&texts)?;
    identity
        .check_opens(&manifest.recipient)
        .context(|| "these shares are of another recovery key")?;
    disk::create_dir_all(dir, SECRET_DIR_MODE)?;
    let identity_file = backup::unpack(&args.backup, &identity, dir)?;
    let state = State::read(dir, &identity_file)?;
    if (state.box_id, state.key()?, &state.recovery)
        != (manifest.box_id, manifest.key, &manifest.recipient)
    {
        return Err(Error::corrupt(
            "what is in the archive is of another box than the manifest says",
        ));
    }
    let now = SystemClock::shared().wall();
    let since = settle(&state, args, &manifest, now)?;
    // Last: from now on the folder is a state folder.
    disk::create(&dir.join("box.json"), &identity_file, SECRET_MODE)?;
    let missing = missing_volumes(&state);
    if args.json {
        say_json(&json!({
            "made": manifest.made,
            "fingerprint": manifest.key.fingerprint(),
            "since": since,
            "volumes_missing": missing,
        }))?;
    } else {
        say(&text(&state, &manifest, &since, &missing)?)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What a catalog of the past must not do: delete, go on with the old log, let in whoever has a token that was used since.
fn settle(state: &State, args: &Args, manifest: &backup::Manifest, now: Wall) -> Result<Since> {
    let catalog = Catalog::open_signing(&state.catalog_path(), state.box_id, state.signer())?;
    let reader = catalog.reader()?;
    let own = (state.box_id, state.key()?);
    let since = ledger::since(&reader, own)?;
    // First: nothing of this is an entry of the old log.
    ledger::begin_epoch(&catalog, own, &who(), &args.statement, now)?;
    let reason = format!("{} {}", latch::RESTORED, manifest.made);
    latch::set(&catalog, reason, now)?;
    let withdrawn: Vec<Change> = reader
        .accounts()?
        .into_iter()
        .map(|account| PeopleChange::Withdrawn(account.person, now).into())
        .collect();
    let skipped = skipped(state, &reader, &since, now)?;
    let mut facts = json!({
        "made": manifest.made,
        "sha256": manifest.sha256,
        "entries_since": since.entries,
        "people_since": since.people.len(),
    });
    facts[SERIALS_SKIPPED] = json!(skipped);
    let event = Event {
        detail: Some(json!({ "by": who(), "people": since.people })),
        ..Event::of_box(now, RESTORED, "state", facts)
    };
    let mut changes = withdrawn;
    changes.extend(skipped.iter().map(|until| {
        let until = *until;
        Change::Disclosure(DisclosureChange::NumbersSkipped { until })
    }));
    catalog.commit(changes, event)?;
    drop(reader);
    catalog.close()?;
    Ok(since)
}

/// The last serial numbers that are not given any more, by year: what was given since the backup went with its records, and a number
/// that stands on somebody's paper must not be given again.
fn skipped(state: &State, reader: &Reader, since: &Since, now: Wall) -> Result<Vec<Serial>> {
    // At the site; a configuration that cannot be read is told of elsewhere.
    let zone = config::load(&state.config_path()).map(|loaded| loaded.config.site.zone);
    let year = |zone: Zone| zone.basic(now).get(..4).and_then(|y| y.parse().ok());
    let this = zone.ok().and_then(year).or_else(|| year(Zone::UTC));
    let mut last = since.serials.clone();
    if let Some(this) = this {
        last.entry(this).or_default();
    }
    let more = if since.is_certain {
        SKIPPED
    } else {
        SKIPPED_BLINDLY
    };
    let skip = |(year, given): (u16, u32)| {
        let known = reader.next_serial(year)?.number - 1;
        let number = known.max(given).saturating_add(more);
        Ok(Serial { year, number })
    };
    last.into_iter().map(skip).collect()
}

/// The volumes of the configuration that are not there, and why.
fn missing_volumes(state: &State) -> Vec<String> {
    match config::load(&state.config_path()) {
        Ok(loaded) => loaded
            .config
            .volumes
            .iter()
            .filter_map(|volume| {
                let opened = Volume::open(&volume.path, state.box_id, &volume.name);
                opened.err().map(|e| e.to_string())
            })
            .collect(),
        Err(e) => vec![e.to_string()],
    }
}

fn text(
    state: &State,
    manifest: &backup::Manifest,
    since: &Since,
    missing: &[String],
) -> Result<String> {
    use std::fmt::Write;
    let mut out = format!(
        "{} is the state of {} again\n  signed by  {}  compare it with the paper\n",
        state.dir.display(),
        manifest.made,
        manifest.key.fingerprint()
    );
    if since.entries > 0 {
        writeln!(
            out,
            "the mirrors on the volumes know {} entries that came after it",
            since.entries
        )?;
    }
    if !since.people.is_empty() {
        writeln!(
            out,
            "PERSONS OR RIGHTS WERE CHANGED SINCE, and are as before again. Look at each: sinetti user review"
        )?;
        for line in &since.people {
            writeln!(out, "  {line}")?;
        }
    }
    writeln!(
        out,
        "Serial numbers of disclosures go on after a gap, which the entry \"restored\" names: what was given since is not given again."
    )?;
    for text in missing {
        writeln!(out, "not there: {text}")?;
    }
    out.push_str(
        "Persons, rights, passphrases and second factors are as they were then; recovery codes that were used since count as unused.\n\
         The ledger begins a new epoch with your statement; tokens for enrolling are void.\n\
         Start the recorder: footage that is newer than the backup is taken in from the volumes.\n\
         NOTHING WILL BE DELETED until a controller has looked and says: sinetti retention confirm --person NAME\n",
    );
    Ok(out)
}
