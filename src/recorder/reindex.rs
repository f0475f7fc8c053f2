//! Rebuilds everything about footage in a new catalog from the volumes alone: heads and trailers are read, no pictures.
//!
//! Deletion is latched before the first row. What lies between two recordings is a gap whose cause is not known any more.
//! Persons, generations and events are no footage: [`keep_people`] and [`keep_events`] take them from an old catalog, if there is one.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;

use log::warn;

use crate::base::Clock;
use crate::base::disk;
use crate::base::error::Result;
use crate::base::hash::Digest;
use crate::base::id::{BoxId, RunId, SegmentId, StreamId};
use crate::base::time::{Span, Wall};
use crate::catalog::{
    Catalog, Change, DeletedSpan, Event, GapCause, Pending, PeopleChange, Reader, SEAM_US_MAX,
    SampleEntryRow, SegmentRow,
};
use crate::recorder::deletions::Deletions;
use crate::recorder::recovery::{self, Adopter, Found};
use crate::recorder::walk;
use crate::store::volume::Volume;

/// Rows in one commit.
const BATCH: usize = 500;
/// Segments between two words on how far it has come.
const TOLD_EVERY: u64 = 5_000;
/// So many places where a chain has a hole are named.
const HOLES_MAX: usize = 20;
const CAUSE: GapCause = GapCause::Unknown;
const DETAIL: &str = "the catalog that knew the cause was lost";

/// What was found on the volumes.
#[derive(Clone, PartialEq, Eq, Debug, Default, serde::Serialize)]
pub struct Report {
    /// Streams with footage.
    pub streams: u64,
    /// Segments.
    pub segments: u64,
    /// Bytes of their files.
    pub bytes: u64,
    /// Gaps between recordings.
    pub gaps: u64,
    /// Places where a segment names one before it that is not there and of which the ledger does not say that it was deleted.
    pub holes: u64,
    /// The first of them.
    pub holes_listed: Vec<String>,
    /// Files whose segment is there twice; the second is left alone.
    pub twice: Vec<PathBuf>,
    /// What lies in the folders of streams and is not ours.
    pub strangers: Vec<PathBuf>,
    /// What a crash had left: adopted or set aside.
    pub recovered: recovery::Report,
}

/// What it works on.
pub struct Reindex<'a> {
    /// The new catalog.
    pub catalog: &'a Catalog,
    /// The volumes that are there.
    pub volumes: &'a [Volume],
    /// This box.
    pub box_id: BoxId,
    /// What is known to have been deleted.
    pub deletions: &'a Deletions,
    /// The clocks.
    pub clock: &'a dyn Clock,
    /// Told how many segments were read.
    pub tell: &'a dyn Fn(u64),
}

/// Closed segments of a stream by name, that is by time, with the number of their volume.
type Closed = BTreeMap<StreamId, Vec<(PathBuf, usize)>>;

impl Reindex<'_> {
    /// Does it.
    ///
    /// # Errors
    /// When a volume cannot be read or the catalog not be written. A bad file is no error: it is set aside, as at a start.
    pub fn run(&self) -> Result<Report> {
        let mut report = Report::default();
        let reason = "the catalog was rebuilt from the volumes".to_owned();
        let latched = Event {
            detail: Some(serde_json::json!({ "text": reason })),
            ..self.event("deletion-latched", "retention", serde_json::json!({}))
        };
        let mut changes = vec![Change::DeletionLatched { reason }];
        changes.extend(self.volumes.iter().map(|volume| Change::VolumeSeen {
            volume: volume.id,
            name: volume.name.clone(),
            path: volume.root.to_string_lossy().into_owned(),
        }));
        self.catalog.commit(changes, latched)?;
        // No row before every file and its name are durable.
        for volume in self.volumes {
            disk::sync_file_system(&volume.root)?;
        }
        let mut left = Vec::new();
        let closed = self.walk(&mut report, &mut left)?;
        let mut seen = HashSet::new();
        for (stream, files) in closed {
            self.stream(&stream, files, &mut seen, &mut left, &mut report)?;
        }
        // What a crash left, and what is damaged: as at a start.
        for (number, volume) in self.volumes.iter().enumerate() {
            let mut adopter = Adopter::new(volume, self.box_id, self.catalog)?;
            let files = left.iter().filter(|(_, of)| *of == number);
            files
                .clone()
                .try_for_each(|(path, _)| adopter.adopt(path))?;
            merge(&mut report.recovered, adopter.report);
        }
        let reader = self.catalog.reader()?;
        report.gaps += recovery::account_for_losses(&reader, self.catalog, CAUSE, DETAIL)?;
        recovery::open_gaps(self.catalog, CAUSE, self.clock.wall())?;
        let facts = serde_json::json!({
            "volumes": self.volumes.iter().map(|v| v.id.to_string()).collect::<Vec<_>>(),
            "streams": report.streams,
            "segments": report.segments,
            "bytes": report.bytes,
            "gaps": report.gaps,
            "holes": report.holes,
            "twice": report.twice.len(),
            "adopted": report.recovered.adopted,
            "quarantined": report.recovered.quarantined,
        });
        let event = self.event("reindex", "catalog", facts);
        self.catalog.commit(Vec::new(), event)?;
        Ok(report)
    }

    fn event(&self, action: &str, object: &str, facts: serde_json::Value) -> Event {
        Event::of_box(self.clock.wall(), action, object, facts)
    }

    /// Names of all files.
    fn walk(&self, report: &mut Report, left: &mut Vec<(PathBuf, usize)>) -> Result<Closed> {
        let reader = self.catalog.reader()?;
        let mut closed = Closed::new();
        for (number, volume) in self.volumes.iter().enumerate() {
            let found = walk::days_on(volume)?;
            report.strangers.extend(found.strangers);
            for day in found.days {
                let here = day.compare(&reader, volume)?;
                report.strangers.extend(here.strangers);
                left.extend(here.parts.into_iter().map(|path| (path, number)));
                let of_stream = closed.entry(day.stream).or_default();
                of_stream.extend(here.unknown.into_iter().map(|path| (path, number)));
            }
        }
        for files in closed.values_mut() {
            files.sort_by(|a, b| a.0.file_name().cmp(&b.0.file_name()));
        }
        Ok(closed)
    }

    fn stream(
        &self,
        stream: &StreamId,
        files: Vec<(PathBuf, usize)>,
        seen: &mut HashSet<SegmentId>,
        left: &mut Vec<(PathBuf, usize)>,
        report: &mut Report,
    ) -> Result<()> {
        let (mut rows, mut entries) = (Vec::with_capacity(files.len()), HashMap::new());
        for (path, number) in files {
            let volume = &self.volumes[number];
            match recovery::read_closed(volume, self.box_id, &path) {
                Ok(found) if found.row.stream == *stream && found.is_in_place(volume) => {
                    if !seen.insert(found.row.segment) {
                        warn!(
                            "{}: its segment is there twice; it is left alone",
                            path.display()
                        );
                        report.twice.push(path);
                        continue;
                    }
                    let Found { row, entry, .. } = found;
                    entries.entry(row.sample_entry).or_insert(entry);
                    rows.push(row);
                }
                _ => left.push((path, number)),
            }
            if (seen.len() as u64).is_multiple_of(TOLD_EVERY) {
                (self.tell)(seen.len() as u64);
            }
        }
        if rows.is_empty() {
            return Ok(());
        }
        report.streams += 1;
        report.segments += rows.len() as u64;
        report.bytes += rows.iter().map(|row| row.bytes).sum::<u64>();
        let deleted = self.deletions.of_stream(stream);
        holes(stream, &rows, deleted, report);
        let accounted = account(stream, &rows, deleted);
        report.gaps += accounted.gaps;
        let entries = entries
            .values()
            .map(|entry| Change::SampleEntrySeen(Box::new(SampleEntryRow::from(entry))));
        let segments = in_order_of_chain(rows)
            .into_iter()
            .map(|row| Change::SegmentClosed(Box::new(row)));
        let told = deleted.iter().map(|deleted| Change::DeletionTold {
            stream: stream.clone(),
            deleted: *deleted,
        });
        self.commit(entries.chain(segments).chain(told).chain(accounted.changes))
    }

    /// In batches, several under way at a time.
    fn commit(&self, changes: impl Iterator<Item = Change>) -> Result<()> {
        let mut changes = changes.peekable();
        let mut under_way: Option<Pending> = None;
        while changes.peek().is_some() {
            let batch: Vec<_> = changes.by_ref().take(BATCH).collect();
            let next = self.catalog.commit_pending(batch, None);
            if let Some(before) = under_way.replace(next) {
                before.wait()?;
            }
        }
        under_way.map_or(Ok(()), Pending::wait)
    }
}

/// Counts where a segment names one that is not there, although nothing of that time was deleted.
fn holes(stream: &StreamId, rows: &[SegmentRow], deleted: &[DeletedSpan], report: &mut Report) {
    let roots: HashSet<Digest> = rows.iter().map(|row| row.content_root).collect();
    // Before the first there was something that is deleted.
    for pair in rows.windows(2) {
        let (before, row) = (&pair[0], &pair[1]);
        let known = row.previous_root == Digest::ZERO || roots.contains(&row.previous_root);
        let between = Span {
            start: before.end,
            end: row.start.plus_us(SEAM_US_MAX),
        };
        let is_deleted = || deleted.iter().any(|d| d.span.overlaps(&between));
        // What a crash cut short may have named more than was found.
        if known || before.recovered || is_deleted() {
            continue;
        }
        report.holes += 1;
        if report.holes_listed.len() < HOLES_MAX {
            let at = row.start;
            report.holes_listed.push(format!("{stream}: before {at}"));
        }
    }
}

fn merge(into: &mut recovery::Report, from: recovery::Report) {
    into.adopted += from.adopted;
    into.rows_added += from.rows_added;
    into.cut_bytes += from.cut_bytes;
    into.empty += from.empty;
    into.quarantined.extend(from.quarantined);
    into.skipped.extend(from.skipped);
}

/// Rows by time, but for those that follow the last one: after the clock went back they are younger than it, and the
/// next segment is chained to the youngest.
fn in_order_of_chain(mut rows: Vec<SegmentRow>) -> Vec<SegmentRow> {
    let follows: HashMap<Digest, usize> = rows
        .iter()
        .enumerate()
        .map(|(number, row)| (row.previous_root, number))
        .collect();
    let Some(last) = rows.last() else {
        return rows;
    };
    let (mut root, mut chain) = (last.content_root, Vec::new());
    // A chain of more links than there are rows is a forged one.
    while let Some(next) = follows.get(&root).filter(|_| chain.len() < rows.len()) {
        chain.push(*next);
        root = rows[*next].content_root;
    }
    let moved: HashMap<usize, usize> = chain.iter().copied().zip(1..).collect();
    let mut numbered: Vec<_> = rows.drain(..).enumerate().collect();
    numbered.sort_by_key(|(number, _)| moved.get(number).copied().unwrap_or_default());
    numbered.into_iter().map(|(_, row)| row).collect()
}

/// Gaps and ends of runs that follow from the segments.
struct Accounted {
    changes: Vec<Change>,
    gaps: u64,
}

fn account(stream: &StreamId, rows: &[SegmentRow], deleted: &[DeletedSpan]) -> Accounted {
    let mut accounted = Accounted {
        changes: Vec::new(),
        gaps: 0,
    };
    let mut until: Option<Wall> = None;
    let mut runs: HashMap<RunId, Wall> = HashMap::new();
    for row in rows {
        if let Some(end) = until
            && row.start.us_since(end) > SEAM_US_MAX
        {
            let mut parts = vec![Span {
                start: end,
                end: row.start,
            }];
            for known in deleted {
                parts = parts
                    .iter()
                    .flat_map(|part| part.without(known.span))
                    .collect();
            }
            for span in parts.into_iter().filter(|part| part.us() > SEAM_US_MAX) {
                accounted.gaps += 1;
                accounted.changes.push(Change::GapRecorded {
                    stream: stream.clone(),
                    span,
                    cause: CAUSE,
                    detail: Some(DETAIL.to_owned()),
                });
            }
        }
        until = until.max(Some(row.end));
        let end = runs.entry(row.run).or_insert(row.end);
        *end = row.end.max(*end);
    }
    let ended = runs.into_iter().map(|(run, at)| Change::RunEnded {
        run,
        at,
        cause: CAUSE.to_string(),
    });
    accounted.changes.extend(ended);
    accounted
}

/// Takes persons with their rights, keys and factors, and vault generations with their wraps from an old catalog. The number
/// of persons. Open enrolments are left behind.
///
/// # Errors
/// When the old one cannot be read or the new one not be written; then nothing was written.
pub fn keep_people(old: &Reader, new: &Catalog) -> Result<usize> {
    let persons = old.persons()?;
    let mut people: Vec<_> = old
        .accounts()?
        .into_iter()
        .map(|account| PeopleChange::Added(Box::new(account)))
        .collect();
    let accounts = people.len();
    let grants = old.grants()?.into_iter();
    people.extend(grants.map(|grant| PeopleChange::Granted(Box::new(grant))));
    for row in &persons {
        people.push(PeopleChange::Keys {
            person: row.person,
            name: row.name.clone(),
            row: row.row.clone(),
        });
        let Some(factor) = old.factor(row.person)? else {
            continue;
        };
        people.push(PeopleChange::Factor {
            person: row.person,
            secret: factor.secret,
            at: factor.created,
            codes: factor.codes,
        });
        if factor.last_step > 0 {
            people.push(PeopleChange::StepUsed {
                person: row.person,
                step: factor.last_step,
            });
        }
    }
    let mut changes: Vec<_> = people.into_iter().map(Change::from).collect();
    let mut generations = old.generations()?;
    // The one that is added last is the current one.
    generations.sort_by_key(|row| (row.current, row.created));
    let mut wraps = Vec::new();
    for row in &generations {
        changes.push(Change::GenerationAdded {
            generation: row.generation,
            recipient: row.recipient.clone(),
            created: row.created,
        });
        wraps.extend(old.wrap_for_recovery(row.generation)?);
    }
    for person in &persons {
        wraps.extend(old.wraps(person.person)?);
    }
    changes.extend(wraps.into_iter().map(|wrap| Change::WrapAdded {
        generation: wrap.generation,
        person: wrap.person,
        bytes: wrap.bytes,
    }));
    new.commit(changes, None)?;
    Ok(accounts)
}

#[cfg(test)]
#[path = "reindex_tests.rs"]
mod tests;
