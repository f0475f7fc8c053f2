//! Disclosures on paper: the handover document, and the register as a table for other programs and for print.
//!
//! What does not belong here: how they look (`disclosure::paper`), who may have them and of what they are made (`disclosure::papers`).

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use utoipa::IntoParams;

use crate::access::authorise::Authorised;
use crate::access::role::acts;
use crate::base::error::Result;
use crate::disclosure::papers::{Format, Papers};
use crate::http::api::deletions::{file, own_language};
use crate::http::api::disclosures::{OfDisclosure, Which, at_desk, by};
use crate::http::app::App;
use crate::http::guard::May;
use crate::http::json::{Search, Segments};
use crate::http::problem::{Answer, Problem, Refusal};

/// In which language.
#[derive(Debug, serde::Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Written {
    /// What it is written in: `fi`, `sv`, `en`; left out, what the disclosure says.
    language: Option<String>,
}

/// The handover document of a disclosure as its record is now (PDF/A): the record of a viewing or of what was told too. The one
/// within a package has its clips and was made with it; this one lists the package's parts.
#[utoipa::path(
    get,
    path = "/api/v1/disclosures/{disclosure}/handover.pdf",
    tag = "disclosures",
    params(OfDisclosure, Written),
    responses(
        (status = 200, description = "The document.", content_type = "application/pdf"),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn handover(
    State(app): State<Arc<App>>,
    May(who): May<acts::Records>,
    Segments(of): Segments<OfDisclosure>,
    Search(written): Search<Written>,
) -> Answer<Response> {
    let language = written
        .language
        .as_deref()
        .map(str::parse)
        .transpose()
        .map_err(|_| Refusal::field("?language", "fi, sv or en"))?;
    let made = app.blocking(move |app| {
        let reader = app.parts.catalog.reader()?;
        let id = of.id(&reader)?;
        with_papers(app, &who, |papers| papers.handover(&reader, id, language))
    });
    let (name, pdf) = made.await?;
    Ok(file("application/pdf", &name, pdf))
}

fn with_papers<T>(
    app: &App,
    who: &Authorised<acts::Records>,
    make: impl FnOnce(&Papers<'_>) -> Result<T>,
) -> Result<T> {
    at_desk(app, |desk| {
        make(&Papers {
            desk,
            by: &by(who),
            config: &app.config(),
            box_id: app.parts.box_id,
            key: app.parts.ledger_key,
        })
    })
}

/// The register as CSV (RFC 4180, UTF-8 with a byte order mark, `;` between fields in Finnish and Swedish), in the person's own
/// language: all that fits, whatever `after` and `count` say. No cell is a formula.
#[utoipa::path(
    get,
    path = "/api/v1/disclosures.csv",
    tag = "disclosures",
    params(Which),
    responses(
        (status = 200, description = "The table.", content_type = "text/csv"),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn csv(
    State(app): State<Arc<App>>,
    May(who): May<acts::Records>,
    Search(which): Search<Which>,
) -> Answer<Response> {
    let filter = which.filter(&app)?;
    let made = app.blocking(move |app| {
        with_papers(app, &who, |papers| {
            papers.register(filter, own_language(&who), Format::Csv)
        })
    });
    Ok(file("text/csv; charset=utf-8", "register.csv", made.await?))
}

/// The same as a document for people (PDF/A): with what was asked, how many disclosures were searched, and whether the ledger's
/// chain is intact.
#[utoipa::path(
    get,
    path = "/api/v1/disclosures.pdf",
    tag = "disclosures",
    params(Which),
    responses(
        (status = 200, description = "The document.", content_type = "application/pdf"),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn pdf(
    State(app): State<Arc<App>>,
    May(who): May<acts::Records>,
    Search(which): Search<Which>,
) -> Answer<Response> {
    let filter = which.filter(&app)?;
    let made = app.blocking(move |app| {
        with_papers(app, &who, |papers| {
            papers.register(filter, own_language(&who), Format::Pdf)
        })
    });
    Ok(file("application/pdf", "register.pdf", made.await?))
}
