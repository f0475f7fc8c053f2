//! The API as an OpenAPI 3.1 document, made from the handlers themselves.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::{Modify, OpenApi};

use crate::access::role::acts;
use crate::http::api::{
    alarms, camera_settings, cameras, coverage, deletions, disclosure_drafts, disclosure_papers,
    disclosure_scans, disclosure_steps, disclosures, enrolment, health, holds, ledger, live, media,
    notice, package_parts, packages, persons, playback, retention, rights, session, site, stills,
};
use crate::http::app::App;
use crate::http::guard::{COOKIE_NAME, May};

/// The document.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Sinetti",
        description = "API of a Sinetti box. Errors are application/problem+json (RFC 9457); times are RFC 3339 in UTC."
    ),
    paths(
        authority,
        document,
        site::site,
        notice::notice,
        session::sign_in,
        session::get,
        session::sign_out,
        session::step_up,
        session::unlock,
        session::change_password,
        cameras::purposes,
        cameras::list,
        cameras::get,
        camera_settings::list,
        camera_settings::add,
        camera_settings::change_one,
        camera_settings::try_one,
        live::watch,
        coverage::coverage,
        coverage::activity,
        playback::open,
        playback::get,
        playback::close,
        playback::groups,
        media::init,
        media::group,
        stills::take,
        health::health,
        alarms::list,
        alarms::acknowledge,
        retention::report,
        retention::confirm,
        holds::list,
        holds::place,
        holds::get,
        holds::review,
        holds::extend,
        holds::release,
        disclosure_drafts::catalogue,
        disclosure_drafts::snap,
        disclosure_drafts::begin,
        disclosure_drafts::save,
        disclosure_drafts::discard,
        disclosure_drafts::request,
        disclosures::list,
        disclosures::get,
        disclosures::review,
        disclosure_papers::handover,
        disclosure_papers::csv,
        disclosure_papers::pdf,
        disclosure_scans::put,
        disclosure_scans::get,
        disclosure_scans::remove,
        disclosure_steps::decide,
        disclosure_steps::decide_here,
        disclosure_steps::withdraw,
        disclosure_steps::hand_over,
        disclosure_steps::receive,
        disclosure_steps::destroy,
        packages::start,
        packages::get,
        packages::cancel,
        package_parts::part,
        ledger::entries,
        ledger::entry,
        ledger::proof,
        ledger::current,
        ledger::take,
        ledger::give_back,
        deletions::classes,
        deletions::certificate_json,
        deletions::certificate_pdf,
        enrolment::begin,
        enrolment::finish,
        persons::list,
        persons::get,
        rights::add,
        rights::remove,
        rights::grant,
        rights::revoke,
        rights::reset,
        rights::sign,
        rights::withdraw,
        rights::validity,
        rights::reviewed,
        rights::confirm,
    ),
    modifiers(&Session, &Names),
    security(("session" = [])),
)]
struct Document;

struct Session;

impl Modify for Session {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let cookie = ApiKey::Cookie(ApiKeyValue::new(COOKIE_NAME));
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme("session", SecurityScheme::ApiKey(cookie));
    }
}

/// A name for each operation, of its method and path: `getCamerasCameraLive`.
struct Names;

impl Modify for Names {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        for (path, item) in &mut openapi.paths.paths {
            let words = path.trim_start_matches("/api/v1").split(['/', '.', '-']);
            let name: String = words
                .map(|word| capital(word.trim_matches(['{', '}'])))
                .collect();
            let operations = [
                ("patch", &mut item.patch),
                ("get", &mut item.get),
                ("post", &mut item.post),
                ("put", &mut item.put),
                ("delete", &mut item.delete),
            ];
            for (method, operation) in operations {
                if let Some(operation) = operation {
                    operation.operation_id = Some(format!("{method}{name}"));
                }
            }
        }
    }
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(chars).collect()
}

/// The document as JSON, as `web/openapi.json` holds it.
pub fn text() -> String {
    let mut document = Document::openapi();
    env!("CARGO_PKG_VERSION").clone_into(&mut document.info.version);
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

/// This document.
#[utoipa::path(
    get,
    path = "/api/v1/openapi.json",
    tag = "document",
    responses((status = 200, content_type = "application/json", description = "OpenAPI 3.1"))
)]
pub(crate) async fn document(May(_): May<acts::Own>) -> Response {
    let json = HeaderValue::from_static("application/json");
    ([(CONTENT_TYPE, json)], text()).into_response()
}

/// The certificate of the authority that the box's own certificate comes from: for PCs that are to trust it, after its
/// fingerprint was compared with the one on paper.
#[utoipa::path(
    get,
    path = "/authority.crt",
    tag = "document",
    security(()),
    responses(
        (status = 200, content_type = "application/x-x509-ca-cert", description = "PEM"),
        (status = "4XX", body = crate::http::problem::Problem, content_type = "application/problem+json"),
        (status = "5XX", body = crate::http::problem::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn authority(
    State(app): State<Arc<App>>,
) -> crate::http::problem::Answer<Response> {
    let (dir, box_id, now) = (app.parts.dir.clone(), app.parts.box_id, app.now());
    let authority = app
        .blocking(move |_| crate::http::authority::authority(&dir, box_id, now))
        .await?;
    let kind = HeaderValue::from_static("application/x-x509-ca-cert");
    Ok(([(CONTENT_TYPE, kind)], authority.pem).into_response())
}
