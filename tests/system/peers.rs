//! Cameras that share nothing with Sinetti nor its simulator: GStreamer's RTSP server, every codec over each transport.

use crate::support::{
    LOOP_PICTURES, TestBox, assert_shows, assert_times, footage, footage_dir, hashes, packets,
};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Six GOPs.
const PICTURES: u64 = 180;
const FILES: [(&str, &str); 3] = [
    ("plain", "till.264"),
    ("pyramid", "till-bframes.264"),
    ("open-gop", "till-h265.265"),
];
/// GStreamer counts in nanoseconds, so its RTP times are rounded.
const SLACK: i64 = 1;

/// GStreamer's server. It ends when dropped.
struct Gst {
    child: Child,
    address: SocketAddr,
}

impl Gst {
    fn serve(mounts: &[(String, &str)]) -> Gst {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/gst_rtsp_server.py");
        let mut command = Command::new("/usr/bin/python3");
        command.arg(script).arg("--exit-with-stdin");
        for (path, file) in mounts {
            command.arg("--mount");
            command.arg(format!("{path}={}", footage_dir().join(file).display()));
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Debian's Python runs");
        let mut line = String::new();
        let mut said = BufReader::new(child.stdout.take().expect("its output"));
        said.read_line(&mut line).expect("reads");
        let port = line
            .trim()
            .strip_prefix("ready ")
            .and_then(|port| port.parse().ok());
        let port: u16 = port.unwrap_or_else(|| {
            panic!("GStreamer's RTSP server does not start: install the packages named in tests/peers/gst_rtsp_server.py")
        });
        Gst {
            child,
            address: ([127, 0, 0, 1], port).into(),
        }
    }
}

impl Drop for Gst {
    fn drop(&mut self) {
        // It may have ended already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn records_gstreamer(transport: &str) {
    let mut shop = TestBox::new();
    let mounts: Vec<_> = FILES.map(|(id, file)| (format!("/{id}/main"), file)).into();
    let gst = Gst::serve(&mounts);
    for (id, _) in FILES {
        shop.add_camera(id, gst.address, &["--transport", transport]);
    }
    shop.start();
    let streams = FILES.map(|(id, _)| format!("{id}/main"));
    let streams: Vec<&str> = streams.iter().map(String::as_str).collect();
    shop.wait_for_pictures(&streams, PICTURES);
    shop.stop();
    shop.check(true);
    for ((_, file), stream) in FILES.iter().zip(streams) {
        is_as_the_file(&shop, stream, file);
    }
}

fn is_as_the_file(shop: &TestBox, stream: &str, file: &str) {
    let listed = shop.ls(stream);
    let coverage = &listed.footage.coverage;
    assert_eq!(coverage.recorded.len(), 1, "{stream}: {coverage:?}");
    let exported = shop.export(stream, coverage.recorded[0], &file.replace('.', "-"));
    assert_eq!(
        (exported.clips.len(), exported.packets_lost),
        (1, 0),
        "{stream}"
    );
    let clip = &exported.clips[0];
    let packets = packets(&clip.path);
    assert!(packets.len() as u64 >= PICTURES, "{stream}");
    let footage = footage(file);
    let hashes = hashes(&footage);
    let first = hashes.iter().position(|hash| *hash == packets[0].hash);
    let first = first.expect("the first packet is a unit of the file");
    let mut places = Vec::new();
    for (i, packet) in packets.iter().enumerate() {
        let at = first + i;
        assert_eq!(
            packet.hash,
            hashes[at % LOOP_PICTURES],
            "{stream}: packet {i}"
        );
        let unit = &footage.access_units()[at % LOOP_PICTURES];
        assert_eq!(packet.is_key(), unit.is_key(), "{stream}: packet {i}");
        places.push(at / LOOP_PICTURES * LOOP_PICTURES + unit.presentation());
    }
    assert_times(&packets, &places, SLACK);
    let lacking = assert_shows(&clip.path, &places, 2 * SLACK);
    assert_eq!(clip.undecodable_leading, lacking, "{stream}");
}

#[test]
fn every_codec_of_gstreamer_is_recorded_over_tcp() {
    records_gstreamer("tcp");
}

#[test]
fn every_codec_of_gstreamer_is_recorded_over_udp() {
    records_gstreamer("udp");
}
