//! The thread that looks after the ledger: footage seals every hour, what was only counted every minute, mirrors on every
//! volume, and whether somebody took an anchor away lately.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use log::{error, warn};
use serde_json::json;

use crate::base::Clock;
use crate::base::error::{Error, Kind, Result};
use crate::base::id::BoxId;
use crate::base::time::Wall;
use crate::catalog::{
    Catalog, DISCLOSURE_REQUESTED, EntryFilter, Event, LedgerChange, Reader, Serial,
};
use crate::daemon::alarms::{ANCHOR_SENT, AlarmFeed};
use crate::daemon::records;
use crate::daemon::sweeper;
use crate::evidence::tree_check::{self, TreeDir};
use crate::evidence::tree_files;
use crate::ledger::audit::Log;
use crate::ledger::checkpoint::{Checkpoint, Key};
use crate::ledger::detail::Class;
use crate::ledger::entry::Entry;
use crate::ledger::seal::SEGMENTS_MAX;
use crate::store::state::State;
use crate::store::volume::Volume;

/// Mirrors and tallies are brought up to date this often.
const EVERY: Duration = Duration::from_secs(60);
/// Footage is sealed this often.
const SEAL_EVERY_US: i64 = 3_600_000_000;
/// Without an anchor taken away for so long somebody should be told.
pub const ANCHOR_EVERY_US: i64 = 30 * 86_400_000_000;
/// What counts as an anchor that was taken away.
pub const ANCHORS: [&str; 2] = ["anchor-taken", ANCHOR_SENT];

/// What is known of the ledger, for status.
#[derive(Clone, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct LedgerStatus {
    /// Entries under the last checkpoint of this epoch.
    pub size: u64,
    /// Which epoch; 1 before any restore.
    pub epoch: u32,
    /// Why nothing is signed, if so.
    pub trouble: Option<String>,
    /// Why nothing can be written, if so.
    #[serde(default)]
    pub unwritable: Option<String>,
    /// What is wrong with the mirror on a volume.
    pub mirrors: BTreeMap<String, String>,
    /// When somebody last took an anchor away; none: nobody ever did.
    pub last_anchor: Option<Wall>,
    /// Nobody did for 30 days.
    pub anchor_overdue: bool,
}

impl LedgerStatus {
    /// True when somebody should look.
    pub fn is_alarm(&self) -> bool {
        self.trouble.is_some()
            || self.unwritable.is_some()
            || !self.mirrors.is_empty()
            || self.anchor_overdue
    }

    /// As the catalog has it.
    ///
    /// # Errors
    /// What the catalog says.
    pub fn read(reader: &Reader, now: Wall) -> Result<Self> {
        let epochs = reader.epochs()?;
        let Some(epoch) = epochs.last() else {
            return Err(Error::corrupt("the catalog has no epoch of the ledger"));
        };
        let last_anchor = reader.last_of(&ANCHORS)?.map(|row| row.entry.at);
        let begun = epochs.first().map_or(epoch.started, |first| first.started);
        let since = last_anchor.unwrap_or(begun);
        Ok(Self {
            size: epoch.size,
            epoch: epoch.number,
            trouble: None,
            unwritable: None,
            mirrors: BTreeMap::new(),
            last_anchor,
            anchor_overdue: now.us_since(since) > ANCHOR_EVERY_US,
        })
    }
}

/// What the thread found, for whoever asks. Cheap to clone.
#[derive(Clone, Default)]
pub struct LedgerBoard(Arc<Mutex<BTreeMap<String, String>>>);

impl LedgerBoard {
    /// What is wrong with mirrors, by volume.
    pub fn mirrors(&self) -> BTreeMap<String, String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn set(&self, mirrors: BTreeMap<String, String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = mirrors;
    }
}

/// What the thread needs.
pub struct Options {
    /// The catalog.
    pub catalog: Arc<Catalog>,
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// This box.
    pub box_id: BoxId,
    /// The public half of its ledger key.
    pub key: Key,
    /// Where it is told what is wrong.
    pub board: LedgerBoard,
    /// The configuration in force.
    pub feed: AlarmFeed,
}

/// The running thread.
pub struct Keeping {
    waker: SyncSender<()>,
    thread: JoinHandle<Result<()>>,
}

impl Keeping {
    /// Starts it.
    ///
    /// # Errors
    /// When the catalog cannot be read or no thread can be had.
    pub fn start(options: Options) -> Result<Self> {
        let (waker, woken) = sync_channel(1);
        let work = Work {
            reader: options.catalog.reader()?,
            options,
            told: BTreeMap::new(),
        };
        let thread = std::thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || work.run(&woken))?;
        Ok(Self { waker, thread })
    }

    /// Stops it.
    pub fn stop(self) {
        // Full means that it is about to wake up; then the channel's end tells it.
        self.waker.try_send(()).ok();
        drop(self.waker);
        match self.thread.join() {
            Ok(Ok(())) => {}
            Ok(Err(e)) => error!("looking after the ledger: {e}"),
            Err(_) => error!("the ledger's thread failed"),
        }
    }
}

/// Seals everything that is closed.
///
/// # Errors
/// When the catalog cannot be read or written.
pub fn seal(catalog: &Catalog, at: Wall, cause: &'static str) -> Result<()> {
    let reader = catalog.reader()?;
    let mut left = reader.unsealed()?;
    while left > 0 {
        catalog.commit(LedgerChange::FootageSealed { at, cause }, None)?;
        left = left.saturating_sub(SEGMENTS_MAX as u64);
    }
    Ok(())
}

/// Brings the mirror on each volume up to date; what is wrong with which.
///
/// # Errors
/// When the catalog cannot be read.
pub fn mirror(reader: &Reader, box_id: BoxId, key: Key) -> Result<BTreeMap<String, Error>> {
    let mut wrong = BTreeMap::new();
    for volume in sweeper::present(reader, box_id)? {
        if let Err(e) = mirror_on(&volume, reader, box_id, key) {
            wrong.insert(volume.name, e);
        }
    }
    Ok(wrong)
}

fn mirror_on(volume: &Volume, reader: &Reader, box_id: BoxId, key: Key) -> Result<()> {
    let dir = volume.root.join(tree_files::MIRROR);
    tree_files::set_aside_older_epoch(&dir, reader, key)?;
    tree_files::write(&dir, reader, box_id, key).map(drop)
}

/// The mirror on a volume and what it was signed over, when this box's key signed it.
pub fn mirror_of(volume: &Volume, key: Key) -> Option<(Checkpoint, PathBuf)> {
    let dir = volume.root.join(tree_files::MIRROR);
    let note = tree_files::read_note(&dir).ok()??;
    Some((Checkpoint::open(&note, key).ok()?, dir))
}

/// Begins the ledger anew. What lies on the volumes may know more than this catalog: its size and root are stated, and no
/// epoch that they know of is begun twice.
///
/// # Errors
/// `Invalid` without a statement; what the catalog says.
pub fn begin_epoch(
    catalog: &Catalog,
    (box_id, key): (BoxId, Key),
    by: &str,
    statement: &str,
    now: Wall,
) -> Result<()> {
    if statement.trim().is_empty() {
        return Err(Error::invalid(
            "an epoch begins with a statement: say why the ledger has to begin anew",
        ));
    }
    let reader = catalog.reader()?;
    let (mut known, mut mirrors) = (reader.epoch()?.number, Vec::new());
    for volume in sweeper::present(&reader, box_id)? {
        if let Some((checkpoint, _)) = mirror_of(&volume, key) {
            known = known.max(checkpoint.epoch);
            mirrors.push(json!({
                "volume": volume.id.to_string(),
                "epoch": checkpoint.epoch,
                "size": checkpoint.size,
                "root": checkpoint.root.to_string(),
            }));
        }
    }
    let change = LedgerChange::EpochBegun {
        at: now,
        number: known.checked_add(1),
        cause: json!({ "trouble": catalog.trouble(), "mirrors": mirrors }),
        statement: format!("{by}: {statement}"),
    };
    catalog.commit(change, None)
}

/// What mirrors know that came after the end of a restored ledger.
#[derive(Clone, PartialEq, Eq, Debug, Default, serde::Serialize)]
pub struct Since {
    /// Entries, on the mirror that knows most.
    pub entries: u64,
    /// Changes of persons and rights among them, each in words; at most [`SINCE_LISTED_MAX`].
    pub people: Vec<String>,
    /// The highest serial number of a disclosure that was given meanwhile, by its year; of all mirrors together.
    pub serials: BTreeMap<u16, u32>,
    /// Every volume that the catalog knows was there, and its mirror could be read: a mirror is at most a minute behind.
    pub is_certain: bool,
}

/// So many changes of persons are listed.
pub const SINCE_LISTED_MAX: usize = 100;

/// What the mirrors on the volumes know beyond the end of this catalog's ledger.
///
/// # Errors
/// What the catalog says. A mirror that cannot be read knows nothing.
pub fn since(reader: &Reader, (box_id, key): (BoxId, Key)) -> Result<Since> {
    let epoch = reader.epoch()?;
    let newest = reader.entries(&EntryFilter::default(), 1)?.pop();
    let known = newest.map_or(0, |row| (row.entry.seq + 1).saturating_sub(epoch.first_seq));
    let (mut most, mut read) = (Since::default(), 0);
    let mut serials = BTreeMap::new();
    for volume in sweeper::present(reader, box_id)? {
        let Some((_, dir)) = mirror_of(&volume, key) else {
            continue;
        };
        match since_in(&dir, key, (epoch.number, known)) {
            Ok(since) => {
                read += 1;
                for (year, number) in &since.serials {
                    let last: &mut u32 = serials.entry(*year).or_default();
                    *last = (*last).max(*number);
                }
                if since.entries > most.entries {
                    most = since;
                }
            }
            Err(e) => warn!("the ledger's mirror on volume \"{}\": {e}", volume.name),
        }
    }
    let is_certain = read > 0 && read == reader.volumes()?.len();
    Ok(Since {
        serials,
        is_certain,
        ..most
    })
}

fn since_in(dir: &Path, key: Key, (epoch, known): (u32, u64)) -> Result<Since> {
    let mut since = Since::default();
    for (number, dir) in tree_check::epoch_dirs(dir, key)? {
        if number < epoch {
            continue;
        }
        let log = TreeDir::open(&dir, key)?;
        let mut index = if number == epoch { known } else { 0 };
        loop {
            let page = log.records(index, 256)?;
            if page.is_empty() {
                break;
            }
            index += page.len() as u64;
            for record in page {
                since.entries += 1;
                let entry = Entry::parse(&record.map_err(Error::corrupt)?.line)?;
                if let Some(serial) = given_in(&entry) {
                    let last = since.serials.entry(serial.year).or_default();
                    *last = (*last).max(serial.number);
                }
                let is_change = Class::of(&entry.action) == Class::People
                    && entry.result == "ok"
                    && !entry.action.starts_with("generation");
                if is_change && since.people.len() < SINCE_LISTED_MAX {
                    let (at, action, object) = (entry.at, entry.action, entry.object);
                    since.people.push(format!("{at} {action} {object}"));
                }
            }
        }
    }
    Ok(since)
}

/// The serial number that a disclosure got with this entry.
fn given_in(entry: &Entry) -> Option<Serial> {
    let serial = entry.facts["serial"].as_str();
    serial
        .filter(|_| entry.action == DISCLOSURE_REQUESTED)
        .and_then(|text| text.parse().ok())
}

/// The mirrors get the end too, when everything is signed at last.
pub fn last_mirror(state: &State) {
    let mirrored = Reader::open(&state.catalog_path(), state.box_id)
        .and_then(|reader| mirror(&reader, state.box_id, state.key()?));
    match mirrored {
        Ok(wrong) => wrong
            .iter()
            .for_each(|(name, e)| warn!("the ledger's mirror on volume \"{name}\": {e}")),
        Err(e) => warn!("mirroring the ledger: {e}"),
    }
}

struct Work {
    options: Options,
    reader: Reader,
    /// Mirrors that were told to be wrong already.
    told: BTreeMap<String, String>,
}

impl Work {
    fn run(mut self, woken: &Receiver<()>) -> Result<()> {
        loop {
            if let Err(e) = self.turn() {
                warn!("looking after the ledger: {e}");
            }
            match woken.recv_timeout(EVERY) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
        }
    }

    fn turn(&mut self) -> Result<()> {
        let (catalog, now) = (&self.options.catalog, self.options.clock.wall());
        catalog.commit(LedgerChange::TalliesFlushed { at: now }, None)?;
        let last = self
            .reader
            .last_of(&["footage-seal"])?
            .map(|row| row.entry.at);
        // Either way: after the clock went back too.
        if last.is_none_or(|last| now.us_since(last).abs() >= SEAL_EVERY_US) {
            seal(catalog, now, "hour")?;
            let oldest = self.reader.oldest_start()?.unwrap_or(now);
            catalog.commit(LedgerChange::SealsPruned { oldest }, None)?;
        }
        if let Some(config) = self.options.feed.config() {
            records::expire(catalog, &self.reader, &config.records, &*self.options.clock)?;
        }
        let wrong = mirror(&self.reader, self.options.box_id, self.options.key)?;
        self.tell(&wrong, now)
    }

    /// Each mirror that is wrong is told once; one that disagrees is an event.
    fn tell(&mut self, wrong: &BTreeMap<String, Error>, now: Wall) -> Result<()> {
        let texts: BTreeMap<_, _> = wrong
            .iter()
            .map(|(name, e)| (name.clone(), e.to_string()))
            .collect();
        for (name, e) in wrong {
            if self.told.get(name) == texts.get(name) {
                continue;
            }
            error!("the ledger's mirror on volume \"{name}\": {e}");
            if e.kind() == Kind::Foreign {
                let event = Event {
                    result: "failed".to_owned(),
                    detail: Some(json!({ "text": e.to_string() })),
                    ..Event::of_box(now, "ledger-disagrees", name, json!({}))
                };
                self.options.catalog.commit(Vec::new(), event)?;
            }
        }
        self.options.board.set(texts.clone());
        self.told = texts;
        Ok(())
    }
}
