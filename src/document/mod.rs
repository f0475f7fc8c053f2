//! Layer 1: documents for people, as PDF/A: headings, paragraphs, forms, tables over pages, codes to scan. Text in, bytes out.
//!
//! The fonts are in the program, so that a document looks the same wherever it is made. Nothing here knows what a document is
//! about: its words come from whoever makes it.
//!
//! What does not belong here: files, the time of day, what may be written about whom.

mod code;
mod fields;
mod font;
mod form;
mod page;
mod render;
mod sign;
mod table;
mod words;

pub use fields::Field;
pub use form::{Language, bytes, count, date, instant, period, span};
pub use page::{About, Paper};
pub use sign::Signer;
pub use table::{Align, Column, Table};
pub use words::Words;
pub(crate) use words::words;

#[cfg(test)]
mod tests;
