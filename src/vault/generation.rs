//! Vault generations: the key pair to which the segment keys of some weeks are wrapped.
//!
//! A generation can be made with nobody signed in, since it needs only the public halves of the entitled
//! persons. Its own secret half exists outside of wraps only while [`create`] runs.

use std::collections::HashSet;

use crate::base::id::{GenerationId, PersonId};
use crate::base::time::Wall;
use crate::base::{Context, Error, Kind, Result};
use crate::vault::identity::{Identity, Recipient};
use crate::vault::wrap;

/// The most persons entitled at one time.
pub const PERSONS_MAX: usize = 256;

/// The public half of a generation: what the recorder needs.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Generation {
    /// Its id, which slots bear.
    pub id: GenerationId,
    /// What segment keys are wrapped to.
    pub recipient: Recipient,
    /// When it was made.
    pub created: Wall,
}

/// The secret half of a generation, wrapped to one person as an age file.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wrap {
    /// The generation that it opens.
    pub generation: GenerationId,
    /// The person who opens it.
    pub person: PersonId,
    /// The age file; its plaintext is the `AGE-SECRET-KEY-1…` text.
    #[serde(with = "crate::vault::text")]
    pub bytes: Vec<u8>,
}

/// A generation that was just made.
#[derive(Clone, Debug)]
pub struct Created {
    /// Its public half.
    pub generation: Generation,
    /// One wrap a person, in the order in which they were given.
    pub wraps: Vec<Wrap>,
    /// The wrap to the recovery recipient: an age file.
    pub recovery_wrap: Vec<u8>,
}

/// A new generation, made at `created`, that the persons in `to` and the `recovery` identity open.
///
/// # Errors
/// [`Kind::Invalid`] without a person, with one named twice, or with more than [`PERSONS_MAX`].
pub fn create(
    to: &[(PersonId, &Recipient)],
    recovery: &Recipient,
    created: Wall,
) -> Result<Created> {
    let distinct: HashSet<_> = to.iter().map(|(person, _)| person).collect();
    if to.is_empty() || to.len() > PERSONS_MAX || distinct.len() != to.len() {
        return Err(Error::invalid(format!(
            "a vault generation for {} persons, {} of them different: 1 to {PERSONS_MAX}, each once",
            to.len(),
            distinct.len()
        )));
    }
    make(to, recovery, created)
}

/// A new generation that nobody but the `recovery` identity opens: while there is nobody who may play back.
///
/// # Errors
/// When the library could not wrap.
pub fn create_for_recovery(recovery: &Recipient, created: Wall) -> Result<Created> {
    make(&[], recovery, created)
}

fn make(to: &[(PersonId, &Recipient)], recovery: &Recipient, created: Wall) -> Result<Created> {
    let identity = Identity::generate();
    let generation = Generation {
        id: GenerationId::random(),
        recipient: identity.recipient(),
        created,
    };
    let wraps = to
        .iter()
        .map(|(person, recipient)| wrap_for(&generation, &identity, *person, recipient))
        .collect::<Result<_>>()?;
    let recovery_wrap = wrap_secret(&generation, &identity, recovery)?;
    Ok(Created {
        generation,
        wraps,
        recovery_wrap,
    })
}

/// The wrap of an `opened` generation to one more person: how a new holder gets the older generations.
///
/// # Errors
/// [`Kind::Denied`] when `opened` is not the generation's.
pub fn wrap_for(
    generation: &Generation,
    opened: &Identity,
    person: PersonId,
    to: &Recipient,
) -> Result<Wrap> {
    Ok(Wrap {
        generation: generation.id,
        person,
        bytes: wrap_secret(generation, opened, to)?,
    })
}

/// The wrap of an `opened` generation to a new `recovery` recipient, when the old one was used or lost.
///
/// # Errors
/// [`Kind::Denied`] when `opened` is not the generation's.
pub fn wrap_for_recovery(
    generation: &Generation,
    opened: &Identity,
    recovery: &Recipient,
) -> Result<Vec<u8>> {
    wrap_secret(generation, opened, recovery)
}

fn wrap_secret(generation: &Generation, opened: &Identity, to: &Recipient) -> Result<Vec<u8>> {
    opened
        .check_opens(&generation.recipient)
        .and_then(|()| wrap::wrap(opened.to_text().as_bytes(), &[to]))
        .context(|| format!("wrapping vault generation {}", generation.id))
}

/// The identity of `generation` out of the age file in `bytes`, opened with a person's identity or the
/// recovery identity.
///
/// # Errors
/// [`Kind::Denied`] when `with` does not open it; [`Kind::Corrupt`] when what is in it is no key, or that
/// of another generation.
pub fn open(generation: &Generation, bytes: &[u8], with: &Identity) -> Result<Identity> {
    wrap::unwrap(bytes, &[with])
        // Once the age file is open, every fault is one of the stored bytes, not of the key at hand.
        .and_then(|text| identity_of(generation, &text).map_err(|e| e.as_kind(Kind::Corrupt)))
        .context(|| format!("opening vault generation {}", generation.id))
}

fn identity_of(generation: &Generation, text: &[u8]) -> Result<Identity> {
    let text = std::str::from_utf8(text)
        .map_err(|_| Error::corrupt("what is wrapped is no secret key"))?;
    let identity = Identity::from_text(text)?;
    identity.check_opens(&generation.recipient)?;
    Ok(identity)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Wall = Wall::from_secs(1_795_449_600);

    #[test]
    fn every_person_and_the_recovery_identity_open_a_generation() {
        let people: Vec<_> = (0..3)
            .map(|_| (PersonId::random(), Identity::generate()))
            .collect();
        let recipients: Vec<_> = people.iter().map(|(id, i)| (*id, i.recipient())).collect();
        let to: Vec<_> = recipients.iter().map(|(id, r)| (*id, r)).collect();
        let recovery = Identity::generate();
        let made = create(&to, &recovery.recipient(), NOW).expect("creates");

        for (wrap, (person, identity)) in made.wraps.iter().zip(&people) {
            assert_eq!(
                (wrap.person, wrap.generation),
                (*person, made.generation.id)
            );
            let opened = open(&made.generation, &wrap.bytes, identity).expect("opens");
            assert_eq!(opened.recipient(), made.generation.recipient);
        }
        open(&made.generation, &made.recovery_wrap, &recovery).expect("recovery opens");
        let error = open(&made.generation, &made.wraps[0].bytes, &people[1].1).expect_err("other");
        assert_eq!(error.kind(), Kind::Denied);

        let json = serde_json::to_string(&made.wraps[0]).expect("json");
        assert_eq!(
            serde_json::from_str::<Wrap>(&json).expect("json"),
            made.wraps[0]
        );
        let json = serde_json::to_string(&made.generation).expect("json");
        assert_eq!(
            serde_json::from_str::<Generation>(&json).expect("json"),
            made.generation
        );
    }

    #[test]
    fn a_later_holder_gets_it_from_one_who_has_it() {
        let (first, second, recovery) = (
            Identity::generate(),
            Identity::generate(),
            Identity::generate(),
        );
        let to = [(PersonId::random(), &first.recipient())];
        let made = create(&to, &recovery.recipient(), NOW).expect("creates");
        let opened = open(&made.generation, &made.wraps[0].bytes, &first).expect("opens");
        let person = PersonId::random();
        let wrap = wrap_for(&made.generation, &opened, person, &second.recipient()).expect("wraps");
        open(&made.generation, &wrap.bytes, &second).expect("second opens");
        let error = wrap_for(&made.generation, &first, person, &second.recipient());
        assert_eq!(error.expect_err("not opened").kind(), Kind::Denied);
        let renewed = wrap_for_recovery(&made.generation, &opened, &second.recipient());
        open(&made.generation, &renewed.expect("wraps"), &second).expect("new recovery opens");
    }

    #[test]
    fn a_wrap_of_something_else_is_corrupt() {
        let (person, recovery) = (Identity::generate(), Identity::generate());
        let to = [(PersonId::random(), &person.recipient())];
        let one = create(&to, &recovery.recipient(), NOW).expect("creates");
        let two = create(&to, &recovery.recipient(), NOW).expect("creates");
        let no_text = wrap::wrap(&[0xff; 74], &[&person.recipient()]).expect("wraps");
        let no_key = wrap::wrap(b"hello", &[&person.recipient()]).expect("wraps");
        for bytes in [&two.wraps[0].bytes, &no_text, &no_key, &vec![]] {
            let error = open(&one.generation, bytes, &person).expect_err("something else");
            assert_eq!(error.kind(), Kind::Corrupt, "{error}");
        }
    }

    #[test]
    fn nobody_twice_or_too_many_is_refused() {
        let key = Identity::generate().recipient();
        let one = (PersonId::random(), &key);
        let many: Vec<_> = (0..=PERSONS_MAX)
            .map(|_| (PersonId::random(), &key))
            .collect();
        for to in [&[][..], &[one, one], &many] {
            assert_eq!(
                create(to, &key, NOW).expect_err("refused").kind(),
                Kind::Invalid
            );
        }
    }

    #[test]
    fn without_anybody_only_the_recovery_identity_opens() {
        let recovery = Identity::generate();
        let made = create_for_recovery(&recovery.recipient(), NOW).expect("creates");
        assert!(made.wraps.is_empty());
        open(&made.generation, &made.recovery_wrap, &recovery).expect("recovery opens");
    }
}
