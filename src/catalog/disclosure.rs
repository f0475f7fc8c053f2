//! Disclosures as rows: what was asked for, how far it is, and each step. Reading them.
//!
//! What does not belong here: changing them (`disclosure_change`), searching them (`disclosure_find`), packages
//! (`disclosure_package`), what the fields of a form mean (`disclosure`, layer 5).

use std::fmt;
use std::str::FromStr;

use rusqlite::{OptionalExtension, Row};
use serde_json::Value;

use crate::base::error::{Error, Result};
use crate::base::hash::Digest;
use crate::base::id::{CameraId, DisclosureId, HoldId};
use crate::base::time::{Span, Wall};
use crate::catalog::closed::closed_texts;
use crate::catalog::column::Columns;
use crate::catalog::event;
use crate::catalog::reader::Reader;

closed_texts! {
    /// What a disclosure is.
    DisclosureKind, "kind of disclosure" {
        /// A copy for an authority that asked for it.
        AuthorityRequest = "authority-request",
        /// A copy that the controller gives an authority of its own accord: it reports an offence.
        OwnInitiative = "own-initiative",
        /// A copy that an authority takes: seizure.
        Seizure = "seizure",
        /// Somebody is shown it on the spot. No copy is made.
        Viewing = "viewing",
        /// Somebody is told what is to be seen. No copy is made.
        Oral = "oral",
        /// A copy for the data subject who asked for it (GDPR 15).
        AccessRequest = "access-request",
        /// A copy for a supervisor in the house.
        Internal = "internal",
        /// A copy for maintenance, or to clear up a false alarm.
        Maintenance = "maintenance",
    }
}

impl DisclosureKind {
    /// True when a package is made for it.
    pub const fn has_file(self) -> bool {
        !matches!(self, Self::Viewing | Self::Oral)
    }
}

closed_texts! {
    /// How far a disclosure is.
    DisclosureState, "state of a disclosure" {
        /// Its form is being filled in. It has no serial number.
        Draft = "draft",
        /// It waits for a decision; its footage is held.
        Requested = "requested",
        /// Enough persons approved it.
        Approved = "approved",
        /// It was refused.
        Refused = "refused",
        /// Its package is whole.
        Prepared = "prepared",
        /// It was handed over, shown or told.
        HandedOver = "handed-over",
        /// The receipt is confirmed.
        Received = "received",
        /// The house's own copies are destroyed.
        Destroyed = "destroyed",
        /// Whoever asked for it took it back before it was handed over.
        Withdrawn = "withdrawn",
    }
}

impl DisclosureState {
    /// True when a disclosure of `kind` may go from here to `next`. What is not written here cannot happen.
    pub const fn leads_to(self, next: Self, kind: DisclosureKind) -> bool {
        match (self, next) {
            (Self::Draft, Self::Requested)
            | (Self::Requested, Self::Approved | Self::Refused)
            | (Self::Requested | Self::Approved | Self::Prepared, Self::Withdrawn)
            | (Self::HandedOver, Self::Received) => true,
            // A package may be made anew before it is handed over: on another medium, under another passphrase.
            (Self::Approved | Self::Prepared, Self::Prepared)
            | (Self::Prepared, Self::HandedOver)
            | (Self::Received, Self::Destroyed) => kind.has_file(),
            (Self::Approved, Self::HandedOver) => !kind.has_file(),
            _ => false,
        }
    }

    /// True when nothing follows any more for a disclosure of `kind`.
    pub const fn is_last(self, kind: DisclosureKind) -> bool {
        match self {
            Self::Refused | Self::Withdrawn | Self::Destroyed => true,
            Self::Received => !kind.has_file(),
            _ => false,
        }
    }
}

closed_texts! {
    /// What was done with a disclosure.
    DisclosureStep, "step of a disclosure" {
        /// Its draft was begun.
        Drafted = "drafted",
        /// It was asked for.
        Requested = "requested",
        /// A person approved it.
        Approved = "approved",
        /// A person refused it.
        Refused = "refused",
        /// It was taken back.
        Withdrawn = "withdrawn",
        /// Its package was made.
        Prepared = "prepared",
        /// It was handed over, shown or told.
        HandedOver = "handed-over",
        /// The receipt was confirmed.
        Received = "received",
        /// The house's own copies were destroyed.
        Destroyed = "destroyed",
    }
}

/// Year at the site, and number in it. It is given when a disclosure is asked for, and never twice. Text form: `2026-0042`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Serial {
    /// The year, 2000 to 9999.
    pub year: u16,
    /// From 1, without holes but those after a restore.
    pub number: u32,
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:04}", self.year, self.number)
    }
}

impl FromStr for Serial {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        let read = || {
            let (year, number) = text.split_once('-')?;
            let good = year.len() == 4 && number.len() >= 4 && digits(year) && digits(number);
            let year = year.parse().ok().filter(|y| good && *y >= 2000)?;
            let number = number.parse().ok().filter(|n| *n > 0)?;
            Some(Self { year, number })
        };
        read().ok_or_else(|| {
            Error::invalid(format!(
                "\"{text}\" is no serial number; it is written 2026-0042"
            ))
        })
    }
}

impl serde::Serialize for Serial {
    fn serialize<S: serde::Serializer>(&self, ser: S) -> Result<S::Ok, S::Error> {
        ser.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Serial {
    fn deserialize<D: serde::Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
        String::deserialize(de)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// A disclosure.
#[derive(Clone, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
pub struct DisclosureRow {
    /// Its number in addresses.
    pub disclosure: DisclosureId,
    /// What it is.
    pub kind: DisclosureKind,
    /// How far it is.
    pub state: DisclosureState,
    /// How often its form was saved.
    pub version: u32,
    /// Its fields.
    pub form: Value,
    /// True when those whom it is about are not told for now.
    pub secret: bool,
    /// Who asks: a person's id.
    pub asked_by: String,
    /// When it was begun.
    pub drafted: Wall,
    /// When something about it changed last.
    pub changed: Wall,
    /// What it has since it was asked for; `None`: a draft.
    pub asked: Option<Asked>,
    /// The catalogue's texts as they were when it was decided; `None`: it is not.
    pub frozen: Option<Value>,
    /// When enough had approved, or it was refused.
    pub decided: Option<Wall>,
    /// When its package was whole, and SHA-256 of the manifest.
    pub prepared: Option<(Wall, Digest)>,
    /// When it was handed over, shown or told.
    pub handed_over: Option<Wall>,
    /// When the receipt was confirmed.
    pub received: Option<Wall>,
    /// The house's own copies are destroyed by then; `None`: it was not handed over, or there is no file.
    pub copies_until: Option<Wall>,
    /// When that was done.
    pub destroyed: Option<Wall>,
}

impl DisclosureRow {
    /// A draft that nobody has changed since, by a person's id, at that time.
    pub fn draft(
        disclosure: DisclosureId,
        kind: DisclosureKind,
        form: Value,
        (by, at): (&str, Wall),
    ) -> Self {
        Self {
            disclosure,
            kind,
            state: DisclosureState::Draft,
            version: 1,
            form,
            secret: false,
            asked_by: by.to_owned(),
            drafted: at,
            changed: at,
            asked: None,
            frozen: None,
            decided: None,
            prepared: None,
            handed_over: None,
            received: None,
            copies_until: None,
            destroyed: None,
        }
    }
}

/// What a disclosure has since it was asked for.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Asked {
    /// Its serial number.
    pub serial: Serial,
    /// When.
    pub at: Wall,
    /// It is answered by then, when a law says so.
    pub due: Option<Wall>,
    /// The hold that was placed with it.
    pub hold: HoldId,
    /// Legal basis, by its code in the catalogue.
    pub basis: String,
    /// Purpose, by its code in the catalogue.
    pub purpose: String,
    /// Who receives it, in small letters, for searching.
    pub recipient: String,
    /// So many persons have to approve: 1 or 2.
    pub approvers: u8,
    /// What of which camera, by the camera's id.
    pub cameras: Vec<DisclosureCamera>,
}

/// What of a camera is disclosed.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct DisclosureCamera {
    /// The camera.
    pub camera: CameraId,
    /// As it was called then.
    pub name: String,
    /// What was asked for.
    pub asked: Span,
    /// What may be given: outward to whole GOPs of the full picture. This is what is approved.
    pub given: Span,
    /// What was not recorded in it, as it was known then.
    pub gaps: Vec<DisclosureGap>,
}

/// A part of what was asked for that was not recorded, or is not there any more.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct DisclosureGap {
    /// From when to when.
    #[serde(flatten)]
    pub span: Span,
    /// Why, as [`crate::catalog::GapCause`] writes it; `deleted` for what was there.
    pub cause: String,
}

/// One thing that was done with a disclosure.
#[derive(Clone, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
pub struct StepRow {
    /// From 1.
    pub number: u32,
    /// When.
    pub at: Wall,
    /// Who: a person's id, or `box`.
    pub by: String,
    /// What.
    pub step: DisclosureStep,
    /// Number of its entry in the ledger.
    pub entry: u64,
    /// Why, to whom, how.
    pub detail: Value,
}

/// What an auditor said of a disclosure.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct ReviewRow {
    /// When.
    pub at: Wall,
    /// Who: a person's id.
    pub by: String,
    /// What.
    pub remark: Option<String>,
}

/// The columns that [`read`] reads, in its order.
pub(super) const COLUMNS: &str = "disclosure.id, kind, state, version, form, secret, asked_by, drafted_us, changed_us, year, number,
     requested_us, due_us, hold, basis, purpose, recipient, approvers, frozen, decided_us, prepared_us, manifest, handed_us,
     received_us, copies_us, destroyed_us";

/// A row, but for its cameras.
pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<DisclosureRow> {
    let mut columns = Columns::of(row);
    let mut found = DisclosureRow {
        disclosure: columns.get()?,
        kind: columns.get()?,
        state: columns.get()?,
        version: columns.get()?,
        form: json(&mut columns)?.unwrap_or_default(),
        secret: columns.get()?,
        asked_by: columns.get()?,
        drafted: columns.get()?,
        changed: columns.get()?,
        asked: None,
        frozen: None,
        decided: None,
        prepared: None,
        handed_over: None,
        received: None,
        copies_until: None,
        destroyed: None,
    };
    let serial = columns.get::<Option<u16>>()?.zip(columns.get()?);
    let (at, due): (Option<Wall>, Option<Wall>) = (columns.get()?, columns.get()?);
    let hold: Option<HoldId> = columns.get()?;
    let (basis, purpose) = (columns.get::<Option<_>>()?, columns.get::<Option<_>>()?);
    let (recipient, approvers) = (columns.get::<Option<_>>()?, columns.get::<Option<_>>()?);
    if let (Some((year, number)), Some(at), Some(hold)) = (serial, at, hold) {
        found.asked = Some(Asked {
            serial: Serial { year, number },
            at,
            due,
            hold,
            basis: basis.unwrap_or_default(),
            purpose: purpose.unwrap_or_default(),
            recipient: recipient.unwrap_or_default(),
            approvers: approvers.unwrap_or(1),
            cameras: Vec::new(),
        });
    }
    found.frozen = json(&mut columns)?;
    found.decided = columns.get()?;
    found.prepared = columns.get::<Option<Wall>>()?.zip(columns.get()?);
    found.handed_over = columns.get()?;
    found.received = columns.get()?;
    found.copies_until = columns.get()?;
    found.destroyed = columns.get()?;
    Ok(found)
}

fn json(columns: &mut Columns<'_>) -> rusqlite::Result<Option<Value>> {
    let text: Option<String> = columns.get()?;
    text.map(|text| event::parse(&text).map_err(rusqlite::types::FromSqlError::other))
        .transpose()
        .map_err(rusqlite::Error::from)
}

impl Reader {
    /// One disclosure.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn disclosure(&self, disclosure: DisclosureId) -> Result<Option<DisclosureRow>> {
        let found = self
            .db
            .prepare_cached(&format!("select {COLUMNS} from disclosure where id = ?"))?
            .query_row([disclosure], read)
            .optional()?;
        found.map(|row| self.with_cameras(row)).transpose()
    }

    /// The disclosure with this serial number.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn disclosure_of(&self, serial: Serial) -> Result<Option<DisclosureRow>> {
        let found = self
            .db
            .prepare_cached(&format!(
                "select {COLUMNS} from disclosure where year = ? and number = ?"
            ))?
            .query_row((serial.year, serial.number), read)
            .optional()?;
        found.map(|row| self.with_cameras(row)).transpose()
    }

    /// The number that the next disclosure of `year` gets.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn next_serial(&self, year: u16) -> Result<Serial> {
        let last: Option<u32> = self
            .db
            .prepare_cached("select last from disclosure_serial where year = ?")?
            .query_row([year], |row| row.get(0))
            .optional()?;
        Ok(Serial {
            year,
            number: last.unwrap_or(0) + 1,
        })
    }

    /// The row with what of which camera it is about.
    pub(super) fn with_cameras(&self, mut row: DisclosureRow) -> Result<DisclosureRow> {
        if let Some(asked) = &mut row.asked {
            asked.cameras = self.disclosed_cameras(row.disclosure)?;
        }
        Ok(row)
    }

    fn disclosed_cameras(&self, disclosure: DisclosureId) -> Result<Vec<DisclosureCamera>> {
        let mut statement = self.db.prepare_cached(
            "select camera, name, asked_start_us, asked_end_us, given_start_us, given_end_us, gaps
             from disclosure_camera where disclosure = ? order by camera",
        )?;
        let mut rows = statement.query([disclosure])?;
        let mut cameras = Vec::new();
        while let Some(row) = rows.next()? {
            let mut columns = Columns::of(row);
            let mut camera = DisclosureCamera {
                camera: columns.get()?,
                name: columns.get()?,
                asked: span(&mut columns)?,
                given: span(&mut columns)?,
                gaps: Vec::new(),
            };
            let gaps: String = columns.get()?;
            camera.gaps = serde_json::from_str(&gaps)
                .map_err(|e| Error::corrupt(format!("the gaps of a disclosure: {e}")))?;
            cameras.push(camera);
        }
        Ok(cameras)
    }

    /// What was done with a disclosure, in order.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn disclosure_steps(&self, disclosure: DisclosureId) -> Result<Vec<StepRow>> {
        let mut statement = self.db.prepare_cached(
            "select number, at_us, person, step, entry, detail from disclosure_step where disclosure = ? order by number",
        )?;
        let rows = statement.query_map([disclosure], |row| {
            let mut columns = Columns::of(row);
            Ok(StepRow {
                number: columns.get()?,
                at: columns.get()?,
                by: columns.get()?,
                step: columns.get()?,
                entry: columns.count()?,
                detail: json(&mut columns)?.unwrap_or_default(),
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// What auditors said of a disclosure, in order.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn disclosure_reviews(&self, disclosure: DisclosureId) -> Result<Vec<ReviewRow>> {
        let mut statement = self.db.prepare_cached(
            "select at_us, person, remark from disclosure_review where disclosure = ? order by number",
        )?;
        let rows = statement.query_map([disclosure], |row| {
            let mut columns = Columns::of(row);
            Ok(ReviewRow {
                at: columns.get()?,
                by: columns.get()?,
                remark: columns.get()?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

fn span(columns: &mut Columns<'_>) -> rusqlite::Result<Span> {
    Ok(Span {
        start: columns.get()?,
        end: columns.get()?,
    })
}
