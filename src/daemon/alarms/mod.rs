//! The thread that looks for what somebody has to look at: gathers the facts, lets `alarm` judge them, and writes, logs and
//! tells what is new.

mod gather;
mod probe;
mod targets;

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use log::{error, info, warn};
use serde_json::json;

use crate::alarm::{self, Figures, Message, Sender, Step, Thresholds, Told, Touched, Tracker};
use crate::base::Clock;
use crate::base::disk::acts;
use crate::base::error::{Error, Kind, Result};
use crate::base::id::BoxId;
use crate::base::time::{Mono, Wall};
use crate::catalog::{AlarmChange, AlarmKind, AlarmRow, Change, Event, Reader};
use crate::config::{Config, Loaded};
use crate::daemon::alarms::gather::Gatherer;
use crate::daemon::alarms::probe::Probe;
use crate::daemon::alarms::targets::Targets;
use crate::daemon::ledger::LedgerBoard;
use crate::daemon::sweeper::DeletionBoard;
use crate::daemon::volumes::Shared;
use crate::ledger::checkpoint::{Checkpoint, Key};
use crate::recorder::pulse::BEHIND_MAX;

/// What is wrong is looked for this often.
const EVERY: Duration = Duration::from_secs(5);
/// A checkpoint that was not taken is offered again after so long.
const CHECKPOINT_RETRY: Duration = Duration::from_secs(600);
/// The checkpoint is told this often, in microseconds.
const CHECKPOINT_EVERY_US: i64 = 86_400_000_000;
/// What is told of what somebody else did.
const TOUCHED_TOLD_MAX: usize = 5;
/// The action of an anchor that the alarm target got.
pub const ANCHOR_SENT: &str = "anchor-sent";

/// What others tell of, and what they ask. Cheap to clone.
#[derive(Clone, Default)]
pub struct AlarmFeed(Arc<Mutex<Fed>>);

#[derive(Default)]
struct Fed {
    in_force: Option<Loaded>,
    certificate_ends: Option<Wall>,
    /// With when it was last seen.
    touched: BTreeMap<String, (Touched, Wall)>,
    delivered: u64,
    given_up: u64,
}

impl AlarmFeed {
    fn with<T>(&self, f: impl FnOnce(&mut Fed) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The configuration in force; none before the first.
    pub fn config(&self) -> Option<Config> {
        self.with(|fed| Some(fed.in_force.as_ref()?.config.clone()))
    }

    /// The same with the digest of its file.
    pub fn in_force(&self) -> Option<Loaded> {
        self.with(|fed| fed.in_force.clone())
    }

    /// The configuration in force.
    pub fn configure(&self, loaded: &Loaded) {
        // Before anything is done on them: the sweeper and recovery are no strangers.
        for volume in &loaded.config.volumes {
            acts::know_below(&volume.path);
        }
        self.with(|fed| fed.in_force = Some(loaded.clone()));
    }

    /// When the certificate of pages and API ends; `None`: there is none. Whoever serves them tells it after each renewal.
    pub fn certificate(&self, ends: Option<Wall>) {
        self.with(|fed| fed.certificate_ends = ends);
    }

    /// Somebody else did something on a volume.
    pub fn touched(&self, volume: &str, what: &str, now: Wall) {
        self.with(|fed| {
            let new = || (Touched::default(), now);
            let (touched, last) = fed.touched.entry(volume.to_owned()).or_insert_with(new);
            *last = now;
            touched.times += 1;
            if touched.first.len() < TOUCHED_TOLD_MAX {
                touched.first.push(what.to_owned());
            }
        });
    }

    /// What measuring programs get.
    ///
    /// # Errors
    /// What the catalog says.
    pub fn figures(&self, reader: &Reader) -> Result<Figures> {
        let (delivered, given_up) = self.with(|fed| (fed.delivered, fed.given_up));
        Ok(Figures {
            delivered,
            given_up,
            ..Figures::of(&reader.alarms_up()?)
        })
    }

    /// Sends a message to each alarm target, once, to try them. Blocks for at most some 35 s each.
    ///
    /// # Errors
    /// When there is no target, or one did not take it.
    pub fn test(&self, box_id: BoxId, clock: &Arc<dyn Clock>) -> Result<()> {
        let config = self.config();
        let targets = config.as_ref().map(targets::of).unwrap_or_default();
        let (Some(config), false) = (config, targets.is_empty()) else {
            let text =
                "there is no alarm target; name one in sinetti.toml: [alarm] webhook or mail";
            return Err(Error::new(Kind::NotFound, text));
        };
        let told = Told {
            sender: sender(box_id, &config),
            message: Message::Test,
            at: clock.wall(),
        };
        let tried: Vec<Result<()>> = targets
            .iter()
            .map(|to| alarm::tell(to, &told, clock))
            .collect();
        // Each is tried, whatever became of the one before.
        tried.into_iter().collect()
    }
}

/// In whose name alarms are told.
fn sender(box_id: BoxId, config: &Config) -> Sender {
    Sender {
        box_id,
        site: config.site.name.clone(),
        zone: config.site.zone,
        language: config.alarm.language,
    }
}

/// What the thread needs.
pub struct Options {
    /// As the volumes' threads.
    pub shared: Arc<Shared>,
    /// What stands in the way of deletion.
    pub deletion: DeletionBoard,
    /// What is known of the ledger.
    pub ledger: LedgerBoard,
    /// The public half of its key; none: nothing is signed.
    pub key: Option<Key>,
    /// The state folder.
    pub dir: std::path::PathBuf,
    /// What others tell of.
    pub feed: AlarmFeed,
}

/// The running thread.
pub struct Alarms {
    stop: SyncSender<()>,
    thread: JoinHandle<()>,
}

impl Alarms {
    /// Starts it.
    ///
    /// # Errors
    /// When the catalog cannot be read or no thread can be had.
    pub fn start(options: Options) -> Result<Self> {
        let (stop, stopped) = sync_channel(1);
        let shared = Arc::clone(&options.shared);
        let work = Work {
            reader: shared.catalog.reader()?,
            gatherer: Gatherer::default(),
            probe: Probe::start(Arc::clone(&shared), options.feed.clone())?,
            tracker: Tracker::default(),
            targets: Targets::start(&shared.clock)?,
            offered: None,
            told: None,
            options,
        };
        let thread = std::thread::Builder::new()
            .name("alarms".to_owned())
            .spawn(move || work.run(&stopped))?;
        Ok(Self { stop, thread })
    }

    /// Ends it.
    pub fn stop(self) {
        drop(self.stop);
        if self.thread.join().is_err() {
            error!("the thread that looks for alarms failed");
        }
    }
}

struct Work {
    options: Options,
    reader: Reader,
    gatherer: Gatherer,
    probe: Probe,
    tracker: Tracker,
    targets: Targets,
    /// When a checkpoint was last offered to the target.
    offered: Option<Mono>,
    /// The last trouble with all of this, said once.
    told: Option<String>,
}

impl Work {
    fn run(mut self, stopped: &Receiver<()>) {
        loop {
            let trouble = self.turn().err().map(|e| e.to_string());
            if trouble != self.told
                && let Some(trouble) = &trouble
            {
                error!("looking for alarms: {trouble}");
            }
            self.told = trouble;
            if stopped.recv_timeout(EVERY) != Err(RecvTimeoutError::Timeout) {
                break;
            }
        }
        self.targets.stop();
    }

    fn turn(&mut self) -> Result<()> {
        let Some(config) = self.options.feed.config() else {
            return Ok(());
        };
        self.targets.configure(&config);
        let sender = sender(self.options.shared.box_id, &config);
        self.forget_seen(&sender)?;
        let facts = self.gatherer.facts(
            &self.options,
            &self.reader,
            &config,
            &self.probe,
            &self.targets,
        )?;
        let due = alarm::due(&facts, &Thresholds::standard(BEHIND_MAX));
        let mono = self.options.shared.clock.mono();
        let steps = self.tracker.steps(mono, &due, &self.reader.alarms_up()?);
        for step in steps {
            self.take(step, &sender)?;
        }
        self.checkpoint(&sender)?;
        let progress = self.targets.progress();
        self.options.feed.with(|fed| {
            (fed.delivered, fed.given_up) = (progress.delivered, progress.given_up);
        });
        Ok(())
    }

    /// What a person has seen of a stranger's acts is over; what came after is another alarm.
    fn forget_seen(&mut self, sender: &Sender) -> Result<()> {
        for row in self.reader.alarms_up()? {
            let Some(seen) = row.acknowledged.filter(|_| row.kind == AlarmKind::Stranger) else {
                continue;
            };
            let goes_on = self.options.feed.with(|fed| {
                let last = fed.touched.get(&row.object).map(|(_, last)| *last);
                if last.is_some_and(|last| last <= seen) {
                    fed.touched.remove(&row.object);
                }
                last.is_some_and(|last| last > seen)
            });
            if goes_on {
                self.take(Step::Clear { row }, sender)?;
            }
        }
        Ok(())
    }

    fn take(&mut self, step: Step, sender: &Sender) -> Result<()> {
        let shared = &self.options.shared;
        let now = shared.clock.wall();
        let message = match step {
            Step::Raise {
                kind,
                object,
                detail,
            } => {
                let change = AlarmChange::Raised {
                    kind,
                    object: object.clone(),
                    detail: detail.clone(),
                    at: now,
                };
                shared.catalog.commit(Change::Alarm(change), None)?;
                let (effect, remedy) = (kind.effect(), kind.remedy());
                error!("ALARM {kind} {object}: {detail}; {effect}. What to do: {remedy}");
                let up = self.reader.alarms_up()?;
                let row = up
                    .into_iter()
                    .find(|r| r.kind == kind && r.object == object);
                row.map(Message::Raised)
            }
            Step::Clear { row } => {
                let change = AlarmChange::Cleared {
                    id: row.id,
                    at: now,
                };
                shared.catalog.commit(Change::Alarm(change), None)?;
                info!("alarm over: {} {}", row.kind, row.object);
                Some(Message::Cleared(AlarmRow {
                    cleared: Some(now),
                    ..row
                }))
            }
        };
        if let Some(message) = message {
            self.targets.tell(&Told {
                sender: sender.clone(),
                message,
                at: now,
            });
        }
        Ok(())
    }

    /// Offers the checkpoint to a target once a day; when it has it, that is an anchor.
    fn checkpoint(&mut self, sender: &Sender) -> Result<()> {
        let (shared, key) = (&self.options.shared, self.options.key);
        let (now, mono) = (shared.clock.wall(), shared.clock.mono());
        let offered = self.offered;
        let is_fresh = offered.is_some_and(|at| mono.since(at) < CHECKPOINT_RETRY);
        let Some(key) = key.filter(|_| !is_fresh && self.targets.are_there()) else {
            return Ok(());
        };
        let last = self.reader.last_of(&[ANCHOR_SENT])?;
        let last = last.map(|row| row.entry.at);
        if last.is_some_and(|last| now.us_since(last).abs() < CHECKPOINT_EVERY_US) {
            return Ok(());
        }
        let Some(note) = self.reader.epoch()?.note else {
            return Ok(());
        };
        self.offered = Some(mono);
        let checkpoint = Checkpoint::open(&note, key)?;
        let facts = json!({
            "epoch": checkpoint.epoch,
            "size": checkpoint.size,
            "root": checkpoint.root.to_string(),
        });
        let taken = Arc::clone(shared);
        let note_it = move || {
            let event = Event::of_box(taken.clock.wall(), ANCHOR_SENT, "ledger", facts);
            let told = |result: Result<()>| {
                if let Err(e) = result {
                    warn!("noting that the alarm target has the checkpoint: {e}");
                }
            };
            taken
                .catalog
                .commit_later(Vec::new(), event, Box::new(told));
        };
        let told = Told {
            sender: sender.clone(),
            message: Message::Checkpoint { note },
            at: now,
        };
        self.targets.give(told, Box::new(note_it));
        Ok(())
    }
}
