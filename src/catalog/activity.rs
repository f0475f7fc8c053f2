//! Activity: a byte for each second, in rows of an hour.

use rusqlite::{Connection, OptionalExtension, params};

use crate::base::error::{Error, Result};
use crate::base::id::StreamId;
use crate::base::time::{Span, Wall};
use crate::catalog::column::Columns;
use crate::catalog::reader::Reader;
use crate::catalog::stream;

const US_PER_HOUR: i64 = 3_600_000_000;
const SECONDS_PER_HOUR: usize = 3600;

/// An hour's levels.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct ActivityHour {
    /// Beginning of the hour, UTC.
    pub hour: Wall,
    /// A level for each second from there on, 0 = nothing; may stop before the hour does.
    #[serde(with = "crate::catalog::json::bytes")]
    pub values: Vec<u8>,
}

pub(super) fn merge(
    db: &Connection,
    stream: &StreamId,
    hour: Wall,
    from_second: u16,
    values: &[u8],
) -> Result<()> {
    let from = usize::from(from_second);
    let to = from + values.len();
    if to > SECONDS_PER_HOUR || hour.us() % US_PER_HOUR != 0 {
        return Err(Error::invalid(format!(
            "{} seconds from second {from} of {hour} do not lie in one hour",
            values.len()
        )));
    }
    // Not the hour's beginning, when the stream may not have been known yet.
    let end = hour.plus_us(i64::try_from(to).unwrap_or_default() * 1_000_000);
    let stream = stream::ensure(db, stream, end)?;
    let mut levels: Vec<u8> = db
        .prepare_cached("select levels from activity where stream = ? and hour_us = ?")?
        .query_row(params![stream, hour], |row| row.get(0))
        .optional()?
        .unwrap_or_default();
    if levels.len() < to {
        levels.resize(to, 0);
    }
    levels[from..to].copy_from_slice(values);
    db.prepare_cached(
        "insert into activity (stream, hour_us, levels) values (?1, ?2, ?3)
         on conflict (stream, hour_us) do update set levels = ?3",
    )?
    .execute(params![stream, hour, levels])?;
    Ok(())
}

/// Forgets the seconds that `span` touches: what tells of footage goes with it.
pub(super) fn erase(db: &Connection, stream: i64, span: Span) -> Result<()> {
    const US: i64 = 1_000_000;
    let (first, end) = (
        span.start.us().div_euclid(US),
        (span.end.us() + US - 1).div_euclid(US),
    );
    let mut from = first;
    while from < end {
        let hour_s = from - from.rem_euclid(3600);
        let to = end.min(hour_s + 3600);
        let hour = Wall::from_secs(hour_s);
        let found: Option<Vec<u8>> = db
            .prepare_cached("select levels from activity where stream = ? and hour_us = ?")?
            .query_row(params![stream, hour], |row| row.get(0))
            .optional()?;
        if let Some(mut levels) = found {
            let place = |second: i64| {
                usize::try_from(second - hour_s).map_or(levels.len(), |n| n.min(levels.len()))
            };
            let range = place(from)..place(to);
            levels[range].fill(0);
            if levels.iter().all(|level| *level == 0) {
                db.prepare_cached("delete from activity where stream = ? and hour_us = ?")?
                    .execute(params![stream, hour])?;
            } else {
                db.prepare_cached(
                    "update activity set levels = ?3 where stream = ?1 and hour_us = ?2",
                )?
                .execute(params![stream, hour, levels])?;
            }
        }
        from = to;
    }
    Ok(())
}

impl Reader {
    /// Activity of a stream in all hours that share an instant with `span`.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn activity(&self, stream: &StreamId, span: Span) -> Result<Vec<ActivityHour>> {
        let Some(id) = stream::find(&self.db, stream)? else {
            return Ok(Vec::new());
        };
        let mut statement = self.db.prepare_cached(
            "select hour_us, levels from activity
             where stream = ? and hour_us > ? and hour_us < ? order by hour_us",
        )?;
        let first = span.start.plus_us(-US_PER_HOUR);
        let rows = statement.query_map(params![id, first, span.end], |row| {
            let mut columns = Columns::of(row);
            Ok(ActivityHour {
                hour: columns.get()?,
                values: columns.get()?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}
