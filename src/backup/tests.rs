//! What is backed up comes back, whatever fails on the way, and for nobody without the recovery identity.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::base::disk::{
    self,
    faults::{Faults, Outcome},
};
use crate::base::error::Kind;
use crate::catalog::{Catalog, Event};
use crate::store::state::State;
use crate::store::volume::Volume;
use crate::vault::identity::Identity;

struct Box {
    dir: tempfile::TempDir,
    state: State,
    identity: Identity,
}

impl Box {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("dir");
        let identity = Identity::generate();
        let at = dir.path().join("state");
        let (state, new) = State::begin(&at, identity.recipient(), Wall(1)).expect("begun");
        new.finish().expect("a box");
        let this = Self {
            dir,
            state,
            identity,
        };
        this.put("sinetti.toml", "x = 1");
        this.put("secrets/kassa-1", "user\nsalaisuus\n");
        this.put("keys/web-server.pem", "made anew");
        disk::create_dir_all(&this.path("backups"), 0o700).expect("folder");
        let catalog = this.catalog();
        for n in 0..20 {
            let event = Event {
                detail: Some(serde_json::json!({ "name": "salaisuus" })),
                ..Event::of_box(Wall(n), "sign-in", "session", serde_json::json!({ "n": n }))
            };
            catalog.commit(Vec::new(), event).expect("written");
        }
        catalog.close().expect("closed");
        this
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn put(&self, name: &str, text: &str) {
        let path = self.state.dir.join(name);
        disk::create_dir_all(path.parent().expect("parent"), 0o700).expect("folder");
        disk::create(&path, text.as_bytes(), 0o600).expect("file");
    }

    fn catalog(&self) -> Catalog {
        let path = self.state.catalog_path();
        Catalog::open_signing(&path, self.state.box_id, self.state.signer()).expect("catalog")
    }

    fn back_up(&self, now: Wall) -> crate::base::error::Result<Written> {
        let reader = Reader::open(&self.state.catalog_path(), self.state.box_id)?;
        let signer = self.state.signer()?;
        let source = Source {
            state: &self.state,
            reader: &reader,
            signer: &signer,
            now,
        };
        write(&source, &self.path("backups"))
    }
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(dir)
        .expect("folder")
        .map(|entry| entry.expect("entry").file_name().display().to_string())
        .collect();
    names.sort();
    names
}

#[test]
fn what_was_backed_up_comes_back_with_the_shares_alone_and_nothing_of_it_is_in_the_clear() {
    let shop = Box::new();
    let written = shop.back_up(Wall::from_secs(1_800_000_000)).expect("made");
    assert_eq!(names(&written.folder), [MANIFEST, ARCHIVE]);
    assert!(!shop.state.dir.join(COPY).exists());
    for file in [MANIFEST, ARCHIVE] {
        let bytes = fs::read(written.folder.join(file)).expect("read");
        for secret in ["salaisuus", "kassa-1"] {
            assert!(
                !bytes.windows(secret.len()).any(|w| w == secret.as_bytes()),
                "{file}"
            );
        }
    }
    let manifest = open(&written.folder).expect("whole");
    assert_eq!(manifest, written.manifest);
    assert_eq!(manifest.key, shop.state.key().expect("key"));
    let to = shop.path("new");
    assert_eq!(
        unpack(&written.folder, &Identity::generate(), &shop.path("other"))
            .expect_err("another key")
            .kind(),
        Kind::Denied
    );
    let box_json = unpack(&written.folder, &shop.identity, &to).expect("unpacked");
    assert_eq!(
        box_json,
        fs::read(shop.state.dir.join("box.json")).expect("read")
    );
    assert_eq!(
        names(&to),
        ["catalog.db", "keys", "secrets", "sinetti.toml"]
    );
    assert_eq!(names(&to.join("keys")), ["ledger.pk8"]);
    let state = State::read(&to, &box_json).expect("state");
    let reader = Reader::open(&state.catalog_path(), state.box_id).expect("catalog");
    assert_eq!(reader.events(0, 100).expect("events").len(), 20);
    assert_eq!(reader.integrity_check().expect("looked"), [] as [String; 0]);
    assert!(reader.epoch().expect("epoch").note.is_some());
}

#[test]
fn one_flipped_bit_anywhere_is_found() {
    let shop = Box::new();
    let written = shop.back_up(Wall::from_secs(1_800_000_000)).expect("made");
    for file in [MANIFEST, ARCHIVE] {
        let path = written.folder.join(file);
        let good = fs::read(&path).expect("read");
        for at in (0..good.len()).step_by(good.len() / 97 + 1) {
            let mut bad = good.clone();
            bad[at] ^= 1;
            disk::replace(&path, &bad, 0o600).expect("written");
            // Spaces between members say nothing.
            let opened = open(&written.folder);
            assert!(
                opened.is_err() || opened.is_ok_and(|m| m == written.manifest),
                "{file} {at}"
            );
        }
        disk::replace(&path, &good, 0o600).expect("written");
    }
    open(&written.folder).expect("as before");
}

#[test]
fn it_does_not_go_where_it_would_be_lost_with_the_rest() {
    let shop = Box::new();
    let volume = shop.path("footage");
    Volume::init(&volume, shop.state.box_id, "levy-1").expect("volume");
    let inside = volume.join("backups/deep");
    disk::create_dir_all(&inside, 0o700).expect("folder");
    std::os::unix::fs::symlink(&inside, shop.path("link")).expect("link");
    for bad in [
        &volume,
        &inside,
        &shop.path("link"),
        &shop.state.dir,
        &shop.state.dir.join("keys"),
    ] {
        let e = check_place(bad, &shop.state).expect_err("refused");
        assert_eq!(e.kind(), Kind::Invalid, "{}: {e}", bad.display());
    }
    let gone = check_place(&shop.path("nowhere"), &shop.state).expect_err("gone");
    assert_eq!(gone.kind(), Kind::NotFound);
}

#[test]
fn a_fault_at_any_step_leaves_no_half_backup_under_its_name_and_no_copy_of_the_catalog() {
    let now = Wall::from_secs(1_800_000_000);
    for outcome in [Outcome::Undone, Outcome::Done] {
        let mut at = 0;
        loop {
            let shop = Box::new();
            let faults = Faults::below(shop.dir.path(), at, 1, outcome);
            let made = shop.back_up(now);
            let is_step = faults.seen().len() > at;
            drop(faults);
            // Removing what is not there succeeds, whatever else went wrong.
            assert!(made.is_ok() || is_step, "step {at}, {outcome:?}");
            if !is_step {
                break;
            }
            let there = names(&shop.path("backups"));
            for name in there.iter().filter(|name| name.starts_with(NAME_PREFIX)) {
                open(&shop.path("backups").join(name)).expect("whole");
            }
            let next = shop
                .back_up(now.plus_us(1_000_000))
                .expect("the next one goes well");
            open(&next.folder).expect("whole");
            assert!(!shop.state.dir.join(COPY).exists(), "step {at}");
            at += 1;
        }
        assert!(at > 8, "{at}");
    }
}

#[test]
fn only_the_oldest_of_this_box_go() {
    let shop = Box::new();
    let into = shop.path("backups");
    let times = [1, 2, 3].map(|n| Wall::from_secs(1_800_000_000 + n));
    let made = times.map(|at| shop.back_up(at).expect("made").folder);
    disk::create_dir_all(&into.join("sinetti-backup-of-somebody"), 0o700).expect("folder");
    assert_eq!(remove_older(&into, &shop.state, 2).expect("removed"), 1);
    assert!(!made[0].exists() && made[1].exists() && made[2].exists());
    assert_eq!(names(&into).len(), 3);
}
