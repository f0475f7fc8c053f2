//! What a segment says about itself: the header before the first fragment and the trailer after the
//! last, both JSON inside `uuid` boxes.
//!
//! Header box: `uuid` [`HEADER_UUID`] ‖ JSON. Trailer box: `uuid` [`TRAILER_UUID`] ‖ JSON ‖ bytes of the
//! whole box in 32 bits, big-endian ‖ `SNTT`; it ends the file, so it is found from there. The JSON has a
//! member `v`: 1; a reader refuses any other. Digests are 64 hex digits, times RFC 3339 in UTC with
//! microseconds, media times numbers of 1/90 000 s.
//!
//! What does not belong here: fragments' own boxes, hashing.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::base::error::{Context, Error, Kind, Result};
use crate::base::hash::Digest;
use crate::base::id::{BoxId, CameraId, GenerationId, RunId, SegmentId, StreamKind};
use crate::base::time::{Ticks, Wall};
use crate::media::boxes::{BoxRef, put_u32, put_uuid};
use crate::media::merkle;

/// Extended type of the header box: 48e5d349-5813-57df-b9d5-f04b8f184532, the name-based UUID (RFC 9562, version 5)
/// of `sinetti segment header` under the OID name space.
pub const HEADER_UUID: [u8; 16] = 0x48e5d349581357dfb9d5f04b8f184532_u128.to_be_bytes();
/// Extended type of the box before each fragment: 07d23a9c-e9f7-5cbb-9c5d-d4fad09cf89b, likewise of
/// `sinetti segment fragment`.
pub const FRAGMENT_UUID: [u8; 16] = 0x07d23a9ce9f75cbb9c5dd4fad09cf89b_u128.to_be_bytes();
/// Extended type of the trailer box: a2c34aac-cd28-56c0-aa34-b6097a0b57a9, likewise of
/// `sinetti segment trailer`.
pub const TRAILER_UUID: [u8; 16] = 0xa2c34aaccd2856c0aa34b6097a0b57a9_u128.to_be_bytes();

/// The last four bytes of a finished segment.
pub const TRAILER_MAGIC: [u8; 4] = *b"SNTT";
/// The only version of both JSON texts.
pub const VERSION: u32 = 1;
/// The most bytes of either JSON text.
pub const JSON_BYTES_MAX: usize = 1 << 20;
/// The most fragments in a segment; their index then fits [`JSON_BYTES_MAX`] with room to spare.
pub const FRAGMENTS_MAX: usize = 2048;

/// Bytes behind the trailer's JSON.
const TRAILER_TAIL_BYTES: usize = 8;
/// Bound of media times, over 3000 years: sums of a few of them cannot overflow.
pub(crate) const TICKS_MAX: i64 = 1 << 53;
/// 9999-12-31T23:59:59Z.
const WALL_US_MAX: i64 = 253_402_300_799_000_000;

/// Where the segment's wrapped key lies: `keys/STREAM/DAY.keys`, slot `index`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct KeySlot {
    /// UTC day in eight digits: `20261123`.
    pub day: String,
    /// Number of the slot, from 0.
    pub index: u32,
}

/// What is known of a segment when its first byte is written.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SegmentHeader {
    /// The box that recorded it.
    #[serde(rename = "box")]
    pub box_id: BoxId,
    /// The camera.
    pub camera: CameraId,
    /// Which of its streams.
    pub stream: StreamKind,
    /// The unbroken session that it is part of.
    pub run: RunId,
    /// The segment; also the key id of its Common Encryption.
    pub segment: SegmentId,
    /// Wall time of the first sample's decode time.
    pub start: Wall,
    /// Media time of the same, within the run.
    pub run_media_start: Ticks,
    /// The vault generation to which its key is wrapped.
    pub generation: GenerationId,
    /// Where the wrapped key lies.
    pub key_slot: KeySlot,
    /// `content_root` of the stream's previous segment, or zeros.
    #[serde(with = "hex_digest")]
    pub previous_root: Digest,
}

impl SegmentHeader {
    /// Says that its numbers are in bounds within which no computation on them overflows.
    ///
    /// # Errors
    /// `Corrupt` when the start is not in the years 1970 to 9999, the media time is beyond ±2⁵³ ticks, or
    /// the key slot's day is not eight digits.
    pub fn check(&self) -> Result<()> {
        if !(0..=WALL_US_MAX).contains(&self.start.us()) {
            return Err(Error::corrupt(format!(
                "segment {} begins outside of the years 1970 to 9999",
                self.segment
            )));
        }
        if !(-TICKS_MAX..=TICKS_MAX).contains(&self.run_media_start.0) {
            return Err(Error::corrupt(format!(
                "segment {} begins at an impossible media time, {}",
                self.segment, self.run_media_start.0
            )));
        }
        let day = self.key_slot.day.as_bytes();
        if day.len() != 8 || !day.iter().all(u8::is_ascii_digit) {
            return Err(Error::corrupt(format!(
                "segment {} names a key slot of a day that is not eight digits",
                self.segment
            )));
        }
        Ok(())
    }

    /// Time from midnight UTC of the start's day to the start: the first fragment's `tfdt`.
    pub fn start_of_day(&self) -> Ticks {
        Ticks::from_us(self.start.us_since(self.start.midnight()))
    }

    /// The `tfdt` of a decode time within the run.
    pub fn tfdt(&self, dts: Ticks) -> Ticks {
        Ticks(
            dts.0
                .saturating_sub(self.run_media_start.0)
                .saturating_add(self.start_of_day().0),
        )
    }

    /// The decode time within the run of a `tfdt`.
    pub fn dts(&self, tfdt: Ticks) -> Ticks {
        Ticks(
            tfdt.0
                .saturating_sub(self.start_of_day().0)
                .saturating_add(self.run_media_start.0),
        )
    }

    /// The wall time of a `tfdt`, not corrected for slew within the segment.
    pub fn wall(&self, tfdt: Ticks) -> Wall {
        let day = i64::clamp(tfdt.0, -TICKS_MAX, TICKS_MAX);
        self.start.midnight().plus_ticks(Ticks(day))
    }

    /// Appends the header box.
    pub fn put(&self, out: &mut Vec<u8>) {
        put_uuid(out, &HEADER_UUID, |out| {
            out.extend_from_slice(&to_json(self));
        });
    }

    /// From a header box.
    ///
    /// # Errors
    /// `Corrupt` when it is not one or its content cannot be; `Foreign` when it is of another version.
    pub fn parse(found: &BoxRef<'_>) -> Result<Self> {
        if found.head.extended != Some(HEADER_UUID) {
            return Err(Error::corrupt("the segment's header box is not there"));
        }
        let header: Self = from_json(found.body).context(|| "reading a segment's header")?;
        header.check()?;
        Ok(header)
    }
}

/// One fragment as the trailer lists it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FragmentIndex {
    /// Where its `uuid` box begins in the file.
    pub offset: u64,
    /// Bytes of it: `uuid`, `moof` and `mdat`.
    pub bytes: u32,
    /// Decode time of its first sample, since midnight UTC of the day of the segment's start; never
    /// negative.
    pub tfdt: Ticks,
    /// Sum of its samples' durations.
    pub duration: Ticks,
    /// Number of samples.
    pub samples: u32,
    /// Decoding can begin with it.
    pub starts_with_key: bool,
    /// Its leaf hash.
    #[serde(with = "hex_digest")]
    pub leaf: Digest,
}

/// What was lost on the way, counted over a segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Losses {
    /// Packets missing in the sequence of RTP.
    pub packets_lost: u32,
    /// Access units dropped since they could not be pieced together.
    pub corrupt_units: u32,
    /// Time stamps that went back, stood still or jumped and were repaired.
    pub discontinuities: u32,
}

/// How far the times of a segment can be trusted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct ClockState {
    /// The host's clock was synchronised (`adjtimex`).
    pub host_synchronised: bool,
    /// The kernel's estimate of its error, in µs.
    pub host_error_us: i64,
    /// The camera's clock (RTCP sender reports) minus the host's, in ms, where the camera tells.
    pub camera_offset_ms: Option<i64>,
    /// The host's clock stepped or the camera's drifted too fast.
    pub time_uncertain: bool,
}

/// What is known of a segment when it is closed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SegmentTrailer {
    /// Its fragments in order.
    pub fragments: Vec<FragmentIndex>,
    /// Wall time of its end; it differs from start plus media duration by the slew between the clocks.
    pub end: Wall,
    /// What was lost.
    pub losses: Losses,
    /// How good the clocks were.
    pub clock: ClockState,
    /// Closed by recovery after a crash rather than by the recorder.
    pub recovered: bool,
    /// Merkle root over the leaves, their count and the previous segment's root (see `merkle`).
    #[serde(with = "hex_digest")]
    pub content_root: Digest,
}

impl SegmentTrailer {
    /// For these fragments of the segment with `header`.
    pub fn new(
        header: &SegmentHeader,
        fragments: Vec<FragmentIndex>,
        end: Wall,
        losses: Losses,
        clock: ClockState,
        recovered: bool,
    ) -> Self {
        let content_root = content_root(header, &fragments);
        Self {
            fragments,
            end,
            losses,
            clock,
            recovered,
            content_root,
        }
    }

    /// The trailer box, which ends the file.
    ///
    /// # Panics
    /// When there are more than [`FRAGMENTS_MAX`] fragments, which nothing that makes them allows.
    pub fn to_bytes(&self) -> Vec<u8> {
        assert!(self.fragments.len() <= FRAGMENTS_MAX, "too many fragments");
        let mut out = Vec::new();
        put_uuid(&mut out, &TRAILER_UUID, |out| {
            out.extend_from_slice(&to_json(self));
            let whole = out.len() + TRAILER_TAIL_BYTES;
            put_u32(out, u32::try_from(whole).unwrap_or(u32::MAX));
            out.extend_from_slice(&TRAILER_MAGIC);
        });
        out
    }

    /// From a trailer box.
    ///
    /// # Errors
    /// `Corrupt` when it is not one or its content cannot be; `Foreign` when it is of another version.
    pub fn parse(found: &BoxRef<'_>) -> Result<Self> {
        let (json, tail) = found
            .body
            .split_last_chunk::<TRAILER_TAIL_BYTES>()
            .ok_or_else(|| Error::corrupt("the segment's trailer box is too short"))?;
        if found.head.extended != Some(TRAILER_UUID)
            || trailer_bytes(*tail).map(u64::from) != Some(found.head.whole_bytes)
        {
            return Err(Error::corrupt("the segment's trailer box is not one"));
        }
        let trailer: Self = from_json(json).context(|| "reading a segment's trailer")?;
        if trailer.fragments.len() > FRAGMENTS_MAX {
            return Err(Error::corrupt(format!(
                "the segment's trailer lists {} fragments, more than {FRAGMENTS_MAX}",
                trailer.fragments.len()
            )));
        }
        let impossible = |f: &FragmentIndex| !in_bounds(f.tfdt) || !in_bounds(f.duration);
        if trailer.fragments.iter().any(impossible)
            || !(0..=WALL_US_MAX).contains(&trailer.end.us())
        {
            return Err(Error::corrupt(
                "the segment's trailer lists an impossible time",
            ));
        }
        Ok(trailer)
    }
}

/// `content_root` of a segment with these fragments.
pub fn content_root(header: &SegmentHeader, fragments: &[FragmentIndex]) -> Digest {
    let leaves: Vec<_> = fragments.iter().map(|f| f.leaf).collect();
    merkle::content_root(&leaves, &header.previous_root)
}

/// The bytes of the trailer box, from the last eight bytes of a file; `None` when it does not end in one.
pub fn trailer_bytes(tail: [u8; TRAILER_TAIL_BYTES]) -> Option<u32> {
    let [a, b, c, d, magic @ ..] = tail;
    (magic == TRAILER_MAGIC).then_some(u32::from_be_bytes([a, b, c, d]))
}

fn in_bounds(ticks: Ticks) -> bool {
    (0..=TICKS_MAX).contains(&ticks.0)
}

#[derive(Serialize, Deserialize)]
struct Versioned<T> {
    v: u32,
    #[serde(flatten)]
    body: T,
}

#[derive(Deserialize)]
struct VersionOnly {
    v: u32,
}

fn to_json<T: Serialize>(body: &T) -> Vec<u8> {
    serde_json::to_vec(&Versioned { v: VERSION, body })
        .expect("our own types have no failing parts")
}

fn from_json<T: DeserializeOwned>(json: &[u8]) -> Result<T> {
    if json.len() > JSON_BYTES_MAX {
        return Err(Error::corrupt(format!(
            "{} bytes of JSON, more than {JSON_BYTES_MAX}",
            json.len()
        )));
    }
    let broken = |e: serde_json::Error| Error::corrupt(format!("broken JSON: {e}"));
    let VersionOnly { v } = serde_json::from_slice(json).map_err(broken)?;
    if v != VERSION {
        return Err(Error::new(
            Kind::Foreign,
            format!("written in version {v}, this Sinetti knows version {VERSION}"),
        ));
    }
    let Versioned { body, .. } = serde_json::from_slice(json).map_err(broken)?;
    Ok(body)
}

mod hex_digest {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::base::hash::Digest;

    pub(super) fn serialize<S: Serializer>(digest: &Digest, ser: S) -> Result<S::Ok, S::Error> {
        ser.collect_str(digest)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(de: D) -> Result<Digest, D::Error> {
        let text = String::deserialize(de)?;
        Digest::from_hex(&text)
            .ok_or_else(|| serde::de::Error::custom("a digest must be 64 hex digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::testing;

    #[test]
    fn the_header_reads_back() {
        let header = testing::header();
        let mut out = Vec::new();
        header.put(&mut out);
        let found = BoxRef::parse(&out).expect("a box");
        assert_eq!(SegmentHeader::parse(&found).expect("whole"), header);
    }

    #[test]
    fn another_version_is_foreign() {
        let json = |v: &str| format!("{{\"v\":{v}}}").into_bytes();
        let kind = |json: &[u8]| from_json::<Losses>(json).map_err(|e| e.kind());
        assert_eq!(kind(&json("2")), Err(Kind::Foreign));
        assert_eq!(kind(&json("1")), Err(Kind::Corrupt));
        assert_eq!(kind(b"{}"), Err(Kind::Corrupt));
    }

    #[test]
    fn impossible_numbers_are_corrupt() {
        let bad = |change: fn(&mut SegmentHeader)| {
            let mut header = testing::header();
            change(&mut header);
            header.check().map_err(|e| e.kind())
        };
        assert_eq!(bad(|_| {}), Ok(()));
        for change in [
            (|h| h.start = Wall(-1)) as fn(&mut SegmentHeader),
            |h| h.start = Wall(i64::MAX),
            |h| h.run_media_start = Ticks(i64::MIN),
            |h| h.key_slot.day = "../..".to_owned(),
        ] {
            assert_eq!(bad(change), Err(Kind::Corrupt));
        }
    }

    #[test]
    fn the_largest_trailer_fits_its_bound() {
        let mut fragments = vec![testing::index(1); FRAGMENTS_MAX];
        for f in &mut fragments {
            (f.offset, f.bytes, f.samples) = (u64::MAX, u32::MAX, u32::MAX);
            (f.tfdt, f.duration) = (Ticks(TICKS_MAX), Ticks(TICKS_MAX));
        }
        let end = Wall(WALL_US_MAX);
        let trailer = SegmentTrailer::new(
            &testing::header(),
            fragments,
            end,
            Losses::default(),
            ClockState::default(),
            true,
        );
        let bytes = trailer.to_bytes();
        assert!(bytes.len() < JSON_BYTES_MAX);
        let found = BoxRef::parse(&bytes).expect("a box");
        assert_eq!(SegmentTrailer::parse(&found).expect("whole"), trailer);
        let tail = bytes.last_chunk().expect("long enough");
        assert_eq!(trailer_bytes(*tail).map(|n| n as usize), Some(bytes.len()));
    }

    #[test]
    fn the_day_of_a_time_is_that_of_the_start() {
        let header = testing::header();
        let late = Ticks::from_secs(30 * 3600);
        assert_eq!(header.wall(late).rfc3339(), "2026-11-24T06:00:00.000Z");
        assert_eq!(header.dts(header.tfdt(Ticks(77))), Ticks(77));
        assert_eq!(header.wall(header.start_of_day()), header.start);
    }
}
