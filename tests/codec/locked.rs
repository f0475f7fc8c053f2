//! That the program locks itself in before it is told anything, and that the recorder is free of what it is made of.

use crate::footage::Stream;
use sinetti::base::time::Ticks;
use sinetti::decode::wire::{FromCodec, Job, ToCodec, Unit, VERSION};
use std::collections::BTreeSet;
use std::fs::read_to_string;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_sinetti-codec");

fn started(command: &mut Command) -> Child {
    let mut child = command
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut expected = Vec::new();
    FromCodec::Ready(VERSION.to_owned()).put(&mut expected);
    let mut said = vec![0; expected.len()];
    let stdout = child.stdout.as_mut().expect("a pipe");
    stdout.read_exact(&mut said).expect("it says something");
    assert_eq!(said, expected);
    child
}

/// All of a still, and what was answered.
fn still(child: &mut Child) -> Vec<u8> {
    let stream = Stream::of("till-h265.265");
    let mut job = Vec::new();
    ToCodec::Job(Job::Still(Ticks(20 * crate::footage::TICKS))).put(&mut job);
    ToCodec::Entry(stream.entry.entry.clone()).put(&mut job);
    for sample in stream.up_to(20) {
        let (pts, is_key, data) = (sample.pts, sample.is_key, sample.data);
        ToCodec::Unit(Unit { pts, is_key, data }).put(&mut job);
    }
    ToCodec::End.put(&mut job);
    child
        .stdin
        .take()
        .expect("a pipe")
        .write_all(&job)
        .expect("it listens");
    let mut said = Vec::new();
    child
        .stdout
        .take()
        .expect("a pipe")
        .read_to_end(&mut said)
        .expect("it answers");
    said
}

#[test]
fn before_it_is_told_anything_it_has_locked_itself_in() {
    for (job, memory, seconds) in [("still", 1_u64 << 30, 30), ("view", 2 << 30, 24 * 3600)] {
        let mut child = started(Command::new(PROGRAM).arg(job));
        let of =
            |name: &str| read_to_string(format!("/proc/{}/{name}", child.id())).expect("it runs");
        let status = of("status");
        let line = |name: &str| {
            let found = status
                .lines()
                .find_map(|l| l.strip_prefix(name)?.strip_prefix(":\t"));
            found.unwrap_or_else(|| panic!("no {name}")).to_owned()
        };
        assert_eq!(
            (line("Seccomp"), line("NoNewPrivs"), line("Threads")),
            ("2".into(), "1".into(), "1".into())
        );
        let limits = of("limits");
        let limit = |name: &str| -> Vec<String> {
            let found = limits.lines().find_map(|l| l.strip_prefix(name));
            found
                .expect("a limit")
                .split_whitespace()
                .take(2)
                .map(str::to_owned)
                .collect()
        };
        assert_eq!(limit("Max address space"), vec![memory.to_string(); 2]);
        assert_eq!(limit("Max cpu time"), vec![seconds.to_string(); 2]);
        for none in ["Max core file size", "Max file size", "Max locked memory"] {
            assert_eq!(limit(none), ["0", "0"], "{none}");
        }
        assert_eq!(of("oom_score_adj").trim(), "1000");
        // Field 19 of proc_pid_stat(5), behind the name in brackets.
        let stat = of("stat");
        let nice = stat
            .rsplit(')')
            .next()
            .and_then(|rest| rest.split_whitespace().nth(16));
        assert!(
            nice.and_then(|n| n.parse::<i32>().ok()) >= Some(10),
            "{stat}"
        );
        child.kill().expect("it dies");
        child.wait().expect("it died");
    }
}

#[test]
fn it_reads_its_first_byte_after_that_and_asks_for_nothing_afterwards() {
    let dir = tempfile::tempdir().expect("a folder");
    let trace = dir.path().join("trace");
    let mut strace = Command::new("strace");
    let path = std::env::var("PATH").expect("a path");
    // `env_clear` comes later than this, and takes it away: the programs are named whole.
    let found = std::env::split_paths(&path)
        .map(|p| p.join("strace"))
        .find(|p| p.exists());
    strace = Command::new(found.unwrap_or_else(|| strace.get_program().into()));
    let mut child = started(
        strace
            .arg("-f")
            .arg("-o")
            .arg(&trace)
            .arg(PROGRAM)
            .arg("still"),
    );
    let said = still(&mut child);
    assert!(child.wait().expect("it ends").success());
    assert!(said.len() > 320 * 180 * 3, "a picture");
    let trace = read_to_string(&trace).expect("a trace");
    let calls: Vec<&str> = trace
        .lines()
        .filter_map(|l| l.split_once(' ').map(|(_, call)| call.trim()))
        .collect();
    let at = |wanted: &str| {
        let found = calls.iter().position(|call| call.starts_with(wanted));
        found.unwrap_or_else(|| panic!("no {wanted} in\n{trace}"))
    };
    let (files, filter, read) = (
        at("landlock_restrict_self("),
        at("seccomp(SECCOMP_SET_MODE_FILTER"),
        at("read(0,"),
    );
    assert!(
        calls[files].ends_with("= 0") && calls[filter].ends_with("= 0"),
        "{trace}"
    );
    assert!(files < filter && filter < read, "{trace}");
    let name = |call: &&str| call.split('(').next().unwrap_or_default().to_owned();
    let after: BTreeSet<String> = calls[filter + 1..]
        .iter()
        .filter(|c| c.contains('('))
        .map(name)
        .collect();
    let harmless = [
        "read",
        "write",
        "brk",
        "mmap",
        "munmap",
        "mremap",
        "madvise",
        "mprotect",
        "futex",
        "getrandom",
        "clock_gettime",
        "gettimeofday",
        "sched_getaffinity",
        "sched_yield",
        "sigaltstack",
        "rt_sigprocmask",
        "exit_group",
    ];
    let harmless: BTreeSet<String> = harmless.iter().map(|s| (*s).to_owned()).collect();
    assert!(after.is_subset(&harmless), "{after:?}");
}

#[test]
fn the_recorder_is_not_linked_to_ffmpeg_and_the_codec_is() {
    // Dynamic section, DT_NEEDED: the names of libraries stand in the file as they are.
    let needs = |program: &str| {
        let ran = Command::new("readelf")
            .args(["-d", program])
            .output()
            .expect("readelf runs");
        assert!(
            ran.status.success(),
            "{}",
            String::from_utf8_lossy(&ran.stderr)
        );
        let text = String::from_utf8_lossy(&ran.stdout).into_owned();
        let lines = text.lines().filter(|line| line.contains("(NEEDED)"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let of_ffmpeg = |line: &String| {
        ["libav", "libsw", "libx26", "libpostproc"]
            .iter()
            .any(|l| line.contains(l))
    };
    let recorder = needs(env!("CARGO_BIN_EXE_sinetti"));
    assert!(
        !recorder.is_empty() && !recorder.iter().any(of_ffmpeg),
        "{recorder:?}"
    );
    let codec = needs(PROGRAM);
    assert!(codec.iter().any(of_ffmpeg), "{codec:?}");
    // Nothing that opens files or sockets for it.
    assert!(
        !codec
            .iter()
            .any(|l| l.contains("libavformat") || l.contains("libavdevice")),
        "{codec:?}"
    );
}
