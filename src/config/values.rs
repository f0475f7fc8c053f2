//! Reads the texts of single keys. Each error is what to tell after the key's name.

use std::path::{Component, Path, PathBuf};

use crate::base::id::CAMERA_ID_BYTES_MAX;
use crate::config::read::quote;

/// The longest name of a site, camera or area, in characters.
const NAME_CHARS_MAX: usize = 80;
/// The longest path on a camera, in bytes.
const STREAM_PATH_BYTES_MAX: usize = 512;

/// Reads a name of a site, camera or area.
pub(crate) fn parse_name(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("it is empty; write the name that people use".to_owned());
    }
    if text.chars().count() > NAME_CHARS_MAX {
        return Err(format!(
            "{} is longer than {NAME_CHARS_MAX} characters",
            quote(text)
        ));
    }
    if text.contains(char::is_control) || text.trim() != text {
        return Err(format!(
            "{} has a control character, or a space at an end",
            quote(text)
        ));
    }
    Ok(text.to_owned())
}

/// Reads a volume's name.
pub(crate) fn parse_volume_name(text: &str) -> Result<String, String> {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    let first_good = text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    if first_good && text.len() <= CAMERA_ID_BYTES_MAX && text.chars().all(good) {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "{} must be 1 to {CAMERA_ID_BYTES_MAX} of a-z, 0-9, - and _, beginning with a letter or digit",
            quote(text)
        ))
    }
}

/// Reads the folder of a volume.
pub(crate) fn parse_volume_path(text: &str) -> Result<PathBuf, String> {
    let path = Path::new(text);
    if !path.is_absolute() || text.contains(char::is_control) {
        return Err(format!(
            "{} must be an absolute path, such as \"/srv/sinetti\"",
            quote(text)
        ));
    }
    if path.components().any(|part| part == Component::ParentDir) {
        return Err(format!("{} must be written without \"..\"", quote(text)));
    }
    if path.parent().is_none() {
        return Err("\"/\" is the whole system; give the footage a folder of its own".to_owned());
    }
    // Put together anew, so that a doubled or last slash makes no difference.
    Ok(path.components().collect())
}

/// Reads the path of a stream on a camera. The text is not repeated in the error: a whole RTSP address with a password could stand there.
pub(crate) fn parse_stream_path(text: &str) -> Result<String, String> {
    if !text.starts_with('/') {
        return Err(
            "it must be the path on the camera alone, beginning with /, such as \"/stream1\""
                .to_owned(),
        );
    }
    if text.len() > STREAM_PATH_BYTES_MAX {
        return Err(format!("it is longer than {STREAM_PATH_BYTES_MAX} bytes"));
    }
    if !text.bytes().all(|b| b.is_ascii_graphic()) || text.contains('#') {
        return Err(
            "it has a space, a # or a character outside ASCII; write those as %20, %23 and so on"
                .to_owned(),
        );
    }
    Ok(text.to_owned())
}

/// Bytes in `gib` GiB.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range was checked; a fraction of a byte does not matter"
)]
pub(crate) fn gib_bytes(gib: f64) -> u64 {
    (gib * 1_073_741_824.0) as u64
}
