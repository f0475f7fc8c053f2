//! What every route can reach.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::StatusCode;
use tokio::sync::{Semaphore, watch};

use crate::access::Access;
use crate::alarm::Figures;
use crate::base::Clock;
use crate::base::error::{Error, Kind, Result};
use crate::base::id::{BoxId, HoldId};
use crate::base::shutdown::Stopped;
use crate::base::time::Wall;
use crate::catalog::{Catalog, Event, Reader};
use crate::config::Config;
use crate::decode::Program;
use crate::disclosure::packages::Packages;
use crate::footage::Footage;
use crate::http::certificate::InForce;
use crate::http::gate::Gate;
use crate::http::playback::Playbacks;
use crate::http::problem::Answer;
use crate::http::tls;
use crate::ledger::checkpoint::Key;
use crate::recorder::board::Board;
use crate::recorder::live::Live;

/// What the daemon alone knows.
pub trait Host: Send + Sync {
    /// The last time of day that is believed; what is expired then is shown to nobody.
    ///
    /// # Errors
    /// What the catalog says.
    fn believed(&self, reader: &Reader) -> Result<Wall>;

    /// What is wrong with deletion, each in words; empty when nothing is.
    fn deletion_troubles(&self) -> Vec<String>;

    /// Segments that the scrub found damaged.
    fn damaged_segments(&self) -> u64;

    /// Figures of the alarms.
    ///
    /// # Errors
    /// What the catalog says.
    fn alarms(&self, reader: &Reader) -> Result<Figures>;

    /// Something about holds or policies has changed: the sweeper looks at once.
    fn kept(&self);

    /// The certificate that is served is valid until then.
    fn certificate_until(&self, end: Wall);
}

/// What the daemon hands over.
pub struct Parts {
    /// The state folder.
    pub dir: PathBuf,
    /// This box.
    pub box_id: BoxId,
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// The catalog.
    pub catalog: Arc<Catalog>,
    /// What each stream is doing.
    pub board: Board,
    /// Live pictures.
    pub live: Live,
    /// The configuration in force.
    pub config: watch::Receiver<Arc<Config>>,
    /// Who may what.
    pub access: Access,
    /// Makes packages of disclosures; none when that could not be started.
    pub packages: Option<Arc<dyn Packages>>,
    /// The key that verifies checkpoints of the ledger.
    pub ledger_key: Key,
    /// What only the daemon knows.
    pub host: Arc<dyn Host>,
}

/// What every route can reach.
pub struct App {
    /// What the daemon handed over.
    pub parts: Parts,
    /// The certificate that is served.
    pub certificate: Arc<InForce>,
    /// Connections.
    pub gate: Arc<Gate>,
    /// Answers.
    pub counts: Counts,
    /// Playbacks that are open.
    pub playbacks: Playbacks,
    /// What decodes pictures.
    pub codec: Program,
    /// One camera is tried at a time.
    pub probing: Semaphore,
    /// Told when the server stops.
    pub stopped: Stopped,
    /// Since when it runs.
    pub started: Wall,
}

/// Answers since the start.
#[derive(Debug, Default)]
pub struct Counts {
    classes: [AtomicU64; 5],
    cross_site: AtomicU64,
    media_bytes: AtomicU64,
}

impl Counts {
    /// One more.
    pub(crate) fn answered(&self, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100).clamp(1, 5) - 1;
        if let Some(count) = self.classes.get(class) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn cross_site(&self) {
        self.cross_site.fetch_add(1, Ordering::Relaxed);
    }

    /// Bytes of pictures on their way out.
    pub(crate) fn media(&self, bytes: usize) {
        self.media_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Answers by class of status, from 1xx on.
    pub fn by_class(&self) -> [u64; 5] {
        std::array::from_fn(|i| self.classes.get(i).map_or(0, |c| c.load(Ordering::Relaxed)))
    }

    /// Requests from other sites that were refused, and bytes of pictures sent.
    pub fn cross_site_and_media(&self) -> (u64, u64) {
        let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
        (get(&self.cross_site), get(&self.media_bytes))
    }
}

impl App {
    /// Of these parts; the certificate is made when there is none.
    ///
    /// # Errors
    /// What [`tls::due`] says.
    pub fn new(parts: Parts, stopped: Stopped) -> Result<Arc<Self>> {
        let web = parts.config.borrow().web.clone();
        let now = parts.clock.wall();
        let served = tls::due(&parts.dir, parts.box_id, &web, now)?;
        Ok(Arc::new(Self {
            started: now,
            certificate: Arc::new(InForce::new(served)),
            gate: Arc::default(),
            counts: Counts::default(),
            playbacks: Playbacks::default(),
            codec: Program::beside()?,
            probing: Semaphore::new(1),
            stopped,
            parts,
        }))
    }

    /// The configuration in force.
    pub fn config(&self) -> Arc<Config> {
        Arc::clone(&self.parts.config.borrow())
    }

    /// Does something that reads the catalog or a disk, off the thread of the sockets.
    ///
    /// # Errors
    /// What `act` says.
    pub async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        act: impl FnOnce(&Self) -> Result<T> + Send + 'static,
    ) -> Answer<T> {
        let app = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || act(&app)).await;
        done.unwrap_or_else(|e| Err(Error::new(Kind::Internal, e.to_string())))
            .map_err(Into::into)
    }

    /// Writes an event and waits until it is durable.
    ///
    /// # Errors
    /// What the catalog says: then what the event stands for must not be done.
    pub async fn note(self: &Arc<Self>, event: Event) -> Answer<()> {
        self.blocking(move |app| app.parts.catalog.commit(Vec::new(), event))
            .await
    }

    /// The time of day.
    pub fn now(&self) -> Wall {
        self.parts.clock.wall()
    }

    /// Footage as of now, for the case of `hold` if there is one.
    ///
    /// # Errors
    /// What the catalog says.
    pub fn footage<'a>(&'a self, reader: &'a Reader, hold: Option<HoldId>) -> Result<Footage<'a>> {
        Ok(Footage {
            reader,
            board: Some(&self.parts.board),
            believed: self.parts.host.believed(reader)?,
            hold,
        })
    }
}
