//! What recorder and `sinetti-codec` say to each other: messages of bounded length over two pipes, `tag (1) length (4, big-endian)
//! body`. Both ends use this file; each checks what the other says as if it came from a stranger.
//!
//! The recorder: [`ToCodec::Job`], [`ToCodec::Entry`], then access units in decoding order, then [`ToCodec::End`]. The other:
//! [`FromCodec::Ready`] once it has locked itself in, before it is told anything; then pictures; then [`FromCodec::Done`].
//!
//! What does not belong here: pipes, processes, codecs.

use crate::base::error::{Error, Kind, Result};
use crate::base::time::Ticks;
use crate::media::access_unit::ENTRY_BYTES_MAX;

/// What both must be of: they are built together.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Bytes before a body.
pub const HEAD_BYTES: usize = 5;
/// The most bytes of an access unit; ingest takes no larger ones.
pub const UNIT_BYTES_MAX: usize = 16 << 20;
/// The most bytes of a body: an access unit and its times.
pub const BODY_BYTES_MAX: usize = UNIT_BYTES_MAX + UNIT_HEAD_BYTES;
/// The most bytes of pixels in one message.
pub const PIXEL_BYTES_MAX: usize = 1 << 20;
/// Most pixels of a picture in either direction.
pub const SIDE_MAX: u32 = 8192;
/// Most pixels of a picture: luma samples of the highest level of H.265 (Rec. ITU-T H.265, table A.8, level 6.2).
pub const PIXELS_MAX: u32 = 35_651_584;
/// The most bytes of a failure's text.
const TEXT_BYTES_MAX: usize = 300;
const UNIT_HEAD_BYTES: usize = 9;

/// What is to be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Job {
    /// The picture shown at this presentation time, as RGB.
    Still(Ticks),
    /// All pictures, coded anew as H.264.
    View,
}

/// A coded picture.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unit {
    /// Presentation time.
    pub pts: Ticks,
    /// Decoding can begin with it.
    pub is_key: bool,
    /// Its NAL units, each behind its length in four bytes.
    pub data: Vec<u8>,
}

/// To the codec.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ToCodec {
    /// What is to be done: first, once.
    Job(Job),
    /// The sample entry: second, once.
    Entry(Vec<u8>),
    /// The next access unit in decoding order.
    Unit(Unit),
    /// There are no more.
    End,
}

/// From the codec.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FromCodec {
    /// It has locked itself in; its version.
    Ready(String),
    /// A decoded picture: its pixels follow.
    Picture {
        /// In pixels.
        width: u32,
        /// In pixels.
        height: u32,
        /// Something of it could not be decoded, and was filled in.
        is_damaged: bool,
    },
    /// Pixels of the picture, three bytes each (red, green, blue), row after row from the top.
    Pixels(Vec<u8>),
    /// The sample entry (`avc1`) of what follows.
    Entry(Vec<u8>),
    /// A picture coded anew; they come in the order in which they are shown.
    Unit(Unit),
    /// Everything is done; so many pictures could not be decoded whole.
    Done(u32),
    /// It cannot be done.
    Failed(String),
}

/// Tag and length of a body from its head.
///
/// # Errors
/// `Corrupt` when the body would have more than [`BODY_BYTES_MAX`].
pub fn head(bytes: [u8; HEAD_BYTES]) -> Result<(u8, usize)> {
    let [tag, length @ ..] = bytes;
    let length = u32::from_be_bytes(length) as usize;
    if length > BODY_BYTES_MAX {
        return Err(Error::corrupt(format!("a message of {length} bytes")));
    }
    Ok((tag, length))
}

fn put(out: &mut Vec<u8>, tag: u8, parts: &[&[u8]]) {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    out.push(tag);
    out.extend_from_slice(&length.to_be_bytes());
    for part in parts {
        out.extend_from_slice(part);
    }
}

impl Unit {
    fn put(&self, out: &mut Vec<u8>, tag: u8) {
        let pts = self.pts.0.to_be_bytes();
        put(out, tag, &[&pts, &[u8::from(self.is_key)], &self.data]);
    }

    fn parse(body: &[u8]) -> Result<Self> {
        let (pts, rest) = body.split_first_chunk().ok_or_else(short)?;
        let (key, data) = rest.split_first().ok_or_else(short)?;
        Ok(Self {
            pts: Ticks(i64::from_be_bytes(*pts)),
            is_key: flag(*key)?,
            data: data.to_vec(),
        })
    }
}

impl ToCodec {
    /// Appends it.
    pub fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Job(Job::Still(pts)) => put(out, b'S', &[&pts.0.to_be_bytes()]),
            Self::Job(Job::View) => put(out, b'V', &[]),
            Self::Entry(entry) => put(out, b'E', &[entry]),
            Self::Unit(unit) => unit.put(out, b'U'),
            Self::End => put(out, b'Z', &[]),
        }
    }

    /// The message of this tag and body.
    ///
    /// # Errors
    /// `Corrupt` when there is none.
    pub fn parse(tag: u8, body: &[u8]) -> Result<Self> {
        match tag {
            b'S' => Ok(Self::Job(Job::Still(Ticks(i64::from_be_bytes(exact(
                body,
            )?))))),
            b'V' if body.is_empty() => Ok(Self::Job(Job::View)),
            b'E' => entry(body).map(Self::Entry),
            b'U' => Unit::parse(body).map(Self::Unit),
            b'Z' if body.is_empty() => Ok(Self::End),
            _ => Err(unknown(tag)),
        }
    }
}

impl FromCodec {
    /// Appends it.
    pub fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Ready(version) => put(out, b'r', &[version.as_bytes()]),
            Self::Picture {
                width,
                height,
                is_damaged,
            } => {
                let damaged = [u8::from(*is_damaged)];
                put(
                    out,
                    b'p',
                    &[&width.to_be_bytes(), &height.to_be_bytes(), &damaged],
                );
            }
            Self::Pixels(bytes) => put(out, b'x', &[bytes]),
            Self::Entry(entry) => put(out, b'e', &[entry]),
            Self::Unit(unit) => unit.put(out, b'u'),
            Self::Done(damaged) => put(out, b'd', &[&damaged.to_be_bytes()]),
            Self::Failed(text) => {
                let bytes = text.as_bytes();
                put(out, b'f', &[&bytes[..bytes.len().min(TEXT_BYTES_MAX)]]);
            }
        }
    }

    /// The message of this tag and body.
    ///
    /// # Errors
    /// `Corrupt` when there is none.
    pub fn parse(tag: u8, body: &[u8]) -> Result<Self> {
        match tag {
            b'r' => text(body).map(Self::Ready),
            b'p' => {
                let body: [u8; 9] = exact(body)?;
                let [a, b, c, d, e, f, g, h, damaged] = body;
                let (width, height) = (
                    u32::from_be_bytes([a, b, c, d]),
                    u32::from_be_bytes([e, f, g, h]),
                );
                check_size(width, height)?;
                Ok(Self::Picture {
                    width,
                    height,
                    is_damaged: flag(damaged)?,
                })
            }
            b'x' if body.len() <= PIXEL_BYTES_MAX => Ok(Self::Pixels(body.to_vec())),
            b'e' => entry(body).map(Self::Entry),
            b'u' => Unit::parse(body).map(Self::Unit),
            b'd' => Ok(Self::Done(u32::from_be_bytes(exact(body)?))),
            b'f' => text(body).map(Self::Failed),
            _ => Err(unknown(tag)),
        }
    }
}

/// That a picture may have this size.
///
/// # Errors
/// `Full` above [`SIDE_MAX`] or [`PIXELS_MAX`]; `Corrupt` when it has none.
pub fn check_size(width: u32, height: u32) -> Result<()> {
    if width == 0 || height == 0 {
        return Err(Error::corrupt("a picture without pixels"));
    }
    if width > SIDE_MAX || height > SIDE_MAX || width * height > PIXELS_MAX {
        let text =
            format!("a picture of {width} x {height} pixels is larger than can be decoded here");
        return Err(Error::new(Kind::Full, text));
    }
    Ok(())
}

fn short() -> Error {
    Error::corrupt("a message is too short")
}

fn unknown(tag: u8) -> Error {
    Error::corrupt(format!("an unknown message, {:?}", char::from(tag)))
}

fn exact<const N: usize>(body: &[u8]) -> Result<[u8; N]> {
    body.try_into()
        .map_err(|_| Error::corrupt("a message has another length than it must have"))
}

fn flag(byte: u8) -> Result<bool> {
    match byte {
        0 | 1 => Ok(byte == 1),
        _ => Err(Error::corrupt("a flag is neither 0 nor 1")),
    }
}

fn entry(body: &[u8]) -> Result<Vec<u8>> {
    if body.len() > ENTRY_BYTES_MAX {
        return Err(Error::corrupt("a sample entry of more than 32 KiB"));
    }
    Ok(body.to_vec())
}

/// Plain text: what it says goes into logs and answers.
fn text(body: &[u8]) -> Result<String> {
    if body.len() > TEXT_BYTES_MAX {
        return Err(Error::corrupt("a text of more than 300 bytes"));
    }
    let plain = |byte: &u8| {
        if (b' '..=b'~').contains(byte) {
            char::from(*byte)
        } else {
            '?'
        }
    };
    Ok(body.iter().map(plain).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parts(bytes: &[u8]) -> (u8, &[u8]) {
        let (first, body) = bytes.split_first_chunk().expect("a head");
        let (tag, length) = head(*first).expect("a head");
        assert_eq!(length, body.len());
        (tag, body)
    }

    fn unit(pts: i64, is_key: bool, data: Vec<u8>) -> Unit {
        Unit {
            pts: Ticks(pts),
            is_key,
            data,
        }
    }

    proptest! {
        #[test]
        fn what_is_sent_is_what_is_read(pts in any::<i64>(), key in any::<bool>(), data in prop::collection::vec(any::<u8>(), 0..300)) {
            for message in [
                ToCodec::Job(Job::Still(Ticks(pts))),
                ToCodec::Job(Job::View),
                ToCodec::Entry(data.clone()),
                ToCodec::Unit(unit(pts, key, data.clone())),
                ToCodec::End,
            ] {
                let mut bytes = Vec::new();
                message.put(&mut bytes);
                let (tag, body) = parts(&bytes);
                prop_assert_eq!(ToCodec::parse(tag, body).expect("a message"), message);
            }
            for message in [
                FromCodec::Ready(VERSION.to_owned()),
                FromCodec::Picture { width: 1920, height: 1080, is_damaged: key },
                FromCodec::Pixels(data.clone()),
                FromCodec::Entry(data.clone()),
                FromCodec::Unit(unit(pts, key, data.clone())),
                FromCodec::Done(7),
                FromCodec::Failed("no memory".to_owned()),
            ] {
                let mut bytes = Vec::new();
                message.put(&mut bytes);
                let (tag, body) = parts(&bytes);
                prop_assert_eq!(FromCodec::parse(tag, body).expect("a message"), message);
            }
        }

        #[test]
        fn nothing_that_arrives_is_a_panic(tag in any::<u8>(), body in prop::collection::vec(any::<u8>(), 0..64)) {
            // Both ends have tags of their own.
            prop_assert!(ToCodec::parse(tag, &body).is_err() || FromCodec::parse(tag, &body).is_err());
        }
    }

    #[test]
    fn what_is_too_large_is_refused() {
        assert!(head([b'U', 0xff, 0, 0, 0]).is_err());
        assert!(FromCodec::parse(b'x', &vec![0; PIXEL_BYTES_MAX + 1]).is_err());
        assert!(FromCodec::parse(b'f', &[b'x'; TEXT_BYTES_MAX + 1]).is_err());
        assert_eq!(
            check_size(8192, 8192).map_err(|e| e.kind()),
            Err(Kind::Full)
        );
        assert_eq!(check_size(8193, 1).map_err(|e| e.kind()), Err(Kind::Full));
        assert_eq!(check_size(0, 1).map_err(|e| e.kind()), Err(Kind::Corrupt));
        assert!(check_size(8192, 4320).is_ok());
    }

    #[test]
    fn a_failure_cannot_forge_a_line_of_a_log() {
        let found = FromCodec::parse(b'f', b"no\nERROR all is lost\x1b[2J").expect("a message");
        assert_eq!(
            found,
            FromCodec::Failed("no?ERROR all is lost?[2J".to_owned())
        );
    }
}
