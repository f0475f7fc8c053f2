//! The keeper of one volume: a thread that makes durable what the writer wrote, and only then lets the catalog
//! promise it.
//!
//! A closed segment: sync, rename, sync the folder, *then* the row. Jobs are done in the order in which they were
//! given, so that a gap's end never overtakes its beginning.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use log::{error, warn};

use crate::base::Clock;
use crate::base::disk::{self, Syncer};
use crate::base::error::{Error, Kind, Result};
use crate::base::id::StreamId;
use crate::base::time::{Mono, Span};
use crate::catalog::{Catalog, Change, Event, GapCause, SampleEntryRow, SegmentRow};
use crate::media::access_unit::SampleEntry;
use crate::recorder::board::Board;
use crate::recorder::fragment::Done;
use crate::store::volume::Volume;

/// Commits that wait for a catalog that cannot be written.
const WAITING_COMMITS_MAX: usize = 20_000;
/// A trouble that lasts is logged again after so long.
const TELL_AGAIN: Duration = Duration::from_secs(600);
/// A sync that takes longer than this is worth a line in the log.
const SLOW_SYNC: Duration = Duration::from_secs(5);

/// A segment being written, as the keeper and readers see it.
#[derive(Debug)]
pub struct Open {
    syncer: Syncer,
    dir: PathBuf,
    written: AtomicU64,
    durable: AtomicU64,
    /// A sync failed, and how: what is on disk is not known, and a later sync that succeeds proves nothing.
    doubt: OnceLock<String>,
}

impl Open {
    /// In the folder `dir`. Nothing is known to be durable yet.
    pub fn new(syncer: Syncer, dir: PathBuf) -> Self {
        Self {
            syncer,
            dir,
            written: AtomicU64::new(0),
            durable: AtomicU64::new(0),
            doubt: OnceLock::new(),
        }
    }

    /// How a sync failed; then the segment can never be confirmed.
    pub fn doubt(&self) -> Option<&str> {
        self.doubt.get().map(String::as_str)
    }

    fn doubtful(&self, e: &Error) {
        // The first is the one to tell.
        self.doubt.set(e.to_string()).ok();
    }

    /// Makes what is written durable. After one failure it always fails.
    fn sync(&self) -> Result<()> {
        let written = self.written.load(Ordering::Acquire);
        let synced = self.syncer.sync();
        self.synced(written, &synced);
        synced?;
        match self.doubt() {
            Some(why) => Err(Error::new(Kind::Io, format!("it failed before: {why}"))),
            None => Ok(()),
        }
    }

    /// Notes how a sync went that began when so many bytes were written.
    fn synced(&self, written: u64, result: &Result<()>) {
        match result {
            Ok(()) if self.doubt().is_none() => {
                self.durable.store(written, Ordering::Release);
            }
            Ok(()) => {}
            Err(e) => self.doubtful(e),
        }
    }

    /// The file is whole up to `bytes`.
    pub fn written(&self, bytes: u64) {
        self.written.store(bytes, Ordering::Release);
    }

    /// The file is durable up to so many bytes.
    pub fn durable(&self) -> u64 {
        self.durable.load(Ordering::Acquire)
    }
}

/// A segment to be closed.
#[derive(Debug)]
pub struct Closing {
    /// Its name so far.
    pub from: PathBuf,
    /// Its name from now on.
    pub to: PathBuf,
    /// Its row.
    pub row: Box<SegmentRow>,
    /// How it is decoded.
    pub entry: Arc<SampleEntry>,
    /// Activity by second since 1970.
    pub activity: Vec<(i64, u8)>,
    /// What is committed together with the row.
    pub after: Vec<Change>,
    /// The event that goes with them.
    pub event: Option<Event>,
    /// What is synced.
    pub open: Arc<Open>,
}

/// What a keeper is told.
pub enum Job {
    /// A segment was begun: sync it from now on.
    Opened(Arc<Open>),
    /// A segment is complete.
    Close(Box<Closing>),
    /// A segment cannot be completed; it stays as it is for recovery.
    Abandoned(Arc<Open>),
    /// Called when everything told before is in the catalog, or waits since the catalog refuses it.
    Barrier(Done),
    /// Rows without a file.
    Commit {
        /// The rows.
        changes: Vec<Change>,
        /// The event that goes with them.
        event: Option<Event>,
    },
}

/// What a keeper needs to know.
pub struct Options {
    /// Its volume.
    pub volume: Volume,
    /// Nothing else lies on the file system: it is synced as a whole.
    pub dedicated: bool,
    /// How often, in seconds.
    pub sync_secs: u32,
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// Where it shows what it does.
    pub board: Board,
}

/// The way to a keeper.
pub struct Keeper {
    sender: Sender<Job>,
    thread: JoinHandle<()>,
}

impl Keeper {
    /// Starts the thread.
    ///
    /// # Errors
    /// When no thread can be had.
    pub fn start(options: Options, catalog: Arc<Catalog>) -> Result<Self> {
        let (sender, receiver) = channel();
        let name = format!("keep {}", options.volume.name);
        let thread = std::thread::Builder::new().name(name).spawn(move || {
            Work {
                options,
                rows: Rows::new(catalog),
                open: Vec::new(),
                synced_at: Mono::default(),
                told: None,
            }
            .run(&receiver);
        })?;
        Ok(Self { sender, thread })
    }

    /// Gives a job.
    pub fn tell(&self, job: Job) {
        // The thread ends only after this end of the channel.
        self.sender.send(job).ok();
    }

    /// Waits until every job is done and every row is committed.
    ///
    /// # Errors
    /// When the thread failed.
    pub fn finish(self) -> Result<()> {
        drop(self.sender);
        self.thread
            .join()
            .map_err(|_| Error::new(Kind::Internal, "the keeper's thread failed"))
    }
}

struct Work {
    options: Options,
    rows: Rows,
    open: Vec<Arc<Open>>,
    synced_at: Mono,
    /// What was last logged of the disk, and when.
    told: Option<(String, Mono)>,
}

impl Work {
    fn run(mut self, jobs: &Receiver<Job>) {
        let every = Duration::from_secs(u64::from(self.options.sync_secs));
        self.synced_at = self.options.clock.mono();
        self.pulse(self.synced_at);
        loop {
            let passed = self.options.clock.mono().since(self.synced_at);
            match jobs.recv_timeout(every.saturating_sub(passed)) {
                Ok(job) => self.work(job),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if self.options.clock.mono().since(self.synced_at) >= every {
                self.sync();
                self.rows.retry();
                self.synced_at = self.options.clock.mono();
            }
        }
        self.rows.finish();
    }

    fn pulse(&self, synced: Mono) {
        let name = &self.options.volume.name;
        self.options.board.pulses.synced(name, synced);
    }

    fn work(&mut self, job: Job) {
        match job {
            Job::Opened(open) => {
                // The new name must survive a power cut as the bytes do.
                if let Err(e) = disk::sync_dir(&open.dir) {
                    open.doubtful(&e);
                    self.tell(&e);
                }
                self.open.push(open);
            }
            Job::Abandoned(open) => self.forget(&open),
            Job::Commit { changes, event } => self.rows.commit(changes, event),
            Job::Barrier(done) => {
                self.rows.settle();
                done.call();
            }
            Job::Close(closing) => {
                self.forget(&closing.open);
                let path = closing.from.clone();
                if let Err(e) = self.close(*closing) {
                    // No row: the promise cannot be made. Recovery looks at what is really there.
                    error!("closing {}: {e}", path.display());
                }
            }
        }
    }

    /// Logs what a disk refuses, once, and again only after a while: the streams' own troubles say the rest.
    fn tell(&mut self, e: &Error) {
        let (now, text) = (self.options.clock.mono(), e.to_string());
        let is_known = self
            .told
            .as_ref()
            .is_some_and(|(before, at)| *before == text && now.since(*at) < TELL_AGAIN);
        if !is_known {
            error!("{text}");
            self.told = Some((text, now));
        }
    }

    fn forget(&mut self, open: &Arc<Open>) {
        self.open.retain(|o| !Arc::ptr_eq(o, open));
    }

    fn close(&mut self, closing: Closing) -> Result<()> {
        let Closing {
            from,
            to,
            row,
            entry,
            activity,
            mut after,
            event,
            open,
        } = closing;
        let stream = row.stream.clone();
        let span = row.span();
        let closed = open
            .sync()
            .and_then(|()| disk::rename(&from, &to))
            .and_then(|()| to.parent().map_or(Ok(()), disk::sync_dir));
        let mut changes = Vec::with_capacity(after.len() + 2);
        if closed.is_ok() {
            changes.push(Change::SampleEntrySeen(Box::new(SampleEntryRow::from(
                &*entry,
            ))));
            changes.push(Change::SegmentClosed(row));
            changes.extend(activity_changes(&stream, &activity));
            self.options
                .board
                .update(&stream, |line| line.segments += 1);
        } else {
            // Time is recorded or a gap. When recovery finds the footage after all, the recording wins.
            changes.push(unconfirmed(stream, span));
        }
        changes.append(&mut after);
        if !changes.is_empty() {
            self.rows.commit(changes, event);
        }
        closed
    }

    fn sync(&mut self) {
        let began = self.options.clock.mono();
        if self.open.is_empty() {
            // Nothing is owed: what is closed was synced by itself.
        } else if self.options.dedicated {
            let lengths: Vec<_> = self
                .open
                .iter()
                .map(|o| o.written.load(Ordering::Acquire))
                .collect();
            let synced = disk::sync_file_system(&self.options.volume.root);
            for (open, written) in self.open.iter().zip(lengths) {
                open.synced(written, &synced);
            }
            if let Err(e) = synced {
                self.tell(&e);
            }
        } else {
            for open in self.open.clone() {
                let is_dirty = open.written.load(Ordering::Acquire) != open.durable();
                if is_dirty && let Err(e) = open.sync() {
                    self.tell(&e);
                }
            }
        }
        self.pulse(began);
        let took = self.options.clock.mono().since(began);
        if took > SLOW_SYNC {
            warn!(
                "volume \"{}\" took {:.1} s to sync; a power cut loses that much more",
                self.options.volume.name,
                took.as_secs_f64()
            );
        }
    }
}

/// The gap that stands for a segment of which it is not known what reached the disk.
pub fn unconfirmed(stream: StreamId, span: Span) -> Change {
    let detail = "the disk did not confirm the segment; the next start looks at what is there";
    Change::GapRecorded {
        stream,
        span,
        cause: GapCause::WriteError,
        detail: Some(detail.to_owned()),
    }
}

/// Activity as one change for each UTC hour that it touches.
fn activity_changes(stream: &StreamId, seconds: &[(i64, u8)]) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    let mut at = 0;
    while let Some((first, _)) = seconds.get(at) {
        let hour = first.div_euclid(3600);
        // Seconds that follow each other within the hour.
        let run = seconds[at..]
            .iter()
            .zip(*first..)
            .take_while(|((second, _), expected)| {
                second == expected && second.div_euclid(3600) == hour
            })
            .count();
        changes.push(Change::Activity {
            stream: stream.clone(),
            hour_start: crate::base::time::Wall::from_secs(hour * 3600),
            from_second: u16::try_from(first.rem_euclid(3600)).unwrap_or_default(),
            values: seconds[at..at + run]
                .iter()
                .map(|(_, value)| *value)
                .collect(),
        });
        at += run.max(1);
    }
    changes
}

/// An error that may pass by itself.
fn is_passing(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Io | Kind::Full | Kind::Busy | Kind::Unavailable | Kind::Denied
    )
}

type Waiting = VecDeque<(Vec<Change>, Option<Event>)>;

/// The way to the catalog. What it refuses waits, in order, and is tried again.
struct Rows {
    catalog: Arc<Catalog>,
    refused: Arc<Mutex<Waiting>>,
    /// It was logged that the catalog goes on refusing, or that no more can wait.
    said: (bool, bool),
}

impl Rows {
    fn new(catalog: Arc<Catalog>) -> Self {
        Self {
            catalog,
            refused: Arc::default(),
            said: (false, false),
        }
    }

    fn commit(&mut self, changes: Vec<Change>, event: Option<Event>) {
        {
            let refused = Arc::clone(&self.refused);
            let mut refused = refused.lock().unwrap_or_else(PoisonError::into_inner);
            if !refused.is_empty() {
                // Order matters: behind those that wait.
                if refused.len() < WAITING_COMMITS_MAX {
                    refused.push_back((changes, event));
                } else if !std::mem::replace(&mut self.said.1, true) {
                    error!(
                        "too many rows wait for the catalog; the next are adopted from the volume, by the next start or the \
                         daily comparison"
                    );
                }
                return;
            }
        }
        let waiting = Arc::clone(&self.refused);
        let kept = (changes.clone(), event.clone());
        self.catalog.commit_later(
            changes,
            event,
            Box::new(move |result| {
                if let Err(e) = result {
                    error!("the catalog refused rows, they wait: {e}");
                    waiting
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push_back(kept);
                }
            }),
        );
    }

    fn retry(&mut self) {
        loop {
            let Some((changes, event)) = self.lock().front().cloned() else {
                return;
            };
            match self.catalog.commit(changes.clone(), event) {
                Ok(()) => {}
                // After a failed commit the rows may turn out to be there.
                Err(e) if e.kind() == Kind::Exists && self.knows(&changes) => {}
                Err(e) if is_passing(e.kind()) => {
                    if !std::mem::replace(&mut self.said.0, true) {
                        warn!(
                            "the catalog goes on refusing rows; they are tried again and again: {e}"
                        );
                    }
                    return;
                }
                // It will never be taken, and must not stand before all that follow. The footage is on the volume.
                Err(e) => error!(
                    "rows are given up, the next start or the daily comparison adopts the footage: {e}"
                ),
            }
            self.said = (false, false);
            self.lock().pop_front();
        }
    }

    /// True when the catalog has every segment of `changes`.
    fn knows(&self, changes: &[Change]) -> bool {
        let Ok(reader) = self.catalog.reader() else {
            return false;
        };
        changes.iter().all(|change| match change {
            Change::SegmentClosed(row) => {
                matches!(reader.segment_by_uuid(row.segment), Ok(Some(_)))
            }
            _ => true,
        })
    }

    /// Waits for what is under way, then gives what was refused another chance.
    fn settle(&mut self) {
        if let Err(e) = self.catalog.commit(Vec::new(), None) {
            error!("{e}");
        }
        self.retry();
    }

    fn finish(mut self) {
        self.settle();
        let left = self.lock().len();
        if left > 0 {
            error!(
                "{left} commits could not be written; their segments are adopted at the next start"
            );
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
