//! Somebody edits the files of an exported ledger.

use std::fs;
use std::path::{Path, PathBuf};

use sinetti::ledger::audit::Verdict;

use crate::random::Random;
use crate::shop::{Checked, anchor, begin_epoch, copy, export, files, grow, long, text, verify};
use crate::support::{Ran, TestBox};

/// An export of two epochs with details, on a machine without a box.
struct Tree {
    shop: TestBox,
    whole: PathBuf,
    dir: PathBuf,
    anchors: [PathBuf; 2],
}

impl Tree {
    fn new() -> Self {
        let shop = long();
        let first = anchor(&shop, "first");
        begin_epoch(&shop);
        grow(&shop, 300);
        let anchors = [first, anchor(&shop, "second")];
        let whole = export(&shop, "export", &["--with-details"]);
        let dir = shop.path("copy");
        Self {
            shop,
            whole,
            dir,
            anchors,
        }
    }

    fn verify(&self, more: &[&str]) -> Ran {
        let args = [&["ledger", "verify", text(&self.dir), "--json"], more].concat();
        // The state folder is of no use to it.
        let mut command = self.shop.command(&args);
        command.env("SINETTI_DIR", "/nowhere");
        crate::support::ran(&mut command)
    }

    #[track_caller]
    fn finds(&self, what: &str, change: impl FnOnce(&Path)) {
        fs::remove_dir_all(&self.dir).ok();
        copy(&self.whole, &self.dir);
        change(&self.dir);
        let ran = self.verify(&[]);
        assert_ne!(ran.code, 0, "{what}: {ran:?}");
        if ran.stdout.is_empty() {
            // What cannot even be opened is an error that names the place.
            let named = ["key", "checkpoint", "no exported ledger"];
            assert!(
                named.iter().any(|n| ran.stderr.contains(n)),
                "{what}: {ran:?}"
            );
        } else {
            let found = Checked::of(&ran);
            assert!(found.says(Verdict::Altered), "{what}: {found:#?}");
        }
    }
}

#[test]
fn any_file() {
    let tree = Tree::new();
    copy(&tree.whole, &tree.dir);
    let fingerprint = tree.shop.run(&["ledger", "verify"]).ok();
    let fingerprint = fingerprint
        .lines()
        .find_map(|line| line.strip_prefix("signed by "))
        .expect("a fingerprint");
    let [first, second] = tree.anchors.each_ref().map(|path| text(path));
    let anchors = ["--anchor", first, "--anchor", second];
    let all = [&anchors[..], &["--fingerprint", fingerprint]].concat();
    let whole = Checked::of(&tree.verify(&all));
    assert!(whole.whole, "{whole:#?}");
    assert_eq!(
        whole.epochs.iter().map(|e| e.epoch).collect::<Vec<_>>(),
        [1, 2]
    );
    let other = Checked::of(&tree.verify(&["--fingerprint", "0000 1111"]));
    assert!(other.says(Verdict::Forked), "{other:#?}");

    let mut random = Random::new(7);
    let paths = files(&tree.whole);
    assert_eq!(paths.len(), 17, "{paths:#?}");
    for path in &paths {
        let name = path.strip_prefix(&tree.whole).expect("below");
        let bytes = fs::read(path).expect("a file");
        let put = |what: &str, bytes: &[u8]| {
            tree.finds(&format!("{what} of {}", name.display()), |dir| {
                fs::write(dir.join(name), bytes).expect("written");
            });
        };
        for _ in 0..6 {
            let mut changed = bytes.clone();
            random.flip(&mut changed);
            put("a bit", &changed);
        }
        put("the last byte", &bytes[..bytes.len() - 1]);
        put("the end", &bytes[..random.below(bytes.len())]);
        put("one byte more", &[&bytes[..], b"x"].concat());
        put("a line end more", &[&bytes[..], b"\n"].concat());
        if !name.ends_with("details.jsonl") {
            tree.finds(&format!("{} taken away", name.display()), |dir| {
                fs::remove_file(dir.join(name)).expect("removed");
            });
        }
    }
}

#[test]
fn files_of_the_same_kind_swapped_and_whole_epochs_taken_away() {
    let tree = Tree::new();
    let swapped = [
        ("tile/0/000", "epochs/1/tile/0/000"),
        ("tile/entries/000", "epochs/1/tile/entries/000"),
        ("epochs/1/tile/entries/000", "epochs/1/tile/entries/001"),
        ("epochs/1/tile/0/000", "epochs/1/tile/0/001"),
        ("checkpoint", "epochs/1/checkpoint"),
        ("key", "epochs/1/key"),
    ];
    for (a, b) in swapped {
        tree.finds(&format!("{a} and {b}"), |dir| {
            let read = |name: &str| fs::read(dir.join(name)).expect(name);
            let (one, other) = (read(a), read(b));
            fs::write(dir.join(a), other).expect("written");
            fs::write(dir.join(b), one).expect("written");
        });
    }
    tree.finds("epoch 1 taken away", |dir| {
        fs::remove_dir_all(dir.join("epochs")).expect("removed");
    });
    tree.finds("epoch 1 in the place of 2", |dir| {
        let first = dir.join("epochs/1");
        let (to, now) = (dir.join("first"), dir.join("epochs/2"));
        copy(&first, &to);
        copy(&first, &now);
        fs::remove_dir_all(to).expect("removed");
    });
}

#[test]
fn an_export_goes_on_and_takes_no_other_log_over() {
    let shop = long();
    let dir = export(&shop, "export", &[]);
    let before = files(&dir).len();
    grow(&shop, 500);
    export(&shop, "export", &[]);
    assert!(files(&dir).len() > before);
    let checked = Checked::of(&shop.run(&["ledger", "verify", "--json", text(&dir)]));
    assert!(checked.whole, "{checked:#?}");
    assert_eq!(
        checked.epochs[0].signed,
        verify(&shop, &[]).epochs[0].signed
    );
    // Partial tiles that fuller ones took the place of are gone: each level has one at most.
    let partial = files(&dir.join("tile"))
        .into_iter()
        .filter(|path| text(path).contains(".p/"))
        .count();
    assert_eq!(partial, 3, "level 0, its entries, level 1");
    let other = long();
    let refused = other.run(&["ledger", "export", text(&dir)]).error();
    assert!(refused.contains("not of this ledger"), "{refused}");
    let checked = Checked::of(&shop.run(&["ledger", "verify", "--json", text(&dir)]));
    assert!(checked.whole, "it was left as it was: {checked:#?}");
}
