//! `sinetti status`: what each camera and volume is doing, in words.

use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

use crate::base::error::{Error, Kind, Result};
use crate::base::zone::Zone;
use crate::catalog::AlarmRow;
use crate::cmd::{alarms, say, say_json, scrub};
use crate::config;
use crate::daemon::answer::{Answer, Ask, Deletion, Status, VolumeStatus};
use crate::daemon::control::Client;
use crate::daemon::ledger::LedgerStatus;
use crate::daemon::people::warning_text;
use crate::recorder::board::{Line, Phase};
use crate::store::scrub::VolumeMark;
use crate::store::state::State;

/// Arguments of `status`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// For scripts.
    #[arg(long)]
    json: bool,
}

/// Runs it. The exit status is 0 when every enabled stream is being recorded, every volume keeps up, nothing stands in the
/// way of deletion and no alarm waits for somebody to acknowledge it, 3 when the recorder does not run, else 1.
pub(super) fn run(dir: &Path, args: &Args) -> Result<ExitCode> {
    let state = State::open(dir)?;
    let mut client = Client::open(&state)?;
    let Answer::Status(status) = client.ask(&Ask::Status)? else {
        return Err(Error::new(Kind::Internal, "an answer to another question"));
    };
    if args.json {
        say_json(&status)?;
    } else {
        let zone = config::load(&state.config_path()).map_or(Zone::UTC, |l| l.config.site.zone);
        say(&text(&status, zone)?)?;
    }
    let all_well = status
        .streams
        .values()
        .all(|l| matches!(l.phase, Phase::Recording | Phase::Off));
    let all_well = all_well
        && !status.ledger.is_alarm()
        && !status.alarms.iter().any(AlarmRow::is_pressing)
        && !status.deletion.is_alarm()
        && status.scrub.iter().all(VolumeMark::is_well)
        && !status.volumes.iter().any(VolumeStatus::is_behind);
    Ok(match (status.started, all_well) {
        (None, _) => ExitCode::from(3),
        (Some(_), true) => ExitCode::SUCCESS,
        (Some(_), false) => ExitCode::FAILURE,
    })
}

fn text(status: &Status, zone: Zone) -> Result<String> {
    let mut out = String::new();
    match status.started {
        Some(since) => writeln!(
            out,
            "sinetti {} runs since {} (process {})",
            status.version,
            zone.display(since),
            status.process
        )?,
        None => writeln!(
            out,
            "sinetti does not run; start it with: systemctl start sinetti, or: sinetti run"
        )?,
    }
    for (name, line) in &status.streams {
        write_line(&mut out, name, line, zone)?;
    }
    for volume in &status.volumes {
        let room = volume
            .free_and_total_bytes
            .map_or("cannot be read".to_owned(), |(free, total)| {
                format!("{:.1} GB free of {:.1}", gigabytes(free), gigabytes(total))
            });
        let secs = volume.behind_ms.unwrap_or_default() / 1000;
        let behind = if volume.is_behind() {
            format!("  DOES NOT KEEP UP: {secs} s behind")
        } else {
            String::new()
        };
        writeln!(
            out,
            "volume {:<16} {room}  {}{behind}",
            volume.name,
            volume.path.display()
        )?;
    }
    for mark in &status.scrub {
        scrub::write_volume(&mut out, mark, zone)?;
    }
    out.push_str(&deletion_lines(&status.deletion));
    if let Some(warning) = &status.holders {
        writeln!(out, "warning: {}", warning_text(warning))?;
    }
    out.push_str(&ledger_lines(&status.ledger, zone));
    match status.last_backup {
        Some(at) => writeln!(out, "last backup {}", zone.display(at))?,
        None => writeln!(out, "there is no backup yet: sinetti backup DIR")?,
    }
    out.push_str(&alarms::lines(&status.alarms, zone)?);
    Ok(out)
}

/// How the ledger is, and what is wrong with it.
fn ledger_lines(ledger: &LedgerStatus, zone: Zone) -> String {
    let anchor = ledger
        .last_anchor
        .map_or("nobody took an anchor away yet".to_owned(), |at| {
            format!("last anchor taken away {}", zone.display(at))
        });
    let epoch = match ledger.epoch {
        1 => String::new(),
        epoch => format!(", epoch {epoch}"),
    };
    let mut lines = vec![format!(
        "ledger {} entries signed{epoch}; {anchor}",
        ledger.size
    )];
    if let Some(trouble) = &ledger.trouble {
        lines.push(format!(
            "ledger IN TROUBLE, nothing is signed and nothing handed out: {trouble}; look with: sinetti ledger verify"
        ));
    }
    if let Some(why) = &ledger.unwritable {
        lines.push(format!(
            "ledger CANNOT BE WRITTEN, nothing is handed out and nothing deleted: {why}"
        ));
    }
    for (name, wrong) in &ledger.mirrors {
        lines.push(format!("ledger on volume {name} NOT MIRRORED: {wrong}"));
    }
    if ledger.anchor_overdue {
        lines.push(
            "ledger ANCHOR OVERDUE: nobody took one away for 30 days; sinetti ledger anchor"
                .to_owned(),
        );
    }
    lines.into_iter().map(|line| line + "\n").collect()
}

/// What stands in the way of deletion, a line each; nothing when all is well.
pub(super) fn deletion_lines(deletion: &Deletion) -> String {
    let mut lines = Vec::new();
    if let Some(why) = &deletion.paused {
        lines.push(format!("deletion PAUSED: {why}"));
    }
    if let Some(why) = &deletion.latched {
        lines.push(format!(
            "deletion LATCHED: {why}; look at it, then: sinetti retention confirm"
        ));
    }
    if let Some(why) = &deletion.failed {
        lines.push(format!("deletion FAILED: {why}"));
    }
    let early = deletion.early.iter();
    lines.extend(early.map(|name| format!("volume {name}: no room, DELETING EARLY")));
    let in_vain = deletion.in_vain.iter();
    lines.extend(in_vain.map(|name| {
        format!("volume {name}: NO ROOM, and deleting all its footage would make none")
    }));
    let failures = deletion.failures.iter();
    lines.extend(failures.map(|failure| format!("NOT DELETED: {failure}")));
    if deletion.unsynchronised && deletion.paused.is_none() {
        lines.push("warning: the host's clock is not synchronised".to_owned());
    }
    lines.into_iter().map(|line| line + "\n").collect()
}

fn write_line(out: &mut String, name: &str, line: &Line, zone: Zone) -> std::fmt::Result {
    let phase = match line.phase {
        Phase::Connecting => "connecting",
        Phase::Receiving => "receiving",
        Phase::Recording => "recording",
        Phase::Trouble => "TROUBLE",
        Phase::Off => "off",
    };
    let until = line
        .growing
        .as_ref()
        .map_or(String::new(), |g| format!("to {}", zone.display(g.end)));
    let offset = line
        .camera_offset_ms
        .map_or(String::new(), |ms| format!("  camera clock {ms:+} ms"));
    writeln!(
        out,
        "{name:<24} {phase:<10} {:>8} pictures {:>9.1} MB {until}  lost packets {}  interruptions {}{offset}",
        line.units,
        megabytes(line.bytes),
        line.packets_lost,
        line.interruptions,
    )?;
    match (&line.last_error, line.last_error_at) {
        (Some(error), Some(at)) => {
            writeln!(out, "{:<24} last trouble {}: {error}", "", zone.display(at))
        }
        _ => Ok(()),
    }
}

#[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

fn gigabytes(bytes: u64) -> f64 {
    megabytes(bytes) / 1e3
}
