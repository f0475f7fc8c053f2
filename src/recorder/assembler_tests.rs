//! Tests of the assembler: what reaches the writer, without files or threads.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::base::clock::{Clock, SimulatedClock};
use crate::base::id::{RunId, StreamId};
use crate::base::time::{Ticks, Wall};
use crate::catalog::GapCause;
use crate::media::access_unit::{AccessUnit, Codec, SampleEntry};
use crate::recorder::assembler::{Assembler, Options};
use crate::recorder::fragment::{Fragment, Order, What};
use crate::recorder::outbox::{Outbox, Waiting};

const FRAME: Duration = Duration::from_micros(66_667);

struct Scene {
    clock: Arc<SimulatedClock>,
    assembler: Assembler,
    orders: Receiver<Order>,
    waiting: Waiting,
    frame: i64,
    key_every: i64,
}

fn entry(width: u16) -> Arc<SampleEntry> {
    Arc::new(SampleEntry {
        codec: Codec::H264,
        rfc6381: "avc1.4D400C".to_owned(),
        width,
        height: 180,
        entry: width.to_be_bytes().to_vec(),
    })
}

impl Scene {
    fn new(bytes_max: u64) -> Self {
        let clock = SimulatedClock::at(Wall::from_secs(1_795_000_000));
        let (sender, orders) = channel();
        let stream: Arc<StreamId> = Arc::new("kassa-1/main".parse().expect("id"));
        let waiting = Waiting::default();
        let outbox = Outbox::new(Arc::clone(&stream), sender, waiting.clone(), bytes_max);
        let options = Options {
            stream,
            segment_secs: 60,
            stagger_us: 7_000_000,
            live: crate::recorder::live::Live::default(),
        };
        let shared: Arc<dyn Clock> = Arc::<SimulatedClock>::clone(&clock);
        let mut assembler = Assembler::new(options, shared, outbox);
        assembler.run_started(RunId::random());
        assembler.parameters(entry(320)).expect("usable");
        Self {
            clock,
            assembler,
            orders,
            waiting,
            frame: 0,
            key_every: 30,
        }
    }

    /// `count` frames at 15 a second, with key frames unless `keys` is false.
    fn frames(&mut self, count: i64, keys: bool) -> Result<(), GapCause> {
        for _ in 0..count {
            self.unit(keys)?;
            self.clock.advance(FRAME);
        }
        Ok(())
    }

    /// The next frame, now.
    fn unit(&mut self, keys: bool) -> Result<(), GapCause> {
        let unit = AccessUnit {
            pts: Ticks(self.frame * 6000),
            received_mono: self.clock.mono(),
            received_wall: self.clock.wall(),
            is_key: keys && self.frame % self.key_every == 0,
            loss: 0,
            data: vec![0; 1000],
        };
        self.frame += 1;
        self.assembler.unit(unit).map_err(|e| e.cause)
    }

    fn told(&self) -> Vec<What> {
        self.orders.try_iter().map(|order| order.what).collect()
    }

    fn fragments(&self) -> Vec<Fragment> {
        let only = |what| match what {
            What::Fragment(fragment) => Some(*fragment),
            _ => None,
        };
        self.told().into_iter().filter_map(only).collect()
    }
}

#[test]
fn every_picture_arrives_once_and_time_has_no_hole() {
    let mut scene = Scene::new(u64::MAX);
    scene.frames(15 * 300, true).expect("recorded");
    scene.assembler.run_ended(GapCause::Stopped, "test");
    let fragments = scene.fragments();
    let pictures: usize = fragments.iter().map(|f| f.samples.len()).sum();
    assert_eq!(pictures, 15 * 300);
    for pair in fragments.windows(2) {
        let last = pair[0].samples.last().expect("samples");
        assert_eq!(last.dts + last.duration, pair[1].first_dts);
        // Where a segment is cut the time of day may be corrected, by at most 500 ppm of a minute.
        let apart_us_max = if pair[1].cut { 30_000 } else { 12 };
        assert!(pair[1].start.us_since(pair[0].end).abs() <= apart_us_max);
    }
    // Five minutes: cuts a minute apart, at the stream's own place in the minute.
    let cuts: Vec<_> = fragments.iter().filter(|f| f.cut).collect();
    assert!((5..=6).contains(&cuts.len()), "{}", cuts.len());
    for cut in &cuts[1..] {
        assert!(cut.starts_with_key);
        let place = (cut.start.us() - 7_000_000).rem_euclid(60_000_000);
        assert!(place < 2_100_000, "{place}");
    }
}

#[test]
fn new_parameters_begin_a_segment_and_lose_nothing_even_at_the_cut() {
    for frames_before in [15 * 20, 15 * 44, 15 * 60] {
        let mut scene = Scene::new(u64::MAX);
        scene.frames(frames_before, true).expect("recorded");
        scene.assembler.parameters(entry(640)).expect("usable");
        scene.frames(150, true).expect("recorded");
        scene.assembler.run_ended(GapCause::Stopped, "test");
        let fragments = scene.fragments();
        let of = |width| fragments.iter().filter(move |f| f.entry.width == width);
        let count = |width| of(width).map(|f| f.samples.len()).sum::<usize>();
        assert_eq!(
            (count(320), count(640)),
            (usize::try_from(frames_before).expect("count"), 150)
        );
        assert!(of(640).next().is_some_and(|f| f.cut && f.starts_with_key));
        assert_eq!(of(640).filter(|f| f.cut).count(), 1);
    }
}

#[test]
fn when_the_disk_is_slow_whole_groups_of_pictures_go_and_it_is_said() {
    let mut scene = Scene::new(100_000);
    scene.frames(15 * 20, true).expect("recorded");
    let told = scene.told();
    let overflows = told.iter().filter(|w| matches!(w, What::Overflow)).count();
    assert_eq!(overflows, 1, "one gap, not one a picture");
    // The writer catches up.
    scene.waiting.done(scene.waiting.bytes());
    scene.frames(15 * 10, true).expect("recorded");
    let after = scene.fragments();
    assert!(after.first().is_some_and(|f| f.starts_with_key && f.cut));
}

#[test]
fn a_stream_without_key_frames_ends_with_that_cause() {
    let mut scene = Scene::new(u64::MAX);
    assert_eq!(scene.frames(15 * 120, false), Err(GapCause::NoKeyFrame));
    scene.assembler.run_ended(GapCause::NoKeyFrame, "test");
    assert!(scene.told().iter().all(|w| matches!(
        w,
        What::Failed {
            cause: GapCause::NoKeyFrame,
            ..
        }
    )));
}

#[test]
fn key_frames_that_stop_coming_do_not_make_an_endless_segment() {
    let mut scene = Scene::new(u64::MAX);
    scene.frames(15 * 20, true).expect("recorded");
    // Two minutes without one are a camera that saves bits.
    scene.frames(15 * 120, false).expect("recorded");
    assert_eq!(scene.frames(15 * 600, false), Err(GapCause::NoKeyFrame));
    scene.assembler.run_ended(GapCause::NoKeyFrame, "test");
    let fragments = scene.fragments();
    let pictures: usize = fragments.iter().map(|f| f.samples.len()).sum();
    assert!(pictures >= 15 * 600, "what came until then is kept");
}

#[test]
fn a_step_of_the_hosts_clock_begins_a_run_at_the_next_key_frame() {
    let mut scene = Scene::new(u64::MAX);
    scene.frames(15 * 20, true).expect("recorded");
    scene.clock.step_wall(-3_600_000_000);
    scene.frames(15 * 20, true).expect("recorded");
    scene.assembler.run_ended(GapCause::Stopped, "test");
    let fragments = scene.fragments();
    let runs: std::collections::BTreeSet<_> = fragments.iter().map(|f| f.run).collect();
    assert_eq!(runs.len(), 2);
    let pictures: usize = fragments.iter().map(|f| f.samples.len()).sum();
    assert_eq!(pictures, 15 * 40, "nothing is lost for it");
    let last = fragments.last().expect("fragments");
    assert!(
        last.clock.time_uncertain,
        "the hour that comes twice is marked"
    );
    let wall = scene.clock.wall();
    assert!(
        last.end.us_since(wall).abs() < 200_000,
        "the new run follows the host"
    );
}

#[test]
fn a_camera_that_changes_its_parameters_without_end_is_let_go() {
    let mut scene = Scene::new(u64::MAX);
    let mut changes = 0;
    while scene.assembler.parameters(entry(320 + changes % 2)).is_ok() {
        scene.frames(1, true).expect("recorded");
        changes += 1;
        assert!(changes < 1000, "it goes on for ever");
    }
}

#[test]
fn a_burst_at_the_beginning_does_not_put_the_time_of_day_off() {
    let mut scene = Scene::new(u64::MAX);
    // Four seconds that the server has kept arrive at once; then it goes on as the camera takes pictures.
    let taken_first = scene.clock.wall().plus_us(-4_000_000);
    for _ in 0..60 {
        scene.unit(true).expect("recorded");
    }
    scene.frames(15 * 30, true).expect("recorded");
    scene.assembler.run_ended(GapCause::Stopped, "test");
    let fragments = scene.fragments();
    for fragment in &fragments {
        let truth = taken_first.plus_ticks(fragment.first_dts);
        assert!(fragment.start.us_since(truth).abs() < 100_000);
        assert!(!fragment.clock.time_uncertain);
    }
    let pictures: usize = fragments.iter().map(|f| f.samples.len()).sum();
    assert_eq!(pictures, 60 + 15 * 30);
}

#[test]
fn a_camera_that_sends_only_key_frames_fits_into_segments() {
    let mut scene = Scene::new(u64::MAX);
    scene.key_every = 1;
    scene.frames(15 * 300, true).expect("recorded");
    let mut in_segment = 0;
    for fragment in scene.fragments() {
        in_segment = if fragment.cut { 1 } else { in_segment + 1 };
        assert!(in_segment <= 1501, "{in_segment}");
    }
}

#[test]
fn parameters_that_change_now_and_then_are_no_reason_to_end() {
    let mut scene = Scene::new(u64::MAX);
    for n in 0..40 {
        scene
            .assembler
            .parameters(entry(320 + n % 2))
            .expect("usable");
        scene.clock.advance(Duration::from_secs(90));
        scene.frame += 15 * 90;
        scene.frame -= scene.frame % 30;
        scene.frames(30, true).expect("recorded");
        scene.told();
    }
}

#[test]
fn when_a_run_ends_for_its_parameters_the_writer_is_told() {
    let mut scene = Scene::new(u64::MAX);
    let mut n = 0;
    while scene.assembler.parameters(entry(320 + n % 2)).is_ok() {
        n += 1;
        scene.frames(2, true).expect("recorded");
    }
    scene.assembler.run_ended(GapCause::Protocol, "test");
    assert!(scene.told().iter().any(|w| matches!(w, What::Ended { .. })));
}
