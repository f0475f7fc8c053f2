//! Volumes that fill and volumes that turn read-only: the recorder stays up, says why nothing is recorded, goes on by itself,
//! and the other volume's camera loses nothing.
//!
//! The file systems are mounted in a mount namespace of the test's own: each test runs itself again in one.

use crate::eyes::{assert_chained, kept, open_gap, wait, wait_for_sent};
use crate::support::{TestBox, camera, now, server, span};
use sinetti::base::time::Wall;
use sinetti::catalog::GapCause;
use sinetti::recorder::board::Phase;
use sinetti_simulator::{CameraHandle, Server};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Set inside the namespace.
const INSIDE: &str = "SINETTI_TEST_OWN_MOUNTS";
/// The small file system: the reserve of 0.1 GiB, what must be free above it before recording begins again, and room.
const SMALL: &str = "size=256m";
/// What was sent less than this before the stop may have been under way.
const UNDER_WAY_US: i64 = 500_000;

/// Runs the test `name` of this file again in a mount namespace of its own, unless this is in it already.
fn with_own_mounts(name: &str, test: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some() {
        return test();
    }
    let program = std::env::current_exe().expect("this program");
    let output = Command::new("unshare")
        .args(["--mount", "--propagation", "private", "--"])
        .arg(program)
        .args([&format!("disk::{name}"), "--exact", "--nocapture"])
        .env(INSIDE, "1")
        .output()
        .expect("unshare (package util-linux) runs");
    let told = format!(
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        output.status.success(),
        "this test mounts file systems of its own and must run as root, with CAP_SYS_ADMIN:\n{told}"
    );
    assert!(told.contains("1 passed"), "it did not run:\n{told}");
}

fn mount(options: &str, at: &Path) {
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", options, "sinetti-test"])
        .arg(at)
        .status();
    assert!(
        mounted.expect("mount runs").success(),
        "mounting at {}",
        at.display()
    );
}

fn remount(how: &str, at: &Path) {
    let done = Command::new("mount")
        .args(["-o", &format!("remount,{how}")])
        .arg(at)
        .status();
    assert!(
        done.expect("mount runs").success(),
        "remounting {} {how}",
        at.display()
    );
}

/// A box whose camera `till` is recorded to a small file system of its own and whose camera `ovi` is recorded to the first
/// volume. Each has a server, so that one can go away alone.
struct Scene {
    shop: TestBox,
    small: PathBuf,
    till: CameraHandle,
    till_server: Server,
    ovi: CameraHandle,
    _ovi_server: Server,
}

impl Scene {
    fn recording() -> Scene {
        let mut shop = TestBox::new();
        shop.set_recorder("segment_secs = 10");
        let small = shop.path("small");
        fs::create_dir(&small).expect("a folder");
        mount(SMALL, &small);
        let path = small.to_string_lossy().into_owned();
        shop.run(&[
            "volume",
            "add",
            &path,
            "--name",
            "small",
            "--reserve-gib",
            "0.1",
            "--dedicated",
        ])
        .ok();
        let (till_server, ovi_server) = (server(), server());
        let till = till_server.add("/till/main", camera("till.264"));
        let ovi = ovi_server.add("/ovi/main", camera("door.264"));
        shop.add_camera("till", till_server.address(), &["--volume", "small"]);
        shop.add_camera("ovi", ovi_server.address(), &[]);
        shop.start();
        shop.wait_for_pictures(&["till/main", "ovi/main"], 30);
        Scene {
            shop,
            small,
            till,
            till_server,
            ovi,
            _ovi_server: ovi_server,
        }
    }

    /// Takes all the room there is but so many bytes.
    fn fill(&self, but: u64) {
        let stat = rustix::fs::statvfs(&self.small).expect("its room");
        let bytes = (stat.f_bavail * stat.f_frsize).saturating_sub(but);
        let filled = Command::new("fallocate")
            .args(["-l", &bytes.to_string()])
            .arg(self.small.join("ballast"))
            .status();
        assert!(filled.expect("fallocate runs").success());
    }

    fn make_room(&self) {
        fs::remove_file(self.small.join("ballast")).expect("removes");
    }

    #[track_caller]
    fn wait_for_gap(&mut self, cause: GapCause) {
        wait(&mut self.shop, cause.as_str(), |shop| {
            open_gap(shop, "till/main").is_some_and(|gap| gap.cause == cause)
        });
        assert_eq!(self.shop.line("till/main").phase, Phase::Trouble);
        assert_eq!(self.shop.run(&["status"]).code, 1);
    }

    #[track_caller]
    fn wait_until_it_records(&mut self) {
        wait(&mut self.shop, "the gap is over", |shop| {
            open_gap(shop, "till/main").is_none()
        });
        self.shop.wait("it records again", |status| {
            status.streams["till/main"].phase == Phase::Recording
        });
    }

    /// Stops it, and after another life of the recorder everything is in order: the gap has its cause, nothing else was
    /// lost, of the other camera nothing at all.
    fn all_is_in_order(&mut self, cause: GapCause) {
        let before = [(self.till.clone(), self.till.counters().access_units)];
        wait_for_sent(&mut self.shop, &before, 20);
        let asked_to_stop = now();
        self.shop.stop();
        // What could not be closed while the disk refused is adopted.
        self.shop.start();
        self.shop.stop();
        self.shop.check(true);
        self.the_gap_is_told(cause, asked_to_stop);
        let listed = self.shop.ls("ovi/main");
        let kept = kept(&self.ovi, &listed, 1, asked_to_stop.plus_us(-UNDER_WAY_US));
        assert!(kept.recorded >= kept.sent_before, "ovi: {kept:?}");
        assert_eq!(self.ovi.counters().access_units_dropped, 0);
        let gaps = &listed.footage.coverage.gaps;
        let interrupted = gaps
            .iter()
            .filter(|gap| gap.cause != GapCause::NotStarted)
            .find(|gap| gap.span.start < asked_to_stop.plus_us(-UNDER_WAY_US));
        assert_eq!(interrupted, None, "ovi");
    }

    fn the_gap_is_told(&self, cause: GapCause, asked_to_stop: Wall) {
        let listed = self.shop.ls("till/main");
        let coverage = &listed.footage.coverage;
        assert_eq!(coverage.unknown, [], "till");
        let gaps = coverage
            .gaps
            .iter()
            .filter(|gap| gap.span.start < asked_to_stop.plus_us(-UNDER_WAY_US));
        let causes: Vec<_> = gaps.map(|gap| gap.cause).collect();
        assert!(causes.contains(&cause), "{coverage:?}");
        let expected = [
            GapCause::NotStarted,
            cause,
            GapCause::CameraClosed,
            GapCause::ConnectFailed,
        ];
        assert!(causes.iter().all(|c| expected.contains(c)), "{coverage:?}");
        let segments = &listed.footage.segments;
        assert_chained(segments);
        let whole = span(
            coverage.recorded[0].start,
            segments.last().expect("some").end,
        );
        let exported = self.shop.export("till/main", whole, "clip.mp4");
        let pictures: usize = exported.clips.iter().map(|clip| clip.pictures).sum();
        let recorded: usize = segments.iter().map(|row| row.samples as usize).sum();
        assert_eq!(pictures, recorded);
    }
}

#[test]
fn a_volume_at_its_reserve_is_a_gap_and_recording_goes_on_when_there_is_room() {
    let name = "a_volume_at_its_reserve_is_a_gap_and_recording_goes_on_when_there_is_room";
    with_own_mounts(name, || {
        let mut scene = Scene::recording();
        // Less than the reserve, so no new segment begins.
        scene.fill(50 << 20);
        scene.wait_for_gap(GapCause::DiskFull);
        scene.make_room();
        scene.wait_until_it_records();
        scene.all_is_in_order(GapCause::DiskFull);
    });
}

#[test]
fn a_volume_without_a_byte_left_closes_the_segment_at_its_last_whole_fragment() {
    let name = "a_volume_without_a_byte_left_closes_the_segment_at_its_last_whole_fragment";
    with_own_mounts(name, || {
        let mut scene = Scene::recording();
        // In the middle of a segment.
        scene.fill(0);
        scene.wait_for_gap(GapCause::DiskFull);
        scene.make_room();
        scene.wait_until_it_records();
        scene.all_is_in_order(GapCause::DiskFull);
    });
}

#[test]
fn a_volume_that_turns_read_only_is_a_gap_until_it_can_be_written_again() {
    let name = "a_volume_that_turns_read_only_is_a_gap_until_it_can_be_written_again";
    with_own_mounts(name, || {
        let mut scene = Scene::recording();
        // The kernel lets nobody turn a file system read-only while a file on it is open for writing, so its camera goes
        // away first.
        scene.till_server.stop_listening();
        let small = scene.small.clone();
        wait(&mut scene.shop, "its segment is closed", |_| {
            crate::eyes::parts(&small).is_empty()
        });
        remount("ro", &scene.small);
        scene.till_server.resume_listening().expect("listens again");
        wait(&mut scene.shop, "it is refused", |shop| {
            shop.log().contains("till/main: not recording")
        });
        scene.shop.wait("it is shown", |status| {
            status.streams["till/main"].phase == Phase::Trouble
        });
        remount("rw", &scene.small);
        scene.wait_until_it_records();
        scene.all_is_in_order(GapCause::WriteError);
    });
}
