//! `sinetti export --package`: clips together with everything that somebody needs who wants to check them without us.

use std::path::Path;
use std::time::Duration;

use crate::base::clock::{self, SystemClock};
use crate::base::disk;
use crate::base::error::{Error, Kind, Result};
use crate::base::id::StreamId;
use crate::base::time::Mono;
use crate::catalog::Reader;
use crate::cmd::act::Begun;
use crate::config::Loaded;
use crate::daemon::answer::{Ask, Footage};
use crate::daemon::control::Client;
use crate::evidence::package::make::{self, About, Wanted};
use crate::evidence::package::manifest::Absent;
use crate::evidence::package::shelf::FolderShelf;
use crate::evidence::select::{Extent, Selection};
use crate::recorder::cut::{self, CUT_MAX};
use crate::store::state::State;

/// Mode of the folder: what is in it are clear pictures of people.
const DIR_MODE: u32 = 0o700;
/// How often is looked whether a segment is closed, or a checkpoint signed.
const LOOK: Duration = Duration::from_millis(250);
/// Longest wait for a checkpoint: it is at most a second behind.
const SIGNED_MAX: Duration = Duration::from_secs(15);

/// Refuses a folder that has something in it.
///
/// # Errors
/// `Exists`.
pub(super) fn check_dir(dir: &Path) -> Result<()> {
    if std::fs::read_dir(dir).map_or(0, Iterator::count) > 0 || dir.is_file() {
        let text = format!(
            "{} is there and not empty; give a new folder",
            dir.display()
        );
        return Err(Error::new(Kind::Exists, text));
    }
    Ok(())
}

/// True while something of the segment that is being written is wanted: it cannot be proved before it is closed.
pub(super) fn is_open(selection: &Selection) -> bool {
    let mut pieces = selection.stretches.iter().flat_map(|s| &s.pieces);
    pieces.any(|p| matches!(p.source.source.extent, Extent::Growing(_)))
}

/// Waits for the segment that is being written to end.
#[derive(Default)]
pub(super) struct Cut {
    asked: Option<Mono>,
}

impl Cut {
    /// Asks for the cut the first time, and waits a little.
    ///
    /// # Errors
    /// [`Kind::Unavailable`] when no key frame comes in time.
    pub(super) fn wait(&mut self, client: &mut Client, stream: &StreamId) -> Result<()> {
        let now = SystemClock::shared().mono();
        if self.asked.is_none() {
            let streams = vec![stream.clone()];
            client.ask(&Ask::Cut { streams })?;
        }
        let since = *self.asked.get_or_insert(now);
        if now.since(since) > CUT_MAX {
            return Err(cut::late(stream));
        }
        clock::pause(LOOK);
        Ok(())
    }
}

/// What is to be packed.
pub(super) struct Job<'a> {
    pub(super) dir: &'a Path,
    pub(super) wanted: Wanted,
    pub(super) purpose: &'a str,
}

/// What of a stream is wanted.
pub(super) fn wanted(
    stream: &StreamId,
    loaded: &Loaded,
    asked: crate::base::time::Span,
    (footage, selection): (&Footage, Selection),
) -> Wanted {
    let camera = loaded.config.camera(&stream.camera);
    Wanted {
        stream: stream.clone(),
        name: camera.map_or_else(|| stream.camera.to_string(), |c| c.name.clone()),
        asked,
        given: None,
        viewing: false,
        copied: false,
        absent: Absent::of(&footage.coverage),
        rows: footage.segments.clone(),
        selection,
    }
}

/// Makes the package; `told` writes the outcome into the ledger, with the manifest's hash and the number of pictures, and
/// gives the entry's number.
///
/// # Errors
/// What unsealing, signing and writing say.
pub(super) fn make(
    client: &mut Client,
    (state, loaded): (&State, &Loaded),
    job: Job<'_>,
    begun: &Begun,
    told: impl FnOnce(&mut Client, &make::Prepared<FolderShelf>) -> Result<Option<u64>>,
) -> Result<()> {
    client.ask(&Ask::Seal)?;
    let signer = state.signer()?;
    let reader = Reader::open(&state.existing_catalog()?, state.box_id)?;
    let epoch = reader.epochs()?.last().map(|epoch| epoch.number);
    let about = About {
        box_id: state.box_id,
        epoch: epoch.ok_or_else(|| Error::new(Kind::NotFound, "nothing is signed yet"))?,
        site: loaded.config.site.name.clone(),
        zone: loaded.config.site.zone,
        configuration: loaded.digest,
        purpose: job.purpose.to_owned(),
        intent: begun.intent(),
        disclosure: None,
        made: SystemClock::shared().wall(),
    };
    disk::create_dir_all(job.dir, DIR_MODE)?;
    let shelf = FolderShelf::new(job.dir);
    let keys = (&begun.keys, &signer);
    let prepared = make::prepare(shelf, about, vec![job.wanted], keys, None)?;
    let seq = told(client, &prepared)?
        .ok_or_else(|| Error::new(Kind::Internal, "an entry without a number"))?;
    let clock = SystemClock::shared();
    let since = clock.mono();
    while let Err(e) = reader.inclusion(seq) {
        if e.kind() != Kind::NotFound || clock.mono().since(since) > SIGNED_MAX {
            return Err(e);
        }
        clock::pause(LOOK);
    }
    prepared
        .finish(&reader, seq, keys, &make::no_papers)?
        .finish()
}
