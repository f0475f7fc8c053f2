//! What each stream is doing now, for `sinetti status`. In memory only; everything lasting is in the catalog.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crate::base::id::{SegmentId, StreamId};
use crate::base::time::Wall;
use crate::recorder::cut::Cuts;
use crate::recorder::pulse::Pulses;

/// What a stream is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Connecting for the first time.
    #[default]
    Connecting,
    /// Connected; no picture is on disk yet.
    Receiving,
    /// Pictures reach the disk.
    Recording,
    /// Something is wrong; it goes on trying.
    Trouble,
    /// Switched off in the configuration, or stopped.
    Off,
}

/// The segment that is being written.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Growing {
    /// Its id.
    pub segment: SegmentId,
    /// Its file.
    pub path: PathBuf,
    /// Time of day of its first sample.
    pub start: Wall,
    /// Time of day up to which it is written.
    pub end: Wall,
    /// Bytes written.
    pub written_bytes: u64,
    /// Bytes known to be durable.
    pub durable_bytes: u64,
}

/// One stream's line.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Line {
    /// What it is doing.
    pub phase: Phase,
    /// The last trouble, in words with what to do; kept after it is over.
    pub last_error: Option<String>,
    /// When that was.
    pub last_error_at: Option<Wall>,
    /// Connections that failed or ended since the start.
    pub interruptions: u32,
    /// Access units written since the start.
    pub units: u64,
    /// Bytes of pictures written since the start.
    pub bytes: u64,
    /// Segments closed since the start.
    pub segments: u64,
    /// Packets that the network lost since the start.
    pub packets_lost: u64,
    /// The camera's clock minus the host's, in milliseconds.
    pub camera_offset_ms: Option<i64>,
    /// The segment being written.
    pub growing: Option<Growing>,
}

/// All streams' lines.
#[derive(Clone, Debug, Default)]
pub struct Board {
    lines: Arc<Mutex<BTreeMap<StreamId, Line>>>,
    /// How far volumes are behind.
    pub pulses: Pulses,
    /// Where a cut is asked for.
    pub cuts: Cuts,
}

impl Board {
    /// Shows a stream from now on.
    pub fn show(&self, stream: &StreamId) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.entry(stream.clone()).or_default();
    }

    /// Changes a stream's line. One that is not shown any more does not come back by what is done late.
    pub fn update(&self, stream: &StreamId, change: impl FnOnce(&mut Line)) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = lines.get_mut(stream) {
            change(line);
        }
    }

    /// Something is wrong with a stream.
    pub fn trouble(&self, stream: &StreamId, text: &str, now: Wall) {
        self.update(stream, |line| {
            line.phase = Phase::Trouble;
            line.last_error = Some(text.to_owned());
            line.last_error_at = Some(now);
        });
    }

    /// Forgets a stream.
    pub fn remove(&self, stream: &StreamId) {
        self.lines
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(stream);
    }

    /// A copy of all lines.
    pub fn lines(&self) -> BTreeMap<StreamId, Line> {
        self.lines
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
