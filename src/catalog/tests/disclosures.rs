//! Disclosures and their packages as their callers see them.

use super::*;
use crate::base::id::{DisclosureId, HoldId, JobId};
use crate::catalog::{
    Asked, Cameras, DISCLOSURE_REQUESTED, DisclosureCamera, DisclosureChange, DisclosureCursor,
    DisclosureFilter, DisclosureGap, DisclosureKind, DisclosureRow, DisclosureState,
    DisclosureStep, FileRow, JobState, LedgerChange, NewRequest, NewScan, PackageChange, ScanKind,
    ScanRow, Serial, Stepped, What, take_ledger,
};
use crate::ledger::detail::Class;

const ONE: DisclosureId = DisclosureId(10_000_001);
const TWO: DisclosureId = DisclosureId(10_000_002);
const ROOT: Digest = Digest([7; 32]);

fn at(seconds: i64) -> Wall {
    T0.plus_us(seconds * SECOND)
}

fn draft(disclosure: DisclosureId, kind: DisclosureKind) -> DisclosureRow {
    let form = json!({ "recipient": "Police" });
    DisclosureRow::draft(disclosure, kind, form, ("manager", at(0)))
}

fn asked(number: u32) -> Asked {
    let asked = Span {
        start: at(-600),
        end: at(-300),
    };
    Asked {
        serial: Serial { year: 2026, number },
        at: at(i64::from(number)),
        due: None,
        hold: HoldId(200_000),
        basis: "police-request".to_owned(),
        purpose: "crime-investigation".to_owned(),
        recipient: "helsingin poliisilaitos".to_owned(),
        approvers: 1,
        cameras: vec![DisclosureCamera {
            camera: "kassa".parse().expect("an id"),
            name: "Kassa 1".to_owned(),
            asked,
            given: Span {
                start: at(-601),
                end: at(-299),
            },
            gaps: vec![DisclosureGap {
                span: Span {
                    start: at(-500),
                    end: at(-490),
                },
                cause: "deleted".to_owned(),
            }],
        }],
    }
}

fn event(action: &str, facts: serde_json::Value) -> Event {
    Event::of_box(at(0), action, "disclosure", facts)
}

fn change(fixture: &Fixture, change: DisclosureChange) -> Result<()> {
    fixture
        .catalog
        .commit(change, event("disclosure", json!({})))
}

fn begin(fixture: &Fixture, disclosure: DisclosureId, kind: DisclosureKind) -> DisclosureRow {
    let row = draft(disclosure, kind);
    change(fixture, DisclosureChange::Drafted(Box::new(row.clone()))).expect("a draft");
    row
}

fn request(fixture: &Fixture, row: &DisclosureRow, asked: Asked) -> Result<()> {
    let facts = json!({ "serial": asked.serial });
    let new = NewRequest {
        disclosure: row.disclosure,
        version: row.version,
        form: json!({ "recipient": "Police", "whole": true }),
        secret: false,
        asked,
        by: row.asked_by.clone(),
        detail: json!({}),
    };
    let change = DisclosureChange::Requested(Box::new(new));
    fixture
        .catalog
        .commit(change, event(DISCLOSURE_REQUESTED, facts))
}

fn step(fixture: &Fixture, disclosure: DisclosureId, by: &str, what: What) -> Result<(), Kind> {
    let stepped = Stepped {
        disclosure,
        at: at(100),
        by: by.to_owned(),
        detail: json!({ "why": "because" }),
        what,
    };
    change(fixture, DisclosureChange::Stepped(Box::new(stepped))).map_err(|e| e.kind())
}

fn approve(enough: bool) -> What {
    What::Approve {
        enough,
        frozen: json!({ "basis": "text" }),
    }
}

const PREPARED: What = What::Prepare {
    manifest: ROOT,
    entry: 3,
};

const HANDED: What = What::HandOver {
    handed: Wall(T0.0 + 100 * SECOND),
    copies_until: None,
};

#[test]
fn a_disclosure_is_read_as_it_went_its_way() {
    let fixture = Fixture::new();
    let row = begin(&fixture, ONE, DisclosureKind::AuthorityRequest);
    let reader = fixture.reader();
    let read = || reader.disclosure(ONE).expect("read").expect("a row");
    assert_eq!(read(), row);
    let saved = |version| DisclosureChange::Saved {
        disclosure: ONE,
        version,
        kind: DisclosureKind::Seizure,
        form: json!({}),
        at: at(1),
    };
    fixture.catalog.commit(saved(1), None).expect("saved");
    let again = fixture.catalog.commit(saved(1), None);
    assert_eq!(
        again.map_err(|e| e.kind()),
        Err(Kind::Exists),
        "saved elsewhere"
    );
    let old = request(&fixture, &row, asked(1)).map_err(|e| e.kind());
    assert_eq!(old, Err(Kind::Exists), "asked for as it was before");
    request(&fixture, &read(), asked(1)).expect("asked for");
    assert_eq!(read().asked, Some(asked(1)));
    assert_eq!(read().kind, DisclosureKind::Seizure);
    step(&fixture, ONE, "other", approve(true)).expect("approved");
    step(&fixture, ONE, "box", PREPARED).expect("prepared");
    step(&fixture, ONE, "manager", HANDED).expect("handed over");
    step(&fixture, ONE, "manager", What::Receive).expect("received");
    step(&fixture, ONE, "manager", What::Destroy).expect("destroyed");
    let done = read();
    assert_eq!(done.state, DisclosureState::Destroyed);
    assert_eq!(done.prepared, Some((at(100), ROOT)));
    assert_eq!(done.frozen, Some(json!({ "basis": "text" })));
    let steps = reader.disclosure_steps(ONE).expect("steps");
    let told: Vec<_> = steps.iter().map(|s| (s.step, s.by.as_str())).collect();
    use DisclosureStep as S;
    let want = [
        (S::Drafted, "manager"),
        (S::Requested, "manager"),
        (S::Approved, "other"),
        (S::Prepared, "box"),
        (S::HandedOver, "manager"),
        (S::Received, "manager"),
        (S::Destroyed, "manager"),
    ];
    assert_eq!(told, want);
    let entries = reader.events(0, 100).expect("entries");
    for step in &steps {
        let entry = entries.iter().find(|e| e.seq == step.entry);
        assert!(entry.is_some(), "the entry of {}", step.step);
    }
    assert!(steps.windows(2).all(|two| two[0].entry <= two[1].entry));
    assert_eq!(steps[3].entry, 3, "of what was there before");
    let of_serial = reader.disclosure_of(asked(1).serial).expect("read");
    assert_eq!(of_serial, Some(done));
}

#[test]
fn nobody_approves_what_they_asked_for_and_two_are_two() {
    let fixture = Fixture::new();
    let row = begin(&fixture, ONE, DisclosureKind::Internal);
    let two = Asked {
        approvers: 2,
        ..asked(1)
    };
    request(&fixture, &row, two).expect("asked for");
    let step = |by, what| step(&fixture, ONE, by, what);
    assert_eq!(step("manager", approve(false)), Err(Kind::Denied));
    assert_eq!(step("first", approve(true)), Err(Kind::Internal), "too few");
    let early = step("box", PREPARED);
    assert_eq!(early, Err(Kind::Exists), "not approved");
    step("first", approve(false)).expect("the first");
    assert_eq!(step("first", approve(true)), Err(Kind::Exists), "the same");
    let early = step("box", PREPARED);
    assert_eq!(early, Err(Kind::Exists), "approved by one of two");
    step("second", approve(true)).expect("the second");
    step("box", PREPARED).expect("prepared");
    step("box", PREPARED).expect("made anew");
    step("manager", What::Withdraw).expect("taken back");
    assert_eq!(step("manager", HANDED), Err(Kind::Exists));
}

fn scanned(disclosure: DisclosureId) -> DisclosureChange {
    let row = ScanRow {
        disclosure,
        at: at(1),
        by: "manager".to_owned(),
        kind: ScanKind::Pdf,
        bytes: 100,
        sha256: ROOT,
        generation: GenerationId::from_bytes([3; 16]),
        key: vec![1; 512],
    };
    let sealed = b"sealed".to_vec();
    DisclosureChange::Scanned(Box::new(NewScan { row, sealed }))
}

#[test]
fn a_scan_is_put_and_removed_until_the_first_decision() {
    let fixture = Fixture::new();
    let reader = fixture.reader();
    let row = begin(&fixture, ONE, DisclosureKind::Internal);
    let put = || change(&fixture, scanned(ONE)).map_err(|e| e.kind());
    let remove = || {
        let removed = DisclosureChange::Unscanned {
            disclosure: ONE,
            at: at(2),
        };
        change(&fixture, removed).map_err(|e| e.kind())
    };
    put().expect("beside a draft");
    put().expect("another in its place");
    remove().expect("removed");
    assert_eq!(remove(), Err(Kind::NotFound));
    let two = Asked {
        approvers: 2,
        ..asked(1)
    };
    request(&fixture, &row, two).expect("asked for");
    put().expect("beside a request");
    let found = reader.disclosure_scan(ONE).expect("read").expect("a scan");
    assert_eq!((found.kind, found.bytes), (ScanKind::Pdf, 100));
    step(&fixture, ONE, "first", approve(false)).expect("the first of two");
    assert_eq!((put(), remove()), (Err(Kind::Exists), Err(Kind::Exists)));
    let sealed = reader.disclosure_scan_sealed(ONE).expect("read");
    assert_eq!(sealed.as_deref(), Some(&b"sealed"[..]));
    let two = begin(&fixture, TWO, DisclosureKind::Seizure).disclosure;
    change(&fixture, scanned(two)).expect("scanned");
    change(&fixture, DisclosureChange::Discarded { disclosure: two }).expect("thrown away");
    assert_eq!(reader.disclosure_scan(two).expect("read"), None);
}

#[test]
fn serial_numbers_have_no_holes_and_are_never_given_again() {
    let fixture = Fixture::new();
    let reader = fixture.reader();
    let next = || reader.next_serial(2026).expect("next").number;
    assert_eq!(next(), 1);
    let one = begin(&fixture, ONE, DisclosureKind::Seizure);
    let two = begin(&fixture, TWO, DisclosureKind::Seizure);
    let skipped = request(&fixture, &one, asked(2)).map_err(|e| e.kind());
    assert_eq!(skipped, Err(Kind::Busy));
    request(&fixture, &one, asked(1)).expect("the first");
    let taken = request(&fixture, &two, asked(1)).map_err(|e| e.kind());
    assert_eq!(taken, Err(Kind::Busy));
    assert_eq!(next(), 2);
    request(&fixture, &two, asked(2)).expect("the second");
    change(&fixture, scanned(TWO)).expect("scanned");
    step(&fixture, TWO, "manager", What::Withdraw).expect("taken back");
    assert!(reader.disclosure_scan(TWO).expect("read").is_some());
    // The register forgets it with the details of its entries; the number is gone all the same.
    let erased = LedgerChange::DetailsErased {
        class: Class::Disclosure,
        before: at(200),
        at: at(200),
        by: "controller".to_owned(),
    };
    fixture.catalog.commit(erased, None).expect("erased");
    assert_eq!(reader.disclosure(TWO).expect("read"), None);
    assert_eq!(reader.disclosure_scan(TWO).expect("read"), None);
    assert_eq!(reader.disclosure_scan_sealed(TWO).expect("read"), None);
    assert!(reader.disclosure(ONE).expect("read").is_some(), "not over");
    assert_eq!(next(), 3);
    let told = reader.events(0, 100).expect("entries").pop().expect("one");
    assert_eq!(told.event.facts["disclosures"], 1);
}

#[test]
fn the_register_goes_along_into_a_new_catalog() {
    let fixture = Fixture::new();
    let row = begin(&fixture, ONE, DisclosureKind::Seizure);
    request(&fixture, &row, asked(1)).expect("asked for");
    let (new, old) = (
        fixture.dir.path().join("new"),
        fixture.dir.path().join("catalog"),
    );
    take_ledger(&new, fixture.box_id, &old).expect("taken");
    let reader = Reader::open(&new, fixture.box_id).expect("reader");
    let want = fixture.reader().disclosure(ONE).expect("read");
    assert_eq!(reader.disclosure(ONE).expect("read"), want);
    assert_eq!(reader.next_serial(2026).expect("next").number, 2);
    // When the old one is lost, entries tell which numbers were given.
    let fresh = fixture.dir.path().join("fresh");
    let rebuild = crate::catalog::Rebuild::begin(&fresh, fixture.box_id, at(0)).expect("begun");
    let epochs = reader.epochs().expect("epochs");
    for epoch in &epochs {
        rebuild.epoch(epoch).expect("epoch");
    }
    for seq in 1..=reader.events(0, 100).expect("entries").len() {
        let row = reader.entry(seq as u64).expect("an entry");
        rebuild.entry(&row.entry).expect("entry");
    }
    rebuild.finish(&epochs).expect("finished");
    let reader = Reader::open(&fresh, fixture.box_id).expect("reader");
    assert_eq!(reader.disclosure(ONE).expect("read"), None);
    assert_eq!(reader.next_serial(2026).expect("next").number, 2);
}

#[test]
fn a_draft_is_thrown_away_and_nothing_else_is() {
    let fixture = Fixture::new();
    let row = begin(&fixture, ONE, DisclosureKind::Oral);
    begin(&fixture, TWO, DisclosureKind::Oral);
    let discard = |disclosure| {
        let kind = change(&fixture, DisclosureChange::Discarded { disclosure });
        kind.map_err(|e| e.kind())
    };
    discard(TWO).expect("gone");
    assert_eq!(discard(TWO), Err(Kind::NotFound));
    request(&fixture, &row, asked(1)).expect("asked for");
    assert_eq!(discard(ONE), Err(Kind::NotFound));
    assert_eq!(fixture.reader().drafts_of("manager").expect("count"), 0);
}

#[test]
fn the_register_is_searched_and_paged() {
    let fixture = Fixture::new();
    for number in 1..=3 {
        let id = DisclosureId(20_000_000 + number);
        let row = begin(&fixture, id, DisclosureKind::Viewing);
        request(&fixture, &row, asked(number)).expect("asked for");
    }
    begin(&fixture, TWO, DisclosureKind::Viewing);
    let last = DisclosureId(20_000_003);
    step(&fixture, last, "other", approve(true)).expect("approved");
    step(&fixture, last, "manager", HANDED).expect("shown");
    let reader = fixture.reader();
    let find = |filter: &DisclosureFilter| {
        let page = reader.find_disclosures(filter, None, 10).expect("found");
        (page.rows.len(), page.searched)
    };
    let all = DisclosureFilter::default();
    assert_eq!(find(&all), (3, 3), "no drafts");
    let with = |change: &dyn Fn(&mut DisclosureFilter)| {
        let mut filter = all.clone();
        change(&mut filter);
        find(&filter)
    };
    let footage = |from, to| {
        Some(Span {
            start: at(from),
            end: at(to),
        })
    };
    let own = |person: &str| Some(person.to_owned());
    assert_eq!(with(&|f| f.drafts_of = own("manager")), (4, 4));
    assert_eq!(with(&|f| f.drafts_of = own("other")), (3, 3));
    assert_eq!(with(&|f| f.camera = "kassa".parse().ok()), (3, 3));
    assert_eq!(with(&|f| f.camera = "ovi".parse().ok()), (0, 3));
    assert_eq!(with(&|f| f.footage = footage(-300, 0)), (3, 3));
    assert_eq!(with(&|f| f.footage = footage(-299, 0)), (0, 3));
    assert_eq!(with(&|f| f.recipient = own("POLIISI")), (3, 3));
    assert_eq!(with(&|f| f.recipient = own("%")), (0, 3), "no pattern");
    assert_eq!(with(&|f| f.person = own("other")), (1, 3));
    assert_eq!(with(&|f| f.only_of = own("other")), (1, 1));
    let waiting = |cameras: &Cameras| {
        with(&|f| {
            f.only_of = own("nobody");
            f.or_waiting = Some(cameras.clone());
        })
    };
    let only = |id: &str| Cameras::Only(vec![id.parse().expect("an id")]);
    assert_eq!(waiting(&only("kassa")), (2, 2));
    assert_eq!(waiting(&only("ovi")), (0, 0));
    assert_eq!(waiting(&Cameras::Only(Vec::new())), (0, 0));
    assert_eq!(waiting(&Cameras::All), (2, 2));
    assert_eq!(
        with(&|f| f.states = vec![DisclosureState::HandedOver]),
        (1, 3)
    );
    assert_eq!(with(&|f| f.kinds = vec![DisclosureKind::Oral]), (0, 3));
    assert_eq!(with(&|f| f.basis = own("police-request")), (3, 3));
    assert_eq!(with(&|f| f.disclosed = footage(100, 101)), (1, 3));
    assert_eq!(with(&|f| f.disclosed = footage(99, 100)), (0, 3));
    let (mut after, mut seen): (Option<DisclosureCursor>, Vec<u32>) = (None, Vec::new());
    loop {
        let page = reader.find_disclosures(&all, after, 2).expect("page");
        assert_eq!(page.found, 3);
        seen.extend(page.rows.iter().map(|row| row.disclosure.0));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, [20_000_003, 20_000_002, 20_000_001], "newest first");
}

fn package(fixture: &Fixture, change: PackageChange) -> Result<(), Kind> {
    let done = fixture.catalog.commit(change, None);
    done.map_err(|e| e.kind())
}

fn queued() -> PackageChange {
    PackageChange::Queued {
        disclosure: ONE,
        bytes_total: 100,
        by: "manager".to_owned(),
        at: at(1),
    }
}

fn file(job: JobId) -> FileRow {
    FileRow {
        job,
        part: 1,
        disclosure: ONE,
        name: "2026-0001.zip".to_owned(),
        bytes: 100,
        sha256: ROOT,
        place: "one.age".to_owned(),
        generation: GenerationId::from_bytes([1; 16]),
        key: Some(vec![1, 2, 3]),
        wiped: None,
    }
}

fn last_made(fixture: &Fixture) -> Option<JobId> {
    let found = fixture.reader().last_made(ONE).expect("read");
    found.map(|job| job.job)
}

#[test]
fn a_package_is_made_by_one_job_at_a_time() {
    let fixture = Fixture::new();
    let row = begin(&fixture, ONE, DisclosureKind::Seizure);
    request(&fixture, &row, asked(1)).expect("asked for");
    let commit = |change| package(&fixture, change);
    commit(queued()).expect("queued");
    assert_eq!(commit(queued()), Err(Kind::Exists));
    let progress = || PackageChange::Progressed {
        disclosure: ONE,
        phase: "media".to_owned(),
        bytes_done: 50,
        bytes_total: 100,
    };
    commit(progress()).expect("progress");
    let interrupted = PackageChange::Ended {
        disclosure: ONE,
        state: JobState::Failed,
        cause: Some("interrupted".to_owned()),
        at: at(2),
    };
    commit(interrupted).expect("interrupted");
    assert_eq!(last_made(&fixture), None);
    assert_eq!(commit(progress()), Err(Kind::NotFound));
    let reader = fixture.reader();
    let last = || reader.last_job(ONE).expect("read").expect("a job");
    assert_eq!(last().cause.as_deref(), Some("interrupted"));
    let late = commit(PackageChange::PartMade(Box::new(file(last().job))));
    assert_eq!(late, Err(Kind::NotFound), "of a job that is over");
    commit(queued()).expect("again");
    assert_eq!(reader.open_jobs().expect("read"), [last()]);
}

#[test]
fn parts_are_wiped_with_their_keys_before_copies_count_as_destroyed() {
    let fixture = Fixture::new();
    let row = begin(&fixture, ONE, DisclosureKind::Seizure);
    request(&fixture, &row, asked(1)).expect("asked for");
    package(&fixture, queued()).expect("queued");
    let reader = fixture.reader();
    let job = reader.last_job(ONE).expect("read").expect("a job").job;
    package(&fixture, PackageChange::PartMade(Box::new(file(job)))).expect("a part");
    let ended = PackageChange::Ended {
        disclosure: ONE,
        state: JobState::Done,
        cause: None,
        at: at(3),
    };
    package(&fixture, ended).expect("done");
    assert_eq!(last_made(&fixture), Some(job));
    assert_eq!(reader.package_files_there().expect("read"), vec![file(job)]);
    step(&fixture, ONE, "other", approve(true)).expect("approved");
    for what in [PREPARED, HANDED, What::Receive] {
        step(&fixture, ONE, "manager", what).expect("a step");
    }
    let early = step(&fixture, ONE, "manager", What::Destroy);
    assert_eq!(early, Err(Kind::Exists), "a part is there");
    let wiped = || PackageChange::Wiped {
        job,
        part: 1,
        at: at(4),
    };
    package(&fixture, wiped()).expect("wiped");
    assert_eq!(package(&fixture, wiped()), Err(Kind::NotFound));
    step(&fixture, ONE, "manager", What::Destroy).expect("destroyed");
    let left = reader.package_files(ONE).expect("read");
    assert_eq!((left[0].key.as_ref(), left[0].wiped), (None, Some(at(4))));
    assert_eq!(reader.package_files_there().expect("read"), []);
}

#[test]
fn serial_numbers_are_read_as_they_are_written() {
    let serial = Serial {
        year: 2026,
        number: 42,
    };
    assert_eq!(serial.to_string(), "2026-0042");
    assert_eq!("2026-0042".parse::<Serial>().expect("read"), serial);
    assert_eq!("2026-12345".parse::<Serial>().expect("read").number, 12_345);
    for bad in [
        "",
        "2026",
        "2026-42",
        "26-0042",
        "2026-0000",
        "2026-00 1",
        "1999-0001",
        "+202-0001",
    ] {
        assert!(bad.parse::<Serial>().is_err(), "{bad}");
    }
}

#[test]
fn a_state_leads_only_where_it_is_written() {
    use DisclosureState as S;
    let count = |kind| {
        let pairs = S::ALL
            .iter()
            .flat_map(|a| S::ALL.iter().map(move |b| (a, b)));
        pairs.filter(|(a, b)| a.leads_to(**b, kind)).count()
    };
    assert_eq!(count(DisclosureKind::Seizure), 11);
    assert_eq!(count(DisclosureKind::Oral), 8);
    for kind in DisclosureKind::ALL {
        for state in S::ALL {
            let leads = S::ALL.iter().any(|next| state.leads_to(*next, *kind));
            assert_eq!(state.is_last(*kind), !leads, "{state} {kind}");
        }
    }
}
