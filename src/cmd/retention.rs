//! `sinetti retention`: what is kept how long, what goes next, and what stands in the way; and the confirmation that lets
//! deletion go on.

use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

use crate::base::error::{Error, Kind, Result};
use crate::base::zone::Zone;
use crate::cmd::status::deletion_lines;
use crate::cmd::{say, say_json, who};
use crate::config;
use crate::daemon::answer::{Answer, Ask, Retention, StreamRetention};
use crate::daemon::control::Client;
use crate::store::state::State;

/// Arguments of `retention`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// For scripts.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// After a lost, replaced or restored catalog: somebody has looked, deletion goes on.
    Confirm,
}

/// Runs it. The exit status is 0 only when nothing stands in the way.
pub(super) fn run(dir: &Path, args: &Args) -> Result<ExitCode> {
    let state = State::open(dir)?;
    let mut client = Client::open(&state)?;
    if let Some(Command::Confirm) = args.command {
        client.ask(&Ask::ConfirmRetention { by: who() })?;
        say("confirmed: footage is deleted on time again\n")?;
        return Ok(ExitCode::SUCCESS);
    }
    let Answer::Retention(retention) = client.ask(&Ask::Retention)? else {
        return Err(Error::new(Kind::Internal, "an answer to another question"));
    };
    if args.json {
        say_json(&retention)?;
    } else {
        let zone = config::load(&state.config_path()).map_or(Zone::UTC, |l| l.config.site.zone);
        say(&text(&retention, zone)?)?;
    }
    Ok(if retention.deletion.is_alarm() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn text(retention: &Retention, zone: Zone) -> Result<String> {
    let mut out = String::new();
    for row in &retention.streams {
        write_stream(&mut out, row, zone)?;
    }
    match &retention.last_sweep {
        Some(sweep) => {
            let at = sweep.ended.map_or("under way".to_owned(), |at| {
                format!("ended {}", zone.display(at))
            });
            writeln!(
                out,
                "last sweep {at}: {} segments, {:.1} MB deleted, {} failures",
                sweep.segments,
                megabytes(sweep.bytes),
                sweep.failures
            )?;
        }
        None => writeln!(out, "nothing was ever deleted")?,
    }
    out.push_str(&deletion_lines(&retention.deletion));
    Ok(out)
}

fn write_stream(out: &mut String, row: &StreamRetention, zone: Zone) -> std::fmt::Result {
    let policy = row
        .keep_s
        .map_or("never configured, kept".to_owned(), |secs| {
            format!("kept {}", config::keep_text(secs))
        });
    let oldest = row.oldest.map_or("nothing is kept".to_owned(), |oldest| {
        format!("oldest {}", zone.display(oldest))
    });
    writeln!(out, "{:<24} {policy}; {oldest}", row.stream.to_string())?;
    if let Some(deleted) = &row.deleted_until {
        let until = zone.display(deleted.span.end);
        writeln!(out, "{:<24} deleted until {until} ({})", "", deleted.rule)?;
    }
    for (when, (segments, bytes)) in [
        ("within 24 h", row.within_day),
        ("within 7 d", row.within_week),
    ] {
        if segments > 0 {
            let megabytes = megabytes(bytes);
            writeln!(
                out,
                "{:<24} {when}: {segments} segments, {megabytes:.1} MB go",
                ""
            )?;
        }
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
