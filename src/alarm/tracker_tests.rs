//! Flapping, restarts, acknowledging.

use proptest::prelude::*;

use super::*;
use crate::base::time::Wall;

/// Rows as the catalog would have them.
#[derive(Default)]
struct Rows {
    up: Vec<AlarmRow>,
    last_id: u64,
    raised: u64,
}

impl Rows {
    fn apply(&mut self, steps: Vec<Step>) {
        for step in steps {
            match step {
                Step::Raise {
                    kind,
                    object,
                    detail,
                } => {
                    assert!(!self.up.iter().any(|r| r.kind == kind && r.object == object));
                    self.last_id += 1;
                    self.raised += 1;
                    self.up.push(AlarmRow {
                        id: self.last_id,
                        kind,
                        object,
                        detail,
                        raised: Wall::from_secs(0),
                        acknowledged: None,
                        acknowledged_by: None,
                        cleared: None,
                    });
                }
                Step::Clear { row } => self.up.retain(|r| r.id != row.id),
            }
        }
    }
}

fn wrong(kind: AlarmKind) -> Due {
    Due::from([((kind, "x".to_owned()), "why".to_owned())])
}

fn at(secs: u64) -> Mono {
    Mono::default() + Duration::from_secs(secs)
}

#[test]
fn what_lasts_is_raised_and_what_is_over_is_cleared() {
    for kind in AlarmKind::ALL
        .iter()
        .filter(|kind| !kind.waits_for_person())
    {
        let (mut tracker, mut rows) = (Tracker::default(), Rows::default());
        let (mut raised, mut cleared) = (None, None);
        for secs in (0..1200).step_by(5) {
            let due = if secs < 600 { wrong(*kind) } else { Due::new() };
            rows.apply(tracker.steps(at(secs), &due, &rows.up));
            if !rows.up.is_empty() {
                raised.get_or_insert(secs);
            } else if raised.is_some() {
                cleared.get_or_insert(secs);
            }
        }
        assert_eq!(raised, Some(raise_after(*kind).as_secs()), "{kind}");
        assert_eq!(cleared, Some(600 + clear_after(*kind).as_secs()), "{kind}");
        assert!(
            raise_after(*kind) <= Duration::from_secs(240),
            "shown in time"
        );
    }
}

#[test]
fn what_comes_back_soon_goes_on() {
    let (mut tracker, mut rows) = (Tracker::default(), Rows::default());
    // Ten hours of a minute and a half with, a minute and a half without.
    for secs in (0..36_000).step_by(5) {
        let due = if secs / 90 % 2 == 0 {
            wrong(AlarmKind::CameraLost)
        } else {
            Due::new()
        };
        rows.apply(tracker.steps(at(secs), &due, &rows.up));
    }
    assert_eq!((rows.raised, rows.up.len()), (1, 1));
}

#[test]
fn what_is_over_in_a_moment_is_no_alarm() {
    let (mut tracker, mut rows) = (Tracker::default(), Rows::default());
    for secs in (0..3600).step_by(5) {
        let due = if secs / 30 % 2 == 0 {
            wrong(AlarmKind::CameraLost)
        } else {
            Due::new()
        };
        rows.apply(tracker.steps(at(secs), &due, &rows.up));
    }
    assert_eq!(rows.raised, 0);
}

#[test]
fn an_act_of_somebody_stays_until_a_person_has_looked() {
    let (mut tracker, mut rows) = (Tracker::default(), Rows::default());
    rows.apply(tracker.steps(at(0), &wrong(AlarmKind::Stranger), &rows.up));
    assert_eq!(rows.up.len(), 1);
    rows.apply(tracker.steps(at(86_400), &Due::new(), &rows.up));
    // After a restart too.
    let mut tracker = Tracker::default();
    rows.apply(tracker.steps(at(90_000), &Due::new(), &rows.up));
    assert_eq!(rows.up.len(), 1);
    rows.up.first_mut().expect("row").acknowledged = Some(Wall::from_secs(1));
    rows.apply(tracker.steps(at(90_005), &Due::new(), &rows.up));
    assert!(rows.up.is_empty());
}

#[test]
fn a_restart_neither_clears_nor_raises_at_once() {
    let (mut tracker, mut rows) = (Tracker::default(), Rows::default());
    for secs in [0, 60] {
        rows.apply(tracker.steps(at(secs), &wrong(AlarmKind::Gap), &rows.up));
    }
    assert_eq!(rows.up.len(), 1);
    let mut tracker = Tracker::default();
    rows.apply(tracker.steps(at(65), &Due::new(), &rows.up));
    assert_eq!(rows.up.len(), 1, "nothing is known yet");
    rows.apply(tracker.steps(at(70), &wrong(AlarmKind::Gap), &rows.up));
    assert_eq!((rows.up.len(), rows.raised), (1, 1));
}

proptest! {
    /// However something comes and goes, it is raised at most once in the time that clearing takes.
    #[test]
    fn nothing_floods(pattern in prop::collection::vec(any::<bool>(), 1..400)) {
        let (mut tracker, mut rows) = (Tracker::default(), Rows::default());
        for (n, is_wrong) in pattern.iter().enumerate() {
            let due = if *is_wrong { wrong(AlarmKind::SyncLag) } else { Due::new() };
            rows.apply(tracker.steps(at(n as u64 * 5), &due, &rows.up));
            prop_assert!(rows.up.len() <= 1);
        }
        let span = pattern.len() as u64 * 5;
        prop_assert!(rows.raised <= 1 + span / clear_after(AlarmKind::SyncLag).as_secs());
    }
}
