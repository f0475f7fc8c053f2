//! A clip to hand out: progressive MP4 with `moov` first (ISO/IEC 14496-12, 8.6 and 8.7), the access units
//! untouched.
//!
//! First the samples are listed, then [`ClipBuilder::head`] gives everything before the sample data, and
//! the caller lets the samples follow in the same order. So a clip of hours needs 12 bytes a sample in
//! memory, and never the samples.
//!
//! Composition offsets are shifted so that none is negative (`ctts` version 0, which every player knows),
//! and an edit list takes the shift back: the first sample is shown at 0. Gaps are not represented: where
//! the samples do not follow one another, the caller begins another file.

use crate::base::error::{Error, Kind, Result};
use crate::base::time::{Ticks, Wall};
use crate::media::access_unit::SampleEntry;
use crate::media::boxes::{patch_u32, put_full, put_u32, put_u32s, put_u64};
use crate::media::moov::{Movie, put_ftyp, put_moov};

/// The most samples in a clip: over six days at 30 pictures a second.
pub const CLIP_SAMPLES_MAX: usize = 1 << 24;

/// Samples in a chunk: players read chunk by chunk.
const CHUNK_SAMPLES: usize = 32;
/// Bytes of the head of `mdat` with a 64-bit size.
const MDAT_HEAD_BYTES: u64 = 16;
/// Marks a key frame in a size; a sample has far less than 2 GiB.
const KEY_BIT: u32 = 1 << 31;

/// What a clip must know of a sample.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ClipSample {
    /// Bytes of it.
    pub bytes: u32,
    /// Decode time, of any origin.
    pub dts: Ticks,
    /// Presentation time, of the same.
    pub pts: Ticks,
    /// Time to the next sample's decode time.
    pub duration: Ticks,
    /// Decoding can begin with it.
    pub is_key: bool,
}

/// Lists the samples of one clip.
#[derive(Clone, Debug, Default)]
pub struct ClipBuilder {
    rows: Vec<Row>,
    first_dts: Ticks,
    first_pts: Ticks,
    /// Where the next sample must begin.
    next_dts: Ticks,
    /// End of what is shown.
    shown_until: Ticks,
    offset_min: i32,
    has_offsets: bool,
    payload_bytes: u64,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    bytes_and_key: u32,
    duration: u32,
    offset: i32,
}

impl ClipBuilder {
    /// For a clip without samples as yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the next sample in decoding order.
    ///
    /// # Errors
    /// `Invalid` when the first is no key frame, one does not begin where the one before it ends, or a
    /// number is impossible; `Full` above [`CLIP_SAMPLES_MAX`].
    pub fn add(&mut self, sample: &ClipSample) -> Result<()> {
        let bad = |what: &str| {
            Error::invalid(format!("the sample at media time {} {what}", sample.dts.0))
        };
        if self.rows.is_empty() {
            if !sample.is_key {
                return Err(bad("is no key frame, so a clip cannot begin with it"));
            }
            (self.first_dts, self.first_pts) = (sample.dts, sample.pts);
            self.shown_until = sample.pts;
        } else if sample.dts != self.next_dts {
            return Err(bad("does not follow the one before it: begin another clip"));
        }
        if self.rows.len() >= CLIP_SAMPLES_MAX {
            return Err(Error::new(
                Kind::Full,
                format!("a clip has at most {CLIP_SAMPLES_MAX} samples"),
            ));
        }
        let offset = sample.pts.0.checked_sub(sample.dts.0);
        let offset = offset.and_then(|o| i32::try_from(o).ok());
        let offset = offset.ok_or_else(|| bad("is shown at an impossible time"))?;
        let duration = u32::try_from(sample.duration.0).map_err(|_| bad("lasts impossibly"))?;
        let ends = |from: Ticks| from.0.checked_add(sample.duration.0).map(Ticks);
        let end = ends(sample.dts).zip(ends(sample.pts));
        let (next_dts, shown_until) = end.ok_or_else(|| bad("ends at an impossible time"))?;
        if sample.bytes >= KEY_BIT {
            return Err(bad("has too many bytes"));
        }
        self.rows.push(Row {
            bytes_and_key: sample.bytes | if sample.is_key { KEY_BIT } else { 0 },
            duration,
            offset,
        });
        self.next_dts = next_dts;
        self.shown_until = self.shown_until.max(shown_until);
        self.offset_min = self.offset_min.min(offset);
        self.has_offsets |= offset != 0;
        self.payload_bytes += u64::from(sample.bytes);
        Ok(())
    }

    /// Number of samples.
    pub fn samples(&self) -> usize {
        self.rows.len()
    }

    /// Bytes of all samples: what must follow after [`ClipBuilder::head`].
    pub fn payload_bytes(&self) -> u64 {
        self.payload_bytes
    }

    /// How long the clip plays.
    pub fn shown(&self) -> Ticks {
        if self.rows.is_empty() {
            return Ticks(0);
        }
        self.shown_until - self.first_pts
    }

    /// `ftyp`, `moov` and the head of `mdat`. `start` is when the first sample was taken.
    ///
    /// # Errors
    /// `Invalid` when there are no samples.
    pub fn head(&self, entry: &SampleEntry, start: Wall) -> Result<Vec<u8>> {
        if self.rows.is_empty() {
            return Err(Error::invalid("a clip needs at least one sample"));
        }
        let shift = i64::from(self.offset_min.min(0)).unsigned_abs();
        let first_shown = self.first_pts.0 - self.first_dts.0 + shift.cast_signed();
        let movie = Movie {
            created: start,
            media: self.next_dts - self.first_dts,
            shown: self.shown(),
            edit_from: (first_shown != 0).then_some(Ticks(first_shown)),
            width: entry.width,
            height: entry.height,
            entry: &entry.entry,
            is_fragmented: false,
        };
        let mut out = Vec::with_capacity(1024 + 13 * self.rows.len());
        put_ftyp(&mut out, &[b"isom", b"isom", b"iso2", b"mp41"]);
        let mut offsets_at = 0;
        put_moov(&mut out, &movie, |out| {
            self.put_times(out, shift);
            self.put_sizes(out);
            offsets_at = out.len();
            self.put_chunk_offsets(out, 0);
        });
        // The offsets count from the beginning of the file, whose head is complete only now.
        let mut offsets = Vec::new();
        self.put_chunk_offsets(&mut offsets, out.len() as u64 + MDAT_HEAD_BYTES);
        out[offsets_at..offsets_at + offsets.len()].copy_from_slice(&offsets);
        put_u32(&mut out, 1);
        out.extend_from_slice(b"mdat");
        put_u64(&mut out, self.payload_bytes + MDAT_HEAD_BYTES);
        Ok(out)
    }

    /// `stts`, `ctts`, `stss` (ISO/IEC 14496-12, 8.6.1 and 8.6.2).
    fn put_times(&self, out: &mut Vec<u8>, shift: u64) {
        put_runs(out, b"stts", self.rows.iter().map(|row| row.duration));
        if self.has_offsets {
            let shifted = |row: &Row| {
                let offset = i64::from(row.offset) + shift.cast_signed();
                u32::try_from(offset).expect("the shift makes the smallest offset 0")
            };
            put_runs(out, b"ctts", self.rows.iter().map(shifted));
        }
        put_full(out, b"stss", 0, 0, |out| {
            let count_at = out.len();
            put_u32(out, 0);
            let mut count = 0;
            for (number, row) in (1..).zip(&self.rows) {
                if row.bytes_and_key & KEY_BIT != 0 {
                    put_u32(out, number);
                    count += 1;
                }
            }
            patch_u32(out, count_at, count);
        });
    }

    /// `stsc`, `stsz` (ISO/IEC 14496-12, 8.7.3 and 8.7.4).
    fn put_sizes(&self, out: &mut Vec<u8>) {
        let last = self.rows.len() % CHUNK_SAMPLES;
        let full = self.rows.len() / CHUNK_SAMPLES;
        put_full(out, b"stsc", 0, 0, |out| {
            put_u32(out, u32::from(full > 0) + u32::from(last > 0));
            if full > 0 {
                put_u32s(out, &[1, number(CHUNK_SAMPLES), 1]);
            }
            if last > 0 {
                put_u32s(out, &[number(full + 1), number(last), 1]);
            }
        });
        put_full(out, b"stsz", 0, 0, |out| {
            put_u32s(out, &[0, number(self.rows.len())]);
            for row in &self.rows {
                put_u32(out, row.bytes_and_key & !KEY_BIT);
            }
        });
    }

    /// `co64` (ISO/IEC 14496-12, 8.7.5).
    fn put_chunk_offsets(&self, out: &mut Vec<u8>, mut at: u64) {
        put_full(out, b"co64", 0, 0, |out| {
            put_u32(out, number(self.rows.len().div_ceil(CHUNK_SAMPLES)));
            for chunk in self.rows.chunks(CHUNK_SAMPLES) {
                put_u64(out, at);
                at += chunk
                    .iter()
                    .map(|row| u64::from(row.bytes_and_key & !KEY_BIT))
                    .sum::<u64>();
            }
        });
    }
}

/// Appends a table of (how often in a row, value).
fn put_runs(out: &mut Vec<u8>, kind: &[u8; 4], values: impl Iterator<Item = u32>) {
    put_full(out, kind, 0, 0, |out| {
        let count_at = out.len();
        put_u32(out, 0);
        let mut runs = 0;
        let mut current: Option<(u32, u32)> = None;
        for value in values {
            match &mut current {
                Some((times, of)) if *of == value => *times += 1,
                _ => {
                    if let Some((times, of)) = current.replace((1, value)) {
                        put_u32s(out, &[times, of]);
                        runs += 1;
                    }
                }
            }
        }
        if let Some((times, of)) = current {
            put_u32s(out, &[times, of]);
            runs += 1;
        }
        patch_u32(out, count_at, runs);
    });
}

fn number(n: usize) -> u32 {
    u32::try_from(n).expect("samples are bounded")
}

#[cfg(test)]
#[path = "clip_tests.rs"]
mod tests;
