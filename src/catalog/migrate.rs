//! What SQL alone cannot do when a catalog is brought up to date.

use rusqlite::{Connection, params};

use crate::base::clock::SystemClock;
use crate::base::error::Result;
use crate::base::time::Wall;
use crate::catalog::column::Columns;
use crate::catalog::event::{self, Event, Phase};
use crate::catalog::ledger;
use crate::ledger::detail::Class;

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

/// Version 5 to 6: there are more classes of details than there were.
pub(super) fn classes_of_details(db: &Connection) -> Result<()> {
    let mut statement =
        db.prepare("select distinct action from entry where seq in (select seq from detail)")?;
    let actions = statement.query_map([], |row| row.get::<_, String>(0))?;
    for action in actions.collect::<rusqlite::Result<Vec<_>>>()? {
        db.execute(
            "update detail set class = ?2 where seq in (select seq from entry where action = ?1) and class <> ?2",
            params![action, Class::of(&action).as_str()],
        )?;
    }
    Ok(())
}
