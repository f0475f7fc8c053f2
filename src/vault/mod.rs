//! Layer 1: the key hierarchy. Bytes in, bytes out; secrets are zeroised and never printed.
//!
//! ```text
//! recovery identity (2 of 3 paper shares)  ──────────────────────────────┐
//! passphrase ──opens──> person's identity ──unwraps──> vault generation ──┴──unwraps──> segment key
//! ```
//!
//! Every wrap is an age file (C2SP age, X25519), so that `age` and FFmpeg open footage without Sinetti;
//! `docs/recovery.md` shows how.
//!
//! What does not belong here: files, rows in a database, roles, sessions, the time of day.

mod bech32;
pub mod generation;
pub mod identity;
pub mod opener;
pub mod parcel;
pub mod passphrase;
pub mod person;
#[cfg(test)]
mod recovery_page;
pub mod shares;
pub mod slot;
pub mod stream;
mod text;
pub mod transit;
pub mod wrap;
