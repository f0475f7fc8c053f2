//! Layer 1: the media formats. Access units, fragmented MP4, Common Encryption, leaf hashes: bytes in,
//! bytes out.
//!
//! What does not belong here: files, sockets, time of day, threads.

pub mod access_unit;
