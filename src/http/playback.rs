//! Playbacks that are open: a person, cameras, an interval and a purpose; the keys that were needed so far; and what was really
//! delivered, which is an entry when it closes.
//!
//! What does not belong here: routes, how pictures are read (`evidence`).

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use log::error;
use serde_json::{Value, json};
use tokio::sync::{Semaphore, watch};

use crate::access::authorise::Authorised;
use crate::access::refusal::Refusal as Why;
use crate::access::role::{Act as Acts, acts};
use crate::base::error::{Error, Kind, Result};
use crate::base::hash::hex;
use crate::base::id::{CameraId, HoldId, SegmentId, StreamId};
use crate::base::secret::SegmentKey;
use crate::base::time::{Mono, Span, Wall};
use crate::catalog::{Act, Catalog, Event};
use crate::config::Purpose;
use crate::evidence::keys::KeyRing;
use crate::evidence::select::Piece;
use crate::evidence::view::{self, Group, Groups};
use crate::http::delivered::Delivered;

/// Most playbacks at a time.
pub const PLAYBACKS_MAX: usize = 256;
/// Most of one person.
pub const PER_PERSON_MAX: usize = 16;
/// Most cameras of one.
pub const CAMERAS_MAX: usize = 16;
/// One that is not used for so long is closed.
pub const IDLE_MAX: Duration = Duration::from_secs(15 * 60);
/// Clear pictures on their way out at a time, in KiB, over all playbacks.
const MEDIA_KIB_MAX: usize = 192 << 10;
/// Segments whose index a playback remembers.
const SEGMENTS_MAX: usize = 48;
/// Segment keys that a playback remembers.
const KEYS_MAX: usize = 256;
/// Sample entries that a playback remembers.
const ENTRIES_MAX: usize = 64;

/// Names a playback: 128 random bits in hex. It opens nothing by itself.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, serde::Serialize)]
#[serde(transparent)]
pub struct PlaybackId(String);

impl PlaybackId {
    fn random() -> Self {
        Self(hex(crate::base::id::RunId::random().bytes()))
    }
}

/// What is opened.
#[derive(Clone, Debug)]
pub struct Opening {
    /// Cameras.
    pub cameras: BTreeSet<CameraId>,
    /// Interval.
    pub span: Span,
    /// What for.
    pub purpose: Purpose,
    /// The hold for whose case it is.
    pub hold: Option<HoldId>,
    /// In the person's own words.
    pub reason: Option<String>,
}

impl Opening {
    /// What the ledger has of why footage is shown, and to whom: facts, and the detail that can be erased.
    pub fn grounds<A: Acts>(&self, who: &Authorised<A>) -> (Value, Value) {
        let facts = json!({
            "purpose": self.purpose.as_str(),
            "hold": self.hold,
            "role": who.role().as_str(),
        });
        let detail = json!({
            "name": who.name(),
            "address": who.address(),
            "reason": self.reason,
        });
        (facts, detail)
    }
}

/// One open playback.
pub struct Playback {
    /// Its name.
    pub id: PlaybackId,
    /// Who may see it: the session in which it was opened, nobody else.
    who: Arc<Authorised<acts::Playback>>,
    /// What was opened.
    pub opening: Opening,
    /// Where its times begin: midnight UTC of the day before that of its start, since its first group may begin before
    /// that midnight.
    pub origin: Wall,
    used: Mutex<Mono>,
    known: Mutex<Known>,
    delivered: Mutex<Delivered>,
    closed: watch::Sender<bool>,
    /// Its intent in the ledger, until the outcome is written.
    act: Mutex<Option<Act>>,
}

/// What was found so far. Keys are zeroised when it is dropped.
#[derive(Default)]
struct Known {
    keys: HashMap<SegmentId, SegmentKey>,
    groups: VecDeque<(StreamId, SegmentId, Arc<Groups>)>,
    entries: BTreeMap<String, Bytes>,
}

/// All of them.
pub struct Playbacks {
    open: Mutex<HashMap<PlaybackId, Arc<Playback>>>,
    /// In KiB.
    budget: Arc<Semaphore>,
}

impl Default for Playbacks {
    fn default() -> Self {
        Self {
            open: Mutex::default(),
            budget: Arc::new(Semaphore::new(MEDIA_KIB_MAX)),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Playback {
    /// Its name as text.
    pub fn name(&self) -> &str {
        &self.id.0
    }

    /// True when it was opened in the session of `who`.
    pub fn is_of<A: Acts>(&self, who: &Authorised<A>) -> bool {
        // A session has one vault, and a vault one session.
        Arc::ptr_eq(&self.who.vault(), &who.vault())
    }

    /// That it may be gone on with at `now`, for a camera of it; it counts as use.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when it does not show the camera.
    pub fn touch(&self, camera: Option<&CameraId>, now: Mono) -> Result<()> {
        if camera.is_some_and(|camera| !self.opening.cameras.contains(camera)) {
            let text = "this playback was not opened for that camera";
            return Err(Error::new(Kind::NotFound, text));
        }
        *lock(&self.used) = now;
        Ok(())
    }

    /// That the person still may see `camera` of it: asked for between pieces of an answer, which may last.
    ///
    /// # Errors
    /// Why not.
    pub fn again(&self, camera: &CameraId) -> Result<(), Why> {
        self.who.again(Some(camera))
    }

    /// Ends when it is closed, or the session is.
    pub async fn ended(&self) -> &'static str {
        let mut closed = self.closed.subscribe();
        tokio::select! {
            why = self.who.ended() => why.as_str(),
            _ = closed.wait_for(|closed| *closed) => "closed",
        }
    }

    /// Groups of a segment that were found before.
    pub fn groups(&self, stream: &StreamId, segment: SegmentId) -> Option<Arc<Groups>> {
        let known = lock(&self.known);
        let found = known
            .groups
            .iter()
            .find(|(s, id, _)| *id == segment && s == stream);
        found.map(|(_, _, groups)| Arc::clone(groups))
    }

    /// Remembers groups of a closed segment.
    pub fn remember(&self, stream: &StreamId, segment: SegmentId, groups: &Arc<Groups>) {
        let mut known = lock(&self.known);
        if known.groups.len() >= SEGMENTS_MAX {
            known.groups.pop_front();
        }
        known
            .groups
            .push_back((stream.clone(), segment, Arc::clone(groups)));
    }

    /// What stands before the fragments of sample entry `name`, if it was listed.
    pub fn initial(&self, name: &str) -> Option<Bytes> {
        lock(&self.known).entries.get(name).cloned()
    }

    /// Remembers what stands before the fragments of a sample entry.
    pub fn remember_initial(&self, name: &str, bytes: impl FnOnce() -> Vec<u8>) {
        let mut known = lock(&self.known);
        if known.entries.contains_key(name) {
            return;
        }
        if known.entries.len() >= ENTRIES_MAX {
            known.entries.pop_first();
        }
        known.entries.insert(name.to_owned(), bytes().into());
    }

    /// The key of the segment of `group`.
    ///
    /// # Errors
    /// [`Kind::Denied`] when the person's vault does not open it, or is locked.
    pub fn key(&self, group: &Group) -> Result<SegmentKey> {
        let vault = self.who.vault();
        // Also what was opened before opens only while the vault is open.
        if !vault.is_open() {
            return Err(Error::new(Kind::Denied, "the vault is locked"));
        }
        let segment = group.segment();
        let known = lock(&self.known);
        if let Some(key) = segment.and_then(|id| known.keys.get(&id)) {
            return Ok(key.clone());
        }
        drop(known);
        let key = view::key(group, &KeyRing::of_opener(vault))?;
        if let Some(id) = segment {
            let mut known = lock(&self.known);
            if known.keys.len() >= KEYS_MAX {
                known.keys.clear();
            }
            known.keys.insert(id, key.clone());
        }
        Ok(key)
    }

    /// Notes that a fragment goes out, before it does. What was noted so far is returned when it is time to write it down,
    /// at `at`.
    ///
    /// # Errors
    /// [`Kind::Denied`] when the outcome is written already: what goes out after that would be in no ledger.
    pub fn deliver(&self, stream: &StreamId, span: Span, at: Wall) -> Result<Option<Event>> {
        // Held until it is noted: the outcome comes before it or after it.
        let act = lock(&self.act);
        if act.is_none() {
            return Err(Error::new(Kind::Denied, "the playback is closed"));
        }
        let mut delivered = lock(&self.delivered);
        delivered.add(stream, span);
        if !delivered.is_full() {
            return Ok(None);
        }
        let so_far = std::mem::take(&mut *delivered);
        drop((delivered, act));
        let facts = json!({ "playback": self.id, "delivered": so_far.facts() });
        Ok(Some(self.event(at, "playback-delivered", facts)))
    }

    fn event(&self, at: Wall, action: &str, facts: Value) -> Event {
        let cameras: Vec<_> = self.opening.cameras.iter().map(CameraId::as_str).collect();
        Event {
            actor: self.who.actor(),
            ..Event::of_box(at, action, cameras.join(" "), facts)
        }
    }

    /// The intent.
    fn opened(&self, at: Wall) -> Event {
        let opening = &self.opening;
        let (mut facts, detail) = opening.grounds(&self.who);
        facts["playback"] = json!(self.id);
        facts["cameras"] = json!(opening.cameras);
        facts["span"] = json!(opening.span);
        Event {
            detail: Some(detail),
            ..self.event(at, "playback", facts)
        }
    }

    /// Writes that it is about to be shown: without that it must not be. Blocks.
    ///
    /// # Errors
    /// What the ledger says.
    pub fn begin(&self, catalog: &Catalog, at: Wall) -> Result<()> {
        let act = catalog.begin_act(self.opened(at), Vec::new())?;
        *lock(&self.act) = Some(act);
        Ok(())
    }

    /// Writes what was really delivered. Blocks.
    fn end(&self, catalog: &Catalog, at: Wall, why: &str) {
        let mut begun = lock(&self.act);
        let Some(act) = begun.take() else {
            return;
        };
        let delivered = std::mem::take(&mut *lock(&self.delivered));
        drop(begun);
        let facts = json!({ "playback": self.id, "why": why, "delivered": delivered.facts() });
        let outcome = self.event(at, "playback", facts);
        if let Err(e) = catalog.end_act(act, outcome, Vec::new()) {
            error!("what a playback delivered could not be written down: {e}");
        }
    }
}

impl Playbacks {
    /// A new one, which [`Playbacks::admit`] opens after [`Playback::begin`].
    ///
    /// # Errors
    /// What [`view::check`] says of the span.
    pub fn prepare(
        &self,
        who: Arc<Authorised<acts::Playback>>,
        opening: Opening,
        now: Mono,
    ) -> Result<Arc<Playback>> {
        view::check(opening.span)?;
        Ok(Arc::new(Playback {
            id: PlaybackId::random(),
            who,
            origin: opening.span.start.midnight().plus_us(-1).midnight(),
            opening,
            used: Mutex::new(now),
            known: Mutex::default(),
            delivered: Mutex::default(),
            closed: watch::Sender::new(false),
            act: Mutex::default(),
        }))
    }

    /// Opens it; it must have begun already. Blocks.
    ///
    /// # Errors
    /// [`Kind::Full`] when there are too many, of this person or in all; the ledger says so.
    pub fn admit(&self, playback: &Arc<Playback>, catalog: &Catalog, at: Wall) -> Result<()> {
        let mut open = lock(&self.open);
        let person = playback.who.person();
        let own = open.values().filter(|p| p.who.person() == person).count();
        if own >= PER_PERSON_MAX || open.len() >= PLAYBACKS_MAX {
            drop(open);
            playback.end(catalog, at, "too-many");
            let text = "too many playbacks are open; close one first";
            return Err(Error::new(Kind::Full, text));
        }
        open.insert(playback.id.clone(), Arc::clone(playback));
        Ok(())
    }

    /// The one of this name, when it was opened in the session of `who`.
    pub fn get<A: Acts>(&self, name: &str, who: &Authorised<A>) -> Option<Arc<Playback>> {
        let open = lock(&self.open);
        let found = open.get(&PlaybackId(name.to_owned()))?;
        found.is_of(who).then(|| Arc::clone(found))
    }

    /// How many are open.
    pub fn len(&self) -> usize {
        lock(&self.open).len()
    }

    /// True when none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Closes one, and writes what was delivered. Blocks until that is durable.
    pub fn close(&self, id: &PlaybackId, catalog: &Catalog, at: Wall, why: &str) {
        let Some(playback) = lock(&self.open).remove(id) else {
            return;
        };
        playback.closed.send_replace(true);
        *lock(&playback.known) = Known::default();
        playback.end(catalog, at, why);
    }

    /// Closes all that were not used for long. Blocks.
    pub fn close_idle(&self, catalog: &Catalog, now: Mono, at: Wall) {
        for id in self.which(|p| now.since(*lock(&p.used)) >= IDLE_MAX) {
            self.close(&id, catalog, at, "idle");
        }
    }

    /// Closes all. Blocks.
    pub fn close_all(&self, catalog: &Catalog, at: Wall) {
        for id in self.which(|_| true) {
            self.close(&id, catalog, at, "stopped");
        }
    }

    fn which(&self, wanted: impl Fn(&Playback) -> bool) -> Vec<PlaybackId> {
        let open = lock(&self.open);
        let found = open.values().filter(|p| wanted(p));
        found.map(|p| p.id.clone()).collect()
    }

    /// Room for the fragments of one answer, of which one at a time is in memory.
    pub fn budget(&self) -> Arc<Semaphore> {
        Arc::clone(&self.budget)
    }
}

/// What of the budget fragments need while they are sent: the largest twice, sealed and clear, in KiB.
pub fn need_kib(pieces: &[Piece]) -> u32 {
    let largest = pieces.iter().map(|p| p.index.bytes).max().unwrap_or(0);
    let most = u32::try_from(MEDIA_KIB_MAX).unwrap_or(u32::MAX);
    (largest / 512 + 1).min(most)
}
