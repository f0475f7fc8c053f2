//! Yesterday's state folder is put back: an anchor tells, and so does the mirror on a volume.

use std::fs;
use std::path::Path;

use sinetti::ledger::audit::Verdict;

use crate::shop::{anchor, begin_epoch, copy, grow, long, reader, text, verify};
use crate::support::{TestBox, now};

fn put_back(shop: &TestBox, from: &Path) {
    fs::remove_dir_all(&shop.dir).expect("removed");
    copy(from, &shop.dir);
}

#[test]
fn an_anchor_tells_of_a_restored_state_folder() {
    let shop = long();
    let yesterday = shop.path("yesterday");
    copy(&shop.dir, &yesterday);
    let early = anchor(&shop, "early");
    put_back(&shop, &yesterday);
    let size = reader(&shop).epoch().expect("an epoch").size;
    grow(&shop, 40);
    let late = anchor(&shop, "late");
    let whole = verify(&shop, &["--anchor", text(&early), "--anchor", text(&late)]);
    assert!(whole.whole, "{whole:#?}");
    shop.run(&["ledger", "anchor", "--return", text(&late)])
        .ok();

    put_back(&shop, &yesterday);
    assert!(verify(&shop, &[]).whole, "by itself it is whole");
    let told = verify(&shop, &["--anchor", text(&late)]);
    assert!(
        told.says(Verdict::RolledBack) && !told.says(Verdict::Altered),
        "{told:#?}"
    );
    assert!(told.names(&format!("after entry {size}")), "{told:#?}");
    let earlier = verify(&shop, &["--anchor", text(&early)]);
    assert!(earlier.whole, "{earlier:#?}");

    // It goes on from there, as if nothing had been.
    grow(&shop, 100);
    let told = verify(&shop, &["--anchor", text(&late)]);
    assert!(
        told.says(Verdict::Forked) && !told.says(Verdict::Altered),
        "{told:#?}"
    );
    let (code, said) = {
        let ran = shop.run(&["ledger", "anchor", "--return", text(&late)]);
        (ran.code, ran.stdout)
    };
    assert_ne!(code, 0);
    assert!(said.contains("forked"), "{said}");
    let noted = reader(&shop)
        .last_of(&["anchor-returned"])
        .expect("query")
        .expect("an entry");
    assert_eq!(noted.entry.result, "failed");

    // The controller says why; the anchor of the epoch before still fits what it was taken of, or does not.
    begin_epoch(&shop);
    assert!(verify(&shop, &["--anchor", text(&early)]).whole);
    assert!(verify(&shop, &["--anchor", text(&late)]).says(Verdict::Forked));
}

#[test]
fn a_mirror_tells_of_a_restored_state_folder() {
    let mut shop = TestBox::new();
    grow(&shop, 300);
    shop.start();
    shop.stop();
    let yesterday = shop.path("yesterday");
    copy(&shop.dir, &yesterday);
    shop.start();
    shop.stop();
    assert!(verify(&shop, &[]).whole);

    put_back(&shop, &yesterday);
    let told = verify(&shop, &[]);
    assert!(told.says(Verdict::RolledBack), "{told:#?}");
    assert!(told.names("the mirror on volume"), "{told:#?}");

    // The recorder says so too, and leaves the mirror as it is.
    shop.start();
    shop.recorder()
        .wait_for_log("the ledger's mirror on volume");
    let status = shop.wait("a mirror that is wrong", |s| !s.ledger.mirrors.is_empty());
    assert!(status.ledger.is_alarm());
    assert_eq!(shop.run(&["status"]).code, 1);
    shop.run(&[
        "ledger",
        "begin-epoch",
        "--statement",
        "restored from a copy",
    ])
    .ok();
    shop.stop();
    // What was ahead lies aside; the new epoch is mirrored.
    let aside = fs::read_dir(&shop.volume)
        .expect("the volume")
        .flatten()
        .any(|e| {
            e.file_name()
                .to_string_lossy()
                .starts_with("sinetti-ledger.1.")
        });
    assert!(aside, "the mirror of the epoch before is kept");
    let whole = verify(&shop, &[]);
    assert!(whole.whole, "{whole:#?}");
    assert_eq!(whole.epochs.len(), 2);
    assert_eq!(shop.status().ledger.epoch, 2);
    assert!(
        shop.run(&["ledger", "show"])
            .ok()
            .contains("restored from a copy")
    );
    assert!(now() > reader(&shop).epoch().expect("an epoch").started);
}
