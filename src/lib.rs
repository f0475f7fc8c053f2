//! Sinetti records a shop's cameras, deletes the footage on time and can prove it, and lets authorised
//! people hand out a clip with a record that an auditor can check.
//!
//! Modules in reading order. A file imports only from a lower layer; modules of one layer never meet.
//! `tests/tidy.rs` keeps it so.
//!
//! | layer | modules | |
//! |---|---|---|
//! | 0 | [`base`] | clock, disk, time, ids, errors: the only code that asks for the time or changes a file |
//! | 1 | [`media`] | access units, fragmented MP4, Common Encryption, leaf hashes; no IO |
//! | 1 | [`ledger`] | the log that nobody can rewrite unseen: entries, tree, checkpoints, proofs; no IO |
//! | 1 | [`config`] | the configuration: types, loading, validation, difference |
//! | 1 | [`document`] | documents for people, as PDF/A; no IO |
//! | 1 | [`vault`] | the key hierarchy: persons, generations, key slots, recovery shares; no IO |
//! | 2 | [`catalog`] | the SQLite index: rows and the events that answer for them |
//! | 2 | [`decode`] | the program that decodes, held at arm's length |
//! | 2 | [`store`] | where things lie: volumes, key slots, the state folder |
//! | 3 | [`access`] | who may do what: persons, roles, sessions, second factors, vault generations |
//! | 3 | [`alarm`] | what somebody has to look at, and how they get to know |
//! | 3 | [`ingest`] | from a camera to access units |
//! | 3 | [`recorder`] | from access units to sealed segments, and what a crash left of them |
//! | 3 | [`doctor`] | whether this machine is fit to keep footage |
//! | 3 | [`retention`] | what is deleted when, and how a kill leaves nothing half |
//! | 3 | [`backup`] | a box's state, encrypted, and the way back |
//! | 3 | [`evidence`] | from segments to a clip that plays anywhere |
//! | 4 | [`disclosure`] | from a request for footage to what may be handed out, and the register |
//! | 6 | [`daemon`] | joins the parts, and stops them |
//! | 7 | [`cmd`] | one file a subcommand |

pub mod access;
pub mod alarm;
pub mod backup;
pub mod base;
pub mod catalog;
pub mod cmd;
pub mod config;
pub mod daemon;
pub mod decode;
pub mod disclosure;
pub mod doctor;
pub mod document;
pub mod evidence;
pub mod footage;
pub mod http;
pub mod ingest;
pub mod ledger;
pub mod media;
pub mod recorder;
pub mod retention;
pub mod store;
pub mod vault;
