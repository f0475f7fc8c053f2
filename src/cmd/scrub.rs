//! `sinetti scrub`: reads all footage through, or says how far that has come.

use std::cell::Cell;
use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

use log::info;

use crate::base::clock::SystemClock;
use crate::base::error::Result;
use crate::base::time::Mono;
use crate::base::zone::Zone;
use crate::catalog::Catalog;
use crate::cmd::{say, say_json};
use crate::config;
use crate::daemon::answer::Ask;
use crate::daemon::control::Client;
use crate::daemon::{scrub as daemon, volumes};
use crate::recorder::reconcile::Reconcile;
use crate::recorder::scrub::{Pace, Scrub};
use crate::store::scrub::{Mark, VolumeMark};
use crate::store::state::State;
use crate::store::volume::Volume;

/// Progress is told this often, in seconds.
const TOLD_EVERY_SECS: u64 = 10;

/// Arguments of `scrub`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Begin now, or go on with what is under way. While the recorder runs it does that at its pace; else it is done here
    /// and now, at full speed.
    #[arg(long)]
    now: bool,
    /// For scripts.
    #[arg(long)]
    json: bool,
}

/// Runs it. The exit status is 0 when nothing is known to be damaged or missing.
pub(super) fn run(dir: &Path, args: &Args) -> Result<ExitCode> {
    let state = State::open(dir)?;
    let mark = match Client::open(&state)? {
        client if !args.now => {
            drop(client);
            Mark::read(dir)
        }
        mut client @ Client::Daemon(_) => {
            client.ask(&Ask::Scrub)?;
            say(
                "the recorder reads all volumes through, 20 MiB a second of each; sinetti scrub says how far it has come\n",
            )?;
            return Ok(ExitCode::SUCCESS);
        }
        Client::Alone { .. } => {
            let _lock = state.lock()?;
            alone(&state)?
        }
    };
    if args.json {
        say_json(&mark)?;
    } else {
        let zone = config::load(&state.config_path()).map_or(Zone::UTC, |l| l.config.site.zone);
        say(&text(&mark, zone)?)?;
    }
    let well = mark.volumes.values().all(VolumeMark::is_well);
    Ok(if well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Without the recorder: everything, at full speed.
fn alone(state: &State) -> Result<Mark> {
    let clock = SystemClock::shared();
    let loaded = config::load(&state.config_path())?;
    let catalog = Catalog::open_signing(&state.catalog_path(), state.box_id, state.signer())?;
    let reader = catalog.reader()?;
    let mut all = Mark::read(&state.dir);
    for config in &loaded.config.volumes {
        let volume = Volume::open(&config.path, state.box_id, &config.name)?;
        volumes::seen(&catalog, &volume)?;
        let mut mark = all.volumes.remove(&volume.id).unwrap_or_default();
        let report = Reconcile {
            catalog: &catalog,
            reader: &reader,
            volume: &volume,
            box_id: state.box_id,
            clock: &*clock,
        }
        .run(&mut || true)?;
        daemon::reconciled(&mut mark, &report, clock.wall());
        let pace = Pace::new(&*clock, 0, &|_| true);
        let told = Cell::new(Mono::default());
        let scrub = Scrub {
            catalog: &catalog,
            reader: &reader,
            volume: &volume,
            clock: &*clock,
            pace: &pace,
        };
        let before = all.clone();
        scrub.run(&mut mark, &mut |mark| {
            let mut now = before.clone();
            now.volumes.insert(volume.id, mark.clone());
            if let Err(e) = now.write(&state.dir) {
                log::warn!("how far the scrub has come is not kept: {e}");
            }
            if clock.mono().since(told.get()).as_secs() >= TOLD_EVERY_SECS {
                told.set(clock.mono());
                info!(
                    "volume \"{}\": {} segments, {} MB",
                    volume.name,
                    mark.segments,
                    mark.bytes / 1_000_000
                );
            }
        })?;
        all.volumes.insert(volume.id, mark);
    }
    all.write(&state.dir)?;
    catalog.close()?;
    Ok(all)
}

fn text(mark: &Mark, zone: Zone) -> Result<String> {
    let mut out = String::new();
    if mark.volumes.is_empty() {
        writeln!(out, "nothing was read through yet")?;
    }
    for volume in mark.volumes.values() {
        write_volume(&mut out, volume, zone)?;
    }
    Ok(out)
}

/// One volume's lines.
pub(super) fn write_volume(out: &mut String, mark: &VolumeMark, zone: Zone) -> std::fmt::Result {
    const DAMAGED_SHOWN: usize = 20;
    let when = |at| match at {
        Some(at) => zone.display(at),
        None => "never".to_owned(),
    };
    let under_way = if mark.is_under_way() {
        format!(", under way since {}", when(mark.begun))
    } else {
        String::new()
    };
    writeln!(
        out,
        "scrub {:<17} read through {}{under_way}: {} segments, {} MB, {} damaged; compared {}: {} missing, {} strangers",
        mark.name,
        when(mark.finished),
        mark.segments,
        mark.bytes / 1_000_000,
        mark.damaged.len(),
        when(mark.reconciled),
        mark.missing,
        mark.strangers
    )?;
    for damage in mark.damaged.values().take(DAMAGED_SHOWN) {
        writeln!(out, "  DAMAGED {}", damage.text)?;
    }
    match mark.damaged.len().saturating_sub(DAMAGED_SHOWN) {
        0 => Ok(()),
        more => writeln!(out, "  and {more} more: sinetti scrub --json"),
    }
}
