//! Layer 1: the ledger, a log that nobody can rewrite unseen. Bytes in, bytes out; no files, no time of day.
//!
//! An [`entry::Entry`] is a line of canonical JSON; its hash is a leaf of a tree as in Certificate Transparency
//! (RFC 6962, 2.1). A [`checkpoint`] is the signed root over all leaves so far (C2SP tlog-checkpoint, signed-note);
//! A [`statement`] is other JSON that the box signed; [`tree`] has the proofs, [`bundle`] the static files (C2SP tlog-tiles), [`audit`] the check of all of it.
//!
//! What does not belong here: where entries are kept (`catalog`), who may read them (`access`), how footage is hashed
//! (`media`).

pub mod audit;
pub mod bundle;
mod canonical;
pub mod checkpoint;
pub mod detail;
pub mod entry;
pub mod note;
pub mod seal;
pub mod several;
pub mod statement;
pub mod tree;

pub use canonical::canonical;
