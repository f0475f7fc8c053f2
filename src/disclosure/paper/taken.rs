//! What a package says of itself, on its handover document: clips, gaps, losses, clocks. The manifest is what was signed, so the
//! document says the same.

use serde_json::Value;

use crate::base::error::{Error, Kind, Result};
use crate::base::hash::Digest;
use crate::disclosure::paper::handover::{Absent, Camera, Clock, File, HandoverDocument, Losses};
use crate::evidence::package::manifest::{Manifest, StreamPart};
use crate::ledger::checkpoint::{Checkpoint, Key};

/// The stream that is handed out.
const MAIN: &str = "main";

impl HandoverDocument {
    /// Takes over what the manifest says, `manifest` being its bytes as they were signed.
    ///
    /// # Errors
    /// `Corrupt` for what is no manifest; `Foreign` for one of another version.
    pub fn take(&mut self, manifest: &[u8]) -> Result<()> {
        let digest = Digest::sha256(&[manifest]);
        let manifest = Manifest::parse(manifest)?;
        self.files = manifest
            .files
            .iter()
            .map(|file| File {
                name: file.name.clone(),
                span: Some(file.span),
                bytes: file.bytes,
                sha256: file.sha256,
                note: file.note(),
            })
            .collect();
        for part in &manifest.streams {
            let (camera, stream) = part.stream.split_once('/').unwrap_or((&part.stream, MAIN));
            if stream != MAIN {
                continue;
            }
            let there = self.cameras.iter_mut().find(|known| known.id == camera);
            let known = match there {
                Some(known) => known,
                None => {
                    self.cameras.push(bare(camera, part));
                    let last = self.cameras.last_mut();
                    last.ok_or_else(|| Error::new(Kind::Internal, "a camera that was just put"))?
                }
            };
            known.absent = absent(part);
            known.losses = Some(losses(part));
            known.clock = clock(part);
        }
        let of = manifest.disclosure.as_ref();
        self.delivery.encrypted = of.map(|of| of.encrypted);
        self.proof.manifest = Some(digest);
        Ok(())
    }

    /// Takes over where in the ledger it stands: the entry, and the signed checkpoint over it.
    ///
    /// # Errors
    /// `Corrupt`, `Denied` when the note is none of this key.
    pub fn anchor(&mut self, entry: u64, note: &str, key: Key) -> Result<()> {
        let checkpoint = Checkpoint::open(note, key)?;
        self.proof.key = key;
        self.proof.entry = Some(entry);
        self.proof.checkpoint = Some((note.to_owned(), checkpoint));
        Ok(())
    }
}

fn bare(id: &str, part: &StreamPart) -> Camera {
    Camera {
        id: id.to_owned(),
        name: part.name.clone(),
        area: None,
        asked: part.asked,
        given: None,
        absent: Vec::new(),
        losses: None,
        clock: None,
    }
}

fn absent(part: &StreamPart) -> Vec<Absent> {
    let why = |what: &str, why: &str| match what {
        "gap" => why.to_owned(),
        other => format!("{other} {why}"),
    };
    part.absent
        .iter()
        .map(|absent| Absent {
            span: absent.span,
            why: why(&absent.what, &absent.why),
        })
        .collect()
}

fn losses(part: &StreamPart) -> Losses {
    let sum = |name: &str| {
        let numbers = part.segments.iter().filter_map(|s| s[name].as_u64());
        numbers.fold(0, u64::saturating_add)
    };
    Losses {
        packets_lost: sum("packets_lost"),
        corrupt_units: sum("corrupt_units"),
        discontinuities: sum("discontinuities"),
        damaged: part.damaged.len() as u64,
    }
}

/// `None` when nothing was taken.
fn clock(part: &StreamPart) -> Option<Clock> {
    let is = |segment: &Value, name: &str| segment[name].as_bool() == Some(true);
    let segments = &part.segments;
    let offsets = segments.iter().map(|s| s["camera_offset_ms"].as_i64());
    // One segment without an offset says nothing about the others.
    let known: Vec<i64> = offsets.flatten().collect();
    let errors = segments.iter().filter_map(|s| s["host_error_us"].as_i64());
    Some(Clock {
        synchronised: segments.iter().all(|s| is(s, "host_synchronised")),
        error_us_max: errors.max()?,
        camera_offset_ms: known.iter().copied().min().zip(known.iter().copied().max()),
        uncertain: segments.iter().any(|s| is(s, "time_uncertain")),
    })
}
