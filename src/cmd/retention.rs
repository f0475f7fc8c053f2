//! `sinetti retention`: what is kept how long, what goes next, and what stands in the way; and the confirmation that lets
//! deletion go on.

mod certificate;

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::base::error::{Error, Kind, Result};
use crate::base::zone::Zone;
use crate::cmd::status::deletion_lines;
use crate::cmd::{act, say, say_json, who};
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
    Confirm(ConfirmArgs),
    /// What was deleted in a period, by which rule, as a signed file and as a PDF.
    Certificate(certificate::Args),
    /// Check such a file on any machine, without a box.
    Verify(certificate::VerifyArgs),
}

#[derive(Debug, clap::Args)]
struct ConfirmArgs {
    /// The controller who confirms: after a restore that is asked for.
    #[arg(long)]
    person: Option<String>,
    /// File (mode 0600) with the passphrase. Default: asked for.
    #[arg(long, value_name = "FILE", requires = "person")]
    passphrase_file: Option<PathBuf>,
    /// File (mode 0600) with the present code of the second factor, or with a recovery code. Default: asked for.
    #[arg(long, value_name = "FILE", requires = "person")]
    code_file: Option<PathBuf>,
}

fn confirm(client: &mut Client, args: &ConfirmArgs) -> Result<()> {
    let controller = match &args.person {
        None => None,
        Some(name) => {
            let found = act::credentials(client, Some(name.clone()))?;
            let (person, proven) = act::prove(
                &found,
                (args.passphrase_file.as_deref(), args.code_file.as_deref()),
            )?;
            Some((person, proven.used))
        }
    };
    client
        .ask(&Ask::ConfirmRetention {
            by: who(),
            controller,
        })
        .map(drop)
}

/// Runs it. The exit status is 0 only when nothing stands in the way.
pub(super) fn run(dir: &Path, args: &Args) -> Result<ExitCode> {
    // On any machine: there need not be a box.
    if let Some(Command::Verify(args)) = &args.command {
        return certificate::verify(args);
    }
    let state = State::open(dir)?;
    if let Some(Command::Certificate(args)) = &args.command {
        return certificate::make(&state, args);
    }
    let mut client = Client::open(&state)?;
    if let Some(Command::Confirm(args)) = &args.command {
        confirm(&mut client, args)?;
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
