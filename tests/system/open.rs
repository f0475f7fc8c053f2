//! Footage is opened without a person's account: by an independent reader given the segment's key, by the steps of
//! `docs/recovery.md`, and by `sinetti open`.

use crate::support::{Packet, Ran, TestBox, camera, packets, python, ran, server};
use std::path::{Path, PathBuf};
use std::process::Command;

const PAGE: &str = include_str!("../../docs/recovery.md");

/// The blocks of the page in a language, in order.
fn blocks(language: &str) -> Vec<&'static str> {
    let opening = format!("\n```{language}\n");
    let rests = PAGE.split(opening.as_str()).skip(1);
    rests
        .map(|rest| rest.split("\n```\n").next().expect("a block ends"))
        .collect()
}

/// A box with a few seconds of an open-GOP camera and of one without B-frames, stopped.
fn recorded() -> TestBox {
    let (mut shop, server) = (TestBox::new(), server());
    for (id, file) in [("till", "till.264"), ("open-gop", "till-h265.265")] {
        server.add(&format!("/{id}/main"), camera(file));
        shop.add_camera(id, server.address(), &[]);
    }
    shop.start();
    shop.wait_for_pictures(&["till/main", "open-gop/main"], 60);
    shop.stop();
    shop
}

fn only_segment(shop: &TestBox, stream: &str) -> PathBuf {
    let mut files = shop.segment_files(stream);
    assert_eq!(files.len(), 1, "{files:?}");
    files.remove(0)
}

fn share(shop: &TestBox, n: usize) -> String {
    let text = std::fs::read_to_string(&shop.shares[n - 1]).expect("a share");
    text.trim().to_owned()
}

/// A step of the page, in a folder of its own, with the variables that the page asks for.
fn step(folder: &Path, shop: &TestBox, segment: &Path, command: &mut Command) -> String {
    let command = command
        .current_dir(folder)
        .env("VOLUME", &shop.volume)
        .env("SEGMENT", segment)
        .env("SHARE1", share(shop, 3))
        .env("SHARE2", share(shop, 1));
    ran(command).ok()
}

/// Bytes and order of pictures, without their times.
fn pictures(packets: &[Packet]) -> Vec<(&str, bool)> {
    packets
        .iter()
        .map(|packet| (packet.hash.as_str(), packet.is_key()))
        .collect()
}

/// Presentation times from the first picture on, in units of `1 / per_second`, as ticks.
fn times(packets: &[Packet]) -> Vec<i64> {
    packets
        .iter()
        .map(|packet| packet.pts - packets[0].pts)
        .collect()
}

#[test]
fn the_steps_of_the_recovery_page_lead_to_the_same_pictures() {
    let shop = recorded();
    for stream in ["till/main", "open-gop/main"] {
        let segment = only_segment(&shop, stream);
        let folder = shop.path(&stream.replace('/', "-"));
        std::fs::create_dir(&folder).expect("a folder");
        for block in blocks("sh") {
            step(
                &folder,
                &shop,
                &segment,
                Command::new("sh").args(["-c", block]),
            );
        }
        let key = std::fs::read_to_string(folder.join("key.hex")).expect("a key");
        assert_eq!(key.trim().len(), 32);
        // FFmpeg 8, by PyAV, reads the sealed segment with that key: it shares nothing with our reader.
        for block in blocks("python") {
            std::fs::write(folder.join("open.py"), block).expect("writes");
            step(
                &folder,
                &shop,
                &segment,
                Command::new(python()).arg("open.py"),
            );
        }
        let listed = shop.ls(stream);
        let span = listed.footage.coverage.recorded[0];
        let ours = shop.export(stream, span, &format!("{}.mp4", stream.replace('/', "-")));
        let ours = packets(&ours.clips[0].path);
        let theirs = packets(&folder.join("out.mp4"));
        assert_eq!(pictures(&theirs), pictures(&ours), "{stream}");
        assert_eq!(times(&theirs), times(&ours), "{stream}");
    }
}

fn open(shop: &TestBox, segment: &Path, shares: &[&Path], output: &str) -> Ran {
    let mut open = shop.command(&["open"]);
    open.arg(segment);
    for share in shares {
        open.arg("--recovery").arg(share);
    }
    ran(open.arg("-o").arg(shop.path(output)))
}

#[test]
fn two_shares_open_a_segment_and_fewer_or_others_do_not() {
    let shop = recorded();
    let segment = only_segment(&shop, "till/main");
    let [first, second, third] = shop.shares.each_ref().map(PathBuf::as_path);
    // As typed from paper: lower case, spaces for hyphens.
    let typed = shop.secret("typed", &share(&shop, 2).to_lowercase().replace('-', " "));
    for (name, shares) in [("a.mp4", [first, third]), ("b.mp4", [&typed, first])] {
        let said = open(&shop, &segment, &shares, name).ok();
        assert!(said.contains("SHA-256"), "{said}");
    }
    let span = shop.ls("till/main").footage.coverage.recorded[0];
    let ours = shop.export("till/main", span, "ours.mp4").clips.remove(0);
    let read = |path: &Path| std::fs::read(path).expect("reads");
    for name in ["a.mp4", "b.mp4"] {
        assert!(
            read(&shop.path(name)) == read(&ours.path),
            "{name} is the same clip"
        );
    }
    let other = TestBox::new();
    let typo = shop.secret("typo", &share(&shop, 2).replace("SINETTI1-2", "SINETTI1-3"));
    let words = shop.secret("words", "hei\n");
    let nothing = shop.path("nothing");
    for (shares, wanted) in [
        (vec![first], "share"),
        (vec![second, second], "two different"),
        (vec![first, &typo], "mistyped"),
        (vec![first, &words], "share"),
        (vec![first, other.shares[1].as_path()], "box"),
        (
            vec![other.shares[0].as_path(), other.shares[1].as_path()],
            "of another recovery key",
        ),
        (vec![first, &nothing], "nothing"),
    ] {
        let said = open(&shop, &segment, &shares, "c.mp4").error();
        assert!(said.contains(wanted), "{wanted:?} is not in {said:?}");
        assert!(
            !shop.path("c.mp4").exists() && !said.contains(&share(&shop, 1)),
            "{said}"
        );
    }
    // On the box that took its place the disk of a broken one is opened all the same.
    let mut elsewhere = other.command(&["open"]);
    elsewhere.arg(&segment).arg("--recovery").arg(second);
    elsewhere
        .arg("--recovery")
        .arg(third)
        .arg("-o")
        .arg(shop.path("d.mp4"));
    ran(&mut elsewhere).ok();
    assert!(
        read(&shop.path("d.mp4")) == read(&ours.path),
        "the same clip"
    );
    // Moved away from its volume, the segment has no key; and nothing that is there is overwritten.
    let away = shop.path("away.mp4");
    std::fs::copy(&segment, &away).expect("copies");
    let said = open(&shop, &away, &[first, second], "c.mp4").error();
    assert!(said.contains("lies on no footage volume"), "{said}");
    let said = open(&shop, &segment, &[first, second], "a.mp4").error();
    assert!(said.contains("exists already"), "{said}");
}

#[test]
fn a_flipped_bit_is_found_and_named() {
    let shop = recorded();
    let segment = only_segment(&shop, "till/main");
    let mut bytes = std::fs::read(&segment).expect("reads");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&segment, bytes).expect("writes");
    let checked = shop.run(&["check", "--deep"]);
    let name = segment
        .file_name()
        .expect("a name")
        .to_string_lossy()
        .into_owned();
    assert_eq!(checked.code, 1, "{checked:?}");
    assert!(
        checked.stdout.contains(&name) && checked.stdout.contains("1 finding"),
        "{checked:?}"
    );
    let span = shop.ls("till/main").footage.coverage.recorded[0];
    let said = shop
        .try_export(
            "till/main",
            &span.start.rfc3339(),
            &span.end.rfc3339(),
            "clip.mp4",
        )
        .error();
    assert!(said.contains("clip.mp4"), "{said}");
    let left: Vec<_> = std::fs::read_dir(shop.path(""))
        .expect("lists")
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    assert!(
        !left
            .iter()
            .any(|name| name.to_string_lossy().contains("clip")),
        "{left:?}"
    );
}
