//! Where the files of a package go: a folder of plain files, or parts of a ZIP ([`super::parts`]).

use std::io::IoSlice;
use std::path::{Path, PathBuf};

use crate::base::disk::{self, Unnamed};
use crate::base::error::{Error, Kind, Result};

/// Clear pictures of people.
const FILE_MODE: u32 = disk::SECRET_MODE;

/// Takes the files of a package, one after the other. Until it is finished nothing of it is to be seen.
pub trait Shelf {
    /// Bytes of the largest file that it takes.
    fn file_bytes_max(&self) -> u64;
    /// Begins the file `name`, which will have so many bytes.
    ///
    /// # Errors
    /// `Full` when it is too large, or there is no room; what the operating system says.
    fn begin(&mut self, name: &str, bytes: u64) -> Result<()>;
    /// The next bytes of the file.
    ///
    /// # Errors
    /// What the operating system says; what somebody says who wants it to stop.
    fn append(&mut self, slices: &mut [IoSlice<'_>]) -> Result<()>;
    /// The file is whole.
    ///
    /// # Errors
    /// What the operating system says.
    fn end(&mut self) -> Result<()>;
}

/// Bytes of the largest file in a package: a stick that is formatted as such sticks are (FAT32) holds it, alone in a part of a
/// ZIP, with what belongs to it there.
pub const FILE_BYTES_MAX: u64 = super::parts::PART_BYTES_MAX - (64 << 20);

/// A folder, which must be there and empty.
#[derive(Debug)]
pub struct FolderShelf {
    dir: PathBuf,
    files: Vec<(Unnamed, String)>,
}

impl FolderShelf {
    /// The folder `dir`.
    pub fn new(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
            files: Vec::new(),
        }
    }

    /// Gives every file its name, in the order in which they came.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn finish(self) -> Result<()> {
        for (file, name) in self.files {
            file.name(&self.dir.join(name))?;
        }
        Ok(())
    }

    fn last(&mut self) -> Result<&mut Unnamed> {
        let last = self.files.last_mut().map(|(file, _)| file);
        last.ok_or_else(|| Error::new(Kind::Internal, "bytes of no file"))
    }
}

impl Shelf for FolderShelf {
    fn file_bytes_max(&self) -> u64 {
        FILE_BYTES_MAX
    }

    fn begin(&mut self, name: &str, _: u64) -> Result<()> {
        let file = Unnamed::create(&self.dir, FILE_MODE)?;
        self.files.push((file, name.to_owned()));
        Ok(())
    }

    fn append(&mut self, slices: &mut [IoSlice<'_>]) -> Result<()> {
        self.last()?.file().append(slices)
    }

    fn end(&mut self) -> Result<()> {
        self.last()?.file().sync()
    }
}
