//! A camera as the server keeps it, and the handle a test holds.
//!
//! What belongs here: settings, counters, the log of what was sent. What a camera does on the wire
//! is in `connection` and `playback`.

use crate::faults::{Fault, Faults};
use crate::footage::Footage;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, SystemTime};
use tokio::sync::Notify;

/// How a camera asks for user and password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// RFC 7616 with MD5, as RTSP 1.0 cameras use it.
    Digest,
    /// RFC 7617.
    Basic,
}

/// User and password of a camera.
#[derive(Clone, Debug)]
pub struct Login {
    /// User name.
    pub user: String,
    /// Password.
    pub password: String,
    /// How it is asked for.
    pub scheme: Scheme,
}

/// Settings of a camera.
#[derive(Clone, Debug)]
pub struct Camera {
    /// What it sees, endlessly repeated.
    pub footage: Arc<Footage>,
    /// User and password it wants; `None` lets everybody in.
    pub login: Option<Login>,
    /// Position in the loop is wall-clock time since the Unix epoch modulo the length of the loop,
    /// so a 60 s loop repeats with the minute. Otherwise each session begins with the first access
    /// unit of the loop.
    /// The wall clock is read at PLAY; from then on a session follows the monotonic clock, as a camera's
    /// oscillator does not step with the host's clock.
    pub phase_locked: bool,
    /// Sessions begin with a key frame: the next one. Otherwise in the middle of a group of
    /// pictures.
    pub start_at_key_frame: bool,
    /// A PCMU track is announced too. It can be set up; nothing is ever sent on it.
    pub announce_audio: bool,
    /// RTCP sender reports: at PLAY and then every five seconds.
    pub sender_reports: bool,
    /// How far the camera's own clock, as told in sender reports, is ahead of the host's, in
    /// milliseconds.
    pub clock_offset_ms: i64,
    /// From PLAY to the first picture of a session, so that cameras asked at the same time do not send their key
    /// frames at the same time. Only for cameras that are not phase-locked.
    pub start_delay: Duration,
    /// Over TCP, each packet is written by itself, as slower cameras do; otherwise an access unit at once.
    pub packet_writes: bool,
    /// From capture to sending.
    pub latency: Duration,
    /// Sessions without a request or RTCP packet from the client for this long are closed.
    pub session_timeout: Duration,
    /// Sessions over UDP do not end with their connection, but by TEARDOWN (over whichever connection) or when
    /// `session_timeout` has passed, as RFC 2326 (1.1) has it.
    pub outlives_connection: bool,
    /// How many access units the log of what was sent keeps.
    pub sent_log: usize,
}

impl Camera {
    /// A camera without login, phase-locked, that starts at key frames and sends sender reports.
    pub fn new(footage: Arc<Footage>) -> Camera {
        Camera {
            footage,
            login: None,
            phase_locked: true,
            start_at_key_frame: true,
            announce_audio: false,
            sender_reports: true,
            clock_offset_ms: 0,
            start_delay: Duration::ZERO,
            packet_writes: false,
            latency: Duration::from_millis(2),
            session_timeout: Duration::from_secs(60),
            outlives_connection: false,
            sent_log: 20_000,
        }
    }
}

/// What a camera has done since it was added. Only ever grows, except `sessions_playing`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Connections that asked for this camera.
    pub connections: u64,
    /// Requests turned away for want of the right user and password (the first, unauthenticated one
    /// included).
    pub unauthorized: u64,
    /// DESCRIBE requests answered with a description.
    pub descriptions: u64,
    /// SETUP requests of the video track that were answered with 200.
    pub video_setups: u64,
    /// SETUP requests of the audio track that were answered with 200.
    pub audio_setups: u64,
    /// Sessions that began to play.
    pub sessions_opened: u64,
    /// Sessions playing now.
    pub sessions_playing: u64,
    /// The most sessions that ever played at the same time.
    pub sessions_at_once: u64,
    /// TEARDOWN requests answered with 200.
    pub teardowns: u64,
    /// Bytes sent by [`Fault::Flood`].
    pub flood_bytes: u64,
    /// Changes of parameter sets made by [`Fault::ParameterChanges`].
    pub parameter_changes: u64,
    /// Access units sent.
    pub access_units: u64,
    /// Access units left out since the client did not read fast enough.
    pub access_units_dropped: u64,
    /// Packets sent.
    pub packets: u64,
    /// Packets lost on purpose.
    pub packets_lost: u64,
    /// Bytes of RTP packets sent (without interleaved headers).
    pub bytes: u64,
}

/// One access unit that was sent.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Session it was sent in, counted from 1 for each camera.
    pub session: u64,
    /// Footage it belongs to.
    pub footage: Arc<Footage>,
    /// Which round of the loop: counted from the session's start, or from the Unix epoch for
    /// phase-locked cameras.
    pub loop_number: u64,
    /// Index into `Footage::access_units`.
    pub index: usize,
    /// When it was handed to the network.
    pub wall: SystemTime,
    /// RTP timestamp it bore.
    pub rtp_timestamp: u32,
    /// How many of its packets a fault lost or corrupted.
    pub damaged_packets: u32,
}

/// A camera within the server.
pub(crate) struct Shared {
    pub(crate) camera: Camera,
    faults: Mutex<Faults>,
    counters: Mutex<Counters>,
    sent: Mutex<VecDeque<Sent>>,
    connections: Mutex<Vec<Weak<Notify>>>,
    /// Sessions whose connection is gone, by id.
    orphans: Mutex<HashMap<String, Arc<Notify>>>,
}

/// Nothing is left half changed under these locks, so a panic elsewhere does not spoil them.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(crate) fn new(camera: Camera) -> Shared {
        Shared {
            camera,
            faults: Mutex::default(),
            counters: Mutex::default(),
            sent: Mutex::default(),
            connections: Mutex::default(),
            orphans: Mutex::default(),
        }
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Faults> {
        lock(&self.faults)
    }

    pub(crate) fn count(&self, change: impl FnOnce(&mut Counters)) {
        change(&mut lock(&self.counters));
    }

    /// The footage to send: that of a fault, or the camera's own.
    pub(crate) fn footage(&self) -> Arc<Footage> {
        self.faults()
            .footage
            .clone()
            .unwrap_or_else(|| self.camera.footage.clone())
    }

    pub(crate) fn log(&self, entry: Sent) {
        let mut sent = lock(&self.sent);
        if sent.len() >= self.camera.sent_log {
            sent.pop_front();
        }
        if self.camera.sent_log > 0 {
            sent.push_back(entry);
        }
    }

    /// Registers a connection to be closed by `disconnect`.
    pub(crate) fn connected(&self, close: &Arc<Notify>) {
        let mut connections = lock(&self.connections);
        connections.retain(|other| other.strong_count() > 0);
        connections.push(Arc::downgrade(close));
        self.count(|counters| counters.connections += 1);
    }

    /// A session goes on without its connection; it is told when it is torn down.
    pub(crate) fn orphaned(&self, session: String) -> Arc<Notify> {
        let told = Arc::new(Notify::new());
        lock(&self.orphans).insert(session, told.clone());
        told
    }

    /// Tears down a session that has no connection; false when there is none of this id.
    pub(crate) fn tear_down(&self, session: &str) -> bool {
        let told = lock(&self.orphans).remove(session);
        if let Some(told) = &told {
            told.notify_one();
        }
        told.is_some()
    }

    /// Closes all connections.
    pub(crate) fn disconnect(&self) {
        for close in lock(&self.connections)
            .drain(..)
            .filter_map(|close| close.upgrade())
        {
            close.notify_one();
        }
    }
}

/// A camera of a running server. Cheap to clone; keeps working on what is left when the camera was
/// removed.
#[derive(Clone)]
pub struct CameraHandle(pub(crate) Arc<Shared>);

impl CameraHandle {
    /// Switches a fault on, also for sessions under way.
    pub fn fault(&self, fault: Fault) {
        let disconnect = matches!(fault, Fault::Disconnect);
        self.0.faults().apply(fault);
        if disconnect {
            self.0.disconnect();
        }
    }

    /// Switches all faults off.
    pub fn clear(&self) {
        self.0.faults().clear();
    }

    /// What the camera has done so far.
    pub fn counters(&self) -> Counters {
        *lock(&self.0.counters)
    }

    /// The access units sent, oldest first, up to `Camera::sent_log` of them.
    pub fn sent(&self) -> Vec<Sent> {
        lock(&self.0.sent).iter().cloned().collect()
    }

    /// Empties the log of what was sent.
    pub fn forget_sent(&self) {
        lock(&self.0.sent).clear();
    }

    /// The footage being sent, or from the next key frame on.
    pub fn footage(&self) -> Arc<Footage> {
        self.0.footage()
    }
}
