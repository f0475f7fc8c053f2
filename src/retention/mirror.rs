//! What keeps footage, and for how long, as a signed file on each volume: a lost catalog does not lose it.

use std::path::PathBuf;

use crate::base::disk;
use crate::base::error::{Context, Error, Kind, Result};
use crate::base::id::BoxId;
use crate::base::time::Wall;
use crate::catalog::{
    Catalog, Change, HoldChange, HoldRow, PolicyRow, Reader, RetentionChange, StreamRow,
};
use crate::ledger::checkpoint::{Key, Signer};
use crate::store::volume::{FILE_MODE, Volume};

/// Its file.
pub const FILE: &str = "sinetti-holds.json";
/// What the signature is over begins with this, so that it is good for nothing else.
const STATEMENT: &str = "sinetti holds 1";
/// A larger file is not read.
const BYTES_MAX: u64 = 16 << 20;

/// What is mirrored.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Kept {
    /// Whose.
    pub box_id: BoxId,
    /// When it was so.
    pub at: Wall,
    /// Holds, those that have ended too.
    pub holds: Vec<HoldRow>,
    /// How long each stream is kept.
    pub streams: Vec<StreamRow>,
    /// What else is said of them.
    pub policies: Vec<PolicyRow>,
}

/// The file: the text of what is kept, and the signature over it, in hex.
#[derive(serde::Serialize, serde::Deserialize)]
struct Signed {
    kept: String,
    signature: String,
}

impl Kept {
    /// What the catalog says.
    ///
    /// # Errors
    /// What the catalog says.
    pub fn of(reader: &Reader, box_id: BoxId, at: Wall) -> Result<Self> {
        Ok(Self {
            box_id,
            at,
            holds: reader.holds()?,
            streams: reader.streams()?,
            policies: reader.policies()?,
        })
    }

    /// True when both say the same, whenever they said it.
    fn says(&self, other: &Self) -> bool {
        let at = self.at;
        *self
            == Self {
                at,
                ..other.clone()
            }
    }

    /// Brings the file on a volume up to date; nothing is written when it says the same already.
    ///
    /// # Errors
    /// What the disk says; then the file before stands.
    pub fn mirror(&self, volume: &Volume, signer: &Signer) -> Result<()> {
        let there = read(volume, self.box_id, signer.key());
        if there.is_ok_and(|there| there.is_some_and(|there| there.says(self))) {
            return Ok(());
        }
        let internal = |e: serde_json::Error| Error::new(Kind::Internal, e.to_string());
        let kept = serde_json::to_string(self).map_err(internal)?;
        let signature = signer.state(STATEMENT, &kept);
        let bytes = serde_json::to_vec(&Signed { kept, signature }).map_err(internal)?;
        disk::replace(&path(volume), &bytes, FILE_MODE)
    }

    /// Puts what is kept into a new catalog, which has the streams already. What it says of streams without footage is left out.
    ///
    /// # Errors
    /// What the catalog says.
    pub fn restore(&self, catalog: &Catalog) -> Result<()> {
        let mut changes: Vec<Change> = Vec::new();
        for row in &self.holds {
            changes.push(Change::Hold(HoldChange::Placed(Box::new(row.clone()))));
        }
        for row in &self.streams {
            if let Some(keep_s) = row.keep_s {
                changes.push(Change::KeepSet {
                    stream: row.stream.clone(),
                    keep_s,
                    at: self.at,
                });
            }
            if let Some(before) = row.floor {
                changes.push(Change::Retention(RetentionChange::Expired {
                    stream: row.stream.clone(),
                    before,
                    at: self.at,
                }));
            }
        }
        for policy in &self.policies {
            let policy = Box::new(policy.clone());
            let at = self.at;
            changes.push(Change::Retention(RetentionChange::PolicySet { policy, at }));
        }
        catalog
            .commit(changes, None)
            .context(|| "putting holds and policies into the catalog")
    }
}

fn path(volume: &Volume) -> PathBuf {
    volume.root.join(FILE)
}

/// What the file on a volume says; `None` when there is none.
///
/// # Errors
/// [`Kind::Corrupt`] when it cannot be understood, or is not signed by `key`; [`Kind::Foreign`] when it is of another box; else
/// what the operating system says.
pub fn read(volume: &Volume, box_id: BoxId, key: Key) -> Result<Option<Kept>> {
    let path = path(volume);
    let what = || format!("reading {}", path.display());
    let size = match std::fs::metadata(&path) {
        Ok(found) => found.len(),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e).context(what),
    };
    if size > BYTES_MAX {
        return Err(Error::corrupt("it is too large")).context(what);
    }
    let bytes = std::fs::read(&path).context(what)?;
    let corrupt = |e: serde_json::Error| Error::corrupt(e.to_string()).attempted(what());
    let signed: Signed = serde_json::from_slice(&bytes).map_err(corrupt)?;
    if !key.stated(STATEMENT, &signed.kept, &signed.signature) {
        return Err(Error::corrupt("it is not signed by this box")).context(what);
    }
    let kept: Kept = serde_json::from_str(&signed.kept).map_err(corrupt)?;
    if kept.box_id != box_id {
        return Err(Error::new(Kind::Foreign, "it is another box's")).context(what);
    }
    Ok(Some(kept))
}

/// The latest that the volumes say; what cannot be read is told.
pub fn latest(volumes: &[Volume], box_id: BoxId, key: Key) -> (Option<Kept>, Vec<String>) {
    let mut troubles = Vec::new();
    let read = |volume: &Volume| {
        read(volume, box_id, key).unwrap_or_else(|e| {
            troubles.push(e.to_string());
            None
        })
    };
    let found = volumes.iter().filter_map(read).max_by_key(|kept| kept.at);
    (found, troubles)
}
