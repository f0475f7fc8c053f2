//! The check of a ledger that lies as static files, as [`crate::evidence::tree_files`] writes them.

use std::cell::{Cell, RefCell};
use std::fs;
use std::path::{Path, PathBuf};

use crate::base::error::{Context, Error, Kind, Result};
use crate::evidence::tree_details;
use crate::evidence::tree_files::{EPOCHS, KEY, read_bounded, read_note};
use crate::ledger::audit::{self, Anchor, Finding, Log, Record, Report, Verdict};
use crate::ledger::bundle::{self, BUNDLE_BYTES_MAX};
use crate::ledger::checkpoint::{Checkpoint, Key, NOTE_BYTES_MAX};
use crate::ledger::entry::Entry;
use crate::ledger::tree::{TILE_WIDTH, width};

/// The public key that lies beside an exported log.
///
/// # Errors
/// `NotFound` when there is none, `Invalid` when it is not one.
pub fn read_key(dir: &Path) -> Result<Key> {
    let path = dir.join(KEY);
    let bytes = read_bounded(&path, NOTE_BYTES_MAX as u64)?.ok_or_else(|| {
        let text = format!("{} is no exported ledger: there is no key", dir.display());
        Error::new(Kind::NotFound, text)
    })?;
    std::str::from_utf8(&bytes)
        .ok()
        .and_then(|text| text.strip_suffix('\n'))
        .map_or_else(
            || Err(Error::invalid("it is no line of text")),
            Key::from_verifier_key,
        )
        .context(|| format!("reading {}", path.display()))
}

/// A check of all epochs in a folder.
#[derive(Debug)]
pub struct Checked {
    /// Each epoch's number and report, oldest first.
    pub epochs: Vec<(u32, Report)>,
    /// What is wrong besides.
    pub findings: Vec<Finding>,
}

/// The epochs that lie in `dir`, oldest first, each with its folder.
///
/// # Errors
/// `NotFound` when no log lies there; what the operating system says.
pub fn epoch_dirs(dir: &Path, key: Key) -> Result<Vec<(u32, PathBuf)>> {
    let mut dirs: Vec<(u32, PathBuf)> = Vec::new();
    if let Ok(entries) = fs::read_dir(dir.join(EPOCHS)) {
        for entry in entries {
            let entry = entry?;
            if let Some(number) = entry.file_name().to_str().and_then(|n| n.parse().ok()) {
                dirs.push((number, entry.path()));
            }
        }
    }
    dirs.sort();
    let note = read_note(dir)?.ok_or_else(|| {
        let text = format!("{} holds no exported ledger", dir.display());
        Error::new(Kind::NotFound, text)
    })?;
    let current = Checkpoint::open(&note, key).map_or(u32::MAX, |c| c.epoch);
    dirs.push((current, dir.to_owned()));
    Ok(dirs)
}

/// Checks the log that lies in `dir` as files.
///
/// # Errors
/// When it cannot be read, or none lies there.
pub fn check(dir: &Path, key: Key, anchors: &[Anchor]) -> Result<Checked> {
    let dirs = epoch_dirs(dir, key)?;
    let mut checked = Checked {
        epochs: Vec::new(),
        findings: Vec::new(),
    };
    // Each epoch states how far the one before had come: an anchor that it brings along.
    let mut logs = Vec::new();
    for (number, dir) in &dirs {
        match TreeDir::open(dir, key) {
            Ok(log) => logs.push((*number, log)),
            // The epoch after it tells that it is missing.
            Err(e) if e.kind() == Kind::NotFound => {}
            Err(e) => return Err(e),
        }
    }
    let links: Vec<_> = logs.iter().filter_map(|(_, log)| log.link()).collect();
    for (number, log) in &logs {
        let all = anchors.iter().chain(&links);
        let fitting: Vec<_> = all
            .filter(|a| a.checkpoint.epoch == *number)
            .cloned()
            .collect();
        let report = audit::audit(log, key, &fitting)?;
        let says = report.checkpoint.as_ref().map(|c| c.epoch);
        if says.is_some_and(|says| says != *number) {
            checked.findings.push(Finding {
                verdict: Verdict::Altered,
                place: format!("epoch {number}"),
                text: "the log that lies there is another epoch's".to_owned(),
            });
        }
        if let Some(checkpoint) = &report.checkpoint {
            let expected = key.verifier_key(checkpoint.box_id, *number) + "\n";
            let there = read_bounded(&log.dir.join(KEY), NOTE_BYTES_MAX as u64)?;
            if there.as_deref() != Some(expected.as_bytes()) {
                checked.findings.push(Finding {
                    verdict: Verdict::Altered,
                    place: format!("epoch {number}, {KEY}"),
                    text: "it is missing, or is not the key that the checkpoint is signed by"
                        .to_owned(),
                });
            }
        }
        checked.epochs.push((*number, report));
    }
    let is_here = |epoch| logs.iter().any(|(number, _)| *number == epoch);
    for anchor in anchors.iter().filter(|a| !is_here(a.checkpoint.epoch)) {
        checked.findings.push(Finding {
            verdict: Verdict::RolledBack,
            place: format!("epoch {}", anchor.checkpoint.epoch),
            text: format!("{} is of an epoch that is not here", anchor.name),
        });
    }
    // Nothing was signed of one without entries: it has no files.
    let told = links.iter().filter(|link| link.checkpoint.size > 0);
    for link in told.filter(|link| !is_here(link.checkpoint.epoch)) {
        checked.findings.push(Finding {
            verdict: Verdict::Altered,
            place: format!("epoch {}", link.checkpoint.epoch),
            text: format!("it is missing; {} tells of it", link.name),
        });
    }
    checked.findings.extend(tree_details::check(dir, &logs)?);
    Ok(checked)
}

/// One epoch's log as files.
pub struct TreeDir {
    dir: PathBuf,
    note: String,
    /// What its checkpoint says; none when that is not good.
    size: Option<u64>,
    first_seq: u64,
    /// The bundle that is read next.
    at: Cell<u64>,
    /// The one that was read last, with its number.
    last: RefCell<Option<(u64, Vec<String>)>>,
}

impl TreeDir {
    /// Opens the log in `dir`. Its size is what its checkpoint says, which is checked later.
    ///
    /// # Errors
    /// `NotFound` when there is none.
    pub fn open(dir: &Path, key: Key) -> Result<Self> {
        let note = read_note(dir)?.ok_or_else(|| {
            let text = format!("{} holds no log", dir.display());
            Error::new(Kind::NotFound, text)
        })?;
        let size = Checkpoint::open(&note, key).ok().map(|c| c.size);
        let mut log = Self {
            dir: dir.to_owned(),
            note,
            size,
            first_seq: 1,
            at: Cell::new(0),
            last: RefCell::default(),
        };
        if let Ok(Some(first)) = log.entry(0) {
            log.first_seq = first.seq;
        }
        Ok(log)
    }

    /// What its first entry says of the epoch before.
    fn link(&self) -> Option<Anchor> {
        let first = self.entry(0).ok()??;
        let previous = first.facts.get("previous")?;
        let box_id = self.note.lines().next()?.split('/').nth(1)?.parse().ok()?;
        Some(Anchor {
            checkpoint: Checkpoint {
                box_id,
                epoch: u32::try_from(previous["epoch"].as_u64()?).ok()?,
                size: previous["size"].as_u64()?,
                root: crate::base::hash::Digest::from_hex(previous["root"].as_str()?)?,
            },
            name: format!("the beginning of epoch {}", first.epoch),
        })
    }

    /// The entry at `index`; none beyond the end.
    pub(super) fn entry(&self, index: u64) -> Result<Option<Entry>> {
        let number = index / TILE_WIDTH;
        let mut last = self.last.borrow_mut();
        if last.as_ref().is_none_or(|(known, _)| *known != number) {
            *last = Some((number, self.bundle(number)?));
        }
        let nth = usize::try_from(index % TILE_WIDTH).unwrap_or(usize::MAX);
        let lines = last.as_ref().map(|(_, lines)| lines);
        let line = lines.and_then(|lines| lines.get(nth));
        line.map(|line| Entry::parse(line)).transpose()
    }

    /// The entries of a bundle; none beyond the end. A log whose checkpoint is not good is read as far as its full bundles
    /// go.
    fn bundle(&self, number: u64) -> Result<Vec<String>> {
        let count = width(self.size.unwrap_or(u64::MAX), 0, number);
        if count == 0 {
            return Ok(Vec::new());
        }
        let name = bundle::entries_path(number, count);
        let Some(bytes) = read_bounded(&self.dir.join(&name), BUNDLE_BYTES_MAX)? else {
            return match self.size {
                None => Ok(Vec::new()),
                Some(_) => Err(Error::corrupt(format!("{name} is missing"))),
            };
        };
        let lines = bundle::unpack(&bytes).context(|| name.clone())?;
        if lines.len() as u64 != count {
            return Err(Error::corrupt(format!(
                "{name} holds {} entries where {count} should be",
                lines.len()
            )));
        }
        Ok(lines)
    }
}

impl Log for TreeDir {
    fn first_seq(&self) -> u64 {
        self.first_seq
    }

    fn note(&self) -> Option<String> {
        Some(self.note.clone())
    }

    fn records(&self, index: u64, _count: u64) -> Result<Vec<std::result::Result<Record, String>>> {
        if index == 0 {
            self.at.set(0);
        }
        let number = self.at.get();
        self.at.set(number + 1);
        let lines = match self.bundle(number) {
            Ok(lines) => lines,
            // One finding tells of all that it should hold.
            Err(e) if e.kind() == Kind::Corrupt => return Ok(vec![Err(e.to_string())]),
            Err(e) => return Err(e),
        };
        let record = |line: String| match Entry::parse(&line) {
            Ok(entry) => Ok(Record {
                seq: entry.seq,
                line,
                leaf: None,
            }),
            Err(e) => Err(e.to_string()),
        };
        Ok(lines.into_iter().map(record).collect())
    }

    fn kept_tile(&self, level: u8, number: u64, width: u64) -> Result<Option<Vec<u8>>> {
        read_bounded(
            &self.dir.join(bundle::tile_path(level, number, width)),
            // More than it should have is told of as such.
            64 * TILE_WIDTH,
        )
    }

    fn keeps_partial(&self) -> bool {
        true
    }
}
