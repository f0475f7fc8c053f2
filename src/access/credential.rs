//! Showing who one is: the password first, then the second factor. The same for a sign-in and for a command at the console.
//!
//! What does not belong here: sessions, delays, events.

use crate::access::totp::{self, Secret};
use crate::base::error::{Error, Kind, Result};
use crate::base::hash::Digest;
use crate::base::id::PersonId;
use crate::base::time::Wall;
use crate::catalog::{FactorRow, PeopleChange};
use crate::vault::identity::Identity;
use crate::vault::person::PersonRow;
use crate::vault::wrap;

/// What a code used up.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Used {
    /// The code of a time step.
    Step(u64),
    /// The recovery code with this hash.
    Code(Digest),
}

impl Used {
    /// As a change: it fails when the code, or a newer one, was used before.
    pub fn by(self, person: PersonId, at: Wall) -> PeopleChange {
        match self {
            Self::Step(step) => PeopleChange::StepUsed { person, step },
            Self::Code(hash) => PeopleChange::CodeUsed { person, hash, at },
        }
    }
}

/// Somebody who has shown password and factor.
pub struct Proven {
    /// The person's own key.
    pub identity: Identity,
    /// The second factor as it is stored: whether it still counts later.
    pub factor: Vec<u8>,
    /// The secret of the second factor, to step up later.
    pub secret: Secret,
    /// What was used up by it. Whoever acts on the proof writes this first: it fails when the code was used before.
    pub used: Used,
}

/// The password alone: the person's own key. It costs one run of Argon2id.
///
/// # Errors
/// [`Kind::Denied`] when it is wrong; [`Kind::Corrupt`] when the row was changed.
pub fn open(keys: &PersonRow, password: &str) -> Result<Identity> {
    keys.open(password)
}

/// Password and second factor. The factor is looked at only when the password is right.
///
/// # Errors
/// [`Kind::Denied`] when one of them is wrong, in the same words; [`Kind::Corrupt`] when what is stored was changed.
pub fn prove(
    keys: &PersonRow,
    factor: &FactorRow,
    password: &str,
    code: &str,
    now: Wall,
) -> Result<Proven> {
    let identity = open(keys, password).map_err(|e| match e.kind() {
        Kind::Denied => denied(),
        _ => e,
    })?;
    let secret = secret_of(factor, &identity)?;
    let used = totp::check(factor, &secret, code, now).ok_or_else(denied)?;
    Ok(Proven {
        identity,
        factor: factor.secret.clone(),
        secret,
        used,
    })
}

/// The secret of a second factor, opened with the person's own key.
///
/// # Errors
/// [`Kind::Corrupt`] when it was changed.
pub fn secret_of(factor: &FactorRow, identity: &Identity) -> Result<Secret> {
    wrap::unwrap(&factor.secret, &[identity])
        .map(Secret::from_bytes)
        .map_err(|e| {
            e.attempted("opening the second factor")
                .as_kind(Kind::Corrupt)
        })
}

fn denied() -> Error {
    Error::new(
        Kind::Denied,
        "name, passphrase or code is wrong, or the code was used already; wait for the next code",
    )
}

/// The vault's record out of its JSON text.
///
/// # Errors
/// [`Kind::Corrupt`] when it cannot be read.
pub fn keys_of(row: &crate::catalog::PersonRow) -> Result<PersonRow> {
    serde_json::from_str(&row.row)
        .map_err(|e| Error::corrupt(format!("the keys of \"{}\" cannot be read: {e}", row.name)))
}
