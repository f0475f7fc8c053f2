//! Acts in two phases: the intent is an entry before anything is handed out, the outcome is one after.

use rusqlite::{Connection, params};
use serde_json::json;

use crate::base::error::Result;
use crate::base::time::Wall;
use crate::catalog::column::{Columns, int};
use crate::catalog::event::{self, Event, Phase};
use crate::catalog::reader::Reader;

pub(super) fn open(db: &Connection, seq: u64) -> Result<()> {
    db.execute("insert into intent (seq) values (?)", params![int(seq)])?;
    Ok(())
}

/// Nothing happens when it was closed before: after a restart, as interrupted.
pub(super) fn close(db: &Connection, seq: u64) -> Result<()> {
    db.execute("delete from intent where seq = ?", params![int(seq)])?;
    Ok(())
}

/// Each act without an outcome gets one: interrupted. What was being handed out when the process died is not known.
pub(super) fn close_orphans(db: &Connection, at: Wall) -> Result<()> {
    let mut statement = db.prepare(
        "select entry.seq, action, object from intent join entry on entry.seq = intent.seq order by 1",
    )?;
    let mut rows = statement.query([])?;
    let mut orphans = Vec::new();
    while let Some(row) = rows.next()? {
        let mut columns = Columns::of(row);
        let (seq, action, object) = (
            columns.count()?,
            columns.get::<String>()?,
            columns.get::<String>()?,
        );
        orphans.push((seq, action, object));
    }
    for (of, action, object) in orphans {
        let event = Event {
            result: "interrupted".to_owned(),
            phase: Phase::Ended { of },
            ..Event::of_box(at, &action, object, json!({}))
        };
        event::write(db, &event)?;
    }
    Ok(())
}

impl Reader {
    /// Numbers of the entries whose acts have no outcome yet.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn open_intents(&self) -> Result<Vec<u64>> {
        let mut statement = self
            .db
            .prepare_cached("select seq from intent order by seq")?;
        let rows = statement.query_map([], |row| Columns::of(row).count())?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}
