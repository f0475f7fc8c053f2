//! Schemathesis, which makes requests up from the OpenAPI document: no answer outside of it, no fault of the box, no hang.

use crate::support::{Client, Factor, PASSPHRASE, TestBox, camera, python, ran, server};
use std::fs;
use std::process::Command;

/// Ended by force after so many seconds: a hang.
const SECONDS_MAX: &str = "80";

/// Lets it loose on what this person may; signing out would end it too early.
fn let_loose(shop: &TestBox, client: &Client) {
    let url = format!("https://{}", client.address);
    let mut run = Command::new("timeout");
    run.arg(SECONDS_MAX).arg(python());
    run.args(["-m", "schemathesis.cli", "run"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/web/openapi.json"))
        .args(["--url", &url, "--no-color", "--workers", "2", "--seed", "1"])
        .arg("--tls-verify")
        .arg(shop.dir.join("authority.crt"))
        .arg("--header")
        .arg(format!(
            "Cookie: {}",
            client.cookie.as_deref().expect("a session")
        ))
        .args([
            "--phases",
            "examples,coverage,fuzzing",
            "--max-examples",
            "8",
        ])
        .args(["--request-timeout", "20", "--suppress-health-check", "all"])
        .args(["--exclude-operation-id", "deleteSession"])
        // It is one person's session: what is not permitted is answered so, as the document says.
        .args([
            "--checks",
            "not_a_server_error,status_code_conformance,content_type_conformance,\
             response_headers_conformance,response_schema_conformance",
        ])
        .current_dir(shop.path("."))
        .env("HOME", shop.path("."));
    let said = ran(&mut run);
    assert_eq!(
        said.code,
        0,
        "{}\n{}\n{}",
        said.stdout,
        said.stderr,
        shop.log()
    );
    let tested = said.stdout.contains("API Operations:") || said.stdout.contains("Operations:");
    assert!(tested, "{}", said.stdout);
}

#[test]
fn no_request_that_follows_from_the_document_brings_a_fault_or_an_answer_outside_of_it() {
    let (mut shop, server) = (TestBox::new(), server());
    server.add("/kassa-1/main", camera("till-sub.264"));
    shop.add_camera("kassa-1", server.address(), &[]);
    shop.serve();
    let factor = Factor::at(&shop.path("."), "admin1");
    let token = shop.path("tokens/admin1.token");
    shop.enrol(&token, &shop.passphrase, &factor).ok();
    shop.start();
    shop.wait_for_pictures(&["kassa-1/main"], 15);
    // By methods that no operation has it would sign out, too.
    let settings = "[phases.coverage]\nunexpected-methods = [\"PATCH\"]\n";
    fs::write(shop.path("schemathesis.toml"), settings).expect("writes");
    let controller = shop.controller();
    let mut admin = shop.client();
    admin.sign_in("admin1", PASSPHRASE, &factor.code());
    let_loose(&shop, &controller);
    // It came far: the session is there still, and something was opened.
    controller.get("/api/v1/session").expect(200);
    let events = shop.catalog().events(0, 100_000).expect("events");
    assert!(events.iter().any(|row| row.event.action == "playback"));
    // This one finds out who there is, and takes rights.
    let_loose(&shop, &admin);
    let log = shop.log();
    assert!(
        !log.contains("panicked") && !log.contains("a request failed"),
        "{log}"
    );
    let line = shop.line("kassa-1/main");
    assert_eq!((line.interruptions, line.last_error), (0, None));
    shop.stop();
    shop.check(false);
}
