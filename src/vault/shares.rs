//! The recovery identity on paper: three shares, any two of which give it back.
//!
//! A share is one line that a person can type: case, spaces and hyphens do not matter, `o` counts as `0`,
//! `i` and `l` as `1`.
//!
//! ```text
//! SINETTI1-2-3f2a9c1e-9b0c11d2-0123-4567-89ab-cdef-…-4567-89ab-5d1e-07aa
//! │        │ │        │        │                            └ checksum, 8 digits
//! │        │ │        │        └ 32 bytes, 64 digits
//! │        │ │        └ key: first 4 bytes of the SHA-256 of its `age1…` text, as in its fingerprint
//! │        │ └ box: first 4 bytes of its id
//! │        └ number: 1, 2 or 3
//! └ format
//! ```
//!
//! The 32 bytes are the secret's (Shamir, GF(256) with 0x11d, the number as x, the secret at x = 0). The
//! checksum is the first 4 bytes of the SHA-256 of `sinetti1` and the 81 digits before it, as lower-case
//! text. `docs/recovery.md` has a script that does without Sinetti: a change here is a change there.

use zeroize::Zeroizing;

use crate::base::hash::{Digest, hex};
use crate::base::id::BoxId;
use crate::base::{Context, Error, Kind, Result};
use crate::vault::identity::{Identity, Recipient};
use crate::vault::text;

/// How many shares there are.
pub const SHARES: usize = 3;

/// How many of them give the identity back.
pub const THRESHOLD: u8 = 2;

/// The longest text in which [`combine`] looks for shares, in bytes.
pub const TEXT_BYTES_MAX: usize = 4096;

/// The most texts that [`combine`] takes.
pub const TEXTS_MAX: usize = 16;

const PREFIX: &str = "sinetti1";
/// The prefix as it is after the characters that look alike were made one.
const PREFIX_NORMAL: &str = "s1nett11";
const ID_BYTES: usize = 4;
const SECRET_BYTES: usize = 32;
/// Digits of number, box, key and secret.
const BODY_DIGITS: usize = 1 + 2 * (ID_BYTES + ID_BYTES + SECRET_BYTES);
const CHECKSUM_DIGITS: usize = 8;

struct Share {
    number: u8,
    box_id: [u8; ID_BYTES],
    key_id: [u8; ID_BYTES],
    secret: Zeroizing<[u8; SECRET_BYTES]>,
}

/// The three shares of `recovery` for the box, one line each, without a line end.
///
/// # Errors
/// [`Kind::Internal`] alone.
pub fn split(recovery: &Identity, box_id: BoxId) -> Result<[Zeroizing<String>; SHARES]> {
    let secret = recovery.secret()?;
    let mut box_short = [0; ID_BYTES];
    box_short.copy_from_slice(&box_id.bytes()[..ID_BYTES]);
    let key_id = key_id_of(&recovery.recipient());
    let mut lines = Vec::with_capacity(SHARES);
    for dealt in blahaj::Sharks(THRESHOLD).dealer(&*secret).take(SHARES) {
        // Its number, then its 32 bytes.
        let bytes = Zeroizing::new(Vec::from(&dealt));
        let share = bytes
            .split_first()
            .and_then(|(number, rest)| {
                Some(Share {
                    number: *number,
                    box_id: box_short,
                    key_id,
                    secret: Zeroizing::new(rest.try_into().ok()?),
                })
            })
            .ok_or_else(|| internal("a share has not the length of the secret"))?;
        lines.push(share.line());
    }
    lines
        .try_into()
        .map_err(|_| internal("there are not three shares"))
}

/// The recovery identity out of two or three shares, or out of a whole `AGE-SECRET-KEY-1…` line. Each
/// text may hold several shares, a share broken over lines, and lines that begin with `#`.
///
/// That it is the recovery identity of the footage at hand is for the caller to check with
/// [`Identity::check_opens`], where the recipient is known.
///
/// # Errors
/// [`Kind::Invalid`] with the share and what is wrong with it: a typo, too few shares, shares of different
/// boxes or of different recovery keys. No digit of a share enters an error.
pub fn combine(texts: &[&str]) -> Result<Identity> {
    if texts.len() > TEXTS_MAX {
        return Err(Error::invalid(format!(
            "{} texts with shares: at most {TEXTS_MAX}",
            texts.len()
        )));
    }
    let mut shares: Vec<Share> = Vec::new();
    for (i, text) in texts.iter().enumerate() {
        match read(text).context(|| format!("text {} of {}", i + 1, texts.len()))? {
            Read::Whole(identity) => return Ok(identity),
            Read::Shares(more) => shares.extend(more),
        }
    }
    shares.sort_by_key(|s| s.number);
    check_set(&shares)?;
    shares.dedup_by_key(|s| s.number);
    recover(&shares)
}

enum Read {
    Whole(Identity),
    Shares(Vec<Share>),
}

fn read(text: &str) -> Result<Read> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(Error::invalid(format!(
            "longer than {TEXT_BYTES_MAX} bytes: this is no share"
        )));
    }
    // Nothing gets longer below, so no buffer grows and leaves a copy behind.
    let mut normal = Zeroizing::new(String::with_capacity(text.len()));
    for line in text.lines().map(str::trim).filter(|l| !l.starts_with('#')) {
        if line
            .get(..15)
            .is_some_and(|start| start.eq_ignore_ascii_case("AGE-SECRET-KEY-"))
        {
            return Identity::from_text(line).map(Read::Whole);
        }
        normal.extend(line.chars().filter(|c| c.is_alphanumeric()).map(normal_of));
    }
    // No digit of a share can be mistaken for the prefix: `s`, `n` and `t` are not hex.
    let mut parts = normal.split(PREFIX_NORMAL);
    if parts.next() != Some("") {
        return Err(Error::invalid("a share begins with SINETTI1"));
    }
    let shares: Vec<_> = parts.map(Share::parse).collect::<Result<_>>()?;
    if shares.is_empty() {
        return Err(Error::invalid("holds no share (SINETTI1-…)"));
    }
    Ok(Read::Shares(shares))
}

fn normal_of(c: char) -> char {
    match c.to_ascii_lowercase() {
        'o' => '0',
        'i' | 'l' => '1',
        other => other,
    }
}

/// That the shares, sorted by number, are enough and belong together.
fn check_set(shares: &[Share]) -> Result<()> {
    let Some(first) = shares.first() else {
        return Err(Error::invalid(
            "two different shares are needed, none is given",
        ));
    };
    for other in &shares[1..] {
        let pair = format!("shares {} and {}", first.number, other.number);
        if other.box_id != first.box_id {
            return Err(Error::invalid(format!(
                "{pair} are of different boxes ({} and {})",
                hex(&first.box_id),
                hex(&other.box_id)
            )));
        }
        if other.key_id != first.key_id {
            return Err(Error::invalid(format!(
                "{pair} are of different recovery keys ({} and {}): one is from before a renewal",
                hex(&first.key_id),
                hex(&other.key_id)
            )));
        }
    }
    if shares.iter().all(|s| s.number == first.number) {
        return Err(Error::invalid(format!(
            "two different shares are needed, only share {} is given",
            first.number
        )));
    }
    Ok(())
}

/// The identity of shares that belong together, each number once.
fn recover(shares: &[Share]) -> Result<Identity> {
    let points = shares
        .iter()
        .map(|share| {
            let mut bytes = Zeroizing::new([0; 1 + SECRET_BYTES]);
            bytes[0] = share.number;
            bytes[1..].copy_from_slice(&*share.secret);
            blahaj::Share::try_from(&bytes[..]).map_err(internal)
        })
        .collect::<Result<Vec<_>>>()?;
    let secret = blahaj::Sharks(THRESHOLD)
        .recover(&points)
        .map(Zeroizing::new)
        .map_err(internal)?;
    let secret: &[u8; SECRET_BYTES] = secret
        .as_slice()
        .try_into()
        .map_err(|_| internal("the secret is not as long as its shares"))?;
    let identity = Identity::from_secret(secret)?;
    if shares
        .iter()
        .any(|s| s.key_id != key_id_of(&identity.recipient()))
    {
        return Err(Error::invalid(
            "the shares do not give the recovery key that they name: one of them was not made by this split",
        ));
    }
    Ok(identity)
}

fn key_id_of(recipient: &Recipient) -> [u8; ID_BYTES] {
    let mut id = [0; ID_BYTES];
    id.copy_from_slice(&recipient.digest()[..ID_BYTES]);
    id
}

fn internal(what: &str) -> Error {
    Error::new(Kind::Internal, what)
}

impl Share {
    /// As printed.
    fn line(&self) -> Zeroizing<String> {
        let secret = Zeroizing::new(hex(&*self.secret));
        let (box_id, key_id) = (hex(&self.box_id), hex(&self.key_id));
        let mut body = Zeroizing::new(String::with_capacity(BODY_DIGITS));
        body.push(char::from(b'0' + self.number));
        for part in [&box_id, &key_id, &*secret] {
            body.push_str(part);
        }
        let sum = checksum(&body);
        // Capacity: the digits, and a hyphen for four of them or fewer.
        let mut line = Zeroizing::new(String::with_capacity(2 * BODY_DIGITS));
        line.push_str("SINETTI1");
        line.push('-');
        line.push(char::from(b'0' + self.number));
        for part in [&box_id, &key_id] {
            line.push('-');
            line.push_str(part);
        }
        for (i, c) in secret.chars().chain(sum.chars()).enumerate() {
            if i % 4 == 0 {
                line.push('-');
            }
            line.push(c);
        }
        line
    }

    /// From what follows the prefix, separators gone and characters that look alike made one.
    fn parse(normal: &str) -> Result<Self> {
        let number = normal.bytes().next().unwrap_or(0);
        if !(b'1'..=b'3').contains(&number) {
            return Err(Error::invalid("after SINETTI1 comes the number: 1, 2 or 3"));
        }
        let number = number - b'0';
        let wrong = |what: String| Err(Error::invalid(format!("share {number}: {what}")));
        if !normal.bytes().all(|c| c.is_ascii_hexdigit()) {
            return wrong("holds a character other than 0-9 and a-f".to_owned());
        }
        let digits = BODY_DIGITS + CHECKSUM_DIGITS;
        if normal.len() != digits {
            let given = normal.len();
            return wrong(format!(
                "has {given} digits after SINETTI1 instead of {digits}"
            ));
        }
        let (body, sum) = normal.split_at(BODY_DIGITS);
        if checksum(body) != sum {
            return wrong("a digit is mistyped: the checksum does not hold".to_owned());
        }
        let bytes = Zeroizing::new(text::bytes(&body[1..]).unwrap_or_default());
        let parts = || {
            let (box_id, rest) = bytes.split_first_chunk()?;
            let (key_id, rest) = rest.split_first_chunk()?;
            Some(Self {
                number,
                box_id: *box_id,
                key_id: *key_id,
                secret: Zeroizing::new(rest.try_into().ok()?),
            })
        };
        parts().ok_or_else(|| internal("a share of the right length could not be read"))
    }
}

fn checksum(body: &str) -> String {
    let digest = Digest::sha256(&[PREFIX.as_bytes(), body.as_bytes()]);
    hex(&digest.0[..CHECKSUM_DIGITS / 2])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BOX: BoxId = BoxId::from_bytes([0x3f; 16]);

    fn fixed() -> Identity {
        Identity::from_secret(&[0x42; 32]).expect("key")
    }

    #[test]
    fn any_two_shares_give_the_identity_back() {
        let recovery = Identity::generate();
        let shares = split(&recovery, BOX).expect("splits");
        let whole = recovery.to_text();
        let given: [&[&str]; 6] = [
            &[&shares[0], &shares[1]],
            &[&shares[2], &shares[0]],
            &[&shares[1], &shares[2], &shares[1]],
            &[&shares[0], &shares[1], &shares[2]],
            &[&format!("# safe\n{}\n\n{}\n", *shares[2], *shares[1])],
            &[&format!("# created: 2026-11-23\n{}\n", *whole)],
        ];
        for texts in given {
            let combined = combine(texts).expect("combines");
            assert!(combined.check_opens(&recovery.recipient()).is_ok());
        }
    }

    /// A set made once and kept, so that paper of today opens with every later version.
    #[test]
    fn shares_on_paper_stay_good() {
        let combined = combine(&[PAPER_1, PAPER_3]).expect("combines");
        assert!(combined.check_opens(&fixed().recipient()).is_ok());
    }

    const PAPER_1: &str = "SINETTI1-1-3f3f3f3f-6a804773-7d22-308c-6158-8538-278b-40ca-3c57-3661-ca7e-9966-acb1-b9d4-24dd-1c7b-e981-43f9-2335-8098";
    const PAPER_3: &str = "SINETTI1-3-3f3f3f3f-6a804773-03e2-d40d-276c-16cc-ed04-44c7-c07d-de27-c706-322e-6d4a-52e5-e8fe-a009-a21a-4192-10cb-c6e4";

    #[test]
    fn a_share_is_read_as_people_type() {
        let shares = split(&fixed(), BOX).expect("splits");
        let shouted = shares[0].to_uppercase().replace('-', " ");
        let swapped = shares[1]
            .replace('0', "O")
            .replace('1', "l")
            .replace('-', "");
        let (left, right) = shares[2].split_at(60);
        let broken = format!("{left}\n   {right}");
        for pair in [
            [&shouted, &swapped],
            [&swapped, &broken],
            [&broken, &shouted],
        ] {
            let combined = combine(&[pair[0], pair[1]]).expect("combines");
            assert!(combined.check_opens(&fixed().recipient()).is_ok());
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_share() {
        let shares = split(&fixed(), BOX).expect("splits");
        let elsewhere = split(&fixed(), BoxId::from_bytes([0x40; 16])).expect("splits");
        let renewed = split(&Identity::generate(), BOX).expect("splits");
        let again = split(&fixed(), BOX).expect("splits");
        let short = &shares[1][..shares[1].len() - 3];
        let letter = format!("{}g", &shares[1][..shares[1].len() - 1]);
        let given: [(&[&str], &str); 12] = [
            (&[], "none is given"),
            (&[&shares[1]], "only share 2 is given"),
            (&[&shares[1], &shares[1]], "only share 2 is given"),
            (&[&shares[0], &elsewhere[1]], "different boxes"),
            (&[&shares[0], &renewed[1]], "different recovery keys"),
            (&[&shares[0], &again[1]], "not made by this split"),
            (&[&shares[0], short], "text 2 of 2: share 2: has 86 digits"),
            (&[&shares[0], &letter], "share 2: holds a character"),
            (&["hello", &shares[0]], "text 1 of 2: a share begins"),
            (&["# nothing"], "holds no share"),
            (&["SINETTI1-4"], "1, 2 or 3"),
            (&["AGE-SECRET-KEY-1QQQ"], "not an age secret key"),
        ];
        for (texts, want) in given {
            let error = combine(texts).expect_err(want);
            assert_eq!(error.kind(), Kind::Invalid);
            assert!(error.to_string().contains(want), "{error}");
        }
        assert!(combine(&[&"x".repeat(TEXT_BYTES_MAX + 1)]).is_err());
        assert!(combine(&[PAPER_1; TEXTS_MAX + 1]).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn a_mistyped_digit_is_found(which in 0..SHARES, at in 11_usize.., digit in 0..16_u32) {
            let shares = split(&fixed(), BOX).expect("splits");
            let mut typo = shares[which].to_string();
            let at = 11 + (at - 11) % (typo.len() - 11);
            let digit = char::from_digit(digit, 16).expect("hex");
            prop_assume!(&typo[at..=at] != "-" && typo[at..=at] != digit.to_string());
            typo.replace_range(at..=at, &digit.to_string());
            let error = combine(&[&typo, &shares[(which + 1) % SHARES]]).expect_err("typo");
            let want = format!("share {}: a digit", which + 1);
            prop_assert!(error.to_string().contains(&want), "{}", error);
        }

        #[test]
        fn garbage_never_panics(a in ".{0,120}", b in "(?i:SINETTI1)[-0-9a-fA-F ]{0,120}") {
            prop_assert!(combine(&[&a, &b]).is_err());
            prop_assert!(combine(&[&b]).is_err());
        }
    }
}
