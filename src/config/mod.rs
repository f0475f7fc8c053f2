//! Layer 1: the configuration, `DIR/sinetti.toml`: its types, reading it with every mistake named by
//! line, what changed between two of them, and the edits that commands make.
//!
//! Whoever runs the box edits it; `sinetti camera add` and `sinetti volume add` append to it, the pages add and change cameras
//! in it. What does not belong here: people and their rights (the catalog keeps those), and anything that acts on a setting.

mod address;
mod alarm;
mod catalogue;
mod change;
mod credentials;
mod diff;
mod edit;
mod error;
mod keep;
mod load;
mod notice;
mod parse;
mod policy;
mod read;
mod records;
#[cfg(test)]
mod tests;
mod types;
mod values;
mod web;

pub use address::{CAMERA_PORT, is_private, private_networks};
pub use alarm::{AlarmConfig, Language, Mail, Security, Trust, Webhook};
pub use catalogue::{
    CATALOGUE_NAME, Catalogue, Choice, DISCLOSURE_FIELDS, DISCLOSURE_KINDS, KindRules, Texts,
};
pub use change::{CameraChange, change_camera};
pub use credentials::Credentials;
pub use diff::{Diff, diff};
pub use edit::{NewCamera, NewVolume, add_camera, add_volume, save, starter};
pub use error::{ConfigErrors, Problem};
pub(crate) use keep::keep_text;
pub use load::{FILE_BYTES_MAX, FILE_NAME, Loaded, load};
pub use notice::NoticeConfig;
pub use parse::{CAMERAS_MAX, SECTIONS, VOLUMES_MAX, parse};
pub use policy::{
    JUSTIFIED_ABOVE_SECS, Origin, Policy, SPECIAL_ABOVE_SECS, Sentences, SitePolicy, StreamPolicy,
};
pub use records::{Age, BackupConfig, QuarantineConfig, RecordsConfig};
pub use types::{
    CameraConfig, Config, NetworkConfig, Purpose, RecorderConfig, Site, Transport, VolumeConfig,
};
pub use web::{CertificateFiles, LOCAL_DOMAINS, PEM_BYTES_MAX, WEB_PORT, WebConfig};

/// The configuration that documents every key, its default and its consequence.
pub const SAMPLE: &str = include_str!("../../config/sinetti.sample.toml");
