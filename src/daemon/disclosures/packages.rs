//! Packages at the console: beginning one, how far it is, stopping it, and the gate to its parts. The bytes of a part do not go over
//! the socket: the command reads the sealed file, and opens it with what the person opens.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use crate::access::{Access, Directory, keys};
use crate::base::Clock;
use crate::base::error::{Error, Kind, Result};
use crate::base::hash::Digest;
use crate::base::id::{CameraId, DisclosureId, PersonId};
use crate::base::time::Wall;
use crate::catalog::{Catalog, DisclosureRow, FileRow, Reader};
use crate::daemon::disclosures::{DisclosureAnswer, Place};
use crate::disclosure::act::{By, Desk};
use crate::disclosure::give;
use crate::disclosure::making::{Maker, Wanted};
use crate::disclosure::packages::{PackageState, Packages};
use crate::evidence::package::secret;
use crate::vault::identity::Identity;
use crate::vault::transit::Handed;

/// What of the running recorder makes packages.
pub struct Making<'a> {
    /// The way to the thread that does.
    pub packages: &'a dyn Packages,
    /// Where rows and entries are written.
    pub catalog: &'a Arc<Catalog>,
    /// Who may what, at each moment.
    pub access: &'a Access,
    /// The clocks.
    pub clock: &'a Arc<dyn Clock>,
    /// The key to which commands wrap what they hand over.
    pub transit: &'a Identity,
}

/// A part that may be given, and whose intent is written.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct GivenPart {
    /// Of which disclosure.
    pub disclosure: DisclosureId,
    /// Its number, from 1.
    pub part: u32,
    /// What it is called.
    pub name: String,
    /// Its bytes in the clear.
    pub bytes: u64,
    /// SHA-256 of them.
    pub sha256: Digest,
    /// The sealed file.
    pub path: PathBuf,
    /// Its wrapped key, as its row has it.
    pub slot: Vec<u8>,
    /// Number of the entry with the intent.
    pub intent: u64,
}

fn none_runs() -> Error {
    let text = "the recorder makes packages and gives them out, and does not run, or its log says why it cannot; \
                start it with: systemctl start sinetti";
    Error::new(Kind::Unavailable, text)
}

fn making<'a>(place: &'a Place<'_>) -> Result<&'a Making<'a>> {
    place.making.as_ref().ok_or_else(none_runs)
}

/// Queues the package, with the keys that the person has opened.
pub(super) fn prepare(
    desk: &Desk<'_>,
    place: &Place<'_>,
    (by, person): (&By, PersonId),
    (reader, disclosure): (&Reader, DisclosureId),
    handed: &Handed,
) -> Result<DisclosureAnswer> {
    let making = making(place)?;
    let permitted = desk.permit_by(by, disclosure)?;
    let rows = reader.generations()?;
    let known: Vec<_> = rows.iter().map(keys::public).collect::<Result<_>>()?;
    let (vault, passphrase) = handed.open(making.transit, &known)?;
    if let Some(text) = &passphrase {
        secret::check(text).map_err(|e| e.attempted("the passphrase of the package"))?;
    }
    let maker = Maker {
        catalog: Arc::clone(making.catalog),
        access: making.access.clone(),
        clock: Arc::clone(making.clock),
        dir: place.dir.to_owned(),
        config: Arc::new((place.config)()?),
        box_id: place.box_id,
        key: (place.key)()?,
    };
    let wanted = Wanted {
        person,
        by: by.clone(),
        permitted,
        vault: Arc::new(vault),
        passphrase,
    };
    maker.start(wanted, making.packages)?;
    // Another look: the job is there since.
    how_far(place, &desk.catalog.reader()?, disclosure)
}

pub(super) fn state(
    desk: &Desk<'_>,
    place: &Place<'_>,
    by: &By,
    (reader, disclosure): (&Reader, DisclosureId),
) -> Result<DisclosureAnswer> {
    desk.in_reach(reader, by, disclosure)?;
    how_far(place, reader, disclosure)
}

fn how_far(
    place: &Place<'_>,
    reader: &Reader,
    disclosure: DisclosureId,
) -> Result<DisclosureAnswer> {
    let packages = place.making.as_ref().map(|making| making.packages);
    let state = PackageState::read(reader, packages, disclosure)?;
    Ok(DisclosureAnswer::Package {
        disclosure,
        state: state.map(Box::new),
    })
}

pub(super) fn cancel(
    desk: &Desk<'_>,
    place: &Place<'_>,
    by: &By,
    (reader, disclosure): (&Reader, DisclosureId),
) -> Result<DisclosureAnswer> {
    desk.cancel(reader, by, disclosure, Some(making(place)?.packages))?;
    how_far(place, reader, disclosure)
}

/// The parts, after the ledger was told of each that it is about to be given out.
pub(super) fn download(
    desk: &Desk<'_>,
    place: &Place<'_>,
    by: &By,
    (reader, disclosure): (&Reader, DisclosureId),
) -> Result<DisclosureAnswer> {
    let packages = making(place)?.packages;
    let (_, files) = desk.parts(reader, by, disclosure)?;
    // What cannot be given is found before the ledger is told that it is.
    let found = files.into_iter().map(|file| {
        give::key(&file)?;
        let path = packages.place(&file)?;
        Ok((file, path))
    });
    let found: Vec<(FileRow, PathBuf)> = found.collect::<Result<_>>()?;
    let mut parts = Vec::with_capacity(found.len());
    for (file, path) in found {
        let facts = give::intent(&file, (0, file.bytes));
        let event = give::downloaded(by, &file, facts, desk.now);
        // Without the entry not one byte.
        let act = desk.catalog.begin_act(event, Vec::new())?;
        parts.push(GivenPart {
            disclosure,
            part: file.part,
            bytes: file.bytes,
            sha256: file.sha256,
            path,
            slot: file.key.unwrap_or_default(),
            name: file.name,
            intent: act.seq(),
        });
    }
    Ok(DisclosureAnswer::Parts { parts })
}

/// That a person still may have what is being given of a disclosure: asked again between its pieces.
///
/// # Errors
/// [`Kind::Denied`] with the reason.
pub fn may_give(
    reader: &Reader,
    (person, disclosure): (PersonId, DisclosureId),
    now: Wall,
) -> Result<()> {
    let directory = Directory::read(reader)?;
    let none = || Error::new(Kind::NotFound, "there is no such disclosure");
    let row: DisclosureRow = reader.disclosure(disclosure)?.ok_or_else(none)?;
    let asked = row.asked.iter().flat_map(|asked| &asked.cameras);
    let cameras: BTreeSet<CameraId> = asked.map(|camera| camera.camera.clone()).collect();
    crate::disclosure::making::may_give(&directory, person, &cameras, now)
}

/// How far the package of a disclosure is: what a command shows that has begun it.
///
/// # Errors
/// [`Kind::NotFound`] when none was made; what the catalog says.
pub fn progress(
    reader: &Reader,
    packages: Option<&dyn Packages>,
    disclosure: DisclosureId,
) -> Result<PackageState> {
    let state = PackageState::read(reader, packages, disclosure)?;
    state.ok_or_else(|| Error::new(Kind::NotFound, "no package was made for it"))
}
