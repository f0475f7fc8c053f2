//! Bytes wrapped to recipients as a binary age file (C2SP age, version 1).

use std::io::{Read, Write};

use zeroize::Zeroizing;

use crate::base::{Error, Kind, Result};
use crate::vault::identity::{Identity, Recipient};

/// The longest age file that [`unwrap`] takes, in bytes.
pub const WRAPPED_BYTES_MAX: usize = 64 * 1024;

/// The longest plaintext that [`wrap`] takes, in bytes.
pub const PLAIN_BYTES_MAX: usize = 32 * 1024;

/// The most recipients of one age file.
pub const RECIPIENTS_MAX: usize = 64;

/// An age file of `plaintext` that the identity of any one of `to` opens. Its length varies from call to
/// call, since the library puts a stanza of random length into the header ("grease").
///
/// # Errors
/// [`Kind::Invalid`] without a recipient, with more than [`RECIPIENTS_MAX`], or with more than
/// [`PLAIN_BYTES_MAX`] bytes.
pub fn wrap(plaintext: &[u8], to: &[&Recipient]) -> Result<Vec<u8>> {
    if plaintext.len() > PLAIN_BYTES_MAX || to.len() > RECIPIENTS_MAX {
        return Err(Error::invalid(format!(
            "wrapping {} bytes to {} recipients: at most {PLAIN_BYTES_MAX} bytes to {RECIPIENTS_MAX}",
            plaintext.len(),
            to.len()
        )));
    }
    let encryptor =
        age::Encryptor::with_recipients(to.iter().map(|r| r.as_age() as &dyn age::Recipient))
            .map_err(|e| Error::invalid(format!("wrapping: {e}")))?;
    let mut file = Vec::new();
    let written = encryptor.wrap_output(&mut file).and_then(|mut writer| {
        writer.write_all(plaintext)?;
        writer.finish().map(drop)
    });
    written.map_err(|e| Error::from(e).attempted("wrapping").as_kind(Kind::Internal))?;
    Ok(file)
}

/// What [`wrap`] wrapped, opened with the first of the identities that fits.
///
/// # Errors
/// [`Kind::Denied`] when no identity fits; [`Kind::Corrupt`] when it is no age file, was changed, or is
/// longer than [`WRAPPED_BYTES_MAX`].
pub fn unwrap(bytes: &[u8], with: &[&Identity]) -> Result<Zeroizing<Vec<u8>>> {
    if bytes.len() > WRAPPED_BYTES_MAX {
        return Err(Error::corrupt(format!(
            "unwrapping {} bytes: at most {WRAPPED_BYTES_MAX}",
            bytes.len()
        )));
    }
    let decryptor = age::Decryptor::new_buffered(bytes).map_err(|e| refused(&e))?;
    let mut reader = decryptor
        .decrypt(with.iter().map(|i| i.as_age() as &dyn age::Identity))
        .map_err(|e| refused(&e))?;
    // Room for all of it from the start: growing would leave a copy behind that is not zeroised.
    let mut plaintext = Zeroizing::new(Vec::with_capacity(bytes.len()));
    reader
        .read_to_end(&mut plaintext)
        .map_err(|e| Error::corrupt(format!("unwrapping: {e}")))?;
    Ok(plaintext)
}

fn refused(error: &age::DecryptError) -> Error {
    match error {
        age::DecryptError::NoMatchingKeys => {
            Error::new(Kind::Denied, "unwrapping: none of the keys fits")
        }
        other => Error::corrupt(format!("unwrapping: {other}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn any_recipient_opens_and_nobody_else() {
        let (a, b, c) = (
            Identity::generate(),
            Identity::generate(),
            Identity::generate(),
        );
        let file = wrap(b"secret", &[&a.recipient(), &b.recipient()]).expect("wraps");
        assert_eq!(unwrap(&file, &[&a]).expect("a").as_slice(), b"secret");
        assert_eq!(unwrap(&file, &[&c, &b]).expect("b").as_slice(), b"secret");
        for with in [&[&c][..], &[]] {
            assert_eq!(unwrap(&file, with).expect_err("c").kind(), Kind::Denied);
        }
    }

    #[test]
    fn bounds_hold() {
        let a = Identity::generate();
        let to = a.recipient();
        assert_eq!(wrap(b"x", &[]).expect_err("none").kind(), Kind::Invalid);
        let long = vec![0; PLAIN_BYTES_MAX + 1];
        assert_eq!(wrap(&long, &[&to]).expect_err("long").kind(), Kind::Invalid);
        let most = vec![&to; RECIPIENTS_MAX];
        let file = wrap(&long[1..], &most).expect("the most");
        assert!(file.len() <= WRAPPED_BYTES_MAX);
        assert_eq!(unwrap(&file, &[&a]).expect("opens").len(), PLAIN_BYTES_MAX);
        let huge = vec![0; WRAPPED_BYTES_MAX + 1];
        assert_eq!(
            unwrap(&huge, &[&a]).expect_err("huge").kind(),
            Kind::Corrupt
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_changed_or_cut_file_never_opens(at: prop::sample::Index, bit in 0..8_u8, cut: bool) {
            let a = Identity::from_secret(&[7; 32]).expect("key");
            let mut file = wrap(b"0123456789abcdef", &[&a.recipient()]).expect("wraps");
            let at = at.index(file.len());
            if cut { file.truncate(at) } else { file[at] ^= 1 << bit }
            prop_assert!(unwrap(&file, &[&a]).is_err());
        }

        #[test]
        fn garbage_is_an_error(tail in prop::collection::vec(any::<u8>(), 0..300)) {
            let a = Identity::from_secret(&[7; 32]).expect("key");
            prop_assert!(unwrap(&tail, &[&a]).is_err());
            let headed = [&b"age-encryption.org/v1\n-> X25519 "[..], &tail].concat();
            prop_assert!(unwrap(&headed, &[&a]).is_err());
        }
    }
}
