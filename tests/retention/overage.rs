//! What lies on a volume for longer than it may and is no row: found everywhere, and deleted where a rule says so.

use std::fs;
use std::path::{Path, PathBuf};

use sinetti::base::id::CameraId;
use sinetti::base::time::{Span, Wall};
use sinetti::retention::overage::{self, Cause, Found, Limits};
use sinetti::store::slots::{self, Place};
use sinetti::vault::slot::{self, Slot};

use crate::plant::{DAY, HOUR, Own, Plant, SECOND, T0, stream};

const KEEP: i64 = 14 * DAY;

fn limits<'a>(now: Wall, held: &'a dyn Fn(Option<&CameraId>, Span) -> bool) -> Limits<'a> {
    Limits {
        now,
        quarantine_secs: 14 * 86_400,
        quarantine_bytes: 1 << 30,
        held,
    }
}

fn look(plant: &Plant, now: Wall) -> Found {
    let reader = plant.reader();
    overage::look(&reader, &plant.volume, &limits(now, &|_, _| false)).expect("looked")
}

fn causes(found: &Found) -> Vec<Cause> {
    found.doomed.iter().map(|one| one.cause).collect()
}

/// As if it had last been changed at that time.
fn age(path: &Path, at: Wall) {
    let file = fs::File::options().write(true).open(path).expect("file");
    let at = std::time::UNIX_EPOCH + std::time::Duration::from_micros(at.us().unsigned_abs());
    file.set_modified(at).expect("set");
}

fn put(path: &Path, at: Wall) -> PathBuf {
    fs::create_dir_all(path.parent().expect("parent")).expect("folder");
    fs::write(path, b"x").expect("written");
    age(path, at);
    path.to_owned()
}

/// Two segments of a camera that is kept two weeks.
fn shop() -> Own {
    let own = Own::new();
    own.plant.record("kassa/main", T0, 60, 2, 3000);
    own.plant.keep("kassa/main", KEEP);
    own
}

fn delete(plant: &Plant, found: &Found, now: Wall) {
    let failed = overage::delete(&plant.catalog, &plant.volume, &found.doomed, now);
    assert_eq!(failed.expect("noted"), []);
}

#[test]
fn a_file_in_quarantine_goes_with_its_key_when_its_own_footage_would() {
    let own = shop();
    let plant = &own.plant;
    let row = plant.segments("kassa/main").remove(0);
    plant
        .volume
        .quarantine(&plant.path(&row))
        .expect("set aside");
    let place = Place {
        day: row.key_day.clone(),
        index: row.key_index,
    };
    let key = || {
        let bytes = slots::read(&plant.volume, &row.stream, &place).expect("slot");
        matches!(slot::decode(&bytes), Ok(Slot::Whole(_)))
    };
    let over = row.start.plus_us(300 * SECOND + KEEP);
    assert_eq!(causes(&look(plant, over)), [], "it may still be looked at");
    let found = look(plant, over.plus_us(1));
    assert_eq!(causes(&found), [Cause::QuarantineAge]);
    assert!(key());
    delete(plant, &found, over);
    assert!(!found.doomed[0].path.exists() && !key());
    let events = plant.reader().events(0, 1000).expect("events");
    let told: Vec<_> = events
        .iter()
        .filter(|row| row.event.action == "over-age-deleted")
        .collect();
    let results: Vec<_> = told.iter().map(|row| row.event.result.as_str()).collect();
    assert_eq!(results, ["begun", "ok"], "before and after");
    assert_eq!(look(plant, over.plus_us(1)).doomed, []);
}

#[test]
fn what_has_no_name_goes_by_its_age_and_what_is_held_stays() {
    let own = shop();
    let plant = &own.plant;
    let dir = plant.volume.root.join("quarantine");
    let unknown = put(&dir.join("something"), T0);
    let camera =
        "kassa-main-2026-11-23-20261123T150000.000Z-00000000-0000-4000-8000-000000000000.mp4.part";
    let known = put(&dir.join(camera), T0.plus_us(DAY));
    let now = T0.plus_us(KEEP + HOUR);
    let found = look(plant, now);
    assert_eq!(causes(&found), [Cause::QuarantineAge; 2]);
    assert_eq!(
        found
            .doomed
            .iter()
            .filter(|one| one.stream.is_some())
            .count(),
        1
    );
    let of_camera = |camera: Option<&CameraId>, span: Span| {
        camera.is_some_and(|camera| camera.as_str() == "kassa") && span.start < T0.plus_us(HOUR)
    };
    let found =
        overage::look(&plant.reader(), &plant.volume, &limits(now, &of_camera)).expect("looked");
    assert_eq!(found.doomed.len(), 1);
    assert_eq!(found.doomed[0].path, unknown);
    assert_eq!(found.told, [(known, "held")], "and somebody is told");
}

#[test]
fn the_oldest_in_quarantine_go_when_there_is_no_room() {
    let own = shop();
    let plant = &own.plant;
    let dir = plant.volume.root.join("quarantine");
    let at = |n: i64| T0.plus_us(n * HOUR);
    let paths: Vec<_> = (0..5)
        .map(|n| put(&dir.join(format!("f{n}")), at(5 - n)))
        .collect();
    let reader = plant.reader();
    let few = Limits {
        quarantine_bytes: 3,
        ..limits(at(6), &|_, _| false)
    };
    let found = overage::look(&reader, &plant.volume, &few).expect("looked");
    assert_eq!(causes(&found), [Cause::QuarantineRoom; 2]);
    let gone: Vec<_> = found.doomed.iter().map(|one| one.path.clone()).collect();
    assert_eq!(gone, [paths[4].clone(), paths[3].clone()]);
    delete(plant, &found, at(6));
    assert!(paths[2].exists() && !paths[3].exists());
}

#[test]
fn keys_of_days_of_which_nothing_is_left_go() {
    let own = shop();
    let plant = &own.plant;
    let row = plant.segments("kassa/main").remove(0);
    let slots = plant.volume.slots_path(&row.stream, &row.key_day);
    let late = T0.plus_us(KEEP + 6 * DAY);
    assert_eq!(causes(&look(plant, late)), [], "its segments have rows");
    plant.set_clock(late);
    // The file of the second one is set aside by hand: no row, no file.
    plant.sweep();
    let row = plant.volume.slots_path(&stream("kassa/main"), "20261101");
    fs::write(&row, vec![7; 1024]).expect("written");
    let found = look(plant, late);
    assert_eq!(causes(&found), [Cause::Keys]);
    assert_eq!(found.doomed[0].path, row);
    delete(plant, &found, late);
    assert!(!row.exists() && !slots.exists());
}

#[test]
fn whatever_else_is_too_old_is_told_and_left() {
    let own = shop();
    let plant = &own.plant;
    let root = &plant.volume.root;
    let late = T0.plus_us(KEEP + 3 * DAY);
    let odd = [
        root.join("stills/kassa/picture.jpg"),
        root.join("kassa/main/2026/11/23/note.txt"),
        root.join("kassa/main/2026/11/01/20261101T000000.000Z-00000000-0000-4000-8000-000000000000.mp4.part"),
    ];
    for path in &odd {
        put(path, T0.plus_us(-DAY));
    }
    put(&root.join("new.txt"), late);
    let found = look(plant, late);
    assert_eq!(found.doomed, []);
    let mut told: Vec<_> = found.told.iter().map(|(path, _)| path.clone()).collect();
    told.sort();
    let mut wanted = odd.to_vec();
    wanted.sort();
    assert_eq!(told, wanted, "{found:?}");
    assert!(found.files >= 4);
    assert!(odd.iter().all(|path| path.exists()));
}

#[test]
fn a_copy_of_a_package_goes_after_its_fourteen_days_whatever_is_held() {
    let own = shop();
    let plant = &own.plant;
    let dir = plant.volume.root.join("sinetti-packages");
    let old = put(&dir.join("7-1.age"), T0);
    let young = put(&dir.join("8-1.age"), T0.plus_us(DAY));
    let now = T0.plus_us(15 * DAY);
    assert_eq!(look(plant, now).doomed, [], "who made it wipes it first");
    let all = |_: Option<&CameraId>, _: Span| true;
    let found = overage::look(
        &plant.reader(),
        &plant.volume,
        &limits(now.plus_us(1), &all),
    );
    let found = found.expect("looked");
    assert_eq!(causes(&found), [Cause::Package]);
    assert_eq!(found.told, [], "nothing that is Sinetti's is a stranger");
    delete(plant, &found, now);
    assert!(!old.exists() && young.exists());
    let events = plant.reader().events(0, 1000).expect("events");
    let last = &events.last().expect("an entry").event;
    assert_eq!(
        (last.action.as_str(), &last.facts["deleted"]["package"]),
        ("over-age-deleted", &serde_json::json!([1, 1]))
    );
}
