//! `sinetti enrol`: whoever has a one-time token sets their own passphrase and second factor. Nobody else learns either.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use zeroize::Zeroizing;

use crate::access::credential::Used;
use crate::access::enrol::{self, Made};
use crate::access::{EnrolmentToken, totp};
use crate::base::clock::SystemClock;
use crate::base::disk::{self, SECRET_MODE};
use crate::base::error::{Context, Error, Kind, Result};
use crate::catalog::EnrolmentKind;
use crate::cmd::{act, say, secret};
use crate::config;
use crate::daemon::control::Client;
use crate::daemon::people::{PeopleAnswer, PeopleAsk};
use crate::store::state::State;
use crate::vault::passphrase;
use crate::vault::person::Cost;

/// Wrong codes that are taken back before it is given up; nothing is written then.
const CODE_TRIES: u32 = 3;

/// Arguments of `enrol`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// File (mode 0600) with the one-time token. Default: asked for.
    #[arg(long, value_name = "FILE")]
    token: Option<PathBuf>,
    /// File (mode 0600) with the passphrase. Default: asked for.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Write the secret of the second factor (otpauth://…) into this new file instead of showing it; for scripts.
    #[arg(long, value_name = "FILE")]
    factor_file: Option<PathBuf>,
    /// Write the recovery codes into this new file instead of showing them.
    #[arg(long, value_name = "FILE")]
    codes_file: Option<PathBuf>,
}

/// Runs it.
pub(super) fn run(dir: &Path, args: &Args) -> Result<ExitCode> {
    let state = State::open(dir)?;
    let site = config::load(&state.config_path())?.config.site.name;
    for path in [&args.factor_file, &args.codes_file].into_iter().flatten() {
        if path.exists() {
            let text = format!("{} exists already; give another name", path.display());
            return Err(Error::new(Kind::Exists, text));
        }
    }
    let token = match &args.token {
        Some(path) => secret::text(path)?,
        None => rpassword::prompt_password("Enrolment token: ")
            .map(Zeroizing::new)
            .context(|| "asking for the token (in a script, give --token FILE)")?,
    };
    let token = EnrolmentToken::parse(&token)?;
    let mut client = Client::open(&state)?;
    let ask = PeopleAsk::Invited {
        token: token.hash(),
    };
    let PeopleAnswer::Invited(invited) = act::ask(&mut client, ask)? else {
        return Err(Error::new(Kind::Internal, "an answer to another question"));
    };
    let is_new = invited.kind == EnrolmentKind::New;
    let prompt = format!(
        "{} of {}",
        if is_new {
            "New passphrase"
        } else {
            "Passphrase"
        },
        invited.name
    );
    let passphrase = secret::passphrase(args.passphrase_file.as_deref(), &prompt, is_new)?;
    if is_new {
        passphrase::check(&passphrase)?;
    }
    let clock = SystemClock::shared();
    let made = enrol::make(&token, &invited, &passphrase, Cost::STANDARD, clock.wall())?;
    let used = hand_out(args, &made, &site, &invited.name)?;
    if let Some(path) = &args.codes_file {
        let text: Zeroizing<String> = Zeroizing::new(
            made.codes
                .iter()
                .map(|c| format!("{}\n", c.as_str()))
                .collect(),
        );
        disk::create(path, text.as_bytes(), SECRET_MODE)
            .context(|| "keeping the recovery codes")?;
    }
    let fingerprint = made.fingerprint.clone();
    let ask = PeopleAsk::Enrol {
        enrolled: made.enrolled,
        used,
    };
    act::ask(&mut client, ask)?;
    say(&format!(
        "{} has enrolled. Whoever confirms the rights sees this key: {fingerprint}\n",
        invited.name
    ))?;
    if args.codes_file.is_none() {
        show_codes(&made.codes)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Gives the secret to whoever enrols, and sees a code of it where somebody can be asked.
fn hand_out(args: &Args, made: &Made, site: &str, name: &str) -> Result<Option<Used>> {
    let uri = made.secret.uri(site, name);
    if let Some(path) = &args.factor_file {
        let line = Zeroizing::new(format!("{}\n", uri.as_str()));
        disk::create(path, line.as_bytes(), SECRET_MODE).context(|| "keeping the second factor")?;
        return Ok(None);
    }
    show(&format!(
        "Put this into an authenticator app, now; it is not shown again:\n\n  {}\n\n",
        uri.as_str()
    ))?;
    for _ in 0..CODE_TRIES {
        let code = secret::code(None, "The code that the app shows")?;
        let now = SystemClock::shared().wall();
        if let Some(step) = made.secret.step_of(&code, now, 0) {
            return Ok(Some(Used::Step(step)));
        }
        say(&format!(
            "That is not it. The clock of this box says {now}; the telephone's must agree within {} s.\n",
            u64::try_from(totp::STEP_SECS).unwrap_or_default() * totp::STEPS_AROUND
        ))?;
    }
    Err(Error::new(
        Kind::Denied,
        "the codes were wrong; nothing was changed, the token can be used again",
    ))
}

fn show_codes(codes: &[Zeroizing<String>]) -> Result<()> {
    let lines: Zeroizing<String> = Zeroizing::new(
        codes
            .iter()
            .map(|c| format!("  {}\n", c.as_str()))
            .collect(),
    );
    show(&format!(
        "Recovery codes, for when the telephone is lost. Each works once. Write them down, now; they are not shown again:\n\n{}\n",
        lines.as_str()
    ))
}

/// Unlike other answers, a secret must have been taken: a closed pipe is an error.
pub(super) fn show(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .context(|| "showing a secret")
}
