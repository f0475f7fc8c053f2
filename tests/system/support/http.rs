//! HTTP over TLS by hand: requests are written and answers read here, so that it shares no code with the server but TLS.

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Longest wait for bytes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A TLS connection.
pub(crate) type Tls = StreamOwned<ClientConnection, TcpStream>;

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
    /// False: it broke off.
    pub(crate) whole: bool,
}

impl Reply {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        let text = String::from_utf8_lossy(&self.body);
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|e| panic!("{e}: {} {text:?}", self.status))
    }

    /// The body, when the status is as wanted.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Reply {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status, status, "{text}");
        self
    }
}

/// Somebody's browser, so to speak.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) address: SocketAddr,
    pub(crate) tls: Arc<ClientConfig>,
    pub(crate) cookie: Option<String>,
    /// From which address of loopback it connects.
    pub(crate) source: Option<Ipv4Addr>,
}

impl Client {
    /// A client that trusts the authority in a file.
    pub(crate) fn new(address: SocketAddr, authority: &Path) -> Client {
        let mut roots = RootCertStore::empty();
        let authority = std::fs::read(authority).expect("an authority");
        roots
            .add(CertificateDer::from_pem_slice(&authority).expect("PEM"))
            .expect("a root");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Client {
            address,
            tls: Arc::new(tls),
            cookie: None,
            source: None,
        }
    }

    /// Connects and does no more than TLS.
    pub(crate) fn connect(&self) -> Tls {
        let socket = self.socket();
        socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        socket.set_write_timeout(Some(PATIENCE)).expect("a timeout");
        let name = ServerName::from(self.address.ip());
        let tls = ClientConnection::new(Arc::clone(&self.tls), name).expect("TLS");
        StreamOwned::new(tls, socket)
    }

    #[track_caller]
    pub(crate) fn sign_in(&mut self, name: &str, password: &str, code: &str) {
        let given = json!({ "name": name, "password": password, "code": code });
        let reply = self.post("/api/v1/session", &given).expect(200);
        let cookie = &reply.headers["set-cookie"];
        self.cookie = cookie.split(';').next().map(str::to_owned);
    }

    /// Opens a playback of `main` of these cameras; its description.
    #[track_caller]
    pub(crate) fn open(&self, cameras: &[&str], start: &str, end: &str) -> Value {
        let given = json!({
            "cameras": cameras, "start": start, "end": end, "purpose": "protection-of-property",
        });
        self.post("/api/v1/playbacks", &given).expect(201).json()
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.send("GET", path, None)
    }

    pub(crate) fn delete(&self, path: &str) -> Reply {
        self.send("DELETE", path, None)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Reply {
        self.send("POST", path, Some(body))
    }

    fn socket(&self) -> TcpStream {
        let Some(source) = self.source else {
            return TcpStream::connect(self.address).expect("connects");
        };
        use rustix::net::{AddressFamily, SocketType, bind, connect, socket};
        let socket = socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
        bind(&socket, &SocketAddr::from((source, 0))).expect("its own address");
        connect(&socket, &self.address).expect("connects");
        socket.into()
    }

    /// The head of a request.
    pub(crate) fn head(&self, method: &str, path: &str) -> String {
        let cookie = self.cookie.as_ref();
        let cookie = cookie.map_or(String::new(), |c| format!("cookie: {c}\r\n"));
        format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\n{cookie}",
            self.address
        )
    }

    fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Reply {
        let mut tls = self.connect();
        let request = self.request(method, path, body, "close");
        tls.write_all(request.as_bytes()).expect("written");
        read(tls)
    }

    /// A whole request.
    pub(crate) fn request(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        connection: &str,
    ) -> String {
        let text = body.map_or(String::new(), Value::to_string);
        let kind = body.map_or("", |_| "content-type: application/json\r\n");
        let head = self.head(method, path);
        let len = text.len();
        format!("{head}{kind}content-length: {len}\r\nconnection: {connection}\r\n\r\n{text}")
    }
}

/// Reads an answer to its end, or to where it breaks off.
pub(crate) fn read(stream: impl Read) -> Reply {
    read_from(&mut BufReader::new(stream)).expect("a status line")
}

/// Reads an answer; after it the next may come. `None`: the connection has ended.
pub(crate) fn read_from(from: &mut impl BufRead) -> Option<Reply> {
    let mut line = String::new();
    from.read_line(&mut line).ok().filter(|len| *len > 0)?;
    let status = line.split(' ').nth(1).and_then(|text| text.parse().ok());
    let status = status.unwrap_or_else(|| panic!("no status line: {line:?}"));
    let mut headers = BTreeMap::new();
    loop {
        line.clear();
        from.read_line(&mut line).expect("a header");
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let (mut body, mut whole) = (Vec::new(), true);
    if headers
        .get("transfer-encoding")
        .is_some_and(|v| v == "chunked")
    {
        whole = chunks(from, &mut body).is_some();
    } else if let Some(len) = headers.get("content-length") {
        let len: usize = len.parse().expect("a length");
        body.resize(len, 0);
        whole = from.read_exact(&mut body).is_ok();
    }
    Some(Reply {
        status,
        headers,
        body,
        whole,
    })
}

/// RFC 9112, 7.1; `None` when it breaks off.
fn chunks(from: &mut impl BufRead, body: &mut Vec<u8>) -> Option<()> {
    loop {
        let mut line = String::new();
        from.read_line(&mut line).ok()?;
        let len = usize::from_str_radix(line.trim(), 16).ok()?;
        let start = body.len();
        body.resize(start + len, 0);
        from.read_exact(&mut body[start..]).ok()?;
        from.read_exact(&mut [0; 2]).ok()?;
        if len == 0 {
            return Some(());
        }
    }
}
