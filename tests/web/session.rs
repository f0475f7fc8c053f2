//! Signing in and out over the API, and the house rules.

use crate::world::{ON_PREMISES, PASSWORD, World};
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::json;

#[test]
fn a_session_begins_tells_who_one_is_and_ends() {
    let world = World::new();
    let given = json!({ "name": "manager", "password": PASSWORD, "code": world.code("manager") });
    let answer = world.post("/api/v1/session", &given, None);
    let cookie = answer.headers["set-cookie"].to_str().expect("a cookie");
    let (token, rules) = cookie.split_once(';').expect("rules");
    assert_eq!(rules, " Path=/; Secure; HttpOnly; SameSite=Strict");
    assert!(token.starts_with("__Host-sinetti=") && token.len() == 15 + 64);
    let me = world.get("/api/v1/session", Some(token)).json();
    assert_eq!(
        (&me["name"], &me["vault_open"]),
        (&json!("manager"), &json!(true))
    );
    let rights = me["rights"].as_array().expect("rights");
    let playback = rights.iter().find(|r| r["right"] == "playback");
    assert_eq!(
        playback.expect("a manager plays back")["cameras"],
        json!(["kassa-1"])
    );

    let out = Request::builder()
        .method(Method::DELETE)
        .uri("/api/v1/session")
        .header("cookie", token);
    let out = world.call(out.body(Body::empty()).expect("a request"), ON_PREMISES);
    assert_eq!(out.status, StatusCode::NO_CONTENT);
    assert!(
        out.headers["set-cookie"]
            .to_str()
            .expect("text")
            .contains("Max-Age=0")
    );
    assert_eq!(
        world.get("/api/v1/session", Some(token)).status,
        StatusCode::UNAUTHORIZED
    );
}

#[test]
fn a_wrong_name_password_and_code_are_told_in_the_same_words() {
    let world = World::new();
    let code = world.code("manager");
    let tried = |name: &str, password: &str, code: &str| {
        let given = json!({ "name": name, "password": password, "code": code });
        let answer = world.post("/api/v1/session", &given, None);
        // The throttle would tell them apart by how often they were tried.
        world.clock.advance(std::time::Duration::from_secs(3600));
        (answer.status, answer.json())
    };
    let wrong = tried("manager", "toinen salasana 123", &code);
    assert_eq!(wrong.0, StatusCode::UNAUTHORIZED);
    assert_eq!(tried("nobody", PASSWORD, &code), wrong);
    assert_eq!(tried("manager", PASSWORD, "000000"), wrong);
    let shown = wrong.1.to_string();
    assert!(!shown.contains("manager") && !shown.contains(PASSWORD));
}

#[test]
fn a_code_is_good_once() {
    let world = World::new();
    let given = json!({ "name": "auditor", "password": PASSWORD, "code": world.code("auditor") });
    assert_eq!(
        world.post("/api/v1/session", &given, None).status,
        StatusCode::OK
    );
    let again = world.post("/api/v1/session", &given, None);
    assert_eq!(again.status, StatusCode::UNAUTHORIZED);
}

#[test]
fn every_answer_bears_the_security_headers() {
    let world = World::new();
    for path in ["/api/v1/session", "/nothing", "/authority.crt"] {
        let answer = world.get(path, None);
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cache-control", "no-store"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.headers[name], value, "{path}");
        }
        let policy = answer.headers["content-security-policy"]
            .to_str()
            .expect("text");
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"));
        assert!(policy.contains("require-trusted-types-for 'script'"));
    }
}

#[test]
fn what_another_site_makes_a_browser_send_is_refused_whatever_cookies_it_brings() {
    let world = World::new();
    let cookie = world.sign_in("controller");
    let asked = |origin: &str| {
        let request = Request::builder()
            .method(Method::DELETE)
            .uri("/api/v1/session")
            .header("host", "sinetti.internal:8443")
            .header("origin", origin)
            .header("cookie", &cookie);
        world.call(request.body(Body::empty()).expect("a request"), ON_PREMISES)
    };
    let other = asked("https://example.org");
    assert_eq!(
        (other.status, other.word().as_str()),
        (StatusCode::FORBIDDEN, "cross-site")
    );
    assert_eq!(
        asked("https://sinetti.internal:8443").status,
        StatusCode::NO_CONTENT
    );
}

#[test]
fn faults_of_a_body_are_named_by_field_and_large_ones_are_not_read() {
    let world = World::new();
    let cookie = world.sign_in("controller");
    let given = json!({
        "cameras": ["kassa-1", "Ä"], "start": "2026-11-23T00:00:00Z", "end": "2026-11-23T01:00:00Z",
        "purpose": "protection-of-property",
    });
    let answer = world.post("/api/v1/playbacks", &given, Some(&cookie));
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    assert_eq!(answer.json()["errors"][0]["pointer"], "/cameras/1");
    let large = json!({ "purpose": "x".repeat(100_000) });
    let answer = world.post("/api/v1/playbacks", &large, Some(&cookie));
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    let plain = Request::builder()
        .method(Method::POST)
        .uri("/api/v1/playbacks")
        .header("cookie", &cookie)
        .header("content-type", "text/plain");
    let answer = world.call(
        plain.body(Body::from("{}")).expect("a request"),
        ON_PREMISES,
    );
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[test]
fn a_playback_is_opened_for_a_purpose_of_its_cameras_and_is_of_its_session_alone() {
    let world = World::new();
    let (one, other) = (world.sign_in("controller"), world.sign_in("controller"));
    let opening = |cameras: &[&str], purpose: &str| {
        json!({
            "cameras": cameras, "purpose": purpose,
            "start": "2026-11-23T06:30:00Z", "end": "2026-11-23T07:00:00Z",
        })
    };
    let wrong = opening(&["kassa-1", "ovi-2"], "protection-of-property");
    let answer = world.post("/api/v1/playbacks", &wrong, Some(&one));
    assert_eq!(answer.json()["errors"][0]["pointer"], "/cameras/1");
    let right = opening(&["kassa-1"], "protection-of-property");
    let answer = world.post("/api/v1/playbacks", &right, Some(&one));
    assert_eq!(answer.status, StatusCode::CREATED, "{:?}", answer.json());
    let open = answer.json();
    // Midnight of the day before: the group that is under way at a midnight has a time that is not negative.
    assert_eq!(open["origin"], "2026-11-22T00:00:00.000000Z");
    let place = answer.headers["location"]
        .to_str()
        .expect("a place")
        .to_owned();
    assert_eq!(world.get(&place, Some(&one)).status, StatusCode::OK);
    assert_eq!(
        world.get(&place, Some(&other)).status,
        StatusCode::NOT_FOUND
    );
    let groups = world.get(&format!("{place}/kassa-1/main/groups"), Some(&one));
    assert_eq!(groups.json()["groups"], json!([]));
    let elsewhere = world.get(&format!("{place}/ovi-2/main/groups"), Some(&one));
    assert_eq!(elsewhere.status, StatusCode::NOT_FOUND);

    let close = Request::builder()
        .method(Method::DELETE)
        .uri(&place)
        .header("cookie", &one);
    let closed = world.call(close.body(Body::empty()).expect("a request"), ON_PREMISES);
    assert_eq!(closed.status, StatusCode::NO_CONTENT);
    let events = world
        .catalog
        .reader()
        .expect("a reader")
        .events(0, 1000)
        .expect("events");
    let acts: Vec<_> = events
        .iter()
        .filter(|row| row.event.action == "playback")
        .map(|row| (row.event.result.as_str(), row.event.facts.clone()))
        .collect();
    assert_eq!(acts.len(), 2);
    assert_eq!(acts[0].0, "begun");
    assert_eq!(acts[0].1["purpose"], "protection-of-property");
    assert_eq!((acts[1].0, &acts[1].1["delivered"]), ("ok", &json!([])));
}

#[test]
fn whoever_sees_only_their_own_acts_sees_no_others_in_the_ledger() {
    let world = World::new();
    let (auditor, manager) = (world.sign_in("auditor"), world.sign_in("manager"));
    let me = world.get("/api/v1/session", Some(&manager)).json()["person"].clone();
    let entries = |query: &str, cookie: &str| {
        let answer = world.get(&format!("/api/v1/ledger/entries{query}"), Some(cookie));
        answer.json()["entries"]
            .as_array()
            .expect("entries")
            .clone()
    };
    let (all, own) = (entries("", &auditor), entries("", &manager));
    assert!(!own.is_empty() && own.len() < all.len());
    assert!(own.iter().all(|entry| entry["actor"] == me));
    assert_eq!(
        entries("?actor=box", &manager),
        Vec::<serde_json::Value>::new()
    );
    let of_another = all.iter().find(|entry| entry["actor"] != me).expect("one");
    let path = format!("/api/v1/ledger/entries/{}", of_another["seq"]);
    assert_eq!(world.get(&path, Some(&auditor)).status, StatusCode::OK);
    assert_eq!(
        world.get(&path, Some(&manager)).status,
        StatusCode::NOT_FOUND
    );
    let few = world
        .get("/api/v1/ledger/entries?count=3", Some(&auditor))
        .json();
    let next = format!("?count=3&before={}", few["next"]);
    assert_eq!(entries(&next, &auditor)[0], all[3]);
}

#[test]
fn what_is_given_as_a_secret_is_not_repeated_when_it_is_no_text() {
    let world = World::new();
    let given = json!({ "name": "manager", "password": PASSWORD, "code": 123_456 });
    let answer = world.post("/api/v1/session", &given, None);
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(answer.json()["errors"][0]["pointer"], "/code");
    let said = String::from_utf8_lossy(&answer.body).into_owned();
    assert!(!said.contains("123456"), "{said}");
}
