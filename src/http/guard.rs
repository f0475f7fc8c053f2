//! The door of each route: its right is asked for before its handler runs, and the handler is handed what was decided.

use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRequestParts, RawPathParams, Request, State};
use axum::http::header::COOKIE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;

use crate::access::authorise::{Authorised, Caller};
use crate::access::refusal::Refusal as Why;
use crate::access::role::Act;
use crate::access::token::Token;
use crate::base::error::{Error, Kind};
use crate::base::id::CameraId;
use crate::http::app::App;
use crate::http::matrix::Line;
use crate::http::problem::Refusal;
use crate::http::server::Peer;

/// Name of the session's cookie. The prefix makes browsers keep it to this host, this path and TLS (RFC 6265bis, 4.1.3.2).
pub const COOKIE_NAME: &str = "__Host-sinetti";

/// Routes that are being put together: there is no other way to add one than with its line of the matrix.
pub struct Routes {
    app: Arc<App>,
    router: Router<Arc<App>>,
    lines: Vec<Line>,
}

impl Routes {
    /// None yet.
    pub fn new(app: &Arc<App>) -> Self {
        Self {
            app: Arc::clone(app),
            router: Router::new(),
            lines: Vec::new(),
        }
    }

    /// Adds a route that needs nothing.
    #[must_use]
    pub fn public(mut self, line: Line, handler: MethodRouter<Arc<App>>) -> Self {
        self.router = self.router.route(line.path, handler);
        self.lines.push(line);
        self
    }

    /// Adds a route whose handler may take [`May<A>`].
    #[must_use]
    pub fn right<A: Act>(mut self, line: Line, handler: MethodRouter<Arc<App>>) -> Self {
        let guarded = handler.route_layer(from_fn_with_state(Arc::clone(&self.app), guard::<A>));
        self.router = self.router.route(line.path, guarded);
        self.lines.push(line);
        self
    }

    /// The router, and the lines that it answers.
    pub fn finish(self) -> (Router<Arc<App>>, Vec<Line>) {
        (self.router, self.lines)
    }
}

/// What was decided about the caller of a route.
#[derive(Debug)]
pub struct May<A: Act>(pub Arc<Authorised<A>>);

impl<A: Act, S: Sync> FromRequestParts<S> for May<A> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let found = parts.extensions.get::<Arc<Authorised<A>>>();
        found.cloned().map(Self).ok_or_else(|| {
            let text = "a handler asks for another right than its route";
            Error::new(Kind::Internal, text).into()
        })
    }
}

async fn guard<A: Act>(
    State(app): State<Arc<App>>,
    params: RawPathParams,
    mut request: Request,
    next: Next,
) -> Response {
    match decide::<A>(&app, &params, &request) {
        Ok(authorised) => {
            request.extensions_mut().insert(Arc::new(authorised));
            next.run(request).await
        }
        Err(refusal) => refusal.into_response(),
    }
}

fn decide<A: Act>(
    app: &App,
    params: &RawPathParams,
    request: &Request,
) -> Result<Authorised<A>, Refusal> {
    let camera = params.iter().find(|(name, _)| *name == "camera");
    let camera = camera.map(|(_, text)| text.parse::<CameraId>()).transpose();
    let token = token(request.headers());
    let caller = Caller {
        address: peer(request.extensions())?.address.ip(),
        token: token.as_ref(),
    };
    // What can be no camera is so only for somebody who may ask.
    let authorised = app
        .parts
        .access
        .authorise::<A>(&caller, camera.as_ref().ok().and_then(Option::as_ref))?;
    camera.map_err(|_| Refusal::not_found("there is no such camera"))?;
    Ok(authorised)
}

/// Who is at the other end.
///
/// # Errors
/// When the server forgot to say: a fault of ours.
pub fn peer(extensions: &axum::http::Extensions) -> Result<&Peer, Refusal> {
    extensions
        .get::<Peer>()
        .ok_or_else(|| Error::new(Kind::Internal, "a request without a peer").into())
}

/// The session's token, when the cookie holds one.
pub fn token(headers: &HeaderMap) -> Option<Token> {
    let cookies = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|v| v.to_str().ok());
    let mut pairs = cookies.flat_map(|text| text.split(';')).map(str::trim);
    pairs.find_map(|pair| {
        let value = pair.strip_prefix(COOKIE_NAME)?.strip_prefix('=')?;
        Token::from_text(value)
    })
}

impl From<Why> for Refusal {
    fn from(why: Why) -> Self {
        let (status, title, detail) = match why {
            Why::OffPremises => (
                StatusCode::FORBIDDEN,
                "Not on the premises",
                "This box is used on the premises only; see premises in its configuration.",
            ),
            Why::Anonymous => return Self::not_signed_in(),
            Why::Expired => (
                StatusCode::UNAUTHORIZED,
                "The session is over",
                "Sign in again.",
            ),
            Why::Revoked => (
                StatusCode::UNAUTHORIZED,
                "The session was ended",
                "Rights were taken, or somebody ended the session. Ask your administrator.",
            ),
            Why::UndertakingLapsed => (
                StatusCode::UNAUTHORIZED,
                "No confidentiality undertaking is in force",
                "Sign the undertaking anew with your administrator.",
            ),
            Why::WrongRole => (
                StatusCode::FORBIDDEN,
                "Not permitted",
                "None of your roles may do this.",
            ),
            Why::Resting => (
                StatusCode::FORBIDDEN,
                "Not permitted yet",
                "This right waits until a controller confirms it.",
            ),
            Why::WrongCamera => (
                StatusCode::FORBIDDEN,
                "Not permitted for this camera",
                "Your rights do not reach this camera.",
            ),
            Why::StepUpNeeded => return Self::step_up(),
            Why::VaultLocked => (
                StatusCode::FORBIDDEN,
                "The vault is locked",
                "Give your password again: the keys were put away after a time without use.",
            ),
        };
        Self::new(status, why.as_str(), title, detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn found(cookie: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, HeaderValue::from_str(cookie).expect("a value"));
        token(&headers).is_some()
    }

    #[test]
    fn the_token_is_found_among_other_cookies_and_nothing_else_is_one() {
        let token = "ab".repeat(32);
        assert!(found(&format!("theme=dark; {COOKIE_NAME}={token}; x=1")));
        assert!(!found(&format!("x{COOKIE_NAME}={token}")));
        assert!(!found(&format!("{COOKIE_NAME}={}", &token[1..])));
        assert!(!found("theme=dark"));
    }
}
