//! Whole histories: recording, holds, policies that become longer and shorter, steps of the clock, sweeps of which some fail, across
//! a leap day and the nights in which clocks change.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use crate::base::id::{HoldId, SegmentId, StreamId, VolumeId};
use crate::base::time::{Span, Wall};
use crate::base::zone::Zone;
use crate::catalog::{
    Change, HoldEnd, HoldKind, HoldRow, PolicyRow, RetentionChange, ShorteningRow, StreamRow,
};
use crate::config::Origin;
use crate::retention::held::Held;
use crate::retention::plan::{Policy, Segment, plan};
use crate::retention::policy::{self, GRACE_US, Known, Wanted};

const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3600 * SECOND;
const DAY: i64 = 24 * HOUR;
const VOLUME: VolumeId = VolumeId::from_bytes([1; 16]);
const NAMES: [&str; 2] = ["kassa", "ovi"];

/// What happens next. Numbers choose among what there is.
#[derive(Clone, Debug)]
enum Act {
    /// Time passes and both cameras record, a segment an hour.
    Record(u8),
    /// The clock is set, by hours; footage is stamped by it.
    Step(i8),
    /// A camera's footage is held: hours before now, and how many.
    Hold(usize, i16, u8),
    /// A hold is released.
    Release(usize),
    /// The configuration asks for so many hours.
    Keep(usize, u8),
    /// A person confirms what is pending.
    Confirm(usize, u8),
    /// A sweep, of which every so-many-th segment fails; with so much wanted of the disk.
    Sweep(Option<u8>, u8),
}

fn act() -> impl Strategy<Value = Act> {
    let camera = 0..NAMES.len();
    prop_oneof![
        6 => (1_u8..20).prop_map(Act::Record),
        1 => (-30_i8..30).prop_map(Act::Step),
        2 => (camera.clone(), -40_i16..60, 1_u8..50).prop_map(|(c, h, n)| Act::Hold(c, h, n)),
        2 => (0_usize..8).prop_map(Act::Release),
        2 => (camera.clone(), 1_u8..120).prop_map(|(c, h)| Act::Keep(c, h)),
        3 => (camera, 0_u8..3).prop_map(|(c, p)| Act::Confirm(c, p)),
        4 => (prop::option::weighted(0.4, 2_u8..5), 0_u8..10).prop_map(|(f, b)| Act::Sweep(f, b)),
    ]
}

/// The box, as far as retention goes: what the catalog does is done here by hand.
struct World {
    now: Wall,
    streams: Vec<StreamRow>,
    policies: Vec<PolicyRow>,
    wanted: Vec<Wanted>,
    shortenings: Vec<ShorteningRow>,
    holds: Vec<HoldRow>,
    segments: Vec<Segment>,
    numbers: u64,
}

fn stream(camera: usize) -> StreamId {
    format!("{}/main", NAMES[camera]).parse().expect("a stream")
}

fn wanted(camera: usize, hours: u8) -> Wanted {
    Wanted {
        keep_s: u32::from(hours) * 3600,
        policy: PolicyRow {
            stream: stream(camera),
            guarantee_s: 0,
            keep_from: Origin::Camera,
            guarantee_from: Origin::Default,
            purposes: Vec::new(),
            justification: None,
            special_reason: None,
            documented_in: None,
        },
    }
}

impl World {
    fn new(start: Wall) -> Self {
        let row = |camera: usize| StreamRow {
            stream: stream(camera),
            first_seen: start,
            keep_s: None,
            guarantee_s: 0,
            floor: None,
        };
        Self {
            now: start,
            streams: vec![row(0), row(1)],
            policies: Vec::new(),
            wanted: vec![wanted(0, 48), wanted(1, 24)],
            shortenings: Vec::new(),
            holds: Vec::new(),
            segments: Vec::new(),
            numbers: 0,
        }
    }

    fn keep_s(&self, camera: usize) -> Option<u32> {
        self.streams[camera].keep_s
    }

    fn policy(&self, camera: usize) -> Policy {
        Policy::of(&self.streams[camera])
    }

    fn held(&self, camera: usize) -> Held {
        Held::of(&stream(camera), &self.holds, self.now)
    }

    /// What each minute does: what is in force follows the configuration.
    fn follow(&mut self) {
        let known = Known {
            streams: &self.streams,
            policies: &self.policies,
            shortenings: &self.shortenings,
        };
        for step in policy::follow(self.now, known, &self.wanted) {
            for change in step.changes {
                self.apply(change);
            }
        }
    }

    fn apply(&mut self, change: Change) {
        match change {
            Change::KeepSet { stream, keep_s, at } => {
                let row = self.streams.iter_mut().find(|row| row.stream == stream);
                let row = row.expect("a stream");
                if let Some(before) = row.keep_s.filter(|before| keep_s > *before) {
                    let expired = at.plus_us(-i64::from(before) * SECOND);
                    row.floor = row.floor.max(Some(expired));
                }
                row.keep_s = Some(keep_s);
            }
            Change::Retention(RetentionChange::PolicySet { policy, .. }) => {
                self.policies.retain(|row| row.stream != policy.stream);
                self.policies.push(*policy);
            }
            Change::Retention(RetentionChange::ShorteningOver { camera }) => {
                self.shortenings.retain(|row| row.camera != camera);
            }
            Change::Retention(RetentionChange::ShorteningAsked {
                camera,
                main_keep_s,
                sub_keep_s,
                at,
            }) => {
                self.shortenings.retain(|row| row.camera != camera);
                self.numbers += 1;
                self.shortenings.push(ShorteningRow {
                    number: self.numbers,
                    camera,
                    main_keep_s,
                    sub_keep_s,
                    asked: at,
                    first: None,
                    second: None,
                    runs: None,
                });
            }
            other => panic!("not of policies: {other:?}"),
        }
    }

    fn confirm(&mut self, camera: usize, person: u8) {
        let (now, id) = (self.now, stream(camera).camera);
        let Some(row) = self.shortenings.iter_mut().find(|row| row.camera == id) else {
            return;
        };
        let by = format!("person {person}");
        match (&row.first, &row.second) {
            (None, _) => row.first = Some((now, by)),
            (Some((_, first)), None) if *first != by => {
                row.second = Some((now, by));
                row.runs = Some(now.plus_us(GRACE_US));
            }
            _ => {}
        }
    }

    fn record(&mut self, hours: u8) {
        for _ in 0..hours {
            for camera in 0..NAMES.len() {
                self.segments.push(Segment {
                    id: SegmentId::random(),
                    stream: camera,
                    volume: VOLUME,
                    start: self.now,
                    end: self.now.plus_us(HOUR),
                    bytes: 1,
                });
            }
            self.now = self.now.plus_us(HOUR);
        }
    }

    fn hold(&mut self, camera: usize, hours_ago: i16, hours: u8) {
        let start = self.now.plus_us(-i64::from(hours_ago) * HOUR + HOUR / 2);
        let number = 100_000 + u32::try_from(self.holds.len()).expect("few");
        self.holds.push(HoldRow {
            hold: HoldId(number),
            kind: HoldKind::Case,
            span: Span {
                start,
                end: start.plus_us(i64::from(hours) * HOUR),
            },
            cameras: [stream(camera).camera].into(),
            matter: "m".to_owned(),
            reason: "r".to_owned(),
            placed: self.now,
            placed_by: "p".to_owned(),
            review: self.now.plus_us(90 * DAY),
            reviewed: None,
            until: None,
            ended: None,
        });
    }

    fn release(&mut self, which: usize) {
        let at = self.now;
        if let Some(hold) = self.holds.get_mut(which).filter(|h| h.ended.is_none()) {
            hold.ended = Some(HoldEnd {
                at,
                by: "c".to_owned(),
                gone: at.plus_us(14 * DAY),
            });
        }
    }

    /// Sweeps; what fails stays, and is tried again by the next.
    fn sweep(&mut self, fails: Option<u8>, wanted: u8) -> BTreeSet<SegmentId> {
        let policies: Vec<_> = (0..NAMES.len()).map(|c| self.policy(c)).collect();
        let held: Vec<_> = (0..NAMES.len()).map(|c| self.held(c)).collect();
        let pressure = BTreeMap::from([(VOLUME, u64::from(wanted))]);
        let plan = plan(self.now, &policies, &held, &self.segments, &pressure);
        let gone: BTreeSet<_> = plan
            .iter()
            .enumerate()
            .filter(|(n, _)| fails.is_none_or(|every| n % usize::from(every) != 0))
            .map(|(_, doomed)| doomed.segment)
            .collect();
        self.segments.retain(|s| !gone.contains(&s.id));
        gone
    }
}

/// What can be read of a camera at present, for no hold's case.
fn readable(world: &World) -> BTreeSet<SegmentId> {
    let kept = world.segments.iter().filter(|s| {
        let row = &world.streams[s.stream];
        row.expired_before(world.now)
            .is_none_or(|before| s.end >= before)
    });
    kept.map(|s| s.id).collect()
}

/// The nights and days on which something is odd, and an ordinary one.
fn start() -> impl Strategy<Value = Wall> {
    let zone = Zone::named("Europe/Helsinki").expect("a zone");
    let days = [
        "2028-02-27",
        "2028-03-25",
        "2028-10-28",
        "2027-12-30",
        "2026-11-23",
    ];
    let at = move |day: &str| {
        let text = format!("{day}T21:00:00");
        zone.parse(&text, Wall(0)).expect("a time")
    };
    prop::sample::select(days.map(at).to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn nothing_held_goes_nothing_expired_comes_back_and_all_converges(
        start in start(),
        acts in prop::collection::vec(act(), 1..80),
    ) {
        let mut world = World::new(start);
        world.follow();
        for act in acts {
            let (before, now) = (readable(&world), world.now);
            let kept = [world.keep_s(0), world.keep_s(1)];
            let recorded: BTreeSet<_> = world.segments.iter().map(|s| s.id).collect();
            let is_step_back = matches!(act, Act::Step(hours) if hours < 0);
            match act {
                Act::Record(hours) => world.record(hours),
                Act::Step(hours) => world.now = now.plus_us(i64::from(hours) * HOUR),
                Act::Hold(camera, ago, hours) => world.hold(camera, ago, hours),
                Act::Release(which) => world.release(which),
                Act::Keep(camera, hours) => world.wanted[camera] = wanted(camera, hours),
                Act::Confirm(camera, person) => world.confirm(camera, person),
                Act::Sweep(fails, room) => {
                    let all = world.segments.clone();
                    let gone = world.sweep(fails, room);
                    for segment in all.iter().filter(|s| gone.contains(&s.id)) {
                        let held = world.holds.iter().any(|hold| {
                            hold.keeps(world.now)
                                && hold.holds(&stream(segment.stream).camera, segment.start, segment.end)
                        });
                        prop_assert!(!held, "held: {segment:?}");
                    }
                }
            }
            world.follow();
            for (camera, kept) in kept.into_iter().enumerate() {
                let shorter = kept > world.keep_s(camera);
                let ripe = world.keep_s(camera) == Some(world.wanted[camera].keep_s);
                prop_assert!(!shorter || ripe, "shortened to what the configuration says, or not at all");
            }
            // Only a clock that goes back makes younger what was expired.
            let back = readable(&world);
            let mut revived = back.difference(&before).filter(|id| recorded.contains(id));
            prop_assert!(is_step_back || revived.next().is_none(), "revived");
        }
        world.now = world.now.plus_us(HOUR);
        world.sweep(None, 0);
        for segment in &world.segments {
            let stays = world.held(segment.stream).keeps(segment.start, segment.end)
                || !world.policy(segment.stream).expires(world.now, segment.end);
            prop_assert!(stays, "expired and there: {segment:?}");
        }
        // Long after the last hold ended, and with nobody recording, everything is gone, however the clock was set before.
        (0..world.holds.len()).for_each(|which| world.release(which));
        world.now = world.now.plus_us(400 * DAY);
        world.sweep(None, 0);
        prop_assert!(world.segments.is_empty(), "{:?}", world.segments);
    }
}

#[test]
fn a_shortening_takes_two_persons_and_a_day_and_is_void_when_something_else_is_asked_for() {
    let mut world = World::new(Wall::from_secs(1_795_446_000));
    world.follow();
    assert_eq!(world.keep_s(0), Some(48 * 3600), "the first time at once");
    world.wanted[0] = wanted(0, 24);
    world.follow();
    assert_eq!(world.keep_s(0), Some(48 * 3600));
    world.confirm(0, 1);
    world.confirm(0, 1);
    world.now = world.now.plus_us(2 * DAY);
    world.follow();
    assert_eq!(world.keep_s(0), Some(48 * 3600), "one person is not two");
    world.confirm(0, 2);
    world.now = world.now.plus_us(GRACE_US - 1);
    world.follow();
    assert_eq!(world.keep_s(0), Some(48 * 3600), "a day less a moment");
    world.wanted[0] = wanted(0, 12);
    world.follow();
    world.now = world.now.plus_us(DAY);
    world.follow();
    assert_eq!(
        world.keep_s(0),
        Some(48 * 3600),
        "that was for another time"
    );
    world.confirm(0, 1);
    world.confirm(0, 2);
    world.now = world.now.plus_us(GRACE_US);
    world.follow();
    assert_eq!(world.keep_s(0), Some(12 * 3600));
    assert_eq!(world.shortenings, []);
    world.wanted[0] = wanted(0, 6);
    world.follow();
    world.confirm(0, 1);
    world.wanted[0] = wanted(0, 72);
    world.follow();
    assert_eq!(world.keep_s(0), Some(72 * 3600), "a longer time at once");
    assert_eq!(world.shortenings, [], "and the shorter one is withdrawn");
    assert_eq!(world.policy(0).floor, Some(world.now.plus_us(-12 * HOUR)));
}
