//! The drill: a backup is made while the box records, the state folder is destroyed, and the box comes back.

use crate::eyes::wait;
use crate::support::{Ran, TestBox, camera, now, ran, server, span};
use sinetti::base::time::Wall;
use sinetti::catalog::{DISCLOSURE_REQUESTED, Event};
use sinetti::daemon::control::Client;
use sinetti::store::state::State;
use std::fs;
use std::path::PathBuf;

const MAIN: &str = "till/main";

fn back_up(shop: &TestBox, more: &[&str]) -> Ran {
    let mut command = shop.command(&["backup", "--json"]);
    ran(command.arg(shop.path("usb")).args(more))
}

fn restore(shop: &TestBox, folder: &PathBuf) -> Ran {
    let mut command = shop.command(&[
        "restore",
        "--json",
        "--statement",
        "disk failed; controller1 decided",
    ]);
    for share in &shop.shares[..2] {
        command.arg("--recovery").arg(share);
    }
    ran(command.arg(folder))
}

fn json(ran: Ran) -> serde_json::Value {
    serde_json::from_str(&ran.ok()).expect("JSON")
}

/// When the last segment of the stream ends.
fn until(shop: &TestBox) -> Wall {
    let listed = shop.ls(MAIN);
    listed.footage.coverage.recorded.last().expect("some").end
}

fn segments(shop: &TestBox, more_than: usize) -> usize {
    shop.segment_files(MAIN).len().saturating_sub(more_than)
}

#[test]
fn a_box_comes_back_from_its_backup_and_goes_on() {
    let (mut shop, server) = (TestBox::new(), server());
    shop.set_recorder("segment_secs = 10");
    shop.add_camera("till", server.address(), &[]);
    server.add("/till/main", camera("till.264"));
    fs::create_dir(shop.path("usb")).expect("folder");
    shop.start();
    wait(&mut shop, "a segment is closed", |shop| {
        segments(shop, 0) > 0
    });
    let anchor = shop.path("anchor.txt");
    let anchor = anchor.to_str().expect("UTF-8");
    shop.run(&["ledger", "anchor", "-o", anchor]).ok();

    // While it records; not where it would go the way of what it is of.
    let mut inside = shop.command(&["backup"]);
    let refused = ran(inside.arg(&shop.volume)).error();
    assert!(refused.contains("footage volume"), "{refused}");
    let made = json(back_up(&shop, &[]));
    let folder = PathBuf::from(made["folder"].as_str().expect("a folder"));
    assert!(shop.status().last_backup.is_some());
    shop.check(false);
    let old_until = until(&shop);

    // What comes after it: footage, an entry, a person's change.
    let before = shop.segment_files(MAIN).len();
    wait(&mut shop, "more is recorded", |shop| {
        segments(shop, before) > 0
    });
    a_person_and_a_request_come(&shop);
    let newer_until = until(&shop);
    let lost_anchor = shop.path("lost.txt");
    shop.run(&[
        "ledger",
        "anchor",
        "-o",
        lost_anchor.to_str().expect("UTF-8"),
    ])
    .ok();
    shop.stop();
    fs::remove_dir_all(&shop.dir).expect("destroyed");

    it_is_restored_by_two_shares(&shop, &folder);
    shop.start();
    wait(&mut shop, "what is newer is taken in", |shop| {
        until(shop) >= newer_until
    });
    let there = shop.segment_files(MAIN).len();
    wait(&mut shop, "it records again", |shop| {
        segments(shop, there) > 0
    });
    let begin = shop.ls(MAIN).totals.oldest.expect("oldest");
    let old = shop.export(MAIN, span(begin, old_until), "old.mp4");
    assert!(old.clips[0].pictures > 0);
    let newer = shop.export(MAIN, span(old_until, newer_until), "newer.mp4");
    assert!(newer.clips.iter().map(|clip| clip.pictures).sum::<usize>() > 0);
    let last = until(&shop);
    assert!(last > newer_until);
    let now = shop.export(MAIN, span(newer_until, last), "now.mp4");
    assert!(!now.clips.is_empty());

    the_ledger_goes_on(&shop, anchor, lost_anchor.to_str().expect("UTF-8"));
    only_a_controller_lets_deletion_go_on(&shop);
    shop.stop();
    shop.check(false);
}

fn a_person_and_a_request_come(shop: &TestBox) {
    shop.run(&[
        "user",
        "add",
        "manager1",
        "--display",
        "Manager 1",
        "--role",
        "manager",
        "--camera",
        "till",
    ])
    .ok();
    // Somebody asks for a disclosure: its number stands on paper from now on.
    let asked = Event::of_box(
        now(),
        DISCLOSURE_REQUESTED,
        "disclosure 48110273",
        serde_json::json!({ "serial": "2026-0007" }),
    );
    let state = State::open(&shop.dir).expect("the state folder");
    let mut client = Client::connect(&state).expect("the recorder");
    client.note(asked).expect("noted");
}

fn it_is_restored_by_two_shares(shop: &TestBox, folder: &PathBuf) {
    // One share is not enough, and nothing is left behind by the attempt.
    let mut one = shop.command(&["restore", "--statement", "x", "--recovery"]);
    ran(one.arg(&shop.shares[0]).arg(folder)).error();
    assert!(!shop.dir.exists());
    let restored = json(restore(shop, folder));
    let people = restored["since"]["people"].as_array().expect("a list");
    assert!(
        people
            .iter()
            .any(|line| line.as_str().is_some_and(|l| l.contains("person-added"))),
        "{restored}"
    );
    assert!(
        restore(shop, folder)
            .error()
            .contains("state folder already")
    );
    // No number is given twice: those since then are known from the volumes, and a few more are left out.
    assert_eq!(restored["since"]["serials"]["2026"], 7, "{restored}");
    assert_eq!(restored["since"]["is_certain"], true, "{restored}");
    let next = shop.catalog().next_serial(2026).expect("query");
    assert_eq!(next.to_string(), "2026-0028");
}

fn the_ledger_goes_on(shop: &TestBox, anchor: &str, lost: &str) {
    shop.run(&["ledger", "verify", "--anchor", anchor]).ok();
    // What came after the backup is gone, and whoever holds an anchor of it can say so.
    let gone = shop.run(&["ledger", "verify", "--anchor", lost]);
    assert!(
        gone.code != 0 && gone.stdout.contains("ROLLED BACK"),
        "{gone:?}"
    );
    let shown = shop.run(&["ledger", "show", "--limit", "1000"]).ok();
    for action in ["epoch-begun", "restored", "deletion-latched"] {
        assert!(shown.contains(action), "{action}: {shown}");
    }
    assert!(shown.contains("controller1 decided"), "{shown}");
    assert_eq!(shop.status().ledger.epoch, 2);
}

fn only_a_controller_lets_deletion_go_on(shop: &TestBox) {
    assert!(shop.status().deletion.latched.is_some());
    let refused = shop.run(&["retention", "confirm"]).error();
    assert!(refused.contains("controller"), "{refused}");
    let mut confirm = shop.command(&["retention", "confirm", "--person", "controller1"]);
    ran(confirm.args(shop.proof())).ok();
    assert_eq!(shop.status().deletion.latched, None);
}

#[test]
fn a_backup_that_is_too_old_is_told_and_older_ones_go_when_asked() {
    let (mut shop, server) = (TestBox::new(), server());
    shop.edit_config(|text| text + "\n[backup]\nmax_age = \"1 h\"\n");
    shop.add_camera("till", server.address(), &[]);
    server.add("/till/main", camera("till.264"));
    fs::create_dir(shop.path("usb")).expect("folder");
    shop.start();
    assert_eq!(shop.status().last_backup, None);
    for _ in 0..3 {
        json(back_up(&shop, &["--keep", "2"]));
    }
    assert_eq!(fs::read_dir(shop.path("usb")).expect("folder").count(), 2);
    let text = shop.run(&["status"]).stdout;
    assert!(text.contains("last backup "), "{text}");
    shop.stop();
}
