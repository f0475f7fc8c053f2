//! What is recorded of a stream and what is not, and where something moved.

use std::sync::Arc;

use axum::extract::State;
use utoipa::{IntoParams, ToSchema};

use crate::access::role::acts;
use crate::base::error::{Error, Kind, Result};
use crate::base::id::{CameraId, HoldId, StreamId, StreamKind};
use crate::base::time::{Span, Wall};
use crate::http::api::{holds, words};
use crate::http::app::App;
use crate::http::guard::May;
use crate::http::json::{Json, Search, Segments};
use crate::http::problem::{Answer, Problem, Refusal};
use crate::retention::hold::By;
use crate::retention::reading::{self, Reading};

/// Longest span of coverage, and of activity, in microseconds.
const COVERAGE_US_MAX: i64 = 400 * DAY_US;
const ACTIVITY_US_MAX: i64 = 31 * DAY_US;
/// Most values of one answer about activity.
const VALUES_MAX: i64 = 20_000;
const DAY_US: i64 = 86_400_000_000;
const HOUR_S: i64 = 3600;

/// From one instant to another, which does not belong to it.
#[derive(Clone, Copy, Debug, serde::Serialize, ToSchema)]
pub struct Interval {
    /// First instant.
    #[schema(value_type = String, format = DateTime)]
    pub start: Wall,
    /// First instant after.
    #[schema(value_type = String, format = DateTime)]
    pub end: Wall,
}

impl From<Span> for Interval {
    fn from(span: Span) -> Self {
        Self {
            start: span.start,
            end: span.end,
        }
    }
}

/// Path of a stream.
#[derive(Debug, serde::Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct OfStream {
    /// The camera.
    #[param(value_type = String, example = "kassa-1")]
    pub(crate) camera: CameraId,
    /// The full picture, or the small one.
    #[param(schema_with = words::stream)]
    pub(crate) stream: StreamKind,
}

impl OfStream {
    pub(crate) fn id(self) -> StreamId {
        StreamId {
            camera: self.camera,
            kind: self.stream,
        }
    }
}

/// Which time.
#[derive(Debug, serde::Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct When {
    /// From this instant on (RFC 3339).
    #[param(value_type = String, format = DateTime, example = "2026-11-23T06:00:00Z")]
    start: Wall,
    /// Up to this one.
    #[param(value_type = String, format = DateTime, example = "2026-11-23T07:00:00Z")]
    end: Wall,
    /// For the case of this hold: what it keeps is listed past its time too, and nothing else.
    #[param(value_type = Option<u32>)]
    hold: Option<HoldId>,
}

fn span(start: Wall, end: Wall, us_max: i64) -> Result<Span, Refusal> {
    let span = Span { start, end };
    if span.us() <= 0 {
        return Err(Refusal::field("?end", "it must lie after the start"));
    }
    if span.us() > us_max {
        let days = us_max / DAY_US;
        return Err(Refusal::field(
            "?end",
            format!("at most {days} days after the start"),
        ));
    }
    Ok(span)
}

/// How all of a span of time is accounted for: what is recorded, deleted, in a gap, or unknown.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct CoverageReport {
    /// What was asked for, cut off at the present.
    span: Interval,
    /// What is recorded and may be seen, in closed segments.
    recorded: Vec<Interval>,
    /// What is recorded and may not be seen.
    withheld: Vec<WithheldInterval>,
    /// What of the segment that is being written can be seen already.
    #[schema(nullable)]
    growing: Option<Interval>,
    /// What was recorded and is deleted.
    deleted: Vec<DeletedInterval>,
    /// What is not recorded, and why.
    gaps: Vec<Gap>,
    /// Neither: before the stream was known, or in the segment that is being written.
    unknown: Vec<Interval>,
    /// Seconds that footage of this stream is kept; absent when it is not configured.
    #[schema(nullable)]
    keep_s: Option<u32>,
}

/// Deleted footage.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct DeletedInterval {
    /// When it was.
    #[serde(flatten)]
    span: Interval,
    /// `expired`: its time was over. `early`: the disk had no room.
    #[schema(schema_with = words::rule)]
    rule: String,
}

/// Footage that is there and may not be seen.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct WithheldInterval {
    /// When it was.
    #[serde(flatten)]
    span: Interval,
    /// `restricted`: a data subject asked that it is kept and not used (GDPR 18). `other`: it is not of the hold that was asked for.
    #[schema(schema_with = words::withheld)]
    why: String,
}

/// A gap.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct Gap {
    /// When it was.
    #[serde(flatten)]
    span: Interval,
    /// Why.
    #[schema(schema_with = words::cause)]
    cause: String,
    /// What more is known, in English.
    #[schema(nullable)]
    detail: Option<String>,
}

/// What is recorded of a stream and what is not.
#[utoipa::path(
    get,
    path = "/api/v1/cameras/{camera}/{stream}/coverage",
    tag = "cameras",
    params(OfStream, When),
    responses(
        (status = 200, body = CoverageReport),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn coverage(
    State(app): State<Arc<App>>,
    May(who): May<acts::Playback>,
    Segments(of): Segments<OfStream>,
    Search(when): Search<When>,
) -> Answer<Json<CoverageReport>> {
    let span = span(when.start, when.end, COVERAGE_US_MAX)?;
    let stream = of.id();
    let hold = when.hold.map(|hold| (holds::by(&who), hold));
    app.blocking(move |app| report(app, &stream, span, hold))
        .await
        .map(Json)
}

fn unknown(stream: &StreamId) -> Error {
    Error::new(Kind::NotFound, format!("{stream} was never recorded"))
}

fn report(
    app: &App,
    stream: &StreamId,
    span: Span,
    hold: Option<(By, HoldId)>,
) -> Result<CoverageReport> {
    let reader = app.parts.catalog.reader()?;
    let row = reader.streams()?.into_iter().find(|r| r.stream == *stream);
    let row = row.ok_or_else(|| unknown(stream))?;
    let growing = app
        .parts
        .board
        .lines()
        .remove(stream)
        .and_then(|line| line.growing);
    let believed = app.parts.host.believed(&reader)?;
    if let Some((by, hold)) = &hold {
        reading::check(&reader, by, *hold, believed)?;
    }
    let named = hold.map(|(_, hold)| hold);
    let reading = Reading::of(&reader, stream, believed, named)?;
    let mut coverage = reader.coverage(stream, span, app.now())?;
    let withheld = reading.limit(&reader, stream, &mut coverage)?;
    let growing = growing.filter(|growing| reading.allows(growing.start, growing.end));
    let growing = growing.and_then(|growing| {
        let start = growing.start.max(coverage.span.start);
        let end = growing.end.min(coverage.span.end);
        (growing.durable_bytes > 0 && start < end).then_some(Interval { start, end })
    });
    Ok(CoverageReport {
        span: coverage.span.into(),
        recorded: coverage.recorded.into_iter().map(Into::into).collect(),
        withheld: withheld
            .into_iter()
            .map(|part| WithheldInterval {
                span: part.span.into(),
                why: part.why.as_str().to_owned(),
            })
            .collect(),
        growing,
        deleted: coverage
            .deleted
            .into_iter()
            .map(|part| DeletedInterval {
                span: part.span.into(),
                rule: part.rule.to_string(),
            })
            .collect(),
        gaps: coverage
            .gaps
            .into_iter()
            .map(|gap| Gap {
                span: gap.span.into(),
                cause: gap.cause.to_string(),
                detail: gap.detail,
            })
            .collect(),
        unknown: coverage.unknown.into_iter().map(Into::into).collect(),
        keep_s: row.keep_s,
    })
}

/// Which time, and how fine.
#[derive(Debug, serde::Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct How {
    /// From this instant on (RFC 3339); rounded down to a whole second.
    #[param(value_type = String, format = DateTime, example = "2026-11-23T06:00:00Z")]
    start: Wall,
    /// Up to this one, at most 31 days later.
    #[param(value_type = String, format = DateTime, example = "2026-11-23T07:00:00Z")]
    end: Wall,
    /// Seconds that share a value, of which it is the highest. Default 1.
    #[param(minimum = 1, maximum = 86400)]
    step: Option<u32>,
}

/// Where something moved: for each step how much the picture changed against what it usually does, 0 for not at all.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct ActivityReport {
    /// Beginning of the first step.
    #[schema(value_type = String, format = DateTime)]
    start: Wall,
    /// Seconds of a step.
    step: u32,
    /// A value for each step, 0 to 255.
    values: Vec<u8>,
}

/// Where something moved.
#[utoipa::path(
    get,
    path = "/api/v1/cameras/{camera}/{stream}/activity",
    tag = "cameras",
    params(OfStream, How),
    responses(
        (status = 200, body = ActivityReport),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn activity(
    State(app): State<Arc<App>>,
    May(_): May<acts::Playback>,
    Segments(of): Segments<OfStream>,
    Search(how): Search<How>,
) -> Answer<Json<ActivityReport>> {
    let span = span(how.start, how.end, ACTIVITY_US_MAX)?;
    let step = how.step.unwrap_or(1);
    if !(1..=86_400).contains(&step) {
        return Err(Refusal::field("?step", "1 to 86400 seconds"));
    }
    let seconds = (span.us() + 999_999) / 1_000_000;
    if seconds.div_euclid(i64::from(step)) >= VALUES_MAX {
        let text = format!("more than {VALUES_MAX} values; take a larger step or a shorter span");
        return Err(Refusal::field("?step", text));
    }
    let stream = of.id();
    app.blocking(move |app| levels(app, &stream, span, step))
        .await
        .map(Json)
}

fn levels(app: &App, stream: &StreamId, span: Span, step: u32) -> Result<ActivityReport> {
    let reader = app.parts.catalog.reader()?;
    let row = reader.streams()?.into_iter().find(|r| r.stream == *stream);
    let row = row.ok_or_else(|| unknown(stream))?;
    // What is expired has no activity either, nor has what is restricted.
    let believed = app.parts.host.believed(&reader)?;
    let before = row.expired_before(believed);
    let restricted = Reading::of(&reader, stream, believed, None)?.restricted(&reader, stream)?;
    let readable_from = before
        .map(|before| reader.readable_from(stream, before))
        .transpose()?;
    let first_s = span.start.us().div_euclid(1_000_000);
    let end_s = (span.end.us() + 999_999).div_euclid(1_000_000);
    let steps = (end_s - first_s + i64::from(step) - 1).div_euclid(i64::from(step));
    let mut values = vec![0_u8; usize::try_from(steps).unwrap_or_default()];
    for hour in reader.activity(stream, span)? {
        let hour_s = hour.hour.us().div_euclid(1_000_000);
        for (second, level) in (hour_s..hour_s + HOUR_S).zip(&hour.values) {
            let at = Wall::from_secs(second);
            let of_second = Span {
                start: at,
                end: at.plus_us(1_000_000),
            };
            if second < first_s
                || second >= end_s
                || readable_from.is_some_and(|from| at < from)
                || restricted.iter().any(|span| span.overlaps(&of_second))
            {
                continue;
            }
            let place = (second - first_s).div_euclid(i64::from(step));
            let value = usize::try_from(place).ok().and_then(|i| values.get_mut(i));
            if let Some(value) = value {
                *value = (*value).max(*level);
            }
        }
    }
    Ok(ActivityReport {
        start: Wall::from_secs(first_s),
        step,
        values,
    })
}
