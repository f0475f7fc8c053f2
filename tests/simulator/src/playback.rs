//! A session that plays: prepares what goes out at each moment.
//!
//! What belongs here: from schedule, clock and faults to the bytes of an access unit. How they are
//! carried is in `transport`.

use crate::camera::{Sent, Shared};
use crate::faults::{Effects, Fate};
use crate::footage::Footage;
use crate::random::Random;
use crate::rtp::{self, CLOCK, FRAMING, PAYLOAD_AT, Packets, Stamp};
use crate::schedule::{RtpClock, Schedule};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

/// Time between sender reports.
const REPORT_INTERVAL: Duration = Duration::from_secs(5);
/// A client further behind than this misses access units, as the buffer of a camera is bounded.
const MAX_LAG: Duration = Duration::from_secs(2);

/// What goes out at one moment; RTP and RTCP in interleaved form.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    /// Bytes that are no packets, to be sent first.
    pub(crate) garbage: Vec<u8>,
    pub(crate) rtp: Vec<u8>,
    pub(crate) rtcp: Vec<u8>,
}

impl Outgoing {
    fn clear(&mut self) {
        self.garbage.clear();
        self.rtp.clear();
        self.rtcp.clear();
    }
}

/// What a step of playback came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing to send now.
    Nothing,
    /// `Outgoing` is filled.
    Unit,
    /// A fault ends the session.
    Close,
}

/// State of a session that plays.
pub(crate) struct Playback {
    shared: Arc<Shared>,
    schedule: Schedule,
    clock: RtpClock,
    /// This instant is this media time.
    started: (Instant, u64),
    session: u64,
    stamp: Stamp,
    stale: Stamp,
    waiting_for_key: bool,
    /// Timestamp of an access unit that never ends.
    frozen: Option<u32>,
    /// Changes of parameter sets that a fault has made.
    changes: u32,
    next_report: Instant,
    packets: u32,
    octets: u32,
    random: Random,
}

/// Both clocks at one instant. On a busy machine the thread may be set aside between two readings, which would put the
/// camera's time of day off for the whole session: then they are read again.
fn both_clocks() -> (Instant, SystemTime) {
    let mut best = (Instant::now(), SystemTime::now());
    let mut least = Duration::MAX;
    for _ in 0..100 {
        let before = Instant::now();
        let wall = SystemTime::now();
        let took = before.elapsed();
        if took < least {
            (best, least) = ((before, wall), took);
        }
        if took < Duration::from_millis(1) {
            break;
        }
    }
    best
}

impl Playback {
    /// Begins a session. `channel` is that of RTP over TCP; RTCP takes the one after it.
    pub(crate) fn new(shared: Arc<Shared>, channel: u8, ssrc: u32) -> Playback {
        let (now, wall) = both_clocks();
        let camera = &shared.camera;
        let (begins, media) = if camera.phase_locked {
            (now, wall_media(wall))
        } else {
            (now + camera.start_delay, 0)
        };
        let mut schedule = Schedule::new(shared.footage(), 0);
        match (camera.start_at_key_frame, camera.phase_locked) {
            (true, _) => schedule.seek_key(media),
            (false, true) => schedule.seek(media),
            // The loop begins with a key frame, so the one after it is in the middle of a group of
            // pictures.
            (false, false) => schedule.advance(),
        }
        let mut random = Random::unseeded();
        let clock = RtpClock::new(random.next32(), media, shared.faults().effects().jumped_ms);
        let mut session = 0;
        shared.count(|counters| {
            counters.sessions_opened += 1;
            counters.sessions_playing += 1;
            counters.sessions_at_once = counters.sessions_at_once.max(counters.sessions_playing);
            session = counters.sessions_opened;
        });
        let stamp = Stamp {
            channel,
            sequence: random.next16(),
            timestamp: 0,
            ssrc,
            unmark: false,
        };
        let stale = Stamp {
            sequence: random.next16(),
            timestamp: random.next32(),
            ssrc: random.next32(),
            ..stamp
        };
        Playback {
            schedule,
            clock,
            started: (begins, media),
            session,
            stamp,
            stale,
            waiting_for_key: false,
            frozen: None,
            changes: 0,
            next_report: now,
            packets: 0,
            octets: 0,
            random,
            shared,
        }
    }

    /// Sequence number and RTP timestamp with which the session begins.
    pub(crate) fn begins_with(&self) -> (u16, u32) {
        (
            self.stamp.sequence,
            self.clock.timestamp(self.schedule.presented()),
        )
    }

    /// When the next step is due.
    pub(crate) fn due(&self) -> Instant {
        let (started, media) = self.started;
        started + duration(self.schedule.ready().saturating_sub(media)) + self.shared.camera.latency
    }

    fn media_at(&self, now: Instant) -> u64 {
        self.started.1 + ticks(now.saturating_duration_since(self.started.0))
    }

    /// Prepares what is due.
    pub(crate) fn step(&mut self, now: Instant, out: &mut Outgoing) -> Step {
        out.clear();
        let effects = self.shared.faults().next_access_unit();
        if effects
            .disconnect_after
            .is_some_and(|after| now.saturating_duration_since(self.started.0) >= after)
        {
            return Step::Close;
        }
        self.drop_what_is_late(now);
        self.switch_footage();
        if self.due() > now {
            return Step::Nothing;
        }
        let is_key = self.schedule.is_key();
        self.waiting_for_key = effects.stall || (self.waiting_for_key && !is_key);
        if self.waiting_for_key || (effects.leave_out_key_frames && is_key) {
            self.schedule.advance();
            return Step::Nothing;
        }
        self.clock
            .set(self.schedule.ready(), effects.drift_ppm, effects.jumped_ms);
        self.fill(&effects, out);
        if self.shared.camera.sender_reports && now >= self.next_report {
            self.next_report = now + REPORT_INTERVAL;
            out.rtcp = self.report(now);
        }
        self.schedule.advance();
        Step::Unit
    }

    /// The packets of the access unit, with all that faults do to them; counted and logged.
    fn fill(&mut self, effects: &Effects, out: &mut Outgoing) {
        self.stamp.timestamp = self.clock.timestamp(self.schedule.presented());
        let changes = self.shared.faults().parameter_changes.clone();
        if let Some((count, other)) = changes {
            self.change_parameters(count, &other, out);
            return;
        }
        self.stamp.unmark = effects.endless.is_some();
        match effects.endless {
            Some(_) => self.stamp.timestamp = *self.frozen.get_or_insert(self.stamp.timestamp),
            None => self.frozen = None,
        }
        out.garbage = self.random.bytes(effects.garbage);
        let footage = self.schedule.footage.clone();
        let packets = footage.packets(self.schedule.index);
        if effects.stale
            && let Some(packet) = packets.iter().next()
        {
            self.stale.append(packet, &mut out.rtp);
            self.stale.sequence = self.stale.sequence.wrapping_add(1);
        }
        let mut damaged = 0;
        let already = out.rtp.len();
        loop {
            damaged += self.append(packets, &mut out.rtp);
            // A fault may lose every packet, and with it the end of this loop.
            let enough = effects
                .endless
                .is_none_or(|bytes| out.rtp.len() - already >= bytes);
            if enough || out.rtp.len() == already {
                break;
            }
        }
        let entry = Sent {
            session: self.session,
            footage,
            loop_number: self.schedule.turn,
            index: self.schedule.index,
            wall: SystemTime::now(),
            rtp_timestamp: self.stamp.timestamp,
            damaged_packets: damaged,
        };
        self.shared.log(entry);
    }

    /// Key frames of two footages in turns, within the time of one access unit.
    fn change_parameters(&mut self, count: u32, other: &Footage, out: &mut Outgoing) {
        let own = self.schedule.footage.clone();
        let frame = u32::try_from(CLOCK).unwrap_or(u32::MAX) / own.fps();
        for _ in 0..count {
            let footage = if self.changes.is_multiple_of(2) {
                other
            } else {
                &own
            };
            self.append(footage.packets(0), &mut out.rtp);
            self.stamp.timestamp = self.stamp.timestamp.wrapping_add(frame / count.max(1));
            self.changes = self.changes.wrapping_add(1);
        }
        self.shared
            .count(|counters| counters.parameter_changes += u64::from(count));
    }

    /// Appends the packets once; says how many a fault has damaged.
    fn append(&mut self, packets: &Packets, rtp: &mut Vec<u8>) -> u32 {
        let fates = self.shared.faults().fates(packets.count());
        let (mut lost, mut corrupted, mut bytes) = (0, 0, 0);
        for (at, packet) in packets.iter().enumerate() {
            let fate = fates
                .as_ref()
                .and_then(|fates| fates.get(at))
                .copied()
                .unwrap_or(Fate::Sent);
            if fate == Fate::Lost {
                lost += 1;
            } else {
                let start = rtp.len();
                self.stamp.append(packet, rtp);
                bytes += crate::footage::as_ticks(packet.len() - FRAMING);
                self.octets = self.octets.wrapping_add(rtp::payload_octets(packet));
                if fate == Fate::Corrupted {
                    corrupted += 1;
                    rtp[start + PAYLOAD_AT] ^= 0xff;
                }
            }
            self.stamp.sequence = self.stamp.sequence.wrapping_add(1);
        }
        let sent = packets.count() - lost;
        self.packets = self.packets.wrapping_add(sent);
        self.shared.count(|counters| {
            counters.access_units += 1;
            counters.packets += u64::from(sent);
            counters.packets_lost += u64::from(lost);
            counters.bytes += bytes;
        });
        lost + corrupted
    }

    fn report(&self, now: Instant) -> Vec<u8> {
        let ntp = rtp::ntp(SystemTime::now(), self.shared.camera.clock_offset_ms);
        let timestamp = self.clock.timestamp(self.media_at(now));
        rtp::sender_report(
            self.stamp.channel + 1,
            self.stamp.ssrc,
            ntp,
            timestamp,
            self.packets,
            self.octets,
        )
    }

    fn drop_what_is_late(&mut self, now: Instant) {
        if now.saturating_duration_since(self.due()) <= MAX_LAG {
            return;
        }
        let before = self.schedule.clone();
        let media = self.media_at(now);
        self.schedule.seek_key(media);
        let dropped = self.schedule.since(&before);
        self.shared
            .count(|counters| counters.access_units_dropped += dropped);
    }

    /// Changes to other footage where a key frame is next. Its own key frame follows at once: all
    /// footage begins with one.
    fn switch_footage(&mut self) {
        if !self.schedule.is_key() {
            return;
        }
        let wanted = self.shared.footage();
        if Arc::ptr_eq(&wanted, &self.schedule.footage)
            || !same_coding(&wanted, &self.schedule.footage)
        {
            return;
        }
        let ready = self.schedule.ready();
        if self.shared.camera.phase_locked {
            self.schedule = Schedule::new(wanted, 0);
            self.schedule.seek_key(ready);
        } else {
            self.schedule = Schedule::new(wanted, ready);
        }
    }
}

impl Drop for Playback {
    fn drop(&mut self) {
        self.shared.count(|counters| counters.sessions_playing -= 1);
    }
}

/// The description of a session names the coding, so it cannot change within one.
fn same_coding(a: &Footage, b: &Footage) -> bool {
    a.codec() == b.codec()
}

/// Media time of a phase-locked camera at a wall-clock time.
fn wall_media(wall: SystemTime) -> u64 {
    ticks(wall.duration_since(UNIX_EPOCH).unwrap_or_default())
}

/// Rounded up, so that an access unit that is ready earlier than `duration` is never taken for one
/// that is still to come.
fn ticks(duration: Duration) -> u64 {
    duration.as_secs() * CLOCK
        + (u64::from(duration.subsec_nanos()) * CLOCK).div_ceil(1_000_000_000)
}

/// Rounded up, so that nothing is sent early.
fn duration(ticks: u64) -> Duration {
    Duration::from_secs(ticks / CLOCK)
        + Duration::from_nanos(((ticks % CLOCK) * 1_000_000_000).div_ceil(CLOCK))
}
