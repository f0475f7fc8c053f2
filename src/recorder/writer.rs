//! The writer of one volume: a thread that seals and appends fragments, cuts segments, and keeps the books of gaps.
//!
//! It never waits for a sync but that of a key slot, which must be durable before the first byte sealed with its key.
//! Syncing, renaming and rows are the keeper's.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use log::error;
use ring::rand::SystemRandom;

use crate::base::Clock;
use crate::base::disk;
use crate::base::error::{Error, Kind, Result};
use crate::base::hash::Digest;
use crate::base::id::{BoxId, RunId, StreamId};
use crate::base::time::{Mono, Span, Wall};
use crate::catalog::{Change, Event, GapCause};
use crate::recorder::board::{Board, Growing, Phase};
use crate::recorder::cause::{cause_of, is_another, is_rest};
use crate::recorder::fragment::{Begin, Fragment, Order, What};
use crate::recorder::keeper::{self, Closing, Job, Keeper};
use crate::recorder::outbox::Waiting;
use crate::recorder::segment::{Beginning, SealingInForce, Segment};
use crate::store::volume::Volume;

/// After a failed write the volume is tried again this much later.
const RETRY: Duration = Duration::from_secs(5);
/// Free space is looked at this often.
const SPACE_EVERY: Duration = Duration::from_secs(2);
/// Recording begins again when this much more than the reserve is free.
pub const HYSTERESIS_BYTES: u64 = 64 << 20;
/// Two times of one run that should meet may differ by this much, in microseconds, and still be made to meet.
const MEET_US: i64 = 1_000_000;

/// What a writer needs to know.
pub struct Options {
    /// Where it writes.
    pub volume: Volume,
    /// This box.
    pub box_id: BoxId,
    /// To whom keys are wrapped.
    pub sealing: SealingInForce,
    /// Free space that is kept, in bytes.
    pub reserve_bytes: u64,
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// Where it shows what it does.
    pub board: Board,
    /// Called when there is no room above the reserve; it must return at once.
    pub ask_room: Arc<dyn Fn() + Send + Sync>,
}

/// The writer of one volume.
pub struct Writer {
    options: Options,
    keeper: Keeper,
    streams: HashMap<Arc<StreamId>, Stream>,
    space: Option<(Mono, bool)>,
    was_full: bool,
    random: SystemRandom,
}

struct Stream {
    id: Arc<StreamId>,
    waiting: Waiting,
    previous_root: Digest,
    open: Option<Segment>,
    run: Option<RunId>,
    /// Where recording ended, or the last gap did.
    covered_until: Option<Wall>,
    /// Cause of the open gap.
    gap: Option<GapCause>,
    retry_at: Option<Mono>,
    /// UTC day of the last segment begun here.
    day: Option<String>,
    /// How often a cut had been asked for when the open segment was begun.
    cuts: u64,
}

impl Writer {
    /// Of a volume whose keeper runs.
    pub fn new(options: Options, keeper: Keeper) -> Self {
        Self {
            options,
            keeper,
            streams: HashMap::new(),
            space: None,
            was_full: false,
            random: SystemRandom::new(),
        }
    }

    /// Works until all senders are gone, then closes every segment and returns the keeper.
    pub fn run(mut self, orders: &Receiver<Order>) -> Keeper {
        loop {
            match orders.recv_timeout(Duration::from_secs(3600)) {
                Ok(order) => {
                    self.pulse(true);
                    self.obey(order);
                    self.pulse(false);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        for mut stream in std::mem::take(&mut self.streams).into_values() {
            if matches!(stream.gap, Some(GapCause::Disabled | GapCause::Removed)) {
                continue;
            }
            self.end(&mut stream, GapCause::Stopped, "Sinetti was stopped");
            self.end_run(&mut stream, GapCause::Stopped);
        }
        self.keeper
    }

    fn pulse(&self, begins: bool) {
        let since = begins.then(|| self.options.clock.mono());
        let name = &self.options.volume.name;
        self.options.board.pulses.writing(name, since);
    }

    fn obey(&mut self, order: Order) {
        if let What::Begin(begin) = order.what {
            self.begin(order.stream, begin);
            return;
        }
        let Some(mut stream) = self.streams.remove(&order.stream) else {
            return;
        };
        match order.what {
            What::Begin(_) => {}
            What::Forget(done) => {
                self.close(&mut stream, None, None);
                self.keeper.tell(Job::Barrier(done));
                return;
            }
            What::Fragment(fragment) => {
                let bytes = fragment.bytes;
                self.fragment(&mut stream, *fragment);
                stream.waiting.done(bytes);
            }
            What::Ended { cause, detail } => {
                self.end(&mut stream, cause, &detail);
                self.end_run(&mut stream, cause);
            }
            What::Failed { at, cause, detail } => self.gap(&mut stream, at, cause, &detail),
            What::Overflow => {
                let text = "the disk did not keep up; pictures were dropped";
                error!("{}: {text}", stream.id);
                self.trouble(&stream, text);
                self.end(&mut stream, GapCause::StorageSlow, text);
            }
        }
        self.streams.insert(Arc::clone(&stream.id), stream);
    }

    fn begin(&mut self, id: Arc<StreamId>, begin: Begin) {
        let known = self.streams.remove(&id);
        if known.is_none() {
            let at = self.options.clock.wall();
            let seen = Change::StreamSeen {
                stream: (*id).clone(),
                at,
            };
            self.commit(vec![seen], None);
        }
        let mut stream = Stream {
            id: Arc::clone(&id),
            waiting: begin.waiting,
            // What this writer closed itself is newer than what the catalog said.
            previous_root: known
                .as_ref()
                .map_or(begin.previous_root, |k| k.previous_root),
            covered_until: known
                .as_ref()
                .and_then(|k| k.covered_until)
                .max(begin.covered_until),
            gap: known.as_ref().map_or(begin.gap, |k| k.gap),
            open: None,
            run: None,
            retry_at: None,
            day: None,
            cuts: 0,
        };
        if stream.covered_until.is_none() && stream.gap.is_none() {
            let (now, text) = (self.options.clock.wall(), "no picture has come yet");
            self.gap(&mut stream, now, GapCause::NotStarted, text);
        }
        self.streams.insert(id, stream);
    }

    fn fragment(&mut self, stream: &mut Stream, fragment: Fragment) {
        let changes = stream.open.as_ref().is_some_and(|open| {
            fragment.cut
                || open.run != fragment.run
                || *open.entry != *fragment.entry
                // Somebody lost the right to what is recorded from now on.
                || fragment.starts_with_key
                    && (open.generation() != self.options.sealing.generation()
                        || stream.cuts != self.options.board.cuts.asked(&stream.id))
        });
        if changes {
            let end = stream.open.as_ref().map(|open| {
                let apart_us = fragment.start.us_since(open.end).abs();
                let meets = apart_us <= MEET_US && open.run == fragment.run;
                if meets { fragment.start } else { open.end }
            });
            if fragment.doubts_before
                && let Some(open) = &mut stream.open
            {
                open.doubt_time();
            }
            self.close(stream, end, None);
        }
        if stream.open.is_none() && !self.open(stream, &fragment) {
            return;
        }
        let doubt = stream.open.as_ref().and_then(|s| s.open.doubt());
        let appended = match doubt {
            Some(why) => Err(Error::new(Kind::Io, why.to_owned())),
            None => self.append(stream, fragment),
        };
        if let Err(e) = appended {
            self.failed(stream, &e);
        }
    }

    /// Opens a segment for `fragment`; false when that cannot be, and the gap goes on.
    fn open(&mut self, stream: &mut Stream, fragment: &Fragment) -> bool {
        let now = self.options.clock.mono();
        let waiting = stream.retry_at.is_some_and(|at| now < at);
        if waiting || !fragment.starts_with_key {
            return false;
        }
        stream.retry_at = None;
        // Before its first byte: whoever asks from now on means this one too.
        stream.cuts = self.options.board.cuts.asked(&stream.id);
        if !self.has_room() {
            let text = format!(
                "volume \"{}\" has no room above its reserve of {} MiB",
                self.options.volume.name,
                self.options.reserve_bytes >> 20
            );
            self.refused(stream, fragment.start, GapCause::DiskFull, &text);
            return false;
        }
        let begun = self
            .options
            .volume
            .check(self.options.box_id)
            .and_then(|()| {
                let sealing = self.options.sealing.get();
                let beginning = Beginning {
                    volume: &self.options.volume,
                    box_id: self.options.box_id,
                    sealing: &sealing,
                    stream: &stream.id,
                    previous_root: stream.previous_root,
                    is_first: stream.day.as_deref() != Some(fragment.start.day().as_str()),
                };
                Segment::begin(&beginning, fragment, &self.random)
            });
        match begun {
            Ok(segment) => {
                stream.day = Some(segment.start.day());
                self.opened(stream, segment);
                true
            }
            Err(e) => {
                self.refused(stream, fragment.start, cause_of(&e), &e.to_string());
                false
            }
        }
    }

    fn opened(&mut self, stream: &mut Stream, segment: Segment) {
        self.keeper.tell(Job::Opened(Arc::clone(&segment.open)));
        let mut changes = Vec::new();
        if stream.run != Some(segment.run) {
            // The same session, whose time of day was set anew.
            if let Some(run) = stream.run {
                let at = stream.covered_until.unwrap_or_default();
                let cause = GapCause::ClockStep.to_string();
                changes.push(Change::RunEnded { run, at, cause });
            }
            changes.push(Change::RunStarted {
                run: segment.run,
                stream: (*stream.id).clone(),
                at: segment.start,
            });
            stream.run = Some(segment.run);
        }
        let event = self.close_gap(stream, &segment, &mut changes);
        if !changes.is_empty() {
            self.commit(changes, event);
        }
        let growing = Growing {
            segment: segment.id,
            path: segment.path(),
            start: segment.start,
            end: segment.start,
            written_bytes: segment.bytes(),
            durable_bytes: 0,
        };
        self.options
            .board
            .update(&stream.id, |line| line.growing = Some(growing));
        stream.open = Some(segment);
    }

    /// A segment could not be begun: the gap goes on, and the volume is tried again later.
    fn refused(&mut self, stream: &mut Stream, at: Wall, cause: GapCause, text: &str) {
        stream.retry_at = Some(self.options.clock.mono() + RETRY);
        if stream.gap.is_none_or(|before| is_another(before, cause)) {
            error!("{}: not recording: {text}", stream.id);
        }
        self.trouble(stream, text);
        self.gap(stream, at, cause, text);
    }

    /// Shows what is wrong with the volume on the stream's line.
    fn trouble(&self, stream: &Stream, text: &str) {
        let now = self.options.clock.wall();
        self.options.board.trouble(&stream.id, text, now);
    }

    fn has_room(&mut self) -> bool {
        let now = self.options.clock.mono();
        if let Some((at, room)) = self.space
            && now.since(at) < SPACE_EVERY
        {
            return room;
        }
        let extra = if self.was_full { HYSTERESIS_BYTES } else { 0 };
        let needed = self.options.reserve_bytes + extra;
        // A volume whose space cannot be read says so when it is written to.
        let room = self
            .options
            .volume
            .space()
            .map_or(true, |s| s.free_bytes >= needed);
        if !room {
            (self.options.ask_room)();
        }
        self.was_full = !room;
        self.space = Some((now, room));
        room
    }

    fn append(&mut self, stream: &mut Stream, fragment: Fragment) -> Result<()> {
        let Some(segment) = &mut stream.open else {
            return Ok(());
        };
        let (units, bytes) = (fragment.samples.len() as u64, fragment.bytes);
        let (lost, offset_ms) = (
            fragment.losses.packets_lost,
            fragment.clock.camera_offset_ms,
        );
        segment.append(fragment)?;
        stream.covered_until = Some(segment.end);
        let (end, written, durable) = (segment.end, segment.bytes(), segment.open.durable());
        self.options.board.update(&stream.id, |line| {
            // Pictures that waited here do not bring back a stream that was switched off or is begun anew.
            if matches!(line.phase, Phase::Receiving | Phase::Trouble) {
                line.phase = Phase::Recording;
            }
            line.units += units;
            line.bytes += bytes;
            line.packets_lost += u64::from(lost);
            line.camera_offset_ms = offset_ms;
            if let Some(growing) = &mut line.growing {
                growing.end = end;
                growing.written_bytes = written;
                growing.durable_bytes = durable;
            }
        });
        Ok(())
    }

    /// A write failed: the segment is closed at its last whole fragment. Its key is not used again.
    fn failed(&mut self, stream: &mut Stream, e: &Error) {
        error!(
            "{}: {e}; the segment is closed and a new one is tried in {} s",
            stream.id,
            RETRY.as_secs()
        );
        stream.retry_at = Some(self.options.clock.mono() + RETRY);
        if let Some(segment) = &mut stream.open
            && let Err(e) = segment.cut_back()
        {
            error!("{}: {e}", stream.id);
        }
        self.trouble(stream, &e.to_string());
        self.close(stream, None, Some((cause_of(e), e.to_string())));
    }

    /// The session with the camera is over. It outlasts a disk that refuses.
    fn end_run(&self, stream: &mut Stream, cause: GapCause) {
        if let Some(run) = stream.run.take() {
            let at = stream.covered_until.unwrap_or_default();
            let cause = cause.to_string();
            self.commit(vec![Change::RunEnded { run, at, cause }], None);
        }
    }

    /// Nothing comes any more: the segment closes, a gap begins.
    fn end(&mut self, stream: &mut Stream, cause: GapCause, detail: &str) {
        if !is_rest(cause) {
            self.trouble(stream, detail);
        }
        if stream.open.is_some() {
            self.close(stream, None, Some((cause, detail.to_owned())));
        } else if stream.covered_until.is_some() {
            let now = self.options.clock.wall();
            self.gap(stream, now, cause, detail);
        }
    }

    /// Closes the segment at `end` (its own end when not given), with the gap that begins there.
    fn close(&mut self, stream: &mut Stream, end: Option<Wall>, gap: Option<(GapCause, String)>) {
        let Some(mut segment) = stream.open.take() else {
            return;
        };
        let end = end.unwrap_or(segment.end);
        let board = &self.options.board;
        board.update(&stream.id, |line| line.growing = None);
        stream.covered_until = Some(end);
        let (mut after, mut event) = (Vec::new(), None);
        if let Some((cause, detail)) = gap {
            event = self.open_gap(stream, end, cause, &detail, &mut after);
        }
        if segment.is_empty() {
            self.discard(&segment);
            return self.commit(after, event);
        }
        let trailer = segment.trailer(end);
        // Also of a segment that stays open on disk: adopted, it has the same root.
        stream.previous_root = trailer.content_root;
        if let Err(e) = segment.finish(&trailer) {
            error!("{}: the segment stays open on disk: {e}", stream.id);
            self.keeper.tell(Job::Abandoned(Arc::clone(&segment.open)));
            let span = Span {
                start: segment.start,
                end,
            };
            after.insert(0, keeper::unconfirmed((*stream.id).clone(), span));
            return self.commit(after, event);
        }
        let volume = &self.options.volume;
        let closing = Closing {
            from: segment.path(),
            to: volume.segment_path(&stream.id, segment.start, segment.id),
            row: Box::new(segment.row(trailer.content_root, &stream.id, volume)),
            entry: Arc::clone(&segment.entry),
            activity: std::mem::take(&mut segment.activity),
            after,
            event,
            open: Arc::clone(&segment.open),
        };
        self.keeper.tell(Job::Close(Box::new(closing)));
    }

    /// A file without a single whole fragment holds no footage.
    fn discard(&self, segment: &Segment) {
        self.keeper.tell(Job::Abandoned(Arc::clone(&segment.open)));
        if let Err(e) = disk::remove_file(&segment.path()) {
            error!("{e}");
        }
    }

    fn gap(&mut self, stream: &mut Stream, at: Wall, cause: GapCause, detail: &str) {
        let mut start = stream.covered_until.map_or(at, |until| until.min(at));
        let mut changes = Vec::new();
        if stream.gap.is_some_and(|before| is_another(before, cause)) {
            start = stream.covered_until.map_or(at, |until| until.max(at));
            changes.push(Change::GapClosed {
                stream: (*stream.id).clone(),
                end: start,
            });
            (stream.covered_until, stream.gap) = (Some(start), None);
        }
        stream.covered_until.get_or_insert(start);
        let event = self.open_gap(stream, start, cause, detail, &mut changes);
        self.commit(changes, event);
        if cause == GapCause::Removed {
            self.options.board.remove(&stream.id);
        }
    }

    /// A gap from `start` on. The catalog keeps the first cause of a gap that is open already and takes the newer words.
    fn open_gap(
        &self,
        stream: &mut Stream,
        start: Wall,
        cause: GapCause,
        detail: &str,
        changes: &mut Vec<Change>,
    ) -> Option<Event> {
        changes.push(Change::GapOpened {
            stream: (*stream.id).clone(),
            start,
            cause,
            detail: Some(detail.to_owned()),
        });
        let is_new = stream.gap.is_none();
        stream.gap.get_or_insert(cause);
        is_new.then(|| {
            let facts = serde_json::json!({ "start": start, "cause": cause });
            let at = self.options.clock.wall();
            Event {
                detail: Some(serde_json::json!({ "text": detail })),
                // A camera that comes and goes must not fill the ledger; each gap has its row all the same.
                frequent: true,
                ..Event::of_box(at, "gap-opened", &stream.id, facts)
            }
        })
    }

    /// Coverage and gaps add up to time: what lies between the last picture and the first of `segment` is a gap.
    fn close_gap(
        &self,
        stream: &mut Stream,
        segment: &Segment,
        changes: &mut Vec<Change>,
    ) -> Option<Event> {
        let end = segment.start;
        let id = || (*stream.id).clone();
        let at = self.options.clock.wall();
        if stream.gap.take().is_some() {
            changes.push(Change::GapClosed { stream: id(), end });
            let facts = serde_json::json!({ "end": end });
            return Some(Event {
                frequent: true,
                ..Event::of_box(at, "gap-closed", &stream.id, facts)
            });
        }
        let start = stream.covered_until.filter(|until| *until != end)?;
        let moved_us = end.us_since(start);
        if moved_us > 0 {
            changes.push(Change::GapRecorded {
                stream: id(),
                span: Span { start, end },
                cause: GapCause::ClockStep,
                detail: Some("the time of day was set anew".to_owned()),
            });
        }
        let facts = serde_json::json!({ "from": start, "to": end, "moved_us": moved_us });
        Some(Event::of_box(at, "clock-step", &stream.id, facts))
    }

    fn commit(&self, changes: Vec<Change>, event: Option<Event>) {
        self.keeper.tell(Job::Commit { changes, event });
    }
}
