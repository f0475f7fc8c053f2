//! Whether a package is what the box made: every file, every signature, every fragment. On any machine, without a box.
//!
//! `verify.html` does the same in the same order and says the same [`Code`]s; a test compares them over mutated packages.

use std::collections::BTreeMap;

use crate::base::error::Result;
use crate::base::hash::Digest;
use crate::base::id::BoxId;
use crate::evidence::package::folder::Folder;
use crate::evidence::package::manifest::{Manifest, MediaFile};
use crate::evidence::package::names::is_plain;
use crate::evidence::package::{
    CHUNK_BYTES, CONTENTS, CONTENTS_KIND, JSON_BYTES_MAX, MANIFEST, MANIFEST_KIND, MANIFEST_SIG,
    PAGE, PROOF, README, ways,
};
use crate::ledger::checkpoint::{Checkpoint, Key};
use crate::ledger::note::{self, Signed};

/// Files besides the list that every package has.
const REQUIRED: [&str; 5] = [MANIFEST, MANIFEST_SIG, PROOF, PAGE, README];

/// What is wrong.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// A file is not there.
    Missing,
    /// A file is there that does not belong to the package.
    Added,
    /// A file has another name.
    Renamed,
    /// A file has other bytes.
    Changed,
    /// A signature does not fit.
    Signature,
    /// Signed, and not by the key that was asked for.
    OtherKey,
    /// What is signed does not hold together.
    Content,
    /// The way from the clips to the ledger does not hold.
    Proof,
}

/// One thing that is wrong.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, serde::Serialize)]
pub struct Finding {
    /// What.
    pub code: Code,
    /// With which file.
    pub file: String,
    /// In words.
    pub text: String,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Report {
    /// Everything that is wrong; nothing: the package is intact.
    pub findings: Vec<Finding>,
    /// Who signed it.
    pub key: Option<Key>,
    /// Which box says it is.
    pub box_id: Option<BoxId>,
    /// What is in it, when that is intact.
    pub manifest: Option<Manifest>,
    /// The checkpoint that the ledger's entry of this package is under.
    pub checkpoint: Option<Checkpoint>,
    /// The number of that entry.
    pub entry: Option<u64>,
}

impl Report {
    pub(super) fn say(&mut self, code: Code, file: &str, text: impl Into<String>) {
        self.findings.push(Finding {
            code,
            file: file.to_owned(),
            text: text.into(),
        });
    }

    fn has(&self, file: &str) -> bool {
        self.findings.iter().any(|f| f.file == file)
    }
}

/// Checks everything in `folder`; `fingerprint` is that of the key on paper.
///
/// # Errors
/// What the operating system says; whatever is wrong with the package is in the report.
pub fn check(folder: &Folder, fingerprint: Option<&str>) -> Result<Report> {
    let mut report = Report::default();
    let list = contents(folder, &mut report)?;
    let manifest = manifest(folder, &mut report)?;
    let media = manifest.as_ref().map_or(&[][..], |(m, _)| &m.files);
    for file in media {
        clip(folder, file, &mut report)?;
    }
    names(
        folder,
        &list,
        manifest.as_ref().map(|(m, _)| m),
        &mut report,
    )?;
    if let Some((manifest, digest)) = manifest {
        if folder.size(PROOF).is_some() && !report.has(PROOF) {
            ways::check(folder, (&manifest, digest), &mut report)?;
        }
        report.manifest = Some(manifest);
    }
    if let (Some(key), Some(paper)) = (report.key, fingerprint)
        && !same_fingerprint(&key.fingerprint(), paper)
    {
        let text = format!(
            "it is signed by {}, which is another key",
            key.fingerprint()
        );
        report.say(Code::OtherKey, CONTENTS, text);
    }
    report.findings.sort();
    Ok(report)
}

/// As people type it: groups apart or not, in either case.
fn same_fingerprint(ours: &str, typed: &str) -> bool {
    let plain = |text: &str| -> String {
        let digits = text.chars().filter(|c| !c.is_whitespace());
        digits.map(|c| c.to_ascii_lowercase()).collect()
    };
    plain(ours) == plain(typed)
}

/// Reads the list and compares the files on it.
fn contents(folder: &Folder, report: &mut Report) -> Result<BTreeMap<String, (Digest, u64)>> {
    let mut list = BTreeMap::new();
    if folder.size(CONTENTS).is_none() {
        report.say(Code::Missing, CONTENTS, "the list of contents is not there");
        return Ok(list);
    }
    let Some(bytes) = note_bytes(folder, CONTENTS, report)? else {
        return Ok(list);
    };
    let Some(signed) = signed(&bytes, (CONTENTS, CONTENTS_KIND), report) else {
        return Ok(list);
    };
    for line in signed.lines.split_terminator('\n') {
        let Some((name, entry)) = listed(line) else {
            report.say(Code::Content, CONTENTS, "a line of it is none");
            continue;
        };
        list.insert(name.to_owned(), entry);
    }
    if let Some(name) = REQUIRED.iter().find(|name| !list.contains_key(**name)) {
        report.say(Code::Content, CONTENTS, format!("{name} is not on it"));
    }
    for (name, (digest, size)) in &list {
        match folder.size(name) {
            None => report.say(Code::Missing, name, "it is not there"),
            Some(found) if found != *size => {
                report.say(
                    Code::Changed,
                    name,
                    format!("it has {found} bytes, not {size}"),
                );
            }
            Some(_) if Digest::sha256(&[&folder.read(name, JSON_BYTES_MAX)?]) != *digest => {
                report.say(Code::Changed, name, "it has other bytes");
            }
            Some(_) => {}
        }
    }
    Ok(list)
}

/// `HASH BYTES NAME`.
fn listed(line: &str) -> Option<(&str, (Digest, u64))> {
    let mut words = line.split(' ');
    let (digest, size, name) = (words.next()?, words.next()?, words.next()?);
    let is_whole = words.next().is_none() && is_plain(name);
    let size = size.parse().ok().filter(|n: &u64| n.to_string() == size)?;
    is_whole.then_some((name, (Digest::from_hex(digest)?, size)))
}

/// The bytes of a signed text, which is short.
fn note_bytes(folder: &Folder, name: &str, report: &mut Report) -> Result<Option<Vec<u8>>> {
    if folder
        .size(name)
        .is_some_and(|size| size > note::NOTE_BYTES_MAX as u64)
    {
        report.say(
            Code::Signature,
            name,
            "it is longer than a signed text can be",
        );
        return Ok(None);
    }
    folder.read(name, note::NOTE_BYTES_MAX as u64).map(Some)
}

/// A signed text; all of a package's are signed by one key of one box.
fn signed<'a>(
    bytes: &'a [u8],
    (file, kind): (&str, &str),
    report: &mut Report,
) -> Option<Signed<'a>> {
    let signed = match note::open(bytes, kind) {
        Ok(signed) => signed,
        Err(e) => {
            report.say(Code::Signature, file, e.to_string());
            return None;
        }
    };
    let key = *report.key.get_or_insert(signed.key);
    let box_id = *report.box_id.get_or_insert(signed.box_id);
    if (key, box_id) != (signed.key, signed.box_id) {
        report.say(
            Code::Signature,
            file,
            "it is signed by another key than the rest",
        );
        return None;
    }
    Some(signed)
}

/// The manifest, when it is the signed one.
fn manifest(folder: &Folder, report: &mut Report) -> Result<Option<(Manifest, Digest)>> {
    let there = [MANIFEST, MANIFEST_SIG].map(|name| folder.size(name).is_some());
    for (name, there) in [MANIFEST, MANIFEST_SIG].iter().zip(there) {
        if !there && !report.has(name) {
            report.say(Code::Missing, name, "it is not there");
        }
    }
    if there != [true; 2] {
        return Ok(None);
    }
    let Some(note) = note_bytes(folder, MANIFEST_SIG, report)? else {
        return Ok(None);
    };
    let Some(signed) = signed(&note, (MANIFEST_SIG, MANIFEST_KIND), report) else {
        return Ok(None);
    };
    let too_large = folder
        .size(MANIFEST)
        .is_some_and(|size| size > JSON_BYTES_MAX);
    let bytes = if too_large {
        Vec::new()
    } else {
        folder.read(MANIFEST, JSON_BYTES_MAX)?
    };
    let digest = Digest::sha256(&[&bytes]);
    if signed.lines != format!("{digest} {}\n", bytes.len()) {
        if !report.has(MANIFEST) {
            report.say(Code::Changed, MANIFEST, "it is not the one that was signed");
        }
        return Ok(None);
    }
    match Manifest::parse(&bytes) {
        Ok(manifest)
            if Some(manifest.box_id) == report.box_id
                && names_are_plain(&manifest)
                && manifest.copies_belong() =>
        {
            Ok(Some((manifest, digest)))
        }
        Ok(_) => {
            report.say(Code::Content, MANIFEST, "it does not hold together");
            Ok(None)
        }
        Err(e) => {
            report.say(Code::Content, MANIFEST, e.to_string());
            Ok(None)
        }
    }
}

fn names_are_plain(manifest: &Manifest) -> bool {
    let names: std::collections::BTreeSet<_> = manifest.files.iter().map(|f| &f.name).collect();
    names.len() == manifest.files.len()
        && names
            .iter()
            .all(|n| is_plain(n) && !REQUIRED.contains(&n.as_str()) && *n != CONTENTS)
}

/// Compares a clip with its hashes, piece by piece.
fn clip(folder: &Folder, file: &MediaFile, report: &mut Report) -> Result<()> {
    let name = &file.name;
    match folder.size(name) {
        None => report.say(Code::Missing, name, "it is not there"),
        Some(found) if found != file.bytes => {
            report.say(
                Code::Changed,
                name,
                format!("it has {found} bytes, not {}", file.bytes),
            );
        }
        Some(_) => {
            let found = folder.chunks(name)?;
            let differs = |(a, b): (&Digest, &Digest)| a != b;
            let first = found.iter().zip(&file.chunks).position(differs);
            let last = found.iter().zip(&file.chunks).rposition(differs);
            if let (Some(first), Some(last)) = (first, last) {
                let (from, to) = (first as u64 * CHUNK_BYTES, (last as u64 + 1) * CHUNK_BYTES);
                let text = format!("other bytes between {from} and {}", to.min(file.bytes));
                report.say(Code::Changed, name, text);
            } else if found.len() != file.chunks.len() {
                report.say(
                    Code::Content,
                    MANIFEST,
                    format!("it has not all hashes of {name}"),
                );
            }
        }
    }
    Ok(())
}

/// Finds what does not belong here, and whether it is what is missing elsewhere.
fn names(
    folder: &Folder,
    list: &BTreeMap<String, (Digest, u64)>,
    manifest: Option<&Manifest>,
    report: &mut Report,
) -> Result<()> {
    // Without the list or the manifest it is not known what belongs here.
    let Some(manifest) = manifest.filter(|_| !list.is_empty()) else {
        return Ok(());
    };
    let belongs = |name: &str| {
        name == CONTENTS || list.contains_key(name) || manifest.files.iter().any(|f| f.name == name)
    };
    for (name, size) in folder.names.iter().filter(|(name, _)| !belongs(name)) {
        let missing = |f: &&Finding| f.code == Code::Missing;
        let candidates: Vec<_> = report
            .findings
            .iter()
            .filter(missing)
            .map(|f| f.file.clone())
            .collect();
        let mut original = None;
        for candidate in candidates {
            let is_same = match manifest.files.iter().find(|f| f.name == candidate) {
                Some(file) => *size == Some(file.bytes) && folder.chunks(name)? == file.chunks,
                None => match list.get(&candidate) {
                    Some((digest, bytes)) => {
                        *size == Some(*bytes)
                            && Digest::sha256(&[&folder.read(name, JSON_BYTES_MAX)?]) == *digest
                    }
                    None => false,
                },
            };
            if is_same {
                original = Some(candidate);
                break;
            }
        }
        match original {
            Some(original) => {
                report
                    .findings
                    .retain(|f| !(f.code == Code::Missing && f.file == original));
                report.say(Code::Renamed, &original, format!("its name is {name} now"));
            }
            None => report.say(Code::Added, name, "it does not belong to the package"),
        }
    }
    Ok(())
}
