//! What is told to alarm targets, and in whose name.

use serde_json::{Value, json};

use crate::base::id::BoxId;
use crate::base::time::Wall;
use crate::base::zone::Zone;
use crate::catalog::AlarmRow;
use crate::config::Language;

/// What a message tells.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Message {
    /// An alarm is up.
    Raised(AlarmRow),
    /// It is over.
    Cleared(AlarmRow),
    /// Somebody tries whether messages arrive.
    Test,
    /// The signed checkpoint of the ledger: size and root, and when it was taken.
    Checkpoint {
        /// The signed note (C2SP tlog-checkpoint).
        note: String,
    },
}

/// Which box, in whose name messages go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sender {
    /// The box.
    pub box_id: BoxId,
    /// The site's name.
    pub site: String,
    /// The site's time.
    pub zone: Zone,
    /// What whoever reads mail reads.
    pub language: Language,
}

/// A message as JSON (`sinetti-alarm/1`). Closed texts, ids of cameras and names of volumes: nothing about persons, no free
/// text.
pub fn json_of(sender: &Sender, message: &Message, at: Wall) -> Value {
    let alarm = |row: &AlarmRow| {
        json!({
            "id": row.id,
            "kind": row.kind,
            "object": row.object,
            "raised": row.raised,
            "cleared": row.cleared,
            "effect": row.kind.effect(),
            "remedy": row.kind.remedy(),
        })
    };
    let mut value = json!({
        "format": "sinetti-alarm/1",
        "box": sender.box_id.to_string(),
        "site": sender.site,
        "at": at,
    });
    let (event, key, what) = match message {
        Message::Raised(row) => ("raised", "alarm", alarm(row)),
        Message::Cleared(row) => ("cleared", "alarm", alarm(row)),
        Message::Test => ("test", "alarm", Value::Null),
        Message::Checkpoint { note } => ("checkpoint", "checkpoint", json!(note)),
    };
    if let Value::Object(members) = &mut value {
        members.insert("event".to_owned(), json!(event));
        members.insert(key.to_owned(), what);
    }
    value
}
