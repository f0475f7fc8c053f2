//! File systems, or a network, of a test's own, in a namespace of its own: the test runs itself again in one.
//!
//! Where device mapper is not to be had, these are real faults all the same: a tmpfs that is full, an ext4 whose kernel
//! finds an error and turns it read-only under open files, one that is frozen, one on a thinly provisioned device that
//! has less than it says.

use rustix::fs::FallocateFlags;
use rustix::io::Errno;
use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Set inside the namespace.
const INSIDE: &str = "SINETTI_TEST_OWN_MOUNTS";
/// Tries to unmount what somebody has open for a moment still.
const UNMOUNTS_MAX: u32 = 300;

/// Runs the test `name` (with its module) again in a mount namespace of its own, unless this is in it already. What is
/// mounted there goes with it.
pub(crate) fn with_own_mounts(name: &str, test: impl FnOnce()) {
    with_own(&["--mount", "--propagation", "private", "--"], name, test);
}

/// The same in a network namespace of its own, in which there is nothing but loopback.
pub(crate) fn with_own_network(name: &str, test: impl FnOnce()) {
    with_own(&["--net", "--"], name, || {
        must("ip", &["link", "set", "up", "dev"], Path::new("lo"));
        test();
    });
}

fn with_own(namespaces: &[&str], name: &str, test: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some() {
        return test();
    }
    let program = std::env::current_exe().expect("this program");
    let output = Command::new("unshare")
        .args(namespaces)
        .arg(program)
        .args([name, "--exact", "--nocapture"])
        .env(INSIDE, "1")
        .output()
        .expect("unshare (package util-linux) runs");
    let told = format!(
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        output.status.success(),
        "this test has a namespace of its own and must run as root, with CAP_SYS_ADMIN:\n{told}"
    );
    assert!(told.contains("1 passed"), "it did not run:\n{told}");
}

/// Runs a program that must succeed, with `at` as its last argument; what it wrote.
#[track_caller]
pub(crate) fn must(program: &str, args: &[&str], at: &Path) -> String {
    let done = Command::new(program).args(args).arg(at).output();
    let done = done.unwrap_or_else(|e| panic!("{program}: {e}"));
    let told = String::from_utf8_lossy(&done.stderr);
    assert!(
        done.status.success(),
        "{program} {args:?} {}: {told}",
        at.display()
    );
    String::from_utf8_lossy(&done.stdout).trim().to_owned()
}

/// Mounts a tmpfs at a folder, with options such as `size=256m`.
#[track_caller]
pub(crate) fn tmpfs(options: &str, at: &Path) {
    must("mount", &["-t", "tmpfs", "-o", options, "sinetti-test"], at);
}

/// Remounts, `how` such as `ro`.
#[track_caller]
pub(crate) fn remount(how: &str, at: &Path) {
    must("mount", &["-o", &format!("remount,{how}")], at);
}

/// Takes all room of the file system that holds the folder, but so many bytes, with a file `ballast`.
#[track_caller]
pub(crate) fn fill(dir: &Path, but: u64) -> PathBuf {
    let ballast = dir.join("ballast");
    let file = fs::File::create(&ballast).expect("a file");
    // A recorder that writes there takes some of it between the two calls.
    for _ in 0..100 {
        let stat = rustix::fs::statvfs(dir).expect("its room");
        let bytes = (stat.f_bavail * stat.f_frsize).saturating_sub(but);
        match rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, bytes) {
            Ok(()) => return ballast,
            Err(Errno::NOSPC) => {}
            Err(e) => panic!("{bytes} bytes of ballast: {e}"),
        }
    }
    panic!(
        "the room of {} is taken faster than it is asked for",
        dir.display()
    );
}

/// An ext4 in a file, on a loop device. All of it goes when it is dropped.
pub(crate) struct Ext4 {
    image: PathBuf,
    device: PathBuf,
    at: PathBuf,
}

impl Ext4 {
    /// Makes one of so many MiB in the file `image` and mounts it at the folder `at`. Its metadata and its journal are at its
    /// beginning, and written.
    #[track_caller]
    pub(crate) fn make(image: &Path, mib: u64, at: &Path) -> Ext4 {
        // A journal of 8 MiB, an inode table of 1, and little else.
        const META_BYTES: usize = 10 << 20;
        let file = fs::File::create(image).expect("a file");
        file.set_len(mib << 20).expect("its size");
        let packed = "nodiscard,packed_meta_blocks=1,lazy_itable_init=0,lazy_journal_init=0";
        must(
            "mkfs.ext4",
            &["-q", "-J", "size=8", "-N", "4096", "-E", packed],
            image,
        );
        // Holes become zeros, so that what comes there later finds room.
        let file = fs::File::options().read(true).write(true).open(image);
        let file = file.expect("opens");
        let mut meta = vec![0; META_BYTES];
        file.read_exact_at(&mut meta, 0).expect("reads");
        file.write_all_at(&meta, 0).expect("writes");
        drop(file);
        let device = must("losetup", &["--find", "--show"], image);
        let made = Ext4 {
            image: image.to_owned(),
            device: device.into(),
            at: at.to_owned(),
        };
        made.mount();
        made
    }

    /// The file that it lies in.
    pub(crate) fn image(&self) -> &Path {
        &self.image
    }

    /// Mounts it.
    #[track_caller]
    pub(crate) fn mount(&self) {
        let device = self.device.to_string_lossy();
        must("mount", &["-o", "errors=remount-ro", &device], &self.at);
    }

    /// Unmounts it, as soon as nobody has anything in it open; `pace` waits a moment.
    #[track_caller]
    pub(crate) fn unmount(&self, mut pace: impl FnMut()) {
        for _ in 0..UNMOUNTS_MAX {
            let done = Command::new("umount").arg(&self.at).output();
            if done.expect("umount runs").status.success() {
                return;
            }
            pace();
        }
        panic!("{} stays in use", self.at.display());
    }

    /// It is gone from its folder at once; who has files in it open keeps them.
    #[track_caller]
    pub(crate) fn vanish(&self) {
        must("umount", &["--lazy"], &self.at);
    }

    /// The kernel finds an error in it: nothing can be written any more, also not to open files, until it was unmounted.
    #[track_caller]
    pub(crate) fn fail(&self) {
        let name = self.device.file_name().expect("a name").to_string_lossy();
        let trigger = format!("/sys/fs/ext4/{name}/trigger_fs_error");
        fs::write(&trigger, "a test").unwrap_or_else(|e| panic!("{trigger}: {e}"));
    }

    /// Repairs it, unmounted, and mounts it again: what memory knew of it is forgotten.
    #[track_caller]
    pub(crate) fn repair(&self) {
        let done = Command::new("e2fsck").arg("-fy").arg(&self.device).output();
        // 1: errors were corrected.
        let code = done.expect("e2fsck runs").status.code();
        assert!(matches!(code, Some(0 | 1)), "{code:?}");
        self.mount();
    }

    /// Whoever writes to it waits until that is dropped.
    #[track_caller]
    pub(crate) fn freeze(&self) -> Frozen {
        must("fsfreeze", &["--freeze"], &self.at);
        Frozen(self.at.clone())
    }
}

impl Drop for Ext4 {
    fn drop(&mut self) {
        // It may be unmounted already; the device goes when the last mount does.
        for (program, args, what) in [
            ("umount", &["--lazy"][..], &self.at),
            ("losetup", &["--detach"][..], &self.device),
        ] {
            Command::new(program).args(args).arg(what).output().ok();
        }
    }
}

/// A file system that is frozen.
pub(crate) struct Frozen(PathBuf);

impl Drop for Frozen {
    fn drop(&mut self) {
        let mut thaw = Command::new("fsfreeze");
        thaw.arg("--unfreeze").arg(&self.0).output().ok();
    }
}
