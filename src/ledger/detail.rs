//! What may lawfully be erased from the ledger, and what then stays of it.

use std::fmt;
use std::str::FromStr;

use ring::rand::{SecureRandom, SystemRandom};

use crate::base::error::{Error, Kind, Result};
use crate::base::hash::Digest;

/// Bytes of a salt: nobody guesses what was erased by trying.
pub const SALT_BYTES: usize = 32;

/// The classes of retention of details. The text forms never change: they are in catalogs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Class {
    /// What the box did by itself: volumes, clock, sweeps, backups.
    Operation,
    /// Who signed in, or tried to.
    SignIn,
    /// What was watched, and by whom.
    Access,
    /// What was changed in the configuration.
    Configuration,
    /// Persons and their rights.
    People,
    /// Holds, and what data subjects asked for.
    Request,
    /// What left the house: exports, disclosures, anchors.
    Disclosure,
}

/// Which actions are of which class, by how they begin. The first that fits counts; what fits none is [`Class::Operation`].
const BEGINNINGS: &[(Class, &[&str])] = &[
    (
        Class::SignIn,
        &[
            "sign-",
            "session",
            "step-up",
            "vault-locked",
            "vault-unlocked",
        ],
    ),
    (Class::Access, &["playback", "live", "still", "search"]),
    (Class::Configuration, &["configuration"]),
    (
        Class::People,
        &[
            "person",
            "user",
            "role",
            "right",
            "vault",
            "generation",
            "enrol",
            "undertaking",
            "factor",
            "review",
            "passphrase",
            "language",
            "holders",
        ],
    ),
    (Class::Request, &["hold", "request", "restriction"]),
    (
        Class::Disclosure,
        &[
            "export",
            "open",
            "recovery-used",
            "disclosure",
            "anchor",
            "package",
        ],
    ),
];

impl Class {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Operation,
        Self::SignIn,
        Self::Access,
        Self::Configuration,
        Self::People,
        Self::Request,
        Self::Disclosure,
    ];

    /// Of what an action leaves.
    pub fn of(action: &str) -> Self {
        let fits = |(_, beginnings): &&(Self, &[&str])| {
            beginnings.iter().any(|with| action.starts_with(with))
        };
        BEGINNINGS
            .iter()
            .find(fits)
            .map_or(Self::Operation, |(class, _)| *class)
    }

    /// Its stable text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Operation => "operation",
            Self::SignIn => "sign-in",
            Self::Access => "access",
            Self::Configuration => "configuration",
            Self::People => "people",
            Self::Request => "request",
            Self::Disclosure => "disclosure",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Class {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|class| class.as_str() == text)
            .ok_or_else(|| {
                let all = Self::ALL.map(Self::as_str).join(", ");
                Error::invalid(format!(
                    "\"{text}\" is no class of details; there are {all}"
                ))
            })
    }
}

/// What the entry says of its details: SHA-256(salt ‖ canonical text).
pub fn commitment(salt: &[u8; SALT_BYTES], text: &str) -> Digest {
    Digest::sha256(&[salt, text.as_bytes()])
}

/// A new salt.
///
/// # Errors
/// `Io` when the operating system gives no random numbers.
pub fn salt() -> Result<[u8; SALT_BYTES]> {
    let mut salt = [0; SALT_BYTES];
    SystemRandom::new()
        .fill(&mut salt)
        .map_err(|_| Error::new(Kind::Io, "the operating system gave no random numbers"))?;
    Ok(salt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commitment_depends_on_salt_and_text() {
        let one = commitment(&[1; 32], "{}");
        assert_ne!(one, commitment(&[2; 32], "{}"));
        assert_ne!(one, commitment(&[1; 32], "{ }"));
        assert_ne!(salt().expect("salt"), salt().expect("salt"));
    }

    #[test]
    fn classes_have_texts() {
        for class in Class::ALL {
            assert_eq!(class.as_str().parse::<Class>().expect("known"), class);
        }
        assert!("other".parse::<Class>().is_err());
    }
}
