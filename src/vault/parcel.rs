//! The key of one file that lies sealed for a while, such as a part of a package: wrapped in a slot as a segment's key is, so that
//! who may play back opens it, and destroying the slot destroys the file.
//!
//! From the 16 bytes of the key follows an age identity (HKDF-SHA-256, RFC 5869), and the file is a binary age file to its
//! recipient. What does not belong here: files, rows.

use std::io::{Read, Seek, Write};

use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

use crate::base::id::SegmentId;
use crate::base::secret::SegmentKey;
use crate::base::{Error, Kind, Result};
use crate::vault::generation::Generation;
use crate::vault::identity::{Identity, Recipient};
use crate::vault::slot::{self, SLOT_BYTES, Slot, WrappedKey};
use crate::vault::stream::{self, Sealing};

/// What keeps these keys apart from all that may ever be derived in the same way.
const SALT: &[u8] = b"sinetti parcel 1";

/// A new key, and what may be kept of it.
pub struct Parcel {
    recipient: Recipient,
    /// The key, wrapped to the vault generation and the recovery recipient.
    pub slot: [u8; SLOT_BYTES],
}

impl Parcel {
    /// A new key that `generation` and `recovery` open.
    ///
    /// # Errors
    /// [`Kind::Internal`] without random numbers, or when it could not be wrapped.
    pub fn new(generation: &Generation, recovery: &Recipient) -> Result<Self> {
        let mut key = Zeroizing::new([0; 16]);
        SystemRandom::new()
            .fill(&mut *key)
            .map_err(|_| Error::new(Kind::Internal, "no random numbers for a key"))?;
        let key = SegmentKey::from_bytes(*key);
        Ok(Self {
            recipient: identity(&key)?.recipient(),
            slot: slot::encode(SegmentId::random(), &key, Some(generation), recovery)?,
        })
    }

    /// Begins the sealed file in `out`.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn seal<W: Write>(&self, out: W) -> Result<Sealing<W>> {
        stream::seal(out, &self.recipient)
    }
}

/// The wrapped key in a slot, for whoever opens it.
///
/// # Errors
/// [`Kind::Corrupt`] when it is none any more.
pub fn wrapped(slot: &[u8]) -> Result<WrappedKey> {
    match slot::decode(slot)? {
        Slot::Whole(key) => Ok(key),
        Slot::Empty | Slot::Torn => Err(Error::corrupt("the key of a sealed file is damaged")),
    }
}

/// A sealed file in the clear, from any place in it. An error while reading says that it was changed or cut off.
///
/// # Errors
/// As [`stream::open_anywhere`].
pub fn open<R: Read + Seek>(key: &SegmentKey, from: R) -> Result<impl Read + Seek + use<R>> {
    stream::open_anywhere(from, &identity(key)?)
}

/// The identity that follows from a key.
fn identity(key: &SegmentKey) -> Result<Identity> {
    struct Bytes32;
    impl ring::hkdf::KeyType for Bytes32 {
        fn len(&self) -> usize {
            32
        }
    }
    let failed = |_| Error::new(Kind::Internal, "a key could not be derived");
    let salt = ring::hkdf::Salt::new(ring::hkdf::HKDF_SHA256, SALT);
    let mut secret = Zeroizing::new([0; 32]);
    salt.extract(key.expose())
        .expand(&[b"age X25519"], Bytes32)
        .and_then(|okm| okm.fill(&mut *secret))
        .map_err(failed)?;
    Identity::from_secret(&secret)
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, SeekFrom};

    use super::*;
    use crate::base::time::Wall;
    use crate::vault::generation;

    #[test]
    fn it_opens_anywhere_with_what_its_slot_holds_and_with_nothing_else() {
        let recovery = Identity::generate();
        let made =
            generation::create_for_recovery(&recovery.recipient(), Wall::from_secs(1_795_449_600))
                .expect("a generation");
        let parcel = Parcel::new(&made.generation, &recovery.recipient()).expect("a key");
        let text: Vec<u8> = (0..300_000_u32)
            .map(|n| u8::try_from(n % 251).expect("a byte"))
            .collect();
        let mut sealing = parcel.seal(Vec::new()).expect("begins");
        sealing.write_all(&text).expect("writes");
        let sealed = sealing.finish().expect("ends");
        assert!(!sealed.windows(64).any(|w| w == &text[1000..1064]));

        let key = wrapped(&parcel.slot)
            .expect("a slot")
            .open(&recovery)
            .expect("opens");
        let mut clear = open(&key, Cursor::new(&sealed)).expect("opens");
        for at in [0_usize, 65_535, 65_536, 200_001, 299_999] {
            let mut byte = [0; 1];
            clear.seek(SeekFrom::Start(at as u64)).expect("seeks");
            clear.read_exact(&mut byte).expect("reads");
            assert_eq!(byte[0], text[at], "at {at}");
        }
        let other = SegmentKey::from_bytes([1; 16]);
        assert!(open(&other, Cursor::new(&sealed)).is_err());
        assert!(wrapped(&slot::EMPTY).is_err(), "a destroyed key");
    }
}
