//! Which fragments a span of time takes: it snaps outward to key frames, and never reaches into another GOP.
//!
//! A gap, or a change of parameters, begins a new stretch: within a stretch media time runs without a hole.

use std::path::PathBuf;
use std::sync::Arc;

use crate::base::error::{Context, Result};
use crate::base::hash::Digest;
use crate::base::time::{Span, Ticks, Wall};
use crate::media::header::{FragmentIndex, content_root};
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
    /// How much of it must be there.
    pub extent: Extent,
}

/// How much of a segment must be there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Extent {
    /// All of it: the catalog names its content root.
    Whole(Digest),
    /// It is being written; so many bytes are durable.
    Growing(u64),
    /// What there is: nothing is known of it but its file.
    Found,
}

/// A source whose beginning was read. Its file is not kept open: a long export has many.
#[derive(Debug)]
pub struct Opened {
    /// Where it came from.
    pub source: Source,
    /// Its header and sample entry.
    pub initial: Initial,
    /// Of one that is being written: it is renamed when it is closed.
    kept: Option<Arc<SegmentFile>>,
}

impl Opened {
    /// Its file.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn file(&self) -> Result<Arc<SegmentFile>> {
        self.kept
            .clone()
            .map_or_else(|| self.source.file().map(Arc::new), Ok)
    }
}

impl Source {
    fn file(&self) -> Result<SegmentFile> {
        let file = SegmentFile::open(&self.path)?;
        Ok(match self.extent {
            Extent::Growing(bytes) => file.up_to(bytes),
            Extent::Whole(_) | Extent::Found => file,
        })
    }
}

/// What a span takes.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// In order of time.
    pub stretches: Vec<Stretch>,
    /// Segments that are not whole any more, and why; what is left of them is taken.
    pub damaged: Vec<String>,
}

/// One fragment of a selection.
#[derive(Clone, Debug)]
pub struct Piece {
    /// The segment.
    pub source: Arc<Opened>,
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
pub fn select(sources: Vec<Source>, span: Span) -> Result<Selection> {
    let mut selection = Selection::default();
    for source in sources {
        for piece in pieces(source, span, &mut selection.damaged)? {
            let stretches = &mut selection.stretches;
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
    Ok(selection)
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
fn pieces(source: Source, span: Span, damaged: &mut Vec<String>) -> Result<Vec<Piece>> {
    let what = || format!("reading segment {}", source.path.display());
    let file = source.file()?;
    let initial = read::read_initial(&file).context(what)?;
    let fragments = fragments(&source, &file, &initial, damaged).context(what)?;
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
    let is_growing = matches!(source.extent, Extent::Growing(_));
    let source = Arc::new(Opened {
        source,
        initial,
        kept: is_growing.then(|| Arc::new(file)),
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

/// The fragments that are there. A closed segment must have those that its content root stands for; else it is named in
/// `damaged`, since a shorter clip must not pass for the whole.
fn fragments(
    source: &Source,
    file: &SegmentFile,
    initial: &Initial,
    damaged: &mut Vec<String>,
) -> Result<Vec<FragmentIndex>> {
    let scan = read::scan(file, initial, false)?;
    if let Extent::Whole(root) = source.extent {
        let found = content_root(&initial.header, &scan.fragments);
        if found != root {
            let why = scan.damage.unwrap_or_else(|| "it was changed".to_owned());
            damaged.push(format!("{}: {why}", source.path.display()));
        }
    }
    Ok(scan.fragments)
}
