//! `proof.json`: from the bytes of each clip to a signed checkpoint, and the entry that says that the package was made.
//!
//! bytes of a fragment → its leaf → the segment's content root → the segment's record → a footage seal → its entry →
//! checkpoint. What a leaf needs besides the bytes stands here: the table of samples, and the segment's salt, which tells
//! nothing about pictures that were not handed out.

use serde::{Deserialize, Serialize};

use crate::base::hash::Digest;
use crate::evidence::proof::EntryProof;

/// The format's version.
pub const VERSION: u32 = 1;

/// The whole of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackageProof {
    /// [`VERSION`].
    pub v: u32,
    /// The entry with the manifest's hash.
    pub act: EntryProof,
    /// The entries of footage seals, each once.
    pub seals: Vec<EntryProof>,
    /// The segments, each once.
    pub segments: Vec<SegmentPart>,
    /// The clips, as the manifest has them.
    pub files: Vec<FilePart>,
}

/// A segment under a seal.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SegmentPart {
    /// What the seal binds of it: canonical JSON.
    pub record: String,
    /// Which of [`PackageProof::seals`].
    pub seal: usize,
    /// Its place under the seal, from 0.
    pub place: usize,
    /// Path to the seal's root, nearest sibling first.
    pub path: Vec<Digest>,
    /// Media time of its start within the run, 1/90 000 s.
    pub run_media_start: i64,
    /// SHA-256 of its sample entry.
    pub entry: Digest,
    /// What its leaves were salted with.
    pub salt: Digest,
    /// The leaves of all of its fragments.
    pub leaves: Vec<Digest>,
}

/// A clip.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilePart {
    /// Its name.
    pub name: String,
    /// Where its sample entry lies, in bytes from the beginning.
    pub entry_at: u64,
    /// Bytes of the sample entry.
    pub entry_bytes: u64,
    /// Where its samples begin; they go on to its end.
    pub samples_at: u64,
    /// Its fragments, in order.
    pub fragments: Vec<FragmentPart>,
}

/// A fragment of a clip.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FragmentPart {
    /// Which of [`PackageProof::segments`].
    pub segment: usize,
    /// Its number in the segment, from 0.
    pub number: u32,
    /// Its decode time since midnight UTC of the day of the segment's start, 1/90 000 s.
    pub tfdt: i64,
    /// Of each sample: duration, bytes, 1 if decoding can begin with it, presentation minus decode time.
    pub samples: Vec<(u32, u32, u8, i32)>,
}
