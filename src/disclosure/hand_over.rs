//! Handing over, showing and telling; the receipt; the house's own copies destroyed; what an auditor says of it.

use serde_json::{Value, json};

use crate::base::error::{Error, Kind, Result};
use crate::base::id::DisclosureId;
use crate::base::time::Wall;
use crate::catalog::{Change, DisclosureChange, DisclosureRow, DisclosureState, Role, What};
use crate::disclosure::act::{By, Desk, REMARK_CHARS_MAX, check_approvers, remark};
use crate::disclosure::form::text_fault;

/// The house's own copies are destroyed within so many days of the hand-over.
pub const COPIES_DAYS: i64 = 14;
const DAY_US: i64 = 86_400_000_000;

/// How something was handed over, shown or told.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct HandOver {
    /// To whom: name, rank.
    pub to: String,
    /// When; not after now, and not before it was approved or prepared.
    pub at: Wall,
    /// How it was checked who that is. No number of a document is kept.
    pub identity: String,
    /// On what: USB stick with its serial number, read-only disc, shown on the screen.
    pub medium: String,
    /// Whether it is encrypted, and how the passphrase went another way.
    pub encryption: Option<String>,
    /// The house's own copies are destroyed by then; default and at most 14 days after.
    pub copies_until: Option<Wall>,
}

fn optional(field: &str, text: Option<&str>) -> Result<Option<String>> {
    let text = text.map(str::trim).filter(|text| !text.is_empty());
    text.map(|text| remark(field, text)).transpose()
}

impl Desk<'_> {
    /// Notes that it was handed over, shown or told.
    ///
    /// # Errors
    /// [`Kind::Denied`] when it is not the person's, or who approved it may not any more; [`Kind::Exists`] for one that is not so
    /// far; [`Kind::Invalid`] for what cannot be.
    pub fn hand_over(
        &self,
        by: &By,
        disclosure: DisclosureId,
        how: &HandOver,
    ) -> Result<DisclosureRow> {
        let (row, steps) = self.find_for(&self.catalog.reader()?, by, disclosure)?;
        check_approvers(self.directory, &row, &steps, self.now)?;
        let ready = row.prepared.map(|(at, _)| at).or(row.decided);
        if how.at > self.now || ready.is_some_and(|ready| how.at < ready) {
            let text = "at: it lies between the moment when it was ready and now";
            return Err(Error::invalid(text));
        }
        let has_file = row.kind.has_file();
        let latest = how.at.plus_us(COPIES_DAYS * DAY_US);
        let until = how.copies_until.unwrap_or(latest);
        if until > latest || until < how.at {
            let text = format!("copies_until: own copies are destroyed within {COPIES_DAYS} days");
            return Err(Error::invalid(text));
        }
        let detail = json!({
            "to": remark("to", &how.to)?,
            "at": how.at,
            "identity": remark("identity", &how.identity)?,
            "medium": remark("medium", &how.medium)?,
            "encryption": optional("encryption", how.encryption.as_deref())?,
        });
        let copies_until = has_file.then_some(until);
        // Nothing was given that could be asked for again by what is written on it: the hold ends with it.
        let over = if has_file {
            Vec::new()
        } else {
            self.hold_over(by, &row)?
        };
        let handed = how.at;
        let what = What::HandOver {
            handed,
            copies_until,
        };
        self.step(by, &row, (what, detail), over)
    }

    /// Notes that the receipt is confirmed: signed, or how else.
    ///
    /// # Errors
    /// As [`Desk::hand_over`].
    pub fn receive(&self, by: &By, disclosure: DisclosureId, how: &str) -> Result<DisclosureRow> {
        let how = remark("how", how)?;
        let (row, _) = self.find_for(&self.catalog.reader()?, by, disclosure)?;
        let over = self.hold_over(by, &row)?;
        self.step(by, &row, (What::Receive, json!({ "how": how })), over)
    }

    /// Notes that the house's own copies are destroyed, those outside of the box too.
    ///
    /// # Errors
    /// As [`Desk::hand_over`]; [`Kind::Exists`] while the box itself still has parts of its package.
    pub fn destroy(&self, by: &By, disclosure: DisclosureId, how: &str) -> Result<DisclosureRow> {
        let how = remark("how", how)?;
        let (row, _) = self.find_for(&self.catalog.reader()?, by, disclosure)?;
        self.step(by, &row, (What::Destroy, json!({ "how": how })), Vec::new())
    }

    /// An auditor has looked at it, and may say something.
    ///
    /// # Errors
    /// [`Kind::Denied`] for anybody else; [`Kind::NotFound`].
    pub fn review(
        &self,
        by: &By,
        disclosure: DisclosureId,
        said: Option<&str>,
    ) -> Result<DisclosureRow> {
        if by.role != Role::Auditor {
            let text = "an auditor marks what was reviewed";
            return Err(Error::new(Kind::Denied, text));
        }
        let said = said.map(str::trim).filter(|text| !text.is_empty());
        if let Some(what) = said.and_then(|text| text_fault(text, REMARK_CHARS_MAX)) {
            return Err(Error::invalid(format!("remark: {what}")));
        }
        let (row, _) = self.find(&self.catalog.reader()?, disclosure)?;
        if row.state == DisclosureState::Draft {
            return Err(super::act::unknown(disclosure));
        }
        let detail = said.map_or(Value::Null, |text| json!({ "remark": text }));
        let event = self.event(by, &row, "reviewed", &detail);
        let change = DisclosureChange::Reviewed {
            disclosure,
            at: self.now,
            by: by.person.clone(),
            remark: said.map(str::to_owned),
        };
        let mut changes = by.with.clone();
        changes.push(Change::Disclosure(change));
        self.catalog.commit(changes, event)?;
        self.again(disclosure)
    }
}
