//! How samples are decoded; one row for all segments that share it.

use rusqlite::{Connection, OptionalExtension, params};

use crate::base::error::{Error, Kind, Result};
use crate::base::hash::Digest;
use crate::catalog::column::Columns;
use crate::catalog::reader::Reader;
use crate::media::access_unit::{Codec, SampleEntry};

/// A sample entry with its hash.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct SampleEntryRow {
    /// SHA-256 of `entry`; what segments name.
    #[serde(with = "crate::catalog::json::digest")]
    pub hash: Digest,
    /// The codec.
    pub codec: Codec,
    /// Codec parameters in the form of RFC 6381.
    pub rfc6381: String,
    /// Picture width in pixels.
    pub width: u16,
    /// Picture height in pixels.
    pub height: u16,
    /// The clear `avc1` or `hvc1` box.
    #[serde(with = "crate::catalog::json::bytes")]
    pub entry: Vec<u8>,
}

impl From<&SampleEntry> for SampleEntryRow {
    fn from(from: &SampleEntry) -> Self {
        Self {
            hash: from.hash(),
            codec: from.codec,
            rfc6381: from.rfc6381.clone(),
            width: from.width,
            height: from.height,
            entry: from.entry.clone(),
        }
    }
}

impl From<SampleEntryRow> for SampleEntry {
    fn from(row: SampleEntryRow) -> Self {
        Self {
            codec: row.codec,
            rfc6381: row.rfc6381,
            width: row.width,
            height: row.height,
            entry: row.entry,
        }
    }
}

const fn codec_name(codec: Codec) -> &'static str {
    match codec {
        Codec::H264 => "h264",
        Codec::H265 => "h265",
    }
}

pub(super) fn seen(db: &Connection, row: &SampleEntryRow) -> Result<()> {
    db.prepare_cached(
        "insert into sample_entry (hash, codec, rfc6381, width, height, entry) values (?, ?, ?, ?, ?, ?)
         on conflict (hash) do nothing",
    )?
    .execute(params![
        row.hash,
        codec_name(row.codec),
        row.rfc6381,
        row.width,
        row.height,
        row.entry
    ])?;
    Ok(())
}

/// The sample entry's number.
pub(super) fn find(db: &Connection, hash: Digest) -> Result<i64> {
    db.prepare_cached("select id from sample_entry where hash = ?")?
        .query_row([hash], |row| row.get(0))
        .optional()?
        .ok_or_else(|| Error::new(Kind::NotFound, format!("sample entry {hash} is unknown")))
}

impl Reader {
    /// The sample entry with this hash.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn sample_entry(&self, hash: Digest) -> Result<Option<SampleEntryRow>> {
        let mut statement = self.db.prepare_cached(
            "select hash, codec, rfc6381, width, height, entry from sample_entry where hash = ?",
        )?;
        let found = statement.query_row([hash], |row| {
            let mut columns = Columns::of(row);
            Ok(SampleEntryRow {
                hash: columns.get()?,
                codec: match columns.get::<String>()?.as_str() {
                    "h265" => Codec::H265,
                    _ => Codec::H264,
                },
                rfc6381: columns.get()?,
                width: columns.get()?,
                height: columns.get()?,
                entry: columns.get()?,
            })
        });
        Ok(found.optional()?)
    }
}
