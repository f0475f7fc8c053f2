//! Tells alarms to a target: one short connection a message, bounded queue, bounded tries.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use log::{error, info, warn};
use serde_json::{Value, json};

use crate::base::Clock;
use crate::base::error::{Context, Error, Kind, Result};
use crate::base::id::BoxId;
use crate::base::time::{Mono, Wall};
use crate::catalog::AlarmRow;
use crate::config::Webhook;

/// Messages that may wait; the next is given up.
const QUEUE_MAX: usize = 256;
/// A message is tried so often, with these pauses before the tries after the first.
const PAUSES: [Duration; 4] = [
    Duration::from_secs(2),
    Duration::from_secs(10),
    Duration::from_secs(30),
    Duration::from_secs(60),
];
/// Longest wait for a connection, and for each step of the answer.
const WAIT_MAX: Duration = Duration::from_secs(5);
/// The first line of an answer is not longer.
const ANSWER_BYTES_MAX: u64 = 1024;

/// What a message tells.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Message {
    /// An alarm is up.
    Raised(AlarmRow),
    /// It is over.
    Cleared(AlarmRow),
    /// Somebody tries whether messages arrive.
    Test,
    /// The signed checkpoint of the ledger: size and root, and when it was taken.
    Checkpoint {
        /// The signed note (C2SP tlog-checkpoint).
        note: String,
    },
}

/// Which box, in whose name messages go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sender {
    /// The box.
    pub box_id: BoxId,
    /// The site's name.
    pub site: String,
}

/// A message as JSON (`sinetti-alarm/1`). Closed texts, ids of cameras and names of volumes: nothing about persons, no free
/// text.
pub fn json_of(sender: &Sender, message: &Message, at: Wall) -> Value {
    let alarm = |row: &AlarmRow| {
        json!({
            "id": row.id,
            "kind": row.kind,
            "object": row.object,
            "raised": row.raised,
            "cleared": row.cleared,
            "effect": row.kind.effect(),
            "remedy": row.kind.remedy(),
        })
    };
    let mut value = json!({
        "format": "sinetti-alarm/1",
        "box": sender.box_id.to_string(),
        "site": sender.site,
        "at": at,
    });
    let (event, key, what) = match message {
        Message::Raised(row) => ("raised", "alarm", alarm(row)),
        Message::Cleared(row) => ("cleared", "alarm", alarm(row)),
        Message::Test => ("test", "alarm", Value::Null),
        Message::Checkpoint { note } => ("checkpoint", "checkpoint", json!(note)),
    };
    if let Value::Object(members) = &mut value {
        members.insert("event".to_owned(), json!(event));
        members.insert(key.to_owned(), what);
    }
    value
}

/// Posts a body of JSON, once (HTTP/1.1, RFC 9112). Blocks for at most some 15 s.
///
/// # Errors
/// [`Kind::Unavailable`] when it was not taken: no connection, no answer, or one that is not 2xx. The path is not in the text:
/// it may hold a secret.
pub fn post(to: &Webhook, body: &Value) -> Result<()> {
    let what = || format!("telling the alarm target {}", to.address);
    send(to, &body.to_string())
        .map_err(|e| e.as_kind(Kind::Unavailable))
        .context(what)
}

fn send(to: &Webhook, body: &str) -> Result<()> {
    let mut stream = TcpStream::connect_timeout(&to.address, WAIT_MAX)?;
    stream.set_read_timeout(Some(WAIT_MAX))?;
    stream.set_write_timeout(Some(WAIT_MAX))?;
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\
         User-Agent: sinetti\r\n\r\n",
        to.target,
        to.host,
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())?;
    status(&mut stream).and_then(|status| match status {
        200..=299 => Ok(()),
        // A redirect is not followed: it could lead out.
        other => Err(Error::new(
            Kind::Unavailable,
            format!("it answered with the status {other}"),
        )),
    })
}

/// The status out of the first line. Each read waits for so long at most, and there are so many bytes at most; a target that
/// sends a byte at a time is let go after a few.
fn status(stream: &mut TcpStream) -> Result<u16> {
    const READS_MAX: usize = 4;
    let mut line = Vec::new();
    let mut limited = stream.take(ANSWER_BYTES_MAX);
    for _ in 0..READS_MAX {
        let mut chunk = [0; 256];
        let count = limited.read(&mut chunk)?;
        line.extend(chunk.iter().take(count));
        if count == 0 || line.contains(&b'\n') {
            break;
        }
    }
    let text = String::from_utf8_lossy(&line);
    let mut words = text.split(' ');
    let version = words.next().unwrap_or_default();
    let code = words.next().and_then(|code| code.trim().parse().ok());
    match code {
        Some(code) if version.starts_with("HTTP/1.") => Ok(code),
        _ => Err(Error::new(Kind::Unavailable, "it does not speak HTTP/1.1")),
    }
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
    to: Mutex<Option<Webhook>>,
    delivered: AtomicU64,
    given_up: AtomicU64,
    failing: Mutex<Option<Mono>>,
}

type Done = Box<dyn FnOnce() + Send>;

struct Waiting {
    body: Value,
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
    /// Starts the thread.
    ///
    /// # Errors
    /// When no thread can be had.
    pub fn start(clock: Arc<dyn Clock>) -> Result<Self> {
        let (queue, waiting) = sync_channel(QUEUE_MAX);
        let shared = Arc::<Shared>::default();
        let work = Work {
            shared: Arc::clone(&shared),
            waiting,
            clock,
        };
        let thread = std::thread::Builder::new()
            .name("alarm target".to_owned())
            .spawn(move || work.run())?;
        Ok(Self {
            queue,
            shared,
            thread,
        })
    }

    /// Messages go there from now on; to `None`: nowhere.
    pub fn target(&self, to: Option<Webhook>) {
        let mut target = lock(&self.shared.to);
        if *target != to {
            *target = to;
            *lock(&self.shared.failing) = None;
        }
    }

    /// Where messages go.
    pub fn current(&self) -> Option<Webhook> {
        lock(&self.shared.to).clone()
    }

    /// Queues a message; `taken` is called when the target has it. Never waits: a full queue gives the message up.
    pub fn tell(&self, body: Value, taken: Option<Done>) {
        if self.current().is_none() {
            return;
        }
        if self.queue.try_send(Waiting { body, taken }).is_err() {
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
        let mut later = std::collections::VecDeque::new();
        loop {
            let next = match later.pop_front() {
                Some(next) => Ok(next),
                None => self.waiting.recv(),
            };
            let Ok(next) = next else { return };
            self.deliver(next, &mut later);
        }
    }

    fn deliver(&self, message: Waiting, later: &mut std::collections::VecDeque<Waiting>) {
        let mut pauses = PAUSES.iter();
        loop {
            let Some(to) = lock(&self.shared.to).clone() else {
                return;
            };
            match post(&to, &message.body) {
                Ok(()) => {
                    self.shared.delivered.fetch_add(1, Ordering::Relaxed);
                    if lock(&self.shared.failing).take().is_some() {
                        info!("the alarm target {} answers again", to.address);
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
    fn pause(&self, pause: Duration, later: &mut std::collections::VecDeque<Waiting>) -> bool {
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
