//! Deletion on time, looked at from outside: by the library on a clock that tests drive, and by the real binary.
#![allow(
    clippy::disallowed_methods,
    reason = "tests make and change files of their own, and ask for the time as anybody does"
)]

mod certificate;
mod clock;
mod daemon;
mod desk;
mod given;
mod holds;
mod image;
mod inject;
mod latch;
mod overage;
mod plant;
mod refused;
mod reindexed;
#[path = "../system/support/mod.rs"]
mod support;
mod sweep;
