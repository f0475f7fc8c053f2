//! Layer 7.
