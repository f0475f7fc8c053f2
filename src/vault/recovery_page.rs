//! Follows the shell steps of `docs/recovery.md` up to the segment's key, with Debian's `age` and
//! Python: what the page promises must stay true of the bytes that this module writes.

use std::process::{Command, Output};

use crate::base::id::{BoxId, PersonId, SegmentId};
use crate::base::secret::SegmentKey;
use crate::base::time::Wall;
use crate::vault::identity::Identity;
use crate::vault::{generation, shares, slot};

const PAGE: &str = include_str!("../../docs/recovery.md");
const KEY: [u8; 16] = *b"\x00\x01\x02\x03456789ab\xfc\xfd\xfe\xff";
const KEY_HEX: &str = "000102033435363738396162fcfdfeff";
const INDEX: usize = 7;

/// The `sh` blocks of the page, in order.
fn steps() -> Vec<&'static str> {
    PAGE.split("\n```sh\n")
        .skip(1)
        .map(|rest| rest.split("\n```\n").next().expect("a block ends"))
        .collect()
}

struct Scene {
    folder: tempfile::TempDir,
    recovery: Identity,
    shares: Vec<String>,
}

impl Scene {
    /// A volume with the keys of two cameras, and the beginning of a segment of the second.
    #[expect(clippy::disallowed_methods, reason = "a throw-away folder of a test")]
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let (person, recovery) = (Identity::generate(), Identity::generate());
        let made = generation::create(
            &[(PersonId::random(), &person.recipient())],
            &recovery.recipient(),
            Wall::from_secs(1_795_449_600),
        )
        .expect("generation");
        let segment = SegmentId::random();
        for (camera, id, key) in [
            ("kassa-1", SegmentId::random(), [9; 16]),
            ("ovi-2", segment, KEY),
        ] {
            let key = SegmentKey::from_bytes(key);
            let slot = slot::encode(id, &key, Some(&made.generation), &recovery.recipient());
            let mut keys = vec![0; INDEX * slot::SLOT_BYTES];
            keys.extend(slot.expect("slot"));
            let stream = folder
                .path()
                .join("a volume/keys")
                .join(camera)
                .join("main");
            std::fs::create_dir_all(&stream).expect("folder");
            std::fs::write(stream.join("20261123.keys"), keys).expect("keys");
        }
        let header =
            format!(r#"{{"camera":"ovi-2","key_slot":{{"day":"20261123","index":{INDEX}}}}}"#);
        let head = [
            b"....tenc".as_slice(),
            segment.bytes(),
            b"uuid",
            header.as_bytes(),
        ]
        .concat();
        std::fs::write(folder.path().join("a segment.mp4"), head).expect("segment");
        let shares = shares::split(&recovery, BoxId::random()).expect("splits");
        Self {
            folder,
            recovery,
            shares: shares.iter().map(|s| s.to_string()).collect(),
        }
    }

    fn run(&self, step: &str, first: usize, second: &str) -> Output {
        Command::new("sh")
            .args(["-c", step])
            .current_dir(self.folder.path())
            .env("VOLUME", self.folder.path().join("a volume"))
            .env("SEGMENT", self.folder.path().join("a segment.mp4"))
            .env("SHARE1", &self.shares[first])
            .env("SHARE2", second)
            .output()
            .expect("sh runs")
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).expect(name)
    }
}

#[test]
fn the_page_leads_from_two_shares_to_the_segments_key() {
    for (first, second) in [(0, 1), (2, 0), (1, 2)] {
        let scene = Scene::new();
        let mut printed = Vec::new();
        for step in steps() {
            let output = scene.run(step, first, &scene.shares[second]);
            assert!(output.status.success(), "{output:?}");
            printed.extend(output.stdout);
        }
        assert_eq!(scene.text("recovery.txt").trim(), *scene.recovery.to_text());
        assert_eq!(scene.text("key.hex"), KEY_HEX);
        let fingerprint = scene.recovery.recipient().fingerprint().replace(' ', "");
        assert_eq!(printed, [&fingerprint[..8], "\n"].concat().as_bytes());
        assert_eq!(scene.shares[0][20..28], fingerprint[..8]);
    }
}

#[test]
fn the_page_says_what_is_wrong_with_shares_and_slot() {
    let scene = Scene::new();
    let combine = steps()[0];
    let typo = scene.shares[1]
        .replace('-', " ")
        .replace("SINETTI1 2", "SINETTI1 3");
    let other = shares::split(&Identity::generate(), BoxId::random()).expect("splits");
    for (second, want) in [
        (typo.as_str(), "share 3: a digit is mistyped"),
        (&scene.shares[0], "both are share 1"),
        (&other[1], "different boxes"),
        ("hello", "begins with SINETTI1"),
        ("SINETTI1-2-00", "89 digits"),
    ] {
        let output = scene.run(combine, 0, second);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(want), "{said}");
    }
    // What `age` opens, the library opens too, and the other way round.
    assert!(shares::combine(&[&scene.shares[0], &scene.shares[2]]).is_ok());
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a throw-away folder of a test")]
fn the_page_says_when_a_key_was_destroyed_or_damaged() {
    let scene = Scene::new();
    let keys = scene
        .folder
        .path()
        .join("a volume/keys/ovi-2/main/20261123.keys");
    let cut = steps()[2];
    let whole = std::fs::read(&keys).expect("keys");
    let mut damaged = whole.clone();
    damaged[INDEX * slot::SLOT_BYTES + 100] ^= 1;
    for (bytes, want) in [
        (damaged, "is damaged (checksum)"),
        (vec![0; whole.len()], "the key was destroyed"),
        (
            whole[..INDEX * slot::SLOT_BYTES].to_vec(),
            "the key was destroyed",
        ),
    ] {
        std::fs::write(&keys, bytes).expect("keys");
        let output = scene.run(cut, 0, "");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(want), "{said}");
    }
}
