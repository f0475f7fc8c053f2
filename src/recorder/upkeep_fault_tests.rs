//! A fault at every single step by which reconciliation and reindex change a volume: the next time finds everything and
//! finishes it, and no byte that could not be read is lost.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::base::disk::faults::{Faults, Outcome};
use crate::base::disk::{self, DiskFile};
use crate::base::error::Result;
use crate::catalog::{Catalog, Change, SegmentRow};
use crate::recorder::check;
use crate::recorder::deletions::Deletions;
use crate::recorder::fault_tests::Scene;
use crate::recorder::reconcile::{self, Reconcile};
use crate::recorder::reindex::{self, Reindex};
use crate::store::volume::Volume;

/// What a crash and a bad disk may leave: of six segments one is damaged, one is a part with a torn end, one has no row.
struct Left {
    scene: Scene,
    /// The five that can be saved.
    good: BTreeSet<crate::base::id::SegmentId>,
    damaged: Vec<u8>,
}

fn rows(catalog: &Catalog, volume: &Volume) -> Vec<SegmentRow> {
    let reader = catalog.reader().expect("reader");
    let page = reader.all_segments(volume.id, None, 100);
    page.expect("rows").rows
}

fn left() -> Left {
    let scene = Scene::new();
    scene.record();
    scene.clock.advance(Duration::from_secs(3600));
    scene.record();
    let before = rows(&scene.catalog, &scene.volume);
    let file = |row: &SegmentRow| {
        let volume = &scene.volume;
        volume.segment_path(&row.stream, row.start, row.segment)
    };
    let (bad, torn) = (file(&before[0]), file(&before[1]));
    let mut opened = DiskFile::open_existing(&bad).expect("opens");
    opened.write_at(b"not what was here", 0).expect("spoilt");
    let damaged = std::fs::read(&bad).expect("reads");
    let part = torn.with_extension("mp4.part");
    disk::rename(&torn, &part).expect("as if it were being written");
    let mut opened = DiskFile::open_existing(&part).expect("opens");
    let bytes = std::fs::read(&part).expect("reads").len() as u64;
    // Into the last fragment: the trailer of so small a segment is longer than that.
    opened.truncate(bytes / 2).expect("torn");
    for row in &before[..3] {
        let lost = Change::SegmentRemoved(row.segment);
        scene.catalog.commit(lost, None).expect("no row");
    }
    let good = before[1..].iter().map(|row| row.segment).collect();
    // Files as old as they are on the disk of whoever runs this: far from the clock of the scene, which is what counts.
    scene.clock.advance(Duration::from_secs(2 * 3600));
    Left {
        scene,
        good,
        damaged,
    }
}

impl Left {
    fn reconcile(&self) -> Result<reconcile::Report> {
        let scene = &self.scene;
        let reader = scene.catalog.reader()?;
        let work = Reconcile {
            catalog: &scene.catalog,
            reader: &reader,
            volume: &scene.volume,
            box_id: scene.box_id,
            clock: &*scene.clock,
        };
        work.run(&mut || true)
    }

    fn reindex(&self, dir: &Path) -> (Catalog, Result<reindex::Report>) {
        let scene = &self.scene;
        let catalog = Catalog::open(&dir.join("new.db"), scene.box_id).expect("catalog");
        let work = Reindex {
            catalog: &catalog,
            volumes: std::slice::from_ref(&scene.volume),
            box_id: scene.box_id,
            deletions: &Deletions::default(),
            clock: &*scene.clock,
            tell: &|_| {},
        };
        let report = work.run();
        (catalog, report)
    }

    /// The damaged one lies in quarantine as it was, or where it was, wherever the fault left it.
    fn keeps_what_it_could_not_read(&self, why: &str) {
        let all = files(&self.scene.volume.root);
        let same = all
            .iter()
            .filter(|path| std::fs::read(path).is_ok_and(|bytes| bytes == self.damaged));
        assert_eq!(same.count(), 1, "{why}: neither lost nor doubled");
    }

    fn is_in_order(&self, catalog: &Catalog, why: &str) {
        let scene = &self.scene;
        let found: BTreeSet<_> = rows(catalog, &scene.volume)
            .into_iter()
            .map(|row| row.segment)
            .collect();
        assert_eq!(found, self.good, "{why}");
        let all = files(&scene.volume.root);
        let parts = all
            .iter()
            .filter(|path| path.extension().is_some_and(|e| e == "part"));
        assert_eq!(parts.count(), 0, "{why}");
        let quarantined = all.iter().filter(|path| {
            let mut above = path.ancestors().skip(1);
            above.any(|dir| dir.ends_with("quarantine"))
        });
        assert_eq!(quarantined.count(), 1, "{why}");
        self.keeps_what_it_could_not_read(why);
        let reader = catalog.reader().expect("reader");
        let report = check::check(&reader, scene.box_id, true, &|| false).expect("check");
        // The chain has a hole where the damaged one was; nothing else may be wrong.
        let other = report.findings.iter().filter(|f| !f.contains("root"));
        assert_eq!(other.collect::<Vec<_>>(), Vec::<&String>::new(), "{why}");
    }
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).expect("folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// `act` with a fault at each of its steps, in a new scene each time.
fn at_each_step(act: &dyn Fn(&Left), look: &dyn Fn(&Left, &str)) {
    let steps = {
        let left = left();
        let watched = Faults::below(&left.scene.volume.root, usize::MAX, 0, Outcome::Undone);
        act(&left);
        watched.seen().len()
    };
    assert!(steps > 8, "{steps}");
    for at in 0..steps {
        for outcome in [Outcome::Undone, Outcome::Done] {
            let left = left();
            let faults = Faults::below(&left.scene.volume.root, at, 1, outcome);
            act(&left);
            drop(faults);
            look(&left, &format!("step {at}, {outcome:?}"));
        }
    }
}

#[test]
fn reconciliation_can_fail_at_any_step_and_the_next_one_finishes_it() {
    let act = |left: &Left| {
        // It may fail: then the catalog and the disk refused, and nothing more is asked of it.
        left.reconcile().ok();
    };
    at_each_step(&act, &|left, why| {
        left.keeps_what_it_could_not_read(why);
        let report = left.reconcile().expect(why);
        assert_eq!(report.recovered.skipped, Vec::<String>::new(), "{why}");
        left.is_in_order(&left.scene.catalog, why);
        let report = left.reconcile().expect(why);
        assert_eq!(report.recovered.adopted, 0, "{why}: nothing is left to do");
    });
}

#[test]
fn a_start_after_a_reconciliation_that_failed_finishes_it_too() {
    let act = |left: &Left| {
        left.reconcile().ok();
    };
    at_each_step(&act, &|left, why| {
        let scene = &left.scene;
        crate::recorder::recovery::recover(
            &scene.volume,
            scene.box_id,
            &scene.catalog,
            &*scene.clock,
            &|| true,
        )
        .expect(why);
        left.is_in_order(&scene.catalog, why);
    });
}

#[test]
fn reindex_can_fail_at_any_step_and_the_next_one_finds_everything() {
    let act = |left: &Left| {
        let dir = tempfile::tempdir().expect("folder");
        let (catalog, report) = left.reindex(dir.path());
        if let Ok(report) = report {
            // What it does not have, it names.
            let recovered = &report.recovered;
            let named = recovered.quarantined.len() + recovered.skipped.len();
            let has = rows(&catalog, &left.scene.volume).len();
            assert_eq!(has + named, left.good.len() + 1, "{report:?}");
        }
    };
    at_each_step(&act, &|left, why| {
        left.keeps_what_it_could_not_read(why);
        let dir = tempfile::tempdir().expect("folder");
        let (catalog, report) = left.reindex(dir.path());
        let report = report.expect(why);
        assert_eq!(report.recovered.skipped, Vec::<String>::new(), "{why}");
        let reader = catalog.reader().expect("reader");
        assert!(reader.meta().expect("meta").latch.is_some(), "{why}");
        left.is_in_order(&catalog, why);
    });
}
