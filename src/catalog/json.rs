//! Text forms of bytes for rows that cross a socket as JSON: hex digits.

/// `#[serde(with = "crate::catalog::json::digest")]`
pub(super) mod digest {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::base::hash::Digest;

    pub(in crate::catalog) fn serialize<S: Serializer>(
        digest: &Digest,
        ser: S,
    ) -> Result<S::Ok, S::Error> {
        ser.collect_str(digest)
    }

    pub(in crate::catalog) fn deserialize<'de, D: Deserializer<'de>>(
        de: D,
    ) -> Result<Digest, D::Error> {
        let text = String::deserialize(de)?;
        Digest::from_hex(&text)
            .ok_or_else(|| D::Error::custom(format!("\"{text}\" is not a hash (64 hex digits)")))
    }
}

/// `#[serde(with = "crate::catalog::json::bytes")]`
pub(super) mod bytes {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::base::hash;

    pub(in crate::catalog) fn serialize<S: Serializer>(
        bytes: &[u8],
        ser: S,
    ) -> Result<S::Ok, S::Error> {
        ser.serialize_str(&hash::hex(bytes))
    }

    pub(in crate::catalog) fn deserialize<'de, D: Deserializer<'de>>(
        de: D,
    ) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(de)?;
        let mut bytes = vec![0; text.len() / 2];
        if hash::from_hex(&text, &mut bytes) {
            Ok(bytes)
        } else {
            Err(D::Error::custom("not hex digits"))
        }
    }
}
