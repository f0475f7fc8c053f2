//! What a package holds is what was recorded and approved, to the access unit, and plays everywhere: footage of any time of day, written
//! by the recorder's own code, without a camera.
#![allow(
    clippy::disallowed_methods,
    reason = "tests make and change files of their own"
)]

mod exact;
#[path = "../codec/footage.rs"]
#[allow(dead_code, reason = "the tests of the codec use the rest of it")]
mod footage;
#[path = "../retention/plant.rs"]
#[allow(dead_code, reason = "the tests of retention use the rest of it")]
mod plant;
mod players;
mod scenes;
mod viewing;
