//! Changes of persons that come at once: whichever is first, what is left is one of the two, and nobody keeps a key by it.

use std::sync::Barrier;

use zeroize::Zeroizing;

use super::{Scene, console, here, only, password};
use crate::access::people::PeopleAct;
use crate::access::{Directory, Role, SignInError, acts, credential, keys};
use crate::base::error::Result;

/// So often each pair is tried: either order comes about.
const ROUNDS: usize = 12;

fn give(name: &str, cameras: &[&str]) -> PeopleAct {
    PeopleAct::Grant {
        name: name.to_owned(),
        grant: Scene::grant(Role::Manager, only(cameras)),
    }
}

fn revoke(name: &str) -> PeopleAct {
    PeopleAct::Revoke {
        name: name.to_owned(),
        role: None,
    }
}

/// Both at the same moment.
fn at_once<A: Send, B: Send>(a: impl FnOnce() -> A + Send, b: impl FnOnce() -> B + Send) -> (A, B) {
    let start = Barrier::new(2);
    std::thread::scope(|threads| {
        let first = threads.spawn(|| {
            start.wait();
            a()
        });
        start.wait();
        let b = b();
        (first.join().expect("no panic"), b)
    })
}

/// That the generation in force is wrapped to exactly those who may play back, and `name` is not among them.
fn opens_nothing(scene: &Scene, name: &str) {
    let reader = scene.catalog.reader().expect("reader");
    let directory = Directory::read(&reader).expect("directory");
    let due = keys::due(&reader, &directory, scene.now()).expect("query");
    assert_eq!(due, None, "the generation follows at once");
    let current = reader.current_generation().expect("query").expect("one");
    let holders = reader.holders(current.generation).expect("query");
    assert!(
        !holders.contains(&scene.id(name)),
        "{name} opens what comes"
    );
    let in_use = scene.made.lock().expect("made");
    assert_eq!(in_use.last().map(|g| g.id), Some(current.generation));
}

#[tokio::test]
async fn two_administrators_who_give_the_same_role_leave_one_in_force() {
    let scene = Scene::new();
    scene.person("boss", Role::Controller, &[]).await;
    for round in 0..ROUNDS {
        let name = format!("manager{round}");
        scene.invite(&name, Scene::grant(Role::Staff, only(&["kassa-1"])));
        let change = |cameras: &[&str]| scene.access.change(&give(&name, cameras), &console());
        let (a, b) = at_once(|| change(&["ovi"]), || change(&["kassa-1", "ovi"]));
        a.and(b).expect("one after the other both may");
        let directory = scene.access.directory();
        let standing = directory.named(&name).expect("known");
        let managers = standing.grants.iter().filter(|g| g.role == Role::Manager);
        let now: Vec<_> = managers.map(|grant| grant.cameras.clone()).collect();
        assert_eq!(now.len(), 1, "one replaces the other: {now:?}");
        let given = scene.count("role-granted", "ok");
        assert_eq!(given, 2 * (round + 1), "each is told of");
        opens_nothing(&scene, &name);
    }
}

#[tokio::test]
async fn who_is_removed_while_another_administrator_gives_a_role_stays_removed() {
    let scene = Scene::new();
    scene.person("boss", Role::Controller, &[]).await;
    for round in 0..ROUNDS {
        let name = format!("manager{round}");
        scene.person(&name, Role::Manager, &["ovi"]).await;
        let change =
            |act: &PeopleAct| -> Result<()> { scene.access.change(act, &console()).map(drop) };
        let (_, removed) = at_once(
            || change(&give(&name, &["kassa-1"])),
            || change(&revoke(&name)),
        );
        removed.expect("removed");
        let directory = scene.access.directory();
        let standing = directory.named(&name).expect("its history stays");
        assert!(standing.check(scene.now()).is_err(), "{name}");
        assert!(standing.roles(scene.now()).is_empty(), "{name}");
        opens_nothing(&scene, &name);
    }
}

#[tokio::test]
async fn who_is_confirmed_while_being_removed_holds_no_key() {
    let scene = Scene::new();
    let boss = scene.person("boss", Role::Controller, &[]).await;
    for round in 0..ROUNDS {
        let name = format!("manager{round}");
        scene.person(&name, Role::Manager, &["ovi"]).await;
        let row = scene.catalog.reader().expect("reader").person(&name);
        let row = row.expect("query").expect("keys");
        let key = credential::keys_of(&row).expect("keys").recipient;
        let token = scene.sign_in(&boss).await;
        let who = scene.may::<acts::ConfirmRights>(&token, None);
        let who = who.expect("a controller");
        let (_, removed) = at_once(
            || scene.access.confirm_rights(&who, &name, &key.fingerprint()),
            || scene.access.change(&revoke(&name), &console()).map(drop),
        );
        removed.expect("removed");
        opens_nothing(&scene, &name);
    }
}

#[tokio::test]
async fn who_is_removed_while_the_sign_in_waits_for_its_turn_is_refused() {
    let scene = Scene::new();
    let anna = scene.person("anna", Role::Controller, &[]).await;
    let (release, held) = std::sync::mpsc::channel::<()>();
    let access = scene.access.clone();
    let before = tokio::spawn(async move { access.with_permit(move || held.recv()).await });
    tokio::task::yield_now().await;
    let (access, code) = (scene.access.clone(), scene.code(&anna));
    let waits = tokio::spawn(async move { access.sign_in("anna", password(), code, here()).await });
    tokio::task::yield_now().await;
    scene.change(&revoke("anna"));
    release.send(()).expect("released");
    assert!(before.await.expect("joins").is_ok());
    let refused = waits.await.expect("joins").map(drop);
    assert!(matches!(refused, Err(SignInError::Denied)), "{refused:?}");
    assert_eq!(scene.access.session_count(), 0);
}

#[tokio::test]
async fn no_session_outlives_a_removal_that_comes_during_the_sign_in() {
    let scene = Scene::new();
    scene.person("boss", Role::Controller, &[]).await;
    for round in 0..ROUNDS {
        let name = format!("manager{round}");
        let phone = scene.person(&name, Role::Manager, &["ovi"]).await;
        let code: Zeroizing<String> = scene.code(&phone);
        let (access, signs) = (scene.access.clone(), name.clone());
        let signing =
            tokio::spawn(async move { access.sign_in(&signs, password(), code, here()).await });
        // It looks at password and code on a thread of its own, while this one removes the person.
        tokio::task::yield_now().await;
        for _ in 0..round * 20 {
            scene.access.directory();
        }
        scene.change(&revoke(&name));
        let signed = signing.await.expect("joins");
        if let Ok(signed) = signed {
            let may = scene.may::<acts::Own>(&signed.token, None);
            assert!(may.is_err(), "round {round}: a session of nobody");
        }
        assert_eq!(scene.access.session_count(), 0, "round {round}");
        opens_nothing(&scene, &name);
        // Past the delay that failures bring.
        scene.clock.advance(std::time::Duration::from_secs(3600));
    }
}
