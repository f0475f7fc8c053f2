//! The ledger cannot be written, or not signed: nothing is handed out and nothing deleted, recording goes on, and it is told.

use std::fs;

use sinetti::base::clock::SimulatedClock;
use sinetti::base::time::Span;
use sinetti_simulator::{CameraHandle, Server};

use crate::plant::{HOUR, Plant};
use crate::shop::{copy, export, files, text, verify};
use crate::support::{TestBox, camera, fill, now, server, tmpfs, with_own_mounts};

/// A recording camera `till`, and old footage of a camera `kassa` that is kept an hour.
struct Scene {
    shop: TestBox,
    _server: Server,
    till: CameraHandle,
}

impl Scene {
    fn new() -> Self {
        let (shop, server) = (TestBox::new(), server());
        shop.set_recorder("segment_secs = 10");
        let till = server.add("/till/main", camera("till.264"));
        shop.add_camera("till", server.address(), &[]);
        // Whoever approves is there before nothing can be written any more.
        shop.approval();
        Self {
            shop,
            _server: server,
            till,
        }
    }

    fn record(&mut self) {
        self.shop.start();
        self.shop.wait_for_pictures(&["till/main"], 30);
        self.wait_for_segment();
    }

    /// Something can be asked for.
    fn wait_for_segment(&mut self) -> Span {
        let from = now().plus_us(-HOUR);
        loop {
            let listed = self.shop.ls("till/main").footage.coverage.recorded;
            if let Some(last) = listed.last().filter(|span| span.end > from) {
                return *last;
            }
            self.shop.recorder().pace();
        }
    }

    /// Footage that is too old from the start.
    fn plant_old(&self) {
        self.shop
            .edit_config(|text| text.replacen("purposes", "keep = \"1 h\"\npurposes", 1));
        let old = now().plus_us(-3 * HOUR);
        let planted = Plant::open(&self.shop.dir, &self.shop.volume, SimulatedClock::at(now()));
        planted.record("till/main", old, 60, 3, 4000);
        planted.keep("till/main", HOUR);
    }

    /// What was recorded until now cannot be had: the reason, in words.
    fn refused(&mut self, clip: &str) -> String {
        let last = self.wait_for_segment();
        let (from, to) = (last.start.rfc3339(), last.end.rfc3339());
        let error = self.shop.try_export("till/main", &from, &to, clip).error();
        assert!(!self.shop.path(clip).exists(), "nothing was handed out");
        error
    }

    fn goes_on_recording(&mut self) {
        let before = self.shop.line("till/main").units;
        self.shop.wait_for_pictures(&["till/main"], before + 45);
        assert_eq!(self.till.counters().access_units_dropped, 0);
    }
}

#[test]
fn without_room_for_the_ledger() {
    with_own_mounts("refused::without_room_for_the_ledger", no_room);
}

fn no_room() {
    let mut scene = Scene::new();
    let dir = scene.shop.dir.clone();
    let aside = scene.shop.path("aside");
    copy(&dir, &aside);
    tmpfs("size=16m,mode=0700", &dir);
    copy(&aside, &dir);
    scene.record();
    let whole = [scene.wait_for_segment()];
    scene.shop.export("till/main", whole[0], "before.mp4");
    let entries = verify(&scene.shop, &[]).epochs[0].entries;

    let ballast = fill(&dir, 0);
    let mut said = String::new();
    for n in 0.. {
        // What SQLite has room for already is written still.
        let ran = scene.shop.run(&["ledger", "anchor"]);
        if ran.code != 0 {
            said = ran.stderr;
            break;
        }
        assert!(n < 2000, "it never filled");
    }
    assert!(said.contains("full"), "{said}");
    let error = scene.refused("during.mp4");
    assert!(
        error.contains("full") || error.contains("the ledger cannot take this act"),
        "{error}"
    );
    let status = scene
        .shop
        .wait("it is told", |s| s.ledger.unwritable.is_some());
    assert!(status.ledger.is_alarm());
    let told = scene.shop.run(&["status"]);
    assert_eq!(told.code, 1);
    assert!(told.stdout.contains("ledger CANNOT BE WRITTEN"), "{told:?}");
    scene.goes_on_recording();

    fs::remove_file(ballast).expect("room");
    scene
        .shop
        .wait("it can be written again", |s| s.ledger.unwritable.is_none());
    scene.shop.export("till/main", whole[0], "after.mp4");
    scene.shop.stop();
    let found = verify(&scene.shop, &[]);
    assert!(found.whole, "{found:#?}");
    assert!(found.epochs[0].entries > entries);
    scene.shop.check(true);
}

#[test]
fn without_its_key() {
    let mut scene = Scene::new();
    scene.plant_old();
    let key = scene.shop.dir.join("keys/ledger.pk8");
    let aside = scene.shop.path("aside");
    fs::rename(&key, &aside).expect("moved");
    let before = files(&scene.shop.volume).len();
    scene.shop.start();
    scene.shop.wait_for_pictures(&["till/main"], 60);
    scene
        .shop
        .recorder()
        .wait_for_log("footage is not deleted: the ledger is in trouble");
    let status = scene.shop.status();
    assert!(status.ledger.trouble.is_some() && status.ledger.is_alarm());
    let told = scene.shop.run(&["status"]);
    assert_eq!(told.code, 1);
    assert!(told.stdout.contains("ledger IN TROUBLE"), "{told:?}");
    let error = scene.refused("no.mp4");
    assert!(
        error.contains("the ledger cannot take this act, so it does not happen"),
        "{error}"
    );
    scene.goes_on_recording();
    assert!(
        files(&scene.shop.volume).len() > before,
        "nothing is deleted"
    );
    scene.shop.stop();
    // With the key all of it is signed, and what is too old goes.
    fs::rename(&aside, &key).expect("moved back");
    scene.shop.start();
    scene.shop.recorder().wait_for_log("3 segments deleted");
    let size = scene.shop.status().ledger.size;
    assert!(size > 0);
    scene.shop.stop();
    assert!(verify(&scene.shop, &[]).whole);
}

#[test]
fn with_a_ledger_that_does_not_agree_with_its_checkpoint() {
    let mut scene = Scene::new();
    scene.record();
    scene.shop.stop();
    scene.plant_old();
    let db = rusqlite::Connection::open(scene.shop.dir.join("catalog.db")).expect("opens");
    db.execute("update entry set leaf = zeroblob(32) where seq = 2", [])
        .expect("changed");
    drop(db);
    scene.record();
    scene
        .shop
        .recorder()
        .wait_for_log("footage is not deleted: the ledger is in trouble");
    let error = scene.refused("no.mp4");
    assert!(error.contains("sinetti ledger verify"), "{error}");
    scene.goes_on_recording();
    let found = verify(&scene.shop, &[]);
    assert!(found.names("entry 2"), "{found:#?}");
    // The controller says why; from then on it is signed again, and what was altered stays told.
    let said = [
        "ledger",
        "begin-epoch",
        "--statement",
        "an entry was altered",
    ];
    scene.shop.run(&said).ok();
    scene.shop.wait("signed again", |s| {
        s.ledger.trouble.is_none() && s.ledger.epoch == 2 && s.ledger.size > 0
    });
    // It looks again when something was asked for.
    scene.shop.run(&["ledger", "seal"]).ok();
    scene.shop.recorder().wait_for_log("3 segments deleted");
    scene.shop.stop();
    let found = verify(&scene.shop, &[]);
    assert!(found.names("entry 2") && !found.whole, "{found:#?}");
    let dir = export(&scene.shop, "export", &[]);
    assert!(dir.join("tile/0").exists(), "{}", text(&dir));
}
