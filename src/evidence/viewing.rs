//! A viewing copy: footage that was recorded as H.265, coded anew as an H.264 MP4 that plays anywhere. It accompanies the original
//! where there is no H.264 sub stream, and proves nothing by itself: whoever hands it out says that it is a copy for viewing.
//!
//! One pass, memory flat: room for the tables is left at the beginning of the file, the samples follow as they come out of the
//! program that codes them, the tables are put in last. Every fragment is compared with its leaf hash before it is decoded.
//!
//! What does not belong here: which stretch, who may have it (`access`), how pictures are coded (`decode`).

use std::io::IoSlice;
use std::path::{Path, PathBuf};

use crate::base::disk::{self, DiskFile, Unnamed};
use crate::base::error::{Context, Error, Kind, Result};
use crate::base::hash::Digest;
use crate::base::time::{Span, Ticks};
use crate::decode::Program;
use crate::decode::transcode::{self, Sink};
use crate::evidence::keys::KeyRing;
use crate::evidence::select::{Piece, Stretch};
use crate::media::access_unit::SampleEntry;
use crate::media::clip::{CLIP_SAMPLES_MAX, ClipBuilder, ClipSample};
use crate::media::read;
use crate::media::segment::Sample;

const READ_BYTES: usize = 1 << 20;

/// A viewing copy that was written.
#[derive(Clone, Debug, serde::Serialize)]
pub struct ViewingCopy {
    /// Its file.
    pub path: PathBuf,
    /// From its first picture to the end of its last one.
    pub span: Span,
    /// Pictures in it.
    pub pictures: u64,
    /// Pictures of the source that could not be decoded whole: at the beginning of an open GOP, or where packets were lost.
    pub damaged: u32,
    /// Bytes of the file.
    pub bytes: u64,
    /// SHA-256 of the file.
    pub sha256: Digest,
    /// Picture size in pixels.
    pub size: (u16, u16),
}

/// Sees a viewing copy as it is made, and may end that.
pub trait Watch {
    /// `done` of `all` pictures are in it.
    ///
    /// # Errors
    /// Whatever ends the work: nothing is left of the file then.
    fn progress(&mut self, done: u64, all: u64) -> Result<()>;

    /// The bytes of the file, in order, once it is whole.
    fn bytes(&mut self, _: &[u8]) {}
}

/// Nobody looks.
impl Watch for () {
    fn progress(&mut self, _: u64, _: u64) -> Result<()> {
        Ok(())
    }
}

/// Codes `stretch` anew into a file that will be `path`: without a name until it is whole, so that whatever ends this process leaves
/// no clear picture behind. Blocks, on a small machine for about as long as the footage lasts.
///
/// # Errors
/// What [`KeyRing::segment_key`] and [`transcode::transcode`] say; [`Kind::Denied`] when a leaf hash does not match;
/// [`Kind::Corrupt`] for bit rot; [`Kind::Full`] for more pictures than a clip can have; what `watch` and the operating system say.
pub fn write_unnamed(
    stretch: &Stretch,
    keys: &KeyRing,
    path: &Path,
    program: &Program,
    watch: &mut impl Watch,
) -> Result<(Unnamed, ViewingCopy)> {
    let what = || format!("writing the viewing copy {}", path.display());
    let dir = path.parent().filter(|p| !p.as_os_str().is_empty());
    let mut file =
        Unnamed::create(dir.unwrap_or(Path::new(".")), disk::SECRET_MODE).context(what)?;
    let copy = write_to(stretch, keys, (file.file(), path), program, watch).context(what)?;
    Ok((file, copy))
}

fn write_to(
    stretch: &Stretch,
    keys: &KeyRing,
    (file, path): (&mut DiskFile, &Path),
    program: &Program,
    watch: &mut impl Watch,
) -> Result<ViewingCopy> {
    let first = stretch
        .pieces
        .first()
        .ok_or_else(|| Error::invalid("a stretch without fragments"))?;
    let all = pictures(stretch)?;
    let room = ClipBuilder::head_room(all);
    leave(file, room)?;
    let mut copying = Copying {
        file,
        watch,
        builder: ClipBuilder::new(),
        entry: None,
        first_pts: None,
        all: all as u64,
    };
    let samples = stretch.pieces.iter().flat_map(|piece| open(piece, keys));
    let done = transcode::transcode(program, &first.source.initial.entry, samples, &mut copying)?;
    let (Some(entry), Some(pts)) = (copying.entry, copying.first_pts) else {
        return Err(Error::new(
            Kind::Internal,
            "a viewing copy without pictures",
        ));
    };
    let start = first.start().plus_ticks(pts - first.dts());
    let span = Span {
        start,
        end: start.plus_ticks(copying.builder.shown()),
    };
    let head = copying.builder.head_in(&entry, start, room)?;
    file.write_at(&head, 0)?;
    file.sync()?;
    Ok(ViewingCopy {
        path: path.to_owned(),
        span,
        pictures: done.pictures_out,
        damaged: done.damaged,
        bytes: file.len(),
        sha256: read_back(file, watch)?,
        size: (entry.width, entry.height),
    })
}

/// How many pictures it has, from the tables alone.
fn pictures(stretch: &Stretch) -> Result<usize> {
    let mut all = 0;
    for piece in &stretch.pieces {
        let file = piece.source.file()?;
        all += read::read_rows(&*file, &piece.source.initial, piece.number, &piece.index)?
            .1
            .len();
    }
    if all > CLIP_SAMPLES_MAX {
        let text =
            format!("a clip has at most {CLIP_SAMPLES_MAX} pictures, and this would have {all}");
        return Err(Error::new(Kind::Full, text));
    }
    Ok(all)
}

/// Leaves `room` at the beginning.
fn leave(file: &mut DiskFile, room: u64) -> Result<()> {
    let zeros = vec![0; READ_BYTES];
    let mut left = room;
    while left > 0 {
        let n = usize::try_from(left).unwrap_or(READ_BYTES).min(READ_BYTES);
        file.append(&mut [IoSlice::new(zeros.get(..n).unwrap_or_default())])?;
        left -= n as u64;
    }
    Ok(())
}

/// The samples of a fragment, compared with its leaf hash; or why not.
fn open(piece: &Piece, keys: &KeyRing) -> Vec<Result<Sample>> {
    let opened = || {
        let source = &piece.source;
        let key = keys.segment_key(&source.source.volume, &source.initial.header)?;
        let file = source.file()?;
        read::read_fragment(&*file, &source.initial, piece.number, &piece.index)?.open(&key)
    };
    match opened() {
        Ok(samples) => samples.into_iter().map(Ok).collect(),
        Err(e) => vec![Err(e)],
    }
}

/// SHA-256 of the whole file; `watch` sees its bytes.
fn read_back(file: &DiskFile, watch: &mut impl Watch) -> Result<Digest> {
    let mut hash = ring::digest::Context::new(&ring::digest::SHA256);
    let mut bytes = vec![0; READ_BYTES];
    let mut at = 0;
    while at < file.len() {
        let n = usize::try_from(file.len() - at)
            .unwrap_or(READ_BYTES)
            .min(READ_BYTES);
        let part = bytes.get_mut(..n).unwrap_or_default();
        file.read_at(part, at)?;
        hash.update(part);
        watch.bytes(part);
        at += n as u64;
    }
    Ok(Digest::from_ring(&hash.finish()))
}

struct Copying<'a, W> {
    file: &'a mut DiskFile,
    watch: &'a mut W,
    builder: ClipBuilder,
    entry: Option<SampleEntry>,
    first_pts: Option<Ticks>,
    all: u64,
}

impl<W: Watch> Sink for Copying<'_, W> {
    fn entry(&mut self, entry: &SampleEntry) -> Result<()> {
        self.entry = Some(entry.clone());
        Ok(())
    }

    fn sample(&mut self, sample: Sample) -> Result<()> {
        let bytes = u32::try_from(sample.data.len());
        self.builder.add(&ClipSample {
            bytes: bytes.map_err(|_| Error::corrupt("a picture of 4 GiB"))?,
            dts: sample.dts,
            pts: sample.pts,
            duration: sample.duration,
            is_key: sample.is_key,
        })?;
        self.first_pts.get_or_insert(sample.pts);
        self.file.append(&mut [IoSlice::new(&sample.data)])?;
        self.watch.progress(self.builder.samples() as u64, self.all)
    }
}
