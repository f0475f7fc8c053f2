//! `sinetti verify`: whether a package is what a box made. On any machine; no box and no configuration is needed.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::base::error::Result;
use crate::base::zone::Zone;
use crate::cmd::{say, say_json};
use crate::evidence::package::check::{self, Finding, Report};
use crate::evidence::package::folder::Folder;
use crate::evidence::package::manifest::{MediaFile, NoViewing, Note};

/// Arguments of `verify`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder of the package, or its ZIP: of a package in several parts all of them.
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// Fingerprint of the box's key, from paper: the installation sheet, a handover document or the public notice. Without it
    /// nothing is said about whose key it is.
    #[arg(long)]
    fingerprint: Option<String>,
    /// For scripts.
    #[arg(long)]
    json: bool,
}

#[derive(serde::Serialize)]
struct Outcome<'a> {
    intact: bool,
    findings: &'a [Finding],
    fingerprint: Option<String>,
    entry: Option<u64>,
    clips: usize,
    pictures: usize,
    /// Copies for viewing that were coded anew.
    copies: usize,
}

/// Runs it. Exit status 0 only when nothing is wrong.
pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let folder = Folder::of(&args.paths)?;
    let report = check::check(&folder, args.fingerprint.as_deref())?;
    let files = report.manifest.as_ref().map_or(&[][..], |m| &m.files);
    let recorded = || files.iter().filter(|f| f.coded_from.is_none());
    let outcome = Outcome {
        intact: report.findings.is_empty(),
        findings: &report.findings,
        fingerprint: report.key.map(|key| key.fingerprint()),
        entry: report.entry,
        clips: recorded().count(),
        pictures: recorded().map(|f| f.pictures).sum(),
        copies: files.len() - recorded().count(),
    };
    if args.json {
        say_json(&outcome)?;
    } else {
        say(&text(&report, &outcome, args)?)?;
    }
    Ok(if outcome.intact {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn text(report: &Report, outcome: &Outcome<'_>, args: &Args) -> Result<String> {
    let mut out = String::new();
    for finding in outcome.findings {
        let code = serde_json::to_value(finding.code).unwrap_or_default();
        let code = code.as_str().unwrap_or_default().to_uppercase();
        writeln!(out, "{code:<10} {}: {}", finding.file, finding.text)?;
    }
    if let Some(manifest) = &report.manifest {
        let zone = Zone::named(&manifest.zone).unwrap_or(Zone::UTC);
        for file in &manifest.files {
            let (from, to) = (zone.rfc3339(file.span.start), zone.rfc3339(file.span.end));
            let (name, pictures) = (&file.name, file.pictures);
            let (what, note) = note(file);
            writeln!(
                out,
                "{what:<10} {name}: {from} to {to}, {pictures} pictures{note}"
            )?;
        }
        for part in &manifest.streams {
            for absent in &part.absent {
                let (from, to) = (
                    zone.rfc3339(absent.span.start),
                    zone.rfc3339(absent.span.end),
                );
                let (what, why) = (&absent.what, &absent.why);
                writeln!(out, "{what:<10} {}: {from} to {to}: {why}", part.stream)?;
            }
        }
    }
    if let Some(checkpoint) = &report.checkpoint {
        let size = checkpoint.size;
        writeln!(
            out,
            "ledger     under the checkpoint of {size} entries, {}",
            checkpoint.root
        )?;
    }
    let Some(fingerprint) = &outcome.fingerprint else {
        writeln!(out, "NOT INTACT: nothing in it is signed as a package is")?;
        return Ok(out);
    };
    if !outcome.intact {
        writeln!(out, "NOT INTACT; signed by {fingerprint}")?;
    } else if args.fingerprint.is_some() {
        writeln!(out, "intact, and from the box with this key: {fingerprint}")?;
    } else {
        writeln!(out, "consistent, signed by {fingerprint}")?;
        writeln!(
            out,
            "compare that with the paper, or say it here with --fingerprint: a forger would replace the key too"
        )?;
    }
    Ok(out)
}

/// What a file is, and what is to be said of it.
fn note(file: &MediaFile) -> (&'static str, String) {
    match file.note() {
        None => ("clip", String::new()),
        Some(Note::Recorded) => ("clip", "; for viewing, as it was recorded".to_owned()),
        Some(Note::CodedFrom(original)) => (
            "copy",
            format!("; for viewing, coded anew from {original}: no evidence by itself"),
        ),
        Some(Note::Without(why)) => {
            let why = match why {
                NoViewing::NoCoder => "what codes it was not installed",
                NoViewing::NotCoded => "it could not be coded",
            };
            ("clip", format!("; no copy for viewing: {why}"))
        }
    }
}
