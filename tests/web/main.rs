//! The API without a socket: its routes are called as the server calls them. What needs sockets, TLS or footage is in
//! `tests/system`.
#![allow(
    clippy::disallowed_methods,
    reason = "tests make and change files of their own"
)]

mod configuration;
mod disclosures;
mod document;
mod holds;
mod live;
mod matrix;
mod playback;
mod police_request;
mod scans;
mod session;
mod world;
