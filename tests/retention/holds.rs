//! Holds over real footage: exact to the segment, past its time, on a full disk, and through a kill.

use sinetti::base::Clock;
use sinetti::base::id::HoldId;
use sinetti::base::time::Span;
use sinetti::catalog::{HoldKind, Rule, SegmentRow};
use sinetti::retention::look::{self, Lack};
use sinetti::retention::outlook;
use sinetti::retention::reading::{Reading, Why, Withheld};

use crate::plant::{DAY, HOUR, MINUTE, Own, Plant, SECOND, T0, ids, stream};

/// Ten minutes of a camera, kept an hour, segments beginning 20 s after the minute.
fn till() -> Own {
    let own = Own::new();
    own.plant
        .record("kassa/main", T0.plus_us(20 * SECOND), 60, 10, 4000);
    own.plant.keep("kassa/main", HOUR);
    own
}

fn minutes(from: i64, to: i64) -> Span {
    Span {
        start: T0.plus_us(from * MINUTE),
        end: T0.plus_us(to * MINUTE),
    }
}

fn gone(plant: &Plant, rows: &[SegmentRow]) -> Vec<bool> {
    rows.iter().map(|row| !plant.path(row).exists()).collect()
}

#[test]
fn what_is_held_outlives_its_time_and_is_gone_on_day_fifteen_after_the_release() {
    let own = till();
    let plant = &own.plant;
    let rows = plant.segments("kassa/main");
    // From 15:03:00 to 15:05:00: segments of 15:02:20, 15:03:20 and 15:04:20.
    let row = plant.hold(HoldKind::Case, "kassa", minutes(3, 5));
    plant.set_clock(T0.plus_us(DAY));
    let outcome = plant.sweep();
    assert_eq!((outcome.segments, outcome.failures.len()), (7, 0));
    assert_eq!(ids(&plant.segments("kassa/main")), ids(&rows[2..5]));
    let amount = outlook::amount(&plant.reader(), &row).expect("counted");
    assert_eq!(
        (amount.segments, amount.deleted),
        (3, false),
        "all of the interval is there"
    );
    plant.check();

    plant.set_clock(T0.plus_us(100 * DAY));
    assert!(plant.plan().is_empty(), "for as long as it takes");
    plant.release(&row);
    plant.set_clock(T0.plus_us(114 * DAY));
    assert!(plant.plan().is_empty(), "fourteen days more");
    plant.clock.step_wall(1);
    assert_eq!(plant.sweep().segments, 3);
    assert!(plant.segments("kassa/main").is_empty());
    assert!(gone(plant, &rows).into_iter().all(|gone| gone));
    plant.check();
}

#[test]
fn holds_overlap_and_reach_into_the_future() {
    let own = till();
    let plant = &own.plant;
    let first = plant.hold(HoldKind::Case, "kassa", minutes(2, 6));
    let second = plant.hold(HoldKind::PreservationOrder, "kassa", minutes(5, 7));
    let future = plant.hold(HoldKind::AccessRequest, "kassa", minutes(58, 62));
    plant.hold(HoldKind::Case, "ovi", minutes(0, 60));
    plant.record("kassa/main", T0.plus_us(HOUR), 60, 5, 4000);
    plant.set_clock(T0.plus_us(DAY));
    plant.sweep();
    assert_eq!(plant.segments("kassa/main").len(), 6 + 2);
    plant.release(&first);
    plant.release(&future);
    plant.set_clock(T0.plus_us(16 * DAY));
    plant.sweep();
    assert_eq!(
        plant.segments("kassa/main").len(),
        3,
        "what the other holds"
    );
    assert!(
        second
            .until
            .is_some_and(|until| until > T0.plus_us(89 * DAY))
    );
    plant.check();
}

#[test]
fn a_hold_that_is_placed_while_a_sweep_runs_counts() {
    let own = till();
    let plant = &own.plant;
    let rows = plant.segments("kassa/main");
    plant.set_clock(T0.plus_us(DAY));
    let plan = plant.plan();
    assert_eq!(plan.len(), 10);
    plant.hold(HoldKind::Case, "kassa", minutes(3, 5));
    let outcome = plant.sweeper(|sweeper| sweeper.run(&plan, &mut || true));
    assert_eq!(outcome.expect("a sweep").segments, 7);
    assert_eq!(ids(&plant.segments("kassa/main")), ids(&rows[2..5]));
    plant.check();
}

#[test]
fn a_kill_in_the_middle_of_a_sweep_touches_nothing_held() {
    let own = till();
    let rows = own.plant.segments("kassa/main");
    own.plant.hold(HoldKind::Case, "kassa", minutes(3, 5));
    own.plant.set_clock(T0.plus_us(DAY));
    let plan = own.plant.plan();
    own.plant.sweeper(|sweeper| {
        sweeper.condemn(&plan[..4]).expect("marked");
        let some: Vec<_> = plan[..2].iter().map(|d| d.segment).collect();
        let marked = own.plant.reader().garbage_of(&some).expect("rows");
        let mut batch = sweeper.batch(marked).expect("a batch");
        batch.destroy_keys();
    });
    let own = own.restart();
    let outcome = own.plant.sweep();
    assert_eq!((outcome.segments, outcome.failures.len()), (7, 0));
    assert_eq!(ids(&own.plant.segments("kassa/main")), ids(&rows[2..5]));
    own.plant.check();
}

#[test]
fn on_a_full_disk_what_is_held_stays_and_when_nothing_else_is_left_nothing_goes() {
    let own = Own::new();
    let plant = &own.plant;
    plant.record("kassa/main", T0, 60, 10, 4000);
    plant.record("ovi/main", T0, 60, 10, 4000);
    plant.keep("kassa/main", DAY);
    plant.keep("ovi/main", DAY);
    plant.set_clock(T0.plus_us(HOUR));
    plant.hold(HoldKind::Case, "kassa", minutes(0, 8));
    let all: u64 = ["kassa/main", "ovi/main"]
        .iter()
        .flat_map(|name| plant.segments(name))
        .map(|row| row.bytes)
        .sum();
    let there = [plant.volume.id].into();
    let lacking = |bytes: u64| {
        let lack = Lack {
            bytes,
            least: bytes,
        };
        let lacks = [(plant.volume.id, lack)].into();
        look::plan(&plant.reader(), plant.clock.wall(), &there, &lacks).expect("a plan")
    };
    // Half of all, less what segments differ by.
    let found = lacking(all / 2 - 2000);
    assert!(found.in_vain.is_empty());
    assert_eq!(found.plan.len(), 10);
    assert!(found.plan.iter().all(|d| d.rule == Rule::Early));
    let found = lacking(all);
    assert_eq!(
        found.in_vain,
        [plant.volume.id],
        "all that is not held is not enough"
    );
    assert!(found.plan.is_empty());
    let plan = lacking(all * 3 / 5 - 2000).plan;
    plant
        .sweeper(|sweeper| sweeper.run(&plan, &mut || true))
        .expect("a sweep");
    assert_eq!(plant.segments("kassa/main").len(), 8);
    assert_eq!(plant.segments("ovi/main").len(), 0);
    let found = lacking(1);
    assert_eq!(
        (found.in_vain.len(), found.plan.len()),
        (1, 0),
        "only held footage is left"
    );
    let event = plant.sweeps().pop().expect("an event");
    assert!(event.facts["deleted"]["early"].is_array(), "{event:?}");
    plant.check();
}

#[test]
fn what_is_held_past_its_time_shows_nowhere_else() {
    let own = till();
    let plant = &own.plant;
    plant.record("kassa/main", T0.plus_us(DAY), 60, 10, 4000);
    let kassa = stream("kassa/main");
    plant.set_clock(T0.plus_us(DAY + 11 * MINUTE));
    let seen = |plant: &Plant| {
        let reader = plant.reader();
        let row = reader.streams().expect("rows").remove(0);
        let now = plant.clock.wall();
        let before = row.expired_before(now).expect("kept");
        let mut coverage = reader
            .coverage(&kassa, minutes(0, 30), now)
            .expect("coverage");
        coverage.expire(reader.readable_from(&kassa, before).expect("query"));
        let listed = outlook::listed(&reader, &row, now).expect("query");
        let until = reader.deleted_until(&kassa, listed).expect("query");
        (coverage.recorded, coverage.deleted.len(), listed, until)
    };
    let before = Own::new();
    before
        .plant
        .record("kassa/main", T0.plus_us(20 * SECOND), 60, 10, 4000);
    before.plant.keep("kassa/main", HOUR);
    before
        .plant
        .record("kassa/main", T0.plus_us(DAY), 60, 10, 4000);
    before.plant.set_clock(T0.plus_us(DAY + 11 * MINUTE));
    before.plant.sweep();
    plant.hold(HoldKind::PreservationOrder, "kassa", minutes(3, 5));
    plant.sweep();
    assert_eq!(plant.segments("kassa/main").len(), 13);
    let (recorded, _, listed, _) = seen(plant);
    let (recorded_without, _, listed_without, _) = seen(&before.plant);
    assert_eq!(recorded, recorded_without, "as if it were not there");
    assert_eq!(listed, listed_without);
}

#[test]
fn from_two_minutes_to_until_three_minutes_past_holds_the_segments_that_overlap_it() {
    let own = Own::new();
    let plant = &own.plant;
    // 13:50:20 to 14:10:20; T0 is at 15.
    let at = |hour: i64, minute: i64| T0.plus_us((hour - 15) * HOUR + minute * MINUTE);
    plant.record("kassa/main", at(13, 50).plus_us(20 * SECOND), 60, 20, 4000);
    plant.keep("kassa/main", HOUR);
    let rows = plant.segments("kassa/main");
    let span = Span {
        start: at(13, 58),
        end: at(14, 3),
    };
    let row = plant.hold(HoldKind::Case, "kassa", span);
    plant.set_clock(at(20, 0));
    assert_eq!(plant.sweep().segments, 14);
    let left = plant.segments("kassa/main");
    assert_eq!(ids(&left), ids(&rows[7..13]));
    assert_eq!(left[0].start, at(13, 57).plus_us(20 * SECOND));
    assert_eq!(left[5].end, at(14, 3).plus_us(20 * SECOND));
    plant.release(&row);
    // Through the fourteenth day they stay, on the fifteenth they are gone.
    plant.set_clock(at(20, 0).plus_us(14 * DAY));
    assert_eq!(plant.sweep().segments, 0);
    plant.set_clock(at(20, 0).plus_us(14 * DAY + 1));
    assert_eq!(plant.sweep().segments, 6);
    assert!(gone(plant, &rows).into_iter().all(|gone| gone));
    plant.check();
}

/// What is listed of the first half hour, for the case of a hold if there is one.
fn listed(plant: &Plant, named: Option<HoldId>) -> (Vec<Span>, Vec<Withheld>, usize) {
    let (reader, kassa, now) = (plant.reader(), stream("kassa/main"), plant.clock.wall());
    let reading = Reading::of(&reader, &kassa, now, named).expect("readable");
    let mut coverage = reader
        .coverage(&kassa, minutes(0, 30), now)
        .expect("coverage");
    let withheld = reading
        .limit(&reader, &kassa, &mut coverage)
        .expect("limited");
    (coverage.recorded, withheld, coverage.deleted.len())
}

fn segments_of(from: i64, to: i64) -> Span {
    Span {
        start: minutes(from, to).start.plus_us(20 * SECOND),
        end: minutes(from, to).end.plus_us(20 * SECOND),
    }
}

#[test]
fn what_is_restricted_is_listed_as_withheld_in_whole_segments() {
    let own = till();
    let plant = &own.plant;
    plant.set_clock(T0.plus_us(12 * MINUTE));
    let row = plant.hold(HoldKind::Restriction, "kassa", minutes(3, 5));
    plant.hold(HoldKind::PreservationOrder, "kassa", minutes(7, 8));
    plant.hold(HoldKind::Restriction, "ovi", minutes(0, 30));
    let (recorded, withheld, deleted) = listed(plant, None);
    assert_eq!(recorded, [segments_of(0, 2), segments_of(5, 10)]);
    let restricted = Withheld {
        span: segments_of(2, 5),
        why: Why::Restricted,
    };
    assert_eq!(withheld, [restricted], "of an order nothing shows");
    assert_eq!(deleted, 0);
    // For the restriction's own case, that and nothing else.
    let (recorded, withheld, _) = listed(plant, Some(row.hold));
    assert_eq!(recorded, [segments_of(2, 5)]);
    let others: Vec<_> = withheld.iter().map(|part| (part.span, part.why)).collect();
    assert_eq!(
        others,
        [
            (segments_of(0, 2), Why::Other),
            (segments_of(5, 10), Why::Other)
        ]
    );
}

#[test]
fn what_is_held_past_its_time_is_listed_for_its_case_alone() {
    let own = till();
    let plant = &own.plant;
    let case = plant.hold(HoldKind::Case, "kassa", minutes(3, 5));
    let other = plant.hold(HoldKind::Case, "ovi", minutes(3, 5));
    plant.set_clock(T0.plus_us(DAY));
    for swept in [false, true] {
        if swept {
            assert_eq!(plant.sweep().segments, 7);
        }
        assert_eq!(listed(plant, None).0, [], "deleted, to all others");
        let (recorded, withheld, deleted) = listed(plant, Some(case.hold));
        assert_eq!(recorded, [segments_of(2, 5)]);
        assert_eq!(withheld, []);
        assert_eq!(deleted, 2, "before and after it");
        let (recorded, withheld, _) = listed(plant, Some(other.hold));
        assert_eq!((recorded, withheld), (vec![], vec![]), "of another camera");
    }
}
