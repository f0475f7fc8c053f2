//! A copy for viewing of H.265: every picture of what was approved and none besides, named as a copy; where there is none, why.

use std::path::Path;

use serde_json::Value;
use sinetti::base::error::Kind;
use sinetti::base::time::{Span, Wall};
use sinetti::decode::Program;
use sinetti::evidence::package::make::Wanted;
use sinetti::evidence::package::manifest::Manifest;

use crate::exact::wanted;
use crate::footage::{Stream, program};
use crate::plant::Own;
use crate::players::ffmpeg;
use crate::scenes::{Take, Told, at, groups, packed, record};

/// Footage over midnight UTC and over borders of segments.
const START: &str = "2026-11-23T23:59:57Z";

/// A box with ten groups of pictures of `footage`; what is packed of it are all but the first two and the last two.
fn recorded(footage: &Stream) -> (Own, Vec<Wanted>, Span) {
    let own = Own::new();
    let take = Take {
        footage,
        groups: 0..10,
        start: at(START),
        new_run: true,
    };
    record(&own, "kassa-1/main", &[take]);
    let all = groups(footage);
    let time = |group: usize| {
        let lasts = all[..group].concat().iter().map(|s| s.duration.0).sum();
        at(START).plus_ticks(sinetti::base::time::Ticks(lasts))
    };
    let given = Span {
        start: time(2),
        end: time(8),
    };
    let mut main = wanted(&own, "kassa-1/main", given);
    main.copied = true;
    (own, vec![main], given)
}

fn names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).expect("a folder");
    let mut names: Vec<_> = entries
        .map(|e| e.expect("a file").file_name().into_string().expect("text"))
        .collect();
    names.sort();
    names
}

fn time(value: &Value) -> Wall {
    Wall::parse_rfc3339(value.as_str().expect("a time")).expect("a time")
}

#[test]
fn the_copy_has_the_pictures_of_what_was_given_and_says_what_it_is() {
    let footage = Stream::of("till-h265.265");
    let (own, wanted, given) = recorded(&footage);
    let (dir, told) = (tempfile::tempdir().expect("a folder"), Told::default());
    let manifest = packed(own, wanted, dir.path(), (&program(), &told)).expect("packed");
    let files = manifest["files"].as_array().expect("files");
    let [original, copy] = &files[..] else {
        panic!("an original and its copy: {files:?}");
    };
    let name = original["name"].as_str().expect("a name");
    let of_copy = name.replace(".mp4", "_viewing.mp4");
    assert_eq!(copy["name"], of_copy);
    assert_eq!(names(dir.path()), [name, &of_copy]);
    let pictures: usize = groups(&footage)[2..8].iter().map(|g| g.len()).sum();
    assert_eq!(original["pictures"], pictures);
    assert_eq!(
        (&copy["codec"], &copy["viewing"], &copy["coded_from"]),
        (&"h264".into(), &true.into(), &original["name"])
    );
    // All of it that can be shown, and nothing besides.
    let lacks = original["undecodable_leading"].as_u64().expect("a number");
    let pictures = pictures - usize::try_from(lacks).expect("few");
    assert_eq!(copy["pictures"], pictures);
    assert_eq!(
        ffmpeg(&dir.path().join(copy["name"].as_str().expect("a name"))),
        pictures
    );
    assert!(time(&copy["span"]["start"]) >= given.start, "{copy}");
    assert!(time(&copy["span"]["end"]) <= given.end, "{copy}");
    assert_eq!(copy["span"]["start"], original["span"]["start"]);
    // What went in was counted, to the last byte.
    assert!(told.all.get() > 0);
    assert_eq!(told.all, told.done);

    // Whoever names it the copy of something else is found out.
    let sound: Manifest = serde_json::from_value(manifest.clone()).expect("a manifest");
    assert!(sound.copies_belong());
    for of in ["kassa-2_20261124T020000+0200.mp4", of_copy.as_str()] {
        let mut other = sound.clone();
        other.files[1].coded_from = Some(of.to_owned());
        assert!(!other.copies_belong(), "{of}");
    }
    let mut other = sound;
    other.files[1].viewing = false;
    assert!(!other.copies_belong());
}

#[test]
fn without_a_copy_the_original_says_why() {
    let mut garbage = Stream::of("till-h265.265");
    let good = Stream::of("till-h265.265");
    for sample in &mut garbage.samples {
        let bytes = u32::try_from(sample.data.len() - 4).expect("small");
        sample.data.fill(0x5a);
        sample.data[..4].copy_from_slice(&bytes.to_be_bytes());
    }
    let missing = Program::at("/nowhere/sinetti-codec");
    for (footage, program, why) in [
        (&good, missing, "no-coder"),
        (&garbage, program(), "not-coded"),
    ] {
        let (own, wanted, _) = recorded(footage);
        let dir = tempfile::tempdir().expect("a folder");
        let with = (&program, &Told::default());
        let manifest = packed(own, wanted, dir.path(), with).expect("packed");
        let files = manifest["files"].as_array().expect("files");
        assert_eq!((files.len(), &files[0]["no_viewing"]), (1, &why.into()));
        assert_eq!(names(dir.path()).len(), 1);
    }
    // What is in H.264 needs none.
    let (own, wanted, _) = recorded(&Stream::of("till.264"));
    let dir = tempfile::tempdir().expect("a folder");
    let with = (&program(), &Told::default());
    let manifest = packed(own, wanted, dir.path(), with).expect("packed");
    assert_eq!(manifest["files"].as_array().map(Vec::len), Some(1));
    assert!(
        manifest["files"][0].get("no_viewing").is_none(),
        "{manifest}"
    );
}

#[test]
fn it_can_be_cancelled_while_a_copy_is_coded() {
    let (own, wanted, _) = recorded(&Stream::of("till-h265.265"));
    let dir = tempfile::tempdir().expect("a folder");
    let told = Told {
        stop_at: Some(100_000),
        ..Told::default()
    };
    let ended = packed(own, wanted, dir.path(), (&program(), &told));
    let e = ended.expect_err("it was cancelled");
    assert_eq!(e.kind(), Kind::Busy, "{e}");
    assert!(e.to_string().contains("cancelled"), "{e}");
    assert!(told.done < told.all);
    let is_copy = |name: &String| name.contains("_viewing");
    assert!(!names(dir.path()).iter().any(is_copy));
}
