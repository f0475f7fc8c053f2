//! The daemon's own thread of deletion under a clock that cannot be right: a year ahead, behind, and with cameras as
//! witnesses.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel, sync_channel};
use std::time::Duration;

use sinetti::access::{self, Access, Premises};
use sinetti::base::Clock;
use sinetti::base::clock::{HostSync, SimulatedClock};
use sinetti::catalog::Change;
use sinetti::daemon::answer::Deletion;
use sinetti::daemon::scrub;
use sinetti::daemon::sweeper::{self, DeletionBoard, Sweeping, WAKES_MAX, Wake};
use sinetti::daemon::volumes::Shared;
use sinetti::recorder::board::{Board, Phase};
use sinetti::recorder::segment::SealingInForce;
use sinetti::vault::person::Cost;

use crate::plant::{DAY, HOUR, MINUTE, Own, T0, policies, stream};

const YEAR: i64 = 365 * DAY;
/// Segments that are kept and segments that have expired.
const KEPT: usize = 3;
const EXPIRED: usize = 5;

/// A box whose clock nothing keeps, with footage kept an hour; the last time that was believed is the present.
struct Shop {
    own: Own,
    board: Board,
}

impl Shop {
    fn new() -> Shop {
        let own = Own::new();
        let plant = &own.plant;
        plant.record("till/main", T0.plus_us(-3 * HOUR), 60, EXPIRED as i64, 400);
        plant.record("till/main", T0.plus_us(-5 * MINUTE), 60, KEPT as i64, 400);
        let change = Change::TimeMarked { at: T0 };
        plant.catalog.commit(change, None).expect("a mark");
        plant.clock.set_host_sync(HostSync::default());
        let board = Board::default();
        Shop { own, board }
    }

    fn clock(&self) -> &SimulatedClock {
        &self.own.plant.clock
    }

    fn left(&self) -> usize {
        self.own.plant.segments("till/main").len()
    }

    /// A camera that records says how far its clock is from the host's.
    fn witness(&self, camera: &str, offset_ms: i64) {
        let stream = stream(&format!("{camera}/main"));
        self.board.show(&stream);
        self.board.update(&stream, |line| {
            line.phase = Phase::Recording;
            line.camera_offset_ms = Some(offset_ms);
        });
    }

    /// The thread is started and looks; `meanwhile` happens, and it is made to look again, `until` it is as wanted.
    #[track_caller]
    fn run(
        &self,
        meanwhile: impl FnOnce(&SimulatedClock),
        until: impl Fn(&Deletion) -> bool,
    ) -> Deletion {
        let plant = &self.own.plant;
        let deletion = DeletionBoard::default();
        let (wake, woken) = sync_channel(WAKES_MAX);
        let clock: Arc<dyn Clock> = Arc::<SimulatedClock>::clone(&plant.clock);
        let access = Access::new(access::Options {
            catalog: Arc::clone(&plant.catalog),
            clock: Arc::clone(&clock),
            recovery: plant.state.recovery.clone(),
            site: "Myymälä 1".to_owned(),
            premises: Premises::new(Vec::new()),
            cost: Cost::CHEAP_FOR_TESTS,
            on_generation: Box::new(|_| {}),
        })
        .expect("nobody has rights yet");
        let shared = Shared {
            feed: sinetti::daemon::alarms::AlarmFeed::default(),
            box_id: plant.state.box_id,
            sealing: SealingInForce::new(plant.sealing.clone()),
            access,
            catalog: Arc::clone(&plant.catalog),
            clock,
            board: self.board.clone(),
            scrub: scrub::Handle::new(&plant.state.dir),
            wake: wake.clone(),
            packages: sinetti::daemon::packages::Way::default(),
        };
        let options = sweeper::Options {
            shared: Arc::new(shared),
            deletion: deletion.clone(),
            reserves: [(plant.volume.root.clone(), 0)].into(),
            policies: policies("till/main", 3600),
            signer: None,
        };
        let sweeping = Sweeping::start(options, woken).expect("it starts");
        let (_never, pace) = channel::<()>();
        let wait = |wanted: &dyn Fn(&Deletion) -> bool| {
            for _ in 0..3000 {
                if wanted(&deletion.get()) {
                    return;
                }
                let paced = pace.recv_timeout(Duration::from_millis(10));
                assert_eq!(paced, Err(RecvTimeoutError::Timeout));
            }
            panic!("never: {:?}, {} left", deletion.get(), self.left());
        };
        // It has looked when it says that nothing keeps the clock.
        wait(&|deletion| deletion.unsynchronised);
        meanwhile(self.clock());
        wake.send(Wake::Look).expect("it runs");
        wait(&until);
        sweeping.stop();
        deletion.get()
    }
}

fn is_paused(deletion: &Deletion) -> bool {
    deletion.paused.is_some()
}

#[track_caller]
fn assert_paused(deletion: &Deletion, how: &str) {
    let why = deletion.paused.as_deref().unwrap_or_default();
    assert!(
        why.contains(how) && why.contains("sinetti clock confirm"),
        "{deletion:?}"
    );
}

#[test]
fn a_box_that_starts_a_year_ahead_deletes_nothing() {
    let shop = Shop::new();
    shop.clock().step_wall(YEAR);
    let told = shop.run(|clock| clock.advance(Duration::from_secs(60)), is_paused);
    assert_paused(&told, "more than a day ahead");
    assert_eq!(shop.left(), EXPIRED + KEPT);
    // The wrong time was not marked as believed: with the right one deletion goes on as if nothing had been.
    let mark = shop.own.plant.reader().meta().expect("meta").mark;
    assert_eq!(mark, Some(T0));
    shop.clock().step_wall(-YEAR);
    let told = shop.run(|_| {}, |_| shop.left() == KEPT);
    assert_eq!((told.paused, shop.left()), (None, KEPT));
    shop.own.plant.check();
}

#[test]
fn a_clock_that_leaps_a_year_while_the_box_runs_deletes_nothing() {
    let shop = Shop::new();
    // In the middle of a sweep, or right after it.
    let told = shop.run(|clock| clock.step_wall(YEAR), is_paused);
    assert_paused(&told, "more than a day ahead");
    assert_eq!(
        shop.left(),
        KEPT,
        "what had expired before the leap, and no more"
    );
    let told = shop.run(
        |clock| clock.step_wall(-YEAR - DAY),
        |deletion| {
            let why = deletion.paused.as_deref().unwrap_or_default();
            why.contains("behind")
        },
    );
    assert_paused(&told, "behind");
    assert_eq!(shop.left(), KEPT);
    shop.own.plant.check();
}

#[test]
fn most_cameras_make_a_time_believed_that_nothing_keeps() {
    // After a long weekend without power the clock is right, and nothing says so but the cameras.
    for (offsets_ms, is_believed) in [
        (&[][..], false),
        (&[1000], true),
        (&[299_000, -299_000, 3_600_000], true),
        (&[299_000, 3_600_000], false),
        (&[1000, -3 * 86_400_000, -3 * 86_400_000], false),
    ] {
        let shop = Shop::new();
        shop.clock().step_wall(3 * DAY);
        for (n, offset_ms) in offsets_ms.iter().enumerate() {
            shop.witness(&format!("camera-{n}"), *offset_ms);
        }
        let told = shop.run(
            |clock| clock.advance(Duration::from_secs(2)),
            |deletion| is_paused(deletion) != is_believed && (shop.left() == 0) == is_believed,
        );
        if is_believed {
            assert_eq!((told.paused, shop.left()), (None, 0), "{offsets_ms:?}");
        } else {
            assert_paused(&told, "more than a day ahead");
            assert_eq!(shop.left(), EXPIRED + KEPT, "{offsets_ms:?}");
        }
        shop.own.plant.check();
    }
}

#[test]
fn what_cameras_said_before_a_step_of_the_clock_is_no_witness() {
    let shop = Shop::new();
    shop.clock().step_wall(3 * DAY);
    shop.witness("camera", 0);
    // Their offsets were measured against the clock as it was.
    let step = |clock: &SimulatedClock| {
        clock.advance(Duration::from_secs(2));
        clock.step_wall(YEAR);
    };
    let told = shop.run(step, is_paused);
    assert_paused(&told, "more than a day ahead");
    assert_eq!(shop.left(), EXPIRED + KEPT);
}
