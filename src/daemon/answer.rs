//! Questions about the recorder and their answers: the same whether the running daemon is asked over its socket or
//! a command reads the catalog itself while none runs.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::access::Directory;
use crate::access::credential::Used;
use crate::access::keys::{self, HolderWarning};
use crate::backup;
use crate::base::error::{Error, Kind, Result};
use crate::base::id::{DisclosureId, GenerationId, HoldId, PersonId, StreamId};
use crate::base::time::{Span, Wall};
use crate::base::zone::Zone;
use crate::catalog::{
    AlarmRow, Coverage, DeletedSpan, Event, GenerationRow, Reader, SegmentRow, StreamRow, SweepRow,
    Totals, VolumeRow, WrapRow,
};
use crate::daemon::disclosures::{self, DisclosureAnswer, DisclosureAsk};
use crate::daemon::keeping::{self, KeepingAnswer, KeepingAsk};
use crate::daemon::ledger::LedgerStatus;
use crate::daemon::people::{self, PeopleAnswer, PeopleAsk};
use crate::disclosure::packages::PackageState;
use crate::recorder::board::{Growing, Line};
use crate::recorder::pulse::BEHIND_MAX;
use crate::retention::held::Held;
use crate::retention::look;
use crate::retention::outlook::{self, Outlook, Setting};
use crate::retention::reading::Reading;
use crate::store::scrub::VolumeMark;
use crate::vault::identity::Recipient;

/// Most rows of one answer.
const ROWS_MAX: usize = 100_000;
/// Most alarms of one answer.
const ALARMS_MAX: u32 = 1000;

/// A question.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", tag = "ask")]
pub enum Ask {
    /// What the daemon is doing.
    Status,
    /// All streams that were ever recorded, with what is kept of them.
    Streams,
    /// What is there of a stream in a span.
    Footage {
        /// The stream.
        stream: StreamId,
        /// The span.
        span: Span,
        /// The hold for whose case it is read.
        #[serde(default)]
        hold: Option<HoldId>,
    },
    /// The wrap of a generation to the recovery identity.
    Recovery {
        /// The generation.
        generation: GenerationId,
    },
    /// Read all footage through now.
    Scrub,
    /// What is kept how long, what goes next, and what stands in the way.
    Retention {
        /// The site's zone, by its name: days are its days.
        zone: String,
        /// Free bytes that are kept, by the path of the volume.
        reserves: BTreeMap<String, u64>,
    },
    /// About holds, and times that are shortened.
    Keeping(Box<KeepingAsk>),
    /// What a person does with disclosures.
    Disclosure(Box<DisclosureAsk>),
    /// The key to which a command wraps what it hands the recorder.
    Transit,
    /// How far the package of a disclosure is, for a command that has begun it.
    Progress {
        /// The disclosure.
        disclosure: DisclosureId,
    },
    /// Whether a person still may have the package that is being given to them.
    MayGive {
        /// Who.
        person: PersonId,
        /// Of which disclosure.
        disclosure: DisclosureId,
    },
    /// Somebody says that the time of day is right.
    ConfirmClock {
        /// Who, as far as it is known.
        by: String,
    },
    /// Somebody has looked at why deletion is latched.
    ConfirmRetention {
        /// Who, as far as it is known.
        by: String,
        /// The controller who showed passphrase and code, with the code.
        #[serde(default)]
        controller: Option<(PersonId, Used)>,
    },
    /// Note an event. One that begins an act is refused when the ledger is in trouble.
    Note {
        /// The event.
        event: Box<Event>,
    },
    /// Alarms: those that are up, or the last ones.
    Alarms {
        /// Those that are over too.
        all: bool,
    },
    /// Somebody has seen an alarm.
    AcknowledgeAlarm {
        /// Its number.
        id: u64,
        /// Who, as far as it is known.
        by: String,
    },
    /// Send a message to the alarm target, to try it.
    TestAlarm,
    /// Seal all footage that is closed now.
    Seal,
    /// End the segments of these streams that are being written, each at its next key frame.
    Cut {
        /// The streams.
        streams: Vec<StreamId>,
    },
    /// Somebody says why the ledger has to begin anew.
    BeginEpoch {
        /// Who, as far as it is known.
        by: String,
        /// Why.
        statement: String,
    },
    /// Erase details of entries.
    EraseDetails {
        /// Of which class.
        class: String,
        /// Of entries before this time.
        before: Wall,
        /// Who, as far as it is known.
        by: String,
    },
    /// About persons.
    People(Box<PeopleAsk>),
}

/// An answer.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", tag = "answer")]
pub enum Answer {
    /// To [`Ask::Status`].
    Status(Box<Status>),
    /// To [`Ask::Streams`].
    Streams {
        /// Each stream.
        streams: Vec<StreamTotals>,
    },
    /// To [`Ask::Footage`].
    Footage(Box<Footage>),
    /// To [`Ask::Recovery`].
    Recovery {
        /// The wrap, if there is one.
        wrap: Option<WrapRow>,
        /// All generations.
        generations: Vec<GenerationRow>,
    },
    /// To [`Ask::Retention`].
    Retention(Box<Retention>),
    /// To [`Ask::Keeping`].
    Keeping(Box<KeepingAnswer>),
    /// To [`Ask::Disclosure`].
    Disclosure(Box<DisclosureAnswer>),
    /// To [`Ask::Transit`].
    Transit {
        /// The key.
        recipient: Recipient,
    },
    /// To [`Ask::Progress`].
    Progress(Box<PackageState>),
    /// To [`Ask::Alarms`].
    Alarms {
        /// Each alarm.
        alarms: Vec<AlarmRow>,
    },
    /// To [`Ask::People`].
    People(Box<PeopleAnswer>),
    /// Done.
    Done,
    /// To [`Ask::Note`].
    Noted {
        /// The entry's number; none when it was only counted.
        seq: Option<u64>,
    },
    /// It could not be answered.
    Refused {
        /// In words.
        error: String,
    },
}

/// What the daemon is doing.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Status {
    /// Since when it runs; `None` when it does not.
    pub started: Option<Wall>,
    /// Its version.
    pub version: String,
    /// Its process id.
    pub process: u32,
    /// Each configured stream.
    pub streams: BTreeMap<String, Line>,
    /// Each volume that is in use.
    pub volumes: Vec<VolumeStatus>,
    /// How far the scrub of each volume has come, and what it found.
    #[serde(default)]
    pub scrub: Vec<VolumeMark>,
    /// What stands in the way of deletion, and what goes wrong with it.
    #[serde(default)]
    pub deletion: Deletion,
    /// How the ledger is.
    #[serde(default)]
    pub ledger: LedgerStatus,
    /// What somebody should know about who opens the vault.
    #[serde(default)]
    pub holders: Option<HolderWarning>,
    /// Alarms that are up.
    #[serde(default)]
    pub alarms: Vec<AlarmRow>,
    /// When the last backup was made; none: there never was one.
    #[serde(default)]
    pub last_backup: Option<Wall>,
}

/// What stands in the way of deletion, and what goes wrong with it.
#[derive(Clone, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Deletion {
    /// The time of day is not believed: why, and what to do.
    pub paused: Option<String>,
    /// The catalog may not be the one that wrote the footage: why.
    pub latched: Option<String>,
    /// The last sweep could not be done: why.
    pub failed: Option<String>,
    /// Nothing keeps the host's clock: a warning.
    pub unsynchronised: bool,
    /// Volumes on which footage was deleted early within the last hour.
    pub early: Vec<String>,
    /// Volumes without room on which deleting all footage would make none.
    pub in_vain: Vec<String>,
    /// Segments that could not be deleted, with the reason.
    pub failures: Vec<String>,
}

impl Deletion {
    /// True when somebody should look.
    pub fn is_alarm(&self) -> bool {
        let told = [&self.paused, &self.latched, &self.failed];
        let lists = [&self.early, &self.in_vain, &self.failures];
        told.into_iter().any(Option::is_some) || lists.into_iter().any(|list| !list.is_empty())
    }
}

/// What is kept how long, and what goes next.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Retention {
    /// What was promised, and what is there.
    #[serde(flatten)]
    pub outlook: Outlook,
    /// What stands in the way.
    pub deletion: Deletion,
    /// The sweep under way, or else the last one.
    pub last_sweep: Option<SweepRow>,
}

/// A volume's line.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct VolumeStatus {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// Free and total bytes; `None` when it cannot be read.
    pub free_and_total_bytes: Option<(u64, u64)>,
    /// For how long nothing became durable on it that should have, in milliseconds; `None` when nothing is recorded to it.
    #[serde(default)]
    pub behind_ms: Option<u64>,
}

impl VolumeStatus {
    /// True when it does not keep up.
    pub fn is_behind(&self) -> bool {
        self.behind_ms
            .is_some_and(|ms| u128::from(ms) > BEHIND_MAX.as_millis())
    }
}

/// A stream and what is kept of it.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct StreamTotals {
    /// The stream.
    pub stream: StreamId,
    /// Since when it is known.
    pub first_seen: Wall,
    /// What is kept.
    pub totals: Totals,
    /// Up to when it is deleted, and why the last of it was.
    #[serde(default)]
    pub deleted_until: Option<DeletedSpan>,
}

/// What is there of a stream in a span.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Footage {
    /// Closed segments that overlap the span, by time.
    pub segments: Vec<SegmentRow>,
    /// The segment being written, if it overlaps.
    pub growing: Option<Growing>,
    /// Recorded spans and gaps.
    pub coverage: Coverage,
    /// The volumes on which the segments lie.
    pub volumes: Vec<VolumeRow>,
}

/// Answers what the catalog alone knows. What is expired at `reference`, the last time of day that is believed, is not
/// in the answer, whether it is deleted yet or not.
///
/// # Errors
/// [`Kind::NotFound`] for an unknown person; [`Kind::Full`] for a span with too many segments; what SQLite says.
pub fn from_catalog(reader: &Reader, ask: &Ask, now: Wall, reference: Wall) -> Result<Answer> {
    match ask {
        Ask::Status => Ok(Answer::Status(Box::new(Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            volumes: volumes(reader)?,
            deletion: Deletion {
                latched: reader.meta()?.latch,
                ..Deletion::default()
            },
            ledger: LedgerStatus::read(reader, now)?,
            holders: keys::warning(&Directory::read(reader)?, now),
            alarms: reader.alarms_up()?,
            last_backup: backup::last(reader)?,
            ..Status::default()
        }))),
        Ask::Streams => {
            let rows = reader.streams()?;
            let with_totals = rows.iter().map(|row| stream_totals(reader, row, reference));
            Ok(Answer::Streams {
                streams: with_totals.collect::<Result<_>>()?,
            })
        }
        Ask::Footage { stream, span, hold } => {
            footage(reader, (stream, *span, *hold), now, reference)
        }
        Ask::Recovery { generation } => Ok(Answer::Recovery {
            wrap: reader.wrap_for_recovery(*generation)?,
            generations: reader.generations()?,
        }),
        Ask::Retention { zone, reserves } => {
            let setting = Setting {
                zone: Zone::named(zone)?,
                now: reference,
                reserves,
                sees: &|hold| !hold.kind.is_secret(),
            };
            Ok(Answer::Retention(Box::new(retention(reader, &setting)?)))
        }
        Ask::Keeping(ask) => {
            keeping::from_reader(reader, ask, now).map(|found| Answer::Keeping(Box::new(found)))
        }
        Ask::Alarms { all } => alarms(reader, *all),
        Ask::People(ask) => {
            people::from_reader(reader, ask, now).map(|found| Answer::People(Box::new(found)))
        }
        Ask::TestAlarm => Err(Error::new(
            Kind::Unavailable,
            "the recorder sends it, and does not run; start it with: systemctl start sinetti",
        )),
        Ask::Transit => Err(Error::new(
            Kind::Unavailable,
            "the recorder makes packages, and does not run; start it with: systemctl start sinetti",
        )),
        Ask::Progress { disclosure } => {
            let state = disclosures::progress(reader, None, *disclosure)?;
            Ok(Answer::Progress(Box::new(state)))
        }
        Ask::MayGive { person, disclosure } => {
            disclosures::may_give(reader, (*person, *disclosure), now).map(|()| Answer::Done)
        }
        // No recorder runs: nothing is being written.
        Ask::Cut { .. } => Ok(Answer::Done),
        Ask::Note { .. }
        | Ask::Disclosure(_)
        | Ask::AcknowledgeAlarm { .. }
        | Ask::Scrub
        | Ask::ConfirmClock { .. }
        | Ask::ConfirmRetention { .. }
        | Ask::Seal
        | Ask::BeginEpoch { .. }
        | Ask::EraseDetails { .. } => Err(Error::new(Kind::Internal, "a reader cannot write")),
    }
}

/// What is there of a stream in a span, for the case of a hold if there is one.
fn footage(
    reader: &Reader,
    (stream, span, hold): (&StreamId, Span, Option<HoldId>),
    now: Wall,
    reference: Wall,
) -> Result<Answer> {
    let row = reader
        .streams()?
        .into_iter()
        .find(|row| row.stream == *stream);
    let before = row.and_then(|row| row.expired_before(reference));
    let reading = Reading::of(reader, stream, reference, hold)?;
    let mut segments = reader.segments(stream, span)?;
    segments.retain(|segment| reading.allows(segment.start, segment.end));
    if segments.len() > ROWS_MAX {
        return Err(Error::new(
            Kind::Full,
            format!("more than {ROWS_MAX} segments; ask for a shorter span"),
        ));
    }
    let mut coverage = reader.coverage(stream, span, now)?;
    if let Some(before) = before {
        coverage.expire(reader.readable_from(stream, before)?);
    }
    Ok(Answer::Footage(Box::new(Footage {
        segments,
        growing: None,
        coverage,
        volumes: reader.volumes()?,
    })))
}

fn alarms(reader: &Reader, all: bool) -> Result<Answer> {
    let alarms = if all {
        reader.alarms(ALARMS_MAX)
    } else {
        reader.alarms_up()
    };
    alarms.map(|alarms| Answer::Alarms { alarms })
}

/// What is kept of a stream and may be listed: what is expired is not counted, held or not.
fn stream_totals(reader: &Reader, row: &StreamRow, reference: Wall) -> Result<StreamTotals> {
    let mut totals = reader.totals(&row.stream)?;
    if let Some(before) = row.expired_before(reference) {
        totals.oldest = outlook::listed(reader, row, reference)?;
        let expired = Span {
            start: Wall(i64::MIN),
            end: before,
        };
        let gone = look::count_free(reader, &row.stream, &Held::default(), expired)?;
        totals.segments = totals.segments.saturating_sub(gone.0);
        totals.bytes = totals.bytes.saturating_sub(gone.1);
    }
    Ok(StreamTotals {
        stream: row.stream.clone(),
        first_seen: row.first_seen,
        deleted_until: reader.deleted_until(&row.stream, totals.oldest)?,
        totals,
    })
}

fn retention(reader: &Reader, setting: &Setting<'_>) -> Result<Retention> {
    Ok(Retention {
        outlook: outlook::outlook(reader, setting)?,
        deletion: Deletion {
            latched: reader.meta()?.latch,
            ..Deletion::default()
        },
        last_sweep: reader.last_sweep()?,
    })
}

/// The volumes that the catalog knows, with their room.
///
/// # Errors
/// What SQLite says.
pub fn volumes(reader: &Reader) -> Result<Vec<VolumeStatus>> {
    let status = |row: VolumeRow| {
        let path = PathBuf::from(&row.path);
        let space = crate::base::disk::space(&path)
            .ok()
            .map(|s| (s.free_bytes, s.total_bytes));
        VolumeStatus {
            name: row.name,
            path,
            free_and_total_bytes: space,
            behind_ms: None,
        }
    };
    Ok(reader.volumes()?.into_iter().map(status).collect())
}
