//! The tree as texts, and code without its comments and strings. What a guard looks for does not belong here.

use std::fs;
use std::path::{Path, PathBuf};

/// A text file of the tree.
pub(crate) struct Text {
    /// From the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Text {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }
}

pub(crate) fn root() -> PathBuf {
    // Compiled alone it is run from the root.
    option_env!("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from("."), PathBuf::from)
}

/// The readable files below these folders, or these files, by path.
pub(crate) fn texts(below: &[&str]) -> Vec<Text> {
    let mut found = Vec::new();
    for top in below {
        walk(&root(), Path::new(top), &mut found);
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn walk(root: &Path, path: &Path, found: &mut Vec<Text>) {
    let full = root.join(path);
    if full.is_dir() {
        let skipped = ["node_modules", "target", "dist"];
        if path
            .file_name()
            .is_some_and(|name| skipped.iter().any(|s| name == *s))
        {
            return;
        }
        for entry in fs::read_dir(&full).expect("a folder of the tree").flatten() {
            walk(root, &path.join(entry.file_name()), found);
        }
    } else if let Ok(text) = fs::read_to_string(&full) {
        found.push(Text {
            path: path.to_string_lossy().into_owned(),
            text,
        });
    }
}

pub(crate) fn rust() -> Vec<Text> {
    let mut files = texts(&["src", "tests", "benches"]);
    files.retain(Text::is_rust);
    assert!(files.len() > 10, "the tree was not found");
    files
}

pub(crate) fn pages() -> Vec<Text> {
    let mut pages = texts(&["README.md", "docs"]);
    pages.retain(|page| page.path.ends_with(".md"));
    pages
}

/// The code with comments and the insides of strings blanked, line for line.
pub(crate) fn code(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = past_blank(&chars, at);
        if end == at {
            out.push(chars[at]);
            at += 1;
        } else {
            out.extend(
                chars[at..end]
                    .iter()
                    .map(|c| if *c == '\n' { '\n' } else { ' ' }),
            );
            at = end;
        }
    }
    out
}

/// Where the comment, string or character that begins at `at` ends; `at` when none does.
fn past_blank(chars: &[char], at: usize) -> usize {
    let find = |from: usize, wanted: &[char]| {
        (from..chars.len())
            .find(|i| chars[*i..].starts_with(wanted))
            .unwrap_or(chars.len())
    };
    let in_word = at > 0 && is_word(chars[at - 1]);
    match chars[at] {
        '/' if chars.get(at + 1) == Some(&'/') => find(at, &['\n']),
        '/' if chars.get(at + 1) == Some(&'*') => past_block_comment(chars, at),
        '"' => past_string(chars, at + 1),
        'r' if !in_word || (at > 0 && matches!(chars[at - 1], 'b' | 'c')) => {
            let hashes = chars[at + 1..].iter().take_while(|c| **c == '#').count();
            if chars.get(at + 1 + hashes) != Some(&'"') {
                return at;
            }
            let mut close = vec!['"'];
            close.extend(vec!['#'; hashes]);
            (find(at + 2 + hashes, &close) + close.len()).min(chars.len())
        }
        '\'' if chars.get(at + 1) == Some(&'\\') => (find(at + 3, &['\'']) + 1).min(chars.len()),
        // Otherwise it is a lifetime.
        '\'' if chars.get(at + 2) == Some(&'\'') => at + 3,
        _ => at,
    }
}

fn past_block_comment(chars: &[char], mut at: usize) -> usize {
    let mut depth = 0;
    while at < chars.len() {
        if chars[at..].starts_with(&['/', '*']) {
            depth += 1;
            at += 2;
        } else if chars[at..].starts_with(&['*', '/']) {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    at
}

fn past_string(chars: &[char], mut at: usize) -> usize {
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(chars.len())
}

pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// What follows each place where `wanted` stands and is not the end of a longer word: line number and rest of the text.
pub(crate) fn places<'a>(code: &'a str, wanted: &'a str) -> impl Iterator<Item = (usize, &'a str)> {
    code.match_indices(wanted).filter_map(move |(at, _)| {
        let free = !code[..at].chars().next_back().is_some_and(is_word);
        free.then(|| {
            (
                1 + code[..at].matches('\n').count(),
                &code[at + wanted.len()..],
            )
        })
    })
}

pub(crate) fn word(rest: &str) -> &str {
    rest.split(|c| !is_word(c)).next().unwrap_or("")
}

#[track_caller]
pub(crate) fn none(offences: &[String]) {
    assert!(offences.is_empty(), "\n{}\n", offences.join("\n"));
}

/// Each offence must be found, and be the only one.
#[track_caller]
pub(crate) fn one(offences: &[String], said: &str) {
    assert!(
        offences.len() == 1 && offences[0].contains(said),
        "{said:?} in {offences:#?}"
    );
}
