//! Layer 3: what a box needs to go on after its state folder is lost, in a form in which it can lie anywhere.
//!
//! ```text
//! DIR/sinetti-backup-20261125T190000.000Z/manifest.json   what it is of, signed by the ledger key; nothing personal
//! DIR/sinetti-backup-20261125T190000.000Z/state.tar.age   tar of the state folder, encrypted to the recovery identity
//! ```
//!
//! No segment key is in it: those lie on the volumes alone. So what was deleted stays deleted, whatever copies there are.
//!
//! What does not belong here: what a restored catalog may do (`retention`), who says that it was lawful (`catalog`), prompts.

mod manifest;
mod read;
mod write;

use std::path::{Path, PathBuf};

use serde_json::{Value, from_str, from_value};

use crate::base::error::{Error, Kind, Result};
use crate::base::id::BoxId;
use crate::base::time::Wall;
use crate::catalog::{Detail, Reader};
use crate::ledger::checkpoint::Key;

pub use manifest::{Manifest, NAME_PREFIX};
pub use read::{open, unpack};
pub use write::{COPY, Source, Written, check_place, remove_older, write};

/// The tar, encrypted.
const ARCHIVE: &str = "state.tar.age";
/// What the archive is, signed.
const MANIFEST: &str = "manifest.json";
/// Name of the catalog in the archive.
const CATALOG: &str = "catalog.db";
/// Name of the box's identity in the archive.
const IDENTITY: &str = "box.json";
/// No file but the catalog is longer, in bytes.
const SMALL_MAX: u64 = 1 << 20;
/// At most so many files, the catalog among them.
const FILES_MAX: usize = 2000;

/// When the last backup was made, as far as the ledger knows; a box that was restored knows of the one that it came from.
///
/// # Errors
/// What the catalog says.
pub fn last(reader: &Reader) -> Result<Option<Wall>> {
    let made = reader.last_ok("backup")?.map(|row| row.entry.at);
    let restored = reader.last_ok("restored")?.and_then(|row| {
        let made = row.entry.facts["made"].clone();
        from_value(made).ok()
    });
    Ok(made.max(restored))
}

/// The folder in which the last backup was made, as far as the details of its entry are still there.
///
/// # Errors
/// What the catalog says.
pub fn last_place(reader: &Reader) -> Result<Option<PathBuf>> {
    let row = reader.last_ok("backup")?;
    Ok(row.and_then(|row| match row.detail {
        Detail::Kept { text, .. } => {
            let detail: Value = from_str(&text).ok()?;
            Some(PathBuf::from(detail["folder"].as_str()?))
        }
        _ => None,
    }))
}

/// The newest backup of this box in a folder, every byte of it compared with its signature: when it was made.
///
/// # Errors
/// `NotFound` when there is none; `Corrupt` when the newest was changed or is cut off; what the operating system says.
pub fn newest(into: &Path, box_id: BoxId, key: Key) -> Result<Wall> {
    let found = write::of_box(into, box_id, key)?.pop();
    let (_, path) = found.ok_or_else(|| {
        let text = format!("no backup of this box is in {}", into.display());
        Error::new(Kind::NotFound, text)
    })?;
    Ok(open(&path)?.made)
}

/// When a box without any backup began to lack one.
///
/// # Errors
/// What the catalog says.
pub fn lacks_since(reader: &Reader) -> Result<Wall> {
    let first = reader.epochs()?.into_iter().next();
    first.map_or_else(|| Ok(reader.meta()?.created), |epoch| Ok(epoch.started))
}

#[cfg(test)]
mod tests;
