//! The scan of the written request: put beside a disclosure, read, removed.
//!
//! It is sealed before it is written and opened with the vault of whoever reads it, as packages are; and it goes out as a file to
//! be kept, never as something that a browser shows.
//!
//! What does not belong here: who may (`disclosure::scan`).

use std::io::{Cursor, Read, Write};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use tokio::sync::Semaphore;
use utoipa::ToSchema;

use crate::access::authorise::Authorised;
use crate::access::role::acts;
use crate::base::error::{Error, Kind, Result};
use crate::base::hash::Digest;
use crate::base::id::DisclosureId;
use crate::base::time::Wall;
use crate::catalog::{DisclosureRow, NewScan, Reader, ScanKind, ScanRow};
use crate::disclosure::scan::{SCAN_BYTES_MAX, kind_of};
use crate::http::api::deletions::file;
use crate::http::api::disclosures::{OfDisclosure, at_desk, by, person_name};
use crate::http::app::App;
use crate::http::guard::May;
use crate::http::json::{Json, Segments, whole_up_to};
use crate::http::problem::{Answer, Problem, Refusal};
use crate::vault::opener::Opener;
use crate::vault::parcel;

/// The longest that a browser may take to send one.
const SEND_TIME_MAX: Duration = Duration::from_secs(50);
/// So many are in memory at a time.
static SCANS: Semaphore = Semaphore::const_new(2);

/// The scan of the written request.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct Scan {
    /// What its first bytes say it is.
    #[schema(example = "pdf")]
    kind: String,
    /// Its bytes.
    bytes: u64,
    /// SHA-256 of it, 64 hexadecimal digits; the ledger has it too.
    sha256: String,
    /// When it was put there.
    #[schema(value_type = String, format = DateTime)]
    at: Wall,
    /// Who did: a person's id.
    by: String,
    /// That person's user name, while the box knows it.
    #[schema(nullable)]
    by_name: Option<String>,
}

impl Scan {
    fn of(app: &App, row: ScanRow) -> Self {
        Self {
            kind: row.kind.to_string(),
            bytes: row.bytes,
            sha256: row.sha256.to_string(),
            at: row.at,
            by_name: person_name(app, &row.by),
            by: row.by,
        }
    }

    /// That of a disclosure; none when it has none.
    pub(super) fn beside(app: &App, reader: &Reader, id: DisclosureId) -> Result<Option<Self>> {
        let found = reader.disclosure_scan(id)?;
        Ok(found.map(|row| Self::of(app, row)))
    }
}

fn busy() -> Refusal {
    Error::new(Kind::Busy, "too many scans are sent or read at once").into()
}

/// Puts the scan of the written request beside a disclosure, in the place of the one that lay there: a PDF, JPEG or PNG, told by its
/// first bytes, of at most 10 MiB. Before anybody has decided, and not after.
#[utoipa::path(
    put,
    path = "/api/v1/disclosures/{disclosure}/scan",
    tag = "disclosures",
    params(OfDisclosure),
    request_body(content = String, content_type = "application/octet-stream"),
    responses(
        (status = 200, body = Scan),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn put(
    State(app): State<Arc<App>>,
    May(who): May<acts::Ask>,
    Segments(of): Segments<OfDisclosure>,
    request: Request,
) -> Answer<Json<Scan>> {
    let by = by(&who);
    let (may, id) = (by.clone(), of);
    // Before anything is taken in.
    let id = app
        .blocking(move |app| {
            let id = id.id(&app.parts.catalog.reader()?)?;
            at_desk(app, |desk| desk.may_scan(&may, id).map(drop))?;
            Ok(id)
        })
        .await?;
    let _permit = SCANS.try_acquire().map_err(|_| busy())?;
    let body = whole_up_to(request.into_body(), (SCAN_BYTES_MAX, SEND_TIME_MAX)).await?;
    let Some(kind) = kind_of(&body) else {
        return Err(Refusal::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "media-type",
            "Not a PDF, JPEG or PNG",
            "Save or scan the request as a PDF, a JPEG or a PNG.",
        ));
    };
    let keep = move |app: &App| {
        let (parcel, generation) = app.parts.access.parcel()?;
        let mut sealing = parcel.seal(Vec::new())?;
        sealing.write_all(&body)?;
        let row = ScanRow {
            disclosure: id,
            at: app.now(),
            by: by.person.clone(),
            kind,
            bytes: body.len() as u64,
            sha256: Digest::sha256(&[&body]),
            generation,
            key: parcel.slot.to_vec(),
        };
        let sealed = sealing.finish()?;
        let new = NewScan {
            row: row.clone(),
            sealed,
        };
        at_desk(app, |desk| desk.scan(&by, new))?;
        Ok(Scan::of(app, row))
    };
    app.blocking(keep).await.map(Json)
}

/// Removes the scan of the written request, with its key. Before anybody has decided, and not after.
#[utoipa::path(
    delete,
    path = "/api/v1/disclosures/{disclosure}/scan",
    tag = "disclosures",
    params(OfDisclosure),
    responses(
        (status = 204, description = "It is gone."),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn remove(
    State(app): State<Arc<App>>,
    May(who): May<acts::Ask>,
    Segments(of): Segments<OfDisclosure>,
) -> Answer<StatusCode> {
    app.blocking(move |app| {
        let id = of.id(&app.parts.catalog.reader()?)?;
        at_desk(app, |desk| desk.unscan(&by(&who), id))
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The scan of the written request, in the clear: for somebody who may know of the disclosure and whose vault is open. The ledger
/// notes it before the first byte.
#[utoipa::path(
    get,
    path = "/api/v1/disclosures/{disclosure}/scan",
    tag = "disclosures",
    params(OfDisclosure),
    responses(
        (status = 200, description = "It.", content((String = "application/pdf"), (String = "image/jpeg"), (String = "image/png"))),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    May(who): May<acts::Playback>,
    Segments(of): Segments<OfDisclosure>,
) -> Answer<Response> {
    let _permit = SCANS.try_acquire().map_err(|_| busy())?;
    let (row, scan, clear) = app.blocking(move |app| open(app, &who, &of)).await?;
    let (media, end) = match scan.kind {
        ScanKind::Pdf => ("application/pdf", "pdf"),
        ScanKind::Jpeg => ("image/jpeg", "jpg"),
        ScanKind::Png => ("image/png", "png"),
    };
    let name = row
        .asked
        .map_or_else(|| "draft".to_owned(), |asked| asked.serial.to_string());
    let mut response = file(media, &format!("{name}_request.{end}"), clear);
    // It comes from outside of the house: nothing in it is run, wherever it is opened.
    let policy = HeaderValue::from_static("default-src 'none'; sandbox");
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    Ok(response)
}

fn open(
    app: &App,
    who: &Authorised<acts::Playback>,
    of: &OfDisclosure,
) -> Result<(DisclosureRow, ScanRow, Vec<u8>)> {
    let reader = app.parts.catalog.reader()?;
    let (id, by) = (of.id(&reader)?, by(who));
    at_desk(app, |desk| {
        let (row, _) = desk.find_known(&reader, &by, id)?;
        let cameras = row.asked.iter().flat_map(|asked| &asked.cameras);
        if !cameras.into_iter().all(|camera| who.sees(&camera.camera)) {
            let text = format!("there is no disclosure {id}");
            return Err(Error::new(Kind::NotFound, text));
        }
        let none = || Error::new(Kind::NotFound, "there is no scan of its request");
        let scan = reader.disclosure_scan(id)?.ok_or_else(none)?;
        let sealed = reader.disclosure_scan_sealed(id)?.ok_or_else(none)?;
        let key = who.vault().open(&parcel::wrapped(&scan.key)?)?;
        let mut clear = Vec::with_capacity(usize::try_from(scan.bytes).unwrap_or_default());
        parcel::open(&key, Cursor::new(sealed))?
            .take(SCAN_BYTES_MAX as u64)
            .read_to_end(&mut clear)?;
        if Digest::sha256(&[&clear]) != scan.sha256 {
            return Err(Error::corrupt("the scan is not what was put there"));
        }
        desk.scan_read(&by, &row, &scan)?;
        Ok((row, scan, clear))
    })
}
