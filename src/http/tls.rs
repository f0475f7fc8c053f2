//! TLS as this box speaks it: 1.2 and 1.3, HTTP/1.1, a certificate that may change while connections go on.

use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::version::{TLS12, TLS13};

use crate::base::disk;
use crate::base::error::{Context, Error, Kind, Result};
use crate::base::id::BoxId;
use crate::base::time::Wall;
use crate::config::{PEM_BYTES_MAX, WebConfig};
use crate::http::authority;
use crate::http::certificate::{InForce, Served};

/// The certificate that is to be served now: the one that was given, else the box's own.
///
/// # Errors
/// What reading or making it says.
pub fn due(dir: &Path, box_id: BoxId, web: &WebConfig, now: Wall) -> Result<Served> {
    let Some(files) = &web.certificate else {
        return authority::server(dir, box_id, &authority::names(web), now, false)
            .map(|(served, _)| served);
    };
    let what = || format!("reading the certificate {}", files.chain.display());
    let chain = std::fs::read(&files.chain).context(what)?;
    if chain.len() as u64 > PEM_BYTES_MAX {
        let text = format!("it is larger than {PEM_BYTES_MAX} bytes");
        return Err(Error::new(Kind::Full, text).attempted(what()));
    }
    let key = disk::read_secret(&files.key, PEM_BYTES_MAX)?;
    Served::from_pem(&chain, &key).context(what)
}

/// What every connection is made with.
///
/// # Errors
/// [`Kind::Internal`] when the library refuses its own settings.
pub fn config(in_force: Arc<InForce>) -> Result<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS12, &TLS13])
        .map_err(|e| Error::new(Kind::Internal, e.to_string()))?
        .with_no_client_auth()
        .with_cert_resolver(in_force);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
