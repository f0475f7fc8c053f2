//! What is recorded and what is not, as spans and as hours; kept up to date with every segment, so that a month is
//! answered without reading its segments.

use rusqlite::{Connection, params};

use crate::base::error::Result;
use crate::base::id::StreamId;
use crate::base::time::{Span, Wall};
use crate::catalog::column::Columns;
use crate::catalog::deleted::DeletedSpan;
use crate::catalog::gap::{GapCause, GapRow};
use crate::catalog::reader::Reader;
use crate::catalog::sweep::Rule;
use crate::catalog::{segment, stream};

/// Two segments that are apart by no more than this, in microseconds, count as unbroken: times of the camera are
/// rounded to the microsecond, and the slew of the wall clock makes seams.
pub const SEAM_US_MAX: i64 = 1000;

const US_PER_HOUR: i64 = 3_600_000_000;

/// How a span of time of one stream is accounted for. `recorded`, `deleted`, `gaps` and `unknown` do not overlap, and
/// together they are `span`.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Coverage {
    /// What was asked for, cut off at the present.
    pub span: Span,
    /// What closed segments cover, touching ones merged, by time.
    pub recorded: Vec<Span>,
    /// What was recorded and is deleted, by time. Where a gap and a deleted recording meet, the recording wins.
    #[serde(default)]
    pub deleted: Vec<DeletedSpan>,
    /// What is not recorded and why, by time. Where a gap and a recording meet, the recording wins.
    pub gaps: Vec<CoverageGap>,
    /// Neither recorded, deleted nor a gap: before the stream was known, or in the segment that is not closed yet; anything
    /// else is a fault of ours.
    pub unknown: Vec<Span>,
}

/// A part of a gap.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct CoverageGap {
    /// From when to when.
    pub span: Span,
    /// Why.
    pub cause: GapCause,
    /// What more is known, for people.
    pub detail: Option<String>,
}

/// How much of an hour is recorded.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct HourRow {
    /// Of which stream.
    pub stream: StreamId,
    /// Beginning of the hour, UTC.
    pub hour: Wall,
    /// Microseconds in segments; more than an hour when the clock went back and the hour was recorded twice.
    pub recorded_us: u64,
}

/// The parts of `span` by hours: beginning of the hour, microseconds in it.
fn by_hours(span: Span) -> impl Iterator<Item = (Wall, i64)> {
    let mut from = span.start;
    std::iter::from_fn(move || {
        if from >= span.end {
            return None;
        }
        let hour = Wall(from.us() - from.us().rem_euclid(US_PER_HOUR));
        let to = span.end.min(hour.plus_us(US_PER_HOUR));
        let part = (hour, to.us_since(from));
        from = to;
        Some(part)
    })
}

/// Counts a new segment in.
pub(super) fn add(db: &Connection, stream: i64, span: Span) -> Result<()> {
    for (hour, us) in by_hours(span) {
        db.prepare_cached(
            "insert into coverage_hour (stream, hour_us, recorded_us) values (?1, ?2, ?3)
             on conflict (stream, hour_us) do update set recorded_us = recorded_us + ?3",
        )?
        .execute(params![stream, hour, us])?;
    }
    merge(db, stream, span)
}

/// Counts a segment out whose row is gone already.
pub(super) fn subtract(db: &Connection, stream: i64, span: Span) -> Result<()> {
    for (hour, us) in by_hours(span) {
        db.prepare_cached(
            "update coverage_hour set recorded_us = recorded_us - ?3 where stream = ?1 and hour_us = ?2",
        )?
        .execute(params![stream, hour, us])?;
        db.prepare_cached(
            "delete from coverage_hour where stream = ?1 and hour_us = ?2 and recorded_us = 0",
        )?
        .execute(params![stream, hour])?;
    }
    // Seams that the segment shared with its neighbours go too; then what still lies there is put in again.
    let hole = widened(span);
    for row in touching(db, stream, hole)? {
        delete(db, stream, row)?;
        let left = Span {
            start: row.start,
            end: row.end.min(hole.start),
        };
        let right = Span {
            start: row.start.max(hole.end),
            end: row.end,
        };
        for part in [left, right] {
            if part.us() > SEAM_US_MAX {
                insert(db, stream, part)?;
            }
        }
    }
    for other in segment::spans(db, stream, hole)? {
        merge(db, stream, other)?;
    }
    Ok(())
}

/// Unites `span` with the recordings that it touches.
fn merge(db: &Connection, stream: i64, span: Span) -> Result<()> {
    if span.us() <= 0 {
        return Ok(());
    }
    let rows = touching(db, stream, widened(span))?;
    let whole = rows.iter().fold(span, |whole, row| Span {
        start: whole.start.min(row.start),
        end: whole.end.max(row.end),
    });
    if rows == [whole] {
        return Ok(());
    }
    for row in rows {
        delete(db, stream, row)?;
    }
    insert(db, stream, whole)
}

pub(super) fn widened(span: Span) -> Span {
    Span {
        start: span.start.plus_us(-SEAM_US_MAX),
        end: span.end.plus_us(SEAM_US_MAX),
    }
}

/// Recordings that share an instant with `span` or border on it. They never overlap each other, so only the last that
/// starts before it can reach in.
fn touching(db: &Connection, stream: i64, span: Span) -> Result<Vec<Span>> {
    let mut statement = db.prepare_cached(
        "select start_us, end_us from recorded
         where stream = ?1 and start_us <= ?3 and end_us >= ?2 and start_us >= coalesce(
             (select max(start_us) from recorded where stream = ?1 and start_us <= ?2), ?2)
         order by start_us",
    )?;
    let rows = statement.query_map(params![stream, span.start, span.end], |row| {
        Ok(Span {
            start: row.get(0)?,
            end: row.get(1)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn insert(db: &Connection, stream: i64, span: Span) -> Result<()> {
    db.prepare_cached("insert into recorded (stream, start_us, end_us) values (?, ?, ?)")?
        .execute(params![stream, span.start, span.end])?;
    Ok(())
}

fn delete(db: &Connection, stream: i64, row: Span) -> Result<()> {
    db.prepare_cached("delete from recorded where stream = ? and start_us = ?")?
        .execute(params![stream, row.start])?;
    Ok(())
}

/// Accounts for every instant of `span`. All are sorted by start; `recorded` does not overlap.
fn account(
    span: Span,
    recorded: &[Span],
    deleted: &[DeletedSpan],
    gaps: &[GapRow],
    now: Wall,
) -> Coverage {
    let mut coverage = Coverage {
        span,
        recorded: Vec::new(),
        deleted: Vec::new(),
        gaps: Vec::new(),
        unknown: Vec::new(),
    };
    let mut from = span.start;
    for row in recorded {
        let part = Span {
            start: row.start.max(span.start),
            end: row.end.min(span.end),
        };
        if part.us() > 0 {
            coverage.fill(from, part.start, deleted, gaps, now);
            from = part.end;
            coverage.recorded.push(part);
        }
    }
    coverage.fill(from, span.end, deleted, gaps, now);
    coverage
}

impl Coverage {
    /// Explains what is not recorded from `from` to `to` by what is deleted, the rest by gaps.
    fn fill(
        &mut self,
        mut from: Wall,
        to: Wall,
        deleted: &[DeletedSpan],
        gaps: &[GapRow],
        now: Wall,
    ) {
        for row in deleted {
            let (start, end) = (row.span.start.max(from), row.span.end.min(to));
            if end <= start {
                continue;
            }
            // A seam before it is part of it.
            let start = if start.us_since(from) <= SEAM_US_MAX {
                from
            } else {
                self.explain(from, start, gaps, now);
                start
            };
            self.deleted.push(DeletedSpan {
                span: Span { start, end },
                rule: row.rule,
            });
            from = end;
        }
        match self.deleted.last_mut() {
            _ if from >= to => {}
            // So is a seam after it.
            Some(last) if last.span.end == from && to.us_since(from) <= SEAM_US_MAX => {
                last.span.end = to;
            }
            _ => self.explain(from, to, gaps, now),
        }
    }

    /// Shows what was recorded before `before` as expired, whether it is deleted yet or not.
    pub fn expire(&mut self, before: Wall) {
        let mut expired = Vec::new();
        self.recorded.retain_mut(|part| {
            let end = part.end.min(before);
            if end > part.start {
                let span = Span {
                    start: part.start,
                    end,
                };
                expired.push(DeletedSpan {
                    span,
                    rule: Rule::Expired,
                });
                part.start = end;
            }
            part.us() > 0
        });
        expired.append(&mut self.deleted);
        expired.sort_by_key(|part| part.span.start);
        for part in expired {
            match self.deleted.last_mut() {
                Some(last) if last.rule == part.rule && last.span.end == part.span.start => {
                    last.span.end = part.span.end;
                }
                _ => self.deleted.push(part),
            }
        }
    }

    /// Explains what is not recorded from `from` to `to` by gaps; of gaps that overlap, the one that began first wins.
    fn explain(&mut self, mut from: Wall, to: Wall, gaps: &[GapRow], now: Wall) {
        let first = gaps.partition_point(|gap| gap.start < to);
        for gap in &gaps[..first] {
            let (start, end) = (gap.start.max(from), gap.end.unwrap_or(now).min(to));
            if end.us_since(start) <= 0 {
                continue;
            }
            // A seam before a gap is part of it.
            let start = if start.us_since(from) <= SEAM_US_MAX {
                from
            } else {
                self.unknown.push(Span {
                    start: from,
                    end: start,
                });
                start
            };
            self.gaps.push(CoverageGap {
                span: Span { start, end },
                cause: gap.cause,
                detail: gap.detail.clone(),
            });
            from = end;
        }
        match self.gaps.last_mut() {
            _ if from >= to => {}
            // So is a seam after it.
            Some(gap) if gap.span.end == from && to.us_since(from) <= SEAM_US_MAX => {
                gap.span.end = to;
            }
            _ => self.unknown.push(Span {
                start: from,
                end: to,
            }),
        }
    }
}

impl Reader {
    /// How a stream's time in `span` is accounted for, up to `now`.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn coverage(&self, stream: &StreamId, span: Span, now: Wall) -> Result<Coverage> {
        // Both questions are answered from one state of the catalog.
        let _snapshot = self.db.unchecked_transaction()?;
        let end = span.end.min(now).max(span.start);
        let span = Span {
            start: span.start,
            end,
        };
        let recorded = match stream::find(&self.db, stream)? {
            Some(id) => touching(&self.db, id, span)?,
            None => Vec::new(),
        };
        let deleted = self.deleted(stream, span)?;
        let gaps = self.gaps(stream, span, now)?;
        Ok(account(span, &recorded, &deleted, &gaps, now))
    }

    /// How much is recorded of each hour that begins in `span`, for several streams; hours without anything are left
    /// out.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn hours(&self, streams: &[StreamId], span: Span) -> Result<Vec<HourRow>> {
        let mut hours = Vec::new();
        let mut statement = self.db.prepare_cached(
            "select hour_us, recorded_us from coverage_hour
             where stream = ? and hour_us >= ? and hour_us < ? order by hour_us",
        )?;
        for stream in streams {
            let Some(id) = stream::find(&self.db, stream)? else {
                continue;
            };
            let mut rows = statement.query(params![id, span.start, span.end])?;
            while let Some(row) = rows.next()? {
                let mut columns = Columns::of(row);
                hours.push(HourRow {
                    stream: stream.clone(),
                    hour: columns.get()?,
                    recorded_us: columns.count()?,
                });
            }
        }
        Ok(hours)
    }
}
