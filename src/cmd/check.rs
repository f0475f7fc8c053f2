//! `sinetti check`: catalog and footage against each other; no key is needed.

use std::fmt::Write;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::ExitCode;

use crate::base::error::Result;
use crate::catalog::Reader;
use crate::cmd::{say, say_json};
use crate::daemon::control::Client;
use crate::recorder::check::{self, Report};
use crate::store::state::State;

/// Arguments of `check`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Read every byte: BLAKE3 of each fragment. Without it, only structure and sizes.
    #[arg(long)]
    deep: bool,
    /// For scripts.
    #[arg(long)]
    json: bool,
}

/// Runs it. The exit status is 0 only when nothing is wrong.
pub(super) fn run(dir: &Path, args: &Args) -> Result<ExitCode> {
    let state = State::open(dir)?;
    let client = Client::open(&state)?;
    let reader = Reader::open(&state.catalog_path(), state.box_id)?;
    // While the recorder runs, files being written are its own; else none may be left. It may start while this looks.
    let running = || client.is_daemon() || UnixStream::connect(state.socket_path()).is_ok();
    let report = check::check(&reader, state.box_id, args.deep, &running)?;
    if args.json {
        say_json(&report)?;
    } else {
        say(&text(&report, args.deep)?)?;
    }
    Ok(if report.findings.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn text(report: &Report, deep: bool) -> Result<String> {
    let mut out = String::new();
    for finding in &report.findings {
        writeln!(out, "{finding}")?;
    }
    let depth = if deep {
        "every byte read"
    } else {
        "structure only; --deep reads every byte"
    };
    let verdict = match report.findings.len() {
        0 => "nothing is wrong".to_owned(),
        n => format!("{n} findings"),
    };
    writeln!(
        out,
        "{verdict}: {} segments, {} fragments, {} pictures, {} bytes ({depth})",
        report.segments, report.fragments, report.samples, report.bytes
    )?;
    Ok(out)
}
