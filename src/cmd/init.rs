//! `sinetti init`: a new box. Identity, keys, first person, first vault generation, configuration, volumes.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use zeroize::Zeroizing;

use crate::base::clock::SystemClock;
use crate::base::disk::{self, SECRET_DIR_MODE, SECRET_MODE};
use crate::base::error::{Context, Error, Kind, Result};
use crate::base::id::{GenerationId, PersonId};
use crate::base::time::Wall;
use crate::base::zone::Zone;
use crate::catalog::{Catalog, Change, Event};
use crate::cmd::{say, secret};
use crate::config::{self, NewVolume};
use crate::store::state::{self, State};
use crate::store::volume::Volume;
use crate::vault::identity::{Identity, Recipient};
use crate::vault::person::{Cost, PersonRow};
use crate::vault::{generation, passphrase, shares};

const SHARES_FOLLOW: &str = "\
The three shares of the recovery identity follow, now and never again. Any two of them open all footage.
Write each on paper: one for the controller, one for the deputy, one in a sealed envelope.

";

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
    /// Personal user name of the first person who can open footage.
    #[arg(long, default_value = "controller1")]
    person: String,
    /// File (mode 0600) with that person's passphrase. Default: asked for.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
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
    let passphrase = secret::passphrase(
        args.passphrase_file.as_deref(),
        &format!("New passphrase of {}", args.person),
        true,
    )?;
    passphrase::check(&passphrase)?;
    let starter = config::starter(&args.site, zone, &volumes);
    config::parse(&starter, dir)?;

    let clock = SystemClock::shared();
    let now = clock.wall();
    let recovery = Identity::generate();
    let person = PersonRow::create(
        PersonId::random(),
        &args.person,
        &passphrase,
        Cost::STANDARD,
        now,
    )?;
    disk::create_dir_all(dir, SECRET_DIR_MODE)?;
    let (state, new_box) = State::begin(dir, recovery.recipient(), now)?;
    disk::create(&state.config_path(), starter.as_bytes(), 0o644)?;
    for volume in &volumes {
        Volume::init(Path::new(&volume.path), state.box_id, &volume.name)?;
    }
    first_generation(&state, &person, now)?;
    let shares = shares::split(&recovery, state.box_id)?;
    hand_out(&shares, args.shares_dir.as_deref())?;
    // Last: a box whose shares nobody has must not come into being.
    new_box.finish()?;
    say(&summary(&state, &args, &volumes)?)?;
    Ok(ExitCode::SUCCESS)
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

/// A first person with the first vault generation.
pub(super) fn person_with_generation(
    person: &PersonRow,
    recovery: &Recipient,
    now: Wall,
) -> Result<(Vec<Change>, GenerationId)> {
    let created = generation::create(&[(person.person, &person.recipient)], recovery, now)?;
    let json =
        serde_json::to_string(person).map_err(|e| Error::new(Kind::Internal, e.to_string()))?;
    let id = created.generation.id;
    let mut changes = vec![
        Change::PersonAdded {
            person: person.person,
            name: person.name.clone(),
            row: json,
        },
        Change::GenerationAdded {
            generation: id,
            recipient: created.generation.recipient.to_string(),
            created: now,
        },
        Change::WrapAdded {
            generation: id,
            person: None,
            bytes: created.recovery_wrap,
        },
    ];
    changes.extend(created.wraps.into_iter().map(|w| Change::WrapAdded {
        generation: id,
        person: Some(w.person),
        bytes: w.bytes,
    }));
    Ok((changes, id))
}

fn first_generation(state: &State, person: &PersonRow, now: Wall) -> Result<()> {
    let (changes, id) = person_with_generation(person, &state.recovery, now)?;
    let facts = serde_json::json!({
        "box": state.box_id,
        "ledger_key": state.ledger_key,
        "recovery": state.recovery.to_string(),
        "generation": id,
        "person": person.person,
    });
    let catalog = Catalog::open_signing(&state.catalog_path(), state.box_id, state.signer())?;
    catalog.commit(changes, Event::of_box(now, "init", state.box_id, facts))?;
    catalog.close()
}

fn summary(state: &State, args: &Args, volumes: &[NewVolume]) -> Result<String> {
    let folders: Vec<_> = volumes
        .iter()
        .map(|v| format!("  footage      {} (volume \"{}\")\n", v.path, v.name))
        .collect();
    Ok(format!(
        "This box is ready.\n\n  box          {}\n  ledger key   {}\n  recovery     {}\n  person       {}\n  state        {}\n{}\n\
         Add cameras with \"sinetti camera add\", then start \"sinetti run\".\n\n",
        state.box_id,
        state.fingerprint()?,
        state.recovery.fingerprint(),
        args.person,
        state.dir.display(),
        folders.concat(),
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
