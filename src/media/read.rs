//! Reading a segment: its head, its fragments with or without the key, its trailer. What lies in the file
//! may be anything; every length is checked before it is believed.
//!
//! What does not belong here: opening files (see [`ReadAt`]), deciding what to do about damage.

use crate::base::error::{Context, Error, Kind, Result};
use crate::base::hash::Digest;
use crate::base::secret::SegmentKey;
use crate::base::time::Ticks;
use crate::media::access_unit::{SampleEntry, VISUAL_ENTRY_BYTES};
use crate::media::boxes::{BoxRef, Fields, Head, boxes, put_box};
use crate::media::fragment::{
    FRAGMENT_BYTES_MAX, MDAT_HEAD_BYTES, MOOF_BYTES_MAX, Moof, SampleRow,
};
use crate::media::header::{
    FRAGMENT_UUID, FRAGMENTS_MAX, FragmentIndex, JSON_BYTES_MAX, SegmentHeader, SegmentTrailer,
    TRAILER_UUID, content_root, trailer_bytes,
};
use crate::media::leaf::{Identity, Salt};
use crate::media::moov::IV_BYTES;
use crate::media::seal::Cipher;
use crate::media::segment::{FRAGMENT_UUID_BYTES, INITIAL_BYTES_MAX, Sample, index_of};

/// The trailer's bytes besides its JSON, rounded up.
const TRAILER_EXTRA_BYTES: u64 = 64;
/// How much is read at once while hashing.
const READ_BYTES: usize = 256 << 10;

/// Bytes that can be read at any place.
#[expect(
    clippy::len_without_is_empty,
    reason = "an empty segment is no special case for any reader"
)]
pub trait ReadAt {
    /// Number of bytes.
    fn len(&self) -> u64;

    /// Fills `buf` with the bytes from `offset` on.
    ///
    /// # Errors
    /// `Corrupt` when there are not that many; whatever the medium says.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<()>;
}

impl ReadAt for [u8] {
    fn len(&self) -> u64 {
        <[u8]>::len(self) as u64
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<()> {
        let mut fields = Fields::new(self);
        fields.take(usize::try_from(offset).unwrap_or(usize::MAX))?;
        buf.copy_from_slice(fields.take(buf.len())?);
        Ok(())
    }
}

impl ReadAt for &[u8] {
    fn len(&self) -> u64 {
        ReadAt::len(*self)
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<()> {
        (*self).read_at(offset, buf)
    }
}

impl ReadAt for Vec<u8> {
    fn len(&self) -> u64 {
        ReadAt::len(self.as_slice())
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<()> {
        self.as_slice().read_at(offset, buf)
    }
}

/// What stands before a segment's first fragment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Initial {
    /// The header.
    pub header: SegmentHeader,
    /// The clear sample entry, the same bytes that the builder was given.
    pub entry: SampleEntry,
    /// Where the first fragment begins.
    pub initial_len: u64,
}

/// What [`scan`] found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scan {
    /// The whole fragments, up to the first that is not.
    pub fragments: Vec<FragmentIndex>,
    /// End of the last whole fragment.
    pub whole_len: u64,
    /// The trailer, when it follows and fits the fragments.
    pub trailer: Option<SegmentTrailer>,
    /// What is wrong with the bytes after `whole_len`, if there are any.
    pub damage: Option<String>,
}

/// A fragment as it lies in the file, its structure and BLAKE3 checked.
#[derive(Clone, Debug)]
pub struct RawFragment {
    identity: Identity,
    name: String,
    first_dts: Ticks,
    number: u32,
    leaf: Digest,
    moof: Moof,
    first_iv: u64,
    payload: Vec<u8>,
}

/// Reads `ftyp`, `moov` and the header.
///
/// # Errors
/// `Corrupt` when it is not the beginning of a segment; `Foreign` when it is one of a newer version;
/// whatever `file` says.
pub fn read_initial<R: ReadAt + ?Sized>(file: &R) -> Result<Initial> {
    let len = file.len().min(INITIAL_BYTES_MAX as u64);
    let bytes = read_vec(file, 0, len)?;
    let mut parts = boxes(&bytes);
    let mut next = |kind: &[u8; 4]| {
        let found = parts.next().transpose()?;
        found.filter(|b| b.head.kind == *kind).ok_or_else(|| {
            Error::corrupt(format!(
                "box \"{}\" is missing at the beginning of the segment",
                kind.escape_ascii()
            ))
        })
    };
    let ftyp = next(b"ftyp")?;
    let moov = next(b"moov")?;
    let uuid = next(b"uuid")?;
    let header = SegmentHeader::parse(&uuid)?;
    let entry = clear_entry(&moov, header.segment.bytes())
        .context(|| format!("reading the sample entry of segment {}", header.segment))?;
    let initial_len = ftyp.head.whole_bytes + moov.head.whole_bytes + uuid.head.whole_bytes;
    Ok(Initial {
        header,
        entry,
        initial_len,
    })
}

/// Walks over the fragments and says how much of the file is whole; `deep` also checks each fragment's
/// BLAKE3, which reads all of it. No key is needed.
///
/// # Errors
/// `Foreign` when the trailer is of a newer version; what `file` says when it cannot be read. Damage is no
/// error.
pub fn scan<R: ReadAt + ?Sized>(file: &R, initial: &Initial, deep: bool) -> Result<Scan> {
    let mut found = Scan {
        fragments: Vec::new(),
        whole_len: initial.initial_len,
        trailer: None,
        damage: None,
    };
    let mut end = initial.header.start_of_day();
    while found.whole_len < file.len() {
        match step(file, initial, &found, end, deep) {
            Ok(Step::Fragment(index)) => {
                found.whole_len += u64::from(index.bytes);
                end = Ticks(index.tfdt.0.saturating_add(index.duration.0));
                found.fragments.push(index);
            }
            Ok(Step::Trailer(trailer)) => {
                found.trailer = Some(trailer);
                break;
            }
            Err(e) if e.kind() == Kind::Corrupt => {
                found.damage = Some(format!("at byte {}: {e}", found.whole_len));
                break;
            }
            Err(e) => return Err(e),
        }
    }
    Ok(found)
}

/// Reads fragment number `index`, which `expected` describes, and checks its BLAKE3.
///
/// # Errors
/// `Corrupt` when the file does not hold there what `expected` says or what was once written; whatever
/// `file` says.
pub fn read_fragment<R: ReadAt + ?Sized>(
    file: &R,
    initial: &Initial,
    index: u32,
    expected: &FragmentIndex,
) -> Result<RawFragment> {
    let name = format!("fragment {index} of segment {}", initial.header.segment);
    let read = || {
        let found = structure(file, expected.offset, index)?;
        if found.index != *expected {
            return Err(Error::corrupt("it is not the one that the index lists"));
        }
        let mut payload = read_vec(file, found.payload_at, found.moof.payload_bytes())?;
        let mut hasher = found.hasher;
        hasher.update(&payload);
        if hasher.finalize() != found.blake3 {
            payload.clear();
            return Err(bit_rot());
        }
        Ok(RawFragment {
            identity: Identity::new(&initial.header, &initial.entry.hash()),
            name: name.clone(),
            first_dts: initial.header.dts(found.index.tfdt),
            number: index,
            leaf: found.index.leaf,
            moof: found.moof,
            first_iv: found.first_iv,
            payload,
        })
    };
    read().context(|| format!("reading {name}"))
}

/// The samples of fragment number `index`, which `expected` describes: times and sizes, without reading their bytes.
/// The decode time of the first is in the run's media time.
///
/// # Errors
/// `Corrupt` when the file does not hold there what `expected` says; whatever `file` says.
pub fn read_rows<R: ReadAt + ?Sized>(
    file: &R,
    initial: &Initial,
    index: u32,
    expected: &FragmentIndex,
) -> Result<(Ticks, Vec<SampleRow>)> {
    let what = || {
        format!(
            "reading fragment {index} of segment {}",
            initial.header.segment
        )
    };
    let found = structure(file, expected.offset, index).context(what)?;
    if found.index != *expected {
        return Err(Error::corrupt("it is not the one that the index lists").attempted(what()));
    }
    Ok((initial.header.dts(found.index.tfdt), found.moof.rows))
}

impl RawFragment {
    /// The leaf hash that it bears.
    pub fn leaf(&self) -> Digest {
        self.leaf
    }

    /// Opens the samples and compares them, their times and whose they are with the leaf hash.
    ///
    /// # Errors
    /// `Denied` when they do not fit: the key is another one, or header, times or leaf were changed.
    pub fn open(&self, key: &SegmentKey) -> Result<Vec<Sample>> {
        let (cipher, salt) = (Cipher::new(key), Salt::derive(key));
        let mut hash = ring::digest::Context::new(&ring::digest::SHA256);
        let mut rest = Fields::new(&self.payload);
        let mut samples = Vec::with_capacity(self.moof.rows.len());
        let mut dts = self.first_dts.0;
        for (row, iv) in self.moof.rows.iter().zip(self.first_iv..) {
            let mut data = rest.take(row.bytes as usize)?.to_vec();
            cipher.apply(iv, &mut data, |_| {}, |clear| hash.update(clear));
            let duration = i64::from(row.duration);
            samples.push(Sample {
                data,
                dts: Ticks(dts),
                pts: Ticks(dts.saturating_add(i64::from(row.offset))),
                duration: Ticks(duration),
                is_key: row.is_key,
            });
            dts = dts.saturating_add(duration);
        }
        let clear = Digest::from_ring(&hash.finish());
        let leaf = self.identity.leaf(&salt, self.number, &self.moof, &clear);
        if leaf == self.leaf {
            return Ok(samples);
        }
        Err(Error::new(
            Kind::Denied,
            format!(
                "opening {}: its leaf hash does not match. Either this is not its key, or its header, its times or the hash itself were changed",
                self.name
            ),
        ))
    }
}

/// The trailer, found from the file's end without reading the fragments; `None` when the file does not
/// end in one. It is not compared with the fragments: [`scan`] does that.
///
/// # Errors
/// `Corrupt` when the file ends in what looks like a trailer and is none; `Foreign` when it is of a newer
/// version; whatever `file` says.
pub fn trailer_from_end<R: ReadAt + ?Sized>(file: &R) -> Result<Option<SegmentTrailer>> {
    let Some(tail_at) = file.len().checked_sub(8) else {
        return Ok(None);
    };
    let mut tail = [0; 8];
    file.read_at(tail_at, &mut tail)?;
    let Some(bytes) = trailer_bytes(tail).map(u64::from) else {
        return Ok(None);
    };
    let at = file.len().checked_sub(bytes);
    let at = at.ok_or_else(|| Error::corrupt("the segment's trailer is longer than the file"))?;
    read_trailer(file, at).map(Some)
}

enum Step {
    Fragment(FragmentIndex),
    Trailer(SegmentTrailer),
}

/// What follows after what was `found`.
fn step<R: ReadAt + ?Sized>(
    file: &R,
    initial: &Initial,
    found: &Scan,
    end: Ticks,
    deep: bool,
) -> Result<Step> {
    let at = found.whole_len;
    let left = file.len().saturating_sub(at);
    let head = Head::parse(&read_vec(file, at, left.min(32))?)?;
    if head.extended == Some(TRAILER_UUID) {
        let trailer = read_trailer(file, at)?;
        if trailer.fragments != found.fragments {
            return Err(Error::corrupt(
                "the trailer does not list the fragments that are there",
            ));
        }
        if trailer.content_root != content_root(&initial.header, &found.fragments) {
            return Err(Error::corrupt(
                "the trailer's content root does not fit the leaf hashes",
            ));
        }
        return Ok(Step::Trailer(trailer));
    }
    if found.fragments.len() >= FRAGMENTS_MAX {
        return Err(Error::corrupt(format!(
            "more than {FRAGMENTS_MAX} fragments"
        )));
    }
    // Bounded by FRAGMENTS_MAX.
    let number = u32::try_from(found.fragments.len()).unwrap_or(u32::MAX);
    let fragment = structure(file, at, number)?;
    if fragment.index.tfdt < end {
        return Err(Error::corrupt(
            "a fragment begins before the end of the one before it",
        ));
    }
    if deep {
        check_blake3(file, &fragment)?;
    }
    Ok(Step::Fragment(fragment.index))
}

/// A fragment without its payload.
struct Structure {
    index: FragmentIndex,
    moof: Moof,
    first_iv: u64,
    blake3: blake3::Hash,
    /// Has seen all sealed bytes before the payload.
    hasher: blake3::Hasher,
    payload_at: u64,
}

/// Reads everything of fragment `number` at `at` but its samples, which are all there.
fn structure<R: ReadAt + ?Sized>(file: &R, at: u64, number: u32) -> Result<Structure> {
    let before = read_vec(file, at, (FRAGMENT_UUID_BYTES + 8) as u64)?;
    let uuid = BoxRef::parse(&before)?;
    if uuid.head.extended != Some(FRAGMENT_UUID) || uuid.whole.len() != FRAGMENT_UUID_BYTES {
        return Err(Error::corrupt("neither a fragment nor a trailer is there"));
    }
    let mut hashes = Fields::new(uuid.body);
    let (leaf, blake3) = (Digest(hashes.array()?), hashes.array::<32>()?);
    let moof_head = Head::parse(before.get(FRAGMENT_UUID_BYTES..).unwrap_or_default())?;
    if moof_head.whole_bytes > MOOF_BYTES_MAX as u64 {
        return Err(Error::corrupt(format!(
            "a moof of {} bytes is above {MOOF_BYTES_MAX}",
            moof_head.whole_bytes
        )));
    }
    let sealed_at = at + FRAGMENT_UUID_BYTES as u64;
    let sealed_head_bytes = moof_head.whole_bytes + MDAT_HEAD_BYTES as u64;
    let sealed_head = read_vec(file, sealed_at, sealed_head_bytes)?;
    let moof_box = BoxRef::parse(&sealed_head)?;
    let moof = Moof::parse(&moof_box)?;
    let first_iv = moof
        .first_iv
        .ok_or_else(|| Error::corrupt("a fragment is not sealed"))?;
    let mdat = Head::parse(sealed_head.get(moof_box.whole.len()..).unwrap_or_default())?;
    let payload_bytes = moof.payload_bytes();
    if mdat.kind != *b"mdat"
        || mdat.head_bytes != MDAT_HEAD_BYTES
        || mdat.whole_bytes != payload_bytes + MDAT_HEAD_BYTES as u64
        || moof.sequence.checked_sub(1) != Some(number)
    {
        return Err(Error::corrupt(format!(
            "moof and mdat are not those of fragment {number}"
        )));
    }
    let payload_at = sealed_at + sealed_head_bytes;
    let bytes = payload_at - at + payload_bytes;
    if bytes > FRAGMENT_BYTES_MAX as u64 {
        return Err(Error::corrupt(format!(
            "a fragment of {bytes} bytes is above {FRAGMENT_BYTES_MAX}"
        )));
    }
    if file.len() - at < bytes {
        return Err(Error::corrupt("the last fragment is cut off"));
    }
    let mut hasher = blake3::Hasher::new();
    hasher.update(&sealed_head);
    Ok(Structure {
        index: index_of(&moof, at, bytes, leaf)?,
        moof,
        first_iv,
        blake3: blake3::Hash::from_bytes(blake3),
        hasher,
        payload_at,
    })
}

fn check_blake3<R: ReadAt + ?Sized>(file: &R, fragment: &Structure) -> Result<()> {
    let mut hasher = fragment.hasher.clone();
    let (mut at, mut left) = (fragment.payload_at, fragment.moof.payload_bytes());
    let mut buf = vec![0; READ_BYTES];
    while left > 0 {
        let n = left.min(READ_BYTES as u64);
        // At most READ_BYTES.
        let part = &mut buf[..usize::try_from(n).unwrap_or(READ_BYTES)];
        file.read_at(at, part)?;
        hasher.update(part);
        at += n;
        left -= n;
    }
    if hasher.finalize() == fragment.blake3 {
        Ok(())
    } else {
        Err(bit_rot())
    }
}

fn bit_rot() -> Error {
    Error::corrupt("its sealed bytes are not those that were written (BLAKE3)")
}

fn read_trailer<R: ReadAt + ?Sized>(file: &R, at: u64) -> Result<SegmentTrailer> {
    let bytes = file.len().saturating_sub(at);
    if bytes > JSON_BYTES_MAX as u64 + TRAILER_EXTRA_BYTES {
        return Err(Error::corrupt(format!(
            "a trailer of {bytes} bytes is too long"
        )));
    }
    let whole = read_vec(file, at, bytes)?;
    let found = BoxRef::parse(&whole)?;
    if found.whole.len() != whole.len() {
        return Err(Error::corrupt("something follows after the trailer"));
    }
    SegmentTrailer::parse(&found)
}

/// Reads `bytes` bytes, which the caller has bounded, after a look at whether they are there.
fn read_vec<R: ReadAt + ?Sized>(file: &R, at: u64, bytes: u64) -> Result<Vec<u8>> {
    let there = at.checked_add(bytes).is_some_and(|end| end <= file.len());
    let bytes = usize::try_from(bytes).ok().filter(|_| there);
    let bytes = bytes.ok_or_else(|| Error::corrupt("the file is cut off"))?;
    let mut buf = vec![0; bytes];
    file.read_at(at, &mut buf)?;
    Ok(buf)
}

/// The clear sample entry out of `encv`: its type is in `frma`, and `sinf` stands at its end.
fn clear_entry(moov: &BoxRef<'_>, key_id: &[u8; 16]) -> Result<SampleEntry> {
    let stsd = [b"trak", b"mdia", b"minf", b"stbl", b"stsd"]
        .iter()
        .try_fold(*moov, |parent, kind| parent.child(0, kind))?;
    let encv = stsd.child(8, b"encv")?;
    let sinf = encv.child(VISUAL_ENTRY_BYTES, b"sinf")?;
    let frma = sinf.child(0, b"frma")?;
    let schm = sinf.child(0, b"schm")?;
    let tenc = sinf.child(0, b"schi")?.child(0, b"tenc")?;
    let scheme = [&b"\0\0\0\0cenc\0\x01\0\0"[..]].concat();
    let protection = [&[0, 0, 0, 0, 0, 0, 1, IV_BYTES][..], key_id].concat();
    if schm.body != scheme || tenc.body != protection || !encv.body.ends_with(sinf.whole) {
        return Err(Error::corrupt(
            "its protection is not the one that Sinetti uses, or another key's",
        ));
    }
    let mut kind = Fields::new(frma.body);
    let kind: [u8; 4] = kind.array()?;
    let clear_bytes = encv.body.len() - sinf.whole.len();
    let mut entry = Vec::with_capacity(encv.whole.len());
    put_box(&mut entry, &kind, |out| {
        out.extend_from_slice(encv.body.get(..clear_bytes).unwrap_or_default());
    });
    SampleEntry::parse(&entry)
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
