//! When the ledger is signed: only what is durable, at most a second after it became so.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};

use crate::base::Clock;
use crate::base::clock::SystemClock;
use crate::base::error::{Kind, Result};
use crate::base::id::BoxId;
use crate::base::time::Mono;
use crate::catalog::change::Change;
use crate::catalog::connection;
use crate::catalog::ledger;
use crate::catalog::ledger_change::LedgerChange;
use crate::ledger::checkpoint::Signer;

/// A checkpoint is at most so far behind.
const BEHIND_MAX: Duration = Duration::from_secs(1);

/// Why nothing is signed, for whoever asks.
#[derive(Clone, Default)]
pub(super) struct Trouble(Arc<Mutex<Option<String>>>);

impl Trouble {
    pub(super) fn get(&self) -> Option<String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(super) fn set(&self, text: Option<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = text;
    }
}

/// The writer thread's.
pub(super) struct Signing {
    signer: Option<Signer>,
    box_id: BoxId,
    trouble: Trouble,
    clock: Arc<dyn Clock>,
    /// Since when something may be unsigned.
    dirty: Option<Mono>,
    /// Since when the write-ahead log may hold something that was erased.
    erased: Option<Mono>,
    /// Another epoch may have begun: whether the ledger agrees with its checkpoint is to be seen again.
    recheck: bool,
}

impl Signing {
    pub(super) fn new(
        db: &Connection,
        box_id: BoxId,
        signer: Option<Signer>,
        trouble: Trouble,
    ) -> Self {
        let clock = SystemClock::shared();
        if let Some(signer) = &signer
            && let Err(e) = ledger::agrees(db, signer.key())
        {
            log::error!("the ledger is not signed any further: {e}");
            trouble.set(Some(e.to_string()));
        }
        let now = clock.mono();
        Self {
            dirty: signer.is_some().then_some(now),
            signer,
            box_id,
            trouble,
            clock,
            // What was erased just before a kill may be in it still.
            erased: Some(now),
            recheck: false,
        }
    }

    /// How long to wait for the next commit before there is something to do; none: as long as it takes.
    pub(super) fn wait(&self) -> Option<Duration> {
        let since = match (self.dirty, self.erased) {
            (Some(dirty), Some(erased)) => dirty.min(erased),
            (dirty, erased) => dirty.or(erased)?,
        };
        Some(BEHIND_MAX.saturating_sub(self.clock.mono().since(since)))
    }

    pub(super) fn is_due(&self) -> bool {
        self.wait().is_some_and(|wait| wait.is_zero())
    }

    /// These changes, or an event of theirs, are being written.
    pub(super) fn noticed<'a>(&mut self, changes: impl Iterator<Item = &'a Change>) {
        for change in changes {
            match change {
                Change::Ledger(LedgerChange::DetailsErased { .. }) => {
                    self.erased.get_or_insert(self.clock.mono());
                }
                // What an epoch is begun for is that the one before could not be signed any more.
                Change::Ledger(LedgerChange::EpochBegun { .. }) => self.recheck = true,
                _ => {}
            }
        }
        if self.dirty.is_none() && self.signer.is_some() {
            self.dirty = Some(self.clock.mono());
        }
    }

    /// Signs what is durable and not signed yet. What fails is told, and tried again a second later.
    pub(super) fn sign(&mut self, db: &mut Connection) {
        if self.erased.is_some() {
            // A second from now, when a reader still needs it.
            self.erased = (!emptied(db)).then(|| self.clock.mono());
        }
        let Some(signer) = &self.signer else { return };
        if self.dirty.is_none() {
            return;
        }
        if std::mem::take(&mut self.recheck) {
            let found = ledger::agrees(db, signer.key());
            self.trouble.set(found.err().map(|e| e.to_string()));
        }
        match signed(db, self.box_id, signer, self.trouble.get().is_some()) {
            Ok(()) => self.dirty = None,
            Err(e) if e.kind() == Kind::Corrupt => {
                log::error!("the ledger is not signed any further: {e}");
                self.trouble.set(Some(e.to_string()));
                self.dirty = None;
            }
            Err(e) => {
                log::warn!("signing the ledger: {e}");
                self.dirty = Some(self.clock.mono());
            }
        }
    }
}

/// Moves the write-ahead log into the database, where what was erased is overwritten already, and empties it. False when a
/// reader still needs it: nobody who wants to write waits for that.
fn emptied(db: &Connection) -> bool {
    let busy = db.busy_timeout(Duration::ZERO).and_then(|()| {
        db.query_row("pragma wal_checkpoint(truncate)", [], |row| {
            row.get::<_, i64>(0)
        })
    });
    if let Err(e) = db.busy_timeout(connection::BUSY_WAIT) {
        log::warn!("the catalog: {e}");
    }
    busy == Ok(0)
}

fn signed(db: &mut Connection, box_id: BoxId, signer: &Signer, in_trouble: bool) -> Result<()> {
    if in_trouble {
        return Ok(());
    }
    let all = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if ledger::sign(&all, box_id, signer)? {
        all.commit()?;
    }
    Ok(())
}
