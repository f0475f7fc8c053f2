//! What one asks for: the catalogue of what can be chosen, snapping an interval, drafts that save themselves, and asking.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use utoipa::ToSchema;

use crate::access::authorise::Authorised;
use crate::access::role::acts;
use crate::base::error::{Error, Kind, Result};
use crate::base::id::{CameraId, DisclosureId, HoldId};
use crate::base::time::{Span, Wall};
use crate::catalog::DisclosureKind;
use crate::config::{Catalogue, Choice, Texts};
use crate::disclosure::form::{CAMERAS_MAX, Fault, Form, Refused, SPAN_US_MAX};
use crate::disclosure::snap::{Snap, Snapped};
use crate::http::api::disclosures::{
    CameraLine, Disclosure, DisclosureDetail, OfDisclosure, at_desk, by,
};
use crate::http::api::words;
use crate::http::app::App;
use crate::http::guard::May;
use crate::http::json::{Body, Json, Segments};
use crate::http::problem::{Answer, FieldError, Problem, Refusal};
use crate::retention::reading;

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Failed(e) => e.into(),
            Refused::Fields(faults) => {
                let line = |fault: Fault| FieldError {
                    pointer: format!("/form/{}", fault.field),
                    detail: fault.what,
                };
                Self::fields(faults.into_iter().map(line).collect())
            }
        }
    }
}

/// Does something off the thread of the sockets that may refuse fields.
async fn blocking<T: Send + 'static>(
    app: &Arc<App>,
    act: impl FnOnce(&App) -> Result<T, Refused> + Send + 'static,
) -> Answer<T> {
    let done = app.blocking(move |app| Ok(act(app))).await?;
    done.map_err(Into::into)
}

/// What can be chosen.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct CatalogueAnswer {
    /// As its writer names it: a date.
    version: String,
    /// What stands beside every legal basis.
    note: TextsLine,
    /// Legal bases.
    bases: Vec<ChoiceLine>,
    /// Purposes.
    purposes: Vec<ChoiceLine>,
    /// Types of recipients.
    recipients: Vec<ChoiceLine>,
    /// What each kind has to say.
    kinds: Vec<KindLine>,
}

/// A text in three languages.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct TextsLine {
    /// Finnish.
    fi: String,
    /// Swedish.
    sv: String,
    /// English.
    en: String,
}

impl From<Texts> for TextsLine {
    fn from(texts: Texts) -> Self {
        let Texts { fi, sv, en } = texts;
        Self { fi, sv, en }
    }
}

/// Something that can be chosen.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct ChoiceLine {
    /// What a form names it by.
    code: String,
    /// For which kinds.
    kinds: Vec<String>,
    /// It may be chosen today.
    open: bool,
    /// How many persons have to approve.
    approvers: u8,
    /// What it says.
    texts: TextsLine,
}

/// What a kind of disclosure has to say.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct KindLine {
    /// Which.
    #[schema(schema_with = words::disclosure_kind)]
    kind: String,
    /// Fields without which it cannot be asked for, besides `basis`, `purpose`, `recipient`, `cameras`, `start` and `end`.
    /// `case_number` may be left out when `case_absent` says why.
    mandatory: Vec<String>,
    /// A package is made for it.
    file: bool,
    /// It is decided by a controller.
    controller: bool,
    /// It is answered within so many months.
    #[schema(nullable)]
    answer_within_months: Option<u32>,
    /// What it is called.
    texts: TextsLine,
}

/// What can be chosen for a disclosure, and what each kind has to say.
#[utoipa::path(
    get,
    path = "/api/v1/catalogue",
    tag = "disclosures",
    responses(
        (status = 200, body = CatalogueAnswer),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn catalogue(
    State(app): State<Arc<App>>,
    May(_): May<acts::Records>,
) -> Answer<Json<CatalogueAnswer>> {
    app.blocking(read_catalogue).await.map(Json)
}

fn read_catalogue(app: &App) -> Result<CatalogueAnswer> {
    let catalogue = Catalogue::load(&app.parts.dir)?;
    let today = app.config().site.zone.date(app.now());
    let choice = |choice: Choice| {
        let kinds: Vec<String> = choice.kinds.iter().cloned().collect();
        ChoiceLine {
            open: kinds.iter().any(|kind| choice.is_open(kind, today)),
            kinds,
            code: choice.code,
            approvers: choice.approvers,
            texts: choice.texts.into(),
        }
    };
    let choices = |list: Vec<Choice>| list.into_iter().map(choice).collect();
    let mut kinds = Vec::new();
    for rules in catalogue.kinds {
        let kind: DisclosureKind = rules.code.parse()?;
        kinds.push(KindLine {
            kind: rules.code,
            mandatory: rules.mandatory.into_iter().collect(),
            file: kind.has_file(),
            controller: kind == DisclosureKind::AccessRequest,
            answer_within_months: rules.answer_within_months,
            texts: rules.texts.into(),
        });
    }
    Ok(CatalogueAnswer {
        version: catalogue.version,
        note: catalogue.note.into(),
        bases: choices(catalogue.bases),
        purposes: choices(catalogue.purposes),
        recipients: choices(catalogue.recipients),
        kinds,
    })
}

/// An interval of cameras.
#[derive(Debug, serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ToSnap {
    /// Ids of the cameras.
    #[schema(value_type = Vec<String>, min_items = 1, max_items = 16, example = json!(["kassa-1"]))]
    cameras: Vec<CameraId>,
    /// First instant that is asked for.
    #[schema(value_type = String, format = DateTime)]
    start: Wall,
    /// First instant that is not.
    #[schema(value_type = String, format = DateTime)]
    end: Wall,
    /// The hold for whose case footage is given whose ordinary time is over.
    #[schema(value_type = Option<u32>, nullable)]
    hold: Option<HoldId>,
}

/// What may be given.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct SnappedAnswer {
    /// Of each camera.
    cameras: Vec<SnappedLine>,
    /// About how many bytes they have together.
    bytes: u64,
}

/// What may be given of a camera.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct SnappedLine {
    /// It, outward to whole groups of pictures.
    #[serde(flatten)]
    camera: CameraLine,
    /// Segments that it takes; 0: nothing is there.
    segments: u64,
    /// About how many bytes they have.
    bytes: u64,
}

/// Looks what may be given of an interval: outward to whole groups of pictures, with what is not there.
#[utoipa::path(
    post,
    path = "/api/v1/disclosures/snap",
    tag = "disclosures",
    request_body = ToSnap,
    responses(
        (status = 200, body = SnappedAnswer),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn snap(
    State(app): State<Arc<App>>,
    May(who): May<acts::Ask>,
    Body(asked): Body<ToSnap>,
) -> Answer<Json<SnappedAnswer>> {
    let span = Span {
        start: asked.start,
        end: asked.end,
    };
    if span.us() <= 0 || span.us() > SPAN_US_MAX {
        let text = "it lies after the start, by at most 31 days";
        return Err(Refusal::field("/end", text));
    }
    if asked.cameras.is_empty() || asked.cameras.len() > CAMERAS_MAX {
        return Err(Refusal::field("/cameras", "1 to 16 cameras at a time"));
    }
    if let Some(i) = asked.cameras.iter().position(|id| !who.sees(id)) {
        return Err(Refusal::field(
            format!("/cameras/{i}"),
            "it is not among one's own",
        ));
    }
    let look = move |app: &App| {
        let mut answer = SnappedAnswer {
            cameras: Vec::new(),
            bytes: 0,
        };
        for camera in &asked.cameras {
            let Snapped {
                camera,
                segments,
                bytes,
            } = snap_one(app, &who, asked.hold, camera, span)?;
            answer.bytes += bytes;
            answer.cameras.push(SnappedLine {
                camera: camera.into(),
                segments,
                bytes,
            });
        }
        Ok(answer)
    };
    app.blocking(look).await.map(Json)
}

/// What may be given of a camera to what `who` asks for.
fn snap_one(
    app: &App,
    who: &Authorised<acts::Ask>,
    hold: Option<HoldId>,
    camera: &CameraId,
    span: Span,
) -> Result<Snapped> {
    let reader = app.parts.catalog.reader()?;
    if let Some(hold) = hold {
        reading::check(&reader, &by(who), hold, app.now())?;
    }
    let config = app.config();
    let name = config.camera(camera).map(|c| c.name.clone());
    Snap {
        footage: app.footage(&reader, hold)?,
        box_id: app.parts.box_id,
        now: app.now(),
    }
    .camera(camera, name.as_deref().unwrap_or(camera.as_str()), span)
}

/// A draft.
#[derive(Debug, serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDraft {
    /// What it is to be.
    #[schema(schema_with = words::disclosure_kind)]
    kind: String,
    /// What is known so far.
    #[serde(default)]
    form: Form,
}

fn kind_of(text: &str) -> Answer<DisclosureKind> {
    text.parse()
        .map_err(|e: Error| Refusal::field("/kind", e.to_string()))
}

/// Begins a draft. It has no serial number, holds nothing, and is seen by nobody else.
#[utoipa::path(
    post,
    path = "/api/v1/disclosures",
    tag = "disclosures",
    request_body = NewDraft,
    responses(
        (status = 201, body = Disclosure, headers(("Location" = String, description = "The draft"))),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn begin(
    State(app): State<Arc<App>>,
    May(who): May<acts::Ask>,
    Body(new): Body<NewDraft>,
) -> Answer<Response> {
    let kind = kind_of(&new.kind)?;
    let begin = move |app: &App| {
        let row = at_desk(app, |desk| desk.draft(&by(&who), kind, new.form))?;
        let place = format!("/api/v1/disclosures/{}", row.disclosure);
        Ok((place, Disclosure::of(app, row)?))
    };
    let (place, body) = blocking(&app, begin).await?;
    Ok((StatusCode::CREATED, [(LOCATION, place)], Json(body)).into_response())
}

/// A draft as it is now.
#[derive(Debug, serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SavedDraft {
    /// As it was read: another who saved since is not overwritten.
    version: u32,
    /// What it is to be.
    #[schema(schema_with = words::disclosure_kind)]
    kind: String,
    /// All that is known.
    form: Form,
}

/// Saves a draft of one's own.
#[utoipa::path(
    put,
    path = "/api/v1/disclosures/{disclosure}",
    tag = "disclosures",
    params(OfDisclosure),
    request_body = SavedDraft,
    responses(
        (status = 200, body = Disclosure),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn save(
    State(app): State<Arc<App>>,
    May(who): May<acts::Ask>,
    Segments(of): Segments<OfDisclosure>,
    Body(draft): Body<SavedDraft>,
) -> Answer<Json<Disclosure>> {
    let kind = kind_of(&draft.kind)?;
    let save = move |app: &App| {
        let id = of.id(&app.parts.catalog.reader()?)?;
        let row = at_desk(app, |desk| {
            desk.save(&by(&who), (id, draft.version), kind, draft.form)
        })?;
        Ok(Disclosure::of(app, row)?)
    };
    blocking(&app, save).await.map(Json)
}

/// Throws a draft of one's own away.
#[utoipa::path(
    delete,
    path = "/api/v1/disclosures/{disclosure}",
    tag = "disclosures",
    params(OfDisclosure),
    responses(
        (status = 204, description = "It is gone"),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn discard(
    State(app): State<Arc<App>>,
    May(who): May<acts::Ask>,
    Segments(of): Segments<OfDisclosure>,
) -> Answer<StatusCode> {
    let discard = move |app: &App| {
        let id = of.id(&app.parts.catalog.reader()?)?;
        at_desk(app, |desk| desk.discard(&by(&who), id))
    };
    app.blocking(discard).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A draft that is asked for.
#[derive(Debug, serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ToRequest {
    /// The draft as it was read.
    version: u32,
}

/// Asks for what a draft of one's own says. It gets its serial number, and its footage is held from this moment on. Every field
/// that is missing is named.
#[utoipa::path(
    post,
    path = "/api/v1/disclosures/{disclosure}/request",
    tag = "disclosures",
    params(OfDisclosure),
    request_body = ToRequest,
    responses(
        (status = 200, body = DisclosureDetail),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn request(
    State(app): State<Arc<App>>,
    May(who): May<acts::Ask>,
    Segments(of): Segments<OfDisclosure>,
    Body(asked): Body<ToRequest>,
) -> Answer<Json<DisclosureDetail>> {
    let request = move |app: &App| {
        let id = of.id(&app.parts.catalog.reader()?)?;
        request_now(app, &who, (id, asked.version))
    };
    blocking(&app, request).await.map(Json)
}

fn request_now(
    app: &App,
    who: &Authorised<acts::Ask>,
    draft: (DisclosureId, u32),
) -> Result<DisclosureDetail, Refused> {
    let found = app.parts.catalog.reader()?.disclosure(draft.0)?;
    let row = found.ok_or_else(|| {
        let text = format!("there is no disclosure {}", draft.0);
        Error::new(Kind::NotFound, text)
    })?;
    let hold = Form::read(&row.form)?.hold;
    let snap = |camera: &CameraId, span: Span| {
        snap_one(app, who, hold, camera, span).map(|found| found.camera)
    };
    let zone = app.config().site.zone;
    let row = at_desk(app, |desk| desk.request(&by(who), draft, zone, &snap))?;
    // Volumes get the hold at the sweeper's next look, which is now.
    app.parts.host.kept();
    Ok(DisclosureDetail::of(app, row)?)
}
