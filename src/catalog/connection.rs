//! Opening the database file: whose it is, which version, how durable. Migrations.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior, params};

use crate::base::clock::SystemClock;
use crate::base::disk;
use crate::base::error::{Context, Error, Kind, Result};
use crate::base::id::BoxId;
use crate::catalog::{ledger, migrate};

/// The whole schema as a new catalog gets it.
const SCHEMA: &str = include_str!("schema.sql");

/// What makes one version of the one before: SQL, then what SQL cannot do.
struct Step {
    sql: &'static str,
    then: fn(&Connection) -> Result<()>,
}

/// Step N makes version N + 1 of version N. When the schema changes, the change is appended as a step, and `schema.sql`
/// shows the sum.
const STEPS: [Step; 8] = [
    Step {
        sql: include_str!("schema_1.sql"),
        then: |_| Ok(()),
    },
    Step {
        sql: include_str!("step_2.sql"),
        then: migrate::events_to_ledger,
    },
    Step {
        sql: include_str!("step_3.sql"),
        then: |_| Ok(()),
    },
    Step {
        sql: include_str!("step_4.sql"),
        then: |_| Ok(()),
    },
    Step {
        sql: include_str!("step_5.sql"),
        then: |_| Ok(()),
    },
    Step {
        sql: include_str!("step_6.sql"),
        then: migrate::classes_of_details,
    },
    Step {
        sql: include_str!("step_7.sql"),
        then: |_| Ok(()),
    },
    Step {
        sql: include_str!("step_8.sql"),
        then: |_| Ok(()),
    },
];

/// Marks the file as a catalog of ours (`pragma application_id`): "SiNT".
const APPLICATION_ID: i32 = i32::from_be_bytes(*b"SiNT");

/// How long a connection waits for another's lock.
pub(super) const BUSY_WAIT: Duration = Duration::from_secs(5);

/// Statements kept prepared: more than the module has.
const STATEMENTS_MAX: usize = 144;

/// Same for both kinds of connection; `cache_size` is 2 MiB, whatever the size of the catalog.
const PRAGMAS: &str =
    "pragma foreign_keys = on; pragma temp_store = memory; pragma cache_size = -2048;
    pragma trusted_schema = off; pragma cell_size_check = on;";

/// An acknowledged row survives a power cut; what is deleted is overwritten; the log stays below 16 MiB.
const WRITER_PRAGMAS: &str =
    "pragma synchronous = full; pragma secure_delete = on; pragma journal_size_limit = 16777216;";

/// The one connection that writes. Makes the file when it is missing, migrates it when it is older.
///
/// # Errors
/// [`Kind::Foreign`] for a file of another box, program or newer version; [`Kind::Invalid`] on a network file system;
/// else what SQLite says.
pub(super) fn open_writer(path: &Path, box_id: BoxId) -> Result<Connection> {
    let dir = path
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    if let Some(name) = disk::remote_file_system(dir)? {
        return Err(Error::invalid(format!(
            "{name} cannot keep the catalog {} safe; choose a state folder on a local disk",
            path.display()
        )));
    }
    match disk::DiskFile::create_new(path, disk::SECRET_MODE) {
        Ok(_) => disk::sync_dir(dir)?,
        Err(e) if e.kind() == Kind::Exists => {}
        Err(e) => return Err(e),
    }
    let mut db = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let found = look_at(&db)?;
    if !found.is_empty {
        check(&db, box_id, found)?;
    }
    let mode: String = db.query_row("pragma journal_mode = wal", [], |row| row.get(0))?;
    if mode != "wal" {
        let text =
            format!("SQLite keeps a journal of mode {mode} where a write-ahead log is needed");
        return Err(Error::new(Kind::Io, text));
    }
    db.execute_batch(WRITER_PRAGMAS)?;
    if found.is_empty {
        create(&mut db, box_id)?;
    } else {
        migrate(&mut db, found.version)?;
    }
    Ok(db)
}

/// A connection that can only read.
///
/// # Errors
/// As [`open_writer`]; a catalog of an older version is [`Kind::Invalid`] until a writer has migrated it.
pub(super) fn open_reader(path: &Path, box_id: BoxId) -> Result<Connection> {
    let db = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let found = look_at(&db)?;
    check(&db, box_id, found)?;
    if found.version < version() {
        return Err(Error::invalid(
            "it was made by an older version of Sinetti; starting the recorder brings it up to date",
        ));
    }
    Ok(db)
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection> {
    let db = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    db.busy_timeout(BUSY_WAIT)?;
    db.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    db.execute_batch(PRAGMAS)?;
    Ok(db)
}

/// The version that this build writes.
fn version() -> usize {
    STEPS.len()
}

/// What a file says of itself.
#[derive(Clone, Copy)]
struct Found {
    application_id: i32,
    version: usize,
    is_empty: bool,
}

fn look_at(db: &Connection) -> Result<Found> {
    let number = |name| db.query_row(&format!("pragma {name}"), [], |row| row.get::<_, i32>(0));
    let application_id = number("application_id")?;
    let version = usize::try_from(number("user_version")?).unwrap_or(usize::MAX);
    let tables: i64 = db.query_row("select count(*) from sqlite_schema", [], |row| row.get(0))?;
    Ok(Found {
        application_id,
        version,
        is_empty: application_id == 0 && version == 0 && tables == 0,
    })
}

fn check(db: &Connection, box_id: BoxId, found: Found) -> Result<()> {
    let foreign = |text: String| Err(Error::new(Kind::Foreign, text));
    if found.application_id != APPLICATION_ID || found.version == 0 {
        return foreign("it is no catalog of Sinetti".to_owned());
    }
    if found.version > version() {
        return foreign(format!(
            "it was made by a newer version of Sinetti (format {}, this one knows up to {})",
            found.version,
            version()
        ));
    }
    let owner: BoxId = db.query_row("select box from meta", [], |row| row.get(0))?;
    if owner != box_id {
        return foreign(format!("it belongs to box {owner}, this is box {box_id}"));
    }
    Ok(())
}

fn create(db: &mut Connection, box_id: BoxId) -> Result<()> {
    let all = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    all.execute_batch(SCHEMA)?;
    all.execute(
        "insert into meta (id, box, created_us, format) values (1, ?, ?, ?)",
        params![
            box_id,
            SystemClock::shared().wall(),
            i64::try_from(version()).unwrap_or(i64::MAX)
        ],
    )?;
    ledger::begin(&all, SystemClock::shared().wall())?;
    all.execute_batch(&format!(
        "pragma application_id = {APPLICATION_ID}; pragma user_version = {}",
        version()
    ))?;
    Ok(all.commit()?)
}

fn migrate(db: &mut Connection, from: usize) -> Result<()> {
    for (before, step) in STEPS.iter().enumerate().skip(from) {
        let what = || {
            format!(
                "bringing the catalog from version {before} to {}",
                before + 1
            )
        };
        let one = db
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .context(what)?;
        one.execute_batch(step.sql).context(what)?;
        (step.then)(&one).context(what)?;
        one.execute_batch(&format!("pragma user_version = {}", before + 1))
            .context(what)?;
        one.commit().context(what)?;
    }
    Ok(())
}

/// A catalog of the first version with one person, who opens its one generation, for tests of what becomes of it.
#[cfg(test)]
pub(crate) fn first_version(
    path: &Path,
    box_id: BoxId,
    person: crate::base::id::PersonId,
    name: &str,
) -> Result<()> {
    let db = Connection::open(path)?;
    db.execute_batch(include_str!("schema_1.sql"))?;
    db.execute(
        "insert into meta (id, box, created_us, format) values (1, ?, 1000000, 1)",
        params![box_id],
    )?;
    db.execute(
        "insert into person (uuid, name, row) values (?, ?, '{}')",
        params![person, name],
    )?;
    let generation = crate::base::id::GenerationId::random();
    db.execute(
        "insert into generation (uuid, recipient, created_us, current) values (?, 'age1', 1000000, 1)",
        params![generation],
    )?;
    for holder in [Some(person), None] {
        db.execute(
            "insert into wrap (generation, person, bytes) values (?, ?, x'01')",
            params![generation, holder],
        )?;
    }
    db.execute_batch(&format!(
        "pragma application_id = {APPLICATION_ID}; pragma user_version = 1"
    ))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn schema_of(db: &Connection) -> Vec<String> {
        let mut rows = db
            .prepare("select type || ' ' || name || ' ' || coalesce(sql, '') from sqlite_schema order by 1")
            .expect("statement");
        let rows = rows.query_map([], |row| row.get(0)).expect("query");
        rows.map(|row| row.expect("row")).collect()
    }

    #[test]
    fn a_migrated_schema_equals_a_fresh_one() {
        let dir = tempfile::tempdir().expect("dir");
        let fresh = open_writer(&dir.path().join("fresh"), BoxId::random()).expect("fresh");
        let mut migrated = Connection::open_in_memory().expect("memory");
        migrate(&mut migrated, 0).expect("all steps");
        assert_eq!(schema_of(&fresh), schema_of(&migrated));
    }

    #[test]
    fn alarms_keep_their_rows_and_numbers_when_kinds_are_added() {
        let mut db = Connection::open_in_memory().expect("memory");
        for step in &STEPS[..4] {
            db.execute_batch(step.sql).expect("an older schema");
            (step.then)(&db).expect("and its code");
        }
        db.execute_batch(
            "insert into alarm (id, kind, object, detail, raised_us) values (3, 'gap', 'a', 'b', 7), (9, 'gap', 'c', 'd', 8);
             delete from alarm where id = 9",
        )
        .expect("rows");
        migrate(&mut db, 4).expect("the step");
        db.execute(
            "insert into alarm (kind, object, detail, raised_us) values ('hold-review', 'holds', 'x', 9)",
            [],
        )
        .expect("a new kind");
        let mut rows = db
            .prepare("select id, kind, raised_us from alarm order by id")
            .expect("statement");
        let rows = rows.query_map([], |row| {
            Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?))
        });
        let rows: Vec<(i64, String, i64)> = rows.expect("query").map(|r| r.expect("row")).collect();
        let want = [(3, "gap".to_owned(), 7), (10, "hold-review".to_owned(), 9)];
        assert_eq!(rows, want, "no number twice");
    }

    #[test]
    fn a_catalog_of_another_box_program_or_version_is_refused() {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("catalog");
        let ours = BoxId::random();
        let kind = |box_id| open_writer(&path, box_id).map(drop).map_err(|e| e.kind());
        kind(ours).expect("created");
        kind(ours).expect("opened again");
        open_reader(&path, ours).expect("reader");
        assert_eq!(kind(BoxId::random()), Err(Kind::Foreign));
        assert_eq!(
            open_reader(&path, BoxId::random())
                .expect_err("foreign")
                .kind(),
            Kind::Foreign
        );
        let set = |sql: &str| {
            let db = Connection::open(&path).expect("open");
            db.execute_batch(sql).expect("pragma");
        };
        set("pragma user_version = 999");
        let newer = open_writer(&path, ours).expect_err("newer");
        assert_eq!(newer.kind(), Kind::Foreign);
        assert!(
            newer.to_string().contains("newer version of Sinetti"),
            "{newer}"
        );
        set("pragma user_version = 2; pragma application_id = 7");
        assert_eq!(kind(ours), Err(Kind::Foreign));
    }

    #[test]
    fn a_file_that_is_no_database_is_not_touched() {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("catalog");
        let bytes = [b'x'; 5000];
        disk::create(&path, &bytes, 0o600).expect("file");
        assert_eq!(
            open_writer(&path, BoxId::random())
                .expect_err("no database")
                .kind(),
            Kind::Corrupt
        );
        assert_eq!(std::fs::read(&path).expect("read"), bytes);
    }

    #[test]
    fn the_writer_is_durable_and_overwrites_what_it_deletes() {
        let dir = tempfile::tempdir().expect("dir");
        let db = open_writer(&dir.path().join("catalog"), BoxId::random()).expect("open");
        let number =
            |name: &str| db.query_row(&format!("pragma {name}"), [], |row| row.get::<_, i64>(0));
        assert_eq!(number("synchronous"), Ok(2));
        assert_eq!(number("secure_delete"), Ok(1));
        assert_eq!(number("foreign_keys"), Ok(1));
        assert_eq!(number("temp_store"), Ok(2));
        assert_eq!(number("cache_size"), Ok(-2048));
        for file in std::fs::read_dir(dir.path()).expect("files") {
            let file = file.expect("file");
            let mode = file.metadata().expect("mode").permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{file:?}");
        }
    }
}
