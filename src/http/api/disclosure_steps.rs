//! What is done with a disclosure that was asked for: decided, taken back, handed over, its receipt, copies destroyed.

use std::sync::Arc;

use axum::extract::State;
use axum::http::Extensions;
use serde_json::json;
use utoipa::ToSchema;

use crate::access::role::acts;
use crate::base::error::{Error, Result};
use crate::base::id::DisclosureId;
use crate::base::time::Wall;
use crate::catalog::DisclosureRow;
use crate::disclosure::act::{By, Desk, right_to_decide};
use crate::disclosure::decide::Decision;
use crate::disclosure::hand_over::HandOver;
use crate::http::api::disclosures::{DisclosureDetail, OfDisclosure, at_desk, by};
use crate::http::api::session::Secret;
use crate::http::app::App;
use crate::http::guard::{May, peer};
use crate::http::json::{Body, Json, Segments};
use crate::http::problem::{Answer, Problem, Refusal};

/// The longest name that is looked at, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// Does a step, and says how the disclosure is then.
async fn step(
    app: &Arc<App>,
    of: OfDisclosure,
    act: impl FnOnce(&Desk<'_>, DisclosureId) -> Result<DisclosureRow> + Send + 'static,
) -> Answer<Json<DisclosureDetail>> {
    let done = move |app: &App| {
        let id = of.id(&app.parts.catalog.reader()?)?;
        let row = at_desk(app, |desk| act(desk, id))?;
        // A hold may have ended with it: the sweeper looks at once.
        app.parts.host.kept();
        // Copies that are not needed any more go now.
        if let Some(packages) = &app.parts.packages {
            packages.look();
        }
        DisclosureDetail::of(app, row)
    };
    app.blocking(done).await.map(Json)
}

/// A decision.
#[derive(Debug, serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ToDecide {
    /// `approve` or `refuse`.
    #[schema(value_type = String, pattern = "^(approve|refuse)$")]
    decision: Decision,
    /// Why.
    #[schema(max_length = 1000)]
    reason: String,
}

/// Approves or refuses, from a session of one's own. Nobody decides what they asked for themselves; what a data subject asks for is
/// decided by a controller.
#[utoipa::path(
    post,
    path = "/api/v1/disclosures/{disclosure}/approval",
    tag = "disclosures",
    params(OfDisclosure),
    request_body = ToDecide,
    responses(
        (status = 200, body = DisclosureDetail),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn decide(
    State(app): State<Arc<App>>,
    May(who): May<acts::Approve>,
    Segments(of): Segments<OfDisclosure>,
    Body(said): Body<ToDecide>,
) -> Answer<Json<DisclosureDetail>> {
    step(&app, of, move |desk, id| {
        desk.decide(&by(&who), id, (said.decision, &said.reason))
    })
    .await
}

/// A decision of a second person at the same workstation.
#[derive(Debug, serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ToDecideHere {
    /// `approve` or `refuse`.
    #[schema(value_type = String, pattern = "^(approve|refuse)$")]
    decision: Decision,
    /// Why.
    #[schema(max_length = 1000)]
    reason: String,
    /// The second person's user name.
    #[schema(max_length = 64)]
    name: String,
    /// Their password.
    #[schema(value_type = String, format = Password, max_length = 1024)]
    password: Secret,
    /// Six digits of their second factor, or a recovery code.
    #[schema(value_type = String, max_length = 64)]
    code: Secret,
}

/// Approves or refuses as a second person at the workstation of whoever asked: with their own password and factor, which are as
/// slow and as bounded as a sign-in. They get no session.
#[utoipa::path(
    post,
    path = "/api/v1/disclosures/{disclosure}/approval/here",
    tag = "disclosures",
    params(OfDisclosure),
    request_body = ToDecideHere,
    responses(
        (status = 200, body = DisclosureDetail),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn decide_here(
    State(app): State<Arc<App>>,
    May(_): May<acts::Ask>,
    extensions: Extensions,
    Segments(of): Segments<OfDisclosure>,
    Body(said): Body<ToDecideHere>,
) -> Answer<Json<DisclosureDetail>> {
    let from = peer(&extensions)?.address.ip();
    if said.name.len() > NAME_BYTES_MAX {
        return Err(Refusal::field("/name", "it is too long"));
    }
    let (password, code) = (said.password.take("/password")?, said.code.take("/code")?);
    let find = move |app: &App| {
        let reader = app.parts.catalog.reader()?;
        let id = of.id(&reader)?;
        let kind = at_desk(app, |desk| Ok::<_, Error>(desk.find(&reader, id)?.0.kind))?;
        Ok((of, kind))
    };
    let (of, kind) = app.blocking(find).await?;
    let right = right_to_decide(kind);
    let access = &app.parts.access;
    let second = access
        .second(&said.name, password, code, (right, from))
        .await?;
    let by = By {
        person: second.standing.account.person.to_string(),
        role: second.scope.role,
        cameras: second.scope.cameras,
        detail: json!({ "name": second.standing.account.name, "address": from, "at": "the asker's workstation" }),
        with: Vec::new(),
    };
    step(&app, of, move |desk, id| {
        desk.decide(&by, id, (said.decision, &said.reason))
    })
    .await
}

/// Why it is taken back.
#[derive(Debug, serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ToWithdraw {
    /// Why.
    #[schema(max_length = 1000)]
    reason: String,
}

/// Takes a disclosure back before it is handed over: whoever asked for it, or a controller.
#[utoipa::path(
    post,
    path = "/api/v1/disclosures/{disclosure}/withdrawal",
    tag = "disclosures",
    params(OfDisclosure),
    request_body = ToWithdraw,
    responses(
        (status = 200, body = DisclosureDetail),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn withdraw(
    State(app): State<Arc<App>>,
    May(who): May<acts::Ask>,
    Segments(of): Segments<OfDisclosure>,
    Body(said): Body<ToWithdraw>,
) -> Answer<Json<DisclosureDetail>> {
    step(&app, of, move |desk, id| {
        desk.withdraw(&by(&who), id, &said.reason)
    })
    .await
}

/// How it was handed over, shown or told.
#[derive(Debug, serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ToHandOver {
    /// To whom.
    #[schema(max_length = 1000)]
    to: String,
    /// When; default: now.
    #[schema(value_type = Option<String>, format = DateTime, nullable)]
    at: Option<Wall>,
    /// How it was checked who that is. No number of a document, no copy of one.
    #[schema(max_length = 1000)]
    identity: String,
    /// On what: a USB stick and its number, a disc; or shown on the screen, told by telephone.
    #[schema(max_length = 1000)]
    medium: String,
    /// Whether it is encrypted, and how the passphrase went another way.
    #[schema(max_length = 1000, nullable)]
    encryption: Option<String>,
    /// The house's own copies are destroyed by then; default and at most 14 days after.
    #[schema(value_type = Option<String>, format = DateTime, nullable)]
    copies_until: Option<Wall>,
}

/// Notes that it was handed over, shown or told.
#[utoipa::path(
    post,
    path = "/api/v1/disclosures/{disclosure}/hand-over",
    tag = "disclosures",
    params(OfDisclosure),
    request_body = ToHandOver,
    responses(
        (status = 200, body = DisclosureDetail),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn hand_over(
    State(app): State<Arc<App>>,
    May(who): May<acts::HandOut>,
    Segments(of): Segments<OfDisclosure>,
    Body(said): Body<ToHandOver>,
) -> Answer<Json<DisclosureDetail>> {
    step(&app, of, move |desk, id| {
        let how = HandOver {
            to: said.to,
            at: said.at.unwrap_or(desk.now),
            identity: said.identity,
            medium: said.medium,
            encryption: said.encryption,
            copies_until: said.copies_until,
        };
        desk.hand_over(&by(&who), id, &how)
    })
    .await
}

/// How it was confirmed.
#[derive(Debug, serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HowDone {
    /// How: signed on the handover document, by mail; shredded, erased from the workstation.
    #[schema(max_length = 1000)]
    how: String,
}

/// Notes that the recipient confirmed the receipt.
#[utoipa::path(
    post,
    path = "/api/v1/disclosures/{disclosure}/receipt",
    tag = "disclosures",
    params(OfDisclosure),
    request_body = HowDone,
    responses(
        (status = 200, body = DisclosureDetail),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn receive(
    State(app): State<Arc<App>>,
    May(who): May<acts::HandOut>,
    Segments(of): Segments<OfDisclosure>,
    Body(said): Body<HowDone>,
) -> Answer<Json<DisclosureDetail>> {
    step(&app, of, move |desk, id| {
        desk.receive(&by(&who), id, &said.how)
    })
    .await
}

/// Notes that the house's own copies are destroyed, those outside of the box too.
#[utoipa::path(
    post,
    path = "/api/v1/disclosures/{disclosure}/destruction",
    tag = "disclosures",
    params(OfDisclosure),
    request_body = HowDone,
    responses(
        (status = 200, body = DisclosureDetail),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn destroy(
    State(app): State<Arc<App>>,
    May(who): May<acts::HandOut>,
    Segments(of): Segments<OfDisclosure>,
    Body(said): Body<HowDone>,
) -> Answer<Json<DisclosureDetail>> {
    step(&app, of, move |desk, id| {
        desk.destroy(&by(&who), id, &said.how)
    })
    .await
}
