//! Clear fragmented MP4 for a player (ISO/IEC 14496-12, 8.8): what stands before the fragments, and a fragment whose
//! samples are open. It goes over the network, never to a disk.
//!
//! What does not belong here: sealing and opening, which time a fragment has.

use crate::base::error::{Error, Kind, Result};
use crate::base::time::{Ticks, Wall};
use crate::media::access_unit::SampleEntry;
use crate::media::fragment::{FRAGMENT_BYTES_MAX, MOOF_BYTES_MAX, Moof, SAMPLES_MAX};
use crate::media::moov::{Movie, put_empty_tables, put_ftyp, put_moov};
use crate::media::segment::{Sample, row_of};

/// `ftyp` and `moov` for fragments with this sample entry: the same bytes for the same entry, whenever it was recorded.
pub fn initial(entry: &SampleEntry) -> Vec<u8> {
    let mut out = Vec::with_capacity(1024);
    put_ftyp(&mut out, &[b"iso6", b"iso6", b"cmfc", b"mp41"]);
    let movie = Movie {
        created: Wall::default(),
        media: Ticks(0),
        shown: Ticks(0),
        edit_from: None,
        width: entry.width,
        height: entry.height,
        entry: &entry.entry,
        is_fragmented: true,
    };
    put_moov(&mut out, &movie, put_empty_tables);
    out
}

/// `moof` and `mdat` of `samples`, the first of which is decoded at `tfdt`; `sequence` goes up from fragment to fragment.
///
/// # Errors
/// `Invalid` when there are no samples, one does not follow on the other, or `tfdt` is negative; `Full` above
/// [`SAMPLES_MAX`] or [`FRAGMENT_BYTES_MAX`].
pub fn fragment(samples: &[Sample], sequence: u32, tfdt: Ticks) -> Result<Vec<u8>> {
    if samples.is_empty() {
        return Err(Error::invalid("a fragment needs at least one sample"));
    }
    let tfdt = u64::try_from(tfdt.0)
        .map_err(|_| Error::invalid("a fragment lies before the origin of its times"))?;
    let bytes: usize = samples.iter().map(|sample| sample.data.len()).sum();
    if samples.len() > SAMPLES_MAX || bytes + MOOF_BYTES_MAX > FRAGMENT_BYTES_MAX {
        let text = format!(
            "{} samples of {bytes} bytes are too many for a fragment",
            samples.len()
        );
        return Err(Error::new(Kind::Full, text));
    }
    let rows = samples
        .iter()
        .enumerate()
        .map(|(i, sample)| row_of(sample, samples.get(i + 1)))
        .collect::<Result<_>>()?;
    let moof = Moof {
        sequence,
        tfdt,
        rows,
        first_iv: None,
    };
    let mut out = Vec::with_capacity(bytes + 256 + 16 * samples.len());
    moof.put(&mut out);
    for sample in samples {
        out.extend_from_slice(&sample.data);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::access_unit::Codec;
    use crate::media::boxes::boxes;
    use crate::media::testing;

    #[test]
    fn the_entry_is_in_the_clear_and_the_same_every_time() {
        let entry = testing::entry(Codec::H265);
        let bytes = initial(&entry);
        assert_eq!(bytes, initial(&entry));
        let found = |text: &[u8]| bytes.windows(text.len()).any(|w| w == text);
        assert!(found(&entry.entry) && !found(b"encv") && found(b"mvex"));
    }

    #[test]
    fn a_fragment_reads_back_with_its_time() {
        let samples = testing::samples(5000, &[40, 7, 9]);
        let bytes = fragment(&samples, 3, Ticks(1_234_567)).expect("a fragment");
        let parts: Vec<_> = boxes(&bytes).map(|b| b.expect("a box")).collect();
        let moof = Moof::parse(&parts[0]).expect("a moof");
        assert_eq!(
            (moof.sequence, moof.tfdt, moof.first_iv),
            (3, 1_234_567, None)
        );
        let clear: Vec<u8> = samples.iter().flat_map(|s| s.data.clone()).collect();
        assert_eq!((parts.len(), parts[1].body), (2, clear.as_slice()));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let samples = testing::samples(0, &[4]);
        assert_eq!(
            fragment(&[], 1, Ticks(0)).map_err(|e| e.kind()),
            Err(Kind::Invalid)
        );
        assert_eq!(
            fragment(&samples, 1, Ticks(-1)).map_err(|e| e.kind()),
            Err(Kind::Invalid)
        );
    }
}
