//! The keys that one package needs, and no others: opened when it is asked for, so that it outlives the session in which that was
//! done; zeroised with the job.

use std::collections::HashMap;

use crate::base::error::{Error, Kind, Result};
use crate::base::id::SegmentId;
use crate::base::secret::SegmentKey;
use crate::evidence::keys::KeyRing;
use crate::evidence::select::Source;
use crate::media::read;
use crate::store::file::SegmentFile;
use crate::vault::opener::Opener;
use crate::vault::slot::WrappedKey;

/// Keys of segments. Zeroised when dropped.
#[derive(Default)]
pub(super) struct JobKeys(HashMap<SegmentId, SegmentKey>);

impl JobKeys {
    /// Opens the key of `source` with `keys`.
    ///
    /// # Errors
    /// What reading the segment's beginning and opening its key say.
    pub(super) fn add(&mut self, source: &Source, keys: &KeyRing) -> Result<()> {
        let initial = read::read_initial(&SegmentFile::open(&source.path)?)?;
        let key = keys.segment_key(&source.volume, &initial.header)?;
        self.0.insert(initial.header.segment, key);
        Ok(())
    }
}

impl Opener for JobKeys {
    fn open(&self, key: &WrappedKey) -> Result<SegmentKey> {
        self.0.get(&key.segment).cloned().ok_or_else(|| {
            let text = "the package was not begun with the key of this segment; begin it anew";
            Error::new(Kind::Denied, text)
        })
    }
}
