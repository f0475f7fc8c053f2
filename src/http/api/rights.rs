//! Changes of persons and of what they may: adding, granting, taking, confirming. Each is an act of an administrator, or of a
//! controller; never of one's own rights.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use utoipa::{IntoParams, ToSchema};
use zeroize::Zeroizing;

use crate::access::authorise::Authorised;
use crate::access::people::{ENROLMENT_US, NewGrant, PeopleAct, new_enrolment};
use crate::access::role::{Role, acts};
use crate::base::id::CameraId;
use crate::base::time::Wall;
use crate::catalog::{Cameras, Language, Validity};
use crate::http::api::persons::{OfPerson, Period, UndertakingLine};
use crate::http::api::words;
use crate::http::app::App;
use crate::http::guard::May;
use crate::http::json::{Body, Json, Segments};
use crate::http::problem::{Answer, Problem, Refusal};

/// A role to be granted.
#[derive(Debug, serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRole {
    /// Which.
    #[schema(schema_with = words::role)]
    role: String,
    /// The cameras that it shall reach; left out: all.
    #[schema(value_type = Option<Vec<String>>, max_items = 256)]
    cameras: Option<Vec<CameraId>>,
    /// May approve disclosures: of managers.
    #[serde(default)]
    approves: bool,
    /// First instant after; left out: no end is set.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Wall>,
}

impl NewRole {
    fn grant(self, pointer: &str) -> Result<NewGrant, Refusal> {
        let role = self.role.parse::<Role>();
        Ok(NewGrant {
            role: role.map_err(|e| Refusal::field(format!("{pointer}/role"), e.to_string()))?,
            cameras: self.cameras.map_or(Cameras::All, Cameras::Only),
            approves: self.approves,
            until: self.until,
        })
    }
}

/// A person to be added.
#[derive(Debug, serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPerson {
    /// Personal user name.
    #[schema(min_length = 1, max_length = 64)]
    name: String,
    /// Name as people read it.
    #[schema(min_length = 1, max_length = 80)]
    display: String,
    /// What the person reads.
    #[schema(schema_with = words::language)]
    language: String,
    /// The undertaking that was signed.
    undertaking: Option<UndertakingLine>,
    /// When the person may sign in; left out: from now on.
    valid: Option<Period>,
    /// The first role.
    role: NewRole,
}

/// A one-time token: whoever has it sets password and second factor. It is shown once.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct Invitation {
    /// Whose.
    name: String,
    /// The token, as people type it.
    token: String,
    /// Until when it is good.
    #[schema(value_type = String, format = DateTime)]
    until: Wall,
}

impl Invitation {
    fn answer(app: &App, name: String, token: &Zeroizing<String>) -> Response {
        let body = Self {
            name,
            token: token.as_str().to_owned(),
            until: app.now().plus_us(ENROLMENT_US),
        };
        (StatusCode::CREATED, Json(body)).into_response()
    }
}

/// Does it, as `who`.
async fn change(
    app: &Arc<App>,
    who: Arc<Authorised<acts::ChangePeople>>,
    act: PeopleAct,
) -> Answer<()> {
    app.blocking(move |app| app.parts.access.change_people(&who, &act).map(drop))
        .await
}

fn language(text: &str) -> Result<Language, Refusal> {
    text.parse()
        .map_err(|e: crate::base::Error| Refusal::field("/language", e.to_string()))
}

/// Adds a person, who then enrols with the token.
#[utoipa::path(
    post,
    path = "/api/v1/persons",
    tag = "persons",
    request_body = NewPerson,
    responses(
        (status = 201, body = Invitation),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn add(
    State(app): State<Arc<App>>,
    May(who): May<acts::ChangePeople>,
    Body(new): Body<NewPerson>,
) -> Answer<Response> {
    let (token, enrolment) = new_enrolment()?;
    let name = new.name.clone();
    let act = PeopleAct::Add {
        name: new.name,
        display: new.display,
        language: language(&new.language)?,
        undertaking: new.undertaking.map(Into::into),
        valid: new.valid.map_or(
            Validity {
                from: app.now(),
                until: None,
            },
            Into::into,
        ),
        grant: new.role.grant("/role")?,
        enrolment,
    };
    change(&app, who, act).await?;
    Ok(Invitation::answer(&app, name, &token.to_text()))
}

/// Takes everything from a person, for good. Sessions end within seconds.
#[utoipa::path(
    delete,
    path = "/api/v1/persons/{name}",
    tag = "persons",
    params(OfPerson),
    responses(
        (status = 204, description = "Done"),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn remove(
    State(app): State<Arc<App>>,
    May(who): May<acts::ChangePeople>,
    Segments(of): Segments<OfPerson>,
) -> Answer<StatusCode> {
    let act = PeopleAct::Revoke {
        name: of.name,
        role: None,
    };
    change(&app, who, act).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Grants a further role.
#[utoipa::path(
    post,
    path = "/api/v1/persons/{name}/roles",
    tag = "persons",
    params(OfPerson),
    request_body = NewRole,
    responses(
        (status = 204, description = "Done"),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn grant(
    State(app): State<Arc<App>>,
    May(who): May<acts::ChangePeople>,
    Segments(of): Segments<OfPerson>,
    Body(new): Body<NewRole>,
) -> Answer<StatusCode> {
    let act = PeopleAct::Grant {
        name: of.name,
        grant: new.grant("")?,
    };
    change(&app, who, act).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Path of a role.
#[derive(Debug, serde::Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct OfRole {
    /// Personal user name.
    name: String,
    /// The role.
    role: String,
}

/// Takes a role.
#[utoipa::path(
    delete,
    path = "/api/v1/persons/{name}/roles/{role}",
    tag = "persons",
    params(OfRole),
    responses(
        (status = 204, description = "Done"),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn revoke(
    State(app): State<Arc<App>>,
    May(who): May<acts::ChangePeople>,
    Segments(of): Segments<OfRole>,
) -> Answer<StatusCode> {
    let role = of.role.parse::<Role>();
    let role = role.map_err(|_| Refusal::not_found("there is no such role"))?;
    let act = PeopleAct::Revoke {
        name: of.name,
        role: Some(role),
    };
    change(&app, who, act).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What is to be set anew.
#[derive(Debug, serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reset {
    /// The password, and the keys with it, stay; only the second factor is set anew.
    factor_only: bool,
}

/// Lets a person set password and second factor anew, by a token. What was set before does not count any more, and rights to
/// recorded footage and approval rest until a controller confirms them.
#[utoipa::path(
    post,
    path = "/api/v1/persons/{name}/enrolment",
    tag = "persons",
    params(OfPerson),
    request_body = Reset,
    responses(
        (status = 201, body = Invitation),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn reset(
    State(app): State<Arc<App>>,
    May(who): May<acts::ChangePeople>,
    Segments(of): Segments<OfPerson>,
    Body(what): Body<Reset>,
) -> Answer<Response> {
    let (token, enrolment) = new_enrolment()?;
    let act = PeopleAct::Reset {
        name: of.name.clone(),
        factor_only: what.factor_only,
        enrolment,
    };
    change(&app, who, act).await?;
    Ok(Invitation::answer(&app, of.name, &token.to_text()))
}

/// Notes the undertaking that was signed.
#[utoipa::path(
    put,
    path = "/api/v1/persons/{name}/undertaking",
    tag = "persons",
    params(OfPerson),
    request_body = UndertakingLine,
    responses(
        (status = 204, description = "Done"),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn sign(
    State(app): State<Arc<App>>,
    May(who): May<acts::ChangePeople>,
    Segments(of): Segments<OfPerson>,
    Body(signed): Body<UndertakingLine>,
) -> Answer<StatusCode> {
    let act = PeopleAct::Undertaking {
        name: of.name,
        undertaking: Some(signed.into()),
    };
    change(&app, who, act).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Notes that the undertaking was withdrawn. Sessions end within seconds.
#[utoipa::path(
    delete,
    path = "/api/v1/persons/{name}/undertaking",
    tag = "persons",
    params(OfPerson),
    responses(
        (status = 204, description = "Done"),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn withdraw(
    State(app): State<Arc<App>>,
    May(who): May<acts::ChangePeople>,
    Segments(of): Segments<OfPerson>,
) -> Answer<StatusCode> {
    let act = PeopleAct::Undertaking {
        name: of.name,
        undertaking: None,
    };
    change(&app, who, act).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sets when a person may sign in.
#[utoipa::path(
    put,
    path = "/api/v1/persons/{name}/validity",
    tag = "persons",
    params(OfPerson),
    request_body = Period,
    responses(
        (status = 204, description = "Done"),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn validity(
    State(app): State<Arc<App>>,
    May(who): May<acts::ChangePeople>,
    Segments(of): Segments<OfPerson>,
    Body(valid): Body<Period>,
) -> Answer<StatusCode> {
    let act = PeopleAct::Validity {
        name: of.name,
        valid: valid.into(),
    };
    change(&app, who, act).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Notes that somebody has looked at what a person may, and found it right.
#[utoipa::path(
    post,
    path = "/api/v1/persons/{name}/review",
    tag = "persons",
    params(OfPerson),
    responses(
        (status = 204, description = "Done"),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn reviewed(
    State(app): State<Arc<App>>,
    May(who): May<acts::ChangePeople>,
    Segments(of): Segments<OfPerson>,
) -> Answer<StatusCode> {
    change(&app, who, PeopleAct::Review { name: of.name }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What is confirmed: a person with the key that the controller compared.
#[derive(Debug, serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Compared {
    /// The fingerprint that the person was shown when they enrolled, and that the list of persons shows now.
    #[schema(min_length = 19, max_length = 19)]
    fingerprint: String,
}

/// How a confirmation went.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct Confirmed {
    /// Vault generations of the time before that this controller does not open, and so could not pass on.
    generations_missing: u64,
}

/// A controller stands behind what a person may, and passes on the older vault generations.
#[utoipa::path(
    post,
    path = "/api/v1/persons/{name}/confirmation",
    tag = "persons",
    params(OfPerson),
    request_body = Compared,
    responses(
        (status = 200, body = Confirmed),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn confirm(
    State(app): State<Arc<App>>,
    May(who): May<acts::ConfirmRights>,
    Segments(of): Segments<OfPerson>,
    Body(compared): Body<Compared>,
) -> Answer<Json<Confirmed>> {
    let left = app
        .blocking(move |app| {
            let access = &app.parts.access;
            access.confirm_rights(&who, &of.name, &compared.fingerprint)
        })
        .await?;
    Ok(Json(Confirmed {
        generations_missing: left as u64,
    }))
}
