//! The catalog as its callers see it.

mod alarms;
mod coverage;
mod disclosures;
mod holds;
mod people;

use std::sync::mpsc::channel;

use serde_json::json;

use crate::base::clock::HostSync;
use crate::base::error::{Error, Kind, Result};
use crate::base::hash::Digest;
use crate::base::id::{BoxId, GenerationId, PersonId, RunId, SegmentId, StreamId, VolumeId};
use crate::base::time::{Span, Ticks, Wall};
use crate::catalog::{
    Catalog, Change, Event, GapCause, GapRow, PeopleChange, Reader, SampleEntryRow, SegmentRow,
    Totals,
};
use crate::media::access_unit::Codec;

const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3600 * SECOND;

/// 2026-11-23T15:00:00Z.
const T0: Wall = Wall::from_secs(1_795_446_000);

struct Fixture {
    dir: tempfile::TempDir,
    box_id: BoxId,
    catalog: Catalog,
    volume: VolumeId,
    run: RunId,
    entry: SampleEntryRow,
}

impl Fixture {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("dir");
        let box_id = BoxId::random();
        let catalog = Catalog::open(&dir.path().join("catalog"), box_id).expect("catalog");
        let entry = SampleEntryRow {
            hash: Digest::sha256(&[b"entry"]),
            codec: Codec::H265,
            rfc6381: "hvc1.1.6.L93.B0".to_owned(),
            width: 1920,
            height: 1080,
            entry: b"entry".to_vec(),
        };
        let (volume, run) = (VolumeId::random(), RunId::random());
        let changes = vec![
            Change::VolumeSeen {
                volume,
                name: "one".to_owned(),
                path: "/footage".to_owned(),
            },
            Change::SampleEntrySeen(Box::new(entry.clone())),
            Change::StreamSeen {
                stream: stream("kassa"),
                at: T0,
            },
        ];
        catalog.commit(changes, None).expect("first rows");
        Self {
            dir,
            box_id,
            catalog,
            volume,
            run,
            entry,
        }
    }

    fn reader(&self) -> Reader {
        self.catalog.reader().expect("reader")
    }

    fn row(&self, start_us: i64, end_us: i64) -> SegmentRow {
        SegmentRow {
            segment: SegmentId::random(),
            stream: stream("kassa"),
            run: self.run,
            volume: self.volume,
            start: T0.plus_us(start_us),
            end: T0.plus_us(end_us),
            media_duration: Ticks::from_us(end_us - start_us),
            bytes: 30_000_000,
            samples: 900,
            fragments: 30,
            key_day: T0.day(),
            key_index: 7,
            generation: GenerationId::random(),
            content_root: Digest::sha256(&[b"root"]),
            previous_root: Digest::ZERO,
            recovered: false,
            time_uncertain: true,
            packets_lost: 3,
            corrupt_units: 2,
            discontinuities: 1,
            host: HostSync {
                synchronised: true,
                error_us: 1500,
            },
            camera_offset_ms: Some(-12),
            sample_entry: self.entry.hash,
        }
    }

    fn segment(&self, start_us: i64, end_us: i64) -> SegmentId {
        let row = self.row(start_us, end_us);
        let id = row.segment;
        self.commit(closed(row)).expect("segment");
        id
    }

    fn commit(&self, change: Change) -> Result<()> {
        self.catalog.commit(change, None)
    }
}

fn stream(camera: &str) -> StreamId {
    format!("{camera}/main").parse().expect("stream")
}

fn closed(row: SegmentRow) -> Change {
    Change::SegmentClosed(Box::new(row))
}

fn span(start_us: i64, end_us: i64) -> Span {
    Span {
        start: T0.plus_us(start_us),
        end: T0.plus_us(end_us),
    }
}

fn gap_opened(start_us: i64, cause: GapCause, detail: &str) -> Change {
    Change::GapOpened {
        stream: stream("kassa"),
        start: T0.plus_us(start_us),
        cause,
        detail: Some(detail.to_owned()),
    }
}

fn gap_closed(end_us: i64) -> Change {
    Change::GapClosed {
        stream: stream("kassa"),
        end: T0.plus_us(end_us),
    }
}

fn event(action: &str) -> Event {
    Event::of_box(T0, action, stream("kassa"), json!({ "n": 1 }))
}

fn kind(result: Result<()>) -> Option<Kind> {
    result.err().map(|e: Error| e.kind())
}

fn sound(reader: &Reader) {
    assert_eq!(
        reader.integrity_check().expect("check"),
        Vec::<String>::new()
    );
}

#[test]
fn what_is_written_is_read_back_also_after_reopening() {
    let f = Fixture::new();
    let row = f.row(0, 60 * SECOND);
    f.catalog
        .commit(closed(row.clone()), event("segment-closed"))
        .expect("row");
    f.catalog.close().expect("closed");
    f.catalog.close().expect("closing twice is nothing");
    assert_eq!(
        kind(f.commit(gap_closed(0))),
        Some(Kind::Unavailable),
        "after closing"
    );
    let reader = Reader::open(&f.dir.path().join("catalog"), f.box_id).expect("without a writer");
    assert_eq!(
        reader.segment_by_uuid(row.segment).expect("query"),
        Some(row.clone())
    );
    let again = Catalog::open(&f.dir.path().join("catalog"), f.box_id).expect("again");
    let reader = again.reader().expect("reader");
    let kassa = stream("kassa");
    assert_eq!(
        reader.segments(&kassa, span(0, 1)).expect("query"),
        std::slice::from_ref(&row)
    );
    assert_eq!(
        reader.last_segment(&kassa).expect("query"),
        Some(row.clone())
    );
    let json = serde_json::to_string(&row).expect("json");
    assert_eq!(
        serde_json::from_str::<SegmentRow>(&json).expect("json"),
        row
    );
    assert_eq!(
        reader.sample_entry(f.entry.hash).expect("query"),
        Some(f.entry.clone())
    );
    assert_eq!(reader.volumes().expect("query").len(), 1);
    assert_eq!(reader.streams().expect("query")[0].stream, kassa);
    assert_eq!(
        reader.open_runs().expect("query")[0].started,
        row.start,
        "made with its segment"
    );
    let events = reader.events(0, 10).expect("query");
    assert_eq!(events[0].event, event("segment-closed"));
    assert!(reader.events(events[0].seq, 10).expect("query").is_empty());
    sound(&reader);
}

#[test]
fn a_commit_writes_all_or_nothing_and_takes_no_other_with_it() {
    let f = Fixture::new();
    let row = f.row(0, SECOND);
    let mut stray = f.row(SECOND, 2 * SECOND);
    stray.volume = VolumeId::random();
    let answers: Vec<_> = [
        (vec![closed(row.clone())], "good"),
        (
            vec![closed(f.row(5 * SECOND, 6 * SECOND)), closed(row.clone())],
            "twice",
        ),
        (vec![closed(stray)], "stray"),
        (vec![closed(f.row(9, 3))], "backwards"),
        (vec![closed(f.row(SECOND, 2 * SECOND))], "good too"),
    ]
    .into_iter()
    .map(|(changes, name)| f.catalog.commit_pending(changes, event(name)))
    .collect();
    let kinds: Vec<_> = answers.into_iter().map(|p| kind(p.wait())).collect();
    assert_eq!(
        kinds,
        [
            None,
            Some(Kind::Exists),
            Some(Kind::NotFound),
            Some(Kind::Invalid),
            None
        ]
    );
    let reader = f.reader();
    let written: Vec<_> = reader.events(0, 10).expect("query");
    let written: Vec<_> = written.iter().map(|e| e.event.action.as_str()).collect();
    assert_eq!(written, ["good", "good too"]);
    assert_eq!(reader.totals(&stream("kassa")).expect("query").segments, 2);
    sound(&reader);
}

#[test]
fn later_commits_are_answered_once_each() {
    let f = Fixture::new();
    let (send, answers) = channel();
    for n in 0..3000 {
        let send = send.clone();
        let done = Box::new(move |result| send.send(result).expect("listening"));
        let row = f.row(n * SECOND, (n + 1) * SECOND);
        f.catalog.commit_later(closed(row), None, done);
    }
    drop(send);
    let answers: Vec<Result<()>> = answers.iter().collect();
    assert_eq!(answers.len(), 3000);
    let good = answers.iter().filter(|r| r.is_ok()).count() as u64;
    assert!(answers.iter().all(|r| {
        r.as_ref()
            .map_or_else(|e| e.kind() == Kind::Full, |()| true)
    }));
    let reader = f.reader();
    assert_eq!(
        reader.totals(&stream("kassa")).expect("query").segments,
        good
    );
    sound(&reader);
}

#[test]
fn a_stream_has_one_open_gap_and_none_without_length() {
    let f = Fixture::new();
    let kassa = stream("kassa");
    f.commit(gap_closed(0)).expect("nothing is open");
    f.commit(gap_opened(0, GapCause::Stalled, "first"))
        .expect("open");
    f.commit(gap_opened(5, GapCause::Refused, "401"))
        .expect("open");
    let first = GapRow {
        stream: kassa.clone(),
        start: T0,
        end: None,
        cause: GapCause::Stalled,
        detail: Some("401".to_owned()),
    };
    let reader = f.reader();
    assert_eq!(reader.open_gap(&kassa).expect("query"), Some(first.clone()));
    let now = T0.plus_us(10);
    assert_eq!(
        reader.gaps(&kassa, span(3, 4), now).expect("query"),
        std::slice::from_ref(&first)
    );
    assert_eq!(reader.gaps(&kassa, span(10, 14), now).expect("query"), []);
    assert_eq!(reader.last_end(&kassa).expect("query"), None);
    f.commit(gap_closed(10)).expect("close");
    assert_eq!(reader.open_gap(&kassa).expect("query"), None);
    assert_eq!(reader.last_end(&kassa).expect("query"), Some(now));
    for end in [20, 19] {
        f.commit(gap_opened(20, GapCause::Stalled, "none"))
            .expect("open");
        f.commit(gap_closed(end)).expect("close");
    }
    let closed = GapRow {
        end: Some(now),
        ..first
    };
    assert_eq!(
        reader
            .gaps(&kassa, span(0, HOUR), T0.plus_us(HOUR))
            .expect("query"),
        [closed]
    );
    f.segment(30, 40);
    assert_eq!(
        reader.last_end(&kassa).expect("query"),
        Some(T0.plus_us(40))
    );
    sound(&reader);
}

#[test]
fn every_cause_is_known_to_the_schema() {
    let f = Fixture::new();
    let kassa = stream("kassa");
    for (n, cause) in (0..).zip(GapCause::ALL) {
        f.commit(Change::GapRecorded {
            stream: kassa.clone(),
            span: span(n, n + 1),
            cause: *cause,
            detail: None,
        })
        .expect("cause");
    }
    let gaps = f.reader().gaps(&kassa, span(0, HOUR), T0).expect("query");
    let causes: Vec<_> = gaps.iter().map(|gap| gap.cause).collect();
    assert_eq!(causes, GapCause::ALL);
}

#[test]
fn hours_are_split_and_counted_back() {
    let f = Fixture::new();
    let kassa = stream("kassa");
    let id = f.segment(HOUR - 10 * SECOND, HOUR + 20 * SECOND);
    f.segment(HOUR + 20 * SECOND, HOUR + 80 * SECOND);
    let reader = f.reader();
    let hours = || -> Vec<_> {
        let rows = reader.hours(std::slice::from_ref(&kassa), span(0, 3 * HOUR));
        let rows = rows.expect("query");
        rows.iter()
            .map(|row| (row.hour.us_since(T0), row.recorded_us))
            .collect()
    };
    assert_eq!(hours(), [(0, 10_000_000), (HOUR, 80_000_000)]);
    f.commit(Change::SegmentRemoved(id)).expect("removed");
    assert_eq!(hours(), [(HOUR, 60_000_000)]);
    assert_eq!(
        kind(f.commit(Change::SegmentRemoved(id))),
        Some(Kind::NotFound)
    );
    sound(&reader);
}

#[test]
fn segments_are_found_by_time_and_by_volume() {
    let f = Fixture::new();
    let kassa = stream("kassa");
    let ids: Vec<_> = (0..5)
        .map(|n| f.segment(n * 60 * SECOND, (n + 1) * 60 * SECOND))
        .collect();
    let reader = f.reader();
    let found = reader
        .segments(&kassa, span(60 * SECOND, 121 * SECOND))
        .expect("query");
    let found: Vec<_> = found.iter().map(|row| row.segment).collect();
    assert_eq!(found, ids[1..3]);
    let mut paged = Vec::new();
    let mut after = None;
    loop {
        let page = reader.all_segments(f.volume, after, 2).expect("query");
        paged.extend(page.rows.iter().map(|row| row.segment));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(paged, ids);
    f.commit(Change::SegmentRemoved(ids[0])).expect("removed");
    f.commit(Change::SegmentRemoved(ids[4])).expect("removed");
    let last = reader.last_segment(&kassa).expect("query").expect("some");
    assert_eq!(last.segment, ids[3]);
    let totals = Totals {
        segments: 3,
        bytes: 90_000_000,
        oldest: Some(T0.plus_us(60 * SECOND)),
        newest: Some(T0.plus_us(240 * SECOND)),
    };
    assert_eq!(reader.totals(&kassa).expect("query"), totals);
    assert_eq!(reader.oldest(&kassa).expect("query"), totals.oldest);
    assert_eq!(
        reader.totals(&stream("unknown")).expect("query"),
        Totals::default()
    );
    sound(&reader);
}

#[test]
fn activity_is_merged_within_its_hour() {
    let f = Fixture::new();
    let put = |from_second, values: &[u8]| {
        f.commit(Change::Activity {
            stream: stream("kassa"),
            hour_start: T0,
            from_second,
            values: values.to_vec(),
        })
    };
    put(2, &[1, 2]).expect("first");
    put(3, &[9, 9]).expect("over it");
    put(0, &[7]).expect("before it");
    assert_eq!(kind(put(3599, &[1, 2])), Some(Kind::Invalid));
    let reader = f.reader();
    let hours = reader
        .activity(&stream("kassa"), span(5, 6))
        .expect("query");
    assert_eq!(hours.len(), 1);
    assert_eq!(
        (hours[0].hour, &hours[0].values[..]),
        (T0, &[7, 0, 1, 9, 9][..])
    );
    let next = reader
        .activity(&stream("kassa"), span(HOUR, 2 * HOUR))
        .expect("query");
    assert!(next.is_empty());
}

#[test]
fn activity_says_nothing_of_when_a_stream_became_known() {
    let f = Fixture::new();
    let (stream, at) = (stream("aisle"), T0.plus_us(1_800_000_000));
    f.commit(Change::StreamSeen {
        stream: stream.clone(),
        at,
    })
    .expect("seen");
    f.commit(Change::Activity {
        stream,
        hour_start: T0,
        from_second: 1800,
        values: vec![1],
    })
    .expect("activity");
    let rows = f.reader().streams().expect("query");
    assert_eq!(rows[0].first_seen, at);
}

#[test]
fn persons_generations_and_wraps_are_kept() {
    let f = Fixture::new();
    let (anna, old, new) = (
        PersonId::random(),
        GenerationId::random(),
        GenerationId::random(),
    );
    let person = |person: PersonId| {
        Change::from(PeopleChange::Keys {
            person,
            name: "anna".to_owned(),
            row: "{}".to_owned(),
        })
    };
    let generation = |generation, at: i64| Change::GenerationAdded {
        generation,
        recipient: format!("age1{generation}"),
        created: T0.plus_us(at),
    };
    let wrap = |generation, person| Change::WrapAdded {
        generation,
        person,
        bytes: b"sealed".to_vec(),
    };
    let changes = vec![
        person(anna),
        generation(old, 0),
        wrap(old, Some(anna)),
        wrap(old, None),
        generation(new, 1),
        wrap(new, Some(anna)),
    ];
    f.catalog
        .commit(changes, event("person-added"))
        .expect("all");
    let reader = f.reader();
    assert_eq!(
        reader.person("anna").expect("query").expect("anna").person,
        anna
    );
    assert_eq!(reader.persons().expect("query").len(), 1);
    assert_eq!(reader.generations().expect("query").len(), 2);
    let current = reader.current_generation().expect("query").expect("some");
    assert_eq!(current.generation, new);
    assert_eq!(reader.wraps(anna).expect("query").len(), 2);
    assert!(reader.wrap(old, anna).expect("query").is_some());
    assert!(reader.wrap_for_recovery(old).expect("query").is_some());
    assert!(reader.wrap_for_recovery(new).expect("query").is_none());
    assert_eq!(kind(f.commit(wrap(old, None))), Some(Kind::Exists));
    assert_eq!(
        kind(f.commit(wrap(GenerationId::random(), None))),
        Some(Kind::NotFound)
    );
    let another = f.commit(person(PersonId::random()));
    assert_eq!(kind(another), Some(Kind::Exists), "the name is taken");
    sound(&reader);
}

#[test]
fn a_run_that_goes_on_is_open_again_and_its_first_end_stands() {
    let f = Fixture::new();
    let run = RunId::random();
    let end = |us: i64, cause: &str| Change::RunEnded {
        run,
        at: T0.plus_us(us),
        cause: cause.to_owned(),
    };
    assert_eq!(kind(f.commit(end(1, "early"))), Some(Kind::NotFound));
    let start = Change::RunStarted {
        run,
        stream: stream("ovi"),
        at: T0,
    };
    f.commit(start.clone()).expect("start");
    f.commit(end(3, "write-error")).expect("end");
    // The session went on after all.
    f.commit(start).expect("goes on");
    assert_eq!(f.reader().open_runs().expect("query").len(), 1);
    f.commit(end(5, "stalled")).expect("end");
    f.commit(end(9, "again")).expect("nothing");
    let row = f.reader().run(run).expect("query").expect("some");
    assert_eq!(
        (row.ended, row.end_cause.as_deref()),
        (Some(T0.plus_us(5)), Some("stalled"))
    );
}
