//! File systems of a test's own, in a mount namespace of its own: the test runs itself again in one.

use std::path::Path;
use std::process::Command;

/// Set inside the namespace.
const INSIDE: &str = "SINETTI_TEST_OWN_MOUNTS";

/// Runs the test `name` (with its module) again in a mount namespace of its own, unless this is in it already. What is
/// mounted there goes with it.
pub(crate) fn with_own_mounts(name: &str, test: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some() {
        return test();
    }
    let program = std::env::current_exe().expect("this program");
    let output = Command::new("unshare")
        .args(["--mount", "--propagation", "private", "--"])
        .arg(program)
        .args([name, "--exact", "--nocapture"])
        .env(INSIDE, "1")
        .output()
        .expect("unshare (package util-linux) runs");
    let told = format!(
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        output.status.success(),
        "this test mounts file systems of its own and must run as root, with CAP_SYS_ADMIN:\n{told}"
    );
    assert!(told.contains("1 passed"), "it did not run:\n{told}");
}

/// Runs a program that must succeed.
#[track_caller]
pub(crate) fn must(program: &str, args: &[&str], at: &Path) {
    let done = Command::new(program).args(args).arg(at).status();
    let done = done.unwrap_or_else(|e| panic!("{program}: {e}"));
    assert!(done.success(), "{program} {args:?} {}", at.display());
}
