//! The catalog refuses at every commit of a sweep: nothing more is deleted then, and the next sweep finishes what was
//! begun. It refuses by triggers that a test puts into the database.

use rusqlite::Connection;
use sinetti::catalog::Rule;

use crate::plant::{HOUR, Own, Plant, T0, ids};

/// Until it is ended, the catalog refuses what `when` says.
fn refuse(plant: &Plant, when: &str) {
    let db = Connection::open(plant.state.catalog_path()).expect("opens");
    let trigger = format!(
        "create trigger refused before {when} begin select raise(abort, 'the test refuses'); end"
    );
    db.execute_batch(&trigger).expect("a trigger");
}

fn allow(plant: &Plant) {
    let db = Connection::open(plant.state.catalog_path()).expect("opens");
    db.execute_batch("drop trigger refused").expect("dropped");
}

/// What is refused, and how many of four segments are marked and how many files are gone then.
const REFUSALS: [(&str, usize, usize); 6] = [
    ("insert on sweep", 0, 0),
    (
        "update of garbage on segment when (select count(*) from segment where garbage is not null) = 2",
        0,
        0,
    ),
    ("insert on deleted", 4, 4),
    ("delete on segment", 4, 4),
    (
        "delete on segment when (select segments from sweep where ended_us is null) = 2",
        4,
        4,
    ),
    ("update of ended_us on sweep", 4, 4),
];

#[test]
fn what_the_catalog_refuses_is_not_begun_or_finished_later() {
    for (when, marked, gone) in REFUSALS {
        let own = Own::new();
        own.plant.record("kassa/main", T0, 60, 10, 4000);
        own.plant.keep("kassa/main", HOUR);
        let rows = own.plant.segments("kassa/main");
        own.plant.set_clock(rows[3].end.plus_us(HOUR + 1));
        let plan = own.plant.plan();
        assert_eq!(plan.len(), 4, "{when}");
        refuse(&own.plant, when);
        let refused = own.plant.sweeper(|s| s.run(&plan, &mut || true));
        let error = refused.expect_err(when).to_string();
        assert!(error.contains("the test refuses"), "{when}: {error}");
        let exist = |plant: &Plant| rows.iter().filter(|r| plant.path(r).exists()).count();
        assert_eq!(exist(&own.plant), rows.len() - gone, "{when}");
        let listed = own.plant.segments("kassa/main").len();
        assert_eq!(listed, rows.len() - marked, "{when}");
        assert!(own.plant.sweeps().is_empty(), "{when}");
        allow(&own.plant);

        let own = own.restart();
        own.plant.check();
        let plan = own.plant.plan();
        assert_eq!(plan.len(), 4 - marked, "{when}");
        assert!(plan.iter().all(|d| d.rule == Rule::Expired));
        own.plant.sweep();
        own.plant.check();
        assert_eq!(
            ids(&own.plant.segments("kassa/main")),
            ids(&rows[4..]),
            "{when}"
        );
        assert_eq!(exist(&own.plant), rows.len() - 4, "{when}");
        let told: Vec<_> = own.plant.sweeps();
        let segments = told.iter().map(|e| e.facts["segments"].as_u64());
        let bytes: u64 = rows[..4].iter().map(|row| row.bytes).sum();
        assert_eq!(segments.collect::<Vec<_>>(), [Some(4)], "{when}");
        assert_eq!(told[0].facts["bytes"], bytes, "{when}");
    }
}
