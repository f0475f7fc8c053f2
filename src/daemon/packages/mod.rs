//! The thread that makes packages of disclosures, one at a time, and wipes the house's own copies when their time is over.
//!
//! It gives way to recording: it is niced, and waits while a volume is behind. What it holds of keys are those of the segments of
//! the package at hand ([`keys`]). Until everything is there nothing of a package has a name; whatever ends it before, a failed
//! job and no file is what is left, after a restart too.
//!
//! What does not belong here: whether a package may be made (`disclosure`), routes (`http`), how it is written (`evidence`).

mod footage;
mod job;
mod keys;
mod state;
mod wanted;
mod wipe;

#[cfg(test)]
mod fault_tests;

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use log::{error, warn};

use crate::base::Clock;
use crate::base::error::{Error, Kind, Result};
use crate::base::id::{BoxId, DisclosureId, StreamId, StreamKind};
use crate::catalog::{Catalog, FileRow, PackageChange};
use crate::daemon::alarms::AlarmFeed;
use crate::daemon::packages::footage::sources;
use crate::daemon::packages::job::Job;
use crate::daemon::packages::keys::JobKeys;
use crate::daemon::packages::state::Lines;
use crate::daemon::sweeper::{self, DeletionBoard};
use crate::daemon::volumes::Shared;
use crate::disclosure::packages::{Packages, Progress, Start};
use crate::evidence::keys::KeyRing;
use crate::recorder::board::Board;
use crate::recorder::segment::SealingInForce;
use crate::store::state::State;
use crate::store::volume::{PACKAGES_DIR, Volume};

/// Packages that wait or are being made, at most.
const JOBS_MAX: usize = 16;
/// How much later than recording its turn is.
const NICER: i32 = 10;
/// Whether something has to be wiped is looked at this often.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// What the thread needs. Cheap to clone.
#[derive(Clone)]
pub struct Options {
    /// The catalog.
    pub catalog: Arc<Catalog>,
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// This box.
    pub box_id: BoxId,
    /// To whom keys are wrapped.
    pub sealing: SealingInForce,
    /// What each stream is doing, and where a cut is asked for.
    pub board: Board,
    /// Whether the time of day is believed.
    pub deletion: DeletionBoard,
    /// The configuration in force.
    pub feed: AlarmFeed,
    /// The state folder, for the key that signs.
    pub state: State,
    lines: Lines,
}

/// The way to whoever makes packages, known once that runs. Cheap to clone.
pub type Way = Arc<OnceLock<Arc<dyn Packages>>>;

/// What reaches the thread.
enum Message {
    Job(Box<Job>),
    Look,
}

/// The running thread.
pub struct Packing {
    sender: SyncSender<Message>,
    lines: Lines,
    thread: JoinHandle<()>,
}

/// The way to it, for routes.
pub struct Desk {
    options: Options,
    sender: SyncSender<Message>,
}

impl Options {
    /// Of what the daemon has.
    pub fn new(shared: &Shared, deletion: &DeletionBoard, state: &State) -> Self {
        Self {
            catalog: Arc::clone(&shared.catalog),
            clock: Arc::clone(&shared.clock),
            box_id: shared.box_id,
            sealing: shared.sealing.clone(),
            board: shared.board.clone(),
            deletion: deletion.clone(),
            feed: shared.feed.clone(),
            state: state.clone(),
            lines: Lines::default(),
        }
    }

    fn volumes(&self) -> Result<Vec<Volume>> {
        sweeper::present(&self.catalog.reader()?, self.box_id)
    }

    /// Where the part of a row lies.
    fn place(&self, file: &FileRow) -> Result<PathBuf> {
        let (volume, name) = file.place.split_once('/').unwrap_or_default();
        let volumes = self.volumes()?;
        let found = volumes.iter().find(|v| v.id.to_string() == volume);
        let found = found.ok_or_else(|| {
            let text = format!(
                "the volume with part {} of the package is not there",
                file.part
            );
            Error::new(Kind::NotFound, text)
        })?;
        Ok(found.root.join(PACKAGES_DIR).join(name))
    }
}

impl Packing {
    /// Tells of jobs that a restart ended, removes what they left, and starts the thread.
    ///
    /// # Errors
    /// When the catalog cannot be written or no thread can be had.
    pub fn start(options: Options) -> Result<(Self, Arc<Desk>)> {
        interrupted(&options)?;
        let (sender, messages) = sync_channel(JOBS_MAX + 1);
        let (lines, desk) = (options.lines.clone(), options.clone());
        let thread = std::thread::Builder::new()
            .name("packages".to_owned())
            .spawn(move || run(&options, &messages))?;
        let desk = Arc::new(Desk {
            options: desk,
            sender: sender.clone(),
        });
        let packing = Self {
            sender,
            lines,
            thread,
        };
        Ok((packing, desk))
    }

    /// Stops what is being made and waits for the thread. The desk must be gone by then, or nobody uses it any more.
    pub fn stop(self) {
        self.lines.cancel_all();
        self.lines.close();
        // Full means that it is awake.
        self.sender.try_send(Message::Look).ok();
        if self.thread.join().is_err() {
            error!("the thread of packages failed");
        }
    }
}

fn run(options: &Options, messages: &Receiver<Message>) {
    // Of this thread alone. Where that is refused it gives way by waiting, as below.
    if let Err(e) = rustix::process::nice(NICER) {
        warn!("the thread of packages is not niced: {e}");
    }
    let mut is_look = true;
    while !options.lines.is_closed() {
        if is_look {
            look(options);
        }
        is_look = match messages.recv_timeout(LOOK_EVERY) {
            Ok(Message::Job(job)) => {
                job.run(options);
                true
            }
            Ok(Message::Look) | Err(RecvTimeoutError::Timeout) => true,
            Err(RecvTimeoutError::Disconnected) => return,
        };
    }
}

/// After a restart: no job is under way any more.
fn interrupted(options: &Options) -> Result<()> {
    let open = options.catalog.reader()?.open_jobs()?;
    let end = |job| job::over(options, job, Some(job::INTERRUPTED.to_owned()));
    open.iter().try_for_each(end)
}

/// Between jobs: wipes what is due, and clears up what a job left that could not end in order.
fn look(options: &Options) {
    if let Err(e) = settle(options) {
        warn!("clearing up after packages: {e}");
    }
    if let Err(e) = wipe::due(options) {
        warn!("wiping copies of packages: {e}");
    }
}

/// Ends jobs that nobody does any more: their end could not be written down when it came. What has no row goes then, and not
/// before: it is known by then that it has none.
fn settle(options: &Options) -> Result<()> {
    for job in options.catalog.reader()?.open_jobs()? {
        if !options.lines.has(job.disclosure) {
            let cause = "what became of it could not be written down when it ended";
            job::over(options, &job, Some(cause.to_owned()))?;
        }
    }
    wipe::strays(options);
    Ok(())
}

/// The streams of a package: each camera's full picture, and the small one where a copy for viewing may come from it.
fn streams(start: &Start) -> impl Iterator<Item = (StreamId, crate::base::time::Span)> {
    let kinds: &[StreamKind] = if start.order.viewing {
        &[StreamKind::Main, StreamKind::Sub]
    } else {
        &[StreamKind::Main]
    };
    let cameras = start.order.cameras.iter();
    cameras.flat_map(move |camera| {
        kinds.iter().map(move |kind| {
            let stream = StreamId {
                camera: camera.camera.clone(),
                kind: *kind,
            };
            (stream, camera.given)
        })
    })
}

impl Packages for Desk {
    fn start(&self, start: Start) -> Result<()> {
        let options = &self.options;
        if options.lines.len() >= JOBS_MAX {
            let text = "too many packages are being made; try again when some are done";
            return Err(Error::new(Kind::Full, text));
        }
        (start.check)()?;
        let reader = options.catalog.reader()?;
        let volumes = reader.volumes()?;
        let ring = KeyRing::of_opener(Arc::clone(&start.vault));
        let (mut keys, mut bytes) = (JobKeys::default(), 0);
        for (stream, span) in streams(&start) {
            let footage = options.footage(&reader, &stream, (span, start.hold))?;
            bytes += footage
                .rows
                .iter()
                .map(|row| share(row.bytes, row, span))
                .sum::<u64>();
            for source in sources(options, &volumes, &footage)? {
                keys.add(&source, &ring)?;
            }
        }
        // Better now than when it is its turn; then it is looked at again.
        job::room(options, bytes)?;
        let at = options.clock.wall();
        let queued = PackageChange::Queued {
            disclosure: start.disclosure,
            bytes_total: bytes,
            by: start.by.to_string(),
            at,
        };
        let disclosure = start.disclosure;
        let queue = || options.catalog.commit(queued, None);
        let number = options.lines.queue((disclosure, bytes), queue)?;
        let job = Message::Job(Box::new(Job::new(start, keys, number)));
        match self.sender.try_send(job) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                let e = Error::new(
                    Kind::Busy,
                    "the box is being stopped, or too many packages wait",
                );
                job::ended(
                    options,
                    disclosure,
                    &Err(Error::new(e.kind(), e.to_string())),
                );
                options.lines.remove(disclosure, number);
                Err(e)
            }
        }
    }

    fn progress(&self, disclosure: DisclosureId) -> Option<Progress> {
        let now = self.options.clock.mono();
        self.options.lines.progress(disclosure, now)
    }

    fn cancel(&self, disclosure: DisclosureId) -> bool {
        self.options.lines.cancel(disclosure)
    }

    fn place(&self, file: &FileRow) -> Result<PathBuf> {
        self.options.place(file)
    }

    fn look(&self) {
        // Full means that it is awake.
        self.sender.try_send(Message::Look).ok();
    }
}

/// About how much of a segment a span takes.
fn share(bytes: u64, row: &crate::catalog::SegmentRow, span: crate::base::time::Span) -> u64 {
    let whole = u64::try_from(row.end.us_since(row.start))
        .unwrap_or_default()
        .max(1);
    let taken = row.end.min(span.end).us_since(row.start.max(span.start));
    let taken = u64::try_from(taken).unwrap_or_default().min(whole);
    let share = u128::from(bytes) * u128::from(taken) / u128::from(whole);
    u64::try_from(share).unwrap_or(bytes)
}
