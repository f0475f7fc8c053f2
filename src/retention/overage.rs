//! What lies on a volume for longer than it may and is no row of the catalog: sweeps do not see it. Files in quarantine, left-over
//! keys and copies of packages go by a rule of their own; whatever else is found is told, and left to people.
//!
//! Finding is apart from deleting: [`look`] changes nothing.

use std::collections::BTreeMap;
use std::fs::{self, DirEntry};
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::base::disk;
use crate::base::error::{Context, Error, Kind, Result};
use crate::base::id::{CameraId, SegmentId, StreamId, StreamKind};
use crate::base::time::{Span, Wall};
use crate::catalog::{Catalog, Event, Phase, Reader};
use crate::store::mark::MARK_FILE;
use crate::store::slots::SlotFile;
use crate::store::volume::{IDENTITY_FILE, KEYS_DIR, PACKAGES_DIR, QUARANTINE_DIR, Volume};

const DAY_US: i64 = 86_400_000_000;
/// The longest segment, in microseconds: a file that began so long before the limit is over it.
const SEGMENT_US: i64 = 300 * 1_000_000;
/// A part, and what has no row, may be older than it may be kept by so much: adopting and sweeping have their own pace.
const GRACE_US: i64 = 2 * DAY_US;
/// The house's own copies of packages are kept for 14 days at most, whatever their source; who makes them wipes them by then, and
/// what is left after a day more is wiped here.
const PACKAGE_US_MAX: i64 = 15 * DAY_US;
/// So many are named.
pub const LISTED_MAX: usize = 20;
/// Folders that are entered where nothing of ours lies.
const FOLDERS_MAX: usize = 10_000;
/// Where the mirrors of the ledger lie: no footage, and kept for ever.
const LEDGER: &str = "sinetti-ledger";
/// What a fresh file system has.
const LOST_FOUND: &str = "lost+found";

/// Why something goes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Cause {
    /// A file in quarantine whose time is over.
    QuarantineAge,
    /// A file in quarantine for which there is no room.
    QuarantineRoom,
    /// Keys of a day of which nothing is left.
    Keys,
    /// A copy of a package whose time is over.
    Package,
}

impl Cause {
    /// Its stable text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::QuarantineAge => "quarantine-age",
            Self::QuarantineRoom => "quarantine-room",
            Self::Keys => "keys",
            Self::Package => "package",
        }
    }
}

/// Something that goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Doomed {
    /// Where it lies.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// Why.
    pub cause: Cause,
    /// Of which stream it is, as far as its name says.
    pub stream: Option<StreamId>,
    /// Which segment it was, and when that began.
    segment: Option<(SegmentId, Wall)>,
}

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Found {
    /// What goes.
    pub doomed: Vec<Doomed>,
    /// Files that were looked at.
    pub files: u64,
    /// What is too old and may not be removed by us, with the reason.
    pub told: Vec<(PathBuf, &'static str)>,
}

/// What things may be.
pub struct Limits<'a> {
    /// Now: a time that is believed.
    pub now: Wall,
    /// How long files in quarantine are kept, in seconds.
    pub quarantine_secs: u32,
    /// How many bytes of them.
    pub quarantine_bytes: u64,
    /// True for what somebody holds: the camera, when known, and the time.
    pub held: &'a dyn Fn(Option<&CameraId>, Span) -> bool,
}

/// Looks through a volume.
///
/// # Errors
/// What the operating system or the catalog says.
pub fn look(reader: &Reader, volume: &Volume, limits: &Limits<'_>) -> Result<Found> {
    let expired: BTreeMap<StreamId, Wall> = reader
        .streams()?
        .into_iter()
        .filter_map(|row| {
            let before = row.expired_before(limits.now)?;
            Some((row.stream, before))
        })
        .collect();
    let mut looking = Looking {
        reader,
        volume,
        limits,
        expired,
        found: Found::default(),
    };
    looking.quarantine()?;
    looking.keys()?;
    looking.packages()?;
    looking.streams()?;
    looking.rest()?;
    Ok(looking.found)
}

struct Looking<'a> {
    reader: &'a Reader,
    volume: &'a Volume,
    limits: &'a Limits<'a>,
    /// What ended before this is expired.
    expired: BTreeMap<StreamId, Wall>,
    found: Found,
}

/// What the name of a file in quarantine says: `CAMERA-STREAM-2026-11-23-20261123T154500.123Z-ID.mp4.part`.
fn named(name: &str) -> Option<(StreamId, Wall, SegmentId)> {
    for kind in [StreamKind::Main, StreamKind::Sub] {
        let mark = format!("-{}-", kind.as_str());
        for (at, _) in name.match_indices(&mark) {
            let (camera, rest) = (&name[..at], &name[at + mark.len()..]);
            let found = camera.parse::<CameraId>().ok().and_then(|camera| {
                let (start, segment) = of_segment(rest.get(11..)?)?;
                Some((StreamId { camera, kind }, start, segment))
            });
            if found.is_some() {
                return found;
            }
        }
    }
    None
}

/// What the name of a segment says: `20261123T154500.123Z-ID.mp4`.
fn of_segment(name: &str) -> Option<(Wall, SegmentId)> {
    let (time, rest) = name.split_once("Z-")?;
    let (date, time) = time.split_once('T')?;
    let digits = |text: &str, from, to| text.get(from..to).map(str::to_owned);
    let text = format!(
        "{}-{}-{}T{}:{}:{}Z",
        digits(date, 0, 4)?,
        digits(date, 4, 6)?,
        digits(date, 6, 8)?,
        digits(time, 0, 2)?,
        digits(time, 2, 4)?,
        time.get(4..)?
    );
    let start = Wall::parse_rfc3339(&text)?;
    Some((start, rest.get(..36)?.parse().ok()?))
}

fn size_and_change(entry: &DirEntry) -> Result<(u64, Wall)> {
    let data = entry.metadata()?;
    Ok((data.len(), Wall::from(data.modified()?)))
}

/// Entries of a folder; none when it is not there.
fn entries(dir: &Path) -> Result<Vec<DirEntry>> {
    let what = || format!("reading {}", dir.display());
    match fs::read_dir(dir) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        other => other.and_then(Iterator::collect).context(what),
    }
}

impl Looking<'_> {
    /// Size and last change of a file, which was looked at.
    fn seen(&mut self, entry: &DirEntry) -> Result<(u64, Wall)> {
        self.found.files += 1;
        size_and_change(entry)
    }

    fn quarantine(&mut self) -> Result<()> {
        let limits = self.limits;
        let limit = limits
            .now
            .plus_us(-i64::from(limits.quarantine_secs) * 1_000_000);
        let mut kept = Vec::new();
        for entry in entries(&self.volume.root.join(QUARANTINE_DIR))? {
            if !entry.file_type()?.is_file() {
                self.found.told.push((entry.path(), "no file"));
                continue;
            }
            let (bytes, changed) = self.seen(&entry)?;
            let name = entry.file_name().into_string().unwrap_or_default();
            let known = named(&name);
            // Where nothing says when it was recorded, it was no later than it was written.
            let end = known
                .as_ref()
                .map_or(changed, |(_, start, _)| start.plus_us(SEGMENT_US));
            let own = known
                .as_ref()
                .and_then(|(stream, ..)| self.expired.get(stream));
            let before = own.map_or(limit, |own| limit.max(*own));
            let span = Span {
                start: known.as_ref().map_or(changed, |(_, start, _)| *start),
                end: end.max(changed),
            };
            let camera = known.as_ref().map(|(stream, ..)| &stream.camera);
            if (limits.held)(camera, span) {
                if end < before {
                    self.found.told.push((entry.path(), "held"));
                }
                continue;
            }
            let doomed = Doomed {
                path: entry.path(),
                bytes,
                cause: Cause::QuarantineAge,
                stream: known.as_ref().map(|(stream, ..)| stream.clone()),
                segment: known.map(|(_, start, segment)| (segment, start)),
            };
            if end < before {
                self.found.doomed.push(doomed);
            } else {
                kept.push((end, doomed));
            }
        }
        kept.sort_by(|a, b| (a.0, &a.1.path).cmp(&(b.0, &b.1.path)));
        let mut sum: u64 = kept.iter().map(|(_, doomed)| doomed.bytes).sum();
        for (_, doomed) in kept {
            if sum <= limits.quarantine_bytes {
                break;
            }
            sum -= doomed.bytes;
            self.found.doomed.push(Doomed {
                cause: Cause::QuarantineRoom,
                ..doomed
            });
        }
        Ok(())
    }

    /// Copies of packages. A hold keeps footage, and never a copy of it.
    fn packages(&mut self) -> Result<()> {
        let limit = self.limits.now.plus_us(-PACKAGE_US_MAX);
        for entry in entries(&self.volume.root.join(PACKAGES_DIR))? {
            if !entry.file_type()?.is_file() {
                self.found.told.push((entry.path(), "no file"));
                continue;
            }
            let (bytes, changed) = self.seen(&entry)?;
            if changed < limit {
                self.found.doomed.push(Doomed {
                    path: entry.path(),
                    bytes,
                    cause: Cause::Package,
                    stream: None,
                    segment: None,
                });
            }
        }
        Ok(())
    }

    /// Slot files of days of which no segment is left, in the catalog, on the disk or in quarantine.
    fn keys(&mut self) -> Result<()> {
        for (stream, dir) in self.stream_dirs(&self.volume.root.join(KEYS_DIR))? {
            let Some(before) = self.expired.get(&stream).copied() else {
                continue;
            };
            for entry in entries(&dir)? {
                let name = entry.file_name().into_string().unwrap_or_default();
                let day = name.strip_suffix(".keys").and_then(day_of);
                let Some(day) = day else { continue };
                let span = Span {
                    start: day.plus_us(-DAY_US),
                    end: day.plus_us(2 * DAY_US),
                };
                let is_over = span.end.plus_us(GRACE_US) < before;
                if !is_over || self.has_anything(&stream, day, span)? {
                    continue;
                }
                let (bytes, _) = self.seen(&entry)?;
                self.found.doomed.push(Doomed {
                    bytes,
                    path: entry.path(),
                    cause: Cause::Keys,
                    stream: Some(stream.clone()),
                    segment: None,
                });
            }
        }
        Ok(())
    }

    fn has_anything(&self, stream: &StreamId, day: Wall, span: Span) -> Result<bool> {
        if (self.limits.held)(Some(&stream.camera), span)
            || !self.reader.places(self.volume.id, stream, span)?.is_empty()
        {
            return Ok(true);
        }
        for at in [span.start, day, day.plus_us(DAY_US)] {
            if !entries(&self.volume.segment_dir(stream, at))?.is_empty() {
                return Ok(true);
            }
        }
        let quarantined = entries(&self.volume.root.join(QUARANTINE_DIR))?;
        let of_day = |entry: &DirEntry| {
            let name = entry.file_name().into_string().unwrap_or_default();
            named(&name).is_none_or(|(of, start, _)| {
                of == *stream && span.start <= start && start < span.end
            })
        };
        let goes = |entry: &DirEntry| {
            let path = entry.path();
            self.found.doomed.iter().any(|doomed| doomed.path == path)
        };
        Ok(quarantined
            .iter()
            .any(|entry| of_day(entry) && !goes(entry)))
    }

    /// Files in the folders of streams that are too old and have no row, or were never closed: they should have been adopted
    /// and swept long ago.
    fn streams(&mut self) -> Result<()> {
        for (stream, dir) in self.stream_dirs(&self.volume.root)? {
            let Some(before) = self.expired.get(&stream).copied() else {
                continue;
            };
            let late = before.plus_us(-GRACE_US);
            let mut open = vec![dir];
            while let Some(dir) = open.pop() {
                for entry in entries(&dir)? {
                    if entry.file_type()?.is_dir() {
                        open.push(entry.path());
                        continue;
                    }
                    let name = entry.file_name().into_string().unwrap_or_default();
                    let known = of_segment(&name);
                    // Hardly any file has to be asked for its times.
                    let at = match known {
                        Some((start, _)) => {
                            self.found.files += 1;
                            start.plus_us(SEGMENT_US)
                        }
                        None => self.seen(&entry)?.1,
                    };
                    if at >= late || self.has_row(&stream, known)? {
                        continue;
                    }
                    let span = Span {
                        start: at,
                        end: at.plus_us(1),
                    };
                    let why = if (self.limits.held)(Some(&stream.camera), span) {
                        "held"
                    } else {
                        "has no row"
                    };
                    self.found.told.push((entry.path(), why));
                }
            }
        }
        Ok(())
    }

    /// Of rows that are too old other alarms tell.
    fn has_row(&self, stream: &StreamId, known: Option<(Wall, SegmentId)>) -> Result<bool> {
        let Some((start, segment)) = known else {
            return Ok(false);
        };
        // Names are to the millisecond.
        let around = Span {
            start: start.plus_us(-1000),
            end: start.plus_us(2000),
        };
        let rows = self.reader.places(self.volume.id, stream, around)?;
        Ok(rows.iter().any(|row| row.segment == segment))
    }

    /// Whatever else lies on the volume and is older than anything may be.
    fn rest(&mut self) -> Result<()> {
        let Some(before) = self.expired.values().min().copied() else {
            return Ok(());
        };
        let mut open = Vec::new();
        for entry in entries(&self.volume.root)? {
            let name = entry.file_name().into_string().unwrap_or_default();
            let is_ours = [
                IDENTITY_FILE,
                MARK_FILE,
                KEYS_DIR,
                QUARANTINE_DIR,
                PACKAGES_DIR,
                LOST_FOUND,
            ]
            .contains(&name.as_str())
                || name.starts_with(LEDGER)
                || name.starts_with('.');
            let is_camera = name.parse::<CameraId>().is_ok()
                && [StreamKind::Main, StreamKind::Sub]
                    .iter()
                    .any(|kind| entry.path().join(kind.as_str()).is_dir());
            if !is_ours && !is_camera {
                open.push(entry);
            }
        }
        let mut folders = 0;
        while let Some(entry) = open.pop() {
            let kind = entry.file_type()?;
            if kind.is_dir() && folders < FOLDERS_MAX {
                folders += 1;
                open.extend(entries(&entry.path())?);
            } else if kind.is_file() && self.seen(&entry)?.1 < before.plus_us(-GRACE_US) {
                self.found.told.push((entry.path(), "not Sinetti's"));
            }
        }
        Ok(())
    }

    fn stream_dirs(&self, root: &Path) -> Result<Vec<(StreamId, PathBuf)>> {
        let mut found = Vec::new();
        for entry in entries(root)? {
            let name = entry.file_name().into_string().unwrap_or_default();
            let Ok(camera) = name.parse::<CameraId>() else {
                continue;
            };
            for kind in [StreamKind::Main, StreamKind::Sub] {
                let dir = entry.path().join(kind.as_str());
                if dir.is_dir() {
                    let camera = camera.clone();
                    found.push((StreamId { camera, kind }, dir));
                }
            }
        }
        Ok(found)
    }
}

fn day_of(name: &str) -> Option<Wall> {
    let (year, rest) = name.split_at_checked(4)?;
    let (month, day) = rest.split_at_checked(2)?;
    Wall::parse_rfc3339(&format!("{year}-{month}-{day}T00:00:00Z"))
}

/// Deletes what goes, keys first, as one act; how many files are gone. What cannot be deleted stays for the next day, and is
/// told.
///
/// # Errors
/// When the ledger cannot take the act: then nothing is deleted.
pub fn delete(
    catalog: &Catalog,
    volume: &Volume,
    doomed: &[Doomed],
    now: Wall,
) -> Result<Vec<(PathBuf, String)>> {
    if doomed.is_empty() {
        return Ok(Vec::new());
    }
    let relative = |path: &Path| {
        let inside = path.strip_prefix(&volume.root).unwrap_or(path);
        inside.display().to_string()
    };
    let mut causes: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for one in doomed {
        let (files, bytes) = causes.entry(one.cause.as_str()).or_default();
        (*files, *bytes) = (*files + 1, *bytes + one.bytes);
    }
    let names: Vec<_> = doomed.iter().map(|one| relative(&one.path)).collect();
    let intent = Event {
        detail: Some(json!({ "files": names })),
        ..Event::of_box(
            now,
            "over-age-deleted",
            &volume.name,
            json!({ "deleted": causes }),
        )
    };
    let act = catalog.begin_act(intent.clone(), Vec::new())?;
    let mut failed = Vec::new();
    for one in doomed {
        if let Err(e) = destroy(volume, one) {
            failed.push((one.path.clone(), e.to_string()));
        }
    }
    let result = if failed.is_empty() { "ok" } else { "failed" };
    let outcome = Event {
        result: result.to_owned(),
        detail: None,
        facts: json!({ "deleted": causes, "failures": failed.len() }),
        phase: Phase::Whole,
        ..intent
    };
    catalog.end_act(act, outcome, Vec::new())?;
    Ok(failed)
}

fn destroy(volume: &Volume, doomed: &Doomed) -> Result<()> {
    match (&doomed.stream, doomed.segment, doomed.cause) {
        (Some(stream), _, Cause::Keys) => {
            let name = doomed.path.file_name().and_then(|name| name.to_str());
            let day = name.and_then(|name| name.strip_suffix(".keys"));
            let day = day.ok_or_else(|| Error::new(Kind::Internal, "a slot file without a day"))?;
            if let Some(mut file) = SlotFile::open(volume, stream, day)? {
                file.zero_all()?;
                file.sync()?;
                file.remove_if_empty()?;
            }
        }
        (Some(stream), Some((segment, start)), _) => {
            if let Some(mut file) = SlotFile::open(volume, stream, &start.day())? {
                file.zero_of(segment)?;
                file.sync()?;
            }
            disk::remove_file(&doomed.path)?;
        }
        _ => disk::remove_file(&doomed.path)?,
    }
    match doomed.path.parent() {
        Some(dir) => disk::sync_dir(dir),
        None => Ok(()),
    }
}
