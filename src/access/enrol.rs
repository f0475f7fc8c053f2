//! Enrolling: whoever has a one-time token sets their own password and second factor. Nobody else learns either.
//!
//! In a session it takes two steps: the secret is shown, then a code shows that the authenticator has it. At the console a
//! command does the same and writes all at once.

use std::collections::HashMap;
use std::sync::PoisonError;
use std::time::Duration;

use serde_json::json;
use zeroize::Zeroizing;

use crate::access::Access;
use crate::access::credential::{self, Used};
use crate::access::sign_in::SignInError;
use crate::access::token::EnrolmentToken;
use crate::access::totp::{self, Secret};
use crate::base::error::{Error, Kind, Result};
use crate::base::hash::Digest;
use crate::base::id::PersonId;
use crate::base::time::{Mono, Wall};
use crate::catalog::{Catalog, Change, EnrolmentKind, Event, PeopleChange, Reader};
use crate::vault::identity::Recipient;
use crate::vault::person::{Cost, PersonRow};
use crate::vault::{passphrase, wrap};

/// So long a shown secret waits for its first code.
const OFFER_FOR: Duration = Duration::from_secs(600);
/// Enrolments under way at a time.
const OFFERS_MAX: usize = 32;

/// Whose enrolment a token is.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Invited {
    /// Who.
    pub person: PersonId,
    /// Personal user name.
    pub name: String,
    /// What is to be set.
    pub kind: EnrolmentKind,
    /// The keys that stay, as JSON text, when only the factor is to be set.
    pub keys: Option<String>,
}

/// Whose enrolment has a token with this hash.
///
/// # Errors
/// [`Kind::Denied`] when it is not open; what SQLite says.
pub fn invited(reader: &Reader, hash: &Digest, now: Wall) -> Result<Invited> {
    let text =
        "this enrolment token is not known, was used, replaced or has expired; ask for a new one";
    let denied = || Error::new(Kind::Denied, text);
    let row = reader.enrolment(hash, now)?.ok_or_else(denied)?;
    let account = reader.account_of(row.person)?.ok_or_else(denied)?;
    let keys = match row.kind {
        EnrolmentKind::New => None,
        EnrolmentKind::Factor => reader.person_of(row.person)?.map(|keys| keys.row),
    };
    Ok(Invited {
        person: row.person,
        name: account.name,
        kind: row.kind,
        keys,
    })
}

/// What was set, ready to be written. It holds nothing in the clear.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Enrolled {
    /// Hash of the token.
    pub token: Digest,
    /// The keys as JSON text; `None`: they stay.
    pub keys: Option<String>,
    /// Age ciphertext of the factor's secret, to the person's own key, in hex digits.
    pub factor: String,
    /// Hashes of the recovery codes.
    pub codes: Vec<Digest>,
}

/// A person's new password and factor, and what of it only the person sees.
pub struct Made {
    /// To be written.
    pub enrolled: Enrolled,
    /// For the authenticator.
    pub secret: Secret,
    /// For paper.
    pub codes: Vec<Zeroizing<String>>,
    /// Fingerprint of the person's key: who confirms sees the same.
    pub fingerprint: String,
}

/// Makes keys (or opens those that stay) with `password`, a second factor and recovery codes. It costs one run of Argon2id.
///
/// # Errors
/// [`Kind::Invalid`] for a password that may not be chosen; [`Kind::Denied`] when the keys stay and it is not theirs.
pub fn make(
    token: &EnrolmentToken,
    invited: &Invited,
    password: &str,
    cost: Cost,
    now: Wall,
) -> Result<Made> {
    let (keys, recipient): (Option<PersonRow>, Recipient) = match &invited.keys {
        None => {
            let row = PersonRow::create(invited.person, &invited.name, password, cost, now)?;
            let recipient = row.recipient.clone();
            (Some(row), recipient)
        }
        Some(text) => {
            let row: PersonRow = serde_json::from_str(text)
                .map_err(|e| Error::corrupt(format!("the keys cannot be read: {e}")))?;
            credential::open(&row, password)?;
            (None, row.recipient)
        }
    };
    let secret = Secret::random()?;
    let factor = wrap::wrap(secret.bytes(), &[&recipient])?;
    let (codes, hashes) = totp::recovery_codes(invited.person)?;
    let keys = keys
        .map(|row| serde_json::to_string(&row))
        .transpose()
        .map_err(|e| Error::new(Kind::Internal, e.to_string()))?;
    Ok(Made {
        enrolled: Enrolled {
            token: token.hash(),
            keys,
            factor: crate::base::hash::hex(&factor),
            codes: hashes,
        },
        secret,
        codes,
        fingerprint: recipient.fingerprint(),
    })
}

/// Writes what was set, with `used`, the code that showed it, if one did.
///
/// # Errors
/// [`Kind::Denied`] when the enrolment is not open any more; [`Kind::Invalid`] when it is another's or not what was asked for.
pub fn write(
    catalog: &Catalog,
    enrolled: &Enrolled,
    used: Option<Used>,
    now: Wall,
) -> Result<PersonId> {
    let reader = catalog.reader()?;
    let invited = invited(&reader, &enrolled.token, now)?;
    let person = invited.person;
    let mut changes = vec![PeopleChange::Enrolled {
        hash: enrolled.token,
        at: now,
    }];
    match (&enrolled.keys, invited.kind) {
        (Some(text), EnrolmentKind::New) => {
            let row: PersonRow = serde_json::from_str(text)
                .map_err(|e| Error::invalid(format!("these are no keys: {e}")))?;
            if row.person != person || row.name != invited.name {
                return Err(Error::invalid("these keys are another person's"));
            }
            changes.push(PeopleChange::Keys {
                person,
                name: invited.name.clone(),
                row: text.clone(),
            });
        }
        (None, EnrolmentKind::Factor) => {}
        _ => {
            return Err(Error::invalid(
                "this enrolment is for something else than what was set",
            ));
        }
    }
    let mut secret = vec![0; enrolled.factor.len() / 2];
    if !crate::base::hash::from_hex(&enrolled.factor, &mut secret) {
        return Err(Error::invalid("the factor is not hex digits"));
    }
    changes.push(PeopleChange::Factor {
        person,
        secret,
        at: now,
        codes: enrolled.codes.clone(),
    });
    changes.extend(used.map(|used| used.by(person, now)));
    let event = Event {
        actor: person.to_string(),
        detail: Some(json!({ "name": invited.name })),
        ..Event::of_box(now, "enrolled", person, json!({ "kind": invited.kind }))
    };
    let changes: Vec<_> = changes.into_iter().map(Change::from).collect();
    catalog.commit(changes, event)?;
    Ok(person)
}

/// Enrolments whose secret was shown, by the hash of their token. In memory only.
#[derive(Default)]
pub(super) struct Offers(HashMap<Digest, (Mono, Made)>);

/// What is shown to the person who enrols.
pub struct Shown {
    /// Personal user name.
    pub name: String,
    /// `otpauth://…`, for the authenticator.
    pub uri: Zeroizing<String>,
    /// Fingerprint of the person's key: who confirms the rights sees the same.
    pub fingerprint: String,
}

impl Access {
    /// First step: sets the password and shows the secret of the second factor. Nothing is written yet.
    ///
    /// # Errors
    /// [`SignInError::Denied`] for a token that is not open, or a wrong password when the keys stay; [`SignInError::Failed`]
    /// with [`Kind::Invalid`] for a password that may not be chosen; as [`Access::sign_in`] else.
    pub async fn begin_enrolment(
        &self,
        token: EnrolmentToken,
        password: Zeroizing<String>,
        from: std::net::IpAddr,
    ) -> Result<Shown, SignInError> {
        if !self.on_premises(from) {
            return Err(SignInError::Refused(crate::access::Refusal::OffPremises));
        }
        // Before a run is spent: a token is too long to be tried.
        let hash = token.hash();
        let invited = match invited(&self.inner.catalog.reader()?, &hash, self.now()) {
            Ok(invited) => invited,
            Err(e) if e.kind() == Kind::Denied => {
                self.note_refused("enrolment", "", from);
                return Err(SignInError::Denied);
            }
            Err(e) => return Err(e.into()),
        };
        self.check_wait(&invited.name, from)?;
        passphrase::check(&password)?;
        let (access, name) = (self.clone(), invited.name.clone());
        // Where the keys stay, the password is tried: it counts as at a sign-in.
        let run = move || {
            access.check_wait(&invited.name, from)?;
            access.count_run();
            make(&token, &invited, &password, access.inner.cost, access.now()).map_err(|e| match e
                .kind()
            {
                Kind::Denied => access.failed(&invited.name, from),
                _ => SignInError::Failed(e),
            })
        };
        let made = self.with_permit(run).await??;
        let uri = made.secret.uri(&self.inner.site, &name);
        let fingerprint = made.fingerprint.clone();
        let now = self.inner.clock.mono();
        let offers = self.inner.offers.lock();
        let mut offers = offers.unwrap_or_else(PoisonError::into_inner);
        offers.0.retain(|_, (at, _)| now.since(*at) < OFFER_FOR);
        if offers.0.len() >= OFFERS_MAX && !offers.0.contains_key(&hash) {
            return Err(SignInError::Busy);
        }
        offers.0.insert(hash, (now, made));
        Ok(Shown {
            name,
            uri,
            fingerprint,
        })
    }

    /// Second step: a code shows that the authenticator has the secret; everything is written. The recovery codes, once.
    /// Blocks.
    ///
    /// # Errors
    /// [`SignInError::Denied`] for a wrong code (it may be tried again), or when the first step is too long ago.
    pub fn finish_enrolment(
        &self,
        token: &EnrolmentToken,
        code: &str,
    ) -> Result<Vec<Zeroizing<String>>, SignInError> {
        let (now, mono) = (self.now(), self.inner.clock.mono());
        let hash = token.hash();
        let made = {
            let offers = self.inner.offers.lock();
            let mut offers = offers.unwrap_or_else(PoisonError::into_inner);
            offers.0.retain(|_, (at, _)| mono.since(*at) < OFFER_FOR);
            let right = offers
                .0
                .get(&hash)
                .and_then(|(_, made)| made.secret.step_of(code, now, 0));
            let step = right.ok_or(SignInError::Denied)?;
            offers.0.remove(&hash).map(|(_, made)| (made, step))
        };
        let (made, step) = made.ok_or(SignInError::Denied)?;
        let used = Some(Used::Step(step));
        write(&self.inner.catalog, &made.enrolled, used, now)?;
        self.tick()?;
        Ok(made.codes)
    }
}
