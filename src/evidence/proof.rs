//! The path from a picture to the signed root: fragment → segment root → footage seal → ledger entry → checkpoint.
//!
//! A [`Proof`] says by itself what it needs: who verifies has this file, the fragment's leaf hash, and the key's
//! fingerprint on paper. Verifying uses `base`, `media` and `ledger` alone.

use serde::{Deserialize, Serialize};

use crate::base::error::{Context, Error, Kind, Result};
use crate::base::hash::Digest;
use crate::base::merkle;
use crate::catalog::{Reader, SegmentRow};
use crate::ledger::checkpoint::{Checkpoint, Key};
use crate::ledger::entry::{self, Entry};
use crate::ledger::seal::stated;
use crate::ledger::tree;
use crate::media::merkle::content_root_of;

/// The format's version.
const VERSION: u32 = 1;

/// Entry under checkpoint.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntryProof {
    /// The format: 1.
    pub v: u32,
    /// The entry's canonical line.
    pub entry: String,
    /// Its place in the log, from 0.
    pub index: u64,
    /// Inclusion path, nearest sibling first; hex.
    pub path: Vec<String>,
    /// The signed note.
    pub checkpoint: String,
}

/// A segment under a footage seal.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SegmentProof {
    /// The format: 1.
    pub v: u32,
    /// What the seal binds of the segment: canonical JSON.
    pub segment: String,
    /// Its place under the seal, from 0.
    pub place: usize,
    /// Path from the segment's leaf to the seal's root; hex.
    pub path: Vec<String>,
    /// The seal's own entry.
    pub seal: EntryProof,
}

/// A fragment within its segment. The paths of all fragments follow from their leaves, which the segment's file has.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FragmentProof {
    /// Its number in the segment, from 0.
    pub index: usize,
    /// Path from its leaf to the root over the segment's leaves; hex.
    pub path: Vec<String>,
    /// The segment.
    pub segment: SegmentProof,
}

impl EntryProof {
    /// Of the entry `seq`, under the last checkpoint of its epoch.
    ///
    /// # Errors
    /// `NotFound` when there is no such entry or no checkpoint over it yet.
    pub fn make(reader: &Reader, seq: u64) -> Result<Self> {
        let row = reader.entry(seq)?;
        let (epoch, path) = reader.inclusion(seq)?;
        Ok(Self {
            v: VERSION,
            entry: row.entry.line()?,
            index: seq - epoch.first_seq,
            path: hex(&path),
            checkpoint: epoch
                .note
                .ok_or_else(|| Error::new(Kind::NotFound, "the ledger is not signed yet"))?,
        })
    }

    /// Says that `key` signed a log with this entry in it; gives both.
    ///
    /// # Errors
    /// `Denied` when the key did not sign it; `Corrupt` when it does not hold together.
    pub fn verify(&self, key: Key) -> Result<(Entry, Checkpoint)> {
        check_version(self.v)?;
        let checkpoint = Checkpoint::open(&self.checkpoint, key)?;
        let entry = Entry::parse(&self.entry)?;
        let leaf = entry::leaf(&self.entry);
        let path = digests(&self.path)?;
        tree::check_inclusion(&path, checkpoint.size, &checkpoint.root, self.index, &leaf)?;
        if entry.epoch != checkpoint.epoch {
            return Err(Error::corrupt(
                "the entry is of another epoch than its checkpoint",
            ));
        }
        Ok((entry, checkpoint))
    }
}

impl SegmentProof {
    /// Of a segment that a seal is over.
    ///
    /// # Errors
    /// `NotFound` when none is yet.
    pub fn make(reader: &Reader, box_id: crate::base::id::BoxId, row: &SegmentRow) -> Result<Self> {
        let record = row.record(box_id);
        let what = || format!("proving segment {}", row.segment);
        let (seal, place) = reader.seal_of(&record).context(what)?.ok_or_else(|| {
            let text = "no footage seal is over it yet; one is made every hour, or now with: sinetti ledger seal";
            Error::new(Kind::NotFound, text).attempted(what())
        })?;
        let path = merkle::path(&seal.leaves, place)
            .ok_or_else(|| Error::new(Kind::Internal, "a place beyond the seal"))?;
        Ok(Self {
            v: VERSION,
            segment: record.line()?,
            place,
            path: hex(&path),
            seal: EntryProof::make(reader, seal.seq).context(what)?,
        })
    }

    /// Says that a seal that `key` signed is over a segment with this record; gives the record's text as JSON and the
    /// checkpoint.
    ///
    /// # Errors
    /// As [`EntryProof::verify`].
    pub fn verify(&self, key: Key) -> Result<(serde_json::Value, Checkpoint)> {
        check_version(self.v)?;
        let (entry, checkpoint) = self.seal.verify(key)?;
        if entry.action != "footage-seal" || entry.actor != "box" {
            return Err(Error::corrupt("the entry is no footage seal"));
        }
        let (root, count) = stated(&entry.facts)?;
        let leaf = Digest::sha256(&[&[0], self.segment.as_bytes()]);
        let path = digests(&self.path)?;
        if !merkle::verify(&leaf, self.place, count, &path, &root) {
            return Err(Error::corrupt("the segment is not under this footage seal"));
        }
        let record: serde_json::Value = serde_json::from_str(&self.segment)
            .map_err(|_| Error::corrupt("the segment's record is no JSON"))?;
        let box_id = record["box"].as_str().unwrap_or_default();
        if box_id != checkpoint.box_id.to_string() {
            return Err(Error::corrupt(
                "the segment is of another box than the checkpoint",
            ));
        }
        Ok((record, checkpoint))
    }
}

impl FragmentProof {
    /// Of the fragment `index` of a segment whose leaves are these.
    ///
    /// # Errors
    /// `NotFound` when there is no such fragment.
    pub fn make(segment: SegmentProof, leaves: &[Digest], index: usize) -> Result<Self> {
        let path = merkle::path(leaves, index).ok_or_else(|| {
            Error::new(
                Kind::NotFound,
                format!("the segment has no fragment {index}"),
            )
        })?;
        Ok(Self {
            index,
            path: hex(&path),
            segment,
        })
    }

    /// Says that a fragment with this leaf was recorded in this segment, in this place.
    ///
    /// # Errors
    /// As [`SegmentProof::verify`].
    pub fn verify(&self, leaf: &Digest, key: Key) -> Result<(serde_json::Value, Checkpoint)> {
        let (record, checkpoint) = self.segment.verify(key)?;
        let corrupt = |what: &str| Error::corrupt(format!("the segment's record {what}"));
        let digest = |name: &str| record[name].as_str().and_then(Digest::from_hex);
        let content = digest("content_root").ok_or_else(|| corrupt("has no content root"))?;
        let previous = digest("previous_root").ok_or_else(|| corrupt("has no previous root"))?;
        let count = record["fragments"]
            .as_u64()
            .and_then(|n| u32::try_from(n).ok())
            .ok_or_else(|| corrupt("has no number of fragments"))?;
        let path = digests(&self.path)?;
        let root = merkle::root_from(leaf, self.index, count as usize, &path)
            .ok_or_else(|| Error::corrupt("the fragment's path does not fit its place"))?;
        if content_root_of(&root, count, &previous) != content {
            return Err(Error::corrupt(
                "the fragment is not in this segment, or not in this place",
            ));
        }
        Ok((record, checkpoint))
    }
}

fn check_version(v: u32) -> Result<()> {
    if v == VERSION {
        return Ok(());
    }
    Err(Error::new(
        Kind::Foreign,
        format!("a proof of format {v}; this version of Sinetti knows {VERSION}"),
    ))
}

fn hex(path: &[Digest]) -> Vec<String> {
    path.iter().map(ToString::to_string).collect()
}

fn digests(path: &[String]) -> Result<Vec<Digest>> {
    path.iter()
        .map(|text| Digest::from_hex(text))
        .collect::<Option<_>>()
        .ok_or_else(|| Error::corrupt("a path holds something that is no hash"))
}
