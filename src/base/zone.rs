//! The site's own time: reading what a person types, and writing what a person reads.
//!
//! Storage is UTC; a zone matters only here. The hour that autumn repeats is never guessed.

use chrono::{Datelike, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone};
use chrono_tz::Tz;

use crate::base::error::{Error, Result};
use crate::base::time::Wall;

/// The site's time zone, by its IANA name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Zone(Tz);

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Self = Self(Tz::UTC);

    /// From an IANA name such as `Europe/Helsinki`.
    ///
    /// # Errors
    /// When there is no such zone.
    pub fn named(name: &str) -> Result<Self> {
        name.parse().map(Self).map_err(|_| {
            Error::invalid(format!(
                "\"{name}\" is not a time zone; write an IANA name such as \"Europe/Helsinki\""
            ))
        })
    }

    /// The IANA name.
    pub fn name(&self) -> &'static str {
        self.0.name()
    }

    /// For people: `23.11.2026 17.45.00` in site time.
    pub fn display(&self, t: Wall) -> String {
        t.to_utc()
            .with_timezone(&self.0)
            .format("%-d.%-m.%Y %H.%M.%S")
            .to_string()
    }

    /// Local time with its offset, to the millisecond: `2026-11-23T17:45:00.123+02:00`.
    pub fn rfc3339(&self, t: Wall) -> String {
        t.to_utc()
            .with_timezone(&self.0)
            .format("%Y-%m-%dT%H:%M:%S%.3f%:z")
            .to_string()
    }

    /// Local time for the head of a mail (RFC 5322): `Mon, 23 Nov 2026 17:45:00 +0200`.
    pub fn rfc2822(&self, t: Wall) -> String {
        t.to_utc()
            .with_timezone(&self.0)
            .format("%a, %-d %b %Y %H:%M:%S %z")
            .to_string()
    }

    /// Local time with its offset for file names: `20261123T174500+0200`.
    pub fn basic(&self, t: Wall) -> String {
        t.to_utc()
            .with_timezone(&self.0)
            .format("%Y%m%dT%H%M%S%z")
            .to_string()
    }

    /// Reads a time that a person typed. `now` fills in a day that was left out.
    ///
    /// Understood: RFC 3339 (`2026-11-23T15:45:00Z`, `…+02:00`); site time `2026-11-23T17:45:00`, `2026-11-23 17:45`,
    /// `23.11.2026 17.45.00`, `23.11. 17.45`; and `17:45`, `17.45.00` for the latest such time that is not in the future.
    ///
    /// # Errors
    /// When it is none of these, when the clock skipped that time in spring, or when autumn had it twice: then both are named.
    pub fn parse(&self, text: &str, now: Wall) -> Result<Wall> {
        let text = text.trim();
        if let Some(t) = Wall::parse_rfc3339(&text.replacen(' ', "T", 1)) {
            return Ok(t);
        }
        let unknown = || {
            Error::invalid(format!(
                "\"{text}\" is not a time; write site time as 2026-11-23T17:45:00, 23.11.2026 17.45 or 17:45, or UTC as 2026-11-23T15:45:00Z"
            ))
        };
        let (day, time) = match text.rsplit_once(['T', ' ']) {
            Some((day, time)) => (Some(day.trim()), time),
            None => (None, text),
        };
        let time = parse_time(time).ok_or_else(unknown)?;
        let today = now.to_utc().with_timezone(&self.0).date_naive();
        match day {
            Some(day) => {
                let day = parse_day(day, today).ok_or_else(unknown)?;
                self.resolve(text, day.and_time(time))
            }
            None => {
                let t = self.resolve(text, today.and_time(time));
                let in_future = t.as_ref().is_ok_and(|t| *t > now);
                let yesterday = today.pred_opt().filter(|_| in_future);
                yesterday.map_or(t, |day| self.resolve(text, day.and_time(time)))
            }
        }
    }

    fn resolve(&self, text: &str, local: NaiveDateTime) -> Result<Wall> {
        match self.0.from_local_datetime(&local) {
            LocalResult::Single(t) => Ok(Wall(t.timestamp_micros())),
            LocalResult::Ambiguous(first, second) => Err(Error::invalid(format!(
                "{text} came twice that night when the clocks went back; write {} for the first or {} for the second",
                first.format("%Y-%m-%dT%H:%M:%S%:z"),
                second.format("%Y-%m-%dT%H:%M:%S%:z"),
            ))),
            LocalResult::None => Err(Error::invalid(format!(
                "{text} did not exist: the clocks of {} went forward over it",
                self.name()
            ))),
        }
    }

    /// The first instant of the day after that of `t`.
    pub fn next_midnight(&self, t: Wall) -> Wall {
        let day = t.to_utc().with_timezone(&self.0).date_naive();
        let next = day.succ_opt().unwrap_or(day);
        // Where clocks go forward at midnight, the day begins an hour later.
        let begins = (0..=2)
            .filter_map(|hour| next.and_hms_opt(hour, 0, 0))
            .find_map(|local| self.0.from_local_datetime(&local).earliest());
        begins.map_or(t.plus_us(86_400_000_000), |t| Wall(t.timestamp_micros()))
    }

    /// The day in the zone.
    pub fn date(&self, t: Wall) -> NaiveDate {
        t.to_utc().with_timezone(&self.0).date_naive()
    }

    /// The zone's offset from UTC at `t`, in seconds.
    pub fn offset_secs(&self, t: Wall) -> i32 {
        t.to_utc()
            .with_timezone(&self.0)
            .offset()
            .fix()
            .local_minus_utc()
    }
}

fn parse_time(text: &str) -> Option<NaiveTime> {
    let dotted = text.replace('.', ":");
    // Milliseconds after the seconds keep their point: 17:45:00.250.
    ["%H:%M:%S%.f", "%H:%M:%S", "%H:%M"]
        .iter()
        .find_map(|form| NaiveTime::parse_from_str(text, form).ok())
        .or_else(|| {
            ["%H:%M:%S", "%H:%M"]
                .iter()
                .find_map(|form| NaiveTime::parse_from_str(&dotted, form).ok())
        })
}

fn parse_day(text: &str, today: NaiveDate) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d")
        .or_else(|_| NaiveDate::parse_from_str(text, "%d.%m.%Y"))
        .ok()
        .or_else(|| {
            // A day without a year is the latest that is not in the future.
            let this_year =
                NaiveDate::parse_from_str(&format!("{text}{}", today.year()), "%d.%m.%Y").ok()?;
            if this_year <= today {
                Some(this_year)
            } else {
                this_year.with_year(today.year() - 1)
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn helsinki() -> Zone {
        Zone::named("Europe/Helsinki").expect("zone")
    }

    fn parse(text: &str) -> Result<String> {
        let now = Wall::parse_rfc3339("2026-11-23T12:00:00Z").expect("now");
        helsinki().parse(text, now).map(Wall::rfc3339)
    }

    #[test]
    fn the_usual_forms_mean_the_same_instant() {
        for text in [
            "2026-11-23T11:05:20Z",
            "2026-11-23T13:05:20+02:00",
            "2026-11-23T13:05:20",
            "2026-11-23 13:05:20",
            "23.11.2026 13.05.20",
            "23.11. 13.05.20",
            "13:05:20",
            "13.05.20",
        ] {
            assert_eq!(
                parse(text).expect(text),
                "2026-11-23T11:05:20.000Z",
                "{text}"
            );
        }
        assert_eq!(
            parse("13:05:20.250").expect("ms"),
            "2026-11-23T11:05:20.250Z"
        );
        assert_eq!(
            parse("20:00").expect("evening"),
            "2026-11-22T18:00:00.000Z",
            "not in the future"
        );
        assert_eq!(
            parse("24.12. 8.00").expect("last year"),
            "2025-12-24T06:00:00.000Z"
        );
    }

    #[test]
    fn the_hour_that_comes_twice_must_be_told_apart() {
        let e = parse("2026-10-25T03:30:00")
            .expect_err("ambiguous")
            .to_string();
        assert!(
            e.contains("2026-10-25T03:30:00+03:00") && e.contains("2026-10-25T03:30:00+02:00"),
            "{e}"
        );
        assert_eq!(
            parse("2026-10-25T03:30:00+03:00").expect("first"),
            "2026-10-25T00:30:00.000Z"
        );
        assert_eq!(
            parse("2026-10-25T03:30:00+02:00").expect("second"),
            "2026-10-25T01:30:00.000Z"
        );
        assert!(
            parse("2026-03-29T03:30:00")
                .expect_err("skipped")
                .to_string()
                .contains("did not exist")
        );
        assert!(parse("yesterday").is_err() && parse("25:00").is_err() && parse("").is_err());
    }
}
