//! Changing persons and rights: by an administrator in a session, or at the console. Each act is checked here, whoever asks,
//! and leaves an event in the same commit.

use serde_json::{Value, json};

use crate::access::directory::{Directory, Standing};
use crate::access::review::had_controller;
use crate::access::role::{Reach, Right, Role, acts, allows, go_together};
use crate::access::terms::{check_name, check_text, check_undertaking, check_validity};
use crate::access::token::EnrolmentToken;
use crate::access::{Access, Authorised, Refusal};
use crate::base::error::{Error, Kind, Result};
use crate::base::hash::Digest;
use crate::base::id::PersonId;
use crate::base::time::Wall;
use crate::catalog::{
    AccountRow, Cameras, Catalog, Change, EnrolmentKind, EnrolmentRow, Event, GrantRow, Language,
    Noted, PeopleChange, Reader, Undertaking, Validity,
};

/// An enrolment is open for so long, in microseconds: 7 days.
pub const ENROLMENT_US: i64 = 7 * 86_400_000_000;
/// Persons of one box, removed ones too.
pub const PERSONS_MAX: usize = 1000;
/// The longest name as people read it, in characters.
const DISPLAY_CHARS_MAX: usize = 80;

/// Who acts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Actor {
    /// Somebody at the console of the box, who is root or the service's own user.
    Console {
        /// Who, as far as the system knows.
        by: String,
    },
    /// A person.
    Person {
        /// Who.
        person: PersonId,
        /// From where, and the like: may be erased.
        detail: Value,
    },
}

impl Actor {
    /// The actor of events, and of grants.
    pub fn id(&self) -> String {
        match self {
            Self::Console { .. } => "console".to_owned(),
            Self::Person { person, .. } => person.to_string(),
        }
    }

    fn detail(&self) -> Value {
        match self {
            Self::Console { by } => json!({ "by": by }),
            Self::Person { detail, .. } => detail.clone(),
        }
    }
}

/// A role to be granted.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct NewGrant {
    /// What the person shall be.
    pub role: Role,
    /// Which cameras it shall reach; of roles that have no own cameras it is always all.
    pub cameras: Cameras,
    /// A manager who may approve disclosures.
    pub approves: bool,
    /// First instant after; `None`: no end is set. Maintenance has one: the job ends.
    pub until: Option<Wall>,
}

/// What to change.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", tag = "act")]
pub enum PeopleAct {
    /// A new person, who enrols with the token of `enrolment`.
    Add {
        /// Personal user name.
        name: String,
        /// Name as people read it.
        display: String,
        /// What the person reads.
        language: Language,
        /// The undertaking that was signed, if it was.
        undertaking: Option<Undertaking>,
        /// When the person may sign in.
        valid: Validity,
        /// The first role.
        grant: NewGrant,
        /// Hash of the one-time token.
        enrolment: Digest,
    },
    /// A further role.
    Grant {
        /// To whom.
        name: String,
        /// Which.
        grant: NewGrant,
    },
    /// Takes one role, or everything for good.
    Revoke {
        /// From whom.
        name: String,
        /// Which; `None`: everything, and the person is removed.
        role: Option<Role>,
    },
    /// A new password and second factor, or the factor alone, by a one-time token. What was set before does not count from
    /// now on, and vault and approval rights rest until a controller confirms.
    Reset {
        /// Whose.
        name: String,
        /// The password, and the keys with it, stay.
        factor_only: bool,
        /// Hash of the one-time token.
        enrolment: Digest,
    },
    /// The undertaking that counts from now on; `None`: it was withdrawn.
    Undertaking {
        /// Whose.
        name: String,
        /// Which.
        undertaking: Option<Undertaking>,
    },
    /// From when until when the person may sign in.
    Validity {
        /// Who.
        name: String,
        /// When.
        valid: Validity,
    },
    /// What the person reads.
    Language {
        /// Who.
        name: String,
        /// Which.
        language: Language,
    },
    /// Somebody has looked at what the person may, and found it right.
    Review {
        /// Who was looked at.
        name: String,
    },
}

impl PeopleAct {
    /// The personal user name that it is about.
    pub fn name(&self) -> &str {
        match self {
            Self::Add { name, .. }
            | Self::Grant { name, .. }
            | Self::Revoke { name, .. }
            | Self::Reset { name, .. }
            | Self::Undertaking { name, .. }
            | Self::Validity { name, .. }
            | Self::Language { name, .. }
            | Self::Review { name } => name,
        }
    }
}

/// The changes of an act, and its event.
struct Plan {
    changes: Vec<Change>,
    action: &'static str,
    facts: Value,
}

fn plan(changes: Vec<PeopleChange>, action: &'static str, facts: Value) -> Plan {
    Plan {
        changes: changes.into_iter().map(Change::from).collect(),
        action,
        facts,
    }
}

/// Does it: changes and event in one commit. The person it is about.
///
/// # Errors
/// [`Kind::Denied`] for one's own rights; [`Kind::Invalid`], [`Kind::NotFound`], [`Kind::Exists`] for what cannot be; what
/// the catalog says. Nothing was changed then.
pub fn perform(catalog: &Catalog, act: &PeopleAct, actor: &Actor, now: Wall) -> Result<PersonId> {
    let reader = catalog.reader()?;
    let directory = Directory::read(&reader)?;
    let (person, plan) = match act {
        PeopleAct::Add { .. } => {
            let person = PersonId::random();
            (person, add(&reader, &directory, act, person, actor, now)?)
        }
        _ => {
            let standing = directory.named(act.name()).ok_or_else(|| {
                Error::new(
                    Kind::NotFound,
                    format!("there is no person \"{}\"", act.name()),
                )
            })?;
            let person = standing.account.person;
            if matches!(actor, Actor::Person { person: own, .. } if *own == person) {
                let text = "nobody changes their own rights; another administrator does";
                return Err(Error::new(Kind::Denied, text));
            }
            (
                person,
                of_known(&reader, &directory, standing, act, actor, now)?,
            )
        }
    };
    let mut detail = json!({ "name": act.name() });
    if let PeopleAct::Add { undertaking, .. } | PeopleAct::Undertaking { undertaking, .. } = act {
        detail["undertaking"] = json!(undertaking.as_ref().map(|u| &u.version));
    }
    if let (Value::Object(all), Value::Object(more)) = (&mut detail, actor.detail()) {
        all.extend(more);
    }
    let event = Event {
        actor: actor.id(),
        detail: Some(detail),
        ..Event::of_box(now, plan.action, person, plan.facts)
    };
    catalog.commit(plan.changes, event)?;
    Ok(person)
}

/// Facts stay for good, and somebody may have typed a name: the text itself is in the detail, which can be erased.
fn digest_of(undertaking: &Undertaking) -> String {
    Digest::sha256(&[undertaking.version.as_bytes()]).to_string()
}

fn add(
    reader: &Reader,
    directory: &Directory,
    act: &PeopleAct,
    person: PersonId,
    actor: &Actor,
    now: Wall,
) -> Result<Plan> {
    let PeopleAct::Add {
        name,
        display,
        language,
        undertaking,
        valid,
        grant,
        enrolment,
    } = act
    else {
        return Err(Error::new(Kind::Internal, "another act"));
    };
    check_name(name)?;
    check_text(display, "name", DISPLAY_CHARS_MAX)?;
    check_undertaking(undertaking.as_ref())?;
    check_validity(*valid)?;
    if directory.iter().count() >= PERSONS_MAX {
        return Err(Error::new(
            Kind::Full,
            format!("{PERSONS_MAX} persons are known already"),
        ));
    }
    if directory.named(name).is_some() {
        let text =
            format!("\"{name}\" is, or was, somebody's name; personal user names are never shared");
        return Err(Error::new(Kind::Exists, text));
    }
    let account = AccountRow {
        person,
        name: name.clone(),
        display: display.clone(),
        language: *language,
        undertaking: undertaking.clone(),
        valid: *valid,
        added: now,
        removed: None,
        reviewed: None,
        signed_in: None,
    };
    let row = granted(reader, &[], grant, person, actor, now)?;
    let facts = json!({
        "role": row.role, "cameras": row.cameras, "until": row.until, "confirmed": row.confirmed.is_some(),
        "undertaking": undertaking.as_ref().map(digest_of),
    });
    let changes = vec![
        PeopleChange::Added(Box::new(account)),
        PeopleChange::Granted(Box::new(row)),
        offered(person, EnrolmentKind::New, *enrolment, now),
    ];
    Ok(plan(changes, "person-added", facts))
}

fn of_known(
    reader: &Reader,
    directory: &Directory,
    standing: &Standing,
    act: &PeopleAct,
    actor: &Actor,
    now: Wall,
) -> Result<Plan> {
    let person = standing.account.person;
    if standing.account.removed.is_some() {
        let text = format!(
            "\"{}\" was removed; add the person under another user name",
            standing.account.name
        );
        return Err(Error::invalid(text));
    }
    match act {
        PeopleAct::Add { .. } => Err(Error::new(Kind::Internal, "somebody known is not added")),
        PeopleAct::Grant { grant, .. } => {
            let row = granted(reader, &standing.grants, grant, person, actor, now)?;
            let facts = json!({
                "role": row.role, "cameras": row.cameras, "until": row.until, "confirmed": row.confirmed.is_some(),
            });
            // In place of one that is over, or reaches other cameras.
            let before = standing.grants.iter().filter(|g| g.role == row.role);
            let mut changes: Vec<_> = before
                .map(|g| PeopleChange::Ended {
                    grant: g.number,
                    at: now,
                })
                .collect();
            changes.push(PeopleChange::Granted(Box::new(row)));
            Ok(plan(changes, "role-granted", facts))
        }
        PeopleAct::Revoke { role, .. } => revoke(standing, *role, now),
        PeopleAct::Reset {
            factor_only,
            enrolment,
            ..
        } => reset(reader, standing, *factor_only, *enrolment, actor, now),
        PeopleAct::Undertaking { undertaking, .. } => {
            signed(reader, standing, undertaking.as_ref(), actor, now)
        }
        PeopleAct::Validity { valid, .. } => {
            check_validity(*valid)?;
            let facts = json!({ "from": valid.from, "until": valid.until });
            let mut changes = vec![PeopleChange::Validity(person, *valid)];
            changes.extend(revived(reader, standing, actor, now)?);
            Ok(plan(changes, "validity-changed", facts))
        }
        PeopleAct::Language { language, .. } => {
            let change = PeopleChange::Language(person, *language);
            Ok(plan(
                vec![change],
                "language-changed",
                json!({ "language": language }),
            ))
        }
        PeopleAct::Review { .. } => {
            let roles: Vec<_> = standing.roles(now).into_iter().collect();
            let facts = json!({ "roles": roles, "persons": directory.iter().count() });
            let change = PeopleChange::Noted(person, Noted::Reviewed, now);
            Ok(plan(vec![change], "access-reviewed", facts))
        }
    }
}

fn signed(
    reader: &Reader,
    standing: &Standing,
    undertaking: Option<&Undertaking>,
    actor: &Actor,
    now: Wall,
) -> Result<Plan> {
    check_undertaking(undertaking)?;
    let facts = json!({
        "version": undertaking.map(digest_of),
        "signed": undertaking.map(|u| u.signed),
        "until": undertaking.and_then(|u| u.until),
    });
    let action = match undertaking {
        Some(_) => "undertaking-signed",
        None => "undertaking-withdrawn",
    };
    let person = standing.account.person;
    let mut changes = vec![PeopleChange::Undertaking(person, undertaking.cloned())];
    changes.extend(revived(reader, standing, actor, now)?);
    Ok(plan(changes, action, facts))
}

fn revoke(standing: &Standing, role: Option<Role>, now: Wall) -> Result<Plan> {
    let person = standing.account.person;
    let taken: Vec<_> = standing
        .grants
        .iter()
        .filter(|g| role.is_none_or(|role| g.role == role))
        .collect();
    if let (Some(role), true) = (role, taken.is_empty()) {
        let text = format!("\"{}\" is not {role}", standing.account.name);
        return Err(Error::new(Kind::NotFound, text));
    }
    let mut changes: Vec<_> = taken
        .iter()
        .map(|g| PeopleChange::Ended {
            grant: g.number,
            at: now,
        })
        .collect();
    let opens = standing
        .grants
        .iter()
        .filter(|g| g.is_in_force(now) && g.confirmed.is_some())
        .any(|g| g.role.opens_vault() && role.is_some_and(|role| g.role != role));
    if !opens {
        changes.push(PeopleChange::WrapsDropped(person));
    }
    if role.is_none() {
        changes.push(PeopleChange::Withdrawn(person, now));
        changes.push(PeopleChange::FactorDropped(person));
        changes.push(PeopleChange::KeysDropped(person));
        changes.push(PeopleChange::Noted(person, Noted::Removed, now));
    }
    let roles: Vec<_> = taken.iter().map(|g| g.role).collect();
    let action = match role {
        Some(_) => "role-revoked",
        None => "person-removed",
    };
    Ok(plan(changes, action, json!({ "roles": roles })))
}

fn reset(
    reader: &Reader,
    standing: &Standing,
    factor_only: bool,
    enrolment: Digest,
    actor: &Actor,
    now: Wall,
) -> Result<Plan> {
    let person = standing.account.person;
    let has_factor = reader.factor(person)?.is_some();
    if factor_only && !standing.has_keys {
        let text = format!(
            "\"{}\" has no passphrase yet; reset both",
            standing.account.name
        );
        return Err(Error::invalid(text));
    }
    let kind = if factor_only {
        EnrolmentKind::Factor
    } else {
        EnrolmentKind::New
    };
    let mut changes = vec![
        PeopleChange::FactorDropped(person),
        offered(person, kind, enrolment, now),
    ];
    if !factor_only {
        changes.push(PeopleChange::KeysDropped(person));
    }
    // At the console, who never had a factor loses none: a first one is no reset. Nor is a first enrolment made anew. An
    // administrator who makes one anew could enrol in the place of whom it is for.
    let rests =
        matches!(actor, Actor::Person { .. }) || has_factor || (standing.has_keys && !factor_only);
    if rests {
        changes.push(PeopleChange::Rested(person));
    }
    let facts = json!({ "kind": kind, "rests": rests });
    Ok(plan(changes, "person-reset", facts))
}

/// Whose rights were over by lapse of time gets back what they opened from a controller, not from whoever moves the date.
/// Who never opened anything has nothing to get back: at the console a first undertaking may be noted after the enrolment.
fn revived(
    reader: &Reader,
    standing: &Standing,
    actor: &Actor,
    now: Wall,
) -> Result<Option<PeopleChange>> {
    let person = standing.account.person;
    let over = standing.has_keys && standing.check(now).is_err();
    let by_person = matches!(actor, Actor::Person { .. });
    let rests = over && (by_person || reader.ever_held(person)?);
    Ok(rests.then_some(PeopleChange::Rested(person)))
}

fn offered(person: PersonId, kind: EnrolmentKind, hash: Digest, now: Wall) -> PeopleChange {
    PeopleChange::Offered(EnrolmentRow {
        hash,
        person,
        kind,
        created: now,
        expires: now.plus_us(ENROLMENT_US),
    })
}

/// The row of a grant, if it may be given.
fn granted(
    reader: &Reader,
    held: &[GrantRow],
    grant: &NewGrant,
    person: PersonId,
    actor: &Actor,
    now: Wall,
) -> Result<GrantRow> {
    let role = grant.role;
    let others = held.iter().filter(|g| g.is_in_force(now) && g.role != role);
    for other in others {
        if !go_together(role, other.role) {
            let text = format!(
                "{role} and {} do not go together in one person; take the other role first",
                other.role
            );
            return Err(Error::invalid(text));
        }
    }
    if role == Role::Maintenance && grant.until.is_none() {
        return Err(Error::invalid(
            "maintenance ends with its job; say until when",
        ));
    }
    if grant.until.is_some_and(|until| until <= now) {
        return Err(Error::invalid("the end lies in the past"));
    }
    if grant.approves && allows(role, Right::Approve) == Reach::None {
        return Err(Error::invalid(format!("{role} approves nothing")));
    }
    let scoped = allows(role, Right::Live) == Reach::OwnCameras;
    let cameras = match &grant.cameras {
        Cameras::Only(list) if scoped && list.is_empty() => {
            let text = format!("{role} reaches only the cameras that are named; name some");
            return Err(Error::invalid(text));
        }
        cameras if scoped => cameras.clone(),
        _ => Cameras::All,
    };
    // A box without a controller gets its first one at the console; from then on a controller stands behind each.
    let bootstrap = role == Role::Controller
        && matches!(actor, Actor::Console { .. })
        && !had_controller(reader)?;
    let confirmed = (!role.opens_vault() || bootstrap).then(|| (now, actor.id()));
    Ok(GrantRow {
        number: 0,
        person,
        role,
        cameras,
        approves: grant.approves || role == Role::Controller,
        since: now,
        by: actor.id(),
        until: grant.until,
        confirmed,
        ended: None,
    })
}

impl Access {
    /// Changes persons or rights. Sessions and vault generations follow at once. Blocks.
    ///
    /// # Errors
    /// As [`perform`].
    pub fn change(&self, act: &PeopleAct, actor: &Actor) -> Result<PersonId> {
        let person = self.one_by_one(|| perform(&self.inner.catalog, act, actor, self.now()))?;
        if matches!(act, PeopleAct::Reset { .. }) {
            let now = self.inner.clock.mono();
            let judge = |s: &crate::access::session::Session| {
                (s.person == person).then_some(Refusal::Revoked)
            };
            self.sessions().judge(now, judge);
        }
        self.tick()?;
        Ok(person)
    }

    /// As [`Access::change`], by somebody in a session, with the token of the enrolment where the act has one. Blocks.
    ///
    /// # Errors
    /// As [`perform`].
    pub fn change_people(
        &self,
        who: &Authorised<acts::ChangePeople>,
        act: &PeopleAct,
    ) -> Result<PersonId> {
        let actor = Actor::Person {
            person: who.person(),
            detail: json!({ "address": who.address() }),
        };
        self.change(act, &actor)
    }

    /// After somebody else (a command at the console) has written changes: sessions and generations follow. Blocks.
    ///
    /// # Errors
    /// What the catalog says.
    pub fn catch_up(&self) -> Result<()> {
        self.tick()
    }
}

/// A new token for an enrolment, and its hash for the act.
///
/// # Errors
/// When the operating system gives no random numbers.
pub fn new_enrolment() -> Result<(EnrolmentToken, Digest)> {
    let token = EnrolmentToken::random()?;
    let hash = token.hash();
    Ok((token, hash))
}
