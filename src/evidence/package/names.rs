//! Names of files in a package: plain enough for every file system and every page.

use crate::base::id::{StreamId, StreamKind};
use crate::base::time::Wall;
use crate::base::zone::Zone;

/// The longest name, in bytes.
const BYTES_MAX: usize = 128;

/// `kassa-1_20261123T131500+0200.mp4`: the site's time, and how it differs from UTC, so that the hour that comes twice in
/// October has two names. What is taken gets a number; a copy for viewing says so at its end.
pub(super) fn clip(
    (stream, viewing): (&StreamId, bool),
    start: Wall,
    zone: Zone,
    taken: impl Fn(&str) -> bool,
) -> String {
    let kind = match stream.kind {
        StreamKind::Main => "",
        StreamKind::Sub => "_sub",
    };
    let (kind, end) = if viewing {
        ("", "_viewing")
    } else {
        (kind, "")
    };
    let base = format!("{}{kind}_{}", stream.camera.as_str(), zone.basic(start));
    let mut name = format!("{base}{end}.mp4");
    let mut n = 2;
    while taken(&name) {
        name = format!("{base}_{n}{end}.mp4");
        n += 1;
    }
    name
}

/// The copy for viewing of the clip `original` is called after it, and where one file is not enough the further ones have numbers.
pub(super) fn copy(original: &str, taken: impl Fn(&str) -> bool) -> String {
    let base = original.strip_suffix(".mp4").unwrap_or(original);
    let mut name = format!("{base}_viewing.mp4");
    let mut n = 2;
    while taken(&name) {
        name = format!("{base}_viewing_{n}.mp4");
        n += 1;
    }
    name
}

/// Nothing that leaves the folder, and nothing that two file systems take for two things.
pub(super) fn is_plain(name: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'+');
    !name.is_empty() && name.len() <= BYTES_MAX && !name.starts_with('.') && name.bytes().all(fits)
}
