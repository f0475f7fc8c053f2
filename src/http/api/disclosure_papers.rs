//! Disclosures on paper: the handover document, and the register as a table for other programs and for print.
//!
//! What does not belong here: how they look (`disclosure::paper`), who may know of which disclosure (`disclosure::register`).

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::response::Response;
use serde_json::json;
use utoipa::IntoParams;

use crate::access::authorise::Authorised;
use crate::access::role::acts;
use crate::base::error::{Error, Kind, Result};
use crate::catalog::{
    DisclosureFilter, DisclosurePage, DisclosureRow, DisclosureState, Event, Reader,
};
use crate::disclosure::act::Desk;
use crate::disclosure::paper::{HandoverDocument, Record, Register, RegisterLine, filters};
use crate::disclosure::register;
use crate::document::Language;
use crate::evidence::proof::EntryProof;
use crate::http::api::deletions::{file, own_language};
use crate::http::api::disclosures::{OfDisclosure, Which, at_desk, by, person_name};
use crate::http::app::App;
use crate::http::guard::May;
use crate::http::json::{Search, Segments};
use crate::http::problem::{Answer, Problem, Refusal};

/// Disclosures of one table.
const LINES_MAX: usize = 5000;
/// Disclosures that are read at a time.
const PAGE: u32 = 200;
/// One is made at a time: it takes memory.
static ONE: Mutex<()> = Mutex::new(());

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
        let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let reader = app.parts.catalog.reader()?;
        let id = of.id(&reader)?;
        at_desk(app, |desk| {
            let (row, steps) = desk.find(&reader, id)?;
            if !desk.knows(&by(&who), &row, &steps) {
                let text = format!("there is no disclosure {id}");
                return Err(Error::new(Kind::NotFound, text));
            }
            if row.state == DisclosureState::Draft {
                let text = "there is no paper of a draft; ask for it first";
                return Err(Error::new(Kind::Exists, text));
            }
            let document = with_record(app, desk, (&reader, &row), language, |record| {
                HandoverDocument::of_record(record)
            })?;
            let asked = row.asked.as_ref();
            let number = asked.map_or_else(|| id.to_string(), |asked| asked.serial.to_string());
            Ok((number, anchored(app, &reader, document)?.pdf()?))
        })
    });
    let (number, pdf) = made.await?;
    Ok(file(
        "application/pdf",
        &format!("{number}_handover.pdf"),
        pdf,
    ))
}

/// With the checkpoint over its entry, when there is one already: at most a second after.
fn anchored(app: &App, reader: &Reader, mut of: HandoverDocument) -> Result<HandoverDocument> {
    let Some(entry) = of.proof.entry else {
        return Ok(of);
    };
    match EntryProof::make(reader, entry) {
        Err(e) if e.kind() == Kind::NotFound => {}
        other => of.anchor(entry, &other?.checkpoint, app.parts.ledger_key)?,
    }
    Ok(of)
}

/// Gathers what the papers of a record are made of.
fn with_record<T>(
    app: &App,
    desk: &Desk<'_>,
    (reader, row): (&Reader, &DisclosureRow),
    language: Option<Language>,
    make: impl FnOnce(&Record<'_>) -> Result<T>,
) -> Result<T> {
    let steps = reader.disclosure_steps(row.disclosure)?;
    let files = reader.package_files(row.disclosure)?;
    let config = app.config();
    make(&Record {
        row,
        steps: &steps,
        files: &files,
        config: &config,
        catalogue: desk.catalogue,
        name: &|person| person_name(app, person).unwrap_or_else(|| person.to_owned()),
        language,
        made: desk.now,
        box_id: app.parts.box_id,
        key: app.parts.ledger_key,
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
        let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(table(app, &who, filter, "csv")?.csv())
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
        let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        table(app, &who, filter, "pdf")?.pdf()
    });
    Ok(file("application/pdf", "register.pdf", made.await?))
}

/// What was found, after the ledger was told who takes it away.
fn table(
    app: &App,
    who: &Authorised<acts::Records>,
    asked: DisclosureFilter,
    format: &str,
) -> Result<Register> {
    at_desk(app, |desk| {
        let language = own_language(who);
        let zone = app.config().site.zone;
        let name = |person: &str| person_name(app, person).unwrap_or_else(|| person.to_owned());
        let said = filters(&asked, zone, language, &name);
        // Drafts are no disclosures yet.
        let filter = DisclosureFilter {
            drafts_of: None,
            ..desk.known(&by(who), asked)
        };
        let reader = app.parts.catalog.reader()?;
        let page = all(&reader, &filter)?;
        let agreement = register::agreement(&reader, &page.rows)?;
        let mut lines = Vec::with_capacity(page.rows.len());
        for row in &page.rows {
            let reviews = reader.disclosure_reviews(row.disclosure)?;
            lines.push(with_record(
                app,
                desk,
                (&reader, row),
                Some(language),
                |record| RegisterLine::of_record(record, &reviews, language),
            )?);
        }
        let event = Event {
            actor: who.actor(),
            ..Event::of_box(
                desk.now,
                "register-exported",
                "disclosures",
                json!({ "format": format, "found": page.found, "lines": lines.len() }),
            )
        };
        app.parts.catalog.note(event)?;
        Ok(Register {
            language,
            made: desk.now,
            made_by: Some(name(&who.actor())),
            site: app.config().site.name.clone(),
            zone,
            filters: said,
            searched: page.searched,
            entries: reader.epoch()?.size,
            intact: app.parts.catalog.trouble().is_none() && agreement.wrong.is_empty(),
            found: page.found,
            lines,
        })
    })
}

/// Page after page, up to [`LINES_MAX`].
fn all(reader: &Reader, filter: &DisclosureFilter) -> Result<DisclosurePage> {
    let mut all = reader.find_disclosures(filter, None, PAGE)?;
    while let Some(after) = all.next
        && all.rows.len() < LINES_MAX
    {
        let page = reader.find_disclosures(filter, Some(after), PAGE)?;
        all.rows.extend(page.rows);
        all.next = page.next;
    }
    all.rows.truncate(LINES_MAX);
    Ok(all)
}
