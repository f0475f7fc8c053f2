//! The ledger as the catalog keeps it: epochs with their checkpoints, what readers ask, what is checked.

use std::cell::Cell;

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::{Value, json};

use crate::base::error::{Context, Error, Kind, Result};
use crate::base::hash::Digest;
use crate::base::id::BoxId;
use crate::base::time::Wall;
use crate::catalog::column::{Columns, int};
use crate::catalog::entry::{ENTRY, read_entry};
use crate::catalog::event::{self, Event};
use crate::catalog::reader::Reader;
use crate::catalog::tile::TreeOf;
use crate::ledger::audit::{Log, Record};
use crate::ledger::checkpoint::{Checkpoint, Key, Signer};
use crate::ledger::several;
use crate::ledger::tree::{self, TILE_WIDTH, Tiles};

/// A log since a lawful restore, or since the beginning.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EpochRow {
    /// 1, and one more after each restore.
    pub number: u32,
    /// Number of its first entry.
    pub first_seq: u64,
    /// When it began.
    pub started: Wall,
    /// Entries under the checkpoint.
    pub size: u64,
    /// Root over them.
    pub root: Option<Digest>,
    /// The signed checkpoint.
    pub note: Option<String>,
}

const EPOCH: &str = "select number, first_seq, started_us, size, root, note from epoch";

fn read_epoch(row: &Row<'_>) -> rusqlite::Result<EpochRow> {
    let mut columns = Columns::of(row);
    Ok(EpochRow {
        number: columns.get()?,
        first_seq: columns.count()?,
        started: columns.get()?,
        size: columns.count()?,
        root: columns.get()?,
        // What is no text any more is no checkpoint either, and is told of as such.
        note: columns
            .bytes()?
            .map(|note| String::from_utf8_lossy(&note).into_owned()),
    })
}

impl EpochRow {
    fn tree<'a>(&self, db: &'a Connection) -> TreeOf<'a> {
        TreeOf {
            db,
            epoch: self.number,
            first_seq: self.first_seq,
        }
    }
}

/// The epoch that entries go into.
pub(super) fn current(db: &Connection) -> Result<EpochRow> {
    db.prepare_cached(&format!("{EPOCH} order by number desc limit 1"))?
        .query_row([], read_epoch)
        .optional()?
        .ok_or_else(|| Error::corrupt("the catalog has no epoch of the ledger"))
}

/// Begins the first epoch.
pub(super) fn begin(db: &Connection, at: Wall) -> Result<()> {
    db.execute(
        "insert into epoch (number, first_seq, started_us) values (1, 1, ?)",
        params![at],
    )?;
    Ok(())
}

/// Ends the current epoch where it stands and begins the next one, whose first entry says so.
pub(super) fn begin_next(
    db: &Connection,
    at: Wall,
    number: Option<u32>,
    cause: &Value,
    statement: &str,
) -> Result<()> {
    let old = current(db)?;
    let size = size(db, &old)?;
    // What cannot be computed any more is left out: that is why a new epoch begins.
    let root = tree::root(&old.tree(db), size).ok().map(|r| r.to_string());
    let first: i64 = db.query_row("select coalesce(max(seq), 0) + 1 from entry", [], |row| {
        row.get(0)
    })?;
    db.execute(
        "insert into epoch (number, first_seq, started_us) values (?, ?, ?)",
        params![
            number.unwrap_or(old.number + 1),
            first.max(int(old.first_seq) + 1),
            at
        ],
    )?;
    let event = Event {
        detail: Some(json!({ "statement": statement })),
        ..Event::of_box(
            at,
            "epoch-begun",
            "ledger",
            json!({
                "previous": { "epoch": old.number, "size": size, "root": root },
                "cause": cause,
            }),
        )
    };
    event::write(db, &event).map(drop)
}

/// Entries in an epoch.
pub(super) fn size(db: &Connection, epoch: &EpochRow) -> Result<u64> {
    let last = db
        .prepare_cached("select max(seq) from entry where epoch = ?")?
        .query_row(params![epoch.number], |row| row.get::<_, Option<i64>>(0))?;
    Ok(last.map_or(0, |last| {
        (last.unsigned_abs() + 1).saturating_sub(epoch.first_seq)
    }))
}

/// Signs what is there and was not signed yet; true when something was. In the caller's transaction.
///
/// # Errors
/// `Corrupt` when the entries are fewer than were signed once: nothing is signed then.
pub(super) fn sign(db: &Connection, box_id: BoxId, signer: &Signer) -> Result<bool> {
    let epoch = current(db)?;
    let size = size(db, &epoch)?;
    if size < epoch.size {
        return Err(Error::corrupt(format!(
            "the last checkpoint is over {} entries and there are {size}",
            epoch.size
        )));
    }
    if size == epoch.size {
        return Ok(false);
    }
    let tree = epoch.tree(db);
    tree.keep(size)?;
    let root = tree::root(&tree, size)?;
    let note = signer.sign(&Checkpoint {
        box_id,
        epoch: epoch.number,
        size,
        root,
    })?;
    db.prepare_cached("update epoch set size = ?, root = ?, note = ? where number = ?")?
        .execute(params![int(size), root, note, epoch.number])?;
    Ok(true)
}

/// Says that the tree still begins with what was signed last.
///
/// # Errors
/// `Corrupt` when it does not, `Denied` when the checkpoint is not signed by this key.
pub(super) fn agrees(db: &Connection, key: Key) -> Result<()> {
    let epoch = current(db)?;
    let Some(note) = &epoch.note else {
        return Ok(());
    };
    let checkpoint = Checkpoint::open(note, key)?;
    let size = size(db, &epoch)?;
    if size < checkpoint.size {
        return Err(Error::corrupt(format!(
            "the last checkpoint is over {} entries and there are {size}",
            checkpoint.size
        )));
    }
    if tree::root(&epoch.tree(db), checkpoint.size)? == checkpoint.root {
        return Ok(());
    }
    Err(Error::corrupt(format!(
        "the first {} entries are not those that the last checkpoint was signed over",
        checkpoint.size
    )))
}

impl Reader {
    /// The epochs, oldest first.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn epochs(&self) -> Result<Vec<EpochRow>> {
        let mut statement = self
            .db
            .prepare_cached(&format!("{EPOCH} order by number"))?;
        Ok(statement
            .query_map([], read_epoch)?
            .collect::<rusqlite::Result<_>>()?)
    }

    /// The epoch that entries go into.
    ///
    /// # Errors
    /// `Corrupt` when there is none; what SQLite says.
    pub fn epoch(&self) -> Result<EpochRow> {
        current(&self.db)
    }

    /// Proof that the entry `seq` is under its epoch's checkpoint: the epoch and the path.
    ///
    /// # Errors
    /// `NotFound` when there is no such entry, or no checkpoint over it yet.
    pub fn inclusion(&self, seq: u64) -> Result<(EpochRow, Vec<Digest>)> {
        let epoch = self
            .epochs()?
            .into_iter()
            .rfind(|epoch| epoch.first_seq <= seq)
            .filter(|epoch| seq - epoch.first_seq < epoch.size)
            .ok_or_else(|| {
                Error::new(
                    Kind::NotFound,
                    format!("no checkpoint is over entry {seq} yet"),
                )
            })?;
        let path = tree::inclusion(&epoch.tree(&self.db), epoch.size, seq - epoch.first_seq)
            .context(|| format!("proving entry {seq}"))?;
        Ok((epoch, path))
    }

    /// One proof that the entries at `indexes` of an epoch, which rise, are under its checkpoint (`src/ledger/several.rs`).
    ///
    /// # Errors
    /// `Corrupt` when there are no such entries.
    pub fn inclusion_of_several(&self, epoch: &EpochRow, indexes: &[u64]) -> Result<Vec<Digest>> {
        several::prove(&epoch.tree(&self.db), epoch.size, indexes)
            .context(|| format!("proving {} entries", indexes.len()))
    }

    /// Proof that the log goes on from `old`: a path that may be empty, or why it does not.
    ///
    /// # Errors
    /// `NotFound` for another box or an epoch that is not known; `Corrupt` when the log has another history, or has
    /// fewer entries than `old` was signed over.
    pub fn consistency(&self, box_id: BoxId, old: &Checkpoint) -> Result<(EpochRow, Vec<Digest>)> {
        let unknown = |text: String| Err(Error::new(Kind::NotFound, text));
        if old.box_id != box_id {
            return unknown(format!("it is of box {}, this is box {box_id}", old.box_id));
        }
        let epochs = self.epochs()?;
        let Some(epoch) = epochs.into_iter().find(|epoch| epoch.number == old.epoch) else {
            return unknown(format!("this ledger has no epoch {}", old.epoch));
        };
        if old.size > epoch.size {
            return Err(Error::corrupt(format!(
                "rolled back: it was signed over {} entries and the ledger has {}",
                old.size, epoch.size
            )));
        }
        let tree = epoch.tree(&self.db);
        if old.size > 0 && tree::root(&tree, old.size)? != old.root {
            return Err(Error::corrupt(format!(
                "forked: the first {} entries of the ledger are others than it was signed over",
                old.size
            )));
        }
        let path = match old.size {
            0 => Vec::new(),
            old => tree::consistency(&tree, epoch.size, old)?,
        };
        Ok((epoch, path))
    }

    /// A tile of an epoch.
    ///
    /// # Errors
    /// When the tree has no such tile.
    pub fn tile(&self, epoch: &EpochRow, level: u8, number: u64, width: u64) -> Result<Vec<u8>> {
        epoch.tree(&self.db).tile(level, number, width)
    }

    /// An epoch's log, to be checked.
    pub fn log<'a>(&'a self, epoch: &EpochRow) -> CatalogLog<'a> {
        CatalogLog {
            reader: self,
            epoch: epoch.clone(),
            cursor: Cell::new(0),
        }
    }
}

/// One epoch in the catalog, read from its first entry to its last.
pub struct CatalogLog<'a> {
    reader: &'a Reader,
    epoch: EpochRow,
    /// The number that was read last; what is missing must not shift what follows.
    cursor: Cell<u64>,
}

impl Log for CatalogLog<'_> {
    fn first_seq(&self) -> u64 {
        self.epoch.first_seq
    }

    fn note(&self) -> Option<String> {
        self.epoch.note.clone()
    }

    fn records(&self, index: u64, count: u64) -> Result<Vec<std::result::Result<Record, String>>> {
        if index == 0 {
            self.cursor.set(0);
        }
        let mut statement = self.reader.db.prepare_cached(&format!(
            "{ENTRY} where epoch = ? and entry.seq > ? order by entry.seq limit ?"
        ))?;
        let mut rows = statement.query(params![
            self.epoch.number,
            int(self.cursor.get()),
            int(count)
        ])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            self.cursor
                .set(row.get::<_, i64>(0).unwrap_or_default().unsigned_abs());
            found.push(
                read_entry(row)
                    .and_then(|row| {
                        Ok(Record {
                            seq: row.entry.seq,
                            line: row.entry.line()?,
                            leaf: Some(row.leaf),
                        })
                    })
                    .map_err(|e| e.to_string()),
            );
        }
        Ok(found)
    }

    fn kept_tile(&self, level: u8, number: u64, width: u64) -> Result<Option<Vec<u8>>> {
        if width < TILE_WIDTH {
            return Ok(None);
        }
        self.epoch.tree(&self.reader.db).kept(level, number)
    }

    fn kept_root(&self, level: u8, number: u64) -> Result<Option<Digest>> {
        self.epoch.tree(&self.reader.db).kept_root(level, number)
    }

    fn keeps_partial(&self) -> bool {
        false
    }
}
