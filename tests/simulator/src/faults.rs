//! Faults of a camera, each switched on and off while it runs.
//!
//! What belongs here: the list of faults, their text form for the command line, and what each does
//! to one answer, one access unit or one packet. The session only carries it out.

use crate::flood::Flood;
use crate::footage::Footage;
use crate::random::Random;
use std::sync::Arc;
use std::time::Duration;

/// Something wrong with a camera. Faults of different kinds add up; one of the same kind replaces
/// the earlier one.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Every Nth packet is lost; its sequence number is missing. `lose-every=N`
    LoseEvery(u32),
    /// Each packet is lost with a probability; the seed makes it repeatable.
    /// `lose-randomly=PROBABILITY[:SEED]`
    LoseRandomly {
        /// From 0 to 1.
        probability: f64,
        /// Of the random numbers.
        seed: u64,
    },
    /// Media stops, connections stay open and requests are answered. Afterwards it goes on at the
    /// next key frame, with unbroken sequence numbers, as an encoder does that hung. `stall`
    Stall,
    /// Closes all connections now, once. `disconnect`
    Disconnect,
    /// Closes each session this long after its PLAY. `disconnect-after=SECONDS`
    DisconnectAfter(Duration),
    /// Random bytes before every Nth access unit: in the interleaved stream, or as a datagram.
    /// `garbage-bytes=LENGTH[:N]`
    GarbageBytes {
        /// How many bytes each time.
        length: usize,
        /// Before every how manieth access unit.
        every: u32,
    },
    /// The first payload byte (the NAL header) of every Nth packet is inverted, so the forbidden
    /// bit is set. `corrupt-nals=N`
    CorruptNals(u32),
    /// The RTP clock runs faster (or slower, negative) by parts per million from now on.
    /// `clock-drift=PPM`
    ClockDrift(i32),
    /// The RTP clock jumps once, by milliseconds. Not undone by clearing. `clock-jump=MILLISECONDS`
    ClockJump(i64),
    /// From the next key frame on other footage of the same coding is sent, its parameter sets in
    /// band. Clearing goes back in the same way. `footage=FILE`
    SwitchFootage(Arc<Footage>),
    /// Requests of a method are answered with this status. `status=METHOD:CODE`
    Status {
        /// RTSP method in capitals.
        method: String,
        /// RTSP status code.
        code: u16,
    },
    /// Key frames are left out, all other frames sent. `no-key-frames`
    NoKeyFrames,
    /// Connections are accepted, requests never answered. `never-answer`
    NeverAnswer,
    /// Packets of a session of the past (other SSRC) come after DESCRIBE and between access units.
    /// `stale-session`
    StaleSession,
    /// Everything goes out at this many bytes a second. `slow-drip=BYTES`
    SlowDrip(u32),
    /// An access unit never ends: no marker, timestamp stands still, and each frame interval the
    /// packets of the access unit are repeated until at least this many bytes are out.
    /// `endless-access-unit=BYTES`
    EndlessAccessUnit(usize),
    /// The answer to requests of a method never ends. With `PLAYING` in place of a method it comes unasked, in place of the
    /// next access unit. `flood=METHOD:headers|header-line|description|packets`
    Flood {
        /// RTSP method in capitals, or `PLAYING`.
        method: String,
        /// What does not end.
        flood: Flood,
    },
    /// In each frame interval so many key frames are sent, in turns of the camera's own footage and of another, each with
    /// its parameter sets in band. `parameter-changes=COUNT:FILE`
    ParameterChanges {
        /// Key frames in each frame interval.
        count: u32,
        /// The other footage, of the same coding.
        other: Arc<Footage>,
    },
    /// DESCRIBE is answered with a redirect. `redirect=CODE:URL`
    Redirect {
        /// 301 or 302.
        code: u16,
        /// Where to.
        location: String,
    },
}

impl Fault {
    /// Reads the text form given with each fault; `fps` is for footage loaded by it.
    pub fn parse(text: &str, fps: u32) -> Result<Fault, String> {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        let (first, second) = value
            .split_once(':')
            .map_or((value, None), |(a, b)| (a, Some(b)));
        Ok(match name {
            "lose-every" => Fault::LoseEvery(number(value)?),
            "lose-randomly" => Fault::LoseRandomly {
                probability: number(first)?,
                seed: second.map_or(Ok(1), number)?,
            },
            "stall" => Fault::Stall,
            "disconnect" => Fault::Disconnect,
            "disconnect-after" => Fault::DisconnectAfter(
                Duration::try_from_secs_f64(number(value)?)
                    .map_err(|e| format!("{value:?}: {e}"))?,
            ),
            "garbage-bytes" => Fault::GarbageBytes {
                length: number(first)?,
                every: second.map_or(Ok(1), number)?,
            },
            "corrupt-nals" => Fault::CorruptNals(number(value)?),
            "clock-drift" => Fault::ClockDrift(number(value)?),
            "clock-jump" => Fault::ClockJump(number(value)?),
            "footage" => Fault::SwitchFootage(Arc::new(
                Footage::load(value, fps).map_err(|e| e.to_string())?,
            )),
            "status" => Fault::Status {
                method: first.to_uppercase(),
                code: number(second.unwrap_or(""))?,
            },
            "no-key-frames" => Fault::NoKeyFrames,
            "never-answer" => Fault::NeverAnswer,
            "stale-session" => Fault::StaleSession,
            "slow-drip" => Fault::SlowDrip(number(value)?),
            "endless-access-unit" => Fault::EndlessAccessUnit(number(value)?),
            "flood" => Fault::Flood {
                method: first.to_uppercase(),
                flood: Flood::parse(second.unwrap_or(""))?,
            },
            "parameter-changes" => Fault::ParameterChanges {
                count: number(first)?,
                other: Arc::new(
                    Footage::load(second.unwrap_or(""), fps).map_err(|e| e.to_string())?,
                ),
            },
            "redirect" => Fault::Redirect {
                code: number(first)?,
                location: second.unwrap_or("").to_owned(),
            },
            _ => return Err(format!("there is no fault {name:?}")),
        })
    }
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse()
        .map_err(|_| format!("{text:?} is no number that fits here"))
}

/// What happens to one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Sent,
    Lost,
    Corrupted,
}

/// What happens around one access unit.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Effects {
    pub(crate) stall: bool,
    pub(crate) leave_out_key_frames: bool,
    /// Bytes of garbage to send first; zero for none.
    pub(crate) garbage: usize,
    pub(crate) stale: bool,
    pub(crate) endless: Option<usize>,
    pub(crate) drift_ppm: i32,
    /// Sum of all clock jumps so far, milliseconds.
    pub(crate) jumped_ms: i64,
    pub(crate) disconnect_after: Option<Duration>,
}

/// Packet loss, with where it stands.
#[derive(Debug)]
enum Loss {
    Every(u32),
    Randomly(f64, Random),
}

/// The faults of one camera that are on.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    loss: Option<Loss>,
    corrupt_every: Option<u32>,
    packet_count: u32,
    garbage: Option<(usize, u32)>,
    unit_count: u32,
    statuses: Vec<(String, u16)>,
    pub(crate) redirect: Option<(u16, String)>,
    pub(crate) footage: Option<Arc<Footage>>,
    pub(crate) parameter_changes: Option<(u32, Arc<Footage>)>,
    flood: Option<(String, Flood)>,
    pub(crate) never_answer: bool,
    pub(crate) slow_drip: Option<u32>,
    effects: Effects,
}

impl Faults {
    /// Switches a fault on. `Disconnect` is carried out by the caller, since nothing of it lasts.
    pub(crate) fn apply(&mut self, fault: Fault) {
        match fault {
            Fault::LoseEvery(n) => self.loss = Some(Loss::Every(n)),
            Fault::LoseRandomly { probability, seed } => {
                self.loss = Some(Loss::Randomly(probability, Random::seeded(seed)));
            }
            Fault::Stall => self.effects.stall = true,
            Fault::Disconnect => {}
            Fault::DisconnectAfter(after) => self.effects.disconnect_after = Some(after),
            Fault::GarbageBytes { length, every } => self.garbage = Some((length, every)),
            Fault::CorruptNals(every) => self.corrupt_every = Some(every),
            Fault::ClockDrift(ppm) => self.effects.drift_ppm = ppm,
            Fault::ClockJump(ms) => self.effects.jumped_ms += ms,
            Fault::SwitchFootage(footage) => self.footage = Some(footage),
            Fault::Status { method, code } => {
                self.statuses.retain(|(other, _)| *other != method);
                self.statuses.push((method, code));
            }
            Fault::NoKeyFrames => self.effects.leave_out_key_frames = true,
            Fault::NeverAnswer => self.never_answer = true,
            Fault::StaleSession => self.effects.stale = true,
            Fault::SlowDrip(rate) => self.slow_drip = Some(rate),
            Fault::EndlessAccessUnit(bytes) => self.effects.endless = Some(bytes),
            Fault::Flood { method, flood } => self.flood = Some((method, flood)),
            Fault::ParameterChanges { count, other } => {
                self.parameter_changes = Some((count, other));
            }
            Fault::Redirect { code, location } => self.redirect = Some((code, location)),
        }
    }

    /// Switches all faults off. Where the RTP clock has got to stays, or clearing would be a jump
    /// of its own.
    pub(crate) fn clear(&mut self) {
        let jumped_ms = self.effects.jumped_ms;
        *self = Faults {
            effects: Effects {
                jumped_ms,
                ..Effects::default()
            },
            ..Faults::default()
        };
    }

    /// What is on, without counting an access unit.
    pub(crate) fn effects(&self) -> Effects {
        self.effects
    }

    /// What happens around the next access unit.
    pub(crate) fn next_access_unit(&mut self) -> Effects {
        let mut effects = self.effects;
        if let Some((length, every)) = self.garbage {
            self.unit_count = self.unit_count.wrapping_add(1);
            if every != 0 && self.unit_count.is_multiple_of(every) {
                effects.garbage = length;
            }
        }
        effects
    }

    /// What happens to each of the next packets; `None` if all are sent as they are.
    pub(crate) fn fates(&mut self, count: u32) -> Option<Vec<Fate>> {
        if self.loss.is_none() && self.corrupt_every.is_none() {
            return None;
        }
        Some((0..count).map(|_| self.fate()).collect())
    }

    fn fate(&mut self) -> Fate {
        self.packet_count = self.packet_count.wrapping_add(1);
        let nth = |every: u32| every != 0 && self.packet_count.is_multiple_of(every);
        let lost = match &mut self.loss {
            Some(Loss::Every(every)) => nth(*every),
            Some(Loss::Randomly(probability, random)) => random.happens(*probability),
            None => false,
        };
        match () {
            () if lost => Fate::Lost,
            () if self.corrupt_every.is_some_and(nth) => Fate::Corrupted,
            () => Fate::Sent,
        }
    }

    /// What a request of this method is flooded with.
    pub(crate) fn flood(&self, method: &str) -> Option<Flood> {
        let (flooded, flood) = self.flood.as_ref()?;
        (flooded == method).then_some(*flood)
    }

    /// Whether a flood is on.
    pub(crate) fn is_flooding(&self) -> bool {
        self.flood.is_some()
    }

    /// Status to answer a request of this method with.
    pub(crate) fn status(&self, method: &str) -> Option<u16> {
        self.statuses
            .iter()
            .find(|(name, _)| name == method)
            .map(|&(_, code)| code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_without_a_file_has_a_text_form() {
        for text in [
            "lose-every=50",
            "lose-randomly=0.01:7",
            "stall",
            "disconnect",
            "disconnect-after=2.5",
            "garbage-bytes=100:15",
            "corrupt-nals=9",
            "clock-drift=-800",
            "clock-jump=-5000",
            "status=describe:503",
            "no-key-frames",
            "never-answer",
            "stale-session",
            "slow-drip=100",
            "endless-access-unit=100000",
            "redirect=302:rtsp://127.0.0.1/x",
            "flood=describe:header-line",
            "flood=playing:headers",
        ] {
            Fault::parse(text, 15).expect(text);
        }
        for text in [
            "",
            "lose-every=",
            "status=PLAY",
            "disconnect-after=-1",
            "no-such-fault",
        ] {
            assert!(Fault::parse(text, 15).is_err(), "{text}");
        }
    }

    #[test]
    fn loss_is_repeatable_and_ends_when_cleared() {
        let run = || {
            let mut faults = Faults::default();
            faults.apply(Fault::LoseRandomly {
                probability: 0.1,
                seed: 3,
            });
            faults.fates(1000).expect("loss is on")
        };
        let lost = run().iter().filter(|fate| **fate == Fate::Lost).count();
        assert!((60..140).contains(&lost), "{lost}");
        assert_eq!(run(), run());
        let mut faults = Faults::default();
        faults.apply(Fault::LoseEvery(4));
        assert_eq!(
            faults
                .fates(8)
                .expect("loss is on")
                .iter()
                .filter(|fate| **fate == Fate::Lost)
                .count(),
            2
        );
        faults.apply(Fault::ClockJump(-5));
        faults.clear();
        assert!(faults.fates(1).is_none());
        assert_eq!(faults.effects().jumped_ms, -5);
    }
}
