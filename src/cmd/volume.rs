//! `sinetti volume`: add a footage volume.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::base::error::{Error, Result};
use crate::cmd::say;
use crate::config::{self, NewVolume};
use crate::store::state::State;
use crate::store::volume::Volume;

/// What to do with volumes.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Make an empty folder a footage volume of this box and add it to the configuration.
    Add(Add),
}

/// Arguments of `volume add`.
#[derive(Debug, clap::Args)]
pub(super) struct Add {
    /// An empty folder, best the root of a disk of its own.
    path: PathBuf,
    /// Its name in the configuration. Default: the next disk-N.
    #[arg(long)]
    name: Option<String>,
    /// Free space that is kept, in GiB. Default: 5.
    #[arg(long)]
    reserve_gib: Option<f64>,
    /// The file system holds nothing else: it is synced as a whole.
    #[arg(long)]
    dedicated: bool,
}

/// Runs it.
pub(super) fn run(dir: &Path, command: Command) -> Result<ExitCode> {
    let Command::Add(args) = command;
    let state = State::open(dir)?;
    let loaded = config::load(&state.config_path())?;
    let path = std::path::absolute(&args.path)?;
    let text = path
        .to_str()
        .ok_or_else(|| Error::invalid(format!("{} is not UTF-8", path.display())))?;
    let name = args.name.unwrap_or_else(|| {
        let taken = |n: &u32| loaded.config.volume(&format!("disk-{n}")).is_some();
        format!("disk-{}", (1..).find(|n| !taken(n)).unwrap_or_default())
    });
    let new = NewVolume {
        name: name.clone(),
        path: text.to_owned(),
        reserve_gib: args.reserve_gib,
        dedicated: args.dedicated,
    };
    // Validated before the folder is touched; the folder before the configuration names it.
    let edited = config::add_volume(&loaded.text, dir, &new)?;
    Volume::init(&path, state.box_id, &name)?;
    config::save(&state.config_path(), &loaded, &edited)?;
    say(&format!(
        "volume \"{name}\" at {text} was made; it is used from the next start of the recorder on\n"
    ))?;
    Ok(ExitCode::SUCCESS)
}
