//! Bytes that another thread goes through in their order, while whoever has them goes on: a second core computes the hashes of what
//! the first reads, unseals and writes.
//!
//! What does not belong here: files. What is done to a disk stays on the thread that answers for it.

use std::mem;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use crate::base::error::{Context, Error, Kind, Result};

/// Bytes that are passed on at once, as long as what is added is not more by itself.
const PIECE_BYTES: usize = 256 << 10;
/// Pieces that wait at most: whoever is faster then waits too.
const WAITING_MAX: usize = 4;

/// A thread that goes through bytes, and what comes of them. Dropped before its end, it ends by itself.
pub struct Aside<T> {
    piece: Vec<u8>,
    sender: SyncSender<Vec<u8>>,
    thread: JoinHandle<T>,
}

impl<T: Send + 'static> Aside<T> {
    /// Begins with `state`; `each` takes the bytes, in their order, however they are cut.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub fn start(mut state: T, each: fn(&mut T, &[u8])) -> Result<Self> {
        let (sender, pieces) = sync_channel::<Vec<u8>>(WAITING_MAX);
        let thread = thread::Builder::new()
            .name("aside".to_owned())
            .spawn(move || {
                pieces.iter().for_each(|piece| each(&mut state, &piece));
                state
            })
            .context(|| "starting a thread")?;
        Ok(Self {
            piece: Vec::new(),
            sender,
            thread,
        })
    }

    /// Goes on with `bytes`.
    pub fn add(&mut self, bytes: &[u8]) {
        if self.piece.len() + bytes.len() > PIECE_BYTES {
            self.pass();
        }
        self.piece.extend_from_slice(bytes);
    }

    fn pass(&mut self) {
        let piece = mem::replace(&mut self.piece, Vec::with_capacity(PIECE_BYTES));
        if !piece.is_empty() {
            // A thread that failed takes nothing more; its end tells.
            self.sender.send(piece).ok();
        }
    }

    /// What came of all of them.
    ///
    /// # Errors
    /// [`Kind::Internal`] when the thread failed.
    pub fn finish(mut self) -> Result<T> {
        self.pass();
        drop(self.sender);
        let failed = |_| Error::new(Kind::Internal, "the thread that went through bytes failed");
        self.thread.join().map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::hash::Digest;

    #[test]
    fn all_bytes_come_in_their_order_however_they_are_cut() {
        let bytes: Vec<u8> = (0..3 * PIECE_BYTES + 7)
            .map(|n| u8::try_from(n % 251).expect("a byte"))
            .collect();
        for sizes in [vec![1], vec![PIECE_BYTES], vec![2 * PIECE_BYTES, 1, 5_000]] {
            let context = ring::digest::Context::new(&ring::digest::SHA256);
            let mut aside = Aside::start(context, ring::digest::Context::update).expect("a thread");
            let (mut rest, mut sizes) = (&bytes[..], sizes.into_iter().cycle());
            // One byte at a time for a while only.
            let mut turns = 0;
            while !rest.is_empty() {
                turns += 1;
                let size = sizes.next().expect("for ever");
                let size = if turns > 1_000 { rest.len() } else { size };
                let (now, later) = rest.split_at(size.min(rest.len()));
                aside.add(now);
                rest = later;
            }
            let digest = Digest::from_ring(&aside.finish().expect("it went well").finish());
            assert_eq!(digest, Digest::sha256(&[&bytes]));
        }
        let nothing = Aside::start(0_usize, |count, bytes| *count += bytes.len());
        assert_eq!(nothing.expect("a thread").finish().expect("went well"), 0);
    }

    #[test]
    fn a_thread_that_fails_is_told_of_and_stops_nobody() {
        let mut aside = Aside::start((), |(), _| panic!("as it should here")).expect("a thread");
        for _ in 0..2 * WAITING_MAX {
            aside.add(&[0; PIECE_BYTES]);
        }
        assert_eq!(aside.finish().expect_err("failed").kind(), Kind::Internal);
    }
}
