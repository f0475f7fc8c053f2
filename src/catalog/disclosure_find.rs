//! Searching the register of disclosures, newest first, and what waits.
//!
//! What does not belong here: who may see what is found (`disclosure`, layer 5).

use rusqlite::{ToSql, params_from_iter};

use crate::base::error::Result;
use crate::base::id::{CameraId, DisclosureId};
use crate::base::time::{Span, Wall};
use crate::catalog::column::Columns;
use crate::catalog::disclosure::{
    COLUMNS, DisclosureKind, DisclosureRow, DisclosureState, Serial, read,
};
use crate::catalog::granted::Cameras;
use crate::catalog::reader::Reader;

/// What was promised of disclosures, with when: serial numbers.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Promised {
    /// Answers that a law gives a time for.
    pub answers: Vec<(Serial, Wall)>,
    /// The house's own copies, which are destroyed by then.
    pub copies: Vec<(Serial, Wall)>,
}

/// What is looked for. What is `None` or empty is not asked for.
#[derive(Clone, Default, Debug, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct DisclosureFilter {
    /// Of this camera.
    pub camera: Option<CameraId>,
    /// Something of this time is, or was to be, given.
    pub footage: Option<Span>,
    /// Handed over, shown or told in this time.
    pub disclosed: Option<Span>,
    /// The recipient has this in it; capitals do not matter.
    pub recipient: Option<String>,
    /// This person asked for it, or did a step of it.
    pub person: Option<String>,
    /// In one of these states.
    pub states: Vec<DisclosureState>,
    /// Of one of these kinds.
    pub kinds: Vec<DisclosureKind>,
    /// On this legal basis, by its code.
    pub basis: Option<String>,
    /// Drafts too: only those of this person.
    pub drafts_of: Option<String>,
    /// Only what this person asked for or did a step of, whatever else is looked for.
    pub only_of: Option<String>,
    /// And what waits for a decision of somebody who reaches all of its cameras: which these are.
    pub or_waiting: Option<Cameras>,
}

/// Where a page goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DisclosureCursor {
    /// The last row's time: when it was asked for, or its draft was begun.
    pub at: Wall,
    /// The last row.
    pub disclosure: DisclosureId,
}

/// A page of what was found.
#[derive(Clone, Debug)]
pub struct DisclosurePage {
    /// Newest first.
    pub rows: Vec<DisclosureRow>,
    /// Where to go on; `None`: that was all.
    pub next: Option<DisclosureCursor>,
    /// How many entries of the register were looked through: all that whoever asks may know of.
    pub searched: u64,
    /// How many of them fit.
    pub found: u64,
}

/// A condition of SQL with what its question marks stand for.
#[derive(Default)]
struct Conditions {
    sql: String,
    values: Vec<Box<dyn ToSql>>,
}

impl Conditions {
    fn and(&mut self, sql: &str, values: impl IntoIterator<Item = Box<dyn ToSql>>) {
        self.sql.push_str(if self.sql.is_empty() {
            "where "
        } else {
            " and "
        });
        self.sql.push_str(sql);
        self.values.extend(values);
    }

    fn one(&mut self, sql: &str, value: impl ToSql + 'static) {
        self.and(sql, [Box::new(value) as Box<dyn ToSql>]);
    }

    fn any(&mut self, column: &str, values: Vec<Box<dyn ToSql>>) {
        if !values.is_empty() {
            let marks = vec!["?"; values.len()].join(", ");
            self.and(&format!("{column} in ({marks})"), values);
        }
    }

    fn values(&self) -> impl Iterator<Item = &dyn ToSql> {
        self.values.iter().map(|value| &**value)
    }
}

/// By when rows are ordered.
const WHEN: &str = "coalesce(requested_us, drafted_us)";
/// A person's part in a disclosure.
const TOOK_PART: &str = "(asked_by = ? or exists (select 1 from disclosure_step where disclosure = disclosure.id and person = ?))";

fn text(value: &str) -> Box<dyn ToSql> {
    Box::new(value.to_owned())
}

/// What of the register whoever asks may know of.
fn known(filter: &DisclosureFilter) -> Conditions {
    let mut conditions = Conditions::default();
    match &filter.drafts_of {
        Some(person) => conditions.one("(state <> 'draft' or asked_by = ?)", person.clone()),
        None => conditions.and("state <> 'draft'", []),
    }
    if let Some(person) = &filter.only_of {
        let mut values = vec![text(person), text(person)];
        let waiting = match &filter.or_waiting {
            None => String::new(),
            Some(Cameras::All) => " or state = 'requested'".to_owned(),
            Some(Cameras::Only(list)) => {
                values.extend(list.iter().map(|id| text(id.as_str())));
                let marks = vec!["?"; list.len()].join(", ");
                format!(
                    " or state = 'requested' and not exists (
                        select 1 from disclosure_camera where disclosure = disclosure.id and camera not in ({marks}))"
                )
            }
        };
        conditions.and(&format!("({TOOK_PART}{waiting})"), values);
    }
    conditions
}

/// What is looked for in it.
fn sought(filter: &DisclosureFilter) -> Conditions {
    let mut conditions = known(filter);
    if let Some(person) = &filter.person {
        conditions.and(TOOK_PART, [text(person), text(person)]);
    }
    let camera = "exists (select 1 from disclosure_camera where disclosure = disclosure.id";
    let within = "given_start_us < ? and given_end_us > ?";
    let ends = |span: &Span| -> [Box<dyn ToSql>; 2] { [Box::new(span.end), Box::new(span.start)] };
    match (&filter.camera, &filter.footage) {
        (Some(id), Some(span)) => {
            let values = std::iter::once(text(id.as_str())).chain(ends(span));
            conditions.and(&format!("{camera} and camera = ? and {within})"), values);
        }
        (Some(id), None) => conditions.one(&format!("{camera} and camera = ?)"), id.clone()),
        (None, Some(span)) => conditions.and(&format!("{camera} and {within})"), ends(span)),
        (None, None) => {}
    }
    if let Some(span) = &filter.disclosed {
        conditions.and("handed_us < ? and handed_us >= ?", ends(span));
    }
    if let Some(recipient) = &filter.recipient {
        conditions.one("instr(recipient, ?) > 0", recipient.to_lowercase());
    }
    if let Some(basis) = &filter.basis {
        conditions.one("basis = ?", basis.clone());
    }
    let states = filter.states.iter().map(|s| text(s.as_str())).collect();
    conditions.any("state", states);
    let kinds = filter.kinds.iter().map(|k| text(k.as_str())).collect();
    conditions.any("kind", kinds);
    conditions
}

impl Reader {
    /// At most `count_max` of the register that fit, newest first, after `after`.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn find_disclosures(
        &self,
        filter: &DisclosureFilter,
        after: Option<DisclosureCursor>,
        count_max: u32,
    ) -> Result<DisclosurePage> {
        let _one = self.snapshot()?;
        let searched = self.count_disclosures(&known(filter))?;
        let mut conditions = sought(filter);
        let found = self.count_disclosures(&conditions)?;
        if let Some(after) = after {
            let values: [Box<dyn ToSql>; 2] = [Box::new(after.at), Box::new(after.disclosure)];
            conditions.and(&format!("({WHEN}, disclosure.id) < (?, ?)"), values);
        }
        let sql = format!(
            "select {COLUMNS} from disclosure {} order by {WHEN} desc, disclosure.id desc limit {}",
            conditions.sql,
            i64::from(count_max) + 1
        );
        let mut statement = self.db.prepare(&sql)?;
        let rows = statement.query_map(params_from_iter(conditions.values()), read)?;
        let mut rows: Vec<DisclosureRow> = rows.collect::<rusqlite::Result<_>>()?;
        let more = rows.len() > count_max as usize;
        rows.truncate(count_max as usize);
        let next = rows.last().filter(|_| more).map(|row| DisclosureCursor {
            at: row.asked.as_ref().map_or(row.drafted, |asked| asked.at),
            disclosure: row.disclosure,
        });
        let rows = rows.into_iter().map(|row| self.with_cameras(row));
        Ok(DisclosurePage {
            rows: rows.collect::<Result<_>>()?,
            next,
            searched,
            found,
        })
    }

    fn count_disclosures(&self, conditions: &Conditions) -> Result<u64> {
        let sql = format!("select count(*) from disclosure {}", conditions.sql);
        let mut statement = self.db.prepare(&sql)?;
        let count = statement.query_row(params_from_iter(conditions.values()), |row| {
            Columns::of(row).count()
        })?;
        Ok(count)
    }

    /// Drafts of which nothing was saved since `before`.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn stale_drafts(&self, before: Wall) -> Result<Vec<DisclosureId>> {
        let mut statement = self.db.prepare_cached(
            "select id from disclosure where state = 'draft' and changed_us < ? order by id",
        )?;
        let rows = statement.query_map([before], |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// What was promised of disclosures and is due: answers by `answers`, and own copies destroyed by `copies`. Each with the time
    /// that was said, the earliest first.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn disclosures_due(&self, answers: Wall, copies: Wall) -> Result<Promised> {
        let list = |sql: &str, until: Wall| -> Result<Vec<(Serial, Wall)>> {
            let mut statement = self.db.prepare_cached(sql)?;
            let rows = statement.query_map([until], |row| {
                let mut columns = Columns::of(row);
                let (year, number) = (columns.get()?, columns.get()?);
                Ok((Serial { year, number }, columns.get()?))
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        };
        Ok(Promised {
            answers: list(
                "select year, number, due_us from disclosure
                 where state in ('requested', 'approved', 'prepared') and due_us <= ? order by due_us, id limit 1000",
                answers,
            )?,
            copies: list(
                "select year, number, copies_us from disclosure
                 where state in ('handed-over', 'received') and copies_us <= ? order by copies_us, id limit 1000",
                copies,
            )?,
        })
    }

    /// How many drafts a person has.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn drafts_of(&self, person: &str) -> Result<u64> {
        let mut statement = self.db.prepare_cached(
            "select count(*) from disclosure where state = 'draft' and asked_by = ?",
        )?;
        Ok(statement.query_row([person], |row| Columns::of(row).count())?)
    }
}
