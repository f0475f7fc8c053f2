//! What persons do with holds: what each may, what it leads to, and who knows of it.

use std::sync::Arc;

use serde_json::json;

use crate::base::error::Kind;
use crate::base::id::{BoxId, HoldId, StreamId};
use crate::base::time::{Span, Wall};
use crate::catalog::{Cameras, Catalog, Change, Event, HoldKind, HoldRow, Role};
use crate::ledger::checkpoint::Signer;
use crate::retention::held::Held;
use crate::retention::hold::{self, By, Extension, NewHold};
use crate::retention::mirror::{self, Kept};
use crate::retention::reading::{self, Reading};
use crate::store::volume::Volume;

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const DAY: i64 = 86_400 * SECOND;
/// 2026-11-30T12:00:00Z: three months later there is no such day.
const NOW: Wall = Wall::from_secs(1_796_040_000);
const AFTER_S: u32 = 14 * 86_400;

struct Desk {
    dir: tempfile::TempDir,
    catalog: Arc<Catalog>,
}

fn stream() -> StreamId {
    "kassa-1/main".parse().expect("a stream")
}

impl Desk {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let catalog = Catalog::open(&dir.path().join("catalog"), BoxId::random());
        let catalog = Arc::new(catalog.expect("a catalog"));
        let seen = Change::StreamSeen {
            stream: stream(),
            at: NOW,
        };
        let keep = Change::KeepSet {
            stream: stream(),
            keep_s: 3600,
            at: NOW,
        };
        catalog.commit(vec![seen, keep], None).expect("a stream");
        Self { dir, catalog }
    }

    fn place(&self, by: &By, new: NewHold) -> Result<HoldRow, Kind> {
        hold::place(&self.catalog, by, new, NOW).map_err(|e| e.kind())
    }

    fn last(&self) -> Event {
        let reader = self.catalog.reader().expect("a reader");
        let rows = reader.events(0, 1000).expect("events");
        rows.into_iter()
            .map(|row| row.event)
            .next_back()
            .expect("one")
    }

    fn reading(&self, named: Option<HoldId>) -> Result<Reading, Kind> {
        let reader = self.catalog.reader().expect("a reader");
        Reading::of(&reader, &stream(), NOW, named).map_err(|e| e.kind())
    }
}

fn by(role: Role) -> By {
    let own = Cameras::Only(vec!["kassa-1".parse().expect("an id")]);
    By {
        person: role.to_string(),
        role,
        cameras: match role {
            Role::Manager => own,
            _ => Cameras::All,
        },
        detail: json!({ "name": role.as_str() }),
        with: Vec::new(),
    }
}

fn new(kind: HoldKind, cameras: &[&str]) -> NewHold {
    NewHold {
        kind,
        cameras: cameras
            .iter()
            .map(|id| id.parse().expect("an id"))
            .collect(),
        span: Span {
            start: NOW.plus_us(-2 * DAY),
            end: NOW.plus_us(-2 * DAY + 5 * MINUTE),
        },
        matter: "5560/R/1/26".to_owned(),
        reason: "theft at the till".to_owned(),
        until: None,
        review: None,
    }
}

#[test]
fn each_kind_is_placed_by_those_who_may_and_has_its_times() {
    let desk = Desk::new();
    let (manager, controller) = (by(Role::Manager), by(Role::Controller));
    let days = |n: i64| NOW.plus_us(n * DAY);
    for (kind, cameras, want) in [
        (HoldKind::Case, &["kassa-1"][..], Ok(())),
        (HoldKind::AccessRequest, &["kassa-1"], Ok(())),
        (HoldKind::Restriction, &["kassa-1"], Err(Kind::Denied)),
        (HoldKind::PreservationOrder, &["kassa-1"], Err(Kind::Denied)),
        (HoldKind::Case, &["kassa-1", "ovi-2"], Err(Kind::Denied)),
    ] {
        let placed = desk.place(&manager, new(kind, cameras));
        assert_eq!(placed.as_ref().map(drop).map_err(|k| *k), want, "{kind}");
        if let Ok(row) = placed {
            assert_eq!(
                (row.review, row.until),
                (days(7), None),
                "a controller looks soon"
            );
        }
    }
    for kind in HoldKind::ALL {
        let row = desk
            .place(&controller, new(*kind, &["kassa-1", "ovi-2"]))
            .expect("placed");
        if *kind == HoldKind::PreservationOrder {
            // 28 February 2027.
            let until = Wall::from_secs(1_803_816_000);
            assert_eq!(
                (row.until, row.review),
                (Some(until), until.plus_us(-14 * DAY))
            );
            assert!(!row.is_due(until.plus_us(-14 * DAY - 1)));
            assert!(row.is_due(until.plus_us(-14 * DAY)), "fourteen days ahead");
        } else {
            assert_eq!((row.until, row.review), (None, days(90)));
        }
    }
    let wrong = |change: &dyn Fn(&mut NewHold)| {
        let mut new = new(HoldKind::Case, &["kassa-1"]);
        change(&mut new);
        desk.place(&controller, new).map(drop)
    };
    assert_eq!(wrong(&|n| n.cameras.clear()), Err(Kind::Invalid));
    assert_eq!(wrong(&|n| n.span.end = n.span.start), Err(Kind::Invalid));
    assert_eq!(wrong(&|n| n.span.end = days(401)), Err(Kind::Invalid));
    assert_eq!(wrong(&|n| n.until = Some(NOW)), Err(Kind::Invalid));
    assert_eq!(wrong(&|n| n.review = Some(days(367))), Err(Kind::Invalid));
    assert_eq!(wrong(&|n| n.reason = " ".to_owned()), Err(Kind::Invalid));
    assert_eq!(wrong(&|n| n.matter = "x".repeat(201)), Err(Kind::Invalid));
    assert_eq!(wrong(&|n| n.span.end = days(400)), Ok(()), "the future too");
}

#[test]
fn only_a_controller_reviews_and_releases_and_what_has_ended_has_ended() {
    let desk = Desk::new();
    let (manager, controller) = (by(Role::Manager), by(Role::Controller));
    let row = desk
        .place(&manager, new(HoldKind::Case, &["kassa-1"]))
        .expect("placed");
    let review = |by: &By| hold::review(&desk.catalog, by, row.hold, ("still open", None), NOW);
    let release = |by: &By, at: Wall| {
        let said = ("sentence given", AFTER_S);
        hold::release(&desk.catalog, by, row.hold, said, at).map_err(|e| e.kind())
    };
    assert_eq!(
        review(&manager).map_err(|e| e.kind()).err(),
        Some(Kind::Denied)
    );
    assert_eq!(release(&manager, NOW).err(), Some(Kind::Denied));
    let reviewed = review(&controller).expect("reviewed");
    assert_eq!(reviewed.reviewed, Some((NOW, "controller".to_owned())));
    assert_eq!(desk.last().action, "hold-reviewed");
    let released = release(&controller, NOW).expect("released");
    let gone = NOW.plus_us(14 * DAY);
    assert_eq!(released.ended.as_ref().map(|end| end.gone), Some(gone));
    assert!(
        released.keeps(gone) && !released.keeps(gone.plus_us(1)),
        "day 15"
    );
    assert_eq!(desk.last().action, "hold-released");
    assert_eq!(release(&controller, NOW).err(), Some(Kind::Exists));
    assert_eq!(
        review(&controller).map_err(|e| e.kind()).err(),
        Some(Kind::Exists)
    );
    let unknown = hold::release(&desk.catalog, &controller, HoldId(1), ("x", AFTER_S), NOW);
    assert_eq!(unknown.map_err(|e| e.kind()).err(), Some(Kind::NotFound));
}

#[test]
fn an_extension_holds_more_or_for_longer_and_an_order_is_renewed() {
    let desk = Desk::new();
    let (manager, controller) = (by(Role::Manager), by(Role::Controller));
    let row = desk
        .place(&controller, new(HoldKind::Case, &["kassa-1"]))
        .expect("placed");
    let extend = |by: &By, hold: HoldId, end: Option<Wall>, until: Option<Wall>, at: Wall| {
        let how = Extension {
            end,
            until,
            reason: "more came to light".to_owned(),
        };
        hold::extend(&desk.catalog, by, hold, &how, at).map_err(|e| e.kind())
    };
    let later = row.span.end.plus_us(MINUTE);
    assert_eq!(
        extend(&controller, row.hold, None, None, NOW),
        Err(Kind::Invalid)
    );
    assert_eq!(
        extend(&controller, row.hold, Some(row.span.start), None, NOW),
        Err(Kind::Invalid)
    );
    let more = extend(&manager, row.hold, Some(later), None, NOW).expect("extended");
    assert_eq!((more.span.start, more.span.end), (row.span.start, later));
    assert_eq!(more.review, NOW.plus_us(7 * DAY), "a controller looks soon");

    let order = new(HoldKind::PreservationOrder, &["kassa-1"]);
    let order = desk.place(&controller, order).expect("placed");
    assert_eq!(
        extend(&manager, order.hold, None, None, NOW),
        Err(Kind::NotFound),
        "not known to others"
    );
    assert_eq!(
        extend(&controller, order.hold, Some(later), None, NOW),
        Err(Kind::Invalid)
    );
    let at = NOW.plus_us(80 * DAY);
    let renewed = extend(&controller, order.hold, None, None, at).expect("renewed");
    // 18 February 2027, and so 18 May.
    assert_eq!(renewed.until.map(Wall::day).as_deref(), Some("20270518"));
    assert!(!renewed.is_due(at));
}

#[test]
fn what_ends_by_itself_ends_when_it_said() {
    let desk = Desk::new();
    let controller = by(Role::Controller);
    let order = new(HoldKind::PreservationOrder, &["kassa-1"]);
    let order = desk.place(&controller, order).expect("placed");
    let until = order.until.expect("an end");
    let lapse = |at: Wall| {
        let reader = desk.catalog.reader().expect("a reader");
        hold::lapse(&desk.catalog, &reader, AFTER_S, at).expect("looked");
        reader.hold(order.hold).expect("a row")
    };
    assert!(lapse(until.plus_us(-1)).expect("there").ended.is_none());
    let ended = lapse(until.plus_us(3 * DAY))
        .expect("there")
        .ended
        .expect("over");
    assert_eq!((ended.at, ended.by.as_str()), (until, "box"));
    assert_eq!(ended.gone, until.plus_us(14 * DAY), "counted from its end");
    assert_eq!(desk.last().action, "hold-ended");
    assert!(lapse(until.plus_us(379 * DAY)).is_some());
    assert!(
        lapse(until.plus_us(381 * DAY)).is_none(),
        "forgotten after a year"
    );
}

#[test]
fn a_secret_hold_is_known_to_controllers_and_counted_to_auditors() {
    let desk = Desk::new();
    let controller = by(Role::Controller);
    let order = new(HoldKind::PreservationOrder, &["kassa-1"]);
    let order = desk.place(&controller, order).expect("placed");
    let event = desk.last();
    assert_eq!(event.facts, json!({ "hold": order.hold, "secret": true }));
    let told = event.detail.expect("details");
    assert_eq!(told["about"]["kind"], "preservation-order");
    assert_eq!(told["reason"], "theft at the till");
    let case = desk
        .place(&controller, new(HoldKind::Case, &["kassa-1"]))
        .expect("placed");
    let event = desk.last();
    assert_eq!(event.facts["about"]["kind"], "case");
    assert!(
        !event.facts.to_string().contains("theft"),
        "reasons can be erased"
    );
    let all = [order.clone(), case.clone()];
    for role in Role::ALL {
        let by = by(*role);
        assert_eq!(by.sees(&order), *role == Role::Controller, "{role}");
        let count = u64::from(*role == Role::Auditor);
        assert_eq!(by.counts_secret(&all), count, "{role}");
    }
    let other = new(HoldKind::Case, &["ovi-2"]);
    let other = desk.place(&controller, other).expect("placed");
    assert!(by(Role::Manager).sees(&case) && !by(Role::Manager).sees(&other));
}

#[test]
fn what_is_past_its_time_is_read_for_its_case_alone() {
    let desk = Desk::new();
    let (manager, controller) = (by(Role::Manager), by(Role::Controller));
    let case = desk
        .place(&controller, new(HoldKind::Case, &["kassa-1"]))
        .expect("placed");
    let order = new(HoldKind::PreservationOrder, &["kassa-1"]);
    let order = desk.place(&controller, order).expect("placed");
    let (start, end) = (case.span.start, case.span.start.plus_us(MINUTE));
    let young = NOW.plus_us(-MINUTE);
    let plain = desk.reading(None).expect("readable");
    assert!(!plain.allows(start, end), "held, and past its time");
    assert!(plain.allows(young, NOW));
    let named = desk.reading(Some(case.hold)).expect("readable");
    assert!(
        named.allows(start, end) && !named.allows(young, NOW),
        "that case alone"
    );
    assert_eq!(desk.reading(Some(order.hold)).err(), Some(Kind::NotFound));

    let reader = desk.catalog.reader().expect("a reader");
    let check = |by: &By, row: &HoldRow, at: Wall| {
        let checked = reading::check(&reader, by, row.hold, at);
        checked.map(drop).map_err(|e| e.kind())
    };
    assert_eq!(check(&manager, &case, NOW), Ok(()));
    assert_eq!(check(&manager, &order, NOW), Err(Kind::NotFound));
    assert_eq!(check(&controller, &order, NOW), Err(Kind::Denied), "nobody");
    hold::release(&desk.catalog, &controller, case.hold, ("x", AFTER_S), NOW).expect("released");
    assert_eq!(check(&manager, &case, NOW.plus_us(14 * DAY)), Ok(()));
    assert_eq!(
        check(&manager, &case, NOW.plus_us(14 * DAY + 1)),
        Err(Kind::NotFound)
    );
}

#[test]
fn what_is_restricted_is_read_by_the_controller_who_decides_it_whatever_its_age() {
    let desk = Desk::new();
    let (manager, controller) = (by(Role::Manager), by(Role::Controller));
    let span = Span {
        start: NOW.plus_us(-10 * MINUTE),
        end: NOW.plus_us(-5 * MINUTE),
    };
    let row = NewHold {
        span,
        ..new(HoldKind::Restriction, &["kassa-1"])
    };
    let row = desk.place(&controller, row).expect("placed");
    let allows = |reading: &Reading| reading.allows(span.start, span.end);
    assert!(
        !allows(&desk.reading(None).expect("readable")),
        "though it is young"
    );
    assert!(allows(&desk.reading(Some(row.hold)).expect("readable")));
    let reader = desk.catalog.reader().expect("a reader");
    let check = |by: &By| {
        reading::check(&reader, by, row.hold, NOW)
            .map(drop)
            .map_err(|e| e.kind())
    };
    assert_eq!(
        (check(&manager), check(&controller)),
        (Err(Kind::Denied), Ok(()))
    );
    hold::release(&desk.catalog, &controller, row.hold, ("x", AFTER_S), NOW).expect("released");
    assert!(
        allows(&desk.reading(None).expect("readable")),
        "as any other"
    );
}

/// 13:58:00 to 14:03:00 over segments of a minute that do not begin on the minute.
#[test]
fn a_hold_keeps_exactly_the_segments_that_share_an_instant_with_it() {
    let at = |minute: i64, second: i64| NOW.plus_us(minute * MINUTE + second * SECOND);
    let span = Span {
        start: at(118, 0),
        end: at(123, 0),
    };
    let held: Held = [span].into_iter().collect();
    let kept = |offset: i64| -> Vec<i64> {
        let segment = |n: i64| (at(n, offset), at(n + 1, offset));
        (110..130)
            .filter(|n| {
                let (start, end) = segment(*n);
                held.keeps(start, end)
            })
            .collect()
    };
    assert_eq!(
        kept(0),
        [118, 119, 120, 121, 122],
        "what only touches it is not"
    );
    assert_eq!(kept(20), [117, 118, 119, 120, 121, 122]);
}

#[test]
fn volumes_bring_holds_and_policies_back_and_a_forged_file_does_not() {
    let desk = Desk::new();
    let controller = by(Role::Controller);
    for kind in HoldKind::ALL {
        desk.place(&controller, new(*kind, &["kassa-1"]))
            .expect("placed");
    }
    let keep = Change::KeepSet {
        stream: stream(),
        keep_s: 7200,
        at: NOW,
    };
    desk.catalog.commit(keep, None).expect("kept for longer");
    let (id, root) = (BoxId::random(), desk.dir.path().join("volume"));
    let volume = Volume::init(&root, id, "levy-1").expect("a volume");
    let pkcs8 = ring::signature::Ed25519KeyPair::generate_pkcs8(&ring::rand::SystemRandom::new());
    let signer = Signer::from_pkcs8(pkcs8.expect("a key").as_ref()).expect("a signer");
    let reader = desk.catalog.reader().expect("a reader");
    let kept = Kept::of(&reader, id, NOW).expect("kept");
    kept.mirror(&volume, &signer).expect("mirrored");
    let path = root.join(mirror::FILE);
    let bytes = std::fs::read(&path).expect("a file");
    let later = Kept::of(&reader, id, NOW.plus_us(DAY)).expect("kept");
    later.mirror(&volume, &signer).expect("mirrored");
    assert_eq!(
        std::fs::read(&path).expect("a file"),
        bytes,
        "nothing new, nothing written"
    );

    let (found, troubles) = mirror::latest(std::slice::from_ref(&volume), id, signer.key());
    assert_eq!((found.as_ref(), troubles.len()), (Some(&kept), 0));
    let other = Desk::new();
    found
        .expect("kept")
        .restore(&other.catalog)
        .expect("restored");
    let restored = other.catalog.reader().expect("a reader");
    assert_eq!(restored.holds().expect("rows"), kept.holds);
    let rows = restored.streams().expect("rows");
    assert_eq!(
        (rows[0].keep_s, rows[0].floor),
        (kept.streams[0].keep_s, kept.streams[0].floor)
    );

    let text = String::from_utf8(bytes).expect("text");
    for forged in [
        text.replace("theft", "a walk"),
        "{}".to_owned(),
        "x".to_owned(),
    ] {
        crate::base::disk::replace(&path, forged.as_bytes(), 0o600).expect("a file");
        let (found, troubles) = mirror::latest(std::slice::from_ref(&volume), id, signer.key());
        assert_eq!((found, troubles.len()), (None, 1), "{forged}");
    }
    crate::base::disk::replace(&path, text.as_bytes(), 0o600).expect("a file");
    let foreign = mirror::read(&volume, BoxId::random(), signer.key());
    assert_eq!(foreign.map_err(|e| e.kind()), Err(Kind::Foreign));
}
