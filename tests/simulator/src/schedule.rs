//! Which access unit a session sends when, and which RTP timestamp it bears.
//!
//! What belongs here: arithmetic on media time, in units of the RTP clock. No clock is read and
//! nothing is sent here.

use crate::footage::Footage;
use crate::rtp;
use std::sync::Arc;

/// A place in endlessly looped footage.
///
/// Media time is counted from the Unix epoch for phase-locked cameras, from the session's start for
/// others.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    pub(crate) footage: Arc<Footage>,
    /// Media time at which round 0 of the loop begins.
    start: u64,
    pub(crate) turn: u64,
    pub(crate) index: usize,
}

impl Schedule {
    /// At the first access unit of a loop that begins at media time `start`.
    pub(crate) fn new(footage: Arc<Footage>, start: u64) -> Schedule {
        Schedule {
            footage,
            start,
            turn: 0,
            index: 0,
        }
    }

    fn turn_starts(&self) -> u64 {
        self.start + self.turn * self.footage.ticks_per_loop()
    }

    /// Media time at which the access unit can be sent.
    pub(crate) fn ready(&self) -> u64 {
        self.turn_starts() + self.footage.ready_at(self.index)
    }

    /// Media time at which the picture was captured.
    pub(crate) fn presented(&self) -> u64 {
        self.turn_starts() + self.footage.presented_at(self.index)
    }

    pub(crate) fn is_key(&self) -> bool {
        self.footage.access_units()[self.index].is_key()
    }

    pub(crate) fn advance(&mut self) {
        self.index += 1;
        if self.index == self.footage.access_units().len() {
            self.index = 0;
            self.turn += 1;
        }
    }

    /// Goes to the first access unit that is ready at or after `media`.
    pub(crate) fn seek(&mut self, media: u64) {
        let into = media.saturating_sub(self.start);
        let loop_length = self.footage.ticks_per_loop();
        self.turn = into / loop_length;
        self.index = self.footage.first_ready_from(into % loop_length);
        if self.index == self.footage.access_units().len() {
            self.index = 0;
            self.turn += 1;
        }
    }

    /// Goes to the first key frame that is ready at or after `media`.
    pub(crate) fn seek_key(&mut self, media: u64) {
        self.seek(media);
        // Ends, since the first access unit of footage is a key frame.
        while !self.is_key() {
            self.advance();
        }
    }

    /// How many access units lie between an earlier place and this one in the same footage.
    pub(crate) fn since(&self, earlier: &Schedule) -> u64 {
        let count = crate::footage::as_ticks(self.footage.access_units().len());
        let place = |at: &Schedule| at.turn * count + crate::footage::as_ticks(at.index);
        place(self).saturating_sub(place(earlier))
    }
}

/// The RTP clock of a session: media time plus what drift and jumps add.
#[derive(Debug)]
pub(crate) struct RtpClock {
    /// RTP timestamp at media time `origin`.
    base: u32,
    origin: u64,
    /// Media time since which the present drift goes on, and what earlier drift had added by then.
    anchor: u64,
    drifted: i64,
    ppm: i32,
    /// Jumps of the camera before this session.
    jumped_before_ms: i64,
    jumped_ms: i64,
}

/// Media times are far from the limits of either type.
fn signed(media: u64) -> i64 {
    media.cast_signed()
}

impl RtpClock {
    pub(crate) fn new(base: u32, origin: u64, jumped_ms: i64) -> RtpClock {
        RtpClock {
            base,
            origin,
            anchor: origin,
            drifted: 0,
            ppm: 0,
            jumped_before_ms: jumped_ms,
            jumped_ms,
        }
    }

    /// Takes note of drift and jumps as they are at media time `now`.
    pub(crate) fn set(&mut self, now: u64, ppm: i32, jumped_ms: i64) {
        if ppm != self.ppm {
            self.drifted = self.drift(now);
            self.anchor = now;
            self.ppm = ppm;
        }
        self.jumped_ms = jumped_ms;
    }

    fn drift(&self, media: u64) -> i64 {
        self.drifted + (signed(media) - signed(self.anchor)) * i64::from(self.ppm) / 1_000_000
    }

    /// RTP timestamp of a media time.
    pub(crate) fn timestamp(&self, media: u64) -> u32 {
        let jumped = (self.jumped_ms - self.jumped_before_ms) * 90;
        let passed = signed(media) - signed(self.origin);
        rtp::wrap(i64::from(self.base) + passed + self.drift(media) + jumped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::footage::tests::synthetic;

    fn schedule(start: u64) -> Schedule {
        Schedule::new(Arc::new(synthetic(None).expect("loads")), start)
    }

    #[test]
    fn timestamps_go_on_over_the_end_of_the_loop() {
        let mut schedule = schedule(500);
        for frame in 0..30u64 {
            assert_eq!(schedule.presented(), 500 + frame * 6000);
            assert_eq!(schedule.is_key(), frame % 6 == 0);
            schedule.advance();
        }
        assert_eq!((schedule.turn, schedule.index), (2, 6));
    }

    #[test]
    fn seeks_never_to_before_the_given_time() {
        let mut schedule = schedule(0);
        for (media, frame, key) in [
            (0, 0, 0),
            (1, 1, 6),
            (36_000, 6, 6),
            (66_001, 12, 12),
            (72_000, 12, 12),
        ] {
            schedule.seek(media);
            assert_eq!(schedule.ready(), frame * 6000, "{media}");
            schedule.seek_key(media);
            assert_eq!(schedule.ready(), key * 6000, "{media}");
        }
    }

    #[test]
    fn drift_and_jumps_add_up() {
        let mut clock = RtpClock::new(u32::MAX, 1000, 7);
        assert_eq!(clock.timestamp(1001), 0);
        clock.set(1000, 100, 7);
        assert_eq!(clock.timestamp(1_001_000), 999_999 + 100);
        clock.set(1_001_000, 0, 17);
        assert_eq!(clock.timestamp(2_001_000), 1_999_999 + 100 + 900);
    }
}
