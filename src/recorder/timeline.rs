//! A run's time: which time of day its media time is.
//!
//! Durations follow the camera, the time of day follows the host: the frame that was delayed least shows where the
//! camera's zero lies, and the anchor goes there slowly, by at most 500 ppm (Moonfire NVR, design/time.md).
//! Pure: it is told the times.

use crate::base::time::{Mono, Ticks, Wall};
use crate::media::access_unit::AccessUnit;

/// Fastest correction: 500 microseconds a second.
const SLEW_PPM: i64 = 500;
/// A difference that no slew will make good in reasonable time: the run is anchored anew.
const RESIDUAL_US_MAX: i64 = 500_000;
/// A change of wall minus monotonic time above this is a step of the host's clock, not its slewing.
const HOST_STEP_US: i64 = 300_000;
/// Largest step forward of presentation times that a stream may make.
const JUMP_FORWARD: Ticks = Ticks::from_secs(10);
/// Largest step backward: reordered pictures stay well within.
const JUMP_BACKWARD: Ticks = Ticks::from_secs(-2);
/// A picture cannot come this much before it was taken.
const EARLY_US_MAX: i64 = 1_500_000;
/// A picture cannot arrive before it was taken: one that is this much too early proves the anchor wrong.
const EARLY_PROOF_US: i64 = 300_000;
/// Corrections in a row that could not keep up before the time is called uncertain.
const LAGGING_MAX: u32 = 3;

/// What a correction found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The anchor follows.
    Steady,
    /// The camera's clock runs faster or slower than can be followed.
    Uncertain,
    /// The anchor was set anew: a new run begins here. By how much it moved, in microseconds.
    Stepped(i64),
}

/// A run's time.
#[derive(Debug)]
pub struct Timeline {
    /// Time of day of media time 0, once known.
    anchor: Option<Wall>,
    /// Smallest (arrival − presentation time) since the last correction, monotonic, in microseconds.
    least_delay_us: Option<i64>,
    /// Wall minus monotonic time, in microseconds: now, and at the last correction.
    wall_offset_us: i64,
    wall_offset_seen_us: i64,
    corrected_at: Ticks,
    lagging: u32,
    residual_us: i64,
    last: Option<(Ticks, Mono)>,
    /// What is added to the camera's times since they jumped.
    shift: Ticks,
    suspect: Option<AccessUnit>,
    /// Jumps that were bridged.
    pub jumps: u32,
    /// Units dropped for a time that fitted nowhere.
    pub dropped: u32,
}

impl Default for Timeline {
    fn default() -> Self {
        Self::new()
    }
}

impl Timeline {
    /// Of a run that begins.
    pub fn new() -> Self {
        Self {
            anchor: None,
            least_delay_us: None,
            wall_offset_us: 0,
            wall_offset_seen_us: 0,
            corrected_at: Ticks(0),
            lagging: 0,
            residual_us: 0,
            last: None,
            shift: Ticks(0),
            suspect: None,
            jumps: 0,
            dropped: 0,
        }
    }

    /// Takes a unit and gives those whose presentation time is settled, in decoding order.
    ///
    /// One odd time costs one unit. Two units that agree on a jump are a jump of the camera's clock: it is bridged, so
    /// that media time goes on with the arrival, and counted.
    pub fn admit(&mut self, mut unit: AccessUnit) -> Vec<AccessUnit> {
        let raw = unit.pts;
        unit.pts = raw + self.shift;
        let Some((last, last_mono)) = self.last else {
            self.observe(&unit);
            return vec![unit];
        };
        if !self.jumped(&unit, last) {
            self.dropped += u32::from(self.suspect.take().is_some());
            self.observe(&unit);
            return vec![unit];
        }
        let Some(mut suspect) = self.suspect.take() else {
            self.suspect = Some(unit);
            return Vec::new();
        };
        let apart = unit.pts - suspect.pts;
        if apart < JUMP_BACKWARD || apart > JUMP_FORWARD {
            self.dropped += 1;
            self.suspect = Some(unit);
            return Vec::new();
        }
        // Both agree: the camera's clock jumped. Media time goes on by what the host's clock says has passed.
        let passed_us = suspect.received_mono.us_since(last_mono).max(1_000);
        let moved = last + Ticks::from_us(passed_us) - suspect.pts;
        self.shift = self.shift + moved;
        self.jumps += 1;
        suspect.pts = suspect.pts + moved;
        unit.pts = unit.pts + moved;
        self.observe(&suspect);
        self.observe(&unit);
        vec![suspect, unit]
    }

    fn jumped(&self, unit: &AccessUnit, last: Ticks) -> bool {
        let step = unit.pts - last;
        let early = self
            .delay_floor_us()
            .is_some_and(|floor| delay_us(unit) < floor - EARLY_US_MAX);
        step < JUMP_BACKWARD || step > JUMP_FORWARD || (early && step > Ticks::from_secs(1))
    }

    fn delay_floor_us(&self) -> Option<i64> {
        let by_anchor = self.anchor.map(|a| a.us() - self.wall_offset_us);
        by_anchor.into_iter().chain(self.least_delay_us).min()
    }

    fn observe(&mut self, unit: &AccessUnit) {
        self.last = Some((unit.pts, unit.received_mono));
        let delay = delay_us(unit);
        self.least_delay_us = Some(self.least_delay_us.map_or(delay, |least| least.min(delay)));
        self.wall_offset_us = unit.received_wall.us() - unit.received_mono.0.cast_signed();
    }

    /// The time of day of `media`, by the anchor as it is now. The first call sets the anchor from what was seen.
    pub fn wall_of(&mut self, media: Ticks) -> Wall {
        let anchor = match self.anchor {
            Some(anchor) => anchor,
            None => {
                let anchor = Wall(self.least_delay_us.unwrap_or_default() + self.wall_offset_us);
                self.wall_offset_seen_us = self.wall_offset_us;
                self.corrected_at = media;
                self.anchor = Some(anchor);
                anchor
            }
        };
        anchor.plus_ticks(media)
    }

    /// True when the anchor cannot be right: the host's clock was stepped since the last correction, or a picture arrived
    /// before it was taken, as after a burst at the beginning.
    pub fn is_wrong(&self) -> bool {
        self.host_stepped() || self.is_early()
    }

    fn is_early(&self) -> bool {
        let arrives = self.least_delay_us.map(|least| least + self.wall_offset_us);
        let anchor = self.anchor.map(Wall::us);
        arrives
            .zip(anchor)
            .is_some_and(|(arrives, anchor)| arrives < anchor - EARLY_PROOF_US)
    }

    /// The run ends: a unit that waited for another one to agree with it is lost.
    pub fn finish(&mut self) {
        self.dropped += u32::from(self.suspect.take().is_some());
    }

    /// True when the host's clock was stepped since the last correction.
    fn host_stepped(&self) -> bool {
        self.anchor.is_some()
            && (self.wall_offset_us - self.wall_offset_seen_us).abs() > HOST_STEP_US
    }

    /// Brings the anchor nearer to what was seen since the last correction. Called where a segment is cut, at `media`.
    pub fn correct(&mut self, media: Ticks) -> Verdict {
        let wrong = self.is_wrong();
        let (Some(anchor), Some(least)) = (self.anchor, self.least_delay_us.take()) else {
            return Verdict::Steady;
        };
        self.wall_offset_seen_us = self.wall_offset_us;
        let since_us = (media - self.corrected_at).us().max(0);
        self.corrected_at = media;
        let error_us = least + self.wall_offset_us - anchor.us();
        let slew_us_max =
            since_us / 1_000_000 * SLEW_PPM + since_us % 1_000_000 * SLEW_PPM / 1_000_000;
        let slew_us = error_us.clamp(-slew_us_max, slew_us_max);
        let residual_us = error_us - slew_us;
        if wrong || residual_us.abs() > RESIDUAL_US_MAX {
            self.anchor = Some(anchor.plus_us(error_us));
            self.lagging = 0;
            self.residual_us = 0;
            return Verdict::Stepped(error_us);
        }
        self.anchor = Some(anchor.plus_us(slew_us));
        let worse = residual_us.abs() > self.residual_us.abs() && residual_us != 0;
        self.lagging = if worse {
            self.lagging.saturating_add(1)
        } else {
            0
        };
        self.residual_us = residual_us;
        if self.lagging >= LAGGING_MAX {
            Verdict::Uncertain
        } else {
            Verdict::Steady
        }
    }
}

fn delay_us(unit: &AccessUnit) -> i64 {
    unit.received_mono.0.cast_signed() - unit.pts.us()
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Wall = Wall::from_secs(1_795_000_000);

    /// A camera at 15 fps whose clock runs `ppm` fast, in front of a host; frames arrive up to `jitter_us` late.
    struct Scene {
        timeline: Timeline,
        frame: i64,
        ppm: i64,
        jitter_us: i64,
        wall_step_us: i64,
        pts_shift: Ticks,
    }

    impl Scene {
        fn new(ppm: i64, jitter_us: i64) -> Self {
            Self {
                timeline: Timeline::new(),
                frame: 0,
                ppm,
                jitter_us,
                wall_step_us: 0,
                pts_shift: Ticks(0),
            }
        }

        fn true_us(&self) -> i64 {
            self.frame * 66_667
        }

        fn unit(&self) -> AccessUnit {
            let us = self.true_us();
            // Deterministic lateness, now and then none.
            let late = (self.frame * 7919 % 97) * self.jitter_us / 97;
            AccessUnit {
                pts: Ticks::from_us(us + us / 1_000_000 * self.ppm) + self.pts_shift,
                received_mono: Mono(u64::try_from(5_000_000 + us + late).expect("positive")),
                received_wall: START.plus_us(us + late + self.wall_step_us),
                is_key: self.frame % 30 == 0,
                loss: 0,
                data: Vec::new(),
            }
        }

        /// Runs for `secs`, correcting every minute; gives the verdicts and the largest error of the time of day.
        fn run(&mut self, secs: i64) -> (Vec<Verdict>, i64) {
            let (mut verdicts, mut worst) = (Vec::new(), 0);
            let end = self.true_us() + secs * 1_000_000;
            while self.true_us() < end {
                for unit in self.timeline.admit(self.unit()) {
                    let wall = self.timeline.wall_of(unit.pts);
                    worst = worst.max(
                        wall.us_since(START.plus_us(self.true_us() + self.wall_step_us))
                            .abs(),
                    );
                    if self.frame % 900 == 899 {
                        verdicts.push(self.timeline.correct(unit.pts));
                    }
                }
                self.frame += 1;
            }
            (verdicts, worst)
        }
    }

    #[test]
    fn three_hundred_ppm_over_a_day_stay_within_fifty_ms() {
        for ppm in [300, -300] {
            let mut scene = Scene::new(ppm, 20_000);
            let (verdicts, worst) = scene.run(86_400);
            assert!(worst <= 50_000, "{ppm} ppm: {worst} µs");
            assert!(verdicts.iter().all(|v| *v == Verdict::Steady), "{ppm} ppm");
        }
    }

    #[test]
    fn eight_hundred_ppm_are_called_uncertain() {
        let (verdicts, _) = Scene::new(-800, 20_000).run(3600);
        assert!(verdicts.contains(&Verdict::Uncertain));
        assert!(
            verdicts.iter().any(|v| matches!(v, Verdict::Stepped(_))),
            "it is anchored anew before it is far off"
        );
    }

    #[test]
    fn a_step_of_the_host_is_seen_and_followed() {
        let mut scene = Scene::new(0, 10_000);
        scene.run(120);
        scene.wall_step_us = -3_600_000_000;
        for unit in scene.timeline.admit(scene.unit()) {
            assert!(scene.timeline.is_wrong());
            assert!(
                matches!(scene.timeline.correct(unit.pts), Verdict::Stepped(us) if (us + 3_600_000_000).abs() < 50_000)
            );
        }
        scene.frame += 1;
        assert!(scene.run(60).1 < 50_000);
    }

    #[test]
    fn one_odd_time_costs_one_unit_and_a_jump_none() {
        let mut scene = Scene::new(0, 5_000);
        scene.run(60);
        let mut odd = scene.unit();
        odd.pts = odd.pts + Ticks::from_secs(500);
        assert!(scene.timeline.admit(odd).is_empty());
        scene.frame += 1;
        scene.run(2);
        assert_eq!((scene.timeline.dropped, scene.timeline.jumps), (1, 0));
        for jump in [5_000, -5_000, 40, -3] {
            scene.pts_shift = scene.pts_shift + Ticks::from_secs(jump);
            let (_, worst) = scene.run(2);
            assert!(worst < 200_000, "{jump}: {worst}");
        }
        assert_eq!((scene.timeline.dropped, scene.timeline.jumps), (1, 4));
    }
}
