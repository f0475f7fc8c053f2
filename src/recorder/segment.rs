//! A segment while it is written: opened with a key of its own, appended to, finished.

use std::io::IoSlice;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use ring::rand::{SecureRandom, SystemRandom};

use crate::base::clock::HostSync;
use crate::base::disk::{self, DiskFile};
use crate::base::error::{Error, Kind, Result};
use crate::base::hash::Digest;
use crate::base::id::{BoxId, GenerationId, RunId, SegmentId, StreamId};
use crate::base::secret::SegmentKey;
use crate::base::time::{Ticks, Wall};
use crate::catalog::SegmentRow;
use crate::media::access_unit::SampleEntry;
use crate::media::header::{ClockState, KeySlot, Losses, SegmentHeader, SegmentTrailer};
use crate::media::segment::SegmentBuilder;
use crate::recorder::fragment::{Fragment, add_losses, worsen_clock};
use crate::recorder::keeper::Open;
use crate::store::slots;
use crate::store::volume::{self, Volume};
use crate::vault::generation::Generation;
use crate::vault::identity::Recipient;
use crate::vault::slot;

/// To whom segment keys are wrapped.
#[derive(Clone, Debug)]
pub struct Sealing {
    /// The vault generation in force.
    pub generation: Generation,
    /// The recovery recipient.
    pub recovery: Recipient,
}

/// The sealing in force: whoever begins a segment asks anew, so that a new vault generation needs no restart.
#[derive(Clone, Debug)]
pub struct SealingInForce(Arc<RwLock<Sealing>>);

impl SealingInForce {
    /// Begins with this one.
    pub fn new(sealing: Sealing) -> Self {
        Self(Arc::new(RwLock::new(sealing)))
    }

    /// The one in force.
    pub fn get(&self) -> Sealing {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The vault generation in force.
    pub fn generation(&self) -> GenerationId {
        let sealing = self.0.read().unwrap_or_else(PoisonError::into_inner);
        sealing.generation.id
    }

    /// From now on keys are wrapped to `generation`: a segment under the one before ends at its stream's next key frame.
    pub fn renew(&self, generation: Generation) {
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .generation = generation;
    }
}

/// Where and how a segment begins.
pub(super) struct Beginning<'a> {
    pub volume: &'a Volume,
    pub box_id: BoxId,
    pub sealing: &'a Sealing,
    pub stream: &'a StreamId,
    pub previous_root: Digest,
    /// The first segment of this stream on this UTC day that this process begins.
    pub is_first: bool,
}

/// A segment while it is written.
pub(super) struct Segment {
    pub id: SegmentId,
    pub run: RunId,
    pub entry: Arc<SampleEntry>,
    pub start: Wall,
    /// Time of day at which its last picture ends.
    pub end: Wall,
    /// What the keeper syncs.
    pub open: Arc<Open>,
    pub activity: Vec<(i64, u8)>,
    builder: SegmentBuilder,
    file: DiskFile,
    media: Ticks,
    samples: u32,
    losses: Losses,
    clock: ClockState,
}

impl Segment {
    /// Begins a segment for `fragment`, which is not written yet: key, durable slot, file with its header.
    ///
    /// # Errors
    /// What the operating system says. Nothing is sealed under the key then.
    pub(super) fn begin(
        with: &Beginning<'_>,
        fragment: &Fragment,
        random: &SystemRandom,
    ) -> Result<Self> {
        let id = SegmentId::random();
        let mut key = zeroize::Zeroizing::new([0; 16]);
        random
            .fill(&mut *key)
            .map_err(|_| Error::new(Kind::Internal, "no random numbers for a segment key"))?;
        let key = SegmentKey::from_bytes(*key);
        let generation = &with.sealing.generation;
        let sealed_key = slot::encode(id, &key, Some(generation), &with.sealing.recovery)?;
        let day = fragment.start.day();
        let is_first = with.is_first;
        let place = slots::append(with.volume, with.stream, &day, &sealed_key, is_first)?;
        let header = SegmentHeader {
            box_id: with.box_id,
            camera: with.stream.camera.clone(),
            stream: with.stream.kind,
            run: fragment.run,
            segment: id,
            start: fragment.start,
            run_media_start: fragment.first_dts,
            generation: generation.id,
            key_slot: KeySlot {
                day: place.day,
                index: place.index,
            },
            previous_root: with.previous_root,
        };
        let builder = SegmentBuilder::new(header, &fragment.entry, &key)?;
        with.volume.make_segment_dir(with.stream, fragment.start)?;
        if with.is_first {
            let dir = with.volume.segment_dir(with.stream, fragment.start);
            disk::sync_chain(&dir, &with.volume.root)?;
        }
        let part = with.volume.part_path(with.stream, fragment.start, id);
        let mut file = DiskFile::create_new(&part, volume::FILE_MODE)?;
        // Until the last handle is closed nobody adopts it.
        let begun = file
            .claim()
            .and_then(|()| file.append(&mut [IoSlice::new(&builder.initial_bytes())]))
            .and_then(|()| file.syncer());
        let syncer = match begun {
            Ok(syncer) => syncer,
            Err(e) => {
                // No picture is in it: each attempt would leave another one. The first error is the one to tell.
                disk::remove_file(&part).ok();
                return Err(e);
            }
        };
        let dir = with.volume.segment_dir(with.stream, fragment.start);
        let open = Arc::new(Open::new(syncer, dir));
        Ok(Self {
            id,
            run: fragment.run,
            entry: Arc::clone(&fragment.entry),
            start: fragment.start,
            end: fragment.start,
            open,
            activity: Vec::new(),
            builder,
            file,
            media: Ticks(0),
            samples: 0,
            losses: Losses::default(),
            clock: fragment.clock,
        })
    }

    /// Seals and appends a fragment.
    ///
    /// # Errors
    /// What the operating system says. The segment must be finished then: its key is not used again.
    pub(super) fn append(&mut self, fragment: Fragment) -> Result<()> {
        let samples = u32::try_from(fragment.samples.len()).unwrap_or(u32::MAX);
        let sealed = self.builder.fragment(fragment.samples)?;
        let mut slices = Vec::with_capacity(sealed.samples.len() + 1);
        slices.extend(sealed.parts().map(IoSlice::new));
        self.file.append(&mut slices)?;
        self.builder.written(&sealed);
        self.open.written(self.file.len());
        self.end = fragment.end;
        self.media = self.media + sealed.index.duration;
        self.samples += samples;
        add_losses(&mut self.losses, &fragment.losses);
        worsen_clock(&mut self.clock, &fragment.clock);
        self.activity.extend(fragment.activity);
        Ok(())
    }

    /// Its time of day was found wrong.
    pub(super) fn doubt_time(&mut self) {
        self.clock.time_uncertain = true;
    }

    /// The vault generation to which its key is wrapped.
    pub(super) fn generation(&self) -> GenerationId {
        self.builder.header().generation
    }

    /// Its file as it is named while it is written.
    pub(super) fn path(&self) -> PathBuf {
        self.file.path().to_owned()
    }

    /// Bytes written.
    pub(super) fn bytes(&self) -> u64 {
        self.file.len()
    }

    /// True when it holds no whole fragment.
    pub(super) fn is_empty(&self) -> bool {
        self.builder.fragments().is_empty()
    }

    /// After a failed append: cuts off what follows the last whole fragment.
    ///
    /// # Errors
    /// What the operating system says; then recovery leaves it out.
    pub(super) fn cut_back(&mut self) -> Result<()> {
        let len = self.file.len();
        self.file.truncate(len)
    }

    /// The trailer for a segment that ends at `end`; its content root holds whether or not it reaches the disk.
    pub(super) fn trailer(&mut self, end: Wall) -> SegmentTrailer {
        self.end = end;
        SegmentTrailer::new(
            self.builder.header(),
            self.builder.fragments().to_vec(),
            end,
            self.losses,
            self.clock,
            false,
        )
    }

    /// Appends the trailer.
    ///
    /// # Errors
    /// What the operating system says; then the file stays as it is for recovery.
    pub(super) fn finish(&mut self, trailer: &SegmentTrailer) -> Result<()> {
        self.file.append(&mut [IoSlice::new(&trailer.to_bytes())])?;
        self.open.written(self.file.len());
        Ok(())
    }

    /// Its row, once it is finished.
    pub(super) fn row(&self, root: Digest, stream: &StreamId, volume: &Volume) -> SegmentRow {
        let header = self.builder.header();
        SegmentRow {
            segment: self.id,
            stream: stream.clone(),
            run: self.run,
            volume: volume.id,
            start: self.start,
            end: self.end,
            media_duration: self.media,
            bytes: self.file.len(),
            samples: self.samples,
            fragments: u32::try_from(self.builder.fragments().len()).unwrap_or(u32::MAX),
            key_day: header.key_slot.day.clone(),
            key_index: header.key_slot.index,
            generation: header.generation,
            content_root: root,
            previous_root: header.previous_root,
            recovered: false,
            time_uncertain: self.clock.time_uncertain,
            packets_lost: self.losses.packets_lost,
            corrupt_units: self.losses.corrupt_units,
            discontinuities: self.losses.discontinuities,
            host: HostSync {
                synchronised: self.clock.host_synchronised,
                error_us: self.clock.host_error_us,
            },
            camera_offset_ms: self.clock.camera_offset_ms,
            sample_entry: self.entry.hash(),
        }
    }
}
