//! Whether a request carries the right user and password.
//!
//! What belongs here: Digest (RFC 2617 as RTSP 1.0 refers to it, with and without `qop`) and Basic.

use crate::camera::{Login, Scheme};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::collections::HashMap;

/// Realm named in challenges.
const REALM: &str = "camera";

/// Value of the `WWW-Authenticate` header.
pub(crate) fn challenge(scheme: Scheme, nonce: &str) -> String {
    match scheme {
        Scheme::Digest => format!("Digest realm=\"{REALM}\", nonce=\"{nonce}\""),
        Scheme::Basic => format!("Basic realm=\"{REALM}\""),
    }
}

/// Whether an `Authorization` header answers the challenge.
pub(crate) fn accepts(login: &Login, nonce: &str, method: &str, header: Option<&str>) -> bool {
    let Some((scheme, value)) = header.and_then(|header| header.split_once(' ')) else {
        return false;
    };
    match login.scheme {
        Scheme::Basic => {
            let expected = STANDARD.encode(format!("{}:{}", login.user, login.password));
            scheme.eq_ignore_ascii_case("basic") && value.trim() == expected
        }
        Scheme::Digest => {
            scheme.eq_ignore_ascii_case("digest") && digest_is_right(login, nonce, method, value)
        }
    }
}

fn digest_is_right(login: &Login, nonce: &str, method: &str, value: &str) -> bool {
    let fields: HashMap<&str, &str> = value
        .split(',')
        .filter_map(|field| field.trim().split_once('='))
        .map(|(name, value)| (name, value.trim_matches('"')))
        .collect();
    let field = |name: &str| fields.get(name).copied().unwrap_or("");
    let hash = |text: String| format!("{:x}", md5::compute(text));
    let who = hash(format!("{}:{REALM}:{}", login.user, login.password));
    let what = hash(format!("{method}:{}", field("uri")));
    let expected = match field("qop") {
        "" => hash(format!("{who}:{nonce}:{what}")),
        qop => hash(format!(
            "{who}:{nonce}:{}:{}:{qop}:{what}",
            field("nc"),
            field("cnonce")
        )),
    };
    field("username") == login.user && field("nonce") == nonce && field("response") == expected
}
