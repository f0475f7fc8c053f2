//! The listening sockets and the connections on them: TLS, HTTP/1.1, and a bound on everything a client could draw out.
//!
//! What does not belong here: what is answered.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use log::{debug, error, info};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use crate::base::error::{Context, Result};
use crate::base::shutdown::Stopped;
use crate::http::gate::{Gate, Place};
use crate::http::guarded::Guarded;
use crate::http::leftover;

/// Longest that TLS may take to come about.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// Longest that a client may take to send the head of a request, and to say nothing between two requests.
const HEAD_MAX: Duration = Duration::from_secs(30);
/// Longest that a client may take nothing of what it is sent.
const WRITE_MAX: Duration = Duration::from_secs(10);
/// Most headers of a request.
const HEADERS_MAX: usize = 64;
/// Buffer of a connection, and so the largest head, in bytes.
const BUFFER_BYTES: usize = 16 << 10;
/// Longest that requests under way are waited for when the server stops.
const GRACE: Duration = Duration::from_secs(3);
/// After an address could not be listened on, or a connection not be taken, it is tried again this much later.
const LISTEN_RETRY: Duration = Duration::from_secs(10);
const ACCEPT_RETRY: Duration = Duration::from_millis(100);
/// What the kernel keeps of what a client does not take, in bytes (it takes twice that for its own books). Left to itself it is
/// some megabytes a connection, which count as the service's memory.
const SEND_BYTES: usize = 256 << 10;
/// Idle connections are asked for a sign of life after so many seconds (then each tenth of it, three times).
const KEEPALIVE: Duration = Duration::from_secs(60);

/// Who is at the other end; part of every request.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Its address, in its canonical form.
    pub address: SocketAddr,
    /// Its place: whoever goes on with the connection after the request keeps a copy.
    pub place: Arc<Place>,
    /// Breaks the connection off at once, whatever is on its way: one permit is enough.
    pub cut: Arc<Notify>,
}

/// Says whether an address is on the premises now.
pub type Admits = Arc<dyn Fn(SocketAddr) -> bool + Send + Sync>;

/// What all connections of a listener share.
#[derive(Clone)]
pub struct Shared {
    /// Counts them.
    pub gate: Arc<Gate>,
    /// Who may connect.
    pub admits: Admits,
    /// What is answered.
    pub router: Router,
    /// `None`: in the clear, for loopback.
    pub tls: Option<TlsAcceptor>,
}

/// Listens on `address` until `stopped`, trying again while it cannot; `listening` is told the true address.
pub async fn listen(
    address: SocketAddr,
    shared: Shared,
    mut stopped: Stopped,
    listening: impl Fn(SocketAddr) + Send,
) {
    let mut told = false;
    let listener = loop {
        match TcpListener::bind(address).await {
            Ok(listener) => break listener,
            Err(e) => {
                if !std::mem::replace(&mut told, true) {
                    error!(
                        "{address} cannot be listened on, tried again every {} s: {e}",
                        LISTEN_RETRY.as_secs()
                    );
                }
                tokio::select! {
                    () = stopped.wait() => return,
                    () = tokio::time::sleep(LISTEN_RETRY) => {}
                }
            }
        }
    };
    listening(listener.local_addr().unwrap_or(address));
    loop {
        let accepted = tokio::select! {
            () = stopped.wait() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((socket, peer)) => admit(socket, peer, &shared, &stopped),
            Err(e) => {
                debug!("a connection could not be taken: {e}");
                tokio::time::sleep(ACCEPT_RETRY).await;
            }
        }
    }
}

fn admit(socket: TcpStream, peer: SocketAddr, shared: &Shared, stopped: &Stopped) {
    let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
    // Who is refused is let go without a byte: dropping the socket closes it.
    let Some(place) = shared.gate.enter(peer.ip(), (shared.admits)(peer)) else {
        return;
    };
    let peer = Peer {
        address: peer,
        place: Arc::new(place),
        cut: Arc::default(),
    };
    let (shared, stopped) = (shared.clone(), stopped.clone());
    tokio::spawn(async move {
        if let Err(e) = prepare(&socket) {
            debug!("{}: {e}", peer.address);
            return;
        }
        let Some(tls) = &shared.tls else {
            converse(socket, peer, shared.router, stopped).await;
            return;
        };
        match tokio::time::timeout(HANDSHAKE_MAX, tls.accept(socket)).await {
            Ok(Ok(stream)) => converse(stream, peer, shared.router, stopped).await,
            other => {
                shared.gate.no_tls.fetch_add(1, Ordering::Relaxed);
                let why = other.map_or_else(
                    |_| "it took too long".to_owned(),
                    |r| r.err().map_or_else(String::new, |e| e.to_string()),
                );
                debug!("{}: no TLS: {why}", peer.address);
            }
        }
    });
}

/// A peer that vanished is noticed although nothing is sent; one that takes nothing costs no more than [`SEND_BYTES`].
fn prepare(socket: &TcpStream) -> Result<()> {
    use rustix::net::sockopt;
    let what = || "setting up a connection";
    socket.set_nodelay(true).context(what)?;
    sockopt::set_socket_send_buffer_size(socket, SEND_BYTES).context(what)?;
    sockopt::set_socket_keepalive(socket, true).context(what)?;
    sockopt::set_tcp_keepidle(socket, KEEPALIVE).context(what)?;
    sockopt::set_tcp_keepintvl(socket, KEEPALIVE / 10).context(what)?;
    sockopt::set_tcp_keepcnt(socket, 3).context(what)
}

/// Answers the requests of one connection.
async fn converse<IO>(io: IO, peer: Peer, router: Router, mut stopped: Stopped)
where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (address, cut) = (peer.address, Arc::clone(&peer.cut));
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let (request, rest) = leftover::lend(request);
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(peer.clone());
        let router = router.clone();
        async move {
            let mut response = router.oneshot(request).await?;
            rest.settle(&mut response).await;
            Ok::<_, Infallible>(response)
        }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD_MAX)
        .max_headers(HEADERS_MAX)
        .max_buf_size(BUFFER_BYTES);
    let connection = http
        .serve_connection(TokioIo::new(Guarded::new(io, WRITE_MAX)), service)
        .with_upgrades();
    tokio::pin!(connection);
    let result = tokio::select! {
        result = connection.as_mut() => result,
        () = cut.notified() => return debug!("{address}: broken off since what was sent may not go on"),
        () = stopped.wait() => {
            connection.as_mut().graceful_shutdown();
            match tokio::time::timeout(GRACE, connection).await {
                Ok(result) => result,
                Err(_) => return info!("{address}: a request was broken off since the server stops"),
            }
        }
    };
    if let Err(e) = result {
        debug!("{address}: {e}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Bytes;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

    /// Lets `client` talk to a server that answers every request without reading its body.
    fn with_answers_at_once(client: impl AsyncFnOnce(DuplexStream)) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let (near, far) = tokio::io::duplex(256 << 10);
            let address: SocketAddr = "192.168.10.7:50000".parse().expect("an address");
            let place = Arc::new(Gate::default()).enter(address.ip(), true);
            let peer = Peer {
                address,
                place: Arc::new(place.expect("room")),
                cut: Arc::default(),
            };
            let router = Router::new().fallback(|| async { "no" });
            let (_stopper, stopped) = crate::base::shutdown::pair();
            tokio::join!(converse(far, peer, router, stopped), client(near));
        });
    }

    async fn answer(client: &mut DuplexStream) -> String {
        let mut said = Vec::new();
        while !said.ends_with(b"\r\n\r\nno") {
            said.push(client.read_u8().await.expect("an answer"));
        }
        String::from_utf8(said).expect("text").to_lowercase()
    }

    const HEAD: &str = "POST / HTTP/1.1\r\nhost: kamera\r\ncontent-length: ";

    #[test]
    fn a_connection_goes_on_although_a_body_came_after_its_answer_was_ready() {
        with_answers_at_once(async |mut client| {
            for _ in 0..3 {
                let head = format!("{HEAD}4\r\n\r\n");
                client.write_all(head.as_bytes()).await.expect("written");
                // Time enough for the answer to be ready.
                for _ in 0..100 {
                    tokio::task::yield_now().await;
                }
                client.write_all(b"body").await.expect("written");
                assert!(!answer(&mut client).await.contains("connection: close"));
            }
        });
    }

    #[test]
    fn an_answer_says_that_the_connection_ends_when_its_body_is_not_waited_for() {
        // One that never comes, one that is too large, and one that waits for a word.
        let large = format!("{HEAD}100000\r\n\r\n{}", "x".repeat(100_000));
        for request in [
            format!("{HEAD}4\r\n\r\n"),
            large,
            format!("{HEAD}4\r\nexpect: 100-continue\r\n\r\n"),
        ] {
            with_answers_at_once(async |mut client| {
                client.write_all(request.as_bytes()).await.expect("written");
                assert!(answer(&mut client).await.contains("connection: close"));
                let mut rest = Vec::new();
                client.read_to_end(&mut rest).await.expect("its end");
                assert!(rest.is_empty());
            });
        }
    }

    #[test]
    fn a_connection_is_cut_although_its_client_takes_nothing_more() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let (mut client, server) = tokio::io::duplex(1 << 10);
            let address: SocketAddr = "192.168.10.7:50000".parse().expect("an address");
            let place = Arc::new(Gate::default()).enter(address.ip(), true);
            let peer = Peer {
                address,
                place: Arc::new(place.expect("room")),
                cut: Arc::default(),
            };
            let endless = || async {
                let piece = || Ok::<_, Infallible>(Bytes::from_static(&[7; 1000]));
                Body::from_stream(futures_util::stream::iter(std::iter::repeat_with(piece)))
            };
            let router = Router::new().route("/", get(endless));
            let (_stopper, stopped) = crate::base::shutdown::pair();
            let cut = Arc::clone(&peer.cut);
            let asks = async {
                let request = b"GET / HTTP/1.1\r\nhost: kamera\r\n\r\n";
                client.write_all(request).await.expect("written");
                client.read_exact(&mut [0; 100]).await.expect("it began");
                cut.notify_one();
            };
            // Sooner than by the patience that each write has.
            let served = converse(server, peer, router, stopped);
            let served = tokio::time::timeout(WRITE_MAX / 2, served);
            let ((), served) = tokio::join!(asks, served);
            assert_eq!(served, Ok(()));
        });
    }
}
