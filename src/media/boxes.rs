//! Boxes of the ISO base media file format (ISO/IEC 14496-12, 4.2): writing them into a buffer, and
//! reading them from bytes that may be anything.
//!
//! What does not belong here: what any particular box means.

use crate::base::error::{Error, Result};

/// A box type.
pub type Kind = [u8; 4];

/// The bytes of a `uuid` box before its payload.
pub const UUID_HEAD_BYTES: usize = 24;

/// Appends a box; `body` appends its payload.
///
/// # Panics
/// When the box grows to 4 GiB: a fault of ours, since large payloads never pass through here.
pub fn put_box(out: &mut Vec<u8>, kind: &Kind, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(kind);
    body(out);
    let bytes = u32::try_from(out.len() - start).expect("a box of our own is under 4 GiB");
    patch_u32(out, start, bytes);
}

/// Appends a full box: one with a version and 24 bits of flags (ISO/IEC 14496-12, 4.2).
pub fn put_full(
    out: &mut Vec<u8>,
    kind: &Kind,
    version: u8,
    flags: u32,
    body: impl FnOnce(&mut Vec<u8>),
) {
    put_box(out, kind, |out| {
        put_u32(out, u32::from(version) << 24 | (flags & 0x00ff_ffff));
        body(out);
    });
}

/// Appends a `uuid` box of the extended type `extended` (ISO/IEC 14496-12, 11.1).
pub fn put_uuid(out: &mut Vec<u8>, extended: &[u8; 16], body: impl FnOnce(&mut Vec<u8>)) {
    put_box(out, b"uuid", |out| {
        out.extend_from_slice(extended);
        body(out);
    });
}

/// Appends 16 bits, big-endian as all numbers in boxes.
pub fn put_u16(out: &mut Vec<u8>, value: u16) {
    out.extend_from_slice(&value.to_be_bytes());
}

/// Appends 32 bits.
pub fn put_u32(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_be_bytes());
}

/// Appends several times 32 bits.
pub fn put_u32s(out: &mut Vec<u8>, values: &[u32]) {
    for value in values {
        put_u32(out, *value);
    }
}

/// Appends 64 bits.
pub fn put_u64(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(&value.to_be_bytes());
}

/// Overwrites the 32 bits at `at`, which were written before.
///
/// # Panics
/// When `at` lies outside of what was written: a fault of ours.
pub fn patch_u32(out: &mut [u8], at: usize, value: u32) {
    out[at..at + 4].copy_from_slice(&value.to_be_bytes());
}

/// What stands before a box's payload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    /// Its type.
    pub kind: Kind,
    /// Its extended type, when the type is `uuid`.
    pub extended: Option<[u8; 16]>,
    /// Bytes of the head itself: 8, 16, 24 or 32.
    pub head_bytes: usize,
    /// Bytes of the whole box, at least `head_bytes`.
    pub whole_bytes: u64,
}

impl Head {
    /// Reads the head at the beginning of `bytes`, which need not hold the rest of the box.
    ///
    /// # Errors
    /// `Corrupt` when the head is cut off, the size is smaller than the head, or the size is 0 ("to the
    /// end of the file"), which Sinetti never writes.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let mut fields = Fields::new(bytes);
        let short = fields.u32()?;
        let kind = fields.array()?;
        let mut head_bytes = 8;
        let whole_bytes = if short == 1 {
            head_bytes += 8;
            fields.u64()?
        } else {
            u64::from(short)
        };
        let mut extended = None;
        if kind == *b"uuid" {
            head_bytes += 16;
            extended = Some(fields.array()?);
        }
        if whole_bytes < head_bytes as u64 {
            return Err(Error::corrupt(format!(
                "box \"{}\" says it has {whole_bytes} bytes, fewer than its own head",
                kind.escape_ascii()
            )));
        }
        Ok(Self {
            kind,
            extended,
            head_bytes,
            whole_bytes,
        })
    }
}

/// A whole box in memory.
#[derive(Clone, Copy, Debug)]
pub struct BoxRef<'a> {
    /// Its head.
    pub head: Head,
    /// The whole of it.
    pub whole: &'a [u8],
    /// Its payload.
    pub body: &'a [u8],
}

impl<'a> BoxRef<'a> {
    /// The box at the beginning of `bytes`.
    ///
    /// # Errors
    /// `Corrupt` when it is cut off or its head is wrong.
    pub fn parse(bytes: &'a [u8]) -> Result<Self> {
        let head = Head::parse(bytes)?;
        let whole = usize::try_from(head.whole_bytes)
            .ok()
            .and_then(|n| bytes.get(..n))
            .ok_or_else(|| {
                Error::corrupt(format!(
                    "box \"{}\" has {} bytes, but only {} are there",
                    head.kind.escape_ascii(),
                    head.whole_bytes,
                    bytes.len()
                ))
            })?;
        let body = whole.get(head.head_bytes..).unwrap_or_default();
        Ok(Self { head, whole, body })
    }

    /// The boxes inside it, which begin after `skip` bytes of its payload.
    ///
    /// # Errors
    /// `Corrupt` when the payload is shorter than `skip`.
    pub fn children(&self, skip: usize) -> Result<Children<'a>> {
        let mut fields = Fields::new(self.body);
        fields.take(skip)?;
        Ok(Children {
            bytes: fields.rest(),
        })
    }

    /// The only box of type `kind` directly inside it.
    ///
    /// # Errors
    /// `Corrupt` when there is none, or more than one, or something inside is no box.
    pub fn child(&self, skip: usize, kind: &Kind) -> Result<BoxRef<'a>> {
        let mut found = None;
        for child in self.children(skip)? {
            let child = child?;
            if child.head.kind == *kind && found.replace(child).is_some() {
                return Err(self.complaint(kind, "more than one"));
            }
        }
        found.ok_or_else(|| self.complaint(kind, "no"))
    }

    /// The fields of a full box, which must have this `version`, and its flags.
    ///
    /// # Errors
    /// `Corrupt` when it is too short or has another version.
    pub fn full(&self, version: u8) -> Result<(u32, Fields<'a>)> {
        let mut fields = Fields::new(self.body);
        let word = fields.u32()?;
        if word >> 24 != u32::from(version) {
            return Err(Error::corrupt(format!(
                "box \"{}\" has version {}, expected {version}",
                self.head.kind.escape_ascii(),
                word >> 24
            )));
        }
        Ok((word & 0x00ff_ffff, fields))
    }

    fn complaint(&self, kind: &Kind, count: &str) -> Error {
        Error::corrupt(format!(
            "box \"{}\" holds {count} \"{}\"",
            self.head.kind.escape_ascii(),
            kind.escape_ascii()
        ))
    }
}

/// The boxes that stand one after the other in `bytes`; an error ends the row.
pub fn boxes(bytes: &[u8]) -> Children<'_> {
    Children { bytes }
}

/// Iterator over adjacent boxes.
#[derive(Clone, Debug)]
pub struct Children<'a> {
    bytes: &'a [u8],
}

impl<'a> Iterator for Children<'a> {
    type Item = Result<BoxRef<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.bytes.is_empty() {
            return None;
        }
        let found = BoxRef::parse(self.bytes);
        self.bytes = match &found {
            Ok(found) => self.bytes.get(found.whole.len()..).unwrap_or_default(),
            Err(_) => &[],
        };
        Some(found)
    }
}

/// Reads numbers from the front of bytes; every read is checked against what is left.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    bytes: &'a [u8],
}

impl<'a> Fields<'a> {
    /// Over `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// The next `n` bytes.
    ///
    /// # Errors
    /// `Corrupt` when fewer are left; so for all that follow.
    pub fn take(&mut self, n: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(n).ok_or_else(|| {
            Error::corrupt(format!(
                "{n} more bytes expected, only {} are left",
                self.bytes.len()
            ))
        })?;
        self.bytes = rest;
        Ok(taken)
    }

    /// The next `N` bytes as an array.
    ///
    /// # Errors
    /// See [`Fields::take`].
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// The next 8 bits.
    ///
    /// # Errors
    /// See [`Fields::take`].
    pub fn u8(&mut self) -> Result<u8> {
        self.array().map(u8::from_be_bytes)
    }

    /// The next 16 bits.
    ///
    /// # Errors
    /// See [`Fields::take`].
    pub fn u16(&mut self) -> Result<u16> {
        self.array().map(u16::from_be_bytes)
    }

    /// The next 32 bits.
    ///
    /// # Errors
    /// See [`Fields::take`].
    pub fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_be_bytes)
    }

    /// The next 64 bits.
    ///
    /// # Errors
    /// See [`Fields::take`].
    pub fn u64(&mut self) -> Result<u64> {
        self.array().map(u64::from_be_bytes)
    }

    /// All that is left.
    pub const fn rest(&self) -> &'a [u8] {
        self.bytes
    }

    /// Says that nothing may be left.
    ///
    /// # Errors
    /// `Corrupt` when something is.
    pub fn end(&self) -> Result<()> {
        if self.bytes.is_empty() {
            return Ok(());
        }
        Err(Error::corrupt(format!(
            "{} bytes stand where a box should have ended",
            self.bytes.len()
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nested_boxes_read_back() {
        let mut out = Vec::new();
        put_box(&mut out, b"moov", |out| {
            put_full(out, b"mvhd", 1, 7, |out| put_u32(out, 5));
            put_uuid(out, &[9; 16], |out| out.push(1));
        });
        let moov = BoxRef::parse(&out).expect("whole");
        assert_eq!(moov.whole.len(), out.len());
        let (flags, mut fields) = moov
            .child(0, b"mvhd")
            .and_then(|mvhd| mvhd.full(1))
            .expect("mvhd");
        assert_eq!((flags, fields.u32().expect("5")), (7, 5));
        fields.end().expect("nothing left");
        let uuid = moov.child(0, b"uuid").expect("uuid");
        assert_eq!((uuid.head.extended, uuid.body), (Some([9; 16]), &[1][..]));
        assert!(moov.child(0, b"trak").is_err());
    }

    #[test]
    fn a_64_bit_size_is_read() {
        let mut out = b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x12xy".to_vec();
        assert_eq!(BoxRef::parse(&out).expect("whole").body, b"xy");
        out.pop();
        assert!(BoxRef::parse(&out).is_err());
    }

    #[test]
    fn sizes_that_cannot_be_are_refused() {
        for bad in [
            &b"\0\0\0\0moov"[..],
            b"\0\0\0\x07moov",
            b"\0\0\0\x17uuid0123456789abcdef",
            b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x0f",
            b"\xff\xff\xff\xffmoov",
            b"\0\0\0\x01mdat\xff\xff\xff\xff\xff\xff\xff\xff",
            b"\0\0",
        ] {
            assert!(BoxRef::parse(bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn garbage_ends(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(boxes(&bytes).count() <= 26);
        }
    }
}
