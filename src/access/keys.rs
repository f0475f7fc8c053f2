//! Vault generations: who opens what is recorded from now on, and how somebody gets what was recorded before.
//!
//! One rule covers every case: the current generation is wrapped to exactly those who may play back now. When that is not so
//! (somebody was revoked, reset, expired, confirmed, enrolled …), or it is a month old, there is a new one.

use std::sync::PoisonError;
use std::time::Duration;

use serde_json::json;

use crate::access::Access;
use crate::access::credential;
use crate::access::directory::Directory;
use crate::base::error::{Context, Error, Kind, Result};
use crate::base::id::{GenerationId, PersonId};
use crate::base::time::{Mono, Wall};
use crate::catalog::{Catalog, Change, Event, GenerationRow, PeopleChange, Reader, WrapRow};
use crate::vault::generation::{self, Created, Generation, Wrap};
use crate::vault::identity::{Identity, Recipient};
use crate::vault::parcel::Parcel;

/// A generation is not used for longer, in microseconds: 30 days.
pub const AGE_US_MAX: i64 = 30 * DAY_US;
/// So long ahead the end of the last holder is a warning, in microseconds: 14 days.
pub const WARN_US: i64 = 14 * DAY_US;

const DAY_US: i64 = 86_400_000_000;
/// Empty generations are looked for this often.
const DESTROY_EVERY: Duration = Duration::from_secs(86_400);
/// A generation is destroyed only when the next is this old: by then no segment that is still written is under it.
const SETTLED_US: i64 = 2 * DAY_US;

/// What is remembered between looks.
#[derive(Default)]
pub(super) struct Upkeep {
    destroyed: Option<Mono>,
}

/// Why there is a new generation. The text forms never change: they are in events.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// There was none.
    First,
    /// Others may play back than before.
    HoldersChanged,
    /// The one before was a month old.
    Monthly,
    /// Somebody asked for it.
    Asked,
}

impl Why {
    /// Its stable text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::HoldersChanged => "holders-changed",
            Self::Monthly => "monthly",
            Self::Asked => "asked",
        }
    }
}

/// Whether a new generation is due, and why.
///
/// # Errors
/// What SQLite says.
pub fn due(reader: &Reader, directory: &Directory, now: Wall) -> Result<Option<Why>> {
    let Some(current) = reader.current_generation()? else {
        return Ok(Some(Why::First));
    };
    let mut rightful: Vec<PersonId> = directory.holders(now).map(|s| s.account.person).collect();
    rightful.sort();
    let mut holders = reader.holders(current.generation)?;
    holders.sort();
    if holders != rightful {
        return Ok(Some(Why::HoldersChanged));
    }
    let old = now.us_since(current.created) >= AGE_US_MAX;
    Ok(old.then_some(Why::Monthly))
}

/// Makes a new generation that those who may play back at `now` open, and nobody else but the recovery identity. It is made
/// from public keys alone.
///
/// # Errors
/// What the catalog says.
pub fn renew(
    catalog: &Catalog,
    recovery: &Recipient,
    why: Why,
    actor: &str,
    now: Wall,
) -> Result<Generation> {
    let reader = catalog.reader()?;
    let directory = Directory::read(&reader)?;
    let mut to = Vec::new();
    for holder in directory.holders(now) {
        let person = holder.account.person;
        if let Some(row) = reader.person_of(person)? {
            to.push((person, credential::keys_of(&row)?.recipient));
        }
    }
    let to: Vec<_> = to.iter().map(|(person, key)| (*person, key)).collect();
    let made = if to.is_empty() {
        generation::create_for_recovery(recovery, now)
    } else {
        generation::create(&to, recovery, now)
    }?;
    let facts = json!({
        "generation": made.generation.id,
        "holders": made.wraps.iter().map(|w| w.person).collect::<Vec<_>>(),
        "why": why.as_str(),
    });
    let event = Event {
        actor: actor.to_owned(),
        ..Event::of_box(now, "generation-added", "vault", facts)
    };
    let public = made.generation.clone();
    catalog
        .commit(changes(made), event)
        .context(|| "making a new vault generation")?;
    Ok(public)
}

/// The rows of a generation that was made.
pub fn changes(made: Created) -> Vec<Change> {
    let generation = made.generation.id;
    let mut changes = vec![
        Change::GenerationAdded {
            generation,
            recipient: made.generation.recipient.to_string(),
            created: made.generation.created,
        },
        Change::WrapAdded {
            generation,
            person: None,
            bytes: made.recovery_wrap,
        },
    ];
    changes.extend(made.wraps.into_iter().map(wrap_added));
    changes
}

pub(super) fn wrap_added(wrap: Wrap) -> Change {
    Change::WrapAdded {
        generation: wrap.generation,
        person: Some(wrap.person),
        bytes: wrap.bytes,
    }
}

/// Makes a new generation when one is due.
///
/// # Errors
/// What the catalog says.
pub fn keep(catalog: &Catalog, recovery: &Recipient, now: Wall) -> Result<Option<Generation>> {
    let reader = catalog.reader()?;
    let directory = Directory::read(&reader)?;
    match due(&reader, &directory, now)? {
        Some(why) => renew(catalog, recovery, why, "box", now).map(Some),
        None => Ok(None),
    }
}

/// Generations that a person who may play back does not hold yet: what was recorded before. Somebody who holds them gives
/// them, see [`older_wraps`].
///
/// # Errors
/// What SQLite says.
pub fn missing(reader: &Reader, person: PersonId) -> Result<Vec<GenerationRow>> {
    let own = reader.wraps(person)?;
    let mut missing = Vec::new();
    for row in reader.generations()? {
        let has = own.iter().any(|wrap| wrap.generation == row.generation);
        // Without the recovery identity's wrap it was destroyed: nothing is left under it.
        if !has && reader.wrap_for_recovery(row.generation)?.is_some() {
            missing.push(row);
        }
    }
    Ok(missing)
}

/// The wraps of `wanted` generations for `person`, as far as `identity` opens them with its `own` wraps.
///
/// # Errors
/// [`crate::base::Kind::Corrupt`] when a wrap was changed.
pub fn older_wraps(
    wanted: &[GenerationRow],
    own: &[WrapRow],
    identity: &Identity,
    person: PersonId,
    to: &Recipient,
) -> Result<Vec<Wrap>> {
    let mut wraps = Vec::new();
    for row in wanted {
        let Some(wrap) = own.iter().find(|wrap| wrap.generation == row.generation) else {
            continue;
        };
        let public = public(row)?;
        let opened = generation::open(&public, &wrap.bytes, identity)?;
        wraps.push(generation::wrap_for(&public, &opened, person, to)?);
    }
    Ok(wraps)
}

/// A generation's public half out of its row.
///
/// # Errors
/// When the row is damaged.
pub fn public(row: &GenerationRow) -> Result<Generation> {
    Ok(Generation {
        id: row.generation,
        recipient: row.recipient.parse()?,
        created: row.created,
    })
}

/// What somebody should know about who opens the vault.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", tag = "warning")]
pub enum HolderWarning {
    /// Nobody may play back: what is recorded now opens with the recovery shares alone.
    Nobody,
    /// From then on nobody may play back, by lapse of time alone.
    LastEnds {
        /// Who is the last.
        person: PersonId,
        /// First instant without.
        at: Wall,
    },
}

/// Whether the vault stays open for somebody during the next 14 days.
pub fn warning(directory: &Directory, now: Wall) -> Option<HolderWarning> {
    // Somebody without an end comes last.
    let last = directory
        .holders(now)
        .map(|s| (s.vault_ends(now), s.account.person))
        .max_by_key(|(end, _)| end.map_or(i64::MAX, Wall::us));
    match last {
        None => Some(HolderWarning::Nobody),
        Some((Some(at), person)) if at.us_since(now) <= WARN_US => {
            Some(HolderWarning::LastEnds { person, at })
        }
        Some(_) => None,
    }
}

/// Destroys every wrap of generations under which nothing is left. The number of generations. Nothing happens while deletion
/// is latched: then the catalog may not know all footage.
///
/// # Errors
/// What the catalog says.
pub fn destroy_empty(catalog: &Catalog, now: Wall) -> Result<usize> {
    let reader = catalog.reader()?;
    if reader.meta()?.latch.is_some() {
        return Ok(0);
    }
    let empty: Vec<GenerationId> = reader.empty_generations(now.plus_us(-SETTLED_US))?;
    for id in &empty {
        let event = Event::of_box(
            now,
            "generation-destroyed",
            "vault",
            json!({ "generation": id }),
        );
        catalog.commit(Change::from(PeopleChange::GenerationDestroyed(*id)), event)?;
    }
    Ok(empty.len())
}

impl Access {
    /// Whether the vault stays open for somebody during the next 14 days.
    pub fn holder_warning(&self) -> Option<HolderWarning> {
        warning(&self.directory(), self.now())
    }

    /// A new key for something that lies sealed, which those who may play back open; and under which generation it is.
    ///
    /// # Errors
    /// `Unavailable` while nobody may play back yet.
    pub fn parcel(&self) -> Result<(Parcel, GenerationId)> {
        let current = self.inner.catalog.reader()?.current_generation()?;
        let none = || {
            let text = "nobody can open what would be sealed: a controller enrols first";
            Error::new(Kind::Unavailable, text)
        };
        let generation = public(&current.ok_or_else(none)?)?;
        let parcel = Parcel::new(&generation, &self.inner.recovery)?;
        Ok((parcel, generation.id))
    }

    /// Makes a new generation when one is due, and takes it into use.
    pub(super) fn keep_keys(&self) -> Result<()> {
        let upkeep = self.inner.changing.lock();
        let mut upkeep = upkeep.unwrap_or_else(PoisonError::into_inner);
        let now = self.now();
        if let Some(generation) = keep(&self.inner.catalog, &self.inner.recovery, now)? {
            (self.inner.on_generation)(generation);
        }
        let mono = self.inner.clock.mono();
        if upkeep
            .destroyed
            .is_none_or(|last| mono.since(last) >= DESTROY_EVERY)
        {
            upkeep.destroyed = Some(mono);
            destroy_empty(&self.inner.catalog, now)?;
        }
        Ok(())
    }

    /// Makes a new generation because somebody asked, and takes it into use. Blocks.
    ///
    /// # Errors
    /// What the catalog says.
    pub fn rotate(&self, actor: &str) -> Result<GenerationId> {
        let upkeep = self.inner.changing.lock();
        let _upkeep = upkeep.unwrap_or_else(PoisonError::into_inner);
        let (catalog, recovery) = (&self.inner.catalog, &self.inner.recovery);
        let made = renew(catalog, recovery, Why::Asked, actor, self.now())?;
        let id = made.id;
        (self.inner.on_generation)(made);
        Ok(id)
    }
}
