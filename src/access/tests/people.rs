//! Changing persons and rights, enrolling, reviewing.

use std::time::Duration;

use zeroize::Zeroizing;

use super::{DAY, Scene, T0, console, forever, here, only, password};
use crate::access::people::{ENROLMENT_US, NewGrant, PeopleAct, new_enrolment, perform};
use crate::access::review::{DUE_US, review};
use crate::access::totp;
use crate::access::{EnrolmentToken, Role, SignInError, acts};
use crate::base::error::Kind;
use crate::catalog::{Cameras, Language, Validity};

fn grant(role: Role, cameras: Cameras) -> NewGrant {
    Scene::grant(role, cameras)
}

fn add(name: &str, grant: NewGrant) -> PeopleAct {
    let (_, enrolment) = new_enrolment().expect("token");
    PeopleAct::Add {
        name: name.to_owned(),
        display: name.to_owned(),
        language: Language::Fi,
        undertaking: None,
        valid: forever(),
        grant,
        enrolment,
    }
}

fn give(name: &str, grant: NewGrant) -> PeopleAct {
    PeopleAct::Grant {
        name: name.to_owned(),
        grant,
    }
}

fn kind(scene: &Scene, act: &PeopleAct) -> Option<Kind> {
    let done = perform(&scene.catalog, act, &console(), scene.now());
    done.err().map(|e| e.kind())
}

#[tokio::test]
async fn what_cannot_be_is_refused_and_writes_nothing() {
    let scene = Scene::new();
    scene.person("boss", Role::Controller, &[]).await;
    let events = scene.events().len();
    let all = || only(&["kassa-1"]);
    let maintenance = NewGrant {
        until: None,
        ..grant(Role::Maintenance, all())
    };
    let over = NewGrant {
        until: Some(T0),
        ..grant(Role::Staff, all())
    };
    let approves = NewGrant {
        approves: true,
        ..grant(Role::Auditor, all())
    };
    let long = "x".repeat(65);
    for (act, expected) in [
        (add("", grant(Role::Admin, all())), Kind::Invalid),
        (add("a b", grant(Role::Admin, all())), Kind::Invalid),
        (add(&long, grant(Role::Admin, all())), Kind::Invalid),
        (add("boss", grant(Role::Admin, all())), Kind::Exists),
        (add("x", grant(Role::Staff, only(&[]))), Kind::Invalid),
        (add("x", maintenance), Kind::Invalid),
        (add("x", over), Kind::Invalid),
        (add("x", approves), Kind::Invalid),
        (give("boss", grant(Role::Admin, all())), Kind::Invalid),
        (give("boss", grant(Role::Auditor, all())), Kind::Invalid),
        (give("nobody", grant(Role::Staff, all())), Kind::NotFound),
        (
            PeopleAct::Revoke {
                name: "boss".to_owned(),
                role: Some(Role::Staff),
            },
            Kind::NotFound,
        ),
        (
            PeopleAct::Validity {
                name: "boss".to_owned(),
                valid: Validity {
                    from: T0,
                    until: Some(T0),
                },
            },
            Kind::Invalid,
        ),
    ] {
        assert_eq!(kind(&scene, &act), Some(expected), "{act:?}");
    }
    assert_eq!(scene.events().len(), events);
    assert_eq!(scene.access.directory().iter().count(), 1);
}

#[tokio::test]
async fn nobody_changes_or_confirms_their_own_rights() {
    let scene = Scene::new();
    let boss = scene.person("boss", Role::Controller, &[]).await;
    let admin = scene.person("admin", Role::Admin, &[]).await;
    let token = scene.sign_in(&admin).await;
    let who = scene.may::<acts::ChangePeople>(&token, None).expect("may");
    let own = give("admin", grant(Role::Admin, only(&[])));
    let denied = scene.access.change_people(&who, &own).expect_err("own");
    assert_eq!(denied.kind(), Kind::Denied);
    let other = add("staff", grant(Role::Staff, only(&["ovi"])));
    let person = scene.access.change_people(&who, &other).expect("another's");
    let event = scene.events().pop().expect("an event").event;
    assert_eq!(event.actor, scene.id("admin").to_string());
    assert_eq!(event.object, person.to_string());
    assert!(
        !event.facts.to_string().contains("staff1"),
        "no names in facts"
    );
    let token = scene.sign_in(&boss).await;
    let who = scene.may::<acts::ConfirmRights>(&token, None).expect("may");
    let denied = scene
        .access
        .confirm_rights(&who, "boss", "")
        .expect_err("own");
    assert_eq!(denied.kind(), Kind::Denied);
    // There are no keys yet that could be confirmed.
    scene.change(&add("manager", grant(Role::Manager, only(&["ovi"]))));
    let early = scene.access.confirm_rights(&who, "manager", "");
    assert_eq!(early.expect_err("early").kind(), Kind::Invalid);
}

#[tokio::test]
async fn only_the_first_controller_needs_nobody_else() {
    let scene = Scene::new();
    let confirmed = |name: &str| {
        let directory = scene.access.directory();
        let standing = directory.named(name).expect("known");
        standing.grants[0].confirmed.is_some()
    };
    scene.invite("manager", grant(Role::Manager, only(&["ovi"])));
    assert!(!confirmed("manager"));
    scene.person("boss", Role::Controller, &[]).await;
    assert!(confirmed("boss"));
    scene.invite("second", grant(Role::Controller, only(&[])));
    assert!(!confirmed("second"));
    // Also when the first one has gone: else whoever has the console would be the next.
    scene.change(&PeopleAct::Revoke {
        name: "boss".to_owned(),
        role: None,
    });
    scene.invite("third", grant(Role::Controller, only(&[])));
    assert!(!confirmed("third"));
    let again = kind(&scene, &give("boss", grant(Role::Staff, only(&["ovi"]))));
    assert_eq!(again, Some(Kind::Invalid), "removed for good");
}

#[tokio::test]
async fn a_token_enrols_its_person_once_and_in_time() {
    let scene = Scene::new();
    let token = scene.invite("anna", grant(Role::Auditor, only(&[])));
    let parse = |token: &EnrolmentToken| EnrolmentToken::parse(&token.to_text()).expect("token");
    let begin = async |token: EnrolmentToken, password: &str| {
        let password = Zeroizing::new(password.to_owned());
        scene.access.begin_enrolment(token, password, here()).await
    };
    let weak = begin(parse(&token), "lyhyt").await;
    assert!(matches!(weak, Err(SignInError::Failed(e)) if e.kind() == Kind::Invalid));
    let unknown = EnrolmentToken::random().expect("token");
    let denied = begin(unknown, &password()).await;
    assert!(matches!(denied, Err(SignInError::Denied)));
    let shown = begin(parse(&token), &password()).await.expect("shown");
    assert_eq!(shown.name, "anna");
    let wrong = scene.access.finish_enrolment(&token, "000000");
    assert!(matches!(wrong, Err(SignInError::Denied)));
    let secret = totp::Secret::parse(&shown.uri).expect("secret");
    let code = secret.code(totp::step_at(scene.now()));
    let codes = scene.access.finish_enrolment(&token, &code);
    assert_eq!(codes.expect("enrolled").len(), totp::RECOVERY_CODES);
    let again = begin(parse(&token), &password()).await;
    assert!(matches!(again, Err(SignInError::Denied)), "used");
    let used = scene.access.sign_in("anna", password(), code, here()).await;
    assert!(
        matches!(used, Err(SignInError::Denied)),
        "the code was shown"
    );
    // What is shown waits for ten minutes, a token for a week.
    let late = scene.invite("late", grant(Role::Auditor, only(&[])));
    let shown = begin(parse(&late), &password()).await.expect("shown");
    scene.clock.advance(Duration::from_secs(600));
    let secret = totp::Secret::parse(&shown.uri).expect("secret");
    let code = secret.code(totp::step_at(scene.now()));
    let denied = scene.access.finish_enrolment(&late, &code);
    assert!(matches!(denied, Err(SignInError::Denied)), "begin anew");
    assert!(begin(parse(&late), &password()).await.is_ok());
    let week = u64::try_from(ENROLMENT_US).expect("positive");
    scene.clock.advance(Duration::from_micros(week));
    let expired = begin(parse(&late), &password()).await;
    assert!(matches!(expired, Err(SignInError::Denied)), "expired");
}

#[tokio::test]
async fn a_lost_telephone_is_replaced_and_the_password_stays() {
    let scene = Scene::new();
    let anna = scene.person("anna", Role::Auditor, &[]).await;
    let (token, enrolment) = new_enrolment().expect("token");
    scene.change(&PeopleAct::Reset {
        name: "anna".to_owned(),
        factor_only: true,
        enrolment,
    });
    assert!(
        scene.try_sign_in(&anna).await.is_err(),
        "the old one is dead"
    );
    let wrong = Zeroizing::new("kissa söi lumihangon".to_owned());
    let other = EnrolmentToken::parse(&token.to_text()).expect("token");
    let denied = scene.access.begin_enrolment(other, wrong, here()).await;
    assert!(
        matches!(denied, Err(SignInError::Denied)),
        "whoever has the token alone"
    );
    let replaced = scene.enrol(&token).await;
    scene.sign_in(&replaced).await;
    assert!(scene.try_sign_in(&anna).await.is_err());
}

#[tokio::test]
async fn a_role_of_other_cameras_takes_the_place_of_the_one_before() {
    let scene = Scene::new();
    let staff = scene.person("staff", Role::Staff, &["ovi"]).await;
    let token = scene.sign_in(&staff).await;
    assert!(scene.may::<acts::Live>(&token, Some("ovi")).is_ok());
    scene.change(&give("staff", grant(Role::Staff, only(&["kassa-1"]))));
    let old = scene.may::<acts::Live>(&token, Some("ovi"));
    assert!(old.is_err(), "at once, in the same session");
    assert!(scene.may::<acts::Live>(&token, Some("kassa-1")).is_ok());
    // Maintenance ends with the job, and its sessions with it.
    let fitter = scene.person("fitter", Role::Maintenance, &["ovi"]).await;
    scene.clock.advance(DAY * 30 - Duration::from_secs(300));
    let token = scene.sign_in(&fitter).await;
    let who = scene.may::<acts::Live>(&token, Some("ovi")).expect("may");
    scene.clock.advance(Duration::from_secs(300));
    scene.access.tick().expect("tick");
    assert_eq!(who.ended().await, crate::access::Refusal::Expired);
}

#[tokio::test]
async fn the_review_says_who_may_what_since_when_and_is_due_after_half_a_year() {
    let scene = Scene::new();
    scene.person("boss", Role::Controller, &[]).await;
    scene.change(&add("staff", grant(Role::Staff, only(&["ovi"]))));
    scene.change(&PeopleAct::Revoke {
        name: "staff".to_owned(),
        role: None,
    });
    let lines = || {
        let reader = scene.catalog.reader().expect("reader");
        review(&reader, scene.now()).expect("review")
    };
    let found = lines();
    let names: Vec<_> = found.iter().map(|l| l.account.name.as_str()).collect();
    assert_eq!(names, ["boss", "staff"], "removed ones last");
    assert!(found[0].opens_vault && found[0].enrolled && found[0].refused.is_none());
    assert!(found[0].fingerprint.is_some());
    let history = &found[1].grants[0];
    assert_eq!(
        (history.role, history.by.as_str()),
        (Role::Staff, "console")
    );
    assert!(history.ended.is_some() && found[1].account.removed.is_some());
    let half = u64::try_from(DUE_US).expect("positive");
    scene.clock.advance(Duration::from_micros(half));
    let due: Vec<_> = lines().iter().map(|l| l.review_due).collect();
    assert_eq!(due, [true, false]);
    scene.change(&PeopleAct::Review {
        name: "boss".to_owned(),
    });
    assert!(!lines()[0].review_due);
    assert_eq!(scene.count("access-reviewed", "ok"), 1);
}
