//! The files of `config/`: the sample documents every key with its true default, and the service unit keeps its promises.

use std::path::Path;

use sinetti::base::disk;
use sinetti::config::{Config, SAMPLE, SECTIONS, Security, parse};

const SERVICE: &str = include_str!("../config/sinetti.service");

/// Keys whose value in the sample is an example, not a default.
const EXAMPLES: &[&str] = &[
    "sub",
    "credentials",
    "listen",
    "certificate",
    "certificate_key",
    "metrics",
    "webhook",
    "keep",
    "keep_sub",
    "guarantee",
    "guarantee_sub",
    "justification",
    "special_reason",
    "documented_in",
    "controller",
    "contact",
    "officer",
    "basis",
    "recipients",
    "webhook_ca",
    "webhook_name",
    "mail",
    "mail_ca",
    "mail_name",
    "mail_login",
    "mail_from",
    "mail_to",
];

/// The key of a line `#key = value`.
fn commented_key(line: &str) -> Option<&str> {
    let (key, _) = line.strip_prefix('#')?.split_once(" = ")?;
    let plain = !key.is_empty() && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    plain.then_some(key)
}

/// The sample with the comment sign taken from its keys, except `but`.
fn uncommented(but: &[&str]) -> String {
    let lines: Vec<_> = SAMPLE
        .lines()
        .map(|line| match commented_key(line) {
            Some(key) if !but.contains(&key) => &line[1..],
            _ => line,
        })
        .collect();
    lines.join("\n")
}

fn read(text: &str, dir: &Path) -> Config {
    parse(text, dir).expect("a good configuration")
}

#[test]
fn what_the_sample_shows_as_default_is_the_default() {
    let dir = Path::new("/var/lib/sinetti");
    assert_eq!(read(SAMPLE, dir), read(&uncommented(EXAMPLES), dir));
    assert_eq!(read(SAMPLE, dir).cameras.len(), 1);
}

#[test]
fn the_sample_is_good_with_every_key_in_use() {
    let dir = tempfile::tempdir().expect("dir");
    disk::create_dir_all(&dir.path().join("secrets"), 0o700).expect("folder");
    disk::create(
        &dir.path().join("secrets/kassa-1"),
        b"manager1\nsalaisuus\n",
        0o600,
    )
    .expect("file");
    let login = b"sinetti\nsalaisuus\n";
    disk::create(&dir.path().join("secrets/mail"), login, 0o600).expect("file");
    for name in ["alarm-target.pem", "mail-server.pem"] {
        disk::create(&dir.path().join(name), b"PEM", 0o644).expect("file");
    }
    for name in ["web.pem", "web.key"] {
        disk::create(&dir.path().join("secrets").join(name), b"PEM", 0o600).expect("file");
    }
    let config = read(&uncommented(&[]), dir.path());
    assert!(!config.web.listen.is_empty() && config.web.certificate.is_some());
    let mail = config.alarm.mail.expect("mail");
    assert!(matches!(mail.security, Security::StartTls(_)) && mail.login.is_some());
    assert!(config.alarm.webhook.expect("a webhook").tls.is_some());
    assert!(config.cameras[0].sub.is_some() && config.cameras[0].credentials.is_some());
}

#[test]
fn every_key_stands_in_the_sample_once_with_a_comment_before_it() {
    let mut documented = Vec::new();
    let mut section = "";
    let mut before = "";
    for line in SAMPLE.lines() {
        if line.starts_with('[') {
            section = line.trim_matches(['[', ']']);
        } else if let Some(key) = commented_key(line)
            .or_else(|| Some(line.split_once(" = ")?.0).filter(|key| !key.starts_with('#')))
        {
            assert!(before.starts_with("# "), "{key} has no comment");
            documented.push((section, key));
        }
        before = line;
    }
    let known: Vec<_> = SECTIONS
        .iter()
        .flat_map(|(section, keys)| keys.iter().map(|key| (*section, *key)))
        .collect();
    assert_eq!(documented, known, "in the order of the schema");
}

#[test]
fn the_service_keeps_its_promises() {
    for line in [
        "Type=exec",
        "ExecStart=/usr/local/bin/sinetti --dir /var/lib/sinetti run",
        "Restart=always",
        "User=sinetti",
        "UMask=0077",
        "StateDirectory=sinetti",
        "LimitCORE=0",
        "MemorySwapMax=0",
        "IPAddressDeny=any",
        "IPAddressAllow=localhost",
        "ProtectSystem=strict",
        "NoNewPrivileges=yes",
        "CapabilityBoundingSet=",
        "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
        "SystemCallFilter=@system-service",
        "SystemCallFilter=~@privileged @keyring",
        // The recorder reads the state of the clock.
        "SystemCallFilter=adjtimex clock_adjtime clock_adjtime64",
    ] {
        assert!(SERVICE.lines().any(|there| there == line), "{line}");
    }
    assert!(
        !SERVICE
            .lines()
            .any(|line| line.starts_with("ProtectClock="))
    );
    // What may be reached is what the configuration allows, and no more.
    let allowed: Vec<_> = SERVICE
        .lines()
        .filter_map(|line| line.strip_prefix("IPAddressAllow="))
        .flat_map(str::split_whitespace)
        .filter(|net| *net != "localhost")
        .map(|net| net.parse().expect("a network"))
        .collect();
    let private = sinetti::config::private_networks();
    assert!(allowed.iter().all(|net| private.contains(net)));
    let reached = |net: &ipnet::IpNet| allowed.contains(net) || net.addr().is_loopback();
    assert!(private.iter().all(reached));
}
