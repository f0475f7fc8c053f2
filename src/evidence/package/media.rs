//! The clips of a package: written once, hashed in pieces on the way, and every fragment's table kept for the proof.

use std::io::IoSlice;
use std::path::Path;
use std::sync::Arc;

use crate::base::aside::Aside;
use crate::base::error::{Error, Kind, Result};
use crate::base::hash::Digest;
use crate::base::id::{SegmentId, StreamId};
use crate::evidence::clip::{self, Clip, Out, Watch};
use crate::evidence::keys::KeyRing;
use crate::evidence::package::CHUNK_BYTES;
use crate::evidence::package::manifest::MediaFile;
use crate::evidence::package::proof::{FilePart, FragmentPart};
use crate::evidence::package::shelf::Shelf;
use crate::evidence::select::{Opened, Piece, Stretch};
use crate::evidence::viewing::Copy;
use crate::media::access_unit::Codec;
use crate::media::segment::Sample;

/// A file that was written.
pub(super) struct Written {
    pub(super) media: MediaFile,
    /// What ties it to the ledger, and what it is; none of a copy that was coded anew.
    pub(super) recorded: Option<(FilePart, Clip)>,
}

/// Segments of which something was taken, each once, in order.
#[derive(Default)]
pub(super) struct Taken {
    pub(super) segments: Vec<Arc<Opened>>,
}

impl Taken {
    /// The place of a segment; it is added when it is new. Those of one stream come one after the other.
    fn place(&mut self, source: &Arc<Opened>) -> usize {
        let id = |opened: &Opened| -> SegmentId { opened.initial.header.segment };
        let there = self.segments.iter().rposition(|s| id(s) == id(source));
        there.unwrap_or_else(|| {
            self.segments.push(source.clone());
            self.segments.len() - 1
        })
    }
}

/// A clip on its way to a shelf.
struct OnShelf<'a, S: Shelf> {
    shelf: &'a mut S,
    name: &'a str,
}

impl<S: Shelf> Out for OnShelf<'_, S> {
    fn begin(&mut self, bytes: u64) -> Result<()> {
        self.shelf.begin(self.name, bytes)
    }

    fn append(&mut self, slices: &mut [IoSlice<'_>]) -> Result<()> {
        self.shelf.append(slices)
    }
}

/// Writes a stretch to a shelf, as the file `name`.
pub(super) fn write<S: Shelf>(
    stretch: &Stretch,
    (stream, viewing): (&StreamId, bool),
    keys: &KeyRing,
    (shelf, name): (&mut S, String),
    taken: &mut Taken,
) -> Result<Written> {
    let entry = stretch
        .pieces
        .first()
        .map(|piece| &piece.source.initial.entry)
        .ok_or_else(|| Error::invalid("a stretch without fragments"))?;
    let mut packing = Packing {
        entry: &entry.entry,
        entry_at: None,
        samples_at: 0,
        chunks: Aside::start(Chunks::default(), Chunks::add)?,
        fragments: Vec::with_capacity(stretch.pieces.len()),
        taken,
    };
    let mut out = OnShelf {
        shelf: &mut *shelf,
        name: &name,
    };
    let clip = clip::write_into(stretch, keys, &mut out, Path::new(&name), &mut packing)?;
    shelf.end()?;
    let wrong = |text: &str| Error::new(Kind::Internal, text.to_owned());
    let sha256 = Digest::from_hex(&clip.sha256).ok_or_else(|| wrong("a clip without its hash"))?;
    let part = FilePart {
        name: name.clone(),
        entry_at: packing
            .entry_at
            .ok_or_else(|| wrong("a clip without its sample entry"))?,
        entry_bytes: entry.entry.len() as u64,
        samples_at: packing.samples_at,
        fragments: packing.fragments,
    };
    Ok(Written {
        media: MediaFile {
            name,
            bytes: clip.bytes,
            sha256,
            chunks: packing.chunks.finish()?.finish(),
            stream: stream.to_string(),
            span: clip.span,
            pictures: clip.pictures,
            undecodable_leading: clip.undecodable_leading,
            codec: clip.codec,
            width: clip.size.0,
            height: clip.size.1,
            segments: clip.source_segments.clone(),
            viewing,
            coded_from: None,
            no_viewing: None,
        },
        recorded: Some((part, clip)),
    })
}

/// Writes a copy that was coded anew from the clip `of` to a shelf, as the file `name`.
pub(super) fn write_copy<S: Shelf>(
    copy: Copy,
    of: &MediaFile,
    (shelf, name): (&mut S, String),
) -> Result<Written> {
    let mut media = MediaFile {
        name,
        bytes: copy.bytes(),
        sha256: Digest::ZERO,
        chunks: Vec::new(),
        span: copy.span,
        pictures: copy.pictures(),
        undecodable_leading: 0,
        codec: Codec::H264,
        width: copy.size.0,
        height: copy.size.1,
        viewing: true,
        coded_from: Some(of.name.clone()),
        no_viewing: None,
        ..of.clone()
    };
    let mut hash = ring::digest::Context::new(&ring::digest::SHA256);
    let mut chunks = Chunks::default();
    let mut out = OnShelf {
        shelf: &mut *shelf,
        name: &media.name,
    };
    copy.write_into(&mut out, |bytes| {
        hash.update(bytes);
        chunks.add(bytes);
    })?;
    shelf.end()?;
    media.sha256 = Digest::from_ring(&hash.finish());
    media.chunks = chunks.finish();
    Ok(Written {
        media,
        recorded: None,
    })
}

/// Takes down what the proof needs while the clip is written.
struct Packing<'a> {
    entry: &'a [u8],
    entry_at: Option<u64>,
    samples_at: u64,
    chunks: Aside<Chunks>,
    fragments: Vec<FragmentPart>,
    taken: &'a mut Taken,
}

impl Watch for Packing<'_> {
    fn head(&mut self, bytes: &[u8]) {
        let mut places = bytes.windows(self.entry.len());
        self.entry_at = places.position(|w| w == self.entry).map(|at| at as u64);
        self.samples_at = bytes.len() as u64;
        self.chunks.add(bytes);
    }

    fn fragment(&mut self, piece: &Piece, samples: &[Sample]) {
        samples.iter().for_each(|s| self.chunks.add(&s.data));
        self.fragments.push(FragmentPart {
            segment: self.taken.place(&piece.source),
            number: piece.number,
            tfdt: piece.index.tfdt.0,
            samples: samples.iter().map(row).collect(),
        });
    }
}

/// As it was read from the segment's own table of 32-bit numbers.
fn row(sample: &Sample) -> (u32, u32, u8, i32) {
    (
        u32::try_from(sample.duration.0).unwrap_or(u32::MAX),
        u32::try_from(sample.data.len()).unwrap_or(u32::MAX),
        u8::from(sample.is_key),
        i32::try_from((sample.pts - sample.dts).0).unwrap_or(i32::MAX),
    )
}

/// Hashes of pieces of [`CHUNK_BYTES`].
pub(super) struct Chunks {
    context: ring::digest::Context,
    filled: u64,
    done: Vec<Digest>,
}

impl Default for Chunks {
    fn default() -> Self {
        Self {
            context: ring::digest::Context::new(&ring::digest::SHA256),
            filled: 0,
            done: Vec::new(),
        }
    }
}

impl Chunks {
    /// Goes on with `bytes`.
    pub(super) fn add(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = usize::try_from(CHUNK_BYTES - self.filled).unwrap_or(usize::MAX);
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.context.update(now);
            self.filled += now.len() as u64;
            bytes = later;
            if self.filled == CHUNK_BYTES {
                self.cut();
            }
        }
    }

    fn cut(&mut self) {
        let fresh = ring::digest::Context::new(&ring::digest::SHA256);
        let full = std::mem::replace(&mut self.context, fresh);
        self.done.push(Digest::from_ring(&full.finish()));
        self.filled = 0;
    }

    /// The hashes, in order; the last piece may be shorter.
    pub(super) fn finish(mut self) -> Vec<Digest> {
        if self.filled > 0 {
            self.cut();
        }
        self.done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_hashed_however_the_bytes_come() {
        let bytes: Vec<u8> = (0..CHUNK_BYTES * 2 + 5).map(|n| (n % 251) as u8).collect();
        let size = usize::try_from(CHUNK_BYTES).expect("small");
        let expected: Vec<_> = bytes.chunks(size).map(|c| Digest::sha256(&[c])).collect();
        for step in [1 << 10, 333_333, size, bytes.len()] {
            let mut chunks = Chunks::default();
            bytes.chunks(step).for_each(|part| chunks.add(part));
            assert_eq!(chunks.finish(), expected, "by {step}");
        }
        let mut whole = Chunks::default();
        whole.add(&bytes[..size]);
        assert_eq!(whole.finish(), expected[..1]);
    }
}
