//! `sinetti certificate`: the certificate of pages and API, and the authority that PCs are to trust.

use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

use crate::base::clock::SystemClock;
use crate::base::error::{Error, Result};
use crate::cmd::{say, say_json};
use crate::config;
use crate::http::{authority, tls};
use crate::store::state::State;

/// What to do with the certificate.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Which certificate is served until when, and the authority behind it; both are made when there are none.
    Show(Show),
    /// Make a new server certificate now; the running recorder takes it into use within a minute.
    Renew,
}

/// Arguments of `certificate show`.
#[derive(Debug, clap::Args)]
pub(super) struct Show {
    /// As JSON.
    #[arg(long)]
    json: bool,
    /// The authority's certificate instead, as PEM: for the PCs.
    #[arg(long)]
    authority: bool,
}

/// Runs it.
pub(super) fn run(dir: &Path, command: &Command) -> Result<ExitCode> {
    let state = State::open(dir)?;
    let web = config::load(&state.config_path())?.config.web;
    let now = SystemClock::shared().wall();
    let own = authority::authority(dir, state.box_id, now)?;
    match command {
        Command::Renew => {
            if web.certificate.is_some() {
                return Err(Error::invalid(
                    "the certificate is one that was given (certificate under [web]): put a new one in its place",
                ));
            }
            let names = authority::names(&web);
            let (served, _) = authority::server(dir, state.box_id, &names, now, true)?;
            say(&format!(
                "made a certificate for {}, valid until {}\n",
                names.join(", "),
                served.valid.end
            ))?;
        }
        Command::Show(show) if show.authority => say(&own.pem)?,
        Command::Show(show) => {
            let served = tls::due(dir, state.box_id, &web, now)?;
            if show.json {
                say_json(&serde_json::json!({
                    "certificate": { "valid": served.valid, "fingerprint": served.fingerprint },
                    "authority": {
                        "valid": own.valid,
                        "fingerprint": own.fingerprint,
                        "path": authority::public_path(dir),
                    },
                    "own": web.certificate.is_none(),
                }))?;
                return Ok(ExitCode::SUCCESS);
            }
            let mut text = String::new();
            let maker = match &web.certificate {
                Some(files) => format!("given: {}", files.chain.display()),
                None => format!("the box's own, for {}", authority::names(&web).join(", ")),
            };
            writeln!(text, "certificate  {maker}")?;
            writeln!(
                text,
                "  valid      {} to {}",
                served.valid.start, served.valid.end
            )?;
            writeln!(text, "  SHA-256    {}", served.fingerprint)?;
            writeln!(
                text,
                "authority    {}",
                authority::public_path(dir).display()
            )?;
            writeln!(
                text,
                "  valid      {} to {}",
                own.valid.start, own.valid.end
            )?;
            writeln!(text, "  SHA-256    {}", own.fingerprint)?;
            say(&text)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
