//! Layer 1: the media formats. Access units, fragmented MP4, Common Encryption, leaf hashes: bytes in,
//! bytes out.
//!
//! What does not belong here: files, sockets, time of day, threads.

pub mod access_unit;
pub mod activity;
pub mod annexb;
pub mod boxes;
pub mod clear;
pub mod clip;
pub mod fragment;
pub mod header;
pub mod leaf;
pub mod merkle;
pub mod moov;
pub mod nal;
pub mod order;
pub mod read;
pub(crate) mod seal;
pub mod segment;
#[cfg(test)]
pub(crate) mod testing;
