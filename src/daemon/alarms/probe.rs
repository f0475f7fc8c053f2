//! Asks each volume whether it is there, and what somebody else did on it, on a thread of its own: a disk that hangs must not
//! keep alarms from being seen.

use std::collections::BTreeMap;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use log::{error, warn};

use crate::alarm::Watch;
use crate::base::disk::acts;
use crate::base::error::Result;
use crate::base::time::Mono;
use crate::config::VolumeConfig;
use crate::daemon::alarms::AlarmFeed;
use crate::daemon::volumes::Shared;
use crate::store::volume::Volume;

/// Volumes are asked this often.
const EVERY: Duration = Duration::from_secs(10);
/// Log lines of one look at a volume about what somebody else did; all of it is counted.
const LINES_MAX: usize = 5;

/// What is known of volumes.
#[derive(Clone, Default)]
pub(super) struct Found {
    /// Why those that cannot be used cannot.
    pub(super) missing: BTreeMap<String, String>,
    /// The one that is asked now, and since when.
    pub(super) asking: Option<(String, Mono)>,
}

/// The thread. It ends by itself when this is dropped; it is not waited for, since it may hang.
pub(super) struct Probe {
    found: Arc<Mutex<Found>>,
    _stop: SyncSender<()>,
}

impl Probe {
    pub(super) fn start(shared: Arc<Shared>, feed: AlarmFeed) -> Result<Self> {
        let found = Arc::<Mutex<Found>>::default();
        let (stop, stopped) = sync_channel(1);
        let mut work = Work {
            shared,
            feed,
            found: Arc::clone(&found),
            watches: BTreeMap::new(),
            unwatched: BTreeMap::new(),
        };
        std::thread::Builder::new()
            .name("alarm volumes".to_owned())
            .spawn(move || {
                loop {
                    work.turn();
                    if stopped.recv_timeout(EVERY) != Err(RecvTimeoutError::Timeout) {
                        return;
                    }
                }
            })?;
        Ok(Self { found, _stop: stop })
    }

    pub(super) fn found(&self) -> Found {
        self.found
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

struct Work {
    shared: Arc<Shared>,
    feed: AlarmFeed,
    found: Arc<Mutex<Found>>,
    watches: BTreeMap<String, Watch>,
    /// Why volumes are not watched, said once.
    unwatched: BTreeMap<String, String>,
}

impl Work {
    fn turn(&mut self) {
        let config = self.feed.config();
        for volume in config.iter().flat_map(|config| &config.volumes) {
            let began = self.shared.clock.mono();
            self.update(|found| found.asking = Some((volume.name.clone(), began)));
            let missing = Volume::open(&volume.path, self.shared.box_id, &volume.name)
                .err()
                .map(|e| e.to_string());
            match &missing {
                None => self.watch(volume),
                Some(_) => drop(self.watches.remove(&volume.name)),
            }
            self.update(|found| {
                found.asking = None;
                match missing {
                    Some(why) => found.missing.insert(volume.name.clone(), why),
                    None => found.missing.remove(&volume.name),
                };
            });
        }
        acts::forget_settled();
    }

    fn update(&self, change: impl FnOnce(&mut Found)) {
        change(&mut self.found.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn watch(&mut self, volume: &VolumeConfig) {
        let (name, now) = (&volume.name, self.shared.clock.wall());
        let Some(watch) = self.watches.get_mut(name) else {
            match Watch::begin(&volume.path, now) {
                Ok(watch) => {
                    self.unwatched.remove(name);
                    self.watches.insert(name.clone(), watch);
                }
                Err(e) => {
                    let text = e.to_string();
                    if self.unwatched.get(name) != Some(&text) {
                        warn!("volume \"{name}\": {text}; what others do there is not seen");
                        self.unwatched.insert(name.clone(), text);
                    }
                }
            }
            return;
        };
        let seen = watch.look(now);
        for (n, act) in seen.acts.iter().enumerate() {
            if n < LINES_MAX {
                error!("volume \"{name}\": somebody else did something there: {act}");
            }
            self.feed.touched(name, act, now);
        }
        if seen.lost {
            warn!(
                "volume \"{name}\": more happened there than could be watched; files and rows are compared now"
            );
            self.shared.scrub.begin();
        }
    }
}
