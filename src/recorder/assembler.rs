//! One stream's access units become fragments: order, time of day, where segments are cut.
//!
//! It runs on the ingest task and returns at once; hashing, sealing and writing are the writer's.

use std::sync::Arc;
use std::time::Duration;

use crate::base::Clock;
use crate::base::id::{RunId, StreamId};
use crate::base::time::{Mono, Ticks, Wall};
use crate::catalog::GapCause;
use crate::media::access_unit::{AccessUnit, SampleEntry};
use crate::media::activity::Activity;
use crate::media::header::{ClockState, Losses};
use crate::media::order::{Ordered, Sequencer};
use crate::media::segment::Sample;
use crate::recorder::fragment::{Fragment, What};
use crate::recorder::live::Live;
use crate::recorder::outbox::Outbox;
use crate::recorder::timeline::{Timeline, Verdict};

/// Longest fragment that does not end at a key frame.
const FRAGMENT_TICKS_MAX: Ticks = Ticks::from_secs(2);
/// Largest fragment, in bytes and samples (the reader's bounds are twice that).
const FRAGMENT_BYTES_MAX: u64 = 24 << 20;
const FRAGMENT_SAMPLES_MAX: usize = 2048;
/// A segment of this many bytes is cut at the next key frame, whatever its length.
const SEGMENT_BYTES_MAX: u64 = 256 << 20;
/// So long without a key frame and the run ends.
const NO_KEY_FRAME_MAX: Ticks = Ticks::from_secs(60);
/// So long after the last key frame the run ends: a segment ends at key frames only, and must not grow for ever. Above the
/// longest GOP that cameras make of a still picture (Axis Zipstream: 1200 pictures).
const KEY_FRAMES_APART_MAX: Ticks = Ticks::from_secs(600);
/// A server may send what it has kept at once. So long the first pictures are held, until the least delayed shows when they
/// were taken; at most so many bytes.
const SETTLE: Duration = Duration::from_secs(1);
const SETTLE_BYTES_MAX: usize = 16 << 20;
/// A segment of this many fragments is cut at the next key frame (the reader's bound is 2048).
const SEGMENT_FRAGMENTS_MAX: u32 = 1500;
/// So many repaired times in a row, and the sequencer begins anew.
const REPAIRED_IN_A_ROW_MAX: u32 = 8;
/// A stream that is cut into segments by changing parameters more often than this is ended, over how many runs so ever.
const PARAMETER_CHANGES_A_MINUTE_MAX: u32 = 30;

/// What an assembler needs to know.
#[derive(Clone, Debug)]
pub struct Options {
    /// The stream.
    pub stream: Arc<StreamId>,
    /// Length of a segment, in seconds.
    pub segment_secs: u32,
    /// Where in the cycle of `segment_secs` this stream is cut, so that not all are cut at once; in microseconds.
    pub stagger_us: i64,
    /// Those who watch.
    pub live: Live,
}

/// One stream's assembler.
pub struct Assembler {
    options: Options,
    clock: Arc<dyn Clock>,
    outbox: Outbox,
    /// Outlives runs: its median is slow.
    activity: Activity,
    /// The parameters of the last run, and how often they changed since when; it outlives runs too.
    parameters: Parameters,
    run: Option<Run>,
}

#[derive(Default)]
struct Parameters {
    last: Option<Arc<SampleEntry>>,
    since: Mono,
    changes: u32,
}

/// Why a run cannot go on.
#[derive(Debug)]
pub struct Unusable {
    /// The gap's cause.
    pub cause: GapCause,
    /// In words.
    pub detail: String,
}

struct Run {
    id: RunId,
    entry: Option<Arc<SampleEntry>>,
    timeline: Timeline,
    sequencer: Sequencer,
    pending: Vec<Sample>,
    pending_bytes: u64,
    losses: Losses,
    activity_done: Vec<(i64, u8)>,
    camera_offset_ms: Option<i64>,
    uncertain: bool,
    /// The first pictures, held until the time of day has settled.
    early: Option<Early>,
    /// A key frame was seen: what comes is recorded.
    started: bool,
    first_seen: Option<Ticks>,
    last_key: Ticks,
    cut: bool,
    next_cut: Option<Wall>,
    segment_bytes: u64,
    segment_fragments: u32,
    /// The segment before the next fragment bears a time of day that was found wrong.
    doubts_before: bool,
    /// Of the sequencer, as far as they were counted.
    discontinuities: u32,
    /// Whole GOPs are being dropped since the queue is full.
    dropping: bool,
}

#[derive(Default)]
struct Early {
    units: Vec<AccessUnit>,
    bytes: usize,
    since: Option<Mono>,
}

impl Early {
    /// Takes a unit; gives all once the time of day has settled.
    fn push(&mut self, unit: AccessUnit) -> Option<Vec<AccessUnit>> {
        let now = unit.received_mono;
        let since = *self.since.get_or_insert(now);
        self.bytes += unit.data.len();
        self.units.push(unit);
        let settled = now.since(since) >= SETTLE || self.bytes > SETTLE_BYTES_MAX;
        settled.then(|| std::mem::take(&mut self.units))
    }
}

impl Assembler {
    /// Of a stream that is not connected yet.
    pub fn new(options: Options, clock: Arc<dyn Clock>, outbox: Outbox) -> Self {
        Self {
            options,
            clock,
            outbox,
            activity: Activity::new(),
            parameters: Parameters::default(),
            run: None,
        }
    }

    /// A session began.
    pub fn run_started(&mut self, id: RunId) {
        self.run = Some(Run {
            id,
            entry: None,
            timeline: Timeline::new(),
            sequencer: Sequencer::new(),
            pending: Vec::new(),
            pending_bytes: 0,
            losses: Losses::default(),
            activity_done: Vec::new(),
            camera_offset_ms: None,
            uncertain: false,
            early: Some(Early::default()),
            started: false,
            first_seen: None,
            last_key: Ticks(0),
            cut: true,
            next_cut: None,
            segment_bytes: 0,
            segment_fragments: 0,
            doubts_before: false,
            discontinuities: 0,
            dropping: false,
        });
    }

    /// Parameters for the units that follow.
    pub fn parameters(&mut self, entry: Arc<SampleEntry>) -> Result<(), Unusable> {
        let Some(mut run) = self.run.take() else {
            return Ok(());
        };
        if run.entry.as_ref().is_none_or(|old| **old != *entry) {
            // A coded video sequence ends here: what is held back belongs to the old parameters.
            self.drain(&mut run);
            run.cut = true;
            run.entry = Some(Arc::clone(&entry));
        } else {
            self.run = Some(run);
            return Ok(());
        }
        self.run = Some(run);
        self.parameters.changed(entry, self.clock.mono())
    }

    /// A picture.
    ///
    /// # Errors
    /// When the run is of no use: no key frame comes.
    pub fn unit(&mut self, unit: AccessUnit) -> Result<(), Unusable> {
        let Some(mut run) = self.run.take() else {
            return Ok(());
        };
        let result = self.take(&mut run, unit);
        self.run = Some(run);
        result
    }

    fn take(&mut self, run: &mut Run, unit: AccessUnit) -> Result<(), Unusable> {
        run.losses.packets_lost = run.losses.packets_lost.saturating_add(unit.loss);
        if !run.started {
            let first = *run.first_seen.get_or_insert(unit.pts);
            if !unit.is_key {
                if unit.pts - first > NO_KEY_FRAME_MAX {
                    return Err(no_key_frame(NO_KEY_FRAME_MAX));
                }
                return Ok(());
            }
            run.started = true;
        }
        for unit in run.timeline.admit(unit) {
            if unit.is_key {
                run.last_key = unit.pts;
            } else if unit.pts - run.last_key > KEY_FRAMES_APART_MAX {
                return Err(no_key_frame(KEY_FRAMES_APART_MAX));
            }
            let settled = match &mut run.early {
                Some(early) => early.push(unit),
                None => Some(vec![unit]),
            };
            if let Some(units) = settled {
                run.early = None;
                self.sequence(run, units);
            }
        }
        run.note_repairs();
        Ok(())
    }

    fn sequence(&mut self, run: &mut Run, units: Vec<AccessUnit>) {
        for unit in units {
            for ordered in run.sequencer.push(unit) {
                self.ordered(run, ordered);
            }
        }
        if run.sequencer.repaired_in_a_row() > REPAIRED_IN_A_ROW_MAX {
            // The camera's times have changed for good: what follows is a sequence of its own.
            for ordered in run.sequencer.flush() {
                self.ordered(run, ordered);
            }
        }
    }

    /// True while pictures are dropped since the disk does not keep up.
    pub fn is_dropping(&self) -> bool {
        self.run.as_ref().is_some_and(|run| run.dropping)
    }

    /// Something that could not be understood was left out.
    pub fn corrupt(&mut self) {
        if let Some(run) = &mut self.run {
            run.losses.corrupt_units = run.losses.corrupt_units.saturating_add(1);
        }
    }

    /// The camera's clock minus the host's, in milliseconds.
    pub fn camera_clock(&mut self, offset_ms: i64) {
        if let Some(run) = &mut self.run {
            run.camera_offset_ms = Some(offset_ms);
        }
    }

    /// The run ended.
    pub fn run_ended(&mut self, cause: GapCause, detail: &str) {
        let Some(mut run) = self.run.take() else {
            return;
        };
        run.timeline.finish();
        run.note_repairs();
        self.drain(&mut run);
        if run.started {
            self.outbox.tell(What::Ended {
                cause,
                detail: detail.to_owned(),
            });
        } else {
            self.outbox.tell(What::Failed {
                at: self.clock.wall(),
                cause,
                detail: detail.to_owned(),
            });
        }
    }

    /// No run could begin.
    pub fn attempt_failed(&mut self, cause: GapCause, detail: &str) {
        self.outbox.tell(What::Failed {
            at: self.clock.wall(),
            cause,
            detail: detail.to_owned(),
        });
    }

    fn drain(&mut self, run: &mut Run) {
        if let Some(early) = &mut run.early {
            let units = std::mem::take(&mut early.units);
            self.sequence(run, units);
        }
        for ordered in run.sequencer.flush() {
            self.ordered(run, ordered);
        }
        run.activity_done.extend(self.activity.finish());
        self.flush(run);
    }

    /// A unit with its decode time and duration settled.
    fn ordered(&mut self, run: &mut Run, ordered: Ordered) {
        let Ordered {
            unit,
            dts,
            duration,
        } = ordered;
        if unit.is_key {
            self.flush(run);
            self.decide_cut(run, dts);
        } else {
            let first = run.pending.first().map_or(dts, |s| s.dts);
            let full = run.pending_bytes >= FRAGMENT_BYTES_MAX
                || run.pending.len() >= FRAGMENT_SAMPLES_MAX;
            if full || dts - first >= FRAGMENT_TICKS_MAX {
                self.flush(run);
            }
        }
        let wall = run.timeline.wall_of(dts);
        run.activity_done.extend(self.activity.add(
            wall.us().div_euclid(1_000_000),
            unit.data.len(),
            unit.is_key,
        ));
        let sample = Sample {
            data: unit.data,
            dts,
            pts: unit.pts,
            duration,
            is_key: unit.is_key,
        };
        if let Some(entry) = &run.entry {
            let stream = &self.options.stream;
            self.options.live.show(stream, entry, &sample, wall);
        }
        run.pending_bytes += sample.data.len() as u64;
        run.pending.push(sample);
    }

    /// At a key frame: does a new segment begin with it?
    fn decide_cut(&mut self, run: &mut Run, dts: Ticks) {
        let period_us = i64::from(self.options.segment_secs) * 1_000_000;
        let now = run.timeline.wall_of(dts);
        let due = run.next_cut.is_none_or(|at| now >= at);
        if !(run.cut
            || due
            || run.segment_bytes >= SEGMENT_BYTES_MAX
            || run.segment_fragments >= SEGMENT_FRAGMENTS_MAX
            || run.timeline.is_wrong())
        {
            return;
        }
        run.cut = true;
        run.segment_bytes = 0;
        run.segment_fragments = 0;
        let mut start = now;
        match if run.next_cut.is_some() {
            run.timeline.correct(dts)
        } else {
            Verdict::Steady
        } {
            Verdict::Steady => run.uncertain = false,
            Verdict::Uncertain => run.uncertain = true,
            Verdict::Stepped(_) => {
                // The same session, but its time of day begins anew: a run of its own.
                run.id = RunId::random();
                run.uncertain = true;
                run.doubts_before = true;
                start = run.timeline.wall_of(dts);
            }
        }
        // The first boundary of the cycle that leaves at least half a period.
        let cycle =
            (start.us() + period_us / 2 - self.options.stagger_us).div_euclid(period_us) + 1;
        run.next_cut = Some(Wall(cycle * period_us + self.options.stagger_us));
    }

    /// Sends what is pending as a fragment.
    fn flush(&mut self, run: &mut Run) {
        let (Some(first), Some(last)) = (run.pending.first(), run.pending.last()) else {
            return;
        };
        let (first_dts, end_dts, starts_with_key) =
            (first.dts, last.dts + last.duration, first.is_key);
        let Some(entry) = run.entry.clone() else {
            run.pending.clear();
            return;
        };
        let bytes = std::mem::take(&mut run.pending_bytes);
        let samples = std::mem::take(&mut run.pending);
        if run.dropping && !starts_with_key {
            return;
        }
        let host = self.clock.host_sync();
        let fragment = Fragment {
            run: run.id,
            entry,
            cut: run.cut,
            doubts_before: run.doubts_before,
            starts_with_key,
            start: run.timeline.wall_of(first_dts),
            end: run.timeline.wall_of(end_dts),
            first_dts,
            samples,
            bytes,
            losses: std::mem::take(&mut run.losses),
            clock: ClockState {
                host_synchronised: host.synchronised,
                host_error_us: host.error_us,
                camera_offset_ms: run.camera_offset_ms,
                time_uncertain: run.uncertain,
            },
            activity: std::mem::take(&mut run.activity_done),
        };
        run.segment_bytes += bytes;
        run.segment_fragments += 1;
        if self.outbox.offer(bytes, What::Fragment(Box::new(fragment))) {
            run.dropping = false;
            run.cut = false;
            run.doubts_before = false;
        } else if !run.dropping {
            // The disk does not keep up: whole GOPs go, and the gap says so.
            run.dropping = true;
            run.cut = true;
            self.outbox.tell(What::Overflow);
        }
    }
}

fn no_key_frame(since: Ticks) -> Unusable {
    Unusable {
        cause: GapCause::NoKeyFrame,
        detail: format!(
            "no key frame for {} s; set the camera's key frame (I-frame) interval",
            since.us() / 1_000_000
        ),
    }
}

impl Run {
    fn note_repairs(&mut self) {
        let dropped = std::mem::take(&mut self.timeline.dropped);
        let seen = self.sequencer.discontinuities();
        let jumps =
            std::mem::take(&mut self.timeline.jumps) + seen.saturating_sub(self.discontinuities);
        self.discontinuities = seen;
        self.losses.corrupt_units = self.losses.corrupt_units.saturating_add(dropped);
        self.losses.discontinuities = self.losses.discontinuities.saturating_add(jumps);
    }
}

impl Parameters {
    fn changed(&mut self, entry: Arc<SampleEntry>, now: Mono) -> Result<(), Unusable> {
        if self.last.as_ref().is_none_or(|last| *last == entry) {
            // A run that begins as the one before it ended.
            self.last = Some(entry);
            return Ok(());
        }
        self.last = Some(entry);
        if now.since(self.since) > Duration::from_secs(60) {
            (self.since, self.changes) = (now, 0);
        }
        self.changes += 1;
        if self.changes > PARAMETER_CHANGES_A_MINUTE_MAX {
            let detail = format!(
                "the camera changed its parameter sets more than {PARAMETER_CHANGES_A_MINUTE_MAX} times in a minute"
            );
            return Err(Unusable {
                cause: GapCause::Protocol,
                detail,
            });
        }
        Ok(())
    }
}
