//! Layer 3: evidence.
