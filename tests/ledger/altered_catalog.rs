//! Somebody edits the catalog: whatever the edit is, `ledger verify` finds it and says where.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::types::Value;
use rusqlite::{Connection, params};
use sinetti::base::hash::Digest;
use sinetti::base::merkle;
use sinetti::ledger::audit::Verdict;
use sinetti::ledger::entry;

use crate::random::Random;
use crate::shop::{Checked, anchor, long, reader, verify};
use crate::support::TestBox;

/// The catalog of a box, and how it was.
struct Victim {
    shop: TestBox,
    whole: Vec<u8>,
    path: PathBuf,
    size: i64,
    anchor: PathBuf,
}

impl Victim {
    fn new() -> Self {
        let shop = long();
        let anchor = anchor(&shop, "anchor");
        let path = shop.dir.join("catalog.db");
        let size = i64::try_from(reader(&shop).epoch().expect("an epoch").size).expect("small");
        Self {
            whole: fs::read(&path).expect("the catalog"),
            size,
            path,
            anchor,
            shop,
        }
    }

    /// Puts the catalog back and edits it.
    fn edit(&self, change: impl FnOnce(&Connection)) {
        for beside in ["-wal", "-shm"] {
            fs::remove_file(format!("{}{beside}", self.path.display())).ok();
        }
        fs::write(&self.path, &self.whole).expect("put back");
        let db = open(&self.path);
        db.execute_batch("begin").expect("begun");
        change(&db);
        db.execute_batch("commit").expect("committed");
        db.query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(()))
            .expect("one file");
    }

    #[track_caller]
    fn check(&self) -> Checked {
        verify(&self.shop, &[])
    }

    /// What is edited is found, without an anchor and with one.
    #[track_caller]
    fn finds(&self, what: &str, place: &str, change: impl FnOnce(&Connection)) {
        self.edit(change);
        let found = self.check();
        assert!(!found.whole, "{what}");
        assert!(found.says(Verdict::Altered), "{what}: {found:#?}");
        assert!(found.names(place), "{what}: no {place} in {found:#?}");
        let with = verify(
            &self.shop,
            &["--anchor", self.anchor.to_str().expect("UTF-8")],
        );
        assert!(!with.whole, "{what}");
    }

    /// An entry that is signed and has two neighbours.
    fn any(&self, random: &mut Random) -> i64 {
        2 + below(random, self.size - 3)
    }
}

fn below(random: &mut Random, end: i64) -> i64 {
    let end = usize::try_from(end).expect("small");
    i64::try_from(random.below(end)).expect("small")
}

/// As somebody opens it whom no rule holds.
fn open(path: &Path) -> Connection {
    let db = Connection::open(path).expect("opens");
    db.execute_batch("pragma foreign_keys = off; pragma ignore_check_constraints = on")
        .expect("pragmas");
    db
}

fn set(db: &Connection, sql: &str, given: impl rusqlite::Params) {
    let rows = db
        .execute(sql, given)
        .unwrap_or_else(|e| panic!("{sql}: {e}"));
    assert!(rows > 0, "{sql} changed nothing");
}

/// Flips a bit of a value in place.
fn flip(db: &Connection, random: &mut Random, table: &str, column: &str, row: &str) {
    let sql = format!("select {column} from {table} where {row}");
    let value: Value = db.query_row(&sql, [], |row| row.get(0)).expect(&sql);
    let (mut bytes, cast) = match value {
        Value::Text(text) => (text.into_bytes(), "cast(? as text)"),
        Value::Blob(bytes) => (bytes, "?"),
        Value::Integer(n) => {
            let changed = n ^ (1 << random.below(63));
            set(
                db,
                &format!("update {table} set {column} = ? where {row}"),
                [changed],
            );
            return;
        }
        other => panic!("{table}.{column}: {other:?}"),
    };
    random.flip(&mut bytes);
    set(
        db,
        &format!("update {table} set {column} = {cast} where {row}"),
        [bytes],
    );
}

/// The leaf of an entry as it is now; none when it is none any more.
fn leaf(db: &Connection, seq: i64) -> Option<Digest> {
    let sql = "select epoch, at_us, actor, action, object, result, facts, detail from entry where seq = ?";
    let read = db.query_row(sql, [seq], |row| {
        Ok((
            row.get::<_, u32>(0)?,
            row.get::<_, i64>(1)?,
            [
                row.get::<_, String>(2)?,
                row.get(3)?,
                row.get(4)?,
                row.get(5)?,
            ],
            row.get::<_, String>(6)?,
            row.get::<_, Option<[u8; 32]>>(7)?,
        ))
    });
    let (epoch, at, [actor, action, object, result], facts, detail) = read.ok()?;
    let line = entry::Entry {
        epoch,
        seq: seq.unsigned_abs(),
        at: sinetti::base::time::Wall(at),
        actor,
        action,
        object,
        result,
        facts: serde_json::from_str(&facts).ok()?,
        detail: detail.map(Digest),
    };
    Some(entry::leaf(&line.line().ok()?))
}

/// Makes the kept hash of an entry fit it.
fn fit_leaf(db: &Connection, seq: i64) {
    if let Some(leaf) = leaf(db, seq) {
        set(
            db,
            "update entry set leaf = ? where seq = ?",
            params![leaf.0, seq],
        );
    }
}

/// Makes all full tiles fit the leaves.
fn fit_tiles(db: &Connection) {
    let mut statement = db
        .prepare("select leaf from entry order by seq")
        .expect("leaves");
    let leaves: Vec<[u8; 32]> = statement
        .query_map([], |row| row.get(0))
        .expect("query")
        .collect::<Result<_, _>>()
        .expect("leaves");
    for (number, tile) in leaves
        .chunks(256)
        .enumerate()
        .filter(|(_, t)| t.len() == 256)
    {
        let digests: Vec<_> = tile.iter().map(|leaf| Digest(*leaf)).collect();
        set(
            db,
            "update tile set hashes = ?, root = ? where level = 0 and number = ?",
            params![
                tile.concat(),
                merkle::root(&digests).0,
                i64::try_from(number).expect("small")
            ],
        );
    }
}

const COLUMNS: [&str; 7] = [
    "at_us", "actor", "action", "object", "result", "facts", "leaf",
];

#[test]
fn a_bit_of_an_entry() {
    let victim = Victim::new();
    assert!(victim.check().whole);
    let mut random = Random::new(1);
    for round in 0..70 {
        let (seq, column) = (victim.any(&mut random), COLUMNS[round % COLUMNS.len()]);
        let fits = round % 2 == 1 && column != "leaf";
        let what = format!("{column} of entry {seq}, leaf {fits}");
        // With its hash made to fit, the tile tells; in the tile that is filling, the checkpoint alone does.
        let in_full_tile = seq <= victim.size - victim.size % 256;
        let place = if fits && !in_full_tile {
            "checkpoint".to_owned()
        } else {
            format!("entry {seq}")
        };
        victim.finds(&what, &place, |db| {
            flip(db, &mut random, "entry", column, &format!("seq = {seq}"));
            if fits {
                fit_leaf(db, seq);
            }
        });
    }
}

#[test]
fn an_entry_with_everything_made_to_fit_but_the_signature() {
    let victim = Victim::new();
    let mut random = Random::new(2);
    for _ in 0..6 {
        let seq = victim.any(&mut random);
        victim.finds(&format!("entry {seq}"), "checkpoint", |db| {
            set(
                db,
                "update entry set actor = 'somebody else' where seq = ?",
                [seq],
            );
            fit_leaf(db, seq);
            fit_tiles(db);
        });
    }
}

#[test]
fn a_commitment_to_details_and_details() {
    let victim = Victim::new();
    let mut random = Random::new(3);
    for round in 0..24 {
        let row = "(select seq from detail order by random() limit 1)";
        let db = open(&victim.path);
        let seq: i64 = db
            .query_row(&format!("select {row}"), [], |row| row.get(0))
            .expect("one");
        drop(db);
        let (table, column) =
            [("entry", "detail"), ("detail", "salt"), ("detail", "text")][round % 3];
        let (what, place) = (format!("{table}.{column} of {seq}"), format!("entry {seq}"));
        victim.finds(&what, &place, |db| {
            flip(db, &mut random, table, column, &format!("seq = {seq}"));
        });
        victim.finds(&format!("details of {seq} gone"), &place, |db| {
            set(db, "delete from detail where seq = ?", [seq]);
        });
    }
}

#[test]
fn entries_deleted_inserted_swapped_and_cut_off() {
    let victim = Victim::new();
    let mut random = Random::new(4);
    for round in 0..16 {
        let (fits, seq) = (round % 2 == 1, victim.any(&mut random));
        let other = victim.any(&mut random);
        let place = format!("entry {seq}");
        victim.finds(&format!("{seq} deleted"), &place, |db| {
            set(db, "delete from entry where seq = ?", [seq]);
            if fits {
                db.execute("delete from detail where seq = ?", [seq])
                    .expect("details");
                close_ranks(db, seq, -1);
            }
        });
        victim.finds(&format!("{seq} inserted"), if fits { &place } else { "entry" }, |db| {
            close_ranks(db, seq, 1);
            set(
                db,
                "insert into entry select ?1, epoch, at_us, actor, action, object, result, facts, detail, leaf
                 from entry where seq = ?2",
                [seq, other + 1],
            );
            if fits {
                fit_leaf(db, seq);
            }
        });
        if seq != other {
            victim.finds(&format!("{seq} and {other} swapped"), "entry", |db| {
                set(db, "update entry set seq = -1 where seq = ?", [seq]);
                set(db, "update entry set seq = ?1 where seq = ?2", [seq, other]);
                set(db, "update entry set seq = ? where seq = -1", [other]);
                if fits {
                    fit_leaf(db, seq);
                    fit_leaf(db, other);
                }
            });
        }
        let last = victim.size - 1 - below(&mut random, 300);
        victim.finds(
            &format!("cut off after {last}"),
            &format!("entry {last}"),
            |db| {
                set(db, "delete from entry where seq > ?", [last]);
                db.execute("delete from detail where seq > ?", [last])
                    .expect("details");
                if fits {
                    db.execute("delete from tile where (number + 1) * 256 > ?", [last])
                        .expect("tiles");
                }
            },
        );
    }
}

/// Moves all entries from `seq` on by one and makes their hashes fit.
fn close_ranks(db: &Connection, seq: i64, by: i64) {
    for table in ["entry", "detail"] {
        let moved = [
            format!("update {table} set seq = -(seq + {by}) where seq >= {seq}"),
            format!("update {table} set seq = -seq where seq < 0"),
        ];
        for sql in moved {
            db.execute(&sql, []).expect("moved");
        }
    }
    let last: i64 = db
        .query_row("select max(seq) from entry", [], |row| row.get(0))
        .expect("the last");
    for seq in seq..=last {
        fit_leaf(db, seq);
    }
}

#[test]
fn tiles() {
    let victim = Victim::new();
    let mut random = Random::new(5);
    for round in 0..20 {
        let number = round % 2;
        let row = format!("level = 0 and number = {number}");
        let place = format!("tile/0/00{number}");
        victim.finds("a hash", &place, |db| {
            flip(db, &mut random, "tile", "hashes", &row);
        });
        victim.finds("a root", &place, |db| {
            flip(db, &mut random, "tile", "root", &row);
        });
        victim.finds("a number", &place, |db| {
            let to = 2 + below(&mut random, 1000);
            set(db, &format!("update tile set number = ? where {row}"), [to]);
        });
    }
    victim.finds("cut short", "tile/0/000", |db| {
        set(
            db,
            "update tile set hashes = substr(hashes, 1, 8160) where number = 0",
            [],
        );
    });
    victim.finds("deleted", "tile/0/001", |db| {
        set(db, "delete from tile where number = 1", []);
    });
    victim.finds("swapped", "tile/0/000", |db| {
        set(db, "update tile set number = 1 - number + 10", []);
        set(db, "update tile set number = number - 10", []);
    });
}

#[test]
fn the_checkpoint_and_what_is_kept_beside_it() {
    let victim = Victim::new();
    let mut random = Random::new(6);
    for _ in 0..40 {
        victim.finds("a bit of the note", "checkpoint", |db| {
            flip(db, &mut random, "epoch", "note", "true");
        });
    }
    for column in ["size", "root"] {
        victim.finds(column, "checkpoint", |db| {
            flip(db, &mut random, "epoch", column, "true");
        });
    }
    victim.finds("the first number", "entry", |db| {
        flip(db, &mut random, "epoch", "first_seq", "true");
    });
    victim.finds("it is taken away", "checkpoint", |db| {
        set(
            db,
            "update epoch set note = null, root = null, size = 0",
            [],
        );
    });
    victim.finds("all is taken away", "no epoch", |db| {
        set(db, "delete from epoch", []);
    });
}
