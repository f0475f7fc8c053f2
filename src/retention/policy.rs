//! How policies follow the configuration: a longer time at once, a shorter one after two persons and a day. A pure decision.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::base::id::{CameraId, StreamId, StreamKind};
use crate::base::time::Wall;
use crate::catalog::{Change, Event, PolicyRow, RetentionChange, ShorteningRow, StreamRow};

/// From the second person's word to the first deletion by a shorter time, in microseconds: a day.
pub const GRACE_US: i64 = 86_400_000_000;

/// What the configuration says of a stream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wanted {
    /// Seconds that it is kept.
    pub keep_s: u32,
    /// All else.
    pub policy: PolicyRow,
}

/// What is known of policies.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// Streams with what is in force.
    pub streams: &'a [StreamRow],
    /// Policies.
    pub policies: &'a [PolicyRow],
    /// Shorter times that wait.
    pub shortenings: &'a [ShorteningRow],
}

/// One step: changes and their entry.
#[derive(Clone, Debug)]
pub struct Step {
    /// The changes.
    pub changes: Vec<Change>,
    /// What is said of them, if it is to be said.
    pub event: Option<Event>,
}

/// What is to be done so that what is in force follows the configuration, at a time that is believed. A camera that the
/// configuration does not know keeps what it has.
pub fn follow(now: Wall, known: Known<'_>, wanted: &[Wanted]) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut shorter: BTreeMap<&CameraId, Asked> = BTreeMap::new();
    for want in wanted {
        let stream = &want.policy.stream;
        let Some(row) = known.streams.iter().find(|row| row.stream == *stream) else {
            continue;
        };
        if !known.policies.contains(&want.policy) {
            let policy = Box::new(want.policy.clone());
            let change = RetentionChange::PolicySet { policy, at: now };
            steps.push(Step {
                changes: change.into(),
                event: None,
            });
        }
        match row.keep_s {
            Some(before) if want.keep_s < before => {
                let asked = shorter.entry(&stream.camera).or_default();
                asked.set(stream.kind, before, want.keep_s);
            }
            Some(before) if want.keep_s == before => {}
            before => steps.push(lengthened(now, stream, before, want.keep_s)),
        }
    }
    let pending = known.shortenings.iter().map(|row| &row.camera);
    let cameras: BTreeSet<_> = shorter.keys().copied().chain(pending).collect();
    for camera in cameras {
        let row = known.shortenings.iter().find(|row| row.camera == *camera);
        steps.extend(shortening(now, camera, row, shorter.get(camera)));
    }
    steps
}

/// Shorter times that the configuration asks for, with what is in force: before and after, in seconds.
#[derive(Clone, Copy, Debug, Default)]
struct Asked {
    main: Option<(u32, u32)>,
    sub: Option<(u32, u32)>,
}

impl Asked {
    fn set(&mut self, kind: StreamKind, before: u32, after: u32) {
        match kind {
            StreamKind::Main => self.main = Some((before, after)),
            StreamKind::Sub => self.sub = Some((before, after)),
        }
    }

    fn after(self) -> (Option<u32>, Option<u32>) {
        (self.main.map(|(_, s)| s), self.sub.map(|(_, s)| s))
    }

    fn facts(self) -> serde_json::Value {
        json!({ "main": self.main, "sub": self.sub })
    }
}

/// Kept for longer, or configured for the first time.
fn lengthened(now: Wall, stream: &StreamId, before: Option<u32>, keep_s: u32) -> Step {
    let event = before.map(|before| {
        let facts = json!({ "keep_s": [before, keep_s] });
        Event::of_box(now, "retention-lengthened", stream, facts)
    });
    Step {
        changes: keep(now, stream.clone(), keep_s),
        event,
    }
}

fn keep(now: Wall, stream: StreamId, keep_s: u32) -> Vec<Change> {
    vec![Change::KeepSet {
        stream,
        keep_s,
        at: now,
    }]
}

fn shortening(
    now: Wall,
    camera: &CameraId,
    row: Option<&ShorteningRow>,
    asked: Option<&Asked>,
) -> Option<Step> {
    let over = || {
        let camera = camera.clone();
        Change::Retention(RetentionChange::ShorteningOver { camera })
    };
    let told = |action: &str, facts| Some(Event::of_box(now, action, camera, facts));
    match (row, asked) {
        (None, None) => None,
        (Some(_), None) => Some(Step {
            changes: vec![over()],
            event: told("shortening-withdrawn", json!({})),
        }),
        (Some(row), Some(asked)) if (row.main_keep_s, row.sub_keep_s) == asked.after() => {
            row.runs.filter(|runs| *runs <= now)?;
            let mut changes = vec![over()];
            for kind in [StreamKind::Main, StreamKind::Sub] {
                let camera = camera.clone();
                let stream = StreamId { camera, kind };
                if let Some(keep_s) = row.keep_s(kind) {
                    changes.extend(keep(now, stream, keep_s));
                }
            }
            Some(Step {
                changes,
                event: told("shortening-in-force", asked.facts()),
            })
        }
        (_, Some(asked)) => {
            let (main_keep_s, sub_keep_s) = asked.after();
            let change = RetentionChange::ShorteningAsked {
                camera: camera.clone(),
                main_keep_s,
                sub_keep_s,
                at: now,
            };
            Some(Step {
                changes: change.into(),
                event: told("shortening-asked", asked.facts()),
            })
        }
    }
}
