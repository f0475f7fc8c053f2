//! Each check on a machine that is made up.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::base::disk::{self, Space};
use crate::base::time::Wall;
use crate::config;
use crate::doctor::host::{Below, Host};
use crate::doctor::storage::{self, Need};
use crate::doctor::{Backup, Finding, Place, Verdict, backup, catalog, files, network, system};
use crate::store::scrub::{Mark, VolumeMark};

const GB: u64 = 1_000_000_000;

/// A machine whose files are these.
struct Made(tempfile::TempDir);

impl Made {
    fn of(texts: &[(&str, &str)]) -> Self {
        let made = Self(tempfile::tempdir().expect("folder"));
        for (path, text) in texts {
            let path = made.0.path().join(path);
            disk::create_dir_all(path.parent().expect("parent"), 0o755).expect("folder");
            disk::create(&path, format!("{text}\n").as_bytes(), 0o644).expect("file");
        }
        made
    }

    fn host(&self) -> Host {
        Host::below(self.0.path())
    }
}

#[track_caller]
fn is(finding: &Finding, verdict: Verdict, text: &str) {
    assert_eq!(finding.verdict, verdict, "{finding:?}");
    assert!(finding.found.contains(text), "{finding:?}");
    assert_eq!(
        finding.remedy.is_none(),
        verdict == Verdict::Ok,
        "{finding:?}"
    );
}

#[test]
fn a_time_source_is_seen_by_its_process() {
    let of = |texts: &[(&str, &str)]| system::time_source(&Made::of(texts).host());
    is(
        &of(&[("proc/1/comm", "systemd\n"), ("proc/77/comm", "chronyd\n")]),
        Verdict::Ok,
        "chronyd",
    );
    is(
        &of(&[
            ("proc/1/comm", "systemd\n"),
            ("proc/9/comm", "systemd-timesyn\n"),
        ]),
        Verdict::Ok,
        "timesyn",
    );
    is(
        &of(&[("proc/1/comm", "systemd\n")]),
        Verdict::Warn,
        "neither",
    );
    is(
        &of(&[("proc/77/comm", "bash\n")]),
        Verdict::Unknown,
        "may not see",
    );
}

#[test]
fn without_a_decoder_a_box_records_but_it_should_have_one() {
    is(&system::decoder(&Ok(())), Verdict::Ok, "locks itself in");
    let missing = Err("starting it: not installed".to_owned());
    is(&system::decoder(&missing), Verdict::Warn, "not installed");
}

#[test]
fn swap_in_the_clear_is_bad() {
    let head = "Filename\tType\tSize\tUsed\tPriority\n";
    let of = |line: &str, more: &[(&str, &str)]| {
        let swaps = format!("{head}{line}");
        let texts = [&[("proc/swaps", swaps.as_str())][..], more].concat();
        system::swap(&Made::of(&texts).host())
    };
    is(&of("", &[]), Verdict::Ok, "none");
    is(
        &of("/dev/zram0 partition 4 0 100\n", &[]),
        Verdict::Ok,
        "zram0",
    );
    let crypt = ("sys/class/block/dm-1/dm/uuid", "CRYPT-PLAIN-swap\n");
    is(
        &of("/dev/dm-1 partition 4 0 -2\n", &[crypt]),
        Verdict::Ok,
        "dm-1",
    );
    let lvm = ("sys/class/block/dm-1/dm/uuid", "LVM-abc\n");
    is(
        &of("/dev/dm-1 partition 4 0 -2\n", &[lvm]),
        Verdict::Bad,
        "dm-1",
    );
    let on_crypt = ("sys/class/block/dm-1/slaves/dm-0", "");
    let below = ("sys/class/block/dm-0/dm/uuid", "CRYPT-LUKS2-x");
    is(
        &of("/dev/dm-1 partition 4 0 -2\n", &[lvm, on_crypt, below]),
        Verdict::Ok,
        "dm-1",
    );
    is(
        &of("/dev/sda2 partition 4 0 -2\n", &[]),
        Verdict::Bad,
        "sda2",
    );
    let mounts =
        "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n30 22 253:0 / /home rw - ext4 /dev/mapper/h rw\n";
    let table = [
        ("proc/self/mountinfo", mounts),
        ("sys/dev/block/253:0/dm/uuid", "CRYPT-LUKS2-y"),
        ("sys/dev/block/8:1/size", "1"),
    ];
    is(
        &of("/home/swap file 4 0 -2\n", &table),
        Verdict::Ok,
        "/home/swap",
    );
    is(
        &of("/swapfile file 4 0 -2\n", &table),
        Verdict::Bad,
        "/swapfile",
    );
    is(
        &system::swap(&Made::of(&[]).host()),
        Verdict::Unknown,
        "/proc/swaps",
    );
}

fn limits(core: &str, files: &str) -> String {
    format!(
        "Limit                     Soft Limit           Hard Limit           Units\nMax core file size        {core}                    unlimited            bytes\nMax open files            {files}                 4096                 files\n"
    )
}

#[test]
fn limits_are_those_of_the_recorder() {
    let (own, its) = (limits("unlimited", "64"), limits("0", "1024"));
    let made = Made::of(&[
        ("proc/self/limits", &own),
        ("proc/42/limits", &its),
        ("proc/sys/kernel/core_pattern", "core\n"),
    ]);
    is(
        &system::core_dumps(&made.host(), Some(42)),
        Verdict::Ok,
        "the recorder may not",
    );
    is(
        &system::core_dumps(&made.host(), None),
        Verdict::Warn,
        "unlimited",
    );
    is(
        &system::core_dumps(&made.host(), Some(7)),
        Verdict::Unknown,
        "cannot be read",
    );
    let none = Made::of(&[
        ("proc/self/limits", &own),
        ("proc/sys/kernel/core_pattern", "|/bin/false\n"),
    ]);
    is(
        &system::core_dumps(&none.host(), None),
        Verdict::Ok,
        "nothing is done",
    );
    is(
        &system::descriptors(&made.host(), Some(42), 32),
        Verdict::Ok,
        "1024",
    );
    is(
        &system::descriptors(&made.host(), Some(42), 512),
        Verdict::Bad,
        "512 streams",
    );
}

#[test]
fn a_way_out_is_seen_in_the_tables_of_routes() {
    let head = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n";
    let local = "eth1\t000AA8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n";
    let out = "eth0\t00000000\t0100A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n";
    let zeros = "0".repeat(32);
    let reject =
        format!("{zeros} 00 {zeros} 00 {zeros} ffffffff 00000001 00000000 00200200       lo\n");
    let six = format!(
        "{zeros} 00 {zeros} 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003     eth2\n"
    );
    let of = |v4: &str, v6: &str| {
        let v4 = format!("{head}{v4}");
        network::route_out(
            &Made::of(&[("proc/net/route", &v4), ("proc/net/ipv6_route", v6)]).host(),
        )
    };
    is(&of(local, &reject), Verdict::Ok, "no default route");
    is(&of(&format!("{local}{out}"), ""), Verdict::Warn, "eth0");
    is(&of(local, &six), Verdict::Warn, "eth2");
    is(
        &network::route_out(&Made::of(&[]).host()),
        Verdict::Unknown,
        "cannot be read",
    );
}

#[test]
fn receive_buffers_matter_for_cameras_over_udp() {
    let dir = Path::new("/nowhere");
    let tcp = config::parse(config::SAMPLE, dir).expect("sample");
    let text = config::SAMPLE.replace("#transport = \"tcp\"", "transport = \"udp\"");
    let udp = config::parse(&text, dir).expect("sample");
    let host = |bytes: &str| Made::of(&[("proc/sys/net/core/rmem_default", bytes)]);
    is(
        &network::buffers(&host("212992\n").host(), &tcp),
        Verdict::Ok,
        "TCP",
    );
    is(
        &network::buffers(&host("212992\n").host(), &udp),
        Verdict::Warn,
        "212992",
    );
    is(
        &network::buffers(&host("4194304\n").host(), &udp),
        Verdict::Ok,
        "4194304",
    );
    is(
        &network::buffers(&Made::of(&[]).host(), &udp),
        Verdict::Unknown,
        "rmem_default",
    );
}

#[test]
fn what_others_may_read_or_write_is_bad() {
    let dir = tempfile::tempdir().expect("folder");
    let dir = dir.path();
    let mode = |path: &Path, mode: u32| {
        #[expect(clippy::disallowed_methods, reason = "a test spoils a mode")]
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("mode");
    };
    mode(dir, 0o755);
    is(&files::state_folder(dir, &Ok(()), 0), Verdict::Bad, "0755");
    mode(dir, 0o700);
    let me = rustix::process::geteuid().as_raw();
    is(&files::state_folder(dir, &Ok(()), me), Verdict::Ok, "alone");
    is(
        &files::state_folder(dir, &Ok(()), me + 1),
        Verdict::Warn,
        "belongs to",
    );
    is(
        &files::state_folder(dir, &Err("no box.json".to_owned()), me),
        Verdict::Bad,
        "no box.json",
    );
    let path = dir.join("sinetti.toml");
    disk::create(&path, b"x", 0o644).expect("file");
    is(
        &files::configuration(&path, Ok(())),
        Verdict::Ok,
        "in order",
    );
    is(
        &files::configuration(&path, Err("line 3")),
        Verdict::Bad,
        "line 3",
    );
    mode(&path, 0o666);
    is(&files::configuration(&path, Ok(())), Verdict::Bad, "0666");
    is(&files::secrets(dir, None), Verdict::Bad, "ledger.pk8");
    disk::create_dir_all(&dir.join("keys"), 0o700).expect("folder");
    for name in ["box.json", "keys/ledger.pk8", "catalog.db"] {
        disk::create(&dir.join(name), b"x", 0o600).expect("file");
    }
    is(&files::secrets(dir, None), Verdict::Ok, "none of which");
    mode(&dir.join("keys/ledger.pk8"), 0o640);
    is(&files::secrets(dir, None), Verdict::Bad, "others may read");
}

fn place(free: u64) -> Place {
    Place {
        name: "levy-1".to_owned(),
        path: "/srv/sinetti".into(),
        reserve_bytes: 5 * GB,
        usable: Ok(()),
        space: Some(Space {
            free_bytes: free,
            total_bytes: 1000 * GB,
        }),
        device: Some(rustix::fs::makedev(253, 3)),
        remote: None,
    }
}

#[test]
fn volumes_are_local_writable_and_have_room() {
    is(&storage::volume(&place(GB)), Verdict::Ok, "levy-1");
    let remote = Place {
        remote: Some("NFS"),
        ..place(GB)
    };
    is(&storage::volume(&remote), Verdict::Bad, "NFS");
    let refused = Place {
        usable: Err("read-only".to_owned()),
        ..place(GB)
    };
    is(&storage::volume(&refused), Verdict::Bad, "read-only");
    is(
        &storage::room(&place(6 * GB)).expect("room"),
        Verdict::Ok,
        "6.0 GB",
    );
    is(
        &storage::room(&place(4 * GB)).expect("room"),
        Verdict::Warn,
        "it is full",
    );
    let home = Place {
        name: "state".to_owned(),
        device: Some(1),
        ..place(GB)
    };
    is(
        &storage::apart(&home, &[place(GB)]),
        Verdict::Ok,
        "cannot fill",
    );
    is(
        &storage::apart(&place(GB), &[place(GB)]),
        Verdict::Warn,
        "same file system",
    );
}

#[test]
fn encryption_and_discard_are_seen_under_sys() {
    let of = |texts: &[(&str, &str)]| storage::encryption(&Made::of(texts).host(), &place(GB));
    let crypt = ("sys/dev/block/253:3/dm/uuid", "CRYPT-LUKS2-x");
    let passed = (
        "sys/dev/block/253:3/queue/discard_max_bytes",
        "2147450880\n",
    );
    let kept = ("sys/dev/block/253:3/queue/discard_max_bytes", "0\n");
    let turns = ("sys/dev/block/253:3/queue/rotational", "1\n");
    is(&of(&[crypt, passed]), Verdict::Ok, "dm-crypt");
    is(&of(&[crypt, kept]), Verdict::Warn, "not passed on");
    is(&of(&[crypt, kept, turns]), Verdict::Ok, "dm-crypt");
    is(&of(&[passed]), Verdict::Warn, "not on dm-crypt");
    is(&of(&[]), Verdict::Unknown, "cannot be seen");
    // btrfs: the device number is its own, the mount names the disk.
    let made = Made::of(&[
        (
            "proc/self/mountinfo",
            "40 22 0:32 / /srv rw - btrfs /dev/dm-5 rw\n",
        ),
        ("sys/class/block/dm-5/dm/uuid", "CRYPT-LUKS2-z"),
    ]);
    let below = made.host().below_device((0, 32));
    assert_eq!(
        below,
        Some(Below {
            encrypted: true,
            discards: false
        })
    );
}

#[test]
fn the_forecast_compares_what_is_needed_with_what_is_there() {
    let need = Need {
        daily_bytes: 86_400_000_000,
        whole_bytes: 14 * 86_400_000_000,
        kept_bytes: 100 * GB,
        keep_secs: 14 * 86_400,
        silent: 1,
    };
    let until = |secs: u64| format!("in {secs} s");
    let good = storage::outlook(&place(2000 * GB), &need, until);
    is(&good, Verdict::Ok, "86.4 GB a day; 1.2 TB for 14 days");
    assert!(good.found.contains("1 streams"), "{good:?}");
    // (605 − 5) GB free at 1 MB a second.
    is(
        &storage::outlook(&place(605 * GB), &need, until),
        Verdict::Warn,
        "about 8 days fit, full about in 600000 s",
    );
    is(
        &storage::outlook(&place(GB), &Need::default(), until),
        Verdict::Unknown,
        "nothing was recorded",
    );
}

#[test]
fn a_scrub_that_found_something_or_never_ends_is_told() {
    let now = Wall::from_secs(1_795_000_000);
    let days = |n: i64| Some(now.plus_us(-n * 86_400_000_000));
    let of = |finished, missing, first| {
        let volume = VolumeMark {
            name: "levy-1".to_owned(),
            begun: days(1),
            finished,
            missing,
            ..VolumeMark::default()
        };
        let volumes = [(crate::base::id::VolumeId::random(), volume)].into();
        catalog::scrub("levy-1", &Mark { volumes }, first, now)
    };
    is(&of(days(0), 0, days(30)), Verdict::Ok, "0 days ago");
    is(&of(days(9), 0, days(30)), Verdict::Warn, "9 days ago");
    is(&of(days(0), 2, days(30)), Verdict::Bad, "2 are missing");
    is(&of(None, 0, days(30)), Verdict::Warn, "never");
    is(&of(None, 0, days(2)), Verdict::Ok, "new");
}

#[test]
fn a_backup_is_young_whole_and_on_another_disk() {
    const DAY: i64 = 86_400_000_000;
    let (made, home) = (Wall::from_secs(1_795_000_000), place(0));
    let whole = Backup {
        made: Some(made),
        into: Some("/mnt/backup".into()),
        device: Some(rustix::fs::makedev(8, 1)),
        newest: Some(Ok(made)),
    };
    let of = |backup: &Backup, days| backup::of(backup, &home, 8 * DAY, made.plus_us(days * DAY));
    let never = of(&Backup::default(), 0);
    assert_eq!(never.len(), 1);
    is(&never[0], Verdict::Warn, "never");
    let found = of(&whole, 8);
    assert_eq!(found.len(), 2);
    is(&found[0], Verdict::Ok, "8 days ago");
    is(&found[1], Verdict::Ok, "whole");
    is(&of(&whole, 9)[0], Verdict::Warn, "9 days ago");
    let same = Backup {
        device: home.device,
        ..whole.clone()
    };
    is(&of(&same, 1)[2], Verdict::Warn, "file system of the state");
    let away = Backup {
        device: None,
        newest: None,
        ..whole.clone()
    };
    is(&of(&away, 1)[1], Verdict::Unknown, "not there now");
    let changed = Backup {
        newest: Some(Err("it is not what the manifest was signed over".to_owned())),
        ..whole.clone()
    };
    is(&of(&changed, 1)[1], Verdict::Bad, "signed over");
    let older = Backup {
        newest: Some(Ok(made.plus_us(-DAY))),
        ..whole.clone()
    };
    is(&of(&older, 1)[1], Verdict::Warn, "is gone");
    let forgotten = Backup {
        into: None,
        device: None,
        newest: None,
        ..whole
    };
    assert_eq!(of(&forgotten, 1).len(), 1, "its details were erased");
}
