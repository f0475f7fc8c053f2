//! Clips, ffprobe, and a minimal client: what several test files need.
#![allow(dead_code, reason = "each test file uses a part of it")]

use sinetti_simulator::{Camera, Footage, Server};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

/// Which clip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// H.264 without B-frames.
    H264,
    /// H.265 without B-frames.
    H265,
    /// H.264 with a pyramid of B-frames.
    Reordered,
    /// H.264 without B-frames, of another size.
    Other,
}

/// A server on any free port.
pub(crate) fn start() -> Server {
    Server::start(([127, 0, 0, 1], 0).into()).expect("starts")
}

/// A clip of three seconds with a key frame each second, loaded.
pub(crate) fn footage(kind: Kind) -> Arc<Footage> {
    Arc::new(Footage::load(clip(kind), 15).expect("loads"))
}

/// Name, size of the picture, and encoder of a clip.
fn recipe(kind: Kind) -> (&'static str, &'static str, &'static str) {
    match kind {
        Kind::H264 => (
            "clip.264",
            "320x180",
            "-c:v libx264 -bf 0 -x264-params slices=2:scenecut=0",
        ),
        Kind::H265 => (
            "clip.265",
            "320x180",
            "-c:v libx265 -x265-params bframes=0:scenecut=0:log-level=error",
        ),
        Kind::Reordered => (
            "reordered.264",
            "320x180",
            "-c:v libx264 -x264-params bframes=3:b-pyramid=normal:scenecut=0",
        ),
        Kind::Other => (
            "other.264",
            "192x108",
            "-c:v libx264 -bf 0 -x264-params scenecut=0",
        ),
    }
}

/// Makes the clip unless there is one.
pub(crate) fn clip(kind: Kind) -> PathBuf {
    let (name, size, codec) = recipe(kind);
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if path.exists() {
        return path;
    }
    // Tests run in processes of their own at the same time: each makes its own and moves it into
    // place.
    let made = path.with_file_name(format!("{}-{name}", std::process::id()));
    let source = format!("testsrc2=size={size}:rate=15:duration=3");
    let times = made.with_extension("times");
    let format = if kind == Kind::H265 { "hevc" } else { "h264" };
    let outputs = format!(
        "[f={format}]{}|[f=framecrc]{}",
        made.display(),
        times.display()
    );
    let input = format!("-v error -y -f lavfi -i {source} -map 0 -preset ultrafast -g 15 {codec}");
    let encode: Vec<&str> = input.split(' ').chain(["-f", "tee", &outputs]).collect();
    run("ffmpeg", &encode);
    let order = presentation_order(&std::fs::read_to_string(&times).expect("reads"));
    let made_order = format!("{}.pts", made.display());
    std::fs::write(&made_order, order).expect("writes");
    std::fs::rename(&made_order, format!("{}.pts", path.display())).expect("renames");
    std::fs::remove_file(&times).expect("removes");
    std::fs::rename(&made, &path).expect("renames");
    path
}

/// A sidecar from the lines of ffmpeg's framecrc: stream, DTS, PTS, duration, size, checksum.
fn presentation_order(times: &str) -> String {
    let lines = times.lines().filter(|line| !line.starts_with('#'));
    let times = lines.map(|line| line.split(',').nth(2).expect("PTS").trim());
    let times: Vec<i64> = times.map(|time| time.parse().expect("a number")).collect();
    let place = |time: &i64| times.iter().filter(|other| *other < time).count();
    times
        .iter()
        .map(|time| format!("{}\n", place(time)))
        .collect()
}

fn run(program: &str, arguments: &[&str]) -> Output {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .expect("runs");
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// ffprobe on a camera; succeeds when it can tell codec and size.
pub(crate) fn probe(url: &str, transport: &str) -> Output {
    let mut command = Command::new("ffprobe");
    command.args([
        "-v",
        "error",
        "-rtsp_transport",
        transport,
        "-timeout",
        "10000000",
        "-show_entries",
        "stream=codec_name,width",
    ]);
    command
        .args(["-of", "csv=p=0", url])
        .output()
        .expect("runs")
}

/// Presentation times in seconds of the first packets ffprobe gets. It has none for the very first,
/// which is not a number.
pub(crate) fn capture(url: &str, transport: &str, count: usize) -> Vec<f64> {
    let interval = format!("%+#{count}");
    let arguments = [
        "-v",
        "error",
        "-rtsp_transport",
        transport,
        "-timeout",
        "10000000",
        "-read_intervals",
        &interval,
    ];
    let rest = ["-show_entries", "packet=pts_time", "-of", "csv=p=0", url];
    let output = run("ffprobe", &[&arguments[..], &rest[..]].concat());
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|line| line.trim_end_matches(','))
        .filter(|line| !line.is_empty())
        .map(|line| line.parse().unwrap_or(f64::NAN))
        .collect()
}

/// Reads more than a loop of a clip and compares with what was sent.
pub(crate) fn reads_all(kind: Kind, transport: &str) {
    let server = start();
    let footage = footage(kind);
    let camera = Camera {
        announce_audio: true,
        phase_locked: false,
        ..Camera::new(footage.clone())
    };
    let handle = server.add("/till/main", camera);
    let url = server.url("/till/main");
    let times = capture(&url, transport, 50);
    assert_eq!(times.len(), 50);
    for pair in times.windows(2).skip(1) {
        assert!((pair[1] - pair[0] - 1.0 / 15.0).abs() < 1e-3, "{pair:?}");
    }
    let counters = handle.counters();
    assert_eq!(counters.video_setups, 1);
    assert_eq!(counters.access_units, handle.sent().len() as u64);
    assert_eq!(handle.sent()[46].index, 46 % footage.access_units().len());
}

/// An RTSP client over TCP that reads what comes and understands little of it.
pub(crate) struct Client {
    reader: BufReader<TcpStream>,
    url: String,
    sequence: u32,
}

/// An answer to a request.
pub(crate) struct Answer {
    /// Status code.
    pub(crate) code: u16,
    /// Header lines.
    pub(crate) head: String,
    /// Body.
    pub(crate) body: String,
}

impl Client {
    /// Connects without a request.
    pub(crate) fn connect(server: &Server, path: &str) -> Client {
        let stream = TcpStream::connect(server.address()).expect("connects");
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .expect("sets");
        Client {
            reader: BufReader::new(stream),
            url: server.url(path),
            sequence: 0,
        }
    }

    /// Connects and plays.
    pub(crate) fn play(server: &Server, path: &str) -> Client {
        let mut client = Client::connect(server, path);
        assert_eq!(client.request("DESCRIBE", "").code, 200);
        assert_eq!(client.set_up_and_play(), 200);
        client
    }

    /// SETUP and PLAY; the last status.
    pub(crate) fn set_up_and_play(&mut self) -> u16 {
        let set_up = self.request(
            "SETUP",
            "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n",
        );
        if set_up.code != 200 {
            return set_up.code;
        }
        let session = set_up
            .head
            .lines()
            .find_map(|line| line.strip_prefix("Session: "))
            .expect("a session")
            .to_owned();
        self.request(
            "PLAY",
            &format!("Session: {}\r\n", session.split(';').next().unwrap_or("")),
        )
        .code
    }

    /// Sends a request, without waiting.
    pub(crate) fn send(&mut self, method: &str, headers: &str) {
        self.sequence += 1;
        let request = format!(
            "{method} {} RTSP/1.0\r\nCSeq: {}\r\n{headers}\r\n",
            self.url, self.sequence
        );
        self.reader
            .get_mut()
            .write_all(request.as_bytes())
            .expect("writes");
    }

    /// Sends a request and reads its answer; interleaved packets before it are skipped.
    pub(crate) fn request(&mut self, method: &str, headers: &str) -> Answer {
        self.send(method, headers);
        while self.reader.fill_buf().expect("reads").first() == Some(&b'$') {
            self.packet().expect("a packet");
        }
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(
                self.reader.read_line(&mut head).expect("reads"),
                0,
                "closed after {head:?}"
            );
        }
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("Content-Length: "))
            .map_or(0, |l| l.parse().expect("length"));
        let mut body = vec![0; length];
        self.reader.read_exact(&mut body).expect("reads");
        let code = head[9..12].parse().expect("a status");
        Answer {
            code,
            head,
            body: String::from_utf8(body).expect("UTF-8"),
        }
    }

    /// The next interleaved packet: channel and bytes. `None` when the connection is closed.
    pub(crate) fn packet(&mut self) -> Option<(u8, Vec<u8>)> {
        let mut header = [0; 4];
        self.reader.read_exact(&mut header).ok()?;
        assert_eq!(header[0], b'$', "an interleaved packet");
        let mut packet = vec![0; usize::from(u16::from_be_bytes([header[2], header[3]]))];
        self.reader.read_exact(&mut packet).ok()?;
        Some((header[1], packet))
    }

    /// The next RTP packet.
    pub(crate) fn rtp(&mut self) -> Option<Rtp> {
        loop {
            let (channel, packet) = self.packet()?;
            if channel == 0 {
                return Some(Rtp(packet));
            }
        }
    }

    /// Reads until so many access units have ended; how many there were before the connection did.
    pub(crate) fn access_units(&mut self, count: usize) -> usize {
        let mut ended = 0;
        while ended < count {
            let Some(packet) = self.rtp() else { break };
            ended += usize::from(packet.marker());
        }
        ended
    }

    /// Whatever comes next.
    pub(crate) fn raw(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.reader.read_exact(&mut bytes).expect("reads");
        bytes
    }

    /// Whether nothing more comes for this long.
    pub(crate) fn is_silent_for(&mut self, time: Duration) -> bool {
        self.reader
            .get_ref()
            .set_read_timeout(Some(time))
            .expect("sets");
        let silent = self.reader.fill_buf().is_err();
        self.reader
            .get_ref()
            .set_read_timeout(Some(Duration::from_secs(10)))
            .expect("sets");
        silent
    }
}

/// An RTP packet.
pub(crate) struct Rtp(pub(crate) Vec<u8>);

impl Rtp {
    /// Marker bit.
    pub(crate) fn marker(&self) -> bool {
        self.0[1] & 0x80 != 0
    }

    /// Sequence number.
    pub(crate) fn sequence(&self) -> u16 {
        u16::from_be_bytes([self.0[2], self.0[3]])
    }

    /// RTP timestamp.
    pub(crate) fn timestamp(&self) -> u32 {
        u32::from_be_bytes([self.0[4], self.0[5], self.0[6], self.0[7]])
    }

    /// SSRC.
    pub(crate) fn ssrc(&self) -> u32 {
        u32::from_be_bytes([self.0[8], self.0[9], self.0[10], self.0[11]])
    }

    /// `nal_unit_type` of an H.264 payload; that of the NAL unit it is a fragment of.
    pub(crate) fn nal_type(&self) -> u8 {
        match self.0[12] & 0x1f {
            28 => self.0[13] & 0x1f,
            kind => kind,
        }
    }
}
