//! The ledger as static files (C2SP tlog-tiles): written for an auditor and mirrored to every volume, and checked from
//! there without anything else.
//!
//! ```text
//! DIR/checkpoint  DIR/tile/…     the current epoch's log
//! DIR/key                        the box's public key, as tools of transparency logs take it; trust the paper, not this
//! DIR/details.jsonl              what may be erased of the entries, when it was asked for
//! DIR/epochs/1/…                 logs before a restore, each with checkpoint and tiles
//! ```

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::base::disk;
use crate::base::error::{Context, Error, Kind, Result};
use crate::base::id::BoxId;
use crate::catalog::{Detail, EntryFilter, EpochRow, Reader};
use crate::ledger::audit::{self, Anchor, Finding, Log, Record, Report, Verdict};
use crate::ledger::bundle::{self, BUNDLE_BYTES_MAX, CHECKPOINT};
use crate::ledger::checkpoint::{Checkpoint, Key, NOTE_BYTES_MAX};
use crate::ledger::detail::commitment;
use crate::ledger::entry::Entry;
use crate::ledger::tree::{LEVELS_MAX, TILE_WIDTH, width};

/// Where the mirror lies on a volume.
pub const MIRROR: &str = "sinetti-ledger";
/// Logs before a restore.
const EPOCHS: &str = "epochs";
/// The public key.
const KEY: &str = "key";
/// What may be erased.
const DETAILS: &str = "details.jsonl";
const FILE_MODE: u32 = 0o640;
const DIR_MODE: u32 = 0o750;

/// Writes all epochs to `dir`, or brings what lies there up to date; the checkpoint comes last, so that what it says is
/// there at any moment. False when there is no checkpoint yet.
///
/// # Errors
/// `Foreign` when `dir` holds a log that this one does not go on from: it is left as it is. What the operating system or
/// the catalog says.
pub fn write(dir: &Path, reader: &Reader, box_id: BoxId, key: Key) -> Result<bool> {
    let epochs = reader.epochs()?;
    let Some((current, older)) = epochs.split_last() else {
        return Ok(false);
    };
    for epoch in older {
        write_epoch(
            &dir.join(EPOCHS).join(epoch.number.to_string()),
            reader,
            epoch,
            key,
        )?;
    }
    let written = write_epoch(dir, reader, current, key)?;
    if written {
        let text = key.verifier_key(box_id, current.number) + "\n";
        let path = dir.join(KEY);
        if fs::read(&path).ok().as_deref() != Some(text.as_bytes()) {
            disk::replace(&path, text.as_bytes(), FILE_MODE)?;
        }
    }
    Ok(written)
}

fn write_epoch(dir: &Path, reader: &Reader, epoch: &EpochRow, key: Key) -> Result<bool> {
    let Some(note) = &epoch.note else {
        return Ok(false);
    };
    let what = || format!("writing the ledger's files to {}", dir.display());
    let old = match read_note(dir)? {
        None => 0,
        Some(old) => agreeing(&old, note, reader, epoch, key).context(what)?,
    };
    if old == epoch.size {
        return Ok(true);
    }
    let files = Files { dir, reader, epoch };
    for level in 0..LEVELS_MAX {
        files.level(level, old).context(what)?;
    }
    disk::create_dir_all(dir, DIR_MODE).context(what)?;
    disk::replace(&dir.join(CHECKPOINT), note.as_bytes(), FILE_MODE).context(what)?;
    files.forget_partial(old).context(what)?;
    Ok(true)
}

/// How many entries lie there already; they are this log's.
fn agreeing(old: &str, note: &str, reader: &Reader, epoch: &EpochRow, key: Key) -> Result<u64> {
    if old == note {
        return Ok(epoch.size);
    }
    let foreign = |text: String| Err(Error::new(Kind::Foreign, text));
    let old = match Checkpoint::open(old, key) {
        Ok(old) => old,
        Err(e) => return foreign(format!("what lies there is not of this ledger: {e}")),
    };
    if old.epoch != epoch.number {
        return foreign(format!("what lies there is of epoch {}", old.epoch));
    }
    match reader.consistency(old.box_id, &old) {
        Ok(_) => Ok(old.size),
        Err(e) => foreign(format!("what lies there is not of this ledger: {e}")),
    }
}

/// Moves a log of an earlier epoch that lies in `dir` out of the way of the current one: to `DIR.EPOCH.SIZE`. It may be
/// ahead of what was restored, and then it is the only one that knows.
///
/// # Errors
/// What the operating system or the catalog says.
pub fn set_aside_older_epoch(dir: &Path, reader: &Reader, key: Key) -> Result<()> {
    let Some(note) = read_note(dir)? else {
        return Ok(());
    };
    let Ok(old) = Checkpoint::open(&note, key) else {
        return Ok(());
    };
    if old.epoch >= reader.epoch()?.number {
        return Ok(());
    }
    let mut name = dir.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.{}", old.epoch, old.size));
    let to = dir.with_file_name(name);
    disk::rename(dir, &to)?;
    dir.parent().map_or(Ok(()), disk::sync_dir)
}

struct Files<'a> {
    dir: &'a Path,
    reader: &'a Reader,
    epoch: &'a EpochRow,
}

impl Files<'_> {
    /// Tiles of a level that are new or fuller than when there were `old` entries.
    fn level(&self, level: u8, old: u64) -> Result<()> {
        let size = self.epoch.size;
        let first = (old >> (8 * u32::from(level))) / TILE_WIDTH;
        let mut number = first;
        loop {
            let hashes = width(size, level, number);
            if hashes == 0 {
                return Ok(());
            }
            let tile = self.reader.tile(self.epoch, level, number, hashes)?;
            self.put(&bundle::tile_path(level, number, hashes), &tile)?;
            if level == 0 {
                let lines = self.lines(number, hashes)?;
                let bytes = bundle::pack(lines.iter().map(String::as_str))?;
                self.put(&bundle::entries_path(number, hashes), &bytes)?;
            }
            number += 1;
        }
    }

    fn lines(&self, number: u64, count: u64) -> Result<Vec<String>> {
        let filter = EntryFilter {
            after_seq: Some(self.epoch.first_seq + number * TILE_WIDTH - 1),
            ..EntryFilter::default()
        };
        // At most a tile's: 256.
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let rows = self.reader.entries(&filter, count)?;
        rows.iter().map(|row| row.entry.line()).collect()
    }

    fn put(&self, path: &str, bytes: &[u8]) -> Result<()> {
        let path = self.dir.join(path);
        if let Some(parent) = path.parent() {
            disk::create_dir_all(parent, DIR_MODE)?;
        }
        disk::replace(&path, bytes, FILE_MODE)
    }

    /// Partial tiles of `old` entries that fuller ones have taken the place of.
    fn forget_partial(&self, old: u64) -> Result<()> {
        for level in 0..LEVELS_MAX {
            let number = (old >> (8 * u32::from(level))) / TILE_WIDTH;
            let (had, has) = (
                width(old, level, number),
                width(self.epoch.size, level, number),
            );
            if had == 0 || had == TILE_WIDTH || had == has {
                continue;
            }
            self.forget(&bundle::tile_path(level, number, had))?;
            if level == 0 {
                self.forget(&bundle::entries_path(number, had))?;
            }
        }
        Ok(())
    }

    fn forget(&self, path: &str) -> Result<()> {
        let path = self.dir.join(path);
        match disk::remove_file(&path) {
            Err(e) if e.kind() != Kind::NotFound => return Err(e),
            _ => {}
        }
        if let Some(parent) = path.parent() {
            disk::remove_empty_dir(parent)?;
        }
        Ok(())
    }
}

/// Writes what may be erased of the entries, a line each: number, salt, details; or when they were erased.
///
/// # Errors
/// What the operating system or the catalog says.
pub fn write_details(dir: &Path, reader: &Reader) -> Result<()> {
    use crate::base::hash::hex;
    let path = dir.join(DETAILS);
    let mut file = disk::DiskFile::create_new(&path, disk::SECRET_MODE)?;
    let mut after = 0;
    loop {
        let filter = EntryFilter {
            after_seq: Some(after),
            ..EntryFilter::default()
        };
        let rows = reader.entries(&filter, 1000)?;
        let Some(last) = rows.last() else { break };
        after = last.entry.seq;
        let mut text = String::new();
        for row in &rows {
            let line = match &row.detail {
                Detail::Kept { salt, text } => {
                    json!({ "seq": row.entry.seq, "salt": hex(salt), "detail": text })
                }
                Detail::Erased(at) => json!({ "seq": row.entry.seq, "erased": at }),
                Detail::None | Detail::Lost => continue,
            };
            text.push_str(&line.to_string());
            text.push('\n');
        }
        file.append(&mut [std::io::IoSlice::new(text.as_bytes())])?;
    }
    file.sync()?;
    disk::sync_dir(dir)
}

/// The checkpoint of the log in `dir`; none when there is no log.
///
/// # Errors
/// What the operating system says, `Corrupt` for what is no text.
pub fn read_note(dir: &Path) -> Result<Option<String>> {
    let path = dir.join(CHECKPOINT);
    match read_bounded(&path, NOTE_BYTES_MAX as u64)? {
        None => Ok(None),
        Some(bytes) => String::from_utf8(bytes)
            .map(Some)
            .map_err(|_| Error::corrupt(format!("{} holds no text", path.display()))),
    }
}

fn read_bounded(path: &Path, bytes_max: u64) -> Result<Option<Vec<u8>>> {
    use std::io::Read;
    let what = || format!("reading {}", path.display());
    let file = match fs::File::open(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        other => other.context(what)?,
    };
    let mut bytes = Vec::new();
    file.take(bytes_max + 1)
        .read_to_end(&mut bytes)
        .context(what)?;
    if bytes.len() as u64 > bytes_max {
        return Err(Error::corrupt(format!(
            "{} is longer than {bytes_max} bytes",
            path.display()
        )));
    }
    Ok(Some(bytes))
}

/// The public key that lies beside an exported log.
///
/// # Errors
/// `NotFound` when there is none.
pub fn read_key(dir: &Path) -> Result<Key> {
    let path = dir.join(KEY);
    let bytes = read_bounded(&path, NOTE_BYTES_MAX as u64)?.ok_or_else(|| {
        let text = format!("{} is no exported ledger: there is no key", dir.display());
        Error::new(Kind::NotFound, text)
    })?;
    Key::from_verifier_key(&String::from_utf8_lossy(&bytes))
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
        logs.push((*number, TreeDir::open(dir, key)?));
    }
    let links: Vec<_> = logs.iter().filter_map(|(_, log)| log.link()).collect();
    for (number, log) in &logs {
        let mut fitting: Vec<_> = anchors
            .iter()
            .filter(|a| a.checkpoint.epoch == *number)
            .cloned()
            .collect();
        fitting.extend(
            links
                .iter()
                .filter(|a| a.checkpoint.epoch == *number)
                .cloned(),
        );
        checked
            .epochs
            .push((*number, audit::audit(log, key, &fitting)?));
    }
    for anchor in anchors {
        if !logs.iter().any(|(n, _)| *n == anchor.checkpoint.epoch) {
            checked.findings.push(Finding {
                verdict: Verdict::RolledBack,
                place: format!("epoch {}", anchor.checkpoint.epoch),
                text: format!("{} is of an epoch that is not here", anchor.name),
            });
        }
    }
    check_details(dir, &logs, &mut checked.findings)?;
    Ok(checked)
}

fn check_details(dir: &Path, logs: &[(u32, TreeDir)], findings: &mut Vec<Finding>) -> Result<()> {
    let Ok(text) = fs::read_to_string(dir.join(DETAILS)) else {
        return Ok(());
    };
    for line in text.lines() {
        let fits = (|| {
            let value: serde_json::Value = serde_json::from_str(line).ok()?;
            let seq = value["seq"].as_u64()?;
            if value.get("erased").is_some() {
                return Some(true);
            }
            let mut salt = [0; 32];
            if !crate::base::hash::from_hex(value["salt"].as_str()?, &mut salt) {
                return None;
            }
            let (_, log) = logs.iter().rfind(|(_, log)| log.first_seq() <= seq)?;
            let stated = log.entry(seq - log.first_seq()).ok()??.detail?;
            Some(stated == commitment(&salt, value["detail"].as_str()?))
        })();
        if fits != Some(true) {
            let short: String = line.chars().take(40).collect();
            findings.push(Finding {
                verdict: Verdict::Altered,
                place: DETAILS.to_owned(),
                text: format!("these details do not fit their entry: {short}…"),
            });
        }
        if findings.len() >= audit::FINDINGS_MAX {
            break;
        }
    }
    Ok(())
}

/// One epoch's log as files.
pub struct TreeDir {
    dir: PathBuf,
    note: String,
    size: u64,
    first_seq: u64,
    /// The bundle that was read last.
    at: Cell<u64>,
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
        // A log whose checkpoint is not good is read as far as its files go.
        let size = Checkpoint::open(&note, key).map_or(u64::MAX, |c| c.size);
        let mut log = Self {
            dir: dir.to_owned(),
            note,
            size,
            first_seq: 1,
            at: Cell::new(0),
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
    fn entry(&self, index: u64) -> Result<Option<Entry>> {
        let lines = self.bundle(index / TILE_WIDTH)?;
        let nth = usize::try_from(index % TILE_WIDTH).unwrap_or(usize::MAX);
        lines.get(nth).map(|line| Entry::parse(line)).transpose()
    }

    fn bundle(&self, number: u64) -> Result<Vec<String>> {
        let count = width(self.size, 0, number);
        let bytes = match count {
            0 => None,
            count => read_bounded(
                &self.dir.join(bundle::entries_path(number, count)),
                BUNDLE_BYTES_MAX,
            )?,
        };
        bytes.map_or(Ok(Vec::new()), |bytes| bundle::unpack(&bytes))
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
            32 * TILE_WIDTH,
        )
    }
}
