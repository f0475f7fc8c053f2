//! What may be given of an interval: outward to whole groups, with what is not there, and nothing that only an order keeps.

use crate::plant::{HOUR, MINUTE, Own, SECOND, T0};
use sinetti::base::Clock;
use sinetti::base::error::Kind;
use sinetti::base::id::HoldId;
use sinetti::base::time::{Span, Wall};
use sinetti::catalog::HoldKind;
use sinetti::disclosure::snap::{Snap, Snapped};
use sinetti::footage::Footage;

const NAME: &str = "kassa-1/main";

fn span(from_us: i64, to_us: i64) -> Span {
    Span {
        start: T0.plus_us(from_us),
        end: T0.plus_us(to_us),
    }
}

fn snap(own: &Own, asked: Span, hold: Option<HoldId>) -> Result<Snapped, Kind> {
    let now = own.plant.clock.wall();
    let reader = own.plant.reader();
    let snaps = Snap {
        footage: Footage {
            reader: &reader,
            board: None,
            believed: now,
            hold,
        },
        box_id: own.plant.state.box_id,
        now,
    };
    let camera = "kassa-1".parse().expect("an id");
    snaps
        .camera(&camera, "Kassa 1", asked)
        .map_err(|e| e.kind())
}

/// Ten minutes, a group a minute, a hole of five, and two minutes more.
fn recorded() -> Own {
    let own = Own::new();
    own.plant.record(NAME, T0, 60, 10, 2000);
    own.plant.record(NAME, T0.plus_us(15 * MINUTE), 60, 2, 2000);
    own.plant.set_clock(T0.plus_us(HOUR));
    own
}

fn gaps(found: &Snapped) -> Vec<(Wall, Wall)> {
    let gaps = found.camera.gaps.iter();
    gaps.map(|gap| (gap.span.start, gap.span.end)).collect()
}

#[test]
fn an_interval_snaps_outward_to_whole_groups_and_no_further() {
    let own = recorded();
    let asked = span(90 * SECOND, 200 * SECOND);
    let found = snap(&own, asked, None).expect("snapped");
    assert_eq!(found.camera.given, span(60 * SECOND, 240 * SECOND));
    assert_eq!((found.camera.asked, found.segments), (asked, 3));
    assert!(gaps(&found).is_empty());
    // On the borders of groups nothing is added.
    let whole = span(60 * SECOND, 240 * SECOND);
    let found = snap(&own, whole, None).expect("snapped");
    assert_eq!(found.camera.given, whole);
    assert_eq!(found.segments, 3);
}

#[test]
fn what_was_not_recorded_is_listed_and_not_reached_over() {
    let own = recorded();
    let asked = span(9 * MINUTE + 30 * SECOND, 15 * MINUTE + 30 * SECOND);
    let found = snap(&own, asked, None).expect("snapped");
    assert_eq!(found.camera.given, span(9 * MINUTE, 16 * MINUTE));
    let (first, last) = (gaps(&found)[0].0, gaps(&found).last().expect("one").1);
    assert_eq!(
        (first, last),
        (T0.plus_us(10 * MINUTE), T0.plus_us(15 * MINUTE))
    );
    let inside = span(11 * MINUTE, 12 * MINUTE);
    let found = snap(&own, inside, None).expect("snapped");
    assert_eq!((found.camera.given, found.segments), (inside, 0));
    assert_eq!(gaps(&found), [(inside.start, inside.end)]);
}

#[test]
fn what_only_an_order_keeps_is_given_to_nobody() {
    let own = recorded();
    let asked = span(90 * SECOND, 200 * SECOND);
    let order = own
        .plant
        .hold(HoldKind::PreservationOrder, "kassa-1", asked);
    own.plant.keep(NAME, MINUTE);
    let found = snap(&own, asked, None).expect("snapped");
    assert_eq!(found.segments, 0, "it looks as if it were gone");
    assert_eq!(
        snap(&own, asked, Some(order.hold)).err(),
        Some(Kind::NotFound)
    );
    // Another ground for the very same footage is one.
    let case = own
        .plant
        .hold(HoldKind::Case, "kassa-1", span(0, 150 * SECOND));
    let found = snap(&own, asked, Some(case.hold)).expect("snapped");
    assert_eq!(found.segments, 2, "as far as that reaches");
}

#[test]
fn a_volume_that_is_not_there_is_not_nothing() {
    let own = recorded();
    let asked = span(90 * SECOND, 200 * SECOND);
    let away = own.folder.path().join("away");
    std::fs::rename(&own.plant.volume.root, &away).expect("taken out");
    assert_eq!(snap(&own, asked, None).err(), Some(Kind::Unavailable));
}
