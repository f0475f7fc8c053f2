//! Signing in and out, stepping up, unlocking the vault.
//!
//! A name that does not exist, one that is not enrolled, a wrong password and a wrong code cost the same and are told in the
//! same words.

use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use serde_json::json;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use crate::access::Access;
use crate::access::authorise::{Authorised, Caller};
use crate::access::credential::{self, Proven};
use crate::access::refusal::Refusal;
use crate::access::role::acts;
use crate::access::session::{Session, SessionVault};
use crate::access::token::Token;
use crate::access::totp;
use crate::base::error::{Context, Error, Kind, Result};
use crate::base::id::PersonId;
use crate::catalog::{Change, Event, Noted, PeopleChange};
use crate::vault::person;

/// Sign-ins that may wait for their turn.
pub const WAITING_MAX: usize = 16;
/// Steps of niceness of a run of Argon2id beyond the server's own: requests and live pictures come first.
const NICER: i32 = 10;

/// Why somebody is not signed in.
#[derive(Debug)]
pub enum SignInError {
    /// Name, passphrase or code is wrong; it is not said which.
    Denied,
    /// Too many failures: it may be tried again after this time.
    Wait(Duration),
    /// Too many sign-ins wait for their turn.
    Busy,
    /// Not at all, or who signs in was proven, but may not be signed in now.
    Refused(Refusal),
    /// It could not be looked at.
    Failed(Error),
}

impl From<Error> for SignInError {
    fn from(e: Error) -> Self {
        Self::Failed(e)
    }
}

/// A session that was begun.
#[derive(Debug)]
pub struct SignedIn {
    /// Whoever has it is the person. It is kept nowhere else.
    pub token: Token,
    /// Who.
    pub person: PersonId,
}

impl Access {
    /// Begins a session.
    ///
    /// # Errors
    /// Why not. What was tried in vain is an event, gathered by the minute.
    pub async fn sign_in(
        &self,
        name: &str,
        password: Zeroizing<String>,
        code: Zeroizing<String>,
        from: IpAddr,
    ) -> Result<SignedIn, SignInError> {
        if !self.on_premises(from) {
            self.note_refused("off-premises", name, from);
            return Err(SignInError::Refused(Refusal::OffPremises));
        }
        self.check_wait(name, from)?;
        let (access, name) = (self.clone(), name.to_owned());
        self.with_permit(move || access.sign_in_now(&name, &password, &code, from))
            .await?
    }

    /// Runs `work`, which runs Argon2id once, when its turn has come, off the async threads.
    pub(super) async fn with_permit<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, SignInError> {
        let _turn = Turn::take(self)?;
        let permit = Arc::clone(&self.inner.permit).acquire_owned().await;
        let permit = permit.map_err(|_| Error::new(Kind::Unavailable, "signing in is closed"))?;
        let failed = |text: String| SignInError::Failed(Error::new(Kind::Internal, text));
        let (tell, told) = oneshot::channel();
        // The permit goes with the work: when whoever asked has gone, this future is dropped, but the run goes on.
        let run = move || {
            // Of this thread alone, on Linux: somebody who guesses at passwords waits for whoever watches, not the other way round.
            rustix::process::nice(NICER).ok();
            let done = work();
            drop(permit);
            // Nobody waits for it when whoever asked has gone.
            tell.send(done).ok();
        };
        std::thread::Builder::new()
            .name("password".to_owned())
            .spawn(run)
            .map_err(|e| failed(format!("starting a thread for a password: {e}")))?;
        told.await
            .map_err(|_| failed("the work on a password ended early".to_owned()))
    }

    pub(super) fn check_wait(&self, name: &str, from: IpAddr) -> Result<(), SignInError> {
        let now = self.inner.clock.mono();
        let throttle = self.inner.throttle.lock();
        let wait = throttle
            .unwrap_or_else(PoisonError::into_inner)
            .wait(name, from, now);
        if wait.is_zero() {
            return Ok(());
        }
        self.note_refused("too-many-failures", name, from);
        Err(SignInError::Wait(wait))
    }

    fn sign_in_now(
        &self,
        name: &str,
        password: &str,
        code: &str,
        from: IpAddr,
    ) -> Result<SignedIn, SignInError> {
        let (person, proven) = self.proved(name, (password, code), from)?;
        let now = self.now();
        let directory = self.directory();
        let standing = directory.get(person).ok_or(Refusal::Revoked);
        let standing = standing.and_then(|standing| standing.check(now).map(|()| standing));
        let changes: Vec<Change> = vec![proven.used.by(person, now).into()];
        let event = |result: &str| Event {
            actor: person.to_string(),
            result: result.to_owned(),
            detail: Some(json!({ "name": name, "address": from })),
            ..Event::of_box(now, "sign-in", "session", json!({}))
        };
        let standing = match standing {
            Ok(standing) => standing,
            Err(why) => {
                let event = Event {
                    facts: json!({ "reason": why.as_str() }),
                    ..event("refused")
                };
                return match self.inner.catalog.commit(changes, event) {
                    Err(e) if e.kind() == Kind::Denied => Err(self.failed(name, from)),
                    Err(e) => Err(e.into()),
                    Ok(()) => Err(SignInError::Refused(why)),
                };
            }
        };
        let changes = [
            changes,
            vec![PeopleChange::Noted(person, Noted::SignedIn, now).into()],
        ];
        match self.inner.catalog.commit(changes.concat(), event("ok")) {
            Err(e) if e.kind() == Kind::Denied => return Err(self.failed(name, from)),
            other => other?,
        }
        self.succeeded(name, from);
        let mono = self.inner.clock.mono();
        // Who may not play back has nothing to open: their key is zeroised here.
        let identity = standing.opens_vault(now).then_some(proven.identity);
        let vault = SessionVault::new(person, self.inner.catalog.clone(), identity);
        let token = Token::random()?;
        let session = Session::new(person, mono, vault, proven.secret);
        let shown = proven.factor;
        self.sessions().add(token.hash(), session)?;
        // A reset since the proof found no session to end: it is ended here.
        let factor = self.inner.catalog.reader()?.factor(person)?;
        if factor.is_none_or(|factor| factor.secret != shown) {
            self.sessions().end(&token.hash(), Refusal::Revoked);
            return Err(SignInError::Refused(Refusal::Revoked));
        }
        Ok(SignedIn { token, person })
    }

    /// One run of Argon2id, whoever it is.
    fn prove(&self, name: &str, password: &str, code: &str) -> Result<(PersonId, Proven)> {
        self.count_run();
        let reader = self.inner.catalog.reader()?;
        let keys = reader.account(name)?.and_then(|account| {
            let rows = reader
                .person_of(account.person)
                .and_then(|row| Ok((row, reader.factor(account.person)?)));
            match rows {
                Ok((Some(keys), Some(factor))) => Some(Ok((keys, factor))),
                Ok(_) => None,
                Err(e) => Some(Err(e)),
            }
        });
        let Some((keys, factor)) = keys.transpose()? else {
            person::spend(password, self.inner.cost)?;
            return Err(Error::new(
                Kind::Denied,
                "nobody who could sign in has that name",
            ));
        };
        let keys = credential::keys_of(&keys)?;
        let proven = credential::prove(&keys, &factor, password, code, self.now())?;
        Ok((keys.person, proven))
    }

    /// Who somebody is, by what they know and have, when it is their turn. A failure counts.
    pub(super) fn proved(
        &self,
        name: &str,
        (password, code): (&str, &str),
        from: IpAddr,
    ) -> Result<(PersonId, Proven), SignInError> {
        // Others may have failed while this one waited for its turn.
        self.check_wait(name, from)?;
        match self.prove(name, password, code) {
            Err(e) if e.kind() == Kind::Denied => Err(self.failed(name, from)),
            other => Ok(other?),
        }
    }

    pub(super) fn succeeded(&self, name: &str, from: IpAddr) {
        let now = self.inner.clock.mono();
        let throttle = self.inner.throttle.lock();
        throttle
            .unwrap_or_else(PoisonError::into_inner)
            .succeeded(name, from, now);
    }

    pub(super) fn failed(&self, name: &str, from: IpAddr) -> SignInError {
        let now = self.inner.clock.mono();
        let throttle = self.inner.throttle.lock();
        throttle
            .unwrap_or_else(PoisonError::into_inner)
            .failed(name, from, now);
        self.note_refused("denied", name, from);
        SignInError::Denied
    }

    /// Ends the session; its keys are zeroised. Blocks until the event is durable.
    ///
    /// # Errors
    /// What the catalog says; the session has ended all the same.
    pub fn sign_out(&self, token: &Token) -> Result<()> {
        let ended = self.sessions().end(&token.hash(), Refusal::Anonymous);
        let Some(person) = ended else { return Ok(()) };
        let event = Event {
            actor: person.to_string(),
            ..Event::of_box(self.now(), "sign-out", "session", json!({}))
        };
        self.inner.catalog.commit(Vec::new(), event)
    }

    /// Shows a factor anew, so that the next minutes count as stepped up. Blocks until the event is durable.
    ///
    /// # Errors
    /// As [`Access::sign_in`]; [`SignInError::Refused`] without a session.
    pub fn step_up(&self, caller: &Caller<'_>, code: &str) -> Result<(), SignInError> {
        let who: Authorised<acts::Own> =
            self.authorise(caller, None).map_err(SignInError::Refused)?;
        let stepping = self.inner.stepping.lock();
        let _stepping = stepping.unwrap_or_else(PoisonError::into_inner);
        self.check_wait(who.name(), caller.address)?;
        let now = self.now();
        let secret = {
            let mut sessions = self.sessions();
            let session = sessions.get(who.session(), self.inner.clock.mono());
            session.map_err(SignInError::Refused)?.secret.clone()
        };
        let factor = self
            .inner
            .catalog
            .reader()?
            .factor(who.person())?
            .ok_or(SignInError::Refused(Refusal::Revoked))?;
        let Some(used) = totp::check(&factor, &secret, code, now) else {
            return Err(self.failed(who.name(), caller.address));
        };
        let event = Event {
            actor: who.actor(),
            detail: Some(json!({ "address": caller.address })),
            ..Event::of_box(now, "step-up", "session", json!({}))
        };
        match self
            .inner
            .catalog
            .commit(Change::from(used.by(who.person(), now)), event)
        {
            Err(e) if e.kind() == Kind::Denied => {
                return Err(self.failed(who.name(), caller.address));
            }
            other => other?,
        }
        let mono = self.inner.clock.mono();
        let mut sessions = self.sessions();
        let session = sessions.get(who.session(), mono);
        session.map_err(SignInError::Refused)?.stepped = mono;
        Ok(())
    }

    /// Opens the vault of a session anew after it was locked for want of use.
    ///
    /// # Errors
    /// As [`Access::sign_in`]; [`SignInError::Refused`] without a session, or for somebody who may not play back.
    pub async fn unlock(
        &self,
        caller: &Caller<'_>,
        password: Zeroizing<String>,
    ) -> Result<(), SignInError> {
        let who: Authorised<acts::Own> =
            self.authorise(caller, None).map_err(SignInError::Refused)?;
        self.check_wait(who.name(), caller.address)?;
        let access = self.clone();
        self.with_permit(move || access.unlock_now(&who, &password))
            .await?
    }

    fn unlock_now(&self, who: &Authorised<acts::Own>, password: &str) -> Result<(), SignInError> {
        let opens = |now| {
            let directory = self.directory();
            directory
                .get(who.person())
                .is_some_and(|s| s.opens_vault(now))
        };
        if !opens(self.now()) {
            return Err(SignInError::Refused(Refusal::WrongRole));
        }
        self.check_wait(who.name(), who.address())?;
        self.count_run();
        let keys = self.inner.catalog.reader()?.person_of(who.person())?;
        let keys = keys.ok_or(SignInError::Refused(Refusal::Revoked))?;
        let identity = match credential::open(&credential::keys_of(&keys)?, password) {
            Ok(identity) => identity,
            Err(e) if e.kind() == Kind::Denied => {
                return Err(self.failed(who.name(), who.address()));
            }
            Err(e) => return Err(e.into()),
        };
        let event = Event {
            actor: who.actor(),
            detail: Some(json!({ "address": who.address() })),
            ..Event::of_box(self.now(), "vault-unlocked", "session", json!({}))
        };
        self.inner
            .catalog
            .commit(Vec::new(), event)
            .context(|| "noting that the vault is unlocked")?;
        let mono = self.inner.clock.mono();
        let mut sessions = self.sessions();
        let session = sessions
            .get(who.session(), mono)
            .map_err(SignInError::Refused)?;
        session.vault.unlock(identity);
        session.vault_used = mono;
        Ok(())
    }
}

/// A place among those who wait.
struct Turn<'a>(&'a Access);

impl<'a> Turn<'a> {
    fn take(access: &'a Access) -> Result<Self, SignInError> {
        let before = access.inner.waiting.fetch_add(1, Ordering::AcqRel);
        let turn = Self(access);
        if before >= WAITING_MAX {
            return Err(SignInError::Busy);
        }
        Ok(turn)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.inner.waiting.fetch_sub(1, Ordering::AcqRel);
    }
}
