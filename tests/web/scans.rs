//! The scan of a written request: taken in, sealed, given to who may know of the record, and fixed by the first decision.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use crate::disclosures::{ALL, asked, draft, form};
use crate::world::{Answer, ON_PREMISES, World};

const TEXT: &[u8] = b"Pyydetaan tallenne, 5560/R/1234/26";

fn pdf() -> Vec<u8> {
    [b"%PDF-1.7\n", TEXT, &[b' '; 70_000], b"\n%%EOF\n"].concat()
}

fn call(world: &World, method: Method, path: &str, body: Vec<u8>, cookie: &str) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", "application/octet-stream")
        .header("cookie", cookie)
        .body(Body::from(body))
        .expect("a request");
    world.call(request, ON_PREMISES)
}

fn put(world: &World, path: &str, body: Vec<u8>, cookie: &str) -> Answer {
    call(world, Method::PUT, path, body, cookie)
}

/// Files of the box that have the words of the scan in them.
fn in_the_clear(world: &World) -> usize {
    let files = std::fs::read_dir(world.dir.path()).expect("the state folder");
    let bytes = files.filter_map(|file| std::fs::read(file.expect("a file").path()).ok());
    bytes
        .filter(|bytes| bytes.windows(TEXT.len()).any(|w| w == TEXT))
        .count()
}

#[test]
fn a_scan_lies_sealed_and_is_read_by_who_may_know_of_the_record() {
    let world = World::new();
    let [manager, controller, auditor] =
        ["manager", "controller", "auditor"].map(|name| world.sign_in(name));
    let number = draft(&world, &form(&world), &manager);
    let path = format!("{ALL}/{number}/scan");
    let given = put(&world, &path, pdf(), &manager);
    assert_eq!(given.status, StatusCode::OK, "{:?}", given.json());
    let hash = given.json()["sha256"].clone();
    assert_eq!(given.json()["kind"], "pdf");
    assert_eq!(in_the_clear(&world), 0);
    let record = |cookie: &str| world.get(&format!("{ALL}/{number}"), Some(cookie)).json();
    assert_eq!(record(&manager)["scan"]["sha256"], hash);

    // What it is its first bytes say, whatever it is called.
    for other in [&b"<html>"[..], b"GIF89a", b""] {
        let refused = put(&world, &path, other.to_vec(), &manager);
        assert_eq!(refused.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    let mut large = pdf();
    large.resize((10 << 20) + 1, 0);
    let refused = put(&world, &path, large, &manager);
    assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
    // A draft is nobody else's.
    for method in [Method::PUT, Method::GET, Method::DELETE] {
        let other = call(&world, method.clone(), &path, pdf(), &controller);
        assert_eq!(other.status, StatusCode::NOT_FOUND, "{method}");
        let blind = call(&world, method, &path, pdf(), &auditor);
        assert_eq!(blind.word(), "wrong-role");
    }

    let read = world.get(&path, Some(&manager));
    assert_eq!((read.status, &read.body), (StatusCode::OK, &pdf()));
    let header = |name: &str| read.headers[name].to_str().expect("text").to_owned();
    assert_eq!(header("content-type"), "application/pdf");
    assert_eq!(
        header("content-disposition"),
        "attachment; filename=\"draft_request.pdf\""
    );
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(
        header("content-security-policy"),
        "default-src 'none'; sandbox"
    );
    let last = world.catalog.reader().expect("a reader");
    let last = last.last_of(&["disclosure-scan-read"]).expect("read");
    assert_eq!(last.expect("an entry").entry.facts["scan"]["sha256"], hash);

    let gone = call(&world, Method::DELETE, &path, Vec::new(), &manager);
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    assert_eq!(record(&manager)["scan"], Value::Null);
    assert_eq!(
        world.get(&path, Some(&manager)).status,
        StatusCode::NOT_FOUND
    );
}

#[test]
fn what_was_decided_on_is_what_lies_there() {
    let world = World::new();
    let [manager, controller] = ["manager", "controller"].map(|name| world.sign_in(name));
    let number = asked(&world, "authority-request", &manager);
    let path = format!("{ALL}/{number}/scan");
    let png = b"\x89PNG\r\n\x1a\n and more".to_vec();
    assert_eq!(put(&world, &path, pdf(), &manager).status, StatusCode::OK);
    let other = put(&world, &path, png.clone(), &controller);
    assert_eq!(other.json()["kind"], "png", "in the place of the first");
    let said = json!({ "decision": "approve", "reason": "pyyntö on yksilöity" });
    let approval = format!("{ALL}/{number}/approval");
    let approved = world.post(&approval, &said, Some(&controller));
    assert_eq!(approved.status, StatusCode::OK, "{:?}", approved.json());
    let late = put(&world, &path, pdf(), &manager);
    assert_eq!(late.status, StatusCode::CONFLICT, "{:?}", late.json());
    let late = call(&world, Method::DELETE, &path, Vec::new(), &manager);
    assert_eq!(late.status, StatusCode::CONFLICT);
    for cookie in [&manager, &controller] {
        let read = world.get(&path, Some(cookie));
        assert_eq!(read.body, png);
        assert_eq!(
            read.headers["content-disposition"],
            "attachment; filename=\"2026-0001_request.png\""
        );
    }
}
