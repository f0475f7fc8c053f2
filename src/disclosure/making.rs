//! What a package that is to be made needs of its disclosure, from the queue to the last paper: what is put into it, whether it still
//! may be made when whoever asked is long gone, the step to *prepared*, the handover document.
//!
//! What does not belong here: whether it may be made at all (`prepare`), the thread that makes it, where vault and passphrase come from.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::access::refusal::Refusal as Why;
use crate::access::{Access, Directory, Right};
use crate::base::Clock;
use crate::base::error::{Error, Kind, Result};
use crate::base::hash::Digest;
use crate::base::id::{BoxId, CameraId, DisclosureId, PersonId};
use crate::base::time::Wall;
use crate::catalog::{Catalog, Change, Event};
use crate::config::{Catalogue, Config};
use crate::disclosure::act::{By, Desk};
use crate::disclosure::packages::{Packages, Start};
use crate::disclosure::paper::{HandoverDocument, Record};
use crate::disclosure::prepare::Permitted;
use crate::evidence::package::make::Anchor;
use crate::evidence::package::order::{Camera, Order};
use crate::ledger::checkpoint::Key;
use crate::vault::opener::Opener;

/// The handover document in a package.
const HANDOVER: &str = "handover.pdf";

/// What of the recorder is needed as long as a package is being made.
pub struct Maker {
    /// Where rows and entries are written.
    pub catalog: Arc<Catalog>,
    /// Who may what, at each moment.
    pub access: Access,
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// The state folder, for the catalogue.
    pub dir: PathBuf,
    /// The configuration in force.
    pub config: Arc<Config>,
    /// This box.
    pub box_id: BoxId,
    /// The key with which its ledger signs.
    pub key: Key,
}

/// A package that somebody wants.
pub struct Wanted {
    /// Who.
    pub person: PersonId,
    /// The same, as who acts.
    pub by: By,
    /// What may be put into it.
    pub permitted: Permitted,
    /// What the person opens.
    pub vault: Arc<dyn Opener>,
    /// The passphrase under which its files are put, if they are.
    pub passphrase: Option<Zeroizing<String>>,
}

/// What is needed to ask again, when the request is long over, whether a package may be made.
struct Held {
    maker: Maker,
    by: By,
    person: PersonId,
    disclosure: DisclosureId,
    cameras: BTreeSet<CameraId>,
}

impl Maker {
    /// Queues it. Whoever wants it may sign out meanwhile; whoever may not have it any more, or does not stand behind it, ends it.
    ///
    /// # Errors
    /// As [`Packages::start`].
    pub fn start(self, wanted: Wanted, packages: &dyn Packages) -> Result<()> {
        let (permitted, by) = (wanted.permitted, wanted.by);
        let cameras = permitted.cameras.iter();
        let held = Arc::new(Held {
            maker: self,
            by,
            person: wanted.person,
            disclosure: permitted.disclosure,
            cameras: cameras.map(|camera| camera.camera.clone()).collect(),
        });
        let [again, paper, proved] = std::array::from_fn(|_| Arc::clone(&held));
        packages.start(Start {
            disclosure: permitted.disclosure,
            hold: permitted.hold,
            order: order(permitted, wanted.passphrase),
            by: wanted.person,
            vault: wanted.vault,
            check: Arc::new(move || again.check()),
            proved: Box::new(move |manifest| proved.proved(manifest)),
            prepared: Box::new(move |manifest, entry| held.prepared(manifest, entry)),
            papers: Box::new(move |anchor| paper.papers(anchor)),
        })
    }
}

impl Held {
    fn at_desk<T>(&self, act: impl FnOnce(&Desk<'_>) -> Result<T>) -> Result<T> {
        act(&Desk {
            catalog: &self.maker.catalog,
            catalogue: &Catalogue::load(&self.maker.dir)?,
            directory: &self.maker.access.directory(),
            after_release_s: self.maker.config.retention.after_release_secs,
            now: self.maker.clock.wall(),
        })
    }

    /// The person still may hand out every camera of it, and what was approved still is.
    fn check(&self) -> Result<()> {
        self.at_desk(|desk| {
            may_give(desk.directory, self.person, &self.cameras, desk.now)?;
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

    /// The handover document, with the clips, the entry and the checkpoint.
    fn papers(&self, anchor: &Anchor<'_>) -> Result<Vec<(String, Vec<u8>)>> {
        self.at_desk(|desk| {
            let (row, steps) = desk.find(&desk.catalog.reader()?, self.disclosure)?;
            let mut document = HandoverDocument::of_record(&Record {
                row: &row,
                steps: &steps,
                files: &[],
                config: &self.maker.config,
                catalogue: desk.catalogue,
                name: &|person| desk.name_of(person),
                language: None,
                made: desk.now,
                box_id: self.maker.box_id,
                key: self.maker.key,
            })?;
            document.take(anchor.manifest)?;
            document.anchor(anchor.entry, anchor.note, self.maker.key)?;
            Ok(vec![(HANDOVER.to_owned(), document.pdf()?)])
        })
    }
}

/// That a person may still hand out each of these cameras: asked again between pieces of what takes long.
///
/// # Errors
/// [`Kind::Denied`] with the reason.
pub fn may_give(
    directory: &Directory,
    person: PersonId,
    cameras: &BTreeSet<CameraId>,
    now: Wall,
) -> Result<()> {
    let denied = |why: Why| {
        let text = format!("who began the package may not any more: {why}");
        Error::new(Kind::Denied, text)
    };
    let standing = directory.get(person).ok_or(Why::Revoked);
    let standing = standing.map_err(denied)?;
    standing.check(now).map_err(denied)?;
    let scope = standing.scope(Right::HandOut, now).map_err(denied)?;
    cameras
        .iter()
        .try_for_each(|camera| scope.check(camera))
        .map_err(denied)
}

impl Desk<'_> {
    /// The user name of a person, while the box knows it; else what they were named by.
    pub fn name_of(&self, person: &str) -> String {
        let known = person.parse().ok().and_then(|id| self.directory.get(id));
        known.map_or(person, |known| &known.account.name).to_owned()
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
