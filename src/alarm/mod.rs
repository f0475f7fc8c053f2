//! Layer 3: alarms: from what is known of the box to what somebody has to look at.
//!
//! [`due`] is a pure function from [`Facts`] to what is wrong at this moment; [`Tracker`] lets nothing flap; [`Figures`] are
//! what measuring programs get. Who gathers the facts, and who writes the rows, is `daemon`; what the kinds are, and what each
//! asks of people, is `catalog::AlarmKind`.

mod delivery;
mod due;
mod facts;
mod figures;
mod mail;
mod message;
mod smtp;
mod tracker;
mod watch;
mod webhook;
mod wire;
mod words;

pub use delivery::{Delivery, Progress, Target, Told, tell};
pub use due::{Due, due};
pub use facts::{Clock, Facts, Ledger, Promised, Stream, Sweeping, Thresholds, Touched, Volume};
pub use figures::{Family, Figures};
pub use message::{Message, Sender, json_of};
pub use tracker::{Step, Tracker, clear_after, raise_after};
pub use watch::{Seen, Watch};
