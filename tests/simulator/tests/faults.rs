//! Each fault does what it says, seen by a client that understands little of RTSP.

mod common;

use common::{Client, Kind, footage, start};
use sinetti_simulator::{Camera, CameraHandle, Fault, Footage, Login, Scheme, Server};
use std::sync::Arc;
use std::time::Duration;

const PATH: &str = "/till/main";

/// A server with one camera that begins its clip anew for each session.
fn camera() -> (Server, CameraHandle, Arc<Footage>) {
    let server = start();
    let footage = footage(Kind::H264);
    let handle = server.add(
        PATH,
        Camera {
            phase_locked: false,
            ..Camera::new(footage.clone())
        },
    );
    (server, handle, footage)
}

#[test]
fn lost_packets_leave_a_hole_in_the_sequence() {
    let (server, handle, _) = camera();
    handle.fault(Fault::LoseEvery(5));
    let mut client = Client::play(&server, PATH);
    let sequences: Vec<u16> = (0..8)
        .map(|_| client.rtp().expect("a packet").sequence())
        .collect();
    let steps: Vec<u16> = sequences
        .windows(2)
        .map(|pair| pair[1].wrapping_sub(pair[0]))
        .collect();
    assert_eq!(steps, [1, 1, 1, 2, 1, 1, 1]);
    assert!(handle.counters().packets_lost > 0);
    assert!(handle.sent().iter().any(|entry| entry.damaged_packets > 0));
}

#[test]
fn a_stalled_camera_answers_and_goes_on_at_a_key_frame() {
    let (server, handle, _) = camera();
    let mut client = Client::play(&server, PATH);
    assert_eq!(client.access_units(3), 3);
    handle.fault(Fault::Stall);
    while !client.is_silent_for(Duration::from_millis(200)) {
        client.packet().expect("a packet");
    }
    assert_eq!(client.request("OPTIONS", "").code, 200);
    let before = handle.sent().len();
    handle.clear();
    assert_eq!(client.rtp().expect("a packet").nal_type(), 7);
    let after = &handle.sent()[before];
    assert!(after.footage.access_units()[after.index].is_key());
}

#[test]
fn disconnects_at_once_and_after_a_time() {
    let (server, handle, _) = camera();
    let mut client = Client::play(&server, PATH);
    assert!(client.rtp().is_some());
    handle.fault(Fault::Disconnect);
    while client.packet().is_some() {}
    handle.fault(Fault::DisconnectAfter(Duration::from_millis(300)));
    let mut client = Client::play(&server, PATH);
    let units = client.access_units(100);
    assert!((4..=6).contains(&units), "{units}");
    assert_eq!(handle.counters().sessions_opened, 2);
}

#[test]
fn a_blocked_client_is_disconnected_too() {
    let (server, handle, _) = camera();
    handle.fault(Fault::EndlessAccessUnit(20_000_000));
    let mut client = Client::play(&server, PATH);
    assert!(client.rtp().is_some());
    handle.fault(Fault::Disconnect);
    while client.packet().is_some() {}
    assert_eq!(handle.counters().sessions_playing, 0);
}

#[test]
fn garbage_and_corrupt_packets() {
    let (server, handle, _) = camera();
    handle.fault(Fault::GarbageBytes {
        length: 64,
        every: 1,
    });
    let mut client = Client::play(&server, PATH);
    let bytes = client.raw(65);
    assert_eq!(bytes[64], b'$', "64 bytes of garbage, then a packet");
    handle.clear();
    handle.fault(Fault::CorruptNals(3));
    let mut client = Client::play(&server, PATH);
    let forbidden: Vec<bool> = (0..6)
        .map(|_| client.rtp().expect("a packet").0[12] & 0x80 != 0)
        .collect();
    assert_eq!(forbidden.iter().filter(|bit| **bit).count(), 2);
}

/// Timestamps of the first access units.
fn timestamps(client: &mut Client, count: usize) -> Vec<u32> {
    let packets = std::iter::from_fn(|| client.rtp());
    packets
        .filter(|packet| packet.marker())
        .map(|packet| packet.timestamp())
        .take(count)
        .collect()
}

#[test]
fn clock_drift_and_jump() {
    let (server, handle, _) = camera();
    handle.fault(Fault::ClockDrift(100_000));
    let mut client = Client::play(&server, PATH);
    let seen = timestamps(&mut client, 6);
    assert_eq!(seen[5].wrapping_sub(seen[0]), 5 * 6600);
    handle.clear();
    handle.fault(Fault::ClockJump(-10_000));
    let last = seen[5];
    let back = std::iter::from_fn(|| client.rtp())
        .take(200)
        .find(|packet| packet.timestamp().wrapping_sub(last) > 1 << 31);
    assert!(back.is_some());
}

#[test]
fn other_footage_follows_at_a_key_frame_and_back() {
    let (server, handle, own) = camera();
    let mut client = Client::play(&server, PATH);
    assert_eq!(client.access_units(2), 2);
    let other = footage(Kind::Other);
    handle.fault(Fault::SwitchFootage(other.clone()));
    let seen = timestamps(&mut client, 20);
    assert!(
        seen.windows(2)
            .all(|pair| pair[1].wrapping_sub(pair[0]) == 6000),
        "{seen:?}"
    );
    handle.clear();
    assert_eq!(client.access_units(20), 20);
    let sent = handle.sent();
    let of: Vec<usize> = sent
        .iter()
        .map(|entry| usize::from(Arc::ptr_eq(&entry.footage, &other)))
        .collect();
    assert_eq!(of[..15], [0; 15]);
    assert_eq!(of[15..30], [1; 15]);
    assert!(Arc::ptr_eq(&sent[30].footage, &own));
    assert_eq!((sent[15].index, sent[30].index), (0, 0));
}

#[test]
fn statuses_and_redirects() {
    let (server, handle, _) = camera();
    for code in [401, 403, 404, 453, 454, 461, 503] {
        for method in ["DESCRIBE", "SETUP", "PLAY"] {
            handle.clear();
            handle.fault(Fault::Status {
                method: method.into(),
                code,
            });
            let mut client = Client::connect(&server, PATH);
            let described = client.request("DESCRIBE", "").code;
            assert_eq!(described, if method == "DESCRIBE" { code } else { 200 });
            if described == 200 {
                assert_eq!(client.set_up_and_play(), code, "{method}");
            }
        }
    }
    handle.clear();
    handle.fault(Fault::Redirect {
        code: 302,
        location: "rtsp://127.0.0.1:9/other".into(),
    });
    let answer = Client::connect(&server, PATH).request("DESCRIBE", "");
    assert_eq!(answer.code, 302);
    assert!(
        answer
            .head
            .contains("Location: rtsp://127.0.0.1:9/other\r\n")
    );
}

#[test]
fn no_key_frames() {
    let (server, handle, _) = camera();
    handle.fault(Fault::NoKeyFrames);
    let mut client = Client::play(&server, PATH);
    for _ in 0..40 {
        assert_eq!(client.rtp().expect("a packet").nal_type(), 1);
    }
}

#[test]
fn never_answers() {
    let (server, handle, _) = camera();
    handle.fault(Fault::NeverAnswer);
    let mut client = Client::connect(&server, PATH);
    client.send("DESCRIBE", "");
    assert!(client.is_silent_for(Duration::from_millis(300)));
}

#[test]
fn packets_of_a_session_of_the_past() {
    let (server, handle, _) = camera();
    handle.fault(Fault::StaleSession);
    let mut client = Client::play(&server, PATH);
    let first = client.rtp().expect("a packet");
    let second = client.rtp().expect("a packet");
    assert_ne!(first.ssrc(), second.ssrc());
}

#[test]
fn drips() {
    let (server, handle, _) = camera();
    handle.fault(Fault::SlowDrip(200));
    let mut client = Client::connect(&server, PATH);
    client.send("OPTIONS", "");
    let started = std::time::Instant::now();
    assert_eq!(client.raw(50).len(), 50);
    assert!(started.elapsed() >= Duration::from_millis(150));
}

#[test]
fn an_access_unit_that_never_ends() {
    let (server, handle, _) = camera();
    handle.fault(Fault::EndlessAccessUnit(50_000));
    let mut client = Client::play(&server, PATH);
    let first = client.rtp().expect("a packet");
    let mut bytes = 0;
    while bytes < 500_000 {
        let packet = client.rtp().expect("a packet");
        assert!(!packet.marker());
        assert_eq!(packet.timestamp(), first.timestamp());
        bytes += packet.0.len();
    }
}

#[test]
fn power_off_and_on() {
    let (server, handle, _) = camera();
    let mut client = Client::play(&server, PATH);
    server.stop_listening();
    while client.packet().is_some() {}
    assert!(std::net::TcpStream::connect(server.address()).is_err());
    server.resume_listening().expect("listens");
    assert_eq!(Client::play(&server, PATH).access_units(2), 2);
    assert_eq!(handle.counters().sessions_opened, 2);
    server.remove(PATH);
    assert_eq!(
        Client::connect(&server, PATH).request("DESCRIBE", "").code,
        404
    );
}

#[test]
fn a_silent_client_loses_its_session() {
    let server = start();
    let camera = Camera {
        session_timeout: Duration::from_millis(300),
        ..Camera::new(footage(Kind::H264))
    };
    let handle = server.add(
        PATH,
        Camera {
            phase_locked: false,
            ..camera
        },
    );
    let mut client = Client::play(&server, PATH);
    assert!(client.access_units(100) < 10);
    assert_eq!(handle.counters().sessions_playing, 0);
}

#[test]
fn sessions_may_begin_in_the_middle_of_a_group_of_pictures() {
    let server = start();
    let camera = Camera {
        start_at_key_frame: false,
        phase_locked: false,
        ..Camera::new(footage(Kind::H264))
    };
    server.add(PATH, camera);
    let mut client = Client::play(&server, PATH);
    assert_eq!(client.rtp().expect("a packet").nal_type(), 1);
}

#[test]
fn audio_is_announced_and_its_set_up_counted() {
    let server = start();
    let login = Login {
        user: "a".into(),
        password: "b".into(),
        scheme: Scheme::Basic,
    };
    let camera = Camera {
        announce_audio: true,
        login: Some(login),
        ..Camera::new(footage(Kind::H264))
    };
    let handle = server.add(PATH, camera);
    let mut client = Client::connect(&server, PATH);
    assert_eq!(client.request("DESCRIBE", "").code, 401);
    let described = client.request("DESCRIBE", "Authorization: Basic YTpi\r\n");
    assert!(described.body.contains("m=audio"));
    assert_eq!(
        (
            handle.counters().video_setups,
            handle.counters().audio_setups
        ),
        (0, 0)
    );
    let mut audio = Client::connect(&server, &format!("{PATH}/trackID=1"));
    let transport =
        "Authorization: Basic YTpi\r\nTransport: RTP/AVP/TCP;unicast;interleaved=2-3\r\n";
    assert_eq!(audio.request("SETUP", transport).code, 200);
    assert_eq!(
        (
            handle.counters().video_setups,
            handle.counters().audio_setups
        ),
        (0, 1)
    );
}

#[test]
fn sender_reports_tell_the_camera_clock() {
    let server = start();
    let camera = Camera {
        clock_offset_ms: 3_600_000,
        ..Camera::new(footage(Kind::H264))
    };
    let handle = server.add(
        PATH,
        Camera {
            phase_locked: false,
            ..camera
        },
    );
    let mut client = Client::play(&server, PATH);
    let report = std::iter::from_fn(|| client.packet())
        .find(|(channel, _)| *channel == 1)
        .expect("a report")
        .1;
    let ntp_seconds = u64::from(u32::from_be_bytes([
        report[8], report[9], report[10], report[11],
    ]));
    let wall = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("after 1970")
        .as_secs();
    assert!((ntp_seconds - 2_208_988_800).abs_diff(wall + 3600) <= 2);
    let timestamp = u32::from_be_bytes([report[16], report[17], report[18], report[19]]);
    let ahead = timestamp.wrapping_sub(handle.sent()[0].rtp_timestamp);
    assert!(
        ahead < 9000,
        "{ahead} clock units after capture of the first picture"
    );
}
