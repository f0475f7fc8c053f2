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
//! | 1 | [`vault`] | the key hierarchy: persons, generations, segment keys, recovery; pure |

pub mod base;
pub mod media;
pub mod vault;
