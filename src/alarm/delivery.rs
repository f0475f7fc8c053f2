//! Tells alarms to a target: one short connection a message, bounded queue, bounded tries.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use log::{error, info, warn};

use crate::alarm::message::{Message, Sender, json_of};
use crate::alarm::{mail, smtp, webhook};
use crate::base::Clock;
use crate::base::error::{Context, Kind, Result};
use crate::base::time::{Mono, Wall};
use crate::config::{Mail, Webhook};

/// Messages that may wait; the next is given up.
const QUEUE_MAX: usize = 256;
/// A message is tried so often, with these pauses before the tries after the first.
const PAUSES: [Duration; 4] = [
    Duration::from_secs(2),
    Duration::from_secs(10),
    Duration::from_secs(30),
    Duration::from_secs(60),
];

/// Where messages go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    /// Posted as JSON.
    Webhook(Webhook),
    /// Sent as mail.
    Mail(Mail),
}

impl Target {
    fn address(&self) -> SocketAddr {
        match self {
            Self::Webhook(webhook) => webhook.address,
            Self::Mail(mail) => mail.address,
        }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let what = match self {
            Self::Webhook(_) => "alarm target",
            Self::Mail(_) => "mail server",
        };
        write!(f, "{what} {}", self.address())
    }
}

/// A message on its way.
#[derive(Clone, Debug)]
pub struct Told {
    /// In whose name.
    pub sender: Sender,
    /// What.
    pub message: Message,
    /// When.
    pub at: Wall,
}

/// Tells it once. Blocks for at most some 35 s.
///
/// # Errors
/// [`Kind::Unavailable`] when it was not taken. Neither path, nor login, nor what the target answered is in the text.
pub fn tell(to: &Target, told: &Told, clock: &Arc<dyn Clock>) -> Result<()> {
    let sent = match to {
        Target::Webhook(webhook) => {
            let body = json_of(&told.sender, &told.message, told.at);
            webhook::post(webhook, &body.to_string(), clock)
        }
        Target::Mail(to) => {
            let text = mail::text(to, &told.sender, &told.message, told.at);
            smtp::send(to, &text, clock)
        }
    };
    sent.map_err(|e| e.as_kind(Kind::Unavailable))
        .context(|| format!("telling the {to}"))
}

/// How delivery goes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Progress {
    /// Messages that were taken.
    pub delivered: u64,
    /// Messages that were given up.
    pub given_up: u64,
    /// Since when every try has failed.
    pub failing: Option<Mono>,
}

#[derive(Default)]
struct Shared {
    to: Mutex<Option<Target>>,
    delivered: AtomicU64,
    given_up: AtomicU64,
    failing: Mutex<Option<Mono>>,
}

type Done = Box<dyn FnOnce() + Send>;

struct Waiting {
    told: Told,
    /// Called when the message was taken.
    taken: Option<Done>,
}

/// The way to the thread that delivers.
pub struct Delivery {
    queue: SyncSender<Waiting>,
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

impl Delivery {
    /// Starts the thread, under that name.
    ///
    /// # Errors
    /// When no thread can be had.
    pub fn start(name: &str, clock: Arc<dyn Clock>) -> Result<Self> {
        let (queue, waiting) = sync_channel(QUEUE_MAX);
        let shared = Arc::<Shared>::default();
        let work = Work {
            shared: Arc::clone(&shared),
            waiting,
            clock,
        };
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || work.run())?;
        Ok(Self {
            queue,
            shared,
            thread,
        })
    }

    /// Messages go there from now on; to `None`: nowhere.
    pub fn target(&self, to: Option<Target>) {
        let mut target = lock(&self.shared.to);
        if *target != to {
            *target = to;
            *lock(&self.shared.failing) = None;
        }
    }

    /// Where messages go.
    pub fn current(&self) -> Option<Target> {
        lock(&self.shared.to).clone()
    }

    /// Queues a message; `taken` is called when the target has it. Never waits: a full queue gives the message up.
    pub fn tell(&self, told: Told, taken: Option<Done>) {
        if self.current().is_none() {
            return;
        }
        if self.queue.try_send(Waiting { told, taken }).is_err() {
            self.shared.given_up.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How it goes.
    pub fn progress(&self) -> Progress {
        Progress {
            delivered: self.shared.delivered.load(Ordering::Relaxed),
            given_up: self.shared.given_up.load(Ordering::Relaxed),
            failing: *lock(&self.shared.failing),
        }
    }

    /// Ends the thread; what is not delivered yet is given up after the try under way.
    pub fn stop(self) {
        drop(self.queue);
        *lock(&self.shared.to) = None;
        if self.thread.join().is_err() {
            error!("the thread that tells alarms failed");
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Work {
    shared: Arc<Shared>,
    waiting: Receiver<Waiting>,
    clock: Arc<dyn Clock>,
}

impl Work {
    fn run(self) {
        // What comes during a pause waits its turn.
        let mut later = VecDeque::new();
        loop {
            let next = match later.pop_front() {
                Some(next) => Ok(next),
                None => self.waiting.recv(),
            };
            let Ok(next) = next else { return };
            self.deliver(next, &mut later);
        }
    }

    fn deliver(&self, message: Waiting, later: &mut VecDeque<Waiting>) {
        let mut pauses = PAUSES.iter();
        loop {
            let Some(to) = lock(&self.shared.to).clone() else {
                return;
            };
            match tell(&to, &message.told, &self.clock) {
                Ok(()) => {
                    self.shared.delivered.fetch_add(1, Ordering::Relaxed);
                    if lock(&self.shared.failing).take().is_some() {
                        info!("the {to} answers again");
                    }
                    if let Some(taken) = message.taken {
                        taken();
                    }
                    return;
                }
                Err(e) => {
                    let mut failing = lock(&self.shared.failing);
                    if failing.is_none() {
                        warn!("{e}");
                        *failing = Some(self.clock.mono());
                    }
                }
            }
            let Some(pause) = pauses.next() else {
                self.shared.given_up.fetch_add(1, Ordering::Relaxed);
                return;
            };
            if !self.pause(*pause, later) {
                return;
            }
        }
    }

    /// Waits, and gathers what comes meanwhile; false at the end.
    fn pause(&self, pause: Duration, later: &mut VecDeque<Waiting>) -> bool {
        let begun = self.clock.mono();
        loop {
            let left = pause.saturating_sub(self.clock.mono().since(begun));
            if left.is_zero() {
                return true;
            }
            match self.waiting.recv_timeout(left) {
                Ok(message) if later.len() < QUEUE_MAX => later.push_back(message),
                Ok(_) => {
                    self.shared.given_up.fetch_add(1, Ordering::Relaxed);
                }
                Err(RecvTimeoutError::Timeout) => return true,
                Err(RecvTimeoutError::Disconnected) => return false,
            }
        }
    }
}

#[cfg(test)]
#[path = "delivery_tests.rs"]
mod tests;
