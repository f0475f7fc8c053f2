//! Footage for a player: groups of pictures of one segment, and their fragments in the clear, each compared with its leaf
//! hash. Nothing of it touches a disk.
//!
//! Times count in 1/90 000 s from an **origin**, midnight UTC of some day. A segment's own times count from midnight of its
//! day, so a time is carried over exactly.
//!
//! What does not belong here: who may see it (`access`), how it travels (`http`).

use std::sync::Arc;

use crate::base::error::{Error, Kind, Result};
use crate::base::id::SegmentId;
use crate::base::secret::SegmentKey;
use crate::base::time::{Span, Ticks, Wall};
use crate::evidence::keys::KeyRing;
use crate::evidence::select::{self, Extent, Piece, Source};
use crate::media::access_unit::SampleEntry;
use crate::media::segment::Sample;
use crate::media::{clear, read};

/// Longest that a playback can be, in microseconds: 31 days.
pub const SPAN_US_MAX: i64 = 31 * 86_400_000_000;

/// Fragments from one key frame to the next: the smallest piece that a player can be given.
#[derive(Clone, Debug)]
pub struct Group {
    pieces: Vec<Piece>,
    /// Another key frame follows, or the segment is closed: nothing will be added.
    pub complete: bool,
}

impl Group {
    /// The segment that it lies in.
    pub fn segment(&self) -> Option<SegmentId> {
        self.pieces
            .first()
            .map(|piece| piece.source.initial.header.segment)
    }

    /// Number of its first fragment in the segment.
    pub fn number(&self) -> u32 {
        self.pieces.first().map_or(0, |piece| piece.number)
    }

    /// From its first decode time to the end of its last picture.
    pub fn span(&self) -> Span {
        let start = self.pieces.first().map_or(Wall::default(), Piece::start);
        Span {
            start,
            end: self.pieces.last().map_or(start, Piece::end),
        }
    }

    /// Bytes of it as it lies on disk: about what it has in the clear.
    pub fn bytes(&self) -> u64 {
        self.pieces
            .iter()
            .map(|piece| u64::from(piece.index.bytes))
            .sum()
    }

    /// Its fragments, in order.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// How it is decoded.
    pub fn entry(&self) -> Option<&SampleEntry> {
        self.pieces.first().map(|piece| &piece.source.initial.entry)
    }
}

/// What one segment has for a player.
#[derive(Clone, Debug)]
pub struct Groups {
    /// In order.
    pub groups: Vec<Group>,
    /// Why it is not what was recorded any more: then the groups are what is left.
    pub damage: Option<String>,
}

/// The groups of one segment that `span` takes, outward to key frames.
///
/// # Errors
/// [`Kind::NotFound`] when the file is gone; what reading it says.
pub fn groups(source: Source, span: Span) -> Result<Groups> {
    let is_growing = matches!(source.extent, Extent::Growing(_));
    let mut selection = select::select(vec![source], span)?;
    let damage = selection.damaged.pop();
    let mut groups: Vec<Group> = Vec::new();
    for piece in selection.stretches.into_iter().flat_map(|s| s.pieces) {
        match groups.last_mut() {
            Some(group) if !piece.index.starts_with_key => group.pieces.push(piece),
            _ => {
                if let Some(before) = groups.last_mut() {
                    before.complete = true;
                }
                groups.push(Group {
                    pieces: vec![piece],
                    complete: !is_growing,
                });
            }
        }
    }
    Ok(Groups { groups, damage })
}

/// The key of the segment in which a group lies.
///
/// # Errors
/// What [`KeyRing::segment_key`] says.
pub fn key(group: &Group, keys: &KeyRing) -> Result<SegmentKey> {
    let source = &group
        .pieces
        .first()
        .ok_or_else(|| Error::invalid("a group without fragments"))?
        .source;
    keys.segment_key(&source.source.volume, &source.initial.header)
}

/// One fragment in the clear, its samples compared with the leaf hash; its times count from `origin`.
///
/// # Errors
/// [`Kind::Denied`] when the leaf hash does not match; [`Kind::Corrupt`] for bit rot; what the operating system says.
pub fn fragment(piece: &Piece, key: &SegmentKey, origin: Wall) -> Result<Vec<u8>> {
    clear::fragment(&samples(piece, key)?, piece.number + 1, tfdt(piece, origin))
}

/// The key frame of a group alone, as a fragment in which it stands for all of the group's time; compared with its leaf hash
/// like [`fragment`].
///
/// # Errors
/// As [`fragment`]; [`Kind::Invalid`] when the group is empty.
pub fn key_frame(group: &Group, key: &SegmentKey, origin: Wall) -> Result<Vec<u8>> {
    let empty = || Error::invalid("a group without pictures");
    let piece = group.pieces.first().ok_or_else(empty)?;
    let mut samples = samples(piece, key)?;
    samples.truncate(1);
    let first = samples.first_mut().ok_or_else(empty)?;
    first.duration = group
        .pieces
        .iter()
        .fold(Ticks(0), |sum, piece| sum + piece.index.duration);
    clear::fragment(&samples, piece.number + 1, tfdt(piece, origin))
}

fn samples(piece: &Piece, key: &SegmentKey) -> Result<Vec<Sample>> {
    let opened: &Arc<_> = &piece.source;
    let file = opened.file()?;
    let raw = read::read_fragment(&*file, &opened.initial, piece.number, &piece.index)?;
    raw.open(key)
}

/// Decode time of a fragment, counted from `origin`.
fn tfdt(piece: &Piece, origin: Wall) -> Ticks {
    let day = piece.source.initial.header.start.midnight();
    piece.index.tfdt + Ticks::from_us(day.us_since(origin))
}

/// What a span of a playback must be.
///
/// # Errors
/// [`Kind::Invalid`] when it ends before it begins; [`Kind::Full`] above [`SPAN_US_MAX`].
pub fn check(span: Span) -> Result<()> {
    if span.us() <= 0 {
        return Err(Error::invalid("the end must lie after the start"));
    }
    if span.us() > SPAN_US_MAX {
        return Err(Error::new(
            Kind::Full,
            "at most 31 days can be opened at once",
        ));
    }
    Ok(())
}
