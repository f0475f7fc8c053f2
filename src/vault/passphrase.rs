//! What a passphrase must be: long, and not one that everybody tries first.
//!
//! NIST SP 800-63B-4, section 3.1.1: length and a list of common ones instead of rules on characters.

use crate::base::{Error, Result};

/// The fewest characters of a passphrase.
pub const CHARS_MIN: usize = 12;

/// The longest passphrase, in bytes of UTF-8.
pub const BYTES_MAX: usize = 1024;

/// Fewer different characters than this are a pattern, not a passphrase: `aaaaaaaaaaaa`, `121212121212`.
const DIFFERENT_CHARS_MIN: usize = 5;

/// Passwords of 12 and more characters that stand high in lists of leaked ones, their Finnish
/// counterparts, and what comes to mind at a camera recorder. Lower case; spaces are left out.
const COMMON: &[&str] = &[
    "0123456789012",
    "0123456789abcdef",
    "098765432100",
    "0987654321098",
    "012345678910",
    "111222333444",
    "112233445566",
    "123123123123",
    "1234512345123",
    "123456123456",
    "1234567654321",
    "123456789012",
    "1234567890123",
    "12345678901234",
    "123456789012345",
    "1234567890123456",
    "12345678901234567890",
    "12345678910",
    "1234567891011",
    "123456789101112",
    "123456789abc",
    "1234567890ab",
    "1234567890qwertyuiop",
    "123456qwerty",
    "12345qwert12345",
    "1234abcd1234",
    "1234qwerasdf",
    "1234qwerasdfzxcv",
    "147258369147",
    "159753456852",
    "1a2b3c4d5e6f",
    "1q2w3e4r5t6y",
    "1q2w3e4r5t6y7u",
    "1q2w3e4r5t6y7u8i",
    "1q2w3e4r5t6y7u8i9o0p",
    "1qaz2wsx3edc",
    "1qaz2wsx3edc4rfv",
    "1qazxsw23edc",
    "1qazxsw2!qazxsw@",
    "987654321000",
    "9876543210123",
    "abc123abc123",
    "abcabcabcabc",
    "abcd1234abcd",
    "abcd12345678",
    "abcdef123456",
    "abcdefg12345",
    "abcdefgh1234",
    "abcdefghijkl",
    "abcdefghijklmn",
    "abcdefghijklmnop",
    "abcdefghijklmnopqrstuvwxyz",
    "adminadminadmin",
    "admin1234567",
    "admin12345678",
    "admin@123456",
    "administraattori",
    "administrator",
    "administrator1",
    "administrator123",
    "asdfasdfasdf",
    "asdfghjkl123",
    "asdfghjklzxcvbnm",
    "asdfghjklöä",
    "asdfghjklöä'",
    "baseball1234",
    "changeme1234",
    "changemechangeme",
    "changemenow1",
    "contrasena123",
    "correcthorsebatterystaple",
    "defaultpassword",
    "football1234",
    "hikvision123",
    "hikvision1234",
    "hikvision12345",
    "hyvaasalasana",
    "hyväsalasana",
    "iloveyou1234",
    "iloveyouiloveyou",
    "iloveyousomuch",
    "internet1234",
    "jaakiekko123",
    "jääkiekko123",
    "juventus1234",
    "kameravalvonta",
    "kissakissakissa",
    "kissa1234567",
    "koirakoirakoira",
    "letmein12345",
    "letmein123456",
    "letmeinletmein",
    "liverpool123",
    "liverpool1234",
    "losenord1234",
    "lösenord1234",
    "manchesterunited",
    "maitojaleipaa",
    "michael12345",
    "minecraft123",
    "mypassword123",
    "myymala12345",
    "myymälä12345",
    "onnellinen123",
    "p@ssw0rd1234",
    "p@ssw0rd12345",
    "p@ssw0rdp@ssw0rd",
    "p@ssword1234",
    "passphrase123",
    "passw0rd1234",
    "passw0rdpassw0rd",
    "password!123",
    "password0000",
    "password1111",
    "password1234",
    "password1234!",
    "password12345",
    "password123456",
    "password1234567",
    "password12345678",
    "password123456789",
    "password123!",
    "password2024",
    "password2025",
    "password2026",
    "passwordpassword",
    "perkeleperkele",
    "pokemon12345",
    "princess1234",
    "q1w2e3r4t5y6",
    "q1w2e3r4t5y6u7",
    "q1w2e3r4t5y6u7i8",
    "qazwsx123456",
    "qazwsxedc123",
    "qazwsxedcrfv",
    "qazwsxedcrfvtgb",
    "qwer1234asdf",
    "qwer1234qwer",
    "qwert1234567",
    "qwerty123456",
    "qwerty1234567",
    "qwerty12345678",
    "qwerty123456789",
    "qwertyqwerty",
    "qwertyuiop12",
    "qwertyuiop123",
    "qwertyuiop1234",
    "qwertyuiop12345",
    "qwertyuiop[]",
    "qwertyuiopasdf",
    "qwertyuiopasdfgh",
    "qwertyuiopasdfghjkl",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertyuiopå",
    "qwertyuiopå¨",
    "realmadrid123",
    "salasana1234",
    "salasana12345",
    "salasana123456",
    "salasana123!",
    "salasanasalasana",
    "salainensana",
    "secret123456",
    "september2025",
    "september2026",
    "spongebob123",
    "starwars1234",
    "sunshine1234",
    "superman1234",
    "surveillance",
    "tervetuloa123",
    "tervetuloa1234",
    "testtesttest",
    "test12345678",
    "thisismypassword",
    "trustno1trustno1",
    "unbelievable",
    "valvontakamera",
    "valvontakamera1",
    "videovalvonta",
    "videovalvonta1",
    "welcome12345",
    "welcome123456",
    "welcome2026!",
    "zaq12wsxcde3",
    "zaq1zaq1zaq1",
    "zaq1xsw2cde3",
    "zxcvbnm12345",
    "zxcvbnmasdfghjkl",
];

/// That `passphrase` may be chosen.
///
/// # Errors
/// [`crate::base::Kind::Invalid`] with what to do about it; the passphrase never enters the error.
pub fn check(passphrase: &str) -> Result<()> {
    if passphrase.len() > BYTES_MAX {
        return Err(Error::invalid(format!(
            "the passphrase is longer than {BYTES_MAX} bytes; choose a shorter one"
        )));
    }
    if passphrase.chars().count() < CHARS_MIN {
        return Err(Error::invalid(format!(
            "the passphrase has fewer than {CHARS_MIN} characters; several words make a good one"
        )));
    }
    if !is_varied(passphrase) {
        return Err(Error::invalid(format!(
            "the passphrase has fewer than {DIFFERENT_CHARS_MIN} different characters; choose another"
        )));
    }
    // Spaces and capitals are the first things that somebody varies.
    let plain = passphrase
        .chars()
        .filter(|c| !c.is_whitespace())
        .flat_map(char::to_lowercase);
    if COMMON.iter().any(|common| common.chars().eq(plain.clone())) {
        return Err(Error::invalid(
            "the passphrase is among the most common ones; choose another",
        ));
    }
    Ok(())
}

/// Whether it has at least [`DIFFERENT_CHARS_MIN`] different characters.
fn is_varied(passphrase: &str) -> bool {
    // What was seen before each character is looked up in the passphrase itself: no copy to wipe.
    let firsts = passphrase
        .char_indices()
        .filter(|(at, c)| !passphrase[..*at].contains(*c));
    firsts.take(DIFFERENT_CHARS_MIN).count() == DIFFERENT_CHARS_MIN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_and_uncommon_is_enough() {
        for good in [
            "correct horse battery",
            "öljy äiti åä",
            "kissa söi lumihangen",
            &"abcde fghij ".repeat(80),
        ] {
            assert!(check(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn short_long_repeated_and_common_are_refused() {
        for bad in [
            "",
            "11 chars öä",
            "aaaaaaaaaaaaaaaa",
            "121212121212",
            "Password1234",
            "pass word 1234",
            "SalasanaSalasana",
            "Hyvä Salasana",
            &"abcde".repeat(205),
        ] {
            let error = check(bad).expect_err(bad);
            assert!(bad.is_empty() || !error.to_string().contains(bad));
        }
    }

    #[test]
    fn the_list_is_as_it_is_compared() {
        for common in COMMON {
            assert!(!common.contains(char::is_whitespace), "{common}");
            assert_eq!(*common, common.to_lowercase());
        }
    }
}
