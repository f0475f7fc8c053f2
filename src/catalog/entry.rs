//! Entries of the ledger as readers ask for them, and what may be erased of them.

use rusqlite::types::Value;
use rusqlite::{Connection, Row, params, params_from_iter};

use crate::base::error::{Error, Kind, Result};
use crate::base::hash::Digest;
use crate::base::time::Wall;
use crate::catalog::column::{Columns, int};
use crate::catalog::event::parse;
use crate::catalog::reader::Reader;
use crate::ledger::detail::{Class, SALT_BYTES, commitment};
use crate::ledger::entry::Entry;

/// What is known of an entry's details.
#[derive(Clone, PartialEq, Debug)]
pub enum Detail {
    /// There never were any.
    None,
    /// They are there, with their salt.
    Kept {
        /// Salt of the commitment.
        salt: [u8; 32],
        /// Canonical JSON.
        text: String,
    },
    /// They were erased.
    Erased(Wall),
    /// They are gone, and nothing says that they were erased.
    Lost,
}

/// An entry as it is kept.
#[derive(Clone, PartialEq, Debug)]
pub struct EntryRow {
    /// What stays.
    pub entry: Entry,
    /// The leaf hash that was kept beside it.
    pub leaf: Digest,
    /// What may be erased.
    pub detail: Detail,
}

/// Which entries are asked for; nothing given: all.
#[derive(Clone, Debug, Default)]
pub struct EntryFilter {
    /// From this time on.
    pub from: Option<Wall>,
    /// Before this time.
    pub until: Option<Wall>,
    /// By whom.
    pub actor: Option<String>,
    /// What was done.
    pub action: Option<String>,
    /// To what; `kassa-1` also means `kassa-1/main`.
    pub object: Option<String>,
    /// Numbers below this one.
    pub before_seq: Option<u64>,
    /// Numbers above this one, which then come in their order; else the newest come first.
    pub after_seq: Option<u64>,
}

impl EntryFilter {
    /// Only what is asked for is compared, so that an index serves it.
    fn conditions(&self) -> (String, Vec<Value>) {
        let (mut texts, mut given) = (vec!["true"], Vec::<Value>::new());
        let mut add = |text: &'static str, values: Vec<Value>| {
            texts.push(text);
            given.extend(values);
        };
        if let Some(from) = self.from {
            add("at_us >= ?", vec![from.us().into()]);
        }
        if let Some(until) = self.until {
            add("at_us < ?", vec![until.us().into()]);
        }
        match self.actor.as_deref() {
            None => {}
            Some("box") => add("actor = 'box'", Vec::new()),
            // The index leaves the box out, and SQLite must know that this does too.
            Some(actor) => add(
                "actor = ? and actor <> 'box'",
                vec![actor.to_owned().into()],
            ),
        }
        if let Some(action) = &self.action {
            add("action = ?", vec![action.clone().into()]);
        }
        if let Some(object) = &self.object {
            // What begins with the object and a slash sorts before the object and a zero, the next character.
            add(
                "(object = ? or (object > ? and object < ?))",
                vec![
                    object.clone().into(),
                    format!("{object}/").into(),
                    format!("{object}0").into(),
                ],
            );
        }
        if let Some(seq) = self.before_seq {
            add("entry.seq < ?", vec![int(seq).into()]);
        }
        if let Some(seq) = self.after_seq {
            add("entry.seq > ?", vec![int(seq).into()]);
        }
        (texts.join(" and "), given)
    }
}

pub(super) const ENTRY: &str = "select entry.seq, epoch, at_us, actor, action, object, result, facts, entry.detail, leaf,
     detail.salt, detail.text, detail.erased_us from entry left join detail on detail.seq = entry.seq";

pub(super) fn read_entry(row: &Row<'_>) -> Result<EntryRow> {
    let mut columns = Columns::of(row);
    let entry = Entry {
        seq: columns.count()?,
        epoch: columns.get()?,
        at: columns.get()?,
        actor: columns.get()?,
        action: columns.get()?,
        object: columns.get()?,
        result: columns.get()?,
        facts: parse(&columns.get::<String>()?)?,
        detail: columns.get()?,
    };
    let leaf = columns.get()?;
    let salt: Option<[u8; 32]> = columns.get()?;
    let text: Option<String> = columns.get()?;
    let erased: Option<Wall> = columns.get()?;
    let detail = match (salt, text, erased) {
        (Some(salt), Some(text), None) => Detail::Kept { salt, text },
        (_, _, Some(at)) => Detail::Erased(at),
        _ if entry.detail.is_some() => Detail::Lost,
        _ => Detail::None,
    };
    Ok(EntryRow {
        entry,
        leaf,
        detail,
    })
}

/// Details of a class that are there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ClassRow {
    /// Which class.
    pub class: Class,
    /// How many entries have them.
    pub entries: u64,
    /// When the oldest of these was written.
    pub oldest: Wall,
}

impl Reader {
    /// Entries that fit, at most `count_max`.
    ///
    /// # Errors
    /// What SQLite says; `Corrupt` for an entry that cannot be read.
    pub fn entries(&self, filter: &EntryFilter, count_max: u32) -> Result<Vec<EntryRow>> {
        let (conditions, mut given) = filter.conditions();
        let order = if filter.after_seq.is_some() {
            "asc"
        } else {
            "desc"
        };
        given.push(i64::from(count_max).into());
        let mut statement = self.db.prepare_cached(&format!(
            "{ENTRY} where {conditions} order by entry.seq {order} limit ?"
        ))?;
        let mut rows = statement.query(params_from_iter(given))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(read_entry(row)?);
        }
        Ok(found)
    }

    /// One entry.
    ///
    /// # Errors
    /// `NotFound` when there is none with this number.
    pub fn entry(&self, seq: u64) -> Result<EntryRow> {
        let mut statement = self
            .db
            .prepare_cached(&format!("{ENTRY} where entry.seq = ?"))?;
        let mut rows = statement.query(params![int(seq)])?;
        match rows.next()? {
            Some(row) => read_entry(row),
            None => Err(Error::new(
                Kind::NotFound,
                format!("the ledger has no entry {seq}"),
            )),
        }
    }

    /// How many entries belong to no epoch; none do, unless somebody took it away.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn entries_of_no_epoch(&self) -> Result<u64> {
        let mut statement = self
            .db
            .prepare("select count(*) from entry where epoch not in (select number from epoch)")?;
        Ok(statement.query_row([], |row| Columns::of(row).count())?)
    }

    /// The last entry of one of these actions.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn last_of(&self, actions: &[&str]) -> Result<Option<EntryRow>> {
        let mut newest: Option<EntryRow> = None;
        for action in actions {
            let filter = EntryFilter {
                action: Some((*action).to_owned()),
                ..EntryFilter::default()
            };
            let found = self.entries(&filter, 1)?.pop();
            if let Some(found) = found
                && newest
                    .as_ref()
                    .is_none_or(|n| n.entry.seq < found.entry.seq)
            {
                newest = Some(found);
            }
        }
        Ok(newest)
    }

    /// What is there of details, class by class; classes of which nothing is left are not among them.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn detail_classes(&self) -> Result<Vec<ClassRow>> {
        let mut statement = self.db.prepare_cached(
            "select class, count(*), min(at_us) from detail join entry on entry.seq = detail.seq
             where erased_us is null group by class",
        )?;
        let mut rows = statement.query([])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let mut columns = Columns::of(row);
            found.push(ClassRow {
                class: columns.get::<String>()?.parse()?,
                entries: columns.count()?,
                oldest: columns.get()?,
            });
        }
        Ok(found)
    }

    /// The last entry of an action that went well.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn last_ok(&self, action: &str) -> Result<Option<EntryRow>> {
        let mut statement = self.db.prepare_cached(&format!(
            "{ENTRY} where action = ? and result = 'ok' order by entry.seq desc limit 1"
        ))?;
        let mut rows = statement.query(params![action])?;
        rows.next()?.map(read_entry).transpose()
    }

    /// Entries whose details do not fit what the entry says of them.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn unfit_details(&self, count_max: usize) -> Result<Vec<u64>> {
        let mut statement = self.db.prepare(
            "select entry.seq, entry.detail, detail.salt, detail.text, detail.erased_us
             from entry left join detail on detail.seq = entry.seq
             where entry.detail is not null or detail.seq is not null order by entry.seq",
        )?;
        let mut rows = statement.query([])?;
        let mut unfit = Vec::new();
        while let Some(row) = rows.next()? {
            let mut columns = Columns::of(row);
            let seq = columns.count()?;
            // Whatever they are: what is no text or has another length is told of like the rest.
            let (stated, salt, text) = (columns.bytes()?, columns.bytes()?, columns.bytes()?);
            let erased: Option<Wall> = columns.get()?;
            let fits = match (salt, text) {
                (Some(salt), Some(text)) => {
                    let salt = <[u8; SALT_BYTES]>::try_from(salt).ok();
                    let computed = salt
                        .zip(std::str::from_utf8(&text).ok())
                        .map(|(salt, text)| commitment(&salt, text).0.to_vec());
                    computed.is_some() && computed == stated
                }
                _ => stated.is_some() && erased.is_some(),
            };
            if !fits {
                unfit.push(seq);
                if unfit.len() >= count_max {
                    break;
                }
            }
        }
        Ok(unfit)
    }
}

/// Erases the details of a class that are older than `before`; how many.
pub(super) fn erase(db: &Connection, class: Class, before: Wall, at: Wall) -> Result<u64> {
    let changed = db
        .prepare_cached(
            "update detail set salt = null, text = null, erased_us = ?3
             where class = ?1 and erased_us is null
                 and seq in (select seq from entry where at_us < ?2)",
        )?
        .execute(params![class.as_str(), before, at])?;
    Ok(changed as u64)
}
