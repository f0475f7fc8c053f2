//! How far packages are, for whoever asks, and who was told to stop. In memory only.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::base::error::Result;
use crate::base::id::DisclosureId;
use crate::base::time::Mono;
use crate::disclosure::packages::Progress;

/// One package.
#[derive(Clone, Debug)]
struct Line {
    number: u64,
    phase: &'static str,
    bytes_done: u64,
    bytes_total: u64,
    /// Since when bytes are made.
    since: Option<Mono>,
    cancelled: bool,
}

/// All that wait or are being made. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Lines(Arc<Inside>);

#[derive(Default)]
struct Inside {
    lines: Mutex<BTreeMap<DisclosureId, Line>>,
    /// Told when somebody is to stop.
    stopped: Condvar,
    closed: AtomicBool,
    begun: AtomicU64,
}

impl Lines {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<DisclosureId, Line>> {
        self.0.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets `time` pass, or less when somebody is told to stop meanwhile.
    pub(super) fn pause(&self, time: Duration) {
        let lines = self.lock();
        let waited = self.0.stopped.wait_timeout(lines, time);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// The thread is to end.
    pub(super) fn close(&self) {
        self.0.closed.store(true, Ordering::Release);
        self.0.stopped.notify_all();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.0.closed.load(Ordering::Acquire)
    }

    /// All are to stop.
    pub(super) fn cancel_all(&self) {
        self.lock()
            .values_mut()
            .for_each(|line| line.cancelled = true);
        self.0.stopped.notify_all();
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    /// Queues a job with `write`, which writes its row: nobody sees the row and no line. The line's number.
    ///
    /// # Errors
    /// What `write` says.
    pub(super) fn queue(
        &self,
        (disclosure, bytes_total): (DisclosureId, u64),
        write: impl FnOnce() -> Result<()>,
    ) -> Result<u64> {
        let mut lines = self.lock();
        write()?;
        let number = self.0.begun.fetch_add(1, Ordering::Relaxed);
        let line = Line {
            number,
            phase: "queued",
            bytes_done: 0,
            bytes_total,
            since: None,
            cancelled: false,
        };
        lines.insert(disclosure, line);
        Ok(number)
    }

    pub(super) fn has(&self, disclosure: DisclosureId) -> bool {
        self.lock().contains_key(&disclosure)
    }

    /// The job with that number is over; the next for the same disclosure may wait already.
    pub(super) fn remove(&self, disclosure: DisclosureId, number: u64) {
        let mut lines = self.lock();
        if lines
            .get(&disclosure)
            .is_some_and(|line| line.number == number)
        {
            lines.remove(&disclosure);
        }
    }

    pub(super) fn phase(&self, disclosure: DisclosureId, phase: &'static str) {
        if let Some(line) = self.lock().get_mut(&disclosure) {
            line.phase = phase;
        }
    }

    /// Something begins that is counted for itself, of so many bytes in all.
    pub(super) fn begin(&self, disclosure: DisclosureId, phase: &'static str, bytes_total: u64) {
        if let Some(line) = self.lock().get_mut(&disclosure) {
            (line.phase, line.bytes_done, line.bytes_total) = (phase, 0, bytes_total);
            line.since = None;
        }
    }

    /// More was made; what is known of the whole meanwhile.
    pub(super) fn wrote(&self, disclosure: DisclosureId, bytes: u64, now: Mono) {
        if let Some(line) = self.lock().get_mut(&disclosure) {
            line.since.get_or_insert(now);
            line.bytes_done += bytes;
            line.bytes_total = line.bytes_total.max(line.bytes_done);
        }
    }

    /// True when there was one to cancel.
    pub(super) fn cancel(&self, disclosure: DisclosureId) -> bool {
        let mut lines = self.lock();
        let line = lines.get_mut(&disclosure);
        let there = line.map(|line| line.cancelled = true);
        self.0.stopped.notify_all();
        there.is_some()
    }

    pub(super) fn is_cancelled(&self, disclosure: DisclosureId) -> bool {
        self.lock()
            .get(&disclosure)
            .is_some_and(|line| line.cancelled)
    }

    pub(super) fn progress(&self, disclosure: DisclosureId, now: Mono) -> Option<Progress> {
        let lines = self.lock();
        let line = lines.get(&disclosure)?;
        Some(Progress {
            phase: line.phase,
            bytes_done: line.bytes_done,
            bytes_total: line.bytes_total,
            left: line.since.and_then(|since| left(line, now.since(since))),
        })
    }
}

/// As fast as until now; nothing is told in the first second.
fn left(line: &Line, spent: Duration) -> Option<Duration> {
    let spent_ms = u64::try_from(spent.as_millis())
        .ok()
        .filter(|ms| *ms >= 1000)?;
    let to_do = line.bytes_total.saturating_sub(line.bytes_done);
    let ms = u128::from(spent_ms) * u128::from(to_do) / u128::from(line.bytes_done.max(1));
    u64::try_from(ms).ok().map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_follows_from_the_time_spent() {
        let (lines, id) = (Lines::default(), DisclosureId(12_345_678));
        let at = |secs: u64| Mono(secs * 1_000_000);
        let number = lines.queue((id, 4000), || Ok(())).expect("begun");
        lines.remove(id, number + 1);
        assert!(lines.has(id), "another's");
        assert_eq!(lines.progress(id, at(0)).expect("there").left, None);
        lines.wrote(id, 1000, at(10));
        assert_eq!(lines.progress(id, at(10)).expect("there").left, None);
        let known = lines.progress(id, at(12)).expect("there");
        assert_eq!(known.left, Some(Duration::from_secs(6)));
        lines.wrote(id, 5000, at(14));
        let known = lines.progress(id, at(14)).expect("there");
        assert_eq!(
            (known.bytes_total, known.left),
            (6000, Some(Duration::ZERO))
        );
        lines.begin(id, "viewing", 500);
        let known = lines.progress(id, at(20)).expect("there");
        let expected = ("viewing", 0, 500, None);
        assert_eq!(
            (known.phase, known.bytes_done, known.bytes_total, known.left),
            expected
        );
        assert!(!lines.is_cancelled(id) && lines.cancel(id) && lines.is_cancelled(id));
        lines.remove(id, number);
        assert!(!lines.cancel(id) && lines.progress(id, at(20)).is_none());
    }
}
