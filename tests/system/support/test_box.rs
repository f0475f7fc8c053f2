//! A box of a test's own, in a folder of its own, used as a person would: through the `sinetti` command.

use super::Recorder;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sinetti::access::totp::{self, Secret};
use sinetti::base::id::{BoxId, SegmentId, StreamId};
use sinetti::base::time::{Span, Wall};
use sinetti::catalog::{CoverageGap, Reader, Totals};
use sinetti::daemon::answer::{Footage, Status};
use sinetti::recorder::board::Line;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// Whoever approves what leaves the box: a second controller.
const APPROVER: &str = "controller2";
/// The controller's passphrase, and everybody else's.
pub(crate) const PASSPHRASE: &str = "seitsemän kuivaa haukea rannalla";
/// Longest wait, in questions; each comes some 0.2 s after the one before.
const QUESTIONS_MAX: u32 = 250;

/// What a command did.
#[derive(Debug)]
pub(crate) struct Ran {
    /// Exit status; -1 after a signal.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
}

impl Ran {
    /// Its output, when it succeeded.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.stdout
    }

    /// Its error, when it failed.
    #[track_caller]
    pub(crate) fn error(self) -> String {
        assert_ne!(self.code, 0, "it should have failed: {self:?}");
        self.stderr
    }
}

/// One stream of `ls --json`.
#[derive(Debug, Deserialize)]
pub(crate) struct Listed {
    pub(crate) stream: StreamId,
    pub(crate) totals: Totals,
    #[serde(flatten)]
    pub(crate) footage: Footage,
}

/// What `export --json` says.
#[derive(Debug, Deserialize)]
pub(crate) struct Exported {
    pub(crate) asked: Span,
    pub(crate) clips: Vec<Clip>,
    pub(crate) gaps: Vec<CoverageGap>,
    pub(crate) packets_lost: u64,
    pub(crate) time_uncertain: bool,
}

/// One file of it.
#[derive(Debug, Deserialize)]
pub(crate) struct Clip {
    pub(crate) path: PathBuf,
    pub(crate) span: Span,
    pub(crate) pictures: usize,
    pub(crate) undecodable_leading: usize,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
    pub(crate) codec: String,
    pub(crate) size: (u16, u16),
    pub(crate) source_segments: Vec<SegmentId>,
}

/// What an export is for.
pub(crate) const PURPOSE: &str = "protection-of-property";

/// Somebody's second factor, as enrolling left it in files.
pub(crate) struct Factor {
    /// `otpauth://…`
    pub(crate) uri: PathBuf,
    /// The recovery codes.
    pub(crate) codes: PathBuf,
    used: AtomicU64,
    codes_used: AtomicUsize,
}

impl Factor {
    /// In the folder, under this name.
    pub(crate) fn at(folder: &Path, name: &str) -> Factor {
        Factor {
            uri: folder.join(format!("{name}.factor")),
            codes: folder.join(format!("{name}.codes")),
            used: AtomicU64::new(0),
            codes_used: AtomicUsize::new(0),
        }
    }

    /// A code that was not used yet: of a time step around now, or else a recovery code.
    pub(crate) fn code(&self) -> String {
        let uri = fs::read_to_string(&self.uri).expect("a factor");
        let secret = Secret::parse(&uri).expect("a secret");
        let present = totp::step_at(super::now());
        // The clock goes on while the code is on its way: the oldest step that would do now may be too old then.
        let step = (self.used.load(Ordering::SeqCst) + 1).max(present - 1);
        if step <= present + totp::STEPS_AROUND {
            self.used.store(step, Ordering::SeqCst);
            return secret.code(step).to_string();
        }
        let codes = fs::read_to_string(&self.codes).expect("codes");
        let n = self.codes_used.fetch_add(1, Ordering::SeqCst);
        codes.lines().nth(n).expect("a code is left").to_owned()
    }
}

/// A box, initialised, its controller enrolled, without cameras. Everything goes when it is dropped.
pub(crate) struct TestBox {
    folder: tempfile::TempDir,
    /// The state folder.
    pub(crate) dir: PathBuf,
    /// The footage volume.
    pub(crate) volume: PathBuf,
    /// The three recovery shares.
    pub(crate) shares: [PathBuf; 3],
    /// The file with [`PASSPHRASE`].
    pub(crate) passphrase: PathBuf,
    /// The controller's second factor.
    pub(crate) factor: Factor,
    /// The controller's user name.
    pub(crate) controller: String,
    approver: Mutex<Option<Arc<Factor>>>,
    recorder: Option<Recorder>,
}

impl TestBox {
    /// Makes one with `sinetti init`.
    pub(crate) fn new() -> TestBox {
        TestBox::with_state_on(|_| {})
    }

    /// The same; `prepare` may make the state folder and mount something at it.
    pub(crate) fn with_state_on(prepare: impl FnOnce(&Path)) -> TestBox {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        prepare(&at("state"));
        let made = TestBox {
            dir: at("state"),
            volume: at("footage"),
            shares: [1, 2, 3].map(|n| at(&format!("shares/share-{n}.txt"))),
            passphrase: at("passphrase"),
            factor: Factor::at(folder.path(), "controller1"),
            controller: "controller1".to_owned(),
            approver: Mutex::new(None),
            recorder: None,
            folder,
        };
        made.secret("passphrase", &format!("{PASSPHRASE}\n"));
        let mut init = made.command(&["init", "--reserve-gib", "0.1"]);
        init.args([
            "--justification",
            "Varkaudet tulevat ilmi viikkojen kuluttua.",
        ]);
        init.arg("--volume").arg(&made.volume);
        init.arg("--shares-dir").arg(made.path("shares"));
        init.args(["--undertaking", "2026-1", "--tokens-dir"])
            .arg(made.path("tokens"));
        ran(&mut init).ok();
        let token = made.path("tokens/controller1.token");
        made.enrol(&token, &made.passphrase, &made.factor).ok();
        made
    }

    /// Somebody enrols with a token.
    pub(crate) fn enrol(&self, token: &Path, passphrase: &Path, factor: &Factor) -> Ran {
        let mut enrol = self.command(&["enrol", "--token"]);
        enrol.arg(token).arg("--passphrase-file").arg(passphrase);
        enrol.arg("--factor-file").arg(&factor.uri);
        ran(enrol.arg("--codes-file").arg(&factor.codes))
    }

    /// The arguments by which the controller shows who they are, with a fresh code.
    pub(crate) fn proof(&self) -> [PathBuf; 4] {
        let code = self.secret("code", &self.factor.code());
        [
            "--passphrase-file".into(),
            self.passphrase.clone(),
            "--code-file".into(),
            code,
        ]
    }

    /// The same of the controller by name, and of a second one who approves what leaves the box.
    pub(crate) fn approved(&self) -> Vec<PathBuf> {
        let approval = self.approval();
        let mut args: Vec<PathBuf> = vec!["--person".into(), self.controller.clone().into()];
        args.extend(self.proof());
        args.extend(approval);
        args
    }

    /// The arguments by which a second controller approves, with a fresh code. The first time, and after the catalog was lost,
    /// that person is added.
    pub(crate) fn approval(&self) -> Vec<PathBuf> {
        let mut approver = self.approver.lock().expect("nothing failed in it");
        let account = self.catalog().account(APPROVER).expect("query");
        if account.is_none() {
            *approver = Some(Arc::new(self.second_controller()));
        }
        let code = approver.as_ref().expect("it is known").code();
        let code = self.secret("approver-code", &code);
        let [who, passphrase, file] = [
            "--approver",
            "--approver-passphrase-file",
            "--approver-code-file",
        ];
        let given = [PathBuf::from(APPROVER), self.passphrase.clone(), code];
        let names = [who, passphrase, file].map(PathBuf::from);
        names
            .into_iter()
            .zip(given)
            .flat_map(|(n, g)| [n, g])
            .collect()
    }

    fn second_controller(&self) -> Factor {
        let (token, factor) = (
            self.path("approver.token"),
            Factor::at(self.folder.path(), APPROVER),
        );
        for old in [&token, &factor.uri, &factor.codes] {
            fs::remove_file(old).ok();
        }
        let mut add = self.command(&["user", "add", APPROVER, "--role", "controller"]);
        add.args(["--undertaking", "2026-1", "--token-file"]);
        ran(add.arg(&token)).ok();
        self.enrol(&token, &self.passphrase, &factor).ok();
        let mut confirm = self.command(&["user", "confirm", APPROVER]);
        confirm.args(["--person", &self.controller]);
        ran(confirm.args(self.proof())).ok();
        factor
    }

    /// A path in the folder of this box, outside its state and footage.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file of mode 0600 there.
    pub(crate) fn secret(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).expect("writes");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("sets the mode");
        path
    }

    /// The `sinetti` command with this box's state folder.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sinetti"));
        command.env_remove("SINETTI_DIR").env_remove("SINETTI_LOG");
        command.arg("--dir").arg(&self.dir).args(args);
        command
    }

    /// Runs a subcommand.
    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        ran(&mut self.command(args))
    }

    fn json<T: DeserializeOwned>(&self, args: &[&str]) -> T {
        let text = self.run(args).ok();
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{args:?}: {e}: {text}"))
    }

    /// The configuration file.
    pub(crate) fn config_path(&self) -> PathBuf {
        self.dir.join("sinetti.toml")
    }

    /// Changes the configuration as an editor does.
    pub(crate) fn edit_config(&self, change: impl FnOnce(String) -> String) {
        let path = self.config_path();
        let text = change(fs::read_to_string(&path).expect("a configuration"));
        fs::write(&path, text).expect("writes");
    }

    /// Sets keys under `[recorder]`, such as `stall_secs = 5`. Before cameras are added.
    pub(crate) fn set_recorder(&self, keys: &str) {
        self.edit_config(|text| {
            text.replacen(
                "[[volume]]",
                &format!("[recorder]\n{keys}\n\n[[volume]]"),
                1,
            )
        });
    }

    /// Adds a camera whose main stream is at `/ID/main`; `more` are further arguments of `camera add`.
    pub(crate) fn add_camera(&self, id: &str, address: SocketAddr, more: &[&str]) {
        let (address, main) = (address.to_string(), format!("/{id}/main"));
        let given = [
            &["camera", "add", id, "--name", id, "--area", "Kassat"][..],
            &["--address", &address, "--main", &main],
            &["--purpose", "protection-of-property"],
            more,
        ];
        self.run(&given.concat()).ok();
    }

    /// Starts the recorder; it answers questions when this returns.
    pub(crate) fn start(&mut self) {
        assert!(self.recorder.is_none(), "it runs already");
        self.recorder = Some(Recorder::start(&self.dir));
    }

    /// The running recorder.
    pub(crate) fn recorder(&mut self) -> &mut Recorder {
        self.recorder.as_mut().expect("the recorder runs")
    }

    /// Stops it with SIGTERM: how it ended, and its log.
    pub(crate) fn stop(&mut self) -> (ExitStatus, String) {
        let recorder = self.recorder.take().expect("the recorder runs");
        let (status, log) = recorder.stop();
        assert!(status.success(), "SIGTERM ends it well: {status}\n{log}");
        (status, log)
    }

    /// Kills it with SIGKILL; its log.
    pub(crate) fn kill(&mut self) -> String {
        self.recorder.take().expect("the recorder runs").kill()
    }

    /// What the running recorder has logged.
    pub(crate) fn log(&self) -> String {
        self.recorder.as_ref().map_or(String::new(), Recorder::log)
    }

    /// `sinetti status --json`, whatever its exit status.
    pub(crate) fn status(&self) -> Status {
        let ran = self.run(&["status", "--json"]);
        serde_json::from_str(&ran.stdout).unwrap_or_else(|e| panic!("{e}: {ran:?}"))
    }

    /// The line of a stream such as `till/main`.
    pub(crate) fn line(&self, stream: &str) -> Line {
        let mut status = self.status();
        let line = status.streams.remove(stream);
        line.unwrap_or_else(|| panic!("no stream {stream} in {status:?}"))
    }

    /// Asks for the status until it is as wanted.
    #[track_caller]
    pub(crate) fn wait(&mut self, what: &str, wanted: impl Fn(&Status) -> bool) -> Status {
        for _ in 0..QUESTIONS_MAX {
            let status = self.status();
            if wanted(&status) {
                return status;
            }
            self.recorder().pace();
        }
        panic!("never: {what}\n{:#?}\n{}", self.status(), self.log());
    }

    /// Waits until of each stream so many pictures were written since the start of the recorder.
    #[track_caller]
    pub(crate) fn wait_for_pictures(&mut self, streams: &[&str], count: u64) {
        let enough = |status: &Status| {
            let units = |stream: &&str| status.streams.get(*stream).map_or(0, |line| line.units);
            streams.iter().all(|stream| units(stream) >= count)
        };
        self.wait(&format!("{count} pictures of {streams:?}"), enough);
    }

    /// `sinetti ls --json` for one stream, such as `till/main`.
    #[track_caller]
    pub(crate) fn ls(&self, stream: &str) -> Listed {
        let (camera, kind) = stream.split_once('/').expect("camera/stream");
        let mut all: Vec<Listed> =
            self.json(&["ls", "--json", "--camera", camera, "--stream", kind]);
        all.pop()
            .unwrap_or_else(|| panic!("{stream} is not listed"))
    }

    /// `sinetti export --json` of a stream to a file in the folder of this box.
    #[track_caller]
    pub(crate) fn export(&self, stream: &str, span: Span, file: &str) -> Exported {
        // To the microsecond, as it crosses a socket.
        let text = |at: Wall| serde_json::to_string(&at).expect("a time").replace('"', "");
        let (from, to) = (text(span.start), text(span.end));
        let text = self.try_export(stream, &from, &to, file).ok();
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"))
    }

    /// The same with times as a person writes them, and whatever comes of it.
    pub(crate) fn try_export(&self, stream: &str, from: &str, to: &str, file: &str) -> Ran {
        let (camera, kind) = stream.split_once('/').expect("camera/stream");
        let mut export = self.command(&["export", "--json", "--camera", camera, "--stream", kind]);
        export.args(["--from", from, "--to", to]);
        export.arg("-o").arg(self.path(file));
        export.args(["--purpose", PURPOSE]).args(self.approved());
        ran(&mut export)
    }

    /// `sinetti check`, which must find nothing wrong.
    #[track_caller]
    pub(crate) fn check(&self, deep: bool) -> serde_json::Value {
        let args = ["check", "--json", "--deep"];
        self.json(&args[..if deep { 3 } else { 2 }])
    }

    /// The catalog, for what no command shows yet.
    pub(crate) fn catalog(&self) -> Reader {
        Reader::open(&self.dir.join("catalog.db"), self.id()).expect("the catalog opens")
    }

    /// The box's id.
    pub(crate) fn id(&self) -> BoxId {
        let text = fs::read_to_string(self.dir.join("box.json")).expect("box.json");
        let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        serde_json::from_value(json["box"].clone()).expect("an id")
    }

    /// The files of all segments of a stream, in order of time.
    pub(crate) fn segment_files(&self, stream: &str) -> Vec<PathBuf> {
        let mut files = Vec::new();
        collect(&self.volume.join(stream), &mut files);
        files.retain(|path| path.extension().is_some_and(|e| e == "mp4"));
        files.sort();
        files
    }
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}

/// Runs a command to its end.
pub(crate) fn ran(command: &mut Command) -> Ran {
    let output = command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|e| panic!("{command:?}: {e}"));
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The span from `start` to `end`.
pub(crate) fn span(start: Wall, end: Wall) -> Span {
    Span { start, end }
}
