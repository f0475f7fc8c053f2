//! The bounded way from an assembler to its volume's writer: bounded in bytes, a stream at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;

use crate::base::id::StreamId;
use crate::recorder::fragment::{Order, What};

/// Bytes of one stream that wait for the writer.
#[derive(Clone, Debug, Default)]
pub struct Waiting(Arc<AtomicU64>);

impl Waiting {
    /// The writer is done with so many bytes.
    pub fn done(&self, bytes: u64) {
        self.0.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Bytes that wait.
    pub fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// One stream's end of the way.
#[derive(Clone, Debug)]
pub struct Outbox {
    stream: Arc<StreamId>,
    sender: Sender<Order>,
    waiting: Waiting,
    bytes_max: u64,
}

impl Outbox {
    /// For `stream`; at most `bytes_max` bytes wait.
    pub fn new(
        stream: Arc<StreamId>,
        sender: Sender<Order>,
        waiting: Waiting,
        bytes_max: u64,
    ) -> Self {
        Self {
            stream,
            sender,
            waiting,
            bytes_max,
        }
    }

    /// Hands over `what` of `bytes` bytes; false when they do not fit and it was dropped.
    #[must_use]
    pub fn offer(&self, bytes: u64, what: What) -> bool {
        if self.waiting.bytes().saturating_add(bytes) > self.bytes_max {
            return false;
        }
        self.waiting.0.fetch_add(bytes, Ordering::Relaxed);
        self.tell(what);
        true
    }

    /// Hands over something without pictures: it always fits.
    pub fn tell(&self, what: What) {
        // The writer outlives all outboxes; should it be gone, the process is about to end.
        self.sender
            .send(Order {
                stream: Arc::clone(&self.stream),
                what,
            })
            .ok();
    }
}
