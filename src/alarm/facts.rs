//! What is known of the box at one moment, as far as alarms go.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::base::id::StreamId;
use crate::base::time::Wall;
use crate::catalog::GapCause;

/// Everything that alarms are judged by.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Facts {
    /// Every stream that shall be recorded.
    pub streams: Vec<Stream>,
    /// Every volume of the configuration.
    pub volumes: Vec<Volume>,
    /// What deletion is at.
    pub sweeping: Sweeping,
    /// The host's clock.
    pub clock: Clock,
    /// The ledger.
    pub ledger: Ledger,
    /// What was promised of disclosures and is due.
    pub promised: Promised,
    /// Who may play back: what is wrong with it.
    pub holders: Option<String>,
    /// Seconds until the certificate ends; `None`: there is none.
    pub certificate_left_s: Option<i64>,
    /// The last backup is too old: when it was made; `Some(None)`: there never was one.
    pub backup_overdue: Option<Option<Wall>>,
    /// Old catalogs in the state folder that should be gone: the first, and how many.
    pub old_catalogs: Option<String>,
    /// For how long alarms could not be delivered; `None`: they could, or need not be.
    pub undelivered_for: Option<Duration>,
}

/// A stream that shall be recorded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stream {
    /// Which.
    pub stream: StreamId,
    /// The volume that it is recorded to.
    pub volume: String,
    /// Pictures reach the disk.
    pub records: bool,
    /// Why nothing is recorded, as far as it is known.
    pub cause: Option<GapCause>,
    /// The last trouble, in words.
    pub trouble: Option<String>,
    /// Gaps of the last hour that have to do with the box or the camera, and microseconds without recording in them.
    pub holes: (u64, i64),
}

/// A volume of the configuration.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Volume {
    /// Its name.
    pub name: String,
    /// Why it cannot be used: missing, another's.
    pub missing: Option<String>,
    /// For how long it has not answered a question.
    pub silent_for: Option<Duration>,
    /// For how long nothing became durable that should have.
    pub behind: Duration,
    /// It has no room, and deleting all its footage would make none.
    pub full_in_vain: bool,
    /// Footage was deleted early within the last hour.
    pub early: bool,
    /// Segments that do not read as they were written.
    pub damaged: u64,
    /// Segments that are promised and not there.
    pub missing_segments: u64,
    /// Files that are not Sinetti's.
    pub strangers: u64,
    /// What is kept for longer than it may be and could not be deleted: how many, and the first.
    pub over_age: Option<(u64, String)>,
    /// Files in quarantine that went for want of room.
    pub quarantine_lost: u64,
    /// What somebody else did there.
    pub touched: Option<Touched>,
    /// What is wrong with the ledger's mirror on it.
    pub mirror: Option<String>,
}

/// What somebody else did where only Sinetti writes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Touched {
    /// How often it was seen.
    pub times: u64,
    /// The first of it, in words.
    pub first: Vec<String>,
}

/// What deletion is at.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sweeping {
    /// The catalog may not be the footage's own: why.
    pub latched: Option<String>,
    /// The last sweep could not be done: why.
    pub failed: Option<String>,
    /// Segments that could not be deleted.
    pub failures: u64,
    /// Segments that are older than they may be, by stream.
    pub overdue: BTreeMap<StreamId, u64>,
    /// Streams of which footage is gone that is still promised: up to when.
    pub lost: BTreeMap<StreamId, Wall>,
    /// Holds that wait for somebody to look at them, or end soon.
    pub holds_due: u64,
}

/// What was promised of disclosures and is due: each by its serial number and date, in words.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Promised {
    /// Answers to data subjects.
    pub answers: Vec<String>,
    /// The house's own copies that are to be destroyed.
    pub copies: Vec<String>,
}

/// The host's clock.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Clock {
    /// Nothing keeps it.
    pub unsynchronised: bool,
    /// It is not believed: why.
    pub doubt: Option<String>,
    /// It was set so long ago, by so many microseconds.
    pub stepped: Option<(Duration, i64)>,
}

/// The ledger.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ledger {
    /// Why nothing is signed.
    pub trouble: Option<String>,
    /// Nobody took an anchor away for too long; when somebody last did.
    pub anchor_overdue: Option<Option<Wall>>,
}

/// From what on something is wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Thresholds {
    /// A volume that is further behind loses too much at a power cut.
    pub lag: Duration,
    /// A volume that is further behind is about to lose pictures.
    pub behind: Duration,
    /// A volume that does not answer for so long fails.
    pub silent: Duration,
    /// So much of an hour without recording, in microseconds, is too much, whatever the pieces.
    pub holes_us: i64,
    /// A clock that was set is told for so long.
    pub step_shown: Duration,
    /// Seconds before its end at which a certificate is to be renewed.
    pub certificate_s: i64,
    /// Alarms that cannot be delivered for so long.
    pub undelivered: Duration,
}

impl Thresholds {
    /// Those of the daemon; `lag` is the recorder's own.
    pub const fn standard(lag: Duration) -> Self {
        Self {
            lag,
            behind: Duration::from_secs(60),
            silent: Duration::from_secs(60),
            holes_us: 5 * 60 * 1_000_000,
            step_shown: Duration::from_secs(3600),
            certificate_s: 14 * 86_400,
            undelivered: Duration::from_secs(120),
        }
    }
}
