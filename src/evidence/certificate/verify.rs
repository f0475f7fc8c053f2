//! The check of a certificate on any machine: it needs the file, and the fingerprint on paper.

use serde_json::Value;

use crate::base::error::{Context, Error, Result};
use crate::base::hash::Digest;
use crate::evidence::certificate::{Certificate, Summary};
use crate::ledger::checkpoint::{Checkpoint, Key};
use crate::ledger::entry::{self, Entry};
use crate::ledger::several;

/// A certificate that holds together.
#[derive(Clone, Debug)]
pub struct Checked {
    /// It.
    pub certificate: Certificate,
    /// Its sums.
    pub summary: Summary,
    /// The key that signed it, and every checkpoint in it.
    pub key: Key,
    /// What a PDF of it names.
    pub sha256: Digest,
    /// The checkpoints.
    pub checkpoints: Vec<Checkpoint>,
}

/// Checks signature, checkpoints, that each entry is under its checkpoint, and that the entries are of the period.
///
/// # Errors
/// `Corrupt` with the first thing that is not as it should be.
pub fn check(document: &Value) -> Result<Checked> {
    let (certificate, key, sha256) = Certificate::open(document)?;
    let mut checkpoints = Vec::new();
    for part in &certificate.epochs {
        let checkpoint = Checkpoint::open(&part.checkpoint, key)?;
        let what = || format!("checking the entries of epoch {}", checkpoint.epoch);
        if checkpoint.box_id != certificate.box_id {
            return Err(Error::corrupt("the checkpoint is another box's").attempted(what()));
        }
        let mut leaves = Vec::with_capacity(part.entries.len());
        for line in &part.entries {
            let entry = Entry::parse(&line.line).context(what)?;
            if entry.epoch != checkpoint.epoch {
                let text = format!("entry {} is of another epoch", entry.seq);
                return Err(Error::corrupt(text).attempted(what()));
            }
            leaves.push((line.index, entry::leaf(&line.line)));
        }
        several::check(&part.hashes, checkpoint.size, &checkpoint.root, &leaves).context(what)?;
        checkpoints.push(checkpoint);
    }
    let summary = Summary::of(&certificate)?;
    Ok(Checked {
        certificate,
        summary,
        key,
        sha256,
        checkpoints,
    })
}
