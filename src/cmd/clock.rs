//! `sinetti clock confirm`: a person says that the time of day is right, so that footage may be deleted by it.

use std::path::Path;
use std::process::ExitCode;

use crate::base::clock::SystemClock;
use crate::base::error::Result;
use crate::base::zone::Zone;
use crate::cmd::{say, who};
use crate::config;
use crate::daemon::answer::Ask;
use crate::daemon::control::Client;
use crate::store::state::State;

/// What to do with the clock.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Say that the box's time of day is right: deletion goes on by it.
    Confirm,
}

/// Runs it.
pub(super) fn run(dir: &Path, command: &Command) -> Result<ExitCode> {
    let Command::Confirm = command;
    let state = State::open(dir)?;
    let zone = config::load(&state.config_path()).map_or(Zone::UTC, |l| l.config.site.zone);
    Client::open(&state)?.ask(&Ask::ConfirmClock { by: who() })?;
    let now = zone.display(SystemClock::shared().wall());
    say(&format!(
        "confirmed: it is {now}; footage is deleted by this clock\n"
    ))?;
    Ok(ExitCode::SUCCESS)
}
