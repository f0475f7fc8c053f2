//! Packages of disclosures: making one, how far it is, stopping it. Whether a disclosure may be prepared at all is `disclosure`'s.
//!
//! What does not belong here: the download, which is in `package_parts`.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::access::authorise::Authorised;
use crate::access::refusal::Refusal as Why;
use crate::access::role::{self, acts};
use crate::access::{Access, Right};
use crate::base::Clock;
use crate::base::error::{Error, Kind, Result};
use crate::base::hash::Digest;
use crate::base::id::{BoxId, CameraId, DisclosureId, PersonId};
use crate::base::time::Wall;
use crate::catalog::{Catalog, Change, DisclosureRow, Event, FileRow, JobRow, Reader};
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

/// The handover document in a package.
const HANDOVER: &str = "handover.pdf";

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
    /// The parts of the package that was made last, once all are there. A job that fails takes the place of none.
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
    fn of(app: &App, (job, made): (JobRow, Option<JobRow>), files: Vec<FileRow>) -> Self {
        let known = job.ended.is_none().then(|| {
            let packages = app.parts.packages.as_ref();
            packages.and_then(|packages| packages.progress(job.disclosure))
        });
        let live = known.flatten();
        let is_of = |file: &FileRow| made.as_ref().is_some_and(|made| made.job == file.job);
        let own = files.into_iter().filter(is_of);
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
pub(super) fn find<A: role::Act>(
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

    /// The entry with the manifest's hash.
    fn proved(&self, manifest: Digest) -> Result<Event> {
        self.at_desk(|desk| {
            let (row, _) = desk.find(&desk.catalog.reader()?, self.disclosure)?;
            Ok(desk.proved(&self.by, &row, manifest))
        })
    }

    /// The step to `prepared`.
    fn prepared(&self, manifest: Digest, entry: u64) -> Result<Change> {
        self.at_desk(|desk| Ok(desk.prepared(&self.by, self.disclosure, (manifest, entry))))
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

pub(super) fn packages(app: &App) -> Result<&Arc<dyn Packages>> {
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
        let [again, paper, proved] = std::array::from_fn(|_| Arc::clone(&held));
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
            proved: Box::new(move |manifest| proved.proved(manifest)),
            prepared: Box::new(move |manifest, entry| held.prepared(manifest, entry)),
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
        let made = reader.last_made(row.disclosure)?;
        Ok(Package::of(app, (job, made), files))
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
