//! Eyes that are not Sinetti's: ffprobe, a full decode, and the block code that is burnt into every picture.

use super::footage::FPS;
use super::test_box::ran;
use ring::digest::{SHA256, digest};
use serde::Deserialize;
use sinetti::base::time::Wall;
use sinetti_simulator::{Footage, Sent};
use std::collections::HashMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

/// Pictures of one loop of the footage.
pub(crate) const LOOP_PICTURES: usize = 900;
/// Media time from one picture to the next.
pub(crate) const TICKS_PER_PICTURE: i64 = 90_000 / FPS as i64;

/// A packet as ffprobe tells of it, in the order of the file.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct Packet {
    pub(crate) pts: i64,
    pub(crate) dts: i64,
    flags: String,
    /// SHA-256 of its bytes, in hex.
    #[serde(rename = "data_hash")]
    pub(crate) hash: String,
}

impl Packet {
    /// Decoding can begin with it.
    pub(crate) fn is_key(&self) -> bool {
        self.flags.starts_with('K')
    }
}

#[derive(Deserialize)]
struct Probed {
    packets: Vec<Packet>,
}

/// The packets of a clip by ffprobe, which must not complain.
#[track_caller]
pub(crate) fn packets(path: &Path) -> Vec<Packet> {
    let mut ffprobe = Command::new("ffprobe");
    ffprobe.args([
        "-v",
        "warning",
        "-of",
        "json",
        "-show_packets",
        "-show_data_hash",
        "sha256",
    ]);
    let probed = ran(ffprobe.arg(path));
    assert_eq!(
        (probed.code, probed.stderr.as_str()),
        (0, ""),
        "{}",
        path.display()
    );
    let Probed { mut packets } = serde_json::from_str(&probed.stdout).expect("JSON");
    for packet in &mut packets {
        let hash = packet.hash.strip_prefix("SHA256:").map(str::to_owned);
        packet.hash = hash.expect("a SHA-256");
    }
    packets
}

/// Time, in ticks, of each picture that a decoder shows, in the order shown.
#[track_caller]
pub(crate) fn shown_times(path: &Path) -> Vec<i64> {
    let mut ffprobe = Command::new("ffprobe");
    ffprobe.args([
        "-v",
        "warning",
        "-of",
        "csv=p=0",
        "-show_entries",
        "frame=pts",
    ]);
    let probed = ran(ffprobe.arg(path));
    assert_eq!(
        (probed.code, probed.stderr.as_str()),
        (0, ""),
        "{}",
        path.display()
    );
    let times = probed
        .stdout
        .split(['\n', ','])
        .filter(|text| !text.is_empty());
    times.map(|text| text.parse().expect("a time")).collect()
}

/// The block codes of all pictures that a full decode shows, in order; ffmpeg must not complain.
#[track_caller]
pub(crate) fn block_codes(path: &Path) -> Vec<usize> {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-nostdin", "-v", "warning", "-i"]).arg(path);
    // The row of squares: a twentieth of the width high; scaled, so that every size has 16 pixels a square.
    ffmpeg.args([
        "-vf",
        "crop=iw:iw/20:0:0,scale=320:16:flags=area",
        "-fps_mode",
        "passthrough",
    ]);
    ffmpeg.args(["-f", "rawvideo", "-pix_fmt", "gray", "-"]);
    let decoded = ffmpeg.stdin(Stdio::null()).output().expect("ffmpeg runs");
    let said = String::from_utf8_lossy(&decoded.stderr);
    assert!(
        decoded.status.success() && said.is_empty(),
        "{}: {said}",
        path.display()
    );
    decoded.stdout.chunks(320 * 16).map(block_code).collect()
}

/// See `scripts/make-footage`.
fn block_code(row: &[u8]) -> usize {
    let mean = |square: usize| {
        let inner = (4..12).flat_map(|y| (4..12).map(move |x| y * 320 + square * 16 + x));
        inner.map(|at| usize::from(row[at])).sum::<usize>() / 64
    };
    let middle = usize::midpoint(mean(0), mean(1));
    (2..12).fold(0, |code, square| {
        code * 2 + usize::from(mean(square) > middle)
    })
}

/// SHA-256 in hex.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    let hash = digest(&SHA256, bytes);
    hash.as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// SHA-256 of each access unit of footage as it must be stored.
pub(crate) fn hashes(footage: &Footage) -> Vec<String> {
    let units = footage.access_units().iter();
    units.map(|unit| sha256(&unit.stored_form())).collect()
}

/// Hashes of what a camera sent, each with its log entry, in order.
pub(crate) fn sent_hashes(sent: &[Sent]) -> Vec<(String, Sent)> {
    let mut known: HashMap<*const Footage, Vec<String>> = HashMap::new();
    let hashed = |entry: &Sent| {
        let of_footage = known
            .entry(Arc::as_ptr(&entry.footage))
            .or_insert_with(|| hashes(&entry.footage));
        (of_footage[entry.index].clone(), entry.clone())
    };
    sent.iter().map(hashed).collect()
}

/// Compares a clip's packets with what was sent: from the clip's first one on they must be the same, in order, without
/// a hole. Gives the place of the first in `sent`.
#[track_caller]
pub(crate) fn assert_unbroken(packets: &[Packet], sent: &[(String, Sent)]) -> usize {
    let first = &packets.first().expect("the clip has packets").hash;
    let from = sent.iter().position(|(hash, _)| hash == first);
    let from = from.expect("the first packet was sent by the camera");
    for (i, packet) in packets.iter().enumerate() {
        let (hash, entry) = sent.get(from + i).unwrap_or_else(|| {
            panic!("packet {i} of {} was never sent", packets.len());
        });
        assert_eq!(
            &packet.hash,
            hash,
            "packet {i} of {}: {entry:?}",
            packets.len()
        );
    }
    from
}

/// Where the picture of a sent unit belongs in presentation order, counted over all loops.
pub(crate) fn place(sent: &Sent) -> usize {
    let units = sent.footage.access_units();
    let turn = usize::try_from(sent.loop_number).expect("a loop");
    turn * units.len() + units[sent.index].presentation()
}

/// Order and times as the camera's: presentation times follow the presentation order of the footage to within `slack`
/// ticks, decode times are the same times in ascending order.
#[track_caller]
pub(crate) fn assert_times(packets: &[Packet], places: &[usize], slack: i64) {
    let ticks = |place: usize| i64::try_from(place).expect("a place") * TICKS_PER_PICTURE;
    let zero = packets[0].pts - ticks(places[0]);
    for (i, (packet, place)) in packets.iter().zip(places).enumerate() {
        let off = packet.pts - (zero + ticks(*place));
        assert!(
            off.abs() <= slack,
            "packet {i}, picture {place}: {off} ticks late"
        );
    }
    let mut times: Vec<_> = packets.iter().map(|packet| packet.pts).collect();
    times.sort_unstable();
    let shift = packets[0].dts - times[0];
    for (packet, time) in packets.iter().zip(times) {
        assert_eq!(
            packet.dts,
            time + shift,
            "decode times are the sorted presentation times"
        );
    }
}

/// A full decode shows every picture of `places` (those of the packets, in their order) that can be decoded, in
/// presentation order, each at its time to within `slack` ticks. Gives how many cannot be decoded: those before the
/// first key frame in presentation order, which an open GOP has.
#[track_caller]
pub(crate) fn assert_shows(path: &Path, places: &[usize], slack: i64) -> usize {
    let mut shown: Vec<_> = places.iter().filter(|place| **place >= places[0]).collect();
    // A recording may end within a group of reordered pictures: then some lack at the end.
    shown.sort_unstable();
    let codes: Vec<_> = shown.iter().map(|place| *place % LOOP_PICTURES).collect();
    assert_eq!(block_codes(path), codes, "{}", path.display());
    let ticks = |from: usize, to: usize| i64::try_from(to - from).expect("few") * TICKS_PER_PICTURE;
    let times = shown_times(path);
    assert_eq!(times.len(), shown.len(), "{}", path.display());
    for (time, place) in times.iter().zip(&shown) {
        let off = time - times[0] - ticks(*shown[0], **place);
        assert!(
            off.abs() <= slack,
            "picture {place} is shown {off} ticks late"
        );
    }
    places.len() - shown.len()
}

/// How far the time of day of a phase-locked picture is from its place in the loop, in seconds; positive when late.
pub(crate) fn off_by(at: Wall, place: usize) -> f64 {
    let within_us = at.us().rem_euclid(60_000_000);
    let code_us =
        i64::try_from(place % LOOP_PICTURES).expect("a place") * 1_000_000 / i64::from(FPS);
    let off_us = (within_us - code_us + 30_000_000).rem_euclid(60_000_000) - 30_000_000;
    #[expect(clippy::cast_precision_loss, reason = "below a minute")]
    let secs = off_us as f64 / 1e6;
    secs
}
