//! An act at the console: a person shows passphrase and code, and says for what. No secret leaves this process: the recorder
//! is told which code was used up, and writes the intent before anything is opened.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;

use crate::access::credential::{self, Proven, Used};
use crate::access::keys;
use crate::base::clock::SystemClock;
use crate::base::error::{Error, Kind, Result};
use crate::base::id::{CameraId, HoldId, PersonId};
use crate::catalog::{Event, Phase};
use crate::cmd::{secret, who};
use crate::config::{Config, Purpose};
use crate::daemon::answer::{Answer, Ask};
use crate::daemon::control::Client;
use crate::daemon::disclosures::{DisclosureAct, DisclosureAsk};
use crate::daemon::keeping::{KeepingAct, KeepingAsk};
use crate::daemon::people::{Credentials, PeopleAnswer, PeopleAsk};
use crate::evidence::keys::KeyRing;
use crate::vault::generation::{self, Generation};
use crate::vault::identity::Identity;
use crate::vault::transit::Opened;

/// Who acts.
#[derive(Debug, clap::Args)]
pub(super) struct WhoArgs {
    /// Personal user name. May be left out while only one person may play back.
    #[arg(long)]
    pub person: Option<String>,
    /// File (mode 0600) with the passphrase. Default: asked for.
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// File (mode 0600) with the present code of the second factor, or with a recovery code. Default: asked for.
    #[arg(long, value_name = "FILE")]
    pub code_file: Option<PathBuf>,
}

impl WhoArgs {
    /// The files with passphrase and code.
    fn files(&self) -> (Option<&Path>, Option<&Path>) {
        (self.passphrase_file.as_deref(), self.code_file.as_deref())
    }
}

/// Who acts, and for what.
#[derive(Debug, clap::Args)]
pub(super) struct PersonArgs {
    #[command(flatten)]
    pub who: WhoArgs,
    /// What it is for; one of the purposes that the camera is there for: protection-of-property, crime-prevention …
    #[arg(long)]
    pub purpose: Option<Purpose>,
}

/// Who approves that recorded footage leaves the box.
#[derive(Debug, clap::Args)]
pub(super) struct ApproverArgs {
    /// Another person, who may approve what is disclosed of the camera: nothing leaves the box by one person.
    #[arg(long, value_name = "PERSON")]
    approver: Option<String>,
    /// File (mode 0600) with the approver's passphrase. Default: asked for.
    #[arg(long, value_name = "FILE", requires = "approver")]
    approver_passphrase_file: Option<PathBuf>,
    /// File (mode 0600) with the present code of the approver's second factor. Default: asked for.
    #[arg(long, value_name = "FILE", requires = "approver")]
    approver_code_file: Option<PathBuf>,
}

impl ApproverArgs {
    /// What shows whether the approver is who they say: looked up before anybody is asked for a passphrase.
    fn find(&self, client: &mut Client) -> Result<Credentials> {
        let Some(name) = &self.approver else {
            let text = "nothing leaves the box by one person: say with --approver which other one approves it, who then shows \
                        passphrase and code too. What goes to somebody else belongs into a disclosure (sinetti disclosure)";
            return Err(Error::new(Kind::Denied, text));
        };
        credentials(client, Some(name.clone()))
    }

    /// Asks the approver for passphrase and code, and tries them.
    fn prove(&self, found: &Credentials) -> Result<(PersonId, Used)> {
        let passphrase = self.approver_passphrase_file.as_deref();
        let (person, proven) = prove(found, (passphrase, self.approver_code_file.as_deref()))?;
        Ok((person, proven.used))
    }
}

/// Asks the recorder about persons.
///
/// # Errors
/// What it refuses.
pub(super) fn ask(client: &mut Client, ask: PeopleAsk) -> Result<PeopleAnswer> {
    match client.ask(&Ask::People(Box::new(ask)))? {
        Answer::People(answer) => Ok(*answer),
        _ => Err(Error::new(Kind::Internal, "an answer to another question")),
    }
}

/// What shows whether somebody is who they say.
///
/// # Errors
/// For somebody who is not known, or has not enrolled.
pub(super) fn credentials(client: &mut Client, name: Option<String>) -> Result<Credentials> {
    match ask(client, PeopleAsk::Credentials { name })? {
        PeopleAnswer::Credentials(found) => Ok(*found),
        _ => Err(Error::new(Kind::Internal, "an answer to another question")),
    }
}

/// Asks for passphrase and code, and tries them.
///
/// # Errors
/// [`Kind::Denied`] when one is wrong.
pub(super) fn prove(
    found: &Credentials,
    (passphrase_file, code_file): (Option<&Path>, Option<&Path>),
) -> Result<(PersonId, Proven)> {
    let name = &found.keys.name;
    let passphrase = secret::passphrase(passphrase_file, &format!("Passphrase of {name}"), false)?;
    let code = secret::code(code_file, &format!("Code of {name}"))?;
    let keys = credential::keys_of(&found.keys)?;
    let now = SystemClock::shared().wall();
    let proven = credential::prove(&keys, &found.factor, &passphrase, &code, now)?;
    Ok((keys.person, proven))
}

/// What a person does about holds and shortenings, once they have shown who they are.
///
/// # Errors
/// [`Kind::Denied`] when passphrase or code is wrong.
pub(super) fn keeping(client: &mut Client, args: &WhoArgs, act: KeepingAct) -> Result<KeepingAsk> {
    let found = credentials(client, args.person.clone())?;
    let (person, proven) = prove(&found, args.files())?;
    Ok(KeepingAsk::Act {
        person,
        used: proven.used,
        console: who(),
        act: Box::new(act),
    })
}

/// Somebody who showed passphrase and code, and whom the recorder has not been told of yet.
pub(super) struct Shown {
    found: Credentials,
    person: PersonId,
    proven: Proven,
}

/// Asks who acts, for passphrase and code.
///
/// # Errors
/// [`Kind::Denied`] when passphrase or code is wrong.
pub(super) fn show(client: &mut Client, args: &WhoArgs) -> Result<Shown> {
    let found = credentials(client, args.person.clone())?;
    let (person, proven) = prove(&found, args.files())?;
    Ok(Shown {
        found,
        person,
        proven,
    })
}

impl Shown {
    /// Who.
    pub(super) const fn person(&self) -> PersonId {
        self.person
    }

    /// Their user name.
    pub(super) fn name(&self) -> &str {
        &self.found.keys.name
    }

    /// The vault generations that the person holds, opened.
    ///
    /// # Errors
    /// [`Kind::Denied`] when there are none.
    pub(super) fn opened(&self) -> Result<Vec<(Generation, Identity)>> {
        opened(&self.found, &self.proven)
    }

    /// What the person does about a disclosure.
    pub(super) fn disclosure(&self, config: &Config, act: DisclosureAct) -> DisclosureAsk {
        let cameras = config.cameras.iter();
        DisclosureAsk {
            person: self.person,
            used: self.proven.used,
            console: who(),
            zone: config.site.zone.name().to_owned(),
            after_release_s: config.retention.after_release_secs,
            names: cameras.map(|c| (c.id.clone(), c.name.clone())).collect(),
            act,
        }
    }
}

/// Checks the purpose; every act has one.
///
/// # Errors
/// When there is none, or the camera is not there for it.
pub(super) fn purpose(args: &PersonArgs, config: &Config, camera: &CameraId) -> Result<Purpose> {
    let of_camera = config.camera(camera).map_or(Purpose::ALL, |c| &c.purposes);
    let list = || {
        let texts: Vec<_> = of_camera.iter().map(|p| p.as_str()).collect();
        texts.join(", ")
    };
    match args.purpose {
        Some(purpose) if of_camera.contains(&purpose) => Ok(purpose),
        Some(purpose) => Err(Error::new(
            Kind::Denied,
            format!("{camera} is not there for {purpose}, but for: {}", list()),
        )),
        None => Err(Error::invalid(format!(
            "recorded footage is opened for a purpose; say --purpose with one of: {}",
            list()
        ))),
    }
}

/// Somebody who may do it, has used up a code for it, and whose intent is written.
pub(super) struct Begun {
    /// Who.
    pub person: PersonId,
    /// What the person opens.
    pub keys: KeyRing,
    /// What the outcome's event is.
    pub ended: Phase,
}

/// Begins an act on footage of `camera`: `event` is its intent. An `approver` shows who they are after the person.
///
/// # Errors
/// [`Kind::Denied`] when a passphrase or a code is wrong, or one of them may not; then nothing was opened.
pub(super) fn begin(
    client: &mut Client,
    (args, approver): (&PersonArgs, Option<&ApproverArgs>),
    (camera, hold): (&CameraId, Option<HoldId>),
    event: impl FnOnce(PersonId) -> Event,
) -> Result<Begun> {
    let found = credentials(client, args.who.person.clone())?;
    let second = approver.map(|args| Ok::<_, Error>((args, args.find(client)?)));
    let second = second.transpose()?;
    let (person, proven) = prove(&found, args.who.files())?;
    let second = second.map(|(args, found)| args.prove(&found)).transpose()?;
    let mut event = event(person);
    event.detail = Some(json!({ "name": found.keys.name, "console": who() }));
    let (action, object) = (event.action.clone(), event.object.clone());
    let begin = PeopleAsk::Begin {
        person,
        used: proven.used,
        approver: second,
        camera: camera.clone(),
        hold,
        event: Box::new(event),
    };
    let PeopleAnswer::Begun { seq } = ask(client, begin)? else {
        return Err(Error::new(Kind::Internal, "an answer to another question"));
    };
    let mut begun = Begun {
        person,
        keys: KeyRing::default(),
        ended: Phase::Ended { of: seq },
    };
    match ring(&found, &proven) {
        Ok(keys) => {
            begun.keys = keys;
            Ok(begun)
        }
        Err(e) => {
            begun.failed(client, &action, &object)?;
            Err(e)
        }
    }
}

/// What the person opens.
fn ring(found: &Credentials, proven: &Proven) -> Result<KeyRing> {
    let opened = Opened::of(opened(found, proven)?);
    Ok(KeyRing::of_opener(Arc::new(opened)))
}

/// The generations that the person holds, opened.
fn opened(found: &Credentials, proven: &Proven) -> Result<Vec<(Generation, Identity)>> {
    let mut all = Vec::new();
    for wrap in &found.wraps {
        let row = found
            .generations
            .iter()
            .find(|g| g.generation == wrap.generation);
        if let Some(row) = row {
            let public = keys::public(row)?;
            let opened = generation::open(&public, &wrap.bytes, &proven.identity)?;
            all.push((public, opened));
        }
    }
    if all.is_empty() {
        let text = format!(
            "{} holds no vault generation and opens no footage",
            found.keys.name
        );
        return Err(Error::new(Kind::Denied, text));
    }
    Ok(all)
}

impl Begun {
    /// Number of the entry with the intent.
    pub(super) const fn intent(&self) -> Option<u64> {
        match self.ended {
            Phase::Ended { of } => Some(of),
            Phase::Whole | Phase::Begun => None,
        }
    }

    /// Writes that nothing was handed out after all: an intent has an outcome.
    ///
    /// # Errors
    /// When it cannot be written; then the act is closed as interrupted at the next start.
    pub(super) fn failed(&self, client: &mut Client, action: &str, object: &str) -> Result<()> {
        let event = Event {
            actor: self.person.to_string(),
            result: "failed".to_owned(),
            phase: self.ended,
            ..Event::of_box(SystemClock::shared().wall(), action, object, json!({}))
        };
        client.note(event).map(drop)
    }
}
