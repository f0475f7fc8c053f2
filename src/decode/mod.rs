//! Layer 2: decoding, at arm's length. What a camera sent is parsed by `sinetti-codec`, a program of its own that can reach nothing;
//! here it is started, fed, bounded and ended, and what it answers is believed to be pixels and nothing more.
//!
//! What does not belong here: FFmpeg (`src/bin/sinetti-codec`), which picture is wanted and who may see it.

mod program;
pub mod still;
mod talk;
pub mod transcode;
pub mod wire;

pub use program::{Bounds, Program};
