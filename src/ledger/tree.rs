//! The tree over all entries (RFC 6962, 2.1): roots and proofs, computed from tiles (C2SP tlog-tiles).

use std::cell::RefCell;
use std::collections::HashMap;

use tlog_tiles::tile::Tile;
use tlog_tiles::tlog::{self, Hash, HashReader};

use crate::base::error::{Error, Kind, Result};
use crate::base::hash::Digest;

/// Levels of the tree in one tile.
pub const TILE_HEIGHT: u8 = 8;
/// Hashes of a full tile.
pub const TILE_WIDTH: u64 = 1 << TILE_HEIGHT;
/// Levels of tiles that 2⁵⁶ entries have: more than there will ever be.
pub const LEVELS_MAX: u8 = 7;

/// Where tiles come from.
pub trait Tiles {
    /// The first `width` hashes, 32 bytes each, of the tile with this number on this level of tiles.
    ///
    /// # Errors
    /// When there is no such tile, or it cannot be read.
    fn tile(&self, level: u8, number: u64, width: u64) -> Result<Vec<u8>>;
}

/// How many hashes the tile `number` of `level` has in a tree of `size` leaves: 0 to 256.
pub fn width(size: u64, level: u8, number: u64) -> u64 {
    let on_level = size.checked_shr(u32::from(TILE_HEIGHT) * u32::from(level));
    on_level
        .unwrap_or(0)
        .saturating_sub(number.saturating_mul(TILE_WIDTH))
        .min(TILE_WIDTH)
}

/// Root over the 32-byte hashes in `hashes`, whose number is a power of two: what the tile above says of a full tile.
pub fn tile_root(hashes: &[u8]) -> Result<Digest> {
    let count = hashes.len() / 32;
    if !hashes.len().is_multiple_of(32) || !count.is_power_of_two() {
        return Err(Error::corrupt("a tile has an odd length"));
    }
    Ok(Digest(Tile::subtree_hash(hashes).0))
}

/// The root over the first `size` leaves.
///
/// # Errors
/// What the tiles say.
pub fn root(tiles: &impl Tiles, size: u64) -> Result<Digest> {
    let hash = tlog::tree_hash(size, &Hashes::new(tiles, size)).map_err(failed)?;
    Ok(Digest(hash.0))
}

/// The root over the leaves of a whole subtree: `2^level` of them, from `number · 2^level` on, in a tree of `size` leaves.
///
/// # Errors
/// `Corrupt` when the tree has no such subtree; what the tiles say.
pub fn subtree(tiles: &impl Tiles, size: u64, level: u8, number: u64) -> Result<Digest> {
    let index = tlog::stored_hash_index(level, number);
    Ok(Digest(Hashes::new(tiles, size).hash(index)?.0))
}

/// The inclusion proof of the leaf `index` in the tree of `size` leaves (RFC 6962, 2.1.1), nearest sibling first.
///
/// # Errors
/// `NotFound` when there is no such leaf; what the tiles say.
pub fn inclusion(tiles: &impl Tiles, size: u64, index: u64) -> Result<Vec<Digest>> {
    if index >= size {
        return Err(Error::new(
            Kind::NotFound,
            format!("there is no leaf {index} in a tree of {size}"),
        ));
    }
    let proof = tlog::prove_record(size, index, &Hashes::new(tiles, size)).map_err(failed)?;
    Ok(proof.iter().map(|hash| Digest(hash.0)).collect())
}

/// The proof that the tree of `size` leaves begins with the one of `old` leaves (RFC 6962, 2.1.2).
///
/// # Errors
/// `Invalid` when `old` is 0 or larger than `size`; what the tiles say.
pub fn consistency(tiles: &impl Tiles, size: u64, old: u64) -> Result<Vec<Digest>> {
    if old == 0 || old > size {
        return Err(Error::invalid(format!(
            "no tree of {size} leaves begins with one of {old}"
        )));
    }
    let proof = tlog::prove_tree(size, old, &Hashes::new(tiles, size)).map_err(failed)?;
    Ok(proof.iter().map(|hash| Digest(hash.0)).collect())
}

/// Says that `leaf` is the one at `index` of `size` under `root`.
///
/// # Errors
/// `Corrupt` when the proof does not say so.
pub fn check_inclusion(
    proof: &[Digest],
    size: u64,
    root: &Digest,
    index: u64,
    leaf: &Digest,
) -> Result<()> {
    let proof: Vec<_> = proof.iter().map(|d| Hash(d.0)).collect();
    tlog::check_record(&proof, size, Hash(root.0), index, Hash(leaf.0))
        .map_err(|_| Error::corrupt(format!("entry {index} is not under this root of {size}")))
}

/// Says that the tree of `size` under `root` begins with the one of `old` under `old_root`.
///
/// # Errors
/// `Corrupt` when the proof does not say so.
pub fn check_consistency(
    proof: &[Digest],
    size: u64,
    root: &Digest,
    old: u64,
    old_root: &Digest,
) -> Result<()> {
    let proof: Vec<_> = proof.iter().map(|d| Hash(d.0)).collect();
    tlog::check_tree(&proof, size, Hash(root.0), old, Hash(old_root.0)).map_err(|_| {
        Error::corrupt(format!(
            "the tree of {size} does not begin with this one of {old}"
        ))
    })
}

fn failed(error: tlog::Error) -> Error {
    match error {
        tlog::Error::InvalidInput(text) => Error::corrupt(text),
        other => Error::corrupt(format!("computing over the tree: {other}")),
    }
}

/// Tiles as the library wants to read them; each is asked for once.
struct Hashes<'a, T> {
    tiles: &'a T,
    size: u64,
    seen: RefCell<HashMap<(u8, u64), Vec<u8>>>,
}

impl<'a, T: Tiles> Hashes<'a, T> {
    fn new(tiles: &'a T, size: u64) -> Self {
        Self {
            tiles,
            size,
            seen: RefCell::default(),
        }
    }

    fn hash(&self, index: u64) -> Result<Hash> {
        let least = Tile::from_index(TILE_HEIGHT, index);
        let (level, number) = (least.level(), least.level_index());
        let width = width(self.size, level, number);
        let mut seen = self.seen.borrow_mut();
        let data = match seen.entry((level, number)) {
            std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::hash_map::Entry::Vacant(unknown) => {
                unknown.insert(self.tiles.tile(level, number, width)?)
            }
        };
        let whole = u32::try_from(width)
            .ok()
            .filter(|width| *width >= least.width() && data.len() >= 32 * *width as usize)
            .ok_or_else(|| Error::corrupt(format!("tile {level}/{number} is too short")))?;
        Tile::new(TILE_HEIGHT, level, number, whole, false)
            .hash_at_index(data, index)
            .map_err(failed)
    }
}

impl<T: Tiles> HashReader for Hashes<'_, T> {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog::Error> {
        indexes
            .iter()
            .map(|index| self.hash(*index))
            .collect::<Result<_>>()
            .map_err(|e| tlog::Error::InvalidInput(e.to_string()))
    }
}

/// Tiles over leaves in memory, for small trees and tests.
pub struct Leaves<'a>(pub &'a [Digest]);

impl Tiles for Leaves<'_> {
    fn tile(&self, level: u8, number: u64, width: u64) -> Result<Vec<u8>> {
        let mut hashes = Vec::new();
        let each = 1_usize << (u32::from(TILE_HEIGHT) * u32::from(level)).min(48);
        for nth in 0..width {
            let from = usize::try_from(number * TILE_WIDTH + nth)
                .ok()
                .and_then(|n| n.checked_mul(each));
            let leaves = from
                .and_then(|from| self.0.get(from..from.checked_add(each)?))
                .ok_or_else(|| Error::corrupt("a tile beyond the tree"))?;
            hashes.extend(crate::base::merkle::root(leaves).0);
        }
        Ok(hashes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::base::merkle;

    fn leaves(count: usize) -> Vec<Digest> {
        (0..count)
            .map(|i| Digest::sha256(&[&i.to_be_bytes()]))
            .collect()
    }

    #[test]
    fn widths_are_what_a_tree_has() {
        assert_eq!(width(0, 0, 0), 0);
        assert_eq!(width(255, 0, 0), 255);
        assert_eq!(width(256, 0, 0), 256);
        assert_eq!(width(257, 0, 1), 1);
        assert_eq!(width(257, 1, 0), 1);
        assert_eq!(width(70_000, 1, 1), 17);
        assert_eq!(width(70_000, 2, 0), 1);
        assert_eq!(width(u64::MAX, 8, 0), 0);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn proofs_of_any_tree_verify_and_others_do_not(size in 1_usize..1500, a: prop::sample::Index, b: prop::sample::Index) {
            let all = leaves(size);
            let tiles = Leaves(&all);
            let (size, index, old) = (size as u64, a.index(size) as u64, b.index(size) as u64 + 1);
            let top = root(&tiles, size).expect("root");
            prop_assert_eq!(top, merkle::root(&all));
            let proof = inclusion(&tiles, size, index).expect("proof");
            prop_assert_eq!(&proof, &merkle::path(&all, a.index(all.len())).expect("path"));
            let leaf = all[a.index(all.len())];
            prop_assert!(check_inclusion(&proof, size, &top, index, &leaf).is_ok());
            prop_assert!(check_inclusion(&proof, size, &top, index, &Digest::ZERO).is_err());
            prop_assert!(check_inclusion(&proof, size, &Digest::ZERO, index, &leaf).is_err());
            let old_root = root(&tiles, old).expect("root");
            let proof = consistency(&tiles, size, old).expect("proof");
            prop_assert!(check_consistency(&proof, size, &top, old, &old_root).is_ok());
            prop_assert!(check_consistency(&proof, size, &top, old, &Digest::ZERO).is_err());
        }
    }

    #[test]
    fn impossible_questions_are_errors() {
        let all = leaves(3);
        let tiles = Leaves(&all);
        assert!(inclusion(&tiles, 3, 3).is_err());
        assert!(consistency(&tiles, 3, 0).is_err());
        assert!(consistency(&tiles, 3, 4).is_err());
        assert!(root(&tiles, 4).is_err());
        assert!(check_inclusion(&[], 3, &Digest::ZERO, 7, &Digest::ZERO).is_err());
    }
}
