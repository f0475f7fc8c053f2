//! What strangers can cause without end is gathered: one event a minute, however often they knock.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::PoisonError;
use std::time::Duration;

use serde_json::json;

use crate::access::Access;
use crate::base::error::Result;
use crate::base::time::{Mono, Wall};
use crate::catalog::Event;

/// Refusals of so long share an event.
const GATHER: Duration = Duration::from_secs(60);
/// Names and addresses that an event tells; the rest is counted.
const TOLD_MAX: usize = 8;

/// Refusals since the last event.
#[derive(Default)]
pub(super) struct Notes {
    began: Option<(Mono, Wall)>,
    counts: BTreeMap<&'static str, u64>,
    told: Vec<(String, IpAddr)>,
}

impl Access {
    /// Notes that somebody was refused before anybody knew who it is; `why` is one of a few fixed texts.
    pub fn note_refused(&self, why: &'static str, name: &str, from: IpAddr) {
        let (wall, now) = (self.inner.clock.wall(), self.inner.clock.mono());
        // What is no name may be a passphrase that was typed into the wrong field.
        let is_known = self.directory().named(name).is_some();
        let known = if is_known {
            name.to_owned()
        } else {
            "(unknown)".to_owned()
        };
        let notes = self.inner.notes.lock();
        let mut notes = notes.unwrap_or_else(PoisonError::into_inner);
        notes.began.get_or_insert((now, wall));
        let count = notes.counts.entry(why).or_default();
        *count = count.saturating_add(1);
        let told = (known, from);
        if notes.told.len() < TOLD_MAX && !notes.told.contains(&told) {
            notes.told.push(told);
        }
    }

    /// Writes the event of what was gathered, when its minute is over or `all` is asked for.
    pub(super) fn flush_notes(&self, all: bool) -> Result<()> {
        let (wall, now) = (self.inner.clock.wall(), self.inner.clock.mono());
        let due = {
            let notes = self.inner.notes.lock();
            let mut notes = notes.unwrap_or_else(PoisonError::into_inner);
            let over = |began: Mono| all || now.since(began) >= GATHER;
            match notes.began {
                Some((began, _)) if over(began) => std::mem::take(&mut *notes),
                _ => return Ok(()),
            }
        };
        let since = due.began.map(|(_, wall)| wall);
        let who: Vec<_> = due
            .told
            .iter()
            .map(|(name, address)| json!({ "name": name, "address": address }))
            .collect();
        let event = Event {
            actor: "stranger".to_owned(),
            result: "refused".to_owned(),
            detail: Some(json!({ "who": who })),
            ..Event::of_box(
                wall,
                "sign-in",
                "session",
                json!({ "since": since, "counts": due.counts }),
            )
        };
        self.inner.catalog.commit(Vec::new(), event)
    }
}
