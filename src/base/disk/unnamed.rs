//! Files without a name: they vanish with the process that writes them.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::base::disk::{DiskFile, Step, change, remove_file, rename, sync_dir};
use crate::base::error::{Context, Result};

/// A file that has no name until it is whole: whatever ends the process before, nothing is left of it.
#[derive(Debug)]
pub struct Unnamed {
    file: DiskFile,
    /// Its name meanwhile, on a file system that knows no files without one.
    temporary: Option<PathBuf>,
}

impl Unnamed {
    /// In the folder `dir`.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn create(dir: &Path, mode: u32) -> Result<Self> {
        use rustix::fs::{Mode, OFlags};
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        let opened = change(Step::Create, dir, || {
            rustix::fs::open(dir, flags, Mode::from_raw_mode(mode)).map_err(io::Error::from)
        });
        if let Ok(handle) = opened {
            let file = File::from(handle);
            // Under this name, which nobody can open, the kernel tells whoever watches the folder what is done with the file
            // (d_mark_tmpfile): acts are known by it, or they would be taken for somebody else's.
            let number = file
                .metadata()
                .context(|| "creating an unnamed file")?
                .ino();
            let file = DiskFile {
                file,
                path: dir.join(format!("#{number}")),
                len: 0,
            };
            return Ok(Self {
                file,
                temporary: None,
            });
        }
        let temporary = dir.join(format!(".sinetti-{}.part", uuid::Uuid::new_v4()));
        Ok(Self {
            file: DiskFile::create_new(&temporary, mode)?,
            temporary: Some(temporary),
        })
    }

    /// To write it.
    pub fn file(&mut self) -> &mut DiskFile {
        &mut self.file
    }

    /// Gives it its name, which must be free, durably.
    ///
    /// # Errors
    /// [`Kind::Exists`] when the name is taken; else what the operating system says.
    pub fn name(mut self, path: &Path) -> Result<()> {
        match self.temporary.take() {
            Some(temporary) => rename(&temporary, path)?,
            None => {
                use rustix::fs::{AtFlags, CWD};
                let own = format!("/proc/self/fd/{}", self.file.file.as_raw_fd());
                change(Step::Rename, path, || {
                    rustix::fs::linkat(CWD, &own, CWD, path, AtFlags::SYMLINK_FOLLOW)
                        .map_err(io::Error::from)
                })
                .context(|| format!("naming {}", path.display()))?;
            }
        }
        let dir = path.parent().filter(|p| !p.as_os_str().is_empty());
        sync_dir(dir.unwrap_or(Path::new(".")))
    }
}

impl Drop for Unnamed {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            // It is dropped because something else failed: that is the error to tell.
            remove_file(temporary).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::IoSlice;

    use super::*;
    use crate::base::disk::acts::{Doer, doer, know_below};

    #[test]
    fn what_is_done_with_it_in_a_watched_folder_is_known_as_ones_own() {
        let dir = tempfile::tempdir().expect("a folder");
        know_below(dir.path());
        let mut file = Unnamed::create(dir.path(), 0o600).expect("created");
        let number = file.file.file.metadata().expect("it is there").ino();
        file.file()
            .append(&mut [IoSlice::new(b"a picture")])
            .expect("written");
        let known = dir.path().join(format!("#{number}"));
        assert_eq!(doer(&known), Doer::Own);
        let other = dir.path().join(format!("#{}", number + 1));
        assert_eq!(doer(&other), Doer::Other);
    }
}
