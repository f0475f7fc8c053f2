//! A catalog is rebuilt: the ledger is kept from the old one, else from a mirror, else it begins anew and says so.

use std::fs;

use serde_json::Value;
use sinetti::catalog::Phase;
use sinetti::ledger::audit::Verdict;

use crate::shop::{anchor, catalog, event, grow, reader, text, verify};
use crate::support::TestBox;

/// A box that was running and has mirrored its ledger, with an act under way.
fn mirrored() -> TestBox {
    let mut shop = TestBox::new();
    grow(&shop, 700);
    shop.start();
    shop.stop();
    shop
}

fn reindex(shop: &TestBox) -> Value {
    let text = shop.run(&["reindex", "--json"]).ok();
    serde_json::from_str(&text).expect("JSON")
}

fn lose_catalog(shop: &TestBox) {
    for end in ["", "-wal", "-shm"] {
        fs::remove_file(shop.dir.join(format!("catalog.db{end}"))).ok();
    }
}

#[test]
fn from_the_old_catalog_it_goes_on() {
    let shop = mirrored();
    let taken = anchor(&shop, "anchor");
    let before = reader(&shop).epoch().expect("an epoch");
    let done = reindex(&shop);
    assert_eq!(done["ledger"]["from"], "catalog");
    let found = verify(&shop, &["--anchor", text(&taken)]);
    assert!(found.whole, "{found:#?}");
    assert_eq!(found.epochs.len(), 1);
    assert!(found.epochs[0].entries > before.size);
    let kept = reader(&shop).entry(3).expect("an entry");
    assert!(matches!(
        kept.detail,
        sinetti::catalog::Detail::Kept { .. } | sinetti::catalog::Detail::None
    ));
    assert_eq!(
        reader(&shop).unfit_details(10).expect("query"),
        Vec::<u64>::new()
    );
    // Whoever erases is told that the old catalog has the details still.
    let args = [
        "ledger",
        "erase",
        "--class",
        "access",
        "--before",
        "2025-06-01T00:00:00Z",
    ];
    let said = shop.run(&args).ok();
    assert!(said.contains("catalog.db.before-"), "{said}");
}

#[test]
fn from_the_mirror_it_begins_a_new_epoch_after_what_was_signed() {
    let shop = mirrored();
    let catalog = catalog(&shop);
    let act = catalog.begin_act(event(1), Vec::new()).expect("begun");
    let begun = act.seq();
    assert_eq!(catalog.close().map_err(|e| e.to_string()), Ok(()));
    let mut shop = shop;
    // The stop mirrors it; the start closes it as interrupted.
    shop.start();
    shop.stop();
    let taken = anchor(&shop, "anchor");
    // Mirrored up to here.
    shop.start();
    shop.stop();
    lose_catalog(&shop);
    let done = reindex(&shop);
    assert_eq!(done["ledger"]["from"], "mirror");
    let found = verify(&shop, &["--anchor", text(&taken)]);
    assert!(found.whole, "{found:#?}");
    let epochs: Vec<_> = found.epochs.iter().map(|e| e.epoch).collect();
    assert_eq!(epochs, [1, 2]);
    assert_eq!(done["ledger"]["entries"], found.epochs[0].entries);
    let reader = reader(&shop);
    let first = reader
        .entry(reader.epoch().expect("an epoch").first_seq)
        .expect("an entry");
    assert_eq!(first.entry.action, "epoch-begun");
    assert_eq!(
        first.entry.facts["previous"]["size"],
        found.epochs[0].entries
    );
    assert!(reader.entry(begun).expect("kept").entry.result == "begun");
    assert_eq!(reader.open_intents().expect("query"), Vec::<u64>::new());
    // It goes on: signed, mirrored, and taken for the same box's.
    drop(reader);
    shop.start();
    shop.stop();
    let found = verify(&shop, &["--anchor", text(&taken)]);
    assert!(found.whole, "{found:#?}");
    assert!(
        shop.volume
            .join("sinetti-ledger/epochs/1/checkpoint")
            .exists()
    );
}

#[test]
fn an_act_that_only_the_mirror_knows_is_closed_as_interrupted() {
    let mut shop = mirrored();
    shop.start();
    let mut client =
        sinetti::daemon::control::Client::connect(&crate::shop::state(&shop)).expect("the daemon");
    let begun = sinetti::catalog::Event {
        result: "begun".to_owned(),
        phase: Phase::Begun,
        ..event(7)
    };
    let seq = client.note(begun).expect("noted").expect("an entry");
    drop(client);
    shop.stop();
    lose_catalog(&shop);
    assert_eq!(reindex(&shop)["ledger"]["from"], "mirror");
    assert_eq!(reader(&shop).open_intents().expect("query"), [seq]);
    shop.start();
    shop.stop();
    assert_eq!(
        reader(&shop).open_intents().expect("query"),
        Vec::<u64>::new()
    );
    assert!(verify(&shop, &[]).whole);
}

#[test]
fn a_mirror_that_was_altered_is_not_taken() {
    let shop = mirrored();
    let bundle = shop.volume.join("sinetti-ledger/tile/entries/001");
    let mut bytes = fs::read(&bundle).expect("a bundle");
    bytes[1000] ^= 1;
    fs::write(&bundle, bytes).expect("written");
    lose_catalog(&shop);
    assert_eq!(reindex(&shop)["ledger"]["from"], "lost");
}

#[test]
fn without_either_it_is_lost_and_anchors_tell() {
    let mut shop = mirrored();
    let taken = anchor(&shop, "anchor");
    lose_catalog(&shop);
    fs::remove_dir_all(shop.volume.join("sinetti-ledger")).expect("removed");
    let done = reindex(&shop);
    assert_eq!(done["ledger"]["from"], "lost");
    let found = verify(&shop, &[]);
    assert!(found.whole, "{found:#?}");
    assert!(found.epochs.last().expect("one").epoch > 1_000_000);
    let found = verify(&shop, &["--anchor", text(&taken)]);
    assert!(found.says(Verdict::RolledBack), "{found:#?}");
    shop.start();
    shop.stop();
    assert!(verify(&shop, &[]).whole);
    let dir = shop.path("export");
    shop.run(&["ledger", "export", text(&dir)]).ok();
    shop.run(&["ledger", "verify", text(&dir)]).ok();
}
