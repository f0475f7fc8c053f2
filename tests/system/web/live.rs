//! Live pictures over a WebSocket: the camera's own bytes within moments, what was watched in the ledger, an end with the session.

use crate::support::{
    Client, TestBox, Tls, assert_unbroken, camera, now, packets, sent_hashes, server,
};
use serde_json::Value;
use sinetti::base::time::{Ticks, Wall};
use sinetti::catalog::Event;
use std::fs;
use tungstenite::client::IntoClientRequest;
use tungstenite::protocol::Message;
use tungstenite::{HandshakeError, WebSocket};

fn watch(client: &Client, stream: &str) -> WebSocket<Tls> {
    let url = format!("wss://{}/api/v1/cameras/{stream}/live", client.address);
    let mut request = url.into_client_request().expect("a request");
    let cookie = client.cookie.clone().expect("a session");
    let headers = request.headers_mut();
    headers.insert("cookie", cookie.parse().expect("a value"));
    match tungstenite::client(request, client.connect()) {
        Ok((socket, _)) => socket,
        Err(HandshakeError::Failure(e)) => panic!("{e}"),
        Err(HandshakeError::Interrupted(_)) => panic!("it blocks"),
    }
}

/// What came until `enough` says so: the texts, and all binary messages.
fn hear(
    socket: &mut WebSocket<Tls>,
    enough: impl Fn(&[Value], &[Vec<u8>]) -> bool,
) -> (Vec<Value>, Vec<Vec<u8>>) {
    let (mut texts, mut binary) = (Vec::new(), Vec::new());
    while !enough(&texts, &binary) {
        match socket.read() {
            Ok(Message::Text(text)) => texts.push(serde_json::from_str(&text).expect("JSON")),
            Ok(Message::Binary(bytes)) => binary.push(bytes.to_vec()),
            Ok(Message::Close(_)) | Err(_) => break,
            Ok(_) => {}
        }
    }
    (texts, binary)
}

fn of<'a>(texts: &'a [Value], kind: &str) -> Vec<&'a Value> {
    texts.iter().filter(|text| text["type"] == kind).collect()
}

#[test]
fn live_pictures_are_the_camera_s_own_and_come_within_moments() {
    let (mut shop, server) = (TestBox::new(), server());
    let handle = server.add("/till/main", camera("till.264"));
    shop.add_camera("till", server.address(), &[]);
    shop.serve();
    shop.start();
    shop.wait_for_pictures(&["till/main"], 15);
    let client = shop.controller();
    let mut socket = watch(&client, "till/main");
    let (texts, binary) = hear(&mut socket, |_, binary| binary.len() > 60);
    let arrived = now();
    let init = of(&texts, "init")[0].clone();
    assert!(
        init["codec"]
            .as_str()
            .expect("a codec")
            .starts_with("avc1.")
    );
    let file = shop.path("live.mp4");
    fs::write(&file, binary.concat()).expect("writes");
    let packets = packets(&file);
    assert!(packets[0].is_key() && packets.len() == binary.len() - 1);
    assert_unbroken(&packets, &sent_hashes(&handle.sent()));
    let origin = Wall::parse_rfc3339(init["origin"].as_str().expect("a time")).expect("a time");
    let last = origin.plus_ticks(Ticks(packets[packets.len() - 1].pts));
    let age_us = arrived.us_since(last);
    assert!((0..3_000_000).contains(&age_us), "{age_us} µs old");
    let times = of(&texts, "time");
    assert!(!times.is_empty() && times.iter().all(|t| t["now"].is_string()));
    drop(socket);
    let facts = watched(&mut shop);
    let interval = &facts["delivered"][0]["intervals"];
    assert_eq!(interval.as_array().expect("intervals").len(), 1, "{facts}");
    shop.stop();
}

/// Facts of what was watched, when it is written.
fn watched(shop: &mut TestBox) -> Value {
    for _ in 0..100 {
        let events = shop.catalog().events(0, 10_000).expect("events");
        let of_live = |result: &str| {
            let is = |event: &Event| event.action == "live" && event.result == result;
            events.iter().find(|row| is(&row.event))
        };
        let begun = of_live("begun").is_some();
        assert!(begun, "it is written before the first picture goes out");
        if let Some(row) = of_live("ok") {
            return row.event.facts.clone();
        }
        shop.recorder().pace();
    }
    panic!("what was watched is not written:\n{}", shop.log());
}

#[test]
fn live_pictures_end_with_the_session_and_with_the_recorder() {
    let (mut shop, server) = (TestBox::new(), server());
    server.add("/till/main", camera("till-sub.264"));
    shop.add_camera("till", server.address(), &[]);
    shop.serve();
    shop.start();
    shop.wait_for_pictures(&["till/main"], 15);
    let client = shop.controller();
    let mut socket = watch(&client, "till/main");
    hear(&mut socket, |_, binary| binary.len() > 3);
    let began = now();
    client.delete("/api/v1/session").expect(204);
    let (texts, _) = hear(&mut socket, |texts, _| !of(texts, "end").is_empty());
    assert!(now().us_since(began) < 10_000_000);
    assert_eq!(of(&texts, "end").len(), 1, "{texts:?}");
    let again = shop.controller();
    let mut socket = watch(&again, "till/main");
    hear(&mut socket, |_, binary| binary.len() > 3);
    let (_, log) = shop.stop();
    let (texts, _) = hear(&mut socket, |texts, _| !of(texts, "end").is_empty());
    assert_eq!(of(&texts, "end")[0]["why"], "stopped", "{log}");
    let events = shop.catalog().events(0, 10_000).expect("events");
    let of = |result: &str| {
        let is = |event: &Event| event.action == "live" && event.result == result;
        events.iter().filter(|row| is(&row.event)).count()
    };
    assert_eq!((of("begun"), of("ok")), (2, 2));
}

#[test]
fn whoever_is_revoked_sees_nothing_more_within_ten_seconds() {
    let (mut shop, server) = (TestBox::new(), server());
    server.add("/till/main", camera("till-sub.264"));
    shop.add_camera("till", server.address(), &[]);
    shop.serve();
    shop.start();
    shop.wait_for_pictures(&["till/main"], 15);
    let client = shop.controller();
    let mut socket = watch(&client, "till/main");
    hear(&mut socket, |_, binary| binary.len() > 3);
    let began = now();
    shop.run(&["user", "revoke", "controller1"]).ok();
    let (texts, _) = hear(&mut socket, |texts, _| !of(texts, "end").is_empty());
    assert!(now().us_since(began) < 10_000_000);
    assert_eq!(of(&texts, "end")[0]["why"], "revoked");
    let reply = client.get("/api/v1/cameras").expect(401);
    assert_eq!(reply.json()["type"], "urn:sinetti:revoked");
}

#[test]
fn a_watcher_who_takes_nothing_costs_the_recording_nothing() {
    let (mut shop, server) = (TestBox::new(), server());
    let handle = server.add("/till/main", camera("till.264"));
    shop.add_camera("till", server.address(), &[]);
    shop.serve();
    shop.start();
    shop.wait_for_pictures(&["till/main"], 15);
    let client = shop.controller();
    // They never read: what waits for them fills up, and they are let go.
    let _sockets: Vec<_> = (0..20).map(|_| watch(&client, "till/main")).collect();
    shop.wait_for_pictures(&["till/main"], 200);
    shop.stop();
    shop.check(true);
    assert_eq!(handle.counters().access_units_dropped, 0);
    assert_eq!(handle.counters().sessions_opened, 1);
}
