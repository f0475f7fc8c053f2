//! How dates, numbers and sizes are written in each language.

use std::fmt;
use std::str::FromStr;

use crate::base::error::{Error, Result};
use crate::base::time::{Span, Wall};
use crate::base::zone::Zone;

/// Keeps a number and what it counts on one line.
const NO_BREAK: char = '\u{a0}';
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// What a document is written in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Language {
    /// Finnish.
    Finnish,
    /// Swedish.
    Swedish,
    /// English.
    English,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Finnish, Self::Swedish, Self::English];

    /// Its code (ISO 639-1).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Finnish => "fi",
            Self::Swedish => "sv",
            Self::English => "en",
        }
    }

    /// The text in this language, of Finnish, Swedish, English.
    pub const fn pick(self, texts: [&str; 3]) -> &str {
        match self {
            Self::Finnish => texts[0],
            Self::Swedish => texts[1],
            Self::English => texts[2],
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Language {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|language| language.as_str() == text)
            .ok_or_else(|| {
                Error::invalid(format!(
                    "\"{text}\" is no language; there are fi, sv and en"
                ))
            })
    }
}

/// A day: `23.11.2026`, `23 November 2026`.
pub fn date(at: Wall, zone: Zone, language: Language) -> String {
    let text = zone.rfc3339(at);
    let part = |from, to| {
        text.get(from..to)
            .and_then(|t: &str| t.parse::<usize>().ok())
            .unwrap_or_default()
    };
    let (year, month, day) = (part(0, 4), part(5, 7), part(8, 10));
    match language {
        Language::English => {
            let name = MONTHS.get(month.wrapping_sub(1)).unwrap_or(&"");
            format!("{day}{NO_BREAK}{name}{NO_BREAK}{year}")
        }
        Language::Finnish | Language::Swedish => format!("{day}.{month}.{year}"),
    }
}

/// A day and a time of day to the second, with the offset from UTC: both of an hour that autumn repeats can be told apart.
pub fn instant(at: Wall, zone: Zone, language: Language) -> String {
    let text = zone.rfc3339(at);
    let time = text.get(11..19).unwrap_or_default();
    let offset = text.get(23..).unwrap_or_default();
    let day = date(at, zone, language);
    match language {
        Language::Finnish => format!(
            "{day}{NO_BREAK}klo{NO_BREAK}{} (UTC{offset})",
            time.replace(':', ".")
        ),
        Language::Swedish => format!(
            "{day}{NO_BREAK}kl.{NO_BREAK}{} (UTC{offset})",
            time.replace(':', ".")
        ),
        Language::English => format!("{day}, {time} (UTC{offset})"),
    }
}

/// From one instant to another.
pub fn span(span: Span, zone: Zone, language: Language) -> String {
    format!(
        "{} – {}",
        instant(span.start, zone, language),
        instant(span.end, zone, language)
    )
}

/// From one instant to another, said once what both have in common: `23.11.2026 klo 13.15.00–13.20.00 (UTC+02:00)`. Where day or offset
/// differ, as in [`span`].
pub fn period(of: Span, zone: Zone, language: Language) -> String {
    let (from, to) = (zone.rfc3339(of.start), zone.rfc3339(of.end));
    if from.get(..10) != to.get(..10) || from.get(23..) != to.get(23..) {
        return span(of, zone, language);
    }
    let whole = instant(of.start, zone, language);
    let (time, end) = (
        from.get(11..19).unwrap_or_default(),
        to.get(11..19).unwrap_or_default(),
    );
    let points = |text: &str| match language {
        Language::English => text.to_owned(),
        Language::Finnish | Language::Swedish => text.replace(':', "."),
    };
    let (time, end) = (points(time), points(end));
    whole.replacen(&time, &format!("{time}–{end}"), 1)
}

/// A number with its thousands apart.
pub fn count(number: u64, language: Language) -> String {
    let digits = number.to_string();
    let mark = match language {
        Language::English => ',',
        Language::Finnish | Language::Swedish => NO_BREAK,
    };
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(mark);
        }
        text.push(digit);
    }
    text
}

/// A size: `43,2 Gt`, `43,2 GB`, `43.2 GB`; powers of a thousand.
pub fn bytes(number: u64, language: Language) -> String {
    let (thousands, letter) = match language {
        Language::Finnish => (["t", "kt", "Mt", "Gt", "Tt", "Pt", "Et"], ','),
        Language::Swedish => (["B", "kB", "MB", "GB", "TB", "PB", "EB"], ','),
        Language::English => (["B", "kB", "MB", "GB", "TB", "PB", "EB"], '.'),
    };
    let (mut unit, mut power) = (0, 1_u64);
    while number / power >= 1000 {
        (unit, power) = (unit + 1, power * 1000);
    }
    let whole = count(number / power, language);
    if unit == 0 {
        return format!("{whole}{NO_BREAK}{}", thousands[0]);
    }
    let tenth = u128::from(number % power) * 10 / u128::from(power);
    format!("{whole}{letter}{tenth}{NO_BREAK}{}", thousands[unit])
}
