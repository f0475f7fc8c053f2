//! Sessions: in memory only, so that none survives a restart. Each holds the person's opened keys while the person uses them.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::access::keys;
use crate::access::refusal::Refusal;
use crate::access::totp::Secret;
use crate::base::error::{Error, Kind, Result};
use crate::base::hash::Digest;
use crate::base::id::{GenerationId, PersonId};
use crate::base::secret::SegmentKey;
use crate::base::time::Mono;
use crate::catalog::Catalog;
use crate::vault::generation;
use crate::vault::identity::Identity;
use crate::vault::opener::Opener;
use crate::vault::slot::WrappedKey;

/// A session ends after this time without a request.
pub const IDLE: Duration = Duration::from_secs(15 * 60);
/// The vault locks after this time without a request that needs it.
pub const VAULT_IDLE: Duration = Duration::from_secs(15 * 60);
/// A session that showed live pictures ends after this time without showing any: a wall lives long, its vault does not.
pub const LIVE_IDLE: Duration = Duration::from_secs(12 * 3600);
/// No session is older.
pub const AGE_MAX: Duration = Duration::from_secs(24 * 3600);
/// So long after it a shown factor is fresh.
pub const STEP_UP_FRESH: Duration = Duration::from_secs(5 * 60);
/// Sessions of one person; the oldest ends when there is another.
pub const PER_PERSON_MAX: usize = 8;
/// Sessions in all; nobody signs in beyond.
pub const SESSIONS_MAX: usize = 512;
/// Ended sessions of which it is remembered why.
const ENDED_MAX: usize = 1024;
/// Opened generations that a session keeps: more than a year of months.
const GENERATIONS_MAX: usize = 64;

/// The keys that a person opened by signing in. Locked, it opens nothing, whoever still refers to it.
pub struct SessionVault {
    person: PersonId,
    catalog: Arc<Catalog>,
    opened: Mutex<Option<Opened>>,
    /// The same at a glance: whoever decides about other sessions does not wait for a key that is being opened.
    is_open: AtomicBool,
}

/// Zeroised when dropped.
struct Opened {
    identity: Identity,
    generations: HashMap<GenerationId, Identity>,
}

impl SessionVault {
    pub(super) fn new(person: PersonId, catalog: Arc<Catalog>, identity: Option<Identity>) -> Self {
        let vault = Self {
            person,
            catalog,
            opened: Mutex::default(),
            is_open: AtomicBool::new(false),
        };
        if let Some(identity) = identity {
            vault.unlock(identity);
        }
        vault
    }

    /// True when it opens something.
    pub fn is_open(&self) -> bool {
        self.is_open.load(Ordering::Acquire)
    }

    /// Zeroises the keys.
    pub(super) fn lock(&self) {
        if self.is_open.swap(false, Ordering::AcqRel) {
            self.lock_inside().take();
        }
    }

    pub(super) fn unlock(&self, identity: Identity) {
        let mut inside = self.lock_inside();
        *inside = Some(Opened {
            identity,
            generations: HashMap::new(),
        });
        self.is_open.store(true, Ordering::Release);
    }

    fn lock_inside(&self) -> std::sync::MutexGuard<'_, Option<Opened>> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with the person's own key; `None`: the vault is locked.
    pub(super) fn with_identity<T>(&self, act: impl FnOnce(&Identity) -> T) -> Option<T> {
        self.lock_inside()
            .as_ref()
            .filter(|_| self.is_open())
            .map(|opened| act(&opened.identity))
    }

    /// Opens a generation with the person's wrap of it.
    fn generation(&self, id: GenerationId, identity: &Identity) -> Result<Identity> {
        let reader = self.catalog.reader()?;
        let wrap = reader.wrap(id, self.person)?.ok_or_else(|| {
            let text = "it was recorded under a vault generation that this person does not hold";
            Error::new(Kind::Denied, text)
        })?;
        let row = reader
            .generations()?
            .into_iter()
            .find(|row| row.generation == id)
            .ok_or_else(|| {
                Error::new(Kind::NotFound, format!("there is no vault generation {id}"))
            })?;
        generation::open(&keys::public(&row)?, &wrap.bytes, identity)
    }
}

impl Opener for SessionVault {
    fn open(&self, key: &WrappedKey) -> Result<SegmentKey> {
        let id = key.generation.ok_or_else(|| {
            Error::new(
                Kind::Denied,
                "it was recorded before there was anybody who may play back; the recovery shares open it",
            )
        })?;
        let mut inside = self.lock_inside();
        let opened = inside
            .as_mut()
            .filter(|_| self.is_open())
            .ok_or_else(|| Error::new(Kind::Denied, "the vault is locked"))?;
        if !opened.generations.contains_key(&id) {
            let generation = self.generation(id, &opened.identity)?;
            if opened.generations.len() >= GENERATIONS_MAX {
                opened.generations.clear();
            }
            opened.generations.insert(id, generation);
        }
        match opened.generations.get(&id) {
            Some(generation) => key.open(generation),
            None => Err(Error::new(Kind::Internal, "an opened generation is gone")),
        }
    }
}

impl std::fmt::Debug for SessionVault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionVault(…)")
    }
}

/// One session.
pub(super) struct Session {
    pub person: PersonId,
    pub began: Mono,
    /// Last request.
    pub used: Mono,
    /// Last time that live pictures were shown.
    pub live: Option<Mono>,
    /// Last time that the vault was needed.
    pub vault_used: Mono,
    /// When a factor was last shown.
    pub stepped: Mono,
    pub vault: Arc<SessionVault>,
    pub secret: Arc<Secret>,
    ending: watch::Sender<Option<Refusal>>,
}

impl Session {
    pub(super) fn new(person: PersonId, now: Mono, vault: SessionVault, secret: Secret) -> Self {
        Self {
            person,
            began: now,
            used: now,
            live: None,
            vault_used: now,
            stepped: now,
            vault: Arc::new(vault),
            secret: Arc::new(secret),
            ending: watch::Sender::new(None),
        }
    }

    /// Tells when it has ended, and why.
    pub(super) fn ended(&self) -> watch::Receiver<Option<Refusal>> {
        self.ending.subscribe()
    }

    fn is_over(&self, now: Mono) -> bool {
        let live = self.live.is_some_and(|at| now.since(at) < LIVE_IDLE);
        now.since(self.began) >= AGE_MAX || (now.since(self.used) >= IDLE && !live)
    }

    pub(super) fn is_fresh(&self, now: Mono) -> bool {
        now.since(self.stepped) < STEP_UP_FRESH
    }

    /// Locks the vault when it was not needed for long.
    pub(super) fn lock_if_idle(&self, now: Mono) {
        if now.since(self.vault_used) >= VAULT_IDLE {
            self.vault.lock();
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Whoever still refers to the vault opens nothing any more.
        self.vault.lock();
    }
}

/// All sessions.
#[derive(Default)]
pub(super) struct Sessions {
    by_hash: HashMap<Digest, Session>,
    ended: VecDeque<(Digest, Refusal)>,
}

impl Sessions {
    /// A new session. The oldest of the person makes room when there are too many.
    ///
    /// # Errors
    /// [`Kind::Full`] when there are too many in all.
    pub(super) fn add(&mut self, hash: Digest, session: Session) -> Result<()> {
        let person = session.person;
        let mut own: Vec<_> = self
            .by_hash
            .iter()
            .filter(|(_, s)| s.person == person)
            .map(|(hash, s)| (s.began, *hash))
            .collect();
        own.sort_by_key(|(began, _)| *began);
        let surplus = (own.len() + 1).saturating_sub(PER_PERSON_MAX);
        for (_, oldest) in own.into_iter().take(surplus) {
            self.end(&oldest, Refusal::Expired);
        }
        if self.by_hash.len() >= SESSIONS_MAX {
            let text = format!("{SESSIONS_MAX} sessions are open; try again later");
            return Err(Error::new(Kind::Full, text));
        }
        self.by_hash.insert(hash, session);
        Ok(())
    }

    /// The session.
    ///
    /// # Errors
    /// Why there is none any more, or [`Refusal::Anonymous`] when there never was.
    pub(super) fn get(&mut self, hash: &Digest, now: Mono) -> Result<&mut Session, Refusal> {
        if self.by_hash.get(hash).is_some_and(|s| s.is_over(now)) {
            self.end(hash, Refusal::Expired);
        }
        let ended = self.ended.iter().find(|(h, _)| h == hash);
        match self.by_hash.get_mut(hash) {
            Some(session) => Ok(session),
            None => Err(ended.map_or(Refusal::Anonymous, |(_, why)| *why)),
        }
    }

    /// Ends a session: whoever waits on it is told, its keys are zeroised.
    pub(super) fn end(&mut self, hash: &Digest, why: Refusal) -> Option<PersonId> {
        let session = self.by_hash.remove(hash)?;
        session.ending.send_replace(Some(why));
        if self.ended.len() >= ENDED_MAX {
            self.ended.pop_front();
        }
        self.ended.push_back((*hash, why));
        Some(session.person)
    }

    /// Ends a person's sessions but this one.
    pub(super) fn end_others(&mut self, person: PersonId, but: &Digest) {
        let others: Vec<_> = self
            .by_hash
            .iter()
            .filter(|(hash, session)| session.person == person && *hash != but)
            .map(|(hash, _)| *hash)
            .collect();
        for hash in others {
            self.end(&hash, Refusal::Revoked);
        }
    }

    /// Ends each session for which `judge` has a reason, or that was idle for too long; locks idle vaults.
    pub(super) fn judge(&mut self, now: Mono, judge: impl Fn(&Session) -> Option<Refusal>) {
        let over: Vec<_> = self
            .by_hash
            .iter()
            .filter_map(|(hash, session)| {
                let idle = session.is_over(now).then_some(Refusal::Expired);
                judge(session).or(idle).map(|why| (*hash, why))
            })
            .collect();
        for (hash, why) in over {
            self.end(&hash, why);
        }
        for session in self.by_hash.values() {
            session.lock_if_idle(now);
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.by_hash.len()
    }
}
