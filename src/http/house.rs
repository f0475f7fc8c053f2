//! What holds for every request and every answer: security headers, requests from other sites refused, a bound on time.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, ORIGIN, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, UPGRADE, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::http::app::App;
use crate::http::problem::Refusal;

/// Longest until an answer begins.
const ANSWER_MAX: Duration = Duration::from_secs(60);

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; \
     media-src 'self' blob:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; \
     frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types svelte-trusted-html";

const HEADERS: [(HeaderName, &str); 9] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "no-referrer"),
    (STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), microphone=(), geolocation=(), usb=(), payment=()",
    ),
    // Pictures and names of people stay in no cache of the browser. What may be kept says so itself.
    (CACHE_CONTROL, "no-store"),
];

/// Around every route and what is no route.
pub async fn rules(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let mut response = if let Err(refusal) = same_site(request.method(), request.headers()) {
        app.counts.cross_site();
        refusal.into_response()
    } else {
        let head_only = request.method() == Method::HEAD;
        let answered = tokio::time::timeout(ANSWER_MAX, next.run(request)).await;
        let response = answered.unwrap_or_else(|_| {
            Refusal::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                "Not now; try again",
                "It took too long.",
            )
            .into_response()
        });
        explained(response, head_only)
    };
    app.counts.answered(response.status());
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    response
}

/// What the router refuses by itself has no body: it becomes a problem as all others.
fn explained(response: Response, head_only: bool) -> Response {
    let status = response.status();
    let is_bare = status.is_client_error() && !response.headers().contains_key(CONTENT_TYPE);
    if !is_bare || head_only {
        return response;
    }
    let (word, title, detail) = match status {
        StatusCode::NOT_FOUND => ("not-found", "It is not there", "Nothing has that address."),
        StatusCode::METHOD_NOT_ALLOWED => (
            "method",
            "Not this way",
            "This address takes other methods; see Allow.",
        ),
        _ => ("request", "Not understood", "See the status."),
    };
    let mut problem = Refusal::new(status, word, title, detail).into_response();
    for (name, value) in response.headers() {
        problem.headers_mut().entry(name).or_insert(value.clone());
    }
    // Of the empty body.
    problem
        .headers_mut()
        .remove(axum::http::header::CONTENT_LENGTH);
    problem
}

/// A browser says where a request comes from. What another site made it send is refused, whatever cookies it brings.
fn same_site(method: &Method, headers: &HeaderMap) -> Result<(), Refusal> {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let refused = || {
        Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "cross-site",
            "It comes from another site",
            "Open the pages of this box themselves.",
        ))
    };
    let is_read = matches!(*method, Method::GET | Method::HEAD) && !headers.contains_key(UPGRADE);
    match text(&HeaderName::from_static("sec-fetch-site")) {
        None | Some("same-origin") => {}
        // Typed, or from a bookmark: a page may be opened so, and nothing changed.
        Some("none") if is_read => {}
        Some(_) => return refused(),
    }
    if headers.contains_key(ORIGIN) {
        let host = text(&HOST).unwrap_or_default();
        if text(&ORIGIN).and_then(|origin| origin.strip_prefix("https://")) != Some(host) {
            return refused();
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(method: Method, headers: &[(&'static str, &'static str)]) -> bool {
        let mut map = HeaderMap::new();
        map.insert(HOST, HeaderValue::from_static("sinetti.internal:8443"));
        for (name, value) in headers {
            map.insert(*name, HeaderValue::from_static(value));
        }
        same_site(&method, &map).is_ok()
    }

    #[test]
    fn what_another_site_sends_is_refused() {
        let own = ("origin", "https://sinetti.internal:8443");
        assert!(asked(
            Method::POST,
            &[own, ("sec-fetch-site", "same-origin")]
        ));
        assert!(asked(Method::POST, &[]), "a program that is no browser");
        assert!(asked(Method::GET, &[("sec-fetch-site", "none")]));
        for (method, headers) in [
            (Method::POST, &[("origin", "https://example.org")][..]),
            (Method::POST, &[("origin", "null")]),
            (Method::POST, &[("origin", "http://sinetti.internal:8443")]),
            (Method::POST, &[("sec-fetch-site", "none")]),
            (Method::GET, &[("sec-fetch-site", "cross-site")]),
            (Method::GET, &[("sec-fetch-site", "same-site")]),
            (
                Method::GET,
                &[("sec-fetch-site", "none"), ("upgrade", "websocket")],
            ),
            (
                Method::GET,
                &[("origin", "https://example.org"), ("upgrade", "websocket")],
            ),
        ] {
            assert!(!asked(method.clone(), headers), "{method} {headers:?}");
        }
    }
}
