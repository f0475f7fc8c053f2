//! Layer 3: from access units to sealed segments on a volume, and what a crash left of them.
//!
//! A stream's [`assembler`] runs where its camera is read; each volume has a [`writer`] and a [`keeper`],
//! threads of their own. What does not belong here: cameras (`ingest`), deletion (`retention`).

pub mod assembler;
pub mod board;
mod cause;
pub mod check;
pub mod cut;
pub mod deletions;
pub mod fragment;
pub mod keeper;
pub mod live;
pub mod outbox;
pub mod pulse;
pub mod reconcile;
pub mod recovery;
pub mod reindex;
pub mod scrub;
pub mod segment;
pub mod timeline;
pub mod walk;
pub mod writer;

#[cfg(test)]
mod assembler_tests;
#[cfg(test)]
pub(crate) mod fault_tests;
#[cfg(test)]
mod upkeep_fault_tests;
#[cfg(test)]
mod upkeep_tests;
