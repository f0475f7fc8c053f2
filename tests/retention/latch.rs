//! Catalog lost, older or replaced, and a clock that cannot be right: nothing is deleted until somebody has looked.

use std::fs;

use sinetti::base::Clock;
use sinetti::base::clock::HostSync;
use sinetti::catalog::{Catalog, Change};
use sinetti::daemon::sweeper;
use sinetti::retention::latch;

use crate::plant::{DAY, HOUR, Own, Plant, T0, stream};

fn recorded() -> Own {
    let own = Own::new();
    own.plant.record("kassa/main", T0, 60, 5, 2000);
    let plant = &own.plant;
    latch::leave_mark(&plant.reader(), &plant.volume, T0).expect("a mark");
    own
}

fn look(plant: &Plant) -> Option<String> {
    latch::look(&plant.catalog, &plant.volume, plant.clock.wall()).expect("looked");
    plant.reader().meta().expect("query").latch
}

#[test]
fn the_catalog_that_wrote_the_footage_is_believed() {
    let own = recorded();
    assert_eq!(look(&own.plant), None);
    let own = own.restart();
    assert_eq!(look(&own.plant), None);
    own.plant
        .record("kassa/main", T0.plus_us(HOUR), 60, 5, 2000);
    assert_eq!(look(&own.plant), None, "a mark may be older");
}

#[test]
fn a_new_catalog_is_told_by_the_mark_or_by_what_lies_there() {
    for has_mark in [true, false] {
        let own = recorded();
        let plant = &own.plant;
        if !has_mark {
            fs::remove_file(plant.volume.root.join("sinetti-mark.json")).expect("removed");
        }
        let path = own.folder.path().join("other.db");
        let new = Catalog::open(&path, plant.state.box_id).expect("a new catalog");
        latch::look(&new, &plant.volume, T0).expect("looked");
        let reader = new.reader().expect("reader");
        let reason = reader.meta().expect("query").latch.expect("latched");
        assert!(reason.contains("catalog"), "{reason}");
        latch::leave_mark(&reader, &plant.volume, T0).expect("nothing happens");
        assert_eq!(look(plant), None, "the proof is not overwritten");

        latch::confirm(
            &new,
            std::slice::from_ref(&plant.volume),
            T0,
            sinetti::retention::latch::Confirmer {
                actor: None,
                used: Vec::new(),
                detail: "somebody".into(),
            },
        )
        .expect("confirmed");
        assert_eq!(reader.meta().expect("query").latch, None);
        latch::look(&new, &plant.volume, T0).expect("looked");
        assert_eq!(reader.meta().expect("query").latch, None, "once is enough");
        let events = reader.events(0, 10).expect("query");
        let actions: Vec<_> = events.iter().map(|row| row.event.action.as_str()).collect();
        assert_eq!(actions, ["deletion-latched", "retention-confirmed"]);
    }
}

#[test]
fn an_older_catalog_is_told_by_the_mark() {
    let own = recorded();
    let (backup, live) = (
        own.folder.path().join("backup.db"),
        own.plant.state.catalog_path(),
    );
    own.plant.catalog.close().expect("closed");
    fs::copy(&live, &backup).expect("copied");
    let own = own.restart();
    own.plant
        .record("kassa/main", T0.plus_us(HOUR), 60, 5, 2000);
    latch::leave_mark(&own.plant.reader(), &own.plant.volume, T0).expect("a mark");
    own.plant.catalog.close().expect("closed");
    for suffix in ["-wal", "-shm"] {
        fs::remove_file(live.with_file_name(format!("catalog.db{suffix}"))).ok();
    }
    fs::copy(&backup, &live).expect("restored");
    let clock = std::sync::Arc::clone(&own.plant.clock);
    let (dir, root) = (own.plant.state.dir.clone(), own.plant.volume.root.clone());
    let restored = Plant::open(&dir, &root, clock);
    let reason = look(&restored).expect("latched");
    assert!(reason.contains("older copy"), "{reason}");
    restored.recover();
    assert_eq!(
        restored.segments("kassa/main").len(),
        10,
        "all is found again"
    );
    restored.check();
}

#[test]
fn a_clock_a_year_ahead_without_source_is_not_believed() {
    let own = recorded();
    let plant = &own.plant;
    plant.keep("kassa/main", HOUR);
    let unsynchronised = HostSync::default();
    plant.clock.set_host_sync(unsynchronised);
    let verdict = || {
        let (now, host) = (plant.clock.wall(), plant.clock.host_sync());
        sweeper::judge(&plant.reader(), now, host, &[]).expect("judged")
    };
    plant.set_clock(T0.plus_us(2 * HOUR));
    assert!(verdict().is_believed(), "the newest footage is a mark");
    plant.set_clock(T0.plus_us(365 * DAY));
    assert!(!verdict().is_believed());
    let change = Change::TimeMarked {
        at: T0.plus_us(365 * DAY),
    };
    plant.catalog.commit(change, None).expect("confirmed");
    assert!(verdict().is_believed(), "a person has said so");
    plant.set_clock(T0);
    assert!(!verdict().is_believed(), "now it is behind");
    assert!(
        !plant
            .reader()
            .segments(&stream("kassa/main"), crate::plant::always())
            .expect("query")
            .is_empty()
    );
}
