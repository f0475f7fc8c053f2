//! `sinetti retention`: what was promised and what is there, what goes next, what stands in the way; the confirmation that lets
//! deletion go on, and the two that make it begin earlier.

mod certificate;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::base::error::{Error, Kind, Result};
use crate::base::zone::Zone;
use crate::catalog::{PolicyRow, ShorteningRow};
use crate::cmd::act::{self, WhoArgs};
use crate::cmd::status::deletion_lines;
use crate::cmd::{say, say_json, who};
use crate::config;
use crate::daemon::answer::{Answer, Ask, Retention};
use crate::daemon::control::Client;
use crate::daemon::keeping::{KeepingAct, KeepingAnswer};
use crate::retention::outlook::{HORIZON_DAYS, StreamOutlook, VolumeOutlook};
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
    /// Confirm as a person that footage is kept for a shorter time. Two do, one of them a controller; a day later it is so.
    Shorten {
        /// The number that sinetti retention shows.
        number: u64,
        #[command(flatten)]
        who: WhoArgs,
    },
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
    let (mut zone, mut reserves) = (Zone::UTC, BTreeMap::new());
    if let Ok(loaded) = config::load(&state.config_path()) {
        zone = loaded.config.site.zone;
        for volume in &loaded.config.volumes {
            let path = volume.path.to_string_lossy().into_owned();
            reserves.insert(path, volume.reserve_bytes);
        }
    }
    match &args.command {
        Some(Command::Confirm(args)) => {
            confirm(&mut client, args)?;
            say("confirmed: footage is deleted on time again\n")?;
            return Ok(ExitCode::SUCCESS);
        }
        Some(Command::Shorten { number, who }) => {
            shorten(&mut client, *number, who, zone)?;
            return Ok(ExitCode::SUCCESS);
        }
        Some(Command::Certificate(_) | Command::Verify(_)) | None => {}
    }
    let ask = Ask::Retention {
        zone: zone.name().to_owned(),
        reserves,
    };
    let Answer::Retention(retention) = client.ask(&ask)? else {
        return Err(mismatch());
    };
    if args.json {
        say_json(&retention)?;
    } else {
        say(&text(&retention, zone)?)?;
    }
    Ok(if retention.deletion.is_alarm() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn mismatch() -> Error {
    Error::new(Kind::Internal, "an answer to another question")
}

fn shorten(client: &mut Client, number: u64, who: &WhoArgs, zone: Zone) -> Result<()> {
    let ask = act::keeping(client, who, KeepingAct::Shorten { number })?;
    let answer = client.ask(&Ask::Keeping(Box::new(ask)))?;
    let Answer::Keeping(answer) = answer else {
        return Err(mismatch());
    };
    let KeepingAnswer::Shortening(row) = *answer else {
        return Err(mismatch());
    };
    let mut out = String::new();
    write_shortening(&mut out, &row, zone)?;
    say(&out)
}

fn text(retention: &Retention, zone: Zone) -> Result<String> {
    let mut out = String::new();
    for row in &retention.outlook.streams {
        write_stream(&mut out, row, zone)?;
    }
    for volume in &retention.outlook.volumes {
        write_volume(&mut out, volume, zone)?;
    }
    for row in &retention.outlook.shortenings {
        write_shortening(&mut out, row, zone)?;
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

fn write_stream(out: &mut String, row: &StreamOutlook, zone: Zone) -> std::fmt::Result {
    let from = |origin: Option<&str>| origin.map_or(String::new(), |text| format!(" ({text})"));
    let policy = row.policy.as_ref();
    let kept = row
        .keep_s
        .map_or("never configured, kept".to_owned(), |secs| {
            let origin = from(policy.map(|p| p.keep_from.as_str()));
            format!("kept {}{origin}", config::keep_text(secs))
        });
    let oldest = row.oldest.map_or("nothing is kept".to_owned(), |oldest| {
        format!("oldest {}", zone.display(oldest))
    });
    writeln!(out, "{:<24} {kept}; {oldest}", row.stream.to_string())?;
    if row.guarantee_s > 0 {
        let origin = from(policy.map(|p| p.guarantee_from.as_str()));
        let promised = config::keep_text(row.guarantee_s);
        let held = row.lost_until.map_or(String::new(), |until| {
            format!(
                "; NOT THERE: some of what was before {}",
                zone.display(until)
            )
        });
        writeln!(out, "{:<24} promised {promised}{origin}{held}", "")?;
    }
    if let Some(policy) = policy {
        write_why(out, policy)?;
    }
    if let Some(deleted) = &row.deleted_until {
        let until = zone.display(deleted.span.end);
        writeln!(out, "{:<24} deleted until {until} ({})", "", deleted.rule)?;
    }
    let (segments, bytes) = row.held;
    if segments > 0 {
        let megabytes = megabytes(bytes);
        writeln!(
            out,
            "{:<24} held: {segments} segments, {megabytes:.1} MB",
            ""
        )?;
    }
    for day in row.leaving.iter().filter(|day| day.segments > 0) {
        let until = zone.display(day.span.end);
        let megabytes = megabytes(day.bytes);
        writeln!(
            out,
            "{:<24} until {until}: {} segments, {megabytes:.1} MB go",
            "", day.segments
        )?;
    }
    Ok(())
}

fn write_why(out: &mut String, policy: &PolicyRow) -> std::fmt::Result {
    if !policy.purposes.is_empty() {
        writeln!(out, "{:<24} for: {}", "", policy.purposes.join(", "))?;
    }
    for (what, sentence) in [
        ("since", &policy.justification),
        ("special reason", &policy.special_reason),
        ("documented in", &policy.documented_in),
    ] {
        if let Some(sentence) = sentence {
            writeln!(out, "{:<24} {what}: {sentence}", "")?;
        }
    }
    Ok(())
}

fn write_volume(out: &mut String, volume: &VolumeOutlook, zone: Zone) -> std::fmt::Result {
    let full = volume.full.map_or(
        format!("not full within {HORIZON_DAYS} days, if all goes on like that"),
        |at| format!("FULL about {}, if all goes on like that", zone.display(at)),
    );
    writeln!(
        out,
        "volume \"{}\": {:.1} GB of room, {:.1} GB a day come; {full}",
        volume.name,
        megabytes(volume.room_bytes) / 1e3,
        megabytes(volume.daily_bytes) / 1e3,
    )
}

fn write_shortening(out: &mut String, row: &ShorteningRow, zone: Zone) -> std::fmt::Result {
    let times = [("main", row.main_keep_s), ("sub", row.sub_keep_s)];
    let times: Vec<_> = times
        .into_iter()
        .filter_map(|(kind, secs)| Some(format!("{kind} {}", config::keep_text(secs?))))
        .collect();
    write!(
        out,
        "PENDING {}: {} is to be kept for a shorter time ({}), asked for {}; ",
        row.number,
        row.camera,
        times.join(", "),
        zone.display(row.asked)
    )?;
    match (&row.first, row.runs) {
        (_, Some(runs)) => writeln!(
            out,
            "two have confirmed it, it comes into force {}",
            zone.display(runs)
        ),
        (Some((_, person)), None) => writeln!(
            out,
            "{person} has confirmed it; a second person does: sinetti retention shorten {}",
            row.number
        ),
        (None, None) => writeln!(
            out,
            "two persons confirm it, one of them a controller: sinetti retention shorten {}",
            row.number
        ),
    }
}

#[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
pub(super) fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
