//! NAL units within an access unit, each behind its length in four bytes: H.264 (ISO/IEC 14496-10, 7.3.1)
//! and H.265 (ISO/IEC 23008-2, 7.3.1).
//!
//! Only the type in a NAL unit's header is read. Bytes that are cut off or lead beyond their end are no
//! picture: the questions here then say no.

use crate::media::access_unit::Codec;

/// The NAL units of `data` in order. A length of 0 or beyond the end yields `None` once, and ends it.
pub fn nal_units(data: &[u8]) -> impl Iterator<Item = Option<&[u8]>> {
    let mut rest = data;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let split = rest.split_first_chunk::<4>().and_then(|(len, after)| {
            let len = usize::try_from(u32::from_be_bytes(*len)).ok()?;
            after.split_at_checked(len)
        });
        let (unit, after) = split.unwrap_or_default();
        rest = after;
        Some((!unit.is_empty()).then_some(unit))
    })
}

/// The types of the NAL units of `data`, `None` where it is broken: `nal_unit_type` of either codec.
pub fn nal_types(codec: Codec, data: &[u8]) -> impl Iterator<Item = Option<u8>> {
    nal_units(data).map(move |unit| {
        let first = unit?.first()?;
        Some(match codec {
            Codec::H264 => first & 0x1f,
            Codec::H265 => (first >> 1) & 0x3f,
        })
    })
}

/// True when `data` is whole and holds at least one slice of a picture.
pub fn has_picture(codec: Codec, data: &[u8]) -> bool {
    let mut found = false;
    nal_types(codec, data).all(|kind| {
        found |= kind.is_some_and(|k| is_slice(codec, k));
        kind.is_some()
    }) && found
}

/// True when `data` is whole and decoding can begin with it.
///
/// H.264: all its slices are of an IDR picture (type 5). H.265: its first slice is of an IRAP picture
/// (types 16 to 23: BLA, IDR, CRA).
pub fn is_random_access(codec: Codec, data: &[u8]) -> bool {
    let (mut slices, mut starts) = (0, 0);
    for kind in nal_types(codec, data) {
        let Some(kind) = kind else { return false };
        if !is_slice(codec, kind) {
            continue;
        }
        match codec {
            Codec::H264 => starts += usize::from(kind == 5),
            // The slices of one picture are all of one type, so only the first is asked.
            Codec::H265 => starts += usize::from(slices > 0 || (16..=23).contains(&kind)),
        }
        slices += 1;
    }
    slices > 0 && starts == slices
}

/// Video coding layer: H.264 types 1 to 5 (table 7-1), H.265 types 0 to 31 (table 7-1).
fn is_slice(codec: Codec, kind: u8) -> bool {
    match codec {
        Codec::H264 => (1..=5).contains(&kind),
        Codec::H265 => kind < 32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn unit(kinds: &[u8]) -> Vec<u8> {
        kinds.iter().flat_map(|k| [0, 0, 0, 2, *k, 1]).collect()
    }

    #[test]
    fn h264_begins_at_idr_pictures_only() {
        for (kinds, key, picture) in [
            (&[0x65][..], true, true),
            (&[0x09, 0x06, 0x65, 0x65], true, true),
            (&[0x65, 0x41], false, true),
            (&[0x41], false, true),
            (&[0x06, 0x01], false, true),
            (&[0x06], false, false),
            (&[], false, false),
        ] {
            let data = unit(kinds);
            assert_eq!(is_random_access(Codec::H264, &data), key, "{kinds:?}");
            assert_eq!(has_picture(Codec::H264, &data), picture, "{kinds:?}");
        }
    }

    #[test]
    fn h265_begins_at_every_irap_picture() {
        for kind in 0..64 {
            let data = unit(&[39 << 1, kind << 1]);
            assert_eq!(
                is_random_access(Codec::H265, &data),
                (16..24).contains(&kind)
            );
            assert_eq!(has_picture(Codec::H265, &data), kind < 32);
        }
        assert!(is_random_access(Codec::H265, &unit(&[21 << 1, 21 << 1])));
    }

    #[test]
    fn lengths_beyond_the_end_are_no_picture() {
        for bad in [
            &[0, 0, 0, 9, 0x65][..],
            &[0, 0, 0, 0],
            &[0, 0, 0],
            &[0xff; 9],
        ] {
            assert!(!has_picture(Codec::H264, bad));
            let mut data = unit(&[0x65]);
            data.extend_from_slice(bad);
            assert!(!is_random_access(Codec::H264, &data));
            assert!(!has_picture(Codec::H264, &data));
        }
    }

    proptest! {
        #[test]
        fn garbage_never_panics(data in proptest::collection::vec(any::<u8>(), 0..99)) {
            for codec in [Codec::H264, Codec::H265] {
                let both = [is_random_access(codec, &data), has_picture(codec, &data)];
                prop_assert!(both[1] || !both[0]);
            }
        }
    }
}
