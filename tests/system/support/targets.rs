//! Servers that take alarms: HTTP over TLS, and mail as RFC 5321 and RFC 3207 have it. They share nothing with the recorder but
//! the TLS library.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

/// A certificate and its key, with the PEM text of what to trust.
pub(crate) struct Shown {
    config: Arc<ServerConfig>,
    /// PEM of the certificate, or of its authority.
    pub(crate) trust: String,
}

fn server_config(chain: Vec<rcgen::Certificate>, key: &KeyPair) -> Arc<ServerConfig> {
    let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).expect("a key");
    let chain = chain.iter().map(|certificate| certificate.der().clone());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(chain.collect(), key);
    Arc::new(config.expect("a configuration"))
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

/// Signed by nobody but itself.
pub(crate) fn self_signed(name: &str) -> Shown {
    let key = KeyPair::generate().expect("a key");
    let own = params(name).self_signed(&key).expect("a certificate");
    let trust = own.pem();
    Shown {
        config: server_config(vec![own], &key),
        trust,
    }
}

/// Signed by an authority.
pub(crate) fn signed(name: &str) -> Shown {
    let authority_key = KeyPair::generate().expect("a key");
    let mut authority = params("authority.internal");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let trust = authority.self_signed(&authority_key).expect("an authority");
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().expect("a key");
    let own = params(name)
        .signed_by(&key, &issuer)
        .expect("a certificate");
    Shown {
        config: server_config(vec![own], &key),
        trust: trust.pem(),
    }
}

fn sealed(socket: TcpStream, shown: &Shown) -> StreamOwned<ServerConnection, TcpStream> {
    let connection = ServerConnection::new(Arc::clone(&shown.config)).expect("TLS");
    StreamOwned::new(connection, socket)
}

fn listen(mut serve: impl FnMut(TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("listens");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            serve(socket);
        }
    });
    address
}

/// Takes what is posted over TLS.
pub(crate) fn web_hub(shown: Shown) -> (SocketAddr, Receiver<serde_json::Value>) {
    let (sender, receiver) = channel();
    let address = listen(move |socket| {
        let mut from = BufReader::new(sealed(socket, &shown));
        let (mut length, mut line) = (0, String::new());
        // Whoever does not trust the certificate says nothing.
        while from.read_line(&mut line).is_ok_and(|len| len > 0) && line != "\r\n" {
            if let Some(bytes) = line.strip_prefix("Content-Length: ") {
                length = bytes.trim().parse().expect("a length");
            }
            line.clear();
        }
        let mut body = vec![0; length];
        if length > 0 && from.read_exact(&mut body).is_ok() {
            let answer = "HTTP/1.1 204 No Content\r\n\r\n";
            from.get_mut()
                .write_all(answer.as_bytes())
                .expect("answers");
            sender
                .send(serde_json::from_slice(&body).expect("JSON"))
                .ok();
        }
    });
    (address, receiver)
}

/// What a mail server does.
pub(crate) struct MailServer {
    /// With it TLS is spoken: after STARTTLS, or from the first byte on.
    pub(crate) shown: Option<Shown>,
    pub(crate) from_the_first_byte: bool,
    /// Its ways to log in, and user and password that it takes.
    pub(crate) auth: &'static str,
    pub(crate) login: (&'static str, &'static str),
}

/// What happened in one conversation.
#[derive(Debug, Default)]
pub(crate) struct Talk {
    /// Each line that came in the clear.
    pub(crate) clear: Vec<String>,
    /// Each line that came over TLS.
    pub(crate) sealed: Vec<String>,
    /// The mail, without the dot that ends it.
    pub(crate) mail: Option<String>,
}

trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

impl MailServer {
    /// Serves, one conversation after the other.
    pub(crate) fn start(self) -> (SocketAddr, Receiver<Talk>) {
        let (sender, receiver) = channel();
        let address = listen(move |socket| self.serve(socket, &sender));
        (address, receiver)
    }

    fn serve(&self, socket: TcpStream, done: &Sender<Talk>) {
        let mut talk = Talk::default();
        let again = socket.try_clone().expect("the same socket");
        let shown = self.shown.as_ref();
        let first: Box<dyn Stream> = match shown.filter(|_| self.from_the_first_byte) {
            Some(shown) => Box::new(sealed(socket, shown)),
            None => Box::new(socket),
        };
        let offers_tls = shown.is_some() && !self.from_the_first_byte;
        let goes_on = self.converse(first, &mut talk, true, offers_tls);
        if let Some(shown) = shown.filter(|_| goes_on) {
            self.converse(Box::new(sealed(again, shown)), &mut talk, false, false);
        }
        done.send(talk).ok();
    }

    /// True when TLS is to begin now.
    fn converse(&self, stream: Box<dyn Stream>, talk: &mut Talk, greets: bool, tls: bool) -> bool {
        let over_tls = !greets || self.from_the_first_byte;
        let mut stream = BufReader::new(stream);
        let say = |stream: &mut BufReader<Box<dyn Stream>>, text: &str| {
            stream
                .get_mut()
                .write_all(format!("{text}\r\n").as_bytes())
                .is_ok()
                && stream.get_mut().flush().is_ok()
        };
        if greets && !say(&mut stream, "220 mail.internal ESMTP") {
            return false;
        }
        let mut line = String::new();
        let mut asked_for = 0;
        loop {
            line.clear();
            if stream.read_line(&mut line).unwrap_or(0) == 0 {
                return false;
            }
            let text = line.trim_end().to_owned();
            let seen = if over_tls {
                &mut talk.sealed
            } else {
                &mut talk.clear
            };
            seen.push(text.clone());
            let word = text
                .split([' ', ':'])
                .next()
                .unwrap_or_default()
                .to_uppercase();
            let answer = match word.as_str() {
                "EHLO" if tls => format!(
                    "250-mail.internal\r\n250-STARTTLS\r\n250-{}\r\n250 SIZE",
                    self.auth
                ),
                "EHLO" => format!("250-mail.internal\r\n250-{}\r\n250 SIZE", self.auth),
                "STARTTLS" if tls => {
                    say(&mut stream, "220 go ahead");
                    return true;
                }
                "AUTH" if text == "AUTH LOGIN" => {
                    asked_for = 2;
                    "334 VXNlcm5hbWU6".to_owned()
                }
                "AUTH" => self.judge(text.strip_prefix("AUTH PLAIN ").unwrap_or_default()),
                "MAIL" | "RCPT" => "250 ok".to_owned(),
                "DATA" => {
                    say(&mut stream, "354 go on");
                    talk.mail = Some(mail(&mut stream));
                    "250 it is queued".to_owned()
                }
                "QUIT" => return false,
                _ if asked_for == 2 => {
                    asked_for = 1;
                    "334 UGFzc3dvcmQ6".to_owned()
                }
                _ if asked_for == 1 => "235 welcome".to_owned(),
                _ => format!("500 what is {text}?"),
            };
            if !say(&mut stream, &answer) {
                return false;
            }
        }
    }

    fn judge(&self, coded: &str) -> String {
        use base64::Engine;
        let given = base64::engine::general_purpose::STANDARD
            .decode(coded)
            .unwrap_or_default();
        let wanted = format!("\0{}\0{}", self.login.0, self.login.1);
        if given == wanted.as_bytes() {
            return "235 welcome".to_owned();
        }
        // As some servers do.
        format!("535 {coded} is wrong")
    }
}

fn mail(stream: &mut impl BufRead) -> String {
    let mut mail = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).unwrap_or(0) == 0 || line == ".\r\n" {
            return mail;
        }
        mail.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}
