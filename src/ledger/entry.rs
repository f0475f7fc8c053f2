//! One line of the ledger: who did what to what, when, with which result.
//!
//! Facts stay for ever: roots, counts, hashes, ids. What may lawfully be erased (names, addresses, reasons, free text)
//! is not here: the line has a hash over it and a random salt (`detail`), so that the log stays whole without it.

use serde_json::{Map, Value, json};

use crate::base::error::{Context, Error, Result};
use crate::base::hash::Digest;
use crate::base::time::Wall;
use crate::ledger::canonical;

/// The longest line, in bytes: C2SP tlog-tiles counts an entry in 16 bits.
pub const LINE_BYTES_MAX: usize = 65_535;
/// The longest actor, action, object or result, in bytes.
pub const TEXT_BYTES_MAX: usize = 1024;

/// An entry, all of it that stays.
#[derive(Clone, PartialEq, Debug)]
pub struct Entry {
    /// The log that it is in: 1, and one more after each lawful restore.
    pub epoch: u32,
    /// Its number; grows by one from entry to entry, across epochs too.
    pub seq: u64,
    /// When, by the box's clock.
    pub at: Wall,
    /// A person's id, or `box`.
    pub actor: String,
    /// What was done.
    pub action: String,
    /// To what.
    pub object: String,
    /// How it went.
    pub result: String,
    /// What stays for ever; whole numbers only.
    pub facts: Value,
    /// Commitment to what may be erased (`detail`); none when there is nothing.
    pub detail: Option<Digest>,
}

impl Entry {
    /// Its canonical text, without a line end.
    ///
    /// # Errors
    /// `Internal` when facts are not canonical, or it is longer than [`LINE_BYTES_MAX`].
    pub fn line(&self) -> Result<String> {
        let what = || format!("writing ledger entry {} ({})", self.seq, self.action);
        let text = |text: &str| canonical(&Value::from(text)).context(what);
        // Members in their canonical order. Written one by one: a check of a million entries does it a million times.
        let mut line = format!(
            "{{\"action\":{},\"actor\":{},\"at\":{}",
            text(&self.action)?,
            text(&self.actor)?,
            canonical(&json!(self.at)).context(what)?
        );
        if let Some(detail) = &self.detail {
            line.push_str(&format!(",\"detail\":\"{detail}\""));
        }
        line.push_str(&format!(
            ",\"epoch\":{},\"facts\":{},\"object\":{},\"result\":{},\"seq\":{}}}",
            self.epoch,
            canonical(&self.facts).context(what)?,
            text(&self.object)?,
            text(&self.result)?,
            canonical(&json!(self.seq)).context(what)?
        ));
        if line.len() > LINE_BYTES_MAX {
            return Err(Error::invalid(format!(
                "it has {} bytes, at most {LINE_BYTES_MAX}",
                line.len()
            ))
            .attempted(what()));
        }
        Ok(line)
    }

    /// From a line, which must be canonical and have these members only.
    ///
    /// # Errors
    /// `Corrupt` for anything else.
    pub fn parse(line: &str) -> Result<Self> {
        let corrupt = |what: &str| Error::corrupt(format!("a ledger entry {what}"));
        let value: Value = serde_json::from_str(line).map_err(|_| corrupt("is no JSON"))?;
        let mut members = match value {
            Value::Object(members) => members,
            _ => return Err(corrupt("is no JSON object")),
        };
        let entry = Self {
            epoch: u32::try_from(number(&mut members, "epoch")?)
                .map_err(|_| corrupt("has an impossible epoch"))?,
            seq: number(&mut members, "seq")?,
            at: Wall::parse_rfc3339(&text(&mut members, "at")?)
                .ok_or_else(|| corrupt("has no time"))?,
            actor: text(&mut members, "actor")?,
            action: text(&mut members, "action")?,
            object: text(&mut members, "object")?,
            result: text(&mut members, "result")?,
            facts: take(&mut members, "facts")?,
            detail: match members.remove("detail") {
                None => None,
                Some(Value::String(hex)) => {
                    Some(Digest::from_hex(&hex).ok_or_else(|| corrupt("has no hash as detail"))?)
                }
                Some(_) => return Err(corrupt("has no hash as detail")),
            },
        };
        // Also refuses members that are not known, and whatever else is not as we write it.
        match entry.line() {
            Ok(canonical) if canonical == line => Ok(entry),
            _ => Err(corrupt("is not written canonically")),
        }
    }
}

/// The leaf hash of a line (RFC 6962, 2.1).
pub fn leaf(line: &str) -> Digest {
    Digest::sha256(&[&[0], line.as_bytes()])
}

fn take(members: &mut Map<String, Value>, name: &str) -> Result<Value> {
    members
        .remove(name)
        .ok_or_else(|| Error::corrupt(format!("a ledger entry has no member \"{name}\"")))
}

fn text(members: &mut Map<String, Value>, name: &str) -> Result<String> {
    match take(members, name)? {
        Value::String(text) => Ok(text),
        _ => Err(Error::corrupt(format!(
            "a ledger entry's \"{name}\" is no text"
        ))),
    }
}

fn number(members: &mut Map<String, Value>, name: &str) -> Result<u64> {
    take(members, name)?
        .as_u64()
        .ok_or_else(|| Error::corrupt(format!("a ledger entry's \"{name}\" is no number")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry() -> Entry {
        Entry {
            epoch: 1,
            seq: 7,
            at: Wall::from_secs(1_795_449_600),
            actor: "box".to_owned(),
            action: "gap-opened".to_owned(),
            object: "kassa-1/main".to_owned(),
            result: "ok".to_owned(),
            facts: json!({ "cause": "stalled", "bytes": 3 }),
            detail: Some(Digest([7; 32])),
        }
    }

    #[test]
    fn a_line_is_as_documented_and_comes_back() {
        let line = entry().line().expect("line");
        assert_eq!(
            line,
            format!(
                "{{\"action\":\"gap-opened\",\"actor\":\"box\",\"at\":\"2026-11-23T16:00:00.000000Z\",\"detail\":\"{}\",\
                 \"epoch\":1,\"facts\":{{\"bytes\":3,\"cause\":\"stalled\"}},\"object\":\"kassa-1/main\",\"result\":\"ok\",\
                 \"seq\":7}}",
                "07".repeat(32)
            )
        );
        assert_eq!(Entry::parse(&line).expect("parses"), entry());
        let bare = Entry {
            detail: None,
            ..entry()
        };
        let line = bare.line().expect("line");
        assert_eq!(Entry::parse(&line).expect("parses"), bare);
    }

    #[test]
    fn whatever_is_not_canonical_is_corrupt() {
        let line = entry().line().expect("line");
        for changed in [
            line.replace("\"seq\":7", "\"seq\": 7"),
            line.replace("\"seq\":7", "\"seq\":7,\"zeal\":1"),
            line.replace("\"seq\":7", "\"seq\":-7"),
            line.replace(",\"seq\":7", ""),
            line.replace("0707", "07G7"),
            line.replace("\"ok\"", "null"),
            format!("{line}\n"),
            String::new(),
        ] {
            assert!(Entry::parse(&changed).is_err(), "{changed}");
        }
    }

    #[test]
    fn a_line_is_bounded() {
        let long = Entry {
            facts: json!("x".repeat(LINE_BYTES_MAX)),
            ..entry()
        };
        assert!(long.line().is_err());
    }

    proptest! {
        #[test]
        fn any_line_parses_or_is_an_error(line in ".{0,300}") {
            if let Ok(entry) = Entry::parse(&line) {
                prop_assert_eq!(entry.line().expect("canonical"), line);
            }
        }
    }
}
