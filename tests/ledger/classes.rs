//! Details go by the age of their class, once a day, and only by a time that is believed; the log stays whole.

use serde_json::json;
use sinetti::base::clock::{HostSync, SimulatedClock};
use sinetti::base::time::Wall;
use sinetti::catalog::{Catalog, Change, Detail, EntryFilter, Event};
use sinetti::config::RecordsConfig;
use sinetti::daemon::records;

use crate::shop::{T0, state, verify};
use crate::support::TestBox;

const DAY_US: i64 = 86_400_000_000;

/// Actions of each class, with how many months they are kept by default.
const ACTIONS: [(&str, u64, &str); 7] = [
    ("clock-confirmed", 12, "operation"),
    ("sign-in", 12, "sign-in"),
    ("playback-opened", 60, "access"),
    ("configuration-loaded", 60, "configuration"),
    ("person-added", 84, "people"),
    ("hold-placed", 84, "request"),
    ("export", 120, "disclosure"),
];

fn years(n: i64) -> Wall {
    // A day more than the calendar has.
    T0.plus_us((n * 365 + n / 4 + 1) * DAY_US)
}

fn kept(catalog: &Catalog) -> Vec<String> {
    let reader = catalog.reader().expect("reader");
    let rows = reader
        .entries(&EntryFilter::default(), 1000)
        .expect("entries");
    let kept = rows
        .into_iter()
        .filter(|row| matches!(row.detail, Detail::Kept { .. }) && row.entry.at == T0);
    let mut actions: Vec<_> = kept.map(|row| row.entry.action).collect();
    actions.sort();
    actions
}

#[test]
fn each_class_goes_in_its_time_and_the_log_stays_whole() {
    let shop = TestBox::new();
    let state = state(&shop);
    let catalog = Catalog::open_signing(&state.catalog_path(), state.box_id, state.signer());
    let catalog = catalog.expect("catalog");
    for (action, ..) in ACTIONS {
        let event = Event {
            detail: Some(json!({ "by": "Aino" })),
            ..Event::of_box(T0, action, "x", json!({}))
        };
        catalog
            .commit(Vec::<Change>::new(), event)
            .expect("written");
    }
    let (reader, records) = (catalog.reader().expect("reader"), RecordsConfig::default());
    ages_are_shown(&records::classes(&reader, &records, T0).expect("classes"));
    let synchronised = HostSync {
        synchronised: true,
        error_us: 0,
    };
    for n in 0..12 {
        let clock = SimulatedClock::at(years(n));
        clock.set_host_sync(synchronised);
        let catalog_mark = Change::TimeMarked { at: years(n) };
        catalog.commit(catalog_mark, None).expect("marked");
        assert!(
            records::expire(&catalog, &reader, &records, &*clock).expect("done"),
            "{n}"
        );
        assert!(
            !records::expire(&catalog, &reader, &records, &*clock).expect("done"),
            "once a day"
        );
        let mut wanted: Vec<_> = ACTIONS
            .iter()
            .filter(|(_, months, _)| months / 12 > n.unsigned_abs() || n == 0)
            .map(|(action, ..)| (*action).to_owned())
            .collect();
        wanted.sort();
        assert_eq!(kept(&catalog), wanted, "after {n} years");
    }
    by_a_clock_that_is_ahead_nothing_goes(&catalog);
    drop(reader);
    catalog.close().expect("closed");
    assert!(verify(&shop, &[]).whole);
    let shown = shop
        .run(&[
            "ledger",
            "show",
            "--action",
            "person-added",
            "--limit",
            "100",
        ])
        .ok();
    assert!(shown.contains("details erased on"), "{shown}");
    let classes = shop.run(&["ledger", "classes"]).ok();
    assert!(
        classes.contains("disclosure") && classes.contains("10 years"),
        "{classes}"
    );
}

fn by_a_clock_that_is_ahead_nothing_goes(catalog: &Catalog) {
    let (reader, records) = (catalog.reader().expect("reader"), RecordsConfig::default());
    let event = Event {
        detail: Some(json!({ "by": "Aino" })),
        ..Event::of_box(years(11), "sign-in", "x", json!({}))
    };
    catalog
        .commit(Vec::<Change>::new(), event)
        .expect("written");
    let ahead = SimulatedClock::at(years(30));
    ahead.set_host_sync(HostSync {
        synchronised: false,
        error_us: 0,
    });
    assert!(!records::expire(catalog, &reader, &records, &*ahead).expect("done"));
}

fn ages_are_shown(classes: &[records::ClassStatus]) {
    for (_, months, class) in ACTIONS {
        let status = classes.iter().find(|status| status.class == class);
        let status = status.expect("there");
        assert!(status.entries >= 1, "{class}");
        let age = match months {
            12 => "12 months".to_owned(),
            months => format!("{} years", months / 12),
        };
        assert_eq!(status.age, age, "{class}");
    }
}
