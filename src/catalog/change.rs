//! Everything that can happen to the catalog, as a value.

use rusqlite::Connection;

use crate::base::error::{Context, Result};
use crate::base::id::{GenerationId, PersonId, RunId, SegmentId, StreamId, VolumeId};
use crate::base::time::{Span, Wall};
use crate::catalog::alarm::{self, AlarmChange};
use crate::catalog::deleted::{self, DeletedSpan};
use crate::catalog::disclosure_change::{self, DisclosureChange};
use crate::catalog::disclosure_package::{self, PackageChange};
use crate::catalog::gap::GapCause;
use crate::catalog::hold::{self, HoldChange};
use crate::catalog::ledger_change::{self, LedgerChange};
use crate::catalog::people::PeopleChange;
use crate::catalog::policy::{self, RetentionChange};
use crate::catalog::sample_entry::SampleEntryRow;
use crate::catalog::segment::SegmentRow;
use crate::catalog::sweep::{self, Rule};
use crate::catalog::{
    activity, gap, generation, meta, people, run, sample_entry, segment, stream, volume,
};

/// One change. A stream, and a run that a segment names, is made when it is not there yet; so rows found on a volume
/// can be put in without their history.
#[derive(Clone, Debug)]
pub enum Change {
    /// A stream is configured, or was found on a volume.
    StreamSeen {
        /// Which.
        stream: StreamId,
        /// When; the earliest is kept.
        at: Wall,
    },
    /// A volume is there; its name and path are kept up to date.
    VolumeSeen {
        /// Which, by its own marker.
        volume: VolumeId,
        /// Its name in the configuration.
        name: String,
        /// Where it is mounted.
        path: String,
    },
    /// A session with a camera has begun; of a run that is known: it goes on, and its end is taken back.
    RunStarted {
        /// The new run.
        run: RunId,
        /// Of which stream.
        stream: StreamId,
        /// Its first instant.
        at: Wall,
    },
    /// A session has ended. `NotFound` when the run is unknown; the first end of a run stands.
    RunEnded {
        /// Which.
        run: RunId,
        /// Its end.
        at: Wall,
        /// Why, for people.
        cause: String,
    },
    /// How some segments' samples are decoded; before the first segment that names it. Again: nothing happens.
    SampleEntrySeen(Box<SampleEntryRow>),
    /// A segment's file is whole and durable. `Exists` when the segment is known, `NotFound` when its volume or sample
    /// entry is not.
    SegmentClosed(Box<SegmentRow>),
    /// A segment's file is gone, or set aside as unreadable. `NotFound` when it is unknown.
    SegmentRemoved(SegmentId),
    /// How long a stream is kept from now on. Nothing happens for an unknown stream. What was expired up to now stays so.
    KeepSet {
        /// Which.
        stream: StreamId,
        /// Seconds.
        keep_s: u32,
        /// Now, by a clock that is believed.
        at: Wall,
    },
    /// A segment is being deleted: it is no longer listed, its key and file go next. `NotFound` when it is unknown; nothing
    /// happens when a hold keeps it. The first begins a sweep.
    SegmentCondemned {
        /// Which.
        segment: SegmentId,
        /// Why.
        rule: Rule,
        /// When.
        at: Wall,
    },
    /// Key and file of a condemned segment are gone. `NotFound` when it is unknown, `Internal` when it was not condemned.
    SegmentDeleted {
        /// Which.
        segment: SegmentId,
        /// When.
        at: Wall,
    },
    /// The ledger says that this was deleted: the catalog that knew is lost. Nothing happens for an unknown stream.
    DeletionTold {
        /// Of which stream.
        stream: StreamId,
        /// What and why.
        deleted: DeletedSpan,
    },
    /// The sweep under way is over; the event that goes with it tells of it.
    SweepEnded {
        /// When.
        at: Wall,
        /// Condemned segments that could not be deleted.
        failures: u64,
    },
    /// The time of day is believed.
    TimeMarked {
        /// The time.
        at: Wall,
    },
    /// Nothing is deleted until somebody has looked; the first reason stands.
    DeletionLatched {
        /// Why, for people.
        reason: String,
    },
    /// Somebody has looked.
    DeletionUnlatched,
    /// Something about a hold.
    Hold(HoldChange),
    /// Something about a disclosure.
    Disclosure(DisclosureChange),
    /// Something about a package that is made for one.
    Package(PackageChange),
    /// Something about how long footage is kept.
    Retention(RetentionChange),
    /// Something about an alarm.
    Alarm(AlarmChange),
    /// Something about the ledger itself.
    Ledger(LedgerChange),
    /// Nothing is recorded from here on. When a gap is open already, that one stays, its detail renewed.
    GapOpened {
        /// Of which stream.
        stream: StreamId,
        /// First instant without recording.
        start: Wall,
        /// Why.
        cause: GapCause,
        /// What more is known, for people.
        detail: Option<String>,
    },
    /// The open gap of a stream ends; with no length it vanishes. Nothing happens when none is open.
    GapClosed {
        /// Of which stream.
        stream: StreamId,
        /// First instant recorded again.
        end: Wall,
    },
    /// A gap of which both ends are known; of no length: nothing happens. An open gap is not touched.
    GapRecorded {
        /// Of which stream.
        stream: StreamId,
        /// From when to when.
        span: Span,
        /// Why.
        cause: GapCause,
        /// What more is known, for people.
        detail: Option<String>,
    },
    /// Levels of activity for some seconds of an hour, over what was there. `Invalid` when they leave the hour.
    Activity {
        /// Of which stream.
        stream: StreamId,
        /// Beginning of a UTC hour.
        hour_start: Wall,
        /// The first of the seconds, 0 to 3599.
        from_second: u16,
        /// A level for each second; 0 = nothing.
        values: Vec<u8>,
    },
    /// A new vault generation, which becomes the current one. `Exists` when it is known.
    GenerationAdded {
        /// Which.
        generation: GenerationId,
        /// Its public half, as age writes it.
        recipient: String,
        /// Since when.
        created: Wall,
    },
    /// A generation's private half, wrapped to someone. `Exists` when that person has one, `NotFound` when generation
    /// or person is unknown.
    WrapAdded {
        /// Whose private half.
        generation: GenerationId,
        /// To whom; `None` = the recovery identity.
        person: Option<PersonId>,
        /// The age ciphertext.
        bytes: Vec<u8>,
    },
    /// Something about a person, or what a person may.
    People(Box<PeopleChange>),
}

impl From<LedgerChange> for Vec<Change> {
    fn from(change: LedgerChange) -> Self {
        vec![Change::Ledger(change)]
    }
}

impl From<HoldChange> for Vec<Change> {
    fn from(change: HoldChange) -> Self {
        vec![Change::Hold(change)]
    }
}

impl From<DisclosureChange> for Vec<Change> {
    fn from(change: DisclosureChange) -> Self {
        vec![Change::Disclosure(change)]
    }
}

impl From<PackageChange> for Vec<Change> {
    fn from(change: PackageChange) -> Self {
        vec![Change::Package(change)]
    }
}

impl From<RetentionChange> for Vec<Change> {
    fn from(change: RetentionChange) -> Self {
        vec![Change::Retention(change)]
    }
}

impl From<Change> for Vec<Change> {
    fn from(change: Change) -> Self {
        vec![change]
    }
}

/// Writes one change inside the caller's transaction.
pub(super) fn apply(db: &Connection, change: &Change) -> Result<()> {
    match change {
        Change::StreamSeen { stream, at } => stream::ensure(db, stream, *at)
            .map(drop)
            .context(|| format!("noting stream {stream}")),
        Change::VolumeSeen { volume, name, path } => {
            volume::seen(db, *volume, name, path).context(|| format!("noting volume {volume}"))
        }
        Change::RunStarted { run, stream, at } => {
            run::start(db, *run, stream, *at).context(|| format!("noting run {run} of {stream}"))
        }
        Change::RunEnded { run, at, cause } => {
            run::end(db, *run, *at, cause).context(|| format!("ending run {run}"))
        }
        Change::SampleEntrySeen(row) => {
            sample_entry::seen(db, row).context(|| format!("noting sample entry {}", row.hash))
        }
        Change::SegmentClosed(row) => segment::insert(db, row)
            .context(|| format!("indexing segment {} of {}", row.segment, row.stream)),
        Change::SegmentRemoved(id) => {
            segment::remove(db, *id).context(|| format!("dropping segment {id}"))
        }
        Change::KeepSet { .. }
        | Change::SegmentCondemned { .. }
        | Change::SegmentDeleted { .. }
        | Change::DeletionTold { .. }
        | Change::SweepEnded { .. }
        | Change::TimeMarked { .. }
        | Change::DeletionLatched { .. }
        | Change::DeletionUnlatched => apply_deletion(db, change),
        Change::Hold(_)
        | Change::Disclosure(_)
        | Change::Package(_)
        | Change::Retention(_)
        | Change::Alarm(_)
        | Change::Ledger(_)
        | Change::GenerationAdded { .. }
        | Change::WrapAdded { .. }
        | Change::People(_) => apply_family(db, change),
        Change::GapOpened { .. } | Change::GapClosed { .. } | Change::GapRecorded { .. } => {
            apply_gap(db, change)
        }
        Change::Activity {
            stream,
            hour_start,
            from_second,
            values,
        } => activity::merge(db, stream, *hour_start, *from_second, values)
            .context(|| format!("noting activity of {stream} at {hour_start}")),
    }
}

/// Changes that have a type of their own, and those of the vault.
fn apply_family(db: &Connection, change: &Change) -> Result<()> {
    match change {
        Change::Hold(change) => hold::apply(db, change),
        Change::Disclosure(change) => disclosure_change::apply(db, change),
        Change::Package(change) => disclosure_package::apply(db, change),
        Change::Retention(change) => policy::apply(db, change),
        Change::Alarm(change) => alarm::apply(db, change),
        Change::Ledger(change) => ledger_change::apply(db, change),
        Change::GenerationAdded {
            generation,
            recipient,
            created,
        } => generation::insert(db, *generation, recipient, *created)
            .context(|| format!("adding vault generation {generation}")),
        Change::WrapAdded {
            generation,
            person,
            bytes,
        } => generation::insert_wrap(db, *generation, *person, bytes)
            .context(|| format!("adding a wrap of vault generation {generation}")),
        Change::People(change) => people::apply(db, change),
        _ => Ok(()),
    }
}

/// Changes of gaps.
fn apply_gap(db: &Connection, change: &Change) -> Result<()> {
    match change {
        Change::GapOpened {
            stream,
            start,
            cause,
            detail,
        } => gap::open(db, stream, *start, *cause, detail.as_deref())
            .context(|| format!("opening a gap of {stream}")),
        Change::GapClosed { stream, end } => {
            gap::close(db, stream, *end).context(|| format!("closing the gap of {stream}"))
        }
        Change::GapRecorded {
            stream,
            span,
            cause,
            detail,
        } => gap::record(db, stream, *span, *cause, detail.as_deref())
            .context(|| format!("noting a gap of {stream}")),
        _ => Ok(()),
    }
}

/// Changes that have to do with deleting.
fn apply_deletion(db: &Connection, change: &Change) -> Result<()> {
    match change {
        Change::KeepSet { stream, keep_s, at } => stream::keep(db, stream, *keep_s, *at)
            .context(|| format!("noting how long {stream} is kept")),
        Change::SegmentCondemned { segment, rule, at } => sweep::condemn(db, *segment, *rule, *at)
            .context(|| format!("marking segment {segment} as garbage")),
        Change::SegmentDeleted { segment, at } => sweep::drop_row(db, *segment, *at)
            .context(|| format!("dropping the row of segment {segment}")),
        Change::DeletionTold { stream, deleted } => deleted::told(db, stream, *deleted)
            .context(|| format!("noting what was deleted of {stream}")),
        Change::SweepEnded { at, failures } => {
            sweep::end(db, *at, *failures).context(|| "ending the sweep")
        }
        Change::TimeMarked { at } => meta::mark(db, *at).context(|| "marking the time"),
        Change::DeletionLatched { reason } => {
            meta::latch(db, reason).context(|| "latching deletion")
        }
        Change::DeletionUnlatched => meta::unlatch(db).context(|| "unlatching deletion"),
        _ => Ok(()),
    }
}
