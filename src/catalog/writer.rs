//! The one thread that writes, and how others hand it their commits.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

use rusqlite::Connection;

use crate::base::error::{Context, Error, Kind, Result};
use crate::base::id::BoxId;
use crate::catalog::change::{self, Change};
use crate::catalog::connection;
use crate::catalog::event::{self, Event, Phase};
use crate::catalog::reader::Reader;
use crate::catalog::signing::{Signing, Trouble};
use crate::ledger::checkpoint::Signer;

/// Commits that may wait for the thread.
const QUEUE_MAX: usize = 1024;

/// Commits that share one transaction, so that the first of them does not wait for ever.
const GROUP_MAX: usize = 256;

/// Called once with the outcome, on the writer's thread: it must be short and must not call the catalog.
type Done = Box<dyn FnOnce(Result<Written>) + Send>;

/// The number of the entry that was written, if one was.
type Written = Option<u64>;

/// Tells the sender of a commit how it went; also when the thread ends without having come to it.
struct Answer(Option<Done>);

impl Answer {
    fn give(mut self, result: Result<Written>) {
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
    trouble: Trouble,
    unwritable: Trouble,
}

/// Something that hands out what is sealed, begun: its intent is in the ledger.
#[derive(Debug)]
#[must_use = "an act has an outcome, which Catalog::end_act writes"]
pub struct Act {
    intent: Event,
    seq: u64,
}

impl Act {
    /// Number of the entry of its intent.
    pub fn seq(&self) -> u64 {
        self.seq
    }
}

/// A commit under way.
#[must_use = "a commit is durable only when waiting for it succeeded"]
pub struct Pending(Receiver<Result<Written>>);

impl Pending {
    /// Waits until the commit is durable.
    ///
    /// # Errors
    /// As [`Catalog::commit`].
    pub fn wait(self) -> Result<()> {
        self.wait_seq().map(drop)
    }

    /// Waits until the commit is durable; the number of its entry, if it has one.
    ///
    /// # Errors
    /// As [`Catalog::commit`].
    pub fn wait_seq(self) -> Result<Option<u64>> {
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
        Self::start(path, box_id, None, Trouble::default())
    }

    /// As [`Catalog::open`], and what is written is signed: a second after an entry became durable at the latest, and at
    /// the end. When the ledger does not agree with its last checkpoint nothing is signed, and [`Catalog::trouble`] says
    /// so. A key that cannot be had is such a trouble too: recording goes on without.
    ///
    /// # Errors
    /// As [`Catalog::open`].
    pub fn open_signing(path: &Path, box_id: BoxId, signer: Result<Signer>) -> Result<Self> {
        let trouble = Trouble::default();
        let signer = match signer {
            Ok(signer) => Some(signer),
            Err(e) => {
                log::error!("the ledger is not signed: {e}");
                trouble.set(Some(e.to_string()));
                None
            }
        };
        Self::start(path, box_id, signer, trouble)
    }

    fn start(path: &Path, box_id: BoxId, signer: Option<Signer>, trouble: Trouble) -> Result<Self> {
        let what = || format!("opening the catalog {}", path.display());
        let db = connection::open_writer(path, box_id).context(what)?;
        let (sender, receiver) = sync_channel(QUEUE_MAX);
        let signing = Signing::new(&db, box_id, signer, trouble.clone());
        let unwritable = Trouble::default();
        let told = unwritable.clone();
        let thread = Builder::new()
            .name("catalog".to_owned())
            .spawn(move || run(db, signing, &receiver, &told))
            .context(what)?;
        Ok(Self {
            sender,
            thread: Mutex::new(Some(thread)),
            path: path.to_owned(),
            box_id,
            trouble,
            unwritable,
        })
    }

    /// Why nothing is signed, if so.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.get()
    }

    /// Why what was to be written last could not be, if so: no room, or an error of the disk.
    pub fn unwritable(&self) -> Option<String> {
        self.unwritable.get()
    }

    /// Writes an event; its number, unless it was only counted. One that begins an act is as [`Catalog::begin_act`].
    ///
    /// # Errors
    /// As [`Catalog::begin_act`].
    pub fn note(&self, event: Event) -> Result<Option<u64>> {
        match event.phase {
            Phase::Begun => self.begin_act(event, Vec::new()).map(|act| Some(act.seq)),
            _ => self.commit_pending(Vec::new(), event).wait_seq(),
        }
    }

    /// Writes the intent of an act, with the changes that go with it, before its first byte is handed out. Without it the
    /// act must not happen.
    ///
    /// # Errors
    /// As [`Catalog::commit`]; [`Kind::Corrupt`] when the ledger does not agree with its last checkpoint.
    pub fn begin_act(&self, event: Event, changes: impl Into<Vec<Change>>) -> Result<Act> {
        let what = || "the ledger cannot take this act, so it does not happen";
        if let Some(trouble) = self.trouble() {
            let text = format!("{trouble}. Look with: sinetti ledger verify");
            return Err(Error::corrupt(text).attempted(what()));
        }
        let intent = Event {
            result: "begun".to_owned(),
            phase: Phase::Begun,
            frequent: false,
            ..event
        };
        let seq = self
            .commit_pending(changes, intent.clone())
            .wait_seq()
            .context(what)?
            .ok_or_else(|| Error::new(Kind::Internal, "an intent without an entry"))?;
        Ok(Act { intent, seq })
    }

    /// Writes the outcome of an act.
    ///
    /// # Errors
    /// As [`Catalog::commit`]; then the act is closed as interrupted at the next start.
    pub fn end_act(
        &self,
        act: Act,
        outcome: Event,
        changes: impl Into<Vec<Change>>,
    ) -> Result<u64> {
        let of = act.seq;
        let event = Event {
            phase: Phase::Ended { of },
            frequent: false,
            actor: act.intent.actor,
            action: act.intent.action,
            object: act.intent.object,
            ..outcome
        };
        let written = self.commit_pending(changes, event).wait_seq()?;
        written.ok_or_else(|| Error::new(Kind::Internal, "an outcome without an entry"))
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
            answer: Answer(Some(Box::new(move |result| on_done(result.map(drop))))),
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

fn run(
    mut db: Connection,
    mut signing: Signing,
    receiver: &Receiver<Message>,
    unwritable: &Trouble,
) -> Result<()> {
    let mut open = true;
    while open {
        let mut next = match signing.wait() {
            None => receiver.recv().ok(),
            Some(wait) => match receiver.recv_timeout(wait) {
                Ok(message) => Some(message),
                Err(RecvTimeoutError::Timeout) => {
                    signing.sign(&mut db);
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => None,
            },
        };
        let mut group = Vec::new();
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
        signing.noticed(group.iter().flat_map(|commit| &commit.changes));
        if !group.is_empty() {
            unwritable.set(write_group(&mut db, group));
        }
        if signing.is_due() {
            signing.sign(&mut db);
        }
    }
    signing.sign(&mut db);
    // Readers may keep the log from being emptied; then the next start does it.
    db.query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(()))?;
    db.close().map_err(|(_, e)| e.into())
}

/// Writes a group in one transaction and answers each of it; why the disk would have nothing of it, if so.
fn write_group(db: &mut Connection, group: Vec<Commit>) -> Option<String> {
    let mut written = Vec::with_capacity(group.len());
    let mut failed = Vec::new();
    let outcome = write_all(db, group, &mut written, &mut failed);
    for (answer, error) in failed {
        answer.give(Err(error));
    }
    for (answer, seq) in written {
        answer.give(match &outcome {
            Ok(()) => Ok(seq),
            Err(e) => Err(Error::new(e.kind(), e.to_string())),
        });
    }
    outcome.err().map(|e| e.to_string())
}

/// `written` stand or fall with what this returns; `failed` have failed by themselves.
fn write_all(
    db: &mut Connection,
    group: Vec<Commit>,
    written: &mut Vec<(Answer, Written)>,
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
            written.push((commit.answer, None));
            continue;
        }
        match write_one(db, &commit.changes, commit.event.as_ref()) {
            Ok(seq) => written.push((commit.answer, seq)),
            // SQLite itself has rolled back everything: no room, or an error of the disk.
            Err(e) if db.is_autocommit() => {
                begun = Err(e);
                written.push((commit.answer, None));
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

fn write_one(db: &mut Connection, changes: &[Change], event: Option<&Event>) -> Result<Written> {
    let one = db.savepoint()?;
    for change in changes {
        change::apply(&one, change)?;
    }
    let seq = match event {
        Some(event) => event::insert(&one, event)?,
        None => None,
    };
    one.commit()?;
    Ok(seq)
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
