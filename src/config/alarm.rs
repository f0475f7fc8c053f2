//! `[alarm]`: to whom alarms are told besides status, log and ledger.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use url::{Host, Url};

use crate::config::address::is_private;
use crate::config::credentials::Credentials;
use crate::config::read::{Section, quote};
use crate::config::web::chain_file;

/// The keys of the section.
pub(crate) const KEYS: &[&str] = &[
    "language",
    "webhook",
    "webhook_ca",
    "webhook_name",
    "mail",
    "mail_ca",
    "mail_name",
    "mail_login",
    "mail_from",
    "mail_to",
];

/// Most recipients of mail.
const RECIPIENTS_MAX: usize = 16;

const URL_BYTES_MAX: usize = 1000;
const NAME_BYTES_MAX: usize = 253;
const MAILBOX_BYTES_MAX: usize = 254;

/// To whom alarms are told.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AlarmConfig {
    /// Where each alarm is posted as JSON. Default: nowhere.
    pub webhook: Option<Webhook>,
    /// Where each alarm is sent as mail. Default: nowhere.
    pub mail: Option<Mail>,
    /// Of the mail. Default: Finnish.
    pub language: Language,
}

/// What people read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Language {
    /// Finnish.
    #[default]
    Fi,
    /// Swedish.
    Sv,
    /// English.
    En,
}

/// How the other end of a TLS connection shows who it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trust {
    /// PEM: authorities that may have signed its certificate, or that certificate itself.
    pub file: PathBuf,
    /// The name in its certificate. Default: its address.
    pub name: Option<String>,
}

/// A private server that takes alarms by HTTP.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Webhook {
    /// Its address: private.
    pub address: SocketAddr,
    /// As it stands in the request: address with port.
    pub host: String,
    /// Path and query; begins with `/`. It may hold a secret, and is not told to anybody.
    pub target: String,
    /// `None`: in the clear.
    pub tls: Option<Trust>,
}

/// A private server that takes mail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mail {
    /// Its address: private.
    pub address: SocketAddr,
    /// How the connection is guarded.
    pub security: Security,
    /// File with user name and password, mode 0600. Only over TLS. Default: no login.
    pub login: Option<PathBuf>,
    /// The sender's mailbox.
    pub from: String,
    /// The recipients' mailboxes.
    pub to: Vec<String>,
}

/// How a connection to a mail server is guarded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Security {
    /// Not at all.
    Clear,
    /// TLS after a command (RFC 3207); without it nothing is sent.
    StartTls(Trust),
    /// TLS from the first byte on (RFC 8314).
    Tls(Trust),
}

/// Reads the section; what is wrong is noted, and `None`.
pub(crate) fn read(section: &Section<'_>, base_dir: &Path) -> Option<AlarmConfig> {
    let language = section.parsed("language", parse_language);
    if section.has("language") && language.is_none() {
        return None;
    }
    Some(AlarmConfig {
        webhook: webhook(section, base_dir)?,
        mail: mail(section, base_dir)?,
        language: language.map(|field| field.value).unwrap_or_default(),
    })
}

/// The value under `key`, if there is one; `None` when it is wrong.
fn optional<T, E: std::fmt::Display>(
    section: &Section<'_>,
    key: &str,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Option<Option<T>> {
    let field = section.parsed(key, parse);
    (field.is_some() || !section.has(key)).then(|| field.map(|field| field.value))
}

/// What TLS is checked with: needed when it `is_tls`, and of no use else.
fn trust(
    section: &Section<'_>,
    base_dir: &Path,
    (key, ca, name): (&str, &str, &str),
    is_tls: bool,
) -> Option<Option<Trust>> {
    let file = optional(section, ca, |text| chain_file(base_dir, text))?;
    let named = optional(section, name, parse_name)?;
    match (is_tls, file) {
        (true, Some(file)) => Some(Some(Trust { file, name: named })),
        (true, None) => {
            section.note(&format!(
                "{key} is over TLS: {ca} has to name the PEM file of the authority that signed the server's certificate, or of \
                 that certificate itself"
            ));
            None
        }
        (false, None) if named.is_none() => Some(None),
        (false, _) => {
            section.note(&format!(
                "{ca} and {name} are for TLS, which {key} does not ask for"
            ));
            None
        }
    }
}

fn webhook(section: &Section<'_>, base_dir: &Path) -> Option<Option<Webhook>> {
    let webhook = optional(section, "webhook", parse_webhook)?;
    let is_tls = webhook.as_ref().is_some_and(|(_, is_tls)| *is_tls);
    let keys = ("webhook", "webhook_ca", "webhook_name");
    let tls = trust(section, base_dir, keys, is_tls)?;
    Some(webhook.map(|(webhook, _)| Webhook { tls, ..webhook }))
}

fn mail(section: &Section<'_>, base_dir: &Path) -> Option<Option<Mail>> {
    let server = optional(section, "mail", parse_mail)?;
    let is_tls = server.is_some_and(|(_, scheme)| scheme != Scheme::Clear);
    let keys = ("mail", "mail_ca", "mail_name");
    let trust = trust(section, base_dir, keys, is_tls)?;
    let login = optional(section, "mail_login", |text| {
        let path = base_dir.join(text);
        Credentials::read(&path).map(|_| path)
    })?;
    let from = optional(section, "mail_from", parse_mailbox)?;
    let to = section.list("mail_to", parse_mailbox);
    let Some((address, scheme)) = server else {
        let given = ["mail_login", "mail_from", "mail_to"];
        return match given.iter().find(|key| section.has(key)) {
            Some(key) => {
                section.note(&format!("{key} without mail, the server that mail goes to"));
                None
            }
            None => Some(None),
        };
    };
    if login.is_some() && !is_tls {
        section.note(
            "mail_login would be sent in the clear: let mail be smtp+starttls://… or smtps://…",
        );
        return None;
    }
    let (Some(from), Some(to)) = (from, to) else {
        section.note("mail needs mail_from, the sender, and mail_to, a list of recipients");
        return None;
    };
    if to.len() != section.entries("mail_to") {
        return None;
    }
    if to.len() > RECIPIENTS_MAX {
        section.note(&format!("mail_to: at most {RECIPIENTS_MAX} recipients"));
        return None;
    }
    Some(Some(Mail {
        address,
        security: match (scheme, trust) {
            (Scheme::StartTls, Some(trust)) => Security::StartTls(trust),
            (Scheme::Tls, Some(trust)) => Security::Tls(trust),
            _ => Security::Clear,
        },
        login,
        from,
        to: to.into_iter().map(|field| field.value).collect(),
    }))
}

fn parse_language(text: &str) -> Result<Language, String> {
    match text {
        "fi" => Ok(Language::Fi),
        "sv" => Ok(Language::Sv),
        "en" => Ok(Language::En),
        _ => Err(format!("{} is none of fi, sv, en", quote(text))),
    }
}

/// A URL and the private address in it. Whatever is wrong: the path may hold a secret, and is not repeated.
fn private_url(
    text: &str,
    port: impl Fn(&Url) -> u16,
    example: &str,
) -> Result<(Url, SocketAddr), String> {
    if text.len() > URL_BYTES_MAX {
        return Err(format!("it is longer than {URL_BYTES_MAX} bytes"));
    }
    let url = Url::parse(text).map_err(|e| format!("no address of a server ({e}); {example}"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("user name and password do not belong here; leave them out".to_owned());
    }
    let shown = url.host_str().unwrap_or_default();
    let ip: Option<IpAddr> = match url.host() {
        Some(Host::Ipv4(ip)) => Some(ip.into()),
        Some(Host::Ipv6(ip)) => Some(IpAddr::from(ip).to_canonical()),
        // The library reads hosts as addresses only in schemes of the web.
        _ => shown.parse().ok(),
    };
    let ip = ip.ok_or_else(|| {
        format!(
            "{} is a host name; write the server's IP address, since a name could be made to point elsewhere; {example}",
            quote(shown)
        )
    })?;
    if !is_private(ip) {
        return Err(format!(
            "{ip} is a public address; alarms go to private networks only"
        ));
    }
    let port = url.port().unwrap_or_else(|| port(&url));
    Ok((url, SocketAddr::new(ip, port)))
}

fn unknown_scheme(url: &str, example: &str) -> String {
    let scheme = url.split(':').next().unwrap_or_default();
    format!("the scheme {} is not spoken here; {example}", quote(scheme))
}

/// Without its trust; with whether it is over TLS.
fn parse_webhook(text: &str) -> Result<(Webhook, bool), String> {
    const EXAMPLE: &str =
        "write it as \"http://192.168.10.9:8080/sinetti\" or \"https://192.168.10.9/sinetti\"";
    let port = |url: &Url| if url.scheme() == "https" { 443 } else { 80 };
    let (url, address) = private_url(text, port, EXAMPLE)?;
    if !["http", "https"].contains(&url.scheme()) {
        return Err(unknown_scheme(text, EXAMPLE));
    }
    let query = url
        .query()
        .map_or(String::new(), |query| format!("?{query}"));
    let webhook = Webhook {
        address,
        host: address.to_string(),
        target: format!("{}{query}", url.path()),
        tls: None,
    };
    Ok((webhook, url.scheme() == "https"))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Clear,
    StartTls,
    Tls,
}

fn parse_mail(text: &str) -> Result<(SocketAddr, Scheme), String> {
    const EXAMPLE: &str = "write it as \"smtp+starttls://192.168.10.9\", \"smtps://192.168.10.9\", or in the clear \"smtp://192.168.10.9\"";
    let scheme = |url: &Url| match url.scheme() {
        "smtp" => Some((Scheme::Clear, 25)),
        "smtp+starttls" => Some((Scheme::StartTls, 587)),
        "smtps" => Some((Scheme::Tls, 465)),
        _ => None,
    };
    let port = |url: &Url| scheme(url).map_or(0, |(_, port)| port);
    let (url, address) = private_url(text, port, EXAMPLE)?;
    let (scheme, _) = scheme(&url).ok_or_else(|| unknown_scheme(text, EXAMPLE))?;
    if !["", "/"].contains(&url.path()) || url.query().is_some() {
        return Err(format!("nothing follows the port; {EXAMPLE}"));
    }
    Ok((address, scheme))
}

fn parse_name(text: &str) -> Result<String, String> {
    let good = |b: u8| b.is_ascii_alphanumeric() || b == b'.' || b == b'-';
    if text.is_empty() || text.len() > NAME_BYTES_MAX || !text.bytes().all(good) {
        return Err(format!("{} is no host name", quote(text)));
    }
    Ok(text.to_owned())
}

/// RFC 5321, 4.1.2, as far as mailboxes have it in practice: nothing that could end a line or a command.
fn parse_mailbox(text: &str) -> Result<String, String> {
    let wrong = || {
        format!(
            "{} is no mailbox such as \"sinetti@shop.internal\"",
            quote(text)
        )
    };
    let (local, domain) = text.rsplit_once('@').ok_or_else(wrong)?;
    let atom = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&b);
    let is_good = !local.is_empty() && local.len() <= 64 && local.bytes().all(atom);
    if !is_good || text.len() > MAILBOX_BYTES_MAX || parse_name(domain).is_err() {
        return Err(wrong());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::disk;
    use crate::config::parse;
    use crate::config::tests::MINIMAL;

    fn alarm_in(dir: &Path, keys: &str) -> Result<AlarmConfig, String> {
        parse(&format!("{MINIMAL}\n[alarm]\n{keys}"), dir)
            .map(|config| config.alarm)
            .map_err(|e| e.to_string())
    }

    fn alarm(keys: &str) -> Result<AlarmConfig, String> {
        alarm_in(Path::new("/nowhere"), keys)
    }

    /// A folder with an authority and a login.
    fn folder() -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("dir");
        disk::create(&dir.path().join("ca.pem"), b"a certificate\n", 0o644).expect("file");
        let login = b"sinetti\nsalaisuus\n";
        disk::create(&dir.path().join("login"), login, 0o600).expect("file");
        disk::create(&dir.path().join("open"), login, 0o644).expect("file");
        dir
    }

    #[test]
    fn a_target_is_private_and_a_number() {
        assert_eq!(alarm(""), Ok(AlarmConfig::default()));
        for (url, address, target) in [
            ("http://192.168.10.9/", "192.168.10.9:80", "/"),
            ("http://10.0.0.1:8080/a?key=x", "10.0.0.1:8080", "/a?key=x"),
            ("http://[fd00::9]:81", "[fd00::9]:81", "/"),
            ("http://127.0.0.1:9/x", "127.0.0.1:9", "/x"),
        ] {
            let webhook = alarm(&format!("webhook = \"{url}\"")).expect(url).webhook;
            let webhook = webhook.expect(url);
            assert_eq!(webhook.address.to_string(), address, "{url}");
            assert_eq!(
                (webhook.target.as_str(), webhook.host.as_str()),
                (target, address)
            );
            assert_eq!(webhook.tls, None);
        }
    }

    #[test]
    fn anything_else_is_refused_without_repeating_a_secret() {
        for (url, why) in [
            ("http://8.8.8.8/salaisuus", "public"),
            ("http://[2001:db8::1]/salaisuus", "public"),
            ("http://[::ffff:8.8.8.8]/salaisuus", "public"),
            ("http://134744072/salaisuus", "public"),
            ("http://alarms.example/salaisuus", "host name"),
            ("http://localhost/salaisuus", "host name"),
            ("https://192.168.10.9/salaisuus", "webhook_ca"),
            ("ftp://192.168.10.9/salaisuus", "scheme"),
            ("http://a:salaisuus@192.168.10.9/", "leave them out"),
            ("192.168.10.9", "no address"),
        ] {
            let e = alarm(&format!("webhook = \"{url}\"")).expect_err(url);
            assert!(e.contains(why), "{url}: {e}");
            assert!(!e.contains("salaisuus"), "{e}");
        }
    }

    #[test]
    fn over_tls_somebody_has_to_be_trusted() {
        let dir = folder();
        let good = "webhook = \"https://192.168.10.9/x\"\nwebhook_ca = \"ca.pem\"\nwebhook_name = \"hub.internal\"";
        let webhook = alarm_in(dir.path(), good).expect("good").webhook;
        let webhook = webhook.expect("one");
        assert_eq!(webhook.address.port(), 443);
        let trust = webhook.tls.expect("TLS");
        assert_eq!(trust.file, dir.path().join("ca.pem"));
        assert_eq!(trust.name.as_deref(), Some("hub.internal"));
        for bad in [
            "webhook = \"http://192.168.10.9/\"\nwebhook_ca = \"ca.pem\"",
            "webhook_ca = \"ca.pem\"",
            "webhook = \"https://192.168.10.9/\"\nwebhook_ca = \"none.pem\"",
        ] {
            let e = alarm_in(dir.path(), bad).expect_err(bad);
            assert!(e.contains("webhook_ca"), "{bad}: {e}");
        }
    }

    #[test]
    fn mail_goes_to_a_private_server_and_a_login_never_in_the_clear() {
        let dir = folder();
        let people = "mail_from = \"sinetti@shop.internal\"\nmail_to = [\"manager1@shop.example\"]";
        let mail = |keys: &str| alarm_in(dir.path(), &format!("{keys}\n{people}"));
        for (server, port, is_tls) in [
            ("smtp://192.168.10.9", 25, false),
            (
                "smtp+starttls://192.168.10.9\"\nmail_ca = \"ca.pem",
                587,
                true,
            ),
            ("smtps://[fd00::9]:4650\"\nmail_ca = \"ca.pem", 4650, true),
        ] {
            let found = mail(&format!("mail = \"{server}\"")).expect(server).mail;
            let found = found.expect(server);
            assert_eq!(found.address.port(), port, "{server}");
            assert_eq!(found.security != Security::Clear, is_tls, "{server}");
            assert_eq!(found.to, ["manager1@shop.example"]);
        }
        let tls = "mail = \"smtps://192.168.10.9\"\nmail_ca = \"ca.pem\"\nmail_login = ";
        let found = mail(&format!("{tls}\"login\"\nlanguage = \"sv\"")).expect("good");
        assert_eq!(found.language, Language::Sv);
        assert_eq!(
            found.mail.expect("one").login,
            Some(dir.path().join("login"))
        );
        for (keys, why) in [
            ("mail = \"smtp://8.8.8.8\"", "public"),
            ("mail = \"smtp://mail.example\"", "host name"),
            ("mail = \"smtps://192.168.10.9\"", "mail_ca"),
            ("mail = \"imap://192.168.10.9\"", "scheme"),
            ("mail = \"smtp://192.168.10.9/x\"", "nothing follows"),
            (
                "mail = \"smtp://192.168.10.9\"\nmail_login = \"login\"",
                "in the clear",
            ),
            (&format!("{tls}\"open\""), "mail_login"),
            ("", "without mail"),
            ("language = \"de\"", "none of"),
        ] {
            let e = mail(keys).expect_err(keys);
            assert!(e.contains(why), "{keys}: {e}");
            assert!(!e.contains("salaisuus"), "{e}");
        }
    }

    #[test]
    fn a_mailbox_cannot_end_a_command() {
        let server = "mail = \"smtp://192.168.10.9\"\nmail_from = \"sinetti@shop.internal\"";
        for to in [
            "manager1",
            "a@b>\\r\\nDATA",
            "a b@shop.example",
            "@shop.example",
            "ä@shop.example",
        ] {
            let e = alarm(&format!("{server}\nmail_to = [\"{to}\"]")).expect_err(to);
            assert!(e.contains("no mailbox"), "{to}: {e}");
        }
        let e = alarm(server).expect_err("nobody");
        assert!(e.contains("mail_to"), "{e}");
    }
}
