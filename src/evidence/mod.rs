//! Layer 3: from segments to something that can be handed out. Which fragments a span takes, the clip, and the keys
//! that open them.
//!
//! What does not belong here: who may do so (`access`), why (`disclosure`), deletion.

pub mod certificate;
pub mod clip;
pub mod find;
pub mod keys;
pub mod package;
pub mod proof;
pub mod select;
mod spool;
pub mod still;
pub mod tree_check;
pub mod tree_details;
pub mod tree_files;
pub mod tree_rebuild;
pub mod view;
pub mod viewing;
