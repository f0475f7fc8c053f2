//! `manifest.json`: what was asked for and what is given.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::base::error::{Error, Result};
use crate::base::hash::Digest;
use crate::base::id::{BoxId, SegmentId};
use crate::base::time::{Span, Wall};
use crate::catalog::{Coverage, CoverageGap, DeletedSpan};
use crate::media::access_unit::Codec;

/// Marks the format.
pub const FORMAT: &str = "sinetti package";
/// Its version.
pub const VERSION: u32 = 1;

/// The whole of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`].
    pub v: u32,
    /// The box that recorded it.
    #[serde(rename = "box")]
    pub box_id: BoxId,
    /// The site's name.
    pub site: String,
    /// The site's zone, by its IANA name; all times here are UTC.
    pub zone: String,
    /// When it was made.
    pub made: Wall,
    /// By what.
    pub software: String,
    /// SHA-256 of the configuration in force.
    pub configuration: Digest,
    /// What it was made for.
    pub purpose: String,
    /// The entry of the ledger that said so before the first byte.
    pub intent: Option<u64>,
    /// The record of the disclosure that it was made for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disclosure: Option<DisclosurePart>,
    /// Each stream of which something was asked for.
    pub streams: Vec<StreamPart>,
    /// The clips, in the order of streams and time.
    pub files: Vec<MediaFile>,
}

/// What the record of a disclosure says that belongs to whoever receives it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DisclosurePart {
    /// Its serial number: `2026-0042`.
    pub serial: String,
    /// What it is: `authority-request`.
    pub kind: String,
    /// The legal basis, in the words that were in force when it was decided.
    pub basis: String,
    /// True when the files were put under a passphrase as they were handed out.
    pub encrypted: bool,
}

/// What was asked for and given of one stream.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamPart {
    /// Camera and stream: `kassa-1/main`.
    pub stream: String,
    /// The camera's name.
    pub name: String,
    /// From when to when it was asked for.
    pub asked: Span,
    /// What was approved: whole groups of pictures. Nothing outside is in the clips.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given: Option<Span>,
    /// What of that is not recorded, or was deleted, and why.
    pub absent: Vec<Absent>,
    /// Segments that are not whole any more.
    pub damaged: Vec<String>,
    /// What the recorder wrote down of each segment that something was taken from: clocks, losses, content root. The very
    /// record that a footage seal binds.
    pub segments: Vec<Value>,
}

/// A time without pictures.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Absent {
    /// From when to when.
    pub span: Span,
    /// `gap` with its cause, or `deleted` with its rule.
    pub what: String,
    /// The cause or the rule.
    pub why: String,
}

impl Absent {
    /// What of a span is not there, by time.
    pub fn of(coverage: &Coverage) -> Vec<Self> {
        let gap = |gap: &CoverageGap| Self {
            span: gap.span,
            what: "gap".to_owned(),
            why: gap.cause.to_string(),
        };
        let deleted = |part: &DeletedSpan| Self {
            span: part.span,
            what: "deleted".to_owned(),
            why: part.rule.to_string(),
        };
        let mut all: Vec<_> = coverage.gaps.iter().map(gap).collect();
        all.extend(coverage.deleted.iter().map(deleted));
        all.sort_by_key(|part| part.span.start);
        all
    }
}

/// A clip.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MediaFile {
    /// Its name.
    pub name: String,
    /// Bytes of it.
    pub bytes: u64,
    /// SHA-256 of it.
    pub sha256: Digest,
    /// SHA-256 of each [`CHUNK_BYTES`](super::CHUNK_BYTES) of it.
    pub chunks: Vec<Digest>,
    /// Camera and stream: `kassa-1/main`.
    pub stream: String,
    /// From its first picture to the end of its last.
    pub span: Span,
    /// Pictures in it.
    pub pictures: usize,
    /// Pictures at its beginning that refer to pictures before it and are not shown.
    pub undecodable_leading: usize,
    /// The codec.
    pub codec: Codec,
    /// Width of the picture in pixels.
    pub width: u16,
    /// Height of it.
    pub height: u16,
    /// The segments that it was taken from.
    pub segments: Vec<SegmentId>,
    /// True for a copy for viewing beside an original in a codec that few players know.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub viewing: bool,
    /// Of a copy for viewing that was not recorded: the clip that it was coded anew from. Only that clip is tied to the ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coded_from: Option<String>,
    /// Of an original: why there is no copy for viewing, although one was wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_viewing: Option<NoViewing>,
}

/// Why there is no copy for viewing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoViewing {
    /// What codes it is not installed on the box, or does not start.
    NoCoder,
    /// It could not code these pictures.
    NotCoded,
}

/// What a file is besides a clip, for people.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Note {
    /// A copy for viewing: the small stream as it was recorded.
    Recorded,
    /// A copy for viewing: coded anew from this clip, and no evidence.
    CodedFrom(String),
    /// An original without the copy for viewing that was wanted.
    Without(NoViewing),
}

impl MediaFile {
    /// What is to be said of it; none: it is a clip as it was recorded, and nothing is missing beside it.
    pub fn note(&self) -> Option<Note> {
        match (&self.coded_from, self.viewing, self.no_viewing) {
            (Some(original), ..) => Some(Note::CodedFrom(original.clone())),
            (None, true, _) => Some(Note::Recorded),
            (None, false, why) => why.map(Note::Without),
        }
    }
}

impl Manifest {
    /// Whether every copy for viewing that was coded anew belongs to a clip of its stream that was recorded.
    pub fn copies_belong(&self) -> bool {
        let belongs = |copy: &MediaFile, original: &str| {
            let found = self.files.iter().find(|f| f.name == original);
            copy.viewing
                && copy.codec == Codec::H264
                && found.is_some_and(|f| {
                    !f.viewing && f.codec == Codec::H265 && f.stream == copy.stream
                })
        };
        let mut copies = self.files.iter();
        copies.all(|f| f.coded_from.as_ref().is_none_or(|name| belongs(f, name)))
    }

    /// Its bytes, as they are hashed and signed.
    ///
    /// # Errors
    /// Never in practice: it holds nothing that is no JSON.
    pub fn bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec_pretty(self)
            .map_err(|e| Error::invalid(format!("writing a manifest: {e}")))?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// From its bytes.
    ///
    /// # Errors
    /// `Foreign` for another version; `Corrupt` for anything that is no manifest.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let bad = |e: &dyn std::fmt::Display| Error::corrupt(format!("the manifest: {e}"));
        let manifest: Self = serde_json::from_slice(bytes).map_err(|e| bad(&e))?;
        if manifest.format != FORMAT || manifest.v != VERSION {
            return Err(bad(&"it is of another format"));
        }
        Ok(manifest)
    }
}
