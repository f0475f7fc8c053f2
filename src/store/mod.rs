//! Layer 2: where things lie. The footage volumes with their identity, paths and key slots, and the
//! state folder.
//!
//! What does not belong here: what is inside a segment (`media`), rows (`catalog`), when to write or
//! delete (`recorder`, `retention`).

pub mod file;
pub mod mark;
pub mod scrub;
pub mod slots;
pub mod state;
pub mod volume;
