//! Alarms: what is wrong, what that means and what to do; and somebody who has seen it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use utoipa::{IntoParams, ToSchema};

use crate::access::role::acts;
use crate::base::error::{Error, Kind};
use crate::base::time::Wall;
use crate::catalog::{AlarmChange, AlarmRow, Change};
use crate::http::app::App;
use crate::http::guard::May;
use crate::http::json::{Json, Search, Segments};
use crate::http::problem::{Answer, Problem};

/// Alarms of one answer.
const ALARMS_MAX: u32 = 500;

/// Which alarms.
#[derive(Debug, serde::Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Which {
    /// Those that are over too, the newest first, at most 500; else those that are up.
    all: Option<bool>,
}

/// Alarms.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct Alarms {
    /// The alarms.
    alarms: Vec<Alarm>,
}

/// An alarm.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct Alarm {
    /// Its number.
    id: u64,
    /// What is wrong: a stable word.
    kind: String,
    /// With what: `kassa-1/main`, a volume, `clock`.
    object: String,
    /// What more is known, for people.
    detail: String,
    /// What it means.
    effect: String,
    /// What to do.
    remedy: String,
    /// Worth knowing; nothing is lost by it yet.
    is_warning: bool,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    raised: Wall,
    /// When somebody said that they had seen it.
    #[schema(value_type = Option<String>, format = DateTime, nullable)]
    acknowledged: Option<Wall>,
    /// When it was over; null while it is up.
    #[schema(value_type = Option<String>, format = DateTime, nullable)]
    cleared: Option<Wall>,
}

impl From<AlarmRow> for Alarm {
    fn from(row: AlarmRow) -> Self {
        Self {
            id: row.id,
            kind: row.kind.to_string(),
            object: row.object,
            detail: row.detail,
            effect: row.kind.effect().to_owned(),
            remedy: row.kind.remedy().to_owned(),
            is_warning: row.kind.is_warning(),
            raised: row.raised,
            acknowledged: row.acknowledged,
            cleared: row.cleared,
        }
    }
}

/// What is wrong, or was.
#[utoipa::path(
    get,
    path = "/api/v1/alarms",
    tag = "health",
    params(Which),
    responses(
        (status = 200, body = Alarms),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    May(_): May<acts::SeeHealth>,
    Search(which): Search<Which>,
) -> Answer<Json<Alarms>> {
    let read = move |app: &App| {
        let reader = app.parts.catalog.reader()?;
        match which.all {
            Some(true) => reader.alarms(ALARMS_MAX),
            _ => reader.alarms_up(),
        }
    };
    let rows = app.blocking(read).await?;
    let alarms = rows.into_iter().map(Into::into).collect();
    Ok(Json(Alarms { alarms }))
}

/// Path of an alarm.
#[derive(Debug, serde::Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct OfAlarm {
    /// Its number.
    alarm: u64,
}

/// Somebody has seen it. That ends no alarm: its cause does.
#[utoipa::path(
    post,
    path = "/api/v1/alarms/{alarm}/acknowledgement",
    tag = "health",
    params(OfAlarm),
    responses(
        (status = 204),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn acknowledge(
    State(app): State<Arc<App>>,
    May(who): May<acts::ChangeBox>,
    Segments(of): Segments<OfAlarm>,
) -> Answer<StatusCode> {
    let seen = move |app: &App| {
        if i64::try_from(of.alarm).is_err() {
            let text = format!("there is no alarm {}", of.alarm);
            return Err(Error::new(Kind::NotFound, text));
        }
        let change = AlarmChange::Acknowledged {
            id: of.alarm,
            by: who.actor(),
            at: app.now(),
        };
        app.parts.catalog.commit(Change::Alarm(change), None)
    };
    app.blocking(seen).await?;
    Ok(StatusCode::NO_CONTENT)
}
