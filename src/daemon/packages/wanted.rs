//! Which streams a package takes, and how a copy for viewing comes about: the small stream as it was recorded where it covers what is
//! in H.265, and otherwise one that is coded anew.
//!
//! What does not belong here: how either is written (`evidence`).

use crate::base::error::{Error, Kind, Result};
use crate::base::id::{StreamId, StreamKind};
use crate::base::time::Span;
use crate::catalog::{Reader, VolumeRow};
use crate::daemon::packages::Options;
use crate::daemon::packages::footage::sources;
use crate::disclosure::packages::Start;
use crate::evidence::package::make::Wanted;
use crate::evidence::package::manifest::Absent;
use crate::evidence::package::order::{self, Camera};
use crate::evidence::select::{self, Selection, Stretch};
use crate::media::access_unit::Codec;

/// The groups of the small stream begin elsewhere than those of the large one, and what is not wholly inside of what was approved
/// is left out: so much may be missing of a recorded copy at either end. In microseconds.
const EDGE_US: i64 = 5_000_000;
/// And so much between: a picture or a few.
const HOLE_US: i64 = 500_000;
/// What is coded anew is hardly more than so many times as large as it was in H.265.
const COPY_FACTOR: u64 = 3;

/// What there is of each stream, inside what was approved.
///
/// # Errors
/// `Unavailable` while something of it is still being written; what selecting says.
pub(super) fn wanted(options: &Options, reader: &Reader, start: &Start) -> Result<Vec<Wanted>> {
    let volumes = reader.volumes()?;
    let mut all: Vec<Wanted> = Vec::new();
    for camera in &start.order.cameras {
        let stream = |kind| StreamId {
            camera: camera.camera.clone(),
            kind,
        };
        let at = (options, reader, &volumes[..]);
        let mut main = take(at, start, camera, stream(StreamKind::Main))?;
        let mut sub = None;
        if start.order.viewing && has_unknown(&main.selection) {
            let small = take(at, start, camera, stream(StreamKind::Sub))?;
            if is_copy_of(&small.selection, &main.selection) {
                sub = Some(Wanted {
                    viewing: true,
                    ..small
                });
            }
            main.copied = sub.is_none();
        }
        all.push(main);
        all.extend(sub);
    }
    Ok(all)
}

/// About how many bytes of a disk it will take while it is made.
pub(super) fn bytes(wanted: &[Wanted]) -> u64 {
    let mut all = 0;
    for part in wanted {
        for stretch in &part.selection.stretches {
            let pieces = stretch.pieces.iter();
            let bytes: u64 = pieces.map(|piece| u64::from(piece.index.bytes)).sum();
            all += bytes;
            if part.copied && codec(stretch) == Some(Codec::H265) {
                // It lies there twice for a while.
                all += 2 * COPY_FACTOR * bytes;
            }
        }
    }
    all
}

fn take(
    (options, reader, volumes): (&Options, &Reader, &[VolumeRow]),
    start: &Start,
    camera: &Camera,
    stream: StreamId,
) -> Result<Wanted> {
    let span = camera.given;
    let footage = options.footage(reader, &stream, (span, start.hold))?;
    if footage.growing.is_some() {
        let text =
            format!("what {stream} is recording goes on inside what was approved; try again later");
        return Err(Error::new(Kind::Unavailable, text));
    }
    let selection = select::select(sources(options, volumes, &footage)?, span)?;
    Ok(Wanted {
        stream,
        name: camera.name.clone(),
        asked: camera.asked,
        given: Some(span),
        viewing: false,
        copied: false,
        absent: Absent::of(&footage.coverage),
        rows: footage.rows,
        selection: order::within(selection, span),
    })
}

fn codec(stretch: &Stretch) -> Option<Codec> {
    let first = stretch.pieces.first();
    first.map(|piece| piece.source.initial.entry.codec)
}

/// Something of it is in a codec that few players know.
fn has_unknown(selection: &Selection) -> bool {
    unknown(selection).next().is_some()
}

fn unknown(selection: &Selection) -> impl Iterator<Item = Span> {
    let stretches = selection.stretches.iter();
    let unknown = stretches.filter(|stretch| codec(stretch) == Some(Codec::H265));
    unknown.map(Stretch::span)
}

/// Whether the small stream shows all that is in H.265 in the large one.
fn is_copy_of(small: &Selection, large: &Selection) -> bool {
    let mut codecs = small.stretches.iter().map(codec);
    let spans: Vec<Span> = small.stretches.iter().map(Stretch::span).collect();
    codecs.all(|codec| codec == Some(Codec::H264))
        && unknown(large).all(|span| covers(&spans, span))
}

/// Whether `spans`, in order of time, have `span` but for its edges.
fn covers(spans: &[Span], span: Span) -> bool {
    let (mut until, mut may_lack) = (span.start, EDGE_US);
    for part in spans.iter().filter(|part| part.overlaps(&span)) {
        if part.start.us_since(until) > may_lack {
            return false;
        }
        (until, may_lack) = (until.max(part.end), HOLE_US);
    }
    until > span.start && span.end.us_since(until) <= EDGE_US
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::Wall;

    #[test]
    fn a_small_stream_covers_what_it_has_but_for_a_group_at_either_end() {
        let span = |from: i64, to: i64| Span {
            start: Wall(from * 100_000),
            end: Wall(to * 100_000),
        };
        let of = span(1000, 2000);
        for (spans, expected) in [
            (vec![span(0, 3000)], true),
            (vec![span(1050, 1950)], true),
            (vec![span(1051, 2000)], false),
            (vec![span(1000, 1949)], false),
            (vec![span(900, 1500), span(1505, 2100)], true),
            (vec![span(900, 1500), span(1506, 2100)], false),
            (vec![span(0, 1000), span(2000, 3000)], false),
            (
                vec![span(500, 900), span(1020, 1990), span(2500, 2600)],
                true,
            ),
            (vec![], false),
        ] {
            assert_eq!(covers(&spans, of), expected, "{spans:?}");
        }
        // What is shorter than the edges still has to be there.
        assert!(!covers(&[], span(1000, 1010)));
        assert!(covers(&[span(1000, 1010)], span(1000, 1010)));
    }
}
