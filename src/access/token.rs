//! Random tokens: of sessions, and of one-time enrolments. Whoever has one is who it was given to; kept is its hash alone.

use zeroize::Zeroizing;

use crate::access::{base32, totp};
use crate::base::error::{Error, Result};
use crate::base::hash::{self, Digest};

const SESSION_BYTES: usize = 32;
/// 160 bits: 32 letters and digits, which a person can type.
const ENROLMENT_BYTES: usize = 20;

/// A session's token: 256 random bits. Zeroised when dropped, never printed.
pub struct Token(Zeroizing<Vec<u8>>);

impl Token {
    /// A new one.
    ///
    /// # Errors
    /// When the operating system gives no random numbers.
    pub fn random() -> Result<Self> {
        totp::random(SESSION_BYTES).map(Self)
    }

    /// 64 hex digits, for a cookie.
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(hash::hex(&self.0))
    }

    /// What [`Token::to_text`] made; `None` for anything else.
    pub fn from_text(text: &str) -> Option<Self> {
        let mut bytes = Zeroizing::new(vec![0; SESSION_BYTES]);
        hash::from_hex(text, &mut bytes).then_some(Self(bytes))
    }

    /// What is kept of it.
    pub fn hash(&self) -> Digest {
        Digest::sha256(&[b"sinetti session\0", &self.0])
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

/// The token of a one-time enrolment. Zeroised when dropped, never printed.
pub struct EnrolmentToken(Zeroizing<Vec<u8>>);

impl EnrolmentToken {
    /// A new one.
    ///
    /// # Errors
    /// When the operating system gives no random numbers.
    pub fn random() -> Result<Self> {
        totp::random(ENROLMENT_BYTES).map(Self)
    }

    /// For people: `ABCD-EFGH-…`.
    pub fn to_text(&self) -> Zeroizing<String> {
        base32::groups(&base32::encode(&self.0))
    }

    /// As people type it: small letters, spaces and hyphens do not matter.
    ///
    /// # Errors
    /// When it is none. The text never enters the error.
    pub fn parse(text: &str) -> Result<Self> {
        base32::decode(text)
            .filter(|bytes| bytes.len() == ENROLMENT_BYTES)
            .map(Self)
            .ok_or_else(|| {
                Error::invalid(
                    "this is no enrolment token: eight groups of four letters and digits",
                )
            })
    }

    /// What is kept of it.
    pub fn hash(&self) -> Digest {
        Digest::sha256(&[b"sinetti enrolment\0", &self.0])
    }
}

impl std::fmt::Debug for EnrolmentToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EnrolmentToken(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_go_through_their_texts_and_are_all_different() {
        let (one, other) = (Token::random().expect("one"), Token::random().expect("two"));
        assert_ne!(one.hash(), other.hash());
        let again = Token::from_text(&one.to_text()).expect("reads");
        assert_eq!(again.hash(), one.hash());
        assert!(Token::from_text("00").is_none());
        assert_eq!(format!("{one:?}"), "Token(…)");
        let enrolment = EnrolmentToken::random().expect("token");
        let text = enrolment.to_text();
        assert_eq!(text.len(), 39, "eight groups of four");
        let typed = text.to_lowercase().replace('-', " ");
        let again = EnrolmentToken::parse(&typed).expect("reads");
        assert_eq!(again.hash(), enrolment.hash());
        let error = EnrolmentToken::parse("ABCD-EFGH").expect_err("short");
        assert!(!error.to_string().contains("ABCD"));
    }
}
