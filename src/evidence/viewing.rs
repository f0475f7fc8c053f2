//! A viewing copy: footage that was recorded as H.265, coded anew as an H.264 MP4 that plays anywhere. It accompanies the original
//! where there is no H.264 sub stream, and proves nothing by itself: whoever hands it out says that it is a copy for viewing.
//!
//! Memory holds the tables and a picture, whatever the length. What comes out of the program that codes it waits sealed on a disk
//! ([`spool`](super::spool)) until the tables, which stand first, are known. Every fragment is compared with its leaf hash before it
//! is decoded.
//!
//! What does not belong here: which stretch, who may have it (`access`), how pictures are coded (`decode`), where the copy goes.

use std::io::{IoSlice, Read};
use std::path::Path;

use crate::base::error::{Context, Error, Result};
use crate::base::time::{Span, Ticks, Wall};
use crate::decode::Program;
use crate::decode::transcode::{self, Sink};
use crate::evidence::clip::Out;
use crate::evidence::keys::KeyRing;
use crate::evidence::select::{Piece, Stretch};
use crate::evidence::spool::{Spool, Spooled};
use crate::media::access_unit::SampleEntry;
use crate::media::clip::{ClipBuilder, ClipSample};
use crate::media::read;
use crate::media::segment::Sample;

const READ_BYTES: usize = 1 << 20;
/// A file is ended at the first key frame after all but this part of the most that it may have.
const LAST_PART: u64 = 8;

/// How a copy is coded.
pub struct Coder<'a> {
    /// What codes it.
    pub program: &'a Program,
    /// It waits on this folder's file system.
    pub dir: &'a Path,
    /// No file of it has more bytes.
    pub bytes_max: u64,
    /// Is told of each so many bytes of footage that went in, and may end the work.
    pub went_in: &'a dyn Fn(u64) -> Result<()>,
}

/// What coding came to.
pub enum Outcome {
    /// The copy: one file, or several that follow on one another.
    Copied(Vec<Copy>),
    /// The program that codes it is not there or does not start, and why.
    NoCoder(Error),
    /// It could not code this, and why.
    NotCoded(Error),
}

/// A file of a copy, which waits to be written.
pub struct Copy {
    /// From its first picture to the end of its last one.
    pub span: Span,
    /// Picture size in pixels.
    pub size: (u16, u16),
    head: Vec<u8>,
    pictures: usize,
    payload_bytes: u64,
    payload: Spooled,
}

impl Copy {
    /// Pictures in it.
    pub fn pictures(&self) -> usize {
        self.pictures
    }

    /// Bytes of the file.
    pub fn bytes(&self) -> u64 {
        self.head.len() as u64 + self.payload_bytes
    }

    /// Writes the file to `out`; `watch` sees its bytes.
    ///
    /// # Errors
    /// What `out` and the operating system say.
    pub fn write_into(mut self, out: &mut impl Out, mut watch: impl FnMut(&[u8])) -> Result<()> {
        out.begin(self.bytes())?;
        watch(&self.head);
        out.append(&mut [IoSlice::new(&self.head)])?;
        let mut bytes = vec![0; READ_BYTES];
        let mut clear = self.payload.read()?;
        loop {
            let read = clear.read(&mut bytes);
            let n = read.context(|| "reading a viewing copy back")?;
            let Some(part) = bytes.get(..n).filter(|part| !part.is_empty()) else {
                return Ok(());
            };
            watch(part);
            out.append(&mut [IoSlice::new(part)])?;
        }
    }
}

/// Codes `stretch` anew. Blocks, on a small machine for about as long as the footage lasts.
///
/// # Errors
/// What [`KeyRing::segment_key`] says; [`Kind::Denied`](crate::base::error::Kind) when a leaf hash does not match; `Corrupt` for bit rot; what
/// `coder` and the operating system say. What the program fails at is no error but an [`Outcome`].
pub fn code(stretch: &Stretch, keys: &KeyRing, coder: &Coder<'_>) -> Result<Outcome> {
    let what = || "coding a viewing copy";
    let first = stretch
        .pieces
        .first()
        .ok_or_else(|| Error::invalid("a stretch without fragments"))?;
    let (mut failed, mut has_begun) = (None, false);
    let mut copying = Copying {
        coder,
        origin: (first.start(), first.dts()),
        end: stretch.span().end,
        entry: None,
        open: None,
        done: Vec::new(),
        failed: None,
    };
    let samples = stretch.pieces.iter().flat_map(|piece| {
        has_begun = true;
        let opened = (coder.went_in)(u64::from(piece.index.bytes)).and_then(|()| open(piece, keys));
        match opened {
            Ok(samples) => samples.into_iter().map(Ok).collect(),
            Err(e) => vec![Err(kept(&mut failed, e))],
        }
    });
    let coded = transcode::transcode(
        coder.program,
        &first.source.initial.entry,
        samples,
        &mut copying,
    );
    // What is not the program's fault ends whatever this is for.
    if let Some(e) = failed.or(copying.failed.take()) {
        return Err(e).context(what);
    }
    match coded {
        Ok(_) => {
            copying.cut().context(what)?;
            Ok(Outcome::Copied(copying.done))
        }
        Err(e) if !has_begun => Ok(Outcome::NoCoder(e)),
        Err(e) => Ok(Outcome::NotCoded(e)),
    }
}

/// Keeps an error, and gives another in its place.
fn kept(to: &mut Option<Error>, e: Error) -> Error {
    let kind = e.kind();
    to.get_or_insert(e);
    Error::new(kind, "it was ended")
}

/// The samples of a fragment, compared with its leaf hash.
fn open(piece: &Piece, keys: &KeyRing) -> Result<Vec<Sample>> {
    let source = &piece.source;
    let key = keys.segment_key(&source.source.volume, &source.initial.header)?;
    let file = source.file()?;
    read::read_fragment(&*file, &source.initial, piece.number, &piece.index)?.open(&key)
}

/// A file of the copy while it is made.
struct Open {
    builder: ClipBuilder,
    first_pts: Ticks,
    spool: Spool,
}

struct Copying<'a> {
    coder: &'a Coder<'a>,
    /// A time of day and the media time that is the same.
    origin: (Wall, Ticks),
    /// The end of what is copied.
    end: Wall,
    entry: Option<SampleEntry>,
    open: Option<Open>,
    done: Vec<Copy>,
    /// What went wrong here, and not in the program.
    failed: Option<Error>,
}

impl Copying<'_> {
    /// The file that `sample` belongs to.
    fn file_for(&mut self, sample: &Sample) -> Result<&mut Open> {
        let bytes_max = self.coder.bytes_max;
        let is_full = |open: &Open| {
            let bytes = open.builder.payload_bytes() + sample.data.len() as u64;
            bytes > bytes_max - bytes_max / LAST_PART
        };
        if sample.is_key && self.open.as_ref().is_some_and(is_full) {
            self.cut()?;
        }
        match &mut self.open {
            Some(open) => Ok(open),
            none => Ok(none.insert(Open {
                builder: ClipBuilder::new(),
                first_pts: sample.pts,
                spool: Spool::create(self.coder.dir)?,
            })),
        }
    }

    /// Ends the file that is being made.
    fn cut(&mut self) -> Result<()> {
        let Some((open, entry)) = self.open.take().zip(self.entry.as_ref()) else {
            return Ok(());
        };
        let start = self.origin.0.plus_ticks(open.first_pts - self.origin.1);
        // Clocks are slewed within a stretch: what is copied ends when it ends.
        let end = start.plus_ticks(open.builder.shown()).min(self.end);
        self.done.push(Copy {
            span: Span { start, end },
            size: (entry.width, entry.height),
            head: open.builder.head(entry, start)?,
            pictures: open.builder.samples(),
            payload_bytes: open.builder.payload_bytes(),
            payload: open.spool.finish()?,
        });
        Ok(())
    }
}

impl Sink for Copying<'_> {
    fn entry(&mut self, entry: &SampleEntry) -> Result<()> {
        self.entry = Some(entry.clone());
        Ok(())
    }

    fn sample(&mut self, sample: Sample) -> Result<()> {
        let bytes = u32::try_from(sample.data.len());
        let row = ClipSample {
            bytes: bytes.map_err(|_| Error::corrupt("a picture of 4 GiB"))?,
            dts: sample.dts,
            pts: sample.pts,
            duration: sample.duration,
            is_key: sample.is_key,
        };
        let put = match self.file_for(&sample) {
            Ok(open) => {
                // A row that cannot be is the program's doing.
                open.builder.add(&row)?;
                open.spool.append(&sample.data)
            }
            Err(e) => Err(e),
        };
        put.map_err(|e| kept(&mut self.failed, e))
    }
}
