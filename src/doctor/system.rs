//! Checks of the machine: clock, time source, swap, core dumps, limits.

use crate::doctor::host::Host;
use crate::doctor::{Finding, Subject};

/// Programs that discipline a clock, by the first 15 letters of their names.
const TIME_SOURCES: [&str; 7] = [
    "chronyd",
    "systemd-timesyn",
    "ntpd",
    "ntpsec",
    "openntpd",
    "ptp4l",
    "phc2sys",
];
/// An error of the clock that is worth a word: footage of two cameras would not fit together.
const ERROR_US_MAX: i64 = 1_000_000;
/// Open files of the recorder besides those of streams, and of each stream: connection, segment, its keeper's handle,
/// two sockets over UDP.
const FILES_BASE: u64 = 128;
const FILES_A_STREAM: u64 = 8;

pub(super) fn checks(subject: &Subject<'_>) -> Vec<Finding> {
    let streams = subject.config.as_ref().map_or(0, |config| {
        let two = |camera: &std::sync::Arc<crate::config::CameraConfig>| {
            1 + u64::from(camera.sub.is_some())
        };
        config.cameras.iter().map(two).sum()
    });
    vec![
        program(),
        decoder(&subject.decoder),
        clock(subject),
        time_source(subject.host),
        zone(subject),
        swap(subject.host),
        core_dumps(subject.host, subject.recorder),
        descriptors(subject.host, subject.recorder, streams),
    ]
}

fn program() -> Finding {
    Finding::ok(
        "program",
        format!(
            "sinetti {}; recording needs no other program or package",
            env!("CARGO_PKG_VERSION")
        ),
    )
}

/// A warning, since recording, playback and packages go on without.
pub(super) fn decoder(decoder: &Result<(), String>) -> Finding {
    let remedy = "without it there are no stills, and no viewing copies of H.265: install sinetti-codec beside sinetti with the \
         libraries of FFmpeg, on a kernel with Landlock (5.13 or later)";
    match decoder {
        Ok(()) => Finding::ok("decoder", "sinetti-codec starts, and locks itself in"),
        Err(e) => Finding::warn("decoder", e, remedy),
    }
}

fn clock(subject: &Subject<'_>) -> Finding {
    let sync = subject.clock.host_sync();
    let now = subject.zone().display(subject.clock.wall());
    if !sync.synchronised {
        return Finding::warn(
            "clock",
            format!("it is {now}, but the clock is not synchronised"),
            "give the box a time source that is reachable, then look at: timedatectl",
        );
    }
    let found = format!("it is {now}, synchronised, error {} µs", sync.error_us);
    if sync.error_us > ERROR_US_MAX {
        return Finding::warn("clock", found, "use a nearer or better time source");
    }
    Finding::ok("clock", found)
}

pub(super) fn time_source(host: &Host) -> Finding {
    let processes = host.processes();
    let running: Vec<_> = TIME_SOURCES
        .into_iter()
        .filter(|name| processes.iter().any(|process| process == name))
        .collect();
    if !running.is_empty() {
        return Finding::ok("time-source", format!("{} runs", running.join(" and ")));
    }
    let remedy = "a closed network needs a time source of its own: a router, a GNSS receiver or another machine on the \
         premises, by chrony or systemd-timesyncd";
    if host.read("proc/1/comm").is_none() {
        let found = "this user may not see other users' processes";
        return Finding::unknown("time-source", found, remedy);
    }
    let found = "neither chronyd, systemd-timesyncd, ntpd nor ptp4l runs";
    Finding::warn("time-source", found, remedy)
}

fn zone(subject: &Subject<'_>) -> Finding {
    let zone = subject.zone();
    let name = zone.name();
    Finding::ok("time-zone", format!("{name}, from data that is built in"))
}

pub(super) fn swap(host: &Host) -> Finding {
    let Some(text) = host.read("proc/swaps") else {
        let remedy = "look at: swapon --show";
        return Finding::unknown("swap", "/proc/swaps cannot be read", remedy);
    };
    let (mut good, mut clear) = (Vec::new(), Vec::new());
    for line in text.lines().skip(1) {
        let mut fields = line.split_whitespace();
        let (Some(name), Some(kind)) = (fields.next(), fields.next()) else {
            continue;
        };
        let below = match kind {
            "file" => host.below_path(std::path::Path::new(name)),
            _ => host.below_node(name),
        };
        let safe = name.starts_with("/dev/zram") || below.is_some_and(|below| below.encrypted);
        if safe { &mut good } else { &mut clear }.push(name.to_owned());
    }
    match (good.is_empty(), clear.is_empty()) {
        (true, true) => Finding::ok("swap", "none"),
        (false, true) => Finding::ok(
            "swap",
            format!("{}: encrypted, or in memory", good.join(", ")),
        ),
        (_, false) => Finding::bad(
            "swap",
            format!(
                "{} is not encrypted: pictures and keys could reach the disk in the clear",
                clear.join(", ")
            ),
            "swapoff -a and take it out of /etc/fstab; or encrypt it, or use zram",
        ),
    }
}

pub(super) fn core_dumps(host: &Host, recorder: Option<u32>) -> Finding {
    let pattern = host.read("proc/sys/kernel/core_pattern");
    let pattern = pattern.as_deref().map_or("?", str::trim);
    let process = recorder.map_or("self".to_owned(), |id| id.to_string());
    let whose = if recorder.is_some() {
        "the recorder"
    } else {
        "this command (the recorder does not run)"
    };
    match host.limit(&process, "Max core file size").as_deref() {
        Some("0") => Finding::ok("core-dumps", format!("{whose} may not leave one (limit 0)")),
        Some(limit) if pattern.is_empty() || pattern == "|/bin/false" => Finding::ok(
            "core-dumps",
            format!("nothing is done with one (limit {limit}, core_pattern \"{pattern}\")"),
        ),
        Some(limit) => Finding::warn(
            "core-dumps",
            format!(
                "the limit of {whose} is {limit}, core_pattern \"{pattern}\"; Sinetti forbids its own, and that is the only lock"
            ),
            "set LimitCORE=0 in the unit (config/sinetti.service does), and: sysctl kernel.core_pattern=\"|/bin/false\"",
        ),
        None => Finding::unknown(
            "core-dumps",
            format!("the limits of {whose} cannot be read"),
            "set LimitCORE=0 in the unit",
        ),
    }
}

pub(super) fn descriptors(host: &Host, recorder: Option<u32>, streams: u64) -> Finding {
    let needed = FILES_BASE + FILES_A_STREAM * streams;
    let process = recorder.map_or("self".to_owned(), |id| id.to_string());
    let remedy = "set LimitNOFILE=16384 in the unit (config/sinetti.service does)";
    let Some(limit) = host.limit(&process, "Max open files") else {
        return Finding::unknown("open-files", "the limits cannot be read", remedy);
    };
    let found = format!("{limit} may be open, {needed} are enough for {streams} streams");
    if limit != "unlimited" && limit.parse().is_ok_and(|limit: u64| limit < needed) {
        return Finding::bad("open-files", found, remedy);
    }
    Finding::ok("open-files", found)
}
