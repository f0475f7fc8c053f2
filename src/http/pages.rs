//! The pages: what `scripts/web` built, embedded (a dev build reads it from disk), and for every other path the page that
//! finds its screen by the address.

use std::borrow::Cow;

use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER, VARY,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

/// What was built; empty in a clone where `scripts/web` never ran.
#[derive(RustEmbed)]
#[folder = "web/dist/"]
#[allow_missing = true]
struct Built;

const INDEX: &str = "index.html";
/// Files whose name changes with what is in them.
const HASHED: &str = "assets/";
/// A year: the name is another when the file is.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// What there is to say where nothing was built.
const NOT_BUILT: &str = "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>Sinetti</title>\n\
     <h1>This build of Sinetti has no pages</h1>\n\
     <p>Recording, the command line and the API are not touched by that. To have pages: run <code>scripts/web</code> \
     (it needs Node.js 20.19 or newer), then build Sinetti again.</p>\n\
     <p lang=\"fi\">Tässä Sinetin versiossa ei ole sivuja. Tallennus toimii. Kerro ylläpitäjälle.</p>\n\
     <p lang=\"sv\">Denna version av Sinetti har inga sidor. Inspelningen fungerar. Meddela administratören.</p></html>\n";

/// Answers whatever is no route.
pub(crate) async fn page(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    let is_api = path == "api" || path.starts_with("api/");
    if is_api || !matches!(method, Method::GET | Method::HEAD) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let last = path.rsplit('/').next().unwrap_or_default();
    if last.contains('.') || path.starts_with(HASHED) {
        return file(path, &headers).unwrap_or_else(|| StatusCode::NOT_FOUND.into_response());
    }
    file(INDEX, &headers).unwrap_or_else(not_built)
}

fn not_built() -> Response {
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    (
        StatusCode::SERVICE_UNAVAILABLE,
        [
            (CONTENT_TYPE, kind),
            (RETRY_AFTER, HeaderValue::from_static("3600")),
        ],
        NOT_BUILT,
    )
        .into_response()
}

/// The media type of what is built; none of anything else, which then is not there.
fn media_type(path: &str) -> Option<&'static str> {
    Some(match path.rsplit_once('.')?.1 {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "woff2" => "font/woff2",
        _ => return None,
    })
}

fn file(path: &str, headers: &HeaderMap) -> Option<Response> {
    let kind = media_type(path)?;
    // A dev build reads files: none has a way of its own.
    if path.split('/').any(|part| part.starts_with('.')) {
        return None;
    }
    let zipped = takes_gzip(headers)
        .then(|| Built::get(&format!("{path}.gz")))
        .flatten();
    let is_zipped = zipped.is_some();
    let found = zipped.or_else(|| Built::get(path))?;
    let mut response = match found.data {
        Cow::Borrowed(bytes) => bytes.into_response(),
        Cow::Owned(bytes) => bytes.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if is_zipped {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    // The page itself is asked for each time: it names the files of the version that runs.
    if path.starts_with(HASHED) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(FOR_EVER));
    }
    Some(response)
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    let given = headers.get_all(ACCEPT_ENCODING).iter();
    let mut codings = given
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(','));
    codings.any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let is_gzip = parts.next() == Some("gzip");
        is_gzip && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes(value: &'static str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(value));
        takes_gzip(&headers)
    }

    #[test]
    fn gzip_goes_to_whom_it_is_understood_by() {
        assert!(takes("gzip, deflate, br, zstd"));
        assert!(takes("br;q=1.0, gzip;q=0.8"));
        assert!(!takes("br, gzip;q=0"));
        assert!(!takes("identity"));
        assert!(!takes_gzip(&HeaderMap::new()));
    }

    #[tokio::test]
    async fn what_is_neither_built_nor_a_screen_is_not_there() {
        let ask = async |method: Method, path: &'static str| {
            page(method, Uri::from_static(path), HeaderMap::new())
                .await
                .status()
        };
        for path in [
            "/api",
            "/api/v1/nothing",
            "/assets/",
            "/assets/../index.html",
            "/.vite/manifest.json",
            "/.made",
            "/index.html.gz",
            "/nothing.js",
            "/../Cargo.toml",
        ] {
            assert_eq!(
                ask(Method::GET, path).await,
                StatusCode::NOT_FOUND,
                "{path}"
            );
        }
        assert_eq!(ask(Method::POST, "/live").await, StatusCode::NOT_FOUND);
        // With pages or without: it is answered for.
        let built = Built::get(INDEX).is_some();
        let expected = if built {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        };
        assert_eq!(ask(Method::GET, "/live/kassa-1").await, expected);
    }
}
