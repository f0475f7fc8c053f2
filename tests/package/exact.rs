//! Access units go into a package as they were recorded: over borders of segments, a restart, a gap, other parameters, both half past
//! threes of the last Sunday of October, and midnight UTC; and none from outside of what was approved.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::IoSlice;
use std::rc::Rc;
use std::sync::Arc;

use sinetti::base::error::Result;
use sinetti::base::hash::Digest;
use sinetti::base::id::RunId;
use sinetti::base::time::{Span, Ticks};
use sinetti::base::zone::Zone;
use sinetti::evidence::find::Places;
use sinetti::evidence::keys::KeyRing;
use sinetti::evidence::package::make::{self, About, Wanted};
use sinetti::evidence::package::manifest::Absent;
use sinetti::evidence::package::order;
use sinetti::evidence::package::shelf::Shelf;
use sinetti::evidence::select;
use sinetti::media::access_unit::{SampleEntry, VISUAL_ENTRY_BYTES};
use sinetti::media::boxes::{put_box, put_u32s};
use sinetti::media::header::{ClockState, Losses};
use sinetti::media::segment::Sample;
use sinetti::recorder::fragment::{Fragment, What};

use crate::plant::{Own, SECOND, stream};
use crate::scenes::at;

/// Two pictures a second, four in a group, in fragments of two.
const PICTURE: Ticks = Ticks(45_000);
const GROUP: i64 = 2 * SECOND;

/// A group of pictures as it was recorded.
struct Group {
    span: Span,
    pictures: Vec<Vec<u8>>,
}

/// An unbroken piece of recording.
struct Take {
    start: &'static str,
    groups: i64,
    /// Another session than the piece before.
    new_run: bool,
    /// Which parameters.
    level: u8,
    /// A segment ends after so many groups.
    cut_every: i64,
}

fn entry(level: u8) -> SampleEntry {
    let mut out = Vec::new();
    put_box(&mut out, b"avc1", |out| {
        let start = out.len();
        let size = 1920 << 16 | 1080;
        put_u32s(out, &[0, 1, 0, 0, 0, 0, size, 0x48_0000, 0x48_0000]);
        out.resize(start + VISUAL_ENTRY_BYTES, 0);
        let record = [
            1, 0x64, 0, level, 0xff, 0xe1, 0, 4, 0x67, 0x64, 0, level, 1, 0, 2, 0x68, 0xee,
        ];
        put_box(out, b"avcC", |out| out.extend_from_slice(&record));
    });
    SampleEntry::parse(&out).expect("a good entry")
}

/// Records `takes` of one stream and tells what was recorded.
fn record(own: &Own, name: &str, takes: &[Take]) -> Vec<Group> {
    let (mut orders, mut groups) = (Vec::new(), Vec::new());
    let (mut run, mut dts) = (RunId::random(), Ticks(0));
    for take in takes {
        if take.new_run {
            (run, dts) = (RunId::random(), Ticks(0));
        }
        for n in 0..take.groups {
            let start = at(take.start).plus_us(n * GROUP);
            let picture = |i: i64| {
                let what = format!("{name} {start} {i}");
                let size = usize::try_from(60 + 7 * i + n % 5).expect("small");
                let word = Digest::sha256(&[what.as_bytes()]).0;
                word.iter().copied().cycle().take(size).collect::<Vec<u8>>()
            };
            let pictures: Vec<_> = (0..4).map(picture).collect();
            for half in 0..2_i64 {
                let of_half = usize::try_from(2 * half).expect("small");
                let first = start.plus_us(half * SECOND);
                let samples: Vec<_> = (0..2_i64)
                    .map(|i| Sample {
                        data: pictures[of_half + usize::from(i == 1)].clone(),
                        dts: dts + Ticks(PICTURE.0 * (2 * half + i)),
                        pts: dts + Ticks(PICTURE.0 * (2 * half + i)),
                        duration: PICTURE,
                        is_key: half == 0 && i == 0,
                    })
                    .collect();
                orders.push(What::Fragment(Box::new(Fragment {
                    run,
                    entry: Arc::new(entry(take.level)),
                    cut: half == 0 && n % take.cut_every == 0,
                    doubts_before: false,
                    starts_with_key: half == 0,
                    start: first,
                    end: first.plus_us(SECOND),
                    first_dts: dts + Ticks(PICTURE.0 * 2 * half),
                    bytes: samples.iter().map(|s| s.data.len() as u64).sum(),
                    samples,
                    losses: Losses::default(),
                    clock: ClockState::default(),
                    activity: Vec::new(),
                })));
            }
            let end = start.plus_us(GROUP);
            let span = Span { start, end };
            groups.push(Group { span, pictures });
            dts = dts + Ticks(4 * PICTURE.0);
        }
    }
    own.plant.order(name, orders.into_iter());
    groups
}

/// Keeps files in memory.
struct Memory {
    files: Rc<RefCell<BTreeMap<String, Vec<u8>>>>,
    name: String,
    bytes_max: u64,
}

impl Shelf for Memory {
    fn file_bytes_max(&self) -> u64 {
        self.bytes_max
    }

    fn begin(&mut self, name: &str, bytes: u64) -> Result<()> {
        assert!(bytes <= self.bytes_max, "{name} has {bytes} bytes");
        name.clone_into(&mut self.name);
        self.files.borrow_mut().insert(name.to_owned(), Vec::new());
        Ok(())
    }

    fn append(&mut self, slices: &mut [IoSlice<'_>]) -> Result<()> {
        let mut files = self.files.borrow_mut();
        let file = files.get_mut(&self.name).expect("begun");
        slices
            .iter()
            .for_each(|slice| file.extend_from_slice(slice));
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        Ok(())
    }
}

/// What of a stream is packed when `given` was approved.
pub(crate) fn wanted(own: &Own, name: &str, given: Span) -> Wanted {
    let reader = own.plant.reader();
    let (volumes, id) = (reader.volumes().expect("volumes"), stream(name));
    let rows = reader.segments(&id, given).expect("segments");
    let mut places = Places::new(own.plant.state.box_id, &volumes);
    let sources = rows.iter().map(|row| places.closed(row).expect("there"));
    let selection = select::select(sources.collect(), given).expect("selected");
    let coverage = reader.coverage(&id, given, given.end).expect("coverage");
    Wanted {
        stream: id,
        name: name.to_owned(),
        asked: given,
        given: Some(given),
        viewing: false,
        copied: false,
        selection: order::within(selection, given),
        absent: Absent::of(&coverage),
        rows,
    }
}

pub(crate) fn about(own: &Own) -> About {
    About {
        box_id: own.plant.state.box_id,
        epoch: 1,
        site: "Myymälä 1".to_owned(),
        zone: Zone::named("Europe/Helsinki").expect("a zone"),
        configuration: Digest::ZERO,
        purpose: "crime-prevention".to_owned(),
        intent: None,
        disclosure: None,
        made: at("2026-11-24T12:00:00Z"),
    }
}

/// The payloads of a stream's clips, one after the other, by the clips' times; and the names.
fn packed(
    own: Own,
    wanted: Vec<Wanted>,
    bytes_max: u64,
) -> (BTreeMap<String, Vec<Vec<u8>>>, Vec<String>) {
    let files = Rc::<RefCell<BTreeMap<String, Vec<u8>>>>::default();
    let shelf = Memory {
        files: Rc::clone(&files),
        name: String::new(),
        bytes_max,
    };
    let (about, signer) = (about(&own), own.plant.state.signer().expect("a key"));
    let keys = KeyRing::of_recovery(own.recovery);
    let prepared = make::prepare(shelf, about, wanted, (&keys, &signer), None).expect("prepared");
    let (mut payloads, mut names) = (BTreeMap::<_, Vec<_>>::new(), Vec::new());
    for clip in prepared.clips() {
        let name = clip.path.to_str().expect("text").to_owned();
        let bytes = files.borrow()[&name].clone();
        assert_eq!(bytes.len() as u64, clip.bytes);
        let mdat = bytes
            .windows(8)
            .position(|w| w == b"\0\0\0\x01mdat")
            .expect("mdat");
        let camera = name.split('_').next().expect("a camera").to_owned();
        payloads
            .entry(camera)
            .or_default()
            .push(bytes[mdat + 16..].to_vec());
        names.push(name);
    }
    (payloads, names)
}

fn pictures<'a>(groups: impl IntoIterator<Item = &'a Group>) -> Vec<u8> {
    groups
        .into_iter()
        .flat_map(|g| g.pictures.concat())
        .collect()
}

fn inside(groups: &[Group], given: Span) -> Vec<&Group> {
    let is_inside = |group: &&Group| group.span.start >= given.start && group.span.end <= given.end;
    groups.iter().filter(is_inside).collect()
}

fn take(start: &'static str, groups: i64, new_run: bool, level: u8) -> Take {
    Take {
        start,
        groups,
        new_run,
        level,
        cut_every: 3,
    }
}

/// Cameras, what is recorded of each, and what of it is given.
fn scenes() -> Vec<(&'static str, Vec<Take>, (&'static str, &'static str))> {
    vec![
        (
            // Over midnight UTC and borders of segments; it begins and ends within a segment.
            "kassa-1",
            vec![take("2026-11-23T23:59:50Z", 12, true, 40)],
            ("2026-11-23T23:59:52Z", "2026-11-24T00:00:12Z"),
        ),
        (
            // 03:30 twice.
            "kassa-2",
            vec![
                take("2026-10-25T00:30:00Z", 4, true, 40),
                take("2026-10-25T01:30:00Z", 4, true, 40),
            ],
            ("2026-10-25T00:30:00Z", "2026-10-25T01:30:08Z"),
        ),
        (
            // A restart with a gap.
            "kassa-3",
            vec![
                take("2026-11-23T15:00:00Z", 5, true, 40),
                take("2026-11-23T15:00:17Z", 5, true, 40),
            ],
            ("2026-11-23T15:00:02Z", "2026-11-23T15:00:25Z"),
        ),
        (
            // Other parameters within a session.
            "kassa-4",
            vec![
                take("2026-11-23T16:00:00Z", 3, true, 40),
                take("2026-11-23T16:00:06Z", 3, false, 41),
            ],
            ("2026-11-23T16:00:02Z", "2026-11-23T16:00:10Z"),
        ),
    ]
}

#[test]
fn the_access_units_are_those_recorded_inside_what_was_given() {
    let own = Own::new();
    let (mut all, mut expected) = (Vec::new(), BTreeMap::new());
    for (camera, takes, (start, end)) in scenes() {
        let name = format!("{camera}/main");
        let groups = record(&own, &name, &takes);
        let given = Span {
            start: at(start),
            end: at(end),
        };
        let of_camera = inside(&groups, given);
        assert!(!of_camera.is_empty() && of_camera.len() <= groups.len());
        expected.insert(camera.to_owned(), pictures(of_camera));
        all.push(wanted(&own, &name, given));
    }
    own.plant.check();
    let (payloads, names) = packed(own, all, 1 << 20);
    for (camera, expected) in &expected {
        let found = payloads[camera].concat();
        assert_eq!(&found, expected, "{camera}: {names:?}");
    }
    let clips: Vec<_> = payloads.values().map(Vec::len).collect();
    assert_eq!(clips, [1, 2, 2, 2], "{names:?}");
    for name in [
        "kassa-1_20261124T015952+0200.mp4",
        "kassa-2_20261025T033000+0300.mp4",
        "kassa-2_20261025T033000+0200.mp4",
    ] {
        assert!(names.iter().any(|n| n == name), "{name}: {names:?}");
    }
}

#[test]
fn nothing_before_and_nothing_after_what_was_given_whatever_was_asked_for() {
    // A start in the middle of a group is outside of what was snapped to whole groups: that group is not in it.
    for (start, end, first, last) in [
        ("2026-11-23T15:00:02Z", "2026-11-23T15:00:06Z", 1, 3),
        ("2026-11-23T15:00:03Z", "2026-11-23T15:00:06Z", 2, 3),
        ("2026-11-23T15:00:02Z", "2026-11-23T15:00:07.999Z", 1, 3),
        (
            "2026-11-23T15:00:02.000012Z",
            "2026-11-23T15:00:07.999988Z",
            1,
            4,
        ),
    ] {
        let own = Own::new();
        let groups = record(
            &own,
            "kassa-1/main",
            &[take("2026-11-23T15:00:00Z", 8, true, 40)],
        );
        let given = Span {
            start: at(start),
            end: at(end),
        };
        let all = vec![wanted(&own, "kassa-1/main", given)];
        let (payloads, _) = packed(own, all, 1 << 20);
        let found = payloads["kassa-1"].concat();
        assert_eq!(found, pictures(&groups[first..last]), "{start} to {end}");
    }
}

#[test]
fn a_long_clip_goes_on_in_the_next_file_at_a_key_frame() {
    let own = Own::new();
    let groups = record(
        &own,
        "kassa-1/main",
        &[take("2026-11-23T15:00:00Z", 40, true, 40)],
    );
    let given = Span {
        start: at("2026-11-23T15:00:00Z"),
        end: at("2026-11-23T15:01:20Z"),
    };
    let all = vec![wanted(&own, "kassa-1/main", given)];
    let (payloads, names) = packed(own, all, 10_000);
    let files = &payloads["kassa-1"];
    assert!(files.len() > 1, "{names:?}");
    assert_eq!(files.concat(), pictures(&groups));
    // Each begins with a whole group.
    let starts: Vec<_> = groups.iter().map(|g| g.pictures[0].clone()).collect();
    for file in files {
        assert!(starts.iter().any(|key| file.starts_with(key)));
    }
}
