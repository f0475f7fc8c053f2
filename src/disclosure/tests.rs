//! Disclosures as a whole.
