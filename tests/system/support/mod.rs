//! What every system test needs: a box of its own, cameras, footage, and eyes for what comes out.
#![allow(dead_code, unused_imports, reason = "each test file uses a part of it")]

mod footage;
mod http;
mod media;
mod mounts;
mod recorder;
mod strace;
mod targets;
mod test_box;
mod web;

pub(crate) use footage::{FPS, camera, footage, footage_dir, padded_camera, python, server};
pub(crate) use http::{Client, Reply, Tls, read};
pub(crate) use media::{
    LOOP_PICTURES, Packet, TICKS_PER_PICTURE, assert_shows, assert_times, assert_unbroken,
    block_codes, hashes, off_by, packets, place, sent_hashes, sha256, shown_times,
};
pub(crate) use mounts::{
    Ext4, Frozen, fill, must, remount, tmpfs, with_own_mounts, with_own_network,
};
pub(crate) use recorder::Recorder;
pub(crate) use strace::Strace;
pub(crate) use targets::{MailServer, Shown, Talk, self_signed, signed, web_hub};
pub(crate) use test_box::{
    Clip, Exported, Factor, Listed, PASSPHRASE, PURPOSE, Ran, TestBox, ran, span,
};
pub(crate) use web::openssl;

use sinetti::base::time::Wall;
use std::time::SystemTime;

/// The time of day, now.
pub(crate) fn now() -> Wall {
    SystemTime::now().into()
}
