//! The way from each clip's bytes to the signed checkpoint.

use std::collections::HashMap;

use crate::base::error::{Error, Result};
use crate::base::hash::Digest;
use crate::base::id::{BoxId, RunId, SegmentId, StreamId};
use crate::base::merkle;
use crate::base::time::{Span, Ticks, Wall};
use crate::evidence::package::check::{Code, Report};
use crate::evidence::package::folder::Folder;
use crate::evidence::package::manifest::{Manifest, MediaFile, StreamPart};
use crate::evidence::package::proof::{FilePart, FragmentPart, PackageProof, SegmentPart, VERSION};
use crate::evidence::package::{JSON_BYTES_MAX, PROOF};
use crate::evidence::proof::SegmentProof;
use crate::ledger::checkpoint::Key;
use crate::media::fragment::SampleRow;
use crate::media::leaf::{Identity, Recorded, Salt};
use crate::media::merkle::content_root_of;

/// The largest sample entry, and the largest fragment, in bytes.
const ENTRY_BYTES_MAX: u64 = 64 << 10;
const FRAGMENT_BYTES_MAX: u64 = 64 << 20;

/// What a segment's record says, as far as it is needed.
#[derive(serde::Deserialize)]
struct Record {
    #[serde(rename = "box")]
    box_id: BoxId,
    #[serde(deserialize_with = "as_text")]
    stream: StreamId,
    run: RunId,
    segment: SegmentId,
    start: Wall,
    fragments: usize,
    content_root: Digest,
    previous_root: Digest,
}

/// `kassa-1/main`.
fn as_text<'de, D: serde::Deserializer<'de>>(de: D) -> std::result::Result<StreamId, D::Error> {
    let text: String = serde::Deserialize::deserialize(de)?;
    text.parse().map_err(serde::de::Error::custom)
}

/// Checks `proof.json`; what is wrong goes into the report.
///
/// # Errors
/// What the operating system says.
pub(super) fn check(
    folder: &Folder,
    (manifest, digest): (&Manifest, Digest),
    report: &mut Report,
) -> Result<()> {
    let bytes = folder.read(PROOF, JSON_BYTES_MAX)?;
    let proof: PackageProof = match serde_json::from_slice(&bytes) {
        Ok(proof) => proof,
        Err(e) => {
            report.say(Code::Proof, PROOF, format!("it cannot be read: {e}"));
            return Ok(());
        }
    };
    let Some(key) = report.key else {
        return Ok(());
    };
    if let Err(e) = act(&proof, (manifest.box_id, digest), key, report) {
        report.say(Code::Proof, PROOF, e.to_string());
    }
    let records = match segments(&proof, manifest, key) {
        Ok(records) => records,
        Err(e) => {
            report.say(Code::Proof, PROOF, e.to_string());
            return Ok(());
        }
    };
    let parts: HashMap<_, _> = proof.files.iter().map(|p| (p.name.as_str(), p)).collect();
    // A copy that was coded anew is none of the recorded fragments: the signed manifest says whose copy it is.
    for file in manifest.files.iter().filter(|f| f.coded_from.is_none()) {
        // Whose bytes are others has no way, which is said already.
        let is_said = report.findings.iter().any(|f| f.file == file.name);
        let Some(part) = parts.get(file.name.as_str()).filter(|_| !is_said) else {
            if !is_said {
                report.say(Code::Proof, &file.name, "nothing ties it to the ledger");
            }
            continue;
        };
        if let Err(e) = clip(folder, file, part, &proof.segments, &records) {
            report.say(Code::Proof, &file.name, e.to_string());
        }
    }
    Ok(())
}

/// The entry says that this manifest was made.
fn act(
    proof: &PackageProof,
    (box_id, digest): (BoxId, Digest),
    key: Key,
    report: &mut Report,
) -> Result<()> {
    if proof.v != VERSION {
        return Err(Error::corrupt("the proof is of another format"));
    }
    let (entry, checkpoint) = proof.act.verify(key)?;
    let stated = entry.facts["manifest"].as_str().and_then(Digest::from_hex);
    if stated != Some(digest) || checkpoint.box_id != box_id {
        return Err(Error::corrupt("the ledger's entry is not of this package"));
    }
    report.entry = Some(entry.seq);
    report.checkpoint = Some(checkpoint);
    Ok(())
}

/// Every segment is under a seal, and its leaves are those that its record stands for.
fn segments(proof: &PackageProof, manifest: &Manifest, key: Key) -> Result<Vec<Record>> {
    let mut records = Vec::with_capacity(proof.segments.len());
    for part in &proof.segments {
        let seal = proof
            .seals
            .get(part.seal)
            .ok_or_else(|| Error::corrupt("a segment without a seal"))?;
        let way = SegmentProof {
            v: VERSION,
            segment: part.record.clone(),
            place: part.place,
            path: part.path.iter().map(ToString::to_string).collect(),
            seal: seal.clone(),
        };
        let (value, _) = way.verify(key)?;
        let record: Record = serde_json::from_value(value.clone())
            .map_err(|e| Error::corrupt(format!("a segment's record: {e}")))?;
        let stream = record.stream.to_string();
        let is_told = |s: &&StreamPart| s.stream == stream;
        let told = manifest
            .streams
            .iter()
            .filter(is_told)
            .any(|s| s.segments.contains(&value));
        if !told || record.box_id != manifest.box_id {
            return Err(Error::corrupt(format!(
                "the manifest does not tell of segment {}",
                record.segment
            )));
        }
        let count = u32::try_from(part.leaves.len()).unwrap_or(u32::MAX);
        let root = merkle::root(&part.leaves);
        let content = content_root_of(&root, count, &record.previous_root);
        if part.leaves.is_empty()
            || part.leaves.len() != record.fragments
            || content != record.content_root
        {
            return Err(Error::corrupt(format!(
                "the leaves are not those of segment {}",
                record.segment
            )));
        }
        records.push(record);
    }
    Ok(records)
}

/// A clip's samples are the recorded fragments, one after the other, without a hole and without anything between.
fn clip(
    folder: &Folder,
    file: &MediaFile,
    part: &FilePart,
    segments: &[SegmentPart],
    records: &[Record],
) -> Result<()> {
    let wrong = |text: &str| Error::corrupt(text.to_owned());
    let handle = folder.file(&file.name)?;
    if part.entry_bytes > ENTRY_BYTES_MAX {
        return Err(wrong("its sample entry is too large"));
    }
    let entry = folder.part(&handle, &file.name, part.entry_at, part.entry_bytes)?;
    let entry = Digest::sha256(&[&entry]);
    let (mut at, mut pictures) = (part.samples_at, 0);
    let mut before: Option<&FragmentPart> = None;
    for fragment in &part.fragments {
        let (segment, record) = segments
            .get(fragment.segment)
            .zip(records.get(fragment.segment))
            .ok_or_else(|| wrong("a fragment of no segment"))?;
        if record.stream.to_string() != file.stream || segment.entry != entry {
            return Err(wrong("a fragment of another stream, or decoded otherwise"));
        }
        if !follows(before, fragment, segments, records) {
            return Err(wrong("a fragment does not follow the one before it"));
        }
        let bytes: u64 = fragment.samples.iter().map(|s| u64::from(s.1)).sum();
        if bytes > FRAGMENT_BYTES_MAX {
            return Err(wrong("a fragment is larger than it can be"));
        }
        let clear = Digest::sha256(&[&folder.part(&handle, &file.name, at, bytes)?]);
        let number = usize::try_from(fragment.number).unwrap_or(usize::MAX);
        if segment.leaves.get(number) != Some(&leaf(fragment, segment, record, &clear)) {
            return Err(Error::corrupt(format!(
                "its bytes from {at} on are not fragment {} of segment {} as it was recorded",
                fragment.number, record.segment
            )));
        }
        at += bytes;
        pictures += fragment.samples.len();
        before = Some(fragment);
    }
    if at != file.bytes || pictures != file.pictures {
        return Err(wrong("there is more or less in it than was recorded"));
    }
    if span(part, records) != Some(file.span) {
        return Err(wrong("its times are not those of its fragments"));
    }
    Ok(())
}

/// The next of the same segment, or the first of the stream's next segment after the last of this one.
fn follows(
    before: Option<&FragmentPart>,
    next: &FragmentPart,
    segments: &[SegmentPart],
    records: &[Record],
) -> bool {
    let Some(before) = before else {
        return true;
    };
    if before.segment == next.segment {
        return before.number.checked_add(1) == Some(next.number);
    }
    let last = segments.get(before.segment).map_or(0, |s| s.leaves.len());
    let is_last = usize::try_from(before.number).is_ok_and(|n| n + 1 == last);
    let chained = records
        .get(before.segment)
        .zip(records.get(next.segment))
        .is_some_and(|(a, b)| a.content_root == b.previous_root && a.run == b.run);
    is_last && next.number == 0 && chained
}

fn leaf(fragment: &FragmentPart, segment: &SegmentPart, record: &Record, clear: &Digest) -> Digest {
    let identity = Identity::of(&Recorded {
        box_id: record.box_id,
        camera: &record.stream.camera,
        stream: record.stream.kind,
        run: record.run,
        segment: record.segment,
        start: record.start,
        run_media_start: Ticks(segment.run_media_start),
        entry_hash: &segment.entry,
    });
    let rows: Vec<_> = fragment
        .samples
        .iter()
        .map(|&(duration, bytes, key, offset)| SampleRow {
            duration,
            bytes,
            is_key: key == 1,
            offset,
        })
        .collect();
    let tfdt = fragment.tfdt.cast_unsigned();
    let salt = Salt::of_disclosed(segment.salt);
    identity.leaf_of(&salt, fragment.number, (tfdt, &rows), clear)
}

/// From the first picture to the end of the last.
fn span(part: &FilePart, records: &[Record]) -> Option<Span> {
    let wall = |fragment: &FragmentPart| {
        let record = records.get(fragment.segment)?;
        Some(record.start.midnight().plus_ticks(Ticks(fragment.tfdt)))
    };
    let (first, last) = (part.fragments.first()?, part.fragments.last()?);
    let shown_after = i64::from(first.samples.first()?.3);
    let lasts: i64 = last.samples.iter().map(|s| i64::from(s.0)).sum();
    Some(Span {
        start: wall(first)?.plus_ticks(Ticks(shown_after)),
        end: wall(last)?.plus_ticks(Ticks(lasts)),
    })
}
