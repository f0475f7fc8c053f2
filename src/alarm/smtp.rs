//! A message by SMTP (RFC 5321): as much of it as a client needs that hands one mail to one server. No answer of the server is
//! repeated in an error: it could repeat a password.

use std::io::{Read, Write};
use std::net::IpAddr;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use log::warn;
use zeroize::Zeroizing;

use crate::alarm::wire::Wire;
use crate::base::Clock;
use crate::base::error::{Error, Kind, Result};
use crate::config::{Credentials, Mail, Security};

/// Longest line of an answer, in bytes, and most lines of one (RFC 5321, 4.5.3.1.5 has 512 bytes).
const LINE_BYTES_MAX: usize = 1024;
const LINES_MAX: usize = 64;

/// Hands a mail over, once. It was taken when this returns.
pub(super) fn send(to: &Mail, mail: &str, clock: &Arc<dyn Clock>) -> Result<()> {
    let mut talk = Talk::begin(to, clock)?;
    if let Some(login) = &to.login {
        talk.log_in(&Credentials::read(login)?)?;
    }
    talk.ask(&format!("MAIL FROM:<{}>", to.from), &[250], "the sender")?;
    let mut refused = 0;
    for recipient in &to.to {
        let asked = talk.ask(
            &format!("RCPT TO:<{recipient}>"),
            &[250, 251],
            "a recipient",
        );
        refused += usize::from(match asked {
            Err(e) if e.kind() != Kind::Denied => return Err(e),
            other => other.is_err(),
        });
    }
    if refused == to.to.len() {
        return Err(Error::new(Kind::Denied, "it takes none of the recipients"));
    }
    talk.ask("DATA", &[354], "that a mail comes")?;
    talk.say(&dotted(mail))?;
    talk.ask(".", &[250], "the mail")?;
    if refused > 0 {
        warn!(
            "the mail server {} takes {refused} of {} recipients not",
            to.address,
            to.to.len()
        );
    }
    // It has the mail, whatever comes of this.
    talk.say("QUIT").ok();
    Ok(())
}

/// No line of a mail is the dot that ends it (RFC 5321, 4.5.2). Without the last line break.
fn dotted(mail: &str) -> String {
    let lines: Vec<_> = mail
        .lines()
        .map(|line| {
            if line.starts_with('.') {
                format!(".{line}")
            } else {
                line.to_owned()
            }
        })
        .collect();
    lines.join("\r\n")
}

struct Talk {
    wire: Wire,
    /// What came after the last line that was read.
    rest: Vec<u8>,
    /// What the server can do.
    offers: Vec<String>,
}

impl Talk {
    fn begin(to: &Mail, clock: &Arc<dyn Clock>) -> Result<Self> {
        let mut wire = Wire::connect(to.address, clock)?;
        let address = to.address.ip();
        if let Security::Tls(trust) = &to.security {
            wire = wire.sealed(trust, address)?;
        }
        let mut talk = Self {
            wire,
            rest: Vec::new(),
            offers: Vec::new(),
        };
        talk.expect(&[220], "to be spoken to")?;
        talk.greet()?;
        if let Security::StartTls(trust) = &to.security {
            if !talk.offers.iter().any(|offer| offer == "STARTTLS") {
                let text = "it does not offer STARTTLS, and nothing is sent in the clear";
                return Err(Error::new(Kind::Denied, text));
            }
            talk.ask("STARTTLS", &[220], "to begin TLS")?;
            // What came in the clear must not count as said over TLS (CVE-2011-0411).
            if !talk.rest.is_empty() {
                return Err(Error::new(Kind::Denied, "it spoke before TLS began"));
            }
            talk.wire = talk.wire.sealed(trust, address)?;
            talk.greet()?;
        }
        Ok(talk)
    }

    fn greet(&mut self) -> Result<()> {
        // RFC 5321, 4.1.3: a client without a name tells its address.
        let own = match self.wire.own_address()?.to_canonical() {
            IpAddr::V4(ip) => format!("[{ip}]"),
            IpAddr::V6(ip) => format!("[IPv6:{ip}]"),
        };
        let lines = self.ask(&format!("EHLO {own}"), &[250], "to be greeted")?;
        let offers = lines.iter().skip(1).map(|line| line.to_ascii_uppercase());
        self.offers = offers.collect();
        Ok(())
    }

    /// RFC 4954 with PLAIN (RFC 4616), or with LOGIN, which some servers have alone.
    fn log_in(&mut self, login: &Credentials) -> Result<()> {
        let offers = self
            .offers
            .iter()
            .find_map(|offer| offer.strip_prefix("AUTH "));
        let ways: Vec<_> = offers
            .unwrap_or_default()
            .split(' ')
            .map(str::to_owned)
            .collect();
        let coded = |text: &str| Zeroizing::new(BASE64.encode(text));
        if ways.iter().any(|way| way == "PLAIN") {
            let both = Zeroizing::new(format!("\0{}\0{}", login.user, login.password.as_str()));
            let line = Zeroizing::new(format!("AUTH PLAIN {}", coded(&both).as_str()));
            return self.ask(&line, &[235], "the login").map(drop);
        }
        if ways.iter().any(|way| way == "LOGIN") {
            self.ask("AUTH LOGIN", &[334], "the login")?;
            self.ask(&coded(&login.user), &[334], "the login")?;
            return self
                .ask(&coded(&login.password), &[235], "the login")
                .map(drop);
        }
        let text = "it offers neither AUTH PLAIN nor AUTH LOGIN";
        Err(Error::new(Kind::Denied, text))
    }

    fn say(&mut self, line: &str) -> Result<()> {
        // In one piece, so that each command is one packet.
        let text = Zeroizing::new(format!("{line}\r\n"));
        self.wire.write_all(text.as_bytes())?;
        Ok(self.wire.flush()?)
    }

    fn ask(&mut self, line: &str, wanted: &[u16], what: &str) -> Result<Vec<String>> {
        self.say(line)?;
        self.expect(wanted, what)
    }

    /// The lines of an answer, when it has one of the `wanted` codes.
    fn expect(&mut self, wanted: &[u16], what: &str) -> Result<Vec<String>> {
        let mut lines = Vec::new();
        loop {
            let line = self.line()?;
            let code = line.get(..3).and_then(|code| code.parse::<u16>().ok());
            let code =
                code.ok_or_else(|| Error::new(Kind::Unavailable, "it does not speak SMTP"))?;
            lines.push(line.get(4..).unwrap_or_default().to_owned());
            if line.as_bytes().get(3) != Some(&b'-') {
                let refused = || Error::new(Kind::Denied, format!("it refused {what} ({code})"));
                return wanted.contains(&code).then_some(lines).ok_or_else(refused);
            }
            if lines.len() >= LINES_MAX {
                return Err(Error::new(Kind::Full, "an answer of it does not end"));
            }
        }
    }

    fn line(&mut self) -> Result<String> {
        loop {
            if let Some(end) = self.rest.iter().position(|b| *b == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                return Ok(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
            if self.rest.len() > LINE_BYTES_MAX {
                return Err(Error::new(Kind::Full, "a line of it does not end"));
            }
            let mut chunk = [0; 512];
            let count = self.wire.read(&mut chunk)?;
            if count == 0 {
                return Err(Error::new(Kind::Unavailable, "it ended the connection"));
            }
            self.rest.extend(chunk.iter().take(count));
        }
    }
}
