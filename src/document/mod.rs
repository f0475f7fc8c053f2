//! Layer 1: documents for people, as PDF/A: headings, paragraphs, tables over pages, codes to scan. Text in, bytes out.
//!
//! The fonts are in the program, so that a document looks the same wherever it is made. Nothing here knows what a document is
//! about: its words come from whoever makes it.
//!
//! What does not belong here: files, the time of day, what may be written about whom.

mod code;
mod font;
mod form;
mod page;
mod render;
mod table;

pub use form::{Language, bytes, count, date, instant, span};
pub use page::{About, Paper};
pub use table::{Align, Column, Table};

#[cfg(test)]
mod tests;
