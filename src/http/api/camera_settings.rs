//! Cameras as the configuration has them: reading, trying, adding, changing. Each change goes the way of `sinetti camera add`,
//! is an act in the ledger, and takes effect as soon as the daemon has seen the file: no restart.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::access::authorise::Authorised;
use crate::access::role::acts;
use crate::base::disk::{self, SECRET_DIR_MODE, SECRET_MODE};
use crate::base::error::{Error, Kind, Result};
use crate::base::id::{BoxId, CameraId};
use crate::catalog::Event;
use crate::config::{self, CameraChange, FILE_NAME, NewCamera, Transport, change_camera};
use crate::http::api::camera_answers::CamerasSettings;
use crate::http::api::cameras::OfCamera;
use crate::http::api::session::Secret;
use crate::http::api::words;
use crate::http::app::App;
use crate::http::guard::May;
use crate::http::json::{Body, Json, Segments};
use crate::http::problem::{Answer, FieldError, Problem, Refusal};
use crate::ingest::allowance::Allowance;
use crate::ingest::probe::{self, Found};
use crate::ingest::redirect::Allowed;
use crate::ingest::rtsp::Options;

/// Cameras' logins, seen from the state folder.
const LOGINS: &str = "secrets";

/// User name and password on a camera.
#[derive(Debug, serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CameraLogin {
    /// User name.
    #[schema(min_length = 1, max_length = 100)]
    user: String,
    /// Password.
    #[schema(value_type = String, format = Password, min_length = 1, max_length = 100)]
    password: Secret,
}

/// A camera to be tried.
#[derive(Debug, serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Tried {
    /// Its IP address, with `:PORT` unless 554.
    #[schema(max_length = 60, example = "192.168.10.21")]
    address: String,
    /// Path of the stream on it.
    #[schema(max_length = 500, example = "/stream1")]
    path: String,
    /// How its pictures shall travel; left out: `tcp`.
    #[schema(schema_with = words::transport)]
    transport: Option<String>,
    /// Its login; left out: that of `camera`, or none.
    login: Option<CameraLogin>,
    /// A camera of the configuration whose login is used, when it is the one at that address.
    #[schema(value_type = Option<String>)]
    camera: Option<CameraId>,
}

/// What a camera sends.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct Sends {
    /// `H264` or `H265`.
    codec: String,
    /// Picture width in pixels.
    width: u32,
    /// Picture height in pixels.
    height: u32,
    /// Pictures a second.
    pictures_per_second: f64,
    /// Megabits a second.
    megabits_per_second: f64,
    /// Seconds from a key frame to the next, about; null: none was seen. Two are right.
    #[schema(nullable)]
    key_frame_every_secs: Option<f64>,
    /// Packets and pictures that were lost or broken.
    lost: u32,
    /// Its clock minus that of the box, in milliseconds, where it tells.
    #[schema(nullable)]
    clock_offset_ms: Option<i64>,
}

impl From<Found> for Sends {
    fn from(found: Found) -> Self {
        Self {
            codec: found.codec,
            width: found.width,
            height: found.height,
            pictures_per_second: found.pictures_per_second,
            megabits_per_second: found.megabits_per_second,
            key_frame_every_secs: found.key_frame_every_secs,
            lost: found.lost,
            clock_offset_ms: found.clock_offset_ms,
        }
    }
}

/// A camera to be added.
#[derive(Debug, serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddedCamera {
    /// Its id, for ever: 1 to 40 of a-z, 0-9, - and _.
    #[schema(value_type = String)]
    camera: CameraId,
    /// Its name.
    name: String,
    /// The marked area that it films.
    area: String,
    /// Its IP address, with `:PORT` unless 554.
    address: String,
    /// How its pictures travel; left out: `tcp`.
    #[schema(schema_with = words::transport)]
    transport: Option<String>,
    /// Path of the full picture on it.
    main: String,
    /// Path of the small picture; left out: none is recorded.
    sub: Option<String>,
    /// Its login; left out: it asks for none.
    login: Option<CameraLogin>,
    /// What it films for: at least one.
    #[schema(schema_with = words::purposes)]
    purposes: Vec<String>,
    /// How long its footage is kept at most: `14 d`, `72 h`; left out: as `[retention]` says.
    keep: Option<String>,
    /// Why for more than 72 hours; left out: as `[retention]` says.
    #[schema(max_length = 500)]
    justification: Option<String>,
    /// Why for more than 365 days; left out: as `[retention]` says.
    #[schema(max_length = 500)]
    special_reason: Option<String>,
    /// Where the sentence for that stands; left out: as `[retention]` says.
    #[schema(max_length = 500)]
    documented_in: Option<String>,
}

/// What shall be another; what is left out stays.
#[derive(Debug, Default, serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangedCamera {
    /// Its name.
    name: Option<String>,
    /// The marked area that it films.
    area: Option<String>,
    /// Its IP address, with `:PORT` unless 554.
    address: Option<String>,
    /// How its pictures travel.
    #[schema(schema_with = words::transport)]
    transport: Option<String>,
    /// Path of the full picture on it.
    main: Option<String>,
    /// Path of the small picture; empty: none is recorded any more.
    sub: Option<String>,
    /// Its login.
    login: Option<CameraLogin>,
    /// Whether it is recorded.
    enabled: Option<bool>,
    /// What it films for: at least one.
    #[schema(schema_with = words::purposes)]
    purposes: Option<Vec<String>>,
    /// How long its footage is kept at most: `14 d`, `72 h`.
    keep: Option<String>,
    /// Why for more than 72 hours; empty: as `[retention]` says.
    #[schema(max_length = 500)]
    justification: Option<String>,
    /// Why for more than 365 days; empty: as `[retention]` says.
    #[schema(max_length = 500)]
    special_reason: Option<String>,
    /// Where the sentence for that stands; empty: as `[retention]` says.
    #[schema(max_length = 500)]
    documented_in: Option<String>,
}

/// The cameras of the configuration in force, without their logins.
#[utoipa::path(
    get,
    path = "/api/v1/configuration/cameras",
    tag = "configuration",
    responses(
        (status = 200, body = CamerasSettings),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    May(_): May<acts::SeeHealth>,
) -> Json<CamerasSettings> {
    Json(app.config().as_ref().into())
}

/// Connects to a camera and says what it sends; six seconds. Nothing is written but that it was tried.
#[utoipa::path(
    post,
    path = "/api/v1/configuration/probe",
    tag = "configuration",
    request_body = Tried,
    responses(
        (status = 200, body = Sends),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn try_one(
    State(app): State<Arc<App>>,
    May(who): May<acts::ChangeBox>,
    Body(given): Body<Tried>,
) -> Answer<Json<Sends>> {
    let permit = app.probing.try_acquire();
    let _permit = permit.map_err(|_| Error::new(Kind::Busy, "another camera is being tried"))?;
    let config = app.config();
    let address =
        probe::address(&given.address).map_err(|e| Refusal::field("/address", e.to_string()))?;
    if !config.network.allows(address.ip()) {
        return Err(Refusal::field(
            "/address",
            "it is outside camera_subnets of the configuration",
        ));
    }
    if !given.path.starts_with('/') {
        return Err(Refusal::field("/path", "it must begin with /"));
    }
    let transport = given.transport.as_deref().unwrap_or("tcp");
    let transport = transport.parse::<Transport>();
    let transport = transport.map_err(|e| Refusal::field("/transport", e.to_string()))?;
    let known = given.camera.and_then(|id| config.camera(&id).cloned());
    // A login goes to no other address than the one it is for.
    let known = known.filter(|camera| camera.address == address);
    let login = given.login.map(login).transpose()?;
    let at = json!({ "address": address.to_string(), "path": given.path });
    let event = event(&app, &who, "camera-probed", "camera", json!({}), at);
    app.note(event).await?;
    // Removed when this is over, however it ends.
    let scratch = match &login {
        Some(text) => Some(Scratch::write(&app.parts.dir, text)?),
        None => None,
    };
    let options = Options {
        address,
        path: given.path,
        transport,
        credentials: match &scratch {
            Some(scratch) => Some(scratch.0.clone()),
            None => known.and_then(|camera| camera.credentials.clone()),
        },
        allowed: Allowed::by(config.network.clone()),
        allowance: Allowance::of(config.recorder.receive_bytes),
    };
    let found = probe::look(options, Arc::clone(&app.parts.clock)).await;
    drop(scratch);
    // Whatever went wrong went wrong at that address: it is no fault of the box.
    let found = found.map_err(|e| Refusal::field("/address", e.to_string()))?;
    Ok(Json(found.into()))
}

/// A camera's login in a file that goes when this is dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn write(dir: &Path, text: &str) -> Result<Self> {
        let folder = dir.join(LOGINS);
        disk::create_dir_all(&folder, SECRET_DIR_MODE)?;
        let path = folder.join(format!("probe-{}", BoxId::random()));
        disk::create(&path, text.as_bytes(), SECRET_MODE)?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(e) = disk::remove_file(&self.0) {
            log::warn!("{e}");
        }
    }
}

/// The two lines of a login's file.
fn login(given: CameraLogin) -> Result<Zeroizing<String>, Refusal> {
    let password = given.password.take("/login/password")?;
    let is_bad = |text: &str| text.is_empty() || text.contains(char::is_control);
    if is_bad(&given.user) || given.user.contains(':') {
        let text = "it must not be empty, and have neither colon nor control characters";
        return Err(Refusal::field("/login/user", text));
    }
    if is_bad(&password) {
        let text = "it must not be empty, nor have control characters";
        return Err(Refusal::field("/login/password", text));
    }
    let lines = format!("{}\n{}\n", given.user, password.as_str());
    Ok(Zeroizing::new(lines))
}

/// A sentence of somebody who said one.
fn said(sentence: Option<String>) -> Option<String> {
    sentence.filter(|text| !text.trim().is_empty())
}

fn event(
    app: &App,
    who: &Authorised<acts::ChangeBox>,
    action: &str,
    object: &str,
    facts: Value,
    change: Value,
) -> Event {
    let by = json!({ "name": who.name(), "address": who.address(), "change": change });
    Event {
        actor: who.actor(),
        detail: Some(by),
        ..Event::of_box(app.now(), action, object, facts)
    }
}

/// What is wrong with the configuration that would come of it, by the field that it is about.
fn wrong(e: Error) -> Refusal {
    if e.kind() != Kind::Invalid {
        return e.into();
    }
    let text = e.to_string();
    let mut lines = text.lines().peekable();
    let field = |line: &str| {
        // The first line begins with what was attempted.
        let line = line.split_once("\": ").map_or(line, |(_, rest)| rest);
        let (key, detail) = line.split_once(": ").unwrap_or(("", line));
        let is_key = !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        FieldError {
            pointer: if is_key {
                format!("/{key}")
            } else {
                String::new()
            },
            detail: if is_key { detail } else { line }.to_owned(),
        }
    };
    if lines.peek().is_none() {
        return e.into();
    }
    Refusal::fields(lines.map(field).collect())
}

/// Adds a camera. It is recorded as soon as the daemon has read its configuration again, within seconds.
#[utoipa::path(
    post,
    path = "/api/v1/configuration/cameras",
    tag = "configuration",
    request_body = AddedCamera,
    responses(
        (status = 201, description = "Added"),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn add(
    State(app): State<Arc<App>>,
    May(who): May<acts::ChangeBox>,
    Body(given): Body<AddedCamera>,
) -> Answer<StatusCode> {
    let login = given.login.map(login).transpose()?;
    let id = given.camera;
    let mut new = NewCamera {
        id: id.to_string(),
        name: given.name,
        area: given.area,
        address: given.address,
        transport: given.transport,
        main: given.main,
        sub: given.sub.filter(|path| !path.is_empty()),
        purposes: given.purposes,
        keep: given.keep,
        justification: said(given.justification),
        special_reason: said(given.special_reason),
        documented_in: said(given.documented_in),
        ..NewCamera::default()
    };
    let told = json!({
        "name": new.name, "area": new.area, "address": new.address, "purposes": new.purposes, "keep": new.keep,
        "justification": new.justification, "special_reason": new.special_reason, "documented_in": new.documented_in,
    });
    let edit = move |text: &str, dir: &Path, login: Option<&str>| {
        new.credentials = login.map(str::to_owned);
        config::add_camera(text, dir, &new)
    };
    let done = app.blocking(move |app| {
        let event = event(app, &who, "camera-added", id.as_str(), json!({}), told);
        Ok(change(
            app,
            &id,
            login.as_ref().map(|l| l.as_str()),
            event,
            edit,
        ))
    });
    done.await?.map_err(wrong)?;
    Ok(StatusCode::CREATED)
}

/// Changes a camera. What says where it is and how connects it anew; a new name does not interrupt it.
#[utoipa::path(
    patch,
    path = "/api/v1/configuration/cameras/{camera}",
    tag = "configuration",
    params(OfCamera),
    request_body = ChangedCamera,
    responses(
        (status = 204, description = "Changed"),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn change_one(
    State(app): State<Arc<App>>,
    May(who): May<acts::ChangeBox>,
    Segments(of): Segments<OfCamera>,
    Body(given): Body<ChangedCamera>,
) -> Answer<StatusCode> {
    let login = given.login.map(login).transpose()?;
    let mut changes = CameraChange {
        name: given.name,
        area: given.area,
        address: given.address,
        transport: given.transport,
        main: given.main,
        sub: given.sub,
        credentials: None,
        enabled: given.enabled,
        purposes: given.purposes,
        keep: given.keep,
        justification: given.justification,
        special_reason: given.special_reason,
        documented_in: given.documented_in,
    };
    if login.is_none() && changes == CameraChange::default() {
        return Err(Refusal::field("", "nothing is to be changed"));
    }
    let id = of.camera;
    let told = json!({
        "name": changes.name, "area": changes.area, "address": changes.address, "enabled": changes.enabled,
        "purposes": changes.purposes, "keep": changes.keep, "login": login.is_some(),
        "justification": changes.justification, "special_reason": changes.special_reason,
        "documented_in": changes.documented_in,
    });
    let of_edit = id.clone();
    let edit = move |text: &str, dir: &Path, login: Option<&str>| {
        changes.credentials = login.map(str::to_owned);
        change_camera(text, dir, &of_edit, &changes)
    };
    let done = app.blocking(move |app| {
        let event = event(app, &who, "camera-changed", id.as_str(), json!({}), told);
        Ok(change(
            app,
            &id,
            login.as_ref().map(|l| l.as_str()),
            event,
            edit,
        ))
    });
    done.await?.map_err(wrong)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Edits the configuration file for a camera: first in thought, then in the ledger, then its login, then the file. `edit` is
/// handed the path of the login's file when there is a new one.
fn change(
    app: &App,
    id: &CameraId,
    login: Option<&str>,
    event: Event,
    mut edit: impl FnMut(&str, &Path, Option<&str>) -> Result<String>,
) -> Result<()> {
    let dir = &app.parts.dir;
    let path = dir.join(FILE_NAME);
    let loaded = config::load(&path)?;
    let without_login = edit(&loaded.text, dir, None)?;
    let catalog = &app.parts.catalog;
    let act = catalog.begin_act(event.clone(), Vec::new())?;
    let write = || {
        let Some(login) = login else {
            return config::save(&path, &loaded, &without_login);
        };
        disk::create_dir_all(&dir.join(LOGINS), SECRET_DIR_MODE)?;
        let name = format!("{LOGINS}/{id}");
        disk::replace(&dir.join(&name), login.as_bytes(), SECRET_MODE)?;
        let text = edit(&loaded.text, dir, Some(&name))?;
        config::save(&path, &loaded, &text)
    };
    let done = { write }();
    let outcome = Event {
        at: app.now(),
        result: if done.is_ok() { "ok" } else { "failed" }.to_owned(),
        detail: None,
        ..event
    };
    catalog.end_act(act, outcome, Vec::new())?;
    done
}
