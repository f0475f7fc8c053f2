//! Questions about the recorder and their answers: the same whether the running daemon is asked over its socket or
//! a command reads the catalog itself while none runs.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::base::error::{Error, Kind, Result};
use crate::base::id::{GenerationId, PersonId, StreamId};
use crate::base::time::{Span, Wall};
use crate::catalog::{
    Coverage, Event, GenerationRow, PersonRow, Reader, SegmentRow, Totals, VolumeRow, WrapRow,
};
use crate::recorder::board::{Growing, Line};

/// Most rows of one answer.
const ROWS_MAX: usize = 100_000;

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
    },
    /// A person's row and wraps.
    Person {
        /// The personal user name; the only person when left out.
        name: Option<String>,
    },
    /// The wrap of a generation to the recovery identity.
    Recovery {
        /// The generation.
        generation: GenerationId,
    },
    /// Note an event.
    Note {
        /// The event.
        event: Box<Event>,
    },
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
    /// To [`Ask::Person`].
    Person {
        /// The person.
        person: PersonRow,
        /// What the person opens.
        wraps: Vec<WrapRow>,
        /// All generations.
        generations: Vec<GenerationRow>,
    },
    /// To [`Ask::Recovery`].
    Recovery {
        /// The wrap, if there is one.
        wrap: Option<WrapRow>,
        /// All generations.
        generations: Vec<GenerationRow>,
    },
    /// Done.
    Done,
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

/// Answers what the catalog alone knows.
///
/// # Errors
/// [`Kind::NotFound`] for an unknown person; [`Kind::Full`] for a span with too many segments; what SQLite says.
pub fn from_catalog(reader: &Reader, ask: &Ask, now: Wall) -> Result<Answer> {
    match ask {
        Ask::Status => Ok(Answer::Status(Box::new(Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            volumes: volumes(reader)?,
            ..Status::default()
        }))),
        Ask::Streams => {
            let rows = reader.streams()?;
            let with_totals = rows.into_iter().map(|row| {
                let totals = reader.totals(&row.stream)?;
                Ok(StreamTotals {
                    stream: row.stream,
                    first_seen: row.first_seen,
                    totals,
                })
            });
            Ok(Answer::Streams {
                streams: with_totals.collect::<Result<_>>()?,
            })
        }
        Ask::Footage { stream, span } => {
            let segments = reader.segments(stream, *span)?;
            if segments.len() > ROWS_MAX {
                return Err(Error::new(
                    Kind::Full,
                    format!("more than {ROWS_MAX} segments; ask for a shorter span"),
                ));
            }
            let coverage = reader.coverage(stream, *span, now)?;
            Ok(Answer::Footage(Box::new(Footage {
                segments,
                growing: None,
                coverage,
                volumes: reader.volumes()?,
            })))
        }
        Ask::Person { name } => person(reader, name.as_deref()),
        Ask::Recovery { generation } => Ok(Answer::Recovery {
            wrap: reader.wrap_for_recovery(*generation)?,
            generations: reader.generations()?,
        }),
        Ask::Note { .. } => Err(Error::new(
            Kind::Internal,
            "an event cannot be noted by a reader",
        )),
    }
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
        }
    };
    Ok(reader.volumes()?.into_iter().map(status).collect())
}

fn person(reader: &Reader, name: Option<&str>) -> Result<Answer> {
    let person = match name {
        Some(name) => reader
            .person(name)?
            .ok_or_else(|| Error::new(Kind::NotFound, format!("there is no person \"{name}\"")))?,
        None => {
            let mut persons = reader.persons()?;
            match (persons.pop(), persons.is_empty()) {
                (Some(only), true) => only,
                (None, _) => return Err(Error::new(Kind::NotFound, "nobody can open footage yet")),
                (Some(_), false) => {
                    return Err(Error::invalid(
                        "there are several persons; say which with --person NAME",
                    ));
                }
            }
        }
    };
    let id: PersonId = person.person;
    Ok(Answer::Person {
        person,
        wraps: reader.wraps(id)?,
        generations: reader.generations()?,
    })
}
