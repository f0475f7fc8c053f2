//! Makes a backup. Its folder has its name only when everything in it is durable.

use std::fs::{self, File};
use std::io::{IoSlice, Write};
use std::path::{Path, PathBuf};

use crate::backup::{
    ARCHIVE, CATALOG, FILES_MAX, IDENTITY, MANIFEST, Manifest, NAME_PREFIX, SMALL_MAX,
};
use crate::base::disk::{self, DiskFile, SECRET_DIR_MODE, SECRET_MODE};
use crate::base::error::{Context, Error, Kind, Result};
use crate::base::hash::Digest;
use crate::base::id::BoxId;
use crate::base::time::Wall;
use crate::catalog::Reader;
use crate::ledger::checkpoint::{Key, Signer};
use crate::store::state::State;
use crate::store::volume::IDENTITY_FILE;
use crate::vault::stream;

/// The copy of the catalog in the state folder while a backup is made.
pub const COPY: &str = "catalog.db.backup";
/// What is taken along when it is there; the catalog comes last, and what lies in `secrets/` before it.
const FILES: [&str; 5] = [
    IDENTITY,
    "sinetti.toml",
    "keys/ledger.pk8",
    "keys/web-authority.pem",
    "authority.crt",
];
const SECRETS: &str = "secrets";
/// Nothing lies deeper in it.
const SECRETS_DEPTH: usize = 4;
/// Bytes that are gathered before they are written.
const BUFFER: usize = 1 << 20;

/// What a backup is made of.
pub struct Source<'a> {
    /// The state folder.
    pub state: &'a State,
    /// Its catalog.
    pub reader: &'a Reader,
    /// Its ledger key.
    pub signer: &'a Signer,
    /// Now.
    pub now: Wall,
}

/// A backup that was made.
#[derive(Debug)]
pub struct Written {
    /// Its folder.
    pub folder: PathBuf,
    /// What it is of.
    pub manifest: Manifest,
}

/// Refuses a folder in which a backup would go the way of what it is of: in a footage volume, in the state folder.
///
/// # Errors
/// `NotFound` when it is not there, `Invalid` for such a folder.
pub fn check_place(into: &Path, state: &State) -> Result<PathBuf> {
    let what = || format!("making a backup in {}", into.display());
    let into = fs::canonicalize(into).context(what)?;
    if !into.is_dir() {
        return Err(Error::invalid("it is no folder").attempted(what()));
    }
    let own = fs::canonicalize(&state.dir).context(what)?;
    for above in into.ancestors() {
        let inside = if above == own || above.join(IDENTITY).exists() {
            "a state folder"
        } else if above.join(IDENTITY_FILE).exists() {
            "a footage volume"
        } else {
            continue;
        };
        let text = format!(
            "it lies in {inside} ({}); a backup belongs on another disk, best in another place",
            above.display()
        );
        return Err(Error::invalid(text).attempted(what()));
    }
    Ok(into)
}

/// Makes a backup in a folder of its own in `into`.
///
/// # Errors
/// As [`check_place`]; what the operating system or the catalog says. What was begun is removed as far as that is possible.
pub fn write(source: &Source<'_>, into: &Path) -> Result<Written> {
    let into = check_place(into, source.state)?;
    let name = format!("{NAME_PREFIX}{}", source.now.basic());
    let (begun, folder) = (into.join(format!(".{name}.new")), into.join(&name));
    if folder.exists() {
        return Err(Error::new(
            Kind::Exists,
            format!("{} exists already", folder.display()),
        ));
    }
    disk::create_dir_all(&begun, SECRET_DIR_MODE)?;
    let copy = source.state.dir.join(COPY);
    let made = fill(source, &begun, &copy).and_then(|manifest| {
        disk::rename(&begun, &folder)?;
        disk::sync_dir(&into)?;
        Ok(manifest)
    });
    // In the clear it lies beside the catalog, and no longer than it is needed.
    remove_if_there(&copy)?;
    match made {
        Ok(manifest) => Ok(Written { folder, manifest }),
        Err(e) => {
            for file in [ARCHIVE, MANIFEST] {
                remove_if_there(&begun.join(file))?;
            }
            disk::remove_empty_dir(&begun)?;
            Err(e)
        }
    }
}

fn remove_if_there(path: &Path) -> Result<()> {
    match disk::remove_file(path) {
        Err(e) if e.kind() == Kind::NotFound => Ok(()),
        other => other,
    }
}

fn fill(source: &Source<'_>, begun: &Path, copy: &Path) -> Result<Manifest> {
    for end in ["", "-journal"] {
        remove_if_there(&copy.with_file_name(format!("{COPY}{end}")))?;
    }
    // Made by us, so that nobody else can read it from its first byte on.
    drop(DiskFile::create_new(copy, SECRET_MODE)?);
    source
        .reader
        .copy_to(copy)
        .context(|| "copying the catalog")?;
    let checkpoint = Reader::open(copy, source.state.box_id)?.epoch()?.note;
    let file = DiskFile::create_new(&begun.join(ARCHIVE), SECRET_MODE)?;
    let sealing = stream::seal(Hashed::new(file), &source.state.recovery)?;
    let mut tar = tar::Builder::new(sealing);
    let what = || "writing the archive";
    for path in files(&source.state.dir)? {
        let bytes = zeroize::Zeroizing::new(fs::read(source.state.dir.join(&path)).context(what)?);
        let mut header = header(bytes.len() as u64, source.now);
        tar.append_data(&mut header, &path, bytes.as_slice())
            .context(what)?;
    }
    let catalog = File::open(copy).context(what)?;
    let mut header = header(catalog.metadata().context(what)?.len(), source.now);
    tar.append_data(&mut header, CATALOG, catalog)
        .context(what)?;
    let (bytes, sha256) = tar.into_inner().context(what)?.finish()?.finish()?;
    let manifest = Manifest {
        box_id: source.state.box_id,
        made: source.now,
        recipient: source.state.recovery.clone(),
        checkpoint,
        bytes,
        sha256,
        key: source.signer.key(),
    };
    let json = manifest.to_json(source.signer)?;
    disk::create(&begun.join(MANIFEST), &json, SECRET_MODE)?;
    Ok(manifest)
}

fn header(size: u64, now: Wall) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_size(size);
    header.set_mode(SECRET_MODE);
    header.set_mtime((now.us() / 1_000_000).unsigned_abs());
    header
}

/// The small files that are there, as paths in the state folder.
fn files(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut found: Vec<PathBuf> = FILES.iter().map(PathBuf::from).collect();
    found.retain(|path| dir.join(path).exists());
    let mut open = vec![(PathBuf::from(SECRETS), 1)];
    while let Some((folder, depth)) = open.pop() {
        let Ok(entries) = fs::read_dir(dir.join(&folder)) else {
            continue;
        };
        for entry in entries {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            let kind = entry.file_type()?;
            if kind.is_dir() && depth < SECRETS_DEPTH {
                open.push((path, depth + 1));
            } else if kind.is_file() {
                found.push(path);
            }
        }
    }
    found.sort();
    if found.len() >= FILES_MAX {
        return Err(Error::new(
            Kind::Full,
            format!("{SECRETS}/ holds more than {FILES_MAX} files"),
        ));
    }
    for path in &found {
        let bytes = fs::metadata(dir.join(path))?.len();
        if bytes > SMALL_MAX {
            return Err(Error::new(
                Kind::Full,
                format!(
                    "{} has {bytes} bytes: does it belong there?",
                    path.display()
                ),
            ));
        }
    }
    Ok(found)
}

/// The backups of a box in `into` by the time of their making. What is not surely one is left out.
pub(super) fn of_box(into: &Path, box_id: BoxId, key: Key) -> Result<Vec<(Wall, PathBuf)>> {
    let mut ours = Vec::new();
    for entry in fs::read_dir(into).context(|| format!("reading {}", into.display()))? {
        let path = entry?.path();
        let is_named = path
            .file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name.starts_with(NAME_PREFIX));
        if is_named
            && let Ok(manifest) = Manifest::read(&path)
            && manifest.box_id == box_id
            && manifest.key == key
        {
            ours.push((manifest.made, path));
        }
    }
    ours.sort();
    Ok(ours)
}

/// Removes the oldest backups of this box in `into` above `keep`; how many. What is not surely one is left alone.
///
/// # Errors
/// What the operating system says.
pub fn remove_older(into: &Path, state: &State, keep: usize) -> Result<u64> {
    let ours = of_box(into, state.box_id, state.key()?)?;
    let many = ours.len().saturating_sub(keep.max(1));
    for (_, path) in &ours[..many] {
        // The manifest last: what is left half is still told to be one of ours.
        remove_if_there(&path.join(ARCHIVE))?;
        remove_if_there(&path.join(MANIFEST))?;
        disk::remove_empty_dir(path)?;
    }
    if many > 0 {
        disk::sync_dir(into)?;
    }
    Ok(many as u64)
}

/// Counts and hashes what goes into a file.
struct Hashed {
    file: DiskFile,
    hash: ring::digest::Context,
    buffer: Vec<u8>,
}

impl Hashed {
    fn new(file: DiskFile) -> Self {
        Self {
            file,
            hash: ring::digest::Context::new(&ring::digest::SHA256),
            buffer: Vec::with_capacity(BUFFER),
        }
    }

    fn drain(&mut self) -> std::io::Result<()> {
        self.hash.update(&self.buffer);
        let written = self.file.append(&mut [IoSlice::new(&self.buffer)]);
        self.buffer.clear();
        written.map_err(std::io::Error::other)
    }

    /// Makes it durable; its length and hash.
    fn finish(mut self) -> Result<(u64, Digest)> {
        self.drain()?;
        self.file.sync()?;
        Ok((self.file.len(), Digest::from_ring(&self.hash.finish())))
    }
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= BUFFER {
            self.drain()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.drain()
    }
}
