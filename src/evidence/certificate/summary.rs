//! Adds the entries of a certificate up.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::base::error::{Error, Result};
use crate::base::hash::Digest;
use crate::base::merkle;
use crate::base::time::{Span, Wall};
use crate::base::zone::Zone;
use crate::evidence::certificate::Certificate;
use crate::ledger::entry::{self, Entry};

/// What was deleted of one stream by one rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// `kassa-1/main`.
    pub stream: String,
    /// `expired`, `early` …
    pub rule: String,
    /// From the earliest instant to the latest; there may be holes.
    pub span: Span,
    /// Segments.
    pub segments: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// What was deleted on one day of the site.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Day {
    /// Sweeps.
    pub sweeps: u64,
    /// Segments.
    pub segments: u64,
    /// Their bytes.
    pub bytes: u64,
    /// How many of the segments went early.
    pub early: u64,
}

/// A scan of a volume for what is older than it may be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scan {
    /// Which volume.
    pub volume: String,
    /// When.
    pub at: Wall,
    /// How much of it was looked at: files.
    pub files: u64,
    /// What was found that is older than it may be and was not deleted at once.
    pub found: u64,
}

/// The sums.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Summary {
    /// By stream and rule; those of the cameras that were asked for.
    pub lines: Vec<Line>,
    /// By day of the site, as `2026-11-23`, with an instant of that day.
    pub days: BTreeMap<String, (Wall, Day)>,
    /// Sweeps of the period, whatever they deleted.
    pub sweeps: u64,
    /// Segments that could not be deleted at the end of a sweep, added up.
    pub failures: u64,
    /// Root over the leaves of the sweeps' entries.
    pub root: Option<Digest>,
    /// The last scan of each volume.
    pub scans: Vec<Scan>,
    /// Numbers of sweeps that are missing between two that are there.
    pub holes: u64,
}

impl Summary {
    /// Of a certificate; whether its entries are what the box signed, `verify` says.
    ///
    /// # Errors
    /// `Corrupt` when an entry is not what a sweep or a scan leaves.
    pub fn of(certificate: &Certificate) -> Result<Self> {
        let zone = Zone::named(&certificate.zone)?;
        let mut sums = Sums {
            certificate,
            zone,
            summary: Self::default(),
            lines: BTreeMap::new(),
            leaves: Vec::new(),
            scans: BTreeMap::new(),
        };
        for part in &certificate.epochs {
            let mut last = None;
            for line in &part.entries {
                let entry = Entry::parse(&line.line)?;
                match entry.action.as_str() {
                    "sweep" => sums.sweep(&entry, &line.line, &mut last)?,
                    "over-age" => sums.scan(&entry),
                    other => {
                        return Err(Error::corrupt(format!(
                            "entry {} is about {other}, which has no place here",
                            entry.seq
                        )));
                    }
                }
            }
        }
        Ok(sums.finish())
    }

    /// Segments and bytes of all lines.
    pub fn total(&self) -> (u64, u64) {
        let of = |sum: (u64, u64), line: &Line| (sum.0 + line.segments, sum.1 + line.bytes);
        self.lines.iter().fold((0, 0), of)
    }
}

struct Sums<'a> {
    certificate: &'a Certificate,
    zone: Zone,
    summary: Summary,
    lines: BTreeMap<(String, String), Line>,
    leaves: Vec<Digest>,
    scans: BTreeMap<String, Scan>,
}

impl Sums<'_> {
    fn sweep(&mut self, entry: &Entry, line: &str, last: &mut Option<u64>) -> Result<()> {
        let certificate = self.certificate;
        if entry.at < certificate.from || entry.at >= certificate.to {
            return Err(Error::corrupt(format!(
                "the sweep of entry {} is not of this period",
                entry.seq
            )));
        }
        let facts = &entry.facts;
        let number = facts["sweep"].as_u64();
        if let (Some(last), Some(number)) = (*last, number) {
            self.summary.holes += number.saturating_sub(last + 1);
        }
        *last = number.or(*last);
        self.leaves.push(entry::leaf(line));
        self.summary.sweeps += 1;
        self.summary.failures += facts["failures"].as_u64().unwrap_or_default();
        let key = self
            .zone
            .rfc3339(entry.at)
            .chars()
            .take(10)
            .collect::<String>();
        let day = &mut self
            .summary
            .days
            .entry(key)
            .or_insert((entry.at, Day::default()))
            .1;
        day.sweeps += 1;
        let none = serde_json::Map::new();
        for (rule, lines) in facts["deleted"].as_object().unwrap_or(&none) {
            for line in lines.as_array().into_iter().flatten() {
                let line = read_line(rule, line)
                    .ok_or_else(|| Error::corrupt(format!("entry {} is no sweep's", entry.seq)))?;
                if !certificate.wants(&line.stream) {
                    continue;
                }
                day.segments += line.segments;
                day.bytes += line.bytes;
                if rule == "early" {
                    day.early += line.segments;
                }
                add(&mut self.lines, line);
            }
        }
        Ok(())
    }

    /// The last of a volume counts.
    fn scan(&mut self, entry: &Entry) {
        let number = |name: &str| entry.facts[name].as_u64().unwrap_or_default();
        let scan = Scan {
            volume: entry.object.clone(),
            at: entry.at,
            files: number("files"),
            found: number("told") + number("overdue"),
        };
        self.scans.insert(scan.volume.clone(), scan);
    }

    fn finish(self) -> Summary {
        Summary {
            lines: self.lines.into_values().collect(),
            root: (!self.leaves.is_empty()).then(|| merkle::root(&self.leaves)),
            scans: self.scans.into_values().collect(),
            ..self.summary
        }
    }
}

/// `[stream, from, to, segments, bytes]`.
fn read_line(rule: &str, line: &Value) -> Option<Line> {
    Some(Line {
        stream: line[0].as_str()?.to_owned(),
        rule: rule.to_owned(),
        span: Span {
            start: Wall(line[1].as_i64()?),
            end: Wall(line[2].as_i64()?),
        },
        segments: line[3].as_u64()?,
        bytes: line[4].as_u64()?,
    })
}

fn add(lines: &mut BTreeMap<(String, String), Line>, line: Line) {
    let key = (line.stream.clone(), line.rule.clone());
    match lines.get_mut(&key) {
        None => drop(lines.insert(key, line)),
        Some(sum) => {
            sum.span.start = sum.span.start.min(line.span.start);
            sum.span.end = sum.span.end.max(line.span.end);
            sum.segments += line.segments;
            sum.bytes += line.bytes;
        }
    }
}

impl Certificate {
    /// True for a stream of the cameras that were asked for.
    pub fn wants(&self, stream: &str) -> bool {
        let camera = stream.split('/').next().unwrap_or_default();
        self.cameras
            .as_ref()
            .is_none_or(|cameras| cameras.iter().any(|wanted| wanted == camera))
    }
}
