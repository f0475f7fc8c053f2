//! Layer 3: from a camera's stream to access units. A source (RTSP) with what it may take and where it may be sent, and a
//! supervisor that keeps it connected.
//!
//! What does not belong here: files, segments, the catalog. What comes out goes to a [`Sink`].

pub mod allowance;
pub mod probe;
pub mod redirect;
pub mod rtsp;
pub mod supervisor;

use std::future::Future;
use std::sync::Arc;

use crate::base::id::RunId;
use crate::catalog::GapCause;
use crate::media::access_unit::{AccessUnit, SampleEntry};

/// Longest words for why a session ended, in characters.
const DETAIL_CHARS_MAX: usize = 400;

/// Why a session ended or could not begin: the cause that a gap will bear, and the words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ended {
    /// The gap's cause.
    pub cause: GapCause,
    /// What happened, for people; never a secret.
    pub detail: String,
}

impl Ended {
    /// With its cause and words. They may quote the camera: they are cut at [`DETAIL_CHARS_MAX`], and what would move a
    /// terminal's cursor is replaced.
    pub fn new(cause: GapCause, detail: impl Into<String>) -> Self {
        let mut detail: String = detail.into();
        let cut = detail.char_indices().nth(DETAIL_CHARS_MAX);
        if let Some((at, _)) = cut {
            detail.truncate(at);
            detail.push('…');
        }
        if detail.contains(char::is_control) {
            detail = detail.replace(char::is_control, "\u{fffd}");
        }
        Self { cause, detail }
    }
}

/// What a session yields.
#[derive(Debug)]
pub enum Item {
    /// How the access units that follow are to be decoded. Comes before the first, and at each change.
    Parameters(Arc<SampleEntry>),
    /// A picture.
    Unit(AccessUnit),
    /// The camera's own clock minus the host's, in milliseconds (RTCP sender report, RFC 3550, 6.4.1).
    CameraClock(i64),
    /// Something could not be understood and was left out; the session goes on.
    Corrupt(String),
}

/// Where a stream comes from.
pub trait Source: Send {
    /// An open session.
    type Session: Session;
    /// Connects and starts the stream. Every wait inside has a bound.
    fn connect(&mut self) -> impl Future<Output = Result<Self::Session, Ended>> + Send;
}

/// An open session with a camera's stream.
pub trait Session: Send {
    /// The next item. The caller bounds the wait.
    fn next(&mut self) -> impl Future<Output = Result<Item, Ended>> + Send;
}

/// Where a stream goes. Calls return at once.
pub trait Sink: Send {
    /// A session began.
    fn run_started(&mut self, run: RunId);
    /// An item of the run.
    ///
    /// # Errors
    /// When the run is of no use any more and must end.
    fn item(&mut self, item: Item) -> Result<(), Ended>;
    /// The run ended.
    fn run_ended(&mut self, ended: &Ended);
    /// A session could not begin.
    fn attempt_failed(&mut self, ended: &Ended);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_camera_makes_us_say_is_short_and_plain() {
        let said = format!("it said \u{1b}[2J\r\n{}", "ä".repeat(100_000));
        let ended = Ended::new(GapCause::Protocol, said);
        assert_eq!(ended.detail.chars().count(), DETAIL_CHARS_MAX + 1);
        assert!(
            ended
                .detail
                .starts_with("it said \u{fffd}[2J\u{fffd}\u{fffd}ää")
        );
        assert!(ended.detail.ends_with("ä…"));
        let short = Ended::new(GapCause::Stalled, "no picture for 5 s");
        assert_eq!(short.detail, "no picture for 5 s");
    }
}
