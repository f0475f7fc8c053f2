//! Layer 3: is this machine fit to keep footage? Each check is a small function that says what it found and what to do.
//!
//! What the kernel says is read below a [`Host`]'s root, so that a test can make a host up. Nothing is changed here, and
//! nothing is asked over a network. What does not belong here: whether the footage is whole (`recorder::check`).

mod backup;
mod catalog;
mod files;
pub mod host;
mod network;
mod storage;
mod system;

#[cfg(test)]
mod tests;

use std::path::Path;

use crate::base::Clock;
use crate::base::error::Result;
use crate::base::zone::Zone;
use crate::catalog::Reader;
use crate::config::Config;
use crate::doctor::host::Host;
use crate::store::scrub::Mark;

pub use backup::Backup;
pub use storage::Place;

/// How it stands with one thing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// It could not be seen.
    Unknown,
    /// It works, and should be better.
    Warn,
    /// Footage, secrets or time are at risk.
    Bad,
}

/// What one check found.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Finding {
    /// Which check: a stable name.
    pub check: &'static str,
    /// How it stands.
    pub verdict: Verdict,
    /// What was found.
    pub found: String,
    /// What to do about it.
    pub remedy: Option<String>,
}

impl Finding {
    fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self {
            check,
            verdict: Verdict::Ok,
            found: found.into(),
            remedy: None,
        }
    }

    fn new(
        check: &'static str,
        verdict: Verdict,
        found: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            check,
            verdict,
            found: found.into(),
            remedy: Some(remedy.into()),
        }
    }

    fn warn(check: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(check, Verdict::Warn, found, remedy)
    }

    fn bad(check: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(check, Verdict::Bad, found, remedy)
    }

    fn unknown(check: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(check, Verdict::Unknown, found, remedy)
    }
}

/// The box that is looked at. What could not be opened is an error here, and a finding.
pub struct Subject<'a> {
    /// The machine.
    pub host: &'a Host,
    /// The clocks.
    pub clock: &'a dyn Clock,
    /// The state folder.
    pub dir: &'a Path,
    /// Whether it could be opened.
    pub state: Result<(), String>,
    /// The configuration.
    pub config: Result<&'a Config, String>,
    /// The catalog.
    pub catalog: Result<&'a Reader, String>,
    /// The volumes of the configuration.
    pub places: &'a [Place],
    /// The state folder as a place.
    pub home: &'a Place,
    /// The last backup; `None`: the catalog, which knows of it, could not be opened.
    pub backup: Option<Backup>,
    /// How far the scrub has come.
    pub scrub: Mark,
    /// Whether the program that decodes pictures starts and can lock itself in.
    pub decoder: Result<(), String>,
    /// Process id of the recorder, when it runs.
    pub recorder: Option<u32>,
}

impl Subject<'_> {
    fn zone(&self) -> Zone {
        self.config
            .as_ref()
            .map_or(Zone::UTC, |config| config.site.zone)
    }
}

/// Every check, in the order in which they are told.
pub fn examine(subject: &Subject<'_>) -> Vec<Finding> {
    let checks: [fn(&Subject<'_>) -> Vec<Finding>; 6] = [
        system::checks,
        files::checks,
        storage::checks,
        network::checks,
        catalog::checks,
        backup::checks,
    ];
    checks.iter().flat_map(|check| check(subject)).collect()
}

/// Bytes in words.
#[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
fn amount(bytes: u64) -> String {
    let units = [(1e12, "TB"), (1e9, "GB"), (1e6, "MB")];
    let bytes = bytes as f64;
    let unit = units
        .iter()
        .find(|(size, _)| bytes >= *size)
        .unwrap_or(&units[2]);
    format!("{:.1} {}", bytes / unit.0, unit.1)
}
