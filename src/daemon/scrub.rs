//! The threads that read footage through, one a volume: the reconciliation soon after the start and then daily, the scrub
//! once a day, at low priority. What they do is `recorder`'s; when, how fast and what is shown is decided here.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use log::{error, info, warn};

use crate::base::error::Result;
use crate::base::id::VolumeId;
use crate::base::time::Wall;
use crate::catalog::Reader;
use crate::daemon::records;
use crate::daemon::volumes::Shared;
use crate::recorder::reconcile::{self, Reconcile};
use crate::recorder::scrub::{Pace, Scrub};
use crate::store::scrub::{Mark, VolumeMark};
use crate::store::volume::Volume;

/// Bytes that the scrub reads a second of each volume: 1.8 TB a day.
pub const BYTES_A_SECOND: u64 = 20 << 20;
/// After the start recording comes first for so long.
const FIRST_AFTER: Duration = Duration::from_secs(60);
/// Whether something is due is looked at this often.
const LOOK_EVERY: Duration = Duration::from_secs(600);
/// A pass is begun, and files and rows are compared, this often.
const EVERY_US: i64 = 86_400_000_000;
/// Between two days of a stream the disk is everybody else's for so long.
const BETWEEN_DAYS: Duration = Duration::from_millis(20);
/// Steps of niceness: everything else comes first.
const NICER: i32 = 15;

enum Wake {
    Now,
    Stop,
}

/// What is known of the scrub, and the way to its threads. Cheap to clone.
#[derive(Clone)]
pub struct Handle(Arc<Inner>);

struct Inner {
    dir: PathBuf,
    mark: Mutex<Mark>,
    wakers: Mutex<Vec<SyncSender<Wake>>>,
}

impl Handle {
    /// Reads the mark in the state folder `dir`.
    pub fn new(dir: &Path) -> Self {
        Self(Arc::new(Inner {
            dir: dir.to_owned(),
            mark: Mutex::new(Mark::read(dir)),
            wakers: Mutex::default(),
        }))
    }

    /// How far it has come.
    pub fn mark(&self) -> Mark {
        self.0
            .mark
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Begins now, or goes on with what is under way. The number of volumes.
    pub fn begin(&self) -> usize {
        let wakers = self.0.wakers.lock().unwrap_or_else(PoisonError::into_inner);
        for waker in wakers.iter() {
            // Full means that it is awake.
            waker.try_send(Wake::Now).ok();
        }
        wakers.len()
    }

    fn volume(&self, volume: VolumeId) -> VolumeMark {
        self.mark().volumes.remove(&volume).unwrap_or_default()
    }

    fn save(&self, volume: VolumeId, mark: &VolumeMark) {
        let mut all = self.0.mark.lock().unwrap_or_else(PoisonError::into_inner);
        all.volumes.insert(volume, mark.clone());
        if let Err(e) = all.write(&self.0.dir) {
            warn!("how far the scrub has come is not kept: {e}");
        }
    }
}

/// The running threads.
#[derive(Default)]
pub struct Scrubbing(Vec<(SyncSender<Wake>, JoinHandle<()>)>);

impl Scrubbing {
    /// Starts the thread of a volume.
    ///
    /// # Errors
    /// When the catalog cannot be read or no thread can be had.
    pub fn start(&mut self, volume: Volume, shared: &Arc<Shared>) -> Result<()> {
        let (waker, woken) = sync_channel(4);
        let work = Work {
            reader: shared.catalog.reader()?,
            shared: Arc::clone(shared),
            volume,
            woken,
        };
        let thread = std::thread::Builder::new()
            .name(format!("scrub {}", work.volume.name))
            .spawn(move || work.run())?;
        let handle = &shared.scrub.0;
        let mut wakers = handle.wakers.lock().unwrap_or_else(PoisonError::into_inner);
        wakers.push(waker.clone());
        self.0.push((waker, thread));
        Ok(())
    }

    /// Tells them to stop; they do so at the next read.
    pub fn stop(&self) {
        for (waker, _) in &self.0 {
            // Never full for long, and an end of the channel is an end too.
            waker.send(Wake::Stop).ok();
        }
    }

    /// Waits until they have stopped.
    pub fn finish(self) {
        self.stop();
        for (_, thread) in self.0 {
            if thread.join().is_err() {
                error!("a scrub's thread failed");
            }
        }
    }
}

struct Work {
    shared: Arc<Shared>,
    reader: Reader,
    volume: Volume,
    woken: Receiver<Wake>,
}

impl Work {
    fn run(self) {
        // Of this thread alone, on Linux.
        rustix::process::nice(NICER).ok();
        let (mut is_first, mut wait) = (true, FIRST_AFTER);
        loop {
            let is_asked = match self.woken.recv_timeout(wait) {
                Ok(Wake::Now) => true,
                Err(RecvTimeoutError::Timeout) => false,
                Ok(Wake::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            };
            match self.turn(is_asked, is_first) {
                Ok(true) => {}
                Ok(false) => return,
                Err(e) => error!("reading volume \"{}\" through: {e}", self.volume.name),
            }
            (is_first, wait) = (false, LOOK_EVERY);
        }
    }

    /// What is due; false when it is to stop.
    fn turn(&self, is_asked: bool, is_first: bool) -> Result<bool> {
        let handle = &self.shared.scrub;
        let clock = &*self.shared.clock;
        let is_due = |last: Option<Wall>| {
            last.is_none_or(|last| clock.wall().us_since(last).abs() >= EVERY_US)
        };
        let mut mark = handle.volume(self.volume.id);
        mark.name.clone_from(&self.volume.name);
        if is_asked || is_first || is_due(mark.reconciled) {
            let work = Reconcile {
                catalog: &self.shared.catalog,
                reader: &self.reader,
                volume: &self.volume,
                box_id: self.shared.box_id,
                clock,
            };
            let report = work.run(&mut || self.wait(BETWEEN_DAYS))?;
            if report.stopped {
                return Ok(false);
            }
            reconciled(&mut mark, &report, clock.wall());
            if let Some(config) = self.shared.feed.config() {
                records::over_age(&self.shared, &config, &self.reader, &self.volume, &mut mark)?;
            }
            handle.save(self.volume.id, &mark);
        }
        if !(is_asked || mark.is_under_way() || is_due(mark.begun)) {
            return Ok(true);
        }
        let wait = |time| self.wait(time);
        let pace = Pace::new(clock, BYTES_A_SECOND, &wait);
        let work = Scrub {
            catalog: &self.shared.catalog,
            reader: &self.reader,
            volume: &self.volume,
            clock,
            pace: &pace,
        };
        let ended = work.run(&mut mark, &mut |mark| handle.save(self.volume.id, mark))?;
        if ended {
            info!(
                "volume \"{}\" was read through: {} segments, {} damaged",
                self.volume.name,
                mark.segments,
                mark.damaged.len()
            );
        }
        Ok(ended)
    }

    /// Waits for so long; false when it is to stop.
    fn wait(&self, time: Duration) -> bool {
        match self.woken.recv_timeout(time) {
            // It is under way already.
            Ok(Wake::Now) | Err(RecvTimeoutError::Timeout) => true,
            Ok(Wake::Stop) | Err(RecvTimeoutError::Disconnected) => false,
        }
    }
}

/// Notes what a reconciliation found.
pub fn reconciled(mark: &mut VolumeMark, report: &reconcile::Report, now: Wall) {
    mark.reconciled = Some(now);
    mark.missing = report.missing.len() as u64;
    mark.strangers = report.strangers.len() as u64;
}
