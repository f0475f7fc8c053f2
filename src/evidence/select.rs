//! Which fragments a span of time takes: it snaps outward to key frames, and never reaches into another GOP.
//!
//! A gap, or a change of parameters, begins a new stretch: within a stretch media time runs without a hole.

use std::path::PathBuf;
use std::sync::Arc;

use crate::base::error::{Context, Result};
use crate::base::hash::Digest;
use crate::base::time::{Span, Ticks, Wall};
use crate::media::header::FragmentIndex;
use crate::media::read::{self, Initial};
use crate::store::file::SegmentFile;
use crate::store::volume::Volume;

/// Media times of one run that should meet may differ by this much.
const SEAM: Ticks = Ticks(90);

/// A segment to select from.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its file.
    pub path: PathBuf,
    /// The volume that holds it, with its key.
    pub volume: Volume,
    /// Only so many bytes are known to be whole; `None` for a closed segment.
    pub durable_bytes: Option<u64>,
}

/// An open source.
#[derive(Debug)]
pub struct OpenSource {
    /// Where it came from.
    pub source: Source,
    /// Its file.
    pub file: SegmentFile,
    /// Its header and sample entry.
    pub initial: Initial,
}

/// One fragment of a selection.
#[derive(Clone, Debug)]
pub struct Piece {
    /// The segment.
    pub source: Arc<OpenSource>,
    /// The fragment's number in it.
    pub number: u32,
    /// What the segment's index says of it.
    pub index: FragmentIndex,
}

impl Piece {
    /// Media time of its first sample in the run.
    pub fn dts(&self) -> Ticks {
        self.source.initial.header.dts(self.index.tfdt)
    }

    /// Time of day of its first sample.
    pub fn start(&self) -> Wall {
        self.source.initial.header.wall(self.index.tfdt)
    }

    /// Time of day at which it ends.
    pub fn end(&self) -> Wall {
        self.start().plus_ticks(self.index.duration)
    }
}

/// Fragments without a hole between them, under one set of parameters.
#[derive(Clone, Debug)]
pub struct Stretch {
    /// In order; the first begins with a key frame.
    pub pieces: Vec<Piece>,
}

impl Stretch {
    /// From the first decode time to the end of the last sample.
    pub fn span(&self) -> Span {
        let start = self.pieces.first().map_or(Wall::default(), Piece::start);
        Span {
            start,
            end: self.pieces.last().map_or(start, Piece::end),
        }
    }

    /// SHA-256 of its sample entry.
    pub fn entry_hash(&self) -> Digest {
        self.pieces
            .first()
            .map_or(Digest::ZERO, |p| p.source.initial.entry.hash())
    }
}

/// Selects what `span` takes from `sources`, which are of one stream and in order of time.
///
/// # Errors
/// When a file is missing, cannot be read, or is no segment.
pub fn select(sources: Vec<Source>, span: Span) -> Result<Vec<Stretch>> {
    let mut stretches: Vec<Stretch> = Vec::new();
    for source in sources {
        for piece in pieces(source, span)? {
            match stretches.last_mut() {
                Some(stretch) if follows(stretch, &piece) => stretch.pieces.push(piece),
                // A stretch begins where decoding can begin.
                _ if piece.index.starts_with_key => stretches.push(Stretch {
                    pieces: vec![piece],
                }),
                _ => {}
            }
        }
    }
    Ok(stretches)
}

fn follows(stretch: &Stretch, piece: &Piece) -> bool {
    stretch.pieces.last().is_some_and(|last| {
        let apart = piece.dts() - (last.dts() + last.index.duration);
        last.source.initial.header.run == piece.source.initial.header.run
            && apart.0.abs() <= SEAM.0
            && stretch.entry_hash() == piece.source.initial.entry.hash()
    })
}

/// The last fragment that begins with a key frame shown at `from` or before. In an open GOP the key frame is shown after
/// pictures that follow it and cannot be decoded from it: those belong to the GOP before.
fn first_fragment(
    file: &SegmentFile,
    initial: &Initial,
    fragments: &[FragmentIndex],
    from: Wall,
) -> Result<usize> {
    for (i, fragment) in fragments.iter().enumerate().rev() {
        if fragment.starts_with_key && initial.header.wall(fragment.tfdt) <= from {
            let number = u32::try_from(i).unwrap_or(u32::MAX);
            let (_, rows) = read::read_rows(file, initial, number, fragment)?;
            let shown_after = rows.first().map_or(0, |row| i64::from(row.offset));
            if initial
                .header
                .wall(fragment.tfdt)
                .plus_ticks(Ticks(shown_after))
                <= from
            {
                return Ok(i);
            }
        }
    }
    Ok(0)
}

/// The fragments of one segment that `span` takes.
fn pieces(source: Source, span: Span) -> Result<Vec<Piece>> {
    let what = || format!("reading segment {}", source.path.display());
    let file = SegmentFile::open(&source.path)?;
    let file = match source.durable_bytes {
        Some(bytes) => file.up_to(bytes),
        None => file,
    };
    let initial = read::read_initial(&file).context(what)?;
    let fragments = match read::trailer_from_end(&file) {
        Ok(Some(trailer)) => trailer.fragments,
        // Still being written, or a damaged end: what is whole can be used.
        _ => read::scan(&file, &initial, false).context(what)?.fragments,
    };
    let wall = |f: &FragmentIndex| initial.header.wall(f.tfdt);
    let first = first_fragment(&file, &initial, &fragments, span.start)?;
    let last = fragments
        .iter()
        .position(|f| f.starts_with_key && wall(f) >= span.end)
        .unwrap_or(fragments.len());
    let ends_before = fragments
        .last()
        .is_none_or(|f| wall(f).plus_ticks(f.duration) <= span.start);
    if ends_before || first >= last {
        return Ok(Vec::new());
    }
    let source = Arc::new(OpenSource {
        source,
        file,
        initial,
    });
    Ok((0..)
        .zip(fragments)
        .skip(first)
        .take(last - first)
        .map(|(number, index)| Piece {
            source: Arc::clone(&source),
            number,
            index,
        })
        .collect())
}
