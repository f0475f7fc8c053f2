//! `/metrics` and `/healthz` on loopback.

use crate::support::{TestBox, camera, read, server};
use std::io::Write;
use std::net::TcpStream;

#[test]
fn metrics_and_health_are_told_in_the_clear_on_loopback() {
    let (mut shop, server) = (TestBox::new(), server());
    server.add("/till/main", camera("till-sub.264"));
    shop.add_camera("till", server.address(), &[]);
    shop.serve();
    shop.start();
    shop.wait_for_pictures(&["till/main"], 15);
    let address = shop.address("metrics on http://");
    let get = |path: &str| {
        let mut socket = TcpStream::connect(address).expect("connects");
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        socket.write_all(request.as_bytes()).expect("written");
        read(socket)
    };
    let health = get("/healthz").expect(200);
    assert_eq!(health.json()["status"], "ok");
    let metrics = get("/metrics").expect(200);
    assert!(metrics.headers["content-type"].starts_with("text/plain; version=0.0.4"));
    let text = String::from_utf8(metrics.body).expect("UTF-8");
    for line in [
        "sinetti_stream_recording{stream=\"till/main\"} 1",
        "sinetti_deletion_troubles 0",
        "sinetti_connections 0",
        "# TYPE sinetti_stream_pictures_total counter",
    ] {
        assert!(text.lines().any(|l| l == line), "{line} is not in\n{text}");
    }
    // Each family is announced once, before its samples, and every sample has a number.
    let mut known = std::collections::BTreeSet::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let name = rest.split(' ').next().expect("a name");
            assert!(known.insert(name.to_owned()), "{name} is announced twice");
        } else if !line.starts_with('#') {
            let name: String = line.chars().take_while(|c| !"{ ".contains(*c)).collect();
            assert!(known.contains(&name), "{line}");
            let value = line.rsplit(' ').next().expect("a value");
            assert!(value.parse::<f64>().is_ok(), "{line}");
        }
    }
    get("/api/v1/session").expect(404);
}
