//! What was promised of disclosures is told of in time, and is over when it is done.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;

use super::*;
use crate::alarm::{Step, Thresholds, Tracker, due};
use crate::base::Clock as _;
use crate::base::clock::SimulatedClock;
use crate::base::hash::Digest;
use crate::base::id::{BoxId, DisclosureId, HoldId};
use crate::catalog::{
    AlarmKind, Asked, Catalog, DisclosureChange, DisclosureKind, DisclosureRow, Event, NewRequest,
    Stepped, What,
};
use crate::config::Config;

const DAY: Duration = Duration::from_secs(86_400);
const ONE: DisclosureId = DisclosureId(10_000_001);

struct Desk {
    catalog: Catalog,
    clock: std::sync::Arc<SimulatedClock>,
    config: Config,
    tracker: Tracker,
    _dir: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let catalog = Catalog::open(&dir.path().join("catalog"), BoxId::random());
        let text = r#"[site]
name = "Myymälä 1"

[[volume]]
name = "levy-1"
path = "/srv/sinetti"

[[camera]]
id = "kassa-1"
name = "Kassa 1"
area = "Kassat"
address = "192.168.10.21"
main = "/stream1"
purposes = ["protection-of-property"]
"#;
        Self {
            catalog: catalog.expect("a catalog"),
            clock: SimulatedClock::at(Wall::parse_rfc3339("2026-11-25T12:00:00Z").expect("a time")),
            config: crate::config::parse(text, dir.path()).expect("a configuration"),
            tracker: Tracker::default(),
            _dir: dir,
        }
    }

    fn now(&self) -> Wall {
        self.clock.wall()
    }

    fn commit(&self, change: DisclosureChange) {
        let event = Event::of_box(self.now(), "disclosure", "disclosure", json!({}));
        self.catalog.commit(change, event).expect("written");
    }

    fn step(&self, what: What) {
        self.commit(DisclosureChange::Stepped(Box::new(Stepped {
            disclosure: ONE,
            at: self.now(),
            by: "controller".to_owned(),
            detail: json!({}),
            what,
        })));
    }

    /// A data subject asks; the answer is due in a month.
    fn asked(&self) {
        let row = DisclosureRow::draft(
            ONE,
            DisclosureKind::AccessRequest,
            json!({}),
            ("manager", self.now()),
        );
        self.commit(DisclosureChange::Drafted(Box::new(row)));
        let serial = Serial {
            year: 2026,
            number: 1,
        };
        let asked = Asked {
            serial,
            at: self.now(),
            due: Some(self.now().plus_us(30 * DAY_US)),
            hold: HoldId(200_000),
            basis: "access".to_owned(),
            purpose: "access".to_owned(),
            recipient: "a data subject".to_owned(),
            approvers: 1,
            cameras: Vec::new(),
        };
        self.commit(DisclosureChange::Requested(Box::new(NewRequest {
            disclosure: ONE,
            version: 1,
            form: json!({}),
            secret: false,
            asked,
            by: "manager".to_owned(),
            detail: json!({}),
        })));
    }

    /// What a look at this moment raises; what was raised before and is not wrong any more is over.
    fn due(&mut self) -> BTreeSet<(AlarmKind, String)> {
        let reader = self.catalog.reader().expect("a reader");
        let found = due_soon(&reader, self.now()).expect("read");
        let facts = Facts {
            promised: promised(&found, &self.config),
            ..Facts::default()
        };
        let wrong = due(&facts, &Thresholds::standard(Duration::from_secs(15)));
        let steps = self.tracker.steps(self.clock.mono(), &wrong, &[]);
        let raised = steps.into_iter().filter_map(|step| match step {
            Step::Raise { kind, detail, .. } => Some((kind, detail)),
            Step::Clear { .. } => None,
        });
        raised.collect()
    }
}

fn one(kind: AlarmKind, detail: &str) -> BTreeSet<(AlarmKind, String)> {
    [(kind, detail.to_owned())].into()
}

#[test]
fn an_answer_is_told_of_a_week_ahead_and_own_copies_a_day() {
    let mut desk = Desk::new();
    desk.asked();
    desk.clock.advance(23 * DAY - Duration::from_secs(1));
    assert_eq!(desk.due(), BTreeSet::new());
    desk.clock.advance(Duration::from_secs(1));
    let answer = one(AlarmKind::AnswerDue, "2026-0001 by 2026-12-25");
    assert_eq!(desk.due(), answer);
    desk.step(What::Approve {
        enough: true,
        frozen: json!({}),
    });
    desk.step(What::Prepare {
        manifest: Digest([7; 32]),
        entry: 1,
    });
    // Late is not over.
    desk.clock.advance(9 * DAY);
    assert_eq!(desk.due(), answer);
    desk.step(What::HandOver {
        handed: desk.now(),
        copies_until: Some(desk.now().plus_us(14 * DAY_US)),
    });
    assert_eq!(desk.due(), BTreeSet::new(), "it is answered");
    desk.clock.advance(13 * DAY - Duration::from_secs(1));
    desk.step(What::Receive);
    assert_eq!(desk.due(), BTreeSet::new());
    desk.clock.advance(Duration::from_secs(1));
    let copies = one(AlarmKind::CopiesDue, "2026-0001 by 2027-01-10");
    assert_eq!(desk.due(), copies);
    desk.clock.advance(30 * DAY);
    assert_eq!(desk.due(), copies);
    desk.step(What::Destroy);
    assert_eq!(desk.due(), BTreeSet::new());
}
