//! A sweep by the real binary whose system calls fail while a camera records: what could not be deleted is told and done
//! later, the key before the file, and the camera loses nothing.

use std::collections::BTreeSet;
use std::path::PathBuf;

use sinetti::base::clock::SimulatedClock;
use sinetti::base::time::Wall;
use sinetti::catalog::GapCause;
use sinetti::recorder::board::Phase;
use sinetti::retention::latch;
use sinetti_simulator::CameraHandle;

use crate::plant::{HOUR, MINUTE, Plant, stream};
use crate::support::{Strace, TestBox, camera, now, ran, server};

const COUNT: i64 = 40;

/// Plants footage of three hours ago: its files, and those that hold its keys.
fn plant(shop: &TestBox) -> (Vec<PathBuf>, BTreeSet<PathBuf>) {
    let planted = Plant::open(&shop.dir, &shop.volume, SimulatedClock::at(now()));
    let old = now().plus_us(-3 * HOUR);
    planted.record("till/main", old, 60, COUNT, 4000);
    // Nothing goes before somebody has said so.
    latch::set(&planted.catalog, "a test".to_owned(), now()).expect("latched");
    let (volume, rows) = (&planted.volume, planted.segments("till/main"));
    let keys = rows
        .iter()
        .map(|row| volume.slots_path(&row.stream, &row.key_day));
    (
        rows.iter().map(|row| planted.path(row)).collect(),
        keys.collect(),
    )
}

/// The camera was recorded, every picture that was sent before `until`, and each deleted segment is told of once.
fn all_is_told(shop: &TestBox, till: &CameraHandle, until: Wall) {
    let reader = shop.catalog();
    let events = reader.events(0, 10_000).expect("events");
    let sweeps = events.iter().filter(|row| row.event.action == "sweep");
    let told = sweeps.filter_map(|row| row.event.facts["segments"].as_i64());
    assert_eq!(told.sum::<i64>(), COUNT);
    let listed = shop.ls("till/main").footage;
    let recorded: usize = listed.segments.iter().map(|row| row.samples as usize).sum();
    let sent = till.sent().into_iter().map(|sent| Wall::from(sent.wall));
    assert!(recorded >= sent.filter(|at| *at < until).count());
    let gap = reader.open_gap(&stream("till/main")).expect("query");
    assert_eq!(gap.map(|gap| gap.cause), Some(GapCause::Stopped));
}

#[test]
fn what_a_disk_refuses_to_delete_is_told_and_deleted_later() {
    let (mut shop, server) = (TestBox::new(), server());
    let till = server.add("/till/main", camera("till.264"));
    shop.add_camera("till", server.address(), &[]);
    shop.edit_config(|text| text.replacen("purposes", "keep = \"1 h\"\npurposes", 1));
    let (paths, keys) = plant(&shop);
    let left = || paths.iter().filter(|path| path.exists()).count();
    shop.start();
    shop.wait_for_pictures(&["till/main"], 30);

    // The first sync of keys fails, and so does that of the second try, which comes at once; and later two files.
    let faults = [
        "fdatasync:error=EIO:when=1..2",
        "unlink:error=EIO:when=3..4",
    ];
    // The thread writes other things too.
    let mut files = paths.iter().chain(&keys).map(PathBuf::as_path);
    let recorder = shop.recorder().id();
    let strace = Strace::attach_to_paths(recorder, "retention", &faults, &mut files);
    let mut confirm = shop.command(&["retention", "confirm", "--person", "controller1"]);
    ran(confirm.args(shop.proof())).ok();
    shop.recorder().wait_for_log("not deleted, tried again");
    let refused = shop.wait("what is not deleted is shown", |status| {
        !status.deletion.failures.is_empty()
    });
    let told = &refused.deletion.failures[0];
    assert!(told.contains("Input/output error"), "{told}");
    assert_eq!(shop.run(&["status"]).code, 1, "an alarm");
    // Two slot files when midnight lies within: then one of them was synced.
    assert!(
        left() == paths.len() || keys.len() > 1,
        "no key is known to be gone"
    );
    // Somebody asks: it is tried at once.
    shop.run(&["clock", "confirm"]).ok();
    shop.wait("all but two are deleted", |status| {
        status.deletion.failures.len() == 2
    });
    assert_eq!(left(), 2);
    drop(strace);
    shop.run(&["clock", "confirm"]).ok();
    shop.wait("all are deleted", |status| {
        status.deletion.failures.is_empty()
    });
    assert_eq!(left(), 0);
    assert_eq!(shop.line("till/main").phase, Phase::Recording);

    let until = now().plus_us(-MINUTE / 120);
    shop.stop();
    shop.check(true);
    all_is_told(&shop, &till, until);
}
