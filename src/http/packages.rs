//! What the routes of packages want of the daemon, which makes them. Routes are in `api::packages`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::base::error::Result;
use crate::base::hash::Digest;
use crate::base::id::{DisclosureId, HoldId, PersonId};
use crate::catalog::{Change, Event, FileRow};
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

/// Makes packages.
pub trait Packages: Send + Sync {
    /// Opens the keys and queues the job. Blocks.
    ///
    /// # Errors
    /// `Exists` when one is under way for the disclosure; `Full` when too many wait or no volume has room; `NotFound` when nothing of it is there;
    /// what opening keys says.
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
