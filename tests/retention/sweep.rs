//! A sweep: exactly what is too old, in whatever state a kill leaves it, and nothing else.

use std::collections::BTreeSet;
use std::fs;

use sinetti::base::hash::Digest;
use sinetti::base::id::SegmentId;
use sinetti::base::time::{Span, Wall};
use sinetti::catalog::{GarbageRow, Rule};
use sinetti::media::merkle;
use sinetti::retention::look::{self, Found, Lack};
use sinetti::retention::sweep::{BATCH, Batch, Sweeper};
use sinetti::store::slots::{self, Place};
use sinetti::vault::slot::{self, Slot};

use crate::plant::{DAY, HOUR, MINUTE, Own, Plant, SECOND, T0, always, ids, stream};

/// Ten minutes of two cameras, kept an hour and a day.
fn two_cameras() -> Own {
    let own = Own::new();
    let plant = &own.plant;
    plant.record("kassa/main", T0, 60, 10, 4000);
    plant.record("ovi/main", T0, 60, 10, 4000);
    plant.keep("kassa/main", HOUR);
    plant.keep("ovi/main", DAY);
    own
}

fn has_key(plant: &Plant, row: &sinetti::catalog::SegmentRow) -> bool {
    let place = Place {
        day: row.key_day.clone(),
        index: row.key_index,
    };
    let state = slots::read(&plant.volume, &row.stream, &place).and_then(|b| slot::decode(&b));
    matches!(state, Ok(Slot::Whole(wrapped)) if wrapped.segment == row.segment)
}

#[test]
fn a_segment_goes_when_its_end_is_older_than_kept_and_not_a_microsecond_before() {
    let own = two_cameras();
    let plant = &own.plant;
    let rows = plant.segments("kassa/main");
    assert_eq!(rows.len(), 10);
    plant.set_clock(rows[2].end.plus_us(HOUR));
    assert_eq!(plant.plan().len(), 2, "exactly as old as kept: it stays");
    plant.clock.step_wall(1);
    let plan = plant.plan();
    let doomed: Vec<_> = plan.iter().map(|d| d.segment).collect();
    assert_eq!(doomed, ids(&rows[..3]));
    assert!(plan.iter().all(|d| d.rule == Rule::Expired));
    let outcome = plant.sweep();
    assert_eq!((outcome.segments, outcome.failures.len()), (3, 0));
    assert!(plant.plan().is_empty());
    assert_eq!(ids(&plant.segments("kassa/main")), ids(&rows[3..]));
    assert_eq!(plant.segments("ovi/main").len(), 10, "it is kept longer");
    for (n, row) in rows.iter().enumerate() {
        assert_eq!(plant.path(row).exists(), n >= 3);
        assert_eq!(has_key(plant, row), n >= 3);
    }
    plant.check();
}

#[test]
fn a_sweep_leaves_one_event_and_deleted_time_is_neither_recorded_nor_a_gap() {
    let own = two_cameras();
    let plant = &own.plant;
    let rows = plant.segments("kassa/main");
    plant.set_clock(rows[3].end.plus_us(HOUR + 1));
    plant.sweep();
    let sweeps = plant.sweeps();
    assert_eq!(sweeps.len(), 1);
    let event = &sweeps[0];
    assert_eq!((event.result.as_str(), event.actor.as_str()), ("ok", "box"));
    let roots: Vec<Digest> = rows[..4].iter().map(|row| row.content_root).collect();
    let bytes: u64 = rows[..4].iter().map(|row| row.bytes).sum();
    let (from, to) = (rows[0].start.us(), rows[3].end.us());
    let of_stream = serde_json::json!({ "expired": [["kassa/main", from, to, 4, bytes]] });
    assert_eq!(event.facts["deleted"], of_stream);
    assert_eq!(event.facts["failures"], 0);
    assert_eq!(event.facts["segments"], 4);
    let root = merkle::root(&[merkle::root(&roots)]).to_string();
    assert_eq!(event.facts["root"], root.as_str());

    let (kassa, reader) = (stream("kassa/main"), plant.reader());
    let asked = Span {
        start: T0,
        end: rows[9].end,
    };
    let coverage = reader.coverage(&kassa, asked, asked.end).expect("query");
    assert_eq!(coverage.deleted.len(), 1, "touching spans are one");
    let deleted = coverage.deleted[0];
    assert_eq!((deleted.span.start, deleted.span.end), (T0, rows[3].end));
    assert_eq!(coverage.recorded.len(), 1);
    assert!(coverage.gaps.is_empty() && coverage.unknown.is_empty());
    let until = reader
        .deleted_until(&kassa, Some(rows[4].start))
        .expect("query");
    assert_eq!(until.map(|d| d.span.end), Some(rows[3].end));
    let hours = reader.activity(&kassa, asked).expect("query");
    let levels = &hours[0].values;
    assert!(levels[..240].iter().all(|level| *level == 0), "it goes too");
    assert!(levels[240..].iter().all(|level| *level == 9));
    // The next sweep has nothing to tell.
    plant.sweep();
    assert_eq!(plant.sweeps().len(), 1);
}

#[test]
fn everything_of_a_stream_may_go_and_recording_goes_on_behind_it() {
    let own = two_cameras();
    let plant = &own.plant;
    let last = plant.segments("kassa/main").pop().expect("ten");
    plant.set_clock(T0.plus_us(3 * DAY));
    assert_eq!(plant.sweep().segments, 20);
    plant.check();
    let begun = T0.plus_us(3 * DAY);
    plant.record("kassa/main", begun, 60, 2, 4000);
    let rows = plant.segments("kassa/main");
    assert_eq!(
        rows[0].previous_root, last.content_root,
        "the chain goes on"
    );
    plant.check();
    let asked = Span {
        start: T0,
        end: rows[1].end,
    };
    let coverage = plant
        .reader()
        .coverage(&rows[0].stream, asked, asked.end)
        .expect("query");
    assert!(coverage.unknown.is_empty(), "{coverage:?}");
    let footage = ["kassa", "ovi"].map(|camera| plant.volume.root.join(camera).join("main/2026"));
    assert!(footage[0].join("11/26").exists());
    assert!(!footage[0].join("11/23").exists(), "empty past folders go");
    assert!(!footage[1].join("11/23").exists());
    let keys = plant.volume.slots_path(&stream("ovi/main"), "20261123");
    assert!(!keys.exists(), "and slot files without a key");
}

/// The steps of a sweep, to be stopped after any.
const STEPS: [&str; 6] = ["nothing", "condemn", "keys", "files", "folders", "rows"];

fn first(rows: &[GarbageRow], half: bool) -> Vec<GarbageRow> {
    let count = if half { rows.len() / 2 } else { rows.len() };
    rows[..count].to_vec()
}

/// Does the steps of a sweep up to `step`; the last one for the first half of the segments only, if `half`.
fn steps(
    sweeper: &Sweeper<'_>,
    plan: &[sinetti::retention::plan::Doomed],
    step: usize,
    half: bool,
) {
    if step == 0 {
        return;
    }
    let count = if half && step == 1 {
        plan.len() / 2
    } else {
        plan.len()
    };
    sweeper.condemn(&plan[..count]).expect("condemned");
    let rows = sweeper.reader.garbage(0, BATCH).expect("garbage");
    let acts: [&dyn Fn(&mut Batch); 4] = [
        &Batch::destroy_keys,
        &Batch::remove_files,
        &|batch| batch.settle_folders(sweeper.clock.wall()),
        &|batch| {
            sweeper.drop_rows(batch).expect("dropped");
        },
    ];
    for (number, act) in acts.iter().enumerate().take(step.saturating_sub(1)) {
        let is_last = number + 2 == step;
        let mut batch = sweeper
            .batch(first(&rows, half && is_last))
            .expect("a batch");
        act(&mut batch);
        assert!(batch.failures().is_empty());
    }
}

#[test]
fn a_kill_between_any_two_steps_leaves_nothing_half() {
    for step in 0..STEPS.len() {
        for half in [false, true] {
            killed_after(step, half);
        }
    }
}

fn killed_after(step: usize, half: bool) {
    let told = format!("killed after {} (half: {half})", STEPS[step]);
    let own = two_cameras();
    let rows = own.plant.segments("kassa/main");
    own.plant.set_clock(rows[5].end.plus_us(HOUR + 1));
    let plan = own.plant.plan();
    assert_eq!(plan.len(), 6, "{told}");
    own.plant
        .sweeper(|sweeper| steps(sweeper, &plan, step, half));

    let own = own.restart();
    let plant = &own.plant;
    plant.check();
    let condemned = match (step, half) {
        (0, _) => 0,
        (1, true) => 3,
        _ => 6,
    };
    let listed: BTreeSet<SegmentId> = ids(&plant.segments("kassa/main")).into_iter().collect();
    assert_eq!(
        listed.len(),
        10 - condemned,
        "{told}: condemned is not listed"
    );
    // The next sweep, with nothing new to delete, finishes what was begun and only that.
    plant
        .sweeper(|sweeper| sweeper.run(&[], &mut || true))
        .expect("finished");
    plant.check();
    for row in &rows {
        let kept = listed.contains(&row.segment);
        assert_eq!(plant.path(row).exists(), kept, "{told}");
        assert_eq!(has_key(plant, row), kept, "{told}");
    }
    let sweeps = plant.sweeps();
    assert_eq!(sweeps.len(), usize::from(condemned > 0), "{told}");
    if let Some(event) = sweeps.first() {
        assert_eq!(
            event.facts["segments"], condemned,
            "{told}: one event tells of all"
        );
        let roots: Vec<Digest> = rows[..condemned].iter().map(|r| r.content_root).collect();
        let root = merkle::root(&roots).to_string();
        assert_eq!(event.facts["root"], root.as_str(), "{told}");
    }
    plant.sweep();
    plant.check();
    assert_eq!(
        ids(&plant.segments("kassa/main")),
        ids(&rows[6..]),
        "{told}"
    );
    assert!(plant.reader().garbage(0, 10).expect("query").is_empty());
}

#[test]
fn what_cannot_be_deleted_stops_nothing_else_and_is_tried_again() {
    let own = two_cameras();
    let plant = &own.plant;
    let rows = plant.segments("kassa/main");
    plant.set_clock(rows[3].end.plus_us(HOUR + 1));
    // A folder in place of a file cannot be unlinked, also not by root; another file is gone already.
    let stubborn = plant.path(&rows[1]);
    fs::remove_file(&stubborn).expect("removed");
    fs::create_dir(&stubborn).expect("a folder");
    fs::remove_file(plant.path(&rows[2])).expect("removed");
    let outcome = plant.sweep();
    assert_eq!((outcome.segments, outcome.failures.len()), (3, 1));
    assert!(outcome.failures[0].contains(&rows[1].segment.to_string()));
    let event = plant.sweeps().pop().expect("an event");
    assert_eq!(event.result, "failed");
    assert_eq!(event.facts["failures"], 1);
    assert_eq!(plant.segments("kassa/main").len(), 6, "it is not listed");
    assert!(!has_key(plant, &rows[1]), "its key is gone");
    // As long as it stays, it is no new event each time.
    assert_eq!(plant.sweep().failures.len(), 1);
    assert_eq!(plant.sweeps().len(), 1);
    fs::remove_dir(&stubborn).expect("removed");
    assert_eq!(plant.sweep().segments, 1);
    assert_eq!(plant.sweeps().len(), 2);
    plant.check();
}

#[test]
fn foreign_files_are_left_alone() {
    let own = two_cameras();
    let plant = &own.plant;
    let row = plant.segments("kassa/main").remove(0);
    let day = plant.path(&row).parent().expect("a folder").to_owned();
    let keys = plant.volume.slots_path(&row.stream, "20250101");
    let foreign = [
        plant.volume.root.join("holiday.jpg"),
        day.join("notes.txt"),
        day.join("20261123T150000.000Z-unknown.mp4.bak"),
        keys.with_file_name("readme"),
        plant.volume.root.join("kassa/other/2020/01/01/x.mp4"),
        // Old, and ours, but of no row: what was set aside, and what nobody has adopted yet.
        plant.volume.root.join("quarantine/kassa-main-2020-x.mp4"),
        plant.volume.root.join("kassa/main/2020/01/01/x.mp4.part"),
        plant.volume.root.join("keys/kassa/main/20200101.keys.bak"),
    ];
    for path in &foreign {
        fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        fs::write(path, b"mine").expect("written");
    }
    plant.set_clock(T0.plus_us(30 * DAY));
    assert_eq!(plant.sweep().segments, 20);
    for path in &foreign {
        assert_eq!(fs::read(path).expect("it is there"), b"mine");
    }
}

#[test]
fn a_slot_of_another_segment_is_not_zeroed() {
    let own = two_cameras();
    let plant = &own.plant;
    let rows = plant.segments("kassa/main");
    // Two slots have changed places: the places of the first lie.
    let path = plant.volume.slots_path(&rows[0].stream, &rows[0].key_day);
    let mut bytes = fs::read(&path).expect("slots");
    let (one, nine) = bytes.split_at_mut(9 * slot::SLOT_BYTES);
    one[..slot::SLOT_BYTES].swap_with_slice(nine);
    fs::write(&path, &bytes).expect("written");
    plant.set_clock(rows[0].end.plus_us(HOUR + 1));
    assert_eq!(plant.sweep().segments, 1);
    let after = fs::read(&path).expect("slots");
    assert_eq!(
        after, bytes,
        "the last one's key is where the first one's was"
    );
}

#[test]
fn many_batches_are_one_sweep() {
    let own = Own::new();
    let plant = &own.plant;
    let count = i64::from(BATCH) + 40;
    plant.record("kassa/main", T0, 2, count, 500);
    plant.keep("kassa/main", HOUR);
    let rows = plant.segments("kassa/main");
    plant.set_clock(T0.plus_us(count * 2 * SECOND + HOUR + MINUTE));
    assert_eq!(i64::try_from(plant.sweep().segments), Ok(count));
    let sweeps = plant.sweeps();
    assert_eq!(sweeps.len(), 1);
    let roots: Vec<Digest> = rows.iter().map(|row| row.content_root).collect();
    let root = merkle::root(&roots).to_string();
    assert_eq!(sweeps[0].facts["root"], root.as_str());
    plant.check();
    let deleted = plant.reader().deleted(&rows[0].stream, always());
    assert_eq!(deleted.expect("query").len(), 1);
    assert_eq!(
        plant.reader().newest_footage().expect("query"),
        None::<Wall>
    );
}

#[test]
fn the_oldest_go_early_across_streams_but_not_in_vain() {
    let own = two_cameras();
    let plant = &own.plant;
    let rows = [plant.segments("kassa/main"), plant.segments("ovi/main")];
    let find = |bytes, least| {
        let lacks = [(plant.volume.id, Lack { bytes, least })].into();
        let there = [plant.volume.id].into();
        look::plan(&plant.reader(), T0.plus_us(10 * MINUTE), &there, &lacks).expect("a plan")
    };
    let of_two: u64 = rows.iter().map(|rows| rows[0].bytes).sum();
    let found = find(of_two, 1);
    let doomed: BTreeSet<_> = found.plan.iter().map(|d| d.segment).collect();
    let oldest: BTreeSet<_> = rows.iter().map(|rows| rows[0].segment).collect();
    assert_eq!(doomed, oldest, "of both, whatever they are kept");
    assert!(found.plan.iter().all(|d| d.rule == Rule::Early) && found.in_vain.is_empty());
    let all: u64 = rows.iter().flatten().map(|row| row.bytes).sum();
    assert_eq!(find(all + 9, all).plan.len(), 20);
    let vain = find(all + 9, all + 1);
    assert!(vain.plan.is_empty(), "it would make no room");
    assert_eq!(vain.in_vain, [plant.volume.id]);
}

#[test]
fn what_is_expired_waits_for_others_but_not_for_long() {
    let own = two_cameras();
    let plant = &own.plant;
    let rows = plant.segments("kassa/main");
    let look = |at: Wall| {
        let there = [plant.volume.id].into();
        look::plan(&plant.reader(), at, &there, &[].into()).expect("a plan")
    };
    let none = look(rows[0].end.plus_us(HOUR));
    assert_eq!((none.overdue_us, none.is_due()), (0, false));
    let soon = look(rows[0].end.plus_us(HOUR + MINUTE - 1));
    assert_eq!((soon.plan.len(), soon.is_due()), (1, false));
    let now = look(rows[0].end.plus_us(HOUR + MINUTE));
    assert_eq!((now.plan.len(), now.is_due()), (1, true));
    // Looked at every half minute it goes a minute and a half after it expired, at the latest: well within two.
    let latest = MINUTE + i64::try_from(look::EVERY.as_micros()).expect("small");
    assert!(latest <= 2 * MINUTE - 30 * SECOND);
    // What lies on a volume that is not there is waited for without end, and hurries nothing.
    let late = rows[9].end.plus_us(3 * DAY);
    let Found {
        plan, overdue_us, ..
    } = look::plan(&plant.reader(), late, &[].into(), &[].into()).expect("a plan");
    assert_eq!((plan.len(), overdue_us), (0, 0));
}

#[test]
fn an_event_of_a_sweep_is_short() {
    const STREAMS: usize = 32;
    let own = Own::new();
    let plant = &own.plant;
    for n in 0..STREAMS {
        let name = format!("myymala-{n}/main");
        plant.record(&name, T0, 60, 2, 4000);
        plant.keep(&name, HOUR);
    }
    plant.set_clock(T0.plus_us(2 * HOUR));
    assert_eq!(plant.sweep().segments, 2 * STREAMS as u64);
    let facts = plant.sweeps().pop().expect("an event").facts;
    let lines = facts["deleted"]["expired"].as_array().map(Vec::len);
    assert_eq!(lines, Some(STREAMS));
    // A sweep every minute and a half for ever: 2 MB a day, not 11.
    let bytes = facts.to_string().len();
    assert!(bytes < 64 * STREAMS + 200, "{bytes}");
}
