//! The leaf hash of a fragment: what was recorded, before it was sealed.
//!
//! leaf = SHA-256(0x00 ‖ salt ‖ canonical ‖ SHA-256(the clear samples, one after the other))
//!
//! salt = HKDF-SHA-256 (RFC 5869) with the segment key as input keying material, no salt, `leaf` as info
//! and 32 bytes of output. So a leaf confirms nothing about a picture once the key is gone.
//!
//! canonical, all numbers big-endian:
//!
//! | bytes | |
//! |---|---|
//! | 8 | `SNTLEAF1` |
//! | 16 | box id |
//! | 1 + n | camera id: its length, then ASCII |
//! | 1 | stream: 0 main, 1 sub |
//! | 16 | run id |
//! | 16 | segment id |
//! | 8 | start of the segment: µs since 1970-01-01T00:00:00Z, signed |
//! | 8 | media time of the start within the run: 1/90 000 s, signed |
//! | 32 | SHA-256 of the clear sample entry (the whole `avc1` or `hvc1` box) |
//! | 4 | number of the fragment within the segment, from 0 |
//! | 8 | `tfdt`: 1/90 000 s since midnight UTC of the day of the segment's start |
//! | 4 | number of samples; then of each sample |
//! | 4 | duration, 1/90 000 s |
//! | 4 | bytes |
//! | 1 | 1 when decoding can begin with it, else 0 |
//! | 4 | presentation time minus decode time, 1/90 000 s, signed |
//!
//! What does not belong here: hashes of sealed bytes, trees.

use crate::base::hash::Digest;
use crate::base::id::{BoxId, CameraId, RunId, SegmentId, StreamKind};
use crate::base::secret::SegmentKey;
use crate::base::time::{Ticks, Wall};
use crate::media::fragment::{Moof, SampleRow};
use crate::media::header::SegmentHeader;

/// The part of `canonical` that all fragments of a segment share: who recorded what, and when.
#[derive(Clone, Debug)]
pub struct Identity {
    prefix: Vec<u8>,
}

/// Who recorded what, and when.
#[derive(Clone, Copy, Debug)]
pub struct Recorded<'a> {
    /// The box.
    pub box_id: BoxId,
    /// The camera.
    pub camera: &'a CameraId,
    /// Which of its streams.
    pub stream: StreamKind,
    /// The session.
    pub run: RunId,
    /// The segment.
    pub segment: SegmentId,
    /// Wall time of its start.
    pub start: Wall,
    /// Media time of the same within the run.
    pub run_media_start: Ticks,
    /// SHA-256 of its clear sample entry.
    pub entry_hash: &'a Digest,
}

impl Identity {
    /// Of the segment with this header and this hash of the sample entry.
    pub fn new(header: &SegmentHeader, entry_hash: &Digest) -> Self {
        Self::of(&Recorded {
            box_id: header.box_id,
            camera: &header.camera,
            stream: header.stream,
            run: header.run,
            segment: header.segment,
            start: header.start,
            run_media_start: header.run_media_start,
            entry_hash,
        })
    }

    /// Of the segment of which this is known.
    pub fn of(header: &Recorded<'_>) -> Self {
        let camera = header.camera.as_str().as_bytes();
        let stream = match header.stream {
            StreamKind::Main => 0,
            StreamKind::Sub => 1,
        };
        let mut prefix = Vec::with_capacity(160);
        prefix.extend_from_slice(b"SNTLEAF1");
        prefix.extend_from_slice(header.box_id.bytes());
        // A camera id has at most 40 bytes.
        prefix.push(u8::try_from(camera.len()).unwrap_or(u8::MAX));
        prefix.extend_from_slice(camera);
        prefix.push(stream);
        prefix.extend_from_slice(header.run.bytes());
        prefix.extend_from_slice(header.segment.bytes());
        prefix.extend_from_slice(&header.start.us().to_be_bytes());
        prefix.extend_from_slice(&header.run_media_start.0.to_be_bytes());
        prefix.extend_from_slice(&header.entry_hash.0);
        Self { prefix }
    }

    /// The leaf of fragment `index`.
    pub fn leaf(&self, salt: &Salt, index: u32, moof: &Moof, clear: &Digest) -> Digest {
        self.leaf_of(salt, index, (moof.tfdt, &moof.rows), clear)
    }

    /// The leaf of fragment `index`, of which these are decode time and table of samples.
    pub fn leaf_of(
        &self,
        salt: &Salt,
        index: u32,
        (tfdt, rows): (u64, &[SampleRow]),
        clear: &Digest,
    ) -> Digest {
        let mut canonical = Vec::with_capacity(self.prefix.len() + 16 + 13 * rows.len());
        canonical.extend_from_slice(&self.prefix);
        canonical.extend_from_slice(&index.to_be_bytes());
        canonical.extend_from_slice(&tfdt.to_be_bytes());
        // Samples are bounded far below 32 bits.
        let count = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        canonical.extend_from_slice(&count.to_be_bytes());
        for row in rows {
            canonical.extend_from_slice(&row.duration.to_be_bytes());
            canonical.extend_from_slice(&row.bytes.to_be_bytes());
            canonical.push(u8::from(row.is_key));
            canonical.extend_from_slice(&row.offset.to_be_bytes());
        }
        Digest::sha256(&[&[0], &salt.0, &canonical, &clear.0])
    }
}

/// What makes leaves of a segment say nothing without its key.
#[derive(Clone, zeroize::Zeroize, zeroize::ZeroizeOnDrop)]
pub struct Salt([u8; 32]);

impl Salt {
    /// As it is disclosed with footage that is handed out, so that others can make the leaves of it. It confirms guesses at
    /// other pictures of the segment to whoever has their leaves too, and opens none.
    pub fn disclosed(&self) -> Digest {
        Digest(self.0)
    }

    /// As it was disclosed.
    pub const fn of_disclosed(salt: Digest) -> Self {
        Self(salt.0)
    }

    /// Out of the segment key.
    ///
    /// # Panics
    /// Never: the only error of HKDF is an output of more than 8160 bytes.
    pub fn derive(key: &SegmentKey) -> Self {
        use ring::hkdf::{HKDF_SHA256, Salt as Extract};
        let mut salt = [0; 32];
        Extract::new(HKDF_SHA256, &[])
            .extract(key.expose())
            .expand(&[b"leaf"], HKDF_SHA256)
            .and_then(|okm| okm.fill(&mut salt))
            .expect("32 bytes are a good length for HKDF");
        Self(salt)
    }
}
