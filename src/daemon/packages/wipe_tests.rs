//! When the house's own copies go.

use super::*;
use crate::base::hash::Digest;
use crate::base::id::{DisclosureId, GenerationId, JobId};
use crate::catalog::{DisclosureKind, JobState};

const NOW: i64 = 1_795_449_600;
const DAY: i64 = 86_400;

fn at(secs: i64) -> Wall {
    Wall::from_secs(NOW + secs)
}

fn file(job: i64) -> FileRow {
    FileRow {
        job: JobId(job),
        part: 1,
        disclosure: DisclosureId(12_345_678),
        name: "2026-0042.zip".to_owned(),
        bytes: 1,
        sha256: Digest::ZERO,
        place: "volume/1-1.age".to_owned(),
        generation: GenerationId::from_bytes([1; 16]),
        key: Some(vec![1]),
        wiped: None,
    }
}

fn job(number: i64, ended: i64) -> JobRow {
    JobRow {
        job: JobId(number),
        disclosure: DisclosureId(12_345_678),
        state: JobState::Done,
        phase: "proving".to_owned(),
        bytes_done: 1,
        bytes_total: 1,
        cause: None,
        by: "person".to_owned(),
        begun: at(ended - 10),
        ended: Some(at(ended)),
    }
}

fn row(state: DisclosureState) -> DisclosureRow {
    let (number, kind) = (DisclosureId(12_345_678), DisclosureKind::AuthorityRequest);
    let draft = DisclosureRow::draft(number, kind, serde_json::Value::Null, ("person", at(-DAY)));
    DisclosureRow { state, ..draft }
}

#[test]
fn a_copy_goes_after_receipt_and_after_fourteen_days_and_when_another_takes_its_place() {
    let of = |state, job: &JobRow, now| why(&file(1), Some(&row(state)), Some(job), at(now));
    let made = job(1, 0);
    for state in [DisclosureState::Prepared, DisclosureState::HandedOver] {
        assert_eq!(of(state, &made, 0), None);
        assert_eq!(of(state, &made, 14 * DAY - 1), None);
        assert_eq!(of(state, &made, 14 * DAY), Some("time"));
        assert_eq!(of(state, &job(2, 0), 1), Some("replaced"));
    }
    for state in [DisclosureState::Received, DisclosureState::Destroyed] {
        assert_eq!(of(state, &made, 0), Some("received"));
    }
    for state in [DisclosureState::Withdrawn, DisclosureState::Refused] {
        assert_eq!(of(state, &made, 0), Some("withdrawn"));
    }
    let mut promised = row(DisclosureState::HandedOver);
    promised.copies_until = Some(at(DAY));
    let last = job(1, 0);
    assert_eq!(
        why(&file(1), Some(&promised), Some(&last), at(DAY - 1)),
        None
    );
    assert_eq!(
        why(&file(1), Some(&promised), Some(&last), at(DAY)),
        Some("time")
    );
    assert_eq!(why(&file(1), None, None, at(0)), Some("unknown"));
}
