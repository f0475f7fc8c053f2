//! `sinetti disclosure prepare` and `download`: a package of what is approved, made by the running recorder and handed out part by part.
//!
//! What a person opens goes to the recorder wrapped to a key that it holds in memory alone. A part is read here from its sealed file,
//! after the recorder has written the intent.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{IoSlice, IsTerminal, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use serde_json::json;
use zeroize::Zeroizing;

use crate::base::clock::{self, SystemClock};
use crate::base::disk::{self, SECRET_DIR_MODE};
use crate::base::error::{Context, Error, Kind, Result};
use crate::base::hash::Digest;
use crate::base::id::{DisclosureId, PersonId};
use crate::catalog::{Event, Phase};
use crate::cmd::act::{self, WhoArgs};
use crate::cmd::disclosure::{Desk, another};
use crate::cmd::{new_file, say, say_json, secret, who};
use crate::daemon::answer::{Answer, Ask};
use crate::daemon::control::Client;
use crate::daemon::disclosures::{DisclosureAct, DisclosureAnswer, GivenPart, Named};
use crate::disclosure::packages::PackageState;
use crate::evidence::package::secret as passphrase;
use crate::store::state::State;
use crate::vault::opener::Opener;
use crate::vault::parcel;
use crate::vault::transit::{Handed, Opened};

/// How far it is is looked at this often.
const LOOK: Duration = Duration::from_millis(500);
/// A part is read in pieces of this many bytes.
const PIECE_BYTES: usize = 1 << 20;
/// Whether the person still may have it is asked again after so many bytes.
const ASK_EVERY_BYTES: u64 = 64 << 20;

/// Arguments of `disclosure prepare`.
#[derive(Debug, clap::Args)]
pub(in crate::cmd) struct PrepareArgs {
    /// 2026-0042, or its eight digits.
    disclosure: Named,
    /// Encrypt its files with AES-256 under a passphrase that is made, and shown now and never again. Ask first whether the recipient
    /// has 7-Zip: Explorer cannot open them.
    #[arg(long, conflicts_with_all = ["passphrase_prompt", "package_passphrase_file"])]
    encrypt: bool,
    /// The same under a passphrase of 16 characters or more, which is asked for.
    #[arg(long, conflicts_with = "package_passphrase_file")]
    passphrase_prompt: bool,
    /// The same under the passphrase in this file (mode 0600).
    #[arg(long, value_name = "FILE")]
    package_passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    who: WhoArgs,
    /// For scripts.
    #[arg(long)]
    json: bool,
}

/// Arguments of `disclosure download`.
#[derive(Debug, clap::Args)]
pub(in crate::cmd) struct DownloadArgs {
    /// 2026-0042, or its eight digits.
    disclosure: Named,
    /// The folder into which each part is written. Nothing in it is overwritten.
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    #[command(flatten)]
    who: WhoArgs,
    /// For scripts.
    #[arg(long)]
    json: bool,
}

/// What came of a package, for scripts.
#[derive(serde::Serialize)]
struct Prepared<'a> {
    disclosure: DisclosureId,
    #[serde(flatten)]
    state: &'a PackageState,
    #[serde(skip_serializing_if = "Option::is_none")]
    passphrase: Option<&'a str>,
}

/// Has the package made, and waits for it. Whoever ends the command meanwhile leaves it being made.
pub(super) fn prepare(mut desk: Desk, args: &PrepareArgs) -> Result<ExitCode> {
    let Answer::Transit { recipient } = desk.client.ask(&Ask::Transit)? else {
        return Err(another());
    };
    let (package, is_made) = package_passphrase(args)?;
    let shown = act::show(&mut desk.client, &args.who)?;
    let words = package.as_deref().map(String::as_str);
    let handed = Handed::wrap(&shown.opened()?, shown.person(), words, &recipient)?;
    let act = DisclosureAct::Prepare {
        named: args.disclosure,
        handed: Box::new(handed),
    };
    let DisclosureAnswer::Package { disclosure, .. } = desk.ask(&shown, act)? else {
        return Err(another());
    };
    let told = words.filter(|_| is_made);
    if !args.json {
        if let Some(text) = told {
            say(&format!(
                "Passphrase of the package, now and never again; it goes another way than the package:\n\n  {text}\n\n"
            ))?;
        }
        say(&format!(
            "It is made by the recorder, and goes on when this command is ended. It is stopped with:\n  sinetti disclosure cancel {disclosure}\n"
        ))?;
    }
    // Others are answered meanwhile.
    drop(desk.client);
    let ended = follow(&desk.state, disclosure)?;
    if args.json {
        say_json(&Prepared {
            disclosure,
            state: &ended,
            passphrase: told,
        })?;
    } else {
        say(&text(Some(&ended))?)?;
    }
    Ok(match ended.state.as_str() {
        "done" => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

/// The passphrase of the package, if there is to be one, and whether it was made here.
fn package_passphrase(args: &PrepareArgs) -> Result<(Option<Zeroizing<String>>, bool)> {
    if args.encrypt {
        return Ok((Some(passphrase::make()?), true));
    }
    let file = args.package_passphrase_file.as_deref();
    if file.is_none() && !args.passphrase_prompt {
        return Ok((None, false));
    }
    let typed = secret::passphrase(file, "Passphrase of the package", true)?;
    passphrase::check(&typed).map_err(|e| e.attempted("the passphrase of the package"))?;
    Ok((Some(typed), false))
}

/// Shows how far it is until it is over; how that was.
fn follow(state: &State, disclosure: DisclosureId) -> Result<PackageState> {
    let is_seen = std::io::stderr().is_terminal();
    let mut told = String::new();
    loop {
        let answer =
            Client::connect(state).and_then(|mut client| client.ask(&Ask::Progress { disclosure }));
        let answer = answer.map_err(|e| {
            let text = format!(
                "looking how far it is (again with: sinetti disclosure package {disclosure})"
            );
            e.attempted(text)
        })?;
        let Answer::Progress(now) = answer else {
            return Err(another());
        };
        let is_over = now.ended.is_some();
        let line = if is_seen {
            format!("\r{:<70}", far(&now))
        } else {
            now.phase.clone()
        };
        if line != told && (is_seen || !is_over) {
            let end = if is_seen && !is_over { "" } else { "\n" };
            // It is for whoever looks; a closed terminal is nothing to fail at.
            write!(std::io::stderr(), "{line}{end}").ok();
            told = line;
        }
        if is_over {
            return Ok(*now);
        }
        clock::pause(LOOK);
    }
}

/// `packing: 120.4 of 310.0 MiB, 12 s left`
fn far(state: &PackageState) -> String {
    // With one decimal: a short interval has less than one.
    let mib = |bytes: u64| format!("{}.{}", bytes >> 20, ((bytes & 0xf_ffff) * 10) >> 20);
    let (done, total) = (mib(state.bytes_done), mib(state.bytes_total));
    let left = state.seconds_left.filter(|_| state.ended.is_none());
    let left = left.map_or(String::new(), |s| format!(", {s} s left"));
    format!("{}: {done} of {total} MiB{left}", state.phase)
}

/// For people.
pub(super) fn text(state: Option<&PackageState>) -> Result<String> {
    let Some(state) = state else {
        return Ok("no package was made for it\n".to_owned());
    };
    let mut out = String::new();
    match (state.state.as_str(), &state.cause) {
        ("done", _) => writeln!(out, "done")?,
        (word, Some(cause)) => writeln!(out, "{word}  {}: {cause}", far(state))?,
        (word, None) => writeln!(out, "{word}  {}", far(state))?,
    }
    for part in &state.parts {
        let wiped = part.wiped.map_or("", |_| "  WIPED");
        writeln!(out, "  {}  {} bytes{wiped}", part.name, part.bytes)?;
        writeln!(out, "    SHA-256  {}", part.sha256)?;
    }
    Ok(out)
}

/// A part that was written.
#[derive(serde::Serialize)]
struct Written<'a> {
    path: PathBuf,
    bytes: u64,
    sha256: &'a Digest,
}

/// Writes each part; what became of each stands in the ledger, whatever that was.
pub(super) fn download(mut desk: Desk, args: &DownloadArgs) -> Result<ExitCode> {
    if let Named::Serial(serial) = args.disclosure {
        not_taken(&args.output, &serial.to_string())?;
    }
    let shown = act::show(&mut desk.client, &args.who)?;
    let vault = Opened::of(shown.opened()?);
    disk::create_dir_all(&args.output, SECRET_DIR_MODE)?;
    let act = DisclosureAct::Download {
        named: args.disclosure,
    };
    let DisclosureAnswer::Parts { parts } = desk.ask(&shown, act)? else {
        return Err(another());
    };
    let (mut written, mut failed) = (Vec::new(), None);
    for part in &parts {
        let path = args.output.join(&part.name);
        let mut giving = Giving {
            client: &mut desk.client,
            person: shown.person(),
            part,
            sent: 0,
        };
        let given = match &failed {
            None => giving.give(&vault, &path),
            Some(_) => Err(Error::new(Kind::Busy, "a part before failed")),
        };
        giving.note(shown.name(), given.is_ok())?;
        match given {
            Ok(()) => written.push(Written {
                path,
                bytes: part.bytes,
                sha256: &part.sha256,
            }),
            Err(e) => failed = failed.or(Some(e)),
        }
    }
    if args.json {
        say_json(&json!({ "parts": written, "of": parts.len() }))?;
    } else {
        for one in &written {
            let path = one.path.display();
            say(&format!(
                "{path}\n  {} bytes, SHA-256 {}\n",
                one.bytes, one.sha256
            ))?;
        }
    }
    failed.map_or(Ok(ExitCode::SUCCESS), Err)
}

/// That no part of it lies there already: said before a code is used up.
fn not_taken(dir: &Path, serial: &str) -> Result<()> {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return Ok(());
    };
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.starts_with(serial) && name.ends_with(".zip") {
            return new_file::free(&dir.join(name));
        }
    }
    Ok(())
}

/// A part on its way out.
struct Giving<'a> {
    client: &'a mut Client,
    person: PersonId,
    part: &'a GivenPart,
    sent: u64,
}

impl Giving<'_> {
    fn give(&mut self, vault: &Opened, path: &Path) -> Result<()> {
        let part = self.part;
        new_file::free(path)?;
        let what = || format!("reading part {} of the package", part.part);
        let key = vault.open(&parcel::wrapped(&part.slot)?)?;
        let sealed = File::open(&part.path).context(what)?;
        let mut clear = parcel::open(&key, sealed)?;
        let mut file = new_file::begin(path)?;
        let mut hash = ring::digest::Context::new(&ring::digest::SHA256);
        let (mut piece, mut asked) = (vec![0; PIECE_BYTES], 0);
        loop {
            let read = clear.read(&mut piece).context(what)?;
            let read = &piece[..read];
            if read.is_empty() {
                break;
            }
            hash.update(read);
            file.file().append(&mut [IoSlice::new(read)])?;
            self.sent += read.len() as u64;
            if self.sent - asked >= ASK_EVERY_BYTES {
                self.still_may()?;
                asked = self.sent;
            }
        }
        if hash.finish().as_ref() != part.sha256.0 {
            let text = "it is not as it was made: its SHA-256 differs; prepare the package anew";
            return Err(Error::corrupt(text).attempted(what()));
        }
        // Whoever lost the right meanwhile gets no file.
        self.still_may()?;
        new_file::end(file, path)
    }

    fn still_may(&mut self) -> Result<()> {
        let ask = Ask::MayGive {
            person: self.person,
            disclosure: self.part.disclosure,
        };
        self.client.ask(&ask).map(drop)
    }

    /// The outcome; the intent was written before anything was read.
    fn note(&mut self, name: &str, is_whole: bool) -> Result<()> {
        let facts = json!({ "part": self.part.part, "bytes": self.sent });
        let event = Event {
            actor: self.person.to_string(),
            result: if is_whole { "ok" } else { "failed" }.to_owned(),
            phase: Phase::Ended {
                of: self.part.intent,
            },
            detail: Some(json!({ "name": name, "console": who() })),
            ..Event::of_box(
                SystemClock::shared().wall(),
                "package-downloaded",
                format!("disclosure {}", self.part.disclosure),
                facts,
            )
        };
        self.client.note(event).map(drop)
    }
}
