//! Statements: JSON that the box signed with its ledger key, for whoever has the public half and nothing else.
//!
//! ```json
//! {"statement": {"kind": "backup", …}, "key": "64 hex digits", "signature": "base64"}
//! ```
//!
//! The Ed25519 signature is over `sinetti-statement/1 KIND\n` and the canonical JSON (RFC 8785) of `statement`: no checkpoint
//! begins so, and no statement of one kind passes for another.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ring::signature::{ED25519, UnparsedPublicKey};
use serde_json::{Value, json};

use crate::base::error::{Error, Kind, Result};
use crate::ledger::canonical;
use crate::ledger::checkpoint::{Key, Signer};

/// The document of a statement; its `kind` is set.
///
/// # Errors
/// `Internal` when it is no object, or no canonical JSON.
pub fn sign(signer: &Signer, kind: &str, mut statement: Value) -> Result<Value> {
    let members = statement
        .as_object_mut()
        .ok_or_else(|| Error::new(Kind::Internal, "a statement is a JSON object"))?;
    members.insert("kind".to_owned(), json!(kind));
    let signature = BASE64_STANDARD.encode(signer.sign_bytes(&message(kind, &statement)?));
    Ok(json!({ "statement": statement, "key": signer.key().to_hex(), "signature": signature }))
}

/// What a document of this kind states, and the key that signed it: whose that is, its fingerprint on paper says.
///
/// # Errors
/// `Corrupt` when it is no such document, or was changed.
pub fn open(kind: &str, document: &Value) -> Result<(Value, Key)> {
    let bad = |text: &str| Error::corrupt(format!("this is no {kind} statement of a box: {text}"));
    let statement = &document["statement"];
    if statement["kind"] != json!(kind) {
        return Err(bad("it says that it is something else"));
    }
    let text = |name: &str| document[name].as_str();
    let key = text("key")
        .and_then(|hex| Key::from_hex(hex).ok())
        .ok_or_else(|| bad("it names no key"))?;
    let signature = text("signature")
        .and_then(|signature| BASE64_STANDARD.decode(signature).ok())
        .ok_or_else(|| bad("it has no signature"))?;
    let message = message(kind, statement).map_err(|e| bad(&e.to_string()))?;
    UnparsedPublicKey::new(&ED25519, key.bytes())
        .verify(&message, &signature)
        .map_err(|_| bad("it was changed after it was signed"))?;
    Ok((statement.clone(), key))
}

fn message(kind: &str, statement: &Value) -> Result<Vec<u8>> {
    Ok(format!("sinetti-statement/1 {kind}\n{}", canonical(statement)?).into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::checkpoint::test_signer;

    #[test]
    fn a_statement_opens_as_what_it_is_and_unchanged_only() {
        let signer = test_signer();
        let document = sign(&signer, "backup", json!({ "bytes": 7, "name": "ä" })).expect("signs");
        let (statement, key) = open("backup", &document).expect("opens");
        assert_eq!((&statement["bytes"], key), (&json!(7), signer.key()));
        assert!(open("certificate", &document).is_err());
        let text = document.to_string();
        for at in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[at] ^= 1;
            let Ok(changed) = serde_json::from_slice::<Value>(&changed) else {
                continue;
            };
            // The last digit of base64 has bits that say nothing.
            let opened = open("backup", &changed).ok();
            assert!(opened.is_none_or(|(read, _)| read == statement), "{at}");
        }
        assert!(sign(&signer, "backup", json!([1])).is_err());
    }
}
