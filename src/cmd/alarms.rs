//! `sinetti alarms`: what somebody has to look at, with what to do; that one has; and a message that tries the alarm target.

use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

use crate::base::error::{Error, Kind, Result};
use crate::base::zone::Zone;
use crate::catalog::AlarmRow;
use crate::cmd::{say, say_json, who};
use crate::config;
use crate::daemon::answer::{Answer, Ask};
use crate::daemon::control::Client;
use crate::store::state::State;

/// Arguments of `alarms`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// Those that are over too: the last 1000.
    #[arg(long)]
    all: bool,
    /// For scripts.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Say that one has seen an alarm. It stays up until its cause is gone.
    Acknowledge {
        /// Its number.
        id: u64,
    },
    /// Send a message to the alarm target, to see whether it arrives.
    Test,
}

/// Runs it. The exit status is 1 while an alarm is up that nobody has acknowledged, warnings aside.
pub(super) fn run(dir: &Path, args: &Args) -> Result<ExitCode> {
    let state = State::open(dir)?;
    let mut client = Client::open(&state)?;
    match args.command {
        Some(Command::Acknowledge { id }) => {
            client.ask(&Ask::AcknowledgeAlarm { id, by: who() })?;
            say(&format!("alarm {id} is acknowledged\n"))?;
            return Ok(ExitCode::SUCCESS);
        }
        Some(Command::Test) => {
            client.ask(&Ask::TestAlarm)?;
            say("the alarm target took the message\n")?;
            return Ok(ExitCode::SUCCESS);
        }
        None => {}
    }
    let Answer::Alarms { alarms } = client.ask(&Ask::Alarms { all: args.all })? else {
        return Err(Error::new(Kind::Internal, "an answer to another question"));
    };
    if args.json {
        say_json(&alarms)?;
    } else {
        let zone = config::load(&state.config_path()).map_or(Zone::UTC, |l| l.config.site.zone);
        let none = if alarms.is_empty() { "no alarms\n" } else { "" };
        say(&format!("{none}{}", lines(&alarms, zone)?))?;
    }
    Ok(if alarms.iter().any(AlarmRow::is_pressing) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// Three lines an alarm.
pub(super) fn lines(alarms: &[AlarmRow], zone: Zone) -> Result<String> {
    let mut out = String::new();
    for row in alarms {
        let (kind, since) = (row.kind, zone.display(row.raised));
        let word = if kind.is_warning() {
            "warning"
        } else {
            "ALARM"
        };
        write!(out, "{word} {} {kind} {} since {since}", row.id, row.object)?;
        if let Some(at) = row.cleared {
            write!(out, ", over {}", zone.display(at))?;
        }
        if let (Some(at), Some(by)) = (row.acknowledged, &row.acknowledged_by) {
            write!(out, ", acknowledged {} by {by}", zone.display(at))?;
        }
        writeln!(out, "\n  {}; {}", row.detail, kind.effect())?;
        writeln!(out, "  what to do: {}", kind.remedy())?;
    }
    Ok(out)
}
