//! Every clip of a package plays to its end in players that are not ours, picture by picture, and none of them says that anything is
//! wrong: FFmpeg, VLC, GStreamer, Chromium. What was recorded has a change of parameters, a restart, a gap, and reordered pictures.

use std::fmt::Write;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use sinetti::base::time::Span;

use crate::exact::wanted;
use crate::footage::{Stream, program};
use crate::plant::Own;
use crate::scenes::{Take, Told, at, packed, record};

/// Who plays: VLC does not start as root.
const NOBODY: &str = "65534";

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

/// How many pictures of `pixels` VLC decodes, without a complaint of its demuxer or its decoder.
#[track_caller]
fn vlc(clip: &Path, pixels: usize) -> usize {
    let dir = clip.parent().expect("a folder");
    let raw = dir.join("vlc.raw");
    let mut vlc = Command::new("vlc");
    vlc.env("HOME", dir)
        .args(["-I", "dummy", "-vv", "--ignore-config", "--no-audio"]);
    // As fast as it goes, since a file takes it.
    vlc.arg(format!(
        "--sout=#transcode{{vcodec=I420}}:std{{access=file,mux=raw,dst={}}}",
        raw.display()
    ));
    vlc.arg(clip).arg("vlc://quit");
    if rustix::process::geteuid().is_root() {
        let id = NOBODY.parse().expect("a number");
        vlc.uid(id).gid(id);
    }
    let (out, said) = run(&mut vlc);
    let complains = |line: &&str| {
        let of = [" demux", " decoder", " packetizer"];
        of.iter().any(|of| line.contains(&format!("{of} error:")))
    };
    let complaints: Vec<_> = said.lines().filter(complains).collect();
    assert!(
        out.status.success() && complaints.is_empty(),
        "{}: {complaints:?}",
        clip.display()
    );
    let bytes = std::fs::read(&raw).expect("decoded").len();
    std::fs::remove_file(&raw).expect("removed");
    assert_eq!(bytes % (pixels * 3 / 2), 0);
    bytes / (pixels * 3 / 2)
}

/// How many pictures of each clip Chromium shows, from its beginning to its end.
fn chromium(dir: &Path, names: &[String]) -> Vec<usize> {
    let page = dir.join("plays.html");
    let list = serde_json::to_string(names).expect("JSON");
    let mut html = String::from("<!DOCTYPE html><video muted></video><script>");
    write!(
        html,
        "const video = document.querySelector('video');
const say = (text) => console.log('PLAYED ' + text);
(async () => {{
  for (const name of {list}) {{
    const before = video.getVideoPlaybackQuality().totalVideoFrames;
    const over = new Promise((done) => {{ video.onended = () => done(''); video.onerror = () => done(video.error.message); }});
    video.src = encodeURIComponent(name);
    video.play().catch(() => 0);
    const wrong = await over;
    const shown = video.getVideoPlaybackQuality().totalVideoFrames;
    say(wrong || String(shown - (shown >= before ? 0 : before)));
  }}
  say('ALL');
}})();</script>"
    )
    .expect("written");
    std::fs::write(&page, html).expect("written");
    let mut child = Command::new("chromium")
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
    let mut counts = Vec::new();
    let mut log = String::new();
    for line in BufReader::new(child.stderr.take().expect("a pipe")).lines() {
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
    let group = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process_group(group, rustix::process::Signal::KILL).expect("ended");
    child.wait().expect("ended");
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
    // For whoever is nobody.
    let mode = std::fs::Permissions::from_mode(0o777);
    std::fs::set_permissions(dir.path(), mode).expect("changed");
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
    for file in &files {
        let clip = dir.path().join(text(file, "name"));
        let pictures = number(file, "pictures") - number(file, "undecodable_leading");
        let pixels = number(file, "width") * number(file, "height");
        let counts = [ffmpeg(&clip), vlc(&clip, pixels), gstreamer(&clip)];
        assert_eq!(counts, [pictures; 3], "FFmpeg, VLC, GStreamer: {file}");
    }
    // Debian's Chromium knows no H.265, and that is what the copy is for.
    let known: Vec<_> = files.iter().filter(|f| f["codec"] == "h264").collect();
    let names: Vec<_> = known.iter().map(|f| text(f, "name")).collect();
    let pictures: Vec<_> = known.iter().map(|f| number(f, "pictures")).collect();
    assert_eq!(chromium(dir.path(), &names), pictures, "{names:?}");
}
