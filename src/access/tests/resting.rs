//! What rests until a controller stands behind it, and what nobody else can wake.

use zeroize::Zeroizing;

use super::{DAY, Scene, T0, forever, here, only, password, undertaking};
use crate::access::people::{Actor, PeopleAct, new_enrolment};
use crate::access::{EnrolmentToken, Role, SignInError, acts, credential};
use crate::base::error::Kind;
use crate::catalog::Validity;

fn fingerprint(scene: &Scene, name: &str) -> String {
    let reader = scene.catalog.reader().expect("reader");
    let row = reader.person(name).expect("query").expect("keys");
    let keys = credential::keys_of(&row).expect("keys");
    keys.recipient.fingerprint()
}

fn confirmed(scene: &Scene, name: &str) -> bool {
    let directory = scene.access.directory();
    let standing = directory.named(name).expect("known");
    standing.grants.iter().all(|g| g.confirmed.is_some())
}

fn reset(name: &str, factor_only: bool) -> (EnrolmentToken, PeopleAct) {
    let (token, enrolment) = new_enrolment().expect("token");
    let name = name.to_owned();
    let act = PeopleAct::Reset {
        name,
        factor_only,
        enrolment,
    };
    (token, act)
}

fn admin() -> Actor {
    Actor::Person {
        person: crate::base::id::PersonId::random(),
        detail: serde_json::json!({}),
    }
}

#[tokio::test]
async fn a_confirmation_is_of_the_key_that_was_compared() {
    let scene = Scene::new();
    let boss = scene.person("boss", Role::Controller, &[]).await;
    scene.person("manager", Role::Manager, &["ovi"]).await;
    let compared = fingerprint(&scene, "manager");
    let (token, act) = reset("manager", false);
    scene.access.change(&act, &admin()).expect("reset");
    scene.enrol(&token).await;
    let token = scene.sign_in(&boss).await;
    let who = scene.may::<acts::ConfirmRights>(&token, None).expect("may");
    let confirm = |key: &str| scene.access.confirm_rights(&who, "manager", key);
    let denied = confirm(&compared).expect_err("another's key");
    assert_eq!(denied.kind(), Kind::Denied);
    assert!(!confirmed(&scene, "manager"));
    confirm(&fingerprint(&scene, "manager")).expect("confirmed");
    assert!(confirmed(&scene, "manager"));
}

#[tokio::test]
async fn an_administrator_does_not_enrol_in_place_of_the_first_controller() {
    let scene = Scene::new();
    let controller = || Scene::grant(Role::Controller, only(&[]));
    scene.invite("boss", controller());
    let (_, act) = reset("boss", false);
    scene.change(&act);
    assert!(confirmed(&scene, "boss"), "at the console it may");
    let (token, act) = reset("boss", false);
    scene.access.change(&act, &admin()).expect("reset");
    scene.enrol(&token).await;
    assert!(!confirmed(&scene, "boss"));
}

#[tokio::test]
async fn a_reset_of_the_only_controller_makes_no_new_first_one() {
    let scene = Scene::new();
    scene.person("boss", Role::Controller, &[]).await;
    let (_, act) = reset("boss", false);
    scene.change(&act);
    let grant = Scene::grant(Role::Controller, only(&[]));
    scene.invite("second", grant.clone());
    assert!(!confirmed(&scene, "second"));
    let name = "boss".to_owned();
    scene.change(&PeopleAct::Grant { name, grant });
    assert!(!confirmed(&scene, "boss"));
}

#[tokio::test]
async fn without_a_factor_nothing_is_confirmed_and_passwords_are_not_tried_freely() {
    let scene = Scene::new();
    let boss = scene.person("boss", Role::Controller, &[]).await;
    scene.person("manager", Role::Manager, &["ovi"]).await;
    let (token, act) = reset("manager", true);
    scene.change(&act);
    let signed = scene.sign_in(&boss).await;
    let who = scene
        .may::<acts::ConfirmRights>(&signed, None)
        .expect("may");
    let key = fingerprint(&scene, "manager");
    let early = scene.access.confirm_rights(&who, "manager", &key);
    assert_eq!(early.expect_err("no factor").kind(), Kind::Denied);
    let mut answers = Vec::new();
    for _ in 0..5 {
        let again = EnrolmentToken::parse(&token.to_text()).expect("token");
        let wrong = Zeroizing::new("kissa söi lumihangon".to_owned());
        answers.push(scene.access.begin_enrolment(again, wrong, here()).await);
    }
    let waits = |answer: &Result<_, SignInError>| matches!(answer, Err(SignInError::Wait(_)));
    assert!(waits(&answers[4]), "it counts as at a sign-in");
    let runs = scene.access.argon2_runs();
    let right = scene.access.begin_enrolment(token, password(), here());
    assert!(waits(&right.await));
    assert_eq!(scene.access.argon2_runs(), runs);
}

#[tokio::test]
async fn what_lapsed_comes_back_by_a_controller_alone() {
    let end = T0.plus_us(86_400_000_000);
    let valid = Validity {
        from: T0,
        until: Some(end),
    };
    let name = || "boss".to_owned();
    let validity = |valid| PeopleAct::Validity {
        name: name(),
        valid,
    };
    let signed = |until| PeopleAct::Undertaking {
        name: name(),
        undertaking: undertaking(until),
    };
    for (lapses, again) in [
        (validity(valid), validity(forever())),
        (signed(Some(end)), signed(None)),
    ] {
        let scene = Scene::new();
        scene.person("boss", Role::Controller, &[]).await;
        scene.change(&lapses);
        scene.change(&again);
        assert!(confirmed(&scene, "boss"), "in time nothing rests");
        scene.change(&lapses);
        scene.clock.advance(DAY);
        scene.access.tick().expect("tick");
        scene.access.change(&again, &admin()).expect("changed");
        assert!(!confirmed(&scene, "boss"), "{again:?}");
    }
}

#[tokio::test]
async fn who_keeps_no_confirmed_right_keeps_no_wraps() {
    let scene = Scene::new();
    scene.person("boss", Role::Controller, &[]).await;
    let name = || "boss".to_owned();
    let grant = Scene::grant(Role::Manager, only(&["ovi"]));
    scene.change(&PeopleAct::Grant {
        name: name(),
        grant,
    });
    let person = scene.id("boss");
    let wraps = || {
        let reader = scene.catalog.reader().expect("reader");
        reader.wraps(person).expect("query").len()
    };
    assert!(wraps() > 0);
    let role = Some(Role::Controller);
    scene.change(&PeopleAct::Revoke { name: name(), role });
    assert_eq!(wraps(), 0, "the other role was never confirmed");
}

#[tokio::test]
async fn the_text_of_an_undertaking_can_be_erased() {
    let scene = Scene::new();
    scene.invite("staff", Scene::grant(Role::Staff, only(&["ovi"])));
    scene.change(&PeopleAct::Undertaking {
        name: "staff".to_owned(),
        undertaking: undertaking(None),
    });
    let events = scene.events();
    let about = events.iter().map(|row| &row.event);
    let about = about.filter(|e| ["person-added", "undertaking-signed"].contains(&&*e.action));
    let about: Vec<_> = about.collect();
    assert_eq!(about.len(), 2);
    for event in about {
        assert!(!event.facts.to_string().contains("\"2026-1\""), "{event:?}");
        let detail = event.detail.as_ref().expect("a detail");
        assert_eq!(detail["undertaking"], "2026-1");
    }
}

#[tokio::test]
async fn guesses_of_a_step_up_are_one_after_another() {
    let scene = Scene::new();
    let anna = scene.person("anna", Role::Auditor, &[]).await;
    let token = scene.sign_in(&anna).await;
    let together = std::sync::Barrier::new(16);
    let guess = || {
        let caller = crate::access::Caller {
            address: here(),
            token: Some(&token),
        };
        together.wait();
        scene.access.step_up(&caller, "000000")
    };
    let denied = std::thread::scope(|threads| {
        let all: Vec<_> = (0..16).map(|_| threads.spawn(guess)).collect();
        let answers = all.into_iter().map(|t| t.join().expect("no panic"));
        answers
            .filter(|a| matches!(a, Err(SignInError::Denied)))
            .count()
    });
    assert_eq!(denied, 4, "three are free, the fourth brings the delay");
}
