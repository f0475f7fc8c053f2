//! What every step of a disclosure shares: who may know of it, its entry in the ledger, the hold that goes with it.

use serde_json::{Value, json};

use crate::access::{Directory, Right};
use crate::base::error::{Error, Kind, Result};
use crate::base::id::{DisclosureId, PersonId};
use crate::base::time::Wall;
use crate::catalog::{
    Catalog, Change, DisclosureChange, DisclosureKind, DisclosureRow, DisclosureState,
    DisclosureStep, Event, HoldChange, HoldEnd, Reader, Role, StepRow, Stepped, What,
};
use crate::config::Catalogue;
use crate::disclosure::form::text_fault;
use crate::retention::hold;

pub use crate::retention::hold::By;

/// A remark in words has at most so many characters.
pub const REMARK_CHARS_MAX: usize = 1000;

/// Where a step is done.
pub struct Desk<'a> {
    /// Where rows and entries are written.
    pub catalog: &'a Catalog,
    /// What is asked of whom.
    pub catalogue: &'a Catalogue,
    /// Who may what at this moment.
    pub directory: &'a Directory,
    /// What a hold held is kept so long after it, in seconds.
    pub after_release_s: u32,
    /// The time of day.
    pub now: Wall,
}

/// The right by which a disclosure of `kind` is approved: what a data subject asks for is a controller's.
pub const fn right_to_decide(kind: DisclosureKind) -> Right {
    match kind {
        DisclosureKind::AccessRequest => Right::Decide,
        _ => Right::Approve,
    }
}

/// A remark as it is kept.
///
/// # Errors
/// [`Kind::Invalid`] when it is empty, too long, or has in it what is not kept.
pub fn remark(field: &str, text: &str) -> Result<String> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Error::invalid(format!("{field}: it is missing")));
    }
    match text_fault(text, REMARK_CHARS_MAX) {
        Some(what) => Err(Error::invalid(format!("{field}: {what}"))),
        None => Ok(text.to_owned()),
    }
}

pub(super) fn unknown(disclosure: DisclosureId) -> Error {
    Error::new(
        Kind::NotFound,
        format!("there is no disclosure {disclosure}"),
    )
}

/// True when every camera of it is among those of the person.
pub(super) fn reaches(by: &By, row: &DisclosureRow) -> bool {
    let cameras = row.asked.iter().flat_map(|asked| &asked.cameras);
    cameras
        .into_iter()
        .all(|camera| by.cameras.has(&camera.camera))
}

/// True when the person asked for it, or did a step of it.
pub(super) fn took_part(person: &str, row: &DisclosureRow, steps: &[StepRow]) -> bool {
    row.asked_by == person || steps.iter().any(|step| step.by == person)
}

/// Those who approved it and still could at `now`: they may sign in, and have the right for all of its cameras.
pub fn standing_approvers(
    directory: &Directory,
    row: &DisclosureRow,
    steps: &[StepRow],
    now: Wall,
) -> Vec<String> {
    let approved = steps.iter().filter(|s| s.step == DisclosureStep::Approved);
    let stands = |person: &&str| {
        let id: Option<PersonId> = person.parse().ok();
        let standing = id.and_then(|id| directory.get(id));
        standing.is_some_and(|standing| {
            let scope = standing.scope(right_to_decide(row.kind), now);
            let cameras = row.asked.iter().flat_map(|asked| &asked.cameras);
            standing.check(now).is_ok()
                && scope.is_ok_and(|s| cameras.into_iter().all(|c| s.cameras.has(&c.camera)))
        })
    };
    let found = approved.map(|step| step.by.as_str()).filter(stands);
    found.map(str::to_owned).collect()
}

/// That enough of those who approved it still could.
///
/// # Errors
/// [`Kind::Denied`] when not: somebody else has to approve it anew.
pub fn check_approvers(
    directory: &Directory,
    row: &DisclosureRow,
    steps: &[StepRow],
    now: Wall,
) -> Result<()> {
    let needed = row
        .asked
        .as_ref()
        .map_or(1, |asked| usize::from(asked.approvers));
    if standing_approvers(directory, row, steps, now).len() >= needed {
        return Ok(());
    }
    let text = "who approved it may not any more; another person has to approve it anew";
    Err(Error::new(Kind::Denied, text))
}

impl Desk<'_> {
    /// The disclosure with its steps.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is none.
    pub fn find(
        &self,
        reader: &Reader,
        disclosure: DisclosureId,
    ) -> Result<(DisclosureRow, Vec<StepRow>)> {
        let row = reader
            .disclosure(disclosure)?
            .ok_or_else(|| unknown(disclosure))?;
        let steps = reader.disclosure_steps(disclosure)?;
        Ok((row, steps))
    }

    /// One that was asked for, and that the person may act on: theirs by right, and all of its cameras.
    pub(super) fn find_for(
        &self,
        reader: &Reader,
        by: &By,
        disclosure: DisclosureId,
    ) -> Result<(DisclosureRow, Vec<StepRow>)> {
        let (row, steps) = self.find(reader, disclosure)?;
        let is_own = took_part(&by.person, &row, &steps);
        let is_waiting = row.state == DisclosureState::Requested;
        if row.state == DisclosureState::Draft
            || !(by.role == Role::Controller || is_own || is_waiting)
        {
            return Err(unknown(disclosure));
        }
        if !reaches(by, &row) {
            let text = "it is of a camera that is not among one's own";
            return Err(Error::new(Kind::Denied, text));
        }
        Ok((row, steps))
    }

    /// The entry of a step. What stays for ever is what it is about; names and words may be erased.
    pub(super) fn event(
        &self,
        by: &By,
        row: &DisclosureRow,
        action: &str,
        detail: &Value,
    ) -> Event {
        let mut facts = json!({
            "disclosure": row.disclosure,
            "kind": row.kind,
            "role": by.role.as_str(),
        });
        if let Some(asked) = &row.asked {
            facts["serial"] = json!(asked.serial);
            facts["hold"] = json!(asked.hold);
            facts["basis"] = json!(asked.basis);
            facts["purpose"] = json!(asked.purpose);
            let given = asked
                .cameras
                .iter()
                .map(|c| (c.camera.to_string(), json!(c.given)));
            facts["given"] = Value::Object(given.collect());
        }
        let mut told = json!({ "by": by.detail });
        if !detail.is_null() {
            told["said"] = detail.clone();
        }
        Event {
            actor: by.person.clone(),
            detail: Some(told),
            ..Event::of_box(
                self.now,
                &format!("disclosure-{action}"),
                format!("disclosure {}", row.disclosure),
                facts,
            )
        }
    }

    /// Does a step, with its entry and `more` in the same transaction; the disclosure as it is then.
    pub(super) fn step(
        &self,
        by: &By,
        row: &DisclosureRow,
        (what, detail): (What, Value),
        more: Vec<Change>,
    ) -> Result<DisclosureRow> {
        let event = self.event(by, row, what.step().as_str(), &detail);
        let stepped = Stepped {
            disclosure: row.disclosure,
            at: self.now,
            by: by.person.clone(),
            detail,
            what,
        };
        let mut changes = by.with.clone();
        changes.push(Change::Disclosure(DisclosureChange::Stepped(Box::new(
            stepped,
        ))));
        changes.extend(more);
        self.catalog.commit(changes, event)?;
        self.again(row.disclosure)
    }

    pub(super) fn again(&self, disclosure: DisclosureId) -> Result<DisclosureRow> {
        let found = self.catalog.reader()?.disclosure(disclosure)?;
        found.ok_or_else(|| unknown(disclosure))
    }

    /// The end of the hold that was placed with it, unless somebody has made it theirs since: a controller stood behind it, or
    /// it was extended. What it held is kept a while longer all the same.
    pub(super) fn hold_over(&self, by: &By, row: &DisclosureRow) -> Result<Vec<Change>> {
        let Some(asked) = &row.asked else {
            return Ok(Vec::new());
        };
        let Some(held) = self.catalog.reader()?.hold(asked.hold)? else {
            return Ok(Vec::new());
        };
        let is_as_placed = held.reviewed.is_none()
            && held.until.is_none()
            && asked.cameras.iter().all(|c| c.given.end <= held.span.end)
            && asked.cameras.iter().any(|c| c.given.end == held.span.end);
        if held.ended.is_some() || !is_as_placed {
            return Ok(Vec::new());
        }
        let end = HoldEnd {
            at: self.now,
            by: by.person.clone(),
            gone: hold::gone_after(self.now, self.after_release_s),
        };
        Ok(HoldChange::Ended {
            hold: asked.hold,
            end,
        }
        .into())
    }
}
