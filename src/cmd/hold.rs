//! `sinetti hold`: what keeps footage past its time. A person shows passphrase and code for each act.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

use crate::base::clock::SystemClock;
use crate::base::error::{Error, Kind, Result};
use crate::base::id::{CameraId, HoldId};
use crate::base::time::{Span, Wall};
use crate::base::zone::Zone;
use crate::catalog::{HoldKind, HoldRow};
use crate::cmd::act::{self, WhoArgs};
use crate::cmd::{say, say_json};
use crate::config::{self, Config};
use crate::daemon::answer::{Answer, Ask};
use crate::daemon::control::Client;
use crate::daemon::keeping::{KeepingAct, KeepingAnswer, KeepingAsk};
use crate::retention::hold::{Extension, NewHold};
use crate::retention::outlook::Amount;
use crate::store::state::State;

/// What to do with holds.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// The holds there are: without a person those that are not secret.
    List(ListArgs),
    /// One hold, and what it holds so far.
    Show(ShowArgs),
    /// Place a hold: from this moment on nothing of it is deleted.
    Place(PlaceArgs),
    /// Say as a controller that a hold is still needed.
    Review(ReviewArgs),
    /// Hold more, or for longer; renew a preservation order.
    Extend(ExtendArgs),
    /// End a hold as a controller. What it held has 14 days, or its ordinary time.
    Release(ReleaseArgs),
}

/// Arguments of `hold list`.
#[derive(Debug, clap::Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    who: WhoArgs,
    /// Those that have ended too.
    #[arg(long)]
    all: bool,
    /// For scripts.
    #[arg(long)]
    json: bool,
}

/// Arguments of `hold show`.
#[derive(Debug, clap::Args)]
pub(super) struct ShowArgs {
    /// Its number.
    hold: HoldId,
    #[command(flatten)]
    who: WhoArgs,
    /// For scripts.
    #[arg(long)]
    json: bool,
}

/// Arguments of `hold place`.
#[derive(Debug, clap::Args)]
pub(super) struct PlaceArgs {
    /// case, preservation-order, restriction or access-request.
    #[arg(long)]
    kind: HoldKind,
    /// A camera; may be given several times.
    #[arg(long = "camera", value_name = "CAMERA", required = true)]
    cameras: Vec<CameraId>,
    /// First instant that is held: site time (23.11.2026 13.58), or with an offset.
    #[arg(long, value_name = "TIME")]
    from: String,
    /// First instant that is not; it may lie in the future.
    #[arg(long, value_name = "TIME")]
    to: String,
    /// The case, order or request, as it is called elsewhere: 5560/R/1234/26.
    #[arg(long)]
    matter: String,
    /// Why.
    #[arg(long)]
    reason: String,
    /// It ends by itself then. A preservation order ends three months from now.
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// It is looked at again by then. Default: 90 days from now.
    #[arg(long, value_name = "TIME")]
    review: Option<String>,
    #[command(flatten)]
    who: WhoArgs,
    /// For scripts.
    #[arg(long)]
    json: bool,
}

/// Arguments of `hold review`.
#[derive(Debug, clap::Args)]
pub(super) struct ReviewArgs {
    /// Its number.
    hold: HoldId,
    /// Why it is still needed.
    #[arg(long)]
    note: String,
    /// It is looked at again by then. Default: 90 days from now.
    #[arg(long, value_name = "TIME")]
    next: Option<String>,
    #[command(flatten)]
    who: WhoArgs,
    /// For scripts.
    #[arg(long)]
    json: bool,
}

/// Arguments of `hold extend`.
#[derive(Debug, clap::Args)]
pub(super) struct ExtendArgs {
    /// Its number.
    hold: HoldId,
    /// First instant that is not held any more; later than before.
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// It ends by itself then; later than before. A preservation order takes neither: it is renewed for three months.
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Why.
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    who: WhoArgs,
    /// For scripts.
    #[arg(long)]
    json: bool,
}

/// Arguments of `hold release`.
#[derive(Debug, clap::Args)]
pub(super) struct ReleaseArgs {
    /// Its number.
    hold: HoldId,
    /// Why it is not needed any more.
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    who: WhoArgs,
    /// For scripts.
    #[arg(long)]
    json: bool,
}

/// Runs it.
pub(super) fn run(dir: &Path, command: Command) -> Result<ExitCode> {
    let state = State::open(dir)?;
    let config = config::load(&state.config_path())?.config;
    let mut desk = Desk {
        client: Client::open(&state)?,
        now: SystemClock::shared().wall(),
        config,
    };
    match command {
        Command::List(args) => desk.list(&args)?,
        Command::Show(args) => {
            desk.one(&args.who, KeepingAct::Show { hold: args.hold }, args.json)?
        }
        Command::Place(args) => {
            let new = desk.new_hold(&args)?;
            desk.one(&args.who, KeepingAct::Place { new }, args.json)?;
        }
        Command::Review(args) => {
            let act = KeepingAct::Review {
                hold: args.hold,
                note: args.note,
                next: desk.time(args.next.as_deref())?,
            };
            desk.one(&args.who, act, args.json)?;
        }
        Command::Extend(args) => {
            let how = Extension {
                end: desk.time(args.to.as_deref())?,
                until: desk.time(args.until.as_deref())?,
                reason: args.reason,
            };
            let hold = args.hold;
            desk.one(&args.who, KeepingAct::Extend { hold, how }, args.json)?;
        }
        Command::Release(args) => {
            let act = KeepingAct::Release {
                hold: args.hold,
                reason: args.reason,
                after_s: desk.config.retention.after_release_secs,
            };
            desk.one(&args.who, act, args.json)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

struct Desk {
    client: Client,
    now: Wall,
    config: Config,
}

impl Desk {
    fn zone(&self) -> Zone {
        self.config.site.zone
    }

    fn time(&self, text: Option<&str>) -> Result<Option<Wall>> {
        text.map(|text| self.zone().parse(text, self.now))
            .transpose()
    }

    fn new_hold(&mut self, args: &PlaceArgs) -> Result<NewHold> {
        let recorded = match self.client.ask(&Ask::Streams)? {
            Answer::Streams { streams } => streams,
            _ => return Err(mismatch()),
        };
        let known: BTreeSet<_> = recorded
            .into_iter()
            .map(|row| row.stream.camera)
            .chain(self.config.cameras.iter().map(|camera| camera.id.clone()))
            .collect();
        if let Some(unknown) = args.cameras.iter().find(|id| !known.contains(id)) {
            let text = format!("there is no camera {unknown}");
            return Err(Error::new(Kind::NotFound, text));
        }
        Ok(NewHold {
            kind: args.kind,
            cameras: args.cameras.iter().cloned().collect(),
            span: Span {
                start: self.zone().parse(&args.from, self.now)?,
                end: self.zone().parse(&args.to, self.now)?,
            },
            matter: args.matter.clone(),
            reason: args.reason.clone(),
            until: self.time(args.until.as_deref())?,
            review: self.time(args.review.as_deref())?,
        })
    }

    fn ask(&mut self, ask: KeepingAsk) -> Result<KeepingAnswer> {
        match self.client.ask(&Ask::Keeping(Box::new(ask)))? {
            Answer::Keeping(answer) => Ok(*answer),
            _ => Err(mismatch()),
        }
    }

    fn list(&mut self, args: &ListArgs) -> Result<()> {
        let ask = match &args.who.person {
            None => KeepingAsk::Holds,
            Some(_) => act::keeping(&mut self.client, &args.who, KeepingAct::List)?,
        };
        let KeepingAnswer::Holds { mut holds, secret } = self.ask(ask)? else {
            return Err(mismatch());
        };
        holds.retain(|hold| args.all || hold.keeps(self.now));
        if args.json {
            let found = serde_json::json!({ "holds": holds, "secret": secret });
            return say_json(&found);
        }
        let mut out = String::new();
        for hold in &holds {
            write_hold(&mut out, hold, self.zone(), self.now)?;
        }
        if holds.is_empty() {
            writeln!(out, "nothing is held")?;
        }
        if secret > 0 {
            writeln!(out, "and {secret} that are secret")?;
        }
        say(&out)
    }

    /// Does something with one hold, and shows how it is then.
    fn one(&mut self, who: &WhoArgs, act: KeepingAct, json: bool) -> Result<()> {
        let ask = act::keeping(&mut self.client, who, act)?;
        let KeepingAnswer::Hold { hold, amount } = self.ask(ask)? else {
            return Err(mismatch());
        };
        if json {
            let found = serde_json::json!({ "hold": hold, "amount": amount });
            return say_json(&found);
        }
        let mut out = String::new();
        write_hold(&mut out, &hold, self.zone(), self.now)?;
        write_amount(&mut out, amount)?;
        say(&out)
    }
}

fn mismatch() -> Error {
    Error::new(Kind::Internal, "an answer to another question")
}

fn write_hold(out: &mut String, hold: &HoldRow, zone: Zone, now: Wall) -> std::fmt::Result {
    let cameras: Vec<_> = hold.cameras.iter().map(CameraId::as_str).collect();
    writeln!(out, "{}  {}  {}", hold.hold, hold.kind, cameras.join(", "))?;
    let (from, to) = (zone.display(hold.span.start), zone.display(hold.span.end));
    writeln!(out, "        holds     {from} to {to}")?;
    writeln!(out, "        matter    {}", hold.matter)?;
    writeln!(out, "        reason    {}", hold.reason)?;
    let placed = zone.display(hold.placed);
    writeln!(out, "        placed    {placed} by {}", hold.placed_by)?;
    if let Some((at, by)) = &hold.reviewed {
        writeln!(out, "        reviewed  {} by {by}", zone.display(*at))?;
    }
    match (&hold.ended, hold.until) {
        (Some(end), _) => {
            let (at, gone) = (zone.display(end.at), zone.display(end.gone));
            writeln!(
                out,
                "        ended     {at} by {}; what it held is kept until {gone}, or for its ordinary time",
                end.by
            )
        }
        (None, until) => {
            if let Some(until) = until {
                writeln!(out, "        ends      {}", zone.display(until))?;
            }
            let due = if hold.is_due(now) { "  DUE" } else { "" };
            writeln!(
                out,
                "        review    by {}{due}",
                zone.display(hold.review)
            )
        }
    }
}

fn write_amount(out: &mut String, amount: Amount) -> std::fmt::Result {
    let Amount {
        segments,
        bytes,
        deleted,
    } = amount;
    let megabytes = crate::cmd::retention::megabytes(bytes);
    writeln!(
        out,
        "        so far    {segments} segments, {megabytes:.1} MB"
    )?;
    if deleted {
        writeln!(
            out,
            "        NOT ALL   some of that time was deleted before it was held"
        )?;
    }
    Ok(())
}
