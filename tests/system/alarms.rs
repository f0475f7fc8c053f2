//! Alarms of the running recorder: shown, told, acknowledged.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, channel};

use serde_json::Value;

use crate::support::{TestBox, camera, server};
use sinetti::catalog::{AlarmKind, AlarmRow, EntryFilter};
use sinetti::daemon::alarms::ANCHOR_SENT;

/// A server that takes whatever is posted to it.
fn target() -> (SocketAddr, Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("listens");
    let address = listener.local_addr().expect("an address");
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut reader = BufReader::new(stream);
            let mut length = 0;
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
                    break;
                }
                if let Some(bytes) = line.strip_prefix("Content-Length: ") {
                    length = bytes.trim().parse().expect("a length");
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).expect("a body");
            write!(reader.get_mut(), "HTTP/1.1 204 No Content\r\n\r\n").expect("answers");
            let body = serde_json::from_slice(&body).expect("JSON");
            if sender.send(body).is_err() {
                return;
            }
        }
    });
    (address, receiver)
}

/// Waits for a message about `event`.
fn message(got: &Receiver<Value>, event: &str) -> Value {
    got.iter()
        .find(|body| body["event"] == event)
        .expect("a message")
}

fn alarms(shop: &TestBox, args: &[&str]) -> Vec<AlarmRow> {
    let ran = shop.run(&[&["alarms", "--json"][..], args].concat());
    serde_json::from_str(&ran.stdout).unwrap_or_else(|e| panic!("{e}: {ran:?}"))
}

#[test]
fn a_volume_that_vanishes_is_told_everywhere_and_acknowledged_once() {
    let (address, got) = target();
    let mut shop = TestBox::new();
    shop.edit_config(|text| format!("{text}\n[alarm]\nwebhook = \"http://{address}/sinetti\"\n"));
    shop.start();
    // The checkpoint of the day, which is an anchor when the target has it.
    let checkpoint = message(&got, "checkpoint");
    let note = checkpoint["checkpoint"].as_str().expect("a note");
    assert!(note.contains(&shop.id().to_string()), "{note}");
    shop.run(&["alarms", "test"]).ok();
    assert_eq!(message(&got, "test")["format"], "sinetti-alarm/1");

    fs::rename(&shop.volume, shop.path("elsewhere")).expect("moves the volume");
    let raised = loop {
        let raised = message(&got, "raised");
        if raised["alarm"]["kind"] == "volume-missing" {
            break raised;
        }
    };
    assert_eq!(raised["alarm"]["remedy"], AlarmKind::VolumeMissing.remedy());
    let up = alarms(&shop, &[]);
    let row = up
        .iter()
        .find(|row| row.kind == AlarmKind::VolumeMissing)
        .expect("it is up");
    assert!(row.is_pressing());
    assert_eq!(raised["alarm"]["id"], row.id);
    let status = shop.run(&["status"]);
    assert!(status.stdout.contains("volume-missing"), "{status:?}");
    assert!(status.stdout.contains(AlarmKind::VolumeMissing.remedy()));
    assert!(
        shop.log().contains("ALARM volume-missing"),
        "{}",
        shop.log()
    );

    let id = row.id.to_string();
    shop.run(&["alarms", "acknowledge", &id]).ok();
    let again = shop.run(&["alarms", "acknowledge", &id]).error();
    assert!(again.contains("acknowledged already"), "{again}");
    let none = shop.run(&["alarms", "acknowledge", "999"]).error();
    assert!(none.contains("sinetti alarms lists"), "{none}");
    let all = alarms(&shop, &["--all"]);
    let row = all.iter().find(|of| of.id == row.id).expect("listed");
    assert!(row.acknowledged.is_some() && row.cleared.is_none());
    let reader = shop.catalog();
    for action in ["alarm-raised", "alarm-acknowledged", ANCHOR_SENT] {
        let last = reader.last_of(&[action]).expect("reads");
        assert!(last.is_some(), "no entry {action}");
    }
    let entries = reader
        .entries(&EntryFilter::default(), 1000)
        .expect("reads");
    let raised = entries.iter().filter(|row| {
        row.entry.action == "alarm-raised" && row.entry.facts["kind"] == "volume-missing"
    });
    assert_eq!(raised.count(), 1, "raised once");
    shop.stop();
}

#[test]
fn a_public_alarm_target_is_refused() {
    let mut shop = TestBox::new();
    shop.edit_config(|text| format!("{text}\n[alarm]\nwebhook = \"http://8.8.8.8/salaisuus\"\n"));
    let told = shop.run(&["run"]).error();
    assert!(
        told.contains("public") && !told.contains("salaisuus"),
        "{told}"
    );
    shop.edit_config(|text| text.replace("[alarm]", "").replace("webhook", "#webhook"));
    shop.start();
    let none = shop.run(&["alarms", "test"]).error();
    assert!(none.contains("no alarm target"), "{none}");
    shop.stop();
}

#[test]
fn what_somebody_else_does_to_footage_is_an_alarm_and_what_sinetti_does_is_none() {
    let cameras = server();
    cameras.add("/till/main", camera("till.264"));
    let mut shop = TestBox::new();
    shop.set_recorder("segment_secs = 10");
    shop.add_camera("till", cameras.address(), &[]);
    shop.start();
    let closed = |shop: &TestBox| shop.segment_files("till/main");
    shop.wait("four segments", |status| {
        status
            .streams
            .get("till/main")
            .is_some_and(|line| line.segments >= 4)
    });
    // Recording, key slots, marks, the mirror of the ledger: all Sinetti's own.
    let strangers = |rows: Vec<AlarmRow>| rows.iter().any(|row| row.kind == AlarmKind::Stranger);
    assert!(!strangers(alarms(&shop, &["--all"])), "{}", shop.log());
    let files = closed(&shop);
    fs::remove_file(files.first().expect("a segment")).expect("removes it");
    let status = shop.wait("the alarm", |status| {
        status
            .alarms
            .iter()
            .any(|row| row.kind == AlarmKind::Stranger)
    });
    let row = status
        .alarms
        .iter()
        .find(|row| row.kind == AlarmKind::Stranger);
    let row = row.expect("it is up");
    assert!(row.detail.contains("removed: till/main/"), "{row:?}");
    shop.run(&["alarms", "acknowledge", &row.id.to_string()])
        .ok();
    shop.wait("its end", |status| {
        status
            .alarms
            .iter()
            .all(|row| row.kind != AlarmKind::Stranger)
    });
    shop.stop();
}
