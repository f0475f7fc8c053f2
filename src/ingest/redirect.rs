//! A camera that sends its client elsewhere (RFC 2326, 11.3): asked where, and whether it may be followed there.
//!
//! The RTSP library tells of a redirect and not of its goal, so the camera is asked once more, by a request of our own that
//! reads no more than a head. A redirect is followed only to a camera's address: a private one, written as a number.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::{Host, Url};
use zeroize::Zeroizing;

use crate::base::error::{Error, Kind, Result};
use crate::config::{self, Credentials, NetworkConfig};

/// Longest head of an answer that is read, in bytes.
const HEAD_BYTES_MAX: usize = 16 << 10;

/// Where the recorder may connect to. Cheap to clone: all clones are the same, and change together.
#[derive(Clone, Debug)]
pub struct Allowed(Arc<Mutex<NetworkConfig>>);

impl Allowed {
    /// As the configuration says.
    pub fn by(network: NetworkConfig) -> Self {
        Self(Arc::new(Mutex::new(network)))
    }

    /// As the configuration says now.
    pub fn set(&self, network: NetworkConfig) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = network;
    }

    fn allows(&self, address: IpAddr) -> bool {
        let network = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        config::is_private(address) && network.allows(address)
    }
}

/// True for a status that names another place to ask. Not 304 (unchanged) and not 305 (ask a proxy).
pub(super) fn is_redirect(status: u16) -> bool {
    matches!(status, 300..=303 | 307 | 308)
}

/// The address in `url`, if it may be connected to.
///
/// # Errors
/// Why not, with what to do. A password that the URL holds is not repeated.
pub(super) fn address(url: &Url, allowed: &Allowed) -> Result<SocketAddr> {
    let refused = |why: String| Err(Error::new(Kind::Denied, why));
    if url.scheme() != "rtsp" {
        return refused(format!("{}: is not followed, only rtsp: is", url.scheme()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refused("an address with a user name in it is not followed".to_owned());
    }
    let ip = match url.host() {
        Some(Host::Ipv4(ip)) => IpAddr::V4(ip),
        Some(Host::Ipv6(ip)) => IpAddr::V6(ip).to_canonical(),
        // A URL of a scheme that is not the web's keeps an IPv4 address as a name.
        Some(Host::Domain(name)) => match name.parse() {
            Ok(ip) => ip,
            Err(_) => return refused(format!("{name:?} is a host name, and is not followed")),
        },
        None => return refused("it names no address".to_owned()),
    };
    if !config::is_private(ip) {
        return refused(format!("{ip} is a public address, and is not followed"));
    }
    if !allowed.allows(ip) {
        return refused(format!(
            "{ip} is outside of camera_subnets, and is not followed"
        ));
    }
    match url.port().unwrap_or(config::CAMERA_PORT) {
        0 => refused("port 0 is no port".to_owned()),
        port => Ok(SocketAddr::new(ip, port)),
    }
}

/// Asks the camera at `url` where it redirects to. The caller bounds the wait.
///
/// # Errors
/// When it does not say, or says where one may not go.
pub(super) async fn follow(
    url: &Url,
    credentials: Option<&Credentials>,
    allowed: &Allowed,
) -> Result<Url> {
    let mut connection = TcpStream::connect(address(url, allowed)?).await?;
    let mut answer = ask(&mut connection, url, 1, None).await?;
    if answer.status == 401
        && let Some(credentials) = credentials
        && let Some(challenge) = answer.header("WWW-Authenticate")
    {
        let authorization = authorize(challenge, url, credentials)?;
        answer = ask(&mut connection, url, 2, Some(&authorization)).await?;
    }
    let unclear = |why: String| Error::new(Kind::Unavailable, why);
    if !is_redirect(answer.status) {
        return Err(unclear(format!(
            "it redirects one request and answers the next with status {}",
            answer.status
        )));
    }
    let to = answer
        .header("Location")
        .ok_or_else(|| unclear("it does not say where to".to_owned()))?;
    let to = url
        .join(to)
        .map_err(|e| unclear(format!("where to is not understood: {e}")))?;
    address(&to, allowed)?;
    Ok(to)
}

/// With basic authentication it can be read back: it is zeroised as the password is.
fn authorize(challenge: &str, url: &Url, credentials: &Credentials) -> Result<Zeroizing<String>> {
    let failed = |why: String| Error::new(Kind::Denied, format!("its challenge: {why}"));
    let mut client = http_auth::PasswordClient::try_from(challenge).map_err(&failed)?;
    client
        .respond(&http_auth::PasswordParams {
            username: &credentials.user,
            password: &credentials.password,
            uri: url.as_str(),
            method: "DESCRIBE",
            body: Some(&[]),
        })
        .map(Zeroizing::new)
        .map_err(failed)
}

async fn ask(
    connection: &mut TcpStream,
    url: &Url,
    number: u32,
    authorization: Option<&str>,
) -> Result<Head> {
    let (before, after) = match authorization {
        Some(_) => ("Authorization: ", "\r\n"),
        None => ("", ""),
    };
    let request = Zeroizing::new(format!(
        "DESCRIBE {url} RTSP/1.0\r\nCSeq: {number}\r\nAccept: application/sdp\r\nUser-Agent: Sinetti/{}\r\n{before}{}{after}\r\n",
        env!("CARGO_PKG_VERSION"),
        authorization.unwrap_or_default()
    ));
    connection.write_all(request.as_bytes()).await?;
    let mut received = Vec::new();
    let mut buffer = [0; 2048];
    loop {
        let count = connection.read(&mut buffer).await?;
        received.extend_from_slice(&buffer[..count]);
        let end = received.windows(4).position(|four| four == b"\r\n\r\n");
        if let Some(head) = end.and_then(|end| Head::parse(&received[..end])) {
            return Ok(head);
        }
        if count == 0 || end.is_some() || received.len() > HEAD_BYTES_MAX {
            let why = "its answer is no RTSP";
            return Err(Error::new(Kind::Unavailable, why));
        }
    }
}

/// Status and headers of an answer.
struct Head {
    status: u16,
    headers: Vec<(String, String)>,
}

impl Head {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let mut lines = text.split("\r\n");
        let mut first = lines.next()?.splitn(3, ' ');
        let is_rtsp = first.next()?.starts_with("RTSP/1.");
        let status = first.next()?.parse().ok()?;
        let headers = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
            .collect();
        is_rtsp.then_some(Self { status, headers })
    }

    fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(other, _)| other.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(url: &str, subnets: &[&str]) -> Result<SocketAddr, String> {
        let subnets = subnets.iter().map(|net| net.parse().expect("a network"));
        let allowed = Allowed::by(NetworkConfig {
            camera_subnets: subnets.collect(),
        });
        address(&url.parse().expect("a URL"), &allowed).map_err(|e| e.to_string())
    }

    const ALL: &[&str] = &["0.0.0.0/0", "::/0"];

    #[test]
    fn only_private_numbers_are_followed() {
        for (url, want) in [
            ("rtsp://192.168.10.22/x", "192.168.10.22:554"),
            ("rtsp://10.0.0.1:8554", "10.0.0.1:8554"),
            ("rtsp://[fd00::5]:8554/x", "[fd00::5]:8554"),
            ("rtsp://[::ffff:192.168.1.1]/x", "192.168.1.1:554"),
        ] {
            assert_eq!(told(url, ALL).expect(url).to_string(), want);
        }
        for (url, why) in [
            ("rtsp://8.8.8.8/x", "public"),
            ("rtsp://[2001:db8::1]/x", "public"),
            ("rtsp://[::ffff:8.8.8.8]/x", "public"),
            ("rtsp://camera.example/x", "host name"),
            ("rtsp://localhost/x", "host name"),
            ("rtsp://192.168.1/x", "host name"),
            ("rtsp://3232235777/x", "host name"),
            ("rtsp://0x08080808/x", "host name"),
            ("rtsps://192.168.10.22/x", "rtsps"),
            ("http://192.168.10.22/x", "http"),
            ("rtsp://manager1:salaisuus@192.168.10.22/x", "user name"),
            ("rtsp:///x", "no address"),
            ("rtsp://192.168.10.22:0/x", "port 0"),
        ] {
            let e = told(url, ALL).expect_err(url);
            assert!(e.contains(why), "{url}: {e}");
            assert!(!e.contains("salaisuus"), "{e}");
        }
    }

    #[test]
    fn and_only_inside_of_the_camera_subnets() {
        let subnets = ["192.168.10.0/24"];
        assert!(told("rtsp://192.168.10.22/x", &subnets).is_ok());
        let e = told("rtsp://192.168.11.22/x", &subnets).expect_err("outside");
        assert!(e.contains("camera_subnets"), "{e}");
    }

    #[test]
    fn a_head_is_read_as_far_as_it_is_rtsp() {
        let head = Head::parse(b"RTSP/1.0 302 Moved\r\nCSeq: 1\r\nlocation:  rtsp://h/x ");
        let head = head.expect("a head");
        assert_eq!(
            (head.status, head.header("Location")),
            (302, Some("rtsp://h/x"))
        );
        assert!(Head::parse(b"HTTP/1.1 302 Found\r\n").is_none());
        assert!(Head::parse(b"RTSP/1.0 abc\r\n").is_none());
        assert!(Head::parse(b"\xff\xfe").is_none());
    }
}
