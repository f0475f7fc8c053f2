//! A program that was taken over: whatever it says or does not say, the recorder is done with it within its bounds, and it is dead.

use crate::footage::{Stream, program};
use sinetti::base::error::{Error, Kind};
use sinetti::decode::transcode::{Sink, transcode};
use sinetti::decode::{Bounds, Program};
use sinetti::media::access_unit::SampleEntry;
use sinetti::media::segment::Sample;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Messages as Python: what stands before what a rogue does.
const BEGIN: &str = r#"#!/usr/bin/env python3
import os, struct, sys, time
open(sys.argv[0] + ".pid", "w").write(str(os.getpid()))
out = sys.stdout.buffer
def say(tag, body=b""):
    out.write(tag + struct.pack(">I", len(body)) + body)
    out.flush()
def ready():
    say(b"r", b"VERSION")
def picture(width, height, damaged=0):
    say(b"p", struct.pack(">IIB", width, height, damaged))
def drain():
    while sys.stdin.buffer.read(1 << 16): pass
"#;

const BOUNDS: Bounds = Bounds {
    silence: Duration::from_secs(2),
    time: Duration::from_secs(4),
    bytes_in: 8 << 20,
    bytes_out: 4 << 20,
};

/// A program that does this.
fn rogue(dir: &Path, does: &str) -> (Program, PathBuf) {
    let path = dir.join("sinetti-codec");
    let begin = BEGIN.replace("VERSION", env!("CARGO_PKG_VERSION"));
    std::fs::write(&path, format!("{begin}{does}\n")).expect("writes");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).expect("sets the mode");
    (
        Program::at(&path).within(BOUNDS),
        path.with_extension("pid"),
    )
}

/// What the recorder says of it; it is dead afterwards, in time.
fn still(does: &str) -> Error {
    let dir = tempfile::tempdir().expect("a folder");
    let (program, pid) = rogue(dir.path(), does);
    let stream = Stream::of("till.264");
    let began = Instant::now();
    let e = stream
        .still(&program, stream.up_to(20), 20)
        .expect_err("no picture");
    assert!(
        began.elapsed() < BOUNDS.time + Duration::from_secs(2),
        "{does}: {:?}",
        began.elapsed()
    );
    let pid = std::fs::read_to_string(pid).expect("it ran");
    assert!(!Path::new("/proc").join(pid).exists(), "{does}: it lives");
    e
}

#[test]
fn one_that_says_nothing_is_ended() {
    for does in [
        "time.sleep(1000)",
        "ready(); time.sleep(1000)",
        "ready(); drain(); time.sleep(1000)",
    ] {
        let e = still(does);
        assert_eq!(e.kind(), Kind::Unavailable, "{does}: {e}");
        assert!(
            e.to_string()
                .contains("took longer than it may, and was ended"),
            "{e}"
        );
    }
}

#[test]
fn one_that_says_a_little_for_ever_is_ended() {
    let e = still(
        "ready(); drain(); out.write(b'x' + struct.pack('>I', 1 << 20))\nwhile True: out.write(b'a'); out.flush(); time.sleep(0.3)",
    );
    assert_eq!(e.kind(), Kind::Unavailable, "{e}");
}

#[test]
fn one_that_says_too_much_is_ended() {
    for does in [
        // More than any picture has, more than this picture has, more than a message may have.
        "ready(); drain(); picture(4096, 4096)\nwhile True: say(b'x', bytes(1 << 20))",
        "ready(); drain(); picture(2, 2)\nwhile True: say(b'x', bytes(100))",
        "ready()\nwhile True: say(b'x', bytes(1 << 20))",
        "ready(); out.write(b'u\\xff\\xff\\xff\\xff'); out.flush(); time.sleep(1000)",
        "while True: out.write(bytes(1 << 16))",
    ] {
        let e = still(does);
        assert!(
            matches!(e.kind(), Kind::Full | Kind::Corrupt),
            "{does}: {e}"
        );
    }
}

#[test]
fn one_that_lies_is_not_believed() {
    for does in [
        "ready(); drain(); picture(0, 7); time.sleep(1000)",
        "ready(); drain(); picture(100000, 100000); time.sleep(1000)",
        "ready(); drain(); picture(2, 2, 9); time.sleep(1000)",
        "ready(); drain(); picture(2, 2); say(b'd', bytes(4)); time.sleep(1000)",
        "ready(); drain(); picture(2, 2); say(b'x', bytes(12)); picture(2, 2); time.sleep(1000)",
        "ready(); drain(); say(b'd', bytes(4)); time.sleep(1000)",
        "ready(); drain(); say(b'?'); time.sleep(1000)",
        "picture(2, 2); time.sleep(1000)",
        "ready(); drain(); os.close(1); time.sleep(1000)",
        "ready(); sys.exit(3)",
        "ready(); os.close(0); drain()",
        "ready(); drain(); os.kill(os.getpid(), 11)",
    ] {
        let e = still(does);
        assert!(
            matches!(e.kind(), Kind::Corrupt | Kind::Full),
            "{does}: {e}"
        );
    }
    // What it says goes into logs as plain text.
    let e = still("ready(); drain(); say(b'f', b'no\\nerror: \\x1b[2J all is lost')");
    assert_eq!(
        e.to_string(),
        "the picture could not be decoded: no?error: ?[2J all is lost"
    );
}

#[test]
fn whether_it_can_decode_is_known_without_decoding() {
    program().check().expect("starts and locks itself in");
    let dir = tempfile::tempdir().expect("folder");
    let (unlocked, _) = rogue(dir.path(), "say(b'f', b'no Landlock'); time.sleep(1000)");
    let e = unlocked.check().expect_err("not locked in");
    assert!(e.to_string().contains("no Landlock"), "{e}");
    let e = Program::at("/nonexistent/sinetti-codec").check();
    assert_eq!(e.expect_err("no program").kind(), Kind::Unavailable);
}

#[test]
fn one_of_another_version_or_not_locked_in_is_told_nothing() {
    let e = still("say(b'r', b'0.0.0'); drain(); time.sleep(1000)");
    assert_eq!(e.kind(), Kind::Unavailable);
    assert!(e.to_string().contains("install both anew"), "{e}");
    let e = still("say(b'f', b'no Landlock'); time.sleep(1000)");
    assert_eq!(e.kind(), Kind::Unavailable);
    assert!(e.to_string().contains("did not start: no Landlock"), "{e}");
    let stream = Stream::of("till.264");
    let missing = Program::at("/nonexistent/sinetti-codec");
    let e = stream
        .still(&missing, stream.up_to(0), 0)
        .expect_err("no program");
    assert_eq!(e.kind(), Kind::Unavailable);
    assert!(
        e.to_string().contains("not installed beside the recorder"),
        "{e}"
    );
}

struct Nothing;

impl Sink for Nothing {
    fn entry(&mut self, _: &SampleEntry) -> sinetti::base::error::Result<()> {
        Ok(())
    }

    fn sample(&mut self, _: Sample) -> sinetti::base::error::Result<()> {
        Ok(())
    }
}

#[test]
fn a_viewing_copy_takes_no_more_pictures_than_there_were_and_no_time_that_runs_back() {
    let stream = Stream::of("till-h265.265");
    let entry: String = Stream::of("till.264")
        .entry
        .entry
        .iter()
        .map(|b| format!("\\x{b:02x}"))
        .collect();
    let unit = |pts: i64| format!("say(b'u', struct.pack('>qB', {pts}, 1) + b'\\0\\0\\0\\1e')\n");
    for does in [
        unit(0),
        format!("say(b'e', b'{entry}')\nsay(b'e', b'{entry}')"),
        format!(
            "say(b'e', b'{entry}')\n{}{}time.sleep(1000)",
            unit(6000),
            unit(0)
        ),
        format!(
            "say(b'e', b'{entry}')\n{}{}say(b'd', bytes(4))",
            unit(i64::MIN),
            unit(i64::MAX)
        ),
        format!(
            "say(b'e', b'{entry}')\nn = 0\nwhile True:\n    n += 1\n    say(b'u', struct.pack('>qB', n, 1))"
        ),
        "say(b'e', b'rubbish')".to_owned(),
        "say(b'd', bytes(4))".to_owned(),
    ] {
        let dir = tempfile::tempdir().expect("a folder");
        let (program, _) = rogue(dir.path(), &format!("ready(); drain()\n{does}"));
        let samples = stream.samples[..20].iter().cloned().map(Ok);
        let e = transcode(&program, &stream.entry, samples, &mut Nothing).expect_err("no copy");
        assert!(
            matches!(e.kind(), Kind::Corrupt | Kind::Full),
            "{does}: {e}"
        );
    }
}
