//! One proof that several entries are under a root (RFC 6962, 2.1): the hashes of the largest whole subtrees that have none of them,
//! from left to right. Far smaller than a path for each, since what paths share is there once.

use crate::base::error::{Error, Result};
use crate::base::hash::Digest;
use crate::base::merkle;
use crate::ledger::tree::{Tiles, subtree};

/// The proof of the leaves at `indexes`, which rise, in the tree of `size` leaves.
///
/// # Errors
/// `Corrupt` when they do not rise or are beyond the tree; what the tiles say.
pub fn prove(tiles: &impl Tiles, size: u64, indexes: &[u64]) -> Result<Vec<Digest>> {
    check_indexes(size, indexes)?;
    let mut hashes = Vec::new();
    if size > 0 {
        let mut take = |level, number| {
            hashes.push(subtree(tiles, size, level, number)?);
            Ok(())
        };
        walk(0, size, indexes, &mut take)?;
    }
    Ok(hashes)
}

fn walk(
    from: u64,
    size: u64,
    indexes: &[u64],
    take: &mut dyn FnMut(u8, u64) -> Result<()>,
) -> Result<()> {
    if indexes.is_empty() && size.is_power_of_two() {
        let level = u8::try_from(size.trailing_zeros()).unwrap_or(u8::MAX);
        return take(level, from / size);
    }
    if size == 1 {
        return Ok(());
    }
    let left = left_of(size);
    let (before, behind) = indexes.split_at(indexes.partition_point(|i| *i < from + left));
    walk(from, left, before, take)?;
    walk(from + left, size - left, behind, take)
}

/// Leaves of the left half: the largest power of two that is smaller.
fn left_of(size: u64) -> u64 {
    size.next_power_of_two() >> 1
}

/// Says that the tree of `size` under `root` has each leaf at its index.
///
/// # Errors
/// `Corrupt` when the proof does not say so.
pub fn check(hashes: &[Digest], size: u64, root: &Digest, leaves: &[(u64, Digest)]) -> Result<()> {
    let indexes: Vec<u64> = leaves.iter().map(|(index, _)| *index).collect();
    check_indexes(size, &indexes)?;
    let bad = || Error::corrupt("the entries are not under this checkpoint");
    if size == 0 {
        return Err(bad());
    }
    let mut rest = hashes.iter();
    let computed = compute(0, size, leaves, &mut rest).ok_or_else(bad)?;
    if computed == *root && rest.next().is_none() {
        Ok(())
    } else {
        Err(bad())
    }
}

fn compute(
    from: u64,
    size: u64,
    leaves: &[(u64, Digest)],
    rest: &mut std::slice::Iter<'_, Digest>,
) -> Option<Digest> {
    if leaves.is_empty() && size.is_power_of_two() {
        return rest.next().copied();
    }
    if size == 1 {
        return leaves.first().map(|(_, leaf)| *leaf);
    }
    let left = left_of(size);
    let (before, behind) = leaves.split_at(leaves.partition_point(|(i, _)| *i < from + left));
    let one = compute(from, left, before, rest)?;
    let other = compute(from + left, size - left, behind, rest)?;
    Some(merkle::node(&one, &other))
}

fn check_indexes(size: u64, indexes: &[u64]) -> Result<()> {
    let rise = indexes.windows(2).all(|pair| pair[0] < pair[1]);
    if rise && indexes.last().is_none_or(|last| *last < size) {
        Ok(())
    } else {
        Err(Error::corrupt("entries out of order, or beyond the tree"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ledger::tree::{Leaves, root};

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn any_leaves_of_any_tree_are_proven_and_no_others(
            size in 1_usize..900,
            some in prop::collection::btree_set(any::<prop::sample::Index>().prop_map(|i| i.index(1 << 20)), 0..40),
            flip: prop::sample::Index,
        ) {
            let all: Vec<_> = (0..size).map(|i| Digest::sha256(&[&i.to_be_bytes()])).collect();
            let tiles = Leaves(&all);
            let indexes: std::collections::BTreeSet<_> = some.iter().map(|i| (i % size) as u64).collect();
            let indexes: Vec<u64> = indexes.into_iter().collect();
            let top = root(&tiles, size as u64).expect("root");
            let proof = prove(&tiles, size as u64, &indexes).expect("proof");
            let leaves: Vec<_> = indexes.iter().map(|i| (*i, all[usize::try_from(*i).expect("small")])).collect();
            prop_assert!(check(&proof, size as u64, &top, &leaves).is_ok());
            prop_assert!(check(&proof, size as u64, &Digest::ZERO, &leaves).is_err());
            if !leaves.is_empty() {
                let mut other = leaves.clone();
                other[flip.index(leaves.len())].1 = Digest::ZERO;
                prop_assert!(check(&proof, size as u64, &top, &other).is_err());
                prop_assert!(check(&proof, size as u64, &top, &leaves[1..]).is_err());
            }
            let mut longer = proof.clone();
            longer.push(Digest::ZERO);
            prop_assert!(check(&longer, size as u64, &top, &leaves).is_err());
        }
    }

    #[test]
    fn impossible_questions_are_errors() {
        let all = [Digest::ZERO; 3];
        assert!(prove(&Leaves(&all), 3, &[2, 1]).is_err());
        assert!(prove(&Leaves(&all), 3, &[3]).is_err());
        assert!(check(&[], 0, &Digest::ZERO, &[]).is_err());
    }
}
