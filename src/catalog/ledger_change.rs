//! Changes of the ledger itself. Each writes its own entry, in the same transaction.

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::base::error::{Context, Result};
use crate::base::time::Wall;
use crate::catalog::event::{self, Event};
use crate::catalog::{disclosure_change, entry, intent, ledger, seal, tally};
use crate::ledger::detail::Class;

/// One change.
#[derive(Clone, Debug)]
pub enum LedgerChange {
    /// Segments that no seal is over yet are bound by an entry of the ledger; nothing happens when there are none.
    FootageSealed {
        /// When.
        at: Wall,
        /// What asked for it: `hour`, `stop`, `demand`.
        cause: &'static str,
    },
    /// What seals are over is forgotten where no segment can be left.
    SealsPruned {
        /// Start of the oldest segment that is there.
        oldest: Wall,
    },
    /// Acts without an outcome are closed as interrupted: the process that began them is gone.
    OrphansClosed {
        /// When.
        at: Wall,
    },
    /// Minutes that are over get their entry of what was only counted in them.
    TalliesFlushed {
        /// When.
        at: Wall,
    },
    /// The ledger begins anew, and its first entry says why and how far the one before had come.
    EpochBegun {
        /// When.
        at: Wall,
        /// Its number; one more than the last when nothing is given.
        number: Option<u32>,
        /// Why: facts that stay.
        cause: serde_json::Value,
        /// What the person who decided it says.
        statement: String,
    },
    /// Details that are older than their class is kept are erased; one entry says how many, also when there were none.
    DetailsExpired {
        /// When.
        at: Wall,
        /// Of each class: entries before this time, and the age as the configuration writes it.
        classes: Vec<(Class, Wall, String)>,
    },
    /// Details of entries are erased; an entry says how many.
    DetailsErased {
        /// Of which class.
        class: Class,
        /// Of entries before this time.
        before: Wall,
        /// When.
        at: Wall,
        /// Who decided it.
        by: String,
    },
}

/// The action of the daily erasure of details.
pub const DETAILS_EXPIRED: &str = "details-expired";

/// Erases the details of a class; how many. What the register of disclosures says of the same acts goes with theirs: the
/// second number.
fn erase(db: &Connection, class: Class, before: Wall, at: Wall) -> Result<(u64, Option<u64>)> {
    let what = || format!("erasing details of class {class}");
    let erased = entry::erase(db, class, before, at).context(what)?;
    let forgotten = match class {
        Class::Disclosure => Some(disclosure_change::forget(db, before).context(what)?),
        _ => None,
    };
    Ok((erased, forgotten))
}

/// Facts of an erasure.
fn with_forgotten(mut facts: Value, forgotten: Option<u64>) -> Value {
    if let Some(count) = forgotten {
        facts["disclosures"] = count.into();
    }
    facts
}

/// Writes one change inside the caller's transaction.
pub(super) fn apply(db: &Connection, change: &LedgerChange) -> Result<()> {
    match change {
        LedgerChange::FootageSealed { at, cause } => {
            seal::seal(db, *at, cause).context(|| "sealing footage")
        }
        LedgerChange::SealsPruned { oldest } => {
            seal::prune(db, *oldest).context(|| "forgetting what old seals are over")
        }
        LedgerChange::OrphansClosed { at } => {
            intent::close_orphans(db, *at).context(|| "closing acts that were interrupted")
        }
        LedgerChange::TalliesFlushed { at } => {
            tally::flush(db, *at).context(|| "writing what was only counted")
        }
        LedgerChange::EpochBegun {
            at,
            number,
            cause,
            statement,
        } => ledger::begin_next(db, *at, *number, cause, statement)
            .context(|| "beginning an epoch of the ledger"),
        LedgerChange::DetailsExpired { at, classes } => {
            let (mut told, mut sum) = (serde_json::Map::new(), 0);
            for (class, before, age) in classes {
                let (erased, forgotten) = erase(db, *class, *before, *at)?;
                sum += erased;
                let of_class = json!({ "age": age, "before": before, "entries": erased });
                told.insert(
                    class.as_str().to_owned(),
                    with_forgotten(of_class, forgotten),
                );
            }
            let facts = json!({ "classes": told, "entries": sum });
            let event = Event::of_box(*at, DETAILS_EXPIRED, "ledger", facts);
            event::write(db, &event).map(drop)
        }
        LedgerChange::DetailsErased {
            class,
            before,
            at,
            by,
        } => {
            let (erased, forgotten) = erase(db, *class, *before, *at)?;
            let facts = json!({ "class": class.as_str(), "before": before, "entries": erased });
            let facts = with_forgotten(facts, forgotten);
            let event = Event {
                detail: Some(json!({ "by": by })),
                ..Event::of_box(*at, "details-erased", "ledger", facts)
            };
            event::write(db, &event).map(drop)
        }
    }
}
