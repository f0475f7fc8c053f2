//! What keeps a box healthy: doctor, scrub, reconciliation, and a catalog that is lost and rebuilt.

use crate::eyes::{parts, wait, wait_for_sent};
use crate::support::{Factor, TestBox, camera, server, span};
use sinetti::catalog::GapCause;
use sinetti_simulator::{CameraHandle, Server};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// A box with one camera that records, and has closed at least `segments`.
fn recording(segments: usize) -> (TestBox, Server, CameraHandle) {
    let (mut shop, server) = (TestBox::new(), server());
    shop.set_recorder("segment_secs = 10");
    shop.add_camera("till", server.address(), &[]);
    let camera = server.add("/till/main", camera("till.264"));
    shop.start();
    wait(&mut shop, "segments", |shop| {
        shop.segment_files("till/main").len() >= segments
    });
    (shop, server, camera)
}

fn actions(shop: &TestBox, action: &str) -> usize {
    let events = shop.catalog().events(0, 10_000).expect("events");
    events
        .iter()
        .filter(|row| row.event.action == action)
        .count()
}

/// Reads everything through while the recorder runs, and waits for the end of it.
fn scrub(shop: &mut TestBox) {
    let before = actions(shop, "scrub");
    shop.run(&["scrub", "--now"]).ok();
    wait(shop, "the scrub ends", |shop| {
        actions(shop, "scrub") > before
    });
}

fn turn_a_bit(path: &PathBuf) {
    let mut bytes = fs::read(path).expect("reads");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).expect("writes");
}

#[test]
fn doctor_tells_what_is_wrong_and_what_to_do() {
    let shop = TestBox::new();
    let findings = |code: Option<i32>| -> Vec<(String, String)> {
        let ran = shop.run(&["doctor", "--json"]);
        let all: Vec<serde_json::Value> = serde_json::from_str(&ran.stdout).expect("JSON");
        let text = |v: &serde_json::Value, key: &str| v[key].as_str().unwrap_or("").to_owned();
        for finding in &all {
            let is_ok = finding["verdict"] == "ok";
            assert_eq!(finding["remedy"].is_null(), is_ok, "{finding}");
        }
        let bad: Vec<_> = all
            .iter()
            .filter(|finding| finding["verdict"] == "bad")
            .map(|finding| (text(finding, "check"), text(finding, "found")))
            .collect();
        assert_eq!(ran.code, i32::from(!bad.is_empty()));
        assert!(code.is_none_or(|code| code == ran.code));
        bad
    };
    // The machine that runs the tests may have swap; a new box has nothing else that is bad.
    let bad = findings(None);
    assert!(bad.iter().all(|(check, _)| check == "swap"), "{bad:?}");
    let key = shop.dir.join("keys/ledger.pk8");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).expect("sets the mode");
    fs::rename(&shop.volume, shop.path("unmounted")).expect("moves");
    shop.edit_config(|text| text.replace("reserve_gib", "reserve_gigs"));
    let bad = findings(Some(1));
    let of = |check: &str| {
        bad.iter()
            .find(|(name, _)| name == check)
            .map(|(_, found)| found)
    };
    assert!(
        of("secrets").is_some_and(|found| found.contains("ledger.pk8")),
        "{bad:?}"
    );
    assert!(
        of("configuration").is_some_and(|found| found.contains("reserve_gigs")),
        "{bad:?}"
    );
    shop.edit_config(|text| text.replace("reserve_gigs", "reserve_gib"));
    let bad = findings(Some(1));
    assert!(bad.iter().any(|(check, _)| check == "volume"), "{bad:?}");
    let text = shop.run(&["doctor"]).stdout;
    assert!(text.contains("chmod 600") && text.contains("BAD"), "{text}");
}

#[test]
fn rot_is_found_while_recording_and_what_lies_about_is_taken_in() {
    let (mut shop, server, _camera) = recording(2);
    scrub(&mut shop);
    let mark = shop.status().scrub.pop().expect("a volume");
    assert!(
        mark.is_well() && mark.finished.is_some() && mark.segments >= 2,
        "{mark:?}"
    );
    let file = shop.segment_files("till/main").remove(0);
    turn_a_bit(&file);
    // Left by a disk that once refused to close it.
    let lost = file.with_file_name("20260101T000000.000Z-lost.mp4.part");
    fs::write(&lost, b"not a segment").expect("writes");
    let old = SystemTime::now() - Duration::from_secs(7200);
    let opened = fs::File::options().write(true).open(&lost).expect("opens");
    opened.set_modified(old).expect("sets");
    let stranger = file.with_file_name("notes.txt");
    fs::write(&stranger, b"mine").expect("writes");
    scrub(&mut shop);
    let status = shop.run(&["status"]);
    assert_eq!(status.code, 1, "{status:?}");
    let name = file.file_name().expect("a name").display().to_string();
    assert!(
        status
            .stdout
            .contains(&format!("DAMAGED {}", file.display())),
        "{status:?}"
    );
    assert!(shop.log().contains(&name), "{}", shop.log());
    assert_eq!(actions(&shop, "scrub-finding"), 1);
    assert!(!lost.exists(), "without a restart");
    assert_eq!(
        fs::read_dir(shop.volume.join("quarantine"))
            .expect("a folder")
            .count(),
        1
    );
    let mark = shop.status().scrub.pop().expect("a volume");
    assert_eq!(
        (mark.damaged.len(), mark.strangers, mark.missing),
        (1, 1, 0)
    );
    assert!(stranger.exists());
    turn_a_bit(&file);
    scrub(&mut shop);
    server.stop_listening();
    // A stop does not wait for it, and what it knew is kept.
    shop.run(&["scrub", "--now"]).ok();
    shop.stop();
    let told = shop.run(&["scrub", "--now"]);
    assert_eq!(told.code, 0, "{told:?}");
    shop.check(true);
}

#[test]
fn a_rebuilt_catalog_knows_all_footage_and_deletes_nothing() {
    let (mut shop, server, camera) = recording(2);
    let busy = shop.run(&["reindex"]).error();
    assert!(busy.contains("stop it first"), "{busy}");
    // A fragment of the segment under way is on disk.
    let sent = camera.counters().access_units;
    wait_for_sent(&mut shop, &[(camera.clone(), sent)], 40);
    shop.kill();
    let gone = shop.path("catalog.db");
    fs::rename(shop.dir.join("catalog.db"), &gone).expect("moves");
    for command in [&["run"][..], &["status"], &["ls"]] {
        let told = shop.run(command).error();
        assert!(
            told.contains("is gone") && told.contains("sinetti reindex"),
            "{told}"
        );
    }
    assert!(!shop.dir.join("catalog.db").exists(), "none is made anew");
    fs::write(shop.dir.join("catalog.db"), b"").expect("writes");
    assert!(shop.run(&["run"]).error().contains("or empty"));
    fs::remove_file(shop.dir.join("catalog.db")).expect("removes");
    fs::rename(&gone, shop.dir.join("catalog.db")).expect("moves back");
    let before = shop.ls("till/main").footage.segments;
    let text = shop.run(&["reindex"]).ok();
    assert!(
        text.contains("2 persons") && text.contains("NOTHING WILL BE DELETED"),
        "{text}"
    );
    shop.check(true);
    let listed = shop.ls("till/main");
    // What was being written when it was killed is in it too.
    assert_eq!(listed.footage.segments[..before.len()], before);
    assert!(listed.footage.segments.len() > before.len());
    assert!(parts(&shop.volume).is_empty());
    let names = fs::read_dir(&shop.dir).expect("a folder").flatten();
    let mut names = names.map(|entry| entry.file_name().display().to_string());
    assert!(names.any(|name| name.starts_with("catalog.db.before-")));
    // The same person opens it, and recording goes on.
    let whole = span(
        listed.footage.segments[0].start,
        listed.totals.newest.expect("some"),
    );
    shop.export("till/main", whole, "after.mp4");
    let sent = camera.counters().access_units;
    shop.start();
    wait_for_sent(&mut shop, &[(camera, sent)], 20);
    assert!(shop.status().deletion.latched.is_some());
    shop.run(&["retention", "confirm"]).ok();
    assert_eq!(shop.status().deletion.latched, None);
    shop.stop();
    server.stop_listening();
    shop.check(true);
    let coverage = shop.ls("till/main").footage.coverage;
    assert_eq!(coverage.unknown, []);
    assert_eq!(coverage.gaps[0].cause, GapCause::Unknown, "{coverage:?}");
}

#[test]
fn without_any_old_catalog_the_shares_open_and_a_new_person_can_be_made() {
    let (mut shop, _server, camera) = recording(1);
    shop.stop();
    let forget = |shop: &TestBox| {
        for entry in fs::read_dir(&shop.dir).expect("a folder").flatten() {
            if entry
                .file_name()
                .to_string_lossy()
                .starts_with("catalog.db")
            {
                fs::remove_file(entry.path()).expect("removes");
            }
        }
    };
    forget(&shop);
    let text = shop.run(&["reindex"]).ok();
    assert!(
        text.contains("recovery shares") && text.contains("--person"),
        "{text}"
    );
    shop.check(true);
    let first = shop.segment_files("till/main").remove(0);
    let clip = shop.path("opened.mp4");
    let mut open = shop.command(&["open"]);
    open.arg(&first).arg("--recovery").arg(&shop.shares[0]);
    open.arg("--recovery")
        .arg(&shop.shares[2])
        .arg("-o")
        .arg(&clip);
    crate::support::ran(&mut open).ok();
    let token = shop.path("anna.token").display().to_string();
    let given = ["reindex", "--person", "anna", "--undertaking", "2026-1"];
    let given = [&given[..], &["--token-file", &token]].concat();
    let text = shop.run(&given).ok();
    assert!(text.contains("new controller"), "{text}");
    let refused = shop.run(&given).error();
    assert!(refused.contains("leave out --person"), "{refused}");
    shop.factor = Factor::at(&shop.path(""), "anna");
    shop.controller = "anna".to_owned();
    shop.enrol(Path::new(&token), &shop.passphrase, &shop.factor)
        .ok();
    let sent = camera.counters().access_units;
    shop.start();
    wait_for_sent(&mut shop, &[(camera, sent)], 40);
    shop.stop();
    shop.check(true);
    let last = shop.ls("till/main").footage.segments.pop().expect("some");
    shop.export("till/main", last.span(), "new.mp4");
}
