//! What of a stream may be read now, and by whom: what is expired by nobody, but for the one case for which it is held; and how that
//! shows in what is listed.

use crate::base::error::{Error, Kind, Result};
use crate::base::id::{CameraId, HoldId, StreamId};
use crate::base::time::{Span, Wall};
use crate::catalog::{Coverage, HoldKind, HoldRow, Reader, StreamRow};
use crate::retention::hold::By;

/// Why footage that is there may not be seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// A data subject had it restricted (GDPR 18).
    Restricted,
    /// It is not of the hold for whose case somebody asks.
    Other,
}

impl Why {
    /// Its stable text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Restricted => "restricted",
            Self::Other => "other",
        }
    }
}

/// Recorded time that may not be seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Withheld {
    /// When it was.
    pub span: Span,
    /// Why.
    pub why: Why,
}

/// What of a stream may be read.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    camera: Option<CameraId>,
    /// What ended before this is expired.
    before: Option<Wall>,
    /// What nobody may use but for the hold itself (GDPR 18).
    restrictions: Vec<HoldRow>,
    /// The hold for whose case it is read.
    named: Option<HoldRow>,
}

impl Reading {
    /// At the time of day `believed`, for the case of `named` if there is one.
    ///
    /// # Errors
    /// What the catalog says.
    pub fn of(
        reader: &Reader,
        stream: &StreamId,
        believed: Wall,
        named: Option<HoldId>,
    ) -> Result<Self> {
        let rows = reader.streams()?;
        let row = rows.iter().find(|row| row.stream == *stream);
        let holds = reader.holds_that_keep(believed)?;
        let found = named.map(|number| {
            let hold = holds.iter().find(|hold| hold.hold == number).cloned();
            hold.filter(|hold| !hold.kind.is_secret())
                .ok_or_else(|| unreadable(number))
        });
        Ok(Self {
            camera: Some(stream.camera.clone()),
            before: row.and_then(|row: &StreamRow| row.expired_before(believed)),
            restrictions: holds
                .into_iter()
                .filter(|hold| hold.kind == HoldKind::Restriction && hold.ended.is_none())
                .collect(),
            named: found.transpose()?,
        })
    }

    /// What is restricted of the stream, in whole segments.
    ///
    /// # Errors
    /// What the catalog says.
    pub fn restricted(&self, reader: &Reader, stream: &StreamId) -> Result<Vec<Span>> {
        let named = self.named.as_ref().map(|named| named.hold);
        let others = self
            .restrictions
            .iter()
            .filter(|hold| hold.cameras.contains(&stream.camera) && Some(hold.hold) != named);
        others
            .map(|hold| in_whole_segments(reader, stream, hold.span))
            .collect()
    }

    /// Leaves in `recorded` of a stream's coverage exactly what may be read: what is expired shows as deleted, but for what the
    /// named hold keeps; what else is there and may not be seen is returned, by time.
    ///
    /// # Errors
    /// What the catalog says.
    pub fn limit(
        &self,
        reader: &Reader,
        stream: &StreamId,
        coverage: &mut Coverage,
    ) -> Result<Vec<Withheld>> {
        let mut own = None;
        if let Some(named) = &self.named {
            let mut within = Vec::new();
            if named.cameras.contains(&stream.camera) {
                let span = in_whole_segments(reader, stream, named.span)?;
                (within, coverage.recorded) = split(&coverage.recorded, span);
            }
            own = Some(within);
        }
        if let Some(before) = self.before {
            coverage.expire(reader.readable_from(stream, before)?);
        }
        let mut withheld = Vec::new();
        if let Some(own) = own {
            let others = std::mem::replace(&mut coverage.recorded, own);
            let why = Why::Other;
            withheld.extend(others.into_iter().map(|span| Withheld { span, why }));
        }
        for span in self.restricted(reader, stream)? {
            let (within, left) = split(&coverage.recorded, span);
            coverage.recorded = left;
            let why = Why::Restricted;
            withheld.extend(within.into_iter().map(|span| Withheld { span, why }));
        }
        withheld.sort_by_key(|part| part.span.start);
        Ok(withheld)
    }

    /// True when a segment from `start` to `end` may be read.
    pub fn allows(&self, start: Wall, end: Wall) -> bool {
        let Some(camera) = &self.camera else {
            return false;
        };
        let named = self.named.as_ref();
        let is_restricted = self.restrictions.iter().any(|hold| {
            hold.holds(camera, start, end) && named.is_none_or(|named| named.hold != hold.hold)
        });
        if is_restricted {
            return false;
        }
        match named {
            Some(named) => named.holds(camera, start, end),
            None => self.before.is_none_or(|before| end >= before),
        }
    }
}

/// Parts of `spans` in `span`, and what is left.
fn split(spans: &[Span], span: Span) -> (Vec<Span>, Vec<Span>) {
    (
        spans.iter().filter_map(|part| part.common(span)).collect(),
        spans.iter().flat_map(|part| part.without(span)).collect(),
    )
}

/// `span`, and what else there is of the segments at its ends: a hold is of whole segments.
fn in_whole_segments(reader: &Reader, stream: &StreamId, span: Span) -> Result<Span> {
    let mut whole = span;
    for at in [span.start, span.end.plus_us(-1)] {
        let instant = Span {
            start: at,
            end: at.plus_us(1),
        };
        for row in reader.segments(stream, instant)? {
            whole.start = whole.start.min(row.start);
            whole.end = whole.end.max(row.end);
        }
    }
    Ok(whole)
}

/// What is held is not told apart from what is not there.
fn unreadable(hold: HoldId) -> Error {
    let text = format!("there is no hold {hold} for whose case footage can be read");
    Error::new(Kind::NotFound, text)
}

/// That a person may read footage for the case of a hold: what is under a preservation order nobody may, what a data subject had
/// restricted only a controller, the rest whoever may know of the hold.
///
/// # Errors
/// [`Kind::Denied`] or [`Kind::NotFound`]; what the catalog says.
pub fn check(reader: &Reader, by: &By, hold: HoldId, now: Wall) -> Result<HoldRow> {
    let found = reader.hold(hold)?.filter(|row| by.sees(row));
    let row = found.ok_or_else(|| unreadable(hold))?;
    if !row.keeps(now) {
        return Err(unreadable(hold));
    }
    if row.kind == HoldKind::PreservationOrder {
        let text = "a preservation order gives nobody a right to the content";
        return Err(Error::new(Kind::Denied, text));
    }
    let is_controller = by.role == crate::catalog::Role::Controller;
    if row.kind == HoldKind::Restriction && !is_controller {
        let text =
            "what a data subject had restricted is read only by the controller who decides it";
        return Err(Error::new(Kind::Denied, text));
    }
    Ok(row)
}
