//! The ledger as static files (C2SP tlog-tiles): written for an auditor and mirrored to every volume. `tree_check` checks
//! them without anything else.
//!
//! ```text
//! DIR/checkpoint  DIR/tile/…     the current epoch's log
//! DIR/key                        the box's public key, as tools of transparency logs take it; trust the paper, not this
//! DIR/details.jsonl              what may be erased of the entries, when it was asked for
//! DIR/epochs/1/…                 logs before a restore, each with checkpoint, tiles and key
//! ```

use std::fs;
use std::path::Path;

use crate::base::disk;
use crate::base::error::{Context, Error, Kind, Result};
use crate::base::id::BoxId;
use crate::catalog::{EntryFilter, EpochRow, Reader};
use crate::ledger::bundle::{self, CHECKPOINT};
use crate::ledger::checkpoint::{Checkpoint, Key, NOTE_BYTES_MAX};
use crate::ledger::tree::{LEVELS_MAX, TILE_WIDTH, width};

/// Where the mirror lies on a volume.
pub const MIRROR: &str = "sinetti-ledger";
/// Logs before a restore.
pub(super) const EPOCHS: &str = "epochs";
/// The public key.
pub(super) const KEY: &str = "key";
const FILE_MODE: u32 = 0o640;
const DIR_MODE: u32 = 0o750;

/// Writes all epochs to `dir`, or brings what lies there up to date; the checkpoint comes last, so that what it says is
/// there at any moment. Gives the current epoch as it was written; none when there is no checkpoint yet.
///
/// # Errors
/// `Foreign` when `dir` holds a log that this one does not go on from: it is left as it is. What the operating system or
/// the catalog says.
pub fn write(dir: &Path, reader: &Reader, box_id: BoxId, key: Key) -> Result<Option<EpochRow>> {
    let mut epochs = reader.epochs()?;
    let Some(current) = epochs.pop() else {
        return Ok(None);
    };
    for epoch in epochs {
        let older = dir.join(EPOCHS).join(epoch.number.to_string());
        write_epoch(&older, reader, &epoch, (box_id, key))?;
    }
    let written = write_epoch(dir, reader, &current, (box_id, key))?;
    Ok(written.then_some(current))
}

fn write_epoch(
    dir: &Path,
    reader: &Reader,
    epoch: &EpochRow,
    (box_id, key): (BoxId, Key),
) -> Result<bool> {
    let Some(note) = &epoch.note else {
        return Ok(false);
    };
    let what = || format!("writing the ledger's files to {}", dir.display());
    let old = match read_note(dir)? {
        None => 0,
        Some(old) => agreeing(&old, note, reader, epoch, key).context(what)?,
    };
    if old != epoch.size {
        let files = Files { dir, reader, epoch };
        for level in 0..LEVELS_MAX {
            files.level(level, old).context(what)?;
        }
        disk::create_dir_all(dir, DIR_MODE).context(what)?;
        disk::replace(&dir.join(CHECKPOINT), note.as_bytes(), FILE_MODE).context(what)?;
        files.forget_partial(old).context(what)?;
    }
    let text = key.verifier_key(box_id, epoch.number) + "\n";
    let path = dir.join(KEY);
    if fs::read(&path).ok().as_deref() != Some(text.as_bytes()) {
        disk::replace(&path, text.as_bytes(), FILE_MODE).context(what)?;
    }
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

/// Moves a log of an earlier epoch that lies in `dir` out of the way of the current one: to `DIR.EPOCH.SIZE`, with a number when that is there. It may be
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
    let mut to = dir.with_file_name(&name);
    // An earlier restore may have put one aside of the same length.
    let mut nth = 1;
    while to.exists() {
        nth += 1;
        let mut another = name.clone();
        another.push(format!(".{nth}"));
        to = dir.with_file_name(another);
    }
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

pub(super) fn read_bounded(path: &Path, bytes_max: u64) -> Result<Option<Vec<u8>>> {
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
