//! Gathers what is known of the box from the boards and the catalog.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use crate::alarm::{Clock, Facts, Ledger, Promised, Stream, Sweeping, Volume};
use crate::backup;
use crate::base::error::Result;
use crate::base::id::{StreamId, StreamKind};
use crate::base::time::{Mono, Span, Wall};
use crate::catalog::{GapCause, GapRow, Reader, Serial};
use crate::config::Config;
use crate::daemon::alarms::Options;
use crate::daemon::alarms::probe::Probe;
use crate::daemon::alarms::targets::Targets;
use crate::daemon::answer::Deletion;
use crate::daemon::ledger::LedgerStatus;
use crate::daemon::people::warning_text;
use crate::recorder::board::{Line, Phase};

/// What changes slowly is asked this often.
const SLOW_EVERY: Duration = Duration::from_secs(30);
/// Two looks at the clocks that differ by more than this, in microseconds, have a step of the clock between them.
const STEP_US: i64 = 1_000_000;
/// What a catalog's name begins with that a reindex set aside.
const OLD_CATALOG: &str = "catalog.db.before-";
/// It is of use for so long, in microseconds: it knows the causes of gaps.
const OLD_CATALOG_US: i64 = 30 * DAY_US;
/// A backup is made in less.
const DAY_US: i64 = 86_400_000_000;
/// An answer is told of so long before it is due.
const ANSWER_WARNS_US: i64 = 7 * DAY_US;
/// Copies are kept for 14 days at most, so that they are told of when there is a day left.
const COPIES_WARNS_US: i64 = DAY_US;
const HOUR_US: i64 = 3_600_000_000;

/// What is remembered between looks.
#[derive(Default)]
pub(super) struct Gatherer {
    clocks: Option<(Wall, Mono)>,
    stepped: Option<(Mono, i64)>,
    slow: Option<(Mono, Slow)>,
}

#[derive(Clone, Default)]
struct Slow {
    overdue: BTreeMap<StreamId, u64>,
    lost: BTreeMap<StreamId, Wall>,
    holds_due: u64,
    promised: crate::catalog::Promised,
    ledger: LedgerStatus,
    backup: Option<Wall>,
    lacks_backup_since: Option<Wall>,
    old_catalogs: Option<String>,
}

impl Slow {
    /// When the last backup was made, if that is too long ago.
    fn backup_overdue(&self, config: &Config, now: Wall) -> Option<Option<Wall>> {
        let since = self.backup.or(self.lacks_backup_since)?;
        let max_us = i64::from(config.backup.max_age_secs) * 1_000_000;
        (now.us_since(since) > max_us).then_some(self.backup)
    }
}

impl Gatherer {
    pub(super) fn facts(
        &mut self,
        options: &Options,
        reader: &Reader,
        config: &Config,
        probe: &Probe,
        targets: &Targets,
    ) -> Result<Facts> {
        let shared = &options.shared;
        let (now, mono) = (shared.clock.wall(), shared.clock.mono());
        let deletion = options.deletion.get();
        let slow = self.slow(options, reader, &deletion, now, mono)?;
        let clock = self.clock(&deletion, now, mono);
        let certificate_ends = options.feed.with(|fed| fed.certificate_ends);
        let failing = targets.progress().failing;
        Ok(Facts {
            streams: streams(reader, config, &shared.board.lines(), now)?,
            volumes: volumes(options, config, probe, &deletion, mono),
            sweeping: Sweeping {
                latched: reader.meta()?.latch,
                failed: deletion.failed,
                failures: deletion.failures.len() as u64,
                overdue: slow.overdue.clone(),
                lost: slow.lost.clone(),
                holds_due: slow.holds_due,
            },
            clock,
            ledger: Ledger {
                trouble: shared.catalog.trouble(),
                anchor_overdue: slow
                    .ledger
                    .anchor_overdue
                    .then_some(slow.ledger.last_anchor),
            },
            promised: promised(&slow.promised, config),
            holders: shared.access.holder_warning().as_ref().map(warning_text),
            certificate_left_s: certificate_ends.map(|ends| ends.us_since(now) / 1_000_000),
            backup_overdue: slow.backup_overdue(config, now),
            old_catalogs: slow.old_catalogs.clone(),
            undelivered_for: failing.map(|since| mono.since(since)),
        })
    }

    fn slow(
        &mut self,
        options: &Options,
        reader: &Reader,
        deletion: &Deletion,
        now: Wall,
        mono: Mono,
    ) -> Result<Slow> {
        if let Some((at, slow)) = &self.slow
            && mono.since(*at) < SLOW_EVERY
        {
            return Ok(slow.clone());
        }
        let mut slow = Slow {
            ledger: LedgerStatus::read(reader, now)?,
            backup: backup::last(reader)?,
            lacks_backup_since: Some(backup::lacks_since(reader)?),
            old_catalogs: old_catalogs(&options.dir, now),
            ..Slow::default()
        };
        let holds = reader.holds()?;
        // By a clock that is not believed nothing is late.
        if deletion.paused.is_none() {
            slow.promised = due_soon(reader, now)?;
        }
        let rows = match deletion.paused {
            Some(_) => Vec::new(),
            None => reader.streams()?,
        };
        for row in rows {
            if let Some(count) = reader.overdue(&row, now)? {
                slow.overdue.insert(row.stream.clone(), count);
            }
            if let Some(until) = reader.lost_early(&row.stream)?
                && now.us_since(until) < i64::from(row.guarantee_s) * 1_000_000
            {
                slow.lost.insert(row.stream, until);
            }
        }
        let due = holds.iter().filter(|hold| hold.is_due(now));
        slow.holds_due = due.count() as u64;
        self.slow = Some((mono, slow.clone()));
        Ok(slow)
    }

    fn clock(&mut self, deletion: &Deletion, now: Wall, mono: Mono) -> Clock {
        let before = self.clocks.replace((now, mono));
        if let Some((wall, since)) = before {
            let us = now.us_since(wall) - mono.us_since(since);
            if us.abs() > STEP_US {
                self.stepped = Some((mono, us));
            }
        }
        Clock {
            unsynchronised: deletion.unsynchronised,
            doubt: deletion.paused.clone(),
            stepped: self.stepped.map(|(at, us)| (mono.since(at), us)),
        }
    }
}

/// What was promised of disclosures and is due soon, or late.
pub(super) fn due_soon(reader: &Reader, now: Wall) -> Result<crate::catalog::Promised> {
    reader.disclosures_due(now.plus_us(ANSWER_WARNS_US), now.plus_us(COPIES_WARNS_US))
}

fn promised(due: &crate::catalog::Promised, config: &Config) -> Promised {
    let zone = config.site.zone;
    let words = |list: &[(Serial, Wall)]| {
        let word = |(serial, at): &(Serial, Wall)| format!("{serial} by {}", zone.date(*at));
        list.iter().map(word).collect()
    };
    Promised {
        answers: words(&due.answers),
        copies: words(&due.copies),
    }
}

/// Old catalogs that a reindex set aside, with details that may have been erased since, when they are older than a month; and the
/// copy of a backup that was killed, after a day. In words.
fn old_catalogs(dir: &Path, now: Wall) -> Option<String> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let is_old = |entry: &std::fs::DirEntry| {
        let name = entry.file_name().into_string().unwrap_or_default();
        let changed = entry.metadata().and_then(|data| data.modified());
        let kept_us = match name.as_str() {
            backup::COPY => DAY_US,
            name if name.starts_with(OLD_CATALOG) => OLD_CATALOG_US,
            _ => return false,
        };
        changed.is_ok_and(|at| now.us_since(Wall::from(at)) > kept_us)
    };
    let mut old: Vec<_> = entries
        .filter(is_old)
        .map(|entry| entry.path().display().to_string())
        .collect();
    old.sort();
    let first = old.first()?;
    Some(format!(
        "{} old copies of the catalog; the first: {first}",
        old.len()
    ))
}

/// Every stream that shall be recorded.
fn streams(
    reader: &Reader,
    config: &Config,
    lines: &BTreeMap<StreamId, Line>,
    now: Wall,
) -> Result<Vec<Stream>> {
    let mut streams = Vec::new();
    for camera in config.cameras.iter().filter(|camera| camera.enabled) {
        for kind in [StreamKind::Main, StreamKind::Sub] {
            if camera.stream_path(kind).is_none() {
                continue;
            }
            let stream = StreamId {
                camera: camera.id.clone(),
                kind,
            };
            let line = lines.get(&stream);
            let span = Span {
                start: now.plus_us(-HOUR_US),
                end: now,
            };
            streams.push(Stream {
                volume: camera.volume.clone(),
                records: line.is_some_and(|line| line.phase == Phase::Recording),
                cause: reader.open_gap(&stream)?.map(|gap| gap.cause),
                trouble: line.and_then(|line| line.last_error.clone()),
                holes: holes(&reader.gaps(&stream, span, now)?, span),
                stream,
            });
        }
    }
    Ok(streams)
}

/// How many gaps that nobody ordered reach into `span`, and their length in it.
fn holes(gaps: &[GapRow], span: Span) -> (u64, i64) {
    let ordered = [
        GapCause::NotStarted,
        GapCause::Stopped,
        GapCause::Disabled,
        GapCause::Removed,
    ];
    let counted = gaps.iter().filter(|gap| !ordered.contains(&gap.cause));
    counted.fold((0, 0), |(count, us), gap| {
        let end = gap.end.unwrap_or(span.end).min(span.end);
        (
            count + 1,
            us + end.us_since(gap.start.max(span.start)).max(0),
        )
    })
}

fn volumes(
    options: &Options,
    config: &Config,
    probe: &Probe,
    deletion: &Deletion,
    mono: Mono,
) -> Vec<Volume> {
    let shared = &options.shared;
    let found = probe.found();
    let behind = shared.board.pulses.behind(mono);
    let mirrors = options.ledger.mirrors();
    let marks = shared.scrub.mark().volumes;
    let volume = |name: &str| {
        let mark = marks.values().find(|mark| mark.name == name);
        Volume {
            name: name.to_owned(),
            missing: found.missing.get(name).cloned(),
            silent_for: found
                .asking
                .as_ref()
                .filter(|(asked, _)| asked == name)
                .map(|(_, since)| mono.since(*since)),
            behind: behind.get(name).copied().unwrap_or_default(),
            full_in_vain: deletion.in_vain.iter().any(|of| of == name),
            early: deletion.early.iter().any(|of| of == name),
            damaged: mark.map_or(0, |mark| mark.damaged.len() as u64),
            missing_segments: mark.map_or(0, |mark| mark.missing),
            strangers: mark.map_or(0, |mark| mark.strangers),
            over_age: mark.and_then(|mark| {
                let first = mark.over_age.first()?.clone();
                Some((mark.over_age_count, first))
            }),
            quarantine_lost: mark.map_or(0, |mark| mark.quarantine_lost),
            touched: options
                .feed
                .with(|fed| fed.touched.get(name).map(|(touched, _)| touched.clone())),
            mirror: mirrors.get(name).cloned(),
        }
    };
    config.volumes.iter().map(|v| volume(&v.name)).collect()
}

#[cfg(test)]
#[path = "promised_tests.rs"]
mod tests;
