//! Signing in and out, who one is and what one may, a fresh factor, opening the vault again.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{Extensions, HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::access::authorise::{Authorised, Caller};
use crate::access::refusal::Refusal as Why;
use crate::access::role::{Right, acts};
use crate::access::sign_in::SignInError;
use crate::access::token::Token;
use crate::base::error::{Error, Kind};
use crate::base::id::CameraId;
use crate::catalog::Cameras;
use crate::http::api::words;
use crate::http::app::App;
use crate::http::guard::{COOKIE_NAME, May, peer, token};
use crate::http::json::{Body, Json};
use crate::http::problem::{Answer, Problem, Refusal};
use crate::vault::passphrase;

/// The longest name, password or code that is looked at, in bytes.
const SECRET_BYTES_MAX: usize = 1024;

/// A text that is overwritten in memory after use and never printed.
pub struct Secret(Zeroizing<String>);

impl<'de> serde::Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        // Words of its own: the usual ones repeat what was given.
        let wrong = |_: D::Error| serde::de::Error::custom("a text is expected here");
        let text = String::deserialize(from).map_err(wrong)?;
        Ok(Self(Zeroizing::new(text)))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    /// The text, when it is not too long.
    pub(crate) fn take(mut self, pointer: &str) -> Result<Zeroizing<String>, Refusal> {
        let text = std::mem::take(&mut self.0);
        if text.len() > SECRET_BYTES_MAX {
            return Err(Refusal::field(pointer, "it is too long"));
        }
        Ok(text)
    }
}

/// Who signs in.
#[derive(Debug, serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// Personal user name.
    #[schema(max_length = 64)]
    name: String,
    /// Password.
    #[schema(value_type = String, format = Password, max_length = 1024)]
    password: Secret,
    /// Six digits of the second factor, or a recovery code.
    #[schema(value_type = String, max_length = 64)]
    code: Secret,
}

/// Who one is, and what one may.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct Me {
    /// The person's id, as the ledger names it.
    #[schema(format = "uuid")]
    person: String,
    /// Personal user name.
    name: String,
    /// Name as people read it.
    display: String,
    /// What the person reads.
    #[schema(schema_with = words::language)]
    language: String,
    /// Roles in force.
    roles: Vec<String>,
    /// What one may do, each with the cameras that it reaches.
    rights: Vec<RightLine>,
    /// Recorded footage can be opened: the keys are there.
    vault_open: bool,
}

/// A right.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct RightLine {
    /// Which.
    #[schema(schema_with = words::right)]
    right: String,
    /// The cameras that it reaches; absent: all.
    #[schema(value_type = Option<Vec<String>>, nullable)]
    cameras: Option<Vec<CameraId>>,
    /// It reaches only what one did oneself.
    own_acts_only: bool,
}

impl From<SignInError> for Refusal {
    fn from(e: SignInError) -> Self {
        let wrong = || {
            Self::new(
                StatusCode::UNAUTHORIZED,
                "wrong",
                "Not signed in",
                "Name, password or code is wrong.",
            )
        };
        match e {
            SignInError::Denied => wrong(),
            SignInError::Wait(time) => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "wait",
                "Too many failures",
                "Wait, then try again.",
            )
            .retry_after(whole_secs(time)),
            SignInError::Busy => {
                Error::new(Kind::Busy, "too many people sign in at this moment").into()
            }
            SignInError::Refused(why) => why.into(),
            SignInError::Failed(e) => e.into(),
        }
    }
}

fn whole_secs(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

/// Signs in. Whether the name exists cannot be told from the answer, nor from how long it takes.
#[utoipa::path(
    post,
    path = "/api/v1/session",
    tag = "session",
    security(()),
    request_body = SignIn,
    responses(
        (status = 200, body = Me, headers(("Set-Cookie" = String, description = "The session"))),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn sign_in(
    State(app): State<Arc<App>>,
    extensions: Extensions,
    headers: HeaderMap,
    Body(given): Body<SignIn>,
) -> Answer<Response> {
    let from = peer(&extensions)?.address.ip();
    if given.name.len() > SECRET_BYTES_MAX {
        return Err(Refusal::field("/name", "it is too long"));
    }
    let (password, code) = (given.password.take("/password")?, given.code.take("/code")?);
    let access = &app.parts.access;
    let signed = access.sign_in(&given.name, password, code, from).await?;
    // A session that was there ends: nobody has two in one browser.
    if let Some(old) = token(&headers) {
        app.blocking(move |app| app.parts.access.sign_out(&old))
            .await?;
    }
    let who = authorise(&app, from, Some(&signed.token))?;
    let cookie = cookie(&signed.token)?;
    let me = me(&app, &who);
    Ok(([(SET_COOKIE, cookie)], Json(me)).into_response())
}

fn authorise(
    app: &App,
    address: IpAddr,
    token: Option<&Token>,
) -> Result<Authorised<acts::Own>, Why> {
    app.parts
        .access
        .authorise::<acts::Own>(&Caller { address, token }, None)
}

fn cookie(token: &Token) -> Result<HeaderValue, Refusal> {
    let text = token.to_text();
    let text = Zeroizing::new(format!(
        "{COOKIE_NAME}={}; Path=/; Secure; HttpOnly; SameSite=Strict",
        text.as_str()
    ));
    let mut value = HeaderValue::from_str(&text)
        .map_err(|e| Refusal::from(Error::new(Kind::Internal, e.to_string())))?;
    // Never in a debug text.
    value.set_sensitive(true);
    Ok(value)
}

fn me(app: &App, who: &Authorised<acts::Own>) -> Me {
    let now = app.now();
    let directory = app.parts.access.directory();
    let standing = directory.get(who.person());
    let roles = standing.map(|s| s.roles(now)).unwrap_or_default();
    let right = |right: &Right| {
        let scope = standing?.scope(*right, now).ok()?;
        Some(RightLine {
            right: right.as_str().to_owned(),
            cameras: match scope.cameras {
                Cameras::All => None,
                Cameras::Only(list) => Some(list),
            },
            own_acts_only: scope.own_acts_only,
        })
    };
    Me {
        person: who.person().to_string(),
        name: who.name().to_owned(),
        display: who.display().to_owned(),
        language: who.language().to_string(),
        roles: roles.iter().map(ToString::to_string).collect(),
        rights: Right::ALL.iter().filter_map(right).collect(),
        vault_open: who.vault().is_open(),
    }
}

/// Who one is, and what one may.
#[utoipa::path(
    get,
    path = "/api/v1/session",
    tag = "session",
    responses(
        (status = 200, body = Me),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get(State(app): State<Arc<App>>, May(who): May<acts::Own>) -> Json<Me> {
    Json(me(&app, &who))
}

/// Signs out: the keys are overwritten, what is open is closed.
#[utoipa::path(
    delete,
    path = "/api/v1/session",
    tag = "session",
    responses(
        (status = 204, description = "Signed out"),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn sign_out(
    State(app): State<Arc<App>>,
    May(_): May<acts::Own>,
    headers: HeaderMap,
) -> Answer<Response> {
    if let Some(token) = token(&headers) {
        app.blocking(move |app| app.parts.access.sign_out(&token))
            .await?;
    }
    let gone = format!("{COOKIE_NAME}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0");
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, gone)]).into_response())
}

/// A second factor.
#[derive(Debug, serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Factor {
    /// Six digits of the second factor, or a recovery code.
    #[schema(value_type = String, max_length = 64)]
    code: Secret,
}

/// Shows a second factor anew; for the next five minutes it counts as fresh.
#[utoipa::path(
    post,
    path = "/api/v1/session/step-up",
    tag = "session",
    request_body = Factor,
    responses(
        (status = 204, description = "It is fresh"),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn step_up(
    State(app): State<Arc<App>>,
    May(who): May<acts::Own>,
    headers: HeaderMap,
    Body(given): Body<Factor>,
) -> Answer<StatusCode> {
    let (address, code) = (who.address(), given.code.take("/code")?);
    let token = token(&headers);
    let done = app.blocking(move |app| {
        let caller = Caller {
            address,
            token: token.as_ref(),
        };
        Ok(app.parts.access.step_up(&caller, &code))
    });
    done.await??;
    Ok(StatusCode::NO_CONTENT)
}

/// A password.
#[derive(Debug, serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Password {
    /// The password.
    #[schema(value_type = String, format = Password, max_length = 1024)]
    password: Secret,
}

/// Opens the vault again after it was locked for want of use.
#[utoipa::path(
    post,
    path = "/api/v1/session/vault",
    tag = "session",
    request_body = Password,
    responses(
        (status = 204, description = "It is open"),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn unlock(
    State(app): State<Arc<App>>,
    May(who): May<acts::Own>,
    headers: HeaderMap,
    Body(given): Body<Password>,
) -> Answer<StatusCode> {
    let (password, token) = (given.password.take("/password")?, token(&headers));
    let caller = Caller {
        address: who.address(),
        token: token.as_ref(),
    };
    app.parts.access.unlock(&caller, password).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A new password.
#[derive(Debug, serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    /// The password until now.
    #[schema(value_type = String, format = Password, max_length = 1024)]
    password: Secret,
    /// Six digits of the second factor, or a recovery code.
    #[schema(value_type = String, max_length = 64)]
    code: Secret,
    /// The password from now on: 12 characters at least.
    #[schema(value_type = String, format = Password, max_length = 1024)]
    new: Secret,
}

/// Changes one's own password. One's other sessions end; what one opens stays open.
#[utoipa::path(
    post,
    path = "/api/v1/session/password",
    tag = "session",
    request_body = NewPassword,
    responses(
        (status = 204, description = "It is changed"),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn change_password(
    State(app): State<Arc<App>>,
    May(who): May<acts::Own>,
    headers: HeaderMap,
    Body(given): Body<NewPassword>,
) -> Answer<StatusCode> {
    let old = given.password.take("/password")?;
    let (new, code) = (given.new.take("/new")?, given.code.take("/code")?);
    if let Err(e) = passphrase::check(&new) {
        return Err(Refusal::field("/new", e.to_string()));
    }
    let token = token(&headers);
    let caller = Caller {
        address: who.address(),
        token: token.as_ref(),
    };
    let access = &app.parts.access;
    access.change_password(&caller, old, new, code).await?;
    Ok(StatusCode::NO_CONTENT)
}
