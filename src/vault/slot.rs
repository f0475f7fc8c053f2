//! Key slots: where a segment's key lies on its volume, wrapped, in 512 bytes that are written and zeroed
//! as one.
//!
//! | bytes | |
//! |---|---|
//! | 0..8 | `SNTIKEY1` |
//! | 8..24 | segment id, which is also the key id of its Common Encryption |
//! | 24..40 | vault generation; zeros: wrapped to the recovery recipient alone |
//! | 40..42 | length of the age file, big endian |
//! | 42..64 | reserved, zeros |
//! | 64..64+length | age file of the key as 32 lower-case hex digits, as FFmpeg's `-decryption_key` takes it |
//! | ..496 | zeros |
//! | 496..512 | first 16 bytes of the SHA-256 of bytes 0..496 |
//!
//! `docs/recovery.md` tells how to open one without Sinetti: a change here is a change there.
//! A slot of zeros was never written, or its key was destroyed.

use std::fmt;

use zeroize::Zeroizing;

use crate::base::hash::{self, Digest};
use crate::base::id::{GenerationId, SegmentId};
use crate::base::secret::SegmentKey;
use crate::base::{Context, Error, Kind, Result};
use crate::vault::generation::Generation;
use crate::vault::identity::{Identity, Recipient};
use crate::vault::wrap;

/// Length of a slot in bytes: the smallest sector, which a disk writes whole or not at all.
pub const SLOT_BYTES: usize = 512;

/// A slot whose key was destroyed, or that was never written.
pub const EMPTY: [u8; SLOT_BYTES] = [0; SLOT_BYTES];

/// Offset of the age file in bytes.
pub const AGE_OFFSET_BYTES: usize = 64;

const MAGIC: &[u8; 8] = b"SNTIKEY1";
const SEGMENT_AT: usize = 8;
const GENERATION_AT: usize = 24;
const LENGTH_AT: usize = 40;
const RESERVED_AT: usize = 42;
const CHECKSUM_AT: usize = 496;
const AGE_BYTES_MAX: usize = CHECKSUM_AT - AGE_OFFSET_BYTES;

/// An age file to two recipients has 330 bytes and a "grease" stanza of 13 to 190 bytes, of which 102 fit.
/// Over the library's distribution (lengths of the tag 1 to 8, of 0 to 4 arguments 1 to 8, of the body 0
/// to 99 bytes, all uniform) that is so with probability 0.558: 64 tries all fail with 0.442^64 < 1e-22.
const TRIES_MAX: usize = 64;

/// What lies in a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Slot {
    /// All zeros: never written, or the key was destroyed.
    Empty,
    /// The checksum does not hold: a write that was cut off, or bit rot.
    Torn,
    /// A wrapped key.
    Whole(WrappedKey),
}

/// A segment key as its slot has it: wrapped.
#[derive(Clone, PartialEq, Eq)]
pub struct WrappedKey {
    /// The segment that it opens.
    pub segment: SegmentId,
    /// The vault generation to which it is wrapped besides the recovery recipient; `None` before there
    /// was one.
    pub generation: Option<GenerationId>,
    age: Vec<u8>,
}

/// The slot of `segment`, its `key` wrapped to the `recovery` recipient and, once persons exist, to the
/// vault `generation`.
///
/// # Errors
/// [`Kind::Internal`] when the library could not wrap, or not within the slot.
pub fn encode(
    segment: SegmentId,
    key: &SegmentKey,
    generation: Option<&Generation>,
    recovery: &Recipient,
) -> Result<[u8; SLOT_BYTES]> {
    let digits = Zeroizing::new(hash::hex(key.expose()));
    let to: Vec<&Recipient> = generation
        .map(|g| &g.recipient)
        .into_iter()
        .chain([recovery])
        .collect();
    let age = wrap_to_fit(digits.as_bytes(), &to)
        .context(|| format!("wrapping the key of segment {segment}"))?;
    let mut slot = EMPTY;
    slot[..SEGMENT_AT].copy_from_slice(MAGIC);
    slot[SEGMENT_AT..GENERATION_AT].copy_from_slice(segment.bytes());
    if let Some(generation) = generation {
        slot[GENERATION_AT..LENGTH_AT].copy_from_slice(generation.id.bytes());
    }
    let length = u16::try_from(age.len()).map_err(|_| overlong())?;
    slot[LENGTH_AT..RESERVED_AT].copy_from_slice(&length.to_be_bytes());
    slot[AGE_OFFSET_BYTES..][..age.len()].copy_from_slice(&age);
    let sum = checksum(&slot);
    slot[CHECKSUM_AT..].copy_from_slice(&sum);
    Ok(slot)
}

fn wrap_to_fit(digits: &[u8], to: &[&Recipient]) -> Result<Vec<u8>> {
    for _ in 0..TRIES_MAX {
        let age = wrap::wrap(digits, to)?;
        if age.len() <= AGE_BYTES_MAX {
            return Ok(age);
        }
    }
    Err(overlong())
}

fn overlong() -> Error {
    Error::new(Kind::Internal, "the age file does not fit into a slot")
}

fn checksum(slot: &[u8; SLOT_BYTES]) -> [u8; SLOT_BYTES - CHECKSUM_AT] {
    let digest = Digest::sha256(&[&slot[..CHECKSUM_AT]]);
    let mut sum = [0; SLOT_BYTES - CHECKSUM_AT];
    let length = sum.len();
    sum.copy_from_slice(&digest.0[..length]);
    sum
}

/// What lies in `bytes`.
///
/// # Errors
/// [`Kind::Corrupt`] when these are not [`SLOT_BYTES`] bytes (the file ends inside the slot);
/// [`Kind::Foreign`] when the checksum holds, but a newer version wrote it.
pub fn decode(bytes: &[u8]) -> Result<Slot> {
    let slot: &[u8; SLOT_BYTES] = bytes.try_into().map_err(|_| {
        Error::corrupt(format!(
            "a key slot of {} bytes: it has {SLOT_BYTES}",
            bytes.len()
        ))
    })?;
    if *slot == EMPTY {
        return Ok(Slot::Empty);
    }
    if slot[CHECKSUM_AT..] != checksum(slot) {
        return Ok(Slot::Torn);
    }
    let length = usize::from(u16::from_be_bytes([slot[LENGTH_AT], slot[LENGTH_AT + 1]]));
    let known = slot[..SEGMENT_AT] == *MAGIC
        && slot[RESERVED_AT..AGE_OFFSET_BYTES].iter().all(|b| *b == 0)
        && length <= AGE_BYTES_MAX;
    if !known {
        return Err(Error::new(
            Kind::Foreign,
            "a key slot of a format that this version does not know",
        ));
    }
    let generation = id_at(slot, GENERATION_AT);
    Ok(Slot::Whole(WrappedKey {
        segment: SegmentId::from_bytes(id_at(slot, SEGMENT_AT)),
        generation: (generation != [0; 16]).then(|| GenerationId::from_bytes(generation)),
        age: slot[AGE_OFFSET_BYTES..][..length].to_vec(),
    }))
}

fn id_at(slot: &[u8; SLOT_BYTES], at: usize) -> [u8; 16] {
    let mut id = [0; 16];
    id.copy_from_slice(&slot[at..at + 16]);
    id
}

impl WrappedKey {
    /// The key, opened with the identity of the vault generation or the recovery identity.
    ///
    /// # Errors
    /// [`Kind::Denied`] when the identity is neither; [`Kind::Corrupt`] when what is wrapped is no key.
    pub fn open(&self, with: &Identity) -> Result<SegmentKey> {
        wrap::unwrap(&self.age, &[with])
            .and_then(|digits| key_of(&digits))
            .context(|| format!("opening the key of segment {}", self.segment))
    }

    /// The age file, as any age tool takes it.
    pub fn age(&self) -> &[u8] {
        &self.age
    }
}

impl fmt::Debug for WrappedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WrappedKey")
            .field("segment", &self.segment)
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}

fn key_of(digits: &[u8]) -> Result<SegmentKey> {
    let mut key = Zeroizing::new([0_u8; 16]);
    let whole = digits.iter().all(u8::is_ascii_hexdigit)
        && std::str::from_utf8(digits).is_ok_and(|text| hash::from_hex(text, &mut *key));
    if !whole {
        return Err(Error::corrupt("what is wrapped is not 32 hex digits"));
    }
    Ok(SegmentKey::from_bytes(*key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::PersonId;
    use crate::base::time::Wall;
    use crate::vault::generation;
    use proptest::prelude::*;

    const KEY: [u8; 16] = *b"0123456789abcdef";

    fn whole(slot: &[u8]) -> WrappedKey {
        match decode(slot).expect("decodes") {
            Slot::Whole(key) => key,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn generation_and_recovery_open_a_slot_and_nobody_else() {
        let person = Identity::generate();
        let recovery = Identity::generate();
        let made = generation::create(
            &[(PersonId::random(), &person.recipient())],
            &recovery.recipient(),
            Wall::from_secs(1_795_449_600),
        )
        .expect("generation");
        let opened =
            generation::open(&made.generation, &made.wraps[0].bytes, &person).expect("opens");
        let segment = SegmentId::random();
        let key = SegmentKey::from_bytes(KEY);
        // More rounds than one, since the length of the age file is random.
        for _ in 0..20 {
            let slot =
                encode(segment, &key, Some(&made.generation), &recovery.recipient()).expect("fits");
            let wrapped = whole(&slot);
            assert_eq!(wrapped.segment, segment);
            assert_eq!(wrapped.generation, Some(made.generation.id));
            for with in [&opened, &recovery] {
                assert_eq!(wrapped.open(with).expect("opens").expose(), &KEY);
            }
            assert_eq!(
                wrapped.open(&person).expect_err("wrong").kind(),
                Kind::Denied
            );
        }
    }

    #[test]
    fn before_persons_exist_the_recovery_identity_opens_alone() {
        let recovery = Identity::generate();
        let slot = encode(
            SegmentId::from_bytes([9; 16]),
            &SegmentKey::from_bytes(KEY),
            None,
            &recovery.recipient(),
        )
        .expect("fits");
        let wrapped = whole(&slot);
        assert_eq!(wrapped.generation, None);
        assert_eq!(wrapped.open(&recovery).expect("opens").expose(), &KEY);
        assert!(!format!("{wrapped:?}").contains("age"));
    }

    #[test]
    fn zeros_cuts_and_newer_formats_are_told_apart() {
        assert_eq!(decode(&EMPTY).expect("zeros"), Slot::Empty);
        for length in [0, 511, 513] {
            let error = decode(&vec![0; length]).expect_err("length");
            assert_eq!(error.kind(), Kind::Corrupt);
        }
        let recovery = Identity::generate().recipient();
        let segment = SegmentId::random();
        let slot = encode(segment, &SegmentKey::from_bytes(KEY), None, &recovery).expect("fits");
        // (byte, value): the magic, the reserved bytes, a length that goes beyond the slot.
        for (at, value) in [(7, b'2'), (50, 1), (LENGTH_AT, 0xff)] {
            let mut newer = slot;
            newer[at] = value;
            let sum = checksum(&newer);
            newer[CHECKSUM_AT..].copy_from_slice(&sum);
            assert_eq!(decode(&newer).expect_err("newer").kind(), Kind::Foreign);
        }
    }

    #[test]
    fn wrapped_garbage_is_no_key() {
        let recovery = Identity::generate();
        for plaintext in [
            "",
            "0123",
            "+123456789abcdef0123456789abcdef",
            &"g".repeat(32),
        ] {
            let age = wrap::wrap(plaintext.as_bytes(), &[&recovery.recipient()]).expect("wraps");
            let segment = SegmentId::random();
            let wrapped = WrappedKey {
                segment,
                generation: None,
                age,
            };
            assert_eq!(
                wrapped.open(&recovery).expect_err("garbage").kind(),
                Kind::Corrupt
            );
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn a_changed_byte_is_torn(at in 0..SLOT_BYTES, by in 1..=255_u8) {
            let recovery = Identity::from_secret(&[3; 32]).expect("key").recipient();
            let key = SegmentKey::from_bytes(KEY);
            let mut slot = encode(SegmentId::random(), &key, None, &recovery).expect("fits");
            slot[at] ^= by;
            prop_assert_eq!(decode(&slot).expect("decodes"), Slot::Torn);
        }

        #[test]
        fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..600), sealed: bool) {
            let mut slot = EMPTY;
            let length = bytes.len().min(SLOT_BYTES);
            slot[..length].copy_from_slice(&bytes[..length]);
            if sealed {
                slot[..8].copy_from_slice(MAGIC);
                slot[RESERVED_AT..AGE_OFFSET_BYTES].fill(0);
                let sum = checksum(&slot);
                slot[CHECKSUM_AT..].copy_from_slice(&sum);
            }
            let with = Identity::from_secret(&[3; 32]).expect("key");
            if let Ok(Slot::Whole(wrapped)) = decode(&slot) {
                prop_assert!(wrapped.open(&with).is_err());
            }
            prop_assert!(decode(&bytes).is_err() || bytes.len() == SLOT_BYTES);
        }
    }
}
