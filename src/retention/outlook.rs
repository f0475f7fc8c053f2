//! Promised versus actual: what is there of each stream, what was promised, what goes next, and when a disk is full.

use std::collections::BTreeMap;
use std::path::Path;

use crate::base::disk;
use crate::base::error::Result;
use crate::base::id::StreamId;
use crate::base::time::{Span, Wall};
use crate::base::zone::Zone;
use crate::catalog::{DeletedSpan, HoldRow, PolicyRow, Reader, ShorteningRow, StreamRow};
use crate::retention::held::Held;
use crate::retention::look;

/// What goes is told for so many days.
pub const DAYS: usize = 7;
/// A disk that is full later is not told of.
pub const HORIZON_DAYS: usize = 60;
const DAY_US: i64 = 86_400_000_000;

/// What goes of a stream in a day.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Leaving {
    /// The day, of the site; the first is what is left of today.
    pub span: Span,
    /// Segments that expire in it.
    pub segments: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// One stream's.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct StreamOutlook {
    /// Which.
    pub stream: StreamId,
    /// Seconds that it is kept; `None`: it was never configured, nothing expires.
    pub keep_s: Option<u32>,
    /// Seconds for which it is promised; 0: nothing is.
    #[serde(default)]
    pub guarantee_s: u32,
    /// What the configuration says of it; `None`: nothing yet.
    #[serde(default)]
    pub policy: Option<PolicyRow>,
    /// Start of the oldest footage that is not expired.
    pub oldest: Option<Wall>,
    /// Up to when it is deleted, and why the last of it was.
    pub deleted_until: Option<DeletedSpan>,
    /// Up to when footage went that was still promised; `None`: none did.
    #[serde(default)]
    pub lost_until: Option<Wall>,
    /// Segments that are not expired, and their bytes.
    #[serde(default)]
    pub kept: (u64, u64),
    /// Segments that are held, and their bytes.
    #[serde(default)]
    pub held: (u64, u64),
    /// Segments that expire within 24 hours, and their bytes.
    pub within_day: (u64, u64),
    /// Segments that expire within 7 days, and their bytes.
    pub within_week: (u64, u64),
    /// What goes, day by day.
    #[serde(default)]
    pub leaving: Vec<Leaving>,
}

/// A volume's.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct VolumeOutlook {
    /// Its name.
    pub name: String,
    /// Free bytes above its reserve.
    pub room_bytes: u64,
    /// What is recorded to it a day, by the last day.
    pub daily_bytes: u64,
    /// When there is no room left, as far as that is within [`HORIZON_DAYS`].
    pub full: Option<Wall>,
}

/// All of it.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Outlook {
    /// Each stream that was ever recorded.
    pub streams: Vec<StreamOutlook>,
    /// Each volume that is there.
    #[serde(default)]
    pub volumes: Vec<VolumeOutlook>,
    /// Shorter times that are not in force yet.
    #[serde(default)]
    pub shortenings: Vec<ShorteningRow>,
}

/// What an outlook is made of besides the catalog.
pub struct Setting<'a> {
    /// The site's zone: days are its days.
    pub zone: Zone,
    /// The time of day that is believed.
    pub now: Wall,
    /// Free bytes that are kept, by the path of the volume.
    pub reserves: &'a BTreeMap<String, u64>,
    /// Whether whoever asks may know of a hold.
    pub sees: &'a dyn Fn(&HoldRow) -> bool,
}

/// Makes it.
///
/// # Errors
/// What the catalog says.
pub fn outlook(reader: &Reader, setting: &Setting<'_>) -> Result<Outlook> {
    let holds = reader.holds_that_keep(setting.now)?;
    let seen: Vec<_> = holds
        .iter()
        .filter(|hold| (setting.sees)(hold))
        .cloned()
        .collect();
    let policies = reader.policies()?;
    let rows = reader.streams()?;
    let of_row = |row: &StreamRow| {
        let held = Held::of(&row.stream, &seen, setting.now);
        let policy = policies.iter().find(|p| p.stream == row.stream).cloned();
        of_stream(reader, setting, row, &held, policy)
    };
    Ok(Outlook {
        streams: rows.iter().map(of_row).collect::<Result<_>>()?,
        volumes: volumes(reader, setting, &rows, &holds)?,
        shortenings: reader.shortenings()?,
    })
}

fn of_stream(
    reader: &Reader,
    setting: &Setting<'_>,
    row: &StreamRow,
    held: &Held,
    policy: Option<PolicyRow>,
) -> Result<StreamOutlook> {
    let (now, stream) = (setting.now, &row.stream);
    let end = Wall(i64::MAX);
    let expired = row.expired_before(now).unwrap_or(Wall(i64::MIN));
    let listed = listed(reader, row, now)?;
    // What ends in `span` expires as much later as it is kept.
    let leaves = |span: Span| match row.keep_s {
        Some(keep_s) => {
            let earlier = |t: Wall| t.plus_us(-i64::from(keep_s) * 1_000_000);
            let ended = Span {
                start: earlier(span.start).max(expired),
                end: earlier(span.end),
            };
            look::count_free(reader, stream, held, ended)
        }
        None => Ok((0, 0)),
    };
    let within = |us: i64| {
        leaves(Span {
            start: now.plus_us(-DAY_US),
            end: now.plus_us(us),
        })
    };
    let mut leaving = Vec::with_capacity(DAYS);
    for span in days(setting.zone, now).take(DAYS) {
        let (segments, bytes) = leaves(span)?;
        leaving.push(Leaving {
            span,
            segments,
            bytes,
        });
    }
    let lost = reader.lost_early(stream)?;
    let promised = now.plus_us(-i64::from(row.guarantee_s) * 1_000_000);
    Ok(StreamOutlook {
        stream: stream.clone(),
        keep_s: row.keep_s,
        guarantee_s: row.guarantee_s,
        policy,
        oldest: listed,
        deleted_until: reader.deleted_until(stream, listed)?,
        lost_until: lost.filter(|until| *until > promised),
        kept: look::count_free(
            reader,
            stream,
            &Held::default(),
            Span {
                start: expired,
                end,
            },
        )?,
        held: look::count_held(reader, stream, held, end)?,
        within_day: within(DAY_US)?,
        within_week: within(7 * DAY_US)?,
        leaving,
    })
}

/// Start of the oldest footage of a stream that is not expired: held or not, older footage is not listed.
///
/// # Errors
/// What the catalog says.
pub fn listed(reader: &Reader, row: &StreamRow, now: Wall) -> Result<Option<Wall>> {
    let totals = reader.totals(&row.stream)?;
    let Some(before) = row.expired_before(now) else {
        return Ok(totals.oldest);
    };
    let from = reader.readable_from(&row.stream, before)?;
    let oldest = reader.first_from(&row.stream, from)?;
    Ok(oldest.filter(|_| totals.newest.is_some_and(|newest| from < newest)))
}

/// What a hold holds so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Amount {
    /// Segments.
    pub segments: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Some of the interval was deleted before it was held.
    pub deleted: bool,
}

/// What a hold holds so far.
///
/// # Errors
/// What the catalog says.
pub fn amount(reader: &Reader, hold: &HoldRow) -> Result<Amount> {
    let mut amount = Amount::default();
    let held: Held = [hold.span].into_iter().collect();
    for row in reader.streams()? {
        if hold.cameras.contains(&row.stream.camera) {
            let (segments, bytes) = look::count_held(reader, &row.stream, &held, Wall(i64::MAX))?;
            amount.segments += segments;
            amount.bytes += bytes;
            amount.deleted |= !reader.deleted(&row.stream, hold.span)?.is_empty();
        }
    }
    Ok(amount)
}

/// Days of the site from `now` on, the first being what is left of today.
fn days(zone: Zone, now: Wall) -> impl Iterator<Item = Span> {
    let mut start = now;
    std::iter::from_fn(move || {
        let end = zone.next_midnight(start);
        let day = Span { start, end };
        start = end;
        Some(day)
    })
}

fn volumes(
    reader: &Reader,
    setting: &Setting<'_>,
    rows: &[StreamRow],
    holds: &[HoldRow],
) -> Result<Vec<VolumeOutlook>> {
    let now = setting.now;
    let day = Span {
        start: now.plus_us(-DAY_US),
        end: now,
    };
    let mut found = Vec::new();
    for volume in reader.volumes()? {
        let Ok(space) = disk::space(Path::new(&volume.path)) else {
            continue;
        };
        let reserve = setting.reserves.get(&volume.path).copied().unwrap_or(0);
        let mut flows = Vec::new();
        for row in rows {
            let written = reader.written(&row.stream, volume.volume, day)?;
            if written.bytes == 0 {
                // What is not recorded any more only makes room.
                continue;
            }
            let held = Held::of(&row.stream, holds, now);
            flows.push(flow(reader, row, &held, written.bytes, now)?);
        }
        let room_bytes = space.free_bytes.saturating_sub(reserve);
        let full = full_after(room_bytes, &flows);
        found.push(VolumeOutlook {
            name: volume.name,
            room_bytes,
            daily_bytes: flows.iter().map(|flow| flow.daily_bytes).sum(),
            full: full.map(|days| now.plus_us(i64::try_from(days).unwrap_or(0) * DAY_US)),
        });
    }
    Ok(found)
}

/// What comes and goes of a stream.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Flow {
    /// Bytes that are recorded a day.
    pub daily_bytes: u64,
    /// Bytes that are there and expire, by days from now.
    pub leaving_bytes: Vec<u64>,
    /// Whole days after which what is recorded now expires; `None`: it does not.
    pub keep_days: Option<usize>,
}

fn flow(
    reader: &Reader,
    row: &StreamRow,
    held: &Held,
    daily_bytes: u64,
    now: Wall,
) -> Result<Flow> {
    let keep_days = row
        .keep_s
        .map(|secs| usize::try_from(secs.div_ceil(86_400)).unwrap_or(HORIZON_DAYS));
    let mut leaving_bytes = Vec::new();
    if let Some(before) = row.expired_before(now) {
        for day in 0..i64::try_from(HORIZON_DAYS.min(keep_days.unwrap_or(0))).unwrap_or(0) {
            let ended = Span {
                start: before.plus_us(day * DAY_US),
                end: before.plus_us((day + 1) * DAY_US),
            };
            leaving_bytes.push(look::count_free(reader, &row.stream, held, ended)?.1);
        }
    }
    Ok(Flow {
        daily_bytes,
        leaving_bytes,
        keep_days,
    })
}

/// After how many days `room_bytes` are used up, if that is within [`HORIZON_DAYS`]: each day brings what the last one brought, and
/// takes what expires in it.
pub fn full_after(room_bytes: u64, flows: &[Flow]) -> Option<usize> {
    let mut room = i128::from(room_bytes);
    for day in 0..HORIZON_DAYS {
        for flow in flows {
            let there = flow.leaving_bytes.get(day).copied().unwrap_or(0);
            let new = match flow.keep_days {
                Some(keep_days) if day >= keep_days => flow.daily_bytes,
                _ => 0,
            };
            room += i128::from(there) + i128::from(new) - i128::from(flow.daily_bytes);
        }
        if room < 0 {
            return Some(day);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(daily_bytes: u64, keep_days: usize, leaving_bytes: &[u64]) -> Flow {
        Flow {
            daily_bytes,
            leaving_bytes: leaving_bytes.to_vec(),
            keep_days: Some(keep_days),
        }
    }

    #[test]
    fn a_disk_is_full_when_more_came_than_went() {
        assert_eq!(full_after(100, &[]), None);
        assert_eq!(full_after(100, &[flow(30, 14, &[])]), Some(3));
        assert_eq!(full_after(89, &[flow(30, 14, &[])]), Some(2));
        // Each day takes what the day brings.
        assert_eq!(full_after(0, &[flow(30, 3, &[30, 30, 30])]), None);
        // New footage is kept no longer than old.
        assert_eq!(full_after(60, &[flow(30, 2, &[])]), None);
        assert_eq!(full_after(59, &[flow(30, 2, &[])]), Some(1));
        // Held footage does not go: there is nothing that leaves.
        assert_eq!(full_after(60, &[flow(30, 3, &[30, 0, 0])]), None);
        assert_eq!(full_after(50, &[flow(30, 3, &[30, 0, 0])]), Some(2));
        let never = Flow {
            keep_days: None,
            ..flow(1, 0, &[])
        };
        assert_eq!(full_after(40, &[never]), Some(40));
    }

    #[test]
    fn days_are_the_sites_days() {
        let zone = Zone::named("Europe/Helsinki").expect("zone");
        // The night in which clocks go back: that day has 25 hours.
        let now = zone.parse("24.10.2026 12.00", Wall(0)).expect("a time");
        let lengths: Vec<_> = days(zone, now)
            .take(3)
            .map(|day| day.us() / 3_600_000_000)
            .collect();
        assert_eq!(lengths, [12, 25, 24]);
    }
}
