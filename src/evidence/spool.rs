//! What has to wait on a disk until it is known how long it is: an unnamed file, sealed to a key that is in memory alone. Whatever
//! ends this process, nothing of it can be read, and its room is free again.
//!
//! What does not belong here: what lies in it.

use std::io::{self, IoSlice, Read, Write};
use std::path::Path;

use crate::base::disk::{self, DiskFile, Unnamed};
use crate::base::error::Result;
use crate::vault::identity::Identity;
use crate::vault::stream::{self, Sealing};

/// An unnamed file as a writer.
pub(super) struct Drain(pub(super) Unnamed);

impl Write for Drain {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let appended = self.0.file().append(&mut [IoSlice::new(bytes)]);
        appended.map(|()| bytes.len()).map_err(io::Error::other)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// One that is being written.
pub(super) struct Spool {
    sealing: Sealing<Drain>,
    key: Identity,
}

/// One that is whole.
pub(super) struct Spooled {
    file: Unnamed,
    key: Identity,
}

impl Spool {
    /// A new one on the file system of `dir`.
    ///
    /// # Errors
    /// What the operating system says.
    pub(super) fn create(dir: &Path) -> Result<Self> {
        let key = Identity::generate();
        let file = Unnamed::create(dir, disk::SECRET_MODE)?;
        let sealing = stream::seal(Drain(file), &key.recipient())?;
        Ok(Self { sealing, key })
    }

    /// The next bytes.
    ///
    /// # Errors
    /// `Full` without room; what the operating system says.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.sealing.write_all(bytes)?)
    }

    /// It is whole.
    ///
    /// # Errors
    /// As [`Spool::append`].
    pub(super) fn finish(self) -> Result<Spooled> {
        let Self { sealing, key } = self;
        let file = sealing.finish()?.0;
        Ok(Spooled { file, key })
    }
}

impl Spooled {
    /// Its bytes in the clear, from the first on.
    ///
    /// # Errors
    /// What the operating system says.
    pub(super) fn read(&mut self) -> Result<impl Read + '_> {
        let from = FromStart {
            file: self.file.file(),
            at: 0,
        };
        stream::open(from, &self.key)
    }
}

struct FromStart<'a> {
    file: &'a DiskFile,
    at: u64,
}

impl Read for FromStart<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.file.len() - self.at).unwrap_or(usize::MAX);
        let n = left.min(bytes.len());
        let part = bytes.get_mut(..n).unwrap_or_default();
        self.file.read_at(part, self.at).map_err(io::Error::other)?;
        self.at += n as u64;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_gives_back_what_was_put_in_and_has_no_name_and_nothing_clear() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut spool = Spool::create(dir.path()).expect("begun");
        let text: Vec<u8> = (0..200_000_u32)
            .map(|n| u8::try_from(n % 253).expect("a byte"))
            .collect();
        text.chunks(7_001)
            .for_each(|part| spool.append(part).expect("put"));
        let mut whole = spool.finish().expect("whole");
        let mut sealed = vec![0; usize::try_from(whole.file.file().len()).expect("small")];
        whole.file.file().read_at(&mut sealed, 0).expect("reads");
        assert!(!sealed.windows(32).any(|w| w == &text[5_000..5_032]));
        assert_eq!(std::fs::read_dir(dir.path()).expect("it").count(), 0);
        for _ in 0..2 {
            let mut back = Vec::new();
            let mut clear = whole.read().expect("opens");
            clear.read_to_end(&mut back).expect("reads");
            assert_eq!(back, text);
        }
    }
}
