//! Sinetti records a shop's cameras, deletes the footage on time and can prove it, and lets authorised
//! people hand out a clip with a record that an auditor can check.
//!
//! Modules in reading order. A file imports only from a lower layer; modules of one layer never meet.
//! `tests/tidy.rs` keeps it so.
//!
//! | layer | modules | |
//! |---|---|---|
//! | 0 | [`base`] | clock, disk, time, ids, errors |
//! | 1 | [`media`] | access units, fragmented MP4, Common Encryption, leaf hashes; no IO |
//! | 1 | [`config`] | the configuration: types, load, checks, differences, edits |

pub mod base;
pub mod config;
pub mod media;
