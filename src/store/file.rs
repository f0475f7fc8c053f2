//! A segment's file as a source of bytes for `media::read`.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::base::error::{Context, Result};
use crate::media::read::ReadAt;

/// An open segment file.
#[derive(Debug)]
pub struct SegmentFile {
    file: File,
    path: PathBuf,
    bytes: u64,
}

impl SegmentFile {
    /// Opens it for reading.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn open(path: &Path) -> Result<Self> {
        let what = || format!("opening {}", path.display());
        let file = File::open(path).context(what)?;
        let bytes = file.metadata().context(what)?.len();
        Ok(Self {
            file,
            path: path.to_owned(),
            bytes,
        })
    }

    /// Its size when it was opened.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Lets the kernel forget what it has of the file in memory, so that reading asks the disk, and so that reading much
    /// does not push out what others need. What it cannot forget it keeps: that is no error.
    pub fn forget_cached(&self) {
        rustix::fs::fadvise(&self.file, 0, None, rustix::fs::Advice::DontNeed).ok();
    }

    /// The same file as if it ended at `bytes`: what follows is not known to be whole.
    #[must_use]
    pub fn up_to(mut self, bytes: u64) -> Self {
        self.bytes = self.bytes.min(bytes);
        self
    }
}

impl ReadAt for SegmentFile {
    fn len(&self) -> u64 {
        self.bytes
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<()> {
        self.file.read_exact_at(buf, offset).context(|| {
            format!(
                "reading {} bytes at {offset} of {}",
                buf.len(),
                self.path.display()
            )
        })
    }
}
