//! `sinetti-codec` and the recorder's end of it: what is decoded is right, what cannot be decoded is told, and whatever it is fed
//! or whatever it does, it is over within its bounds.
#![allow(
    clippy::disallowed_methods,
    reason = "tests make and change files of their own, and ask for the time as anybody does"
)]

mod footage;
mod hostile;
mod locked;
mod right;
mod rogue;
