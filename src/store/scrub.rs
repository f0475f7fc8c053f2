//! How far the scrub and the reconciliation have come: `DIR/scrub.json`, so that a restart goes on where it was.
//!
//! It is a convenience and no promise: without it, everything is read from the beginning again.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::base::disk::{self, SECRET_MODE};
use crate::base::error::{Error, Kind, Result};
use crate::base::id::{SegmentId, VolumeId};
use crate::base::time::Wall;

/// Its name in the state folder.
pub const FILE_NAME: &str = "scrub.json";

/// How far it has come.
#[derive(Clone, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Mark {
    /// Each volume that was ever scrubbed.
    pub volumes: BTreeMap<VolumeId, VolumeMark>,
}

/// How far it has come on one volume.
#[derive(Clone, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct VolumeMark {
    /// Its name.
    pub name: String,
    /// When the last pass began.
    pub begun: Option<Wall>,
    /// Where it goes on, as the catalog numbers its rows; `None` before the first page, and when no pass is under way.
    pub after: Option<u64>,
    /// When the last whole pass ended.
    pub finished: Option<Wall>,
    /// Segments read in this pass, or in the last one.
    pub segments: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Segments that are damaged, as they were last read. At most [`DAMAGED_MAX`].
    pub damaged: BTreeMap<SegmentId, Damage>,
    /// When files and rows were last compared.
    pub reconciled: Option<Wall>,
    /// Rows without a file that were found then.
    pub missing: u64,
    /// Files that are not ours that were found then.
    pub strangers: u64,
    /// What is kept for longer than it may be and could not be deleted, the first of it, as of the last look.
    #[serde(default)]
    pub over_age: Vec<String>,
    /// How many there are.
    #[serde(default)]
    pub over_age_count: u64,
    /// Files in quarantine that went for want of room at the last look.
    #[serde(default)]
    pub quarantine_lost: u64,
}

/// What is wrong with a segment.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Damage {
    /// In words, with its path.
    pub text: String,
    /// When it was last seen.
    pub seen: Wall,
}

/// So many damaged segments are remembered by name.
pub const DAMAGED_MAX: usize = 1000;

impl VolumeMark {
    /// Nothing is known to be damaged or missing.
    pub fn is_well(&self) -> bool {
        self.damaged.is_empty() && self.missing == 0
    }

    /// A pass was begun and not finished.
    pub fn is_under_way(&self) -> bool {
        self.begun > self.finished
    }
}

impl Mark {
    /// Reads it; nothing was done when it is missing or cannot be read.
    pub fn read(dir: &Path) -> Self {
        let bytes = fs::read(dir.join(FILE_NAME)).unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or_default()
    }

    /// Writes it as a whole.
    ///
    /// # Errors
    /// What the operating system says; then the old one stands.
    pub fn write(&self, dir: &Path) -> Result<()> {
        let json = serde_json::to_vec_pretty(self)
            .map_err(|e| Error::new(Kind::Internal, e.to_string()))?;
        disk::replace(&dir.join(FILE_NAME), &json, SECRET_MODE)
    }

    /// Forgets it: the catalog numbers its rows anew.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn forget(dir: &Path) -> Result<()> {
        match disk::remove_file(&dir.join(FILE_NAME)) {
            Err(e) if e.kind() == Kind::NotFound => Ok(()),
            other => other,
        }
    }
}
