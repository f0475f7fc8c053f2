//! The configuration is taken over while the recorder runs: each camera as it says, the others undisturbed.

use crate::eyes::wait;
use crate::support::{TestBox, camera, server};
use sinetti::base::id::RunId;
use sinetti::catalog::{CoverageGap, GapCause};
use sinetti::recorder::board::Phase;
use sinetti_simulator::Server;
use std::collections::BTreeSet;
use std::fs;

/// A box that records the camera `till`, and knows `ovi`; both are there.
fn recording() -> (TestBox, Server) {
    let (mut shop, server) = (TestBox::new(), server());
    for (path, file) in [
        ("/till/main", "till.264"),
        ("/ovi/main", "door.264"),
        ("/ovi/other", "door.264"),
        ("/hylly/main", "aisle.264"),
    ] {
        server.add(path, camera(file));
    }
    shop.add_camera("till", server.address(), &[]);
    shop.start();
    shop.wait_for_pictures(&["till/main"], 30);
    (shop, server)
}

/// Its section in the configuration: `add_camera` appends.
fn section<'a>(text: &'a str, id: &str) -> &'a str {
    let from = text.find(&format!("id = \"{id}\"")).expect("the camera");
    let from = text[..from].rfind("[[camera]]").expect("its section");
    let rest = &text[from + 1..];
    let to = rest
        .find("[[camera]]")
        .map_or(text.len(), |to| from + 1 + to);
    &text[from..to]
}

/// Changes one camera's section.
fn edit(shop: &TestBox, id: &str, change: impl FnOnce(&str) -> String) {
    shop.edit_config(|text| {
        let old = section(&text, id).to_owned();
        let new = change(&old);
        text.replacen(&old, &new, 1)
    });
}

fn disable(section: &str) -> String {
    format!("{}\nenabled = false\n\n", section.trim_end())
}

fn enable(section: &str) -> String {
    section.replace("enabled = false\n", "")
}

#[track_caller]
fn wait_for_phase(shop: &mut TestBox, stream: &str, phase: Phase) {
    shop.wait(&format!("{stream} is {phase:?}"), |status| {
        status
            .streams
            .get(stream)
            .is_some_and(|line| line.phase == phase)
    });
}

/// Gaps of a stream that have ended.
fn gaps(shop: &TestBox, stream: &str) -> Vec<CoverageGap> {
    let mut gaps = shop.ls(stream).footage.coverage.gaps;
    // Before its first picture; none when that was taken before the stream was known.
    gaps.retain(|gap| gap.cause != GapCause::NotStarted);
    if let Some(open) = crate::eyes::open_gap(shop, stream) {
        gaps.retain(|gap| gap.span.start < open.start);
    }
    gaps
}

fn open_cause(shop: &TestBox, stream: &str) -> Option<GapCause> {
    crate::eyes::open_gap(shop, stream).map(|gap| gap.cause)
}

/// Recorded without a gap, in one run, from the first picture to the stop.
#[track_caller]
fn undisturbed(shop: &TestBox, stream: &str) {
    let footage = shop.ls(stream).footage;
    let runs: BTreeSet<RunId> = footage.segments.iter().map(|row| row.run).collect();
    assert_eq!(
        (runs.len(), footage.coverage.recorded.len()),
        (1, 1),
        "{stream}"
    );
    assert_eq!(gaps(shop, stream), [], "{stream}");
}

#[test]
fn a_camera_comes_goes_and_comes_back_and_the_others_go_on() {
    let (mut shop, server) = recording();
    shop.add_camera("ovi", server.address(), &[]);
    shop.wait_for_pictures(&["ovi/main"], 30);

    edit(&shop, "ovi", disable);
    wait_for_phase(&mut shop, "ovi/main", Phase::Off);
    wait(&mut shop, "the gap", |shop| {
        open_cause(shop, "ovi/main") == Some(GapCause::Disabled)
    });
    edit(&shop, "ovi", enable);
    wait_for_phase(&mut shop, "ovi/main", Phase::Recording);

    let mut removed = String::new();
    edit(&shop, "ovi", |section| {
        section.clone_into(&mut removed);
        String::new()
    });
    wait(&mut shop, "the gap", |shop| {
        open_cause(shop, "ovi/main") == Some(GapCause::Removed)
    });
    shop.wait("it is not shown", |status| {
        !status.streams.contains_key("ovi/main")
    });
    shop.edit_config(|text| text + &removed);
    wait_for_phase(&mut shop, "ovi/main", Phase::Recording);

    edit(&shop, "ovi", |section| {
        section.replace("/ovi/main", "/ovi/other")
    });
    texts_are_apart(&shop);
    wait(&mut shop, "the other path is used", |shop| {
        shop.log().contains("path of the main stream changed") && gaps(shop, "ovi/main").len() == 3
    });
    wait_for_phase(&mut shop, "ovi/main", Phase::Recording);
    shop.stop();
    shop.check(true);
    let causes: Vec<_> = gaps(&shop, "ovi/main")
        .iter()
        .map(|gap| gap.cause)
        .collect();
    assert_eq!(
        causes,
        [GapCause::Disabled, GapCause::Removed, GapCause::Stopped]
    );
    undisturbed(&shop, "till/main");
}

/// What a change says of a camera may be taken away; what is kept for ever has no text of it.
#[track_caller]
fn texts_are_apart(shop: &TestBox) {
    let rows = shop.catalog().events(0, 10_000).expect("events");
    let mut events = rows.into_iter().map(|row| row.event);
    let removed = events.find(|event| {
        let detail = event.detail.as_ref().map(ToString::to_string);
        event.action == "configuration-loaded"
            && detail.is_some_and(|text| text.contains("camera ovi removed"))
    });
    let facts = removed.expect("the change").facts;
    assert_eq!(facts["changes"]["lines"], 1, "{facts}");
    assert_eq!(
        facts["changes"]["sha256"].as_str().map(str::len),
        Some(64),
        "{facts}"
    );
    assert!(!facts.to_string().contains("ovi"), "{facts}");
}

#[test]
fn a_bad_file_changes_nothing_and_is_reported_by_line() {
    let (mut shop, server) = recording();
    let good = fs::read_to_string(shop.config_path()).expect("reads");
    // Two errors, on lines that are known: a key nobody knows, and a public address.
    let address = server.address().to_string();
    let bad = good
        .replace("area =", "aera =")
        .replace(&address, "8.8.8.8");
    let line = |text: &str| {
        let at = bad.lines().position(|line| line.contains(text));
        format!(
            "{}:{}: ",
            shop.config_path().display(),
            at.expect("the line") + 1
        )
    };
    let told = [line("aera ="), line("8.8.8.8")];
    fs::write(shop.config_path(), &bad).expect("writes");
    wait(&mut shop, "both errors are told", |shop| {
        told.iter().all(|line| shop.log().contains(line))
    });
    let units = shop.line("till/main").units;
    shop.wait_for_pictures(&["till/main"], units + 30);
    assert!(shop.log().contains("the one before stays in force"));
    // Good again, with another camera: that one comes.
    fs::write(shop.config_path(), &good).expect("writes");
    shop.add_camera("ovi", server.address(), &[]);
    shop.wait_for_pictures(&["ovi/main"], 15);
    shop.stop();
    shop.check(true);
    undisturbed(&shop, "till/main");
}

#[test]
fn of_writes_in_quick_succession_the_last_one_holds() {
    let (mut shop, server) = recording();
    shop.add_camera("ovi", server.address(), &[]);
    edit(&shop, "ovi", disable);
    shop.add_camera("hylly", server.address(), &[]);
    edit(&shop, "ovi", enable);
    edit(&shop, "till", |section| {
        section.replace("Kassat", "Eteinen")
    });
    shop.wait_for_pictures(&["ovi/main", "hylly/main"], 15);
    edit(&shop, "ovi", disable);
    edit(&shop, "hylly", disable);
    edit(&shop, "ovi", enable);
    wait_for_phase(&mut shop, "hylly/main", Phase::Off);
    wait_for_phase(&mut shop, "ovi/main", Phase::Recording);
    shop.stop();
    shop.check(true);
    undisturbed(&shop, "till/main");
}

#[test]
fn adding_a_camera_keeps_every_byte_that_was_there() {
    let shop = TestBox::new();
    shop.edit_config(|text| format!("# Kysy Matilta ennen kuin muutat.\n{text}\n# Loppu.   \n"));
    let before = fs::read_to_string(shop.config_path()).expect("reads");
    let nowhere = "127.0.0.1:1".parse().expect("an address");
    shop.add_camera("till", nowhere, &["--keep", "72 h", "--disabled"]);
    let after = fs::read_to_string(shop.config_path()).expect("reads");
    assert!(after.starts_with(&before), "{after}");
    assert!(after[before.len()..].contains("keep = \"72 h\""), "{after}");
}

#[test]
fn what_was_switched_off_while_the_recorder_was_stopped_is_a_gap_for_that_reason() {
    let (mut shop, server) = recording();
    shop.add_camera("ovi", server.address(), &[]);
    shop.wait_for_pictures(&["ovi/main"], 15);
    shop.stop();
    edit(&shop, "ovi", disable);
    edit(&shop, "till", |_| String::new());
    shop.start();
    assert_eq!(open_cause(&shop, "ovi/main"), Some(GapCause::Disabled));
    assert_eq!(open_cause(&shop, "till/main"), Some(GapCause::Removed));
    // A camera that does not answer when it is switched on again was not switched off for that time.
    server.stop_listening();
    edit(&shop, "ovi", enable);
    wait(&mut shop, "the gap", |shop| {
        open_cause(shop, "ovi/main") == Some(GapCause::ConnectFailed)
    });
    edit(&shop, "ovi", disable);
    wait(&mut shop, "the gap", |shop| {
        open_cause(shop, "ovi/main") == Some(GapCause::Disabled)
    });
    shop.stop();
    assert_eq!(open_cause(&shop, "ovi/main"), Some(GapCause::Disabled));
    // The stop may have been shorter than the last picture.
    let mut causes: Vec<_> = gaps(&shop, "ovi/main")
        .iter()
        .map(|gap| gap.cause)
        .collect();
    causes.retain(|cause| *cause != GapCause::Stopped);
    assert_eq!(causes, [GapCause::Disabled, GapCause::ConnectFailed]);
    shop.check(true);
}
