//! `sinetti-simulator`: cameras from the command line.
//!
//! What belongs here: options, and when faults begin. Everything else is in the library.

use clap::{Parser, ValueEnum};
use sinetti_simulator::{Camera, CameraHandle, Fault, Footage, Login, Scheme, Server};
use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio::time::Instant;

/// Simulated RTSP cameras that loop Annex-B files
#[derive(Parser)]
#[command(version)]
struct Options {
    /// Address to listen at; port 0 takes any free one
    #[arg(long, default_value = "127.0.0.1:8554")]
    listen: SocketAddr,
    /// Frames a second of all files
    #[arg(long, default_value_t = 15)]
    fps: u32,
    /// User name all cameras want
    #[arg(long, requires = "password_file")]
    user: Option<String>,
    /// File with the password in its first line
    #[arg(long, requires = "user")]
    password_file: Option<PathBuf>,
    /// How user name and password are asked for
    #[arg(long, value_enum, default_value_t = Authentication::Digest)]
    authentication: Authentication,
    /// A camera: PATH=FILE, FILE ending in .264 or .265
    #[arg(long = "camera", value_name = "PATH=FILE", required = true)]
    cameras: Vec<String>,
    /// Announce an audio track too
    #[arg(long)]
    announce_audio: bool,
    /// Begin each session with the first frame of the file instead of following the wall clock
    #[arg(long)]
    free_running: bool,
    /// The sessions of N cameras begin spread over this time, the n-th n/N of it after it was asked for, so that
    /// not all key frames come at once
    #[arg(
        long,
        value_name = "MS",
        default_value_t = 0,
        requires = "free_running"
    )]
    spread_ms: u32,
    /// Over TCP, write each packet by itself instead of an access unit at once
    #[arg(long)]
    packet_writes: bool,
    /// How far the cameras' own clocks are ahead of this host's
    #[arg(
        long,
        value_name = "MS",
        default_value_t = 0,
        allow_hyphen_values = true
    )]
    clock_offset_ms: i64,
    /// A fault: PATH=FAULT[@SECONDS], seconds from the start; FAULT is lose-every=N,
    /// lose-randomly=P[:SEED], stall, disconnect, disconnect-after=S, garbage-bytes=LENGTH[:N],
    /// corrupt-nals=N, clock-drift=PPM, clock-jump=MS, footage=FILE, status=METHOD:CODE,
    /// no-key-frames, never-answer, stale-session, slow-drip=BYTES, endless-access-unit=BYTES,
    /// flood=METHOD:headers|header-line|description|packets, parameter-changes=COUNT:FILE,
    /// redirect=CODE:URL, or clear
    #[arg(long = "fault", value_name = "PATH=FAULT@SECONDS")]
    faults: Vec<String>,
    /// End when standard input is closed
    #[arg(long)]
    exit_with_stdin: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Authentication {
    Digest,
    Basic,
}

/// Something that happens to a camera; `None` clears its faults.
type Event = (Duration, CameraHandle, Option<Fault>);

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sinetti-simulator: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), String> {
    let server = Server::start(options.listen).map_err(|e| format!("{}: {e}", options.listen))?;
    let cameras = add_cameras(options, &server)?;
    let mut events = options
        .faults
        .iter()
        .map(|text| event(text, &cameras, options.fps))
        .collect::<Result<Vec<_>, _>>()?;
    events.sort_by_key(|(when, ..)| *when);
    let mut stdout = std::io::stdout();
    writeln!(stdout, "ready {}", server.address())
        .and_then(|()| stdout.flush())
        .map_err(|e| e.to_string())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| e.to_string())?;
    runtime
        .block_on(wait(events, options.exit_with_stdin))
        .map_err(|e| e.to_string())?;
    server.stop();
    Ok(())
}

fn add_cameras(
    options: &Options,
    server: &Server,
) -> Result<HashMap<String, CameraHandle>, String> {
    let login = match (&options.user, &options.password_file) {
        (Some(user), Some(file)) => {
            let text =
                std::fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))?;
            let password = text.lines().next().unwrap_or("").to_owned();
            let scheme = match options.authentication {
                Authentication::Digest => Scheme::Digest,
                Authentication::Basic => Scheme::Basic,
            };
            Some(Login {
                user: user.clone(),
                password,
                scheme,
            })
        }
        _ => None,
    };
    let mut loaded: HashMap<&str, Arc<Footage>> = HashMap::new();
    let mut cameras = HashMap::new();
    let spread = Duration::from_millis(options.spread_ms.into());
    let count = u32::try_from(options.cameras.len()).unwrap_or(u32::MAX);
    for (n, text) in (0..).zip(&options.cameras) {
        let (path, file) = text
            .split_once('=')
            .ok_or(format!("--camera {text}: no PATH=FILE"))?;
        if !path.starts_with('/') {
            return Err(format!("--camera {text}: a path begins with /"));
        }
        let footage = match loaded.get(file) {
            Some(footage) => footage.clone(),
            None => Arc::new(Footage::load(file, options.fps).map_err(|e| e.to_string())?),
        };
        loaded.insert(file, footage.clone());
        let camera = Camera {
            login: login.clone(),
            announce_audio: options.announce_audio,
            phase_locked: !options.free_running,
            start_delay: spread * n / count,
            packet_writes: options.packet_writes,
            clock_offset_ms: options.clock_offset_ms,
            // Nobody asks for it here.
            sent_log: 0,
            ..Camera::new(footage)
        };
        cameras.insert(path.to_owned(), server.add(path, camera));
    }
    Ok(cameras)
}

fn event(text: &str, cameras: &HashMap<String, CameraHandle>, fps: u32) -> Result<Event, String> {
    let wrong = |why: String| format!("--fault {text}: {why}");
    let (path, rest) = text
        .split_once('=')
        .ok_or_else(|| wrong("no PATH=FAULT".into()))?;
    let (fault, seconds) = rest.rsplit_once('@').unwrap_or((rest, "0"));
    let camera = cameras
        .get(path)
        .ok_or_else(|| wrong(format!("no camera {path}")))?;
    let seconds: f64 = seconds
        .parse()
        .map_err(|_| wrong(format!("{seconds:?} are no seconds")))?;
    let when = Duration::try_from_secs_f64(seconds).map_err(|e| wrong(e.to_string()))?;
    let fault = match fault {
        "clear" => None,
        _ => Some(Fault::parse(fault, fps).map_err(wrong)?),
    };
    Ok((when, camera.clone(), fault))
}

/// Lets the events happen, until a signal or the end of standard input.
async fn wait(events: Vec<Event>, exit_with_stdin: bool) -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (closed, stdin_closed) = oneshot::channel();
    if exit_with_stdin {
        // A thread of its own: a read of standard input cannot be cancelled, and must not keep the
        // runtime from ending.
        std::thread::spawn(move || {
            let mut buffer = [0; 256];
            while std::io::stdin()
                .read(&mut buffer)
                .is_ok_and(|count| count > 0)
            {}
            closed.send(()).ok();
        });
    }
    let happen = async {
        let start = Instant::now();
        for (when, camera, fault) in events {
            tokio::time::sleep_until(start + when).await;
            match fault {
                Some(fault) => camera.fault(fault),
                None => camera.clear(),
            }
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        _ = stdin_closed, if exit_with_stdin => {}
        () = happen => {}
    }
    Ok(())
}
