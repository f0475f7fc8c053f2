//! Layer 6: pages and API over HTTPS, on a thread and a runtime of their own, so that recording is never disturbed.
//!
//! ```text
//! gate (premises, bounds) → TLS → house rules → matrix → handler, which is handed an `Authorised`
//! ```
//!
//! What does not belong here: who may what (`access`), how footage is read (`evidence`).

pub mod api;
pub mod app;
pub mod authority;
pub mod certificate;
pub mod delivered;
pub mod gate;
pub mod guard;
mod guarded;
pub mod house;
pub mod json;
mod leftover;
pub mod matrix;
pub mod metrics;
mod pages;
pub mod playback;
pub mod problem;
pub mod routes;
pub mod server;
pub mod tls;

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use log::{error, info, warn};
use rustls::ServerConfig;
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;

use crate::base::error::{Context, Result};
use crate::base::shutdown::{self, Stopped, Stopper};
use crate::http::app::{App, Parts};
use crate::http::gate::Gate;
use crate::http::server::Shared;

/// Threads that read the catalog and footage for requests.
const BLOCKING_THREADS: usize = 16;
/// Steps of niceness: recording comes first.
const NICER: i32 = 5;
/// Certificate and idle playbacks are looked at this often.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);
/// Longest wait for what is under way when the server stops.
const STOP_MAX: Duration = Duration::from_secs(5);
const STOP_STEP: Duration = Duration::from_millis(20);

/// The running server.
pub struct Web {
    stopper: Stopper,
    thread: JoinHandle<()>,
}

impl Web {
    /// Starts it. What cannot be listened on is tried again; recording goes on without it.
    ///
    /// # Errors
    /// When there is no certificate, or no thread.
    pub fn start(parts: Parts) -> Result<Self> {
        let what = || "starting the server of pages and API";
        let (stopper, stopped) = shutdown::pair();
        let app = App::new(parts, stopped).context(what)?;
        let served = app.certificate.get();
        app.parts.host.certificate_until(served.valid.end);
        info!(
            "the certificate is valid until {}; its SHA-256 is {}",
            served.valid.end, served.fingerprint
        );
        let tls = tls::config(Arc::clone(&app.certificate)).context(what)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(BLOCKING_THREADS)
            .thread_name("web helper")
            .build()
            .context(what)?;
        let thread = std::thread::Builder::new()
            .name("web".to_owned())
            .spawn(move || run(&runtime, &app, tls))
            .context(what)?;
        Ok(Self { stopper, thread })
    }

    /// Stops it: nothing new is taken, what is under way is ended, what was delivered is written down.
    pub fn stop(self) {
        self.stopper.stop();
        if self.thread.join().is_err() {
            error!("the thread of the server failed");
        }
    }
}

fn run(runtime: &Runtime, app: &Arc<App>, tls: ServerConfig) {
    // Of this thread and those that it starts, on Linux.
    rustix::process::nice(NICER).ok();
    runtime.block_on(async {
        listen(app, tls);
        tokio::spawn(upkeep(Arc::clone(app)));
        app.stopped.clone().wait().await;
        settle(app).await;
    });
}

/// Begins to listen wherever the configuration says.
fn listen(app: &Arc<App>, tls: ServerConfig) {
    let web = app.config().web.clone();
    let (access, gate) = (app.parts.access.clone(), Arc::clone(&app.gate));
    let shared = Shared {
        gate,
        admits: Arc::new(move |peer: SocketAddr| {
            let admitted = access.on_premises(peer.ip());
            if !admitted {
                access.note_refused("off-premises", "", peer.ip());
            }
            admitted
        }),
        router: routes::router(app),
        tls: Some(TlsAcceptor::from(Arc::new(tls))),
    };
    for address in web.listen {
        tokio::spawn(server::listen(
            address,
            shared.clone(),
            app.stopped.clone(),
            |address| info!("pages and API on https://{address}/"),
        ));
    }
    if let Some(address) = web.metrics {
        let shared = Shared {
            // Its own, so that it answers when the other is full.
            gate: Arc::new(Gate::default()),
            admits: Arc::new(|peer: SocketAddr| peer.ip().is_loopback()),
            router: metrics::router(Arc::clone(app)),
            tls: None,
        };
        tokio::spawn(server::listen(
            address,
            shared,
            app.stopped.clone(),
            |address| info!("metrics on http://{address}/metrics"),
        ));
    }
}

/// What is to be looked at again and again.
async fn upkeep(app: Arc<App>) {
    let mut every = tokio::time::interval(UPKEEP_EVERY);
    let mut told = String::new();
    let mut stopped: Stopped = app.stopped.clone();
    loop {
        tokio::select! {
            () = stopped.wait() => return,
            _ = every.tick() => {}
        }
        let renewed = app.blocking(|app| {
            let (parts, now) = (&app.parts, app.now());
            app.playbacks
                .close_idle(&parts.catalog, parts.clock.mono(), now);
            let due = tls::due(&parts.dir, parts.box_id, &app.config().web, now);
            Ok(due
                .map(|served| {
                    parts.host.certificate_until(served.valid.end);
                    (app.certificate.set(served.clone()), served)
                })
                .map_err(|e| e.attempted("looking at the certificate").to_string()))
        });
        match renewed.await {
            Ok(Ok((true, served))) => info!(
                "another certificate is in force, valid until {}; its SHA-256 is {}",
                served.valid.end, served.fingerprint
            ),
            Ok(Ok(_)) => told.clear(),
            // Said once, until it is over.
            Ok(Err(e)) if e != told => {
                warn!("{e}; the one before stays in force");
                told = e;
            }
            _ => {}
        }
    }
}

/// Waits for what is under way, within a bound, and writes down what was delivered.
async fn settle(app: &Arc<App>) {
    let closed = app.blocking(|app| {
        app.playbacks.close_all(&app.parts.catalog, app.now());
        Ok(())
    });
    if closed.await.is_err() {
        error!("playbacks could not be closed");
    }
    let done = async {
        while app.gate.inside() > 0 || app.parts.live.watchers() > 0 {
            tokio::time::sleep(STOP_STEP).await;
        }
    };
    if tokio::time::timeout(STOP_MAX, done).await.is_err() {
        warn!("{} connections were broken off", app.gate.inside());
    }
}
