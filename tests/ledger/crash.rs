//! The recorder is killed at any point while acts are begun and ended: nothing is signed that is not durable, and nothing that
//! was begun stays without an outcome.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use sinetti::catalog::{EntryFilter, Event, Phase};
use sinetti::daemon::answer::Status;
use sinetti::daemon::control::Client;

use crate::random::Random;
use crate::shop::{grow, reader, state, verify};
use crate::support::{Recorder, TestBox, now};

/// An act as a command begins and ends it.
fn act(n: u64, result: &str, phase: Phase) -> Event {
    Event {
        actor: "person-1".to_owned(),
        result: result.to_owned(),
        detail: Some(json!({ "why": format!("reason {n}") })),
        phase,
        ..Event::of_box(now(), "export", "till/main", json!({ "n": n }))
    }
}

/// What somebody was told: acts begun, and those of them that were ended.
#[derive(Default)]
struct Told {
    begun: Vec<u64>,
    ended: Vec<u64>,
}

/// Begins and ends acts until the recorder is gone; `count` says how many were begun.
fn acts(shop: &TestBox, count: Arc<AtomicU64>) -> JoinHandle<Told> {
    let state = state(shop);
    std::thread::spawn(move || {
        let mut told = Told::default();
        let Ok(mut client) = Client::connect(&state) else {
            return told;
        };
        for n in 0.. {
            let Ok(Some(of)) = client.note(act(n, "begun", Phase::Begun)) else {
                break;
            };
            told.begun.push(of);
            count.fetch_add(1, Ordering::SeqCst);
            // Every third is still under way when the next begins.
            if n % 3 == 2 {
                continue;
            }
            if client.note(act(n, "ok", Phase::Ended { of })).is_err() {
                break;
            }
            told.ended.push(of);
        }
        told
    })
}

/// Each act that was begun has one outcome, and it is the one that was told, or `interrupted`.
#[track_caller]
fn all_have_outcomes(shop: &TestBox, told: &[Told]) {
    let reader = reader(shop);
    assert_eq!(reader.open_intents().expect("query"), Vec::<u64>::new());
    let filter = EntryFilter {
        action: Some("export".to_owned()),
        after_seq: Some(0),
        ..EntryFilter::default()
    };
    let rows = reader.entries(&filter, 1_000_000).expect("entries");
    let outcomes = |of: u64| -> Vec<&str> {
        let ended = rows.iter().filter(|row| row.entry.facts["begun"] == of);
        ended.map(|row| row.entry.result.as_str()).collect()
    };
    for told in told {
        for of in &told.begun {
            let begun = rows.iter().find(|row| row.entry.seq == *of);
            assert_eq!(begun.expect("it was told").entry.result, "begun");
            let outcomes = outcomes(*of);
            if told.ended.contains(of) {
                assert_eq!(outcomes, ["ok"], "{of}");
            } else {
                assert!(
                    matches!(outcomes[..], ["ok" | "interrupted"]),
                    "{of}: {outcomes:?}"
                );
            }
        }
    }
    // Also what was begun and never told.
    for row in rows.iter().filter(|row| row.entry.result == "begun") {
        assert_eq!(outcomes(row.entry.seq).len(), 1, "{row:?}");
    }
}

#[test]
fn a_kill_at_any_point_leaves_the_ledger_whole() {
    let mut shop = TestBox::new();
    let mut random = Random::new(9);
    let mut told = Vec::new();
    for _ in 0..8 {
        shop.start();
        let count = Arc::new(AtomicU64::new(0));
        let acting = acts(&shop, Arc::clone(&count));
        let until = 1 + random.below(600) as u64;
        while count.load(Ordering::SeqCst) < until && !acting.is_finished() {
            std::thread::yield_now();
        }
        shop.kill();
        told.push(acting.join().expect("acted"));
        // As it lies there, before anybody has looked after it; the mirror is compared too.
        let found = verify(&shop, &[]);
        assert!(found.whole, "{found:#?}");
    }
    assert!(told.iter().map(|t| t.begun.len()).sum::<usize>() > 100);
    shop.start();
    shop.stop();
    let found = verify(&shop, &[]);
    assert!(found.whole, "{found:#?}");
    let epoch = &found.epochs[0];
    assert_eq!(
        epoch.signed,
        Some(epoch.entries),
        "all is signed at the end"
    );
    all_have_outcomes(&shop, &told);
    let interrupted = EntryFilter {
        action: Some("export".to_owned()),
        ..EntryFilter::default()
    };
    let rows = reader(&shop)
        .entries(&interrupted, 1_000_000)
        .expect("entries");
    assert!(rows.iter().any(|row| row.entry.result == "interrupted"));
}

/// After so many acts a call that was waited for is taken not to come.
const ACTS: u64 = 400;

/// Kills the recorder just before it does what `call` names for the `nth` time in its life.
fn killed_before(shop: &TestBox, call: &str, nth: u32) -> bool {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-o", "/dev/null"]);
    strace.arg(format!("--trace={call}"));
    strace.arg(format!("--inject={call}:signal=KILL:when={nth}"));
    strace.arg(env!("CARGO_BIN_EXE_sinetti"));
    let mut recorder = Recorder::of(strace, &shop.dir);
    let (mut acting, count) = (None, Arc::new(AtomicU64::new(0)));
    let is_killed = loop {
        if recorder.ended_or_pace() {
            break true;
        }
        if acting.is_none() && recorder.log().contains("recording ") {
            acting = Some(acts(shop, Arc::clone(&count)));
        }
        // It does not make the call so often.
        if count.load(Ordering::SeqCst) > ACTS {
            break false;
        }
    };
    // strace lets no signal through. One that is ending does not answer any more.
    let said = shop.run(&["status", "--json"]).stdout;
    let status = serde_json::from_str::<Status>(&said).ok();
    let id = status.and_then(|status| i32::try_from(status.process).ok());
    if let Some(id) = id.and_then(Pid::from_raw) {
        // It may have ended since.
        kill_process(id, Signal::KILL).ok();
    }
    recorder.wait();
    if let Some(acting) = acting {
        acting.join().expect("acted");
    }
    is_killed
}

#[test]
fn a_kill_before_any_write_or_sync_leaves_the_ledger_whole() {
    let shop = TestBox::new();
    grow(&shop, 250);
    let mut kills = 0;
    for (call, steps) in [
        ("pwrite64", 37),
        ("fdatasync", 7),
        ("/^rename", 2),
        ("ftruncate", 3),
    ] {
        for n in 0..4 {
            kills += u32::from(killed_before(&shop, call, 1 + n * steps));
            let found = verify(&shop, &[]);
            assert!(found.whole, "{call} {n}: {found:#?}");
        }
    }
    assert!(kills >= 8, "most calls are made: {kills}");
    let (status, log) = Recorder::start(&shop.dir).stop();
    assert!(status.success(), "{log}");
    let found = verify(&shop, &[]);
    assert!(found.whole, "{found:#?}");
    all_have_outcomes(&shop, &[]);
}
