//! The 32 bytes of an age secret key to and from its text.
//!
//! The `age` crate gives the text alone, and the Bech32 library leaves the key in a buffer that
//! cannot be zeroised. Decoding here takes only text that `age` has accepted, so the checksum is
//! checked by the library.

use zeroize::Zeroizing;

const ALPHABET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const PREFIX: &str = "age-secret-key-";
/// 256 bits in groups of five.
const DATA_CHARS: usize = 52;
const CHECKSUM_CHARS: usize = 6;

/// Characters of an age secret key: prefix, separator `1`, data, checksum.
pub(in crate::vault) const SECRET_TEXT_CHARS: usize =
    PREFIX.len() + 1 + DATA_CHARS + CHECKSUM_CHARS;

/// `AGE-SECRET-KEY-1…` of 32 bytes (BIP 173).
pub(in crate::vault) fn encode_secret(secret: &[u8; 32]) -> Zeroizing<String> {
    let mut groups = Zeroizing::new([0_u8; DATA_CHARS]);
    for (i, group) in groups.iter_mut().enumerate() {
        *group = (0..5).fold(0, |acc, bit| (acc << 1) | bit_of(secret, 5 * i + bit));
    }
    let expanded = PREFIX
        .bytes()
        .map(|c| c >> 5)
        .chain([0])
        .chain(PREFIX.bytes().map(|c| c & 31));
    let zeros = [0; CHECKSUM_CHARS];
    let checksum = polymod(expanded.chain(groups.iter().copied()).chain(zeros)) ^ 1;

    // The exact capacity: growing would leave a copy of the key behind.
    let mut text = Zeroizing::new(String::with_capacity(SECRET_TEXT_CHARS));
    text.push_str(PREFIX);
    text.push('1');
    for group in groups.iter() {
        text.push(char::from(ALPHABET[usize::from(*group)]));
    }
    for i in (0..CHECKSUM_CHARS).rev() {
        text.push(char::from(ALPHABET[(checksum >> (5 * i)) as usize & 31]));
    }
    text.make_ascii_uppercase();
    text
}

/// The 32 bytes of a text that `age` has accepted as a secret key; `None` when it cannot be one.
pub(in crate::vault) fn decode_secret(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    if text.len() != SECRET_TEXT_CHARS || !text.is_ascii() {
        return None;
    }
    let data = &text.as_bytes()[PREFIX.len() + 1..][..DATA_CHARS];
    let mut secret = Zeroizing::new([0_u8; 32]);
    for (i, c) in data.iter().enumerate() {
        let group = ALPHABET
            .iter()
            .position(|a| *a == c.to_ascii_lowercase())
            .and_then(|p| u8::try_from(p).ok())?;
        for bit in 0..5 {
            let at = 5 * i + bit;
            // 260 bits carry 256: the last four are padding.
            if let Some(byte) = secret.get_mut(at / 8) {
                *byte |= ((group >> (4 - bit)) & 1) << (7 - at % 8);
            }
        }
    }
    Some(secret)
}

/// The bit at `at`, the most significant of the first byte being 0; zero behind the end.
fn bit_of(bytes: &[u8; 32], at: usize) -> u8 {
    bytes.get(at / 8).map_or(0, |b| (b >> (7 - at % 8)) & 1)
}

/// The checksum of BIP 173 over groups of five bits.
fn polymod(values: impl Iterator<Item = u8>) -> u32 {
    const GENERATOR: [u32; 5] = [
        0x3b6a_57b2,
        0x2650_8e6d,
        0x1ea1_19fa,
        0x3d42_33dd,
        0x2a14_62b3,
    ];
    values.fold(1, |sum, value| {
        let top = sum >> 25;
        let shifted = ((sum & 0x01ff_ffff) << 5) ^ u32::from(value);
        GENERATOR
            .iter()
            .enumerate()
            .filter(|(i, _)| (top >> i) & 1 == 1)
            .fold(shifted, |acc, (_, g)| acc ^ g)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use age::secrecy::ExposeSecret;

    #[test]
    fn the_text_is_that_of_the_age_library() {
        for _ in 0..50 {
            let text = age::x25519::Identity::generate().to_string();
            let secret = decode_secret(text.expose_secret()).expect("decodes");
            assert_eq!(encode_secret(&secret).as_str(), text.expose_secret());
        }
        for bytes in [[0; 32], [255; 32]] {
            let text = encode_secret(&bytes);
            assert!(text.parse::<age::x25519::Identity>().is_ok());
            assert_eq!(decode_secret(&text).map(|s| *s), Some(bytes));
        }
    }

    #[test]
    fn what_cannot_be_a_key_is_none() {
        assert!(decode_secret("").is_none());
        assert!(decode_secret(&"b".repeat(SECRET_TEXT_CHARS)).is_none());
        assert!(decode_secret(&"ä".repeat(SECRET_TEXT_CHARS / 2)).is_none());
    }
}
