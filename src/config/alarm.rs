//! `[alarm]`: to whom alarms are told besides status, log and ledger.

use std::net::{IpAddr, SocketAddr};

use url::{Host, Url};

use crate::config::address::is_private;
use crate::config::read::{Section, quote};

/// The keys of the section.
pub(crate) const KEYS: &[&str] = &["webhook"];

const URL_BYTES_MAX: usize = 1000;

/// To whom alarms are told.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AlarmConfig {
    /// Where each alarm is posted as JSON. Default: nowhere.
    pub webhook: Option<Webhook>,
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
}

/// Reads the section; what is wrong is noted, and `None`.
pub(crate) fn read(section: &Section<'_>) -> Option<AlarmConfig> {
    let webhook = section.parsed("webhook", parse_webhook);
    if section.has("webhook") && webhook.is_none() {
        return None;
    }
    Some(AlarmConfig {
        webhook: webhook.map(|field| field.value),
    })
}

fn parse_webhook(text: &str) -> Result<Webhook, String> {
    const EXAMPLE: &str = "write it as \"http://192.168.10.9:8080/sinetti\"";
    // Whatever is wrong: the path may hold a secret, and is not repeated.
    let shown = |url: &Url| quote(url.host_str().unwrap_or_default());
    if text.len() > URL_BYTES_MAX {
        return Err(format!("it is longer than {URL_BYTES_MAX} bytes"));
    }
    let url =
        Url::parse(text).map_err(|e| format!("no address of a web server ({e}); {EXAMPLE}"))?;
    if url.scheme() != "http" {
        return Err(format!(
            "the scheme {} is not spoken here: alarms go in the clear, within a private network, and have nothing personal in \
             them; {EXAMPLE}",
            quote(url.scheme())
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("user name and password are not sent; leave them out".to_owned());
    }
    let ip: IpAddr = match url.host() {
        Some(Host::Ipv4(ip)) => ip.into(),
        Some(Host::Ipv6(ip)) => IpAddr::from(ip).to_canonical(),
        _ => {
            return Err(format!(
                "{} is a host name; write the server's IP address, since a name could be made to point elsewhere; {EXAMPLE}",
                shown(&url)
            ));
        }
    };
    if !is_private(ip) {
        return Err(format!(
            "{ip} is a public address; alarms go to private networks only"
        ));
    }
    let address = SocketAddr::new(ip, url.port_or_known_default().unwrap_or(80));
    let query = url
        .query()
        .map_or(String::new(), |query| format!("?{query}"));
    Ok(Webhook {
        address,
        host: address.to_string(),
        target: format!("{}{query}", url.path()),
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::parse;
    use crate::config::tests::MINIMAL;

    fn alarm(keys: &str) -> Result<AlarmConfig, String> {
        parse(
            &format!("{MINIMAL}\n[alarm]\n{keys}"),
            Path::new("/nowhere"),
        )
        .map(|config| config.alarm)
        .map_err(|e| e.to_string())
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
            ("https://192.168.10.9/salaisuus", "scheme"),
            ("ftp://192.168.10.9/salaisuus", "scheme"),
            ("http://a:salaisuus@192.168.10.9/", "leave them out"),
            ("192.168.10.9", "no address"),
        ] {
            let e = alarm(&format!("webhook = \"{url}\"")).expect_err(url);
            assert!(e.contains(why), "{url}: {e}");
            assert!(!e.contains("salaisuus"), "{e}");
        }
    }
}
