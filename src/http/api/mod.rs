//! The routes of API v1: what comes in, what goes out. Each handler is handed who asks, with the right decided already.

pub mod alarms;
pub mod camera_settings;
pub mod cameras;
pub mod coverage;
pub mod deletions;
pub mod disclosure_drafts;
pub mod disclosure_steps;
pub mod disclosures;
pub mod document;
pub mod enrolment;
pub mod health;
pub mod holds;
pub mod ledger;
pub mod live;
pub mod media;
pub mod notice;
pub mod packages;
pub mod persons;
pub mod playback;
pub(crate) mod readable;
pub mod retention;
pub mod rights;
pub mod session;
pub mod site;
mod words;
