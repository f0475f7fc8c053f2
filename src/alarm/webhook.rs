//! A message by HTTP: one POST, one status (HTTP/1.1, RFC 9112).

use std::io::{Read, Write};
use std::sync::Arc;

use crate::alarm::wire::Wire;
use crate::base::Clock;
use crate::base::error::{Error, Kind, Result};
use crate::config::Webhook;

/// The first line of an answer is not longer.
const ANSWER_BYTES_MAX: u64 = 1024;

/// Posts a body of JSON, once. The path is in no error: it may hold a secret.
pub(super) fn post(to: &Webhook, body: &str, clock: &Arc<dyn Clock>) -> Result<()> {
    let mut wire = Wire::connect(to.address, clock)?;
    if let Some(trust) = &to.tls {
        wire = wire.sealed(trust, to.address.ip())?;
    }
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\
         User-Agent: sinetti\r\n\r\n",
        to.target,
        to.host,
        body.len()
    );
    wire.write_all(head.as_bytes())?;
    wire.write_all(body.as_bytes())?;
    wire.flush()?;
    match status(&mut wire)? {
        200..=299 => Ok(()),
        // A redirect is not followed: it could lead out.
        other => Err(Error::new(
            Kind::Unavailable,
            format!("it answered with the status {other}"),
        )),
    }
}

/// The status out of the first line. There are so many bytes at most; a target that sends a byte at a time is let go after a few.
fn status(wire: &mut Wire) -> Result<u16> {
    const READS_MAX: usize = 4;
    let mut line = Vec::new();
    let mut limited = wire.take(ANSWER_BYTES_MAX);
    for _ in 0..READS_MAX {
        let mut chunk = [0; 256];
        let count = limited.read(&mut chunk)?;
        line.extend(chunk.iter().take(count));
        if count == 0 || line.contains(&b'\n') {
            break;
        }
    }
    let text = String::from_utf8_lossy(&line);
    let mut words = text.split(' ');
    let version = words.next().unwrap_or_default();
    let code = words.next().and_then(|code| code.trim().parse().ok());
    match code {
        Some(code) if version.starts_with("HTTP/1.") => Ok(code),
        _ => Err(Error::new(Kind::Unavailable, "it does not speak HTTP/1.1")),
    }
}
