//! `sinetti vault`: a new vault generation; and the way back when nobody can play back any more.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::access::keys;
use crate::base::error::{Context, Error, Kind, Result};
use crate::cmd::{act, say, secret, who};
use crate::daemon::control::Client;
use crate::daemon::people::{PeopleAnswer, PeopleAsk, warning_text};
use crate::store::state::State;
use crate::vault::shares;

/// What to do with the vault.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Whether somebody may play back, now and in the next 14 days.
    Status,
    /// A new vault generation for those who may play back now. It is in use from the next segment on.
    Rotate,
    /// With two recovery shares: stand behind a person's rights and give them all that was recorded before.
    Recover(RecoverArgs),
}

/// Arguments of `vault recover`.
#[derive(Debug, clap::Args)]
pub(super) struct RecoverArgs {
    /// Personal user name of somebody who has enrolled as controller or manager.
    name: String,
    /// A file (mode 0600) with a share, or with the whole recovery identity; given once for each share.
    #[arg(long, value_name = "FILE", required = true)]
    recovery: Vec<PathBuf>,
}

/// Runs it.
pub(super) fn run(dir: &Path, command: &Command) -> Result<ExitCode> {
    let state = State::open(dir)?;
    let mut client = Client::open(&state)?;
    match command {
        Command::Status => return status(&mut client),
        Command::Rotate => {
            let ask = PeopleAsk::Rotate { by: who() };
            let PeopleAnswer::Rotated { generation } = act::ask(&mut client, ask)? else {
                return Err(Error::new(Kind::Internal, "an answer to another question"));
            };
            say(&format!("new vault generation {generation}\n"))?;
        }
        Command::Recover(args) => recover(&state, &mut client, args)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn status(client: &mut Client) -> Result<ExitCode> {
    let PeopleAnswer::Holders { warning } = act::ask(client, PeopleAsk::Holders)? else {
        return Err(Error::new(Kind::Internal, "an answer to another question"));
    };
    match warning {
        None => {
            say("somebody may play back, also in 14 days\n")?;
            Ok(ExitCode::SUCCESS)
        }
        Some(warning) => {
            say(&format!("{}\n", warning_text(&warning)))?;
            Ok(ExitCode::FAILURE)
        }
    }
}

fn recover(state: &State, client: &mut Client, args: &RecoverArgs) -> Result<()> {
    let ask = PeopleAsk::Missing {
        name: args.name.clone(),
    };
    let PeopleAnswer::Missing(missing) = act::ask(client, ask)? else {
        return Err(Error::new(Kind::Internal, "an answer to another question"));
    };
    let texts = args
        .recovery
        .iter()
        .map(|path| secret::text(path))
        .collect::<Result<Vec<_>>>()?;
    let texts: Vec<&str> = texts.iter().map(|text| text.as_str()).collect();
    let identity = shares::combine(&texts)?;
    identity
        .check_opens(&state.recovery)
        .context(|| "these shares are of another recovery key")?;
    let wraps = keys::older_wraps(
        &missing.generations,
        &missing.recovery,
        &identity,
        missing.person,
        &missing.recipient,
    )?;
    let given = wraps.len();
    act::ask(
        client,
        PeopleAsk::Confirm {
            name: args.name.clone(),
            recipient: missing.recipient,
            controller: None,
            by: who(),
            wraps,
        },
    )?;
    say(&format!(
        "{} was confirmed by two shares and was given {given} earlier vault generations.\n\
         The shares were out of their envelopes: seal them again, each in other hands.\n",
        args.name
    ))
}
