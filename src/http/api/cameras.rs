//! Cameras with their state, and what they film for.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use utoipa::{IntoParams, ToSchema};

use crate::access::authorise::Authorised;
use crate::access::role::acts;
use crate::base::error::Result;
use crate::base::id::{CameraId, StreamId, StreamKind};
use crate::base::time::Wall;
use crate::config::{CameraConfig, Purpose};
use crate::http::api::words;
use crate::http::app::App;
use crate::http::guard::May;
use crate::http::json::{Json, Segments};
use crate::http::problem::{Answer, Problem, Refusal};
use crate::recorder::board::Line;

/// A camera that one may see.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct Camera {
    /// Its id, which never changes.
    #[schema(value_type = String)]
    camera: CameraId,
    /// Its name; the id when it is not configured any more.
    name: String,
    /// The marked area that it films.
    #[schema(nullable)]
    area: Option<String>,
    /// What it films for.
    purposes: Vec<String>,
    /// False: it was removed from the configuration, and only its footage is left.
    configured: bool,
    /// False: it is switched off.
    enabled: bool,
    /// Its streams: `main`, the full picture, and `sub`, the small one, if there is one.
    streams: Vec<Stream>,
}

/// A stream and what it is doing.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct Stream {
    /// The full picture, or the small one.
    #[schema(schema_with = words::stream)]
    stream: StreamKind,
    /// What it is doing.
    #[schema(schema_with = words::phase)]
    phase: String,
    /// Up to when it is recorded in the segment that is being written.
    #[schema(value_type = Option<String>, format = DateTime, nullable)]
    recorded_until: Option<Wall>,
}

/// All cameras.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct Cameras {
    /// Those that one may see, configured ones first, in the order of the configuration.
    cameras: Vec<Camera>,
    /// The time of day of the box.
    #[schema(value_type = String, format = DateTime)]
    now: Wall,
    /// The site's name.
    site: String,
    /// The site's time zone, by its IANA name: times are shown in it.
    zone: String,
}

/// The cameras that one may see.
#[utoipa::path(
    get,
    path = "/api/v1/cameras",
    tag = "cameras",
    responses(
        (status = 200, body = Cameras),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    May(who): May<acts::Live>,
) -> Answer<Json<Cameras>> {
    app.blocking(move |app| cameras(app, &who)).await.map(Json)
}

/// Path of a camera.
#[derive(Debug, serde::Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct OfCamera {
    /// The camera.
    #[param(value_type = String, example = "kassa-1")]
    pub(crate) camera: CameraId,
}

/// One camera.
#[utoipa::path(
    get,
    path = "/api/v1/cameras/{camera}",
    tag = "cameras",
    params(OfCamera),
    responses(
        (status = 200, body = Camera),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    May(who): May<acts::Live>,
    Segments(of): Segments<OfCamera>,
) -> Answer<Json<Camera>> {
    let all = app.blocking(move |app| cameras(app, &who)).await?;
    let mut found = all.cameras.into_iter();
    found
        .find(|camera| camera.camera == of.camera)
        .map(Json)
        .ok_or_else(|| Refusal::not_found("there is no such camera"))
}

fn cameras(app: &App, who: &Authorised<acts::Live>) -> Result<Cameras> {
    let config = app.config();
    let lines = app.parts.board.lines();
    let mut recorded: BTreeMap<CameraId, Vec<StreamKind>> = BTreeMap::new();
    for row in app.parts.catalog.reader()?.streams()? {
        let kinds = recorded.entry(row.stream.camera).or_default();
        kinds.push(row.stream.kind);
    }
    let configured = config.cameras.iter().map(|camera| {
        let earlier = recorded.remove(&camera.id).unwrap_or_default();
        of_config(camera, &earlier, &lines)
    });
    let mut cameras: Vec<_> = configured.collect();
    cameras.extend(recorded.into_iter().map(|(id, kinds)| {
        Camera {
            name: id.to_string(),
            area: None,
            purposes: Vec::new(),
            configured: false,
            enabled: false,
            streams: kinds
                .iter()
                .map(|kind| stream(&id, *kind, &lines))
                .collect(),
            camera: id,
        }
    }));
    cameras.retain(|camera| who.sees(&camera.camera));
    Ok(Cameras {
        cameras,
        now: app.now(),
        site: config.site.name.clone(),
        zone: config.site.zone.name().to_owned(),
    })
}

fn of_config(
    camera: &CameraConfig,
    earlier: &[StreamKind],
    lines: &BTreeMap<StreamId, Line>,
) -> Camera {
    let kinds = [StreamKind::Main, StreamKind::Sub].into_iter();
    let kinds = kinds.filter(|k| camera.stream_path(*k).is_some() || earlier.contains(k));
    Camera {
        camera: camera.id.clone(),
        name: camera.name.clone(),
        area: Some(camera.area.clone()),
        purposes: camera.purposes.iter().map(ToString::to_string).collect(),
        configured: true,
        enabled: camera.enabled,
        streams: kinds.map(|kind| stream(&camera.id, kind, lines)).collect(),
    }
}

fn stream(camera: &CameraId, kind: StreamKind, lines: &BTreeMap<StreamId, Line>) -> Stream {
    let id = StreamId {
        camera: camera.clone(),
        kind,
    };
    let line = lines.get(&id);
    let phase = line.map(|line| serde_json::to_value(line.phase));
    let phase = phase.and_then(Result::ok);
    Stream {
        stream: kind,
        phase: phase
            .as_ref()
            .and_then(serde_json::Value::as_str)
            .unwrap_or("off")
            .to_owned(),
        recorded_until: line.and_then(|l| l.growing.as_ref()).map(|g| g.end),
    }
}

/// What footage can be looked at for.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct Purposes {
    /// The purposes of camera surveillance, as words that never change.
    purposes: Vec<PurposeLine>,
}

/// A purpose.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct PurposeLine {
    /// The word.
    #[schema(schema_with = words::purpose)]
    purpose: String,
    /// Cameras that film for it.
    #[schema(value_type = Vec<String>)]
    cameras: Vec<CameraId>,
}

/// What footage can be looked at for: a playback names one of these, and each of its cameras must film for it.
#[utoipa::path(
    get,
    path = "/api/v1/purposes",
    tag = "cameras",
    responses(
        (status = 200, body = Purposes),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn purposes(
    State(app): State<Arc<App>>,
    May(who): May<acts::Live>,
) -> Json<Purposes> {
    let config = app.config();
    let line = |purpose: &Purpose| PurposeLine {
        purpose: purpose.to_string(),
        cameras: config
            .cameras
            .iter()
            .filter(|camera| camera.purposes.contains(purpose) && who.sees(&camera.id))
            .map(|camera| camera.id.clone())
            .collect(),
    };
    Json(Purposes {
        purposes: Purpose::ALL.iter().map(line).collect(),
    })
}
