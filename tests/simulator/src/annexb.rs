//! Annex-B elementary streams: finding NAL units and grouping them into access units.
//!
//! What belongs here: everything that looks at NAL headers, for H.264 (ITU-T H.264, 7.4.1.2) and
//! H.265 (ITU-T H.265, 7.4.2.4). Only NAL headers and the first bit of a slice are read, never the
//! pictures.

use std::ops::Range;

/// Video coding of a footage file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// ITU-T H.264 (AVC).
    H264,
    /// ITU-T H.265 (HEVC).
    H265,
}

impl Codec {
    /// `nal_unit_type` of a NAL unit.
    pub fn nal_type(self, nal: &[u8]) -> u8 {
        let header = nal.first().copied().unwrap_or(0);
        match self {
            Codec::H264 => header & 0x1f,
            Codec::H265 => (header >> 1) & 0x3f,
        }
    }

    /// Whether the NAL unit is a VPS, SPS or PPS.
    pub fn is_parameter_set(self, nal: &[u8]) -> bool {
        match self {
            Codec::H264 => matches!(self.nal_type(nal), 7 | 8),
            Codec::H265 => matches!(self.nal_type(nal), 32..=34),
        }
    }

    /// Whether the NAL unit is a slice of a picture.
    pub fn is_slice(self, nal: &[u8]) -> bool {
        match self {
            Codec::H264 => matches!(self.nal_type(nal), 1..=5),
            Codec::H265 => self.nal_type(nal) < 32,
        }
    }

    /// Whether the NAL unit is a slice of a key frame: IDR, or for H.265 any IRAP picture (BLA,
    /// IDR, CRA).
    pub fn is_key_slice(self, nal: &[u8]) -> bool {
        match self {
            Codec::H264 => self.nal_type(nal) == 5,
            Codec::H265 => matches!(self.nal_type(nal), 16..=21),
        }
    }

    /// Whether the NAL unit opens a new access unit when the current one already has a slice.
    fn opens_access_unit(self, nal: &[u8]) -> bool {
        if self.is_slice(nal) {
            // H.264: first_mb_in_slice = 0 is coded as a single 1 bit. H.265:
            // first_slice_segment_in_pic_flag.
            let at = match self {
                Codec::H264 => 1,
                Codec::H265 => 2,
            };
            return nal.get(at).is_some_and(|byte| byte & 0x80 != 0);
        }
        match self {
            Codec::H264 => matches!(self.nal_type(nal), 6..=9 | 14..=18),
            Codec::H265 => matches!(self.nal_type(nal), 32..=35 | 39 | 41..=44 | 48..=55),
        }
    }
}

/// Byte ranges of the NAL units of an Annex-B stream, without start codes and trailing zero bytes.
pub(crate) fn nal_ranges(data: &[u8]) -> Vec<Range<usize>> {
    let mut starts = Vec::new();
    let mut at = 0;
    while at + 3 <= data.len() {
        // A third byte above 1 cannot be part of a start code that begins here or at the next two
        // places.
        match data[at + 2] {
            1 if data[at] == 0 && data[at + 1] == 0 => {
                starts.push(at + 3);
                at += 3;
            }
            0 | 1 => at += 1,
            _ => at += 3,
        }
    }
    let ends = starts.iter().skip(1).map(|start| start - 3);
    let ends = ends.chain(std::iter::once(data.len()));
    starts
        .iter()
        .zip(ends)
        .map(|(&start, mut end)| {
            while end > start && data[end - 1] == 0 {
                end -= 1;
            }
            start..end
        })
        .filter(|range| !range.is_empty())
        .collect()
}

/// Groups NAL units into access units, in the order of the file (= decode order).
pub(crate) fn access_units(codec: Codec, data: &[u8]) -> Vec<Vec<Range<usize>>> {
    let mut units = Vec::new();
    let mut current: Vec<Range<usize>> = Vec::new();
    let mut has_slice = false;
    for range in nal_ranges(data) {
        let nal = &data[range.clone()];
        if has_slice && codec.opens_access_unit(nal) {
            units.push(std::mem::take(&mut current));
            has_slice = false;
        }
        has_slice |= codec.is_slice(nal);
        current.push(range);
    }
    if has_slice {
        units.push(current);
    }
    units
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_nal_units_between_start_codes_of_both_lengths() {
        let data = [
            0, 0, 0, 1, 0x67, 9, 0, 0, 1, 0x68, 7, 0, 0, 0, 1, 0x65, 0x88, 0, 0, 3, 1,
        ];
        assert_eq!(nal_ranges(&data), vec![4..6, 9..11, 15..21]);
    }

    #[test]
    fn keeps_slices_of_one_picture_together() {
        // SPS, PPS, SEI, IDR in two slices; then SEI, P slice; then P slice.
        let nals: [&[u8]; 8] = [
            &[0x67, 1],
            &[0x68, 1],
            &[0x06, 5],
            &[0x65, 0x88],
            &[0x65, 0x40],
            &[0x06, 5],
            &[0x41, 0x9a],
            &[0x41, 0x9b],
        ];
        let mut data = Vec::new();
        for nal in nals {
            data.extend_from_slice(&[0, 0, 1]);
            data.extend_from_slice(nal);
        }
        let sizes: Vec<_> = access_units(Codec::H264, &data)
            .iter()
            .map(Vec::len)
            .collect();
        assert_eq!(sizes, vec![5, 2, 1]);
    }
}
