//! What a request is refused with: `application/problem+json` (RFC 9457). One function maps a kind of error to a status.

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use log::error;

use crate::base::error::{Error, Kind};

/// Media type of problems.
pub const MEDIA_TYPE: &str = "application/problem+json";
/// When a client may try again what was refused for lack of something, in seconds.
const RETRY_AFTER_SECS: &str = "2";

/// Why a request was not done, for people and for programs.
#[derive(Clone, Debug, serde::Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// `urn:sinetti:` and a word that never changes: what kind of problem it is. Pages translate it.
    #[serde(rename = "type")]
    pub kind: String,
    /// The same in English.
    pub title: String,
    /// The status, once more.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// What was attempted and what to do, in English.
    pub detail: String,
    /// What is wrong with which field; empty when it is about none.
    pub errors: Vec<FieldError>,
}

/// What is wrong with one field.
#[derive(Clone, Debug, serde::Serialize, utoipa::ToSchema)]
pub struct FieldError {
    /// JSON pointer (RFC 6901) into the body, or `?name` for a part of the query.
    pub pointer: String,
    /// What is wrong with it.
    pub detail: String,
}

/// A refusal on its way out.
#[derive(Debug)]
pub struct Refusal {
    status: StatusCode,
    word: &'static str,
    title: &'static str,
    detail: String,
    errors: Vec<FieldError>,
    /// Seconds after which it may be tried again.
    retry_after: Option<u64>,
}

/// What a handler returns.
pub type Answer<T> = Result<T, Refusal>;

/// The status, the word and the title of a kind of error. The only place that decides this.
const fn class(kind: Kind) -> (StatusCode, &'static str, &'static str) {
    match kind {
        Kind::Invalid => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid",
            "It cannot be done as asked",
        ),
        Kind::NotFound => (StatusCode::NOT_FOUND, "not-found", "It is not there"),
        Kind::Exists => (StatusCode::CONFLICT, "exists", "It is there already"),
        Kind::Denied => (StatusCode::FORBIDDEN, "denied", "Not permitted"),
        Kind::Foreign => (StatusCode::CONFLICT, "foreign", "It belongs elsewhere"),
        Kind::Full => (
            StatusCode::TOO_MANY_REQUESTS,
            "too-much",
            "A bound is reached",
        ),
        Kind::Busy | Kind::Unavailable => (
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "Not now; try again",
        ),
        Kind::Corrupt => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "corrupt",
            "Something stored is damaged",
        ),
        Kind::Io | Kind::Internal => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "A fault of the box",
        ),
    }
}

impl Refusal {
    /// Of a status of its own.
    pub fn new(
        status: StatusCode,
        word: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            status,
            word,
            title,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after: None,
        }
    }

    /// Fields are wrong.
    pub fn fields(errors: Vec<FieldError>) -> Self {
        let detail = "Some fields are wrong; see errors.".to_owned();
        Self {
            errors,
            ..Error::invalid(detail).into()
        }
    }

    /// One field is wrong.
    pub fn field(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::fields(vec![FieldError {
            pointer: pointer.into(),
            detail: detail.into(),
        }])
    }

    /// Nobody is signed in.
    pub fn not_signed_in() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "not-signed-in",
            "Not signed in",
            "Sign in first. A session ends when it is not used, with the undertaking or the rights, and when the box restarts.",
        )
    }

    /// The person may not.
    pub fn denied(detail: impl Into<String>) -> Self {
        Error::new(Kind::Denied, detail).into()
    }

    /// It is not there, or not for this person: the two are not told apart.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Error::new(Kind::NotFound, detail).into()
    }

    /// A fresh second factor is asked for.
    pub fn step_up() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "step-up",
            "A fresh second factor is needed",
            "Confirm with your second factor, then try again.",
        )
    }

    /// May be tried again after so many seconds.
    #[must_use]
    pub const fn retry_after(mut self, secs: u64) -> Self {
        self.retry_after = Some(secs);
        self
    }

    /// Its status.
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// The word that names it.
    pub const fn word(&self) -> &'static str {
        self.word
    }
}

impl From<Error> for Refusal {
    fn from(e: Error) -> Self {
        let (status, word, title) = class(e.kind());
        let detail = if status == StatusCode::INTERNAL_SERVER_ERROR {
            // What went wrong inside is for the log: it may name paths.
            error!("a request failed: {e}");
            "The log of the box says more.".to_owned()
        } else {
            e.to_string()
        };
        Self::new(status, word, title, detail)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let problem = Problem {
            kind: format!("urn:sinetti:{}", self.word),
            title: self.title.to_owned(),
            status: self.status.as_u16(),
            detail: self.detail,
            errors: self.errors,
        };
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        let busy = self.status == StatusCode::SERVICE_UNAVAILABLE
            || self.status == StatusCode::TOO_MANY_REQUESTS;
        if let Some(secs) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(secs));
        } else if busy {
            headers.insert(RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECS));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_wrong_inside_is_not_told() {
        let told = |kind| Refusal::from(Error::new(kind, "/var/lib/sinetti/catalog.db")).detail;
        assert!(told(Kind::NotFound).contains("catalog.db"));
        for kind in [Kind::Io, Kind::Internal, Kind::Corrupt] {
            assert!(!told(kind).contains("catalog.db"));
        }
    }

    #[test]
    fn a_problem_is_what_rfc_9457_wants() {
        let response = Refusal::field("/start", "it lies after the end").into_response();
        assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(response.headers()[CONTENT_TYPE], MEDIA_TYPE);
        let busy = Refusal::from(Error::new(Kind::Busy, "later")).into_response();
        assert_eq!(busy.headers()[RETRY_AFTER], RETRY_AFTER_SECS);
    }
}
