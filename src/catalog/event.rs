//! What somebody may later have to answer for, in the order in which it happened: entries of the ledger as rows.
//!
//! An [`Event`] becomes an entry in the transaction of the change that it answers for. What is not canonical or too long
//! in it never keeps a change from being written: it goes in as text, or into the details.

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Value, json};

use crate::base::error::{Context, Error, Result};
use crate::base::hash::Digest;
use crate::base::time::Wall;
use crate::catalog::column::{Columns, int};
use crate::catalog::reader::Reader;
use crate::catalog::{intent, tally};
use crate::ledger::canonical;
use crate::ledger::detail::{self, Class};
use crate::ledger::entry::{self, Entry, TEXT_BYTES_MAX};

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
    /// How it went: `ok`, `refused`, `failed`, `begun`, `interrupted`.
    pub result: String,
    /// What stays for ever: roots, counts, hashes, causes. No names. Whole numbers only.
    pub facts: Value,
    /// What may lawfully be erased: names, addresses, reasons, free text.
    pub detail: Option<Value>,
    /// Whether it is all of an act.
    #[serde(default)]
    pub phase: Phase,
    /// It can happen without end, caused by somebody outside: from the fourth of its kind in a minute on it is counted,
    /// and one entry says how often.
    #[serde(default)]
    pub frequent: bool,
}

/// What part of an act an event is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// All of it.
    #[default]
    Whole,
    /// Its intent: something is about to be handed out. An outcome follows, or `interrupted` after a restart.
    Begun,
    /// The outcome of what was begun with the entry `of`.
    Ended {
        /// That entry's number.
        of: u64,
    },
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
            phase: Phase::Whole,
            frequent: false,
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

/// Writes one event inside the caller's transaction; its number, unless it was only counted.
pub(super) fn insert(db: &Connection, event: &Event) -> Result<Option<u64>> {
    let what = || format!("writing the event {} of {}", event.action, event.object);
    if event.frequent && !tally::count(db, event).context(what)? {
        return Ok(None);
    }
    write(db, event).map(Some).context(what)
}

/// Writes it as an entry of its own.
pub(super) fn write(db: &Connection, event: &Event) -> Result<u64> {
    let (epoch, seq) = next(db)?;
    let (entry, line, kept) = compose(event, epoch, seq)?;
    db.prepare_cached(
        "insert into entry (seq, epoch, at_us, actor, action, object, result, facts, detail, leaf)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        int(seq),
        epoch,
        entry.at,
        entry.actor,
        entry.action,
        entry.object,
        entry.result,
        canonical(&entry.facts)?,
        entry.detail,
        entry::leaf(&line)
    ])?;
    if let Some((salt, text)) = kept {
        db.prepare_cached("insert into detail (seq, class, salt, text) values (?, ?, ?, ?)")?
            .execute(params![
                int(seq),
                Class::of(&event.action).as_str(),
                salt,
                text
            ])?;
    }
    match event.phase {
        Phase::Whole => {}
        Phase::Begun => intent::open(db, seq)?,
        Phase::Ended { of } => intent::close(db, of)?,
    }
    Ok(seq)
}

/// Epoch and number of the next entry.
pub(super) fn next(db: &Connection) -> Result<(u32, u64)> {
    let found = db
        .prepare_cached(
            "select number, max(first_seq, coalesce((select max(seq) + 1 from entry), 1)) from epoch
             order by number desc limit 1",
        )?
        .query_row([], |row| {
            let mut columns = Columns::of(row);
            Ok((columns.get::<u32>()?, columns.count()?))
        })
        .optional()?;
    found.ok_or_else(|| Error::corrupt("the catalog has no epoch of the ledger"))
}

type Kept = Option<([u8; detail::SALT_BYTES], String)>;

/// The entry, its line, and what may be erased of it.
fn compose(event: &Event, epoch: u32, seq: u64) -> Result<(Entry, String, Kept)> {
    let mut facts = event.facts.clone();
    if let Phase::Ended { of } = event.phase {
        match &mut facts {
            Value::Object(members) => drop(members.insert("begun".to_owned(), json!(of))),
            other => facts = json!({ "begun": of, "facts": other.take() }),
        }
    }
    if canonical(&facts).is_err() {
        facts = json!({ "text": facts.to_string() });
    }
    let detail = event.detail.clone();
    let (entry, kept) = commit(event, epoch, seq, facts, detail)?;
    if let Ok(line) = entry.line() {
        return Ok((entry, line, kept));
    }
    // Too long: what can be said of the facts is their hash, and they go where length does not matter.
    let whole = canonical(&entry.facts)?;
    let facts = json!({ "facts_sha256": Digest::sha256(&[whole.as_bytes()]).to_string() });
    let detail = json!({ "facts": entry.facts, "detail": event.detail });
    let (entry, kept) = commit(event, epoch, seq, facts, Some(detail))?;
    let line = entry.line()?;
    Ok((entry, line, kept))
}

fn commit(
    event: &Event,
    epoch: u32,
    seq: u64,
    facts: Value,
    detail: Option<Value>,
) -> Result<(Entry, Kept)> {
    let kept = match detail {
        None => None,
        Some(value) => {
            let text = canonical(&value).or_else(|_| canonical(&json!(value.to_string())))?;
            Some((detail::salt()?, text))
        }
    };
    let entry = Entry {
        epoch,
        seq,
        at: event.at,
        actor: bounded(&event.actor),
        action: bounded(&event.action),
        object: bounded(&event.object),
        result: bounded(&event.result),
        facts,
        detail: kept
            .as_ref()
            .map(|(salt, text)| detail::commitment(salt, text)),
    };
    Ok((entry, kept))
}

fn bounded(text: &str) -> String {
    let mut end = text.len().min(TEXT_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

impl Reader {
    /// Events after `after_seq` (0: from the first), at most `count_max`, in order. Erased details are none.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn events(&self, after_seq: u64, count_max: u32) -> Result<Vec<EventRow>> {
        let mut statement = self.db.prepare_cached(
            "select entry.seq, at_us, actor, action, object, result, facts, detail.text
             from entry left join detail on detail.seq = entry.seq
             where entry.seq > ? order by entry.seq limit ?",
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
                    phase: Phase::Whole,
                    frequent: false,
                },
            });
        }
        Ok(events)
    }
}

impl Reader {
    /// Tells of each sweep that has ended, in the order of the ledger: when, and its facts.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn each_sweep(&self, mut tell: impl FnMut(Wall, &Value)) -> Result<()> {
        let mut statement = self
            .db
            .prepare_cached("select at_us, facts from entry where action = 'sweep' order by seq")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let mut columns = Columns::of(row);
            let at = columns.get()?;
            tell(at, &parse(&columns.get::<String>()?)?);
        }
        Ok(())
    }
}

pub(super) fn parse(text: &str) -> Result<Value> {
    serde_json::from_str(text).map_err(|e| Error::corrupt(format!("an event holds no JSON: {e}")))
}
