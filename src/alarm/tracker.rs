//! Lets nothing flap: what is wrong for a moment is no alarm, and what comes back soon goes on being the same one.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::alarm::due::Due;
use crate::base::time::Mono;
use crate::catalog::{AlarmKind, AlarmRow};

/// Something has to be gone for so long before its alarm is cleared.
const CLEAR_AFTER: Duration = Duration::from_secs(120);

/// Something of this kind has to last so long before it is an alarm. All are shown within five minutes of their cause, with
/// what it takes to notice.
pub const fn raise_after(kind: AlarmKind) -> Duration {
    match kind {
        // A camera that is started anew takes a minute.
        AlarmKind::CameraLost | AlarmKind::Gap | AlarmKind::SweepLate => Duration::from_secs(60),
        AlarmKind::VolumeMissing
        | AlarmKind::VolumeFull
        | AlarmKind::VolumeFailing
        | AlarmKind::VolumeBehind
        | AlarmKind::ClockUnsynchronised
        | AlarmKind::ClockInDoubt
        | AlarmKind::LedgerMirror => Duration::from_secs(30),
        _ => Duration::ZERO,
    }
}

/// Something of this kind has to be gone for so long before its alarm is cleared.
pub const fn clear_after(kind: AlarmKind) -> Duration {
    match kind {
        // Their facts do not flap: somebody did something about it.
        AlarmKind::ScrubDamage
        | AlarmKind::ScrubMissing
        | AlarmKind::Stranger
        | AlarmKind::NoAnchor
        | AlarmKind::LedgerTrouble
        | AlarmKind::Certificate
        | AlarmKind::AnswerDue
        | AlarmKind::CopiesDue
        | AlarmKind::VaultHolder => Duration::ZERO,
        _ => CLEAR_AFTER,
    }
}

/// What is to be done about an alarm.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// Something is wrong.
    Raise {
        /// What.
        kind: AlarmKind,
        /// With what.
        object: String,
        /// What more is known.
        detail: String,
    },
    /// It is over.
    Clear {
        /// The row.
        row: AlarmRow,
    },
}

/// What it saw, and since when. It knows nothing after a restart, and so neither raises nor clears anything too early.
#[derive(Debug, Default)]
pub struct Tracker {
    /// Since when something is wrong without a break.
    wrong: BTreeMap<(AlarmKind, String), Mono>,
    /// Since when something is gone of which an alarm is up, by its number.
    gone: BTreeMap<u64, Mono>,
}

impl Tracker {
    /// What is to be done at `now`, when `due` is wrong and `up` are the alarms that are up.
    pub fn steps(&mut self, now: Mono, due: &Due, up: &[AlarmRow]) -> Vec<Step> {
        self.wrong.retain(|key, _| due.contains_key(key));
        let mut steps = Vec::new();
        for ((kind, object), detail) in due {
            let since = *self.wrong.entry((*kind, object.clone())).or_insert(now);
            let known = up
                .iter()
                .find(|row| row.kind == *kind && row.object == *object);
            if known.is_none() && now.since(since) >= raise_after(*kind) {
                steps.push(Step::Raise {
                    kind: *kind,
                    object: object.clone(),
                    detail: detail.clone(),
                });
            }
        }
        self.gone.retain(|id, _| up.iter().any(|row| row.id == *id));
        for row in up {
            if due.contains_key(&(row.kind, row.object.clone())) {
                self.gone.remove(&row.id);
                continue;
            }
            let since = *self.gone.entry(row.id).or_insert(now);
            let seen = !row.kind.waits_for_person() || row.acknowledged.is_some();
            if seen && now.since(since) >= clear_after(row.kind) {
                steps.push(Step::Clear { row: row.clone() });
            }
        }
        steps
    }
}

#[cfg(test)]
#[path = "tracker_tests.rs"]
mod tests;
