//! `sinetti camera`: add a camera to the configuration, or try one.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use crate::base::clock::SystemClock;
use crate::base::error::{Error, Kind, Result};
use crate::base::time::{TICKS_PER_SECOND, Ticks};
use crate::cmd::say;
use crate::config::{self, NewCamera, Transport};
use crate::ingest::allowance::Allowance;
use crate::ingest::redirect::Allowed;
use crate::ingest::rtsp::{Group, Options, Rtsp};
use crate::ingest::{Item, Session, Source};
use crate::store::state::State;

/// A probe looks at the stream for so long.
const PROBE: Duration = Duration::from_secs(6);

/// What to do with cameras.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Add a camera to the configuration; a running recorder begins to record it at once.
    Add(Box<Add>),
    /// Connect to a camera and say what it sends; nothing is written.
    Probe(Probe),
}

/// Arguments of `camera add`.
#[derive(Debug, clap::Args)]
pub(super) struct Add {
    /// Its id: a-z, 0-9, - and _.
    id: String,
    /// Its name, as people call it.
    #[arg(long)]
    name: String,
    /// The marked camera area that it sees.
    #[arg(long)]
    area: String,
    /// Its IP address, with :PORT unless 554.
    #[arg(long)]
    address: String,
    /// Path of the full picture on the camera.
    #[arg(long)]
    main: String,
    /// Path of the small picture.
    #[arg(long)]
    sub: Option<String>,
    /// tcp or udp.
    #[arg(long)]
    transport: Option<String>,
    /// File (mode 0600): first line user name, second line password.
    #[arg(long, value_name = "FILE")]
    credentials: Option<PathBuf>,
    /// Why it records; may be given several times.
    #[arg(long = "purpose", required = true)]
    purposes: Vec<String>,
    /// How long its footage is kept: "14 d", "72 h".
    #[arg(long)]
    keep: Option<String>,
    /// For how long it is promised to be there: 7 d.
    #[arg(long)]
    guarantee: Option<String>,
    /// Why it is kept for more than 72 hours, in one sentence. Default: as [retention] says.
    #[arg(long, value_name = "SENTENCE")]
    justification: Option<String>,
    /// The volume that it is recorded to. Default: the first.
    #[arg(long)]
    volume: Option<String>,
    /// Add it switched off.
    #[arg(long)]
    disabled: bool,
}

/// Arguments of `camera probe`.
#[derive(Debug, clap::Args)]
pub(super) struct Probe {
    /// Its IP address, with :PORT unless 554.
    #[arg(long)]
    address: String,
    /// Path of the stream on the camera.
    #[arg(long, alias = "main")]
    path: String,
    /// tcp or udp.
    #[arg(long, default_value = "tcp")]
    transport: Transport,
    /// File (mode 0600): first line user name, second line password.
    #[arg(long, value_name = "FILE")]
    credentials: Option<PathBuf>,
}

/// Runs it.
pub(super) fn run(dir: &Path, command: Command) -> Result<ExitCode> {
    match command {
        Command::Add(args) => add(dir, *args),
        Command::Probe(args) => probe(&args),
    }
}

fn add(dir: &Path, args: Add) -> Result<ExitCode> {
    let state = State::open(dir)?;
    let loaded = config::load(&state.config_path())?;
    // A file named relative to where the person stands stays the same file.
    let credentials = args.credentials.map(std::path::absolute).transpose()?;
    let new = NewCamera {
        id: args.id.clone(),
        name: args.name,
        area: args.area,
        address: args.address,
        transport: args.transport,
        main: args.main,
        sub: args.sub,
        credentials: credentials.map(|p| p.to_string_lossy().into_owned()),
        disabled: args.disabled,
        volume: args.volume,
        purposes: args.purposes,
        keep: args.keep,
        keep_sub: None,
        guarantee: args.guarantee,
        justification: args.justification,
    };
    let edited = config::add_camera(&loaded.text, dir, &new)?;
    config::save(&state.config_path(), &loaded, &edited)?;
    say(&format!(
        "camera \"{}\" was added to {}\n",
        args.id,
        state.config_path().display()
    ))?;
    Ok(ExitCode::SUCCESS)
}

fn probe(args: &Probe) -> Result<ExitCode> {
    let address = address(&args.address)?;
    let options = Options {
        address,
        path: args.path.clone(),
        transport: args.transport,
        credentials: args.credentials.clone(),
        allowed: Allowed::by(config::NetworkConfig::default()),
        allowance: Allowance::of(config::RecorderConfig::default().receive_bytes),
    };
    if !options.path.starts_with('/') {
        return Err(Error::invalid("the path of the stream must begin with /"));
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let found = runtime.block_on(look(Rtsp::new(
        options,
        SystemClock::shared(),
        &Group::named("probe"),
    )))?;
    say(&found)?;
    Ok(ExitCode::SUCCESS)
}

fn address(text: &str) -> Result<SocketAddr> {
    let bare = text
        .parse()
        .map(|ip| SocketAddr::new(ip, config::CAMERA_PORT));
    let address = text.parse::<SocketAddr>().or(bare);
    let address = address.map_err(|_| {
        Error::invalid("the camera's address must be an IP address, with :PORT unless 554")
    })?;
    if !config::is_private(address.ip()) {
        let text = format!(
            "{} is a public address; a camera must be on a private network",
            address.ip()
        );
        return Err(Error::invalid(text));
    }
    Ok(address)
}

/// What a stream showed.
#[derive(Default)]
struct Seen {
    parameters: String,
    units: i64,
    key_frames: i64,
    bytes: usize,
    lost: u32,
    first: Option<Ticks>,
    last: Ticks,
    offset_ms: Option<i64>,
}

async fn look(mut source: Rtsp) -> Result<String> {
    let unavailable = |e: crate::ingest::Ended| {
        Error::new(Kind::Unavailable, e.detail).attempted("probing the camera")
    };
    let mut session = source.connect().await.map_err(unavailable)?;
    let mut seen = Seen::default();
    let deadline = tokio::time::Instant::now() + PROBE;
    while let Ok(item) = tokio::time::timeout_at(deadline, session.next()).await {
        match item.map_err(unavailable)? {
            Item::Parameters(entry) => {
                seen.parameters = format!(
                    "{:?} ({}), {} x {}",
                    entry.codec, entry.rfc6381, entry.width, entry.height
                );
            }
            Item::Unit(unit) => {
                seen.units += 1;
                seen.key_frames += i64::from(unit.is_key);
                seen.bytes += unit.data.len();
                seen.lost += unit.loss;
                seen.first.get_or_insert(unit.pts);
                seen.last = seen.last.max(unit.pts);
            }
            Item::CameraClock(ms) => seen.offset_ms = Some(ms),
            Item::Corrupt(_) => seen.lost += 1,
        }
    }
    seen.text().ok_or_else(|| {
        Error::new(
            Kind::Unavailable,
            format!("the camera sent no picture within {} s", PROBE.as_secs()),
        )
    })
}

impl Seen {
    #[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
    fn text(&self) -> Option<String> {
        let ticks = (self.last - self.first?).0;
        let secs = ticks.max(1) as f64 / TICKS_PER_SECOND as f64;
        let per_second = (self.units - 1).max(0) as f64 / secs;
        let key = match self.key_frames {
            0 => "no key frame seen: set the camera's key frame interval to 2 s".to_owned(),
            n => format!("a key frame about every {:.1} s", secs / n as f64),
        };
        let offset = self.offset_ms.map_or("not told".to_owned(), |ms| {
            format!("{ms:+} ms against this machine's")
        });
        Some(format!(
            "  picture    {}\n  rate       {per_second:.1} a second, {:.1} Mbit/s\n  key frame  {key}\n  lost       {}\n  clock      {offset}\n",
            self.parameters,
            self.bytes as f64 * 8.0 / 1e6 / secs,
            self.lost,
        ))
    }
}
