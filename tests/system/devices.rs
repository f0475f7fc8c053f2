//! Disks that fail for real: an ext4 that turns read-only under open files, a device that has less than it says, one that
//! hangs, one that is pulled out, and a catalog that cannot be written. The recorder stays up, says what it is, goes on by
//! itself, and the camera on the other volume loses nothing.

use crate::eyes::{open_gap, wait, wait_for_sent};
use crate::scene::Scene;
use crate::support::{
    Ext4, TestBox, camera, fill, now, padded_camera, server, span, tmpfs, with_own_mounts,
};
use sinetti::catalog::GapCause;
use sinetti::recorder::board::Phase;
use std::cell::RefCell;
use std::fs;
use std::path::Path;

/// Long enough for the reserve of 0.1 GiB and some.
const SMALL_MIB: u64 = 400;
const KEYS: &str = "segment_secs = 10";

/// A scene whose small volume is an ext4 of its own.
fn on_ext4(image: &Path) -> (Scene, Ext4) {
    let made = RefCell::new(None);
    let mount = |small: &Path| {
        made.replace(Some(Ext4::make(image, SMALL_MIB, small)));
    };
    let mut scene = Scene::recording_on(mount, camera("till.264"), KEYS);
    scene.shop.wait("something is durable", |status| {
        let growing = &status.streams["till/main"].growing;
        growing
            .as_ref()
            .is_some_and(|growing| growing.durable_bytes > 100_000)
    });
    (scene, made.into_inner().expect("it was mounted"))
}

#[test]
fn an_ext4_that_turns_read_only_under_open_files_is_a_gap_until_it_is_repaired() {
    let name =
        "devices::an_ext4_that_turns_read_only_under_open_files_is_a_gap_until_it_is_repaired";
    with_own_mounts(name, || {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut scene, ext4) = on_ext4(&folder.path().join("disk.img"));
        ext4.fail();
        scene.wait_for_gap(GapCause::WriteError);
        let told = scene.shop.line("till/main").last_error.unwrap_or_default();
        assert!(told.contains("Read-only file system"), "{told}");
        // The recorder has let go of every file: it can be unmounted, repaired and mounted again while it runs.
        ext4.unmount(|| scene.shop.recorder().pace());
        ext4.repair();
        scene.wait_until_it_records();
        scene.all_is_in_order(GapCause::WriteError);
    });
}

#[test]
fn what_a_device_loses_after_it_took_it_is_never_promised() {
    let name = "devices::what_a_device_loses_after_it_took_it_is_never_promised";
    with_own_mounts(name, || {
        let folder = tempfile::tempdir().expect("a folder");
        let below = folder.path().join("below");
        fs::create_dir(&below).expect("a folder");
        // The device says that it has 400 MiB, and has 120: writes are taken into memory, and lost on the way to the disk.
        tmpfs("size=120m", &below);
        let (mut scene, ext4) = on_ext4(&below.join("disk.img"));
        // Everything that the file system knows of itself is in its place, and not in its journal only.
        drop(ext4.freeze());
        let ballast = fill(&below, 0);
        scene.wait_for_gap(GapCause::WriteError);
        fs::remove_file(ballast).expect("room");
        scene.wait_until_it_records();
        // The start adopts what the kernel still remembers of it only as far as the disk has it.
        scene.all_is_in_order(GapCause::WriteError);
        ext4.unmount(|| ());
        ext4.repair();
        scene.shop.check(true);
    });
}

#[test]
fn a_disk_that_hangs_is_an_alarm_while_it_hangs_and_a_gap_of_what_was_dropped() {
    let name =
        "devices::a_disk_that_hangs_is_an_alarm_while_it_hangs_and_a_gap_of_what_was_dropped";
    with_own_mounts(name, || {
        let folder = tempfile::tempdir().expect("a folder");
        let made = RefCell::new(None);
        let mount = |small: &Path| {
            let image = folder.path().join("disk.img");
            made.replace(Some(Ext4::make(&image, SMALL_MIB, small)));
        };
        // 1.5 MB a second: what may wait is full within three.
        let till = padded_camera("till.264", 100_000, folder.path());
        let mut scene = Scene::recording_on(mount, till, "segment_secs = 10\nqueue_mib = 4");
        let ext4 = made.into_inner().expect("it was mounted");
        let frozen = ext4.freeze();
        scene
            .shop
            .wait("it is shown that pictures are dropped", |status| {
                let line = &status.streams["till/main"];
                let told = line.last_error.as_deref().unwrap_or_default();
                line.phase == Phase::Trouble && told.contains("does not keep up")
            });
        scene.shop.wait("the volume is behind", |status| {
            status
                .volumes
                .iter()
                .any(|v| v.name == "small" && v.is_behind())
        });
        wait(&mut scene.shop, "it is logged while it hangs", |shop| {
            shop.log().contains("volume \"small\" does not keep up")
        });
        let told = scene.shop.run(&["status"]);
        assert_eq!(told.code, 1, "{told:?}");
        assert!(told.stdout.contains("DOES NOT KEEP UP"), "{told:?}");
        assert_eq!(scene.shop.line("ovi/main").phase, Phase::Recording);
        drop(frozen);
        scene.wait_until_it_records();
        wait(&mut scene.shop, "it is logged that it is over", |shop| {
            shop.log().contains("volume \"small\" keeps up again")
        });
        assert_eq!(open_gap(&scene.shop, "till/main"), None);
        scene.all_is_in_order(GapCause::StorageSlow);
        let events = scene.shop.catalog().events(0, 10_000).expect("events");
        let of = |action: &str| events.iter().filter(|e| e.event.action == action).count();
        assert_eq!((of("volume-behind"), of("volume-keeps-up")), (1, 1));
    });
}

#[test]
fn a_disk_that_is_pulled_out_and_put_back_goes_on_without_a_restart() {
    let name = "devices::a_disk_that_is_pulled_out_and_put_back_goes_on_without_a_restart";
    with_own_mounts(name, || {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut scene, ext4) = on_ext4(&folder.path().join("disk.img"));
        ext4.vanish();
        scene.wait_for_gap(GapCause::VolumeMissing);
        let told = scene.shop.line("till/main").last_error.unwrap_or_default();
        assert!(told.contains("is the disk mounted?"), "{told}");
        assert_eq!(fs::read_dir(&scene.small).expect("a folder").count(), 0);
        ext4.mount();
        scene.wait_until_it_records();
        scene.all_is_in_order(GapCause::VolumeMissing);
    });
}

#[test]
fn while_the_catalog_cannot_be_written_segments_close_and_their_rows_wait() {
    let name = "devices::while_the_catalog_cannot_be_written_segments_close_and_their_rows_wait";
    with_own_mounts(name, || {
        let mut shop = TestBox::with_state_on(|state| {
            fs::create_dir(state).expect("a folder");
            tmpfs("size=24m,mode=0700", state);
        });
        let server = server();
        shop.set_recorder(KEYS);
        shop.add_camera("till", server.address(), &[]);
        let till = server.add("/till/main", camera("till.264"));
        shop.start();
        shop.wait_for_pictures(&["till/main"], 30);
        let ballast = fill(&shop.dir, 0);
        shop.recorder()
            .wait_for_log("the catalog refused rows, they wait");
        let rows = |shop: &TestBox| shop.ls("till/main").footage.segments.len();
        let before = rows(&shop);
        let files = shop.segment_files("till/main").len();
        wait(&mut shop, "segments are closed all the same", |shop| {
            shop.segment_files("till/main").len() >= files + 2
        });
        assert_eq!(rows(&shop), before, "their rows wait");
        assert_eq!(shop.line("till/main").phase, Phase::Recording);
        fs::remove_file(ballast).expect("room");
        wait(&mut shop, "the rows come, without a restart", |shop| {
            rows(shop) >= files + 2
        });
        let sent = till.counters().access_units;
        wait_for_sent(&mut shop, &[(till.clone(), sent)], 20);
        let asked_to_stop = now();
        shop.stop();
        shop.check(true);
        let listed = shop.ls("till/main");
        assert!(listed.footage.segments.iter().all(|row| !row.recovered));
        let first = listed.footage.segments[0].start;
        let coverage = &listed.footage.coverage;
        let inside = span(first, asked_to_stop.plus_us(-500_000));
        let interrupted = coverage.gaps.iter().find(|gap| gap.span.overlaps(&inside));
        assert_eq!(
            (interrupted, coverage.unknown.len()),
            (None, 0),
            "{coverage:?}"
        );
    });
}
