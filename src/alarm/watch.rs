//! Watches the folders of footage and key slots: what somebody else than this process does there is told.
//!
//! The kernel tells that something happened, not who did it. This process knows how each file looked after its own last act
//! (`base::disk::acts`); what looks otherwise is somebody else's doing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use log::warn;
use notify::event::{EventKind, ModifyKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};

use crate::base::disk::acts::{self, Doer};
use crate::base::error::{Error, Kind, Result};
use crate::base::time::Wall;

/// Files of which something waits to be looked at; with more, everything is looked at instead.
const PENDING_MAX: usize = 10_000;
/// Folders watched at most: 16 cameras with two streams take some 900 for two weeks.
const WATCHES_MAX: usize = 50_000;
/// Folders below a volume are looked for so deep: CAMERA/STREAM/YEAR/MONTH/DAY.
const DEPTH_MAX: usize = 5;
/// The mirror of the ledger has proofs of its own.
const LEFT_OUT: [&str; 2] = ["sinetti-ledger", "lost+found"];
/// After events were lost, what changed so much earlier than the last look is looked at too, in microseconds.
const SLACK_US: i64 = 30_000_000;

#[derive(Default)]
struct Pending {
    /// What is said to have happened to which file; what came at this look waits for the next one.
    new: BTreeMap<PathBuf, bool>,
    /// Events were lost.
    lost: bool,
}

/// What was seen at a look.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Seen {
    /// What somebody else did, in words, with the path.
    pub acts: Vec<String>,
    /// Events were lost: what changed was looked for, what was removed is not known.
    pub lost: bool,
}

/// The watch over one volume.
pub struct Watch {
    root: PathBuf,
    watcher: RecommendedWatcher,
    pending: Arc<Mutex<Pending>>,
    /// From the look before: what was under way then has ended by now.
    waiting: BTreeMap<PathBuf, bool>,
    watched: BTreeSet<PathBuf>,
    /// When everything that had happened was last known.
    known: Wall,
    /// That not all folders can be watched was said.
    told: bool,
}

impl Watch {
    /// Begins to watch the volume at `root`.
    ///
    /// # Errors
    /// When the kernel gives no watch: too many instances or watches (`fs.inotify.max_user_instances`, `max_user_watches`).
    pub fn begin(root: &Path, now: Wall) -> Result<Self> {
        acts::know_below(root);
        let pending = Arc::<Mutex<Pending>>::default();
        let shared = Arc::clone(&pending);
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let mut pending = shared.lock().unwrap_or_else(PoisonError::into_inner);
            match event {
                Ok(event) if event.need_rescan() => pending.lost = true,
                Ok(event) if event.kind.is_access() => {}
                Ok(event) => {
                    let adds = matches!(
                        event.kind,
                        EventKind::Create(_) | EventKind::Modify(ModifyKind::Name(_))
                    );
                    for path in event.paths {
                        if pending.new.len() >= PENDING_MAX {
                            pending.lost = true;
                            break;
                        }
                        *pending.new.entry(path).or_default() |= adds;
                    }
                }
                Err(_) => pending.lost = true,
            }
        })
        .map_err(|e| failed(root, &e))?;
        let mut watch = Self {
            root: root.to_owned(),
            watcher,
            pending,
            waiting: BTreeMap::new(),
            watched: BTreeSet::new(),
            known: now,
            told: false,
        };
        watch.add(root.to_owned(), 0, &mut Vec::new())?;
        Ok(watch)
    }

    /// Looks at what happened up to the look before, and watches what is new. To be called every ten seconds or so.
    pub fn look(&mut self, now: Wall) -> Seen {
        let mut pending =
            std::mem::take(&mut *self.pending.lock().unwrap_or_else(PoisonError::into_inner));
        let waiting = std::mem::take(&mut self.waiting);
        let mut seen = Seen {
            lost: pending.lost,
            ..Seen::default()
        };
        // A new folder may have had files before it was watched.
        let mut inside = Vec::new();
        for path in pending.new.keys().cloned().collect::<Vec<_>>() {
            let depth = self.depth(&path);
            if path.is_dir() && !self.watched.contains(&path) {
                self.add(path, depth, &mut inside).ok();
            }
        }
        for path in inside {
            pending.new.insert(path, true);
        }
        if seen.lost {
            self.look_everywhere(&mut pending.new);
        }
        for (path, adds) in waiting {
            if self.is_left_out(&path) {
                continue;
            }
            match acts::doer(&path) {
                Doer::Own => {}
                Doer::Running => drop(pending.new.insert(path, adds)),
                Doer::Other => {
                    let what = match acts::look(&path) {
                        None => "removed",
                        Some(_) if adds => "added",
                        Some(_) => "changed",
                    };
                    let shown = path.strip_prefix(&self.root).unwrap_or(&path);
                    seen.acts.push(format!("{what}: {}", shown.display()));
                }
            }
        }
        self.waiting = pending.new;
        self.known = now;
        self.watched.retain(|dir| dir.is_dir());
        seen
    }

    fn depth(&self, path: &Path) -> usize {
        path.strip_prefix(&self.root)
            .map_or(DEPTH_MAX + 1, |rest| rest.components().count())
    }

    fn is_left_out(&self, path: &Path) -> bool {
        let first = path
            .strip_prefix(&self.root)
            .ok()
            .and_then(|rest| rest.components().next());
        first.is_some_and(|first| LEFT_OUT.iter().any(|name| first.as_os_str() == *name))
    }

    /// Watches a folder and those in it; files in it are put to `inside`.
    fn add(&mut self, dir: PathBuf, depth: usize, inside: &mut Vec<PathBuf>) -> Result<()> {
        if depth > DEPTH_MAX || self.is_left_out(&dir) || self.watched.contains(&dir) {
            return Ok(());
        }
        let watched = if self.watched.len() < WATCHES_MAX {
            self.watcher.watch(&dir, RecursiveMode::NonRecursive)
        } else {
            Err(notify::Error::new(notify::ErrorKind::MaxFilesWatch))
        };
        if let Err(e) = watched {
            if !std::mem::replace(&mut self.told, true) {
                warn!("{}; what others do there is not seen", failed(&dir, &e));
            }
            return if depth == 0 {
                Err(failed(&dir, &e))
            } else {
                Ok(())
            };
        }
        self.watched.insert(dir.clone());
        // The newest days first, should the watches not suffice.
        let mut entries: Vec<_> = fs::read_dir(&dir).into_iter().flatten().flatten().collect();
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.file_name()));
        for entry in entries {
            let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_dir {
                self.add(entry.path(), depth + 1, inside)?;
            } else if inside.len() < PENDING_MAX {
                inside.push(entry.path());
            }
        }
        Ok(())
    }

    /// Events were lost: every file that changed since shortly before the last look is looked at.
    fn look_everywhere(&mut self, pending: &mut BTreeMap<PathBuf, bool>) {
        let since = i128::from(self.known.plus_us(-SLACK_US).us()) * 1000;
        for dir in &self.watched {
            for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
                let path = entry.path();
                let is_new = acts::look(&path).is_some_and(|(_, _, changed)| changed >= since);
                if is_new {
                    pending.entry(path).or_insert(false);
                }
            }
        }
    }
}

fn failed(path: &Path, e: &notify::Error) -> Error {
    let remedy = match e.kind {
        notify::ErrorKind::MaxFilesWatch => {
            ": too many watches; raise fs.inotify.max_user_watches with sysctl"
        }
        _ => "",
    };
    Error::new(Kind::Io, format!("{e}{remedy}")).attempted(format!("watching {}", path.display()))
}

#[cfg(test)]
#[path = "watch_tests.rs"]
mod tests;
