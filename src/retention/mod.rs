//! Layer 3: deletion on time. What goes is decided purely ([`plan`]), then done so that a kill at any point leaves
//! nothing half ([`sweep`]); only with a believable clock ([`clock`]) and under the catalog that wrote the footage
//! ([`latch`]).
//!
//! What does not belong here: when it is done, threads, configuration (`daemon`). Nothing that has no row is ever
//! deleted.

pub mod clock;
pub mod latch;
pub mod look;
pub mod overage;
pub mod plan;
pub mod sweep;

#[cfg(test)]
mod plan_tests;
