//! Alarms: raised once, acknowledged once, cleared once, each with its entry.

use super::*;
use crate::base::error::Kind;
use crate::catalog::{AlarmChange, AlarmKind};

fn raised(kind: AlarmKind, object: &str, detail: &str, at: Wall) -> AlarmChange {
    AlarmChange::Raised {
        kind,
        object: object.to_owned(),
        detail: detail.to_owned(),
        at,
    }
}

fn entries(fixture: &Fixture) -> Vec<(String, String, Option<serde_json::Value>)> {
    let events = fixture.reader().events(0, 100).expect("events");
    let alarms = events
        .into_iter()
        .filter(|e| e.event.action.starts_with("alarm-"));
    alarms
        .map(|e| (e.event.action, e.event.object, e.event.detail))
        .collect()
}

#[test]
fn an_alarm_goes_its_way_once_and_each_step_has_its_entry() {
    let fixture = Fixture::new();
    let commit = |change: AlarmChange| fixture.catalog.commit(Change::Alarm(change), None);
    let at = |s: i64| T0.plus_us(s * SECOND);
    let lost = AlarmKind::CameraLost;
    commit(raised(lost, "kassa-1/main", "no answer", at(0))).expect("raised");
    // Again: it is up, only what is known is renewed.
    commit(raised(lost, "kassa-1/main", "refused", at(60))).expect("renewed");
    let up = fixture.reader().alarms_up().expect("rows");
    assert_eq!(up.len(), 1);
    let row = up.first().expect("one");
    assert_eq!(
        (row.kind, row.raised, row.detail.as_str()),
        (lost, at(0), "refused")
    );
    let acknowledged = |id, s| AlarmChange::Acknowledged {
        id,
        by: "user 1000".to_owned(),
        at: at(s),
    };
    commit(acknowledged(row.id, 70)).expect("acknowledged");
    assert_eq!(
        commit(acknowledged(row.id, 71)).map_err(|e| e.kind()),
        Err(Kind::Exists)
    );
    assert_eq!(
        commit(acknowledged(row.id + 1, 71)).map_err(|e| e.kind()),
        Err(Kind::NotFound)
    );
    let cleared = AlarmChange::Cleared {
        id: row.id,
        at: at(80),
    };
    commit(cleared.clone()).expect("cleared");
    commit(cleared).expect("nothing happens");
    assert!(fixture.reader().alarms_up().expect("rows").is_empty());
    let row = fixture.reader().alarm(row.id).expect("read").expect("kept");
    assert_eq!(
        (row.acknowledged, row.cleared),
        (Some(at(70)), Some(at(80)))
    );
    let actions: Vec<_> = entries(&fixture).into_iter().map(|e| (e.0, e.1)).collect();
    let of = |action: &str| (action.to_owned(), "kassa-1/main".to_owned());
    assert_eq!(
        actions,
        [
            of("alarm-raised"),
            of("alarm-acknowledged"),
            of("alarm-cleared")
        ]
    );
    // Raised anew it is another alarm.
    commit(raised(lost, "kassa-1/main", "no answer", at(90))).expect("raised");
    let up = fixture.reader().alarms_up().expect("rows");
    assert!(up.iter().all(|new| new.id > row.id) && up.len() == 1);
}

#[test]
fn every_kind_of_alarm_is_known_to_the_schema_and_texts_are_cut() {
    let fixture = Fixture::new();
    let long = "ä".repeat(5000);
    for kind in AlarmKind::ALL {
        assert_eq!(kind.as_str().parse::<AlarmKind>().expect("text"), *kind);
        let change = raised(*kind, &long, &long, T0);
        fixture
            .catalog
            .commit(Change::Alarm(change), None)
            .unwrap_or_else(|e| panic!("{kind}: {e}"));
    }
    let change = raised(AlarmKind::Gap, "kassa-1/sub", "", T0);
    fixture
        .catalog
        .commit(Change::Alarm(change), None)
        .expect("an empty detail");
    let up = fixture.reader().alarms_up().expect("rows");
    assert_eq!(up.len(), AlarmKind::ALL.len() + 1);
    assert!(up.iter().all(|row| row.object.chars().count() <= 200));
    assert_eq!(fixture.reader().alarms(3).expect("rows").len(), 3);
}
