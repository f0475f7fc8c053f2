//! Tiles of the ledger's tree: full ones are kept, what is filling is computed from the entries.

use rusqlite::{Connection, params};

use crate::base::error::{Error, Result};
use crate::base::hash::Digest;
use crate::catalog::column::int;
use crate::ledger::tree::{LEVELS_MAX, TILE_HEIGHT, TILE_WIDTH, Tiles, tile_root};

/// The tree of one epoch.
pub(super) struct TreeOf<'a> {
    pub db: &'a Connection,
    pub epoch: u32,
    pub first_seq: u64,
}

impl TreeOf<'_> {
    /// Leaf hashes of entries `from` (from 0) on, at most `count`.
    fn leaves(&self, from: u64, count: u64) -> Result<Vec<u8>> {
        let mut statement = self.db.prepare_cached(
            "select leaf from entry where epoch = ?1 and seq >= ?2 and seq < ?2 + ?3 order by seq",
        )?;
        let rows = statement.query_map(
            params![self.epoch, int(self.first_seq + from), int(count)],
            |row| row.get::<_, [u8; 32]>(0),
        )?;
        joined(rows)
    }

    /// Roots of full tiles on `level`, from `number` on, at most `count`.
    fn roots(&self, level: u8, number: u64, count: u64) -> Result<Vec<u8>> {
        let mut statement = self.db.prepare_cached(
            "select root from tile where epoch = ?1 and level = ?2 and number >= ?3 and number < ?3 + ?4
             order by number",
        )?;
        let rows = statement
            .query_map(params![self.epoch, level, int(number), int(count)], |row| {
                row.get::<_, [u8; 32]>(0)
            })?;
        joined(rows)
    }

    /// A full tile as it is kept.
    pub(super) fn kept(&self, level: u8, number: u64) -> Result<Option<Vec<u8>>> {
        let mut statement = self.db.prepare_cached(
            "select hashes from tile where epoch = ? and level = ? and number = ?",
        )?;
        let mut rows = statement.query(params![self.epoch, level, int(number)])?;
        Ok(rows.next()?.map(|row| row.get(0)).transpose()?)
    }

    /// The root that is kept of a full tile.
    pub(super) fn kept_root(&self, level: u8, number: u64) -> Result<Option<Digest>> {
        let mut statement = self
            .db
            .prepare_cached("select root from tile where epoch = ? and level = ? and number = ?")?;
        let mut rows = statement.query(params![self.epoch, level, int(number)])?;
        Ok(rows.next()?.map(|row| row.get(0)).transpose()?)
    }

    /// Keeps every tile that is full in a tree of `size` entries and is not kept yet.
    pub(super) fn keep(&self, size: u64) -> Result<()> {
        for level in 0..LEVELS_MAX {
            let full = size >> (u32::from(TILE_HEIGHT) * (u32::from(level) + 1));
            let have: u64 = self
                .db
                .prepare_cached(
                    "select coalesce(max(number) + 1, 0) from tile where epoch = ? and level = ?",
                )?
                .query_row(params![self.epoch, level], |row| row.get::<_, i64>(0))?
                .unsigned_abs();
            for number in have..full {
                let hashes = self.tile(level, number, TILE_WIDTH)?;
                self.db
                    .prepare_cached(
                        "insert into tile (epoch, level, number, root, hashes) values (?, ?, ?, ?, ?)",
                    )?
                    .execute(params![
                        self.epoch,
                        level,
                        int(number),
                        tile_root(&hashes)?,
                        hashes
                    ])?;
            }
        }
        Ok(())
    }
}

impl Tiles for TreeOf<'_> {
    fn tile(&self, level: u8, number: u64, width: u64) -> Result<Vec<u8>> {
        if width == TILE_WIDTH
            && let Some(kept) = self.kept(level, number)?
        {
            return Ok(kept);
        }
        let from = number * TILE_WIDTH;
        let hashes = match level {
            0 => self.leaves(from, width)?,
            _ => self.roots(level - 1, from, width)?,
        };
        if hashes.len() as u64 != 32 * width {
            return Err(Error::corrupt(format!(
                "the ledger's tile {level}/{number} has {} hashes where {width} should be",
                hashes.len() / 32
            )));
        }
        Ok(hashes)
    }
}

fn joined(rows: impl Iterator<Item = rusqlite::Result<[u8; 32]>>) -> Result<Vec<u8>> {
    let mut all = Vec::new();
    for hash in rows {
        all.extend(hash?);
    }
    Ok(all)
}
