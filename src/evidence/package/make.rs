//! Making a package, in the order that makes it hold together: clips → manifest → signature → entry of the ledger with the
//! manifest's hash → checkpoint → proof → list of contents.
//!
//! No file has its name until all of it is written, and the list is named last: whatever ends this, what is left is nothing,
//! or no package. Where the files go is the [`Shelf`]'s.

use std::io::IoSlice;
use std::path::Path;

use log::warn;

use crate::base::error::{Context, Error, Kind, Result};
use crate::base::hash::Digest;
use crate::base::id::{BoxId, StreamId};
use crate::base::time::{Span, Wall};
use crate::base::zone::Zone;
use crate::catalog::{Reader, SegmentRow};
use crate::decode::Program;
use crate::evidence::clip::Clip;
use crate::evidence::keys::KeyRing;
use crate::evidence::package::manifest::{
    Absent, DisclosurePart, FORMAT, Manifest, NoViewing, StreamPart, VERSION,
};
use crate::evidence::package::media::{self, Taken, Written};
use crate::evidence::package::order;
use crate::evidence::package::proof::{self, PackageProof, SegmentPart};
use crate::evidence::package::shelf::Shelf;
use crate::evidence::package::{
    CONTENTS, CONTENTS_KIND, FILES_MAX, JSON_BYTES_MAX, MANIFEST, MANIFEST_KIND, MANIFEST_SIG,
    PAGE, PAGE_TEXT, PROOF, README, README_TEXT, names,
};
use crate::evidence::proof::EntryProof;
use crate::evidence::proof::SegmentProof;
use crate::evidence::select::{Opened, Selection, Stretch};
use crate::evidence::viewing::{self, Coder, Outcome};
use crate::ledger::checkpoint::{Checkpoint, Signer};
use crate::ledger::note;
use crate::media::access_unit::Codec;
use crate::media::leaf::Salt;
use crate::media::read;

/// What is wanted of one stream.
pub struct Wanted {
    /// Camera and stream.
    pub stream: StreamId,
    /// The camera's name.
    pub name: String,
    /// From when to when.
    pub asked: Span,
    /// What was approved, in whole groups of pictures; none: what was asked for, outward to them.
    pub given: Option<Span>,
    /// True for a copy for viewing: the small stream as it was recorded.
    pub viewing: bool,
    /// True when a copy for viewing is coded anew of what is in H.265.
    pub copied: bool,
    /// What of it is there.
    pub selection: Selection,
    /// What of it is not.
    pub absent: Vec<Absent>,
    /// The rows of its segments. All are closed.
    pub rows: Vec<SegmentRow>,
}

/// What is the same for all of a package.
pub struct About {
    /// The box.
    pub box_id: BoxId,
    /// Its log's epoch.
    pub epoch: u32,
    /// The site's name.
    pub site: String,
    /// The site's zone.
    pub zone: Zone,
    /// SHA-256 of the configuration.
    pub configuration: Digest,
    /// What it is made for.
    pub purpose: String,
    /// The entry that said so.
    pub intent: Option<u64>,
    /// The disclosure that it belongs to.
    pub disclosure: Option<DisclosurePart>,
    /// Now.
    pub made: Wall,
}

/// A package whose clips are written and whose manifest is signed: the ledger can be told.
pub struct Prepared<S: Shelf> {
    shelf: S,
    clips: Vec<Written>,
    taken: Taken,
    manifest: Vec<u8>,
    manifest_sig: String,
    about: About,
    /// SHA-256 of the manifest: what the ledger's entry must have as its fact `manifest`.
    pub digest: Digest,
}

/// What papers beside the package say of it: they are made last, and are outside the manifest.
pub struct Anchor<'a> {
    /// The manifest's bytes, as they were signed.
    pub manifest: &'a [u8],
    /// The ledger's entry with their SHA-256.
    pub entry: u64,
    /// The checkpoint over that entry, as the signed note has it.
    pub note: &'a str,
    /// What that note says.
    pub checkpoint: Checkpoint,
    /// Fingerprint of the key that signed everything.
    pub fingerprint: String,
}

/// Makes files besides, by name: whoever receives the package finds them on its signed list.
pub type Papers<'a> = &'a dyn Fn(&Anchor<'_>) -> Result<Vec<(String, Vec<u8>)>>;

/// No papers.
///
/// # Errors
/// None.
pub fn no_papers(_: &Anchor<'_>) -> Result<Vec<(String, Vec<u8>)>> {
    Ok(Vec::new())
}

/// What codes copies for viewing.
pub struct Copying<'a> {
    /// The program.
    pub program: &'a Program,
    /// What is coded waits, sealed, on this folder's file system.
    pub dir: &'a Path,
    /// Is told before the first how many bytes of footage will be coded.
    pub begins: &'a dyn Fn(u64) -> Result<()>,
    /// Is told of each so many bytes of them, and may end the work.
    pub went_in: &'a dyn Fn(u64) -> Result<()>,
}

/// Writes the clips to `shelf`, then copies for viewing of those that want one, and signs the manifest.
///
/// # Errors
/// `NotFound` when there is nothing to hand out; `Full` when it is more than a package holds; what unsealing says.
pub fn prepare<S: Shelf>(
    mut shelf: S,
    about: About,
    wanted: Vec<Wanted>,
    (keys, signer): (&KeyRing, &Signer),
    copying: Option<&Copying<'_>>,
) -> Result<Prepared<S>> {
    let mut clips: Vec<Written> = Vec::new();
    let mut to_copy = Vec::new();
    let mut taken = Taken::default();
    for part in &wanted {
        // A file that no stick holds is of no use: what is longer goes on in the next.
        let whole = part.selection.stretches.iter().cloned();
        let files = whole.flat_map(|stretch| order::split(stretch, shelf.file_bytes_max()));
        for stretch in files.collect::<Vec<_>>() {
            room_for_one(clips.len())?;
            let is_taken = |name: &str| clips.iter().any(|c| c.media.name == name);
            let of = (&part.stream, part.viewing);
            let name = names::clip(of, stretch.span().start, about.zone, is_taken);
            let to = (&mut shelf, name);
            let written = media::write(&stretch, of, keys, to, &mut taken)?;
            if part.copied && written.media.codec == Codec::H265 {
                to_copy.push((clips.len(), stretch));
            }
            clips.push(written);
        }
    }
    if clips.is_empty() {
        return Err(Error::new(Kind::NotFound, "nothing of it is recorded"));
    }
    if let Some(copying) = copying.filter(|_| !to_copy.is_empty()) {
        copies(&mut shelf, copying, (&mut clips, to_copy), keys)?;
    }
    let manifest = manifest(&about, &wanted, &clips)?.bytes()?;
    let digest = Digest::sha256(&[&manifest]);
    let lines = format!("{digest} {}\n", manifest.len());
    let manifest_sig = note::sign(signer, (about.box_id, about.epoch), MANIFEST_KIND, &lines)?;
    Ok(Prepared {
        shelf,
        clips,
        taken,
        manifest,
        manifest_sig,
        about,
        digest,
    })
}

fn room_for_one(files: usize) -> Result<()> {
    if files >= FILES_MAX {
        let text = format!("a package has at most {FILES_MAX} clips; ask for less at once");
        return Err(Error::new(Kind::Full, text));
    }
    Ok(())
}

/// Has copies for viewing coded of some of the clips, each of which has its copies right behind it then. Where none can be made, the
/// clip says why: the original is what was approved, and goes out without it.
fn copies<S: Shelf>(
    shelf: &mut S,
    copying: &Copying<'_>,
    (clips, to_copy): (&mut Vec<Written>, Vec<(usize, Stretch)>),
    keys: &KeyRing,
) -> Result<()> {
    let pieces = to_copy.iter().flat_map(|(_, stretch)| &stretch.pieces);
    (copying.begins)(pieces.map(|piece| u64::from(piece.index.bytes)).sum())?;
    let coder = Coder {
        program: copying.program,
        dir: copying.dir,
        bytes_max: shelf.file_bytes_max(),
        went_in: copying.went_in,
    };
    // From the last to the first, so that places of those before stay as they are.
    for (at, stretch) in to_copy.into_iter().rev() {
        let Some(original) = clips.get_mut(at).map(|clip| &mut clip.media) else {
            continue;
        };
        let made = match viewing::code(&stretch, keys, &coder)? {
            Outcome::Copied(made) => made,
            Outcome::NoCoder(e) => {
                warn!("no viewing copy of {}: {e}", original.name);
                original.no_viewing = Some(NoViewing::NoCoder);
                continue;
            }
            Outcome::NotCoded(e) => {
                warn!("no viewing copy of {}: {e}", original.name);
                original.no_viewing = Some(NoViewing::NotCoded);
                continue;
            }
        };
        let original = original.clone();
        for (copy, place) in made.into_iter().zip(at + 1..) {
            room_for_one(clips.len())?;
            let is_taken = |name: &str| clips.iter().any(|c| c.media.name == name);
            let name = names::copy(&original.name, is_taken);
            let written = media::write_copy(copy, &original, (&mut *shelf, name))?;
            clips.insert(place, written);
        }
    }
    Ok(())
}

fn manifest(about: &About, wanted: &[Wanted], clips: &[Written]) -> Result<Manifest> {
    let of_segment = |row: &SegmentRow| -> Result<serde_json::Value> {
        let line = row.record(about.box_id).line()?;
        serde_json::from_str(&line)
            .map_err(|e| Error::new(Kind::Internal, format!("a record is no JSON: {e}")))
    };
    let mut streams = Vec::with_capacity(wanted.len());
    for part in wanted {
        let used = |row: &&SegmentRow| {
            let mut of_clips = clips.iter().flat_map(|c| &c.media.segments);
            of_clips.any(|id| *id == row.segment)
        };
        streams.push(StreamPart {
            stream: part.stream.to_string(),
            name: part.name.clone(),
            asked: part.asked,
            given: part.given,
            absent: part.absent.clone(),
            // Paths of the box are nobody's business; the segment's file name tells which it is.
            damaged: part
                .selection
                .damaged
                .iter()
                .map(|d| file_name(d))
                .collect(),
            segments: part
                .rows
                .iter()
                .filter(used)
                .map(of_segment)
                .collect::<Result<_>>()?,
        });
    }
    Ok(Manifest {
        format: FORMAT.to_owned(),
        v: VERSION,
        box_id: about.box_id,
        site: about.site.clone(),
        zone: about.zone.name().to_owned(),
        made: about.made,
        software: format!("sinetti {}", env!("CARGO_PKG_VERSION")),
        configuration: about.configuration,
        purpose: about.purpose.clone(),
        intent: about.intent,
        disclosure: about.disclosure.clone(),
        streams,
        files: clips.iter().map(|c| c.media.clone()).collect(),
    })
}

fn file_name(damaged: &str) -> String {
    damaged.rsplit('/').next().unwrap_or_default().to_owned()
}

impl<S: Shelf> Prepared<S> {
    /// Its manifest, as it was signed.
    pub fn manifest(&self) -> &[u8] {
        &self.manifest
    }

    /// Its clips, without copies that were coded anew.
    pub fn clips(&self) -> Vec<Clip> {
        let recorded = self.clips.iter().filter_map(|c| c.recorded.as_ref());
        recorded.map(|(_, clip)| clip.clone()).collect()
    }

    /// Finishes it, after the entry `act` is in the ledger: proof, page, papers, list. The shelf has everything then.
    ///
    /// # Errors
    /// `NotFound` while no checkpoint is over the entry, or no seal over a segment; what the shelf says.
    pub fn finish(
        mut self,
        reader: &Reader,
        act: u64,
        (keys, signer): (&KeyRing, &Signer),
        papers: Papers<'_>,
    ) -> Result<S> {
        let proof = self.proof(reader, act, keys)?;
        let (_, checkpoint) = proof.act.verify(signer.key())?;
        let papers = papers(&Anchor {
            manifest: &self.manifest,
            entry: act,
            note: &proof.act.checkpoint,
            checkpoint,
            fingerprint: signer.key().fingerprint(),
        })?;
        let proof = serde_json::to_vec(&proof)
            .map_err(|e| Error::new(Kind::Internal, format!("writing a proof: {e}")))?;
        if proof.len() as u64 > JSON_BYTES_MAX {
            let text = "the proof would be larger than a browser reads; ask for less at once";
            return Err(Error::new(Kind::Full, text));
        }
        let mut texts: Vec<(&str, &[u8])> = vec![
            (MANIFEST, &self.manifest),
            (MANIFEST_SIG, self.manifest_sig.as_bytes()),
            (PROOF, &proof),
            (PAGE, PAGE_TEXT.as_bytes()),
            (README, README_TEXT.as_bytes()),
        ];
        for (name, bytes) in &papers {
            let taken = texts.iter().any(|(other, _)| other == name);
            if taken || !names::is_plain(name) {
                let text = format!("a package cannot hold a file {name:?} besides");
                return Err(Error::new(Kind::Internal, text));
            }
            texts.push((name, bytes));
        }
        let mut lines: Vec<_> = texts
            .iter()
            .map(|(name, bytes)| format!("{} {} {name}\n", Digest::sha256(&[bytes]), bytes.len()))
            .collect();
        lines.sort_by(|a, b| name_of(a).cmp(name_of(b)));
        let id = (self.about.box_id, self.about.epoch);
        let contents = note::sign(signer, id, CONTENTS_KIND, &lines.concat())?;
        // The list comes last: without it there is no package.
        texts.push((CONTENTS, contents.as_bytes()));
        for (name, bytes) in texts {
            self.shelf.begin(name, bytes.len() as u64)?;
            self.shelf.append(&mut [IoSlice::new(bytes)])?;
            self.shelf.end()?;
        }
        Ok(self.shelf)
    }

    fn proof(&self, reader: &Reader, act: u64, keys: &KeyRing) -> Result<PackageProof> {
        let mut seals: Vec<EntryProof> = Vec::new();
        let mut segments = Vec::with_capacity(self.taken.segments.len());
        for opened in &self.taken.segments {
            segments.push(self.segment(reader, opened, keys, &mut seals)?);
        }
        Ok(PackageProof {
            v: proof::VERSION,
            act: EntryProof::make(reader, act)?,
            seals,
            segments,
            files: {
                let recorded = self.clips.iter().filter_map(|c| c.recorded.as_ref());
                recorded.map(|(part, _)| part.clone()).collect()
            },
        })
    }

    fn segment(
        &self,
        reader: &Reader,
        opened: &Opened,
        keys: &KeyRing,
        seals: &mut Vec<EntryProof>,
    ) -> Result<SegmentPart> {
        let header = &opened.initial.header;
        let what = || format!("proving segment {}", header.segment);
        let row = reader
            .segment_by_uuid(header.segment)?
            .ok_or_else(|| Error::new(Kind::NotFound, "it is not closed yet").attempted(what()))?;
        let path = SegmentProof::make(reader, self.about.box_id, &row)?;
        let there = seals.iter().position(|seal| seal.entry == path.seal.entry);
        let seal = there.unwrap_or_else(|| {
            seals.push(path.seal.clone());
            seals.len() - 1
        });
        let key = keys.segment_key(&opened.source.volume, header)?;
        let scan = read::scan(&*opened.file()?, &opened.initial, false).context(what)?;
        let siblings = path.path.iter().map(|text| Digest::from_hex(text));
        Ok(SegmentPart {
            record: path.segment,
            seal,
            place: path.place,
            path: siblings
                .collect::<Option<_>>()
                .ok_or_else(|| Error::new(Kind::Internal, "a path that is none"))?,
            run_media_start: header.run_media_start.0,
            entry: opened.initial.entry.hash(),
            salt: Salt::derive(&key).disclosed(),
            leaves: scan.fragments.iter().map(|f| f.leaf).collect(),
        })
    }
}

fn name_of(line: &str) -> &str {
    line.trim_end().rsplit(' ').next().unwrap_or_default()
}
