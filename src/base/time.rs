//! Instants and durations with their clock in the type.
//!
//! Three clocks never mix: [`Wall`] is the time of day (it may step), [`Mono`] only ever goes forward,
//! [`Ticks`] is a camera's media time. A duration never comes from two wall times.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeZone, Utc};

/// Media clock rate of H.264 and H.265 over RTP (RFC 6184 and RFC 7798, section 8.1), in Hz.
pub const TICKS_PER_SECOND: i64 = 90_000;

const US_PER_DAY: i64 = 86_400_000_000;

/// Time of day in UTC: microseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Wall(pub i64);

impl Wall {
    /// From whole seconds since 1970.
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs * 1_000_000)
    }

    /// Microseconds since 1970.
    pub const fn us(self) -> i64 {
        self.0
    }

    /// Midnight UTC at the beginning of its day.
    pub const fn midnight(self) -> Self {
        Self(self.0 - self.0.rem_euclid(US_PER_DAY))
    }

    /// Later by `ticks` of media time (earlier when negative).
    #[must_use]
    pub const fn plus_ticks(self, ticks: Ticks) -> Self {
        Self(self.0 + ticks.us())
    }

    /// Later by `us` microseconds (earlier when negative).
    #[must_use]
    pub const fn plus_us(self, us: i64) -> Self {
        Self(self.0 + us)
    }

    /// Microseconds from `earlier` to this; negative when it is later.
    pub const fn us_since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }

    /// As chrono's type.
    ///
    /// # Panics
    /// Never for a time that this type can hold and chrono cannot: those are clamped to chrono's range.
    pub fn to_utc(self) -> DateTime<Utc> {
        Utc.timestamp_micros(self.0)
            .single()
            .unwrap_or(if self.0 < 0 {
                DateTime::<Utc>::MIN_UTC
            } else {
                DateTime::<Utc>::MAX_UTC
            })
    }

    /// RFC 3339 with milliseconds: `2026-11-23T15:45:00.123Z`.
    pub fn rfc3339(self) -> String {
        self.to_utc().to_rfc3339_opts(SecondsFormat::Millis, true)
    }

    /// RFC 3339 with all six decimals, so that a time that is read back comes back equal: `2026-11-23T15:45:00.123456Z`.
    pub fn rfc3339_us(self) -> String {
        self.to_utc().to_rfc3339_opts(SecondsFormat::Micros, true)
    }

    /// From RFC 3339 text.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        DateTime::parse_from_rfc3339(text)
            .ok()
            .map(|t| Self(t.timestamp_micros()))
    }

    /// The same day of the month, and time of day, so many calendar months (UTC) earlier; the month's last day where there is no
    /// such day. Itself where the calendar ends.
    pub fn months_ago(self, months: u32) -> Self {
        let earlier = self
            .to_utc()
            .checked_sub_months(chrono::Months::new(months));
        earlier.map_or(self, |at| Self(at.timestamp_micros()))
    }

    /// Basic form for file names: `20261123T154500.123Z`.
    pub fn basic(self) -> String {
        self.to_utc().format("%Y%m%dT%H%M%S%.3fZ").to_string()
    }

    /// Its UTC day: `20261123`.
    pub fn day(self) -> String {
        self.to_utc().format("%Y%m%d").to_string()
    }
}

impl fmt::Debug for Wall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

impl fmt::Display for Wall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

impl From<std::time::SystemTime> for Wall {
    fn from(t: std::time::SystemTime) -> Self {
        Self(DateTime::<Utc>::from(t).timestamp_micros())
    }
}

impl serde::Serialize for Wall {
    fn serialize<S: serde::Serializer>(&self, ser: S) -> Result<S::Ok, S::Error> {
        ser.serialize_str(&self.rfc3339_us())
    }
}

impl<'de> serde::Deserialize<'de> for Wall {
    fn deserialize<D: serde::Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
        let text = String::deserialize(de)?;
        Self::parse_rfc3339(&text)
            .ok_or_else(|| serde::de::Error::custom(format!("\"{text}\" is not an RFC 3339 time")))
    }
}

/// A span of wall time, half open: `start` belongs to it, `end` does not.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub struct Span {
    /// First instant.
    pub start: Wall,
    /// First instant after.
    pub end: Wall,
}

impl Span {
    /// True when the two share an instant.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// What is left of it without `other`.
    pub fn without(self, other: Self) -> impl Iterator<Item = Self> {
        let before = Self {
            start: self.start,
            end: self.end.min(other.start),
        };
        let after = Self {
            start: self.start.max(other.end),
            end: self.end,
        };
        let parts = if self.overlaps(&other) {
            [Some(before), Some(after)]
        } else {
            [Some(self), None]
        };
        parts.into_iter().flatten().filter(|part| part.us() > 0)
    }

    /// What it shares with `other`; `None`: no instant.
    pub fn common(self, other: Self) -> Option<Self> {
        self.overlaps(&other).then(|| Self {
            start: self.start.max(other.start),
            end: self.end.min(other.end),
        })
    }

    /// Length in microseconds.
    pub fn us(&self) -> i64 {
        self.end.us_since(self.start)
    }
}

/// The monotonic clock: microseconds since some instant before the process began. It never steps.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Mono(pub u64);

impl Mono {
    /// Time from `earlier` to this; zero when `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }

    /// Microseconds from `earlier` to this; negative when `earlier` is later.
    pub fn us_since(self, earlier: Self) -> i64 {
        self.0.wrapping_sub(earlier.0).cast_signed()
    }
}

impl Add<Duration> for Mono {
    type Output = Self;
    fn add(self, d: Duration) -> Self {
        Self(self.0 + u64::try_from(d.as_micros()).unwrap_or(u64::MAX / 2))
    }
}

/// Media time or a duration of it in units of 1/90 000 s.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Debug,
    Default,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(transparent)]
pub struct Ticks(pub i64);

impl Ticks {
    /// From whole seconds.
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs * TICKS_PER_SECOND)
    }

    /// The nearest number of ticks to `us` microseconds.
    pub const fn from_us(us: i64) -> Self {
        // 90 ticks are exactly 1000 µs; half is added towards the sign for rounding.
        let half = if us < 0 { -500 } else { 500 };
        Self((us / 1000) * 90 + ((us % 1000) * 90 + half) / 1000)
    }

    /// The nearest number of microseconds.
    pub const fn us(self) -> i64 {
        let half = if self.0 < 0 { -45 } else { 45 };
        (self.0 / 90) * 1000 + ((self.0 % 90) * 1000 + half) / 90
    }
}

impl Add for Ticks {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Ticks {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_and_microseconds_convert_to_the_nearest() {
        for us in [
            0,
            1,
            11,
            12,
            999,
            1000,
            33_333,
            86_399_999_999,
            -11,
            -33_333,
        ] {
            assert!((Ticks::from_us(us).us() - us).abs() <= 6, "{us}");
        }
        assert_eq!(Ticks(90).us(), 1000);
        assert_eq!(Ticks::from_secs(3), Ticks::from_us(3_000_000));
    }

    #[test]
    fn wall_times_print_and_parse() {
        let t = Wall::parse_rfc3339("2026-11-23T15:45:00.123Z").expect("valid");
        assert_eq!(t.rfc3339(), "2026-11-23T15:45:00.123Z");
        assert_eq!(t.basic(), "20261123T154500.123Z");
        assert_eq!(t.midnight().rfc3339(), "2026-11-23T00:00:00.000Z");
        assert_eq!(Wall(-1).midnight().us(), -US_PER_DAY);
        let json = serde_json::to_string(&t.plus_us(7)).expect("json");
        assert_eq!(
            serde_json::from_str::<Wall>(&json).expect("json"),
            t.plus_us(7)
        );
    }
}
