//! Details are erased lawfully: nothing of them is left, and every proof holds.

use std::fs;

use serde_json::{Value, json};
use sinetti::catalog::{Change, Event};
use sinetti::evidence::proof::EntryProof;

use crate::shop::{Checked, T0, anchor, catalog, export, files, grow, state, text, verify};
use crate::support::TestBox;

/// Nothing else has it.
const NAME: &str = "Aino Erikoisen-Harvinainen";
const LONG: usize = 20_000;

/// A box whose ledger knows a name in several ways: in short details and in ones that fill pages of their own.
fn with_name() -> TestBox {
    let shop = TestBox::new();
    grow(&shop, 100);
    let catalog = catalog(&shop);
    for n in 0..60_usize {
        let filler = "x".repeat(if n.is_multiple_of(10) { LONG } else { n });
        let event = Event {
            detail: Some(json!({ "by": NAME, "filler": filler, "again": NAME })),
            ..Event::of_box(T0, "playback-opened", "kassa-1/main", json!({ "n": n }))
        };
        catalog
            .commit(Vec::<Change>::new(), event)
            .expect("written");
    }
    catalog.close().expect("closed");
    shop
}

/// Files below the state folder, the volume and `more` in which the name is.
fn holding(shop: &TestBox) -> Vec<String> {
    let all = files(&shop.dir).into_iter().chain(files(&shop.volume));
    all.filter(|path| {
        // The socket is no file.
        let bytes = fs::read(path).unwrap_or_default();
        bytes
            .windows(NAME.len())
            .any(|part| part == NAME.as_bytes())
    })
    .map(|path| path.display().to_string())
    .collect()
}

fn erase(shop: &TestBox) {
    let args = [
        "ledger",
        "erase",
        "--class",
        "access",
        "--before",
        "2026-01-01T00:00:00Z",
    ];
    shop.run(&args).ok();
}

#[test]
fn nothing_of_the_details_stays_and_every_proof_holds() {
    let mut shop = with_name();
    shop.start();
    let taken = anchor(&shop, "anchor");
    assert!(!holding(&shop).is_empty());
    let before = export(&shop, "before", &["--with-details"]);
    let said = fs::read_to_string(before.join("details.jsonl")).expect("details");
    assert!(said.contains(NAME));
    erase(&shop);
    for _ in 0..100 {
        if holding(&shop).is_empty() {
            break;
        }
        shop.recorder().pace();
    }
    assert_eq!(holding(&shop), Vec::<String>::new());
    let whole = verify(&shop, &["--anchor", text(&taken)]);
    assert!(whole.whole, "{whole:#?}");
    let shown = shop
        .run(&["ledger", "show", "--action", "playback-opened"])
        .ok();
    assert!(
        shown.contains("details erased on") && !shown.contains(NAME),
        "{shown}"
    );
    let shown: Vec<Value> = serde_json::from_str(
        &shop
            .run(&["ledger", "show", "--action", "details-erased", "--json"])
            .ok(),
    )
    .expect("JSON");
    assert_eq!(shown[0]["facts"]["class"], "access");
    assert_eq!(shown[0]["facts"]["entries"], 60 + 34);
    // Every proof holds.
    let key = state(&shop).key().expect("the key");
    let reader = shop.catalog();
    for seq in 1..=reader.epoch().expect("an epoch").size {
        let proof = EntryProof::make(&reader, seq).expect("a proof");
        proof.verify(key).expect("proven");
    }
    // What is exported from now on has none of it, also where it was exported before.
    for (name, more) in [("after", &["--with-details"][..]), ("before", &[])] {
        let dir = export(&shop, name, more);
        for file in files(&dir) {
            let text = String::from_utf8_lossy(&fs::read(&file).expect("a file")).into_owned();
            assert!(!text.contains(NAME), "{}", file.display());
        }
        let checked = Checked::of(&shop.run(&["ledger", "verify", "--json", text(&dir)]));
        assert!(checked.whole, "{name}: {checked:#?}");
    }
    shop.stop();
    assert_eq!(holding(&shop), Vec::<String>::new());
    assert!(verify(&shop, &["--anchor", text(&taken)]).whole);
}

#[test]
fn what_a_kill_left_in_the_log_of_sqlite_goes_at_the_next_start() {
    let mut shop = with_name();
    shop.start();
    // As long as somebody reads, the write-ahead log cannot be emptied.
    let reader = shop.catalog();
    let snapshot = reader.snapshot().expect("a snapshot");
    erase(&shop);
    // It is signed all the same.
    let size = shop.status().ledger.size;
    shop.run(&["ledger", "seal"]).ok();
    shop.run(&["ledger", "anchor"]).ok();
    shop.wait("a further checkpoint", |status| status.ledger.size > size);
    assert!(!holding(&shop).is_empty(), "the reader needs it");
    shop.kill();
    drop(snapshot);
    drop(reader);
    shop.start();
    for _ in 0..100 {
        if holding(&shop).is_empty() {
            break;
        }
        shop.recorder().pace();
    }
    assert_eq!(holding(&shop), Vec::<String>::new());
    shop.stop();
}

#[test]
fn a_class_is_erased_and_no_other_and_nothing_of_the_future() {
    let shop = with_name();
    let refused = [
        "ledger",
        "erase",
        "--class",
        "access",
        "--before",
        "2999-01-01T00:00:00Z",
    ];
    assert!(shop.run(&refused).error().contains("future"));
    let refused = [
        "ledger",
        "erase",
        "--class",
        "all",
        "--before",
        "2026-01-01T00:00:00Z",
    ];
    assert!(
        shop.run(&refused)
            .error()
            .contains("operation, sign-in, access")
    );
    let other = [
        "ledger",
        "erase",
        "--class",
        "people",
        "--before",
        "2026-01-01T00:00:00Z",
    ];
    shop.run(&other).ok();
    assert!(!holding(&shop).is_empty());
    erase(&shop);
    assert_eq!(holding(&shop), Vec::<String>::new());
    assert!(verify(&shop, &[]).whole);
}
