//! Access as its callers see it, under a simulated clock.

mod keys;
mod people;
mod races;
mod resting;
mod sessions;

use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use zeroize::Zeroizing;

use crate::access::people::{Actor, NewGrant, PeopleAct, new_enrolment};
use crate::access::role::Act;
use crate::access::totp::{self, Secret};
use crate::access::{
    Access, Authorised, Caller, Options, Premises, Refusal, Role, SignInError, Token,
};
use crate::base::clock::{Clock, SimulatedClock};
use crate::base::id::{BoxId, CameraId, PersonId};
use crate::base::time::Wall;
use crate::catalog::{Cameras, Catalog, EventRow, Language, Undertaking, Validity};
use crate::vault::generation::Generation;
use crate::vault::identity::Identity;
use crate::vault::person::Cost;

/// 2026-11-23T16:00:00Z.
const T0: Wall = Wall::from_secs(1_795_449_600);
const PASSWORD: &str = "kissa söi lumihangen";
const DAY: Duration = Duration::from_secs(86_400);

/// Somebody's authenticator.
struct Phone {
    name: String,
    secret: Secret,
    recovery: Vec<Zeroizing<String>>,
}

struct Scene {
    dir: tempfile::TempDir,
    box_id: BoxId,
    clock: Arc<SimulatedClock>,
    catalog: Arc<Catalog>,
    recovery: Identity,
    made: Arc<Mutex<Vec<Generation>>>,
    access: Access,
}

fn here() -> IpAddr {
    IpAddr::from([192, 168, 10, 5])
}

fn console() -> Actor {
    Actor::Console {
        by: "user 0".to_owned(),
    }
}

fn camera(name: &str) -> CameraId {
    name.parse().expect("camera")
}

fn only(cameras: &[&str]) -> Cameras {
    Cameras::Only(cameras.iter().map(|name| camera(name)).collect())
}

fn forever() -> Validity {
    Validity {
        from: T0,
        until: None,
    }
}

fn undertaking(until: Option<Wall>) -> Option<Undertaking> {
    Some(Undertaking {
        version: "2026-1".to_owned(),
        signed: T0,
        until,
    })
}

fn access(
    clock: &Arc<SimulatedClock>,
    catalog: &Arc<Catalog>,
    recovery: &Identity,
    made: &Arc<Mutex<Vec<Generation>>>,
) -> Access {
    let made = Arc::clone(made);
    Access::new(Options {
        catalog: Arc::clone(catalog),
        clock: Arc::<SimulatedClock>::clone(clock),
        recovery: recovery.recipient(),
        site: "Myymälä 1".to_owned(),
        premises: Premises::new(["192.168.10.0/24".parse().expect("network")]),
        cost: Cost::CHEAP_FOR_TESTS,
        on_generation: Box::new(move |generation| {
            made.lock().expect("made").push(generation);
        }),
    })
    .expect("access")
}

impl Scene {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("dir");
        let (box_id, clock) = (BoxId::random(), SimulatedClock::at(T0));
        let catalog = Catalog::open(&dir.path().join("catalog.db"), box_id).expect("catalog");
        let (catalog, recovery) = (Arc::new(catalog), Identity::generate());
        let made = Arc::default();
        let access = access(&clock, &catalog, &recovery, &made);
        // What comes is later than what a box begins with.
        clock.advance(Duration::from_secs(1));
        Self {
            dir,
            box_id,
            clock,
            catalog,
            recovery,
            made,
            access,
        }
    }

    /// The process ends and begins anew on the same catalog.
    fn restart(&mut self) {
        self.access = access(&self.clock, &self.catalog, &self.recovery, &self.made);
    }

    fn now(&self) -> Wall {
        self.clock.wall()
    }

    fn grant(role: Role, cameras: Cameras) -> NewGrant {
        NewGrant {
            role,
            cameras,
            approves: false,
            until: (role == Role::Maintenance).then(|| T0.plus_us(30 * 86_400_000_000)),
        }
    }

    /// Adds somebody; their token.
    fn invite(&self, name: &str, grant: NewGrant) -> crate::access::EnrolmentToken {
        let (token, enrolment) = new_enrolment().expect("token");
        let act = PeopleAct::Add {
            name: name.to_owned(),
            display: name.to_owned(),
            language: Language::Fi,
            undertaking: undertaking(None),
            valid: forever(),
            grant,
            enrolment,
        };
        self.change(&act);
        token
    }

    fn change(&self, act: &PeopleAct) {
        self.access.change(act, &console()).expect("changed");
    }

    /// Enrols as a page does: password, secret, first code.
    async fn enrol(&self, token: &crate::access::EnrolmentToken) -> Phone {
        let text = token.to_text();
        let again = crate::access::EnrolmentToken::parse(&text).expect("token");
        let shown = self
            .access
            .begin_enrolment(again, password(), here())
            .await
            .expect("begins");
        let secret = Secret::parse(&shown.uri).expect("secret");
        let code = secret.code(totp::step_at(self.now()));
        let recovery = self.access.finish_enrolment(token, &code).expect("enrols");
        // The next code is another one.
        self.clock.advance(Duration::from_secs(30));
        Phone {
            name: shown.name,
            secret,
            recovery,
        }
    }

    /// Adds and enrols somebody with a role for the cameras.
    async fn person(&self, name: &str, role: Role, cameras: &[&str]) -> Phone {
        let token = self.invite(name, Self::grant(role, only(cameras)));
        self.enrol(&token).await
    }

    fn code(&self, phone: &Phone) -> Zeroizing<String> {
        phone.secret.code(totp::step_at(self.now()))
    }

    async fn try_sign_in(&self, phone: &Phone) -> Result<Token, SignInError> {
        let code = self.code(phone);
        let signed = self
            .access
            .sign_in(&phone.name, password(), code, here())
            .await;
        self.clock.advance(Duration::from_secs(30));
        signed.map(|signed| signed.token)
    }

    async fn sign_in(&self, phone: &Phone) -> Token {
        self.try_sign_in(phone).await.expect("signs in")
    }

    fn id(&self, name: &str) -> PersonId {
        let directory = self.access.directory();
        directory.named(name).expect("known").account.person
    }

    fn may<A: Act>(&self, token: &Token, on: Option<&str>) -> Result<Authorised<A>, Refusal> {
        let on = on.map(camera);
        let caller = Caller {
            address: here(),
            token: Some(token),
        };
        self.access.authorise(&caller, on.as_ref())
    }

    fn events(&self) -> Vec<EventRow> {
        let reader = self.catalog.reader().expect("reader");
        reader.events(0, 10_000).expect("events")
    }

    fn count(&self, action: &str, result: &str) -> usize {
        let events = self.events();
        let counted = events.iter().map(|row| &row.event);
        counted
            .filter(|e| e.action == action && e.result == result)
            .count()
    }
}

fn password() -> Zeroizing<String> {
    Zeroizing::new(PASSWORD.to_owned())
}
