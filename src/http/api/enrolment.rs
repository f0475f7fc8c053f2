//! Enrolment: whoever holds a one-time token sets password and second factor, in two steps.

use std::sync::Arc;

use axum::extract::State;
use axum::http::Extensions;
use utoipa::ToSchema;

use crate::access::token::EnrolmentToken;
use crate::http::api::session::Secret;
use crate::http::app::App;
use crate::http::guard::peer;
use crate::http::json::{Body, Json};
use crate::http::problem::{Answer, Problem, Refusal};

/// First step.
#[derive(Debug, serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Begin {
    /// The one-time token.
    #[schema(value_type = String, max_length = 64)]
    token: Secret,
    /// The password: at least 12 characters, no common one. When only the factor is set anew: the one there is.
    #[schema(value_type = String, format = Password, max_length = 1024)]
    password: Secret,
}

/// What the authenticator must know.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct Begun {
    /// Personal user name, for signing in.
    name: String,
    /// `otpauth://…`: shown as a picture for the authenticator, once.
    uri: String,
    /// Fingerprint of the person's key, to be kept: the controller who confirms the rights compares it.
    fingerprint: String,
}

/// Second step.
#[derive(Debug, serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Finish {
    /// The one-time token.
    #[schema(value_type = String, max_length = 64)]
    token: Secret,
    /// Six digits that the authenticator shows.
    #[schema(value_type = String, max_length = 64)]
    code: Secret,
}

/// Recovery codes: each stands in once for the second factor. They are shown once.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct RecoveryCodes {
    /// The codes, for paper.
    codes: Vec<String>,
}

fn token(text: Secret) -> Result<EnrolmentToken, Refusal> {
    let text = text.take("/token")?;
    EnrolmentToken::parse(&text).map_err(|e| Refusal::field("/token", e.to_string()))
}

/// Sets the password and gets the secret of the second factor. Nothing counts before the second step.
#[utoipa::path(
    post,
    path = "/api/v1/enrolment",
    tag = "session",
    security(()),
    request_body = Begin,
    responses(
        (status = 200, body = Begun),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn begin(
    State(app): State<Arc<App>>,
    extensions: Extensions,
    Body(given): Body<Begin>,
) -> Answer<Json<Begun>> {
    let from = peer(&extensions)?.address.ip();
    let (token, password) = (token(given.token)?, given.password.take("/password")?);
    let access = &app.parts.access;
    let shown = access.begin_enrolment(token, password, from).await?;
    Ok(Json(Begun {
        name: shown.name,
        uri: shown.uri.as_str().to_owned(),
        fingerprint: shown.fingerprint,
    }))
}

/// Shows that the authenticator works; from now on one can sign in.
#[utoipa::path(
    post,
    path = "/api/v1/enrolment/code",
    tag = "session",
    security(()),
    request_body = Finish,
    responses(
        (status = 200, body = RecoveryCodes),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn finish(
    State(app): State<Arc<App>>,
    Body(given): Body<Finish>,
) -> Answer<Json<RecoveryCodes>> {
    let (token, code) = (token(given.token)?, given.code.take("/code")?);
    let done = app.blocking(move |app| Ok(app.parts.access.finish_enrolment(&token, &code)));
    let codes = done.await??;
    Ok(Json(RecoveryCodes {
        codes: codes.iter().map(|code| code.as_str().to_owned()).collect(),
    }))
}
