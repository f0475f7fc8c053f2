//! What several of the tests look at: folders as a whole, what a camera sent in each session and what was kept of it.

use crate::support::{Listed, TestBox};
use sinetti::base::hash::Digest;
use sinetti::base::id::RunId;
use sinetti::base::time::Wall;
use sinetti::catalog::{GapRow, SegmentRow};
use sinetti_simulator::CameraHandle;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Longest wait, in looks; each comes at most 0.2 s after the one before.
const LOOKS_MAX: u32 = 300;

/// Looks, with the recorder running, until it is as wanted.
#[track_caller]
pub(crate) fn wait(shop: &mut TestBox, what: &str, wanted: impl Fn(&TestBox) -> bool) {
    for _ in 0..LOOKS_MAX {
        if wanted(shop) {
            return;
        }
        shop.recorder().pace();
    }
    panic!("never: {what}\n{}", shop.log());
}

/// Waits until each camera has sent so many access units more than `before`.
#[track_caller]
pub(crate) fn wait_for_sent(shop: &mut TestBox, cameras: &[(CameraHandle, u64)], count: u64) {
    wait(shop, "so many access units sent", |_| {
        cameras
            .iter()
            .all(|(camera, before)| camera.counters().access_units >= before + count)
    });
}

/// All files below a folder, sorted.
pub(crate) fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => open.push(entry.path()),
                Ok(_) => found.push(entry.path()),
                Err(_) => {}
            }
        }
    }
    found.sort();
    found
}

/// Segments that are being written, or were.
pub(crate) fn parts(volume: &Path) -> Vec<PathBuf> {
    let mut all = files(volume);
    all.retain(|path| path.extension().is_some_and(|e| e == "part"));
    all
}

/// Everything below a folder: path, mode and SHA-256 of each file.
pub(crate) fn tree(dir: &Path) -> BTreeMap<PathBuf, String> {
    let fingerprint = |path: &PathBuf| {
        let bytes = fs::read(path).unwrap_or_default();
        format!("{:04o} {}", mode(path), Digest::sha256(&[&bytes]))
    };
    files(dir)
        .into_iter()
        .map(|path| (path.clone(), fingerprint(&path)))
        .collect()
}

/// Permission bits of a file or folder.
pub(crate) fn mode(path: &Path) -> u32 {
    let meta = fs::metadata(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    meta.permissions().mode() & 0o7777
}

/// When each access unit was sent, by session.
pub(crate) fn sessions(camera: &CameraHandle) -> BTreeMap<u64, Vec<Wall>> {
    let mut sessions: BTreeMap<u64, Vec<Wall>> = BTreeMap::new();
    for sent in camera.sent() {
        sessions
            .entry(sent.session)
            .or_default()
            .push(sent.wall.into());
    }
    sessions
}

/// How many access units of a session were sent, how many of them at least `margin_us` before `until`, and how many are in
/// the catalog.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) sent: usize,
    pub(crate) sent_before: usize,
    pub(crate) recorded: usize,
}

/// What was kept of one session. Its run is the one that began when the session did.
pub(crate) fn kept(camera: &CameraHandle, listed: &Listed, session: u64, until: Wall) -> Kept {
    let sessions = sessions(camera);
    let of_session = &sessions[&session];
    let nearest = |row: &SegmentRow| {
        let distance = |sent: &Vec<Wall>| row.start.us_since(sent[0]).abs();
        let nearest = sessions.iter().min_by_key(|(_, sent)| distance(sent));
        nearest.map(|(session, _)| *session)
    };
    let mut runs: BTreeMap<RunId, (u64, usize)> = BTreeMap::new();
    for row in &listed.footage.segments {
        let run = runs
            .entry(row.run)
            .or_insert_with(|| (nearest(row).expect("a session"), 0));
        run.1 += row.samples as usize;
    }
    Kept {
        sent: of_session.len(),
        sent_before: of_session.iter().filter(|at| **at < until).count(),
        recorded: runs
            .values()
            .filter(|(of, _)| *of == session)
            .map(|(_, samples)| samples)
            .sum(),
    }
}

/// The gap of a stream that lasts.
pub(crate) fn open_gap(shop: &TestBox, stream: &str) -> Option<GapRow> {
    let stream = stream.parse().expect("a stream");
    shop.catalog()
        .open_gap(&stream)
        .expect("the catalog answers")
}

/// Each segment names the root of the one before it, from the first on.
#[track_caller]
pub(crate) fn assert_chained(segments: &[SegmentRow]) {
    let first = segments.first().expect("segments");
    assert_eq!(first.previous_root, Digest::ZERO);
    for pair in segments.windows(2) {
        assert_eq!(
            pair[1].previous_root, pair[0].content_root,
            "{} after {}",
            pair[1].start, pair[0].start
        );
    }
}
