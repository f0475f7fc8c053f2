//! What disclosures want of whoever makes packages: the recorder's thread. Asked alike by routes and by commands.
//!
//! What does not belong here: how a package is made (`evidence`), what may be put into it (`prepare`), what is asked for when (`making`).

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::base::error::Result;
use crate::base::hash::Digest;
use crate::base::id::{DisclosureId, HoldId, PersonId};
use crate::base::time::Wall;
use crate::catalog::{Change, Event, FileRow, Reader};
use crate::evidence::package::make::Anchor;
use crate::evidence::package::order::Order;
use crate::vault::opener::Opener;

/// Says whether a package may still be made: asked again right before the first byte, and between pieces.
pub type Check = Arc<dyn Fn() -> Result<()> + Send + Sync>;

/// The entry in the ledger of a disclosure whose manifest has this hash.
pub type Proved = Box<dyn Fn(Digest) -> Result<Event> + Send>;

/// The step of a disclosure whose manifest has this hash, which stands in the entry with this number.
pub type Step = Box<dyn Fn(Digest, u64) -> Result<Change> + Send>;

/// Makes files besides, by name, of what is known when everything else is made.
pub type Papers = Box<dyn Fn(&Anchor<'_>) -> Result<Vec<(String, Vec<u8>)>> + Send>;

/// A package that is to be made.
pub struct Start {
    /// For which disclosure.
    pub disclosure: DisclosureId,
    /// What it is to hold.
    pub order: Order,
    /// The disclosure's own hold: for its case footage is read.
    pub hold: HoldId,
    /// Who wants it.
    pub by: PersonId,
    /// The person's vault. The keys of the package's segments are opened at once, and nothing else of it is kept.
    pub vault: Arc<dyn Opener>,
    /// Whether it may still be made.
    pub check: Check,
    /// The entry with the manifest's hash, which the package proves.
    pub proved: Proved,
    /// The step to `prepared`, when the package is whole.
    pub prepared: Step,
    /// Makes the papers that go with it.
    pub papers: Papers,
}

/// How far a package is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    /// What is done.
    pub phase: &'static str,
    /// So many bytes are made.
    pub bytes_done: u64,
    /// Of about so many.
    pub bytes_total: u64,
    /// How long it will take, as far as that can be told.
    pub left: Option<Duration>,
}

/// How far the last package of a disclosure is, or what became of it.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct PackageState {
    /// `queued`, `running`, `done`, `failed`, `cancelled`.
    pub state: String,
    /// What it does, or did last.
    pub phase: String,
    /// So many bytes are made.
    pub bytes_done: u64,
    /// Of about so many.
    pub bytes_total: u64,
    /// How many seconds it will take, as far as that can be told.
    pub seconds_left: Option<u64>,
    /// Why it failed; `interrupted`: the box was restarted meanwhile.
    pub cause: Option<String>,
    /// Who began it: a person's id.
    pub by: String,
    /// When.
    pub begun: Wall,
    /// When it was over.
    pub ended: Option<Wall>,
    /// The parts of the one that was whole last.
    pub parts: Vec<PartState>,
}

/// A part of a package.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct PartState {
    /// Its number, from 1.
    pub part: u32,
    /// What it is called.
    pub name: String,
    /// Its bytes.
    pub bytes: u64,
    /// SHA-256 of it, 64 hexadecimal digits.
    pub sha256: String,
    /// When the box's own copy was wiped.
    pub wiped: Option<Wall>,
}

impl PackageState {
    /// Of the last package that was begun for `disclosure`; none when none was.
    ///
    /// # Errors
    /// What the catalog says.
    pub fn read(
        reader: &Reader,
        packages: Option<&dyn Packages>,
        disclosure: DisclosureId,
    ) -> Result<Option<Self>> {
        let Some(job) = reader.last_job(disclosure)? else {
            return Ok(None);
        };
        let live = packages.filter(|_| job.ended.is_none());
        let live = live.and_then(|packages| packages.progress(disclosure));
        let made = reader.last_made(disclosure)?;
        let is_of = |file: &FileRow| made.as_ref().is_some_and(|made| made.job == file.job);
        let files = reader.package_files(disclosure)?.into_iter();
        let parts = files.filter(is_of).map(|file| PartState {
            part: file.part,
            name: file.name,
            bytes: file.bytes,
            sha256: file.sha256.to_string(),
            wiped: file.wiped,
        });
        Ok(Some(Self {
            parts: parts.collect(),
            state: job.state.to_string(),
            phase: live.map_or(job.phase, |live| live.phase.to_owned()),
            bytes_done: live.map_or(job.bytes_done, |live| live.bytes_done),
            bytes_total: live.map_or(job.bytes_total, |live| live.bytes_total),
            seconds_left: live.and_then(|live| live.left).map(|left| left.as_secs()),
            cause: job.cause,
            by: job.by,
            begun: job.begun,
            ended: job.ended,
        }))
    }
}

/// Makes packages.
pub trait Packages: Send + Sync {
    /// Opens the keys and queues the job. Blocks.
    ///
    /// # Errors
    /// `Exists` when one is under way for the disclosure; `Full` when too many wait or no volume has room; `NotFound` when
    /// nothing of it is there; what opening keys says.
    fn start(&self, start: Start) -> Result<()>;

    /// How far the package of a disclosure is; none when none is being made.
    fn progress(&self, disclosure: DisclosureId) -> Option<Progress>;

    /// Stops it; false when none is being made.
    fn cancel(&self, disclosure: DisclosureId) -> bool;

    /// Where a sealed part lies.
    ///
    /// # Errors
    /// `NotFound` when its volume is not there.
    fn place(&self, file: &FileRow) -> Result<PathBuf>;

    /// Something may have to be wiped now.
    fn look(&self);
}
