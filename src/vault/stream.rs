//! Something large, encrypted to a recipient as one binary age file (C2SP age, version 1) while it is written or read.

use std::io::{Read, Seek, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::base::{Context, Error, Kind, Result};
use crate::vault::identity::{Identity, Recipient};

/// What is written into it comes out encrypted.
pub struct Sealing<W: Write>(age::stream::StreamWriter<Behind<W>>);

/// Writes the header of an age file in one piece, with what comes first after it: an error of the file stays what it is then,
/// while one that comes in the midst of the header would be told as words of the library.
struct Behind<W> {
    out: W,
    header: Vec<u8>,
    is_header: Arc<AtomicBool>,
}

impl<W: Write> Behind<W> {
    fn write_header(&mut self) -> std::io::Result<()> {
        if !self.header.is_empty() {
            self.out.write_all(&self.header)?;
            self.header.clear();
        }
        Ok(())
    }
}

impl<W: Write> Write for Behind<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.is_header.load(Ordering::Relaxed) {
            self.header.extend_from_slice(bytes);
            return Ok(bytes.len());
        }
        self.write_header()?;
        self.out.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

/// Begins an age file in `out` that the identity of `to` opens.
///
/// # Errors
/// When `out` cannot be written.
pub fn seal<W: Write>(out: W, to: &Recipient) -> Result<Sealing<W>> {
    let recipient: &dyn age::Recipient = to.as_age();
    let encryptor = age::Encryptor::with_recipients(std::iter::once(recipient))
        .map_err(|e| Error::new(Kind::Internal, format!("encrypting: {e}")))?;
    let is_header = Arc::new(AtomicBool::new(true));
    let behind = Behind {
        out,
        header: Vec::new(),
        is_header: Arc::clone(&is_header),
    };
    let writer = encryptor.wrap_output(behind).context(|| "encrypting")?;
    is_header.store(false, Ordering::Relaxed);
    Ok(Sealing(writer))
}

impl<W: Write> Sealing<W> {
    /// Writes the end; without it the file is known to be cut off.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(self) -> Result<W> {
        let mut behind = self.0.finish().context(|| "encrypting")?;
        behind.write_header().context(|| "encrypting")?;
        Ok(behind.out)
    }
}

impl<W: Write> Write for Sealing<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

/// Reads an age file in the clear. An error while reading says that it was changed or cut off: what came before is not to be
/// relied on.
///
/// # Errors
/// [`Kind::Denied`] when `with` does not fit, [`Kind::Corrupt`] when it is no age file.
pub fn open<R: Read>(from: R, with: &Identity) -> Result<impl Read + use<R>> {
    decrypt(from, with)
}

/// The same from any place in it.
///
/// # Errors
/// As [`open`].
pub fn open_anywhere<R: Read + Seek>(
    from: R,
    with: &Identity,
) -> Result<impl Read + Seek + use<R>> {
    decrypt(from, with)
}

fn decrypt<R: Read>(from: R, with: &Identity) -> Result<age::stream::StreamReader<R>> {
    let refused = |e: age::DecryptError| match e {
        age::DecryptError::NoMatchingKeys => {
            Error::new(Kind::Denied, "it is encrypted to another key")
        }
        other => Error::corrupt(format!("it cannot be decrypted: {other}")),
    };
    let identity: &dyn age::Identity = with.as_age();
    let decryptor = age::Decryptor::new(from).map_err(refused)?;
    decryptor
        .decrypt(std::iter::once(identity))
        .map_err(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_whole_with_its_key_only() {
        let (own, other) = (Identity::generate(), Identity::generate());
        let text = vec![7; 200_000];
        let mut sealing = seal(Vec::new(), &own.recipient()).expect("begins");
        sealing.write_all(&text).expect("writes");
        let sealed = sealing.finish().expect("ends");
        let read = |bytes: &[u8], with| {
            let mut out = Vec::new();
            open(bytes, with)?.read_to_end(&mut out)?;
            Ok::<_, Error>(out)
        };
        assert_eq!(read(&sealed, &own).expect("opens"), text);
        assert_eq!(
            read(&sealed, &other).expect_err("other").kind(),
            Kind::Denied
        );
        for cut in [0, 10, sealed.len() / 2, sealed.len() - 1] {
            assert!(read(&sealed[..cut], &own).is_err(), "{cut}");
        }
        let mut changed = sealed;
        changed[150_000] ^= 1;
        assert!(read(&changed, &own).is_err());
    }
}
