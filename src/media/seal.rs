//! Sealing and opening of samples: AES-128 in counter mode as Common Encryption's scheme `cenc` wants it
//! (ISO/IEC 23001-7, 9.2 and 9.4.1), the whole sample at once.
//!
//! What does not belong here: boxes, hashes over more than the samples.

use aes::Aes128;
use ctr::Ctr64BE;
use ctr::cipher::{InnerIvInit, KeyInit, StreamCipher, StreamCipherCoreWrapper};

use crate::base::secret::SegmentKey;

/// How much of a sample is worked on at a time: small enough to be still in the second-level cache for the
/// next hash, large enough for BLAKE3 to hash many of its blocks side by side. Measured on large samples:
/// 16 KiB costs a fifth more.
pub(crate) const CHUNK_BYTES: usize = 64 << 10;

/// A segment's cipher.
pub(crate) struct Cipher(Aes128);

impl Cipher {
    pub(crate) fn new(key: &SegmentKey) -> Self {
        Self(Aes128::new(key.expose().into()))
    }

    /// Seals or opens one sample; `chunk` sees each piece before and after.
    pub(crate) fn apply(
        &self,
        iv: u64,
        sample: &mut [u8],
        mut before: impl FnMut(&[u8]),
        mut after: impl FnMut(&[u8]),
    ) {
        // The counter block is the 8-byte IV, then the number of the block within the sample.
        let mut counter = [0; 16];
        counter[..8].copy_from_slice(&iv.to_be_bytes());
        let core =
            ctr::CtrCore::<&Aes128, ctr::flavors::Ctr64BE>::inner_iv_init(&self.0, &counter.into());
        let mut stream: Ctr64BE<&Aes128> = StreamCipherCoreWrapper::from_core(core);
        for chunk in sample.chunks_mut(CHUNK_BYTES) {
            before(chunk);
            stream.apply_keystream(chunk);
            after(chunk);
        }
    }
}
