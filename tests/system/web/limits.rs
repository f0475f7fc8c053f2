//! What a client can draw out: connections, slow heads, half-open sockets, huge bodies. Recording goes on through all of it.

use crate::support::{TestBox, camera, now, read, server};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// As in `src/http/gate.rs`.
const PER_ADDRESS_MAX: usize = 64;

fn recording() -> (TestBox, sinetti_simulator::Server) {
    let (mut shop, server) = (TestBox::new(), server());
    server.add("/till/main", camera("till-sub.264"));
    shop.add_camera("till", server.address(), &[]);
    shop.serve();
    shop.start();
    shop.wait_for_pictures(&["till/main"], 15);
    (shop, server)
}

/// Connects without a word.
fn silent(address: std::net::SocketAddr) -> TcpStream {
    let socket = TcpStream::connect(address).expect("connects");
    let patience = Some(Duration::from_secs(60));
    socket.set_read_timeout(patience).expect("a timeout");
    socket
}

#[test]
fn a_thousand_connections_of_one_address_are_bounded_and_given_up() {
    let (mut shop, _server) = recording();
    let client = shop.client();
    let mut sockets: Vec<_> = (0..1000).map(|_| silent(client.address)).collect();
    // Those beyond the bound are closed at once, the others when TLS does not come about.
    let mut closed_at_once = 0;
    for socket in &mut sockets[PER_ADDRESS_MAX..] {
        let end = socket.read(&mut [0; 16]);
        assert!(matches!(end, Ok(0) | Err(_)), "{end:?}");
        closed_at_once += 1;
    }
    assert_eq!(closed_at_once, 1000 - PER_ADDRESS_MAX);
    for socket in &mut sockets[..PER_ADDRESS_MAX] {
        assert!(matches!(socket.read(&mut [0; 16]), Ok(0) | Err(_)));
    }
    // There is room again, and nothing was lost meanwhile.
    assert_eq!(client.get("/api/v1/session").status, 401);
    let line = shop.line("till/main");
    assert_eq!((line.interruptions, line.last_error), (0, None));
}

#[test]
fn a_head_that_comes_drop_by_drop_ends() {
    let (mut shop, _server) = recording();
    let client = shop.client();
    let mut tls = client.connect();
    tls.write_all(b"GET /api/v1/session HTTP/1.1\r\n")
        .expect("written");
    let mut rest = Vec::new();
    // It ends by the server's patience, not by ours, which is twice as long.
    tls.read_to_end(&mut rest).ok();
    let text = String::from_utf8_lossy(&rest);
    assert!(
        rest.is_empty() || text.starts_with("HTTP/1.1 408"),
        "{text}"
    );
    assert_eq!(client.get("/api/v1/session").status, 401);
}

#[test]
fn bodies_without_end_and_heads_without_end_are_refused() {
    let (mut shop, _server) = recording();
    let client = shop.client();
    let head = client.head("POST", "/api/v1/session");
    for length in ["content-length: 100000000000", "transfer-encoding: chunked"] {
        let mut tls = client.connect();
        let request = format!("{head}content-type: application/json\r\n{length}\r\n\r\n");
        tls.write_all(request.as_bytes()).expect("written");
        // As much as it takes: far less than was announced.
        let chunk = format!("8000\r\n{}\r\n", " ".repeat(0x8000));
        let sent = (0..10_000)
            .take_while(|_| tls.write_all(chunk.as_bytes()).is_ok())
            .count();
        assert!(sent < 1000, "{sent} pieces were taken");
    }
    let mut tls = client.connect();
    let long = format!("{head}x-long: {}\r\n\r\n", "x".repeat(1 << 20));
    tls.write_all(long.as_bytes()).ok();
    let mut said = Vec::new();
    tls.read_to_end(&mut said).ok();
    let said = String::from_utf8_lossy(&said);
    assert!(
        said.is_empty() || said.starts_with("HTTP/1.1 431"),
        "{said}"
    );
    assert_eq!(client.get("/api/v1/session").status, 401);
    let line = shop.line("till/main");
    assert_eq!((line.interruptions, line.last_error), (0, None));
}

#[test]
fn premises_change_at_once_and_never_shut_out_the_box_itself() {
    let (mut shop, _server) = recording();
    let client = shop.client();
    shop.edit_config(|text| {
        text.replacen("[web]\n", "[web]\npremises = [\"192.168.77.0/24\"]\n", 1)
    });
    shop.recorder().wait_for_log("configuration: premises:");
    // The box itself always is on the premises: a slip can be mended.
    assert_eq!(client.get("/api/v1/session").status, 401);
}

#[test]
fn a_stop_ends_what_hangs_within_seconds() {
    let (mut shop, _server) = recording();
    let client = shop.client();
    let (_half, mut idle) = (silent(client.address), client.connect());
    idle.write_all(format!("{}\r\n", client.head("GET", "/api/v1/session")).as_bytes())
        .expect("written");
    let mut some = [0; 16];
    idle.read_exact(&mut some).expect("an answer");
    let (status, log) = shop.stop();
    assert!(status.success(), "{log}");
    shop.check(false);
}

/// A figure of `/metrics`.
fn figure(address: std::net::SocketAddr, name: &str) -> u64 {
    let mut socket = TcpStream::connect(address).expect("connects");
    let request = "GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    socket.write_all(request.as_bytes()).expect("written");
    let text = String::from_utf8(read(socket).expect(200).body).expect("UTF-8");
    let start = format!("{name} ");
    let line = text.lines().find_map(|line| line.strip_prefix(&start));
    let line = line.unwrap_or_else(|| panic!("no {name} in {text}"));
    line.trim().parse().expect("a number")
}

#[test]
fn a_client_that_stalls_while_it_is_sent_footage_is_let_go_and_leaves_nothing_behind() {
    let (mut shop, server) = (TestBox::new(), server());
    server.add("/till/main", camera("till.264"));
    shop.add_camera("till", server.address(), &[]);
    shop.serve();
    let began = now();
    shop.start();
    shop.wait_for_pictures(&["till/main"], 150);
    let metrics = shop.address("metrics on http://");
    let client = shop.controller();
    let text = |at: sinetti::base::time::Wall| {
        serde_json::to_string(&at).expect("a time").replace('"', "")
    };
    let open = client.open(&["till"], &text(began), &text(now()));
    let playback = open["playback"].as_str().expect("a name");
    let list = format!("/api/v1/playbacks/{playback}/till/main/groups");
    let page = client.get(&list).expect(200).json();
    let media = page["groups"][0]["media"].as_str().expect("a path");
    let bytes = client.get(media).expect(200).body.len() as u64;
    let before = figure(metrics, "sinetti_media_bytes_total");

    // More clients than one, each asking for far more than the kernel keeps, and taking none of it.
    let stalled: Vec<_> = (0..4)
        .map(|_| {
            let mut tls = client.connect();
            rustix::net::sockopt::set_socket_recv_buffer_size(&tls.sock, 4096).expect("small");
            let request = client.request("GET", media, None, "keep-alive");
            // A head buffer full of requests.
            for _ in 0..(16 << 10) / request.len() - 1 {
                tls.write_all(request.as_bytes()).expect("written");
            }
            (tls, (16 << 10) / request.len() as u64 - 1)
        })
        .collect();
    let asked: u64 = stalled.iter().map(|(_, requests)| requests * bytes).sum();
    let since = Instant::now();
    while figure(metrics, "sinetti_connections") < 4 {
        shop.recorder().pace();
    }
    let units = shop.line("till/main").units;
    while figure(metrics, "sinetti_connections") > 0 {
        assert!(
            since.elapsed() < Duration::from_secs(30),
            "they are not let go"
        );
        shop.recorder().pace();
    }
    // WRITE_MAX is 10 s, from when the kernel's buffers are full.
    assert!(
        since.elapsed() > Duration::from_secs(8),
        "{:?}",
        since.elapsed()
    );
    let sent = figure(metrics, "sinetti_media_bytes_total") - before;
    assert!(
        sent < asked / 2,
        "{sent} of {asked} bytes were made ready for nobody"
    );
    // What one takes again is there at once, and recording knew nothing of it.
    assert_eq!(client.get(media).expect(200).body.len() as u64, bytes);
    let line = shop.line("till/main");
    assert!(line.units > units + 100, "{line:?}");
    assert_eq!(
        (line.interruptions, line.packets_lost, line.last_error),
        (0, 0, None)
    );
    drop(stalled);
    shop.stop();
    shop.check(false);
}
