//! Passphrases of packages: made by the box, or typed by a person. They are told once, to whoever hands the package out, and
//! written nowhere.

use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

use crate::base::error::{Error, Kind, Result};

/// Letters and digits that are not taken for one another, as people read and type them (Crockford's 32).
const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// So many of them: 5 bits each, 100 in all.
const LETTERS_MADE: usize = 20;
/// Letters in a group.
const GROUP: usize = 5;
/// The shortest and the longest passphrase that is typed, in characters.
const TYPED_CHARS: std::ops::RangeInclusive<usize> = 16..=128;

/// A new passphrase of 100 random bits: `7k2mq-c9x4d-0ht8v-w3bnr`.
///
/// # Errors
/// `Internal` without random numbers.
pub fn make() -> Result<Zeroizing<String>> {
    let mut random = Zeroizing::new([0_u8; LETTERS_MADE]);
    SystemRandom::new()
        .fill(&mut *random)
        .map_err(|_| Error::new(Kind::Internal, "no random numbers for a passphrase"))?;
    // Room for all of it from the start: growing would leave a copy behind that is not zeroised.
    let mut text = Zeroizing::new(String::with_capacity(LETTERS_MADE + LETTERS_MADE / GROUP));
    for (i, byte) in random.iter().enumerate() {
        if i > 0 && i % GROUP == 0 {
            text.push('-');
        }
        text.push(char::from(LETTERS[usize::from(byte % 32)]));
    }
    Ok(text)
}

/// That a typed one is long enough.
///
/// # Errors
/// `Invalid`; the text never enters the error.
pub fn check(text: &str) -> Result<()> {
    if TYPED_CHARS.contains(&text.chars().count()) && !text.chars().any(char::is_control) {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "it has {} to {} characters",
        TYPED_CHARS.start(),
        TYPED_CHARS.end()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_has_a_hundred_bits_and_is_another_each_time() {
        let (one, other) = (make().expect("made"), make().expect("made"));
        assert_ne!(one, other);
        for text in [&one, &other] {
            let letters: Vec<_> = text.bytes().filter(|b| *b != b'-').collect();
            assert_eq!(letters.len(), 20);
            assert!(letters.iter().all(|b| LETTERS.contains(b)), "{text:?}");
            check(text).expect("long enough");
        }
        for bad in [
            "short",
            &"a".repeat(129),
            "fifteen letters",
            "a line\nand another",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
