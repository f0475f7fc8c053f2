//! Signing in, what sessions may, and how they end.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use zeroize::Zeroizing;

use super::{DAY, PASSWORD, Phone, Scene, T0, here, password, undertaking};
use crate::access::people::PeopleAct;
use crate::access::session::{AGE_MAX, IDLE, LIVE_IDLE, PER_PERSON_MAX, STEP_UP_FRESH, VAULT_IDLE};
use crate::access::totp;
use crate::access::{Caller, Refusal, Role, SignInError, Token, acts};
use crate::catalog::Validity;
use crate::vault::opener::Opener;
use crate::vault::slot::{self, Slot, WrappedKey};

const SECOND: Duration = Duration::from_secs(1);

fn texts(phone: &Phone) -> (Zeroizing<String>, Zeroizing<String>) {
    let wrong = Zeroizing::new("kissa söi lumihangon".to_owned());
    (wrong, phone.recovery[0].clone())
}

#[tokio::test]
async fn whoever_fails_costs_one_run_and_hears_the_same() {
    let scene = Scene::new();
    let anna = scene.person("anna", Role::Controller, &[]).await;
    let invited = Scene::grant(Role::Auditor, super::only(&[]));
    scene.invite("invited", invited);
    let (wrong, recovery) = texts(&anna);
    let zeros = Zeroizing::new("000000".to_owned());
    let tries = [
        ("anna", &wrong, &recovery),
        ("anna", &password(), &zeros),
        ("invited", &password(), &zeros),
        ("nobody", &password(), &zeros),
        ("nobody", &wrong, &recovery),
    ];
    for (name, password, code) in tries {
        let before = scene.access.argon2_runs();
        let tried = scene
            .access
            .sign_in(name, password.clone(), code.clone(), here())
            .await;
        assert!(matches!(tried, Err(SignInError::Denied)), "{tried:?}");
        assert_eq!(scene.access.argon2_runs(), before + 1, "{name}");
        // Past every delay.
        scene.clock.advance(DAY);
    }
    let before = scene.access.argon2_runs();
    scene.sign_in(&anna).await;
    assert_eq!(scene.access.argon2_runs(), before + 1);
}

#[tokio::test]
async fn a_code_is_taken_once_also_after_a_restart_and_around_the_present_step() {
    let mut scene = Scene::new();
    let anna = scene.person("anna", Role::Auditor, &[]).await;
    let code = scene.code(&anna);
    let sign_in = async |scene: &Scene, code: &str| {
        let code = Zeroizing::new(code.to_owned());
        let done = scene.access.sign_in("anna", password(), code, here()).await;
        done.map(drop)
    };
    sign_in(&scene, &code).await.expect("first");
    let again = sign_in(&scene, &code).await;
    assert!(matches!(again, Err(SignInError::Denied)), "{again:?}");
    scene.restart();
    let again = sign_in(&scene, &code).await;
    assert!(matches!(again, Err(SignInError::Denied)), "{again:?}");
    // A clock two steps ahead is taken; after it, what is older is not.
    let step = totp::step_at(scene.now());
    let ahead = anna.secret.code(step + 2);
    sign_in(&scene, &ahead).await.expect("two steps ahead");
    let older = sign_in(&scene, &anna.secret.code(step + 1)).await;
    assert!(matches!(older, Err(SignInError::Denied)), "{older:?}");
    scene.clock.advance(DAY);
    sign_in(&scene, &anna.recovery[4]).await.expect("recovery");
    let again = sign_in(&scene, &anna.recovery[4]).await;
    assert!(matches!(again, Err(SignInError::Denied)), "{again:?}");
}

#[tokio::test]
async fn sign_ins_run_one_at_a_time_even_when_whoever_asked_has_gone() {
    let scene = Scene::new();
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut tasks = Vec::new();
    for n in 0..12 {
        let (access, running, most) = (
            scene.access.clone(),
            Arc::clone(&running),
            Arc::clone(&most),
        );
        let task = tokio::spawn(async move {
            let work = move || {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                crate::vault::person::spend(PASSWORD, crate::vault::person::Cost::STANDARD)
                    .expect("spends");
                running.fetch_sub(1, Ordering::SeqCst);
            };
            access.with_permit(work).await
        });
        tokio::task::yield_now().await;
        if n % 3 == 0 {
            task.abort();
        }
        tasks.push(task);
    }
    for task in tasks {
        task.await.ok();
    }
    assert_eq!(most.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn no_more_wait_than_may_and_then_it_is_said() {
    let scene = Scene::new();
    let (release, held) = std::sync::mpsc::channel::<()>();
    let access = scene.access.clone();
    let first = tokio::spawn(async move { access.with_permit(move || held.recv()).await });
    tokio::task::yield_now().await;
    let waiting: Vec<_> = (1..crate::access::sign_in::WAITING_MAX)
        .map(|_| {
            let access = scene.access.clone();
            tokio::spawn(async move { access.with_permit(|| ()).await })
        })
        .collect();
    tokio::task::yield_now().await;
    let surplus = scene
        .access
        .sign_in("anna", password(), Zeroizing::default(), here())
        .await;
    assert!(matches!(surplus, Err(SignInError::Busy)), "{surplus:?}");
    release.send(()).expect("released");
    assert!(first.await.expect("joins").is_ok());
    for task in waiting {
        assert!(task.await.expect("joins").is_ok());
    }
}

#[tokio::test]
async fn failures_delay_and_are_gathered_into_one_event_a_minute_without_secrets() {
    let scene = Scene::new();
    let anna = scene.person("anna", Role::Controller, &[]).await;
    let mut waits = 0;
    for _ in 0..200 {
        let (wrong, code) = texts(&anna);
        // A passphrase typed into the field of the name is no name.
        for name in ["anna", PASSWORD] {
            let tried = scene
                .access
                .sign_in(name, wrong.clone(), code.clone(), here())
                .await;
            waits += usize::from(matches!(tried, Err(SignInError::Wait(_))));
            assert!(tried.is_err());
        }
    }
    assert!(waits > 380, "{waits}: hardly anything was tried");
    assert!(scene.access.argon2_runs() < 20);
    scene.clock.advance(61 * SECOND);
    scene.access.tick().expect("tick");
    assert_eq!(scene.count("sign-in", "refused"), 1);
    let events = scene.events();
    let text = serde_json::to_string(&events).expect("json");
    assert!(text.contains("anna") && text.contains("192.168.10.5"));
    let (wrong, code) = texts(&anna);
    for secret in [PASSWORD, &wrong, &code] {
        assert!(!text.contains(secret));
    }
    // The delay ends by itself: nobody is locked out for good.
    scene.clock.advance(15 * 60 * SECOND);
    scene.sign_in(&anna).await;
}

#[tokio::test]
async fn nobody_comes_in_from_outside_or_without_a_session() {
    let scene = Scene::new();
    let anna = scene.person("anna", Role::Controller, &[]).await;
    let outside = IpAddr::from([192, 168, 11, 5]);
    let runs = scene.access.argon2_runs();
    let tried = scene
        .access
        .sign_in("anna", password(), scene.code(&anna), outside)
        .await;
    let refused = matches!(tried, Err(SignInError::Refused(Refusal::OffPremises)));
    assert!(refused, "{tried:?}");
    assert_eq!(scene.access.argon2_runs(), runs, "nothing was tried");
    let token = scene.sign_in(&anna).await;
    let from = |address, token| {
        let caller = Caller { address, token };
        let done = scene.access.authorise::<acts::Own>(&caller, None);
        done.map(|who| who.name().to_owned())
    };
    assert_eq!(from(here(), Some(&token)), Ok("anna".to_owned()));
    assert_eq!(from(outside, Some(&token)), Err(Refusal::OffPremises));
    assert_eq!(from(here(), None), Err(Refusal::Anonymous));
    let made_up = Token::random().expect("token");
    assert_eq!(from(here(), Some(&made_up)), Err(Refusal::Anonymous));
}

#[tokio::test]
async fn each_refusal_comes_in_its_case() {
    let scene = Scene::new();
    let boss = scene.person("boss", Role::Controller, &[]).await;
    let staff = scene.person("staff", Role::Staff, &["kassa-1"]).await;
    let manager = scene.person("manager", Role::Manager, &["kassa-1"]).await;
    let admin = scene.person("admin", Role::Admin, &[]).await;
    let token = scene.sign_in(&staff).await;
    assert!(scene.may::<acts::Live>(&token, Some("kassa-1")).is_ok());
    let other = scene.may::<acts::Live>(&token, Some("ovi"));
    assert_eq!(other.map(drop), Err(Refusal::WrongCamera));
    let playback = scene.may::<acts::Playback>(&token, Some("kassa-1"));
    assert_eq!(playback.map(drop), Err(Refusal::WrongRole));
    // A manager whom no controller confirmed watches live pictures and nothing older.
    let token = scene.sign_in(&manager).await;
    assert!(scene.may::<acts::Live>(&token, Some("kassa-1")).is_ok());
    let playback = scene.may::<acts::Playback>(&token, Some("kassa-1"));
    assert_eq!(playback.map(drop), Err(Refusal::Resting));
    let approve = scene.may::<acts::Approve>(&token, None);
    assert_eq!(approve.map(drop), Err(Refusal::WrongRole), "not granted");
    let token = scene.sign_in(&boss).await;
    let who = scene.may::<acts::ConfirmRights>(&token, None).expect("may");
    let reader = scene.catalog.reader().expect("reader");
    let row = reader.person("manager").expect("query").expect("keys");
    let keys = crate::access::credential::keys_of(&row).expect("keys");
    let key = keys.recipient.fingerprint();
    let confirmed = scene.access.confirm_rights(&who, "manager", &key);
    confirmed.expect("done");
    let token = scene.sign_in(&manager).await;
    let who = scene.may::<acts::Playback>(&token, Some("kassa-1"));
    let who = who.expect("confirmed");
    assert_eq!(
        (who.role(), who.sees(&super::camera("ovi"))),
        (Role::Manager, false)
    );
    // Changing rights asks for a fresh factor.
    let token = scene.sign_in(&admin).await;
    assert!(scene.may::<acts::ChangePeople>(&token, None).is_ok());
    scene.clock.advance(STEP_UP_FRESH);
    let stale = scene.may::<acts::ChangePeople>(&token, None);
    assert_eq!(stale.map(drop), Err(Refusal::StepUpNeeded));
    assert!(scene.may::<acts::SeePeople>(&token, None).is_ok());
    let caller = Caller {
        address: here(),
        token: Some(&token),
    };
    let wrong = scene.access.step_up(&caller, "000000");
    assert!(matches!(wrong, Err(SignInError::Denied)));
    let code = scene.code(&admin);
    scene.access.step_up(&caller, &code).expect("steps up");
    assert!(scene.may::<acts::ChangePeople>(&token, None).is_ok());
    let replay = scene.access.step_up(&caller, &code);
    assert!(matches!(replay, Err(SignInError::Denied)));
}

/// A key that was wrapped to the generation in force, as a segment's slot has it.
fn recorded(scene: &Scene) -> WrappedKey {
    let generation = scene.made.lock().expect("made").last().cloned();
    let bytes = slot::encode(
        crate::base::id::SegmentId::random(),
        &crate::base::secret::SegmentKey::from_bytes([7; 16]),
        generation.as_ref(),
        &scene.recovery.recipient(),
    );
    match slot::decode(&bytes.expect("slot")).expect("slot") {
        Slot::Whole(key) => key,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_vault_locks_by_itself_and_opens_with_the_password() {
    let scene = Scene::new();
    let anna = scene.person("anna", Role::Controller, &[]).await;
    let token = scene.sign_in(&anna).await;
    let key = recorded(&scene);
    let who = scene.may::<acts::Playback>(&token, None).expect("may");
    let vault = who.vault();
    assert_eq!(vault.open(&key).expect("opens").expose(), &[7; 16]);
    // Other work keeps the session and not the vault.
    for _ in 0..4 {
        scene.clock.advance(VAULT_IDLE / 4);
        assert!(scene.may::<acts::Records>(&token, None).is_ok());
    }
    let playback = scene.may::<acts::Playback>(&token, None);
    assert_eq!(playback.map(drop), Err(Refusal::VaultLocked));
    assert!(vault.open(&key).is_err(), "whoever still holds on to it");
    let caller = Caller {
        address: here(),
        token: Some(&token),
    };
    let wrong = Zeroizing::new("kissa söi lumihangon".to_owned());
    let denied = scene.access.unlock(&caller, wrong).await;
    assert!(matches!(denied, Err(SignInError::Denied)));
    scene
        .access
        .unlock(&caller, password())
        .await
        .expect("opens");
    assert!(scene.may::<acts::Playback>(&token, None).is_ok());
    assert!(vault.open(&key).is_ok());
    // The time passes also when nobody asks.
    scene.clock.advance(VAULT_IDLE);
    scene.access.tick().expect("tick");
    assert!(!vault.is_open());
}

#[tokio::test]
async fn an_idle_session_ends_and_a_live_wall_lives_on() {
    let scene = Scene::new();
    let staff = scene.person("staff", Role::Staff, &["kassa-1"]).await;
    let wall = scene.sign_in(&staff).await;
    let desk = scene.sign_in(&staff).await;
    assert!(scene.may::<acts::Own>(&desk, None).is_ok());
    assert!(scene.may::<acts::Live>(&wall, None).is_ok());
    scene.clock.advance(IDLE);
    let idle = scene.may::<acts::Own>(&desk, None);
    assert_eq!(idle.map(drop), Err(Refusal::Expired));
    assert!(scene.may::<acts::Live>(&wall, None).is_ok());
    scene.clock.advance(LIVE_IDLE - SECOND);
    assert!(scene.may::<acts::Live>(&wall, None).is_ok());
    scene.clock.advance(AGE_MAX - LIVE_IDLE);
    let old = scene.may::<acts::Live>(&wall, None);
    assert_eq!(old.map(drop), Err(Refusal::Expired), "a day is the end");
}

#[tokio::test]
async fn revoked_expired_and_lapsed_end_sessions_and_what_waits_on_them() {
    let name = || "anna".to_owned();
    let over = Validity {
        from: T0,
        until: Some(T0.plus_us(3_600_000_000)),
    };
    let lapses = undertaking(Some(T0.plus_us(3_600_000_000)));
    let revoke = PeopleAct::Revoke {
        name: name(),
        role: None,
    };
    let withdraw = PeopleAct::Undertaking {
        name: name(),
        undertaking: None,
    };
    let expire = PeopleAct::Validity {
        name: name(),
        valid: over,
    };
    let lapse = PeopleAct::Undertaking {
        name: name(),
        undertaking: lapses,
    };
    let (_, enrolment) = crate::access::people::new_enrolment().expect("token");
    let reset = PeopleAct::Reset {
        name: name(),
        factor_only: true,
        enrolment,
    };
    for (act, later, why) in [
        (revoke, false, Refusal::Revoked),
        (withdraw, false, Refusal::UndertakingLapsed),
        (reset, false, Refusal::Revoked),
        (expire, true, Refusal::Expired),
        (lapse, true, Refusal::UndertakingLapsed),
    ] {
        let scene = Scene::new();
        let anna = scene.person("anna", Role::Controller, &[]).await;
        if later {
            scene.change(&act);
            // So that idleness is not the reason.
            scene.clock.advance(Duration::from_secs(3590 - 60));
        }
        let token = scene.sign_in(&anna).await;
        let who = scene.may::<acts::Playback>(&token, None).expect("may");
        let (vault, key) = (who.vault(), recorded(&scene));
        assert!(vault.open(&key).is_ok());
        let waiting = tokio::spawn({
            let who = who.clone();
            async move { who.ended().await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        if later {
            scene.clock.advance(10 * SECOND * 4);
            scene.access.tick().expect("tick");
        } else {
            scene.change(&act);
        }
        assert_eq!(waiting.await.expect("joins"), why, "{act:?}");
        assert_eq!(who.again(None), Err(why));
        assert!(vault.open(&key).is_err(), "the keys are gone: {act:?}");
        let playback = scene.may::<acts::Playback>(&token, None);
        assert_eq!(playback.map(drop), Err(why));
        let anew = scene.try_sign_in(&anna).await;
        assert!(anew.is_err(), "{act:?}");
    }
}

#[tokio::test]
async fn signing_out_ends_the_session_for_good() {
    let scene = Scene::new();
    let anna = scene.person("anna", Role::Controller, &[]).await;
    let token = scene.sign_in(&anna).await;
    let who = scene.may::<acts::Playback>(&token, None).expect("may");
    scene.access.sign_out(&token).expect("out");
    assert_eq!(who.ended().await, Refusal::Anonymous);
    assert!(!who.vault().is_open());
    let after = scene.may::<acts::Own>(&token, None);
    assert_eq!(after.map(drop), Err(Refusal::Anonymous));
    assert_eq!(scene.access.session_count(), 0);
    assert_eq!(
        (scene.count("sign-in", "ok"), scene.count("sign-out", "ok")),
        (1, 1)
    );
    scene.access.sign_out(&token).expect("nothing");
    assert_eq!(scene.count("sign-out", "ok"), 1);
}

#[tokio::test]
async fn a_person_has_few_sessions_and_the_oldest_makes_room() {
    let scene = Scene::new();
    let anna = scene.person("anna", Role::Auditor, &[]).await;
    let mut tokens = Vec::new();
    for _ in 0..PER_PERSON_MAX + 2 {
        tokens.push(scene.sign_in(&anna).await);
    }
    assert_eq!(scene.access.session_count(), PER_PERSON_MAX);
    let states: Vec<_> = tokens
        .iter()
        .map(|token| scene.may::<acts::Own>(token, None).is_ok())
        .collect();
    assert_eq!(states[..3], [false, false, true]);
    assert!(states[3..].iter().all(|open| *open));
}

#[tokio::test]
async fn sessions_do_not_survive_a_restart() {
    let mut scene = Scene::new();
    let anna = scene.person("anna", Role::Controller, &[]).await;
    let token = scene.sign_in(&anna).await;
    scene.restart();
    let after = scene.may::<acts::Own>(&token, None);
    assert_eq!(after.map(drop), Err(Refusal::Anonymous));
}

#[tokio::test]
async fn a_passphrase_is_changed_by_its_owner_and_ends_other_sessions() {
    let scene = Scene::new();
    let anna = scene.person("anna", Role::Controller, &[]).await;
    let (other, token) = (scene.sign_in(&anna).await, scene.sign_in(&anna).await);
    let key = recorded(&scene);
    let new = || Zeroizing::new("lumi peitti kissan jäljet".to_owned());
    let caller = Caller {
        address: here(),
        token: Some(&token),
    };
    let change = |old, new, code| scene.access.change_password(&caller, old, new, code);
    let code = || scene.code(&anna);
    let wrong = change(new(), new(), code()).await;
    assert!(matches!(wrong, Err(SignInError::Denied)), "{wrong:?}");
    let no_code = Zeroizing::new("000000".to_owned());
    let wrong = change(password(), new(), no_code).await;
    assert!(matches!(wrong, Err(SignInError::Denied)), "{wrong:?}");
    let weak = Zeroizing::new("salasana1234".to_owned());
    let weak = change(password(), weak, code()).await;
    assert!(matches!(weak, Err(SignInError::Failed(_))), "{weak:?}");
    assert!(scene.may::<acts::Own>(&other, None).is_ok());
    let shown = code();
    let changed = change(password(), new(), shown.clone()).await;
    changed.expect("changes");
    assert_eq!(scene.count("passphrase-changed", "ok"), 1);
    let again = change(new(), new(), shown).await;
    assert!(
        matches!(again, Err(SignInError::Denied)),
        "the code is used"
    );
    scene.clock.advance(Duration::from_secs(30));
    let ended = scene.may::<acts::Own>(&other, None);
    assert_eq!(ended.map(drop), Err(Refusal::Revoked));
    assert!(scene.may::<acts::Own>(&token, None).is_ok());
    assert!(
        scene.try_sign_in(&anna).await.is_err(),
        "the old one is dead"
    );
    let code = scene.code(&anna);
    let signed = scene.access.sign_in("anna", new(), code, here()).await;
    let token = signed.expect("signs in").token;
    let who = scene.may::<acts::Playback>(&token, None).expect("may");
    assert!(
        who.vault().open(&key).is_ok(),
        "what was recorded stays open"
    );
}
