//! How much memory a camera's session may take: what it receives and has not made into a picture yet.
//!
//! The RTSP library bounds neither a header, nor a description, nor an access unit, and offers no place to do so. So each
//! time it is polled, what is allocated before and after is compared: a session is charged with what was allocated while it
//! ran. Other threads allocate and free meanwhile too, but far less than a session must take before anything follows.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::Poll;

use tokio::runtime::Handle;

use crate::base::memory;
use crate::catalog::GapCause;
use crate::ingest::Ended;

/// Most that may come between two pictures, in bytes. An access unit of 16 MiB (the bound of one) lies in a ring of 32 MiB,
/// since rings double, and once more as a whole: that fits. The next size of the ring does not.
const BETWEEN_PICTURES_MAX: i64 = 48 << 20;
/// Most that may come before the stream begins, in bytes: answers and a description take some KiB.
const BEFORE_PLAY_MAX: i64 = 2 << 20;

/// What the sessions of all cameras together may take. Cheap to clone: all clones are the same.
#[derive(Clone, Debug)]
pub struct Allowance(Arc<All>);

#[derive(Debug)]
struct All {
    bytes_max: i64,
    next: AtomicU64,
    held: Mutex<Held>,
}

/// The most that each session has taken between two pictures: the library's buffers do not shrink.
#[derive(Default, Debug)]
struct Held {
    by_session: BTreeMap<u64, i64>,
    /// The sum of these.
    bytes: i64,
}

impl Held {
    fn set(&mut self, id: u64, bytes: i64) {
        self.bytes += bytes - self.by_session.insert(id, bytes).unwrap_or_default();
    }

    fn remove(&mut self, id: u64) {
        self.bytes -= self.by_session.remove(&id).unwrap_or_default();
    }
}

impl All {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Allowance {
    /// At most `bytes` for all sessions together.
    pub fn of(bytes: usize) -> Self {
        Self(Arc::new(All {
            bytes_max: i64::try_from(bytes).unwrap_or(i64::MAX),
            next: AtomicU64::new(0),
            held: Mutex::default(),
        }))
    }

    /// An account for connecting.
    pub(super) fn before_play(&self) -> Account {
        self.account(BEFORE_PLAY_MAX, "before the stream began")
    }

    /// An account for a stream that plays.
    pub(super) fn playing(&self) -> Account {
        self.account(BETWEEN_PICTURES_MAX, "without a whole picture")
    }

    fn account(&self, max: i64, when: &'static str) -> Account {
        Account {
            all: Arc::clone(&self.0),
            id: self.0.next.fetch_add(1, Ordering::Relaxed),
            max,
            when,
            since_picture: 0,
            most: 0,
        }
    }
}

/// One session's.
pub(super) struct Account {
    all: Arc<All>,
    id: u64,
    max: i64,
    when: &'static str,
    /// Bytes taken since the last picture.
    since_picture: i64,
    /// The most that ever was.
    most: i64,
}

impl Account {
    /// A picture was handed out: what it took is somebody else's.
    pub(super) fn picture(&mut self) {
        self.since_picture = 0;
    }

    fn charge(&mut self, bytes: i64) {
        self.since_picture += bytes;
        if self.since_picture > self.most {
            self.most = self.since_picture;
            self.all.held().set(self.id, self.most);
        }
    }

    /// Why the session must end now, if it must: it has taken too much itself, or all together have and this one most.
    pub(super) fn overdrawn(&self) -> Option<Ended> {
        let mib = |bytes: i64| bytes >> 20;
        if self.since_picture > self.max {
            return Some(Ended::new(
                GapCause::Protocol,
                format!(
                    "more than {} MiB came {}; is it the camera, and its firmware sound?",
                    mib(self.max),
                    self.when
                ),
            ));
        }
        let held = self.all.held();
        if held.bytes <= self.all.bytes_max
            || held.by_session.values().any(|most| *most > self.most)
        {
            return None;
        }
        Some(Ended::new(
            GapCause::Protocol,
            format!(
                "what the cameras send takes more than {} MiB together (receive_mib), and this one's {} MiB the most",
                mib(self.all.bytes_max),
                mib(self.most)
            ),
        ))
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.all.held().remove(self.id);
    }
}

/// What came of a future that was charged.
pub(super) enum Charged<T> {
    /// It is done.
    Done(T),
    /// It took too much; it must not be polled again, and be dropped [`silently`].
    Overdrawn(Ended),
}

/// Polls `future`, each time charging `account` with what was allocated meanwhile.
pub(super) async fn charged<T>(
    account: &mut Account,
    mut future: Pin<&mut (impl Future<Output = T> + ?Sized)>,
) -> Charged<T> {
    poll_fn(|context| {
        let before = memory::allocated_bytes();
        let polled = future.as_mut().poll(context);
        let bytes = memory::allocated_bytes() - before;
        if bytes != 0 {
            account.charge(bytes);
        }
        match polled {
            Poll::Ready(done) => Poll::Ready(Charged::Done(done)),
            // Looked at only when something came: a lock is taken for it.
            Poll::Pending if bytes > 0 => match account.overdrawn() {
                Some(ended) => Poll::Ready(Charged::Overdrawn(ended)),
                None => Poll::Pending,
            },
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Drops `value` where nothing that it begins can live on: a session that is dropped would else go on in the background, to
/// say goodbye, and read whatever the camera answers.
pub(super) fn silently<T>(value: T) {
    let _context = nowhere().map(Handle::enter);
    drop(value);
}

/// A runtime that has ended: what is spawned on it is dropped at once.
fn nowhere() -> Option<&'static Handle> {
    static NOWHERE: OnceLock<Option<Handle>> = OnceLock::new();
    NOWHERE
        .get_or_init(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().build().ok()?;
            let handle = runtime.handle().clone();
            runtime.shutdown_background();
            Some(handle)
        })
        .as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;

    const MIB: usize = 1 << 20;

    /// A peer of which so many MiB come with each poll.
    async fn take(held: &mut Vec<Vec<u8>>, mib: usize, polls: usize) {
        for _ in 0..polls {
            held.push(vec![1; mib * MIB]);
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_session_ends_when_it_takes_too_much_between_two_pictures() {
        let allowance = Allowance::of(1 << 30);
        let mut account = allowance.playing();
        for _ in 0..3 {
            let mut held = Vec::new();
            let taken = charged(&mut account, pin!(take(&mut held, 8, 5))).await;
            assert!(matches!(taken, Charged::Done(())), "40 MiB are a picture's");
            account.picture();
        }
        let mut held = Vec::new();
        let taken = charged(&mut account, pin!(take(&mut held, 8, 50))).await;
        let Charged::Overdrawn(ended) = taken else {
            panic!("400 MiB are too much");
        };
        assert_eq!(ended.cause, GapCause::Protocol);
        assert!(ended.detail.contains("48 MiB"), "{}", ended.detail);
        assert!((6..9).contains(&held.len()), "at once: {}", held.len());
    }

    #[tokio::test]
    async fn before_the_stream_begins_little_is_enough() {
        let allowance = Allowance::of(1 << 30);
        let mut account = allowance.before_play();
        let mut held = Vec::new();
        let taken = charged(&mut account, pin!(take(&mut held, 1, 50))).await;
        assert!(matches!(taken, Charged::Overdrawn(_)));
        assert!(held.len() < 5, "{}", held.len());
    }

    #[tokio::test]
    async fn when_all_together_take_too_much_the_largest_ends() {
        let allowance = Allowance::of(64 * MIB);
        let (mut small, mut large) = (allowance.playing(), allowance.playing());
        let (mut of_small, mut of_large) = (Vec::new(), Vec::new());
        let taken = charged(&mut large, pin!(take(&mut of_large, 4, 9))).await;
        assert!(matches!(taken, Charged::Done(())));
        let taken = charged(&mut small, pin!(take(&mut of_small, 4, 8))).await;
        assert!(
            matches!(taken, Charged::Done(())),
            "it is not the one that took most"
        );
        let ended = large.overdrawn().expect("68 MiB are too much together");
        assert!(ended.detail.contains("receive_mib"), "{}", ended.detail);
        drop(large);
        assert!(small.overdrawn().is_none(), "there is room again");
    }

    #[tokio::test]
    async fn what_is_dropped_silently_begins_nothing() {
        struct Talker(Arc<()>);
        impl Drop for Talker {
            fn drop(&mut self) {
                let kept = Arc::clone(&self.0);
                tokio::spawn(async move {
                    std::future::pending::<()>().await;
                    drop(kept);
                });
            }
        }
        let witness = Arc::new(());
        silently(Talker(Arc::clone(&witness)));
        assert_eq!(
            Arc::strong_count(&witness),
            1,
            "the task was dropped at once"
        );
        drop(Talker(Arc::clone(&witness)));
        assert_eq!(Arc::strong_count(&witness), 2, "as it would have gone on");
    }
}
