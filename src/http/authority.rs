//! The box's own certificate authority and the server certificate that it makes: P-256, the authority constrained to private
//! addresses and names that no public host can have, so that a PC that trusts it risks nothing on the internet.
//!
//! ```text
//! DIR/keys/web-authority.pem   certificate and key of the authority (mode 0600)
//! DIR/keys/web-server.pem      certificate and key of the server (mode 0600), replaced as one
//! DIR/authority.crt            the authority's certificate alone, for the PCs
//! ```
//!
//! What does not belong here: sockets, and certificates that somebody else made.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    NameConstraints, PKCS_ECDSA_P256_SHA256,
};
use zeroize::Zeroizing;

use crate::base::disk::{self, SECRET_DIR_MODE, SECRET_MODE};
use crate::base::error::{Context, Error, Kind, Result};
use crate::base::id::BoxId;
use crate::base::time::{Span, Wall};
use crate::config::{LOCAL_DOMAINS, PEM_BYTES_MAX, WebConfig, private_networks};
use crate::http::certificate::{self, Served};

/// How long the authority lasts: as long as a box may stand in a shop.
const AUTHORITY_DAYS: u64 = 3650;
/// How long a server certificate lasts: browsers take no more than 398 days of a public authority, and 825 of one's own.
const SERVER_DAYS: u64 = 397;
/// A certificate with less than this left is made anew.
const RENEW_DAYS: i64 = 120;
/// Certificates begin this much earlier, since clocks differ.
const BACKDATED: Duration = Duration::from_secs(86_400);

const DAY_US: i64 = 86_400_000_000;

/// Where everything lies.
fn authority_path(dir: &Path) -> PathBuf {
    dir.join("keys/web-authority.pem")
}

fn server_path(dir: &Path) -> PathBuf {
    dir.join("keys/web-server.pem")
}

/// The authority's certificate alone: what PCs come to trust.
pub fn public_path(dir: &Path) -> PathBuf {
    dir.join("authority.crt")
}

/// The authority as people and PCs see it.
#[derive(Clone, Debug)]
pub struct Authority {
    /// Its certificate, PEM.
    pub pem: String,
    /// From when to when it is valid.
    pub valid: Span,
    /// SHA-256 of the certificate as browsers show it: `AB:CD:…`.
    pub fingerprint: String,
}

/// What a certificate of the box's own making names.
pub fn names(web: &WebConfig) -> Vec<String> {
    let mut names = web.names.clone();
    for address in &web.listen {
        let ip = address.ip().to_string();
        if !names.contains(&ip) {
            names.push(ip);
        }
    }
    names
}

/// The authority of the box in the state folder `dir`; it is made when there is none.
///
/// # Errors
/// [`Kind::Denied`] when others may read its key; [`Kind::Corrupt`] when it cannot be read; what the operating system
/// says.
pub fn authority(dir: &Path, box_id: BoxId, now: Wall) -> Result<Authority> {
    let what = || "the certificate authority of the box";
    let path = authority_path(dir);
    if !path.exists() {
        make_authority(dir, box_id, now).context(|| format!("making {}", what()))?;
    }
    let (pem, _) = read_pair(&path).context(|| format!("reading {}", what()))?;
    let public = public_path(dir);
    if std::fs::read(&public).ok().as_deref() != Some(pem.as_bytes()) {
        disk::replace(&public, pem.as_bytes(), 0o644)?;
    }
    let der = certificate::first_der(pem.as_bytes())?;
    Ok(Authority {
        valid: certificate::validity(&der)?,
        fingerprint: certificate::fingerprint(&der),
        pem,
    })
}

/// The server's certificate of the box's own making, made anew when there is none, it does not bear all `names`, or it
/// comes to its end; `force`: in any case. True when it was made.
///
/// # Errors
/// As [`authority`].
pub fn server(
    dir: &Path,
    box_id: BoxId,
    names: &[String],
    now: Wall,
    force: bool,
) -> Result<(Served, bool)> {
    let path = server_path(dir);
    if !force
        && path.exists()
        && let Ok(served) = read_server(dir)
        && is_good(&served, names, now)
    {
        return Ok((served, false));
    }
    authority(dir, box_id, now)?;
    make_server(dir, box_id, names, now).context(|| "making the server certificate")?;
    read_server(dir).map(|served| (served, true))
}

/// The server's certificate as it lies there.
///
/// # Errors
/// As [`authority`]; [`Kind::NotFound`] when there is none.
pub fn read_server(dir: &Path) -> Result<Served> {
    let bytes = disk::read_secret(&server_path(dir), PEM_BYTES_MAX)?;
    Served::from_pem(&bytes, &bytes)
}

fn is_good(served: &Served, names: &[String], now: Wall) -> bool {
    served.valid.start <= now
        && served.valid.end.us_since(now) > RENEW_DAYS * DAY_US
        && names.iter().all(|name| served.bears(name))
}

/// What the authority is called and may do. It is the same whenever it is asked for, but for the times.
fn authority_params(box_id: BoxId) -> CertificateParams {
    let mut params = CertificateParams::default();
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, "Sinetti");
    name.push(DnType::CommonName, format!("Sinetti box {box_id}"));
    params.distinguished_name = name;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let domains = LOCAL_DOMAINS.map(|domain| GeneralSubtree::DnsName(domain.to_owned()));
    let networks = private_networks().iter().map(|net| {
        GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(net.addr(), net.prefix_len()))
    });
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: domains.into_iter().chain(networks).collect(),
        excluded_subtrees: Vec::new(),
    });
    params
}

fn set_times(params: &mut CertificateParams, now: Wall, days: u64) {
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let secs = u64::try_from(now.us() / 1_000_000).unwrap_or_default();
    params.not_before = epoch + Duration::from_secs(secs).saturating_sub(BACKDATED);
    params.not_after = epoch + Duration::from_secs(secs + days * 86_400);
}

fn make_authority(dir: &Path, box_id: BoxId, now: Wall) -> Result<()> {
    let key = new_key()?;
    let mut params = authority_params(box_id);
    set_times(&mut params, now, AUTHORITY_DAYS);
    let made = params.self_signed(&key).map_err(failed)?;
    write_pair(&authority_path(dir), &made.pem(), &key, dir)
}

fn make_server(dir: &Path, box_id: BoxId, names: &[String], now: Wall) -> Result<()> {
    let (_, key) = read_pair(&authority_path(dir))?;
    let issuer_key = KeyPair::from_pem(&key).map_err(failed)?;
    let issuer = Issuer::new(authority_params(box_id), issuer_key);
    let mut params = CertificateParams::new(names.to_vec()).map_err(failed)?;
    let mut subject = DistinguishedName::new();
    if let Some(name) = names.iter().find(|name| name.parse::<IpAddr>().is_err()) {
        subject.push(DnType::CommonName, name.clone());
    }
    params.distinguished_name = subject;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    set_times(&mut params, now, SERVER_DAYS);
    let key = new_key()?;
    let made = params.signed_by(&key, &issuer).map_err(failed)?;
    write_pair(&server_path(dir), &made.pem(), &key, dir)
}

fn new_key() -> Result<KeyPair> {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(failed)
}

fn failed(e: rcgen::Error) -> Error {
    Error::new(Kind::Internal, e.to_string())
}

fn write_pair(path: &Path, pem: &str, key: &KeyPair, dir: &Path) -> Result<()> {
    disk::create_dir_all(&dir.join("keys"), SECRET_DIR_MODE)?;
    let key = Zeroizing::new(key.serialize_pem());
    let both = Zeroizing::new(format!("{pem}{}", key.as_str()));
    disk::replace(path, both.as_bytes(), SECRET_MODE)
}

/// The certificate's PEM, and the key's.
fn read_pair(path: &Path) -> Result<(String, Zeroizing<String>)> {
    let bytes = disk::read_secret(path, PEM_BYTES_MAX)?;
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| Error::corrupt(format!("{} is no PEM file", path.display())))?;
    let at = text
        .find("-----BEGIN PRIVATE KEY-----")
        .ok_or_else(|| Error::corrupt(format!("{} holds no private key", path.display())))?;
    let (certificate, key) = text.split_at(at);
    Ok((certificate.to_owned(), Zeroizing::new(key.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Wall = Wall::from_secs(1_795_449_600);

    fn web() -> WebConfig {
        WebConfig {
            listen: vec!["192.168.10.5:8443".parse().expect("an address")],
            ..WebConfig::default()
        }
    }

    #[test]
    fn a_certificate_is_kept_until_its_names_or_its_time_run_out() {
        let dir = tempfile::tempdir().expect("a folder");
        let (dir, box_id) = (dir.path(), BoxId::from_bytes([7; 16]));
        let names = names(&web());
        let (first, made) = server(dir, box_id, &names, NOW, false).expect("made");
        assert!(made && first.bears("192.168.10.5") && first.bears("sinetti.internal"));
        assert!(!first.bears("192.168.10.6"));
        let again = |names: &[String], now: Wall| {
            let (served, made) = server(dir, box_id, names, now, false).expect("good");
            (served.fingerprint == first.fingerprint, made)
        };
        assert_eq!(again(&names, NOW.plus_us(DAY_US)), (true, false));
        assert_eq!(again(&names, NOW.plus_us(300 * DAY_US)), (false, true));
        let more = [names.clone(), vec!["kauppa.internal".to_owned()]].concat();
        assert_eq!(again(&more, NOW.plus_us(300 * DAY_US)), (false, true));
        let authority = authority(dir, box_id, NOW).expect("the same");
        assert_eq!(authority.fingerprint.len(), 95);
        assert_eq!(authority.valid.us() / DAY_US, 3651);
        let public = std::fs::read_to_string(public_path(dir)).expect("a file");
        assert!(public == authority.pem && !public.contains("PRIVATE"));
    }

    #[test]
    fn keys_are_readable_by_their_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().expect("a folder");
        server(
            dir.path(),
            BoxId::from_bytes([7; 16]),
            &names(&web()),
            NOW,
            false,
        )
        .expect("made");
        for path in [authority_path(dir.path()), server_path(dir.path())] {
            let mode = std::fs::metadata(&path)
                .expect("a file")
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600, "{}", path.display());
        }
    }
}
