//! `sinetti user`: persons and rights at the console, for the beginning and for rescue. Each change is an event.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use zeroize::Zeroizing;

use crate::access::people::{ENROLMENT_US, NewGrant, PeopleAct, new_enrolment};
use crate::access::review::Line;
use crate::access::{EnrolmentToken, Role, keys};
use crate::base::clock::SystemClock;
use crate::base::disk::{self, SECRET_DIR_MODE, SECRET_MODE};
use crate::base::error::{Context, Error, Kind, Result};
use crate::base::hash::Digest;
use crate::base::id::CameraId;
use crate::base::time::Wall;
use crate::base::zone::Zone;
use crate::catalog::{Cameras, GrantRow, Language, Undertaking, Validity};
use crate::cmd::enrol::show;
use crate::cmd::user_text::{write_history, write_line};
use crate::cmd::{act, say, say_json, who};
use crate::config::{self, Config};
use crate::daemon::control::Client;
use crate::daemon::people::{PeopleAnswer, PeopleAsk};
use crate::store::state::State;

/// What to do with persons and rights.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Who there is, and who may what.
    List(ListArgs),
    /// The access review: who may what, since when, by whom; or say that somebody's rights were looked at and are right.
    Review(ReviewArgs),
    /// Add a person with a first role; a one-time token lets them enrol.
    Add(AddArgs),
    /// Give a person a role, or the same role with other cameras.
    Grant(GrantArgs),
    /// Take a role, or everything for good.
    Revoke(RevokeArgs),
    /// A new passphrase and second factor by a one-time token.
    Reset(ResetArgs),
    /// Note that a confidentiality undertaking was signed, or withdrawn.
    Undertaking(UndertakingArgs),
    /// From when until when a person may sign in.
    Validity(ValidityArgs),
    /// A controller stands behind what a person holds, and gives the older vault generations along.
    Confirm(ConfirmArgs),
}

/// Arguments of `user list`.
#[derive(Debug, clap::Args)]
pub(super) struct ListArgs {
    /// For scripts.
    #[arg(long)]
    json: bool,
}

/// Arguments of `user review`.
#[derive(Debug, clap::Args)]
pub(super) struct ReviewArgs {
    /// Whose rights were looked at and are right; may be given several times.
    #[arg(long, value_name = "NAME")]
    confirm: Vec<String>,
    /// For scripts.
    #[arg(long)]
    json: bool,
}

/// A role and how far it reaches.
#[derive(Debug, clap::Args)]
pub(super) struct RoleArgs {
    /// staff, manager, controller, auditor, admin or maintenance.
    #[arg(long)]
    role: Role,
    /// A camera that staff, managers and maintenance shall reach; may be given several times.
    #[arg(long = "camera", value_name = "CAMERA")]
    cameras: Vec<CameraId>,
    /// Every camera, later ones too.
    #[arg(long, conflicts_with = "cameras")]
    all_cameras: bool,
    /// A manager who may approve disclosures.
    #[arg(long)]
    approves: bool,
    /// Until when. Maintenance must have an end.
    #[arg(long, value_name = "TIME")]
    role_until: Option<String>,
}

/// Arguments of `user add`.
#[derive(Debug, clap::Args)]
pub(super) struct AddArgs {
    /// Personal user name: manager1.
    name: String,
    /// Name as people read it. Default: the user name.
    #[arg(long)]
    display: Option<String>,
    /// What the person reads: fi, sv or en.
    #[arg(long, default_value = "fi")]
    language: Language,
    #[command(flatten)]
    role: RoleArgs,
    #[command(flatten)]
    signed: SignedArgs,
    /// May sign in from then on. Default: now.
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// May sign in until then. Default: no end.
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Write the one-time token into this new file instead of showing it.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

/// A confidentiality undertaking.
#[derive(Debug, clap::Args)]
pub(super) struct SignedArgs {
    /// Version of the confidentiality undertaking that the person signed. Without one nobody signs in.
    #[arg(long, value_name = "VERSION")]
    undertaking: Option<String>,
    /// When it was signed. Default: now.
    #[arg(long, value_name = "TIME", requires = "undertaking")]
    signed: Option<String>,
    /// When it lapses. Default: no end.
    #[arg(long, value_name = "TIME", requires = "undertaking")]
    lapses: Option<String>,
}

/// Arguments of `user grant`.
#[derive(Debug, clap::Args)]
pub(super) struct GrantArgs {
    /// Personal user name.
    name: String,
    #[command(flatten)]
    role: RoleArgs,
}

/// Arguments of `user revoke`.
#[derive(Debug, clap::Args)]
pub(super) struct RevokeArgs {
    /// Personal user name.
    name: String,
    /// Only this role. Without it everything is taken, for good.
    #[arg(long)]
    role: Option<Role>,
}

/// Arguments of `user reset`.
#[derive(Debug, clap::Args)]
pub(super) struct ResetArgs {
    /// Personal user name.
    name: String,
    /// Only the second factor; the passphrase, and what it opens, stay.
    #[arg(long)]
    factor: bool,
    /// Write the one-time token into this new file instead of showing it.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

/// Arguments of `user undertaking`.
#[derive(Debug, clap::Args)]
pub(super) struct UndertakingArgs {
    /// Personal user name.
    name: String,
    #[command(flatten)]
    signed: SignedArgs,
    /// It does not count any more.
    #[arg(long, conflicts_with = "undertaking")]
    withdraw: bool,
}

/// Arguments of `user validity`.
#[derive(Debug, clap::Args)]
pub(super) struct ValidityArgs {
    /// Personal user name.
    name: String,
    /// May sign in from then on. Default: now.
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// May sign in until then. Default: no end.
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
}

/// Arguments of `user confirm`.
#[derive(Debug, clap::Args)]
pub(super) struct ConfirmArgs {
    /// Personal user name of the person whose rights are confirmed.
    name: String,
    #[command(flatten)]
    act: act::PersonArgs,
}

/// A command at work.
struct Console {
    client: Client,
    config: Config,
    now: Wall,
}

/// Runs it.
pub(super) fn run(dir: &Path, command: &Command) -> Result<ExitCode> {
    let state = State::open(dir)?;
    let mut console = Console {
        config: config::load(&state.config_path())?.config,
        client: Client::open(&state)?,
        now: SystemClock::shared().wall(),
    };
    match command {
        Command::List(args) => console.list(args.json),
        Command::Review(args) => console.review(args),
        Command::Add(args) => console.add(args),
        Command::Grant(args) => {
            let grant = console.grant(&args.role)?;
            console.change(PeopleAct::Grant {
                name: args.name.clone(),
                grant,
            })?;
            console.rests(&args.name)
        }
        Command::Revoke(args) => console.change(PeopleAct::Revoke {
            name: args.name.clone(),
            role: args.role,
        }),
        Command::Reset(args) => console.reset(args),
        Command::Undertaking(args) => console.undertaking(args),
        Command::Validity(args) => {
            let valid = console.validity(args.from.as_deref(), args.until.as_deref())?;
            console.change(PeopleAct::Validity {
                name: args.name.clone(),
                valid,
            })
        }
        Command::Confirm(args) => console.confirm(args),
    }?;
    Ok(ExitCode::SUCCESS)
}

impl Console {
    fn change(&mut self, change: PeopleAct) -> Result<()> {
        let ask = PeopleAsk::Change {
            act: change,
            by: who(),
        };
        act::ask(&mut self.client, ask).map(drop)
    }

    fn lines(&mut self) -> Result<Vec<Line>> {
        match act::ask(&mut self.client, PeopleAsk::Review)? {
            PeopleAnswer::Review { lines } => Ok(lines),
            _ => Err(Error::new(Kind::Internal, "an answer to another question")),
        }
    }

    fn zone(&self) -> Zone {
        self.config.site.zone
    }

    fn time(&self, text: Option<&str>) -> Result<Option<Wall>> {
        text.map(|text| self.zone().parse(text, self.now))
            .transpose()
    }

    fn list(&mut self, json: bool) -> Result<()> {
        let lines = self.lines()?;
        if json {
            return say_json(&lines);
        }
        let mut out = String::new();
        for line in lines.iter().filter(|l| l.account.removed.is_none()) {
            write_line(&mut out, line, self.now, self.zone())?;
        }
        if out.is_empty() {
            out.push_str("there is nobody yet\n");
        }
        say(&out)
    }

    fn review(&mut self, args: &ReviewArgs) -> Result<()> {
        for name in &args.confirm {
            self.change(PeopleAct::Review { name: name.clone() })?;
        }
        let lines = self.lines()?;
        if args.json {
            return say_json(&lines);
        }
        let mut out = String::new();
        for line in &lines {
            write_line(&mut out, line, self.now, self.zone())?;
            write_history(&mut out, line, self.zone())?;
        }
        say(&out)
    }

    fn grant(&self, args: &RoleArgs) -> Result<NewGrant> {
        if let Some(camera) = args
            .cameras
            .iter()
            .find(|c| self.config.camera(c).is_none())
        {
            let text = format!("there is no camera \"{camera}\" in the configuration");
            return Err(Error::new(Kind::NotFound, text));
        }
        Ok(NewGrant {
            role: args.role,
            cameras: if args.all_cameras {
                Cameras::All
            } else {
                Cameras::Only(args.cameras.clone())
            },
            approves: args.approves,
            until: self.time(args.role_until.as_deref())?,
        })
    }

    fn validity(&self, from: Option<&str>, until: Option<&str>) -> Result<Validity> {
        Ok(Validity {
            from: self.time(from)?.unwrap_or(self.now),
            until: self.time(until)?,
        })
    }

    fn signed(&self, args: &SignedArgs) -> Result<Option<Undertaking>> {
        let Some(version) = &args.undertaking else {
            return Ok(None);
        };
        Ok(Some(Undertaking {
            version: version.clone(),
            signed: self.time(args.signed.as_deref())?.unwrap_or(self.now),
            until: self.time(args.lapses.as_deref())?,
        }))
    }

    fn add(&mut self, args: &AddArgs) -> Result<()> {
        check_free(args.token_file.as_deref())?;
        let (token, enrolment) = new_enrolment()?;
        let change = PeopleAct::Add {
            name: args.name.clone(),
            display: args.display.clone().unwrap_or_else(|| args.name.clone()),
            language: args.language,
            undertaking: self.signed(&args.signed)?,
            valid: self.validity(args.from.as_deref(), args.until.as_deref())?,
            grant: self.grant(&args.role)?,
            enrolment,
        };
        self.change(change)?;
        hand_out(
            &token,
            &args.name,
            args.token_file.as_deref(),
            self.now,
            self.zone(),
        )?;
        self.rests(&args.name)
    }

    fn reset(&mut self, args: &ResetArgs) -> Result<()> {
        check_free(args.token_file.as_deref())?;
        let (token, enrolment): (EnrolmentToken, Digest) = new_enrolment()?;
        self.change(PeopleAct::Reset {
            name: args.name.clone(),
            factor_only: args.factor,
            enrolment,
        })?;
        hand_out(
            &token,
            &args.name,
            args.token_file.as_deref(),
            self.now,
            self.zone(),
        )?;
        self.rests(&args.name)
    }

    fn undertaking(&mut self, args: &UndertakingArgs) -> Result<()> {
        let undertaking = self.signed(&args.signed)?;
        if undertaking.is_none() && !args.withdraw {
            return Err(Error::invalid(
                "say which was signed: --undertaking VERSION; or --withdraw",
            ));
        }
        self.change(PeopleAct::Undertaking {
            name: args.name.clone(),
            undertaking,
        })
    }

    /// Says that something waits for a controller, if it does.
    fn rests(&mut self, name: &str) -> Result<()> {
        let lines = self.lines()?;
        let line = lines.iter().find(|line| line.account.name == name);
        let rests = |g: &GrantRow| g.is_in_force(self.now) && g.confirmed.is_none();
        if line.is_some_and(|line| line.grants.iter().any(rests)) {
            say(&format!(
                "What {name} may open and approve rests until a controller confirms it, after {name} has enrolled:\n  \
                 sinetti user confirm {name} --person CONTROLLER\n"
            ))?;
        }
        Ok(())
    }

    fn confirm(&mut self, args: &ConfirmArgs) -> Result<()> {
        let ask = PeopleAsk::Missing {
            name: args.name.clone(),
        };
        let PeopleAnswer::Missing(missing) = act::ask(&mut self.client, ask)? else {
            return Err(Error::new(Kind::Internal, "an answer to another question"));
        };
        say(&format!(
            "{}: key {}. It must be the one that {} sees.\n",
            args.name,
            missing.recipient.fingerprint(),
            args.name
        ))?;
        let found = act::credentials(&mut self.client, args.act.person.clone())?;
        let (controller, proven) = act::prove(
            &found,
            (
                args.act.passphrase_file.as_deref(),
                args.act.code_file.as_deref(),
            ),
        )?;
        let wraps = keys::older_wraps(
            &missing.generations,
            &found.wraps,
            &proven.identity,
            missing.person,
            &missing.recipient,
        )?;
        let (given, wanted) = (wraps.len(), missing.generations.len());
        let ask = PeopleAsk::Confirm {
            name: args.name.clone(),
            recipient: missing.recipient,
            controller: Some((controller, proven.used)),
            by: who(),
            wraps,
        };
        act::ask(&mut self.client, ask)?;
        say(&format!(
            "confirmed; {given} of {wanted} earlier vault generations were given along\n"
        ))
    }
}

/// Refuses a file that is there, before anything is changed.
fn check_free(file: Option<&Path>) -> Result<()> {
    match file {
        Some(path) if path.exists() => Err(Error::new(
            Kind::Exists,
            format!("{} exists already; give another name", path.display()),
        )),
        _ => Ok(()),
    }
}

/// Writes a one-time token into a new file.
pub(super) fn keep(token: &EnrolmentToken, path: &Path) -> Result<()> {
    if let Some(dir) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
        disk::create_dir_all(dir, SECRET_DIR_MODE)?;
    }
    let line = Zeroizing::new(format!("{}\n", token.to_text().as_str()));
    disk::create(path, line.as_bytes(), SECRET_MODE).context(|| "keeping an enrolment token")
}

/// Gives a one-time token to whoever called, to be handed to the person.
pub(super) fn hand_out(
    token: &EnrolmentToken,
    name: &str,
    file: Option<&Path>,
    now: Wall,
    zone: Zone,
) -> Result<()> {
    let until = zone.display(now.plus_us(ENROLMENT_US));
    match file {
        Some(path) => {
            keep(token, path)?;
            say(&format!(
                "The one-time enrolment token of {name} is in {}; it is good until {until}.\n",
                path.display()
            ))
        }
        None => show(&format!(
            "One-time enrolment token of {name}, good until {until}, shown now and never again:\n\n  {}\n\n\
             Give it to {name} and to nobody else. The way to use it: sinetti enrol\n",
            token.to_text().as_str()
        )),
    }
}
