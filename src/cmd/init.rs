//! `sinetti init`: a new box. Identity, keys, one-time tokens for the first persons, configuration, volumes.

use std::io::{IsTerminal, Write};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use zeroize::Zeroizing;

use crate::access::people::{self, Actor, NewGrant, PeopleAct, new_enrolment};
use crate::access::terms::check_name;
use crate::access::{EnrolmentToken, Role, keys};
use crate::base::clock::SystemClock;
use crate::base::disk::{self, SECRET_DIR_MODE, SECRET_MODE};
use crate::base::error::{Context, Error, Kind, Result};
use crate::base::time::Wall;
use crate::base::zone::Zone;
use crate::catalog::{Cameras, Catalog, Event, Language, Undertaking, Validity};
use crate::cmd::{say, user, who};
use crate::config::{self, NewVolume, WEB_PORT};
use crate::http::authority::{self, Authority};
use crate::store::state::{self, State};
use crate::store::volume::Volume;
use crate::vault::identity::Identity;
use crate::vault::{generation, shares};

const SHARES_FOLLOW: &str = "\
The three shares of the recovery identity follow, now and never again. Any two of them open all footage.
Write each on paper: one for the controller, one for the deputy, one in a sealed envelope.

";

const ASK_WHY: &str = "\
More than 72 hours of footage needs a justification, as the camera-surveillance notice says it. Write it in one sentence, and
footage is kept for 14 days; leave it empty, and it is kept for 72 hours. Both can be changed in sinetti.toml.
Why: ";

/// Arguments of `init`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Name of the site, as it shall stand on documents.
    #[arg(long, default_value = "Myymälä 1")]
    site: String,
    /// Time zone of the site.
    #[arg(long, default_value = "Europe/Helsinki")]
    zone: String,
    /// An empty folder for footage, best a disk of its own; may be given several times. Default: DIR/footage.
    #[arg(long = "volume", value_name = "PATH")]
    volumes: Vec<PathBuf>,
    /// Free space that is kept on each volume, in GiB. Default: 5.
    #[arg(long)]
    reserve_gib: Option<f64>,
    /// Personal user name of the first administrator: persons, cameras, the box; no pictures.
    #[arg(long, default_value = "admin1")]
    admin: String,
    /// Personal user name of the first controller: answers for the footage, and opens it.
    #[arg(long, default_value = "controller1")]
    controller: String,
    /// Version of the confidentiality undertaking that both have signed. Without one they enrol, but do not sign in before
    /// it is noted: sinetti user undertaking.
    #[arg(long, value_name = "VERSION")]
    undertaking: Option<String>,
    /// Folder for their one-time enrolment tokens (ADMIN.token, CONTROLLER.token). Default: shown on the screen, once.
    #[arg(long, value_name = "FOLDER")]
    tokens_dir: Option<PathBuf>,
    /// A private address of this machine on which pages and API are served, with a port when it is not 8443; may be given several
    /// times. Default: none, nothing is served.
    #[arg(long, value_name = "ADDRESS")]
    listen: Vec<String>,
    /// Why footage is kept for more than 72 hours, in one sentence: then it is kept for 14 days. Asked for at a terminal; without one it
    /// is kept for 72 hours.
    #[arg(long, value_name = "SENTENCE")]
    justification: Option<String>,
    /// Folder for the three recovery shares (share-1.txt …). Default: shown on the screen, once.
    #[arg(long, value_name = "FOLDER")]
    shares_dir: Option<PathBuf>,
}

/// Runs it.
pub(super) fn run(dir: &Path, args: Args) -> Result<ExitCode> {
    // Everything that can be refused is refused before anything is made.
    state::check_empty(dir)?;
    let zone = Zone::named(&args.zone)?;
    let volumes = volumes(dir, &args)?;
    if let Some(shares_dir) = &args.shares_dir {
        check_shares_dir(shares_dir)?;
    }
    let people = People::check(&args)?;
    let listen = listen(&args.listen)?;
    let justification = justification(&args)?;
    let why = justification.as_deref();
    let starter = config::starter(&args.site, zone, &volumes, &listen, why);
    let web = config::parse(&starter, dir)?.web;

    let clock = SystemClock::shared();
    let now = clock.wall();
    let recovery = Identity::generate();
    disk::create_dir_all(dir, SECRET_DIR_MODE)?;
    let (state, new_box) = State::begin(dir, recovery.recipient(), now)?;
    disk::create(&state.config_path(), starter.as_bytes(), 0o644)?;
    for volume in &volumes {
        Volume::init(Path::new(&volume.path), state.box_id, &volume.name)?;
    }
    let tokens = first_rows(&state, &people, now)?;
    authority::server(dir, state.box_id, &authority::names(&web), now, false)?;
    let authority = authority::authority(dir, state.box_id, now)?;
    let shares = shares::split(&recovery, state.box_id)?;
    hand_out(&shares, args.shares_dir.as_deref())?;
    for ((token, name), file) in tokens.iter().zip(people.names()).zip(&people.files) {
        user::hand_out(token, name, file.as_deref(), now, zone)?;
    }
    // Last: a box whose shares nobody has must not come into being.
    new_box.finish()?;
    say(&summary(
        &state,
        &args,
        &volumes,
        &authority,
        why.is_some(),
    )?)?;
    Ok(ExitCode::SUCCESS)
}

/// Why footage is kept for more than 72 hours: as given, or asked for when somebody sits there.
fn justification(args: &Args) -> Result<Option<String>> {
    let given = match &args.justification {
        Some(text) => text.clone(),
        None if std::io::stdin().is_terminal() => {
            say(ASK_WHY)?;
            let mut line = String::new();
            std::io::stdin().read_line(&mut line)?;
            line
        }
        None => return Ok(None),
    };
    let text = given.trim();
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

/// The addresses; what is wrong with them otherwise the configuration's own check says.
fn listen(given: &[String]) -> Result<Vec<SocketAddr>> {
    let read = |text: &String| {
        let bare = text.parse::<IpAddr>();
        let bare = bare.map(|ip| SocketAddr::new(ip, WEB_PORT));
        text.parse().or(bare).map_err(|_| {
            Error::invalid(format!(
                "--listen {text}: write an address such as 192.168.10.5 or 192.168.10.5:{WEB_PORT}"
            ))
        })
    };
    given.iter().map(read).collect()
}

fn volumes(dir: &Path, args: &Args) -> Result<Vec<NewVolume>> {
    let paths = if args.volumes.is_empty() {
        vec![dir.join("footage")]
    } else {
        args.volumes.clone()
    };
    paths
        .iter()
        .zip(1..)
        .map(|(path, n)| {
            let path = std::path::absolute(path)?;
            let empty = std::fs::read_dir(&path).map_or(Ok(true), |mut entries| {
                Ok::<_, Error>(entries.all(|e| e.is_ok_and(|e| e.file_name() == "lost+found")))
            })?;
            if !empty {
                return Err(Error::invalid(format!(
                    "volume {} is not empty; give an empty folder",
                    path.display()
                )));
            }
            let path = path
                .to_str()
                .ok_or_else(|| Error::invalid(format!("{} is not UTF-8", path.display())))?;
            Ok(NewVolume {
                name: format!("disk-{n}"),
                path: path.to_owned(),
                reserve_gib: args.reserve_gib,
                dedicated: false,
            })
        })
        .collect()
}

/// The first persons: who administers and who answers are two, since nobody stands behind their own rights.
struct People {
    admin: String,
    controller: String,
    undertaking: Option<String>,
    /// Where their tokens go.
    files: [Option<PathBuf>; 2],
}

impl People {
    fn check(args: &Args) -> Result<Self> {
        let file = |name: &str| {
            let dir = args.tokens_dir.as_ref()?;
            Some(dir.join(format!("{name}.token")))
        };
        let people = Self {
            admin: args.admin.clone(),
            controller: args.controller.clone(),
            undertaking: args.undertaking.clone(),
            files: [file(&args.admin), file(&args.controller)],
        };
        if people.admin == people.controller {
            return Err(Error::invalid(
                "the first administrator and the first controller are two persons; name both",
            ));
        }
        for name in people.names() {
            check_name(name)?;
        }
        match people.files.iter().flatten().find(|path| path.exists()) {
            Some(path) => Err(Error::new(
                Kind::Exists,
                format!("{} exists; tokens are not overwritten", path.display()),
            )),
            None => Ok(people),
        }
    }

    fn names(&self) -> [&str; 2] {
        [&self.admin, &self.controller]
    }
}

/// A person who enrols with the token that is returned.
pub(super) fn invite(
    catalog: &Catalog,
    name: &str,
    role: Role,
    undertaking: Option<&str>,
    now: Wall,
) -> Result<EnrolmentToken> {
    let (token, enrolment) = new_enrolment()?;
    let act = PeopleAct::Add {
        name: name.to_owned(),
        display: name.to_owned(),
        language: Language::Fi,
        undertaking: undertaking.map(|version| Undertaking {
            version: version.to_owned(),
            signed: now,
            until: None,
        }),
        valid: Validity {
            from: now,
            until: None,
        },
        grant: NewGrant {
            role,
            cameras: Cameras::All,
            approves: false,
            until: None,
        },
        enrolment,
    };
    people::perform(catalog, &act, &Actor::Console { by: who() }, now)?;
    Ok(token)
}

/// The catalog with what it begins with: a vault generation that only the recovery identity opens, and two persons who enrol.
fn first_rows(state: &State, people: &People, now: Wall) -> Result<[EnrolmentToken; 2]> {
    let made = generation::create_for_recovery(&state.recovery, now)?;
    let facts = serde_json::json!({
        "box": state.box_id,
        "ledger_key": state.ledger_key,
        "recovery": state.recovery.to_string(),
        "generation": made.generation.id,
    });
    let catalog = Catalog::open_signing(&state.catalog_path(), state.box_id, state.signer())?;
    let event = Event::of_box(now, "init", state.box_id, facts);
    catalog.commit(keys::changes(made), event)?;
    let undertaking = people.undertaking.as_deref();
    let admin = invite(&catalog, &people.admin, Role::Admin, undertaking, now)?;
    let controller = invite(
        &catalog,
        &people.controller,
        Role::Controller,
        undertaking,
        now,
    )?;
    catalog.close()?;
    Ok([admin, controller])
}

fn summary(
    state: &State,
    args: &Args,
    volumes: &[NewVolume],
    authority: &Authority,
    justified: bool,
) -> Result<String> {
    let folders: Vec<_> = volumes
        .iter()
        .map(|v| format!("  footage      {} (volume \"{}\")\n", v.path, v.name))
        .collect();
    let kept = if justified {
        "Footage is kept for 14 days, with your justification in sinetti.toml."
    } else {
        "Footage is kept for 72 hours: for more, write a justification into [retention] in sinetti.toml."
    };
    Ok(format!(
        "This box is ready.\n\n  box          {}\n  ledger key   {}\n  recovery     {}\n  first        {}, administrator, and {}, controller\n  authority    {}\n  state        {}\n{}\n\
         {}\n\n\
         Add cameras with \"sinetti camera add\", then start \"sinetti run\". Until the controller has enrolled\n\
         (\"sinetti enrol\"), what is recorded opens with two shares alone.\n\n",
        state.box_id,
        state.fingerprint()?,
        state.recovery.fingerprint(),
        args.admin,
        args.controller,
        authority.fingerprint,
        state.dir.display(),
        folders.concat(),
        kept,
    ))
}

fn share_path(dir: &Path, n: usize) -> PathBuf {
    dir.join(format!("share-{n}.txt"))
}

fn check_shares_dir(dir: &Path) -> Result<()> {
    match (1..=3).map(|n| share_path(dir, n)).find(|p| p.exists()) {
        Some(path) => Err(Error::new(
            Kind::Exists,
            format!(
                "{} exists; shares of another box are not overwritten",
                path.display()
            ),
        )),
        None => Ok(()),
    }
}

fn hand_out(shares: &[Zeroizing<String>; 3], dir: Option<&Path>) -> Result<()> {
    let Some(dir) = dir else {
        let lines: Zeroizing<String> = Zeroizing::new(
            shares
                .iter()
                .map(|s| format!("  {}\n", s.as_str()))
                .collect(),
        );
        let mut out = std::io::stdout().lock();
        // Unlike other answers, this one must have been taken: a closed pipe is an error.
        return out
            .write_all(SHARES_FOLLOW.as_bytes())
            .and_then(|()| out.write_all(lines.as_bytes()))
            .and_then(|()| out.write_all(b"\n"))
            .and_then(|()| out.flush())
            .context(|| "showing the recovery shares");
    };
    disk::create_dir_all(dir, SECRET_DIR_MODE)?;
    for (share, n) in shares.iter().zip(1..) {
        let line = Zeroizing::new(format!("{}\n", share.as_str()));
        disk::create(&share_path(dir, n), line.as_bytes(), SECRET_MODE)
            .context(|| "keeping a recovery share")?;
    }
    say(&format!(
        "The three shares of the recovery identity are in {}. Any two of them open all footage: print them,\n\
         give one to the controller and one to the deputy, put one in a sealed envelope, and remove the files.\n",
        dir.display()
    ))
}
