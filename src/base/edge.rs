//! The Merkle tree of `merkle` while it grows: only its right edge, so that a million leaves take a few hundred bytes.

use crate::base::error::{Error, Result};
use crate::base::hash::Digest;
use crate::base::merkle;

/// The right edge of a growing tree: the roots of its whole subtrees, largest first.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Edge {
    count: u64,
    roots: Vec<Digest>,
}

impl Edge {
    /// Adds a leaf behind all others.
    pub fn push(&mut self, leaf: Digest) {
        let mut root = leaf;
        // As a carry runs through a binary number.
        let mut rest = self.count;
        while rest & 1 == 1 {
            if let Some(left) = self.roots.pop() {
                root = merkle::node(&left, &root);
            }
            rest >>= 1;
        }
        self.roots.push(root);
        self.count += 1;
    }

    /// The root over all leaves so far: the same as [`merkle::root`].
    pub fn root(&self) -> Digest {
        let mut roots = self.roots.iter().rev();
        let Some(last) = roots.next() else {
            return merkle::root(&[]);
        };
        roots.fold(*last, |right, left| merkle::node(left, &right))
    }

    /// As bytes: the count in 64 bits, big-endian, then the roots.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.count.to_be_bytes().to_vec();
        bytes.extend(self.roots.iter().flat_map(|root| root.0));
        bytes
    }

    /// From [`Edge::to_bytes`].
    ///
    /// # Errors
    /// [`crate::base::Kind::Corrupt`] for other bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let bad = || Error::corrupt("the edge of a tree has another length than its count says");
        let (count, rest) = bytes.split_first_chunk::<8>().ok_or_else(bad)?;
        let count = u64::from_be_bytes(*count);
        let (roots, odd) = rest.as_chunks::<32>();
        if !odd.is_empty() || roots.len() != count.count_ones() as usize {
            return Err(bad());
        }
        let roots = roots.iter().map(|root| Digest(*root)).collect();
        Ok(Self { count, roots })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_has_the_root_of_the_whole_tree_and_survives_as_bytes() {
        let (mut edge, mut leaves) = (Edge::default(), Vec::new());
        for n in 0_u32..70 {
            assert_eq!(edge.root(), merkle::root(&leaves), "{n} leaves");
            edge = Edge::from_bytes(&edge.to_bytes()).expect("its own bytes");
            let leaf = Digest::sha256(&[&n.to_be_bytes()]);
            edge.push(leaf);
            leaves.push(leaf);
        }
        let bytes = edge.to_bytes();
        assert!(Edge::from_bytes(&bytes[..bytes.len() - 1]).is_err());
        assert!(Edge::from_bytes(&bytes[..40]).is_err());
        assert!(Edge::from_bytes(&[]).is_err());
    }
}
