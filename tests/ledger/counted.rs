//! What somebody outside can cause without end is counted; and when nobody takes an anchor away, it is told.

use serde_json::json;
use sinetti::base::Clock;
use sinetti::base::id::RunId;
use sinetti::base::time::Wall;
use sinetti::catalog::{Catalog, Change, Event, GapCause, LedgerChange};
use sinetti::daemon::ledger::LedgerStatus;
use sinetti::recorder::fragment::What;

use crate::plant::{self, HOUR, MINUTE, Own, SECOND, always, fragment, stream};
use crate::shop::{T0, anchor, catalog, reader, verify};
use crate::support::TestBox;

fn knock(catalog: &Catalog, at: Wall, object: &str) -> Option<u64> {
    let event = Event {
        result: "refused".to_owned(),
        detail: Some(json!({ "from": "192.168.1.5" })),
        frequent: true,
        ..Event::of_box(at, "sign-in", object, json!({}))
    };
    catalog.note(event).expect("counted")
}

fn flush(catalog: &Catalog, at: Wall) {
    catalog
        .commit(LedgerChange::TalliesFlushed { at }, None)
        .expect("flushed");
}

/// Number of events that each entry of an object stands for, in order.
fn times(shop: &TestBox, object: &str) -> Vec<u64> {
    let events = reader(shop).events(0, 10_000).expect("events");
    let of = events.iter().filter(|row| row.event.object == object);
    of.map(|row| row.event.facts["times"].as_u64().unwrap_or(1))
        .collect()
}

#[test]
fn the_first_of_a_minute_have_entries_and_the_rest_one() {
    let shop = TestBox::new();
    let opened = catalog(&shop);
    let at = |minute: i64, second: i64| T0.plus_us(minute * MINUTE + second * SECOND);
    for n in 0..10 {
        assert_eq!(knock(&opened, at(0, n), "door").is_some(), n < 3);
    }
    assert!(
        knock(&opened, at(0, 11), "gate").is_some(),
        "another object"
    );
    // The minute is not over.
    flush(&opened, at(0, 59));
    assert_eq!(times(&shop, "door"), [1, 1, 1]);
    // What is counted survives.
    opened.close().expect("closed");
    let opened = catalog(&shop);
    flush(&opened, at(1, 0));
    assert_eq!(times(&shop, "door"), [1, 1, 1, 7]);
    flush(&opened, at(2, 0));
    assert_eq!(times(&shop, "door"), [1, 1, 1, 7], "told once");
    // A new minute tells of the one before by itself.
    for n in 0..5 {
        knock(&opened, at(3, n), "door");
    }
    for n in 0..4 {
        knock(&opened, at(5, n), "door");
    }
    assert_eq!(times(&shop, "door"), [1, 1, 1, 7, 1, 1, 1, 2, 1, 1, 1]);
    // The clock goes back: nothing is held for ever.
    flush(&opened, at(-90, 0));
    assert_eq!(times(&shop, "door"), [1, 1, 1, 7, 1, 1, 1, 2, 1, 1, 1, 1]);
    assert_eq!(times(&shop, "gate"), [1]);
    let told = reader(&shop).events(0, 1000).expect("events");
    let told = told
        .iter()
        .find(|row| row.event.facts["times"] == 7)
        .expect("it");
    assert_eq!(told.event.facts["first"], json!(at(0, 3)));
    assert_eq!(told.event.facts["last"], json!(at(0, 9)));
    assert_eq!(told.event.result, "refused");
    opened.close().expect("closed");
    assert!(verify(&shop, &[]).whole);
}

#[test]
fn many_objects_do_not_fill_the_table() {
    let shop = TestBox::new();
    let opened = catalog(&shop);
    let mut entries = 0;
    for n in 0..1500 {
        entries += u32::from(knock(&opened, T0, &format!("name-{n}")).is_some());
    }
    assert_eq!(entries, 1024 + 3);
    flush(&opened, T0.plus_us(MINUTE));
    opened.close().expect("closed");
    assert_eq!(times(&shop, ""), [1500 - 1024 - 3]);
}

#[test]
fn a_camera_that_comes_and_goes_has_all_its_gaps_and_few_entries() {
    const SESSIONS: i64 = 20;
    let (own, id) = (Own::new(), stream("door/main"));
    // A second of footage, a second without, all within a minute.
    let sessions = (0..SESSIONS).flat_map(|n| {
        let ended = What::Ended {
            cause: GapCause::CameraClosed,
            detail: format!("session {n}"),
        };
        let start = plant::T0.plus_us(2 * n * SECOND);
        [fragment(RunId::random(), start, 1, 0, 400), ended]
    });
    own.plant.order("door/main", sessions);
    let reader = own.plant.reader();
    let gaps = reader
        .gaps(&id, always(), plant::T0.plus_us(HOUR))
        .expect("gaps");
    assert_eq!(
        gaps.len() as i64,
        SESSIONS,
        "each gap has its row: {gaps:?}"
    );
    let entries = |action: &str| -> Vec<u64> {
        let events = reader.events(0, 1000).expect("events");
        let of = events.iter().filter(|row| row.event.action == action);
        of.map(|row| row.event.facts["times"].as_u64().unwrap_or(1))
            .collect()
    };
    assert_eq!(entries("gap-opened"), [1, 1, 1]);
    flush(&own.plant.catalog, own.plant.clock.wall().plus_us(MINUTE));
    for action in ["gap-opened", "gap-closed"] {
        let told = entries(action);
        assert_eq!(told[..3], [1, 1, 1]);
        assert_eq!(told.len(), 4, "one tells of the rest: {told:?}");
        assert!(told.iter().sum::<u64>() >= 19, "{told:?}");
    }
}

#[test]
fn nobody_took_an_anchor_away_for_thirty_days() {
    let shop = TestBox::new();
    let opened = catalog(&shop);
    opened
        .commit(Vec::<Change>::new(), crate::shop::event(0))
        .expect("written");
    opened.close().expect("closed");
    let begun = reader(&shop).epochs().expect("epochs")[0].started;
    let day = 24 * 60 * MINUTE;
    let status = |at: Wall| LedgerStatus::read(&reader(&shop), at).expect("a status");
    assert!(!status(begun.plus_us(30 * day)).is_alarm());
    let overdue = status(begun.plus_us(30 * day + 1));
    assert!(overdue.anchor_overdue && overdue.is_alarm() && overdue.last_anchor.is_none());
    anchor(&shop, "anchor");
    let taken = status(begun).last_anchor.expect("taken");
    assert!(!status(taken.plus_us(30 * day)).anchor_overdue);
    assert!(status(taken.plus_us(30 * day + 1)).anchor_overdue);
    // One that could not be written was not taken.
    let refused = shop.run(&["ledger", "anchor", "-o", "/nowhere/anchor"]);
    assert_ne!(refused.code, 0);
    assert_eq!(status(begun).last_anchor, Some(taken));
}
