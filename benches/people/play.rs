//! Many people who play back at once.

use std::io::{BufReader, Write};
use std::sync::Barrier;
use std::time::{Duration, Instant};

use serde_json::Value;
use sinetti::base::time::Wall;

use crate::figures::Times;
use crate::http::{Client, Reply, Tls, read_from};
use crate::{Place, now};

/// What each opens: the last so much.
const SPAN_US: i64 = 60_000_000;
/// Answers of this status are asked for again: a segment is being closed, or too much is being sent.
const BUSY: u16 = 503;

#[derive(Default)]
struct Seen {
    media: Times,
    bytes: usize,
    busy: usize,
    wrong: Vec<String>,
}

/// A person with one connection that is used again.
struct Player {
    client: Client,
    connection: Option<BufReader<Tls>>,
    seen: Seen,
}

impl Player {
    /// Asks until the answer is another than "busy".
    fn ask(&mut self, method: &str, path: &str, body: Option<&Value>) -> Reply {
        loop {
            let request = self.client.request(method, path, body, "keep-alive");
            let connection = &mut self.connection;
            let open = connection.get_or_insert_with(|| BufReader::new(self.client.connect()));
            // A connection that was idle for long has ended.
            let sent = open.get_mut().write_all(request.as_bytes()).is_ok();
            let reply = sent.then(|| read_from(open)).flatten();
            match reply {
                Some(reply) if reply.status == BUSY => {
                    self.seen.busy += 1;
                    std::thread::sleep(Duration::from_millis(500));
                }
                Some(reply) => return reply,
                None => self.connection = None,
            }
        }
    }

    fn json(
        &mut self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        wanted: u16,
    ) -> Option<Value> {
        let reply = self.ask(method, path, body);
        if reply.status == wanted {
            return Some(reply.json());
        }
        let text = String::from_utf8_lossy(&reply.body);
        let wrong = format!("{method} {path}: {} {text}", reply.status);
        self.seen.wrong.push(wrong);
        None
    }

    /// Opens the last minute of a camera and plays it, `speed` times as fast as it was recorded, until it ends or `until`.
    fn play(&mut self, camera: &str, speed: u32, until: Instant) -> Option<()> {
        let end = now();
        let given = serde_json::json!({
            "cameras": [camera], "start": end.plus_us(-SPAN_US).rfc3339(), "end": end.rfc3339(),
            "purpose": "protection-of-property",
        });
        let open = self.json("POST", "/api/v1/playbacks", Some(&given), 201)?;
        let place = format!("/api/v1/playbacks/{}", open["playback"].as_str()?);
        let page = self.json("GET", &format!("{place}/{camera}/main/groups"), None, 200)?;
        if let Some(damaged) = page["damaged"].as_array().filter(|list| !list.is_empty()) {
            self.seen.wrong.push(format!("{damaged:?} are damaged"));
        }
        for group in page["groups"].as_array()? {
            let began = Instant::now();
            if began >= until {
                break;
            }
            let path = group["media"].as_str()?;
            let reply = self.ask("GET", path, None);
            self.seen.media.add(began.elapsed());
            self.seen.bytes += reply.body.len();
            // Expired, or deleted, it may be by now; nothing else.
            if reply.status != 200 || !reply.whole {
                let whole = if reply.whole { "" } else { ", broken off" };
                self.seen
                    .wrong
                    .push(format!("{path}: {}{whole}", reply.status));
            }
            let time = |key: &str| Wall::parse_rfc3339(group[key].as_str()?);
            let us = time("end")?.us_since(time("start")?).max(0);
            let pace = Duration::from_micros(us.unsigned_abs()) / speed;
            std::thread::sleep(pace.saturating_sub(began.elapsed()));
        }
        self.ask("DELETE", &place, None);
        Some(())
    }
}

/// Everybody signs in, then all play back at once. True when each answer was what it should be.
pub(crate) fn play(
    place: &Place,
    seconds: u32,
    speed: u32,
    cameras: &[String],
    names: &[String],
) -> bool {
    let people: Vec<_> = names.iter().map(|name| place.signed_in(name)).collect();
    println!("{} people are signed in", people.len());
    let start = Barrier::new(people.len());
    let all: Vec<Seen> = std::thread::scope(|scope| {
        let run = |(n, client): (usize, Client)| {
            let start = &start;
            scope.spawn(move || {
                let mut player = Player {
                    client,
                    connection: None,
                    seen: Seen::default(),
                };
                start.wait();
                let until = Instant::now() + Duration::from_secs(seconds.into());
                let mut turn = n;
                while Instant::now() < until {
                    let camera = &cameras[turn % cameras.len()];
                    turn += 1;
                    if player.play(camera, speed, until).is_none() {
                        player
                            .seen
                            .wrong
                            .push(format!("{camera} could not be played"));
                        break;
                    }
                }
                player.seen
            })
        };
        let running: Vec<_> = people.into_iter().enumerate().map(run).collect();
        let done = running.into_iter().map(|thread| thread.join());
        done.map(|seen| seen.expect("a person failed")).collect()
    });
    let mut sum = Seen::default();
    for seen in all {
        sum.media.append(seen.media);
        sum.bytes += seen.bytes;
        sum.busy += seen.busy;
        sum.wrong.extend(seen.wrong);
    }
    println!(
        "{} groups, {} MB; a group took {}; {} answers \"busy\"",
        sum.media.count(),
        sum.bytes / 1_000_000,
        sum.media,
        sum.busy
    );
    for wrong in sum.wrong.iter().take(10) {
        println!("WRONG: {wrong}");
    }
    sum.wrong.is_empty() && sum.media.count() > 0
}
