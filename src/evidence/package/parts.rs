//! A package as ZIP files that are sealed while they are written: stored, not deflated, since pictures do not become smaller;
//! each part a ZIP of its own that unpacks to the same folder, and small enough for the sticks that people have.
//!
//! A part is written once, from front to back (sizes stand behind each file, APPNOTE 4.3.9), through a hash into an age file
//! ([`crate::vault::parcel`]): no clear byte of it is ever on a disk. It has no name until the whole package is there.
//! No part needs ZIP64 by its size. With a passphrase each file in it is under AES-256 (WinZip AE-2).

use std::io::{self, IoSlice, Write};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;
use zip::write::{FileOptions, SimpleFileOptions, StreamWriter};
use zip::{AesMode, CompressionMethod, DateTime, ZipWriter};

use crate::base::aside::Aside;
use crate::base::disk::{self, Unnamed};
use crate::base::error::{Error, Kind, Result};
use crate::base::hash::Digest;
use crate::evidence::package::shelf::{FILE_BYTES_MAX, Shelf};
use crate::evidence::spool::Drain;
use crate::vault::parcel::Parcel;
use crate::vault::slot::SLOT_BYTES;
use crate::vault::stream::Sealing;

/// Bytes of the largest part: 3.9 GiB. A stick with FAT32 holds files of less than 4 GiB.
pub const PART_BYTES_MAX: u64 = (39 << 30) / 10;
/// What a file may take in a ZIP besides its bytes and twice its name: headers, salt, authentication code, descriptor.
const ENTRY_BYTES: u64 = 512;
/// A part without any file.
const EMPTY_BYTES: u64 = 1024;
/// Mode of a sealed part: the group may not even copy it.
const FILE_MODE: u32 = disk::SECRET_MODE;

/// How the parts are made.
pub struct Options<'a> {
    /// Where they lie.
    pub dir: PathBuf,
    /// What they unpack to, and what they are called after: `2026-0042`.
    pub folder: String,
    /// What files in them are encrypted with besides.
    pub passphrase: Option<&'a Zeroizing<String>>,
    /// Time of the files: year, month, day, hour, minute, second at the site.
    pub time: [u16; 6],
    /// Bytes of the largest part; [`PART_BYTES_MAX`].
    pub part_bytes_max: u64,
    /// A new key for a part.
    pub parcel: Box<dyn Fn() -> Result<Parcel> + 'a>,
    /// Is told of bytes that were written, and may say that it must stop.
    pub wrote: Box<dyn Fn(u64) -> Result<()> + 'a>,
}

/// A part that is whole and durable.
#[derive(Debug)]
pub struct Part {
    file: Unnamed,
    /// Bytes of the ZIP.
    pub bytes: u64,
    /// SHA-256 of the ZIP.
    pub sha256: Digest,
    /// Its key, wrapped.
    pub slot: [u8; SLOT_BYTES],
}

impl Part {
    /// Gives the sealed file its name.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn name(self, path: &Path) -> Result<()> {
        self.file.name(path)
    }
}

/// What a part is called as it is handed out: `2026-0042.zip`, or `2026-0042_1-of-3.zip`.
pub fn name(folder: &str, (number, of): (usize, usize)) -> String {
    match of {
        1 => format!("{folder}.zip"),
        _ => format!("{folder}_{number}-of-{of}.zip"),
    }
}

/// The parts while they are written.
pub struct Parts<'a> {
    options: Options<'a>,
    open: Option<Open>,
    done: Vec<Part>,
}

type Zip = ZipWriter<StreamWriter<Hashing>>;

struct Open {
    zip: Zip,
    slot: [u8; SLOT_BYTES],
    /// Bytes that it has, and those that its directory will take, at most.
    bytes: u64,
}

impl<'a> Parts<'a> {
    /// None yet.
    pub fn new(options: Options<'a>) -> Self {
        Self {
            options,
            open: None,
            done: Vec::new(),
        }
    }

    /// Ends the last part: all of them, durable and without names.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn finish(mut self) -> Result<Vec<Part>> {
        self.close()?;
        Ok(self.done)
    }

    fn close(&mut self) -> Result<()> {
        let Some(open) = self.open.take() else {
            return Ok(());
        };
        let hashing = open.zip.finish().map_err(said)?.into_inner();
        let (sealing, bytes, sha256) = hashing.finish()?;
        let mut file = sealing.finish()?.0;
        file.file().sync()?;
        self.done.push(Part {
            file,
            bytes,
            sha256,
            slot: open.slot,
        });
        Ok(())
    }

    fn part(&mut self, need: u64) -> Result<&mut Open> {
        let is_full = |open: &Open| open.bytes + need > self.options.part_bytes_max;
        if self.open.as_ref().is_some_and(is_full) {
            self.close()?;
        }
        if self.open.is_none() {
            let parcel = (self.options.parcel)()?;
            let file = Unnamed::create(&self.options.dir, FILE_MODE)?;
            let sealing = parcel.seal(Drain(file))?;
            self.open = Some(Open {
                zip: ZipWriter::new_stream(Hashing::new(sealing)?),
                slot: parcel.slot,
                bytes: EMPTY_BYTES,
            });
        }
        self.open.as_mut().ok_or_else(no_part)
    }

    fn date(&self) -> DateTime {
        let small = |n: u16| u8::try_from(n).unwrap_or_default();
        let [year, month, day, hour, minute, second] = self.options.time;
        DateTime::from_date_and_time(
            year,
            small(month),
            small(day),
            small(hour),
            small(minute),
            small(second),
        )
        .unwrap_or_default()
    }
}

impl Shelf for Parts<'_> {
    fn file_bytes_max(&self) -> u64 {
        // A small part, in tests, has small files.
        let room = self
            .options
            .part_bytes_max
            .saturating_sub(self.options.part_bytes_max / 64);
        FILE_BYTES_MAX.min(room)
    }

    fn begin(&mut self, name: &str, bytes: u64) -> Result<()> {
        let path = format!("{}/{name}", self.options.folder);
        let need = bytes + ENTRY_BYTES + 2 * path.len() as u64;
        if need + EMPTY_BYTES > self.options.part_bytes_max {
            let text = format!("{name} would have {bytes} bytes, more than a part holds");
            return Err(Error::new(Kind::Full, text));
        }
        let plain: FileOptions<'_, '_, ()> = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .unix_permissions(0o644)
            .last_modified_time(self.date());
        let passphrase = self.options.passphrase;
        let open = self.part(need)?;
        open.bytes += need;
        let started = match passphrase {
            Some(passphrase) => {
                let sealed = plain.with_aes_encryption(AesMode::Aes256, passphrase);
                open.zip.start_file(path, sealed)
            }
            None => open.zip.start_file(path, plain),
        };
        started.map_err(said)
    }

    fn append(&mut self, slices: &mut [IoSlice<'_>]) -> Result<()> {
        let open = self.open.as_mut().ok_or_else(no_part)?;
        let mut bytes = 0;
        for slice in slices {
            open.zip.write_all(slice)?;
            bytes += slice.len() as u64;
        }
        (self.options.wrote)(bytes)
    }

    fn end(&mut self) -> Result<()> {
        Ok(())
    }
}

fn no_part() -> Error {
    Error::new(Kind::Internal, "bytes of no file")
}

/// Hashes what goes through.
struct Hashing {
    out: Sealing<Drain>,
    hash: Aside<ring::digest::Context>,
    bytes: u64,
}

impl Hashing {
    fn new(out: Sealing<Drain>) -> Result<Self> {
        let hash = ring::digest::Context::new(&ring::digest::SHA256);
        Ok(Self {
            out,
            hash: Aside::start(hash, ring::digest::Context::update)?,
            bytes: 0,
        })
    }

    fn finish(self) -> Result<(Sealing<Drain>, u64, Digest)> {
        let digest = Digest::from_ring(&self.hash.finish()?.finish());
        Ok((self.out, self.bytes, digest))
    }
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hash.add(bytes.get(..written).unwrap_or_default());
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn said(e: zip::result::ZipError) -> Error {
    match e {
        zip::result::ZipError::Io(e) => e.into(),
        other => Error::new(
            Kind::Internal,
            format!("writing a part of a package: {other}"),
        ),
    }
}

#[cfg(test)]
#[path = "parts_tests.rs"]
mod tests;
