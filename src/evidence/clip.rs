//! A stretch as a progressive MP4 that plays anywhere: `moov` first, untouched access units, nothing re-encoded.
//!
//! Two passes: sample tables first, then each fragment is read, unsealed, compared with its leaf hash, and only then
//! written. Memory holds the tables and one fragment, whatever the length.

use std::io::IoSlice;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::aside::Aside;
use crate::base::disk::{self, DiskFile, Unnamed};
use crate::base::error::{Context, Error, Kind, Result};
use crate::base::hash::Digest;
use crate::base::id::SegmentId;
use crate::base::time::{Span, Ticks};
use crate::evidence::keys::KeyRing;
use crate::evidence::select::{Piece, Stretch};
use crate::media::access_unit::Codec;
use crate::media::clip::{ClipBuilder, ClipSample};
use crate::media::read;
use crate::media::segment::Sample;
use crate::store::file::SegmentFile;

/// Mode of clips: they are clear pictures of people.
const CLIP_MODE: u32 = disk::SECRET_MODE;

/// A clip that was written.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Clip {
    /// Its file.
    pub path: PathBuf,
    /// From its first picture to the end of its last one.
    pub span: Span,
    /// Pictures in it.
    pub pictures: usize,
    /// Pictures at its beginning that need pictures before it (open GOP) and are not shown.
    pub undecodable_leading: usize,
    /// Bytes of the file.
    pub bytes: u64,
    /// SHA-256 of the file, in hex.
    pub sha256: String,
    /// The codec.
    pub codec: Codec,
    /// Picture size in pixels.
    pub size: (u16, u16),
    /// The segments that it was taken from.
    pub source_segments: Vec<SegmentId>,
}

/// Writes `stretch` to `path`, which must not exist. Nothing is left there when it fails.
///
/// # Errors
/// [`Kind::Exists`]; what [`KeyRing::segment_key`] says; [`Kind::Denied`] when a leaf hash does not match what was
/// unsealed; [`Kind::Corrupt`] for bit rot; what the operating system says.
pub fn write(stretch: &Stretch, keys: &KeyRing, path: &Path) -> Result<Clip> {
    let what = || format!("writing {}", path.display());
    if path.exists() {
        let text = "it exists already; give another name";
        return Err(Error::new(Kind::Exists, text).attempted(what()));
    }
    let (file, clip) = write_unnamed(stretch, keys, path, &mut ())?;
    file.name(path).context(what)?;
    Ok(clip)
}

/// Sees a clip as it is written.
pub trait Watch {
    /// Everything before the first sample.
    fn head(&mut self, bytes: &[u8]);
    /// A fragment's samples, which follow on one another.
    fn fragment(&mut self, piece: &Piece, samples: &[Sample]);
}

/// Where a clip goes.
pub trait Out {
    /// So many bytes come.
    ///
    /// # Errors
    /// When there is no room for them.
    fn begin(&mut self, bytes: u64) -> Result<()>;
    /// The next of them.
    ///
    /// # Errors
    /// When they cannot be written.
    fn append(&mut self, slices: &mut [IoSlice<'_>]) -> Result<()>;
}

impl Out for DiskFile {
    fn begin(&mut self, _: u64) -> Result<()> {
        Ok(())
    }

    fn append(&mut self, slices: &mut [IoSlice<'_>]) -> Result<()> {
        Self::append(self, slices)
    }
}

/// Nobody looks.
impl Watch for () {
    fn head(&mut self, _: &[u8]) {}
    fn fragment(&mut self, _: &Piece, _: &[Sample]) {}
}

/// Writes `stretch` to a file that will be `path`, under the eyes of `watch`.
/// Without a name until it is whole: whatever ends this process, no clear picture is left behind.
///
/// # Errors
/// As [`write`].
pub fn write_unnamed(
    stretch: &Stretch,
    keys: &KeyRing,
    path: &Path,
    watch: &mut impl Watch,
) -> Result<(Unnamed, Clip)> {
    let what = || format!("writing {}", path.display());
    let dir = path.parent().filter(|p| !p.as_os_str().is_empty());
    let mut file = Unnamed::create(dir.unwrap_or(Path::new(".")), CLIP_MODE).context(what)?;
    let clip = write_into(stretch, keys, file.file(), path, watch).context(what)?;
    file.file().sync().context(what)?;
    Ok((file, clip))
}

/// Writes `stretch` to `out`, under the eyes of `watch`; `path` is what it is called.
///
/// # Errors
/// As [`write`].
pub fn write_into(
    stretch: &Stretch,
    keys: &KeyRing,
    out: &mut impl Out,
    path: &Path,
    watch: &mut impl Watch,
) -> Result<Clip> {
    let Some(first) = stretch.pieces.first() else {
        return Err(Error::invalid("a stretch without fragments"));
    };
    let Tables {
        builder,
        undecodable_leading,
        shown_after,
    } = tables(stretch)?;
    let span = stretch.span();
    let span = Span {
        start: span.start.plus_ticks(shown_after),
        ..span
    };
    let entry = &first.source.initial.entry;
    let hash = ring::digest::Context::new(&ring::digest::SHA256);
    let mut hash = Aside::start(hash, ring::digest::Context::update)?;
    let head = builder.head(entry, span.start)?;
    hash.add(&head);
    watch.head(&head);
    let bytes = head.len() as u64 + builder.payload_bytes();
    out.begin(bytes)?;
    out.append(&mut [IoSlice::new(&head)])?;
    let mut segments = Vec::new();
    for pieces in by_segment(stretch) {
        let Some(source) = pieces.first().map(|p| &p.source) else {
            continue;
        };
        let header = &source.initial.header;
        let key = keys.segment_key(&source.source.volume, header)?;
        segments.push(header.segment);
        let segment = source.file()?;
        for piece in pieces {
            let raw = read::read_fragment(&*segment, &source.initial, piece.number, &piece.index)?;
            let samples = raw.open(&key)?;
            let mut slices: Vec<_> = samples.iter().map(|s| IoSlice::new(&s.data)).collect();
            samples.iter().for_each(|s| hash.add(&s.data));
            watch.fragment(piece, &samples);
            out.append(&mut slices)?;
        }
    }
    Ok(Clip {
        path: path.to_owned(),
        span,
        pictures: builder.samples(),
        undecodable_leading,
        bytes,
        sha256: Digest::from_ring(&hash.finish()?.finish()).to_string(),
        codec: entry.codec,
        size: (entry.width, entry.height),
        source_segments: segments,
    })
}

/// The pieces of each segment, in order.
fn by_segment(stretch: &Stretch) -> impl Iterator<Item = &[Piece]> {
    stretch
        .pieces
        .chunk_by(|a, b| Arc::ptr_eq(&a.source, &b.source))
}

/// What the first pass finds.
struct Tables {
    builder: ClipBuilder,
    /// Leading pictures at the beginning that cannot be decoded.
    undecodable_leading: usize,
    /// How long after its decode time the first key frame is shown.
    shown_after: Ticks,
}

fn tables(stretch: &Stretch) -> Result<Tables> {
    let mut builder = ClipBuilder::new();
    let mut next: Option<Ticks> = None;
    let (mut first_pts, mut leading, mut at_start, mut shown_after) = (None, 0, true, None);
    for (piece, file) in with_files(stretch) {
        let source = &piece.source;
        let (first_dts, rows) =
            read::read_rows(&*file?, &source.initial, piece.number, &piece.index)?;
        // Times of one run meet; what rounding left is closed here.
        let mut dts = next.unwrap_or(first_dts);
        for row in rows {
            let pts = dts + Ticks(i64::from(row.offset));
            let key_pts = *first_pts.get_or_insert(pts);
            shown_after.get_or_insert(pts - dts);
            at_start &= builder.samples() == 0 || !row.is_key;
            leading += usize::from(at_start && pts < key_pts);
            let duration = Ticks(i64::from(row.duration));
            builder.add(&ClipSample {
                bytes: row.bytes,
                dts,
                pts,
                duration,
                is_key: row.is_key,
            })?;
            dts = dts + duration;
        }
        next = Some(dts);
    }
    Ok(Tables {
        builder,
        undecodable_leading: leading,
        shown_after: shown_after.unwrap_or_default(),
    })
}

/// Each piece with its segment's file, of which one is open at a time.
fn with_files(stretch: &Stretch) -> impl Iterator<Item = (&Piece, Result<Arc<SegmentFile>>)> {
    by_segment(stretch).flat_map(|pieces| {
        let opened = pieces.first().map(|p| p.source.file());
        let mut opened = opened.unwrap_or_else(|| Err(Error::invalid("no piece")));
        pieces.iter().map(move |piece| {
            let file = match &opened {
                Ok(file) => Ok(Arc::clone(file)),
                Err(_) => {
                    let again = Err(Error::new(Kind::Io, "its segment cannot be opened"));
                    std::mem::replace(&mut opened, again)
                }
            };
            (piece, file)
        })
    })
}
