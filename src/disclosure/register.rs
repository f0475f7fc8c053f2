//! The register: who may know of which disclosure, and whether what it says agrees with the ledger.

use crate::access::Right;
use crate::base::error::Result;
use crate::base::id::DisclosureId;
use crate::catalog::{
    Cameras, DisclosureFilter, DisclosureRow, DisclosureState, Reader, Role, StepRow,
};
use crate::disclosure::act::{By, Desk, took_part, unknown};
use crate::ledger::entry;

/// Whether what a register says agrees with the ledger.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Agreement {
    /// Entries of the ledger that were looked at: of each step of each disclosure.
    pub entries: u64,
    /// Steps whose entry is not there, or says something else.
    pub wrong: Vec<u64>,
}

impl Desk<'_> {
    /// What the person may know of: an auditor and a controller of all that was asked for, others of what they did, and of what
    /// waits for a decision that they may give.
    pub fn known(&self, by: &By, filter: DisclosureFilter) -> DisclosureFilter {
        let all = matches!(by.role, Role::Controller | Role::Auditor);
        DisclosureFilter {
            drafts_of: Some(by.person.clone()),
            only_of: (!all).then(|| by.person.clone()),
            or_waiting: self.may_approve(by),
            ..filter
        }
    }

    /// The cameras of which the person may approve what others ask for.
    fn may_approve(&self, by: &By) -> Option<Cameras> {
        let standing = self.directory.get(by.person.parse().ok()?)?;
        let scope = standing.scope(Right::Approve, self.now).ok()?;
        Some(scope.cameras)
    }

    /// A disclosure that the person may know of, with its steps; to everybody else it is not there.
    ///
    /// # Errors
    /// [`Kind::NotFound`](crate::base::error::Kind::NotFound).
    pub fn find_known(
        &self,
        reader: &Reader,
        by: &By,
        disclosure: DisclosureId,
    ) -> Result<(DisclosureRow, Vec<StepRow>)> {
        let found = self.find(reader, disclosure)?;
        if !self.knows(by, &found.0, &found.1) {
            return Err(unknown(disclosure));
        }
        Ok(found)
    }

    /// True when the person may know of one disclosure, by the same rule.
    pub fn knows(&self, by: &By, row: &DisclosureRow, steps: &[StepRow]) -> bool {
        if row.state == DisclosureState::Draft {
            return row.asked_by == by.person;
        }
        let waits_for = |cameras: Cameras| {
            let asked = row.asked.iter().flat_map(|asked| &asked.cameras);
            asked.into_iter().all(|camera| cameras.has(&camera.camera))
        };
        matches!(by.role, Role::Controller | Role::Auditor)
            || took_part(&by.person, row, steps)
            || (row.state == DisclosureState::Requested
                && self.may_approve(by).is_some_and(waits_for))
    }
}

/// Compares the steps of disclosures with the ledger: each has its entry, of the same act and person, under its leaf hash.
///
/// # Errors
/// What the catalog says.
pub fn agreement(reader: &Reader, rows: &[DisclosureRow]) -> Result<Agreement> {
    let (mut entries, mut wrong) = (0, Vec::new());
    for row in rows {
        for step in reader.disclosure_steps(row.disclosure)? {
            entries += 1;
            if !agrees(reader, row, &step)? {
                wrong.push(step.entry);
            }
        }
    }
    Ok(Agreement { entries, wrong })
}

fn agrees(reader: &Reader, row: &DisclosureRow, step: &StepRow) -> Result<bool> {
    let found = match reader.entry(step.entry) {
        Err(e) if e.kind() == crate::base::Kind::NotFound => return Ok(false),
        other => other?,
    };
    let is_same = found.entry.actor == step.by
        && found.entry.action == format!("disclosure-{}", step.step)
        && found.entry.object == format!("disclosure {}", row.disclosure);
    Ok(is_same && entry::leaf(&found.entry.line()?) == found.leaf)
}
