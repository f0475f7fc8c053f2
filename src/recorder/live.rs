//! Live pictures on their way to people who watch: each stream's access units, in the clear, in memory, before they are
//! sealed. What a watcher does not take in time is dropped up to the next key frame; recording never waits for one.
//!
//! What does not belong here: who may watch (`access`), how it travels (`http`).

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::base::error::{Error, Kind, Result};
use crate::base::id::StreamId;
use crate::base::time::Wall;
use crate::media::access_unit::SampleEntry;
use crate::media::segment::Sample;

/// Most watchers of all streams together.
pub const WATCHERS_MAX: usize = 512;
/// Most bytes that wait for one watcher.
pub const WAITING_BYTES_MAX: usize = 8 << 20;

/// A picture that was just received, in the clear.
#[derive(Debug)]
pub struct Picture {
    /// How it is decoded.
    pub entry: Arc<SampleEntry>,
    /// The picture.
    pub sample: Sample,
    /// Time of day of its decode time.
    pub at: Wall,
}

impl Picture {
    /// Time of day at which the next one follows.
    pub fn end(&self) -> Wall {
        self.at.plus_ticks(self.sample.duration)
    }
}

/// All streams and who watches them.
#[derive(Clone, Debug, Default)]
pub struct Live(Arc<Mutex<BTreeMap<StreamId, Vec<Arc<Seat>>>>>);

/// Where the pictures of one stream wait for one watcher.
#[derive(Debug, Default)]
struct Seat {
    waiting: Mutex<Waiting>,
    came: Notify,
}

#[derive(Debug)]
struct Waiting {
    pictures: VecDeque<Arc<Picture>>,
    bytes: usize,
    /// Pictures were left out since the watcher was slow.
    dropped: bool,
    /// Nothing is of use before the next key frame.
    needs_key: bool,
}

impl Default for Waiting {
    fn default() -> Self {
        Self {
            pictures: VecDeque::new(),
            bytes: 0,
            dropped: false,
            needs_key: true,
        }
    }
}

/// One who watches a stream. Dropping it ends that.
#[derive(Debug)]
pub struct Watcher {
    live: Live,
    stream: StreamId,
    seat: Arc<Seat>,
}

/// What a watcher gets.
#[derive(Debug)]
pub struct Seen {
    /// The next picture.
    pub picture: Arc<Picture>,
    /// Pictures before it were left out since the watcher was slow.
    pub dropped: bool,
}

impl Live {
    fn seats(&self) -> MutexGuard<'_, BTreeMap<StreamId, Vec<Arc<Seat>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to watch a stream, from its next key frame on.
    ///
    /// # Errors
    /// [`Kind::Full`] when [`WATCHERS_MAX`] watch already.
    pub fn watch(&self, stream: &StreamId) -> Result<Watcher> {
        let mut seats = self.seats();
        if seats.values().map(Vec::len).sum::<usize>() >= WATCHERS_MAX {
            let text = format!("{WATCHERS_MAX} live pictures are watched already; close some");
            return Err(Error::new(Kind::Full, text));
        }
        let seat = Arc::new(Seat::default());
        seats
            .entry(stream.clone())
            .or_default()
            .push(Arc::clone(&seat));
        drop(seats);
        Ok(Watcher {
            live: self.clone(),
            stream: stream.clone(),
            seat,
        })
    }

    /// How many watch at present.
    pub fn watchers(&self) -> usize {
        self.seats().values().map(Vec::len).sum()
    }

    /// Shows a picture to all who watch its stream. Without any it costs next to nothing; it never waits.
    pub fn show(&self, stream: &StreamId, entry: &Arc<SampleEntry>, sample: &Sample, at: Wall) {
        let seats = self.seats();
        let Some(watching) = seats.get(stream) else {
            return;
        };
        let picture = Arc::new(Picture {
            entry: Arc::clone(entry),
            sample: sample.clone(),
            at,
        });
        for seat in watching {
            seat.offer(&picture);
        }
    }
}

impl Seat {
    fn offer(&self, picture: &Arc<Picture>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = picture.sample.data.len();
        if waiting.bytes + bytes > WAITING_BYTES_MAX {
            waiting.pictures.clear();
            waiting.bytes = 0;
            waiting.dropped = true;
            waiting.needs_key = true;
        }
        // One picture alone may be above the bound: it is shown to nobody.
        if (waiting.needs_key && !picture.sample.is_key) || bytes > WAITING_BYTES_MAX {
            return;
        }
        waiting.needs_key = false;
        waiting.bytes += bytes;
        waiting.pictures.push_back(Arc::clone(picture));
        drop(waiting);
        self.came.notify_one();
    }

    fn take(&self) -> Option<Seen> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let picture = waiting.pictures.pop_front()?;
        waiting.bytes -= picture.sample.data.len();
        let dropped = std::mem::take(&mut waiting.dropped);
        Some(Seen { picture, dropped })
    }
}

impl Watcher {
    /// The next picture. It can be given up at any time without losing one.
    pub async fn next(&mut self) -> Seen {
        loop {
            if let Some(seen) = self.seat.take() {
                return seen;
            }
            self.seat.came.notified().await;
        }
    }

    /// The next picture, if one waits.
    pub fn try_next(&mut self) -> Option<Seen> {
        self.seat.take()
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let mut seats = self.live.seats();
        if let Some(watching) = seats.get_mut(&self.stream) {
            watching.retain(|seat| !Arc::ptr_eq(seat, &self.seat));
            if watching.is_empty() {
                seats.remove(&self.stream);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::Ticks;
    use crate::media::access_unit::Codec;
    use crate::media::testing;

    fn stream() -> StreamId {
        "kassa-1/main".parse().expect("a stream")
    }

    fn show(live: &Live, bytes: usize, is_key: bool, at: i64) {
        let sample = Sample {
            data: vec![0; bytes],
            dts: Ticks(at),
            pts: Ticks(at),
            duration: Ticks(6000),
            is_key,
        };
        let entry = Arc::new(testing::entry(Codec::H264));
        live.show(&stream(), &entry, &sample, Wall(at));
    }

    fn seen(watcher: &mut Watcher) -> Vec<(i64, bool)> {
        std::iter::from_fn(|| watcher.try_next())
            .map(|seen| (seen.picture.at.us(), seen.dropped))
            .collect()
    }

    #[test]
    fn watching_begins_with_a_key_frame_and_ends_with_the_watcher() {
        let live = Live::default();
        show(&live, 10, true, 0);
        let mut watcher = live.watch(&stream()).expect("a seat");
        show(&live, 10, false, 1);
        show(&live, 10, true, 2);
        show(&live, 10, false, 3);
        assert_eq!(seen(&mut watcher), [(2, false), (3, false)]);
        assert_eq!(live.watchers(), 1);
        drop(watcher);
        assert_eq!(live.watchers(), 0);
    }

    #[test]
    fn a_slow_watcher_goes_on_at_a_key_frame_and_others_lose_nothing() {
        let live = Live::default();
        let (mut slow, mut quick) = (
            live.watch(&stream()).expect("a seat"),
            live.watch(&stream()).expect("a seat"),
        );
        let third = WAITING_BYTES_MAX / 3;
        let mut all = Vec::new();
        for (at, is_key) in [(0, true), (1, false), (2, false), (3, false), (4, true)] {
            show(&live, third, is_key, at);
            all.extend(seen(&mut quick));
        }
        assert_eq!(all.len(), 5);
        assert_eq!(seen(&mut slow), [(4, true)]);
        show(&live, WAITING_BYTES_MAX + 1, true, 5);
        assert_eq!(seen(&mut quick), []);
    }

    #[test]
    fn there_is_an_end_of_watchers() {
        let live = Live::default();
        let all: Vec<_> = (0..WATCHERS_MAX)
            .map(|_| live.watch(&stream()).expect("a seat"))
            .collect();
        assert_eq!(
            live.watch(&stream()).map_err(|e| e.kind()).err(),
            Some(Kind::Full)
        );
        drop(all);
        assert!(live.watch(&stream()).is_ok());
    }
}
