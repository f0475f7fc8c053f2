//! What a footage seal binds of each segment: everything that its file says of itself, in one hash.
//!
//! `content_root` ties pictures, their times and their order. Losses, the state of the clocks and the end stand in the
//! segment's trailer and are under no other hash; so a leaf of a seal is over all of it (`docs/decisions/018`).

use serde_json::{Value, json};

use crate::base::error::{Error, Result};
use crate::base::hash::Digest;
use crate::base::id::{BoxId, RunId, SegmentId, StreamId};
use crate::base::time::Wall;
use crate::ledger::canonical;

/// The most segments under one seal: their leaves are 2 MiB.
pub const SEGMENTS_MAX: usize = 65_536;

/// A segment as a seal sees it. All of it can be read off the segment's file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SegmentRecord {
    /// The box that recorded it.
    pub box_id: BoxId,
    /// Camera and stream.
    pub stream: StreamId,
    /// The session.
    pub run: RunId,
    /// The segment.
    pub segment: SegmentId,
    /// Wall time of its first access unit.
    pub start: Wall,
    /// Wall time of the end of its last one.
    pub end: Wall,
    /// Access units.
    pub samples: u64,
    /// Movie fragments.
    pub fragments: u64,
    /// RTP packets that never came.
    pub packets_lost: u64,
    /// Access units left out as broken.
    pub corrupt_units: u64,
    /// Jumps of the camera's time.
    pub discontinuities: u64,
    /// The host's clock had a time source.
    pub host_synchronised: bool,
    /// The kernel's estimate of its error, µs.
    pub host_error_us: i64,
    /// Camera's clock minus the host's, ms; none if it tells none.
    pub camera_offset_ms: Option<i64>,
    /// Its time of day is not to be trusted.
    pub time_uncertain: bool,
    /// Adopted after a crash.
    pub recovered: bool,
    /// Merkle root over its leaves, tied to the segment before.
    pub content_root: Digest,
    /// That of the stream's segment before.
    pub previous_root: Digest,
}

impl SegmentRecord {
    /// Its canonical text.
    ///
    /// # Errors
    /// `Internal` for a number beyond ±2⁵³.
    pub fn line(&self) -> Result<String> {
        canonical(&json!({
            "box": self.box_id.to_string(),
            "camera_offset_ms": self.camera_offset_ms,
            "content_root": self.content_root.to_string(),
            "corrupt_units": self.corrupt_units,
            "discontinuities": self.discontinuities,
            "end": self.end,
            "fragments": self.fragments,
            "host_error_us": self.host_error_us,
            "host_synchronised": self.host_synchronised,
            "packets_lost": self.packets_lost,
            "previous_root": self.previous_root.to_string(),
            "recovered": self.recovered,
            "run": self.run.to_string(),
            "samples": self.samples,
            "segment": self.segment.to_string(),
            "start": self.start,
            "stream": self.stream.to_string(),
            "time_uncertain": self.time_uncertain,
        }))
    }

    /// Its leaf under a seal: SHA-256(0x00 ‖ line).
    ///
    /// # Errors
    /// As [`SegmentRecord::line`].
    pub fn leaf(&self) -> Result<Digest> {
        Ok(Digest::sha256(&[&[0], self.line()?.as_bytes()]))
    }
}

/// Root and number of segments that a seal's entry states.
///
/// # Errors
/// `Corrupt` when these are no facts of a seal.
pub fn stated(facts: &Value) -> Result<(Digest, usize)> {
    let root = facts["root"].as_str().and_then(Digest::from_hex);
    let count = facts["segments"]
        .as_u64()
        .and_then(|n| usize::try_from(n).ok());
    root.zip(count)
        .ok_or_else(|| Error::corrupt("the entry of a footage seal states no root and number"))
}
