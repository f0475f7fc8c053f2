//! Time of day, the camera's own clock, and what begins a new segment in mid-stream.

use crate::support::{
    Clip, TestBox, assert_shows, assert_times, assert_unbroken, camera, footage, now, off_by,
    packets, place, sent_hashes, server, span,
};
use sinetti_simulator::{Camera, CameraHandle, Fault, Sent};

/// How far ahead of the host's the camera's clock is.
const AHEAD_MS: i64 = 1500;

#[test]
fn the_time_of_day_is_the_hosts_and_the_cameras_clock_is_told() {
    let (mut shop, server) = (TestBox::new(), server());
    let ahead = Camera {
        clock_offset_ms: AHEAD_MS,
        // A session that begins within a GOP, as with most cameras.
        start_at_key_frame: false,
        ..camera("till-bframes.264")
    };
    let silent = Camera {
        sender_reports: false,
        ..camera("till.264")
    };
    server.add("/ahead/main", ahead);
    server.add("/silent/main", silent);
    for id in ["ahead", "silent"] {
        shop.add_camera(id, server.address(), &[]);
    }
    shop.start();
    let streams = ["ahead/main", "silent/main"];
    shop.wait_for_pictures(&streams, 90);
    let told = |offset: Option<i64>| offset.is_some_and(|ms| (ms - AHEAD_MS).abs() < 300);
    let offset = shop.line("ahead/main").camera_offset_ms;
    assert!(told(offset), "{offset:?}");
    assert_eq!(shop.line("silent/main").camera_offset_ms, None);
    assert!(shop.run(&["status"]).stdout.contains("camera clock +1"));
    shop.stop();
    for stream in streams {
        let listed = shop.ls(stream);
        let row = &listed.footage.segments[0];
        assert_eq!(
            told(row.camera_offset_ms),
            stream == "ahead/main",
            "{row:?}"
        );
        assert!(
            !row.time_uncertain,
            "the host's clock is what counts: {row:?}"
        );
        let exported = shop.export(stream, row.span(), &stream.replace('/', "-"));
        let clip = &exported.clips[0];
        let code = crate::support::block_codes(&clip.path)[0];
        let off = off_by(clip.span.start, code);
        assert!(off.abs() < 0.3, "{stream}: the time of day is {off} s late");
    }
}

/// Segments of this length are cut at full 10 s of the wall clock: the first stream of a box is not staggered, and
/// phase-locked footage has a key frame at every even second.
const SEGMENT_PICTURES: usize = 150;

/// Waits until the picture just sent lies within this part of a segment's cycle.
fn wait_for_phase(shop: &mut TestBox, handle: &CameraHandle, phase: std::ops::Range<usize>) {
    let now_at = || {
        handle
            .sent()
            .last()
            .map_or(0, |entry| entry.index % SEGMENT_PICTURES)
    };
    for _ in 0..200 {
        if phase.contains(&now_at()) {
            return;
        }
        shop.recorder().pace();
    }
    panic!("never within {phase:?}, but at {}", now_at());
}

/// The clips in a row hold exactly what was sent, and each is shown as it was sent.
fn assert_all_there(clips: &[Clip], sent: &[(String, Sent)]) {
    let mut next = None;
    for clip in clips {
        let packets = packets(&clip.path);
        let from = assert_unbroken(&packets, sent);
        assert_eq!(
            *next.get_or_insert(from),
            from,
            "no unit is lost between the clips"
        );
        next = Some(from + packets.len());
        let sent = &sent[from..from + packets.len()];
        let places: Vec<_> = sent.iter().map(|(_, entry)| place(entry)).collect();
        assert_times(&packets, &places, 0);
        assert_shows(&clip.path, &places, 0);
        let off = off_by(clip.span.start, places[0]);
        assert!(off.abs() < 0.3, "the time of day is {off} s late");
    }
}

#[test]
fn new_parameters_begin_a_new_segment_and_cost_no_picture() {
    let (mut shop, server) = (TestBox::new(), server());
    shop.set_recorder("segment_secs = 10");
    let handle = server.add("/till/main", camera("till.264"));
    shop.add_camera("till", server.address(), &[]);
    shop.start();
    shop.wait_for_pictures(&["till/main"], 30);
    // In the middle of a segment ...
    wait_for_phase(&mut shop, &handle, 31..85);
    handle.fault(Fault::SwitchFootage(footage("till-sub.264")));
    // ... and back at the very key frame at which the segment is cut anyway.
    wait_for_phase(&mut shop, &handle, 122..138);
    handle.clear();
    wait_for_phase(&mut shop, &handle, 92..120);
    let line = shop.line("till/main");
    assert_eq!((line.interruptions, line.packets_lost), (0, 0), "{line:?}");
    shop.stop();
    shop.check(true);
    let listed = shop.ls("till/main");
    let coverage = &listed.footage.coverage;
    assert_eq!(
        coverage.recorded.len(),
        1,
        "a change leaves no hole: {coverage:?}"
    );
    let exported = shop.export("till/main", coverage.recorded[0], "clip.mp4");
    let sizes: Vec<_> = exported.clips.iter().map(|clip| clip.size).collect();
    assert_eq!(sizes, [(320, 180), (160, 90), (320, 180)]);
    let sent = sent_hashes(&handle.sent());
    assert_all_there(&exported.clips, &sent);
    let lengths: Vec<_> = exported.clips.iter().map(|clip| clip.pictures).collect();
    let back = sent[lengths[0] + lengths[1]].1.index;
    assert_eq!(
        back % SEGMENT_PICTURES,
        0,
        "the second change fell on a cut"
    );
    // Neither change made a segment more than it had to.
    let segments = &listed.footage.segments;
    let starts: Vec<_> = segments
        .iter()
        .map(|row| row.start.us() / 1_000_000 % 10)
        .collect();
    assert!(
        starts.iter().skip(1).filter(|second| **second != 0).count() == 1,
        "{starts:?}"
    );
}

#[test]
fn a_jump_of_the_cameras_clock_costs_nothing() {
    let (mut shop, server) = (TestBox::new(), server());
    let handle = server.add("/till/main", camera("till.264"));
    shop.add_camera("till", server.address(), &[]);
    shop.start();
    for jump in [7_200_000, -86_400_000] {
        let before = shop.line("till/main").units;
        shop.wait_for_pictures(&["till/main"], before + 45);
        handle.fault(Fault::ClockJump(jump));
    }
    let before = shop.line("till/main").units;
    shop.wait_for_pictures(&["till/main"], before + 60);
    assert_eq!(shop.line("till/main").interruptions, 0);
    let until = now();
    shop.stop();
    shop.check(true);
    let listed = shop.ls("till/main");
    let coverage = &listed.footage.coverage;
    assert_eq!(coverage.recorded.len(), 1, "{coverage:?}");
    let jumps: u32 = listed
        .footage
        .segments
        .iter()
        .map(|row| row.discontinuities)
        .sum();
    assert_eq!(jumps, 2, "they are counted");
    let exported = shop.export(
        "till/main",
        span(coverage.recorded[0].start, until),
        "clip.mp4",
    );
    let (packets, sent) = (
        packets(&exported.clips[0].path),
        sent_hashes(&handle.sent()),
    );
    assert_eq!(exported.clips.len(), 1);
    let from = assert_unbroken(&packets, &sent);
    // The last picture bears the time at which it came, whatever the camera's clock said.
    let last = &sent[from + packets.len() - 1].1;
    let off_us = exported.clips[0].span.end.us_since(last.wall.into());
    assert!(
        (0..400_000).contains(&off_us),
        "the clip ends {off_us} µs after its last picture came"
    );
}

#[test]
fn a_camera_whose_clock_runs_off_is_recorded_and_its_time_marked_uncertain() {
    let (mut shop, server) = (TestBox::new(), server());
    shop.set_recorder("segment_secs = 10");
    let handles = [("fast", 60_000), ("slow", -60_000)].map(|(id, ppm)| {
        let handle = server.add(&format!("/{id}/main"), camera("till.264"));
        shop.add_camera(id, server.address(), &[]);
        handle.fault(Fault::ClockDrift(ppm));
        (format!("{id}/main"), handle)
    });
    server.add("/true/main", camera("till.264"));
    shop.add_camera("true", server.address(), &[]);
    shop.start();
    let streams = ["fast/main", "slow/main", "true/main"];
    let until = |shop: &mut TestBox, segments: u64| {
        shop.wait("segments are closed", |status| {
            streams
                .iter()
                .all(|stream| status.streams[*stream].segments >= segments)
        });
    };
    until(&mut shop, 3);
    shop.stop();
    shop.check(true);
    for (stream, handle) in handles {
        let footage = shop.ls(&stream).footage;
        assert!(
            footage.segments.iter().any(|row| row.time_uncertain),
            "{stream}: {:?}",
            footage.segments
        );
        assert_eq!(handle.counters().sessions_opened, 1, "{stream}");
        // Followed, not let run away: the last picture is within a second of when it came.
        let sent = handle.sent();
        let last = footage.coverage.recorded.last().expect("recorded").end;
        let came = sinetti::base::time::Wall::from(sent.last().expect("sent").wall);
        let off_us = last.us_since(came);
        assert!(off_us.abs() < 1_500_000, "{stream}: {off_us} µs");
    }
    let footage = shop.ls("true/main").footage;
    assert!(footage.segments.iter().all(|row| !row.time_uncertain));
}
