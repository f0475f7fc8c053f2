//! Writing a segment: fragmented MP4 under Common Encryption, fragment by fragment.
//!
//! The file: `ftyp`, `moov`, `uuid` (header); per fragment `uuid` (leaf hash ‖ BLAKE3 of all bytes of the
//! sealed `moof` and `mdat`), `moof`, `mdat`; then `uuid` (trailer). See `header` for the `uuid` boxes,
//! `leaf` for the leaf hash, `fragment` for `moof`.
//!
//! The builder makes bytes and never sees the file: whoever writes them says with
//! [`SegmentBuilder::written`] that they lie there.

use crate::base::error::{Error, Result};
use crate::base::hash::Digest;
use crate::base::secret::SegmentKey;
use crate::base::time::{Ticks, Wall};
use crate::media::access_unit::SampleEntry;
use crate::media::boxes::{UUID_HEAD_BYTES, put_uuid};
use crate::media::fragment::{FRAGMENT_BYTES_MAX, Moof, SAMPLES_MAX, SampleRow};
use crate::media::header::{
    ClockState, FRAGMENT_UUID, FRAGMENTS_MAX, FragmentIndex, Losses, SegmentHeader, SegmentTrailer,
    TICKS_MAX,
};
use crate::media::leaf::{Identity, Salt};
use crate::media::moov::{Movie, put_empty_tables, put_ftyp, put_moov, sealed_entry};
use crate::media::seal::Cipher;

/// The most bytes before the first fragment.
pub const INITIAL_BYTES_MAX: usize = 64 << 10;
/// Bytes of the `uuid` box before a fragment's `moof`: head, leaf, BLAKE3.
pub const FRAGMENT_UUID_BYTES: usize = UUID_HEAD_BYTES + 64;

/// One access unit with its times, in the clear.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sample {
    /// Its NAL units, each behind its length in four bytes.
    pub data: Vec<u8>,
    /// Decode time within the run.
    pub dts: Ticks,
    /// Presentation time within the run; may be before `dts`.
    pub pts: Ticks,
    /// Time to the next sample's `dts`.
    pub duration: Ticks,
    /// Decoding can begin with it.
    pub is_key: bool,
}

/// A fragment ready to be written: `head`, then the samples.
#[derive(Debug)]
pub struct SealedFragment {
    /// `uuid`, `moof`, and the head of `mdat`.
    pub head: Vec<u8>,
    /// The sealed samples, in the buffers in which they came.
    pub samples: Vec<Vec<u8>>,
    /// Its line in the trailer.
    pub index: FragmentIndex,
}

impl SealedFragment {
    /// Its bytes, in the order in which they belong into the file.
    pub fn parts(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::once(self.head.as_slice()).chain(self.samples.iter().map(Vec::as_slice))
    }
}

/// Makes one segment.
pub struct SegmentBuilder {
    header: SegmentHeader,
    initial: Vec<u8>,
    identity: Identity,
    cipher: Cipher,
    salt: Salt,
    /// Goes up with every sample that was ever sealed, written or not: a counter that seals twice under
    /// one key gives both pictures away.
    next_iv: u64,
    next_offset: u64,
    next_tfdt: Ticks,
    fragments: Vec<FragmentIndex>,
}

impl SegmentBuilder {
    /// Begins the segment with `header` for a stream with this sample entry. `key` must be new: no other
    /// builder may ever have had it.
    ///
    /// # Errors
    /// `Corrupt` when the header or the sample entry is out of bounds.
    pub fn new(header: SegmentHeader, entry: &SampleEntry, key: &SegmentKey) -> Result<Self> {
        header.check()?;
        SampleEntry::parse(&entry.entry)?;
        let initial = initial_bytes(&header, entry);
        if initial.len() > INITIAL_BYTES_MAX {
            return Err(Error::corrupt(format!(
                "the head of segment {} has {} bytes, more than {INITIAL_BYTES_MAX}",
                header.segment,
                initial.len()
            )));
        }
        Ok(Self {
            identity: Identity::new(&header, &entry.hash()),
            cipher: Cipher::new(key),
            salt: Salt::derive(key),
            next_iv: 0,
            next_offset: initial.len() as u64,
            next_tfdt: header.start_of_day(),
            fragments: Vec::new(),
            initial,
            header,
        })
    }

    /// What the file begins with: `ftyp`, `moov`, and the header box.
    pub fn initial_bytes(&self) -> Vec<u8> {
        self.initial.clone()
    }

    /// The header.
    pub fn header(&self) -> &SegmentHeader {
        &self.header
    }

    /// The fragments that were confirmed as written.
    pub fn fragments(&self) -> &[FragmentIndex] {
        &self.fragments
    }

    /// Bytes of the file as far as confirmed.
    pub fn written_bytes(&self) -> u64 {
        self.next_offset
    }

    /// Hashes and seals `samples` in place as the next fragment. It counts as part of the segment only
    /// after [`SegmentBuilder::written`]; if it never is, its initialisation vectors are burnt.
    ///
    /// # Errors
    /// `Full` when the segment has [`FRAGMENTS_MAX`] fragments, or the fragment would be above
    /// [`SAMPLES_MAX`] or [`FRAGMENT_BYTES_MAX`]; `Invalid` when there are no samples, they begin before
    /// the end of what was written, or one does not follow on the other.
    pub fn fragment(&mut self, samples: Vec<Sample>) -> Result<SealedFragment> {
        let moof = self.plan(&samples)?;
        let mut head = Vec::with_capacity(1024 + 24 * samples.len());
        put_uuid(&mut head, &FRAGMENT_UUID, |out| {
            out.extend_from_slice(&[0; 64]);
        });
        moof.put(&mut head);
        let bytes = head.len() as u64 + moof.payload_bytes();
        if bytes > FRAGMENT_BYTES_MAX as u64 {
            return Err(Error::new(
                crate::base::Kind::Full,
                format!("a fragment of {bytes} bytes is above {FRAGMENT_BYTES_MAX}"),
            ));
        }
        let first_iv = self.next_iv;
        self.next_iv += samples.len() as u64;
        let mut sealed_hash = blake3::Hasher::new();
        sealed_hash.update(&head[FRAGMENT_UUID_BYTES..]);
        let mut clear_hash = ring::digest::Context::new(&ring::digest::SHA256);
        let mut sealed = Vec::with_capacity(samples.len());
        for (iv, mut sample) in (first_iv..).zip(samples) {
            self.cipher.apply(
                iv,
                &mut sample.data,
                |clear| clear_hash.update(clear),
                |cipher| {
                    sealed_hash.update(cipher);
                },
            );
            sealed.push(sample.data);
        }
        let clear = Digest::from_ring(&clear_hash.finish());
        let leaf = self
            .identity
            .leaf(&self.salt, moof.sequence - 1, &moof, &clear);
        head[UUID_HEAD_BYTES..UUID_HEAD_BYTES + 32].copy_from_slice(&leaf.0);
        head[UUID_HEAD_BYTES + 32..FRAGMENT_UUID_BYTES]
            .copy_from_slice(sealed_hash.finalize().as_bytes());
        let index = index_of(&moof, self.next_offset, bytes, leaf)?;
        Ok(SealedFragment {
            head,
            samples: sealed,
            index,
        })
    }

    /// Says that `fragment`, the last one made, lies in the file where its index says.
    ///
    /// # Panics
    /// When another fragment was written there already: a fault of ours.
    pub fn written(&mut self, fragment: &SealedFragment) {
        assert_eq!(
            fragment.index.offset, self.next_offset,
            "fragments are confirmed once and in order"
        );
        self.next_offset += u64::from(fragment.index.bytes);
        self.next_tfdt = fragment.index.tfdt + fragment.index.duration;
        self.fragments.push(fragment.index.clone());
    }

    /// The trailer box, which ends the file, and its `content_root`.
    pub fn trailer(
        self,
        end: Wall,
        losses: Losses,
        clock: ClockState,
        recovered: bool,
    ) -> (Vec<u8>, Digest) {
        rebuild_trailer(&self.header, self.fragments, end, losses, clock, recovered)
    }

    /// The `moof` for `samples`, after all checks of them.
    fn plan(&self, samples: &[Sample]) -> Result<Moof> {
        let first = samples
            .first()
            .ok_or_else(|| Error::invalid("a fragment needs at least one sample"))?;
        if samples.len() > SAMPLES_MAX || self.fragments.len() >= FRAGMENTS_MAX {
            return Err(Error::new(
                crate::base::Kind::Full,
                format!(
                    "segment {} cannot take {} samples more in a fragment {}",
                    self.header.segment,
                    samples.len(),
                    self.fragments.len()
                ),
            ));
        }
        let tfdt = self.header.tfdt(first.dts);
        if tfdt < self.next_tfdt {
            return Err(Error::invalid(format!(
                "a sample at media time {} lies before what segment {} holds already",
                first.dts.0, self.header.segment
            )));
        }
        let mut rows = Vec::with_capacity(samples.len());
        for (i, sample) in samples.iter().enumerate() {
            rows.push(row_of(sample, samples.get(i + 1))?);
        }
        Ok(Moof {
            // Bounded by FRAGMENTS_MAX.
            sequence: u32::try_from(self.fragments.len() + 1).unwrap_or(u32::MAX),
            tfdt: u64::try_from(tfdt.0).unwrap_or(0),
            rows,
            first_iv: Some(self.next_iv),
        })
    }
}

/// The trailer box of a segment with these fragments, and its `content_root`; also for a file that a crash
/// left without one, since no key is needed.
///
/// # Panics
/// When there are more than [`FRAGMENTS_MAX`] fragments, which neither a builder nor
/// [`scan`](crate::media::read::scan) yields.
pub fn rebuild_trailer(
    header: &SegmentHeader,
    fragments: Vec<FragmentIndex>,
    end: Wall,
    losses: Losses,
    clock: ClockState,
    recovered: bool,
) -> (Vec<u8>, Digest) {
    let trailer = SegmentTrailer::new(header, fragments, end, losses, clock, recovered);
    (trailer.to_bytes(), trailer.content_root)
}

/// A fragment's line in the trailer.
pub(crate) fn index_of(
    moof: &Moof,
    offset: u64,
    bytes: u64,
    leaf: Digest,
) -> Result<FragmentIndex> {
    let out_of_bounds = |_| Error::corrupt("a fragment's size is out of bounds");
    let tfdt = i64::try_from(moof.tfdt).ok().filter(|t| *t <= TICKS_MAX);
    let tfdt = tfdt.ok_or_else(|| Error::corrupt("a fragment's time is out of bounds"))?;
    Ok(FragmentIndex {
        offset,
        bytes: u32::try_from(bytes).map_err(out_of_bounds)?,
        tfdt: Ticks(tfdt),
        duration: moof.duration(),
        samples: u32::try_from(moof.rows.len()).map_err(out_of_bounds)?,
        starts_with_key: moof.starts_with_key(),
        leaf,
    })
}

pub(crate) fn row_of(sample: &Sample, next: Option<&Sample>) -> Result<SampleRow> {
    let bad = |what: &str| {
        Error::invalid(format!(
            "the sample at media time {} has {what}",
            sample.dts.0
        ))
    };
    if next.is_some_and(|next| sample.dts.0.checked_add(sample.duration.0) != Some(next.dts.0)) {
        return Err(bad("a duration that does not lead to the next one"));
    }
    let offset = sample.pts.0.checked_sub(sample.dts.0);
    Ok(SampleRow {
        duration: u32::try_from(sample.duration.0).map_err(|_| bad("an impossible duration"))?,
        bytes: u32::try_from(sample.data.len()).map_err(|_| bad("too many bytes"))?,
        is_key: sample.is_key,
        offset: offset
            .and_then(|o| i32::try_from(o).ok())
            .ok_or_else(|| bad("a presentation time too far away"))?,
    })
}

fn initial_bytes(header: &SegmentHeader, entry: &SampleEntry) -> Vec<u8> {
    let mut out = Vec::with_capacity(2048);
    put_ftyp(&mut out, &[b"iso6", b"iso6", b"cmfc", b"mp41"]);
    let movie = Movie {
        created: header.start,
        media: Ticks(0),
        shown: Ticks(0),
        edit_from: None,
        width: entry.width,
        height: entry.height,
        entry: &sealed_entry(&entry.entry, header.segment.bytes()),
        is_fragmented: true,
    };
    put_moov(&mut out, &movie, put_empty_tables);
    header.put(&mut out);
    out
}
