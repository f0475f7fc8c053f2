//! Persons and keys in the daemon: a thread that keeps sessions and vault generations right, and what commands ask about
//! persons, answered alike by the daemon and by a command while none runs.

use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use log::{error, warn};

use crate::access::confirm::{self, Confirmer};
use crate::access::credential::Used;
use crate::access::directory::Scope;
use crate::access::enrol::{self, Enrolled, Invited};
use crate::access::keys::{self, HolderWarning};
use crate::access::people::{self, Actor, PeopleAct};
use crate::access::review::{self, Line};
use crate::access::{Access, Directory, Right, Standing};
use crate::base::error::{Error, Kind, Result};
use crate::base::hash::Digest;
use crate::base::id::{CameraId, GenerationId, HoldId, PersonId};
use crate::base::time::Wall;
use crate::catalog::{
    Catalog, Change, Event, FactorRow, GenerationRow, PersonRow, Reader, WrapRow,
};
use crate::daemon::keeping;
use crate::retention::latch;
use crate::retention::reading;
use crate::vault::generation::Wrap;
use crate::vault::identity::Recipient;

/// The act by which recorded footage leaves the box without a disclosure.
const HANDS_OUT: &str = "export";
/// Sessions and keys are looked at this often. What is over ends within 10 s.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// A question about persons.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", tag = "about")]
pub enum PeopleAsk {
    /// Who may what, since when.
    Review,
    /// Whether somebody opens the vault, now and in the days to come.
    Holders,
    /// Changes persons or rights.
    Change {
        /// What.
        act: PeopleAct,
        /// Who at the console, as far as it is known.
        by: String,
    },
    /// Whose enrolment a token is.
    Invited {
        /// Its hash.
        token: Digest,
    },
    /// What somebody who enrolled has set.
    Enrol {
        /// It.
        enrolled: Enrolled,
        /// The code that showed that the authenticator has the secret, if one did.
        used: Option<Used>,
    },
    /// What shows whether somebody is who they say.
    Credentials {
        /// Personal user name; the only one who may play back when left out.
        name: Option<String>,
    },
    /// What a holder could give to a person: older generations.
    Missing {
        /// Personal user name.
        name: String,
    },
    /// A controller, or two shares, stand behind what a person holds.
    Confirm {
        /// Personal user name.
        name: String,
        /// The person's public key, whose fingerprint was compared.
        recipient: Recipient,
        /// The controller with the code that was used up; `None`: two shares.
        controller: Option<(PersonId, Used)>,
        /// Who at the console, as far as it is known.
        by: String,
        /// Older generations that are given along.
        wraps: Vec<Wrap>,
    },
    /// A new vault generation.
    Rotate {
        /// Who at the console, as far as it is known.
        by: String,
    },
    /// Somebody who showed password and code begins an act: the code is used up, the intent is written. What hands recorded footage
    /// out (`export`) needs a second person, who showed both too.
    Begin {
        /// Who.
        person: PersonId,
        /// The code.
        used: Used,
        /// Who approves it, with their code.
        #[serde(default)]
        approver: Option<(PersonId, Used)>,
        /// The camera that it is about.
        camera: CameraId,
        /// The hold for whose case it is done.
        #[serde(default)]
        hold: Option<HoldId>,
        /// The intent.
        event: Box<Event>,
    },
}

/// An answer about persons.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", tag = "about")]
pub enum PeopleAnswer {
    /// To [`PeopleAsk::Review`].
    Review {
        /// Everybody.
        lines: Vec<Line>,
    },
    /// To [`PeopleAsk::Holders`].
    Holders {
        /// What somebody should know.
        warning: Option<HolderWarning>,
    },
    /// To [`PeopleAsk::Invited`].
    Invited(Invited),
    /// To [`PeopleAsk::Credentials`].
    Credentials(Box<Credentials>),
    /// To [`PeopleAsk::Missing`].
    Missing(Box<Missing>),
    /// To [`PeopleAsk::Rotate`].
    Rotated {
        /// The new generation.
        generation: GenerationId,
    },
    /// To [`PeopleAsk::Begin`].
    Begun {
        /// Number of the intent's entry: the outcome names it.
        seq: u64,
    },
    /// Done.
    Done,
}

/// What shows whether somebody is who they say, and what they then open. Nothing in it is in the clear.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Credentials {
    /// The person's keys.
    pub keys: PersonRow,
    /// The second factor.
    pub factor: FactorRow,
    /// What the person opens.
    pub wraps: Vec<WrapRow>,
    /// All generations.
    pub generations: Vec<GenerationRow>,
}

/// What could be given to a person.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Missing {
    /// To whom.
    pub person: PersonId,
    /// Their public key.
    pub recipient: Recipient,
    /// Generations that the person should have and has not.
    pub generations: Vec<GenerationRow>,
    /// Their wraps to the recovery identity.
    pub recovery: Vec<WrapRow>,
}

/// Answers a question about persons; writes what it asks to be written.
///
/// # Errors
/// [`Kind::NotFound`] for an unknown person, [`Kind::Denied`] for what may not be; what the catalog says.
pub fn answer(
    catalog: &Catalog,
    recovery: &Recipient,
    ask: &PeopleAsk,
    now: Wall,
) -> Result<PeopleAnswer> {
    let done = |()| PeopleAnswer::Done;
    match ask {
        PeopleAsk::Change { act, by } => {
            let actor = Actor::Console { by: by.clone() };
            people::perform(catalog, act, &actor, now).map(|_| PeopleAnswer::Done)
        }
        PeopleAsk::Enrol { enrolled, used } => {
            enrol::write(catalog, enrolled, *used, now).map(|_| PeopleAnswer::Done)
        }
        PeopleAsk::Confirm { .. } => confirm(catalog, ask, now).map(done),
        PeopleAsk::Rotate { .. } => {
            keys::renew(catalog, recovery, keys::Why::Asked, "console", now).map(|made| {
                PeopleAnswer::Rotated {
                    generation: made.id,
                }
            })
        }
        PeopleAsk::Begin {
            person,
            used,
            approver,
            camera,
            hold,
            event,
        } => {
            let who = ((*person, *used), *approver);
            begin(catalog, who, (camera, *hold), event, now).map(|seq| PeopleAnswer::Begun { seq })
        }
        other => from_reader(&catalog.reader()?, other, now),
    }
}

/// True for questions that only read.
pub fn only_reads(ask: &PeopleAsk) -> bool {
    matches!(
        ask,
        PeopleAsk::Review
            | PeopleAsk::Holders
            | PeopleAsk::Invited { .. }
            | PeopleAsk::Credentials { .. }
            | PeopleAsk::Missing { .. }
    )
}

/// Answers what only reads.
///
/// # Errors
/// As [`answer`].
pub fn from_reader(reader: &Reader, ask: &PeopleAsk, now: Wall) -> Result<PeopleAnswer> {
    match ask {
        PeopleAsk::Review => Ok(PeopleAnswer::Review {
            lines: review::review(reader, now)?,
        }),
        PeopleAsk::Holders => Ok(PeopleAnswer::Holders {
            warning: keys::warning(&Directory::read(reader)?, now),
        }),
        PeopleAsk::Invited { token } => {
            enrol::invited(reader, token, now).map(PeopleAnswer::Invited)
        }
        PeopleAsk::Credentials { name } => credentials(reader, name.as_deref(), now)
            .map(|found| PeopleAnswer::Credentials(Box::new(found))),
        PeopleAsk::Missing { name } => {
            missing(reader, name).map(|found| PeopleAnswer::Missing(Box::new(found)))
        }
        _ => Err(Error::new(Kind::Internal, "a reader cannot write")),
    }
}

fn unknown(name: &str) -> Error {
    Error::new(Kind::NotFound, format!("there is no person \"{name}\""))
}

fn credentials(reader: &Reader, name: Option<&str>, now: Wall) -> Result<Credentials> {
    let directory = Directory::read(reader)?;
    let standing: &Standing = match name {
        Some(name) => directory.named(name).ok_or_else(|| unknown(name))?,
        None => {
            let mut holders = directory.holders(now);
            match (holders.next(), holders.next()) {
                (Some(only), None) => only,
                (None, _) => {
                    let text =
                        "nobody may play back yet: a controller enrols first (sinetti enrol)";
                    return Err(Error::new(Kind::NotFound, text));
                }
                (Some(_), Some(_)) => {
                    let text = "several persons may play back; say which with --person NAME";
                    return Err(Error::invalid(text));
                }
            }
        }
    };
    let (person, name) = (standing.account.person, &standing.account.name);
    let enrols = || {
        Error::invalid(format!(
            "\"{name}\" has not enrolled; the way is: sinetti user reset {name}, then sinetti enrol"
        ))
    };
    Ok(Credentials {
        keys: reader.person_of(person)?.ok_or_else(enrols)?,
        factor: reader.factor(person)?.ok_or_else(enrols)?,
        wraps: reader.wraps(person)?,
        generations: reader.generations()?,
    })
}

fn missing(reader: &Reader, name: &str) -> Result<Missing> {
    let directory = Directory::read(reader)?;
    let standing = directory.named(name).ok_or_else(|| unknown(name))?;
    let person = standing.account.person;
    let keys = reader.person_of(person)?.ok_or_else(|| {
        Error::invalid(format!(
            "\"{name}\" has not enrolled yet; what is confirmed is a person with their keys"
        ))
    })?;
    let row = crate::access::credential::keys_of(&keys)?;
    let opens = standing.grants.iter().any(|g| g.role.opens_vault());
    let generations = if opens {
        keys::missing(reader, person)?
    } else {
        Vec::new()
    };
    let mut recovery = Vec::new();
    for generation in &generations {
        recovery.extend(reader.wrap_for_recovery(generation.generation)?);
    }
    Ok(Missing {
        person,
        recipient: row.recipient,
        generations,
        recovery,
    })
}

fn confirm(catalog: &Catalog, ask: &PeopleAsk, now: Wall) -> Result<()> {
    let PeopleAsk::Confirm {
        name,
        recipient,
        controller,
        by,
        wraps,
    } = ask
    else {
        return Err(Error::new(Kind::Internal, "another question"));
    };
    let controller = *controller;
    let directory = Directory::read(&catalog.reader()?)?;
    let standing = directory.named(name).ok_or_else(|| unknown(name))?;
    if let Some((person, _)) = controller {
        let confirmer = directory
            .get(person)
            .ok_or_else(|| Error::new(Kind::Denied, "the controller is not known"))?;
        may(confirmer, Right::ConfirmRights, now)?;
    }
    let wraps: Vec<_> = wraps
        .iter()
        .filter(|wrap| wrap.person == standing.account.person)
        .cloned()
        .collect();
    let by = Confirmer {
        person: controller.map(|(person, _)| person),
        used: controller.map(|(person, used)| used.by(person, now)),
        detail: serde_json::json!({ "console": by }),
    };
    confirm::confirm(catalog, standing, recipient, &by, wraps, now)
}

/// Who confirms that deletion may go on. After a restore that is a controller, unless there is none who could.
///
/// # Errors
/// [`Kind::Denied`] when it must be a controller and is not; what the catalog says.
pub fn confirmer(
    catalog: &Catalog,
    by: &str,
    controller: Option<(PersonId, Used)>,
    now: Wall,
) -> Result<latch::Confirmer> {
    let reader = catalog.reader()?;
    let directory = Directory::read(&reader)?;
    let Some((person, used)) = controller else {
        let restored = reader
            .meta()?
            .latch
            .is_some_and(|why| why.starts_with(latch::RESTORED));
        let mut standings = directory.iter();
        if restored && standings.any(|standing| may(standing, Right::Decide, now).is_ok()) {
            let text = "after a restore a controller has to look and confirm: sinetti retention confirm --person NAME";
            return Err(Error::new(Kind::Denied, text));
        }
        return Ok(latch::Confirmer {
            actor: None,
            used: Vec::new(),
            detail: by.into(),
        });
    };
    let standing = directory
        .get(person)
        .ok_or_else(|| Error::new(Kind::Denied, "the person is not known"))?;
    may(standing, Right::Decide, now)?;
    Ok(latch::Confirmer {
        actor: Some(person.to_string()),
        used: vec![used.by(person, now).into()],
        detail: by.into(),
    })
}

/// That a person may be signed in and has a right.
///
/// # Errors
/// [`Kind::Denied`] with the reason.
pub(super) fn may(standing: &Standing, right: Right, now: Wall) -> Result<Scope> {
    standing
        .check(now)
        .and_then(|()| standing.scope(right, now))
        .map_err(|why| {
            let name = &standing.account.name;
            Error::new(
                Kind::Denied,
                format!("{name} may not: {why} (sinetti user list says more)"),
            )
        })
}

fn begin(
    catalog: &Catalog,
    ((person, used), approver): ((PersonId, Used), Option<(PersonId, Used)>),
    (camera, hold): (&CameraId, Option<HoldId>),
    event: &Event,
    now: Wall,
) -> Result<u64> {
    let reader = catalog.reader()?;
    let directory = Directory::read(&reader)?;
    let known = |person: PersonId| {
        let standing = directory.get(person);
        standing.ok_or_else(|| Error::new(Kind::Denied, "the person is not known"))
    };
    let standing = known(person)?;
    let second = approver.map(|(person, _)| known(person)).transpose()?;
    if second.is_none() && event.action == HANDS_OUT {
        let text =
            "nothing leaves the box by one person: another one has to approve it (--approver NAME)";
        return Err(Error::new(Kind::Denied, text));
    }
    let of = (camera, hold);
    let may = may_on(&reader, standing, Right::HandOut, of, now).and_then(|()| {
        second.map_or(Ok(()), |second| {
            if is_same(standing, second) {
                let text = "nobody approves what they hand out themselves; another person has to";
                return Err(Error::new(Kind::Denied, text));
            }
            may_on(&reader, second, Right::Approve, of, now)
        })
    });
    let mut event = Event {
        actor: person.to_string(),
        at: now,
        ..event.clone()
    };
    let mut changes: Vec<Change> = vec![used.by(person, now).into()];
    if let (Some((approver, used)), Some(second)) = (approver, second) {
        event.facts["approver"] = approver.to_string().into();
        if let Some(detail) = &mut event.detail {
            detail["approver"] = second.account.name.clone().into();
        }
        // One's own code is used up once.
        if approver != person {
            changes.push(used.by(approver, now).into());
        }
    }
    match may {
        Ok(()) => catalog.begin_act(event, changes).map(|act| act.seq()),
        Err(why) => {
            // Who is refused has shown who they are: that is told too.
            let refused = Event {
                result: "refused".to_owned(),
                ..event
            };
            catalog.commit(changes, refused)?;
            Err(why)
        }
    }
}

/// A person is who they are by their id and their user name, whatever roles they gather.
fn is_same(one: &Standing, other: &Standing) -> bool {
    one.account.person == other.account.person || one.account.name == other.account.name
}

/// That somebody has a right on a camera at this moment, and for the case of a hold if there is one.
fn may_on(
    reader: &Reader,
    standing: &Standing,
    right: Right,
    (camera, hold): (&CameraId, Option<HoldId>),
    now: Wall,
) -> Result<()> {
    let scope = may(standing, right, now)?;
    scope.check(camera).map_err(|why| {
        let name = &standing.account.name;
        Error::new(Kind::Denied, format!("{name} may not: {why} {camera}"))
    })?;
    let by = keeping::by(standing, &scope, serde_json::Value::Null);
    hold.map_or(Ok(()), |hold| {
        reading::check(reader, &by, hold, now).map(drop)
    })
}

/// As [`answer`], with sessions and generations following at once.
///
/// # Errors
/// As [`answer`].
pub fn answer_with(
    access: &Access,
    catalog: &Catalog,
    recovery: &Recipient,
    ask: &PeopleAsk,
    now: Wall,
) -> Result<PeopleAnswer> {
    match ask {
        PeopleAsk::Change { act, by } => {
            let actor = Actor::Console { by: by.clone() };
            access.change(act, &actor).map(|_| PeopleAnswer::Done)
        }
        PeopleAsk::Rotate { .. } => access
            .rotate("console")
            .map(|generation| PeopleAnswer::Rotated { generation }),
        other if only_reads(other) => answer(catalog, recovery, other, now),
        other => {
            let answered = access.one_by_one(|| answer(catalog, recovery, other, now))?;
            access.catch_up()?;
            Ok(answered)
        }
    }
}

/// The thread that keeps sessions and vault generations right.
pub struct People {
    stop: SyncSender<()>,
    thread: JoinHandle<()>,
}

impl People {
    /// Starts it.
    ///
    /// # Errors
    /// When no thread can be had.
    pub fn start(access: Access) -> Result<Self> {
        let (stop, stopped) = sync_channel(1);
        let thread = std::thread::Builder::new()
            .name("people".to_owned())
            .spawn(move || {
                let mut told = None;
                while stopped.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
                    if let Err(e) = access.tick() {
                        error!("persons and keys: {e}");
                    }
                    tell(&access, &mut told);
                }
                if let Err(e) = access.close() {
                    error!("persons and keys: {e}");
                }
            })?;
        Ok(Self { stop, thread })
    }

    /// Ends it, and every session.
    pub fn finish(self) {
        drop(self.stop);
        if self.thread.join().is_err() {
            error!("the thread of persons and keys failed");
        }
    }
}

/// Logs what somebody should know about who opens the vault, once.
fn tell(access: &Access, told: &mut Option<HolderWarning>) {
    let warning = access.holder_warning();
    if warning != *told {
        if let Some(warning) = &warning {
            warn!("{}", warning_text(warning));
        }
        *told = warning;
    }
}

/// A warning about holders in words.
pub fn warning_text(warning: &HolderWarning) -> String {
    match warning {
        HolderWarning::Nobody => {
            "nobody may play back: what is recorded now opens with the recovery shares alone"
                .to_owned()
        }
        HolderWarning::LastEnds { person, at } => {
            format!("the last one who may play back ({person}) loses that at {at}")
        }
    }
}
