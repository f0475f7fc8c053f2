//! Packages of disclosures: making one, how far it is, stopping it, and its download, part by part.
//!
//! Each byte goes through the same gate: a session of somebody who may hand out footage of every camera in it, a fresh factor, an
//! open vault, and an entry in the ledger before the first. Whether a disclosure may be prepared at all is `disclosure`'s.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
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
use utoipa::{IntoParams, ToSchema};
use zeroize::Zeroizing;

use crate::access::authorise::Authorised;
use crate::access::refusal::Refusal as Why;
use crate::access::role::{self, acts};
use crate::access::{Access, Right};
use crate::base::Clock;
use crate::base::error::{Context, Error, Kind, Result};
use crate::base::hash::Digest;
use crate::base::id::{BoxId, CameraId, DisclosureId, PersonId};
use crate::base::time::Wall;
use crate::catalog::{Act, Catalog, Change, DisclosureRow, Event, FileRow, JobRow, Reader};
use crate::config::{Catalogue, Config};
use crate::disclosure::act::{By, Desk};
use crate::disclosure::paper::{HandoverDocument, Record};
use crate::disclosure::prepare::Permitted;
use crate::evidence::package::make::Anchor;
use crate::evidence::package::order::{Camera, Order};
use crate::evidence::package::secret;
use crate::http::api::disclosures::{self, OfDisclosure};
use crate::http::api::session::Secret;
use crate::http::app::App;
use crate::http::guard::May;
use crate::http::json::{Body, Json, Segments};
use crate::http::packages::{Packages, Start};
use crate::http::problem::{Answer, Problem, Refusal};
use crate::ledger::checkpoint::Key;
use crate::vault::opener::Opener;
use crate::vault::parcel;

/// Downloads at a time.
static DOWNLOADS: Semaphore = Semaphore::const_new(8);
/// The handover document in a package.
const HANDOVER: &str = "handover.pdf";
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

/// How a package is to be made.
#[derive(serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPackage {
    /// `none`; `made`: under a passphrase that the box makes and tells once; `typed`: under the one that is given.
    #[serde(default)]
    encryption: Encryption,
    /// The passphrase, when it is typed: 16 characters or more.
    #[serde(default)]
    #[schema(value_type = Option<String>, write_only)]
    passphrase: Option<Secret>,
}

/// What the files of a package are encrypted with besides.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Encryption {
    /// Nothing: Explorer opens it.
    #[default]
    None,
    /// AES-256 under a passphrase that the box makes.
    Made,
    /// AES-256 under a passphrase that is given.
    Typed,
}

/// A package that is being made.
#[derive(serde::Serialize, ToSchema)]
pub struct BegunPackage {
    /// The passphrase that the box made, here and nowhere again: it is not kept.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "once")]
    #[schema(value_type = Option<String>)]
    passphrase: Option<Zeroizing<String>>,
}

fn once<S: serde::Serializer>(
    passphrase: &Option<Zeroizing<String>>,
    out: S,
) -> std::result::Result<S::Ok, S::Error> {
    out.serialize_str(passphrase.as_ref().map_or("", |text| text.as_str()))
}

/// How far a package is.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct Package {
    /// `queued`, `running`, `done`, `failed`, `cancelled`.
    state: String,
    /// `queued`, `closing` (the segment that is being written), `packing`, `proving`.
    phase: String,
    /// So many bytes are made.
    bytes_done: u64,
    /// Of about so many.
    bytes_total: u64,
    /// How many seconds it will take, as far as that can be told.
    #[schema(nullable)]
    seconds_left: Option<u64>,
    /// Why it failed; `interrupted`: the box was restarted meanwhile.
    #[schema(nullable)]
    cause: Option<String>,
    /// Who began it: a person's id.
    by: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    begun: Wall,
    /// When it was over.
    #[schema(value_type = Option<String>, format = DateTime, nullable)]
    ended: Option<Wall>,
    /// Its parts, once all are there.
    parts: Vec<PackagePart>,
}

/// A part of a package: a ZIP of its own.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct PackagePart {
    /// Its number, from 1.
    part: u32,
    /// What it is called.
    name: String,
    /// Its bytes.
    bytes: u64,
    /// SHA-256 of it, 64 hexadecimal digits.
    sha256: String,
    /// When the box's own copy was wiped.
    #[schema(value_type = Option<String>, format = DateTime, nullable)]
    wiped: Option<Wall>,
}

impl Package {
    fn of(app: &App, job: JobRow, files: Vec<FileRow>) -> Self {
        let known = job.ended.is_none().then(|| {
            let packages = app.parts.packages.as_ref();
            packages.and_then(|packages| packages.progress(job.disclosure))
        });
        let live = known.flatten();
        let own = files.into_iter().filter(|file| file.job == job.job);
        Self {
            state: job.state.to_string(),
            phase: live.map_or(job.phase, |live| live.phase.to_owned()),
            bytes_done: live.map_or(job.bytes_done, |live| live.bytes_done),
            bytes_total: live.map_or(job.bytes_total, |live| live.bytes_total),
            seconds_left: live.and_then(|live| live.left).map(|left| left.as_secs()),
            cause: job.cause,
            by: job.by,
            begun: job.begun,
            ended: job.ended,
            parts: own
                .map(|file| PackagePart {
                    part: file.part,
                    name: file.name,
                    bytes: file.bytes,
                    sha256: file.sha256.to_string(),
                    wiped: file.wiped,
                })
                .collect(),
        }
    }
}

/// The disclosure, for somebody whose right reaches each of its cameras.
fn find<A: role::Act>(
    reader: &Reader,
    who: &Authorised<A>,
    id: DisclosureId,
) -> Result<DisclosureRow> {
    let none = || Error::new(Kind::NotFound, "there is no such disclosure");
    let row = reader.disclosure(id)?.ok_or_else(none)?;
    let asked = row.asked.as_ref().ok_or_else(none)?;
    if asked.cameras.iter().any(|camera| !who.sees(&camera.camera)) {
        return Err(none());
    }
    Ok(row)
}

/// What is needed to ask again, when the request is long over, whether a package may be made.
struct Held {
    catalog: Arc<Catalog>,
    access: Access,
    clock: Arc<dyn Clock>,
    dir: PathBuf,
    config: Arc<Config>,
    box_id: BoxId,
    key: Key,
    by: By,
    person: PersonId,
    disclosure: DisclosureId,
    cameras: BTreeSet<CameraId>,
}

impl Held {
    fn of(app: &App, by: By, permitted: &Permitted, person: PersonId) -> Arc<Self> {
        let cameras = permitted.cameras.iter();
        Arc::new(Self {
            catalog: Arc::clone(&app.parts.catalog),
            access: app.parts.access.clone(),
            clock: Arc::clone(&app.parts.clock),
            dir: app.parts.dir.clone(),
            config: app.config(),
            box_id: app.parts.box_id,
            key: app.parts.ledger_key,
            by,
            person,
            disclosure: permitted.disclosure,
            cameras: cameras.map(|camera| camera.camera.clone()).collect(),
        })
    }

    fn at_desk<T>(&self, act: impl FnOnce(&Desk<'_>) -> Result<T>) -> Result<T> {
        act(&Desk {
            catalog: &self.catalog,
            catalogue: &Catalogue::load(&self.dir)?,
            directory: &self.access.directory(),
            after_release_s: self.config.retention.after_release_secs,
            now: self.clock.wall(),
        })
    }

    /// The person still may hand out every camera of it, and what was approved still is.
    fn check(&self) -> Result<()> {
        self.at_desk(|desk| {
            let denied = |why: Why| {
                let text = format!("who began the package may not any more: {why}");
                Error::new(Kind::Denied, text)
            };
            let standing = desk.directory.get(self.person).ok_or(Why::Revoked);
            let standing = standing.map_err(denied)?;
            standing.check(desk.now).map_err(denied)?;
            let scope = standing.scope(Right::HandOut, desk.now).map_err(denied)?;
            for camera in &self.cameras {
                scope.check(camera).map_err(denied)?;
            }
            desk.permit_by(&self.by, self.disclosure).map(drop)
        })
    }

    /// The step to `prepared`.
    fn prepared(&self, manifest: Digest) -> Result<(Change, Event)> {
        self.at_desk(|desk| {
            let (row, _) = desk.find(&desk.catalog.reader()?, self.disclosure)?;
            Ok(desk.prepared(&self.by, &row, manifest))
        })
    }
}

impl Held {
    /// The handover document, with the clips, the entry and the checkpoint.
    fn papers(&self, anchor: &Anchor<'_>) -> Result<Vec<(String, Vec<u8>)>> {
        self.at_desk(|desk| {
            let (row, steps) = desk.find(&desk.catalog.reader()?, self.disclosure)?;
            let name = |person: &str| {
                let known = person.parse().ok().and_then(|id| desk.directory.get(id));
                known.map_or(person, |known| &known.account.name).to_owned()
            };
            let mut document = HandoverDocument::of_record(&Record {
                row: &row,
                steps: &steps,
                files: &[],
                config: &self.config,
                catalogue: desk.catalogue,
                name: &name,
                language: None,
                made: desk.now,
                box_id: self.box_id,
                key: self.key,
            })?;
            document.take(anchor.manifest)?;
            document.anchor(anchor.entry, anchor.note, self.key)?;
            Ok(vec![(HANDOVER.to_owned(), document.pdf()?)])
        })
    }
}

/// What is packed: what is permitted, and nothing else.
fn order(permitted: Permitted, encryption: Option<Zeroizing<String>>) -> Order {
    let language = permitted.language;
    let text = |what: &str| {
        let texts = &permitted.frozen[what];
        let found = texts["texts"][language.as_str()].as_str();
        let text = found.or_else(|| texts["code"].as_str());
        text.unwrap_or_default().to_owned()
    };
    Order {
        serial: permitted.serial.to_string(),
        kind: permitted.kind.to_string(),
        purpose: text("purpose"),
        basis: text("basis"),
        language,
        encryption,
        viewing: permitted.viewing_copy,
        cameras: permitted
            .cameras
            .into_iter()
            .map(|camera| Camera {
                camera: camera.camera,
                name: camera.name,
                asked: camera.asked,
                given: camera.given,
            })
            .collect(),
    }
}

fn packages(app: &App) -> Result<&Arc<dyn Packages>> {
    app.parts.packages.as_ref().ok_or_else(|| {
        let text = "packages are not made at present; the log of the box says why";
        Error::new(Kind::Unavailable, text)
    })
}

/// Begins to make the package of a disclosure that is approved: in the background, one after another.
#[utoipa::path(
    post,
    path = "/api/v1/disclosures/{disclosure}/package",
    tag = "disclosures",
    params(OfDisclosure),
    request_body = NewPackage,
    responses(
        (status = 202, body = BegunPackage),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn start(
    State(app): State<Arc<App>>,
    May(who): May<acts::HandOut>,
    Segments(of): Segments<OfDisclosure>,
    Body(new): Body<NewPackage>,
) -> Answer<Response> {
    let passphrase = match (new.encryption, new.passphrase) {
        (Encryption::None, None) => None,
        (Encryption::Made, None) => Some(secret::make()?),
        (Encryption::Typed, Some(typed)) => {
            let typed = typed.take("/passphrase")?;
            secret::check(&typed).map_err(|e| Refusal::field("/passphrase", e.to_string()))?;
            Some(typed)
        }
        (Encryption::Typed, None) => {
            return Err(Refusal::field("/passphrase", "it is missing"));
        }
        (Encryption::None | Encryption::Made, Some(_)) => {
            let text = "a passphrase is given with \"encryption\": \"typed\" alone";
            return Err(Refusal::field("/passphrase", text));
        }
    };
    let told = (new.encryption == Encryption::Made).then(|| passphrase.clone());
    app.blocking(move |app| {
        let (by, disclosure) = (disclosures::by(&who), of.id(&app.parts.catalog.reader()?)?);
        let permitted = disclosures::at_desk(app, |desk| desk.permit(&who, &by, disclosure))?;
        let held = Held::of(app, by, &permitted, who.person());
        let hold = permitted.hold;
        let order = order(permitted, passphrase);
        let (again, paper) = (Arc::clone(&held), Arc::clone(&held));
        // Whoever wants it may sign out meanwhile; whoever may not have it any more, or does not stand behind it, ends it.
        let check = Arc::new(move || again.check());
        let vault: Arc<dyn Opener> = who.vault();
        packages(app)?.start(Start {
            disclosure,
            order,
            hold,
            by: who.person(),
            vault,
            check,
            prepared: Box::new(move |manifest| held.prepared(manifest)),
            papers: Box::new(move |anchor| paper.papers(anchor)),
        })
    })
    .await?;
    let begun = BegunPackage {
        passphrase: told.flatten(),
    };
    Ok((StatusCode::ACCEPTED, Json(begun)).into_response())
}

/// How far the package of a disclosure is, or what became of it.
#[utoipa::path(
    get,
    path = "/api/v1/disclosures/{disclosure}/package",
    tag = "disclosures",
    params(OfDisclosure),
    responses(
        (status = 200, body = Package),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    May(who): May<acts::Ask>,
    Segments(of): Segments<OfDisclosure>,
) -> Answer<Json<Package>> {
    app.blocking(move |app| {
        let reader = app.parts.catalog.reader()?;
        let row = find(&reader, &who, of.id(&reader)?)?;
        let job = reader
            .last_job(row.disclosure)?
            .ok_or_else(|| Error::new(Kind::NotFound, "no package was made for it"))?;
        let files = reader.package_files(row.disclosure)?;
        Ok(Package::of(app, job, files))
    })
    .await
    .map(Json)
}

/// Stops the making of a package; nothing of it is left.
#[utoipa::path(
    delete,
    path = "/api/v1/disclosures/{disclosure}/package",
    tag = "disclosures",
    params(OfDisclosure),
    responses(
        (status = 204, description = "It stops within a second."),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn cancel(
    State(app): State<Arc<App>>,
    May(who): May<acts::Ask>,
    Segments(of): Segments<OfDisclosure>,
) -> Answer<StatusCode> {
    app.blocking(move |app| {
        let reader = app.parts.catalog.reader()?;
        let row = find(&reader, &who, of.id(&reader)?)?;
        if !packages(app)?.cancel(row.disclosure) {
            return Err(Error::new(
                Kind::NotFound,
                "no package is being made for it",
            ));
        }
        let facts = json!({});
        let event = Event {
            actor: who.actor(),
            detail: Some(json!({ "address": who.address() })),
            ..Event::of_box(
                app.now(),
                "package-cancelled",
                format!("disclosure {}", row.disclosure),
                facts,
            )
        };
        app.parts.catalog.commit(Vec::new(), event)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
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
    let event = event(
        &app,
        &who,
        &file,
        json!({ "part": file.part, "sha256": file.sha256.to_string(), "from": from, "to": to }),
    );
    // Without the entry not one byte.
    let (clear, act) = app
        .blocking(move |app| {
            let mut clear = clear;
            clear
                .seek(SeekFrom::Start(from))
                .context(|| "opening a part of a package")?;
            let act = app.parts.catalog.begin_act(event, Vec::new())?;
            Ok((clear, act))
        })
        .await?;
    let delivery = Delivery {
        outcome: event_of(&app, &who, &file),
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
    let row = find(&reader, who, of.of().id(&reader)?)?;
    // The gate of making is that of giving: prepared and not handed over yet, and approved by those who still may.
    let by = disclosures::by(who);
    disclosures::at_desk(app, |desk| desk.permit(who, &by, row.disclosure).map(drop))?;
    let none = || Error::new(Kind::NotFound, "there is no such part of its package");
    let job = reader.last_job(row.disclosure)?.ok_or_else(none)?;
    let number: u32 = of.part.parse().map_err(|_| none())?;
    let files = reader.package_files(row.disclosure)?.into_iter();
    let mut own = files.filter(|file| file.job == job.job && file.part == number);
    let file = own.next().ok_or_else(none)?;
    let slot = file.key.as_ref().ok_or_else(|| {
        let text = "the box's own copy was wiped; prepare the package anew";
        Error::new(Kind::NotFound, text)
    })?;
    let key = who.vault().open(&parcel::wrapped(slot)?)?;
    let path = packages(app)?.place(&file)?;
    let sealed = File::open(&path).context(|| format!("opening part {number} of a package"))?;
    let clear = parcel::open(&key, sealed)?;
    let cameras = row.asked.iter().flat_map(|asked| &asked.cameras);
    let cameras = cameras.map(|camera| camera.camera.clone()).collect();
    Ok((file, Box::new(clear), cameras))
}

fn event(
    app: &App,
    who: &Authorised<acts::HandOut>,
    file: &FileRow,
    facts: serde_json::Value,
) -> Event {
    let object = format!("disclosure {}", file.disclosure);
    Event {
        actor: who.actor(),
        detail: Some(json!({ "name": who.name(), "address": who.address() })),
        ..Event::of_box(app.now(), "package-downloaded", object, facts)
    }
}

fn event_of(app: &App, who: &Authorised<acts::HandOut>, file: &FileRow) -> Event {
    event(app, who, file, json!({ "part": file.part }))
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
