//! Layer 8: one file a subcommand. What a person types becomes a call; what comes back becomes text.

mod act;
mod alarms;
mod backup;
mod camera;
mod certificate;
mod check;
mod clock;
mod disclosure;
mod doctor;
mod enrol;
mod export;
mod hold;
mod init;
mod ledger;
mod ls;
mod new_file;
mod open;
mod reindex;
mod restore;
mod retention;
mod scrub;
mod secret;
mod status;
mod still;
mod user;
mod user_text;
mod vault;
mod verify;
mod volume;

#[cfg(test)]
mod docs_tests;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use rustix::process::DumpableBehavior;

use crate::base::error::{Context, Error, Kind, Result};
use crate::base::id::{CameraId, StreamId, StreamKind};

/// Records a shop's cameras; hands out clips that can be checked.
#[derive(Debug, Parser)]
#[command(version, about, long_about = None, max_term_width = 110)]
pub struct Args {
    /// The state folder: identity, configuration and catalog of this box.
    #[arg(
        long,
        env = "SINETTI_DIR",
        default_value = "/var/lib/sinetti",
        global = true
    )]
    dir: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a new state folder: box identity, keys, first persons, configuration, volumes.
    Init(init::Args),
    /// Record until SIGTERM or Ctrl-C.
    Run,
    /// What each camera and volume is doing.
    Status(status::Args),
    /// What somebody has to look at, and that one has.
    Alarms(alarms::Args),
    /// What is recorded, and the gaps with their causes.
    Ls(ls::Args),
    /// Write recorded footage as MP4 that plays anywhere.
    Export(export::Args),
    /// Write one picture as PNG, at its full resolution.
    Still(still::Args),
    /// Check a package that was exported: on any machine, without a box.
    Verify(verify::Args),
    /// Open one segment: as a person, or with shares of the recovery identity.
    Open(open::Args),
    /// Set one's own passphrase and second factor with a one-time token.
    Enrol(enrol::Args),
    /// Persons and rights, for the beginning and for rescue.
    #[command(subcommand)]
    User(Box<user::Command>),
    /// A new vault generation; the way back when nobody can play back any more.
    #[command(subcommand)]
    Vault(vault::Command),
    /// Check catalog and footage; needs no key.
    Check(check::Args),
    /// Read all footage through and compare it with the catalog, or say how far that has come.
    Scrub(scrub::Args),
    /// Rebuild a lost or damaged catalog from the volumes. Nothing is deleted afterwards until somebody has looked.
    Reindex(reindex::Args),
    /// Everything of this box but footage, encrypted to the recovery shares, while it records.
    Backup(backup::Args),
    /// Make a state folder out of a backup. Nothing is deleted afterwards until a controller has looked.
    Restore(restore::Args),
    /// Is this machine fit to keep footage? Clock, disks, secrets, network.
    Doctor(doctor::Args),
    /// What is kept how long, what goes next, and what stands in the way.
    Retention(retention::Args),
    /// What keeps footage past its time: cases, preservation orders, restrictions, access requests.
    #[command(subcommand)]
    Hold(Box<hold::Command>),
    /// Footage that leaves the house: who asks, who approves, what became of it.
    #[command(subcommand)]
    Disclosure(Box<disclosure::Command>),
    /// The log that nobody can rewrite unseen.
    #[command(subcommand)]
    Ledger(ledger::Command),
    /// Say that the time of day is right.
    #[command(subcommand)]
    Clock(clock::Command),
    /// Add or try a camera.
    #[command(subcommand)]
    Camera(camera::Command),
    /// Add a footage volume.
    #[command(subcommand)]
    Volume(volume::Command),
    /// Show or renew the certificate of pages and API.
    #[command(subcommand)]
    Certificate(certificate::Command),
    /// Print the OpenAPI document of the API.
    Openapi,
}

/// Does what was asked.
///
/// # Errors
/// What went wrong, in words for the person who asked.
pub fn dispatch(args: Args) -> Result<ExitCode> {
    let dir = std::path::absolute(&args.dir)?;
    match args.command {
        Command::Init(a) => init::run(&dir, a),
        Command::Run => crate::daemon::run(&dir).map(|()| ExitCode::SUCCESS),
        Command::Status(a) => status::run(&dir, &a),
        Command::Alarms(a) => alarms::run(&dir, &a),
        Command::Ls(a) => ls::run(&dir, &a),
        Command::Export(a) => export::run(&dir, &a),
        Command::Still(a) => still::run(&dir, &a),
        Command::Verify(a) => verify::run(&a),
        Command::Open(a) => open::run(&dir, &a),
        Command::Enrol(a) => enrol::run(&dir, &a),
        Command::User(c) => user::run(&dir, &c),
        Command::Vault(c) => vault::run(&dir, &c),
        Command::Check(a) => check::run(&dir, &a),
        Command::Scrub(a) => scrub::run(&dir, &a),
        Command::Reindex(a) => reindex::run(&dir, &a),
        Command::Backup(a) => backup::run(&dir, &a),
        Command::Restore(a) => restore::run(&dir, &a),
        Command::Doctor(a) => doctor::run(&dir, &a),
        Command::Retention(a) => retention::run(&dir, &a),
        Command::Hold(c) => hold::run(&dir, *c),
        Command::Disclosure(c) => disclosure::run(&dir, *c),
        Command::Ledger(c) => ledger::run(&dir, c),
        Command::Clock(c) => clock::run(&dir, &c),
        Command::Camera(c) => camera::run(&dir, c),
        Command::Volume(c) => volume::run(&dir, c),
        Command::Certificate(c) => certificate::run(&dir, &c),
        Command::Openapi => say(&crate::http::api::document::text()).map(|()| ExitCode::SUCCESS),
    }
}

/// No memory of this process reaches a core dump, or another process of the same user.
///
/// # Errors
/// When the kernel refuses.
pub fn forbid_core_dumps() -> Result<()> {
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .context(|| "forbidding core dumps")
}

/// Log lines go to standard error; under systemd with the level in the form that the journal knows.
pub fn log_to_stderr() {
    let journal = std::env::var_os("JOURNAL_STREAM").is_some();
    // retina tells of every odd packet; what matters of it reaches the supervisor as a result.
    let filter = std::env::var("SINETTI_LOG").unwrap_or_else(|_| "info,retina=error".to_owned());
    env_logger::Builder::new()
        .parse_filters(&filter)
        .format(move |out, record| {
            let (level, name) = match record.level() {
                log::Level::Error => (3, "error: "),
                log::Level::Warn => (4, "warning: "),
                log::Level::Info => (6, ""),
                _ => (7, "debug: "),
            };
            if journal {
                writeln!(out, "<{level}>{}", record.args())
            } else {
                writeln!(out, "{name}{}", record.args())
            }
        })
        .init();
}

/// Writes to standard output; a closed pipe ends quietly, as `head` expects.
fn say(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|e| Error::from(e).attempted("writing the answer")),
    }
}

/// As JSON, indented.
fn say_json(value: &impl serde::Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|e| Error::new(Kind::Internal, e.to_string()))?;
    say(&format!("{text}\n"))
}

/// A camera and one of its streams.
#[derive(Debug, clap::Args)]
struct StreamArgs {
    /// The camera's id.
    #[arg(long)]
    camera: CameraId,
    /// Which of its streams: main or sub.
    #[arg(long, default_value = "main")]
    stream: StreamKind,
}

impl StreamArgs {
    fn id(&self) -> StreamId {
        StreamId {
            camera: self.camera.clone(),
            kind: self.stream,
        }
    }
}

/// True when two fingerprints are the same, however their digits are grouped.
fn same_digits(a: &str, b: &str) -> bool {
    let plain = |text: &str| {
        text.chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|c| c.to_ascii_lowercase())
            .collect::<String>()
    };
    plain(a) == plain(b)
}

/// Who gives the command, as far as the system knows.
fn who() -> String {
    format!("user {}", rustix::process::getuid().as_raw())
}
