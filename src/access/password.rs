//! Changing one's own passphrase. The key pair stays, and with it everything that it opens.

use serde_json::json;
use zeroize::Zeroizing;

use crate::access::authorise::{Authorised, Caller};
use crate::access::role::acts;
use crate::access::sign_in::SignInError;
use crate::access::{Access, Refusal, credential};
use crate::base::error::{Error, Kind};
use crate::catalog::{Change, Event, PeopleChange};
use crate::vault::passphrase;

impl Access {
    /// Changes the passphrase of whoever is signed in and shows `code`, which is used up by it. Their other sessions end.
    ///
    /// # Errors
    /// [`SignInError::Denied`] when the old one or the code is wrong; [`SignInError::Failed`] with [`Kind::Invalid`] when the new one may
    /// not be chosen; as [`Access::sign_in`] else.
    pub async fn change_password(
        &self,
        caller: &Caller<'_>,
        old: Zeroizing<String>,
        new: Zeroizing<String>,
        code: Zeroizing<String>,
    ) -> Result<(), SignInError> {
        let who: Authorised<acts::Own> =
            self.authorise(caller, None).map_err(SignInError::Refused)?;
        self.check_wait(who.name(), caller.address)?;
        passphrase::check(&new)?;
        let access = self.clone();
        self.with_permit(move || access.change_now(&who, &old, &new, &code))
            .await?
    }

    /// Two runs of Argon2id, one after the other.
    fn change_now(
        &self,
        who: &Authorised<acts::Own>,
        old: &str,
        new: &str,
        code: &str,
    ) -> Result<(), SignInError> {
        // Others may have failed while this one waited for its turn.
        self.check_wait(who.name(), who.address())?;
        self.count_run();
        let (person, now) = (who.person(), self.now());
        let reader = self.inner.catalog.reader()?;
        let gone = || SignInError::Refused(Refusal::Revoked);
        let row = reader.person_of(person)?.ok_or_else(gone)?;
        let factor = reader.factor(person)?.ok_or_else(gone)?;
        let keys = credential::keys_of(&row)?;
        let proven = match credential::prove(&keys, &factor, old, code, now) {
            Ok(proven) => proven,
            Err(e) if e.kind() == Kind::Denied => {
                return Err(self.failed(who.name(), who.address()));
            }
            Err(e) => return Err(e.into()),
        };
        self.count_run();
        let keys = keys.with_passphrase(&proven.identity, new, self.inner.cost, now)?;
        let new_row =
            serde_json::to_string(&keys).map_err(|e| Error::new(Kind::Internal, e.to_string()))?;
        // Whoever was reset meanwhile keeps what the reset made.
        let change = PeopleChange::Resealed {
            person,
            before: row.row,
            row: new_row,
        };
        let event = Event {
            actor: who.actor(),
            detail: Some(json!({ "address": who.address() })),
            ..Event::of_box(now, "passphrase-changed", person, json!({}))
        };
        let changes: Vec<Change> = vec![proven.used.by(person, now).into(), change.into()];
        match self.inner.catalog.commit(changes, event) {
            // The code was used meanwhile, or the keys are others by now: either way what was shown counts no more.
            Err(e) if e.kind() == Kind::Denied => {
                return Err(self.failed(who.name(), who.address()));
            }
            other => other?,
        }
        self.sessions().end_others(person, who.session());
        Ok(())
    }
}
