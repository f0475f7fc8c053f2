//! Key slots on a volume: one file a stream and UTC day, 512 bytes a slot, appended and zeroed in place.

use std::fs::File;
use std::os::unix::fs::FileExt;

use crate::base::disk::{self, DiskFile, SECRET_MODE};
use crate::base::error::{Context, Error, Kind, Result};
use crate::base::id::{SegmentId, StreamId};
use crate::store::volume::Volume;
use crate::vault::slot::{self, SLOT_BYTES, Slot};

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

/// What became of a slot that was to be destroyed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Zeroed {
    /// It is zero now, or was already. Durable after [`SlotFile::sync`].
    Yes,
    /// It holds another segment's key, or there is no such slot: nothing was changed, there is no key to destroy.
    NotOurs,
}

/// The slot file of a stream's day, open to destroy keys in it.
#[derive(Debug)]
pub struct SlotFile {
    file: DiskFile,
    from: File,
}

impl SlotFile {
    /// Opens it; `None` when there is none.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn open(volume: &Volume, stream: &StreamId, day: &str) -> Result<Option<Self>> {
        let path = volume.slots_path(stream, day);
        match DiskFile::open_existing(&path) {
            Ok(file) => {
                let from = File::open(&path).context(|| format!("opening {}", path.display()))?;
                Ok(Some(Self { file, from }))
            }
            Err(e) if e.kind() == Kind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Zeroes slot `index` in place, unless it holds the key of another segment than `segment`. A damaged slot opens
    /// nothing and is nobody else's: it is zeroed.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn zero(&mut self, index: u32, segment: SegmentId) -> Result<Zeroed> {
        let offset = u64::from(index) * SLOT_BYTES as u64;
        if offset >= self.file.len() {
            return Ok(Zeroed::NotOurs);
        }
        // A power cut may have left the last one short.
        let whole = usize::try_from(self.file.len() - offset).unwrap_or(SLOT_BYTES);
        let mut bytes = vec![0; whole.min(SLOT_BYTES)];
        let what = || format!("reading key slot {index} of {}", self.file.path().display());
        self.from.read_exact_at(&mut bytes, offset).context(what)?;
        match slot::decode(&bytes) {
            Ok(Slot::Whole(wrapped)) if wrapped.segment != segment => return Ok(Zeroed::NotOurs),
            // Also one that reads as zero: after a sync that failed the kernel may show zeros that never reached the disk,
            // and would not write them again by itself.
            _ => {}
        }
        self.file.write_at(&vec![0; bytes.len()], offset)?;
        Ok(Zeroed::Yes)
    }

    /// Zeroes the slot of `segment`, wherever in the file it is.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn zero_of(&mut self, segment: SegmentId) -> Result<Zeroed> {
        for index in 0..self.count()? {
            let offset = u64::from(index) * SLOT_BYTES as u64;
            let mut bytes = [0; SLOT_BYTES];
            if self.from.read_exact_at(&mut bytes, offset).is_ok()
                && let Ok(Slot::Whole(wrapped)) = slot::decode(&bytes)
                && wrapped.segment == segment
            {
                return self.zero(index, segment);
            }
        }
        Ok(Zeroed::NotOurs)
    }

    /// Zeroes every slot.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn zero_all(&mut self) -> Result<()> {
        for index in 0..self.count()? {
            let offset = u64::from(index) * SLOT_BYTES as u64;
            let whole = usize::try_from(self.file.len() - offset).unwrap_or(SLOT_BYTES);
            self.file
                .write_at(&vec![0; whole.min(SLOT_BYTES)], offset)?;
        }
        Ok(())
    }

    fn count(&self) -> Result<u32> {
        let slots = self.file.len().div_ceil(SLOT_BYTES as u64);
        u32::try_from(slots).map_err(|_| Error::corrupt("a slot file that is too long"))
    }

    /// Makes what was zeroed durable.
    ///
    /// # Errors
    /// As [`DiskFile::sync`].
    pub fn sync(&self) -> Result<()> {
        self.file.sync()
    }

    /// Removes the file when every slot in it is zero; true when it was. Not durable until its folder is synced. Nobody
    /// may append to it any more: its day must be past.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn remove_if_empty(self) -> Result<bool> {
        let path = self.file.path().to_owned();
        let what = || format!("reading {}", path.display());
        let mut bytes = [0; 64 * SLOT_BYTES];
        let mut at = 0;
        loop {
            let count = self.from.read_at(&mut bytes, at).context(what)?;
            if bytes[..count].iter().any(|byte| *byte != 0) {
                return Ok(false);
            }
            if count == 0 {
                disk::remove_file(&path)?;
                return Ok(true);
            }
            at += count as u64;
        }
    }
}

/// Destroys the key of `segment` durably: zeroes its slot, unless it holds another's.
///
/// # Errors
/// What the operating system says.
pub fn zero(
    volume: &Volume,
    stream: &StreamId,
    place: &Place,
    segment: SegmentId,
) -> Result<Zeroed> {
    let Some(mut file) = SlotFile::open(volume, stream, &place.day)? else {
        return Ok(Zeroed::NotOurs);
    };
    let zeroed = file.zero(place.index, segment)?;
    file.sync()?;
    Ok(zeroed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::BoxId;
    use crate::base::secret::SegmentKey;
    use crate::vault::identity::Identity;

    #[test]
    fn a_slot_is_zeroed_only_for_the_segment_that_it_holds() {
        let dir = tempfile::tempdir().expect("dir");
        let volume =
            Volume::init(&dir.path().join("v"), BoxId::random(), "levy-1").expect("volume");
        let stream: StreamId = "kassa/main".parse().expect("stream");
        let recovery = Identity::generate().recipient();
        let ids = [SegmentId::random(), SegmentId::random()];
        let places = ids.map(|id| {
            let key = SegmentKey::from_bytes([7; 16]);
            let bytes = slot::encode(id, &key, None, &recovery).expect("slot");
            append(&volume, &stream, "20261123", &bytes, true).expect("appended")
        });
        let state = |place| slot::decode(&read(&volume, &stream, place).expect("read"));
        let whole =
            |place, id| matches!(state(place), Ok(Slot::Whole(wrapped)) if wrapped.segment == id);
        let zero = |place, id| zero(&volume, &stream, place, id).expect("zero");
        assert_eq!(zero(&places[0], ids[1]), Zeroed::NotOurs);
        assert!(whole(&places[0], ids[0]), "another's is left alone");
        assert_eq!(zero(&places[0], ids[0]), Zeroed::Yes);
        assert_eq!(
            zero(&places[0], ids[0]),
            Zeroed::Yes,
            "again: nothing happens"
        );
        assert!(matches!(state(&places[0]), Ok(Slot::Empty)));
        assert!(whole(&places[1], ids[1]), "its neighbour is untouched");
        let open = || SlotFile::open(&volume, &stream, "20261123").expect("opens");
        assert!(
            !open()
                .expect("there")
                .remove_if_empty()
                .expect("one is left")
        );
        let beyond = Place {
            day: "20261123".to_owned(),
            index: 9,
        };
        assert_eq!(zero(&beyond, ids[1]), Zeroed::NotOurs);
        assert_eq!(zero(&places[1], ids[1]), Zeroed::Yes);
        assert!(open().expect("there").remove_if_empty().expect("removed"));
        assert!(open().is_none());
        assert_eq!(zero(&places[1], ids[1]), Zeroed::NotOurs);
    }
}
