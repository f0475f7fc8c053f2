//! What somebody may later have to answer for, in the order in which it happened.

use rusqlite::{Connection, params};
use serde_json::Value;

use crate::base::error::{Context, Error, Result};
use crate::base::time::Wall;
use crate::catalog::column::{Columns, int};
use crate::catalog::reader::Reader;

/// An event to be written.
#[derive(Clone, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Event {
    /// When.
    pub at: Wall,
    /// A person's id, or `box`.
    pub actor: String,
    /// What was done: `gap-opened`, `start`, `sign-in`.
    pub action: String,
    /// To what: `kassa-1/main`.
    pub object: String,
    /// How it went: `ok`, `refused`, `failed`.
    pub result: String,
    /// What stays for ever: roots, counts, hashes, causes. No names.
    pub facts: Value,
    /// What may lawfully be erased: names, addresses, reasons, free text.
    pub detail: Option<Value>,
}

impl Event {
    /// Something that the box itself did, with success.
    pub fn of_box(at: Wall, action: &str, object: impl ToString, facts: Value) -> Self {
        Self {
            at,
            actor: "box".to_owned(),
            action: action.to_owned(),
            object: object.to_string(),
            result: "ok".to_owned(),
            facts,
            detail: None,
        }
    }
}

/// An event that was written.
#[derive(Clone, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
pub struct EventRow {
    /// Its place: grows with every event, never used twice.
    pub seq: u64,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// Writes one event inside the caller's transaction.
pub(super) fn insert(db: &Connection, event: &Event) -> Result<()> {
    let detail = event.detail.as_ref().map(Value::to_string);
    let facts = event.facts.to_string();
    db.prepare_cached(
        "insert into event (at_us, actor, action, object, result, facts, detail)
         values (?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        event.at,
        event.actor,
        event.action,
        event.object,
        event.result,
        facts,
        detail
    ])
    .map(drop)
    .context(|| format!("writing the event {} of {}", event.action, event.object))
}

impl Reader {
    /// Events after `after_seq` (0: from the first), at most `count_max`, in order.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn events(&self, after_seq: u64, count_max: u32) -> Result<Vec<EventRow>> {
        let mut statement = self.db.prepare_cached(
            "select seq, at_us, actor, action, object, result, facts, detail from event
             where seq > ? order by seq limit ?",
        )?;
        let mut rows = statement.query(params![int(after_seq), count_max])?;
        let mut events = Vec::new();
        while let Some(row) = rows.next()? {
            let mut columns = Columns::of(row);
            events.push(EventRow {
                seq: columns.count()?,
                event: Event {
                    at: columns.get()?,
                    actor: columns.get()?,
                    action: columns.get()?,
                    object: columns.get()?,
                    result: columns.get()?,
                    facts: parse(&columns.get::<String>()?)?,
                    detail: columns
                        .get::<Option<String>>()?
                        .as_deref()
                        .map(parse)
                        .transpose()?,
                },
            });
        }
        Ok(events)
    }
}

fn parse(text: &str) -> Result<Value> {
    serde_json::from_str(text).map_err(|e| Error::corrupt(format!("an event holds no JSON: {e}")))
}
