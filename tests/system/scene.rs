//! A box with two volumes: camera `till` is recorded to a small file system of its own, camera `ovi` to the first volume.
//! Whatever happens to the small one, `ovi` loses nothing, and of `till` every picture is recorded or in a gap with the
//! right cause.

use crate::eyes::{kept, open_gap, wait, wait_for_sent};
use crate::support::{TestBox, camera, fill, now, server, span, tmpfs};
use sinetti::base::hash::Digest;
use sinetti::base::time::Wall;
use sinetti::catalog::GapCause;
use sinetti::recorder::board::Phase;
use sinetti_simulator::{Camera, CameraHandle, Server};
use std::fs;
use std::path::{Path, PathBuf};

/// The small file system: the reserve of 0.1 GiB, what must be free above it before recording begins again, and room.
const SMALL: &str = "size=256m";
/// What was sent less than this before the stop may have been under way.
const UNDER_WAY_US: i64 = 500_000;
/// Pictures so near to an end of a gap may be on either side of it: when they were sent is not quite when they were taken.
const EDGE_US: i64 = 150_000;

/// A box whose camera `till` is recorded to a small file system of its own and whose camera `ovi` is recorded to the first
/// volume. Each has a server, so that one can go away alone.
pub(crate) struct Scene {
    pub(crate) shop: TestBox,
    pub(crate) small: PathBuf,
    pub(crate) till: CameraHandle,
    pub(crate) till_server: Server,
    ovi: CameraHandle,
    _ovi_server: Server,
}

impl Scene {
    /// Recording, the small volume on a tmpfs.
    pub(crate) fn recording() -> Scene {
        let mount = |small: &Path| tmpfs(SMALL, small);
        Scene::recording_on(mount, camera("till.264"), "segment_secs = 10")
    }

    /// Recording, the small volume on what `mount` mounts; `keys` are those under `[recorder]`.
    pub(crate) fn recording_on(mount: impl FnOnce(&Path), till: Camera, keys: &str) -> Scene {
        let mut scene = Scene::ready(mount, till, keys);
        scene.shop.start();
        let streams = ["till/main", "ovi/main"];
        scene.shop.wait_for_pictures(&streams, 30);
        scene
    }

    /// The same before the recorder is started.
    pub(crate) fn ready(mount: impl FnOnce(&Path), till: Camera, keys: &str) -> Scene {
        let shop = TestBox::new();
        shop.set_recorder(keys);
        let small = shop.path("small");
        fs::create_dir(&small).expect("a folder");
        mount(&small);
        let path = small.to_string_lossy().into_owned();
        let named = ["volume", "add", &path, "--name", "small"];
        let given = ["--reserve-gib", "0.1", "--dedicated"];
        shop.run(&[&named[..], &given].concat()).ok();
        let (till_server, ovi_server) = (server(), server());
        let till = till_server.add("/till/main", till);
        let ovi = ovi_server.add("/ovi/main", camera("door.264"));
        shop.add_camera("till", till_server.address(), &["--volume", "small"]);
        shop.add_camera("ovi", ovi_server.address(), &[]);
        Scene {
            shop,
            small,
            till,
            till_server,
            ovi,
            _ovi_server: ovi_server,
        }
    }

    /// Takes all the room there is but so many bytes.
    pub(crate) fn fill(&self, but: u64) {
        fill(&self.small, but);
    }

    pub(crate) fn make_room(&self) {
        fs::remove_file(self.small.join("ballast")).expect("removes");
    }

    #[track_caller]
    pub(crate) fn wait_for_gap(&mut self, cause: GapCause) {
        wait(&mut self.shop, cause.as_str(), |shop| {
            open_gap(shop, "till/main").is_some_and(|gap| gap.cause == cause)
        });
        assert_eq!(self.shop.line("till/main").phase, Phase::Trouble);
        assert_eq!(self.shop.run(&["status"]).code, 1);
    }

    #[track_caller]
    pub(crate) fn wait_until_it_records(&mut self) {
        wait(&mut self.shop, "the gap is over", |shop| {
            open_gap(shop, "till/main").is_none()
        });
        self.shop.wait("it records again", |status| {
            status.streams["till/main"].phase == Phase::Recording
        });
    }

    /// Stops it, and after another life of the recorder everything is in order: the gap has its cause, nothing else was
    /// lost, of the other camera nothing at all.
    pub(crate) fn all_is_in_order(&mut self, cause: GapCause) {
        let before = [(self.till.clone(), self.till.counters().access_units)];
        wait_for_sent(&mut self.shop, &before, 20);
        let asked_to_stop = now();
        self.shop.stop();
        // What could not be closed while the disk refused is adopted.
        self.shop.start();
        self.shop.stop();
        self.shop.check(true);
        self.the_gap_is_told(cause, asked_to_stop);
        self.ovi_lost_nothing(asked_to_stop);
    }

    /// Of the camera on the first volume every picture is there that was sent before the stop, and nothing interrupted it.
    pub(crate) fn ovi_lost_nothing(&self, asked_to_stop: Wall) {
        let until = asked_to_stop.plus_us(-UNDER_WAY_US);
        let listed = self.shop.ls("ovi/main");
        let kept = kept(&self.ovi, &listed, 1, until);
        assert!(kept.recorded >= kept.sent_before, "ovi: {kept:?}");
        assert_eq!(self.ovi.counters().access_units_dropped, 0);
        let gaps = &listed.footage.coverage.gaps;
        let interrupted = gaps
            .iter()
            .filter(|gap| gap.cause != GapCause::NotStarted)
            .find(|gap| gap.span.start < until);
        assert_eq!(interrupted, None, "ovi");
    }

    fn the_gap_is_told(&self, cause: GapCause, asked_to_stop: Wall) {
        let listed = self.shop.ls("till/main");
        let coverage = &listed.footage.coverage;
        assert_eq!(coverage.unknown, [], "till");
        let until = asked_to_stop.plus_us(-UNDER_WAY_US);
        let gaps = coverage.gaps.iter().filter(|gap| gap.span.start < until);
        let causes: Vec<_> = gaps.map(|gap| gap.cause).collect();
        assert!(causes.contains(&cause), "{coverage:?}");
        let expected = [
            GapCause::NotStarted,
            cause,
            GapCause::CameraClosed,
            GapCause::ConnectFailed,
        ];
        assert!(causes.iter().all(|c| expected.contains(c)), "{coverage:?}");
        let segments = &listed.footage.segments;
        // What a crash of the disk cut short had named more than was found.
        let (last, links) = segments.split_last().expect("segments");
        for (before, row) in links.iter().zip(&segments[1..]) {
            let is_next = row.previous_root == before.content_root;
            assert!(
                is_next || before.recovered,
                "{} after {}",
                row.start,
                before.start
            );
        }
        assert_eq!(segments[0].previous_root, Digest::ZERO);
        let whole = span(coverage.recorded[0].start, last.end);
        let exported = self.shop.export("till/main", whole, "clip.mp4");
        let pictures: usize = exported.clips.iter().map(|clip| clip.pictures).sum();
        let recorded: usize = segments.iter().map(|row| row.samples as usize).sum();
        assert_eq!(pictures, recorded);
        self.gaps_have_the_right_ends(whole.start, until);
    }

    /// Every picture that was sent outside of gaps is recorded, and none that was sent within.
    fn gaps_have_the_right_ends(&self, from: Wall, until: Wall) {
        let listed = self.shop.ls("till/main");
        let gaps = &listed.footage.coverage.gaps;
        let within = |at: Wall, margin: i64| {
            let is_in = |gap: &sinetti::catalog::CoverageGap| {
                at >= gap.span.start.plus_us(-margin) && at < gap.span.end.plus_us(margin)
            };
            gaps.iter().any(is_in)
        };
        let sent = self
            .till
            .sent()
            .into_iter()
            .map(|sent| Wall::from(sent.wall));
        let sent: Vec<_> = sent.filter(|at| *at >= from && *at < until).collect();
        let outside = |margin| sent.iter().filter(|at| !within(**at, margin)).count();
        let (least, most) = (outside(EDGE_US), outside(-EDGE_US));
        let rows = &listed.footage.segments;
        let recorded: usize = rows.iter().map(|row| row.samples as usize).sum();
        // What was under way at the stop, and what came after it.
        let after = usize::try_from(UNDER_WAY_US / 1_000_000 * 15 + 30).expect("small");
        assert!(
            (least..=most + after).contains(&recorded),
            "recorded {recorded}, sent outside of gaps {least} to {most}: {gaps:?}"
        );
    }
}
