//! Catalog and footage against each other: every row has its file, every file its row, every chain of roots holds, and
//! recorded time and gaps add up. No key is needed.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use crate::base::error::{Kind, Result};
use crate::base::hash::Digest;
use crate::base::id::{BoxId, StreamId};
use crate::base::time::{Span, Wall};
use crate::catalog::{DeletedSpan, Reader, SEAM_US_MAX, SegmentRow, VolumeRow};
use crate::media::read::{self, ReadAt};
use crate::store::file::SegmentFile;
use crate::store::slots::{self, Place};
use crate::store::volume::{PART_SUFFIX, Volume};
use crate::vault::slot::{self, Slot};

/// Rows read at a time.
const PAGE: u32 = 5_000;

/// What a check found.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct Report {
    /// Segments looked at.
    pub segments: u64,
    /// Fragments in them.
    pub fragments: u64,
    /// Pictures in them.
    pub samples: u64,
    /// Bytes of their files.
    pub bytes: u64,
    /// What is wrong, a line each.
    pub findings: Vec<String>,
}

/// One segment in its stream's chain of content roots.
struct Link {
    start: Wall,
    previous: Digest,
    root: Digest,
    recovered: bool,
}

impl Link {
    fn of(row: &SegmentRow) -> Self {
        Self {
            start: row.start,
            previous: row.previous_root,
            root: row.content_root,
            recovered: row.recovered,
        }
    }
}

type Chains = BTreeMap<StreamId, Vec<Link>>;

/// Checks everything; `deep` reads every byte. While the recorder runs, files being written are left alone.
///
/// # Errors
/// When the catalog cannot be read. Whatever is wrong with footage is a finding.
pub fn check(
    reader: &Reader,
    box_id: BoxId,
    deep: bool,
    running: &dyn Fn() -> bool,
) -> Result<Report> {
    let mut report = Report::default();
    report.findings.extend(
        reader
            .integrity_check()?
            .into_iter()
            .map(|line| format!("catalog: {line}")),
    );
    // Rows first, files after: what is closed meanwhile by a running recorder has a file and no row here.
    let mut roots: Chains = BTreeMap::new();
    for row in reader.volumes()? {
        match Volume::open(Path::new(&row.path), box_id, &row.name) {
            Ok(volume) => check_volume(reader, &volume, deep, running, &mut report, &mut roots)?,
            Err(e) => report.findings.push(missing_volume(&row, &e.to_string())),
        }
    }
    for (stream, chain) in &mut roots {
        chain.sort_by_key(|link| link.start);
        let everything = Span {
            start: Wall(i64::MIN),
            end: Wall(i64::MAX),
        };
        let deleted = reader.deleted(stream, everything)?;
        check_chain(stream, chain, &deleted, &mut report);
    }
    check_time(reader, &mut report)?;
    Ok(report)
}

fn missing_volume(row: &VolumeRow, why: &str) -> String {
    format!("volume \"{}\": {why}", row.name)
}

fn check_volume(
    reader: &Reader,
    volume: &Volume,
    deep: bool,
    running: &dyn Fn() -> bool,
    report: &mut Report,
    roots: &mut Chains,
) -> Result<()> {
    let mut known = HashSet::new();
    let mut from = None;
    loop {
        let page = reader.all_segments(volume.id, from, PAGE)?;
        for row in page.rows {
            let path = volume.segment_path(&row.stream, row.start, row.segment);
            let before = report.findings.len();
            let checked = SegmentFile::open(&path)
                .and_then(|file| check_segment(volume, &row, &path, &file, deep, report));
            if let Err(e) = checked {
                report.findings.push(format!("{}: {e}", path.display()));
            }
            if report.findings.len() > before && is_going(reader, &row)? {
                report.findings.truncate(before);
            }
            roots
                .entry(row.stream.clone())
                .or_default()
                .push(Link::of(&row));
            known.insert(path);
        }
        match page.next {
            Some(next) => from = Some(next),
            None => break,
        }
    }
    let strangers = volume.files(|name| name.ends_with(".mp4") || name.ends_with(PART_SUFFIX))?;
    for path in strangers.into_iter().filter(|p| !known.contains(p)) {
        if let Some(finding) = stranger(reader, volume, &path, running)? {
            report.findings.push(finding);
        }
    }
    Ok(())
}

/// What is being deleted may be without key or file: the next sweep finishes it.
pub(super) fn is_going(reader: &Reader, row: &SegmentRow) -> Result<bool> {
    Ok(!reader.garbage_of(&[row.segment])?.is_empty()
        || reader.segment_by_uuid(row.segment)?.is_none())
}

/// A file without a row. While the recorder runs, it may just be being written or closed.
fn stranger(
    reader: &Reader,
    volume: &Volume,
    path: &PathBuf,
    running: &dyn Fn() -> bool,
) -> Result<Option<String>> {
    let is_part = path.to_string_lossy().ends_with(PART_SUFFIX);
    if is_part && running() {
        return Ok(None);
    }
    if running()
        && let Ok(file) = SegmentFile::open(path)
        && let Ok(initial) = read::read_initial(&file)
    {
        let row = reader.segment_by_uuid(initial.header.segment)?;
        if row.is_some_and(|row| volume.segment_path(&row.stream, row.start, row.segment) == *path)
        {
            return Ok(None);
        }
    }
    let what = if is_part {
        "was being written and not adopted"
    } else {
        "has no row in the catalog"
    };
    Ok(Some(format!(
        "{}: {what}; the next start of the recorder adopts it",
        path.display()
    )))
}

/// One segment against its row and its key slot; `deep` reads every byte.
pub(super) fn check_segment<R: ReadAt>(
    volume: &Volume,
    row: &SegmentRow,
    path: &Path,
    file: &R,
    deep: bool,
    report: &mut Report,
) -> Result<()> {
    let mut wrong = |text: String| report.findings.push(format!("{}: {text}", path.display()));
    if file.len() != row.bytes {
        wrong(format!(
            "it has {} bytes, its row says {}",
            file.len(),
            row.bytes
        ));
    }
    let initial = read::read_initial(file)?;
    let scan = read::scan(file, &initial, deep)?;
    let header = &initial.header;
    let mut differ = |name: &str, equal: bool| {
        if !equal {
            wrong(format!("its {name} and that of its row differ"));
        }
    };
    differ("segment id", header.segment == row.segment);
    differ(
        "camera",
        header.camera == row.stream.camera && header.stream == row.stream.kind,
    );
    differ("start", header.start == row.start);
    differ("run", header.run == row.run);
    differ("previous root", header.previous_root == row.previous_root);
    differ(
        "key slot",
        header.key_slot.day == row.key_day && header.key_slot.index == row.key_index,
    );
    differ("parameters", initial.entry.hash() == row.sample_entry);
    match (&scan.trailer, &scan.damage) {
        (Some(trailer), _) => {
            differ("content root", trailer.content_root == row.content_root);
            differ("end", trailer.end == row.end);
            let samples = trailer
                .fragments
                .iter()
                .fold(0, |n: u32, f| n.saturating_add(f.samples));
            differ("number of pictures", samples == row.samples);
        }
        (None, Some(damage)) => wrong(format!("damaged: {damage}")),
        (None, None) => wrong("its trailer is missing".to_owned()),
    }
    check_slot(volume, row, path, report);
    report.segments += 1;
    report.fragments += scan.fragments.len() as u64;
    report.samples += u64::from(row.samples);
    report.bytes += file.len();
    Ok(())
}

fn check_slot(volume: &Volume, row: &SegmentRow, path: &Path, report: &mut Report) {
    let place = Place {
        day: row.key_day.clone(),
        index: row.key_index,
    };
    let state = slots::read(volume, &row.stream, &place).and_then(|bytes| slot::decode(&bytes));
    let problem = match state {
        Ok(Slot::Whole(wrapped)) if wrapped.segment == row.segment => return,
        Ok(Slot::Whole(_)) => "its key slot is another segment's".to_owned(),
        Ok(Slot::Empty) => "its key was destroyed, but the footage is still there".to_owned(),
        Ok(Slot::Torn) => "its key slot is damaged".to_owned(),
        Err(e) if e.kind() == Kind::NotFound => "its key slot is missing".to_owned(),
        Err(e) => e.to_string(),
    };
    report
        .findings
        .push(format!("{}: {problem}", path.display()));
}

/// Each segment names the root of the one before it. What a crash cut short may have named more than was found: the
/// successor of a recovered segment is no finding. Nor is it when what was named is deleted.
fn check_chain(stream: &StreamId, chain: &[Link], deleted: &[DeletedSpan], report: &mut Report) {
    let roots: HashSet<Digest> = chain.iter().map(|link| link.root).collect();
    let mut named = HashSet::new();
    for link in chain.iter().filter(|link| link.previous != Digest::ZERO) {
        if !named.insert(link.previous) {
            let at = link.start;
            report.findings.push(format!(
                "{stream}: the segment of {at} names a root that another one names too"
            ));
        }
    }
    for pair in chain.windows(2) {
        let [before, link] = pair else { continue };
        let known = link.previous == Digest::ZERO || roots.contains(&link.previous);
        let between = Span {
            start: before.start,
            end: link.start.plus_us(SEAM_US_MAX),
        };
        let is_deleted = || deleted.iter().any(|d| d.span.overlaps(&between));
        if !known && !before.recovered && !is_deleted() {
            let at = link.start;
            report.findings.push(format!(
                "{stream}: the segment of {at} names a root of which there is no segment"
            ));
        }
    }
}

/// Recording and gaps add up to time.
fn check_time(reader: &Reader, report: &mut Report) -> Result<()> {
    for row in reader.streams()? {
        let totals = reader.totals(&row.stream)?;
        let (Some(start), Some(end)) = (totals.oldest, totals.newest) else {
            continue;
        };
        let coverage = reader.coverage(&row.stream, Span { start, end }, end)?;
        for span in coverage.unknown {
            report.findings.push(format!(
                "{}: {} to {} is neither recorded nor a gap",
                row.stream, span.start, span.end
            ));
        }
    }
    Ok(())
}
