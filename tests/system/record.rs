//! What left the camera is what is stored, and what is stored comes back: every access unit, in order, at its time.

use crate::support::{
    TestBox, assert_shows, assert_times, assert_unbroken, camera, now, off_by, packets, place,
    sent_hashes, server, span,
};
use sinetti::base::id::StreamId;
use sinetti::base::time::Wall;
use sinetti_simulator::{CameraHandle, Sent, Server};

/// Cameras with their footage; the first has a small picture too.
const CAMERAS: [(&str, &str); 4] = [
    ("till", "till.264"),
    ("aisle", "aisle.264"),
    ("open-gop", "till-h265.265"),
    ("pyramid", "till-bframes.264"),
];
const STREAMS: [&str; 5] = [
    "till/main",
    "till/sub",
    "aisle/main",
    "open-gop/main",
    "pyramid/main",
];
/// 20 seconds of pictures.
const PICTURES: u64 = 300;

/// What came within the last half second before the stop may have been under way.
const UNDER_WAY_US: i64 = 500_000;

fn cameras(shop: &TestBox, server: &Server) -> Vec<(&'static str, CameraHandle)> {
    let mut handles = vec![("till/sub", server.add("/till/sub", camera("till-sub.264")))];
    for ((id, file), stream) in
        CAMERAS
            .iter()
            .zip(["till/main", "aisle/main", "open-gop/main", "pyramid/main"])
    {
        handles.push((stream, server.add(&format!("/{id}/main"), camera(file))));
        let sub: &[&str] = if *id == "till" {
            &["--sub", "/till/sub"]
        } else {
            &[]
        };
        shop.add_camera(id, server.address(), sub);
    }
    handles
}

#[test]
fn twenty_seconds_of_four_cameras_lack_nothing() {
    let (mut shop, server) = (TestBox::new(), server());
    // The shortest segments, so that a cut or two falls into the recording.
    shop.set_recorder("segment_secs = 10");
    let handles = cameras(&shop, &server);
    shop.start();
    shop.wait_for_pictures(&STREAMS, PICTURES);
    let asked_to_stop = now();
    shop.stop();
    shop.check(true);
    for (stream, handle) in handles {
        everything_is_there(&shop, stream, &handle, asked_to_stop);
    }
}

/// The whole recording of a stream, exported and compared with what its camera sent.
fn everything_is_there(shop: &TestBox, stream: &str, handle: &CameraHandle, asked_to_stop: Wall) {
    let counters = handle.counters();
    assert_eq!(
        (counters.video_setups, counters.audio_setups),
        (1, 0),
        "{stream}"
    );
    assert_eq!(
        (counters.sessions_opened, counters.access_units_dropped),
        (1, 0),
        "{stream}"
    );
    let listed = shop.ls(stream);
    let coverage = &listed.footage.coverage;
    assert_eq!(coverage.recorded.len(), 1, "{stream}: {coverage:?}");
    assert!(
        listed.footage.segments.len() >= 2,
        "{stream}: a cut lies in the recording"
    );
    let exported = shop.export(
        stream,
        coverage.recorded[0],
        &format!("{}.mp4", stream.replace('/', "-")),
    );
    assert_eq!(
        (
            exported.clips.len(),
            exported.packets_lost,
            exported.time_uncertain
        ),
        (1, 0, false),
        "{stream}"
    );
    let clip = &exported.clips[0];
    let packets = packets(&clip.path);
    let sent = sent_hashes(&handle.sent());
    // Sessions begin with a key frame, so nothing at all may be missing from the first unit on.
    assert_eq!(
        assert_unbroken(&packets, &sent),
        0,
        "{stream}: recording begins with the first unit"
    );
    assert_eq!(clip.pictures, packets.len(), "{stream}");
    let entries: Vec<Sent> = sent.into_iter().map(|(_, entry)| entry).collect();
    let before_the_stop = entries
        .iter()
        .filter(|entry| asked_to_stop.us_since(entry.wall.into()) > UNDER_WAY_US);
    assert!(
        packets.len() >= before_the_stop.count(),
        "{stream}: the end is there too"
    );
    let places: Vec<_> = entries.iter().map(place).collect();
    assert_times(&packets, &places, 0);
    let lacking = assert_shows(&clip.path, &places[..packets.len()], 0);
    assert_eq!(clip.undecodable_leading, lacking, "{stream}");
    let open_gop = stream.starts_with("open-gop");
    // The loop itself begins with an IDR picture, which nothing leads.
    let leads = open_gop && entries[0].index != 0;
    assert_eq!(lacking, if leads { 4 } else { 0 }, "{stream}");
    let off = off_by(clip.span.start, places[0]);
    assert!(off.abs() < 0.3, "{stream}: the time of day is {off} s late");
    activity_is_known(
        shop,
        stream,
        listed.footage.coverage.recorded[0].start,
        clip.span.end,
    );
}

/// For every whole second that was recorded there is a byte.
fn activity_is_known(shop: &TestBox, stream: &str, start: Wall, end: Wall) {
    let id: StreamId = stream.parse().expect("a stream");
    let hours = shop
        .catalog()
        .activity(&id, span(start, end))
        .expect("the catalog reads");
    let level = |second: i64| {
        let hour = hours
            .iter()
            .find(|hour| hour.hour.us() / 1_000_000 == second / 3600 * 3600);
        hour.and_then(|hour| {
            hour.values
                .get(usize::try_from(second % 3600).expect("a second"))
        })
    };
    let seconds = start.us() / 1_000_000 + 1..end.us() / 1_000_000;
    for second in seconds.clone() {
        assert!(
            level(second).is_some(),
            "{stream}: no activity for second {second}"
        );
    }
    let busy = seconds
        .filter_map(level)
        .filter(|level| **level > 0)
        .count();
    assert!(busy >= 5, "{stream}: something moved in these scenes");
}

#[test]
fn the_last_seconds_come_back_while_recording_goes_on() {
    let (mut shop, server) = (TestBox::new(), server());
    shop.set_recorder("sync_secs = 1");
    let handle = server.add("/till/main", camera("till.264"));
    shop.add_camera("till", server.address(), &[]);
    shop.start();
    shop.wait_for_pictures(&["till/main"], 120);
    let growing = shop.line("till/main").growing.expect("a segment grows");
    let asked = now();
    let exported = shop.export(
        "till/main",
        span(growing.end.plus_us(-3_000_000), asked),
        "last.mp4",
    );
    let clip = &exported.clips[0];
    assert_eq!(exported.clips.len(), 1);
    let (packets, sent) = (packets(&clip.path), sent_hashes(&handle.sent()));
    let from = assert_unbroken(&packets, &sent);
    let places = sent[from..from + packets.len()]
        .iter()
        .map(|(_, entry)| place(entry));
    assert_shows(&clip.path, &places.collect::<Vec<_>>(), 0);
    // A GOP of 2 s is held until it is whole; then a sync each second.
    let missing_us = asked.us_since(clip.span.end);
    assert!(
        missing_us < 6_000_000,
        "the clip ends {missing_us} µs before now"
    );
    assert!(
        clip.span.start <= growing.end.plus_us(-3_000_000),
        "it is widened outward"
    );
    // Nothing was disturbed.
    let before = shop.line("till/main").units;
    shop.wait_for_pictures(&["till/main"], before + 30);
    let line = shop.line("till/main");
    assert_eq!((line.interruptions, line.packets_lost), (0, 0));
    shop.check(true);
    shop.stop();
}
