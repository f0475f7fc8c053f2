//! What there is to plan over: policies and the segments that may have to go, from the catalog.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use crate::base::error::Result;
use crate::base::id::{SegmentId, StreamId, VolumeId};
use crate::base::time::{Span, Wall};
use crate::catalog::{AgedRow, Reader, StreamRow};
use crate::retention::held::Held;
use crate::retention::plan::{self, Plan, Policy, Segment};

/// Segments of one stream, and of one volume, that are looked at in one go: the next look finds the rest.
const SEGMENTS_MAX: u32 = 20_000;

/// What is expired is looked for this often.
pub const EVERY: Duration = Duration::from_secs(30);
/// The first that is expired waits so long for others, in microseconds: they share a sweep and its event.
const WAIT_US: i64 = 60_000_000;

/// What a volume lacks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lack {
    /// Bytes to be made free.
    pub bytes: u64,
    /// With less than this it is no use: nothing can be recorded all the same.
    pub least: u64,
}

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Found {
    /// What is to be deleted.
    pub plan: Plan,
    /// Volumes on which all footage that is not held has together less than the least that is lacking: something else fills them, and
    /// nothing is deleted early in vain.
    pub in_vain: Vec<VolumeId>,
    /// For how long, in microseconds, the first of what is to be deleted has been expired.
    pub overdue_us: i64,
}

impl Found {
    /// True when something has been expired for long enough that a sweep, with its event, is worth while. Looked at every
    /// [`EVERY`], nothing outlives its time by more than a minute and a half, and the time of a sweep.
    pub fn is_due(&self) -> bool {
        self.overdue_us >= WAIT_US
    }
}

/// Plans over what the catalog knows. `present` are the volumes that are there: what lies elsewhere waits. What is held is not even
/// looked at: it may be much, and stand before what is to go.
///
/// # Errors
/// What the catalog says.
pub fn plan(
    reader: &Reader,
    now: Wall,
    present: &HashSet<VolumeId>,
    lacks: &BTreeMap<VolumeId, Lack>,
) -> Result<Found> {
    let streams = reader.streams()?;
    let holds = reader.holds_that_keep(now)?;
    let mut seen = Seen {
        policies: streams.iter().map(Policy::of).collect(),
        held: streams
            .iter()
            .map(|row| Held::of(&row.stream, &holds, now))
            .collect(),
        ..Seen::default()
    };
    for (number, row) in streams.iter().enumerate() {
        let Some(before) = row.expired_before(now) else {
            continue;
        };
        for within in seen.held[number].free() {
            for aged in reader.ended_before(&row.stream, within, before, SEGMENTS_MAX)? {
                if present.contains(&aged.volume) {
                    seen.overdue_us = seen.overdue_us.max(before.us_since(aged.end));
                    seen.add(number, aged);
                }
            }
        }
    }
    let (mut pressure, mut in_vain) = (BTreeMap::new(), Vec::new());
    for (volume, lack) in lacks.iter().filter(|(volume, _)| present.contains(volume)) {
        if seen.oldest(reader, &streams, *volume, *lack)? {
            pressure.insert(*volume, lack.bytes);
        } else {
            in_vain.push(*volume);
        }
    }
    Ok(Found {
        plan: plan::plan(now, &seen.policies, &seen.held, &seen.segments, &pressure),
        in_vain,
        overdue_us: seen.overdue_us,
    })
}

/// What was seen so far.
#[derive(Default)]
struct Seen {
    policies: Vec<Policy>,
    held: Vec<Held>,
    segments: Vec<Segment>,
    known: HashSet<SegmentId>,
    overdue_us: i64,
}

impl Seen {
    fn add(&mut self, number: usize, aged: AgedRow) {
        if self.known.insert(aged.segment) {
            self.segments.push(Segment {
                id: aged.segment,
                stream: number,
                volume: aged.volume,
                start: aged.start,
                end: aged.end,
                bytes: aged.bytes,
            });
        }
    }

    /// Adds what may go early on a volume: of each stream the oldest that have the wanted bytes together hold whatever goes of it,
    /// since what expires elsewhere only lessens it. False, and nothing is added, when all of it would be no use.
    fn oldest(
        &mut self,
        reader: &Reader,
        streams: &[StreamRow],
        volume: VolumeId,
        lack: Lack,
    ) -> Result<bool> {
        let (mut sum, mut is_cut, mut found) = (0_u64, false, Vec::new());
        for (number, row) in streams.iter().enumerate() {
            let mut bytes = 0_u64;
            for within in self.held[number].free() {
                let wanted = lack.bytes.saturating_sub(bytes);
                if wanted == 0 {
                    break;
                }
                let of_stream = (&row.stream, volume);
                let rows = reader.oldest_of(of_stream, within, wanted, SEGMENTS_MAX)?;
                is_cut |= rows.len() >= SEGMENTS_MAX as usize;
                bytes += rows.iter().map(|aged| aged.bytes).sum::<u64>();
                found.extend(rows.into_iter().map(|aged| (number, aged)));
            }
            sum = sum.saturating_add(bytes);
        }
        if sum < lack.least && !is_cut {
            return Ok(false);
        }
        for (number, aged) in found {
            self.add(number, aged);
        }
        Ok(true)
    }
}

/// Segments of a stream that ended within `ended` and are not held: how many, and their bytes.
///
/// # Errors
/// What the catalog says.
pub fn count_free(
    reader: &Reader,
    stream: &StreamId,
    held: &Held,
    ended: Span,
) -> Result<(u64, u64)> {
    let mut sum = (0, 0);
    for within in held.free() {
        let (segments, bytes) = reader.count_ended(stream, within, ended)?;
        sum = (sum.0 + segments, sum.1 + bytes);
    }
    Ok(sum)
}

/// Segments of a stream that a hold keeps although they ended before `before`, or all that a hold keeps: how many, and their
/// bytes.
///
/// # Errors
/// What the catalog says.
pub fn count_held(
    reader: &Reader,
    stream: &StreamId,
    held: &Held,
    before: Wall,
) -> Result<(u64, u64)> {
    let ended = Span {
        start: Wall(i64::MIN),
        end: before,
    };
    let all = Held::default();
    let (segments, bytes) = count_free(reader, stream, &all, ended)?;
    let free = count_free(reader, stream, held, ended)?;
    Ok((
        segments.saturating_sub(free.0),
        bytes.saturating_sub(free.1),
    ))
}
