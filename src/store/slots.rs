//! Key slots on a volume: one file a stream and UTC day, 512 bytes a slot, appended and zeroed in place.

use std::fs::File;
use std::os::unix::fs::FileExt;

use crate::base::disk::{self, DiskFile, SECRET_MODE};
use crate::base::error::{Context, Error, Kind, Result};
use crate::base::id::StreamId;
use crate::store::volume::Volume;
use crate::vault::slot::SLOT_BYTES;

/// Where a slot lies.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// UTC day of the file: `20261123`.
    pub day: String,
    /// Number of the slot in it.
    pub index: u32,
}

/// Appends a slot to the file of `day` and makes it durable; with its name when this process uses the file for the first time.
///
/// # Errors
/// What the operating system says; then nothing may be sealed under that key.
pub fn append(
    volume: &Volume,
    stream: &StreamId,
    day: &str,
    slot: &[u8; SLOT_BYTES],
    is_first: bool,
) -> Result<Place> {
    let path = volume.slots_path(stream, day);
    let dir = path
        .parent()
        .ok_or_else(|| Error::new(Kind::Internal, "a slot file without a folder"))?;
    disk::create_dir_all(dir, 0o700)?;
    let mut file = DiskFile::open_or_create(&path, SECRET_MODE)?;
    // A torn slot at the end, left by a power cut, keeps its number: numbers are never used twice.
    let index = file.len().div_ceil(SLOT_BYTES as u64);
    file.write_at(slot, index * SLOT_BYTES as u64)?;
    file.sync()?;
    // A file that a process before this one made may have a name that was never synced.
    if is_first || index == 0 {
        disk::sync_chain(dir, &volume.root)?;
    }
    let index = u32::try_from(index)
        .map_err(|_| Error::new(Kind::Full, format!("{} has no more slots", path.display())))?;
    Ok(Place {
        day: day.to_owned(),
        index,
    })
}

/// Reads a slot.
///
/// # Errors
/// [`Kind::NotFound`] when the file or the slot is missing.
pub fn read(volume: &Volume, stream: &StreamId, place: &Place) -> Result<[u8; SLOT_BYTES]> {
    let path = volume.slots_path(stream, &place.day);
    let what = || format!("reading key slot {} of {}", place.index, path.display());
    let file = File::open(&path).context(what)?;
    let mut slot = [0; SLOT_BYTES];
    file.read_exact_at(&mut slot, u64::from(place.index) * SLOT_BYTES as u64)
        .map_err(|e| Error::from(e).as_kind(Kind::NotFound).attempted(what()))?;
    Ok(slot)
}
