//! `sinetti disclosure`: asking for footage, deciding, packages, handing over, and the register. A person shows passphrase and code
//! for each act.

mod package;
mod paper;

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::base::clock::SystemClock;
use crate::base::error::{Context, Error, Kind, Result};
use crate::base::id::CameraId;
use crate::base::time::Wall;
use crate::base::zone::Zone;
use crate::catalog::{DisclosureKind, DisclosureRow, ReviewRow, StepRow};
use crate::cmd::act::{self, Shown, WhoArgs};
use crate::cmd::{say, say_json};
use crate::config::{self, Config};
use crate::daemon::answer::{Answer, Ask};
use crate::daemon::control::Client;
use crate::daemon::disclosures::{DisclosureAct, DisclosureAnswer, Named};
use crate::disclosure::decide::Decision;
use crate::disclosure::form::Form;
use crate::disclosure::hand_over::HandOver;
use crate::store::state::State;

/// The largest form that is read, in bytes.
const FORM_BYTES_MAX: u64 = 64 << 10;

/// What to do with disclosures.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// The register: those that the person may know of, the newest first.
    List(ListArgs),
    /// The register as a table for other programs or as a document for people.
    Register(paper::RegisterArgs),
    /// One disclosure, and all that was done with it.
    Show(OneArgs),
    /// Ask for footage: it gets a serial number, and is held from this moment on. Every field that is missing is named.
    Request(RequestArgs),
    /// Approve what somebody else asked for.
    Approve(ReasonArgs),
    /// Refuse what somebody else asked for.
    Refuse(ReasonArgs),
    /// Take one's own back before it is handed over; a controller also somebody else's.
    Withdraw(ReasonArgs),
    /// Make the package of one that is approved, in the running recorder, and show how far it is.
    Prepare(package::PrepareArgs),
    /// How far its package is, or what its parts are.
    Package(OneArgs),
    /// Stop the making of its package. Nothing of it is left.
    Cancel(OneArgs),
    /// Hand its package out: each part into a folder.
    Download(package::DownloadArgs),
    /// The handover document, as the record is now.
    Paper(paper::PaperArgs),
    /// Note that it was handed over, shown or told.
    HandOver(HandOverArgs),
    /// Note that the recipient confirmed the receipt.
    Receipt(HowArgs),
    /// Note that the house's own copies are destroyed, those outside of the box too.
    Destroy(HowArgs),
}

/// Arguments of `disclosure list`.
#[derive(Debug, clap::Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    which: paper::WhichArgs,
    #[command(flatten)]
    common: Common,
}

/// Who, and how it is told.
#[derive(Debug, clap::Args)]
pub(super) struct Common {
    #[command(flatten)]
    who: WhoArgs,
    /// For scripts.
    #[arg(long)]
    json: bool,
}

/// Arguments of `disclosure show`.
#[derive(Debug, clap::Args)]
pub(super) struct OneArgs {
    /// 2026-0042, or its eight digits.
    disclosure: Named,
    #[command(flatten)]
    common: Common,
}

/// Arguments of `disclosure request`.
#[derive(Debug, clap::Args)]
pub(super) struct RequestArgs {
    /// authority-request, own-initiative, seizure, viewing, oral, access-request, internal or maintenance.
    #[arg(long)]
    kind: DisclosureKind,
    /// TOML file with the fields: basis, purpose, recipient, organisation, person …
    #[arg(long, value_name = "FILE")]
    form: PathBuf,
    /// A camera; may be given several times.
    #[arg(long = "camera", value_name = "CAMERA", required = true)]
    cameras: Vec<CameraId>,
    /// First instant that is asked for: site time (23.11.2026 13.15), or with an offset.
    #[arg(long, value_name = "TIME")]
    from: String,
    /// First instant that is not.
    #[arg(long, value_name = "TIME")]
    to: String,
    #[command(flatten)]
    common: Common,
}

/// Arguments of `disclosure approve`, `refuse` and `withdraw`.
#[derive(Debug, clap::Args)]
pub(super) struct ReasonArgs {
    /// 2026-0042, or its eight digits.
    disclosure: Named,
    /// Why.
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    common: Common,
}

/// Arguments of `disclosure hand-over`.
#[derive(Debug, clap::Args)]
pub(super) struct HandOverArgs {
    /// 2026-0042, or its eight digits.
    disclosure: Named,
    /// To whom.
    #[arg(long)]
    to: String,
    /// When. Default: now.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// How it was checked who that is. No number of a document.
    #[arg(long)]
    identity: String,
    /// On what: a USB stick and its number; shown on the screen, told by telephone.
    #[arg(long)]
    medium: String,
    /// Whether it is encrypted, and how the passphrase went another way.
    #[arg(long)]
    encryption: Option<String>,
    /// Own copies are destroyed by then. Default and at most: 14 days after.
    #[arg(long, value_name = "TIME")]
    copies_until: Option<String>,
    #[command(flatten)]
    common: Common,
}

/// Arguments of `disclosure receipt` and `destroy`.
#[derive(Debug, clap::Args)]
pub(super) struct HowArgs {
    /// 2026-0042, or its eight digits.
    disclosure: Named,
    /// How: signed on the document; erased from the workstation.
    #[arg(long)]
    how: String,
    #[command(flatten)]
    common: Common,
}

/// Runs it.
pub(super) fn run(dir: &Path, command: Command) -> Result<ExitCode> {
    let state = State::open(dir)?;
    let config = config::load(&state.config_path())?.config;
    let mut desk = Desk {
        client: Client::open(&state)?,
        now: SystemClock::shared().wall(),
        state,
        config,
    };
    match command {
        Command::Prepare(args) => return package::prepare(desk, &args),
        Command::Download(args) => return package::download(desk, &args),
        Command::Register(args) => return paper::register(desk, args),
        Command::Paper(args) => return paper::handover(desk, &args),
        _ => {}
    }
    let (act, common) = desk.act(command)?;
    let shown = act::show(&mut desk.client, &common.who)?;
    let answer = desk.ask(&shown, act)?;
    if common.json {
        say_json(&answer)?;
    } else {
        say(&told(&answer, desk.config.site.zone)?)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Where commands about disclosures act.
struct Desk {
    client: Client,
    state: State,
    now: Wall,
    config: Config,
}

impl Desk {
    fn time(&self, text: &str) -> Result<Wall> {
        self.config.site.zone.parse(text, self.now)
    }

    /// Asks the recorder for what somebody does who has just shown who they are.
    fn ask(&mut self, shown: &Shown, act: DisclosureAct) -> Result<DisclosureAnswer> {
        let ask = Box::new(shown.disclosure(&self.config, act));
        match self.client.ask(&Ask::Disclosure(ask))? {
            Answer::Disclosure(answer) => Ok(*answer),
            _ => Err(another()),
        }
    }

    fn act(&self, command: Command) -> Result<(DisclosureAct, Common)> {
        Ok(match command {
            Command::List(args) => {
                let filter = Box::new(args.which.filter(self)?);
                (DisclosureAct::List { filter }, args.common)
            }
            Command::Package(args) => {
                let named = args.disclosure;
                (DisclosureAct::Package { named }, args.common)
            }
            Command::Cancel(args) => {
                let named = args.disclosure;
                (DisclosureAct::Cancel { named }, args.common)
            }
            Command::Show(args) => {
                let named = args.disclosure;
                (DisclosureAct::Show { named }, args.common)
            }
            Command::Request(args) => {
                let form = Form {
                    cameras: args.cameras.clone(),
                    start: Some(self.time(&args.from)?),
                    end: Some(self.time(&args.to)?),
                    ..read_form(&args.form)?
                };
                let form = Box::new(form);
                let kind = args.kind;
                (DisclosureAct::Request { kind, form }, args.common)
            }
            Command::Approve(args) => decided(args, Decision::Approve),
            Command::Refuse(args) => decided(args, Decision::Refuse),
            Command::Withdraw(args) => {
                let (named, reason) = (args.disclosure, args.reason);
                (DisclosureAct::Withdraw { named, reason }, args.common)
            }
            Command::HandOver(args) => self.hand_over(args)?,
            Command::Receipt(args) => {
                let (named, how) = (args.disclosure, args.how);
                (DisclosureAct::Receive { named, how }, args.common)
            }
            Command::Destroy(args) => {
                let (named, how) = (args.disclosure, args.how);
                (DisclosureAct::Destroy { named, how }, args.common)
            }
            // They have ways of their own.
            Command::Prepare(_)
            | Command::Download(_)
            | Command::Register(_)
            | Command::Paper(_) => return Err(another()),
        })
    }

    fn hand_over(&self, args: HandOverArgs) -> Result<(DisclosureAct, Common)> {
        let time = |text: Option<&String>| text.map(|text| self.time(text)).transpose();
        let how = HandOver {
            at: time(args.at.as_ref())?.unwrap_or(self.now),
            copies_until: time(args.copies_until.as_ref())?,
            to: args.to,
            identity: args.identity,
            medium: args.medium,
            encryption: args.encryption,
        };
        let how = Box::new(how);
        let named = args.disclosure;
        Ok((DisclosureAct::HandOver { named, how }, args.common))
    }
}

fn another() -> Error {
    Error::new(Kind::Internal, "an answer to another question")
}

fn decided(args: ReasonArgs, decision: Decision) -> (DisclosureAct, Common) {
    let act = DisclosureAct::Decide {
        named: args.disclosure,
        decision,
        reason: args.reason,
    };
    (act, args.common)
}

fn read_form(path: &Path) -> Result<Form> {
    let what = || format!("reading the form {}", path.display());
    if fs::metadata(path).context(what)?.len() > FORM_BYTES_MAX {
        return Err(Error::invalid("it has more than 64 KiB").attempted(what()));
    }
    let text = fs::read_to_string(path).context(what)?;
    toml::from_str(&text)
        .map_err(|e| Error::invalid(e.to_string()))
        .context(what)
}

fn told(answer: &DisclosureAnswer, zone: Zone) -> Result<String> {
    let mut out = String::new();
    match answer {
        DisclosureAnswer::List {
            rows,
            searched,
            found,
            wrong,
        } => {
            for row in rows {
                line(&mut out, row, zone)?;
            }
            writeln!(out, "{found} found among {searched} that may be known of")?;
            if wrong.is_empty() {
                writeln!(out, "each step agrees with its entry in the ledger")?;
            } else {
                writeln!(
                    out,
                    "NOT INTACT: entries {wrong:?} do not agree; look with: sinetti ledger verify"
                )?;
            }
        }
        DisclosureAnswer::One {
            row,
            steps,
            reviews,
        } => one(&mut out, row, (steps, reviews), zone)?,
        DisclosureAnswer::Package { state, .. } => out.push_str(&package::text(state.as_deref())?),
        DisclosureAnswer::Parts { .. } | DisclosureAnswer::Document { .. } => return Err(another()),
    }
    Ok(out)
}

fn line(out: &mut String, row: &DisclosureRow, zone: Zone) -> std::fmt::Result {
    let (serial, recipient) = row.asked.as_ref().map_or_else(
        || ("draft".to_owned(), String::new()),
        |asked| (asked.serial.to_string(), asked.recipient.clone()),
    );
    let changed = zone.display(row.changed);
    writeln!(
        out,
        "{serial:<10}  {}  {:<12}  {:<18}  {changed}  {recipient}",
        row.disclosure, row.state, row.kind
    )
}

fn one(
    out: &mut String,
    row: &DisclosureRow,
    (steps, reviews): (&[StepRow], &[ReviewRow]),
    zone: Zone,
) -> std::fmt::Result {
    line(out, row, zone)?;
    if let Some(asked) = &row.asked {
        for camera in &asked.cameras {
            let (from, to) = (
                zone.display(camera.given.start),
                zone.display(camera.given.end),
            );
            let gaps = camera.gaps.len();
            writeln!(
                out,
                "            {}  {from} to {to}, {gaps} gaps",
                camera.camera
            )?;
        }
        writeln!(
            out,
            "            hold {}, basis {}, purpose {}",
            asked.hold, asked.basis, asked.purpose
        )?;
        if let Some(due) = asked.due {
            writeln!(out, "            answered by {}", zone.display(due))?;
        }
    }
    if let Some(until) = row.copies_until {
        writeln!(
            out,
            "            own copies are destroyed by {}",
            zone.display(until)
        )?;
    }
    for step in steps {
        let (at, said) = (zone.display(step.at), &step.detail);
        writeln!(
            out,
            "            {at}  {:<12}  {}  entry {}  {said}",
            step.step, step.by, step.entry
        )?;
    }
    for review in reviews {
        let at = zone.display(review.at);
        let remark = review.remark.as_deref().unwrap_or_default();
        writeln!(out, "            {at}  reviewed by {}  {remark}", review.by)?;
    }
    Ok(())
}
