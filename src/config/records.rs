//! `[backup]`, `[quarantine]` and `[records]`: what is kept besides footage, and for how long.

use std::fmt;

use crate::base::time::Wall;
use crate::config::keep::{keep_text, parse_keep};
use crate::config::read::Section;
use crate::config::values::gib_bytes;

/// The keys of `[backup]`.
pub(crate) const BACKUP_KEYS: &[&str] = &["max_age"];
/// The keys of `[quarantine]`.
pub(crate) const QUARANTINE_KEYS: &[&str] = &["keep", "max_gib"];
/// The keys of `[records]`: the classes of details of the ledger.
pub(crate) const RECORDS_KEYS: &[&str] = &[
    "operation",
    "sign_in",
    "access",
    "configuration",
    "people",
    "request",
    "disclosure",
];
/// The same classes as the ledger writes them.
const CLASSES: [&str; 7] = [
    "operation",
    "sign-in",
    "access",
    "configuration",
    "people",
    "request",
    "disclosure",
];

const BACKUP_MAX_AGE_SECS: u32 = 7 * 86_400;
const QUARANTINE_KEEP_SECS: u32 = 14 * 86_400;
const QUARANTINE_GIB: f64 = 5.0;
const QUARANTINE_GIB_RANGE: (f64, f64) = (0.0, 100_000.0);
/// Longer is a slip.
const MONTHS_MAX: u32 = 50 * 12;
const DAYS_MAX: u32 = 50 * 366;

/// When a missing backup is told of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BackupConfig {
    /// Seconds after which the last one is too old, default 7 d.
    pub max_age_secs: u32,
}

impl Default for BackupConfig {
    fn default() -> Self {
        Self {
            max_age_secs: BACKUP_MAX_AGE_SECS,
        }
    }
}

/// How much of what could not be read is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QuarantineConfig {
    /// Seconds, default 14 d; never longer than the camera's own footage, where the file says whose it is.
    pub keep_secs: u32,
    /// Bytes of a volume, default 5 GiB; the oldest goes first.
    pub max_bytes: u64,
}

impl Default for QuarantineConfig {
    fn default() -> Self {
        Self {
            keep_secs: QUARANTINE_KEEP_SECS,
            max_bytes: gib_bytes(QUARANTINE_GIB),
        }
    }
}

/// An age of records, by the calendar where it is written so.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Age {
    /// Days.
    Days(u32),
    /// Calendar months; a year has twelve.
    Months(u32),
}

impl Age {
    /// What happened before this instant is older.
    pub fn before(self, now: Wall) -> Wall {
        match self {
            Self::Days(days) => now.plus_us(-i64::from(days) * 86_400_000_000),
            Self::Months(months) => now.months_ago(months),
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let bad = || {
            format!(
                "{text:?} is not an age; write \"400 d\", \"18 months\" or \"5 years\", up to 50 years"
            )
        };
        let (number, unit) = text.split_once(' ').ok_or_else(bad)?;
        let plain = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
        let number: u32 = number.parse().ok().filter(|_| plain).ok_or_else(bad)?;
        let age = match unit {
            "d" => Self::Days(number),
            "month" | "months" => Self::Months(number),
            "year" | "years" => Self::Months(number.checked_mul(12).ok_or_else(bad)?),
            _ => return Err(bad()),
        };
        match age {
            Self::Days(1..=DAYS_MAX) | Self::Months(1..=MONTHS_MAX) => Ok(age),
            _ => Err(bad()),
        }
    }
}

impl fmt::Display for Age {
    /// As the configuration writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Days(days) => write!(f, "{days} d"),
            Self::Months(12) => write!(f, "12 months"),
            Self::Months(months) if months.is_multiple_of(12) => write!(f, "{} years", months / 12),
            Self::Months(months) => write!(f, "{months} months"),
        }
    }
}

/// How long details of the ledger are kept, class by class; the log itself stays.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RecordsConfig {
    ages: [Age; 7],
}

impl Default for RecordsConfig {
    fn default() -> Self {
        let years = |n: u32| Age::Months(12 * n);
        Self {
            ages: [
                years(1),
                years(1),
                years(5),
                years(5),
                years(7),
                years(7),
                years(10),
            ],
        }
    }
}

impl RecordsConfig {
    /// Each class of details by its name, with its age.
    pub fn ages(&self) -> impl Iterator<Item = (&'static str, Age)> {
        CLASSES.into_iter().zip(self.ages)
    }
}

/// Reads `[backup]`; what is wrong is noted.
pub(crate) fn read_backup(section: &Section<'_>) -> BackupConfig {
    let max_age = section.parsed("max_age", parse_keep);
    max_age.map_or_else(BackupConfig::default, |age| BackupConfig {
        max_age_secs: age.value,
    })
}

/// Reads `[quarantine]`; what is wrong is noted.
pub(crate) fn read_quarantine(section: &Section<'_>) -> QuarantineConfig {
    let keep = section.parsed("keep", parse_keep);
    let gib = section.decimal("max_gib", QUARANTINE_GIB, QUARANTINE_GIB_RANGE);
    QuarantineConfig {
        keep_secs: keep.map_or(QUARANTINE_KEEP_SECS, |keep| keep.value),
        max_bytes: gib_bytes(gib),
    }
}

/// Reads `[records]`; what is wrong is noted.
pub(crate) fn read_records(section: &Section<'_>) -> RecordsConfig {
    let mut records = RecordsConfig::default();
    for (key, age) in RECORDS_KEYS.iter().zip(&mut records.ages) {
        if let Some(read) = section.parsed(key, Age::parse) {
            *age = read.value;
        }
    }
    records
}

/// What differs, a line each.
pub(crate) fn differences(
    old: (&BackupConfig, &QuarantineConfig, &RecordsConfig),
    new: (&BackupConfig, &QuarantineConfig, &RecordsConfig),
) -> Vec<String> {
    let mut lines = Vec::new();
    let mut note = |what: String, old: String, new: String| {
        if old != new {
            lines.push(format!("{what}: {old} → {new}"));
        }
    };
    let mib = |bytes: u64| format!("{} MiB", bytes >> 20);
    note(
        "backup max_age".to_owned(),
        keep_text(old.0.max_age_secs),
        keep_text(new.0.max_age_secs),
    );
    note(
        "quarantine keep".to_owned(),
        keep_text(old.1.keep_secs),
        keep_text(new.1.keep_secs),
    );
    note(
        "quarantine max_gib".to_owned(),
        mib(old.1.max_bytes),
        mib(new.1.max_bytes),
    );
    for ((class, old), (_, new)) in old.2.ages().zip(new.2.ages()) {
        note(format!("records {class}"), old.to_string(), new.to_string());
    }
    lines
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::parse;
    use crate::config::tests::MINIMAL;

    #[test]
    fn ages_are_read_and_go_by_the_calendar() {
        for (text, age) in [
            ("400 d", Age::Days(400)),
            ("18 months", Age::Months(18)),
            ("12 months", Age::Months(12)),
            ("5 years", Age::Months(60)),
        ] {
            assert_eq!(Age::parse(text), Ok(age));
            assert_eq!(age.to_string(), text);
        }
        for bad in [
            "",
            "5",
            "0 d",
            "years",
            "5 y",
            "51 years",
            "-1 d",
            "1.5 years",
            "9999999999 years",
        ] {
            assert!(Age::parse(bad).is_err(), "{bad}");
        }
        let at = |text| Wall::parse_rfc3339(text).expect("a time");
        let leap = at("2028-02-29T12:00:00Z");
        assert_eq!(Age::Months(12).before(leap), at("2027-02-28T12:00:00Z"));
        assert_eq!(Age::Days(366).before(leap), at("2027-02-28T12:00:00Z"));
        assert_eq!(Age::Months(48).before(leap), at("2024-02-29T12:00:00Z"));
    }

    #[test]
    fn what_is_left_out_has_its_default_and_what_is_wrong_is_told() {
        let read = |text: &str| parse(&format!("{MINIMAL}\n{text}"), Path::new("/nowhere"));
        let config =
            read("[records]\nsign_in = \"6 months\"\n[backup]\nmax_age = \"1 d\"").expect("good");
        let ages: Vec<_> = config.records.ages().collect();
        assert_eq!(ages[1], ("sign-in", Age::Months(6)));
        assert_eq!(ages[6], ("disclosure", Age::Months(120)));
        assert_eq!(config.backup.max_age_secs, 86_400);
        assert_eq!(config.quarantine, QuarantineConfig::default());
        let wrong =
            read("[records]\naccess = \"for ever\"\n[quarantine]\nmax_gib = -1").expect_err("bad");
        let wrong = wrong.to_string();
        assert!(
            wrong.contains("access") && wrong.contains("max_gib"),
            "{wrong}"
        );
    }
}
