//! The second factor: time-based one-time passwords (RFC 6238) with HMAC-SHA-1, 6 digits and 30 s, which every
//! authenticator app knows, and single-use recovery codes for when the telephone is lost.
//!
//! The HMAC is ring's; what is left to do (truncation, steps) is smaller than a library for it. That SHA-1 is broken for
//! signatures does not touch HMAC (RFC 6194, section 3.3).

use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

use crate::access::base32;
use crate::access::credential::Used;
use crate::base::error::{Error, Kind, Result};
use crate::base::hash::Digest;
use crate::base::id::PersonId;
use crate::base::time::Wall;
use crate::catalog::FactorRow;

/// Length of a time step in seconds (RFC 6238, section 5.2).
pub const STEP_SECS: i64 = 30;
/// Steps before and after the present one whose codes are taken: a closed network's clock is never perfect.
pub const STEPS_AROUND: u64 = 2;
/// Recovery codes of one enrolment.
pub const RECOVERY_CODES: usize = 10;

const DIGITS: u32 = 1_000_000;
/// 160 bits, the length of the hash (RFC 4226, section 4, R6).
const SECRET_BYTES: usize = 20;
/// 80 bits: out of reach of trying, even for somebody who has the catalog.
const RECOVERY_BYTES: usize = 10;

/// The secret of a second factor. Zeroised when dropped, never printed.
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// A new one.
    ///
    /// # Errors
    /// [`Kind::Io`] when the operating system gives no random numbers.
    pub fn random() -> Result<Self> {
        random(SECRET_BYTES).map(Self)
    }

    /// From its bytes, as they lie wrapped in the catalog.
    pub fn from_bytes(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }

    /// Its bytes, to be wrapped.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// What an authenticator app takes: `otpauth://totp/…`, for people to scan or type. `site` and `name` are shown in it.
    pub fn uri(&self, site: &str, name: &str) -> Zeroizing<String> {
        let encode = |text: &str| {
            url::form_urlencoded::byte_serialize(text.as_bytes())
                .collect::<String>()
                .replace('+', "%20")
        };
        let issuer = encode(site);
        Zeroizing::new(format!(
            "otpauth://totp/{issuer}:{}?secret={}&issuer={issuer}&algorithm=SHA1&digits=6&period=30",
            encode(name),
            base32::encode(&self.0).as_str()
        ))
    }

    /// The secret out of an `otpauth://` address, or as base32.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let encoded = match text.split_once("secret=") {
            Some((_, rest)) => rest.split('&').next()?,
            None => text,
        };
        base32::decode(encoded)
            .filter(|bytes| bytes.len() >= 16)
            .map(Self)
    }

    /// The code of a time step, 0 to 999999 (RFC 4226, section 5.3).
    fn number(&self, step: u64) -> u32 {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.0);
        let tag = hmac::sign(&key, &step.to_be_bytes());
        let bytes = tag.as_ref();
        let offset = usize::from(bytes[bytes.len() - 1] & 0x0f);
        let mut word = [0; 4];
        word.copy_from_slice(&bytes[offset..offset + 4]);
        (u32::from_be_bytes(word) & 0x7fff_ffff) % DIGITS
    }

    /// The code of a time step as people type it.
    pub fn code(&self, step: u64) -> Zeroizing<String> {
        Zeroizing::new(format!("{:06}", self.number(step)))
    }

    /// The step whose code `code` is, around `now` and newer than `last_step`; `None`: it is wrong, too old, or was used.
    ///
    /// All steps are tried whatever is found.
    pub fn step_of(&self, code: &str, now: Wall, last_step: u64) -> Option<u64> {
        let code: Vec<u8> = code.bytes().filter(|c| *c != b' ').collect();
        let present = step_at(now);
        let mut found = None;
        for step in present.saturating_sub(STEPS_AROUND)..=present + STEPS_AROUND {
            let right = same(self.code(step).as_bytes(), &code);
            if right && step > last_step {
                found.get_or_insert(step);
            }
        }
        found
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The time step at `now` (RFC 6238, section 4.2, T0 = 0).
pub fn step_at(now: Wall) -> u64 {
    u64::try_from(now.us() / (STEP_SECS * 1_000_000)).unwrap_or(0)
}

/// Compares in a time that depends on the lengths alone.
pub(super) fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |sum, (a, b)| sum | (a ^ b)) == 0
}

/// New recovery codes: for people, and as they are stored.
///
/// # Errors
/// [`Kind::Io`] when the operating system gives no random numbers.
pub fn recovery_codes(person: PersonId) -> Result<(Vec<Zeroizing<String>>, Vec<Digest>)> {
    let mut texts = Vec::with_capacity(RECOVERY_CODES);
    let mut hashes = Vec::with_capacity(RECOVERY_CODES);
    for _ in 0..RECOVERY_CODES {
        let bytes = random(RECOVERY_BYTES)?;
        hashes.push(hash_of(person, &bytes));
        texts.push(base32::groups(&base32::encode(&bytes)));
    }
    Ok((texts, hashes))
}

fn hash_of(person: PersonId, code: &[u8]) -> Digest {
    Digest::sha256(&[b"sinetti recovery code\0", person.bytes(), code])
}

/// What a code uses up, when it is right: the time step, or the recovery code. Whether it was used meanwhile is decided when
/// the change is written.
pub fn check(factor: &FactorRow, secret: &Secret, code: &str, now: Wall) -> Option<Used> {
    let person = factor.person;
    let step = secret.step_of(code, now, factor.last_step);
    let recovery = base32::decode(code)
        .filter(|bytes| bytes.len() == RECOVERY_BYTES)
        .map(|bytes| hash_of(person, &bytes))
        .filter(|hash| {
            factor
                .codes
                .iter()
                .fold(false, |found, known| found | same(&known.0, &hash.0))
        });
    match (step, recovery) {
        (Some(step), _) => Some(Used::Step(step)),
        (None, Some(hash)) => Some(Used::Code(hash)),
        (None, None) => None,
    }
}

pub(super) fn random(bytes: usize) -> Result<Zeroizing<Vec<u8>>> {
    let mut random = Zeroizing::new(vec![0; bytes]);
    SystemRandom::new()
        .fill(&mut random)
        .map_err(|_| Error::new(Kind::Io, "the operating system gave no random numbers"))?;
    Ok(random)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> Secret {
        Secret(Zeroizing::new(b"12345678901234567890".to_vec()))
    }

    #[test]
    fn the_vectors_of_rfc_6238_hold() {
        // Appendix B, SHA-1; the last six of its eight digits.
        for (secs, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let step = step_at(Wall::from_secs(secs));
            assert_eq!(secret().code(step).as_str(), code, "{secs}");
        }
    }

    #[test]
    fn two_steps_to_either_side_are_taken_and_none_twice() {
        let now = Wall::from_secs(1_795_449_600);
        let (secret, present) = (secret(), step_at(now));
        for step in present - 2..=present + 2 {
            let code = secret.code(step);
            assert_eq!(secret.step_of(&code, now, 0), Some(step));
            assert_eq!(secret.step_of(&code, now, step - 1), Some(step));
            assert_eq!(secret.step_of(&code, now, step), None, "a replay");
        }
        for step in [present - 3, present + 3] {
            assert_eq!(secret.step_of(&secret.code(step), now, 0), None);
        }
        for wrong in ["", "12345", "1234567", "abcdef"] {
            assert_eq!(secret.step_of(wrong, now, 0), None, "{wrong}");
        }
        let spaced = secret.code(present);
        let spaced = format!("{} {}", &spaced[..3], &spaced[3..]);
        assert_eq!(secret.step_of(&spaced, now, 0), Some(present));
    }

    #[test]
    fn an_address_for_apps_holds_the_secret_and_reads_back() {
        let uri = secret().uri("Myymälä 1", "manager1");
        assert_eq!(
            uri.as_str(),
            "otpauth://totp/Myym%C3%A4l%C3%A4%201:manager1?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=Myym%C3%A4l%C3%A4%201&algorithm=SHA1&digits=6&period=30"
        );
        let again = Secret::parse(&uri).expect("reads");
        assert_eq!(again.bytes(), secret().bytes());
        assert!(Secret::parse("MZXW6").is_none(), "too short");
        assert_eq!(format!("{again:?}"), "Secret(…)");
    }

    #[test]
    fn a_recovery_code_is_found_by_its_hash_and_another_persons_is_not() {
        let person = PersonId::random();
        let (texts, codes) = recovery_codes(person).expect("codes");
        assert_eq!((texts.len(), codes.len()), (RECOVERY_CODES, RECOVERY_CODES));
        let mut row = FactorRow {
            person,
            secret: Vec::new(),
            created: Wall(0),
            last_step: 0,
            codes: codes.clone(),
        };
        let now = Wall::from_secs(1_795_449_600);
        let typed = texts[3].to_lowercase().replace('-', " ");
        let found = check(&row, &secret(), &typed, now).expect("right");
        assert_eq!(found, Used::Code(codes[3]));
        row.codes.remove(3);
        assert!(check(&row, &secret(), &texts[3], now).is_none(), "used up");
        row.person = PersonId::random();
        assert!(
            check(&row, &secret(), &texts[4], now).is_none(),
            "another's"
        );
    }
}
