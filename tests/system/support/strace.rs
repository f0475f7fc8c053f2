//! System calls of a running recorder that fail, or take long, on demand: `strace` attached to one of its threads.
//!
//! The recorder lets nobody but root look into it (`PR_SET_DUMPABLE`); with root's rights `ptrace` works all the same.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// Faults in one thread of a process, until it is dropped.
pub(crate) struct Strace(Child);

impl Strace {
    /// Attaches to the thread with that name of the process `process`. `faults` are as strace's `inject=` wants them:
    /// `writev:error=EIO:when=1` is the next write, and only that.
    #[track_caller]
    pub(crate) fn attach(process: u32, thread: &str, faults: &[&str]) -> Strace {
        Strace::attach_to_paths(process, thread, faults, &mut std::iter::empty())
    }

    /// The same of calls that have to do with one of these files alone; all calls, when there is none.
    #[track_caller]
    pub(crate) fn attach_to_paths(
        process: u32,
        thread: &str,
        faults: &[&str],
        paths: &mut dyn Iterator<Item = &Path>,
    ) -> Strace {
        let mut command = Command::new("strace");
        command.args(["-p", &thread_id(process, thread)]);
        let calls: Vec<_> = faults.iter().filter_map(|f| f.split(':').next()).collect();
        command.args(["-e", &format!("trace={}", calls.join(","))]);
        for fault in faults {
            command.args(["-e", &format!("inject={fault}")]);
        }
        for path in paths {
            command.arg("-P").arg(path);
        }
        command.args(["-o", "/dev/null"]);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("strace (package strace) runs");
        let mut said = BufReader::new(child.stderr.take().expect("its words"));
        let mut first = String::new();
        while !first.contains("attached") && said.read_line(&mut first).expect("a line") > 0 {}
        assert!(first.contains("attached"), "as root: {first}");
        // What it says later is nobody's; it must not wait for a reader.
        std::thread::spawn(move || said.read_to_end(&mut Vec::new()).ok());
        Strace(child)
    }
}

impl Drop for Strace {
    fn drop(&mut self) {
        let id = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw);
        // It lets the thread go on.
        if let Some(id) = id {
            kill_process(id, Signal::TERM).ok();
        }
        self.0.wait().ok();
    }
}

/// Of the one thread with that name, of which the kernel keeps 15 bytes.
#[track_caller]
fn thread_id(process: u32, name: &str) -> String {
    let wanted = &name[..name.len().min(15)];
    let tasks = fs::read_dir(format!("/proc/{process}/task")).expect("threads");
    for task in tasks.flatten() {
        let comm = fs::read_to_string(task.path().join("comm")).unwrap_or_default();
        if comm.trim_end() == wanted {
            return task.file_name().to_string_lossy().into_owned();
        }
    }
    panic!("process {process} has no thread {wanted:?}");
}
