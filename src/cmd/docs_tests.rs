//! Every command that README and docs give is one that there is, with those options.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{CommandFactory, Parser};

use super::Args;

fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = fs::read_dir(root.join("docs")).expect("docs");
    let mut pages: Vec<_> = docs.flatten().map(|entry| entry.path()).collect();
    pages.push(root.join("README.md"));
    pages.retain(|path| path.extension().is_some_and(|end| end == "md"));
    pages.sort();
    pages
}

/// The commands of the `console` blocks of a page, a line each; what a line's end continues is put together.
fn commands(page: &str) -> Vec<String> {
    let (mut found, mut is_console) = (Vec::new(), false);
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            is_console = language == "console";
            continue;
        }
        let Some(command) = line.strip_prefix("$ ").filter(|_| is_console) else {
            continue;
        };
        let mut whole = command.to_owned();
        while let Some(begun) = whole.strip_suffix('\\') {
            whole = format!("{begun} {}", lines.next().unwrap_or_default().trim());
        }
        let told = whole.split("  #").next().unwrap_or_default();
        found.extend(told.split("; ").map(|one| one.trim().to_owned()));
    }
    found.retain(|command| command.starts_with("sinetti "));
    found
}

/// Words as a shell takes them apart, as far as these pages need it.
fn words(command: &str) -> Vec<String> {
    let (mut words, mut word, mut quote, mut is_word) = (Vec::new(), String::new(), None, false);
    for c in command.chars() {
        match (c, quote) {
            ('"' | '\'', None) => (quote, is_word) = (Some(c), true),
            (c, Some(open)) if c == open => quote = None,
            (' ', None) => {
                if is_word {
                    words.push(std::mem::take(&mut word));
                }
                is_word = false;
            }
            (c, _) => {
                word.push(c);
                is_word = true;
            }
        }
    }
    if is_word {
        words.push(word);
    }
    words
}

/// Without and with what stands in brackets.
fn variants(command: &str) -> [String; 2] {
    let mut depth = 0_usize;
    let without = command.chars().filter(|c| {
        depth += usize::from(*c == '[');
        let is_outside = depth == 0;
        depth -= usize::from(*c == ']' && depth > 0);
        is_outside
    });
    [without.collect(), command.replace(['[', ']'], "")]
}

#[test]
fn commands_of_the_pages_are_understood() {
    let mut count = 0;
    for path in pages() {
        let page = fs::read_to_string(&path).expect("a page");
        for command in commands(&page) {
            for variant in variants(&command) {
                let parsed = Args::try_parse_from(words(&variant));
                let text = parsed.err().map(|e| e.to_string()).unwrap_or_default();
                assert!(text.is_empty(), "{}: {variant}\n{text}", path.display());
                count += 1;
            }
        }
    }
    assert!(count > 100, "{count}");
}

/// `sinetti hold place` in running text, too, names subcommands that there are. Elsewhere such text is also what is hashed or signed.
#[test]
fn commands_in_running_text_exist() {
    let whole = Args::command();
    let of_commands = ["README.md", "operating.md", "recovery.md"];
    let is_of_commands = |path: &PathBuf| of_commands.iter().any(|name| path.ends_with(name));
    for path in pages().into_iter().filter(is_of_commands) {
        let page = fs::read_to_string(&path).expect("a page");
        let spans = page.split('`').skip(1).step_by(2);
        for told in spans.filter_map(|span| span.strip_prefix("sinetti ")) {
            let mut command = &whole;
            for word in words(told) {
                if !command.has_subcommands()
                    || !word.chars().all(|c| c.is_ascii_lowercase() || c == '-')
                {
                    break;
                }
                if word.starts_with("--") {
                    break;
                }
                let found = command.find_subcommand(&word);
                command = found.unwrap_or_else(|| panic!("{}: sinetti {told}", path.display()));
            }
        }
    }
}

#[test]
fn a_command_that_is_none_is_told() {
    let page = "```console\n$ sinetti ls; sinetti frobnicate --now  # never\n```\n```text\n$ sinetti x\n```\n";
    assert_eq!(commands(page), ["sinetti ls", "sinetti frobnicate --now"]);
    assert!(Args::try_parse_from(words("sinetti frobnicate --now")).is_err());
    assert_eq!(
        words("a --b \"c d\" ''"),
        ["a", "--b", "c d", ""].map(str::to_owned)
    );
    assert_eq!(
        variants("a [--b c] d"),
        ["a  d", "a --b c d"].map(str::to_owned)
    );
}
