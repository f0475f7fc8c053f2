//! The one door: whoever wants to act comes through here and leaves with an [`Authorised`], which nothing else can make.

use std::marker::PhantomData;
use std::net::IpAddr;
use std::sync::Arc;

use tokio::sync::watch;

use crate::access::Access;
use crate::access::directory::{Scope, Standing};
use crate::access::refusal::Refusal;
use crate::access::role::{Act, Right, Role};
use crate::access::session::{Session, SessionVault};
use crate::access::token::Token;
use crate::base::hash::Digest;
use crate::base::id::{CameraId, PersonId};
use crate::catalog::{Cameras, Language};

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// From where.
    pub address: IpAddr,
    /// With which session.
    pub token: Option<&'a Token>,
}

/// Somebody who may do `A`, as it was decided at one instant. What lasts longer waits on [`Authorised::ended`] as well.
#[derive(Clone, Debug)]
pub struct Authorised<A: Act> {
    person: PersonId,
    name: String,
    display: String,
    language: Language,
    scope: Scope,
    address: IpAddr,
    session: Digest,
    vault: Arc<SessionVault>,
    ended: watch::Receiver<Option<Refusal>>,
    access: Access,
    act: PhantomData<fn() -> A>,
}

impl<A: Act> Authorised<A> {
    /// Who.
    pub fn person(&self) -> PersonId {
        self.person
    }

    /// The personal user name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name as people read it.
    pub fn display(&self) -> &str {
        &self.display
    }

    /// What the person reads.
    pub fn language(&self) -> Language {
        self.language
    }

    /// The role by which it is allowed.
    pub fn role(&self) -> Role {
        self.scope.role
    }

    /// The cameras that it reaches.
    pub fn cameras(&self) -> &Cameras {
        &self.scope.cameras
    }

    /// True when it reaches `camera`.
    pub fn sees(&self, camera: &CameraId) -> bool {
        self.scope.cameras.has(camera)
    }

    /// True when it reaches only what the person did.
    pub fn own_acts_only(&self) -> bool {
        self.scope.own_acts_only
    }

    /// From where, for details of events.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// The actor of events.
    pub fn actor(&self) -> String {
        self.person.to_string()
    }

    /// The keys that the person opened by signing in. They open nothing more once the session has ended or the vault was
    /// locked, whoever holds on to them.
    pub fn vault(&self) -> Arc<SessionVault> {
        Arc::clone(&self.vault)
    }

    /// Hash of the session's token.
    pub(in crate::access) fn session(&self) -> &Digest {
        &self.session
    }

    /// Waits until the session has ended, and says why. At sign-out, revocation, end of validity or lapse of the undertaking
    /// it comes within 10 s.
    pub async fn ended(&self) -> Refusal {
        let mut ended = self.ended.clone();
        match ended.wait_for(Option::is_some).await {
            Ok(why) => (*why).unwrap_or(Refusal::Expired),
            Err(_) => Refusal::Expired,
        }
    }

    /// That it is still so now: for what lasts, between pieces. It counts as use of the session.
    ///
    /// # Errors
    /// Why it is not.
    pub fn again(&self, camera: Option<&CameraId>) -> Result<(), Refusal> {
        self.access
            .decide(A::RIGHT, self.address, &self.session, camera)
            .map(drop)
    }
}

/// What was decided.
pub(super) struct Decided {
    standing: Standing,
    scope: Scope,
    vault: Arc<SessionVault>,
    ended: watch::Receiver<Option<Refusal>>,
}

impl Access {
    /// Whether `caller` may do `A` now, of `camera` when it is about one. In this order it asks for: the premises, a
    /// session, a person who may still sign in, the right, the camera, a fresh factor, an open vault.
    ///
    /// # Errors
    /// The first that is missing.
    pub fn authorise<A: Act>(
        &self,
        caller: &Caller<'_>,
        camera: Option<&CameraId>,
    ) -> Result<Authorised<A>, Refusal> {
        if !self.on_premises(caller.address) {
            return Err(Refusal::OffPremises);
        }
        let session = caller.token.ok_or(Refusal::Anonymous)?.hash();
        let decided = self.decide(A::RIGHT, caller.address, &session, camera)?;
        let account = decided.standing.account;
        Ok(Authorised {
            person: account.person,
            name: account.name,
            display: account.display,
            language: account.language,
            scope: decided.scope,
            address: caller.address,
            session,
            vault: decided.vault,
            ended: decided.ended,
            access: self.clone(),
            act: PhantomData,
        })
    }

    pub(super) fn decide(
        &self,
        right: Right,
        address: IpAddr,
        hash: &Digest,
        camera: Option<&CameraId>,
    ) -> Result<Decided, Refusal> {
        if !self.on_premises(address) {
            return Err(Refusal::OffPremises);
        }
        let (wall, now) = (self.inner.clock.wall(), self.inner.clock.mono());
        let directory = self.directory();
        let mut sessions = self.sessions();
        let session = sessions.get(hash, now)?;
        let standing = directory.get(session.person).ok_or(Refusal::Revoked);
        let standing = match standing.and_then(|s| s.check(wall).map(|()| s)) {
            Ok(standing) => standing,
            Err(why) => {
                sessions.end(hash, why);
                return Err(why);
            }
        };
        let scope = standing.scope(right, wall)?;
        if let Some(camera) = camera {
            scope.check(camera)?;
        }
        if right.needs_step_up() && !session.is_fresh(now) {
            return Err(Refusal::StepUpNeeded);
        }
        session.lock_if_idle(now);
        if right.needs_vault() && !session.vault.is_open() {
            return Err(Refusal::VaultLocked);
        }
        touch(session, right, now);
        Ok(Decided {
            standing: standing.clone(),
            scope,
            vault: Arc::clone(&session.vault),
            ended: session.ended(),
        })
    }
}

fn touch(session: &mut Session, right: Right, now: crate::base::time::Mono) {
    // A wall that shows live pictures by itself is no sign of a person at the keyboard.
    if right == Right::Live {
        session.live = Some(now);
    } else {
        session.used = now;
    }
    if right.needs_vault() {
        session.vault_used = now;
    }
}
