//! Time that was recorded and is deleted: neither recording nor gap.

use rusqlite::{Connection, params};

use crate::base::error::Result;
use crate::base::id::StreamId;
use crate::base::time::{Span, Wall};
use crate::catalog::coverage::widened;
use crate::catalog::reader::Reader;
use crate::catalog::stream;
use crate::catalog::sweep::Rule;

/// A deleted span.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct DeletedSpan {
    /// From when to when.
    pub span: Span,
    /// Why.
    pub rule: Rule,
}

/// Rows of one rule never overlap each other, so only the last that starts before a span can reach into it.
const TOUCHING: &str =
    "stream = ?1 and rule = ?2 and start_us <= ?4 and end_us >= ?3 and start_us >= coalesce(
    (select max(start_us) from deleted where stream = ?1 and rule = ?2 and start_us <= ?3), ?3)";

/// Unites `span` with the deleted spans that it touches.
pub(super) fn add(db: &Connection, stream: i64, rule: Rule, span: Span) -> Result<()> {
    if span.us() <= 0 {
        return Ok(());
    }
    let wide = widened(span);
    let at = params![stream, rule, wide.start, wide.end];
    let (start, end): (Option<Wall>, Option<Wall>) = db
        .prepare_cached(&format!(
            "select min(start_us), max(end_us) from deleted where {TOUCHING}"
        ))?
        .query_row(at, |row| Ok((row.get(0)?, row.get(1)?)))?;
    if start.is_some() {
        db.prepare_cached(&format!("delete from deleted where {TOUCHING}"))?
            .execute(at)?;
    }
    db.prepare_cached("insert into deleted (stream, rule, start_us, end_us) values (?, ?, ?, ?)")?
        .execute(params![
            stream,
            rule,
            start.map_or(span.start, |start| start.min(span.start)),
            end.map_or(span.end, |end| end.max(span.end)),
        ])?;
    Ok(())
}

/// Notes a span of a lost catalog; nothing happens for an unknown stream.
pub(super) fn told(db: &Connection, stream: &StreamId, deleted: DeletedSpan) -> Result<()> {
    match stream::find(db, stream)? {
        Some(id) => add(db, id, deleted.rule, deleted.span),
        None => Ok(()),
    }
}

impl Reader {
    /// Deleted spans of a stream that share an instant with `span`, by start.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn deleted(&self, stream: &StreamId, span: Span) -> Result<Vec<DeletedSpan>> {
        let Some(id) = stream::find(&self.db, stream)? else {
            return Ok(Vec::new());
        };
        let mut statement = self.db.prepare_cached(
            "select start_us, end_us, rule from deleted
             where stream = ?1 and start_us < ?3 and end_us > ?2 order by start_us, rule",
        )?;
        let rows = statement.query_map(params![id, span.start, span.end], |row| {
            Ok(DeletedSpan {
                span: Span {
                    start: row.get(0)?,
                    end: row.get(1)?,
                },
                rule: row.get(2)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Up to when footage of a stream went before its time; `None` when none did.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn lost_early(&self, stream: &StreamId) -> Result<Option<Wall>> {
        let Some(id) = stream::find(&self.db, stream)? else {
            return Ok(None);
        };
        let mut statement = self.db.prepare_cached(
            "select max(end_us) from deleted where stream = ?1 and rule = 'early'
                 and start_us = (select max(start_us) from deleted where stream = ?1 and rule = 'early')",
        )?;
        Ok(statement.query_row([id], |row| row.get(0))?)
    }

    /// Up to when a stream's footage is deleted, before `oldest`, where what is listed begins; `None` when nothing is.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn deleted_until(
        &self,
        stream: &StreamId,
        oldest: Option<Wall>,
    ) -> Result<Option<DeletedSpan>> {
        let oldest = oldest.unwrap_or(Wall(i64::MAX));
        let before = Span {
            start: Wall(i64::MIN),
            end: oldest,
        };
        let deleted = self.deleted(stream, before)?;
        Ok(deleted.into_iter().max_by_key(|part| part.span.end))
    }
}
