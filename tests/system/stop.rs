//! An orderly stop loses nothing, whenever it comes.

use crate::eyes::{assert_chained, kept, open_gap, parts, wait_for_sent};
use crate::support::{Recorder, TestBox, camera, now, server, span};
use sinetti::base::time::Wall;
use sinetti::catalog::{CoverageGap, GapCause};
use sinetti_simulator::CameraHandle;

/// When to stop, in access units since the start: before anything is on disk, while the depth of reordering is learnt, in the
/// middle of a GOP, of a fragment, and after a cut.
const MOMENTS: [u64; 5] = [3, 20, 40, 77, 170];
const STREAMS: [&str; 2] = ["till/main", "open-gop/main"];
/// What was sent less than this before the stop may have been under way, on a machine that does other things too.
const UNDER_WAY_US: i64 = 500_000;
/// From the process's start to the first picture of a camera that waits for its next key frame.
const COMES_BACK_US_MAX: i64 = 8_000_000;

/// One life of the recorder, by the clock of the test.
struct Life {
    started: Wall,
    asked_to_stop: Wall,
}

#[test]
fn sigterm_at_five_moments_loses_nothing() {
    let (mut shop, server) = (TestBox::new(), server());
    shop.set_recorder("segment_secs = 10");
    let cameras: Vec<CameraHandle> = [("till", "till.264"), ("open-gop", "till-h265.265")]
        .map(|(id, file)| {
            shop.add_camera(id, server.address(), &[]);
            server.add(&format!("/{id}/main"), camera(file))
        })
        .into();
    let mut lives = Vec::new();
    for moment in MOMENTS {
        let sent = |camera: &CameraHandle| (camera.clone(), camera.counters().access_units);
        let before: Vec<_> = cameras.iter().map(sent).collect();
        let started = now();
        shop.start();
        wait_for_sent(&mut shop, &before, moment);
        let asked_to_stop = now();
        let (_, log) = shop.stop();
        assert!(log.contains("everything received is on disk"), "{log}");
        assert_eq!(parts(&shop.volume), Vec::<std::path::PathBuf>::new());
        shop.check(false);
        lives.push(Life {
            started,
            asked_to_stop,
        });
    }
    shop.check(true);
    for (stream, camera) in STREAMS.iter().zip(&cameras) {
        every_unit_is_indexed(&shop, stream, camera, &lives);
        time_is_accounted_for(&shop, stream, &lives);
    }
}

fn every_unit_is_indexed(shop: &TestBox, stream: &str, camera: &CameraHandle, lives: &[Life]) {
    let listed = shop.ls(stream);
    assert_eq!(camera.counters().sessions_opened, lives.len() as u64);
    assert_eq!(camera.counters().access_units_dropped, 0);
    for (session, life) in (1..).zip(lives) {
        let until = life.asked_to_stop.plus_us(-UNDER_WAY_US);
        let kept = kept(camera, &listed, session, until);
        assert!(
            kept.sent_before <= kept.recorded && kept.recorded <= kept.sent,
            "{stream}, session {session}: {kept:?}"
        );
    }
    assert_chained(&listed.footage.segments);
    assert!(listed.footage.segments.iter().all(|row| !row.recovered));
}

fn time_is_accounted_for(shop: &TestBox, stream: &str, lives: &[Life]) {
    let coverage = shop.ls(stream).footage.coverage;
    assert_eq!(coverage.unknown, [], "{stream}");
    assert_eq!(coverage.recorded.len(), lives.len(), "{stream}");
    // The last one has just begun, or begins when the last picture has been shown.
    let open = open_gap(shop, stream).expect("it was stopped");
    let before_it = |gap: &&CoverageGap| gap.span.start < open.start;
    let mut gaps: Vec<_> = coverage.gaps.iter().filter(before_it).cloned().collect();
    // Before its first picture; none when that was taken before the stream was known.
    gaps.retain(|gap| gap.cause != GapCause::NotStarted);
    assert_eq!(gaps.len(), lives.len() - 1, "{stream}: {coverage:?}");
    gaps.push(CoverageGap {
        span: span(open.start, open.start),
        cause: open.cause,
        detail: open.detail,
    });
    for (i, gap) in gaps.iter().enumerate() {
        assert_eq!(gap.cause, GapCause::Stopped, "{stream}: {gap:?}");
        if i + 1 < lives.len() {
            assert_eq!(gap.span.start, coverage.recorded[i].end, "{stream}");
        }
        let early_us = lives[i].asked_to_stop.us_since(gap.span.start);
        assert!(
            (-UNDER_WAY_US..UNDER_WAY_US).contains(&early_us),
            "{stream}: stopped at {}, {gap:?}",
            lives[i].asked_to_stop
        );
        // The last one lasts.
        let Some(next) = lives.get(i + 1) else { break };
        assert_eq!(gap.span.end, coverage.recorded[i + 1].start, "{stream}");
        let after_us = gap.span.end.us_since(next.started);
        assert!(
            (-UNDER_WAY_US..COMES_BACK_US_MAX).contains(&after_us),
            "{stream}: started at {}, {gap:?}",
            next.started
        );
    }
}

#[test]
fn sigterm_is_heard_while_a_volume_is_still_being_recovered() {
    const FILES: usize = 3000;
    let (mut shop, server) = (TestBox::new(), server());
    let till = server.add("/till/main", camera("till.264"));
    shop.add_camera("till", server.address(), &[]);
    // Each goes into quarantine, which is synced.
    let today = now().rfc3339()[..10].replace('-', "/");
    let dir = shop.volume.join("till/main").join(today);
    std::fs::create_dir_all(&dir).expect("a folder");
    for n in 0..FILES {
        std::fs::write(dir.join(format!("20260101T000000.000Z-{n:05}.mp4")), b"x").expect("writes");
    }
    let left = || std::fs::read_dir(&dir).expect("reads").count();
    let mut recorder = Recorder::spawn(&shop.dir);
    recorder.wait_for_log("put into quarantine");
    let (status, log) = recorder.stop();
    assert!(status.success(), "{status}");
    let done = log.matches("put into quarantine").count();
    assert!((1..FILES).contains(&done), "in the middle: {done}");
    assert_eq!(left(), FILES - done, "each is finished or untouched");
    assert!(!log.contains("recording 1 cameras"), "it did not begin");
    assert_eq!(till.counters().connections, 0);
    // The next start does the rest, of which some are enough.
    for entry in std::fs::read_dir(&dir).expect("reads").flatten().skip(20) {
        std::fs::remove_file(entry.path()).expect("removes");
    }
    shop.start();
    shop.wait_for_pictures(&["till/main"], 15);
    let (_, log) = shop.stop();
    assert_eq!(log.matches("put into quarantine").count(), 20);
    shop.check(true);
}
