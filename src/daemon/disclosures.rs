//! What persons do with disclosures at the console, answered alike by the daemon and by a command while none runs; packages by the
//! daemon alone, since it makes them.

mod packages;
mod papers;

pub use packages::{GivenPart, Making, may_give, progress};

use std::path::Path;

use serde_json::{Value, json};

use crate::access::credential::Used;
use crate::access::{Directory, Right};
use crate::base::error::{Error, Kind, Result};
use crate::base::id::{BoxId, CameraId, DisclosureId, PersonId};
use crate::base::time::{Span, Wall};
use crate::base::zone::Zone;
use crate::catalog::{
    Catalog, Change, DisclosureFilter, DisclosureKind, DisclosureRow, Event, Reader, ReviewRow,
    Serial, StepRow,
};
use crate::config::{Catalogue, Config};
use crate::daemon::{keeping, people};
use crate::disclosure::act::{By, Desk, right_to_decide};
use crate::disclosure::decide::Decision;
use crate::disclosure::form::Form;
use crate::disclosure::hand_over::HandOver;
use crate::disclosure::packages::PackageState;
use crate::disclosure::papers::Format;
use crate::disclosure::register;
use crate::disclosure::snap::Snap;
use crate::footage::Footage;
use crate::ledger::checkpoint::Key;
use crate::recorder::board::Board;
use crate::retention::reading;
use crate::vault::transit::Handed;

/// Disclosures of one answer.
const ROWS_MAX: u32 = 200;

/// What a person does who showed password and code.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct DisclosureAsk {
    /// Who.
    pub person: PersonId,
    /// The code, which is used up.
    pub used: Used,
    /// Who at the console, as far as it is known.
    pub console: String,
    /// The site's zone, by its name.
    pub zone: String,
    /// What a hold held is kept so long after it, in seconds.
    pub after_release_s: u32,
    /// Names of cameras, by their ids.
    pub names: Vec<(CameraId, String)>,
    /// What.
    pub act: DisclosureAct,
}

/// Which disclosure: by its number in addresses, or its serial number.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Named {
    /// Eight digits.
    Number(DisclosureId),
    /// `2026-0042`.
    Serial(Serial),
}

impl std::str::FromStr for Named {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        text.parse()
            .map(Self::Serial)
            .or_else(|_: Error| text.parse().map(Self::Number))
            .map_err(|_: Error| {
                Error::invalid(format!(
                    "\"{text}\" is no disclosure: give 2026-0042, or its eight digits"
                ))
            })
    }
}

/// What is done.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", tag = "act")]
pub enum DisclosureAct {
    /// Lists those that the person may know of, the newest first.
    List {
        /// Which. A person is named by user name or id.
        filter: Box<DisclosureFilter>,
    },
    /// Looks at one.
    Show {
        /// Which.
        named: Named,
    },
    /// Asks for one.
    Request {
        /// What it is.
        kind: DisclosureKind,
        /// Its fields.
        form: Box<Form>,
    },
    /// Approves or refuses one.
    Decide {
        /// Which.
        named: Named,
        /// What.
        decision: Decision,
        /// Why.
        reason: String,
    },
    /// Takes one back.
    Withdraw {
        /// Which.
        named: Named,
        /// Why.
        reason: String,
    },
    /// Notes that it was handed over.
    HandOver {
        /// Which.
        named: Named,
        /// How.
        how: Box<HandOver>,
    },
    /// Notes that the receipt is confirmed.
    Receive {
        /// Which.
        named: Named,
        /// How.
        how: String,
    },
    /// Notes that the house's own copies are destroyed.
    Destroy {
        /// Which.
        named: Named,
        /// How.
        how: String,
    },
    /// Begins to make its package.
    Prepare {
        /// Which.
        named: Named,
        /// What the person opens, and the package's passphrase, for the recorder alone.
        handed: Box<Handed>,
    },
    /// How far its package is.
    Package {
        /// Which.
        named: Named,
    },
    /// Stops the making of its package.
    Cancel {
        /// Which.
        named: Named,
    },
    /// Begins to hand its package out: the ledger has each part before the first byte.
    Download {
        /// Which.
        named: Named,
    },
    /// The handover document as its record is now.
    Paper {
        /// Which.
        named: Named,
        /// What it is written in: `fi`, `sv`, `en`; left out, what the record says.
        language: Option<String>,
    },
    /// The register, taken away.
    Register {
        /// Which. A person is named by user name or id.
        filter: Box<DisclosureFilter>,
        /// As what.
        format: Format,
    },
}

impl DisclosureAct {
    /// The right that it needs; of a decision that of the kind, which is looked at when it is found.
    const fn right(&self) -> Right {
        match self {
            Self::List { .. } | Self::Show { .. } | Self::Paper { .. } | Self::Register { .. } => {
                Right::Records
            }
            Self::Request { .. }
            | Self::Withdraw { .. }
            | Self::Package { .. }
            | Self::Cancel { .. } => Right::Ask,
            Self::Decide { .. } => Right::Approve,
            Self::HandOver { .. }
            | Self::Receive { .. }
            | Self::Destroy { .. }
            | Self::Prepare { .. }
            | Self::Download { .. } => Right::HandOut,
        }
    }
}

/// An answer.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", tag = "about")]
pub enum DisclosureAnswer {
    /// Disclosures.
    List {
        /// The newest first.
        rows: Vec<DisclosureRow>,
        /// How many were searched.
        searched: u64,
        /// How many fit.
        found: u64,
        /// Entries of the ledger that do not agree with what is listed.
        wrong: Vec<u64>,
    },
    /// One.
    One {
        /// It.
        row: Box<DisclosureRow>,
        /// What was done with it.
        steps: Vec<StepRow>,
        /// What auditors said of it.
        reviews: Vec<ReviewRow>,
    },
    /// Its package.
    Package {
        /// Of which disclosure.
        disclosure: DisclosureId,
        /// How far it is; none: none was made.
        state: Option<Box<PackageState>>,
    },
    /// Parts that may be given now, each with its intent in the ledger.
    Parts {
        /// All of them.
        parts: Vec<GivenPart>,
    },
    /// A document.
    Document {
        /// Its bytes, in base64.
        base64: String,
    },
}

/// Where it is done.
pub struct Place<'a> {
    /// The state folder.
    pub dir: &'a Path,
    /// This box.
    pub box_id: BoxId,
    /// What is being written; `None`: no recorder runs.
    pub board: Option<&'a Board>,
    /// The time of day that is believed.
    pub believed: &'a dyn Fn(&Reader) -> Result<Wall>,
    /// The configuration in force.
    pub config: &'a dyn Fn() -> Result<Config>,
    /// The key with which the ledger signs.
    pub key: &'a dyn Fn() -> Result<Key>,
    /// What makes packages; `None`: no recorder runs, or it makes none.
    pub making: Option<Making<'a>>,
}

/// Does what a person does. Whoever may not has used up a code all the same, and the ledger says so.
///
/// # Errors
/// [`Kind::Denied`] for what the person may not; what the act says.
pub fn act(
    catalog: &Catalog,
    place: &Place<'_>,
    ask: &DisclosureAsk,
    now: Wall,
) -> Result<DisclosureAnswer> {
    let reader = catalog.reader()?;
    let directory = Directory::read(&reader)?;
    let standing = directory
        .get(ask.person)
        .ok_or_else(|| Error::new(Kind::Denied, "the person is not known"))?;
    let right = match &ask.act {
        DisclosureAct::Decide { named, .. } => right_to_decide(found(&reader, *named)?.kind),
        act => act.right(),
    };
    let code = Change::from(ask.used.by(ask.person, now));
    let told = |result: &str, facts: Value| Event {
        actor: ask.person.to_string(),
        result: result.to_owned(),
        detail: Some(json!({ "name": standing.account.name, "console": ask.console })),
        ..Event::of_box(now, "disclosure-console", "disclosures", facts)
    };
    let facts = json!({ "right": right.as_str() });
    let scope = match people::may(standing, right, now) {
        Ok(scope) => scope,
        Err(why) => {
            catalog.commit(code, told("refused", facts))?;
            return Err(why);
        }
    };
    // The code is used up by an entry of its own: what follows may be refused for what it says.
    catalog.commit(code, told("ok", facts))?;
    let detail = json!({ "name": standing.account.name, "console": ask.console });
    let by = keeping::by(standing, &scope, detail);
    let catalogue = Catalogue::load(place.dir)?;
    let desk = Desk {
        catalog,
        catalogue: &catalogue,
        directory: &directory,
        after_release_s: ask.after_release_s,
        now,
    };
    perform(&desk, place, (&by, &reader), ask)
}

fn found(reader: &Reader, named: Named) -> Result<DisclosureRow> {
    let row = match named {
        Named::Number(number) => reader.disclosure(number)?,
        Named::Serial(serial) => reader.disclosure_of(serial)?,
    };
    row.ok_or_else(|| Error::new(Kind::NotFound, "there is no such disclosure"))
}

fn perform(
    desk: &Desk<'_>,
    place: &Place<'_>,
    (by, reader): (&By, &Reader),
    ask: &DisclosureAsk,
) -> Result<DisclosureAnswer> {
    let id = |named: &Named| Ok::<_, Error>(found(reader, *named)?.disclosure);
    let row = match &ask.act {
        DisclosureAct::List { filter } => return list(desk, (by, reader), filter),
        DisclosureAct::Show { named } => {
            let row = found(reader, *named)?;
            let steps = reader.disclosure_steps(row.disclosure)?;
            if !desk.knows(by, &row, &steps) {
                return Err(Error::new(Kind::NotFound, "there is no such disclosure"));
            }
            row
        }
        DisclosureAct::Request { kind, form } => request(desk, place, by, (*kind, form), ask)?,
        DisclosureAct::Decide {
            named,
            decision,
            reason,
        } => desk.decide(by, id(named)?, (*decision, reason))?,
        DisclosureAct::Withdraw { named, reason } => desk.withdraw(by, id(named)?, reason)?,
        DisclosureAct::HandOver { named, how } => desk.hand_over(by, id(named)?, how)?,
        DisclosureAct::Receive { named, how } => desk.receive(by, id(named)?, how)?,
        DisclosureAct::Destroy { named, how } => desk.destroy(by, id(named)?, how)?,
        DisclosureAct::Prepare { named, handed } => {
            let who = (by, ask.person);
            return packages::prepare(desk, place, who, (reader, id(named)?), handed);
        }
        DisclosureAct::Package { named } => {
            return packages::state(desk, place, by, (reader, id(named)?));
        }
        DisclosureAct::Cancel { named } => {
            return packages::cancel(desk, place, by, (reader, id(named)?));
        }
        DisclosureAct::Download { named } => {
            return packages::download(desk, place, by, (reader, id(named)?));
        }
        DisclosureAct::Paper { named, language } => {
            return papers::handover(desk, place, by, (reader, id(named)?), language.as_deref());
        }
        DisclosureAct::Register { filter, format } => {
            return papers::register(desk, place, (by, ask.person), filter, *format);
        }
    };
    Ok(DisclosureAnswer::One {
        steps: reader.disclosure_steps(row.disclosure)?,
        reviews: reader.disclosure_reviews(row.disclosure)?,
        row: Box::new(row),
    })
}

fn list(
    desk: &Desk<'_>,
    (by, reader): (&By, &Reader),
    filter: &DisclosureFilter,
) -> Result<DisclosureAnswer> {
    let filter = desk.known(by, papers::named(desk, filter));
    let page = reader.find_disclosures(&filter, None, ROWS_MAX)?;
    let wrong = register::agreement(reader, &page.rows)?.wrong;
    Ok(DisclosureAnswer::List {
        rows: page.rows,
        searched: page.searched,
        found: page.found,
        wrong,
    })
}

/// A draft and its request at once; what is refused leaves no draft.
fn request(
    desk: &Desk<'_>,
    place: &Place<'_>,
    by: &By,
    (kind, form): (DisclosureKind, &Form),
    ask: &DisclosureAsk,
) -> Result<DisclosureRow> {
    let zone = Zone::named(&ask.zone)?;
    let reader = desk.catalog.reader()?;
    if let Some(hold) = form.hold {
        reading::check(&reader, by, hold, desk.now)?;
    }
    let snaps = Snap {
        footage: Footage {
            reader: &reader,
            board: place.board,
            believed: (place.believed)(&reader)?,
            hold: form.hold,
        },
        box_id: place.box_id,
        now: desk.now,
    };
    let snap = |camera: &CameraId, span: Span| {
        let name = ask.names.iter().find(|(id, _)| id == camera);
        let name = name.map_or(camera.as_str(), |(_, name)| name.as_str());
        snaps.camera(camera, name, span).map(|found| found.camera)
    };
    let draft = desk.draft(by, kind, form.clone())?;
    let of = (draft.disclosure, draft.version);
    match desk.request(by, of, zone, &snap) {
        Ok(row) => Ok(row),
        Err(refused) => {
            desk.discard(by, draft.disclosure)?;
            Err(refused.into())
        }
    }
}
