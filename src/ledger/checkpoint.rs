//! Checkpoints: the root over the first entries, signed by the box (C2SP tlog-checkpoint over C2SP signed-note, Ed25519).
//!
//! The origin, and with it the name of the key, is `sinetti/BOX/EPOCH`: a log is told from every other by it, also from
//! the same box's log before a restore.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use signed_note::{Note, Signer as NoteSigner, Verifier, VerifierList, key_id};
use tlog_tiles::checkpoint::Checkpoint as Text;
use tlog_tiles::tlog::Hash;

use crate::base::error::{Error, Kind, Result};
use crate::base::hash::{Digest, from_hex, hex};
use crate::base::id::BoxId;

/// The longest note that is read, in bytes.
pub const NOTE_BYTES_MAX: usize = 4096;
/// Signature type of Ed25519 (C2SP signed-note).
const ALGORITHM: u8 = 1;

/// The public half of a box's ledger key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Key([u8; 32]);

impl Key {
    /// From 64 hex digits.
    ///
    /// # Errors
    /// `Invalid` for anything else.
    pub fn from_hex(text: &str) -> Result<Self> {
        let mut bytes = [0; 32];
        if from_hex(text, &mut bytes) {
            Ok(Self(bytes))
        } else {
            Err(Error::invalid("a ledger key has 64 hex digits"))
        }
    }

    /// Its 32 bytes.
    pub(in crate::ledger) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// As 64 hex digits.
    pub fn to_hex(self) -> String {
        hex(&self.0)
    }

    /// Short form for people, to be compared with paper: eight groups of four hex digits of the SHA-256 of the hex form.
    pub fn fingerprint(self) -> String {
        let digest = Digest::sha256(&[self.to_hex().as_bytes()]).to_string();
        let groups: Vec<_> = digest
            .as_bytes()
            .chunks(4)
            .take(8)
            .map(String::from_utf8_lossy)
            .collect();
        groups.join(" ")
    }

    /// As other tools of transparency logs take it (C2SP signed-note, "verifier key"), for this log.
    pub fn verifier_key(self, box_id: BoxId, epoch: u32) -> String {
        let name = origin(box_id, epoch);
        let typed = self.typed();
        format!(
            "{name}+{:08x}+{}",
            key_id(&name, &typed),
            BASE64_STANDARD.encode(typed)
        )
    }

    /// From [`Key::verifier_key`]'s text.
    ///
    /// # Errors
    /// `Invalid` for anything else.
    pub fn from_verifier_key(text: &str) -> Result<Self> {
        let bad = || Error::invalid("this is no verifier key of a ledger of Sinetti");
        // Name, key id and key; only the key may have a plus sign itself.
        let mut parts = text.splitn(3, '+');
        let (name, _id, encoded) = (parts.next(), parts.next(), parts.next());
        let (box_id, epoch) = name.and_then(of_origin).ok_or_else(bad)?;
        let bytes = BASE64_STANDARD
            .decode(encoded.ok_or_else(bad)?)
            .map_err(|_| bad())?;
        let key = match bytes.split_first_chunk::<1>() {
            Some(([ALGORITHM], key)) => key.try_into().map(Self).map_err(|_| bad())?,
            _ => return Err(bad()),
        };
        // The id is over name and key: no character of the text can be another.
        if key.verifier_key(box_id, epoch) == text {
            Ok(key)
        } else {
            Err(bad())
        }
    }

    fn typed(self) -> Vec<u8> {
        [&[ALGORITHM], self.0.as_slice()].concat()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.to_hex())
    }
}

/// Name of a log: of this box, since its last restore.
pub fn origin(box_id: BoxId, epoch: u32) -> String {
    format!("sinetti/{box_id}/{epoch}")
}

/// Whose key a verifier key is.
pub(super) fn of_verifier_key(text: &str) -> Option<(BoxId, u32)> {
    of_origin(text.split('+').next()?)
}

fn of_origin(text: &str) -> Option<(BoxId, u32)> {
    let (id, epoch) = text.strip_prefix("sinetti/")?.split_once('/')?;
    let (id, epoch) = (id.parse().ok()?, epoch.parse().ok()?);
    (origin(id, epoch) == text).then_some((id, epoch))
}

/// A root and how many entries it is over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    /// Whose log.
    pub box_id: BoxId,
    /// Since which restore.
    pub epoch: u32,
    /// Entries.
    pub size: u64,
    /// Root over them.
    pub root: Digest,
}

impl Checkpoint {
    /// Reads a signed note and checks its signature.
    ///
    /// # Errors
    /// `Corrupt` when it is no checkpoint of a box; `Denied` when this key did not sign it.
    pub fn open(note: &str, key: Key) -> Result<Self> {
        let bad = |what: &str| Error::corrupt(format!("the checkpoint {what}"));
        if note.len() > NOTE_BYTES_MAX {
            return Err(bad("is too long"));
        }
        let note = Note::from_bytes(note.as_bytes()).map_err(|_| bad("is no signed note"))?;
        let text = Text::from_bytes(note.text()).map_err(|_| bad("is malformed"))?;
        let (box_id, epoch) =
            of_origin(text.origin()).ok_or_else(|| bad("is not of a box of Sinetti"))?;
        let known = VerifierList::new(vec![Box::new(Named {
            name: text.origin().to_owned(),
            key,
        })]);
        note.verify(&known).map_err(|_| {
            let text = format!(
                "the checkpoint of {} entries is not signed by the key {}",
                text.size(),
                key.fingerprint()
            );
            Error::new(Kind::Denied, text)
        })?;
        Ok(Self {
            box_id,
            epoch,
            size: text.size(),
            root: Digest(text.hash().0),
        })
    }
}

/// The private half of a box's ledger key.
pub struct Signer {
    pair: Ed25519KeyPair,
}

impl Signer {
    /// From the PKCS #8 file of the state folder.
    ///
    /// # Errors
    /// `Corrupt` when it is none.
    pub fn from_pkcs8(bytes: &[u8]) -> Result<Self> {
        let pair = Ed25519KeyPair::from_pkcs8(bytes)
            .map_err(|_| Error::corrupt("the ledger key cannot be read"))?;
        Ok(Self { pair })
    }

    /// The public half.
    pub fn key(&self) -> Key {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(self.pair.public_key().as_ref());
        Key(bytes)
    }

    /// The signature over bytes that no other kind of message of ours can be.
    pub(in crate::ledger) fn sign_bytes(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(message).as_ref().to_vec()
    }

    /// The signed note of a checkpoint.
    ///
    /// # Errors
    /// `Internal`: the library refuses what we wrote.
    pub fn sign(&self, checkpoint: &Checkpoint) -> Result<String> {
        let refused =
            |e: &dyn fmt::Display| Error::new(Kind::Internal, format!("signing a checkpoint: {e}"));
        let name = origin(checkpoint.box_id, checkpoint.epoch);
        let text = Text::new(&name, checkpoint.size, Hash(checkpoint.root.0), "")
            .map_err(|e| refused(&e))?;
        let mut note = Note::new(&text.to_bytes(), &[]).map_err(|e| refused(&e))?;
        note.add_sigs(&[&Pen { signer: self, name }])
            .map_err(|e| refused(&e))?;
        String::from_utf8(note.to_bytes()).map_err(|e| refused(&e))
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.key().to_hex())
    }
}

/// Signs notes under a name.
pub(super) struct Pen<'a> {
    pub(super) signer: &'a Signer,
    pub(super) name: String,
}

impl NoteSigner for Pen<'_> {
    fn name(&self) -> &str {
        &self.name
    }

    fn key_id(&self) -> u32 {
        key_id(&self.name, &self.signer.key().typed())
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        Ok(self.signer.pair.sign(message).as_ref().to_vec())
    }
}

/// A key under its name.
pub(super) struct Named {
    pub(super) name: String,
    pub(super) key: Key,
}

impl Verifier for Named {
    fn name(&self) -> &str {
        &self.name
    }

    fn key_id(&self) -> u32 {
        key_id(&self.name, &self.key.typed())
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.key.0)
            .verify(message, signature)
            .is_ok()
    }
}

/// A signer for tests of this crate: the key is the same each time.
#[cfg(test)]
pub(crate) fn test_signer() -> Signer {
    Signer {
        pair: Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("seed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint() -> Checkpoint {
        Checkpoint {
            box_id: BoxId::from_bytes([1; 16]),
            epoch: 2,
            size: 5,
            root: Digest([9; 32]),
        }
    }

    #[test]
    fn a_checkpoint_comes_back_under_its_key_only() {
        let signer = test_signer();
        let note = signer.sign(&checkpoint()).expect("signs");
        assert!(
            note.starts_with("sinetti/01010101-0101-0101-0101-010101010101/2\n5\nCQkJ"),
            "{note}"
        );
        assert_eq!(
            Checkpoint::open(&note, signer.key()).expect("opens"),
            checkpoint()
        );
        let other = Key([3; 32]);
        let refused = Checkpoint::open(&note, other).expect_err("other key");
        assert_eq!(refused.kind(), Kind::Denied);
        for at in 0..note.len() {
            let mut changed = note.clone().into_bytes();
            changed[at] ^= 1;
            if let Ok(changed) = String::from_utf8(changed) {
                assert!(Checkpoint::open(&changed, signer.key()).is_err(), "{at}");
            }
            if let Some(cut) = note.get(..at) {
                assert!(Checkpoint::open(cut, signer.key()).is_err());
            }
        }
    }

    #[test]
    fn keys_have_texts() {
        let key = test_signer().key();
        assert_eq!(Key::from_hex(&key.to_hex()).expect("hex"), key);
        let text = key.verifier_key(BoxId::random(), 1);
        assert_eq!(Key::from_verifier_key(&text).expect("verifier key"), key);
        for bad in ["", "a+b", "a+b+c", "sinetti/x/1+00000000+AAAA"] {
            assert!(Key::from_verifier_key(bad).is_err(), "{bad}");
        }
        for at in 0..text.len() {
            for bit in 0..7 {
                let mut changed = text.clone().into_bytes();
                changed[at] ^= 1 << bit;
                let changed = String::from_utf8(changed).expect("ASCII");
                assert!(Key::from_verifier_key(&changed).is_err(), "{changed}");
            }
        }
        assert_eq!(key.fingerprint().split(' ').count(), 8);
    }
}
