//! Disclosures on paper: the handover document, and the register as a table for other programs and for print. Pure functions: plain
//! values in, bytes out.
//!
//! What does not belong here: where the values come from, who may have the paper.

mod csv;
mod handover;
mod record;
mod register;
mod register_words;
mod sought;
mod taken;
mod words;
mod write;

pub use handover::{
    Absent, Camera, Clock, Decision, Delivery, File, Ground, HandoverDocument, House, Losses,
    Proof, Recipient, Request, Told,
};
pub use record::Record;
pub use register::{Filter, Register, RegisterLine};
pub use sought::filters;
