//! A fault at every single step of writing and closing, then what a start finds: nothing half done, nothing confirmed
//! lost, time accounted for.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;

use crate::base::clock::{Clock, SimulatedClock};
use crate::base::disk::Step;
use crate::base::disk::faults::{Faults, Outcome};
use crate::base::hash::Digest;
use crate::base::id::{BoxId, PersonId, RunId, SegmentId, StreamId};
use crate::base::time::{Span, Ticks, Wall};
use crate::catalog::{Catalog, Change, GapCause};
use crate::media::access_unit::Codec;
use crate::media::header::{ClockState, Losses};
use crate::media::testing;
use crate::recorder::board::Board;
use crate::recorder::check;
use crate::recorder::fragment::{Begin, Fragment, Order, What};
use crate::recorder::keeper::{self, Keeper};
use crate::recorder::outbox::Waiting;
use crate::recorder::recovery;
use crate::recorder::segment::{Sealing, SealingInForce};
use crate::recorder::writer::{self, Writer};
use crate::store::volume::Volume;
use crate::vault::generation;
use crate::vault::identity::Identity;

const SAMPLES: i64 = 3;
/// Samples of the fixture are 3000 ticks long.
const FRAGMENT: Ticks = Ticks(3000 * SAMPLES);
const FRAGMENTS: i64 = 9;

/// A box with one volume; the catalog lies elsewhere, as it should.
pub(crate) struct Scene {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) box_id: BoxId,
    pub(crate) volume: Volume,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) clock: Arc<SimulatedClock>,
    pub(crate) stream: Arc<StreamId>,
    pub(crate) sealing: Sealing,
    pub(crate) recovery: Identity,
    overflow_before: Option<i64>,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self::of(|path, box_id| Catalog::open(path, box_id).expect("catalog"))
    }

    /// With a catalog that `open` makes of a path.
    pub(crate) fn of(open: impl FnOnce(&Path, BoxId) -> Catalog) -> Self {
        let dir = tempfile::tempdir().expect("folder");
        let box_id = BoxId::random();
        let clock = SimulatedClock::at(Wall::from_secs(1_795_000_000));
        let volume = Volume::init(&dir.path().join("volume"), box_id, "disk-1").expect("volume");
        let catalog = open(&dir.path().join("catalog.db"), box_id);
        let recovery = Identity::generate();
        let (to, person) = (recovery.recipient(), Identity::generate().recipient());
        let made = generation::create(&[(PersonId::random(), &person)], &to, clock.wall());
        let sealing = Sealing {
            generation: made.expect("generation").generation,
            recovery: to,
        };
        let seen = Change::VolumeSeen {
            volume: volume.id,
            name: volume.name.clone(),
            path: volume.root.to_string_lossy().into_owned(),
        };
        catalog.commit(seen, None).expect("seen");
        Self {
            dir,
            box_id,
            volume,
            catalog: Arc::new(catalog),
            clock,
            stream: Arc::new("kassa-1/main".parse().expect("id")),
            sealing,
            recovery,
            overflow_before: None,
        }
    }

    /// Records nine fragments in three segments, then stops.
    pub(crate) fn record(&self) {
        let clock: Arc<dyn Clock> = Arc::<SimulatedClock>::clone(&self.clock);
        let keeper_options = keeper::Options {
            volume: self.volume.clone(),
            dedicated: false,
            sync_secs: 1,
            clock: Arc::clone(&clock),
            board: Board::default(),
        };
        let keeper = Keeper::start(keeper_options, Arc::clone(&self.catalog)).expect("keeper");
        let options = writer::Options {
            volume: self.volume.clone(),
            box_id: self.box_id,
            sealing: SealingInForce::new(self.sealing.clone()),
            reserve_bytes: 0,
            ask_room: Arc::new(|| {}),
            clock,
            board: Board::default(),
        };
        let (sender, orders) = channel();
        let waiting = Waiting::default();
        let tell = |what| {
            let stream = Arc::clone(&self.stream);
            sender.send(Order { stream, what }).expect("writer");
        };
        let reader = self.catalog.reader().expect("reader");
        let (root, end) = (
            reader.last_root(&self.stream),
            reader.last_end(&self.stream),
        );
        let gap = reader.open_gap(&self.stream).expect("query");
        tell(What::Begin(Begin {
            previous_root: root.expect("query").unwrap_or(Digest::ZERO),
            covered_until: end.expect("query"),
            gap: gap.map(|gap| gap.cause),
            waiting: waiting.clone(),
        }));
        let run = RunId::random();
        for n in 0..FRAGMENTS {
            if self.overflow_before == Some(n) {
                tell(What::Overflow);
                continue;
            }
            tell(What::Fragment(Box::new(self.fragment(run, n))));
        }
        drop(sender);
        // The writer's own thread is this one: the order of steps is the same at every run.
        Writer::new(options, keeper)
            .run(&orders)
            .finish()
            .expect("keeper");
    }

    fn fragment(&self, run: RunId, n: i64) -> Fragment {
        let first_dts = Ticks(FRAGMENT.0 * n);
        let start = self.clock.wall().plus_ticks(first_dts);
        let samples = testing::samples(first_dts.0, &[3000, 700, 500]);
        Fragment {
            run,
            entry: Arc::new(testing::entry(Codec::H264)),
            cut: n % 3 == 0,
            doubts_before: false,
            starts_with_key: true,
            start,
            end: start.plus_ticks(FRAGMENT),
            first_dts,
            bytes: samples.iter().map(|s| s.data.len() as u64).sum(),
            samples,
            losses: Losses::default(),
            clock: ClockState::default(),
            activity: vec![(start.us() / 1_000_000, 64)],
        }
    }

    /// What a start does, and that nothing is wrong afterwards. Gives the samples that are there.
    pub(crate) fn restart(&self, why: &str) -> i64 {
        // Twice: a second start finds nothing left to do.
        for _ in 0..2 {
            recovery::recover(
                &self.volume,
                self.box_id,
                &self.catalog,
                &*self.clock,
                &|| true,
            )
            .unwrap_or_else(|e| panic!("{why}: {e}"));
        }
        recovery::open_gaps(&self.catalog, GapCause::Killed, self.clock.wall()).expect("gaps");
        let reader = self.catalog.reader().expect("reader");
        let report = check::check(&reader, self.box_id, true, &|| false).expect("check");
        assert!(report.findings.is_empty(), "{why}: {:?}", report.findings);
        let (start, end) = (self.clock.wall(), self.clock.wall().plus_us(60_000_000));
        let coverage = reader
            .coverage(&self.stream, Span { start, end }, end)
            .expect("coverage");
        let recorded_us: i64 = coverage.recorded.iter().map(Span::us).sum();
        let gaps_us: i64 = coverage.gaps.iter().map(|g| g.span.us()).sum();
        let unknown_us: i64 = coverage.unknown.iter().map(Span::us).sum();
        assert_eq!(recorded_us + gaps_us + unknown_us, 60_000_000, "{why}");
        i64::try_from(report.samples).expect("few")
    }
}

#[test]
fn a_gap_in_the_middle_of_a_session_has_both_its_ends() {
    let scene = Scene {
        overflow_before: Some(4),
        ..Scene::new()
    };
    scene.record();
    let reader = scene.catalog.reader().expect("reader");
    let start = scene.clock.wall();
    let end = start.plus_us(60_000_000);
    let span = Span { start, end };
    let gaps = reader.gaps(&scene.stream, span, end).expect("gaps");
    let causes: Vec<_> = gaps.iter().map(|g| (g.cause, g.end.is_some())).collect();
    assert_eq!(
        causes,
        [(GapCause::StorageSlow, true), (GapCause::Stopped, false)]
    );
    assert_eq!(scene.restart("overflow"), (FRAGMENTS - 1) * SAMPLES);
}

/// Ids of the catalog's segments with the hash of their files.
fn confirmed(scene: &Scene) -> BTreeMap<SegmentId, Vec<u8>> {
    let reader = scene.catalog.reader().expect("reader");
    let page = reader
        .all_segments(scene.volume.id, None, 100)
        .expect("rows");
    let read = |row: &crate::catalog::SegmentRow| {
        let path = scene
            .volume
            .segment_path(&row.stream, row.start, row.segment);
        std::fs::read(path).unwrap_or_default()
    };
    page.rows
        .iter()
        .map(|row| (row.segment, read(row)))
        .collect()
}

fn steps_of_a_good_run() -> usize {
    let scene = Scene::new();
    let watched = Faults::below(&scene.volume.root, usize::MAX, 0, Outcome::Undone);
    scene.record();
    let seen = watched.seen();
    assert!(seen.iter().any(|(step, _)| *step == Step::Rename));
    drop(watched);
    assert_eq!(scene.restart("a good run"), FRAGMENTS * SAMPLES);
    seen.len()
}

fn with_fault(at: usize, count: usize, outcome: Outcome) -> i64 {
    let scene = Scene::new();
    let why = format!("step {at}, {count} times, {outcome:?}");
    let faults = Faults::below(&scene.volume.root, at, count, outcome);
    scene.record();
    drop(faults);
    let before = confirmed(&scene);
    let samples = scene.restart(&why);
    let after = confirmed(&scene);
    for (id, bytes) in &before {
        assert_eq!(
            after.get(id),
            Some(bytes),
            "{why}: a confirmed segment changed"
        );
    }
    samples
}

#[test]
fn after_a_fault_at_any_step_nothing_is_half_done() {
    let steps = steps_of_a_good_run();
    assert!(steps > 30, "{steps}");
    for at in 0..steps {
        for outcome in [Outcome::Undone, Outcome::Done] {
            let samples = with_fault(at, 1, outcome);
            // The simulated clock stands still, so a refused segment is not tried again before the next start: what was
            // written until then is what must be there.
            assert!(samples <= FRAGMENTS * SAMPLES);
        }
    }
}

#[test]
fn after_a_disk_that_is_gone_from_any_step_on_what_was_confirmed_is_there() {
    for at in 0..steps_of_a_good_run() {
        with_fault(at, usize::MAX, Outcome::Undone);
    }
}

#[test]
fn adopting_can_be_cut_off_at_any_step_and_is_finished_the_next_time() {
    for at in 0..14 {
        for outcome in [Outcome::Undone, Outcome::Done] {
            let scene = Scene::new();
            // Two whole segments, then the disk is gone: a .part is left.
            let gone = Faults::below(&scene.volume.root, 40, usize::MAX, Outcome::Undone);
            scene.record();
            drop(gone);
            let faults = Faults::below(&scene.volume.root, at, 1, outcome);
            // May fail: the next start finishes it.
            recovery::recover(
                &scene.volume,
                scene.box_id,
                &scene.catalog,
                &*scene.clock,
                &|| true,
            )
            .ok();
            drop(faults);
            let samples = scene.restart(&format!("adopting, step {at}, {outcome:?}"));
            assert!(samples > 0);
            assert!(!left_over(&scene.volume.root));
        }
    }
}

fn left_over(dir: &Path) -> bool {
    std::fs::read_dir(dir).expect("folder").any(|entry| {
        let path = entry.expect("entry").path();
        if path.ends_with("quarantine") {
            return false;
        }
        let is_part = path.to_string_lossy().ends_with(".part");
        is_part || (path.is_dir() && left_over(&path))
    })
}
