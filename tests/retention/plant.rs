//! A box with footage of any age: written by the recorder's own code, on a clock that the test drives.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use sinetti::base::Clock;
use sinetti::base::clock::SimulatedClock;
use sinetti::base::hash::Digest;
use sinetti::base::id::{GenerationId, RunId, SegmentId, StreamId};
use sinetti::base::time::{Span, Ticks, Wall};
use sinetti::catalog::{Catalog, Change, Event, GapCause, Reader, SegmentRow};
use sinetti::media::access_unit::{SampleEntry, VISUAL_ENTRY_BYTES};
use sinetti::media::boxes::{put_box, put_u32s};
use sinetti::media::header::{ClockState, Losses};
use sinetti::media::segment::Sample;
use sinetti::recorder::board::Board;
use sinetti::recorder::fragment::{Begin, Fragment, Order, What};
use sinetti::recorder::keeper::{self, Keeper};
use sinetti::recorder::outbox::Waiting;
use sinetti::recorder::segment::{Sealing, SealingInForce};
use sinetti::recorder::writer::{self, Writer};
use sinetti::recorder::{check, recovery};
use sinetti::retention::look::{self, Found};
use sinetti::retention::plan::Plan;
use sinetti::retention::sweep::{Outcome, Sweeper};
use sinetti::store::state::State;
use sinetti::store::volume::Volume;
use sinetti::vault::generation::Generation;
use sinetti::vault::identity::Identity;

pub(crate) const SECOND: i64 = 1_000_000;
pub(crate) const MINUTE: i64 = 60 * SECOND;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;
/// 2026-11-23T15:00:00Z: when simulated footage begins.
pub(crate) const T0: Wall = Wall::from_secs(1_795_446_000);

pub(crate) fn stream(name: &str) -> StreamId {
    name.parse().expect("a stream")
}

/// A box, without a daemon.
pub(crate) struct Plant {
    pub(crate) state: State,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) clock: Arc<SimulatedClock>,
    pub(crate) volume: Volume,
    pub(crate) sealing: Sealing,
}

/// A box of its own, with the identity that opens all its keys.
pub(crate) struct Own {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) recovery: Identity,
    pub(crate) plant: Plant,
}

impl Own {
    /// With one volume, `levy-1`.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let footage = folder.path().join("footage");
        let recovery = Identity::generate();
        let (state, vault) = (folder.path().join("state"), Identity::generate());
        let plant = Plant::make(&state, &footage, &recovery, &vault);
        Self {
            folder,
            recovery,
            plant,
        }
    }

    /// As after a kill: everything is dropped and opened again, and what a start does is done.
    pub(crate) fn restart(self) -> Self {
        let Self {
            folder,
            recovery,
            plant,
        } = self;
        let (dir, root) = (plant.state.dir.clone(), plant.volume.root.clone());
        let clock = Arc::clone(&plant.clock);
        drop(plant);
        let plant = Plant::open(&dir, &root, clock);
        plant.recover();
        Self {
            folder,
            recovery,
            plant,
        }
    }
}

impl Plant {
    /// A new box in `dir` with a volume at `root`, whose keys `recovery` opens, and `vault`, its generation.
    pub(crate) fn make(dir: &Path, root: &Path, recovery: &Identity, vault: &Identity) -> Self {
        let (state, new_box) = State::begin(dir, recovery.recipient(), T0).expect("a state folder");
        new_box.finish().expect("a box");
        Volume::init(root, state.box_id, "levy-1").expect("a volume");
        let catalog = Catalog::open(&state.catalog_path(), state.box_id).expect("a catalog");
        let change = Change::GenerationAdded {
            generation: GenerationId::random(),
            recipient: vault.recipient().to_string(),
            created: T0,
        };
        catalog.commit(change, None).expect("a generation");
        catalog.close().expect("closed");
        Self::open(dir, root, SimulatedClock::at(T0))
    }

    /// The box in `dir`, whose daemon does not run.
    pub(crate) fn open(dir: &Path, root: &Path, clock: Arc<SimulatedClock>) -> Self {
        let state = State::open(dir).expect("the state folder");
        let catalog = Catalog::open(&state.catalog_path(), state.box_id).expect("the catalog");
        let row = catalog.reader().expect("reader").current_generation();
        let row = row.expect("query").expect("a generation");
        let sealing = Sealing {
            generation: Generation {
                id: row.generation,
                recipient: row.recipient.parse().expect("a recipient"),
                created: row.created,
            },
            recovery: state.recovery.clone(),
        };
        let plant = Self {
            volume: Volume::open(root, state.box_id, "levy-1").expect("the volume"),
            state,
            catalog: Arc::new(catalog),
            clock,
            sealing,
        };
        plant.seen(&plant.volume);
        plant
    }

    fn seen(&self, volume: &Volume) {
        let change = Change::VolumeSeen {
            volume: volume.id,
            name: volume.name.clone(),
            path: volume.root.to_string_lossy().into_owned(),
        };
        self.catalog.commit(change, None).expect("the volume");
    }

    pub(crate) fn reader(&self) -> Reader {
        self.catalog.reader().expect("a reader")
    }

    pub(crate) fn recover(&self) -> recovery::Report {
        let recovered = recovery::recover(
            &self.volume,
            self.state.box_id,
            &self.catalog,
            &*self.clock,
            &|| true,
        );
        recovery::open_gaps(&self.catalog, GapCause::Killed, self.clock.wall()).expect("gaps");
        recovered.expect("recovery")
    }

    /// Records segments of `secs` seconds and about `bytes` bytes each, one after the other from `start` on.
    pub(crate) fn record(&self, name: &str, start: Wall, secs: i64, count: i64, bytes: usize) {
        let run = RunId::random();
        let fragments = (0..count).map(|n| fragment(run, start, secs, n, bytes));
        self.order(name, fragments);
    }

    /// Has a writer of its own do this for a stream.
    pub(crate) fn order(&self, name: &str, orders: impl Iterator<Item = What>) {
        let id = Arc::new(stream(name));
        let reader = self.reader();
        let clock: Arc<dyn Clock> = Arc::<SimulatedClock>::clone(&self.clock);
        let keeper = keeper::Options {
            volume: self.volume.clone(),
            dedicated: true,
            sync_secs: 10,
            clock: Arc::clone(&clock),
            board: Board::default(),
        };
        let keeper = Keeper::start(keeper, Arc::clone(&self.catalog)).expect("a keeper");
        let options = writer::Options {
            volume: self.volume.clone(),
            box_id: self.state.box_id,
            sealing: SealingInForce::new(self.sealing.clone()),
            reserve_bytes: 0,
            clock,
            board: Board::default(),
            ask_room: Arc::new(|| ()),
        };
        let (sender, told) = channel();
        let give = |what| {
            let stream = Arc::clone(&id);
            sender.send(Order { stream, what }).expect("taken");
        };
        give(What::Begin(Begin {
            previous_root: reader
                .last_root(&id)
                .expect("query")
                .unwrap_or(Digest::ZERO),
            covered_until: reader.last_end(&id).expect("query"),
            gap: reader.open_gap(&id).expect("query").map(|gap| gap.cause),
            waiting: Waiting::default(),
        }));
        orders.for_each(give);
        drop(sender);
        let writer = Writer::new(options, keeper);
        writer.run(&told).finish().expect("all rows");
    }

    /// How long a stream is kept.
    pub(crate) fn keep(&self, name: &str, us: i64) {
        let change = Change::KeepSet {
            stream: stream(name),
            keep_s: u32::try_from(us / SECOND).expect("seconds"),
            at: self.clock.wall(),
        };
        self.catalog.commit(change, None).expect("a policy");
    }

    /// Sets the clock.
    pub(crate) fn set_clock(&self, at: Wall) {
        self.clock.step_wall(at.us_since(self.clock.wall()));
        self.clock.advance(Duration::ZERO);
    }

    pub(crate) fn plan(&self) -> Plan {
        let there = [self.volume.id].into();
        let found = look::plan(&self.reader(), self.clock.wall(), &there, &[].into());
        let Found { plan, in_vain, .. } = found.expect("a plan");
        assert!(in_vain.is_empty());
        plan
    }

    /// With a sweeper of this box.
    pub(crate) fn sweeper<T>(&self, act: impl FnOnce(&Sweeper<'_>) -> T) -> T {
        let reader = self.reader();
        act(&Sweeper {
            catalog: &self.catalog,
            reader: &reader,
            box_id: self.state.box_id,
            clock: &*self.clock,
            now: self.clock.wall(),
        })
    }

    /// Plans and sweeps.
    pub(crate) fn sweep(&self) -> Outcome {
        let plan = self.plan();
        self.sweeper(|sweeper| sweeper.run(&plan, &mut || true))
            .expect("a sweep")
    }

    /// All segments of a stream, what is being deleted left out.
    pub(crate) fn segments(&self, name: &str) -> Vec<SegmentRow> {
        self.reader()
            .segments(&stream(name), always())
            .expect("query")
    }

    pub(crate) fn path(&self, row: &SegmentRow) -> PathBuf {
        self.volume
            .segment_path(&row.stream, row.start, row.segment)
    }

    /// `check --deep` finds nothing.
    #[track_caller]
    pub(crate) fn check(&self) {
        let report = check::check(&self.reader(), self.state.box_id, true, &|| false);
        let report = report.expect("a check");
        assert!(report.findings.is_empty(), "{:#?}", report.findings);
    }

    /// The events of sweeps.
    pub(crate) fn sweeps(&self) -> Vec<Event> {
        let events = self.reader().events(0, 10_000).expect("events");
        let events = events.into_iter().map(|row| row.event);
        events.filter(|event| event.action == "sweep").collect()
    }
}

pub(crate) fn always() -> Span {
    Span {
        start: Wall(i64::MIN / 2),
        end: Wall(i64::MAX / 2),
    }
}

/// Ids of rows.
pub(crate) fn ids(rows: &[SegmentRow]) -> Vec<SegmentId> {
    rows.iter().map(|row| row.segment).collect()
}

/// A segment of a run that began at `start`: the one after `n` others, of `secs` seconds and about `bytes` bytes.
pub(crate) fn fragment(run: RunId, start: Wall, secs: i64, n: i64, bytes: usize) -> What {
    let (from, dts) = (start.plus_us(n * secs * SECOND), Ticks::from_secs(n * secs));
    let sample = Sample {
        data: vec![u8::try_from(n % 251).expect("small"); bytes],
        dts,
        pts: dts,
        duration: Ticks::from_secs(secs),
        is_key: true,
    };
    let end = from.plus_us(secs * SECOND);
    let activity = (from.us() / SECOND..end.us() / SECOND).map(|second| (second, 9));
    What::Fragment(Box::new(Fragment {
        run,
        entry: Arc::new(entry()),
        cut: true,
        doubts_before: false,
        starts_with_key: true,
        start: from,
        end,
        first_dts: dts,
        samples: vec![sample],
        bytes: bytes as u64,
        losses: Losses::default(),
        clock: ClockState::default(),
        activity: activity.collect(),
    }))
}

/// How it would be decoded, if anybody did.
fn entry() -> SampleEntry {
    let mut out = Vec::new();
    put_box(&mut out, b"avc1", |out| {
        let start = out.len();
        put_u32s(
            out,
            &[0, 1, 0, 0, 0, 0, 1920 << 16 | 1080, 0x48_0000, 0x48_0000],
        );
        out.resize(start + VISUAL_ENTRY_BYTES, 0);
        let record = b"\x01\x64\x00\x28\xff\xe1\x00\x04\x67\x64\x00\x28\x01\x00\x02\x68\xee";
        put_box(out, b"avcC", |out| out.extend_from_slice(record));
    });
    SampleEntry::parse(&out).expect("a good entry")
}
