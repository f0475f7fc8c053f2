//! The privacy notice: what anybody on the premises may read about the surveillance without being known.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use utoipa::ToSchema;

use crate::base::error::Result;
use crate::base::id::CameraId;
use crate::config::CameraConfig;
use crate::http::api::words;
use crate::http::app::App;
use crate::http::json::Json;
use crate::http::problem::{Answer, Problem};

/// What the notice says. Texts of the controller are as the configuration has them, null where it has none.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct Notice {
    /// The site's name.
    site: String,
    /// Who answers for the surveillance.
    #[schema(nullable)]
    controller: Option<String>,
    /// Whom people ask, and where they use their rights.
    #[schema(nullable)]
    contact: Option<String>,
    /// The data protection officer.
    #[schema(nullable)]
    officer: Option<String>,
    /// The legal basis.
    #[schema(nullable)]
    basis: Option<String>,
    /// To whom footage is handed out as a rule.
    #[schema(nullable)]
    recipients: Option<String>,
    /// The marked areas that are filmed.
    areas: Vec<Area>,
    /// Fingerprint of the key with which the box signs its ledger.
    ledger_key: String,
    /// SHA-256 of the certificate that the box shows to browsers.
    certificate: String,
}

/// A marked area with cameras.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct Area {
    /// Its name, as on the sign.
    area: String,
    /// How many cameras film it.
    cameras: u32,
    /// What for.
    #[schema(schema_with = words::purposes)]
    purposes: Vec<String>,
    /// Seconds that its footage is kept at most: what is in force.
    keep_s: u32,
    /// Seconds that it shall be kept at most, where that is less and waits for its two confirmations; else null.
    #[schema(nullable)]
    pending_keep_s: Option<u32>,
}

/// What anybody on the premises may know about the surveillance.
#[utoipa::path(
    get,
    path = "/api/v1/notice",
    tag = "site",
    security(()),
    responses(
        (status = 200, body = Notice),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn notice(State(app): State<Arc<App>>) -> Answer<Json<Notice>> {
    let config = app.config();
    let in_force = app.blocking(in_force).await?;
    let texts = config.notice.clone();
    Ok(Json(Notice {
        site: config.site.name.clone(),
        controller: texts.controller,
        contact: texts.contact,
        officer: texts.officer,
        basis: texts.basis,
        recipients: texts.recipients,
        areas: areas(config.cameras.iter().map(AsRef::as_ref), &in_force),
        ledger_key: app.parts.ledger_key.fingerprint(),
        certificate: app.certificate.get().fingerprint.clone(),
    }))
}

/// For how long each camera's footage is kept now, by its stream that is kept longest. A time in the configuration that is shorter is
/// not in force before two persons have confirmed it.
fn in_force(app: &App) -> Result<BTreeMap<CameraId, u32>> {
    let mut longest = BTreeMap::new();
    for row in app.parts.catalog.reader()?.streams()? {
        let keep_s = row.keep_s.unwrap_or_default();
        let most = longest.entry(row.stream.camera).or_insert(keep_s);
        *most = keep_s.max(*most);
    }
    Ok(longest)
}

/// By area in the order of the cameras; a camera that is switched off films nothing.
fn areas<'a>(
    cameras: impl Iterator<Item = &'a CameraConfig>,
    in_force: &BTreeMap<CameraId, u32>,
) -> Vec<Area> {
    let mut areas: Vec<Area> = Vec::new();
    for camera in cameras.filter(|camera| camera.enabled) {
        let asked_s = camera.policy.main.keep_secs;
        // A longer time comes into force with the configuration, if a moment later.
        let keep_s = asked_s.max(in_force.get(&camera.id).copied().unwrap_or_default());
        let purposes = camera.purposes.iter().map(ToString::to_string);
        match areas.iter_mut().find(|area| area.area == camera.area) {
            Some(area) => {
                area.cameras += 1;
                area.keep_s = area.keep_s.max(keep_s);
                area.pending_keep_s = area.pending_keep_s.max(Some(asked_s));
                for purpose in purposes {
                    if !area.purposes.contains(&purpose) {
                        area.purposes.push(purpose);
                    }
                }
            }
            None => areas.push(Area {
                area: camera.area.clone(),
                cameras: 1,
                purposes: purposes.collect(),
                keep_s,
                pending_keep_s: Some(asked_s),
            }),
        }
    }
    for area in &mut areas {
        area.pending_keep_s = area.pending_keep_s.filter(|asked_s| *asked_s < area.keep_s);
    }
    areas
}
