//! Cameras that mean harm, on the real binary: what they send without end costs them their session and nobody else
//! anything; memory stays within its bound, the cause is told, and recording comes back when they behave.

use crate::support::{TestBox, assert_unbroken, camera, footage, packets, sent_hashes, server};
use sinetti::catalog::GapCause;
use sinetti_simulator::{CameraHandle, Fault, Flood, Server};
use std::fs;

/// What all sessions together may hold, in MiB; the least that can be set.
const RECEIVE_MIB: u64 = 64;
/// What everything else takes here, a few cameras and the catalog, and what lies twice while a buffer grows, in MiB.
const REST_MIB: u64 = 256;

/// A box with an honest camera.
struct Shop {
    shop: TestBox,
    /// Its own server, so that what the others send delays only the recorder.
    _server: Server,
    till: CameraHandle,
}

impl Shop {
    fn new() -> Shop {
        let (shop, server) = (TestBox::new(), server());
        shop.set_recorder(&format!("receive_mib = {RECEIVE_MIB}\nstall_secs = 60"));
        let till = server.add("/till/main", camera("till.264"));
        shop.add_camera("till", server.address(), &[]);
        Shop {
            shop,
            _server: server,
            till,
        }
    }

    /// Memory of the recorder in MiB: `VmRSS`, what is resident now, or `VmHWM`, the most that ever was.
    fn memory_mib(&mut self, which: &str) -> u64 {
        let id = self.shop.recorder().id();
        let status = fs::read_to_string(format!("/proc/{id}/status")).expect("it runs");
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(which)?.strip_prefix(':'));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
        kib.and_then(|kib| kib.parse::<u64>().ok()).expect("a size") / 1024
    }

    /// Each of `streams` has that trouble: so many times, with those words.
    fn wait_for_trouble(&mut self, streams: &[&str], times: u32, words: &[&str]) {
        self.shop.wait("the trouble is told", |status| {
            streams.iter().all(|stream| {
                let line = &status.streams[*stream];
                let error = line.last_error.as_deref().unwrap_or_default();
                line.interruptions >= times && words.iter().any(|words| error.contains(words))
            })
        });
    }

    /// Memory stayed within its bound; the honest camera lost nothing; the others have a gap with the cause.
    fn assert_nothing_happened(mut self, streams: &[&str]) {
        let (most, now) = (self.memory_mib("VmHWM"), self.memory_mib("VmRSS"));
        assert!(most < RECEIVE_MIB + REST_MIB, "{most} MiB were resident");
        assert!(now < REST_MIB / 3, "{now} MiB were not handed back");
        let pictures = self.shop.line("till/main").units;
        self.shop.wait_for_pictures(&["till/main"], pictures + 30);
        let (_, log) = self.shop.stop();
        // Each trouble is logged when it begins, and its end.
        let lines = log.lines().count();
        assert!(lines < 12 + 6 * streams.len(), "{lines} lines:\n{log}");
        self.shop.check(true);
        for stream in streams {
            let gaps = self.shop.ls(stream).footage.coverage.gaps;
            let gap = gaps.iter().find(|gap| gap.cause == GapCause::Protocol);
            let detail = gap.and_then(|gap| gap.detail.clone());
            assert!(detail.is_some(), "{stream}: {gaps:?}");
        }
        assert_eq!(self.till.counters().sessions_opened, 1);
        let listed = self.shop.ls("till/main");
        let [whole] = listed.footage.coverage.recorded[..] else {
            panic!("one span: {:?}", listed.footage.coverage);
        };
        let exported = self.shop.export("till/main", whole, "till.mp4");
        assert_eq!((exported.clips.len(), exported.packets_lost), (1, 0));
        let from = assert_unbroken(
            &packets(&exported.clips[0].path),
            &sent_hashes(&self.till.sent()),
        );
        assert_eq!(from, 0, "from the first picture on");
    }
}

#[test]
fn what_never_ends_before_the_stream_begins_costs_a_few_megabytes() {
    let mut shop = Shop::new();
    let hostile = server();
    let faults = [
        ("headers", "DESCRIBE", Flood::Headers),
        ("header-line", "DESCRIBE", Flood::HeaderLine),
        ("description", "DESCRIBE", Flood::Description),
        ("setup", "SETUP", Flood::Headers),
        ("play", "PLAY", Flood::HeaderLine),
    ];
    let cameras = faults.map(|(id, method, flood)| {
        let handle = hostile.add(&format!("/{id}/main"), camera("aisle.264"));
        shop.shop.add_camera(id, hostile.address(), &[]);
        let method = method.to_owned();
        handle.fault(Fault::Flood { method, flood });
        handle
    });
    let streams = faults.map(|(id, ..)| format!("{id}/main"));
    let streams = streams.each_ref().map(String::as_str);
    shop.shop.start();
    shop.wait_for_trouble(
        &streams,
        3,
        &["more than 2 MiB came before the stream began"],
    );
    for handle in &cameras {
        assert!(handle.counters().flood_bytes > 3 << 20);
        handle.clear();
    }
    shop.shop.wait_for_pictures(&streams, 15);
    shop.assert_nothing_happened(&streams);
}

#[test]
fn what_never_ends_in_a_stream_costs_no_more_than_its_bound() {
    let mut shop = Shop::new();
    let hostile = server();
    let faults = [
        ("unit", Fault::EndlessAccessUnit(8 << 20)),
        ("headers", playing(Flood::Headers)),
        ("header-line", playing(Flood::HeaderLine)),
    ];
    let cameras = faults.clone().map(|(id, _)| {
        let handle = hostile.add(&format!("/{id}/main"), camera("aisle.264"));
        shop.shop.add_camera(id, hostile.address(), &[]);
        handle
    });
    let streams = faults.each_ref().map(|(id, _)| format!("{id}/main"));
    let streams = streams.each_ref().map(String::as_str);
    shop.shop.start();
    shop.shop.wait_for_pictures(&streams, 15);
    for (handle, (_, fault)) in cameras.iter().zip(faults) {
        handle.fault(fault);
    }
    let words = [
        "more than 48 MiB came without a whole picture",
        "receive_mib",
    ];
    shop.wait_for_trouble(&streams, 2, &words);
    for handle in &cameras {
        handle.clear();
    }
    let before = streams.map(|stream| shop.shop.line(stream).units);
    for (stream, units) in streams.iter().zip(before) {
        shop.shop.wait_for_pictures(&[stream], units + 15);
    }
    shop.assert_nothing_happened(&streams);
}

fn playing(flood: Flood) -> Fault {
    let method = "PLAYING".to_owned();
    Fault::Flood { method, flood }
}

#[test]
fn ten_thousand_parameter_changes_make_no_flood_of_segments() {
    let mut shop = Shop::new();
    let hostile = server();
    let handle = hostile.add("/fickle/main", camera("till.264"));
    shop.shop.add_camera("fickle", hostile.address(), &[]);
    shop.shop.start();
    shop.shop.wait_for_pictures(&["fickle/main"], 15);
    handle.fault(Fault::ParameterChanges {
        count: 2500,
        other: footage("till-sub.264"),
    });
    shop.wait_for_trouble(
        &["fickle/main"],
        4,
        &["changed its parameter sets more than"],
    );
    let sent = handle.counters().parameter_changes;
    assert!(sent >= 10_000, "{sent}");
    handle.clear();
    let before = shop.shop.line("fickle/main").units;
    shop.shop.wait_for_pictures(&["fickle/main"], before + 15);
    let closed = shop.shop.line("fickle/main").segments;
    assert!(closed < 50, "{closed} segments of {sent} changes");
    shop.assert_nothing_happened(&["fickle/main"]);
}
