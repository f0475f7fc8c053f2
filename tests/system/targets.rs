//! Alarm targets over TLS: what arrives, what is refused, and that no secret is told.

use crate::support::{MailServer, Shown, Talk, TestBox, self_signed, signed, web_hub};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use sinetti::alarm::{Message, Sender, Target, Told, tell};
use sinetti::base::clock::SystemClock;
use sinetti::base::error::{Kind, Result};
use sinetti::base::id::BoxId;
use sinetti::base::time::Wall;
use sinetti::base::zone::Zone;
use sinetti::config::{Language, Mail, Security, Trust, Webhook};
use std::fs;
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

const LOGIN: (&str, &str) = ("sinetti", "salaisuus-äö");

fn told() -> Told {
    Told {
        sender: Sender {
            box_id: BoxId::random(),
            site: "Myymälä 1".to_owned(),
            zone: Zone::UTC,
            language: Language::Fi,
        },
        message: Message::Test,
        at: Wall::from_secs(1_795_446_009),
    }
}

fn file(dir: &Path, name: &str, text: &str) -> PathBuf {
    let path = dir.join(name);
    fs::write(&path, text).expect("writes");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("sets the mode");
    path
}

fn try_it(to: Target) -> Result<()> {
    tell(&to, &told(), &SystemClock::shared())
}

fn webhook(address: SocketAddr, file: &Path, name: Option<&str>) -> Target {
    Target::Webhook(Webhook {
        address,
        host: address.to_string(),
        target: "/salaisuus".to_owned(),
        tls: Some(Trust {
            file: file.to_owned(),
            name: name.map(str::to_owned),
        }),
    })
}

#[test]
fn a_webhook_over_tls_shows_a_certificate_that_was_named() {
    let dir = tempfile::tempdir().expect("a folder");
    let trust = |shown: &Shown, name: &str| file(dir.path(), name, &shown.trust);
    // The very certificate, whatever name it bears.
    let shown = self_signed("something-else.internal");
    let own = trust(&shown, "own.pem");
    let (address, got) = web_hub(shown);
    try_it(webhook(address, &own, None)).expect("it is pinned");
    assert_eq!(got.recv().expect("a message")["event"], "test");
    // An authority, for the number or for the name that was given.
    let shown = signed("127.0.0.1");
    let authority = trust(&shown, "authority.pem");
    let (address, got) = web_hub(shown);
    try_it(webhook(address, &authority, None)).expect("for its number");
    got.recv().expect("a message");
    let wrong = try_it(webhook(address, &authority, Some("hub.internal"))).expect_err("name");
    let shown = signed("hub.internal");
    let other = trust(&shown, "other.pem");
    let (address, got) = web_hub(shown);
    try_it(webhook(address, &other, Some("hub.internal"))).expect("for its name");
    got.recv().expect("a message");
    let unknown = try_it(webhook(address, &authority, Some("hub.internal"))).expect_err("unknown");
    let pem = file(dir.path(), "no.pem", "nothing\n");
    let none = try_it(webhook(address, &pem, None)).expect_err("no certificate");
    for e in [wrong, unknown, none] {
        assert_eq!(e.kind(), Kind::Unavailable);
        let text = e.to_string();
        assert!(
            text.contains("certificate") || text.contains("PEM"),
            "{text}"
        );
        assert!(!text.contains("salaisuus"), "{text}");
    }
    assert!(got.try_recv().is_err(), "nothing else arrived");
}

fn mail(address: SocketAddr, security: Security, login: Option<PathBuf>) -> Target {
    Target::Mail(Mail {
        address,
        security,
        login,
        from: "sinetti@shop.internal".to_owned(),
        to: vec!["security@shop.internal".to_owned()],
    })
}

fn secret_is_nowhere(texts: &[String]) {
    let coded = BASE64.encode(format!("\0{}\0{}", LOGIN.0, LOGIN.1));
    for text in texts {
        assert!(!text.contains(LOGIN.1) && !text.contains(&coded), "{text}");
    }
}

/// What a reader makes of the subject.
fn subject(mail: &str) -> String {
    let folded = mail.split("Subject: ").nth(1).expect("a subject");
    let words = folded.split("\r\nMessage-ID").next().expect("an end");
    let words = words.split("\r\n ").map(|word| {
        let coded = word
            .strip_prefix("=?UTF-8?B?")
            .and_then(|w| w.strip_suffix("?="));
        BASE64.decode(coded.expect("encoded")).expect("base64")
    });
    String::from_utf8(words.flatten().collect()).expect("UTF-8")
}

#[test]
fn mail_goes_over_tls_with_a_login_or_not_at_all() {
    let dir = tempfile::tempdir().expect("a folder");
    let login = file(dir.path(), "login", &format!("{}\n{}\n", LOGIN.0, LOGIN.1));
    let server = |shown, from_the_first_byte, auth| MailServer {
        shown,
        from_the_first_byte,
        auth,
        login: LOGIN,
    };
    let trust = |shown: &Shown| Trust {
        file: file(dir.path(), "mail.pem", &shown.trust),
        name: None,
    };
    for (from_the_first_byte, auth) in [(false, "AUTH PLAIN LOGIN"), (true, "AUTH LOGIN")] {
        let shown = signed("127.0.0.1");
        let trust = trust(&shown);
        let (address, talks) = server(Some(shown), from_the_first_byte, auth).start();
        let security = match from_the_first_byte {
            true => Security::Tls(trust),
            false => Security::StartTls(trust),
        };
        try_it(mail(address, security, Some(login.clone()))).expect("taken");
        let talk: Talk = talks.recv().expect("a conversation");
        let said = talk.mail.as_deref().expect("a mail");
        assert_eq!(subject(said), "[Sinetti] Myymälä 1: kokeilu");
        assert!(said.contains("To: security@shop.internal\r\n"), "{said}");
        assert!(
            talk.sealed.iter().any(|line| line.starts_with("AUTH ")),
            "{talk:?}"
        );
        assert!(
            talk.sealed
                .contains(&"MAIL FROM:<sinetti@shop.internal>".to_owned())
        );
        // Before TLS only the greeting and the wish for it.
        let clear: Vec<_> = talk.clear.iter().map(|line| &line[..4]).collect();
        assert!(clear.is_empty() || clear == ["EHLO", "STAR"], "{talk:?}");
    }
    // In the clear when it was asked for, and then without a login.
    let (address, talks) = server(None, false, "SIZE").start();
    try_it(mail(address, Security::Clear, None)).expect("taken");
    assert!(talks.recv().expect("a conversation").mail.is_some());
    // No TLS where there should be: nothing is said.
    let trusted = signed("127.0.0.1");
    let known = trust(&trusted);
    let wanted = Security::StartTls(known.clone());
    let none = try_it(mail(address, wanted.clone(), Some(login.clone()))).expect_err("no TLS");
    secret_is_nowhere(&talks.recv().expect("a conversation").clear);
    // Somebody else in its place.
    let (address, talks) = server(Some(signed("127.0.0.1")), false, "AUTH PLAIN").start();
    let other = try_it(mail(address, wanted.clone(), Some(login.clone()))).expect_err("another");
    let talk = talks.recv().expect("a conversation");
    secret_is_nowhere(&talk.clear);
    assert!(talk.sealed.is_empty(), "{talk:?}");
    // A wrong password, which the server repeats.
    let wrong = MailServer {
        login: ("sinetti", "another"),
        ..server(Some(trusted), false, "AUTH PLAIN")
    };
    let (address, _talks) = wrong.start();
    let refused = try_it(mail(address, wanted, Some(login))).expect_err("a wrong password");
    let errors = [none, other, refused].map(|e| e.to_string());
    for (error, why) in errors
        .iter()
        .zip(["STARTTLS", "certificate", "the login (535)"])
    {
        assert!(error.contains(why), "{error}");
    }
    secret_is_nowhere(&errors);
}

#[test]
fn a_server_that_drips_or_never_ends_is_let_go() {
    for endless in [false, true] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("listens");
        let address = listener.local_addr().expect("an address");
        let served = std::thread::spawn(move || {
            let (mut socket, _) = listener.accept().expect("somebody");
            let (piece, pause) = match endless {
                true => (vec![b'2'; 4096], Duration::ZERO),
                false => (b"2".to_vec(), Duration::from_secs(2)),
            };
            let (_silent, never) = channel::<()>();
            while socket.write_all(&piece).is_ok() {
                never.recv_timeout(pause).ok();
            }
        });
        let began = Instant::now();
        let e = try_it(mail(address, Security::Clear, None)).expect_err("no server");
        assert!(
            began.elapsed() < Duration::from_secs(40),
            "{:?}",
            began.elapsed()
        );
        assert_eq!(e.kind(), Kind::Unavailable);
        served.join().expect("it ends");
    }
}

#[test]
fn a_running_box_sends_mail_and_logs_no_secret() {
    let shown = self_signed("mail.internal");
    let mut shop = TestBox::new();
    file(&shop.dir, "mail.pem", &shown.trust);
    file(
        &shop.dir,
        "mail-login",
        &format!("{}\n{}\n", LOGIN.0, LOGIN.1),
    );
    let server = MailServer {
        shown: Some(shown),
        from_the_first_byte: false,
        auth: "AUTH PLAIN",
        login: LOGIN,
    };
    let (address, talks) = server.start();
    shop.edit_config(|text| {
        format!(
            "{text}\n[alarm]\nmail = \"smtp+starttls://{address}\"\nmail_ca = \"mail.pem\"\nmail_login = \"mail-login\"\n\
             mail_from = \"sinetti@shop.internal\"\nmail_to = [\"security@shop.internal\"]\n"
        )
    });
    shop.start();
    shop.run(&["alarms", "test"]).ok();
    let mut subjects = Vec::new();
    let mut wait = |what: &str| loop {
        let mail = talks.recv().expect("a conversation").mail.expect("a mail");
        subjects.push(subject(&mail));
        if subjects.iter().any(|subject| subject.contains(what)) {
            return;
        }
    };
    wait("kokeilu");
    // The checkpoint of the day: where there is no webhook it goes by mail.
    wait("lokin tarkistuspiste");
    fs::rename(&shop.volume, shop.path("elsewhere")).expect("moves the volume");
    wait("HÄLYTYS: tallennuslevy puuttuu (");
    let (_, log) = shop.stop();
    secret_is_nowhere(&[log]);
    let details = shop.catalog().events(0, 10_000).expect("events");
    secret_is_nowhere(&[format!("{details:?}")]);
}
