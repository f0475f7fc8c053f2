//! The real binary and its persons: holds are placed, kept through sweeps, a restart and a lost catalog; a shorter time waits for two.

use std::path::PathBuf;

use serde_json::Value;
use sinetti::base::clock::SimulatedClock;
use sinetti::base::time::Wall;
use sinetti::catalog::HoldKind;

use crate::plant::{HOUR, MINUTE, Plant, SECOND};
use crate::support::{Factor, PURPOSE, Ran, TestBox, now, ran};

/// A command with the proof of somebody's identity.
fn as_person(shop: &TestBox, name: &str, factor: &Factor, args: &[&str]) -> Ran {
    let code = shop.secret("other-code", &factor.code());
    let mut command = shop.command(args);
    command.args(["--person", name]);
    command.arg("--passphrase-file").arg(&shop.passphrase);
    ran(command.arg("--code-file").arg(code))
}

/// The same of the controller.
fn controller(shop: &TestBox, args: &[&str]) -> Ran {
    as_person(shop, "controller1", &shop.factor, args)
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

fn place(shop: &TestBox, kind: HoldKind, (from, to): (Wall, Wall)) -> String {
    let (from, to) = (from.rfc3339(), to.rfc3339());
    let placed = controller(
        shop,
        &[
            "hold",
            "place",
            "--json",
            "--kind",
            kind.as_str(),
            "--camera",
            "kassa",
            "--from",
            &from,
            "--to",
            &to,
            "--matter",
            "5560/R/1/26",
            "--reason",
            "theft",
        ],
    );
    json(&placed.ok())["hold"]["hold"].to_string()
}

/// A manager who may approve and whom the controller has confirmed.
fn manager(shop: &TestBox) -> Factor {
    let token = shop.path("manager1.token");
    let mut add = shop.command(&["user", "add", "manager1", "--undertaking", "2026-1"]);
    add.args(["--role", "manager", "--camera", "kassa", "--approves"]);
    ran(add.arg("--token-file").arg(&token)).ok();
    let factor = Factor::at(&shop.path(""), "manager1");
    shop.enrol(&token, &shop.passphrase, &factor).ok();
    let mut confirm = shop.command(&["user", "confirm", "manager1"]);
    confirm.args(["--person", "controller1"]);
    ran(confirm.args(shop.proof())).ok();
    factor
}

fn export(shop: &TestBox, (from, to): (Wall, Wall), more: &[&str], file: &str) -> Ran {
    let (from, to) = (from.rfc3339(), to.rfc3339());
    let mut export = shop.command(&["export", "--json", "--camera", "kassa"]);
    export.args(["--from", &from, "--to", &to, "--purpose", PURPOSE]);
    let output: PathBuf = shop.path(file);
    ran(export
        .args(more)
        .arg("-o")
        .arg(output)
        .args(shop.approved()))
}

/// Two persons confirm a shorter time, and it waits for a day, over a restart too.
fn shorter_times_wait(shop: &mut TestBox, manager: &Factor) {
    shop.edit_config(|text| text.replacen("48 h", "24 h", 1));
    shop.recorder().wait_for_log("shortening-asked of kassa");
    let pending = json(&shop.run(&["retention", "--json"]).stdout);
    let number = pending["shortenings"][0]["number"].to_string();
    let shorten = ["retention", "shorten", number.as_str()];
    controller(shop, &shorten).ok();
    let again = controller(shop, &shorten);
    assert!(again.stderr.contains("confirmed it already"), "{again:?}");
    let second = as_person(shop, "manager1", manager, &shorten).ok();
    assert!(second.contains("two have confirmed it"), "{second}");
    shop.stop();
    shop.start();
    let pending = json(&shop.run(&["retention", "--json"]).stdout);
    assert_eq!(
        pending["streams"][0]["keep_s"], 172_800,
        "not before a day has passed"
    );
    assert!(!pending["shortenings"][0]["runs"].is_null(), "{pending}");
}

fn acts_are_told(shop: &TestBox) {
    let actions: Vec<_> = shop.catalog().events(0, 1000).expect("events");
    for action in [
        "hold-placed",
        "hold-released",
        "shortening-asked",
        "shortening-confirmed",
    ] {
        assert!(
            actions.iter().any(|row| row.event.action == action),
            "{action}"
        );
    }
}

#[test]
fn holds_and_shorter_times_take_their_way_through_persons_a_restart_and_a_lost_catalog() {
    let mut shop = TestBox::new();
    shop.add_camera("kassa", ([127, 0, 0, 1], 9).into(), &["--keep", "48 h"]);
    // Commands take times to the millisecond.
    let old = now().plus_us(-50 * HOUR - now().us() % 1_000_000);
    let planted = Plant::open(&shop.dir, &shop.volume, SimulatedClock::at(now()));
    planted.record("kassa/main", old, 60, 10, 4000);
    planted.record("kassa/main", now().plus_us(-10 * MINUTE), 60, 5, 4000);
    drop(planted);
    let minute = |n: i64| old.plus_us(n * MINUTE);
    // Segments begin at the minute, to within rounding.
    let within = |from: i64, to: i64| {
        (
            minute(from).plus_us(10 * SECOND),
            minute(to).plus_us(-10 * SECOND),
        )
    };
    let case = place(&shop, HoldKind::Case, within(2, 4));
    let order = place(&shop, HoldKind::PreservationOrder, within(6, 7));

    shop.start();
    shop.recorder().wait_for_log("7 segments deleted");
    assert_eq!(shop.segment_files("kassa/main").len(), 3 + 5);
    assert_eq!(
        shop.ls("kassa/main").footage.segments.len(),
        5,
        "the rest is not listed"
    );
    let told = json(&shop.run(&["retention", "--json"]).stdout);
    let line = &told["streams"][0];
    assert_eq!(
        (&line["keep_s"], &line["policy"]["keep_from"]),
        (&172_800.into(), &"camera".into())
    );
    assert_eq!(line["held"][0], 2, "what is secret is not counted");
    let listed = json(&shop.run(&["hold", "list", "--json"]).ok());
    assert_eq!(listed["holds"].as_array().map(Vec::len), Some(1));

    let held = (minute(2), minute(4));
    let refused = export(&shop, held, &[], "none.mp4");
    assert!(refused.stderr.contains("deleted: expired"), "{refused:?}");
    let secret = export(
        &shop,
        (minute(6), minute(7)),
        &["--hold", &order],
        "secret.mp4",
    );
    assert!(secret.stderr.contains("no hold"), "{secret:?}");
    export(
        &shop,
        (minute(2), minute(4)),
        &["--hold", &case],
        "case.mp4",
    )
    .ok();

    let manager = manager(&shop);
    shorter_times_wait(&mut shop, &manager);
    let release = ["hold", "release", case.as_str(), "--reason", "closed"];
    let refused = as_person(&shop, "manager1", &manager, &release);
    assert_ne!(refused.code, 0);
    let released = controller(&shop, &release).ok();
    assert!(released.contains("ended"), "{released}");
    let before = shop.catalog().holds().expect("rows");
    // The mirror follows at the sweeper's next look, which the act has asked for.
    shop.stop();
    shop.check(true);
    shop.run(&["reindex"]).ok();
    // What was deleted between what was held is known from the ledger.
    shop.check(true);
    assert_eq!(shop.catalog().holds().expect("rows"), before);
    assert_eq!(before.len(), 2);
    acts_are_told(&shop);
}
