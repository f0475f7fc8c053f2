//! Disclosures over the API: what is missing is named, nobody decides for themselves, and nothing is changed once it is asked for.

use crate::police_request::police_request;
use crate::world::{PASSWORD, World};
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use sinetti::access::people::PeopleAct;
use sinetti::base::id::{DisclosureId, HoldId};
use sinetti::base::time::Span;
use sinetti::catalog::{
    Asked, DISCLOSURE_REQUESTED, DisclosureCamera, DisclosureChange, Event, NewRequest, Serial,
};

pub(crate) const ALL: &str = "/api/v1/disclosures";

pub(crate) fn form(world: &World) -> Value {
    let at = |secs: i64| world.now().plus_us(secs * 1_000_000).rfc3339();
    police_request(&at(-600), &["kassa-1"], (&at(-7200), &at(-6900)))
}

fn send(world: &World, method: Method, path: &str, body: &Value, cookie: &str) -> StatusCode {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", "application/json")
        .header("cookie", cookie)
        .body(Body::from(body.to_string()))
        .expect("a request");
    world.call(request, crate::world::ON_PREMISES).status
}

/// A draft; its number.
#[track_caller]
pub(crate) fn draft(world: &World, form: &Value, cookie: &str) -> u32 {
    let new = json!({ "kind": "authority-request", "form": form });
    let answer = world.post(ALL, &new, Some(cookie));
    assert_eq!(answer.status, StatusCode::CREATED, "{:?}", answer.json());
    let number = answer.json()["disclosure"].as_u64().expect("a number");
    u32::try_from(number).expect("eight digits")
}

/// A draft that is asked for, as if there were footage; its number.
pub(crate) fn asked(world: &World, kind: &str, cookie: &str) -> u32 {
    let form = form(world);
    let new = json!({ "kind": kind, "form": form });
    let answer = world.post(ALL, &new, Some(cookie)).json();
    let number = answer["disclosure"].as_u64().expect("a number");
    let number = u32::try_from(number).expect("eight digits");
    let span = |more: i64| Span {
        start: world.now().plus_us((-7200 - more) * 1_000_000),
        end: world.now().plus_us((-6900 + more) * 1_000_000),
    };
    let reader = world.catalog.reader().expect("a reader");
    let serial: Serial = reader.next_serial(2026).expect("a number");
    let new = NewRequest {
        disclosure: DisclosureId(number),
        version: 1,
        form,
        secret: false,
        asked: Asked {
            serial,
            at: world.now(),
            due: None,
            hold: HoldId(123_456),
            basis: "police-request".to_owned(),
            purpose: "crime-investigation".to_owned(),
            recipient: "helsingin poliisilaitos".to_owned(),
            approvers: 1,
            cameras: vec![DisclosureCamera {
                camera: "kassa-1".parse().expect("an id"),
                name: "Kassa 1".to_owned(),
                asked: span(0),
                given: span(2),
                gaps: Vec::new(),
            }],
        },
        by: answer["asked_by"].as_str().expect("a person").to_owned(),
        detail: json!({}),
    };
    let event = Event {
        actor: new.by.clone(),
        ..Event::of_box(
            world.now(),
            DISCLOSURE_REQUESTED,
            format!("disclosure {number}"),
            json!({ "serial": serial }),
        )
    };
    let change = DisclosureChange::Requested(Box::new(new));
    world.catalog.commit(change, event).expect("asked for");
    number
}

fn pointers(answer: &Value) -> Vec<&str> {
    let errors = answer["errors"].as_array().expect("errors").iter();
    errors.filter_map(|e| e["pointer"].as_str()).collect()
}

#[test]
fn every_missing_field_is_named_and_what_is_not_there_is_not_asked_for() {
    let world = World::new();
    let manager = world.sign_in("manager");
    let number = draft(&world, &json!({}), &manager);
    let request = |version: u32| {
        let path = format!("{ALL}/{number}/request");
        world.post(&path, &json!({ "version": version }), Some(&manager))
    };
    let answer = request(1);
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let want = [
        "received",
        "channel",
        "organisation",
        "person",
        "rank",
        "unit",
        "contact",
        "verified_how",
        "case_number",
        "necessity",
        "basis",
        "purpose",
        "recipient",
        "cameras",
        "start",
        "end",
    ]
    .map(|field| format!("/form/{field}"));
    assert_eq!(pointers(&answer.json()), want);
    let path = format!("{ALL}/{number}");
    let save = |version: u32, form: &Value| {
        let body = json!({ "version": version, "kind": "authority-request", "form": form });
        send(&world, Method::PUT, &path, &body, &manager)
    };
    assert_eq!(save(1, &form(&world)), StatusCode::OK);
    assert_eq!(
        save(1, &form(&world)),
        StatusCode::CONFLICT,
        "saved elsewhere"
    );
    let mut unfit = form(&world);
    unfit["person"] = "131052-308T".into();
    assert_eq!(save(2, &unfit), StatusCode::UNPROCESSABLE_ENTITY);
    let mut other = form(&world);
    other["cameras"] = json!(["ovi-2"]);
    assert_eq!(save(2, &other), StatusCode::OK);
    assert_eq!(
        request(3).status,
        StatusCode::FORBIDDEN,
        "not one's own camera"
    );
    assert_eq!(save(3, &form(&world)), StatusCode::OK);
    let nothing = request(4);
    assert_eq!(
        pointers(&nothing.json()),
        ["/form/cameras"],
        "nothing is recorded"
    );
    // Nobody else sees a draft, and whoever made it can throw it away.
    let controller = world.sign_in("controller");
    assert_eq!(
        world.get(&path, Some(&controller)).status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(world.get(&path, Some(&manager)).status, StatusCode::OK);
    let gone = send(&world, Method::DELETE, &path, &json!({}), &manager);
    assert_eq!(gone, StatusCode::NO_CONTENT);
}

#[test]
fn what_was_asked_for_is_changed_by_nobody_and_approved_by_another() {
    let world = World::new();
    let [controller, auditor] = ["controller", "auditor"].map(|name| world.sign_in(name));
    let manager = world.sign_in("manager");
    let number = asked(&world, "authority-request", &manager);
    let path = format!("{ALL}/{number}");
    // Neither cameras nor interval can be made others, whatever is sent.
    let mut wider = form(&world);
    wider["cameras"] = json!(["kassa-1", "ovi-2"]);
    let body = json!({ "version": 1, "kind": "authority-request", "form": wider });
    for cookie in [&manager, &controller] {
        let status = send(&world, Method::PUT, &path, &body, cookie);
        assert!(
            matches!(status, StatusCode::CONFLICT | StatusCode::NOT_FOUND),
            "{status}"
        );
    }
    let approval = format!("{path}/approval");
    let mut said = json!({ "decision": "approve", "reason": "teko näkyy kuvassa" });
    said["cameras"] = json!(["ovi-2"]);
    let more = world.post(&approval, &said, Some(&controller));
    assert_eq!(more.status, StatusCode::UNPROCESSABLE_ENTITY);
    said.as_object_mut().expect("an object").remove("cameras");
    assert_eq!(
        world.post(&approval, &said, Some(&manager)).word(),
        "wrong-role"
    );
    assert_eq!(
        world.post(&approval, &said, Some(&auditor)).word(),
        "wrong-role"
    );
    let approved = world.post(&approval, &said, Some(&controller));
    assert_eq!(approved.status, StatusCode::OK, "{:?}", approved.json());
    assert_eq!(approved.json()["state"], "approved");
    assert_eq!(approved.json()["cameras"][0]["camera"], "kassa-1");
    assert!(approved.json()["frozen"]["basis"]["texts"]["fi"].is_string());

    // A controller who asks does not decide.
    let own = asked(&world, "authority-request", &controller);
    let answer = world.post(&format!("{ALL}/{own}/approval"), &said, Some(&controller));
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{:?}", answer.json());

    let found = world.get(ALL, Some(&auditor)).json();
    assert_eq!(
        (&found["found"], &found["searched"]),
        (&json!(2), &json!(2))
    );
    assert_eq!(found["chain"]["intact"], true, "{}", found["chain"]);
    let one = world.get(
        &format!("{ALL}?camera=kassa-1&state=approved&recipient=POLIISI"),
        Some(&auditor),
    );
    assert_eq!(one.json()["disclosures"][0]["serial"], "2026-0001");
    assert_eq!(one.json()["searched"], 2);
    let mark = json!({ "remark": "perusteltu" });
    let marked = world.post(&format!("{path}/review"), &mark, Some(&auditor));
    assert_eq!(marked.json()["reviews"][0]["remark"], "perusteltu");
    let refused = world.post(&format!("{path}/review"), &mark, Some(&controller));
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let own = world.get(ALL, Some(&manager)).json();
    assert_eq!(own["found"], 1, "a manager sees what is theirs");
}

#[test]
fn a_second_person_approves_at_the_same_workstation_and_gets_no_session() {
    let world = World::new();
    let manager = world.sign_in("manager");
    let path = format!("{ALL}/{}/approval/here", asked(&world, "seizure", &manager));
    let sessions = world.access.session_count();
    let decide = |name: &str, password: &str, code: &str| {
        let said = json!({
            "decision": "approve", "reason": "pyydetty", "name": name, "password": password, "code": code,
        });
        world.post(&path, &said, Some(&manager))
    };
    let code = world.code("controller");
    assert_eq!(decide("controller", "wrong", &code).word(), "wrong");
    assert_eq!(decide("nobody", PASSWORD, &code).word(), "wrong");
    let own = decide("manager", PASSWORD, &world.code("manager"));
    assert_eq!(
        own.word(),
        "wrong-role",
        "who asked has no right to approve"
    );
    assert_eq!(
        decide("auditor", PASSWORD, &world.code("auditor")).word(),
        "wrong-role"
    );
    let code = world.code("controller");
    let approved = decide("controller", PASSWORD, &code);
    assert_eq!(
        approved.json()["state"],
        "approved",
        "{:?}",
        approved.json()
    );
    assert_eq!(
        decide("controller", PASSWORD, &code).word(),
        "wrong",
        "a code once"
    );
    assert_eq!(world.access.session_count(), sessions);
    let steps = approved.json()["steps"].clone();
    assert_eq!(steps[2]["by_name"], "controller");
    // Failures make it wait, as those of a sign-in do.
    let words: Vec<String> = (0..4)
        .map(|_| decide("controller", "wrong", "000000").word())
        .collect();
    assert!(words.contains(&"wait".to_owned()), "{words:?}");
}

#[test]
fn an_approver_who_is_gone_stops_the_hand_over() {
    let world = World::new();
    let [manager, controller] = ["manager", "controller"].map(|name| world.sign_in(name));
    let number = asked(&world, "viewing", &manager);
    let path = |act: &str| format!("{ALL}/{number}/{act}");
    let shown = json!({ "to": "konstaapeli", "identity": "virkamerkki", "medium": "näytöltä" });
    let early = world.post(&path("hand-over"), &shown, Some(&manager));
    assert_eq!(early.status, StatusCode::FORBIDDEN, "not approved");
    let said = json!({ "decision": "approve", "reason": "pyydetty" });
    assert_eq!(
        world
            .post(&path("approval"), &said, Some(&controller))
            .status,
        StatusCode::OK
    );
    world.change(&PeopleAct::Revoke {
        name: "controller".to_owned(),
        role: None,
    });
    world.access.catch_up().expect("caught up");
    let refused = world.post(&path("hand-over"), &shown, Some(&manager));
    assert_eq!(
        refused.status,
        StatusCode::FORBIDDEN,
        "{:?}",
        refused.json()
    );
    let seen = world.get(&format!("{ALL}/{number}"), Some(&manager)).json();
    assert_eq!(
        (&seen["state"], &seen["approved_by"]),
        (&json!("approved"), &json!(0))
    );
}

#[test]
fn what_can_be_chosen_is_told_in_three_languages() {
    let world = World::new();
    let auditor = world.sign_in("auditor");
    let found = world.get("/api/v1/catalogue", Some(&auditor)).json();
    let bases = found["bases"].as_array().expect("bases");
    let police = bases
        .iter()
        .find(|b| b["code"] == "police-request")
        .expect("it is there");
    for (language, word) in [
        ("fi", "poliisilaki"),
        ("sv", "polislagen"),
        ("en", "Police Act"),
    ] {
        assert!(
            police["texts"][language]
                .as_str()
                .expect("text")
                .contains(word)
        );
        assert!(found["note"][language].is_string());
    }
    assert_eq!(found["kinds"].as_array().map(Vec::len), Some(8));
}

#[test]
fn papers_are_for_who_may_know_of_the_record_and_the_ledger_says_who_took_the_register() {
    let world = World::new();
    let [manager, auditor] = ["manager", "auditor"].map(|name| world.sign_in(name));
    let number = asked(&world, "viewing", &manager);
    let handover = format!("{ALL}/{number}/handover.pdf");
    for (path, cookie) in [
        (&handover, &manager),
        (&handover, &auditor),
        (&format!("{handover}?language=sv"), &auditor),
        (&format!("{ALL}.pdf?camera=kassa-1"), &auditor),
    ] {
        let answer = world.get(path, Some(cookie));
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert!(answer.body.starts_with(b"%PDF-"), "{path}");
    }
    let wrong = world.get(&format!("{handover}?language=de"), Some(&auditor));
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let draft = draft(&world, &form(&world), &manager);
    let none = world.get(&format!("{ALL}/{draft}/handover.pdf"), Some(&manager));
    assert_eq!(
        none.status,
        StatusCode::CONFLICT,
        "there is no paper of a draft"
    );
    let hidden = world.get(&format!("{ALL}/{draft}/handover.pdf"), Some(&auditor));
    assert_eq!(hidden.status, StatusCode::NOT_FOUND);

    let csv = |cookie: &str| {
        let answer = world.get(&format!("{ALL}.csv"), Some(cookie));
        assert_eq!(answer.status, StatusCode::OK);
        String::from_utf8(answer.body).expect("UTF-8")
    };
    let lines = csv(&auditor);
    assert!(lines.starts_with('\u{feff}'), "{lines}");
    assert_eq!(lines.matches("\r\n").count(), 2, "no draft in it: {lines}");
    assert!(
        lines.contains("\"2026-0001\"") && lines.contains("\"kassa-1\""),
        "{lines}"
    );
    let controller = world.sign_in("controller");
    asked(&world, "authority-request", &controller);
    assert_eq!(csv(&auditor).matches("\r\n").count(), 3);
    assert_eq!(csv(&manager).matches("\r\n").count(), 2, "what is theirs");
    let row = world.catalog.reader().expect("a reader");
    let row = row.last_of(&["register-exported"]).expect("read");
    assert_eq!(row.expect("an entry").entry.facts["lines"], 1);
}
