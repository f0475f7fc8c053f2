//! A walk over a volume, one folder of a day at a time, each compared with the catalog's rows: what has no row, what has
//! no file, what is not ours. Memory is bounded by one day of one stream. Nothing is changed here.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, DirEntry};
use std::path::{Path, PathBuf};

use crate::base::error::{Context, Result};
use crate::base::id::{CameraId, StreamId, StreamKind};
use crate::base::time::{Span, Wall};
use crate::catalog::Reader;
use crate::store::volume::{PART_SUFFIX, Volume};

const US_PER_DAY: i64 = 86_400_000_000;

/// A UTC day of one stream on a volume.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Day {
    /// The stream.
    pub stream: StreamId,
    /// When it begins.
    pub midnight: Wall,
}

/// How a day's folder and the catalog's rows differ.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Difference {
    /// Closed segments without a row, by name, that is by time.
    pub unknown: Vec<PathBuf>,
    /// Segments that are, or were, being written, by name.
    pub parts: Vec<PathBuf>,
    /// Files of rows that are not there.
    pub missing: Vec<PathBuf>,
    /// What else lies there.
    pub strangers: Vec<PathBuf>,
}

/// What lies on a volume, as far as names of folders tell.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Found {
    /// Days of streams.
    pub days: BTreeSet<Day>,
    /// What is in the folder of a stream and is no day's folder.
    pub strangers: Vec<PathBuf>,
}

/// The days of every stream that have a folder. Folders that are not a stream's are not entered: what lies there is
/// not ours.
///
/// # Errors
/// What the operating system says.
pub fn days_on(volume: &Volume) -> Result<Found> {
    let mut found = Found::default();
    for entry in entries(&volume.root)? {
        let Some(camera) = parsed::<CameraId>(&entry) else {
            continue;
        };
        for kind in [StreamKind::Main, StreamKind::Sub] {
            let dir = entry.path().join(kind.as_str());
            if dir.is_dir() {
                let stream = StreamId {
                    camera: camera.clone(),
                    kind,
                };
                enter(&stream, &dir, &mut Vec::new(), &mut found)?;
            }
        }
    }
    Ok(found)
}

/// Into year, month and day.
fn enter(stream: &StreamId, dir: &Path, numbers: &mut Vec<u32>, found: &mut Found) -> Result<()> {
    for entry in entries(dir)? {
        let digits = if numbers.is_empty() { 4 } else { 2 };
        let name = entry.file_name().into_string().unwrap_or_default();
        let number = (name.len() == digits).then(|| name.parse().ok()).flatten();
        let (true, Some(number)) = (entry.file_type()?.is_dir(), number) else {
            found.strangers.push(entry.path());
            continue;
        };
        numbers.push(number);
        if numbers.len() < 3 {
            enter(stream, &entry.path(), numbers, found)?;
        } else if let Some(midnight) = midnight(numbers) {
            found.days.insert(Day {
                stream: stream.clone(),
                midnight,
            });
        } else {
            found.strangers.push(entry.path());
        }
        numbers.pop();
    }
    Ok(())
}

fn midnight(numbers: &[u32]) -> Option<Wall> {
    let [year, month, day] = numbers else {
        return None;
    };
    Wall::parse_rfc3339(&format!("{year:04}-{month:02}-{day:02}T00:00:00Z"))
}

/// Entries of a folder by name; none when it is gone.
fn entries(dir: &Path) -> Result<Vec<DirEntry>> {
    let what = || format!("reading {}", dir.display());
    let read = match fs::read_dir(dir) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.context(what)?,
    };
    let mut entries = read.collect::<std::io::Result<Vec<_>>>().context(what)?;
    entries.sort_by_key(DirEntry::file_name);
    Ok(entries)
}

fn parsed<T: std::str::FromStr>(entry: &DirEntry) -> Option<T> {
    entry.file_name().to_str()?.parse().ok()
}

impl Day {
    /// From its beginning to the next one's.
    pub fn span(&self) -> Span {
        Span {
            start: self.midnight,
            end: self.midnight.plus_us(US_PER_DAY),
        }
    }

    /// Compares its folder with the rows. Rows are read first: what is closed meanwhile has a file and no row here, and
    /// what is deleted meanwhile a row and no file, so whoever acts on it asks once more.
    ///
    /// # Errors
    /// What the operating system or the catalog says.
    pub fn compare(&self, reader: &Reader, volume: &Volume) -> Result<Difference> {
        let rows = reader.places(volume.id, &self.stream, self.span())?;
        let promised = |row: &crate::catalog::PlaceRow| {
            let path = volume.segment_path(&self.stream, row.start, row.segment);
            (path, row.is_garbage)
        };
        let mut known: BTreeMap<PathBuf, bool> = rows.iter().map(promised).collect();
        let mut difference = Difference::default();
        let part = format!(".mp4{PART_SUFFIX}");
        for entry in entries(&volume.segment_dir(&self.stream, self.midnight))? {
            let path = entry.path();
            let name = entry.file_name().into_string().unwrap_or_default();
            let is_file = entry.file_type()?.is_file();
            if known.remove(&path).is_some() {
                continue;
            }
            let list = if is_file && name.ends_with(&part) {
                &mut difference.parts
            } else if is_file && name.ends_with(".mp4") {
                &mut difference.unknown
            } else {
                &mut difference.strangers
            };
            list.push(path);
        }
        let gone = known.into_iter().filter(|(_, is_garbage)| !is_garbage);
        difference.missing = gone.map(|(path, _)| path).collect();
        Ok(difference)
    }
}

/// The days of a volume in order: those that have a folder, and those that have rows.
///
/// # Errors
/// What the operating system or the catalog says.
pub fn all_days(reader: &Reader, volume: &Volume) -> Result<Found> {
    let mut found = days_on(volume)?;
    for stream in reader.streams()?.into_iter().map(|row| row.stream) {
        for midnight in reader.days(volume.id, &stream)? {
            found.days.insert(Day {
                stream: stream.clone(),
                midnight,
            });
        }
    }
    Ok(found)
}

/// Of these, the days in which a start can find something new. Rows of a stream are written in the order in which its
/// segments were, so what has none is younger than the last that has one; a day more is looked at for whatever is not
/// thought of. After the clock went back that is all that came since. Left out is what a disk once refused to close, and
/// what was put there by hand: the daily reconciliation finds it.
///
/// # Errors
/// What the catalog says.
pub fn recent(
    reader: &Reader,
    volume: &Volume,
    days: BTreeSet<Day>,
    now: Wall,
) -> Result<Vec<Day>> {
    let mut from: BTreeMap<StreamId, Option<Wall>> = BTreeMap::new();
    let mut recent = Vec::new();
    for day in days {
        let from = match from.get(&day.stream) {
            Some(known) => *known,
            None => {
                let first = first_new(reader, volume, &day.stream, now)?;
                from.insert(day.stream.clone(), first);
                first
            }
        };
        if from.is_none_or(|from| day.midnight >= from) {
            recent.push(day);
        }
    }
    Ok(recent)
}

/// Beginning of the first day that may hold something new; `None`: any may.
fn first_new(
    reader: &Reader,
    volume: &Volume,
    stream: &StreamId,
    now: Wall,
) -> Result<Option<Wall>> {
    let Some(newest) = reader.newest_start(volume.id, stream)? else {
        return Ok(None);
    };
    let last = reader.last_segment(stream)?.map_or(newest, |row| row.start);
    let first = newest.min(last).min(now).midnight();
    Ok(Some(first.plus_us(-US_PER_DAY)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::disk;
    use crate::base::id::BoxId;

    #[test]
    fn days_are_told_from_what_is_not_ours() {
        let dir = tempfile::tempdir().expect("dir");
        let root = dir.path().join("v");
        let volume = Volume::init(&root, BoxId::random(), "v").expect("volume");
        for path in [
            "till/main/2026/11/23/x.mp4",
            "till/main/2026/11/24/x.mp4",
            "till/sub/2026/02/30/x.mp4",
            "till/main/2026/11/notes.txt",
            "till/main/26/x",
            "till/other/2026/11/23/x.mp4",
            "photos/x.mp4",
            "keys/till/main/20261123.keys",
        ] {
            let path = root.join(path);
            disk::create_dir_all(path.parent().expect("parent"), 0o700).expect("folder");
            disk::create(&path, b"x", 0o600).expect("file");
        }
        let found = days_on(&volume).expect("walks");
        let days: Vec<_> = found
            .days
            .iter()
            .map(|d| format!("{} {}", d.stream, d.midnight))
            .collect();
        assert_eq!(
            days,
            [
                "till/main 2026-11-23T00:00:00.000Z",
                "till/main 2026-11-24T00:00:00.000Z"
            ]
        );
        let strangers: Vec<_> = found
            .strangers
            .iter()
            .map(|p| p.strip_prefix(&root).expect("inside").display().to_string())
            .collect();
        assert_eq!(
            strangers,
            [
                "till/main/2026/11/notes.txt",
                "till/main/26",
                "till/sub/2026/02/30"
            ]
        );
    }
}
