//! Opening segment keys: slot, vault generation, identity.

use std::sync::Arc;

use crate::base::error::{Error, Kind, Result};
use crate::base::id::StreamId;
use crate::base::secret::SegmentKey;
use crate::media::header::SegmentHeader;
use crate::store::slots::{self, Place};
use crate::store::volume::Volume;
use crate::vault::identity::Identity;
use crate::vault::opener::Opener;
use crate::vault::slot::{self, Slot};

/// Identities that open segment keys. They are zeroised when it is dropped.
#[derive(Default)]
pub struct KeyRing {
    recovery: Option<Identity>,
    opener: Option<Arc<dyn Opener>>,
}

impl KeyRing {
    /// With somebody who opens keys: a session's vault. Once that is locked, it opens nothing more.
    pub fn of_opener(opener: Arc<dyn Opener>) -> Self {
        Self {
            opener: Some(opener),
            ..Self::default()
        }
    }

    /// With the recovery identity, which opens every slot.
    pub fn of_recovery(identity: Identity) -> Self {
        Self {
            recovery: Some(identity),
            ..Self::default()
        }
    }

    /// The key of the segment with `header` on `volume`.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when the key was destroyed or its slot is gone, [`Kind::Denied`] when no identity here opens
    /// it, [`Kind::Corrupt`] for a slot that is damaged or another segment's.
    pub fn segment_key(&self, volume: &Volume, header: &SegmentHeader) -> Result<SegmentKey> {
        let stream = StreamId {
            camera: header.camera.clone(),
            kind: header.stream,
        };
        let place = Place {
            day: header.key_slot.day.clone(),
            index: header.key_slot.index,
        };
        let what = || format!("opening the key of segment {}", header.segment);
        let bytes = slots::read(volume, &stream, &place).map_err(|e| e.attempted(what()))?;
        let wrapped = match slot::decode(&bytes).map_err(|e| e.attempted(what()))? {
            Slot::Whole(wrapped) => wrapped,
            Slot::Empty => {
                return Err(Error::new(Kind::NotFound, "the key was destroyed").attempted(what()));
            }
            Slot::Torn => return Err(Error::corrupt("its slot is damaged").attempted(what())),
        };
        if wrapped.segment != header.segment {
            let text = format!("its slot holds the key of segment {}", wrapped.segment);
            return Err(Error::corrupt(text).attempted(what()));
        }
        if let Some(opener) = &self.opener {
            return opener.open(&wrapped).map_err(|e| e.attempted(what()));
        }
        match &self.recovery {
            Some(identity) => wrapped.open(identity),
            None => Err(Error::new(Kind::Denied, "nothing at hand opens it").attempted(what())),
        }
    }
}
