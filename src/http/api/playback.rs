//! Opening and closing playbacks, and which segments one may read.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use log::error;
use utoipa::{IntoParams, ToSchema};

use crate::access::authorise::Authorised;
use crate::access::role::acts;
use crate::base::error::{Error, Kind, Result};
use crate::base::id::{CameraId, SegmentId, StreamId, StreamKind};
use crate::base::time::{Span, Wall};
use crate::catalog::{Reader, SegmentRow};
use crate::config::Purpose;
use crate::evidence::find::{Part, Places};
use crate::evidence::select::Source;
use crate::evidence::view::{self, Groups};
use crate::http::api::coverage::Interval;
use crate::http::api::words;
use crate::http::app::App;
use crate::http::guard::May;
use crate::http::json::{Body, Json, Segments};
use crate::http::playback::{CAMERAS_MAX, Opening, Playback};
use crate::http::problem::{Answer, FieldError, Problem, Refusal};
use crate::recorder::board::Growing;

const REASON_CHARS_MAX: usize = 500;

/// What is to be opened.
#[derive(Debug, serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPlayback {
    /// Ids of the cameras.
    #[schema(value_type = Vec<String>, min_items = 1, max_items = 16, example = json!(["kassa-1"]))]
    cameras: Vec<CameraId>,
    /// From this instant on (RFC 3339).
    #[schema(value_type = String, format = DateTime, example = "2026-11-23T06:00:00Z")]
    start: Wall,
    /// Up to this one, at most 31 days later.
    #[schema(value_type = String, format = DateTime, example = "2026-11-23T07:00:00Z")]
    end: Wall,
    /// What for: one of the purposes that each of the cameras films for.
    #[schema(schema_with = words::purpose)]
    purpose: String,
    /// In one's own words; kept apart from what is kept for ever.
    #[schema(max_length = 500)]
    reason: Option<String>,
}

/// A playback that is open.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct OpenPlayback {
    /// Names it in all that follows. It is of use in this session only.
    #[schema(pattern = "^[0-9a-f]{32}$")]
    playback: String,
    /// What was opened.
    span: Interval,
    /// Where the decode times (`tfdt`) of all fragments begin: midnight UTC of the day before that of the start. A time of
    /// day is this plus `tfdt` divided by the timescale.
    #[schema(value_type = String, format = DateTime)]
    origin: Wall,
    /// Units of `tfdt` in a second.
    timescale: u32,
    /// What for.
    #[schema(schema_with = words::purpose)]
    purpose: String,
    /// Each camera with the streams that were ever recorded.
    cameras: Vec<OpenCamera>,
}

/// A camera of a playback.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct OpenCamera {
    /// Its id.
    #[schema(value_type = String)]
    camera: CameraId,
    /// Its streams: `main`, `sub`.
    #[schema(value_type = Vec<String>)]
    streams: Vec<StreamKind>,
}

/// Opens a playback: from now on it is in the ledger who looks at what, and what for.
#[utoipa::path(
    post,
    path = "/api/v1/playbacks",
    tag = "playback",
    request_body = NewPlayback,
    responses(
        (status = 201, body = OpenPlayback, headers(("Location" = String, description = "The playback"))),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn open(
    State(app): State<Arc<App>>,
    May(who): May<acts::Playback>,
    Body(new): Body<NewPlayback>,
) -> Answer<Response> {
    let opening = check(&app, &who, new)?;
    let now = app.parts.clock.mono();
    let playback = app.playbacks.prepare(who, opening, now)?;
    // No ledger, no act.
    let new = Arc::clone(&playback);
    let begin = move |app: &App| {
        new.begin(&app.parts.catalog, app.now())?;
        app.playbacks.admit(&new, &app.parts.catalog, app.now())
    };
    app.blocking(begin).await?;
    end_with_session(&app, &playback);
    let shown = Arc::clone(&playback);
    let body = app.blocking(move |app| describe(app, &shown)).await?;
    let place = format!("/api/v1/playbacks/{}", body.playback);
    Ok((StatusCode::CREATED, [(LOCATION, place)], Json(body)).into_response())
}

/// What is wrong with what was asked for, all at once.
fn check(
    app: &App,
    who: &Authorised<acts::Playback>,
    new: NewPlayback,
) -> Result<Opening, Refusal> {
    let mut errors = Vec::new();
    let mut wrong = |pointer: String, detail: &str| {
        errors.push(FieldError {
            pointer,
            detail: detail.to_owned(),
        });
    };
    let purpose = new.purpose.parse::<Purpose>();
    if let Err(e) = &purpose {
        wrong("/purpose".to_owned(), &e.to_string());
    }
    if new.cameras.is_empty() || new.cameras.len() > CAMERAS_MAX {
        wrong("/cameras".to_owned(), "name 1 to 16 cameras");
    }
    let config = app.config();
    for (i, id) in new.cameras.iter().enumerate() {
        who.again(Some(id))?;
        match (config.camera(id), &purpose) {
            (None, _) => wrong(format!("/cameras/{i}"), "there is no such camera"),
            (Some(camera), Ok(purpose)) if !camera.purposes.contains(purpose) => {
                wrong(
                    format!("/cameras/{i}"),
                    "the camera does not film for that purpose",
                );
            }
            _ => {}
        }
    }
    let span = Span {
        start: new.start,
        end: new.end,
    };
    if let Err(e) = view::check(span) {
        wrong("/end".to_owned(), &e.to_string());
    }
    let reason = new.reason.filter(|reason| !reason.trim().is_empty());
    let long = |text: &String| text.chars().count() > REASON_CHARS_MAX;
    if reason.as_ref().is_some_and(long) {
        wrong("/reason".to_owned(), "at most 500 characters");
    }
    match purpose {
        Ok(purpose) if errors.is_empty() => Ok(Opening {
            cameras: new.cameras.into_iter().collect(),
            span,
            purpose,
            reason,
        }),
        _ => Err(Refusal::fields(errors)),
    }
}

/// Closes it when the session ends.
fn end_with_session(app: &Arc<App>, playback: &Arc<Playback>) {
    let (app, playback) = (Arc::clone(app), Arc::clone(playback));
    tokio::spawn(async move {
        let why = playback.ended().await;
        let closed = app.blocking(move |app| {
            app.playbacks
                .close(&playback.id, &app.parts.catalog, app.now(), why);
            Ok(())
        });
        if closed.await.is_err() {
            error!("a playback could not be closed");
        }
    });
}

fn describe(app: &App, playback: &Playback) -> Result<OpenPlayback> {
    let mut cameras: BTreeMap<CameraId, Vec<StreamKind>> = playback
        .opening
        .cameras
        .iter()
        .map(|id| (id.clone(), Vec::new()))
        .collect();
    for row in app.parts.catalog.reader()?.streams()? {
        if let Some(streams) = cameras.get_mut(&row.stream.camera) {
            streams.push(row.stream.kind);
        }
    }
    Ok(OpenPlayback {
        playback: playback.name().to_owned(),
        span: playback.opening.span.into(),
        origin: playback.origin,
        timescale: 90_000,
        purpose: playback.opening.purpose.as_str().to_owned(),
        cameras: cameras
            .into_iter()
            .map(|(camera, streams)| OpenCamera { camera, streams })
            .collect(),
    })
}

/// Path of a playback.
#[derive(Debug, serde::Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct OfPlayback {
    /// The playback.
    playback: String,
}

/// The playback of this name, when it is of this session.
pub(crate) fn find(
    app: &App,
    who: &Authorised<acts::Playback>,
    name: &str,
    camera: Option<&CameraId>,
) -> Result<Arc<Playback>, Refusal> {
    let none = || Refusal::not_found("no playback of that name is open in this session");
    let playback = app.playbacks.get(name, who).ok_or_else(none)?;
    playback.touch(camera, app.parts.clock.mono())?;
    Ok(playback)
}

/// What a playback is open for.
#[utoipa::path(
    get,
    path = "/api/v1/playbacks/{playback}",
    tag = "playback",
    params(OfPlayback),
    responses(
        (status = 200, body = OpenPlayback),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    May(who): May<acts::Playback>,
    Segments(of): Segments<OfPlayback>,
) -> Answer<Json<OpenPlayback>> {
    let playback = find(&app, &who, &of.playback, None)?;
    app.blocking(move |app| describe(app, &playback))
        .await
        .map(Json)
}

/// Closes a playback. What was really delivered goes into the ledger.
#[utoipa::path(
    delete,
    path = "/api/v1/playbacks/{playback}",
    tag = "playback",
    params(OfPlayback),
    responses(
        (status = 204, description = "It is closed"),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn close(
    State(app): State<Arc<App>>,
    May(who): May<acts::Playback>,
    Segments(of): Segments<OfPlayback>,
) -> Answer<StatusCode> {
    let playback = find(&app, &who, &of.playback, None)?;
    app.blocking(move |app| {
        app.playbacks
            .close(&playback.id, &app.parts.catalog, app.now(), "closed");
        Ok(())
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A segment that may be read now.
#[derive(Clone, Debug)]
pub(crate) enum Segment {
    /// It is closed.
    Closed(Box<SegmentRow>),
    /// It is being written.
    Growing(Growing),
}

impl Segment {
    pub(crate) fn start(&self) -> Wall {
        match self {
            Self::Closed(row) => row.start,
            Self::Growing(growing) => growing.start,
        }
    }

    pub(crate) fn id(&self) -> SegmentId {
        match self {
            Self::Closed(row) => row.segment,
            Self::Growing(growing) => growing.segment,
        }
    }
}

/// The segments of a stream that may be read now: what is expired is not among them, whether it is deleted yet or not.
pub(crate) struct Readable {
    pub(crate) segments: Vec<Segment>,
}

impl Readable {
    pub(crate) fn of(app: &App, reader: &Reader, stream: &StreamId, span: Span) -> Result<Self> {
        let row = reader.streams()?.into_iter().find(|r| r.stream == *stream);
        let believed = app.parts.host.believed(reader)?;
        let before = row.and_then(|row| row.expired_before(believed));
        // First what grows: if it is closed meanwhile, it is found among the rows as well.
        let growing = app.parts.board.lines().remove(stream);
        let growing = growing.and_then(|line| line.growing).filter(|growing| {
            let has = Span {
                start: growing.start,
                end: growing.end,
            };
            growing.durable_bytes > 0 && has.overlaps(&span)
        });
        let rows = reader.segments(stream, span)?.into_iter();
        let mut segments: Vec<_> = rows
            .filter(|row| before.is_none_or(|before| row.end >= before))
            .map(|row| Segment::Closed(Box::new(row)))
            .collect();
        if let Some(growing) = growing
            && segments.iter().all(|s| s.id() != growing.segment)
        {
            segments.push(Segment::Growing(growing));
        }
        Ok(Self { segments })
    }
}

/// The groups of a segment that the playback takes.
pub(crate) fn segment_groups(
    app: &App,
    playback: &Playback,
    reader: &Reader,
    stream: &StreamId,
    segment: &Segment,
) -> Result<Arc<Groups>> {
    if let Some(groups) = playback.groups(stream, segment.id()) {
        return Ok(groups);
    }
    let volumes = reader.volumes()?;
    let mut places = Places::new(app.parts.box_id, &volumes);
    let span = playback.opening.span;
    match segment {
        Segment::Closed(row) => {
            let groups = Arc::new(view::groups(places.closed(row)?, span)?);
            playback.remember(stream, row.segment, &groups);
            Ok(groups)
        }
        Segment::Growing(growing) => {
            let source: Source = places.growing(Part {
                path: &growing.path,
                durable_bytes: growing.durable_bytes,
            })?;
            view::groups(source, span)
                .map(Arc::new)
                .map_err(|e| match e.kind() {
                    // It was closed, and so renamed, meanwhile; its row comes in a moment.
                    Kind::NotFound => Error::new(Kind::Busy, "a segment is being closed"),
                    _ => e,
                })
        }
    }
}
