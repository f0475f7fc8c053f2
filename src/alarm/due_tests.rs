//! What is wrong, for any facts.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::alarm::facts::Touched;
use crate::base::id::{StreamId, StreamKind};

const THRESHOLDS: Thresholds = Thresholds::standard(Duration::from_secs(15));

fn stream_id(n: usize) -> StreamId {
    StreamId {
        camera: format!("kamera-{n}").parse().expect("id"),
        kind: StreamKind::Main,
    }
}

fn stream() -> impl Strategy<Value = Stream> {
    let cause = prop::option::of(prop::sample::select(GapCause::ALL));
    (any::<bool>(), cause, 0..3usize, 0i64..700_000_000).prop_map(|(records, cause, on, us)| {
        Stream {
            stream: stream_id(0),
            volume: format!("levy-{on}"),
            records,
            cause,
            trouble: None,
            holes: (1, us),
        }
    })
}

fn volume() -> impl Strategy<Value = Volume> {
    let text = || prop::option::of(Just("why".to_owned()));
    let secs = || (0u64..120).prop_map(Duration::from_secs);
    let counts = (0u64..3, 0u64..3, 0u64..3, 0u64..3);
    (
        text(),
        prop::option::of(secs()),
        secs(),
        any::<(bool, bool)>(),
        counts,
        text(),
    )
        .prop_map(
            |(missing, silent_for, behind, (full_in_vain, early), counts, mirror)| Volume {
                name: String::new(),
                missing,
                silent_for,
                behind,
                full_in_vain,
                early,
                damaged: counts.0,
                missing_segments: counts.1,
                strangers: counts.2,
                touched: Some(Touched {
                    times: counts.3,
                    first: vec!["removed: x".to_owned()],
                }),
                mirror,
                over_age: None,
                quarantine_lost: 0,
            },
        )
}

fn facts() -> impl Strategy<Value = Facts> {
    let streams = prop::collection::vec(stream(), 0..6);
    let volumes = prop::collection::vec(volume(), 0..3);
    (streams, volumes).prop_map(|(mut streams, mut volumes)| {
        for (n, stream) in streams.iter_mut().enumerate() {
            stream.stream = stream_id(n);
        }
        for (n, volume) in volumes.iter_mut().enumerate() {
            volume.name = format!("levy-{n}");
        }
        Facts {
            streams,
            volumes,
            ..Facts::default()
        }
    })
}

fn well() -> Facts {
    let stream = |n| Stream {
        stream: stream_id(n),
        volume: "levy-1".to_owned(),
        records: true,
        cause: None,
        trouble: Some("long ago".to_owned()),
        holes: (2, 4_000_000),
    };
    let volume = Volume {
        name: "levy-1".to_owned(),
        behind: Duration::from_secs(3),
        silent_for: Some(Duration::from_secs(1)),
        ..Volume::default()
    };
    Facts {
        streams: vec![stream(1), stream(2)],
        volumes: vec![volume],
        certificate_left_s: Some(60 * 86_400),
        undelivered_for: Some(Duration::from_secs(20)),
        ..Facts::default()
    }
}

fn kinds(facts: &Facts) -> BTreeSet<AlarmKind> {
    due(facts, &THRESHOLDS)
        .into_keys()
        .map(|(kind, _)| kind)
        .collect()
}

#[test]
fn nothing_is_wrong_when_all_is_well() {
    assert_eq!(due(&well(), &THRESHOLDS), Due::new());
    assert_eq!(due(&Facts::default(), &THRESHOLDS), Due::new());
}

/// What must be up after a change of facts in which all was well.
fn after(change: impl FnOnce(&mut Facts)) -> BTreeSet<AlarmKind> {
    let mut facts = well();
    change(&mut facts);
    kinds(&facts)
}

fn first(facts: &mut Facts) -> &mut Volume {
    facts.volumes.first_mut().expect("volume")
}

#[test]
fn every_kind_has_its_cause() {
    use AlarmKind as A;
    let mut seen = BTreeSet::new();
    let mut is = |kind: AlarmKind, change: &dyn Fn(&mut Facts)| {
        let kinds = after(change);
        assert!(kinds.contains(&kind), "{kind}: {kinds:?}");
        seen.insert(kind);
    };
    let secs = Duration::from_secs;
    let stops = |cause| {
        move |f: &mut Facts| {
            let stream = f.streams.first_mut().expect("stream");
            (stream.records, stream.cause) = (false, Some(cause));
        }
    };
    is(A::CameraLost, &stops(GapCause::Stalled));
    is(A::Gap, &stops(GapCause::Internal));
    is(A::Gap, &|f| {
        f.streams.first_mut().expect("stream").holes = (9, 301_000_000);
    });
    is(A::VolumeMissing, &|f| {
        first(f).missing = Some("gone".to_owned())
    });
    is(A::VolumeMissing, &stops(GapCause::VolumeMissing));
    is(A::VolumeFull, &|f| first(f).full_in_vain = true);
    is(A::VolumeFull, &stops(GapCause::DiskFull));
    is(A::VolumeFailing, &|f| first(f).silent_for = Some(secs(61)));
    is(A::VolumeFailing, &stops(GapCause::WriteError));
    is(A::VolumeBehind, &|f| first(f).behind = secs(61));
    is(A::VolumeBehind, &stops(GapCause::StorageSlow));
    is(A::SyncLag, &|f| first(f).behind = secs(16));
    is(A::SweepLate, &|f| {
        f.sweeping.latched = Some("other".to_owned())
    });
    is(A::SweepLate, &|f| {
        f.sweeping.failed = Some("i/o".to_owned())
    });
    is(A::SweepLate, &|f| f.sweeping.failures = 1);
    is(A::SweepLate, &|f| {
        f.sweeping.overdue.insert(stream_id(1), 1);
    });
    is(A::SweepLate, &|f| f.clock.doubt = Some("behind".to_owned()));
    is(A::EarlyDeletion, &|f| first(f).early = true);
    is(A::GuaranteeLost, &|f| {
        f.sweeping
            .lost
            .insert(stream_id(1), crate::base::time::Wall(0));
    });
    is(A::HoldReview, &|f| f.sweeping.holds_due = 1);
    is(A::AnswerDue, &|f| {
        f.promised
            .answers
            .push("2026-0042 by 2026-12-24".to_owned());
    });
    is(A::CopiesDue, &|f| {
        f.promised.copies.push("2026-0042 by 2026-12-24".to_owned());
    });
    rest_has_its_cause(&mut is);
    assert_eq!(seen, AlarmKind::ALL.iter().copied().collect());
}

type Is<'a> = &'a mut dyn FnMut(AlarmKind, &dyn Fn(&mut Facts));

fn rest_has_its_cause(is: Is<'_>) {
    use AlarmKind as A;
    let secs = Duration::from_secs;
    is(A::ClockUnsynchronised, &|f| f.clock.unsynchronised = true);
    is(A::ClockInDoubt, &|f| {
        f.clock.doubt = Some("behind".to_owned())
    });
    is(A::ClockStepped, &|f| {
        f.clock.stepped = Some((secs(3599), -5_000_000))
    });
    is(A::ScrubDamage, &|f| first(f).damaged = 1);
    is(A::ScrubMissing, &|f| first(f).missing_segments = 1);
    is(A::Stranger, &|f| first(f).strangers = 1);
    is(A::Stranger, &|f| {
        first(f).touched = Some(Touched {
            times: 1,
            first: Vec::new(),
        });
    });
    is(A::Certificate, &|f| {
        f.certificate_left_s = Some(13 * 86_400)
    });
    is(A::VaultHolder, &|f| f.holders = Some("nobody".to_owned()));
    is(A::NoAnchor, &|f| f.ledger.anchor_overdue = Some(None));
    is(A::LedgerTrouble, &|f| {
        f.ledger.trouble = Some("no key".to_owned())
    });
    is(A::LedgerMirror, &|f| {
        first(f).mirror = Some("differs".to_owned())
    });
    is(A::BackupOverdue, &|f| f.backup_overdue = Some(None));
    is(A::OverAge, &|f| {
        first(f).over_age = Some((1, "stills/x".to_owned()));
    });
    is(A::OverAge, &|f| f.old_catalogs = Some("one".to_owned()));
    is(A::Quarantine, &|f| first(f).quarantine_lost = 1);
    is(A::Delivery, &|f| f.undelivered_for = Some(secs(121)));
}

#[test]
fn a_clock_that_was_set_is_told_for_an_hour() {
    let at = |secs| after(|f| f.clock.stepped = Some((Duration::from_secs(secs), 5_000_000)));
    assert!(at(0).contains(&AlarmKind::ClockStepped));
    assert!(at(3600).is_empty());
}

proptest! {
    #[test]
    fn every_stream_that_is_not_recorded_is_in_an_alarm_of_its_own_or_of_its_volume(facts in facts()) {
        let due = due(&facts, &THRESHOLDS);
        for stream in &facts.streams {
            let name = stream.stream.to_string();
            let own = due.keys().any(|(_, object)| *object == name);
            let known = facts.volumes.iter().any(|v| v.name == stream.volume);
            let of_volume = due.iter().any(|((kind, object), _)| {
                *object == stream.volume && kind.as_str().starts_with("volume-")
            });
            if !stream.records {
                prop_assert!(own || of_volume || !known, "{name}");
            } else if stream.holes.1 <= THRESHOLDS.holes_us {
                prop_assert!(!own, "{name}");
            }
        }
    }

    #[test]
    fn what_becomes_worse_takes_no_alarm_away(facts in facts(), at in any::<prop::sample::Index>()) {
        let before = kinds(&facts);
        let mut worse = facts;
        if worse.volumes.is_empty() {
            return Ok(());
        }
        let at = at.index(worse.volumes.len());
        let volume = worse.volumes.get_mut(at).expect("volume");
        volume.missing.get_or_insert("gone".to_owned());
        volume.behind += Duration::from_secs(100);
        volume.damaged += 1;
        volume.strangers += 1;
        worse.sweeping.latched = Some("other".to_owned());
        worse.clock.unsynchronised = true;
        let after = kinds(&worse);
        prop_assert!(after.is_superset(&before), "{before:?} {after:?}");
        prop_assert!(after.contains(&AlarmKind::VolumeMissing) && after.contains(&AlarmKind::SyncLag));
    }
}
