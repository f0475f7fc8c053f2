//! The house rules that no compiler knows: who may import whom, how long a file may be, what lies where.
//!
//! The rules are the constants below. A guard is a function from texts to offences, in `source` and `house`; here each is run
//! over this tree, there over an offence made for it. Nothing but the standard library is used.

use std::fs;

#[path = "tidy/house.rs"]
mod house;
#[path = "tidy/source.rs"]
mod source;
#[path = "tidy/text.rs"]
mod text;

use house::{alarms, causes, links, lock, scripts, top_level};
use source::{attributes, crate_homes, heads, imports, long_files, long_functions, sleeps};
use text::{none, pages, root, rust, texts};

/// A module imports only from a lower layer; modules of one layer never meet. `main.rs` and `lib.rs` are free.
const LAYERS: &[(u8, &[&str])] = &[
    (0, &["base"]),
    (1, &["media", "ledger", "config", "document", "vault"]),
    (2, &["catalog", "decode", "store"]),
    (
        3,
        &[
            "ingest",
            "recorder",
            "retention",
            "evidence",
            "access",
            "alarm",
            "backup",
            "doctor",
        ],
    ),
    (4, &["footage"]),
    (5, &["disclosure"]),
    (6, &["http"]),
    (7, &["daemon"]),
    (8, &["cmd"]),
];
/// Crates that one place alone may name, so that what they do can be read, changed and replaced there.
const CRATE_HOMES: &[(&str, &str)] = &[
    ("rusqlite", "src/catalog/"),
    ("retina", "src/ingest/rtsp.rs"),
    ("krilla", "src/document/"),
    ("ffmpeg_next", "src/bin/sinetti-codec/"),
    ("ffmpeg_sys_next", "src/bin/sinetti-codec/"),
];
/// Code under `tests/` that may sleep, and why.
const SLEEPERS: &[(&str, &str)] = &[(
    "tests/simulator/src/",
    "it is a camera: it sends each packet when its time has come",
)];
/// Everything that may lie at the top, besides what `.gitignore` names.
const TOP_LEVEL: &[&str] = &[
    ".cargo",
    ".ci",
    ".git",
    ".gitignore",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "benches",
    "build.rs",
    "config",
    "docs",
    "scripts",
    "src",
    "tests",
    "web",
];
/// What editors and file managers leave behind.
const LITTER: &[&str] = &[".DS_Store", ".idea", ".vscode", ".zed"];
const FILE_LINES_MAX: usize = 600;
const FUNCTION_LINES_MAX: usize = 70;
/// Raise it in the commit that adds a dependency, with the reason.
const PACKAGES_MAX: usize = 455; // 445 before sinetti-codec (ffmpeg-next, landlock, seccompiler) and png
/// Packages of this workspace.
const MEMBERS: &[&str] = &["sinetti", "sinetti-simulator"];

#[test]
fn modules_import_only_from_lower_layers() {
    none(&imports(&rust()));
}

#[test]
fn some_crates_are_named_in_one_place_only() {
    none(&crate_homes(&rust()));
}

#[test]
fn files_and_functions_are_short() {
    let files = rust();
    none(&long_files(&files));
    none(&long_functions(&files));
}

#[test]
fn exceptions_have_reasons_and_no_test_is_ignored() {
    none(&attributes(&rust()));
}

#[test]
fn tests_do_not_sleep() {
    none(&sleeps(&rust()));
}

#[test]
fn every_source_file_says_what_belongs_in_it() {
    none(&heads(&rust()));
}

#[test]
fn dependencies_are_released_and_few() {
    none(&lock(
        &fs::read_to_string(root().join("Cargo.lock")).expect("Cargo.lock"),
    ));
}

#[test]
fn the_top_level_is_clear() {
    let entries: Vec<_> = fs::read_dir(root())
        .expect("the root")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    let gitignore = fs::read_to_string(root().join(".gitignore")).expect(".gitignore");
    none(&top_level(entries.iter().map(String::as_str), &gitignore));
}

#[test]
fn documents_lead_to_what_is_there() {
    none(&links(&pages(), |path| root().join(path).exists()));
}

#[test]
fn every_cause_of_a_gap_is_explained() {
    let read = |path: &str| {
        fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
    };
    none(&causes(
        &read("src/catalog/gap.rs"),
        &read("docs/operating.md"),
    ));
}

#[test]
fn every_alarm_is_explained_as_the_program_explains_it() {
    let read = |path: &str| {
        fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
    };
    none(&alarms(
        &read("src/catalog/alarm.rs"),
        &read("docs/operating.md"),
    ));
}

#[test]
fn scripts_stop_at_errors() {
    none(&scripts(&texts(&["scripts", ".ci"]), is_executable));
}

fn is_executable(path: &str) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(root().join(path)).is_ok_and(|data| data.permissions().mode() & 0o111 != 0)
}
