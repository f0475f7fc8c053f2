//! What the daemon keeps an eye on: its configuration file, and volumes that do not keep up. That is said aloud, once, here,
//! since their own threads hang.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use log::{error, info};
use notify::Watcher;

use crate::base::Clock;
use crate::base::error::{Error, Kind, Result};
use crate::catalog::{Catalog, Event};
use crate::recorder::board::Board;
use crate::recorder::pulse::BEHIND_MAX;

/// It is looked for this often.
pub(super) const EVERY: Duration = Duration::from_secs(5);

/// Volumes that are behind, as far as it was said.
#[derive(Default)]
pub(super) struct VolumeWatch {
    behind: BTreeSet<String>,
}

impl VolumeWatch {
    /// Looks, and says what is new. Never waits.
    pub(super) fn look(&mut self, board: &Board, clock: &dyn Clock, catalog: &Catalog) {
        for (name, behind) in board.pulses.behind(clock.mono()) {
            let secs = behind.as_secs();
            if behind > BEHIND_MAX && self.behind.insert(name.clone()) {
                error!(
                    "volume \"{name}\" does not keep up: for {secs} s nothing became durable; a power cut loses that \
                     much. Look at the disk: dmesg, smartctl -a"
                );
                note(catalog, clock, "volume-behind", "failed", &name);
            } else if behind <= BEHIND_MAX && self.behind.remove(&name) {
                info!("volume \"{name}\" keeps up again");
                note(catalog, clock, "volume-keeps-up", "ok", &name);
            }
        }
    }
}

fn note(catalog: &Catalog, clock: &dyn Clock, action: &str, result: &str, volume: &str) {
    let event = Event {
        result: result.to_owned(),
        ..Event::of_box(clock.wall(), action, volume, serde_json::json!({}))
    };
    let told = |result: Result<()>| {
        if let Err(e) = result {
            error!("{e}");
        }
    };
    catalog.commit_later(Vec::new(), event, Box::new(told));
}

/// Tells of changes to the file at `path`. The folder is watched, since an atomic replacement makes a new file.
pub(super) fn changes_of(
    path: &Path,
) -> Result<(notify::RecommendedWatcher, tokio::sync::mpsc::Receiver<()>)> {
    let (sender, receiver) = tokio::sync::mpsc::channel(8);
    let name = path.file_name().map(std::ffi::OsStr::to_owned);
    let what = || format!("watching {}", path.display());
    let failed = |e: notify::Error| Error::new(Kind::Io, e.to_string()).attempted(what());
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // An error means that events were lost: look.
        let concerns = event.map_or(true, |event| {
            !event.kind.is_access() && event.paths.iter().any(|p| p.file_name() == name.as_deref())
        });
        if concerns {
            // Full means that a look is due already.
            sender.try_send(()).ok();
        }
    })
    .map_err(failed)?;
    let dir = path.parent().unwrap_or(Path::new("."));
    watcher
        .watch(dir, notify::RecursiveMode::NonRecursive)
        .map_err(failed)?;
    Ok((watcher, receiver))
}
