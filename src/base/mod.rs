//! Layer 0: what everything else stands on. Time, ids, errors, shutdown, and the only code that may
//! ask for the time, sleep, or change the file system.
//!
//! What does not belong here: anything that knows of cameras, footage or people.

pub mod aside;
pub mod clock;
pub mod disk;
pub mod edge;
pub mod error;
pub mod hash;
pub mod id;
pub mod memory;
pub mod merkle;
pub mod secret;
pub mod shutdown;
pub mod time;
pub mod zone;

pub use clock::Clock;
pub use error::{Context, Error, Kind, Result};
