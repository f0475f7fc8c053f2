//! `ftyp` and `moov` with one video track (ISO/IEC 14496-12, 8.2 to 8.8): the part that sealed segments
//! and exported clips share.
//!
//! What does not belong here: sample tables, fragments.

use crate::base::time::{TICKS_PER_SECOND, Ticks, Wall};
use crate::media::boxes::{put_box, put_full, put_u16, put_u32, put_u32s, put_u64};

/// The only track's number.
pub const TRACK_ID: u32 = 1;

/// Seconds from 1904-01-01, where ISO/IEC 14496-12 begins to count, to 1970-01-01.
const SECS_1904_TO_1970: i64 = 2_082_844_800;

/// The unit matrix (ISO/IEC 14496-12, 6.2.2): the picture as it is.
const MATRIX: [u32; 9] = [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000];

/// What a `moov` says besides its sample tables.
#[derive(Clone, Copy, Debug)]
pub struct Movie<'a> {
    /// When the first picture was taken.
    pub created: Wall,
    /// Length of the media, 0 when fragments follow.
    pub media: Ticks,
    /// Length of what is shown of it.
    pub shown: Ticks,
    /// Media time at which the presentation begins, when that is not 0 (an edit list).
    pub edit_from: Option<Ticks>,
    /// Picture width in pixels.
    pub width: u16,
    /// Picture height in pixels.
    pub height: u16,
    /// The sample entry for `stsd`, a whole box.
    pub entry: &'a [u8],
    /// Fragments follow (`mvex`).
    pub is_fragmented: bool,
}

/// Appends `ftyp` with the major brand first in `brands`.
pub fn put_ftyp(out: &mut Vec<u8>, brands: &[&[u8; 4]]) {
    put_box(out, b"ftyp", |out| {
        out.extend_from_slice(brands.first().copied().unwrap_or(b"isom"));
        put_u32(out, 1);
        for brand in brands {
            out.extend_from_slice(*brand);
        }
    });
}

/// Appends `moov`; `tables` appends what stands in `stbl` after `stsd`.
pub fn put_moov(out: &mut Vec<u8>, movie: &Movie<'_>, tables: impl FnOnce(&mut Vec<u8>)) {
    put_box(out, b"moov", |out| {
        put_mvhd(out, movie);
        put_box(out, b"trak", |out| {
            put_tkhd(out, movie);
            put_edit(out, movie);
            put_mdia(out, movie, tables);
        });
        if movie.is_fragmented {
            put_box(out, b"mvex", |out| {
                put_full(out, b"trex", 0, 0, |out| {
                    put_u32s(out, &[TRACK_ID, 1, 0, 0, 0]);
                });
            });
        }
    });
}

fn put_mvhd(out: &mut Vec<u8>, movie: &Movie<'_>) {
    put_full(out, b"mvhd", 1, 0, |out| {
        put_times(out, movie.created);
        put_u32(out, timescale());
        put_u64(out, unsigned(movie.shown));
        put_u32s(out, &[0x1_0000, 0x0100_0000, 0, 0]);
        put_u32s(out, &MATRIX);
        put_u32s(out, &[0; 6]);
        put_u32(out, TRACK_ID + 1);
    });
}

fn put_tkhd(out: &mut Vec<u8>, movie: &Movie<'_>) {
    // Flags: enabled, in the movie.
    put_full(out, b"tkhd", 1, 3, |out| {
        put_times(out, movie.created);
        put_u32s(out, &[TRACK_ID, 0]);
        put_u64(out, unsigned(movie.shown));
        put_u32s(out, &[0; 4]);
        put_u32s(out, &MATRIX);
        put_u32s(
            out,
            &[u32::from(movie.width) << 16, u32::from(movie.height) << 16],
        );
    });
}

fn put_edit(out: &mut Vec<u8>, movie: &Movie<'_>) {
    let Some(from) = movie.edit_from else { return };
    put_box(out, b"edts", |out| {
        put_full(out, b"elst", 1, 0, |out| {
            put_u32(out, 1);
            put_u64(out, unsigned(movie.shown));
            put_u64(out, unsigned(from));
            put_u32(out, 0x1_0000);
        });
    });
}

fn put_mdia(out: &mut Vec<u8>, movie: &Movie<'_>, tables: impl FnOnce(&mut Vec<u8>)) {
    put_box(out, b"mdia", |out| {
        put_full(out, b"mdhd", 1, 0, |out| {
            put_times(out, movie.created);
            put_u32(out, timescale());
            put_u64(out, unsigned(movie.media));
            // Language "und", then a reserved word.
            put_u32(out, 0x55c4_0000);
        });
        put_full(out, b"hdlr", 0, 0, |out| {
            put_u32(out, 0);
            out.extend_from_slice(b"vide");
            put_u32s(out, &[0; 3]);
            out.push(0);
        });
        put_box(out, b"minf", |out| {
            put_full(out, b"vmhd", 0, 1, |out| put_u32s(out, &[0, 0]));
            put_box(out, b"dinf", |out| {
                put_full(out, b"dref", 0, 0, |out| {
                    put_u32(out, 1);
                    // Flag: the media are in this very file.
                    put_full(out, b"url ", 0, 1, |_| {});
                });
            });
            put_box(out, b"stbl", |out| {
                put_full(out, b"stsd", 0, 0, |out| {
                    put_u32(out, 1);
                    out.extend_from_slice(movie.entry);
                });
                tables(out);
            });
        });
    });
}

/// Appends the empty sample tables of a fragmented file (ISO/IEC 14496-12, 8.8.1).
pub fn put_empty_tables(out: &mut Vec<u8>) {
    put_full(out, b"stts", 0, 0, |out| put_u32(out, 0));
    put_full(out, b"stsc", 0, 0, |out| put_u32(out, 0));
    put_full(out, b"stsz", 0, 0, |out| put_u32s(out, &[0, 0]));
    put_full(out, b"stco", 0, 0, |out| put_u32(out, 0));
}

/// The sample entry that `entry` becomes under Common Encryption (ISO/IEC 23001-7, 4.1 and 8):
/// retyped `encv`, with a `sinf` at its end that says scheme `cenc`, 8-byte IVs and the key id.
///
/// `entry` must be a whole sample entry with a 32-bit size; see
/// [`SampleEntry::parse`](crate::media::access_unit::SampleEntry::parse).
pub fn sealed_entry(entry: &[u8], key_id: &[u8; 16]) -> Vec<u8> {
    let (head, rest) = entry.split_at_checked(8).unwrap_or((entry, &[]));
    let mut out = Vec::with_capacity(entry.len() + 80);
    put_box(&mut out, b"encv", |out| {
        out.extend_from_slice(rest);
        put_box(out, b"sinf", |out| {
            put_box(out, b"frma", |out| {
                out.extend_from_slice(head.get(4..).unwrap_or_default());
            });
            put_full(out, b"schm", 0, 0, |out| {
                out.extend_from_slice(b"cenc");
                put_u32(out, 0x1_0000);
            });
            put_box(out, b"schi", |out| {
                put_full(out, b"tenc", 0, 0, |out| {
                    put_u16(out, 0);
                    out.extend_from_slice(&[1, IV_BYTES]);
                    out.extend_from_slice(key_id);
                });
            });
        });
    });
    out
}

/// Bytes of an initialisation vector in the file (ISO/IEC 23001-7, 9.2).
pub const IV_BYTES: u8 = 8;

fn put_times(out: &mut Vec<u8>, created: Wall) {
    let secs = created.us().div_euclid(1_000_000) + SECS_1904_TO_1970;
    for _ in ["creation_time", "modification_time"] {
        put_u64(out, u64::try_from(secs).unwrap_or(0));
    }
}

fn timescale() -> u32 {
    u32::try_from(TICKS_PER_SECOND).unwrap_or(u32::MAX)
}

fn unsigned(ticks: Ticks) -> u64 {
    u64::try_from(ticks.0).unwrap_or(0)
}
