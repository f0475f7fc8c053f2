//! What there is to plan over: policies and the segments that may have to go, from the catalog.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use crate::base::error::Result;
use crate::base::id::VolumeId;
use crate::base::time::Wall;
use crate::catalog::{AgedRow, Reader};
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
    /// Volumes on which all footage together has less than the least that is lacking: something else fills them, and
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

/// Plans over what the catalog knows. `present` are the volumes that are there: what lies elsewhere waits.
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
    let policies: Vec<_> = streams
        .iter()
        .map(|row| Policy { keep_s: row.keep_s })
        .collect();
    let (mut segments, mut known, mut overdue_us) = (Vec::new(), HashSet::new(), 0);
    let mut add = |number: usize, aged: AgedRow| {
        if present.contains(&aged.volume) && known.insert(aged.segment) {
            segments.push(Segment {
                id: aged.segment,
                stream: number,
                volume: aged.volume,
                end: aged.end,
                bytes: aged.bytes,
            });
        }
    };
    for (number, row) in streams.iter().enumerate() {
        let Some(before) = row.expired_before(now) else {
            continue;
        };
        for aged in reader.ended_before(&row.stream, before, SEGMENTS_MAX)? {
            if present.contains(&aged.volume) {
                overdue_us = overdue_us.max(before.us_since(aged.end));
            }
            add(number, aged);
        }
    }
    let (mut pressure, mut in_vain) = (BTreeMap::new(), Vec::new());
    // The oldest that have the wanted bytes together hold whatever goes early: what expires elsewhere only lessens it.
    for (volume, lack) in lacks.iter().filter(|(volume, _)| present.contains(volume)) {
        let oldest = reader.oldest_of(*volume, lack.bytes, SEGMENTS_MAX)?;
        let sum: u64 = oldest.iter().map(|(_, aged)| aged.bytes).sum();
        if sum < lack.least && oldest.len() < SEGMENTS_MAX as usize {
            in_vain.push(*volume);
            continue;
        }
        pressure.insert(*volume, lack.bytes);
        for (stream, aged) in oldest {
            if let Some(number) = streams.iter().position(|row| row.stream == stream) {
                add(number, aged);
            }
        }
    }
    Ok(Found {
        plan: plan::plan(now, &policies, &segments, &pressure),
        in_vain,
        overdue_us,
    })
}
