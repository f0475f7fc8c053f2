//! Disclosures on paper, read back by tools that share nothing with ours: qpdf, poppler, zbar, Python's csv.
//!
//! With `SINETTI_TEST_PAPERS=DIR` the documents stay in that folder, for the eye.
#![allow(
    clippy::disallowed_methods,
    reason = "tests make and change files of their own"
)]

mod handover;
mod register;
mod sample;
mod tools;
