//! The log as static files (C2SP tlog-tiles): where each lies, and entry bundles as bytes.
//!
//! ```text
//! checkpoint                    the signed note
//! tile/<L>/<N>[.p/<W>]          hashes of a tile, of a partial one under its width
//! tile/entries/<N>[.p/<W>]      the entries of a level-0 tile, each behind its length in 16 bits, big-endian
//! ```

use crate::base::error::{Error, Result};
use crate::ledger::entry::LINE_BYTES_MAX;
use crate::ledger::tree::TILE_WIDTH;

/// The checkpoint's file.
pub const CHECKPOINT: &str = "checkpoint";
/// The most bytes of an entry bundle.
pub const BUNDLE_BYTES_MAX: u64 = TILE_WIDTH * (2 + LINE_BYTES_MAX as u64);

/// Path of the tile `number` of `level`, `width` hashes wide.
pub fn tile_path(level: u8, number: u64, width: u64) -> String {
    format!("tile/{level}/{}", place(number, width))
}

/// Path of the entries of the level-0 tile `number`, of which there are `width`.
pub fn entries_path(number: u64, width: u64) -> String {
    format!("tile/entries/{}", place(number, width))
}

fn place(number: u64, width: u64) -> String {
    let mut text = format!("{:03}", number % 1000);
    let mut rest = number / 1000;
    while rest > 0 {
        text = format!("x{:03}/{text}", rest % 1000);
        rest /= 1000;
    }
    if width < TILE_WIDTH {
        text.push_str(&format!(".p/{width}"));
    }
    text
}

/// Entries as a bundle.
///
/// # Errors
/// `Invalid` when a line is longer than 16 bits can say.
pub fn pack<'a>(lines: impl IntoIterator<Item = &'a str>) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for line in lines {
        let length = u16::try_from(line.len())
            .map_err(|_| Error::invalid("an entry is too long for a bundle"))?;
        bytes.extend(length.to_be_bytes());
        bytes.extend(line.as_bytes());
    }
    Ok(bytes)
}

/// A bundle's entries.
///
/// # Errors
/// `Corrupt` when the lengths do not fit, or an entry is no text.
pub fn unpack(mut bytes: &[u8]) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length));
        let line = rest
            .get(..length)
            .and_then(|line| std::str::from_utf8(line).ok())
            .ok_or_else(|| Error::corrupt("an entry bundle is cut short or holds no text"))?;
        lines.push(line.to_owned());
        bytes = &rest[length..];
    }
    if bytes.is_empty() {
        Ok(lines)
    } else {
        Err(Error::corrupt("an entry bundle ends within a length"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_specification() {
        // C2SP tlog-tiles, "Merkle Tree".
        assert_eq!(tile_path(0, 1_234_067, 256), "tile/0/x001/x234/067");
        assert_eq!(tile_path(2, 0, 8), "tile/2/000.p/8");
        assert_eq!(entries_path(273, 112), "tile/entries/273.p/112");
        assert_eq!(entries_path(1000, 256), "tile/entries/x001/000");
    }

    #[test]
    fn bundles_come_back_and_cut_ones_are_corrupt() {
        let lines = ["", "{}", "ä"];
        let bytes = pack(lines).expect("packs");
        assert_eq!(unpack(&bytes).expect("unpacks"), lines);
        assert_eq!(unpack(&[]).expect("empty"), Vec::<String>::new());
        for cut in [1, 3, bytes.len() - 1] {
            assert!(unpack(&bytes[..cut]).is_err(), "{cut}");
        }
        assert!(pack([&*"x".repeat(65_536)]).is_err());
    }
}
