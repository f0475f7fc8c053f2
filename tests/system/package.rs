//! A package holds together, and whatever is changed in it is found, by the command and by the page alike.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{
    PURPOSE, Ran, TestBox, assert_unbroken, camera, packets, ran, sent_hashes, server, span,
};
use serde_json::Value;
use sinetti::base::time::Span;
use sinetti::evidence::package::check;
use sinetti::evidence::package::folder::Folder;
use sinetti_simulator::CameraHandle;

/// Deterministic, and different for each change.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(self.0 >> 33).expect("small") % n.max(1)
    }
}

/// A box with a camera that was recorded over a kill and a cut; stopped.
fn recorded() -> (TestBox, CameraHandle, Span) {
    let (mut shop, server) = (TestBox::new(), server());
    shop.set_recorder("segment_secs = 10");
    let handle = server.add("/kassa-1/main", camera("till-sub.264"));
    shop.add_camera("kassa-1", server.address(), &[]);
    shop.start();
    shop.wait_for_pictures(&["kassa-1/main"], 40);
    shop.kill();
    shop.start();
    shop.wait_for_pictures(&["kassa-1/main"], 200);
    shop.stop();
    let recorded = shop.ls("kassa-1/main").footage.coverage.recorded;
    let all = span(recorded[0].start, recorded[recorded.len() - 1].end);
    (shop, handle, all)
}

fn pack(shop: &TestBox, asked: Span, folder: &str) -> Ran {
    let mut export = shop.command(&["export", "--json", "--camera", "kassa-1"]);
    export.args([
        "--from",
        &asked.start.rfc3339(),
        "--to",
        &asked.end.rfc3339(),
    ]);
    export.arg("--package").arg(shop.path(folder));
    export.args(["--purpose", PURPOSE]).args(shop.approved());
    ran(&mut export)
}

fn verify(shop: &TestBox, folder: &Path, more: &[&str]) -> (i32, Value) {
    let mut verify = shop.command(&["verify", "--json"]);
    let said = ran(verify.arg(folder).args(more));
    let json = serde_json::from_str(&said.stdout).unwrap_or_else(|e| panic!("{e}: {said:?}"));
    (said.code, json)
}

fn pages(folders: &[PathBuf], more: &[&str]) -> Vec<Value> {
    // Each package has this very page; the one in a changed package may be what was changed.
    let page = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/src/evidence/package/verify.html"
    );
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/verify-page.mjs");
    let said = ran(Command::new("node")
        .arg(script)
        .arg(page)
        .args(more)
        .args(folders));
    assert_eq!(said.code, 0, "{said:?}");
    let lines = said.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

#[test]
fn a_package_proves_itself_and_every_change_of_it_is_found_by_command_and_page() {
    let (shop, camera, all) = recorded();
    let said: Value = serde_json::from_str(&pack(&shop, all, "package").ok()).expect("JSON");
    let folder = shop.path("package");
    let files: Vec<String> = fs::read_dir(&folder)
        .expect("a folder")
        .map(|f| f.expect("a file").file_name().into_string().expect("text"))
        .collect();
    let clips: Vec<_> = files.iter().filter(|f| f.ends_with(".mp4")).collect();
    assert_eq!(
        clips.len(),
        2,
        "the kill made a gap, and so two clips: {files:?}"
    );
    assert_eq!(files.len(), 2 + 6, "{files:?}");

    // The pictures are those that the camera sent.
    let sent = sent_hashes(&camera.sent());
    let mut pictures = 0;
    for clip in said["clips"].as_array().expect("clips") {
        let packets = packets(Path::new(clip["path"].as_str().expect("a path")));
        assert_unbroken(&packets, &sent);
        pictures += packets.len();
    }

    // Intact, and from this box; another's fingerprint is another's.
    let (code, report) = verify(&shop, &folder, &[]);
    assert_eq!(
        (code, &report["intact"]),
        (0, &Value::Bool(true)),
        "{report}"
    );
    assert_eq!(report["pictures"], pictures, "{report}");
    let ours = report["fingerprint"].as_str().expect("signed").to_owned();
    let shown = shop.run(&["ledger", "verify"]).ok();
    assert!(shown.contains(&ours), "{shown}");
    let typed = ours.to_uppercase().replace(' ', "");
    assert_eq!(verify(&shop, &folder, &["--fingerprint", &typed]).0, 0);
    let other = "0000 ".repeat(8);
    let (code, wrong) = verify(&shop, &folder, &["--fingerprint", &other]);
    assert_eq!(
        (code, &wrong["findings"][0]["code"]),
        (1, &"other-key".into()),
        "{wrong}"
    );

    // The page says the same, also where the browser knows no Ed25519.
    for how in [&[][..], &["--slow"]] {
        let page = &pages(std::slice::from_ref(&folder), how)[0];
        assert_eq!(page["findings"], Value::Array(Vec::new()), "{page}");
        assert_eq!(
            (&page["fingerprint"], &page["entry"]),
            (&report["fingerprint"], &report["entry"])
        );
    }
    let page = &pages(std::slice::from_ref(&folder), &["--fingerprint", &other])[0];
    assert_eq!(page["findings"][0], "other-key contents.txt");

    // The ledger tells of it: its entry has the manifest's hash.
    let seq = report["entry"].as_u64().expect("an entry");
    let entry = shop.catalog().entry(seq).expect("it is there");
    assert_eq!(entry.entry.facts["manifest"], said["manifest"]);

    zipped(&shop, &folder, &files);
    changes_are_found(&shop, &folder, &files);
    shop.check(true);
}

/// Writes files of `folder` into a ZIP, stored or not, in the folder `top`.
fn zip(path: &Path, (folder, files): (&Path, &[String]), (top, stored): (&str, bool)) {
    let script = "import os, sys, zipfile
path, folder, top, method = sys.argv[1:5]
with zipfile.ZipFile(path, 'w', zipfile.ZIP_STORED if method == 'stored' else zipfile.ZIP_DEFLATED) as z:
    for name in sys.argv[5:]: z.write(os.path.join(folder, name), top + '/' + name)";
    let mut python = Command::new("python3");
    python.args(["-c", script]).arg(path).arg(folder).arg(top);
    python.arg(if stored { "stored" } else { "deflated" });
    assert_eq!(ran(python.args(files)).code, 0);
}

/// The same as ZIP files: one, or several, or not all.
fn zipped(shop: &TestBox, folder: &Path, files: &[String]) {
    let path = |name: &str| shop.path(name);
    zip(&path("whole.zip"), (folder, files), ("2026-0042", true));
    let (code, report) = verify(shop, &path("whole.zip"), &[]);
    assert_eq!(
        (code, &report["intact"]),
        (0, &Value::Bool(true)),
        "{report}"
    );

    let (first, second) = files.split_at(3);
    zip(&path("1.zip"), (folder, first), ("2026-0042", true));
    zip(&path("2.zip"), (folder, second), ("2026-0042", true));
    zip(&path("else.zip"), (folder, second), ("2026-0043", true));
    let two = path("2.zip");
    let (code, report) = verify(shop, &path("1.zip"), &[two.to_str().expect("text")]);
    assert_eq!(
        (code, &report["intact"]),
        (0, &Value::Bool(true)),
        "{report}"
    );
    // A part alone is not the package, and that of another is none of it.
    for part in ["1.zip", "2.zip"] {
        let said = ran(shop.command(&["verify"]).arg(path(part)));
        assert_ne!(said.code, 0, "{said:?}");
    }
    let said = ran(shop
        .command(&["verify"])
        .args([path("1.zip"), path("else.zip")]));
    assert!(
        said.code != 0 && said.stderr.contains("another folder"),
        "{said:?}"
    );
    // What is stored is looked at where it lies; a packed ZIP was not made by a box.
    zip(&path("packed.zip"), (folder, files), ("2026-0042", false));
    assert_ne!(
        ran(shop.command(&["verify"]).arg(path("packed.zip"))).code,
        0
    );
    // A changed byte in it is found as in a folder.
    let mut bytes = fs::read(path("whole.zip")).expect("reads");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path("changed.zip"), bytes).expect("written");
    let (code, report) = verify(shop, &path("changed.zip"), &[]);
    assert_eq!(
        (code, &report["findings"][0]["code"]),
        (1, &"changed".into()),
        "{report}"
    );
}

#[test]
fn what_is_being_recorded_is_packed_at_once_and_recording_goes_on() {
    let (mut shop, server) = (TestBox::new(), server());
    // Nobody waits for the end of this one.
    shop.set_recorder("segment_secs = 300");
    server.add("/kassa-1/main", camera("till-sub.264"));
    shop.add_camera("kassa-1", server.address(), &[]);
    shop.start();
    shop.wait_for_pictures(&["kassa-1/main"], 100);
    let growing = shop
        .ls("kassa-1/main")
        .footage
        .growing
        .expect("it is recorded");
    let asked = span(growing.start, growing.start.plus_us(2_000_000));
    pack(&shop, asked, "package").ok();
    let (code, report) = verify(&shop, &shop.path("package"), &[]);
    assert_eq!(
        (code, &report["intact"]),
        (0, &Value::Bool(true)),
        "{report}"
    );
    shop.wait_for_pictures(&["kassa-1/main"], 300);
    shop.stop();
    let footage = shop.ls("kassa-1/main").footage;
    assert!(footage.segments.len() >= 2, "{footage:?}");
    assert_eq!(
        footage.coverage.recorded.len(),
        1,
        "the cut is no gap: {footage:?}"
    );
    shop.check(true);
}

/// Two hundred of them.
fn changes_are_found(shop: &TestBox, folder: &Path, files: &[String]) {
    let mut dice = Dice(20_261_123);
    let mut changed = Vec::new();
    let mut what = Vec::new();
    for n in 0..200 {
        let copy = shop.path(&format!("changed-{n}"));
        fs::create_dir(&copy).expect("a folder");
        for file in files {
            fs::hard_link(folder.join(file), copy.join(file)).expect("linked");
        }
        what.push(change(&copy, files, n, &mut dice));
        changed.push(copy);
    }
    let pages = pages(&changed, &[]);
    for ((copy, page), what) in changed.iter().zip(&pages).zip(&what) {
        let report = check::check(&Folder::open(copy).expect("opens"), None).expect("checked");
        let mut found: Vec<String> = report
            .findings
            .iter()
            .map(|f| {
                let code = serde_json::to_value(f.code).expect("text");
                format!("{} {}", code.as_str().expect("text"), f.file)
            })
            .collect();
        found.sort();
        assert!(!found.is_empty(), "{what} was not found");
        assert_eq!(page["findings"], serde_json::json!(found), "{what}");
    }
}

/// Changes something and says what.
fn change(dir: &Path, files: &[String], n: usize, dice: &mut Dice) -> String {
    let file = &files[dice.below(files.len())];
    let path = dir.join(file);
    let bytes = fs::read(&path).expect("reads");
    // The other files are links to the original: a changed one is a new file.
    let replace = |bytes: &[u8]| {
        fs::remove_file(&path).expect("removed");
        fs::write(&path, bytes).expect("written");
    };
    match n % 8 {
        0..=2 => {
            let (at, bit) = (dice.below(bytes.len()), dice.below(8));
            let mut other = bytes;
            other[at] ^= 1 << bit;
            replace(&other);
            format!("bit {bit} of byte {at} of {file}")
        }
        3 => {
            let keep = dice.below(bytes.len());
            replace(&bytes[..keep]);
            format!("{file} cut to {keep}")
        }
        4 => {
            let (at, byte) = (
                dice.below(bytes.len()),
                u8::try_from(dice.below(256)).expect("one"),
            );
            let mut other = bytes;
            other.insert(at, byte);
            replace(&other);
            format!("a byte more at {at} of {file}")
        }
        5 => {
            fs::rename(&path, dir.join(format!("other-{n}.bin"))).expect("renamed");
            // Without a list or manifest it would be no package at all.
            format!("{file} renamed")
        }
        6 => {
            fs::write(dir.join("notes.txt"), "mine").expect("written");
            "a file more".to_owned()
        }
        _ => {
            fs::remove_file(&path).expect("removed");
            format!("{file} removed")
        }
    }
}
