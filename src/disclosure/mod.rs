//! Layer 5: handing footage out. A disclosure is a record first and a file second: what is asked for, by whom and on which ground,
//! who approved it, what became of it.
//!
//! ```text
//! Form (typed) ──parse──> DisclosureRequest ──request──> held, requested ──decide──> approved ──> prepared ──> handed over
//! ```
//!
//! Each step is one commit with its entry in the ledger. [`paper`] sets it on paper. What does not belong here: making packages
//! (`evidence`), HTTP, prompts.

pub mod act;
pub mod decide;
pub mod form;
pub mod give;
pub mod hand_over;
pub mod making;
pub mod packages;
pub mod paper;
pub mod papers;
pub mod prepare;
pub mod register;
pub mod request;
pub mod scan;
pub mod snap;
#[cfg(test)]
mod tests;
mod unfit;
