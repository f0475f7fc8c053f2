//! Scrub and reconciliation over a volume that was written for real and then spoilt.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::base::clock::{Clock, SimulatedClock};
use crate::base::disk::{self, DiskFile};
use crate::base::error::{Kind, Result};
use crate::base::time::Wall;
use crate::catalog::{Change, SegmentRow};
use crate::recorder::fault_tests::Scene;
use crate::recorder::reconcile::{self, Reconcile};
use crate::recorder::scrub::{Pace, Scrub};
use crate::recorder::walk::{self, Day};
use crate::store::scrub::VolumeMark;

fn rows(scene: &Scene) -> Vec<SegmentRow> {
    let reader = scene.catalog.reader().expect("reader");
    reader
        .all_segments(scene.volume.id, None, 100)
        .expect("rows")
        .rows
}

fn path(scene: &Scene, row: &SegmentRow) -> PathBuf {
    scene
        .volume
        .segment_path(&row.stream, row.start, row.segment)
}

fn actions(scene: &Scene, action: &str) -> usize {
    let events = scene.catalog.reader().expect("reader").events(0, 1000);
    let events = events.expect("events");
    events.iter().filter(|e| e.event.action == action).count()
}

fn scrub(scene: &Scene, mark: &mut VolumeMark, wait: &dyn Fn(Duration) -> bool) -> Result<bool> {
    let pace = Pace::new(&*scene.clock, 0, wait);
    let reader = scene.catalog.reader()?;
    let work = Scrub {
        catalog: &scene.catalog,
        reader: &reader,
        volume: &scene.volume,
        clock: &*scene.clock,
        pace: &pace,
    };
    work.run(mark, &mut |_| {})
}

fn reconcile(scene: &Scene) -> reconcile::Report {
    let reader = scene.catalog.reader().expect("reader");
    let work = Reconcile {
        catalog: &scene.catalog,
        reader: &reader,
        volume: &scene.volume,
        box_id: scene.box_id,
        clock: &*scene.clock,
    };
    work.run(&mut || true).expect("reconciles")
}

fn spoil(path: &Path, at: u64) {
    let mut file = DiskFile::open_existing(path).expect("opens");
    let mut byte = std::fs::read(path).expect("reads")[usize::try_from(at).expect("small")];
    byte ^= 1;
    file.write_at(&[byte], at).expect("writes");
}

/// As if the file had been written now, by the clock of the scene.
fn touch(scene: &Scene, path: &Path) {
    let at = u64::try_from(scene.clock.wall().us()).expect("after 1970");
    let at = std::time::UNIX_EPOCH + Duration::from_micros(at);
    let file = std::fs::File::open(path).expect("opens");
    file.set_modified(at).expect("sets");
}

#[test]
fn a_turned_bit_is_found_told_once_and_forgotten_when_it_is_gone() {
    let scene = Scene::new();
    scene.record();
    let mut mark = VolumeMark::default();
    let go_on = |_| true;
    assert!(scrub(&scene, &mut mark, &go_on).expect("scrubs"));
    assert_eq!((mark.segments, mark.damaged.len()), (3, 0));
    assert!(mark.bytes > 0 && !mark.is_under_way() && mark.is_well());
    let bad = rows(&scene).remove(1);
    let file = path(&scene, &bad);
    let middle = bad.bytes / 2;
    spoil(&file, middle);
    for _ in 0..2 {
        scene.clock.advance(Duration::from_secs(86_400));
        scrub(&scene, &mut mark, &go_on).expect("scrubs");
        let damaged: Vec<_> = mark.damaged.keys().collect();
        assert_eq!(damaged, [&bad.segment]);
    }
    assert_eq!(actions(&scene, "scrub-finding"), 1);
    assert_eq!(actions(&scene, "scrub"), 3);
    spoil(&file, middle);
    scrub(&scene, &mut mark, &go_on).expect("scrubs");
    assert!(mark.is_well(), "{mark:?}");
    // What was deleted is not damaged.
    spoil(&file, middle);
    scrub(&scene, &mut mark, &go_on).expect("scrubs");
    assert!(!mark.is_well());
    let removed = Change::SegmentRemoved(bad.segment);
    scene.catalog.commit(removed, None).expect("removed");
    scene.clock.advance(Duration::from_secs(1));
    scrub(&scene, &mut mark, &go_on).expect("scrubs");
    assert!(mark.is_well(), "{mark:?}");
}

#[test]
fn a_scrub_stops_at_once_and_goes_on_where_it_was() {
    let scene = Scene::new();
    scene.record();
    let (mut mark, reads) = (VolumeMark::default(), Cell::new(0));
    let stop = |_| {
        reads.set(reads.get() + 1);
        reads.get() < 10
    };
    assert!(!scrub(&scene, &mut mark, &stop).expect("stops"));
    assert_eq!(reads.get(), 10, "not a single read more");
    assert!(mark.is_under_way() && mark.is_well(), "{mark:?}");
    let begun = mark.begun;
    scene.clock.advance(Duration::from_secs(60));
    assert!(scrub(&scene, &mut mark, &|_| true).expect("scrubs"));
    assert_eq!(mark.begun, begun, "the same pass");
    assert!(mark.finished > begun);
}

#[test]
fn a_volume_that_is_gone_is_not_damaged_footage() {
    let scene = Scene::new();
    scene.record();
    let away = scene.volume.root.with_extension("away");
    disk::rename(&scene.volume.root, &away).expect("unmounts");
    let mut mark = VolumeMark::default();
    let failed = scrub(&scene, &mut mark, &|_| true).expect_err("it is gone");
    assert_eq!(failed.kind(), Kind::NotFound);
    assert!(mark.is_well());
}

#[test]
fn reading_keeps_its_pace() {
    let clock = SimulatedClock::at(Wall::from_secs(1_795_000_000));
    let waited = Cell::new(Duration::ZERO);
    let wait = |time| {
        waited.set(waited.get() + time);
        clock.advance(time);
        true
    };
    let pace = Pace::new(&*clock, 1 << 20, &wait);
    for _ in 0..41 {
        pace.take(256 << 10).expect("goes on");
    }
    assert_eq!(waited.get(), Duration::from_secs(10));
    // Time that passed otherwise counts, and is not saved up.
    clock.advance(Duration::from_secs(100));
    pace.take(1 << 20).expect("goes on");
    pace.take(1).expect("goes on");
    assert_eq!(waited.get(), Duration::from_secs(11));
}

#[test]
fn files_and_rows_are_compared_both_ways() {
    let scene = Scene::new();
    scene.record();
    let [first, second, third] = &rows(&scene)[..] else {
        panic!("three segments")
    };
    let day = path(&scene, first).parent().expect("a folder").to_owned();
    let stranger = day.join("notes.txt");
    disk::create(&stranger, b"mine", 0o600).expect("file");
    assert_eq!(reconcile(&scene).strangers, std::slice::from_ref(&stranger));
    // A row without a file is told, and stays.
    let away = scene.volume.root.join("away");
    disk::rename(&path(&scene, first), &away).expect("moves");
    assert_eq!(reconcile(&scene).missing, [path(&scene, first)]);
    disk::rename(&away, &path(&scene, first)).expect("moves back");
    // A file without a row is adopted, unless its row may be under way.
    let lose = |row: &SegmentRow| {
        let removed = Change::SegmentRemoved(row.segment);
        scene.catalog.commit(removed, None).expect("removed");
    };
    lose(second);
    touch(&scene, &path(&scene, second));
    let report = reconcile(&scene);
    assert_eq!((report.recovered.rows_added, report.left), (0, 1), "young");
    scene.clock.advance(Duration::from_secs(2 * 3600));
    let report = reconcile(&scene);
    assert_eq!((report.recovered.rows_added, report.left), (1, 0), "old");
    lose(third);
    let report = reconcile(&scene);
    assert_eq!(
        (report.recovered.rows_added, report.left),
        (0, 1),
        "the newest"
    );
    assert_eq!(rows(&scene).len(), 2);
    assert!(stranger.exists());
}

#[test]
fn a_part_is_adopted_when_nobody_has_it_open() {
    let scene = Scene::new();
    scene.record();
    let row = rows(&scene).remove(1);
    let closed = path(&scene, &row);
    let part = scene.volume.part_path(&row.stream, row.start, row.segment);
    disk::rename(&closed, &part).expect("as if it were being written");
    let removed = Change::SegmentRemoved(row.segment);
    scene.catalog.commit(removed, None).expect("removed");
    touch(&scene, &part);
    assert_eq!(reconcile(&scene).left, 1, "written to just now");
    scene.clock.advance(Duration::from_secs(3600));
    let writer = DiskFile::open_existing(&part).expect("opens");
    writer.claim().expect("nobody has it");
    let keeper = writer.syncer().expect("another handle");
    drop(writer);
    assert_eq!(reconcile(&scene).recovered.adopted, 0, "the keeper has it");
    drop(keeper);
    assert_eq!(reconcile(&scene).recovered.adopted, 1);
    assert!(closed.exists() && !part.exists());
    assert_eq!(rows(&scene).last().map(|r| r.segment), Some(row.segment));
}

#[test]
fn a_start_looks_at_the_days_that_can_hold_something_new() {
    let scene = Scene::new();
    scene.record();
    let reader = scene.catalog.reader().expect("reader");
    let row = rows(&scene).remove(0);
    let day = |stream: &str, n: i64| Day {
        stream: stream.parse().expect("id"),
        midnight: row.start.midnight().plus_us(n * 86_400_000_000),
    };
    let all: BTreeSet<_> = (-5..3)
        .flat_map(|n| [day("kassa-1/main", n), day("ovi-1/main", n)])
        .collect();
    let recent = |now| walk::recent(&reader, &scene.volume, all.clone(), now).expect("days");
    let of = |stream: &str, from: i64| (from..3).map(|n| day(stream, n)).collect::<Vec<_>>();
    // Of a stream without rows everything may be new.
    let expected = [of("kassa-1/main", -1), of("ovi-1/main", -5)].concat();
    assert_eq!(recent(scene.clock.wall()), expected);
    let back = row.start.plus_us(-3 * 86_400_000_000);
    let expected = [of("kassa-1/main", -4), of("ovi-1/main", -5)].concat();
    assert_eq!(recent(back), expected, "the clock went back");
}
