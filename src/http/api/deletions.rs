//! Deletion certificates, and how long records are kept.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use crate::access::authorise::Authorised;
use crate::access::refusal::Refusal as Why;
use crate::access::role::acts;
use crate::base::error::{Error, Kind, Result};
use crate::base::id::CameraId;
use crate::base::time::{Span, Wall};
use crate::catalog::{DETAILS_EXPIRED, Event};
use crate::document::Language;
use crate::evidence::certificate::{self, Asked, Checked, LINES_BYTES_MAX_ONLINE};
use crate::http::app::App;
use crate::http::guard::May;
use crate::http::json::{Json, Search};
use crate::http::problem::{Answer, Problem, Refusal};
use crate::ledger::detail::Class;
use crate::store::state::State as StateFolder;

/// One is made at a time: it takes memory.
static ONE: Mutex<()> = Mutex::new(());

/// Which certificate.
#[derive(Debug, serde::Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Which {
    /// Deletions from this instant on (RFC 3339).
    #[param(value_type = String, format = DateTime)]
    start: Wall,
    /// Deletions before this one; not in the future.
    #[param(value_type = String, format = DateTime)]
    end: Wall,
    /// Of this camera; all when left out.
    #[param(value_type = Option<String>)]
    camera: Option<CameraId>,
    /// What the PDF is written in: `fi`, `sv`, `en`; left out, the person's own language.
    language: Option<String>,
}

/// How long details of the ledger are kept.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct Records {
    /// Each class of details.
    classes: Vec<RecordClass>,
    /// When details were last erased by these ages.
    #[schema(value_type = Option<String>, format = DateTime, nullable)]
    last_run: Option<Wall>,
}

/// A class of details.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct RecordClass {
    /// Which: `operation`, `sign-in`, `access`, `configuration`, `people`, `request`, `disclosure`.
    class: String,
    /// How long it is kept: `12 months`, `5 years`, `400 d`.
    age: String,
    /// What was written before this instant goes at the next run.
    #[schema(value_type = String, format = DateTime)]
    before: Wall,
    /// Entries that have details.
    entries: u64,
    /// When the oldest of them was written.
    #[schema(value_type = Option<String>, format = DateTime, nullable)]
    oldest: Option<Wall>,
}

/// These are not for those who see only their own acts.
fn whole(who: &Authorised<acts::Records>) -> Result<(), Refusal> {
    if who.own_acts_only() {
        return Err(Why::WrongRole.into());
    }
    Ok(())
}

/// Each class of details of the ledger, how long it is kept, and what is there of it.
#[utoipa::path(
    get,
    path = "/api/v1/ledger/classes",
    tag = "ledger",
    responses(
        (status = 200, body = Records),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn classes(
    State(app): State<Arc<App>>,
    May(who): May<acts::Records>,
) -> Answer<Json<Records>> {
    whole(&who)?;
    app.blocking(|app| {
        let reader = app.parts.catalog.reader()?;
        let (there, now) = (reader.detail_classes()?, app.now());
        let of_class = |(class, age): (&'static str, crate::config::Age)| {
            let known: Option<Class> = class.parse().ok();
            let row = there.iter().find(|row| Some(row.class) == known);
            RecordClass {
                class: class.to_owned(),
                age: age.to_string(),
                before: age.before(now),
                entries: row.map_or(0, |row| row.entries),
                oldest: row.map(|row| row.oldest),
            }
        };
        Ok(Records {
            classes: app.config().records.ages().map(of_class).collect(),
            last_run: reader.last_of(&[DETAILS_EXPIRED])?.map(|row| row.entry.at),
        })
    })
    .await
    .map(Json)
}

/// What was deleted in a period, by which rule: signed JSON that can be checked without the box (`sinetti retention verify`).
#[utoipa::path(
    get,
    path = "/api/v1/deletions/certificate.json",
    tag = "deletions",
    params(Which),
    responses(
        (status = 200, description = "The signed certificate.", content_type = "application/json"),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn certificate_json(
    State(app): State<Arc<App>>,
    May(who): May<acts::Records>,
    Search(which): Search<Which>,
) -> Answer<Response> {
    whole(&who)?;
    let made = app.blocking(move |app| {
        let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let (document, _) = make(app, &who, &which)?;
        serde_json::to_vec(&document).map_err(|e| Error::new(Kind::Internal, e.to_string()))
    });
    Ok(file("application/json", "certificate.json", made.await?))
}

/// The same as a document for people (PDF/A), with the signed JSON in it as an attachment.
#[utoipa::path(
    get,
    path = "/api/v1/deletions/certificate.pdf",
    tag = "deletions",
    params(Which),
    responses(
        (status = 200, description = "The document.", content_type = "application/pdf"),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn certificate_pdf(
    State(app): State<Arc<App>>,
    May(who): May<acts::Records>,
    Search(which): Search<Which>,
) -> Answer<Response> {
    whole(&who)?;
    let language = match &which.language {
        None => own_language(&who),
        Some(text) => text
            .parse()
            .map_err(|_| Refusal::field("?language", "fi, sv or en"))?,
    };
    let made = app.blocking(move |app| {
        let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let (document, checked) = make(app, &who, &which)?;
        certificate::paper(&checked, &document, language)
    });
    Ok(file("application/pdf", "certificate.pdf", made.await?))
}

/// The person's own.
pub(crate) fn own_language(who: &Authorised<acts::Records>) -> Language {
    let own = who.language().to_string();
    own.parse().unwrap_or(Language::Finnish)
}

/// A file to be kept.
pub(crate) fn file(kind: &'static str, name: &str, bytes: Vec<u8>) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers = [
        (CONTENT_TYPE, kind.to_owned()),
        (CONTENT_DISPOSITION, disposition),
    ];
    (headers, bytes).into_response()
}

fn make(
    app: &App,
    who: &Authorised<acts::Records>,
    which: &Which,
) -> Result<(serde_json::Value, Checked)> {
    let site = app.config().site.clone();
    let now = app.now();
    let cameras: Vec<CameraId> = which.camera.clone().into_iter().collect();
    let made = certificate::gather(
        &app.parts.catalog.reader()?,
        &Asked {
            box_id: app.parts.box_id,
            key: app.parts.ledger_key,
            site: &site.name,
            zone: site.zone.name(),
            period: Span {
                start: which.start,
                end: which.end,
            },
            cameras: &cameras,
            now,
            lines_bytes_max: LINES_BYTES_MAX_ONLINE,
        },
    )?;
    let signer = StateFolder::open(&app.parts.dir)?.signer()?;
    let (document, sha256) = made.sign(&signer)?;
    let checked = certificate::check(&document)?;
    let (segments, bytes) = checked.summary.total();
    let facts = json!({
        "from": which.start, "to": which.end, "sha256": sha256, "sweeps": checked.summary.sweeps,
        "segments": segments, "bytes": bytes,
    });
    let event = Event {
        actor: who.actor(),
        ..Event::of_box(now, "certificate-made", "retention", facts)
    };
    app.parts.catalog.note(event)?;
    Ok((document, checked))
}
