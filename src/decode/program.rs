//! Where `sinetti-codec` lies, how it is started, and how many of it run at a time.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::base::error::{Context, Error, Kind, Result};
use crate::decode::talk::Talk;
use crate::decode::wire::{Job, ToCodec};
use crate::media::access_unit::SampleEntry;

/// File name of the program, beside that of the recorder.
const NAME: &str = "sinetti-codec";
/// Most of it at a time, in one process of ours.
const RUNNING_MAX: usize = 2;
/// Longest wait for one to end.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// What it may take before it is killed. Memory and processor time it bounds for itself, before it reads a byte.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Without a byte in either direction.
    pub silence: Duration,
    /// In all.
    pub time: Duration,
    /// Bytes that it is given.
    pub bytes_in: u64,
    /// Bytes that it gives.
    pub bytes_out: u64,
}

impl Bounds {
    /// For one picture: a group of pictures in, one out.
    pub const STILL: Self = Self {
        silence: Duration::from_secs(20),
        time: Duration::from_secs(40),
        bytes_in: 512 << 20,
        // Pixels of the largest picture, and what stands around them.
        bytes_out: 3 * crate::decode::wire::PIXELS_MAX as u64 + (1 << 20),
    };
    /// For a viewing copy: hours of it.
    pub const VIEW: Self = Self {
        silence: Duration::from_secs(60),
        time: Duration::from_secs(24 * 3600),
        bytes_in: 1 << 40,
        bytes_out: 1 << 40,
    };
}

/// The program. Clones share how many may run.
#[derive(Clone, Debug)]
pub struct Program {
    path: PathBuf,
    bounds: Option<Bounds>,
    running: Arc<Running>,
}

#[derive(Debug, Default)]
struct Running {
    count: Mutex<usize>,
    ended: Condvar,
}

/// A place among those that run.
#[derive(Debug)]
pub(super) struct Place(Arc<Running>);

impl Program {
    /// At this path.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            bounds: None,
            running: Arc::default(),
        }
    }

    /// Beside the program that is running now, from where both are installed.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn beside() -> Result<Self> {
        let own = std::env::current_exe().context(|| "finding the own program")?;
        Ok(Self::at(own.with_file_name(NAME)))
    }

    /// The same within other bounds than those of its job.
    #[must_use]
    pub fn within(mut self, bounds: Bounds) -> Self {
        self.bounds = Some(bounds);
        self
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it starts and can lock itself in; nothing is decoded.
    ///
    /// # Errors
    /// As for a job.
    pub fn check(&self) -> Result<()> {
        self.locked_in(Job::View).map(drop)
    }

    /// Starts it with a job.
    ///
    /// # Errors
    /// [`Kind::Busy`] when too many run; [`Kind::Unavailable`] when it is not installed, cannot lock itself in, or is of
    /// another version.
    pub(super) fn start(&self, job: Job, entry: &SampleEntry) -> Result<Talk> {
        let mut talk = self.locked_in(job)?;
        talk.send(&ToCodec::Job(job))?;
        talk.send(&ToCodec::Entry(entry.entry.clone()))?;
        Ok(talk)
    }

    /// Starts it for a job, and waits until it has locked itself in.
    fn locked_in(&self, job: Job) -> Result<Talk> {
        let bounds = self.bounds.unwrap_or(match job {
            Job::Still(_) => Bounds::STILL,
            Job::View => Bounds::VIEW,
        });
        let place = self.place()?;
        let child = Command::new(&self.path)
            .arg(match job {
                Job::Still(_) => "still",
                Job::View => "view",
            })
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(Error::from)
            .map_err(|e| match e.kind() {
                // It is not what was asked for that is missing.
                Kind::NotFound => e
                    .as_kind(Kind::Unavailable)
                    .attempted("it is not installed beside the recorder"),
                _ => e,
            })
            .context(|| format!("starting {}", self.path.display()))?;
        let mut talk = Talk::with(child, place, bounds)?;
        talk.ready()?;
        Ok(talk)
    }

    fn place(&self) -> Result<Place> {
        let running = &self.running;
        let full = |count: &mut usize| *count >= RUNNING_MAX;
        let (mut count, waited) = running
            .ended
            .wait_timeout_while(running.lock(), WAIT_MAX, full)
            .unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() && full(&mut count) {
            let text = "other pictures are being decoded; try again in a moment";
            return Err(Error::new(Kind::Busy, text));
        }
        *count += 1;
        Ok(Place(Arc::clone(running)))
    }
}

impl Running {
    fn lock(&self) -> MutexGuard<'_, usize> {
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        *self.0.lock() -= 1;
        self.0.ended.notify_one();
    }
}
