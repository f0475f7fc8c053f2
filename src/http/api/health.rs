//! The state of the box, for those who look after it.

use std::sync::Arc;

use axum::extract::State;
use utoipa::ToSchema;

use crate::access::role::acts;
use crate::backup;
use crate::base::disk;
use crate::base::error::Result;
use crate::base::id::StreamId;
use crate::base::time::Wall;
use crate::http::api::coverage::Interval;
use crate::http::api::words;
use crate::http::app::App;
use crate::http::guard::May;
use crate::http::json::Json;
use crate::http::problem::{Answer, Problem};
use crate::recorder::board::Line;

/// The state of the box.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct Health {
    /// Version of Sinetti.
    version: String,
    /// Since when it runs.
    #[schema(value_type = String, format = DateTime)]
    started: Wall,
    /// Its time of day.
    #[schema(value_type = String, format = DateTime)]
    now: Wall,
    /// Something keeps its clock.
    clock_synchronised: bool,
    /// The kernel's estimate of the clock's error, in microseconds.
    clock_error_us: i64,
    /// Every stream.
    streams: Vec<StreamHealth>,
    /// Every volume.
    volumes: Vec<VolumeHealth>,
    /// What stands in the way of deletion, in words; empty when nothing does.
    deletion_troubles: Vec<String>,
    /// Segments that the scrub found damaged.
    damaged_segments: u64,
    /// When the last backup was made; absent: there never was one.
    #[schema(value_type = Option<String>, format = DateTime, nullable)]
    last_backup: Option<Wall>,
    /// The certificate of this server.
    certificate: CertificateHealth,
    /// Sessions that are open.
    sessions: u64,
    /// Playbacks that are open.
    playbacks: u64,
    /// Live pictures that are watched.
    live_watchers: u64,
}

/// A stream's.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct StreamHealth {
    /// `kassa-1/main`.
    #[schema(value_type = String)]
    stream: String,
    /// What it is doing.
    #[schema(schema_with = words::phase)]
    phase: String,
    /// Up to when it is recorded in the segment that is being written.
    #[schema(value_type = Option<String>, format = DateTime, nullable)]
    recorded_until: Option<Wall>,
    /// The last trouble, in words with what to do; kept after it is over.
    #[schema(nullable)]
    last_error: Option<String>,
    /// When that was.
    #[schema(value_type = Option<String>, format = DateTime, nullable)]
    last_error_at: Option<Wall>,
    /// Connections that failed or ended since the start.
    interruptions: u32,
    /// Pictures written since the start.
    pictures: u64,
    /// Packets that the network lost since the start.
    packets_lost: u64,
    /// The camera's clock minus the box's, in milliseconds, where it tells.
    #[schema(nullable)]
    camera_offset_ms: Option<i64>,
}

/// A volume's.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct VolumeHealth {
    /// Its name.
    name: String,
    /// Free bytes; absent when it cannot be read.
    #[schema(nullable)]
    free_bytes: Option<u64>,
    /// All bytes.
    #[schema(nullable)]
    total_bytes: Option<u64>,
}

/// A certificate's.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct CertificateHealth {
    /// From when to when it is valid.
    valid: Interval,
    /// SHA-256 of it.
    fingerprint: String,
}

/// The state of the box.
#[utoipa::path(
    get,
    path = "/api/v1/health",
    tag = "health",
    responses(
        (status = 200, body = Health),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn health(
    State(app): State<Arc<App>>,
    May(_): May<acts::SeeHealth>,
) -> Answer<Json<Health>> {
    app.blocking(report).await.map(Json)
}

fn report(app: &App) -> Result<Health> {
    let sync = app.parts.clock.host_sync();
    let certificate = app.certificate.get();
    let lines = app.parts.board.lines();
    Ok(Health {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started: app.started,
        now: app.now(),
        clock_synchronised: sync.synchronised,
        clock_error_us: sync.error_us,
        streams: lines.iter().map(|(id, line)| stream(id, line)).collect(),
        volumes: volumes(app),
        deletion_troubles: app.parts.host.deletion_troubles(),
        damaged_segments: app.parts.host.damaged_segments(),
        last_backup: backup::last(&app.parts.catalog.reader()?)?,
        certificate: CertificateHealth {
            valid: certificate.valid.into(),
            fingerprint: certificate.fingerprint,
        },
        sessions: app.parts.access.session_count() as u64,
        playbacks: app.playbacks.len() as u64,
        live_watchers: app.parts.live.watchers() as u64,
    })
}

/// The configured volumes with their room.
pub(crate) fn volumes(app: &App) -> Vec<VolumeHealth> {
    let config = app.config();
    let volume = |volume: &Arc<crate::config::VolumeConfig>| {
        let space = disk::space(&volume.path).ok();
        VolumeHealth {
            name: volume.name.clone(),
            free_bytes: space.map(|s| s.free_bytes),
            total_bytes: space.map(|s| s.total_bytes),
        }
    };
    config.volumes.iter().map(volume).collect()
}

impl VolumeHealth {
    /// Its name, free and total bytes.
    pub(crate) fn figures(&self) -> (&str, Option<u64>, Option<u64>) {
        (&self.name, self.free_bytes, self.total_bytes)
    }
}

/// A phase as a word.
pub(crate) fn phase(line: &Line) -> String {
    let json = serde_json::to_value(line.phase).unwrap_or_default();
    json.as_str().unwrap_or("off").to_owned()
}

fn stream(id: &StreamId, line: &Line) -> StreamHealth {
    StreamHealth {
        stream: id.to_string(),
        phase: phase(line),
        recorded_until: line.growing.as_ref().map(|growing| growing.end),
        last_error: line.last_error.clone(),
        last_error_at: line.last_error_at,
        interruptions: line.interruptions,
        pictures: line.units,
        packets_lost: line.packets_lost,
        camera_offset_ms: line.camera_offset_ms,
    }
}
