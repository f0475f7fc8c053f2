//! A catalog that is rebuilt says of footage what the lost one said.

use std::path::Path;

use super::*;
use crate::base::id::{GenerationId, PersonId};
use crate::catalog::{AccountRow, Cameras, GrantRow, Language, Role, Validity};
use crate::recorder::check;
use crate::recorder::fault_tests::Scene;

fn rows(catalog: &Catalog, volume: &Volume) -> Vec<SegmentRow> {
    let reader = catalog.reader().expect("reader");
    let page = reader.all_segments(volume.id, None, 100).expect("rows");
    page.rows
}

fn rebuild(scene: &Scene, catalog: &Catalog) -> Report {
    let work = Reindex {
        catalog,
        volumes: std::slice::from_ref(&scene.volume),
        box_id: scene.box_id,
        deletions: &Deletions::default(),
        clock: &*scene.clock,
        tell: &|_| {},
    };
    work.run().expect("reindex")
}

fn open(scene: &Scene, dir: &Path) -> Catalog {
    Catalog::open(&dir.join("new.db"), scene.box_id).expect("catalog")
}

#[test]
fn what_is_on_a_volume_is_all_that_is_needed() {
    let scene = Scene::new();
    scene.record();
    scene.clock.advance(std::time::Duration::from_secs(3600));
    scene.record();
    let before = rows(&scene.catalog, &scene.volume);
    let dir = tempfile::tempdir().expect("folder");
    let new = open(&scene, dir.path());
    let report = rebuild(&scene, &new);
    assert_eq!(rows(&new, &scene.volume), before);
    assert_eq!(
        (report.streams, report.segments, report.gaps, report.holes),
        (1, 6, 1, 0)
    );
    let reader = new.reader().expect("reader");
    let checked = check::check(&reader, scene.box_id, true, &|| false).expect("check");
    assert_eq!(checked.findings, Vec::<String>::new());
    assert!(
        reader.meta().expect("meta").latch.is_some(),
        "nothing is deleted"
    );
    let end = scene.clock.wall().plus_us(7_200_000_000);
    let span = Span {
        start: before[0].start,
        end,
    };
    let coverage = reader.coverage(&scene.stream, span, end).expect("coverage");
    let causes: Vec<_> = coverage.gaps.iter().map(|gap| gap.cause).collect();
    assert_eq!(causes, [CAUSE, CAUSE], "between the two, and since");
    assert_eq!(coverage.unknown, []);
    let run = reader.run(before[0].run).expect("query").expect("a run");
    assert_eq!(run.end_cause.as_deref(), Some("unknown"));
}

#[test]
fn what_is_damaged_is_set_aside_and_a_part_is_completed() {
    let scene = Scene::new();
    scene.record();
    let before = rows(&scene.catalog, &scene.volume);
    let path = |row: &SegmentRow| {
        scene
            .volume
            .segment_path(&row.stream, row.start, row.segment)
    };
    let (cut, part) = (path(&before[0]), path(&before[2]));
    let mut file = crate::base::disk::DiskFile::open_existing(&cut).expect("opens");
    file.truncate(before[0].bytes - 9).expect("cuts");
    let as_part = part.with_extension("mp4.part");
    crate::base::disk::rename(&part, &as_part).expect("renames");
    let dir = tempfile::tempdir().expect("folder");
    let new = open(&scene, dir.path());
    let report = rebuild(&scene, &new);
    assert_eq!(report.recovered.quarantined.len(), 1);
    assert_eq!(report.recovered.adopted, 1);
    assert_eq!(rows(&new, &scene.volume), &before[1..]);
}

#[test]
fn the_next_segment_follows_the_youngest_also_after_the_clock_went_back() {
    let scene = Scene::new();
    scene.record();
    let model = rows(&scene.catalog, &scene.volume).remove(0);
    let root = |n: u8| Digest([n; 32]);
    // 1, 2, 3 by time; then the clock goes back and 4, 5 lie before 3.
    let row = |n: u8, previous: u8, secs: i64| SegmentRow {
        content_root: root(n),
        previous_root: root(previous),
        start: model.start.plus_us(secs * 1_000_000),
        ..model.clone()
    };
    let by_time = vec![
        row(1, 0, 0),
        row(2, 1, 60),
        row(4, 3, 70),
        row(3, 2, 120),
        row(5, 4, 130),
    ];
    let order = |rows| -> Vec<u8> {
        let ordered = in_order_of_chain(rows);
        ordered.iter().map(|row| row.content_root.0[0]).collect()
    };
    // 5 is the last by time and by chain.
    assert_eq!(order(by_time), [1, 2, 4, 3, 5]);
    let by_time = vec![
        row(1, 0, 0),
        row(4, 3, 30),
        row(5, 4, 40),
        row(2, 1, 60),
        row(3, 2, 120),
    ];
    assert_eq!(order(by_time), [1, 2, 3, 4, 5]);
    // A ring, which no honest recorder makes, ends.
    let ring = vec![row(1, 2, 0), row(2, 1, 60)];
    assert_eq!(order(ring).len(), 2);
}

/// A controller who has enrolled, used a code and a recovery code.
fn anna(person: PersonId) -> Vec<Change> {
    let at = Wall::from_secs(2);
    let codes = [1, 2].map(|n| Digest::sha256(&[&[n]]));
    let people = vec![
        PeopleChange::Added(Box::new(AccountRow {
            person,
            name: "anna".to_owned(),
            display: "Anna".to_owned(),
            language: Language::Sv,
            undertaking: None,
            valid: Validity {
                from: at,
                until: None,
            },
            added: at,
            removed: None,
            reviewed: None,
            signed_in: Some(at),
        })),
        PeopleChange::Granted(Box::new(GrantRow {
            number: 0,
            person,
            role: Role::Manager,
            cameras: Cameras::Only(vec!["kassa-1".parse().expect("id")]),
            approves: true,
            since: at,
            by: "console".to_owned(),
            until: None,
            confirmed: Some((at, "shares".to_owned())),
            ended: Some(Wall::from_secs(9)),
        })),
        PeopleChange::Keys {
            person,
            name: "anna".to_owned(),
            row: "{}".to_owned(),
        },
        PeopleChange::Factor {
            person,
            secret: vec![9],
            at,
            codes: codes.into(),
        },
        PeopleChange::StepUsed { person, step: 77 },
        PeopleChange::CodeUsed {
            person,
            hash: codes[0],
            at,
        },
    ];
    people.into_iter().map(Change::from).collect()
}

#[test]
fn persons_generations_wraps_and_events_are_kept() {
    let scene = Scene::new();
    let (person, generations) = (
        PersonId::random(),
        [GenerationId::random(), GenerationId::random()],
    );
    let mut changes = anna(person);
    for (generation, secs) in generations.iter().zip([5, 3]) {
        changes.push(Change::GenerationAdded {
            generation: *generation,
            recipient: generation.to_string(),
            created: Wall::from_secs(secs),
        });
        changes.extend([None, Some(person)].map(|person| Change::WrapAdded {
            generation: *generation,
            person,
            bytes: vec![7],
        }));
    }
    let facts = serde_json::json!({});
    let event = Event::of_box(scene.clock.wall(), "init", "box", facts);
    scene.catalog.commit(changes, event).expect("old");
    let old = scene.catalog.reader().expect("reader");
    let dir = tempfile::tempdir().expect("folder");
    let path = dir.path().join("catalog");
    crate::catalog::take_ledger(&path, scene.box_id, &scene.dir.path().join("catalog.db"))
        .expect("kept");
    let new = Catalog::open(&path, scene.box_id).expect("opens");
    assert_eq!(keep_people(&old, &new).expect("kept"), 1);
    let reader = new.reader().expect("reader");
    assert_eq!(
        reader.persons().expect("rows"),
        old.persons().expect("rows")
    );
    assert_eq!(
        reader.accounts().expect("rows"),
        old.accounts().expect("rows")
    );
    assert_eq!(reader.grants().expect("rows"), old.grants().expect("rows"));
    let factor = reader.factor(person).expect("row").expect("one");
    assert_eq!(Some(&factor), old.factor(person).expect("row").as_ref());
    assert_eq!((factor.last_step, factor.codes.len()), (77, 1));
    assert_eq!(
        reader.generations().expect("rows"),
        old.generations().expect("rows")
    );
    assert_eq!(reader.wraps(person).expect("rows").len(), 2);
    assert!(
        reader
            .wrap_for_recovery(generations[0])
            .expect("row")
            .is_some()
    );
    assert_eq!(
        reader.events(0, 9).expect("rows"),
        old.events(0, 9).expect("rows")
    );
    let current = reader.current_generation().expect("row").expect("one");
    assert_eq!(
        current.generation, generations[1],
        "the older by date is in force"
    );
}
