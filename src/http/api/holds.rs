//! Holds: what keeps footage past its time. Placing, reviewing, extending and releasing are acts of their own.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use crate::access::authorise::Authorised;
use crate::access::role::{Act, acts};
use crate::base::error::{Error, Kind, Result};
use crate::base::id::{CameraId, HoldId};
use crate::base::time::{Span, Wall};
use crate::catalog::{HoldKind, HoldRow};
use crate::http::api::coverage::Interval;
use crate::http::api::words;
use crate::http::app::App;
use crate::http::guard::May;
use crate::http::json::{Body, Json, Segments};
use crate::http::problem::{Answer, Problem, Refusal};
use crate::retention::hold::{self, By, Extension, NewHold};
use crate::retention::outlook::{self, Amount};

/// Who acts, by the right that the route asks for.
pub(crate) fn by<A: Act>(who: &Authorised<A>) -> By {
    By {
        person: who.actor(),
        role: who.role(),
        cameras: who.cameras().clone(),
        detail: json!({ "name": who.name(), "address": who.address() }),
        with: Vec::new(),
    }
}

/// A hold.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct Hold {
    /// Its number: six digits.
    #[schema(value_type = u32)]
    hold: HoldId,
    /// What for.
    #[schema(schema_with = words::hold_kind)]
    kind: String,
    /// What is held: every segment that shares an instant with it, recorded already or not.
    #[serde(flatten)]
    span: Interval,
    /// Of which cameras.
    #[schema(value_type = Vec<String>)]
    cameras: BTreeSet<CameraId>,
    /// The case, order or request, as it is called elsewhere.
    matter: String,
    /// Why.
    reason: String,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    placed: Wall,
    /// By whom: a person's id.
    placed_by: String,
    /// It is looked at again by then.
    #[schema(value_type = String, format = DateTime)]
    review: Wall,
    /// When a controller last stood behind it.
    #[schema(value_type = Option<String>, format = DateTime, nullable)]
    reviewed: Option<Wall>,
    /// Who that was.
    #[schema(nullable)]
    reviewed_by: Option<String>,
    /// It ends by itself then.
    #[schema(value_type = Option<String>, format = DateTime, nullable)]
    until: Option<Wall>,
    /// When it was released, or ended by itself.
    #[schema(value_type = Option<String>, format = DateTime, nullable)]
    ended: Option<Wall>,
    /// Who released it: a person's id, or `box`.
    #[schema(nullable)]
    ended_by: Option<String>,
    /// Up to then what it held is kept all the same.
    #[schema(value_type = Option<String>, format = DateTime, nullable)]
    kept_until: Option<Wall>,
    /// Somebody should look at it now.
    due: bool,
}

impl Hold {
    fn of(row: HoldRow, now: Wall) -> Self {
        let due = row.is_due(now);
        let (reviewed, reviewed_by) = row.reviewed.unzip();
        let ended = row.ended;
        Self {
            hold: row.hold,
            kind: row.kind.to_string(),
            span: row.span.into(),
            cameras: row.cameras,
            matter: row.matter,
            reason: row.reason,
            placed: row.placed,
            placed_by: row.placed_by,
            review: row.review,
            reviewed,
            reviewed_by,
            until: row.until,
            ended: ended.as_ref().map(|end| end.at),
            ended_by: ended.as_ref().map(|end| end.by.clone()),
            kept_until: ended.map(|end| end.gone),
            due,
        }
    }
}

/// Holds.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct Holds {
    /// Those that one may know of, in the order in which they were placed; those that have ended too, for a year.
    holds: Vec<Hold>,
    /// For an auditor: how many more there are that are secret. Zero for everybody else.
    secret: u64,
}

/// The holds that one may know of.
#[utoipa::path(
    get,
    path = "/api/v1/holds",
    tag = "holds",
    responses(
        (status = 200, body = Holds),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    May(who): May<acts::SeeHolds>,
) -> Answer<Json<Holds>> {
    let read = move |app: &App| {
        let (by, now) = (by(&who), app.now());
        let all = app.parts.catalog.reader()?.holds()?;
        let secret = by.counts_secret(&all);
        let seen = all.into_iter().filter(|row| by.sees(row));
        let holds = seen.map(|row| Hold::of(row, now)).collect();
        Ok(Holds { holds, secret })
    };
    app.blocking(read).await.map(Json)
}

/// Path of a hold.
#[derive(Debug, serde::Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct OfHold {
    /// Its number.
    #[param(value_type = u32)]
    hold: u32,
}

impl OfHold {
    fn id(&self) -> HoldId {
        HoldId(self.hold)
    }
}

/// A hold and what it holds so far.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct HoldDetail {
    /// It.
    #[serde(flatten)]
    hold: Hold,
    /// Segments that it holds.
    segments: u64,
    /// Their bytes.
    bytes: u64,
    /// Some of its interval was deleted before it was held.
    deleted: bool,
}

impl HoldDetail {
    fn of(app: &App, row: HoldRow) -> Result<Self> {
        let Amount {
            segments,
            bytes,
            deleted,
        } = outlook::amount(&app.parts.catalog.reader()?, &row)?;
        Ok(Self {
            hold: Hold::of(row, app.now()),
            segments,
            bytes,
            deleted,
        })
    }
}

/// One hold. One that may not be known of is not there.
#[utoipa::path(
    get,
    path = "/api/v1/holds/{hold}",
    tag = "holds",
    params(OfHold),
    responses(
        (status = 200, body = HoldDetail),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    May(who): May<acts::SeeHolds>,
    Segments(of): Segments<OfHold>,
) -> Answer<Json<HoldDetail>> {
    let read = move |app: &App| {
        let found = app.parts.catalog.reader()?.hold(of.id())?;
        let row = found
            .filter(|row| by(&who).sees(row))
            .ok_or_else(|| Error::new(Kind::NotFound, format!("there is no hold {}", of.hold)))?;
        HoldDetail::of(app, row)
    };
    app.blocking(read).await.map(Json)
}

/// A hold to be placed.
#[derive(Debug, serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldToPlace {
    /// What for. `preservation-order` and `restriction` are a controller's.
    #[schema(schema_with = words::hold_kind)]
    kind: String,
    /// Ids of the cameras.
    #[schema(value_type = Vec<String>, min_items = 1, max_items = 256, example = json!(["kassa-1"]))]
    cameras: Vec<CameraId>,
    /// First instant that is held (RFC 3339).
    #[schema(value_type = String, format = DateTime, example = "2026-11-23T11:58:00Z")]
    start: Wall,
    /// First instant that is not; it may lie in the future.
    #[schema(value_type = String, format = DateTime, example = "2026-11-23T12:03:00Z")]
    end: Wall,
    /// The case, order or request, as it is called elsewhere.
    #[schema(max_length = 200)]
    matter: String,
    /// Why.
    #[schema(max_length = 1000)]
    reason: String,
    /// It ends by itself then. A preservation order ends three months from now, whatever is said here.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Wall>,
    /// It is looked at again by then; default: 90 days from now. What a manager places is looked at within 7 days.
    #[schema(value_type = Option<String>, format = DateTime)]
    review: Option<Wall>,
}

/// Places a hold. From this moment on nothing of it is deleted.
#[utoipa::path(
    post,
    path = "/api/v1/holds",
    tag = "holds",
    request_body = HoldToPlace,
    responses(
        (status = 201, body = HoldDetail, headers(("Location" = String, description = "The hold"))),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn place(
    State(app): State<Arc<App>>,
    May(who): May<acts::PlaceHold>,
    Body(new): Body<HoldToPlace>,
) -> Answer<Response> {
    let kind = new.kind.parse::<HoldKind>();
    let kind = kind.map_err(|e| Refusal::field("/kind", e.to_string()))?;
    let known = app.blocking(cameras).await?;
    if let Some(i) = new.cameras.iter().position(|id| !known.contains(id)) {
        let text = "there is no such camera";
        return Err(Refusal::field(format!("/cameras/{i}"), text));
    }
    let new = NewHold {
        kind,
        cameras: new.cameras.into_iter().collect(),
        span: Span {
            start: new.start,
            end: new.end,
        },
        matter: new.matter,
        reason: new.reason,
        until: new.until,
        review: new.review,
    };
    let body = act(&app, move |app| {
        hold::place(&app.parts.catalog, &by(&who), new, app.now())
    });
    let body = body.await?;
    let place = format!("/api/v1/holds/{}", body.hold.hold);
    Ok((StatusCode::CREATED, [(LOCATION, place)], Json(body)).into_response())
}

/// Cameras that are configured, or were recorded.
fn cameras(app: &App) -> Result<BTreeSet<CameraId>> {
    let config = app.config();
    let recorded = app.parts.catalog.reader()?.streams()?.into_iter();
    let configured = config.cameras.iter().map(|camera| camera.id.clone());
    Ok(recorded
        .map(|row| row.stream.camera)
        .chain(configured)
        .collect())
}

/// Does something with a hold, and says how it is then. Volumes get it at the sweeper's next look, which is now.
async fn act(
    app: &Arc<App>,
    act: impl FnOnce(&App) -> Result<HoldRow> + Send + 'static,
) -> Answer<HoldDetail> {
    app.blocking(move |app| {
        let row = act(app)?;
        app.parts.host.kept();
        HoldDetail::of(app, row)
    })
    .await
}

/// What was found when a hold was looked at.
#[derive(Debug, serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Review {
    /// Why it is still needed.
    #[schema(max_length = 1000)]
    note: String,
    /// It is looked at again by then; default: 90 days from now.
    #[schema(value_type = Option<String>, format = DateTime)]
    next: Option<Wall>,
}

/// A controller stands behind a hold: it is still needed.
#[utoipa::path(
    post,
    path = "/api/v1/holds/{hold}/review",
    tag = "holds",
    params(OfHold),
    request_body = Review,
    responses(
        (status = 200, body = HoldDetail),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn review(
    State(app): State<Arc<App>>,
    May(who): May<acts::ReviewHold>,
    Segments(of): Segments<OfHold>,
    Body(found): Body<Review>,
) -> Answer<Json<HoldDetail>> {
    let review = move |app: &App| {
        let said = (found.note.as_str(), found.next);
        hold::review(&app.parts.catalog, &by(&who), of.id(), said, app.now())
    };
    act(&app, review).await.map(Json)
}

/// How a hold is extended.
#[derive(Debug, serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldExtension {
    /// First instant that is not held any more; later than before.
    #[schema(value_type = Option<String>, format = DateTime)]
    end: Option<Wall>,
    /// It ends by itself then; later than before. A preservation order is renewed for three months from now, and takes neither.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Wall>,
    /// Why.
    #[schema(max_length = 1000)]
    reason: String,
}

/// Extends a hold: it holds more, or for longer; a preservation order is renewed.
#[utoipa::path(
    post,
    path = "/api/v1/holds/{hold}/extension",
    tag = "holds",
    params(OfHold),
    request_body = HoldExtension,
    responses(
        (status = 200, body = HoldDetail),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn extend(
    State(app): State<Arc<App>>,
    May(who): May<acts::ExtendHold>,
    Segments(of): Segments<OfHold>,
    Body(how): Body<HoldExtension>,
) -> Answer<Json<HoldDetail>> {
    let extend = move |app: &App| {
        let how = Extension {
            end: how.end,
            until: how.until,
            reason: how.reason,
        };
        hold::extend(&app.parts.catalog, &by(&who), of.id(), &how, app.now())
    };
    act(&app, extend).await.map(Json)
}

/// Why a hold is released.
#[derive(Debug, serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// Why it is not needed any more.
    #[schema(max_length = 1000)]
    reason: String,
}

/// Releases a hold. What it held has 14 days (`after_release` in the configuration) or its ordinary time, whichever is later.
#[utoipa::path(
    post,
    path = "/api/v1/holds/{hold}/release",
    tag = "holds",
    params(OfHold),
    request_body = Release,
    responses(
        (status = 200, body = HoldDetail),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn release(
    State(app): State<Arc<App>>,
    May(who): May<acts::Decide>,
    Segments(of): Segments<OfHold>,
    Body(why): Body<Release>,
) -> Answer<Json<HoldDetail>> {
    let release = move |app: &App| {
        let after_s = app.config().retention.after_release_secs;
        let said = (why.reason.as_str(), after_s);
        hold::release(&app.parts.catalog, &by(&who), of.id(), said, app.now())
    };
    act(&app, release).await.map(Json)
}
