//! The only code that changes the file system, with what "durable" takes spelt out.
//!
//! Every function names the file in its error. Nothing here overwrites: a file is created anew, replaced
//! as a whole, or appended to.

use std::fs::{self, File};
use std::io::{self, IoSlice, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, RenameFlags};

use crate::base::error::{Context, Error, Kind, Result};

pub mod acts;
#[cfg(test)]
pub(crate) mod faults;
mod unnamed;

pub use unnamed::Unnamed;

/// What is done to the file system: where a test can make it fail.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Step {
    Create,
    Open,
    Append,
    WriteAt,
    Truncate,
    Sync,
    SyncFileSystem,
    SyncDir,
    CreateDir,
    Rename,
    Remove,
    RemoveDir,
}

/// Every change of the file system goes through here.
fn change<T>(step: Step, path: &Path, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    match step {
        // Nothing looks otherwise afterwards.
        Step::Sync | Step::SyncFileSystem | Step::SyncDir => done(step, path, act),
        _ => acts::around(path, || done(step, path, act)),
    }
}

#[cfg(not(test))]
fn done<T>(_: Step, _: &Path, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    act()
}

#[cfg(test)]
use faults::change as done;

/// Mode of files that hold secrets.
pub const SECRET_MODE: u32 = 0o600;
/// Mode of folders that hold secrets.
pub const SECRET_DIR_MODE: u32 = 0o700;

/// A file being written. Bytes are durable only after [`DiskFile::sync`] and, for a new name, [`sync_dir`].
#[derive(Debug)]
pub struct DiskFile {
    file: File,
    path: PathBuf,
    len: u64,
}

impl DiskFile {
    /// Creates a file that must not exist yet (`O_EXCL`).
    ///
    /// # Errors
    /// [`Kind::Exists`] when it does; else what the operating system says.
    #[expect(clippy::disallowed_methods, reason = "this is base::disk")]
    pub fn create_new(path: &Path, mode: u32) -> Result<Self> {
        let file = change(Step::Create, path, || {
            fs::OpenOptions::new()
                .read(true)
                .write(true)
                .create_new(true)
                .mode(mode)
                .open(path)
        })
        .context(|| format!("creating {}", path.display()))?;
        Ok(Self {
            file,
            path: path.to_owned(),
            len: 0,
        })
    }

    /// Opens a file for writing, creating it when it is missing.
    ///
    /// # Errors
    /// What the operating system says.
    #[expect(clippy::disallowed_methods, reason = "this is base::disk")]
    pub fn open_or_create(path: &Path, mode: u32) -> Result<Self> {
        let file = change(Step::Open, path, || {
            fs::OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .mode(mode)
                .open(path)
        })
        .context(|| format!("opening {}", path.display()))?;
        let len = file
            .metadata()
            .context(|| format!("reading the size of {}", path.display()))?
            .len();
        Ok(Self {
            file,
            path: path.to_owned(),
            len,
        })
    }

    /// Opens an existing file for writing.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when it is missing; else what the operating system says.
    #[expect(clippy::disallowed_methods, reason = "this is base::disk")]
    pub fn open_existing(path: &Path) -> Result<Self> {
        let file = change(Step::Open, path, || {
            fs::OpenOptions::new().read(true).write(true).open(path)
        })
        .context(|| format!("opening {}", path.display()))?;
        let len = file
            .metadata()
            .context(|| format!("reading the size of {}", path.display()))?
            .len();
        Ok(Self {
            file,
            path: path.to_owned(),
            len,
        })
    }

    /// Takes the file for as long as this handle, or one made of it, is open: who asks before changing it leaves it
    /// alone meanwhile.
    ///
    /// # Errors
    /// [`Kind::Busy`] when another handle has it.
    pub fn claim(&self) -> Result<()> {
        rustix::fs::flock(&self.file, FlockOperation::NonBlockingLockExclusive)
            .context(|| format!("claiming {}", self.path.display()))
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its length as far as it was written successfully through this handle.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// True when nothing was written yet.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends all slices with as few system calls as the kernel allows.
    ///
    /// # Errors
    /// What the operating system says; then the file's end is unknown, and [`DiskFile::truncate`] back to [`DiskFile::len`]
    /// makes it known again.
    pub fn append(&mut self, slices: &mut [IoSlice<'_>]) -> Result<()> {
        let total: usize = slices.iter().map(|s| s.len()).sum();
        // Nothing is no short write: the header of an age file now and then has an empty part.
        if total == 0 {
            return Ok(());
        }
        let (file, at) = (&mut self.file, self.len);
        change(Step::Append, &self.path, || {
            file.seek(SeekFrom::Start(at))?;
            write_all_vectored(file, slices)
        })
        .context(|| format!("appending {total} bytes to {}", self.path.display()))?;
        self.len += total as u64;
        Ok(())
    }

    /// Writes `bytes` at `offset`, inside or just at the end of the file.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn write_at(&mut self, bytes: &[u8], offset: u64) -> Result<()> {
        change(Step::WriteAt, &self.path, || {
            self.file.write_all_at(bytes, offset)
        })
        .context(|| {
            format!(
                "writing {} bytes at {offset} to {}",
                bytes.len(),
                self.path.display()
            )
        })?;
        self.len = self.len.max(offset + bytes.len() as u64);
        Ok(())
    }

    /// Reads back exactly as many bytes from `offset` on as `bytes` holds.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn read_at(&self, bytes: &mut [u8], offset: u64) -> Result<()> {
        let read = self.file.read_exact_at(bytes, offset);
        read.context(|| format!("reading back {}", self.path.display()))
    }

    /// Cuts the file to `len` bytes.
    ///
    /// # Errors
    /// What the operating system says.
    #[expect(clippy::disallowed_methods, reason = "this is base::disk")]
    pub fn truncate(&mut self, len: u64) -> Result<()> {
        change(Step::Truncate, &self.path, || self.file.set_len(len))
            .context(|| format!("cutting {} to {len} bytes", self.path.display()))?;
        self.len = len;
        Ok(())
    }

    /// Makes what was written durable (`fdatasync`).
    ///
    /// # Errors
    /// What the operating system says. Then nothing is known of what was written since the last successful one,
    /// and trying again proves nothing.
    #[expect(clippy::disallowed_methods, reason = "this is base::disk")]
    pub fn sync(&self) -> Result<()> {
        change(Step::Sync, &self.path, || self.file.sync_data())
            .context(|| format!("syncing {}", self.path.display()))
    }

    /// A second handle to sync the same file from another thread.
    ///
    /// # Errors
    /// When no more files can be opened.
    pub fn syncer(&self) -> Result<Syncer> {
        let file = self
            .file
            .try_clone()
            .context(|| format!("opening {} once more", self.path.display()))?;
        Ok(Syncer {
            file,
            path: self.path.clone(),
        })
    }
}

/// Syncs a file that another thread writes.
#[derive(Debug)]
pub struct Syncer {
    file: File,
    path: PathBuf,
}

impl Syncer {
    /// Makes what was written before the call durable (`fdatasync`).
    ///
    /// # Errors
    /// As [`DiskFile::sync`].
    #[expect(clippy::disallowed_methods, reason = "this is base::disk")]
    pub fn sync(&self) -> Result<()> {
        change(Step::Sync, &self.path, || self.file.sync_data())
            .context(|| format!("syncing {}", self.path.display()))
    }
}

fn write_all_vectored(file: &mut File, slices: &mut [IoSlice<'_>]) -> io::Result<()> {
    // IOV_MAX on Linux.
    const SLICES_MAX: usize = 1024;
    let mut rest = slices;
    while !rest.is_empty() {
        let most = rest.len().min(SLICES_MAX);
        match file.write_vectored(&rest[..most]) {
            Ok(0) => return Err(io::Error::from(io::ErrorKind::WriteZero)),
            Ok(n) => IoSlice::advance_slices(&mut rest, n),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

/// Makes everything written to the file system that holds `dir` durable (`syncfs`).
///
/// # Errors
/// What the operating system says; since Linux 5.8 that includes errors of earlier write-back.
pub fn sync_file_system(dir: &Path) -> Result<()> {
    let what = || format!("syncing the file system of {}", dir.display());
    let handle = File::open(dir).context(what)?;
    change(Step::SyncFileSystem, dir, || {
        rustix::fs::syncfs(&handle).map_err(io::Error::from)
    })
    .context(what)
}

/// Makes names created, renamed or removed in `dir` durable.
///
/// # Errors
/// What the operating system says.
#[expect(clippy::disallowed_methods, reason = "this is base::disk")]
pub fn sync_dir(dir: &Path) -> Result<()> {
    let what = || format!("syncing folder {}", dir.display());
    change(Step::SyncDir, dir, || File::open(dir)?.sync_all()).context(what)
}

/// Makes the names of `dir` and of what lies in it durable, up to `root`.
///
/// # Errors
/// What the operating system says.
pub fn sync_chain(dir: &Path, root: &Path) -> Result<()> {
    dir.ancestors()
        .take_while(|ancestor| ancestor.starts_with(root))
        .try_for_each(sync_dir)
}

/// Makes `dir` and what is missing above it, durably: each new name is synced in its parent.
///
/// # Errors
/// What the operating system says.
pub fn create_dir_all(dir: &Path, mode: u32) -> Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    if let Some(parent) = dir.parent().filter(|p| !p.as_os_str().is_empty()) {
        create_dir_all(parent, mode)?;
    }
    let made = change(Step::CreateDir, dir, || {
        fs::DirBuilder::new().mode(mode).create(dir)
    });
    match made {
        Ok(()) => sync_dir(
            dir.parent()
                .filter(|p| !p.as_os_str().is_empty())
                .unwrap_or(Path::new(".")),
        ),
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists && dir.is_dir() => Ok(()),
        Err(e) => Err(e).context(|| format!("creating folder {}", dir.display())),
    }
}

/// Renames within a folder or file system; never over an existing file. Not durable until [`sync_dir`].
///
/// # Errors
/// [`Kind::Exists`] when `to` exists; else what the operating system says.
pub fn rename(from: &Path, to: &Path) -> Result<()> {
    let what = || format!("renaming {} to {}", from.display(), to.display());
    let cwd = rustix::fs::CWD;
    let rename = || {
        match rustix::fs::renameat_with(cwd, from, cwd, to, RenameFlags::NOREPLACE) {
            // Some file systems (NFS, older FUSE) know no NOREPLACE.
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) if !to.exists() => {
                rustix::fs::rename(from, to)
            }
            other => other,
        }
        .map_err(io::Error::from)
    };
    acts::around(from, || change(Step::Rename, to, rename)).context(what)
}

/// Removes a file. Not durable until [`sync_dir`].
///
/// # Errors
/// What the operating system says; [`Kind::NotFound`] when it is gone already.
#[expect(clippy::disallowed_methods, reason = "this is base::disk")]
pub fn remove_file(path: &Path) -> Result<()> {
    change(Step::Remove, path, || fs::remove_file(path))
        .context(|| format!("removing {}", path.display()))
}

/// Removes a folder if nothing is in it; false when something is, or when it is gone already. Not durable until
/// [`sync_dir`] of its parent.
///
/// # Errors
/// What the operating system says.
#[expect(clippy::disallowed_methods, reason = "this is base::disk")]
pub fn remove_empty_dir(dir: &Path) -> Result<bool> {
    use std::io::ErrorKind::{DirectoryNotEmpty, NotFound};
    match change(Step::RemoveDir, dir, || fs::remove_dir(dir)) {
        Ok(()) => Ok(true),
        Err(e) if matches!(e.kind(), DirectoryNotEmpty | NotFound) => Ok(false),
        Err(e) => Err(e).context(|| format!("removing folder {}", dir.display())),
    }
}

/// Writes a file as a whole: after a crash either the old or the new content is there, never a mixture.
///
/// # Errors
/// What the operating system says; then the old content stands.
pub fn replace(path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    let dir = path
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = dir.join(format!(".{name}.new"));
    if temporary.exists() {
        remove_file(&temporary)?;
    }
    let mut file = DiskFile::create_new(&temporary, mode)?;
    file.append(&mut [IoSlice::new(bytes)])?;
    file.sync()?;
    let rename = || rustix::fs::rename(&temporary, path).map_err(io::Error::from);
    acts::around(&temporary, || change(Step::Rename, path, rename))
        .context(|| format!("replacing {}", path.display()))?;
    sync_dir(dir)
}

/// Creates a file that must not exist yet, durably.
///
/// # Errors
/// [`Kind::Exists`] when it does; else what the operating system says.
pub fn create(path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    let mut file = DiskFile::create_new(path, mode)?;
    file.append(&mut [IoSlice::new(bytes)])?;
    file.sync()?;
    sync_dir(
        path.parent()
            .filter(|p| !p.as_os_str().is_empty())
            .unwrap_or(Path::new(".")),
    )
}

/// Reads a file that holds a secret. Refused when group or others may read it.
///
/// # Errors
/// [`Kind::Denied`] for a mode wider than 0600 or when it cannot be read; [`Kind::Full`] above `bytes_max`.
pub fn read_secret(path: &Path, bytes_max: u64) -> Result<zeroize::Zeroizing<Vec<u8>>> {
    let what = || format!("reading secret file {}", path.display());
    let mut file = File::open(path).context(what)?;
    let meta = file.metadata().context(what)?;
    if meta.permissions().mode() & 0o077 != 0 {
        let mode = meta.permissions().mode() & 0o777;
        let remedy = format!(
            "others may read it (mode {mode:04o}); run: chmod 600 {}",
            path.display()
        );
        return Err(Error::new(Kind::Denied, remedy).attempted(what()));
    }
    if meta.len() > bytes_max {
        return Err(
            Error::new(Kind::Full, format!("it is larger than {bytes_max} bytes"))
                .attempted(what()),
        );
    }
    let mut bytes = zeroize::Zeroizing::new(Vec::with_capacity(
        usize::try_from(bytes_max).unwrap_or(4096),
    ));
    (&mut file)
        .take(bytes_max)
        .read_to_end(&mut bytes)
        .context(what)?;
    Ok(bytes)
}

/// Room on the file system that holds a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// Bytes that an ordinary user may still write.
    pub free_bytes: u64,
    /// Bytes in all.
    pub total_bytes: u64,
}

/// Room on the file system that holds `dir`.
///
/// # Errors
/// What the operating system says.
pub fn space(dir: &Path) -> Result<Space> {
    let stat = rustix::fs::statvfs(dir)
        .context(|| format!("reading the free space of {}", dir.display()))?;
    Ok(Space {
        free_bytes: stat.f_bavail.saturating_mul(stat.f_frsize),
        total_bytes: stat.f_blocks.saturating_mul(stat.f_frsize),
    })
}

/// The device that holds `path`: two paths with the same number share a file system.
///
/// # Errors
/// What the operating system says.
pub fn device_of(path: &Path) -> Result<u64> {
    Ok(fs::metadata(path)
        .context(|| format!("looking at {}", path.display()))?
        .dev())
}

/// File systems on which SQLite's locks and `fsync` cannot be relied on.
const REMOTE_FILE_SYSTEMS: [(u64, &str); 5] = [
    (0x6969, "NFS"),
    (0xff53_4d42, "SMB"),
    (0xfe53_4d42, "SMB2"),
    (0x517b, "SMB"),
    (0x6573_5546, "FUSE"),
];

/// The name of the network or user-space file system that holds `dir`; `None` for a local one.
///
/// # Errors
/// What the operating system says.
pub fn remote_file_system(dir: &Path) -> Result<Option<&'static str>> {
    let stat = rustix::fs::statfs(dir)
        .context(|| format!("looking at the file system of {}", dir.display()))?;
    let magic = u64::from_ne_bytes(stat.f_type.to_ne_bytes()) & 0xffff_ffff;
    Ok(REMOTE_FILE_SYSTEMS
        .iter()
        .find(|(number, _)| *number == magic)
        .map(|(_, name)| *name))
}

/// An exclusive lock that ends with the process.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock on the file `path`, made when missing.
    ///
    /// # Errors
    /// [`Kind::Busy`] when another process has it.
    pub fn take(path: &Path) -> Result<Self> {
        let handle = DiskFile::open_or_create(path, SECRET_MODE)?;
        rustix::fs::flock(&handle.file, FlockOperation::NonBlockingLockExclusive)
            .context(|| format!("locking {}", path.display()))?;
        Ok(Self { _file: handle.file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_overwritten_and_replacing_is_whole() {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("a/b/file");
        create_dir_all(path.parent().expect("parent"), 0o700).expect("folders");
        create(&path, b"one", SECRET_MODE).expect("new");
        assert_eq!(
            create(&path, b"two", SECRET_MODE)
                .expect_err("exists")
                .kind(),
            Kind::Exists
        );
        replace(&path, b"three", SECRET_MODE).expect("replaced");
        assert_eq!(fs::read(&path).expect("read"), b"three");
        let other = dir.path().join("other");
        create(&other, b"x", 0o644).expect("new");
        assert_eq!(
            rename(&other, &path).expect_err("exists").kind(),
            Kind::Exists
        );
        assert_eq!(
            read_secret(&other, 10).expect_err("mode").kind(),
            Kind::Denied
        );
        assert_eq!(&*read_secret(&path, 10).expect("secret"), b"three");
        assert_eq!(read_secret(&path, 2).expect_err("size").kind(), Kind::Full);
        let (full, empty) = (dir.path().join("a"), dir.path().join("a/c"));
        create_dir_all(&empty, 0o700).expect("folder");
        assert!(!remove_empty_dir(&full).expect("looked"));
        assert!(remove_empty_dir(&empty).expect("removed"));
        assert!(!remove_empty_dir(&empty).expect("gone"));
    }

    #[test]
    fn a_lock_is_held_by_one() {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("lock");
        let held = Lock::take(&path).expect("first");
        assert_eq!(Lock::take(&path).expect_err("second").kind(), Kind::Busy);
        drop(held);
        Lock::take(&path).expect("after");
    }

    #[test]
    fn to_append_nothing_is_no_failure() {
        let dir = tempfile::tempdir().expect("dir");
        let mut file = DiskFile::create_new(&dir.path().join("file"), SECRET_MODE).expect("new");
        for bytes in [&b""[..], b"x", b""] {
            file.append(&mut [IoSlice::new(bytes)]).expect("appended");
        }
        assert_eq!(file.len(), 1);
    }
}
