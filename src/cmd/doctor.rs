//! `sinetti doctor`: is this machine fit to keep footage?

use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

use crate::backup;
use crate::base::clock::SystemClock;
use crate::base::disk;
use crate::base::error::Result;
use crate::catalog::Reader;
use crate::cmd::{say, say_json};
use crate::config;
use crate::daemon::answer::{Answer, Ask};
use crate::daemon::control::Client;
use crate::decode::Program;
use crate::doctor::host::Host;
use crate::doctor::{self, Backup, Finding, Place, Subject, Verdict};
use crate::store::scrub::Mark;
use crate::store::state::State;

/// Arguments of `doctor`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// For scripts.
    #[arg(long)]
    json: bool,
}

/// Runs it. The exit status is 0 when nothing is bad.
pub(super) fn run(dir: &Path, args: &Args) -> Result<ExitCode> {
    let state = State::open(dir);
    let loaded = config::load(&dir.join(config::FILE_NAME));
    let catalog = match &state {
        Ok(state) => Reader::open(&state.catalog_path(), state.box_id).map_err(|e| e.to_string()),
        Err(_) => Err("not looked at, since the state folder cannot be opened".to_owned()),
    };
    let config = loaded.as_ref().map(|loaded| &loaded.config);
    let config = config.map_err(ToString::to_string);
    let box_id = state.as_ref().ok().map(|state| state.box_id);
    let places: Vec<_> = config
        .iter()
        .flat_map(|config| &config.volumes)
        .map(|volume| Place::look_at_volume(volume, box_id))
        .collect();
    let findings = doctor::examine(&Subject {
        host: &Host::of_this_machine(),
        clock: &*SystemClock::shared(),
        dir,
        state: state.as_ref().map(drop).map_err(ToString::to_string),
        config,
        catalog: catalog.as_ref().map_err(Clone::clone),
        places: &places,
        home: &Place::look("state", dir),
        backup: state
            .as_ref()
            .ok()
            .zip(catalog.as_ref().ok())
            .map(backup_of),
        scrub: Mark::read(dir),
        decoder: Program::beside()
            .and_then(|program| program.check())
            .map_err(|e| e.to_string()),
        recorder: state.as_ref().ok().and_then(recorder),
    });
    if args.json {
        say_json(&findings)?;
    } else {
        say(&text(&findings)?)?;
    }
    let is_bad = findings
        .iter()
        .any(|finding| finding.verdict == Verdict::Bad);
    Ok(if is_bad {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// The last backup. What cannot be read is not known.
fn backup_of((state, reader): (&State, &Reader)) -> Backup {
    let into = backup::last_place(reader).ok().flatten();
    let there = into.as_deref().filter(|into| into.is_dir());
    let newest = |into: &Path| {
        let key = state.key()?;
        backup::newest(into, state.box_id, key)
    };
    Backup {
        made: backup::last(reader).ok().flatten(),
        device: there.and_then(|into| disk::device_of(into).ok()),
        newest: there.map(|into| newest(into).map_err(|e| e.to_string())),
        into,
    }
}

/// Process id of the recorder, when it runs.
fn recorder(state: &State) -> Option<u32> {
    match Client::connect(state).ok()?.ask(&Ask::Status) {
        Ok(Answer::Status(status)) => Some(status.process),
        _ => None,
    }
}

fn text(findings: &[Finding]) -> Result<String> {
    let mut out = String::new();
    for finding in findings {
        let verdict = match finding.verdict {
            Verdict::Ok => "ok",
            Verdict::Unknown => "?",
            Verdict::Warn => "warning",
            Verdict::Bad => "BAD",
        };
        writeln!(out, "{verdict:<8} {:<16} {}", finding.check, finding.found)?;
        if let Some(remedy) = &finding.remedy {
            writeln!(out, "{:<25} → {remedy}", "")?;
        }
    }
    let count = |verdict| {
        findings
            .iter()
            .filter(|finding| finding.verdict == verdict)
            .count()
    };
    writeln!(
        out,
        "{} in order, {} not to be seen, {} to be better, {} bad",
        count(Verdict::Ok),
        count(Verdict::Unknown),
        count(Verdict::Warn),
        count(Verdict::Bad)
    )?;
    Ok(out)
}
