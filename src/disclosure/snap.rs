//! From what is asked for to what may be given: outward to whole groups of pictures of the full picture, with what is not there.

use crate::base::error::{Context, Error, Kind, Result};
use crate::base::id::{BoxId, CameraId, StreamId, StreamKind};
use crate::base::time::{Span, Wall};
use crate::catalog::{DisclosureCamera, DisclosureGap};
use crate::evidence::find::Places;
use crate::evidence::view;
use crate::footage::{Footage, Segment};

/// Gaps that are listed for a camera; what is more is one from the last of them on.
const GAPS_MAX: usize = 500;
/// Holes between segments that are none: media times are rounded.
const SEAM_US: i64 = 100_000;

/// What snaps.
pub struct Snap<'a> {
    /// Where footage is looked for.
    pub footage: Footage<'a>,
    /// This box.
    pub box_id: BoxId,
    /// The time of day.
    pub now: Wall,
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

impl Snap<'_> {
    /// What of `camera`, which is called `name`, may be given of `asked`.
    ///
    /// # Errors
    /// [`Kind::Busy`] while its last pictures are still being recorded; [`Kind::Unavailable`] when a volume is missing; what the
    /// catalog says.
    pub fn camera(&self, camera: &CameraId, name: &str, asked: Span) -> Result<Snapped> {
        let stream = StreamId {
            camera: camera.clone(),
            kind: StreamKind::Main,
        };
        let what = || format!("looking for footage of {camera}");
        let pieces = self.footage.readable(&stream, asked).context(what)?;
        let mut given = asked;
        for piece in [pieces.first(), pieces.last()].into_iter().flatten() {
            let groups = self.groups(piece, asked).context(what)?;
            given.start = given.start.min(groups.start);
            given.end = given.end.max(groups.end);
        }
        Ok(Snapped {
            segments: pieces.len() as u64,
            bytes: pieces.iter().map(Segment::bytes).sum(),
            camera: DisclosureCamera {
                camera: camera.clone(),
                name: name.to_owned(),
                asked,
                given,
                gaps: self.gaps(&stream, asked, &pieces)?,
            },
        })
    }

    /// From the first to the last of the groups of a segment that share an instant with `asked`; all of it where that cannot be
    /// told any more.
    fn groups(&self, piece: &Segment, asked: Span) -> Result<Span> {
        let volumes = self.footage.reader.volumes()?;
        let mut places = Places::new(self.box_id, &volumes);
        let is_growing = matches!(piece, Segment::Growing(_));
        let source = piece.source(&mut places);
        let source = source.map_err(|e| e.as_kind(Kind::Unavailable))?;
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
    fn gaps(
        &self,
        stream: &StreamId,
        asked: Span,
        pieces: &[Segment],
    ) -> Result<Vec<DisclosureGap>> {
        let mut gaps = Vec::new();
        let causes = self.footage.reader.gaps(stream, asked, self.now)?;
        let mut at = asked.start;
        let ends = pieces.iter().map(Segment::span).chain([Span {
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
