//! The download of a package, part by part.
//!
//! Each byte goes through the same gate: a session of somebody who may hand out footage of every camera in it, a fresh factor, an
//! open vault, and an entry in the ledger before the first.
//!
//! What does not belong here: making packages, which is in `packages`.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;

use axum::body::{Body as HttpBody, Bytes};
use axum::extract::State;
use axum::http::header::{
    ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG,
    IF_RANGE, RANGE,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use log::error;
use serde_json::json;
use tokio::sync::{Semaphore, SemaphorePermit};
use utoipa::IntoParams;

use crate::access::authorise::Authorised;
use crate::access::refusal::Refusal as Why;
use crate::access::role::acts;
use crate::base::error::{Context, Error, Kind, Result};
use crate::base::id::CameraId;
use crate::catalog::{Act, Event, FileRow};
use crate::disclosure::give;
use crate::http::api::disclosures::{self, OfDisclosure};
use crate::http::api::packages::packages;
use crate::http::app::App;
use crate::http::guard::May;
use crate::http::json::Segments;
use crate::http::problem::{Answer, Problem, Refusal};
use crate::vault::opener::Opener;
use crate::vault::parcel;

/// Downloads at a time.
static DOWNLOADS: Semaphore = Semaphore::const_new(8);
/// A part goes out in pieces of this many bytes.
const PIECE_BYTES: usize = 256 << 10;

/// Path of a part.
#[derive(Debug, serde::Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct OfPart {
    /// The disclosure's number, or its serial number.
    disclosure: String,
    /// Its number, from 1.
    part: String,
}

impl OfPart {
    fn of(&self) -> OfDisclosure {
        OfDisclosure {
            disclosure: self.disclosure.clone(),
        }
    }
}

/// A part of a package, in the clear: it is unsealed while it is sent. A range may be asked for, through the same gate.
#[utoipa::path(
    get,
    path = "/api/v1/disclosures/{disclosure}/package/{part}",
    tag = "disclosures",
    params(OfPart),
    responses(
        (status = 200, content_type = "application/zip", description = "The part."),
        (status = 206, content_type = "application/zip", description = "What was asked for of it."),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn part(
    State(app): State<Arc<App>>,
    May(who): May<acts::HandOut>,
    Segments(of): Segments<OfPart>,
    headers: HeaderMap,
) -> Answer<Response> {
    let Ok(permit) = DOWNLOADS.try_acquire() else {
        return Err(Error::new(Kind::Busy, "too much is being downloaded at once").into());
    };
    let caller = Arc::clone(&who);
    let opened = app.blocking(move |app| open(app, &caller, &of)).await?;
    let (file, clear, cameras) = opened;
    let etag = format!("\"{}\"", file.sha256);
    let wanted = wanted(&headers, &etag, file.bytes)?;
    let (from, to) = wanted.unwrap_or((0, file.bytes));
    let told = |facts| give::downloaded(&disclosures::by(&who), &file, facts, app.now());
    let intent = told(give::intent(&file, (from, to)));
    // Without the entry not one byte.
    let (clear, act) = app
        .blocking(move |app| {
            let mut clear = clear;
            clear
                .seek(SeekFrom::Start(from))
                .context(|| "opening a part of a package")?;
            let act = app.parts.catalog.begin_act(intent, Vec::new())?;
            Ok((clear, act))
        })
        .await?;
    let delivery = Delivery {
        outcome: told(json!({ "part": file.part })),
        app,
        who,
        cameras,
        clear: Some(clear),
        left: to - from,
        sent: 0,
        act: Some(act),
        _permit: permit,
    };
    let body = stream::unfold(delivery, |mut delivery| async {
        let piece = delivery.step().await?;
        Some((piece, delivery))
    });
    let range = wanted.map(|(from, to)| {
        let text = format!("bytes {from}-{}/{}", to - 1, file.bytes);
        [(CONTENT_RANGE, text)]
    });
    let status = if range.is_some() {
        StatusCode::PARTIAL_CONTENT
    } else {
        StatusCode::OK
    };
    let headers = [
        (CONTENT_TYPE, "application/zip".to_owned()),
        (
            CONTENT_DISPOSITION,
            format!("attachment; filename=\"{}\"", file.name),
        ),
        (CONTENT_LENGTH, (to - from).to_string()),
        (ACCEPT_RANGES, "bytes".to_owned()),
        (ETAG, etag),
    ];
    let body = HttpBody::from_stream(body);
    Ok(match range {
        Some(range) => (status, headers, range, body).into_response(),
        None => (status, headers, body).into_response(),
    })
}

/// Something that is read from any place in it.
trait Clear: Read + Seek + Send {}
impl<T: Read + Seek + Send> Clear for T {}

type Opened = (FileRow, Box<dyn Clear>, BTreeSet<CameraId>);

/// Finds a part and opens it with the person's keys.
fn open(app: &App, who: &Authorised<acts::HandOut>, of: &OfPart) -> Result<Opened> {
    let reader = app.parts.catalog.reader()?;
    let (by, id) = (disclosures::by(who), of.of().id(&reader)?);
    let (row, files) = disclosures::at_desk(app, |desk| desk.parts(&reader, &by, id))?;
    let none = || Error::new(Kind::NotFound, "there is no such part of its package");
    let number: u32 = of.part.parse().map_err(|_| none())?;
    let mut files = files.into_iter();
    let file = files.find(|file| file.part == number).ok_or_else(none)?;
    let key = who.vault().open(&give::key(&file)?)?;
    let path = packages(app)?.place(&file)?;
    let sealed = File::open(&path).context(|| format!("opening part {number} of a package"))?;
    let clear = parcel::open(&key, sealed)?;
    let cameras = row.asked.iter().flat_map(|asked| &asked.cameras);
    let cameras = cameras.map(|camera| camera.camera.clone()).collect();
    Ok((file, Box::new(clear), cameras))
}

/// The range that is asked for, first byte and first after; none: all of it (RFC 9110, section 14). Several at once are given
/// as all of it.
fn wanted(headers: &HeaderMap, etag: &str, bytes: u64) -> Answer<Option<(u64, u64)>> {
    let text = |name| {
        headers
            .get(name)
            .and_then(|value: &axum::http::HeaderValue| value.to_str().ok())
    };
    let same = text(IF_RANGE).is_none_or(|known| known == etag);
    let range = text(RANGE)
        .filter(|_| same)
        .and_then(|range| range.strip_prefix("bytes="));
    let Some((from, to)) = range
        .filter(|r| !r.contains(','))
        .and_then(|r| r.split_once('-'))
    else {
        return Ok(None);
    };
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let found = match (number(from), number(to)) {
        (Some(from), Some(to)) if to >= from => Some((from, to.saturating_add(1).min(bytes))),
        (Some(from), None) if to.trim().is_empty() => Some((from, bytes)),
        (None, Some(last)) if from.trim().is_empty() => Some((bytes.saturating_sub(last), bytes)),
        _ => return Ok(None),
    };
    match found {
        Some((from, to)) if from < to => Ok(Some((from, to))),
        _ => Err(Refusal::new(
            StatusCode::RANGE_NOT_SATISFIABLE,
            "range",
            "Nothing is there",
            format!("The part has {bytes} bytes."),
        )),
    }
}

/// A part on its way out. What was delivered of it is written down when it ends, however that is.
struct Delivery {
    app: Arc<App>,
    who: Arc<Authorised<acts::HandOut>>,
    cameras: BTreeSet<CameraId>,
    clear: Option<Box<dyn Clear>>,
    left: u64,
    sent: u64,
    act: Option<Act>,
    outcome: Event,
    _permit: SemaphorePermit<'static>,
}

impl Delivery {
    async fn step(&mut self) -> Option<Result<Bytes, std::io::Error>> {
        if self.left == 0 {
            return None;
        }
        let who = Arc::clone(&self.who);
        let piece = tokio::select! {
            biased;
            why = who.ended() => Err(why.as_str().to_owned()),
            piece = self.piece() => piece,
        };
        Some(piece.map_err(|why| {
            self.left = 0;
            std::io::Error::other(why)
        }))
    }

    /// The next piece, for somebody who still may have it. The factor was fresh when it began.
    async fn piece(&mut self) -> Result<Bytes, String> {
        for camera in &self.cameras {
            match self.who.again(Some(camera)) {
                Ok(()) | Err(Why::StepUpNeeded | Why::VaultLocked) => {}
                Err(why) => return Err(why.as_str().to_owned()),
            }
        }
        let mut clear = self.clear.take().ok_or("a read before was given up")?;
        let want = PIECE_BYTES.min(usize::try_from(self.left).unwrap_or(PIECE_BYTES));
        let read = self.app.blocking(move |_| {
            let mut piece = vec![0; want];
            clear
                .read_exact(&mut piece)
                .context(|| "reading a part of a package")?;
            Ok((clear, piece))
        });
        let (clear, piece) = read.await.map_err(|refusal| refusal.word().to_owned())?;
        self.clear = Some(clear);
        self.left -= piece.len() as u64;
        self.sent += piece.len() as u64;
        self.app.counts.media(piece.len());
        Ok(piece.into())
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        let Some(act) = self.act.take() else {
            return;
        };
        let mut outcome = self.outcome.clone();
        outcome.at = self.app.now();
        outcome.facts["bytes"] = self.sent.into();
        let catalog = Arc::clone(&self.app.parts.catalog);
        let write = move || {
            if let Err(e) = catalog.end_act(act, outcome, Vec::new()) {
                error!("what was delivered of a package could not be written down: {e}");
            }
        };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(write)),
            Err(_) => write(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn asked(range: &str, if_range: Option<&str>) -> Option<Option<(u64, u64)>> {
        let mut headers = HeaderMap::new();
        headers.insert(RANGE, HeaderValue::from_str(range).expect("a value"));
        if let Some(text) = if_range {
            headers.insert(IF_RANGE, HeaderValue::from_str(text).expect("a value"));
        }
        wanted(&headers, "\"abc\"", 1000).ok()
    }

    #[test]
    fn ranges_are_read_as_the_standard_has_them() {
        for (text, expected) in [
            ("bytes=0-0", Some(Some((0, 1)))),
            ("bytes=10-19", Some(Some((10, 20)))),
            ("bytes=900-5000", Some(Some((900, 1000)))),
            ("bytes=990-", Some(Some((990, 1000)))),
            ("bytes=-10", Some(Some((990, 1000)))),
            ("bytes=-5000", Some(Some((0, 1000)))),
            ("bytes=0-1,5-6", Some(None)),
            ("bytes=9-5", Some(None)),
            ("bytes=a-b", Some(None)),
            ("lines=0-1", Some(None)),
            ("bytes=1000-", None),
            ("bytes=5000-6000", None),
            ("bytes=-0", None),
        ] {
            assert_eq!(asked(text, None), expected, "{text}");
        }
        assert_eq!(asked("bytes=1-2", Some("\"abc\"")), Some(Some((1, 3))));
        assert_eq!(asked("bytes=1-2", Some("\"other\"")), Some(None));
    }
}
