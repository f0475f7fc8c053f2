//! What a package is to hold: cameras, the intervals that were approved, and the record that they belong to.
//!
//! What does not belong here: whether it may be made (`disclosure`).

use zeroize::Zeroizing;

use crate::base::id::CameraId;
use crate::base::time::Span;
use crate::catalog::Language;
use crate::evidence::package::manifest::DisclosurePart;
use crate::evidence::select::{Piece, Selection, Stretch};

/// The most cameras of one package.
pub const CAMERAS_MAX: usize = 64;
/// A tick of media time in microseconds, rounded up.
const TICK_US: i64 = 12;

/// What is to be packed.
pub struct Order {
    /// Its serial number, `2026-0042`: the name of the folder.
    pub serial: String,
    /// What it is: `authority-request`.
    pub kind: String,
    /// Each camera.
    pub cameras: Vec<Camera>,
    /// What it is for, in the words that were frozen.
    pub purpose: String,
    /// The legal basis, in the words that were frozen.
    pub basis: String,
    /// The language of what people read in it.
    pub language: Language,
    /// What its files are encrypted with; none: they are not. Zeroised with the order, and written nowhere.
    pub encryption: Option<Zeroizing<String>>,
    /// True when a copy for viewing is wanted of what is in a codec that few players know.
    pub viewing: bool,
}

/// A camera of a package.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Camera {
    /// Its id.
    pub camera: CameraId,
    /// Its name when it was approved.
    pub name: String,
    /// What was asked for.
    pub asked: Span,
    /// What was approved: whole groups of pictures of the main stream.
    pub given: Span,
}

impl Order {
    /// What the manifest says of the disclosure.
    pub fn part(&self) -> DisclosurePart {
        DisclosurePart {
            serial: self.serial.clone(),
            kind: self.kind.clone(),
            basis: self.basis.clone(),
            encrypted: self.encryption.is_some(),
        }
    }
}

/// Leaves of a selection the groups of pictures that lie wholly inside `given`: nothing before what was approved, and nothing
/// after it. Times of day are rounded to microseconds, so one tick is no difference.
pub fn within(selection: Selection, given: Span) -> Selection {
    let is_inside = |group: &[Piece]| {
        let start = group.first().map(Piece::start);
        let end = group.last().map(Piece::end);
        start.zip(end).is_some_and(|(start, end)| {
            given.start.us_since(start) <= TICK_US && end.us_since(given.end) <= TICK_US
        })
    };
    let mut stretches: Vec<Stretch> = Vec::new();
    for stretch in selection.stretches {
        let mut goes_on = false;
        for group in stretch
            .pieces
            .chunk_by(|_, next| !next.index.starts_with_key)
        {
            let inside = is_inside(group);
            match stretches.last_mut() {
                Some(last) if inside && goes_on => last.pieces.extend_from_slice(group),
                _ if inside => stretches.push(Stretch {
                    pieces: group.to_vec(),
                }),
                _ => {}
            }
            goes_on = inside;
        }
    }
    Selection {
        stretches,
        damaged: selection.damaged,
    }
}

/// Cuts a stretch at key frames, so that no file of it has more than `bytes_max` bytes: as they lie sealed, with room for the
/// tables of a clip, which is more than they have in the clear.
pub fn split(stretch: Stretch, bytes_max: u64) -> Vec<Stretch> {
    let mut files: Vec<Stretch> = Vec::new();
    let mut bytes = 0;
    for group in stretch
        .pieces
        .chunk_by(|_, next| !next.index.starts_with_key)
    {
        let of_group: u64 = group.iter().map(|piece| u64::from(piece.index.bytes)).sum();
        match files.last_mut() {
            Some(file) if bytes + of_group + HEAD_BYTES <= bytes_max => {
                file.pieces.extend_from_slice(group);
                bytes += of_group;
            }
            _ => {
                files.push(Stretch {
                    pieces: group.to_vec(),
                });
                bytes = of_group;
            }
        }
    }
    files
}

/// What stands before the tables of a clip. The tables take 13 bytes a sample; a sealed fragment takes 40.
const HEAD_BYTES: u64 = 4096;
