//! A box with a long ledger, without a daemon; what `sinetti ledger verify` says of it.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::json;
use sinetti::base::time::Wall;
use sinetti::catalog::{Catalog, Change, Event, LedgerChange, Reader};
use sinetti::ledger::audit::Verdict;
use sinetti::store::state::State;

use crate::support::{Ran, TestBox};

/// 2025-01-01T00:00:00Z.
pub(crate) const T0: Wall = Wall::from_secs(1_735_689_600);
/// Two full tiles and a part of a third.
pub(crate) const ENTRIES: u64 = 600;

/// What a check found.
#[derive(Debug, Deserialize)]
pub(crate) struct Checked {
    pub(crate) whole: bool,
    pub(crate) findings: Vec<Finding>,
    pub(crate) epochs: Vec<EpochChecked>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct EpochChecked {
    pub(crate) epoch: u32,
    pub(crate) entries: u64,
    pub(crate) signed: Option<u64>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Finding {
    pub(crate) verdict: String,
    pub(crate) place: String,
    pub(crate) text: String,
}

impl Checked {
    pub(crate) fn of(ran: &Ran) -> Self {
        let checked: Self =
            serde_json::from_str(&ran.stdout).unwrap_or_else(|e| panic!("{e}: {ran:?}"));
        assert_eq!(ran.code == 0, checked.whole, "{ran:?}");
        assert_eq!(checked.whole, checked.findings.is_empty(), "{ran:?}");
        checked
    }

    pub(crate) fn says(&self, verdict: Verdict) -> bool {
        let name = serde_json::to_value(verdict).expect("a name");
        self.findings.iter().any(|f| name == json!(f.verdict))
    }

    pub(crate) fn names(&self, place: &str) -> bool {
        let told = |f: &Finding| f.place.contains(place) || f.text.contains(place);
        self.findings.iter().any(told)
    }
}

pub(crate) fn state(shop: &TestBox) -> State {
    State::open(&shop.dir).expect("the state folder")
}

/// The catalog for writing, as the daemon opens it.
pub(crate) fn catalog(shop: &TestBox) -> Catalog {
    let state = state(shop);
    Catalog::open_signing(&state.catalog_path(), state.box_id, state.signer()).expect("the catalog")
}

pub(crate) fn reader(shop: &TestBox) -> Reader {
    shop.catalog()
}

pub(crate) fn event(n: u64) -> Event {
    let at = T0.plus_us(i64::try_from(n).expect("small") * 1_000_000);
    let detail = n
        .is_multiple_of(3)
        .then(|| json!({ "by": format!("Someone {n}") }));
    Event {
        actor: if n.is_multiple_of(5) {
            "person-5"
        } else {
            "box"
        }
        .to_owned(),
        detail,
        ..Event::of_box(
            at,
            "playback-opened",
            format!("kassa-{}/main", n % 7),
            json!({ "n": n }),
        )
    }
}

/// Adds `count` entries and signs them.
pub(crate) fn grow(shop: &TestBox, count: u64) {
    let catalog = catalog(shop);
    let pending: Vec<_> = (0..count)
        .map(|n| catalog.commit_pending(Vec::<Change>::new(), event(n)))
        .collect();
    for one in pending {
        one.wait().expect("written");
    }
    catalog.close().expect("closed");
    assert_eq!(catalog.trouble(), None);
}

/// A box whose ledger has [`ENTRIES`] entries and more, all signed.
pub(crate) fn long() -> TestBox {
    let shop = TestBox::new();
    grow(&shop, ENTRIES);
    shop
}

/// Begins an epoch.
pub(crate) fn begin_epoch(shop: &TestBox) {
    let catalog = catalog(shop);
    let change = LedgerChange::EpochBegun {
        at: T0,
        number: None,
        cause: json!({}),
        statement: "the disk was restored".to_owned(),
    };
    catalog.commit(change, None).expect("begun");
    catalog.close().expect("closed");
}

pub(crate) fn verify(shop: &TestBox, more: &[&str]) -> Checked {
    Checked::of(&shop.run(&[&["ledger", "verify", "--json"], more].concat()))
}

/// Takes an anchor away.
pub(crate) fn anchor(shop: &TestBox, name: &str) -> PathBuf {
    let path = shop.path(name);
    shop.run(&["ledger", "anchor", "-o", text(&path)]).ok();
    path
}

pub(crate) fn export(shop: &TestBox, name: &str, more: &[&str]) -> PathBuf {
    let path = shop.path(name);
    shop.run(&[&["ledger", "export", text(&path)], more].concat())
        .ok();
    path
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// All files below `dir`, in order.
pub(crate) fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Copies a folder.
pub(crate) fn copy(from: &Path, to: &Path) {
    for file in files(from) {
        let target = to.join(file.strip_prefix(from).expect("below"));
        let folder = target.parent().expect("a parent");
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .expect("a folder");
        fs::copy(&file, &target).expect("a copy");
    }
}
