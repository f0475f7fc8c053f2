//! The register of disclosures: what was asked for, by whom, and what became of it; the catalogue; an auditor's marks.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::access::authorise::Authorised;
use crate::access::role::{Act, acts};
use crate::base::error::{Error, Kind, Result};
use crate::base::id::{CameraId, DisclosureId, HoldId};
use crate::base::time::{Span, Wall};
use crate::catalog::{
    DisclosureCamera, DisclosureCursor, DisclosureFilter, DisclosureGap, DisclosureKind,
    DisclosureRow, DisclosureState, Reader, Serial, StepRow,
};
use crate::config::Catalogue;
use crate::disclosure::act::{By, Desk, standing_approvers};
use crate::disclosure::form::Form;
use crate::disclosure::register;
use crate::http::api::coverage::Interval;
use crate::http::api::disclosure_scans::Scan;
use crate::http::api::{holds, words};
use crate::http::app::App;
use crate::http::guard::May;
use crate::http::json::{Body, Json, Search, Segments};
use crate::http::problem::{Answer, Problem, Refusal};

/// Disclosures of one answer, unless fewer are asked for.
const PAGE_MAX: u32 = 200;
const PAGE_DEFAULT: u32 = 50;

/// Does something at the desk of disclosures, off the thread of the sockets.
pub(crate) fn at_desk<T, E: From<Error>>(
    app: &App,
    act: impl FnOnce(&Desk<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let catalogue = Catalogue::load(&app.parts.dir)?;
    let directory = app.parts.access.directory();
    act(&Desk {
        catalog: &app.parts.catalog,
        catalogue: &catalogue,
        directory: &directory,
        after_release_s: app.config().retention.after_release_secs,
        now: app.now(),
    })
}

/// Who acts, by the right that the route asks for.
pub(crate) fn by<A: Act>(who: &Authorised<A>) -> By {
    holds::by(who)
}

/// A disclosure.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct Disclosure {
    /// Its number in addresses: eight digits.
    #[schema(value_type = u32)]
    disclosure: DisclosureId,
    /// What it is.
    #[schema(schema_with = words::disclosure_kind)]
    kind: String,
    /// How far it is.
    #[schema(schema_with = words::disclosure_state)]
    state: String,
    /// Serial number, such as `2026-0042`; absent: a draft.
    #[schema(nullable)]
    serial: Option<String>,
    /// How often its form was saved: goes back with the next save.
    version: u32,
    /// Its fields.
    form: Form,
    /// Who asks: a person's id.
    asked_by: String,
    /// That person's user name, while the box knows it.
    #[schema(nullable)]
    asked_by_name: Option<String>,
    /// When its draft was begun.
    #[schema(value_type = String, format = DateTime)]
    drafted: Wall,
    /// When something about it changed last.
    #[schema(value_type = String, format = DateTime)]
    changed: Wall,
    /// When it was asked for.
    #[schema(value_type = Option<String>, format = DateTime, nullable)]
    requested: Option<Wall>,
    /// It is answered by then, where a law says so.
    #[schema(value_type = Option<String>, format = DateTime, nullable)]
    due: Option<Wall>,
    /// The hold that was placed with it.
    #[schema(value_type = Option<u32>, nullable)]
    hold: Option<HoldId>,
    /// So many persons have to approve.
    #[schema(nullable)]
    approvers: Option<u8>,
    /// What of which camera; of a draft nothing yet.
    cameras: Vec<CameraLine>,
    /// Texts of basis, purpose and recipient as they were when it was decided.
    #[schema(value_type = Option<Object>, nullable)]
    frozen: Option<Value>,
    /// When enough had approved, or it was refused.
    #[schema(value_type = Option<String>, format = DateTime, nullable)]
    decided: Option<Wall>,
    /// When its package was whole.
    #[schema(value_type = Option<String>, format = DateTime, nullable)]
    prepared: Option<Wall>,
    /// SHA-256 of the package's manifest.
    #[schema(nullable)]
    manifest: Option<String>,
    /// When it was handed over, shown or told.
    #[schema(value_type = Option<String>, format = DateTime, nullable)]
    handed_over: Option<Wall>,
    /// When the receipt was confirmed.
    #[schema(value_type = Option<String>, format = DateTime, nullable)]
    received: Option<Wall>,
    /// The house's own copies are destroyed by then.
    #[schema(value_type = Option<String>, format = DateTime, nullable)]
    copies_until: Option<Wall>,
    /// When that was done.
    #[schema(value_type = Option<String>, format = DateTime, nullable)]
    destroyed: Option<Wall>,
}

/// What of a camera is disclosed.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct CameraLine {
    /// The camera.
    #[schema(value_type = String)]
    camera: CameraId,
    /// As it was called when it was asked for.
    name: String,
    /// What was asked for.
    asked: Interval,
    /// What may be given: outward to whole groups of pictures. This is what is approved.
    given: Interval,
    /// What was not recorded in it, or is gone.
    gaps: Vec<GapLine>,
}

/// A part of what was asked for that is not there.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct GapLine {
    /// From when to when.
    #[serde(flatten)]
    span: Interval,
    /// Why: a cause of a gap, or `deleted`.
    cause: String,
}

impl From<DisclosureCamera> for CameraLine {
    fn from(camera: DisclosureCamera) -> Self {
        let gap = |gap: DisclosureGap| GapLine {
            span: gap.span.into(),
            cause: gap.cause,
        };
        Self {
            camera: camera.camera,
            name: camera.name,
            asked: camera.asked.into(),
            given: camera.given.into(),
            gaps: camera.gaps.into_iter().map(gap).collect(),
        }
    }
}

impl Disclosure {
    pub(crate) fn of(app: &App, row: DisclosureRow) -> Result<Self> {
        let name = person_name(app, &row.asked_by);
        let (asked, prepared) = (row.asked, row.prepared);
        Ok(Self {
            disclosure: row.disclosure,
            kind: row.kind.to_string(),
            state: row.state.to_string(),
            version: row.version,
            form: Form::read(&row.form)?,
            asked_by: row.asked_by,
            asked_by_name: name,
            drafted: row.drafted,
            changed: row.changed,
            serial: asked.as_ref().map(|asked| asked.serial.to_string()),
            requested: asked.as_ref().map(|asked| asked.at),
            due: asked.as_ref().and_then(|asked| asked.due),
            hold: asked.as_ref().map(|asked| asked.hold),
            approvers: asked.as_ref().map(|asked| asked.approvers),
            cameras: asked.map_or_else(Vec::new, |asked| {
                asked.cameras.into_iter().map(Into::into).collect()
            }),
            frozen: row.frozen,
            decided: row.decided,
            prepared: prepared.map(|(at, _)| at),
            manifest: prepared.map(|(_, hash)| hash.to_string()),
            handed_over: row.handed_over,
            received: row.received,
            copies_until: row.copies_until,
            destroyed: row.destroyed,
        })
    }
}

/// The user name of a person, while the box knows it.
pub(crate) fn person_name(app: &App, person: &str) -> Option<String> {
    let id = person.parse().ok()?;
    let directory = app.parts.access.directory();
    directory
        .get(id)
        .map(|standing| standing.account.name.clone())
}

/// A disclosure with all that was done with it.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct DisclosureDetail {
    /// It.
    #[serde(flatten)]
    disclosure: Disclosure,
    /// Each step, in order.
    steps: Vec<StepLine>,
    /// What auditors said of it.
    reviews: Vec<ReviewLine>,
    /// The scan of the written request.
    #[schema(nullable)]
    scan: Option<Scan>,
    /// So many persons have approved it and still could.
    approved_by: usize,
    /// Whether each step has its entry in the ledger, unchanged.
    intact: bool,
}

/// A step.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct StepLine {
    /// When it was noted.
    #[schema(value_type = String, format = DateTime)]
    at: Wall,
    /// By whom: a person's id, or `box`.
    by: String,
    /// That person's user name, while the box knows it.
    #[schema(nullable)]
    by_name: Option<String>,
    /// What.
    #[schema(schema_with = words::disclosure_step)]
    step: String,
    /// Number of its entry in the ledger.
    entry: u64,
    /// Why, to whom, how.
    #[schema(value_type = Object)]
    detail: Value,
}

/// What an auditor said.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct ReviewLine {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Wall,
    /// Who: a person's id.
    by: String,
    /// That person's user name, while the box knows it.
    #[schema(nullable)]
    by_name: Option<String>,
    /// What.
    #[schema(nullable)]
    remark: Option<String>,
}

impl DisclosureDetail {
    pub(crate) fn of(app: &App, row: DisclosureRow) -> Result<Self> {
        let reader = app.parts.catalog.reader()?;
        let steps = reader.disclosure_steps(row.disclosure)?;
        let reviews = reader.disclosure_reviews(row.disclosure)?;
        let directory = app.parts.access.directory();
        let approved_by = standing_approvers(&directory, &row, &steps, app.now()).len();
        let intact = register::agreement(&reader, std::slice::from_ref(&row))?
            .wrong
            .is_empty();
        let line = |step: StepRow| StepLine {
            at: step.at,
            by_name: person_name(app, &step.by),
            by: step.by,
            step: step.step.to_string(),
            entry: step.entry,
            detail: step.detail,
        };
        Ok(Self {
            steps: steps.into_iter().map(line).collect(),
            reviews: reviews
                .into_iter()
                .map(|review| ReviewLine {
                    at: review.at,
                    by_name: person_name(app, &review.by),
                    by: review.by,
                    remark: review.remark,
                })
                .collect(),
            scan: Scan::beside(app, &reader, row.disclosure)?,
            approved_by,
            intact: intact && app.parts.catalog.trouble().is_none(),
            disclosure: Disclosure::of(app, row)?,
        })
    }
}

/// Which disclosures.
#[derive(Debug, serde::Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Which {
    /// Of this camera.
    #[param(value_type = Option<String>)]
    camera: Option<CameraId>,
    /// Footage from this instant on.
    #[param(value_type = Option<String>, format = DateTime)]
    footage_start: Option<Wall>,
    /// Footage before this one.
    #[param(value_type = Option<String>, format = DateTime)]
    footage_end: Option<Wall>,
    /// Handed over from this instant on.
    #[param(value_type = Option<String>, format = DateTime)]
    disclosed_start: Option<Wall>,
    /// Handed over before this one.
    #[param(value_type = Option<String>, format = DateTime)]
    disclosed_end: Option<Wall>,
    /// The recipient has this in it.
    #[param(max_length = 200)]
    recipient: Option<String>,
    /// This person asked for it, or did a step of it: an id or a user name.
    #[param(max_length = 64)]
    person: Option<String>,
    /// In one of these states, separated by commas.
    state: Option<String>,
    /// Of one of these kinds, separated by commas.
    kind: Option<String>,
    /// On this legal basis: a code of the catalogue.
    #[param(max_length = 60)]
    basis: Option<String>,
    /// Where the page before said to go on.
    after: Option<String>,
    /// At most so many; default 50.
    #[param(minimum = 1, maximum = 200)]
    count: Option<u32>,
}

fn list_of<T: std::str::FromStr<Err = Error>>(name: &str, text: Option<&str>) -> Answer<Vec<T>> {
    let parts = text.into_iter().flat_map(|text| text.split(','));
    let parsed = parts.filter(|part| !part.is_empty()).map(str::parse);
    parsed
        .collect::<Result<_>>()
        .map_err(|e| Refusal::field(format!("?{name}"), e.to_string()))
}

fn interval(name: &str, start: Option<Wall>, end: Option<Wall>) -> Answer<Option<Span>> {
    if start.is_none() && end.is_none() {
        return Ok(None);
    }
    let span = Span {
        start: start.unwrap_or(Wall(i64::MIN / 2)),
        end: end.unwrap_or(Wall(i64::MAX / 2)),
    };
    if span.start >= span.end {
        return Err(Refusal::field(
            format!("?{name}_end"),
            "it lies after the start",
        ));
    }
    Ok(Some(span))
}

impl Which {
    pub(crate) fn filter(&self, app: &App) -> Answer<DisclosureFilter> {
        let sought = |person: &String| at_desk(app, |desk| Ok::<_, Error>(desk.sought(person)));
        let person = self.person.as_ref().map(sought).transpose()?;
        Ok(DisclosureFilter {
            camera: self.camera.clone(),
            footage: interval("footage", self.footage_start, self.footage_end)?,
            disclosed: interval("disclosed", self.disclosed_start, self.disclosed_end)?,
            recipient: self.recipient.clone(),
            person,
            states: list_of::<DisclosureState>("state", self.state.as_deref())?,
            kinds: list_of::<DisclosureKind>("kind", self.kind.as_deref())?,
            basis: self.basis.clone(),
            ..DisclosureFilter::default()
        })
    }

    fn after(&self) -> Answer<Option<DisclosureCursor>> {
        let Some(text) = &self.after else {
            return Ok(None);
        };
        let read = || {
            let (at, number) = text.split_once('-')?;
            Some(DisclosureCursor {
                at: Wall(at.parse().ok()?),
                disclosure: number.parse().ok()?,
            })
        };
        let wrong = || Refusal::field("?after", "give what the page before said");
        read().map(Some).ok_or_else(wrong)
    }
}

/// A page of the register, the newest first.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct Register {
    /// Those that fit; drafts of one's own too.
    disclosures: Vec<Disclosure>,
    /// Where to go on (`after`); null at the end.
    #[schema(nullable)]
    next: Option<String>,
    /// How many there are that fit.
    found: u64,
    /// How many disclosures were searched: all that one may know of.
    searched: u64,
    /// How far what is said here agrees with the ledger.
    chain: Chain,
}

/// Whether the register agrees with the ledger, and the ledger with itself.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct Chain {
    /// True: the ledger agrees with its last checkpoint, and each step on this page with its entry.
    intact: bool,
    /// Entries of the ledger under the last checkpoint.
    entries: u64,
    /// Entries that were compared for this page.
    compared: u64,
    /// Numbers of entries that are missing or say something else.
    wrong: Vec<u64>,
    /// What is wrong with the ledger as a whole.
    #[schema(nullable)]
    trouble: Option<String>,
}

fn chain(app: &App, reader: &Reader, rows: &[DisclosureRow]) -> Result<Chain> {
    let agreement = register::agreement(reader, rows)?;
    let trouble = app.parts.catalog.trouble();
    Ok(Chain {
        intact: trouble.is_none() && agreement.wrong.is_empty(),
        entries: reader.epoch()?.size,
        compared: agreement.entries,
        wrong: agreement.wrong,
        trouble,
    })
}

/// Searches the register. Auditors and controllers find all of it, others what they did and what waits for their decision.
#[utoipa::path(
    get,
    path = "/api/v1/disclosures",
    tag = "disclosures",
    params(Which),
    responses(
        (status = 200, body = Register),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    May(who): May<acts::Records>,
    Search(which): Search<Which>,
) -> Answer<Json<Register>> {
    let (filter, after) = (which.filter(&app)?, which.after()?);
    let count = which.count.unwrap_or(PAGE_DEFAULT).clamp(1, PAGE_MAX);
    let read = move |app: &App| {
        let filter = at_desk(app, |desk| Ok::<_, Error>(desk.known(&by(&who), filter)))?;
        let reader = app.parts.catalog.reader()?;
        let page = reader.find_disclosures(&filter, after, count)?;
        let chain = chain(app, &reader, &page.rows)?;
        let lines = page.rows.into_iter().map(|row| Disclosure::of(app, row));
        Ok(Register {
            disclosures: lines.collect::<Result<_>>()?,
            next: page
                .next
                .map(|next| format!("{}-{}", next.at.us(), next.disclosure)),
            found: page.found,
            searched: page.searched,
            chain,
        })
    };
    app.blocking(read).await.map(Json)
}

/// Path of a disclosure.
#[derive(Debug, serde::Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct OfDisclosure {
    /// Its number, or its serial number.
    pub(crate) disclosure: String,
}

impl OfDisclosure {
    /// The disclosure with this number, or this serial number.
    pub(crate) fn id(&self, reader: &Reader) -> Result<DisclosureId> {
        if let Ok(serial) = self.disclosure.parse::<Serial>()
            && let Some(row) = reader.disclosure_of(serial)?
        {
            return Ok(row.disclosure);
        }
        self.disclosure.parse().map_err(|_: Error| {
            let text = format!("there is no disclosure {}", self.disclosure);
            Error::new(Kind::NotFound, text)
        })
    }
}

/// One disclosure with its steps. One that may not be known of is not there.
#[utoipa::path(
    get,
    path = "/api/v1/disclosures/{disclosure}",
    tag = "disclosures",
    params(OfDisclosure),
    responses(
        (status = 200, body = DisclosureDetail),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    May(who): May<acts::Records>,
    Segments(of): Segments<OfDisclosure>,
) -> Answer<Json<DisclosureDetail>> {
    let read = move |app: &App| {
        let reader = app.parts.catalog.reader()?;
        let id = of.id(&reader)?;
        let (row, _) = at_desk(app, |desk| desk.find_known(&reader, &by(&who), id))?;
        DisclosureDetail::of(app, row)
    };
    app.blocking(read).await.map(Json)
}

/// An auditor's mark.
#[derive(Debug, serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// What the auditor says of it.
    #[schema(max_length = 1000, nullable)]
    remark: Option<String>,
}

/// Marks a disclosure as reviewed, as an auditor.
#[utoipa::path(
    post,
    path = "/api/v1/disclosures/{disclosure}/review",
    tag = "disclosures",
    params(OfDisclosure),
    request_body = Mark,
    responses(
        (status = 200, body = DisclosureDetail),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn review(
    State(app): State<Arc<App>>,
    May(who): May<acts::Records>,
    Segments(of): Segments<OfDisclosure>,
    Body(mark): Body<Mark>,
) -> Answer<(StatusCode, Json<DisclosureDetail>)> {
    let review = move |app: &App| {
        let id = of.id(&app.parts.catalog.reader()?)?;
        let row = at_desk(app, |desk| {
            desk.review(&by(&who), id, mark.remark.as_deref())
        })?;
        DisclosureDetail::of(app, row)
    };
    let body = app.blocking(review).await?;
    Ok((StatusCode::OK, Json(body)))
}
