//! The access review: who may what, since when, by whom. Somebody looks at it regularly and confirms, reduces or removes.

use crate::access::directory::Directory;
use crate::access::keys;
use crate::access::role::Role;
use crate::base::error::{Error, Result};
use crate::base::id::PersonId;
use crate::base::time::Wall;
use crate::catalog::{AccountRow, GrantRow, Reader};

/// Rights that nobody confirmed for so long are due, in microseconds: 180 days.
pub const DUE_US: i64 = 180 * 86_400_000_000;

/// One person's line.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Line {
    /// The person.
    pub account: AccountRow,
    /// What the person holds, and held.
    pub grants: Vec<GrantRow>,
    /// Why the person may not sign in; `None`: may.
    pub refused: Option<String>,
    /// The person has set password and keys.
    pub enrolled: bool,
    /// An enrolment is open until then.
    pub enrolment_until: Option<Wall>,
    /// New vault generations are wrapped to the person.
    pub opens_vault: bool,
    /// Vault generations that somebody could still give to the person: they were made before.
    pub generations_missing: usize,
    /// Fingerprint of the person's public key.
    pub fingerprint: Option<String>,
    /// Nobody has confirmed the rights for long.
    pub review_due: bool,
}

/// Everybody's line, by name; removed persons last.
///
/// # Errors
/// What SQLite says.
pub fn review(reader: &Reader, now: Wall) -> Result<Vec<Line>> {
    let directory = Directory::read(reader)?;
    let all = reader.grants()?;
    let mut lines = Vec::new();
    for standing in directory.iter() {
        let account = standing.account.clone();
        let person = account.person;
        let opens_vault = standing.opens_vault(now);
        let last = account.reviewed.unwrap_or(account.added);
        lines.push(Line {
            grants: all.iter().filter(|g| g.person == person).cloned().collect(),
            refused: standing.check(now).err().map(|why| why.as_str().to_owned()),
            enrolled: standing.has_keys,
            enrolment_until: reader.open_enrolment(person, now)?.map(|e| e.expires),
            opens_vault,
            generations_missing: if opens_vault {
                keys::missing(reader, person)?.len()
            } else {
                0
            },
            fingerprint: fingerprint(reader, person)?,
            review_due: account.removed.is_none() && now.us_since(last) >= DUE_US,
            account,
        });
    }
    lines.sort_by(|a, b| {
        let key = |line: &Line| (line.account.removed.is_some(), line.account.name.clone());
        key(a).cmp(&key(b))
    });
    Ok(lines)
}

fn fingerprint(reader: &Reader, person: PersonId) -> Result<Option<String>> {
    let Some(row) = reader.person_of(person)? else {
        return Ok(None);
    };
    Ok(Some(
        crate::access::credential::keys_of(&row)?
            .recipient
            .fingerprint(),
    ))
}

/// True when somebody who enrolled is, or was, controller; also when a reset has taken their keys since.
pub(super) fn had_controller(reader: &Reader) -> Result<bool> {
    let removed_or_enrolled = |person: PersonId| {
        let account = reader.account_of(person)?;
        let removed = account.is_some_and(|a| a.removed.is_some());
        let enrolled = reader.person_of(person)?.is_some() || reader.ever_held(person)?;
        Ok::<_, Error>(removed || enrolled)
    };
    for grant in reader.grants()? {
        if grant.role == Role::Controller && removed_or_enrolled(grant.person)? {
            return Ok(true);
        }
    }
    Ok(false)
}
