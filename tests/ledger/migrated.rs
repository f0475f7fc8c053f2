//! A catalog of version 1, whose events were rows: they become entries of the ledger, with their numbers.

use std::fs;

use rusqlite::Connection;
use serde_json::json;
use sinetti::base::time::Wall;
use sinetti::catalog::{Detail, EntryFilter, EntryRow};

use crate::shop::{export, reader, text, verify};
use crate::support::TestBox;

/// A box whose catalog is of version 1.
fn old() -> TestBox {
    let shop = TestBox::new();
    let path = shop.dir.join("catalog.db");
    for end in ["", "-wal", "-shm"] {
        fs::remove_file(format!("{}{end}", path.display())).ok();
    }
    let id = shop.id().to_string().replace('-', "");
    let sql = include_str!("catalog_1.sql").replace("SINETTI_BOX", &id);
    let db = Connection::open(&path).expect("a database");
    db.execute_batch(&sql).expect("version 1");
    db.close().expect("closed");
    shop
}

fn entries(shop: &TestBox) -> Vec<EntryRow> {
    let filter = EntryFilter {
        after_seq: Some(0),
        ..EntryFilter::default()
    };
    reader(shop).entries(&filter, 100).expect("entries")
}

#[test]
fn events_are_entries_with_their_numbers() {
    let shop = old();
    // Looking at it brings it up to date.
    let found = verify(&shop, &[]);
    assert!(found.whole, "{found:#?}");
    assert_eq!(
        (found.epochs[0].entries, found.epochs[0].signed),
        (6, Some(6))
    );
    let rows = entries(&shop);
    let told: Vec<_> = rows
        .iter()
        .map(|row| (row.entry.seq, row.entry.action.as_str()))
        .collect();
    let actions = ["init", "start", "gap-opened", "export", "scrub", "stop"];
    let expected: Vec<_> = (1..).zip(actions).collect();
    assert_eq!(told, expected);
    assert_eq!(rows[3].entry.actor, "0e1b0f9a-4a63-4d9c-8f0f-3d0c3f1f2a11");
    assert_eq!(rows[3].entry.at, Wall(1_735_689_603_000_000));
    assert_eq!(rows[3].entry.facts, json!({ "clips": 1, "pictures": 900 }));
    let details: Vec<_> = rows
        .iter()
        .map(|row| match &row.detail {
            Detail::Kept { text, .. } => text.as_str(),
            _ => "",
        })
        .collect();
    let expected = [
        "",
        "",
        r#"{"text":"the camera was not there"}"#,
        r#"{"by":"manager1"}"#,
        r#""only a text""#,
        "null",
    ];
    assert_eq!(details, expected);
    // A fraction has no canonical form: it is kept as it was written, as a text.
    assert_eq!(
        rows[4].entry.facts,
        json!({ "text": "{\"mib_per_second\":19.5}" })
    );
    let epoch = reader(&shop).epoch().expect("an epoch");
    assert_eq!(
        (epoch.number, epoch.started),
        (1, Wall(1_735_689_600_000_000))
    );
    assert_eq!(
        reader(&shop).integrity_check().expect("a check"),
        Vec::<String>::new()
    );
    let dir = export(&shop, "export", &["--with-details"]);
    shop.run(&["ledger", "verify", text(&dir)]).ok();
}

#[test]
fn the_recorder_goes_on_with_it_and_a_reindex_keeps_it() {
    let mut shop = old();
    let done = shop.run(&["reindex", "--json"]).ok();
    assert!(done.contains("\"from\": \"catalog\""), "{done}");
    let rows = entries(&shop);
    assert_eq!(rows[3].entry.action, "export");
    let before = rows.len();
    shop.start();
    shop.stop();
    assert!(entries(&shop).len() > before);
    let found = verify(&shop, &[]);
    assert!(found.whole, "{found:#?}");
    shop.run(&[
        "ledger",
        "erase",
        "--class",
        "disclosure",
        "--before",
        "2025-06-01T00:00:00Z",
    ])
    .ok();
    assert!(matches!(entries(&shop)[3].detail, Detail::Erased(_)));
    assert!(verify(&shop, &[]).whole);
}
