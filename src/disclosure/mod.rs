//! Layer 4: disclosures.

pub mod paper;
