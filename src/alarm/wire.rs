//! A connection to an alarm target, in the clear or over TLS: bounded in time and in bytes, whatever the other end does.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore, SignatureScheme,
    StreamOwned,
};

use crate::base::Clock;
use crate::base::error::{Context, Error, Kind, Result};
use crate::base::time::Mono;
use crate::config::{PEM_BYTES_MAX, Trust};

/// Longest wait for a connection, and for each step of an answer.
const WAIT_MAX: Duration = Duration::from_secs(5);
/// Longest that a message may take in all.
const TOTAL_MAX: Duration = Duration::from_secs(30);
/// Most that the other end may send in all, certificates included, in bytes.
const RECEIVED_MAX: u64 = 128 << 10;

/// A socket that ends by itself.
pub(super) struct Timed {
    socket: TcpStream,
    clock: Arc<dyn Clock>,
    until: Mono,
    left: u64,
}

impl Timed {
    fn arm(&self) -> io::Result<()> {
        let now = self.clock.mono();
        if now >= self.until {
            return Err(io::Error::new(ErrorKind::TimedOut, "it takes too long"));
        }
        let wait = Some(self.until.since(now).min(WAIT_MAX));
        self.socket.set_read_timeout(wait)?;
        self.socket.set_write_timeout(wait)
    }
}

/// A socket whose time is over says that it would block, which tells nobody anything.
fn timed<T>(result: io::Result<T>) -> io::Result<T> {
    result.map_err(|e| match e.kind() {
        ErrorKind::WouldBlock => io::Error::new(ErrorKind::TimedOut, "it does not answer"),
        _ => e,
    })
}

impl Read for Timed {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.arm()?;
        let count = timed(self.socket.read(buf))?;
        self.left = self
            .left
            .checked_sub(count as u64)
            .ok_or_else(|| io::Error::other("it sends without end"))?;
        Ok(count)
    }
}

impl Write for Timed {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.arm()?;
        timed(self.socket.write(buf))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}

/// The connection.
pub(super) enum Wire {
    /// Anybody on the way reads it.
    Clear(Timed),
    /// TLS.
    Sealed(Box<StreamOwned<ClientConnection, Timed>>),
}

impl Wire {
    /// Connects, in the clear.
    pub(super) fn connect(to: SocketAddr, clock: &Arc<dyn Clock>) -> Result<Self> {
        let until = clock.mono() + TOTAL_MAX;
        let socket = TcpStream::connect_timeout(&to, WAIT_MAX)?;
        Ok(Self::Clear(Timed {
            socket,
            clock: Arc::clone(clock),
            until,
            left: RECEIVED_MAX,
        }))
    }

    /// The address of this end.
    pub(super) fn own_address(&self) -> Result<IpAddr> {
        let socket = match self {
            Self::Clear(timed) => &timed.socket,
            Self::Sealed(tls) => &tls.sock.socket,
        };
        Ok(socket.local_addr()?.ip())
    }

    /// The same connection over TLS, once the other end at `address` has shown who it is.
    pub(super) fn sealed(self, trust: &Trust, address: IpAddr) -> Result<Self> {
        let Self::Clear(timed) = self else {
            return Err(Error::new(Kind::Internal, "it is over TLS already"));
        };
        let name = match &trust.name {
            Some(name) => ServerName::try_from(name.clone())
                .map_err(|e| Error::invalid(format!("\"{name}\" is no host name: {e}")))?,
            None => ServerName::from(address),
        };
        let client = ClientConnection::new(Arc::new(config(trust)?), name).map_err(internal)?;
        let mut tls = StreamOwned::new(client, timed);
        // Here, so that a wrong certificate is told as such.
        while tls.conn.is_handshaking() {
            tls.conn.complete_io(&mut tls.sock)?;
        }
        Ok(Self::Sealed(Box::new(tls)))
    }
}

impl Read for Wire {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Clear(timed) => timed.read(buf),
            Self::Sealed(tls) => tls.read(buf),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match self {
            Self::Clear(timed) => timed.write(buf),
            Self::Sealed(tls) => tls.write(buf),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Clear(timed) => timed.flush(),
            Self::Sealed(tls) => tls.flush(),
        }
    }
}

fn internal(e: rustls::Error) -> Error {
    Error::new(Kind::Internal, e.to_string())
}

fn config(trust: &Trust) -> Result<ClientConfig> {
    let what = || format!("reading the certificates in {}", trust.file.display());
    let pem = std::fs::read(&trust.file).context(what)?;
    if pem.len() as u64 > PEM_BYTES_MAX {
        let text = format!("it is larger than {PEM_BYTES_MAX} bytes");
        return Err(Error::new(Kind::Full, text).attempted(what()));
    }
    let known: std::result::Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let known = known.map_err(|e| Error::corrupt(e.to_string()).attempted(what()))?;
    let mut roots = RootCertStore::empty();
    for certificate in &known {
        roots
            .add(certificate.clone())
            .map_err(|e| Error::corrupt(e.to_string()).attempted(what()))?;
    }
    if roots.is_empty() {
        return Err(Error::corrupt("there is none in PEM form").attempted(what()));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let authorities =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let authorities = authorities
        .build()
        .map_err(|e| Error::corrupt(e.to_string()).attempted(what()))?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS12, &TLS13])
        .map_err(internal)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Known { known, authorities }))
        .with_no_client_auth();
    Ok(config)
}

/// Takes the very certificates that were named, and those that one of them has signed, as usual.
#[derive(Debug)]
struct Known {
    known: Vec<CertificateDer<'static>>,
    authorities: Arc<WebPkiServerVerifier>,
}

impl ServerCertVerifier for Known {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        // Whoever named it has looked at it: no name and no date says more. That its key is there is checked below.
        if self.known.iter().any(|known| known == end_entity) {
            return Ok(ServerCertVerified::assertion());
        }
        self.authorities
            .verify_server_cert(end_entity, intermediates, name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        self.authorities.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        self.authorities.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.authorities.supported_verify_schemes()
    }
}
