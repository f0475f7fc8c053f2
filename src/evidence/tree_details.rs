//! What may be erased of the entries, beside an exported log: a line of JSON each, with number, salt and text, or that it was
//! erased. The log itself is whole without.

use std::fs;
use std::io::{BufRead, BufReader, IoSlice};
use std::path::Path;

use serde_json::{Value, json};

use crate::base::disk;
use crate::base::error::{Context, Kind, Result};
use crate::base::hash::{Digest, from_hex, hex};
use crate::catalog::{Detail, EntryFilter, EntryRow, EpochRow, Reader};
use crate::evidence::tree_check::TreeDir;
use crate::ledger::audit::{Finding, Verdict};
use crate::ledger::detail::commitment;

/// The file.
const DETAILS: &str = "details.jsonl";
/// Entries that are read at a time.
const PAGE: u32 = 1000;

/// True when details lie beside the log in `dir`.
pub fn are_in(dir: &Path) -> bool {
    dir.join(DETAILS).exists()
}

/// Writes the details of all entries that the files of these epochs hold, in place of what lies there.
///
/// # Errors
/// What the operating system or the catalog says.
pub fn write(dir: &Path, reader: &Reader, epochs: &[EpochRow]) -> Result<()> {
    let path = dir.join(DETAILS);
    let new = dir.join(format!("{DETAILS}.new"));
    remove(&new)?;
    let mut file = disk::DiskFile::create_new(&new, disk::SECRET_MODE)?;
    for epoch in epochs {
        let (mut after, end) = (epoch.first_seq - 1, epoch.first_seq + epoch.size);
        loop {
            let filter = EntryFilter {
                after_seq: Some(after),
                before_seq: Some(end),
                ..EntryFilter::default()
            };
            let rows = reader.entries(&filter, PAGE)?;
            let Some(last) = rows.last() else { break };
            after = last.entry.seq;
            let text: String = rows.iter().filter_map(line).collect();
            file.append(&mut [IoSlice::new(text.as_bytes())])?;
        }
    }
    file.sync()?;
    drop(file);
    remove(&path)?;
    disk::rename(&new, &path)?;
    disk::sync_dir(dir)
}

fn remove(path: &Path) -> Result<()> {
    match disk::remove_file(path) {
        Err(e) if e.kind() == Kind::NotFound => Ok(()),
        other => other,
    }
}

fn line(row: &EntryRow) -> Option<String> {
    let seq = row.entry.seq;
    let line = match &row.detail {
        Detail::Kept { salt, text } => json!({ "seq": seq, "salt": hex(salt), "detail": text }),
        // When, an entry of the ledger says.
        Detail::Erased(_) => json!({ "seq": seq, "erased": true }),
        Detail::None | Detail::Lost => return None,
    };
    Some(format!("{line}\n"))
}

/// Compares the details in `dir` with what the entries say of them: each must be there, in its order, and be what the entry
/// was written with. Nothing is found when there are none at all.
///
/// # Errors
/// When they cannot be read.
pub fn check(dir: &Path, logs: &[(u32, TreeDir)]) -> Result<Vec<Finding>> {
    let path = dir.join(DETAILS);
    let what = || format!("reading {}", path.display());
    let file = match fs::File::open(&path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.context(what)?,
    };
    let mut lines = BufReader::new(file);
    let found = |place: String, text: &str| {
        Ok(vec![Finding {
            verdict: Verdict::Altered,
            place,
            text: text.to_owned(),
        }])
    };
    for (_, log) in logs {
        let mut index = 0;
        // An entry that cannot be read is told of elsewhere.
        while let Ok(Some(entry)) = log.entry(index) {
            index += 1;
            let Some(stated) = entry.detail else { continue };
            let mut line = Vec::new();
            lines.read_until(b'\n', &mut line).context(what)?;
            if !fits(&line, entry.seq, stated) {
                let place = format!("{DETAILS}, entry {}", entry.seq);
                return found(place, "its details are missing or altered");
            }
        }
    }
    if lines.fill_buf().context(what)?.is_empty() {
        return Ok(Vec::new());
    }
    found(DETAILS.to_owned(), "it goes on where no entry is left")
}

/// True for a line exactly as it is written.
fn fits(line: &[u8], seq: u64, stated: Digest) -> bool {
    let read = || -> Option<bool> {
        let text = std::str::from_utf8(line).ok()?;
        let value: Value = serde_json::from_str(text).ok()?;
        if text != format!("{value}\n") || value["seq"].as_u64() != Some(seq) {
            return None;
        }
        if value.get("erased").is_some() {
            return Some(value == json!({ "seq": seq, "erased": true }));
        }
        let mut salt = [0; 32];
        let given = value["salt"].as_str()?;
        // Also not with other digits for the same number.
        let is_salt = from_hex(given, &mut salt) && hex(&salt) == given;
        Some(is_salt && commitment(&salt, value["detail"].as_str()?) == stated)
    };
    read() == Some(true)
}
