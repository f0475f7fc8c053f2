//! Disclosures as a whole: who may take which step.

mod moves;

use std::cell::Cell;

use serde_json::json;

use crate::access::Directory;
use crate::base::error::{Kind, Result};
use crate::base::hash::Digest;
use crate::base::id::{BoxId, CameraId, DisclosureId, PersonId};
use crate::base::time::{Span, Wall};
use crate::base::zone::Zone;
use crate::catalog::{
    AccountRow, Cameras, Catalog, Change, DisclosureCamera, DisclosureFilter, DisclosureGap,
    DisclosureKind, DisclosureRow, DisclosureState, GrantRow, HoldKind, Language, PeopleChange,
    Role, Undertaking, Validity,
};
use crate::config::Catalogue;
use crate::disclosure::act::{By, Desk};
use crate::disclosure::decide::Decision;
use crate::disclosure::form::{Form, Refused};
use crate::disclosure::hand_over::HandOver;
use crate::disclosure::register;

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;
/// 2026-11-25T12:00:00Z.
const NOW: Wall = Wall::from_secs(1_795_608_000);

struct Scene {
    _dir: tempfile::TempDir,
    catalog: Catalog,
    catalogue: Catalogue,
    persons: Vec<PersonId>,
    now: Cell<Wall>,
}

/// Who there is, by place: managers of kassa-1 (the second approves), of ovi-2 (who approves), two controllers, an auditor.
const ASKER: usize = 0;
const APPROVER: usize = 1;
const ELSEWHERE: usize = 2;
const CONTROLLER: usize = 3;
const DEPUTY: usize = 4;
const AUDITOR: usize = 5;
const ROLES: [(Role, &str, bool); 6] = [
    (Role::Manager, "kassa-1", false),
    (Role::Manager, "kassa-1", true),
    (Role::Manager, "ovi-2", true),
    (Role::Controller, "", false),
    (Role::Controller, "", false),
    (Role::Auditor, "", false),
];

fn camera(id: &str) -> CameraId {
    id.parse().expect("an id")
}

impl Scene {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let catalog = Catalog::open(&dir.path().join("catalog"), BoxId::random());
        let scene = Self {
            catalog: catalog.expect("a catalog"),
            catalogue: Catalogue::shipped().expect("a catalogue"),
            persons: ROLES.iter().map(|_| PersonId::random()).collect(),
            now: Cell::new(NOW),
            _dir: dir,
        };
        for (place, (role, only, approves)) in ROLES.into_iter().enumerate() {
            scene.add(place, role, only, approves);
        }
        scene
    }

    fn people(&self, change: PeopleChange) {
        self.catalog
            .commit(Change::from(change), None)
            .expect("changed");
    }

    fn add(&self, place: usize, role: Role, only: &str, approves: bool) {
        let (person, name) = (self.persons[place], format!("person{place}"));
        self.people(PeopleChange::Added(Box::new(AccountRow {
            person,
            name: name.clone(),
            display: name.clone(),
            language: Language::Fi,
            undertaking: Some(Undertaking {
                version: "1".to_owned(),
                signed: NOW,
                until: None,
            }),
            valid: Validity {
                from: NOW.plus_us(-DAY),
                until: None,
            },
            added: NOW,
            removed: None,
            reviewed: None,
            signed_in: None,
        })));
        self.people(PeopleChange::Keys {
            person,
            name,
            row: "{}".to_owned(),
        });
        self.people(PeopleChange::Granted(Box::new(GrantRow {
            number: 0,
            person,
            role,
            cameras: if only.is_empty() {
                Cameras::All
            } else {
                Cameras::Only(vec![camera(only)])
            },
            approves,
            since: NOW.plus_us(-DAY),
            by: "console".to_owned(),
            until: None,
            confirmed: Some((NOW, "shares".to_owned())),
            ended: None,
        })));
    }

    fn by(&self, place: usize) -> By {
        let (role, only, _) = ROLES[place];
        By {
            person: self.persons[place].to_string(),
            role,
            cameras: if only.is_empty() {
                Cameras::All
            } else {
                Cameras::Only(vec![camera(only)])
            },
            detail: json!({ "name": format!("person{place}") }),
            with: Vec::new(),
        }
    }

    fn desk<T>(&self, act: impl FnOnce(&Desk<'_>) -> T) -> T {
        let directory = Directory::read(&self.catalog.reader().expect("reader")).expect("people");
        act(&Desk {
            catalog: &self.catalog,
            catalogue: &self.catalogue,
            directory: &directory,
            after_release_s: 14 * 86_400,
            now: self.now.get(),
        })
    }

    fn draft(&self, kind: DisclosureKind, form: Form) -> DisclosureRow {
        let drafted = self.desk(|desk| desk.draft(&self.by(ASKER), kind, form));
        drafted.expect("a draft")
    }

    fn request(&self, row: &DisclosureRow) -> Result<DisclosureRow, Refused> {
        let of = (row.disclosure, row.version);
        self.desk(|desk| desk.request(&self.by(ASKER), of, Zone::UTC, &snapped))
    }

    fn asked(&self, kind: DisclosureKind) -> DisclosureRow {
        self.request(&self.draft(kind, form(kind)))
            .expect("asked for")
    }

    fn decide(
        &self,
        place: usize,
        id: DisclosureId,
        what: Decision,
    ) -> Result<DisclosureRow, Kind> {
        let by = self.by(place);
        let decided = self.desk(|desk| desk.decide(&by, id, (what, "it is needed")));
        decided.map_err(|e| e.kind())
    }

    fn approve(&self, place: usize, id: DisclosureId) -> Result<DisclosureRow, Kind> {
        self.decide(place, id, Decision::Approve)
    }

    /// Whether a package may be made, and if so, makes one: the manifest alone.
    fn prepare(&self, place: usize, id: DisclosureId) -> Result<(), Kind> {
        let by = self.by(place);
        let done = self.desk(|desk| {
            let permitted = desk.permit_by(&by, id)?;
            let (row, _) = desk.find(&self.catalog.reader()?, permitted.disclosure)?;
            let manifest = Digest([3; 32]);
            let entry = self.catalog.note(desk.proved(&by, &row, manifest))?;
            let of = (manifest, entry.expect("an entry"));
            self.catalog
                .commit(desk.prepared(&by, permitted.disclosure, of), None)
        });
        done.map_err(|e| e.kind())
    }

    fn hand_over(&self, place: usize, id: DisclosureId) -> Result<DisclosureRow, Kind> {
        let how = HandOver {
            to: "ylikonstaapeli".to_owned(),
            at: self.now.get(),
            identity: "virkamerkki".to_owned(),
            medium: "USB 12".to_owned(),
            encryption: None,
            copies_until: None,
        };
        let by = self.by(place);
        self.desk(|desk| desk.hand_over(&by, id, &how))
            .map_err(|e| e.kind())
    }

    fn held(&self, row: &DisclosureRow) -> crate::catalog::HoldRow {
        let hold = row.asked.as_ref().expect("asked for").hold;
        let found = self.catalog.reader().expect("reader").hold(hold);
        found.expect("read").expect("a hold")
    }
}

/// What footage says: groups of two seconds, and a hole.
fn snapped(camera: &CameraId, asked: Span) -> Result<DisclosureCamera> {
    Ok(DisclosureCamera {
        camera: camera.clone(),
        name: "Kassa 1".to_owned(),
        asked,
        given: Span {
            start: asked.start.plus_us(-SECOND),
            end: asked.end.plus_us(SECOND),
        },
        gaps: vec![DisclosureGap {
            span: Span {
                start: asked.start,
                end: asked.start.plus_us(SECOND),
            },
            cause: "camera-silent".to_owned(),
        }],
    })
}

/// A form that is whole, for whatever kind.
fn form(kind: DisclosureKind) -> Form {
    use DisclosureKind as K;
    let text = |text: &str| Some(text.to_owned());
    let (basis, purpose, recipient) = match kind {
        K::AuthorityRequest | K::Viewing | K::Oral => {
            ("police-request", "crime-investigation", "police")
        }
        K::OwnInitiative => ("own-initiative", "offence-report", "police"),
        K::Seizure => ("seizure", "crime-investigation", "police"),
        K::AccessRequest => ("right-of-access", "data-subject-access", "data-subject"),
        K::Internal => ("employee-use", "employee-accident", "supervisor"),
        K::Maintenance => ("maintenance", "false-alarm", "processor"),
    };
    Form {
        received: Some(NOW.plus_us(-3600 * SECOND)),
        channel: text("puhelin"),
        recipient: text(recipient),
        organisation: text("Helsingin poliisilaitos"),
        person: text("ylikonstaapeli 1"),
        rank: text("ylikonstaapeli"),
        unit: text("rikostutkinta"),
        contact: text("vaihteen kautta"),
        verified_how: text("soitettu takaisin vaihteen kautta"),
        case_number: text("5560/R/1234/26"),
        basis: text(basis),
        purpose: text(purpose),
        necessity: text("Teko näkyy kassan kuvassa."),
        appearance: text("punainen takki"),
        cameras: vec![camera("kassa-1")],
        start: Some(NOW.plus_us(-7200 * SECOND)),
        end: Some(NOW.plus_us(-6900 * SECOND)),
        ..Form::default()
    }
}

fn faults<T: std::fmt::Debug>(refused: Result<T, Refused>) -> Vec<&'static str> {
    match refused {
        Err(Refused::Fields(faults)) => faults.into_iter().map(|fault| fault.field).collect(),
        other => panic!("no field was refused: {other:?}"),
    }
}

#[test]
fn each_missing_field_blocks_by_its_name() {
    let scene = Scene::new();
    for kind in DisclosureKind::ALL {
        let rules = scene.catalogue.kind(kind.as_str()).expect("rules").clone();
        let always = ["basis", "purpose", "recipient", "cameras", "start", "end"];
        for field in rules.mandatory.iter().map(String::as_str).chain(always) {
            let mut whole = serde_json::to_value(form(*kind)).expect("JSON");
            whole.as_object_mut().expect("an object").remove(field);
            let lacking = Form::read(&whole).expect("a form");
            let draft = scene.draft(*kind, lacking);
            assert_eq!(faults(scene.request(&draft)), [field], "{kind}");
            scene
                .desk(|desk| desk.discard(&scene.by(ASKER), draft.disclosure))
                .expect("gone");
        }
        let whole = scene.draft(*kind, form(*kind));
        scene.request(&whole).expect("whole");
    }
    let reader = scene.catalog.reader().expect("reader");
    assert_eq!(
        reader.next_serial(2026).expect("next").number,
        9,
        "what was refused took no number"
    );
    // A reason why there is no case number stands for it.
    let absent = Form {
        case_number: None,
        case_absent: Some("ei vielä kirjattu".to_owned()),
        ..form(DisclosureKind::Seizure)
    };
    scene
        .request(&scene.draft(DisclosureKind::Seizure, absent))
        .expect("whole");
}

#[test]
fn what_is_not_kept_is_refused_in_every_field() {
    let scene = Scene::new();
    let whole = serde_json::to_value(form(DisclosureKind::Seizure)).expect("JSON");
    for field in [
        "channel",
        "organisation",
        "person",
        "rank",
        "unit",
        "contact",
        "verified_how",
        "case_number",
        "case_absent",
        "necessity",
        "appearance",
        "secret_reason",
    ] {
        for text in ["hetu 131052-308T", "passi PB1234567"] {
            let mut bad = whole.clone();
            bad[field] = text.into();
            let bad = Form::read(&bad).expect("a form");
            let drafted =
                scene.desk(|desk| desk.draft(&scene.by(ASKER), DisclosureKind::Seizure, bad));
            assert_eq!(faults(drafted), [field]);
        }
    }
    let row = scene.asked(DisclosureKind::Seizure);
    for reason in ["", "131052-308T"] {
        let by = scene.by(APPROVER);
        let decided =
            scene.desk(|desk| desk.decide(&by, row.disclosure, (Decision::Approve, reason)));
        assert_eq!(decided.map_err(|e| e.kind()).err(), Some(Kind::Invalid));
    }
}

#[test]
fn asking_holds_exactly_what_may_be_given_until_it_is_over() {
    let scene = Scene::new();
    let row = scene.asked(DisclosureKind::AuthorityRequest);
    let asked = row.asked.clone().expect("asked for");
    let held = scene.held(&row);
    assert_eq!(
        (held.kind, held.span),
        (HoldKind::Case, asked.cameras[0].given)
    );
    assert_eq!(held.cameras, [camera("kassa-1")].into());
    let id = row.disclosure;
    scene.approve(CONTROLLER, id).expect("approved");
    scene.prepare(ASKER, id).expect("prepared");
    scene.hand_over(ASKER, id).expect("handed over");
    assert!(scene.held(&row).ended.is_none());
    let by = scene.by(ASKER);
    scene
        .desk(|desk| desk.receive(&by, id, "allekirjoitettu"))
        .expect("received");
    let end = scene.held(&row).ended.expect("over");
    assert_eq!(end.gone, scene.now.get().plus_us(14 * DAY));
    // What a data subject asked for stays when it is refused: they may complain.
    let access = scene.asked(DisclosureKind::AccessRequest);
    assert_eq!(
        access.asked.as_ref().and_then(|a| a.due),
        Wall::parse_rfc3339("2026-12-25T11:00:00Z")
    );
    scene
        .decide(CONTROLLER, access.disclosure, Decision::Refuse)
        .expect("refused");
    assert!(scene.held(&access).ended.is_none());
    let other = scene.asked(DisclosureKind::Maintenance);
    scene
        .decide(CONTROLLER, other.disclosure, Decision::Refuse)
        .expect("refused");
    assert!(scene.held(&other).ended.is_some());
}

#[test]
fn only_another_person_with_the_right_approves() {
    let scene = Scene::new();
    let id = scene.asked(DisclosureKind::AuthorityRequest).disclosure;
    assert_eq!(scene.approve(ASKER, id).err(), Some(Kind::Denied));
    assert_eq!(scene.approve(AUDITOR, id).err(), Some(Kind::Denied));
    assert_eq!(
        scene.approve(ELSEWHERE, id).err(),
        Some(Kind::Denied),
        "another camera"
    );
    // The asker becomes a controller as well: it is the same person all the same.
    scene.people(PeopleChange::Granted(Box::new(GrantRow {
        number: 0,
        person: scene.persons[ASKER],
        role: Role::Controller,
        cameras: Cameras::All,
        approves: false,
        since: NOW,
        by: "console".to_owned(),
        until: None,
        confirmed: Some((NOW, "shares".to_owned())),
        ended: None,
    })));
    assert_eq!(scene.approve(ASKER, id).err(), Some(Kind::Denied));
    let row = scene.approve(APPROVER, id).expect("approved");
    assert_eq!(row.state, DisclosureState::Approved);
    let frozen = row.frozen.expect("texts");
    assert!(
        frozen["basis"]["texts"]["fi"]
            .as_str()
            .expect("text")
            .contains("872/2011")
    );
    assert!(frozen["note"]["fi"].as_str().is_some());
    let again = scene.approve(CONTROLLER, id).err();
    assert_eq!(again, Some(Kind::Exists));
    let access = scene.asked(DisclosureKind::AccessRequest).disclosure;
    assert_eq!(
        scene.approve(APPROVER, access).err(),
        Some(Kind::Denied),
        "a controller's"
    );
    scene.approve(DEPUTY, access).expect("approved");
}

#[test]
fn an_approver_who_is_none_any_more_stops_it_until_another_approves() {
    let scene = Scene::new();
    let ask = || {
        let id = scene.asked(DisclosureKind::Seizure).disclosure;
        scene.approve(APPROVER, id).expect("approved");
        id
    };
    let (one, two) = (ask(), ask());
    scene.prepare(ASKER, one).expect("prepared");
    let expires = Validity {
        from: NOW.plus_us(-DAY),
        until: Some(NOW.plus_us(SECOND)),
    };
    scene.people(PeopleChange::Validity(scene.persons[APPROVER], expires));
    scene.now.set(NOW.plus_us(2 * SECOND));
    assert_eq!(scene.prepare(ASKER, two), Err(Kind::Denied), "expired");
    assert_eq!(scene.prepare(ASKER, one), Err(Kind::Denied));
    assert_eq!(scene.hand_over(ASKER, one).err(), Some(Kind::Denied));
    scene.approve(CONTROLLER, two).expect("approved anew");
    scene.prepare(ASKER, two).expect("prepared");
    scene.people(PeopleChange::Rested(scene.persons[CONTROLLER]));
    assert_eq!(scene.prepare(ASKER, two), Err(Kind::Denied), "resting");
}

#[test]
fn use_about_employees_needs_two_approvers() {
    let scene = Scene::new();
    let id = scene.asked(DisclosureKind::Internal).disclosure;
    let first = scene.approve(APPROVER, id).expect("the first");
    assert_eq!(first.state, DisclosureState::Requested);
    assert_eq!(scene.prepare(ASKER, id), Err(Kind::Exists));
    assert_eq!(scene.approve(APPROVER, id).err(), Some(Kind::Exists));
    let second = scene.approve(CONTROLLER, id).expect("the second");
    assert_eq!(second.state, DisclosureState::Approved);
    scene.prepare(ASKER, id).expect("prepared");
}

#[test]
fn what_is_shown_or_told_has_no_package() {
    let scene = Scene::new();
    for kind in [DisclosureKind::Viewing, DisclosureKind::Oral] {
        let row = scene.asked(kind);
        let id = row.disclosure;
        assert_eq!(
            scene.hand_over(ASKER, id).err(),
            Some(Kind::Denied),
            "not approved"
        );
        scene.approve(CONTROLLER, id).expect("approved");
        assert_eq!(scene.prepare(ASKER, id), Err(Kind::Exists));
        let shown = scene.hand_over(ASKER, id).expect("shown");
        assert_eq!(
            (shown.state, shown.copies_until),
            (DisclosureState::HandedOver, None)
        );
        assert!(scene.held(&row).ended.is_some());
    }
}

#[test]
fn the_register_shows_each_what_is_theirs_and_tells_what_was_tampered_with() {
    let scene = Scene::new();
    let one = scene.asked(DisclosureKind::Seizure).disclosure;
    scene.draft(DisclosureKind::Seizure, Form::default());
    let seen = |place| {
        let filter = scene.desk(|desk| desk.known(&scene.by(place), DisclosureFilter::default()));
        let reader = scene.catalog.reader().expect("reader");
        let page = reader.find_disclosures(&filter, None, 10).expect("found");
        (page.rows, page.searched)
    };
    let count = |place| seen(place).0.len();
    assert_eq!(count(ASKER), 2, "the draft too");
    assert_eq!([count(CONTROLLER), count(AUDITOR)], [1, 1]);
    assert_eq!(count(APPROVER), 1, "it waits");
    assert_eq!(count(ELSEWHERE), 0, "of no camera of theirs");
    scene.approve(CONTROLLER, one).expect("approved");
    assert_eq!(count(APPROVER), 0, "it waits no more, and is not theirs");
    let (rows, searched) = seen(AUDITOR);
    assert_eq!(searched, 1);
    let reader = scene.catalog.reader().expect("reader");
    let good = register::agreement(&reader, &rows).expect("compared");
    assert_eq!((good.entries, good.wrong.len()), (3, 0));
    let mark = |place| {
        let by = scene.by(place);
        scene
            .desk(|desk| desk.review(&by, one, Some("nähty")))
            .map_err(|e| e.kind())
    };
    assert_eq!(mark(CONTROLLER).err(), Some(Kind::Denied));
    mark(AUDITOR).expect("marked");
    let reviews = reader.disclosure_reviews(one).expect("read");
    assert_eq!(reviews[0].remark.as_deref(), Some("nähty"));
}
