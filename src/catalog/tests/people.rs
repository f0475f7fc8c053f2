//! Persons and rights as the catalog keeps them.

use super::{Fixture, T0, kind, sound};
use crate::base::error::Kind;
use crate::base::hash::Digest;
use crate::base::id::{GenerationId, PersonId};
use crate::base::time::Wall;
use crate::catalog::{
    AccountRow, Cameras, Change, EnrolmentKind, EnrolmentRow, GrantRow, Language, Noted,
    PeopleChange, Role, Undertaking, Validity,
};

fn account(person: PersonId, name: &str) -> AccountRow {
    AccountRow {
        person,
        name: name.to_owned(),
        display: "Anna Ahkera".to_owned(),
        language: Language::Fi,
        undertaking: Some(Undertaking {
            version: "2026-1".to_owned(),
            signed: T0,
            until: Some(T0.plus_us(9)),
        }),
        valid: Validity {
            from: T0,
            until: Some(T0.plus_us(5)),
        },
        added: T0,
        removed: None,
        reviewed: None,
        signed_in: None,
    }
}

fn grant(person: PersonId, role: Role, cameras: Cameras) -> GrantRow {
    GrantRow {
        number: 0,
        person,
        role,
        cameras,
        approves: false,
        since: T0,
        by: "console".to_owned(),
        until: None,
        confirmed: None,
        ended: None,
    }
}

fn added(person: PersonId, name: &str) -> PeopleChange {
    PeopleChange::Added(Box::new(account(person, name)))
}

#[test]
fn what_is_said_of_a_person_is_read_back_and_changed() {
    let f = Fixture::new();
    let anna = PersonId::random();
    f.commit(added(anna, "anna").into()).expect("added");
    let reader = f.reader();
    let row = || reader.account("anna").expect("query").expect("anna");
    assert_eq!(row(), account(anna, "anna"));
    assert_eq!(reader.account_of(anna).expect("query"), Some(row()));
    for (person, name) in [(anna, "other"), (PersonId::random(), "anna")] {
        let again = f.commit(added(person, name).into());
        assert_eq!(kind(again), Some(Kind::Exists));
    }
    let valid = Validity {
        from: T0.plus_us(1),
        until: None,
    };
    for change in [
        PeopleChange::Undertaking(anna, None),
        PeopleChange::Validity(anna, valid),
        PeopleChange::Language(anna, Language::Sv),
        PeopleChange::Noted(anna, Noted::SignedIn, T0.plus_us(2)),
        PeopleChange::Noted(anna, Noted::Reviewed, T0.plus_us(3)),
        PeopleChange::Noted(anna, Noted::Removed, T0.plus_us(4)),
    ] {
        f.commit(change.into()).expect("changed");
    }
    let expected = AccountRow {
        undertaking: None,
        valid,
        language: Language::Sv,
        signed_in: Some(T0.plus_us(2)),
        reviewed: Some(T0.plus_us(3)),
        removed: Some(T0.plus_us(4)),
        ..account(anna, "anna")
    };
    assert_eq!(row(), expected);
    let nobody = PeopleChange::Undertaking(PersonId::random(), None);
    assert_eq!(kind(f.commit(nobody.into())), Some(Kind::NotFound));
    sound(&reader);
}

#[test]
fn a_role_is_held_once_confirmed_rested_and_taken() {
    let f = Fixture::new();
    let anna = PersonId::random();
    let cameras = Cameras::Only(vec![
        "kassa-1".parse().expect("id"),
        "ovi".parse().expect("id"),
    ]);
    let manager = grant(anna, Role::Manager, cameras);
    let staff = grant(anna, Role::Staff, Cameras::All);
    let granted = |row: &GrantRow| Change::from(PeopleChange::Granted(Box::new(row.clone())));
    assert_eq!(kind(f.commit(granted(&manager))), Some(Kind::NotFound));
    let all = vec![
        added(anna, "anna").into(),
        granted(&manager),
        granted(&staff),
    ];
    f.catalog.commit(all, None).expect("granted");
    assert_eq!(kind(f.commit(granted(&manager))), Some(Kind::Exists));
    let rows = f.reader().grants().expect("query");
    let number = rows[0].number;
    let expected = GrantRow {
        number,
        ..manager.clone()
    };
    assert_eq!(rows[0], expected);
    let confirmed = |keys: &str| {
        f.commit(Change::from(PeopleChange::Confirmed {
            person: anna,
            keys: keys.to_owned(),
            at: T0,
            by: "shares".to_owned(),
        }))
    };
    let keys = PeopleChange::Keys {
        person: anna,
        name: "anna".to_owned(),
        row: "{}".to_owned(),
    };
    f.commit(keys.into()).expect("keys");
    assert_eq!(kind(confirmed("{}")), Some(Kind::Denied), "no factor");
    let factor = PeopleChange::Factor {
        person: anna,
        secret: vec![1],
        at: T0,
        codes: Vec::new(),
    };
    f.commit(factor.into()).expect("factor");
    assert_eq!(kind(confirmed("[]")), Some(Kind::Denied), "other keys");
    assert!(f.reader().grants().expect("query")[0].confirmed.is_none());
    confirmed("{}").expect("confirmed");
    let rows = f.reader().grants().expect("query");
    assert!(
        rows.iter()
            .all(|g| g.confirmed == Some((T0, "shares".to_owned())))
    );
    f.commit(PeopleChange::Rested(anna).into()).expect("rests");
    let end = PeopleChange::Ended {
        grant: number,
        at: T0,
    };
    f.commit(end.clone().into()).expect("taken");
    assert_eq!(kind(f.commit(end.into())), Some(Kind::NotFound));
    let rows = f.reader().grants().expect("query");
    assert_eq!(rows[0].ended, Some(T0), "history stays");
    assert!(rows.iter().all(|g| g.confirmed.is_none()));
    f.commit(granted(&manager)).expect("granted anew");
    sound(&f.reader());
}

#[test]
fn a_passphrase_is_changed_only_on_the_keys_it_was_read_from() {
    let f = Fixture::new();
    let anna = PersonId::random();
    let keys = |row: &str| {
        Change::from(PeopleChange::Keys {
            person: anna,
            name: "anna".to_owned(),
            row: row.to_owned(),
        })
    };
    let resealed = || {
        f.commit(Change::from(PeopleChange::Resealed {
            person: anna,
            before: "[1]".to_owned(),
            row: "[2]".to_owned(),
        }))
    };
    f.commit(keys("[1]")).expect("keys");
    resealed().expect("changed");
    // A reset came in between, with and without the enrolment after it.
    f.commit(keys("[3]")).expect("other keys");
    assert_eq!(kind(resealed()), Some(Kind::Denied));
    let row = f.reader().person_of(anna).expect("query").expect("keys");
    assert_eq!(row.row, "[3]");
    f.commit(PeopleChange::KeysDropped(anna).into())
        .expect("dropped");
    assert_eq!(kind(resealed()), Some(Kind::Denied));
    assert_eq!(f.reader().person_of(anna).expect("query"), None);
}

#[test]
fn no_code_is_taken_twice_and_no_older_one() {
    let f = Fixture::new();
    let anna = PersonId::random();
    let codes = [1, 2].map(|n| Digest::sha256(&[&[n]]));
    let factor = |codes: &[Digest]| {
        Change::from(PeopleChange::Factor {
            person: anna,
            secret: vec![7],
            at: T0,
            codes: codes.to_vec(),
        })
    };
    f.catalog
        .commit(vec![added(anna, "anna").into(), factor(&codes)], None)
        .expect("factor");
    let step = |step| f.commit(PeopleChange::StepUsed { person: anna, step }.into());
    step(100).expect("first");
    for used in [100, 99] {
        assert_eq!(kind(step(used)), Some(Kind::Denied));
    }
    step(101).expect("newer");
    let code = |hash| {
        let change = PeopleChange::CodeUsed {
            person: anna,
            hash,
            at: T0,
        };
        f.commit(change.into())
    };
    code(codes[0]).expect("first");
    assert_eq!(kind(code(codes[0])), Some(Kind::Denied));
    assert_eq!(kind(code(Digest([0; 32]))), Some(Kind::Denied));
    let row = f.reader().factor(anna).expect("query").expect("row");
    assert_eq!((row.last_step, row.codes), (101, vec![codes[1]]));
    // A new factor has new codes and no past.
    f.commit(factor(&codes[..1])).expect("anew");
    step(5).expect("its own");
    code(codes[0]).expect("its own");
    f.commit(PeopleChange::FactorDropped(anna).into())
        .expect("dropped");
    assert!(f.reader().factor(anna).expect("query").is_none());
    assert_eq!(kind(step(200)), Some(Kind::Denied));
}

#[test]
fn an_enrolment_is_used_once_in_its_time_and_only_the_last_one() {
    let f = Fixture::new();
    let anna = PersonId::random();
    f.commit(added(anna, "anna").into()).expect("added");
    let offer = |n: u8| EnrolmentRow {
        hash: Digest([n; 32]),
        person: anna,
        kind: EnrolmentKind::New,
        created: T0.plus_us(i64::from(n)),
        expires: T0.plus_us(1000),
    };
    let used = |n: u8, at: Wall| {
        let hash = Digest([n; 32]);
        f.commit(PeopleChange::Enrolled { hash, at }.into())
    };
    for n in [1, 2] {
        f.commit(PeopleChange::Offered(offer(n)).into())
            .expect("offered");
    }
    let open = |n: u8, at: Wall| f.reader().enrolment(&Digest([n; 32]), at).expect("query");
    assert_eq!(open(1, T0), None, "replaced");
    assert_eq!(open(2, T0), Some(offer(2)));
    assert_eq!(open(2, T0.plus_us(1000)), None, "expired");
    let of_anna = f.reader().open_enrolment(anna, T0).expect("query");
    assert_eq!(of_anna, Some(offer(2)));
    assert_eq!(kind(used(1, T0)), Some(Kind::Denied));
    assert_eq!(kind(used(2, T0.plus_us(1000))), Some(Kind::Denied));
    used(2, T0.plus_us(999)).expect("in time");
    assert_eq!(kind(used(2, T0.plus_us(999))), Some(Kind::Denied));
    f.commit(PeopleChange::Offered(offer(3)).into())
        .expect("offered");
    f.commit(PeopleChange::Withdrawn(anna, T0).into())
        .expect("withdrawn");
    assert_eq!(kind(used(3, T0)), Some(Kind::Denied));
}

#[test]
fn a_generation_is_destroyed_only_when_nothing_is_under_it() {
    let f = Fixture::new();
    let (anna, keys) = (PersonId::random(), "{}".to_owned());
    let [old, full, new] = [1, 2, 3].map(|n| GenerationId::from_bytes([n; 16]));
    let mut changes = vec![Change::from(PeopleChange::Keys {
        person: anna,
        name: "anna".to_owned(),
        row: keys,
    })];
    for (generation, at) in [(old, 0), (full, 10), (new, 20)] {
        changes.push(Change::GenerationAdded {
            generation,
            recipient: generation.to_string(),
            created: T0.plus_us(at),
        });
        changes.extend([None, Some(anna)].map(|person| Change::WrapAdded {
            generation,
            person,
            bytes: vec![1],
        }));
    }
    f.catalog.commit(changes, None).expect("generations");
    let mut row = f.row(0, 60_000_000);
    row.generation = full;
    f.commit(Change::SegmentClosed(Box::new(row))).expect("row");
    let reader = f.reader();
    let empty = |before| reader.empty_generations(T0.plus_us(before)).expect("query");
    assert_eq!(empty(10), [], "the one after it is not that old");
    assert_eq!(empty(11), [old]);
    assert_eq!(empty(1000), [old], "neither the full nor the current one");
    for generation in [old, full, new] {
        let gone = PeopleChange::GenerationDestroyed(generation);
        f.commit(gone.into()).expect("done");
    }
    assert_eq!(reader.holders(old).expect("query"), []);
    assert!(reader.wrap_for_recovery(old).expect("query").is_none());
    for generation in [full, new] {
        assert_eq!(reader.holders(generation).expect("query"), [anna]);
        let recovery = reader.wrap_for_recovery(generation).expect("query");
        assert!(recovery.is_some());
    }
    assert_eq!(empty(1000), []);
    // Nobody's keys go while they open something; then they do.
    f.commit(PeopleChange::KeysDropped(anna).into())
        .expect("dropped");
    assert_eq!(reader.wraps(anna).expect("query"), []);
    let held = reader.holders(new).expect("query");
    assert_eq!(held, [anna], "a copy of the wrap may be somewhere");
    assert!(reader.person_of(anna).expect("query").is_none());
    sound(&reader);
}

#[test]
fn every_text_of_a_closed_list_is_known_to_the_schema() {
    let f = Fixture::new();
    for (n, role) in (0_u8..).zip(Role::ALL) {
        let person = PersonId::random();
        let account = AccountRow {
            language: Language::ALL[usize::from(n) % Language::ALL.len()],
            ..account(person, role.as_str())
        };
        let changes: Vec<Change> = vec![
            PeopleChange::Added(Box::new(account)).into(),
            PeopleChange::Granted(Box::new(grant(person, *role, Cameras::All))).into(),
            PeopleChange::Offered(EnrolmentRow {
                hash: Digest([n; 32]),
                person,
                kind: EnrolmentKind::ALL[usize::from(n) % EnrolmentKind::ALL.len()],
                created: T0,
                expires: T0.plus_us(1),
            })
            .into(),
        ];
        f.catalog.commit(changes, None).expect("known");
    }
}
