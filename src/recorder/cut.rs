//! Cuts that are asked for: a segment that is being written ends at its stream's next key frame, so that what is in it can be
//! sealed and handed out without waiting for its time.
//!
//! Whoever asks counts the stream up; the writer compares the count with that at which the segment was begun. What does not
//! belong here: who may ask, and what for (`daemon`).

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use crate::base::error::{Error, Kind};
use crate::base::id::StreamId;

/// Longest wait for a cut: several groups of pictures, and the time until the closed segment has its row.
pub const CUT_MAX: Duration = Duration::from_secs(30);

/// Nothing came of a cut in [`CUT_MAX`].
pub fn late(stream: &StreamId) -> Error {
    let text = format!(
        "{stream} is being recorded, and no key frame came within {} s, so what is being written cannot be proved yet; \
         ask for footage up to an earlier time, or try again",
        CUT_MAX.as_secs()
    );
    Error::new(Kind::Unavailable, text)
}

/// How often each stream was asked to be cut. Cheap to clone; in memory only.
#[derive(Clone, Debug, Default)]
pub struct Cuts(Arc<RwLock<BTreeMap<StreamId, u64>>>);

impl Cuts {
    /// The segment of `stream` that is being written now ends at the next key frame. One that is begun later does not.
    pub fn ask(&self, stream: &StreamId) {
        let mut asked = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = asked.get_mut(stream) {
            *count = count.wrapping_add(1);
            return;
        }
        asked.insert(stream.clone(), 1);
    }

    /// How often `stream` was asked to be cut.
    pub(super) fn asked(&self, stream: &StreamId) -> u64 {
        let asked = self.0.read().unwrap_or_else(PoisonError::into_inner);
        asked.get(stream).copied().unwrap_or_default()
    }
}
