//! The whole of reading: what a good file means, and the exact text for bad ones.

use std::path::Path;

use proptest::prelude::*;

use crate::base::disk;
use crate::base::hash::Digest;
use crate::base::{Error, Kind};
use crate::config::{
    Config, ConfigErrors, FILE_BYTES_MAX, Origin, Policy, Purpose, RecorderConfig, Sentences,
    SitePolicy, StreamPolicy, Transport, load, parse,
};

pub(crate) const MINIMAL: &str = r#"[site]
name = "Myymälä 1"

[[volume]]
name = "levy-1"
path = "/srv/sinetti"

[[camera]]
id = "kassa-1"
name = "Kassa 1"
area = "Kassat"
address = "192.168.10.21"
main = "/stream1"
purposes = ["protection-of-property"]
"#;

fn read(text: &str) -> Result<Config, ConfigErrors> {
    parse(text, Path::new("/var/lib/sinetti"))
}

/// The error text without the folder.
fn told(text: &str) -> String {
    read(text)
        .expect_err("a mistake")
        .to_string()
        .replace("/var/lib/sinetti/", "")
}

#[test]
fn what_is_left_out_has_its_default() {
    let config = read(MINIMAL).expect("good");
    assert_eq!(config.site.name, "Myymälä 1");
    assert_eq!(config.site.zone.name(), "Europe/Helsinki");
    assert_eq!(config.recorder, RecorderConfig::default());
    assert_eq!(
        config.network.camera_subnets.as_ref(),
        crate::config::private_networks()
    );
    let volume = config.volume("levy-1").expect("volume");
    assert_eq!((volume.reserve_bytes, volume.dedicated), (5 << 30, false));
    let camera = config
        .camera(&"kassa-1".parse().expect("id"))
        .expect("camera");
    assert_eq!(camera.address.to_string(), "192.168.10.21:554");
    assert_eq!(
        (camera.transport, camera.enabled, camera.volume.as_str()),
        (Transport::Tcp, true, "levy-1")
    );
    assert_eq!((&camera.sub, &camera.credentials), (&None, &None));
    assert_eq!(camera.purposes, [Purpose::Property]);
    let want = StreamPolicy {
        keep_secs: 72 * 3600,
        keep_from: Origin::Default,
        guarantee_secs: 0,
        guarantee_from: Origin::Default,
    };
    assert_eq!((camera.policy.main, camera.policy.sub), (want, want));
    assert_eq!(camera.policy.sentences, Sentences::default());
    assert_eq!(config.retention, SitePolicy::default());
}

const MISTAKES: &str = r#"sites = 1
[site]
name = ""
zone = "Europe/Kouvola"
language = "fi"
[network]
camera_subnets = ["192.168.10.0/24", "8.0.0.0/8", 5]
[recorder]
segment_secs = 5
sync_secs = "2"
queue_mib = 1.5
stall_seconds = 10
[[volume]]
name = "Levy 1"
path = "srv"
reserve_gib = 0.01
[[volume]]
name = "levy-2"
path = "/srv/a"
dedicated = "yes"
[[volume]]
name = "levy-2"
path = "/srv/a/b/"
[[camera]]
id = "kassa-1"
name = "Kassa 1"
adress = "192.168.10.21"
main = "stream1"
password = "salaisuus"
purposes = ["protection-of-poverty", "misuse"]
keep = "14 days"
[[camera]]
id = "kassa-1"
name = "Kassa 1"
area = "Kassat"
address = "kamera1.lan"
main = "rtsp://manager1:salaisuus@192.168.10.21/stream1"
transport = "TCP"
enabled = 1
purposes = []
keep = "72 h"
keep_sub = "14 d"
credentials = "manager1:salaisuus"
"#;

const MISTAKES_TOLD: &str = r#"sinetti.toml:1: unknown key "sites" in the file; did you mean site?
sinetti.toml:3: name: it is empty; write the name that people use
sinetti.toml:4: zone: "Europe/Kouvola" is not a time zone; write an IANA name such as "Europe/Helsinki"
sinetti.toml:5: unknown key "language" in [site]; known are: name, zone
sinetti.toml:7: camera_subnets: 8.0.0.0/8 reaches outside the private networks; cameras are reached only inside them
sinetti.toml:7: camera_subnets: must be a list of texts in quotes, not a whole number
sinetti.toml:9: segment_secs: 5 is out of range; it can be 10 to 300 (default 60)
sinetti.toml:10: sync_secs: must be a whole number without quotes, not text in quotes
sinetti.toml:11: queue_mib: must be a whole number without quotes, not a number with a fraction
sinetti.toml:12: unknown key "stall_seconds" in [recorder]; did you mean stall_secs?
sinetti.toml:14: name: "Levy 1" must be 1 to 40 of a-z, 0-9, - and _, beginning with a letter or digit
sinetti.toml:15: path: "srv" must be an absolute path, such as "/srv/sinetti"
sinetti.toml:16: reserve_gib: 0.01 is out of range; it can be 0.05 to 100000 (default 5)
sinetti.toml:20: dedicated: must be true or false, not text in quotes
sinetti.toml:22: volume name "levy-2" is already used in line 18; each needs its own
sinetti.toml:23: path: it is, lies in or holds the volume of line 19; give each its own folder
sinetti.toml:24: [[camera]] lacks area; add a line such as: area = "Kassat"
sinetti.toml:24: [[camera]] lacks address; add a line such as: address = "192.168.10.21"
sinetti.toml:27: unknown key "adress" in [[camera]]; did you mean address?
sinetti.toml:28: main: it must be the path on the camera alone, beginning with /, such as "/stream1"
sinetti.toml:29: unknown key "password" in [[camera]]; user name and password belong in the file that credentials names
sinetti.toml:30: purposes: "protection-of-poverty" must be one of: protection-of-persons, protection-of-property, crime-prevention, misuse, false-alarms, identification, maintenance
sinetti.toml:31: keep: "14 days" is not a time; write hours as "72 h" or days as "14 d"
sinetti.toml:33: camera id "kassa-1" is already used in line 25; each needs its own
sinetti.toml:34: camera name "Kassa 1" is already used in line 26; each needs its own
sinetti.toml:36: address: "kamera1.lan" is a host name; write the camera's IP address, since a name could be made to point elsewhere and a closed network need have no name service
sinetti.toml:37: main: it must be the path on the camera alone, beginning with /, such as "/stream1"
sinetti.toml:38: transport: "TCP" must be one of: tcp, udp
sinetti.toml:39: enabled: must be true or false, not a whole number
sinetti.toml:40: purposes: the list is empty; it needs at least one entry
sinetti.toml:42: keep_sub: the small picture cannot be kept longer than the full one (3 d)
sinetti.toml:43: credentials: there is no such file; make it with mode 0600, first line the user name, second line the password"#;

#[test]
fn every_mistake_is_named_at_once() {
    assert_eq!(told(MISTAKES), MISTAKES_TOLD);
    let e: Error = read(MISTAKES).expect_err("mistakes").into();
    assert_eq!(e.kind(), Kind::Invalid);
}

#[test]
fn a_camera_stays_in_its_subnets_and_on_a_volume() {
    let text = MINIMAL
        .replace(
            "[[volume]]",
            "[network]\ncamera_subnets = [\"10.1.0.0/16\", \"fd00::/64\"]\n\n[[volume]]",
        )
        .replace("main =", "volume = \"levy-2\"\nmain =");
    let want = r#"sinetti.toml:15: address: 192.168.10.21 lies outside camera_subnets (10.1.0.0/16, fd00::/64); correct it, or add its network there
sinetti.toml:16: volume: there is no volume "levy-2"; it can be: levy-1"#;
    assert_eq!(told(&text), want);
    let public = MINIMAL.replace("192.168.10.21", "203.0.113.9");
    let want = "sinetti.toml:12: address: 203.0.113.9 is a public address; cameras are reached only in private networks (10/8, 172.16/12, 192.168/16, 169.254/16, 127/8, fc00::/7, fe80::/10, ::1)";
    assert_eq!(told(&public), want);
    // A list that could not be read refuses no camera.
    let text = text.replace("10.1.0.0/16", "10.1/16");
    assert!(!told(&text).contains("outside"), "{}", told(&text));
}

#[test]
fn sections_in_the_wrong_form_are_told_of() {
    let want = "sinetti.toml:1: the file lacks [site]; see the sample configuration
sinetti.toml:1: the file lacks [[volume]]; see the sample configuration";
    assert_eq!(told(""), want);
    let want = "sinetti.toml:1: volume must be sections that begin with [[volume]], two brackets, since there can be several
sinetti.toml:2: camera must be sections that begin with [[camera]]
sinetti.toml:3: site must be one section that begins with [site]";
    let text = "volume = 1\ncamera = [2]\n[[site]]\nname = \"x\"\n";
    assert!(told(text).starts_with(want), "{}", told(text));
    assert_eq!(
        told("[site]\nname = \"Myymälä\n[[volume]\npath = 'x'\nname = 1 2\n"),
        "sinetti.toml:2: not TOML here: invalid basic string, expected `\"`
sinetti.toml:3: not TOML here: unclosed array table, expected `]`"
    );
    let twice = MINIMAL.replace("main =", "main = \"/a\"\nmain =");
    assert_eq!(
        told(&twice),
        "sinetti.toml:14: not TOML here: duplicate key"
    );
}

#[test]
fn counts_and_sizes_are_bounded() {
    let camera = &MINIMAL[MINIMAL.find("[[camera]]").expect("camera")..];
    let head = &MINIMAL[..MINIMAL.find("[[camera]]").expect("camera")];
    let cameras = |n: usize| -> String {
        (1..=n).fold(head.to_owned(), |text, i| {
            text + &camera
                .replace("kassa-1", &format!("kassa-{i}"))
                .replace("Kassa 1", &format!("Kassa {i}"))
        })
    };
    assert_eq!(read(&cameras(0)).expect("none").cameras.len(), 0);
    assert_eq!(read(&cameras(256)).expect("most").cameras.len(), 256);
    assert!(told(&cameras(257)).ends_with("there can be at most 256 of [[camera]]"));
    let volumes = (1..=17).fold("[site]\nname = \"x\"\n".to_owned(), |text, i| {
        text + &format!("[[volume]]\nname = \"l{i}\"\npath = \"/srv/{i}\"\n")
    });
    assert!(told(&volumes).ends_with("there can be at most 16 of [[volume]]"));
    let large = format!("{MINIMAL}{}", "#".repeat(FILE_BYTES_MAX));
    assert!(told(&large).contains("larger than 1048576 bytes"));
    let many = format!("{MINIMAL}x = 1\n")
        + &(0..200).fold(String::new(), |t, i| t + &format!("y{i} = 1\n"));
    assert_eq!(told(&many).lines().count(), 51);
    assert!(told(&many).ends_with("sinetti.toml: and 151 more"));
}

#[test]
fn a_file_is_loaded_with_its_digest_and_its_secrets_checked() {
    let dir = tempfile::tempdir().expect("dir");
    let path = dir.path().join("sinetti.toml");
    let e = load(&path).expect_err("missing");
    assert!(
        e.to_string().ends_with("make one with: sinetti init"),
        "{e}"
    );
    assert_eq!(Error::from(e).kind(), Kind::NotFound);

    let text = format!("{MINIMAL}credentials = \"secrets/kassa-1\"\n");
    disk::create(&path, text.as_bytes(), 0o600).expect("file");
    let secret = dir.path().join("secrets/kassa-1");
    disk::create_dir_all(&dir.path().join("secrets"), 0o700).expect("folder");
    disk::create(&secret, b"manager1\nsalaisuus\n", 0o644).expect("file");
    let e = load(&path).expect_err("mode").to_string();
    let folder = dir.path().display();
    assert_eq!(
        e,
        format!(
            "{folder}/sinetti.toml:15: credentials: reading secret file {folder}/secrets/kassa-1: others may read it (mode 0644); \
             run: chmod 600 {folder}/secrets/kassa-1"
        )
    );
    let folder_as_file = text.replace("secrets/kassa-1", "secrets");
    disk::replace(&path, folder_as_file.as_bytes(), 0o600).expect("file");
    let e = load(&path).expect_err("folder").to_string();
    assert!(e.ends_with("it is a folder, not a file"), "{e}");
    disk::replace(&path, text.as_bytes(), 0o600).expect("file");
    disk::replace(&secret, b"manager1\n", 0o600).expect("file");
    let e = load(&path).expect_err("form").to_string();
    assert!(e.contains("second line is empty"), "{e}");
    disk::replace(&secret, b"manager1\nsalaisuus\n", 0o600).expect("file");
    let loaded = load(&path).expect("good");
    assert_eq!(loaded.text, text);
    assert_eq!(loaded.digest, Digest::sha256(&[text.as_bytes()]));
    assert_eq!(
        loaded.config.cameras[0].credentials.as_deref(),
        Some(secret.as_path())
    );
    disk::replace(&path, b"[site]\nname = \"Myym\xe4l\xe4\"\n", 0o600).expect("file");
    let e = load(&path).expect_err("Latin-1").to_string();
    assert!(
        e.ends_with("sinetti.toml:2: this line is not UTF-8 text; save the file as UTF-8"),
        "{e}"
    );
}

#[test]
fn line_ends_of_another_system_make_no_difference() {
    let crlf = MINIMAL.replace('\n', "\r\n");
    assert_eq!(read(&crlf).expect("good"), read(MINIMAL).expect("good"));
    let bad = crlf.replace("192.168.10.21", "x");
    assert!(told(&bad).starts_with("sinetti.toml:12: "));
}

/// Lines of which some mean something, so that arbitrary files get past the TOML parser.
fn line() -> impl Strategy<Value = String> {
    let key = prop::sample::select(vec![
        "name",
        "zone",
        "camera_subnets",
        "segment_secs",
        "queue_mib",
        "path",
        "reserve_gib",
        "dedicated",
        "id",
        "area",
        "address",
        "main",
        "sub",
        "credentials",
        "volume",
        "purposes",
        "keep",
        "keep_sub",
        "guarantee",
        "justification",
        "after_release",
        "site",
        "camera",
        "x",
    ]);
    let value = prop_oneof![
        prop::sample::select(vec![
            "1",
            "-0",
            "0xff",
            "1e400",
            "nan",
            "inf",
            "true",
            "[]",
            "[[[]]]",
            "{}",
            "{ id = 1 }",
            "1979-05-27",
            "''",
            "\"ä\"",
            "'192.168.1.1'",
            "'[::1]:1'",
            "'/a'",
            "'14 d'",
            "'levy-1'",
            "['misuse']",
            "99999999999999999999999999999999999999999999",
        ])
        .prop_map(str::to_owned),
        "\\PC{0,12}".prop_map(|text| format!("{text:?}")),
    ];
    prop_oneof![
        (key, value).prop_map(|(key, value)| format!("{key} = {value}\n")),
        prop::sample::select(vec![
            "[site]\n",
            "[network]\n",
            "[recorder]\n",
            "[retention]\n",
            "[[volume]]\n",
            "[[camera]]\n",
            "[camera]\n",
            "[camera.x]\n",
            "\n",
        ])
        .prop_map(str::to_owned),
        "\\PC{0,20}\n",
    ]
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in "(?s).{0,200}", lines in prop::collection::vec(line(), 0..30)) {
        for text in [text, lines.concat()] {
            if let Err(e) = read(&text) {
                prop_assert!(!e.problems().is_empty());
                prop_assert!(e.to_string().lines().all(|line| line.starts_with("/var/lib/sinetti/sinetti.toml:")));
            }
        }
    }
}

/// The minimal configuration with lines in `[retention]`, and lines at its camera.
fn with_policy(site: &str, camera: &str) -> Result<Policy, String> {
    let text = MINIMAL.replace("[[volume]]", &format!("[retention]\n{site}\n[[volume]]"));
    let config = read(&format!("{text}{camera}\n")).map_err(|e| e.to_string())?;
    Ok(config.cameras[0].policy.clone())
}

#[test]
fn a_policy_is_the_streams_the_cameras_the_sites_or_the_default() {
    let why = "justification = 'thefts come to light late'";
    let told = |policy: &StreamPolicy| {
        let days = |secs: u32| secs / 86_400;
        let StreamPolicy {
            keep_from,
            guarantee_from,
            ..
        } = *policy;
        let (keep, guarantee) = (days(policy.keep_secs), days(policy.guarantee_secs));
        (keep, keep_from, guarantee, guarantee_from)
    };
    use Origin::{Camera, Default, Site, Stream};
    for (site, camera, main, sub) in [
        ("", "", (3, Default, 0, Default), (3, Default, 0, Default)),
        (
            why,
            "",
            (14, Default, 0, Default),
            (14, Default, 0, Default),
        ),
        (
            "",
            why,
            (14, Default, 0, Default),
            (14, Default, 0, Default),
        ),
        (
            "keep = '2 d'\nguarantee = '1 d'",
            "",
            (2, Site, 1, Site),
            (2, Site, 1, Site),
        ),
        (
            "guarantee = '7 d'",
            "keep = '2 d'\nkeep_sub = '1 d'",
            (2, Camera, 2, Site),
            (1, Stream, 1, Site),
        ),
        (
            "keep = '2 d'",
            "keep = '10 d'\nguarantee = '8 d'\nguarantee_sub = '4 d'\njustification = 'x'",
            (10, Camera, 8, Camera),
            (10, Camera, 4, Stream),
        ),
    ] {
        let policy = with_policy(site, camera).expect(site);
        assert_eq!(
            (told(&policy.main), told(&policy.sub)),
            (main, sub),
            "{site} | {camera}"
        );
    }
    let own = with_policy(why, "justification = 'own'").expect("good");
    assert_eq!(own.sentences.justification.as_deref(), Some("own"));
}

#[test]
fn what_is_kept_long_says_why() {
    let why = "justification = 'x'";
    let special = "special_reason = 'a court asked for it'\ndocumented_in = 'notice, 8'";
    for (site, camera, want) in [
        (
            "",
            "keep = '73 h'",
            Some("justification: keeping footage for more than 72 h needs a reason"),
        ),
        (
            "keep = '73 h'",
            "",
            Some("justification: keeping footage for more than 72 h needs a reason"),
        ),
        ("", "keep = '72 h'", None),
        (why, "keep = '365 d'", None),
        (
            why,
            "keep = '366 d'\ndocumented_in = 'x'",
            Some("special_reason: keeping footage for more than 365 d"),
        ),
        (
            why,
            "keep = '366 d'\nspecial_reason = 'x'",
            Some("documented_in"),
        ),
        (why, &format!("keep = '366 d'\n{special}"), None),
        (&format!("keep = '366 d'\n{why}\n{special}"), "", None),
        (
            "",
            "guarantee = '4 d'",
            Some("nothing is promised for longer than it is kept (3 d)"),
        ),
        (
            "keep = '1 d'\nguarantee = '2 d'",
            "",
            Some("nothing is promised for longer"),
        ),
        (
            "",
            "guarantee_sub = '4 d'",
            Some("guarantee_sub: nothing is promised for longer"),
        ),
        (
            "justification = ' '",
            "",
            Some("justification: it is empty"),
        ),
        (
            "after_release = '91 d'",
            "",
            Some("it can be from 1 d to 90 d"),
        ),
        ("after_release = '30 d'", "", None),
        (
            "keep_sub = '1 d'",
            "",
            Some("unknown key \"keep_sub\" in [retention]"),
        ),
    ] {
        match (with_policy(site, camera), want) {
            (Ok(_), None) => {}
            (Err(told), Some(want)) => {
                assert!(told.contains(want), "{told}");
                assert_eq!(told.lines().count(), 1, "once: {told}");
            }
            (found, _) => panic!("{site} | {camera}: {found:?}"),
        }
    }
}
