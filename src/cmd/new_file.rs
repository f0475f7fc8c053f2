//! Files that a command hands out: they appear whole or not at all, with mode 0600, and never in the place of another.

use std::io::IoSlice;
use std::path::Path;

use crate::base::disk::{SECRET_MODE, Unnamed};
use crate::base::error::{Context, Error, Kind, Result};

/// That nothing has this name yet.
///
/// # Errors
/// [`Kind::Exists`].
pub(super) fn free(path: &Path) -> Result<()> {
    if path.symlink_metadata().is_ok() {
        let text = format!("{} exists already; give another name", path.display());
        return Err(Error::new(Kind::Exists, text));
    }
    Ok(())
}

/// Writes a file at once.
///
/// # Errors
/// As [`begin`] and [`end`].
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = begin(path)?;
    file.file().append(&mut [IoSlice::new(bytes)])?;
    end(file, path)
}

/// Begins a file that will be `path`: until [`end`] it has no name, or on file systems that know no such files a temporary one.
///
/// # Errors
/// What the operating system says.
pub(super) fn begin(path: &Path) -> Result<Unnamed> {
    let dir = path.parent().filter(|p| !p.as_os_str().is_empty());
    Unnamed::create(dir.unwrap_or(Path::new(".")), SECRET_MODE)
        .context(|| format!("writing {}", path.display()))
}

/// It is whole: gives it its name, which must still be free.
///
/// # Errors
/// [`Kind::Exists`]; what the operating system says.
pub(super) fn end(mut file: Unnamed, path: &Path) -> Result<()> {
    file.file().sync()?;
    free(path)?;
    file.name(path)
        .context(|| format!("writing {}", path.display()))
}
