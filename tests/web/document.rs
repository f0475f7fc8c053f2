//! The OpenAPI document: the committed one, the routes, and the matrix are the same.

use serde_json::Value;
use sinetti::http::api::document;
use sinetti::http::matrix::{MATRIX, Need};
use std::collections::BTreeSet;

fn committed() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/web/openapi.json");
    std::fs::read_to_string(path).expect("web/openapi.json")
}

#[test]
fn the_committed_document_is_that_of_the_code() {
    let (committed, made) = (committed(), document::text());
    let differs = committed.lines().zip(made.lines()).find(|(a, b)| a != b);
    assert!(
        committed == made,
        "{differs:?}: make it anew: cargo run -- openapi > web/openapi.json"
    );
}

#[test]
fn every_line_of_the_matrix_is_described_and_nothing_else() {
    let document: Value = serde_json::from_str(&document::text()).expect("JSON");
    let paths = document["paths"].as_object().expect("paths");
    let (mut described, mut ids) = (BTreeSet::new(), BTreeSet::new());
    for (path, operations) in paths {
        for (method, operation) in operations.as_object().expect("operations") {
            let text = operation["summary"].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "{method} {path} says nothing of itself");
            let id = operation["operationId"].as_str().expect("an id");
            assert!(ids.insert(id.to_owned()), "two operations are called {id}");
            described.insert((method.to_uppercase(), path.clone()));
        }
    }
    let lines: BTreeSet<_> = MATRIX
        .iter()
        .map(|line| (line.method.to_owned(), line.path.to_owned()))
        .collect();
    assert_eq!(described, lines);
}

#[test]
fn what_needs_no_session_is_described_so() {
    let document: Value = serde_json::from_str(&document::text()).expect("JSON");
    assert_eq!(document["openapi"], "3.1.0");
    for line in MATRIX {
        let operation = &document["paths"][line.path][line.method.to_lowercase()];
        let is_open = operation["security"] == serde_json::json!([{}]);
        assert_eq!(
            is_open,
            line.need == Need::Nothing,
            "{} {}",
            line.method,
            line.path
        );
    }
}
