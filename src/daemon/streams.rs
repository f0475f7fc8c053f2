//! One task a stream: its camera on one side, its assembler on the other.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use futures_util::future::join_all;
use log::{error, info, warn};
use tokio::task::JoinHandle;

use crate::base::error::{Error, Kind, Result};
use crate::base::id::{CameraId, StreamId, StreamKind};
use crate::base::shutdown::{self, Stopped, Stopper};
use crate::base::{Clock, hash::Digest};
use crate::catalog::{Catalog, GapCause};
use crate::config::{CameraConfig, Config, NetworkConfig, RecorderConfig};
use crate::daemon::glue::{Glue, Why};
use crate::daemon::volumes::Volumes;
use crate::ingest::allowance::Allowance;
use crate::ingest::redirect::Allowed;
use crate::ingest::rtsp::{self, Group, Rtsp};
use crate::ingest::supervisor::{self, supervise};
use crate::recorder::assembler::{self, Assembler};
use crate::recorder::board::{Board, Phase};
use crate::recorder::fragment::{Begin, Done, Order, What};
use crate::recorder::live::Live;
use crate::recorder::outbox::{Outbox, Waiting};
use crate::recorder::recovery;

/// The streams that run.
pub struct Streams {
    clock: Arc<dyn Clock>,
    catalog: Arc<Catalog>,
    board: Board,
    live: Live,
    options: RecorderConfig,
    allowed: Allowed,
    allowance: Allowance,
    tasks: BTreeMap<CameraId, Vec<Task>>,
    /// What is known of each camera's old sessions; it outlives a change of the camera's configuration.
    groups: BTreeMap<CameraId, Group>,
    /// Streams begun so far, to spread their cuts.
    begun: u64,
}

/// Longest wait for a stream's last rows.
const SETTLE_MAX: Duration = Duration::from_secs(10);
/// Longest wait, at the end, until cameras have heard that their sessions end.
const GOODBYE_MAX: Duration = Duration::from_secs(2);
/// After a fault of ours a stream is begun anew this much later.
const FAULT_WAIT: Duration = Duration::from_secs(30);

struct Task {
    stream: Arc<StreamId>,
    stopper: Stopper,
    why: Why,
    sender: Sender<Order>,
    handle: JoinHandle<()>,
}

impl Streams {
    /// None yet.
    pub fn new(
        clock: Arc<dyn Clock>,
        catalog: Arc<Catalog>,
        board: Board,
        live: Live,
        config: &Config,
    ) -> Self {
        Self {
            clock,
            catalog,
            board,
            live,
            options: config.recorder.clone(),
            allowed: Allowed::by(config.network.clone()),
            allowance: Allowance::of(config.recorder.receive_bytes),
            tasks: BTreeMap::new(),
            groups: BTreeMap::new(),
            begun: 0,
        }
    }

    /// Cameras may redirect to there from now on.
    pub fn allow(&self, network: NetworkConfig) {
        self.allowed.set(network);
    }

    /// Starts a camera's streams.
    ///
    /// # Errors
    /// When the catalog cannot be read or its volume is not known.
    pub fn start(&mut self, camera: &CameraConfig, volumes: &Volumes) -> Result<()> {
        let named = || Group::named(camera.id.as_str());
        let group = self.groups.entry(camera.id.clone()).or_insert_with(named);
        let group = group.clone();
        let mut tasks = Vec::new();
        let mut result = Ok(());
        for kind in [StreamKind::Main, StreamKind::Sub] {
            if let Some(path) = camera.stream_path(kind) {
                let stream = StreamId {
                    camera: camera.id.clone(),
                    kind,
                };
                match self.start_stream(camera, Arc::new(stream), path, &group, volumes) {
                    Ok(task) => tasks.push(task),
                    Err(e) => result = Err(e),
                }
            }
        }
        self.tasks.insert(camera.id.clone(), tasks);
        result
    }

    fn start_stream(
        &mut self,
        camera: &CameraConfig,
        stream: Arc<StreamId>,
        path: &str,
        group: &Group,
        volumes: &Volumes,
    ) -> Result<Task> {
        let reader = self.catalog.reader()?;
        let waiting = Waiting::default();
        let sender = volumes.sender(&camera.volume)?;
        let begin = Begin {
            previous_root: reader.last_root(&stream)?.unwrap_or(Digest::ZERO),
            covered_until: recovery::accounted_until(&reader, &stream, self.clock.wall())?,
            gap: reader.open_gap(&stream)?.map(|gap| gap.cause),
            waiting: waiting.clone(),
        };
        let gone = |_| Error::new(Kind::Internal, "the writer of the volume ended");
        sender
            .send(Order {
                stream: Arc::clone(&stream),
                what: What::Begin(begin),
            })
            .map_err(gone)?;
        let outbox = Outbox::new(
            Arc::clone(&stream),
            sender.clone(),
            waiting,
            self.options.queue_bytes as u64,
        );
        let parts = Parts {
            name: stream.to_string(),
            assembler: assembler::Options {
                stream: Arc::clone(&stream),
                segment_secs: self.options.segment_secs,
                stagger_us: stagger_us(self.begun, self.options.segment_secs),
                live: self.live.clone(),
            },
            source: rtsp::Options {
                address: camera.address,
                path: path.to_owned(),
                transport: camera.transport,
                credentials: camera.credentials.clone(),
                allowed: self.allowed.clone(),
                allowance: self.allowance.clone(),
            },
            stall: Duration::from_secs(u64::from(self.options.stall_secs)),
            group: group.clone(),
            outbox,
            clock: Arc::clone(&self.clock),
            board: self.board.clone(),
            why: Why::default(),
        };
        self.begun += 1;
        self.board.show(&stream);
        self.board
            .update(&stream, |line| line.phase = Phase::Connecting);
        let (stopper, stopped) = shutdown::pair();
        let why = parts.why.clone();
        let handle = tokio::spawn(parts.run(stopped));
        Ok(Task {
            stream,
            stopper,
            why,
            sender,
            handle,
        })
    }

    /// True when the camera's streams run.
    pub fn runs(&self, camera: &CameraId) -> bool {
        self.tasks.contains_key(camera)
    }

    /// Stops a camera's streams, each for its reason, and waits until their last picture is handed over.
    pub async fn stop(
        &mut self,
        camera: &CameraId,
        why: impl Fn(StreamKind) -> (GapCause, &'static str),
    ) {
        let tasks = self.tasks.remove(camera).unwrap_or_default();
        for task in &tasks {
            let (cause, detail) = why(task.stream.kind);
            task.tell(cause, detail);
        }
        for task in tasks {
            let stream = Arc::clone(&task.stream);
            let (cause, detail) = why(stream.kind);
            let sender = task.sender.clone();
            task.join().await;
            // There may have been no run that could say so.
            let what = What::Failed {
                at: self.clock.wall(),
                cause,
                detail: detail.to_owned(),
            };
            // What the stream begins with next time, perhaps on another volume, is read from the catalog.
            let (done, settled) = tokio::sync::oneshot::channel::<()>();
            let forget = What::Forget(Done::new(move || {
                done.send(()).ok();
            }));
            for what in [what, forget] {
                let stream = Arc::clone(&stream);
                sender.send(Order { stream, what }).ok();
            }
            if tokio::time::timeout(SETTLE_MAX, settled).await.is_err() {
                warn!("{stream}: its volume takes long to write what is left");
            }
            self.board.update(&stream, |line| line.phase = Phase::Off);
            info!("{stream}: {detail}");
        }
    }

    /// Stops all streams.
    pub async fn stop_all(&mut self) {
        let tasks: Vec<_> = std::mem::take(&mut self.tasks)
            .into_values()
            .flatten()
            .collect();
        for task in &tasks {
            task.tell(GapCause::Stopped, "Sinetti was stopped");
        }
        for task in tasks {
            task.join().await;
        }
        let goodbyes = self.groups.values().map(|group| group.ended(GOODBYE_MAX));
        join_all(goodbyes).await;
    }
}

impl Task {
    fn tell(&self, cause: GapCause, detail: &str) {
        self.why.set(cause, detail);
        self.stopper.stop();
    }

    async fn join(self) {
        // A task that panicked has already said so; what it handed over is kept.
        self.handle.await.ok();
    }
}

/// Everything that a stream is made of.
struct Parts {
    name: String,
    assembler: assembler::Options,
    source: rtsp::Options,
    stall: Duration,
    group: Group,
    outbox: Outbox,
    clock: Arc<dyn Clock>,
    board: Board,
    why: Why,
}

impl Parts {
    /// Runs the stream until `stopped`. A fault of ours or of a library that a camera's bytes bring about costs that stream a
    /// gap; it ends neither the recorder nor the stream for ever.
    async fn run(self, mut stopped: Stopped) {
        loop {
            let session = tokio::spawn(self.session(stopped.clone()));
            let Err(e) = session.await else { return };
            let detail = format!("a fault of the recorder: {e}");
            error!(
                "{}: {detail}; it is begun anew in {} s",
                self.name,
                FAULT_WAIT.as_secs()
            );
            let stream = &self.assembler.stream;
            self.board.trouble(stream, &detail, self.clock.wall());
            self.outbox.tell(What::Ended {
                cause: GapCause::Internal,
                detail,
            });
            tokio::select! {
                () = stopped.wait() => return,
                () = tokio::time::sleep(FAULT_WAIT) => {}
            }
        }
    }

    fn session(&self, stopped: Stopped) -> impl Future<Output = ()> + Send + use<> {
        let clock = Arc::clone(&self.clock);
        let options = self.assembler.clone();
        let sink = Glue {
            clock: Arc::clone(&clock),
            stream: Arc::clone(&options.stream),
            assembler: Assembler::new(options, Arc::clone(&clock), self.outbox.clone()),
            board: self.board.clone(),
            why: self.why.clone(),
        };
        let source = Rtsp::new(self.source.clone(), Arc::clone(&clock), &self.group);
        let options = supervisor::Options {
            name: self.name.clone(),
            stall: self.stall,
        };
        async move { supervise(source, sink, options, &*clock, stopped).await }
    }
}

/// Where in the segment cycle the n-th stream is cut: the golden ratio spreads any number of them evenly.
fn stagger_us(n: u64, segment_secs: u32) -> i64 {
    let period_us = u64::from(segment_secs) * 1_000_000;
    // 2^32 / φ, a fraction of 2^32.
    let fraction = n.wrapping_mul(0x9e37_79b9) & 0xffff_ffff;
    ((fraction * period_us) >> 32).cast_signed()
}

/// Why a stream is not recorded under `config`; [`GapCause::Stopped`] when it is, but was begun under another one.
pub(super) fn rest(
    config: &Config,
    camera: &CameraId,
    kind: StreamKind,
) -> (GapCause, &'static str) {
    match config.camera(camera) {
        None => (
            GapCause::Removed,
            "the camera was removed from the configuration",
        ),
        Some(camera) if camera.stream_path(kind).is_none() => (
            GapCause::Removed,
            "the stream was removed from the configuration",
        ),
        Some(camera) if !camera.enabled => (
            GapCause::Disabled,
            "the camera was switched off in the configuration",
        ),
        Some(_) => (GapCause::Stopped, "the camera's configuration was changed"),
    }
}

#[cfg(test)]
mod tests {
    use super::stagger_us;

    #[test]
    fn cuts_are_spread_over_the_cycle() {
        let mut cuts: Vec<_> = (0..32).map(|n| stagger_us(n, 60)).collect();
        cuts.sort_unstable();
        let widest = cuts
            .windows(2)
            .map(|w| w[1] - w[0])
            .max()
            .unwrap_or_default();
        assert!(
            cuts.iter().all(|c| (0..60_000_000).contains(c)) && widest < 4_000_000,
            "{widest}"
        );
    }
}
