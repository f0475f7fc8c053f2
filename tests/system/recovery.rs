//! What a crash, a bad disk or a person left on a volume: all that is whole is kept, nothing is deleted unseen, and what
//! is wrong is said. The recorder is stopped while the damage is done.

use crate::eyes::{files, parts, tree, wait, wait_for_sent};
use crate::support::{TestBox, camera, server};
use sinetti::base::id::SegmentId;
use sinetti::catalog::{Catalog, Change, GapCause};
use sinetti_simulator::{CameraHandle, Server};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A box with one camera, and a copy of it as it was.
struct Scene {
    shop: TestBox,
    server: Server,
    camera: CameraHandle,
}

impl Scene {
    fn new() -> Scene {
        let (shop, server) = (TestBox::new(), server());
        shop.set_recorder("segment_secs = 10");
        shop.add_camera("till", server.address(), &[]);
        let camera = server.add("/till/main", camera("till.264"));
        Scene {
            shop,
            server,
            camera,
        }
    }

    /// Killed while a segment of at least two fragments was being written.
    fn killed() -> Scene {
        let mut scene = Scene::new();
        // Whoever approves exports is there before the box is copied: each copy would use up codes to add them anew.
        scene.shop.approval();
        scene.shop.start();
        let before = [(scene.camera.clone(), 0)];
        wait_for_sent(&mut scene.shop, &before, 35);
        wait(&mut scene.shop, "three fragments in one segment", |shop| {
            parts(&shop.volume).first().is_some_and(|part| {
                let bytes = fs::read(part).unwrap_or_default();
                bytes.windows(4).filter(|b| *b == b"moof").count() >= 3
            })
        });
        scene.shop.kill();
        scene.keep();
        scene
    }

    /// Stopped after at least `segments` were closed. No camera is there any more.
    fn stopped(segments: usize) -> Scene {
        let mut scene = Scene::new();
        scene.shop.start();
        wait(&mut scene.shop, "segments", |shop| {
            shop.segment_files("till/main").len() >= segments - 1
        });
        let so_far = scene.camera.counters().access_units;
        let before = [(scene.camera.clone(), so_far)];
        wait_for_sent(&mut scene.shop, &before, 20);
        scene.shop.stop();
        scene.keep();
        scene
    }

    fn keep(&self) {
        self.server.stop_listening();
        self.copy("state", "state.kept");
        self.copy("footage", "footage.kept");
    }

    fn restore(&self) {
        self.copy("state.kept", "state");
        self.copy("footage.kept", "footage");
    }

    fn copy(&self, from: &str, to: &str) {
        let (from, to) = (self.shop.path(from), self.shop.path(to));
        if to.exists() {
            fs::remove_dir_all(&to).expect("removes");
        }
        let copied = Command::new("cp").arg("-a").arg(from).arg(to).status();
        assert!(copied.expect("cp runs").success());
    }

    /// One life of the recorder without a camera; its log.
    fn live(&mut self) -> String {
        self.shop.start();
        self.shop.stop().1
    }

    /// The catalog as if a segment's row had never been committed.
    fn lose_row(&self, segment: SegmentId) {
        let path = self.shop.dir.join("catalog.db");
        let catalog = Catalog::open(&path, self.shop.id()).expect("the catalog opens");
        let lost = catalog.commit(Change::SegmentRemoved(segment), None);
        lost.and_then(|()| catalog.close()).expect("it is removed");
    }

    /// SQL on the catalog, as nothing of ours would do it.
    fn sql(&self, sql: &str) {
        let catalog = self.shop.dir.join("catalog.db");
        let ran = Command::new("sqlite3").arg(catalog).arg(sql).output();
        let ran = ran.expect("sqlite3 runs");
        assert!(ran.status.success(), "{ran:?}");
    }

    /// What `check` finds; its exit status says the same.
    fn findings(&self, deep: bool) -> Vec<String> {
        let args = ["check", "--json", "--deep"];
        let ran = self.shop.run(&args[..if deep { 3 } else { 2 }]);
        let report: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
        let findings: Vec<String> =
            serde_json::from_value(report["findings"].clone()).expect("findings");
        assert_eq!(ran.code, i32::from(!findings.is_empty()), "{findings:?}");
        findings
    }
}

/// A box of the file format: its type, where it begins and ends.
#[derive(Clone, Debug, PartialEq)]
struct Mp4Box {
    kind: String,
    from: usize,
    to: usize,
}

impl Mp4Box {
    fn middle(&self) -> usize {
        usize::midpoint(self.from, self.to)
    }
}

fn boxes(bytes: &[u8]) -> Vec<Mp4Box> {
    let (mut found, mut from) = (Vec::new(), 0);
    while let Some(head) = bytes.get(from..from + 8) {
        let size = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        assert!(size >= 8, "a box of {size} bytes at {from}");
        let kind = String::from_utf8_lossy(&head[4..]).into_owned();
        let to = (from + size).min(bytes.len());
        found.push(Mp4Box { kind, from, to });
        from += size;
    }
    found
}

fn quarantined(shop: &TestBox) -> Vec<PathBuf> {
    files(&shop.volume.join("quarantine"))
}

/// Where to cut, and how many fragments are whole then.
fn cuts(bytes: &[u8]) -> Vec<(usize, usize)> {
    let boxes = boxes(bytes);
    let kinds: Vec<&str> = boxes.iter().map(|b| b.kind.as_str()).collect();
    assert_eq!(
        kinds[..9],
        [
            "ftyp", "moov", "uuid", "uuid", "moof", "mdat", "uuid", "moof", "mdat"
        ]
    );
    let after = |i: usize| boxes[i].to;
    vec![
        (boxes[0].middle(), 0),
        (boxes[1].middle(), 0),
        (boxes[2].middle(), 0),
        (after(2), 0),
        (boxes[3].middle(), 0),
        (boxes[4].middle(), 0),
        (boxes[5].middle(), 0),
        (after(5) - 1, 0),
        (after(5), 1),
        (after(5) + 1, 1),
        (boxes[7].from + 4, 1),
        (boxes[8].middle(), 1),
        (after(8), 2),
    ]
}

#[test]
fn a_segment_cut_anywhere_is_adopted_up_to_its_last_whole_fragment() {
    let mut scene = Scene::killed();
    let part = parts(&scene.shop.volume).pop().expect("a segment");
    let bytes = fs::read(&part).expect("reads");
    let cuts = cuts(&bytes);
    for (cut, whole) in cuts {
        scene.restore();
        fs::write(&part, &bytes[..cut]).expect("writes");
        scene.live();
        is_adopted(&scene, &part, &bytes[..cut], whole);
    }
    // A bit that turned in the second fragment: the first one is whole.
    scene.restore();
    let mut turned = bytes.clone();
    turned[boxes(&bytes)[8].middle()] ^= 1;
    fs::write(&part, &turned).expect("writes");
    scene.live();
    is_adopted(&scene, &part, &turned, 1);
    // With its trailer it is complete but for its name; with half of it, it is not.
    scene.restore();
    scene.live();
    let whole = fs::read(&scene.shop.segment_files("till/main")[0]).expect("adopted");
    let fragments = boxes(&bytes).iter().filter(|b| b.kind == "moof").count();
    let trailer = boxes(&whole).pop().expect("a trailer");
    for end in [trailer.middle(), trailer.to] {
        scene.restore();
        fs::write(&part, &whole[..end]).expect("writes");
        scene.live();
        is_adopted(&scene, &part, &whole[..end], fragments);
    }
}

fn is_adopted(scene: &Scene, part: &Path, planted: &[u8], whole: usize) {
    let shop = &scene.shop;
    let what = format!("{} bytes, {whole} whole fragments", planted.len());
    assert!(!part.exists(), "{what}");
    assert_eq!(scene.findings(true), Vec::<String>::new(), "{what}");
    let segments = shop.ls("till/main").footage.segments;
    if whole == 0 {
        assert_eq!(segments.len(), 0, "{what}");
        let [aside] = &quarantined(shop)[..] else {
            panic!("{what}: {:?}", quarantined(shop))
        };
        assert!(
            fs::read(aside).expect("reads") == planted,
            "{what}: it is changed"
        );
        return;
    }
    assert_eq!(quarantined(shop), Vec::<PathBuf>::new(), "{what}");
    let [row] = &segments[..] else {
        panic!("{what}: {segments:?}")
    };
    assert_eq!(
        (row.recovered, row.fragments as usize),
        (true, whole),
        "{what}"
    );
    let clip = shop.path("clip.mp4");
    let exported = shop.export("till/main", row.span(), "clip.mp4");
    assert_eq!(exported.clips[0].pictures, row.samples as usize, "{what}");
    fs::remove_file(clip).expect("removes");
}

#[test]
fn what_cannot_be_read_is_set_aside_and_strangers_are_left_alone() {
    let mut scene = Scene::stopped(1);
    let ours = scene.shop.segment_files("till/main").remove(0);
    let day = ours.parent().expect("a folder");
    let garbage: Vec<u8> = (0..40_000_u32).map(|n| n.to_le_bytes()[0] ^ 0x5a).collect();
    let unreadable = [
        "20260101T000000.000Z-garbage.mp4.part",
        "20260101T000000.000Z-garbage.mp4",
    ];
    for name in unreadable {
        fs::write(day.join(name), &garbage).expect("writes");
    }
    fs::write(day.join("20260101T000001.000Z-empty.mp4.part"), b"").expect("writes");
    // Not in a folder of a stream, or by its name no segment.
    let strangers = [
        "holiday.mp4",
        "photos/holiday.mp4",
        "photos/holiday.mp4.part",
        "till/notes.txt",
        "till/main/notes.txt",
        "lost+found/x",
    ]
    .map(|name| scene.shop.volume.join(name));
    for path in &strangers {
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, &garbage).expect("writes");
    }
    let before = fs::read(&ours).expect("reads");
    for _ in 0..2 {
        let log = scene.live();
        assert_eq!(scene.findings(true), Vec::<String>::new(), "{log}");
        let aside = quarantined(&scene.shop);
        assert_eq!(aside.len(), unreadable.len(), "{aside:?}");
        for path in aside.iter().chain(&strangers) {
            assert!(
                fs::read(path).expect("still there") == garbage,
                "{}",
                path.display()
            );
        }
        assert!(fs::read(&ours).expect("still there") == before);
    }
}

#[test]
fn rows_that_were_lost_come_back_and_the_chain_goes_on() {
    let mut scene = Scene::stopped(3);
    let rows = scene.shop.ls("till/main").footage.segments;
    assert!(rows.len() >= 3);
    let tree_before = footage_tree(&scene.shop.volume);
    // The catalog of the box as it was made: no row of footage at all.
    scene.sql(
        "delete from segment; delete from recorded; delete from coverage_hour; delete from gap; delete from run;
         update stream set segments = 0, bytes = 0, last_segment = null;",
    );
    scene.live();
    assert_eq!(scene.findings(true), Vec::<String>::new());
    assert_eq!(scene.shop.ls("till/main").footage.segments, rows);
    scene.lose_row(rows[1].segment);
    let findings = scene.findings(false);
    assert!(
        findings.iter().any(|f| f.contains("has no row")),
        "{findings:?}"
    );
    scene.live();
    assert_eq!(scene.findings(true), Vec::<String>::new());
    assert_eq!(scene.shop.ls("till/main").footage.segments, rows);
    assert_eq!(
        footage_tree(&scene.shop.volume),
        tree_before,
        "no file was touched"
    );
    // What is recorded from now on follows the last one.
    scene.server.resume_listening().expect("listens again");
    let before = [(scene.camera.clone(), scene.camera.counters().access_units)];
    scene.shop.start();
    wait_for_sent(&mut scene.shop, &before, 20);
    scene.shop.stop();
    assert_eq!(scene.findings(true), Vec::<String>::new());
    crate::eyes::assert_chained(&scene.shop.ls("till/main").footage.segments);
}

#[test]
fn a_missing_file_and_a_turned_bit_are_told_and_nothing_else_is_touched() {
    let mut scene = Scene::stopped(2);
    let [first, second] = &scene.shop.segment_files("till/main")[..2] else {
        panic!("two segments")
    };
    let rows = scene.shop.ls("till/main").footage.segments;
    let away = scene.shop.path("away");
    fs::rename(first, &away).expect("moves");
    let before = footage_tree(&scene.shop.volume);
    let name = |path: &Path| path.file_name().expect("a name").display().to_string();
    let findings = scene.findings(false);
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(findings[0].contains(&name(first)), "{findings:?}");
    let log = scene.live();
    assert!(
        log.lines()
            .any(|line| line.starts_with("error: ") && line.contains(&name(first))),
        "{log}"
    );
    assert_eq!(
        scene.shop.ls("till/main").footage.segments,
        rows,
        "its row stays"
    );
    assert_eq!(
        footage_tree(&scene.shop.volume),
        before,
        "no other file is touched"
    );
    fs::rename(&away, first).expect("moves back");
    assert_eq!(scene.findings(true), Vec::<String>::new());

    let whole = fs::read(second).expect("reads");
    let sealed = boxes(&whole).into_iter().rfind(|b| b.kind == "mdat");
    let mut turned = whole.clone();
    turned[sealed.expect("mdat").middle()] ^= 0x10;
    fs::write(second, &turned).expect("writes");
    let findings = scene.findings(true);
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(findings[0].contains(&name(second)), "{findings:?}");
    // It is not hidden by an export either.
    let span = rows[1].span();
    let (from, to) = (span.start.rfc3339(), span.end.rfc3339());
    let refused = scene.shop.try_export("till/main", &from, &to, "bad.mp4");
    let told = refused.error();
    assert!(told.contains("BLAKE3"), "{told}");
    assert!(
        !scene.shop.path("bad.mp4").exists(),
        "no clip that was not checked"
    );
}

#[test]
fn a_kill_before_the_end_of_a_gap_was_noted_is_a_gap_of_its_own() {
    let mut scene = Scene::stopped(1);
    scene.server.resume_listening().expect("listens again");
    scene.shop.start();
    wait(&mut scene.shop, "a fragment is on disk", |shop| {
        parts(&shop.volume).first().is_some_and(|part| {
            let bytes = fs::read(part).unwrap_or_default();
            bytes.windows(4).any(|b| b == b"mdat")
        })
    });
    scene.shop.kill();
    scene.server.stop_listening();
    // As if the process had died between the first pictures and the row that says where the gap before them ends.
    scene.sql("update gap set end_us = null where id = (select max(id) from gap)");
    scene.live();
    assert_eq!(scene.findings(true), Vec::<String>::new());
    let coverage = scene.shop.ls("till/main").footage.coverage;
    assert_eq!(
        (coverage.recorded.len(), coverage.unknown.len()),
        (2, 0),
        "{coverage:?}"
    );
    let [_, stopped, killed] = &coverage.gaps[..3] else {
        panic!("{coverage:?}")
    };
    assert_eq!(
        (stopped.cause, stopped.span.end),
        (GapCause::Stopped, coverage.recorded[1].start)
    );
    assert_eq!(
        (killed.cause, killed.span.start),
        (GapCause::Killed, coverage.recorded[1].end)
    );
}

/// Every file of a volume but the mark that the recorder itself keeps there.
fn footage_tree(volume: &Path) -> std::collections::BTreeMap<PathBuf, String> {
    let mut files = tree(volume);
    // What the recorder writes there by itself besides footage.
    files.retain(|path, _| {
        !path.ends_with("sinetti-mark.json")
            && !path.ends_with("sinetti-holds.json")
            && path
                .components()
                .all(|part| part.as_os_str() != "sinetti-ledger")
    });
    files
}
