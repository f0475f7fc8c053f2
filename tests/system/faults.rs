//! Cameras that misbehave: what was lost is counted, what is missing is a gap with its cause, and recording comes back.

use crate::support::{
    TestBox, assert_unbroken, camera, footage, hashes, packets, sent_hashes, server, sha256,
};
use sinetti::base::time::Wall;
use sinetti::catalog::{CoverageGap, GapCause};
use sinetti::recorder::board::Phase;
use sinetti_simulator::{Camera, CameraHandle, Fault, Login, Scheme, Sent, Server};
use std::time::Duration;

/// Bounds of gaps are known to within this: a little more than a picture.
const BOUND_US: i64 = 150_000;
const PASSWORD: &str = "Kettu-juoksee-7";

fn shop_with_till(recorder: &str) -> (TestBox, Server, CameraHandle) {
    let (shop, server) = (TestBox::new(), server());
    shop.set_recorder(recorder);
    let handle = server.add("/till/main", camera("till.264"));
    shop.add_camera("till", server.address(), &[]);
    (shop, server, handle)
}

/// The pictures around which something was interrupted: the last of one session, the first of the next that came through.
fn around(sent: &[Sent], session: u64) -> (Wall, Wall) {
    let last = sent.iter().rfind(|entry| entry.session == session);
    let next = sent.iter().find(|entry| entry.session > session);
    let wall = |entry: Option<&Sent>| Wall::from(entry.expect("a picture of each session").wall);
    (wall(last), wall(next))
}

/// The only gap while the recorder ran; export across it gives two files with all that was sent, and lists it.
#[track_caller]
fn only_gap(shop: &TestBox, handle: &CameraHandle, cause: GapCause) -> CoverageGap {
    let coverage = shop.ls("till/main").footage.coverage;
    let [first, second] = coverage.recorded[..] else {
        panic!("recorded before and after: {coverage:?}");
    };
    let mut whole = first;
    whole.end = second.end;
    let exported = shop.export("till/main", whole, "across.mp4");
    let names: Vec<_> = exported
        .clips
        .iter()
        .map(|clip| clip.path.clone())
        .collect();
    assert_eq!(names, [shop.path("across.mp4"), shop.path("across-2.mp4")]);
    let sent = sent_hashes(&handle.sent());
    let before = assert_unbroken(&packets(&names[0]), &sent);
    let after = assert_unbroken(&packets(&names[1]), &sent);
    assert_eq!(before, 0, "from the first picture on");
    assert_eq!(
        after, exported.clips[0].pictures,
        "nothing between the two was received and lost"
    );
    let [gap] = &exported.gaps[..] else {
        panic!("one gap: {:?}", exported.gaps);
    };
    assert_eq!(
        (gap.cause, gap.span.start, gap.span.end),
        (cause, first.end, second.start),
        "{gap:?}"
    );
    gap.clone()
}

#[test]
fn a_camera_that_hangs_is_a_gap_and_comes_back() {
    let (mut shop, _server, handle) = shop_with_till("stall_secs = 5");
    shop.start();
    shop.wait_for_pictures(&["till/main"], 45);
    handle.fault(Fault::Stall);
    shop.wait("the hanging is noticed", |status| {
        let line = &status.streams["till/main"];
        line.last_error.as_deref() == Some("no picture for 5 s")
    });
    handle.clear();
    let before = shop.line("till/main").units;
    shop.wait_for_pictures(&["till/main"], before + 45);
    assert_eq!(shop.line("till/main").phase, Phase::Recording);
    shop.stop();
    shop.check(true);
    let gap = only_gap(&shop, &handle, GapCause::Stalled);
    let (last, next) = around(&handle.sent(), 1);
    assert!(
        gap.span.start.us_since(last).abs() < BOUND_US,
        "{gap:?}, last picture {last}"
    );
    assert!(
        gap.span.end.us_since(next).abs() < BOUND_US,
        "{gap:?}, next picture {next}"
    );
}

#[test]
fn a_camera_that_hangs_up_is_a_gap_and_comes_back_at_once() {
    let (mut shop, _server, handle) = shop_with_till("");
    shop.start();
    shop.wait_for_pictures(&["till/main"], 45);
    handle.fault(Fault::Disconnect);
    let before = shop.line("till/main").units;
    shop.wait_for_pictures(&["till/main"], before + 60);
    shop.stop();
    shop.check(true);
    let gap = only_gap(&shop, &handle, GapCause::CameraClosed);
    let (last, next) = around(&handle.sent(), 1);
    assert!(
        gap.span.start.us_since(last).abs() < BOUND_US,
        "{gap:?}, last picture {last}"
    );
    assert!(
        gap.span.end.us_since(next).abs() < BOUND_US,
        "{gap:?}, next picture {next}"
    );
    // Connected again within a second, then up to a key frame.
    assert!(gap.span.us() < 4_000_000, "{gap:?}");
}

#[test]
fn a_power_cut_of_the_cameras_is_one_gap() {
    let (mut shop, server, handle) = shop_with_till("");
    shop.start();
    shop.wait_for_pictures(&["till/main"], 45);
    server.stop_listening();
    shop.wait("the power cut is noticed", |status| {
        let line = &status.streams["till/main"];
        line.interruptions >= 3 && line.phase == Phase::Trouble
    });
    let error = shop.line("till/main").last_error.expect("an error");
    assert!(error.contains("onnect"), "{error}");
    server.resume_listening().expect("the same port");
    let before = shop.line("till/main").units;
    shop.wait_for_pictures(&["till/main"], before + 45);
    shop.stop();
    shop.check(true);
    let gap = only_gap(&shop, &handle, GapCause::CameraClosed);
    let (last, next) = around(&handle.sent(), 1);
    assert!(
        gap.span.start.us_since(last).abs() < BOUND_US,
        "{gap:?}, last picture {last}"
    );
    assert!(
        gap.span.end.us_since(next).abs() < BOUND_US,
        "{gap:?}, next picture {next}"
    );
}

#[test]
fn lost_packets_are_counted_and_cost_no_more_than_their_pictures() {
    let (mut shop, server) = (TestBox::new(), server());
    let cameras = ["tcp", "udp"].map(|transport| {
        let handle = server.add(&format!("/{transport}/main"), camera("till.264"));
        shop.add_camera(transport, server.address(), &["--transport", transport]);
        handle.fault(Fault::LoseEvery(40));
        (format!("{transport}/main"), handle)
    });
    shop.start();
    shop.wait_for_pictures(&["tcp/main", "udp/main"], 150);
    shop.stop();
    shop.check(true);
    for (stream, handle) in cameras {
        let listed = shop.ls(&stream);
        assert_eq!(
            listed.footage.coverage.recorded.len(),
            1,
            "{stream}: loss is no gap"
        );
        let rows = &listed.footage.segments;
        let counted: u32 = rows.iter().map(|row| row.packets_lost).sum();
        let (lost, counted) = (handle.counters().packets_lost, u64::from(counted));
        // The last may have been lost after the recorder stopped listening.
        assert!(
            counted <= lost && counted + 3 >= lost,
            "{stream}: {counted} of {lost} counted"
        );
        let exported = shop.export(
            &stream,
            listed.footage.coverage.recorded[0],
            &stream.replace('/', "-"),
        );
        assert_eq!(exported.packets_lost, counted, "the report tells");
        let kept: Vec<_> = packets(&exported.clips[0].path)
            .into_iter()
            .map(|packet| packet.hash)
            .collect();
        let whole = hashes(&footage("till.264"));
        let is_whole = |hash: &String| whole.contains(hash);
        assert!(
            kept.iter().all(is_whole),
            "{stream}: no part of a picture is kept"
        );
        let sent = handle.sent();
        let until = sent.len().saturating_sub(60);
        for entry in sent[..until]
            .iter()
            .filter(|entry| entry.damaged_packets == 0)
        {
            let hash = sha256(&entry.footage.access_units()[entry.index].stored_form());
            assert!(
                kept.contains(&hash),
                "{stream}: a whole picture was dropped: {entry:?}"
            );
        }
    }
}

/// Each with the words that its line in the status must have, and the cause of its gap.
const REFUSING: [(&str, &str, GapCause); 3] = [
    (
        "wrong/main",
        "check the credentials file",
        GapCause::Refused,
    ),
    (
        "nowhere/main",
        "check the path of the stream",
        GapCause::Refused,
    ),
    (
        "mute/main",
        "did not answer within 15 s",
        GapCause::ConnectFailed,
    ),
];
const WRONG_PASSWORD: &str = "Kettu-nukkuu-8";

/// Cameras with a login, two of them known to the box; one that is not there; one that never answers.
fn add_refusing(shop: &TestBox, server: &Server) {
    let secret = |name: &str, password: &str| {
        let path = shop.secret(name, &format!("sinetti\n{password}\n"));
        path.into_os_string().into_string().expect("UTF-8")
    };
    let (right, wrong) = (secret("right", PASSWORD), secret("wrong", WRONG_PASSWORD));
    for (id, scheme, file) in [
        ("digest", Scheme::Digest, &right),
        ("basic", Scheme::Basic, &right),
        ("wrong", Scheme::Digest, &wrong),
    ] {
        let login = Some(Login {
            user: "sinetti".into(),
            password: PASSWORD.into(),
            scheme,
        });
        let camera = Camera {
            login,
            ..camera("aisle.264")
        };
        server.add(&format!("/{id}/main"), camera);
        shop.add_camera(id, server.address(), &["--credentials", file]);
    }
    shop.add_camera("nowhere", server.address(), &[]);
    let mute = server.add("/mute/main", camera("aisle.264"));
    mute.fault(Fault::NeverAnswer);
    shop.add_camera("mute", server.address(), &[]);
}

#[test]
fn cameras_that_refuse_are_named_with_a_remedy_and_disturb_no_other() {
    let (mut shop, server, good) = shop_with_till("");
    add_refusing(&shop, &server);
    shop.start();
    let status = shop.wait("every trouble is told", |status| {
        REFUSING.iter().all(|(stream, words, _)| {
            let error = status.streams[*stream].last_error.as_deref();
            error.is_some_and(|error| error.contains(words))
        })
    });
    for (stream, _, _) in REFUSING {
        assert_eq!(status.streams[stream].phase, Phase::Trouble, "{stream}");
    }
    let shown = shop.run(&["status"]);
    assert_eq!(shown.code, 1, "some camera is not recorded");
    let text = &shown.stdout;
    assert!(
        text.contains("TROUBLE") && text.contains(REFUSING[0].1),
        "{text}"
    );
    shop.wait_for_pictures(&["till/main", "digest/main", "basic/main"], 150);
    let (_, log) = shop.stop();
    for (stream, _, cause) in REFUSING {
        let gaps = shop.ls(stream).footage.coverage.gaps;
        let first = gaps
            .iter()
            .map(|gap| gap.cause)
            .find(|it| *it != GapCause::NotStarted);
        assert_eq!(first, Some(cause), "{stream}: {gaps:?}");
    }
    let coverage = shop.ls("till/main").footage.coverage;
    assert_eq!(
        coverage.recorded.len(),
        1,
        "the others record on: {coverage:?}"
    );
    assert_eq!(good.counters().sessions_opened, 1);
    let everything = [log, shown.stdout, shop.run(&["ls"]).stdout].concat();
    for secret in [PASSWORD, WRONG_PASSWORD] {
        assert!(!everything.contains(secret), "{everything}");
    }
}

#[test]
fn a_camera_without_key_frames_is_watched_until_one_comes() {
    let (mut shop, _server, handle) = shop_with_till("");
    handle.fault(Fault::NoKeyFrames);
    shop.start();
    for _ in 0..200 {
        if handle.sent().len() > 60 {
            break;
        }
        shop.recorder().pace();
    }
    let line = shop.line("till/main");
    assert_eq!((line.phase, line.units), (Phase::Receiving, 0), "{line:?}");
    assert_eq!(shop.run(&["status"]).code, 1, "it is not recorded");
    handle.clear();
    shop.wait_for_pictures(&["till/main"], 30);
    shop.stop();
    let coverage = shop.ls("till/main").footage.coverage;
    let exported = shop.export("till/main", coverage.recorded[0], "clip.mp4");
    let sent = sent_hashes(&handle.sent());
    let from = assert_unbroken(&packets(&exported.clips[0].path), &sent);
    let first_key = sent
        .iter()
        .position(|(_, entry)| entry.footage.access_units()[entry.index].is_key());
    assert_eq!(Some(from), first_key, "from the first key frame on");
}

#[test]
fn garbage_and_broken_units_cost_a_picture_and_not_the_session() {
    let (mut shop, server) = (TestBox::new(), server());
    let faults = [
        ("corrupt", Fault::CorruptNals(50)),
        ("stale", Fault::StaleSession),
    ];
    let cameras = faults.map(|(id, fault)| {
        let handle = server.add(&format!("/{id}/main"), camera("till.264"));
        shop.add_camera(id, server.address(), &[]);
        handle.fault(fault);
        (id, handle)
    });
    shop.start();
    shop.wait_for_pictures(&["corrupt/main", "stale/main"], 120);
    let interruptions =
        ["corrupt/main", "stale/main"].map(|stream| shop.line(stream).interruptions);
    assert_eq!(interruptions, [0, 0]);
    shop.stop();
    shop.check(true);
    for (id, handle) in cameras {
        let listed = shop.ls(&format!("{id}/main"));
        assert_eq!(listed.footage.coverage.recorded.len(), 1, "{id}");
        let exported = shop.export(
            &format!("{id}/main"),
            listed.footage.coverage.recorded[0],
            id,
        );
        let kept: Vec<_> = packets(&exported.clips[0].path)
            .into_iter()
            .map(|packet| packet.hash)
            .collect();
        let sent = handle.sent();
        let until = sent.len().saturating_sub(60);
        let lacking = sent[..until].iter().filter(|entry| {
            let hash = sha256(&entry.footage.access_units()[entry.index].stored_form());
            !kept.contains(&hash)
        });
        let damaged = sent[..until]
            .iter()
            .filter(|entry| entry.damaged_packets > 0)
            .count();
        let (lacking, corrupt) = (lacking.count(), listed.footage.segments[0].corrupt_units);
        assert!(
            lacking <= damaged,
            "{id}: {lacking} lacking, {damaged} damaged"
        );
        // Counted once each; packets of another session are not ours to count.
        let all_damaged = sent.iter().filter(|entry| entry.damaged_packets > 0);
        let wanted = damaged.min(1)..=all_damaged.count();
        assert!(
            wanted.contains(&(corrupt as usize)),
            "{id}: {corrupt} corrupt, {wanted:?}"
        );
    }
}

#[test]
fn a_camera_that_flaps_makes_no_flood_of_segments_or_log_lines() {
    let (mut shop, _server, handle) = shop_with_till("");
    handle.fault(Fault::DisconnectAfter(Duration::from_secs(2)));
    shop.start();
    shop.wait("it has flapped", |status| {
        status.streams["till/main"].interruptions >= 5
    });
    let line = shop.line("till/main");
    handle.clear();
    shop.wait_for_pictures(&["till/main"], line.units + 30);
    let (_, log) = shop.stop();
    shop.check(true);
    // It hung up; it is received again: not once more for each time.
    let told = log.lines().filter(|line| line.contains("till/main"));
    let told: Vec<_> = told.collect();
    assert!(told.len() <= 4, "{told:#?}");
    let listed = shop.ls("till/main").footage;
    let sessions = usize::try_from(handle.counters().sessions_opened).expect("few");
    assert!(
        listed.segments.len() <= sessions + 1,
        "{} segments of {sessions} sessions",
        listed.segments.len()
    );
    let gaps = &listed.coverage.gaps;
    let flaps = gaps
        .iter()
        .filter(|gap| gap.cause == GapCause::CameraClosed);
    assert_eq!(flaps.count(), sessions - 1, "{gaps:?}");
}

/// Faults that have no test of their own: the camera, how it sends, what is wrong, the words of its trouble, its cause.
fn other_faults() -> [(&'static str, &'static str, Fault, &'static str, GapCause); 7] {
    let status = |method: &str, code| Fault::Status {
        method: method.to_owned(),
        code,
    };
    let garbage = Fault::GarbageBytes {
        length: 300,
        every: 20,
    };
    [
        (
            "garbage",
            "tcp",
            garbage,
            "framing error",
            GapCause::Protocol,
        ),
        (
            "drip",
            "tcp",
            Fault::SlowDrip(100),
            "no picture for 5 s",
            GapCause::Stalled,
        ),
        (
            "drip-udp",
            "udp",
            Fault::SlowDrip(100),
            "no picture for 5 s",
            GapCause::Stalled,
        ),
        (
            "full",
            "tcp",
            status("SETUP", 453),
            "too many viewers",
            GapCause::Refused,
        ),
        (
            "busy",
            "tcp",
            status("DESCRIBE", 503),
            "too many viewers",
            GapCause::Refused,
        ),
        (
            "other",
            "tcp",
            status("SETUP", 461),
            "the other transport",
            GapCause::Refused,
        ),
        (
            "lost",
            "udp",
            status("PLAY", 454),
            "starting the stream",
            GapCause::Refused,
        ),
    ]
}

#[test]
fn every_other_fault_is_named_and_heals_and_disturbs_nobody() {
    let (mut shop, server, good) = shop_with_till("stall_secs = 5");
    let faults = other_faults();
    let handles = faults.each_ref().map(|(id, transport, ..)| {
        let handle = server.add(&format!("/{id}/main"), camera("aisle.264"));
        shop.add_camera(id, server.address(), &["--transport", transport]);
        handle
    });
    let streams = faults.each_ref().map(|(id, ..)| format!("{id}/main"));
    let names = streams.each_ref().map(String::as_str);
    shop.start();
    shop.wait_for_pictures(&names, 30);
    for (handle, (_, _, fault, ..)) in handles.iter().zip(&faults) {
        if matches!(fault, Fault::Status { .. }) {
            handle.fault(Fault::Disconnect);
        }
        handle.fault(fault.clone());
    }
    let status = shop.wait("every trouble is told", |status| {
        faults
            .iter()
            .zip(names)
            .all(|((_, _, _, words, _), stream)| {
                let error = status.streams[stream].last_error.as_deref();
                error.is_some_and(|error| error.contains(words))
            })
    });
    for handle in &handles {
        handle.clear();
    }
    for stream in names {
        shop.wait_for_pictures(&[stream], status.streams[stream].units + 45);
    }
    shop.stop();
    shop.check(true);
    for ((_, _, fault, _, cause), stream) in faults.iter().zip(names) {
        let coverage = shop.ls(stream).footage.coverage;
        // What refuses had hung up before: the first cause is the gap's.
        let wanted = match fault {
            Fault::Status { .. } => GapCause::CameraClosed,
            _ => *cause,
        };
        assert!(
            coverage.gaps.iter().any(|gap| gap.cause == wanted),
            "{stream}: {coverage:?}"
        );
        for (before, after) in coverage.recorded.iter().zip(&coverage.recorded[1..]) {
            let is_whole = coverage
                .gaps
                .iter()
                .any(|gap| (gap.span.start, gap.span.end) == (before.end, after.start));
            assert!(
                is_whole,
                "{stream}: a gap from picture to picture: {coverage:?}"
            );
        }
    }
    let coverage = shop.ls("till/main").footage.coverage;
    assert_eq!(coverage.recorded.len(), 1, "the others: {coverage:?}");
    assert_eq!(good.counters().sessions_opened, 1);
    let exported = shop.export("till/main", coverage.recorded[0], "till.mp4");
    let sent = sent_hashes(&good.sent());
    assert_unbroken(&packets(&exported.clips[0].path), &sent);
    assert_eq!(exported.packets_lost, 0);
}
