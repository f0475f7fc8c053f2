//! Playback over the API: what is fetched is what the camera sent, at its time of day, and nothing beyond what was opened.

use crate::support::{
    Client, Packet, TestBox, assert_unbroken, camera, now, off_by, packets, place, sent_hashes,
    server, shown_times,
};
use serde_json::Value;
use sinetti::base::time::{Ticks, Wall};
use sinetti::catalog::Event;
use sinetti_simulator::Fault;
use std::fs;
use std::path::PathBuf;

fn time(value: &Value) -> Wall {
    let text = value.as_str().expect("a time");
    Wall::parse_rfc3339(text).expect("RFC 3339")
}

fn text(at: Wall) -> String {
    serde_json::to_string(&at).expect("a time").replace('"', "")
}

/// Every group of a stream, page by page.
fn groups(client: &Client, place: &str, stream: &str) -> Vec<Value> {
    let mut all = Vec::new();
    let mut query = String::new();
    loop {
        let path = format!("{place}/{stream}/groups{query}");
        let page = client.get(&path).expect(200).json();
        all.extend(page["groups"].as_array().expect("groups").iter().cloned());
        match page["next"].as_str() {
            Some(next) => query = format!("?start={next}"),
            None => return all,
        }
    }
}

/// What stands before them and all groups, in one file.
fn fetch(client: &Client, shop: &TestBox, groups: &[Value], file: &str) -> PathBuf {
    let init = groups.first().expect("a group")["init"]
        .as_str()
        .expect("a path");
    let mut bytes = client.get(init).expect(200).body;
    for group in groups {
        assert_eq!(group["init"], init, "one sample entry");
        let media = client
            .get(group["media"].as_str().expect("a path"))
            .expect(200);
        assert!(media.whole);
        assert_eq!(media.headers["content-type"], "video/iso.segment");
        bytes.extend(media.body);
    }
    let path = shop.path(file);
    fs::write(&path, bytes).expect("writes");
    path
}

fn opened(client: &Client, start: Wall, end: Wall) -> (Value, String) {
    let open = client.open(&["till"], &text(start), &text(end));
    let place = format!(
        "/api/v1/playbacks/{}",
        open["playback"].as_str().expect("a name")
    );
    (open, place)
}

#[test]
fn what_is_played_back_is_what_was_sent_also_across_a_gap_and_at_its_time() {
    let (mut shop, server) = (TestBox::new(), server());
    shop.set_recorder("segment_secs = 10");
    let handle = server.add("/till/main", camera("till.264"));
    shop.add_camera("till", server.address(), &[]);
    shop.serve();
    let began = now();
    shop.start();
    shop.wait_for_pictures(&["till/main"], 200);
    handle.fault(Fault::Disconnect);
    shop.wait_for_pictures(&["till/main"], 320);
    let client = shop.controller();
    let (open, place_) = opened(&client, began, now().plus_us(60_000_000));
    let origin = time(&open["origin"]);
    let all = groups(&client, &place_, "till/main");
    let last = all.last().expect("groups");
    // The segment that is being written is among them, up to what is durable.
    assert!(now().us_since(time(&last["end"])) < 15_000_000, "{last}");
    let file = fetch(&client, &shop, &all, "played.mp4");
    let sent = sent_hashes(&handle.sent());
    let packets = packets(&file);
    // Two sessions: the gap lies between the two.
    let second = sent
        .iter()
        .position(|(_, sent)| sent.session == 2)
        .expect("a second session");
    let hash = &sent[second].0;
    let cut = packets
        .iter()
        .rposition(|packet| &packet.hash == hash)
        .expect("it was recorded");
    assert_eq!(assert_unbroken(&packets[..cut], &sent), 0);
    assert_eq!(assert_unbroken(&packets[cut..], &sent[second..]), 0);
    let hole = packets[cut].dts - packets[cut - 1].dts;
    assert!(hole > 12_000, "{hole} ticks is no gap");
    // Time of day: origin and decode time, for each picture as for each group.
    for (packet, (_, sent)) in packets[..cut].iter().zip(&sent) {
        let at = origin.plus_ticks(Ticks(packet.pts));
        let off = off_by(at, place(sent));
        assert!(off.abs() < 0.3, "{off} s off");
    }
    let starts: Vec<_> = all.iter().map(|group| time(&group["start"])).collect();
    let keys: Vec<_> = packets.iter().filter(|p| p.is_key()).collect();
    assert_eq!(starts.len(), keys.len());
    for (start, key) in starts.iter().zip(&keys) {
        assert_eq!(origin.plus_ticks(Ticks(key.dts)), *start);
    }
    assert_eq!(shown_times(&file).len(), packets.len());
    key_frames_stand_for_their_groups(&client, &shop, &all, &keys);

    client.delete(&place_).expect(204);
    let (facts, _) = closing(&shop);
    let delivered = facts["delivered"][0]["intervals"]
        .as_array()
        .expect("intervals");
    assert_eq!(delivered.len(), 2, "two sides of a gap: {facts}");
    assert_eq!(time(&delivered[0]["start"]), starts[0]);
    assert_eq!(time(&delivered[1]["end"]), time(&last["end"]));
    shop.stop();
    shop.check(true);
}

/// The key frame of each group alone is the one that was sent, where it was.
fn key_frames_stand_for_their_groups(
    client: &Client,
    shop: &TestBox,
    groups: &[Value],
    keys: &[&Packet],
) {
    let path = |group: &Value| group["media"].as_str().expect("a path").to_owned();
    let mut bytes = client
        .get(groups[0]["init"].as_str().expect("a path"))
        .expect(200)
        .body;
    for group in groups {
        let alone = client
            .get(&format!("{}?pictures=key", path(group)))
            .expect(200)
            .body;
        let all = client.get(&path(group)).expect(200).body;
        assert!(alone.len() < all.len(), "{} of {}", alone.len(), all.len());
        bytes.extend(alone);
    }
    let file = shop.path("keys.mp4");
    fs::write(&file, bytes).expect("writes");
    let found = packets(&file);
    let placed = |packets: &mut dyn Iterator<Item = &Packet>| -> Vec<(i64, i64, String)> {
        packets.map(|p| (p.pts, p.dts, p.hash.clone())).collect()
    };
    assert_eq!(placed(&mut found.iter()), placed(&mut keys.iter().copied()));
    client
        .get(&format!("{}?pictures=some", path(&groups[0])))
        .expect(422);
}

/// Facts of the last closing, and of its opening.
fn closing(shop: &TestBox) -> (Value, Value) {
    let events = shop.catalog().events(0, 10_000).expect("events");
    let of = |result: &str| {
        let of_playback = |event: &Event| event.action == "playback" && event.result == result;
        let row = events.iter().rfind(|row| of_playback(&row.event));
        row.unwrap_or_else(|| panic!("none is {result}"))
            .event
            .facts
            .clone()
    };
    (of("ok"), of("begun"))
}

#[test]
fn nothing_is_given_beyond_what_was_opened_nor_after_the_session() {
    let (mut shop, server) = (TestBox::new(), server());
    shop.set_recorder("segment_secs = 10");
    server.add("/till/main", camera("till-sub.264"));
    server.add("/aisle/main", camera("till-sub.264"));
    shop.add_camera("till", server.address(), &[]);
    shop.add_camera("aisle", server.address(), &[]);
    shop.serve();
    let began = now();
    shop.start();
    shop.wait_for_pictures(&["till/main", "aisle/main"], 200);
    let client = shop.controller();
    let (_, whole) = opened(&client, began, now());
    let all = groups(&client, &whole, "till/main");
    let media = |group: &Value| group["media"].as_str().expect("a path").to_owned();
    // The camera was not opened, whatever is right of it.
    client
        .get(&format!("{whole}/aisle/main/groups"))
        .expect(404);
    client
        .get(&media(&all[0]).replace("/till/", "/aisle/"))
        .expect(404);
    // A part of it: groups outside are not there, also when their names are known.
    let inside = time(&all[1]["start"]).plus_us(100_000);
    let (_, part) = opened(&client, inside, inside.plus_us(200_000));
    let few = groups(&client, &part, "till/main");
    assert_eq!(few.len(), 1, "{few:?}");
    let name = |group: &Value| media(group).split("/media/").nth(1).expect("it").to_owned();
    assert_eq!(name(&few[0]), name(&all[1]));
    let outside = format!(
        "{part}/till/main/media/{}",
        name(all.last().expect("groups"))
    );
    client.get(&outside).expect(404);
    client
        .get(&format!("{part}/till/main/media/{}", name(&all[0])))
        .expect(404);
    // Another session of the same person, and the same one after it ended.
    let mut other = client.clone();
    other.cookie = None;
    other.sign_in(
        "controller1",
        crate::support::PASSPHRASE,
        &shop.factor.code(),
    );
    other.get(&media(&all[0])).expect(404);
    client.delete("/api/v1/session").expect(204);
    client.get(&media(&all[0])).expect(401);
    other.get(&whole).expect(404);
    for _ in 0..100 {
        let (closed, _) = closing_of(&shop);
        if closed == 2 {
            return;
        }
        shop.recorder().pace();
    }
    panic!("both playbacks end with the session");
}

/// How many were closed, and opened.
fn closing_of(shop: &TestBox) -> (usize, usize) {
    let events = shop.catalog().events(0, 10_000).expect("events");
    let count = |result: &str| {
        let of_playback = |event: &Event| event.action == "playback" && event.result == result;
        events.iter().filter(|row| of_playback(&row.event)).count()
    };
    (count("ok"), count("begun"))
}

#[test]
fn damaged_footage_breaks_off_before_a_byte_of_it_is_sent() {
    let (mut shop, server) = (TestBox::new(), server());
    shop.set_recorder("segment_secs = 10");
    server.add("/till/main", camera("till-sub.264"));
    shop.add_camera("till", server.address(), &[]);
    shop.serve();
    let began = now();
    shop.start();
    shop.wait_for_pictures(&["till/main"], 250);
    let client = shop.controller();
    let (_, place) = opened(&client, began, now());
    let all = groups(&client, &place, "till/main");
    let file = &shop.segment_files("till/main")[0];
    let mut bytes = fs::read(file).expect("reads");
    // The last sealed bytes of the first fragment of the first group.
    let at = bytes.windows(4).position(|w| w == b"mdat").expect("mdat") + 100;
    bytes[at] ^= 1;
    fs::write(file, bytes).expect("writes");
    let reply = client.get(all[0]["media"].as_str().expect("a path"));
    assert_eq!(reply.status, 500);
    assert_eq!(reply.json()["type"], "urn:sinetti:corrupt");
    assert!(
        !String::from_utf8_lossy(&reply.body).contains("/tmp"),
        "no path is told"
    );
    shop.recorder()
        .wait_for_log("a request failed: reading fragment 0");
    client
        .get(all[1]["media"].as_str().expect("a path"))
        .expect(200);
}

#[test]
fn a_segment_that_is_not_whole_any_more_is_named_and_what_is_left_is_played() {
    let (mut shop, server) = (TestBox::new(), server());
    server.add("/till/main", camera("till-sub.264"));
    shop.add_camera("till", server.address(), &[]);
    shop.serve();
    let began = now();
    // Each stop closes a segment.
    for _ in 0..2 {
        shop.start();
        shop.wait_for_pictures(&["till/main"], 100);
        shop.stop();
    }
    shop.start();
    shop.wait_for_pictures(&["till/main"], 60);
    let rows = shop.ls("till/main").footage.segments;
    let files = shop.segment_files("till/main");
    let [cut, gone] = &files[..] else {
        panic!("two segments are closed: {files:?}");
    };
    let file = fs::File::options().write(true).open(cut).expect("opens");
    let len = file.metadata().expect("a length").len();
    file.set_len(len * 2 / 3).expect("cuts");
    fs::remove_file(gone).expect("removes");

    let client = shop.controller();
    let (_, place) = opened(&client, began, now().plus_us(60_000_000));
    let path = format!("{place}/till/main/groups");
    let page = client.get(&path).expect(200).json();
    let damaged = page["damaged"].as_array().expect("a list");
    let named: Vec<_> = damaged.iter().map(|line| &line["segment"]).collect();
    let ids: Vec<_> = rows.iter().map(|row| row.segment.to_string()).collect();
    assert_eq!(named, [&ids[0], &ids[1]], "{page}");
    for (line, row) in damaged.iter().zip(&rows) {
        assert_eq!(
            (time(&line["start"]), time(&line["end"])),
            (row.start, row.end)
        );
    }
    // What is left of the first, nothing of the second, and all of what is being written.
    let all = page["groups"].as_array().expect("groups");
    let of = |id: &str| {
        let media = all
            .iter()
            .map(|group| group["media"].as_str().expect("a path"));
        media.filter(|path| path.contains(id)).count()
    };
    let others = all.len() - of(&ids[0]);
    assert!(of(&ids[0]) > 0 && of(&ids[1]) == 0 && others > 0, "{page}");
    fetch(&client, &shop, all, "left.mp4");
    let text = page.to_string();
    assert!(!text.contains("/tmp"), "no path is told");
    shop.stop();
}
