//! Layer 3: who may do what. Persons, roles, sessions, second factors, and the vault generations that follow from them.
//!
//! ```text
//! name, passphrase, code ──sign_in──> Token ──authorise::<acts::Playback>──> Authorised<acts::Playback> ──> an act
//! ```
//!
//! Footage is guarded twice: by [`Access::authorise`], and by keys: a vault generation is wrapped to those who may play
//! back and to nobody else, so that no mistake in a check shows footage to another.
//!
//! What does not belong here: HTTP, prompts, files, footage.

pub mod authorise;
mod base32;
pub mod confirm;
pub mod credential;
pub mod directory;
pub mod enrol;
pub mod keys;
mod notes;
mod password;
pub mod people;
pub mod premises;
pub mod refusal;
pub mod review;
pub mod role;
pub mod second;
pub mod session;
pub mod sign_in;
pub mod terms;
#[cfg(test)]
mod tests;
mod throttle;
pub mod token;
pub mod totp;

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use tokio::sync::Semaphore;

use crate::base::Clock;
use crate::base::error::Result;
use crate::base::time::Wall;
use crate::catalog::Catalog;
use crate::vault::generation::Generation;
use crate::vault::identity::Recipient;
use crate::vault::person::Cost;

pub use authorise::{Authorised, Caller};
pub use directory::{Directory, Standing};
pub use premises::Premises;
pub use refusal::Refusal;
pub use role::{Right, Role, acts};
pub use session::SessionVault;
pub use sign_in::{SignInError, SignedIn};
pub use token::{EnrolmentToken, Token};

/// What [`Access`] is made of.
pub struct Options {
    /// Where persons and rights are kept.
    pub catalog: Arc<Catalog>,
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// The recovery recipient, which opens every generation.
    pub recovery: Recipient,
    /// Name of the site, as authenticator apps show it.
    pub site: String,
    /// From where the box may be used.
    pub premises: Premises,
    /// What one try of a password costs.
    pub cost: Cost,
    /// Called with each generation that comes into force; it must be short.
    pub on_generation: Box<dyn Fn(Generation) + Send + Sync>,
}

/// Who may do what, for the whole process. Cheap to clone.
#[derive(Clone)]
pub struct Access {
    inner: Arc<Inner>,
}

struct Inner {
    catalog: Arc<Catalog>,
    clock: Arc<dyn Clock>,
    recovery: Recipient,
    site: String,
    cost: Cost,
    on_generation: Box<dyn Fn(Generation) + Send + Sync>,
    premises: RwLock<Premises>,
    directory: RwLock<Arc<Directory>>,
    sessions: Mutex<session::Sessions>,
    throttle: Mutex<throttle::Throttle>,
    offers: Mutex<enrol::Offers>,
    notes: Mutex<notes::Notes>,
    /// Changes of persons and generations happen one after another.
    changing: Mutex<keys::Upkeep>,
    /// One run of Argon2id at a time: each takes 64 MiB and a core on which recording goes on.
    permit: Arc<Semaphore>,
    /// One code of a step-up at a time: the next one is looked at when the failure of this one counts.
    stepping: Mutex<()>,
    waiting: AtomicUsize,
    runs: AtomicU64,
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Access(…)")
    }
}

impl Access {
    /// Reads who there is, and sees to the vault generation.
    ///
    /// # Errors
    /// What the catalog says.
    pub fn new(options: Options) -> Result<Self> {
        let directory = Directory::read(&options.catalog.reader()?)?;
        let access = Self {
            inner: Arc::new(Inner {
                catalog: options.catalog,
                clock: options.clock,
                recovery: options.recovery,
                site: options.site,
                cost: options.cost,
                on_generation: options.on_generation,
                premises: RwLock::new(options.premises),
                directory: RwLock::new(Arc::new(directory)),
                sessions: Mutex::default(),
                throttle: Mutex::default(),
                offers: Mutex::default(),
                notes: Mutex::default(),
                changing: Mutex::default(),
                permit: Arc::new(Semaphore::new(1)),
                stepping: Mutex::default(),
                waiting: AtomicUsize::new(0),
                runs: AtomicU64::new(0),
            }),
        };
        access.tick()?;
        Ok(access)
    }

    /// To be called every few seconds, off the async threads: ends sessions of persons whose rights are over, makes a new
    /// vault generation when those who may open it have changed, writes what was gathered of refusals.
    ///
    /// # Errors
    /// What the catalog says; sessions were judged all the same.
    pub fn tick(&self) -> Result<()> {
        let refreshed = self.refresh();
        self.judge_sessions();
        refreshed?;
        self.keep_keys()?;
        self.flush_notes(false)
    }

    /// Writes what was gathered of refusals; for an orderly stop. All sessions end.
    ///
    /// # Errors
    /// What the catalog says.
    pub fn close(&self) -> Result<()> {
        let now = self.inner.clock.mono();
        self.sessions().judge(now, |_| Some(Refusal::Expired));
        self.flush_notes(true)
    }

    /// True when `address` lies on the premises.
    pub fn on_premises(&self, address: IpAddr) -> bool {
        let premises = self.inner.premises.read();
        premises
            .unwrap_or_else(PoisonError::into_inner)
            .has(address)
    }

    /// From where the box may be used from now on.
    pub fn set_premises(&self, premises: Premises) {
        *self
            .inner
            .premises
            .write()
            .unwrap_or_else(PoisonError::into_inner) = premises;
    }

    /// Who there is, and who may what.
    pub fn directory(&self) -> Arc<Directory> {
        let directory = self.inner.directory.read();
        Arc::clone(&directory.unwrap_or_else(PoisonError::into_inner))
    }

    /// How many runs of Argon2id there were.
    pub fn argon2_runs(&self) -> u64 {
        self.inner.runs.load(Ordering::Relaxed)
    }

    /// How many sessions there are.
    pub fn session_count(&self) -> usize {
        self.sessions().len()
    }

    /// Reads the directory anew.
    fn refresh(&self) -> Result<()> {
        let directory = Directory::read(&self.inner.catalog.reader()?)?;
        *self
            .inner
            .directory
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Arc::new(directory);
        Ok(())
    }

    /// Ends the sessions of those who may not be signed in any more. Who lost the right to play back loses the open keys.
    fn judge_sessions(&self) {
        let (wall, now) = (self.inner.clock.wall(), self.inner.clock.mono());
        let directory = self.directory();
        self.sessions().judge(now, |session| {
            let standing = directory.get(session.person);
            if standing.is_none_or(|s| !s.opens_vault(wall)) {
                session.vault.lock();
            }
            match standing {
                None => Some(Refusal::Revoked),
                Some(standing) => standing.check(wall).err(),
            }
        });
    }

    /// Changes of persons and of generations read what is, and then write: no other change comes in between.
    pub(crate) fn one_by_one<T>(&self, change: impl FnOnce() -> T) -> T {
        let changing = self.inner.changing.lock();
        let _changing = changing.unwrap_or_else(PoisonError::into_inner);
        change()
    }

    fn sessions(&self) -> MutexGuard<'_, session::Sessions> {
        let sessions = self.inner.sessions.lock();
        sessions.unwrap_or_else(PoisonError::into_inner)
    }

    /// One more run of Argon2id.
    fn count_run(&self) {
        self.inner.runs.fetch_add(1, Ordering::Relaxed);
    }

    fn now(&self) -> Wall {
        self.inner.clock.wall()
    }
}
