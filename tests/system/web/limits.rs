//! What a client can draw out: connections, slow heads, half-open sockets, huge bodies. Recording goes on through all of it.

use crate::support::{TestBox, camera, server};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

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
