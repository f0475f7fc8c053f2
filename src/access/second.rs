//! A second person at the same workstation: they show password and factor for one act, and get no session.

use std::net::IpAddr;

use serde_json::json;
use zeroize::Zeroizing;

use crate::access::Access;
use crate::access::directory::{Scope, Standing};
use crate::access::refusal::Refusal;
use crate::access::role::Right;
use crate::access::sign_in::SignInError;
use crate::base::error::Kind;
use crate::catalog::{Change, Event};

/// Somebody who showed password and factor a moment ago, and has the right that it was for. The code is used up.
#[derive(Clone, Debug)]
pub struct Second {
    /// Who.
    pub standing: Standing,
    /// How the right reaches them.
    pub scope: Scope,
    /// From where.
    pub address: IpAddr,
}

impl Access {
    /// Whether the second person is who they say and has `right` at this moment. As slow, as silent and as bounded as a sign-in;
    /// an entry says that a factor was shown, and for what in vain.
    ///
    /// # Errors
    /// As [`Access::sign_in`]; [`SignInError::Refused`] for somebody who may not.
    pub async fn second(
        &self,
        name: &str,
        password: Zeroizing<String>,
        code: Zeroizing<String>,
        (right, from): (Right, IpAddr),
    ) -> Result<Second, SignInError> {
        if !self.on_premises(from) {
            return Err(SignInError::Refused(Refusal::OffPremises));
        }
        self.check_wait(name, from)?;
        let (access, name) = (self.clone(), name.to_owned());
        self.with_permit(move || access.second_now(&name, (&password, &code), (right, from)))
            .await?
    }

    fn second_now(
        &self,
        name: &str,
        (password, code): (&str, &str),
        (right, from): (Right, IpAddr),
    ) -> Result<Second, SignInError> {
        let (person, proven) = self.proved(name, (password, code), from)?;
        let now = self.now();
        let directory = self.directory();
        let standing = directory.get(person).ok_or(Refusal::Revoked);
        let found = standing.and_then(|standing| {
            standing.check(now)?;
            Ok((standing.clone(), standing.scope(right, now)?))
        });
        let mut event = Event {
            actor: person.to_string(),
            detail: Some(json!({ "name": name, "address": from })),
            ..Event::of_box(
                now,
                "step-up",
                "workstation",
                json!({ "right": right.as_str() }),
            )
        };
        if let Err(why) = &found {
            "refused".clone_into(&mut event.result);
            event.facts["reason"] = why.as_str().into();
        }
        let code = Change::from(proven.used.by(person, now));
        match self.inner.catalog.commit(code, event) {
            Err(e) if e.kind() == Kind::Denied => return Err(self.failed(name, from)),
            other => other?,
        }
        let (standing, scope) = found.map_err(SignInError::Refused)?;
        self.succeeded(name, from);
        Ok(Second {
            standing,
            scope,
            address: from,
        })
    }
}
