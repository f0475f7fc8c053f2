//! Wrong sign-ins without end, and what they do to everything else.

use std::net::Ipv4Addr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sinetti::base::time::Wall;
use sinetti::daemon::answer::{Answer, Ask};
use sinetti::daemon::control;
use sinetti::store::state::State;
use tungstenite::client::IntoClientRequest;
use tungstenite::protocol::Message;

use crate::Place;
use crate::figures::Times;
use crate::http::Client;

/// Wrong sign-ins at a time.
const PARALLEL: usize = 8;
/// Wrong passwords for each existing name: the third failure would make the next one wait.
const TRIES: usize = 2;
/// Above these, something was moved.
const API_P99_MS_MAX: f64 = 1000.0;
const LIVE_GROWS_MS_MAX: f64 = 1000.0;
const BEHIND_MS_MAX: f64 = 15_000.0;
/// So much the typical time of an existing name and of one that does not exist may differ, of the greater.
const DIFFERENCE_MAX: f64 = 0.25;

/// What was seen in one phase.
#[derive(Clone, Default)]
struct Phase {
    api: Times,
    live: Times,
    behind: Times,
}

struct Watch {
    seen: Mutex<Phase>,
    over: AtomicBool,
}

impl Watch {
    fn note(&self, add: impl FnOnce(&mut Phase)) {
        add(&mut self.seen.lock().expect("nobody failed"));
    }

    /// What was seen since the last time.
    fn take(&self) -> Phase {
        std::mem::take(&mut *self.seen.lock().expect("nobody failed"))
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    fn api(&self, client: &Client) {
        while !self.is_over() {
            let began = Instant::now();
            client.get("/api/v1/cameras").expect(200);
            self.note(|phase| phase.api.add(began.elapsed()));
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn live(&self, client: &Client, stream: &str) {
        let url = format!("wss://{}/api/v1/cameras/{stream}/live", client.address);
        let mut request = url.into_client_request().expect("a request");
        let cookie = client.cookie.as_deref().expect("a session");
        let headers = request.headers_mut();
        headers.insert("cookie", cookie.parse().expect("a value"));
        let opened = tungstenite::client(request, client.connect());
        let Ok((mut socket, _)) = opened else {
            panic!("no live pictures of {stream}");
        };
        while !self.is_over() {
            let message = socket.read().expect("live pictures go on");
            let Message::Text(text) = message else {
                continue;
            };
            let text: Value = serde_json::from_str(&text).expect("JSON");
            let time = |key: &str| Wall::parse_rfc3339(text[key].as_str()?);
            if let (Some(now), Some(last)) = (time("now"), time("last")) {
                #[expect(clippy::cast_precision_loss, reason = "some seconds")]
                let age_ms = now.us_since(last) as f64 / 1000.0;
                self.note(|phase| phase.live.add_ms(age_ms));
            }
        }
    }

    fn behind(&self, state: &State) {
        let mut daemon = control::Client::connect(state).expect("the recorder answers");
        while !self.is_over() {
            let Ok(Answer::Status(status)) = daemon.ask(&Ask::Status) else {
                panic!("no status");
            };
            let behind = status.volumes.iter().filter_map(|v| v.behind_ms).max();
            #[expect(clippy::cast_precision_loss, reason = "some seconds")]
            self.note(|phase| phase.behind.add_ms(behind.unwrap_or(0) as f64));
            std::thread::sleep(Duration::from_millis(250));
        }
    }
}

/// Addresses of loopback that were not used yet: each has its own delays.
static NEXT: AtomicU32 = AtomicU32::new(1);

fn fresh() -> Ipv4Addr {
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    Ipv4Addr::from(0x7f01_0000 + n)
}

/// One wrong sign-in; the status, and how long it took.
fn wrong(place: &Client, name: &str) -> (u16, Duration) {
    let client = Client {
        source: Some(fresh()),
        ..place.clone()
    };
    let given = json!({ "name": name, "password": "aivan väärä salasana", "code": "000000" });
    let began = Instant::now();
    let reply = client.post("/api/v1/session", &given);
    (reply.status, began.elapsed())
}

/// Eight at a time for so long: how long those took that were looked at, and how many were turned away.
fn flood(client: &Client, time: Duration) -> (Times, usize) {
    let until = Instant::now() + time;
    let (tried, away) = (Mutex::new(Times::default()), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for thread in 0..PARALLEL {
            let (tried, away) = (&tried, &away);
            scope.spawn(move || {
                for n in 0.. {
                    if Instant::now() >= until {
                        return;
                    }
                    match wrong(client, &format!("nobody-{thread}-{n}")) {
                        (401, took) => tried.lock().expect("nobody failed").add(took),
                        _ => {
                            away.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }
            });
        }
    });
    let away = away.load(Ordering::Relaxed);
    (tried.into_inner().expect("nobody failed"), away as usize)
}

/// Existing names and others, one after the other.
fn names(client: &Client, existing: &[String]) -> (Times, Times) {
    let (mut there, mut not_there) = (Times::default(), Times::default());
    for turn in 0..TRIES {
        for name in existing {
            let (status, took) = wrong(client, name);
            assert_eq!(status, 401, "a wrong password of {name}");
            there.add(took);
            let (status, took) = wrong(client, &format!("nothing-{turn}-{name}"));
            assert_eq!(status, 401, "a name that does not exist");
            not_there.add(took);
        }
    }
    (there, not_there)
}

/// Measures before and during; true when nothing was moved.
pub(crate) fn sign_in(place: &Place, seconds: u32, stream: &str, existing: &[String]) -> bool {
    let client = place.signed_in("controller1");
    let state = State::open(&place.state()).expect("the state folder");
    let time = Duration::from_secs(seconds.into());
    let watch = Watch {
        seen: Mutex::default(),
        over: AtomicBool::new(false),
    };
    let (before, during, tried, away) = std::thread::scope(|scope| {
        scope.spawn(|| watch.api(&client));
        scope.spawn(|| watch.live(&client, stream));
        scope.spawn(|| watch.behind(&state));
        std::thread::sleep(Duration::from_secs(5));
        watch.take();
        std::thread::sleep(time);
        let before = watch.take();
        let (tried, away) = flood(&client, time);
        let during = watch.take();
        watch.over.store(true, Ordering::Relaxed);
        (before, during, tried, away)
    });
    let (there, not_there) = names(&place.client(), existing);
    println!(
        "{} wrong sign-ins, {PARALLEL} at a time, took {tried}; {away} were turned away",
        tried.count()
    );
    println!("                  before                                  during");
    for (what, before, during) in [
        ("API", &before.api, &during.api),
        ("live, age", &before.live, &during.live),
        ("sync, behind", &before.behind, &during.behind),
    ] {
        println!(
            "{what:<13} {:<42} {:<42}",
            before.to_string(),
            during.to_string()
        );
    }
    println!(
        "a name that exists: {there} ({}); one that does not: {not_there} ({})",
        there.count(),
        not_there.count()
    );
    let mut held = true;
    let mut check = |holds: bool, what: String| {
        if !holds {
            println!("WRONG: {what}");
        }
        held &= holds;
    };
    let p99 = during.api.percentile(99);
    check(p99 <= API_P99_MS_MAX, format!("the API took {p99:.0} ms"));
    let grew = during.live.max() - before.live.max();
    check(
        grew <= LIVE_GROWS_MS_MAX,
        format!("live pictures are {grew:.0} ms older"),
    );
    let behind = during.behind.max();
    check(
        behind <= BEHIND_MS_MAX,
        format!("syncing is {behind:.0} ms behind"),
    );
    check(tried.count() > 0, "nobody was looked at".to_owned());
    let (a, b) = (there.percentile(50), not_there.percentile(50));
    let apart = (a - b).abs() / a.max(b);
    check(
        apart <= DIFFERENCE_MAX,
        format!("names that exist take {a:.0} ms, others {b:.0} ms"),
    );
    held
}
