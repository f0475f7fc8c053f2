//! Footage and simulated cameras; the Python that has PyAV and Schemathesis.

use sinetti_simulator::{Camera, Footage, Server};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// Pictures a second of all footage.
pub(crate) const FPS: u32 = 15;
/// As in `scripts/test`.
const PYAV: &str = "18.1.0";
const SCHEMATHESIS: &str = "4.32.5";

/// The folder with the small footage; made unless `scripts/test` did.
pub(crate) fn footage_dir() -> PathBuf {
    if let Some(dir) = std::env::var_os("SINETTI_TEST_FOOTAGE") {
        return dir.into();
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dir = root.join("target/footage");
    // It has a lock of its own, and does nothing when all is there.
    let made = Command::new(root.join("scripts/make-footage"))
        .arg(&dir)
        .arg("--small")
        .status()
        .expect("make-footage runs");
    assert!(made.success(), "scripts/make-footage failed");
    dir
}

/// A file of it, such as `till.264`.
pub(crate) fn footage(name: &str) -> Arc<Footage> {
    Arc::new(Footage::load(footage_dir().join(name), FPS).expect("footage loads"))
}

/// A phase-locked camera that shows that file; it announces audio that nobody may want.
pub(crate) fn camera(name: &str) -> Camera {
    Camera {
        announce_audio: true,
        ..Camera::new(footage(name))
    }
}

/// Such a camera whose every picture is followed by so many bytes of filler data (H.264, 7.3.2.7), as of a camera with a
/// constant bit rate. The file is made in `dir`.
pub(crate) fn padded_camera(name: &str, bytes: usize, dir: &Path) -> Camera {
    let mut filler = vec![0xff; bytes];
    filler[0] = 0x0c;
    filler.push(0x80);
    let mut text = Vec::new();
    for unit in footage(name).access_units() {
        for nal in unit.nal_units().chain([&filler[..]]) {
            text.extend_from_slice(&[0, 0, 0, 1]);
            text.extend_from_slice(nal);
        }
    }
    let path = dir.join(format!("padded-{name}"));
    std::fs::write(&path, text).expect("writes");
    Camera::new(Arc::new(Footage::load(path, FPS).expect("footage loads")))
}

/// A server for cameras on any free port of loopback.
pub(crate) fn server() -> Server {
    Server::start(([127, 0, 0, 1], 0).into()).expect("the simulator listens")
}

/// A Python with PyAV, whose FFmpeg 8 knows Common Encryption, and with Schemathesis, which tests an API by its document.
pub(crate) fn python() -> PathBuf {
    if let Some(python) = std::env::var_os("SINETTI_TEST_PYTHON") {
        return python.into();
    }
    let venv =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("target/python-{PYAV}-{SCHEMATHESIS}"));
    let script = format!(
        "exec 9>\"$0.lock\"; flock 9; \"$0/bin/python\" -c 'import av, schemathesis' 2>/dev/null && exit
         rm -rf \"$0\" && python3 -m venv \"$0\" && \"$0/bin/pip\" install --quiet --disable-pip-version-check av=={PYAV} schemathesis=={SCHEMATHESIS}"
    );
    let made = Command::new("bash")
        .args(["-c", &script])
        .arg(&venv)
        .status()
        .expect("bash runs");
    assert!(
        made.success(),
        "no PyAV {PYAV} and Schemathesis {SCHEMATHESIS} in {}: run scripts/test, or set SINETTI_TEST_PYTHON",
        venv.display()
    );
    venv.join("bin/python")
}
