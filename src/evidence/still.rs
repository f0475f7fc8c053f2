//! A still: the one picture that was shown at an instant, at its full resolution, with its exact time of day.
//!
//! The access units up to it are opened and compared with their leaf hashes like every other footage; then they go to the program
//! that decodes. Nothing of it touches a disk.
//!
//! What does not belong here: who may take one (`access`), how pictures are decoded (`decode`).

use std::sync::Arc;

use crate::base::error::{Error, Kind, Result};
use crate::base::hash::Digest;
use crate::base::id::{BoxId, SegmentId, StreamId};
use crate::base::time::{Span, Ticks, Wall};
use crate::decode::Program;
use crate::decode::still::{self, Picture};
use crate::evidence::keys::KeyRing;
use crate::evidence::select::{self, Opened, Piece, Source, Stretch};
use crate::media::read;
use crate::media::segment::Sample;

/// Which picture it is.
#[derive(Clone, Debug)]
pub struct Found {
    /// From the key frame before it up to its own fragment.
    pieces: Vec<Piece>,
    /// Its presentation time in the run.
    pts: Ticks,
    /// Its number among the samples of its fragment, from 0.
    place: usize,
    /// From when until when it is shown.
    pub shown: Span,
}

/// A still that was taken.
#[derive(Clone, Debug)]
pub struct Still {
    /// The picture.
    pub picture: Picture,
    /// SHA-256 of the file.
    pub sha256: Digest,
}

/// What a still says of itself.
#[derive(Clone, Debug)]
pub struct About {
    /// The box.
    pub box_id: BoxId,
    /// The stream.
    pub stream: StreamId,
    /// The camera's name.
    pub name: String,
    /// Where it is.
    pub site: String,
}

/// The time of day that one instant of a selection needs: long enough to lie in it.
pub const fn instant(at: Wall) -> Span {
    Span {
        start: at,
        end: at.plus_us(1),
    }
}

/// The picture that was shown at `at`, among sources that are of one stream, readable and in order; `None` when none was.
///
/// # Errors
/// [`Kind::Corrupt`] when a segment is not what was recorded any more and what is left of it has no picture then; what reading says.
pub fn find(sources: Vec<Source>, at: Wall) -> Result<Option<Found>> {
    let selection = select::select(sources, instant(at))?;
    for stretch in &selection.stretches {
        if let Some(found) = in_stretch(stretch, at)? {
            return Ok(Some(found));
        }
    }
    match selection.damaged.first() {
        Some(damage) => Err(Error::corrupt(format!(
            "no picture is left of that time: {damage}"
        ))),
        None => Ok(None),
    }
}

/// A picture with its place.
struct Shown {
    piece: usize,
    place: usize,
    pts: Ticks,
    start: Wall,
    until: Wall,
}

fn in_stretch(stretch: &Stretch, at: Wall) -> Result<Option<Found>> {
    let mut all = Vec::new();
    for (i, piece) in stretch.pieces.iter().enumerate() {
        let file = piece.source.file()?;
        let (first, rows) =
            read::read_rows(&*file, &piece.source.initial, piece.number, &piece.index)?;
        let mut dts = first;
        for (place, row) in rows.iter().enumerate() {
            let pts = dts + Ticks(i64::from(row.offset));
            let duration = Ticks(i64::from(row.duration));
            let start = piece.start().plus_ticks(pts - first);
            all.push(Shown {
                piece: i,
                place,
                pts,
                start,
                until: start.plus_ticks(duration),
            });
            dts = dts + duration;
        }
    }
    all.sort_by_key(|shown| shown.pts);
    let after = all.partition_point(|shown| shown.start <= at);
    let Some(found) = after.checked_sub(1).and_then(|i| all.get(i)) else {
        return Ok(None);
    };
    // It is shown until the next one is.
    let until = all.get(after).map_or(found.until, |next| next.start);
    if at >= until {
        return Ok(None);
    }
    Ok(Some(Found {
        pieces: stretch
            .pieces
            .get(..=found.piece)
            .unwrap_or_default()
            .to_vec(),
        pts: found.pts,
        place: found.place,
        shown: Span {
            start: found.start,
            end: until,
        },
    }))
}

impl Found {
    /// The segment that it lies in.
    pub fn segment(&self) -> Option<SegmentId> {
        self.pieces
            .last()
            .map(|piece| piece.source.initial.header.segment)
    }

    /// Width and height that the stream says it has.
    pub fn size(&self) -> (u16, u16) {
        let entry = self.pieces.first().map(|piece| &piece.source.initial.entry);
        entry.map_or((0, 0), |entry| (entry.width, entry.height))
    }

    /// Its access unit and those that it needs, opened one fragment at a time and each compared with its leaf hash.
    fn samples<'a>(&'a self, keys: &'a KeyRing) -> impl Iterator<Item = Result<Sample>> + 'a {
        let last = self.pieces.len().saturating_sub(1);
        self.pieces.iter().enumerate().flat_map(move |(i, piece)| {
            let opened = open(piece, keys);
            let wanted = if i == last {
                self.place + 1
            } else {
                usize::MAX
            };
            let (samples, failed) = match opened {
                Ok(samples) => (samples, None),
                Err(e) => (Vec::new(), Some(Err(e))),
            };
            samples.into_iter().take(wanted).map(Ok).chain(failed)
        })
    }

    fn texts(&self, about: &About, is_damaged: bool) -> Vec<(&'static str, String)> {
        // To the microsecond: asking for a still at `Until` gives the next picture.
        let taken = self.shown.start.rfc3339_us();
        let mut texts = vec![
            ("Title", format!("{} ({})", about.name, about.stream)),
            ("Creation Time", taken.clone()),
            ("Source", format!("Sinetti {}", about.box_id)),
            ("Site", about.site.clone()),
            ("Camera", about.stream.to_string()),
            ("Time", taken),
            ("Until", self.shown.end.rfc3339_us()),
            ("Software", format!("sinetti {}", env!("CARGO_PKG_VERSION"))),
        ];
        if let (Some(segment), Some(piece)) = (self.segment(), self.pieces.last()) {
            let text = format!(
                "segment {segment}, fragment {}, picture {}",
                piece.number, self.place
            );
            texts.push(("Recording", text));
        }
        for text in self.losses() {
            texts.push(("Losses", text));
        }
        if is_damaged {
            let text =
                "Parts of this picture, or of pictures that it builds on, could not be decoded.";
            texts.push(("Warning", text.to_owned()));
        }
        texts
    }
}

impl Found {
    /// What never came from the camera, of each segment that is closed and of which something is needed: the decoder does not
    /// always notice.
    fn losses(&self) -> Vec<String> {
        let mut sources: Vec<_> = self.pieces.iter().map(|piece| &piece.source).collect();
        sources.dedup_by(|a, b| Arc::ptr_eq(a, b));
        let said = |source: &&Arc<Opened>| {
            let file = source.file().ok()?;
            let losses = read::trailer_from_end(&*file).ok()??.losses;
            let (packets, units) = (losses.packets_lost, losses.corrupt_units);
            let segment = source.initial.header.segment;
            (packets > 0 || units > 0).then(|| {
                format!("of segment {segment} {packets} packets never came from the camera, and {units} pictures came in pieces")
            })
        };
        sources.iter().filter_map(said).collect()
    }
}

fn open(piece: &Piece, keys: &KeyRing) -> Result<Vec<Sample>> {
    let opened = &piece.source;
    let key = keys.segment_key(&opened.source.volume, &opened.initial.header)?;
    let file = opened.file()?;
    read::read_fragment(&*file, &opened.initial, piece.number, &piece.index)?.open(&key)
}

/// Takes it. Blocks for the time of decoding.
///
/// # Errors
/// What opening says; [`Kind::Corrupt`] when it could not be decoded; what [`still::decode`] says.
pub fn take(found: &Found, keys: &KeyRing, program: &Program, about: &About) -> Result<Still> {
    let first = found
        .pieces
        .first()
        .ok_or_else(|| Error::new(Kind::Internal, "a picture without fragments"))?;
    let entry = &first.source.initial.entry;
    let texts = |is_damaged| found.texts(about, is_damaged);
    let picture = still::decode(program, entry, found.samples(keys), found.pts, texts)?;
    Ok(Still {
        sha256: Digest::sha256(&[&picture.png]),
        picture,
    })
}

/// `kassa-1-20261123T154500.123Z.png`: of the camera and the picture's own time.
pub fn file_name(stream: &StreamId, at: Wall) -> String {
    let time = at.basic();
    format!("{}-{}-{time}.png", stream.camera, stream.kind.as_str())
}
