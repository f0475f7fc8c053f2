//! The ledger with a million entries: appending, signing, proving, checking, exporting. Run with `cargo bench --bench ledger`;
//! figures are of this machine alone. `SINETTI_BENCH_ENTRIES` sets another number, `SINETTI_BENCH_DIR` where it is made.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a bench writes files of its own, measures and tells"
)]
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use std::collections::VecDeque;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main};
use ring::rand::SystemRandom;
use ring::signature::Ed25519KeyPair;
use serde_json::json;
use sinetti::base::error::Result;
use sinetti::base::id::BoxId;
use sinetti::base::time::Wall;
use sinetti::catalog::{Catalog, Change, EpochRow, Event, Reader};
use sinetti::evidence::proof::EntryProof;
use sinetti::evidence::{tree_check, tree_files};
use sinetti::ledger::audit;
use sinetti::ledger::checkpoint::{Checkpoint, Signer};
use sinetti::ledger::tree::{self, Tiles};

/// As many commits wait at a time as a busy box has.
const WAITING: usize = 512;

struct Scene {
    path: PathBuf,
    box_id: BoxId,
    pkcs8: Vec<u8>,
    entries: u64,
}

impl Scene {
    fn signer(&self) -> Signer {
        Signer::from_pkcs8(&self.pkcs8).expect("a key")
    }

    fn catalog(&self) -> Catalog {
        Catalog::open_signing(&self.path, self.box_id, Ok(self.signer())).expect("a catalog")
    }

    fn reader(&self) -> Reader {
        Reader::open(&self.path, self.box_id).expect("a reader")
    }
}

fn event(n: u64) -> Event {
    let at = Wall::from_secs(1_735_689_600).plus_us(i64::try_from(n).expect("small") * 1000);
    let facts = json!({ "start": at, "cause": "stalled", "n": n });
    Event {
        // A fifth of what a box writes has something that may be erased.
        detail: n
            .is_multiple_of(5)
            .then(|| json!({ "by": "somebody", "why": "a reason in some words" })),
        ..Event::of_box(
            at,
            "playback-opened",
            format!("kassa-{}/main", n % 32),
            facts,
        )
    }
}

/// Appends entries as the writer gets them: each waits until it is durable, many at a time.
fn append(catalog: &Catalog, from: u64, count: u64) {
    let mut waiting = VecDeque::new();
    for n in from..from + count {
        if waiting.len() >= WAITING {
            wait(&mut waiting);
        }
        waiting.push_back(catalog.commit_pending(Vec::<Change>::new(), event(n)));
    }
    while !waiting.is_empty() {
        wait(&mut waiting);
    }
}

fn wait(waiting: &mut VecDeque<sinetti::catalog::Pending>) {
    if let Some(first) = waiting.pop_front() {
        first.wait().expect("durable");
    }
}

fn secs(since: Instant) -> f64 {
    since.elapsed().as_secs_f64()
}

/// Makes the ledger, and says how long that took.
fn scene(dir: &Path) -> Scene {
    let entries = std::env::var("SINETTI_BENCH_ENTRIES").ok();
    let entries = entries.map_or(1_000_000, |text| text.parse().expect("a number"));
    let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("a key");
    let scene = Scene {
        path: dir.join("catalog.db"),
        box_id: BoxId::random(),
        pkcs8: pkcs8.as_ref().to_vec(),
        entries,
    };
    let catalog = scene.catalog();
    let began = Instant::now();
    append(&catalog, 0, entries);
    let appended = secs(began);
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let each_us = appended * 1e6 / entries as f64;
    println!(
        "{entries} entries appended in {appended:.1} s: {each_us:.0} µs each, signed every second meanwhile"
    );
    let began = Instant::now();
    catalog.close().expect("closed");
    println!("the last checkpoint and closing: {:.3} s", secs(began));
    assert_eq!(catalog.trouble(), None);
    assert_eq!(scene.reader().epoch().expect("an epoch").size, entries);
    scene
}

/// The tree as the signer reads it.
struct Kept<'a>(&'a Reader, &'a EpochRow);

impl Tiles for Kept<'_> {
    fn tile(&self, level: u8, number: u64, width: u64) -> Result<Vec<u8>> {
        self.0.tile(self.1, level, number, width)
    }
}

fn ledger(c: &mut Criterion) {
    let base = std::env::var_os("SINETTI_BENCH_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = tempfile::tempdir_in(base).expect("a folder");
    let scene = scene(folder.path());
    let (signer, reader) = (scene.signer(), scene.reader());
    let epoch = reader.epoch().expect("an epoch");
    let mut group = c.benchmark_group("ledger");

    let mut n = 0;
    group.bench_function("inclusion proof", |b| {
        b.iter(|| {
            n = (n + 7_919_333) % scene.entries;
            EntryProof::make(&reader, n + 1).expect("a proof")
        });
    });
    let old = scene.entries / 3;
    let then = Checkpoint {
        box_id: scene.box_id,
        epoch: 1,
        size: old,
        root: tree::root(&Kept(&reader, &epoch), old).expect("a root"),
    };
    group.bench_function("consistency with a third", |b| {
        b.iter(|| {
            reader
                .consistency(scene.box_id, black_box(&then))
                .expect("consistent")
        });
    });
    group.bench_function("root and signature", |b| {
        b.iter(|| {
            let root = tree::root(&Kept(&reader, &epoch), epoch.size).expect("a root");
            let (box_id, size) = (scene.box_id, epoch.size);
            let checkpoint = Checkpoint {
                box_id,
                epoch: 1,
                size,
                root,
            };
            signer.sign(&checkpoint).expect("a note")
        });
    });
    whole(&mut group, &scene, folder.path());
    group.finish();
}

/// What reads all of it, and what is added to it.
fn whole(group: &mut BenchmarkGroup<'_, WallTime>, scene: &Scene, folder: &Path) {
    let (signer, reader) = (scene.signer(), scene.reader());
    let epoch = reader.epoch().expect("an epoch");
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(10));
    group.bench_function("check of all of it in the catalog", |b| {
        b.iter(|| {
            let report = audit::audit(&reader.log(&epoch), signer.key(), &[]).expect("read");
            assert!(report.findings.is_empty() && report.entries == scene.entries);
            assert!(reader.unfit_details(1).expect("read").is_empty());
        });
    });
    let dir = folder.join("export");
    let began = Instant::now();
    tree_files::write(&dir, &reader, scene.box_id, signer.key()).expect("an export");
    println!("export: {:.1} s", secs(began));
    group.bench_function("check of all of it as files", |b| {
        b.iter(|| {
            let checked = tree_check::check(&dir, signer.key(), &[]).expect("read");
            assert!(checked.epochs[0].1.findings.is_empty());
        });
    });
    let catalog = scene.catalog();
    let mut next = scene.entries;
    group.bench_function("256 entries more", |b| {
        b.iter(|| {
            append(&catalog, next, 256);
            next += 256;
        });
    });
    let began = Instant::now();
    tree_files::write(&dir, &reader, scene.box_id, signer.key()).expect("an export");
    println!(
        "the mirror brought up to date by {} entries: {:.1} s",
        next - scene.entries,
        secs(began)
    );
}

criterion_group!(benches, ledger);
criterion_main!(benches);
