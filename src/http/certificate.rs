//! The certificate that is served: out of PEM files, what it says of itself, and in the form that rustls wants.
//!
//! What does not belong here: making certificates (`authority`).

use std::sync::{Arc, PoisonError, RwLock};

use rustls::client::verify_server_name;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::base::error::{Error, Kind, Result};
use crate::base::hash::Digest;
use crate::base::time::{Span, Wall};

/// A certificate with its key, checked to belong together.
#[derive(Clone, Debug)]
pub struct Served {
    key: Arc<CertifiedKey>,
    /// From when to when it is valid.
    pub valid: Span,
    /// SHA-256 of it as browsers show it.
    pub fingerprint: String,
}

impl Served {
    /// From a chain and a key, both PEM; they may lie in one file.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] when either cannot be read; [`Kind::Invalid`] when they do not belong together.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self> {
        let chain = CertificateDer::pem_slice_iter(chain)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|e| Error::corrupt(format!("the certificate is no PEM: {e}")))?;
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|e| Error::corrupt(format!("the certificate's key is no PEM: {e}")))?;
        let Some(first) = chain.first() else {
            return Err(Error::corrupt("the file holds no certificate"));
        };
        let (valid, fingerprint) = (validity(first)?, fingerprint(first));
        let provider = rustls::crypto::ring::default_provider();
        let key = CertifiedKey::from_der(chain, key, &provider).map_err(|e| {
            Error::invalid(format!("certificate and key do not belong together: {e}"))
        })?;
        Ok(Self {
            key: Arc::new(key),
            valid,
            fingerprint,
        })
    }

    /// True when it is one for this host name or address.
    pub fn bears(&self, name: &str) -> bool {
        let parsed = self
            .key
            .end_entity_cert()
            .and_then(ParsedCertificate::try_from);
        let name = ServerName::try_from(name);
        match (parsed, name) {
            (Ok(parsed), Ok(name)) => verify_server_name(&parsed, &name).is_ok(),
            _ => false,
        }
    }
}

/// The certificate in force: it is replaced while connections go on.
#[derive(Debug)]
pub struct InForce(RwLock<Served>);

impl InForce {
    /// Beginning with this one.
    pub fn new(served: Served) -> Self {
        Self(RwLock::new(served))
    }

    /// A copy.
    pub fn get(&self) -> Served {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// New connections get this one from now on; true when it is another.
    pub fn set(&self, served: Served) -> bool {
        let mut now = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let is_other = now.fingerprint != served.fingerprint;
        *now = served;
        is_other
    }
}

impl ResolvesServerCert for InForce {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.get().key)
    }
}

/// The first certificate of a PEM text, as DER.
///
/// # Errors
/// [`Kind::Corrupt`] when there is none.
pub fn first_der(pem: &[u8]) -> Result<CertificateDer<'static>> {
    CertificateDer::from_pem_slice(pem)
        .map_err(|e| Error::corrupt(format!("the certificate is no PEM: {e}")))
}

/// SHA-256 of a certificate, bytes in hex with colons between.
pub fn fingerprint(der: &[u8]) -> String {
    let bytes: Vec<_> = Digest::sha256(&[der])
        .0
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect();
    bytes.join(":")
}

/// From when to when a certificate (RFC 5280, 4.1) is valid.
///
/// # Errors
/// [`Kind::Corrupt`] when it is not one.
pub fn validity(der: &[u8]) -> Result<Span> {
    let read = || {
        let (_, certificate, _) = element(der)?;
        let (_, mut fields, _) = element(certificate)?;
        // Version (context 0, may be left out), serial number, signature algorithm, issuer.
        let (tag, _, rest) = element(fields)?;
        fields = if tag == 0xa0 { element(rest)?.2 } else { rest };
        for _ in ["signature", "issuer"] {
            fields = element(fields)?.2;
        }
        let (_, validity, _) = element(fields)?;
        let (start_tag, start, rest) = element(validity)?;
        let (end_tag, end, _) = element(rest)?;
        Some(Span {
            start: time(start_tag, start)?,
            end: time(end_tag, end)?,
        })
    };
    read().ok_or_else(|| Error::new(Kind::Corrupt, "the certificate's validity cannot be read"))
}

/// Tag and content of the DER element at the beginning of `bytes`, and what follows it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (len, rest) = if *first < 0x80 {
        (usize::from(*first), rest)
    } else {
        let (len, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        let len = (len.len() <= 4).then(|| {
            len.iter()
                .fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte))
        })?;
        (len, rest)
    };
    let (content, rest) = rest.split_at_checked(len)?;
    Some((*tag, content, rest))
}

/// `UTCTime` (years 1950 to 2049) or `GeneralizedTime`, both in seconds and UTC (RFC 5280, 4.1.2.5).
fn time(tag: u8, content: &[u8]) -> Option<Wall> {
    let text = std::str::from_utf8(content).ok()?;
    let full = match tag {
        0x17 if text.get(..2)?.parse::<u8>().ok()? < 50 => format!("20{text}"),
        0x17 => format!("19{text}"),
        0x18 => text.to_owned(),
        _ => return None,
    };
    let part = |from: usize, to: usize| full.get(from..to);
    let rfc3339 = format!(
        "{}-{}-{}T{}:{}:{}Z",
        part(0, 4)?,
        part(4, 6)?,
        part(6, 8)?,
        part(8, 10)?,
        part(10, 12)?,
        part(12, 14)?
    );
    (full.get(14..) == Some("Z")).then(|| Wall::parse_rfc3339(&rfc3339))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_time_are_read_and_others_are_not() {
        let at = |text: &str| Wall::parse_rfc3339(text);
        assert_eq!(time(0x17, b"261123154500Z"), at("2026-11-23T15:45:00Z"));
        assert_eq!(time(0x17, b"991231235959Z"), at("1999-12-31T23:59:59Z"));
        assert_eq!(time(0x18, b"20501123154500Z"), at("2050-11-23T15:45:00Z"));
        for (tag, bad) in [
            (0x17, &b"2611231545Z"[..]),
            (0x18, b"20501123154500+0200"),
            (0x04, b"261123154500Z"),
        ] {
            assert_eq!(time(tag, bad), None);
        }
    }

    #[test]
    fn garbage_is_corrupt() {
        for bad in [
            &b""[..],
            b"\x30\x84\xff\xff\xff\xff",
            b"\x30\x03\x30\x01\x02",
        ] {
            assert_eq!(validity(bad).map_err(|e| e.kind()), Err(Kind::Corrupt));
        }
    }
}
