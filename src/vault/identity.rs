//! Key pairs: [`Recipient`] is the public half, to which one wraps; [`Identity`] the secret half, which
//! unwraps. Both are X25519 in the text form of age (C2SP age, section "X25519 recipient type").

use std::fmt;
use std::str::FromStr;

use age::secrecy::ExposeSecret;
use zeroize::Zeroizing;

use crate::base::hash::{Digest, hex};
use crate::base::{Error, Kind, Result};
use crate::vault::bech32;

/// Longer than either text can be, in bytes.
const TEXT_BYTES_MAX: usize = 128;

/// Bytes of a fingerprint: 64 bits, enough for people to compare, and to tell keys of one box apart.
const FINGERPRINT_BYTES: usize = 8;

/// The public half of a key pair. Text form: `age1…`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Recipient(age::x25519::Recipient);

impl Recipient {
    /// The first 64 bits of the SHA-256 of the `age1…` text, for people to compare: `3f2a 9c1e 77b0 1d42`.
    pub fn fingerprint(&self) -> String {
        self.digest()
            .chunks(2)
            .map(hex)
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// The bytes of the fingerprint.
    pub(in crate::vault) fn digest(&self) -> [u8; FINGERPRINT_BYTES] {
        let digest = Digest::sha256(&[self.to_string().as_bytes()]);
        let mut short = [0; FINGERPRINT_BYTES];
        short.copy_from_slice(&digest.0[..FINGERPRINT_BYTES]);
        short
    }

    /// The library's type.
    pub(in crate::vault) fn as_age(&self) -> &age::x25519::Recipient {
        &self.0
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Recipient {
    type Err = Error;

    /// From `age1…`; white space around it is ignored. The text never enters the error, since a secret
    /// key pasted into the wrong place must not reach a log.
    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim();
        if text
            .get(..14)
            .is_some_and(|s| s.eq_ignore_ascii_case("AGE-SECRET-KEY"))
        {
            return Err(Error::invalid(
                "this is a secret key (AGE-SECRET-KEY-1…); a recipient (age1…) belongs here",
            ));
        }
        bounded(text)
            .and_then(|text| text.parse().map_err(str::to_owned))
            .map(Self)
            .map_err(|e| Error::invalid(format!("not an age recipient (age1…): {e}")))
    }
}

impl serde::Serialize for Recipient {
    fn serialize<S: serde::Serializer>(&self, ser: S) -> Result<S::Ok, S::Error> {
        ser.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Recipient {
    fn deserialize<D: serde::Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
        String::deserialize(de)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// The secret half of a key pair: zeroised when dropped, never printed, not cloned.
pub struct Identity(age::x25519::Identity);

impl Identity {
    /// A new one, from the operating system's random numbers.
    pub fn generate() -> Self {
        Self(age::x25519::Identity::generate())
    }

    /// From `AGE-SECRET-KEY-1…`; white space around it is ignored.
    ///
    /// # Errors
    /// [`Kind::Invalid`] when it is not one (a typo does not pass its checksum). The text never enters
    /// the error.
    pub fn from_text(text: &str) -> Result<Self> {
        bounded(text.trim())
            .and_then(|text| text.parse().map_err(str::to_owned))
            .map(Self)
            .map_err(|e| Error::invalid(format!("not an age secret key (AGE-SECRET-KEY-1…): {e}")))
    }

    /// `AGE-SECRET-KEY-1…`, 74 characters without a line end.
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(self.0.to_string().expose_secret().to_owned())
    }

    /// The public half.
    pub fn recipient(&self) -> Recipient {
        Recipient(self.0.to_public())
    }

    /// That this is the secret half of `recipient`.
    ///
    /// # Errors
    /// [`Kind::Denied`] when it is another's.
    pub fn check_opens(&self, recipient: &Recipient) -> Result<()> {
        let own = self.recipient();
        if own == *recipient {
            return Ok(());
        }
        Err(Error::new(
            Kind::Denied,
            format!(
                "the key is {}, but {} is needed",
                own.fingerprint(),
                recipient.fingerprint()
            ),
        ))
    }

    /// The 32 secret bytes.
    pub(in crate::vault) fn secret(&self) -> Result<Zeroizing<[u8; 32]>> {
        bech32::decode_secret(&self.to_text())
            .ok_or_else(|| Error::new(Kind::Internal, "an age secret key is not as BIP 173 has it"))
    }

    /// From its 32 secret bytes. Every value is a key (RFC 7748, section 5).
    pub(in crate::vault) fn from_secret(secret: &[u8; 32]) -> Result<Self> {
        Self::from_text(&bech32::encode_secret(secret)).map_err(|e| e.as_kind(Kind::Internal))
    }

    /// The library's type.
    pub(in crate::vault) fn as_age(&self) -> &age::x25519::Identity {
        &self.0
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(…)")
    }
}

fn bounded(text: &str) -> Result<&str, String> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(format!("longer than {TEXT_BYTES_MAX} bytes"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    // Bytes 0x42 × 32; the recipient is what `age-keygen -y` of age 1.1.1 prints.
    const RECIPIENT: &str = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";
    const SECRET: &str =
        "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";

    #[test]
    fn both_halves_go_through_their_texts() {
        let identity = Identity::from_secret(&[0x42; 32]).expect("key");
        assert_eq!(identity.to_text().as_str(), SECRET);
        let again = Identity::from_text(&format!(" {SECRET}\n")).expect("text");
        assert_eq!(*again.secret().expect("secret"), [0x42; 32]);

        let recipient = identity.recipient();
        assert_eq!(recipient.to_string(), RECIPIENT);
        let json = serde_json::to_string(&recipient).expect("json");
        assert_eq!(json, format!("\"{recipient}\""));
        assert_eq!(
            serde_json::from_str::<Recipient>(&json).expect("json"),
            recipient
        );
        assert!(again.check_opens(&recipient).is_ok());
        let other = Identity::generate();
        assert_eq!(
            other.check_opens(&recipient).expect_err("another").kind(),
            Kind::Denied
        );
    }

    #[test]
    fn a_fingerprint_is_the_start_of_the_texts_sha256() {
        let recipient = Identity::generate().recipient();
        let sum = Digest::sha256(&[recipient.to_string().as_bytes()]).to_string();
        assert_eq!(recipient.fingerprint().replace(' ', ""), sum[..16]);
    }

    #[test]
    fn errors_and_debug_hold_no_secret() {
        let identity = Identity::generate();
        assert_eq!(format!("{identity:?}"), "Identity(…)");
        let mut typo = identity.to_text().to_string();
        typo.replace_range(20..21, if &typo[20..21] == "Q" { "P" } else { "Q" });
        for error in [
            Identity::from_text(&typo).expect_err("typo"),
            typo.parse::<Recipient>().expect_err("secret"),
            "age1qqqq".parse::<Recipient>().expect_err("short"),
            Identity::from_text(&"A".repeat(500)).expect_err("long"),
        ] {
            assert_eq!(error.kind(), Kind::Invalid);
            assert!(!error.to_string().contains(&typo[16..40]), "{error}");
            assert!(error.to_string().len() < 120, "{error}");
        }
    }
}
