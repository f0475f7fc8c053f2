//! What goes from a stream's assembler to the writer of its volume.

use std::sync::Arc;

use crate::base::hash::Digest;
use crate::base::id::{RunId, StreamId};
use crate::base::time::{Ticks, Wall};
use crate::catalog::GapCause;
use crate::media::access_unit::SampleEntry;
use crate::media::header::{ClockState, Losses};
use crate::media::segment::Sample;
use crate::recorder::outbox::Waiting;

/// A piece of a stream, ready to be sealed: a GOP, or at most 2 s of one.
#[derive(Debug)]
pub struct Fragment {
    /// Its run.
    pub run: RunId,
    /// How it is decoded.
    pub entry: Arc<SampleEntry>,
    /// A new segment begins here whatever the old one's length.
    pub cut: bool,
    /// The time of day of the segment before was found wrong.
    pub doubts_before: bool,
    /// Decoding may begin at its first sample.
    pub starts_with_key: bool,
    /// Time of day of its first sample.
    pub start: Wall,
    /// Time of day at which its last sample ends.
    pub end: Wall,
    /// Media time of its first sample in the run.
    pub first_dts: Ticks,
    /// The samples in decoding order.
    pub samples: Vec<Sample>,
    /// Bytes of all samples.
    pub bytes: u64,
    /// What was lost since the fragment before.
    pub losses: Losses,
    /// The clocks when it was made.
    pub clock: ClockState,
    /// Activity of the seconds that became complete: second since 1970, value.
    pub activity: Vec<(i64, u8)>,
}

/// Adds what was lost in one fragment to what was lost in its segment.
pub fn add_losses(sum: &mut Losses, more: &Losses) {
    sum.packets_lost = sum.packets_lost.saturating_add(more.packets_lost);
    sum.corrupt_units = sum.corrupt_units.saturating_add(more.corrupt_units);
    sum.discontinuities = sum.discontinuities.saturating_add(more.discontinuities);
}

/// A segment's clocks are as good as they were at their worst; the camera's offset is the latest.
pub fn worsen_clock(state: &mut ClockState, now: &ClockState) {
    state.host_synchronised &= now.host_synchronised;
    state.host_error_us = state.host_error_us.max(now.host_error_us);
    state.camera_offset_ms = now.camera_offset_ms.or(state.camera_offset_ms);
    state.time_uncertain |= now.time_uncertain;
}

/// What the writer of a volume is told.
#[derive(Debug)]
pub enum What {
    /// A stream begins, or begins again after a change of the configuration.
    Begin(Begin),
    /// Write this.
    Fragment(Box<Fragment>),
    /// The run ended: the segment closes, a gap begins.
    Ended {
        /// The gap's cause.
        cause: GapCause,
        /// In words.
        detail: String,
    },
    /// There is no run and none could begin.
    Failed {
        /// Time of day of the attempt.
        at: Wall,
        /// The gap's cause.
        cause: GapCause,
        /// In words.
        detail: String,
    },
    /// The stream is not this writer's any more. Called when everything that was told of it before is in the catalog.
    Forget(Done),
    /// Pictures were dropped before they reached the writer: the segment closes, a gap begins.
    Overflow,
}

/// What the writer must know of a stream before its first fragment.
#[derive(Debug)]
pub struct Begin {
    /// `content_root` of its last segment; zero when there is none.
    pub previous_root: Digest,
    /// Where its recording or its last gap ended, if it ever recorded.
    pub covered_until: Option<Wall>,
    /// Cause of its open gap, if one is open.
    pub gap: Option<GapCause>,
    /// What waits for the writer.
    pub waiting: Waiting,
}

/// What is called once.
pub struct Done(Box<dyn FnOnce() + Send>);

impl Done {
    /// Calls `act`.
    pub fn new(act: impl FnOnce() + Send + 'static) -> Self {
        Self(Box::new(act))
    }

    /// Now.
    pub fn call(self) {
        (self.0)();
    }
}

impl std::fmt::Debug for Done {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Done")
    }
}

/// With the stream that it is about.
#[derive(Debug)]
pub struct Order {
    /// The stream.
    pub stream: Arc<StreamId>,
    /// What about it.
    pub what: What,
}
