//! A package as somebody was given it: a folder of plain files, on any machine.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::base::error::{Context, Error, Kind, Result};
use crate::base::hash::Digest;
use crate::evidence::package::media::Chunks;
use crate::evidence::package::{CHUNK_BYTES, CONTENTS, MANIFEST};

/// More files than this are not looked at.
const NAMES_MAX: usize = 4096;

/// The folder.
#[derive(Debug)]
pub struct Folder {
    dir: PathBuf,
    /// Names and sizes of its files; `None` for what is no plain file.
    pub names: BTreeMap<String, Option<u64>>,
}

impl Folder {
    /// Lists `dir`.
    ///
    /// # Errors
    /// `Invalid` when nothing of a package is in it; what the operating system says.
    pub fn open(dir: &Path) -> Result<Self> {
        let what = || format!("reading {}", dir.display());
        let mut names = BTreeMap::new();
        for found in std::fs::read_dir(dir).context(what)? {
            let found = found.context(what)?;
            let meta = found.metadata().context(what)?;
            let name = found.file_name().to_string_lossy().into_owned();
            names.insert(name, meta.is_file().then_some(meta.len()));
            if names.len() > NAMES_MAX {
                let text = format!("{} has more than {NAMES_MAX} files", dir.display());
                return Err(Error::new(Kind::Full, text));
            }
        }
        if !names.contains_key(MANIFEST) && !names.contains_key(CONTENTS) {
            return Err(Error::invalid(format!(
                "{} holds no package: neither {MANIFEST} nor {CONTENTS} is in it",
                dir.display()
            )));
        }
        Ok(Self {
            dir: dir.to_owned(),
            names,
        })
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
    pub fn file(&self, name: &str) -> Result<File> {
        let path = self.dir.join(name);
        File::open(&path).context(|| format!("opening {}", path.display()))
    }

    /// `bytes` from `at` on.
    ///
    /// # Errors
    /// When there are not so many; what the operating system says.
    pub fn part(&self, file: &File, name: &str, at: u64, bytes: u64) -> Result<Vec<u8>> {
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
        file.read_exact_at(&mut out, at)
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
