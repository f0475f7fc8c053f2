//! What comes in and goes out: bounded JSON bodies, queries and path segments, with every fault named by its field.

use std::time::Duration;

use axum::body::{Body as HttpBody, Bytes};
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroize;

use crate::base::error::{Error, Kind};
use crate::http::problem::Refusal;

/// The largest body of a request, in bytes.
pub const BODY_BYTES_MAX: usize = 64 << 10;
/// The longest that a client may take to send one.
const BODY_TIME_MAX: Duration = Duration::from_secs(10);

/// A JSON body.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let is_json = request
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|text| {
                let kind = text.split(';').next().unwrap_or_default();
                kind.trim().eq_ignore_ascii_case("application/json")
            });
        if !is_json {
            return Err(Refusal::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "media-type",
                "Not JSON",
                "Send Content-Type: application/json.",
            ));
        }
        let bytes = Wiped(whole(request.into_body()).await?);
        let mut json = serde_json::Deserializer::from_slice(&bytes.0);
        let value = serde_path_to_error::deserialize(&mut json).map_err(|e| {
            let pointer = pointer(e.path());
            let inner = e.into_inner();
            match inner.classify() {
                serde_json::error::Category::Data => Refusal::field(pointer, inner.to_string()),
                _ => Refusal::new(
                    StatusCode::BAD_REQUEST,
                    "not-json",
                    "Not JSON",
                    format!("The body cannot be read: {inner}"),
                ),
            }
        })?;
        json.end().map_err(|e| {
            let detail = format!("Something follows after the JSON: {e}");
            Refusal::new(StatusCode::BAD_REQUEST, "not-json", "Not JSON", detail)
        })?;
        Ok(Self(value))
    }
}

/// Bytes that may hold passwords: overwritten when they are dropped, unless the connection still shares their buffer.
struct Wiped(Bytes);

impl Drop for Wiped {
    fn drop(&mut self) {
        if let Ok(mut own) = std::mem::take(&mut self.0).try_into_mut() {
            own.as_mut().zeroize();
        }
    }
}

/// All of a body, within bounds of size and time.
///
/// # Errors
/// 413, 408, or 400 when the client goes away.
pub async fn whole(body: HttpBody) -> Result<Bytes, Refusal> {
    whole_up_to(body, (BODY_BYTES_MAX, BODY_TIME_MAX)).await
}

/// All of a body of at most `bytes_max` that comes within `time_max`.
///
/// # Errors
/// As [`whole`].
pub async fn whole_up_to(
    body: HttpBody,
    (bytes_max, time_max): (usize, Duration),
) -> Result<Bytes, Refusal> {
    let read = Limited::new(body, bytes_max).collect();
    match tokio::time::timeout(time_max, read).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(e)) if e.downcast_ref::<LengthLimitError>().is_some() => Err(Refusal::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too-large",
            "The body is too large",
            format!("At most {bytes_max} bytes are taken."),
        )),
        Ok(Err(_)) => Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "broken-off",
            "The body broke off",
            "Send it whole.",
        )),
        Err(_) => Err(Refusal::new(
            StatusCode::REQUEST_TIMEOUT,
            "too-slow",
            "The body took too long",
            "Send it at once.",
        )),
    }
}

/// RFC 6901.
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
            Segment::Enum { variant } => format!("/{variant}"),
            Segment::Unknown => String::new(),
        })
        .collect()
}

/// The query.
#[derive(Debug)]
pub struct Search<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Search<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(value)) => Ok(Self(value)),
            Err(QueryRejection::FailedToDeserializeQueryString(e)) => {
                Err(Refusal::field("?", e.body_text()))
            }
            Err(e) => Err(Error::invalid(e.to_string()).into()),
        }
    }
}

/// The parts of the path that differ.
#[derive(Debug)]
pub struct Segments<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Segments<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(value)) => Ok(Self(value)),
            // What cannot be a name of anything is not there.
            Err(PathRejection::FailedToDeserializePathParams(_)) => {
                Err(Refusal::not_found("nothing has that name"))
            }
            Err(e) => Err(Error::new(Kind::Internal, e.to_string()).into()),
        }
    }
}

/// JSON going out.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(bytes) => {
                let json = HeaderValue::from_static("application/json");
                ([(CONTENT_TYPE, json)], bytes).into_response()
            }
            Err(e) => Refusal::from(Error::new(Kind::Internal, e.to_string())).into_response(),
        }
    }
}
