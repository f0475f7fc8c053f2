//! The real binary under injected faults: single writes, syncs and renames fail, as a bad cable or a dying disk makes
//! them. It stays up, says what it is, goes on by itself, and the camera on the other volume loses nothing.

use crate::eyes::{open_gap, wait};
use crate::scene::Scene;
use crate::support::{Strace, camera};
use sinetti::catalog::GapCause;
use std::fs;

impl Scene {
    fn inject(&mut self, thread: &str, faults: &[&str]) -> Strace {
        Strace::attach(self.shop.recorder().id(), thread, faults)
    }

    fn wait_for_log(&mut self, text: &str) {
        self.shop.recorder().wait_for_log(text);
    }
}

#[test]
fn each_call_that_fails_is_told_and_costs_one_camera_a_gap_at_most() {
    let keys = "segment_secs = 10";
    let mut scene = Scene::recording_on(
        |small| fs::remove_dir(small).expect("removes"),
        camera("till.264"),
        keys,
    );

    // A fragment, then twice the key of the next segment: one gap, with its first cause.
    let faults = [
        "writev:error=EIO:when=1",
        "pwrite64:error=ENOSPC:when=1",
        "fdatasync:error=EIO:when=1",
    ];
    let strace = scene.inject("write small", &faults);
    scene.wait_for_log("Input/output error (os error 5); the segment is closed");
    scene.wait_for_gap(GapCause::WriteError);
    scene.shop.wait("it says what refuses now", |status| {
        let told = status.streams["till/main"].last_error.as_deref();
        told.is_some_and(|text| text.contains("No space left on device"))
    });
    scene.wait_until_it_records();
    drop(strace);

    // The sync of the whole volume; then what closes a segment: its sync, its name.
    let faults = [
        "syncfs:error=EIO:when=1",
        "fdatasync:error=ENOSPC:when=2",
        "renameat2:error=EIO:when=1",
    ];
    let strace = scene.inject("keep small", &faults);
    // Rows wait meanwhile, since the catalog has no room, and then an answer that is none.
    let rows = [
        "pwrite64:error=ENOSPC:when=1..3",
        "fdatasync:error=EIO:when=2",
    ];
    let catalog = scene.inject("catalog", &rows);
    scene.wait_for_log("syncing the file system of");
    scene.wait_for_log("the catalog refused rows, they wait");
    wait(&mut scene.shop, "two segments cannot be closed", |shop| {
        shop.log().matches("closing /").count() >= 2
    });
    drop((strace, catalog));
    scene.wait_until_it_records();

    // A disk that takes its time loses nothing.
    let gaps = |scene: &Scene| scene.shop.ls("till/main").footage.coverage.gaps.len();
    let before = gaps(&scene);
    let closed = scene.shop.segment_files("ovi/main").len();
    let slow = [
        "writev:delay_enter=1500000:when=1",
        "pwrite64:delay_enter=1500000:when=1",
    ];
    let strace = scene.inject("write small", &slow);
    wait(&mut scene.shop, "a segment later", |shop| {
        shop.segment_files("ovi/main").len() > closed
    });
    drop(strace);
    assert_eq!(
        (gaps(&scene), open_gap(&scene.shop, "till/main")),
        (before, None)
    );
    scene.all_is_in_order(GapCause::WriteError);
}
