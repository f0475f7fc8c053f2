//! The form of a disclosure as it is typed, and what it is once it is whole: a [`DisclosureRequest`], which exists only if valid.

use std::collections::BTreeSet;

use chrono::{Months, NaiveDate};
use serde_json::Value;

use crate::base::error::{Error, Kind, Result};
use crate::base::id::{CameraId, HoldId};
use crate::base::time::{Span, Wall};
use crate::catalog::{DisclosureKind, Language};
use crate::config::{Catalogue, Choice, KindRules};
use crate::disclosure::unfit;

/// Most cameras of one disclosure.
pub const CAMERAS_MAX: usize = 16;
/// The longest interval, in microseconds: 31 days.
pub const SPAN_US_MAX: i64 = 31 * 86_400_000_000;
const LINE_CHARS_MAX: usize = 200;
const TEXT_CHARS_MAX: usize = 2000;

/// The fields of a disclosure as they were typed: a draft has some of them.
#[derive(
    Clone, PartialEq, Debug, Default, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
)]
#[serde(deny_unknown_fields, default)]
pub struct Form {
    /// When the request came in.
    #[schema(value_type = Option<String>, format = DateTime, nullable)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub received: Option<Wall>,
    /// How it came in: in person, by letter, by encrypted mail.
    #[schema(max_length = 200, nullable)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// What the recipient is: a code of the catalogue.
    #[schema(max_length = 200, nullable)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient: Option<String>,
    /// The recipient's organisation.
    #[schema(max_length = 200, nullable)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation: Option<String>,
    /// The person who receives it. Never a personal identity code.
    #[schema(max_length = 200, nullable)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// That person's rank or position.
    #[schema(max_length = 200, nullable)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank: Option<String>,
    /// That person's unit.
    #[schema(max_length = 200, nullable)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Where that person is reached: a number that was looked up, not one that was given.
    #[schema(max_length = 200, nullable)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// How it was checked who asks. The number of a document is not kept.
    #[schema(max_length = 200, nullable)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verified_how: Option<String>,
    /// Number of the investigation or case: 5560/R/1234/26.
    #[schema(max_length = 200, nullable)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case_number: Option<String>,
    /// Why there is none.
    #[schema(max_length = 200, nullable)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case_absent: Option<String>,
    /// Legal basis: a code of the catalogue.
    #[schema(max_length = 200, nullable)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basis: Option<String>,
    /// Purpose: a code of the catalogue.
    #[schema(max_length = 200, nullable)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// Why just these cameras and this interval are needed.
    #[schema(max_length = 2000, nullable)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub necessity: Option<String>,
    /// How the data subject is told from others in the picture.
    #[schema(max_length = 2000, nullable)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub appearance: Option<String>,
    /// Ids of the cameras.
    #[schema(value_type = Vec<String>, max_items = 16)]
    pub cameras: Vec<CameraId>,
    /// First instant that is asked for.
    #[schema(value_type = Option<String>, format = DateTime, nullable)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<Wall>,
    /// First instant that is not.
    #[schema(value_type = Option<String>, format = DateTime, nullable)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<Wall>,
    /// The hold for whose case footage is given whose ordinary time is over: its number.
    #[schema(value_type = Option<u32>, nullable)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<HoldId>,
    /// Those whom it is about are not told for now.
    pub secret: bool,
    /// Who asked for secrecy, and until when.
    #[schema(max_length = 200, nullable)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_reason: Option<String>,
    /// Language of the documents: fi, sv or en. Default: that of who asks.
    #[schema(value_type = Option<String>, nullable)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// A copy for viewing is put beside an original in H.265.
    pub viewing_copy: bool,
}

/// What is wrong with a field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Its name, as [`Form`] writes it.
    pub field: &'static str,
    /// What.
    pub what: String,
}

/// Why a disclosure was not asked for.
#[derive(Debug)]
pub enum Refused {
    /// Fields are missing or wrong: each by its name.
    Fields(Vec<Fault>),
    /// Something else.
    Failed(Error),
}

impl From<Error> for Refused {
    fn from(e: Error) -> Self {
        Self::Failed(e)
    }
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Failed(e) => e,
            Refused::Fields(faults) => {
                let lines = faults.iter().map(|f| format!("{}: {}", f.field, f.what));
                Self::invalid(lines.collect::<Vec<_>>().join("; "))
            }
        }
    }
}

impl Form {
    /// From a row.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] when it is none.
    pub fn read(form: &Value) -> Result<Self> {
        serde_json::from_value(form.clone())
            .map_err(|e| Error::corrupt(format!("the form of a disclosure: {e}")))
    }

    /// For a row.
    ///
    /// # Errors
    /// [`Kind::Internal`] when it cannot be written.
    pub fn write(&self) -> Result<Value> {
        serde_json::to_value(self).map_err(|e| Error::new(Kind::Internal, e.to_string()))
    }

    /// The fields in which anything can be typed, with how long each may be.
    fn texts(&mut self) -> [(&'static str, &mut Option<String>, usize); 15] {
        [
            ("channel", &mut self.channel, LINE_CHARS_MAX),
            ("recipient", &mut self.recipient, LINE_CHARS_MAX),
            ("organisation", &mut self.organisation, LINE_CHARS_MAX),
            ("person", &mut self.person, LINE_CHARS_MAX),
            ("rank", &mut self.rank, LINE_CHARS_MAX),
            ("unit", &mut self.unit, LINE_CHARS_MAX),
            ("contact", &mut self.contact, LINE_CHARS_MAX),
            ("verified_how", &mut self.verified_how, LINE_CHARS_MAX),
            ("case_number", &mut self.case_number, LINE_CHARS_MAX),
            ("case_absent", &mut self.case_absent, LINE_CHARS_MAX),
            ("basis", &mut self.basis, LINE_CHARS_MAX),
            ("purpose", &mut self.purpose, LINE_CHARS_MAX),
            ("necessity", &mut self.necessity, TEXT_CHARS_MAX),
            ("appearance", &mut self.appearance, TEXT_CHARS_MAX),
            ("secret_reason", &mut self.secret_reason, LINE_CHARS_MAX),
        ]
    }

    /// As it is kept: without blanks around, empty fields left out. What must not be kept, also of a draft, is told.
    ///
    /// # Errors
    /// Fields that are too long, or have in them what is not kept.
    pub fn tidy(mut self) -> Result<Self, Refused> {
        let mut faults = Vec::new();
        for (field, text, chars_max) in self.texts() {
            let trimmed = text.take().map(|text| text.trim().to_owned());
            *text = trimmed.filter(|text| !text.is_empty());
            let Some(text) = text else { continue };
            if let Some(what) = text_fault(text, chars_max) {
                faults.push(Fault { field, what });
            }
        }
        let before = self.cameras.len();
        self.cameras = BTreeSet::from_iter(self.cameras).into_iter().collect();
        if before > CAMERAS_MAX {
            faults.push(fault(
                "cameras",
                format!("at most {CAMERAS_MAX} cameras at a time"),
            ));
        }
        if faults.is_empty() {
            Ok(self)
        } else {
            Err(Refused::Fields(faults))
        }
    }
}

/// What is wrong with a free text.
pub(super) fn text_fault(text: &str, chars_max: usize) -> Option<String> {
    if text.chars().count() > chars_max {
        return Some(format!("it has more than {chars_max} characters"));
    }
    if text.contains(|c: char| c.is_control() && c != '\n') {
        return Some("it has control characters".to_owned());
    }
    unfit::find(text).map(str::to_owned)
}

fn fault(field: &'static str, what: impl Into<String>) -> Fault {
    Fault {
        field,
        what: what.into(),
    }
}

/// What is asked for, whole: every field that the kind asks for is there, and every code is one that may be chosen today.
#[derive(Clone, Debug)]
pub struct DisclosureRequest {
    /// What it is.
    pub kind: DisclosureKind,
    /// Its fields.
    pub form: Form,
    /// Legal basis.
    pub basis: Choice,
    /// Purpose.
    pub purpose: Choice,
    /// What the recipient is.
    pub recipient: Choice,
    /// Which cameras; at least one.
    pub cameras: Vec<CameraId>,
    /// What of them.
    pub span: Span,
    /// It is answered by then, when a law says so.
    pub due: Option<Wall>,
}

impl DisclosureRequest {
    /// Reads a form on the day `today` at the site, at `now`.
    ///
    /// # Errors
    /// Every field that is missing or wrong.
    pub fn parse(
        kind: DisclosureKind,
        form: Form,
        catalogue: &Catalogue,
        (today, now): (NaiveDate, Wall),
    ) -> Result<Self, Refused> {
        let form = form.tidy()?;
        let rules = catalogue.kind(kind.as_str());
        let rules =
            rules.ok_or_else(|| Error::corrupt(format!("the catalogue has no kind {kind}")))?;
        let mut faults = missing(&form, rules);
        if form.received.is_some_and(|at| at > now) {
            faults.push(fault("received", "it lies in the future"));
        }
        if form.secret && form.secret_reason.is_none() {
            faults.push(fault(
                "secret_reason",
                "say who asked for secrecy, and until when",
            ));
        }
        let mut choose = |field, code: &Option<String>, list: &[Choice]| {
            let open = |choice: &&Choice| {
                code.as_deref() == Some(&*choice.code) && choice.is_open(kind.as_str(), today)
            };
            let found = list.iter().find(open).cloned();
            if found.is_none() {
                faults.push(fault(
                    field,
                    match code {
                        None => "it is missing".to_owned(),
                        Some(code) => format!("{code:?} may not be chosen for {kind} today"),
                    },
                ));
            }
            found
        };
        let basis = choose("basis", &form.basis, &catalogue.bases);
        let purpose = choose("purpose", &form.purpose, &catalogue.purposes);
        let recipient = choose("recipient", &form.recipient, &catalogue.recipients);
        if form.cameras.is_empty() {
            faults.push(fault("cameras", "it is missing"));
        }
        let span = interval(&form, now, &mut faults);
        match (basis, purpose, recipient, span) {
            (Some(basis), Some(purpose), Some(recipient), Some(span)) if faults.is_empty() => {
                let months = rules.answer_within_months;
                let due = months
                    .zip(form.received)
                    .and_then(|(months, at)| months_after(at, months));
                Ok(Self {
                    kind,
                    basis,
                    purpose,
                    recipient,
                    cameras: form.cameras.clone(),
                    span,
                    due,
                    form,
                })
            }
            _ => Err(Refused::Fields(faults)),
        }
    }

    /// So many persons have to approve, besides whoever asks.
    pub fn approvers(&self) -> u8 {
        self.basis
            .approvers
            .max(self.purpose.approvers)
            .max(self.recipient.approvers)
    }

    /// Who receives it, in small letters.
    pub fn sought(&self) -> String {
        let form = &self.form;
        let parts = [&form.organisation, &form.unit, &form.rank, &form.person];
        let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
        let text = if parts.is_empty() {
            self.recipient.code.to_lowercase()
        } else {
            parts.join(" ").to_lowercase()
        };
        text.chars().take(1000).collect()
    }
}

/// The same day of a later month (Regulation (EEC, Euratom) No 1182/71, Article 3); its last day where there is no such day.
fn months_after(at: Wall, months: u32) -> Option<Wall> {
    let later = at.to_utc().checked_add_months(Months::new(months))?;
    Some(Wall(later.timestamp_micros()))
}

fn interval(form: &Form, now: Wall, faults: &mut Vec<Fault>) -> Option<Span> {
    let before = faults.len();
    if form.start.is_none() {
        faults.push(fault("start", "it is missing"));
    }
    match (form.start, form.end) {
        (_, None) => faults.push(fault("end", "it is missing")),
        (_, Some(end)) if end > now => faults.push(fault("end", "it lies in the future")),
        (Some(start), Some(end)) if end <= start => {
            faults.push(fault("end", "it lies after the start"));
        }
        (Some(start), Some(end)) if end.us_since(start) > SPAN_US_MAX => {
            faults.push(fault("end", "at most 31 days at a time"));
        }
        _ => {}
    }
    let (start, end) = form.start.zip(form.end)?;
    (faults.len() == before).then_some(Span { start, end })
}

/// Fields that the kind asks for and that are not there.
fn missing(form: &Form, rules: &KindRules) -> Vec<Fault> {
    let is_there = |field: &str| match field {
        "received" => form.received.is_some(),
        "channel" => form.channel.is_some(),
        "organisation" => form.organisation.is_some(),
        "person" => form.person.is_some(),
        "rank" => form.rank.is_some(),
        "unit" => form.unit.is_some(),
        "contact" => form.contact.is_some(),
        "verified_how" => form.verified_how.is_some(),
        "case_number" => form.case_number.is_some() || form.case_absent.is_some(),
        "necessity" => form.necessity.is_some(),
        "appearance" => form.appearance.is_some(),
        _ => false,
    };
    let asked = crate::config::DISCLOSURE_FIELDS.into_iter();
    asked
        .filter(|field| rules.mandatory.contains(*field) && !is_there(field))
        .map(|field| match field {
            "case_number" => fault(
                field,
                "it is missing; or say in case_absent why there is none",
            ),
            _ => fault(field, "it is missing"),
        })
        .collect()
}
