//! What no sequence of moves can lead to, whoever makes them.

use proptest::prelude::*;

use super::*;
use crate::catalog::DisclosureStep;

/// One move of anybody.
#[derive(Clone, Copy, Debug)]
enum Move {
    Ask(DisclosureKind),
    Decide(usize, usize, Decision),
    Prepare(usize, usize),
    HandOver(usize, usize),
    Receive(usize, usize),
    Destroy(usize, usize),
    Withdraw(usize, usize),
    Rest(usize),
}

fn moves() -> impl Strategy<Value = Move> {
    let (who, which) = (0..ROLES.len(), 0..3_usize);
    let both = || (who.clone(), which.clone());
    let decision = prop_oneof![3 => Just(Decision::Approve), 1 => Just(Decision::Refuse)];
    prop_oneof![
        3 => prop::sample::select(DisclosureKind::ALL).prop_map(Move::Ask),
        6 => (who.clone(), which.clone(), decision).prop_map(|(a, b, c)| Move::Decide(a, b, c)),
        4 => both().prop_map(|(a, b)| Move::Prepare(a, b)),
        3 => both().prop_map(|(a, b)| Move::HandOver(a, b)),
        2 => both().prop_map(|(a, b)| Move::Receive(a, b)),
        2 => both().prop_map(|(a, b)| Move::Destroy(a, b)),
        1 => both().prop_map(|(a, b)| Move::Withdraw(a, b)),
        1 => who.clone().prop_map(Move::Rest),
    ]
}

fn play(scene: &Scene, one: Move, ids: &mut Vec<DisclosureId>) {
    let id = |i: usize| ids.get(i).copied().unwrap_or(DisclosureId(10_000_000));
    // What is refused changes nothing: that is what is looked at afterwards.
    match one {
        Move::Ask(kind) if ids.len() < 3 => ids.push(scene.asked(kind).disclosure),
        Move::Ask(_) => {}
        Move::Decide(who, which, what) => drop(scene.decide(who, id(which), what)),
        Move::Prepare(who, which) => drop(scene.prepare(who, id(which))),
        Move::HandOver(who, which) => drop(scene.hand_over(who, id(which))),
        Move::Receive(who, which) => {
            let by = scene.by(who);
            drop(scene.desk(|desk| desk.receive(&by, id(which), "kuitattu")));
        }
        Move::Destroy(who, which) => {
            let by = scene.by(who);
            drop(scene.desk(|desk| desk.destroy(&by, id(which), "hävitetty")));
        }
        Move::Withdraw(who, which) => {
            let by = scene.by(who);
            drop(scene.desk(|desk| desk.withdraw(&by, id(which), "ei tarvita")));
        }
        Move::Rest(who) => scene.people(PeopleChange::Rested(scene.persons[who])),
    }
}

/// What is so whatever anybody did.
fn check(scene: &Scene, id: DisclosureId) {
    let reader = scene.catalog.reader().expect("reader");
    let row = reader.disclosure(id).expect("read").expect("a row");
    let steps = reader.disclosure_steps(id).expect("steps");
    let asked = row.asked.clone().expect("asked for");
    let first = steps.iter().position(|s| {
        matches!(
            s.step,
            DisclosureStep::Prepared | DisclosureStep::HandedOver
        )
    });
    if let Some(first) = first {
        let mut others: Vec<_> = steps[..first]
            .iter()
            .filter(|s| s.step == DisclosureStep::Approved)
            .map(|s| s.by.clone())
            .collect();
        others.sort();
        others.dedup();
        assert!(!others.contains(&row.asked_by), "approved by who asked");
        assert!(others.len() >= usize::from(asked.approvers), "{steps:?}");
    }
    let hold = reader
        .hold(asked.hold)
        .expect("read")
        .expect("the hold from the request on");
    assert_eq!(hold.placed, asked.at);
    assert!(
        asked
            .cameras
            .iter()
            .all(|c| hold.cameras.contains(&c.camera))
    );
    let over = [
        DisclosureState::Refused,
        DisclosureState::Withdrawn,
        DisclosureState::Received,
        DisclosureState::Destroyed,
    ];
    let told = !row.kind.has_file() && row.state == DisclosureState::HandedOver;
    assert!(
        hold.ended.is_none() || over.contains(&row.state) || told,
        "{}",
        row.state
    );
    let wrong = register::agreement(&reader, &[row])
        .expect("compared")
        .wrong;
    assert!(wrong.is_empty(), "steps without their entries: {wrong:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 64, ..ProptestConfig::default() })]
    #[test]
    fn no_sequence_of_moves_leads_past_another_persons_approval(
        all in prop::collection::vec(moves(), 1..40)
    ) {
        let scene = Scene::new();
        let mut ids = Vec::new();
        for one in all {
            play(&scene, one, &mut ids);
        }
        let reader = scene.catalog.reader().expect("reader");
        let numbers: Vec<u32> = ids.iter().map(|id| {
            let row = reader.disclosure(*id).expect("read").expect("a row");
            row.asked.expect("asked for").serial.number
        }).collect();
        let want: Vec<u32> = (1..).take(ids.len()).collect();
        prop_assert_eq!(numbers, want, "no number twice, none left out");
        for id in ids {
            check(&scene, id);
        }
    }
}
