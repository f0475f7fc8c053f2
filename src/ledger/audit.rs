//! The check of a whole log: every entry hashed anew, compared with its tiles, with the signed checkpoint, and with
//! checkpoints that somebody took away.

use std::fmt;

use crate::base::edge::Edge;
use crate::base::error::Result;
use crate::base::hash::Digest;
use crate::ledger::checkpoint::{Checkpoint, Key};
use crate::ledger::entry;
use crate::ledger::tree::{LEVELS_MAX, TILE_WIDTH, tile_root, width};

/// After so many findings a log is not read on.
pub const FINDINGS_MAX: usize = 20;
const PAGE: u64 = 1024;

/// What is wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Something was changed, put in, taken out or moved.
    Altered,
    /// It is an earlier state of itself.
    RolledBack,
    /// It has another history than the one that was signed before.
    Forked,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Altered => "altered",
            Self::RolledBack => "rolled back",
            Self::Forked => "forked",
        })
    }
}

/// One thing that is wrong, and where.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Finding {
    /// What kind.
    pub verdict: Verdict,
    /// Where: `entry 17`, `tile/0/003`, `checkpoint`.
    pub place: String,
    /// In words.
    pub text: String,
}

/// An entry as it was found.
#[derive(Clone, Debug)]
pub struct Record {
    /// The number that it bears.
    pub seq: u64,
    /// Its canonical line.
    pub line: String,
    /// The leaf hash that was kept beside it, if one was.
    pub leaf: Option<Digest>,
}

/// One epoch's log, wherever it is kept.
pub trait Log {
    /// Number of its first entry.
    fn first_seq(&self) -> u64;
    /// Its signed checkpoint; none when nothing was signed yet.
    fn note(&self) -> Option<String>;
    /// Up to `count` entries from the one at `index` (from 0) on, in the order in which they are kept; a text instead of
    /// an entry says what is wrong with it. Nothing: there are no more.
    ///
    /// # Errors
    /// When it cannot be read at all.
    fn records(&self, index: u64, count: u64) -> Result<Vec<std::result::Result<Record, String>>>;
    /// A kept tile; none when it is not kept.
    ///
    /// # Errors
    /// When it cannot be read.
    fn kept_tile(&self, level: u8, number: u64, width: u64) -> Result<Option<Vec<u8>>>;
    /// The root of a full tile, where it is kept by itself.
    ///
    /// # Errors
    /// When it cannot be read.
    fn kept_root(&self, _level: u8, _number: u64) -> Result<Option<Digest>> {
        Ok(None)
    }
    /// True when tiles that are not full are kept too.
    fn keeps_partial(&self) -> bool;
}

/// A root that the log must have had, from elsewhere.
#[derive(Clone, Debug)]
pub struct Anchor {
    /// What it says.
    pub checkpoint: Checkpoint,
    /// Where it comes from, for people.
    pub name: String,
}

/// What a check found.
#[derive(Clone, Debug)]
pub struct Report {
    /// Entries read.
    pub entries: u64,
    /// The checkpoint, when its signature is good.
    pub checkpoint: Option<Checkpoint>,
    /// What is wrong; empty: the log is whole and agrees with all anchors.
    pub findings: Vec<Finding>,
    /// Root over all entries read.
    pub root: Digest,
}

/// Checks one epoch's log.
///
/// # Errors
/// When it cannot be read; what is wrong with it is no error but a finding.
pub fn audit(log: &impl Log, key: Key, anchors: &[Anchor]) -> Result<Report> {
    let mut walk = Walk {
        log,
        edge: Edge::default(),
        tiles: vec![Vec::new(); usize::from(LEVELS_MAX)],
        index: 0,
        expected: log.first_seq(),
        findings: Vec::new(),
        signed: None,
    };
    walk.open_checkpoint(key);
    let mut anchors: Vec<_> = anchors.iter().collect();
    anchors.sort_by_key(|anchor| anchor.checkpoint.size);
    let mut pending = anchors.into_iter().peekable();
    let mut more = true;
    while more && walk.findings.len() < FINDINGS_MAX {
        let page = log.records(walk.index, PAGE)?;
        more = !page.is_empty();
        for record in page {
            walk.record(record)?;
            while let Some(anchor) = pending.next_if(|a| a.checkpoint.size <= walk.index) {
                walk.compare(anchor);
            }
        }
    }
    for anchor in pending {
        walk.beyond(anchor);
    }
    walk.end();
    Ok(Report {
        entries: walk.index,
        root: walk.edge.root(),
        checkpoint: walk.signed,
        findings: walk.findings,
    })
}

struct Walk<'a, L> {
    log: &'a L,
    edge: Edge,
    /// Hashes of the tile that is filling on each level.
    tiles: Vec<Vec<u8>>,
    index: u64,
    /// Number that the next entry should bear.
    expected: u64,
    findings: Vec<Finding>,
    signed: Option<Checkpoint>,
}

impl<L: Log> Walk<'_, L> {
    fn find(&mut self, verdict: Verdict, place: impl Into<String>, text: impl Into<String>) {
        self.findings.push(Finding {
            verdict,
            place: place.into(),
            text: text.into(),
        });
    }

    fn open_checkpoint(&mut self, key: Key) {
        let Some(note) = self.log.note() else { return };
        match Checkpoint::open(&note, key) {
            Ok(checkpoint) => self.signed = Some(checkpoint),
            Err(e) => self.find(Verdict::Altered, "checkpoint", e.to_string()),
        }
    }

    fn record(&mut self, record: std::result::Result<Record, String>) -> Result<()> {
        let expected = self.expected;
        self.expected += 1;
        let place = format!("entry {expected}");
        let leaf = match record {
            Ok(record) => {
                if record.seq != expected {
                    let text = format!(
                        "entry {} stands where entry {expected} should: one was taken out, put in or moved",
                        record.seq
                    );
                    self.find(Verdict::Altered, &*place, text);
                    // What follows is told by what comes next, not again and again by this.
                    self.expected = record.seq.saturating_add(1);
                }
                let leaf = entry::leaf(&record.line);
                if record.leaf.is_some_and(|kept| kept != leaf) {
                    self.find(
                        Verdict::Altered,
                        &*place,
                        "it is not what was hashed when it was written",
                    );
                }
                leaf
            }
            Err(text) => {
                self.find(Verdict::Altered, &*place, text);
                Digest::ZERO
            }
        };
        self.edge.push(leaf);
        self.index += 1;
        self.grow_tiles(leaf)?;
        if self
            .signed
            .as_ref()
            .is_some_and(|signed| signed.size == self.index)
        {
            self.at_checkpoint()?;
        }
        Ok(())
    }

    fn grow_tiles(&mut self, leaf: Digest) -> Result<()> {
        let mut hash = leaf;
        for level in 0..LEVELS_MAX {
            let tile = &mut self.tiles[usize::from(level)];
            tile.extend(hash.0);
            if (tile.len() as u64) < 32 * TILE_WIDTH {
                return Ok(());
            }
            let full = std::mem::take(tile);
            // A full tile of this level is 256 to the power of level + 1 entries.
            let number = (self.index >> (8 * (u32::from(level) + 1))) - 1;
            self.compare_tile(level, number, &full)?;
            hash = tile_root(&full)?;
            self.compare_root(level, number, hash)?;
        }
        Ok(())
    }

    fn compare_tile(&mut self, level: u8, number: u64, computed: &[u8]) -> Result<()> {
        let hashes = computed.len() as u64 / 32;
        let place = super::bundle::tile_path(level, number, hashes);
        let kept = self.log.kept_tile(level, number, hashes)?;
        let Some(kept) = kept else {
            let signed = self.signed.as_ref().map_or(0, |signed| signed.size);
            if width(signed, level, number) >= hashes {
                self.find(Verdict::Altered, place, "the tile is missing");
            }
            return Ok(());
        };
        if kept == computed {
            return Ok(());
        }
        let pairs = kept.chunks(32).zip(computed.chunks(32));
        let nth = pairs.take_while(|(a, b)| a == b).count() as u64;
        if nth >= hashes || kept.len() != computed.len() {
            let text = format!(
                "it has {} bytes where {} should be",
                kept.len(),
                computed.len()
            );
            self.find(Verdict::Altered, place, text);
        } else if level == 0 {
            let seq = self.log.first_seq() + number * TILE_WIDTH + nth;
            let text = format!("{place} and entry {seq} do not agree: one of them was altered");
            self.find(Verdict::Altered, format!("entry {seq}"), text);
        } else {
            let text = format!("its hash {nth} does not agree with the entries below");
            self.find(Verdict::Altered, place, text);
        }
        Ok(())
    }

    fn compare_root(&mut self, level: u8, number: u64, computed: Digest) -> Result<()> {
        let kept = self.log.kept_root(level, number)?;
        if kept.is_some_and(|kept| kept != computed) {
            let place = super::bundle::tile_path(level, number, TILE_WIDTH);
            let text = "the root that is kept of it is not the root of its hashes";
            self.find(Verdict::Altered, place, text);
        }
        Ok(())
    }

    /// All entries that the checkpoint is over were read.
    fn at_checkpoint(&mut self) -> Result<()> {
        for level in 0..LEVELS_MAX {
            let partial = self.tiles[usize::from(level)].clone();
            let number = self.index >> (8 * (u32::from(level) + 1));
            let hashes = partial.len() as u64 / 32;
            if hashes > 0 && self.log.keeps_partial() {
                self.compare_tile(level, number, &partial)?;
            }
        }
        let root = self.edge.root();
        if self.signed.as_ref().is_some_and(|s| s.root != root) {
            let size = self.index;
            let last = self.log.first_seq() + size - 1;
            let from = self.log.first_seq() + size - size % TILE_WIDTH;
            let text = if self.findings.is_empty() {
                format!(
                    "the checkpoint over {size} entries does not fit: it was altered, or an entry from {from} to {last} and \
                     its hash were"
                )
            } else {
                format!("the checkpoint over {size} entries does not fit what is there")
            };
            self.find(Verdict::Altered, "checkpoint", text);
        }
        Ok(())
    }

    /// As many entries as the anchor is over were read just now.
    fn compare(&mut self, anchor: &Anchor) {
        let size = anchor.checkpoint.size;
        if size == self.index && anchor.checkpoint.root == self.edge.root() {
            return;
        }
        if size == 0 {
            return;
        }
        let text = format!(
            "{} was signed over {size} entries with another content: what came before was rewritten",
            anchor.name
        );
        let verdict = if self.findings.is_empty() {
            Verdict::Forked
        } else {
            Verdict::Altered
        };
        let last = self.log.first_seq() + size - 1;
        self.find(verdict, format!("entries up to {last}"), text);
    }

    fn beyond(&mut self, anchor: &Anchor) {
        // The beginning of an epoch that nothing came before has nothing to say.
        if self.findings.len() >= FINDINGS_MAX || anchor.checkpoint.size <= self.index {
            return;
        }
        let text = format!(
            "{} was signed over {} entries and there are {}",
            anchor.name, anchor.checkpoint.size, self.index
        );
        let place = format!("after entry {}", self.log.first_seq() + self.index - 1);
        self.find(Verdict::RolledBack, place, text);
    }

    fn end(&mut self) {
        let missing = self
            .signed
            .as_ref()
            .filter(|signed| signed.size > self.index && self.findings.len() < FINDINGS_MAX)
            .map(|signed| signed.size);
        if let Some(size) = missing {
            let place = format!("after entry {}", self.log.first_seq() + self.index - 1);
            let text = format!(
                "the checkpoint is over {size} entries and there are {}: the last ones were taken out",
                self.index
            );
            self.find(Verdict::Altered, place, text);
        }
    }
}
