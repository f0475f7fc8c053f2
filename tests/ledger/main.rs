//! The ledger, looked at from outside: what it must find when somebody has been at it, and what it must not lose.
#![allow(
    clippy::disallowed_methods,
    reason = "tests make and change files of their own, and ask for the time as anybody does"
)]

mod altered_catalog;
mod altered_tree;
mod classes;
mod counted;
mod crash;
mod erased;
mod migrated;
mod peers;
#[path = "../retention/plant.rs"]
#[allow(dead_code, reason = "the tests of retention use the rest of it")]
mod plant;
mod prove;
mod random;
mod refused;
mod reindexed;
mod rolled_back;
mod shop;
#[path = "../system/support/mod.rs"]
mod support;
