//! A fragment's `moof`: sizes, times and initialisation vectors of its samples (ISO/IEC 14496-12, 8.8;
//! ISO/IEC 23001-7, 7.1 and 7.2).
//!
//! Only what Sinetti writes is accepted when reading: one `traf` with `tfhd`, `tfdt`, `trun` and, when
//! sealed, `senc`, `saiz`, `saio`, in this order.
//!
//! What does not belong here: the samples themselves, hashes.

use crate::base::error::{Error, Result};
use crate::base::time::Ticks;
use crate::media::boxes::{
    BoxRef, Children, Fields, patch_u32, put_box, put_full, put_u32, put_u64,
};
use crate::media::moov::{IV_BYTES, TRACK_ID};

/// The most samples in a fragment.
pub const SAMPLES_MAX: usize = 4096;
/// The most bytes of a fragment: `uuid`, `moof` and `mdat`.
pub const FRAGMENT_BYTES_MAX: usize = 64 << 20;
/// The most bytes of a `moof`: [`SAMPLES_MAX`] samples of 16 bytes in `trun` and 8 in `senc`, and room
/// for the rest.
pub const MOOF_BYTES_MAX: usize = SAMPLES_MAX * 24 + 1024;
/// Bytes before the samples in `mdat`.
pub const MDAT_HEAD_BYTES: usize = 8;

/// `default-base-is-moof` (ISO/IEC 14496-12, 8.8.7).
const TFHD_FLAGS: u32 = 0x02_0000;
/// Data offset; duration, size and flags of every sample (ISO/IEC 14496-12, 8.8.8).
const TRUN_FLAGS: u32 = 0x0701;
/// Composition offset of every sample.
const TRUN_OFFSETS: u32 = 0x0800;
/// Depends on no other (ISO/IEC 14496-12, 8.8.3.1).
const FLAGS_KEY: u32 = 0x0200_0000;
/// Depends on others, and is no sync sample.
const FLAGS_OTHER: u32 = 0x0101_0000;

/// One sample's row in `trun`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SampleRow {
    /// Ticks to the next sample's decode time.
    pub duration: u32,
    /// Bytes of it.
    pub bytes: u32,
    /// Decoding can begin with it.
    pub is_key: bool,
    /// Presentation time minus decode time, in ticks.
    pub offset: i32,
}

/// The content of a `moof`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Moof {
    /// `mfhd` sequence number: the fragment's number plus 1.
    pub sequence: u32,
    /// Decode time of the first sample.
    pub tfdt: u64,
    /// The samples.
    pub rows: Vec<SampleRow>,
    /// The first sample's initialisation vector, when they are sealed; each next one is larger by 1.
    pub first_iv: Option<u64>,
}

impl Moof {
    /// Sum of the durations.
    pub fn duration(&self) -> Ticks {
        // At most 4096 times 32 bits.
        Ticks(self.rows.iter().map(|r| i64::from(r.duration)).sum())
    }

    /// Sum of the sizes: the payload of `mdat`.
    pub fn payload_bytes(&self) -> u64 {
        self.rows.iter().map(|r| u64::from(r.bytes)).sum()
    }

    /// Decoding can begin with the first sample.
    pub fn starts_with_key(&self) -> bool {
        self.rows.first().is_some_and(|row| row.is_key)
    }

    /// Appends `moof` and the head of the `mdat` that must follow.
    ///
    /// # Panics
    /// When the bounds of this file are not kept: the caller must have checked them.
    pub fn put(&self, out: &mut Vec<u8>) {
        let start = out.len();
        let (mut data_offset_at, mut iv_offset_at, mut ivs_at) = (0, None, 0);
        put_box(out, b"moof", |out| {
            put_full(out, b"mfhd", 0, 0, |out| put_u32(out, self.sequence));
            put_box(out, b"traf", |out| {
                put_full(out, b"tfhd", 0, TFHD_FLAGS, |out| put_u32(out, TRACK_ID));
                put_full(out, b"tfdt", 1, 0, |out| put_u64(out, self.tfdt));
                data_offset_at = self.put_trun(out);
                if let Some(first_iv) = self.first_iv {
                    ivs_at = self.put_senc(out, first_iv);
                    iv_offset_at = Some(self.put_saiz_saio(out));
                }
            });
        });
        let offset = |at: usize| u32::try_from(at - start).expect("a moof is small");
        let payload_at = offset(out.len() + MDAT_HEAD_BYTES);
        patch_u32(out, data_offset_at, payload_at);
        if let Some(at) = iv_offset_at {
            patch_u32(out, at, offset(ivs_at));
        }
        let mdat = self.payload_bytes() + MDAT_HEAD_BYTES as u64;
        put_u32(out, u32::try_from(mdat).expect("a fragment is bounded"));
        out.extend_from_slice(b"mdat");
    }

    fn count(&self) -> u32 {
        u32::try_from(self.rows.len()).expect("samples are bounded")
    }

    /// Returns where the data offset stands.
    fn put_trun(&self, out: &mut Vec<u8>) -> usize {
        let has_offsets = self.rows.iter().any(|row| row.offset != 0);
        let flags = TRUN_FLAGS | if has_offsets { TRUN_OFFSETS } else { 0 };
        let mut data_offset_at = 0;
        put_full(out, b"trun", 1, flags, |out| {
            put_u32(out, self.count());
            data_offset_at = out.len();
            put_u32(out, 0);
            for row in &self.rows {
                put_u32(out, row.duration);
                put_u32(out, row.bytes);
                put_u32(out, if row.is_key { FLAGS_KEY } else { FLAGS_OTHER });
                if has_offsets {
                    put_u32(out, row.offset.cast_unsigned());
                }
            }
        });
        data_offset_at
    }

    /// Returns where the first initialisation vector stands.
    fn put_senc(&self, out: &mut Vec<u8>, first_iv: u64) -> usize {
        let mut ivs_at = 0;
        put_full(out, b"senc", 0, 0, |out| {
            put_u32(out, self.count());
            ivs_at = out.len();
            for iv in (first_iv..).take(self.rows.len()) {
                put_u64(out, iv);
            }
        });
        ivs_at
    }

    /// Returns where the offset of the initialisation vectors stands (ISO/IEC 14496-12, 8.7.8 and 8.7.9).
    fn put_saiz_saio(&self, out: &mut Vec<u8>) -> usize {
        put_full(out, b"saiz", 0, 0, |out| {
            out.push(IV_BYTES);
            put_u32(out, self.count());
        });
        put_full(out, b"saio", 0, 0, |out| {
            put_u32(out, 1);
            put_u32(out, 0);
        });
        out.len() - 4
    }

    /// From a `moof` box.
    ///
    /// # Errors
    /// `Corrupt` when it is not one as [`Moof::put`] writes it, or out of the bounds of this file.
    pub fn parse(moof: &BoxRef<'_>) -> Result<Self> {
        if moof.head.kind != *b"moof" {
            return Err(Error::corrupt("a moof box is not there"));
        }
        let mut outer = moof.children(0)?;
        let (_, mut mfhd) = expect(&mut outer, b"mfhd")?.full(0)?;
        let sequence = mfhd.u32()?;
        mfhd.end()?;
        let mut inner = expect(&mut outer, b"traf")?.children(0)?;
        let (flags, mut tfhd) = expect(&mut inner, b"tfhd")?.full(0)?;
        if flags != TFHD_FLAGS || tfhd.u32()? != TRACK_ID {
            return Err(Error::corrupt("tfhd is not as Sinetti writes it"));
        }
        tfhd.end()?;
        let (_, mut tfdt) = expect(&mut inner, b"tfdt")?.full(1)?;
        let time = tfdt.u64()?;
        tfdt.end()?;
        let trun = expect(&mut inner, b"trun")?;
        let (rows, data_offset) = parse_trun(&trun)?;
        if u64::from(data_offset) != moof.head.whole_bytes + MDAT_HEAD_BYTES as u64 {
            return Err(Error::corrupt("trun does not point at the following mdat"));
        }
        let first_iv = match inner.clone().next() {
            None => None,
            Some(_) => Some(parse_ivs(moof, &mut inner, rows.len())?),
        };
        if inner.next().is_some() || outer.next().is_some() {
            return Err(Error::corrupt(
                "moof holds more than Sinetti writes into it",
            ));
        }
        Ok(Self {
            sequence,
            tfdt: time,
            rows,
            first_iv,
        })
    }
}

fn expect<'a>(children: &mut Children<'a>, kind: &[u8; 4]) -> Result<BoxRef<'a>> {
    let missing = || {
        Error::corrupt(format!(
            "box \"{}\" is not where it should be",
            kind.escape_ascii()
        ))
    };
    let found = children.next().ok_or_else(missing)??;
    if found.head.kind == *kind {
        Ok(found)
    } else {
        Err(missing())
    }
}

/// The rows, and the data offset.
fn parse_trun(trun: &BoxRef<'_>) -> Result<(Vec<SampleRow>, u32)> {
    let (flags, mut fields) = trun.full(1)?;
    if flags & !TRUN_OFFSETS != TRUN_FLAGS {
        return Err(Error::corrupt(format!("trun has flags {flags:#x}")));
    }
    let count = bounded_count(&mut fields)?;
    let data_offset = fields.u32()?;
    let mut rows = Vec::with_capacity(count);
    for _ in 0..count {
        let (duration, bytes) = (fields.u32()?, fields.u32()?);
        let is_key = match fields.u32()? {
            FLAGS_KEY => true,
            FLAGS_OTHER => false,
            other => return Err(Error::corrupt(format!("a sample has flags {other:#x}"))),
        };
        let offset = if flags & TRUN_OFFSETS == 0 {
            0
        } else {
            fields.u32()?.cast_signed()
        };
        rows.push(SampleRow {
            duration,
            bytes,
            is_key,
            offset,
        });
    }
    fields.end()?;
    Ok((rows, data_offset))
}

/// The first initialisation vector out of `senc`, with `saiz` and `saio` checked against it.
fn parse_ivs(moof: &BoxRef<'_>, inner: &mut Children<'_>, samples: usize) -> Result<u64> {
    let senc = expect(inner, b"senc")?;
    let (flags, mut fields) = senc.full(0)?;
    let count = bounded_count(&mut fields)?;
    if flags != 0 || count != samples {
        return Err(Error::corrupt("senc does not fit the samples"));
    }
    let ivs_at = (fields.rest().as_ptr() as usize).saturating_sub(moof.whole.as_ptr() as usize);
    let first = fields.u64()?;
    for n in 1..count as u64 {
        if Some(fields.u64()?) != first.checked_add(n) {
            return Err(Error::corrupt("initialisation vectors are not in a row"));
        }
    }
    fields.end()?;
    let (_, mut saiz) = expect(inner, b"saiz")?.full(0)?;
    let (_, mut saio) = expect(inner, b"saio")?.full(0)?;
    if saiz.u8()? != IV_BYTES
        || bounded_count(&mut saiz)? != samples
        || saio.u32()? != 1
        || usize::try_from(saio.u32()?).ok() != Some(ivs_at)
    {
        return Err(Error::corrupt("saiz and saio do not fit senc"));
    }
    saiz.end()?;
    saio.end()?;
    Ok(first)
}

fn bounded_count(fields: &mut Fields<'_>) -> Result<usize> {
    let count = fields.u32()?;
    usize::try_from(count)
        .ok()
        .filter(|n| (1..=SAMPLES_MAX).contains(n))
        .ok_or_else(|| Error::corrupt(format!("{count} samples in a fragment")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rows() -> impl Strategy<Value = Vec<SampleRow>> {
        let row = (any::<u32>(), 0u32..9999, any::<bool>(), -3i32..3).prop_map(
            |(duration, bytes, is_key, offset)| SampleRow {
                duration,
                bytes,
                is_key,
                offset,
            },
        );
        proptest::collection::vec(row, 1..40)
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(
            sequence: u32, tfdt: u64, rows in rows(), iv in proptest::option::of(0u64..1 << 50),
        ) {
            let moof = Moof { sequence, tfdt, rows, first_iv: iv };
            let mut out = vec![7; 5];
            moof.put(&mut out);
            let read = BoxRef::parse(&out[5..]).expect("a box");
            prop_assert_eq!(read.whole.len() + 5 + MDAT_HEAD_BYTES, out.len());
            prop_assert!(read.whole.len() <= MOOF_BYTES_MAX);
            prop_assert_eq!(Moof::parse(&read).expect("whole"), moof);
        }

        #[test]
        fn a_changed_byte_never_panics(rows in rows(), at: usize, to: u8) {
            let moof = Moof { sequence: 1, tfdt: 2, rows, first_iv: Some(3) };
            let mut out = Vec::new();
            moof.put(&mut out);
            let at = at % out.len();
            out[at] = to;
            if let Ok(read) = BoxRef::parse(&out) {
                Moof::parse(&read).ok();
            }
        }
    }
}
