//! Asks each volume whether it is there, on a thread of its own: a disk that hangs must not keep alarms from being seen.

use std::collections::BTreeMap;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::base::Clock;
use crate::base::error::Result;
use crate::base::id::BoxId;
use crate::base::time::Mono;
use crate::daemon::alarms::AlarmFeed;
use crate::store::volume::Volume;

/// Volumes are asked this often.
const EVERY: Duration = Duration::from_secs(10);

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
    pub(super) fn start(box_id: BoxId, clock: Arc<dyn Clock>, feed: AlarmFeed) -> Result<Self> {
        let found = Arc::<Mutex<Found>>::default();
        let shared = Arc::clone(&found);
        let (stop, stopped) = sync_channel(1);
        std::thread::Builder::new()
            .name("alarm volumes".to_owned())
            .spawn(move || {
                loop {
                    let config = feed.with(|fed| fed.config.clone());
                    for volume in config.iter().flat_map(|config| &config.volumes) {
                        let update = |change: &mut dyn FnMut(&mut Found)| {
                            change(&mut shared.lock().unwrap_or_else(PoisonError::into_inner));
                        };
                        update(&mut |found| {
                            found.asking = Some((volume.name.clone(), clock.mono()));
                        });
                        let missing = Volume::open(&volume.path, box_id, &volume.name)
                            .err()
                            .map(|e| e.to_string());
                        update(&mut |found| {
                            found.asking = None;
                            match &missing {
                                Some(why) => found.missing.insert(volume.name.clone(), why.clone()),
                                None => found.missing.remove(&volume.name),
                            };
                        });
                    }
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
