//! What a backup is of, signed, without anything that must not be read.

use std::path::Path;

use serde_json::{Value, json};

use crate::backup::{ARCHIVE, MANIFEST};
use crate::base::error::{Context, Error, Result};
use crate::base::hash::Digest;
use crate::base::id::BoxId;
use crate::base::time::Wall;
use crate::ledger::checkpoint::{Key, Signer};
use crate::ledger::statement;
use crate::vault::identity::Recipient;

/// What the folder of a backup is called, before its time.
pub const NAME_PREFIX: &str = "sinetti-backup-";
const KIND: &str = "backup";
const FORMAT: u32 = 1;
const BYTES_MAX: u64 = 64 << 10;

/// What a backup is of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Manifest {
    /// Which box.
    pub box_id: BoxId,
    /// When its state was as it is in there.
    pub made: Wall,
    /// Who opens it: the recovery identity.
    pub recipient: Recipient,
    /// The last checkpoint of the ledger in it, a signed note; none: nothing was signed yet.
    pub checkpoint: Option<String>,
    /// Bytes of the archive.
    pub bytes: u64,
    /// SHA-256 of the archive.
    pub sha256: Digest,
    /// The key that signed this.
    pub key: Key,
}

impl Manifest {
    /// As a file.
    pub(super) fn to_json(&self, signer: &Signer) -> Result<Vec<u8>> {
        let document = statement::sign(
            signer,
            KIND,
            json!({
                "format": FORMAT,
                "box": self.box_id,
                "made": self.made,
                "version": env!("CARGO_PKG_VERSION"),
                "recipient": self.recipient.to_string(),
                "checkpoint": self.checkpoint,
                "file": { "name": ARCHIVE, "bytes": self.bytes, "sha256": self.sha256 },
            }),
        )?;
        let text = serde_json::to_string_pretty(&document)
            .map_err(|e| Error::invalid(format!("writing the manifest: {e}")))?;
        Ok((text + "\n").into_bytes())
    }

    /// Reads the one in the folder of a backup, and checks its signature.
    ///
    /// # Errors
    /// `NotFound` when there is none; `Corrupt` when it was changed or is none; `Foreign` for one of a newer version.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(MANIFEST);
        let what = || format!("reading {}", path.display());
        let size = std::fs::metadata(&path).context(what)?.len();
        if size > BYTES_MAX {
            return Err(Error::corrupt("it is too long for one of ours").attempted(what()));
        }
        let bytes = std::fs::read(&path).context(what)?;
        let document: Value = serde_json::from_slice(&bytes)
            .map_err(|e| Error::corrupt(format!("it is no JSON: {e}")).attempted(what()))?;
        let (stated, key) = statement::open(KIND, &document).context(what)?;
        Self::of(&stated, key).context(what)
    }

    fn of(stated: &Value, key: Key) -> Result<Self> {
        if stated["format"] != json!(FORMAT) {
            return Err(Error::new(
                crate::base::Kind::Foreign,
                "it was made by a newer version of Sinetti",
            ));
        }
        let bad = |e: serde_json::Error| Error::corrupt(format!("it lacks something: {e}"));
        let file = &stated["file"];
        Ok(Self {
            box_id: serde_json::from_value(stated["box"].clone()).map_err(bad)?,
            made: serde_json::from_value(stated["made"].clone()).map_err(bad)?,
            recipient: serde_json::from_value(stated["recipient"].clone()).map_err(bad)?,
            checkpoint: serde_json::from_value(stated["checkpoint"].clone()).map_err(bad)?,
            bytes: serde_json::from_value(file["bytes"].clone()).map_err(bad)?,
            sha256: serde_json::from_value(file["sha256"].clone()).map_err(bad)?,
            key,
        })
    }
}
