//! Volumes that fill and volumes that turn read-only: the recorder stays up, says why nothing is recorded, goes on by itself,
//! and the other volume's camera loses nothing.
//!
//! The file systems are mounted in a mount namespace of the test's own: each test runs itself again in one.

use crate::eyes::wait;
use crate::scene::Scene;
use crate::support::{remount, with_own_mounts};
use sinetti::catalog::GapCause;
use sinetti::recorder::board::Phase;

#[test]
fn a_volume_at_its_reserve_is_a_gap_and_recording_goes_on_when_there_is_room() {
    let name = "disk::a_volume_at_its_reserve_is_a_gap_and_recording_goes_on_when_there_is_room";
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
    let name = "disk::a_volume_without_a_byte_left_closes_the_segment_at_its_last_whole_fragment";
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
    let name = "disk::a_volume_that_turns_read_only_is_a_gap_until_it_can_be_written_again";
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
