//! What must not be on the disk, in a log, in the process list or in reach of the recorder.

use crate::eyes::{files, mode, parts, wait};
use crate::support::{PASSPHRASE, PURPOSE, Ran, TestBox, footage, now, ran, server, span};
use sinetti_simulator::{Camera, CameraHandle, Fault, Footage, Login, Scheme, Server};
use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const USER: &str = "katselija1";
const PASSWORD: &str = "hauki-on-kala-71b";
/// Bytes of a picture that would give it away.
const WINDOW: usize = 32;
const FILES: [&str; 2] = ["till.264", "till-h265.265"];

/// A box that records two cameras which ask for a password.
struct Scene {
    shop: TestBox,
    server: Server,
    cameras: Vec<CameraHandle>,
}

impl Scene {
    fn recording() -> Scene {
        let (mut shop, server) = (TestBox::new(), server());
        shop.set_recorder("segment_secs = 10");
        let login = shop.secret("login", &format!("{USER}\n{PASSWORD}\n"));
        let login = login.to_string_lossy().into_owned();
        let add = |(id, file): (&str, &str)| {
            shop.add_camera(id, server.address(), &["--credentials", &login]);
            let camera = Camera {
                login: Some(Login {
                    user: USER.to_owned(),
                    password: PASSWORD.to_owned(),
                    scheme: Scheme::Digest,
                }),
                ..Camera::new(footage(file))
            };
            server.add(&format!("/{id}/main"), camera)
        };
        let cameras = vec![add(("till", FILES[0])), add(("open-gop", FILES[1]))];
        shop.start();
        shop.wait_for_pictures(&["till/main", "open-gop/main"], 60);
        Scene {
            shop,
            server,
            cameras,
        }
    }

    fn wait_for_errors(&mut self, what: &str, wanted: impl Fn(&str) -> bool) {
        self.shop.wait(what, |status| {
            let mut lines = status.streams.values();
            lines.all(|line| line.last_error.as_deref().is_some_and(&wanted))
        });
    }

    fn export_with_another_passphrase(&self) -> Ran {
        let another = self.shop.secret("another", &format!("{PASSPHRASE} ei\n"));
        let from = self.shop.ls("till/main").footage.coverage.recorded[0].start;
        let mut export = self.shop.command(&["export", "--camera", "till"]);
        export.args(["--from", &from.rfc3339(), "--to", &now().rfc3339()]);
        let approval = self.shop.approval();
        let code = self.shop.secret("code", &self.shop.factor.code());
        export.args(["--purpose", PURPOSE, "--code-file"]).arg(code);
        export.args(["--person", "controller1"]).args(approval);
        export.arg("--passphrase-file").arg(another);
        let refused = ran(export.arg("-o").arg(self.shop.path("other.mp4")));
        assert_ne!(refused.code, 0);
        refused
    }

    /// The secrets in clear: no output, log, argument or file but their own may hold them.
    fn secrets(&self) -> Vec<String> {
        let shares = self.shop.shares.iter().map(|path| {
            let text = fs::read_to_string(path).expect("a share");
            text.trim().to_owned()
        });
        let known = [PASSPHRASE, PASSWORD, "AGE-SECRET-KEY-"].map(str::to_owned);
        let read = |path: &Path| fs::read_to_string(path).expect("a secret");
        let factor = read(&self.shop.factor.uri);
        let factor = factor
            .split(['=', '&'])
            .nth(1)
            .expect("a secret")
            .to_owned();
        let codes = read(&self.shop.factor.codes);
        let token = read(&self.shop.path("tokens/admin1.token"));
        let more = codes.lines().chain([token.trim()]).map(str::to_owned);
        let more: Vec<_> = more.chain([factor]).collect();
        shares.chain(known).chain(more).collect()
    }
}

/// Fails when one of the secrets is in these bytes, also in capitals or small letters.
#[track_caller]
fn holds_none(bytes: &[u8], secrets: &[String], of: &str) {
    let folded = bytes.to_ascii_lowercase();
    for secret in secrets {
        let needle = secret.to_lowercase().into_bytes();
        let found = folded.windows(needle.len()).any(|w| w == needle);
        assert!(
            !found,
            "{of} holds a secret: {}…",
            &secret[..8.min(secret.len())]
        );
    }
}

/// Windows of the slices of some access units: what a picture consists of. Parameter sets are no pictures.
fn slices(footage: &Arc<Footage>) -> HashSet<[u8; WINDOW]> {
    let mut found = HashSet::new();
    let units = footage.access_units();
    for unit in units.iter().step_by(7) {
        // After NAL header and slice header, which may be the same in sealed and other pictures.
        for nal in unit.nal_units().filter(|nal| nal.len() >= 3 * WINDOW) {
            let middle = nal.len() / 2;
            for at in [WINDOW / 2, middle, nal.len() - WINDOW] {
                found.insert(nal[at..at + WINDOW].try_into().expect("a window"));
            }
        }
    }
    assert!(found.len() > 100, "{} windows", found.len());
    found
}

fn clear_pictures(bytes: &[u8], slices: &HashSet<[u8; WINDOW]>) -> usize {
    let is_clear = |window: &&[u8]| slices.contains::<[u8]>(window);
    bytes.windows(WINDOW).filter(is_clear).count()
}

#[test]
fn no_clear_picture_is_on_the_disk() {
    let mut scene = Scene::recording();
    let slices: HashSet<_> = FILES
        .iter()
        .flat_map(|file| slices(&footage(file)))
        .collect();
    // While it grows, after a kill, after the recovery, and after an orderly stop.
    assert!(!parts(&scene.shop.volume).is_empty());
    disk_is_sealed(&scene, &slices);
    scene.shop.kill();
    disk_is_sealed(&scene, &slices);
    scene.shop.start();
    wait(&mut scene.shop, "it is recorded again", |shop| {
        shop.log().matches(": receiving").count() == 2
    });
    scene.shop.stop();
    disk_is_sealed(&scene, &slices);
    // An export is clear, where it was asked for, for its owner alone; and nowhere else.
    let recorded = scene.shop.ls("till/main").footage.coverage.recorded[0];
    scene.shop.export("till/main", recorded, "clip.mp4");
    let clip = scene.shop.path("clip.mp4");
    assert!(
        clear_pictures(&fs::read(&clip).expect("reads"), &slices) > 10,
        "the search finds what is there"
    );
    assert_eq!(mode(&clip), 0o600);
    disk_is_sealed(&scene, &slices);
    assert!(
        scene
            .cameras
            .iter()
            .all(|camera| camera.counters().unauthorized > 0)
    );
}

fn disk_is_sealed(scene: &Scene, slices: &HashSet<[u8; WINDOW]>) {
    let ours: Vec<PathBuf> = [&scene.shop.volume, &scene.shop.dir]
        .into_iter()
        .flat_map(|dir| files(dir))
        .collect();
    assert!(ours.iter().any(|path| path.ends_with("catalog.db")));
    assert!(
        ours.iter()
            .any(|path| path.to_string_lossy().contains(".mp4"))
    );
    for path in ours.iter().filter(|path| is_file(path)) {
        // A segment may be closed while this looks.
        let Ok(bytes) = fs::read(path) else { continue };
        assert_eq!(clear_pictures(&bytes, slices), 0, "{}", path.display());
    }
}

fn is_file(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| !meta.file_type().is_socket())
}

#[test]
fn no_secret_is_told_or_kept_outside_its_file() {
    let mut scene = Scene::recording();
    let secrets = scene.secrets();
    let process = PathBuf::from(format!("/proc/{}", scene.shop.recorder().id()));
    for file in ["cmdline", "environ", "comm", "status"] {
        let bytes = fs::read(process.join(file)).unwrap_or_default();
        holds_none(&bytes, &secrets, file);
    }
    let status = scene.shop.run(&["status", "--json"]);
    // A camera that refuses the password, and one whose file cannot be understood.
    let login = scene
        .shop
        .secret("login", &format!("{USER}\n{PASSWORD}-vanha\n"));
    for camera in &scene.cameras {
        camera.fault(Fault::Disconnect);
    }
    scene.wait_for_errors("it is refused", |text| text.contains("401"));
    fs::write(&login, format!("{PASSWORD}\n")).expect("writes");
    scene.wait_for_errors("it is not understood", |text| !text.contains("401"));
    let trouble = scene.shop.run(&["status"]);
    let address = scene.server.address().to_string();
    let probe = [
        "camera",
        "probe",
        "--address",
        &address,
        "--path",
        "/till/main",
    ];
    let probe = ran(scene.shop.command(&probe).arg("--credentials").arg(&login));
    let (_, log) = scene.shop.stop();
    holds_none(log.as_bytes(), &secrets, "the log");
    fs::write(&login, format!("{USER}\n{PASSWORD}\n")).expect("writes");
    let refused = scene.export_with_another_passphrase();
    let recorded = scene.shop.ls("till/main").footage.coverage.recorded[0];
    let exported = scene.shop.export("till/main", recorded, "clip.mp4");
    holds_none(format!("{exported:?}").as_bytes(), &secrets, "the export");
    for ran in [&status, &trouble, &probe, &refused] {
        holds_none(format!("{ran:?}").as_bytes(), &secrets, "a command");
    }
    let own = [
        &scene.shop.passphrase,
        &login,
        &scene.shop.path("another"),
        &scene.shop.path("code"),
        &scene.shop.factor.uri,
        &scene.shop.factor.codes,
        &scene.shop.path("tokens/admin1.token"),
    ];
    for path in files(&scene.shop.path("")) {
        if !own.contains(&&path) && !scene.shop.shares.contains(&path) {
            let bytes = fs::read(&path).expect("reads");
            holds_none(&bytes, &secrets, &path.display().to_string());
        }
    }
}

#[test]
fn the_recorder_has_no_private_key_in_reach() {
    let mut scene = Scene::recording();
    scene.shop.stop();
    // What only people have is taken away; what the recorder must never want is made unreadable by being gone.
    let shares = scene.shop.path("shares");
    let (passphrase, kept) = (scene.shop.passphrase.clone(), scene.shop.path("kept"));
    fs::rename(&shares, scene.shop.path("shares-away")).expect("moves");
    fs::rename(&passphrase, &kept).expect("moves");
    fs::rename(
        scene.shop.dir.join("keys/ledger.pk8"),
        scene.shop.path("ledger-away"),
    )
    .expect("moves");
    let started = now();
    scene.shop.start();
    scene
        .shop
        .wait_for_pictures(&["till/main", "open-gop/main"], 30);
    let open = open_files(scene.shop.recorder().id());
    assert!(
        open.iter().any(|path| path.ends_with("catalog.db")),
        "{open:?}"
    );
    for path in &open {
        let text = path.to_string_lossy();
        let secret = ["share", "passphrase", "pk8", "login", "kept", "-away"]
            .iter()
            .any(|name| text.contains(name));
        assert!(!secret, "the recorder holds {text} open");
    }
    // Nor is one on the disk, but wrapped to somebody who is not there.
    for path in files(&scene.shop.dir)
        .into_iter()
        .chain(files(&scene.shop.volume))
        .filter(|path| is_file(path))
    {
        let bytes = fs::read(&path).unwrap_or_default();
        holds_none(
            &bytes,
            &["AGE-SECRET-KEY-".to_owned()],
            &path.display().to_string(),
        );
        // Keys of HTTPS open no footage, and browsers are answered after a power cut too.
        let of_https = path.starts_with(scene.shop.dir.join("keys"))
            && path
                .file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("web-"));
        let private = bytes.windows(11).any(|w| w == b"PRIVATE KEY");
        assert!(!private || of_https, "{}", path.display());
    }
    scene.shop.stop();
    fs::rename(&kept, &passphrase).expect("moves back");
    // Without it the ledger could not be signed, and nothing would be handed out.
    fs::rename(
        scene.shop.path("ledger-away"),
        scene.shop.dir.join("keys/ledger.pk8"),
    )
    .expect("moves back");
    let exported = scene
        .shop
        .export("till/main", span(started, now()), "clip.mp4");
    let pictures: usize = exported.clips.iter().map(|clip| clip.pictures).sum();
    assert!(
        pictures >= 30,
        "what it recorded can be opened by the one who may"
    );
    scene.shop.check(true);
}

/// What a process has open.
fn open_files(process: u32) -> Vec<PathBuf> {
    let open = fs::read_dir(format!("/proc/{process}/fd")).expect("its files");
    open.flatten()
        .filter_map(|entry| fs::read_link(entry.path()).ok())
        .collect()
}

#[test]
fn no_core_is_dumped_and_files_have_the_modes_of_secrets() {
    let mut scene = Scene::recording();
    let process = scene.shop.recorder().id();
    // A process that may not be dumped is nobody's but root's: its files in /proc belong to root whoever runs it. As root
    // that proves nothing, so it is run as somebody else.
    let dumpable = nobody_owns_its_proc();
    assert_eq!(
        dumpable,
        (0, 0),
        "/proc/PID/environ of a process of user 65534 belongs to root"
    );
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("status");
    if let Some(dumping) = status.lines().find(|line| line.starts_with("CoreDumping:")) {
        assert_eq!(dumping.split_whitespace().nth(1), Some("0"));
    }
    let shop = &scene.shop;
    let modes = [
        (shop.dir.clone(), 0o700),
        (shop.dir.join("keys"), 0o700),
        (shop.dir.join("keys/ledger.pk8"), 0o600),
        (shop.dir.join("box.json"), 0o600),
        (shop.dir.join("catalog.db"), 0o600),
        (shop.dir.join("catalog.db-wal"), 0o600),
        (shop.dir.join("catalog.db-shm"), 0o600),
        (shop.dir.join("control.sock"), 0o600),
        (shop.dir.join("lock"), 0o600),
        (shop.path("shares"), 0o700),
        (shop.path("tokens"), 0o700),
        (shop.path("tokens/admin1.token"), 0o600),
        (shop.factor.uri.clone(), 0o600),
        (shop.factor.codes.clone(), 0o600),
        (shop.volume.join("keys"), 0o700),
    ];
    for (path, wanted) in modes {
        assert_eq!(mode(&path), wanted, "{}", path.display());
    }
    let slots = files(&shop.volume.join("keys"));
    assert!(!slots.is_empty());
    for path in slots.iter().chain(&shop.shares) {
        assert_eq!(mode(path), 0o600, "{}", path.display());
    }
    for path in parts(&shop.volume) {
        assert_eq!(mode(&path) & 0o007, 0, "{}", path.display());
    }
}

/// Runs a second recorder, without cameras, as user and group 65534; who owns its memory in /proc.
fn nobody_owns_its_proc() -> (u32, u32) {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let mut init = std::process::Command::new(env!("CARGO_BIN_EXE_sinetti"));
    init.env_remove("SINETTI_DIR")
        .arg("--dir")
        .arg(at("state"))
        .args(["init", "--volume"])
        .arg(at("footage"));
    init.arg("--tokens-dir")
        .arg(at("tokens"))
        .arg("--shares-dir")
        .arg(at("shares"));
    ran(&mut init).ok();
    let owned = std::process::Command::new("chown")
        .args(["-R", "65534:65534"])
        .arg(folder.path())
        .status();
    assert!(
        owned.expect("chown runs").success(),
        "this test must run as root"
    );
    // The program lies where only root may come.
    let program = at("sinetti");
    fs::copy(env!("CARGO_BIN_EXE_sinetti"), &program).expect("copies");
    let mut command = std::process::Command::new("setpriv");
    command
        .args(["--reuid", "65534", "--regid", "65534", "--clear-groups"])
        .arg(&program);
    let mut recorder = crate::support::Recorder::of(command, &at("state"));
    recorder.wait_for_log("recording ");
    let meta = fs::metadata(format!("/proc/{}/environ", recorder.id())).expect("environ");
    let user = fs::read_to_string(format!("/proc/{}/status", recorder.id())).expect("status");
    assert!(
        user.lines().any(|line| line.starts_with("Uid:\t65534")),
        "{user}"
    );
    recorder.stop();
    (meta.uid(), meta.gid())
}
