//! `sinetti ledger verify`: of this box, or of an exported log on any machine.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::json;

use crate::base::error::{Context, Error, Result};
use crate::base::hash::Digest;
use crate::base::merkle;
use crate::catalog::{EpochRow, Reader};
use crate::cmd::{same_digits, say, say_json};
use crate::daemon::sweeper;
use crate::evidence::{tree_check, tree_files};
use crate::ledger::audit::{self, Anchor, FINDINGS_MAX, Finding, Report, Verdict};
use crate::ledger::checkpoint::{Checkpoint, Key, NOTE_BYTES_MAX};
use crate::ledger::seal::stated;
use crate::store::state::State;
use crate::store::volume::Volume;

/// Arguments of `ledger verify`.
#[derive(Debug, clap::Args)]
pub(in crate::cmd) struct Args {
    /// An exported log. Default: the ledger of this box.
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
    /// A checkpoint that was taken away; may be given several times.
    #[arg(long, value_name = "FILE")]
    anchor: Vec<PathBuf>,
    /// The fingerprint of the box's key, from paper. Without it an exported log is only as good as the key beside it.
    #[arg(long, value_name = "TEXT", requires = "folder")]
    fingerprint: Option<String>,
    /// For scripts.
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(super) fn needs_no_box(&self) -> bool {
        self.folder.is_some()
    }
}

struct Found {
    key: Key,
    is_known: bool,
    epochs: Vec<(u32, Report)>,
    findings: Vec<Finding>,
    anchors: usize,
}

/// Runs it on an exported log.
pub(super) fn run_elsewhere(args: &Args) -> Result<ExitCode> {
    let dir = args.folder.as_deref().unwrap_or(Path::new("."));
    let key = tree_check::read_key(dir)?;
    let mut findings = Vec::new();
    let is_known = match &args.fingerprint {
        None => false,
        Some(text) if same_digits(text, &key.fingerprint()) => true,
        Some(text) => {
            findings.push(Finding {
                verdict: Verdict::Forked,
                place: "key".to_owned(),
                text: format!(
                    "the log is signed by {}, not by {text}: it is another box's, or was made anew",
                    key.fingerprint()
                ),
            });
            false
        }
    };
    let anchors = anchors(&args.anchor, key, &mut findings)?;
    let checked = tree_check::check(dir, key, &anchors)?;
    findings.extend(checked.findings);
    tell(
        args,
        &Found {
            key,
            is_known,
            epochs: checked.epochs,
            findings,
            anchors: anchors.len(),
        },
    )
}

/// Runs it on this box.
pub(super) fn run(state: &State, args: &Args) -> Result<ExitCode> {
    let (reader, key) = (super::reader(state)?, state.key()?);
    let mut findings = Vec::new();
    let mut anchors = anchors(&args.anchor, key, &mut findings)?;
    let given = anchors.len();
    anchors.retain(|anchor| {
        let ours = anchor.checkpoint.box_id == state.box_id;
        if !ours {
            findings.push(Finding {
                verdict: Verdict::Forked,
                place: anchor.name.clone(),
                text: format!(
                    "it is of box {}, this is box {}",
                    anchor.checkpoint.box_id, state.box_id
                ),
            });
        }
        ours
    });
    // Before the state is chosen that they are compared with: the log may have grown meanwhile.
    let volumes = sweeper::present(&reader, state.box_id)?;
    anchors.extend(mirrors(&volumes, key, &mut findings));
    let _snapshot = reader.snapshot()?;
    let epochs = reader.epochs()?;
    for anchor in &anchors {
        if !epochs.iter().any(|e| e.number == anchor.checkpoint.epoch) {
            findings.push(Finding {
                verdict: Verdict::RolledBack,
                place: format!("epoch {}", anchor.checkpoint.epoch),
                text: format!(
                    "{} is of an epoch that this ledger does not have",
                    anchor.name
                ),
            });
        }
    }
    let strays = reader.entries_of_no_epoch()?;
    if epochs.is_empty() || strays > 0 {
        findings.push(Finding {
            verdict: Verdict::Altered,
            place: "the table of epochs".to_owned(),
            text: format!("{strays} entries are of no epoch: one was taken away"),
        });
    }
    anchors.extend(links(state, &reader)?);
    let mut reports = Vec::new();
    for epoch in &epochs {
        let fitting: Vec<_> = anchors
            .iter()
            .filter(|a| a.checkpoint.epoch == epoch.number)
            .cloned()
            .collect();
        let report = audit::audit(&reader.log(epoch), key, &fitting)?;
        findings.extend(kept_beside(epoch, &report));
        reports.push((epoch.number, report));
    }
    findings.extend(details(&reader)?);
    findings.extend(seals(&reader)?);
    tell(
        args,
        &Found {
            key,
            is_known: true,
            epochs: reports,
            findings,
            anchors: given,
        },
    )
}

/// A checkpoint file; text around the note (as `anchor` prints it) is left out.
pub(super) fn read_anchor(path: &Path) -> Result<String> {
    let what = || format!("reading the anchor {}", path.display());
    let text = std::fs::read_to_string(path).context(what)?;
    if text.len() > 16 * NOTE_BYTES_MAX {
        return Err(Error::invalid("it is too long for a checkpoint").attempted(what()));
    }
    let lines: Vec<_> = text.lines().collect();
    let from = lines.iter().position(|line| line.starts_with("sinetti/"));
    let until = lines.iter().rposition(|line| line.starts_with('\u{2014}'));
    match (from, until) {
        (Some(from), Some(until)) if from < until => Ok(lines[from..=until].join("\n") + "\n"),
        _ => Err(Error::invalid("it holds no checkpoint of a box of Sinetti").attempted(what())),
    }
}

fn anchors(paths: &[PathBuf], key: Key, findings: &mut Vec<Finding>) -> Result<Vec<Anchor>> {
    let mut anchors = Vec::new();
    for path in paths {
        let name = format!("the anchor {}", path.display());
        match Checkpoint::open(&read_anchor(path)?, key) {
            Ok(checkpoint) => anchors.push(Anchor { checkpoint, name }),
            Err(e) => findings.push(Finding {
                verdict: Verdict::Forked,
                place: name,
                text: e.to_string(),
            }),
        }
    }
    Ok(anchors)
}

/// What the volumes remember of the ledger.
fn mirrors(volumes: &[Volume], key: Key, findings: &mut Vec<Finding>) -> Vec<Anchor> {
    let mut anchors = Vec::new();
    for volume in volumes {
        let name = format!("the mirror on volume \"{}\"", volume.name);
        let note = tree_files::read_note(&volume.root.join(tree_files::MIRROR));
        let checkpoint = match note {
            Ok(None) => continue,
            Ok(Some(note)) => Checkpoint::open(&note, key),
            Err(e) => Err(e),
        };
        match checkpoint {
            Ok(checkpoint) => anchors.push(Anchor { checkpoint, name }),
            Err(e) => findings.push(Finding {
                verdict: Verdict::Altered,
                place: name,
                text: e.to_string(),
            }),
        }
    }
    anchors
}

/// What the catalog says of an epoch beside its checkpoint.
fn kept_beside(epoch: &EpochRow, report: &Report) -> Option<Finding> {
    let text = match &report.checkpoint {
        Some(signed) if (epoch.size, epoch.root) != (signed.size, Some(signed.root)) => {
            "the size or root that is kept beside it is another"
        }
        // A second after the first entry there is one.
        None if epoch.note.is_none() && report.entries > 1 => {
            "there is none, though there are entries: it was taken away, or the ledger key was"
        }
        _ => return None,
    };
    Some(Finding {
        verdict: Verdict::Altered,
        place: format!("checkpoint of epoch {}", epoch.number),
        text: text.to_owned(),
    })
}

/// What the first entry of each epoch says of the one before.
fn links(state: &State, reader: &Reader) -> Result<Vec<Anchor>> {
    let mut links = Vec::new();
    for epoch in reader.epochs()?.iter().skip(1) {
        let Ok(first) = reader.entry(epoch.first_seq) else {
            continue;
        };
        let previous = &first.entry.facts["previous"];
        let stated = (|| {
            Some(Checkpoint {
                box_id: state.box_id,
                epoch: u32::try_from(previous["epoch"].as_u64()?).ok()?,
                size: previous["size"].as_u64()?,
                root: Digest::from_hex(previous["root"].as_str()?)?,
            })
        })();
        links.extend(stated.map(|checkpoint| Anchor {
            checkpoint,
            name: format!("the beginning of epoch {}", epoch.number),
        }));
    }
    Ok(links)
}

fn details(reader: &Reader) -> Result<Vec<Finding>> {
    let unfit = reader.unfit_details(FINDINGS_MAX)?;
    Ok(unfit
        .into_iter()
        .map(|seq| Finding {
            verdict: Verdict::Altered,
            place: format!("details of entry {seq}"),
            text: "they are not those that the entry was written with, or are gone without having been erased"
                .to_owned(),
        })
        .collect())
}

/// The leaves of each footage seal against the root that its entry states.
fn seals(reader: &Reader) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    reader.each_seal(&mut |seal| {
        let entry = reader.entry(seal.seq)?;
        let fits = stated(&entry.entry.facts).is_ok_and(|(root, count)| {
            root == merkle::root(&seal.leaves) && count == seal.leaves.len()
        });
        if !fits && findings.len() < FINDINGS_MAX {
            findings.push(Finding {
                verdict: Verdict::Altered,
                place: format!("footage seal {}", seal.seq),
                text: "what it is over does not have the root that its entry states".to_owned(),
            });
        }
        Ok(())
    })?;
    Ok(findings)
}

fn tell(args: &Args, found: &Found) -> Result<ExitCode> {
    let findings: Vec<_> = found
        .epochs
        .iter()
        .flat_map(|(_, report)| &report.findings)
        .chain(&found.findings)
        .collect();
    let whole = findings.is_empty();
    if args.json {
        let epochs: Vec<_> = found
            .epochs
            .iter()
            .map(|(number, report)| {
                json!({
                    "epoch": number,
                    "entries": report.entries,
                    "signed": report.checkpoint.as_ref().map(|c| c.size),
                    "root": report.checkpoint.as_ref().map(|c| c.root.to_string()),
                })
            })
            .collect();
        say_json(&json!({
            "whole": whole,
            "fingerprint": found.key.fingerprint(),
            "key_compared": found.is_known,
            "anchors": found.anchors,
            "epochs": epochs,
            "findings": findings,
        }))?;
    } else {
        say(&text(found, &findings)?)?;
    }
    Ok(if whole {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn text(found: &Found, findings: &[&Finding]) -> Result<String> {
    let mut out = String::new();
    for (number, report) in &found.epochs {
        let signed = report
            .checkpoint
            .as_ref()
            .map_or("nothing of it signed".to_owned(), |c| {
                format!("{} signed", c.size)
            });
        writeln!(
            out,
            "epoch {number}: {} entries, {signed}, root {}",
            report.entries, report.root
        )?;
    }
    for finding in findings {
        writeln!(
            out,
            "{}: {}: {}",
            finding.verdict.to_string().to_uppercase(),
            finding.place,
            finding.text
        )?;
    }
    writeln!(out, "signed by {}", found.key.fingerprint())?;
    if !found.is_known {
        out.push_str(
            "  this is the key that lies beside the log; compare it with the paper, or give --fingerprint\n",
        );
    }
    match (findings.len(), found.anchors) {
        (0, 0) => out.push_str(
            "the ledger is whole. Whether it was rewritten as a whole only an anchor tells: --anchor FILE\n",
        ),
        (0, n) => writeln!(out, "the ledger is whole and goes on from {n} anchors")?,
        (n, _) => writeln!(out, "THE LEDGER IS NOT WHOLE: {n} findings")?,
    }
    Ok(out)
}
