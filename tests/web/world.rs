//! A box with a person of every role, a clock that is moved by hand, and its router.

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use sinetti::access::confirm::{Confirmer, confirm};
use sinetti::access::credential::keys_of;
use sinetti::access::people::{Actor, NewGrant, PeopleAct, new_enrolment};
use sinetti::access::role::Role;
use sinetti::access::totp::{Secret, step_at};
use sinetti::access::{Access, Options, Premises};
use sinetti::alarm::Figures;
use sinetti::base::clock::SimulatedClock;
use sinetti::base::error::Result;
use sinetti::base::id::BoxId;
use sinetti::base::shutdown::{Stopper, pair};
use sinetti::base::time::Wall;
use sinetti::catalog::{Cameras, Catalog, Language, Reader, Undertaking, Validity};
use sinetti::config;
use sinetti::http::app::{App, Host, Parts};
use sinetti::http::gate::Gate;
use sinetti::http::routes;
use sinetti::http::server::Peer;
use sinetti::ledger::checkpoint::Key;
use sinetti::recorder::board::Board;
use sinetti::recorder::live::Live;
use sinetti::vault::identity::Identity;
use sinetti::vault::person::Cost;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tower::ServiceExt;

pub(crate) const ON_PREMISES: &str = "192.168.10.7:50000";
pub(crate) const PASSWORD: &str = "kissa söi lumihangen";

pub(crate) const CONFIG: &str = r#"[site]
name = "Myymälä 1"
[web]
listen = ["127.0.0.1:0"]
premises = ["192.168.10.0/24"]
[[volume]]
name = "levy-1"
path = "/nowhere/volume"
[[camera]]
id = "kassa-1"
name = "Kassa 1"
area = "Kassat"
address = "192.168.20.21"
main = "/stream1"
purposes = ["protection-of-property"]
[[camera]]
id = "ovi-2"
name = "Ovi 2"
area = "Sisäänkäynti"
address = "192.168.20.22"
main = "/stream1"
purposes = ["protection-of-persons"]
"#;

struct Alone(Arc<SimulatedClock>);

impl Host for Alone {
    fn believed(&self, _: &Reader) -> Result<Wall> {
        Ok(sinetti::base::Clock::wall(&*self.0))
    }

    fn deletion_troubles(&self) -> Vec<String> {
        Vec::new()
    }

    fn damaged_segments(&self) -> u64 {
        0
    }

    fn alarms(&self, reader: &Reader) -> Result<Figures> {
        Ok(Figures::of(&reader.alarms_up()?))
    }

    fn kept(&self) {}

    fn certificate_until(&self, _: Wall) {}
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: axum::http::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|e| panic!("{e}: {:?}", String::from_utf8_lossy(&self.body)))
    }

    /// The word of a problem; empty for what is none.
    pub(crate) fn word(&self) -> String {
        let json: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let kind = json["type"].as_str().unwrap_or_default();
        kind.strip_prefix("urn:sinetti:")
            .unwrap_or_default()
            .to_owned()
    }
}

pub(crate) struct World {
    pub(crate) clock: Arc<SimulatedClock>,
    pub(crate) app: Arc<App>,
    pub(crate) access: Access,
    pub(crate) catalog: Arc<Catalog>,
    router: Router,
    secrets: BTreeMap<String, Secret>,
    runtime: tokio::runtime::Runtime,
    _stopper: Stopper,
    pub(crate) dir: tempfile::TempDir,
}

impl World {
    /// A person for every role, named as the role; a controller stands behind all of them. Staff, managers and maintenance have
    /// the camera `kassa-1` alone.
    pub(crate) fn new() -> World {
        let dir = tempfile::tempdir().expect("a folder");
        let start = Wall::parse_rfc3339("2026-11-23T08:00:00Z").expect("a time");
        let clock = SimulatedClock::at(start);
        let box_id = BoxId::random();
        let catalog = dir.path().join("catalog.db");
        let catalog = Arc::new(Catalog::open(&catalog, box_id).expect("a catalog"));
        let key = "00".repeat(32);
        let key = Key::from_hex(&key).expect("a key");
        let recovery = Identity::generate().recipient();
        let config = Arc::new(config::parse(CONFIG, dir.path()).expect("a good configuration"));
        let access = Access::new(Options {
            catalog: Arc::clone(&catalog),
            clock: Arc::<SimulatedClock>::clone(&clock),
            recovery,
            site: "Myymälä 1".to_owned(),
            premises: Premises::new(Arc::clone(&config.web.premises)),
            cost: Cost::CHEAP_FOR_TESTS,
            on_generation: Box::new(|_| {}),
        })
        .expect("access");
        let (stopper, stopped) = pair();
        let (_, receiver) = tokio::sync::watch::channel(config);
        let parts = Parts {
            dir: dir.path().to_owned(),
            box_id,
            clock: Arc::<SimulatedClock>::clone(&clock),
            catalog: Arc::clone(&catalog),
            board: Board::default(),
            live: Live::default(),
            config: receiver,
            access: access.clone(),
            packages: None,
            ledger_key: key,
            host: Arc::new(Alone(Arc::clone(&clock))),
        };
        let app = App::new(parts, stopped).expect("an app");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let mut world = World {
            router: routes::router(&app),
            clock,
            app,
            access,
            catalog,
            secrets: BTreeMap::new(),
            runtime,
            _stopper: stopper,
            dir,
        };
        for role in Role::ALL {
            world.add(*role);
        }
        for role in [Role::Manager, Role::Controller] {
            world.confirm(role.as_str());
        }
        world
    }

    pub(crate) fn now(&self) -> Wall {
        sinetti::base::Clock::wall(&*self.clock)
    }

    fn console() -> Actor {
        Actor::Console {
            by: "test".to_owned(),
        }
    }

    pub(crate) fn change(&self, act: &PeopleAct) {
        self.access.change(act, &Self::console()).expect("changed");
    }

    fn add(&mut self, role: Role) {
        let (token, enrolment) = new_enrolment().expect("a token");
        let own = matches!(role, Role::Staff | Role::Manager | Role::Maintenance);
        let cameras = Cameras::Only(vec!["kassa-1".parse().expect("an id")]);
        let far = self.now().plus_us(400 * 86_400_000_000);
        self.change(&PeopleAct::Add {
            name: role.as_str().to_owned(),
            display: format!("Henkilö {role}"),
            language: Language::Fi,
            undertaking: Some(Undertaking {
                version: "2026-1".to_owned(),
                signed: self.now(),
                until: None,
            }),
            valid: Validity {
                from: self.now(),
                until: Some(far),
            },
            grant: NewGrant {
                role,
                cameras: if own { cameras } else { Cameras::All },
                approves: false,
                until: (role == Role::Maintenance).then_some(far),
            },
            enrolment,
        });
        let token = token.to_text();
        let given = json!({ "token": token.as_str(), "password": PASSWORD });
        let begun = self.post("/api/v1/enrolment", &given, None);
        assert_eq!(begun.status, StatusCode::OK, "{:?}", begun.json());
        let uri = begun.json()["uri"].as_str().expect("a URI").to_owned();
        let secret = secret_of(&uri);
        let code = secret.code(step_at(self.now()));
        let given = json!({ "token": token.as_str(), "code": code.as_str() });
        let finished = self.post("/api/v1/enrolment/code", &given, None);
        assert_eq!(finished.status, StatusCode::OK, "{:?}", finished.json());
        self.secrets.insert(role.as_str().to_owned(), secret);
    }

    /// Two of the three shares stand behind a person's rights.
    pub(crate) fn confirm(&self, name: &str) {
        let directory = self.access.directory();
        let standing = directory.named(name).expect("the person");
        let by = Confirmer {
            person: None,
            used: None,
            detail: json!({}),
        };
        let reader = self.catalog.reader().expect("reader");
        let keys = reader.person_of(standing.account.person).expect("query");
        let keys = keys_of(&keys.expect("keys")).expect("a record");
        let to = &keys.recipient;
        confirm(&self.catalog, standing, to, &by, Vec::new(), self.now()).expect("confirmed");
        self.access.catch_up().expect("caught up");
    }

    /// A code of the second factor that was not used before.
    pub(crate) fn code(&self, name: &str) -> String {
        // The next step of the clock has a new one.
        self.clock.advance(Duration::from_secs(30));
        let code = self.secrets[name].code(step_at(self.now()));
        code.as_str().to_owned()
    }

    /// Signs in; the cookie.
    pub(crate) fn sign_in(&self, name: &str) -> String {
        let code = self.code(name);
        let given = json!({ "name": name, "password": PASSWORD, "code": code });
        let answer = self.post("/api/v1/session", &given, None);
        assert_eq!(answer.status, StatusCode::OK, "{name}: {:?}", answer.json());
        let cookie = answer.headers["set-cookie"].to_str().expect("a cookie");
        cookie.split(';').next().unwrap_or_default().to_owned()
    }

    pub(crate) fn post(&self, path: &str, body: &Value, cookie: Option<&str>) -> Answer {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header("content-type", "application/json");
        if let Some(cookie) = cookie {
            request = request.header("cookie", cookie);
        }
        self.call(
            request
                .body(Body::from(body.to_string()))
                .expect("a request"),
            ON_PREMISES,
        )
    }

    pub(crate) fn get(&self, path: &str, cookie: Option<&str>) -> Answer {
        let mut request = Request::builder().uri(path);
        if let Some(cookie) = cookie {
            request = request.header("cookie", cookie);
        }
        self.call(request.body(Body::empty()).expect("a request"), ON_PREMISES)
    }

    /// Begins to call a route, and goes away at its first wait.
    pub(crate) fn begin(&self, mut request: Request<Body>) {
        request.extensions_mut().insert(peer(ON_PREMISES));
        let router = self.router.clone();
        self.runtime.block_on(async {
            let mut answer = Box::pin(router.oneshot(request));
            let once = std::future::poll_fn(|cx| {
                std::task::Poll::Ready(answer.as_mut().poll(cx).is_pending())
            });
            assert!(once.await, "it waits for nothing");
        });
    }

    /// Calls a route from an address.
    pub(crate) fn call(&self, mut request: Request<Body>, from: &str) -> Answer {
        request.extensions_mut().insert(peer(from));
        let router = self.router.clone();
        self.runtime.block_on(async {
            let response = router.oneshot(request).await.expect("an answer");
            let (parts, body) = response.into_parts();
            let body = body.collect().await.expect("a whole body").to_bytes();
            Answer {
                status: parts.status,
                headers: parts.headers,
                body: body.to_vec(),
            }
        })
    }
}

fn peer(from: &str) -> Peer {
    let address: SocketAddr = from.parse().expect("an address");
    let place = Arc::new(Gate::default()).enter(address.ip(), true);
    Peer {
        address,
        place: Arc::new(place.expect("room")),
        cut: Arc::default(),
    }
}

/// Out of `otpauth://totp/…?secret=…`.
fn secret_of(uri: &str) -> Secret {
    let secret = uri
        .split(['?', '&'])
        .find_map(|part| part.strip_prefix("secret="))
        .expect("a secret");
    Secret::parse(secret).expect("base32")
}
