//! The making of one package, from its footage to its sealed parts.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use log::{error, info};
use serde_json::json;

use crate::base::disk;
use crate::base::error::{Error, Kind, Result};
use crate::base::id::{DisclosureId, GenerationId};
use crate::base::time::Mono;
use crate::base::zone::Zone;
use crate::catalog::{Act, Change, Event, FileRow, JobRow, JobState, PackageChange, Reader};
use crate::daemon::ledger;
use crate::daemon::packages::keys::JobKeys;
use crate::daemon::packages::{Options, streams, wanted};
use crate::daemon::sweeper;
use crate::decode::Program;
use crate::disclosure::packages::Start;
use crate::evidence::keys::KeyRing;
use crate::evidence::package::make::{self, About, Copying, Prepared, Wanted};
use crate::evidence::package::order;
use crate::evidence::package::parts::{self, PART_BYTES_MAX, Part, Parts};
use crate::ledger::checkpoint::Signer;
use crate::store::volume::{PACKAGES_DIR, Volume};
use crate::vault::parcel::Parcel;

/// Mode of the folder of packages.
const DIR_MODE: u32 = 0o700;
/// So much more than the pictures a package may need: tables, proof, page, and what sealing adds.
const EXTRA_BYTES: u64 = 64 << 20;
/// While less than this is left above what recording needs, nothing more is written.
const SPARE_BYTES: u64 = EXTRA_BYTES / 2;
/// Whether it may go on is asked this often.
const CHECK_EVERY: Duration = Duration::from_secs(1);
/// While a volume is further behind than this, it waits.
const YIELD_BEHIND: Duration = Duration::from_secs(4);
const YIELD: Duration = Duration::from_millis(50);
/// Longest wait for a checkpoint: it is at most a second behind.
const SIGNED_MAX: Duration = Duration::from_secs(30);
/// While copies for viewing are coded.
const CODING: &str = "viewing";
/// What somebody cancelled says so.
const CANCELLED: &str = "cancelled";
/// The cause of what a restart, or a stop of the box, ended.
pub(super) const INTERRUPTED: &str = "interrupted";
/// How the cause begins when a disk has no room.
const DISK_FULL: &str = "disk full";
const CAUSE_CHARS_MAX: usize = 1000;

/// A package that is to be made, with its keys.
pub(super) struct Job {
    start: Start,
    keys: KeyRing,
    /// Of its line.
    number: u64,
}

/// Where it is made.
struct Place {
    volume: Volume,
    dir: PathBuf,
}

impl Job {
    pub(super) fn new(start: Start, keys: JobKeys, number: u64) -> Self {
        Self {
            number,
            start,
            keys: KeyRing::of_opener(Arc::new(keys)),
        }
    }

    /// Makes it, and writes down what became of it.
    pub(super) fn run(self, options: &Options) {
        let disclosure = self.start.disclosure;
        let made = self.make(options);
        match &made {
            Ok(parts) => info!("package of disclosure {disclosure}: {parts} parts"),
            Err(e) => error!("package of disclosure {disclosure}: {e}"),
        }
        ended(options, disclosure, &made.map(drop));
        options.lines.remove(disclosure, self.number);
    }

    fn make(&self, options: &Options) -> Result<usize> {
        let go_on = || self.go_on(options);
        go_on()?;
        self.phase(options, "closing")?;
        let reader = options.catalog.reader()?;
        for (stream, span) in streams(&self.start) {
            options.close(&reader, &stream, span, &go_on)?;
        }
        let now = options.clock.wall();
        ledger::seal(&options.catalog, now, "demand")?;
        let wanted = wanted::wanted(options, &reader, &self.start)?;
        let place = place(options, wanted::bytes(&wanted))?;
        let signer = options.state.signer()?;
        let begun = self.event(options, json!({ "cameras": self.cameras() }));
        let act = options.catalog.begin_act(begun, Vec::new())?;
        let seq = act.seq();
        // Until its entry is written, what it did is open.
        let mut open = Some(act);
        let made = self
            .pack(options, (&reader, &signer), wanted, (&place, seq))
            .and_then(|made| self.finish(options, (&reader, &signer), (made, &place), &mut open));
        if let (Err(e), Some(act)) = (&made, open) {
            self.failed(options, act, e);
        }
        made
    }

    /// Not cancelled, whoever wants it still may have it, and whoever approved it still stands behind it.
    fn go_on(&self, options: &Options) -> Result<()> {
        if options.lines.is_cancelled(self.start.disclosure) {
            return Err(Error::new(Kind::Busy, CANCELLED));
        }
        (self.start.check)()
    }

    fn phase(&self, options: &Options, phase: &'static str) -> Result<()> {
        options.lines.phase(self.start.disclosure, phase);
        self.progressed(options, phase)
    }

    fn progressed(&self, options: &Options, phase: &'static str) -> Result<()> {
        let disclosure = self.start.disclosure;
        let known = options.lines.progress(disclosure, options.clock.mono());
        let change = PackageChange::Progressed {
            disclosure,
            phase: phase.to_owned(),
            bytes_done: known.map_or(0, |known| known.bytes_done),
            bytes_total: known.map_or(0, |known| known.bytes_total),
        };
        options.catalog.commit(change, None)
    }

    fn cameras(&self) -> Vec<serde_json::Value> {
        let of = |camera: &order::Camera| json!({ "camera": camera.camera, "given": camera.given });
        self.start.order.cameras.iter().map(of).collect()
    }

    fn event(&self, options: &Options, mut facts: serde_json::Value) -> Event {
        facts["serial"] = self.start.order.serial.clone().into();
        let object = format!("disclosure {}", self.start.disclosure);
        Event {
            actor: self.start.by.to_string(),
            ..Event::of_box(options.clock.wall(), "disclosure-prepared", object, facts)
        }
    }

    /// The clips and the signed manifest.
    fn pack<'a>(
        &'a self,
        options: &'a Options,
        (reader, signer): (&Reader, &Signer),
        wanted: Vec<Wanted>,
        (place, intent): (&'a Place, u64),
    ) -> Result<Made<'a>> {
        self.phase(options, "packing")?;
        let in_force = options.feed.in_force();
        let in_force =
            in_force.ok_or_else(|| Error::new(Kind::Unavailable, "no configuration yet"))?;
        let site = &in_force.config.site;
        let epoch = reader.epochs()?.last().map(|epoch| epoch.number);
        let made = options.clock.wall();
        let about = About {
            box_id: options.box_id,
            epoch: epoch.ok_or_else(|| Error::new(Kind::NotFound, "nothing is signed yet"))?,
            site: site.name.clone(),
            zone: site.zone,
            configuration: in_force.digest,
            purpose: self.start.order.purpose.clone(),
            intent: Some(intent),
            disclosure: Some(self.start.order.part()),
            made,
        };
        // Right before the first byte.
        self.go_on(options)?;
        let watch = Rc::new(Watch {
            job: self,
            options,
            place,
            checked: Cell::new(options.clock.mono()),
            is_coding: Cell::new(false),
        });
        let writing = Rc::clone(&watch);
        let generation = options.sealing.get().generation.id;
        let parts = Parts::new(parts::Options {
            dir: place.dir.clone(),
            folder: self.start.order.serial.clone(),
            passphrase: self.start.order.encryption.as_ref(),
            time: local(site.zone, made),
            part_bytes_max: PART_BYTES_MAX,
            parcel: Box::new(move || {
                let sealing = options.sealing.get();
                if sealing.generation.id != generation {
                    let text = "the vault generation changed meanwhile; begin it anew";
                    return Err(Error::new(Kind::Busy, text));
                }
                Parcel::new(&sealing.generation, &sealing.recovery)
            }),
            wrote: Box::new(move |bytes| writing.wrote(bytes)),
        });
        let copying = Copying {
            program: &Program::beside()?,
            dir: &place.dir,
            begins: &|bytes| watch.codes(bytes),
            went_in: &|bytes| watch.did(bytes),
        };
        let keys = (&self.keys, signer);
        let prepared = make::prepare(parts, about, wanted, keys, Some(&copying))?;
        Ok(Made {
            prepared,
            generation,
        })
    }

    /// The ledger's entry with the manifest's hash; then proof and list; then the names, and with them the state: whatever ends it
    /// before, the disclosure is what it was.
    fn finish(
        &self,
        options: &Options,
        (reader, signer): (&Reader, &Signer),
        (made, place): (Made<'_>, &Place),
        open: &mut Option<Act>,
    ) -> Result<usize> {
        let Made {
            prepared,
            generation,
        } = made;
        let (clips, manifest) = (prepared.clips(), prepared.digest);
        self.go_on(options)?;
        self.phase(options, "proving")?;
        let mut outcome = (self.start.proved)(manifest)?;
        outcome.facts["clips"] = clips.len().into();
        outcome.facts["pictures"] = clips.iter().map(|clip| clip.pictures).sum::<usize>().into();
        let none = || Error::new(Kind::Internal, "an act that is over");
        let act = open.take().ok_or_else(none)?;
        let seq = options.catalog.end_act(act, outcome, Vec::new())?;
        self.signed(options, reader, seq)?;
        let papers = &*self.start.papers;
        let parts = prepared.finish(reader, seq, (&self.keys, signer), papers)?;
        let parts = parts.finish()?;
        let step = (self.start.prepared)(manifest, seq)?;
        self.name(options, (parts, generation), place, step)
    }

    /// Waits until a checkpoint is over the entry.
    fn signed(&self, options: &Options, reader: &Reader, seq: u64) -> Result<()> {
        let since = options.clock.mono();
        while let Err(e) = reader.inclusion(seq) {
            if e.kind() != Kind::NotFound || options.clock.mono().since(since) > SIGNED_MAX {
                return Err(e);
            }
            self.go_on(options)?;
            options.lines.pause(YIELD);
        }
        Ok(())
    }

    /// Gives the parts their names, and the catalog its rows: with them the job is done. `step` is that of the disclosure.
    fn name(
        &self,
        options: &Options,
        (parts, generation): (Vec<Part>, GenerationId),
        place: &Place,
        step: Change,
    ) -> Result<usize> {
        let (disclosure, at, of) = (self.start.disclosure, options.clock.wall(), parts.len());
        let reader = options.catalog.reader()?;
        let job = reader
            .last_job(disclosure)?
            .ok_or_else(|| Error::new(Kind::Internal, "the job is not in the catalog"))?;
        let (mut changes, mut named) = (Vec::new(), Vec::new());
        let mut hashes = Vec::new();
        for (part, number) in parts.into_iter().zip(1_u32..) {
            let file = format!("{}-{number}.age", job.job);
            let path = place.dir.join(&file);
            let row = FileRow {
                job: job.job,
                part: number,
                disclosure,
                name: parts::name(&self.start.order.serial, (changes.len() + 1, of)),
                bytes: part.bytes,
                sha256: part.sha256,
                place: format!("{}/{file}", place.volume.id),
                generation,
                key: Some(part.slot.to_vec()),
                wiped: None,
            };
            hashes.push(json!({ "bytes": part.bytes, "sha256": part.sha256.to_string() }));
            named.push(path.clone());
            if let Err(e) = part.name(&path) {
                unname(&named);
                return Err(e);
            }
            changes.push(Change::Package(PackageChange::PartMade(Box::new(row))));
        }
        changes.push(step);
        changes.push(Change::Package(PackageChange::Ended {
            disclosure,
            state: JobState::Done,
            cause: None,
            at,
        }));
        let facts = json!({ "serial": self.start.order.serial, "parts": hashes });
        let event = Event {
            actor: self.start.by.to_string(),
            ..Event::of_box(
                at,
                "package-made",
                format!("disclosure {disclosure}"),
                facts,
            )
        };
        // Rows that were refused may turn out to be there after a restart: files go only when it is known that they have none
        // (`wipe::strays`).
        options.catalog.commit(changes, event)?;
        Ok(of)
    }

    fn failed(&self, options: &Options, act: Act, why: &Error) {
        let outcome = Event {
            result: "failed".to_owned(),
            detail: Some(json!({ "text": why.to_string() })),
            ..self.event(options, json!({}))
        };
        if let Err(e) = options.catalog.end_act(act, outcome, Vec::new()) {
            error!("what became of a package could not be written down: {e}");
        }
    }
}

/// A package with its clips written and its manifest signed.
struct Made<'a> {
    prepared: Prepared<Parts<'a>>,
    generation: GenerationId,
}

/// Counts bytes, and asks between them whether it may go on.
struct Watch<'a> {
    job: &'a Job,
    options: &'a Options,
    place: &'a Place,
    checked: Cell<Mono>,
    /// Copies for viewing are being coded: what goes in counts then, and not what is written.
    is_coding: Cell<bool>,
}

impl Watch<'_> {
    /// From now on so many bytes of footage are coded anew.
    fn codes(&self, bytes: u64) -> Result<()> {
        let (options, disclosure) = (self.options, self.job.start.disclosure);
        self.is_coding.set(true);
        options.lines.begin(disclosure, CODING, bytes);
        self.job.progressed(options, CODING)
    }

    fn wrote(&self, bytes: u64) -> Result<()> {
        self.did(if self.is_coding.get() { 0 } else { bytes })
    }

    /// So many bytes more are done.
    fn did(&self, bytes: u64) -> Result<()> {
        let (options, disclosure) = (self.options, self.job.start.disclosure);
        let now = options.clock.mono();
        options.lines.wrote(disclosure, bytes, now);
        if now.since(self.checked.get()) >= CHECK_EVERY {
            self.checked.set(now);
            self.job.go_on(options)?;
            self.place.check(options)?;
        } else if options.lines.is_cancelled(disclosure) {
            return Err(Error::new(Kind::Busy, CANCELLED));
        }
        // Recording comes first.
        while options.is_behind() {
            self.job.go_on(options)?;
            options.lines.pause(YIELD);
        }
        Ok(())
    }
}

impl Options {
    /// Bytes that stay free, by the folder of the volume: with less, footage would be deleted early for the package.
    fn reserves(&self) -> BTreeMap<PathBuf, u64> {
        let config = self.feed.config();
        let reserves = config.as_ref().map(sweeper::reserves).unwrap_or_default();
        let kept = |(root, reserve)| (root, reserve + sweeper::margin(reserve));
        reserves.into_iter().map(kept).collect()
    }

    fn is_behind(&self) -> bool {
        let behind = self.board.pulses.behind(self.clock.mono());
        behind.values().any(|time| *time > YIELD_BEHIND)
    }
}

/// What had its name already goes: without a row it is nothing.
fn unname(paths: &[PathBuf]) {
    for path in paths {
        match disk::remove_file(path) {
            Err(e) if e.kind() != Kind::NotFound => error!("{e}"),
            _ => {}
        }
    }
}

/// The volume with most room above what recording needs, which a package with `bytes` of pictures does not touch.
///
/// # Errors
/// `Full` when that is not enough, with the figures; `NotFound` when no volume is there.
pub(super) fn room(options: &Options, bytes: u64) -> Result<Volume> {
    let reserves = options.reserves();
    let need = bytes + bytes / 100 + EXTRA_BYTES;
    let mut best: Option<(u64, Volume)> = None;
    for volume in options.volumes()? {
        let Some(reserve) = reserves.get(&volume.root) else {
            continue;
        };
        let room = volume.space()?.free_bytes.saturating_sub(*reserve);
        if best.as_ref().is_none_or(|(most, _)| room > *most) {
            best = Some((room, volume));
        }
    }
    let (room, volume) =
        best.ok_or_else(|| Error::new(Kind::NotFound, "no volume is there to write to"))?;
    if room < need {
        let text = format!(
            "no volume has room for the package: it needs {} MiB, and volume \"{}\" has {} MiB above what recording needs",
            need >> 20,
            volume.name,
            room >> 20
        );
        return Err(Error::new(Kind::Full, text));
    }
    Ok(volume)
}

fn place(options: &Options, bytes: u64) -> Result<Place> {
    let volume = room(options, bytes)?;
    let dir = volume.root.join(PACKAGES_DIR);
    disk::create_dir_all(&dir, DIR_MODE)?;
    Ok(Place { volume, dir })
}

impl Place {
    /// That recording's reserve is not touched: what is recorded meanwhile takes room too.
    ///
    /// # Errors
    /// `Full`.
    fn check(&self, options: &Options) -> Result<()> {
        let reserves = options.reserves();
        let reserve = reserves.get(&self.volume.root).copied();
        let room = self
            .volume
            .space()?
            .free_bytes
            .saturating_sub(reserve.unwrap_or_default());
        if room >= SPARE_BYTES {
            return Ok(());
        }
        let text = format!(
            "{DISK_FULL}: volume \"{}\" has {} MiB left above what recording needs",
            self.volume.name,
            room >> 20
        );
        Err(Error::new(Kind::Full, text))
    }
}

/// Year, month, day, hour, minute and second at the site.
fn local(zone: Zone, at: crate::base::time::Wall) -> [u16; 6] {
    let text = zone.basic(at);
    let number = |from: usize, to: usize| text.get(from..to).and_then(|t| t.parse().ok());
    let places = [(0, 4), (4, 6), (6, 8), (9, 11), (11, 13), (13, 15)];
    places.map(|(from, to)| number(from, to).unwrap_or_default())
}

/// Writes down what became of a job that did not end with its parts.
pub(super) fn ended(options: &Options, disclosure: DisclosureId, made: &Result<()>) {
    let Err(e) = made else {
        return;
    };
    let is_closed = options.lines.is_closed();
    let cause = if options.lines.is_cancelled(disclosure) && !is_closed {
        None
    } else if is_closed {
        Some(INTERRUPTED.to_owned())
    } else {
        Some(cause(e))
    };
    let found = options.catalog.reader().and_then(|reader| {
        let open = reader.open_jobs()?.into_iter();
        Ok(open.filter(|job| job.disclosure == disclosure).collect())
    });
    let written = found.and_then(|jobs: Vec<JobRow>| {
        let over = |job| over(options, job, cause.clone());
        jobs.iter().try_for_each(over)
    });
    if let Err(e) = written {
        error!("what became of a package could not be written down: {e}");
    }
}

/// In words; a disk that is full is called that, whatever was being written.
fn cause(e: &Error) -> String {
    let text = e.to_string();
    let is_disk = e.kind() == Kind::Full && e.os_code().is_some();
    let text = if is_disk {
        format!("{DISK_FULL}: {text}")
    } else {
        text
    };
    text.chars().take(CAUSE_CHARS_MAX).collect()
}

/// A job is over without a package: it failed by `cause`, or a person stopped it.
///
/// # Errors
/// What the catalog says.
pub(super) fn over(options: &Options, job: &JobRow, cause: Option<String>) -> Result<()> {
    let at = options.clock.wall();
    let (state, result) = match cause.as_deref() {
        None => (JobState::Cancelled, "cancelled"),
        Some(INTERRUPTED) => (JobState::Failed, INTERRUPTED),
        Some(_) => (JobState::Failed, "failed"),
    };
    let object = format!("disclosure {}", job.disclosure);
    let event = Event {
        actor: job.by.clone(),
        result: result.to_owned(),
        detail: cause.as_ref().map(|cause| json!({ "text": cause })),
        ..Event::of_box(at, "package-made", object, json!({ "job": job.job }))
    };
    let change = PackageChange::Ended {
        disclosure: job.disclosure,
        state,
        cause,
        at,
    };
    options.catalog.commit(change, event)
}
