//! Own acts and those of others, in a folder of its own.

use std::io::IoSlice;
use std::os::unix::fs::MetadataExt;

use super::*;
use crate::base::disk::{self, DiskFile};

const NOW: Wall = Wall::from_secs(4_000_000_000);

struct Scene {
    _dir: tempfile::TempDir,
    day: PathBuf,
    watch: Watch,
}

fn scene() -> Scene {
    let dir = tempfile::tempdir().expect("dir");
    let day = dir.path().join("kassa-1/main/2026/11/23");
    disk::create_dir_all(&day, 0o750).expect("day");
    for name in ["old-1.mp4", "old-2.mp4", "old-3.mp4", "old-4.mp4"] {
        disk::create(&day.join(name), b"sealed", 0o640).expect("file");
    }
    let watch = Watch::begin(dir.path(), NOW).expect("watch");
    Scene {
        _dir: dir,
        day,
        watch,
    }
}

impl Scene {
    /// What is seen once everything that has happened so far has come: a file that is made and removed here marks the end.
    fn seen(&mut self) -> Vec<String> {
        let mark = self.day.join("mark");
        disk::create(&mark, b"mark", 0o640).expect("mark");
        while !self.has_come(&mark) {
            std::thread::yield_now();
        }
        let first = self.watch.look(NOW);
        let second = self.watch.look(NOW);
        disk::remove_file(&mark).expect("removed");
        assert!(!first.lost && !second.lost);
        first.acts.into_iter().chain(second.acts).collect()
    }

    fn has_come(&self, path: &Path) -> bool {
        let pending = self.watch.pending.lock().expect("lock");
        pending.new.contains_key(path)
    }
}

#[test]
fn own_acts_are_none_of_a_stranger() {
    let mut scene = scene();
    let part = scene.day.join("new.mp4.part");
    let mut file = DiskFile::create_new(&part, 0o640).expect("part");
    for _ in 0..50 {
        file.append(&mut [IoSlice::new(b"fragment")])
            .expect("append");
        file.sync().expect("sync");
    }
    disk::rename(&part, &scene.day.join("new.mp4")).expect("closed");
    drop(file);
    disk::replace(&scene.day.join("mark.json"), b"{}", 0o640).expect("mark");
    let mut slots = DiskFile::open_existing(&scene.day.join("old-1.mp4")).expect("slots");
    slots.write_at(b"zeros!", 0).expect("zeroed");
    disk::remove_file(&scene.day.join("old-2.mp4")).expect("swept");
    let tomorrow = scene.day.with_file_name("24");
    disk::create_dir_all(&tomorrow, 0o750).expect("day");
    disk::create(&tomorrow.join("first.mp4"), b"sealed", 0o640).expect("file");
    assert_eq!(scene.seen(), Vec::<String>::new());
}

#[test]
#[expect(clippy::disallowed_methods, reason = "somebody else changes files")]
fn what_somebody_else_does_is_seen() {
    let mut scene = scene();
    let at = |name: &str| scene.day.join(name);
    fs::write(at("old-1.mp4"), b"forged").expect("touched");
    fs::remove_file(at("old-2.mp4")).expect("removed");
    fs::rename(at("old-3.mp4"), at("other.mp4")).expect("renamed");
    fs::OpenOptions::new()
        .write(true)
        .open(at("old-4.mp4"))
        .and_then(|file| file.set_len(2))
        .expect("cut");
    fs::write(at("foreign.mp4"), b"x").expect("added");
    let mut seen = scene.seen();
    seen.sort();
    let day = "kassa-1/main/2026/11/23";
    assert_eq!(
        seen,
        [
            format!("added: {day}/foreign.mp4"),
            format!("added: {day}/other.mp4"),
            format!("changed: {day}/old-1.mp4"),
            format!("changed: {day}/old-4.mp4"),
            format!("removed: {day}/old-2.mp4"),
            format!("removed: {day}/old-3.mp4"),
        ]
    );
    // Once.
    assert_eq!(scene.seen(), Vec::<String>::new());
}

#[test]
#[expect(clippy::disallowed_methods, reason = "somebody else changes files")]
fn after_lost_events_what_changed_is_looked_for() {
    let mut scene = scene();
    let own = scene.day.join("own.mp4");
    disk::create(&own, b"sealed", 0o640).expect("own");
    fs::write(scene.day.join("old-1.mp4"), b"forged").expect("touched");
    let touched = std::fs::symlink_metadata(scene.day.join("old-1.mp4")).expect("data");
    // The queue was full: nothing of it came.
    *scene.watch.pending.lock().expect("lock") = Pending {
        lost: true,
        ..Pending::default()
    };
    scene.watch.known = Wall::from_secs(touched.ctime());
    let first = scene.watch.look(NOW);
    assert!(first.lost);
    let seen = scene.watch.look(NOW).acts;
    assert!(
        seen.iter().any(|act| act.ends_with("old-1.mp4")),
        "{seen:?}"
    );
    assert!(!seen.iter().any(|act| act.ends_with("own.mp4")), "{seen:?}");
}
