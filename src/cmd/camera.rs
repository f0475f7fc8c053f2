//! `sinetti camera`: add a camera to the configuration, or try one.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::base::clock::SystemClock;
use crate::base::error::{Error, Result};
use crate::cmd::say;
use crate::config::{self, NewCamera, Transport};
use crate::ingest::allowance::Allowance;
use crate::ingest::probe::{self, Found};
use crate::ingest::redirect::Allowed;
use crate::ingest::rtsp::Options;
use crate::store::state::State;

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
    /// Why it is kept for more than 365 days, in one sentence. Default: as [retention] says.
    #[arg(long, value_name = "SENTENCE")]
    special_reason: Option<String>,
    /// Where the sentence for that stands. Default: as [retention] says.
    #[arg(long, value_name = "PLACE")]
    documented_in: Option<String>,
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
        Command::Probe(args) => try_one(&args),
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
        special_reason: args.special_reason,
        documented_in: args.documented_in,
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

fn try_one(args: &Probe) -> Result<ExitCode> {
    let address = probe::address(&args.address)?;
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
    let found = runtime.block_on(probe::look(options, SystemClock::shared()))?;
    say(&text(&found))?;
    Ok(ExitCode::SUCCESS)
}

fn text(found: &Found) -> String {
    let key = match found.key_frame_every_secs {
        None => "no key frame seen: set the camera's key frame interval to 2 s".to_owned(),
        Some(secs) => format!("a key frame about every {secs:.1} s"),
    };
    let offset = found.clock_offset_ms.map_or("not told".to_owned(), |ms| {
        format!("{ms:+} ms against this machine's")
    });
    format!(
        "  picture    {} ({}), {} x {}\n  rate       {:.1} a second, {:.1} Mbit/s\n  key frame  {key}\n  lost       {}\n  clock      {offset}\n",
        found.codec,
        found.rfc6381,
        found.width,
        found.height,
        found.pictures_per_second,
        found.megabits_per_second,
        found.lost,
    )
}
