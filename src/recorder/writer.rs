//! The writer of one volume: a thread that hashes, seals and appends fragments, and cuts segments.
//!
//! It never waits for a sync but that of a key slot, which must be durable before the first byte sealed with its key.
//! Syncing, renaming and rows are the keeper's.

use std::collections::HashMap;
use std::io::IoSlice;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use log::error;
use ring::rand::{SecureRandom, SystemRandom};

use crate::base::Clock;
use crate::base::clock::HostSync;
use crate::base::disk::{self, DiskFile};
use crate::base::error::{Error, Kind, Result};
use crate::base::hash::Digest;
use crate::base::id::{BoxId, RunId, SegmentId, StreamId};
use crate::base::secret::SegmentKey;
use crate::base::time::{Mono, Ticks, Wall};
use crate::catalog::{Change, GapCause, SegmentRow};
use crate::media::access_unit::SampleEntry;
use crate::media::header::{ClockState, KeySlot, Losses, SegmentHeader, SegmentTrailer};
use crate::media::segment::SegmentBuilder;
use crate::recorder::board::{Board, Growing, Phase};
use crate::recorder::cause::{cause_of, is_another, is_rest};
use crate::recorder::fragment::{Begin, Fragment, Order, What, add_losses, worsen_clock};
use crate::recorder::keeper::{Closing, Job, Keeper, Open};
use crate::recorder::outbox::Waiting;
use crate::store::slots;
use crate::store::volume::{self, Volume};
use crate::vault::generation::Generation;
use crate::vault::identity::Recipient;
use crate::vault::slot;

/// After a failed write the volume is tried again this much later.
const RETRY: Duration = Duration::from_secs(5);
/// Free space is looked at this often.
const SPACE_EVERY: Duration = Duration::from_secs(2);
/// Recording begins again when this much more than the reserve is free.
const HYSTERESIS_BYTES: u64 = 64 << 20;
/// Two times of one run that should meet may differ by this much, in microseconds, and still be made to meet.
const MEET_US: i64 = 1_000_000;

/// To whom segment keys are wrapped.
#[derive(Clone, Debug)]
pub struct Sealing {
    /// The vault generation in force.
    pub generation: Generation,
    /// The recovery recipient.
    pub recovery: Recipient,
}

/// What a writer needs to know.
pub struct Options {
    /// Where it writes.
    pub volume: Volume,
    /// This box.
    pub box_id: BoxId,
    /// To whom keys are wrapped.
    pub sealing: Sealing,
    /// Free space that is kept, in bytes.
    pub reserve_bytes: u64,
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// Where it shows what it does.
    pub board: Board,
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
}

struct Segment {
    id: SegmentId,
    run: RunId,
    entry: Arc<SampleEntry>,
    builder: SegmentBuilder,
    file: DiskFile,
    open: Arc<Open>,
    start: Wall,
    end: Wall,
    media: Ticks,
    samples: u32,
    losses: Losses,
    clock: ClockState,
    activity: Vec<(i64, u8)>,
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
                Ok(order) => self.obey(order),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        let left: Vec<_> = self.streams.keys().cloned().collect();
        for id in left {
            if let Some(mut stream) = self.streams.remove(&id)
                && !matches!(stream.gap, Some(GapCause::Disabled | GapCause::Removed))
            {
                self.end(&mut stream, GapCause::Stopped, "Sinetti was stopped");
            }
        }
        self.keeper
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
            What::Fragment(fragment) => {
                let bytes = fragment.bytes;
                self.fragment(&mut stream, *fragment);
                stream.waiting.done(bytes);
            }
            What::Ended { cause, detail } => self.end(&mut stream, cause, &detail),
            What::Failed { at, cause, detail } => self.gap(&mut stream, at, cause, &detail),
            What::Overflow => {
                let text = "the disk did not keep up; pictures were dropped";
                error!("{}: {text}", stream.id);
                self.end(&mut stream, GapCause::StorageSlow, text);
            }
        }
        self.streams.insert(Arc::clone(&stream.id), stream);
    }

    fn begin(&mut self, id: Arc<StreamId>, begin: Begin) {
        let known = self.streams.remove(&id);
        let stream = Stream {
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
        };
        if known.is_none() {
            self.keeper.tell(Job::Commit {
                changes: vec![Change::StreamSeen {
                    stream: (*id).clone(),
                    at: self.options.clock.wall(),
                }],
                event: None,
            });
        }
        self.streams.insert(id, stream);
    }

    fn fragment(&mut self, stream: &mut Stream, fragment: Fragment) {
        let changes = stream.open.as_ref().is_some_and(|open| {
            fragment.cut || open.run != fragment.run || *open.entry != *fragment.entry
        });
        if changes {
            let end = stream.open.as_ref().map(|open| {
                let meets =
                    fragment.start.us_since(open.end).abs() <= MEET_US && open.run == fragment.run;
                if meets { fragment.start } else { open.end }
            });
            self.close(stream, end, None);
        }
        if stream.open.is_none() {
            let waiting = stream
                .retry_at
                .is_some_and(|at| self.options.clock.mono() < at);
            if waiting || !fragment.starts_with_key {
                return;
            }
            stream.retry_at = None;
            if !self.has_room() {
                let text = format!(
                    "volume \"{}\" has no room above its reserve of {} MiB",
                    self.options.volume.name,
                    self.options.reserve_bytes >> 20
                );
                self.refused(stream, fragment.start, GapCause::DiskFull, &text);
                return;
            }
            let entry = Arc::clone(&fragment.entry);
            if let Err(e) = self.open(stream, &fragment, entry) {
                self.refused(stream, fragment.start, cause_of(&e), &e.to_string());
                return;
            }
        }
        if let Err(e) = self.append(stream, fragment) {
            self.failed(stream, &e);
        }
    }

    /// A segment could not be begun: the gap goes on, and the volume is tried again later.
    fn refused(&mut self, stream: &mut Stream, at: Wall, cause: GapCause, text: &str) {
        stream.retry_at = Some(self.options.clock.mono() + RETRY);
        if stream.gap.is_none_or(is_rest) {
            error!("{}: not recording: {text}", stream.id);
        }
        self.trouble(stream, text);
        self.gap(stream, at, cause, text);
    }

    fn has_room(&mut self) -> bool {
        let now = self.options.clock.mono();
        if let Some((at, room)) = self.space
            && now.since(at) < SPACE_EVERY
        {
            return room;
        }
        let extra = if self.was_full { HYSTERESIS_BYTES } else { 0 };
        // A volume whose space cannot be read says so when it is written to.
        let room = self
            .options
            .volume
            .space()
            .map_or(true, |s| s.free_bytes >= self.options.reserve_bytes + extra);
        self.was_full = !room;
        self.space = Some((now, room));
        room
    }

    fn open(
        &mut self,
        stream: &mut Stream,
        fragment: &Fragment,
        entry: Arc<SampleEntry>,
    ) -> Result<()> {
        let volume = &self.options.volume;
        volume.check(self.options.box_id)?;
        let id = SegmentId::random();
        let mut key = [0; 16];
        self.random
            .fill(&mut key)
            .map_err(|_| Error::new(Kind::Internal, "no random numbers for a segment key"))?;
        let key = SegmentKey::from_bytes(key);
        let sealing = &self.options.sealing;
        let sealed_key = slot::encode(id, &key, Some(&sealing.generation), &sealing.recovery)?;
        let place = slots::append(volume, &stream.id, &fragment.start.day(), &sealed_key)?;
        let header = SegmentHeader {
            box_id: self.options.box_id,
            camera: stream.id.camera.clone(),
            stream: stream.id.kind,
            run: fragment.run,
            segment: id,
            start: fragment.start,
            run_media_start: fragment.first_dts,
            generation: sealing.generation.id,
            key_slot: KeySlot {
                day: place.day,
                index: place.index,
            },
            previous_root: stream.previous_root,
        };
        let builder = SegmentBuilder::new(header, &entry, &key)?;
        volume.make_segment_dir(&stream.id, fragment.start)?;
        let part = volume.part_path(&stream.id, fragment.start, id);
        let mut file = DiskFile::create_new(&part, volume::FILE_MODE)?;
        let begun = file
            .append(&mut [IoSlice::new(&builder.initial_bytes())])
            .and_then(|()| file.syncer());
        let syncer = match begun {
            Ok(syncer) => syncer,
            Err(e) => {
                // No picture is in it: each attempt would leave another one.
                if let Err(e) = disk::remove_file(&part) {
                    error!("{}: {e}", stream.id);
                }
                return Err(e);
            }
        };
        let open = Arc::new(Open::new(syncer));
        self.keeper.tell(Job::Opened(Arc::clone(&open)));
        let mut changes = Vec::new();
        if stream.run != Some(fragment.run) {
            changes.push(Change::RunStarted {
                run: fragment.run,
                stream: (*stream.id).clone(),
                at: fragment.start,
            });
            stream.run = Some(fragment.run);
        }
        self.close_gap(stream, fragment.start, fragment.run, &mut changes);
        if !changes.is_empty() {
            self.keeper.tell(Job::Commit {
                changes,
                event: None,
            });
        }
        let growing = Growing {
            segment: id,
            path: part,
            start: fragment.start,
            end: fragment.start,
            written_bytes: file.len(),
            durable_bytes: 0,
        };
        self.options
            .board
            .update(&stream.id, |line| line.growing = Some(growing));
        stream.open = Some(Segment {
            id,
            run: fragment.run,
            entry,
            builder,
            file,
            open,
            start: fragment.start,
            end: fragment.start,
            media: Ticks(0),
            samples: 0,
            losses: Losses::default(),
            clock: fragment.clock,
            activity: Vec::new(),
        });
        Ok(())
    }

    /// Coverage and gaps add up to time: what lies between the last picture and the one at `start` is a gap.
    fn close_gap(
        &mut self,
        stream: &mut Stream,
        start: Wall,
        run: RunId,
        changes: &mut Vec<Change>,
    ) {
        if stream.gap.take().is_some() {
            changes.push(Change::GapClosed {
                stream: (*stream.id).clone(),
                end: start,
            });
        } else if let Some(until) = stream.covered_until
            && start.us_since(until) > 0
            && stream.open.is_none()
        {
            // One run whose time of day was stepped forward, or fragments that could not be kept.
            let detail = format!("time of day was set anew in run {run}");
            changes.push(Change::GapOpened {
                stream: (*stream.id).clone(),
                start: until,
                cause: GapCause::ClockStep,
                detail: Some(detail),
            });
            changes.push(Change::GapClosed {
                stream: (*stream.id).clone(),
                end: start,
            });
        }
    }

    fn append(&mut self, stream: &mut Stream, fragment: Fragment) -> Result<()> {
        let Some(open) = &mut stream.open else {
            return Ok(());
        };
        let units = u32::try_from(fragment.samples.len()).unwrap_or(u32::MAX);
        let sealed = open.builder.fragment(fragment.samples)?;
        let mut slices = Vec::with_capacity(sealed.samples.len() + 1);
        slices.push(IoSlice::new(&sealed.head));
        slices.extend(sealed.samples.iter().map(|s| IoSlice::new(s)));
        open.file.append(&mut slices)?;
        open.builder.written(&sealed);
        open.open.written(open.file.len());
        open.end = fragment.end;
        open.media = open.media + sealed.index.duration;
        open.samples += units;
        add_losses(&mut open.losses, &fragment.losses);
        worsen_clock(&mut open.clock, &fragment.clock);
        open.activity.extend(fragment.activity);
        stream.covered_until = Some(open.end);
        let (end, written, durable) = (open.end, open.file.len(), open.open.durable());
        self.options.board.update(&stream.id, |line| {
            // Pictures that waited here do not bring back a stream that was switched off or is begun anew.
            if matches!(line.phase, Phase::Receiving | Phase::Trouble) {
                line.phase = Phase::Recording;
            }
            line.units += u64::from(units);
            line.bytes += fragment.bytes;
            line.packets_lost += u64::from(fragment.losses.packets_lost);
            line.camera_offset_ms = fragment.clock.camera_offset_ms;
            if let Some(growing) = &mut line.growing {
                growing.end = end;
                growing.written_bytes = written;
                growing.durable_bytes = durable;
            }
        });
        Ok(())
    }

    fn trouble(&self, stream: &Stream, text: &str) {
        let now = self.options.clock.wall();
        self.options.board.trouble(&stream.id, text, now);
    }

    /// A write failed: the segment is closed at its last whole fragment. Its key is not used again.
    fn failed(&mut self, stream: &mut Stream, e: &Error) {
        error!(
            "{}: {e}; the segment is closed and a new one is tried in {} s",
            stream.id,
            RETRY.as_secs()
        );
        stream.retry_at = Some(self.options.clock.mono() + RETRY);
        if let Some(open) = &mut stream.open {
            let len = open.file.len();
            if let Err(e) = open.file.truncate(len) {
                // What follows the last whole fragment is left out when the file is adopted.
                error!("{}: {e}", stream.id);
            }
        }
        self.trouble(stream, &e.to_string());
        self.close(stream, None, Some((cause_of(e), e.to_string())));
    }

    /// A run ended: the segment closes, a gap begins.
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
        let Some(mut open) = stream.open.take() else {
            return;
        };
        let end = end.unwrap_or(open.end);
        self.options
            .board
            .update(&stream.id, |line| line.growing = None);
        let mut after = Vec::new();
        if let Some((cause, detail)) = gap {
            after.push(Change::RunEnded {
                run: open.run,
                at: end,
                cause: cause.to_string(),
            });
            after.push(Change::GapOpened {
                stream: (*stream.id).clone(),
                start: end,
                cause,
                detail: Some(detail),
            });
            stream.gap = Some(cause);
            stream.run = None;
        }
        let header = open.builder.header();
        let trailer = SegmentTrailer::new(
            header,
            open.builder.fragments().to_vec(),
            end,
            open.losses,
            open.clock,
            false,
        );
        let (root, trailer) = (trailer.content_root, trailer.to_bytes());
        stream.covered_until = Some(end);
        stream.previous_root = root;
        if let Err(e) = open.file.append(&mut [IoSlice::new(&trailer)]) {
            // The fragments are whole: the file is adopted when the volume is next opened.
            error!("{}: the segment stays open on disk: {e}", stream.id);
            self.keeper.tell(Job::Abandoned(open.open));
            self.keeper.tell(Job::Commit {
                changes: after,
                event: None,
            });
            return;
        }
        open.open.written(open.file.len());
        let row = row(&self.options, stream, &open, end, root);
        let closing = Closing {
            from: open.file.path().to_owned(),
            to: self
                .options
                .volume
                .segment_path(&stream.id, open.start, open.id),
            row: Box::new(row),
            entry: Arc::clone(&open.entry),
            activity: std::mem::take(&mut open.activity),
            after,
            open: open.open,
        };
        self.keeper.tell(Job::Close(Box::new(closing)));
    }

    fn gap(&mut self, stream: &mut Stream, at: Wall, cause: GapCause, detail: &str) {
        let mut start = stream.covered_until.map_or(at, |until| until.min(at));
        let mut changes = Vec::new();
        match stream.gap {
            Some(before) if is_another(before, cause) => {
                start = stream.covered_until.map_or(at, |until| until.max(at));
                changes.push(Change::GapClosed {
                    stream: (*stream.id).clone(),
                    end: start,
                });
                (stream.covered_until, stream.gap) = (Some(start), Some(cause));
            }
            // The catalog keeps the first cause of an open gap and takes the newer words.
            Some(_) => {}
            None => stream.gap = Some(cause),
        }
        stream.covered_until.get_or_insert(start);
        changes.push(Change::GapOpened {
            stream: (*stream.id).clone(),
            start,
            cause,
            detail: Some(detail.to_owned()),
        });
        self.keeper.tell(Job::Commit {
            changes,
            event: None,
        });
        if cause == GapCause::Removed {
            self.options.board.remove(&stream.id);
        }
    }
}

fn row(options: &Options, stream: &Stream, open: &Segment, end: Wall, root: Digest) -> SegmentRow {
    let header = open.builder.header();
    SegmentRow {
        segment: open.id,
        stream: (*stream.id).clone(),
        run: open.run,
        volume: options.volume.id,
        start: open.start,
        end,
        media_duration: open.media,
        bytes: open.file.len(),
        samples: open.samples,
        fragments: u32::try_from(open.builder.fragments().len()).unwrap_or(u32::MAX),
        key_day: header.key_slot.day.clone(),
        key_index: header.key_slot.index,
        generation: header.generation,
        content_root: root,
        previous_root: header.previous_root,
        recovered: false,
        time_uncertain: open.clock.time_uncertain,
        packets_lost: open.losses.packets_lost,
        corrupt_units: open.losses.corrupt_units,
        discontinuities: open.losses.discontinuities,
        host: HostSync {
            synchronised: open.clock.host_synchronised,
            error_us: open.clock.host_error_us,
        },
        camera_offset_ms: open.clock.camera_offset_ms,
        sample_entry: open.entry.hash(),
    }
}
