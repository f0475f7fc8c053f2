//! Holds and shortenings over the API: who places, sees, reviews, extends and releases what; and who is told nothing.

use std::collections::BTreeSet;

use crate::world::World;
use axum::http::StatusCode;
use serde_json::{Value, json};
use sinetti::base::time::Wall;
use sinetti::catalog::{Change, RetentionChange};

fn hold(world: &World, kind: &str, camera: &str) -> Value {
    let at = |secs: i64| world.now().plus_us(secs * 1_000_000).rfc3339();
    json!({
        "kind": kind,
        "cameras": [camera],
        "start": at(-7200),
        "end": at(-6900),
        "matter": "5560/R/1/26",
        "reason": "theft at the till",
    })
}

/// Places one, which must work; its number.
#[track_caller]
fn place(world: &World, kind: &str, cookie: &str) -> u64 {
    let answer = world.post("/api/v1/holds", &hold(world, kind, "kassa-1"), Some(cookie));
    assert_eq!(answer.status, StatusCode::CREATED, "{:?}", answer.json());
    let number = answer.json()["hold"].as_u64().expect("a number");
    let place = answer.headers["location"].to_str().expect("text");
    assert_eq!(place, format!("/api/v1/holds/{number}"));
    number
}

/// Those that are listed, by their number: the clock of this world stands, so they were placed at one time.
fn numbers(world: &World, cookie: &str) -> (BTreeSet<u64>, u64) {
    let found = world.get("/api/v1/holds", Some(cookie)).json();
    let holds = found["holds"].as_array().expect("holds").iter();
    let holds = holds.map(|hold| hold["hold"].as_u64().expect("a number"));
    (holds.collect(), found["secret"].as_u64().expect("a count"))
}

#[test]
fn an_order_is_seen_by_controllers_counted_by_auditors_and_is_nothing_to_others() {
    let world = World::new();
    let [manager, controller, auditor, admin] =
        ["manager", "controller", "auditor", "admin"].map(|name| world.sign_in(name));
    let case = place(&world, "case", &manager);
    let order = place(&world, "preservation-order", &controller);
    assert_eq!(numbers(&world, &manager), ([case].into(), 0));
    assert_eq!(numbers(&world, &controller), ([case, order].into(), 0));
    assert_eq!(numbers(&world, &auditor), ([case].into(), 1));
    let path = format!("/api/v1/holds/{order}");
    for cookie in [&manager, &auditor] {
        let status = world.get(&path, Some(cookie)).status;
        assert_eq!(status, StatusCode::NOT_FOUND);
    }
    assert_eq!(world.get(&path, Some(&controller)).status, StatusCode::OK);

    // The ledger tells that there was an act, and keeps what it was from those who do not handle it.
    let entries = |cookie: &str| {
        let found = world.get("/api/v1/ledger/entries?action=hold-placed", Some(cookie));
        found.json()["entries"].as_array().expect("entries").clone()
    };
    let seen = entries(&auditor);
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0]["facts"], json!({ "hold": order, "secret": true }));
    assert_eq!(
        seen[0]["detail"],
        json!({ "state": "secret", "value": null, "salt": null, "erased": null })
    );
    assert_eq!(seen[1]["detail"]["value"]["reason"], "theft at the till");
    let told = &entries(&controller)[0]["detail"]["value"];
    assert_eq!(told["about"]["kind"], "preservation-order");

    // What health shows to those who may not know of it is as ever.
    let report = |cookie: &str| world.get("/api/v1/retention", Some(cookie)).json();
    assert_eq!(report(&admin)["streams"], report(&manager)["streams"]);
}

#[test]
fn a_manager_places_and_extends_and_a_controller_reviews_and_releases() {
    let world = World::new();
    let [manager, controller] = ["manager", "controller"].map(|name| world.sign_in(name));
    let number = place(&world, "case", &manager);
    let at = |act: &str| format!("/api/v1/holds/{number}/{act}");
    let later = world.now().plus_us(3_600_000_000).rfc3339();
    let more = json!({ "end": later, "reason": "more came to light" });
    let extended = world.post(&at("extension"), &more, Some(&manager));
    assert_eq!(extended.status, StatusCode::OK, "{:?}", extended.json());
    let end = extended.json()["end"]
        .as_str()
        .and_then(Wall::parse_rfc3339);
    assert_eq!(end, Wall::parse_rfc3339(&later));
    let why = json!({ "reason": "sentence given" });
    for act in ["review", "release"] {
        assert_eq!(
            world.post(&at(act), &why, Some(&manager)).word(),
            "wrong-role"
        );
    }
    let note = json!({ "note": "the police has not asked yet" });
    let reviewed = world.post(&at("review"), &note, Some(&controller));
    assert!(
        reviewed.json()["reviewed_by"].is_string(),
        "{:?}",
        reviewed.json()
    );
    let released = world.post(&at("release"), &why, Some(&controller)).json();
    let kept = released["kept_until"]
        .as_str()
        .and_then(Wall::parse_rfc3339);
    assert_eq!(kept, Some(world.now().plus_us(14 * 86_400_000_000)));
    assert_eq!(
        world.post(&at("release"), &why, Some(&controller)).status,
        StatusCode::CONFLICT
    );

    for (kind, camera, status) in [
        ("restriction", "kassa-1", StatusCode::FORBIDDEN),
        ("preservation-order", "kassa-1", StatusCode::FORBIDDEN),
        ("case", "ovi-2", StatusCode::FORBIDDEN),
        ("case", "ullakko-9", StatusCode::UNPROCESSABLE_ENTITY),
        ("whim", "kassa-1", StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        let answer = world.post("/api/v1/holds", &hold(&world, kind, camera), Some(&manager));
        assert_eq!(
            answer.status,
            status,
            "{kind} {camera}: {:?}",
            answer.json()
        );
    }
}

#[test]
fn a_playback_names_the_hold_for_whose_case_it_is_and_none_is_opened_by_an_order() {
    let world = World::new();
    let [manager, controller] = ["manager", "controller"].map(|name| world.sign_in(name));
    let case = place(&world, "case", &manager);
    let order = place(&world, "preservation-order", &controller);
    let restriction = place(&world, "restriction", &controller);
    let open = |hold: u64, cookie: &str| {
        let body = json!({
            "cameras": ["kassa-1"],
            "start": world.now().plus_us(-7_200_000_000).rfc3339(),
            "end": world.now().rfc3339(),
            "purpose": "protection-of-property",
            "hold": hold,
        });
        world.post("/api/v1/playbacks", &body, Some(cookie)).status
    };
    assert_eq!(open(case, &manager), StatusCode::CREATED);
    assert_eq!(open(order, &manager), StatusCode::NOT_FOUND);
    assert_eq!(open(order, &controller), StatusCode::FORBIDDEN);
    assert_eq!(open(restriction, &manager), StatusCode::FORBIDDEN);
    assert_eq!(open(restriction, &controller), StatusCode::CREATED);
    assert_eq!(open(999_999, &controller), StatusCode::NOT_FOUND);
}

#[test]
fn one_person_confirms_a_shortening_once_and_only_the_one_that_there_is() {
    let world = World::new();
    let controller = world.sign_in("controller");
    let asked = RetentionChange::ShorteningAsked {
        camera: "kassa-1".parse().expect("an id"),
        main_keep_s: Some(3600),
        sub_keep_s: None,
        at: world.now(),
    };
    let catalog = &world.app.parts.catalog;
    catalog
        .commit(Change::Retention(asked), None)
        .expect("asked");
    let pending = world.get("/api/v1/retention", Some(&controller)).json()["shortenings"].clone();
    assert_eq!(pending[0]["main_keep_s"], 3600);
    let number = pending[0]["shortening"].as_u64().expect("a number");
    let confirm = |number: u64| {
        let path = format!("/api/v1/retention/shortenings/{number}/confirmation");
        world.post(&path, &json!({}), Some(&controller))
    };
    let first = confirm(number).json();
    assert_eq!(
        first["confirmed_by"].as_array().map(Vec::len),
        Some(1),
        "{first}"
    );
    assert_eq!(first["runs"], Value::Null, "one is not two");
    assert_eq!(confirm(number).status, StatusCode::CONFLICT);
    assert_eq!(confirm(number + 1).status, StatusCode::NOT_FOUND);
}

#[test]
fn coverage_names_the_hold_for_whose_case_it_is_and_an_order_lists_nothing() {
    let world = World::new();
    let [manager, controller] = ["manager", "controller"].map(|name| world.sign_in(name));
    let seen = Change::StreamSeen {
        stream: "kassa-1/main".parse().expect("a stream"),
        at: world.now().plus_us(-7_200_000_000),
    };
    world.catalog.commit(seen, None).expect("a stream");
    let case = place(&world, "case", &manager);
    let order = place(&world, "preservation-order", &controller);
    let restriction = place(&world, "restriction", &controller);
    let ask = |more: &str, cookie: &str| {
        let at = |us: i64| world.now().plus_us(us).rfc3339();
        let (start, end) = (at(-7_200_000_000), at(0));
        let path = format!("/api/v1/cameras/kassa-1/main/coverage?start={start}&end={end}{more}");
        world.get(&path, Some(cookie))
    };
    let of = |hold: u64, cookie: &str| ask(&format!("&hold={hold}"), cookie).status;
    assert_eq!(of(case, &manager), StatusCode::OK);
    assert_eq!(of(order, &manager), StatusCode::NOT_FOUND);
    assert_eq!(of(order, &controller), StatusCode::FORBIDDEN);
    assert_eq!(of(restriction, &manager), StatusCode::FORBIDDEN);
    assert_eq!(of(restriction, &controller), StatusCode::OK);
    assert_eq!(of(999_999, &controller), StatusCode::NOT_FOUND);
    let plain = ask("", &manager).json();
    assert_eq!(plain["withheld"], json!([]));
}
