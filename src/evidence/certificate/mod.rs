//! The deletion certificate: what was deleted in a period, by which rule, as entries of the ledger that can be checked without the
//! box; and in words what that does not prove.
//!
//! [`Certificate`] is the whole of it. The JSON is the original, signed; the PDF is made of it and names its hash. Sums are never
//! stored: whoever reads it adds the entries up, by [`Summary::of`], as the PDF does.

mod gather;
mod paper;
mod summary;
mod verify;
mod words;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::base::error::{Error, Result};
use crate::base::hash::Digest;
use crate::base::id::BoxId;
use crate::base::time::Wall;
use crate::ledger::canonical;
use crate::ledger::checkpoint::{Key, Signer};
use crate::ledger::statement;

pub use gather::{Asked, gather};
pub use paper::paper;
pub use summary::{Day, Line, Scan, Summary};
pub use verify::{Checked, check};

/// The kind of the statement.
const KIND: &str = "deletion-certificate";
const FORMAT: u32 = 1;
/// Entries in one; with one sweep a minute that is a month.
pub const ENTRIES_MAX: usize = 50_000;
/// Bytes of all lines, at the console: a month of sixteen streams. It takes seven times as much memory.
pub const LINES_BYTES_MAX: usize = 64 << 20;
/// The same inside of the recorder: a week of sixteen streams.
pub const LINES_BYTES_MAX_ONLINE: usize = 16 << 20;

/// What was deleted in a period.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// The format: 1.
    pub format: u32,
    /// Set by the signature.
    pub kind: String,
    /// Which box.
    #[serde(rename = "box")]
    pub box_id: BoxId,
    /// Name of the site.
    pub site: String,
    /// Its time zone.
    pub zone: String,
    /// When this was made.
    pub made: Wall,
    /// The period: entries from this time on.
    pub from: Wall,
    /// The period: entries before this time.
    pub to: Wall,
    /// Cameras that it was asked for; none: all.
    pub cameras: Option<Vec<String>>,
    /// What was kept of each stream, and for how long it may be, when this was made.
    pub kept: Vec<Kept>,
    /// Holds in force when this was made, of whatever kind.
    pub holds: u64,
    /// Sweeps and scans of the period, and the scans that came after it, by epoch of the ledger.
    pub epochs: Vec<EpochPart>,
}

/// A stream when the certificate was made.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// Which.
    pub stream: String,
    /// Seconds for which it may be kept; none: it was never configured.
    pub keep_s: Option<u32>,
    /// Segments that were there although they had been expired for more than two minutes.
    pub overdue: u64,
}

/// Entries of one epoch.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpochPart {
    /// The signed checkpoint that they are under.
    pub checkpoint: String,
    /// Each entry, in order.
    pub entries: Vec<EntryLine>,
    /// One proof for all of them (`src/ledger/several.rs`).
    pub hashes: Vec<Digest>,
}

/// An entry.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntryLine {
    /// Its place in the log, from 0.
    pub index: u64,
    /// Its canonical line.
    pub line: String,
}

impl Certificate {
    /// As signed JSON, and the SHA-256 of what is signed.
    ///
    /// # Errors
    /// `Internal`: a fault of ours.
    pub fn sign(&self, signer: &Signer) -> Result<(Value, Digest)> {
        let value = serde_json::to_value(self)
            .map_err(|e| Error::corrupt(format!("writing a certificate: {e}")))?;
        let document = statement::sign(signer, KIND, value)?;
        let hash = digest(&document)?;
        Ok((document, hash))
    }

    /// Reads signed JSON: the certificate, the key that signed it, and the SHA-256 that a PDF of it names.
    ///
    /// # Errors
    /// `Corrupt` when it was changed, or is none.
    pub fn open(document: &Value) -> Result<(Self, Key, Digest)> {
        let (stated, key) = statement::open(KIND, document)?;
        let hash = digest(document)?;
        let read: Self = serde_json::from_value(stated)
            .map_err(|e| Error::corrupt(format!("this is no deletion certificate: {e}")))?;
        if read.format != FORMAT {
            return Err(Error::corrupt(format!(
                "it has format {}; this version of Sinetti knows {FORMAT}",
                read.format
            )));
        }
        Ok((read, key, hash))
    }
}

fn digest(document: &Value) -> Result<Digest> {
    let text = canonical(&document["statement"])?;
    Ok(Digest::sha256(&[text.as_bytes()]))
}
