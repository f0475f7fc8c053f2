//! What of a stream may be read now, and by whom: what is expired by nobody, but for the one case for which it is held.

use crate::base::error::{Error, Kind, Result};
use crate::base::id::{CameraId, HoldId, StreamId};
use crate::base::time::Wall;
use crate::catalog::{HoldKind, HoldRow, Reader, StreamRow};
use crate::retention::hold::By;

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
