//! An exported ledger in the hands of a program that shares nothing with ours: Go's own transparency log.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::random::Random;
use crate::shop::{begin_epoch, copy, export, files, grow, long, reader};
use crate::support::{Ran, ran};

/// Builds `tests/peers/tlog_verify`.
fn verifier(folder: &Path) -> PathBuf {
    let program = folder.join("tlog_verify");
    let mut build = Command::new("go");
    build
        .args(["build", "-o"])
        .arg(&program)
        .arg(".")
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/tlog_verify"))
        // Debian's packages alone: nothing is fetched.
        .env("GO111MODULE", "off")
        .env("GOPATH", "/usr/share/gocode")
        .env("GOPROXY", "off")
        .env("GOFLAGS", "-mod=mod")
        .env(
            "GOCACHE",
            Path::new(env!("CARGO_TARGET_TMPDIR")).join("go-cache"),
        );
    let built = ran(&mut build);
    assert_eq!(
        built.code, 0,
        "install golang-go and golang-golang-x-mod-dev: {built:?}"
    );
    program
}

fn judge(program: &Path, folders: &[&Path]) -> Ran {
    ran(Command::new(program).args(folders))
}

#[test]
fn it_accepts_what_is_exported_and_what_goes_on_from_it() {
    let shop = long();
    let program = verifier(&shop.path(""));
    let older = export(&shop, "older", &[]);
    // So far that there is a tile of tiles.
    grow(&shop, 400);
    let newer = export(&shop, "newer", &["--with-details"]);
    let said = judge(&program, &[&newer, &older]).ok();
    let epoch = reader(&shop).epoch().expect("an epoch");
    assert!(
        said.starts_with(&format!("{} entries", epoch.size)),
        "{said}"
    );
    judge(&program, &[&older]).ok();
    // Backwards it does not go on.
    judge(&program, &[&older, &newer]).error();
    // Another box's log does not go on from it, nor does an epoch from the one before.
    let other = long();
    let foreign = export(&other, "foreign", &[]);
    judge(&program, &[&foreign]).ok();
    judge(&program, &[&foreign, &older]).error();
    begin_epoch(&shop);
    grow(&shop, 2000);
    let next = export(&shop, "next", &[]);
    judge(&program, &[&next]).ok();
    judge(&program, &[&next, &older]).error();
    judge(&program, &[&next.join("epochs/1"), &older]).ok();
}

#[test]
fn it_refuses_what_was_altered() {
    let shop = long();
    let program = verifier(&shop.path(""));
    let whole = export(&shop, "whole", &[]);
    let dir = shop.path("altered");
    let mut random = Random::new(8);
    for path in files(&whole) {
        let name = path.strip_prefix(&whole).expect("below");
        let bytes = fs::read(&path).expect("a file");
        let refused = |what: &str, bytes: Option<&[u8]>| {
            fs::remove_dir_all(&dir).ok();
            copy(&whole, &dir);
            match bytes {
                Some(bytes) => fs::write(dir.join(name), bytes).expect("written"),
                None => fs::remove_file(dir.join(name)).expect("removed"),
            }
            let said = judge(&program, &[&dir]);
            assert_eq!(said.code, 1, "{what} of {}: {said:?}", name.display());
            assert!(said.stderr.contains("REFUSED"), "{said:?}");
        };
        for _ in 0..5 {
            let mut changed = bytes.clone();
            random.flip(&mut changed);
            // It takes the line end off the key, whatever it is.
            if name.ends_with("key") && changed.last() != Some(&b'\n') {
                continue;
            }
            refused("a bit", Some(&changed));
        }
        refused("the end", Some(&bytes[..random.below(bytes.len() - 1)]));
        refused("it", None);
    }
}
