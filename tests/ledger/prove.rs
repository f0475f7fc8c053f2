//! From a picture to the signed root: of footage that was really recorded.

use std::fs;

use serde_json::Value;
use sinetti::base::hash::Digest;
use sinetti::catalog::SegmentRow;
use sinetti::evidence::proof::{EntryProof, FragmentProof, SegmentProof};
use sinetti::ledger::checkpoint::Key;
use sinetti::media::read::{read_initial, trailer_from_end};

use crate::shop::{state, verify};
use crate::support::{TestBox, camera, server};

struct Recorded {
    shop: TestBox,
    rows: Vec<SegmentRow>,
    key: Key,
}

/// Some seconds of a camera, in more than one segment, sealed at the stop.
fn recorded() -> Recorded {
    let (mut shop, server) = (TestBox::new(), server());
    shop.set_recorder("segment_secs = 10");
    let _till = server.add("/till/main", camera("till.264"));
    shop.add_camera("till", server.address(), &[]);
    shop.start();
    for _ in 0..200 {
        if shop.segment_files("till/main").len() >= 2 {
            break;
        }
        shop.recorder().pace();
    }
    shop.stop();
    let rows = shop.ls("till/main").footage.segments;
    assert!(rows.len() > 1, "{rows:?}");
    let key = state(&shop).key().expect("the key");
    Recorded { shop, rows, key }
}

impl Recorded {
    fn proof(&self, row: &SegmentRow) -> SegmentProof {
        let text = self
            .shop
            .run(&["ledger", "prove", "--segment", &row.segment.to_string()])
            .ok();
        serde_json::from_str(&text).expect("a proof")
    }

    /// The leaves of a segment, as its file has them.
    fn leaves(&self, nth: usize) -> Vec<Digest> {
        let path = &self.shop.segment_files("till/main")[nth];
        let file = fs::read(path).expect("the segment");
        let initial = read_initial(&file).expect("its head");
        assert_eq!(initial.header.segment, self.rows[nth].segment);
        let trailer = trailer_from_end(&file).expect("reads").expect("a trailer");
        trailer.fragments.iter().map(|f| f.leaf).collect()
    }
}

#[test]
fn every_fragment_leads_to_the_checkpoint() {
    let recorded = recorded();
    for (nth, row) in recorded.rows.iter().enumerate() {
        let segment = recorded.proof(row);
        let (record, checkpoint) = segment.verify(recorded.key).expect("proven");
        assert_eq!(record["segment"], row.segment.to_string());
        assert_eq!(checkpoint.box_id, recorded.shop.id());
        let line = row.record(recorded.shop.id()).line().expect("canonical");
        assert_eq!(line, segment.segment);
        let leaves = recorded.leaves(nth);
        assert_eq!(leaves.len(), row.fragments as usize);
        for (index, leaf) in leaves.iter().enumerate() {
            let proof = FragmentProof::make(segment.clone(), &leaves, index).expect("a proof");
            proof.verify(leaf, recorded.key).expect("proven");
            let other = leaves[(index + 1) % leaves.len()];
            if other != *leaf {
                proof
                    .verify(&other, recorded.key)
                    .expect_err("another fragment");
            }
        }
        assert!(FragmentProof::make(segment, &leaves, leaves.len()).is_err());
    }
}

#[test]
fn every_tampered_part_is_refused() {
    let recorded = recorded();
    let row = &recorded.rows[1];
    let (segment, leaves) = (recorded.proof(row), recorded.leaves(1));
    let proof = FragmentProof::make(segment, &leaves, 1).expect("a proof");
    let whole = serde_json::to_value(&proof).expect("JSON");
    let verdict = |value: &Value| -> Result<(), String> {
        let proof: FragmentProof =
            serde_json::from_value(value.clone()).map_err(|e| e.to_string())?;
        let verified = proof.verify(&leaves[1], recorded.key);
        verified.map(drop).map_err(|e| e.to_string())
    };
    verdict(&whole).expect("proven");
    let mut places = Vec::new();
    leaves_of(&whole, &mut String::new(), &mut places);
    assert!(places.len() > 10, "{places:?}");
    for place in &places {
        let at = |value: &mut Value| value.pointer_mut(place).expect("there").take();
        let mut changed = whole.clone();
        let old = at(&mut changed);
        let variants: Vec<Value> = match &old {
            Value::Number(n) => {
                let n = n.as_u64().expect("whole");
                vec![(n + 1).into(), (n + 256).into()]
            }
            Value::String(text) => altered_texts(text),
            other => panic!("{place}: {other}"),
        };
        for new in variants {
            *changed.pointer_mut(place).expect("there") = new.clone();
            assert!(verdict(&changed).is_err(), "{place}: {old} to {new}");
        }
    }
    // A part less, a part more, an unknown one.
    for list in ["/path", "/segment/path", "/segment/seal/path"] {
        let mut changed = whole.clone();
        let path = changed
            .pointer_mut(list)
            .and_then(Value::as_array_mut)
            .expect("a path");
        path.push(Digest::ZERO.to_string().into());
        assert!(verdict(&changed).is_err(), "{list} longer");
        let mut changed = whole.clone();
        let path = changed
            .pointer_mut(list)
            .and_then(Value::as_array_mut)
            .expect("a path");
        if path.pop().is_some() {
            assert!(verdict(&changed).is_err(), "{list} shorter");
        }
    }
    let mut changed = whole.clone();
    changed["more"] = 1.into();
    assert!(verdict(&changed).is_err());
    // Another box's key.
    let other = TestBox::new();
    let key = state(&other).key().expect("the key");
    assert!(proof.verify(&leaves[1], key).is_err());
}

/// Pointers to all numbers and texts.
fn leaves_of(value: &Value, at: &mut String, found: &mut Vec<String>) {
    let mut step = |name: &str, inner: &Value| {
        let mut deeper = format!("{at}/{name}");
        leaves_of(inner, &mut deeper, found);
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(name, inner)| step(name, inner)),
        Value::Array(items) => {
            let named = items.iter().enumerate();
            named.for_each(|(i, inner)| step(&i.to_string(), inner));
        }
        _ => found.push(at.clone()),
    }
}

/// A digit or letter changed at several places.
fn altered_texts(text: &str) -> Vec<Value> {
    let step = (text.len() / 24).max(1);
    let mut all = Vec::new();
    for at in (0..text.len()).step_by(step) {
        let mut bytes = text.as_bytes().to_vec();
        bytes[at] = match bytes[at] {
            b'0'..=b'8' | b'a'..=b'e' => bytes[at] + 1,
            b'9' | b'f' => b'0',
            other if other.is_ascii_alphanumeric() => other ^ 1,
            _ => b'?',
        };
        if let Ok(changed) = String::from_utf8(bytes) {
            all.push(changed.into());
        }
    }
    all
}

#[test]
fn a_seal_is_over_what_the_file_says_and_entries_have_proofs() {
    let recorded = recorded();
    let reader = recorded.shop.catalog();
    let seal = reader
        .last_of(&["footage-seal"])
        .expect("query")
        .expect("one");
    assert_eq!(seal.entry.facts["cause"], "stop");
    assert_eq!(seal.entry.facts["segments"], recorded.rows.len());
    for seq in [1, seal.entry.seq] {
        let text = recorded
            .shop
            .run(&["ledger", "prove", &seq.to_string()])
            .ok();
        let proof: EntryProof = serde_json::from_str(&text).expect("a proof");
        let (entry, checkpoint) = proof.verify(recorded.key).expect("proven");
        assert_eq!((entry.seq, checkpoint.epoch), (seq, 1));
        let mut changed = proof.clone();
        changed.entry = changed.entry.replace("\"ok\"", "\"no\"");
        assert!(changed.verify(recorded.key).is_err());
    }
    // The record is what the file says of itself, also what is under no other hash.
    let row = &recorded.rows[0];
    let file = fs::read(&recorded.shop.segment_files("till/main")[0]).expect("opens");
    let trailer = trailer_from_end(&file).expect("reads").expect("a trailer");
    let record: Value = serde_json::from_str(&recorded.proof(row).segment).expect("JSON");
    assert_eq!(record["content_root"], trailer.content_root.to_string());
    assert_eq!(record["packets_lost"], trailer.losses.packets_lost);
    assert_eq!(record["fragments"], trailer.fragments.len());
    // A seal whose leaves were changed is told of; so is a segment whose row was.
    drop(reader);
    let db = rusqlite::Connection::open(recorded.shop.dir.join("catalog.db")).expect("opens");
    db.execute("update segment set packets_lost = packets_lost + 1", [])
        .expect("changed");
    let id = row.segment.to_string();
    let refused = recorded
        .shop
        .run(&["ledger", "prove", "--segment", &id])
        .error();
    assert!(refused.contains("no footage seal is over it"), "{refused}");
    assert!(
        verify(&recorded.shop, &[]).whole,
        "its row is not the ledger"
    );
    db.execute("update seal set leaves = zeroblob(32 * segments)", [])
        .expect("changed");
    let told = verify(&recorded.shop, &[]);
    assert!(
        told.names(&format!("footage seal {}", seal.entry.seq)),
        "{told:#?}"
    );
}
