//! The ledger over the API: a proof that RFC 6962 as written down here again accepts, and an anchor that comes back.

use crate::support::TestBox;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use sinetti::base::hash::Digest;

fn sha256(parts: &[&[u8]]) -> Vec<u8> {
    digest(&SHA256, &parts.concat()).as_ref().to_vec()
}

/// RFC 9162, 2.1.3.2.
fn root_of(line: &str, mut index: u64, size: u64, path: &[Vec<u8>]) -> Vec<u8> {
    let mut last = size - 1;
    let mut hash = sha256(&[&[0], line.as_bytes()]);
    for step in path {
        assert!(last > 0, "the path is too long");
        if index % 2 == 1 || index == last {
            hash = sha256(&[&[1], step, &hash]);
            while index.is_multiple_of(2) && index > 0 {
                (index, last) = (index / 2, last / 2);
            }
        } else {
            hash = sha256(&[&[1], &hash, step]);
        }
        (index, last) = (index / 2, last / 2);
    }
    assert_eq!(last, 0, "the path is too short");
    hash
}

fn bytes(value: &Value) -> Vec<u8> {
    let text = value.as_str().expect("hex");
    Digest::from_hex(text).expect("a digest").0.to_vec()
}

#[test]
fn an_entry_is_proven_and_an_anchor_that_comes_back_is_answered() {
    let mut shop = TestBox::new();
    shop.serve();
    shop.start();
    let client = shop.controller();
    // Signed a second behind: until the sign-in is under the checkpoint.
    let entries = client
        .get("/api/v1/ledger/entries?action=sign-in")
        .expect(200)
        .json();
    let seq = entries["entries"][0]["seq"].as_u64().expect("a number");
    let proof = loop {
        let reply = client.get(&format!("/api/v1/ledger/entries/{seq}/proof"));
        if reply.status == 200 {
            break reply.json();
        }
        assert_eq!(reply.status, 404, "{:?}", reply.json());
        shop.recorder().pace();
    };
    let checkpoint = &proof["checkpoint"];
    let path: Vec<_> = proof["path"]
        .as_array()
        .expect("a path")
        .iter()
        .map(bytes)
        .collect();
    let line = proof["line"].as_str().expect("a line");
    let (index, size) = (proof["index"].as_u64(), checkpoint["size"].as_u64());
    let root = root_of(line, index.expect("index"), size.expect("size"), &path);
    assert_eq!(root, bytes(&checkpoint["root"]));
    let entry: Value = serde_json::from_str(line).expect("JSON");
    assert_eq!(entry["action"], "sign-in");
    assert!(
        !line.contains("controller1"),
        "names stand in the details alone: {line}"
    );

    let taken = client
        .post("/api/v1/ledger/anchors", &json!({}))
        .expect(201)
        .json();
    let note = taken["note"].as_str().expect("a note");
    let returned = json!({ "note": note });
    let answer = client
        .post("/api/v1/ledger/anchors/return", &returned)
        .expect(200)
        .json();
    assert_eq!(answer["consistent"], true, "{answer}");
    let forged = json!({ "note": note.replacen('1', "2", 1) });
    client
        .post("/api/v1/ledger/anchors/return", &forged)
        .expect(422);
    let actions = client.get("/api/v1/ledger/entries").expect(200).json();
    let actions: Vec<_> = actions["entries"]
        .as_array()
        .expect("entries")
        .iter()
        .map(|entry| entry["action"].as_str().expect("an action").to_owned())
        .collect();
    assert_eq!(actions[..2], ["anchor-returned", "anchor-taken"]);
    shop.stop();
    shop.run(&["ledger", "verify"]).ok();
}
