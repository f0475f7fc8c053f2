//! The Merkle tree of Certificate Transparency (RFC 6962, 2.1) over leaf hashes: its root and paths.
//!
//! Leaves are hashes already, so a leaf node is the leaf hash itself; an inner node is SHA-256(0x01 ‖ left ‖ right).
//! Everything is computed anew each time: for trees of at most some ten thousand leaves.

use crate::base::hash::Digest;

/// Root over `leaves` in order; SHA-256 of nothing when there are none.
pub fn root(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => Digest::sha256(&[]),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node(&root(left), &root(right))
        }
    }
}

/// The inclusion path of the leaf at `index` (RFC 6962, 2.1.1), nearest sibling first; `None` when there
/// is no such leaf.
pub fn path(leaves: &[Digest], index: usize) -> Option<Vec<Digest>> {
    if index >= leaves.len() {
        return None;
    }
    let mut siblings = Vec::new();
    let (mut part, mut index) = (leaves, index);
    while part.len() > 1 {
        let k = split(part.len());
        let (left, right) = part.split_at(k);
        if index < k {
            siblings.push(root(right));
            part = left;
        } else {
            siblings.push(root(left));
            part = right;
            index -= k;
        }
    }
    siblings.reverse();
    Some(siblings)
}

/// True when `path` proves that `leaf` is the one at `index` of `count` under `root` (RFC 9162, 2.1.3.2).
pub fn verify(leaf: &Digest, index: usize, count: usize, path: &[Digest], root: &Digest) -> bool {
    root_from(leaf, index, count, path).as_ref() == Some(root)
}

/// The root to which `path` leads from the leaf at `index` of `count`; `None` when it does not fit that place.
pub fn root_from(leaf: &Digest, index: usize, count: usize, path: &[Digest]) -> Option<Digest> {
    if index >= count {
        return None;
    }
    let (mut at, mut last, mut hash) = (index, count - 1, *leaf);
    for sibling in path {
        if last == 0 {
            return None;
        }
        if at % 2 == 1 || at == last {
            hash = node(sibling, &hash);
            while at % 2 == 0 && at != 0 {
                at /= 2;
                last /= 2;
            }
        } else {
            hash = node(&hash, sibling);
        }
        at /= 2;
        last /= 2;
    }
    (last == 0).then_some(hash)
}

/// An inner node.
pub fn node(left: &Digest, right: &Digest) -> Digest {
    Digest::sha256(&[&[1], &left.0, &right.0])
}

/// The largest power of two smaller than `n`, which is at least 2.
fn split(n: usize) -> usize {
    1 << (n - 1).ilog2()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The test tree of Certificate Transparency's reference implementations: the leaf data and the root over
    /// all eight.
    #[test]
    fn the_root_is_that_of_certificate_transparency() {
        let data: [&[u8]; 8] = [
            b"",
            b"\x00",
            b"\x10",
            b"\x20\x21",
            b"\x30\x31",
            b"\x40\x41\x42\x43",
            b"\x50\x51\x52\x53\x54\x55\x56\x57",
            b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
        ];
        let leaves: Vec<_> = data.iter().map(|d| Digest::sha256(&[&[0], d])).collect();
        assert_eq!(
            root(&leaves).to_string(),
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
        );
        assert_eq!(
            root(&[]).to_string(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }

    proptest! {
        #[test]
        fn paths_verify_and_nothing_else_does(count in 1usize..70, pick in 0usize..70) {
            let leaves: Vec<_> = (0..count).map(|i| Digest::sha256(&[&i.to_be_bytes()])).collect();
            let (index, top) = (pick % count, root(&leaves));
            let path = path(&leaves, index).expect("in range");
            prop_assert!(verify(&leaves[index], index, count, &path, &top));
            prop_assert!(!verify(&Digest::ZERO, index, count, &path, &top));
            for other in (0..count).filter(|i| *i != index) {
                prop_assert!(!verify(&leaves[index], other, count, &path, &top));
            }
            prop_assert!(count == 1 || !verify(&leaves[index], index, count, &path[1..], &top));
        }
    }
}
