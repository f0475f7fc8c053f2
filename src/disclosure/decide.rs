//! Approving and refusing: by another person than the one who asked, whatever their roles; taking back.

use serde_json::{Value, json};

use crate::access::Refusal;
use crate::base::error::{Error, Kind, Result};
use crate::base::id::{DisclosureId, PersonId};
use crate::catalog::{
    Change, DisclosureKind, DisclosureRow, DisclosureState, DisclosureStep, Role, StepRow, What,
};
use crate::disclosure::act::{By, Desk, right_to_decide, standing_approvers};
use crate::disclosure::form::Form;

/// What is decided.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// It may be given.
    Approve,
    /// It may not.
    Refuse,
}

impl Desk<'_> {
    /// A person decides. `by` is who shows a fresh factor at this moment, and not whoever asked.
    ///
    /// # Errors
    /// [`Kind::Denied`] for who asked, who may not, or whose cameras it is not of; [`Kind::Exists`] when it is decided already;
    /// [`Kind::NotFound`]; what the catalog says.
    pub fn decide(
        &self,
        by: &By,
        disclosure: DisclosureId,
        (decision, reason): (Decision, &str),
    ) -> Result<DisclosureRow> {
        let reason = super::act::remark("reason", reason)?;
        let (row, steps) = self.find(&self.catalog.reader()?, disclosure)?;
        if row.state == DisclosureState::Draft {
            return Err(super::act::unknown(disclosure));
        }
        self.check_decider(by, &row)?;
        let detail = json!({ "reason": reason });
        let frozen = self.frozen(&row)?;
        match decision {
            Decision::Refuse => {
                // A refused data subject may complain: their footage stays until a controller releases it.
                let over = match row.kind {
                    DisclosureKind::AccessRequest => Vec::new(),
                    _ => self.hold_over(by, &row)?,
                };
                self.step(by, &row, (What::Refuse { frozen }, detail), over)
            }
            Decision::Approve => {
                let enough = self.would_be_enough(by, &row, &steps)?;
                self.step(
                    by,
                    &row,
                    (What::Approve { enough, frozen }, detail),
                    Vec::new(),
                )
            }
        }
    }

    /// That the person may decide it: now, whatever was so when they signed in.
    fn check_decider(&self, by: &By, row: &DisclosureRow) -> Result<()> {
        let denied = |why: &str| Err(Error::new(Kind::Denied, why.to_owned()));
        let account = |person: &str| {
            let id: Option<PersonId> = person.parse().ok();
            id.and_then(|id| self.directory.get(id))
        };
        let Some(decider) = account(&by.person) else {
            return denied("the person is not known any more");
        };
        let is_asker = row.asked_by == by.person
            || account(&row.asked_by)
                .is_some_and(|asker| asker.account.name == decider.account.name);
        if is_asker {
            return denied("nobody decides what they asked for themselves; another person has to");
        }
        let may = decider
            .check(self.now)
            .and_then(|()| decider.scope(right_to_decide(row.kind), self.now));
        let scope = match may {
            Ok(scope) => scope,
            Err(Refusal::WrongRole) if row.kind == DisclosureKind::AccessRequest => {
                return denied("what a data subject asks for is decided by a controller");
            }
            Err(why) => return denied(&format!("who decides may not: {}", why.as_str())),
        };
        let cameras = row.asked.iter().flat_map(|asked| &asked.cameras);
        if cameras.into_iter().any(|c| !scope.cameras.has(&c.camera)) {
            return denied("it is of a camera that is not among one's own");
        }
        Ok(())
    }

    /// Whether the approval of one more makes it approved. One that is approved can be approved anew once a former approver may
    /// not any more.
    fn would_be_enough(&self, by: &By, row: &DisclosureRow, steps: &[StepRow]) -> Result<bool> {
        let mut standing = standing_approvers(self.directory, row, steps, self.now);
        let needed = row
            .asked
            .as_ref()
            .map_or(1, |asked| usize::from(asked.approvers));
        if row.state == DisclosureState::Approved && standing.len() >= needed {
            return Err(Error::new(Kind::Exists, "it is approved already"));
        }
        standing.push(by.person.clone());
        standing.sort();
        standing.dedup();
        // Once approved it stays so: whether enough still stand behind it is asked anew when something is made of it.
        Ok(row.state == DisclosureState::Approved || standing.len() >= needed)
    }

    /// The catalogue's texts at this moment, for what was asked for.
    fn frozen(&self, row: &DisclosureRow) -> Result<Value> {
        let form = Form::read(&row.form)?;
        let find = |list: &[crate::config::Choice], code: &Option<String>| {
            let found = list.iter().find(|c| Some(&c.code) == code.as_ref());
            found.map(|c| json!({ "code": c.code, "from": c.from.to_string(), "texts": c.texts }))
        };
        let catalogue = self.catalogue;
        Ok(json!({
            "version": catalogue.version,
            "note": catalogue.note,
            "basis": find(&catalogue.bases, &form.basis),
            "purpose": find(&catalogue.purposes, &form.purpose),
            "recipient": find(&catalogue.recipients, &form.recipient),
            "kind": catalogue.kind(row.kind.as_str()).map(|rules| &rules.texts),
        }))
    }

    /// Takes one back before it is handed over: whoever asked, or a controller.
    ///
    /// # Errors
    /// [`Kind::Denied`] for anybody else; [`Kind::Exists`] when it is too late.
    pub fn withdraw(
        &self,
        by: &By,
        disclosure: DisclosureId,
        reason: &str,
    ) -> Result<DisclosureRow> {
        let reason = super::act::remark("reason", reason)?;
        let reader = self.catalog.reader()?;
        let (row, _) = self.find_for(&reader, by, disclosure)?;
        if row.asked_by != by.person && by.role != Role::Controller {
            let text = "whoever asked for it takes it back, or a controller";
            return Err(Error::new(Kind::Denied, text));
        }
        let over: Vec<Change> = self.hold_over(by, &row)?;
        self.step(
            by,
            &row,
            (What::Withdraw, json!({ "reason": reason })),
            over,
        )
    }
}

/// Who approved it, in order.
pub fn approvers(steps: &[StepRow]) -> Vec<&str> {
    let approved = steps.iter().filter(|s| s.step == DisclosureStep::Approved);
    approved.map(|step| step.by.as_str()).collect()
}
