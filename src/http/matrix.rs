//! Every route with the right that it needs. A route that has no line here, or asks for another right than its line says,
//! does not compile; what is not here is refused.
//!
//! Which role has which right is `access`'s matrix.

use crate::access::role::{Act, Right};

/// What a route needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Need {
    /// Nothing but to be on the premises.
    Nothing,
    /// A session with this right; for the camera in the path, when there is one.
    Right(Right),
}

/// One route.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Line {
    /// Its method.
    pub method: &'static str,
    /// Its path, with `{names}` for what differs.
    pub path: &'static str,
    /// What it needs.
    pub need: Need,
}

const fn open(method: &'static str, path: &'static str) -> Line {
    Line {
        method,
        path,
        need: Need::Nothing,
    }
}

const fn with(method: &'static str, path: &'static str, right: Right) -> Line {
    Line {
        method,
        path,
        need: Need::Right(right),
    }
}

/// The matrix.
pub const MATRIX: &[Line] = &[
    open("GET", "/authority.crt"),
    open("GET", "/api/v1/site"),
    open("GET", "/api/v1/notice"),
    open("POST", "/api/v1/session"),
    with("GET", "/api/v1/session", Right::Own),
    with("DELETE", "/api/v1/session", Right::Own),
    with("POST", "/api/v1/session/step-up", Right::Own),
    with("POST", "/api/v1/session/vault", Right::Own),
    with("POST", "/api/v1/session/password", Right::Own),
    with("GET", "/api/v1/openapi.json", Right::Own),
    with("GET", "/api/v1/purposes", Right::Live),
    with("GET", "/api/v1/cameras", Right::Live),
    with("GET", "/api/v1/cameras/{camera}", Right::Live),
    with("GET", "/api/v1/cameras/{camera}/{stream}/live", Right::Live),
    with(
        "GET",
        "/api/v1/cameras/{camera}/{stream}/coverage",
        Right::Playback,
    ),
    with(
        "GET",
        "/api/v1/cameras/{camera}/{stream}/activity",
        Right::Playback,
    ),
    with("GET", "/api/v1/configuration/cameras", Right::SeeHealth),
    with("POST", "/api/v1/configuration/cameras", Right::ChangeBox),
    with(
        "PATCH",
        "/api/v1/configuration/cameras/{camera}",
        Right::ChangeBox,
    ),
    with("POST", "/api/v1/configuration/probe", Right::ChangeBox),
    with("POST", "/api/v1/playbacks", Right::Playback),
    with("GET", "/api/v1/playbacks/{playback}", Right::Playback),
    with("DELETE", "/api/v1/playbacks/{playback}", Right::Playback),
    with(
        "GET",
        "/api/v1/playbacks/{playback}/{camera}/{stream}/groups",
        Right::Playback,
    ),
    with(
        "GET",
        "/api/v1/playbacks/{playback}/{camera}/{stream}/init/{file}",
        Right::Playback,
    ),
    with(
        "GET",
        "/api/v1/playbacks/{playback}/{camera}/{stream}/media/{segment}/{file}",
        Right::Playback,
    ),
    with(
        "POST",
        "/api/v1/playbacks/{playback}/{camera}/{stream}/stills",
        Right::HandOut,
    ),
    with("GET", "/api/v1/health", Right::SeeHealth),
    with("GET", "/api/v1/alarms", Right::SeeHealth),
    with(
        "POST",
        "/api/v1/alarms/{alarm}/acknowledgement",
        Right::ChangeBox,
    ),
    with("GET", "/api/v1/retention", Right::SeeHealth),
    with(
        "POST",
        "/api/v1/retention/shortenings/{shortening}/confirmation",
        Right::Approve,
    ),
    with("GET", "/api/v1/holds", Right::SeeHolds),
    with("POST", "/api/v1/holds", Right::PlaceHold),
    with("GET", "/api/v1/holds/{hold}", Right::SeeHolds),
    with("POST", "/api/v1/holds/{hold}/review", Right::ReviewHold),
    with("POST", "/api/v1/holds/{hold}/extension", Right::ExtendHold),
    with("POST", "/api/v1/holds/{hold}/release", Right::Decide),
    with("GET", "/api/v1/catalogue", Right::Records),
    with("POST", "/api/v1/disclosures/snap", Right::Ask),
    with("GET", "/api/v1/disclosures", Right::Records),
    with("POST", "/api/v1/disclosures", Right::Ask),
    with("GET", "/api/v1/disclosures/{disclosure}", Right::Records),
    with("PUT", "/api/v1/disclosures/{disclosure}", Right::Ask),
    with("DELETE", "/api/v1/disclosures/{disclosure}", Right::Ask),
    with(
        "POST",
        "/api/v1/disclosures/{disclosure}/request",
        Right::Ask,
    ),
    with("PUT", "/api/v1/disclosures/{disclosure}/scan", Right::Ask),
    with(
        "GET",
        "/api/v1/disclosures/{disclosure}/scan",
        Right::Playback,
    ),
    with(
        "DELETE",
        "/api/v1/disclosures/{disclosure}/scan",
        Right::Ask,
    ),
    with(
        "POST",
        "/api/v1/disclosures/{disclosure}/approval",
        Right::Approve,
    ),
    with(
        "POST",
        "/api/v1/disclosures/{disclosure}/approval/here",
        Right::Ask,
    ),
    with(
        "POST",
        "/api/v1/disclosures/{disclosure}/withdrawal",
        Right::Ask,
    ),
    with(
        "POST",
        "/api/v1/disclosures/{disclosure}/hand-over",
        Right::HandOut,
    ),
    with(
        "POST",
        "/api/v1/disclosures/{disclosure}/receipt",
        Right::HandOut,
    ),
    with(
        "POST",
        "/api/v1/disclosures/{disclosure}/destruction",
        Right::HandOut,
    ),
    with(
        "POST",
        "/api/v1/disclosures/{disclosure}/review",
        Right::Records,
    ),
    with(
        "POST",
        "/api/v1/disclosures/{disclosure}/package",
        Right::HandOut,
    ),
    with(
        "GET",
        "/api/v1/disclosures/{disclosure}/package",
        Right::Ask,
    ),
    with(
        "DELETE",
        "/api/v1/disclosures/{disclosure}/package",
        Right::Ask,
    ),
    with(
        "GET",
        "/api/v1/disclosures/{disclosure}/package/{part}",
        Right::HandOut,
    ),
    with(
        "GET",
        "/api/v1/disclosures/{disclosure}/handover.pdf",
        Right::Records,
    ),
    with("GET", "/api/v1/disclosures.csv", Right::Records),
    with("GET", "/api/v1/disclosures.pdf", Right::Records),
    with("GET", "/api/v1/ledger/entries", Right::Records),
    with("GET", "/api/v1/ledger/entries/{seq}", Right::Records),
    with("GET", "/api/v1/ledger/entries/{seq}/proof", Right::Records),
    with("GET", "/api/v1/ledger/checkpoint", Right::Records),
    with("POST", "/api/v1/ledger/anchors", Right::Records),
    with("POST", "/api/v1/ledger/anchors/return", Right::Records),
    with("GET", "/api/v1/ledger/classes", Right::Records),
    with("GET", "/api/v1/deletions/certificate.json", Right::Records),
    with("GET", "/api/v1/deletions/certificate.pdf", Right::Records),
    open("POST", "/api/v1/enrolment"),
    open("POST", "/api/v1/enrolment/code"),
    with("GET", "/api/v1/persons", Right::SeePeople),
    with("GET", "/api/v1/persons/{name}", Right::SeePeople),
    with("POST", "/api/v1/persons", Right::ChangePeople),
    with("DELETE", "/api/v1/persons/{name}", Right::ChangePeople),
    with("POST", "/api/v1/persons/{name}/roles", Right::ChangePeople),
    with(
        "DELETE",
        "/api/v1/persons/{name}/roles/{role}",
        Right::ChangePeople,
    ),
    with(
        "POST",
        "/api/v1/persons/{name}/enrolment",
        Right::ChangePeople,
    ),
    with(
        "PUT",
        "/api/v1/persons/{name}/undertaking",
        Right::ChangePeople,
    ),
    with(
        "DELETE",
        "/api/v1/persons/{name}/undertaking",
        Right::ChangePeople,
    ),
    with(
        "PUT",
        "/api/v1/persons/{name}/validity",
        Right::ChangePeople,
    ),
    with("POST", "/api/v1/persons/{name}/review", Right::ChangePeople),
    with(
        "POST",
        "/api/v1/persons/{name}/confirmation",
        Right::ConfirmRights,
    ),
];

/// The line of a route that needs nothing.
///
/// # Panics
/// When there is none: while compiling, since it is called in constants only.
pub const fn public(method: &str, path: &str) -> Line {
    let line = find(method, path);
    assert!(
        matches!(line.need, Need::Nothing),
        "the matrix asks for a right here"
    );
    line
}

/// The line of a route whose handler is given an `Authorised<A>`.
///
/// # Panics
/// When there is none, or it names another right: while compiling, since it is called in constants only.
pub const fn right<A: Act>(method: &str, path: &str) -> Line {
    let line = find(method, path);
    match line.need {
        Need::Right(right) => assert!(
            right as u8 == A::RIGHT as u8,
            "the matrix asks for another right here"
        ),
        Need::Nothing => panic!("the matrix asks for no right here"),
    }
    line
}

const fn find(method: &str, path: &str) -> Line {
    let mut i = 0;
    while i < MATRIX.len() {
        if same(MATRIX[i].method, method) && same(MATRIX[i].path, path) {
            return MATRIX[i];
        }
        i += 1;
    }
    panic!("this route has no line in the matrix: give it one, with the right that it needs");
}

const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_line_stands_once() {
        let all: BTreeSet<_> = MATRIX.iter().map(|l| (l.method, l.path)).collect();
        assert_eq!(all.len(), MATRIX.len());
    }
}
