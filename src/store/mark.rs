//! The mark that the recorder leaves on a volume: which catalog it wrote under, and how far that catalog was. A lost or
//! older catalog is told by it.

use std::path::PathBuf;

use crate::base::disk;
use crate::base::error::{Context, Error, Kind, Result};
use crate::base::time::Wall;
use crate::store::volume::{FILE_MODE, Volume};

/// Its file.
pub const MARK_FILE: &str = "sinetti-mark.json";

/// What it says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Mark {
    /// When the catalog was made, in microseconds since 1970: a new one has another time.
    pub catalog_us: i64,
    /// Segments that had ever been written into it.
    pub segments_ever: u64,
    /// When the mark was left.
    pub at: Wall,
}

fn path(volume: &Volume) -> PathBuf {
    volume.root.join(MARK_FILE)
}

/// The mark on a volume; `None` when there is none.
///
/// # Errors
/// [`Kind::Corrupt`] when it cannot be understood; else what the operating system says.
pub fn read(volume: &Volume) -> Result<Option<Mark>> {
    let path = path(volume);
    let what = || format!("reading {}", path.display());
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e).context(what),
    };
    let mark = serde_json::from_slice(&bytes)
        .map_err(|e| Error::corrupt(e.to_string()).attempted(what()))?;
    Ok(Some(mark))
}

/// Leaves a mark, in place of the one before.
///
/// # Errors
/// What the operating system says; then the one before stands.
pub fn write(volume: &Volume, mark: &Mark) -> Result<()> {
    let json = serde_json::to_vec(mark).map_err(|e| Error::new(Kind::Internal, e.to_string()))?;
    disk::replace(&path(volume), &json, FILE_MODE)
}
