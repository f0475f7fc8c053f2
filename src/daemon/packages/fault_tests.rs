//! A fault at every single step of a package's job, and the death of the process between any two of them: nothing of a package that
//! is not whole is left, the register says what is there, and the next job makes a package that proves itself.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::*;
use crate::base::clock::{HostSync, SimulatedClock};
use crate::base::disk;
use crate::base::disk::Step;
use crate::base::disk::faults::{Faults, Outcome};
use crate::base::hash::Digest;
use crate::base::id::{HoldId, PersonId};
use crate::base::secret::SegmentKey;
use crate::base::time::{Mono, Span, Wall};
use crate::catalog::{
    Asked, Cameras, Change, DISCLOSURE_REQUESTED, DisclosureCamera, DisclosureChange,
    DisclosureKind, DisclosureRow, DisclosureState, Event, HoldKind, JobRow, JobState, Language,
    LedgerChange, NewRequest, Role, Serial, Stepped, What,
};
use crate::config;
use crate::disclosure::register;
use crate::evidence::package::check;
use crate::evidence::package::folder::Folder;
use crate::evidence::package::order::{self, Order};
use crate::ledger::checkpoint::Signer;
use crate::recorder::fault_tests::Scene;
use crate::retention::hold::{self, By, NewHold};
use crate::vault::identity::Identity;
use crate::vault::opener::Opener;
use crate::vault::parcel;
use crate::vault::slot::WrappedKey;

const ONE: DisclosureId = DisclosureId(10_000_001);
/// Scenes at a time: what they wait for is a checkpoint, which is a second behind.
const AT_ONCE: usize = 16;

/// A clock that ends the process, by a panic that the test catches, when it has been looked at so often.
struct Mortal {
    clock: Arc<SimulatedClock>,
    looks: AtomicUsize,
    left: AtomicI64,
    /// More than a second passes from look to look.
    hurries: AtomicBool,
}

impl Mortal {
    fn look(&self) {
        self.looks.fetch_add(1, Ordering::SeqCst);
        assert!(
            self.left.fetch_sub(1, Ordering::SeqCst) != 0,
            "the process dies"
        );
    }
}

impl Clock for Mortal {
    fn wall(&self) -> Wall {
        self.look();
        self.clock.wall()
    }

    fn mono(&self) -> Mono {
        self.look();
        if self.hurries.load(Ordering::SeqCst) {
            self.clock.advance(Duration::from_millis(1100));
        }
        self.clock.mono()
    }

    fn mono_at(&self, instant: Instant) -> Mono {
        self.clock.mono_at(instant)
    }

    fn host_sync(&self) -> HostSync {
        self.clock.host_sync()
    }
}

/// What goes wrong.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// The change of the file system with that number, among those of packages.
    Disk(usize, Outcome),
    /// The process dies when it looks at the clock for that time.
    Dies(usize),
}

struct Own(Identity);

impl Opener for Own {
    fn open(&self, key: &WrappedKey) -> Result<SegmentKey> {
        key.open(&self.0)
    }
}

/// A box with footage of a camera, and a disclosure of all of it that was approved.
struct Shop {
    scene: Scene,
    clock: Arc<Mortal>,
    desk: Desk,
    jobs: Receiver<Message>,
    manager: PersonId,
    hold: HoldId,
    given: Span,
    /// The process dies when it makes papers, long after its entry is in the ledger.
    dies_late: Arc<AtomicBool>,
    /// How often the last job looked at the clock.
    looks: AtomicUsize,
}

fn signer(dir: &std::path::Path) -> Signer {
    let random = ring::rand::SystemRandom::new();
    let key = ring::signature::Ed25519KeyPair::generate_pkcs8(&random).expect("a key");
    disk::create_dir_all(&dir.join("keys"), disk::SECRET_DIR_MODE).expect("a folder");
    let path = dir.join("keys/ledger.pk8");
    disk::create(&path, key.as_ref(), disk::SECRET_MODE).expect("written");
    Signer::from_pkcs8(key.as_ref()).expect("a signer")
}

impl Shop {
    fn new() -> Self {
        let mut key = None;
        let scene = Scene::of(|path, box_id| {
            let signer = signer(path.parent().expect("a folder"));
            key = Some(signer.key());
            Catalog::open_signing(path, box_id, Ok(signer)).expect("a catalog")
        });
        scene.record();
        let start = scene.clock.wall();
        let given = Span {
            start,
            end: start.plus_us(900_000),
        };
        scene.clock.advance(Duration::from_secs(60));
        let text = format!(
            "[site]\nname = \"Myymälä 1\"\n\n[[volume]]\nname = \"disk-1\"\npath = \"{}\"\nreserve_gib = 0.1\n\n[[camera]]\n\
             id = \"kassa-1\"\nname = \"Kassa 1\"\narea = \"Kassat\"\naddress = \"192.168.10.21\"\nmain = \"/stream1\"\n\
             purposes = [\"protection-of-property\"]\n",
            scene.volume.root.display()
        );
        let state = State {
            dir: scene.dir.path().to_owned(),
            box_id: scene.box_id,
            recovery: scene.recovery.recipient(),
            ledger_key: key.expect("a key").to_hex(),
        };
        disk::create(&state.config_path(), text.as_bytes(), 0o600).expect("written");
        let feed = AlarmFeed::default();
        let loaded = config::load(&state.config_path()).expect("a configuration");
        feed.configure(&loaded);
        let clock = Arc::new(Mortal {
            clock: Arc::clone(&scene.clock),
            looks: AtomicUsize::new(0),
            left: AtomicI64::new(-1),
            hurries: AtomicBool::new(false),
        });
        let options = Options {
            catalog: Arc::clone(&scene.catalog),
            clock: Arc::<Mortal>::clone(&clock),
            box_id: scene.box_id,
            sealing: SealingInForce::new(scene.sealing.clone()),
            board: Board::default(),
            deletion: DeletionBoard::default(),
            feed,
            state,
            lines: Lines::default(),
        };
        let (sender, jobs) = sync_channel(JOBS_MAX);
        let manager = PersonId::random();
        let hold = held(&scene, manager, given);
        let shop = Self {
            clock,
            desk: Desk { options, sender },
            jobs,
            manager,
            hold,
            given,
            dies_late: Arc::default(),
            looks: AtomicUsize::new(0),
            scene,
        };
        shop.approved();
        shop
    }

    fn options(&self) -> &Options {
        &self.desk.options
    }

    fn packages(&self) -> PathBuf {
        self.scene.volume.root.join(PACKAGES_DIR)
    }

    fn reader(&self) -> crate::catalog::Reader {
        self.scene.catalog.reader().expect("a reader")
    }

    fn row(&self) -> DisclosureRow {
        self.reader().disclosure(ONE).expect("read").expect("a row")
    }

    fn step(&self, (action, by): (&str, &str), change: DisclosureChange, facts: Value) {
        let at = self.scene.clock.wall();
        let event = Event {
            actor: by.to_owned(),
            ..Event::of_box(at, action, format!("disclosure {ONE}"), facts)
        };
        self.scene.catalog.commit(change, event).expect(action);
    }

    /// What is done before a package may be made.
    fn approved(&self) {
        let (by, at) = (self.manager.to_string(), self.scene.clock.wall());
        let kind = DisclosureKind::AuthorityRequest;
        let row = DisclosureRow::draft(ONE, kind, json!({}), (&by, at));
        let drafted = DisclosureChange::Drafted(Box::new(row.clone()));
        self.step(("disclosure-drafted", &by), drafted, json!({}));
        let serial = Serial {
            year: 2026,
            number: 1,
        };
        let asked = Asked {
            serial,
            at,
            due: None,
            hold: self.hold,
            basis: "police-request".to_owned(),
            purpose: "crime-investigation".to_owned(),
            recipient: "helsingin poliisilaitos".to_owned(),
            approvers: 1,
            cameras: vec![DisclosureCamera {
                camera: self.scene.stream.camera.clone(),
                name: "Kassa 1".to_owned(),
                asked: self.given,
                given: self.given,
                gaps: Vec::new(),
            }],
        };
        let new = NewRequest {
            disclosure: ONE,
            version: row.version,
            form: json!({}),
            secret: false,
            asked,
            by: by.clone(),
            detail: json!({}),
        };
        let requested = DisclosureChange::Requested(Box::new(new));
        let facts = json!({ "serial": serial });
        self.step((DISCLOSURE_REQUESTED, &by), requested, facts);
        let stepped = Stepped {
            disclosure: ONE,
            at,
            by: "controller".to_owned(),
            detail: json!({}),
            what: What::Approve {
                enough: true,
                frozen: json!({}),
            },
        };
        let approved = DisclosureChange::Stepped(Box::new(stepped));
        self.step(("disclosure-approved", "controller"), approved, json!({}));
    }

    /// As the route has it.
    fn start(&self) -> Start {
        let (by, dies) = (self.manager, Arc::clone(&self.dies_late));
        let at = self.scene.clock.wall();
        let camera = order::Camera {
            camera: self.scene.stream.camera.clone(),
            name: "Kassa 1".to_owned(),
            asked: self.given,
            given: self.given,
        };
        Start {
            disclosure: ONE,
            order: Order {
                serial: "2026-0001".to_owned(),
                kind: "authority-request".to_owned(),
                cameras: vec![camera],
                purpose: "a purpose".to_owned(),
                basis: "a basis".to_owned(),
                language: Language::Fi,
                encryption: None,
                viewing: false,
            },
            hold: self.hold,
            by,
            vault: Arc::new(Own(identity(&self.scene))),
            check: Arc::new(|| Ok(())),
            proved: Box::new(move |manifest| {
                let facts = json!({ "manifest": manifest.to_string() });
                Ok(Event::of_box(at, "disclosure-prepared", "", facts))
            }),
            prepared: Box::new(move |manifest, entry| {
                let stepped = Stepped {
                    disclosure: ONE,
                    at,
                    by: by.to_string(),
                    detail: json!({}),
                    what: What::Prepare { manifest, entry },
                };
                Ok(Change::Disclosure(DisclosureChange::Stepped(Box::new(
                    stepped,
                ))))
            }),
            papers: Box::new(move |_| {
                assert!(!dies.load(Ordering::SeqCst), "the process dies late");
                Ok(vec![("handover.pdf".to_owned(), b"%PDF-1.7".to_vec())])
            }),
        }
    }

    /// Queues a job and does it here; false when the process died of it.
    fn make(&self, fault: Option<Fault>) -> bool {
        self.desk.start(self.start()).expect("queued");
        let Ok(Message::Job(job)) = self.jobs.try_recv() else {
            panic!("no job");
        };
        let disk = match fault {
            Some(Fault::Disk(at, outcome)) => Some(Faults::below(&self.packages(), at, 1, outcome)),
            Some(Fault::Dies(at)) => {
                let left = i64::try_from(at).expect("small");
                self.clock.left.store(left, Ordering::SeqCst);
                None
            }
            None => None,
        };
        let before = self.clock.looks.load(Ordering::SeqCst);
        let lives = catch_unwind(AssertUnwindSafe(|| job.run(self.options()))).is_ok();
        self.clock.left.store(-1, Ordering::SeqCst);
        let looks = self.clock.looks.load(Ordering::SeqCst) - before;
        self.looks.store(looks, Ordering::SeqCst);
        drop(disk);
        lives
    }

    /// What a start does after a death, and what the thread does after each job.
    fn after(&mut self, lives: bool) {
        if !lives {
            let at = self.scene.clock.wall();
            let orphans = LedgerChange::OrphansClosed { at };
            self.scene.catalog.commit(orphans, None).expect("closed");
            self.desk.options.lines = Lines::default();
            interrupted(self.options()).expect("told");
        }
        look(self.options());
    }

    /// That what the register says is what is there; the last job.
    fn truth(&self, why: &str) -> JobRow {
        let reader = self.reader();
        assert_eq!(reader.open_jobs().expect("read"), [], "{why}");
        assert!(reader.open_intents().expect("read").is_empty(), "{why}");
        let rows = reader.package_files_there().expect("read");
        let name = |place: &str| place.split('/').next_back().unwrap_or_default().to_owned();
        let known: BTreeSet<String> = rows.iter().map(|row| name(&row.place)).collect();
        let found = std::fs::read_dir(self.packages()).into_iter().flatten();
        let found = found.map(|e| {
            e.expect("a file")
                .file_name()
                .to_string_lossy()
                .into_owned()
        });
        assert_eq!(found.collect::<BTreeSet<_>>(), known, "{why}");
        let row = self.row();
        let state = if rows.is_empty() {
            DisclosureState::Approved
        } else {
            DisclosureState::Prepared
        };
        assert_eq!(row.state, state, "{why}");
        assert_eq!(row.prepared.is_some(), !rows.is_empty(), "{why}");
        let wrong = register::agreement(&reader, &[row]).expect("read").wrong;
        assert!(wrong.is_empty(), "{why}: {wrong:?}");
        let hold = reader.hold(self.hold).expect("read").expect("a hold");
        assert!(hold.ended.is_none(), "{why}");
        reader.last_job(ONE).expect("read").expect("a job")
    }

    /// That the package which is there is the one of the register, and proves itself.
    fn proves_itself(&self, why: &str) {
        let rows = self.reader().package_files_there().expect("read");
        let [part] = rows.as_slice() else {
            panic!("{why}: {rows:?}");
        };
        let wrapped = parcel::wrapped(part.key.as_ref().expect("a key")).expect("a slot");
        let key = wrapped.open(&self.scene.recovery).expect("opens");
        let sealed = std::fs::File::open(self.options().place(part).expect("a place"));
        let mut clear = parcel::open(&key, sealed.expect("opens")).expect("opens");
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut clear, &mut bytes).expect("reads");
        assert_eq!(Digest::sha256(&[&bytes]), part.sha256, "{why}");
        let dir = tempfile::tempdir().expect("a folder");
        let zip = dir.path().join("package.zip");
        disk::create(&zip, &bytes, 0o600).expect("written");
        let folder = Folder::of(&[zip]).expect("a package");
        let key = self.options().state.key().expect("a key");
        let report = check::check(&folder, Some(&key.fingerprint())).expect("checked");
        assert_eq!(report.findings, [], "{why}");
        let manifest = folder.read("manifest.json", 1 << 20).expect("reads");
        let digest = Digest::sha256(&[&manifest]);
        assert_eq!(self.row().prepared.map(|(_, d)| d), Some(digest), "{why}");
        let entry = self.reader().entry(report.entry.expect("an entry"));
        let facts = entry.expect("read").entry.facts;
        assert_eq!(facts["manifest"], digest.to_string(), "{why}");
    }
}

fn identity(scene: &Scene) -> Identity {
    Identity::from_text(&scene.recovery.to_text()).expect("an identity")
}

fn held(scene: &Scene, person: PersonId, span: Span) -> HoldId {
    let by = By {
        person: person.to_string(),
        role: Role::Manager,
        cameras: Cameras::All,
        detail: Value::Null,
        with: Vec::new(),
    };
    let new = NewHold {
        kind: HoldKind::Case,
        cameras: [scene.stream.camera.clone()].into(),
        span,
        matter: "2026-0001".to_owned(),
        reason: "a request".to_owned(),
        until: None,
        review: None,
    };
    let row = hold::place(&scene.catalog, &by, new, scene.clock.wall());
    row.expect("placed").hold
}

/// What there is to go wrong in a job: changes of the file system, and looks at the clock.
fn points() -> Vec<Fault> {
    let mut shop = Shop::new();
    let watched = Faults::below(&shop.packages(), usize::MAX, 0, Outcome::Undone);
    assert!(shop.make(None));
    let seen = watched.seen();
    drop(watched);
    shop.after(true);
    assert_eq!(shop.truth("a good job").state, JobState::Done);
    shop.proves_itself("a good job");
    assert!(
        seen.iter().any(|(step, _)| *step == Step::Rename),
        "{seen:?}"
    );
    let outcomes = [Outcome::Undone, Outcome::Done, Outcome::Full, Outcome::Dies];
    let disk = (0..seen.len()).flat_map(|at| outcomes.map(|outcome| Fault::Disk(at, outcome)));
    let looks = (0..shop.looks.load(Ordering::SeqCst)).map(Fault::Dies);
    disk.chain(looks).collect()
}

/// One fault, then what is there, then another job; true when the first failed.
fn with_fault(fault: Fault) -> bool {
    let (mut shop, why) = (Shop::new(), format!("{fault:?}"));
    let lives = shop.make(Some(fault));
    shop.after(lives);
    let job = shop.truth(&why);
    let cause = job.cause.as_deref().unwrap_or_default();
    match (job.state, fault) {
        (JobState::Done, _) => shop.proves_itself(&why),
        _ if !lives => assert_eq!(cause, "interrupted", "{why}"),
        (_, Fault::Disk(_, Outcome::Full)) => {
            assert!(cause.starts_with("disk full: "), "{why}: {cause}");
        }
        _ => assert!(cause.contains("Input/output error"), "{why}: {cause}"),
    }
    assert!(shop.make(None), "{why}");
    shop.after(true);
    let again = shop.truth(&why);
    assert_eq!(again.state, JobState::Done, "{why}: {:?}", again.cause);
    shop.proves_itself(&why);
    job.state != JobState::Done
}

#[test]
fn whatever_ends_a_job_the_register_says_what_is_there_and_the_next_makes_a_package() {
    let points = points();
    let (next, failed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(fault) = points.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let fails = usize::from(with_fault(*fault));
                    failed.fetch_add(fails, Ordering::SeqCst);
                }
            });
        }
    });
    let failed = failed.into_inner();
    // A sync that is reported as failed fails the job; a file that may have no name gets one.
    assert!(failed * 4 > points.len() * 3, "{failed} of {points:?}");
}

#[test]
fn a_job_that_dies_after_its_entry_takes_the_place_of_no_package() {
    let mut shop = Shop::new();
    assert!(shop.make(None));
    shop.after(true);
    let (first, files) = (shop.row().prepared, shop.reader().package_files_there());
    shop.dies_late.store(true, Ordering::SeqCst);
    let lives = shop.make(None);
    assert!(!lives);
    shop.after(lives);
    assert_eq!(shop.truth("died").cause.as_deref(), Some("interrupted"));
    // The ledger has the entry of a manifest that nobody has; the register and the package are those of before.
    assert_eq!(shop.row().prepared, first);
    let now = shop.reader().package_files_there();
    assert_eq!(now.expect("read"), files.expect("read"));
    shop.proves_itself("the first");
    shop.dies_late.store(false, Ordering::SeqCst);
    assert!(shop.make(None));
    shop.after(true);
    assert_eq!(shop.truth("again").state, JobState::Done);
    assert_ne!(shop.row().prepared, first, "another manifest");
    shop.proves_itself("the second");
}

#[test]
fn what_would_touch_the_reserve_is_refused_with_figures_and_given_up_on_the_way() {
    let mut shop = Shop::new();
    let loaded = shop.options().feed.in_force().expect("a configuration");
    let reserve = |bytes: u64| {
        let mut loaded = loaded.clone();
        Arc::make_mut(&mut loaded.config.volumes[0]).reserve_bytes = bytes;
        loaded
    };
    let all = u64::MAX >> 8;
    shop.options().feed.configure(&reserve(all));
    let e = shop.desk.start(shop.start()).expect_err("no room");
    let text = e.to_string();
    assert_eq!(e.kind(), Kind::Full);
    assert!(
        text.contains("it needs 64 MiB") && text.contains("has 0 MiB above what recording needs"),
        "{text}"
    );
    assert_eq!(shop.reader().last_job(ONE).expect("read"), None);
    // Then something takes the room while it is made.
    shop.options().feed.configure(&reserve(0));
    let (feed, full) = (shop.options().feed.clone(), reserve(all));
    shop.clock.hurries.store(true, Ordering::SeqCst);
    let mut start = shop.start();
    let asked = AtomicUsize::new(0);
    start.check = Arc::new(move || {
        // When it is queued, when it begins, and right before the first byte.
        if asked.fetch_add(1, Ordering::SeqCst) == 2 {
            feed.configure(&full);
        }
        Ok(())
    });
    shop.desk.start(start).expect("queued");
    let Ok(Message::Job(job)) = shop.jobs.try_recv() else {
        panic!("no job");
    };
    job.run(shop.options());
    shop.after(true);
    let job = shop.truth("no room");
    let cause = job.cause.unwrap_or_default();
    assert!(cause.starts_with("disk full: volume \"disk-1\""), "{cause}");
}
