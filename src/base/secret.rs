//! Secrets as types: zeroised when dropped, never printed.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

/// The key that seals one segment (AES-128, ISO/IEC 23001-7 `cenc`).
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SegmentKey([u8; 16]);

impl SegmentKey {
    /// From its 16 bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its 16 bytes, for the cipher alone.
    pub const fn expose(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for SegmentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SegmentKey(…)")
    }
}
