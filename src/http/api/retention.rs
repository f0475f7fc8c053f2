//! What was promised and what is there; and the two persons who confirm that footage is kept for a shorter time.

use std::sync::Arc;

use axum::extract::State;
use utoipa::{IntoParams, ToSchema};

use crate::access::role::acts;
use crate::access::{Directory, Role};
use crate::base::error::Result;
use crate::base::time::Wall;
use crate::catalog::{HoldRow, PolicyRow, ShorteningRow};
use crate::http::api::coverage::Interval;
use crate::http::api::holds::by;
use crate::http::api::words;
use crate::http::app::App;
use crate::http::guard::May;
use crate::http::json::{Json, Segments};
use crate::http::problem::{Answer, Problem};
use crate::retention::outlook::{self, Setting, StreamOutlook, VolumeOutlook};
use crate::retention::shorten;

/// What was promised and what is there.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct RetentionReport {
    /// Every stream that was ever recorded.
    streams: Vec<StreamRetention>,
    /// Every volume that is there.
    volumes: Vec<VolumeRoom>,
    /// Shorter times that the configuration asks for and that are not in force yet.
    shortenings: Vec<Shortening>,
}

/// A stream's.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct StreamRetention {
    /// `kassa-1/main`.
    stream: String,
    /// Seconds that footage is kept at most; absent when it was never configured.
    #[schema(nullable)]
    keep_s: Option<u32>,
    /// Seconds for which it is promised to be there; 0: nothing is promised.
    guarantee_s: u32,
    /// Where that stands, and why; absent before the configuration said anything of it.
    #[schema(nullable)]
    policy: Option<PolicyLine>,
    /// Start of the oldest footage that can be seen.
    #[schema(value_type = Option<String>, format = DateTime, nullable)]
    oldest: Option<Wall>,
    /// Up to when footage went for want of room that was still promised.
    #[schema(value_type = Option<String>, format = DateTime, nullable)]
    lost_until: Option<Wall>,
    /// Bytes of what can be seen.
    bytes: u64,
    /// Segments that are held, as far as one may know of the holds.
    held_segments: u64,
    /// Their bytes.
    held_bytes: u64,
    /// What goes in the next seven days, day by day.
    leaving: Vec<LeavingDay>,
}

/// Where a policy stands, and why.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct PolicyLine {
    /// Where the time that footage is kept stands.
    #[schema(schema_with = words::origin)]
    keep_from: String,
    /// Where the promise stands.
    #[schema(schema_with = words::origin)]
    guarantee_from: String,
    /// What it is recorded for.
    purposes: Vec<String>,
    /// Why it is kept for more than 72 hours.
    #[schema(nullable)]
    justification: Option<String>,
    /// Why it is kept for more than 365 days.
    #[schema(nullable)]
    special_reason: Option<String>,
    /// Where the sentence for it stands.
    #[schema(nullable)]
    documented_in: Option<String>,
}

impl From<PolicyRow> for PolicyLine {
    fn from(row: PolicyRow) -> Self {
        Self {
            keep_from: row.keep_from.to_string(),
            guarantee_from: row.guarantee_from.to_string(),
            purposes: row.purposes,
            justification: row.justification,
            special_reason: row.special_reason,
            documented_in: row.documented_in,
        }
    }
}

/// What goes in a day of the site.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct LeavingDay {
    /// The day; the first is what is left of today.
    #[serde(flatten)]
    span: Interval,
    /// Segments.
    segments: u64,
    /// Their bytes.
    bytes: u64,
}

impl From<StreamOutlook> for StreamRetention {
    fn from(row: StreamOutlook) -> Self {
        let leaving = row.leaving.into_iter().map(|day| LeavingDay {
            span: day.span.into(),
            segments: day.segments,
            bytes: day.bytes,
        });
        Self {
            stream: row.stream.to_string(),
            keep_s: row.keep_s,
            guarantee_s: row.guarantee_s,
            policy: row.policy.map(Into::into),
            oldest: row.oldest,
            lost_until: row.lost_until,
            bytes: row.kept.1,
            held_segments: row.held.0,
            held_bytes: row.held.1,
            leaving: leaving.collect(),
        }
    }
}

/// Room on a volume.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct VolumeRoom {
    /// Its name.
    name: String,
    /// Free bytes above its reserve.
    room_bytes: u64,
    /// Bytes that are recorded to it a day, by the last one.
    daily_bytes: u64,
    /// The day on which it is full when all goes on like that; absent when that is not within 60 days.
    #[schema(value_type = Option<String>, format = DateTime, nullable)]
    full: Option<Wall>,
}

impl From<VolumeOutlook> for VolumeRoom {
    fn from(row: VolumeOutlook) -> Self {
        Self {
            name: row.name,
            room_bytes: row.room_bytes,
            daily_bytes: row.daily_bytes,
            full: row.full,
        }
    }
}

/// Shorter times of a camera that are not in force yet.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct Shortening {
    /// Its number.
    shortening: u64,
    /// The camera.
    camera: String,
    /// Seconds for the full picture; absent when that is not shortened.
    #[schema(nullable)]
    main_keep_s: Option<u32>,
    /// Seconds for the small picture; absent when that is not shortened.
    #[schema(nullable)]
    sub_keep_s: Option<u32>,
    /// Since when the configuration asks for it.
    #[schema(value_type = String, format = DateTime)]
    asked: Wall,
    /// Persons who have confirmed it.
    confirmed_by: Vec<String>,
    /// When it comes into force; absent before two have.
    #[schema(value_type = Option<String>, format = DateTime, nullable)]
    runs: Option<Wall>,
}

impl From<ShorteningRow> for Shortening {
    fn from(row: ShorteningRow) -> Self {
        let persons = [row.first, row.second].into_iter().flatten();
        Self {
            shortening: row.number,
            camera: row.camera.to_string(),
            main_keep_s: row.main_keep_s,
            sub_keep_s: row.sub_keep_s,
            asked: row.asked,
            confirmed_by: persons.map(|(_, person)| person).collect(),
            runs: row.runs,
        }
    }
}

/// What was promised and what is there: of each stream how far back it reaches, what goes next and why, and when a disk is full.
#[utoipa::path(
    get,
    path = "/api/v1/retention",
    tag = "retention",
    responses(
        (status = 200, body = RetentionReport),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn report(
    State(app): State<Arc<App>>,
    May(who): May<acts::SeeHealth>,
) -> Answer<Json<RetentionReport>> {
    let read = move |app: &App| -> Result<RetentionReport> {
        let reader = app.parts.catalog.reader()?;
        let config = app.config();
        let volumes = config.volumes.iter();
        let reserves = volumes.map(|v| (v.path.to_string_lossy().into_owned(), v.reserve_bytes));
        // Who may not know of a hold sees its footage as any other: what only health is seen by tells of none that is secret.
        let is_controller = who.role() == Role::Controller;
        let setting = Setting {
            zone: config.site.zone,
            now: app.parts.host.believed(&reader)?,
            reserves: &reserves.collect(),
            sees: &|hold: &HoldRow| is_controller || !hold.kind.is_secret(),
        };
        let found = outlook::outlook(&reader, &setting)?;
        Ok(RetentionReport {
            streams: found.streams.into_iter().map(Into::into).collect(),
            volumes: found.volumes.into_iter().map(Into::into).collect(),
            shortenings: found.shortenings.into_iter().map(Into::into).collect(),
        })
    };
    app.blocking(read).await.map(Json)
}

/// Path of a shortening.
#[derive(Debug, serde::Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct OfShortening {
    /// Its number.
    shortening: u64,
}

/// A person confirms that footage is kept for a shorter time. Two do, one of them a controller; a day after the second it comes
/// into force. It is for exactly the times that the shortening names: when the configuration asks for others, it is another.
#[utoipa::path(
    post,
    path = "/api/v1/retention/shortenings/{shortening}/confirmation",
    tag = "retention",
    params(OfShortening),
    responses(
        (status = 200, body = Shortening),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn confirm(
    State(app): State<Arc<App>>,
    May(who): May<acts::Approve>,
    Segments(of): Segments<OfShortening>,
) -> Answer<Json<Shortening>> {
    let confirm = move |app: &App| {
        let now = app.now();
        let directory = Directory::read(&app.parts.catalog.reader()?)?;
        let is_controller = |id: &str| directory.is_controller(id, now);
        let row = shorten::confirm(
            &app.parts.catalog,
            &by(&who),
            of.shortening,
            is_controller,
            now,
        )?;
        app.parts.host.kept();
        Ok(row)
    };
    app.blocking(confirm).await.map(|row| Json(row.into()))
}
