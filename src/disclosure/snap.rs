//! From what is asked for to what may be given: outward to whole groups of pictures of the full picture, with what is not there.

use crate::base::error::{Context, Error, Kind, Result};
use crate::base::id::{BoxId, CameraId, HoldId, StreamId, StreamKind};
use crate::base::time::{Span, Wall};
use crate::catalog::{DisclosureCamera, DisclosureGap, Reader, SegmentRow};
use crate::evidence::find::{Part, Places};
use crate::evidence::select::Source;
use crate::evidence::view;
use crate::recorder::board::{Board, Growing};
use crate::retention::reading::Reading;

/// Gaps that are listed for a camera; what is more is one from the last of them on.
const GAPS_MAX: usize = 500;
/// Holes between segments that are none: media times are rounded.
const SEAM_US: i64 = 100_000;

/// Where footage is looked for.
pub struct Footage<'a> {
    /// The catalog.
    pub reader: &'a Reader,
    /// This box.
    pub box_id: BoxId,
    /// What is being written; `None`: no recorder runs.
    pub board: Option<&'a Board>,
    /// The time of day that is believed.
    pub believed: Wall,
    /// The time of day.
    pub now: Wall,
    /// The hold for whose case it is given.
    pub hold: Option<HoldId>,
}

/// What of one camera may be given.
#[derive(Clone, Debug)]
pub struct Snapped {
    /// It.
    pub camera: DisclosureCamera,
    /// Segments that it takes.
    pub segments: u64,
    /// About how many bytes they have.
    pub bytes: u64,
}

/// A segment that may be given.
enum Piece {
    Closed(Box<SegmentRow>),
    Growing(Growing),
}

impl Piece {
    fn span(&self) -> Span {
        let (start, end) = match self {
            Self::Closed(row) => (row.start, row.end),
            Self::Growing(growing) => (growing.start, growing.end),
        };
        Span { start, end }
    }
}

impl Footage<'_> {
    /// What of `camera`, which is called `name`, may be given of `asked`.
    ///
    /// # Errors
    /// [`Kind::Busy`] while its last pictures are still being recorded; [`Kind::Unavailable`] when a volume is missing; what the
    /// catalog says.
    pub fn snap(&self, camera: &CameraId, name: &str, asked: Span) -> Result<Snapped> {
        let stream = StreamId {
            camera: camera.clone(),
            kind: StreamKind::Main,
        };
        let what = || format!("looking for footage of {camera}");
        let pieces = self.pieces(&stream, asked).context(what)?;
        let mut given = asked;
        for piece in [pieces.first(), pieces.last()].into_iter().flatten() {
            let groups = self.groups(piece, asked).context(what)?;
            given.start = given.start.min(groups.start);
            given.end = given.end.max(groups.end);
        }
        let bytes = |piece: &Piece| match piece {
            Piece::Closed(row) => row.bytes,
            Piece::Growing(growing) => growing.durable_bytes,
        };
        Ok(Snapped {
            segments: pieces.len() as u64,
            bytes: pieces.iter().map(bytes).sum(),
            camera: DisclosureCamera {
                camera: camera.clone(),
                name: name.to_owned(),
                asked,
                given,
                gaps: self.gaps(&stream, asked, &pieces)?,
            },
        })
    }

    /// The segments that share an instant with `asked` and may be given: what is expired only for the case of the hold, what is
    /// restricted or under a preservation order alone for none.
    fn pieces(&self, stream: &StreamId, asked: Span) -> Result<Vec<Piece>> {
        let reading = Reading::of(self.reader, stream, self.believed, self.hold)?;
        // First what grows: if it is closed meanwhile, it is found among the rows as well.
        let growing = self.board.and_then(|board| board.lines().remove(stream));
        let growing = growing.and_then(|line| line.growing);
        let rows = self.reader.segments(stream, asked)?.into_iter();
        let mut pieces: Vec<_> = rows
            .filter(|row| reading.allows(row.start, row.end))
            .map(|row| Piece::Closed(Box::new(row)))
            .collect();
        if let Some(growing) = growing.filter(|growing| growing.durable_bytes > 0) {
            let is_row = |piece: &Piece| match piece {
                Piece::Closed(row) => row.segment == growing.segment,
                Piece::Growing(_) => false,
            };
            let piece = Piece::Growing(growing.clone());
            if piece.span().overlaps(&asked)
                && reading.allows(growing.start, growing.end)
                && !pieces.iter().any(is_row)
            {
                pieces.push(piece);
            }
        }
        Ok(pieces)
    }

    /// From the first to the last of the groups of a segment that share an instant with `asked`; all of it where that cannot be
    /// told any more.
    fn groups(&self, piece: &Piece, asked: Span) -> Result<Span> {
        let volumes = self.reader.volumes()?;
        let mut places = Places::new(self.box_id, &volumes);
        let is_growing = matches!(piece, Piece::Growing(_));
        let source: Source = match piece {
            Piece::Closed(row) => places.closed(row),
            Piece::Growing(growing) => places.growing(Part {
                path: &growing.path,
                durable_bytes: growing.durable_bytes,
            }),
        }
        .map_err(|e| e.as_kind(Kind::Unavailable))?;
        // Of a segment that grows, a group is known to be whole by what follows it: what follows is looked at too.
        let looked_at = Span {
            start: asked.start,
            end: if is_growing {
                asked.end.max(piece.span().end)
            } else {
                asked.end
            },
        };
        let mut groups = match view::groups(source, looked_at) {
            Ok(found) => found.groups,
            // A damaged file: what is left of it lies within.
            Err(e) if e.kind() == Kind::Corrupt && !is_growing => Vec::new(),
            Err(e) if e.kind() == Kind::NotFound => return Err(still_recorded()),
            Err(e) => return Err(e),
        };
        groups.retain(|group| group.span().overlaps(&asked));
        if groups.last().is_some_and(|group| !group.complete) {
            return Err(still_recorded());
        }
        let found = groups.first().zip(groups.last());
        Ok(found.map_or(piece.span(), |(first, last)| Span {
            start: first.span().start,
            end: last.span().end,
        }))
    }

    /// What of `asked` is not in the segments: gaps of the recording by their cause, and what was recorded and is gone.
    fn gaps(&self, stream: &StreamId, asked: Span, pieces: &[Piece]) -> Result<Vec<DisclosureGap>> {
        let mut gaps = Vec::new();
        let causes = self.reader.gaps(stream, asked, self.now)?;
        let mut at = asked.start;
        let ends = pieces.iter().map(Piece::span).chain([Span {
            start: asked.end,
            end: asked.end,
        }]);
        for span in ends {
            let hole = Span {
                start: at,
                end: span.start.min(asked.end),
            };
            at = at.max(span.end);
            if hole.us() <= SEAM_US {
                continue;
            }
            let mut rest = hole.start;
            for row in &causes {
                let end = row.end.unwrap_or(self.now).min(hole.end);
                let start = row.start.max(rest);
                if start >= end {
                    continue;
                }
                push(
                    &mut gaps,
                    Span {
                        start: rest,
                        end: start,
                    },
                    "deleted",
                );
                push(&mut gaps, Span { start, end }, row.cause.as_str());
                rest = end;
            }
            push(
                &mut gaps,
                Span {
                    start: rest,
                    end: hole.end,
                },
                "deleted",
            );
        }
        Ok(gaps)
    }
}

fn push(gaps: &mut Vec<DisclosureGap>, span: Span, cause: &str) {
    if span.us() <= SEAM_US {
        return;
    }
    if gaps.len() < GAPS_MAX {
        gaps.push(DisclosureGap {
            span,
            cause: cause.to_owned(),
        });
    } else if let Some(last) = gaps.last_mut() {
        last.span.end = last.span.end.max(span.end);
    }
}

fn still_recorded() -> Error {
    let text = "its last pictures are still being recorded; ask again in a moment";
    Error::new(Kind::Busy, text)
}
