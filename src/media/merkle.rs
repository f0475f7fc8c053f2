//! The Merkle tree over a segment's leaf hashes (`base::merkle`), and `content_root`.
//!
//! `content_root` = SHA-256(0x02 ‖ root ‖ count ‖ `content_root` of the stream's previous segment, or zeros), the count
//! in 32 bits, big-endian. A tree has at most a few thousand leaves.

use crate::base::hash::Digest;

pub use crate::base::merkle::{node, path, root, verify};

/// What ties the leaves, their number and what came before together.
pub fn content_root(leaves: &[Digest], previous: &Digest) -> Digest {
    content_root_of(
        &root(leaves),
        u32::try_from(leaves.len()).unwrap_or(u32::MAX),
        previous,
    )
}

/// The same from a root that is known already.
pub fn content_root_of(root: &Digest, count: u32, previous: &Digest) -> Digest {
    Digest::sha256(&[&[2], &root.0, &count.to_be_bytes(), &previous.0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_root_depends_on_count_and_predecessor() {
        let leaves = [Digest([1; 32]), Digest([2; 32])];
        let one = content_root(&leaves, &Digest::ZERO);
        assert_ne!(one, content_root(&leaves, &Digest([1; 32])));
        assert_ne!(one, content_root(&[root(&leaves)], &Digest::ZERO));
    }
}
