//! A catalog that is rebuilt knows from the ledger what was deleted: that is no loss, and what is lost is no deletion.

use std::fs;

use sinetti::base::Clock;
use sinetti::base::time::{Span, Wall};
use sinetti::catalog::{self, Catalog, HoldKind};
use sinetti::recorder::check;
use sinetti::recorder::deletions::Deletions;
use sinetti::recorder::reindex::{Reindex, Report};
use sinetti::retention::mirror::Kept;

use crate::plant::{HOUR, MINUTE, Own, Plant, T0, always, ids, stream};

const CAMERA: &str = "kassa/main";

/// The catalog that a reindex makes from the volume, the ledger and the mirror of holds.
fn rebuilt(own: &Own, name: &str) -> (Catalog, Report) {
    let plant = &own.plant;
    let path = own.folder.path().join(name);
    let old = plant.state.catalog_path();
    catalog::take_ledger(&path, plant.state.box_id, &old).expect("the ledger");
    let new = Catalog::open(&path, plant.state.box_id).expect("a catalog");
    let kept = Kept::of(&plant.reader(), plant.state.box_id, plant.clock.wall()).expect("kept");
    let deletions = Deletions::of(&new.reader().expect("reader"), &kept.holds).expect("told");
    let work = Reindex {
        catalog: &new,
        volumes: std::slice::from_ref(&plant.volume),
        box_id: plant.state.box_id,
        deletions: &deletions,
        clock: &*plant.clock,
        tell: &|_| {},
    };
    let report = work.run().expect("reindexed");
    kept.restore(&new).expect("holds");
    (new, report)
}

fn findings(own: &Own, catalog: &Catalog) -> Vec<String> {
    let reader = catalog.reader().expect("reader");
    let checked = check::check(&reader, own.plant.state.box_id, true, &|| false);
    checked.expect("a check").findings
}

fn span(from: i64, to: i64) -> Span {
    Span {
        start: T0.plus_us(from * MINUTE),
        end: T0.plus_us(to * MINUTE),
    }
}

/// Twenty minutes of which two holds keep the sixth to the eighth and the twelfth to the fourteenth; the last three are young. The
/// rest was deleted in one sweep.
fn swept() -> Own {
    let own = Own::new();
    let plant = &own.plant;
    plant.record(CAMERA, T0, 60, 20, 500);
    for (from, to) in [(5, 8), (11, 14)] {
        plant.hold(HoldKind::Case, "kassa", span(from, to));
    }
    plant.keep(CAMERA, HOUR);
    plant.set_clock(T0.plus_us(HOUR + 17 * MINUTE + 1));
    assert_eq!(plant.sweep().segments, 11);
    own
}

fn coverage(plant: &Plant, catalog: &Catalog) -> sinetti::catalog::Coverage {
    let reader = catalog.reader().expect("reader");
    let end = T0.plus_us(20 * MINUTE);
    let all = Span { start: T0, end };
    reader
        .coverage(&stream(CAMERA), all, plant.clock.wall())
        .expect("coverage")
}

#[test]
fn what_a_sweep_deleted_between_held_segments_is_no_finding_after_a_reindex() {
    let own = swept();
    let before = coverage(&own.plant, &own.plant.catalog);
    let (new, report) = rebuilt(&own, "new.db");
    assert_eq!(findings(&own, &new), Vec::<String>::new());
    assert_eq!((report.segments, report.holes, report.gaps), (9, 0, 0));
    let after = coverage(&own.plant, &new);
    assert_eq!(after, before, "deleted is deleted, and no gap");
    assert!(after.gaps.is_empty() && after.unknown.is_empty());
}

#[test]
fn a_held_segment_that_is_missing_is_one() {
    let own = swept();
    let held = own.plant.segments(CAMERA);
    let gone = &held[1];
    fs::remove_file(own.plant.path(gone)).expect("removed");
    let (new, report) = rebuilt(&own, "new.db");
    let found = findings(&own, &new);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains(&held[2].start.to_string()), "{found:?}");
    assert_eq!((report.holes, report.gaps), (1, 1));
    let reader = new.reader().expect("reader");
    let left = reader.segments(&stream(CAMERA), always()).expect("rows");
    assert_eq!(left.len(), 8);
    assert!(!ids(&left).contains(&gone.segment));
}

#[test]
fn what_was_deleted_after_its_hold_was_over_is_no_finding_either() {
    let own = swept();
    let plant = &own.plant;
    let holds = plant.reader().holds().expect("holds");
    plant.release(&holds[0]);
    let gone = plant.reader().hold(holds[0].hold).expect("query");
    let gone = gone.and_then(|hold| hold.ended).expect("ended").gone;
    plant.set_clock(Wall(gone.us() + 1));
    // The other hold still keeps its three.
    assert_eq!(plant.sweep().segments, 6);
    let (new, report) = rebuilt(&own, "new.db");
    assert_eq!(findings(&own, &new), Vec::<String>::new());
    assert_eq!((report.segments, report.holes), (3, 0));
}
