//! Who opens what was recorded: keys, not checks.

use super::{DAY, Phone, Scene, T0, console, undertaking};
use crate::access::credential;
use crate::access::keys::{self, HolderWarning, Why};
use crate::access::people::{PeopleAct, new_enrolment};
use crate::access::{Role, acts};
use crate::base::id::{GenerationId, PersonId};
use crate::base::time::Wall;
use crate::catalog::{Catalog, Reader, Validity, WrapRow};
use crate::vault::generation;
use crate::vault::identity::Identity;

const DAY_US: i64 = 86_400_000_000;

fn reader(scene: &Scene) -> Reader {
    scene.catalog.reader().expect("reader")
}

fn current(scene: &Scene) -> GenerationId {
    let row = reader(scene).current_generation().expect("query");
    row.expect("one").generation
}

fn holders(scene: &Scene) -> Vec<PersonId> {
    reader(scene).holders(current(scene)).expect("query")
}

/// A person's own key, as their password opens it.
fn identity(scene: &Scene, name: &str) -> Identity {
    let row = reader(scene).person(name).expect("query").expect("keys");
    let keys = credential::keys_of(&row).expect("keys");
    keys.open(super::PASSWORD).expect("opens")
}

/// Whether a key opens a generation with any of the wraps that are to be had.
fn opens(scene: &Scene, id: GenerationId, with: &Identity, wraps: &[WrapRow]) -> bool {
    let rows = reader(scene).generations().expect("query");
    let row = rows.iter().find(|row| row.generation == id).expect("row");
    let public = keys::public(row).expect("public");
    wraps
        .iter()
        .any(|wrap| generation::open(&public, &wrap.bytes, with).is_ok())
}

fn revoke(name: &str) -> PeopleAct {
    PeopleAct::Revoke {
        name: name.to_owned(),
        role: None,
    }
}

async fn confirm(scene: &Scene, by: &Phone, name: &str) -> usize {
    let token = scene.sign_in(by).await;
    let who = scene.may::<acts::ConfirmRights>(&token, None).expect("may");
    let key = identity(scene, name).recipient().fingerprint();
    let confirmed = scene.access.confirm_rights(&who, name, &key);
    confirmed.expect("confirmed")
}

/// A box with a controller and a confirmed manager.
async fn two() -> (Scene, Phone, Phone) {
    let scene = Scene::new();
    let boss = scene.person("boss", Role::Controller, &[]).await;
    let manager = scene.person("manager", Role::Manager, &["kassa-1"]).await;
    confirm(&scene, &boss, "manager").await;
    (scene, boss, manager)
}

#[tokio::test]
async fn before_anybody_enrols_only_the_recovery_identity_opens() {
    let scene = Scene::new();
    assert_eq!(holders(&scene), []);
    let wrap = reader(&scene).wrap_for_recovery(current(&scene));
    let wraps: Vec<_> = wrap.expect("query").into_iter().collect();
    assert!(opens(&scene, current(&scene), &scene.recovery, &wraps));
    assert_eq!(scene.access.holder_warning(), Some(HolderWarning::Nobody));
    scene.person("boss", Role::Controller, &[]).await;
    assert_eq!(holders(&scene), [scene.id("boss")], "the first of persons");
    assert_eq!(scene.access.holder_warning(), None);
    let made = scene.made.lock().expect("made").len();
    assert_eq!(made, 2, "and the recorder was told of both");
}

#[tokio::test]
async fn who_may_not_play_back_has_no_wrap_and_no_open_key() {
    let (scene, ..) = two().await;
    for (name, role) in [
        ("auditor", Role::Auditor),
        ("admin", Role::Admin),
        ("fitter", Role::Maintenance),
        ("staff", Role::Staff),
    ] {
        let phone = scene.person(name, role, &["kassa-1"]).await;
        let token = scene.sign_in(&phone).await;
        let person = scene.id(name);
        assert_eq!(reader(&scene).wraps(person).expect("query"), [], "{name}");
        assert!(!holders(&scene).contains(&person));
        // Even where a route forgets to ask for the right: there is nothing to open with.
        let who = scene.may::<acts::Own>(&token, None).expect("signed in");
        assert!(!who.vault().is_open(), "{name}");
        let own = identity(&scene, name);
        let all: Vec<_> = reader(&scene)
            .generations()
            .expect("query")
            .into_iter()
            .flat_map(|row| {
                let read = reader(&scene);
                let holders = read.holders(row.generation).expect("query");
                let wraps = holders
                    .into_iter()
                    .flat_map(move |person| read.wrap(row.generation, person).expect("query"));
                wraps.collect::<Vec<_>>()
            })
            .collect();
        assert!(!all.is_empty());
        assert!(!opens(&scene, current(&scene), &own, &all), "{name}");
    }
}

#[tokio::test]
async fn whoever_is_revoked_reset_expired_or_lapsed_opens_nothing_recorded_afterwards() {
    let name = || "manager".to_owned();
    let (_, enrolment) = new_enrolment().expect("token");
    let acts = [
        revoke("manager"),
        PeopleAct::Revoke {
            name: name(),
            role: Some(Role::Manager),
        },
        PeopleAct::Reset {
            name: name(),
            factor_only: false,
            enrolment,
        },
        PeopleAct::Reset {
            name: name(),
            factor_only: true,
            enrolment,
        },
        PeopleAct::Undertaking {
            name: name(),
            undertaking: None,
        },
        PeopleAct::Undertaking {
            name: name(),
            undertaking: undertaking(Some(T0.plus_us(DAY_US))),
        },
        PeopleAct::Validity {
            name: name(),
            valid: Validity {
                from: T0,
                until: Some(T0.plus_us(DAY_US)),
            },
        },
    ];
    for act in acts {
        let (scene, ..) = two().await;
        let (person, own) = (scene.id("manager"), identity(&scene, "manager"));
        assert!(holders(&scene).contains(&person));
        let before = current(&scene);
        // A copy of the state folder, taken while the rights were there.
        let copy = reader(&scene).wraps(person).expect("query");
        assert!(opens(&scene, before, &own, &copy));
        scene.change(&act);
        scene.clock.advance(DAY);
        scene.access.tick().expect("tick");
        let after = current(&scene);
        assert_ne!(after, before, "{act:?}");
        assert_eq!(holders(&scene), [scene.id("boss")], "{act:?}");
        let now = reader(&scene).wraps(person).expect("query");
        let wraps = [copy, now].concat();
        assert!(!opens(&scene, after, &own, &wraps), "{act:?}");
        let told = scene.made.lock().expect("made").last().cloned();
        assert_eq!(
            told.expect("told").id,
            after,
            "the recorder takes it into use"
        );
    }
}

#[tokio::test]
async fn a_new_holder_gets_what_comes_by_the_public_key_and_the_past_from_a_holder() {
    let (scene, boss, _) = two().await;
    scene.clock.advance(40 * DAY);
    scene.access.tick().expect("tick");
    scene.person("second", Role::Controller, &[]).await;
    let (person, own) = (scene.id("second"), identity(&scene, "second"));
    assert_eq!(reader(&scene).wraps(person).expect("query"), [], "it rests");
    let missing = keys::missing(&reader(&scene), person).expect("query");
    assert!(missing.len() >= 2, "a month's, and the present one");
    let left = confirm(&scene, &boss, "second").await;
    assert_eq!(left, 0);
    let wraps = reader(&scene).wraps(person).expect("query");
    for row in &missing {
        assert!(opens(&scene, row.generation, &own, &wraps));
    }
    assert!(opens(&scene, current(&scene), &own, &wraps));
    // What comes needs nobody's vault.
    scene.clock.advance(40 * DAY);
    scene.access.tick().expect("tick");
    let wraps = reader(&scene).wraps(person).expect("query");
    assert!(opens(&scene, current(&scene), &own, &wraps));
}

#[tokio::test]
async fn after_a_reset_everything_rests_until_a_controller_confirms() {
    let (scene, boss, _) = two().await;
    let (token, enrolment) = new_enrolment().expect("token");
    scene.change(&PeopleAct::Reset {
        name: "manager".to_owned(),
        factor_only: false,
        enrolment,
    });
    let manager = scene.enrol(&token).await;
    let signed = scene.sign_in(&manager).await;
    let playback = scene.may::<acts::Playback>(&signed, Some("kassa-1"));
    assert_eq!(playback.map(drop), Err(crate::access::Refusal::Resting));
    assert!(!holders(&scene).contains(&scene.id("manager")));
    confirm(&scene, &boss, "manager").await;
    assert!(holders(&scene).contains(&scene.id("manager")));
    let signed = scene.sign_in(&manager).await;
    assert!(
        scene
            .may::<acts::Playback>(&signed, Some("kassa-1"))
            .is_ok()
    );
    let own = identity(&scene, "manager");
    let wraps = reader(&scene).wraps(scene.id("manager")).expect("query");
    assert!(opens(&scene, current(&scene), &own, &wraps));
}

#[tokio::test]
async fn a_generation_lasts_a_month_and_nothing_makes_another_without_need() {
    let (scene, ..) = two().await;
    let (first, made) = (current(&scene), scene.made.lock().expect("made").len());
    for _ in 0..5 {
        scene.access.tick().expect("tick");
    }
    assert_eq!(scene.made.lock().expect("made").len(), made);
    scene.clock.advance(31 * DAY);
    scene.access.tick().expect("tick");
    assert_ne!(current(&scene), first);
    let whys: Vec<_> = scene
        .events()
        .into_iter()
        .filter(|row| row.event.action == "generation-added")
        .map(|row| row.event.facts["why"].as_str().expect("why").to_owned())
        .collect();
    assert_eq!(whys.first().map(String::as_str), Some(Why::First.as_str()));
    assert_eq!(whys.last().map(String::as_str), Some(Why::Monthly.as_str()));
    let asked = scene.access.rotate("console").expect("rotates");
    assert_eq!(current(&scene), asked);
}

#[tokio::test]
async fn the_last_holders_end_is_told_of_two_weeks_ahead() {
    let (scene, ..) = two().await;
    let end = T0.plus_us(30 * DAY_US);
    for name in ["boss", "manager"] {
        scene.change(&PeopleAct::Validity {
            name: name.to_owned(),
            valid: Validity {
                from: T0,
                until: Some(if name == "boss" { end } else { end.plus_us(1) }),
            },
        });
    }
    let last = scene.id("manager");
    assert_eq!(scene.access.holder_warning(), None, "30 days ahead");
    scene.clock.advance(16 * DAY);
    let warning = HolderWarning::LastEnds {
        person: last,
        at: end.plus_us(1),
    };
    assert_eq!(scene.access.holder_warning(), Some(warning));
    scene.change(&PeopleAct::Undertaking {
        name: "manager".to_owned(),
        undertaking: undertaking(Some(Wall(end.us() - DAY_US))),
    });
    let warning = HolderWarning::LastEnds {
        person: scene.id("boss"),
        at: end,
    };
    assert_eq!(scene.access.holder_warning(), Some(warning));
    scene.change(&PeopleAct::Validity {
        name: "boss".to_owned(),
        valid: super::forever(),
    });
    assert_eq!(scene.access.holder_warning(), None);
}

#[tokio::test]
async fn two_shares_are_the_way_back_when_nobody_opens_the_past() {
    let (scene, ..) = two().await;
    scene.change(&revoke("manager"));
    let (token, enrolment) = new_enrolment().expect("token");
    scene.change(&PeopleAct::Reset {
        name: "boss".to_owned(),
        factor_only: false,
        enrolment,
    });
    scene.enrol(&token).await;
    assert_eq!(scene.access.holder_warning(), Some(HolderWarning::Nobody));
    let (person, read) = (scene.id("boss"), reader(&scene));
    let directory = scene.access.directory();
    let standing = directory.get(person).expect("boss");
    let missing = keys::missing(&read, person).expect("query");
    let recovery: Vec<_> = missing
        .iter()
        .flat_map(|row| read.wrap_for_recovery(row.generation).expect("query"))
        .collect();
    let own = identity(&scene, "boss");
    let to = own.recipient();
    let wraps = keys::older_wraps(&missing, &recovery, &scene.recovery, person, &to);
    let by = crate::access::confirm::Confirmer {
        person: None,
        used: None,
        detail: serde_json::json!({}),
    };
    let wraps = wraps.expect("wraps");
    assert_eq!(wraps.len(), missing.len());
    let at = scene.now();
    crate::access::confirm::confirm(&scene.catalog, standing, &to, &by, wraps, at)
        .expect("confirmed");
    scene.access.catch_up().expect("catches up");
    assert_eq!(scene.access.holder_warning(), None);
    let wraps = reader(&scene).wraps(person).expect("query");
    for row in &missing {
        assert!(opens(&scene, row.generation, &own, &wraps));
    }
    assert_eq!(scene.count("recovery-used", "ok"), 1);
}

#[tokio::test]
async fn what_nothing_is_recorded_under_any_more_is_destroyed_after_two_days() {
    let (scene, ..) = two().await;
    scene.clock.advance(DAY);
    scene.change(&revoke("manager"));
    let before = reader(&scene).generations().expect("query").len();
    assert_eq!(before, 3);
    scene.clock.advance(3 * DAY);
    scene.access.tick().expect("tick");
    let open = |id| {
        reader(&scene)
            .wrap_for_recovery(id)
            .expect("query")
            .is_some()
    };
    let rows = reader(&scene).generations().expect("query");
    for row in &rows {
        assert_eq!(open(row.generation), row.current, "{row:?}");
    }
    let left = keys::missing(&reader(&scene), scene.id("boss")).expect("query");
    assert_eq!(left, [], "nobody waits for what is gone");
    assert_eq!(scene.count("generation-destroyed", "ok"), rows.len() - 1);
}

#[tokio::test]
async fn a_box_of_the_first_version_keeps_its_person_as_controller() {
    let scene = Scene::new();
    let boss = scene.person("boss", Role::Controller, &[]).await;
    drop(boss);
    let path = scene.dir.path().join("old.db");
    let person = PersonId::random();
    crate::catalog::first_version(&path, scene.box_id, person, "manager1").expect("old");
    let catalog = Catalog::open(&path, scene.box_id).expect("migrates");
    let reader = catalog.reader().expect("reader");
    assert_eq!(
        reader.integrity_check().expect("check"),
        Vec::<String>::new()
    );
    let directory = crate::access::Directory::read(&reader).expect("directory");
    let standing = directory.named("manager1").expect("there");
    let now = Wall(i64::MAX / 2);
    assert_eq!(standing.check(now), Ok(()));
    assert!(standing.opens_vault(now));
    let roles: Vec<_> = standing.roles(now).into_iter().collect();
    assert_eq!(roles, [Role::Controller]);
    let due = keys::due(&reader, &directory, reader.meta().expect("meta").created);
    assert_eq!(
        due.expect("query"),
        None,
        "what it recorded goes on opening"
    );
    // The second factor is the one thing that it lacks; setting it changes no right.
    let (_, enrolment) = new_enrolment().expect("token");
    let act = PeopleAct::Reset {
        name: "manager1".to_owned(),
        factor_only: true,
        enrolment,
    };
    let at = Wall::from_secs(4_000_000_000);
    crate::access::people::perform(&catalog, &act, &console(), at).expect("offered");
    let directory = crate::access::Directory::read(&reader).expect("directory");
    assert!(directory.named("manager1").expect("there").opens_vault(now));
}
