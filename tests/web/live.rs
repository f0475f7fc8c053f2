//! The act of watching live, without pictures: it has an outcome, however its client goes away.

use crate::world::World;
use axum::body::Body;
use axum::http::Request;
use sinetti::catalog::Event;
use std::time::{Duration, Instant};

fn upgrade(cookie: &str) -> Request<Body> {
    let request = Request::builder()
        .uri("/api/v1/cameras/kassa-1/main/live")
        .header("cookie", cookie)
        .header("connection", "upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    let mut request = request.body(Body::empty()).expect("a request");
    // No connection stands behind it: the upgrade fails.
    let on_upgrade = hyper::upgrade::on(&mut request);
    request.extensions_mut().insert(on_upgrade);
    request
}

/// The outcome of the one live act, when it is written.
fn outcome(world: &World) -> Event {
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(30) {
        let reader = world.catalog.reader().expect("a reader");
        let rows = reader.events(0, 10_000).expect("events");
        let mut events = rows.into_iter().map(|row| row.event);
        if let Some(event) = events.find(|e| e.action == "live" && e.result == "ok") {
            return event;
        }
        std::thread::yield_now();
    }
    panic!("the act has no outcome");
}

#[test]
fn a_client_that_goes_away_while_its_act_begins_leaves_no_open_act() {
    let world = World::new();
    let cookie = world.sign_in("staff");
    world.begin(upgrade(&cookie));
    assert_eq!(outcome(&world).facts["why"], "no-connection");
}
