//! Checks of the catalog, and of how long ago the footage was last read.

use crate::base::time::Wall;
use crate::catalog::Reader;
use crate::doctor::{Finding, Subject, amount};
use crate::store::scrub::{Mark, VolumeMark};

const US_PER_DAY: i64 = 86_400_000_000;
/// A pass is begun every day; with much footage it takes some.
const SCRUB_DAYS_MAX: i64 = 8;

pub(super) fn checks(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = vec![integrity(&subject.catalog)];
    if let Ok(reader) = &subject.catalog {
        findings.extend(latch(reader));
        let first = first_recorded(reader);
        let names = subject.places.iter().map(|place| place.name.as_str());
        findings.extend(names.map(|name| scrub(name, &subject.scrub, first, subject.clock.wall())));
    }
    findings
}

fn integrity(catalog: &Result<&Reader, String>) -> Finding {
    let check = "catalog";
    let remedy = "stop Sinetti, then rebuild it from the volumes: sinetti reindex";
    let found = match catalog {
        Ok(reader) => reader.integrity_check(),
        Err(e) => return Finding::bad(check, e, remedy),
    };
    match found {
        Ok(lines) if lines.is_empty() => Finding::ok(check, "it is sound"),
        Ok(lines) => Finding::bad(
            check,
            format!("{} findings: {}", lines.len(), lines[0]),
            remedy,
        ),
        Err(e) => Finding::bad(check, e.to_string(), remedy),
    }
}

/// Why nothing is deleted.
fn latch(reader: &Reader) -> Option<Finding> {
    let reason = reader.meta().ok()?.latch?;
    let remedy = "look at it (sinetti ls, sinetti check), then: sinetti retention confirm";
    Some(Finding::warn(
        "deletion",
        format!("nothing is deleted: {reason}"),
        remedy,
    ))
}

/// Start of the oldest segment of all.
fn first_recorded(reader: &Reader) -> Option<Wall> {
    let streams = reader.streams().unwrap_or_default();
    let oldest = |row: &crate::catalog::StreamRow| reader.oldest(&row.stream).ok().flatten();
    streams.iter().filter_map(oldest).min()
}

pub(super) fn scrub(name: &str, mark: &Mark, first: Option<Wall>, now: Wall) -> Finding {
    let check = "scrub";
    let mark = mark.volumes.values().find(|volume| volume.name == name);
    let mark = mark.cloned().unwrap_or_default();
    let days = |since: Wall| now.us_since(since) / US_PER_DAY;
    let VolumeMark {
        segments,
        bytes,
        ref damaged,
        finished,
        missing,
        ..
    } = mark;
    let under_way = if mark.is_under_way() {
        format!(
            "; {segments} segments, {} of the pass under way",
            amount(bytes)
        )
    } else {
        String::new()
    };
    if !damaged.is_empty() || missing > 0 {
        let found = format!(
            "volume \"{name}\": {} segments are damaged, {missing} are missing{under_way}",
            damaged.len()
        );
        let remedy = "see the journal and: sinetti check --deep; copy what matters, look at the disk (SMART)";
        return Finding::bad(check, found, remedy);
    }
    let remedy = "let the recorder run, or: sinetti scrub";
    match (finished, first) {
        (Some(at), _) if days(at) <= SCRUB_DAYS_MAX => Finding::ok(
            check,
            format!(
                "volume \"{name}\": every byte was read {} days ago{under_way}",
                days(at)
            ),
        ),
        (Some(at), _) => Finding::warn(
            check,
            format!(
                "volume \"{name}\": last read through {} days ago{under_way}",
                days(at)
            ),
            remedy,
        ),
        (None, Some(first)) if days(first) > SCRUB_DAYS_MAX => Finding::warn(
            check,
            format!("volume \"{name}\" was never read through{under_way}"),
            remedy,
        ),
        (None, _) => Finding::ok(check, format!("volume \"{name}\" is new{under_way}")),
    }
}
