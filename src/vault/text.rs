//! Bytes as hex text in serialised rows.

use serde::{Deserialize, Deserializer, Serializer};

use crate::base::hash;

/// The longest hex text that is taken, in digits.
const HEX_DIGITS_MAX: usize = 8 * 1024;

/// Writes bytes as lower-case hex digits.
pub(in crate::vault) fn serialize<S: Serializer>(
    bytes: &impl AsRef<[u8]>,
    ser: S,
) -> Result<S::Ok, S::Error> {
    ser.serialize_str(&hash::hex(bytes.as_ref()))
}

/// Reads what [`serialize`] wrote, into a vector or an array of the right length.
pub(in crate::vault) fn deserialize<'de, D, T>(de: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<Vec<u8>>,
{
    use serde::de::Error;
    let text = String::deserialize(de)?;
    bytes(&text)
        .and_then(|bytes| T::try_from(bytes).ok())
        .ok_or_else(|| D::Error::custom("not hex digits of the right number"))
}

/// The bytes of hex digits and nothing but hex digits.
pub(in crate::vault) fn bytes(text: &str) -> Option<Vec<u8>> {
    // A sign would pass the number parser below.
    let digits_only = text.bytes().all(|c| c.is_ascii_hexdigit());
    if !digits_only || text.len() > HEX_DIGITS_MAX {
        return None;
    }
    let mut bytes = vec![0; text.len() / 2];
    hash::from_hex(text, &mut bytes).then_some(bytes)
}
