//! `sinetti run` as a child process: its log, its end.

use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Longest wait for a line of the log, or for the end of the process.
const WAITS_MAX: u32 = 300;
/// One wait: until something is logged, or so long.
const PACE: Duration = Duration::from_millis(200);

/// A running recorder. It is killed when dropped.
pub(crate) struct Recorder {
    child: Child,
    log: Arc<Mutex<String>>,
    lines: Receiver<()>,
}

impl Recorder {
    /// Starts it and waits until it records, that is, answers on its socket.
    pub(crate) fn start(dir: &Path) -> Recorder {
        let mut recorder = Recorder::spawn(dir);
        recorder.wait_for_log("recording ");
        recorder
    }

    /// Starts it without waiting.
    pub(crate) fn spawn(dir: &Path) -> Recorder {
        Recorder::of(Command::new(env!("CARGO_BIN_EXE_sinetti")), dir)
    }

    /// The same with a command of the caller's that ends in the program.
    pub(crate) fn of(mut command: Command, dir: &Path) -> Recorder {
        let mut child = command
            .arg("--dir")
            .arg(dir)
            .arg("run")
            .env_remove("SINETTI_DIR")
            .env_remove("JOURNAL_STREAM")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the recorder starts");
        let log = Arc::new(Mutex::new(String::new()));
        let (sender, lines) = channel();
        let from = BufReader::new(child.stderr.take().expect("its log"));
        let to = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in from.lines().map_while(Result::ok) {
                let mut log = to.lock().unwrap_or_else(PoisonError::into_inner);
                log.push_str(&line);
                log.push('\n');
                drop(log);
                // Nobody listens any more when the test is over.
                sender.send(()).ok();
            }
        });
        Recorder { child, log, lines }
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        self.log
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Returns when something was logged, or after a moment.
    ///
    /// # Panics
    /// When the recorder has ended.
    pub(crate) fn pace(&mut self) {
        match self.lines.recv_timeout(PACE) {
            Ok(()) | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                panic!("the recorder ended:\n{}", self.log())
            }
        }
    }

    /// As [`Recorder::pace`] for one that may have ended: true when it has.
    pub(crate) fn ended_or_pace(&mut self) -> bool {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return true;
        }
        // Without a line to come it is about to end.
        self.lines.recv_timeout(PACE).ok();
        false
    }

    /// Waits until it has logged a line with `text` in it.
    pub(crate) fn wait_for_log(&mut self, text: &str) {
        for _ in 0..WAITS_MAX {
            if self.log().contains(text) {
                return;
            }
            self.pace();
        }
        panic!("no line {text:?} in the log:\n{}", self.log());
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.id()).ok().and_then(Pid::from_raw);
        kill_process(id.expect("a process id"), signal).expect("the signal is sent");
    }

    /// SIGTERM, then waits for its end: how it ended, and its whole log.
    pub(crate) fn stop(mut self) -> (ExitStatus, String) {
        self.signal(Signal::TERM);
        self.wait()
    }

    /// `kill -9`, then waits for its end; its whole log.
    pub(crate) fn kill(mut self) -> String {
        self.signal(Signal::KILL);
        self.wait().1
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> (ExitStatus, String) {
        for _ in 0..WAITS_MAX {
            match self.lines.recv_timeout(PACE) {
                Err(RecvTimeoutError::Disconnected) => {
                    let status = self.child.wait().expect("it is our child");
                    return (status, self.log());
                }
                Ok(()) | Err(RecvTimeoutError::Timeout) => {}
            }
        }
        panic!("the recorder does not end:\n{}", self.log());
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        // It may have ended already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
