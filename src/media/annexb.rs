//! NAL units behind start codes (ISO/IEC 14496-10 and 23008-2, annex B), as decoders take them that were not told of a sample
//! entry, and as encoders give them; and the sample entry of what an encoder gave.
//!
//! What does not belong here: what is in a NAL unit, but for its type and the three bytes of a profile.

use crate::base::error::{Error, Result};
use crate::media::access_unit::{Codec, ENTRY_BYTES_MAX, SampleEntry, VISUAL_ENTRY_BYTES};
use crate::media::boxes::{BoxRef, Fields, put_box, put_u16, put_u32s};
use crate::media::nal::nal_units;

const START: [u8; 4] = [0, 0, 0, 1];
/// NAL unit types of parameter sets and delimiters (ISO/IEC 14496-10, table 7-1).
const SPS: u8 = 7;
const PPS: u8 = 8;
const DELIMITER: u8 = 9;

/// The parameter sets of a sample entry, each behind a start code: to stand before the first access unit.
///
/// # Errors
/// `Corrupt` when its `avcC` (ISO/IEC 14496-15, 5.3.3.1.2) or `hvcC` (8.3.3.1.2) is broken.
pub fn parameter_sets(entry: &SampleEntry) -> Result<Vec<u8>> {
    let whole = BoxRef::parse(&entry.entry)?;
    let mut out = Vec::new();
    match entry.codec {
        Codec::H264 => {
            let mut fields = Fields::new(whole.child(VISUAL_ENTRY_BYTES, b"avcC")?.body);
            fields.take(5)?;
            let sequence = fields.u8()? & 0x1f;
            put_sets(&mut out, &mut fields, u16::from(sequence))?;
            let picture = fields.u8()?;
            put_sets(&mut out, &mut fields, u16::from(picture))?;
        }
        Codec::H265 => {
            let mut fields = Fields::new(whole.child(VISUAL_ENTRY_BYTES, b"hvcC")?.body);
            fields.take(22)?;
            for _ in 0..fields.u8()? {
                fields.take(1)?;
                let count = fields.u16()?;
                put_sets(&mut out, &mut fields, count)?;
            }
        }
    }
    Ok(out)
}

fn put_sets(out: &mut Vec<u8>, fields: &mut Fields<'_>, count: u16) -> Result<()> {
    for _ in 0..count {
        let bytes = usize::from(fields.u16()?);
        out.extend_from_slice(&START);
        out.extend_from_slice(fields.take(bytes)?);
    }
    Ok(())
}

/// Appends an access unit, each NAL unit behind a start code instead of its length. What is broken is left out: then it is false.
pub fn put_unit(out: &mut Vec<u8>, data: &[u8]) -> bool {
    let mut is_whole = true;
    for unit in nal_units(data) {
        is_whole &= unit.is_some();
        if let Some(unit) = unit {
            out.extend_from_slice(&START);
            out.extend_from_slice(unit);
        }
    }
    is_whole
}

/// The NAL units of `bytes`, which stand behind start codes of three or four bytes.
pub fn units(bytes: &[u8]) -> Vec<&[u8]> {
    let mut starts = Vec::new();
    let mut at = 0;
    while let Some(found) = bytes.get(at..at + 3) {
        if *found == [0, 0, 1] {
            starts.push(at);
            at += 3;
        } else {
            at += 1;
        }
    }
    let ends = starts.iter().skip(1).copied().chain([bytes.len()]);
    let unit = |(start, end): (&usize, usize)| {
        let unit = bytes.get(start + 3..end).unwrap_or_default();
        // Zeros before the next start code belong to no unit (trailing_zero_8bits).
        let length = unit
            .iter()
            .rposition(|b| *b != 0)
            .map_or(0, |last| last + 1);
        unit.get(..length).filter(|unit| !unit.is_empty())
    };
    starts.iter().zip(ends).filter_map(unit).collect()
}

/// An access unit of H.264 as it lies in a file: each NAL unit behind its length, without parameter sets and delimiters.
pub fn to_lengths(units: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    for unit in units {
        if let (false, Ok(length)) = (is_apart(unit), u32::try_from(unit.len())) {
            out.extend_from_slice(&length.to_be_bytes());
            out.extend_from_slice(unit);
        }
    }
    out
}

fn kind(unit: &[u8]) -> u8 {
    unit.first().map_or(0, |first| first & 0x1f)
}

fn is_apart(unit: &[u8]) -> bool {
    matches!(kind(unit), SPS | PPS | DELIMITER)
}

/// The sample entry (`avc1`) of pictures of 8 bits and 4:2:0 with the parameter sets among `units`; `None` when there are none.
///
/// # Errors
/// `Corrupt` when it would be none.
pub fn avc1(units: &[&[u8]], (width, height): (u16, u16)) -> Result<Option<SampleEntry>> {
    let of = |wanted: u8| units.iter().find(|unit| kind(unit) == wanted);
    let (Some(sps), Some(pps)) = (of(SPS), of(PPS)) else {
        return Ok(None);
    };
    let lengths = (u16::try_from(sps.len()), u16::try_from(pps.len()));
    let ((Ok(sps_bytes), Ok(pps_bytes)), Some([profile, constraints, level])) = (
        lengths,
        sps.get(1..4).and_then(|b| <[u8; 3]>::try_from(b).ok()),
    ) else {
        return Err(Error::corrupt("parameter sets of impossible length"));
    };
    let mut out = Vec::with_capacity(ENTRY_BYTES_MAX / 64);
    put_box(&mut out, b"avc1", |out| {
        let start = out.len();
        let size = u32::from(width) << 16 | u32::from(height);
        // data_reference_index 1; 72 dpi (ISO/IEC 14496-12, 12.1.3).
        put_u32s(out, &[0, 1, 0, 0, 0, 0, size, 0x48_0000, 0x48_0000, 0]);
        put_u16(out, 1);
        out.resize(start + VISUAL_ENTRY_BYTES - 4, 0);
        out.extend_from_slice(&[0, 24, 0xff, 0xff]);
        put_box(out, b"avcC", |out| {
            out.extend_from_slice(&[1, profile, constraints, level, 0xff, 0xe1]);
            put_u16(out, sps_bytes);
            out.extend_from_slice(sps);
            out.push(1);
            put_u16(out, pps_bytes);
            out.extend_from_slice(pps);
            // ISO/IEC 14496-15, 5.3.3.1.2: 4:2:0, 8 bits, no extensions.
            if matches!(profile, 100 | 110 | 122 | 144) {
                out.extend_from_slice(&[0xfd, 0xf8, 0xf8, 0]);
            }
        });
    });
    SampleEntry::parse(&out).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::testing;
    use proptest::prelude::*;

    #[test]
    fn parameter_sets_are_found() {
        let sets = parameter_sets(&testing::entry(Codec::H264)).expect("sets");
        assert_eq!(sets, b"\0\0\0\x01\x67\x64\0\x28\0\0\0\x01\x68\xee");
        assert_eq!(
            parameter_sets(&testing::entry(Codec::H265)).expect("sets"),
            b""
        );
    }

    #[test]
    fn an_entry_made_of_an_encoders_sets_holds_them() {
        let bytes = b"\0\0\0\x01\x09\x10\0\0\0\x01\x67\x64\x00\x1f\xac\0\0\x01\x68\xee\x3c\0\0\x01\x65\x88\x80\0\0";
        let found = units(bytes);
        assert_eq!(found.len(), 4);
        let entry = avc1(&found, (640, 360)).expect("an entry").expect("sets");
        assert_eq!(
            (entry.width, entry.height, entry.rfc6381.as_str()),
            (640, 360, "avc1.64001F")
        );
        let sets = parameter_sets(&entry).expect("sets");
        assert_eq!(
            sets,
            b"\0\0\0\x01\x67\x64\x00\x1f\xac\0\0\0\x01\x68\xee\x3c"
        );
        assert_eq!(to_lengths(&found), b"\0\0\0\x03\x65\x88\x80");
        assert_eq!(avc1(&found[3..], (640, 360)).expect("nothing"), None);
    }

    proptest! {
        #[test]
        fn there_and_back(sizes in prop::collection::vec(1_usize..40, 1..6)) {
            // A unit neither ends with zeros nor holds a start code.
            let all: Vec<Vec<u8>> = sizes.iter().map(|n| vec![0x65; *n]).collect();
            let all: Vec<&[u8]> = all.iter().map(Vec::as_slice).collect();
            let lengths = to_lengths(&all);
            let mut back = Vec::new();
            prop_assert!(put_unit(&mut back, &lengths));
            prop_assert!(!put_unit(&mut Vec::new(), &lengths[..lengths.len() - 1]));
            prop_assert_eq!(units(&back), all);
        }

        #[test]
        fn garbage_never_panics(bytes in prop::collection::vec(0_u8..3, 0..99)) {
            let found = units(&bytes);
            prop_assert!(avc1(&found, (2, 2)).is_ok());
            put_unit(&mut Vec::new(), &bytes);
        }
    }
}
