//! A fault at every single step of a sweep, then what a start finds and the next sweep does: nothing half deleted, the
//! key always gone before the file, each segment told of by exactly one event.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::base::Clock;
use crate::base::disk::Step;
use crate::base::disk::faults::{Faults, Outcome};
use crate::base::error::Result;
use crate::catalog::{Change, SegmentRow};
use crate::recorder::fault_tests::Scene;
use crate::retention::look;
use crate::retention::sweep::{self, Sweeper};
use crate::store::mark::{self, Mark};
use crate::store::scrub;
use crate::store::slots::{self, Place};
use crate::vault::slot::{self, Slot};

/// Segments that expire, and as many that are kept.
const EXPIRED: usize = 3;

/// Three segments of three days ago, which are to go, and three of today.
fn recorded() -> (Scene, Vec<SegmentRow>) {
    let scene = Scene::new();
    scene.record();
    scene.clock.advance(Duration::from_secs(3 * 86_400));
    scene.record();
    let keep = Change::KeepSet {
        stream: (*scene.stream).clone(),
        keep_s: 3600,
        at: scene.clock.wall(),
    };
    scene.catalog.commit(keep, None).expect("kept an hour");
    let rows = rows(&scene);
    assert_eq!(rows.len(), 2 * EXPIRED);
    (scene, rows)
}

fn rows(scene: &Scene) -> Vec<SegmentRow> {
    let reader = scene.catalog.reader().expect("reader");
    let page = reader.all_segments(scene.volume.id, None, 100);
    page.expect("rows").rows
}

fn path(scene: &Scene, row: &SegmentRow) -> PathBuf {
    scene
        .volume
        .segment_path(&row.stream, row.start, row.segment)
}

/// Somebody could still open it.
fn has_key(scene: &Scene, row: &SegmentRow) -> bool {
    let place = Place {
        day: row.key_day.clone(),
        index: row.key_index,
    };
    let state = slots::read(&scene.volume, &row.stream, &place).and_then(|b| slot::decode(&b));
    matches!(state, Ok(Slot::Whole(wrapped)) if wrapped.segment == row.segment)
}

fn sweep(scene: &Scene) -> Result<sweep::Outcome> {
    let reader = scene.catalog.reader()?;
    let there = [scene.volume.id].into();
    let found = look::plan(&reader, scene.clock.wall(), &there, &BTreeMap::new())?;
    let sweeper = Sweeper {
        catalog: &scene.catalog,
        reader: &reader,
        box_id: scene.box_id,
        clock: &*scene.clock,
        now: scene.clock.wall(),
    };
    sweeper.run(&found.plan, &mut || true)
}

fn is_key_file(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "keys")
}

fn is_segment(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "mp4")
}

/// Which steps failed.
#[derive(Clone, Copy, Debug)]
struct Fault {
    at: usize,
    count: usize,
    outcome: Outcome,
}

impl Fault {
    fn hits(self, step: usize) -> bool {
        step >= self.at && step - self.at < self.count
    }
}

/// No file was touched before a sync of the keys that is known to have succeeded, behind the last of their zeros.
fn keys_went_first(seen: &[(Step, PathBuf)], fault: Fault) {
    let removed = seen
        .iter()
        .position(|(step, path)| *step == Step::Remove && is_segment(path));
    let Some(removed) = removed else { return };
    let of_keys = |wanted: Step| {
        let steps = seen.iter().enumerate().take(removed);
        let of_keys = steps.filter(move |(_, (step, path))| *step == wanted && is_key_file(path));
        of_keys.map(|(number, _)| number)
    };
    let synced = of_keys(Step::Sync).rfind(|number| !fault.hits(*number));
    let zeroed = of_keys(Step::WriteAt).next_back();
    assert!(synced.is_some() && synced > zeroed, "{fault:?}: {seen:#?}");
}

/// What is without its file has no key, and what has a key is whole.
fn nothing_is_half(scene: &Scene, expired: &[SegmentRow], why: &str) {
    for row in expired {
        let file = path(scene, row);
        assert!(
            file.exists() || !has_key(scene, row),
            "{why}: a key outlives its file"
        );
    }
}

/// Segments that events of sweeps tell of.
fn told(scene: &Scene) -> u64 {
    let events = scene.catalog.reader().expect("reader").events(0, 1000);
    let events = events.expect("events");
    let sweeps = events.iter().filter(|row| row.event.action == "sweep");
    sweeps
        .map(|row| row.event.facts["segments"].as_u64().unwrap_or_default())
        .sum()
}

fn steps_of_a_good_sweep() -> usize {
    let (scene, rows) = recorded();
    let none = Fault {
        at: usize::MAX,
        count: 0,
        outcome: Outcome::Undone,
    };
    let watched = Faults::below(&scene.volume.root, none.at, none.count, none.outcome);
    let outcome = sweep(&scene).expect("a good sweep");
    assert_eq!(outcome.segments, EXPIRED as u64);
    let seen = watched.seen();
    drop(watched);
    let count = |wanted: Step, of: fn(&Path) -> bool| {
        let steps = seen
            .iter()
            .filter(|(step, path)| *step == wanted && of(path));
        steps.count()
    };
    assert_eq!(count(Step::WriteAt, is_key_file), EXPIRED);
    assert_eq!(count(Step::Remove, is_segment), EXPIRED);
    assert_eq!(count(Step::Remove, is_key_file), 1, "no key is in it");
    assert!(count(Step::SyncDir, |_| true) >= 2 && count(Step::RemoveDir, |_| true) >= 1);
    keys_went_first(&seen, none);
    scene.restart("a good sweep");
    finished(&scene, &rows, "a good sweep");
    seen.len()
}

fn finished(scene: &Scene, before: &[SegmentRow], why: &str) {
    let (expired, kept) = before.split_at(EXPIRED);
    let reader = scene.catalog.reader().expect("reader");
    assert!(reader.garbage(0, 10).expect("query").is_empty(), "{why}");
    assert_eq!(rows(scene), kept, "{why}");
    for row in expired {
        assert!(!path(scene, row).exists() && !has_key(scene, row), "{why}");
    }
    assert!(kept.iter().all(|row| has_key(scene, row)), "{why}");
    assert_eq!(told(scene), EXPIRED as u64, "{why}: each is told of once");
}

fn with_fault(fault: Fault) {
    let (scene, before) = recorded();
    let why = format!("{fault:?}");
    let faults = Faults::below(&scene.volume.root, fault.at, fault.count, fault.outcome);
    let first = sweep(&scene).expect("a disk that refuses ends no sweep");
    let seen = faults.seen();
    drop(faults);
    keys_went_first(&seen, fault);
    let all = first.segments + first.failures.len() as u64;
    assert_eq!(all, EXPIRED as u64, "{why}: deleted or told of");
    nothing_is_half(&scene, &before[..EXPIRED], &why);
    scene.restart(&why);
    nothing_is_half(&scene, &before[..EXPIRED], &why);
    let watched = Faults::below(&scene.volume.root, usize::MAX, 0, Outcome::Undone);
    let second = sweep(&scene).expect("finished");
    let again = watched.seen();
    drop(watched);
    assert_eq!(second.failures, Vec::<String>::new(), "{why}");
    assert_eq!(first.segments + second.segments, EXPIRED as u64, "{why}");
    if first.segments == 0 && again.iter().any(|(_, path)| is_key_file(path)) {
        // Zeros that a failed sync left in memory are written once more: the kernel would not.
        let zeroed = again
            .iter()
            .filter(|(step, path)| *step == Step::WriteAt && is_key_file(path));
        assert_eq!(zeroed.count(), EXPIRED, "{why}");
    }
    scene.restart(&why);
    finished(&scene, &before, &why);
}

#[test]
fn after_a_fault_at_any_step_of_a_sweep_it_is_finished_the_next_time() {
    let steps = steps_of_a_good_sweep();
    assert!(steps >= 12, "{steps}");
    for at in 0..steps {
        for outcome in [Outcome::Undone, Outcome::Done] {
            let count = 1;
            with_fault(Fault { at, count, outcome });
        }
    }
}

#[test]
fn a_disk_that_is_gone_from_any_step_of_a_sweep_on_keeps_what_it_had() {
    for at in 0..steps_of_a_good_sweep() {
        with_fault(Fault {
            at,
            count: usize::MAX,
            outcome: Outcome::Undone,
        });
    }
}

/// Runs `act` with a fault at each of its steps below `dir`, until it has no more; `look` sees what came of it.
fn at_each_step(dir: &Path, act: &dyn Fn() -> Result<()>, look: &dyn Fn(&str)) {
    let mut at = 0;
    loop {
        for outcome in [Outcome::Undone, Outcome::Done] {
            let faults = Faults::below(dir, at, 1, outcome);
            let result = act();
            let has_more = faults.seen().len() > at;
            drop(faults);
            if !has_more {
                assert!(result.is_ok(), "without a fault it works");
                assert!(at > 3, "there were steps");
                return;
            }
            look(&format!("step {at}, {outcome:?}"));
        }
        at += 1;
    }
}

#[test]
fn the_mark_of_a_volume_and_that_of_the_scrub_are_whole_whatever_fails() {
    let scene = Scene::new();
    let marked = |segments_ever: u64| Mark {
        catalog_us: 1,
        segments_ever,
        at: scene.clock.wall(),
    };
    mark::write(&scene.volume, &marked(1)).expect("a mark");
    let write = || mark::write(&scene.volume, &marked(2));
    at_each_step(&scene.volume.root, &write, &|why| {
        let read = mark::read(&scene.volume).expect(why);
        assert!(read == Some(marked(1)) || read == Some(marked(2)), "{why}");
        mark::write(&scene.volume, &marked(1)).expect(why);
    });
    let dir = tempfile::tempdir().expect("folder");
    let numbered = |n: u64| {
        let mut mark = scrub::Mark::default();
        let of_volume = mark.volumes.entry(scene.volume.id).or_default();
        of_volume.segments = n;
        mark
    };
    numbered(1).write(dir.path()).expect("a mark");
    let write = || numbered(2).write(dir.path());
    at_each_step(dir.path(), &write, &|why| {
        let read = scrub::Mark::read(dir.path());
        assert!(read == numbered(1) || read == numbered(2), "{why}");
        numbered(1).write(dir.path()).expect(why);
    });
}
