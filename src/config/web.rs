//! `[web]`: where pages and API are served, to whom, and under which certificate.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ipnet::IpNet;

use crate::base::disk;
use crate::config::address::{is_private, parse_subnet, private_networks};
use crate::config::read::{Section, quote};

/// Port of pages and API, where `listen` names none.
pub const WEB_PORT: u16 = 8443;
/// The largest certificate or key file, in bytes.
pub const PEM_BYTES_MAX: u64 = 64 << 10;
/// Domains that no public name can lie in (RFC 8375, RFC 6761, RFC 6762, and ICANN's reservation of `internal`): the only
/// ones that the box's own certificate authority may name.
pub const LOCAL_DOMAINS: [&str; 4] = ["internal", "home.arpa", "local", "localhost"];

/// The keys of the section.
pub(crate) const KEYS: &[&str] = &[
    "listen",
    "names",
    "premises",
    "certificate",
    "certificate_key",
    "metrics",
];

const NAME_BYTES_MAX: usize = 253;

/// Where pages and API are served, to whom, and under which certificate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WebConfig {
    /// Private addresses with a port. Default: none, nothing is served.
    pub listen: Vec<SocketAddr>,
    /// Names that the box's own certificate bears besides its addresses. Default `sinetti.internal`.
    pub names: Vec<String>,
    /// Networks from which one may connect, all private. Default: every private network.
    pub premises: Arc<[IpNet]>,
    /// A certificate that the box did not make itself. Default: its own.
    pub certificate: Option<CertificateFiles>,
    /// Loopback address of `/metrics` and `/healthz`. Default: none, they are not served.
    pub metrics: Option<SocketAddr>,
}

/// A certificate and its key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CertificateFiles {
    /// PEM: the certificate, then those between it and its authority.
    pub chain: PathBuf,
    /// PEM, mode 0600.
    pub key: PathBuf,
}

impl Default for WebConfig {
    fn default() -> Self {
        Self {
            listen: Vec::new(),
            names: vec!["sinetti.internal".to_owned()],
            premises: private_networks().into(),
            certificate: None,
            metrics: None,
        }
    }
}

/// Reads the section; what is wrong is noted, and `None`.
pub(crate) fn read(section: &Section<'_>, base_dir: &Path) -> Option<WebConfig> {
    let default = WebConfig::default();
    let listen = every(section, "listen", parse_listen, default.listen);
    let names = every(section, "names", parse_host, default.names);
    let premises = every(section, "premises", parse_subnet, default.premises.to_vec());
    let chain = section.parsed("certificate", |text| chain_file(base_dir, text));
    let key = section.parsed("certificate_key", |text| key_file(base_dir, text));
    if section.has("certificate") != section.has("certificate_key") {
        section.note("certificate and certificate_key go together: give both or neither");
        return None;
    }
    let metrics = section.parsed("metrics", parse_metrics);
    for (given, parsed) in [
        ("certificate", chain.is_some()),
        ("certificate_key", key.is_some()),
        ("metrics", metrics.is_some()),
    ] {
        if section.has(given) && !parsed {
            return None;
        }
    }
    Some(WebConfig {
        listen: listen?,
        names: names?,
        premises: premises?.into(),
        certificate: chain.zip(key).map(|(chain, key)| CertificateFiles {
            chain: chain.value,
            key: key.value,
        }),
        metrics: metrics.map(|address| address.value),
    })
}

/// The whole list under `key`, the default when it is left out, `None` when an entry is wrong.
fn every<T>(
    section: &Section<'_>,
    key: &str,
    parse: impl Fn(&str) -> Result<T, String>,
    default: Vec<T>,
) -> Option<Vec<T>> {
    if !section.has(key) {
        return Some(default);
    }
    let list = section.list(key, parse)?;
    let complete = list.len() == section.entries(key);
    complete.then(|| list.into_iter().map(|entry| entry.value).collect())
}

fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    let address = text
        .parse::<SocketAddr>()
        .or_else(|_| text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, WEB_PORT)))
        .map_err(|_| {
            format!(
                "{} is no address; write 192.168.10.5, 192.168.10.5:{WEB_PORT} or [fd00::5]:{WEB_PORT}",
                quote(text)
            )
        })?;
    let ip = address.ip();
    if ip.is_unspecified() {
        return Err(format!(
            "{ip} means every address of this machine; name those that people on the premises use"
        ));
    }
    if !is_private(ip) {
        return Err(format!(
            "{ip} is a public address; pages are served in private networks only"
        ));
    }
    if address.port() == 0 && !ip.is_loopback() {
        return Err("port 0 (any free one) is for loopback only".to_owned());
    }
    Ok(address)
}

fn parse_metrics(text: &str) -> Result<SocketAddr, String> {
    match text.parse::<SocketAddr>() {
        Ok(address) if address.ip().is_loopback() => Ok(address),
        _ => Err(format!(
            "{} must be a loopback address with a port, such as 127.0.0.1:9464: it is served without sign-in",
            quote(text)
        )),
    }
}

fn parse_host(text: &str) -> Result<String, String> {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    if text.len() > NAME_BYTES_MAX || !text.split('.').all(label) {
        return Err(format!(
            "{} is no host name in lower case, such as \"sinetti.internal\"",
            quote(text)
        ));
    }
    let lies_in = |domain: &str| {
        let rest = text.strip_suffix(domain);
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    if !LOCAL_DOMAINS.iter().any(|domain| lies_in(domain)) {
        return Err(format!(
            "{} lies in a public domain; the box's own certificate names only hosts in {}. For another name give a certificate \
             of your own",
            quote(text),
            LOCAL_DOMAINS.join(", ")
        ));
    }
    Ok(text.to_owned())
}

/// A file of certificates that is there.
pub(crate) fn chain_file(base_dir: &Path, text: &str) -> Result<PathBuf, String> {
    let path = base_dir.join(text);
    match std::fs::metadata(&path) {
        Ok(data) if data.is_file() && data.len() <= PEM_BYTES_MAX => Ok(path),
        Ok(_) => Err(format!(
            "{} is not a PEM file of at most {PEM_BYTES_MAX} bytes",
            quote(text)
        )),
        Err(e) => Err(format!("{}: {e}", quote(text))),
    }
}

fn key_file(base_dir: &Path, text: &str) -> Result<PathBuf, String> {
    let path = base_dir.join(text);
    disk::read_secret(&path, PEM_BYTES_MAX)
        .map(|_| path)
        .map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;
    use crate::config::tests::MINIMAL;

    fn web(keys: &str) -> Result<WebConfig, String> {
        parse(&format!("{MINIMAL}\n[web]\n{keys}"), Path::new("/nowhere"))
            .map(|config| config.web)
            .map_err(|e| e.to_string())
    }

    #[test]
    fn nothing_is_served_unless_it_is_said() {
        assert_eq!(web(""), Ok(WebConfig::default()));
        assert!(WebConfig::default().listen.is_empty());
    }

    #[test]
    fn addresses_are_private_and_metrics_loopback() {
        let good = web("listen = [\"192.168.10.5\", \"127.0.0.1:0\"]\nmetrics = \"[::1]:9464\"");
        let good = good.expect("good");
        assert_eq!(good.listen[0].to_string(), "192.168.10.5:8443");
        for bad in [
            "listen = [\"0.0.0.0:8443\"]",
            "listen = [\"193.166.3.2:8443\"]",
            "listen = [\"192.168.10.5:0\"]",
            "listen = [\"sinetti.internal:8443\"]",
            "metrics = \"192.168.10.5:9464\"",
            "premises = [\"0.0.0.0/0\"]",
            "names = [\"sinetti.example.fi\"]",
            "names = [\"Sinetti.internal\"]",
            "certificate = \"own.pem\"",
            "certificate = \"own.pem\"\ncertificate_key = \"own.key\"",
        ] {
            assert!(web(bad).is_err(), "{bad}");
        }
    }
}
