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

use serde_json::from_value;

use crate::base::error::Result;
use crate::base::time::Wall;
use crate::catalog::Reader;

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
