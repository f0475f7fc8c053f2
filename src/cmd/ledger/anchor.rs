//! `sinetti ledger anchor`: a checkpoint leaves the box, and later comes back as a question that the box must answer.

use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::json;

use crate::base::clock::SystemClock;
use crate::base::disk;
use crate::base::error::{Context, Error, Kind, Result};
use crate::catalog::Event;
use crate::cmd::{say, who};
use crate::daemon::control::Client;
use crate::ledger::checkpoint::Checkpoint;
use crate::store::state::State;

/// Arguments of `ledger anchor`.
#[derive(Debug, clap::Args)]
pub(in crate::cmd) struct Args {
    /// Where to write the checkpoint: best straight to a stick that leaves the house. Default: it is printed.
    #[arg(short, long, value_name = "FILE", conflicts_with = "give_back")]
    output: Option<PathBuf>,
    /// A checkpoint that was taken away: prove that the log goes on from it.
    #[arg(long = "return", value_name = "FILE")]
    give_back: Option<PathBuf>,
}

/// Runs it.
pub(super) fn run(state: &State, args: &Args) -> Result<ExitCode> {
    match &args.give_back {
        None => take(state, args),
        Some(path) => give_back(state, path),
    }
}

fn take(state: &State, args: &Args) -> Result<ExitCode> {
    let key = state.key()?;
    let epoch = super::reader(state)?.epoch()?;
    let note = epoch.note.ok_or_else(|| {
        Error::new(
            Kind::NotFound,
            "nothing is signed yet; start the recorder, or wait a second",
        )
    })?;
    let checkpoint = Checkpoint::open(&note, key)?;
    if let Some(path) = &args.output {
        disk::create(path, note.as_bytes(), 0o644).context(|| "writing the anchor")?;
    }
    let event = Event {
        detail: Some(json!({ "by": who() })),
        ..Event::of_box(
            SystemClock::shared().wall(),
            "anchor-taken",
            "ledger",
            json!({ "epoch": checkpoint.epoch, "size": checkpoint.size, "root": checkpoint.root.to_string() }),
        )
    };
    // Only now: an anchor that could not be written was not taken.
    Client::open(state)?.note(event)?;
    let text = match &args.output {
        Some(path) => format!("{}\n", path.display()),
        None => note,
    };
    say(&format!(
        "{text}\nentries      {}\nroot         {}\nfingerprint  {}\n\n\
         Keep it where nobody who can reach this box can change it: on paper, on a stick in another place, in an e-mail\n\
         to the auditor. Given back with \"sinetti ledger anchor --return FILE\", the box must prove that nothing before\n\
         it was changed.\n",
        checkpoint.size,
        checkpoint.root,
        key.fingerprint()
    ))?;
    Ok(ExitCode::SUCCESS)
}

fn give_back(state: &State, path: &std::path::Path) -> Result<ExitCode> {
    let key = state.key()?;
    let note = super::verify::read_anchor(path)?;
    let checkpoint = Checkpoint::open(&note, key).context(|| format!("{}", path.display()))?;
    let proof = super::reader(state)?.consistency(state.box_id, &checkpoint);
    let mut event = Event {
        detail: Some(json!({ "by": who() })),
        ..Event::of_box(
            SystemClock::shared().wall(),
            "anchor-returned",
            "ledger",
            json!({ "epoch": checkpoint.epoch, "size": checkpoint.size, "root": checkpoint.root.to_string() }),
        )
    };
    if proof.is_err() {
        event.result = "failed".to_owned();
    }
    Client::open(state)?.note(event)?;
    match proof {
        Ok((epoch, path)) => {
            say(&format!(
                "the ledger goes on from this anchor: its first {} of {} entries are those that it was signed over\n\
                 consistency proof of {} hashes (RFC 6962, 2.1.2)\n",
                checkpoint.size,
                epoch.size,
                path.len()
            ))?;
            Ok(ExitCode::SUCCESS)
        }
        Err(e) => {
            say(&format!(
                "THE LEDGER DOES NOT GO ON FROM THIS ANCHOR: {e}\nLook with: sinetti ledger verify --anchor {}\n",
                path.display()
            ))?;
            Ok(ExitCode::FAILURE)
        }
    }
}
