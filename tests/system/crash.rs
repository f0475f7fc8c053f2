//! `kill -9` costs what was not yet written, and the gap says so.
//!
//! The bound of `footage.md` for a power cut is the sync interval, the sync and a fragment. Without a power cut what was
//! written is there, so here it is a fragment and what is held back to learn the order of pictures.

use crate::eyes::{Kept, assert_chained, kept, open_gap, parts, wait, wait_for_sent};
use crate::support::{TestBox, camera, now, server, span};
use sinetti::base::time::Wall;
use sinetti::catalog::GapCause;
use sinetti_simulator::CameraHandle;

const CAMERAS: [(&str, &str); 2] = [("till", "till.264"), ("pyramid", "till-bframes.264")];
/// A fragment of 2 s.
const FRAGMENT_US: i64 = 2_000_000;
/// The deepest reordering there is, 16 pictures, and one more, at 15 a second.
const HELD_US: i64 = 17_000_000 / 15;
/// What was sent less than this before the kill may have been under way.
const UNDER_WAY_US: i64 = 500_000;
const LOSS_US_MAX: i64 = FRAGMENT_US + HELD_US + UNDER_WAY_US;

/// When to kill.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// Some access units after the start.
    Sent(u64),
    /// Within the first second: as soon as both cameras' pictures come.
    Receiving,
    /// Just after a segment was closed.
    Cut,
}

const MOMENTS: [Moment; 5] = [
    Moment::Sent(80),
    Moment::Receiving,
    Moment::Cut,
    Moment::Sent(20),
    Moment::Sent(47),
];

#[test]
fn kill_at_five_moments_costs_less_than_the_bound() {
    let (mut shop, server) = (TestBox::new(), server());
    shop.set_recorder("segment_secs = 10");
    let cameras: Vec<CameraHandle> = CAMERAS
        .map(|(id, file)| {
            shop.add_camera(id, server.address(), &[]);
            server.add(&format!("/{id}/main"), camera(file))
        })
        .into();
    let mut killed = Vec::new();
    for moment in MOMENTS {
        shop.start();
        come(&mut shop, &cameras, moment);
        killed.push(now());
        shop.kill();
    }
    assert!(!parts(&shop.volume).is_empty(), "something was under way");
    // The next start makes good what the last kill left, and goes on.
    let before = sent(&cameras);
    shop.start();
    wait_for_sent(&mut shop, &before, 20);
    shop.stop();
    assert!(parts(&shop.volume).is_empty());
    shop.check(true);
    for ((id, _), camera) in CAMERAS.iter().zip(&cameras) {
        let stream = format!("{id}/main");
        the_loss_is_bounded(&shop, &stream, camera, &killed);
        the_rest_can_be_exported(&shop, &stream);
    }
}

fn sent(cameras: &[CameraHandle]) -> Vec<(CameraHandle, u64)> {
    let sent = |camera: &CameraHandle| (camera.clone(), camera.counters().access_units);
    cameras.iter().map(sent).collect()
}

fn come(shop: &mut TestBox, cameras: &[CameraHandle], moment: Moment) {
    match moment {
        Moment::Sent(count) => wait_for_sent(shop, &sent(cameras), count),
        Moment::Receiving => wait(shop, "both are received", |shop| {
            shop.log().matches(": receiving").count() == CAMERAS.len()
        }),
        Moment::Cut => {
            let before = shop.segment_files("till/main").len();
            wait(shop, "a segment is closed", |shop| {
                shop.segment_files("till/main").len() > before
            });
        }
    }
}

fn the_loss_is_bounded(shop: &TestBox, stream: &str, camera: &CameraHandle, killed: &[Wall]) {
    let listed = shop.ls(stream);
    let coverage = &listed.footage.coverage;
    assert_eq!(coverage.unknown, [], "{stream}");
    let open = open_gap(shop, stream).expect("it was stopped");
    assert_eq!(open.cause, GapCause::Stopped, "{stream}");
    let gaps = coverage
        .gaps
        .iter()
        .filter(|gap| gap.span.start < open.start);
    let gaps: Vec<_> = gaps.collect();
    for (session, at) in (1..).zip(killed) {
        let Kept {
            sent_before,
            recorded,
            sent,
        } = kept(camera, &listed, session, at.plus_us(-LOSS_US_MAX));
        assert!(
            sent_before <= recorded && recorded <= sent,
            "{stream}, session {session}: {recorded} of {sent}, {sent_before} had to be"
        );
        let gap = gaps
            .iter()
            .find(|gap| gap.span.start <= *at && gap.span.end > *at);
        let gap = gap.unwrap_or_else(|| panic!("{stream}: no gap at {at}: {coverage:?}"));
        assert_eq!(gap.cause, GapCause::Killed, "{stream}");
        let lost_us = at.us_since(gap.span.start);
        assert!(
            recorded == 0 || lost_us < LOSS_US_MAX,
            "{stream}, session {session}: {lost_us} µs"
        );
    }
    let segments = &listed.footage.segments;
    assert_chained(segments);
    let recovered = segments.iter().filter(|row| row.recovered).count();
    assert!(
        (2..=killed.len()).contains(&recovered),
        "{stream}: {recovered} of {} recovered",
        segments.len()
    );
    assert!(segments.iter().any(|row| !row.recovered), "{stream}");
}

fn the_rest_can_be_exported(shop: &TestBox, stream: &str) {
    let listed = shop.ls(stream);
    let coverage = &listed.footage.coverage;
    let whole = span(
        coverage.recorded[0].start,
        coverage.recorded.last().expect("some").end,
    );
    let exported = shop.export(stream, whole, &format!("{}.mp4", stream.replace('/', "-")));
    let pictures: usize = exported.clips.iter().map(|clip| clip.pictures).sum();
    let recorded = listed
        .footage
        .segments
        .iter()
        .map(|row| row.samples as usize);
    assert_eq!(pictures, recorded.sum::<usize>(), "{stream}");
    assert_eq!(exported.clips.len(), coverage.recorded.len(), "{stream}");
    // Times on the command line are of milliseconds: the end of the time before the first picture may reach in.
    let killed = |cause| matches!(cause, GapCause::Killed | GapCause::NotStarted);
    assert!(
        exported.gaps.iter().all(|gap| killed(gap.cause)),
        "{stream}: {:?}",
        exported.gaps
    );
}
