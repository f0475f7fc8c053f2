//! Stills: the picture of an instant, whole, as a file; in the ledger before it is decoded.

use crate::support::{
    Client, LOOP_PICTURES, PURPOSE, Reply, TestBox, block_codes, camera, now, off_by, ran, server,
    sha256,
};
use serde_json::{Value, json};
use sinetti::base::time::Wall;
use sinetti::catalog::Event;
use sinetti_simulator::Server;
use std::fs;
use std::path::PathBuf;

fn time(text: &str) -> Wall {
    Wall::parse_rfc3339(text).unwrap_or_else(|| panic!("{text} is no time"))
}

fn text(at: Wall) -> String {
    serde_json::to_string(&at).expect("a time").replace('"', "")
}

/// A still in a file: the code in it, and what stands beside the picture.
struct Still {
    code: usize,
    size: (u32, u32),
    texts: Vec<(String, String)>,
}

impl Still {
    fn read(path: &PathBuf) -> Still {
        let file = fs::File::open(path).expect("a file");
        let reader = png::Decoder::new(std::io::BufReader::new(file))
            .read_info()
            .expect("a PNG");
        let info = reader.info();
        let texts = info.utf8_text.iter();
        Still {
            code: block_codes(path)[0],
            size: (info.width, info.height),
            texts: texts
                .map(|t| (t.keyword.clone(), t.get_text().expect("text")))
                .collect(),
        }
    }

    fn says(&self, keyword: &str) -> &str {
        let found = self.texts.iter().find(|(k, _)| k == keyword);
        found.map_or_else(
            || panic!("no {keyword} in {:?}", self.texts),
            |(_, text)| text,
        )
    }
}

fn take(client: &Client, place: &str, stream: &str, at: Wall) -> Reply {
    client.post(
        &format!("{place}/{stream}/stills"),
        &json!({ "at": text(at) }),
    )
}

/// The events of stills, with this result.
fn events(shop: &TestBox, result: &str) -> Vec<Event> {
    let all = shop.catalog().events(0, 10_000).expect("events");
    let of = |event: &Event| event.action == "still" && event.result == result;
    all.into_iter().map(|row| row.event).filter(of).collect()
}

/// A box that serves, with a camera of each codec that was recorded for a while.
fn recorded(shop: &mut TestBox) -> (Server, Client, String) {
    let server = server();
    for (id, file) in [("till", "till.264"), ("aisle", "till-h265.265")] {
        server.add(&format!("/{id}/main"), camera(file));
        shop.add_camera(id, server.address(), &[]);
    }
    shop.serve();
    let began = now();
    shop.start();
    shop.wait_for_pictures(&["till/main", "aisle/main"], 200);
    for stream in ["till/main", "aisle/main"] {
        while shop.ls(stream).footage.coverage.recorded.is_empty() {
            shop.recorder().pace();
        }
    }
    let client = shop.controller();
    let open = client.open(
        &["till", "aisle"],
        &text(began),
        &text(now().plus_us(60_000_000)),
    );
    let place = format!(
        "/api/v1/playbacks/{}",
        open["playback"].as_str().expect("a name")
    );
    (server, client, place)
}

#[test]
fn a_still_is_the_picture_of_its_instant_at_full_size_and_the_ledger_knows() {
    let mut shop = TestBox::new();
    shop.set_recorder("segment_secs = 10");
    let (_cameras, client, place) = recorded(&mut shop);
    for stream in ["till/main", "aisle/main"] {
        let start = shop.ls(stream).footage.coverage.recorded[0].start;
        let mut at = start.plus_us(2_345_678);
        let mut before = None;
        for _ in 0..4 {
            let reply = take(&client, &place, stream, at).expect(200);
            assert_eq!(reply.headers["content-type"], "image/png");
            let path = shop.path("still.png");
            fs::write(&path, &reply.body).expect("writes");
            let still = Still::read(&path);
            let (from, until) = (time(still.says("Time")), time(still.says("Until")));
            assert!(from <= at && at < until, "{at} is not in {from} to {until}");
            assert_eq!(still.size, (320, 180));
            assert_eq!(still.says("Camera"), stream);
            assert_eq!(still.says("Source"), format!("Sinetti {}", shop.id()));
            assert!(
                off_by(from, still.code).abs() < 0.3,
                "{stream} {from} shows {}",
                still.code
            );
            let name = format!(
                "filename=\"{}-{}.png\"",
                stream.replace('/', "-"),
                from.basic()
            );
            assert!(
                reply.headers["content-disposition"].ends_with(&name),
                "{:?} {name}",
                reply.headers
            );
            // The next instant shows the next picture.
            let next = before.map_or(still.code, |code: usize| (code + 1) % LOOP_PICTURES);
            assert_eq!(still.code, next, "{stream}");
            before = Some(still.code);
            let outcome = events(&shop, "ok").pop().expect("an outcome");
            assert_eq!(outcome.facts["sha256"], sha256(&reply.body));
            let intent = events(&shop, "begun").pop().expect("an intent");
            assert_eq!(
                (intent.object.as_str(), &intent.facts["at"]),
                (stream, &json!(from))
            );
            assert_eq!(intent.facts["purpose"], PURPOSE);
            at = until;
        }
    }
    assert_eq!(
        (events(&shop, "begun").len(), events(&shop, "ok").len()),
        (8, 8)
    );
    // Nothing was recorded, not opened, no such stream.
    take(&client, &place, "till/main", now().plus_us(30_000_000)).expect(404);
    take(&client, &place, "till/main", now().plus_us(-3_600_000_000)).expect(422);
    take(&client, &place, "till/sub", now()).expect(404);
    take(&client, &place, "door/main", now()).expect(404);
    client.delete(&place).expect(204);
    take(&client, &place, "till/main", now()).expect(404);
    assert_eq!(events(&shop, "begun").len(), 8);
    shop.stop();
    shop.check(true);
}

#[test]
fn the_console_writes_a_still_as_an_act_of_a_person() {
    let mut shop = TestBox::new();
    shop.set_recorder("segment_secs = 10");
    let _recorded = recorded(&mut shop);
    let start = shop.ls("aisle/main").footage.coverage.recorded[0].start;
    let at = text(start.plus_us(3_000_000));
    let still = |at: &str, file: &str| {
        let mut still = shop.command(&["still", "aisle", at, "--json", "--purpose", PURPOSE]);
        still.arg("-o").arg(shop.path(file)).args(shop.proof());
        ran(&mut still)
    };
    let said: Value = serde_json::from_str(&still(&at, "aisle.png").ok()).expect("JSON");
    let (path, shown) = (shop.path("aisle.png"), &said["shown"]["start"]);
    let found = Still::read(&path);
    let from = time(shown.as_str().expect("a time"));
    assert!(
        off_by(from, found.code).abs() < 0.3,
        "{from} shows {}",
        found.code
    );
    assert_eq!(said["sha256"], sha256(&fs::read(&path).expect("a file")));
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&path.metadata().expect("a file").permissions())
            & 0o777,
        0o600
    );
    assert_eq!(
        (events(&shop, "begun").len(), events(&shop, "ok").len()),
        (1, 1)
    );
    let refused = still(&at, "aisle.png").error();
    assert!(refused.contains("exists already"), "{refused}");
    let refused = still("2001-01-01T12:00:00", "none.png").error();
    assert!(
        refused.contains("nothing is recorded of aisle/main"),
        "{refused}"
    );
    assert_eq!(events(&shop, "begun").len(), 1);
}
