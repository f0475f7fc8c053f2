//! A disclosure from the request to the parts in a folder, by commands alone: the same gates and the same entries as in the pages.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;
use sinetti::base::hash::Digest;
use sinetti::base::time::Wall;

use crate::support::{Factor, Ran, TestBox, camera, ran, server};

const FORM: &str = r#"
received = "2026-11-23T10:00:00Z"
channel = "puhelin"
recipient = "police"
organisation = "Helsingin poliisilaitos"
person = "ylikonstaapeli 1"
rank = "ylikonstaapeli"
unit = "rikostutkinta"
contact = "vaihteen kautta"
verified_how = "soitettu takaisin"
case_number = "5560/R/1234/26"
basis = "police-request"
purpose = "crime-investigation"
necessity = "teko näkyy kassan kuvassa"
"#;

/// Somebody at the console.
struct Person<'a>(&'a str, &'a Factor);

fn says(shop: &TestBox, who: &Person<'_>, args: &[&str]) -> Ran {
    let code = shop.secret("person-code", &who.1.code());
    let mut command = shop.command(&[&["disclosure"], args].concat());
    command.args(["--person", who.0]).arg("--passphrase-file");
    command.arg(&shop.passphrase).arg("--code-file").arg(code);
    ran(&mut command)
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

/// A box that records one camera, and a manager of it.
fn recording() -> (TestBox, Factor) {
    let (mut shop, server) = (TestBox::new(), server());
    shop.set_recorder("segment_secs = 10");
    server.add("/kassa-1/main", camera("till-sub.264"));
    shop.add_camera("kassa-1", server.address(), &[]);
    shop.start();
    let token = shop.path("manager1.token");
    let mut add = shop.command(&["user", "add", "manager1", "--undertaking", "2026-1"]);
    add.args(["--role", "manager", "--camera", "kassa-1"]);
    ran(add.arg("--token-file").arg(&token)).ok();
    let manager = Factor::at(&shop.path(""), "manager1");
    shop.enrol(&token, &shop.passphrase, &manager).ok();
    let mut confirm = shop.command(&["user", "confirm", "manager1"]);
    confirm.args(["--person", "controller1"]);
    ran(confirm.args(shop.proof())).ok();
    shop.wait_for_pictures(&["kassa-1/main"], 300);
    (shop, manager)
}

/// Results of the entries of an action, with their facts.
fn entries(shop: &TestBox, action: &str) -> Vec<(String, Value)> {
    let rows = shop.catalog().events(0, 10_000).expect("events");
    let of_action = rows.into_iter().map(|row| row.event);
    of_action
        .filter(|event| event.action == action)
        .map(|event| (event.result, event.facts))
        .collect()
}

fn request(shop: &TestBox, manager: &Person<'_>, start: Wall) -> String {
    let form = shop.path("form.toml");
    fs::write(&form, FORM).expect("writes");
    let at = |us: i64| start.plus_us(us).rfc3339();
    let (form, from, to) = (form.display().to_string(), at(3_000_000), at(9_000_000));
    let asked = says(
        shop,
        manager,
        &[
            "request",
            "--json",
            "--kind",
            "authority-request",
            "--form",
            &form,
            "--camera",
            "kassa-1",
            "--from",
            &from,
            "--to",
            &to,
        ],
    );
    let row = &json(&asked.ok())["row"];
    row["asked"]["serial"]
        .as_str()
        .expect("a number")
        .to_owned()
}

/// Its file, and that it is nobody else's.
#[track_caller]
fn own_file(path: &Path) -> Vec<u8> {
    let mode = path.metadata().expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "{}", path.display());
    fs::read(path).expect("reads")
}

fn papers(shop: &TestBox, manager: &Person<'_>, serial: &str) {
    let (pdf, csv) = (shop.path("paper.pdf"), shop.path("register.csv"));
    let (to_pdf, to_csv) = (pdf.display().to_string(), csv.display().to_string());
    says(
        shop,
        manager,
        &["paper", serial, "--output", &to_pdf, "--language", "sv"],
    )
    .ok();
    assert!(own_file(&pdf).starts_with(b"%PDF-"));
    says(
        shop,
        manager,
        &["register", "--by", "manager1", "--csv", &to_csv],
    )
    .ok();
    let text = String::from_utf8(own_file(&csv)).expect("text");
    assert!(text.contains(serial) && text.lines().count() == 2, "{text}");
    assert_eq!(entries(shop, "register-exported")[0].1["lines"], 1);
    let again = says(shop, manager, &["register", "--csv", &to_csv]).error();
    assert!(again.contains("exists already"), "{again}");
}

fn downloads(shop: &TestBox, manager: &Person<'_>, serial: &str, part: &Value) {
    // Who administers shows who they are, and may not.
    let admin = Factor::at(&shop.path(""), "admin1");
    let token = shop.path("tokens/admin1.token");
    shop.enrol(&token, &shop.passphrase, &admin).ok();
    let dir = shop.path("out");
    let out = dir.display().to_string();
    let download = ["download", serial, "--json", "--output", &out];
    let refused = says(shop, &Person("admin1", &admin), &download).error();
    assert!(refused.contains("holds no vault generation"), "{refused}");
    assert!(entries(shop, "package-downloaded").is_empty());

    let given = json(&says(shop, manager, &download).ok());
    let file = dir.join(part["name"].as_str().expect("a name"));
    assert_eq!(given["parts"][0]["path"], file.display().to_string());
    let bytes = own_file(&file);
    let sha256 = Digest::sha256(&[&bytes]).to_string();
    assert_eq!(
        (&part["sha256"], &part["bytes"]),
        (&sha256.as_str().into(), &bytes.len().into())
    );
    assert!(bytes.starts_with(b"PK\x03\x04"), "a ZIP");
    assert_eq!(fs::read_dir(&dir).expect("a folder").count(), 1);
    let told = entries(shop, "package-downloaded");
    let [(begun, intent), (ended, outcome)] = &told[..] else {
        panic!("an intent and an outcome: {told:?}");
    };
    assert_eq!((begun.as_str(), ended.as_str()), ("begun", "ok"));
    assert_eq!(
        (&intent["sha256"], &intent["part"]),
        (&part["sha256"], &1.into())
    );
    assert_eq!(outcome["bytes"], bytes.len());
    let again = says(shop, manager, &download).error();
    assert!(again.contains("exists already"), "{again}");
    assert_eq!(
        entries(shop, "package-downloaded").len(),
        2,
        "nothing began"
    );
}

#[test]
fn a_package_is_asked_for_approved_prepared_and_handed_out_by_commands() {
    let (mut shop, factor) = recording();
    let manager = Person("manager1", &factor);
    let start = shop.ls("kassa-1/main").footage.coverage.recorded[0].start;
    let serial = request(&shop, &manager, start);
    let serial = serial.as_str();
    let prepare = ["prepare", serial, "--encrypt", "--json"];
    let early = says(&shop, &manager, &prepare).error();
    assert!(early.contains("it is requested"), "{early}");
    let controller = Person("controller1", &shop.factor);
    let approve = ["approve", serial, "--reason", "pyyntö on yksilöity"];
    let own = says(&shop, &manager, &approve).error();
    assert!(own.contains("manager1 may not"), "{own}");
    says(&shop, &controller, &approve).ok();
    papers(&shop, &manager, serial);

    let idle = says(&shop, &manager, &["cancel", serial]).error();
    assert!(idle.contains("no package is being made"), "{idle}");
    let made = json(&says(&shop, &manager, &prepare).ok());
    assert_eq!(made["state"], "done", "{made}");
    let passphrase = made["passphrase"].as_str().expect("a passphrase");
    assert!(!shop.log().contains(passphrase));
    let shown = json(&says(&shop, &manager, &["package", serial, "--json"]).ok());
    let part = &shown["state"]["parts"][0];
    assert_eq!(part, &made["parts"][0]);
    assert!(!shown.to_string().contains(passphrase));
    assert_eq!(entries(&shop, "disclosure-prepared").len(), 2);
    downloads(&shop, &manager, serial, part);

    let over = [
        "hand-over",
        serial,
        "--to",
        "ylikonstaapeli",
        "--identity",
        "virkamerkki",
        "--medium",
        "USB 12",
    ];
    says(&shop, &manager, &over).ok();
    let late = shop.path("late").display().to_string();
    let refused = says(&shop, &manager, &["download", serial, "--output", &late]).error();
    assert!(refused.contains("it is handed-over"), "{refused}");
    shop.stop();
    let alone = says(&shop, &manager, &prepare).error();
    assert!(alone.contains("systemctl start sinetti"), "{alone}");
    shop.check(true);
}
