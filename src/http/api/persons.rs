//! Persons and what they may, since when and by whom: the access review.

use std::sync::Arc;

use axum::extract::State;
use utoipa::{IntoParams, ToSchema};

use crate::access::review::{self, Line};
use crate::access::role::acts;
use crate::base::error::Result;
use crate::base::id::CameraId;
use crate::base::time::Wall;
use crate::catalog::{Cameras, GrantRow, Undertaking, Validity};
use crate::http::api::words;
use crate::http::app::App;
use crate::http::guard::May;
use crate::http::json::{Json, Segments};
use crate::http::problem::{Answer, Problem, Refusal};

/// A person and what the person may, since when and by whom.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct Person {
    /// Id, as the ledger names it.
    #[schema(format = "uuid")]
    person: String,
    /// Personal user name.
    name: String,
    /// Name as people read it.
    display: String,
    /// What the person reads.
    #[schema(schema_with = words::language)]
    language: String,
    /// The undertaking that was signed last.
    #[schema(nullable)]
    undertaking: Option<UndertakingLine>,
    /// When the person may sign in.
    valid: Period,
    /// Roles, taken ones too.
    roles: Vec<RoleLine>,
    /// When the person was added.
    #[schema(value_type = String, format = DateTime)]
    added: Wall,
    /// When every right was taken for good.
    #[schema(value_type = Option<String>, format = DateTime, nullable)]
    removed: Option<Wall>,
    /// When somebody last looked at the rights.
    #[schema(value_type = Option<String>, format = DateTime, nullable)]
    reviewed: Option<Wall>,
    /// Nobody has for long.
    review_due: bool,
    /// Last sign-in.
    #[schema(value_type = Option<String>, format = DateTime, nullable)]
    signed_in: Option<Wall>,
    /// Why the person may not sign in, as a word; null: may.
    #[schema(nullable)]
    refused: Option<String>,
    /// Password and second factor are set.
    enrolled: bool,
    /// Until when an enrolment is open.
    #[schema(value_type = Option<String>, format = DateTime, nullable)]
    enrolment_until: Option<Wall>,
    /// What is recorded from now on can be opened by the person.
    opens_vault: bool,
    /// Vault generations that were made before the person came, and nobody has passed on yet.
    generations_missing: u64,
    /// Fingerprint of the person's public key.
    #[schema(nullable)]
    fingerprint: Option<String>,
}

/// A confidentiality undertaking.
#[derive(Debug, serde::Serialize, serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UndertakingLine {
    /// Version of its text.
    #[schema(min_length = 1, max_length = 40)]
    version: String,
    /// When it was signed.
    #[schema(value_type = String, format = DateTime)]
    signed: Wall,
    /// First instant at which it has lapsed; null: no end is set.
    #[schema(value_type = Option<String>, format = DateTime, nullable)]
    until: Option<Wall>,
}

/// From when until when.
#[derive(Debug, serde::Serialize, serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Period {
    /// First instant.
    #[schema(value_type = String, format = DateTime)]
    from: Wall,
    /// First instant after; null: no end is set.
    #[schema(value_type = Option<String>, format = DateTime, nullable)]
    until: Option<Wall>,
}

/// A role that somebody holds or held.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct RoleLine {
    /// Which.
    #[schema(schema_with = words::role)]
    role: String,
    /// The cameras that it reaches; null: all.
    #[schema(value_type = Option<Vec<String>>, nullable)]
    cameras: Option<Vec<CameraId>>,
    /// May approve disclosures.
    approves: bool,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    since: Wall,
    /// Who granted it: a person's id, or `console`.
    by: String,
    /// First instant after.
    #[schema(value_type = Option<String>, format = DateTime, nullable)]
    until: Option<Wall>,
    /// Since when a controller stands behind it; null: what it says about recorded footage and approval rests.
    #[schema(value_type = Option<String>, format = DateTime, nullable)]
    confirmed: Option<Wall>,
    /// Who that is.
    #[schema(nullable)]
    confirmed_by: Option<String>,
    /// When it was taken.
    #[schema(value_type = Option<String>, format = DateTime, nullable)]
    ended: Option<Wall>,
}

/// Everybody.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct Persons {
    /// By name; removed ones last.
    persons: Vec<Person>,
}

impl From<GrantRow> for RoleLine {
    fn from(row: GrantRow) -> Self {
        let (confirmed, confirmed_by) = row.confirmed.unzip();
        Self {
            role: row.role.to_string(),
            cameras: match row.cameras {
                Cameras::All => None,
                Cameras::Only(list) => Some(list),
            },
            approves: row.approves,
            since: row.since,
            by: row.by,
            until: row.until,
            confirmed,
            confirmed_by,
            ended: row.ended,
        }
    }
}

impl From<Line> for Person {
    fn from(line: Line) -> Self {
        let account = line.account;
        Self {
            person: account.person.to_string(),
            name: account.name,
            display: account.display,
            language: account.language.to_string(),
            undertaking: account.undertaking.map(|signed| UndertakingLine {
                version: signed.version,
                signed: signed.signed,
                until: signed.until,
            }),
            valid: Period {
                from: account.valid.from,
                until: account.valid.until,
            },
            roles: line.grants.into_iter().map(Into::into).collect(),
            added: account.added,
            removed: account.removed,
            reviewed: account.reviewed,
            review_due: line.review_due,
            signed_in: account.signed_in,
            refused: line.refused,
            enrolled: line.enrolled,
            enrolment_until: line.enrolment_until,
            opens_vault: line.opens_vault,
            generations_missing: line.generations_missing as u64,
            fingerprint: line.fingerprint,
        }
    }
}

/// The access review: who may what, since when, by whom.
#[utoipa::path(
    get,
    path = "/api/v1/persons",
    tag = "persons",
    responses(
        (status = 200, body = Persons),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    May(_): May<acts::SeePeople>,
) -> Answer<Json<Persons>> {
    let lines = app.blocking(lines).await?;
    Ok(Json(Persons {
        persons: lines.into_iter().map(Into::into).collect(),
    }))
}

fn lines(app: &App) -> Result<Vec<Line>> {
    review::review(&app.parts.catalog.reader()?, app.now())
}

/// Path of a person.
#[derive(Debug, serde::Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct OfPerson {
    /// Personal user name.
    pub(crate) name: String,
}

/// One person.
#[utoipa::path(
    get,
    path = "/api/v1/persons/{name}",
    tag = "persons",
    params(OfPerson),
    responses(
        (status = 200, body = Person),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    May(_): May<acts::SeePeople>,
    Segments(of): Segments<OfPerson>,
) -> Answer<Json<Person>> {
    let lines = app.blocking(lines).await?;
    let found = lines.into_iter().find(|line| line.account.name == of.name);
    found
        .map(|line| Json(line.into()))
        .ok_or_else(|| Refusal::not_found("there is no such person"))
}

impl From<UndertakingLine> for Undertaking {
    fn from(line: UndertakingLine) -> Self {
        Self {
            version: line.version,
            signed: line.signed,
            until: line.until,
        }
    }
}

impl From<Period> for Validity {
    fn from(period: Period) -> Self {
        Self {
            from: period.from,
            until: period.until,
        }
    }
}
