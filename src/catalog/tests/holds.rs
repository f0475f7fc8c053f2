//! Holds, policies and shortenings as their callers see them.

use super::*;
use crate::base::id::HoldId;
use crate::catalog::{
    HoldChange, HoldEnd, HoldKind, HoldRow, Origin, PolicyRow, RetentionChange, Rule, ShorteningRow,
};

const DAY: i64 = 24 * HOUR;

fn hold(number: u32, start_us: i64, end_us: i64) -> HoldRow {
    HoldRow {
        hold: HoldId(number),
        kind: HoldKind::Case,
        span: Span {
            start: T0.plus_us(start_us),
            end: T0.plus_us(end_us),
        },
        cameras: ["kassa", "ovi"]
            .iter()
            .map(|id| id.parse().expect("an id"))
            .collect(),
        matter: "5560/R/1/26".to_owned(),
        reason: "theft".to_owned(),
        placed: T0.plus_us(i64::from(number)),
        placed_by: "controller".to_owned(),
        review: T0.plus_us(90 * DAY),
        reviewed: None,
        until: None,
        ended: None,
    }
}

fn place(fixture: &Fixture, row: &HoldRow) -> Result<()> {
    fixture.commit(Change::Hold(HoldChange::Placed(Box::new(row.clone()))))
}

#[test]
fn a_hold_is_read_as_it_was_placed_and_goes_its_way() {
    let fixture = Fixture::new();
    let plain = hold(200_000, 0, HOUR);
    let full = HoldRow {
        kind: HoldKind::PreservationOrder,
        reviewed: Some((T0.plus_us(5), "controller".to_owned())),
        until: Some(T0.plus_us(90 * DAY)),
        ended: Some(HoldEnd {
            at: T0.plus_us(6),
            by: "box".to_owned(),
            gone: T0.plus_us(7),
        }),
        ..hold(300_000, -HOUR, HOUR)
    };
    for row in [&plain, &full] {
        place(&fixture, row).expect("placed");
    }
    assert_eq!(
        place(&fixture, &plain).map_err(|e| e.kind()),
        Err(Kind::Exists)
    );
    let reader = fixture.reader();
    assert_eq!(reader.holds().expect("rows"), [plain.clone(), full.clone()]);
    assert_eq!(reader.hold(full.hold).expect("row"), Some(full.clone()));
    assert_eq!(reader.hold(HoldId(999_999)).expect("row"), None);
    let kept = |at: i64| reader.holds_that_keep(T0.plus_us(at)).expect("rows").len();
    assert_eq!((kept(7), kept(8)), (2, 1), "and no longer than that");
}

#[test]
fn a_hold_goes_its_way_and_is_forgotten() {
    let fixture = Fixture::new();
    let plain = hold(200_000, 0, HOUR);
    place(&fixture, &plain).expect("placed");
    let change = |change: HoldChange| fixture.commit(Change::Hold(change)).map_err(|e| e.kind());
    let reviewed = HoldChange::Reviewed {
        hold: plain.hold,
        at: T0.plus_us(10),
        by: "second".to_owned(),
        review: T0.plus_us(20),
    };
    change(reviewed).expect("reviewed");
    let extended = |end: i64| HoldChange::Extended {
        hold: plain.hold,
        end: T0.plus_us(end),
        until: Some(T0.plus_us(30 * DAY)),
        review: T0.plus_us(21),
    };
    change(extended(2 * HOUR)).expect("extended");
    change(extended(1)).expect("never less");
    let end = HoldEnd {
        at: T0.plus_us(DAY),
        by: "controller".to_owned(),
        gone: T0.plus_us(15 * DAY),
    };
    let ended = HoldChange::Ended {
        hold: plain.hold,
        end: end.clone(),
    };
    change(ended.clone()).expect("ended");
    assert_eq!(change(ended), Err(Kind::NotFound), "once");
    assert_eq!(change(extended(1)), Err(Kind::NotFound), "and for good");
    let want = HoldRow {
        span: Span {
            start: plain.span.start,
            end: T0.plus_us(2 * HOUR),
        },
        review: T0.plus_us(21),
        reviewed: Some((T0.plus_us(10), "second".to_owned())),
        until: Some(T0.plus_us(30 * DAY)),
        ended: Some(end),
        ..plain
    };
    let reader = fixture.reader();
    assert_eq!(reader.hold(want.hold).expect("row"), Some(want));
    let forget = |days: i64| HoldChange::Forgotten {
        at: T0.plus_us(days * DAY),
    };
    change(forget(380)).expect("a year after the end of what it held");
    assert_eq!(reader.holds().expect("rows").len(), 1);
    change(forget(381)).expect("more than a year");
    assert_eq!(reader.holds().expect("rows"), []);
}

#[test]
fn every_kind_of_hold_is_known_to_the_schema() {
    let fixture = Fixture::new();
    for (n, kind) in (0..).zip(HoldKind::ALL) {
        let row = HoldRow {
            kind: *kind,
            until: Some(T0),
            ..hold(100_000 + n, 0, 1)
        };
        place(&fixture, &row).expect("known");
    }
}

#[test]
fn what_a_hold_keeps_is_not_marked_whatever_the_plan_said() {
    let fixture = Fixture::new();
    let minute = 60 * SECOND;
    let ids: Vec<_> = (0..5)
        .map(|n| fixture.segment(n * minute, (n + 1) * minute))
        .collect();
    // From the middle of the second to the exact end of the third.
    let row = hold(200_000, minute + SECOND, 3 * minute);
    place(&fixture, &row).expect("placed");
    let condemn = |id: SegmentId, at: i64| {
        let change = Change::SegmentCondemned {
            segment: id,
            rule: Rule::Expired,
            at: T0.plus_us(at),
        };
        fixture.commit(change).expect("committed");
    };
    ids.iter().for_each(|id| condemn(*id, DAY));
    let marked = |ids: &[SegmentId]| -> Vec<SegmentId> {
        let rows = fixture.reader().garbage_of(ids).expect("rows");
        rows.iter().map(|row| row.segment).collect()
    };
    assert_eq!(marked(&ids), [ids[0], ids[3], ids[4]]);
    let end = HoldEnd {
        at: T0.plus_us(DAY),
        by: "controller".to_owned(),
        gone: T0.plus_us(15 * DAY),
    };
    let ended = HoldChange::Ended {
        hold: row.hold,
        end,
    };
    fixture.commit(Change::Hold(ended)).expect("released");
    condemn(ids[1], 15 * DAY);
    assert_eq!(marked(&ids[1..2]), []);
    condemn(ids[1], 15 * DAY + 1);
    assert_eq!(marked(&ids[1..2]), [ids[1]]);
}

#[test]
fn what_was_expired_once_stays_so() {
    let fixture = Fixture::new();
    let keep = |hours: u32, at: i64| {
        let change = Change::KeepSet {
            stream: stream("kassa"),
            keep_s: hours * 3600,
            at: T0.plus_us(at),
        };
        fixture.commit(change).expect("kept");
    };
    let before = |at: i64| {
        let rows = fixture.reader().streams().expect("streams");
        rows[0].expired_before(T0.plus_us(at))
    };
    assert_eq!(before(0), None);
    keep(48, 0);
    assert_eq!(before(HOUR), Some(T0.plus_us(-47 * HOUR)));
    keep(24, HOUR);
    assert_eq!(before(HOUR), Some(T0.plus_us(-23 * HOUR)));
    keep(72, 2 * HOUR);
    assert_eq!(before(2 * HOUR), Some(T0.plus_us(-22 * HOUR)), "no more");
    assert_eq!(before(48 * HOUR), Some(T0.plus_us(-22 * HOUR)), "it stands");
    assert_eq!(before(72 * HOUR), Some(T0));
}

#[test]
fn a_shortening_takes_two_persons_and_is_void_when_another_is_asked_for() {
    let fixture = Fixture::new();
    let ask = |main: u32, at: i64| {
        let asked = RetentionChange::ShorteningAsked {
            camera: "kassa".parse().expect("an id"),
            main_keep_s: Some(main),
            sub_keep_s: None,
            at: T0.plus_us(at),
        };
        fixture.commit(Change::Retention(asked)).expect("asked");
        fixture.reader().shortenings().expect("rows").remove(0)
    };
    let confirm = |number: u64, by: &str, at: i64| {
        let confirmed = RetentionChange::ShorteningConfirmed {
            number,
            at: T0.plus_us(at),
            by: by.to_owned(),
            runs: T0.plus_us(at + DAY),
        };
        let done = fixture.commit(Change::Retention(confirmed));
        done.map_err(|e| e.kind())
    };
    let first = ask(3600, 0);
    confirm(first.number, "one", 1).expect("first");
    let second = ask(7200, 2);
    assert_eq!((second.first, second.runs), (None, None));
    assert_eq!(confirm(first.number, "two", 3), Err(Kind::NotFound));
    confirm(second.number, "one", 4).expect("first");
    assert_eq!(confirm(second.number, "one", 5), Err(Kind::Exists));
    confirm(second.number, "two", 6).expect("second");
    assert_eq!(confirm(second.number, "three", 7), Err(Kind::Exists));
    let want = ShorteningRow {
        number: second.number,
        camera: "kassa".parse().expect("an id"),
        main_keep_s: Some(7200),
        sub_keep_s: None,
        asked: T0.plus_us(2),
        first: Some((T0.plus_us(4), "one".to_owned())),
        second: Some((T0.plus_us(6), "two".to_owned())),
        runs: Some(T0.plus_us(6 + DAY)),
    };
    assert_eq!(fixture.reader().shortenings().expect("rows"), [want]);
    let over = RetentionChange::ShorteningOver {
        camera: "kassa".parse().expect("an id"),
    };
    fixture.commit(Change::Retention(over)).expect("over");
    assert_eq!(fixture.reader().shortenings().expect("rows"), []);
}

#[test]
fn a_policy_is_read_as_it_was_set() {
    let fixture = Fixture::new();
    let set = |policy: &PolicyRow| {
        let change = RetentionChange::PolicySet {
            policy: Box::new(policy.clone()),
            at: T0,
        };
        fixture.commit(Change::Retention(change)).expect("set");
    };
    let mut policy = PolicyRow {
        stream: stream("kassa"),
        guarantee_s: 7 * 86_400,
        keep_from: Origin::Camera,
        guarantee_from: Origin::Site,
        purposes: vec!["misuse".to_owned(), "crime-prevention".to_owned()],
        justification: Some("thefts come to light in two weeks".to_owned()),
        special_reason: None,
        documented_in: Some("notice, 8".to_owned()),
    };
    set(&policy);
    for origin in Origin::ALL {
        policy.guarantee_from = *origin;
        set(&policy);
    }
    assert_eq!(fixture.reader().policies().expect("rows"), [policy.clone()]);
    let rows = fixture.reader().streams().expect("rows");
    assert_eq!(rows[0].guarantee_s, policy.guarantee_s);
    policy.stream = stream("unknown");
    set(&policy);
    assert_eq!(fixture.reader().policies().expect("rows").len(), 1);
}
