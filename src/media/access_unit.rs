//! What a camera sends, before it is laid out in a file.

use std::fmt::Write;

use crate::base::error::{Error, Result};
use crate::base::hash::Digest;
use crate::base::time::{Mono, Ticks, Wall};
use crate::media::boxes::{BoxRef, Fields};

/// Bytes of a visual sample entry before the boxes inside it (ISO/IEC 14496-12, 12.1.3), without the
/// box's own head.
pub const VISUAL_ENTRY_BYTES: usize = 78;

/// The most bytes of a sample entry.
pub const ENTRY_BYTES_MAX: usize = 32 << 10;

/// The video codecs that are recorded.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Codec {
    /// ISO/IEC 14496-10.
    H264,
    /// ISO/IEC 23008-2.
    H265,
}

/// One coded picture as it came from the camera (ISO/IEC 14496-10, 3.1), in decoding order.
#[derive(Debug)]
pub struct AccessUnit {
    /// Presentation time: the camera's RTP time, unwrapped, relative to the start of the run.
    pub pts: Ticks,
    /// When its first packet arrived, by the monotonic clock.
    pub received_mono: Mono,
    /// The same by the time of day.
    pub received_wall: Wall,
    /// Decoding may begin here: IDR, or for H.265 any IRAP picture (CRA and BLA too).
    pub is_key: bool,
    /// Packets known to be lost just before it.
    pub loss: u32,
    /// NAL units, each behind its length in four bytes, big-endian; without parameter sets.
    pub data: Vec<u8>,
}

/// How a stream's access units are decoded: what goes into `stsd`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SampleEntry {
    /// The codec.
    pub codec: Codec,
    /// Codec parameters in the form of RFC 6381: `avc1.640028`.
    pub rfc6381: String,
    /// Picture width in pixels.
    pub width: u16,
    /// Picture height in pixels.
    pub height: u16,
    /// The clear sample entry: a whole `avc1` or `hvc1` box (ISO/IEC 14496-15), parameter sets inside.
    pub entry: Vec<u8>,
}

impl SampleEntry {
    /// SHA-256 of the clear sample entry.
    pub fn hash(&self) -> Digest {
        Digest::sha256(&[&self.entry])
    }

    /// From a whole `avc1` or `hvc1` box; everything else is read out of it.
    ///
    /// # Errors
    /// `Corrupt` when it is not exactly one such box of at most [`ENTRY_BYTES_MAX`] with its parameter
    /// sets (`avcC`, `hvcC`) inside, or has no picture size.
    pub fn parse(entry: &[u8]) -> Result<Self> {
        let whole = BoxRef::parse(entry)?;
        if whole.whole.len() != entry.len()
            || whole.head.head_bytes != 8
            || entry.len() > ENTRY_BYTES_MAX
        {
            return Err(Error::corrupt(
                "a sample entry must be one box of at most 32 KiB with a 32-bit size",
            ));
        }
        let (codec, rfc6381) = match &whole.head.kind {
            b"avc1" => (
                Codec::H264,
                rfc6381_h264(whole.child(VISUAL_ENTRY_BYTES, b"avcC")?.body)?,
            ),
            b"hvc1" => (
                Codec::H265,
                rfc6381_h265(whole.child(VISUAL_ENTRY_BYTES, b"hvcC")?.body)?,
            ),
            other => {
                return Err(Error::corrupt(format!(
                    "sample entry \"{}\" is neither avc1 nor hvc1",
                    other.escape_ascii()
                )));
            }
        };
        let mut fields = Fields::new(whole.body);
        fields.take(24)?;
        let (width, height) = (fields.u16()?, fields.u16()?);
        if width == 0 || height == 0 {
            return Err(Error::corrupt("the sample entry has no picture size"));
        }
        Ok(Self {
            codec,
            rfc6381,
            width,
            height,
            entry: entry.to_vec(),
        })
    }
}

/// ISO/IEC 14496-15, 5.3.3.1, and RFC 6381, 3.3: profile, constraints, level.
fn rfc6381_h264(record: &[u8]) -> Result<String> {
    let mut fields = Fields::new(record);
    fields.take(1)?;
    let [profile, constraints, level] = fields.array()?;
    Ok(format!("avc1.{profile:02X}{constraints:02X}{level:02X}"))
}

/// ISO/IEC 14496-15, 8.3.3.1 and annex E.3; trailing zero bytes of the constraints are left out.
fn rfc6381_h265(record: &[u8]) -> Result<String> {
    let mut fields = Fields::new(record);
    fields.take(1)?;
    let profile = fields.u8()?;
    let compatibility = fields.u32()?.reverse_bits();
    let constraints: [u8; 6] = fields.array()?;
    let level = fields.u8()?;
    let space = ["", "A", "B", "C"][usize::from(profile >> 6)];
    let tier = if profile & 0x20 == 0 { 'L' } else { 'H' };
    let mut text = format!(
        "hvc1.{space}{}.{compatibility:X}.{tier}{level}",
        profile & 0x1f
    );
    let used = constraints.iter().rposition(|b| *b != 0).unwrap_or(0);
    for byte in constraints.iter().take(used + 1) {
        // Writing to a string cannot fail.
        write!(text, ".{byte:02X}").ok();
    }
    Ok(text)
}
