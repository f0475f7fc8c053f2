//! What a crash left: segments that were being written, and closed ones whose row was not committed.
//!
//! No key is needed: each fragment bears its leaf and the BLAKE3 of its sealed bytes. A file is adopted up to its
//! last whole fragment, or put into quarantine; it is never deleted unseen. Adoption ends as normal operation does:
//! trailer, sync, rename, sync the folder, *then* the row.

use std::io::IoSlice;
use std::path::{Path, PathBuf};

use log::{error, info, warn};

use crate::base::Clock;
use crate::base::clock::HostSync;
use crate::base::disk::{self, DiskFile};
use crate::base::error::{Context, Error, Kind, Result};
use crate::base::id::{BoxId, StreamId};
use crate::base::time::{Span, Ticks, Wall};
use crate::catalog::{Catalog, Change, Event, GapCause, Reader, SampleEntryRow, SegmentRow};
use crate::media::access_unit::SampleEntry;
use crate::media::header::{self, ClockState, FragmentIndex, Losses, SegmentTrailer};
use crate::media::read::{self, Initial, ReadAt};
use crate::recorder::walk;
use crate::store::file::SegmentFile;
use crate::store::volume::{PART_SUFFIX, Volume};

/// So many missing files are named in the log; the rest are counted.
const MISSING_LISTED_MAX: usize = 20;

/// Said of such a gap.
pub(super) const LOST: &str =
    "what was recorded could not be read: it was cut off, or is in quarantine";

/// What recovery did on one volume.
#[derive(Clone, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Report {
    /// Segments that were being written and are complete now.
    pub adopted: u32,
    /// Closed segments whose row was missing.
    pub rows_added: u32,
    /// Bytes behind the last whole fragment that were cut off.
    pub cut_bytes: u64,
    /// Files put into quarantine, with the reason.
    pub quarantined: Vec<String>,
    /// Empty files that held nothing and were removed.
    pub empty: u32,
    /// Files that the system refused to read or change; the next start tries them again.
    pub skipped: Vec<String>,
    /// Segments whose file is gone though the catalog promises it.
    pub missing: u32,
}

/// Brings one volume and the catalog into agreement after a crash, as far as something new can be there: see
/// [`walk::recent`]. Nothing else writes to the volume meanwhile. Between two files it ends early, unless it is to `go_on`:
/// each file is finished or untouched, and the next start does the rest.
///
/// # Errors
/// When the volume cannot be read or the catalog not be written. A single bad file is no error: it goes into quarantine.
pub fn recover(
    volume: &Volume,
    box_id: BoxId,
    catalog: &Catalog,
    clock: &dyn Clock,
    go_on: &dyn Fn() -> bool,
) -> Result<Report> {
    let reader = catalog.reader()?;
    let days = walk::days_on(volume)?.days;
    let days = walk::recent(&reader, volume, days, clock.wall())?;
    let mut adopter = Adopter::new(volume, box_id, catalog)?;
    let mut missing = Vec::new();
    for day in days.iter().take_while(|_| go_on()) {
        let mut difference = day.compare(&reader, volume)?;
        missing.append(&mut difference.missing);
        let mut paths = [difference.unknown, difference.parts].concat();
        // By name, that is by time: a chain of roots is adopted in its order.
        paths.sort();
        for path in paths.iter().take_while(|_| go_on()) {
            adopter.adopt(path)?;
        }
    }
    let mut report = adopter.report;
    if report != Report::default() {
        account_for_losses(&reader, catalog, GapCause::Unreadable, LOST)?;
    }
    report.missing = tell_missing(&missing);
    note(volume, catalog, &report, clock)?;
    Ok(report)
}

/// After files were adopted, cut or set aside: what lies between two recordings of a stream and is in no gap was
/// recorded and could not be saved. It becomes a gap. The number of such gaps.
pub(super) fn account_for_losses(
    reader: &Reader,
    catalog: &Catalog,
    cause: GapCause,
    detail: &str,
) -> Result<u64> {
    let mut changes = Vec::new();
    for row in reader.streams()? {
        let totals = reader.totals(&row.stream)?;
        let (Some(start), Some(end)) = (totals.oldest, totals.newest) else {
            continue;
        };
        let coverage = reader.coverage(&row.stream, Span { start, end }, end)?;
        changes.extend(
            coverage
                .unknown
                .into_iter()
                .map(|span| Change::GapRecorded {
                    stream: row.stream.clone(),
                    span,
                    cause,
                    detail: Some(detail.to_owned()),
                }),
        );
    }
    let count = changes.len() as u64;
    if count > 0 {
        catalog.commit(changes, None)?;
    }
    Ok(count)
}

/// Rows without a file: said aloud, since nothing else on the way to the footage would.
pub(super) fn tell_missing(missing: &[PathBuf]) -> u32 {
    for path in missing.iter().take(MISSING_LISTED_MAX) {
        error!("{} is gone, but the catalog has its row", path.display());
    }
    if missing.len() > MISSING_LISTED_MAX {
        error!("and {} more", missing.len() - MISSING_LISTED_MAX);
    }
    u32::try_from(missing.len()).unwrap_or(u32::MAX)
}

/// Takes files without a row into the catalog.
pub(super) struct Adopter<'a> {
    volume: &'a Volume,
    box_id: BoxId,
    catalog: &'a Catalog,
    reader: Reader,
    pub(super) report: Report,
}

impl<'a> Adopter<'a> {
    pub(super) fn new(volume: &'a Volume, box_id: BoxId, catalog: &'a Catalog) -> Result<Self> {
        Ok(Self {
            volume,
            box_id,
            catalog,
            reader: catalog.reader()?,
            report: Report::default(),
        })
    }

    /// One file. What cannot be adopted goes into quarantine; what a writer has open is left alone.
    pub(super) fn adopt(&mut self, path: &Path) -> Result<()> {
        let volume = self.volume;
        let is_part = path.to_string_lossy().ends_with(PART_SUFFIX);
        let done = if is_part {
            adopt(volume, self.box_id, path, &mut self.report)
        } else {
            read_closed(volume, self.box_id, path).and_then(confirmed)
        };
        match done {
            Ok(Some(found)) => {
                let known = self.reader.segment_by_uuid(found.row.segment)?;
                if known
                    .as_ref()
                    .is_some_and(|row| path_of(volume, row) == found.path)
                {
                    // Its row came meanwhile.
                } else if known.is_some() {
                    let why = "its segment id is taken";
                    set_aside(volume, &found.path, why, &mut self.report);
                } else if !found.is_in_place(volume) {
                    let why = "it lies under another segment's name";
                    set_aside(volume, &found.path, why, &mut self.report);
                } else {
                    insert(self.catalog, found)?;
                    let count = if is_part {
                        &mut self.report.adopted
                    } else {
                        &mut self.report.rows_added
                    };
                    *count += 1;
                }
            }
            Ok(None) => {}
            Err(e)
                if matches!(
                    e.kind(),
                    Kind::Corrupt | Kind::Foreign | Kind::Invalid | Kind::Exists
                ) =>
            {
                set_aside(volume, path, &e.to_string(), &mut self.report);
            }
            // Deleted meanwhile.
            Err(e) if e.kind() == Kind::NotFound && !path.exists() => {}
            // One sector that cannot be read must not keep the whole volume from being recorded to.
            Err(e) => skip(path, &e, &mut self.report),
        }
        Ok(())
    }
}

fn path_of(volume: &Volume, row: &SegmentRow) -> PathBuf {
    volume.segment_path(&row.stream, row.start, row.segment)
}

/// A segment that was read.
pub(super) struct Found {
    /// Where it lies now.
    pub(super) path: PathBuf,
    pub(super) row: SegmentRow,
    pub(super) entry: SampleEntry,
}

impl Found {
    /// It lies where its row says.
    pub(super) fn is_in_place(&self, volume: &Volume) -> bool {
        path_of(volume, &self.row) == self.path
    }
}

/// Completes a segment that was being written. `None` when there was nothing in it.
fn adopt(
    volume: &Volume,
    box_id: BoxId,
    path: &Path,
    report: &mut Report,
) -> Result<Option<Found>> {
    let what = || format!("adopting {}", path.display());
    let mut file = DiskFile::open_existing(path).context(what)?;
    match file.claim() {
        // A writer has it, or its keeper.
        Err(e) if e.kind() == Kind::Busy => return Ok(None),
        other => other?,
    }
    let source = SegmentFile::open(path).context(what)?;
    // What counts is what the disk has. After a sync that failed the kernel may show bytes that never reached it.
    file.sync()?;
    source.forget_cached();
    if source.bytes() == 0 {
        disk::remove_file(path)?;
        report.empty += 1;
        return Ok(None);
    }
    let initial = read::read_initial(&source).context(what)?;
    own(&initial, box_id)?;
    let scan = read::scan(&source, &initial, true).context(what)?;
    if scan.fragments.is_empty() {
        return Err(Error::corrupt("no whole fragment").attempted(what()));
    }
    let end = end_of(&initial, &scan.fragments);
    let trailer = match scan.trailer {
        // Complete but for its name.
        Some(trailer) => trailer,
        None => {
            report.cut_bytes += file.len().saturating_sub(scan.whole_len);
            file.truncate(scan.whole_len)?;
            // What was lost on the way and how the clocks stood died with the process: nothing is made up.
            let (losses, clock) = (
                Losses::default(),
                ClockState {
                    time_uncertain: false,
                    ..ClockState::default()
                },
            );
            let trailer =
                SegmentTrailer::new(&initial.header, scan.fragments, end, losses, clock, true);
            file.append(&mut [IoSlice::new(&trailer.to_bytes())])?;
            trailer
        }
    };
    // Whatever the state in which it was found: no row before the file and its name are durable.
    DiskFile::open_existing(path)?.sync()?;
    let stream = stream_of(&initial);
    let to = volume.segment_path(&stream, initial.header.start, initial.header.segment);
    disk::rename(path, &to)?;
    if let Some(dir) = to.parent() {
        disk::sync_dir(dir)?;
    }
    let bytes = SegmentFile::open(&to)?.bytes();
    Ok(Some(Found {
        path: to,
        row: row(volume, &initial, &trailer, bytes),
        entry: initial.entry,
    }))
}

/// A closed segment. Its head and its trailer are read, and that they fit each other and the length of the file: it got
/// its name when every byte was durable, and the scrub reads those.
pub(super) fn read_closed(volume: &Volume, box_id: BoxId, path: &Path) -> Result<Found> {
    let what = || format!("adopting {}", path.display());
    let source = SegmentFile::open(path).context(what)?;
    let initial = read::read_initial(&source).context(what)?;
    own(&initial, box_id).context(what)?;
    let trailer = read::trailer_from_end(&source).context(what)?;
    let trailer = trailer.ok_or_else(|| Error::corrupt("it has no trailer").attempted(what()))?;
    let mut at = initial.initial_len;
    for fragment in &trailer.fragments {
        if fragment.offset != at {
            return Err(Error::corrupt("its fragments do not follow each other").attempted(what()));
        }
        at += u64::from(fragment.bytes);
    }
    let mut tail = [0; 8];
    source.read_at(source.bytes().saturating_sub(8), &mut tail)?;
    let trailer_bytes = header::trailer_bytes(tail).map_or(0, u64::from);
    let fits = at + trailer_bytes == source.bytes()
        && trailer.content_root == header::content_root(&initial.header, &trailer.fragments);
    if !fits || trailer.fragments.is_empty() {
        return Err(Error::corrupt("its trailer is not of this segment").attempted(what()));
    }
    Ok(Found {
        path: path.to_owned(),
        row: row(volume, &initial, &trailer, source.bytes()),
        entry: initial.entry,
    })
}

/// No row before the file and its name are durable, whatever the state in which it was found.
fn confirmed(found: Found) -> Result<Option<Found>> {
    DiskFile::open_existing(&found.path)?.sync()?;
    if let Some(dir) = found.path.parent() {
        disk::sync_dir(dir)?;
    }
    Ok(Some(found))
}

fn own(initial: &Initial, box_id: BoxId) -> Result<()> {
    if initial.header.box_id != box_id {
        return Err(Error::new(
            Kind::Foreign,
            format!("it was recorded by box {}", initial.header.box_id),
        ));
    }
    Ok(())
}

fn stream_of(initial: &Initial) -> StreamId {
    StreamId {
        camera: initial.header.camera.clone(),
        kind: initial.header.stream,
    }
}

fn end_of(initial: &Initial, fragments: &[FragmentIndex]) -> Wall {
    initial.header.start.plus_ticks(media_duration(fragments))
}

fn media_duration(fragments: &[FragmentIndex]) -> Ticks {
    fragments.iter().fold(Ticks(0), |sum, f| sum + f.duration)
}

fn row(volume: &Volume, initial: &Initial, trailer: &SegmentTrailer, bytes: u64) -> SegmentRow {
    let header = &initial.header;
    SegmentRow {
        segment: header.segment,
        stream: stream_of(initial),
        run: header.run,
        volume: volume.id,
        start: header.start,
        end: trailer.end,
        media_duration: media_duration(&trailer.fragments),
        bytes,
        samples: trailer
            .fragments
            .iter()
            .fold(0, |sum, f| sum.saturating_add(f.samples)),
        fragments: u32::try_from(trailer.fragments.len()).unwrap_or(u32::MAX),
        key_day: header.key_slot.day.clone(),
        key_index: header.key_slot.index,
        generation: header.generation,
        content_root: trailer.content_root,
        previous_root: header.previous_root,
        recovered: trailer.recovered,
        time_uncertain: trailer.clock.time_uncertain,
        packets_lost: trailer.losses.packets_lost,
        corrupt_units: trailer.losses.corrupt_units,
        discontinuities: trailer.losses.discontinuities,
        host: HostSync {
            synchronised: trailer.clock.host_synchronised,
            error_us: trailer.clock.host_error_us,
        },
        camera_offset_ms: trailer.clock.camera_offset_ms,
        sample_entry: initial.entry.hash(),
    }
}

fn insert(catalog: &Catalog, found: Found) -> Result<()> {
    let Found { row, entry, .. } = found;
    info!(
        "{}: adopted {} ({} samples)",
        row.stream, row.start, row.samples
    );
    let changes = vec![
        Change::SampleEntrySeen(Box::new(SampleEntryRow::from(&entry))),
        Change::SegmentClosed(Box::new(row)),
    ];
    catalog.commit(changes, None)
}

fn set_aside(volume: &Volume, path: &Path, why: &str, report: &mut Report) {
    match volume.quarantine(path) {
        Ok(to) => {
            let (from, to) = (path.display(), to.display());
            warn!("{from} was put into quarantine as {to}: {why}");
            report.quarantined.push(format!("{to}: {why}"));
        }
        Err(e) => skip(path, &e, report),
    }
}

fn skip(path: &Path, e: &Error, report: &mut Report) {
    error!("{} is left as it is: {e}", path.display());
    report.skipped.push(format!("{}: {e}", path.display()));
}

fn note(volume: &Volume, catalog: &Catalog, report: &Report, clock: &dyn Clock) -> Result<()> {
    if *report == Report::default() {
        return Ok(());
    }
    let facts =
        serde_json::to_value(report).map_err(|e| Error::new(Kind::Internal, e.to_string()))?;
    let event = Event::of_box(clock.wall(), "volume-recovered", &volume.name, facts);
    catalog.commit(Vec::new(), Some(event))
}

/// Up to when a stream is accounted for. Footage that bears a time to come, from a clock that was ahead, does not account for
/// what is between now and then.
///
/// # Errors
/// When the catalog cannot be read.
pub fn accounted_until(reader: &Reader, stream: &StreamId, now: Wall) -> Result<Option<Wall>> {
    let end = reader.last_end(stream)?;
    if end.is_none_or(|end| end <= now) {
        return Ok(end);
    }
    let written_last = reader.last_segment(stream)?.map(|row| row.end);
    Ok(Some(written_last.filter(|end| *end <= now).unwrap_or(now)))
}

/// After recovery: every stream that was recording when the process died gets a gap from its last picture on.
///
/// # Errors
/// When the catalog cannot be read or written.
pub fn open_gaps(catalog: &Catalog, cause: GapCause, now: Wall) -> Result<()> {
    let reader = catalog.reader()?;
    let mut changes = Vec::new();
    for stream in reader.streams()?.into_iter().map(|row| row.stream) {
        let Some(start) = accounted_until(&reader, &stream, now)? else {
            continue;
        };
        let open = reader.open_gap(&stream)?;
        // The process may have died when the first pictures after a gap were on disk, but not yet the gap's end.
        let after = open.as_ref().map(|gap| Span {
            start: gap.start,
            end: start,
        });
        let recorded = after
            .filter(|after| after.us() > 0)
            .map_or(Ok(None), |after| {
                reader.segments(&stream, after).map(|rows| {
                    rows.into_iter()
                        .map(|row| row.start)
                        .find(|at| *at >= after.start)
                })
            })?;
        if let Some(end) = recorded {
            changes.push(Change::GapClosed {
                stream: stream.clone(),
                end,
            });
        }
        if open.is_none() || recorded.is_some() {
            changes.push(Change::GapOpened {
                stream,
                start,
                cause,
                detail: None,
            });
        }
    }
    if changes.is_empty() {
        Ok(())
    } else {
        catalog.commit(changes, None)
    }
}
