//! Every clip of a package plays to its end in players that are not ours, picture by picture, and none of them says that anything is
//! wrong: FFmpeg, VLC, GStreamer, Chromium. What was recorded has a change of parameters, a restart, a gap, and reordered pictures.

use std::fmt::Write;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;
use sinetti::base::time::Span;

use crate::exact::wanted;
use crate::footage::{Stream, program};
use crate::plant::Own;
use crate::scenes::{Take, Told, at, packed, record};

/// Who plays when this is root.
const NOBODY: u32 = 65_534;
/// So many reordered pictures VLC's stream output may lose after the first.
const LOST_MAX: usize = 8;

fn run(command: &mut Command) -> (Output, String) {
    let out = command.output().expect("it runs");
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    (out, said)
}

/// How many pictures FFmpeg decodes; it must not say a word.
#[track_caller]
pub(crate) fn ffmpeg(clip: &Path) -> usize {
    let (out, said) = run(Command::new("ffmpeg")
        .args([
            "-nostdin",
            "-v",
            "warning",
            "-xerror",
            "-err_detect",
            "explode",
        ])
        .args(["-progress", "pipe:1", "-i"])
        .arg(clip)
        .args(["-fps_mode", "passthrough", "-f", "null", "-"]));
    assert!(
        out.status.success() && said.is_empty(),
        "{}: {said}",
        clip.display()
    );
    let told = String::from_utf8_lossy(&out.stdout);
    let mut frames = told.lines().filter_map(|line| line.strip_prefix("frame="));
    let last = frames.next_back().expect("a count");
    last.trim().parse().expect("a number")
}

/// How many pictures GStreamer decodes.
#[track_caller]
fn gstreamer(clip: &Path) -> usize {
    let mut launch = Command::new("gst-launch-1.0");
    launch.arg("-v").arg("filesrc");
    launch.arg(format!("location={}", clip.display()));
    launch.args(["!", "decodebin", "!", "video/x-raw", "!"]);
    launch.args(["fakesink", "sync=false", "silent=false"]);
    let (out, said) = run(&mut launch);
    let told = String::from_utf8_lossy(&out.stdout);
    let is_well = out.status.success() && said.is_empty() && !told.contains("WARNING");
    assert!(is_well, "{}: {said}", clip.display());
    told.matches("last-message = chain ").count()
}

/// VLC decodes the same pictures as FFmpeg, bit by bit and to the last, without a complaint of its demuxer or its decoder.
///
/// It decodes into a file, as fast as it goes: what it shows at its time depends on how busy the machine is. Its stream output lets go
/// of a few pictures after the first where they are reordered.
#[track_caller]
fn vlc(clip: &Path, pixels: usize) {
    let name = clip.file_stem().expect("a name").to_owned();
    let dir = clip.with_file_name("vlc").join(name);
    std::fs::create_dir_all(&dir).expect("a folder");
    for_everybody(&dir);
    let [by_vlc, by_ffmpeg] = ["vlc.raw", "ffmpeg.raw"].map(|name| dir.join(name));
    let mut vlc = Command::new("vlc");
    vlc.env("HOME", &dir);
    vlc.args(["-I", "dummy", "-vv", "--ignore-config", "--no-audio"]);
    let to = by_vlc.display();
    vlc.arg(format!(
        "--sout=#transcode{{vcodec=I420}}:std{{access=file,mux=raw,dst={to}}}"
    ));
    vlc.arg(clip).arg("vlc://quit");
    if rustix::process::geteuid().is_root() {
        vlc.uid(NOBODY).gid(NOBODY);
    }
    let (out, said) = run(&mut vlc);
    let complains = |line: &&str| {
        let of = [" demux", " decoder", " packetizer"];
        of.iter().any(|of| line.contains(&format!("{of} error:")))
    };
    let complaints: Vec<_> = said.lines().filter(complains).collect();
    let is_well = out.status.success() && complaints.is_empty();
    assert!(is_well, "{}: {complaints:?}", clip.display());

    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-nostdin", "-v", "error", "-i"]).arg(clip);
    ffmpeg.args([
        "-fps_mode",
        "passthrough",
        "-pix_fmt",
        "yuv420p",
        "-f",
        "rawvideo",
    ]);
    assert!(run(ffmpeg.arg(&by_ffmpeg)).0.status.success());
    let [found, expected] = [by_vlc, by_ffmpeg].map(|path| std::fs::read(path).expect("decoded"));
    let [found, expected] = [&found, &expected].map(|bytes| {
        let pictures: Vec<_> = bytes.chunks(pixels * 3 / 2).collect();
        pictures
    });
    let lost = expected.len() - found.len();
    let lost_max = if is_reordered(clip) { LOST_MAX } else { 0 };
    assert!(lost <= lost_max, "{}: {lost} pictures less", clip.display());
    let is_same = found[0] == expected[0] && found[1..] == expected[1 + lost..];
    assert!(is_same, "{}: other pictures", clip.display());
}

/// Whether a clip has pictures that are shown in another order than they are decoded.
fn is_reordered(clip: &Path) -> bool {
    let mut ffprobe = Command::new("ffprobe");
    ffprobe.args([
        "-v",
        "error",
        "-show_entries",
        "stream=has_b_frames",
        "-of",
        "csv=p=0",
    ]);
    let told = run(ffprobe.arg(clip)).0.stdout;
    String::from_utf8_lossy(&told).trim() != "0"
}

/// VLC does not start as root.
fn for_everybody(dir: &Path) {
    let mode = std::fs::Permissions::from_mode(0o777);
    std::fs::set_permissions(dir, mode).expect("changed");
}

/// Ends with all of its processes, whatever becomes of the test.
struct Browser(Child);

impl Drop for Browser {
    fn drop(&mut self) {
        let group = Pid::from_child(&self.0);
        kill_process_group(group, Signal::KILL).expect("ended");
        self.0.wait().expect("ended");
    }
}

/// How many pictures of each clip Chromium shows, from its beginning to its end.
fn chromium(dir: &Path, names: &[String]) -> Vec<usize> {
    let page = dir.join("plays.html");
    let list = serde_json::to_string(names).expect("JSON");
    let html = format!(
        "<!DOCTYPE html><body></body><script>
const say = (text) => console.log('PLAYED ' + text);
(async () => {{
  for (const name of {list}) {{
    const video = document.createElement('video');
    const over = new Promise((done) => {{ video.onended = () => done(''); video.onerror = () => done(video.error.message); }});
    video.muted = video.autoplay = true;
    video.src = encodeURIComponent(name);
    document.body.replaceChildren(video);
    const wrong = await over;
    say(wrong || video.getVideoPlaybackQuality().totalVideoFrames);
  }}
  say('ALL');
}})();</script>"
    );
    std::fs::write(&page, html).expect("written");
    let child = Command::new("chromium")
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--enable-logging=stderr",
        ])
        .args([
            "--autoplay-policy=no-user-gesture-required",
            "--no-first-run",
        ])
        .arg(format!("--user-data-dir={}", dir.join("profile").display()))
        .arg(format!("file://{}", page.display()))
        .process_group(0)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("chromium runs");
    let mut browser = Browser(child);
    let mut counts = Vec::new();
    let mut log = String::new();
    for line in BufReader::new(browser.0.stderr.take().expect("a pipe")).lines() {
        let line = line.expect("text");
        if let Some((_, said)) = line.split_once("\"PLAYED ") {
            let said = said.split('"').next().unwrap_or_default();
            if said == "ALL" {
                break;
            }
            counts.push(said.parse().unwrap_or_else(|_| panic!("{said}: {log}")));
        }
        writeln!(log, "{line}").expect("kept");
    }
    assert_eq!(counts.len(), names.len(), "{log}");
    counts
}

/// The files of a package of two cameras: one changes its parameters, and goes on after a restart and a gap; the other is in H.265,
/// with a copy for viewing.
fn packaged(dir: &Path) -> Vec<Value> {
    let own = Own::new();
    let [plain, reordered, h265] =
        ["till.264", "till-bframes.264", "till-h265.265"].map(Stream::of);
    let take = |footage, start, new_run| Take {
        footage,
        groups: 1..4,
        start: at(start),
        new_run,
    };
    let takes = [
        take(&plain, "2026-11-23T15:00:00Z", true),
        take(&reordered, "2026-11-23T15:00:06Z", false),
        take(&plain, "2026-11-23T15:00:20Z", true),
    ];
    record(&own, "kassa-1/main", &takes);
    let take = take(&h265, "2026-11-23T15:00:00Z", true);
    record(&own, "kassa-2/main", &[take]);
    let given = Span {
        start: at("2026-11-23T15:00:02Z"),
        end: at("2026-11-23T15:00:24Z"),
    };
    let cameras = ["kassa-1/main", "kassa-2/main"];
    let mut wanted = cameras.map(|name| wanted(&own, name, given));
    wanted[1].copied = true;
    let with = (&program(), &Told::default());
    let manifest = packed(own, wanted.into(), dir, with).expect("packed");
    manifest["files"].as_array().expect("files").clone()
}

#[test]
fn every_clip_plays_to_its_end_everywhere() {
    let dir = tempfile::tempdir().expect("a folder");
    let files = packaged(dir.path());
    for_everybody(dir.path());
    let text = |file: &Value, key: &str| file[key].as_str().expect("text").to_owned();
    let number = |file: &Value, key: &str| {
        let number = file[key].as_u64().expect("a number");
        usize::try_from(number).expect("small")
    };
    assert_eq!(
        files
            .iter()
            .map(|f| number(f, "pictures"))
            .collect::<Vec<_>>(),
        [60, 90, 60, 60, 56],
        "{files:?}"
    );
    std::thread::scope(|scope| {
        for file in &files {
            let clip = dir.path().join(text(file, "name"));
            let pictures = number(file, "pictures") - number(file, "undecodable_leading");
            let pixels = number(file, "width") * number(file, "height");
            scope.spawn(move || {
                let counts = [ffmpeg(&clip), gstreamer(&clip)];
                assert_eq!(counts, [pictures; 2], "FFmpeg, GStreamer: {file}");
                vlc(&clip, pixels);
            });
        }
    });
    // Debian's Chromium knows no H.265, and that is what the copy is for.
    let known: Vec<_> = files.iter().filter(|f| f["codec"] == "h264").collect();
    let names: Vec<_> = known.iter().map(|f| text(f, "name")).collect();
    let pictures: Vec<_> = known.iter().map(|f| number(f, "pictures")).collect();
    assert_eq!(chromium(dir.path(), &names), pictures, "{names:?}");
}
