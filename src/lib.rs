//! Sinetti.
