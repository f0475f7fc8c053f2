//! What this process itself does in folders that are watched: so that what somebody else does there can be told from it.
//!
//! For each file that was changed it is known how it looked right afterwards. A file that looks otherwise was changed by
//! somebody else. Nothing is kept for folders that are not watched.

use std::collections::HashMap;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// Looks after which an act is forgotten: long after its events have come.
const LOOKS_MAX: u32 = 12;

/// How a file looks: its number, size, and time of last change of content or state (nanoseconds since 1970).
pub type Look = (u64, u64, i128);

struct Act {
    /// Acts under way.
    running: u32,
    /// How it looked after the last one; `None`: it is gone.
    after: Option<Look>,
    /// Looks since then.
    looks: u32,
}

static IS_ON: AtomicBool = AtomicBool::new(false);
static ROOTS: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());
static ACTS: Mutex<Option<HashMap<PathBuf, Act>>> = Mutex::new(None);

/// Whose doing the present look of a file is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Doer {
    /// This process's.
    Own,
    /// This process is at it: ask again.
    Running,
    /// Somebody else's.
    Other,
}

/// From now on acts below `root` are known.
pub fn know_below(root: &Path) {
    let mut roots = ROOTS.lock().unwrap_or_else(PoisonError::into_inner);
    if !roots.iter().any(|known| known == root) {
        roots.push(root.to_owned());
    }
    IS_ON.store(true, Ordering::SeqCst);
}

/// How a file looks; `None` when it is not there.
pub fn look(path: &Path) -> Option<Look> {
    let data = std::fs::symlink_metadata(path).ok()?;
    // A folder changes whenever something in it does.
    if data.is_dir() {
        return Some((data.ino(), 0, 0));
    }
    let changed = i128::from(data.ctime()) * 1_000_000_000 + i128::from(data.ctime_nsec());
    Some((data.ino(), data.len(), changed))
}

/// Who made a file look as it does now.
pub fn doer(path: &Path) -> Doer {
    with(|acts| match acts.get(path) {
        Some(act) if act.running > 0 => Doer::Running,
        Some(act) if act.after == look(path) => Doer::Own,
        _ => Doer::Other,
    })
}

/// Acts whose events must have come by now are forgotten. To be called every ten seconds or so.
pub fn forget_settled() {
    with(|acts| {
        acts.retain(|_, act| {
            act.looks += 1;
            act.running > 0 || act.looks <= LOOKS_MAX
        });
    });
}

fn with<T>(f: impl FnOnce(&mut HashMap<PathBuf, Act>) -> T) -> T {
    let mut acts = ACTS.lock().unwrap_or_else(PoisonError::into_inner);
    f(acts.get_or_insert_default())
}

/// Does `act`, which changes `path`.
pub(super) fn around<T>(path: &Path, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let is_known = || {
        let roots = ROOTS.lock().unwrap_or_else(PoisonError::into_inner);
        roots.iter().any(|root| path.starts_with(root))
    };
    if !IS_ON.load(Ordering::Relaxed) || !is_known() {
        return act();
    }
    with(|acts| {
        let known = acts.entry(path.to_owned()).or_insert(Act {
            running: 0,
            after: None,
            looks: 0,
        });
        known.running += 1;
    });
    let result = act();
    with(|acts| {
        if let Some(known) = acts.get_mut(path) {
            known.running = known.running.saturating_sub(1);
            (known.after, known.looks) = (look(path), 0);
        }
    });
    result
}
