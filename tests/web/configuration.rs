//! Cameras of the configuration over the API: what a form is told when it is refused; and what the notice says of times that are asked
//! for and not in force.

use crate::world::{CONFIG, ON_PREMISES, World};
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use sinetti::catalog::Change;
use std::collections::BTreeMap;

const KASSA: &str = "/api/v1/configuration/cameras/kassa-1";

/// Changes a camera as the administrator does; the status, and what is wrong by field.
fn change(world: &World, cookie: &str, body: &Value) -> (StatusCode, BTreeMap<String, String>) {
    let request = Request::builder()
        .method(Method::PATCH)
        .uri(KASSA)
        .header("content-type", "application/json")
        .header("cookie", cookie)
        .body(Body::from(body.to_string()))
        .expect("a request");
    let answer = world.call(request, ON_PREMISES);
    if answer.body.is_empty() {
        return (answer.status, BTreeMap::new());
    }
    let problem = answer.json();
    let errors = problem["errors"].as_array().expect("errors").iter();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let errors = errors.map(|error| (text(&error["pointer"]), text(&error["detail"])));
    (answer.status, errors.collect())
}

#[test]
fn a_longer_time_is_refused_by_the_field_of_each_sentence_that_is_missing() {
    let world = World::new();
    let file = world.app.parts.dir.join("sinetti.toml");
    std::fs::write(&file, CONFIG).expect("written");
    let admin = world.sign_in("admin");
    let lacks = |body: &Value| {
        let (status, errors) = change(&world, &admin, body);
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{errors:?}");
        errors.into_keys().collect::<Vec<_>>()
    };
    assert_eq!(lacks(&json!({ "keep": "14 d" })), ["/justification"]);
    assert_eq!(
        lacks(&json!({ "keep": "400 d", "justification": "thefts come to light late" })),
        ["/documented_in", "/special_reason"]
    );
    assert_eq!(
        lacks(&json!({ "keep": "14 d", "justification": "x".repeat(501) }))[0],
        "/justification"
    );
    let whole = json!({
        "keep": "400 d",
        "justification": "thefts come to light late",
        "special_reason": "a case is open",
        "documented_in": "the register of processing, 4.2",
    });
    assert_eq!(change(&world, &admin, &whole).0, StatusCode::NO_CONTENT);
    let text = std::fs::read_to_string(&file).expect("read");
    assert!(
        text.contains("special_reason = \"a case is open\""),
        "{text}"
    );

    // The ledger has the reason, as it was given.
    let auditor = world.sign_in("auditor");
    let path = "/api/v1/ledger/entries?action=camera-changed";
    let found = world.get(path, Some(&auditor)).json();
    let entries = found["entries"].as_array().expect("entries").iter();
    // The act and its outcome; the act bears what was asked for.
    let told = entries.map(|entry| &entry["detail"]["value"]["change"]["justification"]);
    let told: Vec<_> = told.filter_map(Value::as_str).collect();
    assert_eq!(told, ["thefts come to light late"], "{found}");
}

#[test]
fn the_notice_says_what_is_in_force_and_what_waits() {
    let world = World::new();
    let area = |world: &World| {
        let notice = world.get("/api/v1/notice", None).json();
        let area = notice["areas"][0].clone();
        (area["keep_s"].clone(), area["pending_keep_s"].clone())
    };
    // Without a justification 72 hours are configured; nothing was recorded so far.
    assert_eq!(area(&world), (json!(72 * 3600), Value::Null));
    for (kind, keep_s) in [("main", 14 * 86_400), ("sub", 3600)] {
        let stream: sinetti::base::id::StreamId =
            format!("kassa-1/{kind}").parse().expect("a stream");
        let at = world.now();
        let seen = Change::StreamSeen {
            stream: stream.clone(),
            at,
        };
        let keep = Change::KeepSet { stream, keep_s, at };
        let catalog = &world.app.parts.catalog;
        catalog.commit(vec![seen, keep], None).expect("kept");
    }
    assert_eq!(area(&world), (json!(14 * 86_400), json!(72 * 3600)));
}
