//! Layer 2: the index of what is recorded, in SQLite. The only module that names `rusqlite`.
//!
//! One thread writes ([`Catalog`]), anyone may read ([`Reader`]). A [`Change`] and the [`Event`] that answers for it
//! go in by one call, [`Catalog::commit`], and share a transaction. A row is a promise: the caller has made the file
//! durable before it sends the row.
//!
//! What does not belong here: files of footage, keys in the clear, decisions about what is deleted.

mod account;
mod activity;
mod alarm;
mod change;
mod closed;
mod column;
mod connection;
mod coverage;
mod deleted;
mod disclosure;
mod disclosure_change;
mod disclosure_find;
mod disclosure_package;
mod disclosure_scan;
mod entry;
mod event;
mod factor;
mod gap;
mod generation;
mod granted;
mod hold;
mod intent;
mod json;
mod ledger;
mod ledger_change;
mod meta;
mod migrate;
mod overdue;
mod people;
mod person;
mod place;
mod policy;
mod rate;
mod reader;
mod rebuild;
mod run;
mod sample_entry;
mod seal;
mod segment;
mod signing;
mod stream;
mod sweep;
mod tally;
mod tile;
mod volume;
mod writer;

#[cfg(test)]
mod tests;

pub use account::{AccountRow, Language, Noted, Undertaking, Validity};
pub use activity::ActivityHour;
pub use alarm::{AlarmChange, AlarmKind, AlarmRow};
pub use change::Change;
#[cfg(test)]
pub(crate) use connection::first_version;
pub use coverage::{Coverage, CoverageGap, HourRow, SEAM_US_MAX};
pub use deleted::DeletedSpan;
pub use disclosure::{
    Asked, DisclosureCamera, DisclosureGap, DisclosureKind, DisclosureRow, DisclosureState,
    DisclosureStep, ReviewRow, Serial, StepRow,
};
pub use disclosure_change::{
    DisclosureChange, NewRequest, REQUESTED as DISCLOSURE_REQUESTED, RESTORED,
    SKIPPED as SERIALS_SKIPPED, Stepped, What,
};
pub use disclosure_find::{DisclosureCursor, DisclosureFilter, DisclosurePage, Promised};
pub use disclosure_package::{FileRow, JobRow, JobState, PackageChange};
pub use disclosure_scan::{NewScan, ScanKind, ScanRow};
pub use entry::{ClassRow, Detail, EntryFilter, EntryRow};
pub use event::{Event, EventRow, Phase};
pub use factor::{EnrolmentKind, EnrolmentRow, FactorRow};
pub use gap::{GapCause, GapRow};
pub use generation::{GenerationRow, WrapRow};
pub use granted::{Cameras, GrantRow, Role};
pub use hold::{HoldChange, HoldEnd, HoldKind, HoldRow};
pub use ledger::{CatalogLog, EpochRow};
pub use ledger_change::{DETAILS_EXPIRED, LedgerChange};
pub use meta::Meta;
pub use people::PeopleChange;
pub use person::PersonRow;
pub use place::PlaceRow;
pub use policy::{PolicyRow, RetentionChange, ShorteningRow};
pub use rate::Rate;
pub use reader::{Reader, Snapshot};
pub use rebuild::{Rebuild, take_ledger};
pub use run::RunRow;
pub use sample_entry::SampleEntryRow;
pub use seal::SealRow;
pub use segment::{SegmentPage, SegmentRow};
pub use stream::{StreamRow, Totals};
pub use sweep::{AgedRow, GarbageRow, Rule, SweepRow, SweptRow};
pub use volume::VolumeRow;
pub use writer::{Act, Catalog, Pending};
