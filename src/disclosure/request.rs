//! Drafts, and asking for what they say: from that moment on the footage is held.

use std::collections::BTreeSet;

use chrono::Datelike;
use serde_json::{Value, json};

use crate::base::error::{Error, Kind, Result};
use crate::base::id::{CameraId, DisclosureId};
use crate::base::time::{Span, Wall};
use crate::base::zone::Zone;
use crate::catalog::{
    Asked, Catalog, Change, DisclosureCamera, DisclosureChange, DisclosureKind, DisclosureRow,
    DisclosureState, Event, HoldChange, HoldKind, HoldRow, NewRequest, Reader,
};
use crate::disclosure::act::{By, Desk, unknown};
use crate::disclosure::form::{DisclosureRequest, Fault, Form, Refused};
use crate::retention::hold::{self, NewHold};

/// Drafts of one person.
const DRAFTS_MAX: u64 = 20;
/// A draft that is not saved for so long is thrown away, in days.
pub const DRAFT_DAYS: i64 = 14;
/// How often a serial number is tried when others take theirs at the same moment.
const TRIES_MAX: usize = 16;

/// What snaps an interval of a camera, by its id and name: [`crate::disclosure::snap`].
pub type Snap<'a> = &'a dyn Fn(&CameraId, Span) -> Result<DisclosureCamera>;

impl Desk<'_> {
    /// Begins a draft.
    ///
    /// # Errors
    /// Fields that are not kept; [`Kind::Full`] when the person has too many drafts; what the catalog says.
    pub fn draft(
        &self,
        by: &By,
        kind: DisclosureKind,
        form: Form,
    ) -> Result<DisclosureRow, Refused> {
        let form = form.tidy()?.write()?;
        let reader = self.catalog.reader()?;
        if reader.drafts_of(&by.person)? >= DRAFTS_MAX {
            let text = format!("{DRAFTS_MAX} drafts are open; ask for some, or throw some away");
            return Err(Error::new(Kind::Full, text).into());
        }
        let mut number = DisclosureId::random();
        while reader.disclosure(number)?.is_some() {
            number = DisclosureId::random();
        }
        let row = DisclosureRow::draft(number, kind, form, (&by.person, self.now));
        let event = self.event(by, &row, "drafted", &Value::Null);
        let change = DisclosureChange::Drafted(Box::new(row));
        self.catalog.commit(self.with(by, change), event)?;
        Ok(self.again(number)?)
    }

    pub(super) fn with(&self, by: &By, change: DisclosureChange) -> Vec<Change> {
        let mut changes = by.with.clone();
        changes.push(Change::Disclosure(change));
        changes
    }

    /// A draft of the person's own.
    fn own_draft(&self, by: &By, disclosure: DisclosureId) -> Result<DisclosureRow> {
        let found = self.catalog.reader()?.disclosure(disclosure)?;
        let row = found.filter(|row| row.asked_by == by.person);
        let row = row.ok_or_else(|| unknown(disclosure))?;
        if row.state != DisclosureState::Draft {
            let text = format!("it is {} and no draft any more", row.state);
            return Err(Error::new(Kind::Exists, text));
        }
        Ok(row)
    }

    /// Saves a draft of the person's own, as it was read with `version`. Nothing goes into the ledger.
    ///
    /// # Errors
    /// Fields that are not kept; [`Kind::Exists`] when it was saved elsewhere meanwhile; [`Kind::NotFound`].
    pub fn save(
        &self,
        by: &By,
        (disclosure, version): (DisclosureId, u32),
        kind: DisclosureKind,
        form: Form,
    ) -> Result<DisclosureRow, Refused> {
        let form = form.tidy()?.write()?;
        self.own_draft(by, disclosure)?;
        let change = DisclosureChange::Saved {
            disclosure,
            version,
            kind,
            form,
            at: self.now,
        };
        self.catalog.commit(change, None)?;
        Ok(self.again(disclosure)?)
    }

    /// Throws a draft of the person's own away.
    ///
    /// # Errors
    /// [`Kind::NotFound`] or [`Kind::Exists`] when it is none.
    pub fn discard(&self, by: &By, disclosure: DisclosureId) -> Result<()> {
        let row = self.own_draft(by, disclosure)?;
        let event = self.event(by, &row, "discarded", &Value::Null);
        let change = DisclosureChange::Discarded { disclosure };
        self.catalog.commit(self.with(by, change), event)
    }

    /// Asks for what a draft of the person's own says: it gets its serial number, and its footage is held, in one transaction.
    ///
    /// # Errors
    /// Every field that is missing or wrong; [`Kind::Denied`] for a camera that is not the person's; [`Kind::Exists`] when it was
    /// saved elsewhere meanwhile; what `snap` says.
    pub fn request(
        &self,
        by: &By,
        (disclosure, version): (DisclosureId, u32),
        zone: Zone,
        snap: Snap<'_>,
    ) -> Result<DisclosureRow, Refused> {
        let row = self.own_draft(by, disclosure)?;
        let today = zone.date(self.now);
        let form = Form::read(&row.form)?;
        let request = DisclosureRequest::parse(row.kind, form, self.catalogue, (today, self.now))?;
        if let Some(other) = request.cameras.iter().find(|id| !by.cameras.has(id)) {
            let text = format!("camera {other} is not among one's own");
            return Err(Error::new(Kind::Denied, text).into());
        }
        let cameras = cameras(&request, snap)?;
        let year = u16::try_from(today.year())
            .map_err(|_| Error::invalid("the clock is at the end of time"))?;
        for _ in 0..TRIES_MAX {
            match self.try_request(by, (&row, version), (&request, &cameras), year) {
                Err(e) if e.kind() == Kind::Busy => {}
                other => return Ok(other?),
            }
        }
        let text = "others ask at the same moment; ask again";
        Err(Error::new(Kind::Busy, text).into())
    }

    /// [`Kind::Busy`] when another took the number meanwhile.
    fn try_request(
        &self,
        by: &By,
        (row, version): (&DisclosureRow, u32),
        (request, cameras): (&DisclosureRequest, &[DisclosureCamera]),
        year: u16,
    ) -> Result<DisclosureRow> {
        let reader = self.catalog.reader()?;
        let serial = reader.next_serial(year)?;
        let held = self.plan_hold(by, request, (cameras, &serial.to_string()))?;
        let asked = Asked {
            serial,
            at: self.now,
            due: request.due,
            hold: held.hold,
            basis: request.basis.code.clone(),
            purpose: request.purpose.code.clone(),
            recipient: request.sought(),
            approvers: request.approvers(),
            cameras: cameras.to_vec(),
        };
        let form = request.form.write()?;
        let asked_row = DisclosureRow {
            asked: Some(asked.clone()),
            ..row.clone()
        };
        let event = self.event(by, &asked_row, "requested", &form);
        let new = NewRequest {
            disclosure: row.disclosure,
            version,
            form,
            secret: request.form.secret,
            asked,
            by: by.person.clone(),
            detail: json!({ "catalogue": self.catalogue.version }),
        };
        let mut changes = self.with(by, DisclosureChange::Requested(Box::new(new)));
        changes.push(Change::Hold(HoldChange::Placed(Box::new(held))));
        self.catalog.commit(changes, event)?;
        self.again(row.disclosure)
    }

    /// The hold that goes with a request: exactly its cameras, and the interval that may be given of them.
    fn plan_hold(
        &self,
        by: &By,
        request: &DisclosureRequest,
        (cameras, serial): (&[DisclosureCamera], &str),
    ) -> Result<HoldRow> {
        let start = cameras.iter().map(|c| c.given.start).min();
        let end = cameras.iter().map(|c| c.given.end).max();
        let new = NewHold {
            kind: match request.kind {
                DisclosureKind::AccessRequest => HoldKind::AccessRequest,
                _ => HoldKind::Case,
            },
            cameras: BTreeSet::from_iter(request.cameras.iter().cloned()),
            span: Span {
                start: start.unwrap_or(request.span.start),
                end: end.unwrap_or(request.span.end),
            },
            matter: format!("disclosure {serial}"),
            reason: format!("It was asked for as {}.", request.kind),
            until: None,
            review: None,
        };
        hold::plan(&self.catalog.reader()?, by, new, self.now)
    }
}

/// Throws drafts away that nobody has saved for long; how many.
///
/// # Errors
/// What the catalog says.
pub fn lapse(catalog: &Catalog, reader: &Reader, now: Wall) -> Result<usize> {
    let before = now.plus_us(-DRAFT_DAYS * 86_400_000_000);
    let stale = reader.stale_drafts(before)?;
    for disclosure in &stale {
        let object = format!("disclosure {disclosure}");
        let facts = json!({ "disclosure": disclosure, "cause": "not-saved" });
        let event = Event::of_box(now, "disclosure-discarded", object, facts);
        let disclosure = *disclosure;
        catalog.commit(DisclosureChange::Discarded { disclosure }, event)?;
    }
    Ok(stale.len())
}

/// What may be given of each camera; something has to be there.
fn cameras(request: &DisclosureRequest, snap: Snap<'_>) -> Result<Vec<DisclosureCamera>, Refused> {
    let mut found = Vec::new();
    for camera in &request.cameras {
        found.push(snap(camera, request.span)?);
    }
    let is_empty = |c: &DisclosureCamera| {
        let missing: i64 = c.gaps.iter().map(|gap| gap.span.us()).sum();
        missing >= c.asked.us()
    };
    if let Some(empty) = found.iter().find(|c| is_empty(c)) {
        let what = format!(
            "of camera {} nothing of that time can be given",
            empty.camera
        );
        return Err(Refused::Fields(vec![Fault {
            field: "cameras",
            what,
        }]));
    }
    Ok(found)
}
