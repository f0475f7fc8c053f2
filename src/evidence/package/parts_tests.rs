//! The parts of a package as other people's programs see them.

use std::cell::Cell;
use std::io::Read;
use std::process::Command;

use super::*;
use crate::base::time::Wall;
use crate::vault::generation;
use crate::vault::identity::Identity;
use crate::vault::parcel;

/// Small parts: three files of 40 KiB go into three, and what is short with them.
const PART_BYTES: u64 = 64 << 10;
const PASSPHRASE: &str = "seitsemän sinistä siniettiä";

struct Made {
    dir: tempfile::TempDir,
    zips: Vec<PathBuf>,
    files: Vec<(String, Vec<u8>)>,
    wrote: u64,
}

fn files() -> Vec<(String, Vec<u8>)> {
    let byte = |n: u32| u8::try_from(n & 0xff).expect("a byte");
    let long = |seed: u32| (0..40_000).map(|n| byte((n * seed) >> 3)).collect();
    vec![
        ("kassa-1_20261025T033000+0300.mp4".to_owned(), long(7)),
        ("kassa-1_20261025T033000+0200.mp4".to_owned(), long(11)),
        ("kassa-2_20261025T033000+0200.mp4".to_owned(), long(13)),
        ("manifest.json".to_owned(), b"{}\n".to_vec()),
        ("contents.txt".to_owned(), Vec::new()),
    ]
}

/// Makes parts, names them, and opens them again as a download does.
fn made(passphrase: Option<&str>) -> Made {
    let dir = tempfile::tempdir().expect("a folder");
    let recovery = Identity::generate();
    let now = Wall::from_secs(1_795_449_600);
    let generation = generation::create_for_recovery(&recovery.recipient(), now).expect("made");
    let parcel = || Parcel::new(&generation.generation, &recovery.recipient());
    let passphrase = passphrase.map(|text| Zeroizing::new(text.to_owned()));
    let wrote = Cell::new(0);
    let options = Options {
        dir: dir.path().to_owned(),
        folder: "2026-0042".to_owned(),
        passphrase: passphrase.as_ref(),
        time: [2026, 11, 23, 13, 15, 0],
        part_bytes_max: PART_BYTES,
        parcel: Box::new(parcel),
        wrote: Box::new(|bytes| {
            wrote.set(wrote.get() + bytes);
            Ok(())
        }),
    };
    let files = files();
    let mut parts = Parts::new(options);
    for (name, bytes) in &files {
        parts.begin(name, bytes.len() as u64).expect("begins");
        for piece in bytes.chunks(7000) {
            parts.append(&mut [IoSlice::new(piece)]).expect("writes");
        }
        parts.end().expect("ends");
    }
    let there = std::fs::read_dir(dir.path()).expect("a folder").count();
    assert_eq!(there, 0, "nothing has a name before everything is there");
    let done = parts.finish().expect("finished");
    let of = done.len();
    let mut zips = Vec::new();
    for (part, number) in done.into_iter().zip(1..) {
        let (slot, sha256, bytes) = (part.slot, part.sha256, part.bytes);
        let sealed = dir.path().join(format!("1-{number}.age"));
        part.name(&sealed).expect("named");
        let at_rest = std::fs::read(&sealed).expect("reads");
        for (_, clear) in files.iter().filter(|(_, bytes)| bytes.len() > 64) {
            let piece = &clear[1000..1032];
            assert!(!at_rest.windows(32).any(|w| w == piece), "clear at rest");
        }
        let key = parcel::wrapped(&slot)
            .expect("a slot")
            .open(&recovery)
            .expect("opens");
        let file = std::fs::File::open(&sealed).expect("opens");
        let mut zip = Vec::new();
        parcel::open(&key, file)
            .expect("opens")
            .read_to_end(&mut zip)
            .expect("reads");
        assert_eq!((zip.len() as u64, Digest::sha256(&[&zip])), (bytes, sha256));
        assert!(bytes <= PART_BYTES, "{bytes}");
        let path = dir.path().join(name("2026-0042", (number, of)));
        disk::create(&path, &zip, FILE_MODE).expect("written");
        zips.push(path);
    }
    Made {
        dir,
        zips,
        files,
        wrote: wrote.get(),
    }
}

/// Runs a program that `scripts/test` installs, which must be content.
fn peer(program: &str, args: &[&str], made: &Made, zip: &Path) {
    let out = made.dir.path().join(format!("out-{program}"));
    disk::create_dir_all(&out, 0o700).expect("a folder");
    let out_arg = format!("-o{}", out.display());
    let args = args.iter().map(|arg| match *arg {
        "ZIP" => zip.to_str().expect("text"),
        "OUT" => out.to_str().expect("text"),
        "-oOUT" => &out_arg,
        other => other,
    });
    let said = Command::new(program).args(args).output();
    let said = said.unwrap_or_else(|e| panic!("{program}: {e}"));
    assert!(said.status.success(), "{program}: {said:?}");
}

fn unpacked(made: &Made, program: &str) {
    let out = made.dir.path().join(format!("out-{program}/2026-0042"));
    for (name, bytes) in &made.files {
        let found =
            std::fs::read(out.join(name)).unwrap_or_else(|e| panic!("{program}: {name}: {e}"));
        assert_eq!(&found, bytes, "{program}: {name}");
    }
}

#[test]
fn others_unpack_the_parts_to_one_folder() {
    let made = made(None);
    assert_eq!(made.zips.len(), 3);
    assert!(made.zips[1].ends_with("2026-0042_2-of-3.zip"));
    let all: u64 = made.files.iter().map(|(_, bytes)| bytes.len() as u64).sum();
    assert_eq!(made.wrote, all);
    let python = "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; z.extractall(sys.argv[2])";
    for (program, test, extract) in [
        (
            "unzip",
            &["-tq", "ZIP"][..],
            &["-q", "-o", "ZIP", "-d", "OUT"][..],
        ),
        ("python3", &["-c", "0"], &["-c", python, "ZIP", "OUT"]),
        ("bsdtar", &["-tf", "ZIP"], &["-xf", "ZIP", "-C", "OUT"]),
        ("7zz", &["t", "ZIP"], &["x", "-y", "-oOUT", "ZIP"]),
    ] {
        for zip in &made.zips {
            peer(program, test, &made, zip);
            peer(program, extract, &made, zip);
        }
        unpacked(&made, program);
    }
}

#[test]
fn with_a_passphrase_nothing_opens_without_it() {
    let made = made(Some(PASSPHRASE));
    let with = format!("-p{PASSPHRASE}");
    for zip in &made.zips {
        let bytes = std::fs::read(zip).expect("reads");
        assert!(
            !bytes
                .windows(PASSPHRASE.len())
                .any(|w| w == PASSPHRASE.as_bytes())
        );
        for (_, clear) in made.files.iter().filter(|(_, bytes)| bytes.len() > 64) {
            assert!(!bytes.windows(32).any(|w| w == &clear[1000..1032]));
        }
        // AE-2: no checksum of what is inside.
        let mut archive =
            zip::ZipArchive::new(std::fs::File::open(zip).expect("opens")).expect("a ZIP");
        for index in 0..archive.len() {
            assert_eq!(archive.by_index_raw(index).expect("an entry").crc32(), 0);
        }
        let mut entry = archive
            .by_index_decrypt(0, PASSPHRASE.as_bytes())
            .expect("opens");
        let mut clear = Vec::new();
        entry.read_to_end(&mut clear).expect("whole");
        let name = entry.name().expect("text").into_owned();
        drop(entry);
        let (_, expected) = made
            .files
            .iter()
            .find(|(n, _)| name.ends_with(n))
            .expect("ours");
        assert_eq!(&clear, expected);
        assert!(archive.by_index_decrypt(0, b"another").is_err());
        peer("7zz", &["t", &with, "ZIP"], &made, zip);
        peer("7zz", &["x", "-y", &with, "-oOUT", "ZIP"], &made, zip);
    }
    unpacked(&made, "7zz");
}

#[test]
fn somebody_who_wants_it_to_stop_is_heard_and_nothing_is_left() {
    let dir = tempfile::tempdir().expect("a folder");
    let recovery = Identity::generate().recipient();
    let made =
        generation::create_for_recovery(&recovery, Wall::from_secs(1_795_449_600)).expect("made");
    let parcel = || Parcel::new(&made.generation, &recovery);
    let mut parts = Parts::new(Options {
        dir: dir.path().to_owned(),
        folder: "2026-0042".to_owned(),
        passphrase: None,
        time: [2026, 11, 23, 13, 15, 0],
        part_bytes_max: PART_BYTES_MAX,
        parcel: Box::new(parcel),
        wrote: Box::new(|_| Err(Error::new(Kind::Busy, "cancelled"))),
    });
    parts.begin("kassa-1.mp4", 5).expect("begins");
    let stopped = parts
        .append(&mut [IoSlice::new(b"12345")])
        .expect_err("cancelled");
    assert_eq!(stopped.kind(), Kind::Busy);
    drop(parts);
    assert_eq!(std::fs::read_dir(dir.path()).expect("a folder").count(), 0);
    assert!(PART_BYTES_MAX < u64::from(u32::MAX));
}
