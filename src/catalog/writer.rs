//! The one thread that writes, and how others hand it their commits.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

use rusqlite::Connection;

use crate::base::error::{Context, Error, Kind, Result};
use crate::base::id::BoxId;
use crate::catalog::change::{self, Change};
use crate::catalog::connection;
use crate::catalog::event::{self, Event};
use crate::catalog::reader::Reader;

/// Commits that may wait for the thread.
const QUEUE_MAX: usize = 1024;

/// Commits that share one transaction, so that the first of them does not wait for ever.
const GROUP_MAX: usize = 256;

/// Called once with the outcome, on the writer's thread: it must be short and must not call the catalog.
type Done = Box<dyn FnOnce(Result<()>) + Send>;

/// Tells the sender of a commit how it went; also when the thread ends without having come to it.
struct Answer(Option<Done>);

impl Answer {
    fn give(mut self, result: Result<()>) {
        if let Some(done) = self.0.take() {
            done(result);
        }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if let Some(done) = self.0.take() {
            done(Err(closed()));
        }
    }
}

struct Commit {
    changes: Vec<Change>,
    event: Option<Event>,
    answer: Answer,
}

enum Message {
    Commit(Box<Commit>),
    Close,
}

/// The catalog, open for writing. Shared by reference; dropping it closes it.
///
/// Each commit is atomic: its rows and its event are written together or not at all. Commits that arrive together
/// share a transaction; one that fails takes none of the others with it. Order is kept for each sender.
pub struct Catalog {
    sender: SyncSender<Message>,
    thread: Mutex<Option<JoinHandle<Result<()>>>>,
    path: PathBuf,
    box_id: BoxId,
}

/// A commit under way.
#[must_use = "a commit is durable only when waiting for it succeeded"]
pub struct Pending(Receiver<Result<()>>);

impl Pending {
    /// Waits until the commit is durable.
    ///
    /// # Errors
    /// As [`Catalog::commit`].
    pub fn wait(self) -> Result<()> {
        self.0.recv().unwrap_or_else(|_| Err(closed()))
    }
}

impl Catalog {
    /// Opens the catalog in the file `path` for writing; makes it, or brings it up to date. Only one process may: the
    /// caller holds the lock on the state folder.
    ///
    /// # Errors
    /// [`Kind::Foreign`] for a catalog of another box or of a newer version of Sinetti; [`Kind::Invalid`] on a network
    /// file system; [`Kind::Corrupt`] for a file that is no database; else what the operating system says.
    pub fn open(path: &Path, box_id: BoxId) -> Result<Self> {
        let what = || format!("opening the catalog {}", path.display());
        let db = connection::open_writer(path, box_id).context(what)?;
        let (sender, receiver) = sync_channel(QUEUE_MAX);
        let thread = Builder::new()
            .name("catalog".to_owned())
            .spawn(move || run(db, &receiver))
            .context(what)?;
        Ok(Self {
            sender,
            thread: Mutex::new(Some(thread)),
            path: path.to_owned(),
            box_id,
        })
    }

    /// Writes the changes and the event that answers for them, together; returns when they are durable. This is the
    /// one place where a row and its event are written.
    ///
    /// # Errors
    /// [`Kind::Exists`], [`Kind::NotFound`], [`Kind::Invalid`] as the changes say; [`Kind::Full`] or [`Kind::Io`] when
    /// the disk refuses; [`Kind::Unavailable`] after [`Catalog::close`]. Then nothing of it is written, except that
    /// after an [`Kind::Io`] error it may turn out to be there after a restart.
    pub fn commit(
        &self,
        changes: impl Into<Vec<Change>>,
        event: impl Into<Option<Event>>,
    ) -> Result<()> {
        self.commit_pending(changes, event).wait()
    }

    /// As [`Catalog::commit`], but returns a handle to wait on. Blocks while the queue is full.
    pub fn commit_pending(
        &self,
        changes: impl Into<Vec<Change>>,
        event: impl Into<Option<Event>>,
    ) -> Pending {
        let (answer, pending) = sync_channel(1);
        let commit = Box::new(Commit {
            changes: changes.into(),
            event: event.into(),
            answer: Answer(Some(Box::new(move |result| {
                // Nobody waits any more: the result is nobody's.
                answer.send(result).ok();
            }))),
        });
        // What cannot be sent is dropped and so answered: the catalog is closed.
        self.sender.send(Message::Commit(commit)).ok();
        Pending(pending)
    }

    /// As [`Catalog::commit`] for callers that must not block: never waits, and calls `on_done` exactly once: on the
    /// writer's thread, or here and now with [`Kind::Full`] when the queue is full and [`Kind::Unavailable`] when the
    /// catalog is closed. `on_done` must be short and must not commit anything itself.
    pub fn commit_later(
        &self,
        changes: impl Into<Vec<Change>>,
        event: impl Into<Option<Event>>,
        on_done: Box<dyn FnOnce(Result<()>) + Send>,
    ) {
        let commit = Box::new(Commit {
            changes: changes.into(),
            event: event.into(),
            answer: Answer(Some(on_done)),
        });
        // What is not sent because the catalog is closed is dropped and so answered.
        if let Err(TrySendError::Full(Message::Commit(unsent))) =
            self.sender.try_send(Message::Commit(commit))
        {
            let text = format!("{QUEUE_MAX} commits wait for the catalog already");
            unsent.answer.give(Err(Error::new(Kind::Full, text)));
        }
    }

    /// A connection of its own that reads what is committed.
    ///
    /// # Errors
    /// What SQLite or the operating system says.
    pub fn reader(&self) -> Result<Reader> {
        Reader::open(&self.path, self.box_id)
    }

    /// Writes what waits, moves the write-ahead log into the database, and ends the thread. Commits that come later
    /// are refused. Calling it again does nothing.
    ///
    /// # Errors
    /// What SQLite says of the last step; every commit has had its own answer.
    pub fn close(&self) -> Result<()> {
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(thread) = thread else { return Ok(()) };
        // When the thread is gone already, joining tells why.
        self.sender.send(Message::Close).ok();
        let ended = thread
            .join()
            .unwrap_or_else(|_| Err(Error::new(Kind::Internal, "the catalog's thread panicked")));
        ended.context(|| format!("closing the catalog {}", self.path.display()))
    }
}

impl Drop for Catalog {
    fn drop(&mut self) {
        if let Err(e) = self.close() {
            log::error!("{e}");
        }
    }
}

fn closed() -> Error {
    Error::new(Kind::Unavailable, "the catalog is closed")
}

fn run(mut db: Connection, receiver: &Receiver<Message>) -> Result<()> {
    let mut open = true;
    while open {
        let mut group = Vec::new();
        let mut next = receiver.recv().ok();
        loop {
            match next {
                Some(Message::Commit(commit)) => group.push(*commit),
                Some(Message::Close) => open = false,
                None if group.is_empty() => open = false,
                None => break,
            }
            if !open || group.len() == GROUP_MAX {
                break;
            }
            next = receiver.try_recv().ok();
        }
        write_group(&mut db, group);
    }
    // Readers may keep the log from being emptied; then the next start does it.
    db.query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(()))?;
    db.close().map_err(|(_, e)| e.into())
}

/// Writes a group in one transaction and answers each of it.
fn write_group(db: &mut Connection, group: Vec<Commit>) {
    let mut written = Vec::with_capacity(group.len());
    let mut failed = Vec::new();
    let outcome = write_all(db, group, &mut written, &mut failed);
    for (answer, error) in failed {
        answer.give(Err(error));
    }
    for answer in written {
        answer.give(match &outcome {
            Ok(()) => Ok(()),
            Err(e) => Err(Error::new(e.kind(), e.to_string())),
        });
    }
}

/// `written` stand or fall with what this returns; `failed` have failed by themselves.
fn write_all(
    db: &mut Connection,
    group: Vec<Commit>,
    written: &mut Vec<Answer>,
    failed: &mut Vec<(Answer, Error)>,
) -> Result<()> {
    if group.is_empty() {
        return Ok(());
    }
    let mut begun = db
        .execute_batch("begin immediate")
        .context(|| "writing to the catalog");
    for commit in group {
        if begun.is_err() {
            written.push(commit.answer);
            continue;
        }
        match write_one(db, &commit.changes, commit.event.as_ref()) {
            Ok(()) => written.push(commit.answer),
            // SQLite itself has rolled back everything: no room, or an error of the disk.
            Err(e) if db.is_autocommit() => {
                begun = Err(e);
                written.push(commit.answer);
            }
            Err(e) => failed.push((commit.answer, e)),
        }
    }
    begun
        .and_then(|()| {
            db.execute_batch("commit")
                .context(|| "making the catalog durable")
        })
        .inspect_err(|_| {
            if !db.is_autocommit() {
                // It fails only when there is nothing left to roll back.
                db.execute_batch("rollback").ok();
            }
        })
}

fn write_one(db: &mut Connection, changes: &[Change], event: Option<&Event>) -> Result<()> {
    let one = db.savepoint()?;
    for change in changes {
        change::apply(&one, change)?;
    }
    if let Some(event) = event {
        event::insert(&one, event)?;
    }
    Ok(one.commit()?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::base::time::Wall;

    /// Commits as one group; what each was answered.
    fn answers(
        db: &mut Connection,
        commits: Vec<(Vec<Change>, Option<Event>)>,
    ) -> Vec<Option<Kind>> {
        let (group, pending): (Vec<_>, Vec<_>) = commits
            .into_iter()
            .map(|(changes, event)| {
                let (send, pending) = sync_channel(1);
                let done: Done = Box::new(move |result| send.send(result).expect("room for one"));
                let answer = Answer(Some(done));
                (
                    Commit {
                        changes,
                        event,
                        answer,
                    },
                    Pending(pending),
                )
            })
            .unzip();
        write_group(db, group);
        pending
            .into_iter()
            .map(|p| p.wait().err().map(|e| e.kind()))
            .collect()
    }

    #[test]
    fn a_full_disk_fails_the_commit_and_not_the_catalog() {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("catalog");
        let box_id = BoxId::random();
        let mut db = connection::open_writer(&path, box_id).expect("open");
        let pages: i64 = db
            .query_row("pragma page_count", [], |row| row.get(0))
            .expect("pages");
        db.query_row(
            &format!("pragma max_page_count = {}", pages + 4),
            [],
            |_| Ok(()),
        )
        .expect("bound");
        let seen = |camera: &str| {
            let stream = format!("{camera}/main").parse().expect("stream");
            vec![Change::StreamSeen {
                stream,
                at: Wall::default(),
            }]
        };
        let event = |len: usize| {
            Some(Event::of_box(
                Wall::default(),
                "start",
                "box",
                json!("x".repeat(len)),
            ))
        };
        let group = vec![
            (seen("one"), None),
            (seen("two"), event(100_000)),
            (seen("three"), None),
        ];
        let told = answers(&mut db, group);
        assert_eq!(told[1], Some(Kind::Full));
        assert_eq!(answers(&mut db, vec![(seen("four"), event(1))]), [None]);

        let reader = Reader::open(&path, box_id).expect("reader");
        let streams = reader.streams().expect("query");
        let has = |camera: &str| {
            streams
                .iter()
                .any(|row| row.stream.camera.as_str() == camera)
        };
        assert_eq!(has("one"), told[0].is_none());
        assert!(!has("two"));
        assert_eq!(has("three"), told[2].is_none());
        assert!(has("four"));
        assert_eq!(reader.events(0, 10).expect("query").len(), 1);
        assert_eq!(
            reader.integrity_check().expect("check"),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_commit_that_nobody_came_to_is_answered() {
        let (send, receive) = sync_channel(1);
        let done: Done = Box::new(move |result| send.send(result).expect("room for one"));
        drop(Commit {
            changes: Vec::new(),
            event: None,
            answer: Answer(Some(done)),
        });
        assert_eq!(
            Pending(receive).wait().expect_err("dropped").kind(),
            Kind::Unavailable
        );
    }
}
