//! Pages and API in the daemon: hands the server what it needs, and the configuration whenever it changes.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use log::{error, warn};
use tokio::sync::watch;

use crate::access::Premises;
use crate::alarm::Figures;
use crate::base::Clock;
use crate::base::error::Result;
use crate::base::time::Wall;
use crate::catalog::Reader;
use crate::config::Config;
use crate::daemon::alarms::AlarmFeed;
use crate::daemon::packages::{self, Packing};
use crate::daemon::scrub::Handle;
use crate::daemon::sweeper::{self, DeletionBoard, Wake};
use crate::daemon::volumes::Shared;
use crate::disclosure::packages::Packages;
use crate::http::Web;
use crate::http::app::{Host, Parts};
use crate::recorder::live::Live;
use crate::store::state::State;

/// The server, when there is one.
pub struct Serving {
    config: watch::Sender<Arc<Config>>,
    web: Option<Web>,
    packing: Option<Packing>,
}

struct Facts {
    clock: Arc<dyn Clock>,
    deletion: DeletionBoard,
    scrub: Handle,
    feed: AlarmFeed,
    wake: SyncSender<Wake>,
}

impl Host for Facts {
    fn believed(&self, reader: &Reader) -> Result<Wall> {
        let now = self.clock.wall();
        Ok(match self.deletion.get().paused {
            Some(_) => sweeper::mark(reader)?.unwrap_or(now),
            None => now,
        })
    }

    fn deletion_troubles(&self) -> Vec<String> {
        let deletion = self.deletion.get();
        let reasons = [deletion.paused, deletion.latched, deletion.failed];
        let early = deletion
            .early
            .into_iter()
            .map(|name| format!("volume \"{name}\" loses footage early"));
        let in_vain = deletion
            .in_vain
            .into_iter()
            .map(|name| format!("volume \"{name}\" has no room, whatever is deleted"));
        reasons
            .into_iter()
            .flatten()
            .chain(early)
            .chain(in_vain)
            .chain(deletion.failures)
            .collect()
    }

    fn damaged_segments(&self) -> u64 {
        let marks = self.scrub.mark().volumes;
        marks.values().map(|mark| mark.damaged.len() as u64).sum()
    }

    fn alarms(&self, reader: &Reader) -> Result<Figures> {
        self.feed.figures(reader)
    }

    fn kept(&self) {
        // Full means that it is awake.
        self.wake.try_send(Wake::Look).ok();
    }

    fn certificate_until(&self, end: Wall) {
        self.feed.certificate(Some(end));
    }
}

impl Serving {
    /// Starts the server when the configuration says where. Recording goes on whatever becomes of it.
    pub fn start(
        state: &State,
        config: &Config,
        shared: &Shared,
        live: &Live,
        (deletion, feed): (&DeletionBoard, &AlarmFeed),
    ) -> Self {
        let access = &shared.access;
        access.set_premises(Premises::new(Arc::clone(&config.web.premises)));
        let (sender, receiver) = watch::channel(Arc::new(config.clone()));
        // Copies are wiped in time, whether there are pages or not.
        let options = packages::Options::new(shared, deletion, state);
        let (packing, desk) = match Packing::start(options) {
            Ok((packing, desk)) => {
                let desk: Arc<dyn Packages> = desk;
                // For commands; it is started once.
                shared.packages.set(Arc::clone(&desk)).ok();
                (Some(packing), Some(desk))
            }
            Err(e) => {
                error!("{e}; no packages are made, recording goes on");
                (None, None)
            }
        };
        if config.web.listen.is_empty() && config.web.metrics.is_none() {
            return Self {
                config: sender,
                web: None,
                packing,
            };
        }
        let ledger_key = match state.key() {
            Ok(key) => key,
            Err(e) => {
                error!("{e}; there are no pages, recording goes on");
                return Self {
                    config: sender,
                    web: None,
                    packing,
                };
            }
        };
        let started = Web::start(Parts {
            dir: state.dir.clone(),
            box_id: state.box_id,
            clock: Arc::clone(&shared.clock),
            catalog: Arc::clone(&shared.catalog),
            board: shared.board.clone(),
            live: live.clone(),
            config: receiver,
            access: access.clone(),
            packages: desk,
            ledger_key,
            host: Arc::new(Facts {
                clock: Arc::clone(&shared.clock),
                deletion: deletion.clone(),
                scrub: shared.scrub.clone(),
                feed: feed.clone(),
                wake: shared.wake.clone(),
            }),
        });
        let web = match started {
            Ok(web) => Some(web),
            Err(e) => {
                error!("{e}; there are no pages, recording goes on");
                None
            }
        };
        Self {
            config: sender,
            web,
            packing,
        }
    }

    /// The configuration was changed.
    pub fn reload(&self, config: &Config, shared: &Shared) {
        let old = self.config.borrow().web.clone();
        if (&old.listen, old.metrics) != (&config.web.listen, config.web.metrics) {
            warn!(
                "listen and metrics under [web] take effect at the next start: systemctl restart sinetti"
            );
        }
        let premises = Premises::new(Arc::clone(&config.web.premises));
        shared.access.set_premises(premises);
        self.config.send_replace(Arc::new(config.clone()));
    }

    /// Stops the server and waits until what it delivered is written down.
    pub fn stop(self) {
        if let Some(web) = self.web {
            web.stop();
        }
        if let Some(packing) = self.packing {
            packing.stop();
        }
    }
}
