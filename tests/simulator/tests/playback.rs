//! ffprobe, which knows nothing of this crate, reads cameras of each kind over each transport.

mod common;

use common::{Kind, capture, footage, probe, start};
use sinetti_simulator::{Camera, Login, Scheme};
use std::time::Duration;

#[test]
fn h264_over_tcp() {
    common::reads_all(Kind::H264, "tcp");
}

#[test]
fn h264_over_udp() {
    common::reads_all(Kind::H264, "udp");
}

#[test]
fn h265_over_tcp() {
    common::reads_all(Kind::H265, "tcp");
}

#[test]
fn h265_over_udp() {
    common::reads_all(Kind::H265, "udp");
}

#[test]
fn reordered_pictures_bear_their_presentation_times() {
    let server = start();
    let footage = footage(Kind::Reordered);
    let reordered = footage
        .access_units()
        .iter()
        .any(|unit| unit.presentation() != unit.decode());
    assert!(reordered, "the clip has B-frames");
    let camera = Camera {
        phase_locked: false,
        ..Camera::new(footage.clone())
    };
    let handle = server.add("/till/main", camera);
    let packets = capture(&server.url("/till/main"), "tcp", 40);
    let sent = handle.sent();
    assert_eq!(packets.len(), 40);
    let count = footage.access_units().len();
    let presented =
        |at: usize| at / count * count + footage.access_units()[at % count].presentation();
    for (at, pair) in packets.windows(2).enumerate().skip(1) {
        let expected = (presented(at + 1) as f64 - presented(at) as f64) / 15.0;
        let passed = pair[1] - pair[0];
        assert!(
            (passed - expected).abs() < 1e-3,
            "access unit {at}: {passed} instead of {expected}"
        );
    }
    assert_eq!(sent[0].index, 0);
}

#[test]
fn wants_user_and_password() {
    for scheme in [Scheme::Digest, Scheme::Basic] {
        let server = start();
        let login = Login {
            user: "till".into(),
            password: "correct horse".into(),
            scheme,
        };
        let camera = Camera {
            login: Some(login),
            ..Camera::new(footage(Kind::H264))
        };
        let handle = server.add("/till/main", camera);
        let url = |password: &str| format!("rtsp://till:{password}@{}/till/main", server.address());
        let wrong = probe(&url("wrong"), "tcp");
        assert!(!wrong.status.success());
        assert!(
            String::from_utf8_lossy(&wrong.stderr).contains("401"),
            "{wrong:?}"
        );
        assert_eq!(handle.counters().sessions_opened, 0);
        assert!(handle.counters().unauthorized > 0);
        let right = probe(&url("correct%20horse"), "tcp");
        assert!(right.status.success(), "{right:?}");
    }
}

#[test]
fn phase_locked_cameras_send_a_frame_when_its_time_has_come() {
    let server = start();
    let handle = server.add("/till/main", Camera::new(footage(Kind::H264)));
    capture(&server.url("/till/main"), "tcp", 20);
    let sent = handle.sent();
    let first = &sent[0];
    assert!(first.footage.access_units()[first.index].is_key());
    for entry in &sent {
        let frames =
            entry.loop_number * entry.footage.access_units().len() as u64 + entry.index as u64;
        let captured = std::time::UNIX_EPOCH
            + Duration::from_millis(frames / 15 * 1000 + frames % 15 * 1000 / 15);
        entry
            .wall
            .duration_since(captured)
            .expect("not before it was captured");
    }
}

#[test]
fn sixty_four_cameras() {
    let server = start();
    let shared = footage(Kind::H264);
    let handles: Vec<_> = (0..64)
        .map(|number| {
            server.add(
                &format!("/box-{number}/main"),
                Camera {
                    phase_locked: false,
                    ..Camera::new(shared.clone())
                },
            )
        })
        .collect();
    let clients: Vec<_> = (0..64)
        .map(|number| common::Client::play(&server, &format!("/box-{number}/main")))
        .collect();
    for mut client in clients {
        assert_eq!(client.access_units(20), 20);
    }
    for handle in handles {
        assert!(handle.counters().access_units >= 20);
        assert_eq!(handle.counters().access_units_dropped, 0);
    }
}
