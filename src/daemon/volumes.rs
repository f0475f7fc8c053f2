//! The volumes that are recorded to: each with its writer and keeper.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Sender, SyncSender, channel};
use std::thread::JoinHandle;

use log::error;

use crate::access::{Access, keys};
use crate::base::Clock;
use crate::base::error::{Error, Kind, Result};
use crate::base::id::BoxId;
use crate::base::time::Wall;
use crate::catalog::{Catalog, Change};
use crate::config::{Config, RecorderConfig, VolumeConfig};
use crate::daemon::alarms::AlarmFeed;
use crate::daemon::packages::Way;
use crate::daemon::scrub::Handle;
use crate::daemon::sweeper::Wake;
use crate::recorder::board::Board;
use crate::recorder::fragment::Order;
use crate::recorder::keeper::{self, Keeper};
use crate::recorder::segment::{Sealing, SealingInForce};
use crate::recorder::writer::{self, Writer};
use crate::retention::latch;
use crate::store::state::State;
use crate::store::volume::Volume;

/// The volumes with their threads.
#[derive(Default)]
pub struct Volumes {
    running: BTreeMap<String, Running>,
}

struct Running {
    sender: Sender<Order>,
    writer: JoinHandle<Keeper>,
}

/// What every volume's threads share.
pub struct Shared {
    /// What alarms are judged by, the configuration in force among it.
    pub feed: AlarmFeed,
    /// This box.
    pub box_id: BoxId,
    /// To whom keys are wrapped.
    pub sealing: SealingInForce,
    /// Who may do what.
    pub access: Access,
    /// The catalog.
    pub catalog: Arc<Catalog>,
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// Where it is shown what goes on.
    pub board: Board,
    /// The scrub of all volumes.
    pub scrub: Handle,
    /// Where writers ask for room.
    pub wake: SyncSender<Wake>,
    /// The way to whoever makes packages, once that runs.
    pub packages: Way,
}

/// To whom keys are wrapped: the vault generation in force.
///
/// # Errors
/// When there is none: `sinetti init` did not finish.
pub(super) fn sealing(state: &State, catalog: &Catalog) -> Result<SealingInForce> {
    let row = catalog.reader()?.current_generation()?.ok_or_else(|| {
        Error::new(
            Kind::NotFound,
            "the catalog has no vault generation. Was sinetti init interrupted? Else: sinetti reindex",
        )
    })?;
    Ok(SealingInForce::new(Sealing {
        generation: keys::public(&row)?,
        recovery: state.recovery.clone(),
    }))
}

/// Tells the catalog of a volume.
///
/// # Errors
/// What the catalog says.
pub fn seen(catalog: &Catalog, volume: &Volume) -> Result<()> {
    let path = volume.root.to_string_lossy().into_owned();
    catalog.commit(
        Change::VolumeSeen {
            volume: volume.id,
            name: volume.name.clone(),
            path,
        },
        None,
    )
}

/// Looks at the volumes that are there, as early as possible: a new catalog in place of a lost one may have no vault
/// generation, and then nothing more happens than that deletion is latched.
pub(super) fn look_at(state: &State, config: &Config, catalog: &Catalog, now: Wall) {
    for volume in &config.volumes {
        let looked = Volume::open(&volume.path, state.box_id, &volume.name).map(|volume| {
            if let Err(e) = latch::look(catalog, &volume, now) {
                error!("{e}");
            }
        });
        // What cannot be opened is told of, and looked at, when it is opened for recording.
        looked.ok();
    }
}

/// Wakes the sweeper. When its queue is full it is awake.
fn ask_room(wake: &SyncSender<Wake>) -> Arc<dyn Fn() + Send + Sync> {
    let wake = wake.clone();
    Arc::new(move || {
        wake.try_send(Wake::Room).ok();
    })
}

impl Volumes {
    /// Starts the threads of an opened volume.
    ///
    /// # Errors
    /// When the catalog refuses the volume or no thread can be had.
    pub fn start(
        &mut self,
        volume: Volume,
        config: &VolumeConfig,
        recorder: &RecorderConfig,
        shared: &Shared,
    ) -> Result<()> {
        let keeper = Keeper::start(
            keeper::Options {
                volume: volume.clone(),
                dedicated: config.dedicated,
                sync_secs: recorder.sync_secs,
                clock: Arc::clone(&shared.clock),
                board: shared.board.clone(),
            },
            Arc::clone(&shared.catalog),
        )?;
        let name = volume.name.clone();
        let writer = Writer::new(
            writer::Options {
                volume,
                box_id: shared.box_id,
                sealing: shared.sealing.clone(),
                reserve_bytes: config.reserve_bytes,
                clock: Arc::clone(&shared.clock),
                board: shared.board.clone(),
                ask_room: ask_room(&shared.wake),
            },
            keeper,
        );
        let (sender, orders) = channel();
        let thread = std::thread::Builder::new()
            .name(format!("write {name}"))
            .spawn(move || writer.run(&orders))?;
        self.running.insert(
            name,
            Running {
                sender,
                writer: thread,
            },
        );
        Ok(())
    }

    /// The way to a volume's writer.
    ///
    /// # Errors
    /// When there is no such volume.
    pub fn sender(&self, name: &str) -> Result<Sender<Order>> {
        let unknown = || {
            Error::new(
                Kind::NotFound,
                format!("volume \"{name}\" is not in use; restart Sinetti after adding a volume"),
            )
        };
        self.running
            .get(name)
            .map(|r| r.sender.clone())
            .ok_or_else(unknown)
    }

    /// Closes every segment and waits until all rows are committed. The streams must have been stopped.
    pub fn finish(self) {
        // All writers first: they work at the same time.
        let keepers: Vec<_> = self
            .running
            .into_iter()
            .map(|(name, running)| {
                drop(running.sender);
                (name, running.writer)
            })
            .collect();
        for (name, writer) in keepers {
            let done = writer
                .join()
                .map_err(|_| Error::new(Kind::Internal, "the writer's thread failed"));
            if let Err(e) = done.and_then(Keeper::finish) {
                error!("volume \"{name}\": {e}");
            }
        }
    }
}
