//! Cameras that send the recorder elsewhere, and sessions that must end in the camera too.

use crate::support::{TestBox, assert_unbroken, camera, packets, sent_hashes, server};
use sinetti::catalog::GapCause;
use sinetti_simulator::{Camera, CameraHandle, Fault, Login, Scheme};
use std::time::Duration;

const PASSWORD: &str = "Kettu-juoksee-7";

fn redirect(code: u16, location: &str) -> Fault {
    let location = location.to_owned();
    Fault::Redirect { code, location }
}

fn asking(scheme: Scheme) -> Camera {
    let login = Some(Login {
        user: "sinetti".into(),
        password: PASSWORD.into(),
        scheme,
    });
    Camera {
        login,
        ..camera("till.264")
    }
}

/// All that a camera sent was recorded, from the first picture on.
#[track_caller]
fn assert_recorded(shop: &TestBox, stream: &str, from: &CameraHandle) {
    let coverage = shop.ls(stream).footage.coverage;
    let whole = *coverage.recorded.last().expect("recorded");
    let exported = shop.export(stream, whole, &stream.replace('/', "-"));
    let sent = sent_hashes(&from.sent());
    let first = assert_unbroken(&packets(&exported.clips[0].path), &sent);
    assert_eq!(first, 0, "{stream}: from the first picture on");
}

#[test]
fn a_redirect_to_another_camera_of_the_shop_is_followed() {
    let (mut shop, server) = (TestBox::new(), server());
    let secret = shop.secret("till", &format!("sinetti\n{PASSWORD}\n"));
    let secret = secret.into_os_string().into_string().expect("UTF-8");
    let mut goals = Vec::new();
    // Each asks for the password, and is asked at every hop.
    for (id, scheme) in [("digest", Scheme::Digest), ("basic", Scheme::Basic)] {
        let start = server.add(&format!("/{id}/main"), asking(scheme));
        let hop = server.add(&format!("/{id}/hop"), asking(scheme));
        let goal = server.add(&format!("/{id}/goal"), asking(scheme));
        start.fault(redirect(301, &server.url(&format!("/{id}/hop"))));
        hop.fault(redirect(302, &server.url(&format!("/{id}/goal"))));
        shop.add_camera(id, server.address(), &["--credentials", &secret]);
        goals.push((format!("{id}/main"), start, goal));
    }
    let start = server.add("/open/main", camera("till.264"));
    let goal = server.add("/open/goal", camera("till.264"));
    // By its path alone, as some do.
    start.fault(redirect(302, "/open/goal"));
    shop.add_camera("open", server.address(), &[]);
    goals.push(("open/main".to_owned(), start, goal));
    shop.start();
    shop.wait_for_pictures(&["digest/main", "basic/main", "open/main"], 30);
    let (_, log) = shop.stop();
    shop.check(true);
    assert!(!log.contains(PASSWORD), "{log}");
    for (stream, start, goal) in goals {
        assert_eq!(start.counters().sessions_opened, 0, "{stream}");
        assert_eq!(goal.counters().sessions_opened, 1, "{stream}");
        assert_recorded(&shop, &stream, &goal);
    }
}

/// Where each is sent, and the words of its trouble.
const ASTRAY: [(&str, &str, &str); 5] = [
    (
        "public",
        "rtsp://192.0.2.1/x",
        "192.0.2.1 is a public address",
    ),
    (
        "named",
        "rtsp://camera.example/x",
        "\"camera.example\" is a host name",
    ),
    (
        "other",
        "rtsp://127.0.0.2/x",
        "127.0.0.2 is outside of camera_subnets",
    ),
    (
        "secret",
        "rtsp://sinetti:Kettu-juoksee-7@127.0.0.1/x",
        "an address with a user name in it",
    ),
    ("circle", "/circle/main", "more than 3 times in a row"),
];

#[test]
fn a_redirect_to_anywhere_else_is_refused_and_told() {
    let (mut shop, server) = (TestBox::new(), server());
    shop.edit_config(|text| {
        let subnets = "[network]\ncamera_subnets = [\"127.0.0.1/32\"]\n\n[[volume]]";
        text.replacen("[[volume]]", subnets, 1)
    });
    let cameras = ASTRAY.map(|(id, location, _)| {
        let handle = server.add(&format!("/{id}/main"), camera("till.264"));
        handle.fault(redirect(302, location));
        shop.add_camera(id, server.address(), &[]);
        handle
    });
    let streams = ASTRAY.map(|(id, ..)| format!("{id}/main"));
    shop.start();
    let status = shop.wait("every refusal is told", |status| {
        ASTRAY.iter().zip(&streams).all(|((_, _, words), stream)| {
            let error = status.streams[stream].last_error.as_deref();
            error.is_some_and(|error| error.contains(words))
        })
    });
    let error = status.streams["public/main"].last_error.as_deref();
    let remedy = format!(
        "give its stream's own address in place of {}",
        server.address()
    );
    assert!(
        error.is_some_and(|error| error.contains(&remedy)),
        "{error:?}"
    );
    for handle in &cameras {
        handle.clear();
    }
    shop.wait_for_pictures(&streams.each_ref().map(String::as_str), 15);
    let (_, log) = shop.stop();
    assert!(!log.contains(PASSWORD), "{log}");
    for ((_, _, words), stream) in ASTRAY.iter().zip(&streams) {
        let gaps = shop.ls(stream).footage.coverage.gaps;
        let told = gaps.iter().any(|gap| {
            let detail = gap.detail.as_deref().unwrap_or_default();
            gap.cause == GapCause::Refused && detail.contains(words)
        });
        assert!(told, "{stream}: {gaps:?}");
    }
}

#[test]
fn sessions_end_in_the_camera_too_before_the_next_begins_and_when_the_recorder_stops() {
    let (mut shop, server) = (TestBox::new(), server());
    let add = |id: &str, transport: &str| {
        let lasting = Camera {
            outlives_connection: true,
            session_timeout: Duration::from_secs(600),
            ..camera("till.264")
        };
        let handle = server.add(&format!("/{id}/main"), lasting);
        shop.add_camera(id, server.address(), &["--transport", transport]);
        handle
    };
    let (udp, tcp) = (add("udp", "udp"), add("tcp", "tcp"));
    shop.start();
    shop.wait_for_pictures(&["udp/main", "tcp/main"], 30);
    // The connection breaks, the session over UDP goes on sending.
    for handle in [&udp, &tcp] {
        handle.fault(Fault::Disconnect);
    }
    let before = ["udp/main", "tcp/main"].map(|stream| shop.line(stream).units);
    shop.wait_for_pictures(&["udp/main"], before[0] + 45);
    shop.wait_for_pictures(&["tcp/main"], before[1] + 45);
    let counters = udp.counters();
    assert_eq!(
        (
            counters.sessions_opened,
            counters.sessions_at_once,
            counters.teardowns
        ),
        (2, 1, 1),
        "the old session ended before the new one began"
    );
    assert_eq!(udp.counters().sessions_playing, 1);
    shop.stop();
    for (name, handle, teardowns) in [("udp", &udp, 2), ("tcp", &tcp, 0)] {
        let counters = handle.counters();
        assert_eq!(counters.sessions_playing, 0, "{name}: nothing is left");
        assert_eq!(counters.teardowns, teardowns, "{name}");
        // Nothing of the old session is in the new one's footage, and nothing was left out as odd.
        let footage = shop.ls(&format!("{name}/main")).footage;
        assert_eq!(footage.coverage.recorded.len(), 2, "{name}");
        let odd: u32 = footage.segments.iter().map(|row| row.corrupt_units).sum();
        assert_eq!(odd, 0, "{name}");
        let sent = sent_hashes(&handle.sent());
        let of_second: Vec<_> = sent.into_iter().filter(|(_, it)| it.session == 2).collect();
        let whole = footage.coverage.recorded[1];
        let exported = shop.export(&format!("{name}/main"), whole, name);
        let first = assert_unbroken(&packets(&exported.clips[0].path), &of_second);
        assert_eq!(first, 0, "{name}");
    }
    shop.check(true);
}

#[test]
fn a_camera_that_cannot_end_a_session_is_connected_again_all_the_same() {
    let (mut shop, server) = (TestBox::new(), server());
    let handle = server.add("/till/main", camera("till.264"));
    shop.add_camera("till", server.address(), &["--transport", "udp"]);
    handle.fault(Fault::Status {
        method: "TEARDOWN".to_owned(),
        code: 501,
    });
    shop.start();
    shop.wait_for_pictures(&["till/main"], 30);
    handle.fault(Fault::Disconnect);
    let before = shop.line("till/main").units;
    shop.wait_for_pictures(&["till/main"], before + 30);
    let counters = handle.counters();
    assert_eq!((counters.sessions_opened, counters.teardowns), (2, 0));
    shop.stop();
    shop.check(true);
    let coverage = shop.ls("till/main").footage.coverage;
    let gap = coverage
        .gaps
        .iter()
        .find(|gap| gap.cause == GapCause::CameraClosed);
    let gap = gap.unwrap_or_else(|| panic!("{coverage:?}"));
    assert!(gap.span.us() < 16_000_000, "not until it expires: {gap:?}");
}
