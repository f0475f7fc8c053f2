//! A ledger that is taken into a new catalog: from an old catalog, row by row, or from files when that is lost.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior, params};

use crate::base::error::{Context, Error, Kind, Result};
use crate::base::hash::Digest;
use crate::base::id::BoxId;
use crate::base::time::Wall;
use crate::catalog::column::int;
use crate::catalog::connection;
use crate::catalog::disclosure::Serial;
use crate::catalog::disclosure_change::{self, REQUESTED, RESTORED, SKIPPED};
use crate::catalog::intent;
use crate::catalog::ledger::EpochRow;
use crate::catalog::tile::TreeOf;
use crate::ledger::canonical;
use crate::ledger::detail::Class;
use crate::ledger::entry::{self, Entry};

/// What is copied from an old catalog as it is: the ledger, and the register of disclosures. Seals are taken over as of another catalog: segments get other numbers.
const COPY: &str = "
    delete from epoch;
    insert into epoch select * from old.epoch;
    insert into entry select * from old.entry;
    insert into detail select * from old.detail;
    insert into tile select * from old.tile;
    insert into intent select * from old.intent;
    insert into tally select * from old.tally;
    insert into seal select seq, 0, start_us, end_us, segments, leaves from old.seal;
    insert into disclosure select * from old.disclosure;
    insert into disclosure_serial select * from old.disclosure_serial;
    insert into disclosure_camera select * from old.disclosure_camera;
    insert into disclosure_step select * from old.disclosure_step;
    insert into disclosure_job select * from old.disclosure_job;
    insert into disclosure_file select * from old.disclosure_file;
    insert into disclosure_review select * from old.disclosure_review;
    insert into disclosure_scan select * from old.disclosure_scan;";

/// Makes the catalog `new` with the ledger of the catalog `old`; the number of entries.
///
/// # Errors
/// When the old one cannot be read to its end; then the new one has none of it.
pub fn take_ledger(new: &Path, box_id: BoxId, old: &Path) -> Result<u64> {
    let what = || format!("taking the ledger of {}", old.display());
    // Whether it is a catalog of this box that this version knows; one of an older version is brought up to date first.
    match connection::open_reader(old, box_id) {
        Err(e) if e.kind() == Kind::Invalid => {
            drop(connection::open_writer(old, box_id).context(what)?);
        }
        other => drop(other.context(what)?),
    }
    let mut db = connection::open_writer(new, box_id)?;
    let path = old
        .to_str()
        .ok_or_else(|| Error::invalid("its path is not UTF-8").attempted(what()))?;
    db.execute("attach database ? as old", [path])
        .context(what)?;
    let all = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    all.execute_batch(COPY).context(what)?;
    let count: i64 = all.query_row("select count(*) from main.entry", [], |row| row.get(0))?;
    all.commit().context(what)?;
    db.execute_batch("detach database old")?;
    Ok(count.unsigned_abs())
}

/// A ledger that is put together again from its entries.
pub struct Rebuild {
    db: Connection,
    at: Wall,
}

impl Rebuild {
    /// Makes the catalog `new`, or empties the ledger in it. Details that are gone count as erased at `at`.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn begin(new: &Path, box_id: BoxId, at: Wall) -> Result<Self> {
        let db = connection::open_writer(new, box_id)?;
        db.execute_batch("begin immediate; delete from epoch")?;
        Ok(Self { db, at })
    }

    /// Begins an epoch, with what was signed of it.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn epoch(&self, row: &EpochRow) -> Result<()> {
        self.db.execute(
            "insert into epoch (number, first_seq, started_us, size, root, note) values (?, ?, ?, ?, ?, ?)",
            params![
                row.number,
                int(row.first_seq),
                row.started,
                int(row.size),
                row.root,
                row.note
            ],
        )?;
        Ok(())
    }

    /// The next entry.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn entry(&self, entry: &Entry) -> Result<()> {
        let leaf: Digest = entry::leaf(&entry.line()?);
        self.db
            .prepare_cached(
                "insert into entry (seq, epoch, at_us, actor, action, object, result, facts, detail, leaf)
                 values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                int(entry.seq),
                entry.epoch,
                entry.at,
                entry.actor,
                entry.action,
                entry.object,
                entry.result,
                canonical(&entry.facts)?,
                entry.detail,
                leaf
            ])?;
        self.note_serial(entry)?;
        match entry.facts["begun"].as_u64() {
            _ if entry.result == "begun" => intent::open(&self.db, entry.seq)?,
            Some(of) => intent::close(&self.db, of)?,
            None => {}
        }
        if entry.detail.is_some() {
            self.db
                .prepare_cached("insert into detail (seq, class, erased_us) values (?, ?, ?)")?
                .execute(params![
                    int(entry.seq),
                    Class::of(&entry.action).as_str(),
                    self.at
                ])?;
        }
        Ok(())
    }

    /// No serial number of a disclosure is given twice, also when the register is lost.
    fn note_serial(&self, entry: &Entry) -> Result<()> {
        let texts: Vec<_> = match entry.action.as_str() {
            REQUESTED => entry.facts["serial"].as_str().into_iter().collect(),
            RESTORED => {
                let skipped = entry.facts[SKIPPED].as_array();
                skipped
                    .into_iter()
                    .flatten()
                    .filter_map(|t| t.as_str())
                    .collect()
            }
            _ => return Ok(()),
        };
        for serial in texts.into_iter().flat_map(str::parse::<Serial>) {
            disclosure_change::given(&self.db, serial.year, serial.number)?;
        }
        Ok(())
    }

    /// All entries are there: tiles are made, and it is kept.
    ///
    /// # Errors
    /// What SQLite says; then nothing of it is kept.
    pub fn finish(self, epochs: &[EpochRow]) -> Result<()> {
        for epoch in epochs {
            TreeOf {
                db: &self.db,
                epoch: epoch.number,
                first_seq: epoch.first_seq,
            }
            .keep(epoch.size)?;
        }
        Ok(self.db.execute_batch("commit")?)
    }
}
