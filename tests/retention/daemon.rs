//! The real binary: it deletes by itself, finishes after a kill, makes room on a full volume, and stops when it must.

use std::fs;
use std::path::{Path, PathBuf};

use sinetti::base::clock::SimulatedClock;
use sinetti::base::time::{Span, Wall};
use sinetti::catalog::{HoldKind, Rule};
use sinetti::daemon::answer::{Deletion, Retention};
use sinetti::retention::latch;

use crate::plant::{HOUR, MINUTE, Plant, SECOND, always, stream};
use crate::support::{TestBox, camera, now, ran, server, span};
use crate::support::{tmpfs, with_own_mounts};

/// A box with a camera `kassa` that does not answer and is kept an hour.
fn kept_an_hour() -> TestBox {
    let shop = TestBox::new();
    shop.add_camera("kassa", ([127, 0, 0, 1], 9).into(), &[]);
    set_keep(&shop);
    shop
}

fn set_keep(shop: &TestBox) {
    shop.edit_config(|text| text.replacen("purposes", "keep = \"1 h\"\npurposes", 1));
}

fn plant(shop: &TestBox, root: &Path) -> Plant {
    Plant::open(&shop.dir, root, SimulatedClock::at(now()))
}

fn ago(us: i64) -> Wall {
    now().plus_us(-us)
}

fn retention(shop: &TestBox) -> Retention {
    let ran = shop.run(&["retention", "--json"]);
    serde_json::from_str(&ran.stdout).unwrap_or_else(|e| panic!("{e}: {ran:?}"))
}

fn deletion(shop: &TestBox) -> Deletion {
    shop.status().deletion
}

#[test]
fn what_is_too_old_is_refused_at_once_and_deleted_by_itself() {
    let mut shop = kept_an_hour();
    let old = ago(3 * HOUR);
    let planted = plant(&shop, &shop.volume);
    planted.record("kassa/main", old, 60, 5, 4000);
    planted.record("kassa/main", ago(10 * MINUTE), 60, 5, 4000);
    planted.keep("kassa/main", HOUR);
    drop(planted);

    // Without the recorder nothing is deleted, and nothing expired is given out.
    let asked = span(old, old.plus_us(5 * MINUTE));
    let refused = shop.try_export(
        "kassa/main",
        &asked.start.rfc3339(),
        &asked.end.rfc3339(),
        "old.mp4",
    );
    assert_ne!(refused.code, 0);
    assert!(refused.stderr.contains("deleted: expired"), "{refused:?}");
    assert_eq!(shop.ls("kassa/main").footage.segments.len(), 5);
    assert_eq!(shop.segment_files("kassa/main").len(), 10);

    shop.start();
    shop.recorder().wait_for_log("5 segments deleted");
    assert_eq!(shop.segment_files("kassa/main").len(), 5);
    assert_eq!(shop.ls("kassa/main").footage.segments.len(), 5);
    let told = retention(&shop);
    let line = &told.outlook.streams[0];
    assert_eq!(line.keep_s, Some(3600));
    assert_eq!(
        line.deleted_until.map(|d| (d.rule, d.span.end)),
        Some((Rule::Expired, asked.end))
    );
    assert_eq!(line.within_day.0, 5);
    assert!(!told.deletion.is_alarm(), "{told:?}");
    let text = shop.run(&["ls"]).ok();
    assert!(text.contains("deleted until"), "{text}");
    let text = shop.run(&["retention"]).ok();
    assert!(
        text.contains("kept 1 h") && text.contains("last sweep ended"),
        "{text}"
    );
    shop.check(true);
    shop.stop();
    shop.check(true);
}

#[test]
fn a_kill_in_the_middle_of_a_sweep_is_finished_at_the_next_start() {
    const COUNT: usize = 1500;
    let mut shop = kept_an_hour();
    let planted = plant(&shop, &shop.volume);
    let secs = i64::try_from(COUNT).expect("small") * 2 + 120;
    let old = ago(secs * SECOND + HOUR);
    planted.record(
        "kassa/main",
        old,
        2,
        i64::try_from(COUNT).expect("small"),
        400,
    );
    planted.record("kassa/main", ago(MINUTE), 60, 1, 400);
    drop(planted);
    let (mut kills, mut left) = (0, COUNT + 1);
    while left > 1 {
        shop.start();
        // Some more are gone, or all.
        let before = left;
        while left > 1 && left + 100 > before {
            shop.recorder().pace();
            left = shop.segment_files("kassa/main").len();
        }
        shop.kill();
        kills += 1;
        shop.check(true);
    }
    assert!(kills > 1, "at least one kill was in the middle");
    shop.start();
    shop.stop();
    assert_eq!(shop.segment_files("kassa/main").len(), 1);
    shop.check(true);
    let events = shop.catalog().events(0, 100_000).expect("events");
    let sweeps = events.iter().filter(|row| row.event.action == "sweep");
    let told: u64 = sweeps
        .filter_map(|row| row.event.facts["segments"].as_u64())
        .sum();
    assert_eq!(told, COUNT as u64, "each is told of once");
}

#[test]
fn without_its_catalog_nothing_is_deleted_and_the_box_says_why() {
    let shop = kept_an_hour();
    let planted = plant(&shop, &shop.volume);
    planted.record("kassa/main", ago(3 * HOUR), 60, 5, 4000);
    drop(planted);
    for name in ["catalog.db", "catalog.db-wal", "catalog.db-shm"] {
        fs::remove_file(shop.dir.join(name)).ok();
    }
    let ran = shop.run(&["run"]);
    assert_ne!(ran.code, 0, "a lost catalog is not made anew unasked");
    assert!(ran.stderr.contains("nothing is deleted"), "{ran:?}");
    assert_eq!(shop.segment_files("kassa/main").len(), 5);
    shop.run(&["reindex"]).ok();
    assert!(deletion(&shop).latched.is_some());
    assert_eq!(shop.run(&["retention"]).code, 1);
    assert_eq!(shop.segment_files("kassa/main").len(), 5);
    shop.run(&["retention", "confirm"]).ok();
    assert_eq!(deletion(&shop).latched, None);
}

#[test]
fn under_an_older_copy_of_its_catalog_nothing_is_deleted_until_somebody_confirms() {
    let mut shop = kept_an_hour();
    let keep = |shop: &TestBox, from: &str, to: &str| {
        shop.edit_config(|text| text.replacen(from, to, 1));
    };
    keep(&shop, "\"1 h\"", "\"20 h\"");
    let planted = plant(&shop, &shop.volume);
    planted.record("kassa/main", ago(4 * HOUR), 60, 3, 4000);
    drop(planted);
    let (live, backup) = (shop.dir.join("catalog.db"), shop.path("backup.db"));
    fs::copy(&live, &backup).expect("a backup");
    let planted = plant(&shop, &shop.volume);
    planted.record("kassa/main", ago(3 * HOUR), 60, 5, 4000);
    drop(planted);
    // A life of the recorder leaves its mark on the volume.
    shop.start();
    shop.stop();
    for suffix in ["-wal", "-shm"] {
        fs::remove_file(shop.dir.join(format!("catalog.db{suffix}"))).ok();
    }
    fs::copy(&backup, &live).expect("restored");
    keep(&shop, "\"20 h\"", "\"1 h\"");
    shop.start();
    shop.recorder().wait_for_log("nothing will be deleted");
    let latched = deletion(&shop).latched.expect("latched");
    assert!(latched.contains("older copy"), "{latched}");
    assert_eq!(shop.run(&["status"]).code, 1, "an alarm");
    assert_eq!(shop.segment_files("kassa/main").len(), 8);
    shop.check(true);
    shop.run(&["retention", "confirm"]).ok();
    shop.recorder().wait_for_log("8 segments deleted");
    assert_eq!(shop.segment_files("kassa/main").len(), 0);
    shop.stop();
    shop.check(true);
}

#[test]
fn a_clock_that_cannot_be_right_deletes_nothing_until_somebody_confirms() {
    let mut shop = kept_an_hour();
    let planted = plant(&shop, &shop.volume);
    planted.record("kassa/main", ago(3 * HOUR), 60, 5, 4000);
    // The last time that was believed is tomorrow: without a source, today is not.
    let change = sinetti::catalog::Change::TimeMarked {
        at: now().plus_us(24 * HOUR),
    };
    planted.catalog.commit(change, None).expect("a mark");
    let has_source = sinetti::base::Clock::host_sync(&*sinetti::base::clock::SystemClock::shared());
    drop(planted);
    shop.start();
    if has_source.synchronised {
        shop.recorder().wait_for_log("5 segments deleted");
        return;
    }
    shop.recorder()
        .wait_for_log("footage is not deleted for now");
    let paused = deletion(&shop).paused.expect("paused");
    assert!(paused.contains("sinetti clock confirm"), "{paused}");
    assert_eq!(shop.segment_files("kassa/main").len(), 5);
    shop.run(&["clock", "confirm"]).ok();
    shop.recorder().wait_for_log("5 segments deleted");
    assert_eq!(deletion(&shop).paused, None);
    shop.stop();
    shop.check(true);
    let events = shop.catalog().events(0, 1000).expect("events");
    assert!(
        events
            .iter()
            .any(|row| row.event.action == "clock-confirmed")
    );
}

#[test]
fn a_volume_that_fills_loses_its_oldest_and_recording_goes_on() {
    with_own_mounts(
        "daemon::a_volume_that_fills_loses_its_oldest_and_recording_goes_on",
        on_a_small_disk,
    );
}

fn on_a_small_disk() {
    let (mut shop, server) = (TestBox::new(), server());
    let small: PathBuf = shop.path("small");
    fs::create_dir(&small).expect("a folder");
    tmpfs("size=320m", &small);
    let path = small.to_string_lossy().into_owned();
    shop.run(&[
        "volume",
        "add",
        &path,
        "--name",
        "small",
        "--reserve-gib",
        "0.05",
    ])
    .ok();
    let _till = server.add("/till/main", camera("till.264"));
    shop.add_camera("till", server.address(), &["--volume", "small"]);
    // 224 MiB of two days: less than 115 MiB are free, 179 will be.
    let planted = plant(&shop, &small);
    let from = ago(48 * HOUR);
    planted.record("till/main", from, 60, 112, 2 << 20);
    let rows = planted.segments("till/main");
    let paths: Vec<_> = rows.iter().map(|row| planted.path(row)).collect();
    drop(planted);
    shop.start();
    shop.recorder().wait_for_log("deleted early");
    shop.recorder().wait_for_log("segments deleted");
    shop.wait_for_pictures(&["till/main"], 60);
    assert_eq!(deletion(&shop).early, ["small"]);
    assert_eq!(shop.run(&["status"]).code, 1, "an alarm");
    let kept: Vec<_> = paths.iter().map(|path| path.exists()).collect();
    let first = kept.iter().position(|kept| *kept).expect("some are kept");
    assert!((30..50).contains(&first), "enough and no more: {first}");
    assert!(
        kept[first..].iter().all(|kept| *kept),
        "none younger than the oldest kept"
    );
    let footage = shop.ls("till/main").footage;
    let deleted = footage.coverage.deleted;
    assert!(deleted.is_empty() || deleted.iter().all(|d| d.rule == Rule::Early));
    shop.stop();
    shop.check(true);
    let reader = shop.catalog();
    let till = stream("till/main");
    let deleted = reader.deleted(&till, always()).expect("query");
    assert_eq!(deleted.len(), 1);
    assert_eq!(
        (deleted[0].rule, deleted[0].span.end),
        (Rule::Early, rows[first].start)
    );
    let gaps = reader.gaps(&till, always(), now()).expect("query");
    assert!(
        gaps.iter().all(|gap| gap.cause.as_str() != "disk-full"),
        "{gaps:?}"
    );
    let event = reader.events(0, 1000).expect("events");
    let event = event
        .into_iter()
        .find(|row| row.event.action == "sweep")
        .expect("told");
    assert_eq!(event.event.facts["deleted"]["early"][0][0], "till/main");
}

#[test]
fn a_volume_full_of_what_is_held_records_gaps_tells_and_touches_nothing() {
    with_own_mounts(
        "daemon::a_volume_full_of_what_is_held_records_gaps_tells_and_touches_nothing",
        on_a_disk_full_of_held_footage,
    );
}

fn on_a_disk_full_of_held_footage() {
    let (mut shop, server) = (TestBox::new(), server());
    let small: PathBuf = shop.path("small");
    fs::create_dir(&small).expect("a folder");
    tmpfs("size=160m", &small);
    let path = small.to_string_lossy().into_owned();
    let add = ["volume", "add", &path, "--name", "small"];
    shop.run(&[&add[..], &["--reserve-gib", "0.05"]].concat())
        .ok();
    let _till = server.add("/till/main", camera("till.264"));
    shop.add_camera("till", server.address(), &["--volume", "small"]);
    // 120 MiB past their time: less than the reserve is free.
    let planted = plant(&shop, &small);
    planted.record("till/main", ago(400 * HOUR), 60, 60, 2 << 20);
    let rows = planted.segments("till/main");
    let all = Span {
        start: rows[0].start,
        end: rows[59].end,
    };
    planted.hold(HoldKind::Case, "till", all);
    // Something of today, of no size: else the clock would be in doubt.
    planted.record("till/main", ago(10 * MINUTE), 60, 2, 1000);
    let paths: Vec<_> = rows.iter().map(|row| planted.path(row)).collect();
    drop(planted);
    shop.start();
    shop.recorder().wait_for_log("would make none");
    shop.recorder().wait_for_log("ALARM volume-full");
    shop.wait("a gap for want of room", |status| {
        let line = status.streams.get("till/main");
        let told = line.and_then(|line| line.last_error.as_deref());
        told.is_some_and(|text| text.contains("no room above its reserve"))
    });
    assert_eq!(deletion(&shop).in_vain, ["small"]);
    shop.stop();
    assert!(paths.iter().all(|path| path.exists()), "held");
    let reader = shop.catalog();
    let till = stream("till/main");
    assert_eq!(reader.deleted(&till, always()).expect("query"), []);
    let gaps = reader.gaps(&till, always(), now()).expect("query");
    assert!(
        gaps.iter().any(|gap| gap.cause.as_str() == "disk-full"),
        "{gaps:?}"
    );
    drop(reader);
    shop.check(true);
}

#[test]
fn adopting_exporting_cutting_and_deleting_are_no_strangers_acts() {
    let (mut shop, server) = (TestBox::new(), server());
    server.add("/kassa/main", camera("till-sub.264"));
    shop.add_camera("kassa", server.address(), &[]);
    let purposes = "keep = \"1 h\"\npurposes";
    shop.edit_config(|text| text.replacen("purposes", purposes, 1));
    let planted = plant(&shop, &shop.volume);
    planted.record("kassa/main", ago(3 * HOUR), 60, 300, 400);
    // Nothing goes before somebody has said so.
    latch::set(&planted.catalog, "a test".to_owned(), now()).expect("latched");
    drop(planted);
    shop.start();
    shop.wait_for_pictures(&["kassa/main"], 60);
    // What was being written is adopted at the next start, and watched from then on.
    shop.kill();
    shop.start();
    shop.wait_for_pictures(&["kassa/main"], 30);
    let rows = shop.ls("kassa/main").footage.segments;
    assert!(rows.iter().any(|row| row.recovered), "it is adopted");
    let adopted = rows.last().expect("some");
    shop.export("kassa/main", span(adopted.start, adopted.end), "clip.mp4");
    shop.run(&["vault", "rotate"]).ok();
    let mut confirm = shop.command(&["retention", "confirm", "--person", "controller1"]);
    ran(confirm.args(shop.proof())).ok();
    shop.recorder().wait_for_log("segments deleted");
    // What happens in a folder is judged at the second look after it, ten seconds apart at most.
    let units = shop.line("kassa/main").units;
    shop.wait_for_pictures(&["kassa/main"], units + 25 * 15);
    assert!(
        shop.segment_files("kassa/main").len() < 300,
        "some are gone"
    );
    let log = shop.log();
    assert!(!log.contains("somebody else did something"), "{log}");
    let all = shop.run(&["alarms", "--all", "--json"]);
    assert!(!all.stdout.contains("\"stranger\""), "{all:?}");
    // And the watch was there: an act of ours is one.
    let file = shop.segment_files("kassa/main").remove(0);
    fs::remove_file(file).expect("removes");
    shop.recorder().wait_for_log("somebody else did something");
    shop.stop();
}
