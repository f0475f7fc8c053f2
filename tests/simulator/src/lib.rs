//! Simulated RTSP cameras for Sinetti's demo, tests and benchmarks.
//!
//! Annex-B files are packetised once and sent by any number of cameras from one thread. Faults can
//! be switched on and off while they run, and every access unit that was sent is known, so a test
//! can say what must have been recorded. Nothing here is shared with the recorder: an error in one
//! does not hide the same error in the other.

mod annexb;
mod auth;
mod camera;
mod connection;
mod faults;
mod flood;
mod footage;
mod message;
mod playback;
mod random;
mod rtp;
mod schedule;
mod server;
mod transport;

pub use annexb::Codec;
pub use camera::{Camera, CameraHandle, Counters, Login, Scheme, Sent};
pub use faults::Fault;
pub use flood::Flood;
pub use footage::{AccessUnit, Footage};
pub use server::Server;
