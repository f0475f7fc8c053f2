//! Names and numbers of things, each a type of its own so that one cannot pass for another.

use std::fmt;
use std::str::FromStr;

use crate::base::error::{Error, Result};

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(uuid::Uuid);

        impl $name {
            /// A new one that was never used before (random, RFC 9562 version 4).
            pub fn random() -> Self {
                Self(uuid::Uuid::new_v4())
            }

            /// From its 16 bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(uuid::Uuid::from_bytes(bytes))
            }

            /// Its 16 bytes.
            pub const fn bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = Error;
            fn from_str(text: &str) -> Result<Self> {
                uuid::Uuid::parse_str(text)
                    .map(Self)
                    .map_err(|_| Error::invalid(format!("\"{text}\" is not an id (a UUID)")))
            }
        }
    };
}

uuid_id!(/** The box: made by `sinetti init`, borne by its state folder and all its volumes. */ BoxId);
uuid_id!(/** A footage volume. */ VolumeId);
uuid_id!(/** One unbroken session with a camera's stream. */ RunId);
uuid_id!(/** A segment; also the key id (KID) of its Common Encryption. */ SegmentId);
uuid_id!(/** A vault generation: the key pair to which segment keys are wrapped. */ GenerationId);
uuid_id!(/** A person who may open the vault. */ PersonId);

/// A hold: six digits, by chance, so that a list with some left out does not show it.
#[derive(
    Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct HoldId(pub u32);

impl HoldId {
    /// The smallest and the largest.
    pub const RANGE: std::ops::RangeInclusive<u32> = 100_000..=999_999;

    /// One by chance; it may be in use.
    pub fn random() -> Self {
        Self(by_chance(&Self::RANGE))
    }
}

impl fmt::Display for HoldId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for HoldId {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let number = text.parse().ok().filter(|n| Self::RANGE.contains(n));
        number.map(Self).ok_or_else(|| {
            Error::invalid(format!("\"{text}\" is no number of a hold (six digits)"))
        })
    }
}

/// A disclosure: eight digits, by chance, so that an address tells nothing of how many there are.
#[derive(
    Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct DisclosureId(pub u32);

impl DisclosureId {
    /// The smallest and the largest.
    pub const RANGE: std::ops::RangeInclusive<u32> = 10_000_000..=99_999_999;

    /// One by chance; it may be in use.
    pub fn random() -> Self {
        Self(by_chance(&Self::RANGE))
    }
}

impl fmt::Display for DisclosureId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for DisclosureId {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let number = text.parse().ok().filter(|n| Self::RANGE.contains(n));
        number.map(Self).ok_or_else(|| {
            Error::invalid(format!(
                "\"{text}\" is no number of a disclosure (eight digits)"
            ))
        })
    }
}

fn by_chance(range: &std::ops::RangeInclusive<u32>) -> u32 {
    let (low, high) = (*range.start(), *range.end());
    let wide = uuid::Uuid::new_v4().as_u128() % u128::from(high - low + 1);
    u32::try_from(wide).unwrap_or_default() + low
}

/// The making of a package, counted from 1.
#[derive(
    Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct JobId(pub i64);

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The longest camera id, in bytes.
pub const CAMERA_ID_BYTES_MAX: usize = 40;

/// Names that a camera may not have since a volume uses them itself.
pub const RESERVED_NAMES: [&str; 5] = [
    "keys",
    "mirror",
    "quarantine",
    "lost+found",
    "sinetti-packages",
];

/// A camera's id as the configuration gives it: 1 to 40 of `a-z 0-9 - _`, beginning with a letter or
/// digit, so that it is the same in a path, a URL and a report.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(transparent)]
pub struct CameraId(String);

impl CameraId {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CameraId {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        let first_good = text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
        if !first_good || text.len() > CAMERA_ID_BYTES_MAX || !text.chars().all(good) {
            return Err(Error::invalid(format!(
                "camera id \"{text}\" must be 1 to {CAMERA_ID_BYTES_MAX} of a-z, 0-9, - and _, beginning with a letter or digit"
            )));
        }
        if RESERVED_NAMES.contains(&text) {
            return Err(Error::invalid(format!(
                "camera id \"{text}\" is a name that Sinetti uses itself; choose another"
            )));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for CameraId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for CameraId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for CameraId {
    fn deserialize<D: serde::Deserializer<'de>>(de: D) -> std::result::Result<Self, D::Error> {
        String::deserialize(de)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// Which of a camera's two streams.
#[derive(
    Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum StreamKind {
    /// The full picture: what is evidence.
    Main,
    /// A small picture for walls, scrubbing and browsers without H.265.
    Sub,
}

impl StreamKind {
    /// `main` or `sub`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Sub => "sub",
        }
    }
}

impl FromStr for StreamKind {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        match text {
            "main" => Ok(Self::Main),
            "sub" => Ok(Self::Sub),
            _ => Err(Error::invalid(format!(
                "stream \"{text}\" must be main or sub"
            ))),
        }
    }
}

/// A camera's stream. Text form: `kassa-1/main`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct StreamId {
    /// The camera.
    pub camera: CameraId,
    /// Which of its streams.
    pub kind: StreamKind,
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.camera, self.kind.as_str())
    }
}

impl fmt::Debug for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for StreamId {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let (camera, kind) = text.split_once('/').ok_or_else(|| {
            Error::invalid(format!(
                "stream \"{text}\" must be CAMERA/main or CAMERA/sub"
            ))
        })?;
        Ok(Self {
            camera: camera.parse()?,
            kind: kind.parse()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn camera_ids_are_safe_in_paths() {
        for good in ["kassa-1", "ovi_2", "1"] {
            assert_eq!(good.parse::<CameraId>().expect(good).as_str(), good);
        }
        for bad in [
            "",
            "Kassa",
            "a/b",
            "..",
            "-x",
            "keys",
            "quarantine",
            "ä",
            &"a".repeat(41),
        ] {
            assert!(bad.parse::<CameraId>().is_err(), "{bad}");
        }
    }
}
