//! Takes values out of a TOML table, and notes what is wrong with each by its line, so that one look
//! tells everything.

use std::cell::RefCell;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::config::error::Problem;
use crate::config::types::Bound;

/// A longer message is cut.
const MESSAGE_CHARS_MAX: usize = 600;

/// What is wrong so far. Shared by all sections of one file.
pub(crate) struct Problems {
    line_starts: Vec<usize>,
    list: RefCell<Vec<Problem>>,
}

impl Problems {
    pub(crate) fn of(text: &str) -> Self {
        let after_breaks = text
            .bytes()
            .enumerate()
            .filter(|(_, b)| *b == b'\n')
            .map(|(i, _)| i + 1);
        Self {
            line_starts: std::iter::once(0).chain(after_breaks).collect(),
            list: RefCell::default(),
        }
    }

    /// The line, from 1, of a byte of the text.
    pub(crate) fn line(&self, at: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= at)
    }

    /// Notes what is wrong at a byte of the text. The message stays on one line whatever it repeats.
    pub(crate) fn add(&self, at: usize, message: impl AsRef<str>) {
        let message = message.as_ref();
        let plain = |c: char| if c.is_control() { '\u{fffd}' } else { c };
        self.list.borrow_mut().push(Problem {
            line: Some(self.line(at)),
            message: message.chars().take(MESSAGE_CHARS_MAX).map(plain).collect(),
        });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list.borrow().is_empty()
    }

    pub(crate) fn into_list(self) -> Vec<Problem> {
        self.list.into_inner()
    }
}

/// A value and the byte of the text where it stands.
#[derive(Clone, Copy)]
pub(crate) struct Field<T> {
    pub(crate) value: T,
    pub(crate) at: usize,
}

/// One `[section]` of the file; when it is left out, every key in it is.
pub(crate) struct Section<'a> {
    /// With its brackets, as in the file.
    title: &'static str,
    at: usize,
    table: Option<&'a DeTable<'a>>,
    problems: &'a Problems,
}

impl<'a> Section<'a> {
    /// Notes every key that is not among `known`.
    pub(crate) fn open(
        title: &'static str,
        table: Option<&'a DeTable<'a>>,
        at: usize,
        known: &[&str],
        problems: &'a Problems,
    ) -> Self {
        for key in table.into_iter().flat_map(DeTable::keys) {
            let name: &str = key.get_ref();
            if !known.contains(&name) {
                let hint = hint(name, known);
                problems.add(
                    key.span().start,
                    format!("unknown key {} in {title}{hint}", quote(name)),
                );
            }
        }
        Self {
            title,
            at,
            table,
            problems,
        }
    }

    /// Where the section begins.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// True when `key` is there, be it right or wrong.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.value(key).is_some()
    }

    /// How many entries the list under `key` has, right or wrong.
    pub(crate) fn entries(&self, key: &str) -> usize {
        match self.value(key).map(Spanned::get_ref) {
            Some(DeValue::Array(entries)) => entries.len(),
            _ => 0,
        }
    }

    fn value(&self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.table?.get(key)
    }

    /// Notes what is wrong with the section as a whole.
    pub(crate) fn note(&self, message: &str) {
        self.problems
            .add(self.at, format!("{}: {message}", self.title));
    }

    fn wrong_type(&self, key: &str, value: &Spanned<DeValue<'_>>, want: &str) {
        let is = type_of(value.get_ref());
        self.problems.add(
            value.span().start,
            format!("{key}: must be {want}, not {is}"),
        );
    }

    /// Notes what is wrong at a byte of the text.
    pub(crate) fn problem(&self, at: usize, message: &str) {
        self.problems.add(at, message);
    }

    /// The text under `key`, without a note when it is something else.
    pub(crate) fn quiet_text(&self, key: &str) -> Option<Field<&'a str>> {
        let value = self.value(key)?;
        match value.get_ref() {
            DeValue::String(text) => Some(Field {
                value: text.as_ref(),
                at: value.span().start,
            }),
            _ => None,
        }
    }

    /// Notes that `key` is missing, when it is.
    pub(crate) fn require(&self, key: &str, example: &str) {
        if self.value(key).is_none() {
            let title = self.title;
            self.problems.add(
                self.at,
                format!("{title} lacks {key}; add a line such as: {key} = {example}"),
            );
        }
    }

    /// The text under `key`; `None` when it is left out or (noted) not text.
    pub(crate) fn text(&self, key: &str) -> Option<Field<&'a str>> {
        let value = self.value(key)?;
        let at = value.span().start;
        match value.get_ref() {
            DeValue::String(text) => Some(Field {
                value: text.as_ref(),
                at,
            }),
            _ => {
                self.wrong_type(key, value, "text in quotes");
                None
            }
        }
    }

    /// The text under `key` as `parse` reads it; `None` when it is left out or (noted) wrong.
    pub(crate) fn parsed<T, E: std::fmt::Display>(
        &self,
        key: &str,
        parse: impl FnOnce(&'a str) -> Result<T, E>,
    ) -> Option<Field<T>> {
        let Field { value, at } = self.text(key)?;
        match parse(value) {
            Ok(value) => Some(Field { value, at }),
            Err(e) => {
                self.problems.add(at, format!("{key}: {e}"));
                None
            }
        }
    }

    /// As [`Section::parsed`], and notes when it is missing.
    pub(crate) fn required<T, E: std::fmt::Display>(
        &self,
        key: &str,
        example: &str,
        parse: impl FnOnce(&'a str) -> Result<T, E>,
    ) -> Option<Field<T>> {
        self.require(key, example);
        self.parsed(key, parse)
    }

    /// The texts in the list under `key`, each as `parse` reads it; `None` when it is left out or (noted) no
    /// list or empty. A wrong entry is noted and left out.
    pub(crate) fn list<T, E: std::fmt::Display>(
        &self,
        key: &str,
        parse: impl Fn(&'a str) -> Result<T, E>,
    ) -> Option<Vec<Field<T>>> {
        let value = self.value(key)?;
        let DeValue::Array(entries) = value.get_ref() else {
            self.wrong_type(key, value, "a list of texts in [ ]");
            return None;
        };
        if entries.is_empty() {
            self.problems.add(
                value.span().start,
                format!("{key}: the list is empty; it needs at least one entry"),
            );
            return None;
        }
        let mut good = Vec::new();
        for entry in entries.iter() {
            let at = entry.span().start;
            let DeValue::String(text) = entry.get_ref() else {
                self.wrong_type(key, entry, "a list of texts in quotes");
                continue;
            };
            match parse(text) {
                Ok(value) => good.push(Field { value, at }),
                Err(e) => self.problems.add(at, format!("{key}: {e}")),
            }
        }
        Some(good)
    }

    /// True or false under `key`; `default` when it is left out or (noted) something else.
    pub(crate) fn flag(&self, key: &str, default: bool) -> bool {
        let Some(value) = self.value(key) else {
            return default;
        };
        value.get_ref().as_bool().unwrap_or_else(|| {
            self.wrong_type(key, value, "true or false");
            default
        })
    }

    /// The whole number under `key`; the default when it is left out or (noted) wrong.
    pub(crate) fn whole(&self, key: &str, bound: Bound) -> u32 {
        let Some(value) = self.value(key) else {
            return bound.default;
        };
        let DeValue::Integer(number) = value.get_ref() else {
            self.wrong_type(key, value, "a whole number without quotes");
            return bound.default;
        };
        let parsed = i128::from_str_radix(number.as_str(), number.radix()).ok();
        parsed
            .and_then(|n| u32::try_from(n).ok())
            .filter(|n| (bound.min..=bound.max).contains(n))
            .unwrap_or_else(|| {
                let Bound { default, min, max } = bound;
                self.problems.add(
                    value.span().start,
                    format!(
                        "{key}: {} is out of range; it can be {min} to {max} (default {default})",
                        shown(&number.to_string())
                    ),
                );
                default
            })
    }

    /// The number under `key`, fractions allowed; `default` when it is left out or (noted) wrong.
    pub(crate) fn decimal(&self, key: &str, default: f64, (min, max): (f64, f64)) -> f64 {
        let Some(value) = self.value(key) else {
            return default;
        };
        let text = match value.get_ref() {
            DeValue::Integer(number) if number.radix() == 10 => number.as_str(),
            DeValue::Float(number) => number.as_str(),
            _ => {
                self.wrong_type(key, value, "a number without quotes");
                return default;
            }
        };
        // Not a number is in no range.
        text.parse::<f64>()
            .ok()
            .filter(|n| (min..=max).contains(n))
            .unwrap_or_else(|| {
                self.problems.add(
                    value.span().start,
                    format!(
                        "{key}: {} is out of range; it can be {min} to {max} (default {default})",
                        shown(text)
                    ),
                );
                default
            })
    }
}

fn type_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text in quotes",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a section",
    }
}

/// The nearest known name, when it is near enough to be meant; else all of them.
fn hint(name: &str, known: &[&str]) -> String {
    const SIMILARITY_MIN: f64 = 0.8;
    if ["password", "user", "username"].contains(&name) {
        return "; user name and password belong in the file that credentials names".to_owned();
    }
    let nearest = known
        .iter()
        .map(|candidate| (strsim::jaro_winkler(candidate, &shown(name)), candidate))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(similarity, _)| *similarity >= SIMILARITY_MIN);
    match nearest {
        Some((_, candidate)) => format!("; did you mean {candidate}?"),
        None => format!("; known are: {}", known.join(", ")),
    }
}

/// At most 60 characters of it.
fn shown(text: &str) -> String {
    const SHOWN_MAX: usize = 60;
    match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// At most 60 characters of it, in quotes, control characters escaped.
pub(crate) fn quote(text: &str) -> String {
    format!("{:?}", shown(text))
}
