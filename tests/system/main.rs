//! The recorder as a whole: the real binary, real sockets, real files, looked at from outside.
#![allow(
    clippy::disallowed_methods,
    reason = "tests make and change files of their own, and ask for the time as anybody does"
)]

mod alarms;
mod backup;
mod config;
mod crash;
mod devices;
mod disclose;
mod disk;
mod export;
mod eyes;
mod faults;
mod hostile;
mod inject;
mod network;
mod open;
mod package;
mod peers;
mod people;
mod record;
mod recovery;
mod refuse;
mod scene;
mod secrets;
mod still;
mod stop;
mod support;
mod targets;
mod time;
mod upkeep;
mod web;
