//! What SQL alone cannot do when a catalog is brought up to date.

use rusqlite::Connection;

use crate::base::clock::SystemClock;
use crate::base::error::Result;
use crate::base::time::Wall;
use crate::catalog::column::Columns;
use crate::catalog::event::{self, Event, Phase};
use crate::catalog::ledger;

/// Version 1 to 2: each event becomes an entry with its old number, its details with a salt.
pub(super) fn events_to_ledger(db: &Connection) -> Result<()> {
    let begun: Option<Wall> = db.query_row("select min(at_us) from event", [], |row| row.get(0))?;
    ledger::begin(db, begun.unwrap_or_else(|| SystemClock::shared().wall()))?;
    {
        let mut statement = db.prepare(
            "select at_us, actor, action, object, result, facts, detail from event order by seq",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let mut columns = Columns::of(row);
            let event = Event {
                at: columns.get()?,
                actor: columns.get()?,
                action: columns.get()?,
                object: columns.get()?,
                result: columns.get()?,
                facts: event::parse(&columns.get::<String>()?)?,
                detail: columns
                    .get::<Option<String>>()?
                    .as_deref()
                    .map(event::parse)
                    .transpose()?,
                phase: Phase::Whole,
                frequent: false,
            };
            event::write(db, &event)?;
        }
    }
    Ok(db.execute_batch("drop table event")?)
}
