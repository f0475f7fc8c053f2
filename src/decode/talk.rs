//! One running `sinetti-codec`: messages to and from it, and its end. Whatever it does, no call here waits longer than its bounds
//! say, and it is dead when this is dropped.
//!
//! Both pipes are served by one thread that never blocks in one of them: it reads while it waits to write, so neither end can
//! wait for the other for ever.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdin, ChildStdout};
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

use crate::base::Clock;
use crate::base::clock::SystemClock;
use crate::base::error::{Context, Error, Kind, Result};
use crate::base::time::Mono;
use crate::decode::program::{Bounds, Place};
use crate::decode::wire::{self, FromCodec, HEAD_BYTES, ToCodec, VERSION};

/// Longest wait until it is ready: it loads many libraries.
const READY_MAX: Duration = Duration::from_secs(20);
/// What it may have said without being listened to.
const UNHEARD_BYTES_MAX: usize = 64 << 20;
const READ_BYTES: usize = 256 << 10;

/// One that runs.
pub(super) struct Talk {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: ChildStdout,
    bounds: Bounds,
    clock: Arc<dyn Clock>,
    began: Mono,
    is_ready: bool,
    sent: u64,
    got: u64,
    /// Bytes of a message that is not whole yet.
    pending: Vec<u8>,
    read: Vec<u8>,
    heard: VecDeque<FromCodec>,
    unheard: usize,
    _place: Place,
}

impl std::fmt::Debug for Talk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "sinetti-codec {}", self.child.id())
    }
}

impl Talk {
    pub(super) fn with(mut child: Child, place: Place, bounds: Bounds) -> Result<Self> {
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let (Some(stdin), Some(stdout)) = (stdin, stdout) else {
            end(&mut child);
            return Err(Error::new(Kind::Internal, "a program without pipes"));
        };
        let clock = SystemClock::shared();
        let talk = Self {
            child,
            stdin: Some(stdin),
            stdout,
            bounds,
            began: clock.mono(),
            clock,
            is_ready: false,
            sent: 0,
            got: 0,
            pending: Vec::new(),
            read: vec![0; READ_BYTES],
            heard: VecDeque::new(),
            unheard: 0,
            _place: place,
        };
        if let Some(stdin) = &talk.stdin {
            never_block(stdin)?;
        }
        never_block(&talk.stdout)?;
        Ok(talk)
    }

    /// Waits until it has locked itself in. Before that it is told nothing.
    pub(super) fn ready(&mut self) -> Result<()> {
        let later = self.bounds;
        self.bounds.time = later.time.min(READY_MAX);
        let first = self.receive()?;
        self.bounds = later;
        self.is_ready = true;
        match first {
            FromCodec::Ready(version) if version == VERSION => Ok(()),
            FromCodec::Ready(version) => Err(Error::new(
                Kind::Unavailable,
                format!(
                    "sinetti-codec is of version {version} and the recorder of {VERSION}; install both anew"
                ),
            )),
            _ => Err(Error::corrupt("it said something before it was ready")),
        }
    }

    /// Sends a message.
    pub(super) fn send(&mut self, message: &ToCodec) -> Result<()> {
        let mut bytes = Vec::new();
        message.put(&mut bytes);
        self.sent += bytes.len() as u64;
        if self.sent > self.bounds.bytes_in {
            return Err(Error::new(
                Kind::Full,
                "the pictures up to the one that is wanted are too many bytes to decode",
            ));
        }
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let Some(stdin) = &mut self.stdin else {
                return Err(Error::new(
                    Kind::Internal,
                    "nothing can be sent after the end",
                ));
            };
            match stdin.write(rest) {
                Ok(n) => rest = rest.get(n..).unwrap_or_default(),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => self.wait(true)?,
                // It has given up: what it said first is the reason.
                Err(e) if e.kind() == ErrorKind::BrokenPipe => return Err(self.last_words()),
                Err(e) => return Err(Error::from(e).attempted("writing to sinetti-codec")),
            }
        }
        Ok(())
    }

    /// Says that nothing more will be sent.
    pub(super) fn finish(&mut self) -> Result<()> {
        self.send(&ToCodec::End)?;
        self.stdin = None;
        Ok(())
    }

    /// The next message; waits for it.
    pub(super) fn receive(&mut self) -> Result<FromCodec> {
        loop {
            if let Some(message) = self.heard()? {
                return Ok(message);
            }
            self.wait(false)?;
        }
    }

    /// The next message if it is there.
    pub(super) fn heard(&mut self) -> Result<Option<FromCodec>> {
        let message = self.heard.pop_front();
        if let Some(FromCodec::Pixels(bytes)) = &message {
            self.unheard -= bytes.len();
        } else if let Some(FromCodec::Unit(unit)) = &message {
            self.unheard -= unit.data.len();
        }
        match message {
            Some(FromCodec::Failed(why)) if self.is_ready => Err(Error::corrupt(format!(
                "the picture could not be decoded: {why}"
            ))),
            Some(FromCodec::Failed(why)) => {
                let text = format!("sinetti-codec did not start: {why}");
                Err(Error::new(Kind::Unavailable, text))
            }
            other => Ok(other),
        }
    }

    /// Waits until something can be read, or written, and reads what is there.
    fn wait(&mut self, to_write: bool) -> Result<()> {
        let so_far = self.clock.mono().since(self.began);
        let left = self.bounds.time.checked_sub(so_far).ok_or_else(late)?;
        let left = left.min(self.bounds.silence);
        let timeout = Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(left.subsec_nanos()),
        };
        let (can_read, can_write) = {
            let mut all = vec![PollFd::new(&self.stdout, PollFlags::IN)];
            if let Some(stdin) = self.stdin.as_ref().filter(|_| to_write) {
                all.push(PollFd::new(stdin, PollFlags::OUT));
            }
            match poll(&mut all, Some(&timeout)) {
                Ok(0) => return Err(late()),
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(e) => return Err(Error::from(e).attempted("waiting for sinetti-codec")),
            }
            let has = |at: usize| all.get(at).is_some_and(|fd| !fd.revents().is_empty());
            (has(0), has(1))
        };
        if can_read && !self.read()? && !can_write {
            return Err(self.end_of_it());
        }
        Ok(())
    }

    /// Reads what is there; false at the end.
    fn read(&mut self) -> Result<bool> {
        match self.stdout.read(&mut self.read) {
            Ok(0) => Ok(false),
            Ok(n) => {
                self.got += n as u64;
                if self.got > self.bounds.bytes_out {
                    return Err(Error::new(
                        Kind::Full,
                        "sinetti-codec gave more than a picture can have, and was ended",
                    ));
                }
                let read = self.read.get(..n).unwrap_or_default();
                self.pending.extend_from_slice(read);
                self.take_whole()?;
                Ok(true)
            }
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                Ok(true)
            }
            Err(e) => Err(Error::from(e).attempted("reading from sinetti-codec")),
        }
    }

    fn take_whole(&mut self) -> Result<()> {
        let mut at = 0;
        while let Some(first) = self.pending.get(at..at + HEAD_BYTES) {
            let first: [u8; HEAD_BYTES] = first.try_into().map_err(|_| Error::corrupt("a head"))?;
            let (tag, length) = wire::head(first)?;
            let Some(body) = self.pending.get(at + HEAD_BYTES..at + HEAD_BYTES + length) else {
                break;
            };
            let message = FromCodec::parse(tag, body)?;
            at += HEAD_BYTES + length;
            self.unheard += match &message {
                FromCodec::Pixels(bytes) => bytes.len(),
                FromCodec::Unit(unit) => unit.data.len(),
                _ => 0,
            };
            self.heard.push_back(message);
        }
        self.pending.drain(..at);
        if self.unheard > UNHEARD_BYTES_MAX || self.heard.len() > UNHEARD_BYTES_MAX / 1024 {
            return Err(Error::new(
                Kind::Full,
                "sinetti-codec gave more than was asked for, and was ended",
            ));
        }
        Ok(())
    }

    /// Why it closed its end while it was being written to.
    fn last_words(&mut self) -> Error {
        loop {
            let failed = |m: &FromCodec| matches!(m, FromCodec::Failed(_));
            if self.heard.iter().any(failed) {
                self.heard.retain(failed);
                return self.heard().err().unwrap_or_else(late);
            }
            if let Err(e) = self.wait(false) {
                return e;
            }
        }
    }

    /// Why it ended.
    fn end_of_it(&mut self) -> Error {
        // It may have closed the pipe and live on. One that has ended keeps its own status.
        self.child.kill().ok();
        let status = self.child.wait();
        let text = match status.ok().map(|s| (s.code(), s.signal())) {
            Some((_, Some(signal))) => match signal {
                SIGSYS => "the decoder tried what it must not do, and was ended".to_owned(),
                SIGXCPU | SIGKILL => {
                    "the decoder took more time or memory than it may, and was ended".to_owned()
                }
                signal => format!("the decoder crashed (signal {signal})"),
            },
            Some((Some(code), None)) => format!("the decoder gave up (exit status {code})"),
            _ => "the decoder ended".to_owned(),
        };
        Error::corrupt(format!("the picture could not be decoded: {text}"))
    }
}

/// Signal numbers, the same on every architecture of Linux that seccomp filters are made for here.
const SIGKILL: i32 = 9;
const SIGXCPU: i32 = 24;
const SIGSYS: i32 = 31;

fn late() -> Error {
    Error::new(
        Kind::Unavailable,
        "the picture could not be decoded: the decoder took longer than it may, and was ended",
    )
}

fn never_block(fd: impl AsFd) -> Result<()> {
    let what = || "preparing a pipe to sinetti-codec";
    let flags = fcntl_getfl(&fd).context(what)?;
    fcntl_setfl(&fd, flags | OFlags::NONBLOCK).context(what)
}

fn end(child: &mut Child) {
    // Either it has ended already, or it does now.
    child.kill().ok();
    child.wait().ok();
}

impl Drop for Talk {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}
