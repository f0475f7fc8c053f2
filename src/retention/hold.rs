//! What persons do with holds: place, review, extend, release; and what ends by itself. Each is one commit with its entry.
//!
//! What does not belong here: whether somebody has the right to an act at all (`access`); here is what the act is for whom.

use std::collections::BTreeSet;

use chrono::Months;
use serde_json::{Value, json};

use crate::base::error::{Error, Kind, Result};
use crate::base::id::{CameraId, HoldId};
use crate::base::time::{Span, Wall};
use crate::catalog::{
    Cameras, Catalog, Change, Event, HoldChange, HoldEnd, HoldKind, HoldRow, Reader, Role,
};

const DAY_US: i64 = 86_400_000_000;
/// What a manager placed or extended is looked at by a controller within so many days.
const FIRST_REVIEW_DAYS: i64 = 7;
/// By when a hold is looked at again, unless something else is said; and at most.
const REVIEW_DAYS: (i64, i64) = (90, 366);
/// A preservation order lasts so many months at a time.
const ORDER_MONTHS: u32 = 3;
/// It is looked at so many days before its end.
const ORDER_WARNS_DAYS: i64 = 14;
/// The longest interval of a hold, in days, and how far ahead it may reach.
const SPAN_DAYS_MAX: i64 = 3650;
const AHEAD_DAYS_MAX: i64 = 400;
const MATTER_CHARS_MAX: usize = 200;
const REASON_CHARS_MAX: usize = 1000;
/// Holds that are in force at a time.
const HOLDS_MAX: usize = 1000;

/// Who acts, by what, and what is used up by it.
#[derive(Clone, Debug)]
pub struct By {
    /// The person's id.
    pub person: String,
    /// The role by which it is allowed.
    pub role: Role,
    /// The cameras that the right reaches.
    pub cameras: Cameras,
    /// Name, address and the like: may be erased.
    pub detail: Value,
    /// What goes into the same transaction: a code that is used up.
    pub with: Vec<Change>,
}

impl By {
    /// True when the person may know of a hold: a controller of all, others of what is not secret and reaches their cameras.
    pub fn sees(&self, hold: &HoldRow) -> bool {
        match self.role {
            Role::Controller => true,
            _ => {
                !hold.kind.is_secret() && hold.cameras.iter().any(|camera| self.cameras.has(camera))
            }
        }
    }

    /// How many secret holds are in force: an auditor is told that there are so many and no more; everybody else who may not know
    /// of them is told of none.
    pub fn counts_secret(&self, holds: &[HoldRow]) -> u64 {
        if self.role != Role::Auditor {
            return 0;
        }
        let secret = holds
            .iter()
            .filter(|hold| hold.kind.is_secret() && hold.ended.is_none());
        secret.count() as u64
    }

    fn is_controller(&self) -> bool {
        self.role == Role::Controller
    }

    /// The hold with this number, if the person may know of it and it is in force.
    fn find(&self, reader: &Reader, hold: HoldId) -> Result<HoldRow> {
        let found = reader.hold(hold)?.filter(|row| self.sees(row));
        let row = found.ok_or_else(|| unknown(hold))?;
        if row.ended.is_some() {
            let text = format!("hold {hold} has ended; place a new one");
            return Err(Error::new(Kind::Exists, text));
        }
        Ok(row)
    }

    /// That the person may place, or extend, such a hold.
    fn check_kind(&self, kind: HoldKind, cameras: &BTreeSet<CameraId>) -> Result<()> {
        let is_own = matches!(kind, HoldKind::Case | HoldKind::AccessRequest);
        if !self.is_controller() && !is_own {
            let text = format!("a hold of the kind {kind} is a controller's");
            return Err(Error::new(Kind::Denied, text));
        }
        match cameras.iter().find(|camera| !self.cameras.has(camera)) {
            Some(camera) => {
                let text = format!("camera {camera} is not among one's own");
                Err(Error::new(Kind::Denied, text))
            }
            None => Ok(()),
        }
    }

    fn event(&self, row: &HoldRow, action: &str, now: Wall, detail: &Value) -> Event {
        let mut event = event(row, action, now, detail);
        event.actor.clone_from(&self.person);
        if let Some(Value::Object(members)) = &mut event.detail {
            members.insert("by".to_owned(), self.detail.clone());
        }
        event
    }

    fn commit(&self, catalog: &Catalog, change: HoldChange, event: Event) -> Result<()> {
        let mut changes = self.with.clone();
        changes.push(Change::Hold(change));
        catalog.commit(changes, event)
    }
}

fn unknown(hold: HoldId) -> Error {
    Error::new(Kind::NotFound, format!("there is no hold {hold}"))
}

/// The entry of an act. Of a secret hold it says only that there is one: the rest is in the details, which its handlers read.
fn event(row: &HoldRow, action: &str, now: Wall, detail: &Value) -> Event {
    let about = json!({
        "kind": row.kind,
        "cameras": row.cameras,
        "span": row.span,
        "until": row.until,
    });
    let mut facts = json!({ "hold": row.hold });
    let mut told = detail.clone();
    if row.kind.is_secret() {
        facts["secret"] = true.into();
        told["about"] = about;
    } else {
        facts["about"] = about;
    }
    Event {
        detail: Some(told),
        ..Event::of_box(now, action, format!("hold {}", row.hold), facts)
    }
}

/// A hold to be placed.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct NewHold {
    /// What for.
    pub kind: HoldKind,
    /// Of which cameras.
    pub cameras: BTreeSet<CameraId>,
    /// What is held; it may lie in the future.
    pub span: Span,
    /// The case, order or request, as it is called elsewhere.
    pub matter: String,
    /// Why.
    pub reason: String,
    /// It ends by itself then; of a preservation order that is three months from now.
    pub until: Option<Wall>,
    /// By when it is looked at again.
    pub review: Option<Wall>,
}

/// Places a hold: from this moment on nothing of it is deleted.
///
/// # Errors
/// [`Kind::Denied`] for a kind or a camera that is not the person's; [`Kind::Invalid`] for what cannot be; what the catalog says.
pub fn place(catalog: &Catalog, by: &By, new: NewHold, now: Wall) -> Result<HoldRow> {
    let row = plan(&catalog.reader()?, by, new, now)?;
    let detail = json!({ "matter": row.matter, "reason": row.reason });
    let event = by.event(&row, "hold-placed", now, &detail);
    by.commit(catalog, HoldChange::Placed(Box::new(row.clone())), event)?;
    Ok(row)
}

/// A hold as [`place`] would place it, for whoever places it together with something else.
///
/// # Errors
/// As [`place`].
pub fn plan(reader: &Reader, by: &By, new: NewHold, now: Wall) -> Result<HoldRow> {
    by.check_kind(new.kind, &new.cameras)?;
    let holds = reader.holds()?;
    if holds.iter().filter(|hold| hold.ended.is_none()).count() >= HOLDS_MAX {
        let text = format!("{HOLDS_MAX} holds are in force; release some first");
        return Err(Error::new(Kind::Full, text));
    }
    check(&new, now)?;
    let until = match new.kind {
        HoldKind::PreservationOrder => Some(three_months_after(now)?),
        _ => new.until,
    };
    let review = review_of(by, until, new.kind, new.review, now)?;
    let mut number = HoldId::random();
    while holds.iter().any(|hold| hold.hold == number) {
        number = HoldId::random();
    }
    Ok(HoldRow {
        hold: number,
        kind: new.kind,
        span: new.span,
        cameras: new.cameras,
        matter: new.matter.trim().to_owned(),
        reason: new.reason.trim().to_owned(),
        placed: now,
        placed_by: by.person.clone(),
        review,
        reviewed: None,
        until,
        ended: None,
    })
}

fn check(new: &NewHold, now: Wall) -> Result<()> {
    let wrong = |text: &str| Err(Error::invalid(text.to_owned()));
    if new.cameras.is_empty() || new.cameras.len() > crate::config::CAMERAS_MAX {
        return wrong("a hold is of 1 to 256 cameras");
    }
    if new.span.us() <= 0 || new.span.us() > SPAN_DAYS_MAX * DAY_US {
        return wrong("the end of what is held lies after its start, by at most ten years");
    }
    if new.span.end.us_since(now) > AHEAD_DAYS_MAX * DAY_US {
        return wrong("what is held ends at most 400 days from now; extend it later");
    }
    if new.until.is_some_and(|until| until <= now) {
        return wrong("a hold ends in the future");
    }
    text("matter", &new.matter, MATTER_CHARS_MAX)?;
    text("reason", &new.reason, REASON_CHARS_MAX)
}

fn text(what: &str, text: &str, chars_max: usize) -> Result<()> {
    let count = text.trim().chars().count();
    let is_bad = |c: char| c.is_control() && c != '\n';
    if (1..=chars_max).contains(&count) && !text.contains(is_bad) {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "the {what} has 1 to {chars_max} characters"
    )))
}

/// Three months later by the calendar.
fn three_months_after(now: Wall) -> Result<Wall> {
    let later = now.to_utc().checked_add_months(Months::new(ORDER_MONTHS));
    let later = later.ok_or_else(|| Error::invalid("the clock is at the end of time"))?;
    Ok(Wall(later.timestamp_micros()))
}

/// By when a hold is looked at again.
fn review_of(
    by: &By,
    until: Option<Wall>,
    kind: HoldKind,
    asked: Option<Wall>,
    now: Wall,
) -> Result<Wall> {
    let days = |days: i64| now.plus_us(days * DAY_US);
    if let (HoldKind::PreservationOrder, Some(until)) = (kind, until) {
        return Ok(until.plus_us(-ORDER_WARNS_DAYS * DAY_US));
    }
    if !by.is_controller() {
        return Ok(days(FIRST_REVIEW_DAYS));
    }
    let review = asked.unwrap_or_else(|| days(REVIEW_DAYS.0));
    if review <= now || review > days(REVIEW_DAYS.1) {
        let text = "a hold is looked at again between now and 366 days from now";
        return Err(Error::invalid(text));
    }
    Ok(review)
}

/// A controller stands behind a hold, until it is looked at again.
///
/// # Errors
/// [`Kind::NotFound`] for one that is unknown, [`Kind::Exists`] for one that has ended; [`Kind::Denied`] for anybody else.
pub fn review(
    catalog: &Catalog,
    by: &By,
    hold: HoldId,
    (note, next): (&str, Option<Wall>),
    now: Wall,
) -> Result<HoldRow> {
    let row = by.find(&catalog.reader()?, hold)?;
    controllers_only(by)?;
    text("note", note, REASON_CHARS_MAX)?;
    let review = review_of(by, row.until, row.kind, next, now)?;
    let change = HoldChange::Reviewed {
        hold,
        at: now,
        by: by.person.clone(),
        review,
    };
    let event = by.event(&row, "hold-reviewed", now, &json!({ "note": note.trim() }));
    by.commit(catalog, change, event)?;
    again(catalog, hold)
}

fn controllers_only(by: &By) -> Result<()> {
    if by.is_controller() {
        return Ok(());
    }
    Err(Error::new(Kind::Denied, "that is a controller's"))
}

fn again(catalog: &Catalog, hold: HoldId) -> Result<HoldRow> {
    catalog.reader()?.hold(hold)?.ok_or_else(|| unknown(hold))
}

/// How a hold is extended.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Extension {
    /// First instant that is not held any more, if that changes; never earlier than before.
    pub end: Option<Wall>,
    /// It ends by itself then, if that changes. A preservation order is renewed: three months from now.
    pub until: Option<Wall>,
    /// Why.
    pub reason: String,
}

/// A hold holds more, or for longer.
///
/// # Errors
/// As [`review`], and [`Kind::Invalid`] for what would be less than before.
pub fn extend(
    catalog: &Catalog,
    by: &By,
    hold: HoldId,
    how: &Extension,
    now: Wall,
) -> Result<HoldRow> {
    let row = by.find(&catalog.reader()?, hold)?;
    by.check_kind(row.kind, &row.cameras)?;
    text("reason", &how.reason, REASON_CHARS_MAX)?;
    let (end, until) = match row.kind {
        HoldKind::PreservationOrder => {
            if how.end.is_some() || how.until.is_some() {
                let text =
                    "a preservation order is renewed as it is; for another interval place another";
                return Err(Error::invalid(text));
            }
            (row.span.end, Some(three_months_after(now)?))
        }
        _ => (how.end.unwrap_or(row.span.end), how.until.or(row.until)),
    };
    let is_less = end < row.span.end || until < row.until;
    if is_less || (end, until) == (row.span.end, row.until) {
        return Err(Error::invalid("an extension holds more, or for longer"));
    }
    if end.us_since(now) > AHEAD_DAYS_MAX * DAY_US || until.is_some_and(|until| until <= now) {
        return Err(Error::invalid(
            "what is held ends at most 400 days from now, and the hold in the future",
        ));
    }
    let review = match row.kind {
        HoldKind::PreservationOrder => review_of(by, until, row.kind, None, now)?,
        _ if by.is_controller() => row.review,
        _ => row.review.min(now.plus_us(FIRST_REVIEW_DAYS * DAY_US)),
    };
    let change = HoldChange::Extended {
        hold,
        end,
        until,
        review,
    };
    let extended = HoldRow {
        span: Span { end, ..row.span },
        until,
        ..row
    };
    let detail = json!({ "reason": how.reason.trim() });
    let event = by.event(&extended, "hold-extended", now, &detail);
    by.commit(catalog, change, event)?;
    again(catalog, hold)
}

/// A hold ends. What it held has `after_s` seconds from now, or its ordinary time, whichever is later.
///
/// # Errors
/// As [`review`].
pub fn release(
    catalog: &Catalog,
    by: &By,
    hold: HoldId,
    (reason, after_s): (&str, u32),
    now: Wall,
) -> Result<HoldRow> {
    let row = by.find(&catalog.reader()?, hold)?;
    controllers_only(by)?;
    text("reason", reason, REASON_CHARS_MAX)?;
    let end = HoldEnd {
        at: now,
        by: by.person.clone(),
        gone: gone_after(now, after_s),
    };
    let detail = json!({ "reason": reason.trim(), "gone_after": end.gone });
    let event = by.event(&row, "hold-released", now, &detail);
    by.commit(catalog, HoldChange::Ended { hold, end }, event)?;
    again(catalog, hold)
}

/// What a hold held is kept so long after its end.
pub fn gone_after(end: Wall, after_s: u32) -> Wall {
    end.plus_us(i64::from(after_s) * 1_000_000)
}

/// Ends what ends by itself, and forgets what held nothing for a year. `now` is believed.
///
/// # Errors
/// What the catalog says.
pub fn lapse(catalog: &Catalog, reader: &Reader, after_s: u32, now: Wall) -> Result<()> {
    let holds = reader.holds()?;
    for row in holds.iter().filter(|row| row.ended.is_none()) {
        let Some(until) = row.until.filter(|until| *until <= now) else {
            continue;
        };
        let end = HoldEnd {
            at: until,
            by: "box".to_owned(),
            gone: gone_after(until, after_s),
        };
        let event = event(row, "hold-ended", now, &json!({ "gone_after": end.gone }));
        let hold = row.hold;
        catalog.commit(HoldChange::Ended { hold, end }, event)?;
    }
    // Looked for before it is asked for: else each minute would write.
    let is_over = |row: &HoldRow| {
        let gone = row.ended.as_ref().map(|end| end.gone);
        gone.is_some_and(|gone| gone < now.plus_us(-366 * DAY_US))
    };
    if holds.iter().any(is_over) {
        catalog.commit(HoldChange::Forgotten { at: now }, None)?;
    }
    Ok(())
}
