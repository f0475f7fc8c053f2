//! Access as its callers see it.
