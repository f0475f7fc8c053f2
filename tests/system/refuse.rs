//! What cannot be right is refused in words that help, and nothing is changed.

use crate::eyes::{tree, wait};
use crate::support::{Factor, PASSPHRASE, PURPOSE, Ran, TestBox, camera, now, ran, server};
use sinetti::catalog::GapCause;
use sinetti::recorder::board::Phase;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A camera where nothing answers: nothing here gets so far as to connect.
const NOWHERE: &str = "127.0.0.1:1";

/// A box with one camera in its configuration.
fn shop() -> TestBox {
    let shop = TestBox::new();
    shop.add_camera("till", NOWHERE.parse().expect("an address"), &[]);
    // What every command leaves: the lock file.
    shop.run(&["ls"]).ok();
    shop
}

/// Runs a command that must fail with all these words, and change nothing in the box's folder.
#[track_caller]
fn refused(shop: &TestBox, args: &[&str], words: &[&str]) {
    unchanged(shop, words, |shop| shop.run(args));
}

#[track_caller]
fn unchanged(shop: &TestBox, words: &[&str], run: impl FnOnce(&TestBox) -> Ran) {
    let before = all_of(shop);
    let ran = run(shop);
    let told = ran.error();
    for word in words {
        assert!(told.contains(word), "{word:?} is not said: {told}");
    }
    assert!(!told.contains("panicked"), "{told}");
    assert_eq!(all_of(shop), before, "something was changed: {told}");
}

/// Everything in the box's folder but SQLite's index of its log and the log when it is empty: they come and go with
/// those who look.
fn all_of(shop: &TestBox) -> BTreeMap<PathBuf, String> {
    let mut all = tree(&shop.path(""));
    let (index, log) = (
        shop.dir.join("catalog.db-shm"),
        shop.dir.join("catalog.db-wal"),
    );
    all.remove(&index);
    if fs::metadata(&log).is_ok_and(|meta| meta.len() == 0) {
        all.remove(&log);
    }
    all
}

/// `sinetti run` with a changed configuration must be refused.
#[track_caller]
fn config_refused(change: impl FnOnce(String) -> String, words: &[&str]) {
    let shop = shop();
    shop.edit_config(change);
    refused(&shop, &["run"], words);
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("sets the mode");
}

#[test]
fn a_configuration_that_cannot_be_right_starts_nothing() {
    let public = |text: String| text.replace(NOWHERE, "8.8.8.8");
    config_refused(public, &["sinetti.toml:", "8.8.8.8", "public"]);
    let unknown = |text: String| text.replace("address =", "adress =");
    config_refused(
        unknown,
        &["sinetti.toml:", "adress", "did you mean address"],
    );
    let twice = |text: String| {
        let camera = text[text.find("[[camera]]").expect("a camera")..].to_owned();
        text + "\n" + &camera
    };
    config_refused(twice, &["sinetti.toml:", "till"]);
    let both = |text: String| text.replace(NOWHERE, "8.8.8.8").replace("area =", "aera =");
    config_refused(both, &["public", "did you mean area"]);
    config_refused(|_| "[site".to_owned(), &["sinetti.toml:1"]);
}

#[test]
fn a_secret_that_others_may_read_or_that_is_not_there_is_refused() {
    let shop = shop();
    let login = shop.secret("login", "viewer\nsalasana\n");
    let login_text = login.to_string_lossy().into_owned();
    let add = |credentials: &str| {
        let credentials = credentials.to_owned();
        move |shop: &TestBox| {
            shop.run(&[
                "camera",
                "add",
                "ovi",
                "--name",
                "Ovi",
                "--area",
                "Kassat",
                "--address",
                NOWHERE,
                "--main",
                "/ovi",
                "--purpose",
                "misuse",
                "--credentials",
                &credentials,
            ])
        }
    };
    set_mode(&login, 0o644);
    unchanged(&shop, &[&login_text, "0644", "chmod 600"], add(&login_text));
    unchanged(
        &shop,
        &["credentials", "no such file"],
        add("/no-such-file"),
    );
    // The same for a configuration that names it already.
    set_mode(&login, 0o600);
    add(&login_text)(&shop).ok();
    set_mode(&login, 0o640);
    refused(&shop, &["run"], &[&login_text, "0640", "chmod 600"]);
    fs::remove_file(&login).expect("removes");
    refused(
        &shop,
        &["run"],
        &["sinetti.toml:", "credentials", "no such file"],
    );
}

#[test]
fn init_takes_no_folder_that_holds_anything_and_not_one_person_for_both() {
    let shop = shop();
    let at = |name: &str| shop.path(name).to_string_lossy().into_owned();
    let init = |dir: &str, volume: &str, more: &[&str]| {
        let (dir, volume) = (at(dir), at(volume));
        let mut args = vec!["--dir", &dir, "init", "--volume", &volume];
        let (shares, tokens) = (at("new-shares"), at("new-tokens"));
        args.extend(["--shares-dir", &shares, "--tokens-dir", &tokens]);
        args.extend(more);
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_sinetti"));
        ran(command.env_remove("SINETTI_DIR").args(&args))
    };
    unchanged(&shop, &["is a state folder already"], |_| {
        init("state", "new", &[])
    });
    unchanged(&shop, &["footage", "not empty"], |_| {
        init("new", "footage", &[])
    });
    unchanged(&shop, &["footage", "not empty"], |_| {
        init("footage", "new", &[])
    });
    for (more, words) in [
        (&["--admin", "anna", "--controller", "anna"], "two persons"),
        (&["--admin", "anna b", "--controller", "bo"], "user name"),
    ] {
        unchanged(&shop, &[words], |_| init("new", "new-footage", more));
    }
    assert!(!shop.path("new").exists() && !shop.path("new-shares").exists());
    assert!(!shop.path("new-tokens").exists());
}

#[test]
fn nobody_enrols_with_a_weak_or_open_passphrase_or_a_wrong_token() {
    let shop = shop();
    let token = shop.path("tokens/admin1.token");
    let factor = Factor::at(&shop.path(""), "admin1");
    let short = shop.secret("short", "lyhyt\n");
    unchanged(&shop, &["passphrase"], |_| {
        shop.enrol(&token, &short, &factor)
    });
    let open = shop.secret("open", PASSPHRASE);
    set_mode(&open, 0o644);
    unchanged(&shop, &["0644", "chmod 600"], |_| {
        shop.enrol(&token, &open, &factor)
    });
    let used = shop.path("tokens/controller1.token");
    unchanged(&shop, &["was used"], |_| {
        shop.enrol(&used, &shop.passphrase, &factor)
    });
    let none = shop.secret("none", "ABCD-EFGH\n");
    unchanged(&shop, &["eight groups"], |_| {
        shop.enrol(&none, &shop.passphrase, &factor)
    });
    assert!(!factor.uri.exists() && !factor.codes.exists());
}

#[test]
fn export_says_what_it_does_not_know_and_who_may_not() {
    let (mut shop, server) = (shop(), server());
    server.add("/ovi/main", camera("door.264"));
    shop.add_camera("ovi", server.address(), &[]);
    let started = now();
    shop.start();
    shop.wait_for_pictures(&["ovi/main"], 30);
    let folder = shop.dir.display().to_string();
    unchanged_running(&mut shop, &["another sinetti uses", &folder], &["run"]);
    shop.stop();
    let (from, to) = (started.rfc3339(), now().rfc3339());
    let approval = shop.approval();
    let code = shop.secret("code", &shop.factor.code());
    let wrong = shop.secret("wrong", "kahdeksan kuivaa haukea rannalla\n");
    let export = |camera: &str, passphrase: &Path, more: &[&str], words: &[&str]| {
        unchanged(&shop, words, |shop| {
            let mut export = shop.command(&["export", "--camera", camera]);
            export.args(["--from", &from, "--to", &to]).args(more);
            export.arg("-o").arg(shop.path("clip.mp4"));
            export.args(&approval).arg("--code-file").arg(&code);
            export.arg("--passphrase-file").arg(passphrase);
            ran(&mut export)
        });
    };
    let (right, only) = (&shop.passphrase, ["--purpose", PURPOSE]);
    let with = |name| [&only[..], &["--person", name]].concat();
    let purpose = with("controller1");
    export("ovi", &wrong, &purpose, &["passphrase or code is wrong"]);
    export("takaovi", right, &purpose, &["takaovi"]);
    export("ovi", right, &with("nobody1"), &["nobody1"]);
    export("ovi", right, &with("admin1"), &["has not enrolled"]);
    export("ovi", right, &[], &["--purpose", PURPOSE]);
    export("ovi", right, &only, &["say which with --person"]);
    export(
        "ovi",
        right,
        &["--purpose", "misuse"],
        &["is not there for misuse"],
    );
    std::fs::write(&code, "000000").expect("writes");
    export("ovi", right, &purpose, &["passphrase or code is wrong"]);
    refused(&shop, &["ls", "--camera", "takaovi"], &["takaovi"]);
    set_mode(right, 0o604);
    export("ovi", right, &purpose, &["0604", "chmod 600"]);
}

#[test]
fn no_camera_is_added_twice_or_connected_to_outside() {
    let shop = shop();
    let add = |id: &str, address: &str, words: &[&str]| {
        let given = ["camera", "add", id, "--name", "Toinen", "--area", "Kassat"];
        let rest = ["--address", address, "--main", "/x", "--purpose", "misuse"];
        refused(&shop, &[&given[..], &rest].concat(), words);
    };
    add("till", NOWHERE, &["till"]);
    add("katu", "8.8.8.8", &["8.8.8.8", "public"]);
    let probe = ["camera", "probe", "--address", "8.8.8.8", "--path", "/x"];
    refused(&shop, &probe, &["8.8.8.8", "public"]);
}

/// The recorder that runs goes on; the state folder's own files change meanwhile.
#[track_caller]
fn unchanged_running(shop: &mut TestBox, words: &[&str], args: &[&str]) {
    let process = shop.status().process;
    let told = shop.run(args).error();
    for word in words {
        assert!(told.contains(word), "{word:?} is not said: {told}");
    }
    assert_eq!(shop.status().process, process);
}

/// Commands that open the state folder.
const COMMANDS: [&[&str]; 5] = [
    &["run"],
    &["status"],
    &["ls"],
    &["check"],
    &["check", "--deep", "--json"],
];

#[test]
fn a_newer_state_folder_or_another_boxs_catalog_is_not_touched() {
    let (one, other) = (shop(), shop());
    let catalog = one.dir.join("catalog.db");
    let kept = fs::read(&catalog).expect("reads");
    fs::copy(other.dir.join("catalog.db"), &catalog).expect("copies");
    for args in COMMANDS {
        refused(&one, args, &["belongs to box"]);
    }
    fs::write(&catalog, &kept).expect("writes");
    let newer = std::process::Command::new("sqlite3")
        .arg(&catalog)
        .arg("pragma user_version = 99")
        .status();
    assert!(newer.expect("sqlite3 runs").success());
    for args in COMMANDS {
        refused(&one, args, &["newer version"]);
    }
    fs::write(&catalog, &kept).expect("writes");
    one.run(&["ls"]).ok();
    let path = one.dir.join("box.json");
    let text = fs::read_to_string(&path).expect("reads");
    fs::write(&path, text.replace("\"format\": 1", "\"format\": 2")).expect("writes");
    for args in COMMANDS {
        refused(&one, args, &["format 2", "newer version"]);
    }
    fs::write(&path, text).expect("writes");
    set_mode(&one.dir, 0o755);
    refused(&one, &["run"], &["0755", "chmod 700"]);
}

#[test]
fn another_boxs_volume_and_an_empty_mount_are_never_recorded_into() {
    let (mut shop, other, server) = (TestBox::new(), TestBox::new(), server());
    server.add("/till/main", camera("till.264"));
    shop.add_camera("till", server.address(), &[]);
    let here = shop.volume.clone();
    let away = shop.path("footage-away");
    fs::rename(&here, &away).expect("unmounts");
    // An empty folder stands where the disk was.
    fs::create_dir(&here).expect("a folder");
    let log = not_recorded(&mut shop, "is the disk mounted?");
    assert_eq!(tree(&here).len(), 0, "{log}");
    // Another box's disk does.
    fs::remove_dir(&here).expect("removes");
    let copied = std::process::Command::new("cp")
        .arg("-a")
        .arg(&other.volume)
        .arg(&here)
        .status();
    assert!(copied.expect("cp runs").success());
    let before = tree(&here);
    let log = not_recorded(&mut shop, "it belongs to box");
    assert_eq!(tree(&here), before, "{log}");
    // The right one comes while the recorder runs.
    shop.start();
    fs::remove_dir_all(&here).expect("removes");
    fs::rename(&away, &here).expect("mounts");
    shop.wait_for_pictures(&["till/main"], 30);
    shop.stop();
    shop.check(true);
    let coverage = shop.ls("till/main").footage.coverage;
    let causes: Vec<_> = shop
        .catalog()
        .gaps(
            &"till/main".parse().expect("a stream"),
            sinetti::base::time::Span {
                start: sinetti::base::time::Wall(0),
                end: coverage.recorded[0].start,
            },
            now(),
        )
        .expect("gaps")
        .iter()
        .map(|gap| gap.cause)
        .collect();
    assert_eq!(causes.first(), Some(&GapCause::VolumeMissing), "{causes:?}");
    assert_eq!(causes.last(), Some(&GapCause::VolumeMissing), "{causes:?}");
}

/// The recorder runs, says why its volume is not used, and records nothing; its log.
fn not_recorded(shop: &mut TestBox, why: &str) -> String {
    shop.start();
    wait(shop, "it is said", |shop| shop.log().contains(why));
    let status = shop.run(&["status"]);
    assert_eq!(status.code, 1, "{status:?}");
    let line = shop.line("till/main");
    assert_eq!((line.phase, line.units), (Phase::Trouble, 0));
    shop.stop().1
}
