//! What there is to plan over: policies and the segments that may have to go, from the catalog.

use std::collections::{BTreeMap, HashSet};

use crate::base::error::Result;
use crate::base::id::VolumeId;
use crate::base::time::Wall;
use crate::catalog::Reader;
use crate::retention::plan::{self, Plan, Policy, Segment};

/// Segments of one stream, and of one volume, that are looked at in one go: the next look finds the rest.
const SEGMENTS_MAX: u32 = 20_000;

/// Plans over what the catalog knows. `present` are the volumes that are there: what lies elsewhere waits.
///
/// # Errors
/// What the catalog says.
pub fn plan(
    reader: &Reader,
    now: Wall,
    present: &HashSet<VolumeId>,
    pressure: &BTreeMap<VolumeId, u64>,
) -> Result<Plan> {
    let streams = reader.streams()?;
    let policies: Vec<_> = streams
        .iter()
        .map(|row| Policy { keep_s: row.keep_s })
        .collect();
    let (mut segments, mut known) = (Vec::new(), HashSet::new());
    for (number, row) in streams.iter().enumerate() {
        let Some(before) = row.expired_before(now) else {
            continue;
        };
        for aged in reader.ended_before(&row.stream, before, SEGMENTS_MAX)? {
            if present.contains(&aged.volume) && known.insert(aged.segment) {
                segments.push(Segment {
                    id: aged.segment,
                    stream: number,
                    volume: aged.volume,
                    end: aged.end,
                    bytes: aged.bytes,
                });
            }
        }
    }
    // The oldest that have the wanted bytes together hold whatever goes early: what expires elsewhere only lessens it.
    for (volume, bytes) in pressure
        .iter()
        .filter(|(volume, _)| present.contains(volume))
    {
        for (stream, aged) in reader.oldest_of(*volume, *bytes, SEGMENTS_MAX)? {
            let number = streams.iter().position(|row| row.stream == stream);
            if let Some(number) = number
                && known.insert(aged.segment)
            {
                segments.push(Segment {
                    id: aged.segment,
                    stream: number,
                    volume: *volume,
                    end: aged.end,
                    bytes: aged.bytes,
                });
            }
        }
    }
    Ok(plan::plan(now, &policies, &segments, pressure))
}
