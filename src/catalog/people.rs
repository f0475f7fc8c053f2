//! What can happen to persons and their rights, as a value.

use rusqlite::Connection;

use crate::base::error::{Context, Result};
use crate::base::hash::Digest;
use crate::base::id::{GenerationId, PersonId};
use crate::base::time::Wall;
use crate::catalog::account::{AccountRow, Language, Noted, Undertaking, Validity};
use crate::catalog::change::Change;
use crate::catalog::factor::EnrolmentRow;
use crate::catalog::granted::GrantRow;
use crate::catalog::{account, factor, generation, granted, person};

/// One change to a person or to what a person may. `NotFound` for a person who is not known.
#[derive(Clone, Debug)]
pub enum PeopleChange {
    /// A person is known from now on. `Exists` when id or name is taken.
    Added(Box<AccountRow>),
    /// The undertaking that counts; `None`: it was withdrawn.
    Undertaking(PersonId, Option<Undertaking>),
    /// From when until when the person may sign in.
    Validity(PersonId, Validity),
    /// What the person reads.
    Language(PersonId, Language),
    /// Something happened to the person at that time.
    Noted(PersonId, Noted, Wall),
    /// A role. `Exists` when the person holds it already.
    Granted(Box<GrantRow>),
    /// A controller stands behind all that the person with these keys holds. `Denied` when the person has others by now, or
    /// no second factor.
    Confirmed {
        /// Who.
        person: PersonId,
        /// The vault's record of the keys that were compared, as JSON text.
        keys: String,
        /// When.
        at: Wall,
        /// The controller's id, `shares`, or `console`.
        by: String,
    },
    /// Until a controller confirms again, vault and approval rights of the person rest.
    Rested(PersonId),
    /// A role was taken. `NotFound` when it is not in force.
    Ended {
        /// The grant's number.
        grant: u64,
        /// When.
        at: Wall,
    },
    /// The person's keys: the first ones, or others in their place.
    Keys {
        /// Who.
        person: PersonId,
        /// Name for signing in.
        name: String,
        /// The vault's record as JSON text.
        row: String,
    },
    /// The same key pair under another passphrase. `Denied` when the person's keys are not those from before any more.
    Resealed {
        /// Who.
        person: PersonId,
        /// The vault's record from before, as JSON text.
        before: String,
        /// The new one.
        row: String,
    },
    /// A second factor in place of the one before, with its recovery codes.
    Factor {
        /// Whose.
        person: PersonId,
        /// Age ciphertext of its secret, to the person's own key.
        secret: Vec<u8>,
        /// When.
        at: Wall,
        /// Hashes of the codes.
        codes: Vec<Digest>,
    },
    /// The second factor does not count any more.
    FactorDropped(PersonId),
    /// A code of the second factor was shown. `Denied` when it, or a newer one, was shown before.
    StepUsed {
        /// Whose.
        person: PersonId,
        /// The code's time step.
        step: u64,
    },
    /// A recovery code was shown. `Denied` when it was shown before.
    CodeUsed {
        /// Whose.
        person: PersonId,
        /// The code's hash.
        hash: Digest,
        /// When.
        at: Wall,
    },
    /// A one-time enrolment, in place of those that the person has open.
    Offered(EnrolmentRow),
    /// The person has no open enrolment any more.
    Withdrawn(PersonId, Wall),
    /// An enrolment was used. `Denied` when it is not open any more.
    Enrolled {
        /// Hash of its token.
        hash: Digest,
        /// When.
        at: Wall,
    },
    /// The person has no keys any more, and opens no vault generation.
    KeysDropped(PersonId),
    /// The person opens no vault generation any more.
    WrapsDropped(PersonId),
    /// Nobody opens that generation any more: nothing is left that was recorded under it.
    GenerationDestroyed(GenerationId),
}

impl From<PeopleChange> for Change {
    fn from(change: PeopleChange) -> Self {
        Self::People(Box::new(change))
    }
}

pub(super) fn apply(db: &Connection, change: &PeopleChange) -> Result<()> {
    use PeopleChange as C;
    match change {
        C::Added(row) => account::insert(db, row).context(|| format!("adding {}", row.name)),
        C::Undertaking(person, undertaking) => {
            account::set_undertaking(db, *person, undertaking.as_ref())
                .context(|| "noting an undertaking")
        }
        C::Validity(person, valid) => account::set_validity(db, *person, *valid)
            .context(|| "setting when somebody may sign in"),
        C::Language(person, language) => {
            account::set_language(db, *person, *language).context(|| "setting a language")
        }
        C::Noted(person, what, at) => {
            account::note(db, *person, *what, *at).context(|| format!("noting {what:?}"))
        }
        C::Granted(row) => {
            granted::insert(db, row).context(|| format!("granting the role {}", row.role))
        }
        C::Confirmed {
            person,
            keys,
            at,
            by,
        } => person::check_same(db, *person, keys)
            .and_then(|()| factor::check_set(db, *person))
            .and_then(|()| granted::confirm(db, *person, *at, by))
            .context(|| "confirming rights"),
        C::Rested(person) => granted::rest(db, *person).context(|| "letting rights rest"),
        C::Ended { grant, at } => granted::end(db, *grant, *at).context(|| "taking a role"),
        C::Keys { person, name, row } => {
            person::put(db, *person, name, row).context(|| format!("setting the keys of {person}"))
        }
        C::Resealed {
            person,
            before,
            row,
        } => person::reseal(db, *person, before, row)
            .context(|| format!("changing the passphrase of {person}")),
        C::KeysDropped(person) => generation::drop_wraps_of(db, *person)
            .and_then(|()| person::drop(db, *person))
            .context(|| format!("dropping the keys of {person}")),
        C::WrapsDropped(person) => {
            generation::drop_wraps_of(db, *person).context(|| "dropping a person's wraps")
        }
        C::GenerationDestroyed(id) => {
            generation::destroy(db, *id).context(|| format!("destroying vault generation {id}"))
        }
        other => apply_factor(db, other),
    }
}

/// What has to do with showing who one is.
fn apply_factor(db: &Connection, change: &PeopleChange) -> Result<()> {
    use PeopleChange as C;
    match change {
        C::Factor {
            person,
            secret,
            at,
            codes,
        } => factor::set(db, *person, secret, *at, codes).context(|| "setting a second factor"),
        C::FactorDropped(person) => {
            factor::drop(db, *person).context(|| "dropping a second factor")
        }
        C::StepUsed { person, step } => factor::use_step(db, *person, *step),
        C::CodeUsed { person, hash, at } => factor::use_code(db, *person, hash, *at),
        C::Offered(row) => factor::offer(db, row).context(|| "making an enrolment"),
        C::Withdrawn(person, at) => {
            factor::withdraw(db, *person, *at).context(|| "withdrawing an enrolment")
        }
        C::Enrolled { hash, at } => factor::enrolled(db, hash, *at),
        _ => Ok(()),
    }
}
