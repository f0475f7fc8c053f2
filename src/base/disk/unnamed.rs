//! Files without a name: they vanish with the process that writes them.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
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
            let file = DiskFile {
                file: File::from(handle),
                path: dir.join("(without a name)"),
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
