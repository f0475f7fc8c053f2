//! How long a restart, a reindex and a scrub take with many segments: `cargo bench --bench upkeep -- [SEGMENTS]`.
//!
//! The segments are small and made up, written by the recorder's own code; names, rows, key slots, heads and trailers are
//! as ever. The folder is made under `SINETTI_BENCH_DIR`, or else where temporary files go.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "it measures, writes files of its own and tells"
)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};
use sinetti::vault::identity::Identity;

#[path = "../tests/retention/plant.rs"]
#[allow(dead_code, reason = "the tests use the rest of it")]
mod plant;

const STREAMS: usize = 32;
const SEGMENT_SECS: i64 = 60;

fn main() {
    let wanted = std::env::args().find_map(|arg| arg.parse::<usize>().ok());
    let segments = wanted.unwrap_or(20_000);
    let base = std::env::var_os("SINETTI_BENCH_DIR").unwrap_or_else(|| std::env::temp_dir().into());
    let folder = tempfile::tempdir_in(base).expect("a folder");
    let (dir, footage) = (folder.path().join("state"), folder.path().join("footage"));
    let began = Instant::now();
    plant_box(&dir, &footage, segments);
    println!(
        "{segments} segments were written in {:.1} s",
        began.elapsed().as_secs_f64()
    );
    restart(&dir, "restart");
    whole(&dir, &["scrub", "--now"]);
    whole(&dir, &["reindex"]);
    restart(&dir, "restart after the reindex");
    whole(&dir, &["check"]);
    whole(&dir, &["doctor"]);
}

fn plant_box(dir: &Path, footage: &Path, segments: usize) {
    let box_of = plant::Plant::make(dir, footage, &Identity::generate(), &Identity::generate());
    let each = i64::try_from(segments / STREAMS).expect("few");
    let now = sinetti::base::clock::SystemClock::shared().wall();
    let start = now.plus_us(-(each + 1) * SEGMENT_SECS * plant::SECOND);
    for n in 0..STREAMS {
        let kind = if n % 2 == 0 { "main" } else { "sub" };
        let name = format!("camera-{}/{kind}", n / 2);
        box_of.record(&name, start, SEGMENT_SECS, each, 1500);
    }
    let text = format!(
        "[site]\nname = \"Bench\"\n\n[[volume]]\nname = \"levy-1\"\npath = \"{}\"\nreserve_gib = 0.05\n",
        footage.display()
    );
    fs::write(dir.join("sinetti.toml"), text).expect("a configuration");
}

fn sinetti(dir: &Path, args: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sinetti"));
    command.arg("--dir").arg(dir).args(args);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn().expect("sinetti starts")
}

/// Peak of its resident memory, in MB.
fn peak_mb(child: &Child) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib / 1000)
}

fn restart(dir: &Path, what: &str) {
    let began = Instant::now();
    let mut child = sinetti(dir, &["run"]);
    let lines = BufReader::new(child.stderr.take().expect("its log")).lines();
    for line in lines.map_while(Result::ok) {
        if line.contains("recording ") {
            break;
        }
        println!("  {line}");
    }
    let (secs, mb) = (
        began.elapsed().as_secs_f64(),
        peak_mb(&child).unwrap_or_default(),
    );
    println!("{what}: recording after {secs:.2} s, {mb} MB resident");
    let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    kill_process(id.expect("a process"), Signal::TERM).expect("it is stopped");
    child.wait().expect("it ends");
}

/// A command to its end.
fn whole(dir: &Path, args: &[&str]) {
    let began = Instant::now();
    let mut child = sinetti(dir, args);
    let log = child.stderr.take().expect("its log");
    std::thread::spawn(move || BufReader::new(log).lines().map_while(Result::ok).count());
    let mut mb = 0;
    while child.try_wait().expect("it is there").is_none() {
        mb = peak_mb(&child).unwrap_or(mb).max(mb);
        std::thread::yield_now();
    }
    let secs = began.elapsed().as_secs_f64();
    println!("{}: {secs:.2} s, {mb} MB resident", args.join(" "));
}
