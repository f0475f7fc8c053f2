//! Who may what now: persons, roles and validity out of the catalog, judged at an instant.

use std::collections::{BTreeMap, BTreeSet};

use crate::access::refusal::Refusal;
use crate::access::role::{Reach, Right, Role, allows};
use crate::base::error::Result;
use crate::base::id::{CameraId, PersonId};
use crate::base::time::Wall;
use crate::catalog::{AccountRow, Cameras, GrantRow, Reader};

/// A person with the roles that were not taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Standing {
    /// The person.
    pub account: AccountRow,
    /// Roles that were not taken, in the order in which they were granted.
    pub grants: Vec<GrantRow>,
    /// The person has keys: password and key pair were set.
    pub has_keys: bool,
}

/// How a right reaches a person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scope {
    /// The role that gives it: the one that reaches furthest.
    pub role: Role,
    /// The cameras that all roles with the right reach together.
    pub cameras: Cameras,
    /// Only what the person did.
    pub own_acts_only: bool,
}

impl Standing {
    /// That the person may be signed in at `now`.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, now: Wall) -> Result<(), Refusal> {
        if self.account.removed.is_some() || self.grants.is_empty() || !self.has_keys {
            return Err(Refusal::Revoked);
        }
        if !self.account.valid.holds(now) {
            return Err(Refusal::Expired);
        }
        match &self.account.undertaking {
            Some(signed) if signed.until.is_none_or(|until| now < until) => {}
            _ => return Err(Refusal::UndertakingLapsed),
        }
        if self.in_force(now).next().is_none() {
            return Err(Refusal::Expired);
        }
        Ok(())
    }

    /// The grants in force at `now`.
    pub fn in_force(&self, now: Wall) -> impl Iterator<Item = &GrantRow> {
        self.grants.iter().filter(move |g| g.is_in_force(now))
    }

    /// The roles in force at `now`.
    pub fn roles(&self, now: Wall) -> BTreeSet<Role> {
        self.in_force(now).map(|g| g.role).collect()
    }

    /// True when new vault generations are wrapped to the person.
    pub fn opens_vault(&self, now: Wall) -> bool {
        self.check(now).is_ok()
            && self
                .in_force(now)
                .any(|g| g.role.opens_vault() && g.confirmed.is_some())
    }

    /// First instant after `now` at which the person stops to open new generations by lapse of time; `None`: none is set.
    pub fn vault_ends(&self, now: Wall) -> Option<Wall> {
        let grants = self
            .in_force(now)
            .filter(|g| g.role.opens_vault() && g.confirmed.is_some());
        // The last of the grants counts; one without an end never ends.
        let granted = grants
            .map(|g| g.until.unwrap_or(Wall(i64::MAX)))
            .max()
            .filter(|end| *end < Wall(i64::MAX));
        let undertaking = self.account.undertaking.as_ref().and_then(|u| u.until);
        [granted, self.account.valid.until, undertaking]
            .into_iter()
            .flatten()
            .min()
    }

    /// How `right` reaches the person at `now`.
    ///
    /// # Errors
    /// [`Refusal::WrongRole`] when it does not; [`Refusal::Resting`] when it waits for a controller.
    pub fn scope(&self, right: Right, now: Wall) -> Result<Scope, Refusal> {
        let mut found: Option<Scope> = None;
        let mut rests = false;
        for grant in self.in_force(now) {
            let reach = allows(grant.role, right);
            let given = match reach {
                Reach::None => false,
                Reach::IfGranted => grant.approves,
                Reach::All | Reach::OwnActs | Reach::OwnCameras => true,
            };
            if !given {
                continue;
            }
            if right.rests() && grant.confirmed.is_none() {
                rests = true;
                continue;
            }
            let own_acts_only = reach == Reach::OwnActs;
            let cameras = match reach {
                Reach::OwnCameras | Reach::IfGranted => grant.cameras.clone(),
                _ => Cameras::All,
            };
            found = Some(match found {
                None => Scope {
                    role: grant.role,
                    cameras,
                    own_acts_only,
                },
                Some(before) => join(before, grant.role, cameras, own_acts_only),
            });
        }
        match found {
            Some(scope) => Ok(scope),
            None if rests => Err(Refusal::Resting),
            None => Err(Refusal::WrongRole),
        }
    }
}

fn join(before: Scope, role: Role, cameras: Cameras, own_acts_only: bool) -> Scope {
    let wider = before.own_acts_only && !own_acts_only
        || (cameras == Cameras::All && before.cameras != Cameras::All)
        // Where it reaches as far, the one who answers for the footage counts.
        || (cameras == Cameras::All && role == Role::Controller && !own_acts_only);
    let union = match (before.cameras, cameras) {
        (Cameras::Only(mut list), Cameras::Only(more)) => {
            list.extend(more);
            list.sort();
            list.dedup();
            Cameras::Only(list)
        }
        _ => Cameras::All,
    };
    Scope {
        role: if wider { role } else { before.role },
        cameras: union,
        own_acts_only: before.own_acts_only && own_acts_only,
    }
}

impl Scope {
    /// That it reaches `camera`.
    ///
    /// # Errors
    /// [`Refusal::WrongCamera`] when it does not.
    pub fn check(&self, camera: &CameraId) -> Result<(), Refusal> {
        if self.cameras.has(camera) {
            Ok(())
        } else {
            Err(Refusal::WrongCamera)
        }
    }
}

/// All persons.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Directory {
    persons: BTreeMap<PersonId, Standing>,
}

impl Directory {
    /// As the catalog has it.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn read(reader: &Reader) -> Result<Self> {
        let keys: BTreeSet<PersonId> = reader.persons()?.iter().map(|row| row.person).collect();
        let mut persons: BTreeMap<PersonId, Standing> = reader
            .accounts()?
            .into_iter()
            .map(|account| {
                let has_keys = keys.contains(&account.person);
                let standing = Standing {
                    account,
                    grants: Vec::new(),
                    has_keys,
                };
                (standing.account.person, standing)
            })
            .collect();
        for grant in reader.grants()?.into_iter().filter(|g| g.ended.is_none()) {
            if let Some(standing) = persons.get_mut(&grant.person) {
                standing.grants.push(grant);
            }
        }
        Ok(Self { persons })
    }

    /// A person.
    pub fn get(&self, person: PersonId) -> Option<&Standing> {
        self.persons.get(&person)
    }

    /// True when the person with this id is a controller at `now`.
    pub fn is_controller(&self, person: &str, now: Wall) -> bool {
        let found = person.parse().ok().and_then(|id| self.get(id));
        found.is_some_and(|standing| {
            standing.check(now).is_ok() && standing.roles(now).contains(&Role::Controller)
        })
    }

    /// The person with this personal user name.
    pub fn named(&self, name: &str) -> Option<&Standing> {
        self.persons.values().find(|s| s.account.name == name)
    }

    /// Every person.
    pub fn iter(&self) -> impl Iterator<Item = &Standing> {
        self.persons.values()
    }

    /// To whom a vault generation made at `now` is wrapped.
    pub fn holders(&self, now: Wall) -> impl Iterator<Item = &Standing> {
        self.iter().filter(move |s| s.opens_vault(now))
    }
}
