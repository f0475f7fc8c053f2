//! The daemon's Unix socket (mode 0600): one JSON question a line, one JSON answer a line.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use log::warn;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::access::{Access, keys};
use crate::base::Clock;
use crate::base::clock::SystemClock;
use crate::base::disk;
use crate::base::error::{Context, Error, Kind, Result};
use crate::base::id::{BoxId, StreamId};
use crate::base::time::{Span, Wall};
use crate::catalog::{AlarmChange, Catalog, Change, Event, LedgerChange, Reader};
use crate::config::{self, Config};
use crate::daemon::alarms::AlarmFeed;
use crate::daemon::answer::{self, Answer, Ask, Retention, Status, VolumeStatus};
use crate::daemon::disclosures::{self, Making, Place};
use crate::daemon::keeping;
use crate::daemon::ledger::{self, LedgerBoard, LedgerStatus};
use crate::daemon::packages::Way;
use crate::daemon::people;
use crate::daemon::scrub::Handle;
use crate::daemon::sweeper::{self, DeletionBoard, Wake};
use crate::daemon::volumes::Shared;
use crate::ledger::checkpoint::Key;
use crate::recorder::board::Board;
use crate::retention::latch;
use crate::store::scrub::Mark;
use crate::store::state::State;
use crate::vault::identity::{Identity, Recipient};

/// Longest question, in bytes.
const ASK_BYTES_MAX: u64 = 64 << 10;
/// Questions answered at a time.
const AT_A_TIME: usize = 4;
/// A client that says nothing for so long is let go.
const SILENCE_MAX: Duration = Duration::from_secs(60);
/// Longest wait of a command for the daemon's answer.
const ANSWER_MAX: Duration = Duration::from_secs(120);

/// The listening socket.
pub struct Control {
    task: JoinHandle<()>,
    path: std::path::PathBuf,
}

#[derive(Clone)]
struct Facts {
    catalog: Arc<Catalog>,
    board: Board,
    clock: Arc<dyn Clock>,
    dir: PathBuf,
    started: Wall,
    scrub: Handle,
    box_id: BoxId,
    key: Key,
    deletion: DeletionBoard,
    ledger: LedgerBoard,
    alarms: AlarmFeed,
    wake: SyncSender<Wake>,
    access: Access,
    recovery: Recipient,
    packages: Way,
    /// Made at each start, never written: what a command wraps to it nobody else opens.
    transit: Arc<Identity>,
}

/// What a question asks to be written.
type Work<'a> = Box<dyn FnOnce(&Catalog) -> Result<Answer> + 'a>;

/// What `ask` asks to be written, to be done on the catalog; `None`: nothing of that kind. The ledger's key is read only when
/// it is needed.
fn written<'a>(ask: &'a Ask, place: &'a Place<'a>, now: Wall) -> Option<Work<'a>> {
    let (box_id, key) = (place.box_id, place.key);
    Some(match ask {
        Ask::Note { event } => Box::new(move |catalog| {
            let seq = catalog.note((**event).clone())?;
            Ok(Answer::Noted { seq })
        }),
        Ask::AcknowledgeAlarm { id, by } => {
            let (id, by) = (*id, by.clone());
            let change = AlarmChange::Acknowledged { id, by, at: now };
            done(move |catalog| catalog.commit(Change::Alarm(change), None))
        }
        Ask::Seal => done(move |catalog| ledger::seal(catalog, now, "demand")),
        Ask::BeginEpoch { by, statement } => {
            done(move |catalog| ledger::begin_epoch(catalog, (box_id, key()?), by, statement, now))
        }
        Ask::EraseDetails { class, before, by } => done(move |catalog| {
            let change = LedgerChange::DetailsErased {
                class: class.parse()?,
                before: *before,
                at: now,
                by: by.clone(),
            };
            catalog.commit(change, None)
        }),
        Ask::ConfirmClock { by } => done(move |catalog| {
            let facts = serde_json::json!({ "time": now });
            let event = Event {
                detail: Some(serde_json::json!({ "by": by })),
                ..Event::of_box(now, "clock-confirmed", "clock", facts)
            };
            catalog.commit(Change::TimeMarked { at: now }, event)
        }),
        Ask::ConfirmRetention { by, controller } => done(move |catalog| {
            let confirmer = people::confirmer(catalog, by, *controller, now)?;
            let volumes = sweeper::present(&catalog.reader()?, box_id)?;
            latch::confirm(catalog, &volumes, now, confirmer)
        }),
        Ask::Disclosure(ask) => Box::new(move |catalog| {
            let answer = disclosures::act(catalog, place, ask, now)?;
            Ok(Answer::Disclosure(Box::new(answer)))
        }),
        Ask::Keeping(ask) if keeping::is_act(ask) => Box::new(move |catalog| {
            let answer = keeping::act(catalog, ask, now)?;
            Ok(Answer::Keeping(Box::new(answer)))
        }),
        _ => return None,
    })
}

/// Such work with nothing to tell.
fn done<'a>(work: impl FnOnce(&Catalog) -> Result<()> + 'a) -> Work<'a> {
    Box::new(move |catalog| work(catalog).map(|()| Answer::Done))
}

impl Control {
    /// Listens. The lock on the state folder is held, so a socket that lies there is a dead one's.
    ///
    /// # Errors
    /// When the socket cannot be made.
    pub fn start(
        state: &State,
        catalog: &Arc<Catalog>,
        board: &Board,
        shared: &Shared,
        (deletion, ledger, alarms): (&DeletionBoard, &LedgerBoard, &AlarmFeed),
        started: Wall,
    ) -> Result<Self> {
        let path = state.socket_path();
        let what = || format!("making the control socket {}", path.display());
        if path.exists() {
            disk::remove_file(&path)?;
        }
        let listener = UnixListener::bind(&path).context(what)?;
        // The folder has mode 0700; this is the second lock on the same door.
        set_mode(&path).context(what)?;
        let facts = Facts {
            catalog: Arc::clone(catalog),
            board: board.clone(),
            clock: Arc::clone(&shared.clock),
            dir: state.dir.clone(),
            started,
            scrub: shared.scrub.clone(),
            box_id: state.box_id,
            key: state.key()?,
            deletion: deletion.clone(),
            ledger: ledger.clone(),
            alarms: alarms.clone(),
            wake: shared.wake.clone(),
            access: shared.access.clone(),
            recovery: state.recovery.clone(),
            packages: Arc::clone(&shared.packages),
            transit: Arc::new(Identity::generate()),
        };
        let permits = Arc::new(Semaphore::new(AT_A_TIME));
        let task = tokio::spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else {
                    continue;
                };
                let Ok(permit) = Arc::clone(&permits).acquire_owned().await else {
                    return;
                };
                let facts = facts.clone();
                tokio::spawn(async move {
                    if let Err(e) = converse(stream, facts).await {
                        warn!("control socket: {e}");
                    }
                    drop(permit);
                });
            }
        });
        Ok(Self { task, path })
    }

    /// Stops listening.
    pub fn stop(self) {
        self.task.abort();
        if let Err(e) = disk::remove_file(&self.path) {
            warn!("{e}");
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a socket has no other way to get its mode"
)]
fn set_mode(path: &std::path::Path) -> std::io::Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(disk::SECRET_MODE))
}

async fn converse(stream: tokio::net::UnixStream, facts: Facts) -> Result<()> {
    let (read, mut write) = stream.into_split();
    let mut read = tokio::io::BufReader::new(read.take(ASK_BYTES_MAX));
    loop {
        let mut line = String::new();
        read.get_mut().set_limit(ASK_BYTES_MAX);
        match tokio::time::timeout(SILENCE_MAX, read.read_line(&mut line)).await {
            Ok(Ok(0)) | Err(_) => return Ok(()),
            Ok(Err(e)) => return Err(e.into()),
            Ok(Ok(_)) => {}
        }
        let facts = facts.clone();
        let answer = tokio::task::spawn_blocking(move || {
            let ask = serde_json::from_str(&line)
                .map_err(|e| Error::invalid(format!("not a question: {e}")));
            ask.and_then(|ask| facts.answer(&ask))
                .unwrap_or_else(|e| Answer::Refused {
                    error: e.to_string(),
                })
        })
        .await
        .unwrap_or_else(|e| Answer::Refused {
            error: e.to_string(),
        });
        let mut bytes =
            serde_json::to_vec(&answer).map_err(|e| Error::new(Kind::Internal, e.to_string()))?;
        bytes.push(b'\n');
        write.write_all(&bytes).await?;
    }
}

impl Facts {
    /// Does what needs no answer but that it was done. False: it is none of that.
    fn is_done(&self, ask: &Ask) -> Result<bool> {
        match ask {
            Ask::TestAlarm => self.alarms.test(self.box_id, &self.clock)?,
            Ask::Cut { streams } => streams.iter().for_each(|id| self.board.cuts.ask(id)),
            Ask::Scrub => drop(self.scrub.begin()),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn answer(&self, ask: &Ask) -> Result<Answer> {
        let now = self.clock.wall();
        let believed = |reader: &Reader| self.believed(reader, now);
        let place = Place {
            dir: &self.dir,
            box_id: self.box_id,
            board: Some(&self.board),
            believed: &believed,
            config: &|| self.config(),
            key: &|| Ok(self.key),
            making: self.making(),
        };
        if let Some(write) = written(ask, &place, now) {
            let answer = write(&self.catalog)?;
            // Full means that it is awake.
            self.wake.try_send(Wake::Look).ok();
            return Ok(answer);
        }
        if let Ask::People(ask) = ask {
            let answered =
                people::answer_with(&self.access, &self.catalog, &self.recovery, ask, now)?;
            return Ok(Answer::People(Box::new(answered)));
        }
        if self.is_done(ask)? {
            return Ok(Answer::Done);
        }
        let reader = self.catalog.reader()?;
        if let Some(answer) = self.of_packages(ask, &reader)? {
            return Ok(answer);
        }
        let mut deletion = self.deletion.get();
        // What was confirmed this moment is so from this moment on, not from the sweeper's next look.
        deletion.latched = reader.meta()?.latch;
        let reference = match &deletion.paused {
            Some(_) => sweeper::mark(&reader)?.unwrap_or(now),
            None => now,
        };
        let answered = answer::from_catalog(&reader, ask, now, reference)?;
        Ok(match (answered, ask) {
            (Answer::Retention(retention), _) => Answer::Retention(Box::new(Retention {
                deletion,
                ..*retention
            })),
            (Answer::Status(status), _) => Answer::Status(Box::new(Status {
                started: Some(self.started),
                volumes: self.with_pulse(status.volumes),
                deletion,
                process: std::process::id(),
                scrub: self.scrub.mark().volumes.into_values().collect(),
                ledger: LedgerStatus {
                    trouble: self.catalog.trouble(),
                    unwritable: self.catalog.unwritable(),
                    mirrors: self.ledger.mirrors(),
                    ..status.ledger.clone()
                },
                streams: self
                    .board
                    .lines()
                    .into_iter()
                    .map(|(id, line)| (id.to_string(), line))
                    .collect(),
                ..*status
            })),
            (Answer::Footage(mut footage), Ask::Footage { stream, span, hold }) => {
                // What is being written is held by nothing that it would be read for.
                footage.growing = match hold {
                    None => self.growing(stream, *span),
                    Some(_) => None,
                };
                Answer::Footage(footage)
            }
            (other, _) => other,
        })
    }

    /// What commands ask that have a package made; `None`: it is none of that.
    fn of_packages(&self, ask: &Ask, reader: &Reader) -> Result<Option<Answer>> {
        Ok(match ask {
            Ask::Transit => {
                let recipient = self.transit.recipient();
                Some(Answer::Transit { recipient })
            }
            Ask::Progress { disclosure } => {
                let packages = self.packages.get().map(AsRef::as_ref);
                let state = disclosures::progress(reader, packages, *disclosure)?;
                Some(Answer::Progress(Box::new(state)))
            }
            _ => None,
        })
    }

    fn config(&self) -> Result<Config> {
        let none = || Error::new(Kind::Unavailable, "no configuration yet");
        self.alarms.config().ok_or_else(none)
    }

    fn making(&self) -> Option<Making<'_>> {
        Some(Making {
            packages: self.packages.get()?.as_ref(),
            catalog: &self.catalog,
            access: &self.access,
            clock: &self.clock,
            transit: &self.transit,
        })
    }

    /// The time of day that is believed.
    fn believed(&self, reader: &Reader, now: Wall) -> Result<Wall> {
        match self.deletion.get().paused {
            Some(_) => Ok(sweeper::mark(reader)?.unwrap_or(now)),
            None => Ok(now),
        }
    }

    /// How far each volume is behind.
    fn with_pulse(&self, mut volumes: Vec<VolumeStatus>) -> Vec<VolumeStatus> {
        let behind = self.board.pulses.behind(self.clock.mono());
        for volume in &mut volumes {
            let of_volume = behind.get(&volume.name);
            volume.behind_ms =
                of_volume.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        }
        volumes
    }

    /// The segment being written, as far as it is durable.
    fn growing(&self, stream: &StreamId, span: Span) -> Option<crate::recorder::board::Growing> {
        let growing = self.board.lines().remove(stream)?.growing?;
        let has = Span {
            start: growing.start,
            end: growing.end,
        };
        (growing.durable_bytes > 0 && has.overlaps(&span)).then_some(growing)
    }
}

/// The catalog, for a command that takes the daemon's place for a moment.
fn open_catalog(state: &State) -> Result<Catalog> {
    Catalog::open_signing(&state.existing_catalog()?, state.box_id, state.signer())
}

/// A command's way to the facts: the running daemon, or the catalog itself.
pub enum Client {
    /// The daemon answers.
    Daemon(BufReader<UnixStream>),
    /// None runs: the catalog is read directly. The state folder is not held, so that the recorder can start meanwhile.
    Alone {
        /// The catalog.
        reader: Box<Reader>,
        /// For events.
        state: Box<State>,
    },
}

impl Client {
    /// Finds the daemon, or takes its place.
    ///
    /// # Errors
    /// [`Kind::Busy`] when something else holds the state folder.
    pub fn open(state: &State) -> Result<Self> {
        if let Ok(daemon) = Self::connect(state) {
            return Ok(daemon);
        }
        let lock = state
            .lock()
            .map_err(|e| e.attempted("the recorder does not answer"))?;
        // Opening for writing brings an older catalog up to date; it is the same that the daemon would do.
        let catalog = open_catalog(state)?;
        let reader = Box::new(catalog.reader()?);
        catalog.close()?;
        drop(lock);
        Ok(Self::Alone {
            reader,
            state: Box::new(state.clone()),
        })
    }

    /// Finds the daemon.
    ///
    /// # Errors
    /// When none runs.
    pub fn connect(state: &State) -> Result<Self> {
        let stream = UnixStream::connect(state.socket_path())?;
        stream.set_read_timeout(Some(ANSWER_MAX))?;
        stream.set_write_timeout(Some(ANSWER_MAX))?;
        Ok(Self::Daemon(BufReader::new(stream)))
    }

    /// True when the daemon answers.
    pub fn is_daemon(&self) -> bool {
        matches!(self, Self::Daemon(_))
    }

    /// Notes an event; the number of its entry, unless it was only counted.
    ///
    /// # Errors
    /// As [`Client::ask`].
    pub fn note(&mut self, event: Event) -> Result<Option<u64>> {
        let event = Box::new(event);
        match self.ask(&Ask::Note { event })? {
            Answer::Noted { seq } => Ok(seq),
            _ => Err(Error::new(Kind::Internal, "an answer to another question")),
        }
    }

    /// Asks.
    ///
    /// # Errors
    /// What the daemon refuses, or what the catalog says.
    pub fn ask(&mut self, ask: &Ask) -> Result<Answer> {
        let what = || "asking the recorder";
        match self {
            Self::Daemon(stream) => {
                let mut line = serde_json::to_vec(ask)
                    .map_err(|e| Error::new(Kind::Internal, e.to_string()))?;
                line.push(b'\n');
                stream.get_mut().write_all(&line).context(what)?;
                let mut text = String::new();
                stream.read_line(&mut text).context(what)?;
                match serde_json::from_str(&text) {
                    Ok(Answer::Refused { error }) => Err(Error::invalid(error)),
                    Ok(answer) => Ok(answer),
                    Err(_) => {
                        Err(Error::new(Kind::Unavailable, "it ended while answering")
                            .attempted(what()))
                    }
                }
            }
            Self::Alone { reader, state } => {
                let clock = SystemClock::shared();
                let now = clock.wall();
                let key = || state.key();
                let believed = |reader: &Reader| {
                    let judged = sweeper::judge(reader, now, clock.host_sync(), &[])?;
                    Ok(judged.reference(now))
                };
                let place = Place {
                    dir: &state.dir,
                    box_id: state.box_id,
                    board: None,
                    believed: &believed,
                    config: &|| Ok(config::load(&state.config_path())?.config),
                    key: &key,
                    making: None,
                };
                if let Some(write) = written(ask, &place, now) {
                    if let Ok(mut daemon) = Self::connect(state) {
                        // It was started since.
                        return daemon.ask(ask);
                    }
                    let _lock = state.lock()?;
                    let catalog = open_catalog(state)?;
                    let answer = write(&catalog)?;
                    catalog.close()?;
                    return Ok(answer);
                }
                if let Ask::People(about) = ask
                    && !people::only_reads(about)
                {
                    if let Ok(mut daemon) = Self::connect(state) {
                        return daemon.ask(ask);
                    }
                    let _lock = state.lock()?;
                    let catalog = open_catalog(state)?;
                    let answered = people::answer(&catalog, &state.recovery, about, now)?;
                    // Who may play back may be others now.
                    keys::keep(&catalog, &state.recovery, now)?;
                    catalog.close()?;
                    return Ok(Answer::People(Box::new(answered)));
                }
                let reference = sweeper::judge(reader, now, clock.host_sync(), &[])?.reference(now);
                let answered = answer::from_catalog(reader, ask, now, reference)?;
                Ok(match answered {
                    Answer::Status(status) => Answer::Status(Box::new(Status {
                        scrub: Mark::read(&state.dir).volumes.into_values().collect(),
                        ..*status
                    })),
                    other => other,
                })
            }
        }
    }
}
