//! Deletion certificates, from the command line and over the API: what was deleted, checked offline by the command.

use crate::support::{TestBox, ran};
use serde_json::{Value, json};
use sinetti::base::time::Wall;
use sinetti::catalog::{Catalog, Event};
use sinetti::store::state::State;
use std::fs;
use std::path::Path;

/// 2025-11-01T10:00:00Z.
const T0: Wall = Wall::from_secs(1_761_991_200);
const FROM: &str = "2025-11-01T00:00:00Z";
const TO: &str = "2025-11-02T00:00:00Z";

/// A box that has swept once an hour for ten hours.
fn swept() -> TestBox {
    let shop = TestBox::new();
    let state = State::open(&shop.dir).expect("the state folder");
    let catalog = Catalog::open_signing(&state.catalog_path(), state.box_id, state.signer());
    let catalog = catalog.expect("the catalog");
    for n in 0..10 {
        let at = T0.plus_us(n * 3_600_000_000);
        let (from, to) = (at.us() - 7_200_000_000, at.us() - 3_600_000_000);
        let facts = json!({
            "sweep": n + 1, "segments": 60, "bytes": 6000, "failures": 0, "root": "00".repeat(32),
            "deleted": { "expired": [["kassa-1/main", from, to, 60, 6000]] },
        });
        let event = Event::of_box(at, "sweep", "retention", facts);
        catalog.commit(Vec::new(), event).expect("written");
    }
    catalog.close().expect("closed");
    shop
}

fn verify(shop: &TestBox, file: &Path, more: &[&str]) -> crate::support::Ran {
    let mut command = shop.command(&["retention", "verify", "--json"]);
    // On any machine: there is no box.
    command.env("SINETTI_DIR", "/nowhere");
    ran(command.arg(file).args(more))
}

fn of(ran: crate::support::Ran) -> (u64, u64, u64) {
    let said: Value = serde_json::from_str(&ran.ok()).expect("JSON");
    let number = |name: &str| said[name].as_u64().expect("a number");
    (
        number("sweeps"),
        number("segments"),
        number("missing_sweeps"),
    )
}

#[test]
fn a_certificate_is_made_at_the_console_and_over_the_api_and_checked_without_the_box() {
    let mut shop = swept();
    let pdf = shop.path("poistot.pdf");
    let make = |more: &[&str]| {
        let mut command = shop.command(&["retention", "certificate", "--from", FROM, "--to", TO]);
        ran(command.arg("-o").arg(&pdf).args(more))
    };
    let said = make(&["--language", "sv"]).ok();
    assert!(
        said.contains("600 segments") && said.contains("signed by"),
        "{said}"
    );
    assert!(make(&[]).error().contains("exists already"));
    assert!(fs::read(&pdf).expect("the PDF").starts_with(b"%PDF"));
    let original = pdf.with_extension("json");
    assert_eq!(of(verify(&shop, &original, &[])), (10, 600, 0));
    let state = State::open(&shop.dir).expect("the state folder");
    let fingerprint = state.fingerprint().expect("fingerprint");
    verify(&shop, &original, &["--fingerprint", &fingerprint]).ok();
    verify(&shop, &original, &["--fingerprint", "0000"]).error();
    let text = fs::read_to_string(&original).expect("the original");
    let forged = shop.secret(
        "forged.json",
        &text.replacen("kassa-1/main", "kassa-2/main", 1),
    );
    verify(&shop, &forged, &[]).error();

    shop.serve();
    shop.start();
    let client = shop.controller();
    let path =
        |name: &str, more: &str| format!("/api/v1/deletions/{name}?start={FROM}&end={TO}{more}");
    let reply = client.get(&path("certificate.json", "")).expect(200);
    let over_api = shop.secret("api.json", &String::from_utf8_lossy(&reply.body));
    assert_eq!(of(verify(&shop, &over_api, &[])), (10, 600, 0));
    let reply = client
        .get(&path("certificate.pdf", "&language=fi"))
        .expect(200);
    assert!(reply.body.starts_with(b"%PDF"));
    client
        .get(&path("certificate.pdf", "&language=de"))
        .expect(422);
    client
        .get(&path("certificate.json", "&camera=nobody"))
        .expect(404);
    let classes = client.get("/api/v1/ledger/classes").expect(200).json();
    assert_eq!(
        classes["classes"].as_array().map(Vec::len),
        Some(7),
        "{classes}"
    );
    let health = client.get("/api/v1/health").expect(200).json();
    assert_eq!(health["last_backup"], Value::Null);
    shop.stop();
    let shown = shop
        .run(&["ledger", "show", "--action", "certificate-made"])
        .ok();
    assert_eq!(shown.matches("certificate-made").count(), 3, "{shown}");
}
