//! The thread that deletes on time: within a minute and a half, and at once when a volume has no room. It decides nothing itself: that
//! is `retention`'s.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use log::{error, info, warn};

use crate::base::clock::HostSync;
use crate::base::error::{Error, Kind, Result};
use crate::base::id::{BoxId, StreamId, StreamKind, VolumeId};
use crate::base::time::{Mono, Wall};
use crate::catalog::{Change, PolicyRow, Reader, Rule};
use crate::config::Config;
use crate::daemon::answer::Deletion;
use crate::daemon::volumes::Shared;
use crate::disclosure::request;
use crate::ledger::checkpoint::Signer;
use crate::recorder::board::{Board, Phase};
use crate::recorder::writer::HYSTERESIS_BYTES;
use crate::retention::clock::{self, Verdict};
use crate::retention::hold;
use crate::retention::latch;
use crate::retention::look::{self, Found, Lack};
use crate::retention::mirror::Kept;
use crate::retention::policy::{self, Known, Wanted};
use crate::retention::sweep::Sweeper;
use crate::store::volume::Volume;

/// Wakes that may wait.
pub const WAKES_MAX: usize = 64;
/// The time is marked this often.
const MARK_EVERY: Duration = Duration::from_secs(60);
/// Room on the volumes is looked at this often.
const SPACE_EVERY: Duration = Duration::from_secs(5);
/// Between two batches writers come first for so long.
const PAUSE: Duration = Duration::from_millis(20);
/// A writer that is further behind than this is waited for, in as many pauses at most: a second.
const YIELD_BEHIND: Duration = Duration::from_secs(4);
const PAUSES_MAX: u32 = 50;
/// So much above its reserve a volume begins to lose its oldest footage, and twice as much is made free. A fifth of the
/// reserve, within these bounds: never less than a writer wants before it begins again.
const MARGIN_BYTES: (u64, u64) = (HYSTERESIS_BYTES, 1 << 30);
/// An early deletion is shown for so long.
const EARLY_SHOWN: Duration = Duration::from_secs(3600);
/// Two looks at the clocks that differ by more than this, in microseconds, have a step of the clock between them.
const STEP_US: i64 = 1_000_000;

/// What wakes the thread.
#[derive(Debug)]
pub enum Wake {
    /// A writer has no room.
    Room,
    /// Somebody has confirmed something.
    Look,
    /// What the configuration says from now on.
    Keep(Policies),
    /// The end.
    Stop,
}

/// What the configuration says of how long footage is kept.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Policies {
    /// Of each stream.
    pub wanted: Vec<Wanted>,
    /// Seconds for which what was held is kept after the end of its hold.
    pub after_release_s: u32,
}

/// What stands in the way of deletion, for `sinetti status`.
#[derive(Clone, Debug, Default)]
pub struct DeletionBoard(Arc<Mutex<Deletion>>);

impl DeletionBoard {
    /// A copy.
    pub fn get(&self) -> Deletion {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn update(&self, change: impl FnOnce(&mut Deletion)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// What the thread needs to know.
pub struct Options {
    /// As the volumes' threads.
    pub shared: Arc<Shared>,
    /// Where it shows what stands in the way.
    pub deletion: DeletionBoard,
    /// Free bytes that are kept, by the folder of the volume.
    pub reserves: BTreeMap<PathBuf, u64>,
    /// What the configuration says of how long footage is kept.
    pub policies: Policies,
    /// Signs what is mirrored on volumes; `None`: nothing is.
    pub signer: Option<Signer>,
}

/// What the configuration says of each stream, recorded at present or not.
pub fn policies(config: &Config) -> Policies {
    let of_camera = |camera: &Arc<crate::config::CameraConfig>| {
        let purposes: Vec<_> = camera.purposes.iter().map(ToString::to_string).collect();
        let (id, policy) = (camera.id.clone(), camera.policy.clone());
        [StreamKind::Main, StreamKind::Sub].map(|kind| {
            let (of, sentences) = (policy.of(kind), policy.sentences.clone());
            Wanted {
                keep_s: of.keep_secs,
                policy: PolicyRow {
                    stream: StreamId {
                        camera: id.clone(),
                        kind,
                    },
                    guarantee_s: of.guarantee_secs,
                    keep_from: of.keep_from,
                    guarantee_from: of.guarantee_from,
                    purposes: purposes.clone(),
                    justification: sentences.justification,
                    special_reason: sentences.special_reason,
                    documented_in: sentences.documented_in,
                },
            }
        })
    };
    Policies {
        wanted: config.cameras.iter().flat_map(of_camera).collect(),
        after_release_s: config.retention.after_release_secs,
    }
}

/// Free bytes that are kept, by the folder of the volume.
pub fn reserves(config: &Config) -> BTreeMap<PathBuf, u64> {
    let volumes = config.volumes.iter();
    volumes.map(|v| (v.path.clone(), v.reserve_bytes)).collect()
}

/// Free bytes above a reserve without which room is made, by deleting the oldest footage early.
pub fn margin(reserve: u64) -> u64 {
    (reserve / 5).clamp(MARGIN_BYTES.0, MARGIN_BYTES.1)
}

/// The volumes that the catalog knows and that are there, in the configuration or not.
///
/// # Errors
/// What the catalog says.
pub fn present(reader: &Reader, box_id: BoxId) -> Result<Vec<Volume>> {
    let rows = reader.volumes()?.into_iter();
    let opened = rows.filter_map(|row| {
        let volume = Volume::open(Path::new(&row.path), box_id, &row.name).ok()?;
        (volume.id == row.volume).then_some(volume)
    });
    Ok(opened.collect())
}

/// The last time of day that was believed; before the first mark the newest footage is one.
///
/// # Errors
/// What the catalog says.
pub fn mark(reader: &Reader) -> Result<Option<Wall>> {
    match reader.meta()?.mark {
        None => reader.newest_footage(),
        mark => Ok(mark),
    }
}

/// Judges the time of day `now` by what the catalog remembers. Who acts on the verdict acts at `now`, and does not look at the
/// clock again: it may have stepped meanwhile.
///
/// # Errors
/// What the catalog says.
pub fn judge(
    reader: &Reader,
    now: Wall,
    host: HostSync,
    camera_offsets_ms: &[i64],
) -> Result<Verdict> {
    Ok(clock::judge(now, host, mark(reader)?, camera_offsets_ms))
}

/// The running thread.
pub struct Sweeping {
    wake: SyncSender<Wake>,
    thread: JoinHandle<()>,
}

impl Sweeping {
    /// Starts it. It sweeps at once, which finishes what a crash interrupted.
    ///
    /// # Errors
    /// When the catalog cannot be read or no thread can be had.
    pub fn start(options: Options, woken: Receiver<Wake>) -> Result<Self> {
        let wake = options.shared.wake.clone();
        let work = Work {
            reader: options.shared.catalog.reader()?,
            options,
            woken,
            clocks: None,
            early: BTreeMap::new(),
            asked: false,
            stops: false,
        };
        let thread = std::thread::Builder::new()
            .name("retention".to_owned())
            .spawn(move || work.run())?;
        Ok(Self { wake, thread })
    }

    /// Streams are kept so long from now on.
    pub fn keep(&self, policies: Policies) {
        // Should the thread be gone, the process is about to end.
        self.wake.send(Wake::Keep(policies)).ok();
    }

    /// Ends it after the batch under way.
    pub fn stop(self) {
        self.wake.send(Wake::Stop).ok();
        if self.thread.join().is_err() {
            error!("the thread that deletes footage failed");
        }
    }
}

/// What is to be done at a look.
#[derive(Clone, Copy)]
struct Due {
    /// Marks are left.
    mark: bool,
    /// What is expired is looked for.
    plan: bool,
    /// All of it goes, however short it has been expired: at the start, and when somebody has changed something.
    all: bool,
}

struct Work {
    reader: Reader,
    options: Options,
    woken: Receiver<Wake>,
    /// When it looked last, by both clocks.
    clocks: Option<(Wall, Mono)>,
    /// When footage was last deleted early, by volume.
    early: BTreeMap<VolumeId, (String, Mono)>,
    /// Somebody has confirmed or changed something: all is looked at anew.
    asked: bool,
    stops: bool,
}

impl Work {
    fn run(mut self) {
        let (mut marked, mut planned): (Option<Mono>, Option<Mono>) = (None, None);
        while !self.stops {
            let now = self.options.shared.clock.mono();
            let is_past = |last: Option<Mono>, every| last.is_none_or(|at| now.since(at) >= every);
            let due = Due {
                mark: is_past(marked, MARK_EVERY),
                plan: is_past(planned, look::EVERY),
                all: planned.is_none(),
            };
            marked = if due.mark { Some(now) } else { marked };
            planned = if due.plan { Some(now) } else { planned };
            if let Err(e) = self.look(due) {
                self.failed(&e);
            }
            // Somebody may have come during a sweep.
            if !self.asked {
                match self.woken.recv_timeout(SPACE_EVERY) {
                    Ok(wake) => self.obey(wake),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => break,
                }
            }
            if std::mem::take(&mut self.asked) {
                (marked, planned) = (None, None);
            }
        }
    }

    fn obey(&mut self, wake: Wake) {
        match wake {
            Wake::Room => {}
            Wake::Look => self.asked = true,
            Wake::Keep(policies) => {
                self.options.policies = policies;
                self.asked = true;
            }
            Wake::Stop => self.stops = true,
        }
    }

    fn failed(&self, e: &Error) {
        let text = e.to_string();
        let is_new = self.options.deletion.get().failed.as_ref() != Some(&text);
        if is_new {
            error!("footage is not deleted: {text}");
        }
        self.options
            .deletion
            .update(|board| board.failed = Some(text));
    }

    /// Looks at clocks, latch and room; deletes what may and must go.
    fn look(&mut self, due: Due) -> Result<()> {
        let shared = Arc::clone(&self.options.shared);
        let volumes = present(&self.reader, shared.box_id)?;
        let lacks = self.lacks(&volumes);
        let lacks_nothing = lacks.is_empty();
        if !due.mark && !due.plan && lacks_nothing {
            return Ok(());
        }
        let offsets = self.camera_offsets();
        let (now, verdict) = self.judged(&offsets)?;
        if due.mark {
            self.note(now, verdict, &volumes)?;
        }
        let latched = self.reader.meta()?.latch;
        let may = verdict.is_believed() && latched.is_none();
        self.show(verdict, latched);
        if let Some(trouble) = shared.catalog.trouble() {
            // Nobody could answer for what is deleted.
            let text =
                format!("the ledger is in trouble: {trouble}. Look with: sinetti ledger verify");
            return Err(Error::new(Kind::Unavailable, text));
        }
        if may {
            self.sweep(now, &volumes, lacks, (due.all, &offsets))?;
        }
        if lacks_nothing {
            self.options.deletion.update(|board| board.in_vain.clear());
        }
        let now = shared.clock.mono();
        self.early.retain(|_, (_, at)| now.since(*at) < EARLY_SHOWN);
        let early = self.early.values().map(|(name, _)| name.clone()).collect();
        self.options.deletion.update(|board| {
            board.early = early;
            board.failed = None;
        });
        Ok(())
    }

    fn judged(&self, camera_offsets_ms: &[i64]) -> Result<(Wall, Verdict)> {
        let clock = &self.options.shared.clock;
        let (now, host) = (clock.wall(), clock.host_sync());
        Ok((now, judge(&self.reader, now, host, camera_offsets_ms)?))
    }

    /// What each minute leaves behind: the time, if it is believed; marks on the volumes; policies.
    fn note(&self, now: Wall, verdict: Verdict, volumes: &[Volume]) -> Result<()> {
        let shared = &self.options.shared;
        if verdict.is_believed() {
            shared
                .catalog
                .commit(Change::TimeMarked { at: now }, None)?;
            self.follow(now)?;
        }
        for volume in volumes {
            latch::look(&shared.catalog, volume, now)?;
            if let Err(e) = latch::leave_mark(&self.reader, volume, now) {
                warn!("{e}");
            }
        }
        self.mirror(now, volumes)
    }

    /// What is in force follows the configuration; what ends by itself ends. By a clock that is not believed neither does.
    fn follow(&self, now: Wall) -> Result<()> {
        let catalog = &self.options.shared.catalog;
        let (streams, policies) = (self.reader.streams()?, self.reader.policies()?);
        let shortenings = self.reader.shortenings()?;
        let known = Known {
            streams: &streams,
            policies: &policies,
            shortenings: &shortenings,
        };
        for step in policy::follow(now, known, &self.options.policies.wanted) {
            if let Some(event) = &step.event {
                info!(
                    "how long footage is kept: {} of {}",
                    event.action, event.object
                );
            }
            catalog.commit(step.changes, step.event)?;
        }
        let after_s = self.options.policies.after_release_s;
        request::lapse(catalog, &self.reader, now)?;
        hold::lapse(catalog, &self.reader, after_s, now)
    }

    /// Holds and policies on each volume. Not while deletion is latched: what lies there may be all that is left of them.
    fn mirror(&self, now: Wall, volumes: &[Volume]) -> Result<()> {
        let Some(signer) = &self.options.signer else {
            return Ok(());
        };
        if self.reader.meta()?.latch.is_some() {
            return Ok(());
        }
        let kept = Kept::of(&self.reader, self.options.shared.box_id, now)?;
        for volume in volumes {
            if let Err(e) = kept.mirror(volume, signer) {
                warn!("holds are not mirrored on volume \"{}\": {e}", volume.name);
            }
        }
        Ok(())
    }

    /// Whether a volume is so far behind that a batch of deletion waits for it: recording comes first.
    fn is_behind(&self) -> bool {
        let shared = &self.options.shared;
        let behind = shared.board.pulses.behind(shared.clock.mono());
        behind.values().any(|time| *time > YIELD_BEHIND)
    }

    fn show(&self, verdict: Verdict, latched: Option<String>) {
        let paused = verdict.doubt();
        let before = self.options.deletion.get();
        match (&before.paused, &paused) {
            (None, Some(why)) => error!("footage is not deleted for now: {why}"),
            (Some(_), None) => info!("the clock is believed again: footage is deleted on time"),
            _ => {}
        }
        let unsynchronised = verdict != Verdict::Synchronised;
        if unsynchronised && !before.unsynchronised {
            warn!(
                "the host's clock is not synchronised; times of footage are only as good as it is"
            );
        }
        self.options.deletion.update(|board| {
            board.paused = paused;
            board.latched = latched;
            board.unsynchronised = unsynchronised;
        });
    }

    /// Bytes that volumes lack. One whose room cannot be read lacks nothing: writing to it fails.
    fn lacks(&self, volumes: &[Volume]) -> BTreeMap<VolumeId, Lack> {
        let lacks = |volume: &Volume| {
            let reserve = *self.options.reserves.get(&volume.root)?;
            let margin = margin(reserve);
            let free = volume.space().ok()?.free_bytes;
            let lack = Lack {
                bytes: (reserve + 2 * margin).saturating_sub(free),
                least: (reserve + margin).saturating_sub(free),
            };
            (lack.least > 0).then_some((volume.id, lack))
        };
        volumes.iter().filter_map(lacks).collect()
    }

    /// What the cameras' clocks say of those that record, unless the host's clock was set since the last look: what a
    /// camera said before that is no witness.
    fn camera_offsets(&mut self) -> Vec<i64> {
        let clock = &self.options.shared.clock;
        let now = (clock.wall(), clock.mono());
        let before = self.clocks.replace(now);
        let is_steady = before.is_some_and(|(wall, mono)| {
            let us = now.1.us_since(mono);
            us >= STEP_US && (now.0.us_since(wall) - us).abs() <= STEP_US
        });
        if is_steady {
            offsets_of(&self.options.shared.board)
        } else {
            Vec::new()
        }
    }

    /// Deletes what must go at `now`, which was believed; what is expired waits a little for others, unless `all` is to go. It
    /// may take long: before each further plan the time is judged again.
    fn sweep(
        &mut self,
        mut now: Wall,
        volumes: &[Volume],
        mut lacks: BTreeMap<VolumeId, Lack>,
        (mut all, camera_offsets_ms): (bool, &[i64]),
    ) -> Result<()> {
        let shared = Arc::clone(&self.options.shared);
        let there: HashSet<_> = volumes.iter().map(|volume| volume.id).collect();
        loop {
            let found = look::plan(&self.reader, now, &there, &lacks)?;
            let goes_on = all || !lacks.is_empty() || found.is_due();
            if !goes_on && self.reader.garbage(0, 1)?.is_empty() {
                return Ok(());
            }
            all = true;
            let Found { plan, in_vain, .. } = found;
            if !lacks.is_empty() {
                self.tell_in_vain(volumes, &in_vain);
            }
            lacks.retain(|volume, _| !in_vain.contains(volume));
            self.tell_early(volumes, &lacks, plan.iter().any(|d| d.rule == Rule::Early));
            let sweeper = Sweeper {
                catalog: &shared.catalog,
                reader: &self.reader,
                box_id: shared.box_id,
                clock: &*shared.clock,
                now,
            };
            let (woken, mut wakes) = (&self.woken, Vec::new());
            // While writers are behind the next batch waits, though not for ever: nothing else makes room.
            let outcome = sweeper.run(&plan, &mut || {
                let mut pauses = 0;
                loop {
                    match woken.recv_timeout(PAUSE) {
                        Ok(wake) => wakes.push(wake),
                        Err(RecvTimeoutError::Timeout) => {}
                        Err(RecvTimeoutError::Disconnected) => return false,
                    }
                    pauses += 1;
                    if matches!(wakes.last(), Some(Wake::Stop)) {
                        return false;
                    }
                    if pauses >= PAUSES_MAX || !self.is_behind() {
                        return true;
                    }
                }
            })?;
            wakes.into_iter().for_each(|wake| self.obey(wake));
            self.tell_failures(outcome.failures);
            if plan.is_empty() || self.stops {
                return Ok(());
            }
            info!("{} segments deleted", outcome.segments);
            // What goes early was measured once: how much that freed is seen at the next look.
            lacks.clear();
            let (later, verdict) = self.judged(camera_offsets_ms)?;
            if !verdict.is_believed() {
                // The next look says so.
                self.asked = true;
                return Ok(());
            }
            now = later;
        }
    }

    fn tell_in_vain(&self, volumes: &[Volume], in_vain: &[VolumeId]) {
        let known = self.options.deletion.get().in_vain;
        let names = volumes.iter().filter(|v| in_vain.contains(&v.id));
        let names: Vec<_> = names.map(|v| v.name.clone()).collect();
        for name in names.iter().filter(|name| !known.contains(name)) {
            error!(
                "volume \"{name}\" has no room, and deleting all its footage would make none: what else lies there?"
            );
        }
        self.options.deletion.update(|board| board.in_vain = names);
    }

    fn tell_early(&mut self, volumes: &[Volume], lacks: &BTreeMap<VolumeId, Lack>, deletes: bool) {
        if !deletes {
            return;
        }
        let now = self.options.shared.clock.mono();
        for volume in volumes.iter().filter(|v| lacks.contains_key(&v.id)) {
            let name = volume.name.clone();
            if self.early.insert(volume.id, (name, now)).is_none() {
                error!(
                    "volume \"{}\" has no room above its reserve: the oldest footage is deleted early",
                    volume.name
                );
            }
        }
    }

    fn tell_failures(&self, failures: Vec<String>) {
        let known = self.options.deletion.get().failures;
        for failure in failures.iter().filter(|f| !known.contains(f)) {
            error!("not deleted, tried again and again: {failure}");
        }
        self.options
            .deletion
            .update(|board| board.failures = failures);
    }
}

/// What the cameras' clocks say, one voice a camera.
fn offsets_of(board: &Board) -> Vec<i64> {
    let mut offsets = BTreeMap::new();
    for (stream, line) in board.lines() {
        if line.phase == Phase::Recording
            && let Some(ms) = line.camera_offset_ms
        {
            offsets.entry(stream.camera).or_insert(ms);
        }
    }
    offsets.into_values().collect()
}
