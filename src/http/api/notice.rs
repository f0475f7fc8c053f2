//! The privacy notice: what anybody on the premises may read about the surveillance without being known.

use std::sync::Arc;

use axum::extract::State;
use utoipa::ToSchema;

use crate::base::id::StreamKind;
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
    /// Seconds that its footage is kept at most.
    keep_s: u32,
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
    let texts = config.notice.clone();
    Ok(Json(Notice {
        site: config.site.name.clone(),
        controller: texts.controller,
        contact: texts.contact,
        officer: texts.officer,
        basis: texts.basis,
        recipients: texts.recipients,
        areas: areas(config.cameras.iter().map(AsRef::as_ref)),
        ledger_key: app.parts.ledger_key.fingerprint(),
        certificate: app.certificate.get().fingerprint.clone(),
    }))
}

/// By area in the order of the cameras; a camera that is switched off films nothing.
fn areas<'a>(cameras: impl Iterator<Item = &'a CameraConfig>) -> Vec<Area> {
    let mut areas: Vec<Area> = Vec::new();
    for camera in cameras.filter(|camera| camera.enabled) {
        let keep_s = camera.keep.secs(StreamKind::Main);
        let purposes = camera.purposes.iter().map(ToString::to_string);
        match areas.iter_mut().find(|area| area.area == camera.area) {
            Some(area) => {
                area.cameras += 1;
                area.keep_s = area.keep_s.max(keep_s);
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
            }),
        }
    }
    areas
}
