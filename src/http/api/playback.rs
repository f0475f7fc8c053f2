//! Opening and closing playbacks, and which groups of pictures there are.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use log::{error, warn};
use utoipa::{IntoParams, ToSchema};

use crate::access::authorise::Authorised;
use crate::access::role::{Act, acts};
use crate::base::error::Result;
use crate::base::id::{CameraId, HoldId, SegmentId, StreamId, StreamKind};
use crate::base::time::{Span, Wall};
use crate::config::Purpose;
use crate::evidence::view::{self, Group};
use crate::http::api::coverage::Interval;
use crate::http::api::holds;
use crate::http::api::readable::segment_groups;
use crate::http::api::words;
use crate::http::app::App;
use crate::http::guard::May;
use crate::http::json::{Body, Json, Search, Segments};
use crate::http::playback::{CAMERAS_MAX, Opening, Playback};
use crate::http::problem::{Answer, FieldError, Problem, Refusal};
use crate::media::{access_unit::SampleEntry, clear};
use crate::retention::reading;

/// Segments and groups of one answer.
const SEGMENTS_PER_PAGE: usize = 16;
const GROUPS_PER_PAGE: usize = 600;
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
    /// The hold for whose case it is: then what it holds can be seen, also past its time, and nothing else.
    #[schema(value_type = Option<u32>, example = json!(null))]
    hold: Option<HoldId>,
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
    if let Some(hold) = opening.hold {
        let by = holds::by(&who);
        let check = move |app: &App| {
            let reader = app.parts.catalog.reader()?;
            reading::check(&reader, &by, hold, app.parts.host.believed(&reader)?).map(drop)
        };
        app.blocking(check).await?;
    }
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
            hold: new.hold,
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
pub(crate) fn find<A: Act>(
    app: &App,
    who: &Authorised<A>,
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

/// Path of a stream in a playback.
#[derive(Debug, serde::Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct OfStream {
    /// The playback.
    pub(crate) playback: String,
    /// The camera.
    #[param(value_type = String, example = "kassa-1")]
    pub(crate) camera: CameraId,
    /// The full picture, or the small one.
    #[param(schema_with = words::stream)]
    pub(crate) stream: StreamKind,
}

/// Which groups are wanted.
#[derive(Debug, serde::Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Which {
    /// From this instant on; default: the playback's start.
    #[param(value_type = Option<String>, format = DateTime)]
    start: Option<Wall>,
    /// Up to this one; default: the playback's end.
    #[param(value_type = Option<String>, format = DateTime)]
    end: Option<Wall>,
}

/// Groups of pictures, in order of time.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct GroupPage {
    /// The groups.
    groups: Vec<GroupLine>,
    /// How the groups are decoded, by the name that each bears.
    entries: Vec<EntryLine>,
    /// Segments that are not what was recorded any more: what is left of them is among the groups, and what is missing is not
    /// a gap in the recording.
    damaged: Vec<DamagedLine>,
    /// Where to go on; absent at the end.
    #[schema(value_type = Option<String>, format = DateTime)]
    next: Option<Wall>,
}

/// From one key frame to the next.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct GroupLine {
    /// Its bytes.
    media: String,
    /// What stands before them.
    init: String,
    /// Time of day of its first picture.
    #[schema(value_type = String, format = DateTime)]
    start: Wall,
    /// Time of day at which its last picture ends.
    #[schema(value_type = String, format = DateTime)]
    end: Wall,
    /// About how many bytes it has.
    bytes: u64,
    /// False: it is being recorded, and more of it may be there later.
    complete: bool,
}

/// How groups are decoded.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct EntryLine {
    /// What stands before the fragments.
    init: String,
    /// Codec parameters (RFC 6381).
    codec: String,
    /// Picture width in pixels.
    width: u16,
    /// Picture height in pixels.
    height: u16,
}

/// A segment of which something was lost or changed after it was recorded.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct DamagedLine {
    /// The segment.
    #[schema(value_type = String)]
    segment: SegmentId,
    /// From when on it was recorded.
    #[schema(value_type = String, format = DateTime)]
    start: Wall,
    /// Until when.
    #[schema(value_type = String, format = DateTime)]
    end: Wall,
}

/// Which groups of pictures there are of a stream in a part of the playback. Each can then be fetched; none reaches outside
/// of what was opened but for the way to the nearest key frames.
#[utoipa::path(
    get,
    path = "/api/v1/playbacks/{playback}/{camera}/{stream}/groups",
    tag = "playback",
    params(OfStream, Which),
    responses(
        (status = 200, body = GroupPage),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn groups(
    State(app): State<Arc<App>>,
    May(who): May<acts::Playback>,
    Segments(of): Segments<OfStream>,
    Search(which): Search<Which>,
) -> Answer<Json<GroupPage>> {
    let playback = find(&app, &who, &of.playback, Some(&of.camera))?;
    let opened = playback.opening.span;
    let span = Span {
        start: which.start.unwrap_or(opened.start).max(opened.start),
        end: which.end.unwrap_or(opened.end).min(opened.end),
    };
    let stream = StreamId {
        camera: of.camera,
        kind: of.stream,
    };
    app.blocking(move |app| page(app, &playback, &stream, span))
        .await
        .map(Json)
}

fn page(app: &App, playback: &Playback, stream: &StreamId, span: Span) -> Result<GroupPage> {
    let mut page = GroupPage {
        groups: Vec::new(),
        entries: Vec::new(),
        damaged: Vec::new(),
        next: None,
    };
    if span.us() <= 0 {
        return Ok(page);
    }
    let reader = app.parts.catalog.reader()?;
    let footage = app.footage(&reader, playback.opening.hold)?;
    let segments = footage.readable(stream, span)?;
    for (i, segment) in segments.iter().enumerate() {
        if i >= SEGMENTS_PER_PAGE || page.groups.len() >= GROUPS_PER_PAGE {
            page.next = Some(segment.span().start);
            break;
        }
        let found = segment_groups(app, playback, &reader, stream, segment)?;
        if let Some(why) = &found.damage {
            warn!("playing back {stream}: damaged: {why}");
            let Span { start, end } = segment.span();
            page.damaged.push(DamagedLine {
                segment: segment.id(),
                start,
                end,
            });
        }
        for group in &found.groups {
            if group.span().overlaps(&span) {
                page.add(playback, stream, group);
            }
        }
    }
    Ok(page)
}

impl GroupPage {
    fn add(&mut self, playback: &Playback, stream: &StreamId, group: &Group) {
        let (Some(entry), Some(segment)) = (group.entry(), group.segment()) else {
            return;
        };
        let name = entry_name(entry);
        let base = format!("/api/v1/playbacks/{}/{stream}", playback.name());
        let init = format!("{base}/init/{name}.mp4");
        playback.remember_initial(&name, || clear::initial(entry));
        if !self.entries.iter().any(|line| line.init == init) {
            self.entries.push(EntryLine {
                init: init.clone(),
                codec: entry.rfc6381.clone(),
                width: entry.width,
                height: entry.height,
            });
        }
        let span = group.span();
        self.groups.push(GroupLine {
            media: format!("{base}/media/{segment}/{}.m4s", group.number()),
            init,
            start: span.start,
            end: span.end,
            bytes: group.bytes(),
            complete: group.complete,
        });
    }
}

/// Half of the entry's hash, in hex.
pub(crate) fn entry_name(entry: &SampleEntry) -> String {
    let mut name = entry.hash().to_string();
    name.truncate(32);
    name
}
