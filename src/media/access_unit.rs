//! What a camera sends, before it is laid out in a file.

use crate::base::hash::Digest;
use crate::base::time::{Mono, Ticks, Wall};

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
}
