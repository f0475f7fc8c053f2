//! What commands ask about holds and about times that are shortened, answered alike by the daemon and by a command while none runs.

use serde_json::json;

use crate::access::credential::Used;
use crate::access::directory::Scope;
use crate::access::{Directory, Right, Standing};
use crate::base::error::{Error, Kind, Result};
use crate::base::id::{HoldId, PersonId};
use crate::base::time::Wall;
use crate::catalog::{Catalog, Change, Event, HoldRow, Reader, ShorteningRow};
use crate::daemon::people;
use crate::retention::hold::{self, By, Extension, NewHold};
use crate::retention::outlook::{self, Amount};
use crate::retention::shorten;

/// A question.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", tag = "about")]
pub enum KeepingAsk {
    /// The holds that are not secret.
    Holds,
    /// What a person does who showed password and code.
    Act {
        /// Who.
        person: PersonId,
        /// The code, which is used up.
        used: Used,
        /// Who at the console, as far as it is known.
        console: String,
        /// What.
        act: Box<KeepingAct>,
    },
}

/// What a person does.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", tag = "act")]
pub enum KeepingAct {
    /// Lists the holds that the person may know of.
    List,
    /// Looks at one.
    Show {
        /// Which.
        hold: HoldId,
    },
    /// Places one.
    Place {
        /// It.
        new: NewHold,
    },
    /// Stands behind one.
    Review {
        /// Which.
        hold: HoldId,
        /// What was found.
        note: String,
        /// By when it is looked at again.
        next: Option<Wall>,
    },
    /// Extends one.
    Extend {
        /// Which.
        hold: HoldId,
        /// How.
        how: Extension,
    },
    /// Releases one.
    Release {
        /// Which.
        hold: HoldId,
        /// Why.
        reason: String,
        /// Seconds for which what it held is kept.
        after_s: u32,
    },
    /// Confirms that footage is kept for a shorter time.
    Shorten {
        /// The number of the shortening.
        number: u64,
    },
}

impl KeepingAct {
    /// The right that it needs.
    pub const fn right(&self) -> Right {
        match self {
            Self::List | Self::Show { .. } => Right::SeeHolds,
            Self::Place { .. } => Right::PlaceHold,
            Self::Review { .. } => Right::ReviewHold,
            Self::Extend { .. } => Right::ExtendHold,
            Self::Release { .. } => Right::Decide,
            Self::Shorten { .. } => Right::Approve,
        }
    }
}

/// An answer.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", tag = "about")]
pub enum KeepingAnswer {
    /// Holds.
    Holds {
        /// Each that may be known of.
        holds: Vec<HoldRow>,
        /// How many more there are, for whom that is to be known.
        secret: u64,
    },
    /// A hold.
    Hold {
        /// It.
        hold: Box<HoldRow>,
        /// What it holds so far.
        amount: Amount,
    },
    /// A shortening.
    Shortening(Box<ShorteningRow>),
}

/// True for what changes something, if only a code that is used up.
pub fn is_act(ask: &KeepingAsk) -> bool {
    matches!(ask, KeepingAsk::Act { .. })
}

/// Who acts, by what.
pub fn by(standing: &Standing, scope: &Scope, detail: serde_json::Value) -> By {
    By {
        person: standing.account.person.to_string(),
        role: scope.role,
        cameras: scope.cameras.clone(),
        detail,
        with: Vec::new(),
    }
}

/// Answers what only reads.
///
/// # Errors
/// What the catalog says.
pub fn from_reader(reader: &Reader, ask: &KeepingAsk, _now: Wall) -> Result<KeepingAnswer> {
    match ask {
        KeepingAsk::Holds => {
            let mut holds = reader.holds()?;
            holds.retain(|hold| !hold.kind.is_secret());
            Ok(KeepingAnswer::Holds { holds, secret: 0 })
        }
        KeepingAsk::Act { .. } => Err(Error::new(Kind::Internal, "a reader cannot write")),
    }
}

/// Does what a person does. Whoever may not has used up a code all the same, and the ledger says so.
///
/// # Errors
/// [`Kind::Denied`] for what the person may not; what the act says.
pub fn act(catalog: &Catalog, ask: &KeepingAsk, now: Wall) -> Result<KeepingAnswer> {
    let KeepingAsk::Act {
        person,
        used,
        console,
        act,
    } = ask
    else {
        return from_reader(&catalog.reader()?, ask, now);
    };
    let directory = Directory::read(&catalog.reader()?)?;
    let standing = directory
        .get(*person)
        .ok_or_else(|| Error::new(Kind::Denied, "the person is not known"))?;
    let code = Change::from(used.by(*person, now));
    let scope = match people::may(standing, act.right(), now) {
        Ok(scope) => scope,
        Err(why) => {
            let facts = json!({ "right": act.right().as_str() });
            let refused = Event {
                actor: person.to_string(),
                result: "refused".to_owned(),
                ..Event::of_box(now, "hold", "holds", facts)
            };
            catalog.commit(code, refused)?;
            return Err(why);
        }
    };
    let detail = json!({ "name": standing.account.name, "console": console });
    let mut by = by(standing, &scope, detail);
    if !matches!(**act, KeepingAct::List | KeepingAct::Show { .. }) {
        by.with.push(code.clone());
    }
    let is_controller = |id: &str| directory.is_controller(id, now);
    match &**act {
        KeepingAct::List | KeepingAct::Show { .. } => {
            let event = Event {
                actor: by.person.clone(),
                detail: Some(by.detail.clone()),
                ..Event::of_box(now, "holds-seen", "holds", json!({}))
            };
            catalog.commit(code, event)?;
            look(&catalog.reader()?, &by, act)
        }
        KeepingAct::Shorten { number } => {
            shorten::confirm(catalog, &by, *number, is_controller, now)
                .map(|row| KeepingAnswer::Shortening(Box::new(row)))
        }
        _ => {
            let row = change(catalog, &by, act, now)?;
            let amount = outlook::amount(&catalog.reader()?, &row)?;
            let hold = Box::new(row);
            Ok(KeepingAnswer::Hold { hold, amount })
        }
    }
}

fn look(reader: &Reader, by: &By, act: &KeepingAct) -> Result<KeepingAnswer> {
    match act {
        KeepingAct::Show { hold } => {
            let found = reader.hold(*hold)?.filter(|row| by.sees(row));
            let row = found
                .ok_or_else(|| Error::new(Kind::NotFound, format!("there is no hold {hold}")))?;
            let amount = outlook::amount(reader, &row)?;
            let hold = Box::new(row);
            Ok(KeepingAnswer::Hold { hold, amount })
        }
        _ => {
            let all = reader.holds()?;
            let secret = by.counts_secret(&all);
            let holds = all.into_iter().filter(|hold| by.sees(hold)).collect();
            Ok(KeepingAnswer::Holds { holds, secret })
        }
    }
}

fn change(catalog: &Catalog, by: &By, act: &KeepingAct, now: Wall) -> Result<HoldRow> {
    match act {
        KeepingAct::Place { new } => hold::place(catalog, by, new.clone(), now),
        KeepingAct::Review { hold, note, next } => {
            hold::review(catalog, by, *hold, (note, *next), now)
        }
        KeepingAct::Extend { hold, how } => hold::extend(catalog, by, *hold, how, now),
        KeepingAct::Release {
            hold,
            reason,
            after_s,
        } => hold::release(catalog, by, *hold, (reason, *after_s), now),
        _ => Err(Error::new(Kind::Internal, "another act")),
    }
}
