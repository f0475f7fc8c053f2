//! What somebody outside can cause without end is counted over a minute, so that nobody can fill the ledger.

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::json;

use crate::base::error::Result;
use crate::base::time::Wall;
use crate::catalog::column::{Columns, int};
use crate::catalog::event::{self, Event};

/// So many of a kind in a minute have an entry each.
const ENTRIES_MAX: u64 = 3;
/// So many kinds are counted at a time; the rest counts as of no object.
const KINDS_MAX: u64 = 1024;
const MINUTE_US: i64 = 60_000_000;

struct Row {
    minute_us: i64,
    times: u64,
    held: u64,
    first: Wall,
    last: Wall,
}

/// Counts an event; true when it shall have an entry of its own.
pub(super) fn count(db: &Connection, event: &Event) -> Result<bool> {
    let mut event = event.clone();
    let known = read(db, &event)?;
    if known.is_none() && kinds(db)? >= KINDS_MAX {
        event.object = String::new();
    }
    let minute_us = event.at.us() - event.at.us().rem_euclid(MINUTE_US);
    let row = match read(db, &event)? {
        Some(row) if row.minute_us == minute_us => row,
        old => {
            if let Some(old) = old {
                tell(db, &event, &old)?;
            }
            Row {
                minute_us,
                times: 0,
                held: 0,
                first: event.at,
                last: event.at,
            }
        }
    };
    let own = row.times < ENTRIES_MAX;
    let held = row.held + u64::from(!own);
    let first = if row.held == 0 { event.at } else { row.first };
    db.prepare_cached(
        "insert or replace into tally (actor, action, object, result, minute_us, times, held, first_us, last_us)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        event.actor,
        event.action,
        event.object,
        event.result,
        minute_us,
        int(row.times + 1),
        int(held),
        first,
        event.at
    ])?;
    Ok(own)
}

fn kinds(db: &Connection) -> Result<u64> {
    let count = db
        .prepare_cached("select count(*) from tally")?
        .query_row([], |row| Columns::of(row).count())?;
    Ok(count)
}

fn read(db: &Connection, event: &Event) -> Result<Option<Row>> {
    let row = db
        .prepare_cached(
            "select minute_us, times, held, first_us, last_us from tally
             where actor = ? and action = ? and object = ? and result = ?",
        )?
        .query_row(
            params![event.actor, event.action, event.object, event.result],
            |row| {
                let mut columns = Columns::of(row);
                Ok(Row {
                    minute_us: columns.get()?,
                    times: columns.count()?,
                    held: columns.count()?,
                    first: columns.get()?,
                    last: columns.get()?,
                })
            },
        )
        .optional()?;
    Ok(row)
}

/// The entry for those that had none.
fn tell(db: &Connection, like: &Event, row: &Row) -> Result<()> {
    if row.held == 0 {
        return Ok(());
    }
    let facts = json!({ "times": row.held, "first": row.first, "last": row.last });
    let event = Event {
        facts,
        detail: None,
        at: row.last,
        frequent: false,
        ..like.clone()
    };
    event::write(db, &event).map(drop)
}

/// Tells of every minute that is over at `now`.
pub(super) fn flush(db: &Connection, now: Wall) -> Result<()> {
    let mut statement = db.prepare_cached(
        "select actor, action, object, result, minute_us, times, held, first_us, last_us from tally
         where minute_us + 60000000 <= ?1 or minute_us > ?1",
    )?;
    let mut rows = statement.query(params![now])?;
    let mut over = Vec::new();
    while let Some(row) = rows.next()? {
        let mut columns = Columns::of(row);
        let event = Event {
            actor: columns.get()?,
            action: columns.get()?,
            object: columns.get()?,
            result: columns.get()?,
            ..Event::of_box(now, "", "", json!({}))
        };
        let row = Row {
            minute_us: columns.get()?,
            times: columns.count()?,
            held: columns.count()?,
            first: columns.get()?,
            last: columns.get()?,
        };
        over.push((event, row));
    }
    for (event, row) in over {
        tell(db, &event, &row)?;
        db.prepare_cached(
            "delete from tally where actor = ? and action = ? and object = ? and result = ?",
        )?
        .execute(params![
            event.actor,
            event.action,
            event.object,
            event.result
        ])?;
    }
    Ok(())
}
