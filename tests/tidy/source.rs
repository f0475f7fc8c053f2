//! Guards over Rust files: imports, lengths, attributes, sleeps. Each with a test that it finds an offence made for it.

use crate::text::{Text, code, none, one, places, word};
use crate::{CRATE_HOMES, FILE_LINES_MAX, FUNCTION_LINES_MAX, LAYERS, SLEEPERS};

pub(crate) fn imports(files: &[Text]) -> Vec<String> {
    let mut offences = Vec::new();
    for file in files {
        let Some(own) = module_of(&file.path) else {
            continue;
        };
        let Some(own_layer) = layer(own) else {
            offences.push(format!(
                "{}: module {own} is in no layer: give it one in LAYERS",
                file.path
            ));
            continue;
        };
        let code = code(&file.text);
        for (line, rest) in places(&code, "crate::") {
            let at = format!("{}:{line}", file.path);
            let other = word(rest);
            match layer(other) {
                _ if other.is_empty() => {
                    offences.push(format!("{at}: write one `use` a module instead of crate::{{…}} or crate::*"));
                }
                None => offences.push(format!("{at}: crate::{other} is in no layer: give it one in LAYERS")),
                Some(_) if other == own => {}
                Some(its) if its > own_layer => offences.push(format!(
                    "{at}: {own} (layer {own_layer}) imports {other} (layer {its}): only a lower layer may be imported; \
                     move what both need down, or hand it in from above"
                )),
                Some(its) if its == own_layer => offences.push(format!(
                    "{at}: {own} imports {other}, of the same layer {its}: modules of one layer never meet; \
                     move what both need down, or join them in daemon or cmd"
                )),
                Some(_) => {}
            }
        }
        for (line, _) in places(&code, "super::super::") {
            offences.push(format!(
                "{}:{line}: write crate::… instead of super::super::…",
                file.path
            ));
        }
    }
    offences
}

pub(crate) fn crate_homes(files: &[Text]) -> Vec<String> {
    let mut offences = Vec::new();
    for file in files.iter().filter(|file| file.path.starts_with("src/")) {
        let code = code(&file.text);
        for (name, home) in CRATE_HOMES
            .iter()
            .filter(|(_, home)| !file.path.starts_with(home))
        {
            for (line, _) in places(&code, name).filter(|(_, rest)| word(rest).is_empty()) {
                offences.push(format!("{}:{line}: only {home} may name {name}", file.path));
            }
        }
    }
    offences
}

pub(crate) fn long_files(files: &[Text]) -> Vec<String> {
    let lines = |file: &Text| file.text.lines().count();
    files
        .iter()
        .filter(|file| lines(file) > FILE_LINES_MAX)
        .map(|file| {
            format!(
                "{}: {} lines: at most {FILE_LINES_MAX}; split it",
                file.path,
                lines(file)
            )
        })
        .collect()
}

/// Like clippy's `too_many_lines`, blank lines and comments do not count; unlike it, macros and every target are seen.
pub(crate) fn long_functions(files: &[Text]) -> Vec<String> {
    let mut offences = Vec::new();
    for file in files {
        let code = code(&file.text);
        for (line, rest) in places(&code, "fn ") {
            let lines = body(rest)
                .lines()
                .filter(|line| !line.trim().is_empty())
                .count();
            if lines > FUNCTION_LINES_MAX {
                offences.push(format!(
                    "{}:{line}: {} has {lines} lines: at most {FUNCTION_LINES_MAX}; split it",
                    file.path,
                    word(rest)
                ));
            }
        }
    }
    offences
}

pub(crate) fn attributes(files: &[Text]) -> Vec<String> {
    let mut offences = Vec::new();
    for file in files {
        let code = code(&file.text);
        for name in ["[allow(", "[expect("] {
            for (line, rest) in places(&code, name) {
                if places(rest.split(']').next().unwrap_or(""), "reason")
                    .next()
                    .is_none()
                {
                    offences.push(format!(
                        "{}:{line}: #{name}…)] needs reason = \"…\"",
                        file.path
                    ));
                }
            }
        }
        for (line, rest) in places(&code, "[ignore") {
            if word(rest).is_empty() {
                offences.push(format!(
                    "{}:{line}: no test is ignored: make it quick, or put it into a script of its own",
                    file.path
                ));
            }
        }
    }
    offences
}

pub(crate) fn sleeps(files: &[Text]) -> Vec<String> {
    let mut offences = Vec::new();
    for file in files.iter().filter(|file| file.path.starts_with("tests/")) {
        if SLEEPERS.iter().any(|(path, _)| file.path.starts_with(path)) {
            continue;
        }
        let code = code(&file.text);
        for name in ["sleep", "sleep_until", "sleep_ms"] {
            for (line, rest) in places(&code, name) {
                if rest.starts_with('(') {
                    offences.push(format!(
                        "{}:{line}: no test sleeps: wait for what is to happen, with a bound (a channel's recv_timeout, \
                         a line of output, an exit), or use the simulated clock",
                        file.path
                    ));
                }
            }
        }
    }
    offences
}

pub(crate) fn heads(files: &[Text]) -> Vec<String> {
    files
        .iter()
        .filter(|file| file.path.starts_with("src/") && !file.text.starts_with("//! "))
        .map(|file| {
            format!("{}: the first line must be //! and say what belongs in this file and what does not", file.path)
        })
        .collect()
}

fn layer(module: &str) -> Option<u8> {
    LAYERS
        .iter()
        .find(|(_, modules)| modules.contains(&module))
        .map(|(layer, _)| *layer)
}

/// The module of the crate that a file belongs to; `None` for what stands above the modules.
fn module_of(path: &str) -> Option<&str> {
    let inside = path.strip_prefix("src/")?;
    let first = inside.split('/').next()?;
    let free = ["main.rs", "lib.rs", "bin"].contains(&first);
    (!free).then(|| first.strip_suffix(".rs").unwrap_or(first))
}

/// Between the braces of the function whose name `rest` begins with; empty when it has no body.
fn body(rest: &str) -> &str {
    let mut brackets = 0;
    let mut start = None;
    let mut depth = 0;
    for (at, c) in rest.char_indices() {
        match (c, start) {
            ('(' | '[', None) => brackets += 1,
            (')' | ']', None) => brackets -= 1,
            (';', None) if brackets == 0 => return "",
            ('{', _) => {
                start.get_or_insert(at + 1);
                depth += 1;
            }
            ('}', Some(start)) => {
                depth -= 1;
                if depth == 0 {
                    return &rest[start..at];
                }
            }
            _ => {}
        }
    }
    ""
}

#[test]
fn an_import_that_goes_up_or_sideways_is_found() {
    let of = |path, text| imports(&[Text::new(path, text)]);
    one(
        &of("src/media/a.rs", "use crate::catalog::Row;"),
        "src/media/a.rs:1: media (layer 1) imports catalog (layer 2)",
    );
    one(
        &of(
            "src/ingest/a.rs",
            "//! Head\n\nfn f() { crate::recorder::go() }",
        ),
        "src/ingest/a.rs:3: ingest imports recorder",
    );
    one(
        &of(
            "src/store/a.rs",
            "#[cfg(test)]\nmod tests { use crate::catalog::Row; }",
        ),
        "of the same layer 2",
    );
    one(
        &of("src/cmd/a.rs", "use crate::{base, media};"),
        "one `use` a module",
    );
    one(
        &of("src/cmd/a.rs", "use crate::stuff::A;"),
        "crate::stuff is in no layer",
    );
    one(&of("src/stuff/a.rs", ""), "module stuff is in no layer");
    one(
        &of("src/cmd/a.rs", "use super::super::base::A;"),
        "super::super",
    );
    let fine = "// crate::cmd\n/* /* crate::cmd */ */ let a = \"crate::cmd\"; r#\"crate::cmd \" \"#; 'x'; '\\''; &'a b; \
                use crate::recorder::B; use crate::store::C; other_crate::cmd";
    none(&of("src/recorder/a.rs", fine));
    none(&of("src/main.rs", "use crate::whatever;"));
}

#[test]
fn a_crate_outside_its_home_is_found() {
    let of = |path, text| crate_homes(&[Text::new(path, text)]);
    one(
        &of(
            "src/base/error.rs",
            "\nimpl From<rusqlite::Error> for Error {}",
        ),
        "src/base/error.rs:2: only src/catalog/",
    );
    one(
        &of("src/ingest/mod.rs", "use retina::client;"),
        "only src/ingest/rtsp.rs may name retina",
    );
    one(
        &of("src/evidence/mod.rs", "use ffmpeg_next as av;"),
        "only src/bin/sinetti-codec/",
    );
    none(&of("src/catalog/mod.rs", "use rusqlite::Row;"));
    none(&of("src/base/mod.rs", "// rusqlite\nlet retinal = 1;"));
}

#[test]
fn a_long_file_and_a_long_function_are_found() {
    one(
        &long_files(&[Text::new("src/a.rs", &"\n".repeat(601))]),
        "src/a.rs: 601 lines",
    );
    none(&long_files(&[Text::new("src/a.rs", &"\n".repeat(600))]));
    let of = |lines: usize| {
        let text = format!(
            "fn(); fn g(a: [u8; 2]);\nfn f() {{\n{}}}\n",
            "    { \"}\"; } // }\n\n".repeat(lines)
        );
        long_functions(&[Text::new("src/a.rs", &text)])
    };
    one(&of(71), "src/a.rs:2: f has 71 lines");
    none(&of(70));
}

#[test]
fn an_exception_without_reason_and_an_ignored_test_are_found() {
    let of = |text| attributes(&[Text::new("tests/a.rs", text)]);
    one(&of("#[allow(dead_code)]"), "tests/a.rs:1: #[allow(");
    one(
        &of("\n#![allow(\n    dead_code\n)]"),
        "tests/a.rs:2: #[allow(",
    );
    one(&of("#[expect(dead_code)] fn reason() {}"), "#[expect(");
    one(&of("#[test]\n#[ignore]\nfn f() {}"), "tests/a.rs:2");
    one(&of("#[ignore = \"slow\"]"), "no test is ignored");
    none(&of(
        "#[expect(dead_code, reason = \"a [b]\")] // #[ignore]\n let a = [ignored];",
    ));
}

#[test]
fn a_sleep_in_a_test_is_found() {
    let of = |path, text| sleeps(&[Text::new(path, text)]);
    one(
        &of("tests/a.rs", "std::thread::sleep(SECOND);"),
        "tests/a.rs:1: no test sleeps",
    );
    one(
        &of(
            "tests/support/a.rs",
            "tokio::time::sleep_until(then).await;",
        ),
        "no test sleeps",
    );
    none(&of("tests/simulator/src/a.rs", "sleep(PACE).await;"));
    none(&of("tests/a.rs", "let asleep = true; // sleep(1)"));
}

#[test]
fn a_source_file_without_a_head_is_found() {
    one(
        &heads(&[Text::new("src/a.rs", "use std::fs;")]),
        "src/a.rs: the first line",
    );
    none(&heads(&[
        Text::new("src/a.rs", "//! Head."),
        Text::new("tests/a.rs", "use std::fs;"),
    ]));
}
