//! Opens a backup: every byte is compared with the manifest before any of it is believed.

use std::fs::File;
use std::io::{IoSlice, Read};
use std::path::{Component, Path};

use crate::backup::{ARCHIVE, CATALOG, FILES_MAX, IDENTITY, Manifest, SMALL_MAX};
use crate::base::disk::{self, DiskFile, SECRET_DIR_MODE, SECRET_MODE};
use crate::base::error::{Context, Error, Result};
use crate::base::hash::Digest;
use crate::vault::identity::Identity;
use crate::vault::stream;

const BUFFER: usize = 1 << 20;

/// Reads the manifest in `folder` and compares the archive beside it.
///
/// # Errors
/// `NotFound` when there is no backup; `Corrupt` when something in it was changed or is cut off.
pub fn open(folder: &Path) -> Result<Manifest> {
    let manifest = Manifest::read(folder)?;
    let path = folder.join(ARCHIVE);
    let what = || format!("checking {}", path.display());
    let mut file = File::open(&path).context(what)?;
    let mut hash = ring::digest::Context::new(&ring::digest::SHA256);
    let mut buffer = vec![0; BUFFER];
    let mut bytes = 0;
    loop {
        let n = file.read(&mut buffer).context(what)?;
        if n == 0 {
            break;
        }
        hash.update(&buffer[..n]);
        bytes += n as u64;
    }
    if (bytes, Digest::from_ring(&hash.finish())) != (manifest.bytes, manifest.sha256) {
        return Err(Error::corrupt(
            "it is not what the manifest was signed over: take another backup",
        )
        .attempted(what()));
    }
    Ok(manifest)
}

/// Writes what is in the archive into the new folder `into`, all but the box's identity, which is returned: with it the folder
/// becomes a state folder, so it comes last.
///
/// # Errors
/// `Denied` when `identity` does not open it; `Corrupt` when it holds what no backup of ours does; what the operating system
/// says.
pub fn unpack(folder: &Path, identity: &Identity, into: &Path) -> Result<Vec<u8>> {
    let path = folder.join(ARCHIVE);
    let what = || format!("unpacking {}", path.display());
    let file = File::open(&path).context(what)?;
    let mut tar = tar::Archive::new(stream::open(file, identity).context(what)?);
    let (mut box_json, mut has_catalog) = (None, false);
    for (number, entry) in tar.entries().context(what)?.enumerate() {
        let mut entry = entry.context(what)?;
        let name = entry.path().context(what)?.into_owned();
        let plain = name.components().all(|c| matches!(c, Component::Normal(_)));
        let is_catalog = name == Path::new(CATALOG);
        let fits = is_catalog || entry.size() <= SMALL_MAX;
        if !plain || !entry.header().entry_type().is_file() || !fits || number >= FILES_MAX {
            let text = format!("it holds {}, which no backup of ours does", name.display());
            return Err(Error::corrupt(text).attempted(what()));
        }
        if name == Path::new(IDENTITY) {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).context(what)?;
            box_json = Some(bytes);
            continue;
        }
        has_catalog |= is_catalog;
        let to = into.join(&name);
        if let Some(parent) = to.parent() {
            disk::create_dir_all(parent, SECRET_DIR_MODE)?;
        }
        copy(&mut entry, &to).context(what)?;
    }
    match box_json {
        Some(bytes) if has_catalog => {
            disk::sync_dir(into)?;
            Ok(bytes)
        }
        _ => Err(Error::corrupt("it lacks the box's identity, or the catalog").attempted(what())),
    }
}

fn copy(from: &mut impl Read, to: &Path) -> Result<()> {
    let mut file = DiskFile::create_new(to, SECRET_MODE)?;
    let mut buffer = zeroize::Zeroizing::new(vec![0; BUFFER]);
    loop {
        let n = from.read(&mut buffer)?;
        if n == 0 {
            break;
        }
        file.append(&mut [IoSlice::new(&buffer[..n])])?;
    }
    file.sync()?;
    match to.parent() {
        Some(parent) => disk::sync_dir(parent),
        None => Ok(()),
    }
}
