//! `sinetti backup`: everything of the box but footage, encrypted to the recovery identity, while it records.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::json;

use crate::backup::{self, Source};
use crate::base::clock::SystemClock;
use crate::base::error::{Error, Kind, Result};
use crate::catalog::{Event, Phase, Reader};
use crate::cmd::{say, say_json, who};
use crate::daemon::control::Client;
use crate::store::state::State;

/// Arguments of `backup`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A folder on another disk, best in another place. The backup gets a folder of its own in it.
    #[arg(value_name = "DIR")]
    into: PathBuf,
    /// Afterwards remove the oldest backups of this box in DIR, so that so many are left. Default: all stay.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..))]
    keep: Option<u16>,
    /// For scripts.
    #[arg(long)]
    json: bool,
}

/// Runs it.
pub(super) fn run(dir: &Path, args: &Args) -> Result<ExitCode> {
    let state = State::open(dir)?;
    // What can be refused is refused before anything is noted.
    let into = backup::check_place(&args.into, &state)?;
    let signer = state.signer()?;
    let mut client = Client::open(&state)?;
    let now = SystemClock::shared().wall();
    let event = |result: &str, phase, facts| Event {
        result: result.to_owned(),
        phase,
        detail: Some(json!({ "by": who(), "folder": into.display().to_string() })),
        ..Event::of_box(now, "backup", "state", facts)
    };
    let begun = client
        .note(event("begun", Phase::Begun, json!({})))?
        .ok_or_else(|| Error::new(Kind::Internal, "an intent without an entry"))?;
    let ended = Phase::Ended { of: begun };
    let made = Reader::open(&state.existing_catalog()?, state.box_id).and_then(|reader| {
        let source = Source {
            state: &state,
            reader: &reader,
            signer: &signer,
            now,
        };
        backup::write(&source, &into)
    });
    let written = match made {
        Ok(written) => written,
        Err(e) => {
            client.note(event("failed", ended, json!({})))?;
            return Err(e);
        }
    };
    let removed = args.keep.map_or(Ok(0), |keep| {
        backup::remove_older(&into, &state, usize::from(keep))
    });
    let manifest = &written.manifest;
    let facts = json!({
        "bytes": manifest.bytes,
        "sha256": manifest.sha256,
        "older_removed": removed.as_ref().ok(),
    });
    client.note(event("ok", ended, facts))?;
    let removed = removed?;
    if args.json {
        say_json(&json!({
            "folder": written.folder,
            "made": manifest.made,
            "bytes": manifest.bytes,
            "sha256": manifest.sha256,
            "older_removed": removed,
        }))?;
    } else {
        say(&format!(
            "{}\n  bytes        {}\n  SHA-256      {}\n  opens with   two of the recovery shares (key {})\n  signed by    {}\n\
             {}It holds no footage and no segment key. Try it once a year: sinetti --dir NEW restore FOLDER\n",
            written.folder.display(),
            manifest.bytes,
            manifest.sha256,
            manifest.recipient.fingerprint(),
            manifest.key.fingerprint(),
            match removed {
                0 => String::new(),
                n => format!("  removed      {n} older\n"),
            }
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}
