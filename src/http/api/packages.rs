//! Packages of disclosures: making one, how far it is, stopping it. Whether a disclosure may be prepared at all is `disclosure`'s.
//!
//! What does not belong here: the download, which is in `package_parts`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::access::role::acts;
use crate::base::error::{Error, Kind, Result};
use crate::base::time::Wall;
use crate::disclosure::making::{Maker, Wanted};
use crate::disclosure::packages::{PackageState, Packages};
use crate::evidence::package::secret;
use crate::http::api::disclosures::{self, OfDisclosure};
use crate::http::api::session::Secret;
use crate::http::app::App;
use crate::http::guard::May;
use crate::http::json::{Body, Json, Segments};
use crate::http::problem::{Answer, Problem, Refusal};

/// How a package is to be made.
#[derive(serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPackage {
    /// `none`; `made`: under a passphrase that the box makes and tells once; `typed`: under the one that is given.
    #[serde(default)]
    encryption: Encryption,
    /// The passphrase, when it is typed: 16 characters or more.
    #[serde(default)]
    #[schema(value_type = Option<String>, write_only)]
    passphrase: Option<Secret>,
}

/// What the files of a package are encrypted with besides.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Encryption {
    /// Nothing: Explorer opens it.
    #[default]
    None,
    /// AES-256 under a passphrase that the box makes.
    Made,
    /// AES-256 under a passphrase that is given.
    Typed,
}

/// A package that is being made.
#[derive(serde::Serialize, ToSchema)]
pub struct BegunPackage {
    /// The passphrase that the box made, here and nowhere again: it is not kept.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "once")]
    #[schema(value_type = Option<String>)]
    passphrase: Option<Zeroizing<String>>,
}

fn once<S: serde::Serializer>(
    passphrase: &Option<Zeroizing<String>>,
    out: S,
) -> std::result::Result<S::Ok, S::Error> {
    out.serialize_str(passphrase.as_ref().map_or("", |text| text.as_str()))
}

/// How far a package is.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct Package {
    /// `queued`, `running`, `done`, `failed`, `cancelled`.
    state: String,
    /// `queued`, `closing` (the segment that is being written), `packing`, `proving`.
    phase: String,
    /// So many bytes are made.
    bytes_done: u64,
    /// Of about so many.
    bytes_total: u64,
    /// How many seconds it will take, as far as that can be told.
    #[schema(nullable)]
    seconds_left: Option<u64>,
    /// Why it failed; `interrupted`: the box was restarted meanwhile.
    #[schema(nullable)]
    cause: Option<String>,
    /// Who began it: a person's id.
    by: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    begun: Wall,
    /// When it was over.
    #[schema(value_type = Option<String>, format = DateTime, nullable)]
    ended: Option<Wall>,
    /// The parts of the package that was made last, once all are there. A job that fails takes the place of none.
    parts: Vec<PackagePart>,
}

/// A part of a package: a ZIP of its own.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct PackagePart {
    /// Its number, from 1.
    part: u32,
    /// What it is called.
    name: String,
    /// Its bytes.
    bytes: u64,
    /// SHA-256 of it, 64 hexadecimal digits.
    sha256: String,
    /// When the box's own copy was wiped.
    #[schema(value_type = Option<String>, format = DateTime, nullable)]
    wiped: Option<Wall>,
}

impl From<PackageState> for Package {
    fn from(of: PackageState) -> Self {
        let parts = of.parts.into_iter().map(|part| PackagePart {
            part: part.part,
            name: part.name,
            bytes: part.bytes,
            sha256: part.sha256,
            wiped: part.wiped,
        });
        Self {
            parts: parts.collect(),
            state: of.state,
            phase: of.phase,
            bytes_done: of.bytes_done,
            bytes_total: of.bytes_total,
            seconds_left: of.seconds_left,
            cause: of.cause,
            by: of.by,
            begun: of.begun,
            ended: of.ended,
        }
    }
}

fn maker(app: &App) -> Maker {
    Maker {
        catalog: Arc::clone(&app.parts.catalog),
        access: app.parts.access.clone(),
        clock: Arc::clone(&app.parts.clock),
        dir: app.parts.dir.clone(),
        config: app.config(),
        box_id: app.parts.box_id,
        key: app.parts.ledger_key,
    }
}

pub(super) fn packages(app: &App) -> Result<&Arc<dyn Packages>> {
    app.parts.packages.as_ref().ok_or_else(|| {
        let text = "packages are not made at present; the log of the box says why";
        Error::new(Kind::Unavailable, text)
    })
}

/// Begins to make the package of a disclosure that is approved: in the background, one after another.
#[utoipa::path(
    post,
    path = "/api/v1/disclosures/{disclosure}/package",
    tag = "disclosures",
    params(OfDisclosure),
    request_body = NewPackage,
    responses(
        (status = 202, body = BegunPackage),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn start(
    State(app): State<Arc<App>>,
    May(who): May<acts::HandOut>,
    Segments(of): Segments<OfDisclosure>,
    Body(new): Body<NewPackage>,
) -> Answer<Response> {
    let passphrase = match (new.encryption, new.passphrase) {
        (Encryption::None, None) => None,
        (Encryption::Made, None) => Some(secret::make()?),
        (Encryption::Typed, Some(typed)) => {
            let typed = typed.take("/passphrase")?;
            secret::check(&typed).map_err(|e| Refusal::field("/passphrase", e.to_string()))?;
            Some(typed)
        }
        (Encryption::Typed, None) => {
            return Err(Refusal::field("/passphrase", "it is missing"));
        }
        (Encryption::None | Encryption::Made, Some(_)) => {
            let text = "a passphrase is given with \"encryption\": \"typed\" alone";
            return Err(Refusal::field("/passphrase", text));
        }
    };
    let told = (new.encryption == Encryption::Made).then(|| passphrase.clone());
    app.blocking(move |app| {
        let (by, disclosure) = (disclosures::by(&who), of.id(&app.parts.catalog.reader()?)?);
        let permitted = disclosures::at_desk(app, |desk| desk.permit(&who, &by, disclosure))?;
        let wanted = Wanted {
            person: who.person(),
            by,
            permitted,
            vault: who.vault(),
            passphrase,
        };
        maker(app).start(wanted, packages(app)?.as_ref())
    })
    .await?;
    let begun = BegunPackage {
        passphrase: told.flatten(),
    };
    Ok((StatusCode::ACCEPTED, Json(begun)).into_response())
}

/// How far the package of a disclosure is, or what became of it.
#[utoipa::path(
    get,
    path = "/api/v1/disclosures/{disclosure}/package",
    tag = "disclosures",
    params(OfDisclosure),
    responses(
        (status = 200, body = Package),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    May(who): May<acts::Ask>,
    Segments(of): Segments<OfDisclosure>,
) -> Answer<Json<Package>> {
    app.blocking(move |app| {
        let reader = app.parts.catalog.reader()?;
        let (by, id) = (disclosures::by(&who), of.id(&reader)?);
        let row = disclosures::at_desk(app, |desk| desk.in_reach(&reader, &by, id))?;
        let packages = app.parts.packages.as_deref();
        PackageState::read(&reader, packages, row.disclosure)?
            .map(Package::from)
            .ok_or_else(|| Error::new(Kind::NotFound, "no package was made for it"))
    })
    .await
    .map(Json)
}

/// Stops the making of a package; nothing of it is left.
#[utoipa::path(
    delete,
    path = "/api/v1/disclosures/{disclosure}/package",
    tag = "disclosures",
    params(OfDisclosure),
    responses(
        (status = 204, description = "It stops within a second."),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn cancel(
    State(app): State<Arc<App>>,
    May(who): May<acts::Ask>,
    Segments(of): Segments<OfDisclosure>,
) -> Answer<StatusCode> {
    app.blocking(move |app| {
        let reader = app.parts.catalog.reader()?;
        let (by, id) = (disclosures::by(&who), of.id(&reader)?);
        disclosures::at_desk(app, |desk| {
            let packages = app.parts.packages.as_deref();
            desk.cancel(&reader, &by, id, packages).map(drop)
        })
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}
