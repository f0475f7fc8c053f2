//! Whoever can open a wrapped segment key: a session's vault, or identities at hand.

use crate::base::Result;
use crate::base::secret::SegmentKey;
use crate::vault::slot::WrappedKey;

/// Opens wrapped segment keys.
pub trait Opener: Send + Sync {
    /// The key.
    ///
    /// # Errors
    /// [`crate::base::Kind::Denied`] when nothing here opens it, or what did is locked by now.
    fn open(&self, key: &WrappedKey) -> Result<SegmentKey>;
}
