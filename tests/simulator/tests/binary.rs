//! The binary: `ready`, login from a file, faults by the clock, and how it ends.

mod common;

use common::{Kind, clip, probe};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// The binary with one camera, and the address it printed.
fn simulator(arguments: &[&str]) -> (Child, String) {
    let camera = format!("/till/main={}", clip(Kind::H264).display());
    let mut child = Command::new(env!("CARGO_BIN_EXE_sinetti-simulator"))
        .args(["--listen", "127.0.0.1:0", "--camera", &camera])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("piped"))
        .read_line(&mut line)
        .expect("reads");
    let address = line
        .trim()
        .strip_prefix("ready ")
        .expect("ready and an address")
        .to_owned();
    (child, address)
}

#[test]
fn ends_with_standard_input_and_with_sigterm() {
    let (mut child, _) = simulator(&["--exit-with-stdin"]);
    drop(child.stdin.take());
    assert!(child.wait().expect("ends").success());
    let (mut child, _) = simulator(&[]);
    let status = Command::new("kill")
        .arg(child.id().to_string())
        .status()
        .expect("runs");
    assert!(status.success());
    assert!(child.wait().expect("ends").success());
}

#[test]
fn asks_for_the_password_of_a_file_and_obeys_faults() {
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("password-{}", std::process::id()));
    std::fs::write(&file, "correct horse\n").expect("writes");
    let path = file.to_str().expect("UTF-8");
    let login = [
        "--exit-with-stdin",
        "--user",
        "till",
        "--password-file",
        path,
    ];
    let (mut child, address) = simulator(&login);
    let url = |password: &str, address: &str| format!("rtsp://till:{password}@{address}/till/main");
    assert!(!probe(&url("wrong", &address), "tcp").status.success());
    assert!(
        probe(&url("correct%20horse", &address), "tcp")
            .status
            .success()
    );
    drop(child.stdin.take());
    assert!(child.wait().expect("ends").success());
    let (mut child, address) =
        simulator(&[&login[..], &["--fault", "/till/main=status=DESCRIBE:453@0"]].concat());
    let refused = probe(&url("correct%20horse", &address), "tcp");
    assert!(
        String::from_utf8_lossy(&refused.stderr).contains("453"),
        "{refused:?}"
    );
    drop(child.stdin.take());
    assert!(child.wait().expect("ends").success());
    std::fs::remove_file(&file).expect("removes");
}
