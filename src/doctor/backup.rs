//! Checks of the last backup: how old it is, whether it can still be read, and whether it would outlive the disk of the state.

use std::path::PathBuf;

use crate::base::time::Wall;
use crate::doctor::storage::Place;
use crate::doctor::{Finding, Subject};

const CHECK: &str = "backup";
const US_PER_DAY: i64 = 86_400_000_000;

/// The last backup, as far as it is known.
#[derive(Clone, Debug, Default)]
pub struct Backup {
    /// When it was made; `None`: there never was one.
    pub made: Option<Wall>,
    /// The folder that it was made in; `None`: that is not known any more.
    pub into: Option<PathBuf>,
    /// Number of that folder's device; `None`: it is not there now.
    pub device: Option<u64>,
    /// The newest that lies there, every byte compared with its signature.
    pub newest: Option<Result<Wall, String>>,
}

pub(super) fn checks(subject: &Subject<'_>) -> Vec<Finding> {
    match (&subject.config, &subject.backup) {
        (Ok(config), Some(backup)) => {
            let max_us = i64::from(config.backup.max_age_secs) * 1_000_000;
            of(backup, subject.home, max_us, subject.clock.wall())
        }
        // What could not be opened is a finding of its own.
        _ => Vec::new(),
    }
}

pub(super) fn of(backup: &Backup, home: &Place, max_us: i64, now: Wall) -> Vec<Finding> {
    let Some(made) = backup.made else {
        let remedy =
            "sinetti backup DIR on another disk, best in another place, and a timer that does it";
        return vec![Finding::warn(CHECK, "there never was one", remedy)];
    };
    let age_us = now.us_since(made);
    let days = age_us / US_PER_DAY;
    let mut findings = vec![if age_us > max_us {
        let found = format!("the last one was made {days} days ago");
        Finding::warn(
            CHECK,
            found,
            "sinetti backup DIR; see why the timer did not",
        )
    } else {
        Finding::ok(CHECK, format!("the last one was made {days} days ago"))
    }];
    let Some(into) = &backup.into else {
        return findings;
    };
    let shown = into.display();
    let (Some(device), Some(newest)) = (backup.device, &backup.newest) else {
        let found = format!("{shown}, where the last one was made, is not there now");
        let remedy = "mount it and ask again: then it is read and compared with its signature";
        findings.push(Finding::unknown(CHECK, found, remedy));
        return findings;
    };
    findings.push(match newest {
        Ok(at) if *at >= made => Finding::ok(
            CHECK,
            format!("the one in {shown} is whole, and signed by this box"),
        ),
        Ok(at) => {
            let found = format!("the last one is gone: the newest in {shown} is of {at}");
            Finding::warn(CHECK, found, "make another one: sinetti backup DIR")
        }
        Err(e) => Finding::bad(CHECK, e, "make another one: sinetti backup DIR"),
    });
    if home.device == Some(device) {
        let found = format!("{shown} is on the file system of the state folder");
        let remedy =
            "make backups on another disk, best in another place: one fault must not take both";
        findings.push(Finding::warn(CHECK, found, remedy));
    }
    findings
}
