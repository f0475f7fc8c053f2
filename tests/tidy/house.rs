//! Guards over everything but Rust files: dependencies, the top level, documents, scripts. Each with a test that it finds
//! an offence made for it.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use crate::text::{Text, is_word, none, one};
use crate::{LITTER, MEMBERS, PACKAGES_MAX, TOP_LEVEL};

pub(crate) fn lock(lock: &str) -> Vec<String> {
    let mut offences = Vec::new();
    let packages: Vec<_> = lock.split("[[package]]").skip(1).collect();
    if packages.len() > PACKAGES_MAX {
        offences.push(format!(
            "Cargo.lock: {} packages: at most {PACKAGES_MAX}; raise PACKAGES_MAX with the reason, or do without",
            packages.len()
        ));
    }
    for package in packages {
        let value = |key: &str| {
            let line = package.lines().find_map(|line| line.strip_prefix(key));
            line.map(|text| text.trim_matches(|c| c == ' ' || c == '=' || c == '"'))
        };
        let name = value("name").unwrap_or("?");
        match value("source") {
            Some(source) if !source.starts_with("registry+") => {
                offences.push(format!(
                    "Cargo.lock: {name} comes from {source}: only released packages are used"
                ));
            }
            Some(_) if value("checksum").is_none() => {
                offences.push(format!("Cargo.lock: {name} has no checksum"));
            }
            None if !MEMBERS.contains(&name) => {
                offences.push(format!(
                    "Cargo.lock: {name} is a path that is no member of this workspace"
                ));
            }
            _ => {}
        }
    }
    offences
}

pub(crate) fn top_level<'a>(
    entries: impl IntoIterator<Item = &'a str>,
    gitignore: &str,
) -> Vec<String> {
    let ignored: Vec<_> = gitignore
        .lines()
        .filter_map(|line| line.strip_prefix('/'))
        .collect();
    let litter =
        |name: &str| LITTER.contains(&name) || (name.starts_with('.') && name.ends_with(".swp"));
    let fine = |name: &str| TOP_LEVEL.contains(&name) || ignored.contains(&name) || litter(name);
    let mut offences = Vec::new();
    for name in entries {
        if !fine(name) {
            offences.push(format!("{name}: does not belong at the top; see TOP_LEVEL"));
        }
    }
    offences
}

/// Relative links, and paths of the tree in `code type`, must lead somewhere.
pub(crate) fn links(pages: &[Text], exists: impl Fn(&Path) -> bool) -> Vec<String> {
    let mut offences = Vec::new();
    for page in pages {
        let folder = Path::new(&page.path).parent().unwrap_or(Path::new(""));
        for (number, line) in page.text.lines().enumerate() {
            let linked = line
                .split("](")
                .skip(1)
                .filter_map(|rest| rest.split(')').next());
            let linked = linked
                .map(|link| link.split('#').next().unwrap_or(""))
                .filter(|link| !link.is_empty() && !link.contains(':'))
                .map(|link| folder.join(link));
            let named = line
                .split('`')
                .skip(1)
                .step_by(2)
                .filter(|text| is_path(text))
                .map(PathBuf::from);
            for path in linked.chain(named) {
                if !normal(&path).is_some_and(|path| exists(&path)) {
                    offences.push(format!(
                        "{}:{}: {} is not there: mend the link, or the place it leads to",
                        page.path,
                        number + 1,
                        path.display()
                    ));
                }
            }
        }
    }
    offences
}

/// Every cause of a gap, as the catalog writes it, must be explained to whoever reads it on the screen.
pub(crate) fn causes(gap_rs: &str, operating: &str) -> Vec<String> {
    let block = gap_rs
        .split("causes! {")
        .nth(1)
        .unwrap_or("")
        .split("\n}")
        .next()
        .unwrap_or("");
    let texts: BTreeSet<_> = block
        .lines()
        .filter_map(|line| line.split('"').nth(1))
        .collect();
    let mut offences = Vec::new();
    if texts.is_empty() {
        offences
            .push("src/catalog/gap.rs: no causes found: has the macro been renamed?".to_owned());
    }
    for text in texts {
        if !operating.contains(&format!("`{text}`")) {
            offences.push(format!(
                "docs/operating.md: does not explain the gap `{text}`"
            ));
        }
    }
    offences
}

/// The table of alarms says of each kind what the program says, and of no other.
pub(crate) fn alarms(alarm_rs: &str, operating: &str) -> Vec<String> {
    let block = alarm_rs
        .split("kinds! {")
        .nth(1)
        .and_then(|rest| rest.split("\n}").next())
        .unwrap_or("");
    let code: String = block
        .lines()
        .filter(|line| !line.trim_start().starts_with("///"))
        .collect();
    let texts: Vec<_> = code.split('"').skip(1).step_by(2).collect();
    let wanted: BTreeSet<_> = texts
        .chunks_exact(3)
        .map(|texts| format!("| `{}` | {} | {} |", texts[0], texts[1], texts[2]))
        .collect();
    let section = operating
        .split("\n## Alarms")
        .nth(1)
        .and_then(|rest| rest.split("\n## ").next())
        .unwrap_or("");
    let found: BTreeSet<_> = section
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(str::to_owned)
        .collect();
    let mut offences = Vec::new();
    if wanted.is_empty() {
        offences
            .push("src/catalog/alarm.rs: no alarms found: has the macro been renamed?".to_owned());
    }
    for line in wanted.difference(&found) {
        offences.push(format!(
            "docs/operating.md: the table of alarms lacks: {line}"
        ));
    }
    for line in found.difference(&wanted) {
        offences.push(format!(
            "docs/operating.md: src/catalog/alarm.rs does not say: {line}"
        ));
    }
    offences
}

/// Scripts stop at the first error.
pub(crate) fn scripts(files: &[Text], is_executable: impl Fn(&str) -> bool) -> Vec<String> {
    let mut offences = Vec::new();
    for file in files {
        if !file.text.starts_with("#!") {
            offences.push(format!("{}: the first line must be #!", file.path));
        } else if !is_executable(&file.path) {
            offences.push(format!("{}: is not executable", file.path));
        }
        let shell = file
            .text
            .lines()
            .next()
            .is_some_and(|line| line.ends_with("sh"));
        if shell && !file.text.contains("\nset -euo pipefail\n") {
            offences.push(format!("{}: must set -euo pipefail", file.path));
        }
    }
    offences
}

/// True for `src/media/leaf.rs` and the like, false for commands and patterns.
fn is_path(text: &str) -> bool {
    let tops = [
        "src/", "tests/", "docs/", "scripts/", "config/", "benches/", ".ci/",
    ];
    tops.iter().any(|top| text.starts_with(top))
        && text.chars().all(|c| is_word(c) || "./-".contains(c))
}

/// Without `.` and `..`; `None` when it leads out of the tree.
fn normal(path: &Path) -> Option<PathBuf> {
    let mut out = PathBuf::new();
    for part in path.components() {
        if let Component::Normal(name) = part {
            out.push(name);
        } else if part == Component::ParentDir && !out.pop() {
            return None;
        }
    }
    Some(out)
}

#[test]
fn a_dependency_from_elsewhere_and_too_many_of_them_are_found() {
    let package = |name: &str, more: &str| {
        format!("[[package]]\nname = \"{name}\"\nversion = \"1.0.0\"\n{more}\n")
    };
    one(
        &lock(&package("a", "source = \"git+https://x/a#1\"")),
        "a comes from git+https",
    );
    one(
        &lock(&package("a", "source = \"registry+https://x\"")),
        "a has no checksum",
    );
    one(&lock(&package("a", "")), "a is a path");
    none(&lock(&package("sinetti", "")));
    let good = package("a", "source = \"registry+https://x\"\nchecksum = \"00\"");
    none(&lock(&good));
    one(&lock(&good.repeat(PACKAGES_MAX + 1)), "packages: at most");
}

#[test]
fn a_stranger_at_the_top_is_found() {
    let ignored = "/target\n/web/dist\n";
    one(
        &top_level(["src", "target", "notes.txt", ".README.md.swp"], ignored),
        "notes.txt",
    );
    one(&top_level([".config"], ignored), ".config");
}

#[test]
fn a_broken_link_is_found() {
    let of = |text| {
        let there = |path: &Path| path == Path::new("docs/a.md") || path == Path::new("src/lib.rs");
        links(&[Text::new("docs/decisions/b.md", text)], there)
    };
    one(
        &of("x\n[a](../c.md#d)"),
        "docs/decisions/b.md:2: docs/decisions/../c.md",
    );
    one(&of("`src/gone.rs`"), "src/gone.rs is not there");
    one(&of("[a](../../../etc)"), "is not there");
    none(&of(
        "[a](../a.md#x) [b](https://example.org) [c](#d) `src/lib.rs` `src/*.rs` `scripts/test --x`",
    ));
}

#[test]
fn an_unexplained_cause_is_found() {
    let rs = "causes! {\n    /// Doc.\n    A = \"a-b\",\n    C = \"c\",\n}\n";
    one(&causes(rs, "`c`"), "`a-b`");
    one(&causes("", ""), "no causes found");
    let rs =
        "kinds! {\n    /// A \"word\".\n    A = \"a\": \"effect; more\",\n        \"remedy\";\n}";
    let table = "\n## Alarms\n| `a` | effect; more | remedy |\n";
    none(&alarms(rs, table));
    one(&alarms(rs, "\n## Alarms\n"), "lacks");
    one(
        &alarms(rs, &format!("{table}| `b` | x | y |\n")),
        "does not say",
    );
    one(&alarms("", ""), "no alarms found");
}

#[test]
fn a_careless_script_is_found() {
    let of = |text, executable| scripts(&[Text::new("scripts/a", text)], |_| executable);
    one(&of("#!/bin/sh\nmake\n", true), "pipefail");
    one(&of("#!/usr/bin/env python3\n", false), "executable");
    one(&of("make\n", true), "#!");
    none(&of("#!/usr/bin/env bash\nset -euo pipefail\n", true));
}
