//! The closed network: in a network namespace of its own, with a way out that leads nowhere and counts, the recorder records,
//! is signed in to, plays back and stops, and sends not one packet there; what it is connected to is its camera alone.

use crate::support::{TestBox, camera, must, now, server, with_own_network};
use std::collections::BTreeSet;
use std::fs;
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::path::Path;

const WAY_OUT: &str = "way-out";

/// A way out as a box in a badly closed network has one: a default route to somebody who never answers.
fn make_way_out() {
    let ip = |words: &str, last: &str| {
        let words: Vec<_> = words.split(' ').collect();
        must("ip", &words, Path::new(last))
    };
    // What the kernel itself would say to neighbours is not the recorder's.
    fs::write("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1").expect("a namespace of our own");
    ip("link add way-out type veth peer name", "nowhere");
    ip("address add 10.99.0.1/24 dev", WAY_OUT);
    ip("link set nowhere", "up");
    ip("link set way-out", "up");
    ip(
        "neighbour add 10.99.0.2 lladdr 02:00:00:00:00:01 nud permanent dev",
        WAY_OUT,
    );
    ip("route add default via 10.99.0.2 dev", WAY_OUT);
}

/// Packets that were sent there.
fn sent_out() -> u64 {
    let table = fs::read_to_string("/proc/self/net/dev").expect("the interfaces");
    let line = table
        .lines()
        .find_map(|line| line.trim().strip_prefix(WAY_OUT)?.strip_prefix(':'));
    let columns: Vec<_> = line.expect("the way out").split_whitespace().collect();
    columns[9].parse().expect("a number")
}

/// Remote ends of all TCP and UDP sockets in this namespace, but for those that only listen.
fn peers() -> BTreeSet<SocketAddrV4> {
    let mut peers = BTreeSet::new();
    for table in ["tcp", "udp"] {
        let text = fs::read_to_string(format!("/proc/self/net/{table}")).expect("sockets");
        for line in text.lines().skip(1) {
            let remote = line.split_whitespace().nth(2).expect("a remote end");
            let (ip, port) = remote.split_once(':').expect("address and port");
            let ip = u32::from_str_radix(ip, 16)
                .expect("an address")
                .swap_bytes();
            let port = u16::from_str_radix(port, 16).expect("a port");
            if port != 0 {
                peers.insert(SocketAddrV4::new(Ipv4Addr::from(ip), port));
            }
        }
    }
    peers
}

#[test]
fn nothing_is_connected_to_but_cameras() {
    with_own_network("web::closed::nothing_is_connected_to_but_cameras", || {
        make_way_out();
        let probe = UdpSocket::bind("0.0.0.0:0").expect("a socket");
        let before = sent_out();
        probe.send_to(b"x", "192.0.2.1:9").expect("it has a route");
        assert_eq!(sent_out(), before + 1, "the way out counts");
        drop(probe);

        let (mut shop, server) = (TestBox::new(), server());
        server.add("/till/main", camera("till.264"));
        shop.add_camera("till", server.address(), &[]);
        // One that is not there, so that it is looked for again and again.
        shop.add_camera("ovi", "127.0.0.2:9".parse().expect("an address"), &[]);
        shop.serve();
        let (began, quiet) = (now(), sent_out());
        shop.start();
        shop.wait_for_pictures(&["till/main"], 60);
        let client = shop.controller();
        let open = client.open(
            &["till"],
            &began.rfc3339(),
            &began.plus_us(60_000_000).rfc3339(),
        );
        assert!(open["playback"].is_string(), "{open}");
        let seen = peers();
        let camera = server.address().to_string();
        assert!(
            seen.iter().any(|peer| peer.to_string() == camera),
            "{seen:?}"
        );
        let outside: Vec<_> = seen.iter().filter(|p| !p.ip().is_loopback()).collect();
        assert!(outside.is_empty(), "{outside:?}");
        assert!(
            shop.run(&["doctor"]).stdout.contains("route"),
            "doctor tells of the way out"
        );
        shop.stop();
        assert_eq!(sent_out(), quiet, "packets left the house");
    });
}
