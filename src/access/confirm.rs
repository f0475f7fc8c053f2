//! Standing behind somebody's rights: a controller, or whoever has two recovery shares, confirms what a person holds and gives
//! the older vault generations along.

use serde_json::{Value, json};

use crate::access::directory::{Directory, Standing};
use crate::access::role::acts;
use crate::access::{Access, Authorised, credential, keys};
use crate::base::error::{Error, Kind, Result};
use crate::base::id::PersonId;
use crate::base::time::Wall;
use crate::catalog::{Catalog, Change, Event, PeopleChange};
use crate::vault::generation::{PERSONS_MAX, Wrap};
use crate::vault::identity::Recipient;

/// That a controller may stand behind the rights of `person`: keys are there to be confirmed, and they are another's.
fn check_confirm(standing: &Standing, by: Option<PersonId>) -> Result<()> {
    if by == Some(standing.account.person) {
        let text =
            "nobody confirms their own rights; another controller does, or two of the three shares";
        return Err(Error::new(Kind::Denied, text));
    }
    if !standing.has_keys {
        let text = format!(
            "\"{}\" has not enrolled yet; what is confirmed is a person with their keys",
            standing.account.name
        );
        return Err(Error::invalid(text));
    }
    Ok(())
}

/// A controller, or whoever has two shares, stands behind all that a person holds; `wraps` are the generations that they give
/// along. `compared` is the person's public key as whoever confirms compared it.
///
/// # Errors
/// [`Kind::Denied`] for one's own rights, and when the person's key is another by now; [`Kind::Invalid`] before the person enrolled; what the catalog says.
pub fn confirm(
    catalog: &Catalog,
    standing: &Standing,
    compared: &Recipient,
    by: &Confirmer,
    wraps: Vec<Wrap>,
    now: Wall,
) -> Result<()> {
    check_confirm(standing, by.person)?;
    let reader = catalog.reader()?;
    let person = standing.account.person;
    let keys = reader.person_of(person)?.ok_or_else(other_key)?;
    if credential::keys_of(&keys)?.recipient != *compared {
        return Err(other_key());
    }
    let holders = Directory::read(&reader)?.holders(now).count();
    if holders >= PERSONS_MAX {
        let text = format!("{holders} persons may play back already; take the right from somebody");
        return Err(Error::new(Kind::Full, text));
    }
    let confirmed = PeopleChange::Confirmed {
        person,
        keys: keys.row,
        at: now,
        by: by.id(),
    };
    let given: Vec<_> = wraps.iter().map(|wrap| wrap.generation).collect();
    let event = Event {
        actor: by.id(),
        detail: Some(json!({ "name": standing.account.name, "by": by.detail })),
        ..Event::of_box(
            now,
            if by.person.is_some() {
                "rights-confirmed"
            } else {
                "recovery-used"
            },
            person,
            json!({ "generations": given.len() }),
        )
    };
    let mut changes: Vec<Change> = by.used.iter().cloned().map(Change::from).collect();
    changes.push(confirmed.into());
    changes.extend(wraps.into_iter().map(keys::wrap_added));
    catalog.commit(changes, event)
}

fn other_key() -> Error {
    let text = "the person's key is not the one that was compared; compare its fingerprint again";
    Error::new(Kind::Denied, text)
}

/// Who confirms.
#[derive(Clone, Debug)]
pub struct Confirmer {
    /// The controller; `None`: two of the three shares.
    pub person: Option<PersonId>,
    /// A code that was used up by it.
    pub used: Option<PeopleChange>,
    /// From where, and the like: may be erased.
    pub detail: Value,
}

impl Confirmer {
    fn id(&self) -> String {
        self.person
            .map_or_else(|| "shares".to_owned(), |person| person.to_string())
    }
}

impl Access {
    /// A controller stands behind all that `name` holds, and gives the older generations along as far as their own open vault
    /// has them. `fingerprint` is the one that the controller compared. How many generations are still missing. Blocks.
    ///
    /// # Errors
    /// As [`confirm`].
    pub fn confirm_rights(
        &self,
        who: &Authorised<acts::ConfirmRights>,
        name: &str,
        fingerprint: &str,
    ) -> Result<usize> {
        let left = self.one_by_one(|| self.confirm_now(who, name, fingerprint))?;
        self.tick()?;
        Ok(left)
    }

    fn confirm_now(
        &self,
        who: &Authorised<acts::ConfirmRights>,
        name: &str,
        fingerprint: &str,
    ) -> Result<usize> {
        let reader = self.inner.catalog.reader()?;
        // As it is now: what was read before may have been changed by others since.
        let directory = Directory::read(&reader)?;
        let standing = directory
            .named(name)
            .ok_or_else(|| Error::new(Kind::NotFound, format!("there is no person \"{name}\"")))?;
        let person = standing.account.person;
        check_confirm(standing, Some(who.person()))?;
        let keys = reader
            .person_of(person)?
            .ok_or_else(|| Error::new(Kind::NotFound, "the person has no keys"))?;
        let recipient = credential::keys_of(&keys)?.recipient;
        if recipient.fingerprint() != fingerprint {
            return Err(other_key());
        }
        let opens = standing.grants.iter().any(|g| g.role.opens_vault());
        let missing = if opens {
            keys::missing(&reader, person)?
        } else {
            Vec::new()
        };
        let own = reader.wraps(who.person())?;
        let wraps = who
            .vault()
            .with_identity(|identity| {
                keys::older_wraps(&missing, &own, identity, person, &recipient)
            })
            .transpose()?
            .unwrap_or_default();
        let left = missing.len() - wraps.len();
        let by = Confirmer {
            person: Some(who.person()),
            used: None,
            detail: json!({ "address": who.address() }),
        };
        let catalog = &self.inner.catalog;
        confirm(catalog, standing, &recipient, &by, wraps, self.now())?;
        Ok(left)
    }
}
