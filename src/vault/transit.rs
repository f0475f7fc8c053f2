//! What a command hands the running recorder: the vault generations that a person has just opened, and the passphrase of a package,
//! wrapped to a key that the recorder made for this and holds in memory alone.
//!
//! What does not belong here: sockets, who may do it.

use std::collections::HashMap;

use zeroize::Zeroizing;

use crate::base::id::{GenerationId, PersonId};
use crate::base::secret::SegmentKey;
use crate::base::{Error, Kind, Result};
use crate::vault::generation::{self, Generation, Wrap};
use crate::vault::identity::{Identity, Recipient};
use crate::vault::opener::Opener;
use crate::vault::slot::WrappedKey;
use crate::vault::wrap;

/// Generations that are handed over at once, the newest first: so many fit into one question.
pub const GENERATIONS_MAX: usize = 64;

/// What is handed over. Nothing in it is in the clear.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Handed {
    generations: Vec<Wrap>,
    passphrase: Option<Wrapped>,
}

/// An age file.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
struct Wrapped(#[serde(with = "crate::vault::text")] Vec<u8>);

/// Vault generations that are open. Zeroised when dropped.
#[derive(Debug, Default)]
pub struct Opened(HashMap<GenerationId, Identity>);

impl Handed {
    /// Wraps what `person` opened, and the passphrase of a package if there is one, to the recorder's key.
    ///
    /// # Errors
    /// [`Kind::Denied`] when an identity is not its generation's.
    pub fn wrap(
        opened: &[(Generation, Identity)],
        person: PersonId,
        passphrase: Option<&str>,
        to: &Recipient,
    ) -> Result<Self> {
        let mut newest: Vec<_> = opened.iter().collect();
        newest.sort_by_key(|(generation, _)| std::cmp::Reverse(generation.created));
        newest.truncate(GENERATIONS_MAX);
        let wraps = newest
            .into_iter()
            .map(|(of, identity)| generation::wrap_for(of, identity, person, to));
        let passphrase = passphrase.map(|text| wrap::wrap(text.as_bytes(), &[to]));
        Ok(Self {
            generations: wraps.collect::<Result<_>>()?,
            passphrase: passphrase.transpose()?.map(Wrapped),
        })
    }

    /// Opens it: the generations of `known` that are in it, and the passphrase.
    ///
    /// # Errors
    /// [`Kind::Denied`] when it was wrapped to another key, such as that of a recorder before a restart.
    pub fn open(
        &self,
        with: &Identity,
        known: &[Generation],
    ) -> Result<(Opened, Option<Zeroizing<String>>)> {
        let mut opened = Opened::default();
        for of in self.generations.iter().take(GENERATIONS_MAX) {
            if let Some(known) = known.iter().find(|known| known.id == of.generation) {
                let identity = generation::open(known, &of.bytes, with)?;
                opened.0.insert(known.id, identity);
            }
        }
        let passphrase = self.passphrase.as_ref().map(|wrapped| {
            let text = wrap::unwrap(&wrapped.0, &[with])?;
            let text = std::str::from_utf8(&text);
            text.map(|text| Zeroizing::new(text.to_owned()))
                .map_err(|_| Error::corrupt("a passphrase that is no text"))
        });
        Ok((opened, passphrase.transpose()?))
    }
}

impl Opened {
    /// Of what a person opened.
    pub fn of(opened: Vec<(Generation, Identity)>) -> Self {
        let opened = opened.into_iter();
        Self(opened.map(|(of, identity)| (of.id, identity)).collect())
    }
}

impl Opener for Opened {
    fn open(&self, key: &WrappedKey) -> Result<SegmentKey> {
        let known = key.generation.and_then(|of| self.0.get(&of));
        let identity = known.ok_or_else(|| {
            let text = "it was recorded under a vault generation that this person does not hold";
            Error::new(Kind::Denied, text)
        })?;
        key.open(identity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::SegmentId;
    use crate::base::time::Wall;
    use crate::vault::slot::{self, Slot};

    #[test]
    fn it_opens_with_the_recorders_key_alone_and_shows_nothing() {
        let (recovery, own, other) = (
            Identity::generate(),
            Identity::generate(),
            Identity::generate(),
        );
        let person = (PersonId::random(), Identity::generate());
        let to = [(person.0, &person.1.recipient())];
        let now = Wall::from_secs(1_795_449_600);
        let made = generation::create(&to, &recovery.recipient(), now).expect("creates");
        let key = SegmentKey::from_bytes([7; 16]);
        let slot = slot::encode(
            SegmentId::random(),
            &key,
            Some(&made.generation),
            &recovery.recipient(),
        );
        let Slot::Whole(wrapped) = slot::decode(&slot.expect("a slot")).expect("a slot") else {
            panic!("it is whole");
        };
        let opened = generation::open(&made.generation, &made.wraps[0].bytes, &person.1);
        let opened = vec![(made.generation.clone(), opened.expect("opens"))];
        let words = "seitsemän kuivaa haukea";
        let handed = Handed::wrap(&opened, person.0, Some(words), &own.recipient());
        let text = serde_json::to_string(&handed.expect("wraps")).expect("JSON");
        assert!(!text.contains("AGE-SECRET") && !text.contains("kuivaa"));
        let handed: Handed = serde_json::from_str(&text).expect("JSON");
        let known = [made.generation];
        assert_eq!(
            handed.open(&other, &known).expect_err("another's").kind(),
            Kind::Denied
        );
        let (vault, passphrase) = handed.open(&own, &known).expect("opens");
        assert_eq!(passphrase.as_deref().map(String::as_str), Some(words));
        let found = vault.open(&wrapped).expect("opens");
        assert_eq!(found.expose(), key.expose());
        let (nothing, _) = handed.open(&own, &[]).expect("opens");
        assert_eq!(
            nothing.open(&wrapped).expect_err("unknown").kind(),
            Kind::Denied
        );
    }
}
