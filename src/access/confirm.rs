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
/// along, `first` what must be written before (a code that was used up).
///
/// # Errors
/// [`Kind::Denied`] for one's own rights; [`Kind::Invalid`] before the person enrolled; what the catalog says.
pub fn confirm(
    catalog: &Catalog,
    standing: &Standing,
    by: &Confirmer,
    wraps: Vec<Wrap>,
    now: Wall,
) -> Result<()> {
    check_confirm(standing, by.person)?;
    let holders = Directory::read(&catalog.reader()?)?.holders(now).count();
    if holders >= PERSONS_MAX {
        let text = format!("{holders} persons may play back already; take the right from somebody");
        return Err(Error::new(Kind::Full, text));
    }
    let person = standing.account.person;
    let confirmed = PeopleChange::Confirmed {
        person,
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
    /// has them. How many generations are still missing. Blocks.
    ///
    /// # Errors
    /// As [`confirm`].
    pub fn confirm_rights(
        &self,
        who: &Authorised<acts::ConfirmRights>,
        name: &str,
    ) -> Result<usize> {
        let directory = self.directory();
        let standing = directory
            .named(name)
            .ok_or_else(|| Error::new(Kind::NotFound, format!("there is no person \"{name}\"")))?;
        let person = standing.account.person;
        check_confirm(standing, Some(who.person()))?;
        let reader = self.inner.catalog.reader()?;
        let keys = reader
            .person_of(person)?
            .ok_or_else(|| Error::new(Kind::NotFound, "the person has no keys"))?;
        let recipient = credential::keys_of(&keys)?.recipient;
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
        confirm(&self.inner.catalog, standing, &by, wraps, self.now())?;
        self.tick()?;
        Ok(left)
    }
}
