//! Playbacks that are open, without footage: who may go on with one, and what is written of what went out.

use crate::world::{ON_PREMISES, World};
use sinetti::access::authorise::{Authorised, Caller};
use sinetti::access::people::PeopleAct;
use sinetti::access::refusal::Refusal;
use sinetti::access::role::{Role, acts};
use sinetti::access::token::Token;
use sinetti::base::Clock;
use sinetti::base::error::Kind;
use sinetti::base::id::{CameraId, StreamId};
use sinetti::base::time::{Span, Wall};
use sinetti::catalog::Event;
use sinetti::config::Purpose;
use sinetti::http::playback::{Opening, Playback};
use std::sync::Arc;

fn camera() -> CameraId {
    "kassa-1".parse().expect("an id")
}

fn stream() -> StreamId {
    "kassa-1/main".parse().expect("a stream")
}

/// The manager, signed in.
fn manager(world: &World) -> Arc<Authorised<acts::Playback>> {
    let cookie = world.sign_in("manager");
    let (_, token) = cookie.split_once('=').expect("a cookie");
    let token = Token::from_text(token).expect("a token");
    let address: std::net::SocketAddr = ON_PREMISES.parse().expect("an address");
    let caller = Caller {
        address: address.ip(),
        token: Some(&token),
    };
    let who = world.access.authorise(&caller, Some(&camera()));
    Arc::new(who.expect("a manager plays back"))
}

/// A playback of an hour from `start` on that the manager opened.
fn opened(world: &World, start: Wall) -> Arc<Playback> {
    let opening = Opening {
        hold: None,
        cameras: [camera()].into(),
        span: Span {
            start,
            end: start.plus_us(3_600_000_000),
        },
        purpose: "protection-of-property"
            .parse::<Purpose>()
            .expect("a purpose"),
        reason: None,
    };
    let playbacks = &world.app.playbacks;
    let playback = playbacks.prepare(manager(world), opening, world.clock.mono());
    let playback = playback.expect("prepared");
    playback.begin(&world.catalog, world.now()).expect("begun");
    playbacks
        .admit(&playback, &world.catalog, world.now())
        .expect("room");
    playback
}

/// The `n`th second of what was opened.
fn second(playback: &Playback, n: i64) -> Span {
    let start = playback.opening.span.start.plus_us(n * 1_000_000);
    Span {
        start,
        end: start.plus_us(500_000),
    }
}

/// Events of playbacks.
fn events(world: &World) -> Vec<Event> {
    let rows = world.catalog.reader().expect("a reader");
    let rows = rows.events(0, 10_000).expect("events");
    let events = rows.into_iter().map(|row| row.event);
    events
        .filter(|event| event.action.starts_with("playback"))
        .collect()
}

#[test]
fn nothing_goes_out_once_the_outcome_is_written() {
    let world = World::new();
    let playback = opened(&world, world.now());
    let now = world.now();
    let deliver = |n| playback.deliver(&stream(), second(&playback, n), now);
    assert!(deliver(0).expect("it is open").is_none());
    world
        .app
        .playbacks
        .close(&playback.id, &world.catalog, now, "closed");
    let refused = deliver(5).expect_err("nobody would learn of it");
    assert_eq!(refused.kind(), Kind::Denied);
    let outcome = events(&world).pop().expect("an outcome");
    let intervals = &outcome.facts["delivered"][0]["intervals"];
    let noted = serde_json::json!([second(&playback, 0)]);
    assert_eq!(intervals, &noted);
}

#[test]
fn who_loses_the_role_goes_on_with_no_piece_although_the_session_stays() {
    let world = World::new();
    let staff = PeopleAct::Grant {
        name: "manager".to_owned(),
        grant: sinetti::access::people::NewGrant {
            role: Role::Staff,
            cameras: sinetti::catalog::Cameras::All,
            approves: false,
            until: None,
        },
    };
    world.change(&staff);
    let playback = opened(&world, world.now());
    assert_eq!(playback.again(&camera()), Ok(()));
    let elsewhere = "ovi-2".parse().expect("an id");
    assert_eq!(playback.again(&elsewhere), Err(Refusal::WrongCamera));
    world.change(&PeopleAct::Revoke {
        name: "manager".to_owned(),
        role: Some(Role::Manager),
    });
    assert_eq!(playback.again(&camera()), Err(Refusal::WrongRole));
}

#[test]
fn what_begins_before_midnight_has_a_time_in_a_playback_that_begins_after_it() {
    let world = World::new();
    let midnight = world.now().midnight();
    let playback = opened(&world, midnight.plus_us(500_000));
    // The way to the key frame leads into the day before, also in a segment that began there.
    assert_eq!(playback.origin, midnight.plus_us(-86_400_000_000));
}

#[test]
fn what_was_delivered_so_far_bears_the_time_at_which_it_is_written() {
    let world = World::new();
    let playback = opened(&world, world.now().plus_us(-3_600_000_000));
    let now = world.now();
    let written = (0..1000).find_map(|n| {
        let noted = playback.deliver(&stream(), second(&playback, n), now);
        noted.expect("it is open")
    });
    let event = written.expect("a thousand intervals are enough");
    assert_eq!(
        (event.action.as_str(), event.at),
        ("playback-delivered", now)
    );
}
