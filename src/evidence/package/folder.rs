//! A package as somebody was given it: a folder of plain files, or the ZIP files that unpack to one; on any machine.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use zip::{CompressionMethod, ZipArchive};

use crate::base::error::{Context, Error, Kind, Result};
use crate::base::hash::Digest;
use crate::evidence::package::media::Chunks;
use crate::evidence::package::{CHUNK_BYTES, CONTENTS, MANIFEST};

/// More files than this are not looked at.
const NAMES_MAX: usize = 4096;
/// More parts than this are not looked at.
const PARTS_MAX: usize = 1024;
/// The largest directory of a ZIP that is read, in bytes.
const DIRECTORY_BYTES_MAX: u64 = 4 << 20;

/// Where a file's bytes are.
#[derive(Clone, Debug)]
struct Place {
    path: PathBuf,
    /// Where it begins there.
    at: u64,
}

/// The folder.
#[derive(Debug)]
pub struct Folder {
    places: BTreeMap<String, Place>,
    /// Names and sizes of its files; `None` for what is no plain file.
    pub names: BTreeMap<String, Option<u64>>,
}

/// An opened file of it.
#[derive(Debug)]
pub struct Opened {
    file: File,
    at: u64,
}

impl Folder {
    /// Lists `dir`.
    ///
    /// # Errors
    /// `Invalid` when nothing of a package is in it; what the operating system says.
    pub fn open(dir: &Path) -> Result<Self> {
        let what = || format!("reading {}", dir.display());
        let mut folder = Self {
            places: BTreeMap::new(),
            names: BTreeMap::new(),
        };
        for found in std::fs::read_dir(dir).context(what)? {
            let found = found.context(what)?;
            let meta = found.metadata().context(what)?;
            let name = found.file_name().to_string_lossy().into_owned();
            let place = Place {
                path: found.path(),
                at: 0,
            };
            folder.add(name, meta.is_file().then_some((meta.len(), place)), dir)?;
        }
        folder.checked(dir)
    }

    /// What `paths` are: one folder, or all the ZIP files of a package, which unpack to the same folder.
    ///
    /// # Errors
    /// `Invalid` for anything else: ZIP files that are encrypted are unpacked first, those of two packages are not one.
    pub fn of(paths: &[PathBuf]) -> Result<Self> {
        match paths {
            [dir] if dir.is_dir() => Self::open(dir),
            [first, ..] if paths.len() <= PARTS_MAX => {
                let mut folder = Self {
                    places: BTreeMap::new(),
                    names: BTreeMap::new(),
                };
                let mut top = None;
                for path in paths {
                    let what = || format!("reading {}", path.display());
                    folder.add_zip(path, &mut top).context(what)?;
                }
                folder.checked(first)
            }
            _ => Err(Error::invalid(
                "give a folder, or the ZIP files of a package",
            )),
        }
    }

    /// Adds what is in a ZIP: plain files in the one folder `top`.
    fn add_zip(&mut self, path: &Path, top: &mut Option<String>) -> Result<()> {
        let bad = |e: zip::result::ZipError| match e {
            zip::result::ZipError::Io(e) => Error::from(e),
            other => Error::invalid(format!("it is no ZIP that can be read: {other}")),
        };
        let file = File::open(path)?;
        let len = file.metadata()?.len();
        let mut archive = ZipArchive::new(file).map_err(bad)?;
        if len.saturating_sub(archive.central_directory_start()) > DIRECTORY_BYTES_MAX {
            return Err(Error::new(
                Kind::Full,
                "its directory is larger than a package's",
            ));
        }
        for index in 0..archive.len() {
            let entry = archive.by_index_raw(index).map_err(bad)?;
            let name = entry.name().map_err(bad)?.into_owned();
            if entry.encrypted() {
                let text =
                    "it is encrypted; unpack it with 7-Zip and its passphrase, and give the folder";
                return Err(Error::invalid(text));
            }
            if entry.is_dir() {
                continue;
            }
            let (folder, name) = name.split_once('/').unwrap_or(("", &name));
            if *top.get_or_insert_with(|| folder.to_owned()) != folder {
                let text = format!(
                    "it unpacks to {folder:?}, which is another folder; give the parts of one package"
                );
                return Err(Error::invalid(text));
            }
            let is_plain = entry.is_file()
                && entry.compression() == CompressionMethod::Stored
                && entry.size() == entry.compressed_size();
            let at = entry.data_start();
            let place = at.filter(|_| is_plain).map(|at| Place {
                path: path.to_owned(),
                at,
            });
            let found = place.map(|place| (entry.size(), place));
            self.add(name.to_owned(), found, path)?;
        }
        Ok(())
    }

    fn add(&mut self, name: String, found: Option<(u64, Place)>, from: &Path) -> Result<()> {
        if self.names.len() >= NAMES_MAX {
            let text = format!("{} has more than {NAMES_MAX} files", from.display());
            return Err(Error::new(Kind::Full, text));
        }
        let (size, place) = found.unzip();
        if self.names.insert(name.clone(), size).is_some() {
            return Err(Error::invalid(format!("{name} is there twice")));
        }
        if let Some(place) = place {
            self.places.insert(name, place);
        }
        Ok(())
    }

    fn checked(self, from: &Path) -> Result<Self> {
        if !self.names.contains_key(MANIFEST) && !self.names.contains_key(CONTENTS) {
            return Err(Error::invalid(format!(
                "{} holds no package: neither {MANIFEST} nor {CONTENTS} is in it. Of a package in parts, all are given at once",
                from.display()
            )));
        }
        Ok(self)
    }

    /// Size of a file; none when it is not there.
    pub fn size(&self, name: &str) -> Option<u64> {
        self.names.get(name).copied().flatten()
    }

    /// All of a file of at most `bytes_max`.
    ///
    /// # Errors
    /// `NotFound`; `Full`; what the operating system says.
    pub fn read(&self, name: &str, bytes_max: u64) -> Result<Vec<u8>> {
        let size = self
            .size(name)
            .ok_or_else(|| Error::new(Kind::NotFound, format!("{name} is not there")))?;
        if size > bytes_max {
            return Err(Error::new(
                Kind::Full,
                format!("{name} is larger than it can be"),
            ));
        }
        self.part(&self.file(name)?, name, 0, size)
    }

    /// A file, to read parts of it.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn file(&self, name: &str) -> Result<Opened> {
        let place = self
            .places
            .get(name)
            .ok_or_else(|| Error::new(Kind::NotFound, format!("{name} is not there")))?;
        let path = &place.path;
        let file = File::open(path).context(|| format!("opening {}", path.display()))?;
        Ok(Opened { file, at: place.at })
    }

    /// `bytes` from `at` on.
    ///
    /// # Errors
    /// When there are not so many; what the operating system says.
    pub fn part(&self, file: &Opened, name: &str, at: u64, bytes: u64) -> Result<Vec<u8>> {
        let short = || {
            Error::corrupt(format!(
                "{name} ends before byte {}",
                at.saturating_add(bytes)
            ))
        };
        let end = at.checked_add(bytes).ok_or_else(short)?;
        if self.size(name).is_none_or(|size| size < end) {
            return Err(short());
        }
        let mut out = vec![0; usize::try_from(bytes).map_err(|_| short())?];
        let from = file.at.checked_add(at).ok_or_else(short)?;
        file.file
            .read_exact_at(&mut out, from)
            .context(|| format!("reading {name}"))?;
        Ok(out)
    }

    /// Hashes of its pieces.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn chunks(&self, name: &str) -> Result<Vec<Digest>> {
        let (file, size) = (self.file(name)?, self.size(name).unwrap_or_default());
        let mut chunks = Chunks::default();
        let mut at = 0;
        while at < size {
            let part = self.part(&file, name, at, CHUNK_BYTES.min(size - at))?;
            at += part.len() as u64;
            chunks.add(&part);
        }
        Ok(chunks.finish())
    }
}
