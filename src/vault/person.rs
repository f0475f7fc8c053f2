//! A person's key pair, the private half sealed under the passphrase.
//!
//! One run of Argon2id (RFC 9106) gives 64 bytes; HKDF-SHA256 (RFC 5869) makes two keys of them: "verifier"
//! answers whether the passphrase is right, "key" seals the private half with AES-256-GCM. Neither tells
//! anything about the other.
//!
//! What does not belong here: roles, second factors, delays after failures. Callers run these functions
//! off the async threads and one at a time: each takes the memory and time of its [`Cost`].

use std::fmt;

use ring::rand::{SecureRandom, SystemRandom};
use ring::{aead, hkdf, hmac};
use zeroize::Zeroizing;

use crate::base::id::PersonId;
use crate::base::time::Wall;
use crate::base::{Context, Error, Kind, Result};
use crate::vault::identity::{Identity, Recipient};
use crate::vault::passphrase;

/// The longest personal user name, in bytes.
pub const NAME_BYTES_MAX: usize = 64;

const MEMORY_KIB_MAX: u32 = 1024 * 1024;
const PASSES_MAX: u32 = 16;
const LANES_MAX: u32 = 16;
const NONCE_BYTES: usize = aead::NONCE_LEN;

/// What one passphrase costs to try: the parameters of Argon2id.
///
/// There is no constructor from numbers, so that nothing weaker than [`Cost::STANDARD`] gets into a row
/// unseen. A stored row brings its own; its bounds are checked before anything is spent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Cost {
    /// 64 MiB and 3 passes: the memory and passes of RFC 9106, section 4, second choice; one lane, since a
    /// small box has few cores and records on them.
    pub const STANDARD: Self = Self {
        memory_kib: 64 * 1024,
        passes: 3,
        lanes: 1,
    };

    /// Next to nothing. For tests alone: a row made with it can be tried millions of times a second.
    pub const CHEAP_FOR_TESTS: Self = Self {
        memory_kib: 8,
        passes: 1,
        lanes: 1,
    };

    /// Memory of one run, in KiB.
    pub const fn memory_kib(&self) -> u32 {
        self.memory_kib
    }

    fn params(&self) -> Result<argon2::Params> {
        let bounded = self.memory_kib <= MEMORY_KIB_MAX
            && self.passes <= PASSES_MAX
            && self.lanes <= LANES_MAX;
        let params = argon2::Params::new(self.memory_kib, self.passes, self.lanes, None);
        match params {
            Ok(params) if bounded => Ok(params),
            _ => Err(Error::corrupt(format!(
                "Argon2id with {} KiB, {} passes, {} lanes: out of bounds",
                self.memory_kib, self.passes, self.lanes
            ))),
        }
    }
}

/// A person as stored: nothing in it opens anything without the passphrase.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonRow {
    /// Who.
    pub person: PersonId,
    /// Personal user name: `manager1`.
    pub name: String,
    /// The public half, to which vault generations are wrapped.
    pub recipient: Recipient,
    /// The cost of one try.
    pub argon2: Cost,
    /// Salt of Argon2id, new at each change of passphrase.
    #[serde(with = "crate::vault::text")]
    pub salt: [u8; 16],
    /// HMAC-SHA256 of the person's id under the "verifier" key.
    #[serde(with = "crate::vault::text")]
    pub verifier: [u8; 32],
    /// Nonce of 12 bytes ‖ AES-256-GCM of the `AGE-SECRET-KEY-1…` text ‖ tag of 16 bytes; the associated
    /// data is the person's id.
    #[serde(with = "crate::vault::text")]
    pub sealed_private: Vec<u8>,
    /// When the passphrase was set.
    pub created: Wall,
}

impl PersonRow {
    /// A person with a new key pair under `passphrase`, set at `created`.
    ///
    /// # Errors
    /// [`Kind::Invalid`] when [`passphrase::check`] refuses the passphrase, or the name is empty, longer
    /// than [`NAME_BYTES_MAX`], or has control characters; [`Kind::Full`] without memory for a run.
    pub fn create(
        person: PersonId,
        name: &str,
        passphrase: &str,
        cost: Cost,
        created: Wall,
    ) -> Result<Self> {
        if name.is_empty() || name.len() > NAME_BYTES_MAX || name.chars().any(char::is_control) {
            return Err(Error::invalid(format!(
                "a user name has 1 to {NAME_BYTES_MAX} bytes and no control characters"
            )));
        }
        Self::seal(
            person,
            name,
            &Identity::generate(),
            passphrase,
            cost,
            created,
        )
        .context(|| format!("making the keys of {name}"))
    }

    /// The same person and key pair under a new passphrase, set at `created`; `opened` is what
    /// [`PersonRow::open`] gave. The wraps of vault generations stay good.
    ///
    /// # Errors
    /// As [`PersonRow::create`]; [`Kind::Denied`] when `opened` is not this person's.
    pub fn with_passphrase(
        &self,
        opened: &Identity,
        passphrase: &str,
        cost: Cost,
        created: Wall,
    ) -> Result<Self> {
        opened
            .check_opens(&self.recipient)
            .and_then(|()| Self::seal(self.person, &self.name, opened, passphrase, cost, created))
            .context(|| format!("changing the passphrase of {}", self.name))
    }

    fn seal(
        person: PersonId,
        name: &str,
        identity: &Identity,
        passphrase: &str,
        cost: Cost,
        created: Wall,
    ) -> Result<Self> {
        passphrase::check(passphrase)?;
        let salt = random()?;
        let keys = Keys::derive(passphrase.as_bytes(), &salt, &cost)?;
        let mut verifier = [0; 32];
        verifier.copy_from_slice(hmac::sign(&keys.verifier, person.bytes()).as_ref());
        Ok(Self {
            person,
            name: name.to_owned(),
            recipient: identity.recipient(),
            argon2: cost,
            salt,
            verifier,
            sealed_private: keys.seal(person, identity)?,
            created,
        })
    }

    /// The person's identity. A wrong passphrase takes as long as the right one, whatever its length.
    ///
    /// # Errors
    /// [`Kind::Denied`] when the passphrase is wrong; [`Kind::Corrupt`] when the row was changed;
    /// [`Kind::Full`] without memory for a run.
    pub fn open(&self, passphrase: &str) -> Result<Identity> {
        let bytes = bounded(passphrase);
        let keys = Keys::derive(bytes, &self.salt, &self.argon2)
            .context(|| format!("trying the passphrase of {}", self.name))?;
        // `hmac::verify` compares in constant time.
        let right = hmac::verify(&keys.verifier, self.person.bytes(), &self.verifier).is_ok();
        if !right || bytes.len() != passphrase.len() {
            return Err(Error::new(
                Kind::Denied,
                format!("the passphrase is wrong for {}", self.name),
            ));
        }
        keys.open(self.person, &self.sealed_private)
            .and_then(|identity| identity.check_opens(&self.recipient).map(|()| identity))
            .map_err(|e| e.as_kind(Kind::Corrupt))
            .context(|| format!("opening the private key of {}", self.name))
    }
}

impl fmt::Debug for PersonRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Salt, verifier and sealed key would let whoever reads a log try passphrases.
        f.debug_struct("PersonRow")
            .field("person", &self.person)
            .field("name", &self.name)
            .field("recipient", &self.recipient)
            .field("created", &self.created)
            .finish_non_exhaustive()
    }
}

/// Spends what one try of a passphrase costs, for a name that does not exist, so that the time tells
/// nobody which names do.
///
/// # Errors
/// [`Kind::Full`] without memory for a run.
pub fn spend(passphrase: &str, cost: Cost) -> Result<()> {
    Keys::derive(bounded(passphrase), &[0; 16], &cost).map(drop)
}

/// As much of a passphrase as a passphrase can have.
fn bounded(passphrase: &str) -> &[u8] {
    &passphrase.as_bytes()[..passphrase.len().min(passphrase::BYTES_MAX)]
}

/// What a passphrase becomes. ring does not zeroise its keys: these live on the stack of one call.
struct Keys {
    verifier: hmac::Key,
    key: aead::LessSafeKey,
}

impl Keys {
    fn derive(passphrase: &[u8], salt: &[u8; 16], cost: &Cost) -> Result<Self> {
        let params = cost.params()?;
        // Our own memory instead of the library's, which would be given back unwiped.
        let mut blocks = Zeroizing::new(Vec::new());
        blocks
            .try_reserve_exact(params.block_count())
            .map_err(|_| Error::new(Kind::Full, "no memory for Argon2id"))?;
        blocks.resize(params.block_count(), argon2::Block::new());
        let mut stretched = Zeroizing::new([0_u8; 64]);
        argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params)
            .hash_password_into_with_memory(passphrase, salt, &mut *stretched, &mut blocks[..])
            .map_err(|e| Error::new(Kind::Internal, format!("Argon2id: {e}")))?;

        let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(&*stretched);
        let internal = |_| Error::new(Kind::Internal, "HKDF refused a length");
        let verifier = prk
            .expand(&[b"verifier"], hmac::HMAC_SHA256)
            .map_err(internal)?
            .into();
        let key: aead::UnboundKey = prk
            .expand(&[b"key"], &aead::AES_256_GCM)
            .map_err(internal)?
            .into();
        Ok(Self {
            verifier,
            key: aead::LessSafeKey::new(key),
        })
    }

    fn seal(&self, person: PersonId, identity: &Identity) -> Result<Vec<u8>> {
        let nonce: [u8; NONCE_BYTES] = random()?;
        let text = identity.to_text();
        let mut sealed = Zeroizing::new(text.as_bytes().to_vec());
        let tag = self
            .key
            .seal_in_place_separate_tag(
                aead::Nonce::assume_unique_for_key(nonce),
                aead::Aad::from(person.bytes()),
                &mut sealed,
            )
            .map_err(|_| Error::new(Kind::Internal, "AES-256-GCM refused to seal"))?;
        Ok([&nonce, sealed.as_slice(), tag.as_ref()].concat())
    }

    fn open(&self, person: PersonId, sealed: &[u8]) -> Result<Identity> {
        let corrupt = || Error::corrupt("the sealed key was changed");
        let (nonce, rest) = sealed
            .split_first_chunk::<NONCE_BYTES>()
            .ok_or_else(corrupt)?;
        let mut buffer = Zeroizing::new(rest.to_vec());
        let text = self
            .key
            .open_in_place(
                aead::Nonce::assume_unique_for_key(*nonce),
                aead::Aad::from(person.bytes()),
                &mut buffer,
            )
            .map_err(|_| corrupt())?;
        std::str::from_utf8(text)
            .map_err(|_| corrupt())
            .and_then(Identity::from_text)
    }
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| Error::new(Kind::Io, "the operating system gave no random numbers"))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSPHRASE: &str = "kissa söi lumihangen";
    const NOW: Wall = Wall::from_secs(1_795_449_600);

    fn row(cost: Cost) -> PersonRow {
        PersonRow::create(PersonId::random(), "manager1", PASSPHRASE, cost, NOW).expect("creates")
    }

    #[test]
    fn the_passphrase_opens_and_a_wrong_one_is_denied_by_name() {
        let row = row(Cost::CHEAP_FOR_TESTS);
        let identity = row.open(PASSPHRASE).expect("opens");
        assert_eq!(identity.recipient(), row.recipient);
        let endless = PASSPHRASE.repeat(100);
        for wrong in [
            "",
            "kissa söi lumihangen ",
            "Kissa söi lumihangen",
            &endless,
        ] {
            let error = row.open(wrong).expect_err("wrong");
            assert_eq!(error.kind(), Kind::Denied);
            assert_eq!(error.to_string(), "the passphrase is wrong for manager1");
        }
    }

    #[test]
    fn the_first_bytes_of_an_overlong_passphrase_do_not_open() {
        let most: String = ('a'..='z').cycle().take(passphrase::BYTES_MAX).collect();
        let cheap = Cost::CHEAP_FOR_TESTS;
        let row = PersonRow::create(PersonId::random(), "manager1", &most, cheap, NOW);
        let row = row.expect("creates");
        assert!(row.open(&most).is_ok());
        assert!(row.open(&format!("{most}x")).is_err());
    }

    #[test]
    fn the_standard_cost_meets_the_design_and_opens() {
        assert_eq!(Cost::STANDARD.memory_kib(), 64 * 1024);
        let row = row(Cost::STANDARD);
        assert!(row.open(PASSPHRASE).is_ok());
        spend(PASSPHRASE, Cost::CHEAP_FOR_TESTS).expect("spends");
    }

    #[test]
    fn a_row_goes_through_json_and_debug_tells_nothing_to_try_on() {
        let row = row(Cost::CHEAP_FOR_TESTS);
        let json = serde_json::to_string(&row).expect("json");
        assert_eq!(serde_json::from_str::<PersonRow>(&json).expect("json"), row);
        assert!(
            serde_json::from_str::<PersonRow>(&json.replace("\"salt\":\"", "\"salt\":\"+"))
                .is_err()
        );
        let debug = format!("{row:?}");
        assert!(
            debug.contains("manager1") && !debug.contains("salt"),
            "{debug}"
        );
    }

    #[test]
    fn a_new_passphrase_keeps_the_key_pair() {
        let old = row(Cost::CHEAP_FOR_TESTS);
        let opened = old.open(PASSPHRASE).expect("opens");
        let cheap = Cost::CHEAP_FOR_TESTS;
        let renewed = old
            .with_passphrase(&opened, "lumi peitti kissan", cheap, NOW)
            .expect("changes");
        assert_eq!(renewed.recipient, old.recipient);
        assert_ne!(renewed.salt, old.salt);
        assert!(renewed.open(PASSPHRASE).is_err());
        assert!(renewed.open("lumi peitti kissan").is_ok());
        let other = Identity::generate();
        let error = old.with_passphrase(&other, "lumi peitti kissan", cheap, NOW);
        assert_eq!(error.expect_err("another's").kind(), Kind::Denied);
    }

    #[test]
    fn hostile_rows_are_corrupt_and_cost_nothing() {
        let good = row(Cost::CHEAP_FOR_TESTS);
        let with = |memory_kib, passes, lanes| PersonRow {
            argon2: Cost {
                memory_kib,
                passes,
                lanes,
            },
            ..good.clone()
        };
        let mut moved = row(Cost::CHEAP_FOR_TESTS);
        moved.recipient = good.recipient.clone();
        let mut changed = good.clone();
        changed.sealed_private[20] ^= 1;
        let mut short = good.clone();
        short.sealed_private.truncate(5);
        let huge = with(MEMORY_KIB_MAX + 1, 1, 1);
        let rows = [
            huge,
            with(64, 1000, 1),
            with(64, 1, u32::MAX),
            with(64, 0, 1),
            moved,
            changed,
            short,
        ];
        for (i, row) in rows.iter().enumerate() {
            let error = row.open(PASSPHRASE).expect_err("hostile");
            assert_eq!(error.kind(), Kind::Corrupt, "{i}: {error}");
        }
    }

    #[test]
    fn another_persons_sealed_key_does_not_fit() {
        let (one, mut two) = (row(Cost::CHEAP_FOR_TESTS), row(Cost::CHEAP_FOR_TESTS));
        two.person = one.person;
        let error = two.open(PASSPHRASE).expect_err("moved");
        assert_eq!(error.kind(), Kind::Denied);
    }

    #[test]
    fn names_and_passphrases_are_checked_at_creation() {
        let long = "x".repeat(NAME_BYTES_MAX + 1);
        for (name, passphrase) in [
            ("", PASSPHRASE),
            ("a\nb", PASSPHRASE),
            (&long, PASSPHRASE),
            ("manager1", "short"),
        ] {
            let cheap = Cost::CHEAP_FOR_TESTS;
            let error = PersonRow::create(PersonId::random(), name, passphrase, cheap, NOW);
            assert_eq!(error.expect_err("refused").kind(), Kind::Invalid);
        }
    }
}
